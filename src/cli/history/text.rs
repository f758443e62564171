//! Runs as text for people.

use std::fmt::Write as _;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use jiff::Timestamp;

use crate::plan::count;
use crate::plan::model::Summary;
use crate::store::{Answered, DeviceRunState, Exchange, Phase, PlanRefusal, RunEntry};

use super::Whole;

/// How many devices are named before they are only counted.
const NAMED: usize = 3;

pub(super) fn runs(runs: &[RunEntry]) -> String {
    if runs.is_empty() {
        return "No run is on record.\n".to_owned();
    }
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header([
            "RUN",
            "STARTED (UTC)",
            "TOOK",
            "WHO",
            "COMMIT",
            "DEVICES",
            "ADDED",
            "CHANGED",
            "DESTROYED",
            "OUTCOME",
        ]);
    for run in runs {
        let Summary { add, change, destroy } = done(run);
        table.add_row([
            run.run.to_string(),
            second(&run.started),
            ran_until(run).map_or_else(|| "-".to_owned(), |end| took(&run.started, end)),
            run.actor.clone(),
            run.commit.clone().unwrap_or_else(|| "-".to_owned()),
            devices(run),
            add.to_string(),
            change.to_string(),
            destroy.to_string(),
            outcome(run),
        ]);
    }
    for column in [0, 6, 7, 8] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    // The style sets a blank before the first column; what is aligned to the right has its own.
    let mut out = String::new();
    for line in table.lines() {
        let _ = writeln!(out, "{}", line.strip_prefix(' ').unwrap_or(&line).trim_end());
    }
    out
}

pub(super) fn whole(whole: &Whole) -> String {
    let run = &whole.entry;
    let mut out = String::new();
    let commit = run
        .commit
        .as_deref()
        .map(|commit| format!(", inventory at commit {commit}"))
        .unwrap_or_default();
    let undoes = run
        .undoes
        .map(|undone| format!(", undoing run {undone}"))
        .unwrap_or_default();
    let _ = writeln!(out, "Run {} by {}{commit}{undoes}", run.run, run.actor);
    let end = match &run.finished {
        Some(_) if run.times == 1 && is_refused(run) => outcome_word(run).to_owned(),
        Some(last) if is_refused(run) => {
            format!(
                "{} {} times, the last at {}",
                outcome_word(run),
                run.times,
                second(last)
            )
        }
        Some(end) => format!("took {}, {}", took(&run.started, end), outcome_word(run)),
        None => "no end is on record: it goes on, or was cut off".to_owned(),
    };
    let _ = writeln!(out, "  started {} UTC, {end}", second(&run.started));
    for PlanRefusal { by, name, message, .. } in &run.refusals {
        let _ = writeln!(out, "  refused by {} {name}: {message}", by.word());
    }
    if let Some(plan) = &whole.plan {
        out.push_str("\nThe plan as it was shown:\n\n");
        for line in plan.text.trim_end().lines() {
            let _ = writeln!(out, "{}", format!("  {line}").trim_end());
        }
    }
    for (device, exchanges) in &whole.devices {
        let why = device
            .detail
            .as_deref()
            .map(|why| format!(": {why}"))
            .unwrap_or_default();
        let _ = writeln!(out, "\n{}  {}{why}", device.device, state(device.state));
        exchanges.iter().for_each(|exchange| exchange_text(&mut out, exchange));
        if exchanges.is_empty() {
            out.push_str("  nothing was sent\n");
        }
    }
    for device in &run.untouched {
        let _ = writeln!(
            out,
            "\n{}  {}: {}\n  nothing was sent",
            device.device,
            device.outcome.replace('-', " "),
            device.reason
        );
    }
    out
}

fn exchange_text(out: &mut String, exchange: &Exchange) {
    let phase = match exchange.phase {
        Phase::Apply => "",
        Phase::Rollback => "giving back: ",
    };
    let answer = match &exchange.how {
        Some(Answered::Accepted) => "accepted".to_owned(),
        Some(Answered::Refused(kind)) => format!("REFUSED ({kind})"),
        Some(Answered::Lost) => "NO ANSWER".to_owned(),
        None if exchange.reply.is_some() => "answered".to_owned(),
        None => "NO ANSWER on record".to_owned(),
    };
    let within = exchange
        .answered
        .as_deref()
        .map(|answered| format!(" after {}", took(&exchange.sent, answered)))
        .unwrap_or_default();
    let _ = writeln!(out, "  {}  {phase}{}", time(&exchange.sent), exchange.command);
    let _ = writeln!(out, "                {answer}{within}");
    for line in exchange.reply.as_deref().unwrap_or_default().trim().lines() {
        let _ = writeln!(out, "                | {line}");
    }
}

