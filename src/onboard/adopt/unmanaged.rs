//! Objects that the inventory has no entry for, as new entries of it.

use crate::domain::{EndpointId, MacAddr, PortNumber, ProfileId, SubscriberId, SubscriberModel};
use crate::inventory::edit::{Edit, KeyPath, Value};
use crate::observed::{Kind, ObjectId, Port, ProfileRef};
use crate::plan::model::ObjectChange;

use super::super::entry::{self, SubscriberEntry, spare_endpoint, subscriber};
use super::super::outcome::harmless;
use super::newcomers::value;
use super::{Adoption, Drifted, How, NotAdopted, Obstacle};

/// A new entry, and the plan that it needs.
struct NewEntry {
    path: KeyPath,
    value: Value,
    /// What has to be edited before it.
    first: Vec<Edit>,
    notes: Vec<String>,
}

impl Drifted<'_> {
    /// Takes in the unmanaged object of that kind with that name, or `#` and that number.
    pub(super) fn one_unmanaged(&self, kind: Kind, name: &str, adoption: &mut Adoption) {
        let number = name.strip_prefix('#').and_then(|number| number.parse::<u16>().ok());
        let is_it = |id: &ObjectId, called: &str| id.kind() == kind && (called == name || number == Some(id.number()));
        for (id, _) in self.changes.unmanaged.iter().filter(|(id, called)| is_it(id, called)) {
            self.take_in(*id, true, adoption);
        }
    }

    /// Takes in whatever the inventory has no entry for: unmanaged objects, and ports with settings that it does not list.
    pub(super) fn all_unmanaged(&self, adoption: &mut Adoption) {
        let observed = &self.changes.observed;
        for (id, _) in &self.changes.unmanaged {
            let belongs_to_another = match id {
                ObjectId::Endpoint(id) => observed.subscribers.values().any(|one| one.endpoint == Some(*id)),
                ObjectId::Profile(id) if *id == ProfileId::DEVICE_DEFAULT => true,
                ObjectId::Profile(id) => {
                    let has = |one: &&crate::observed::Subscriber| one.profile == Some(ProfileRef::Profile(*id));
                    observed.subscribers.values().any(|one| has(&one))
                }
                _ => false,
            };
            if !belongs_to_another {
                self.take_in(*id, false, adoption);
            }
        }
        for (number, port) in &observed.ports {
            // One that the inventory lists is compared by the plan.
            if !self.device.ports.contains_key(number) && !entry::port(port, &|_| false).is_empty() {
                self.take_in(ObjectId::Port(*number), false, adoption);
            }
        }
    }

    /// What was not named and cannot be taken in is left alone, and nothing is to be done about it.
    fn take_in(&self, id: ObjectId, is_named: bool, adoption: &mut Adoption) {
        let kind = id.kind();
        let entry = self.entry(id);
        let key = entry.as_ref().ok().and_then(|entry| entry.path.keys().last().cloned());
        let key = key.unwrap_or_else(|| format!("#{}", id.number()));
        let address = format!("{}/{kind}/{key}", self.device.key);
        match entry {
            Ok(entry) => {
                let what = [format!("a new entry: {}", entry.path)];
                let what = what.into_iter().chain(entry.notes.iter().cloned()).collect();
                (adoption.adopted).push(self.adopted(address, id, How::Added, what, self.insert(entry)));
            }
            Err((reason, help)) => {
                let left = self.left(address, id, reason, help);
                adoption.left.push(NotAdopted {
                    help: left.help.filter(|_| is_named),
                    ..left
                });
            }
        }
    }

    /// Puts what has left the inventory back into it, where the operator named it.
    pub(super) fn put_back(&self, change: &ObjectChange) -> Result<Vec<Edit>, Obstacle> {
        let subscribers = &self.existing.inventory.subscribers;
        if change.kind == Kind::Subscriber && subscribers.contains_key(&change.key) {
            return Err(self.has_left(change));
        }
        self.entry(change.object).map(|entry| self.insert(entry))
    }

    /// The edit that keeps what serves nobody any more as a spare endpoint, where the subscriber that it served has gone from the device.
    pub(super) fn kept_as_spare(&self, subscriber: &str) -> Result<Vec<Edit>, Obstacle> {
        let entry = self.existing.inventory.subscribers.get(subscriber);
        let mac = entry.and_then(|one| one.endpoint.as_ref()).map(|endpoint| endpoint.mac);
        let observed = &self.changes.observed;
        let serves = |id: EndpointId| observed.subscribers.values().any(|one| one.endpoint == Some(id));
        let left = observed
            .endpoints
            .iter()
            .find(|(id, held)| mac.is_some() && held.mac == mac && !serves(**id));
        match left {
            Some((id, _)) => Ok(self.insert(self.entry(ObjectId::Endpoint(*id))?)),
            None => Ok(Vec::new()),
        }
    }

    /// The edits of a new entry.
    fn insert(&self, entry: NewEntry) -> Vec<Edit> {
        let beside = self.beside();
        let own = Edit::Insert {
            path: entry.path,
            value: entry.value,
            beside,
        };
        entry.first.into_iter().chain([own]).collect()
    }

    /// Where new subscribers of the device go: to those that it has, else to the device itself.
    fn beside(&self) -> Option<KeyPath> {
        let first = self.existing.inventory.subscribers.on(&self.device.key).next();
        Some(match first {
            Some(subscriber) => KeyPath::new(["subscribers", &subscriber.key]),
            None => KeyPath::new(["devices", &self.device.key]),
        })
    }

    /// The place and the entry of an object.
    fn entry(&self, id: ObjectId) -> Result<NewEntry, Obstacle> {
        if let Some(obstacle) = self.unreadable(id) {
            return Err(obstacle);
        }
        match id {
            ObjectId::Subscriber(number) => self.new_subscriber(number),
            ObjectId::Endpoint(number) => self.new_endpoint(number),
            ObjectId::Port(number) => self.new_port(number),
            ObjectId::Profile(_) => Err((
                "no subscriber has it".to_owned(),
                "a profile comes into the inventory as the plan of a subscriber; write the plan by hand if it is to be kept"
                    .to_owned(),
            )),
            ObjectId::System => Err(gone()),
        }
    }

    /// Why an object is less to gamops than to the device: it, or what it refers to, has settings that gamops cannot read.
    fn unreadable(&self, id: ObjectId) -> Option<Obstacle> {
        let subscriber = match id {
            ObjectId::Subscriber(id) => self.changes.observed.subscribers.get(&id),
            _ => None,
        };
        let endpoint = subscriber.and_then(|one| one.endpoint).map(ObjectId::Endpoint);
        let profile = subscriber.and_then(|one| match one.profile {
            Some(ProfileRef::Profile(id)) => Some(ObjectId::Profile(id)),
            _ => None,
        });
        let all = [Some(id), endpoint, profile];
        let words = all.into_iter().flatten().find_map(|id| self.unreadable.get(&id))?;
        Some((
            format!(
                "the device says `{}`, which gamops cannot read",
                harmless(&words.join(" "))
            ),
            "it stays as it is on the device, unmanaged".to_owned(),
        ))
    }

    fn new_subscriber(&self, number: SubscriberId) -> Result<NewEntry, Obstacle> {
        let observed = &self.changes.observed;
        let held = observed.subscribers.get(&number).ok_or_else(gone)?;
        let key = (self.newcomers.subscribers).get(&(self.device.key.clone(), number));
        let key = key.ok_or_else(gone)?;
        let (plan, new) = self.plan_of(held.profile)?;
        let by_endpoint = self.device.subscriber_model == SubscriberModel::EndpointAware;
        let endpoint = held.endpoint.filter(|_| by_endpoint);
        let entry = SubscriberEntry {
            key,
            device: &self.device.key,
            plan: &plan,
            held,
            endpoint: endpoint.and_then(|id| observed.endpoints.get(&id)),
        };
        let spare = entry.endpoint.and_then(|endpoint| self.spare_with(endpoint.mac?));
        let mut notes = self.notes(new.is_some(), held.profile);
        notes.extend(
            spare
                .as_ref()
                .map(|path| format!("in the place of the spare endpoint {path}")),
        );
        let taken = spare.map(|path| Edit::Remove { path });
        Ok(NewEntry {
            path: KeyPath::new(["subscribers", key]),
            value: value(&subscriber(&entry, &|_| false)).ok_or_else(gone)?,
            first: new.into_iter().chain(taken).collect(),
            notes,
        })
    }

    /// Where the inventory has an endpoint as a spare one of this device.
    fn spare_with(&self, mac: MacAddr) -> Option<KeyPath> {
        let spare = self.device.endpoints.values().find(|spare| spare.mac == mac)?;
        Some(KeyPath::new(["devices", &self.device.key, "endpoints", &spare.key]))
    }

    /// What a person should look at in a new entry.
    fn notes(&self, is_new_plan: bool, profile: Option<ProfileRef>) -> Vec<String> {
        let Some(ProfileRef::Profile(id)) = profile.filter(|_| is_new_plan) else {
            return Vec::new();
        };
        let plan = self.newcomers.plans.get(&(self.device.key.clone(), id));
        let note = plan.map(|plan| match plan.is_odd {
            true => format!(
                "with a new plan: plans.{}, its rates as found on the device; what is sold?",
                plan.key
            ),
            false => format!("with a new plan: plans.{}", plan.key),
        });
        note.into_iter().collect()
    }

    fn new_endpoint(&self, number: EndpointId) -> Result<NewEntry, Obstacle> {
        let held = self.changes.observed.endpoints.get(&number).ok_or_else(gone)?;
        let serves = (self.changes.observed.subscribers.values()).find(|one| one.endpoint == Some(number));
        if let Some(subscriber) = serves {
            return Err((
                format!("it serves subscriber `{}`", subscriber.name),
                "adopt that subscriber: its endpoint comes along".to_owned(),
            ));
        }
        let key = self.newcomers.endpoints.get(&(self.device.key.clone(), number));
        let key = key.ok_or_else(gone)?;
        Ok(NewEntry {
            path: KeyPath::new(["devices", &self.device.key, "endpoints", key]),
            value: value(&spare_endpoint(key, held, &|_| false)).ok_or_else(gone)?,
            first: Vec::new(),
            notes: Vec::new(),
        })
    }

    fn new_port(&self, number: PortNumber) -> Result<NewEntry, Obstacle> {
        let held: Port = self.changes.observed.port(number);
        let lines = entry::port(&held, &|_| false);
        let key = number.to_string();
        let head = entry::Line {
            depth: 0,
            text: format!("{key}:"),
            field: None,
        };
        let lines: Vec<entry::Line> = std::iter::once(head).chain(lines).collect();
        Ok(NewEntry {
            path: KeyPath::new(["devices", &self.device.key, "ports", &key]),
            value: value(&lines).ok_or_else(gone)?,
            first: Vec::new(),
            notes: Vec::new(),
        })
    }
}

fn gone() -> Obstacle {
    (
        "it is not on the device as it was when this was planned".to_owned(),
        "try again".to_owned(),
    )
}
