//! Runs that are kept only if somebody confirms them: waiting for the word, and who acts on it when nobody waits any
//! more. What is done then is in `conclude`.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use crate::plan::{Refusal, Target};
use crate::store::{Confirmation, RunId, Verdict, host_name};

use super::{Context, DeviceResult, RunError};

/// How often a process looks for what another one wrote.
pub(super) const LOOK: Duration = Duration::from_millis(200);

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
        let (mut results, mut concluded) = (Vec::new(), BTreeSet::new());
        if waiting.is_empty() {
            return Ok(results);
        }
        for (device, _) in selection {
            let pin = self.store.pin(&device.key, device.was.as_deref()).await?;
            let Some(mac) = pin.and_then(|pin| pin.mac).filter(|mac| waiting.contains(mac)) else {
                continue;
            };
            // What could not be given back on one device of a run is not tried again for each of the others.
            let standing = self.store.unconfirmed(mac).await?;
            let Some(standing) = standing.filter(|standing| !concluded.contains(&standing.run)) else {
                continue;
            };
            let is_over = standing.deadline.is_none() || standing.verdict_at(Timestamp::now()).is_some();
            // Somebody who holds the device looks after it.
            if !is_over || self.hold(mac, &whoever(), standing.run).await?.is_err() {
                continue;
            }
            match self.store.answer(standing.run, Verdict::Expired, "the clock").await? {
                None | Some(Verdict::Keep) => {}
                Some(verdict) => {
                    concluded.insert(standing.run);
                    results.extend(self.conclude(standing.run, verdict, patience).await?);
                }
            }
        }
        Ok(results)
    }
}

/// Who does what the word on a run says: nobody gave a name for it.
pub(super) fn whoever() -> String {
    format!("gamops@{}", host_name())
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
