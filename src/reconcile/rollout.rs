//! The devices of a plan, wave after wave: each begins only after every device of the one before is fine.

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt as _;
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;
use tracing::Instrument as _;

use crate::plan::model::{DeviceChanges, DevicePlan, Outcome, Plan};
use crate::plan::moves::{self, Move};
use crate::plan::{Refusal, Rollout, Wave, rollout, some_of};
use crate::store::RunId;

use super::observe::{Contact, observe};
use super::result::{DeviceOutcome, DeviceResult};
use super::run::Waiting;
use super::turns::Turns;
use super::{Context, Orders, Planned};

/// A run over a plan, as far as it came.
struct Run<'a> {
    context: &'a Context,
    plan: &'a Plan,
    run: RunId,
    orders: &'a Orders,
    contacts: BTreeMap<String, Contact>,
    began: Instant,
    results: Vec<DeviceResult>,
    /// Devices that wait to be confirmed.
    waiting: Vec<Waiting>,
    /// How many groups of devices have had their turn.
    stages: u32,
}

impl Context {
    /// Changes the devices of a plan; one result for each device of it, in no order, and the devices that wait to be
    /// confirmed.
    pub(super) async fn roll_out(
        &self,
        planned: Planned,
        run: RunId,
        orders: &Orders,
    ) -> (Vec<DeviceResult>, Vec<Waiting>) {
        let Planned {
            plan, contacts, began, ..
        } = planned;
        let rollout = rollout(&plan);
        let mut run = Run {
            context: self,
            plan: &plan,
            run,
            orders,
            contacts,
            began,
            results: Vec::with_capacity(plan.devices.len()),
            waiting: Vec::new(),
            stages: 0,
        };
        // Where nothing is sent there is nothing to try out.
        let unchanged: Vec<&str> = (plan.devices.iter().filter(|device| !device.is_actionable()))
            .map(|device| device.device.as_str())
            .collect();
        run.side_by_side(&unchanged).await;
        run.close_all_but(rollout.waves.first()).await;
        let mut obstacle = None;
        for (index, wave) in rollout.waves.iter().enumerate() {
            if obstacle.is_none() && index > 0 {
                obstacle = self.between(&rollout, index).await;
            }
            match &obstacle {
                Some(why) => run.leave_out(wave, why),
                None => obstacle = run.carry_out(&rollout, index, wave).await,
            }
        }
        (run.results, run.waiting)
    }

    /// Waits before a wave. `Some`: the operator does not want to wait any more.
    async fn between(&self, rollout: &Rollout, index: usize) -> Option<String> {
        let (number, of) = (index + 1, rollout.waves.len());
        if !rollout.pause.is_zero() && !self.cancel.is_cancelled() {
            self.events.tell_pause(number, of, rollout.pause);
            let pause = tokio::time::sleep(rollout.pause.into());
            // Asked to stop, nobody waits for the end of the pause.
            let _ = self.cancel.run_until_cancelled(pause).await;
        }
        let stopped = || format!("the operator stopped the run before wave {number} of {of}");
        self.cancel.is_cancelled().then(stopped)
    }
}

