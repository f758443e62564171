//! A plan as text for people: what happens first, commands after it, destroys once more at the end.
//!
//! The text carries ANSI colours; the edge strips them where they do not belong. Colour never carries
//! meaning alone: every change has a symbol and a word.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use crate::inventory::model::Effect;
use crate::observed::Kind;

use super::drift::{Left, Why};
use super::guard::{Verdict, way_through};
use super::impact::Class;
use super::model::{
    Action, Cause, DeviceChanges, DevicePlan, Held, ObjectChange, Option82Change, Outcome, Plan, Save, Saved, Summary,
    Unread,
};
use super::preview::Parts;
use super::waves::{Wave, rollout};

const ADD: Style = AnsiColor::Green.on_default();
const CHANGE: Style = AnsiColor::Yellow.on_default();
const DESTROY: Style = AnsiColor::Red.on_default().bold();
const WARN: Style = AnsiColor::Yellow.on_default();
const FAIL: Style = AnsiColor::Red.on_default().bold();
pub(super) const STRONG: Style = Style::new().bold();
pub(super) const FAINT: Style = Style::new().dimmed();

/// The most lines of somebody else's unsaved configuration that a plan prints.
const UNSAVED_LINES: usize = 20;

/// What is said where devices are as the inventory asks.
const NO_CHANGES: [&str; 2] = ["No changes.", "The devices match the inventory."];

/// Renders a whole plan.
#[must_use]
pub fn plan_text(plan: &Plan) -> String {
    let commit = plan
        .commit
        .as_deref()
        .map(|commit| format!(" at commit {commit}"))
        .unwrap_or_default();
    let devices = count(plan.devices.len(), "device");
    let words = Words {
        head: &format!("Inventory `{}`{commit}, {devices}.", plan.inventory),
        quiet: "In sync",
        nothing: NO_CHANGES,
    };
    page(plan, &words)
}

/// Renders the plan of an undo under a head line.
#[must_use]
pub fn undo_text(plan: &Plan, head: &str) -> String {
    let words = Words {
        head,
        quiet: "As it was before the run",
        nothing: [
            "Nothing to give back.",
            "The devices hold what they held before the run, or what was done since.",
        ],
    };
    page(plan, &words)
}

/// What plans of one sort are headed and closed with.
struct Words<'a> {
    head: &'a str,
    /// Before the devices of which there is nothing to say.
    quiet: &'a str,
    /// Where there is nothing to do.
    nothing: [&'a str; 2],
}

fn page(plan: &Plan, words: &Words<'_>) -> String {
    let mut out = format!("{}\n\n", words.head);
    let (quiet, loud): (Vec<&DevicePlan>, Vec<&DevicePlan>) = plan.devices.iter().partition(|d| has_nothing_to_say(d));
    for device in &loud {
        device_text(&mut out, device, None);
        out.push('\n');
    }
    if !quiet.is_empty() {
        let names: Vec<&str> = quiet.iter().map(|device| device.device.as_str()).collect();
        let _ = writeln!(out, "{}: {}.\n", words.quiet, names.join(", "));
    }
    closing(&mut out, plan, words.nothing);
    out
}

/// Closes a page about a plan of an inventory.
pub(super) fn closing_text(out: &mut String, plan: &Plan) {
    closing(out, plan, NO_CHANGES);
}

pub(super) fn has_nothing_to_say(device: &DevicePlan) -> bool {
    match &device.outcome {
        Outcome::Unread(_) => false,
        Outcome::Read(changes) => {
            changes.changes.is_empty()
                && changes.refusals.is_empty()
                && changes.notes.is_empty()
                && changes.unmanaged.is_empty()
                && changes.adopted.is_empty()
                && changes.held.is_none()
                && changes.waiting.is_none()
                && changes.left.is_empty()
                && changes.saved == Saved::Yes
        }
    }
}

