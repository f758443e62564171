//! What is remembered of a billing system from one time to the next.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::inventory::model::{Inventory, Subscriber};

use super::decision::Decided;
use super::facts::{Facts, Remembered, Stood};
use super::{Scope, trust};

/// Days after which it is forgotten that a VLAN was used: longer than any VLAN rests.
const FORGOTTEN_AFTER_DAYS: i64 = 1000;

/// What is to be remembered after a decision. A book that was distrusted is not remembered: the next one is compared with the same as
/// this was.
#[must_use]
pub fn remember(facts: &Facts<'_>, decided: &Decided) -> Remembered {
    if decided.distrust.is_some() {
        return facts.before.clone();
    }
    let before = facts.before;
    let whole = facts.book.scope == Scope::Everything;
    let mut memory = Remembered {
        now: Some(facts.now),
        told: if whole {
            Some(trust::told(facts.book))
        } else {
            before.told
        },
        services: if whole {
            BTreeMap::new()
        } else {
            before.services.clone()
        },
        shared: if whole {
            decided.shared.clone()
        } else {
            before.shared.clone()
        },
        vlans: before.vlans.clone(),
        agreed: decided.agreed.clone(),
    };
    // Only of what all told at once: a thousand looks, one by one, would be a thousand that turn back with the next whole book.
    let told = facts.book.services().filter(|_| whole);
    for (name, _, service) in told {
        let name = name.to_string();
        let same = (before.services.get(&name)).filter(|stood| stood.standing == service.standing);
        let since = same.map_or(facts.now, |stood| stood.since);
        let standing = service.standing;
        memory.services.insert(name, Stood { standing, since });
    }
    if decided.clock.is_none() {
        use_vlans(facts.inventory, day(facts.now), &mut memory);
    }
    memory
}

/// The day of a moment, in UTC.
pub(super) fn day(now: Timestamp) -> Date {
    now.to_zoned(TimeZone::UTC).date()
}

/// Notes which VLANs are in use.
fn use_vlans(inventory: &Inventory, today: Date, memory: &mut Remembered) {
    for subscriber in inventory.subscribers.values() {
        for place in places(inventory, subscriber) {
            let used = memory.vlans.entry(place).or_default();
            used.extend(vlans(subscriber).map(|vlan| (vlan, today)));
        }
    }
    for used in memory.vlans.values_mut() {
        used.retain(|_, last| days_between(*last, today) <= FORGOTTEN_AFTER_DAYS);
    }
    memory.vlans.retain(|_, used| !used.is_empty());
}

/// Whole days from one day to another; negative where the other is earlier.
pub(super) fn days_between(from: Date, to: Date) -> i64 {
    from.duration_until(to).as_hours() / 24
}

/// Under which names the VLANs of a subscriber are remembered.
fn places(inventory: &Inventory, subscriber: &Subscriber) -> impl Iterator<Item = String> {
    let device = inventory.devices.get(&subscriber.device);
    let site = device.and_then(|device| device.site.as_ref());
    [
        device.map(|device| format!("device/{}", device.key)),
        site.map(|site| format!("site/{site}")),
    ]
    .into_iter()
    .flatten()
}

/// The VLANs that a subscriber uses.
pub(super) fn vlans(subscriber: &Subscriber) -> impl Iterator<Item = u16> + '_ {
    let single = [Some(subscriber.vlan), subscriber.remapped_vlan, subscriber.port2_vlan];
    let all = single.into_iter().flatten().chain(subscriber.allowed_vlans.iter());
    all.map(|vlan| vlan.get())
}
