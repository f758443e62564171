//! What a book asks of an inventory.

use super::decision::Decided;
use super::facts::Facts;
use super::trust;

/// Decides what a book asks of an inventory: what is to be written, and what is left open, with its reasons. The same facts give the
/// same decision, in the same order.
#[must_use]
pub fn decide(facts: &Facts<'_>) -> Decided {
    let kind = facts.book.kind;
    let mut decided = Decided::default();
    let Some(mapping) = facts.inventory.billing.get(&kind) else {
        decided.distrust = Some(format!(
            "the inventory has no `billing.{}`: it does not say what the words of {kind} mean",
            kind.key()
        ));
        return decided;
    };
    decided.clock = trust::clock(facts.before.now, facts.book.at, facts.now);
    let is_tied = |subscriber: &&crate::inventory::model::Subscriber| subscriber.external.of(kind).is_some();
    let tied = facts.inventory.subscribers.values().filter(is_tied).count();
    decided.distrust = trust::distrust(facts, mapping, tied);
    decided
}
