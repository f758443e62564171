//! From a wish with keys to a target with numbers: matching, ownership, and what stands in the way.
//!
//! The target starts as a copy of what the device holds, so whatever gamops does not manage is in it
//! unchanged and the diff needs no exceptions.

mod blockers;
mod fields;
mod number;
mod strangers;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use crate::domain::{EndpointId, MacAddr, ProfileId, SubscriberId, SubscriberModel};
use crate::inventory::desired::{DesiredDevice, DesiredRate};
use crate::observed::{Capabilities, DeviceConfig, Kind, ObjectId, Port, ProfileRef, Subscriber};

use super::drift::Left;
use super::matching::{Binding, Candidate, Departed, Recorded, Wanted};
use super::record::Record;

pub(super) use blockers::refuse_what_cannot_stand;
pub(super) use fields::Words;

/// What the wish comes to on this device.
#[derive(Debug, Clone, Default)]
pub struct Resolution {
    /// The configuration to reach, unmanaged objects included. Shared with what the device holds while nothing differs.
    pub target: Arc<DeviceConfig>,
    /// What gamops will own once the target is reached, in the order of [`Record::place`]. `applied` holds the target. Shared
    /// with what it owns now while nothing differs.
    pub records: Arc<Vec<Record>>,
    /// Objects that were there and are taken over: now in `records`, before not.
    pub adopted: Vec<ObjectId>,
    /// Records that own nothing any more: their object is gone or is something else now.
    pub forgotten: Vec<Record>,
    /// What the device holds and gamops does not own. Never changed, never destroyed.
    pub unmanaged: Vec<ObjectId>,
    /// Why this device cannot be changed as asked. Not empty means: change nothing.
    pub refusals: Vec<Refusal>,
    /// What an operator should know.
    pub notes: Vec<String>,
    /// The inventory key of each object that the inventory or a record names.
    pub keys: BTreeMap<ObjectId, String>,
    /// Drift that is left as it is: the target holds it as the device does, the records what was applied.
    pub left: Vec<Left>,
}

/// A reason why a device is not changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Stable id of the rule.
    pub rule: &'static str,
    /// What is in the way.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

/// Works out the target of one device.
#[must_use]
pub fn resolve(
    desired: &DesiredDevice,
    observed: &Arc<DeviceConfig>,
    records: &Arc<Vec<Record>>,
    capabilities: &Capabilities,
) -> Resolution {
    let mut resolver = Resolver::new(desired, observed, records, capabilities);
    resolver.system_and_ports();
    let profiles = resolver.profiles();
    let endpoints = resolver.endpoints();
    resolver.subscribers(&profiles, &endpoints);
    resolver.finish(records)
}

/// The numbers given to the objects of one kind, by key.
type Numbers<'a, T> = BTreeMap<&'a str, T>;

struct Resolver<'a> {
    desired: &'a DesiredDevice,
    observed: &'a DeviceConfig,
    capabilities: &'a Capabilities,
    records: BTreeMap<Kind, Rc<Recorded<'a>>>,
    /// What is owned afterwards: a record that says the same as before, or a new one.
    owned: Vec<Cow<'a, Record>>,
    out: Resolution,
}

impl<'a> Resolver<'a> {
    fn new(
        desired: &'a DesiredDevice,
        observed: &'a Arc<DeviceConfig>,
        records: &'a [Record],
        capabilities: &'a Capabilities,
    ) -> Self {
        let mut by_kind: BTreeMap<Kind, Recorded<'a>> = BTreeMap::new();
        for record in records {
            by_kind.entry(record.kind()).or_default().insert(&record.key, record);
        }
        let out = Resolution {
            target: Arc::clone(observed),
            ..Resolution::default()
        };
        Self {
            desired,
            observed,
            capabilities,
            records: by_kind
                .into_iter()
                .map(|(kind, records)| (kind, Rc::new(records)))
                .collect(),
            owned: Vec::with_capacity(records.len()),
            out,
        }
    }

    fn is_port_aware(&self) -> bool {
        self.desired.subscriber_model == SubscriberModel::PortAware
    }

    /// The target, to be changed: from then on it is not what the device holds.
    fn target(&mut self) -> &mut DeviceConfig {
        Arc::make_mut(&mut self.out.target)
    }

