//! What devices hold, taken into the inventory: drift accepted instead of reverted, what is there and unmanaged written down, as edits
//! of its texts.
//!
//! Works from plans: what a plan would change on the device is changed in the inventory instead. Whether the inventory then says
//! what the device holds is not believed but planned again (`settle`), and what does not hold is left alone, with the reason.

mod fields;
mod newcomers;
mod plan;
mod settle;
mod unmanaged;

use std::collections::BTreeMap;

use crate::inventory::edit::{Edit, KeyPath, Value, find};
use crate::inventory::model::{Device, Mode};
use crate::observed::{Kind, ObjectId};
use crate::plan::model::{Action, DeviceChanges, ObjectChange};

use super::found::Existing;
use super::outcome::describe;
use newcomers::Newcomers;

pub use settle::{Settled, settle};

/// What is to come into the inventory.
#[derive(Debug, Clone, Copy)]
pub enum Wanted<'w> {
    /// Whatever differs from what the inventory says, and nothing that it does not name.
    Drift,
    /// One object, by its kind and its key in the plan, its number (`#7`), or its name.
    Object(&'w (Kind, String)),
    /// All that a device holds: what differs, and what is unmanaged.
    Everything {
        /// Whether what the device does not have leaves the inventory, as far as no apply is to make it.
        remove_missing: bool,
    },
}

/// A device as it is read.
#[derive(Debug, Clone)]
pub struct Compared {
    /// The plan for all of it.
    pub changes: DeviceChanges,
    /// Objects with settings that could not be read, as printed.
    pub unreadable: BTreeMap<ObjectId, Vec<String>>,
}

/// What becomes of an object's entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// Its values become those of the device.
    Changed,
    /// It is new.
    Added,
    /// It goes.
    Removed,
}

/// An object whose live values the inventory is to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adopted {
    /// `maple-a/subscriber/s-10401`: the key that it has in the inventory, or gets.
    pub address: String,
    /// Its number on the device.
    pub object: ObjectId,
    /// What the device calls it: `subscriber 7 "John"`. As its address where it is not there.
    pub called: String,
    /// What becomes of its entry.
    pub how: How,
    /// What the inventory says and what the device holds, in words, one line each.
    pub what: Vec<String>,
    /// The edits that make it so.
    pub edits: Vec<Edit>,
}

/// An object that is not adopted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAdopted {
    /// Its address in the plan.
    pub address: String,
    /// Its number on the device.
    pub object: ObjectId,
    /// What the device calls it.
    pub called: String,
    /// Why.
    pub reason: String,
    /// What to do. `None`: nothing, it stays as it is.
    pub help: Option<String>,
}

/// What can be adopted, and what cannot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Adoption {
    /// What can.
    pub adopted: Vec<Adopted>,
    /// What cannot.
    pub left: Vec<NotAdopted>,
}

/// Why something cannot be adopted, and what to do.
type Obstacle = (String, String);

/// A device as it is, and the inventory that asks for something else.
#[derive(Debug, Clone, Copy)]
struct Drifted<'a> {
    existing: Existing<'a>,
    device: &'a Device,
    changes: &'a DeviceChanges,
    unreadable: &'a BTreeMap<ObjectId, Vec<String>>,
    newcomers: &'a Newcomers,
}

/// Works out edits for devices, by their keys; nothing of it is proven. A device that is not in the inventory has none.
fn propose(
    existing: Existing<'_>,
    devices: &BTreeMap<String, Compared>,
    wanted: Wanted<'_>,
) -> BTreeMap<String, Adoption> {
    let known: Vec<(&Device, &Compared)> = devices
        .iter()
        .filter_map(|(key, compared)| Some((existing.inventory.devices.get(key)?, compared)))
        .collect();
    let changes: Vec<(&Device, &DeviceChanges)> = known
        .iter()
        .map(|(device, compared)| (*device, &compared.changes))
        .collect();
    let newcomers = Newcomers::of(existing, &changes);
    let adoption = |(device, compared): (&Device, &Compared)| {
        let drifted = Drifted {
            existing,
            device,
            changes: &compared.changes,
            unreadable: &compared.unreadable,
            newcomers: &newcomers,
        };
        (device.key.clone(), drifted.adoption(wanted))
    };
    known.into_iter().map(adoption).collect()
}

/// The fields of a change, the wish first.
fn in_words(change: &ObjectChange) -> Vec<String> {
    let or_none = |text: &str| {
        if text.is_empty() {
            "none".to_owned()
        } else {
            text.to_owned()
        }
    };
    (change.fields.iter())
        .map(|field| {
            format!(
                "{}: {} -> {}",
                field.field,
                or_none(&field.after),
                or_none(&field.before)
            )
        })
        .collect()
}

