//! What a device holds, taken into the inventory: drift accepted instead of reverted, as edits of its texts.
//!
//! Works from a plan: what the plan would change on the device is changed in the inventory instead. Whether the inventory then says
//! what the device holds is not believed but planned again, with [`disproved`].

mod fields;
mod plan;
mod unmanaged;

use std::collections::BTreeSet;

use crate::diagnostic::SourceFile;
use crate::inventory::edit::{Edit, KeyPath, Value, find};
use crate::inventory::model::{Device, Inventory};
use crate::observed::{Kind, ObjectId};
use crate::plan::model::{Action, DeviceChanges, ObjectChange};

/// A device as it is, and the inventory that asks for something else.
#[derive(Debug, Clone, Copy)]
pub struct Drifted<'a> {
    /// The inventory.
    pub inventory: &'a Inventory,
    /// Its texts.
    pub files: &'a [SourceFile],
    /// The device in it.
    pub device: &'a Device,
    /// The plan for all of the device.
    pub changes: &'a DeviceChanges,
}

/// An object whose live values the inventory is to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adopted {
    /// `maple-a/subscriber/s-10401`: the key that it has in the inventory, or gets.
    pub address: String,
    /// Its number on the device.
    pub object: ObjectId,
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
    /// Why.
    pub reason: String,
    /// What to do.
    pub help: String,
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

/// Works out edits. `wanted` is one object by its kind and its key in the plan, its number (`#7`), or its name; without it, it is
/// everything that differs, and nothing that is unmanaged.
#[must_use]
pub fn adopt(drifted: Drifted<'_>, wanted: Option<&(Kind, String)>) -> Adoption {
    let mut adoption = Adoption::default();
    let is_wanted = |change: &&ObjectChange| wanted.is_none_or(|wanted| drifted.is_named(change, wanted));
    for change in drifted.changes.changes.iter().filter(is_wanted) {
        match drifted.edits(change) {
            Ok(edits) => adoption.adopted.push(Adopted {
                address: change.address.clone(),
                object: change.object,
                what: in_words(change),
                edits,
            }),
            Err((reason, help)) => adoption.left.push(NotAdopted {
                address: change.address.clone(),
                reason,
                help,
            }),
        }
    }
    if let Some((kind, name)) = wanted {
        drifted.unmanaged(*kind, name, &mut adoption);
    }
    adoption
}

/// What of an adoption does not hold: objects that a plan with the edited inventory would still change or not know, each with the
/// reason.
///
/// `after` is that plan, for all of the device.
#[must_use]
pub fn disproved<'a>(
    adopted: &'a [Adopted],
    before: &DeviceChanges,
    after: &DeviceChanges,
) -> Vec<(&'a Adopted, String)> {
    let own = |one: &'a Adopted| {
        let still = after.changes.iter().find(|change| change.object == one.object);
        let changed = still.map(|change| format!("the plan would still say {}", in_words(change).join(", ")));
        let is_unknown = after.unmanaged.iter().any(|(id, _)| *id == one.object);
        let unknown = || is_unknown.then(|| "the entry would not be recognised as this object".to_owned());
        changed.or_else(unknown).map(|reason| (one, reason))
    };
    let wrong: Vec<(&Adopted, String)> = adopted.iter().filter_map(own).collect();
    if !wrong.is_empty() {
        return wrong;
    }
    // What comes up elsewhere is the doing of one of them, and nobody can tell of which.
    let is_new = |message: &str| !before.refusals.iter().any(|known| known.message == message);
    let refused = after.refusals.iter().find(|refusal| is_new(&refusal.message));
    let differed: BTreeSet<ObjectId> = before.changes.iter().map(|change| change.object).collect();
    // A profile that nobody has any more may go: nobody feels it.
    let goes = |change: &ObjectChange| change.kind == Kind::Profile && change.action == Action::Destroy;
    let is_elsewhere = |change: &&ObjectChange| !differed.contains(&change.object) && !goes(change);
    let elsewhere = after.changes.iter().find(is_elsewhere);
    let reason = refused.map(|refusal| refusal.message.clone()).or_else(|| {
        let change = elsewhere?;
        let what = in_words(change).join(", ");
        Some(format!("the plan would then change {}: {what}", change.address))
    });
    let all = |reason: String| adopted.iter().map(move |one| (one, reason.clone()));
    reason.into_iter().flat_map(all).collect()
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
    /// Whether a change is about the object that is wanted.
    fn is_named(&self, change: &ObjectChange, (kind, name): &(Kind, String)) -> bool {
        let number = name.strip_prefix('#').and_then(|number| number.parse::<u16>().ok());
        change.kind == *kind
            && (change.key == *name
                || number == Some(change.object.number())
                || self.changes.observed.name_of(change.object) == Some(name.as_str()))
    }

    /// The edits that make the inventory say what the device holds of one object.
    fn edits(&self, change: &ObjectChange) -> Result<Vec<Edit>, Obstacle> {
        match change.action {
            Action::Create => Err((
                "the inventory has it, and the device does not".to_owned(),
                "apply makes it; if it is gone for good, take it out of the inventory".to_owned(),
            )),
            Action::Destroy => Err((
                "it has left the inventory".to_owned(),
                "put it back there with `git revert` or by hand, before an apply destroys it".to_owned(),
            )),
            Action::Update => self.fields(change),
        }
    }

    /// The value of a setting becomes this one; without one the setting goes, if it is there.
    fn put(&self, entry: &KeyPath, key: &str, value: Option<Value>) -> Option<Edit> {
        let path = entry.to(key);
        match value {
            Some(value) => Some(Edit::Set { path, value }),
            None => find(self.files, &path).map(|_| Edit::Remove { path }),
        }
    }
}

#[cfg(test)]
mod tests;
