//! What a device would refuse, or silently do wrong, because of objects that gamops does not manage.
//!
//! The inventory's own contradictions were found by its rules; here one side is always on the device only.

use crate::domain::{Medium, PortBinding};
use crate::observed::{DeviceConfig, ObjectId, ProfileRef};

use super::{Refusal, Resolution};

/// Adds a refusal for every pair of objects in the target that the device cannot hold together.
pub(in crate::plan) fn refuse_what_cannot_stand(resolution: &mut Resolution, observed: &DeviceConfig, medium: Medium) {
    let target = &resolution.target;
    let mut found: Vec<Refusal> = Vec::new();

    let named = target.object_ids().filter(|id| *id != ObjectId::System);
    let names = named.filter_map(|id| Some(((id.kind(), target.name_of(id)?), id)));
    for ((kind, name), holders) in crowded(names, 1) {
        found.push(Refusal {
            rule: "name-taken",
            message: format!("{kind} name `{name}` is held by {}", describe(resolution, &holders)),
            help: help(
                resolution,
                &holders,
                "names are unique on a device: choose another `name`, or rename the unmanaged one by hand",
            ),
        });
    }

    let endpoints = || {
        target
            .endpoints
            .iter()
            .map(|(id, endpoint)| (ObjectId::Endpoint(*id), endpoint))
    };
    for (mac, holders) in crowded(endpoints().filter_map(|(id, endpoint)| Some((endpoint.mac?, id))), 1) {
        found.push(Refusal {
            rule: "mac-taken",
            message: format!("MAC {mac} would be configured on {}", describe(resolution, &holders)),
            help: help(resolution, &holders, "remove the unmanaged endpoint by hand"),
        });
    }
    let room = medium.endpoints_per_port();
    let ports = endpoints().filter_map(|(id, endpoint)| match endpoint.port {
        PortBinding::Port(port) => Some((port, id)),
        _ => None,
    });
    for (port, holders) in crowded(ports, room) {
        found.push(Refusal {
            rule: "port-full",
            message: format!(
                "port {port} takes {room} endpoint{}, and would hold {}",
                if room == 1 { "" } else { "s" },
                describe(resolution, &holders)
            ),
            help: help(
                resolution,
                &holders,
                "remove an unmanaged endpoint by hand, or assign it to another port",
            ),
        });
    }

    let subscribers = || (target.subscribers.iter()).map(|(id, subscriber)| (ObjectId::Subscriber(*id), subscriber));
    for (port, holders) in crowded(subscribers().filter_map(|(id, one)| Some((one.port?, id))), 1) {
        found.push(Refusal {
            rule: "port-taken",
            message: format!("port {port} would serve {}", describe(resolution, &holders)),
            help: "put the unmanaged subscriber into the inventory, or take it off the port by hand".to_owned(),
        });
    }
    for (endpoint, holders) in crowded(subscribers().filter_map(|(id, one)| Some((one.endpoint?, id))), 1) {
        found.push(Refusal {
            rule: "endpoint-taken",
            message: format!("endpoint {endpoint} would serve {}", describe(resolution, &holders)),
            help: help(
                resolution,
                &holders,
                "put the unmanaged subscriber into the inventory, or unbind it by hand",
            ),
        });
    }

    for (id, subscriber) in &target.subscribers {
        let endpoint = subscriber
            .endpoint
            .filter(|id| !target.endpoints.contains_key(id))
            .map(ObjectId::Endpoint);
        let profile = match subscriber.profile {
            Some(ProfileRef::Profile(id)) if !target.profiles.contains_key(&id) => Some(ObjectId::Profile(id)),
            _ => None,
        };
        // The device may hold such a reference already, or not print profile 1: only new ones are ours.
        for missing in endpoint
            .into_iter()
            .chain(profile)
            .filter(|missing| observed.object(*missing).is_some())
        {
            found.push(Refusal {
                rule: "still-in-use",
                message: format!(
                    "{missing} would go away while {} uses it",
                    describe(resolution, &[ObjectId::Subscriber(*id)])
                ),
                help: "name that subscriber as a target too, or plan the whole device".to_owned(),
            });
        }
    }
    resolution.refusals.extend(found);
}

/// What more than `room` objects hold, in order, each with its holders in theirs.
fn crowded<K: Ord + Copy>(held: impl Iterator<Item = (K, ObjectId)>, room: usize) -> Vec<(K, Vec<ObjectId>)> {
    let mut held: Vec<(K, ObjectId)> = held.collect();
    held.sort_by_key(|(what, _)| *what);
    let groups = held.chunk_by(|(one, _), (other, _)| one == other);
    groups
        .filter(|group| group.len() > room)
        .filter_map(|group| Some((group.first()?.0, group.iter().map(|(_, id)| *id).collect())))
        .collect()
}

/// What to do, given what helps where an unmanaged object is in the way. Where none is, the inventory's rules saw to
/// it that the whole fits together: only a part of it does not.
fn help(resolution: &Resolution, holders: &[ObjectId], where_unmanaged: &str) -> String {
    if holders.iter().all(|id| resolution.keys.contains_key(id)) {
        "name all of these as targets, or plan the whole device".to_owned()
    } else {
        where_unmanaged.to_owned()
    }
}

/// `subscriber 3 (s-1)` or `unmanaged subscriber 7 ("John")`, joined by `and`.
fn describe(resolution: &Resolution, ids: &[ObjectId]) -> String {
    let words: Vec<String> = ids
        .iter()
        .map(|id| match resolution.keys.get(id) {
            Some(key) => format!("{id} ({key})"),
            None => {
                let name = resolution.target.name_of(*id).unwrap_or_default();
                format!("unmanaged {id} (\"{name}\")")
            }
        })
        .collect();
    words.join(" and ")
}