impl Drifted<'_> {
    fn adoption(&self, wanted: Wanted<'_>) -> Adoption {
        let mut adoption = Adoption::default();
        for change in self
            .changes
            .changes
            .iter()
            .filter(|change| self.is_wanted(change, wanted))
        {
            let (how, edits) = match (change.action, wanted) {
                (Action::Update, _) => (How::Changed, self.fields(change)),
                (Action::Destroy, Wanted::Object(_)) => (How::Added, self.put_back(change)),
                (Action::Destroy, _) => (How::Added, Err(self.has_left(change))),
                (Action::Create, Wanted::Everything { remove_missing: true }) => (How::Removed, self.take_away(change)),
                (Action::Create, _) => (How::Removed, Err(self.is_missing(change))),
            };
            match edits {
                Ok(edits) => {
                    let what = match how {
                        How::Changed => in_words(change),
                        How::Added => vec!["back into the inventory".to_owned()],
                        How::Removed => vec!["out of the inventory: the device does not have it".to_owned()],
                    };
                    let address = change.address.clone();
                    (adoption.adopted).push(self.adopted(address, change.object, how, what, edits));
                }
                Err((reason, help)) => {
                    (adoption.left).push(self.left(change.address.clone(), change.object, reason, help));
                }
            }
        }
        match wanted {
            Wanted::Drift => {}
            Wanted::Object((kind, name)) => self.one_unmanaged(*kind, name, &mut adoption),
            Wanted::Everything { .. } => self.all_unmanaged(&mut adoption),
        }
        adoption
    }

    fn is_wanted(&self, change: &ObjectChange, wanted: Wanted<'_>) -> bool {
        match wanted {
            Wanted::Object(object) => self.is_named(change, object),
            // An endpoint comes and goes with its subscriber's entry.
            Wanted::Drift | Wanted::Everything { .. } => !self.goes_with_its_subscriber(change),
        }
    }

    /// Whether a change is about the endpoint of a subscriber that is missing, or has left, as well.
    fn goes_with_its_subscriber(&self, change: &ObjectChange) -> bool {
        let same = |other: &ObjectChange| {
            other.kind == Kind::Subscriber && other.key == change.key && other.action == change.action
        };
        change.kind == Kind::Endpoint && change.action != Action::Update && self.changes.changes.iter().any(same)
    }

    /// Whether a change is about the object that is wanted.
    fn is_named(&self, change: &ObjectChange, (kind, name): &(Kind, String)) -> bool {
        let number = name.strip_prefix('#').and_then(|number| number.parse::<u16>().ok());
        change.kind == *kind
            && (change.key == *name
                || number == Some(change.object.number())
                || self.changes.observed.name_of(change.object) == Some(name.as_str()))
    }

    /// The edit that takes the entry of something away that is not on the device.
    ///
    /// On a device that is managed, what was never applied is waiting for an apply, and stays; what was applied and is gone was taken
    /// off the device by somebody. On one that is only looked at nothing waits for an apply.
    fn take_away(&self, change: &ObjectChange) -> Result<Vec<Edit>, Obstacle> {
        let mut records = self.changes.records_before.iter();
        let was_applied =
            records.any(|record| record.kind() == change.kind && record.key == change.key && record.applied.is_some());
        if self.device.mode == Mode::Manage && !was_applied {
            return Err((
                "the inventory has it, the device does not, and no apply has made it yet".to_owned(),
                "apply makes it; if it is not to be made, take it out of the inventory by hand".to_owned(),
            ));
        }
        let (path, spare) = match change.kind {
            Kind::Subscriber => (
                KeyPath::new(["subscribers", &change.key]),
                self.kept_as_spare(&change.key)?,
            ),
            Kind::Endpoint if self.device.endpoints.contains_key(&change.key) => {
                let path = KeyPath::new(["devices", &self.device.key, "endpoints", &change.key]);
                (path, Vec::new())
            }
            _ => return Err(self.is_missing(change)),
        };
        Ok([Edit::Remove { path }].into_iter().chain(spare).collect())
    }

    fn is_missing(&self, change: &ObjectChange) -> Obstacle {
        let help = match change.kind {
            Kind::Subscriber | Kind::Endpoint => {
                "apply makes it; if it is gone for good, take it out of the inventory, or `gamops import` with `--remove-missing`"
            }
            _ => "apply makes it; if it is gone for good, take it out of the inventory",
        };
        (
            "the inventory has it, and the device does not".to_owned(),
            help.to_owned(),
        )
    }

    fn has_left(&self, change: &ObjectChange) -> Obstacle {
        let elsewhere = self.existing.inventory.subscribers.get(&change.key);
        if let Some(moved) = elsewhere.filter(|_| change.kind == Kind::Subscriber) {
            return (
                format!("it moves to {}, and leaves this device with an apply", moved.device),
                "write its `device` back by hand if it is to stay here".to_owned(),
            );
        }
        (
            "it has left the inventory, and the next apply destroys it".to_owned(),
            format!("`gamops adopt {}` puts it back into the inventory", change.address),
        )
    }

    /// The value of a setting becomes this one; without one the setting goes, if it is there.
    fn put(&self, entry: &KeyPath, key: &str, value: Option<Value>) -> Option<Edit> {
        let path = entry.to(key);
        match value {
            Some(value) => Some(Edit::Set { path, value }),
            None => find(self.existing.files, &path).map(|_| Edit::Remove { path }),
        }
    }

    fn adopted(&self, address: String, object: ObjectId, how: How, what: Vec<String>, edits: Vec<Edit>) -> Adopted {
        Adopted {
            called: self.called(&address, object),
            address,
            object,
            how,
            what,
            edits,
        }
    }

    fn left(&self, address: String, object: ObjectId, reason: String, help: String) -> NotAdopted {
        NotAdopted {
            called: self.called(&address, object),
            address,
            object,
            reason,
            help: Some(help),
        }
    }

    /// What the device calls it; what is not there has its address.
    fn called(&self, address: &str, object: ObjectId) -> String {
        let observed = &self.changes.observed;
        match observed.object(object) {
            Some(_) => describe(observed, object),
            None => address.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
