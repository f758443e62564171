//! What commits say of billing, and what is read from them again.
//!
//! Each subscriber that is written to has a line among the trailers, `Billing-Change: suspend s-10442 state=suspended`: what billing set,
//! where anybody finds it, and where the next sync looks before it takes a person's word away.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

use crate::billing::{Intent, Kind, Written};
use crate::domain::BillingKind;
use crate::repo::remote::Message;
use crate::repo::trailers_of_text;

pub(super) const SYSTEM: &str = "Billing-System";
pub(super) const ACCOUNT: &str = "Billing-Account";
const EVENT: &str = "Billing-Event";
pub(super) const CHANGE: &str = "Billing-Change";
const RUN: &str = "Sync-Run";

/// How long what was written counts for the limits of a day.
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// What a commit is about, beside its intents.
#[derive(Debug, Clone, Copy)]
pub(super) struct Occasion<'a> {
    /// The billing system.
    pub(super) system: BillingKind,
    /// What made gamops look: `sweep`, `webhook`, `sync by NAME`.
    pub(super) event: &'a str,
    /// Names the sync.
    pub(super) run: &'a str,
}

/// The message of a commit that carries out intents, of which there is one at least.
pub(super) fn message(intents: &[Intent], occasion: Occasion<'_>) -> String {
    let system = occasion.system.key();
    let mut text = match intents {
        [one] => format!("{system}: {} {}\n", one.subscriber, plain(&one.words)),
        several => {
            let mut text = format!("{system}: {}\n\n", in_numbers(several));
            for one in several {
                text.push_str(&format!("- {} {}\n", one.subscriber, plain(&one.words)));
            }
            text
        }
    };
    text.push_str(&format!("\n{SYSTEM}: {system}\n"));
    for intent in intents {
        text.push_str(&format!("{ACCOUNT}: {}\n", intent.service));
    }
    for intent in intents {
        text.push_str(&format!("{CHANGE}: {} {}", intent.kind.word(), intent.subscriber));
        for (field, value) in &intent.sets {
            text.push_str(&format!(" {field}={value}"));
        }
        text.push('\n');
    }
    text.push_str(&format!(
        "{EVENT}: {}\n{RUN}: {}\n",
        plain(occasion.event),
        occasion.run
    ));
    text
}

/// `12 subscribers: 10 suspended, 2 created`.
pub(super) fn in_numbers(intents: &[Intent]) -> String {
    let of = |kind: Kind| intents.iter().filter(|intent| intent.kind == kind).count();
    let kinds: Vec<String> = (Kind::ALL.into_iter().rev())
        .filter(|kind| of(*kind) > 0)
        .map(|kind| format!("{} {}", of(kind), done(kind)))
        .collect();
    format!(
        "{} subscriber{}: {}",
        intents.len(),
        if intents.len() == 1 { "" } else { "s" },
        kinds.join(", ")
    )
}

/// What was done, behind the name of whom it was done to.
pub(super) const fn done(kind: Kind) -> &'static str {
    match kind {
        Kind::Rename => "known by another id",
        Kind::Plan => "on another plan",
        Kind::Restore => "restored",
        Kind::Create => "created",
        Kind::Suspend => "suspended",
        Kind::Remove => "removed",
    }
}

/// Text that came from elsewhere, on one line: nothing in it begins a line of ours.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// What a line of [`CHANGE`] says: what was done, to which subscriber, and which fields were set to what.
pub(super) fn change(line: &str) -> Option<(Kind, &str, impl Iterator<Item = (&str, &str)>)> {
    let mut words = line.split_whitespace();
    let kind = words.next()?;
    let kind = Kind::ALL.into_iter().find(|one| one.word() == kind)?;
    Some((kind, words.next()?, words.filter_map(|word| word.split_once('='))))
}

/// What was written for a billing system, as the messages of commits tell. Grows with the branch.
#[derive(Debug, Clone, Default)]
pub(super) struct Ledger {
    /// The commit up to which it was read.
    pub(super) tip: Option<String>,
    values: BTreeMap<String, BTreeMap<String, String>>,
    recent: VecDeque<(Timestamp, Kind)>,
}

