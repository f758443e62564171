//! A plan that was kept in a file: whether it is whole, ours, and of this version.

use serde::Deserialize as _;
use serde_json::Value;

use super::json::{FORMAT_VERSION, PlanJson};

/// The text is no plan that can be applied. The operator's or the disk's fault, said by the variant.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// It stops in the middle.
    #[error("it is cut off after line {line}")]
    CutOff {
        /// The last line, from 1.
        line: usize,
    },
    /// It is something else.
    #[error("it is no plan of gamops")]
    NotAPlan(#[source] serde_json::Error),
    /// It says of itself that it is a plan of another version.
    #[error("it has format {found}, this gamops ({}) applies format {FORMAT_VERSION}", env!("CARGO_PKG_VERSION"))]
    OtherFormat {
        /// The version that it names.
        found: String,
    },
    /// No device was read for it.
    #[error("it was made from what had been observed (`gamops plan --observed`), and no device was read for it")]
    Preview,
    /// It was edited after it was written.
    #[error("it was edited after gamops wrote it: its `plan_sha256` does not fit the rest")]
    Edited,
}

impl Unusable {
    /// What to do about it.
    #[must_use]
    pub const fn help(&self) -> &'static str {
        match self {
            Self::NotAPlan(_) => "name a file that `gamops plan --out FILE` wrote",
            Self::Preview | Self::CutOff { .. } | Self::OtherFormat { .. } => {
                "make it again with `gamops plan --out FILE`"
            }
            Self::Edited => "change the inventory instead, then make the plan again with `gamops plan --out FILE`",
        }
    }
}

/// Reads a plan. What it says was true when it was made; whether it still is, [`super::moved()`] tells.
///
/// # Errors
///
/// [`Unusable`] where it does not say exactly what a gamops of this format wrote.
pub fn read(text: &str) -> Result<PlanJson, Unusable> {
    let unreadable = |error: serde_json::Error| match error.is_eof() {
        true => Unusable::CutOff { line: error.line() },
        false => Unusable::NotAPlan(error),
    };
    let value: Value = serde_json::from_str(text).map_err(unreadable)?;
    // Looked at first: a plan of another version may well have another shape.
    if let Some(found) = value["format_version"].as_str().filter(|found| !is_known(found)) {
        return Err(Unusable::OtherFormat {
            found: found.to_owned(),
        });
    }
    let mut plan = PlanJson::deserialize(&value).map_err(unreadable)?;
    // A key that this version does not know was put there by somebody who expects something of it.
    let all_read = serde_json::to_value(&plan).is_ok_and(|again| again == value);
    if all_read && plan.preview.is_some() {
        return Err(Unusable::Preview);
    }
    if all_read && plan.digest() == plan.plan_sha256 {
        Ok(plan)
    } else {
        Err(Unusable::Edited)
    }
}

/// Whether a version is this one or an earlier one that this one added to.
fn is_known(found: &str) -> bool {
    let numbers = |version: &str| {
        let (major, minor) = version.split_once('.')?;
        Some((major.parse::<u32>().ok()?, minor.parse::<u32>().ok()?))
    };
    match (numbers(found), numbers(FORMAT_VERSION)) {
        (Some(found), Some(ours)) => found.0 == ours.0 && found.1 <= ours.1,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::rollout::Waves;
    use crate::plan::json::plan_json;
    use crate::plan::model::{DevicePlan, Outcome, Plan, Unread};

    fn a_plan() -> Value {
        let unread = Unread {
            reason: "connection refused".to_owned(),
            help: None,
            lasting: false,
        };
        let plan = Plan {
            inventory: "isp".to_owned(),
            commit: Some("3f0c2d81aa4e".to_owned()),
            trips: Vec::new(),
            rulings: Vec::new(),
            notes: Vec::new(),
            targets: vec!["maple/subscriber/s-1".parse().unwrap()],
            windows_ignored: false,
            moves: Vec::new(),
            waves: Waves::default(),
            devices: vec![DevicePlan {
                device: "maple".to_owned(),
                address: "192.0.2.1:22".to_owned(),
                model: "GAM-4-CX",
                host_key: None,
                outcome: Outcome::Unread(unread),
            }],
        };
        serde_json::to_value(plan_json(&plan)).unwrap()
    }

    /// Every place in a document, as a JSON pointer.
    fn places(value: &Value, at: &str) -> Vec<String> {
        let below = |(key, value): (String, &Value)| places(value, &format!("{at}/{key}"));
        let mut all = vec![at.to_owned()];
        match value {
            Value::Array(items) => {
                let items = items.iter().enumerate().map(|(index, item)| (index.to_string(), item));
                all.extend(items.flat_map(below));
            }
            Value::Object(map) => all.extend(map.iter().map(|(key, value)| (key.clone(), value)).flat_map(below)),
            _ => {}
        }
        all
    }

    #[test]
    fn a_plan_is_read_as_it_was_written() {
        let plan = a_plan();
        for text in [plan.to_string(), serde_json::to_string_pretty(&plan).unwrap()] {
            assert_eq!(serde_json::to_value(read(&text).unwrap()).unwrap(), plan);
        }
    }

    #[test]
    fn whatever_is_edited_in_a_plan_it_is_refused() {
        let plan = a_plan();
        let places = places(&plan, "");
        assert!(places.len() > 30, "{places:?}");
        for place in places {
            let mut edited = plan.clone();
            let value = edited.pointer_mut(&place).unwrap();
            *value = match &*value {
                Value::Bool(flag) => Value::Bool(!*flag),
                Value::Number(_) => Value::from(77),
                Value::Array(items) if items.is_empty() => Value::from(vec!["more"]),
                Value::Array(_) => Value::Array(Vec::new()),
                Value::Object(map) => {
                    let mut more = map.clone();
                    more.insert("more".to_owned(), Value::Null);
                    Value::Object(more)
                }
                Value::String(_) | Value::Null => Value::from("something else"),
            };
            let refused = read(&edited.to_string()).unwrap_err();
            match place.as_str() {
                "/format_version" => assert!(matches!(refused, Unusable::OtherFormat { .. })),
                _ => assert!(
                    matches!(refused, Unusable::Edited | Unusable::NotAPlan(_)),
                    "{place}: {refused:?}"
                ),
            }
        }
    }

    #[test]
    fn a_plan_that_is_cut_off_anywhere_is_refused() {
        let text = serde_json::to_string_pretty(&a_plan()).unwrap();
        for end in 0..text.len() {
            let refused = read(&text[..end]).unwrap_err();
            assert!(matches!(refused, Unusable::CutOff { .. }), "{end}: {refused:?}");
        }
    }

    #[test]
    fn what_is_no_plan_or_of_another_time_says_so() {
        for text in ["devices: {}", "[]", "{}", "{\"format_version\": 1}", "null"] {
            assert!(matches!(read(text).unwrap_err(), Unusable::NotAPlan(_)), "{text}");
        }
        let newer = read("{\"format_version\": \"2.0\", \"anything\": []}").unwrap_err();
        assert_eq!(
            newer.to_string(),
            format!(
                "it has format 2.0, this gamops ({}) applies format 1.1",
                env!("CARGO_PKG_VERSION")
            )
        );
    }
}
