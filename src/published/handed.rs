//! What was observed, all of it in one document: for those whom the daemon hands it over HTTP.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{FORMAT, Heartbeat, InvalidDocument};

/// What stands below [`super::OBSERVED`] and [`super::HEARTBEAT`], as `GET /observed` of the daemon has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Handed {
    /// Version of the format, the same as of the files.
    pub format: u32,
    /// The texts of the files by their names, such as `devices/maple-a.json`.
    pub files: BTreeMap<String, String>,
    /// When each device was last read.
    pub heartbeat: Heartbeat,
}

impl Handed {
    /// Its page of the daemon.
    pub const PAGE: &str = "observed";

    /// Puts it together.
    #[must_use]
    pub const fn of(files: BTreeMap<String, String>, heartbeat: Heartbeat) -> Self {
        Self {
            format: FORMAT,
            files,
            heartbeat,
        }
    }

    /// Reads it.
    ///
    /// # Errors
    ///
    /// [`InvalidDocument`].
    pub fn parse(text: &str) -> Result<Self, InvalidDocument> {
        let handed: Self = serde_json::from_str(text)?;
        match handed.format {
            FORMAT => Ok(handed),
            other => Err(InvalidDocument::Format(other)),
        }
    }
}
