//! Values as YAML text: quotes only where some reader would take a text for something else.

use std::borrow::Cow;

use super::super::quote::{in_quotes, quoted, quoted_key};
use super::Value;

/// Columns up to which a map of single values stays on one line.
const WIDTH: usize = 110;

/// The quotes around a scalar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quotes {
    /// None, where the text can do without.
    Plain,
    /// `'`, where the text has nothing that needs an escape.
    Single,
    /// `"`.
    Double,
}

/// How the lines of a text are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hand {
    /// `\n` or `\r\n`.
    pub(super) line_end: &'static str,
    /// Blanks by which a map is further in than its key.
    pub(super) step: usize,
}

impl Hand {
    /// `key: value` on lines of their own, `indent` blanks in, each with its line end. So many levels of maps as `open` says are
    /// written with one line for each key, even if they would fit on one.
    pub(super) fn entry(self, key: &str, value: &Value, indent: usize, open: usize) -> String {
        let name = format!("{}{}:", " ".repeat(indent), quoted_key(key));
        let end = self.line_end;
        match value {
            Value::Map(entries) if !entries.is_empty() => {
                let inline = format!("{name} {}", inline(value, Quotes::Plain, false));
                if open == 0 && is_flat(value) && inline.chars().count() <= WIDTH {
                    return format!("{inline}{end}");
                }
                format!(
                    "{name}{end}{}",
                    self.entries(entries, indent + self.step, open.saturating_sub(1))
                )
            }
            _ => format!("{name} {}{end}", inline(value, Quotes::Plain, false)),
        }
    }

    /// The entries of a map on lines of their own.
    pub(super) fn entries(self, entries: &[(String, Value)], indent: usize, open: usize) -> String {
        let entry = |(key, value): &(String, Value)| self.entry(key, value, indent, open);
        entries.iter().map(entry).collect()
    }

    /// The items of a list on lines of their own.
    pub(super) fn items(self, items: &[Value], indent: usize) -> String {
        let item = |value: &Value| {
            let value = inline(value, Quotes::Plain, false);
            format!("{}- {value}{}", " ".repeat(indent), self.line_end)
        };
        items.iter().map(item).collect()
    }
}

/// Whether a value is a map of single values.
pub(super) fn is_flat(value: &Value) -> bool {
    let single = |value: &Value| !matches!(value, Value::Map(_) | Value::List(_));
    matches!(value, Value::Map(entries) if entries.iter().all(|(_, value)| single(value)))
}

/// A value within a line. `within`: between brackets, where commas and brackets mean something.
pub(super) fn inline(value: &Value, quotes: Quotes, within: bool) -> String {
    match value {
        Value::Text(value) => text(value, quotes, within).into_owned(),
        Value::Number(number) => number.to_string(),
        Value::Flag(flag) => flag.to_string(),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(|item| inline(item, Quotes::Plain, true)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Map(entries) => {
            let entries: Vec<String> = (entries.iter()).map(|(key, value)| pair(key, value)).collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

/// `key: value` between brackets.
pub(super) fn pair(key: &str, value: &Value) -> String {
    format!("{}: {}", quoted_key(key), inline(value, Quotes::Plain, true))
}

fn text(text: &str, quotes: Quotes, within: bool) -> Cow<'_, str> {
    match quotes {
        // Between brackets a colon without quotes looks like a key's.
        Quotes::Plain if !(within && text.contains(':')) => quoted(text, within),
        Quotes::Single if !text.contains(char::is_control) => Cow::Owned(format!("'{}'", text.replace('\'', "''"))),
        Quotes::Plain | Quotes::Single | Quotes::Double => Cow::Owned(in_quotes(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(value: &str, within: bool) -> String {
        inline(&Value::from(value), Quotes::Plain, within)
    }

    #[test]
    fn quotes_stand_where_a_reader_would_see_something_else() {
        for (text, block, flow) in [
            ("home-200", "home-200", "home-200"),
            ("00:0e:d8:2a:10:13", "00:0e:d8:2a:10:13", "\"00:0e:d8:2a:10:13\""),
            ("Apt 3C, ring twice", "Apt 3C, ring twice", "\"Apt 3C, ring twice\""),
            ("200 Mbps", "200 Mbps", "200 Mbps"),
            ("100", "\"100\"", "\"100\""),
            ("", "\"\"", "\"\""),
        ] {
            assert_eq!(
                (written(text, false).as_str(), written(text, true).as_str()),
                (block, flow)
            );
        }
    }

    #[test]
    fn a_map_of_single_values_stays_on_one_line_unless_it_is_an_entry_of_its_own() {
        let hand = Hand {
            line_end: "\n",
            step: 2,
        };
        let value = Value::map([
            ("device", Value::from("maple-a")),
            ("external", Value::map([("splynx", Value::from("17"))])),
            (
                "allowed_vlans",
                Value::List(vec![Value::Number(30), Value::from("40-41")]),
            ),
        ]);
        assert_eq!(
            hand.entry("s-1", &value, 2, 1),
            "  s-1:\n    device: maple-a\n    external: {splynx: \"17\"}\n    allowed_vlans: [30, 40-41]\n"
        );
        let written = hand.entries(&[("s-1".to_owned(), value.clone())], 0, 1);
        assert_eq!(Value::read(&written), Some(Value::map([("s-1", value)])));
        let port = Value::map([("name", Value::from("Riser A"))]);
        assert_eq!(hand.entry("1", &port, 6, 0), "      1: {name: Riser A}\n");
    }
}
