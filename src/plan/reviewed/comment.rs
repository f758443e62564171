//! What is said on the change request whose devices are held back.

use std::fmt::Write as _;

use super::super::preview::marker_of;
use super::super::preview::words::{code, codes};
use super::{Ledger, Size, Source, help};

/// The most devices that are named.
const NAMED: usize = 200;

/// The line that the comment is found by; one for each inventory of a repository.
#[must_use]
pub fn held_marker(inventory: &str) -> String {
    marker_of("held", inventory)
}

/// Says which devices are held back and why. `commit` is what is in force. `None` where none is.
#[must_use]
pub fn held_markdown(inventory: &str, commit: &str, ledger: &Ledger) -> Option<String> {
    let held: Vec<(&str, Size)> = ledger.held().collect();
    let (first, size) = held.first()?;
    let mut out = format!(
        "{}\n### Not applied: the plan is bigger than the one that was reviewed\n\n",
        held_marker(inventory)
    );
    let _ = writeln!(
        out,
        "With {} in force more would happen on these devices than was shown here. Nothing was sent to them.\n",
        code(commit, false)
    );
    out.push_str("| Device | Reviewed | Now | To allow it |\n|---|---|---|---|\n");
    for (device, size) in held.iter().take(NAMED) {
        let shown = ledger.shown(device).unwrap_or_default();
        let shown = if shown.is_nothing() {
            "nothing".to_owned()
        } else {
            shown.to_string()
        };
        let allow = code(&Source::Commit.written(size.needs()), true);
        let _ = writeln!(out, "| {} | {shown} | {size} | {allow} |", code(device, true));
    }
    if held.len() > NAMED {
        let more: Vec<&str> = held.iter().skip(NAMED).map(|(device, _)| *device).collect();
        let _ = writeln!(out, "\nAlso: {}.", codes(&more, NAMED, false));
    }
    out.push('\n');
    if let Some(doubt) = &ledger.doubt {
        let _ = writeln!(out, "note: {}\n", code(doubt, false));
    }
    let _ = writeln!(out, "help, for {}: {}", code(first, false), help(first, *size));
    Some(out)
}

/// Says that nothing is held back any more.
#[must_use]
pub fn released_markdown(inventory: &str, commit: &str) -> String {
    format!(
        "{}\n### No longer held back\n\nDevices were held back here because their plan was bigger than the one that was reviewed. With {} in \
         force none is.\n",
        held_marker(inventory),
        code(commit, false)
    )
}
