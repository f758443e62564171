//! Putting a device's plan together: resolve, diff, order, describe.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use crate::domain::SubscriberId;
use crate::inventory::desired::DesiredDevice;
use crate::inventory::model::{Pause, Unsaved};
use crate::observed::{AssumedWord, Capabilities, Change, DeviceConfig, Identity, Kind, Object, ObjectId, Subscriber};

use super::diff::{OrderedChange, Purpose, diff};
use super::drift::{Leave, Left, leave, with_left};
use super::guard::refuse_protected;
use super::hold;
use super::impact::duration::{Timings, estimate};
use super::impact::impact;
use super::model::{Action, Basis, Cause, DeviceChanges, FieldChange, Held, ObjectChange, Saved, Step, Waiting};
use super::option82;
use super::pause::{self, Paused};
use super::record::Record;
use super::resolve::{Refusal, Resolution, Words, refuse_what_cannot_stand, resolve};
use super::subscriber_model;
use super::target::restrict;
use super::unsaved::{Readings, save, saved};
use super::uplink;
use super::window::{self, State};

/// All that a plan for one device is made from. The same inputs give the same plan.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// What the inventory asks for.
    pub desired: &'a Arc<DesiredDevice>,
    /// What the device runs and would load at boot.
    pub readings: Readings<'a>,
    /// The device: base MAC and firmware.
    pub identity: &'a Identity,
    /// What its firmware can do.
    pub capabilities: &'a Capabilities,
    /// What gamops owns there.
    pub records: &'a Arc<Vec<Record>>,
    /// Whether a run of gamops on this device never came to its end.
    pub unfinished: bool,
    /// What its firmware took over commands before.
    pub timings: &'a Timings,
    /// What operators have paused it by, as it stands at `now`.
    pub pauses: &'a [Paused],
    /// The moment that pauses are asked about.
    pub now: Timestamp,
    /// When felt changes may be made; `None`: at any time.
    pub window: Option<State<'a>>,
    /// The device as if it were the one whose place it takes; `None`: it is the one that it was. What the inventory leaves
    /// alone is left as it is there.
    pub remembered: Option<&'a Arc<DeviceConfig>>,
    /// The objects that the operator named; `None` for the whole device.
    pub targets: Option<&'a BTreeSet<(Kind, String)>>,
    /// How much drift is left as it is.
    pub leave: Leave,
}

impl Inputs<'_> {
    /// What the device holds of settings; where it does not show its subscriber model, by that of the inventory.
    pub(super) fn observed(&self) -> Arc<DeviceConfig> {
        let mut managed = Arc::clone(&self.readings.running.managed);
        managed.assume_model(self.desired.subscriber_model);
        let settings = match managed.settings() {
            Cow::Owned(settings) => Some(Arc::new(settings)),
            Cow::Borrowed(_) => None,
        };
        settings.unwrap_or(managed)
    }

    /// What to keep of them with the plan.
    pub(super) fn basis(&self) -> Basis {
        Basis {
            desired: Arc::clone(self.desired),
            running: Arc::clone(self.readings.running),
            write: self.readings.write,
        }
    }
}

/// Turns a change into the commands that make it; an error is one sentence saying what cannot be sent.
pub type Render<'a> = &'a dyn Fn(&Change) -> Result<Vec<String>, String>;

