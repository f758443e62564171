//! Undoing a finished run on a device, as a plan: what the run changed is given back from its checkpoint, field by
//! field; what was done since stays, and is named.
//!
//! The wish comes from the run's checkpoint and not from the inventory, which may well still say what is undone: then
//! the next plan would do it again, and the plan of the undo says so.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::domain::{MacAddr, SubscriberId};
use crate::observed::{Change, DeviceConfig, Kind, ObjectId, ProfileRef};

use super::Render;
use super::build::{Inputs, describe, held, judge_unsaved};
use super::diff::{OrderedChange, Purpose};
use super::guard::refuse_protected;
use super::model::{Cause, DeviceChanges};
use super::record::Record;
use super::resolve::{Refusal, Resolution, resolve};
use super::rollback::{Cut, Later, Rollback, rollback, with_what_came_since};
use super::unsaved::{save, saved};

/// A finished run on a device.
#[derive(Debug, Clone, Copy)]
pub struct Undone<'a> {
    /// What the device held before it.
    pub before: &'a DeviceConfig,
    /// What it left the device to hold.
    pub left: &'a DeviceConfig,
    /// What it did, in order.
    pub changes: &'a [Change],
    /// What gamops owned before it.
    pub owned_before: &'a [Record],
    /// What gamops owned after it.
    pub owned_after: &'a [Record],
    /// The runs after it on the same device, in order, as far as they were finished.
    pub later: &'a [Later],
}

/// The plan that undoes a run on a device.
#[derive(Debug)]
pub struct Undo {
    /// What is to be done.
    pub changes: DeviceChanges,
    /// What the inventory still asks for though it is undone here, as `kind/key`.
    pub asked_again: Vec<String>,
}

/// Plans to undo a run. Of `inputs`, the inventory's wish counts for what must not be done (`mode`, `paused`,
/// `allow_assumed`, unsaved configuration of others) and for what it still asks for.
#[must_use]
pub fn undo_device(inputs: Inputs<'_>, undone: Undone<'_>, render: Render<'_>) -> Undo {
    let Inputs {
        desired,
        readings,
        records,
        ..
    } = inputs;
    let observed = &inputs.observed();
    let keys = keys(records, undone);
    let attempted = narrowed(inputs, undone, observed, &keys);

    let mut resolution = Resolution {
        keys,
        ..Resolution::default()
    };
    let mut cut = Cut {
        device: &desired.key,
        before: undone.before,
        now: observed,
        attempted: &attempted,
        capabilities: inputs.capabilities,
        allow_assumed: desired.allow_assumed,
        medium: desired.model.medium,
    };
    let (before, others) = with_what_came_since(cut, undone.left, undone.later);
    cut.before = &before;
    let back = rollback(cut, render).unwrap_or_else(|stuck| {
        resolution.refusals.push(Refusal {
            rule: "no-way-back",
            message: stuck.to_string(),
            help: "undo later runs first, or change it in the inventory".to_owned(),
        });
        Rollback {
            target: DeviceConfig::clone(observed),
            ..Rollback::default()
        }
    });
    let Rollback {
        mut steps,
        target,
        left,
        others: elsewhere,
        ..
    } = back;
    for step in &mut steps {
        if let Some(key) = resolution.keys.get(&step.change.object()) {
            step.address = format!("{}/{}/{key}", desired.key, step.change.object().kind());
        }
    }
    if inputs.unfinished {
        resolution.refusals.push(unfinished(&desired.key));
    }
    refuse_destroyed(&mut resolution, records, observed, &target);
    let target = Arc::new(target);
    resolution.target = Arc::clone(&target);
    refuse_protected(&mut resolution, desired, observed, records);
    let of_run: BTreeSet<ObjectId> = attempted.iter().map(Change::object).collect();
    let records_after = owned_again(records, undone, &of_run, inputs.targets.is_none(), &target);
    let asked_again = if resolution.refusals.is_empty() {
        asked_again(inputs, undone, &of_run, &target, &records_after)
    } else {
        Vec::new()
    };
    resolution.notes.extend(others.into_iter().chain(elsewhere).chain(left));
    if !asked_again.is_empty() && !steps.is_empty() {
        resolution.notes.push(format!(
            "the inventory still asks for what is undone here ({}): take it back there as well, or the next apply does \
             it again",
            asked_again.join(", ")
        ));
    }

    let saved = saved(readings, records, false, &target);
    judge_unsaved(&mut resolution, desired.unsaved, &saved, !steps.is_empty());
    if !resolution.refusals.is_empty() {
        steps.clear();
    }
    let ordered: Vec<OrderedChange> = steps
        .iter()
        .map(|step| OrderedChange {
            change: step.change.clone(),
            purpose: if step.makes_room {
                Purpose::MakeRoom
            } else {
                Purpose::Wanted
            },
        })
        .collect();
    let mut changes = describe(inputs, (observed, &target), (&ordered, &steps), &resolution);
    for change in &mut changes {
        change.cause = Cause::Undo;
    }
    let changes = DeviceChanges {
        mac: inputs.identity.mac,
        firmware: inputs.identity.firmware.to_string(),
        held: held(inputs),
        changes,
        // Whoever undoes a run wants it now.
        waiting: None,
        left: Vec::new(),
        closing: None,
        unfinished: inputs.unfinished,
        save: save(&saved, desired.unsaved, !steps.is_empty(), false),
        steps,
        saved,
        adopted: Vec::new(),
        unmanaged: Vec::new(),
        notes: std::mem::take(&mut resolution.notes),
        decisions: Vec::new(),
        refusals: std::mem::take(&mut resolution.refusals),
        records_before: Arc::clone(records),
        records: Arc::new(records_after),
        basis: inputs.basis(),
        observed: Arc::clone(observed),
        target,
    };
    Undo { changes, asked_again }
}

