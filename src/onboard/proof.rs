//! Writing, and finding out whether it holds: the texts are loaded, compiled and planned against the readings that they
//! were made from, until nothing is left that would change a device.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use crate::diagnostic::{Finding, Place, Severity, SourceFile};
use crate::domain::{Firmware, MacAddr, SubscriberId};
use crate::inventory::desired::DesiredDevice;
use crate::inventory::model::{Inventory, Mode};
use crate::inventory::{Cache, compile, load_cached};
use crate::observed::{Identity, Kind, ObjectId};
use crate::plan::drift::Leave;
use crate::plan::impact::duration::Timings;
use crate::plan::model::{DeviceChanges, ObjectChange};
use crate::plan::{Inputs, Readings, plan_device};

use super::draft::{Draft, Field, Item};
use super::files::{Layout, NoPlace, pages};
use super::found::{Existing, Found};
use super::outcome::{Imported, harmless, imported};
use super::page::{About, Page};

/// Why nothing could be imported at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotImported {
    /// New files would not be read. The operator's fault, or the root file's.
    #[error(transparent)]
    NoPlace(#[from] NoPlace),
    /// The inventory would be invalid for a reason that is not in what was written. Ours, or the inventory's.
    #[error("with the new files the inventory would be invalid: {0}")]
    Invalid(String),
}

/// Makes an inventory of devices, or adds them to one. None of them is in it yet. `id` is that of a new inventory.
///
/// What comes back has been proven: with the new files the inventory is valid, and the plan of each device that was taken in
/// is "no changes", managed or not. What could not be said so is named there with its reason.
///
/// # Errors
///
/// [`NotImported`] where no file could be written that would be read, or the inventory would not be valid whatever is
/// written.
pub fn import(
    found: &[Found],
    existing: Option<Existing<'_>>,
    layout: Layout,
    id: &str,
) -> Result<Imported, NotImported> {
    let mut draft = Draft::new(found, existing, layout);
    let mut cache = Cache::default();
    let mut proven: BTreeMap<usize, DesiredDevice> = BTreeMap::new();
    // Each round takes something out, so there is an end.
    loop {
        let pages = pages(&draft, existing, layout, id)?;
        let folder = existing
            .map(|existing| existing.folder().to_owned())
            .unwrap_or_default();
        let new = pages.iter().map(|page| SourceFile {
            path: format!("{folder}{}", page.path),
            text: page.text.clone(),
        });
        let files: Vec<SourceFile> = existing
            .iter()
            .flat_map(|one| one.files.iter().cloned())
            .chain(new)
            .collect();
        let loaded = load_cached(&files, &mut cache);
        let Some(inventory) = loaded.inventory else {
            let errors = loaded.report.findings().iter();
            let errors: Vec<&Finding> = errors.filter(|finding| finding.severity == Severity::Error).collect();
            take_out_invalid(&mut draft, &pages, &folder, &errors)?;
            continue;
        };
        let places: Vec<usize> = draft.devices_in().map(|(place, _)| place).collect();
        let mut is_proven = true;
        for place in places {
            is_proven &= prove(&mut draft, place, &inventory, &mut proven);
        }
        if is_proven {
            let warnings = loaded.report.findings().iter().map(in_one_line).collect();
            return Ok(imported(&draft, pages, warnings));
        }
    }
}

fn in_one_line(finding: &Finding) -> String {
    let Place { file, line, .. } = &finding.primary;
    format!("{file}:{line}: {} ({})", finding.message, finding.rule)
}

/// The rule that a device has room for its endpoints.
const DEVICE_FULL: &str = "device-full";