impl Run<'_> {
    /// Carries out a wave. `Some`: why no other one may begin.
    async fn carry_out(&mut self, rollout: &Rollout, index: usize, wave: &Wave) -> Option<String> {
        let of = rollout.waves.len();
        if of > 1 {
            self.context.events.tell_wave(index + 1, of, wave.devices.len());
        }
        let earlier = self.results.len();
        for stage in moves::stages(self.plan, &wave.devices) {
            self.side_by_side(&stage).await;
        }
        let failed: Vec<&str> = (self.results.iter().skip(earlier))
            .filter(|result| !result.outcome.is_fine())
            .map(|result| result.device.as_str())
            .collect();
        if failed.is_empty() {
            return None;
        }
        let (number, who) = (index + 1, some_of(&failed));
        Some(match (self.context.cancel.is_cancelled(), wave.canary) {
            (true, _) => format!("the operator stopped the run in wave {number} of {of}"),
            (false, true) => format!("the canary failed: {who}"),
            (false, false) => format!("wave {number} of {of} failed: {who}"),
        })
    }

    /// What time it is, counted from when planning began.
    fn now(&self) -> Timestamp {
        let passed = SignedDuration::try_from(self.began.elapsed()).unwrap_or(SignedDuration::MAX);
        self.context.now.saturating_add(passed).unwrap_or(Timestamp::MAX)
    }

    /// Changes devices of the plan at the same time, up to the limit.
    async fn side_by_side(&mut self, devices: &[&str]) {
        let (context, run, orders, now) = (self.context, self.run, self.orders, self.now());
        let devices: BTreeSet<&str> = devices.iter().copied().collect();
        let work: Vec<(&DevicePlan, Option<Contact>, Option<Refusal>)> = (self.plan.devices.iter())
            .filter(|device| devices.contains(device.device.as_str()))
            .map(|device| {
                let contact = self.contacts.remove(&device.device);
                (
                    device,
                    contact,
                    not_arrived(&device.device, &self.plan.moves, &self.results),
                )
            })
            .collect();
        self.stages += 1;
        let stage = self.stages;
        let site = |device: &str| context.inventory.devices.get(device)?.site.as_deref();
        let turns = &Turns::new(context.parallelism, devices.iter().filter_map(|device| site(device)));
        let results: Vec<(DeviceResult, Option<Waiting>)> = futures::stream::iter(work)
            .map(|(device, contact, held_back)| {
                let span = tracing::info_span!("change device", device = device.device);
                let changed = async move {
                    let _turn = turns.turn(site(&device.device)).await;
                    let (outcome, hold) = match (held_back, contact) {
                        (None, contact) if is_too_late(device, now) => {
                            close(contact).await;
                            let why = "its maintenance window has closed since it was planned".to_owned();
                            (DeviceOutcome::NotStarted(why), None)
                        }
                        (Some(refusal), contact) => {
                            close(contact).await;
                            (DeviceOutcome::Refused(vec![refusal]), None)
                        }
                        (None, None) if device.is_actionable() => match context.contact_again(device).await {
                            Ok(contact) => context.apply_one(device, Some(contact), (run, stage), orders).await,
                            Err(outcome) => (outcome, None),
                        },
                        (None, contact) => context.apply_one(device, contact, (run, stage), orders).await,
                    };
                    let (waits, device) = (waits(device), device.device.clone());
                    let waiting = hold.map(|(mac, hold)| Waiting {
                        device: device.clone(),
                        mac,
                        stage,
                        hold,
                    });
                    (DeviceResult { device, waits, outcome }, waiting)
                };
                changed.instrument(span)
            })
            .buffer_unordered(usize::MAX)
            .collect()
            .await;
        for (result, waiting) in results {
            self.results.push(result);
            self.waiting.extend(waiting);
        }
    }

    /// Ends the sessions of devices whose turn comes later: a device has few of them, and ends one that is idle for ten
    /// minutes by itself.
    async fn close_all_but(&mut self, wave: Option<&Wave>) {
        let stays = |key: &String| wave.is_some_and(|wave| wave.devices.contains(key));
        let (kept, later): (BTreeMap<_, _>, BTreeMap<_, _>) = std::mem::take(&mut self.contacts)
            .into_iter()
            .partition(|(key, _)| stays(key));
        self.contacts = kept;
        futures::future::join_all(later.into_values().map(Contact::close)).await;
    }

    fn leave_out(&mut self, wave: &Wave, why: &str) {
        self.results.extend(wave.devices.iter().map(|device| DeviceResult {
            device: device.clone(),
            waits: None,
            outcome: DeviceOutcome::NotStarted(why.to_owned()),
        }));
    }
}

impl Context {
    /// Reaches a device once more whose session was ended after planning. What it runs is compared with the plan by
    /// whoever applies it.
    async fn contact_again(&self, planned: &DevicePlan) -> Result<Contact, DeviceOutcome> {
        let Some(device) = self.inventory.devices.get(&planned.device) else {
            return Err(DeviceOutcome::Stale);
        };
        let contact = observe(self, device).await.map_err(DeviceOutcome::Unread)?;
        if is_the_same(&contact, planned) {
            Ok(contact)
        } else {
            contact.close().await;
            Err(DeviceOutcome::Stale)
        }
    }
}

/// What is left for the maintenance window, in one line.
fn waits(planned: &DevicePlan) -> Option<String> {
    match &planned.outcome {
        Outcome::Read(changes) => changes.waiting.as_ref().map(ToString::to_string),
        Outcome::Unread(_) => None,
    }
}

/// Whether this is the device that was planned, with the firmware that it had.
fn is_the_same(contact: &Contact, planned: &DevicePlan) -> bool {
    let same = |changes: &DeviceChanges| {
        changes.mac == contact.mac() && changes.firmware == contact.observation.identity.firmware.to_string()
    };
    matches!(&planned.outcome, Outcome::Read(changes) if same(changes))
}

/// Whether the window is closed in which some of the changes were to be made.
fn is_too_late(planned: &DevicePlan, now: Timestamp) -> bool {
    let closed = |changes: &DeviceChanges| changes.closing.as_ref().is_some_and(|closing| closing.until <= now);
    planned.is_actionable() && matches!(&planned.outcome, Outcome::Read(changes) if closed(changes))
}

async fn close(contact: Option<Contact>) {
    if let Some(contact) = contact {
        contact.close().await;
    }
}

/// Why a device must keep a subscriber after all: its new device was to be changed first, and that went wrong.
fn not_arrived(device: &str, moves: &[Move], results: &[DeviceResult]) -> Option<Refusal> {
    let went_wrong = |one: &&Move| {
        let new = results.iter().find(|result| result.device == one.to);
        one.from == device && new.is_some_and(|new| !new.outcome.is_fine())
    };
    let one = moves.iter().find(went_wrong)?;
    Some(moves::incomplete(one, "which was not changed as planned"))
}
