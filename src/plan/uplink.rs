//! Whether subscribers' VLANs leave the device: those that no uplink lets through are configured and verified,
//! and carry nothing.
//!
//! Reads the `switchport` lines of the uplinks' sections; never plans them.

use crate::domain::{Model, UplinkNumber, VlanId, VlanSet, vlan_ranges};
use crate::observed::{ObjectId, Subscriber};

use super::resolve::Resolution;

/// What an uplink does with VLANs.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Uplink {
    mode: Mode,
    /// `switchport trunk allowed vlan`. The factory lets 3 to 4094 through.
    trunk: Allowed,
    /// `switchport hybrid allowed vlan`.
    hybrid: Allowed,
    /// `switchport access vlan`.
    access: Option<VlanId>,
    shutdown: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Trunk,
    Hybrid,
    Access,
}

impl Default for Uplink {
    /// The factory state: trunk for 3 to 4094 (JSON-RPC guide, VLAN guide).
    fn default() -> Self {
        Self {
            mode: Mode::Trunk,
            trunk: Allowed(vec![(true, 3, 4094)]),
            hybrid: Allowed::all(),
            access: VlanId::try_from(1).ok(),
            shutdown: false,
        }
    }
}

impl Uplink {
    fn passes(&self, vlan: VlanId) -> bool {
        let listed = match self.mode {
            Mode::Trunk => self.trunk.contains(vlan),
            Mode::Hybrid => self.hybrid.contains(vlan),
            Mode::Access => self.access == Some(vlan),
        };
        listed && !self.shutdown
    }

    /// Takes a line of the section; others than those about VLANs mean nothing here.
    fn line(&mut self, words: &[&str]) {
        match words {
            ["switchport", "mode", mode] => {
                self.mode = match *mode {
                    "access" => Mode::Access,
                    "hybrid" => Mode::Hybrid,
                    _ => Mode::Trunk,
                };
            }
            ["switchport", "trunk", "allowed", "vlan", list @ ..] => self.trunk.line(list),
            ["switchport", "hybrid", "allowed", "vlan", list @ ..] => self.hybrid.line(list),
            ["switchport", "access", "vlan", vlan] => {
                self.access = vlan.parse::<u16>().ok().and_then(|vlan| vlan.try_into().ok());
            }
            ["shutdown"] => self.shutdown = true,
            ["no", "shutdown"] => self.shutdown = false,
            _ => {}
        }
    }
}

/// Which VLANs are let through: nearly all as a rule, so it is held as it is written. Whether one passes is said by the last
/// entry that covers it: `true` lets it through; what none covers does not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Allowed(Vec<(bool, u16, u16)>);

impl Allowed {
    fn all() -> Self {
        Self(vec![(true, 1, 4094)])
    }

    fn contains(&self, vlan: VlanId) -> bool {
        let covers = |(_, first, last): &&(bool, u16, u16)| (*first..=*last).contains(&vlan.get());
        self.0.iter().rfind(covers).is_some_and(|(passes, ..)| *passes)
    }

    /// `all`, `none`, a list, or `add`, `remove`, `except` and a list (CLI guide). A list that cannot be read changes
    /// nothing.
    fn line(&mut self, words: &[&str]) {
        let entries = |list: &str, passes: bool| {
            let ranges = vlan_ranges(list).ok()?.into_iter();
            Some(ranges.map(move |(first, last)| (passes, first.get(), last.get())))
        };
        match words {
            ["all"] => *self = Self::all(),
            ["none"] => self.0.clear(),
            ["add", list] => self.0.extend(entries(list, true).into_iter().flatten()),
            ["remove", list] => self.0.extend(entries(list, false).into_iter().flatten()),
            ["except", list] => {
                if let Some(entries) = entries(list, false) {
                    *self = Self::all();
                    self.0.extend(entries);
                }
            }
            [list] => {
                if let Some(entries) = entries(list, true) {
                    self.0 = entries.collect();
                }
            }
            _ => {}
        }
    }
}

/// The uplinks of a device by number, from the lines that gamops does not manage.
fn uplinks(other: &[String], model: &Model) -> Vec<(UplinkNumber, Uplink)> {
    let mut found: Vec<(UplinkNumber, Uplink)> = (1..=u64::from(model.uplinks))
        .filter_map(|number| UplinkNumber::try_from(number).ok())
        .map(|number| (number, Uplink::default()))
        .collect();
    let mut section = None;
    for line in other {
        if !line.starts_with(' ') {
            section = line
                .strip_prefix("interface 10GigabitEthernet 1/")
                .and_then(|number| number.trim().parse::<u64>().ok());
            continue;
        }
        let uplink = found
            .iter_mut()
            .find(|(number, _)| Some(u64::from(number.get())) == section);
        if let Some((_, uplink)) = uplink {
            uplink.line(&line.split_whitespace().collect::<Vec<_>>());
        }
    }
    found
}

/// The VLANs with which a subscriber's frames leave the device. A remapped VLAN exists only between the GAM and
/// the endpoint (JSON-RPC guide), and with two tags only the outer one is seen.
fn outward(subscriber: &Subscriber) -> Vec<VlanId> {
    if let Some(tag) = subscriber.double_tag {
        return vec![tag.outer_vlan];
    }
    let own = std::iter::once(subscriber.vlan).filter(|vlan| *vlan != VlanId::CAPTIVE_PORTAL);
    own.chain(subscriber.port2_vlan)
        .chain(subscriber.allowed_vlans.iter())
        .collect()
}

/// One sentence for each managed subscriber with a VLAN that no uplink of its choice lets through.
pub(super) fn notes(resolution: &Resolution, other: &[String], model: &Model) -> Vec<String> {
    let uplinks = uplinks(other, model);
    let mut notes = Vec::new();
    for (id, subscriber) in &resolution.target.subscribers {
        let Some(key) = resolution.keys.get(&ObjectId::Subscriber(*id)) else {
            continue;
        };
        let chosen = subscriber.double_tag.and_then(|tag| tag.uplink);
        let ways = || {
            uplinks
                .iter()
                .filter(move |(number, _)| chosen.is_none_or(|chosen| chosen == *number))
        };
        let stuck: VlanSet = outward(subscriber)
            .into_iter()
            .filter(|vlan| !ways().any(|(_, uplink)| uplink.passes(*vlan)))
            .collect();
        if stuck.is_empty() {
            continue;
        }
        let outer = if subscriber.double_tag.is_some() { "outer " } else { "" };
        let through = match ways().next() {
            Some((number, _)) if ways().count() == 1 => format!("uplink `10GigabitEthernet 1/{number}`"),
            _ => "any uplink".to_owned(),
        };
        notes.push(format!(
            "{key}: {outer}VLAN {stuck} does not pass {through}: it is configured, but carries nothing until the uplink \
             allows it"
        ));
    }
    notes
}

#[cfg(test)]
mod tests;
