//! Which object on the device is which object of the inventory.
//!
//! Works on one kind of object at a time, on numbers, names and bindings alone. The order is: what we
//! recorded, then the name, then the binding (a MAC, or the port on a port-aware device). What could be two objects is refused, not guessed.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{MacAddr, PortNumber};
use crate::observed::{Kind, Object};

use super::diff::TEMPORARY_NAME;
use super::record::Record;

/// The records of one kind, by key.
pub(super) type Recorded<'r> = BTreeMap<&'r str, &'r Record>;

/// What ties an object to the world outside the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Binding {
    /// The endpoint with this address.
    Mac(MacAddr),
    /// A port-aware device's port.
    Port(PortNumber),
}

/// An object that the inventory asks for.
#[derive(Debug, Clone)]
pub(super) struct Wanted<'a> {
    pub(super) key: &'a str,
    pub(super) was: Option<&'a str>,
    /// `None`: the inventory leaves the name to the device.
    pub(super) name: Option<&'a str>,
    pub(super) binding: Option<Binding>,
    /// The number that the inventory insists on.
    pub(super) pinned: Option<u16>,
}

/// An object that the device holds.
#[derive(Debug, Clone)]
pub(super) struct Candidate<'a> {
    pub(super) number: u16,
    pub(super) name: &'a str,
    pub(super) binding: Option<Binding>,
}

/// Whether an object that gamops recorded under a key that has left the inventory may be recognised by its
/// binding as belonging to another key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Departed {
    /// The thing with that MAC *is* the thing: an endpoint.
    StaysItself,
    /// Another tenant behind the same endpoint is another subscriber.
    IsAnother,
}

/// How an object was recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    Recorded,
    Name,
    Binding,
}

/// The outcome for one kind.
#[derive(Debug, Default)]
pub(super) struct Matches<'w> {
    /// Number on the device and how it was recognised, by inventory key.
    pub(super) by_key: BTreeMap<&'w str, (u16, How)>,
    /// Keys that fit two objects: the one by name, the one by binding.
    pub(super) ambiguous: Vec<(&'w str, u16, u16)>,
}

/// Whether the candidate still is what the record says.
pub(super) fn is_recorded(record: &Record, candidate: &Candidate<'_>) -> bool {
    record.object.number() == candidate.number
        && (has_recorded_name(record, candidate)
            || candidate.binding.is_some()
                && (candidate.binding == record.binding.map(Binding::Mac)
                    || candidate.binding == binding_before(record)))
}

/// Whether the candidate still bears a name that gamops gave it: the recorded one, the one that it had before
/// a run that may have been cut off, or the one that it bears for a moment while names are exchanged.
pub(super) fn has_recorded_name(record: &Record, candidate: &Candidate<'_>) -> bool {
    let before = || record.applied.as_ref().map(Object::name);
    record.object.number() == candidate.number
        && (record.name == candidate.name
            || before() == Some(candidate.name)
            || candidate.name.starts_with(TEMPORARY_NAME))
}

/// Whether what the inventory no longer asks for may be destroyed.
///
/// A subscriber must still bear its name: another one on the same endpoint is another customer, whom somebody
/// put there by hand. Told apart from drift only here, because a subscriber that the inventory still asks for
/// gets its name back.
pub(super) fn is_still_ours(kind: Kind, record: &Record, candidate: &Candidate<'_>) -> bool {
    match kind {
        Kind::Subscriber => has_recorded_name(record, candidate),
        _ => is_recorded(record, candidate),
    }
}

/// Whether gamops owns what stands there: it is as recorded under a wanted key, or under one that has left the inventory and
/// still is what it was.
pub(super) fn is_owned(kind: Kind, candidate: &Candidate<'_>, records: &Recorded<'_>, wanted: &BTreeSet<&str>) -> bool {
    records.values().any(|record| {
        is_recorded(record, candidate)
            && (wanted.contains(record.key.as_str()) || is_still_ours(kind, record, candidate))
    })
}

fn binding_before(record: &Record) -> Option<Binding> {
    match &record.applied {
        Some(Object::Endpoint(endpoint)) => endpoint.mac.map(Binding::Mac),
        // On a port-aware device; elsewhere it has none, and the record itself holds the address.
        Some(Object::Subscriber(subscriber)) => subscriber.port.map(Binding::Port),
        _ => None,
    }
}

