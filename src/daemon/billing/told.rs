//! What is told of billing, to programs and to `gamops status`.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::billing::{Open, Why};
use crate::clerk::{ClerkError, Commit, Outcome, Proposed};
use crate::diagnostic::chain;

use super::super::status::Refused;

/// How it stands with one billing system.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Billed {
    /// When anything was last looked at with success.
    #[serde(default)]
    pub looked: Option<Timestamp>,
    /// When everything was last looked at with success.
    pub swept: Option<Timestamp>,
    /// When everything was last looked at and believed.
    #[serde(default)]
    pub believed: Option<Timestamp>,
    /// Why nothing can be looked at, since when.
    pub failing: Option<Refused>,
    /// Why what it says cannot be written, since when.
    #[serde(default)]
    pub unwritten: Option<Refused>,
    /// Why what the system said last is not believed, since when.
    pub distrusted: Option<Refused>,
    /// Why nothing is done that depends on the time, since when.
    pub clock: Option<Refused>,
    /// How many accounts it told of the last time that all were asked for.
    pub accounts: usize,
    /// How many services.
    pub services: usize,
    /// What was left open the last time that all was looked at and believed, by its reason.
    pub open: BTreeMap<Why, usize>,
    /// Limits that kept something from being written then, each with the number that lets it through.
    #[serde(default)]
    pub refused: Vec<String>,
    /// What it has been asked to decide and people have not yet.
    pub proposals: Vec<Proposed>,
    /// How many commits were made since the daemon began.
    pub commits: u64,
    /// The last of them.
    pub last: Option<Commit>,
    /// How many things it has told that are still to be looked at.
    #[serde(default)]
    pub waiting: usize,
    /// How often it knocked since the daemon began, by what came of it.
    #[serde(default)]
    pub knocks: BTreeMap<Knocked, u64>,
    /// What people are told of one by one, by its reason: each by a name under which it is known again, and what is said of it.
    #[serde(skip)]
    pub(in crate::daemon) matters: BTreeMap<Why, BTreeMap<String, String>>,
}

/// What came of a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Knocked {
    /// It is on record.
    Recorded,
    /// Somebody only tried whether we are there.
    Ping,
    /// It is not who it says to be.
    Refused,
    /// It could not be put on record then.
    NotNow,
}

impl Knocked {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Recorded, Self::Ping, Self::Refused, Self::NotNow];

    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Ping => "ping",
            Self::Refused => "refused",
            Self::NotNow => "not-now",
        }
    }
}

/// Why nothing came of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// The system cannot be asked, and wants to be left alone for so long.
    NotAsked(String, Duration),
    /// What it says cannot be written.
    NotWritten(String),
}

impl From<ClerkError> for Failure {
    fn from(error: ClerkError) -> Self {
        match &error {
            ClerkError::Biller(of_system) => Self::NotAsked(chain(&error), of_system.asked()),
            _ => Self::NotWritten(chain(&error)),
        }
    }
}

impl Failure {
    /// Why, in words.
    pub(super) fn reason(&self) -> &str {
        let (Self::NotAsked(reason, _) | Self::NotWritten(reason)) = self;
        reason
    }

    /// For how long the system wants to be left alone.
    pub(super) const fn asked(&self) -> Duration {
        match self {
            Self::NotAsked(_, asked) => *asked,
            Self::NotWritten(_) => Duration::ZERO,
        }
    }
}

impl Billed {
    /// Takes in what came of an order.
    pub(super) fn note(&mut self, outcome: &Outcome, is_whole: bool, now: Timestamp) {
        (self.failing, self.unwritten) = (None, None);
        self.looked = Some(now);
        if let Some(last) = outcome.commits.last() {
            self.commits += u64::try_from(outcome.commits.len()).unwrap_or(u64::MAX);
            self.last = Some(last.clone());
        }
        let Some(report) = &outcome.report else { return };
        self.clock = still(self.clock.take(), report.clock.as_deref(), now);
        if !is_whole {
            return;
        }
        self.distrusted = still(self.distrusted.take(), report.distrust.as_deref(), now);
        self.swept = Some(now);
        (self.accounts, self.services) = (report.accounts, report.services);
        if self.distrusted.is_some() {
            // Nothing was made of it: what was open and proposed is so as far as anybody knows.
            return;
        }
        self.believed = Some(now);
        self.proposals.clone_from(&outcome.proposals);
        self.refused = report.refused.values().cloned().collect();
        self.open.clear();
        self.matters.clear();
        for open in &outcome.open {
            *self.open.entry(open.why).or_default() += 1;
            if matches!(open.why, Why::Question | Why::Conflict) {
                let matters = self.matters.entry(open.why).or_default();
                matters.insert(named(open), named(open));
            }
        }
        let limits = report.refused.iter();
        let limits: BTreeMap<_, _> = limits
            .map(|(kind, words)| (kind.word().to_owned(), words.clone()))
            .collect();
        if !limits.is_empty() {
            self.matters.insert(Why::Refused, limits);
        }
    }

