//! From how things stand to what is told of it: each trouble once when it begins, and once when it is over.
//!
//! What cannot be known at the moment changes nothing: a device that does not answer may still be drifted, and after a restart
//! nothing is known before it was looked at. Trouble that may pass by itself is told only when it has lasted a while.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::model::{Event, Kind, Turn};

/// A trouble: its kind, and the device that it is about.
pub type Key = (Kind, Option<String>);

/// Whether a trouble is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// It is.
    Holds {
        /// Why.
        reason: String,
        /// The commit that it is about. Where another one is refused than was told, that is told as well; for a device this
        /// only goes with the message.
        commit: Option<String>,
        /// Since when.
        since: Timestamp,
    },
    /// It is not; how things stand instead.
    Not(String),
}

/// How things stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Picture {
    /// The troubles of which is known whether they are there. What is missing is not known.
    pub facts: BTreeMap<Key, Fact>,
    /// The devices of the inventory, each with its site. `None` as long as no inventory is in force.
    pub devices: Option<BTreeMap<String, Option<String>>>,
    /// The commit in force.
    pub commit: Option<String>,
}

/// How long a trouble that may pass by itself has to last before it is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Patience {
    /// For devices and repositories that cannot be reached.
    pub unreachable: SignedDuration,
}

impl Patience {
    const fn of(self, kind: Kind) -> SignedDuration {
        match kind {
            Kind::Unreachable | Kind::RepositoryUnreachable => self.unreachable,
            _ => SignedDuration::ZERO,
        }
    }
}

/// A trouble that is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// Since when.
    pub since: Timestamp,
    /// The commit that it is about.
    pub commit: Option<String>,
    /// Whether people know.
    pub told: bool,
}

/// The troubles that are there, and whether they were told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Memory(pub BTreeMap<Key, Trouble>);

impl Memory {
    /// Takes in how things stand at `now`, and gives what is to be told of it.
    pub fn take(&mut self, picture: &Picture, patience: Patience, now: Timestamp) -> Vec<Event> {
        let keys: BTreeSet<Key> = self.0.keys().chain(picture.facts.keys()).cloned().collect();
        let mut events = Vec::new();
        for key in keys {
            let gone = Fact::Not("no longer in the inventory".to_owned());
            let fact = match (picture.facts.get(&key), &key.1, &picture.devices) {
                (Some(fact), _, _) => fact,
                (None, Some(device), Some(devices)) if !devices.contains_key(device) => &gone,
                (None, _, _) => continue,
            };
            events.extend(self.learn(key, fact, picture, patience, now));
        }
        // What matters most comes first; ends come after beginnings.
        events.sort_by_key(|event| (event.state, event.kind));
        events
    }