/// Takes out what the rules of the inventory refuse.
fn take_out_invalid(
    draft: &mut Draft<'_>,
    pages: &[Page],
    folder: &str,
    errors: &[&Finding],
) -> Result<(), NotImported> {
    let by_path: BTreeMap<String, &Page> = pages
        .iter()
        .map(|page| (format!("{folder}{}", page.path), page))
        .collect();
    let about = |place: &Place| by_path.get(&*place.file).and_then(|page| page.about(place.line));
    let mut took_out = false;
    for error in errors {
        let places = std::iter::once(&error.primary).chain(error.related.iter().map(|(place, _)| place));
        // The second of two that cannot both be is the one to go; where that one was there before, ours is.
        let Some(About { item, field }) = places.into_iter().find_map(about) else {
            continue;
        };
        let reason = error.message.clone();
        took_out |= match (item, field) {
            (_, Some(field)) => draft.leave(item, field, reason),
            // It knows more endpoints than it has room for: first those go that nobody would miss.
            (Item::Device(device), None) if error.rule.0 == DEVICE_FULL && !draft.roaming_spares(device).is_empty() => {
                let spares = draft.roaming_spares(device);
                spares.into_iter().all(|spare| draft.take_out(spare, reason.clone()))
            }
            (_, None) => draft.take_out(item, reason),
        };
    }
    match errors.first() {
        Some(error) if !took_out => Err(NotImported::Invalid(in_one_line(error))),
        _ => Ok(()),
    }
}

/// Whether nothing of a device would change. What would is taken out.
fn prove(
    draft: &mut Draft<'_>,
    place: usize,
    inventory: &Inventory,
    proven: &mut BTreeMap<usize, DesiredDevice>,
) -> bool {
    let Some(device) = draft.devices.get_mut(place) else {
        return true;
    };
    let found = device.found;
    let Some(entry) = inventory.devices.get(&device.key) else {
        return !draft.take_out(Item::Device(place), "it did not come to be in the inventory".to_owned());
    };
    if entry.transport != found.transport && device.defaults.is_none() {
        device.defaults = Some(entry.transport.clone());
        return false;
    }
    let Some(mut desired) = compile(inventory, &device.key) else {
        return true;
    };
    // What would change nothing where everything may be changed changes nothing where nothing may.
    desired.mode = Mode::Manage;
    if proven.get(&place) == Some(&desired) {
        return true;
    }
    let changes = trial(found, &desired);
    if changes.changes.is_empty() && changes.refusals.is_empty() {
        proven.insert(place, desired);
        return true;
    }
    let mut took_out = false;
    for change in &changes.changes {
        let reason = reason(change, &changes);
        for item in blamed(draft, place, change) {
            took_out |= match item {
                // Its host name is the one thing of a device that could differ.
                Item::Device(_) => draft.leave(item, Field::Hostname, reason.clone()),
                _ => draft.take_out(item, reason.clone()),
            };
        }
    }
    if !took_out {
        let reason = match changes.refusals.first() {
            Some(refusal) => format!("{}; {}", refusal.message, refusal.help),
            None => "its plan would not be \"no changes\"".to_owned(),
        };
        draft.take_out(Item::Device(place), reason);
    }
    false
}

/// Compares what was read of a device, from a file, with what the inventory says of it. `None` where it has no such device.
#[must_use]
pub fn compare(found: &Found, inventory: &Inventory, key: &str) -> Option<DeviceChanges> {
    let mut desired = compile(inventory, key)?;
    // A pause holds changes back and is no difference.
    desired.paused = None;
    Some(trial(found, &desired))
}

/// The plan of a device of which gamops owns nothing yet.
fn trial(found: &Found, desired: &DesiredDevice) -> DeviceChanges {
    let (nobody, timings) = (nobody(), Timings::default());
    let inputs = Inputs {
        desired: &Arc::new(desired.clone()),
        readings: Readings {
            running: &found.running,
            startup: None,
            // Nobody reads it: nothing of this is unsaved.
            write: |_| String::new(),
        },
        identity: found.identity.as_ref().unwrap_or(&nobody),
        capabilities: &found.capabilities,
        records: &Arc::default(),
        pauses: &[],
        remembered: None,
        unfinished: false,
        timings: &timings,
        // Nothing is paused, so no moment matters.
        now: Timestamp::UNIX_EPOCH,
        window: None,
        targets: None,
        leave: Leave::default(),
    };
    // How a change would be sent does not matter where none is to be.
    plan_device(inputs, &|_| Ok(Vec::new()))
}

