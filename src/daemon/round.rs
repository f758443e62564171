//! One round: plan what is due, judge it, apply it, and note how each device stands.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use tokio_util::sync::CancellationToken;

use crate::plan::drift::Leave;
use crate::plan::guard::{Allowances, way_through};
use crate::plan::model::{DeviceChanges, DevicePlan, Plan};
use crate::plan::reviewed::{self, Found, Ledger, Size};
use crate::plan::{Target, count};
use crate::reconcile::{
    Context, DeviceOutcome, DeviceResult, Events, Leaving, Orders, Parallelism, Planned, RunError, Sightings,
};
use crate::store::Store;
use crate::transport::credentials::{Keyring, SettingsError as KeyringError};

use super::adopt::{self, Desk, Proposed};
use super::force::InForce;
use super::settings::Settings;
use super::source::Source;
use super::standing::{Foreseen, IgnoredDrift, State, by_plan, by_result, ignored_on, only_drifted};

/// Why there is a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reason {
    /// Another inventory is in force.
    Commit,
    /// Somebody asked for it.
    Asked,
    /// It is time to look for drift.
    Drift,
    /// A device that did not answer is due for another try.
    Again,
    /// Somebody ordered it with `gamops apply`.
    Ordered,
    /// It may be known by now what was reviewed of a device that is held back.
    Review,
}

impl Reason {
    /// In words.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Commit => "another commit",
            Self::Asked => "somebody asked",
            Self::Drift => "looking for drift",
            Self::Again => "devices that did not answer",
            Self::Ordered => "ordered",
            Self::Review => "looking for what was reviewed",
        }
    }
}

/// What a round is given.
#[derive(Debug)]
pub(super) struct Order<'a> {
    pub(super) force: &'a InForce,
    /// Devices that are not contacted.
    pub(super) aside: BTreeSet<String>,
    /// Devices that were set right so often that drift on them is left to people.
    pub(super) given_up: BTreeSet<String>,
    /// The devices that it is about; all of them where this is empty.
    pub(super) only: BTreeSet<String>,
    /// Whether somebody ordered it, who has seen the plan: what others have changed on the devices is set right as well.
    pub(super) is_ordered: bool,
    /// Where the inventory comes from.
    pub(super) source: &'a Source,
    /// What plans may not be bigger than.
    pub(super) reviewed: Option<Arc<Ledger>>,
}

/// What a round came to.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// How the devices that it was about stand now.
    pub(super) states: BTreeMap<String, State>,
    /// What of the drift on those that were read is ignored.
    pub(super) ignored: BTreeMap<String, Vec<IgnoredDrift>>,
    /// What became of the drift on them that is to come into the inventory.
    pub(super) proposed: BTreeMap<String, Proposed>,
    /// Devices that somebody else had changed, and that were set right.
    pub(super) reverted: BTreeSet<String>,
    /// How the plans of devices compare with what was reviewed.
    pub(super) found: BTreeMap<String, Found>,
    /// Why its plan was refused as a whole.
    pub(super) guarded: Vec<String>,
    /// How it ended, in one word.
    pub(super) word: &'static str,
    /// The run of it in the history, if there was one.
    pub(super) run: Option<i64>,
    /// One line for the log.
    pub(super) line: String,
}

