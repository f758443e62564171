//! One object given back field by field.

use crate::observed::{DeviceConfig, Endpoint, Object, ObjectId, Port, Profile, Subscriber};

/// Each field that the run changed at some time as it was before; each other field as it is now. Words that this
/// version does not know cannot be written and stay as they are now.
macro_rules! fields {
    ($kind:ident, $now:expr, $before:expr, $states:expr, [$($field:ident),*]) => {{
        let $kind { $($field,)* unknown: _ } = $before;
        let states = $states;
        $kind {
            $($field: if states.iter().all(|state| state.$field == $field) {
                $now.$field
            } else {
                $field
            },)*
            unknown: $now.unknown,
        }
    }};
}

/// What an object is to be, from what it is now, what it was before, and all that the run may have made of it.
///
/// A field that is the same in every state was none of the run's business.
pub(super) fn merged(now: Object, before: Object, states: &[Object]) -> Object {
    macro_rules! of_kind {
        ($kind:ident) => {
            states
                .iter()
                .filter_map(|state| match state {
                    Object::$kind(state) => Some(state),
                    _ => None,
                })
                .collect::<Vec<_>>()
        };
    }
    match (now, before) {
        (Object::Port(now), Object::Port(before)) => {
            Object::Port(fields!(Port, now, before, of_kind!(Port), [mode, name, shutdown]))
        }
        (Object::Profile(now), Object::Profile(before)) => Object::Profile(fields!(
            Profile,
            now,
            before,
            of_kind!(Profile),
            [name, description, down, up, service_limit_level]
        )),
        (Object::Endpoint(now), Object::Endpoint(before)) => Object::Endpoint(fields!(
            Endpoint,
            now,
            before,
            of_kind!(Endpoint),
            [name, mac, description, port, management_access]
        )),
        (Object::Subscriber(now), Object::Subscriber(before)) => {
            let (now, before) = (*now, *before);
            Object::Subscriber(Box::new(fields!(
                Subscriber,
                now,
                before,
                of_kind!(Subscriber),
                [
                    name,
                    description,
                    endpoint,
                    port,
                    vlan,
                    tagged,
                    remapped_vlan,
                    profile,
                    allowed_vlans,
                    port2_vlan,
                    trunk,
                    double_tag,
                    poe
                ]
            )))
        }
        // The device's own one field; and an object is of one kind before and now.
        (_, before) => before,
    }
}

/// Makes an object of a configuration so, or takes it away.
pub(super) fn put(config: &mut DeviceConfig, id: ObjectId, object: Option<Object>) {
    match (id, object) {
        (ObjectId::System, Some(Object::System(hostname))) => config.hostname = hostname,
        (ObjectId::Port(id), Some(Object::Port(port))) => config.set_port(id, port),
        (ObjectId::Profile(id), Some(Object::Profile(profile))) => drop(config.profiles.insert(id, profile)),
        (ObjectId::Endpoint(id), Some(Object::Endpoint(endpoint))) => drop(config.endpoints.insert(id, endpoint)),
        (ObjectId::Subscriber(id), Some(Object::Subscriber(subscriber))) => {
            drop(config.subscribers.insert(id, *subscriber));
        }
        (ObjectId::Profile(id), None) => drop(config.profiles.remove(&id)),
        (ObjectId::Endpoint(id), None) => drop(config.endpoints.remove(&id)),
        (ObjectId::Subscriber(id), None) => drop(config.subscribers.remove(&id)),
        // The device and its ports are always there, and a number belongs to one kind.
        _ => {}
    }
}
