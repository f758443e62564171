//! Messages as people read them: a line that says it all, and a page. Both are bounded, whatever happened.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::domain::{BillingKind, TimeSpan};

use super::model::{Event, Kind, Message, Turn};

/// How many devices are named for one kind of trouble.
const NAMED: usize = 20;

/// How many characters of a reason are shown in a list, and how many lines of one that stands alone.
const LINE: usize = 300;
const LINES: usize = 20;

/// How many characters a page has at most; chats take some 40,000.
const PAGE: usize = 20_000;

/// One line, for the subject of a mail.
#[must_use]
pub fn subject(message: &Message) -> String {
    let name = message
        .inventory
        .as_deref()
        .map(|id| format!(" {id}"))
        .unwrap_or_default();
    format!("[gamops{name}] {}", headline(&message.events))
}

fn headline(events: &[Event]) -> String {
    if let [event] = events {
        return headline_of_one(event);
    }
    let groups = groups(events);
    if let [((state, kind), events)] = &groups[..] {
        let things = things(events).map(|things| format!(": {things}")).unwrap_or_default();
        return format!("{}{things}", heading(*state, *kind));
    }
    let number = |state| events.iter().filter(|event| event.state == state).count();
    let parts = [
        (number(Turn::Raised), "alert", "alerts"),
        (number(Turn::Over), "recovery", "recoveries"),
        (number(Turn::Once), "notice", "notices"),
    ];
    let parts: Vec<String> = (parts.iter())
        .filter(|(number, ..)| *number > 0)
        .map(|(number, one, many)| format!("{number} {}", if *number == 1 { one } else { many }))
        .collect();
    parts.join(", ")
}

fn headline_of_one(event: &Event) -> String {
    let about = about(event);
    match (&about, &event.commit) {
        (Some(device), _) => match event.state {
            Turn::Over => format!("{device}: {} ({})", lower(over(event.kind)), line(&event.reason)),
            Turn::Raised | Turn::Once => format!("{device}: {}", raised(event.kind)),
        },
        (None, Some(commit)) if matches!(event.kind, Kind::CommitRejected | Kind::PlanRefused) => {
            format!("{commit}: {}", heading(event.state, event.kind))
        }
        (None, _) if event.kind == Kind::Applied => line(&event.reason),
        (None, _) => heading(event.state, event.kind).to_owned(),
    }
}

/// The device or the billing system that an event is about.
fn about(event: &Event) -> Option<String> {
    let billing = || event.billing.as_ref().map(BillingKind::to_string);
    event.device.clone().or_else(billing)
}

/// The page: for people, in plain text.
#[must_use]
pub fn body(message: &Message) -> String {
    let parts: Vec<String> = groups(&message.events).iter().map(section).collect();
    let mut by = vec![message.by.clone()];
    by.extend(message.inventory.as_ref().map(|id| format!("inventory `{id}`")));
    let commit = message.events.iter().rev().find_map(|event| event.commit.as_ref());
    by.extend(commit.map(|commit| format!("commit {commit}")));
    let foot = format!("\n\n{}. Times are UTC.\n", by.join(", "));
    let mut page = parts.join("\n\n");
    if let Some((end, _)) = page.char_indices().nth(PAGE) {
        page.truncate(end);
        page.push_str("…\n\nThe rest is left out: `gamops status` has it.");
    }
    page + &foot
}

/// The events by what happened, what matters most first.
fn groups(events: &[Event]) -> Vec<((Turn, Kind), Vec<&Event>)> {
    let mut groups: BTreeMap<(Turn, Kind), Vec<&Event>> = BTreeMap::new();
    for event in events {
        groups.entry((event.state, event.kind)).or_default().push(event);
    }
    groups.into_iter().collect()
}

fn section(((state, kind), events): &((Turn, Kind), Vec<&Event>)) -> String {
    let mut lines = vec![match kind {
        Kind::Applied | Kind::Test => format!("{}:", heading(*state, *kind)),
        kind => {
            let help = if *state == Turn::Raised { help(*kind) } else { "" };
            let things = things(events).map(|things| format!(": {things}")).unwrap_or_default();
            format!("{}{things}.{help}", heading(*state, *kind))
        }
    }];
    lines.extend(events.iter().take(NAMED).map(|event| item(event)));
    let more = events.len().saturating_sub(NAMED);
    lines.extend((more > 0).then(|| format!("- and {more} more")));
    lines.join("\n")
}

