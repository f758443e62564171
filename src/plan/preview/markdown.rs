//! A preview as one comment on a change request: what matters outside of folds, what shows it inside, never longer than a forge
//! takes. What is cut says so; what is destroyed is never cut.

mod fold;
pub(in crate::plan) mod words;

use std::fmt::Write as _;

use super::super::guard::{Verdict, way_through};
use super::super::impact;
use super::super::model::{Action, DeviceChanges, DevicePlan, Held, ObjectChange, Outcome, Plan, Summary};
use super::super::pause::in_words;
use super::super::text::{count, fields_text, summary_line};
use super::Preview;
use super::text::{age_of, unknown};
use crate::inventory::model::Effect;

use words::{code, codes};

/// The most bytes of a comment. GitHub takes 65,536 characters, and no forge less.
pub const LIMIT: usize = 65_536;

/// Of that, what a table of devices may take, and what the names of what is destroyed may.
const TABLE: usize = 16_000;
const DESTROYS: usize = 24_000;

/// The most guards, rules and notes that are named, each in a line of its own.
const NAMED: usize = 10;

/// The line that a comment of gamops is found by; one for each inventory of a repository.
#[must_use]
pub fn marker(inventory: &str) -> String {
    marker_of("plan", inventory)
}

/// The same for a comment of another kind.
pub(in crate::plan) fn marker_of(kind: &str, inventory: &str) -> String {
    let id: String = (inventory.chars())
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    format!("<!-- gamops:{kind}:v1:{id} -->")
}

/// Renders a preview. `hidden`: a line that programs look for, as a comment of HTML; empty for none.
#[must_use]
pub fn preview_markdown(preview: &Preview, hidden: &str) -> String {
    let mut out = format!("{}\n", marker(&preview.plan.inventory));
    if !hidden.is_empty() {
        let _ = writeln!(out, "{hidden}");
    }
    head(&mut out, preview);
    let destroyed = destroyed(&preview.plan);
    let foot = foot(preview);
    let left = LIMIT.saturating_sub(out.len() + destroyed.len() + foot.len());
    let table = table(preview, left.min(TABLE));
    let folds = fold::folds(preview, left.saturating_sub(table.len()));
    for part in [table, destroyed, folds, foot] {
        out.push_str(&part);
    }
    out
}

/// What stands in the place of a plan where the inventory is not valid.
#[must_use]
pub fn invalid_markdown(inventory: &str, errors: &[String]) -> String {
    let mut out = format!("{}\n### No plan: the inventory is not valid\n\n", marker(inventory));
    for error in errors.iter().take(NAMED) {
        let _ = writeln!(out, "- {}", code(error, false));
    }
    if errors.len() > NAMED {
        let _ = writeln!(out, "- … and {} more; `gamops validate` has them", errors.len() - NAMED);
    }
    out
}

fn head(out: &mut String, preview: &Preview) {
    let plan = &preview.plan;
    let at = match &plan.commit {
        Some(commit) => format!(" at {}", code(commit, false)),
        None => String::new(),
    };
    let _ = writeln!(out, "### Plan for {}{at}\n", code(&plan.inventory, false));
    let whole = numbers(plan.summary());
    if preview.base.is_some() {
        let touched = preview.touched();
        let _ = match touched.len() {
            0 => writeln!(out, "**This change asks nothing else of any device.**"),
            many => writeln!(
                out,
                "**This change: {}**, on {}.",
                numbers(preview.summary()),
                count(many, "device")
            ),
        };
        let _ = writeln!(out, "With drift and commits that were not applied yet: {whole}.");
    } else {
        let _ = writeln!(out, "**{whole}.**");
    }
    if plan.is_actionable() {
        let _ = writeln!(out, "Impact: {}", plan.impact());
    }
    out.push('\n');
    verdicts(out, plan);
}

/// `1 to add, 2 to change, 1 to destroy`.
fn numbers(summary: Summary) -> String {
    let line = summary_line(summary);
    line.trim_start_matches("Plan: ").trim_end_matches('.').to_owned()
}