/// A round could not be made at all.
#[derive(Debug, thiserror::Error)]
pub(super) enum RoundError {
    #[error(transparent)]
    Run(#[from] RunError),
    #[error(transparent)]
    Keyring(#[from] KeyringError),
}

/// What rounds use.
#[derive(Debug, Clone)]
pub(super) struct Tools {
    pub(super) store: Store,
    pub(super) keyring: Arc<Keyring>,
    pub(super) cancel: CancellationToken,
    /// Who runs this: `gamops-daemon@host`.
    pub(super) actor: String,
    /// Where it is told what goes on.
    pub(super) events: Events,
    /// Where it is told what was read.
    pub(super) sightings: Sightings,
}

/// How devices are asked, and by whom.
pub(super) fn context(settings: &Settings, tools: &Tools, order: &Order<'_>) -> Context {
    let inventory = Arc::clone(&order.force.inventory);
    Context {
        commit: order.force.commit.clone(),
        allowances: Allowances {
            by_flag: Vec::new(),
            by_commit: order.force.allowed.clone(),
        },
        host_key_policy: settings.devices.host_keys,
        parallelism: Parallelism {
            reading: usize::from(settings.devices.read_at_once),
            changing: usize::from(settings.devices.change_at_once),
            changing_per_site: settings.devices.change_at_once_per_site.map(usize::from),
        },
        events: tools.events.clone(),
        cancel: tools.cancel.clone(),
        aside: order.aside.clone(),
        sightings: tools.sightings.clone(),
        is_daemon: true,
        reviewed: order.reviewed.clone(),
        leaving: match order.is_ordered {
            // Whoever orders it wants drift set right, as by an apply of their own.
            true => Leaving::default(),
            false => Leaving {
                leave: Leave::Policy(settings.drift.then),
                to_people: order.given_up.clone(),
            },
        },
        ..Context::new(inventory, tools.store.clone(), Arc::clone(&tools.keyring))
    }
}

/// Makes a round.
pub(super) async fn round(settings: &Settings, tools: &Tools, order: &Order<'_>) -> Result<Outcome, RoundError> {
    let context = context(settings, tools, order);
    let targets: Vec<Target> = (order.only.iter())
        .map(|device| Target {
            device: device.clone(),
            object: None,
        })
        .collect();
    let patience = Duration::from(settings.devices.reconnect_within);
    context.give_back_unconfirmed(&targets, patience).await?;
    let planned = tokio::select! {
        planned = context.plan(&targets) => planned?,
        () = tools.cancel.cancelled() => return Ok(Outcome { word: "interrupted", ..Outcome::default() }),
    };
    let mut found = reviewed::found(&planned.plan);
    let wanted = adopt::wanted(planned.plan.devices.iter());
    let outcome = carry_out(&context, tools, planned, patience).await?;
    if outcome.run.is_some() {
        let is_done =
            |device: &String| matches!(outcome.states.get(device), Some(State::InSync | State::Drifted { .. }));
        let done = found.iter_mut().filter(|(device, _)| is_done(device));
        done.for_each(|(_, found)| *found = Found::Let(Size::default()));
    }
    let desk = Desk {
        context: &context,
        settings,
        source: order.source,
        force: order.force,
    };
    Ok(Outcome {
        proposed: desk.propose(wanted).await,
        found,
        ..outcome
    })
}

/// Judges a plan and applies it.
async fn carry_out(
    context: &Context,
    tools: &Tools,
    planned: Planned,
    patience: Duration,
) -> Result<Outcome, RoundError> {
    let ignored = planned.plan.devices.iter();
    let ignored = ignored
        .filter_map(|device| Some((device.device.clone(), ignored_on(device)?)))
        .collect();
    let guarded = refusals(&planned.plan);
    if !guarded.is_empty() || !planned.plan.is_actionable() && !has_records(&planned.plan) {
        let plan = planned.close().await;
        return Ok(Outcome {
            ignored,
            ..shown(&plan, guarded)
        });
    }
    let foreseen: BTreeMap<String, Foreseen> = (planned.plan.devices.iter())
        .map(|device| (device.device.clone(), device.into()))
        .collect();
    let drifted: BTreeSet<String> = (planned.plan.devices.iter())
        .filter(|device| only_drifted(device))
        .map(|device| device.device.clone())
        .collect();
    let summary = planned.plan.summary();
    let orders = Orders {
        patience,
        ..Orders::by(tools.actor.clone())
    };
    let applied = context.apply(planned, &orders).await?;
    if tools.sightings.are_wanted() {
        let changed = applied.results.iter().map(|result| result.device.as_str());
        look_again(context, changed).await;
    }
    let fine = applied.results.iter().all(|result| result.outcome.is_fine());
    let of = |result: &DeviceResult| (result.device.clone(), by_result(result, foreseen.get(&result.device)));
    let set_right = |result: &&DeviceResult| {
        matches!(result.outcome, DeviceOutcome::Applied(..)) && drifted.contains(&result.device)
    };
    let reverted = applied.results.iter().filter(set_right);
    Ok(Outcome {
        states: applied.results.iter().map(of).collect(),
        ignored,
        proposed: BTreeMap::new(),
        reverted: reverted.map(|result| result.device.clone()).collect(),
        found: BTreeMap::new(),
        guarded: Vec::new(),
        word: if fine { "applied" } else { "incomplete" },
        run: Some(applied.run.number()),
        line: format!(
            "run {}: {} to add, {} to change, {} to destroy on {}{}",
            applied.run,
            summary.add,
            summary.change,
            summary.destroy,
            count(foreseen.len(), "device"),
            if fine {
                "; verified, saved"
            } else {
                "; not all of it was done"
            }
        ),
    })
}

/// Reads devices once more: what they were planned from is not what they hold after an apply. One that does not answer is read by
/// the next round.
async fn look_again(context: &Context, devices: impl Iterator<Item = &str>) {
    let devices = devices.filter_map(|key| context.inventory.devices.get(key));
    let looks = devices.map(|device| async {
        if let Ok(reading) = context.read(device).await {
            reading.close().await;
        }
    });
    futures::stream::iter(looks)
        .buffer_unordered(context.parallelism.reading.max(1))
        .collect::<()>()
        .await;
}

/// Whether an apply has something to write down, though it sends nothing. Of a device that is held back nothing is written.
fn has_records(plan: &Plan) -> bool {
    let differs = |device: &DeviceChanges| device.records != device.records_before || device.unfinished;
    plan.read().any(|device| device.held.is_none() && differs(device))
}

/// What a round came to that applied nothing.
fn shown(plan: &Plan, guarded: Vec<String>) -> Outcome {
    // Where drift is only left, nothing is refused.
    let refused = |device: &DevicePlan| match by_plan(device) {
        State::Drifted { .. } | State::Unsaved if !guarded.is_empty() && device.is_actionable() => State::Refused {
            reason: guarded.join("; "),
        },
        state => state,
    };
    let of = |device: &DevicePlan| (device.device.clone(), refused(device));
    let states: BTreeMap<String, State> = plan.devices.iter().map(of).collect();
    let differ = states
        .values()
        .filter(|state| matches!(state, State::Drifted { .. } | State::Unsaved))
        .count();
    let (word, line) = match (guarded.is_empty(), differ) {
        (false, _) => ("refused", guarded.join("; ")),
        (true, 0) => (
            "in-sync",
            format!("{} looked at, nothing to do", count(states.len(), "device")),
        ),
        (true, _) => (
            "drift",
            format!("{} changed behind gamops's back", count(differ, "device")),
        ),
    };
    Outcome {
        states,
        ignored: BTreeMap::new(),
        proposed: BTreeMap::new(),
        reverted: BTreeSet::new(),
        found: BTreeMap::new(),
        guarded,
        word,
        run: None,
        line,
    }
}

/// Why guards and rules refuse a plan, in words, and what to do if it is meant.
fn refusals(plan: &Plan) -> Vec<String> {
    let mut words = plan.guarded_by();
    words.extend(way_through(&plan.trips));
    words
}
