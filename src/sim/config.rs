//! The configuration that a device holds: the G.hn objects as values with all their checks, everything else
//! as the lines that set it.

mod factory;
mod ghn;
mod plugged;
mod print;
mod subscriber;

pub(super) use ghn::{EndpointEdit, PortEdit, ProfileEdit};
pub(super) use plugged::{port_of, presence};
pub(super) use subscriber::{Line, SubscriberEdit};

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};

use crate::domain::{MacAddr, Medium, PoeMode, PortBinding, VlanSet};

use super::spec::DeviceSpec;

/// Lines that set something, each under the words that say what: setting it again replaces the line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Settings(Vec<(String, String)>);

impl Settings {
    /// Sets or replaces.
    pub(super) fn set(&mut self, key: &str, line: String) {
        match self.0.iter_mut().find(|(held, _)| held == key) {
            Some((_, held)) => *held = line,
            None => self.0.push((key.to_owned(), line)),
        }
    }

    /// Takes away whatever is set under `key` or under a longer key that begins with it.
    pub(super) fn unset(&mut self, key: &str) {
        let longer = format!("{key} ");
        self.0.retain(|(held, _)| held != key && !held.starts_with(&longer));
    }

    /// The line under `key`.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(held, _)| held == key)
            .map(|(_, line)| line.as_str())
    }

    /// The lines, in the order in which they were first set.
    pub(super) fn lines(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(_, line)| line.as_str())
    }
}

/// A user of the command line.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct User {
    /// 0 to 15.
    pub(super) privilege: u8,
    /// Hash of the password; `None` when there is none.
    pub(super) hash: Option<String>,
}

impl User {
    /// The hash under which a password is kept and printed.
    pub(super) fn hash(name: &str, password: &str) -> String {
        Sha256::digest(format!("{name}\n{password}"))
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

/// A G.hn port.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Port {
    pub(super) name: String,
    pub(super) siso: bool,
    pub(super) shutdown: bool,
}

/// A bandwidth profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Profile {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) down: u32,
    pub(super) up: u32,
    pub(super) service_limit_level: Option<u8>,
}

/// A configured endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Endpoint {
    pub(super) name: String,
    pub(super) mac: MacAddr,
    pub(super) description: String,
    pub(super) port: PortBinding,
    pub(super) management_access: bool,
}

/// A subscriber.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Subscriber {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) endpoint: Option<u16>,
    pub(super) vid: u16,
    pub(super) tagged: bool,
    pub(super) remapped_vid: Option<u16>,
    /// `None` is unthrottled.
    pub(super) profile: Option<u16>,
    pub(super) allowed: VlanSet,
    pub(super) port2_vid: Option<u16>,
    pub(super) poe: PoeMode,
    /// In the port-aware model, where its service is.
    pub(super) port: Option<u16>,
    pub(super) trunk: bool,
    /// Double tags, when set.
    pub(super) outer_vid: Option<u16>,
    /// The uplink of double tags by its number; `None` is the default one.
    pub(super) nni: Option<u16>,
    pub(super) future_word: Option<String>,
}

/// A power mask notch, its values as typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Notch {
    pub(super) start: String,
    pub(super) stop: String,
    pub(super) depth: String,
}

/// All that `show running-config` prints and a reload loses unless it was saved.
#[derive(Clone, PartialEq)]
pub(super) struct Config {
    pub(super) hostname: String,
    pub(super) users: BTreeMap<String, User>,
    pub(super) vlans: BTreeSet<u16>,
    /// Global lines of other modules.
    pub(super) settings: Settings,
    /// Sections of other modules by heading (`interface vlan 1`), without those of the G.hn ports.
    pub(super) sections: BTreeMap<String, Settings>,
    /// Subscribers belong to ports, not to endpoints.
    pub(super) port_aware: bool,
    pub(super) ports: BTreeMap<u16, Port>,
    pub(super) profiles: BTreeMap<u16, Profile>,
    pub(super) endpoints: BTreeMap<u16, Endpoint>,
    pub(super) subscribers: BTreeMap<u16, Subscriber>,
    pub(super) vectorboost: Settings,
    pub(super) notches: BTreeMap<u16, Notch>,
}

/// Whether this firmware has the community syntax of the sister products (assumed from 1.4 on).
pub(super) fn has_new_communities(spec: &DeviceSpec) -> bool {
    spec.firmware.at_least(1, 4, 0)
}

/// Whether this device can be port-aware: copper, from 1.4 (JSON-RPC guide).
pub(super) fn has_port_aware(spec: &DeviceSpec) -> bool {
    spec.model.medium == Medium::Copper && spec.firmware.at_least(1, 4, 0)
}

/// Whether this firmware knows trunk mode and double tags (in the MIB, which is of about 1.6).
pub(super) fn has_double_tags(spec: &DeviceSpec) -> bool {
    spec.firmware.at_least(1, 6, 0)
}

/// Whether this firmware knows `poe` (seen on 1.5.4; JSON-RPC guide for 1.4 does not have it).
pub(super) fn has_poe(spec: &DeviceSpec) -> bool {
    spec.firmware.at_least(1, 5, 0)
}

impl Config {
    /// Takes away what the factory state sets and a text written by the device says in full: users, lines of
    /// other modules, contents of sections. What has defaults that are left out stays.
    pub(super) fn empty(&mut self) {
        self.users.clear();
        self.settings = Settings::default();
        self.sections
            .retain(|heading, _| !heading.starts_with("interface vlan "));
        for section in self.sections.values_mut() {
            *section = Settings::default();
        }
    }

    /// The communities that SNMP answers to.
    pub(super) fn communities(&self) -> Vec<String> {
        self.settings
            .lines()
            .filter_map(|line| line.strip_prefix("snmp-server community "))
            .filter_map(|rest| {
                let words: Vec<&str> = rest.split_whitespace().collect();
                match words.as_slice() {
                    ["v2c", name, ..] => Some((*name).to_owned()),
                    [_, "ip-range", _, _, secret] => Some((*secret).to_owned()),
                    _ => None,
                }
            })
            .collect()
    }

    /// How many endpoints are configured on a port.
    pub(super) fn endpoints_on(&self, port: u16) -> usize {
        self.endpoints
            .values()
            .filter(|endpoint| matches!(endpoint.port, PortBinding::Port(held) if held.get() == port))
            .count()
    }
}
