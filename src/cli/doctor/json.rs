//! Findings as JSON for programs; `docs/care.md` describes the keys.

use serde_json::{Value, json};

use crate::checkup::Level;
use crate::reconcile::Examined;

use super::count_of;

/// Version of the shape: a new major where a key goes away or means something else.
const FORMAT_VERSION: &str = "1.0";

pub(super) fn json(examined: &[Examined]) -> anyhow::Result<String> {
    let devices: Vec<Value> = examined.iter().map(device).collect();
    let value = json!({ "format_version": FORMAT_VERSION, "devices": devices });
    Ok(serde_json::to_string_pretty(&value)? + "\n")
}

/// One device, as it is also in a report.
pub(super) fn device(one: &Examined) -> Value {
    let findings = one.findings.iter().map(|finding| {
        json!({
            "check": finding.check,
            "level": finding.level.word(),
            "says": finding.says,
            "help": finding.help,
        })
    });
    json!({
        "device": one.facts.device,
        "address": one.facts.address,
        "model": one.facts.model,
        "problems": count_of(one, Level::Problem),
        "notes": count_of(one, Level::Note),
        "findings": findings.collect::<Vec<Value>>(),
    })
}
