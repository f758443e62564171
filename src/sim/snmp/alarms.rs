//! Active alarms and their log (E.145).

use std::time::Duration;

use async_snmp::Value;
use sha2::{Digest as _, Sha256};

use crate::sim::alarm::Alarm;

use super::mib::{Table, View, bytes, if_index, least, number, text, truth, vendor};

pub(super) const TABLES: &[Table] = &[
    Table {
        base: vendor!(145, 1, 3, 1, 1),
        columns: &[2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
        next: |view, after| {
            let rows = &view.state.alarms.active;
            rows.range(least(after)..).next().map(|(row, _)| vec![*row])
        },
        cell: active,
    },
    Table {
        base: vendor!(145, 1, 3, 2, 1),
        columns: &[2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14],
        next: |view, after| {
            let mut rows = view.state.alarms.log().map(|(row, _)| row);
            rows.find(|row| *row >= least(after)).map(|row| vec![row])
        },
        cell: logged,
    },
];

/// A moment of a clock that started at 1970, as DateAndTime without a time zone.
fn date_and_time(uptime: Duration) -> Value {
    let seconds = uptime.as_secs();
    let octet = |value: u64| u8::try_from(value).unwrap_or_default();
    let [high, low] = 1970u16.to_be_bytes();
    bytes([
        high,
        low,
        1,
        octet(1 + (seconds / 86_400).min(30)),
        octet(seconds / 3600 % 24),
        octet(seconds / 60 % 60),
        octet(seconds % 60),
        0,
    ])
}

/// Sixteen octets that are always the same for the same condition of the same endpoint.
fn uuid(view: &View<'_>, alarm: &Alarm) -> Value {
    let what = format!("{} {} {}", view.state.spec.name, alarm.endpoint, alarm.condition.word());
    let digest = Sha256::digest(what);
    bytes(&digest[..16])
}

/// Columns 2 to 9, which both tables share.
fn shared(view: &View<'_>, alarm: &Alarm, column: u32) -> Value {
    match column {
        2 => if_index(Some(alarm.port)),
        3 => uuid(view, alarm),
        4 => text(alarm.entity()),
        5 => Value::Integer(alarm.condition as i32),
        6 => text(""),
        8 => Value::Integer(0),
        _ => Value::Gauge32(0),
    }
}

/// Minor or major.
const fn severity(alarm: &Alarm) -> Value {
    Value::Integer(if alarm.service_affecting { 3 } else { 2 })
}

fn active(view: &View<'_>, column: u32, index: &[u32]) -> Option<Value> {
    let alarm = view.state.alarms.active.get(&number(index)?)?;
    Some(match column {
        10 => severity(alarm),
        11 => truth(alarm.service_affecting),
        12 => date_and_time(alarm.since),
        _ => shared(view, alarm, column),
    })
}

fn logged(view: &View<'_>, column: u32, index: &[u32]) -> Option<Value> {
    let logged = view.state.alarms.logged(number(index)?)?;
    Some(match column {
        10 => Value::Integer(logged.event as i32),
        11 => severity(&logged.alarm),
        12 => truth(logged.alarm.service_affecting),
        13 => date_and_time(logged.alarm.since),
        14 => date_and_time(logged.at),
        _ => shared(view, &logged.alarm, column),
    })
}
