//! Settings whose command-line word is assumed, on devices that do not allow such words.

use crate::domain::PoeMode;
use crate::inventory::findings::{Findings, Loc};
use crate::inventory::fleet::DeviceView;

use super::NEEDS_ALLOW_ASSUMED;

pub(super) fn check(device: &DeviceView<'_>, findings: &mut Findings) {
    if device.raw.allow_assumed.as_ref().is_some_and(|allowed| allowed.value.0) {
        return;
    }
    let mut report = |key: &str, at: Loc| {
        let draft = findings.add(
            &NEEDS_ALLOW_ASSUMED,
            at,
            format!("`{key}` will not be sent to the device `{}`", device.keyed.key),
        );
        draft
            .help("nobody has seen its command-line word work; `allow_assumed: true` on the device lets gamops try it");
    };
    if let Some(model) = device.raw.subscriber_model.as_ref().filter(|_| device.is_port_aware()) {
        // The word that ties a subscriber to its port; said once, not for each of them.
        report("port", model.at);
    }
    for (_, raw) in &device.subscribers {
        if let Some(trunk) = raw.trunk.as_ref().filter(|trunk| trunk.value.0) {
            report("trunk", trunk.at);
        }
        if let Some(tag) = &raw.double_tag {
            report("double_tag", tag.at);
        }
        // `poe disable` was seen on hardware (1.5.4); the others are taken from the MIB.
        if let Some(poe) = raw.poe.as_ref().filter(|poe| poe.value != PoeMode::Disable) {
            report(&format!("poe: {}", poe.value), poe.at);
        }
    }
}
