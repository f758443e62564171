//! The status of the G.hn module (E.143.1.3): ports and endpoints, with holes where an endpoint is absent.

use async_snmp::Value;

use crate::domain::{Medium, PoeMode, PortBinding};
use crate::sim::config::port_of;
use crate::sim::line::Line;
use crate::sim::show::code_revision;
use crate::sim::show::ghn::{port_mac, serial, uptime_text};

use super::ghn_config::{ghn_port, line_mode, next_ghn_port};
use super::mib::{Table, View, address, if_index, scalar, text, truth, vendor};
use super::subject::{ById, ByMac, Key, find_with_port, next_with_port};

const BRIEF: &[u32] = &[10, 20, 25, 30, 35, 40, 50, 55, 60, 70, 75, 80, 90, 100, 110, 120];
const DETAILED: &[u32] = &[
    10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 105, 110, 120, 130, 140, 150, 160, 170, 180,
];
const LINK: &[u32] = &[10, 20, 30, 40];
const UPGRADE: &[u32] = &[10, 20, 30];
const POE: &[u32] = &[10, 15, 20, 30, 40, 50, 60];

pub(super) const TABLES: &[Table] = &[
    Table {
        base: vendor!(143, 1, 3, 10, 10, 1),
        columns: &[10, 20, 30, 40, 50, 60, 70],
        next: next_ghn_port,
        cell: port_brief,
    },
    Table {
        base: vendor!(143, 1, 3, 10, 20, 1),
        columns: DETAILED,
        next: next_ghn_port,
        cell: port_detailed,
    },
    Table {
        base: vendor!(143, 1, 3, 20, 10, 1),
        columns: BRIEF,
        next: ById::next,
        cell: brief::<ById>,
    },
    Table {
        base: vendor!(143, 1, 3, 20, 20, 1),
        columns: DETAILED,
        next: ById::next,
        cell: detailed::<ById>,
    },
    Table {
        base: vendor!(143, 1, 3, 20, 30, 1),
        columns: LINK,
        next: next_with_port::<ById>,
        cell: link::<ById>,
    },
    Table {
        base: vendor!(143, 1, 3, 20, 40, 1),
        columns: UPGRADE,
        next: ById::next,
        cell: upgrade::<ById>,
    },
    Table {
        base: vendor!(143, 1, 3, 20, 50, 1),
        columns: POE,
        next: ById::next,
        cell: poe::<ById>,
    },
    Table {
        base: vendor!(143, 1, 3, 30, 10, 1),
        columns: BRIEF,
        next: ByMac::next,
        cell: brief::<ByMac>,
    },
    Table {
        base: vendor!(143, 1, 3, 30, 20, 1),
        columns: DETAILED,
        next: ByMac::next,
        cell: detailed::<ByMac>,
    },
    Table {
        base: vendor!(143, 1, 3, 30, 30, 1),
        columns: LINK,
        next: next_with_port::<ByMac>,
        cell: link::<ByMac>,
    },
    Table {
        base: vendor!(143, 1, 3, 30, 40, 1),
        columns: UPGRADE,
        next: ByMac::next,
        cell: upgrade::<ByMac>,
    },
    Table {
        base: vendor!(143, 1, 3, 30, 50, 1),
        columns: POE,
        next: ByMac::next,
        cell: poe::<ByMac>,
    },
    Table {
        base: vendor!(143, 1, 3, 40),
        columns: &[10],
        next: scalar,
        cell: vectorboost_state,
    },
];

/// VectorBoost is for copper.
fn vectorboost_state(view: &View<'_>, _: u32, index: &[u32]) -> Option<Value> {
    (index == [0]).then(|| {
        Value::Integer(match view.state.spec.model.medium {
            Medium::Copper => 2,
            Medium::Coax => 0,
        })
    })
}

fn port_brief(view: &View<'_>, column: u32, index: &[u32]) -> Option<Value> {
    let port = ghn_port(view, index)?;
    let state = view.state;
    let outage = |affecting: bool| {
        let mut alarms = state.alarms.active.values();
        alarms.any(|alarm| alarm.port == port && alarm.service_affecting == affecting)
    };
    Some(match column {
        10 => if_index(Some(port)),
        20 => truth(!state.running.ports.get(&port).is_some_and(|port| port.shutdown)),
        30 => address(port_mac(state, port)),
        40 => {
            let seen = state.plugged.iter().filter(|(_, plug)| plug.port == port);
            let macs: Vec<String> = seen.map(|(mac, _)| mac.to_string()).collect();
            // 16 addresses fit the column with one separator between; which one is assumed.
            text(macs.join(","))
        }
        50 => truth(outage(false)),
        60 => truth(outage(true)),
        _ => truth(state.spec.model.name.contains("RX")),
    })
}

/// The rows that tell of a line. `None` is no line.
fn line_cell(line: Option<&Line>, column: u32) -> Option<Value> {
    let rate = |pick: fn(&Line) -> u32| Some(Value::Gauge32(line.map_or(0, pick)));
    let metres = line.and_then(|line| line.metres);
    // Columns of copper only are holes on coax.
    let copper = |pick: fn(&Line) -> u32| {
        line.filter(|line| line.metres.is_some())
            .map(|line| Value::Gauge32(pick(line)))
    };
    match column {
        80 => rate(|line| line.down_allocated),
        100 => metres.map(Value::Gauge32),
        105 => metres.map(|metres| Value::Gauge32(metres * 3281 / 1000)),
        110 => rate(|line| line.down_phy),
        120 => rate(|line| line.up_phy),
        130 | 140 => copper(|_| 1),
        150 => rate(|line| line.down_most),
        160 => rate(|line| line.up_most),
        170 => copper(|line| line.down_used),
        180 => copper(|line| line.up_used),
        _ => None,
    }
}

