//! What a whole configuration holds that looks wrong, though each line by itself could be read.

use std::collections::BTreeMap;
use std::fmt::Display;

use crate::domain::{Mbps, ProfileId};
use crate::observed::{DeviceConfig, ProfileRef};

/// One sentence for each oddity, in the order of kinds and numbers.
#[must_use]
pub fn oddities(config: &DeviceConfig) -> Vec<String> {
    let mut found = Vec::new();
    let names = config.ports.iter().map(|(id, port)| (id, port.name.as_str()));
    shared(
        &mut found,
        "ports",
        "the name",
        names.filter(|(_, name)| !name.is_empty()),
    );
    let names = config.profiles.iter().map(|(id, profile)| (id, profile.name.as_str()));
    shared(&mut found, "bandwidth profiles", "the name", names);
    let names = config
        .endpoints
        .iter()
        .map(|(id, endpoint)| (id, endpoint.name.as_str()));
    shared(&mut found, "endpoints", "the name", names);
    let macs = config
        .endpoints
        .iter()
        .filter_map(|(id, endpoint)| Some((id, endpoint.mac?)));
    shared(&mut found, "endpoints", "the MAC address", macs);
    let names = config
        .subscribers
        .iter()
        .map(|(id, subscriber)| (id, subscriber.name.as_str()));
    shared(&mut found, "subscribers", "the name", names);
    let bindings = config
        .subscribers
        .iter()
        .filter_map(|(id, subscriber)| Some((id, subscriber.endpoint?)));
    shared(&mut found, "subscribers", "the endpoint", bindings);
    let ports = config
        .subscribers
        .iter()
        .filter_map(|(id, subscriber)| Some((id, subscriber.port?)));
    shared(&mut found, "subscribers", "the port", ports);

    for (id, profile) in &config.profiles {
        if profile.name.is_empty() {
            found.push(format!("bandwidth profile {id} has no name"));
        }
        for rate in [profile.down, profile.up].into_iter().flatten() {
            if rate.get() != 0 && !(Mbps::MIN..=Mbps::MAX_BY_MIB).contains(&rate) {
                found.push(format!(
                    "bandwidth profile {id} has a rate of {rate}, outside 10 to 1999"
                ));
            }
        }
    }
    for (id, endpoint) in &config.endpoints {
        if endpoint.mac.is_none() {
            found.push(format!("endpoint {id} has no MAC address"));
        }
        if endpoint.name.is_empty() {
            found.push(format!("endpoint {id} has no name"));
        }
    }
    for (id, subscriber) in &config.subscribers {
        if subscriber.name.is_empty() {
            found.push(format!("subscriber {id} has no name"));
        }
        if let Some(endpoint) = subscriber.endpoint
            && !config.endpoints.contains_key(&endpoint)
        {
            found.push(format!(
                "subscriber {id} is on endpoint {endpoint}, which is not configured"
            ));
        }
        if let Some(ProfileRef::Profile(profile)) = subscriber.profile
            && profile != ProfileId::DEVICE_DEFAULT
            && !config.profiles.contains_key(&profile)
        {
            found.push(format!(
                "subscriber {id} has bandwidth profile {profile}, which is not configured"
            ));
        }
        if !subscriber.vlan.is_usable_for_service() && subscriber.vlan != crate::domain::VlanId::CAPTIVE_PORTAL {
            found.push(format!(
                "subscriber {id} uses VLAN {}, which the device reserves",
                subscriber.vlan
            ));
        }
    }
    found
}

/// Names every value that two or more objects hold though the device wants it unique.
fn shared<Id: Display, Value: Ord + Display>(
    found: &mut Vec<String>,
    kind: &str,
    what: &str,
    holders: impl Iterator<Item = (Id, Value)>,
) {
    let mut by_value: BTreeMap<Value, Vec<String>> = BTreeMap::new();
    for (id, value) in holders {
        by_value.entry(value).or_default().push(id.to_string());
    }
    for (value, ids) in by_value {
        if ids.len() > 1 && !value.to_string().is_empty() {
            found.push(format!("{kind} {} share {what} `{value}`", ids.join(", ")));
        }
    }
}