/// What was done, in numbers: what was taken back or left unsaved is not.
pub(super) fn done(run: &RunEntry) -> Summary {
    let saved = run
        .devices
        .iter()
        .filter(|device| device.state == DeviceRunState::Saved);
    saved.map(|device| device.summary).sum()
}

fn devices(run: &RunEntry) -> String {
    let touched = run.devices.iter().map(|device| &device.device);
    let mut keys: Vec<&str> = touched
        .chain(run.untouched.iter().map(|device| &device.device))
        .map(String::as_str)
        .collect();
    keys.sort_unstable();
    if keys.len() > NAMED {
        count(keys.len(), "device")
    } else {
        keys.join(", ")
    }
}

/// When a run ended that did something; `None` for one that was refused before it began.
pub(super) fn ran_until(run: &RunEntry) -> Option<&str> {
    run.finished.as_deref().filter(|_| !is_refused(run))
}

fn is_refused(run: &RunEntry) -> bool {
    !run.refusals.is_empty()
}

/// `done`, `incomplete` or `refused`; `unfinished` for a run that goes on, or was killed.
pub(super) fn outcome_word(run: &RunEntry) -> &str {
    run.outcome.as_deref().unwrap_or("unfinished")
}

fn outcome(run: &RunEntry) -> String {
    if is_refused(run) {
        return refused(run);
    }
    let mut out = outcome_word(run).to_owned();
    if let Some(undone) = run.undoes {
        let _ = write!(out, ", undid run {undone}");
    }
    let touched = run
        .devices
        .iter()
        .filter(|device| device.state != DeviceRunState::Saved);
    let mut bad: Vec<String> = touched
        .map(|device| format!("{} {}", device.device, state(device.state)))
        .collect();
    let untouched = run.untouched.iter();
    bad.extend(untouched.map(|device| format!("{} {}", device.device, device.outcome.replace('-', " "))));
    if bad.len() > NAMED {
        let _ = write!(out, ": {} not done", count(bad.len(), "device"));
    } else if !bad.is_empty() {
        let _ = write!(out, ": {}", bad.join(", "));
    }
    out
}

/// `refused: guard destroy-per-device (6, at most 5), rule not-on-fridays`.
fn refused(run: &RunEntry) -> String {
    let mut out = outcome_word(run).to_owned();
    if run.times > 1 {
        let _ = write!(out, " {} times", run.times);
    }
    if let Some(undone) = run.undoes {
        let _ = write!(out, ", to undo run {undone}");
    }
    let reason = |refusal: &PlanRefusal| {
        let PlanRefusal {
            by,
            name,
            number,
            limit,
            ..
        } = refusal;
        match (number, limit) {
            (Some(number), Some(limit)) => format!("{} {name} ({number}, at most {limit})", by.word()),
            _ => format!("{} {name}", by.word()),
        }
    };
    let reasons: Vec<String> = run.refusals.iter().map(reason).collect();
    let _ = write!(out, ": {}", reasons.join(", "));
    out
}

fn state(state: DeviceRunState) -> String {
    state.word().replace('-', " ")
}

/// `2026-11-27 22:03:01` of a time as the database has it.
fn second(time: &str) -> String {
    time.get(..19).unwrap_or(time).replace('T', " ")
}

/// `22:03:01.120` of a time as the database has it.
fn time(time: &str) -> &str {
    time.get(11..23).unwrap_or(time)
}

/// The milliseconds from one time to another. `None` where one of them is no time.
pub(super) fn millis(from: &str, to: &str) -> Option<i64> {
    let (from, to): (Timestamp, Timestamp) = (from.parse().ok()?, to.parse().ok()?);
    Some(to.as_millisecond() - from.as_millisecond())
}

fn took(from: &str, to: &str) -> String {
    let Some(millis) = millis(from, to) else {
        return "an unknown time".to_owned();
    };
    let seconds = millis / 1000;
    match seconds {
        0 => format!("{millis} ms"),
        1..=9 => format!("{seconds}.{} s", millis % 1000 / 100),
        10..=119 => format!("{seconds} s"),
        _ => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::took;

    #[test]
    fn a_duration_is_said_as_exactly_as_it_matters() {
        let said = |to| took("2026-11-27T22:00:00.000Z", to);
        assert_eq!(said("2026-11-27T22:00:00.012Z"), "12 ms");
        assert_eq!(said("2026-11-27T22:00:01.250Z"), "1.2 s");
        assert_eq!(said("2026-11-27T22:00:59.900Z"), "59 s");
        assert_eq!(said("2026-11-27T22:03:20.000Z"), "3 min 20 s");
        assert_eq!(said("yesterday"), "an unknown time");
    }
}
