//! A new unit in the place of an old one: taken for the same device, and brought to hold what that held.
//!
//! The pin and the records go to the new unit in one step, before anything is sent to it. From then on it is an apply
//! like any other, and if that is cut off, the same command goes on from there.

use std::sync::Arc;
use tokio::time::Instant;

use crate::domain::MacAddr;
use crate::inventory::model::Device;
use crate::observed::{Answer, AssumedWord, DeviceConfig, ObjectId};
use crate::plan::replace::{Old, Remembered};
use crate::plan::{plan_device, replace};
use crate::store::{Pin, StoreError};

use super::action::Unready;
use super::observe::{meet, pin_now};
use super::{Applied, Context, DeviceResult, Orders, Planned, RunError, View, render};

/// What a replacement comes to.
#[derive(Debug)]
pub enum Replacement {
    /// The unit that answers is the pinned one.
    Same {
        /// What it is.
        now: Pin,
        /// Whether its host key is not the pinned one.
        other_key: bool,
    },
    /// No unit was ever met under this key.
    NeverMet,
    /// There is a new unit.
    New(Box<PlannedReplacement>),
}

/// A replacement that was looked into, the new unit's session still open.
#[derive(Debug)]
pub struct PlannedReplacement {
    /// The plan that brings the new unit to what the old one held.
    pub planned: Planned,
    /// What was pinned: the old unit, or the new one where an earlier run took it for the device already.
    pub pinned: Pin,
    /// What answers.
    pub now: Pin,
    /// What the new unit holds, if it does not come from the factory. Empty where it was taken for the device already.
    pub existing: Vec<(ObjectId, String)>,
    /// Whether an earlier run took it for the device, and did not come to its end.
    pub goes_on: bool,
    device: String,
}

impl Context {
    /// Looks at the unit that answers for a device now, and at what it takes to make it what the one before was.
    ///
    /// # Errors
    ///
    /// [`RunError`] where the database cannot be used. That nothing can be done is a value.
    pub async fn plan_replacement(&self, device: &Device) -> Result<Result<Replacement, Unready>, RunError> {
        let began = Instant::now();
        if let Some(refusal) = self.held(device).await? {
            return Ok(Err(Unready::Refused(refusal)));
        }
        let (contact, pinned) = match meet(self, device).await {
            Ok(met) => met,
            Err(unread) => return Ok(Err(unread.into())),
        };
        let now = pin_now(&contact.observation);
        let mac = contact.mac();
        let Some((pinned, before)) = pinned.and_then(|pin| pin.mac.map(|mac| (pin, mac))) else {
            contact.close().await;
            return Ok(Ok(Replacement::NeverMet));
        };
        let goes_on = before == mac;
        let old = if goes_on {
            self.store.unsettled_replacement(&device.key, mac).await?
        } else {
            Some(before)
        };
        let Some(old) = old else {
            contact.close().await;
            let other_key = pinned.host_key != now.host_key;
            return Ok(Ok(Replacement::Same { now, other_key }));
        };
        let records = Arc::new(self.store.records(before).await?);
        let held = contact.observation.running.managed.settings().into_owned();
        let existing = if goes_on { Vec::new() } else { replace::existing(&held) };
        let last = self.last_made(device, [mac, old]).await?;
        let old = Old {
            records: &records,
            last: last.as_ref(),
        };
        let poe = contact
            .observation
            .capabilities
            .word(AssumedWord::PoeEnableForce)
            .answer;
        let forced = poe == Answer::Yes || poe == Answer::Unknown && device.allow_assumed;
        let Remembered { base, notes, refusals } = replace::remember(&held, old, device.model.ports, forced);
        let view = View {
            records: Some(&records),
            targets: None,
            remembered: Some(&Arc::new(base)),
        };
        let reading = match self.look_up(contact, device).await {
            Ok(reading) => reading,
            Err(unread) => return Ok(Err(unread.into())),
        };
        let planned = reading.plan_by(self, &self.inventory, (device, view), |inputs| {
            plan_device(inputs, &render)
        });
        let contact = reading.contact;
        let mut changes = match planned {
            Ok(changes) => changes,
            Err(unread) => {
                contact.close().await;
                return Ok(Err(unread.into()));
            }
        };
        changes.notes.extend(notes);
        refusals.into_iter().for_each(|refusal| changes.refuse(refusal));
        let (planned, contact) = self.with_session(device, Ok((changes, contact))).await;
        let contacts = contact.map(|contact| (device.key.clone(), contact));
        let mut plan = self.plan_of(&[], vec![planned]);
        self.guard(&mut plan).await?;
        Ok(Ok(Replacement::New(Box::new(PlannedReplacement {
            planned: Planned {
                plan,
                contacts: contacts.into_iter().collect(),
                undoes: None,
                began,
            },
            pinned,
            now,
            existing,
            goes_on,
            device: device.key.clone(),
        }))))
    }

    /// What the last run made, or was to make, of the first of these units on which there was one.
    async fn last_made(&self, device: &Device, units: [MacAddr; 2]) -> Result<Option<DeviceConfig>, StoreError> {
        for mac in units {
            let Some(last) = self.store.last_run(mac).await? else {
                continue;
            };
            for key in [Some(&device.key), device.was.as_ref()].into_iter().flatten() {
                if let Some(checkpoint) = self.store.checkpoint(last.run, key).await? {
                    return Ok(Some(checkpoint.target));
                }
            }
        }
        Ok(None)
    }

    /// Takes the new unit for the device, and applies the plan.
    ///
    /// # Errors
    ///
    /// [`RunError`] where that could not be written down, or a guard refuses the plan; nothing was sent then.
    pub async fn replace(&self, planned: PlannedReplacement, orders: &Orders) -> Result<Applied, RunError> {
        let PlannedReplacement {
            planned,
            pinned,
            now,
            goes_on,
            device,
            ..
        } = planned;
        if let Some(old) = pinned.mac.filter(|_| !goes_on) {
            // Whose device it is was looked at just now.
            self.store.replace_unit(&device, old, now).await?;
        }
        let applied = self.apply(planned, orders).await?;
        let is_whole = |result: &DeviceResult| result.outcome.is_fine() && result.waits.is_none();
        if applied.results.iter().all(is_whole) {
            self.store.replacement_settled(&device).await?;
        }
        Ok(applied)
    }
}

impl PlannedReplacement {
    /// Whether something stands in the way.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.planned.plan.is_guarded() || self.planned.plan.has_refusals()
    }
}
