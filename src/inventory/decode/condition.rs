//! Rules over plans: their conditions.

use serde_json::{Value as Json, json};

use crate::inventory::document::{Node, Span, Value};
use crate::inventory::expression::{Expression, LONGEST};
use crate::inventory::model::Effect;
use crate::inventory::rules;

use super::scalar::{self, words};
use super::{Context, Decode};

words!(Effect { "refuse" => Self::Refuse, "warn" => Self::Warn });

/// A condition over a plan.
#[derive(Debug, Clone)]
pub(in crate::inventory) struct Condition(pub(in crate::inventory) Expression);

impl Decode for Condition {
    fn decode(node: &Node<'_>, context: &mut Context<'_>) -> Option<Self> {
        let text = scalar::text(node, context)?;
        match Expression::parse(text) {
            Ok(expression) => Some(Self(expression)),
            Err(wrong) => {
                let (span, place) = place(node, text, wrong.at);
                let at = context.at(span);
                let message = format!("`{}`{place} {}", context.field, wrong.message);
                context.findings.add(&rules::CONDITION, at, message).help(
                    "conditions are written in CEL, such as `plan.summary.destroy > 10`; docs/policies.md has examples",
                );
                None
            }
        }
    }

    fn schema() -> Json {
        json!({ "type": "string", "maxLength": LONGEST, "examples": ["plan.summary.destroy > 10"] })
    }
}

/// Where in the file a place of the text is: exactly, where the text stands there as it is; otherwise the whole value,
/// with the place in words.
fn place(node: &Node<'_>, text: &str, at: usize) -> (Span, String) {
    let Span { start, end } = node.span;
    let length = usize::try_from(end.saturating_sub(start)).unwrap_or(0);
    let is_plain = matches!(node.value, Value::Scalar { plain: true, .. });
    let quotes = match length.checked_sub(text.len()) {
        Some(0) if is_plain => 0,
        Some(2) if !is_plain && !text.contains('\n') => 1,
        _ => {
            let before = &text[..at];
            let line = before.matches('\n').count() + 1;
            let column = before.chars().rev().take_while(|char| *char != '\n').count() + 1;
            return (node.span, format!(" (line {line}, column {column} of it)"));
        }
    };
    // What ends too early is shown at its last character.
    let last = text.char_indices().next_back().map_or(0, |(last, _)| last);
    let at = at.min(last);
    let from = start
        .saturating_add(quotes)
        .saturating_add(u32::try_from(at).unwrap_or(0))
        .min(end);
    let width = text[at..].chars().next().map_or(0, char::len_utf8);
    let to = from.saturating_add(u32::try_from(width).unwrap_or(0)).min(end);
    (Span { start: from, end: to }, String::new())
}
