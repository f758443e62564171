//! An inventory that lost a good part of itself: a folder that was not checked out, a merge gone wrong.

use super::baseline::Counts;
use super::{Excess, Guard, Limits, Sight};

/// What the inventory lost since it was last applied, where that is too much; with the number to allow.
pub(super) fn lost(
    sight: Sight<'_>,
    limits: &Limits<'_>,
) -> impl Iterator<Item = (Guard, Option<String>, Excess, usize)> {
    let counts = sight.last.map(|last| (last.counts, Counts::of(sight.inventory)));
    let kinds = counts.map(|(then, now)| {
        [
            (Guard::LoseDevices, then.devices, now.devices),
            (Guard::LoseSubscribers, then.subscribers, now.subscribers),
            (Guard::LosePlans, then.plans, now.plans),
        ]
    });
    kinds.into_iter().flatten().filter_map(|(guard, then, now)| {
        let gone = then.saturating_sub(now);
        let excess = limits.exceeded(|guards| guards.lose, gone, then)?;
        Some((guard, None, excess, gone))
    })
}