/// The record that belongs to a wanted object: under its key, else under the key that it had before.
pub(super) fn record_of<'r>(
    wanted: &Wanted<'_>,
    records: &Recorded<'r>,
    all_wanted: &BTreeSet<&str>,
) -> Option<&'r Record> {
    let record = records.get(wanted.key).or_else(|| {
        let was = wanted.was?;
        if all_wanted.contains(was) {
            None
        } else {
            records.get(was)
        }
    });
    record.copied()
}

/// Matches the wanted objects of one kind with those on the device.
pub(super) fn match_objects<'w>(
    wanted: &[Wanted<'w>],
    candidates: &[Candidate<'_>],
    records: &Recorded<'_>,
    departed: Departed,
) -> Matches<'w> {
    let keys: BTreeSet<&str> = wanted.iter().map(|wanted| wanted.key).collect();
    let mut matches = Matches::default();
    let mut taken: BTreeSet<u16> = BTreeSet::new();

    for object in wanted {
        let Some(record) = record_of(object, records, &keys) else {
            continue;
        };
        let found = candidates.iter().find(|candidate| is_recorded(record, candidate));
        if let Some(candidate) = found
            && taken.insert(candidate.number)
        {
            matches.by_key.insert(object.key, (candidate.number, How::Recorded));
        }
    }

    // Most of the time nothing is left to be recognised.
    if matches.by_key.len() == wanted.len() {
        return matches;
    }
    let names: BTreeSet<&str> = wanted.iter().filter_map(|wanted| wanted.name).collect();
    let recorded_elsewhere: BTreeSet<u16> = records
        .values()
        .filter(|record| !keys.contains(record.key.as_str()))
        .map(|record| record.object.number())
        .collect();
    for object in wanted {
        if matches.by_key.contains_key(object.key) {
            continue;
        }
        let free = |candidate: &&Candidate<'_>| !taken.contains(&candidate.number);
        let by_name = object
            .name
            .and_then(|name| candidates.iter().filter(free).find(|candidate| candidate.name == name))
            .map(|candidate| candidate.number);
        let by_binding = object
            .binding
            .and_then(|mac| {
                candidates
                    .iter()
                    .filter(free)
                    .find(|candidate| candidate.binding == Some(mac))
            })
            .filter(|candidate| {
                departed == Departed::StaysItself
                    // Who bears a wanted name is that one, whatever endpoint it is on.
                    || !recorded_elsewhere.contains(&candidate.number) && !names.contains(candidate.name)
            })
            .map(|candidate| candidate.number);
        let (number, how) = match (by_name, by_binding) {
            (Some(name), Some(binding)) if name != binding => {
                matches.ambiguous.push((object.key, name, binding));
                continue;
            }
            (Some(number), _) => (number, How::Name),
            (None, Some(number)) => (number, How::Binding),
            (None, None) => continue,
        };
        taken.insert(number);
        matches.by_key.insert(object.key, (number, how));
    }
    matches
}

/// Picks a number for a new object.
///
/// First the one it had before, so that option 82 values and bookmarks survive; then `hint`; then the lowest
/// that nothing holds; last one whose holder goes away in this plan, which rewrites that slot in place.
pub(super) fn allocate(
    had: Option<u16>,
    hint: Option<u16>,
    range: impl Iterator<Item = u16>,
    held: &BTreeSet<u16>,
    reserved: &BTreeSet<u16>,
    leaving: &BTreeSet<u16>,
) -> Option<u16> {
    let free = |number: &u16| !held.contains(number) && !leaving.contains(number);
    had.filter(|number| !held.contains(number)).or_else(|| {
        let range: Vec<u16> = range.collect();
        hint.filter(|number| free(number) && !reserved.contains(number))
            .or_else(|| {
                range
                    .iter()
                    .copied()
                    .find(|number| free(number) && !reserved.contains(number))
            })
            .or_else(|| range.iter().copied().find(free))
            .or_else(|| {
                range
                    .iter()
                    .copied()
                    .find(|number| leaving.contains(number) && !held.contains(number))
            })
    })
}
