//! A subscriber's VLANs together.

use std::collections::BTreeMap;

use crate::domain::VlanSet;
use crate::inventory::decode::{Keyed, Shape as _};
use crate::inventory::findings::{Findings, Loc};
use crate::inventory::fleet::{DeviceView, Fleet, listed, vlan_count};
use crate::inventory::raw::RawSubscriber;

use super::{NO_VLAN, PORT2_VLAN, TOO_MANY_VLANS, TRUNK_ALLOWED, VLAN_POOL};

/// How many further VLANs a subscriber may have: the VLAN guide of 2024 says 12, older guides 14.
const MAX_ALLOWED_VLANS: usize = 12;

pub(super) fn check<'f>(
    fleet: &Fleet<'_>,
    subscribers: impl Iterator<Item = (&'f Keyed<RawSubscriber>, &'f RawSubscriber)>,
    findings: &mut Findings,
) {
    for (keyed, raw) in subscribers {
        if raw.vlan.is_none() && !raw.says("vlan") && !fleet.defaults.says("vlan") && fleet.root.is_some() {
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
            if let Some(trunk) = raw.trunk.as_ref().filter(|trunk| trunk.value.0 && count > 0) {
                findings
                    .add(
                        &TRUNK_ALLOWED,
                        trunk.at,
                        format!("the subscriber `{}` has `trunk` and `allowed_vlans`", keyed.key),
                    )
                    .related(list.at, "the list that a trunk replaces")
                    .help("a trunk passes VLANs 3 to 4093; remove one of the two");
            }
        }
    }
}

/// The VLANs that a site's subscribers may be in, and where the site stands.
pub(super) type Pools<'f> = BTreeMap<&'f str, (Loc, VlanSet)>;

/// The pools of every site that has any.
pub(super) fn pools<'f>(fleet: &Fleet<'f>) -> Pools<'f> {
    let mut pools = BTreeMap::new();
    for (key, site) in &fleet.sites {
        let lists = site.value.as_ref().map_or(&[][..], |raw| listed(&raw.vlans));
        // A pool that could not be read may hold anything.
        if lists.iter().all(|pool| pool.value.is_some()) {
            let lists = lists.iter().filter_map(|pool| pool.value.as_ref());
            let vlans: VlanSet = lists.flat_map(|list| &list.0).map(|vlan| vlan.value).collect();
            if !vlans.is_empty() {
                pools.insert(*key, (site.at, vlans));
            }
        }
    }
    pools
}

/// Whether the VLANs of a device's subscribers are those of its site.
pub(super) fn check_pools(fleet: &Fleet<'_>, device: &DeviceView<'_>, pools: &Pools<'_>, findings: &mut Findings) {
    let site = device.raw.site.as_ref();
    let Some((site, (site_at, pool))) = site.and_then(|site| pools.get_key_value(site.value.0.as_str())) else {
        return;
    };
    for (keyed, raw) in &device.subscribers {
        let own = raw.vlan.as_ref().map(|vlan| (vlan.value, vlan.at));
        let default = fleet.defaults.vlan.as_ref().filter(|_| !raw.says("vlan"));
        let service = own.or_else(|| default.map(|vlan| (vlan.value, keyed.at)));
        let second = raw.port2_vlan.as_ref().map(|vlan| (vlan.value, vlan.at));
        let further = raw.allowed_vlans.iter().flat_map(|list| &list.value.0);
        let all = service.into_iter().chain(second);
        let mut told = None;
        for (vlan, at) in all.chain(further.map(|vlan| (vlan.value, vlan.at))) {
            // A range is one place with many VLANs.
            if !pool.contains(vlan) && told.replace(at) != Some(at) {
                findings
                    .add(
                        &VLAN_POOL,
                        at,
                        format!(
                            "VLAN {vlan} of the subscriber `{}` is in no pool of the site `{site}`",
                            keyed.key
                        ),
                    )
                    .related(*site_at, "the site, whose pools are under `vlans`")
                    .help("correct the VLAN, or add it to a pool");
            }
        }
    }
}
