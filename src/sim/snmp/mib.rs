//! Reading and walking tables that are never built: each tells its rows one after the other and its cells one by
//! one, so that a request costs what it reads, not what the device holds.

use std::time::Duration;

use async_snmp::handler::{GetNextResult, GetResult};
use async_snmp::{Oid, Value, VarBind};

use crate::domain::MacAddr;
use crate::sim::knobs::GhnSubtree;
use crate::sim::state::State;

use super::{alarms, ghn_config, ghn_statistics, ghn_status, ports, standard, system};

/// The vendor's management subtree, and arcs below it.
macro_rules! vendor {
    ($($arc:literal),* $(,)?) => { &[1, 3, 6, 1, 4, 1, 20095, 2001, $($arc),*] };
}
pub(super) use vendor;

/// The G.hn module.
const GHN: &[u32] = vendor!(143);

/// The first ifIndex of the ports, less one.
pub(super) const PORTS: u32 = 1_000_000;

/// A device at a moment.
pub(super) struct View<'a> {
    pub(super) state: &'a State,
    pub(super) uptime: Duration,
}

/// A table, or a group of scalars: that is a table of one row, `0`.
pub(super) struct Table {
    /// The arcs before the column.
    pub(super) base: &'static [u32],
    /// The columns that can be read, ascending.
    pub(super) columns: &'static [u32],
    /// The index of the first row behind this one; of the first row behind nothing.
    pub(super) next: fn(&View<'_>, &[u32]) -> Option<Vec<u32>>,
    /// What a cell holds. `None`: no such row, or a hole in it.
    pub(super) cell: fn(&View<'_>, u32, &[u32]) -> Option<Value>,
}

/// All tables, ascending.
fn tables(view: &View<'_>) -> impl Iterator<Item = &'static Table> {
    let absent = view.state.spec.knobs.ghn_subtree == GhnSubtree::Absent;
    [
        standard::TABLES,
        ports::TABLES,
        system::TABLES,
        ghn_config::TABLES,
        ghn_status::TABLES,
        ghn_statistics::TABLES,
        alarms::TABLES,
    ]
    .into_iter()
    .flatten()
    .filter(move |table| !(absent && table.base.starts_with(GHN)))
}

impl View<'_> {
    /// Reads one object.
    pub(super) fn get(&self, oid: &[u32]) -> GetResult {
        for table in tables(self) {
            if let Some((column, index)) = oid.strip_prefix(table.base).and_then(<[u32]>::split_first)
                && table.columns.contains(column)
            {
                return match (table.cell)(self, *column, index) {
                    Some(value) => GetResult::Value(value),
                    None => GetResult::NoSuchInstance,
                };
            }
        }
        GetResult::NoSuchObject
    }

    /// The first object behind this one.
    pub(super) fn get_next(&self, oid: &[u32]) -> GetNextResult {
        for table in tables(self) {
            let (column, index) = match oid.strip_prefix(table.base) {
                Some([column, index @ ..]) => (*column, index),
                Some([]) => (0, [].as_slice()),
                None if oid < table.base => (0, [].as_slice()),
                None => continue,
            };
            if let Some((arcs, value)) = self.next_in(table, column, index) {
                return GetNextResult::Value(VarBind::new(Oid::from_slice(&arcs), value));
            }
        }
        GetNextResult::EndOfMibView
    }

    fn next_in(&self, table: &Table, column: u32, index: &[u32]) -> Option<(Vec<u32>, Value)> {
        for candidate in table.columns.iter().filter(|held| **held >= column) {
            let mut row = if *candidate == column {
                index.to_vec()
            } else {
                Vec::new()
            };
            while let Some(next) = (table.next)(self, &row) {
                if let Some(value) = (table.cell)(self, *candidate, &next) {
                    let arcs = [table.base, &[*candidate], &next].concat();
                    return Some((arcs, value));
                }
                row = next;
            }
        }
        None
    }

    /// How many switch ports there are: G.hn, uplinks, MGMT.
    pub(super) fn port_count(&self) -> u32 {
        u32::from(self.state.spec.model.ports + self.state.spec.model.uplinks + 1)
    }

    /// How many of them are G.hn.
    pub(super) fn ghn_count(&self) -> u32 {
        u32::from(self.state.spec.model.ports)
    }
}

/// The only row of a group of scalars.
pub(super) fn scalar(_: &View<'_>, after: &[u32]) -> Option<Vec<u32>> {
    after.is_empty().then(|| vec![0])
}

/// The least number that a one-number index behind `after` can have.
pub(super) fn least(after: &[u32]) -> u32 {
    after.first().map_or(0, |first| first.saturating_add(1))
}

/// Rows `first..=last`.
pub(super) fn numbered(first: u32, last: u32, after: &[u32]) -> Option<Vec<u32>> {
    let row = least(after).max(first);
    (row <= last).then(|| vec![row])
}

/// Rows with the ids of something.
pub(super) fn by_id<T>(held: &std::collections::BTreeMap<u16, T>, after: &[u32]) -> Option<Vec<u32>> {
    let least = u16::try_from(least(after)).ok()?;
    held.range(least..).next().map(|(id, _)| vec![u32::from(*id)])
}

/// The number that a one-number index is.
pub(super) fn number(index: &[u32]) -> Option<u32> {
    match index {
        [number] => Some(*number),
        _ => None,
    }
}

/// The id that a one-number index is.
pub(super) fn id(index: &[u32]) -> Option<u16> {
    number(index).and_then(|number| u16::try_from(number).ok())
}

/// A MAC address as six arcs, without length.
pub(super) fn arcs(mac: MacAddr) -> [u32; 6] {
    mac.octets().map(u32::from)
}

/// The MAC address that six arcs are.
pub(super) fn mac(index: &[u32]) -> Option<MacAddr> {
    let mut octets = [0; 6];
    if index.len() != 6 {
        return None;
    }
    for (octet, arc) in octets.iter_mut().zip(index) {
        *octet = u8::try_from(*arc).ok()?;
    }
    Some(MacAddr::new(octets))
}

/// An OCTET STRING of text.
pub(super) fn text(text: impl Into<String>) -> Value {
    Value::OctetString(text.into().into_bytes().into())
}

/// An OCTET STRING of bytes.
pub(super) fn bytes(bytes: impl Into<Vec<u8>>) -> Value {
    Value::OctetString(bytes.into().into())
}

/// A MAC address as a value.
pub(super) fn address(mac: MacAddr) -> Value {
    bytes(mac.octets())
}

/// TruthValue: 1 true, 2 false.
pub(super) const fn truth(yes: bool) -> Value {
    Value::Integer(if yes { 1 } else { 2 })
}

/// The ifIndex of a port, 0 for none.
pub(super) fn if_index(port: Option<u16>) -> Value {
    let index = port.map_or(0, |port| PORTS + u32::from(port));
    Value::Integer(i32::try_from(index).unwrap_or_default())
}

/// The low half of a 64-bit counter.
pub(super) fn counter32(value: u64) -> Value {
    Value::Counter32(u32::try_from(value & u64::from(u32::MAX)).unwrap_or_default())
}

/// A quarter of a VLAN bitmap: 1024 VLANs from `quarter * 1024`, least significant bit first.
pub(super) fn vlan_quarter(quarter: u16, holds: impl Fn(u16) -> bool) -> Value {
    let mut octets = vec![0u8; 128];
    for (octet, first) in octets.iter_mut().zip((quarter * 1024..).step_by(8)) {
        for bit in 0..8 {
            *octet |= u8::from(holds(first + bit)) << bit;
        }
    }
    bytes(octets)
}