/// One device; `parts`: its changes parted, where they are.
pub(super) fn device_text(out: &mut String, device: &DevicePlan, parts: Option<&Parts>) {
    let DevicePlan {
        device: key,
        address,
        model,
        outcome,
        ..
    } = device;
    match outcome {
        Outcome::Unread(Unread { reason, help, .. }) => {
            let _ = writeln!(out, "{STRONG}{key}{STRONG:#}  {model} at {address}");
            let _ = writeln!(out, "  {FAIL}! NOT READ{FAIL:#} {reason}");
            if let Some(help) = help {
                let _ = writeln!(out, "    help: {help}");
            }
        }
        Outcome::Read(changes) => {
            let _ = writeln!(
                out,
                "{STRONG}{key}{STRONG:#}  {model} at {address}, firmware {}",
                changes.firmware
            );
            changes_text(out, changes, parts);
        }
    }
}

fn changes_text(out: &mut String, device: &DeviceChanges, parts: Option<&Parts>) {
    for refusal in &device.refusals {
        let _ = writeln!(out, "  {FAIL}! REFUSED{FAIL:#}[{}] {}", refusal.rule, refusal.message);
        let _ = writeln!(out, "    help: {}", refusal.help);
    }
    match &device.held {
        Some(Held::Observe) if !device.changes.is_empty() => {
            let _ = writeln!(
                out,
                "  {WARN}observe only{WARN:#}: differences are shown, nothing is changed"
            );
        }
        Some(Held::Observe) => out.push_str("  observe only\n"),
        Some(Held::Paused(pauses)) => {
            for paused in pauses {
                let _ = writeln!(out, "  {WARN}paused{WARN:#}: {paused}; nothing is changed");
            }
        }
        None => {}
    }
    match parts {
        None => object_changes(out, &device.changes),
        Some(parts) => parted(out, parts),
    }
    left_text(out, &device.left);
    for (id, name) in &device.adopted {
        let _ = writeln!(
            out,
            "    adopt     {id} \"{name}\": it is there already and becomes managed"
        );
    }
    saved_text(out, device);
    if !device.unmanaged.is_empty() {
        let names: Vec<String> = device
            .unmanaged
            .iter()
            .map(|(id, name)| format!("{id} \"{name}\""))
            .collect();
        let _ = writeln!(out, "  {FAINT}unmanaged, left alone: {}{FAINT:#}", names.join(", "));
    }
    // A decision is worth a line where it comes to something.
    let decisions = if device.changes.is_empty() {
        &[]
    } else {
        device.decisions.as_slice()
    };
    for note in device.notes.iter().chain(decisions) {
        let _ = writeln!(out, "  note: {note}");
    }
    if !device.steps.is_empty() {
        let commands: usize = device.steps.iter().map(|step| step.commands.len()).sum();
        let _ = writeln!(out, "  {}, in this order:", count(commands, "command"));
        for step in &device.steps {
            for command in &step.commands {
                let why = if step.makes_room {
                    "   (makes room for a later step)"
                } else {
                    ""
                };
                let _ = writeln!(out, "    {command}{FAINT}{why}{FAINT:#}");
            }
        }
    }
    if let Some(closing) = &device.closing {
        let _ = writeln!(
            out,
            "  note: to be done before {} (window {})",
            closing.when, closing.window
        );
    }
    if let Some(waiting) = &device.waiting {
        let _ = writeln!(
            out,
            "  {WARN}waits until {}{WARN:#} (window {}), since subscribers would feel it:",
            waiting.when, waiting.window
        );
        if waiting.entire {
            out.push_str("    all of it, since what nobody would feel cannot be done without the rest\n");
        }
        match parts.map(|parts| &parts.waiting) {
            None => object_changes(out, &waiting.changes),
            Some([mine, also]) => {
                object_changes(out, mine);
                not_of_this_change(out, also, !mine.is_empty());
            }
        }
    }
}

/// What a change asks for, what is done anyway, and what is not done any more.
fn parted(out: &mut String, parts: &Parts) {
    object_changes(out, &parts.mine);
    not_of_this_change(out, &parts.also, parts.is_touched());
    if !parts.dropped.is_empty() {
        out.push_str("  no longer, because of this change:\n");
        object_changes(out, &parts.dropped);
    }
}

