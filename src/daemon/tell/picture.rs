//! How things stand, as far as people are told of it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::alert::{About, Fact, Kind, Picture};

use super::super::standing::{Standing, State};
use super::super::status::Status;
use super::billing::of_billing;

/// What of the status people are told. `sites`: of each device of the inventory in force.
pub(super) fn picture(status: &Status, sites: BTreeMap<String, Option<String>>, now: Timestamp) -> Picture {
    let commit = status.in_force.as_ref().and_then(|force| force.commit.clone());
    let mut facts = BTreeMap::new();
    // Before the first look that succeeded, nothing is known of the newest commit.
    if status.looked.is_some() {
        let fact = match (&status.rejected, &status.in_force) {
            (Some(rejected), _) => Some(Fact::Holds {
                reason: rejected.reason.clone(),
                commit: rejected.commit.clone(),
                since: rejected.since,
            }),
            (None, Some(_)) => Some(Fact::Not(format!("{} is in force", named(commit.as_deref())))),
            (None, None) => None,
        };
        facts.extend(fact.map(|fact| ((Kind::CommitRejected, About::All), fact)));
    }
    let fact = match &status.unreachable {
        Some(unreachable) => Some(Fact::Holds {
            reason: unreachable.reason.clone(),
            commit: None,
            since: unreachable.since,
        }),
        None => (status.looked.is_some()).then(|| Fact::Not(format!("{} is in force", named(commit.as_deref())))),
    };
    facts.extend(fact.map(|fact| ((Kind::RepositoryUnreachable, About::All), fact)));
    let fact = of_plan(status, commit.as_ref(), now);
    facts.extend(fact.map(|fact| ((Kind::PlanRefused, About::All), fact)));
    for (device, standing) in &status.devices {
        let known = of_device(standing, &status.guarded, named(commit.as_deref())).into_iter();
        facts.extend(known.map(|(kind, fact)| ((kind, About::Device(device.clone())), fact)));
    }
    for (system, billed) in &status.billing {
        let known = of_billing(billed, commit.as_ref()).into_iter();
        facts.extend(known.map(|(kind, fact)| ((kind, About::Billing(*system)), fact)));
    }
    Picture {
        facts,
        systems: status.billing.keys().copied().collect(),
        devices: status.in_force.is_some().then_some(sites),
        commit,
    }
}

fn named(commit: Option<&str>) -> &str {
    commit.unwrap_or("the folder as it is")
}

/// Whether the plan is refused as a whole; known once a device was compared with the commit in force.
fn of_plan(status: &Status, commit: Option<&String>, now: Timestamp) -> Option<Fact> {
    if !status.guarded.is_empty() {
        return Some(Fact::Holds {
            reason: status.guarded.join("\n"),
            commit: commit.cloned(),
            since: now,
        });
    }
    let name = named(commit.map(String::as_str));
    let is_compared = |standing: &Standing| {
        standing.commit.as_deref() == Some(name) && !matches!(standing.state, State::New | State::Unreachable { .. })
    };
    let is_known = status.devices.values().any(is_compared);
    is_known.then(|| Fact::Not(format!("{name} passes the guards")))
}

