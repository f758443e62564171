//! The standard groups: system, interfaces, bridge.

use async_snmp::{Oid, Value};

use crate::domain::MacAddr;
use crate::sim::config::presence;
use crate::sim::endpoint::Presence;
use crate::sim::show::{self, ghn::port_mac};

use super::mib::{PORTS, Table, View, address, arcs, counter32, mac, number, numbered, scalar, text};
use super::ports::{self, Kind};

macro_rules! mib2 {
    ($($arc:literal),* $(,)?) => { &[1, 3, 6, 1, 2, 1, $($arc),*] };
}

pub(super) const TABLES: &[Table] = &[
    Table {
        base: mib2!(1),
        columns: &[1, 2, 3, 4, 5, 6, 7],
        next: scalar,
        cell: system,
    },
    Table {
        base: mib2!(2),
        columns: &[1],
        next: scalar,
        cell: interface_count,
    },
    Table {
        base: mib2!(2, 2, 1),
        columns: &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 16, 17, 19, 20],
        next: next_interface,
        cell: interface,
    },
    Table {
        base: mib2!(17, 1),
        columns: &[1, 2, 3],
        next: scalar,
        cell: bridge,
    },
    Table {
        base: mib2!(17, 1, 4, 1),
        columns: &[1, 2],
        next: |view, after| numbered(1, view.port_count(), after),
        cell: bridge_port,
    },
    Table {
        base: mib2!(17, 4),
        columns: &[2],
        next: scalar,
        cell: |_, _, index| (index == [0]).then_some(Value::Integer(300)),
    },
    Table {
        base: mib2!(17, 4, 3, 1),
        columns: &[1, 2, 3],
        next: next_address,
        cell: learned,
    },
    Table {
        base: mib2!(17, 7, 1, 2, 2, 1),
        columns: &[2, 3],
        next: next_address_of_vlan,
        cell: learned_on_vlan,
    },
    Table {
        base: mib2!(31, 1, 1, 1),
        columns: &[1, 6, 7, 10, 11, 14, 15, 18],
        next: next_interface,
        cell: more_of_interface,
    },
];

fn system(view: &View<'_>, column: u32, index: &[u32]) -> Option<Value> {
    if index != [0] {
        return None;
    }
    let state = view.state;
    let product = state.spec.model.product_ids.first().copied().unwrap_or_default();
    let ticks = u32::try_from(view.uptime.as_millis() / 10 % (1 << 32)).unwrap_or_default();
    Some(match column {
        1 => text(show::system_description(state)),
        2 => Value::ObjectIdentifier(Oid::from_slice(&[1, 3, 6, 1, 4, 1, 20095, 2000, 1, product])),
        3 => Value::TimeTicks(ticks),
        4 => text(show::setting(state, "snmp-server contact")),
        5 => text(&*state.running.hostname),
        6 => text(show::setting(state, "snmp-server location")),
        // A bridge.
        _ => Value::Integer(2),
    })
}

/// One row for every VLAN id and port.
fn interface_count(view: &View<'_>, _: u32, index: &[u32]) -> Option<Value> {
    (index == [0]).then(|| Value::Integer(i32::try_from(4095 + view.port_count()).unwrap_or_default()))
}

/// VLAN ids first, then ports, as on hardware.
fn next_interface(view: &View<'_>, after: &[u32]) -> Option<Vec<u32>> {
    numbered(1, 4095, after).or_else(|| ports::next_port(view, after))
}

fn interface(view: &View<'_>, column: u32, index: &[u32]) -> Option<Value> {
    let row = number(index)?;
    let integer = |number: u32| Value::Integer(i32::try_from(number).unwrap_or(i32::MAX));
    if (1..=4095).contains(&row) {
        let made = u16::try_from(row).is_ok_and(|vlan| view.state.running.vlans.contains(&vlan));
        return Some(match column {
            1 => integer(row),
            2 => text(format!("VLAN {row}")),
            3 => Value::Integer(135),
            4 => Value::Integer(1500),
            5 => Value::Gauge32(0),
            6 => address(view.state.spec.base_mac()),
            7 => Value::Integer(1),
            8 => Value::Integer(if made { 1 } else { 2 }),
            9 => Value::TimeTicks(0),
            _ => Value::Counter32(0),
        });
    }
    let port = ports::port(view, row)?;
    let traffic = port.traffic(view);
    let up_or_down = |up: bool| Value::Integer(if up { 1 } else { 2 });
    Some(match column {
        1 => integer(row),
        2 => text(port.name()),
        3 => Value::Integer(6),
        4 => integer(port.mtu()),
        5 => Value::Gauge32(port.mbps().saturating_mul(1_000_000)),
        6 => address(port.mac(view)),
        7 => up_or_down(!port.is_shut(view)),
        8 => up_or_down(port.is_up(view)),
        9 => Value::TimeTicks(0),
        10 => counter32(traffic.rx_bytes),
        11 => counter32(traffic.rx_packets),
        16 => counter32(traffic.tx_bytes),
        17 => counter32(traffic.tx_packets),
        _ => Value::Counter32(0),
    })
}

