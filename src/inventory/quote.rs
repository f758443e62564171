//! Text as YAML: without quotes where every reader sees the same text, in quotes elsewhere.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::decode::{Plain, classify};

/// A value as it stands behind `key:`, or in a flow list or map where `in_flow`.
#[must_use]
pub fn quoted(text: &str, in_flow: bool) -> Cow<'_, str> {
    if classify(text) == Plain::Text && is_plain(text, in_flow) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(in_quotes(text))
    }
}

/// A key as it stands before its colon. Plain decimal digits need no quotes there: every reader gives them back as
/// they were written.
#[must_use]
pub fn quoted_key(text: &str) -> Cow<'_, str> {
    match classify(text) {
        Plain::Integer => Cow::Borrowed(text),
        _ => quoted(text, true),
    }
}

/// Whether YAML's own signs leave the text alone. Narrower than YAML is: what looks doubtful to people stands in quotes.
fn is_plain(text: &str, in_flow: bool) -> bool {
    let inside = |char: char| matches!(char, ' '..='~') && !(in_flow && matches!(char, ',' | '[' | ']' | '{' | '}'));
    text.starts_with(|first: char| first.is_ascii_alphanumeric() || matches!(first, '_' | '/' | '('))
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !text.contains(" #")
        && text.chars().all(inside)
}

/// In double quotes, whatever it is.
pub(super) fn in_quotes(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for char in text.chars() {
        match char {
            '"' | '\\' => quoted.extend(['\\', char]),
            // A line end would be folded into a blank, and other control characters are no YAML at all.
            _ if char.is_control() => drop(write!(quoted, "\\u{:04x}", u32::from(char))),
            _ => quoted.push(char),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::document::{self, Value};
    use crate::inventory::findings::Findings;
    use proptest::prelude::*;

    #[test]
    fn quotes_stand_only_where_a_reader_might_see_something_else() {
        for (text, written) in [
            ("Riser A", "Riser A"),
            ("Dr. Lindqvist (ground floor)", "Dr. Lindqvist (ground floor)"),
            ("SLA 4h, call first", "SLA 4h, call first"),
            ("101", "\"101\""),
            ("no", "\"no\""),
            ("1_000", "\"1_000\""),
            ("12:30:00", "\"12:30:00\""),
            ("", "\"\""),
            ("a: b", "\"a: b\""),
            ("a #b", "\"a #b\""),
            ("#7", "\"#7\""),
            ("@home", "\"@home\""),
            ("- x", "\"- x\""),
            ("it's", "it's"),
            ("say \"hi\"", "say \"hi\""),
            ("\ta", "\"\\u0009a\""),
        ] {
            assert_eq!(quoted(text, false), written);
        }
        assert_eq!(quoted("a, b", true), "\"a, b\"");
        assert_eq!(quoted_key("101"), "101");
        assert_eq!(quoted_key("0101"), "\"0101\"");
    }

    /// The first value of a map.
    fn first(yaml: &str) -> Option<String> {
        let root = document::parse(0, yaml, &mut Findings::default()).root?;
        let Value::Mapping(entries) = root.value else {
            return None;
        };
        match &entries.first()?.value.value {
            Value::Scalar { text, .. } => Some(text.to_string()),
            Value::Sequence(items) => match &items.first()?.value {
                Value::Scalar { text, .. } => Some(text.to_string()),
                _ => None,
            },
            _ => None,
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(text in "([ -~]|\\PC|[\t\n\r]){0,20}") {
            prop_assert_eq!(first(&format!("key: {}\n", quoted(&text, false))), Some(text.clone()));
            prop_assert_eq!(first(&format!("key: [{}]\n", quoted(&text, true))), Some(text));
        }
    }
}
