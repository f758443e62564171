//! What is known of a device's firmware, and what people ordered about the device.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::observed::{self, Answer, AssumedWord, Evidence, Kind, ProfileRef};
use crate::plan::impact::duration::Work;
use crate::plan::pause::{Ordered, Paused};

/// What a firmware is known to understand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Knowledge {
    poe_disable: Support,
    rename_in_place: Support,
    new_mac_in_place: Support,
    clear_description: Support,
    /// Words that no document shows, by what they do.
    #[schemars(with = "BTreeMap<String, Support>")]
    words: BTreeMap<AssumedWord, Support>,
    /// What a subscriber without a profile has: `"unthrottled"` or `{"profile": 3}`.
    #[schemars(with = "serde_json::Value")]
    default_subscriber_profile: Option<ProfileRef>,
}

/// Whether a device does something, and how that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Support {
    /// `yes`, `no`, `ignored` or `unknown`.
    #[schemars(with = "String")]
    answer: Answer,
    /// `seen`, `documented` or `assumed`.
    #[schemars(with = "String")]
    evidence: Evidence,
}

impl From<observed::Support> for Support {
    fn from(support: observed::Support) -> Self {
        Self {
            answer: support.answer,
            evidence: support.evidence,
        }
    }
}

impl From<Support> for observed::Support {
    fn from(support: Support) -> Self {
        Self::new(support.answer, support.evidence)
    }
}

impl From<&observed::Capabilities> for Knowledge {
    fn from(known: &observed::Capabilities) -> Self {
        Self {
            poe_disable: known.poe_disable.into(),
            rename_in_place: known.rename_in_place.into(),
            new_mac_in_place: known.new_mac_in_place.into(),
            clear_description: known.clear_description.into(),
            words: known
                .words
                .iter()
                .map(|(word, support)| (*word, (*support).into()))
                .collect(),
            default_subscriber_profile: known.default_subscriber_profile,
        }
    }
}

impl From<&Knowledge> for observed::Capabilities {
    fn from(known: &Knowledge) -> Self {
        Self {
            poe_disable: known.poe_disable.into(),
            rename_in_place: known.rename_in_place.into(),
            new_mac_in_place: known.new_mac_in_place.into(),
            clear_description: known.clear_description.into(),
            words: known
                .words
                .iter()
                .map(|(word, support)| (*word, (*support).into()))
                .collect(),
            default_subscriber_profile: known.default_subscriber_profile,
        }
    }
}

/// What commands of one kind took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Took {
    /// `system`, `port`, `profile`, `endpoint` or `subscriber`.
    #[schemars(with = "String")]
    kind: Kind,
    /// Whether they deleted it.
    deletes: bool,
    /// The median of the last ones.
    milliseconds: u64,
}

impl From<(Work, Duration)> for Took {
    fn from((work, took): (Work, Duration)) -> Self {
        Self {
            kind: work.kind,
            deletes: work.deletes,
            milliseconds: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

impl Took {
    /// As it was measured.
    pub(super) fn measured(&self) -> (Work, Duration) {
        let work = Work {
            kind: self.kind,
            deletes: self.deletes,
        };
        (work, Duration::from_millis(self.milliseconds))
    }
}

/// A pause that an operator ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Pause {
    /// Why.
    reason: String,
    /// When it ends by itself.
    #[schemars(with = "Option<String>")]
    until: Option<Timestamp>,
    /// Who ordered it.
    by: Option<By>,
}

/// Who ordered a pause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct By {
    /// Who: `alice@noc1`.
    name: String,
    #[schemars(with = "String")]
    since: Timestamp,
    /// Whether it holds for every device.
    of_all: bool,
}

impl From<&Paused> for Pause {
    fn from(paused: &Paused) -> Self {
        Self {
            reason: paused.reason.clone(),
            until: paused.until,
            by: paused.ordered.as_ref().map(|ordered| By {
                name: ordered.by.clone(),
                since: ordered.since,
                of_all: ordered.of_all,
            }),
        }
    }
}

impl From<&Pause> for Paused {
    fn from(pause: &Pause) -> Self {
        Self {
            reason: pause.reason.clone(),
            until: pause.until,
            ordered: pause.by.as_ref().map(|by| Ordered {
                by: by.name.clone(),
                since: by.since,
                of_all: by.of_all,
                // For whoever plans from this file it is a pause like any other.
                of_daemon: false,
            }),
        }
    }
}