/// What guards and the inventory's own rules say.
fn verdicts(out: &mut String, plan: &Plan) {
    let mut lines = Vec::new();
    for trip in &plan.trips {
        let (guard, message) = (trip.guard.word(), code(&trip.message(), false));
        lines.push(match trip.verdict {
            Verdict::Allowed(source) => {
                let said = trip.needs().map(|needs| source.written(needs)).unwrap_or_default();
                format!("Guard {guard}: {message}, allowed by {}", code(&said, false))
            }
            Verdict::Refused | Verdict::OtherNumber(..) => format!("**Refused by guard {guard}**: {message}"),
        });
        lines.extend(trip.note().map(|note| format!("note: {}", code(&note, false))));
    }
    lines.extend(way_through(&plan.trips).map(|way| format!("help: {}", code(&way, false))));
    for ruling in &plan.rulings {
        let (rule, message) = (code(&ruling.rule, false), code(&ruling.words(), false));
        lines.push(match ruling.effect {
            Effect::Refuse => format!("**Refused by rule** {rule}: {message}"),
            Effect::Warn => format!("Warning by rule {rule}: {message}"),
        });
    }
    if lines.is_empty() {
        return;
    }
    for line in lines.iter().take(NAMED) {
        let _ = writeln!(out, "- {line}");
    }
    if lines.len() > NAMED {
        let _ = writeln!(out, "- … and {} more; the plan itself has them", lines.len() - NAMED);
    }
    out.push('\n');
}

/// A row for each device that is more than in sync; those of this change first.
fn table(preview: &Preview, at_most: usize) -> String {
    let touched = preview.touched();
    let is_touched = |device: &&DevicePlan| touched.contains(&device.device.as_str());
    let is_quiet = |device: &&DevicePlan| super::super::text::has_nothing_to_say(device);
    let devices = &preview.plan.devices;
    let (quiet, loud): (Vec<&DevicePlan>, Vec<&DevicePlan>) = devices.iter().partition(is_quiet);
    let (first, then): (Vec<&DevicePlan>, Vec<&DevicePlan>) = loud.into_iter().partition(is_touched);
    let rows: Vec<String> = first.iter().chain(&then).map(|device| row(preview, device)).collect();
    let mut out = String::new();
    if !rows.is_empty() {
        out.push_str(
            "| Device | Observed | This change | Not of this change | What it comes to |\n|---|---|---|---|---|\n",
        );
        let mut left = rows.len();
        for row in &rows {
            if out.len() + row.len() + 200 > at_most {
                let _ = writeln!(out, "\n… and {} more that are not listed here.", count(left, "device"));
                break;
            }
            out.push_str(row);
            left -= 1;
        }
        out.push('\n');
    }
    if !quiet.is_empty() {
        let _ = writeln!(out, "In sync: {}.\n", count(quiet.len(), "device"));
    }
    out
}

fn row(preview: &Preview, device: &DevicePlan) -> String {
    let key = &device.device;
    let (mine, also) = match (&device.outcome, preview.parts(key)) {
        (Outcome::Unread(_), _) => (None, None),
        (Outcome::Read(_), Some(parts)) => {
            let sum = |one: &[ObjectChange], other: &[ObjectChange]| signs(one.iter().chain(other));
            (sum(&parts.mine, &parts.waiting[0]), sum(&parts.also, &parts.waiting[1]))
        }
        (Outcome::Read(changes), None) => {
            let waiting = changes.waiting.iter().flat_map(|waiting| &waiting.changes);
            (signs(changes.changes.iter().chain(waiting)), None)
        }
    };
    format!(
        "| {} | {} | {} | {} | {} |\n",
        code(key, true),
        age_of(preview, key),
        mine.unwrap_or_default(),
        also.unwrap_or_default(),
        comes_to(key, device)
    )
}

/// `+1 !2 -1`.
fn signs<'c>(changes: impl Iterator<Item = &'c ObjectChange>) -> Option<String> {
    let mut numbers = [0_usize; 3];
    for change in changes {
        numbers[match change.action {
            Action::Create => 0,
            Action::Update => 1,
            Action::Destroy => 2,
        }] += 1;
    }
    let signs = numbers
        .into_iter()
        .zip(['+', '!', '-'])
        .filter(|(number, _)| *number > 0);
    let words: Vec<String> = signs.map(|(number, sign)| format!("{sign}{number}")).collect();
    (!words.is_empty()).then(|| format!("`{}`", words.join(" ")))
}

