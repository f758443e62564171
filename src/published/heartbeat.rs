//! When each device was last read.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{FORMAT, InvalidDocument};

/// The file `heartbeat.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Heartbeat {
    /// Version of this format.
    pub format: u32,
    /// When each device was last read, by its key.
    #[schemars(with = "BTreeMap<String, String>")]
    pub observed: BTreeMap<String, Timestamp>,
}

impl Heartbeat {
    /// Its name below [`super::HEARTBEAT`].
    pub const FILE: &str = "heartbeat.json";

    /// Reads the file.
    ///
    /// # Errors
    ///
    /// [`InvalidDocument`].
    pub fn parse(text: &str) -> Result<Self, InvalidDocument> {
        let beat: Self = serde_json::from_str(text)?;
        match beat.format {
            FORMAT => Ok(beat),
            other => Err(InvalidDocument::Format(other)),
        }
    }

    /// Of these moments, to the second.
    #[must_use]
    pub fn of(observed: impl IntoIterator<Item = (String, Timestamp)>) -> Self {
        let whole = |moment: Timestamp| Timestamp::from_second(moment.as_second()).unwrap_or(moment);
        Self {
            format: FORMAT,
            observed: observed.into_iter().map(|(key, moment)| (key, whole(moment))).collect(),
        }
    }
}
