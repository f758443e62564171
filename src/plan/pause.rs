//! What holds a device back for a while: `paused` in the inventory, and what an operator ordered without a commit.

use std::fmt;

use jiff::Timestamp;

use crate::inventory::model::{Mode, Pause};

use super::model::Held;

/// A pause that holds a device back now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paused {
    /// Why.
    pub reason: String,
    /// When it ends by itself; `None`: when somebody ends it.
    pub until: Option<Timestamp>,
    /// Who ordered it; `None` where the inventory says so.
    pub ordered: Option<Ordered>,
}

/// An operator's order to leave devices as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ordered {
    /// Who, as people read it: `alice@noc1`.
    pub by: String,
    /// Since when.
    pub since: Timestamp,
    /// Whether it holds for every device, and those to come.
    pub of_all: bool,
    /// Whether only the daemon leaves the devices alone: whoever ordered it does by hand what is to be done.
    pub of_daemon: bool,
}

impl From<&Pause> for Paused {
    fn from(pause: &Pause) -> Self {
        Self {
            reason: pause.reason.clone(),
            until: pause.until,
            ordered: None,
        }
    }
}

impl fmt::Display for Paused {
    /// `splicing, until 2026-12-01T06:00:00Z (alice@noc1 at 2026-11-30T22:10:03Z)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)?;
        if let Some(until) = self.until {
            write!(f, ", until {until:.0}")?;
        }
        if let Some(Ordered { by, since, of_all, .. }) = &self.ordered {
            let all = if *of_all { "all devices, " } else { "" };
            write!(f, " ({all}{by} at {since:.0})")?;
        }
        Ok(())
    }
}

/// Several pauses as one line.
#[must_use]
pub fn in_words(pauses: &[Paused]) -> String {
    let words: Vec<String> = pauses.iter().map(Paused::to_string).collect();
    words.join("; ")
}

/// What holds a device back at `now`, if anything does: the inventory's `mode` and pause, and the pauses that operators
/// ordered and that have not ended.
#[must_use]
pub fn held(mode: Mode, inventory: Option<&Pause>, ordered: &[Paused], now: Timestamp) -> Option<Held> {
    let inventory = inventory.filter(|pause| !pause.is_over(now)).map(Paused::from);
    let pauses: Vec<Paused> = inventory.into_iter().chain(ordered.iter().cloned()).collect();
    match mode {
        _ if !pauses.is_empty() => Some(Held::Paused(pauses)),
        Mode::Observe => Some(Held::Observe),
        Mode::Manage => None,
    }
}
