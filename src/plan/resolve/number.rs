//! Which number each wanted object has, or gets; and what of gamops's own goes away, and leaves its number.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{EndpointId, ProfileId, SubscriberId};
use crate::observed::{Kind, ObjectId};
use crate::plan::matching::{
    Candidate, Departed, How, Matches, Recorded, Wanted, allocate, is_owned, is_recorded, is_still_ours, match_objects,
    record_of,
};
use crate::plan::record::Record;

use super::{Refusal, Resolver};

/// Where an object is to be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// Its number.
    pub(super) number: u16,
    /// The number under which the device holds it now. `None` for a new one: what stands under its number, if
    /// anything, is somebody else's and lends it nothing.
    pub(super) held: Option<u16>,
}

impl<'a> Resolver<'a> {
    /// Gives every wanted object of a kind its number, and takes out of the target what is ours and no longer
    /// wanted.
    pub(super) fn number(
        &mut self,
        kind: Kind,
        wanted: &[Wanted<'a>],
        candidates: &[Candidate<'_>],
        departed: Departed,
        range: std::ops::RangeInclusive<u16>,
        hint: impl Fn(&str) -> Option<u16>,
    ) -> BTreeMap<&'a str, Place> {
        let records = self.records_of(kind);
        let keys: BTreeSet<&str> = wanted.iter().map(|wanted| wanted.key).collect();
        let matches = match_objects(wanted, candidates, &records, departed);
        self.refuse_ambiguous(kind, &matches);
        let mut leaving = self.take_out_departed(kind, &keys, candidates, &records, &matches);

        let owned = |number: u16| {
            let mut there = candidates.iter().filter(|candidate| candidate.number == number);
            there.any(|candidate| is_owned(kind, candidate, &records, &keys))
        };
        let mut numbers: BTreeMap<&'a str, Place> = BTreeMap::new();
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
                    numbers.insert(object.key, place);
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
            let ambiguous = matches.ambiguous.iter().any(|(key, _, _)| *key == object.key);
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
            numbers.insert(object.key, place);
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
        matches: &Matches<'_>,
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
            if !matched.contains(&candidate.number)
                && !is_owned(kind, candidate, records, keys)
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

    fn refuse_ambiguous(&mut self, kind: Kind, matches: &Matches<'_>) {
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
