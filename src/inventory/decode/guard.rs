//! Limits of guards, and pauses with an end.

use serde_json::{Value as Json, json};

use crate::inventory::document::{Node, Value};
use crate::inventory::drift::Until as Written;
use crate::inventory::guards::Share;
use crate::inventory::model::Pause;
use crate::inventory::rate::Headroom;
use crate::inventory::raw::{RawLimit, RawPause};
use crate::inventory::rules;

use super::plain::{Plain, classify};
use super::scalar::{self, Flag};
use super::{Context, Decode, Shape as _};

/// The word that switches a guard off.
pub(in crate::inventory) const UNLIMITED: &str = "unlimited";

const WANTED: &str = "`{count: N, share: P%}`, one of the two, or `unlimited`";

/// A limit: how many, how large a part, or no limit at all.
#[derive(Debug)]
pub(in crate::inventory) enum LimitSpec {
    Unlimited,
    Limited(RawLimit),
}

impl Decode for LimitSpec {
    fn decode(node: &Node<'_>, context: &mut Context<'_>) -> Option<Self> {
        let at = context.at(node.span);
        match &node.value {
            Value::Mapping(entries) if entries.is_empty() => {
                let message = format!("`{}` says neither `count` nor `share`", context.field);
                context
                    .findings
                    .add(&rules::GUARD_LIMIT, at, message)
                    .help(format!("write {WANTED}"));
                None
            }
            Value::Mapping(_) => RawLimit::decode_shape(node, context).map(Self::Limited),
            Value::Scalar { text, .. } if text == UNLIMITED => Some(Self::Unlimited),
            Value::Scalar { text, .. } if !node.is_null() => {
                let message = format!("`{}` is `{}`, which is no limit", context.field, text.escape_debug());
                context
                    .findings
                    .add(&rules::GUARD_LIMIT, at, message)
                    .help(format!("write {WANTED}"));
                None
            }
            _ => context.wrong_type(node, WANTED),
        }
    }

    fn schema() -> Json {
        let mut limit = RawLimit::shape_schema();
        if let Some(limit) = limit.as_object_mut() {
            limit.insert("minProperties".to_owned(), json!(1));
        }
        json!({ "anyOf": [{ "enum": [UNLIMITED] }, limit], "examples": [{ "count": 5, "share": "10%" }, UNLIMITED] })
    }
}

/// How many objects a guard lets through.
#[derive(Debug, Clone, Copy)]
pub(in crate::inventory) struct GuardCount(pub(in crate::inventory) usize);

impl TryFrom<u64> for GuardCount {
    type Error = std::num::TryFromIntError;

    fn try_from(raw: u64) -> Result<Self, Self::Error> {
        usize::try_from(raw).map(Self)
    }
}

/// A part of a whole in percent.
#[derive(Debug, Clone, Copy)]
pub(in crate::inventory) struct ShareText(pub(in crate::inventory) Share);

impl Decode for ShareText {
    fn decode(node: &Node<'_>, context: &mut Context<'_>) -> Option<Self> {
        let wanted = "a percentage such as `10%`";
        let (text, _) = scalar::single(node, context, wanted)?;
        let share =
            Headroom::parse(text).and_then(|percentage| Share::parts_per_million(percentage.parts_per_million()));
        if share.is_none() {
            let (at, field) = (context.at(node.span), &context.field);
            context
                .findings
                .add(
                    &rules::GUARD_LIMIT,
                    at,
                    format!("`{field}` is `{}`; it needs {wanted}", text.escape_debug()),
                )
                .help("write 0% to 100%, with the sign");
        }
        share.map(Self)
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^([0-9]{1,2}(\\.[0-9]{1,4})?|100(\\.0{1,4})?)%$", "examples": ["10%"] })
    }
}

/// `true`, `false`, a reason, which means `true`, or a map that says until when.
#[derive(Debug, Clone)]
pub(in crate::inventory) struct Paused(pub(in crate::inventory) Option<Pause>);

