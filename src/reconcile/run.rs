//! A run: a plan applied to a fleet, and one device of it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::domain::MacAddr;
use crate::inventory::model::OnFailure;
use crate::plan::Refusal;
use crate::plan::guard::Baseline;
use crate::plan::model::{DeviceChanges, DevicePlan, Outcome, Saved, Unread};
use crate::plan::pause::in_words;
use crate::store::{Keep, RunId, RunInfo, StoreError};

use super::hold::Hold;
use super::observe::plain;
use super::pause::way_out;
use super::{Contact, Context, DeviceOutcome, DeviceResult, Planned, RunError, apply, chain, confirm, written};

/// How a plan is to be applied.
#[derive(Debug, Clone)]
pub struct Orders {
    /// Who runs it.
    pub actor: String,
    /// What becomes of a device on which it fails; `None` for what the inventory says.
    pub on_failure: Option<OnFailure>,
    /// How long a device that is lost in the middle is looked for, to give it back what it held.
    pub patience: Duration,
    /// Whether nothing is saved before somebody has confirmed the run. What fails is rolled back then, whatever
    /// `on_failure` says.
    pub confirm: bool,
}

/// What a run came to, and the devices that wait for what becomes of them.
#[derive(Debug)]
pub struct Applied {
    /// Its number.
    pub run: RunId,
    /// What it came to, device by device.
    pub results: Vec<DeviceResult>,
    pub(super) waiting: Vec<Waiting>,
    /// Whether all of the inventory was to be applied.
    pub(super) of_all: bool,
}

/// A device that was changed and verified and not saved. Nobody else changes it meanwhile.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) device: String,
    pub(super) mac: MacAddr,
    /// Which group of devices it was changed with, counted from 1.
    pub(super) stage: u32,
    pub(super) hold: Hold,
}

impl Applied {
    /// Whether devices wait to be confirmed.
    #[must_use]
    pub const fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }
}

impl Orders {
    /// How long a device that is lost is looked for unless somebody says otherwise. A GAM restarts in minutes.
    pub const PATIENCE: Duration = Duration::from_secs(5 * 60);

    /// The usual, for somebody.
    #[must_use]
    pub fn by(actor: impl Into<String>) -> Self {
        Self {
            actor: actor.into(),
            on_failure: None,
            patience: Self::PATIENCE,
            confirm: false,
        }
    }
}

impl Context {
    /// Applies a plan over the sessions that made it.
    ///
    /// # Errors
    ///
    /// [`RunError`] where a guard or a rule refuses the plan, which is written down, or where the run could not be written
    /// down; nothing was sent then.
    pub async fn apply(&self, planned: Planned, orders: &Orders) -> Result<Applied, RunError> {
        if planned.plan.is_guarded() {
            let recorded = self.refuse(&planned, &orders.actor).await;
            planned.close().await;
            recorded?;
            return Err(RunError::Guarded);
        }
        let run = self.store.begin_run(self.info(&planned, &orders.actor)?).await?;
        let of_all = planned.undoes.is_none() && self.is_whole(&planned.plan);
        if orders.confirm {
            self.store.ask_confirmation(run).await?;
        }
        let (mut results, waiting) = self.roll_out(planned, run, orders).await;
        results.sort_by(|a, b| a.device.cmp(&b.device));
        if waiting.is_empty() {
            self.close_run(run, &results, of_all).await?;
        }
        Ok(Applied {
            run,
            results,
            waiting,
            of_all,
        })
    }

    /// Writes down that a guard or a rule refuses a plan, and why; nothing of it is begun.
    ///
    /// # Errors
    ///
    /// [`RunError::Store`] where it could not be written down.
    pub async fn refuse(&self, planned: &Planned, actor: &str) -> Result<RunId, RunError> {
        let plan = &planned.plan;
        let untouched = written::untouched(&written::none_begun(plan));
        let info = self.info(planned, actor)?;
        let run = self.store.refuse_run(info, written::refusals(plan), untouched).await?;
        self.forget().await;
        Ok(run)
    }

    /// Who runs what.
    fn info(&self, planned: &Planned, actor: &str) -> Result<RunInfo, StoreError> {
        let undoes = planned.undoes.as_ref();
        Ok(RunInfo {
            actor: actor.to_owned(),
            commit: self.commit.clone(),
            plan: written::written(&planned.plan, undoes.map(|(_, head)| head.as_str()))?,
            undoes: undoes.map(|(run, _)| *run),
        })
    }

    /// Writes down that a run is over. `of_all` says that all of the inventory was to be applied.
    pub(super) async fn close_run(&self, run: RunId, results: &[DeviceResult], of_all: bool) -> Result<(), StoreError> {
        let fine = results.iter().all(|result| result.outcome.is_fine());
        let outcome = if fine { "done" } else { "incomplete" };
        let finished = self.store.finish_run(run, outcome, written::untouched(results));
        if let Err(error) = finished.await {
            // What came of the devices is worth more than this last line, which the next run can do without.
            tracing::error!("the end of run {run} could not be written down: {}", chain(&error));
        }
        // A run that was narrowed or broken off, or that undid another, has not applied this inventory.
        let not_started = |result: &DeviceResult| matches!(result.outcome, DeviceOutcome::NotStarted(_));
        if of_all && !self.cancel.is_cancelled() && !results.iter().any(not_started) {
            let baseline = Baseline::of(&self.inventory, self.commit.as_deref());
            if let Err(error) = self.store.put_baseline(&self.inventory.id, baseline).await {
                // The guards then compare with the run before, which lets less pass.
                tracing::error!(
                    "what run {run} applied could not be kept for the guards: {}",
                    chain(&error)
                );
            }
        }
        self.forget().await;
        Ok(())
    }

