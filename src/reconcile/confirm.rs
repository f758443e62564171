//! Runs that are kept only if somebody confirms them: waiting for the word, and doing what it says.
//!
//! Whoever holds a device does it: the command that waits, the one that answers, or the next apply after both
//! were killed. The answer is on record before anybody acts on it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::StreamExt as _;
use jiff::Timestamp;

use crate::domain::MacAddr;
use crate::plan::model::Unread;
use crate::plan::{Refusal, Target};
use crate::store::{Confirmation, DeviceRunState, RunId, StoreError, Undecided, Verdict, host_name};

use super::hold::Hold;
use super::run::{Applied, Waiting};
use super::{Context, DeviceOutcome, DeviceResult, RunError, apply, chain};

/// How often a process looks for what another one wrote.
const LOOK: Duration = Duration::from_millis(200);

impl Context {
    /// Waits for the word on a run: of somebody else, of the clock, or of whoever cancels this one.
    ///
    /// # Errors
    ///
    /// [`RunError::Store`] where the database cannot be used.
    pub async fn verdict(&self, run: RunId, deadline: Timestamp) -> Result<Verdict, RunError> {
        loop {
            let given = if self.cancel.is_cancelled() {
                self.store.answer(run, Verdict::Reject, "the operator").await?
            } else if Timestamp::now() >= deadline {
                self.store.answer(run, Verdict::Expired, "the clock").await?
            } else {
                self.store
                    .confirmation(run)
                    .await?
                    .and_then(|standing| standing.verdict)
            };
            if let Some(verdict) = given {
                return Ok(verdict);
            }
            let left = Duration::try_from(deadline.duration_since(Timestamp::now())).unwrap_or_default();
            tokio::select! {
                () = tokio::time::sleep(left.min(LOOK)) => {}
                () = self.cancel.cancelled() => {}
            }
        }
    }

    /// Does what the word says on every device that waits: keeps, the ones that gained subscribers first, or gives back,
    /// those last.
    ///
    /// # Errors
    ///
    /// [`RunError::Store`] where the run could not be closed.
    pub async fn settle(
        &self,
        applied: Applied,
        verdict: Verdict,
        patience: Duration,
    ) -> Result<Vec<DeviceResult>, RunError> {
        self.settle_saying(applied, verdict, patience, None).await
    }

    /// As [`Context::settle`], with the reason that history gives for it; `None` for the usual one.
    pub(super) async fn settle_saying(
        &self,
        applied: Applied,
        verdict: Verdict,
        patience: Duration,
        reason: Option<String>,
    ) -> Result<Vec<DeviceResult>, RunError> {
        let reason = reason.as_ref();
        let Applied {
            run,
            mut results,
            waiting,
            of_all,
        } = applied;
        let mut stages: BTreeMap<usize, Vec<Waiting>> = BTreeMap::new();
        for one in waiting {
            stages.entry(one.stage).or_default().push(one);
        }
        let mut stages: Vec<Vec<Waiting>> = stages.into_values().collect();
        if verdict != Verdict::Keep {
            stages.reverse();
        }
        for stage in stages {
            let settled: Vec<DeviceResult> = futures::stream::iter(stage)
                .map(|one| async move {
                    let device = Undecided {
                        device: one.device,
                        mac: one.mac,
                        state: DeviceRunState::Verified,
                    };
                    // The device is held until it is done.
                    let hold = one.hold;
                    let outcome = self
                        .try_settle(run, &device, &hold, verdict, patience, reason.cloned())
                        .await;
                    settled(device, outcome)
                })
                .buffer_unordered(self.parallelism.changing.max(1))
                .collect()
                .await;
            for new in settled {
                if let Some(old) = results.iter_mut().find(|old| old.device == new.device) {
                    old.outcome = match (&old.outcome, new.outcome) {
                        (DeviceOutcome::Unconfirmed(summary, not_applied), DeviceOutcome::Saved) => {
                            DeviceOutcome::Applied(*summary, not_applied.clone())
                        }
                        (_, outcome) => outcome,
                    };
                }
            }
        }
        self.close_run(run, &results, of_all && verdict == Verdict::Keep)
            .await?;
        Ok(results)
    }

    /// Does what the word says on every device of a run that still waits, whoever began it. A device that another
    /// process is at is waited for. Gives what was done here.
    ///
    /// # Errors
    ///
    /// [`RunError::Store`] where the database cannot be used.
    pub async fn conclude(
        &self,
        run: RunId,
        verdict: Verdict,
        patience: Duration,
    ) -> Result<Vec<DeviceResult>, RunError> {
        let mut results: Vec<DeviceResult> = Vec::new();
        let mut done: BTreeSet<MacAddr> = BTreeSet::new();
        loop {
            let mut open = self.undecided(run, verdict).await?;
            open.retain(|device| !done.contains(&device.mac));
            if open.is_empty() {
                break;
            }
            let mut progress = false;
            for device in open {
                let Ok(hold) = self.hold(device.mac, &whoever(), run).await? else {
                    continue;
                };
                progress = true;
                // Whoever held it until now may have done it.
                if self.undecided(run, verdict).await?.contains(&device) {
                    done.insert(device.mac);
                    self.store.resume_device(run, &device.device, hold.token()).await?;
                    let outcome = self.try_settle(run, &device, &hold, verdict, patience, None).await;
                    results.push(settled(device, outcome));
                }
            }
            if !progress {
                tokio::time::sleep(LOOK).await;
            }
        }
        if !results.is_empty() {
            self.close_run(run, &results, false).await?;
        }
        Ok(results)
    }

