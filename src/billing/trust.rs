//! Whether a book, and a clock, can be believed.
//!
//! A billing system that is broken, restored from a backup, or has shrunk what our key may see says something, and says it well. What
//! gives it away is how much it differs from the last time.

use jiff::{SignedDuration, Timestamp};

use crate::inventory::billing::Mapping;
use crate::inventory::guards::Limit;

use super::facts::{Allowance, Counted, Facts, Told};
use super::{Book, Scope, Standing};

/// By how much clocks may be apart before one of them is taken to be wrong.
const APART: SignedDuration = SignedDuration::from_mins(10);

/// How much a book tells.
pub(super) fn told(book: &Book) -> Told {
    Told {
        accounts: book.accounts.len(),
        services: book.accounts.values().map(|account| account.services.len()).sum(),
    }
}

/// Why nothing at all is done from a book; `tied` is how many subscribers have a service of the system. Only a book of everything can
/// be found wanting: what was asked for by id was asked for one by one.
pub(super) fn distrust(facts: &Facts<'_>, mapping: &Mapping, tied: usize) -> Option<String> {
    if facts.book.scope != Scope::Everything {
        return None;
    }
    let kind = facts.book.kind;
    let now = told(facts.book);
    let before = facts.before.told.unwrap_or_default();
    if now.services == 0 && (tied > 0 || before.services > 0) {
        let lost = tied.max(before.services);
        let known = if before.services > 0 {
            format!("it told of {} the last time", before.services)
        } else {
            format!("{tied} subscribers of the inventory are tied to one")
        };
        if !facts.allow.lets(Counted::Lose, lost) {
            return Some(format!(
                "{kind} tells of no service at all, and {known}: look at what the API key may see{}",
                or_allow(Counted::Lose, lost)
            ));
        }
    }
    let limits = &mapping.limits;
    let lost = |what: &str, before: usize, now: usize| {
        let lost = before.saturating_sub(now);
        let words = format!("{kind} tells of {now} {what} and told of {before} the last time");
        above(facts, limits.lose, before, Counted::Lose, lost).map(|limit| {
            format!("{words}: {lost} less, of which {limit} would be let through; look at what the API key may see")
                + &or_allow(Counted::Lose, lost)
        })
    };
    let unclear = || {
        let unclear = (facts.book.services()).filter(|(_, _, service)| service.standing == Standing::Unclear);
        let number = unclear.count();
        above(facts, limits.unclear, now.services, Counted::Unclear, number).map(|limit| {
            format!(
                "{number} of {} services of {kind} are not understood, of which {limit} would be let through: look at what \
                 {kind} says of them{}",
                now.services,
                or_allow(Counted::Unclear, number)
            )
        })
    };
    let turned = || {
        let number = turned(facts);
        above(facts, limits.turn, facts.before.services.len(), Counted::Turn, number).map(|limit| {
            format!(
                "{number} services of {kind} begin or cease to be served at once, of which {limit} would be let through: look whether \
                 that is meant{}",
                or_allow(Counted::Turn, number)
            )
        })
    };
    lost("accounts", before.accounts, now.accounts)
        .or_else(|| lost("services", before.services, now.services))
        .or_else(unclear)
        .or_else(turned)
}

/// `, or allow it with `--allow lose=12``.
pub(super) fn or_allow(counted: Counted, number: usize) -> String {
    format!(", or allow it with `--allow {}`", Allowance { counted, number })
}

/// The limit that a number is above, unless somebody allows it.
fn above(facts: &Facts<'_>, limit: Option<Limit>, whole: usize, counted: Counted, number: usize) -> Option<usize> {
    let limit = limit?.of(whole)?;
    (number > limit && !facts.allow.lets(counted, number)).then_some(limit)
}

/// How many services that were known begin or cease to be served.
fn turned(facts: &Facts<'_>) -> usize {
    let has_turned = |(name, _, service): &(crate::domain::ServiceRef, &super::Account, &super::Service)| {
        let before = facts.before.services.get(&name.to_string());
        before.is_some_and(|before| is_served(before.standing) != is_served(service.standing))
    };
    facts.book.services().filter(has_turned).count()
}

/// Whether a service is to work.
pub(super) const fn is_served(standing: Standing) -> bool {
    matches!(standing, Standing::Active | Standing::Delinquent)
}

/// Why nothing is done that depends on what time it is.
pub(super) fn clock(before: Option<Timestamp>, book: Option<Timestamp>, now: Timestamp) -> Option<String> {
    if let Some(before) = before.filter(|before| now.duration_since(*before) < -APART) {
        return Some(format!(
            "our clock says {now:.0}, and said {before:.0} the last time: one of the two was wrong"
        ));
    }
    let book = book.filter(|book| now.duration_since(*book).abs() > APART)?;
    Some(format!(
        "our clock says {now:.0} and that of the billing system {book:.0}: set the one that is wrong"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_believed_while_it_goes_on_and_another_agrees() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let now = at("2026-11-28T12:00:00Z");
        assert_eq!(clock(None, None, now), None);
        assert_eq!(
            clock(Some(at("2026-10-01T00:00:00Z")), Some(at("2026-11-28T12:09:59Z")), now),
            None
        );
        assert_eq!(clock(Some(at("2026-11-28T12:09:59Z")), None, now), None);
        let back = clock(Some(at("2026-11-28T12:10:01Z")), Some(now), now).unwrap();
        assert!(back.contains("said 2026-11-28T12:10:01Z the last time"), "{back}");
        for other in ["2026-11-28T12:10:01Z", "2026-11-28T11:49:59Z", "2027-01-01T00:00:00Z"] {
            let apart = clock(None, Some(at(other)), now).unwrap();
            assert!(apart.contains(other), "{apart}");
        }
    }
}
