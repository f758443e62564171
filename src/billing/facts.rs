//! What is decided from: the inventory, the book, and what is remembered of both.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::{MacAddr, PortNumber};
use crate::inventory::model::{Inventory, Subscriber};

use super::{Book, Kind, Scope, Standing};

/// All that a decision is made from.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'f> {
    /// The tip of the branch, which is valid.
    pub inventory: &'f Inventory,
    /// What the billing system says.
    pub book: &'f Book,
    /// What was remembered of it last.
    pub before: &'f Remembered,
    /// What was written to the branch for it.
    pub written: &'f Written,
    /// Endpoints that devices show and that are in no configuration.
    pub seen: &'f [SeenEndpoint],
    /// Now, by our own clock.
    pub now: Timestamp,
    /// Limits that somebody has lifted for this time.
    pub allow: &'f Allowed,
}

impl Facts<'_> {
    /// Whether an address was shared the last time that all was told, where this book cannot show it.
    pub(super) fn was_shared(&self, mac: MacAddr) -> bool {
        self.book.scope != Scope::Everything && self.before.shared.contains(&mac)
    }
}

/// What is remembered of a billing system from one time to the next. Nothing of it is needed: without it less is known to be odd.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    /// Our own clock, at the last time.
    pub now: Option<Timestamp>,
    /// How much was told, the last time that all was.
    pub told: Option<Told>,
    /// How each service stood the last time that all was told, by its name `ACCOUNT/SERVICE`.
    pub services: BTreeMap<String, Stood>,
    /// Addresses that more than one service to be served had, the last time that all was told.
    pub shared: BTreeSet<MacAddr>,
    /// The day on which each VLAN was last used, by place: `device/KEY`, `site/KEY`.
    pub vlans: BTreeMap<String, BTreeMap<u16, Date>>,
    /// Values that people wrote in place of ours and that billing said as well, by subscriber and field: what was agreed on is no
    /// conflict when billing moves on.
    pub agreed: BTreeMap<String, BTreeMap<String, String>>,
}

/// How much was told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Accounts.
    pub accounts: usize,
    /// Services, whatever their standing.
    pub services: usize,
}

/// How a service stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stood {
    /// How.
    pub standing: Standing,
    /// Since when, as far as was seen.
    pub since: Timestamp,
}

/// What was written to the branch for a billing system, as its history tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// The value that was written last, by subscriber and field: what [`super::Intent::sets`] said then. A subscriber that was removed
    /// has none.
    pub values: BTreeMap<String, BTreeMap<String, String>>,
    /// How many subscribers were written to in the last 24 hours, by what happened to them.
    pub recent: BTreeMap<Kind, usize>,
}

impl Written {
    /// What was written last for a field of a subscriber, under its key or the one that it had before.
    #[must_use]
    pub fn last(&self, subscriber: &Subscriber, field: &str) -> Option<&str> {
        let keys = [Some(&subscriber.key), subscriber.was.as_ref()];
        let of = |key: &String| self.values.get(key)?.get(field);
        keys.into_iter().flatten().find_map(of).map(String::as_str)
    }
}

/// An endpoint that a device shows and that is in no configuration.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SeenEndpoint {
    /// The device's key.
    pub device: String,
    /// The port on which it is.
    pub port: PortNumber,
    /// Its address.
    pub mac: MacAddr,
}

/// Something that a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Counted {
    /// Subscribers to whom this happens.
    Kind(Kind),
    /// Accounts, or services, that are told no more.
    Lose,
    /// Services that are not understood.
    Unclear,
    /// Services that begin or cease to be served.
    Turn,
}

impl Counted {
    /// Its word in `limits` of the inventory and on the command line.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Kind(kind) => kind.word(),
            Self::Lose => "lose",
            Self::Unclear => "unclear",
            Self::Turn => "turn",
        }
    }
}

/// Limits that are lifted for one time, each up to the number that somebody has seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allowed(pub BTreeMap<Counted, usize>);

impl Allowed {
    /// Whether so many are allowed in so many words.
    #[must_use]
    pub fn lets(&self, counted: Counted, number: usize) -> bool {
        self.0.get(&counted).is_some_and(|allowed| number <= *allowed)
    }
}

/// One limit that is lifted: `suspend=37`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// What is counted.
    pub counted: Counted,
    /// Up to how many.
    pub number: usize,
}

impl fmt::Display for Allowance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.counted.word(), self.number)
    }
}

/// The text lifts no limit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` lifts no limit; write one such as suspend=37: plan, restore, create, suspend, remove, lose, unclear or turn, and the \
     number that was named"
)]
pub struct InvalidAllowance(pub String);

impl FromStr for Allowance {
    type Err = InvalidAllowance;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let limited = Kind::ALL
            .into_iter()
            .filter(|kind| *kind != Kind::Rename)
            .map(Counted::Kind);
        let mut known = limited.chain([Counted::Lose, Counted::Unclear, Counted::Turn]);
        let allowance = text.split_once('=').and_then(|(word, number)| {
            Some(Self {
                counted: known.find(|counted| counted.word() == word)?,
                number: number.parse().ok()?,
            })
        });
        allowance.ok_or_else(|| InvalidAllowance(text.to_owned()))
    }
}

impl FromIterator<Allowance> for Allowed {
    /// Of several for the same the largest counts.
    fn from_iter<I: IntoIterator<Item = Allowance>>(allowances: I) -> Self {
        let mut allowed = BTreeMap::new();
        for Allowance { counted, number } in allowances {
            let most = allowed.entry(counted).or_insert(number);
            *most = number.max(*most);
        }
        Self(allowed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_lifted_by_its_word_and_the_number() {
        for text in [
            "plan=3",
            "restore=0",
            "create=10",
            "suspend=37",
            "remove=2",
            "lose=1",
            "unclear=5",
            "turn=600",
        ] {
            assert_eq!(text.parse::<Allowance>().unwrap().to_string(), text);
        }
        for text in [
            "suspend",
            "suspend=",
            "suspend=x",
            "suspend=-1",
            "rename=1",
            "all=1",
            "",
        ] {
            assert_eq!(text.parse::<Allowance>(), Err(InvalidAllowance(text.to_owned())));
        }
        let allowed: Allowed = ["suspend=3", "suspend=5", "suspend=4"]
            .iter()
            .map(|text| text.parse::<Allowance>().unwrap())
            .collect();
        let suspend = Counted::Kind(Kind::Suspend);
        assert!(allowed.lets(suspend, 5) && !allowed.lets(suspend, 6) && !allowed.lets(Counted::Lose, 0));
    }
}
