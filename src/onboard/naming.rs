//! Which keys devices, subscribers and spare endpoints get.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{EndpointId, SubscriberId};
use crate::inventory::model::Inventory;
use crate::observed::Endpoint;

use super::draft::DeviceDraft;
use super::files::Layout;
use super::found::Found;
use super::keys;

/// The devices by key, each with its settings.
pub(super) fn devices<'f>(found: &'f [Found], inventory: Option<&Inventory>, layout: Layout) -> Vec<DeviceDraft<'f>> {
    let wanted: BTreeMap<usize, String> = found
        .iter()
        .enumerate()
        .map(|(place, found)| (place, wanted_key(found)))
        .collect();
    let taken = inventory.map(|inventory| inventory.devices.keys().cloned().collect());
    let keys = keys::assign(&wanted, &taken.unwrap_or_default(), |place, key| {
        found
            .get(place)
            .map_or(String::new(), |found| format!("{key}-{}", keys::slug(&found.called)))
    });
    let mut devices: Vec<DeviceDraft<'f>> = found
        .iter()
        .enumerate()
        .map(|(place, found)| {
            let key = keys.get(&place).cloned().unwrap_or_default();
            DeviceDraft {
                found,
                place,
                site: (layout == Layout::PerSite).then(|| stem(&key).to_owned()),
                key,
                config: found.running.managed.settings().into_owned(),
                subscribers: BTreeMap::new(),
                spares: BTreeMap::new(),
                defaults: None,
            }
        })
        .collect();
    devices.sort_by(|one, other| one.key.cmp(&other.key));
    devices
}

fn wanted_key(found: &Found) -> String {
    let hostname = keys::slug(&found.running.managed.hostname);
    let or = |key: String, other: &dyn Fn() -> String| if key.is_empty() { other() } else { key };
    let called = || {
        let slug = keys::slug(&found.called);
        // An address alone would look like one in plans and commands.
        if slug.starts_with(|first: char| first.is_ascii_alphabetic()) {
            slug
        } else {
            format!("gam-{slug}")
        }
    };
    found.key.clone().unwrap_or_else(|| or(hostname, &called))
}

/// The building that a device is called after: `maple` of `maple-a` and `maple-2`.
fn stem(key: &str) -> &str {
    match key.rsplit_once('-') {
        Some((stem, last)) if !stem.is_empty() && last.len() <= 2 => stem,
        _ => key,
    }
}

/// Gives subscribers their keys: their names where they can be, or something close to them.
pub(super) fn subscribers(devices: &mut [DeviceDraft<'_>], inventory: Option<&Inventory>) {
    let mut wanted: BTreeMap<(usize, SubscriberId), String> = BTreeMap::new();
    for (place, device) in devices.iter().enumerate() {
        for (id, subscriber) in &device.config.subscribers {
            wanted.insert((place, *id), wanted_subscriber(*id, &subscriber.name));
        }
    }
    let taken = inventory.map(|inventory| inventory.subscribers.keys().cloned().collect());
    let given = keys::assign(&wanted, &taken.unwrap_or_default(), |(place, _), key| {
        let device = devices.get(place).map_or("", |device| &device.key);
        format!("{device}-{key}")
    });
    for ((place, id), key) in given {
        if let Some(device) = devices.get_mut(place) {
            device.subscribers.insert(id, key);
        }
    }
}

/// The name where it can be a key, or something close to it.
pub(super) fn wanted_subscriber(id: SubscriberId, name: &str) -> String {
    let key = keys::of_name(name);
    if key.is_empty() {
        format!("subscriber-{id}")
    } else {
        key
    }
}

/// Gives endpoints that serve nobody their keys.
pub(super) fn spares(devices: &mut [DeviceDraft<'_>]) {
    for device in devices {
        let in_use: BTreeSet<EndpointId> = device
            .config
            .subscribers
            .values()
            .filter_map(|one| one.endpoint)
            .collect();
        let spares = device.config.endpoints.iter().filter(|(id, _)| !in_use.contains(id));
        let wanted: BTreeMap<EndpointId, String> = spares.map(|(id, one)| (*id, wanted_spare(*id, one))).collect();
        let taken = device.subscribers.values().cloned().collect();
        device.spares = keys::assign(&wanted, &taken, |id, key| format!("{key}-{id}"));
    }
}

/// `spare-1c9508` after the label where nobody gave it a name.
pub(super) fn wanted_spare(id: EndpointId, endpoint: &Endpoint) -> String {
    let default = endpoint.mac.map(|mac| mac.default_endpoint_name());
    let slug = match &default {
        Some(default) if *default == endpoint.name => {
            let label = default.rsplit('_').next().unwrap_or_default();
            format!("spare-{}", label.to_ascii_lowercase())
        }
        _ => keys::of_name(&endpoint.name),
    };
    if slug.is_empty() { format!("spare-{id}") } else { slug }
}