    /// Takes in that nothing came of an order; whether that is news.
    pub(super) fn fail(&mut self, failure: &Failure, now: Timestamp) -> bool {
        let reason = failure.reason();
        // Each says that the other is not known.
        let (field, other) = match failure {
            Failure::NotAsked(..) => (&mut self.failing, &mut self.unwritten),
            Failure::NotWritten(_) => (&mut self.unwritten, &mut self.failing),
        };
        *other = None;
        let is_news = field.as_ref().is_none_or(|before| before.reason != reason);
        *field = still(field.take(), Some(reason), now);
        is_news
    }
}

/// A trouble that is there now, since when it is.
fn still(before: Option<Refused>, reason: Option<&str>, now: Timestamp) -> Option<Refused> {
    reason.map(|reason| Refused {
        commit: None,
        reason: reason.to_owned(),
        since: before.map_or(now, |before| before.since),
    })
}

/// Whom something is about, and no more of a customer than its ids: what billing says of it is shown to whoever asks for it.
fn named(open: &Open) -> String {
    let service = open.service.as_ref().map(ToString::to_string);
    match (open.subscriber.clone(), service) {
        (Some(subscriber), Some(service)) => format!("{subscriber} ({service})"),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => "everything".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::billing::report::Report;
    use crate::domain::BillingKind;
    use crate::inventory::billing::Kind;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn report() -> Report {
        Report {
            system: BillingKind::Splynx,
            at: at(0),
            accounts: 2,
            services: 3,
            distrust: None,
            clock: None,
            refused: BTreeMap::new(),
            rows: Vec::new(),
        }
    }

    fn open(why: Why, subscriber: Option<&str>, words: &str) -> Open {
        Open {
            subscriber: subscriber.map(str::to_owned),
            service: Some("1001/5001".parse().unwrap()),
            why,
            words: words.to_owned(),
        }
    }

    fn outcome() -> Outcome {
        let mut report = report();
        let limit = "`limits.suspend`: 37 at once, and the limit is 20, or allow it with `--allow suspend=37`";
        report.refused.insert(Kind::Suspend, limit.to_owned());
        Outcome {
            open: vec![
                open(Why::Question, None, "it is of Ann O'Brien, 1 Elm Street"),
                open(Why::Conflict, Some("s-1"), "`state` is `active`"),
                open(Why::Refused, Some("s-2"), "suspended"),
                open(Why::Refused, Some("s-3"), "suspended"),
            ],
            report: Some(report),
            ..Outcome::default()
        }
    }

    #[test]
    fn what_people_are_told_of_has_ids_and_numbers_and_nothing_else_of_a_customer() {
        let mut billed = Billed::default();
        billed.note(&outcome(), true, at(0));
        assert_eq!(
            billed.open,
            [(Why::Question, 1), (Why::Conflict, 1), (Why::Refused, 2)].into()
        );
        let told: Vec<&str> = billed
            .matters
            .values()
            .flat_map(|matters| matters.values())
            .map(String::as_str)
            .collect();
        assert_eq!(
            told,
            [
                "1001/5001",
                "s-1 (1001/5001)",
                "`limits.suspend`: 37 at once, and the limit is 20, or allow it with `--allow suspend=37`"
            ]
        );
        // Programs get the limits and the numbers.
        let text = serde_json::to_string(&billed).unwrap();
        assert!(text.contains("suspend=37") && !text.contains("1001/5001"), "{text}");
    }

    #[test]
    fn what_was_open_stays_so_while_a_book_is_not_believed() {
        let mut billed = Billed::default();
        billed.note(&outcome(), true, at(0));
        let before = billed.clone();
        let mut distrusted = report();
        distrusted.distrust = Some("it tells of no service at all".to_owned());
        let nothing = Outcome {
            report: Some(distrusted),
            ..Outcome::default()
        };
        for seconds in [10, 20] {
            billed.note(&nothing, true, at(seconds));
        }
        assert_eq!(billed.distrusted.as_ref().map(|trouble| trouble.since), Some(at(10)));
        assert_eq!((&billed.open, &billed.matters), (&before.open, &before.matters));
        // A look at some accounts says nothing of all.
        let some = Outcome {
            report: Some(report()),
            ..Outcome::default()
        };
        billed.note(&some, false, at(30));
        assert!(billed.distrusted.is_some() && billed.open == before.open);
        billed.note(&some, true, at(40));
        assert!(billed.distrusted.is_none() && billed.open.is_empty() && billed.matters.is_empty());
    }

    #[test]
    fn a_failure_is_one_of_two_and_lasts_until_something_comes_of_an_order() {
        let mut billed = Billed::default();
        let asked = |reason: &str| Failure::NotAsked(reason.to_owned(), Duration::ZERO);
        assert!(billed.fail(&asked("no answer"), at(0)));
        assert!(!billed.fail(&asked("no answer"), at(5)));
        assert!(billed.fail(&asked("no route"), at(10)));
        assert_eq!(billed.failing.as_ref().map(|failing| failing.since), Some(at(0)));
        assert!(billed.fail(&Failure::NotWritten("the inventory is not valid".to_owned()), at(20)));
        assert_eq!(billed.failing, None);
        assert_eq!(billed.unwritten.as_ref().map(|failing| failing.since), Some(at(20)));
        assert_eq!(billed.looked, None);
        billed.note(&Outcome::default(), false, at(30));
        assert_eq!((billed.looked, billed.unwritten), (Some(at(30)), None));
    }
}
