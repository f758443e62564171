//! System, firmware and files (E.24, E.28, E.101).

use async_snmp::Value;

use crate::sim::shell::DEFAULT;
use crate::sim::show::{self, BUILT};
use crate::sim::state::File;

use super::mib::{Table, View, address, number, numbered, scalar, text, vendor};

/// Flash of the simulated device, in bytes.
const FLASH: u32 = 16 * 1024 * 1024;

pub(super) const TABLES: &[Table] = &[
    Table {
        base: vendor!(24, 1, 2, 1),
        columns: &[1, 2, 3],
        next: scalar,
        cell: names,
    },
    Table {
        base: vendor!(24, 1, 2, 2),
        columns: &[1, 2],
        next: scalar,
        cell: clock,
    },
    Table {
        base: vendor!(24, 1, 3, 1),
        columns: &[1, 2, 3],
        next: scalar,
        cell: load,
    },
    Table {
        base: vendor!(24, 1, 3, 2, 1),
        columns: &[3, 4],
        next: |_, after| (after < [1, 1].as_slice()).then(|| vec![1, 1]),
        cell: power_supply,
    },
    Table {
        base: vendor!(24, 1, 3, 4),
        columns: &[1],
        next: scalar,
        cell: uptime,
    },
    Table {
        base: vendor!(24, 1, 3, 5),
        columns: &[1, 2, 3, 4, 5, 6, 7, 8, 9],
        next: scalar,
        cell: board,
    },
    Table {
        base: vendor!(24, 1, 3, 7, 1),
        columns: &[2, 3],
        next: |_, after| numbered(1, 3, after),
        cell: temperature,
    },
    Table {
        base: vendor!(24, 1, 3, 8, 1),
        columns: &[2],
        next: |view, after| numbered(1, fans(view), after),
        cell: |view, _, index| {
            let fan = number(index).filter(|fan| (1..=fans(view)).contains(fan))?;
            i32::try_from(7108 + fan * 36).ok().map(Value::Integer)
        },
    },
    Table {
        base: vendor!(28, 1, 3, 1, 1),
        columns: &[2, 3, 4, 5, 6, 7, 8],
        next: |_, after| numbered(0, 2, after),
        cell: image,
    },
    Table {
        base: vendor!(28, 1, 3, 2),
        columns: &[1],
        next: scalar,
        cell: |_, _, index| (index == [0]).then_some(Value::Integer(0)),
    },
    Table {
        base: vendor!(28, 1, 3, 3, 1),
        columns: &[2, 3, 4, 5, 6, 7],
        next: |_, after| numbered(1, 1, after),
        cell: switch,
    },
    Table {
        base: vendor!(101, 1, 3, 1),
        columns: &[1, 2, 3, 4],
        next: scalar,
        cell: file_totals,
    },
    Table {
        base: vendor!(101, 1, 3, 2, 1),
        columns: &[2, 3, 4, 5],
        next: |view, after| numbered(1, 1 + count(view.state.flash.len()), after),
        cell: file,
    },
    Table {
        base: vendor!(101, 1, 3, 3),
        columns: &[1],
        next: scalar,
        cell: |view, _, index| (index == [0]).then(|| Value::Integer(if view.state.copying { 2 } else { 0 })),
    },
];

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn names(view: &View<'_>, column: u32, index: &[u32]) -> Option<Value> {
    let key = match column {
        1 => return (index == [0]).then(|| text(&*view.state.running.hostname)),
        2 => "snmp-server contact",
        _ => "snmp-server location",
    };
    (index == [0]).then(|| text(show::setting(view.state, key)))
}

fn clock(view: &View<'_>, column: u32, index: &[u32]) -> Option<Value> {
    (index == [0]).then(|| match column {
        1 => text(show::date(view.uptime)),
        _ => text("YYYY-MM-DDThh:mm:ss+hh:mm"),
    })
}

fn load(_: &View<'_>, column: u32, index: &[u32]) -> Option<Value> {
    (index == [0]).then_some(Value::Gauge32(if column == 2 { 39 } else { 36 }))
}

fn power_supply(_: &View<'_>, column: u32, index: &[u32]) -> Option<Value> {
    (index == [1, 1]).then(|| match column {
        3 => Value::Integer(0),
        _ => text("Internal power supply"),
    })
}

