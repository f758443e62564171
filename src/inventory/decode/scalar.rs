//! How single values are read: texts, numbers, words, booleans.

use serde_json::{Value as Json, json};

use crate::domain::PoeMode;
use crate::inventory::document::{Node, Value};
use crate::inventory::model::{Mode, OnFailure, State, Unsaved};
use crate::inventory::nearest::nearest;
use crate::inventory::rules;

use super::plain::{self, Plain, classify};
use super::{Context, Decode};

/// The text of a node where text is wanted, however it was written; YAML's traps become findings.
pub(super) fn text<'n>(node: &'n Node<'_>, context: &mut Context<'_>) -> Option<&'n str> {
    match &node.value {
        Value::Scalar { text, plain: false } => Some(text),
        Value::Scalar { text, plain: true } if !node.is_null() => {
            let at = context.at(node.span);
            plain::check_text(&context.field, text, at, context.findings).then_some(text)
        }
        _ => context.wrong_type(node, "text"),
    }
}

/// A single value that is written down, and whether without quotes. `wanted` reads on from "needs".
pub(super) fn single<'n>(node: &'n Node<'_>, context: &mut Context<'_>, wanted: &str) -> Option<(&'n str, bool)> {
    match &node.value {
        Value::Scalar { text, plain } if !node.is_null() => Some((text, *plain)),
        _ => context.wrong_type(node, wanted),
    }
}

/// A number where one is wanted: plain decimal digits. `wanted` reads on from "needs".
pub(super) fn integer(node: &Node<'_>, context: &mut Context<'_>, wanted: &str) -> Option<u64> {
    let Value::Scalar { text, plain: true } = &node.value else {
        if let Value::Scalar { text, plain: false } = &node.value
            && classify(text) == Plain::Integer
        {
            let (at, field) = (context.at(node.span), &context.field);
            context
                .findings
                .add(
                    &rules::WRONG_TYPE,
                    at,
                    format!("`{field}` is text in quotes; it needs {wanted}"),
                )
                .help(format!("write it without quotes: {text}"));
            return None;
        }
        return context.wrong_type(node, wanted);
    };
    let at = context.at(node.span);
    match classify(text) {
        Plain::Null => context.wrong_type(node, wanted),
        Plain::Integer => match text.parse() {
            Ok(number) => Some(number),
            // Negative, or beyond any range there is.
            Err(_) => {
                let message = format!("`{}` is {text}; it needs {wanted}", context.field);
                context.findings.add(&rules::OUT_OF_RANGE, at, message);
                None
            }
        },
        Plain::OddNumber | Plain::OldNumber | Plain::Fraction => {
            let message = format!(
                "`{}: {text}` is not the same number to every YAML reader",
                context.field
            );
            context
                .findings
                .add(&rules::YAML_NUMBER, at, message)
                .help(format!("write {wanted} in plain decimal digits"));
            None
        }
        Plain::Bool(_) | Plain::OldBool | Plain::Text => {
            let message = format!("`{}` is `{text}`; it needs {wanted}", context.field);
            context.findings.add(&rules::WRONG_TYPE, at, message);
            None
        }
    }
}

/// One of a few words.
pub(super) fn word<T: Copy>(node: &Node<'_>, context: &mut Context<'_>, words: &[(&str, T)]) -> Option<T> {
    let (at, names) = (context.at(node.span), one_of(words.iter().map(|(name, _)| *name)));
    let (text, _) = single(node, context, &names)?;
    if let Some((_, value)) = words.iter().find(|(name, _)| *name == text) {
        return Some(*value);
    }
    let message = format!("`{}` is `{text}`; it needs {names}", context.field);
    let draft = context.findings.add(&rules::INVALID_WORD, at, message);
    if let Some(name) = nearest(text, words.iter().map(|(name, _)| *name)) {
        draft.help(format!("did you mean `{name}`?"));
    }
    None
}

/// `` `a`, `b` or `c` ``.
fn one_of<'w>(words: impl Iterator<Item = &'w str>) -> String {
    let quoted: Vec<String> = words.map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

macro_rules! words {
    ($kind:ty { $($word:literal => $value:expr),* $(,)? }) => {
        impl Decode for $kind {
            fn decode(node: &Node<'_>, context: &mut Context<'_>) -> Option<Self> {
                $crate::inventory::decode::scalar::word(node, context, &[$(($word, $value)),*])
            }

            fn schema() -> Json {
                json!({ "enum": [$($word),*] })
            }
        }
    };
}
pub(super) use words;

words!(Mode { "observe" => Self::Observe, "manage" => Self::Manage });
words!(State { "active" => Self::Active, "suspended" => Self::Suspended });
words!(Unsaved { "refuse" => Self::Refuse, "report" => Self::Report, "save" => Self::Save });
words!(OnFailure { "rollback" => Self::Rollback, "leave" => Self::Leave });
words!(PoeMode { "disable" => Self::Disable, "enable" => Self::Enable, "force" => Self::Force });

/// `true` or `false`, and no word that only some readers take for one.
#[derive(Debug, Clone, Copy)]
pub(in crate::inventory) struct Flag(pub(in crate::inventory) bool);

impl Decode for Flag {
    fn decode(node: &Node<'_>, context: &mut Context<'_>) -> Option<Self> {
        let Value::Scalar { text, plain } = &node.value else {
            return context.wrong_type(node, "`true` or `false`");
        };
        match classify(text) {
            Plain::Bool(value) if *plain => Some(Self(value)),
            Plain::OldBool => {
                let (at, field) = (context.at(node.span), &context.field);
                let positive = matches!(text.to_ascii_lowercase().as_str(), "yes" | "on" | "y");
                context
                    .findings
                    .add(
                        &rules::YAML_BOOLEAN,
                        at,
                        format!("`{field}: {text}` is text to some YAML readers and a boolean to others"),
                    )
                    .help(format!("write `{field}: {positive}`"));
                None
            }
            _ => context.wrong_type(node, "`true` or `false`"),
        }
    }

    fn schema() -> Json {
        json!({ "type": "boolean" })
    }
}

/// An account's id in a billing system: text or a number.
#[derive(Debug, Clone)]
pub(in crate::inventory) struct ExternalId(pub(in crate::inventory) String);

impl Decode for ExternalId {
    fn decode(node: &Node<'_>, context: &mut Context<'_>) -> Option<Self> {
        match &node.value {
            Value::Scalar { text, plain: true } if classify(text) == Plain::Integer => Some(Self(text.to_string())),
            _ => text(node, context).map(|text| Self(text.to_owned())),
        }
    }

    fn schema() -> Json {
        json!({ "type": ["string", "integer"] })
    }
}
