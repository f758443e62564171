//! Guards: what a plan may do before somebody has to say that it is meant.
//!
//! They look at the whole plan, at what gamops owns in the whole fleet, and at the inventory that was last applied: a
//! limit that is loosened, or a protection that is taken away, in the very commit that needs it helps nothing. Shares
//! count over the fleet, whatever a run was narrowed to.

mod allow;
mod baseline;
mod lost;
mod policy;
mod protect;
mod trip;

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::PortBinding;
use crate::inventory;
use crate::inventory::guards::{Guards, Limit};
use crate::inventory::model::{Inventory, State};
use crate::observed::{DeviceConfig, Kind, ObjectId, Subscriber};

use super::model::{Action, DeviceChanges, Outcome, Plan};

pub use allow::{Allow, Allowances, InvalidAllow, Source, Subject, TRAILER, allowed_by};
pub use baseline::{Baseline, Counts, Earlier, Protected};
pub use policy::{Ruling, rulings};
pub(super) use protect::refuse_protected;
pub use trip::{Excess, Guard, Trip, Verdict, Why};

/// What guards look at beside the plan.
#[derive(Debug, Clone, Copy)]
pub struct Sight<'a> {
    /// The inventory that the plan was made from.
    pub inventory: &'a Inventory,
    /// How many subscribers gamops owns on each device of the inventory, also on those that the plan leaves out.
    pub on_record: &'a BTreeMap<String, usize>,
    /// The inventory that was last applied as a whole; `None` before the first time.
    pub last: Option<&'a Baseline>,
    /// What was said to be meant.
    pub allowances: &'a Allowances,
}

/// Every guard that the plan trips, allowed or not. The same input gives the same list.
#[must_use]
pub fn judge(plan: &Plan, sight: Sight<'_>) -> Vec<Trip> {
    let limits = Limits::of(sight);
    let toll = Toll::of(plan, sight);
    let mut trips = Vec::new();

    let destroyed: usize = toll.destroyed.values().map(BTreeSet::len).sum();
    for (device, gone) in &toll.destroyed {
        let excess = limits.exceeded(
            |guards| guards.destroy_per_device,
            gone.len(),
            toll.on_record.get(device).copied().unwrap_or(0),
        );
        trips.extend(excess.map(|excess| (Guard::DestroyPerDevice, Some(device.clone()), excess, destroyed)));
    }
    let everybody: usize = toll.on_record.values().sum();
    let devices = sight.inventory.devices.len();
    let of_fleet = [
        (
            Guard::DestroyPerFleet,
            destroyed,
            limits.exceeded(|guards| guards.destroy_per_fleet, destroyed, everybody),
        ),
        (
            Guard::Suspend,
            toll.suspended,
            limits.exceeded(|guards| guards.suspend, toll.suspended, everybody),
        ),
        (
            Guard::ChangeDevices,
            toll.changed,
            limits.exceeded(|guards| guards.change_devices, toll.changed, devices),
        ),
    ];
    for (guard, number, excess) in of_fleet {
        trips.extend(excess.map(|excess| (guard, None, excess, number)));
    }
    trips.extend(lost::lost(sight, &limits));

    let numbers = trips.into_iter().map(|(guard, device, excess, number)| {
        let needs = Allow {
            subject: guard.subject(),
            count: number,
        };
        Trip {
            guard,
            device,
            verdict: sight.allowances.verdict(needs),
            why: Why::TooMany { excess, needs },
        }
    });
    numbers.chain(protect::lost(plan, sight, &toll.destroyed)).collect()
}

/// How a plan that these refuse is applied all the same, where that is meant; all numbers in one. `None` where nothing is to
/// be allowed.
#[must_use]
pub fn way_through(trips: &[Trip]) -> Option<String> {
    let refused = trips.iter().filter(|trip| trip.is_refused());
    let mut needs: Vec<Allow> = refused.filter_map(Trip::needs).collect();
    needs.dedup();
    (!needs.is_empty()).then(|| allow::said(&needs))
}

/// The limits that hold: those of the inventory, and those of the one that was last applied.
struct Limits<'a> {
    now: &'a Guards,
    last: Option<&'a Guards>,
    earlier: Earlier,
}

impl<'a> Limits<'a> {
    fn of(sight: Sight<'a>) -> Self {
        Self {
            now: &sight.inventory.policies.guards,
            last: sight.last.map(|last| &last.guards),
            earlier: sight.last.map(|last| last.earlier).unwrap_or_default(),
        }
    }

