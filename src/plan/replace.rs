//! A new unit in the place of an old one: what it is to hold, as if it were the old one. Pure.

use crate::domain::{PoeMode, ProfileId};
use crate::observed::{DeviceConfig, Kind, Object, ObjectId};

use super::record::Record;
use super::resolve::Refusal;

/// What a unit holds that was not there when it left the factory: profiles, endpoints and subscribers.
#[must_use]
pub fn existing(held: &DeviceConfig) -> Vec<(ObjectId, String)> {
    let made = |id: &ObjectId| match id {
        // Profile 1 belongs to the device.
        ObjectId::Profile(id) => *id != ProfileId::DEVICE_DEFAULT,
        ObjectId::Endpoint(_) | ObjectId::Subscriber(_) => true,
        ObjectId::System | ObjectId::Port(_) => false,
    };
    let name = |id: ObjectId| {
        held.object(id)
            .map(|object| object.name().to_owned())
            .unwrap_or_default()
    };
    held.object_ids().filter(made).map(|id| (id, name(id))).collect()
}

/// A new unit as it would be if it were the old one.
#[derive(Debug, Default)]
pub struct Remembered {
    /// What it would hold: what gamops owned on the old one under the same numbers, and the host name and ports that the old
    /// one had, which the inventory need not name.
    pub base: DeviceConfig,
    /// What cannot be brought over, one sentence each.
    pub notes: Vec<String>,
    /// One for each number that something else has on the new unit: numbers are kept, since DHCP servers may see them.
    pub refusals: Vec<Refusal>,
}

/// What is known of the old unit.
#[derive(Debug, Clone, Copy)]
pub struct Old<'a> {
    /// What gamops owned there.
    pub records: &'a [Record],
    /// What the last run made of it.
    pub last: Option<&'a DeviceConfig>,
}

/// Takes a new unit, which has so many ports and holds this, for the old one. `forced` says whether it can be asked for PoE
/// that is switched on.
#[must_use]
pub fn remember(fresh: &DeviceConfig, old: Old<'_>, ports: u16, forced: bool) -> Remembered {
    let Old { records, last } = old;
    let mut out = Remembered {
        base: fresh.clone(),
        ..Remembered::default()
    };
    if let Some(last) = last {
        if !last.hostname.is_empty() {
            out.base.hostname.clone_from(&last.hostname);
        }
        for (number, port) in last.ports.iter().filter(|(number, _)| number.get() <= ports) {
            let mut port = port.clone();
            port.unknown.clear();
            out.base.set_port(*number, port);
        }
    }
    let made = records
        .iter()
        .filter(|record| matches!(record.kind(), Kind::Profile | Kind::Endpoint | Kind::Subscriber));
    for record in made {
        match fresh.object(record.object) {
            Some(other) if !is_same(record, &other) => out.refusals.push(taken(record, &other)),
            Some(_) => {}
            None => {
                let remembered = record.applied.clone();
                let remembered = remembered.or_else(|| last.and_then(|last| last.object(record.object)));
                if let Some(object) = remembered {
                    let object = if forced {
                        object
                    } else {
                        out.as_delivered(record, object)
                    };
                    put(&mut out.base, record.object, object);
                }
            }
        }
    }
    out
}

impl Remembered {
    /// A subscriber's PoE as a device has it by itself, where it cannot be asked for what the old one had.
    fn as_delivered(&mut self, record: &Record, object: Object) -> Object {
        let mut subscriber = match object {
            Object::Subscriber(subscriber) => subscriber,
            other => return other,
        };
        if subscriber.poe == Some(PoeMode::Force) {
            self.notes.push(format!(
                "subscriber {} had `poe force`, which nobody has seen this firmware take: it has what the unit gives it",
                record.key
            ));
        }
        // Switched on is what a unit gives by itself (the vendor's web form).
        subscriber.poe = subscriber.poe.filter(|poe| *poe == PoeMode::Disable);
        Object::Subscriber(subscriber)
    }
}

fn taken(record: &Record, other: &Object) -> Refusal {
    Refusal {
        rule: "number-taken",
        message: format!(
            "the new unit has \"{}\" as {}, the number of {} `{}`, which it has to keep",
            other.name(),
            record.object,
            record.kind(),
            record.key
        ),
        help: "take it off the new unit by hand, or reset that to factory state".to_owned(),
    }
}

/// Whether an object on the new unit is what the record says.
fn is_same(record: &Record, object: &Object) -> bool {
    let same_mac = match object {
        Object::Endpoint(endpoint) => endpoint.mac.is_some() && endpoint.mac == record.binding,
        _ => false,
    };
    same_mac || object.name() == record.name
}

