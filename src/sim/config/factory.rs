//! The factory state, as values and as the text of `flash:default-config`.

use std::collections::{BTreeMap, BTreeSet};

use crate::sim::spec::DeviceSpec;

use super::{Config, Profile, Settings, User, has_new_communities, has_port_aware};

impl Config {
    /// The factory state: 192.168.10.1 on VLAN 1, `admin` without a password, `public` and `private`, the
    /// default profile, uplinks that trunk VLANs 3 to 4094 (CLI guide, installation guide, JSON-RPC guide).
    pub(in crate::sim) fn factory(spec: &DeviceSpec) -> Self {
        let mut settings = Settings::default();
        for (name, access) in [("public", "ro"), ("private", "rw")] {
            if has_new_communities(spec) {
                settings.set(
                    &format!("snmp-server community {name}"),
                    format!("snmp-server community {name} ip-range 0.0.0.0 0.0.0.0 {name}"),
                );
            } else {
                settings.set(
                    &format!("snmp-server community v2c {name}"),
                    format!("snmp-server community v2c {name} {access}"),
                );
            }
        }
        let mut sections = BTreeMap::new();
        for uplink in 1..=spec.model.uplinks {
            let mut lines = Settings::default();
            lines.set(
                "switchport trunk allowed vlan",
                "switchport trunk allowed vlan 3-4094".to_owned(),
            );
            lines.set("switchport mode", "switchport mode trunk".to_owned());
            sections.insert(format!("interface 10GigabitEthernet 1/{uplink}"), lines);
        }
        sections.insert("interface GigabitEthernet 1/1".to_owned(), Settings::default());
        let mut management = Settings::default();
        management.set("ip address", "ip address 192.168.10.1 255.255.255.0".to_owned());
        sections.insert("interface vlan 1".to_owned(), management);
        Self {
            hostname: String::new(),
            users: BTreeMap::from([(
                "admin".to_owned(),
                User {
                    privilege: 15,
                    hash: None,
                },
            )]),
            vlans: BTreeSet::from([1]),
            settings,
            sections,
            port_aware: spec.knobs.port_aware && has_port_aware(spec),
            ports: BTreeMap::new(),
            profiles: BTreeMap::from([(
                1,
                Profile {
                    name: "Default BW Profile".to_owned(),
                    description: String::new(),
                    down: 10,
                    up: 10,
                    service_limit_level: None,
                },
            )]),
            endpoints: BTreeMap::new(),
            subscribers: BTreeMap::new(),
            vectorboost: Settings::default(),
            notches: BTreeMap::new(),
        }
    }

    /// The text that a device without startup configuration boots from: what the factory sets, none of what the
    /// device computes. With the host name that the device was told to have from the start.
    pub(in crate::sim) fn default_text(spec: &DeviceSpec) -> String {
        let mut config = Self::factory(spec);
        config.hostname.clone_from(&spec.hostname);
        config.print_set(spec)
    }
}
