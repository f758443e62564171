//! How it stands with a billing system, as far as people are told of it.

use std::collections::BTreeMap;

use crate::alert::{Fact, Kind};
use crate::billing::Why;
use crate::clerk::Proposed;
use crate::plan::count;

use super::super::billing::Billed;
use super::super::status::Refused;

/// What is known of a billing system; what is missing may be or not. `commit`: the one in force.
pub(super) fn of_billing(billed: &Billed, commit: Option<&String>) -> Vec<(Kind, Fact)> {
    let holds = |reason: String, trouble: &Refused| Fact::Holds {
        reason,
        commit: commit.cloned(),
        since: trouble.since,
    };
    let not = |instead: &str| Fact::Not(instead.to_owned());
    let mut facts = Vec::new();
    // Where nothing came of the last order for one of these reasons, nobody knows about the other.
    let is_fine = billed.looked.is_some() && billed.failing.is_none() && billed.unwritten.is_none();
    for (kind, trouble, instead) in [
        (Kind::BillingUnreachable, &billed.failing, "looked at"),
        (Kind::BillingUnwritten, &billed.unwritten, "written"),
    ] {
        let fact = match trouble {
            Some(trouble) => {
                let waiting = match billed.waiting {
                    0 => String::new(),
                    waiting => format!("; {} to be looked at", count(waiting, "webhook")),
                };
                Some(holds(format!("{}{waiting}", trouble.reason), trouble))
            }
            None => is_fine.then(|| not(instead)),
        };
        facts.extend(fact.map(|fact| (kind, fact)));
    }
    let fact = match &billed.clock {
        Some(trouble) => Some(holds(trouble.reason.clone(), trouble)),
        None => billed.looked.map(|_| not("sure")),
    };
    facts.extend(fact.map(|fact| (Kind::BillingClock, fact)));
    let fact = match &billed.distrusted {
        Some(trouble) => Some(holds(trouble.reason.clone(), trouble)),
        None => billed.swept.map(|_| {
            let told = [count(billed.accounts, "account"), count(billed.services, "service")];
            not(&told.join(", "))
        }),
    };
    facts.extend(fact.map(|fact| (Kind::BillingDistrusted, fact)));
    // A book that is not believed says nothing of the rest.
    let Some(since) = billed.believed else {
        return facts;
    };
    let several = |things: Option<&BTreeMap<String, String>>, instead: &str| {
        let things = things.filter(|things| !things.is_empty());
        things.map_or_else(
            || not(instead),
            |things| Fact::Several {
                things: things.clone(),
                since,
            },
        )
    };
    for (why, kind, instead) in [
        (Why::Refused, Kind::BillingRefused, "nothing refused"),
        (Why::Conflict, Kind::BillingConflict, "no conflict"),
        (Why::Question, Kind::BillingQuestion, "nothing to be answered"),
    ] {
        facts.push((kind, several(billed.matters.get(&why), instead)));
    }
    let proposals = billed.proposals.iter().map(|one| (one.branch.clone(), proposed(one)));
    facts.push((
        Kind::BillingProposed,
        several(Some(&proposals.collect()), "nothing proposed"),
    ));
    facts
}