/// The inventory key of every object that some record names; what is on record now counts most.
fn keys(records: &[Record], undone: Undone<'_>) -> BTreeMap<ObjectId, String> {
    let all = undone.owned_after.iter().chain(undone.owned_before).chain(records);
    all.map(|record| (record.object, record.key.clone())).collect()
}

/// What of the run is to be undone: all of it, or what concerns the named objects. A subscriber brings its endpoint,
/// and the profile that it had where that is gone.
fn narrowed(
    inputs: Inputs<'_>,
    undone: Undone<'_>,
    observed: &DeviceConfig,
    keys: &BTreeMap<ObjectId, String>,
) -> Vec<Change> {
    let Some(targets) = inputs.targets else {
        return undone.changes.to_vec();
    };
    let named = keys
        .iter()
        .filter(|(id, key)| targets.contains(&(id.kind(), (*key).clone())));
    let mut wanted: BTreeSet<ObjectId> = named.map(|(id, _)| *id).collect();
    let subscribers: Vec<SubscriberId> = wanted
        .iter()
        .filter_map(|id| match id {
            ObjectId::Subscriber(number) => Some(*number),
            _ => None,
        })
        .collect();
    for number in subscribers {
        for config in [undone.before, undone.left] {
            let Some(subscriber) = config.subscribers.get(&number) else {
                continue;
            };
            wanted.extend(subscriber.endpoint.map(ObjectId::Endpoint));
            if let Some(ProfileRef::Profile(profile)) = subscriber.profile
                && !observed.profiles.contains_key(&profile)
            {
                wanted.insert(ObjectId::Profile(profile));
            }
        }
    }
    let is_wanted = |change: &&Change| wanted.contains(&change.object());
    undone.changes.iter().filter(is_wanted).cloned().collect()
}

/// Why nothing new is begun on a device where a run did not come to its end.
#[must_use]
pub fn unfinished(device: &str) -> Refusal {
    Refusal {
        rule: "unfinished-run",
        message: "a run did not come to its end here".to_owned(),
        help: format!("let `gamops apply --target {device}` go on from there first"),
    }
}

/// What is protected is not destroyed; whether it is parted from its line is asked as for any plan.
fn refuse_destroyed(resolution: &mut Resolution, records: &[Record], observed: &DeviceConfig, target: &DeviceConfig) {
    for record in records.iter().filter(|record| record.protect) {
        if observed.object(record.object).is_some() && target.object(record.object).is_none() {
            resolution.refusals.push(Refusal {
                rule: "protected",
                message: format!("{} `{}` is protected and would be destroyed", record.kind(), record.key),
                help: "apply it once with `protect: false` before undoing what made it".to_owned(),
            });
        }
    }
}

