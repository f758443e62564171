//! `protect: true`: what is never destroyed, suspended or parted from its line by a plan.
//!
//! What a device shows is refused device by device, by what is on record of its objects. What the inventory alone shows
//! (a device that left it, with all that was on it) is refused for the whole run.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::PortBinding;
use crate::inventory::desired::DesiredDevice;
use crate::inventory::model::Inventory;
use crate::observed::{DeviceConfig, Kind, ObjectId};
use crate::plan::model::Plan;
use crate::plan::record::Record;
use crate::plan::resolve::{Refusal, Resolution};

use super::{Earlier, Guard, Loss, Sight, Trip, Verdict, Why};

const HELP: &str = "put it back; or let it go in two steps: take `protect` away and apply that, then change it";

/// Refuses a device whose target takes the service of something protected, now or on record.
pub(in crate::plan) fn refuse_protected(
    resolution: &mut Resolution,
    desired: &DesiredDevice,
    observed: &DeviceConfig,
    records: &[Record],
) {
    // Where nothing is to differ nobody loses anything.
    if std::ptr::eq(&*resolution.target, observed) {
        return;
    }
    let protected: Vec<&Record> = records.iter().filter(|record| record.protect).collect();
    let on_record = |id: ObjectId, key: &str| {
        protected
            .iter()
            .any(|record| record.kind() == id.kind() && (record.object == id || record.key == key))
    };
    let mut refusals = Vec::new();
    let mut refuse = |id: ObjectId, key: &str, what: &str| {
        refusals.push(Refusal {
            rule: "protected",
            message: format!("{} `{key}` is protected and would be {what}", id.kind()),
            help: HELP.to_owned(),
        });
    };
    let target = &resolution.target;
    for (number, before) in &observed.subscribers {
        let id = ObjectId::Subscriber(*number);
        let (Some(after), Some(key)) = (target.subscribers.get(number), resolution.keys.get(&id)) else {
            continue;
        };
        let wish = desired.subscribers.get(key);
        if !wish.is_some_and(|wish| wish.protect) && !on_record(id, key) {
            continue;
        }
        let suspended = wish.is_some_and(|wish| wish.suspended);
        match Loss::of((observed, before), (target, after), suspended) {
            Some(Loss::Suspended) => refuse(id, key, "suspended"),
            Some(Loss::Unbound) => refuse(id, key, "parted from its endpoint or port"),
            None => {}
        }
    }
    for (number, before) in &observed.endpoints {
        let id = ObjectId::Endpoint(*number);
        let (Some(after), Some(key)) = (target.endpoints.get(number), resolution.keys.get(&id)) else {
            continue;
        };
        // A subscriber's endpoint is judged with its subscriber.
        let is_spare = !desired.subscribers.contains_key(key);
        let is_protected = desired.endpoints.get(key).is_some_and(|wish| wish.protect) || on_record(id, key);
        if is_spare && is_protected && before.port != PortBinding::Unassigned && after.port == PortBinding::Unassigned {
            refuse(id, key, "parted from its port");
        }
    }
    resolution.refusals.extend(refusals);
}

/// What was protected and left the inventory in a way that no device shows; and protected devices that would be emptied.
pub(super) fn lost(plan: &Plan, sight: Sight<'_>, destroyed: &BTreeMap<String, BTreeSet<String>>) -> Vec<Trip> {
    let inventory = sight.inventory;
    let mut lost = Vec::new();
    if let Some(last) = sight.last {
        let was_protected = |what: String| {
            (
                None,
                match last.earlier {
                    Earlier::Applied => {
                        format!("{what} was protected when the inventory was last applied, and has left it")
                    }
                    Earlier::Base => {
                        format!("{what} is protected in the base of this change, and leaves the inventory")
                    }
                },
            )
        };
        let protected = &last.protected;
        let devices = protected.devices.iter().filter(|key| !has_device(inventory, key));
        lost.extend(devices.map(|key| was_protected(format!("device `{key}`"))));
        let plans = protected.plans.iter().filter(|key| !has_plan(inventory, key));
        lost.extend(plans.map(|key| was_protected(format!("plan `{key}`"))));
        let gone = |device: &str| !has_device(inventory, device);
        let subscribers = protected
            .subscribers
            .iter()
            .filter(|(key, device)| gone(device) && !has_subscriber(inventory, key));
        lost.extend(subscribers.map(|(key, _)| was_protected(format!("subscriber `{key}`"))));
        let spares = protected.endpoints.iter().filter(|(device, _)| gone(device));
        lost.extend(spares.map(|(device, key)| was_protected(format!("endpoint `{key}` of `{device}`"))));
    }
    for (key, changes) in plan.read_devices() {
        let is_protected = inventory.devices.get(key).is_some_and(|device| device.protect)
            || sight.last.is_some_and(|last| last.protected.devices.contains(key));
        let owned = changes
            .records_before
            .iter()
            .filter(|record| record.kind() == Kind::Subscriber);
        let gone = destroyed.get(key).map_or(0, BTreeSet::len);
        let is_served = inventory.subscribers.on(key).next().is_some();
        if is_protected && gone > 0 && gone == owned.count() && !is_served {
            lost.push((
                Some(key.to_owned()),
                format!("device `{key}` is protected and would lose its last subscriber"),
            ));
        }
    }
    lost.into_iter()
        .map(|(device, what)| Trip {
            guard: Guard::Protected,
            device,
            why: Why::Protected { what },
            verdict: Verdict::Refused,
        })
        .collect()
}

fn has_device(inventory: &Inventory, key: &str) -> bool {
    inventory.devices.contains_key(key) || inventory.devices.values().any(|one| one.was.as_deref() == Some(key))
}

fn has_plan(inventory: &Inventory, key: &str) -> bool {
    inventory.plans.contains_key(key) || inventory.plans.values().any(|one| one.was.as_deref() == Some(key))
}

fn has_subscriber(inventory: &Inventory, key: &str) -> bool {
    let subscribers = &inventory.subscribers;
    subscribers.contains_key(key) || subscribers.values().any(|one| one.was.as_deref() == Some(key))
}