/// `headed`: whether the device stands under this change.
fn not_of_this_change(out: &mut String, changes: &[ObjectChange], headed: bool) {
    if headed && !changes.is_empty() {
        out.push_str("  not of this change, and applied with it:\n");
    }
    object_changes(out, changes);
}

fn object_changes(out: &mut String, changes: &[ObjectChange]) {
    let mut rest = changes;
    while let Some(first) = rest.first() {
        let alike = rest.iter().take_while(|other| is_alike(first, other)).count();
        let (group, after) = rest.split_at(alike.max(1));
        group_text(out, group);
        rest = after;
    }
}

/// Drift that is left as it is: what the device holds, what the inventory says, and why it stays.
fn left_text(out: &mut String, left: &[Left]) {
    for Left {
        kind, key, fields, why, ..
    } in left
    {
        let what = format!("{kind}/{key}");
        let fields: Vec<String> = (fields.iter())
            .map(|field| {
                let (held, wanted) = (or_none(&field.before), or_none(&field.after));
                format!("{}: {held} (inventory: {wanted})", field.field)
            })
            .collect();
        let fields = if fields.is_empty() {
            "gone".to_owned()
        } else {
            fields.join(", ")
        };
        let (word, because) = match why {
            Why::Ignored { reason, ends, .. } => ("IGNORED", format!("until {ends}: {reason}")),
            Why::Reported => (
                "LEFT   ",
                "changed on the device behind gamops's back, and only reported".to_owned(),
            ),
            Why::ToAdopt => (
                "LEFT   ",
                "changed on the device behind gamops's back, and to come into the inventory".to_owned(),
            ),
            Why::LeftToPeople => ("LEFT   ", "changed again and again, and left to people".to_owned()),
        };
        let _ = writeln!(
            out,
            "  {WARN}= {word}{WARN:#}  {what:<28} {fields}\n             {because}"
        );
    }
}

fn saved_text(out: &mut String, device: &DeviceChanges) {
    match (&device.saved, device.save) {
        (Saved::No { .. } | Saved::Unknown, Save::Ours) => {
            out.push_str("  * SAVE     an earlier run was cut off before it saved: checked again, then saved\n");
        }
        (Saved::No { ours: true, .. } | Saved::Yes, _) => {}
        (
            Saved::No {
                ours: false,
                overwritten,
                difference,
            },
            save,
        ) => {
            let what = match save {
                Save::AfterChanges if *overwritten => "overwritten by the changes of this plan",
                Save::ByPolicy => "saved, as `policies.unsaved: save` says",
                Save::AfterChanges => "saved together with the changes of this plan",
                Save::No | Save::Ours => "left as it is (`policies.unsaved`)",
            };
            let _ = writeln!(
                out,
                "  {WARN}* UNSAVED{WARN:#}  configuration that a reboot would lose; {what}:"
            );
            for line in difference.iter().take(UNSAVED_LINES) {
                let _ = writeln!(out, "      {line}");
            }
            if difference.len() > UNSAVED_LINES {
                let _ = writeln!(
                    out,
                    "      ... and {} more",
                    count(difference.len() - UNSAVED_LINES, "line")
                );
            }
        }
        // Without changes nobody saves; with them the save makes a startup configuration to look at.
        (Saved::Unknown, Save::AfterChanges) => {}
        (Saved::Unknown, _) => out.push_str("  note: the device did not show its startup configuration\n"),
    }
}

/// Whether two neighbouring changes read the same but for the object's name.
fn is_alike(a: &ObjectChange, b: &ObjectChange) -> bool {
    a.action == Action::Update
        && b.action == Action::Update
        && a.kind == b.kind
        && a.fields == b.fields
        && a.cause == b.cause
        && a.impact.class == b.impact.class
        && a.option82.is_empty()
        && b.option82.is_empty()
}