impl Ledger {
    /// Reads messages on, which come with the newest first.
    pub(super) fn read(&mut self, system: BillingKind, messages: &[Message]) {
        for message in messages.iter().rev() {
            let trailers = trailers_of_text(&message.text);
            let has = |key: &str, value: &str| {
                (trailers.iter()).any(|(name, text)| name.eq_ignore_ascii_case(key) && text == value)
            };
            if !has(SYSTEM, system.key()) {
                continue;
            }
            for (_, line) in trailers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(CHANGE)) {
                self.note(message.at, line);
            }
        }
        if let Some(newest) = messages.first() {
            self.tip = Some(newest.commit.clone());
        }
    }

    fn note(&mut self, at: Timestamp, line: &str) {
        let Some((kind, subscriber, sets)) = change(line) else {
            return;
        };
        self.recent.push_back((at, kind));
        if kind == Kind::Remove {
            self.values.remove(subscriber);
            return;
        }
        let values = self.values.entry(subscriber.to_owned()).or_default();
        for (field, value) in sets {
            // A plan that changes beside something else is one that changes.
            if field == "plan" && matches!(kind, Kind::Restore | Kind::Suspend) {
                self.recent.push_back((at, Kind::Plan));
            }
            values.insert(field.to_owned(), value.to_owned());
        }
    }

    /// What that means now.
    pub(super) fn written(&mut self, now: Timestamp) -> Written {
        self.recent.retain(|(at, _)| now.duration_since(*at) < DAY);
        let mut recent = BTreeMap::new();
        for (_, kind) in &self.recent {
            *recent.entry(*kind).or_insert(0) += 1;
        }
        Written {
            values: self.values.clone(),
            recent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::billing::Way;

    fn intent(subscriber: &str, kind: Kind, sets: &[(&'static str, &str)], words: &str) -> Intent {
        Intent {
            subscriber: subscriber.to_owned(),
            service: "1001/5001".parse().unwrap(),
            kind,
            way: Way::Push,
            edits: Vec::new(),
            sets: sets
                .iter()
                .map(|(field, value)| (*field, (*value).to_owned()))
                .collect(),
            words: words.to_owned(),
        }
    }

    const OCCASION: Occasion<'_> = Occasion {
        system: BillingKind::Splynx,
        event: "webhook",
        run: "20261128T141500Z",
    };

    #[test]
    fn a_commit_says_who_asked_for_what() {
        let one = intent(
            "s-1",
            Kind::Suspend,
            &[("state", "suspended")],
            "suspended (customer blocked, service active)",
        );
        assert_eq!(
            message(std::slice::from_ref(&one), OCCASION),
            "splynx: s-1 suspended (customer blocked, service active)\n\n\
             Billing-System: splynx\n\
             Billing-Account: 1001/5001\n\
             Billing-Change: suspend s-1 state=suspended\n\
             Billing-Event: webhook\n\
             Sync-Run: 20261128T141500Z\n"
        );
        let two = intent(
            "s-2",
            Kind::Plan,
            &[("plan", "gold")],
            "plan: silver -> gold (tariff 7 `Gold`)",
        );
        let text = message(&[one, two], OCCASION);
        assert!(
            text.starts_with("splynx: 2 subscribers: 1 suspended, 1 on another plan\n\n- s-1 suspended"),
            "{text}"
        );
    }

    fn at(commit: &str, at: i64, text: String) -> Message {
        Message {
            commit: commit.to_owned(),
            at: Timestamp::from_second(at).unwrap(),
            text,
        }
    }

    #[test]
    fn what_was_written_is_read_from_the_messages_again() {
        let create = intent(
            "s-1",
            Kind::Create,
            &[("plan", "silver"), ("state", "active")],
            "created",
        );
        let plan = intent("s-1", Kind::Plan, &[("plan", "gold")], "on gold");
        let other = intent("s-2", Kind::Create, &[("plan", "gold")], "created");
        let gone = intent("s-2", Kind::Remove, &[], "removed");
        let sonar = Occasion {
            system: BillingKind::Sonar,
            ..OCCASION
        };
        let mut ledger = Ledger::default();
        let first = [
            at("c", 200_000, message(&[plan, other], OCCASION)),
            at(
                "b",
                100_000,
                "by hand\n\nBilling-Change: suspend s-1 state=suspended\n".to_owned(),
            ),
            at("a", 100_000, message(std::slice::from_ref(&create), OCCASION)),
        ];
        ledger.read(BillingKind::Splynx, &first);
        assert_eq!(ledger.tip.as_deref(), Some("c"));
        let now = Timestamp::from_second(200_060).unwrap();
        let written = ledger.written(now);
        let of =
            |written: &Written, key: &str, field: &str| written.values.get(key).and_then(|of| of.get(field)).cloned();
        assert_eq!(of(&written, "s-1", "plan").as_deref(), Some("gold"));
        assert_eq!(
            of(&written, "s-1", "state").as_deref(),
            Some("active"),
            "a person's commit is no word of billing"
        );
        assert_eq!(of(&written, "s-2", "plan").as_deref(), Some("gold"));
        assert_eq!(
            written.recent,
            [(Kind::Plan, 1), (Kind::Create, 1)].into(),
            "the day before does not count"
        );

        let more = [
            at("e", 200_010, message(&[gone], OCCASION)),
            at("d", 200_005, message(&[create], sonar)),
        ];
        ledger.read(BillingKind::Splynx, &more);
        let written = ledger.written(now);
        assert_eq!(of(&written, "s-2", "plan"), None);
        assert_eq!(
            of(&written, "s-1", "plan").as_deref(),
            Some("gold"),
            "another system's commits are its own"
        );
    }

    #[test]
    fn what_a_billing_system_says_forges_no_trailer() {
        let words = "suspended (x\n\nBilling-Change: remove s-9)";
        let text = message(
            &[intent("s-1", Kind::Suspend, &[("state", "suspended")], words)],
            OCCASION,
        );
        let mut ledger = Ledger::default();
        ledger.read(BillingKind::Splynx, &[at("a", 0, text)]);
        assert_eq!(
            ledger.written(Timestamp::UNIX_EPOCH).recent,
            [(Kind::Suspend, 1)].into()
        );
    }
}