impl Decode for Paused {
    fn decode(node: &Node<'_>, context: &mut Context<'_>) -> Option<Self> {
        let wanted = "`true`, `false`, a reason, or `{reason: TEXT, until: DATE}`";
        let for_good = |reason| Self(Some(Pause { reason, until: None }));
        match &node.value {
            Value::Mapping(_) => {
                let raw = RawPause::decode_shape(node, context)?;
                Some(Self(Some(Pause {
                    reason: raw.reason.map_or_else(no_reason, |reason| reason.value.0),
                    until: raw.until.map(|until| until.value.0),
                })))
            }
            Value::Scalar { text, plain: true } => match classify(text) {
                Plain::Bool(true) => Some(for_good(no_reason())),
                Plain::Bool(false) => Some(Self(None)),
                Plain::Null => context.wrong_type(node, wanted),
                // `paused: yes`: a flag meant, and said as a flag would say it.
                Plain::OldBool => Flag::decode(node, context).and_then(|flag| flag.0.then(|| for_good(no_reason()))),
                _ => scalar::text(node, context).map(|text| for_good(text.to_owned())),
            },
            Value::Scalar { text, plain: false } => Some(for_good(text.to_string())),
            _ => context.wrong_type(node, wanted),
        }
    }

    fn schema() -> Json {
        json!({
            "anyOf": [{ "type": ["boolean", "string"] }, RawPause::shape_schema()],
            "examples": [true, "cable works", { "reason": "cable works", "until": "2026-12-01" }],
        })
    }
}

/// What stands for the reason when none is given.
fn no_reason() -> String {
    "paused in the inventory".to_owned()
}

/// A date, which stands for its first moment in UTC, or a moment with its offset.
#[derive(Debug, Clone, Copy)]
pub(in crate::inventory) struct Until(pub(in crate::inventory) jiff::Timestamp);

impl Decode for Until {
    fn decode(node: &Node<'_>, context: &mut Context<'_>) -> Option<Self> {
        let text = scalar::text(node, context)?;
        let until = written(text).map(|until| until.moment(&jiff::tz::TimeZone::UTC));
        if until.is_none() {
            let (at, field) = (context.at(node.span), &context.field);
            context
                .findings
                .add(
                    &rules::INVALID_UNTIL,
                    at,
                    format!("`{field}` is `{}`, which is no date", text.escape_debug()),
                )
                .help("write a date such as 2026-12-01, which begins at midnight UTC, or 2026-12-01T06:00:00-05:00");
        }
        until.map(Self)
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": UNTIL_PATTERN, "examples": ["2026-12-01", "2026-12-01T06:00:00-05:00"] })
    }
}

/// What [`written`] takes, as far as a pattern can say it.
pub(super) const UNTIL_PATTERN: &str =
    "^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:[0-9]{2}))?$";

/// A day, or a moment with its offset.
pub(super) fn written(text: &str) -> Option<Written> {
    // Stricter than the parser, so that the schema can say the same.
    let shape: String = text
        .chars()
        .map(|char| if char.is_ascii_digit() { '0' } else { char })
        .collect();
    match shape.as_str() {
        "0000-00-00" => text.parse().ok().map(Written::Day),
        "0000-00-00T00:00Z"
        | "0000-00-00T00:00:00Z"
        | "0000-00-00T00:00+00:00"
        | "0000-00-00T00:00-00:00"
        | "0000-00-00T00:00:00+00:00"
        | "0000-00-00T00:00:00-00:00" => text.parse().ok().map(Written::Moment),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_its_first_moment_and_a_moment_needs_its_offset() {
        for (text, moment_text) in [
            ("2026-12-01", "2026-12-01T00:00:00Z"),
            ("2026-12-01T06:00-05:00", "2026-12-01T11:00:00Z"),
            ("2026-12-01T06:00:00Z", "2026-12-01T06:00:00Z"),
        ] {
            let moment = written(text).unwrap().moment(&jiff::tz::TimeZone::UTC);
            assert_eq!(moment.to_string(), moment_text, "{text}");
        }
        for text in [
            "",
            "soon",
            "2026-02-31",
            "2026-12-01 06:00",
            "2026-12-01T06:00",
            "1.12.2026",
            "20261201",
        ] {
            assert_eq!(written(text), None, "{text}");
        }
    }
}