fn group_text(out: &mut String, group: &[ObjectChange]) {
    let Some(first) = group.first() else { return };
    let (style, symbol, word) = match first.action {
        Action::Create => (ADD, '+', "CREATE "),
        Action::Update => (CHANGE, '~', "UPDATE "),
        Action::Destroy => (DESTROY, '-', "DESTROY"),
    };
    let what = if group.len() == 1 {
        format!("{}/{}", first.kind, first.key)
    } else {
        format!("{} {}s alike", group.len(), first.kind)
    };
    let _ = writeln!(
        out,
        "  {style}{symbol} {word}{style:#}  {what:<28} {}",
        fields_text(first).trim_end()
    );
    if group.len() > 1 {
        let keys: Vec<&str> = group.iter().map(|change| change.key.as_str()).collect();
        let _ = writeln!(out, "             {}", keys.join(", "));
    }
    if first.impact.class != Class::None {
        let mut concerned: Vec<&str> = group
            .iter()
            .flat_map(|change| &change.subscribers)
            .map(String::as_str)
            .collect();
        concerned.sort_unstable();
        concerned.dedup();
        let longest = group.iter().map(|change| change.estimate).max().flatten();
        let style = if first.impact.class >= Class::Outage {
            WARN
        } else {
            Style::new()
        };
        let _ = writeln!(
            out,
            "             impact: {style}{}{style:#} ({}){} for {}",
            first.impact.class.word(),
            first.impact.evidence,
            longest.map(|estimate| format!(", {estimate},")).unwrap_or_default(),
            some_of(&concerned)
        );
    }
    option82_text(out, first);
    match first.cause {
        Cause::Drift => out.push_str("             cause: changed on the device behind gamops's back\n"),
        Cause::Both => out.push_str("             cause: changed on the device and in the inventory\n"),
        Cause::Adoption => out.push_str("             cause: it was there before gamops managed it\n"),
        Cause::Inventory | Cause::Undo => {}
    }
}

/// How many subscribers' circuit ids are shown with an object that carries them.
const CIRCUIT_IDS: usize = 3;

fn option82_text(out: &mut String, change: &ObjectChange) {
    let word = |id: &Option<String>| id.clone().unwrap_or_else(|| "none".to_owned());
    for one in change.option82.iter().take(CIRCUIT_IDS) {
        let Option82Change {
            subscriber,
            before,
            after,
        } = one;
        // With another object than the subscriber it has to be said whose they are.
        let of = match change.kind {
            Kind::Subscriber => String::new(),
            _ => format!(" of {subscriber}"),
        };
        if before.remote_id != after.remote_id {
            let _ = writeln!(
                out,
                "             option 82 remote id{of}: {} -> {}",
                before.remote_id, after.remote_id
            );
        }
        if before.circuit_id != after.circuit_id {
            let (before, after) = (word(&before.circuit_id), word(&after.circuit_id));
            let _ = writeln!(out, "             option 82 circuit id{of}: {before} -> {after}");
        }
    }
    let more = change.option82.len().saturating_sub(CIRCUIT_IDS);
    if more > 0 {
        let _ = writeln!(out, "             and {} like these", count(more, "circuit id"));
    }
}

fn or_none(value: &str) -> &str {
    if value.is_empty() { "none" } else { value }
}

/// The fields of a change in words.
pub(super) fn fields_text(change: &ObjectChange) -> String {
    let words: Vec<String> = change
        .fields
        .iter()
        .filter(|field| change.action == Action::Update || !(field.field == "name" && is_named_by(change, field)))
        .map(|field| match change.action {
            Action::Create => format!("{} {}", field.field, field.after),
            Action::Destroy => format!("{} {}", field.field, field.before),
            Action::Update => format!(
                "{}: {} -> {}",
                field.field,
                or_none(&field.before),
                or_none(&field.after)
            ),
        })
        .collect();
    words.join(", ")
}

/// Whether the name on the device only repeats the key.
fn is_named_by(change: &ObjectChange, field: &super::model::FieldChange) -> bool {
    field.before == change.key || field.after == change.key
}

