//! What is told of billing, to programs and to `gamops status`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::billing::Why;
use crate::clerk::{Commit, Outcome, Proposed};

use super::super::status::Refused;

/// How it stands with one billing system.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Billed {
    /// When everything was last looked at with success.
    pub swept: Option<Timestamp>,
    /// Why nothing can be looked at or written, since when.
    pub failing: Option<Refused>,
    /// Why what the system said last is not believed, since when.
    pub distrusted: Option<Refused>,
    /// Why nothing is done that depends on the time.
    pub clock: Option<String>,
    /// How many accounts it told of the last time that all were asked for.
    pub accounts: usize,
    /// How many services.
    pub services: usize,
    /// What was left open the last time that all was looked at, by its reason.
    pub open: BTreeMap<Why, usize>,
    /// What it has been asked to decide and people have not yet.
    pub proposals: Vec<Proposed>,
    /// How many commits were made since the daemon began.
    pub commits: u64,
    /// The last of them.
    pub last: Option<Commit>,
}

impl Billed {
    /// Takes in what came of an order.
    pub(super) fn note(&mut self, outcome: &Outcome, is_whole: bool, now: Timestamp) {
        self.failing = None;
        if let Some(last) = outcome.commits.last() {
            self.commits += u64::try_from(outcome.commits.len()).unwrap_or(u64::MAX);
            self.last = Some(last.clone());
        }
        let Some(report) = &outcome.report else { return };
        self.clock.clone_from(&report.clock);
        if !is_whole {
            return;
        }
        self.distrusted = match (&report.distrust, self.distrusted.take()) {
            (None, _) => None,
            (Some(reason), before) => Some(Refused {
                commit: None,
                reason: reason.clone(),
                since: before.map_or(now, |before| before.since),
            }),
        };
        self.swept = Some(now);
        (self.accounts, self.services) = (report.accounts, report.services);
        self.proposals.clone_from(&outcome.proposals);
        self.open.clear();
        for open in &outcome.open {
            *self.open.entry(open.why).or_default() += 1;
        }
    }
}
