//! A plan that nobody had to reach a device for: made from what was observed, with what a change of the inventory asks for apart
//! from what an apply would do anyway.
//!
//! The parting compares two plans against one observation: that of the inventory with the change, and that without. What both
//! would do in the same way is not of the change.

mod diff;
mod json;
mod markdown;
mod text;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::observed::ObjectId;

use super::impact::{Away, Class, Impact};
use super::model::{Action, Cause, DeviceChanges, FieldChange, ObjectChange, Outcome, Plan, Summary};
use super::text::count;

pub use json::{PartJson, PartedJson, PreviewJson, preview_json};
pub use markdown::{LIMIT, invalid_markdown, marker, preview_markdown};
pub(super) use markdown::{marker_of, words};
pub use text::preview_text;

/// A plan from what was observed.
#[derive(Debug)]
pub struct Preview {
    /// What an apply would do with the change.
    pub plan: Plan,
    /// What the change is measured against. `None`: nothing is told apart.
    pub base: Option<Base>,
    /// What was observed, and where; `None`: the devices were read for it.
    pub observed: Option<String>,
    /// When each device of the plan was read last; without an entry, nobody knows.
    pub seen: BTreeMap<String, Timestamp>,
    /// Devices of which nothing was ever published.
    pub never_seen: BTreeSet<String>,
    /// The moment that ages are counted from.
    pub now: Timestamp,
    /// What else has to be known of how it was made.
    pub notes: Vec<String>,
}

/// What a change is measured against.
#[derive(Debug)]
pub struct Base {
    /// The commit without the change, short.
    pub commit: String,
    /// The commit with the change, short; `None`: files of the work tree.
    pub head: Option<String>,
    /// Each device of the plan, parted.
    pub parts: BTreeMap<String, Parts>,
    /// Devices that the change takes out of the inventory.
    pub gone: Vec<String>,
}

/// Changes of one device, parted. An object that both sides would change stands in both, each with its own fields.
#[derive(Debug, Clone, Default)]
pub struct Parts {
    /// What the change asks for.
    pub mine: Vec<ObjectChange>,
    /// Drift, and commits that were not applied yet.
    pub also: Vec<ObjectChange>,
    /// The same two of what waits for a window.
    pub waiting: [Vec<ObjectChange>; 2],
    /// What would be done without the change, and is not with it.
    pub dropped: Vec<ObjectChange>,
}

/// What would be done on a device without the change.
#[derive(Debug, Clone, Copy)]
pub enum Without<'a> {
    /// The same: the change asks nothing else of it.
    Same,
    /// Nothing: it is not in the inventory then, or nothing would be applied to it.
    Nothing,
    /// This.
    Plan(&'a DeviceChanges),
}

impl Parts {
    /// Parts what would be done on a device.
    #[must_use]
    pub fn of(with: &DeviceChanges, without: Without<'_>) -> Self {
        let waiting = with.waiting.as_ref().map_or(&[][..], |waiting| &waiting.changes);
        let before: Changes<'_> = match without {
            Without::Same => {
                return Self {
                    also: with.changes.clone(),
                    waiting: [Vec::new(), waiting.to_vec()],
                    ..Self::default()
                };
            }
            // What is held back without the change and is done with it, is done because of it.
            Without::Plan(without) if is_stopped(without) && !is_stopped(with) => BTreeMap::new(),
            Without::Nothing => BTreeMap::new(),
            Without::Plan(without) => {
                let later = without.waiting.iter().flat_map(|waiting| &waiting.changes);
                let both = without.changes.iter().chain(later);
                both.map(|change| (place(change), change)).collect()
            }
        };
        let mut parts = Self::default();
        let [mine_later, also_later] = &mut parts.waiting;
        for change in &with.changes {
            part(change, &before, &mut parts.mine, &mut parts.also);
        }
        for change in waiting {
            part(change, &before, mine_later, also_later);
        }
        let after: Changes<'_> = (with.changes.iter().chain(waiting))
            .map(|change| (place(change), change))
            .collect();
        parts.dropped = before.values().filter_map(|change| left(change, &after)).collect();
        parts
    }

    /// Whether the change asks anything of the device.
    #[must_use]
    pub fn is_touched(&self) -> bool {
        !(self.mine.is_empty() && self.waiting[0].is_empty() && self.dropped.is_empty())
    }
}

impl Preview {
    /// A plan for which every device was read.
    #[must_use]
    pub fn of_devices(plan: Plan, now: Timestamp) -> Self {
        Self {
            plan,
            base: None,
            observed: None,
            seen: BTreeMap::new(),
            never_seen: BTreeSet::new(),
            now,
            notes: Vec::new(),
        }
    }

    /// The parts of a device, where something is told apart.
    #[must_use]
    pub fn parts(&self, device: &str) -> Option<&Parts> {
        self.base.as_ref()?.parts.get(device)
    }