/// Plans one device.
#[must_use]
pub fn plan_device(inputs: Inputs<'_>, render: Render<'_>) -> DeviceChanges {
    let Inputs {
        desired,
        readings,
        records,
        unfinished,
        ..
    } = inputs;
    let running = readings.running;
    let observed = &inputs.observed();
    let mut resolution = match subscriber_model::differs(desired, observed) {
        // Nothing of such a wish fits the device.
        Some(refusal) => Resolution {
            target: Arc::clone(observed),
            records: Arc::clone(records),
            refusals: vec![refusal],
            ..Resolution::default()
        },
        None => {
            let base = inputs.remembered.unwrap_or(observed);
            resolve(desired, base, records, inputs.capabilities)
        }
    };
    if let Some(targets) = inputs.targets {
        restrict(&mut resolution, observed, records, targets);
    }
    leave(&mut resolution, observed, inputs);
    refuse_what_cannot_stand(&mut resolution, observed, desired.model.medium);
    resolution.notes.extend(running.warnings.iter().cloned());
    refuse_protected(&mut resolution, desired, observed, records);
    let uplinks = uplink::notes(&resolution, &running.other, desired.model);
    resolution.notes.extend(uplinks);

    let words = Words {
        capabilities: inputs.capabilities,
        allow_assumed: desired.allow_assumed,
    };
    let is_closed = inputs.window.is_some_and(|state| !state.is_open);
    let whole = is_closed.then(|| resolution.clone());
    let mut ordered = order(&mut resolution, observed, inputs);
    let mut target = reached(observed, &ordered);
    let mut steps = if resolution.refusals.is_empty() {
        refuse_unsayable(&ordered, &desired.key, words, &mut resolution);
        write_out(&ordered, &desired.key, &mut resolution, render)
    } else {
        Vec::new()
    };

    let held = held(inputs);
    let (mut waiting, mut closing) = (None, None);
    // What is not done anyway waits for nothing.
    if let Some(state) = inputs
        .window
        .filter(|_| held.is_none() && resolution.refusals.is_empty())
    {
        let all = describe(inputs, (observed, &target), (&ordered, &steps), &resolution);
        if state.is_open {
            closing = hold::closing(inputs, &state, observed, &resolution, &all);
        } else if let Some(part) = whole.and_then(|whole| hold::part(inputs, &state, observed, &whole, &all, &target)) {
            resolution = part.resolution;
            ordered = part.ordered;
            target = reached(observed, &ordered);
            refuse_unsayable(&ordered, &desired.key, words, &mut resolution);
            steps = write_out(&ordered, &desired.key, &mut resolution, render);
            let waits = |change: &ObjectChange| part.waiting.contains(&change.object);
            waiting = Some(Waiting {
                window: state.window.key.clone(),
                opening: state.opening,
                when: window::moment(state.window, state.opening.from),
                entire: part.entire,
                changes: all.into_iter().filter(waits).collect(),
            });
        }
    }

    let saved = saved(readings, records, unfinished, &target);
    judge_unsaved(&mut resolution, desired.unsaved, &saved, !steps.is_empty());
    let over = desired.paused.as_ref().filter(|pause| pause.is_over(inputs.now));
    if let Some(Pause { until: Some(until), .. }) = over {
        let note = format!("its pause ended at {until}: take `paused` out of the inventory");
        resolution.notes.push(note);
    }
    let refused = !resolution.refusals.is_empty();
    let steps = if refused { Vec::new() } else { steps };
    let mut changes = describe(inputs, (observed, &target), (&ordered, &steps), &resolution);
    if inputs.remembered.is_some() {
        // Nobody has changed a new unit behind anybody's back.
        changes.iter_mut().for_each(|change| change.cause = Cause::Inventory);
    }
    let with_names = |ids: &[ObjectId]| {
        ids.iter()
            .map(|id| (*id, observed.name_of(*id).unwrap_or_default().to_owned()))
            .collect()
    };
    DeviceChanges {
        mac: inputs.identity.mac,
        firmware: inputs.identity.firmware.to_string(),
        held,
        changes,
        waiting: waiting.filter(|_| !refused),
        closing: closing.filter(|_| !refused),
        unfinished,
        save: save(&saved, desired.unsaved, !steps.is_empty(), unfinished),
        steps,
        saved,
        adopted: with_names(&resolution.adopted),
        unmanaged: with_names(&resolution.unmanaged),
        notes: std::mem::take(&mut resolution.notes),
        decisions: desired.notes.clone(),
        records: settle(resolution.records, records, &target, &resolution.left),
        left: std::mem::take(&mut resolution.left),
        refusals: std::mem::take(&mut resolution.refusals),
        records_before: Arc::clone(records),
        basis: inputs.basis(),
        observed: Arc::clone(observed),
        target,
    }
}

