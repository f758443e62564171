//! Objects that gamops does not own, as new entries of the inventory.

use std::collections::BTreeSet;

use crate::domain::{EndpointId, SubscriberId, SubscriberModel};
use crate::inventory::edit::{Edit, KeyPath, Value};
use crate::observed::{Kind, ObjectId};

use super::super::entry::{Line, SubscriberEntry, spare_endpoint, subscriber};
use super::super::keys::of_name;
use super::{Adopted, Adoption, Drifted, NotAdopted, Obstacle};

impl Drifted<'_> {
    /// Takes in the unmanaged object of that kind with that name, or `#` and that number.
    pub(super) fn unmanaged(&self, kind: Kind, name: &str, adoption: &mut Adoption) {
        let number = name.strip_prefix('#').and_then(|number| number.parse::<u16>().ok());
        let is_it = |id: &ObjectId, called: &str| id.kind() == kind && (called == name || number == Some(id.number()));
        for (id, called) in self.changes.unmanaged.iter().filter(|(id, called)| is_it(id, called)) {
            let address = format!("{}/{kind}/#{}", self.device.key, id.number());
            match self.entry(*id, called) {
                Ok((path, value)) => adoption.adopted.push(Adopted {
                    address: path
                        .keys()
                        .last()
                        .map_or(address, |key| format!("{}/{kind}/{key}", self.device.key)),
                    object: *id,
                    what: vec![format!("a new entry: {path}")],
                    edits: vec![Edit::Insert {
                        path,
                        value,
                        beside: self.beside(),
                    }],
                }),
                Err((reason, help)) => adoption.left.push(NotAdopted { address, reason, help }),
            }
        }
    }

    /// Where new subscribers of the device go: to those that it has, else to the device itself.
    fn beside(&self) -> Option<KeyPath> {
        let first = self.inventory.subscribers.on(&self.device.key).next();
        Some(match first {
            Some(subscriber) => KeyPath::new(["subscribers", &subscriber.key]),
            None => KeyPath::new(["devices", &self.device.key]),
        })
    }

    /// The place and the entry of an object.
    fn entry(&self, id: ObjectId, called: &str) -> Result<(KeyPath, Value), Obstacle> {
        match id {
            ObjectId::Subscriber(number) => self.new_subscriber(number, called),
            ObjectId::Endpoint(number) => self.new_endpoint(number, called),
            _ => Err((
                "a profile comes into the inventory as a plan that somebody has".to_owned(),
                "write the plan, or adopt a subscriber that has it".to_owned(),
            )),
        }
    }

    fn new_subscriber(&self, number: SubscriberId, called: &str) -> Result<(KeyPath, Value), Obstacle> {
        let observed = &self.changes.observed;
        let held = observed.subscribers.get(&number).ok_or_else(gone)?;
        let taken = |key: &str| self.inventory.subscribers.contains_key(key);
        let key = free_key(called, "subscriber", number.get(), taken);
        let plan = self.plan_of(held.profile)?;
        let by_endpoint = self.device.subscriber_model == SubscriberModel::EndpointAware;
        let entry = SubscriberEntry {
            key: &key,
            device: &self.device.key,
            plan: &plan,
            held,
            endpoint: held
                .endpoint
                .filter(|_| by_endpoint)
                .and_then(|id| observed.endpoints.get(&id)),
        };
        let value = value(&subscriber(&entry, &|_| false))?;
        Ok((KeyPath::new(["subscribers", &key]), value))
    }

    fn new_endpoint(&self, number: EndpointId, called: &str) -> Result<(KeyPath, Value), Obstacle> {
        let held = self.changes.observed.endpoints.get(&number).ok_or_else(gone)?;
        let serves = (self.changes.observed.subscribers.values()).find(|one| one.endpoint == Some(number));
        if let Some(subscriber) = serves {
            return Err((
                format!("it serves subscriber `{}`", subscriber.name),
                "adopt that subscriber: its endpoint comes along".to_owned(),
            ));
        }
        let taken: BTreeSet<&str> = self.device.endpoints.keys().map(String::as_str).collect();
        let key = free_key(called, "endpoint", number.get(), |key| {
            taken.contains(key) || self.inventory.subscribers.contains_key(key)
        });
        let value = value(&spare_endpoint(&key, held, &|_| false))?;
        Ok((KeyPath::new(["devices", &self.device.key, "endpoints", &key]), value))
    }
}

/// An entry that was written as text, as a value.
fn value(lines: &[Line]) -> Result<Value, Obstacle> {
    let below = lines
        .iter()
        .skip(1)
        .map(|line| format!("{}{}\n", "  ".repeat(line.depth.saturating_sub(1)), line.text));
    Value::read(&below.collect::<String>()).ok_or_else(gone)
}

fn gone() -> Obstacle {
    (
        "it is not on the device as it was when this was planned".to_owned(),
        "try again".to_owned(),
    )
}

/// A key after the name on the device, else after the number, that nothing else has.
fn free_key(called: &str, kind: &str, number: u16, taken: impl Fn(&str) -> bool) -> String {
    let named = of_name(called);
    let numbered = format!("{kind}-{number}");
    let first = if named.is_empty() { numbered } else { named };
    if !taken(&first) {
        return first;
    }
    (2_u32..)
        .map(|more| format!("{first}-{more}"))
        .find(|key| !taken(key))
        .unwrap_or(first)
}