fn closing(out: &mut String, plan: &Plan, [nothing, why]: [&str; 2]) {
    let summary = plan.summary();
    let saves = plan
        .read()
        .filter(|device| device.is_actionable() && matches!(device.save, Save::Ours | Save::ByPolicy))
        .count();
    if plan.is_actionable() {
        legend(out, plan);
        let _ = write!(out, "{STRONG}{}{STRONG:#}", summary_line(summary));
        if saves > 0 {
            let _ = write!(out, " {} to save.", count(saves, "device"));
        }
        out.push('\n');
        impact_line(out, plan);
        waves(out, plan);
        destroys(out, plan);
    } else if plan.has_unread() || plan.has_refusals() {
        out.push_str("Nothing to apply.\n");
    } else if plan.waiting().next().is_some() {
        out.push_str("Nothing to apply now.\n");
    } else if plan.read().any(|device| !device.changes.is_empty()) {
        out.push_str("Nothing to apply: every difference is on a device that is observed only or paused.\n");
    } else {
        let why = match plan.read().any(|device| !device.left.is_empty()) {
            true => format!("{}, but for drift that is left as it is.", why.trim_end_matches('.')),
            false => (*why).to_owned(),
        };
        let _ = writeln!(out, "{STRONG}{nothing}{STRONG:#} {why}");
    }
    for note in &plan.notes {
        let _ = writeln!(out, "note: {note}");
    }
    guards(out, plan);
    waiting_line(out, plan);
    let unread: Vec<&str> = names(plan, |device| matches!(device.outcome, Outcome::Unread(_)));
    if !unread.is_empty() {
        let _ = writeln!(
            out,
            "{FAIL}Not read:{FAIL:#} {}. Nothing is planned for what could not be read.",
            unread.join(", ")
        );
    }
    let refused: Vec<&str> = names(
        plan,
        |device| matches!(&device.outcome, Outcome::Read(changes) if changes.is_refused()),
    );
    if !refused.is_empty() {
        let _ = writeln!(
            out,
            "{FAIL}Refused:{FAIL:#} {}. Nothing is changed there.",
            refused.join(", ")
        );
    }
}

fn guards(out: &mut String, plan: &Plan) {
    for trip in &plan.trips {
        let (guard, message) = (trip.guard.word(), trip.message());
        match trip.verdict {
            Verdict::Allowed(source) => {
                let said = trip.needs().map(|needs| source.written(needs)).unwrap_or_default();
                let _ = writeln!(out, "{WARN}Guard {guard}:{WARN:#} {message}; allowed by `{said}`.");
            }
            Verdict::Refused | Verdict::OtherNumber(..) => {
                let _ = writeln!(out, "{FAIL}Refused by guard {guard}:{FAIL:#} {message}.");
            }
        }
        if let Some(note) = trip.note() {
            let _ = writeln!(out, "  note: {note}");
        }
    }
    if let Some(way) = way_through(&plan.trips) {
        let _ = writeln!(out, "  help: {way}");
    }
    for ruling in &plan.rulings {
        let (rule, words) = (&ruling.rule, ruling.words());
        let words = words.trim_end_matches('.');
        match ruling.effect {
            Effect::Refuse => {
                let _ = writeln!(out, "{FAIL}Refused by rule {rule}:{FAIL:#} {words}.");
            }
            Effect::Warn => {
                let _ = writeln!(out, "{WARN}Warning by rule {rule}:{WARN:#} {words}.");
            }
        }
    }
}

fn waiting_line(out: &mut String, plan: &Plan) {
    let changes = plan.waiting().map(|waiting| waiting.changes.len()).sum();
    if let Some(first) = plan.waiting().min_by_key(|waiting| waiting.opening) {
        let devices = plan.waiting().count();
        let _ = writeln!(
            out,
            "{WARN}Waiting:{WARN:#} {} on {}, the first until {} (window {}).",
            count(changes, "change"),
            count(devices, "device"),
            first.when,
            first.window
        );
    }
    if plan.windows_ignored {
        let _ = writeln!(out, "{WARN}Maintenance windows are ignored, as asked.{WARN:#}");
    }
}

