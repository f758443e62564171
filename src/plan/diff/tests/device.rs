//! A strict device to play plans against. Its rules are written out once more here, pair by pair, so that a
//! mistake in the planner's own check cannot excuse itself.

use super::*;
use crate::observed::{DeviceConfig, FromTo};

/// Plays a plan; says which step the device refuses, or how the outcome differs.
pub(super) fn plays(from: &DeviceConfig, to: &DeviceConfig, plan: &Difference, medium: Medium) -> Result<(), String> {
    let mut device = from.clone();
    let mut before = vec![device.clone()];
    for (step, ordered) in plan.changes.iter().enumerate() {
        ordered
            .change
            .apply(&mut device)
            .map_err(|conflict| format!("step {step}: {conflict}"))?;
        if let Some(refusal) = refusal(&device, medium) {
            return Err(format!("step {step}, {:?}: {refusal}", ordered.change));
        }
        if let Some(lost) = loses(&ordered.change) {
            return Err(format!("step {step}: {lost}"));
        }
        before.push(device.clone());
    }
    let wanted = as_far_as_possible(from, to, &device, plan);
    if device != wanted {
        return Err(format!("ends as {device:#?} and not as {wanted:#?}"));
    }
    for ordered in plan.changes.iter().rev() {
        before.pop();
        ordered
            .change
            .inverse()
            .apply(&mut device)
            .map_err(|conflict| format!("undoing: {conflict}"))?;
        if Some(&device) != before.last() {
            return Err(format!("undoing {:?} leads elsewhere", ordered.change));
        }
    }
    Ok(())
}

/// The wish, with the fields that the plan says it cannot clear as they were.
fn as_far_as_possible(
    from: &DeviceConfig,
    to: &DeviceConfig,
    device: &DeviceConfig,
    plan: &Difference,
) -> DeviceConfig {
    let mut wanted = to.clone();
    for CannotClear { object, field } in &plan.cannot_clear {
        match (object, field) {
            (ObjectId::Port(id), Field::Name) => {
                let mut port = wanted.port(*id);
                port.name = from.port(*id).name;
                wanted.set_port(*id, port);
            }
            (ObjectId::Profile(id), Field::Description) => {
                wanted
                    .profiles
                    .get_mut(id)
                    .unwrap()
                    .description
                    .clone_from(&from.profiles[id].description);
            }
            (ObjectId::Endpoint(id), Field::Description) => {
                wanted
                    .endpoints
                    .get_mut(id)
                    .unwrap()
                    .description
                    .clone_from(&from.endpoints[id].description);
            }
            (ObjectId::Subscriber(id), Field::Description) => {
                wanted
                    .subscribers
                    .get_mut(id)
                    .unwrap()
                    .description
                    .clone_from(&from.subscribers[id].description);
            }
            (ObjectId::Subscriber(id), Field::Poe) => {
                wanted.subscribers.get_mut(id).unwrap().poe = from.subscribers[id].poe;
            }
            other => panic!("the generator makes no {other:?}"),
        }
    }
    for (id, endpoint) in &mut wanted.endpoints {
        // `auto` and the port that was found are the same wish.
        if let (PortBinding::Auto, Some(old)) = (endpoint.port, from.endpoints.get(id))
            && old.mac == endpoint.mac
            && matches!(old.port, PortBinding::Port(_))
        {
            // Which of the two it is depends on who else wants that port.
            if device.endpoints.get(id).is_some_and(|now| now.port == old.port) {
                endpoint.port = old.port;
            }
        }
    }
    wanted
}

/// Whether a change touches what must never be touched.
fn loses(change: &Change) -> Option<String> {
    if change.object() == ObjectId::Profile(ProfileId::DEVICE_DEFAULT) {
        return Some("touches the device's own profile".into());
    }
    match change {
        Change::SetPort(_, FromTo { from, to }) if !from.name.is_empty() && to.name.is_empty() => {
            Some("clears a port's name".into())
        }
        _ => None,
    }
}

/// Why a device would not hold this configuration.
pub(in crate::plan) fn refusal(config: &DeviceConfig, medium: Medium) -> Option<String> {
    let endpoints: Vec<_> = config.endpoints.iter().collect();
    for (index, (id, one)) in endpoints.iter().enumerate() {
        if one.name.is_empty() || one.name.len() > 31 || one.mac.is_none() {
            return Some(format!("endpoint {id} is not whole"));
        }
        for (other, two) in &endpoints[index + 1..] {
            if one.name == two.name || one.mac == two.mac {
                return Some(format!("endpoints {id} and {other} share a name or an address"));
            }
        }
        let neighbours = endpoints.iter().filter(|(_, two)| two.port == one.port).count();
        let room = if medium == Medium::Coax { 16 } else { 1 };
        if matches!(one.port, PortBinding::Port(_)) && neighbours > room {
            return Some(format!("no room for endpoint {id}"));
        }
    }
    let profiles: Vec<_> = config.profiles.iter().collect();
    for (index, (id, one)) in profiles.iter().enumerate() {
        if one.name.is_empty() || profiles[index + 1..].iter().any(|(_, two)| one.name == two.name) {
            return Some(format!("profile {id}: its name"));
        }
    }
    let ports: Vec<_> = config.ports.iter().collect();
    for (index, (id, one)) in ports.iter().enumerate() {
        if !one.name.is_empty() && ports[index + 1..].iter().any(|(_, two)| one.name == two.name) {
            return Some(format!("port {id}: its name"));
        }
    }
    let subscribers: Vec<_> = config.subscribers.iter().collect();
    for (index, (id, one)) in subscribers.iter().enumerate() {
        for (other, two) in &subscribers[index + 1..] {
            if one.name == two.name || (one.endpoint.is_some() && one.endpoint == two.endpoint) {
                return Some(format!("subscribers {id} and {other} share a name or an endpoint"));
            }
        }
        if subscribers[index + 1..]
            .iter()
            .any(|(_, two)| one.port.is_some() && one.port == two.port)
        {
            return Some(format!("subscriber {id} shares its port"));
        }
        if one.name.is_empty() {
            return Some(format!("subscriber {id} has no name"));
        }
        if one
            .endpoint
            .is_some_and(|endpoint| !config.endpoints.contains_key(&endpoint))
        {
            return Some(format!("subscriber {id} hangs on an endpoint that is not there"));
        }
        if let Some(ProfileRef::Profile(profile)) = one.profile
            && profile.get() != 1
            && !config.profiles.contains_key(&profile)
        {
            return Some(format!("subscriber {id} uses a profile that is not there"));
        }
    }
    None
}
