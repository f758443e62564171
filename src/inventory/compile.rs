//! An inventory seen from one device: what that device is to hold.

use std::collections::BTreeMap;

use crate::domain::{Mbps, PortBinding, SubscriberModel, VlanSet};

use super::desired::{DesiredDevice, DesiredEndpoint, DesiredProfile, DesiredRate, DesiredSubscriber};
use super::drift;
use super::model::{Device, Inventory, Rates, State, Subscriber, Suspension, UNTHROTTLED};
use super::rate::ceiling;

/// Compiles the wish for one device: suspension worked in, only the profiles that are needed, subscribers' endpoints
/// beside the spare ones. `None` when there is no such device.
#[must_use]
pub fn compile(inventory: &Inventory, device_key: &str) -> Option<DesiredDevice> {
    Some(compile_device(inventory, inventory.devices.get(device_key)?))
}

/// Compiles the wish for every device.
#[must_use]
pub fn compile_all(inventory: &Inventory) -> BTreeMap<String, DesiredDevice> {
    let compiled = |(key, device): (&String, &Device)| (key.clone(), compile_device(inventory, device));
    inventory.devices.iter().map(compiled).collect()
}

fn compile_device(inventory: &Inventory, device: &Device) -> DesiredDevice {
    let mut desired = DesiredDevice {
        subscriber_model: device.subscriber_model,
        key: device.key.clone(),
        was: device.was.clone(),
        model: device.model,
        mode: device.mode,
        paused: device.paused.clone(),
        unsaved: inventory.policies.unsaved,
        drift: drift::of_device(inventory, device),
        allow_assumed: device.allow_assumed,
        hostname: device.hostname.clone(),
        ports: device.ports.clone(),
        profiles: BTreeMap::new(),
        endpoints: spare_endpoints(device),
        subscribers: BTreeMap::new(),
        notes: Vec::new(),
    };
    for subscriber in inventory.subscribers.on(&device.key) {
        add(inventory, subscriber, &mut desired);
    }
    desired
}

fn spare_endpoints(device: &Device) -> BTreeMap<String, DesiredEndpoint> {
    let desired = |spare: &super::model::SpareEndpoint| DesiredEndpoint {
        management_access: spare.management_access,
        was: spare.was.clone(),
        mac: spare.mac,
        name: spare.name.clone(),
        description: spare.description.clone(),
        port: spare.port,
        id: spare.id,
        protect: spare.protect,
    };
    device
        .endpoints
        .iter()
        .map(|(key, spare)| (key.clone(), desired(spare)))
        .collect()
}

fn add(inventory: &Inventory, subscriber: &Subscriber, desired: &mut DesiredDevice) {
    if let Some(endpoint) = &subscriber.endpoint {
        desired.endpoints.insert(
            subscriber.key.clone(),
            DesiredEndpoint {
                management_access: endpoint.management_access,
                was: subscriber.was.clone(),
                mac: endpoint.mac,
                name: endpoint.name.clone(),
                description: endpoint.description.clone(),
                port: subscriber.port,
                id: endpoint.id,
                protect: subscriber.protect,
            },
        );
    }
    let suspended = subscriber.state == State::Suspended;
    let suspension = inventory.policies.suspension.as_ref().filter(|_| suspended);
    let plan = match suspension {
        Some(Suspension::Plan(plan)) => plan,
        _ => &subscriber.plan,
    };
    let mut wish = DesiredSubscriber {
        double_tag: subscriber.double_tag,
        port: match (desired.subscriber_model, subscriber.port) {
            (SubscriberModel::PortAware, PortBinding::Port(port)) => Some(port),
            _ => None,
        },
        trunk: subscriber.trunk,
        was: subscriber.was.clone(),
        name: subscriber.name.clone(),
        description: subscriber.description.clone(),
        endpoint: subscriber.endpoint.as_ref().map(|_| subscriber.key.clone()),
        vlan: subscriber.vlan,
        tagged: subscriber.tagged,
        remapped_vlan: subscriber.remapped_vlan,
        rate: rate(inventory, plan, desired),
        allowed_vlans: subscriber.allowed_vlans.clone(),
        port2_vlan: subscriber.port2_vlan,
        poe: subscriber.poe,
        id: subscriber.id,
        protect: subscriber.protect,
        suspended,
    };
    match suspension {
        Some(Suspension::Vlan(vlan)) => {
            wish.vlan = *vlan;
            // Whatever else passes would be service that goes on. The tag stays: the customer's router expects it, and is to
            // see the walled garden.
            wish.allowed_vlans = VlanSet::default();
            wish.port2_vlan = None;
            wish.remapped_vlan = None;
            wish.trunk = false;
            // Within an outer tag it would arrive where the service does, and not in the garden.
            wish.double_tag = None;
        }
        Some(Suspension::Unbind) => {
            wish.endpoint = None;
            wish.port = None;
        }
        Some(Suspension::Plan(_)) | None => {}
    }
    desired.subscribers.insert(subscriber.key.clone(), wish);
}

/// What limits a subscriber with this plan here; puts the profile among the needed ones.
fn rate(inventory: &Inventory, key: &str, desired: &mut DesiredDevice) -> DesiredRate {
    if key == UNTHROTTLED {
        return DesiredRate::Unthrottled;
    }
    let Some(plan) = inventory.plans.get(key) else {
        return DesiredRate::Unthrottled;
    };
    let medium = desired.model.medium;
    match (plan.rates_on(medium), plan.asked) {
        (Rates::Limited { down, up }, _) => {
            desired
                .profiles
                .entry(key.to_owned())
                .or_insert_with(|| DesiredProfile {
                    service_limit_level: plan.service_limit_level,
                    was: plan.was.clone(),
                    name: plan.name.clone(),
                    description: plan.description.clone(),
                    down,
                    up,
                    protect: plan.protect,
                });
            DesiredRate::Profile(key.to_owned())
        }
        (Rates::Unthrottled, Rates::Limited { down, up }) => {
            let note = above(key, down, up, medium, ceiling(medium, inventory.policies.max_rate));
            if !desired.notes.contains(&note) {
                desired.notes.push(note);
            }
            DesiredRate::Unthrottled
        }
        (Rates::Unthrottled, Rates::Unthrottled) => DesiredRate::Unthrottled,
    }
}

fn above(key: &str, down: Mbps, up: Mbps, medium: crate::domain::Medium, ceiling: Mbps) -> String {
    format!(
        "plan `{key}` comes to {down} down and {up} up with headroom, above the {ceiling} that a profile can limit on {medium}: \
         its subscribers are unthrottled here"
    )
}

#[cfg(test)]
mod tests;