/// What is known of a device. What is missing may be or not: one that does not answer may still be drifted.
fn of_device(standing: &Standing, guarded: &[String], in_force: &str) -> Vec<(Kind, Fact)> {
    let holds = |reason: &str| Fact::Holds {
        reason: reason.to_owned(),
        commit: standing.commit.clone(),
        since: standing.since,
    };
    let not = |kind| (kind, Fact::Not(standing.state.word().to_owned()));
    let nots = |kinds: &[Kind]| kinds.iter().copied().map(not).collect::<Vec<_>>();
    let drifted = |what: &str| {
        let nots = nots(&[Kind::Failed, Kind::LeftToPeople, Kind::Refused, Kind::Unreachable]);
        (Some((Kind::Drifted, holds(what))), nots)
    };
    let (known, mut facts) = match &standing.state {
        // Of what is not valid people are told once, and not for each device.
        State::New | State::Invalid { .. } => (None, Vec::new()),
        State::InSync | State::Observed { .. } | State::Waiting { .. } => (
            None,
            nots(&[
                Kind::Failed,
                Kind::LeftToPeople,
                Kind::Refused,
                Kind::Unreachable,
                Kind::Drifted,
            ]),
        ),
        // Whoever paused it knows of its trouble, which may be there still.
        State::Paused { .. } => (None, nots(&[Kind::LeftToPeople, Kind::Unreachable])),
        State::Drifted { objects } => drifted(&objects.join(", ")),
        State::Unsaved => drifted("unsaved configuration"),
        // Of a plan that is refused as a whole people are told once, and not for each device; and what was refused of an
        // earlier commit may be allowed now.
        State::Refused { reason } => (
            (*reason != guarded.join("; ") && standing.commit.as_deref() == Some(in_force))
                .then(|| (Kind::Refused, holds(reason))),
            nots(&[Kind::Failed, Kind::LeftToPeople, Kind::Unreachable]),
        ),
        State::Unreachable { reason, lasting: false } => (Some((Kind::Unreachable, holds(reason))), Vec::new()),
        // It answers, but not as it should.
        State::Unreachable { reason, lasting: true } => {
            (Some((Kind::LeftToPeople, holds(reason))), nots(&[Kind::Unreachable]))
        }
        State::Failed { reason, .. } => (
            Some((Kind::Failed, holds(reason))),
            nots(&[Kind::LeftToPeople, Kind::Refused, Kind::Unreachable]),
        ),
    };
    facts.extend(known);
    facts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::alert::{Memory, Patience, Turn};
    use crate::daemon::status::{Force, Refused};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn standing(state: State, since: i64) -> Standing {
        Standing {
            state,
            commit: Some("c1".to_owned()),
            ..Standing::new(at(since))
        }
    }

    fn status(devices: Vec<(&str, Standing)>) -> Status {
        Status {
            in_force: Some(Force {
                inventory: "isp".to_owned(),
                commit: Some("c1".to_owned()),
                signed_by: None,
                stale: Vec::new(),
                since: at(0),
            }),
            looked: Some(at(0)),
            devices: devices
                .into_iter()
                .map(|(key, standing)| (key.to_owned(), standing))
                .collect(),
            ..Status::default()
        }
    }

    fn state(number: u8) -> State {
        let reason = || "because".to_owned();
        let objects = || vec!["subscriber/s-1".to_owned()];
        match number {
            0 => State::New,
            1 => State::InSync,
            2 => State::Drifted { objects: objects() },
            3 => State::Observed { objects: objects() },
            4 => State::Paused { reason: reason() },
            5 => State::Waiting {
                reason: reason(),
                opens: None,
            },
            6 => State::Refused { reason: reason() },
            7 => State::Unreachable {
                reason: reason(),
                lasting: false,
            },
            8 => State::Unreachable {
                reason: reason(),
                lasting: true,
            },
            9 => State::Invalid { reason: reason() },
            10 => State::Unsaved,
            _ => State::Failed {
                reason: reason(),
                lost: false,
            },
        }
    }

    fn taken(memory: &mut Memory, status: &Status, seconds: i64) -> Vec<crate::alert::Event> {
        let sites = status.devices.keys().map(|key| (key.clone(), None)).collect();
        let patience = Patience {
            unreachable: jiff::SignedDuration::from_secs(60),
        };
        memory.take(&picture(status, sites, at(seconds)), patience, at(seconds))
    }

    proptest! {
        /// Whatever happens to devices: each trouble of each device is told in turn as begun and as over, and in the end
        /// nothing is left open.
        #[test]
        fn beginnings_and_ends_alternate(
            steps in proptest::collection::vec((0..3_usize, 0..12_u8, 1..100_i64), 1..200),
        ) {
            let keys = ["a", "b", "c"];
            let mut standings: Vec<Standing> = keys.iter().map(|_| standing(State::New, 0)).collect();
            let mut memory = Memory::default();
            let mut told = Vec::new();
            let mut now = 0;
            for (device, number, seconds) in steps {
                now += seconds;
                standings[device] = standing(state(number), now);
                let devices = keys.into_iter().zip(standings.iter().cloned()).collect();
                told.extend(taken(&mut memory, &status(devices), now));
                // As it is written down and read again.
                let again = memory.0.iter().map(|(key, trouble)| {
                    let text = serde_json::to_string(trouble).unwrap();
                    (key.clone(), serde_json::from_str(&text).unwrap())
                });
                memory = Memory(again.collect());
            }
            let well = keys.iter().map(|key| (*key, standing(State::InSync, now))).collect();
            told.extend(taken(&mut memory, &status(well), now + 1000));
            let mut open = std::collections::BTreeSet::new();
            for event in told {
                let key = (event.kind, event.device.clone());
                match event.state {
                    Turn::Raised => prop_assert!(open.insert(key), "told twice: {:?}", event),
                    Turn::Over => prop_assert!(open.remove(&key), "over before it began: {:?}", event),
                    Turn::Once => prop_assert!(false, "{:?}", event),
                }
            }
            prop_assert!(open.is_empty(), "never over: {:?}", open);
        }
    }

    #[test]
    fn a_drifted_device_that_does_not_answer_for_a_while_is_told_of_once() {
        let mut memory = Memory::default();
        let mut told = Vec::new();
        for (seconds, number) in [(0, 2), (10, 7), (200, 7), (210, 2), (220, 1)] {
            let since = if seconds == 200 { 10 } else { seconds };
            told.extend(taken(
                &mut memory,
                &status(vec![("a", standing(state(number), since))]),
                seconds,
            ));
        }
        let told: Vec<_> = told.iter().map(|event| (event.kind, event.state)).collect();
        assert_eq!(
            told,
            [
                (Kind::Drifted, Turn::Raised),
                (Kind::Unreachable, Turn::Raised),
                (Kind::Unreachable, Turn::Over),
                (Kind::Drifted, Turn::Over),
            ]
        );
    }

    #[test]
    fn a_plan_that_is_refused_as_a_whole_is_told_once_and_not_for_each_device() {
        let mut memory = Memory::default();
        let refused = State::Refused {
            reason: "guard destroy: 37; allow it".to_owned(),
        };
        let mut now = status(vec![("a", standing(refused.clone(), 0)), ("b", standing(refused, 0))]);
        now.guarded = vec!["guard destroy: 37".to_owned(), "allow it".to_owned()];
        let told = taken(&mut memory, &now, 0);
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(
            (told[0].kind, told[0].reason.as_str()),
            (Kind::PlanRefused, "guard destroy: 37\nallow it")
        );
        // Another commit is in force, and nobody knows yet what guards say of it.
        now.guarded.clear();
        now.in_force.as_mut().unwrap().commit = Some("c2".to_owned());
        assert_eq!(taken(&mut memory, &now, 1), []);
        for standing in now.devices.values_mut() {
            standing.state = State::InSync;
            standing.commit = Some("c2".to_owned());
        }
        let told = taken(&mut memory, &now, 2);
        assert_eq!(
            (told[0].kind, told[0].state, told.len()),
            (Kind::PlanRefused, Turn::Over, 1)
        );
    }

    #[test]
    fn after_a_restart_nothing_is_over_before_it_was_looked_at() {
        let mut memory = Memory::default();
        let mut before = status(vec![("a", standing(state(2), 0))]);
        before.rejected = Some(Refused {
            commit: Some("c2".to_owned()),
            reason: "unknown plan".to_owned(),
            since: at(0),
        });
        assert_eq!(taken(&mut memory, &before, 0).len(), 2);
        let mut started = status(vec![("a", standing(State::New, 10))]);
        started.looked = None;
        assert_eq!(taken(&mut memory, &started, 10), []);
        started.unreachable = Some(Refused {
            commit: None,
            reason: "no answer".to_owned(),
            since: at(10),
        });
        assert_eq!(taken(&mut memory, &started, 11), []);
        let told = taken(&mut memory, &started, 80);
        assert_eq!((told.len(), told[0].kind), (1, Kind::RepositoryUnreachable));
    }
}
