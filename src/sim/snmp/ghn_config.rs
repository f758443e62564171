//! The configuration of the G.hn module (E.143.1.2), read only: what the `ghn` lines say.

use async_snmp::Value;

use crate::domain::{Medium, PoeMode, PortBinding, VlanId};
use crate::sim::config::port_of;
use crate::sim::show::ghn::{cdta, port_mac, vdsl_coexistence, vectorboost_enabled};

use super::mib::{Table, View, address, by_id, id, if_index, number, scalar, text, truth, vendor, vlan_quarter};
use super::ports::{self, Kind, next_port};

pub(super) const TABLES: &[Table] = &[
    Table {
        base: vendor!(143, 1, 2, 5),
        columns: &[10, 20, 30, 40],
        next: scalar,
        cell: global,
    },
    Table {
        base: vendor!(143, 1, 2, 10, 1),
        columns: &[10, 30, 40, 50, 60, 71, 72, 80, 90, 100, 110, 120, 130, 140, 150, 10_000],
        next: next_ghn_port,
        cell: port,
    },
    Table {
        base: vendor!(143, 1, 2, 20, 1),
        columns: &[10, 20, 30, 40, 50, 55, 60, 10_000],
        next: |view, after| by_id(&view.state.running.endpoints, after),
        cell: endpoint,
    },
    Table {
        base: vendor!(143, 1, 2, 30, 1),
        columns: &[10, 20, 30, 40, 50, 60, 10_000],
        next: |view, after| by_id(&view.state.running.profiles, after),
        cell: profile,
    },
    Table {
        base: vendor!(143, 1, 2, 40, 1),
        columns: &[
            10, 20, 30, 40, 50, 55, 70, 75, 90, 100, 110, 120, 130, 140, 150, 160, 170, 180, 190, 200, 210, 220, 10_000,
        ],
        next: |view, after| by_id(&view.state.running.subscribers, after),
        cell: subscriber,
    },
    Table {
        base: vendor!(143, 1, 2, 50),
        columns: &[10, 20, 1000, 1010, 1020, 1030, 1040, 1050],
        next: scalar,
        cell: vectorboost,
    },
];

/// Rows by ifIndex, G.hn ports only.
pub(super) fn next_ghn_port(view: &View<'_>, after: &[u32]) -> Option<Vec<u32>> {
    next_port(view, after).filter(|row| ghn_port(view, row).is_some())
}

/// The G.hn port that an index is.
pub(super) fn ghn_port(view: &View<'_>, index: &[u32]) -> Option<u16> {
    match ports::port(view, number(index)?)?.kind {
        Kind::Ghn(id) => Some(id),
        Kind::Uplink(_) | Kind::Management => None,
    }
}

/// The uplink of this number, as a port.
fn uplink(view: &View<'_>, uplink: u16) -> Option<u16> {
    Some(view.state.spec.model.ports + uplink)
}

fn global(view: &View<'_>, column: u32, index: &[u32]) -> Option<Value> {
    (index == [0]).then(|| match column {
        10 => Value::Integer(i32::from(view.state.running.port_aware)),
        20 => if_index(uplink(view, 1)),
        // On by default from 1.6.0 (upgrade procedure).
        30 => truth(view.state.spec.firmware.at_least(1, 6, 0)),
        _ => Value::Integer(0),
    })
}

/// The line mode of a port: coax, MIMO or SISO.
pub(super) fn line_mode(view: &View<'_>, port: u16) -> Value {
    let siso = view.state.running.ports.get(&port).is_some_and(|port| port.siso);
    Value::Integer(match view.state.spec.model.medium {
        Medium::Coax => 0,
        Medium::Copper if siso => 2,
        Medium::Copper => 1,
    })
}

/// The quarter that a column of four is.
fn quarter(column: u32, first: u32) -> u16 {
    u16::try_from((column - first) / 10).unwrap_or_default()
}

