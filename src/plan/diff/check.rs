//! What a device refuses, found in a whole configuration.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{Medium, PortMode, ProfileId};
use crate::observed::{DeviceConfig, Kind, ObjectId};

use super::object::{self, Object};
use super::{Field, Violation};

/// The name of the profile that every device has (CLI guide; JSON-RPC guide).
const DEFAULT_PROFILE_NAME: &str = "Default BW Profile";

/// Every rule of the device that the configuration breaks.
pub(super) fn violations(config: &DeviceConfig, medium: Medium) -> BTreeSet<Violation> {
    let mut found = BTreeSet::new();
    let mut names: BTreeMap<(Kind, &str), Vec<ObjectId>> = BTreeMap::new();
    let mut macs: BTreeMap<_, Vec<ObjectId>> = BTreeMap::new();
    let mut ports: BTreeMap<_, Vec<ObjectId>> = BTreeMap::new();
    let mut endpoints: BTreeMap<_, Vec<ObjectId>> = BTreeMap::new();
    let mut services: BTreeMap<_, Vec<ObjectId>> = BTreeMap::new();
    if !config.profiles.contains_key(&ProfileId::DEVICE_DEFAULT) {
        // It is there even where the device does not print it.
        let id = ObjectId::Profile(ProfileId::DEVICE_DEFAULT);
        names.insert((Kind::Profile, DEFAULT_PROFILE_NAME), vec![id]);
    }
    for id in object::ids(config) {
        let Some(object) = Object::get(config, id) else {
            continue;
        };
        if let Some(name) = config.name_of(id) {
            names.entry((id.kind(), name)).or_default().push(id);
        } else if id.kind() != Kind::Port {
            found.insert(Violation::Empty {
                object: id,
                field: Field::Name,
            });
        }
        if let Some(mac) = object.mac() {
            macs.entry(mac).or_default().push(id);
        }
        if let Some(port) = object.port() {
            ports.entry(port).or_default().push(id);
        }
        if let Some(port) = object.service_port() {
            services.entry(port).or_default().push(id);
        }
        if let Some(endpoint) = object.endpoint() {
            endpoints.entry(endpoint).or_default().push(id);
        }
        for to in [object.endpoint(), object.profile()].into_iter().flatten() {
            if Object::get(config, to).is_none() {
                found.insert(Violation::Missing { from: id, to });
            }
        }
        by_itself(&mut found, id, &object, medium);
    }
    let several = |holders: &Vec<ObjectId>| holders.len() > 1;
    for ((kind, name), holders) in names.into_iter().filter(|(_, holders)| several(holders)) {
        found.insert(Violation::Name {
            kind,
            name: name.to_owned(),
            holders,
        });
    }
    for (mac, holders) in macs.into_iter().filter(|(_, holders)| several(holders)) {
        found.insert(Violation::Mac { mac, holders });
    }
    for (endpoint, holders) in endpoints.into_iter().filter(|(_, holders)| several(holders)) {
        found.insert(Violation::Endpoint { endpoint, holders });
    }
    for (port, holders) in services.into_iter().filter(|(_, holders)| several(holders)) {
        found.insert(Violation::ServicePort { port, holders });
    }
    for (port, holders) in ports {
        if holders.len() > medium.endpoints_per_port() {
            found.insert(Violation::PortFull { port, holders });
        }
    }
    found
}

/// Rules that concern one object alone.
fn by_itself(found: &mut BTreeSet<Violation>, id: ObjectId, object: &Object<'_>, medium: Medium) {
    match (id, object) {
        (ObjectId::Port(port), Object::Port(settings)) if medium == Medium::Coax && settings.mode == PortMode::Siso => {
            found.insert(Violation::Mode { port });
        }
        (_, Object::Endpoint(endpoint)) if endpoint.mac.is_none_or(crate::domain::MacAddr::is_null) => {
            found.insert(Violation::Empty {
                object: id,
                field: Field::MacAddress,
            });
        }
        (_, Object::Subscriber(subscriber)) if subscriber.port2_vlan == Some(subscriber.vlan) => {
            found.insert(Violation::SamePort2Vlan { subscriber: id });
        }
        _ => {}
    }
}
