//! Names on the device: from keys, and unique per kind.

use std::collections::BTreeMap;

use crate::inventory::decode::{NAME_HELP, Name, Spanned, safe_name};
use crate::inventory::findings::{Findings, Loc};
use crate::inventory::fleet::{DeviceView, listed};

use super::{DUPLICATE_NAME, KEY_AS_NAME, twice};

pub(super) fn check(devices: &[DeviceView<'_>], findings: &mut Findings) {
    for device in devices {
        let on = &device.keyed.key;
        let mut subscribers = BTreeMap::new();
        for (keyed, raw) in &device.subscribers {
            let (name, at) = effective(&keyed.key, keyed.at, raw.name.as_ref());
            if raw.name.is_none() {
                check_key(&keyed.key, keyed.at, "subscriber", findings);
            }
            let owner = || format!("subscriber `{}`", keyed.key);
            report(&mut subscribers, name.to_owned(), at, owner, on, findings);
        }
        let mut endpoints = BTreeMap::new();
        for endpoint in device.endpoints() {
            let (name, at) = match endpoint.name {
                Some(name) => (name.value.0.clone(), name.at),
                None => (endpoint.mac.value.default_endpoint_name(), endpoint.mac.at),
            };
            report(&mut endpoints, name, at, || endpoint.owner(), on, findings);
        }
        let mut ports = BTreeMap::new();
        for port in listed(&device.raw.ports) {
            if let Some(name) = port.value.as_ref().and_then(|raw| raw.name.as_ref()) {
                report(&mut ports, name.value.0.clone(), name.at, || format!("port {}", port.key), on, findings);
            }
        }
    }
}

/// The name that the device holds, and where it was written.
pub(super) fn effective<'k>(key: &'k str, at: Loc, name: Option<&'k Spanned<Name>>) -> (&'k str, Loc) {
    name.map_or((key, at), |name| (&name.value.0, name.at))
}

/// Says when a key cannot be the name that it is to serve as.
pub(super) fn check_key(key: &str, at: Loc, what: &str, findings: &mut Findings) {
    // A key that is not even a key has its own finding.
    if let Some(wrong) = safe_name(key).filter(|_| key.len() <= 63 && key.is_ascii()) {
        findings
            .add(&KEY_AS_NAME, at, format!("the key of this {what} {wrong}, so it cannot serve as its name on the device"))
            .help(format!("add `name:`; {NAME_HELP}"));
    }
}

pub(super) fn report(
    seen: &mut BTreeMap<String, (Loc, String)>,
    name: String,
    at: Loc,
    owner: impl FnOnce() -> String,
    device: &str,
    findings: &mut Findings,
) {
    let shown = name.clone();
    if let Some((first, other)) = twice(seen, name, at, owner) {
        findings
            .add(&DUPLICATE_NAME, at, format!("the name `{shown}` on the device `{device}` is also that of the {other}"))
            .related(first, "first here")
            .help("the device refuses a second one; give one of the two another `name`");
    }
}