    /// Forgets what is older than the inventory says it is to be remembered.
    async fn forget(&self) {
        let history = self.inventory.policies.history;
        let age = SignedDuration::from_hours(24 * i64::from(history.keep_days));
        let keep = Keep {
            since: (self.leases.clock)().saturating_sub(age).unwrap_or(Timestamp::MIN),
            runs: history.keep_runs,
        };
        // The run is over and went as it went; there will be another one to do this.
        if let Err(error) = self.store.forget(keep).await {
            tracing::warn!("forgetting old runs: {}", chain(&error));
        }
    }

    pub(super) async fn apply_one(
        &self,
        device: &DevicePlan,
        contact: Option<Contact>,
        (run, stage): (RunId, u32),
        orders: &Orders,
    ) -> (DeviceOutcome, Option<(MacAddr, Hold)>) {
        let changes = match &device.outcome {
            Outcome::Unread(unread) => return (DeviceOutcome::Unread(unread.clone()), None),
            Outcome::Read(changes) => changes,
        };
        if changes.held.is_some() {
            return (DeviceOutcome::Held, None);
        }
        if !changes.refusals.is_empty() {
            return (DeviceOutcome::Refused(changes.refusals.clone()), None);
        }
        let Some(contact) = contact else {
            return (self.record_only(&device.device, changes, run, orders).await, None);
        };
        // What was planned is in the inventory.
        let Some(entry) = self.inventory.devices.get(&device.device) else {
            contact.close().await;
            return (DeviceOutcome::Stale, None);
        };
        match self.begin(&device.device, changes, run, orders).await {
            Ok(hold) => {
                let job = apply::Job {
                    work: apply::Work {
                        context: self,
                        device: entry,
                        run,
                        lease: hold.token(),
                        patience: orders.patience,
                    },
                    changes,
                    stage,
                    on_failure: match orders.confirm {
                        true => OnFailure::Rollback,
                        false => orders.on_failure.unwrap_or(self.inventory.policies.on_failure),
                    },
                    hold: orders.confirm,
                };
                let outcome = apply::apply(contact, &job).await;
                let waits = matches!(outcome, DeviceOutcome::Unconfirmed(..));
                (outcome, waits.then_some((changes.mac, hold)))
            }
            Err(outcome) => {
                contact.close().await;
                (outcome, None)
            }
        }
    }

    /// Takes the right to change a device, and looks whether what gamops owns there is still what the plan was made
    /// from: another run may have come and gone while somebody read the plan.
    async fn begin(
        &self,
        device: &str,
        changes: &DeviceChanges,
        run: RunId,
        orders: &Orders,
    ) -> Result<Hold, DeviceOutcome> {
        let failed = |source: StoreError| {
            let unread = plain(&source);
            let reason = format!("nothing was sent: {}", unread.reason);
            DeviceOutcome::Unread(Unread { reason, ..unread })
        };
        let hold = match self.hold(changes.mac, &orders.actor, run).await.map_err(failed)? {
            Ok(hold) => hold,
            Err(holder) => {
                return Err(DeviceOutcome::Refused(vec![Refusal {
                    rule: "device-busy",
                    message: format!(
                        "held by {holder}; without a sign of life from there it is free at {}",
                        holder.ends()
                    ),
                    help: "wait until that run has ended, then plan again".to_owned(),
                }]));
            }
        };
        if let Some(standing) = self.store.unconfirmed(changes.mac).await.map_err(failed)? {
            let refusal = confirm::refusal(&standing, jiff::Timestamp::now());
            return Err(DeviceOutcome::Refused(vec![refusal]));
        }
        // Somebody may have paused it while somebody else read the plan.
        if let Some(entry) = self.inventory.devices.get(device) {
            let pauses = self.pauses(entry).await.map_err(failed)?;
            if !pauses.is_empty() {
                return Err(DeviceOutcome::Refused(vec![Refusal {
                    rule: "paused-meanwhile",
                    message: format!("paused after it was planned: {}", in_words(&pauses)),
                    help: way_out(device, &pauses),
                }]));
            }
        }
        let records = self.store.records(changes.mac).await.map_err(failed)?;
        if records == *changes.records_before {
            Ok(hold)
        } else {
            Err(DeviceOutcome::Stale)
        }
    }

    /// A device in sync: what was found there as wanted is owned from now on, what is gone is forgotten.
    async fn record_only(&self, device: &str, changes: &DeviceChanges, run: RunId, orders: &Orders) -> DeviceOutcome {
        let settled = changes.unfinished && changes.saved == Saved::Yes;
        if changes.records == changes.records_before && !settled {
            return DeviceOutcome::InSync;
        }
        let hold = match self.begin(device, changes, run, orders).await {
            Ok(hold) => hold,
            Err(outcome) => return outcome,
        };
        let recorded = self
            .store
            .record(
                changes.mac,
                Vec::clone(&changes.records),
                self.commit.clone(),
                settled,
                Some(hold.token()),
            )
            .await;
        match recorded {
            Ok(()) => DeviceOutcome::InSync,
            Err(source) => {
                let unread = plain(&source);
                let reason = format!("it is in sync, but that could not be written down: {}", unread.reason);
                DeviceOutcome::Unread(Unread { reason, ..unread })
            }
        }
    }
}