/// Ten characters are all that fits.
fn uptime(view: &View<'_>, _: u32, index: &[u32]) -> Option<Value> {
    let days = view.uptime.as_secs() / 86_400;
    let clock = show::clock(view.uptime);
    (index == [0]).then(|| text(format!("{days}d {}", &clock[..5])))
}

fn board(view: &View<'_>, column: u32, index: &[u32]) -> Option<Value> {
    let spec = &view.state.spec;
    (index == [0]).then(|| match column {
        1 => address(spec.base_mac()),
        2 => Value::Gauge32(1),
        3 => text(spec.serial()),
        4 => text("Jaguar2-cu8sfp16"),
        5 => text("ASY-2100-11,R07"),
        6 | 7 => Value::Integer(-1),
        8 => text("MX25L25635F"),
        _ => text("VSC8221"),
    })
}

/// Names, and tenths of a degree.
fn temperature(_: &View<'_>, column: u32, index: &[u32]) -> Option<Value> {
    let (name, tenths) = match number(index)? {
        1 => ("CPU", 376),
        2 => ("Intake", 310),
        3 => ("Exhaust", 335),
        _ => return None,
    };
    Some(match column {
        2 => text(name),
        _ => Value::Integer(tenths),
    })
}

/// Outdoor housings have none.
fn fans(view: &View<'_>) -> u32 {
    if view.ghn_count() >= 12 { 2 } else { 0 }
}

/// Bootloader, active image, backup image: what `show version` lists.
fn image(view: &View<'_>, column: u32, index: &[u32]) -> Option<Value> {
    let firmware = &view.state.spec.firmware;
    let (name, version, built, revision) = match number(index)? {
        0 => (
            "RedBoot (bootloader)",
            "version 1_4-18990".to_owned(),
            "13:09:38, Jul 25 2019",
            String::new(),
        ),
        1 => (
            "linux (primary)",
            firmware.to_string(),
            BUILT,
            show::code_revision(view.state).to_string(),
        ),
        2 => (
            "linux.bk (backup)",
            format!("{}_v1.1.0", firmware.family),
            BUILT,
            "20028".to_owned(),
        ),
        _ => return None,
    };
    Some(match column {
        2 => Value::Integer(i32::try_from(number(index)?).ok()?),
        3 => text(name),
        4 => text(version),
        5 => text(built),
        6 => text(revision),
        7 => text("MX25L25635F"),
        _ => text("VSC8221"),
    })
}

fn switch(view: &View<'_>, column: u32, index: &[u32]) -> Option<Value> {
    let firmware = &view.state.spec.firmware;
    (index == [1]).then(|| match column {
        2 => text("VSC7468"),
        3 => text("Jaguar2-cu8sfp16"),
        4 => Value::Gauge32(view.port_count()),
        5 => text(format!("Positron {} Switch", firmware.family)),
        6 => text(firmware.to_string()),
        _ => text(BUILT),
    })
}

fn file_totals(view: &View<'_>, column: u32, index: &[u32]) -> Option<Value> {
    if index != [0] {
        return None;
    }
    let kept: usize = view.state.flash.values().map(|file| file.text.len()).sum();
    let used = count(kept + view.state.default_text().len());
    Some(Value::Gauge32(match column {
        1 => 1 + count(view.state.flash.len()),
        2 => used,
        3 => FLASH,
        _ => FLASH.saturating_sub(used),
    }))
}

/// The files in the order of `dir`: the default configuration first.
fn file(view: &View<'_>, column: u32, index: &[u32]) -> Option<Value> {
    let place = number(index)?.checked_sub(1)?;
    let held: Option<(&String, &File)> = match place.checked_sub(1) {
        None => None,
        Some(place) => Some(view.state.flash.iter().nth(usize::try_from(place).ok()?)?),
    };
    Some(match (column, held) {
        (2, None) => text(DEFAULT),
        (2, Some((name, _))) => text(name),
        (3, None) => Value::Gauge32(count(view.state.default_text().len())),
        (3, Some((_, file))) => Value::Gauge32(count(file.text.len())),
        (4, held) => text(show::date(held.map(|(_, file)| file.written).unwrap_or_default())),
        (_, None) => text("r-"),
        (_, Some(_)) => text("rw"),
    })
}
