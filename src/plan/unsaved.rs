//! Configuration that a reboot would lose: whose it is, and what to do about it.

use std::collections::BTreeSet;
use std::sync::Arc;

use similar::{ChangeTag, TextDiff};

use crate::inventory::model::Unsaved;
use crate::observed::{DeviceConfig, ObjectId, RunningConfig};

use super::model::{Save, Saved};
use super::record::Record;

/// A reading of the startup configuration beside the running one.
#[derive(Debug, Clone, Copy)]
pub struct Readings<'a> {
    /// What runs.
    pub running: &'a Arc<RunningConfig>,
    /// What a reboot would load; `None` where the device did not show it.
    pub startup: Option<&'a RunningConfig>,
    /// How a configuration is written for people.
    pub write: Write,
}

/// Writes a configuration as canonical text, secrets masked.
pub type Write = fn(&RunningConfig) -> String;

/// Compares the two. `unfinished` says that a run of gamops on this device never came to its end; `target` is what
/// the device would hold after this plan.
pub(super) fn saved(readings: Readings<'_>, records: &[Record], unfinished: bool, target: &DeviceConfig) -> Saved {
    let Readings {
        running,
        startup,
        write,
    } = readings;
    let Some(startup) = startup else {
        return Saved::Unknown;
    };
    if running.is_same_as(startup) {
        return Saved::Yes;
    }
    let (now, later) = (running.managed.settings(), startup.managed.settings());
    let differs = |id: &ObjectId| now.object(*id) != later.object(*id);
    let differing: BTreeSet<ObjectId> = now.object_ids().chain(later.object_ids()).filter(differs).collect();
    let same_elsewhere = running.other == startup.other;
    let explained = differing
        .iter()
        .all(|id| records.iter().any(|record| record.object == *id));
    Saved::No {
        ours: unfinished && same_elsewhere && explained,
        overwritten: same_elsewhere
            && differing
                .iter()
                .all(|id| is_overwritten(*id, (&running.managed, &startup.managed), target)),
        difference: difference(&write(startup), &write(running)),
    }
}

/// Whether nothing of what is unsaved in an object outlives the plan: each field that differs gets another value,
/// what was made goes away, what was deleted comes back.
fn is_overwritten(id: ObjectId, (running, startup): (&DeviceConfig, &DeviceConfig), target: &DeviceConfig) -> bool {
    match (running.object(id), startup.object(id), target.object(id)) {
        (Some(held), Some(saved), Some(coming)) => {
            let (held, saved) = (held.fields(running), saved.fields(startup));
            let fields = held.iter().zip(&saved).zip(coming.fields(target));
            fields
                .filter(|((held, saved), _)| held != saved)
                .all(|((held, _), coming)| *held != coming)
        }
        (Some(_), _, None) | (None, Some(_), Some(_)) => true,
        _ => false,
    }
}

/// What a run does about it, given whether it has changes of its own.
pub(super) fn save(saved: &Saved, policy: Unsaved, has_steps: bool, unfinished: bool) -> Save {
    match saved {
        _ if has_steps => Save::AfterChanges,
        Saved::No { ours: true, .. } => Save::Ours,
        // The device hides its startup configuration: saving what we verified once more does no harm.
        Saved::Unknown if unfinished => Save::Ours,
        Saved::No { ours: false, .. } if policy == Unsaved::Save => Save::ByPolicy,
        Saved::Yes | Saved::No { .. } | Saved::Unknown => Save::No,
    }
}

/// The lines that differ, `-` before and `+` after, without context.
pub fn difference(before: &str, after: &str) -> Vec<String> {
    TextDiff::from_lines(before, after)
        .iter_all_changes()
        .filter_map(|change| {
            let sign = match change.tag() {
                ChangeTag::Equal => return None,
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
            };
            Some(format!("{sign} {}", change.value().trim_end()))
        })
        .collect()
}