fn port_detailed(view: &View<'_>, column: u32, index: &[u32]) -> Option<Value> {
    let port = ghn_port(view, index)?;
    let state = view.state;
    let medium = state.spec.model.medium;
    let name = match medium {
        Medium::Coax => "GAM_PORT_C",
        Medium::Copper => "GAM_PORT_M",
    };
    let mut seen = state.plugged.iter().filter(|(_, plug)| plug.port == port);
    let line = seen.next().map(|(mac, _)| Line::of(*mac, medium));
    Some(match column {
        10 => address(port_mac(state, port)),
        20 => truth(true),
        30 | 40 => text(name),
        50 => text(state.spec.serial()),
        60 => text(uptime_text(view.uptime)),
        70 => text(format!("{name} SPIRIT.v7_10_r713+7_positron_{}", code_revision(state))),
        90 => line_mode(view, port),
        _ => return line_cell(line.as_ref(), column),
    })
}

fn brief<K: Key>(view: &View<'_>, column: u32, index: &[u32]) -> Option<Value> {
    let subject = K::find(view, index)?;
    let subscriber = subject.subscriber(view);
    let running = &view.state.running;
    let number = |number: Option<u16>| Some(Value::Gauge32(number.map_or(0, u32::from)));
    let uid = |uid: Option<&u32>| Some(Value::Gauge32(uid.copied().unwrap_or_default()));
    // An endpoint that nobody serves is limited by the default profile (JSON-RPC guide).
    let profile = match subscriber {
        Some((_, subscriber)) => subscriber.profile,
        None => Some(1),
    };
    match column {
        10 => Some(address(subject.mac)),
        20 => number(subject.configured.map(|(id, _)| id)),
        25 => Some(text(subject.configured.map_or("", |(_, endpoint)| &endpoint.name))),
        30 => Some(if_index(subject.configured.and_then(|(_, endpoint)| port_of(endpoint)))),
        35 => Some(truth(
            subject
                .configured
                .is_some_and(|(_, endpoint)| endpoint.port == PortBinding::Auto),
        )),
        40 => Some(if_index(subject.plug.map(|plug| plug.port))),
        50 => number(subscriber.map(|(id, _)| id)),
        55 => Some(text(subscriber.map_or("", |(_, subscriber)| &subscriber.name))),
        60 => uid(subscriber.and_then(|(id, _)| view.state.uids.subscribers.get(&id))),
        70 => number(profile),
        75 => {
            let profile = profile.and_then(|id| running.profiles.get(&id));
            Some(text(profile.map_or("", |profile| &profile.name)))
        }
        80 => uid(profile.and_then(|id| view.state.uids.profiles.get(&id))),
        90 => Some(Value::Integer(subject.presence(view) as i32)),
        // Only while it is detected.
        100 => subject.plug.map(|plug| Value::Integer(i32::from(plug.model.number()))),
        110 => subject.plug.map(|plug| text(plug.model.name())),
        _ => subject.plug.map(|_| truth(false)),
    }
}

fn detailed<K: Key>(view: &View<'_>, column: u32, index: &[u32]) -> Option<Value> {
    let subject = K::find(view, index)?;
    match (column, subject.plug) {
        (10, _) => return Some(address(subject.mac)),
        (20, plug) => return Some(truth(plug.is_some())),
        _ => {}
    }
    // The rest is not returned of what is not detected.
    let plug = subject.plug?;
    let line = Line::of(subject.mac, view.state.spec.model.medium);
    match column {
        30 | 40 => Some(text(plug.model.name())),
        50 => Some(text(serial(subject.mac))),
        60 => Some(text(uptime_text(view.uptime.saturating_sub(plug.since)))),
        70 => Some(text(plug.model.firmware(code_revision(view.state)))),
        90 => Some(line_mode(view, plug.port)),
        _ => line_cell(Some(&line), column),
    }
}

fn link<K: Key>(view: &View<'_>, column: u32, index: &[u32]) -> Option<Value> {
    let (subject, port) = find_with_port::<K>(view, index)?;
    let valid = subject.has_ethernet(port);
    if column == 10 {
        return Some(truth(valid));
    }
    // The customer's device is on the first port.
    let up = port == 1;
    valid.then(|| match column {
        40 => Value::Integer(if up { 3 } else { 0 }),
        _ => truth(up),
    })
}

fn upgrade<K: Key>(view: &View<'_>, column: u32, index: &[u32]) -> Option<Value> {
    K::find(view, index)?.plug.map(|_| match column {
        10 => text("Idle"),
        _ => Value::Integer(0),
    })
}

fn poe<K: Key>(view: &View<'_>, column: u32, index: &[u32]) -> Option<Value> {
    let subject = K::find(view, index)?;
    let capable = subject.plug?.model.has_poe();
    let wish = subject.subscriber(view).map(|(_, subscriber)| subscriber.poe);
    let on = capable && !matches!(wish, None | Some(PoeMode::Disable));
    // 2 is "not applicable".
    let class = |value: i32| Value::Integer(if capable { value } else { 2 });
    Some(match column {
        10 => Value::Gauge32(u32::from(capable)),
        15 => truth(on),
        20 => class(i32::from(wish == Some(PoeMode::Force))),
        30 => truth(false),
        40 => class(1),
        50 => class(0),
        _ => class(i32::from(on)),
    })
}