/// Why changes are held back, if they are.
pub(super) fn held(inputs: Inputs<'_>) -> Option<Held> {
    let Inputs {
        desired, pauses, now, ..
    } = inputs;
    pause::held(desired.mode, desired.paused.as_ref(), pauses, now)
}

/// The changes in a safe order; what stands in the way becomes a refusal, what cannot be cleared a note.
pub(super) fn order(resolution: &mut Resolution, observed: &DeviceConfig, inputs: Inputs<'_>) -> Vec<OrderedChange> {
    let medium = inputs.desired.model.medium;
    match diff(observed, &resolution.target, inputs.capabilities, medium) {
        Ok(difference) => {
            resolution
                .notes
                .extend(difference.cannot_clear.iter().map(ToString::to_string));
            difference.changes
        }
        Err(stuck) => {
            // A target that the device cannot hold was refused with better words already.
            if resolution.refusals.is_empty() {
                resolution.refusals.push(Refusal {
                    rule: "no-safe-order",
                    message: stuck.to_string(),
                    help: "make the change in two commits, or by hand".to_owned(),
                });
            }
            Vec::new()
        }
    }
}

/// What the device will hold after all changes: shared with what it holds where there are none.
pub(super) fn reached(observed: &Arc<DeviceConfig>, ordered: &[OrderedChange]) -> Arc<DeviceConfig> {
    if ordered.is_empty() {
        return Arc::clone(observed);
    }
    Arc::new(reach(observed, ordered))
}

/// What the device will hold after all changes. It may differ from the wish in what cannot be cleared.
pub(super) fn reach(observed: &DeviceConfig, ordered: &[OrderedChange]) -> DeviceConfig {
    let mut target = observed.clone();
    for step in ordered {
        // The diff was made from this very state, so nothing can conflict; if it did, the reading after
        // the apply would differ from this target and the device would be left unsaved.
        if step.change.apply(&mut target).is_err() {
            break;
        }
    }
    target
}

/// Where things exchange places, one of them has to leave its own first: a step that no wish asked for, and for which the
/// device may not have the words.
fn refuse_unsayable(ordered: &[OrderedChange], device: &str, words: Words<'_>, resolution: &mut Resolution) {
    let plain = Subscriber::default();
    for step in ordered {
        let (from, to) = match &step.change {
            Change::SetSubscriber(_, change) => (&change.from, &change.to),
            Change::CreateSubscriber(_, to) => (&plain, to),
            _ => continue,
        };
        let reason = AssumedWord::needed(from, to).find_map(|word| words.withheld(word));
        if let Some(reason) = reason {
            let (_, address) = address(device, step.change.object(), &resolution.keys);
            resolution.refusals.push(Refusal {
                rule: "no-words-for-it",
                message: format!("{address}: a step on the way cannot be said: {reason}"),
                help: "take the setting away from one of those that exchange it, by hand or in a commit of its own"
                    .to_owned(),
            });
        }
    }
}

pub(super) fn write_out(
    ordered: &[OrderedChange],
    device: &str,
    resolution: &mut Resolution,
    render: Render<'_>,
) -> Vec<Step> {
    let mut steps = Vec::with_capacity(ordered.len());
    for step in ordered {
        let (_, address) = address(device, step.change.object(), &resolution.keys);
        match render(&step.change) {
            Ok(commands) => steps.push(Step {
                address,
                change: step.change.clone(),
                makes_room: step.purpose == Purpose::MakeRoom,
                commands,
            }),
            Err(reason) => resolution.refusals.push(Refusal {
                rule: "cannot-be-sent",
                message: format!("{address}: {reason}"),
                help: "change the text in the inventory".to_owned(),
            }),
        }
    }
    steps
}