/// A proposal in one line.
fn proposed(proposed: &Proposed) -> String {
    let Proposed {
        branch,
        subject,
        page,
        trouble,
        ..
    } = proposed;
    let more = [page, trouble].into_iter().flatten();
    let more: String = more.map(|more| format!("; {more}")).collect();
    format!("{branch}: {subject}{more}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::{SignedDuration, Timestamp};

    use super::*;
    use crate::alert::{About, Event, Memory, Patience, Picture, Turn};
    use crate::domain::BillingKind;

    const SPLYNX: BillingKind = BillingKind::Splynx;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn trouble(reason: &str, since: i64) -> Option<Refused> {
        Some(Refused {
            commit: None,
            reason: reason.to_owned(),
            since: at(since),
        })
    }

    /// Swept and believed, with these questions.
    fn asking(questions: &[&str], seconds: i64) -> Billed {
        let mut billed = Billed {
            looked: Some(at(seconds)),
            swept: Some(at(seconds)),
            believed: Some(at(seconds)),
            ..Billed::default()
        };
        let things = questions.iter().map(|name| ((*name).to_owned(), (*name).to_owned()));
        billed.matters.insert(Why::Question, things.collect());
        billed
    }

    /// What is told, and what is remembered of it as the database has it.
    fn taken(memory: &mut Memory, billed: &Billed, seconds: i64) -> Vec<Event> {
        let facts = of_billing(billed, None).into_iter();
        let picture = Picture {
            facts: facts
                .map(|(kind, fact)| ((kind, About::Billing(SPLYNX)), fact))
                .collect(),
            systems: BTreeSet::from([SPLYNX]),
            ..Picture::default()
        };
        let patience = Patience {
            unreachable: SignedDuration::from_secs(60),
        };
        let events = memory.take(&picture, patience, at(seconds));
        let again = memory.0.iter().map(|(key, trouble)| {
            let text = serde_json::to_string(trouble).unwrap();
            (key.clone(), serde_json::from_str(&text).unwrap())
        });
        *memory = Memory(again.collect());
        events
    }

    fn told(events: &[Event]) -> Vec<(Kind, Turn, &str)> {
        let told = events.iter().map(|event| {
            assert_eq!((event.billing, event.device.as_ref()), (Some(SPLYNX), None));
            (event.kind, event.state, event.reason.as_str())
        });
        told.collect()
    }

    #[test]
    fn each_question_is_told_once_and_the_end_when_none_is_left() {
        let mut memory = Memory::default();
        let raised = |reason| vec![(Kind::BillingQuestion, Turn::Raised, reason)];
        let over = vec![(Kind::BillingQuestion, Turn::Over, "nothing to be answered")];
        assert_eq!(
            told(&taken(&mut memory, &asking(&["1/11", "2/12"], 0), 0)),
            raised("1/11\n2/12")
        );
        for sweep in 1..20 {
            assert_eq!(taken(&mut memory, &asking(&["1/11", "2/12"], sweep), sweep), []);
        }
        assert_eq!(
            told(&taken(&mut memory, &asking(&["2/12", "3/13"], 30), 30)),
            raised("3/13")
        );
        assert_eq!(taken(&mut memory, &asking(&["3/13"], 40), 40), []);
        // One that comes up again is told again.
        assert_eq!(
            told(&taken(&mut memory, &asking(&["1/11", "3/13"], 50), 50)),
            raised("1/11")
        );
        assert_eq!(told(&taken(&mut memory, &asking(&[], 60), 60)), over);
        assert_eq!(taken(&mut memory, &asking(&[], 70), 70), []);
    }

    #[test]
    fn ten_thousand_questions_are_one_message_of_twenty_lines() {
        let names: Vec<String> = (0..10_000).map(|number| format!("{number:05}/1")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut memory = Memory::default();
        let events = taken(&mut memory, &asking(&names, 0), 0);
        assert_eq!(events.len(), 1);
        let lines: Vec<&str> = events[0].reason.lines().collect();
        assert_eq!((lines.len(), lines[0], lines[19]), (20, "00000/1", "and 9981 more"));
    }

    #[test]
    fn nothing_is_over_before_it_was_looked_at_and_believed() {
        let mut memory = Memory::default();
        assert_eq!(taken(&mut memory, &asking(&["1/11"], 0), 0).len(), 1);
        // Started anew: first nobody answers, then nothing that is said is believed.
        let mut billed = Billed::default();
        assert_eq!(taken(&mut memory, &billed, 10), []);
        billed.failing = trouble("no answer", 10);
        assert_eq!(taken(&mut memory, &billed, 11), []);
        billed = Billed {
            looked: Some(at(20)),
            swept: Some(at(20)),
            distrusted: trouble("it tells of no service at all", 20),
            ..Billed::default()
        };
        assert_eq!(
            told(&taken(&mut memory, &billed, 20)),
            [(Kind::BillingDistrusted, Turn::Raised, "it tells of no service at all")]
        );
        assert_eq!(
            told(&taken(&mut memory, &asking(&["1/11"], 30), 30)),
            [(Kind::BillingDistrusted, Turn::Over, "0 accounts, 0 services")]
        );
    }

    #[test]
    fn what_passes_by_itself_is_told_when_it_has_lasted_and_not_taken_for_something_else() {
        let mut memory = Memory::default();
        let mut billed = asking(&[], 0);
        assert_eq!(taken(&mut memory, &billed, 0), []);
        billed.unwritten = trouble("the inventory is not valid", 10);
        billed.waiting = 2;
        assert_eq!(taken(&mut memory, &billed, 60), []);
        assert_eq!(
            told(&taken(&mut memory, &billed, 70)),
            [(
                Kind::BillingUnwritten,
                Turn::Raised,
                "the inventory is not valid; 2 webhooks to be looked at"
            )]
        );
        // That the system does not answer now says nothing of what was said before.
        (billed.unwritten, billed.failing) = (None, trouble("no answer", 80));
        assert_eq!(taken(&mut memory, &billed, 81), []);
        billed.failing = None;
        assert_eq!(
            told(&taken(&mut memory, &billed, 90)),
            [(Kind::BillingUnwritten, Turn::Over, "written")]
        );
    }

    #[test]
    fn a_system_that_left_the_settings_has_no_trouble_any_more() {
        let mut memory = Memory::default();
        assert_eq!(taken(&mut memory, &asking(&["1/11"], 0), 0).len(), 1);
        let events = memory.take(&Picture::default(), Patience::default(), at(1));
        assert_eq!(
            told(&events),
            [(Kind::BillingQuestion, Turn::Over, "no longer in the settings")]
        );
    }
}
