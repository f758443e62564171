//! A preview as text for people.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use jiff::Timestamp;

use super::super::model::{DevicePlan, Outcome};
use super::super::text::{FAINT, STRONG, closing_text, count, device_text, has_nothing_to_say, some_of, summary_line};
use super::{Base, Preview};

/// Most devices that are named with one age.
const NAMED: usize = 10;

/// Renders a preview.
#[must_use]
pub fn preview_text(preview: &Preview) -> String {
    let plan = &preview.plan;
    let commit = plan
        .commit
        .as_deref()
        .map(|commit| format!(" at commit {commit}"))
        .unwrap_or_default();
    let devices = count(plan.devices.len(), "device");
    let mut out = format!(
        "Inventory `{}`{commit}, {devices}, as they were last observed.\n",
        plan.inventory
    );
    header(&mut out, preview);
    out.push('\n');
    let (quiet, loud): (Vec<&DevicePlan>, Vec<&DevicePlan>) = plan.devices.iter().partition(|d| has_nothing_to_say(d));
    match &preview.base {
        None => loud.iter().for_each(|device| one(&mut out, device, preview)),
        Some(base) => parted(&mut out, &loud, base, preview),
    }
    if !quiet.is_empty() {
        let names: Vec<&str> = quiet.iter().map(|device| device.device.as_str()).collect();
        let names = if names.len() > NAMED {
            some_of(&names)
        } else {
            names.join(", ")
        };
        let _ = writeln!(out, "In sync: {names}.\n");
    }
    if preview.base.is_some() {
        let mine = summary_line(preview.summary());
        let mine = mine.trim_start_matches("Plan: ");
        let _ = writeln!(out, "{STRONG}This change:{STRONG:#} {mine}");
    }
    closing_text(&mut out, plan);
    out
}

fn one(out: &mut String, device: &DevicePlan, preview: &Preview) {
    device_text(out, device, preview.parts(&device.device));
    out.push('\n');
}

/// Devices that the change asks something of, then the others.
fn parted(out: &mut String, loud: &[&DevicePlan], base: &Base, preview: &Preview) {
    let is_touched = |device: &&&DevicePlan| {
        let is_unread = matches!(device.outcome, Outcome::Unread(_));
        base.parts.get(&device.device).is_some_and(super::Parts::is_touched) || is_unread
    };
    let (touched, others): (Vec<&DevicePlan>, Vec<&DevicePlan>) = loud.iter().partition(is_touched);
    let head = base.head.as_deref().unwrap_or("the work tree");
    let _ = writeln!(out, "{STRONG}This change{STRONG:#} ({}..{head}):\n", base.commit);
    if touched.is_empty() && base.gone.is_empty() {
        out.push_str("  It asks nothing else of any device.\n\n");
    }
    touched.iter().for_each(|device| one(out, device, preview));
    if !base.gone.is_empty() {
        let gone: Vec<&str> = base.gone.iter().map(String::as_str).collect();
        let _ = writeln!(
            out,
            "No longer in the inventory, and left as they are: {}.\n",
            gone.join(", ")
        );
    }
    if !others.is_empty() {
        let _ = writeln!(
            out,
            "{STRONG}Not of this change{STRONG:#}, and applied with it: drift, and commits that were not applied yet.\n"
        );
        others.iter().for_each(|device| one(out, device, preview));
    }
}

fn header(out: &mut String, preview: &Preview) {
    let _ = writeln!(out, "Observed ({}):", preview.observed.as_deref().unwrap_or("just now"));
    for (age, devices) in ages(preview) {
        let names = if devices.len() > NAMED {
            some_of(&devices)
        } else {
            devices.join(", ")
        };
        let _ = writeln!(out, "  {age:<22} {names}");
    }
    for note in unknown(preview) {
        let _ = writeln!(out, "{FAINT}Not known here: {note}.{FAINT:#}");
    }
    for note in &preview.notes {
        let _ = writeln!(out, "note: {note}");
    }
}

/// What a plan by observation cannot know.
pub(super) fn unknown(preview: &Preview) -> Vec<String> {
    if preview.observed.is_none() {
        return Vec::new();
    }
    let last = match &preview.base {
        Some(base) => format!(
            "which inventory was last applied; guards compare with {} instead",
            base.commit
        ),
        None => "which inventory was last applied, so that guards do not compare with it".to_owned(),
    };
    vec!["whether a run waits to be confirmed".to_owned(), last]
}

/// How long ago a device was observed, in words.
pub(super) fn age_of(preview: &Preview, device: &str) -> String {
    match preview.seen.get(device) {
        _ if preview.never_seen.contains(device) => "never".to_owned(),
        None if preview.observed.is_none() => "now".to_owned(),
        None => "at an unknown time".to_owned(),
        Some(at) => ago(*at, preview.now).1,
    }
}

/// The devices of a plan by how long ago they were observed, the oldest first.
pub(super) fn ages(preview: &Preview) -> Vec<(String, Vec<&str>)> {
    let mut never = Vec::new();
    let mut no_time = Vec::new();
    let mut aged: BTreeMap<(i64, String), Vec<&str>> = BTreeMap::new();
    for DevicePlan { device, .. } in &preview.plan.devices {
        match preview.seen.get(device) {
            _ if preview.never_seen.contains(device) => never.push(device.as_str()),
            None => no_time.push(device.as_str()),
            Some(at) => {
                let (rank, words) = ago(*at, preview.now);
                aged.entry((-rank, words)).or_default().push(device);
            }
        }
    }
    let mut ages = Vec::new();
    ages.extend((!never.is_empty()).then(|| ("never".to_owned(), never)));
    ages.extend((!no_time.is_empty()).then(|| ("at an unknown time".to_owned(), no_time)));
    ages.extend(aged.into_iter().map(|((_, words), devices)| (words, devices)));
    ages
}

/// How long ago a moment was, in words, and in seconds as far as the words tell.
fn ago(at: Timestamp, now: Timestamp) -> (i64, String) {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    // Clocks of two machines differ a little; what was not yet is now.
    let age = Duration::try_from(now.duration_since(at)).unwrap_or_default().as_secs();
    let (unit, word) = match age {
        0..MINUTE => return (0, "less than a minute ago".to_owned()),
        MINUTE..HOUR => (MINUTE, "min"),
        HOUR..=172_799 => (HOUR, "h"),
        _ => (DAY, "days"),
    };
    let whole = age / unit;
    (
        i64::try_from(whole * unit).unwrap_or(i64::MAX),
        format!("{whole} {word} ago"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_told_as_people_tell_them() {
        let now: Timestamp = "2026-11-28T12:00:00Z".parse().unwrap();
        for (at, words) in [
            ("2026-11-28T12:00:03Z", "less than a minute ago"),
            ("2026-11-28T11:59:01Z", "less than a minute ago"),
            ("2026-11-28T11:59:00Z", "1 min ago"),
            ("2026-11-28T11:00:01Z", "59 min ago"),
            ("2026-11-28T11:00:00Z", "1 h ago"),
            ("2026-11-26T12:00:01Z", "47 h ago"),
            ("2026-11-26T12:00:00Z", "2 days ago"),
        ] {
            assert_eq!(ago(at.parse().unwrap(), now).1, words, "{at}");
        }
    }
}