pub(super) fn judge_unsaved(resolution: &mut Resolution, policy: Unsaved, saved: &Saved, has_steps: bool) {
    let Saved::No {
        ours: false,
        overwritten,
        difference,
    } = saved
    else {
        return;
    };
    match policy {
        Unsaved::Refuse => resolution.refusals.push(Refusal {
            rule: "unsaved-configuration",
            message: format!("somebody else left {} unsaved", lines(difference.len())),
            help: "save or reload the device, or set `policies.unsaved: report`".to_owned(),
        }),
        Unsaved::Report if has_steps && !overwritten => resolution.notes.push(format!(
            "saving these changes also saves {} that somebody else left unsaved",
            lines(difference.len())
        )),
        Unsaved::Report | Unsaved::Save => {}
    }
}

fn lines(count: usize) -> String {
    format!("{count} line{}", if count == 1 { "" } else { "s" })
}

/// Records hold what the device will really hold. One that the plan leaves as it was (outside of a target, waiting for a
/// window) keeps what was last applied: what the device holds instead was done behind gamops's back, and nobody has
/// agreed to it. So does a single field that is left as it is.
fn settle(mut records: Arc<Vec<Record>>, before: &[Record], target: &DeviceConfig, left: &[Left]) -> Arc<Vec<Record>> {
    let is_settled = |record: &Record| target.holds(record.object, record.applied.as_ref()) || before.contains(record);
    if !records.iter().all(is_settled) {
        for record in Arc::make_mut(&mut records) {
            if !is_settled(record) {
                let reached = target.object(record.object);
                record.applied = match (reached, before.iter().find(|before| before.object == record.object)) {
                    (
                        Some(reached),
                        Some(Record {
                            applied: Some(applied), ..
                        }),
                    ) => Some(with_left(left, record.object, &reached, applied).into_owned()),
                    (reached, _) => reached,
                };
            }
        }
    }
    records
}

/// Inventory key and address of an object; what has no key goes by `#` and its number.
pub(super) fn address(device: &str, object: ObjectId, keys: &BTreeMap<ObjectId, String>) -> (String, String) {
    let key = match (keys.get(&object), object) {
        (Some(key), _) => key.clone(),
        (None, ObjectId::System) => "hostname".to_owned(),
        (None, other) => format!("#{}", other.number()),
    };
    let address = format!("{device}/{}/{key}", object.kind());
    (key, address)
}

pub(super) fn describe(
    inputs: Inputs<'_>,
    (observed, target): (&DeviceConfig, &DeviceConfig),
    (ordered, steps): (&[OrderedChange], &[Step]),
    resolution: &Resolution,
) -> Vec<ObjectChange> {
    let mut touched: BTreeMap<ObjectId, Vec<usize>> = BTreeMap::new();
    for (index, step) in ordered.iter().enumerate() {
        touched.entry(step.change.object()).or_default().push(index);
    }
    let all = observed.object_ids().chain(target.object_ids());
    let ids: BTreeSet<ObjectId> = all.filter(|id| !observed.is_same_at(*id, target)).collect();
    let mut changes: Vec<(usize, ObjectChange)> = ids
        .into_iter()
        .map(|id| {
            let (before, after) = (observed.object(id), target.object(id));
            let at = touched.get(&id).map_or(&[][..], Vec::as_slice);
            let sides = (before, after);
            let mut change = object_change(
                inputs.desired,
                id,
                sides,
                (observed, target),
                resolution,
                inputs.records,
            );
            let on_the_way = at.iter().filter_map(|index| Some(&ordered.get(*index)?.change));
            change.impact = change.impact.by_way_of(id, on_the_way, observed);
            change.subscribers = named(&change.impact.subscribers, observed, resolution);
            let span = at
                .first()
                .zip(at.last())
                .and_then(|(first, last)| steps.get(*first..=*last));
            change.estimate = estimate(change.impact.away, span.unwrap_or_default(), inputs.timings);
            (at.last().copied().unwrap_or(usize::MAX), change)
        })
        .collect();
    changes.sort_by_key(|(step, _)| *step);
    changes.into_iter().map(|(_, change)| change).collect()
}

