//! Plans in files: written for their owner alone, read back, and refused with what moved.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context as _;

use crate::plan::count;
use crate::plan::file as plan_file;
use crate::plan::json::{PlanJson, plan_json};
use crate::plan::model::Plan;
use crate::reconcile::Again;

use super::{file, say};

/// Most lines of a device's configuration that are shown to tell what moved.
const LINES: usize = 20;

/// Writes a plan to a file that only its owner may read: it says a good deal of a network. An older file of that name
/// is replaced, as a whole or not at all.
pub(super) fn write(path: &Path, plan: &Plan) -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(&plan_json(plan))?;
    file::replace(path, format!("{text}\n").as_bytes())
        .with_context(|| format!("writing the plan to {}", path.display()))
}

/// Reads a plan. What is wrong with the file is said; `None` then.
pub(super) fn read(path: &Path) -> anyhow::Result<Option<PlanJson>> {
    let text = std::fs::read(path).with_context(|| format!("reading the plan {}", path.display()))?;
    match plan_file::read(&String::from_utf8_lossy(&text)) {
        Ok(plan) => Ok(Some(plan)),
        Err(unusable) => {
            let reason = crate::reconcile::chain(&unusable);
            say(&format!(
                "error: the plan {} cannot be applied: {reason}\n  help: {}",
                path.display(),
                unusable.help()
            ));
            Ok(None)
        }
    }
}

/// Says what else there is to know of a plan that was made again.
pub(super) fn say_what_else(again: &Again) {
    for (device, moved) in &again.elsewhere {
        let reasons: Vec<String> = moved.iter().map(ToString::to_string).collect();
        say(&format!(
            "note: the plan does nothing on {device}, which is left out: {}",
            reasons.join("; ").trim_end_matches(':')
        ));
    }
    for device in &again.newcomers {
        say(&format!(
            "note: {device} came into the inventory after the plan was made and is left out"
        ));
    }
}

/// Why nothing of a plan is applied: what moved, device by device.
pub(super) fn moved_text(again: &Again) -> String {
    let moved = &again.moved;
    let mut out = String::new();
    let _ = writeln!(
        out,
        "The plan no longer fits: {} moved after it was made. Nothing was sent to any device.\n",
        count(moved.len(), "device")
    );
    for (device, reasons) in moved {
        for reason in reasons {
            let _ = writeln!(out, "  {device}  MOVED: {reason}");
            for line in reason.lines().iter().take(LINES) {
                let _ = writeln!(out, "      {line}");
            }
            if reason.lines().len() > LINES {
                let more = count(reason.lines().len() - LINES, "line");
                let _ = writeln!(out, "      ... and {more} more");
            }
        }
    }
    let fit: Vec<&str> = (again.planned.plan.devices.iter())
        .filter(|device| device.is_actionable() && !moved.contains_key(&device.device))
        .map(|device| device.device.as_str())
        .collect();
    out.push_str("\n  help: plan again");
    if let Some(first) = fit.first() {
        let _ = write!(
            out,
            "; or apply it where it still fits ({}), with `--target {first}` and so on",
            fit.join(", ")
        );
    }
    out.push('\n');
    out
}
