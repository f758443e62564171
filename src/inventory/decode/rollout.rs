//! How much is changed at once, and how long to wait: canaries, sizes of waves, lengths of time.

use serde_json::{Value as Json, json};

use crate::domain::TimeSpan;
use crate::inventory::document::{Node, Value};
use crate::inventory::rollout::WaveSize;
use crate::inventory::rules;

use super::plain::{Plain, classify};
use super::text::Key;
use super::{Context, Decode, Spanned, scalar};

/// The most devices that a policy names by number; far above any fleet that there is.
const MOST: u16 = 10_000;

impl Decode for TimeSpan {
    fn decode(node: &Node<'_>, context: &mut Context<'_>) -> Option<Self> {
        let wanted = "a length of time such as `2m`";
        let (text, _) = scalar::single(node, context, wanted)?;
        if let Ok(span) = text.parse() {
            return Some(span);
        }
        let (at, field) = (context.at(node.span), &context.field);
        let message = format!("`{field}` is `{}`; it needs {wanted}", text.escape_debug());
        context
            .findings
            .add(&rules::INVALID_LENGTH, at, message)
            .help("write 90s, 2m, 3h or 1h30m, without blanks, a week (168h) at most");
        None
    }

    fn schema() -> Json {
        json!({
            "type": "string",
            "minLength": 2,
            "pattern": "^([0-9]{1,3}h)?([0-9]{1,4}m)?([0-9]{1,5}s)?$",
            "examples": ["90s", "2m", "1h30m"],
        })
    }
}

/// Who is changed first: so many devices, or these.
#[derive(Debug, Clone)]
pub(in crate::inventory) enum CanarySpec {
    Least(u16),
    Devices(Vec<Spanned<Key>>),
}

impl Decode for CanarySpec {
    fn decode(node: &Node<'_>, context: &mut Context<'_>) -> Option<Self> {
        let wanted = "a number of devices, or a list of their keys";
        if let Value::Sequence(items) = &node.value {
            if items.is_empty() {
                let at = context.at(node.span);
                context
                    .findings
                    .add(&rules::WAVES, at, "the list of canaries is empty".to_owned())
                    .help("name devices, write how many, or remove the line");
                return None;
            }
            return Vec::decode(node, context).map(Self::Devices);
        }
        let raw = scalar::integer(node, context, wanted)?;
        match u16::try_from(raw).ok().filter(|raw| *raw <= MOST) {
            Some(raw) => Some(Self::Least(raw)),
            None => {
                let at = context.at(node.span);
                let message = format!("`{}` is {raw}; {MOST} at most", context.field);
                context.findings.add(&rules::OUT_OF_RANGE, at, message);
                None
            }
        }
    }

    fn schema() -> Json {
        json!({ "anyOf": [
            { "type": "integer", "minimum": 0, "maximum": MOST },
            { "type": "array", "items": Key::schema(), "minItems": 1 },
        ] })
    }
}

impl Decode for WaveSize {
    fn decode(node: &Node<'_>, context: &mut Context<'_>) -> Option<Self> {
        let wanted = "a number of devices such as 10, or a share such as `20%`";
        let (text, plain) = scalar::single(node, context, wanted)?;
        // A number in quotes is text to an editor that checks the schema.
        let quoted = !plain && classify(text) != Plain::Text;
        match text.parse() {
            Ok(Self::Devices(size)) if quoted || size > MOST => {}
            Ok(size) => return Some(size),
            Err(_) => {}
        }
        let (at, field) = (context.at(node.span), &context.field);
        let message = format!("`{field}` is `{}`; it needs {wanted}", text.escape_debug());
        context
            .findings
            .add(&rules::WAVES, at, message)
            .help(format!("write 1 to {MOST}, or 1% to 100%"));
        None
    }

    fn schema() -> Json {
        json!({
            "anyOf": [
                { "type": "integer", "minimum": 1, "maximum": MOST },
                { "type": "string", "pattern": "^0*([1-9][0-9]?|100)%$" },
            ],
            "examples": [10, "20%"],
        })
    }
}
