//! What the inventory says of billing systems: ids of what is sold, facts, templates, days.

use serde_json::{Value as Json, json};

use crate::inventory::billing::{FACTS, NotATemplate, Placeholder, Template, Unique, Way};
use crate::inventory::document::{Node, Value};
use crate::inventory::drift::Until;
use crate::inventory::nearest::did_you_mean;
use crate::inventory::rules;

use super::guard::written;
use super::scalar::{self, ExternalId, words};
use super::text::Problem;
use super::{Context, Decode, KeyKind};

words!(Way { "push" => Self::Push, "propose" => Self::Propose });
words!(Unique { "device" => Self::Device, "site" => Self::Site, "none" => Self::None });

/// The id, or the name, of what a billing system sells.
#[derive(Debug)]
pub(in crate::inventory) struct OfferKey;

impl KeyKind for OfferKey {
    const NUMERIC: bool = true;

    fn problem(key: &str) -> Problem {
        (key.is_empty() || key.len() > 255).then(|| {
            let help = "write the id or the name of what is sold, of 1 to 255 characters".to_owned();
            ("this is neither an id nor a name".to_owned(), help)
        })
    }

    fn schema() -> Json {
        json!({ "minLength": 1, "maxLength": 255 })
    }
}

/// What begins the name of a fact that the operator's own fields of the billing system make.
const OWN_FIELD: &str = "field.";

/// Names of facts.
#[derive(Debug)]
pub(in crate::inventory) struct FactKey;

impl KeyKind for FactKey {
    fn problem(key: &str) -> Problem {
        let is_own = key.strip_prefix(OWN_FIELD).is_some_and(|name| !name.is_empty());
        if is_own || FACTS.contains(&key) {
            return None;
        }
        let all = || {
            format!(
                "facts are {}, and `{OWN_FIELD}NAME` for fields of your own",
                FACTS.join(", ")
            )
        };
        Some((
            format!("`{}` is no fact that billing systems tell", key.escape_debug()),
            did_you_mean(key, FACTS.iter().copied()).unwrap_or_else(all),
        ))
    }

    fn schema() -> Json {
        json!({ "pattern": format!("^({}|field\\..+)$", FACTS.join("|")) })
    }
}

/// What a fact must be: a text, or one of several.
#[derive(Debug)]
pub(in crate::inventory) struct FactTexts(pub(in crate::inventory) Vec<String>);

impl Decode for FactTexts {
    fn decode(node: &Node<'_>, context: &mut Context<'_>) -> Option<Self> {
        match &node.value {
            Value::Sequence(items) if !items.is_empty() => {
                let texts = items.iter().map(|item| ExternalId::decode(item, context));
                // All are read, so that all that is wrong is told.
                let texts: Vec<Option<ExternalId>> = texts.collect();
                texts
                    .into_iter()
                    .map(|text| Some(text?.0))
                    .collect::<Option<_>>()
                    .map(Self)
            }
            Value::Sequence(_) => context.wrong_type(node, "a text, or a list of texts"),
            _ => ExternalId::decode(node, context).map(|text| Self(vec![text.0])),
        }
    }

    fn schema() -> Json {
        json!({ "anyOf": [ExternalId::schema(), { "type": "array", "items": ExternalId::schema(), "minItems": 1 }] })
    }
}

/// A text with placeholders.
#[derive(Debug)]
pub(in crate::inventory) struct TemplateText(pub(in crate::inventory) Template);

impl Decode for TemplateText {
    fn decode(node: &Node<'_>, context: &mut Context<'_>) -> Option<Self> {
        let text = scalar::text(node, context)?;
        let words = || Placeholder::ALL.map(|one| format!("`{{{}}}`", one.word())).join(", ");
        let (what, help) = match Template::parse(text) {
            Ok(template) => return Some(Self(template)),
            Err(NotATemplate::Empty) => ("is empty".to_owned(), format!("put one of {} into it", words())),
            Err(NotATemplate::Brace) => (
                "has a brace without its other one".to_owned(),
                format!("braces stand around {} only", words()),
            ),
            Err(NotATemplate::Unknown(word)) => (
                format!("has `{{{}}}` in it, which stands for nothing", word.escape_debug()),
                did_you_mean(&word, Placeholder::ALL.map(Placeholder::word))
                    .unwrap_or_else(|| format!("there are {}", words())),
            ),
        };
        let (at, message) = (context.at(node.span), format!("`{}` {what}", context.field));
        context.findings.add(&rules::BILLING, at, message).help(help);
        None
    }

    fn schema() -> Json {
        json!({ "type": "string", "minLength": 1, "examples": ["c-{account}", "s-{service}"] })
    }
}

/// A number of days, such as `14d`.
#[derive(Debug, Clone, Copy)]
pub(in crate::inventory) struct WholeDays(pub(in crate::inventory) u16);

impl Decode for WholeDays {
    fn decode(node: &Node<'_>, context: &mut Context<'_>) -> Option<Self> {
        let wanted = "a number of days such as `14d`";
        let (text, _) = scalar::single(node, context, wanted)?;
        let digits = text.strip_suffix('d').unwrap_or_default();
        let is_number = (1..=3).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        if is_number && let Ok(days) = digits.parse() {
            return Some(Self(days));
        }
        let (at, field) = (context.at(node.span), &context.field);
        let message = format!("`{field}` is `{}`; it needs {wanted}", text.escape_debug());
        context
            .findings
            .add(&rules::INVALID_LENGTH, at, message)
            .help("write 0d to 999d");
        None
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^[0-9]{1,3}d$", "examples": ["14d"] })
    }
}

/// A day of the calendar.
#[derive(Debug, Clone, Copy)]
pub(in crate::inventory) struct Day(pub(in crate::inventory) jiff::civil::Date);

impl Decode for Day {
    fn decode(node: &Node<'_>, context: &mut Context<'_>) -> Option<Self> {
        let text = scalar::text(node, context)?;
        if let Some(Until::Day(day)) = written(text) {
            return Some(Self(day));
        }
        let (at, field) = (context.at(node.span), &context.field);
        let message = format!("`{field}` is `{}`, which is no day", text.escape_debug());
        context
            .findings
            .add(&rules::INVALID_UNTIL, at, message)
            .help("write a day such as 2026-12-01");
        None
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "examples": ["2026-12-01"] })
    }
}