fn names(plan: &Plan, keep: impl Fn(&DevicePlan) -> bool) -> Vec<&str> {
    plan.devices
        .iter()
        .filter(|device| keep(device))
        .map(|device| device.device.as_str())
        .collect()
}

/// `Plan: 1 to add, 2 to change, 0 to destroy.`, worded so that bots which read other tools' plans read it too.
#[must_use]
pub fn summary_line(summary: Summary) -> String {
    format!(
        "Plan: {} to add, {} to change, {} to destroy.",
        summary.add, summary.change, summary.destroy
    )
}

fn legend(out: &mut String, plan: &Plan) {
    let used = |action: Action| actionable(plan).any(|change| change.action == action);
    let words = [
        (Action::Create, "+ create"),
        (Action::Update, "~ update in place"),
        (Action::Destroy, "- destroy"),
    ];
    let words: Vec<&str> = words
        .into_iter()
        .filter(|(action, _)| used(*action))
        .map(|(_, word)| word)
        .collect();
    if !words.is_empty() {
        let _ = writeln!(out, "{FAINT}Symbols: {}{FAINT:#}", words.join(", "));
    }
}

fn actionable(plan: &Plan) -> impl Iterator<Item = &ObjectChange> {
    plan.read()
        .filter(|device| device.is_actionable())
        .flat_map(|device| &device.changes)
}

fn impact_line(out: &mut String, plan: &Plan) {
    let _ = writeln!(out, "Impact: {}", plan.impact());
}

fn waves(out: &mut String, plan: &Plan) {
    let rollout = rollout(plan);
    if rollout.waves.len() < 2 {
        return;
    }
    let (canaries, rest): (Vec<&Wave>, Vec<&Wave>) = rollout.waves.iter().partition(|wave| wave.canary);
    let mut parts: Vec<String> = (canaries.iter())
        .map(|wave| {
            let what = if wave.devices.len() == 1 { "canary" } else { "canaries" };
            format!("{} {what}", wave.devices.len())
        })
        .collect();
    let largest = rest.iter().map(|wave| wave.devices.len()).max().unwrap_or_default();
    let all_alike = rest.iter().all(|wave| wave.devices.len() == largest);
    let up_to = if all_alike { "" } else { "up to " };
    if !rest.is_empty() {
        parts.push(format!("{} of {up_to}{largest}", count(rest.len(), "wave")));
    }
    let apart = match rollout.pause.is_zero() {
        true => String::new(),
        false => format!(", {} apart", rollout.pause),
    };
    let _ = writeln!(
        out,
        "Waves: {}{apart}; each begins only if every device of the one before is fine.",
        parts.join(", then ")
    );
    for (number, wave) in rollout.waves.iter().enumerate() {
        let names: Vec<&str> = wave.devices.iter().map(String::as_str).collect();
        let _ = writeln!(
            out,
            "  {:>2}{}  {}",
            number + 1,
            if wave.canary { " (canary)" } else { "         " },
            some_of(&names)
        );
    }
}

fn destroys(out: &mut String, plan: &Plan) {
    let gone: Vec<&ObjectChange> = actionable(plan)
        .filter(|change| change.action == Action::Destroy)
        .collect();
    if gone.is_empty() {
        return;
    }
    let _ = writeln!(out, "{DESTROY}Destroyed by this plan:{DESTROY:#}");
    for change in gone {
        let _ = writeln!(
            out,
            "  {DESTROY}-{DESTROY:#} {}  {}",
            change.address,
            fields_text(change)
        );
    }
}

/// The first names of a list, and how many more there are.
#[must_use]
pub fn some_of(names: &[&str]) -> String {
    const SHOWN: usize = 5;
    match names {
        [] => "nobody".to_owned(),
        names if names.len() <= SHOWN => names.join(", "),
        names => format!("{} and {} more", names[..SHOWN].join(", "), names.len() - SHOWN),
    }
}

/// `1 device`, `2 devices`.
#[must_use]
pub fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}
