//! Switch ports: the vendor's tables of configuration, status, statistics and VLANs (E.11, E.13).

use async_snmp::Value;

use crate::domain::{MacAddr, VlanSet};
use crate::sim::config::Settings;
use crate::sim::line::Traffic;
use crate::sim::show::ghn::port_mac;

use super::mib::{PORTS, Table, View, least, number, text, truth, vendor, vlan_quarter};

pub(super) const TABLES: &[Table] = &[
    Table {
        base: vendor!(11, 1, 2, 1, 1),
        columns: &[2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
        next: next_port,
        cell: configuration,
    },
    Table {
        base: vendor!(11, 1, 3, 1, 1),
        columns: &[2, 3, 4, 5, 6, 7, 8, 9, 10],
        next: next_port,
        cell: status,
    },
    Table {
        base: vendor!(11, 1, 5, 2, 1),
        columns: &[2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        next: next_port,
        cell: statistics,
    },
    Table {
        base: vendor!(13, 1, 2, 2, 1, 1),
        columns: &[
            2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22,
        ],
        next: next_port,
        cell: vlans,
    },
];

/// What a switch port is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// G.hn, by its number.
    Ghn(u16),
    /// 10G, by its number.
    Uplink(u32),
    /// MGMT.
    Management,
}

/// A switch port.
pub(super) struct SwitchPort {
    pub(super) kind: Kind,
    /// Its place among all ports, from 1.
    place: u32,
}

/// The port of an ifIndex: G.hn ports, then uplinks, then MGMT.
pub(super) fn port(view: &View<'_>, index: u32) -> Option<SwitchPort> {
    let place = index.checked_sub(PORTS)?;
    let ghn = view.ghn_count();
    let kind = match place {
        0 => return None,
        _ if place <= ghn => Kind::Ghn(u16::try_from(place).ok()?),
        _ if place < view.port_count() => Kind::Uplink(place - ghn),
        _ if place == view.port_count() => Kind::Management,
        _ => return None,
    };
    Some(SwitchPort { kind, place })
}

/// Rows by ifIndex.
pub(super) fn next_port(view: &View<'_>, after: &[u32]) -> Option<Vec<u32>> {
    let row = least(after).max(PORTS + 1);
    (row <= PORTS + view.port_count()).then(|| vec![row])
}

impl SwitchPort {
    /// Its name, as JSON-RPC and `show vlan` write it.
    pub(super) fn name(&self) -> String {
        match self.kind {
            Kind::Ghn(id) => format!("G.hn 1/{id}"),
            Kind::Uplink(id) => format!("10G 1/{id}"),
            Kind::Management => "Gi 1/1".to_owned(),
        }
    }

    /// Its section of the configuration; a G.hn port has none that can be written.
    fn section<'v>(&self, view: &'v View<'_>) -> Option<&'v Settings> {
        let heading = match self.kind {
            Kind::Ghn(_) => return None,
            Kind::Uplink(id) => format!("interface 10GigabitEthernet 1/{id}"),
            Kind::Management => "interface GigabitEthernet 1/1".to_owned(),
        };
        view.state.running.sections.get(&heading)
    }

    /// What a line of its section says after these words.
    fn setting<'v>(&self, view: &'v View<'_>, key: &str) -> Option<&'v str> {
        let line = self.section(view)?.get(key)?;
        line.strip_prefix(key).map(str::trim)
    }

    pub(super) fn mac(&self, view: &View<'_>) -> MacAddr {
        port_mac(view.state, u16::try_from(self.place).unwrap_or_default())
    }

    pub(super) const fn mtu(&self) -> u32 {
        match self.kind {
            Kind::Ghn(_) => 2014,
            Kind::Uplink(_) | Kind::Management => 2048,
        }
    }

    pub(super) const fn mbps(&self) -> u32 {
        match self.kind {
            Kind::Ghn(_) => 2_500,
            Kind::Uplink(_) => 10_000,
            Kind::Management => 1_000,
        }
    }

    pub(super) fn is_shut(&self, view: &View<'_>) -> bool {
        match self.kind {
            Kind::Ghn(id) => view.state.running.ports.get(&id).is_some_and(|port| port.shutdown),
            Kind::Uplink(_) | Kind::Management => self.setting(view, "shutdown").is_some(),
        }
    }

    /// A G.hn port is up with an endpoint on it, **shut or not**; of the uplinks the first is connected.
    pub(super) fn is_up(&self, view: &View<'_>) -> bool {
        match self.kind {
            Kind::Ghn(id) => view.state.plugged.values().any(|plug| plug.port == id),
            Kind::Uplink(id) => id == 1 && !self.is_shut(view),
            Kind::Management => !self.is_shut(view),
        }
    }

    pub(super) fn traffic(&self, view: &View<'_>) -> Traffic {
        match self.kind {
            Kind::Ghn(id) => view.state.port_traffic(id, view.uptime),
            Kind::Uplink(1) => Traffic::in_seconds(view.uptime.as_secs()),
            Kind::Uplink(_) | Kind::Management => Traffic::default(),
        }
    }
}

/// The values seen on hardware.
fn configuration(view: &View<'_>, column: u32, index: &[u32]) -> Option<Value> {
    let port = port(view, number(index)?)?;
    let (speed, media, role) = match port.kind {
        Kind::Ghn(_) => (6, 0, 0),
        Kind::Uplink(_) => (8, 1, 3),
        Kind::Management => (5, 0, 1),
    };
    Some(match column {
        2 => truth(port.is_shut(view)),
        3 => Value::Integer(speed),
        5 => Value::Integer(media),
        6 => Value::Integer(0),
        7 => Value::Gauge32(port.mtu()),
        8 | 10 => truth(false),
        11 => Value::Integer(role),
        _ => Value::Gauge32(0),
    })
}

fn status(view: &View<'_>, column: u32, index: &[u32]) -> Option<Value> {
    let port = port(view, number(index)?)?;
    let up = port.is_up(view);
    let fibre = matches!(port.kind, Kind::Uplink(1));
    let speed = match port.kind {
        _ if !up => 0,
        Kind::Ghn(_) => 4,
        Kind::Uplink(_) => 6,
        Kind::Management => 3,
    };
    let module = |value: &str| text(if fibre { value } else { "" });
    Some(match column {
        2 | 3 => truth(up),
        4 => truth(fibre && up),
        5 => Value::Integer(speed),
        6 => Value::Integer(if fibre { 14 } else { 0 }),
        7 => module("OEM"),
        8 => module("SFP-10G-LR"),
        9 => module("A"),
        _ => module("SIM00001"),
    })
}

fn statistics(view: &View<'_>, column: u32, index: &[u32]) -> Option<Value> {
    let traffic = port(view, number(index)?)?.traffic(view);
    Some(Value::Counter64(match column {
        2 => traffic.rx_bytes,
        3 => traffic.rx_packets,
        9 => traffic.tx_bytes,
        10 => traffic.tx_packets,
        _ => 0,
    }))
}

fn vlans(view: &View<'_>, column: u32, index: &[u32]) -> Option<Value> {
    let port = port(view, number(index)?)?;
    let ghn = match port.kind {
        Kind::Ghn(id) => Some(id),
        Kind::Uplink(_) | Kind::Management => None,
    };
    let vlan = |key: &str, default: u32| {
        let set = port.setting(view, key).and_then(|vlan| vlan.parse().ok());
        Value::Gauge32(set.unwrap_or(default))
    };
    let everything = |quarter: u32| vlan_quarter(quarter_of(quarter), |vlan| (1..=4095).contains(&vlan));
    Some(match column {
        2 => Value::Integer(match (ghn, port.setting(view, "switchport mode")) {
            (Some(_), _) | (None, Some("trunk")) => 1,
            (None, Some("hybrid")) => 2,
            (None, _) => 0,
        }),
        3 => vlan("switchport access vlan", 1),
        4 if ghn.is_some() => Value::Gauge32(4095),
        4 => vlan("switchport trunk native vlan", 1),
        5 => truth(port.setting(view, "switchport trunk vlan tag native").is_some()),
        6..=9 => {
            if let Some(id) = ghn {
                let allowed = view.state.running.port_vlans(id);
                return Some(vlan_quarter(quarter_of(column - 6), |vlan| allowed.contains(&vlan)));
            }
            match port.setting(view, "switchport trunk allowed vlan") {
                None | Some("all") => everything(column - 6),
                Some(list) => {
                    let allowed: VlanSet = list.parse().unwrap_or_default();
                    let holds =
                        |vlan: u16| crate::domain::VlanId::try_from(vlan).is_ok_and(|vlan| allowed.contains(vlan));
                    vlan_quarter(quarter_of(column - 6), holds)
                }
            }
        }
        10 => Value::Gauge32(1),
        11 | 13 | 14 => Value::Integer(0),
        12 => truth(true),
        15..=18 => everything(column - 15),
        _ => vlan_quarter(quarter_of(column - 19), |vlan| {
            ghn.is_some() && (3840..=3844).contains(&vlan)
        }),
    })
}

fn quarter_of(number: u32) -> u16 {
    u16::try_from(number).unwrap_or_default()
}
