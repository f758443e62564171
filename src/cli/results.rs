//! What a run came to, in words and as an exit code.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::plan::model::{Summary, Unread};
use crate::plan::{NotApplied, Refusal, Residue, count, some_of};
use crate::reconcile::{DeviceOutcome, DeviceResult, Failure, RolledBack, Stopped, WayBack};

use super::exit::Exit;
use super::say;

/// The account of a run, which `what` names: one line a device, and all there is to know where one was stopped; then what it all came to.
pub(super) fn results_text(results: &[DeviceResult], what: &str, quiet: bool) -> String {
    let (mut out, total, saved) = account(results);
    let fine = results.iter().all(|result| result.outcome.is_fine());
    if quiet && fine {
        return String::new();
    }
    let waits = |result: &DeviceResult| matches!(result.outcome, DeviceOutcome::Unconfirmed(..));
    if results.iter().any(waits) {
        return format!("\n{out}");
    }
    let head = if fine { "complete!" } else { "incomplete." };
    let saves = if saved > 0 {
        format!(" {} saved.", count(saved, "device"))
    } else {
        String::new()
    };
    let _ = writeln!(
        out,
        "{what} {head} Resources: {} added, {} changed, {} destroyed.{saves}",
        total.add, total.change, total.destroy
    );
    format!("\n{out}")
}

/// The same without what it all came to.
pub(super) fn devices_text(results: &[DeviceResult]) -> String {
    account(results).0
}

/// A line and more for each device, the numbers of what was done, and how many devices were only saved.
fn account(results: &[DeviceResult]) -> (String, Summary, usize) {
    let mut out = String::new();
    let mut total = Summary::default();
    let mut saved = 0;
    let mut not_started: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for DeviceResult { device, outcome, waits } in results {
        match outcome {
            DeviceOutcome::InSync | DeviceOutcome::Held => {}
            DeviceOutcome::Applied(summary, not_applied) => {
                total.add += summary.add;
                total.change += summary.change;
                total.destroy += summary.destroy;
                let Summary { add, change, destroy } = summary;
                let _ = writeln!(
                    out,
                    "  {device}  {add} added, {change} changed, {destroy} destroyed; verified, saved"
                );
                not_applied.iter().for_each(|field| not_applied_text(&mut out, field));
            }
            DeviceOutcome::Unconfirmed(summary, not_applied) => {
                let Summary { add, change, destroy } = summary;
                let _ = writeln!(
                    out,
                    "  {device}  {add} added, {change} changed, {destroy} destroyed; verified; not saved before it is confirmed"
                );
                not_applied.iter().for_each(|field| not_applied_text(&mut out, field));
            }
            DeviceOutcome::Saved => {
                saved += 1;
                let _ = writeln!(out, "  {device}  checked and saved");
            }
            DeviceOutcome::Refused(refusals) => {
                for Refusal { rule, message, .. } in refusals {
                    let _ = writeln!(out, "  {device}  REFUSED[{rule}] {message}");
                }
                let _ = writeln!(out, "    nothing was sent to {device}");
            }
            DeviceOutcome::Unread(unread) => {
                let _ = writeln!(out, "  {device}  NOT READ: {}", unread.reason);
                help_text(&mut out, unread.help.as_deref());
            }
            DeviceOutcome::Stale => {
                let _ = writeln!(
                    out,
                    "  {device}  STALE: it changed after it was planned; nothing was sent. Plan again."
                );
            }
            DeviceOutcome::NotStarted(why) => not_started.entry(why).or_default().push(device),
            DeviceOutcome::RolledBack(back) => rolled_back_text(&mut out, device, back),
            DeviceOutcome::Stopped(stopped) => stopped_text(&mut out, device, stopped),
        }
        if let Some(waits) = waits {
            let _ = writeln!(out, "  {device}  {waits}");
        }
    }
    for (why, devices) in &not_started {
        let _ = writeln!(
            out,
            "  NOT STARTED: {}: {why}; nothing was sent there",
            some_of(devices)
        );
    }
    (out, total, saved)
}

fn not_applied_text(out: &mut String, field: &NotApplied) {
    let NotApplied {
        subscriber,
        word,
        refused,
    } = field;
    let why = if *refused {
        format!("this firmware does not know `{word}`")
    } else {
        format!("this firmware takes `{word}` and ignores it")
    };
    let _ = writeln!(
        out,
        "    NOT APPLIED: subscriber {subscriber}: its {} is as it was: {why}; gamops will not try again",
        word.field()
    );
}

fn rolled_back_text(out: &mut String, device: &str, back: &RolledBack) {
    let RolledBack { failure, way } = back;
    let word = if way.left.is_empty() {
        "ROLLED BACK"
    } else {
        "ROLLED BACK IN PART"
    };
    let _ = writeln!(out, "  {device}  {word}: {}", failure.reason);
    failure_text(out, failure, "");
    differs_text(out, &failure.differs, "planned");
    let how = if way.commands.is_empty() {
        "nothing had to be given back: read back, it holds".to_owned()
    } else {
        format!(
            "given back with {}: read back, it holds",
            count(way.commands.len(), "command")
        )
    };
    let what = match (way.left.is_empty(), way.others.is_empty()) {
        (false, _) => "what it held before, but for what is left",
        (true, false) => "what it held before, but for what somebody else did",
        (true, true) => "what it held before",
    };
    let saved = if way.saved { ", and is saved so" } else { "" };
    let _ = writeln!(out, "    {how} {what}{saved}");
    way_text(out, way);
    help_text(out, failure.help.as_deref());
    if way.left.is_empty() {
        let _ = writeln!(
            out,
            "    help: the plan is what it was; `gamops plan --target {device}` shows it again"
        );
    } else {
        let _ = writeln!(
            out,
            "    help: `gamops plan --target {device}` shows what is left; `gamops apply` goes on from there"
        );
    }
}