/// What stands in the way on a device, else what subscribers feel.
fn comes_to(key: &str, device: &DevicePlan) -> String {
    let changes = match &device.outcome {
        Outcome::Unread(unread) => return format!("not read: {}", code(&unread.reason, true)),
        Outcome::Read(changes) => changes,
    };
    let mut words = Vec::new();
    match &changes.held {
        Some(Held::Observe) => words.push("observed only".to_owned()),
        Some(Held::Paused(pauses)) => {
            words.push(format!("paused: {}", code(&in_words(pauses), true)));
        }
        None => {}
    }
    if let Some(refusal) = changes.refusals.first().filter(|_| changes.held.is_none()) {
        let more = changes.refusals.len() - 1;
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        words.push(format!("**refused**: {}{more}", code(&refusal.message, true)));
    }
    if changes.is_actionable() {
        words.push(felt(key, changes));
    }
    if let Some(waiting) = &changes.waiting {
        words.push(code(&waiting.to_string(), true));
    }
    words.join("; ")
}

fn felt(key: &str, changes: &DeviceChanges) -> String {
    let total = impact::total(changes.changes.iter().map(|change| (key, change)));
    total.to_string().trim_end_matches('.').to_owned()
}

/// What the plan destroys. All of it is named; where that would be too long, without its settings, and at the very end by numbers.
fn destroyed(plan: &Plan) -> String {
    let actionable = plan.read_devices().filter(|(_, changes)| changes.is_actionable());
    let gone: Vec<(&str, Vec<&ObjectChange>)> = actionable
        .map(|(key, changes)| (key, destroys_of(changes)))
        .filter(|(_, gone)| !gone.is_empty())
        .collect();
    if gone.is_empty() {
        return String::new();
    }
    let all = gone.iter().map(|(_, gone)| gone.len()).sum();
    let head = format!("**Destroyed by this plan** ({}):\n\n", count(all, "object"));
    let with_settings = || -> String {
        let line = |change: &&ObjectChange| {
            format!(
                "- {} {}\n",
                code(&change.address, false),
                code(&fields_text(change), false)
            )
        };
        gone.iter().flat_map(|(_, gone)| gone.iter().map(line)).collect()
    };
    let named = || -> String {
        let names = |gone: &[&ObjectChange]| {
            let names: Vec<String> = gone
                .iter()
                .map(|change| format!("{}/{}", change.kind, change.key))
                .collect();
            codes(&names, usize::MAX, false)
        };
        gone.iter()
            .map(|(key, gone)| format!("- {}: {}\n", code(key, false), names(gone)))
            .collect()
    };
    let counted = || -> String {
        let line = |(key, gone): &(&str, Vec<&ObjectChange>)| {
            format!("- {}: {}\n", code(key, false), count(gone.len(), "object"))
        };
        gone.iter().map(line).collect()
    };
    let ways: [&dyn Fn() -> String; 3] = [&with_settings, &named, &counted];
    let fits = ways.iter().map(|way| way()).find(|text| text.len() <= DESTROYS);
    let list = fits.unwrap_or_else(|| {
        format!(
            "- … too many to name them here, on {}; the plan itself has each\n",
            count(gone.len(), "device")
        )
    });
    format!("{head}{list}\n")
}

fn destroys_of(changes: &DeviceChanges) -> Vec<&ObjectChange> {
    let destroys = changes.changes.iter().filter(|change| change.action == Action::Destroy);
    destroys.collect()
}

/// How it was made, and what that cannot know.
fn foot(preview: &Preview) -> String {
    let mut out = "\n<sub>\n\n".to_owned();
    if let Some(base) = preview.base.as_ref().filter(|base| !base.gone.is_empty()) {
        let _ = writeln!(
            out,
            "No longer in the inventory, and left as they are: {}.\n",
            codes(&base.gone, NAMED, false)
        );
    }
    for note in preview.notes.iter().take(NAMED) {
        let _ = writeln!(out, "note: {}\n", code(note, false));
    }
    let version = env!("CARGO_PKG_VERSION");
    let _ = match &preview.observed {
        Some(observed) => writeln!(
            out,
            "Made by gamops {version} from {}; no device was reached. Not known here: {}.\n\n</sub>",
            code(observed, false),
            unknown(preview).join("; ")
        ),
        None => writeln!(out, "Made by gamops {version} from what the devices hold.\n\n</sub>"),
    };
    out
}
