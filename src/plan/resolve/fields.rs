//! One object's target from its wish and what the device holds: absent is not default.

use crate::domain::{EndpointId, PortBinding};
use crate::inventory::desired::{DesiredEndpoint, DesiredProfile, DesiredSubscriber};
use crate::observed::{Capabilities, Endpoint, Profile, ProfileRef, Subscriber};

pub(super) fn profile(wish: &DesiredProfile, held: Option<&Profile>) -> Profile {
    let held = held.cloned().unwrap_or_default();
    Profile {
        service_limit_level: held.service_limit_level,
        name: wish.name.clone(),
        description: wish.description.clone().unwrap_or(held.description),
        down: Some(wish.down),
        up: Some(wish.up),
        unknown: held.unknown,
    }
}

pub(super) fn endpoint(wish: &DesiredEndpoint, held: Option<&Endpoint>) -> Endpoint {
    let held = held.cloned().unwrap_or_default();
    // A name that the device made from the MAC of the CPE before would lie about the new one, and stand in
    // the way of the old one's return.
    let made_by_device = held.mac.is_none_or(|mac| held.name == mac.default_endpoint_name());
    let name = match &wish.name {
        Some(name) => name.clone(),
        None if held.name.is_empty() || made_by_device => wish.mac.default_endpoint_name(),
        None => held.name,
    };
    // A device most likely replaces `auto` by the port where it found the endpoint. Another CPE has yet to be
    // found, maybe elsewhere.
    let port = match (wish.port, held.port) {
        (PortBinding::Auto, PortBinding::Port(port)) if held.mac == Some(wish.mac) => PortBinding::Port(port),
        (port, _) => port,
    };
    Endpoint {
        name,
        mac: Some(wish.mac),
        description: wish.description.clone().unwrap_or(held.description),
        port,
        management_access: held.management_access,
        unknown: held.unknown,
    }
}

/// The target of a subscriber, and a note where the firmware cannot do what is asked.
pub(super) fn subscriber(
    wish: &DesiredSubscriber,
    endpoint: Option<EndpointId>,
    profile: Option<ProfileRef>,
    held: Option<&Subscriber>,
    capabilities: &Capabilities,
) -> (Subscriber, Option<String>) {
    let held = held.cloned().unwrap_or_default();
    let (poe, note) = match wish.poe {
        None => (held.poe, None),
        Some(mode) if held.poe == Some(mode) || capabilities.poe(mode).is_yes() => (Some(mode), None),
        Some(mode) => {
            let note = format!("`poe {mode}` is not set: this firmware is not known to have the words");
            (held.poe, Some(note))
        }
    };
    let target = Subscriber {
        double_tag: held.double_tag,
        port: held.port,
        trunk: held.trunk,
        name: wish.name.clone(),
        description: wish.description.clone().unwrap_or(held.description),
        endpoint,
        vlan: wish.vlan,
        tagged: wish.tagged,
        remapped_vlan: wish.remapped_vlan,
        profile,
        allowed_vlans: wish.allowed_vlans.clone(),
        port2_vlan: wish.port2_vlan,
        poe,
        unknown: held.unknown,
    };
    (target, note)
}
