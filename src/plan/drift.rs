//! Drift that is left as it is: by ignore rules, and in the daemon's rounds by policy.
//!
//! A field drifted where the device holds something else than was applied last, and the inventory still asks for just that.
//! Such a field is put into the target as the device holds it; the record keeps what was applied, so that it stays drift. What the
//! inventory asks anew of a field is no drift, whatever a rule says. Whether a plan stands with what is left is judged as any plan is
//! judged, not assumed.

mod fields;
mod reference;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::domain::PortBinding;
use crate::inventory::desired::DesiredDevice;
use crate::inventory::drift::{Field, Ignored, Then};
use crate::observed::{DeviceConfig, Kind, Object, ObjectId};

use super::build::{Inputs, address, cause, order};
use super::model::{Cause, FieldChange};
use super::record::Record;
use super::resolve::{Refusal, Resolution, refuse_what_cannot_stand};
use super::target::leave_as_is;

/// How much drift a plan leaves as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Leave {
    /// None of it: what somebody wants to see all of.
    Nothing,
    /// What the inventory says to ignore. Somebody who applies wants the rest set right.
    #[default]
    Ignored,
    /// That, and what the inventory says only to report; this where it says nothing.
    Policy(Then),
    /// All but what is to come into the inventory; this where the inventory says nothing of what is done about drift.
    ButToAdopt(Then),
    /// All of it: it was taken back so often that people have to look.
    All,
}

/// Why drift is left as it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// A rule of the inventory names it.
    Ignored {
        /// The rule's reason.
        reason: String,
        /// When it counts again, in UTC.
        until: jiff::Timestamp,
        /// That moment as it is written.
        ends: String,
    },
    /// It is only to be shown.
    Reported,
    /// It is to come into the inventory.
    ToAdopt,
    /// It was taken back so often that it is left to people.
    LeftToPeople,
}

/// Drift that is left as it is, on one object and for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// `device/kind/key`, such as `maple-a/subscriber/s-10442`.
    pub address: String,
    /// Kind of object.
    pub kind: Kind,
    /// Inventory key.
    pub key: String,
    /// Number on the device.
    pub object: ObjectId,
    /// The fields that are left, in words: before, what the device holds; after, what the inventory says. Empty where the
    /// object is gone.
    pub fields: Vec<FieldChange>,
    /// The same fields by their names in the inventory; empty where the object is gone.
    pub named: Vec<Field>,
    /// Why.
    pub why: Why,
}

impl Left {
    /// Whether the object is not there at all.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.named.is_empty()
    }

    /// What is left, without its device: `subscriber/s-10442 (vlan, description)`, `port/3 (gone)`.
    #[must_use]
    pub fn in_words(&self) -> String {
        let fields: Vec<&str> = self.named.iter().map(|field| field.word()).collect();
        let what = if self.is_gone() {
            "gone".to_owned()
        } else {
            fields.join(", ")
        };
        format!("{}/{} ({what})", self.kind, self.key)
    }
}

/// An object with the fields that are left on it as they are in another state of the same object.
pub(super) fn with_left<'o>(left: &[Left], id: ObjectId, object: &'o Object, of: &Object) -> Cow<'o, Object> {
    let mut object = Cow::Borrowed(object);
    for field in left
        .iter()
        .filter(|left| left.object == id)
        .flat_map(|left| &left.named)
    {
        fields::put(*field, object.to_mut(), of);
    }
    object
}

/// Leaves drift as it is where that is to be so, and notes it in the resolution.
pub(super) fn leave(resolution: &mut Resolution, observed: &Arc<DeviceConfig>, inputs: Inputs<'_>) {
    // A new unit holds nothing that anybody changed behind anybody's back. What is refused already is left altogether.
    let nothing = Arc::ptr_eq(&resolution.target, observed)
        || inputs.leave == Leave::Nothing
        || inputs.remembered.is_some()
        || !resolution.refusals.is_empty();
    if nothing {
        return;
    }
    // What differs on a device on which a run was cut off may be the doing of that run.
    let wanted = if inputs.unfinished {
        Leave::Ignored
    } else {
        inputs.leave
    };
    let part = left_by(wanted, resolution, observed, inputs);
    if part.left.is_empty() {
        return;
    }
    if stands(&part, observed, inputs) || !stands(resolution, observed, inputs) {
        *resolution = part;
        return;
    }
    let (other, note) = if is_all_drift(resolution, observed, inputs.records) {
        (
            Leave::All,
            "what is to be taken back cannot be parted from drift that is left as it is: all of it is left",
        )
    } else {
        (
            Leave::Ignored,
            "drift that would be left as it is stands in the way of what the inventory asks now: it is set right as well",
        )
    };
    let mut other = match wanted {
        Leave::Ignored => part,
        _ => {
            let mut other = left_by(other, resolution, observed, inputs);
            other.notes.push(note.to_owned());
            other
        }
    };
    if !stands(&other, observed, inputs) {
        let ignored: Vec<&str> = other.left.iter().map(|left| left.address.as_str()).collect();
        other.refusals.push(Refusal {
            rule: "ignored-drift",
            message: format!("what is ignored stands in the way of the rest: {}", ignored.join(", ")),
            help: "take the ignore rule out of the inventory (`drift.ignore`), or leave out what it is in the way of"
                .to_owned(),
        });
    }
    *resolution = other;
}