/// A heading within a line.
fn lower(heading: &str) -> String {
    let mut letters = heading.chars();
    let first = letters.next().map(|letter| letter.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}

/// How many of what, where the heading does not say it.
fn things(events: &[&Event]) -> Option<String> {
    let thing = match (events.first().map(|event| event.kind), events) {
        (Some(Kind::CommitRejected | Kind::PlanRefused), [event]) => {
            return Some(event.commit.clone().unwrap_or_else(|| "the folder as it is".to_owned()));
        }
        (Some(Kind::CommitRejected | Kind::PlanRefused), _) => "commit",
        (Some(Kind::RepositoryUnreachable), [_]) => return None,
        (Some(Kind::RepositoryUnreachable), _) => "time",
        (Some(Kind::Applied), _) => "run",
        (Some(Kind::Test), _) => "test",
        _ if events.iter().any(|event| event.billing.is_some()) => {
            let systems: BTreeSet<String> = events.iter().filter_map(|event| about(event)).collect();
            return Some(systems.into_iter().collect::<Vec<_>>().join(", "));
        }
        _ => "device",
    };
    Some(format!(
        "{} {thing}{}",
        events.len(),
        if events.len() == 1 { "" } else { "s" }
    ))
}

fn item(event: &Event) -> String {
    let site = event.site.as_ref().map(|site| format!(" ({site})")).unwrap_or_default();
    let device = about(event).map(|about| format!("{about}{site}"));
    match event.state {
        Turn::Over => {
            let what = device.map(|device| format!("{device}: now ")).unwrap_or_default();
            let lasted = length(event.at.duration_since(event.since).as_secs());
            format!("- {what}{}; it lasted {lasted}", line(&event.reason))
        }
        Turn::Raised => match device {
            Some(system) if event.billing.is_some() => {
                format!("{system}, since {}:\n{}", moment(event.since), page(&event.reason))
            }
            Some(device) => format!("- {device}, since {}: {}", moment(event.since), line(&event.reason)),
            None => format!("Since {}:\n{}", moment(event.since), page(&event.reason)),
        },
        Turn::Once => format!("- {}", line(&event.reason)),
    }
}

const fn heading(state: Turn, kind: Kind) -> &'static str {
    match (state, kind) {
        (Turn::Over, kind) => over(kind),
        (Turn::Raised | Turn::Once, Kind::Failed) => "Failed",
        (Turn::Raised | Turn::Once, Kind::LeftToPeople) => "Left to people",
        (Turn::Raised | Turn::Once, Kind::CommitRejected) => "Commit not valid",
        (Turn::Raised | Turn::Once, Kind::PlanRefused) => "Plan refused",
        (Turn::Raised | Turn::Once, Kind::Refused) => "Refused",
        (Turn::Raised | Turn::Once, Kind::RepositoryUnreachable) => "Repository not reached",
        (Turn::Raised | Turn::Once, Kind::Unreachable) => "Unreachable",
        (Turn::Raised | Turn::Once, Kind::Drifted) => "Drifted",
        (Turn::Raised | Turn::Once, Kind::BillingDistrusted) => "Billing not believed",
        (Turn::Raised | Turn::Once, Kind::BillingRefused) => "Billing refused by a limit",
        (Turn::Raised | Turn::Once, Kind::BillingUnreachable) => "Billing not reached",
        (Turn::Raised | Turn::Once, Kind::BillingUnwritten) => "Billing not written",
        (Turn::Raised | Turn::Once, Kind::BillingClock) => "Clock not sure",
        (Turn::Raised | Turn::Once, Kind::BillingConflict) => "Billing in conflict with what people wrote",
        (Turn::Raised | Turn::Once, Kind::BillingQuestion) => "Billing asks what only people know",
        (Turn::Raised | Turn::Once, Kind::BillingProposed) => "Billing proposes",
        (Turn::Raised | Turn::Once, Kind::Applied) => "Applied",
        (Turn::Raised | Turn::Once, Kind::Test) => "Test",
    }
}

/// What a device, or a billing system, is that has this trouble.
const fn raised(kind: Kind) -> &'static str {
    match kind {
        Kind::Failed => "a change failed",
        Kind::LeftToPeople => "left to people",
        Kind::Refused => "its changes are refused",
        Kind::Unreachable => "unreachable",
        Kind::Drifted => "drifted",
        Kind::BillingDistrusted => "not believed",
        Kind::BillingRefused => "refused by a limit",
        Kind::BillingUnreachable => "cannot be asked",
        Kind::BillingUnwritten => "what it says cannot be written",
        Kind::BillingClock => "its clock or ours is wrong",
        Kind::BillingConflict => "in conflict with what people wrote",
        Kind::BillingQuestion => "asks what only people know",
        Kind::BillingProposed => "changes are proposed",
        kind => heading(Turn::Raised, kind),
    }
}