    /// Takes in one fact.
    fn learn(&mut self, key: Key, fact: &Fact, picture: &Picture, patience: Patience, now: Timestamp) -> Option<Event> {
        let (kind, device) = key.clone();
        let site = |device: &Option<String>| picture.devices.as_ref()?.get(device.as_ref()?)?.clone();
        let event = |state, reason: &str, commit: &Option<String>, since| Event {
            kind,
            state,
            site: site(&device),
            device: device.clone(),
            reason: reason.to_owned(),
            commit: commit.clone(),
            since,
            at: now,
        };
        match fact {
            Fact::Not(instead) => {
                let before = self.0.remove(&key).filter(|trouble| trouble.told)?;
                Some(event(Turn::Over, instead, &picture.commit, before.since))
            }
            Fact::Holds { reason, commit, since } => {
                let trouble = self.0.entry(key).or_insert_with(|| Trouble {
                    since: *since,
                    commit: commit.clone(),
                    told: false,
                });
                // Devices have one trouble of a kind, whichever commit they are compared with.
                let is_another = device.is_none() && trouble.commit != *commit;
                if is_another {
                    trouble.since = *since;
                    trouble.told = false;
                }
                trouble.commit.clone_from(commit);
                let lasted = now.duration_since(trouble.since);
                if trouble.told || lasted < patience.of(kind) {
                    return None;
                }
                trouble.told = true;
                let since = trouble.since;
                Some(event(Turn::Raised, reason, commit, since))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn holds(since: i64, commit: &str) -> Fact {
        Fact::Holds {
            reason: "because".to_owned(),
            commit: Some(commit.to_owned()),
            since: at(since),
        }
    }

    fn picture(kind: Kind, device: Option<&str>, fact: Fact) -> Picture {
        Picture {
            facts: BTreeMap::from([((kind, device.map(str::to_owned)), fact)]),
            devices: Some(BTreeMap::from([("a".to_owned(), Some("north".to_owned()))])),
            commit: Some("c1".to_owned()),
        }
    }

    const FIVE_MINUTES: Patience = Patience {
        unreachable: SignedDuration::from_mins(5),
    };

    fn states(events: &[Event]) -> Vec<(Kind, Turn)> {
        events.iter().map(|event| (event.kind, event.state)).collect()
    }

    #[test]
    fn a_hundred_rounds_of_the_same_drift_are_one_alert_and_one_recovery() {
        let mut memory = Memory::default();
        let mut told = Vec::new();
        for round in 0..100 {
            let drifted = picture(Kind::Drifted, Some("a"), holds(0, &format!("c{round}")));
            told.extend(memory.take(&drifted, FIVE_MINUTES, at(round)));
        }
        let well = picture(Kind::Drifted, Some("a"), Fact::Not("in sync".to_owned()));
        for round in 100..200 {
            told.extend(memory.take(&well, FIVE_MINUTES, at(round)));
        }
        assert_eq!(
            states(&told),
            [(Kind::Drifted, Turn::Raised), (Kind::Drifted, Turn::Over)]
        );
        assert_eq!(told[0].site.as_deref(), Some("north"));
        assert_eq!((told[1].since, told[1].at), (at(0), at(100)));
        assert!(memory.0.is_empty());
    }

    #[test]
    fn a_blip_is_no_alert() {
        let mut memory = Memory::default();
        let away = |since| picture(Kind::Unreachable, Some("a"), holds(since, "c1"));
        let back = picture(Kind::Unreachable, Some("a"), Fact::Not("in sync".to_owned()));
        assert_eq!(memory.take(&away(0), FIVE_MINUTES, at(0)), []);
        assert_eq!(memory.take(&away(0), FIVE_MINUTES, at(299)), []);
        assert_eq!(memory.take(&back, FIVE_MINUTES, at(299)), []);
        assert_eq!(memory.take(&away(400), FIVE_MINUTES, at(699)), []);
        // A daemon that was started anew meanwhile says another beginning; the first one counts.
        assert_eq!(
            states(&memory.take(&away(690), FIVE_MINUTES, at(700))),
            [(Kind::Unreachable, Turn::Raised)]
        );
    }

    #[test]
    fn what_is_not_known_changes_nothing() {
        let mut memory = Memory::default();
        memory.take(&picture(Kind::Drifted, Some("a"), holds(0, "c1")), FIVE_MINUTES, at(0));
        let nothing = Picture {
            facts: BTreeMap::new(),
            ..picture(Kind::Drifted, Some("a"), holds(0, "c1"))
        };
        let before = memory.clone();
        assert_eq!(memory.take(&nothing, FIVE_MINUTES, at(9)), []);
        assert_eq!(memory.take(&Picture::default(), FIVE_MINUTES, at(9)), []);
        assert_eq!(memory, before);
    }

    #[test]
    fn a_device_that_left_the_inventory_has_no_trouble_any_more() {
        let mut memory = Memory::default();
        memory.take(&picture(Kind::Drifted, Some("a"), holds(0, "c1")), FIVE_MINUTES, at(0));
        let without = Picture {
            devices: Some(BTreeMap::new()),
            ..Picture::default()
        };
        let told = memory.take(&without, FIVE_MINUTES, at(1));
        assert_eq!(states(&told), [(Kind::Drifted, Turn::Over)]);
        assert_eq!(told[0].reason, "no longer in the inventory");
    }

    #[test]
    fn another_commit_that_is_refused_is_told_as_well() {
        let mut memory = Memory::default();
        let rejected = |commit| picture(Kind::CommitRejected, None, holds(0, commit));
        assert_eq!(memory.take(&rejected("c2"), FIVE_MINUTES, at(0)).len(), 1);
        assert_eq!(memory.take(&rejected("c2"), FIVE_MINUTES, at(1)).len(), 0);
        let told = memory.take(&rejected("c3"), FIVE_MINUTES, at(2));
        assert_eq!(told[0].commit.as_deref(), Some("c3"));
        let well = picture(Kind::CommitRejected, None, Fact::Not("c4 is in force".to_owned()));
        assert_eq!(
            states(&memory.take(&well, FIVE_MINUTES, at(3))),
            [(Kind::CommitRejected, Turn::Over)]
        );
    }
}