    /// What of the stricter limit is exceeded by `number` of `whole`.
    fn exceeded(&self, of: impl Fn(&Guards) -> Option<Limit>, number: usize, whole: usize) -> Option<Excess> {
        let excess = |guards: &Guards, last: bool| {
            let limit = of(guards)?;
            Some(Excess {
                number,
                limit: limit.of(whole)?,
                whole,
                share: limit.counting_share(whole),
                last,
                earlier: self.earlier,
            })
        };
        let now = excess(self.now, false);
        let last = self.last.and_then(|last| excess(last, true));
        let stricter = match (now, last) {
            (Some(now), Some(last)) if last.limit < now.limit => Some(last),
            (now, last) => now.or(last),
        };
        stricter.filter(|excess| number > excess.limit)
    }
}

/// What a plan comes to for subscribers and devices.
struct Toll {
    /// Subscribers that go for good, by device.
    destroyed: BTreeMap<String, BTreeSet<String>>,
    /// Subscribers that lose their service and stay.
    suspended: usize,
    /// Devices that are changed.
    changed: usize,
    /// Subscribers that gamops owns, by device.
    on_record: BTreeMap<String, usize>,
}

impl Toll {
    fn of(plan: &Plan, sight: Sight<'_>) -> Self {
        let subscribers = &sight.inventory.subscribers;
        let renamed = subscribers.values().filter_map(|one| Some((one.was.as_deref()?, one)));
        let renamed: BTreeMap<&str, &inventory::model::Subscriber> = renamed.collect();
        let home = |key: &str| subscribers.get(key).or_else(|| renamed.get(key).copied());
        let made = plan.read().filter(|changes| changes.is_actionable());
        let made = made.flat_map(|changes| &changes.changes);
        let made = made.filter(|change| change.kind == Kind::Subscriber && change.action == Action::Create);
        let made: BTreeSet<&str> = made.map(|change| change.key.as_str()).collect();
        // That the inventory has it here is no reason: a plan that undoes a run takes away what the inventory asks for.
        let stays = |key: &str, device: &str| made.contains(key) || home(key).is_some_and(|one| one.device != device);
        let mut toll = Self {
            destroyed: BTreeMap::new(),
            suspended: 0,
            changed: 0,
            on_record: sight.on_record.clone(),
        };
        for device in &plan.devices {
            let Outcome::Read(changes) = &device.outcome else {
                continue;
            };
            let owned = changes
                .records_before
                .iter()
                .filter(|record| record.kind() == Kind::Subscriber);
            toll.on_record.insert(device.device.clone(), owned.count());
            if !changes.is_actionable() {
                continue;
            }
            let gone: BTreeSet<String> = changes
                .changes
                .iter()
                .filter(|change| change.kind == Kind::Subscriber && change.action == Action::Destroy)
                // Who moves to another device, or gets another number, is made there as well.
                .filter(|change| !stays(&change.key, &device.device))
                .map(|change| change.key.clone())
                .collect();
            if !gone.is_empty() {
                toll.destroyed.insert(device.device.clone(), gone);
            }
            toll.suspended += suspended(changes, sight.inventory);
            toll.changed += usize::from(!changes.steps.is_empty());
        }
        toll
    }
}

/// How many subscribers of a device stay and lose their service.
fn suspended(changes: &DeviceChanges, inventory: &Inventory) -> usize {
    let is_to_be_suspended = |id: ObjectId| {
        let record = changes.records.iter().find(|record| record.object == id);
        let subscriber = record.and_then(|record| inventory.subscribers.get(&record.key));
        subscriber.is_some_and(|subscriber| subscriber.state == State::Suspended)
    };
    let both = changes
        .observed
        .subscribers
        .iter()
        .filter_map(|(id, before)| Some((id, before, changes.target.subscribers.get(id)?)));
    both.filter(|(id, before, after)| {
        let (observed, target) = (&changes.observed, &changes.target);
        Loss::of(
            (observed, before),
            (target, after),
            is_to_be_suspended(ObjectId::Subscriber(**id)),
        )
        .is_some()
    })
    .count()
}

/// How a subscriber that stays loses its service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Loss {
    /// The suspension policy comes into force.
    Suspended,
    /// It has no endpoint, or its endpoint no port, any more.
    Unbound,
}

impl Loss {
    /// What a subscriber loses on the way from one state to another. `suspended`: the inventory suspends it.
    fn of(before: (&DeviceConfig, &Subscriber), after: (&DeviceConfig, &Subscriber), suspended: bool) -> Option<Self> {
        let served = |(config, subscriber): (&DeviceConfig, &Subscriber)| {
            let endpoint = subscriber.endpoint.and_then(|id| config.endpoints.get(&id));
            subscriber.port.is_some() || endpoint.is_some_and(|endpoint| endpoint.port != PortBinding::Unassigned)
        };
        let service = |subscriber: &Subscriber| {
            (
                subscriber.vlan,
                subscriber.profile,
                subscriber.endpoint,
                subscriber.port,
            )
        };
        if suspended && service(before.1) != service(after.1) {
            Some(Self::Suspended)
        } else if served(before) && !served(after) {
            Some(Self::Unbound)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests;