/// Puts an object in its place, without the words that nobody here could write.
fn put(config: &mut DeviceConfig, id: ObjectId, object: Object) {
    match (id, object) {
        (ObjectId::Profile(id), Object::Profile(mut profile)) => {
            profile.unknown.clear();
            config.profiles.insert(id, profile);
        }
        (ObjectId::Endpoint(id), Object::Endpoint(mut endpoint)) => {
            endpoint.unknown.clear();
            config.endpoints.insert(id, endpoint);
        }
        (ObjectId::Subscriber(id), Object::Subscriber(mut subscriber)) => {
            subscriber.unknown.clear();
            config.subscribers.insert(id, *subscriber);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::MacAddr;
    use crate::observed::{Endpoint, Port, Subscriber};

    const MAC: MacAddr = MacAddr::new([0, 0x0e, 0xd8, 0, 0, 1]);

    fn endpoint(name: &str, mac: MacAddr) -> Endpoint {
        Endpoint {
            name: name.to_owned(),
            mac: Some(mac),
            description: "in the drawer".to_owned(),
            ..Endpoint::default()
        }
    }

    fn record() -> Record {
        Record {
            key: "s-1".to_owned(),
            object: ObjectId::Endpoint(7.try_into().unwrap()),
            name: "one".to_owned(),
            binding: Some(MAC),
            protect: false,
            applied: Some(Object::Endpoint(endpoint("one", MAC))),
        }
    }

    #[test]
    fn the_new_unit_is_taken_for_the_old_one() {
        let mut last = DeviceConfig {
            hostname: "gam-maple".to_owned(),
            ..DeviceConfig::default()
        };
        let port = Port {
            name: "Riser A".to_owned(),
            ..Port::default()
        };
        last.set_port(2.try_into().unwrap(), port.clone());
        last.set_port(9.try_into().unwrap(), port.clone());
        let old = Old {
            records: &[record()],
            last: Some(&last),
        };
        let Remembered { base, refusals, .. } = remember(&DeviceConfig::default(), old, 4, false);
        assert_eq!(refusals, []);
        assert_eq!(base.hostname, "gam-maple");
        assert_eq!(
            Vec::from_iter(base.ports.values()),
            [&port],
            "a port that the new unit lacks is left out"
        );
        assert_eq!(base.endpoints[&7.try_into().unwrap()], endpoint("one", MAC));
    }

    #[test]
    fn a_number_that_something_else_has_is_in_the_way() {
        let held_by = |other: Endpoint| {
            let mut fresh = DeviceConfig::default();
            fresh.endpoints.insert(7.try_into().unwrap(), other.clone());
            let old = Old {
                records: &[record()],
                last: None,
            };
            let found = remember(&fresh, old, 4, false);
            match found.refusals.first() {
                Some(refusal) => Err(refusal.rule),
                None => Ok(found.base.endpoints[&7.try_into().unwrap()] == other),
            }
        };
        let elsewhere = MacAddr::new([0, 0x0e, 0xd8, 0, 0, 9]);
        assert_eq!(held_by(endpoint("other", elsewhere)), Err("number-taken"));
        // The same box, and the same name: ours, as it is.
        assert_eq!(held_by(endpoint("renamed", MAC)), Ok(true));
        assert_eq!(held_by(endpoint("one", elsewhere)), Ok(true));
    }

    #[test]
    fn power_that_cannot_be_asked_for_is_left_to_the_unit_and_named_where_it_was_forced() {
        let poe = |had: PoeMode, forced: bool| {
            let subscriber = Subscriber {
                poe: Some(had),
                ..Subscriber::default()
            };
            let record = Record {
                object: ObjectId::Subscriber(7.try_into().unwrap()),
                applied: Some(Object::Subscriber(Box::new(subscriber))),
                ..record()
            };
            let old = Old {
                records: &[record],
                last: None,
            };
            let found = remember(&DeviceConfig::default(), old, 4, forced);
            (found.base.subscribers[&7.try_into().unwrap()].poe, found.notes.len())
        };
        use PoeMode::{Disable, Enable, Force};
        assert_eq!(poe(Enable, false), (None, 0));
        assert_eq!(poe(Force, false), (None, 1));
        assert_eq!(poe(Disable, false), (Some(Disable), 0));
        assert_eq!(poe(Force, true), (Some(Force), 0));
    }

    #[test]
    fn what_a_unit_was_delivered_with_is_not_counted() {
        let mut held = DeviceConfig::default();
        held.profiles
            .insert(1.try_into().unwrap(), crate::observed::Profile::default());
        assert_eq!(existing(&held), []);
        let id = 3.try_into().unwrap();
        held.endpoints.insert(id, endpoint("one", MAC));
        assert_eq!(existing(&held), [(ObjectId::Endpoint(id), "one".to_owned())]);
    }
}
