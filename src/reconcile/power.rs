//! Cycling the power of a subscriber's endpoint: a run that is never kept.
//!
//! It goes the way of a run that is to be confirmed, and the word on it is no. So whoever is alive gives the power back:
//! this command, or the next apply if it was killed.

use std::time::Duration;

use tokio::time::Instant;

use crate::inventory::model::Device;
use crate::plan::Refusal;
use crate::plan::model::Outcome;
use crate::plan::power::{PowerOff, power_off};
use crate::store::Verdict;

use super::action::Unready;
use super::{Context, DeviceOutcome, DeviceResult, Orders, Planned, RunError, render};

/// A power cycle that was looked into, the device's session still open.
#[derive(Debug)]
pub struct PlannedCycle {
    /// The plan that takes the power away.
    pub planned: Planned,
    /// What is sent, in order, to take it away.
    pub off: Vec<String>,
    /// And to give it back.
    pub back: Vec<String>,
    /// The PoE mode that is given back.
    pub mode: String,
}

impl Context {
    /// Looks into what it takes to cycle the power of a subscriber's endpoint.
    ///
    /// # Errors
    ///
    /// [`RunError`] where the database cannot be used. That nothing can be done is a value.
    pub async fn plan_power_cycle(
        &self,
        device: &Device,
        subscriber: &str,
    ) -> Result<Result<PlannedCycle, Unready>, RunError> {
        let began = Instant::now();
        if let Some(refusal) = self.held(device).await? {
            return Ok(Err(Unready::Refused(refusal)));
        }
        let (mut back, mut mode) = (Vec::new(), String::new());
        let (planned, contact) = self
            .plan_with(device, None, |inputs| {
                let off: PowerOff = power_off(inputs, subscriber, &render);
                (back, mode) = (off.back, off.now);
                off.changes
            })
            .await;
        let changes = match &planned.outcome {
            Outcome::Read(changes) => changes,
            Outcome::Unread(unread) => return Ok(Err(Unready::Unread(unread.clone()))),
        };
        let refusal = changes.refusals.first().cloned();
        let (Some(contact), None) = (contact, &refusal) else {
            let nothing = || Refusal {
                rule: "nothing-to-do",
                message: "there is nothing to cycle".to_owned(),
                help: format!("look at `gamops show {subscriber}`"),
            };
            return Ok(Err(Unready::Refused(refusal.unwrap_or_else(nothing))));
        };
        let off = changes.steps.iter().flat_map(|step| step.commands.clone()).collect();
        let key = device.key.clone();
        let mut plan = self.plan_of(&[], vec![planned]);
        plan.windows_ignored = self.ignore_windows;
        self.guard(&mut plan).await?;
        Ok(Ok(PlannedCycle {
            planned: Planned {
                plan,
                contacts: [(key, contact)].into(),
                undoes: None,
                began,
            },
            off,
            back,
            mode,
        }))
    }

    /// Takes the power away, waits, and gives it back. `Ok` inside: it is as it was; else what came of it.
    ///
    /// # Errors
    ///
    /// [`RunError`] where a guard refuses it, or the run could not be written down; nothing was sent then.
    pub async fn cycle_power(
        &self,
        planned: Planned,
        off: Duration,
        orders: &Orders,
    ) -> Result<Result<(), Vec<DeviceResult>>, RunError> {
        let orders = Orders {
            confirm: true,
            ..orders.clone()
        };
        let applied = self.apply(planned, &orders).await?;
        if !applied.is_waiting() {
            return Ok(Err(applied.results));
        }
        let _ = self.cancel.run_until_cancelled(tokio::time::sleep(off)).await;
        let run = applied.run;
        self.store.answer(run, Verdict::Reject, &orders.actor).await?;
        let reason = format!("the power was off for {} s", off.as_secs());
        let results = self
            .settle_saying(applied, Verdict::Reject, orders.patience, Some(&reason))
            .await?;
        let is_back = |result: &DeviceResult| matches!(&result.outcome, DeviceOutcome::RolledBack(back) if back.way.left.is_empty());
        if results.iter().all(is_back) {
            // Giving back is what it was for.
            self.store.finish_run(run, "done", Vec::new()).await?;
            return Ok(Ok(()));
        }
        Ok(Err(results))
    }
}
