//! A subscriber's VLANs together.

use crate::inventory::decode::Shape as _;
use crate::inventory::findings::Findings;
use crate::inventory::fleet::{Fleet, vlan_count};

use super::{NO_VLAN, PORT2_VLAN, TOO_MANY_VLANS};

/// How many further VLANs a subscriber may have: the VLAN guide of 2024 says 12, older guides 14.
const MAX_ALLOWED_VLANS: usize = 12;

pub(super) fn check(fleet: &Fleet, findings: &mut Findings) {
    for keyed in fleet.subscribers.values() {
        let Some(raw) = &keyed.value else {
            continue;
        };
        if !raw.says("vlan") && !fleet.defaults.says("vlan") && fleet.root.is_some() {
            findings
                .add(
                    &NO_VLAN,
                    keyed.at,
                    format!(
                        "the subscriber `{}` has no VLAN, so it only sees the device's captive portal",
                        keyed.key
                    ),
                )
                .help("add `vlan:` here, or under `defaults` in gamops.yaml");
        }
        if let Some(port2) = &raw.port2_vlan
            && port2.value == fleet.vlan(raw)
        {
            let draft = findings.add(
                &PORT2_VLAN,
                port2.at,
                format!("the second Ethernet port cannot have VLAN {} as well", port2.value),
            );
            draft.help("give it another VLAN, or remove `port2_vlan`");
            if let Some(vlan) = raw.vlan.as_ref().or(fleet.defaults.vlan.as_ref()) {
                draft.related(vlan.at, "the VLAN of the first port");
            }
        }
        if let Some(list) = &raw.allowed_vlans {
            let count = vlan_count(&list.value);
            if count > MAX_ALLOWED_VLANS {
                let at = list.value.0.first().map_or(list.at, |vlan| vlan.at);
                findings
                    .add(
                        &TOO_MANY_VLANS,
                        at,
                        format!("`allowed_vlans` holds {count} VLANs; the device takes {MAX_ALLOWED_VLANS}"),
                    )
                    .help("shorten the list; a range counts with every VLAN in it");
            }
        }
    }
}
