//! Maintenance windows: that they are there, make sense, and have a time zone wherever they are used.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::TimeSpan;
use crate::inventory::decode::{Key, Keyed, Shape as _, Spanned};
use crate::inventory::findings::Findings;
use crate::inventory::fleet::{DeviceView, Fleet};
use crate::inventory::nearest::nearest;
use crate::inventory::raw::{RawDevice, RawWindow};
use crate::inventory::window::{ALWAYS, Days, overlaps};

use super::{RESERVED_WINDOW, UNKNOWN_WINDOW, UNUSED_WINDOW, WINDOW_LENGTH, WINDOW_OVERLAP, WINDOW_ZONE};

pub(super) fn check(fleet: &Fleet<'_>, devices: &[DeviceView<'_>], findings: &mut Findings) {
    for (key, keyed) in &fleet.windows {
        if *key == ALWAYS {
            findings
                .add(
                    &RESERVED_WINDOW,
                    keyed.at,
                    format!("`{ALWAYS}` is built in: it stands for no window"),
                )
                .help("give this window another key");
        }
        if let Some(raw) = &keyed.value {
            length(keyed, raw, findings);
        }
    }
    let policy = fleet.policies.window.as_ref();
    let own = devices.iter().filter_map(|device| device.raw.window.as_ref());
    let mut meant: BTreeSet<&str> = BTreeSet::new();
    if !fleet.incomplete {
        for reference in policy.into_iter().chain(own) {
            meant.extend(unknown(fleet, reference, findings));
        }
    }
    let mut users: BTreeMap<&str, Vec<&Keyed<RawDevice>>> = BTreeMap::new();
    for device in devices {
        if let Some(window) = device.raw.window.as_ref().or(policy) {
            users.entry(&window.value.0).or_default().push(device.keyed);
        }
    }
    for (key, keyed) in &fleet.windows {
        let users = users.get(key).map_or(&[][..], Vec::as_slice);
        let named = !users.is_empty() || policy.is_some_and(|policy| policy.value.0 == *key) || meant.contains(key);
        if !named && *key != ALWAYS && !fleet.incomplete && fleet.root.is_some() {
            findings
                .add(
                    &UNUSED_WINDOW,
                    keyed.at,
                    format!("nothing waits for the window `{key}`"),
                )
                .help("name it in `policies.window`, or in `window` of a device");
        }
        zone(fleet, keyed, users, findings);
    }
}

fn length(keyed: &Keyed<RawWindow>, raw: &RawWindow, findings: &mut Findings) {
    let Some(length) = &raw.length else { return };
    if length.value < TimeSpan::from_secs(60) {
        findings
            .add(
                &WINDOW_LENGTH,
                length.at,
                format!("the window `{}` is open for {}", keyed.key, length.value),
            )
            .help("write how long changes may be made, such as `3h`; a minute at least");
    }
    let days = raw.days.as_ref().map_or(Days::ALL, |days| days.value);
    if (raw.days.is_some() || !raw.says("days")) && overlaps(days, length.value) {
        findings
            .add(
                &WINDOW_OVERLAP,
                length.at,
                format!(
                    "the window `{}` begins again before its {} are over",
                    keyed.key, length.value
                ),
            )
            .help("shorten it or name fewer days; where changes may be made at any time, no window is needed");
    }
}

/// Reports a window that is not there, and gives the one that was most likely meant: once it is spelt right, that one is
/// used.
fn unknown<'k>(fleet: &Fleet<'k>, reference: &Spanned<Key>, findings: &mut Findings) -> Option<&'k str> {
    let key = reference.value.0.as_str();
    if key == ALWAYS || fleet.windows.contains_key(key) {
        return None;
    }
    let meant = nearest(key, fleet.windows.keys().copied().chain([ALWAYS]));
    let help = match meant {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("add it under `windows`; `{ALWAYS}` stands for changes at any time"),
    };
    findings
        .add(&UNKNOWN_WINDOW, reference.at, format!("there is no window `{key}`"))
        .help(help);
    meant
}

/// A window without a zone takes that of each device's site.
fn zone(fleet: &Fleet<'_>, window: &Keyed<RawWindow>, users: &[&Keyed<RawDevice>], findings: &mut Findings) {
    if window.value.as_ref().is_none_or(|raw| raw.says("zone")) {
        return;
    }
    let lacks_one = |device: &&&Keyed<RawDevice>| {
        let Some(raw) = &device.value else { return false };
        match &raw.site {
            None => !raw.says("site"),
            // A site that is not there, or could not be read, has its own finding.
            Some(site) => (fleet.sites.get(site.value.0.as_str()))
                .and_then(|site| site.value.as_ref())
                .is_some_and(|site| !site.says("time_zone")),
        }
    };
    if let Some(device) = users.iter().find(lacks_one) {
        findings
            .add(
                &WINDOW_ZONE,
                window.at,
                format!(
                    "the window `{}` has no `zone`, and neither has the site of `{}`",
                    window.key, device.key
                ),
            )
            .related(device.at, "this device waits for it")
            .help("add `zone: Europe/Berlin` or the like to the window, or `time_zone` to the site");
    }
}