fn more_of_interface(view: &View<'_>, column: u32, index: &[u32]) -> Option<Value> {
    let row = number(index)?;
    if (1..=4095).contains(&row) {
        return Some(match column {
            1 => text(format!("VLAN {row}")),
            14 => Value::Integer(2),
            15 => Value::Gauge32(0),
            18 => text(""),
            _ => Value::Counter64(0),
        });
    }
    let port = ports::port(view, row)?;
    let traffic = port.traffic(view);
    Some(match column {
        1 => text(port.name()),
        6 => Value::Counter64(traffic.rx_bytes),
        7 => Value::Counter64(traffic.rx_packets),
        10 => Value::Counter64(traffic.tx_bytes),
        11 => Value::Counter64(traffic.tx_packets),
        14 => Value::Integer(1),
        15 => Value::Gauge32(port.mbps()),
        _ => match port.kind {
            Kind::Ghn(id) => text(view.state.running.ports.get(&id).map_or("", |port| &port.name)),
            Kind::Uplink(_) | Kind::Management => text(""),
        },
    })
}

fn bridge(view: &View<'_>, column: u32, index: &[u32]) -> Option<Value> {
    if index != [0] {
        return None;
    }
    Some(match column {
        1 => address(view.state.spec.base_mac()),
        2 => Value::Integer(i32::try_from(view.port_count()).unwrap_or_default()),
        // Transparent only.
        _ => Value::Integer(2),
    })
}

fn bridge_port(view: &View<'_>, column: u32, index: &[u32]) -> Option<Value> {
    let port = number(index).filter(|port| (1..=view.port_count()).contains(port))?;
    let base = if column == 2 { PORTS } else { 0 };
    i32::try_from(base + port).ok().map(Value::Integer)
}

/// An address that the bridge has learned.
struct Learned {
    mac: MacAddr,
    /// Bridge port.
    port: u32,
    vlan: u32,
}

/// What the bridge has learned: its own G.hn ports, a device behind every endpoint in service, a gateway at
/// the uplink; never an endpoint's own address. So it was on hardware.
fn table<'v>(view: &'v View<'_>) -> impl Iterator<Item = Learned> + 'v {
    let running = &view.state.running;
    let own = (1..=view.state.spec.model.ports).map(|port| Learned {
        mac: port_mac(view.state, port),
        port: u32::from(port),
        vlan: 2,
    });
    let customers = running.subscribers.iter().filter_map(|(id, subscriber)| {
        let endpoint = running.endpoints.get(&running.serving(*id)?)?;
        let plug = view.state.plugged.get(&endpoint.mac)?;
        let [_, _, _, a, b, c] = endpoint.mac.octets();
        (presence(endpoint, &view.state.plugged) == Presence::Ok).then(|| Learned {
            // Locally administered, so nobody's.
            mac: MacAddr::new([0x02, 0x47, 0x41, a, b, c]),
            port: u32::from(plug.port),
            vlan: u32::from(subscriber.vid),
        })
    });
    let gateway = Learned {
        mac: MacAddr::new([0x02, 0x00, 0x5e, 0x00, 0x00, 0x01]),
        port: view.ghn_count() + 1,
        vlan: 1,
    };
    own.chain(customers).chain(std::iter::once(gateway))
}

fn next_address(view: &View<'_>, after: &[u32]) -> Option<Vec<u32>> {
    table(view)
        .map(|held| arcs(held.mac))
        .filter(|held| held.as_slice() > after)
        .min()
        .map(|held| held.to_vec())
}

fn learned(view: &View<'_>, column: u32, index: &[u32]) -> Option<Value> {
    let mac = mac(index)?;
    let held = table(view).find(|held| held.mac == mac)?;
    Some(match column {
        1 => address(mac),
        _ => learned_cell(&held, column),
    })
}

fn learned_cell(held: &Learned, column: u32) -> Value {
    match column {
        2 => Value::Integer(i32::try_from(held.port).unwrap_or_default()),
        // Learned, the device's own included.
        _ => Value::Integer(3),
    }
}

fn next_address_of_vlan(view: &View<'_>, after: &[u32]) -> Option<Vec<u32>> {
    let (vlan, address) = after.split_first().map_or((0, after), |(vlan, rest)| (*vlan, rest));
    let key = |held: &Learned| (held.vlan, arcs(held.mac));
    let behind = |held: &(u32, [u32; 6])| held.0 > vlan || held.0 == vlan && held.1.as_slice() > address;
    // Behind nothing comes everything: there is no VLAN 0.
    table(view)
        .map(|held| key(&held))
        .filter(behind)
        .min()
        .map(|(vlan, address)| [&[vlan], address.as_slice()].concat())
}

fn learned_on_vlan(view: &View<'_>, column: u32, index: &[u32]) -> Option<Value> {
    let (vlan, index) = index.split_first()?;
    let mac = mac(index)?;
    let held = table(view).find(|held| held.mac == mac && held.vlan == *vlan)?;
    Some(learned_cell(&held, column))
}
