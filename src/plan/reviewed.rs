//! Whether a plan is bigger than the one that people reviewed.
//!
//! What a reviewer was shown of each device is put on an account. What commits ask of the device and was not applied yet is set
//! against it: more objects, or more of them destroyed, and the device is left as it is. What somebody changed on a device by hand
//! counts on neither side.

mod comment;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::inventory::model::Inventory;
use crate::observed::ObjectId;

use super::guard::{Allow, Allowances, Source, Subject, Verdict};
use super::model::{Action, Cause, DeviceChanges, ObjectChange, Outcome, Plan};
use super::preview::Preview;
use super::resolve::Refusal;
use super::text::count;

pub use comment::{held_markdown, held_marker, released_markdown};

/// The rule under which a device is left as it is because its plan is bigger than the one that was reviewed.
pub const BIGGER: &str = "bigger-than-reviewed";

/// How much happens on a device.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Size {
    /// Objects that are made, changed or destroyed.
    pub objects: usize,
    /// Those of them that are destroyed.
    pub destroyed: usize,
}

impl Size {
    /// What commits ask of a device and was not applied yet, what waits for a window included.
    #[must_use]
    pub fn of(changes: &DeviceChanges) -> Self {
        let waiting = changes.waiting.iter().flat_map(|waiting| &waiting.changes);
        let all = changes.changes.iter().chain(waiting);
        Self::counted(all.filter(|change| change.cause != Cause::Drift))
    }

    /// An object counts once, however many parts its change has.
    fn counted<'c>(changes: impl Iterator<Item = &'c ObjectChange>) -> Self {
        let mut objects: BTreeSet<(&str, ObjectId)> = BTreeSet::new();
        let mut destroyed = objects.clone();
        for change in changes {
            objects.insert((&change.address, change.object));
            if change.action == Action::Destroy {
                destroyed.insert((&change.address, change.object));
            }
        }
        Self {
            objects: objects.len(),
            destroyed: destroyed.len(),
        }
    }

    const fn is_within(self, other: Self) -> bool {
        self.objects <= other.objects && self.destroyed <= other.destroyed
    }

    const fn is_nothing(self) -> bool {
        self.objects == 0
    }

    fn and(self, other: Self) -> Self {
        Self {
            objects: self.objects + other.objects,
            destroyed: self.destroyed + other.destroyed,
        }
    }

    fn or(self, other: Self) -> Self {
        Self {
            objects: self.objects.max(other.objects),
            destroyed: self.destroyed.max(other.destroyed),
        }
    }

    /// What allows it.
    const fn needs(self) -> Allow {
        Allow {
            subject: Subject::Unreviewed,
            count: self.objects,
        }
    }
}

impl fmt::Display for Size {
    /// `3 objects, 2 of them destroyed`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&count(self.objects, "object"))?;
        match self.destroyed {
            0 => f.write_str(", none destroyed"),
            all if all == self.objects => f.write_str(", destroyed"),
            some => write!(f, ", {some} of them destroyed"),
        }
    }
}

/// What a reviewer was shown of a device.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Shown {
    /// What the change asks for.
    pub change: Size,
    /// The same with what commits before it ask for and was not applied yet.
    pub all: Size,
}

/// The plan that people were shown of a change request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// The inventory's id.
    pub inventory: String,
    /// The change request.
    pub request: u64,
    /// Its last commit then, by its whole id.
    pub head: String,
    /// The devices on which something was to happen. Many have the same.
    shown: Vec<(Shown, Vec<String>)>,
}

impl Review {
    /// What a preview shows.
    #[must_use]
    pub fn of(preview: &Preview, request: u64, head: &str) -> Self {
        let mut shown: BTreeMap<Shown, Vec<String>> = BTreeMap::new();
        for (device, changes) in preview.plan.read_devices() {
            let all = Size::of(changes);
            let change = preview
                .parts(device)
                .map_or(all, |parts| Size::counted(parts.mine.iter().chain(&parts.waiting[0])));
            if !(change.is_nothing() && all.is_nothing()) {
                shown.entry(Shown { change, all }).or_default().push(device.to_owned());
            }
        }
        Self {
            inventory: preview.plan.inventory.clone(),
            request,
            head: head.to_owned(),
            shown: shown.into_iter().collect(),
        }
    }
}

/// How a device stands with the plans that were reviewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Account {
    /// Nothing is compared before it was once as it should be: what is asked of it is older than the comparing, or was let pass.
    Free,
    /// What was shown of it and may be applied. `held`: its plan was bigger than that, and how big.
    Counted { shown: Size, held: Option<Size> },
}

const NOTHING: Account = Account::Counted {
    shown: Size {
        objects: 0,
        destroyed: 0,
    },
    held: None,
};

/// What was found out about a device when a plan was made for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// Its plan is bigger than the one that was reviewed.
    Held(Size),
    /// So much is asked of it, and may be applied.
    Let(Size),
}

/// The accounts of all devices, by key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    accounts: BTreeMap<String, Account>,
    /// What keeps it from being known what was reviewed, in words.
    #[serde(skip)]
    pub doubt: Option<String>,
}

