//! Whether a plan that was kept still fits: what moved since it was made, device by device.

use std::fmt;

use super::json::{DeviceJson, LeftJson, PlanJson, ResourceChangeJson, WaitingJson};
use super::unsaved::difference;

/// Something that is no longer as it was when a plan was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moved {
    /// The inventory has no such device any more.
    Gone,
    /// The device cannot be read now.
    Unread {
        /// Why.
        reason: String,
    },
    /// The device is said to be, or is, another one.
    Identity {
        /// What of it: `address`, `model`, `MAC`, `host key` or `firmware`.
        what: &'static str,
        /// What it was.
        planned: String,
        /// What it is.
        now: String,
    },
    /// The inventory asks for something else.
    Inventory {
        /// The commit that was planned.
        planned: Option<String>,
        /// The commit that is here.
        now: Option<String>,
    },
    /// The device runs another configuration.
    Running {
        /// The lines that differ: `-` as planned, `+` now. Secrets masked.
        difference: Vec<String>,
    },
    /// What the device would load at boot is something else.
    Startup,
    /// gamops owns something else there: another run came between.
    Records,
    /// The device's maintenance window has closed, or has opened.
    Window {
        /// What waits now, as it is said; `None` where nothing does any more.
        waits: Option<String>,
    },
    /// An ignore rule has come to its end, or drift that is ignored has changed.
    Ignored {
        /// What is ignored now, in words; `None` where nothing is.
        now: Option<String>,
    },
    /// It was paused, or a pause of it has ended.
    Paused {
        /// The pauses that hold it back now, in words; `None` where none does any more.
        by: Option<String>,
    },
    /// Something stands in the way that did not.
    Refused {
        /// The rule.
        rule: String,
        /// What it says.
        message: String,
    },
    /// All that is known is as it was, and yet other commands come of it.
    Commands {
        /// Version of gamops that made the plan.
        planned_by: String,
    },
}

impl fmt::Display for Moved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let commit = |commit: &Option<String>| match commit {
            Some(commit) => format!("commit {commit}"),
            None => "files outside Git".to_owned(),
        };
        match self {
            Self::Gone => f.write_str("it has left the inventory"),
            Self::Unread { reason } => write!(f, "it cannot be read now: {reason}"),
            Self::Identity { what, planned, now } => write!(f, "its {what} was {planned} and is {now} now"),
            Self::Inventory { planned, now } if planned == now => {
                write!(f, "the inventory asks for something else, still at {}", commit(now))
            }
            Self::Inventory { planned, now } => write!(
                f,
                "the inventory asks for something else: planned at {}, here is {}",
                commit(planned),
                commit(now)
            ),
            Self::Running { .. } => f.write_str("the device was changed after it was planned (- planned, + now):"),
            Self::Startup => {
                f.write_str("the device was saved, or its startup configuration changed, after it was planned")
            }
            Self::Records => f.write_str("what gamops owns there changed: another run came between"),
            Self::Window { waits: Some(waits) } => write!(f, "its maintenance window is closed now: {waits}"),
            Self::Window { waits: None } => {
                f.write_str("its maintenance window is open now: what waited when it was planned can be done")
            }
            Self::Ignored { now: Some(now) } => write!(f, "other drift on it is ignored now: {now}"),
            Self::Ignored { now: None } => f.write_str("no drift on it is ignored any more: an ignore rule has ended"),
            Self::Paused { by: Some(by) } => write!(f, "it is paused now: {by}"),
            Self::Paused { by: None } => f.write_str("it is paused no longer"),
            Self::Refused { rule, message } => write!(f, "changes are refused now[{rule}]: {message}"),
            Self::Commands { planned_by } => write!(
                f,
                "other commands come of it now: gamops {planned_by} made the plan, this is {}; or what the firmware knows was learned since",
                env!("CARGO_PKG_VERSION")
            ),
        }
    }
}

impl Moved {
    /// The lines that show it, where there are any.
    #[must_use]
    pub fn lines(&self) -> &[String] {
        match self {
            Self::Running { difference } => difference,
            _ => &[],
        }
    }
}

