//! What a whole plan does to service, in one line.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::observed::Kind;

use super::duration::Estimate;
use super::{Away, Class};
use crate::plan::model::{Action, ObjectChange};
use crate::plan::text::count;

/// What a set of changes does to service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Total {
    /// The worst of it.
    pub class: Class,
    /// How many subscribers feel anything, each counted once on each device.
    pub subscribers: usize,
    /// How many of them stay without service. Who moves to another device of the plan does not.
    pub for_good: usize,
    /// The longest that anybody else is without service; `None` where nobody is.
    pub longest: Option<Estimate>,
}

/// Adds up changes, each beside the key of its device.
#[must_use]
pub fn total<'c>(changes: impl Iterator<Item = (&'c str, &'c ObjectChange)> + Clone) -> Total {
    let mut total = Total::default();
    let is_made = |change: &ObjectChange| change.kind == Kind::Subscriber && change.action == Action::Create;
    let arriving: BTreeSet<&str> = (changes.clone().filter(|(_, change)| is_made(change)))
        .map(|(_, change)| change.key.as_str())
        .collect();
    let mut felt: BTreeMap<(&str, &str), bool> = BTreeMap::new();
    for (device, change) in changes {
        total.class = total.class.max(change.impact.class);
        total.longest = total.longest.max(change.estimate);
        for subscriber in &change.subscribers {
            let for_good = change.impact.away == Away::ForGood && !arriving.contains(subscriber.as_str());
            *felt.entry((device, subscriber)).or_default() |= for_good;
        }
    }
    total.subscribers = felt.len();
    total.for_good = felt.values().filter(|for_good| **for_good).count();
    total
}

impl fmt::Display for Total {
    /// One sentence, such as `3 subscribers, longest about 20 s (assumed); at worst identity.`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.class == Class::None {
            return f.write_str("no subscriber is interrupted.");
        }
        f.write_str(&count(self.subscribers, "subscriber"))?;
        if let Some(longest) = self.longest {
            write!(f, ", longest {longest}")?;
        }
        match self.for_good {
            0 => {}
            all if all == self.subscribers => f.write_str(", without service from then on")?,
            some => write!(f, ", {some} of them without service from then on")?,
        }
        write!(f, "; at worst {}.", self.class.word())
    }
}