    /// What the change comes to on devices that would be changed, in numbers: its own part. The whole plan's numbers where
    /// nothing is told apart.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let Some(base) = &self.base else {
            return self.plan.summary();
        };
        let devices = self.plan.devices.iter().filter(|device| device.is_actionable());
        let parts = devices.filter_map(|device| base.parts.get(&device.device));
        parts.map(|parts| numbers(&parts.mine)).sum()
    }

    /// What it comes to, in one line: `1 to add, 2 to change, 0 to destroy on 2 devices`.
    #[must_use]
    pub fn line(&self) -> String {
        let Summary { add, change, destroy } = self.summary();
        let devices = count(self.touched().len(), "device");
        format!("{add} to add, {change} to change, {destroy} to destroy on {devices}")
    }

    /// Why nothing would be applied, or nothing on a device that the change is about: a guard, a rule, or the device.
    #[must_use]
    pub fn refusal(&self) -> Option<String> {
        let trip = self.plan.trips.iter().find(|trip| trip.is_refused());
        let trip = trip.map(|trip| format!("guard {}: {}", trip.guard.word(), trip.message()));
        let rule = || {
            let ruling = self.plan.rulings.iter().find(|ruling| ruling.is_refused())?;
            Some(format!("rule {}: {}", ruling.rule, ruling.words()))
        };
        let device = || {
            let touched = self.touched();
            let mut read = self
                .plan
                .read_devices()
                .filter(|(key, changes)| touched.contains(key) && changes.is_refused());
            let (key, changes) = read.next()?;
            Some(format!("{key}: {}", changes.refusals.first()?.message))
        };
        trip.or_else(rule).or_else(device)
    }

    /// The devices that the change asks something of; those that differ at all where nothing is told apart.
    #[must_use]
    pub fn touched(&self) -> Vec<&str> {
        let is_touched = |device: &&super::model::DevicePlan| match (self.parts(&device.device), &device.outcome) {
            (Some(parts), _) => parts.is_touched(),
            (None, Outcome::Read(changes)) => changes.is_actionable() || changes.is_refused(),
            (None, Outcome::Unread(_)) => self.base.is_none(),
        };
        let devices = self.plan.devices.iter().filter(is_touched);
        devices.map(|device| device.device.as_str()).collect()
    }
}

/// What changes come to, in numbers.
fn numbers(changes: &[ObjectChange]) -> Summary {
    changes.iter().fold(Summary::default(), |mut sum, change| {
        match change.action {
            Action::Create => sum.add += 1,
            Action::Update => sum.change += 1,
            Action::Destroy => sum.destroy += 1,
        }
        sum
    })
}

fn is_stopped(changes: &DeviceChanges) -> bool {
    changes.held.is_some() || !changes.refusals.is_empty()
}

/// Whether both would do the same to an object, field by field.
fn is_same(one: &ObjectChange, other: &ObjectChange) -> bool {
    one.action == other.action && one.object == other.object && one.fields == other.fields
}

/// What a part of an update is felt by beside the rest of it: what the rest alone would do to service is not its doing.
fn own_share(part: ObjectChange, rest: &ObjectChange) -> ObjectChange {
    let is_felt_anyway = part.impact == rest.impact;
    ObjectChange {
        cause: Cause::Inventory,
        impact: match is_felt_anyway {
            true => Impact {
                class: Class::None,
                away: Away::Not,
                ..part.impact
            },
            false => part.impact,
        },
        estimate: part.estimate.filter(|_| !is_felt_anyway),
        ..part
    }
}

fn with_fields(change: &ObjectChange, keep: impl Fn(&FieldChange) -> bool) -> Option<ObjectChange> {
    let fields: Vec<FieldChange> = change.fields.iter().filter(|field| keep(field)).cloned().collect();
    (!fields.is_empty()).then(|| ObjectChange {
        fields,
        ..change.clone()
    })
}

/// Changes by what they are about. What gets another number has two under one address: one goes away, one is made.
type Changes<'a> = BTreeMap<(&'a str, ObjectId), &'a ObjectChange>;

fn place(change: &ObjectChange) -> (&str, ObjectId) {
    (&change.address, change.object)
}

fn part(change: &ObjectChange, before: &Changes<'_>, mine: &mut Vec<ObjectChange>, also: &mut Vec<ObjectChange>) {
    match before.get(&place(change)) {
        Some(same) if is_same(same, change) => also.push(change.clone()),
        // An update that both make is parted by its fields; of what is made or goes away all belongs together.
        Some(other) if (other.action, change.action) == (Action::Update, Action::Update) => {
            let is_theirs = |field: &FieldChange| other.fields.contains(field);
            mine.extend(with_fields(change, |field| !is_theirs(field)).map(|part| own_share(part, other)));
            let theirs = change.fields.iter().any(is_theirs).then(|| (*other).clone());
            also.extend(theirs.and_then(|theirs| with_fields(&theirs, |field| change.fields.contains(field))));
        }
        _ => mine.push(change.clone()),
    }
}

/// What of an object's change is not made any more.
fn left(change: &ObjectChange, after: &Changes<'_>) -> Option<ObjectChange> {
    // It may only have got another number.
    let is_made = |other: &&&ObjectChange| other.address == change.address && other.action == change.action;
    match after.get(&place(change)) {
        None => after.values().all(|other| !is_made(&other)).then(|| change.clone()),
        Some(other) if (other.action, change.action) == (Action::Update, Action::Update) => {
            let is_made = |field: &FieldChange| other.fields.iter().any(|made| made.field == field.field);
            with_fields(change, |field| !is_made(field))
        }
        Some(_) => None,
    }
}

#[cfg(test)]
pub(super) mod tests;