fn port(view: &View<'_>, column: u32, index: &[u32]) -> Option<Value> {
    let port = ghn_port(view, index)?;
    Some(match column {
        10 => if_index(Some(port)),
        30 => text(view.state.running.ports.get(&port).map_or("", |port| &port.name)),
        40 => address(port_mac(view.state, port)),
        50 => line_mode(view, port),
        60 => Value::Integer(0),
        // Isolated, as they come from the factory.
        71 => Value::Integer(1),
        72 => Value::Gauge32(1),
        80..=110 => vlan_quarter(quarter(column, 80), |_| false),
        120..=150 => vlan_quarter(quarter(column, 120), |vlan| (3840..=3844).contains(&vlan)),
        _ => Value::Gauge32(0),
    })
}

fn endpoint(view: &View<'_>, column: u32, index: &[u32]) -> Option<Value> {
    let id = id(index)?;
    let endpoint = view.state.running.endpoints.get(&id)?;
    Some(match column {
        10 => Value::Gauge32(u32::from(id)),
        20 => address(endpoint.mac),
        30 => text(&*endpoint.name),
        40 => text(&*endpoint.description),
        50 => if_index(port_of(endpoint)),
        55 => truth(endpoint.port == PortBinding::Auto),
        60 => truth(endpoint.management_access),
        _ => Value::Gauge32(0),
    })
}

fn profile(view: &View<'_>, column: u32, index: &[u32]) -> Option<Value> {
    let id = id(index)?;
    let profile = view.state.running.profiles.get(&id)?;
    Some(match column {
        10 => Value::Gauge32(u32::from(id)),
        20 => Value::Gauge32(view.state.uids.profiles.get(&id).copied().unwrap_or_default()),
        30 => text(&*profile.name),
        40 => text(&*profile.description),
        50 => Value::Gauge32(profile.down),
        60 => Value::Gauge32(profile.up),
        _ => Value::Gauge32(0),
    })
}

fn subscriber(view: &View<'_>, column: u32, index: &[u32]) -> Option<Value> {
    let id = id(index)?;
    let running = &view.state.running;
    let subscriber = running.subscribers.get(&id)?;
    let or_zero = |number: Option<u16>| Value::Gauge32(number.map_or(0, u32::from));
    let endpoint = running.serving(id);
    Some(match column {
        10 => Value::Gauge32(u32::from(id)),
        20 => Value::Gauge32(view.state.uids.subscribers.get(&id).copied().unwrap_or_default()),
        30 => text(&*subscriber.name),
        40 => text(&*subscriber.description),
        50 => or_zero(endpoint),
        55 => {
            let endpoint = endpoint.and_then(|id| running.endpoints.get(&id));
            text(endpoint.map_or("", |endpoint| &endpoint.name))
        }
        70 => or_zero(subscriber.profile),
        75 => {
            let profile = subscriber.profile.and_then(|id| running.profiles.get(&id));
            text(profile.map_or("", |profile| &profile.name))
        }
        90 => Value::Gauge32(u32::from(subscriber.vid)),
        100 => truth(subscriber.tagged),
        110 => or_zero(subscriber.remapped_vid),
        120 => or_zero(subscriber.port2_vid),
        130..=160 => vlan_quarter(quarter(column, 130), |vlan| {
            VlanId::try_from(vlan).is_ok_and(|vlan| subscriber.allowed.contains(vlan))
        }),
        170 => truth(subscriber.trunk),
        180 => if_index(subscriber.port),
        190 => truth(subscriber.outer_vid.is_some()),
        200 => if_index(subscriber.nni.and_then(|nni| uplink(view, nni))),
        210 => or_zero(subscriber.outer_vid),
        220 => Value::Integer(match subscriber.poe {
            PoeMode::Disable => 0,
            PoeMode::Enable => 1,
            PoeMode::Force => 2,
        }),
        _ => Value::Gauge32(0),
    })
}

fn vectorboost(view: &View<'_>, column: u32, index: &[u32]) -> Option<Value> {
    let gauge = |keyword, default| Value::Gauge32(u32::from(cdta(view.state, keyword, default)));
    (index == [0]).then(|| match column {
        10 => truth(vdsl_coexistence(view.state)),
        1000 => truth(vectorboost_enabled(view.state)),
        1010 => gauge("down-up-weight", 50),
        1020 => gauge("min-down-up-rate", 3),
        1030 => gauge("max-down-up-rate", 7),
        1040 => gauge("default-down-up-rate", 5),
        1050 => gauge("perc-metric-change", 5),
        _ => Value::Gauge32(0),
    })
}
