//! What the daemon tells of itself, to programs and to `gamops status`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::BillingKind;

use super::billing::Billed;
use super::standing::Standing;

/// All that is told.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Status {
    /// The version of gamops that runs.
    pub version: String,
    /// Since when it runs.
    pub started: Timestamp,
    /// When the daemon last came round to looking whether there is anything to do.
    pub alive: Timestamp,
    /// The repository and its branch.
    pub repository: String,
    /// The inventory that is in force.
    pub in_force: Option<Force>,
    /// The newest state of the repository, where it is not in force.
    pub rejected: Option<Refused>,
    /// Why the repository cannot be looked at, since when.
    pub unreachable: Option<Refused>,
    /// When the repository was last looked at with success.
    pub looked: Option<Timestamp>,
    /// What the daemon does at the moment: nothing, or a run and why.
    pub doing: Option<String>,
    /// Why the last plan was refused as a whole.
    pub guarded: Vec<String>,
    /// Rounds so far, by how they ended.
    pub rounds: BTreeMap<String, u64>,
    /// Channels that do not take what people are to be told, by name: why, and since when.
    #[serde(default)]
    pub untold: BTreeMap<String, Refused>,
    /// Where what was observed is published, if it is.
    #[serde(default)]
    pub publishing: Option<Publishing>,
    /// Ignore rules for drift that have ended and are still in the inventory in force.
    #[serde(default)]
    pub lapsed: Vec<String>,
    /// Billing systems that change the inventory, and how it stands with each.
    #[serde(default)]
    pub billing: BTreeMap<BillingKind, Billed>,
    /// Devices by key.
    pub devices: BTreeMap<String, Standing>,
}

/// What was observed, and where others find it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Publishing {
    /// The repository.
    pub to: String,
    /// When it was put there last, by this process.
    pub published: Option<Timestamp>,
    /// Why it cannot be put there, since when.
    pub failing: Option<Refused>,
}

/// An inventory in force.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Force {
    /// Its id.
    pub inventory: String,
    /// The commit; none for a folder.
    pub commit: Option<String>,
    /// Who signed the commit, where only signed ones count: name and fingerprint of the key.
    #[serde(default)]
    pub signed_by: Option<String>,
    /// Its files that are not valid and count as they last were: paths below the folder of `gamops.yaml`.
    #[serde(default)]
    pub stale: Vec<String>,
    /// Since when.
    pub since: Timestamp,
}

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// The commit that it is about, if it is about one.
    pub commit: Option<String>,
    /// Why.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
}