/// Whether the device can hold and reach what is wanted.
fn stands(resolution: &Resolution, observed: &DeviceConfig, inputs: Inputs<'_>) -> bool {
    let mut tried = resolution.clone();
    refuse_what_cannot_stand(&mut tried, observed, inputs.desired.model.medium);
    if tried.refusals.is_empty() {
        order(&mut tried, observed, inputs);
    }
    tried.refusals.is_empty()
}

/// Whether nothing new is asked of the device.
fn is_all_drift(resolution: &Resolution, observed: &DeviceConfig, records: &[Record]) -> bool {
    let target = &resolution.target;
    let all: BTreeSet<ObjectId> = observed.object_ids().chain(target.object_ids()).collect();
    let mut differing = all.into_iter().filter(|id| !observed.is_same_at(*id, target));
    differing.all(|id| {
        let (before, after) = (observed.object(id), target.object(id));
        cause(id, before.as_ref(), after.as_ref(), resolution, records) == Cause::Drift
    })
}

/// What is left on a device, object by object.
#[derive(Debug, Default)]
struct Picked {
    fields: BTreeMap<ObjectId, BTreeMap<Field, Why>>,
    gone: BTreeMap<ObjectId, Why>,
    /// What would go away and is needed by something that is left.
    kept: BTreeMap<ObjectId, ObjectId>,
}

/// The resolution with drift left as it is.
fn left_by(leave: Leave, resolution: &Resolution, observed: &Arc<DeviceConfig>, inputs: Inputs<'_>) -> Resolution {
    let mut part = resolution.clone();
    let mut picked = Picked::default();
    for record in inputs.records.iter() {
        pick(leave, record, resolution, observed, inputs, &mut picked);
    }
    let wish = Arc::clone(&resolution.target);
    reference::settle(&mut picked, resolution, observed, inputs.records);
    picked.fields.retain(|_, fields| !fields.is_empty());

    let target = Arc::make_mut(&mut part.target);
    for (id, fields) in &picked.fields {
        if let (Some(mut object), Some(held)) = (target.object(*id), observed.object(*id)) {
            fields.keys().for_each(|field| fields::put(*field, &mut object, &held));
            target.put(*id, object);
        }
    }
    let others: BTreeSet<ObjectId> = picked.gone.keys().chain(picked.kept.keys()).copied().collect();
    if !others.is_empty() {
        leave_as_is(&mut part, observed, inputs.records, |id| !others.contains(&id));
    }
    if part.target == *observed {
        part.target = Arc::clone(observed);
    }
    for (id, by) in &picked.kept {
        let name = |id: &ObjectId| address(&inputs.desired.key, *id, &resolution.keys).1;
        part.notes.push(format!(
            "{} stays: {} uses it, which is left as it is",
            name(id),
            name(by)
        ));
    }
    part.left = in_order(picked, &wish, observed, resolution, inputs.desired);
    part
}

/// Picks what is to be left of one object that gamops owns.
fn pick(
    leave: Leave,
    record: &Record,
    resolution: &Resolution,
    observed: &DeviceConfig,
    inputs: Inputs<'_>,
    picked: &mut Picked,
) {
    let (id, desired) = (record.object, inputs.desired);
    let (Some(applied), Some(key)) = (&record.applied, resolution.keys.get(&id)) else {
        return;
    };
    if !is_the_same(desired, record, key) || observed.holds(id, Some(applied)) {
        return;
    }
    let Some(wish) = resolution.target.object(id) else {
        return;
    };
    let (_, address) = address(&desired.key, id, &resolution.keys);
    let why = |field: Option<Field>| why(leave, inputs, &address, field);
    let Some(held) = observed.object(id) else {
        if is_asked_as_applied(&wish, applied)
            && let Some(why) = why(None)
        {
            picked.gone.insert(id, why);
        }
        return;
    };
    let service_is_asked = desired.subscribers.get(key).is_some_and(|wish| wish.suspended)
        && id.kind() == Kind::Subscriber
        && SERVICE.iter().any(|field| !fields::is_same(*field, &wish, applied));
    let drifted = fields::drifted(applied, &wish, &held)
        // Whoever is suspended now has no service left by way of a setting that somebody made by hand.
        .filter(|field| !(service_is_asked && SERVICE.contains(field)));
    let left: BTreeMap<Field, Why> = drifted.filter_map(|field| Some((field, why(Some(field))?))).collect();
    if !left.is_empty() {
        picked.fields.insert(id, left);
    }
}

