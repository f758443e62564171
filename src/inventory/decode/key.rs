//! What the operator's own keys may look like.

use serde_json::{Value as Json, json};

use crate::domain::PortNumber;

use super::KeyKind;
use super::plain::{Plain, classify};
use super::text::{Problem, quoted};

pub(super) const KEY_HELP: &str =
    "keys are made of letters, digits, `_`, `-` and `.`, begin with a letter or digit, and have 63 characters at most";
const KEY_PATTERN: &str = "^[A-Za-z0-9][A-Za-z0-9_.-]*$";

pub(super) fn key_schema() -> Json {
    json!({ "type": "string", "minLength": 1, "maxLength": 63, "pattern": KEY_PATTERN })
}

pub(super) fn key_problem(text: &str) -> Option<String> {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    if text.is_empty() {
        Some("is empty".to_owned())
    } else if text.len() > 63 {
        Some(format!("has {} characters; 63 are allowed", text.chars().count()))
    } else if let Some(bad) = text.chars().find(|char| !u8::try_from(*char).is_ok_and(good)) {
        Some(format!("holds {}, which a key cannot", quoted(bad)))
    } else if !text.starts_with(|first: char| first.is_ascii_alphanumeric()) {
        Some("does not begin with a letter or digit".to_owned())
    } else {
        None
    }
}

/// Keys of sites, devices, plans, subscribers and spare endpoints.
#[derive(Debug)]
pub(in crate::inventory) struct EntryKey;

impl KeyKind for EntryKey {
    fn problem(key: &str) -> Problem {
        key_problem(key).map(|wrong| (format!("the key `{}` {wrong}", key.escape_debug()), KEY_HELP.to_owned()))
    }

    fn schema() -> Json {
        json!({ "maxLength": 63, "minLength": 1, "pattern": KEY_PATTERN })
    }
}

/// Port numbers as keys. Whether the model has the port is a rule.
#[derive(Debug)]
pub(in crate::inventory) struct PortKey;

impl KeyKind for PortKey {
    const NUMERIC: bool = true;

    fn problem(key: &str) -> Problem {
        if port_number(key).is_some() {
            return None;
        }
        let help = format!(
            "G.hn ports are numbered from 1; the largest model has {}",
            PortNumber::MAX
        );
        Some((format!("`{}` is not a port number", key.escape_debug()), help))
    }

    fn schema() -> Json {
        json!({ "pattern": "^([1-9]|1[0-9]|2[0-4])$" })
    }
}

/// A port number as a key says it: no sign, no leading zero.
pub(in crate::inventory) fn port_number(key: &str) -> Option<PortNumber> {
    (classify(key) == Plain::Integer)
        .then(|| key.parse::<u64>().ok())
        .flatten()
        .and_then(|raw| PortNumber::try_from(raw).ok())
}

/// Keys that mean something to the operator only.
#[derive(Debug)]
pub(in crate::inventory) struct LabelKey;

impl KeyKind for LabelKey {
    fn problem(key: &str) -> Problem {
        (key.is_empty() || key.len() > 127).then(|| {
            let help = "give it a name of 1 to 127 characters".to_owned();
            ("the key of a label is empty or too long".to_owned(), help)
        })
    }

    fn schema() -> Json {
        json!({ "minLength": 1, "maxLength": 127 })
    }
}
