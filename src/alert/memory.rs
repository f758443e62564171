//! From how things stand to what is told of it: each trouble once when it begins, and once when it is over.
//!
//! What cannot be known at the moment changes nothing: a device that does not answer may still be drifted, and after a restart
//! nothing is known before it was looked at. Trouble that may pass by itself is told only when it has lasted a while.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::model::{About, Event, Kind, Turn};
use crate::domain::BillingKind;

/// A trouble: its kind, and what it is about.
pub type Key = (Kind, About);

/// How many things a message names of a trouble that consists of several, and says how many more there are.
const NAMED: usize = 19;

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
    /// It is, and consists of several things, of which each is told once.
    Several {
        /// What is said of each, by a name under which it is known again. Never empty.
        things: BTreeMap<String, String>,
        /// Since when those are there that were not there before.
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
    /// The billing systems of the settings.
    pub systems: BTreeSet<BillingKind>,
    /// The commit in force.
    pub commit: Option<String>,
}

/// How long a trouble that may pass by itself has to last before it is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Patience {
    /// For devices, repositories and billing systems that cannot be reached, and for what cannot be written.
    pub unreachable: SignedDuration,
}

impl Patience {
    const fn of(self, kind: Kind) -> SignedDuration {
        match kind {
            Kind::Unreachable | Kind::RepositoryUnreachable | Kind::BillingUnreachable | Kind::BillingUnwritten => {
                self.unreachable
            }
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
    /// Of what consists of several things: those of which people know.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub things: BTreeSet<String>,
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
            let gone = match (&key.1, &picture.devices) {
                (About::Device(device), Some(devices)) if !devices.contains_key(device) => Some("inventory"),
                (About::Billing(system), _) if !picture.systems.contains(system) => Some("settings"),
                _ => None,
            };
            let gone = gone.map(|whence| Fact::Not(format!("no longer in the {whence}")));
            let Some(fact) = picture.facts.get(&key).or(gone.as_ref()) else {
                continue;
            };
            events.extend(self.learn(key, fact, picture, patience, now));
        }
        // What matters most comes first; ends come after beginnings.
        events.sort_by_key(|event| (event.state, event.kind));
        events
    }

    /// Takes in one fact.
    fn learn(&mut self, key: Key, fact: &Fact, picture: &Picture, patience: Patience, now: Timestamp) -> Option<Event> {
        let (kind, about) = key.clone();
        let (device, billing) = match &about {
            About::All => (None, None),
            About::Device(device) => (Some(device.clone()), None),
            About::Billing(system) => (None, Some(*system)),
        };
        let site = |device: &Option<String>| picture.devices.as_ref()?.get(device.as_ref()?)?.clone();
        let event = |state, reason: &str, commit: &Option<String>, since| Event {
            kind,
            state,
            site: site(&device),
            device: device.clone(),
            billing,
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
                    things: BTreeSet::new(),
                });
                // Devices have one trouble of a kind, whichever commit they are compared with.
                let is_another = about == About::All && trouble.commit != *commit;
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
            Fact::Several { things, since } => {
                let trouble = self.0.entry(key).or_insert_with(|| Trouble {
                    since: *since,
                    commit: None,
                    told: true,
                    things: BTreeSet::new(),
                });
                let news = things.iter().filter(|(name, _)| !trouble.things.contains(*name));
                let mut lines: Vec<&str> = news.map(|(_, line)| line.as_str()).collect();
                trouble.things = things.keys().cloned().collect();
                if lines.is_empty() {
                    return None;
                }
                let more = lines.len().saturating_sub(NAMED);
                let more = format!("and {more} more");
                if lines.len() > NAMED {
                    lines.truncate(NAMED);
                    lines.push(&more);
                }
                Some(event(Turn::Raised, &lines.join("\n"), &picture.commit, *since))
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

    fn about(device: Option<&str>) -> About {
        device.map_or(About::All, |device| About::Device(device.to_owned()))
    }

    fn picture(kind: Kind, device: Option<&str>, fact: Fact) -> Picture {
        Picture {
            facts: BTreeMap::from([((kind, about(device)), fact)]),
            systems: BTreeSet::new(),
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