impl Ledger {
    /// Follows the inventory: devices come in with nothing on their account and leave with it. Those of the first inventory are not
    /// compared before they are once as they should be.
    pub fn follow(&mut self, inventory: &Inventory, is_first: bool) {
        let fresh = if is_first { Account::Free } else { NOTHING };
        for device in inventory.devices.values() {
            let before = device.was.as_deref().and_then(|was| self.accounts.remove(was));
            let fresh = before.unwrap_or(fresh);
            self.accounts.entry(device.key.clone()).or_insert(fresh);
        }
        self.accounts.retain(|key, _| inventory.devices.contains_key(key));
    }

    /// Puts on the accounts what was shown of a change that came into force. A device that was held back may be given all that
    /// was shown of it: whoever looked at the change saw that it was to be applied with it.
    pub fn add(&mut self, review: &Review) {
        for (shown, devices) in &review.shown {
            for device in devices {
                if let Some(Account::Counted { shown: before, held }) = self.accounts.get_mut(device) {
                    let sum = before.and(shown.change);
                    *before = if held.is_some() { sum.or(shown.all) } else { sum };
                }
            }
        }
    }

    /// Does not compare these devices before they are once as they should be.
    pub fn let_pass<'d>(&mut self, devices: impl IntoIterator<Item = &'d String>) {
        for device in devices {
            if let Some(account) = self.accounts.get_mut(device) {
                *account = Account::Free;
            }
        }
    }

    /// Notes what was found out. What was shown and is not needed any more lapses.
    pub fn settle(&mut self, found: &BTreeMap<String, Found>) {
        for (device, found) in found {
            match (self.accounts.get_mut(device), found) {
                (Some(Account::Counted { held, .. }), Found::Held(size)) => *held = Some(*size),
                (Some(account @ Account::Free), Found::Let(size)) if size.is_nothing() => *account = NOTHING,
                (Some(Account::Counted { shown, held }), Found::Let(size)) => {
                    (*shown, *held) = (*size, None);
                }
                (Some(Account::Free) | None, _) => {}
            }
        }
    }

    /// The devices whose plan was bigger than the one that was reviewed, and how big.
    pub fn held(&self) -> impl Iterator<Item = (&str, Size)> {
        self.accounts.iter().filter_map(|(device, account)| match account {
            Account::Counted { held, .. } => Some((device.as_str(), (*held)?)),
            Account::Free => None,
        })
    }

    /// What was shown of a device; `None` where it is not compared.
    fn shown(&self, device: &str) -> Option<Size> {
        match self.accounts.get(device)? {
            Account::Free => None,
            Account::Counted { shown, .. } => Some(*shown),
        }
    }
}

/// Refuses each device of a plan on which more would happen than was shown to those who reviewed it.
pub fn hold_back(plan: &mut Plan, ledger: &Ledger, allowances: &Allowances) {
    for device in &mut plan.devices {
        let Outcome::Read(changes) = &mut device.outcome else {
            continue;
        };
        // What stands in the way already is what has to be looked at first.
        if changes.held.is_some() || !changes.refusals.is_empty() {
            continue;
        }
        let size = Size::of(changes);
        let Some(shown) = ledger.shown(&device.device).filter(|shown| !size.is_within(*shown)) else {
            continue;
        };
        let verdict = allowances.verdict(size.needs());
        if !matches!(verdict, Verdict::Allowed(_)) {
            changes.refuse(refusal(&device.device, (size, shown), verdict, ledger.doubt.as_deref()));
        }
    }
}

/// What a plan shows of each device that was read, and that nothing else stands in the way of.
#[must_use]
pub fn found(plan: &Plan) -> BTreeMap<String, Found> {
    let of = |(device, changes): (&str, &DeviceChanges)| {
        let size = Size::of(changes);
        let found = match changes.refusals.first() {
            _ if changes.held.is_some() => return None,
            None => Found::Let(size),
            Some(refusal) if refusal.rule == BIGGER => Found::Held(size),
            Some(_) => return None,
        };
        Some((device.to_owned(), found))
    };
    plan.read_devices().filter_map(of).collect()
}

fn refusal(device: &str, (size, shown): (Size, Size), verdict: Verdict, doubt: Option<&str>) -> Refusal {
    let mut message = match shown.is_nothing() {
        true => format!("its plan was not reviewed: {size}"),
        false => format!("its plan is bigger than the one that was reviewed: {size}; shown were {shown}"),
    };
    if let Verdict::OtherNumber(given, source) = verdict {
        message.push_str(&format!("; `{}` was said for another plan", source.written(given)));
    }
    if let Some(doubt) = doubt {
        message.push_str(&format!("; {doubt}"));
    }
    Refusal {
        rule: BIGGER,
        message,
        help: help(device, size),
    }
}

/// What to do about it.
fn help(device: &str, size: Size) -> String {
    format!(
        "if that is meant: the line `{}` at the end of a commit's message, `gamops apply --target {device}` beside the daemon, or a change \
         request whose plan shows it",
        Source::Commit.written(size.needs())
    )
}

#[cfg(test)]
mod tests;