const fn over(kind: Kind) -> &'static str {
    match kind {
        Kind::Failed => "No longer failed",
        Kind::LeftToPeople => "No longer left to people",
        Kind::CommitRejected => "Valid again",
        Kind::PlanRefused => "No longer refused by guards",
        Kind::Refused => "No longer refused",
        Kind::RepositoryUnreachable => "Repository reached again",
        Kind::Unreachable => "Answers again",
        Kind::Drifted => "No longer drifted",
        Kind::BillingDistrusted => "Believed again",
        Kind::BillingRefused => "No longer refused by a limit",
        Kind::BillingUnreachable => "Asked again",
        Kind::BillingUnwritten => "Written again",
        Kind::BillingClock => "Clock sure again",
        Kind::BillingConflict => "No longer in conflict",
        Kind::BillingQuestion => "No longer asks",
        Kind::BillingProposed => "No longer proposed",
        Kind::Applied | Kind::Test => "Over",
    }
}

/// What there is to do about it.
const fn help(kind: Kind) -> &'static str {
    match kind {
        Kind::Failed => {
            " What was held before was given back, as far as possible; the rest is left to people. `gamops history` has what was \
             sent. When all is well, `gamops reconcile`."
        }
        Kind::LeftToPeople => {
            " gamops does not try again by itself. When all is well, `gamops reconcile`; new credentials are noticed by themselves."
        }
        Kind::CommitRejected => " It changes nothing; the last good commit stays in force. Push one that is valid.",
        Kind::PlanRefused => {
            " Nothing of it is applied. Push a commit that asks for less, or one whose message allows it (`Gamops-Allow:`)."
        }
        Kind::Refused => " Nothing is sent there before a commit changes that.",
        Kind::RepositoryUnreachable => " What is in force stays in force.",
        Kind::Unreachable => " This is tried again by itself; what was missed comes then.",
        Kind::Drifted => " Somebody else made changes; `gamops plan` shows what differs.",
        Kind::BillingDistrusted => {
            " Nothing that it says is written, and customers stay as they are, until it is believed again or somebody says that it \
             is right: `gamops billing sync --allow`."
        }
        Kind::BillingRefused => {
            " Nothing of that kind is written. `gamops billing status` lists all of it, with the number as it is by then; if it is meant, \
             `gamops billing sync --allow` with that."
        }
        Kind::BillingUnreachable => {
            " Customers stay as they are. It is asked again by itself, and nothing that it told is lost."
        }
        Kind::BillingUnwritten => {
            " Customers stay as they are. This is tried again by itself, and nothing that it told is lost."
        }
        Kind::BillingClock => {
            " Meanwhile nobody is marked as over or removed, no VLAN has rested and no `hold` has ended."
        }
        Kind::BillingConflict => {
            " What people wrote stays. `gamops billing status` shows what gamops wrote last and what billing asks for."
        }
        Kind::BillingQuestion => {
            " Nothing is done for them before that. `gamops billing status` asks each question, with its choices."
        }
        Kind::BillingProposed => " It waits for people to merge it, or not; nothing else waits for it.",
        Kind::Applied | Kind::Test => "",
    }
}

/// A length of time in words; beyond two days the hours do not matter any more.
fn length(seconds: i64) -> String {
    const DAY: u32 = 24 * 3600;
    match u32::try_from(seconds.max(0)).unwrap_or(u32::MAX) {
        seconds if seconds < 2 * DAY => TimeSpan::from_secs(seconds).to_string(),
        seconds => format!("{} days", seconds / DAY),
    }
}

fn moment(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// A reason as part of a line.
fn line(reason: &str) -> String {
    let words: Vec<&str> = reason.split_whitespace().collect();
    let line = words.join(" ");
    match line.char_indices().nth(LINE) {
        None => line,
        Some((end, _)) => format!("{}…", line[..end].trim_end()),
    }
}

/// A reason that is a page of its own.
fn page(reason: &str) -> String {
    let lines: Vec<&str> = reason.trim_end().lines().collect();
    let shown = (lines.iter().take(LINES)).map(|line| match line.char_indices().nth(LINE) {
        None => (*line).to_owned(),
        Some((end, _)) => format!("{}…", &line[..end]),
    });
    let more = lines.len().saturating_sub(LINES);
    let mut shown: Vec<String> = shown.map(|line| format!("  {line}").trim_end().to_owned()).collect();
    shown.extend((more > 0).then(|| format!("  and {more} more lines: `gamops status`")));
    shown.join("\n")
}

#[cfg(test)]
mod tests;
