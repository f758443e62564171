//! Words for what devices hold and the inventory has none for yet: keys of subscribers and endpoints, and plans.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{EndpointId, ProfileId, SubscriberId};
use crate::inventory::edit::Value;
use crate::inventory::model::{Device, Inventory, Rates, ServicePlan};
use crate::observed::{Kind, ObjectId};
use crate::plan::model::{Action, DeviceChanges};

use super::super::entry::{self, Line};
use super::super::found::Existing;
use super::super::keys;
use super::super::naming::{wanted_spare, wanted_subscriber};
use super::super::plans::{Plans, used};

/// A plan that the inventory would get.
#[derive(Debug, Clone)]
pub(super) struct NewPlan {
    /// Its key.
    pub(super) key: String,
    /// Its entry.
    pub(super) value: Value,
    /// Whether nobody would sell its rates: they are as found.
    pub(super) is_odd: bool,
}

/// The keys and plans that a set of devices asks for, by device key and number.
#[derive(Debug, Default)]
pub(super) struct Newcomers {
    pub(super) subscribers: BTreeMap<(String, SubscriberId), String>,
    pub(super) endpoints: BTreeMap<(String, EndpointId), String>,
    pub(super) plans: BTreeMap<(String, ProfileId), NewPlan>,
}

impl Newcomers {
    /// Finds keys that nothing else has, for all devices together: who is called the same on two of them is two people.
    pub(super) fn of(existing: Existing<'_>, devices: &[(&Device, &DeviceChanges)]) -> Self {
        let mut newcomers = Self::default();
        newcomers.name_subscribers(existing.inventory, devices);
        for (device, changes) in devices {
            newcomers.name_endpoints(existing.inventory, device, changes);
        }
        newcomers.make_plans(existing, devices);
        newcomers
    }

    fn name_subscribers(&mut self, inventory: &Inventory, devices: &[(&Device, &DeviceChanges)]) {
        let mut wanted: BTreeMap<(&str, SubscriberId), String> = BTreeMap::new();
        for (device, changes) in devices {
            for (id, key) in strangers(changes) {
                if let (ObjectId::Subscriber(id), Some(held)) = (id, subscriber(changes, id)) {
                    let key = key.map_or_else(|| wanted_subscriber(id, &held.name), str::to_owned);
                    wanted.insert((&device.key, id), key);
                }
            }
        }
        let taken: BTreeSet<String> = inventory.subscribers.keys().cloned().collect();
        let given = keys::assign(&wanted, &taken, |(device, _), key| format!("{device}-{key}"));
        let given = given.into_iter();
        self.subscribers = given
            .map(|((device, id), key)| ((device.to_owned(), id), key))
            .collect();
    }

    fn name_endpoints(&mut self, inventory: &Inventory, device: &Device, changes: &DeviceChanges) {
        let observed = &changes.observed;
        let serves = |id: &EndpointId| observed.subscribers.values().any(|one| one.endpoint == Some(*id));
        let free = observed.endpoints.iter().filter(|(id, _)| !serves(id));
        let mut wanted: BTreeMap<EndpointId, String> = free.map(|(id, held)| (*id, wanted_spare(*id, held))).collect();
        for (id, key) in strangers(changes) {
            if let (ObjectId::Endpoint(id), Some(key)) = (id, key) {
                wanted.insert(id, key.to_owned());
            }
        }
        let spares = device.endpoints.keys().cloned();
        // An endpoint that serves a subscriber has that one's key.
        let served = inventory.subscribers.keys().chain(self.subscribers.values()).cloned();
        let taken: BTreeSet<String> = spares.chain(served).collect();
        let given = keys::assign(&wanted, &taken, |id, key| format!("{key}-{id}"));
        let given = given.into_iter().map(|(id, key)| ((device.key.clone(), id), key));
        self.endpoints.extend(given);
    }

    /// Plans for the profiles that somebody has and that no plan of the inventory stands for.
    fn make_plans(&mut self, existing: Existing<'_>, devices: &[(&Device, &DeviceChanges)]) {
        let configs: Vec<_> = devices.iter().map(|(_, changes)| &*changes.observed).collect();
        let unknown = devices.iter().enumerate().flat_map(|(place, (device, changes))| {
            let used = used(&changes.observed).into_iter();
            let unknown = used.filter(|id| known_plan(existing.inventory, device, changes, *id).is_none());
            unknown.map(move |id| (place, id)).collect::<Vec<_>>()
        });
        let plans = Plans::among(&configs, unknown, Some(existing));
        for ((place, id), plan) in &plans.of {
            let (Some((device, _)), Some(plan)) = (devices.get(*place), plans.list.get(*plan)) else {
                continue;
            };
            if let Some(value) = value(&entry::plan(plan, plans.headroom, &|_| false)) {
                let new = NewPlan {
                    key: plan.key.clone(),
                    value,
                    is_odd: plan.sold.odd,
                };
                self.plans.insert((device.key.clone(), *id), new);
            }
        }
    }
}

/// The plan of the inventory that stands for a profile on a device: the one that gamops has it on record for, else the one with its
/// name and rates.
pub(super) fn known_plan<'i>(
    inventory: &'i Inventory,
    device: &Device,
    changes: &DeviceChanges,
    id: ProfileId,
) -> Option<&'i ServicePlan> {
    let held = changes.observed.profiles.get(&id)?;
    let is_it = |record: &&crate::plan::record::Record| record.object == ObjectId::Profile(id);
    let on_record = changes.records.iter().find(is_it);
    let by_record = on_record.and_then(|record| inventory.plans.get(&record.key));
    let is_it = |plan: &&ServicePlan| {
        let rates = plan.rates_on(device.model.medium);
        plan.name == held.name
            && matches!(rates, Rates::Limited { down, up } if (Some(down), Some(up)) == (held.down, held.up))
    };
    by_record.or_else(|| inventory.plans.values().find(is_it))
}

/// What the inventory has no entry for: unmanaged, or gone from it and still there, then with the key that it had.
fn strangers(changes: &DeviceChanges) -> impl Iterator<Item = (ObjectId, Option<&str>)> {
    let left = (changes.changes.iter()).filter(|change| change.action == Action::Destroy);
    // What gamops keeps under a number alone had another key before.
    let left = left.map(|change| (change.object, Some(&*change.key).filter(|key| !key.starts_with('#'))));
    let unmanaged = changes.unmanaged.iter().map(|(id, _)| (*id, None));
    left.chain(unmanaged)
        .filter(|(id, _)| matches!(id.kind(), Kind::Subscriber | Kind::Endpoint))
}

fn subscriber(changes: &DeviceChanges, id: ObjectId) -> Option<&crate::observed::Subscriber> {
    match id {
        ObjectId::Subscriber(id) => changes.observed.subscribers.get(&id),
        _ => None,
    }
}

/// An entry that was written as text, its key first, as a value.
pub(super) fn value(lines: &[Line]) -> Option<Value> {
    let below = lines
        .iter()
        .skip(1)
        .map(|line| format!("{}{}\n", "  ".repeat(line.depth.saturating_sub(1)), line.text));
    Value::read(&below.collect::<String>())
}
