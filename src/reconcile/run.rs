//! A run: a plan applied to a fleet, wave by wave, device beside device.

use std::time::Duration;

use crate::inventory::model::OnFailure;
use crate::plan::Refusal;
use crate::plan::guard::Baseline;
use crate::plan::model::{DeviceChanges, DevicePlan, Outcome, Saved, Unread};
use crate::store::{DeviceLock, RunId, RunInfo, StoreError};

use super::{Contact, Context, DeviceOutcome, DeviceResult, Planned, RunError, apply, chain, written};

/// How a plan is to be applied.
#[derive(Debug, Clone)]
pub struct Orders {
    /// Who runs it.
    pub actor: String,
    /// What becomes of a device on which it fails; `None` for what the inventory says.
    pub on_failure: Option<OnFailure>,
    /// How long a device that is lost in the middle is looked for, to give it back what it held.
    pub patience: Duration,
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
        }
    }
}

impl Context {
    /// Applies a plan over the sessions that made it.
    ///
    /// # Errors
    ///
    /// [`RunError`] where a guard refuses the plan, or the run could not be written down; nothing was sent then.
    pub async fn apply(&self, planned: Planned, orders: &Orders) -> Result<Vec<DeviceResult>, RunError> {
        if planned.plan.is_guarded() {
            planned.close().await;
            return Err(RunError::Guarded);
        }
        let run = self
            .store
            .begin_run(RunInfo {
                actor: orders.actor.clone(),
                commit: self.commit.clone(),
                plan: written::written(&planned.plan)?,
                undoes: planned.undoes,
            })
            .await?;
        let of_all = planned.undoes.is_none() && self.is_whole(&planned.plan);
        let mut results = self.roll_out(planned, run, orders).await;
        results.sort_by(|a, b| a.device.cmp(&b.device));
        let fine = results.iter().all(|result| result.outcome.is_fine());
        let outcome = if fine { "done" } else { "incomplete" };
        let finished = self.store.finish_run(run, outcome, written::untouched(&results));
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
        Ok(results)
    }

    pub(super) async fn apply_one(
        &self,
        device: &DevicePlan,
        contact: Option<Contact>,
        run: RunId,
        orders: &Orders,
    ) -> DeviceOutcome {
        let changes = match &device.outcome {
            Outcome::Unread(unread) => return DeviceOutcome::Unread(unread.clone()),
            Outcome::Read(changes) => changes,
        };
        if changes.held.is_some() {
            return DeviceOutcome::Held;
        }
        if !changes.refusals.is_empty() {
            return DeviceOutcome::Refused(changes.refusals.clone());
        }
        let Some(contact) = contact else {
            return self.record_only(device, changes).await;
        };
        // What was planned is in the inventory.
        let Some(entry) = self.inventory.devices.get(&device.device) else {
            contact.close().await;
            return DeviceOutcome::Stale;
        };
        match self.begin(device, changes).await {
            Ok(_lock) => {
                let job = apply::Job {
                    work: apply::Work {
                        context: self,
                        device: entry,
                        run,
                        patience: orders.patience,
                    },
                    changes,
                    on_failure: orders.on_failure.unwrap_or(self.inventory.policies.on_failure),
                };
                apply::apply(contact, &job).await
            }
            Err(outcome) => {
                contact.close().await;
                outcome
            }
        }
    }

    /// Takes the right to change a device, and looks whether what gamops owns there is still what the plan was made
    /// from: another run may have come and gone while somebody read the plan.
    async fn begin(&self, device: &DevicePlan, changes: &DeviceChanges) -> Result<DeviceLock, DeviceOutcome> {
        let failed = |source: StoreError| {
            let reason = format!("{}: nothing was sent, {}", device.device, chain(&source));
            DeviceOutcome::Unread(Unread { reason, help: None })
        };
        let Some(lock) = self.store.lock_device(changes.mac).map_err(failed)? else {
            return Err(DeviceOutcome::Refused(vec![Refusal {
                rule: "device-busy",
                message: "another gamops is changing this device".to_owned(),
                help: "wait until it has ended, then plan again".to_owned(),
            }]));
        };
        let records = self.store.records(changes.mac).await.map_err(failed)?;
        if records == changes.records_before {
            Ok(lock)
        } else {
            Err(DeviceOutcome::Stale)
        }
    }

    /// A device in sync: what was found there as wanted is owned from now on, what is gone is forgotten.
    async fn record_only(&self, device: &DevicePlan, changes: &DeviceChanges) -> DeviceOutcome {
        let settled = changes.unfinished && changes.saved == Saved::Yes;
        if changes.records == changes.records_before && !settled {
            return DeviceOutcome::InSync;
        }
        let _lock = match self.begin(device, changes).await {
            Ok(lock) => lock,
            Err(outcome) => return outcome,
        };
        let recorded = self
            .store
            .record(changes.mac, changes.records.clone(), self.commit.clone(), settled)
            .await;
        match recorded {
            Ok(()) => DeviceOutcome::InSync,
            Err(source) => {
                let reason = format!("{}: in sync, but {}", device.device, chain(&source));
                DeviceOutcome::Unread(Unread { reason, help: None })
            }
        }
    }
}
