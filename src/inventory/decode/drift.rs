//! What becomes of drift: words, fields, addresses, ends of ignore rules.

use serde_json::{Value as Json, json};

use crate::inventory::document::Node;
use crate::inventory::drift::{Field, Then, Until};
use crate::inventory::nearest::did_you_mean;
use crate::inventory::rules;

use super::guard::{UNTIL_PATTERN, written};
use super::scalar::{self, words};
use super::text::Problem;
use super::{Context, Decode, KeyKind};

words!(Then { "report" => Self::Report, "revert" => Self::Revert, "adopt" => Self::Adopt });

fn field_words() -> impl Iterator<Item = &'static str> {
    Field::ALL.iter().map(|field| field.word())
}

impl Decode for Field {
    fn decode(node: &Node<'_>, context: &mut Context<'_>) -> Option<Self> {
        let words: Vec<(&str, Self)> = Self::ALL.iter().map(|field| (field.word(), *field)).collect();
        scalar::word(node, context, &words)
    }

    fn schema() -> Json {
        json!({ "enum": field_words().collect::<Vec<_>>() })
    }
}

/// Fields as keys.
#[derive(Debug)]
pub(in crate::inventory) struct FieldKey;

impl KeyKind for FieldKey {
    fn problem(key: &str) -> Problem {
        if Field::by_word(key).is_some() {
            return None;
        }
        let all = || format!("fields are {}", field_words().collect::<Vec<_>>().join(", "));
        Some((
            format!("`{}` is no field that can drift", key.escape_debug()),
            did_you_mean(key, field_words()).unwrap_or_else(all),
        ))
    }

    fn schema() -> Json {
        json!({ "enum": field_words().collect::<Vec<_>>() })
    }
}

/// The kinds of objects, as addresses name them.
pub(in crate::inventory) const KINDS: [&str; 5] = ["system", "port", "profile", "endpoint", "subscriber"];

/// An address as plans print it, with `*` for any text, with or without its device.
#[derive(Debug, Clone)]
pub(in crate::inventory) struct ObjectPattern(pub(in crate::inventory) String);

impl Decode for ObjectPattern {
    fn decode(node: &Node<'_>, context: &mut Context<'_>) -> Option<Self> {
        let text = scalar::text(node, context)?;
        let parts: Vec<&str> = text.split('/').collect();
        let is_kind = |part: &&str| part.contains('*') || KINDS.contains(part);
        let is_address = match parts.as_slice() {
            [any] => *any == "*",
            [kind, _] => is_kind(kind),
            [kind, rest @ ..] => is_kind(kind) || rest.first().is_some_and(is_kind),
            [] => false,
        };
        if is_address && parts.iter().all(|part| !part.is_empty()) {
            return Some(Self(text.to_owned()));
        }
        let (at, field) = (context.at(node.span), &context.field);
        let message = format!(
            "`{field}` is `{}`, which is no address of an object",
            text.escape_debug()
        );
        context.findings.add(&rules::DRIFT_IGNORE, at, message).help(format!(
            "write it as plans print it, such as `maple-a/subscriber/s-10442` or `port/*`; kinds are {}",
            KINDS.join(", ")
        ));
        None
    }

    fn schema() -> Json {
        json!({ "type": "string", "minLength": 1, "examples": ["maple-a/subscriber/s-10442", "port/*"] })
    }
}

/// A day, or a moment with its offset.
#[derive(Debug, Clone, Copy)]
pub(in crate::inventory) struct IgnoreUntil(pub(in crate::inventory) Until);

impl Decode for IgnoreUntil {
    fn decode(node: &Node<'_>, context: &mut Context<'_>) -> Option<Self> {
        let text = scalar::text(node, context)?;
        let until = written(text);
        if until.is_none() {
            let (at, field) = (context.at(node.span), &context.field);
            let message = format!("`{field}` is `{}`, which is no date", text.escape_debug());
            context.findings.add(&rules::INVALID_UNTIL, at, message).help(
                "write a date such as 2026-12-01, which begins at midnight where the device stands, or \
                 2026-12-01T06:00:00-05:00",
            );
        }
        until.map(Self)
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": UNTIL_PATTERN, "examples": ["2026-12-01", "2026-12-01T06:00:00-05:00"] })
    }
}