/// What gamops owns once the run is undone: for what the run touched, what it owned before; for the rest, what it owns
/// now. An object that was there before the run and that the run took over is nobody's again.
fn owned_again(
    now: &[Record],
    undone: Undone<'_>,
    of_run: &BTreeSet<ObjectId>,
    whole: bool,
    target: &DeviceConfig,
) -> Vec<Record> {
    let owned_before = |id: ObjectId| undone.owned_before.iter().find(|record| record.object == id);
    let is_used_since = |id: ObjectId| {
        let mut later = undone.later.iter().flat_map(|later| &later.changes);
        later.any(|change| change.object() == id)
    };
    // Taken over as it was, so that nothing else tells that the run had to do with it.
    let taken_over = |record: &Record| {
        let same = |after: &Record| after.object == record.object && after.key == record.key;
        undone.owned_after.iter().any(same)
            && owned_before(record.object).is_none()
            && undone.before.object(record.object).is_some()
            && !is_used_since(record.object)
    };
    let mut records: Vec<Record> = Vec::with_capacity(now.len());
    for record in now {
        let is_of_run = of_run.contains(&record.object);
        if !is_of_run {
            if !whole || !taken_over(record) {
                records.push(record.clone());
            }
            continue;
        }
        if target.object(record.object).is_none() {
            continue;
        }
        match owned_before(record.object) {
            Some(before) => records.push(as_found(before, target)),
            // Made by the run and changed since: it stays, and stays ours.
            None if undone.before.object(record.object).is_none() => records.push(record.clone()),
            None => {}
        }
    }
    for before in undone.owned_before {
        let is_back = of_run.contains(&before.object) && target.object(before.object).is_some();
        let stands = |record: &Record| {
            record.object == before.object || record.kind() == before.kind() && record.key == before.key
        };
        if is_back && !records.iter().any(stands) {
            records.push(as_found(before, target));
        }
    }
    records.sort_by(|one, other| one.place().cmp(&other.place()));
    records
}

/// A record of an object as it will be.
fn as_found(record: &Record, target: &DeviceConfig) -> Record {
    let applied = target.object(record.object);
    Record {
        name: applied
            .as_ref()
            .map_or_else(|| record.name.clone(), |object| object.name().to_owned()),
        binding: binding(record.object, target),
        applied,
        ..record.clone()
    }
}

fn binding(id: ObjectId, config: &DeviceConfig) -> Option<MacAddr> {
    match id {
        ObjectId::Endpoint(number) => config.endpoints.get(&number)?.mac,
        ObjectId::Subscriber(number) => {
            let endpoint = config.subscribers.get(&number)?.endpoint?;
            config.endpoints.get(&endpoint)?.mac
        }
        ObjectId::System | ObjectId::Port(_) | ObjectId::Profile(_) => None,
    }
}

/// What the next plan would do again.
fn asked_again(
    inputs: Inputs<'_>,
    undone: Undone<'_>,
    of_run: &BTreeSet<ObjectId>,
    target: &Arc<DeviceConfig>,
    records: &[Record],
) -> Vec<String> {
    let records = Arc::new(records.to_vec());
    let next = resolve(inputs.desired, target, &records, inputs.capabilities);
    // What is made again may get another number.
    let is_of_run = |kind: Kind, key: &String| {
        let all = undone.owned_after.iter().chain(undone.owned_before);
        let mut of_key = all.filter(|record| record.kind() == kind && record.key == *key);
        of_key.any(|record| of_run.contains(&record.object))
    };
    let ids: BTreeSet<ObjectId> = target.object_ids().chain(next.target.object_ids()).collect();
    let mut again: Vec<String> = ids
        .into_iter()
        .filter(|id| target.object(*id) != next.target.object(*id))
        .filter_map(|id| {
            let key = next.keys.get(&id).or_else(|| {
                let record = records.iter().find(|record| record.object == id)?;
                Some(&record.key)
            })?;
            (of_run.contains(&id) || is_of_run(id.kind(), key)).then(|| format!("{}/{key}", id.kind()))
        })
        .collect();
    again.dedup();
    again
}
