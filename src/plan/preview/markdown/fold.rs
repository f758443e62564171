//! The folds of a comment: for each device, or for all that are alike, the diff and the commands.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::super::super::model::{DeviceChanges, DevicePlan, Outcome, Saved};
use super::super::super::text::count;
use super::super::Preview;
use super::super::diff::diff;
use super::words::{block, code, html};

/// Room that is kept for saying what was cut.
const RESERVE: usize = 400;

/// What is shown of a device.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Shown {
    notes: Vec<String>,
    diff: Vec<String>,
    commands: Vec<String>,
}

/// Devices of which the same is shown.
struct Alike<'p> {
    devices: Vec<&'p str>,
    shown: Shown,
}

/// All folds, in at most so many bytes: devices of the change first. What does not fit is cut in the diff and the commands of a
/// device; devices for which there is no room at all are counted.
pub(super) fn folds(preview: &Preview, at_most: usize) -> String {
    let mut out = String::new();
    let all = alike(preview);
    for (number, group) in all.iter().enumerate() {
        let room = at_most.saturating_sub(out.len() + RESERVE);
        match fold(group, room) {
            Some(fold) => out.push_str(&fold),
            None => {
                let left: usize = all[number..].iter().map(|group| group.devices.len()).sum();
                let cut = format!(
                    "… the changes of {} more do not fit into this comment; the plan itself has them.\n\n",
                    count(left, "device")
                );
                if cut.len() <= at_most.saturating_sub(out.len()) {
                    out.push_str(&cut);
                }
                break;
            }
        }
    }
    out
}

/// The devices that have something to show, alike ones together, in the order of the first of each.
fn alike(preview: &Preview) -> Vec<Alike<'_>> {
    let touched = preview.touched();
    let is_touched = |device: &&DevicePlan| touched.contains(&device.device.as_str());
    let (first, then): (Vec<&DevicePlan>, Vec<&DevicePlan>) = preview.plan.devices.iter().partition(is_touched);
    let mut all: Vec<Alike<'_>> = Vec::new();
    let mut known: HashMap<Shown, usize> = HashMap::new();
    for device in first.into_iter().chain(then) {
        let Outcome::Read(changes) = &device.outcome else {
            continue;
        };
        let shown = Shown {
            notes: notes(changes),
            diff: diff(changes, preview.parts(&device.device)),
            commands: changes.steps.iter().flat_map(|step| step.commands.clone()).collect(),
        };
        if shown.diff.is_empty() && shown.commands.is_empty() {
            continue;
        }
        let place = *known.entry(shown.clone()).or_insert_with(|| {
            all.push(Alike {
                devices: Vec::new(),
                shown,
            });
            all.len() - 1
        });
        all[place].devices.push(&device.device);
    }
    all
}

/// What has to be known beside the diff.
fn notes(changes: &DeviceChanges) -> Vec<String> {
    let mut notes: Vec<String> = Vec::new();
    for refusal in &changes.refusals {
        notes.push(format!(
            "**refused**[{}] {}",
            refusal.rule,
            code(&refusal.message, false)
        ));
        notes.push(format!("help: {}", code(&refusal.help, false)));
    }
    if let Saved::No {
        ours: false,
        difference,
        ..
    } = &changes.saved
    {
        notes.push(format!(
            "{} of configuration that a reboot would lose",
            count(difference.len(), "line")
        ));
    }
    let decisions = if changes.changes.is_empty() {
        &[][..]
    } else {
        &changes.decisions
    };
    notes.extend(
        changes
            .notes
            .iter()
            .chain(decisions)
            .map(|note| format!("note: {}", code(note, false))),
    );
    notes
}

/// One fold with the diff, and one with the commands, in at most so many bytes. `None` where not even their heads fit.
fn fold(group: &Alike<'_>, room: usize) -> Option<String> {
    let names = names(&group.devices);
    let Shown { notes, diff, commands } = &group.shown;
    let mut head = format!("<details><summary>{names}</summary>\n\n");
    for note in notes.iter().take(super::NAMED) {
        let _ = writeln!(head, "- {note}");
    }
    if !notes.is_empty() {
        head.push('\n');
    }
    let between = "\n</details>\n";
    let (commands_head, commands_end) = if commands.is_empty() {
        (String::new(), "\n")
    } else {
        let many = count(commands.len(), "command");
        let each = if group.devices.len() > 1 { " on each" } else { "" };
        (
            format!("<details><summary>{many}{each}, in this order: {names}</summary>\n\n"),
            "\n</details>\n\n",
        )
    };
    let fixed = head.len() + between.len() + commands_head.len() + commands_end.len();
    let room = room.checked_sub(fixed + 2 * RESERVE)?;
    // The diff says it all for people: it may take what the commands leave, and at least half.
    let for_diff = size(diff).min(room.saturating_sub(size(commands)).max(room / 2));
    let for_commands = room - for_diff;
    let mut out = head;
    out.push_str(&block("diff", &cut(diff, for_diff, "# ")));
    out.push_str(between);
    if !commands.is_empty() {
        out.push_str(&commands_head);
        out.push_str(&block("text", &cut(commands, for_commands, "")));
    }
    out.push_str(commands_end);
    Some(out)
}

/// The devices of a fold in its head.
fn names(devices: &[&str]) -> String {
    const NAMED: usize = 10;
    let shown: Vec<String> = devices.iter().take(NAMED).map(|device| html(device)).collect();
    let shown = shown.join(", ");
    match devices.len() {
        0..=1 => shown,
        all @ 2..=NAMED => format!("{all} devices alike: {shown}"),
        all => format!("{all} devices alike: {shown} and {} more", all - NAMED),
    }
}

/// What lines take in a block.
fn size(lines: &[String]) -> usize {
    lines.iter().map(|line| line.len() + 1).sum()
}

/// The first lines that fit, and how many there are more.
fn cut(lines: &[String], room: usize, sign: &str) -> Vec<String> {
    let mut left = room;
    let fitting = lines.iter().take_while(|line| match left.checked_sub(line.len() + 1) {
        Some(rest) => {
            left = rest;
            true
        }
        None => false,
    });
    let mut shown: Vec<String> = fitting.cloned().collect();
    if shown.len() < lines.len() {
        let more = count(lines.len() - shown.len(), "line");
        shown.push(format!("{sign}… and {more} more; the plan itself has them"));
    }
    shown
}