/// Subscribers by inventory key, else by name.
fn named(numbers: &BTreeSet<SubscriberId>, observed: &DeviceConfig, resolution: &Resolution) -> Vec<String> {
    let name = |number| {
        observed
            .subscribers
            .get(number)
            .map(|subscriber| subscriber.name.clone())
    };
    numbers
        .iter()
        .map(|number| {
            let key = resolution.keys.get(&ObjectId::Subscriber(*number)).cloned();
            key.or_else(|| name(number)).unwrap_or_default()
        })
        .collect()
}

fn object_change(
    desired: &DesiredDevice,
    id: ObjectId,
    (before, after): (Option<Object>, Option<Object>),
    (observed, target): (&DeviceConfig, &DeviceConfig),
    resolution: &Resolution,
    records: &[Record],
) -> ObjectChange {
    let (key, address) = address(&desired.key, id, &resolution.keys);
    let impact = impact(id, before.as_ref(), after.as_ref(), observed);
    ObjectChange {
        kind: id.kind(),
        action: match (&before, &after) {
            (None, _) => Action::Create,
            (Some(_), None) => Action::Destroy,
            (Some(_), Some(_)) => Action::Update,
        },
        fields: field_changes(before.as_ref(), after.as_ref(), observed, target),
        cause: cause(id, before.as_ref(), after.as_ref(), resolution, records),
        address,
        key,
        object: id,
        impact,
        estimate: None,
        subscribers: Vec::new(),
        option82: option82::changes(id, (observed, target), resolution),
    }
}
fn field_changes(
    before: Option<&Object>,
    after: Option<&Object>,
    observed: &DeviceConfig,
    target: &DeviceConfig,
) -> Vec<FieldChange> {
    let lone = |fields: Vec<(&'static str, String)>| fields.into_iter().filter(|(_, value)| is_set(value));
    match (before.map(|o| o.fields(observed)), after.map(|o| o.fields(target))) {
        (None, None) => Vec::new(),
        (None, Some(new)) => lone(new)
            .map(|(field, after)| FieldChange {
                field,
                before: String::new(),
                after,
            })
            .collect(),
        (Some(old), None) => lone(old)
            .map(|(field, before)| FieldChange {
                field,
                before,
                after: String::new(),
            })
            .collect(),
        // Both sides are of one kind, so their fields stand in the same order.
        (Some(old), Some(new)) => old
            .into_iter()
            .zip(new)
            .filter(|((_, before), (_, after))| before != after)
            .map(|((field, before), (_, after))| FieldChange { field, before, after })
            .collect(),
    }
}

/// Whether a value is worth a word when an object is made or goes away: a plain default is not.
fn is_set(value: &str) -> bool {
    !matches!(value, "" | "no" | "model default")
}

/// Which side moved. What is left as it is, is on neither.
pub(super) fn cause(
    id: ObjectId,
    before: Option<&Object>,
    after: Option<&Object>,
    resolution: &Resolution,
    records: &[Record],
) -> Cause {
    let recorded = records.iter().find(|record| record.object == id);
    let Some(applied) = recorded.and_then(|record| record.applied.as_ref()) else {
        return if resolution.adopted.contains(&id) {
            Cause::Adoption
        } else {
            Cause::Inventory
        };
    };
    let beside = before.map(|held| with_left(&resolution.left, id, applied, held));
    let applied = beside.as_deref().unwrap_or(applied);
    if before == Some(applied) {
        Cause::Inventory
    } else if after == Some(applied) {
        Cause::Drift
    } else {
        Cause::Both
    }
}
