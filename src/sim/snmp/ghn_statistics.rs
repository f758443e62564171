//! The counters of the G.hn module (E.143.1.5).

use async_snmp::Value;

use crate::sim::line::Traffic;

use super::ghn_config::{ghn_port, next_ghn_port};
use super::mib::{Table, View, truth, vendor};
use super::subject::{ById, ByMac, Key, find_with_port, next_with_port};

const ETHERNET: &[u32] = &[10, 20, 30, 40, 50, 60];
const GHN: &[u32] = &[10, 20, 30, 40, 1010, 1020, 1030, 1040];

pub(super) const TABLES: &[Table] = &[
    Table {
        base: vendor!(143, 1, 5, 10, 10, 1),
        columns: ETHERNET,
        next: next_ghn_port,
        cell: port,
    },
    Table {
        base: vendor!(143, 1, 5, 20, 10, 1),
        columns: ETHERNET,
        next: next_with_port::<ById>,
        cell: endpoint::<ById>,
    },
    Table {
        base: vendor!(143, 1, 5, 20, 20, 1),
        columns: GHN,
        next: ById::next,
        cell: line::<ById>,
    },
    Table {
        base: vendor!(143, 1, 5, 30, 10, 1),
        columns: ETHERNET,
        next: next_with_port::<ByMac>,
        cell: endpoint::<ByMac>,
    },
    Table {
        base: vendor!(143, 1, 5, 30, 20, 1),
        columns: GHN,
        next: ByMac::next,
        cell: line::<ByMac>,
    },
];

fn ethernet(traffic: Traffic, column: u32) -> Value {
    match column {
        10 => truth(true),
        20 => Value::Counter64(traffic.rx_bytes),
        30 => Value::Counter64(traffic.tx_bytes),
        40 => Value::Counter64(traffic.rx_packets),
        50 => Value::Counter64(traffic.tx_packets),
        _ => Value::Counter64(0),
    }
}

fn port(view: &View<'_>, column: u32, index: &[u32]) -> Option<Value> {
    let port = ghn_port(view, index)?;
    Some(ethernet(view.state.port_traffic(port, view.uptime), column))
}

/// All traffic goes over the first Ethernet port.
fn endpoint<K: Key>(view: &View<'_>, column: u32, index: &[u32]) -> Option<Value> {
    let (subject, port) = find_with_port::<K>(view, index)?;
    match subject.plug.filter(|_| subject.has_ethernet(port)) {
        Some(plug) if port == 1 => Some(ethernet(plug.traffic(view.uptime), column)),
        Some(_) => Some(ethernet(Traffic::default(), column)),
        None if column == 10 => Some(truth(false)),
        None => None,
    }
}

/// Frames are 32 bits wide and no counters: they wrap.
fn line<K: Key>(view: &View<'_>, column: u32, index: &[u32]) -> Option<Value> {
    let traffic = K::find(view, index)?.plug?.traffic(view.uptime);
    let wrapped = |value: u64| u32::try_from(value % (1 << 32)).unwrap_or_default();
    Some(Value::Gauge32(match column {
        10 | 20 => wrapped(traffic.rx_packets),
        1010 | 1020 => wrapped(traffic.tx_packets),
        _ => 0,
    }))
}