/// Stands in for a device that is known from a file: nothing in its plan depends on who it is.
fn nobody() -> Identity {
    Identity {
        mac: MacAddr::new([0; 6]),
        model: None,
        firmware: Firmware {
            family: String::new(),
            version: (0, 0, 0),
        },
        serial: None,
    }
}

/// Why an object would change, in words: `profile 3 (Giga) -> unthrottled`, and what compiling the inventory says to it.
fn reason(change: &ObjectChange, changes: &DeviceChanges) -> String {
    let say = |value: &str| {
        if value.is_empty() {
            "nothing".to_owned()
        } else {
            harmless(value)
        }
    };
    let fields = change.fields.iter();
    let fields: Vec<String> = fields
        .map(|field| {
            format!(
                "{} {} would become {}",
                field.field,
                say(&field.before),
                say(&field.after)
            )
        })
        .collect();
    let is_about = |decision: &&String| {
        let plan = decision.split('`').nth(1).unwrap_or_default();
        change.fields.iter().any(|field| field.before.contains(plan)) || changes.decisions.len() == 1
    };
    let why = changes
        .decisions
        .iter()
        .find(is_about)
        .filter(|_| change.fields.iter().any(|field| field.field == "profile"));
    let why = why.map(|decision| format!(" ({decision})")).unwrap_or_default();
    format!(
        "the inventory cannot say what the device holds: {}{why}",
        fields.join(", ")
    )
}

/// What has to go so that an object does not change.
fn blamed(draft: &Draft<'_>, place: usize, change: &ObjectChange) -> Vec<Item> {
    let Some(device) = draft.devices.get(place) else {
        return Vec::new();
    };
    let is_held = device.config.object(change.object).is_some();
    match change.object {
        ObjectId::System => vec![Item::Device(place)],
        ObjectId::Port(_) => vec![Item::Object(place, change.object)],
        ObjectId::Profile(id) if is_held => draft.users_on(place, id),
        ObjectId::Endpoint(id) if is_held => draft.whose(place, id),
        ObjectId::Subscriber(_) if is_held => vec![Item::Object(place, change.object)],
        // It was not recognised on the device and would be made a second time.
        ObjectId::Profile(_) | ObjectId::Endpoint(_) | ObjectId::Subscriber(_) => by_key(draft, place, change),
    }
}

fn by_key(draft: &Draft<'_>, place: usize, change: &ObjectChange) -> Vec<Item> {
    let Some(device) = draft.devices.get(place) else {
        return Vec::new();
    };
    let subscribers = device.subscribers.iter();
    let of_key = subscribers
        .filter(|(_, key)| **key == change.key)
        .map(|(id, _)| ObjectId::Subscriber(*id));
    let spares = device
        .spares
        .iter()
        .filter(|(_, key)| **key == change.key)
        .map(|(id, _)| ObjectId::Endpoint(*id));
    let objects: BTreeSet<ObjectId> = match change.kind {
        Kind::Profile => {
            let has_plan = |one: &&SubscriberId| {
                let plan = device
                    .config
                    .subscribers
                    .get(one)
                    .and_then(|one| draft.plan_of(place, one));
                plan.and_then(|plan| draft.plans.list.get(plan))
                    .is_some_and(|plan| plan.key == change.key)
            };
            device
                .subscribers
                .keys()
                .filter(has_plan)
                .map(|id| ObjectId::Subscriber(*id))
                .collect()
        }
        Kind::Endpoint => of_key.chain(spares).collect(),
        _ => of_key.collect(),
    };
    objects.into_iter().map(|id| Item::Object(place, id)).collect()
}
