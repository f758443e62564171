//! Subscribers that move from one device to another: made and verified there before they are removed here.
//!
//! Devices are planned one by one; this is the one thing that ties them together. What would leave a subscriber on
//! neither device holds back the device that would lose it.

use std::collections::{BTreeMap, BTreeSet};

use crate::inventory::model::{Inventory, Subscriber};
use crate::observed::Kind;

use super::model::{Action, DeviceChanges, Outcome, Plan};
use super::resolve::Refusal;

/// The rule under which a device is held back because of a move.
pub const INCOMPLETE: &str = "move-incomplete";

/// A subscriber that one device loses because the inventory has it on another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Move {
    /// Subscriber key, as it is now.
    pub subscriber: String,
    /// The device that loses it.
    pub from: String,
    /// The device that the inventory has it on.
    pub to: String,
}

/// Under which key, and on which device, an inventory has a subscriber that it knows, or once knew, by this key.
#[must_use]
pub fn home<'i>(inventory: &'i Inventory, key: &str) -> Option<(&'i str, &'i str)> {
    let subscribers = &inventory.subscribers;
    let was = |one: &&Subscriber| one.was.as_deref() == Some(key);
    let subscriber = subscribers.get(key).or_else(|| subscribers.values().find(was))?;
    Some((&subscriber.key, &subscriber.device))
}

/// The moves that a plan would carry out the losing half of. `home` tells under which key and on which device the
/// inventory has a subscriber that it knew by this key.
#[must_use]
pub fn moves<'h>(plan: &Plan, home: impl Fn(&str) -> Option<(&'h str, &'h str)>) -> Vec<Move> {
    let mut moves = Vec::new();
    for device in &plan.devices {
        let Outcome::Read(changes) = &device.outcome else {
            continue;
        };
        for subscriber in subscribers(changes, Action::Destroy).filter(|_| changes.is_actionable()) {
            if let Some((key, to)) = home(subscriber).filter(|(_, to)| *to != device.device) {
                moves.push(Move {
                    subscriber: key.to_owned(),
                    from: device.device.clone(),
                    to: to.to_owned(),
                });
            }
        }
    }
    moves
}

/// Refuses every device that would lose a subscriber which its new device cannot be given in this run. `settled` are
/// the moves whose subscriber is known to be on its new device since an earlier run.
pub fn hold_back(plan: &mut Plan, settled: &BTreeSet<Move>) {
    let moves = &plan.moves.clone();
    // A device that is held back gains nothing either, so this goes on until no other is found.
    loop {
        let found = moves
            .iter()
            .filter(|one| !settled.contains(*one) && changes_of(plan, &one.from).is_some_and(|from| !from.is_refused()))
            .find_map(|one| Some((one.clone(), obstacle(plan, one)?)));
        let circle = || circle(plan, moves).map(|one| (one, "while others move the other way".to_owned()));
        let Some((one, why)) = found.or_else(circle) else {
            break;
        };
        refuse(plan, &one, &why);
    }
    for one in waiting(plan, moves) {
        if let Some(changes) = changes_of_mut(plan, &one.from) {
            changes.notes.push(format!(
                "subscriber `{}` moves to `{}`: this device is changed after that one was verified",
                one.subscriber, one.to
            ));
        }
    }
}

/// Devices of a plan in the order in which they may be changed: each stage after the one before it.
#[must_use]
pub fn stages<'d>(plan: &Plan, devices: &'d [String]) -> Vec<Vec<&'d str>> {
    let waiting = waiting(plan, &plan.moves);
    let mut left: BTreeSet<&str> = devices.iter().map(String::as_str).collect();
    let mut stages = Vec::new();
    while !left.is_empty() {
        let waits = |device: &str| {
            waiting
                .iter()
                .any(|one| one.from == device && left.contains(one.to.as_str()))
        };
        let mut stage: Vec<&str> = left.iter().copied().filter(|device| !waits(device)).collect();
        if stage.is_empty() {
            // Circles were refused, and what is refused waits for nothing.
            stage = left.iter().copied().collect();
        }
        left.retain(|device| !stage.contains(device));
        stages.push(stage);
    }
    stages
}

