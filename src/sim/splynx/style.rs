//! How rows are written: some versions have numbers where others have texts. Pure.

use serde_json::{Value, json};

use super::query::{Row, text};

/// What the real ones do differently from version to version, or what is not documented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Switches {
    /// How numbers are written.
    pub style: Style,
    /// Whether a map with nothing in it is written as a list.
    pub empty_is_list: bool,
    /// Whether rows are counted on `HEAD`.
    pub counts: bool,
    /// Whether `LIKE` finds what stands anywhere in a text without being told.
    pub like_adds: bool,
    /// Whether services of a customer that is not there are none, rather than not found.
    pub nobody_has_none: bool,
    /// Whether a change is answered with a text instead of nothing.
    pub change_answers: bool,
    /// The most rows of an answer, whatever the limit asked for.
    pub at_most: Option<usize>,
}

/// How numbers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// As numbers.
    Typed,
    /// As texts.
    Stringly,
    /// Ids as numbers, all else as texts.
    Mixed,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            style: Style::Typed,
            empty_is_list: true,
            counts: true,
            like_adds: false,
            nobody_has_none: false,
            change_answers: false,
            at_most: None,
        }
    }
}

/// A row as it is sent.
pub(super) fn written(row: &Row, switches: Switches) -> Value {
    let field = |(name, value): (&String, &Value)| {
        let is_id = name == "id" || name.ends_with("_id");
        let as_text = match switches.style {
            Style::Typed => false,
            Style::Stringly => true,
            Style::Mixed => !is_id,
        };
        (name.clone(), shaped(value, as_text, switches))
    };
    Value::Object(row.iter().map(field).collect())
}

fn shaped(value: &Value, as_text: bool, switches: Switches) -> Value {
    match value {
        Value::Number(_) | Value::Bool(_) if as_text => json!(text(value)),
        Value::Object(map) if map.is_empty() && switches.empty_is_list => json!([]),
        Value::Object(map) => {
            let below = |(name, value): (&String, &Value)| (name.clone(), shaped(value, as_text, switches));
            Value::Object(map.iter().map(below).collect())
        }
        Value::Array(list) => list.iter().map(|value| shaped(value, as_text, switches)).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_in_three_ways() {
        let row = json!({ "id": 7, "speed_download": 500_000, "tariff_id": 1, "fields": {}, "on": true, "list": [1], "none": null });
        let row = row.as_object().unwrap();
        let said = |style| {
            let switches = Switches {
                style,
                ..Switches::default()
            };
            written(row, switches).to_string()
        };
        assert_eq!(
            said(Style::Typed),
            r#"{"fields":[],"id":7,"list":[1],"none":null,"on":true,"speed_download":500000,"tariff_id":1}"#
        );
        assert_eq!(
            said(Style::Stringly),
            r#"{"fields":[],"id":"7","list":["1"],"none":null,"on":"1","speed_download":"500000","tariff_id":"1"}"#
        );
        assert_eq!(
            said(Style::Mixed),
            r#"{"fields":[],"id":7,"list":["1"],"none":null,"on":"1","speed_download":"500000","tariff_id":1}"#
        );
    }
}