/// What moved on one device between a plan and the same plan made again. Empty: it comes to the same, byte for
/// byte.
///
/// A device that neither plan holds has not moved.
#[must_use]
pub fn moved(planned: &PlanJson, now: &PlanJson, device: &str) -> Vec<Moved> {
    let (then, again) = match (planned.device(device), now.device(device)) {
        (None, None) => return Vec::new(),
        (Some(then), Some(again)) => (then, again),
        _ => return vec![Moved::Gone],
    };
    if let ("unread", Some(reason)) = (again.status.as_str(), &again.reason) {
        return vec![Moved::Unread { reason: reason.clone() }];
    }
    let mut moved: Vec<Moved> = identity(then, again).collect();
    if then.inventory_fingerprint != again.inventory_fingerprint {
        moved.push(Moved::Inventory {
            planned: planned.commit.clone(),
            now: now.commit.clone(),
        });
    }
    if then.observed_fingerprint != again.observed_fingerprint {
        let text = |lines: &[String]| -> String { lines.iter().map(|line| format!("{line}\n")).collect() };
        moved.push(Moved::Running {
            difference: difference(&text(&then.running), &text(&again.running)),
        });
    } else if (&then.unsaved.state, &then.unsaved.difference) != (&again.unsaved.state, &again.unsaved.difference) {
        moved.push(Moved::Startup);
    }
    if then.records_fingerprint != again.records_fingerprint {
        moved.push(Moved::Records);
    }
    if then.pauses.is_empty() != again.pauses.is_empty() {
        let by = again.reason.clone().filter(|_| !again.pauses.is_empty());
        moved.push(Moved::Paused { by });
    }
    if then.waiting.is_some() != again.waiting.is_some() {
        let waits = |waiting: &WaitingJson| {
            format!(
                "{} waits until {} (window {})",
                waiting.addresses.join(", "),
                waiting.text,
                waiting.window
            )
        };
        moved.push(Moved::Window {
            waits: again.waiting.as_ref().map(waits),
        });
    }
    if moved.is_empty() && left(then) != left(again) {
        let addresses: Vec<&str> = left(again).iter().map(|left| left.address.as_str()).collect();
        moved.push(Moved::Ignored {
            now: (!addresses.is_empty()).then(|| addresses.join(", ")),
        });
    }
    let stands_in_the_way = again.refusals.iter().find(|refusal| !then.refusals.contains(refusal));
    moved.extend(stands_in_the_way.map(|refusal| Moved::Refused {
        rule: refusal.rule.clone(),
        message: refusal.message.clone(),
    }));
    let same = timeless(then) == timeless(again) && changes(planned, device).eq(changes(now, device));
    if moved.is_empty() && !same {
        moved.push(Moved::Commands {
            planned_by: planned.gamops_version.clone(),
        });
    }
    moved
}

/// A device's entry but for moments, such as the next opening of a window, which is another one the day after; and but for why
/// it is paused, which is nobody's plan.
fn timeless(device: &DeviceJson) -> DeviceJson {
    let mut device = device.clone();
    device.window_closes = None;
    if let Some(waiting) = &mut device.waiting {
        for moment in [&mut waiting.from, &mut waiting.until, &mut waiting.text] {
            moment.clear();
        }
    }
    if ["waiting", "paused"].contains(&device.status.as_str()) {
        device.reason = None;
    }
    device.pauses.clear();
    // An older document does not have them.
    device.left.get_or_insert_default();
    device
}

/// Drift that is left as it is on a device. A document of 1.0 knows none.
fn left(device: &DeviceJson) -> &[LeftJson] {
    device.left.as_deref().unwrap_or_default()
}

fn identity<'d>(then: &'d DeviceJson, again: &'d DeviceJson) -> impl Iterator<Item = Moved> + use<'d> {
    let unknown = || "unknown".to_owned();
    let known = move |value: &Option<String>| value.clone().unwrap_or_else(unknown);
    [
        ("address", then.address.clone(), again.address.clone()),
        ("model", then.model.clone(), again.model.clone()),
        ("MAC", known(&then.mac), known(&again.mac)),
        ("host key", known(&then.host_key), known(&again.host_key)),
        ("firmware", known(&then.firmware), known(&again.firmware)),
    ]
    .into_iter()
    .filter(|(_, planned, now)| planned != now)
    .map(|(what, planned, now)| Moved::Identity { what, planned, now })
}

/// A device's changes. How long they are felt is left out: an apply elsewhere may have measured that better since.
fn changes<'p>(plan: &'p PlanJson, device: &'p str) -> impl Iterator<Item = ResourceChangeJson> {
    let of_device = plan
        .resource_changes
        .iter()
        .filter(move |change| change.device == device);
    of_device.cloned().map(|mut change| {
        (change.impact.est_seconds, change.impact.est_basis) = (None, None);
        change
    })
}
