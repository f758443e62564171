//! From a wish with keys to a target with numbers: matching, ownership, and what stands in the way.
//!
//! The target starts as a copy of what the device holds, so whatever gamops does not manage is in it
//! unchanged and the diff needs no exceptions.

mod blockers;
mod fields;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::domain::{EndpointId, MacAddr, ProfileId, SubscriberId, SubscriberModel};
use crate::inventory::desired::{DesiredDevice, DesiredRate};
use crate::observed::{Capabilities, DeviceConfig, Kind, ObjectId, Port, ProfileRef, Subscriber};

use super::matching::{
    Binding, Candidate, Departed, How, Matches, Recorded, Wanted, allocate, is_recorded, is_still_ours, match_objects,
    record_of,
};
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
type Numbers<T> = BTreeMap<String, T>;

/// Where an object is to be.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// Its number.
    number: u16,
    /// The number under which the device holds it now. `None` for a new one: what stands under its number, if
    /// anything, is somebody else's and lends it nothing.
    held: Option<u16>,
}

struct Resolver<'a> {
    desired: &'a DesiredDevice,
    observed: &'a DeviceConfig,
    capabilities: &'a Capabilities,
    records: BTreeMap<Kind, Recorded<'a>>,
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
            records: by_kind,
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

    fn records_of(&self, kind: Kind) -> Recorded<'a> {
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

    fn profiles(&mut self) -> Numbers<ProfileId> {
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
            let (Ok(id), Some(profile)) = (ProfileId::try_from(u64::from(place.number)), desired.profiles.get(&key))
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
            self.own(&key, ObjectId::Profile(id), None, profile.protect);
            numbers.insert(key, id);
        }
        numbers
    }

    /// A profile that unmanaged subscribers use is theirs too: its rates are not changed under them.
    fn refuse_to_change_for_strangers(&mut self, id: ProfileId, target: &crate::observed::Profile, name: &str) {
        let Some(held) = self.observed.profiles.get(&id) else {
            return;
        };
        if (held.down, held.up) == (target.down, target.up) {
            return;
        }
        let records = self.records_of(Kind::Subscriber);
        let wanted: BTreeSet<&str> = self
            .desired
            .subscribers
            .values()
            .map(|wish| wish.name.as_str())
            .collect();
        let strangers: Vec<String> = self
            .observed
            .subscribers
            .iter()
            .filter(|(_, subscriber)| subscriber.profile == Some(ProfileRef::Profile(id)))
            .filter(|(number, subscriber)| {
                let candidate = self.subscriber_candidate(**number, subscriber);
                !wanted.contains(subscriber.name.as_str())
                    && !records.values().any(|record| is_recorded(record, &candidate))
            })
            .map(|(_, subscriber)| format!("`{}`", subscriber.name))
            .collect();
        if !strangers.is_empty() {
            self.out.refusals.push(Refusal {
                rule: "profile-shared-with-unmanaged",
                message: format!(
                    "bandwidth profile {id} `{name}` would change its rates under unmanaged subscribers: {}",
                    strangers.join(", ")
                ),
                help: "add those subscribers to the inventory, or give the plan another `name`".to_owned(),
            });
        }
    }

    fn endpoints(&mut self) -> Numbers<EndpointId> {
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
                desired.endpoints.get(&key),
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
            self.own(&key, ObjectId::Endpoint(id), Some(wish.mac), wish.protect);
            numbers.insert(key, id);
        }
        numbers
    }

    fn subscribers(&mut self, profiles: &Numbers<ProfileId>, endpoints: &Numbers<EndpointId>) {
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
            endpoints.get(endpoint).map(|id| id.get())
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
                desired.subscribers.get(&key),
            ) else {
                continue;
            };
            let profile = match &wish.rate {
                DesiredRate::Unthrottled => Some(ProfileRef::Unthrottled),
                DesiredRate::Profile(plan) => profiles.get(plan).copied().map(ProfileRef::Profile),
            };
            let endpoint_wanted = wish.endpoint.as_ref().filter(|_| !self.is_port_aware());
            let endpoint = endpoint_wanted.and_then(|key| endpoints.get(key)).copied();
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
            self.own(&key, ObjectId::Subscriber(id), mac_of(&wish.endpoint), wish.protect);
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

    /// Gives every wanted object of a kind its number, and takes out of the target what is ours and no longer
    /// wanted.
    fn number(
        &mut self,
        kind: Kind,
        wanted: &[Wanted<'_>],
        candidates: &[Candidate<'_>],
        departed: Departed,
        range: std::ops::RangeInclusive<u16>,
        hint: impl Fn(&str) -> Option<u16>,
    ) -> BTreeMap<String, Place> {
        let records = self.records_of(kind);
        let keys: BTreeSet<&str> = wanted.iter().map(|wanted| wanted.key).collect();
        let matches = match_objects(wanted, candidates, &records, departed);
        self.refuse_ambiguous(kind, &matches);
        let mut leaving = self.take_out_departed(kind, &keys, candidates, &records, &matches);

        let owned = |number: u16| {
            candidates
                .iter()
                .filter(|candidate| candidate.number == number)
                .any(|candidate| records.values().any(|record| is_recorded(record, candidate)))
        };
        let mut numbers: BTreeMap<String, Place> = BTreeMap::new();
        let mut moved: BTreeMap<&str, u16> = BTreeMap::new();
        let mut held: BTreeSet<u16> = candidates
            .iter()
            .map(|candidate| candidate.number)
            .filter(|number| !leaving.contains(number))
            .collect();
        for object in wanted {
            let Some(&(number, how)) = matches.by_key.get(object.key) else {
                continue;
            };
            match object.pinned {
                Some(pinned) if pinned != number => {
                    if how != How::Recorded && !owned(number) {
                        self.refuse_renumbering(kind, object.key, number, pinned);
                        continue;
                    }
                    // Another number is another object to the device: the old one goes, a new one comes.
                    self.remove(kind, number);
                    if let Some(id) = object_id(kind, number) {
                        self.out.keys.insert(id, object.key.to_owned());
                    }
                    held.remove(&number);
                    leaving.insert(number);
                    moved.insert(object.key, number);
                }
                _ => {
                    let place = Place {
                        number,
                        held: Some(number),
                    };
                    numbers.insert(object.key.to_owned(), place);
                    if how != How::Recorded
                        && !owned(number)
                        && let Some(id) = object_id(kind, number)
                    {
                        self.out.adopted.push(id);
                    }
                }
            }
        }
        let reserved: BTreeSet<u16> = wanted
            .iter()
            .filter(|object| !numbers.contains_key(object.key))
            .filter_map(|object| record_of(object, &records, &keys).map(|record| record.object.number()))
            .chain(wanted.iter().filter_map(|object| object.pinned))
            .collect();
        for object in wanted {
            let ambiguous = matches.ambiguous.iter().any(|(key, _, _)| key == object.key);
            if numbers.contains_key(object.key) || ambiguous {
                continue;
            }
            let number = match object.pinned {
                Some(pinned) if held.contains(&pinned) => {
                    self.refuse_pin(kind, object.key, pinned);
                    continue;
                }
                Some(pinned) => Some(pinned),
                None => {
                    let had = record_of(object, &records, &keys).map(|record| record.object.number());
                    allocate(had, hint(object.key), range.clone(), &held, &reserved, &leaving)
                }
            };
            let Some(number) = number else {
                self.refuse_full(kind, object.key, range.end() + 1 - range.start());
                continue;
            };
            held.insert(number);
            leaving.remove(&number);
            let place = Place {
                number,
                held: moved.get(object.key).copied(),
            };
            numbers.insert(object.key.to_owned(), place);
        }
        numbers
    }

    /// Removes from the target what gamops owns and the inventory no longer asks for; returns its numbers.
    fn take_out_departed(
        &mut self,
        kind: Kind,
        keys: &BTreeSet<&str>,
        candidates: &[Candidate<'_>],
        records: &Recorded<'a>,
        matches: &Matches,
    ) -> BTreeSet<u16> {
        let matched: BTreeSet<u16> = matches.by_key.values().map(|(number, _)| *number).collect();
        let ambiguous: BTreeSet<u16> = matches.ambiguous.iter().flat_map(|(_, a, b)| [*a, *b]).collect();
        let mut leaving = BTreeSet::new();
        for record in records.values() {
            let number = record.object.number();
            if keys.contains(record.key.as_str()) {
                continue;
            }
            if matched.contains(&number) {
                continue; // It goes on under another key.
            }
            let there = candidates.iter().find(|candidate| is_recorded(record, candidate));
            if there.is_none_or(|there| !is_still_ours(kind, record, there)) {
                self.out.forgotten.push((*record).clone());
                if let Some(there) = there {
                    self.out.notes.push(format!(
                        "{} was `{}` and is named `{}` now: it is left alone and no longer managed",
                        record.object, record.name, there.name
                    ));
                }
                continue;
            }
            self.out.keys.insert(record.object, record.key.clone());
            if ambiguous.contains(&number) {
                self.owned.push(Cow::Borrowed(record));
            } else if record.protect {
                self.refuse_protected(record);
                self.owned.push(Cow::Borrowed(record));
            } else {
                self.remove(kind, number);
                leaving.insert(number);
            }
        }
        for candidate in candidates {
            let owned = |record: &&Record| {
                is_recorded(record, candidate)
                    && (keys.contains(record.key.as_str()) || is_still_ours(kind, record, candidate))
            };
            if !records.values().any(owned)
                && !matched.contains(&candidate.number)
                && let Some(id) = object_id(kind, candidate.number)
            {
                self.out.unmanaged.push(id);
            }
        }
        leaving
    }

    fn remove(&mut self, kind: Kind, number: u16) {
        match object_id(kind, number) {
            Some(ObjectId::Profile(id)) => drop(self.target().profiles.remove(&id)),
            Some(ObjectId::Endpoint(id)) => drop(self.target().endpoints.remove(&id)),
            Some(ObjectId::Subscriber(id)) => drop(self.target().subscribers.remove(&id)),
            _ => {}
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

    /// An owned profile or endpoint that an unmanaged subscriber refers to stays: the device would not stop
    /// us, and the stranger would silently lose its limit or its service.
    fn keep_what_strangers_use(&mut self) {
        let mut keep: BTreeMap<ObjectId, Vec<String>> = BTreeMap::new();
        for subscriber in self.out.target.subscribers.values() {
            let endpoint = subscriber
                .endpoint
                .filter(|id| !self.out.target.endpoints.contains_key(id));
            let profile = match subscriber.profile {
                Some(ProfileRef::Profile(id)) if !self.out.target.profiles.contains_key(&id) => Some(id),
                _ => None,
            };
            let missing = endpoint
                .map(ObjectId::Endpoint)
                .into_iter()
                .chain(profile.map(ObjectId::Profile));
            for id in missing.filter(|id| self.observed.object(*id).is_some()) {
                keep.entry(id).or_default().push(subscriber.name.clone());
            }
        }
        for (id, users) in keep {
            match id {
                ObjectId::Endpoint(id) => {
                    if let Some(endpoint) = self.observed.endpoints.get(&id) {
                        self.target().endpoints.insert(id, endpoint.clone());
                    }
                }
                ObjectId::Profile(id) => {
                    if let Some(profile) = self.observed.profiles.get(&id) {
                        self.target().profiles.insert(id, profile.clone());
                    }
                }
                _ => continue,
            }
            let records = self.records_of(id.kind());
            if let Some(record) = records.values().find(|record| record.object == id) {
                // Its key may lead to another object now, such as one under a newly pinned number.
                let same_key = |other: &Record| other.kind() == record.kind() && other.key == record.key;
                let kept = if self.owned.iter().any(|owned| same_key(owned)) {
                    Cow::Owned(record.left_behind())
                } else {
                    Cow::Borrowed(*record)
                };
                self.owned.push(kept);
            }
            self.out.notes.push(format!(
                "{id} has left the inventory but stays: unmanaged subscriber `{}` uses it",
                users.join("`, `")
            ));
        }
    }

    fn refuse_ambiguous(&mut self, kind: Kind, matches: &Matches) {
        for (key, name, binding) in &matches.ambiguous {
            self.out.refusals.push(Refusal {
                rule: "ambiguous-match",
                message: format!(
                    "{kind} `{key}` could be {kind} {name}, which has its name, or {kind} {binding}, which has its MAC or port"
                ),
                help: "rename one of the two on the device, or correct the inventory".to_owned(),
            });
        }
    }

    fn refuse_renumbering(&mut self, kind: Kind, key: &str, number: u16, pinned: u16) {
        self.out.refusals.push(Refusal {
            rule: "pinned-id-differs",
            message: format!("{kind} `{key}` is pinned to id {pinned}, but the device holds it unadopted as {number}"),
            help: format!("pin `id: {number}`, or leave `id` out until gamops has taken it over"),
        });
    }

    fn refuse_pin(&mut self, kind: Kind, key: &str, pinned: u16) {
        self.out.refusals.push(Refusal {
            rule: "pinned-id-taken",
            message: format!("{kind} `{key}` is pinned to id {pinned}, which another {kind} on the device holds"),
            help: "choose another `id`, or leave it out".to_owned(),
        });
    }

    fn refuse_full(&mut self, kind: Kind, key: &str, limit: u16) {
        self.out.refusals.push(Refusal {
            rule: "no-free-id",
            message: format!("no {kind} id is free for `{key}`: all {limit} are taken, unmanaged ones included"),
            help: format!("remove a {kind} that is no longer needed"),
        });
    }

    fn refuse_protected(&mut self, record: &Record) {
        self.out.refusals.push(Refusal {
            rule: "protected",
            message: format!("{} `{}` is protected and would be destroyed", record.kind(), record.key),
            help: "put it back, or apply it once with `protect: false` before removing it".to_owned(),
        });
    }
}

/// The object of a kind by its number. `None` for a number that the kind cannot have, and for ports and the
/// device, which are not numbered by us.
fn object_id(kind: Kind, number: u16) -> Option<ObjectId> {
    let number = u64::from(number);
    match kind {
        Kind::Profile => ProfileId::try_from(number).ok().map(ObjectId::Profile),
        Kind::Endpoint => EndpointId::try_from(number).ok().map(ObjectId::Endpoint),
        Kind::Subscriber => SubscriberId::try_from(number).ok().map(ObjectId::Subscriber),
        Kind::System | Kind::Port => None,
    }
}

#[cfg(test)]
mod laws;
#[cfg(test)]
pub(super) mod tests;
