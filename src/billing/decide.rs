//! What a book asks of an inventory.

use super::decision::Decided;
use super::facts::Facts;
use super::judge::{Judge, open};
use super::tie::{Tie, ties};
use super::{Scope, limit, newcomer, trust};

/// Decides what a book asks of an inventory: what is to be written, and what is left open, with its reasons. The same facts give the
/// same decision, in the same order.
///
/// The way: is the book believed → which service is whose → what each asks of its subscriber → who is new → is it too much.
#[must_use]
pub fn decide(facts: &Facts<'_>) -> Decided {
    let kind = facts.book.kind;
    let mut decided = Decided {
        agreed: facts.before.agreed.clone(),
        clock: trust::clock(facts.before.now, facts.book.at, facts.now),
        ..Decided::default()
    };
    let Some(mapping) = facts.inventory.billing.get(&kind) else {
        decided.distrust = Some(format!(
            "the inventory has no `billing.{}`: it does not say what the words of {kind} mean",
            kind.key()
        ));
        return decided;
    };
    let ties = ties(facts, mapping);
    if let Some(reason) = trust::distrust(facts, mapping, ties.tied) {
        decided.distrust = Some(reason);
        return decided;
    }
    if facts.book.scope == Scope::Everything {
        decided.shared = ties.shared.keys().copied().collect();
        decided
            .agreed
            .retain(|key, _| facts.inventory.subscribers.contains_key(key));
    }
    for (subscriber, tie) in &ties.ties {
        match tie {
            Tie::Open(why, service, words) => {
                let key = Some(subscriber.key.as_str());
                decided.open.push(open(key, service.clone(), *why, words.clone()));
            }
            Tie::To { service, renamed } => {
                let mut judge = Judge {
                    facts,
                    mapping,
                    time_is_sure: decided.clock.is_none(),
                    decided: &mut decided,
                };
                judge.judge(subscriber, &ties.services[*service], *renamed);
            }
        }
    }
    newcomer::newcomers(facts, mapping, &ties, &mut decided);
    limit::apply(facts, mapping, ties.tied, &mut decided);
    decided
        .intents
        .sort_by(|one, other| one.subscriber.cmp(&other.subscriber));
    decided.open.sort();
    decided
}