/// What gives a subscriber service.
const SERVICE: [Field; 9] = [
    Field::Endpoint,
    Field::Port,
    Field::Vlan,
    Field::RemappedVlan,
    Field::Plan,
    Field::AllowedVlans,
    Field::Port2Vlan,
    Field::Trunk,
    Field::DoubleTag,
];

/// Why drift of a field, or with none of a whole object that is gone, is left; `None` where it is not.
fn why(leave: Leave, inputs: Inputs<'_>, address: &str, field: Option<Field>) -> Option<Why> {
    let drift = &inputs.desired.drift;
    let mut rules = drift.ignored.iter();
    if let Some(Ignored {
        reason, until, ends, ..
    }) = rules.find(|rule| rule.names(address, field, inputs.now))
    {
        return Some(Why::Ignored {
            reason: reason.clone(),
            until: *until,
            ends: ends.clone(),
        });
    }
    match leave {
        Leave::Nothing | Leave::Ignored => None,
        Leave::All => Some(Why::LeftToPeople),
        Leave::Policy(usual) => match drift.then(field, usual) {
            Then::Report => Some(Why::Reported),
            Then::Adopt => Some(Why::ToAdopt),
            Then::Revert => None,
        },
        Leave::ButToAdopt(usual) => match drift.then(field, usual) {
            Then::Report | Then::Revert => Some(Why::Reported),
            Then::Adopt => None,
        },
    }
}

/// Whether a record is about what the inventory knows by this key, and not about another thing that had its number before.
fn is_the_same(desired: &DesiredDevice, record: &Record, key: &str) -> bool {
    let was = || match record.kind() {
        Kind::Profile => desired.profiles.get(key).and_then(|wish| wish.was.as_deref()),
        Kind::Endpoint => desired.endpoints.get(key).and_then(|wish| wish.was.as_deref()),
        Kind::Subscriber => desired.subscribers.get(key).and_then(|wish| wish.was.as_deref()),
        Kind::System | Kind::Port => None,
    };
    record.key == key || was() == Some(record.key.as_str())
}

/// Whether an object that is gone is asked for as it was applied, but for what the inventory leaves to the device.
fn is_asked_as_applied(wish: &Object, applied: &Object) -> bool {
    let mut wish = wish.clone();
    match (&mut wish, applied) {
        (Object::Profile(wish), Object::Profile(applied)) => {
            if wish.description.is_empty() {
                wish.description.clone_from(&applied.description);
            }
            wish.service_limit_level = wish.service_limit_level.or(applied.service_limit_level);
            wish.unknown.clone_from(&applied.unknown);
        }
        (Object::Endpoint(wish), Object::Endpoint(applied)) => {
            if wish.description.is_empty() {
                wish.description.clone_from(&applied.description);
            }
            if wish.port == PortBinding::Auto {
                wish.port = applied.port;
            }
            wish.unknown.clone_from(&applied.unknown);
        }
        (Object::Subscriber(wish), Object::Subscriber(applied)) => {
            if wish.description.is_empty() {
                wish.description.clone_from(&applied.description);
            }
            wish.poe = wish.poe.or(applied.poe);
            wish.unknown.clone_from(&applied.unknown);
        }
        _ => {}
    }
    wish == *applied
}

/// What was picked, in words: by object, and by reason on each.
fn in_order(
    picked: Picked,
    wish: &DeviceConfig,
    observed: &DeviceConfig,
    resolution: &Resolution,
    desired: &DesiredDevice,
) -> Vec<Left> {
    let left = |object: ObjectId, named: Vec<Field>, why: Why| {
        let (key, address) = address(&desired.key, object, &resolution.keys);
        Left {
            address,
            kind: object.kind(),
            key,
            object,
            fields: shown(object, &named, wish, observed),
            named,
            why,
        }
    };
    let mut all: Vec<Left> = Vec::new();
    for (object, fields) in picked.fields {
        let mut by_reason: BTreeMap<Why, Vec<Field>> = BTreeMap::new();
        for (field, why) in fields {
            by_reason.entry(why).or_default().push(field);
        }
        all.extend(by_reason.into_iter().map(|(why, named)| left(object, named, why)));
    }
    all.extend(
        picked
            .gone
            .into_iter()
            .map(|(object, why)| left(object, Vec::new(), why)),
    );
    all.sort_by(|one, other| (one.object, &one.why).cmp(&(other.object, &other.why)));
    all
}

/// What the device holds and what the inventory says, of some fields of an object.
fn shown(object: ObjectId, named: &[Field], wish: &DeviceConfig, observed: &DeviceConfig) -> Vec<FieldChange> {
    let (Some(held), Some(wanted)) = (observed.object(object), wish.object(object)) else {
        return Vec::new();
    };
    let is_named = |shown: &str| named.iter().any(|field| field.shown().contains(&shown));
    // Both are of one kind, so their fields stand in the same order.
    let both = held.fields(observed).into_iter().zip(wanted.fields(wish));
    both.filter(|((field, before), (_, after))| is_named(field) && before != after)
        .map(|((field, before), (_, after))| FieldChange { field, before, after })
        .collect()
}

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;
