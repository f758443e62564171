//! What of a wish a device can be brought to.

use crate::domain::{Medium, PortBinding, ProfileId};
use crate::observed::{Capabilities, DeviceConfig, ObjectId};

use super::{CannotClear, Field};

/// As [`reachable`], with the ports that endpoints found by themselves kept where the wish leaves them open.
pub(super) fn settled(
    from: &DeviceConfig,
    to: &DeviceConfig,
    capabilities: &Capabilities,
    medium: Medium,
) -> (DeviceConfig, Vec<CannotClear>) {
    let (mut target, kept) = reachable(from, to, capabilities);
    settle_automatic_ports(from, &mut target, medium);
    (target, kept)
}

/// The wish, with every field left as it is that has no way back, and the list of those fields.
pub(super) fn reachable(
    from: &DeviceConfig,
    to: &DeviceConfig,
    capabilities: &Capabilities,
) -> (DeviceConfig, Vec<CannotClear>) {
    let mut target = to.clone();
    let mut kept = Kept {
        clear_description: capabilities.clear_description.is_yes(),
        fields: Vec::new(),
    };
    match from.profiles.get(&ProfileId::DEVICE_DEFAULT) {
        Some(profile) => target.profiles.insert(ProfileId::DEVICE_DEFAULT, profile.clone()),
        None => target.profiles.remove(&ProfileId::DEVICE_DEFAULT),
    };
    for (id, old) in &from.ports {
        let mut port = target.port(*id);
        let object = ObjectId::Port(*id);
        kept.text(object, Field::Name, &old.name, &mut port.name);
        kept.unknown(object, &old.unknown, &mut port.unknown);
        target.set_port(*id, port);
    }
    for (id, profile) in &mut target.profiles {
        let Some(old) = from.profiles.get(id) else { continue };
        let object = ObjectId::Profile(*id);
        kept.text(object, Field::Name, &old.name, &mut profile.name);
        kept.text(object, Field::Description, &old.description, &mut profile.description);
        kept.option(object, Field::Rate, old.down, &mut profile.down);
        kept.option(object, Field::Rate, old.up, &mut profile.up);
        kept.option(
            object,
            Field::ServiceLimitLevel,
            old.service_limit_level,
            &mut profile.service_limit_level,
        );
        kept.unknown(object, &old.unknown, &mut profile.unknown);
    }
    for (id, endpoint) in &mut target.endpoints {
        let Some(old) = from.endpoints.get(id) else { continue };
        let object = ObjectId::Endpoint(*id);
        kept.text(object, Field::Name, &old.name, &mut endpoint.name);
        kept.text(object, Field::Description, &old.description, &mut endpoint.description);
        kept.option(object, Field::MacAddress, old.mac, &mut endpoint.mac);
        kept.unknown(object, &old.unknown, &mut endpoint.unknown);
    }
    for (id, subscriber) in &mut target.subscribers {
        let Some(old) = from.subscribers.get(id) else { continue };
        let object = ObjectId::Subscriber(*id);
        kept.text(object, Field::Name, &old.name, &mut subscriber.name);
        kept.text(
            object,
            Field::Description,
            &old.description,
            &mut subscriber.description,
        );
        kept.option(object, Field::Profile, old.profile, &mut subscriber.profile);
        kept.option(object, Field::Poe, old.poe, &mut subscriber.poe);
        kept.unknown(object, &old.unknown, &mut subscriber.unknown);
    }
    let mut fields = kept.fields;
    fields.dedup();
    (target, fields)
}

/// Lets an endpoint that is to find its own port keep the one that it has found, unless others were given
/// that port by name and fill it. Another device behind the same number has yet to find its port.
fn settle_automatic_ports(from: &DeviceConfig, target: &mut DeviceConfig, medium: Medium) {
    let ids: Vec<_> = target.endpoints.keys().copied().collect();
    for id in ids {
        let Some(old) = from.endpoints.get(&id) else { continue };
        let PortBinding::Port(found) = old.port else { continue };
        let taken = target.endpoints.values().filter(|other| other.port == old.port).count();
        if let Some(endpoint) = target.endpoints.get_mut(&id)
            && endpoint.port == PortBinding::Auto
            && endpoint.mac == old.mac
            && taken < medium.endpoints_per_port()
        {
            endpoint.port = PortBinding::Port(found);
        }
    }
}

struct Kept {
    clear_description: bool,
    fields: Vec<CannotClear>,
}

impl Kept {
    fn text(&mut self, object: ObjectId, field: Field, from: &str, to: &mut String) {
        if !to.is_empty() || from.is_empty() || (field == Field::Description && self.clear_description) {
            return;
        }
        from.clone_into(to);
        self.fields.push(CannotClear { object, field });
    }

    fn option<T: Copy>(&mut self, object: ObjectId, field: Field, from: Option<T>, to: &mut Option<T>) {
        if from.is_some() && to.is_none() {
            *to = from;
            self.fields.push(CannotClear { object, field });
        }
    }

    /// Words that we do not know stay with the object, whatever the wish says: an in-place change leaves
    /// them alone.
    fn unknown(&mut self, object: ObjectId, from: &[String], to: &mut Vec<String>) {
        if to != from {
            *to = from.to_vec();
            self.fields.push(CannotClear {
                object,
                field: Field::Unknown,
            });
        }
    }
}