    fn records_of(&self, kind: Kind) -> Rc<Recorded<'a>> {
        self.records.get(&kind).cloned().unwrap_or_default()
    }

    fn own(&mut self, key: &str, object: ObjectId, binding: Option<MacAddr>, protect: bool) {
        let known = self.records.get(&object.kind()).and_then(|of_kind| of_kind.get(key));
        let target = &self.out.target;
        let says_the_same = |record: &Record| {
            (record.object, record.binding, record.protect) == (object, binding, protect)
                && record.name == target.name_of(object).unwrap_or_default()
                && record.applied.is_some()
                && target.holds(object, record.applied.as_ref())
        };
        let record = match known.copied().filter(|record| says_the_same(record)) {
            Some(record) => Cow::Borrowed(record),
            None => {
                let Some(applied) = target.object(object) else {
                    return;
                };
                Cow::Owned(Record {
                    key: key.to_owned(),
                    object,
                    name: applied.name().to_owned(),
                    binding,
                    protect,
                    applied: Some(applied),
                })
            }
        };
        self.out.keys.insert(object, key.to_owned());
        self.owned.push(record);
    }

    fn system_and_ports(&mut self) {
        let desired = self.desired;
        if let Some(hostname) = &desired.hostname {
            if self.out.target.hostname != *hostname {
                self.target().hostname.clone_from(hostname);
            }
            self.own("hostname", ObjectId::System, None, false);
        }
        for (&number, wish) in &desired.ports {
            let held = self.observed.port(number);
            let target = Port {
                mode: wish.mode.unwrap_or(held.mode),
                name: wish.name.clone().unwrap_or_else(|| held.name.clone()),
                shutdown: wish.shutdown.unwrap_or(held.shutdown),
                unknown: held.unknown,
            };
            if self.out.target.port(number) != target {
                self.target().set_port(number, target);
            }
            self.own(&number.to_string(), ObjectId::Port(number), None, false);
        }
    }

    fn profiles(&mut self) -> Numbers<'a, ProfileId> {
        let desired = self.desired;
        let wanted: Vec<Wanted<'_>> = desired
            .profiles
            .iter()
            .map(|(key, profile)| Wanted {
                key,
                was: profile.was.as_deref(),
                name: Some(&profile.name),
                binding: None,
                pinned: None,
            })
            .collect();
        // Profile 1 belongs to the device, whatever it is called.
        let candidates: Vec<Candidate<'_>> = self
            .observed
            .profiles
            .iter()
            .filter(|(id, _)| **id != ProfileId::DEVICE_DEFAULT)
            .map(|(id, profile)| Candidate {
                number: id.get(),
                name: &profile.name,
                binding: None,
            })
            .collect();
        let given = self.number(
            Kind::Profile,
            &wanted,
            &candidates,
            Departed::IsAnother,
            2..=ProfileId::MAX,
            |_| None,
        );
        let mut numbers = Numbers::new();
        for (key, place) in given {
            let (Ok(id), Some(profile)) = (ProfileId::try_from(u64::from(place.number)), desired.profiles.get(key))
            else {
                continue;
            };
            let held = place
                .held
                .and_then(|number| ProfileId::try_from(u64::from(number)).ok());
            let target = fields::profile(profile, held.and_then(|id| self.observed.profiles.get(&id)));
            self.refuse_to_change_for_strangers(id, &target, &profile.name);
            if self.out.target.profiles.get(&id) != Some(&target) {
                self.target().profiles.insert(id, target);
            }
            self.own(key, ObjectId::Profile(id), None, profile.protect);
            numbers.insert(key, id);
        }
        numbers
    }

    fn endpoints(&mut self) -> Numbers<'a, EndpointId> {
        let desired = self.desired;
        // There they come and go by themselves: observations, not wishes.
        if self.is_port_aware() {
            return Numbers::new();
        }
        let wanted: Vec<Wanted<'_>> = desired
            .endpoints
            .iter()
            .map(|(key, endpoint)| Wanted {
                key,
                was: endpoint.was.as_deref(),
                name: endpoint.name.as_deref(),
                binding: Some(Binding::Mac(endpoint.mac)),
                pinned: endpoint.id.map(EndpointId::get),
            })
            .collect();
        let candidates: Vec<Candidate<'_>> = self
            .observed
            .endpoints
            .iter()
            .map(|(id, endpoint)| Candidate {
                number: id.get(),
                name: &endpoint.name,
                binding: endpoint.mac.map(Binding::Mac),
            })
            .collect();
        let range = EndpointId::MIN..=EndpointId::MAX;
        let given = self.number(
            Kind::Endpoint,
            &wanted,
            &candidates,
            Departed::StaysItself,
            range,
            |_| None,
        );
        let mut numbers = Numbers::new();
        for (key, place) in given {
            let (Ok(id), Some(wish)) = (
                EndpointId::try_from(u64::from(place.number)),
                desired.endpoints.get(key),
            ) else {
                continue;
            };
            let held = place
                .held
                .and_then(|number| EndpointId::try_from(u64::from(number)).ok());
            let target = fields::endpoint(wish, held.and_then(|id| self.observed.endpoints.get(&id)));
            if self.out.target.endpoints.get(&id) != Some(&target) {
                self.target().endpoints.insert(id, target);
            }
            self.own(key, ObjectId::Endpoint(id), Some(wish.mac), wish.protect);
            numbers.insert(key, id);
        }
        numbers
    }

    fn subscribers(&mut self, profiles: &Numbers<'a, ProfileId>, endpoints: &Numbers<'a, EndpointId>) {
        let desired = self.desired;
        let mac_of = |endpoint: &Option<String>| {
            endpoint
                .as_ref()
                .and_then(|key| desired.endpoints.get(key))
                .map(|endpoint| endpoint.mac)
        };
        let wanted: Vec<Wanted<'_>> = desired
            .subscribers
            .iter()
            .map(|(key, subscriber)| Wanted {
                key,
                was: subscriber.was.as_deref(),
                name: Some(&subscriber.name),
                binding: mac_of(&subscriber.endpoint)
                    .map(Binding::Mac)
                    .or(subscriber.port.map(Binding::Port)),
                pinned: subscriber.id.map(SubscriberId::get),
            })
            .collect();
        let observed = self.observed;
        let candidates: Vec<Candidate<'_>> = observed
            .subscribers
            .iter()
            .map(|(id, subscriber)| self.subscriber_candidate(*id, subscriber))
            .collect();
        // A subscriber and its endpoint under one number are easier to follow on the device.
        let hint = |key: &str| {
            let endpoint = desired.subscribers.get(key)?.endpoint.as_ref()?;
            endpoints.get(endpoint.as_str()).map(|id| id.get())
        };
        let words = fields::Words {
            capabilities: self.capabilities,
            allow_assumed: desired.allow_assumed,
        };
        let range = SubscriberId::MIN..=SubscriberId::MAX;
        let given = self.number(Kind::Subscriber, &wanted, &candidates, Departed::IsAnother, range, hint);
        for (key, place) in given {
            let (Ok(id), Some(wish)) = (
                SubscriberId::try_from(u64::from(place.number)),
                desired.subscribers.get(key),
            ) else {
                continue;
            };
            let profile = match &wish.rate {
                DesiredRate::Unthrottled => Some(ProfileRef::Unthrottled),
                DesiredRate::Profile(plan) => profiles.get(plan.as_str()).copied().map(ProfileRef::Profile),
            };
            let endpoint_wanted = wish.endpoint.as_ref().filter(|_| !self.is_port_aware());
            let endpoint = endpoint_wanted.and_then(|key| endpoints.get(key.as_str())).copied();
            // Without its profile or endpoint (no number left, refused above) it must not be written at all.
            if profile.is_none() || endpoint.is_some() != endpoint_wanted.is_some() {
                continue;
            }
            let held = place
                .held
                .and_then(|number| SubscriberId::try_from(u64::from(number)).ok())
                .and_then(|id| observed.subscribers.get(&id));
            let (target, notes) = fields::subscriber(wish, endpoint, profile, held, words);
            self.out
                .notes
                .extend(notes.into_iter().map(|note| format!("{key}: {note}")));
            if self.out.target.subscribers.get(&id) != Some(&target) {
                self.target().subscribers.insert(id, target);
            }
            self.own(key, ObjectId::Subscriber(id), mac_of(&wish.endpoint), wish.protect);
        }
    }

    fn subscriber_candidate(&self, number: SubscriberId, subscriber: &'a Subscriber) -> Candidate<'a> {
        Candidate {
            number: number.get(),
            name: &subscriber.name,
            binding: subscriber
                .endpoint
                .and_then(|id| self.observed.endpoints.get(&id)?.mac)
                .map(Binding::Mac)
                .or(subscriber.port.map(Binding::Port)),
        }
    }

    fn finish(mut self, records: &Arc<Vec<Record>>) -> Resolution {
        self.keep_what_strangers_use();
        self.owned.sort_by(|one, other| one.place().cmp(&other.place()));
        let mut sides = self.owned.iter().zip(records.iter());
        let is_same = sides.all(|(one, other)| std::ptr::eq::<Record>(&**one, other) || **one == *other);
        self.out.records = match is_same && self.owned.len() == records.len() {
            true => Arc::clone(records),
            false => Arc::new(self.owned.into_iter().map(Cow::into_owned).collect()),
        };
        self.out.unmanaged.sort_unstable();
        self.out.adopted.sort_unstable();
        self.out
    }
}

#[cfg(test)]
pub(super) mod laws;
#[cfg(test)]
pub(in crate::plan) mod tests;
