//! Ignore rules for drift: that they name something, and something that is there.

use crate::inventory::decode::{KINDS, Shape as _, Spanned};
use crate::inventory::findings::Findings;
use crate::inventory::fleet::{DeviceView, Fleet};
use crate::inventory::nearest::did_you_mean;
use crate::inventory::raw::{RawDrift, RawIgnore};

use super::{DRIFT_IGNORE, UNKNOWN_DEVICE};

pub(super) fn check(fleet: &Fleet<'_>, devices: &[DeviceView<'_>], findings: &mut Findings) {
    for rule in rules(fleet.policies.drift.as_ref()) {
        let raw = &rule.value;
        if !["device", "object", "field"].iter().any(|key| raw.says(key)) {
            findings
                .add(
                    &DRIFT_IGNORE,
                    rule.at,
                    "this rule names neither a `device` nor an `object` nor a `field`".to_owned(),
                )
                .help("say what it is about; it would hide all drift of the whole fleet");
        }
        if let Some(device) = &raw.device {
            known(fleet, device, &device.value.0, findings);
        }
        if let Some(object) = &raw.object
            && let Some((device, rest)) = object.value.0.split_once('/')
            && rest.contains('/')
            && !device.contains('*')
            && !KINDS.contains(&device)
        {
            known(fleet, object, device, findings);
        }
    }
    for device in devices {
        for rule in rules(device.raw.drift.as_ref()) {
            if let Some(named) = &rule.value.device {
                let message = format!("this rule stands under the device `{}` already", device.keyed.key);
                findings
                    .add(&DRIFT_IGNORE, named.at, message)
                    .help("remove `device`, or move the rule to `policies.drift.ignore`");
            }
        }
    }
}

fn rules(drift: Option<&Spanned<RawDrift>>) -> impl Iterator<Item = &Spanned<RawIgnore>> {
    let rules = drift.and_then(|drift| drift.value.ignore.as_ref());
    rules.into_iter().flat_map(|rules| &rules.value)
}

/// Reports a device that is not there, at whatever names it.
fn known<T>(fleet: &Fleet<'_>, at: &Spanned<T>, key: &str, findings: &mut Findings) {
    if fleet.incomplete || fleet.devices.contains_key(key) {
        return;
    }
    let help = did_you_mean(key, fleet.devices.keys().copied());
    findings
        .add(&UNKNOWN_DEVICE, at.at, format!("there is no device `{key}`"))
        .help(help.unwrap_or_else(|| "correct the key, or remove the rule".to_owned()));
}