    /// The devices of a run that wait for this word, in the order in which it is done: as they were begun, or the other way.
    async fn undecided(&self, run: RunId, verdict: Verdict) -> Result<Vec<Undecided>, StoreError> {
        let mut devices = self.store.devices_of(run).await?;
        if verdict == Verdict::Keep {
            devices.retain(|device| device.state == DeviceRunState::Verified);
        } else {
            devices.retain(|device| device.state.may_be_given_back());
            devices.reverse();
        }
        Ok(devices)
    }

    /// Gives back, on the devices that are about to be planned, what runs left that were to be confirmed and that nobody
    /// looks after any more: their time is over, they were rejected, or they were killed at work.
    ///
    /// # Errors
    ///
    /// [`RunError`] where a target names nothing, or the database cannot be used.
    pub async fn give_back_unconfirmed(
        &self,
        targets: &[Target],
        patience: Duration,
    ) -> Result<Vec<DeviceResult>, RunError> {
        let selection = self.select(targets)?;
        let waiting = self.store.all_unconfirmed().await?;
        let mut results = Vec::new();
        if waiting.is_empty() {
            return Ok(results);
        }
        for (device, _) in selection {
            let pin = self.store.pin(&device.key, device.was.as_deref()).await?;
            let Some(mac) = pin.and_then(|pin| pin.mac).filter(|mac| waiting.contains(mac)) else {
                continue;
            };
            let Some(standing) = self.store.unconfirmed(mac).await? else {
                continue;
            };
            let is_over = standing.deadline.is_none() || standing.verdict_at(Timestamp::now()).is_some();
            // Somebody who holds the device looks after it.
            if !is_over || self.hold(mac, &whoever(), standing.run).await?.is_err() {
                continue;
            }
            match self.store.answer(standing.run, Verdict::Expired, "the clock").await? {
                None | Some(Verdict::Keep) => {}
                Some(verdict) => results.extend(self.conclude(standing.run, verdict, patience).await?),
            }
        }
        Ok(results)
    }

    async fn try_settle(
        &self,
        run: RunId,
        waiting: &Undecided,
        hold: &Hold,
        verdict: Verdict,
        patience: Duration,
        reason: Option<String>,
    ) -> Result<DeviceOutcome, StoreError> {
        let Some(device) = self.inventory.devices.get(&waiting.device) else {
            return Ok(not_settled("the inventory has no such device any more".to_owned()));
        };
        let Some(checkpoint) = self.store.checkpoint(run, &waiting.device).await? else {
            return Ok(not_settled("nothing is on record of what it held before".to_owned()));
        };
        let work = apply::Work {
            context: self,
            device,
            run,
            lease: hold.token(),
            patience,
        };
        match verdict {
            Verdict::Keep => Ok(apply::keep(work, waiting.mac, &checkpoint).await),
            Verdict::Reject => {
                let reason = reason.unwrap_or_else(|| format!("run {run} was rejected"));
                apply::give_back(work, waiting.mac, &checkpoint, waiting.state, reason).await
            }
            Verdict::Expired => {
                let reason = format!("run {run} was not confirmed in time");
                apply::give_back(work, waiting.mac, &checkpoint, waiting.state, reason).await
            }
        }
    }
}

/// Who does what the word on a run says: nobody gave a name for it.
fn whoever() -> String {
    format!("gamops@{}", host_name())
}

fn settled(waiting: Undecided, outcome: Result<DeviceOutcome, StoreError>) -> DeviceResult {
    DeviceResult {
        device: waiting.device,
        waits: None,
        outcome: outcome.unwrap_or_else(|source| not_settled(chain(&source))),
    }
}

fn not_settled(reason: String) -> DeviceOutcome {
    DeviceOutcome::Unread(Unread { reason, help: None })
}

/// Why nothing is changed on a device that waits for what becomes of an earlier run.
pub(super) fn refusal(standing: &Confirmation, now: Timestamp) -> Refusal {
    let run = standing.run;
    let first = format!("`gamops apply` gives it back first; `gamops confirm --reject {run}` does only that");
    match (standing.verdict_at(now), standing.deadline) {
        (Some(Verdict::Reject), _) => Refusal {
            rule: "unconfirmed",
            message: format!("run {run} was rejected, and this device holds what it made"),
            help: first,
        },
        (Some(_), _) => Refusal {
            rule: "unconfirmed",
            message: format!("run {run} was not confirmed in time, and this device holds what it made"),
            help: first,
        },
        (None, None) => Refusal {
            rule: "awaits-confirmation",
            message: format!("run {run}, which is to be confirmed, has not come to its end on this device"),
            help: format!("wait for it; if it was killed: {first}"),
        },
        (None, Some(deadline)) => Refusal {
            rule: "awaits-confirmation",
            message: format!("run {run} on this device waits to be confirmed until {deadline:.0}"),
            help: format!("`gamops confirm {run}` keeps what it made, `gamops confirm --reject {run}` gives it back"),
        },
    }
}
