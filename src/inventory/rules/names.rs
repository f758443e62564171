//! Names on the device: from keys, and unique per kind.

use std::collections::BTreeSet;

use crate::inventory::decode::{EntryKey, KeyKind as _, NAME_HELP, Name, Shape as _, Spanned, safe_name};
use crate::inventory::findings::{Findings, Loc};
use crate::inventory::fleet::{DeviceView, listed};

use super::{DUPLICATE_NAME, KEY_AS_NAME, repeated};

pub(super) fn check(device: &DeviceView<'_>, findings: &mut Findings) {
    let on = &device.keyed.key;
    for (keyed, raw) in &device.subscribers {
        if !raw.says("name") {
            check_key(&keyed.key, keyed.at, "subscriber", findings);
        }
    }
    // Keys differ, so only a `name` can be one that is there already.
    if device.subscribers.iter().any(|(_, raw)| raw.name.is_some()) {
        let named = device.subscribers.iter().map(|(keyed, raw)| {
            let (name, at) = effective(&keyed.key, keyed.at, raw.name.as_ref());
            (name, at, ("subscriber", keyed.key.as_str()))
        });
        report(named.collect(), on, findings);
    }

    endpoints(device, findings);

    let mut ports = Vec::new();
    for port in listed(&device.raw.ports) {
        if let Some(name) = port.value.as_ref().and_then(|raw| raw.name.as_ref()) {
            ports.push((name.value.0.as_str(), name.at, ("port", port.key.as_str())));
        }
    }
    report(ports, on, findings);
}

fn endpoints(device: &DeviceView<'_>, findings: &mut Findings) {
    if defaults_differ(device) {
        return;
    }
    // An address that stands twice has its own finding; its default name is no second mistake.
    let mut unnamed = BTreeSet::new();
    let mut names = Vec::new();
    for endpoint in device.endpoints().filter(|endpoint| !endpoint.mac.value.is_null()) {
        match endpoint.name {
            Some(name) => names.push((name.value.0.clone(), name.at, (endpoint.kind, endpoint.key))),
            None if unnamed.insert(endpoint.mac.value) => {
                names.push((
                    endpoint.mac.value.default_endpoint_name(),
                    endpoint.mac.at,
                    (endpoint.kind, endpoint.key),
                ));
            }
            None => {}
        }
    }
    report(names, &device.keyed.key, findings);
}

/// Whether the endpoints all have their default names, and those differ: the usual case, told without making the names. A
/// default name is made of the last three octets.
fn defaults_differ(device: &DeviceView<'_>) -> bool {
    let mut tails = Vec::with_capacity(device.subscribers.len());
    for endpoint in device.endpoints() {
        if endpoint.name.is_some() {
            return false;
        }
        let [_, _, _, tail @ ..] = endpoint.mac.value.octets();
        tails.push(tail);
    }
    tails.sort_unstable();
    tails.windows(2).all(|pair| pair[0] != pair[1])
}

/// The name that the device holds, and where it was written.
pub(super) fn effective<'k>(key: &'k str, at: Loc, name: Option<&'k Spanned<Name>>) -> (&'k str, Loc) {
    name.map_or((key, at), |name| (&name.value.0, name.at))
}

/// Says when a key cannot be the name that it is to serve as.
pub(super) fn check_key(key: &str, at: Loc, what: &str, findings: &mut Findings) {
    // A key that is not even a key has its own finding.
    if let Some(wrong) = safe_name(key).filter(|_| EntryKey::problem(key).is_none()) {
        findings
            .add(
                &KEY_AS_NAME,
                at,
                format!("the key of this {what} {wrong}, so it cannot serve as its name on the device"),
            )
            .help(format!("add `name:`; {NAME_HELP}"));
    }
}

/// Reports names that stand twice on a device. Items: the name, where it was written, whose it is.
pub(super) fn report<N: Ord>(items: Vec<(N, Loc, (&str, &str))>, device: &str, findings: &mut Findings) {
    for (first, again) in repeated(items) {
        let (kind, key) = first.owner;
        findings
            .add(
                &DUPLICATE_NAME,
                again.at,
                format!("the {kind} `{key}` on the device `{device}` has this name already"),
            )
            .related(first.at, "first here")
            .help("the device refuses a second one; give one of the two another `name`");
    }
}