/// Why a device must not lose a subscriber, as a refusal. `why` completes "it moves to `harbour`, ...".
#[must_use]
pub fn incomplete(one: &Move, why: &str) -> Refusal {
    Refusal {
        rule: INCOMPLETE,
        message: format!(
            "subscriber `{}` moves to `{}`, {why}: for a time, or for good, it would be on neither device",
            one.subscriber, one.to
        ),
        help: format!(
            "bring it there first, `gamops apply --target {}/subscriber/{}`, then apply the rest",
            one.to, one.subscriber
        ),
    }
}

/// The moves of which both halves are in this plan.
pub(super) fn waiting<'m>(plan: &Plan, moves: &'m [Move]) -> Vec<&'m Move> {
    let is_made = |one: &Move| {
        changes_of(plan, &one.to)
            .is_some_and(|to| to.is_actionable() && subscribers(to, Action::Create).any(|key| key == one.subscriber))
    };
    let is_lost = |one: &Move| changes_of(plan, &one.from).is_some_and(DeviceChanges::is_actionable);
    moves.iter().filter(|one| is_lost(one) && is_made(one)).collect()
}

/// What keeps a subscriber from its new device in this run. `None`: it is there, or will be.
fn obstacle(plan: &Plan, one: &Move) -> Option<String> {
    let Some(device) = plan.devices.iter().find(|device| device.device == one.to) else {
        return Some("which this run leaves out".to_owned());
    };
    let changes = match &device.outcome {
        Outcome::Unread(_) => return Some("which could not be read".to_owned()),
        Outcome::Read(changes) => changes,
    };
    let is_there = changes.records.iter().any(|record| {
        record.kind() == Kind::Subscriber
            && record.key == one.subscriber
            && changes.observed.object(record.object).is_some()
    });
    if is_there || changes.is_actionable() && subscribers(changes, Action::Create).any(|key| key == one.subscriber) {
        None
    } else if changes.held.is_some() {
        Some("which is observed only or paused".to_owned())
    } else if !changes.refusals.is_empty() {
        Some("where changes are refused".to_owned())
    } else {
        Some("which this run does not bring it to".to_owned())
    }
}

/// A move that waits for itself by way of others.
fn circle(plan: &Plan, moves: &[Move]) -> Option<Move> {
    let waiting = waiting(plan, moves);
    let mut after: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for one in &waiting {
        after.entry(&one.from).or_default().insert(&one.to);
    }
    let leads_back = |one: &&&Move| {
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let mut open = vec![one.to.as_str()];
        while let Some(device) = open.pop() {
            if device == one.from {
                return true;
            }
            if seen.insert(device) {
                open.extend(after.get(device).into_iter().flatten());
            }
        }
        false
    };
    waiting.iter().find(leads_back).map(|one| (*one).clone())
}

fn refuse(plan: &mut Plan, one: &Move, why: &str) {
    if let Some(changes) = changes_of_mut(plan, &one.from) {
        changes.refusals.push(incomplete(one, why));
        changes.steps.clear();
    }
}

fn subscribers(changes: &DeviceChanges, action: Action) -> impl Iterator<Item = &str> {
    changes
        .changes
        .iter()
        .filter(move |change| change.kind == Kind::Subscriber && change.action == action)
        .map(|change| change.key.as_str())
}

fn changes_of<'p>(plan: &'p Plan, key: &str) -> Option<&'p DeviceChanges> {
    plan.devices
        .iter()
        .find(|device| device.device == key)
        .and_then(|device| match &device.outcome {
            Outcome::Read(changes) => Some(&**changes),
            Outcome::Unread(_) => None,
        })
}

fn changes_of_mut<'p>(plan: &'p mut Plan, key: &str) -> Option<&'p mut DeviceChanges> {
    plan.devices
        .iter_mut()
        .find(|device| device.device == key)
        .and_then(|device| match &mut device.outcome {
            Outcome::Read(changes) => Some(&mut **changes),
            Outcome::Unread(_) => None,
        })
}
