//! What was found, for people.

use std::fmt::Write as _;

use comfy_table::{ContentArrangement, Table, presets};

use crate::plan::count;
use crate::reconcile::discover::{Gam, Place};

use super::{Answer, addresses};

pub(super) fn text(answer: &Answer) -> String {
    let found = &answer.found;
    let mut out = String::new();
    if !found.gams.is_empty() {
        let mut heads = vec!["ADDRESS", "MODEL", "FIRMWARE", "NAME", "MODE", "BASE MAC"];
        heads.extend(answer.places.is_some().then_some("INVENTORY"));
        let rows = found.gams.iter().enumerate().map(|(index, gam)| {
            let place = answer.places.as_ref().and_then(|places| places.get(index));
            row(gam, place)
        });
        out.push_str(&table(&heads, rows));
    }
    if !found.ssh_only.is_empty() {
        let _ = writeln!(
            out,
            "{}{} SSH and not SNMP; a GAM among them has another community, or SNMP switched off:",
            if out.is_empty() { "" } else { "\n" },
            answers(found.ssh_only.len())
        );
        let rows = found.ssh_only.iter();
        out.push_str(&table(
            &["ADDRESS", "SAYS"],
            rows.map(|one| vec![one.address.to_string(), one.software.clone()]),
        ));
    }
    if !out.is_empty() {
        out.push('\n');
    }
    let _ = writeln!(out, "{}", summary(answer));
    for (reason, number) in &found.no_way {
        let _ = writeln!(out, "No way to {} from here: {reason}.", addresses(*number));
    }
    out
}

/// `2 devices answer`, `1 device answers`.
fn answers(number: usize) -> String {
    let s = if number == 1 { "s" } else { "" };
    format!("{} answer{s}", count(number, "device"))
}

fn summary(answer: &Answer) -> String {
    let found = &answer.found;
    let gams = count(found.gams.len(), "GAM");
    let new = answer.places.as_ref().map(|places| {
        let new = places.iter().filter(|place| matches!(place, Place::Unknown));
        new.count()
    });
    let new = match new {
        Some(new) if !found.gams.is_empty() => format!(" ({new} not in the inventory)"),
        _ => String::new(),
    };
    format!(
        "Asked {}: {gams}{new}, {} of another kind, {} silent.",
        addresses(found.asked),
        count(found.others, "device"),
        found.silent
    )
}

fn row(gam: &Gam, place: Option<&Place>) -> Vec<String> {
    let identity = &gam.answered.identity;
    let or_dash = |text: Option<String>| text.filter(|text| !text.is_empty()).unwrap_or_else(|| "-".to_owned());
    let model = match (identity.model, identity.product) {
        (Some(model), _) => Some(model.to_string()),
        (None, Some(product)) => Some(format!("unknown (product {product})")),
        (None, None) => None,
    };
    let mut cells = vec![
        gam.address.to_string(),
        or_dash(model),
        or_dash(identity.firmware.as_ref().map(ToString::to_string)),
        or_dash(identity.sys_name.as_deref().map(printable)),
        or_dash(identity.operating_mode().map(|mode| mode.to_string())),
        or_dash(identity.mac.map(|mac| mac.to_string())),
    ];
    cells.extend(place.map(words));
    cells
}

/// What a device says, with nothing in it that acts on a terminal.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

fn words(place: &Place) -> String {
    match place {
        Place::Known {
            key, elsewhere: None, ..
        } => key.clone(),
        Place::Known {
            key,
            elsewhere: Some(address),
            ..
        } => format!("{key}, there at {address}"),
        Place::Replaced { key, pinned } => format!("address of {key}, which is pinned to {pinned}"),
        Place::Unknown => "no".to_owned(),
    }
}

fn table(heads: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(heads.to_vec());
    table.add_rows(rows);
    let lines = table.lines().map(|line| format!("{}\n", line.trim()));
    lines.collect()
}