fn way_text(out: &mut String, way: &WayBack) {
    for command in &way.commands {
        let _ = writeln!(out, "      back:     {command}");
    }
    for left in &way.left {
        let _ = writeln!(out, "      LEFT:     {left}");
    }
    for other in &way.others {
        let _ = writeln!(out, "      others:   {other}");
    }
}

fn stopped_text(out: &mut String, device: &str, stopped: &Stopped) {
    let Stopped {
        failure,
        residue,
        not_rolled_back,
    } = stopped;
    let word = if failure.interrupted { "INTERRUPTED" } else { "STOPPED" };
    let _ = writeln!(out, "  {device}  {word}: {}", failure.reason);
    let then = if failure.saved {
        "; the device is saved"
    } else if failure.touched() {
        "; the device is left unsaved"
    } else {
        "; nothing was changed"
    };
    match not_rolled_back {
        Some(not) => {
            failure_text(out, failure, "");
            differs_text(out, &failure.differs, "planned");
            let _ = writeln!(out, "    NOT GIVEN BACK what it held before: {}", not.reason);
            way_text(out, &not.way);
            match &not.differs {
                None => out.push_str("    it holds some of the commands above, as far as is known, and a restart may have taken them away\n"),
                Some(differs) if differs.is_empty() => {}
                Some(differs) => differs_text(out, differs, "before"),
            }
        }
        None => {
            failure_text(out, failure, then);
            match residue {
                None if failure.touched() => {
                    let _ = writeln!(
                        out,
                        "    it could not be read afterwards: what the last command did is not known"
                    );
                }
                None => {}
                Some(residue) if residue.is_empty() => {
                    let _ = writeln!(out, "    read back: it holds all that was planned");
                }
                Some(residue) => differs_text(out, residue, "planned"),
            }
        }
    }
    help_text(out, failure.help.as_deref());
    let back = not_rolled_back.as_ref().and_then(|not| not.help.as_deref());
    help_text(out, back.filter(|help| Some(*help) != failure.help.as_deref()));
    let _ = writeln!(
        out,
        "    help: `gamops plan --target {device}` shows what is left; `gamops apply` goes on from there"
    );
}

fn help_text(out: &mut String, help: Option<&str>) {
    if let Some(help) = help {
        let _ = writeln!(out, "    help: {help}");
    }
}

/// How far it came, and the device's own words.
fn failure_text(out: &mut String, failure: &Failure, then: &str) {
    if failure.total == 0 && failure.refused.is_none() {
        return;
    }
    let _ = writeln!(
        out,
        "    {} of {} taken{then}",
        failure.sent.len(),
        count(failure.total, "command")
    );
    for command in &failure.sent {
        let _ = writeln!(out, "      taken:    {command}");
    }
    if let Some((command, answer)) = &failure.refused {
        let _ = writeln!(out, "      sent:     {command}");
        if answer.trim().is_empty() {
            let _ = writeln!(out, "      answered: nothing");
        }
        for line in answer.trim().lines() {
            let _ = writeln!(out, "      answered: {line}");
        }
    }
}

fn differs_text(out: &mut String, differs: &[Residue], as_what: &str) {
    if differs.is_empty() {
        return;
    }
    let _ = writeln!(out, "    read back, not as {as_what}:");
    differs.iter().for_each(|residue| residue_text(out, residue, as_what));
}

fn residue_text(out: &mut String, residue: &Residue, as_what: &str) {
    let Residue {
        object,
        field,
        wanted,
        found,
        ignored,
    } = residue;
    let or_none = |value: &str| {
        if value.is_empty() {
            "none".to_owned()
        } else {
            value.to_owned()
        }
    };
    let note = if *ignored && as_what == "planned" {
        " (as before)"
    } else {
        ""
    };
    let _ = writeln!(
        out,
        "      {object}: {field} is {}{note}, {as_what} {}",
        or_none(found),
        or_none(wanted)
    );
}

/// Says why a device could not be read, and gives the exit code of a command that was about it alone.
pub(super) fn not_read(unread: &Unread, device: &str) -> Exit {
    let help = unread.help.as_ref().map(|help| format!("\n  help: {help}"));
    say(&format!(
        "error: {device}: {}{}",
        unread.reason,
        help.unwrap_or_default()
    ));
    Exit::Failed
}

/// Says which rule refuses what a command was to do, and gives its exit code.
pub(super) fn refused(refusal: &Refusal) -> Exit {
    say(&format!(
        "REFUSED[{}]: {}\n  help: {}",
        refusal.rule, refusal.message, refusal.help
    ));
    Exit::Refused
}

/// What a run means to a script.
pub(super) fn exit_of(results: &[DeviceResult]) -> Exit {
    let bad: Vec<&DeviceOutcome> = results
        .iter()
        .map(|result| &result.outcome)
        .filter(|outcome| !outcome.is_fine())
        .collect();
    if bad.is_empty() {
        return Exit::Done;
    }
    if results.iter().any(|result| result.outcome.touched()) {
        return Exit::Partial;
    }
    // Nothing was sent anywhere: the worst of the reasons.
    if bad.iter().any(|outcome| {
        matches!(
            outcome,
            DeviceOutcome::Unread(_) | DeviceOutcome::RolledBack(_) | DeviceOutcome::Stopped(_)
        )
    }) {
        Exit::Failed
    } else if bad.iter().any(|outcome| matches!(outcome, DeviceOutcome::Refused(_))) {
        Exit::Refused
    } else {
        Exit::Stale
    }
}
