//! A device as it was read, with what is on record of it: plans are made from that, for the inventory as it is or as it would be.

use std::collections::BTreeSet;

use crate::dialect::running;
use crate::inventory;
use crate::inventory::model::{Device, Inventory};
use crate::observed::Kind;
use crate::plan::impact::duration::Timings;
use crate::plan::model::{DeviceChanges, Unread};
use crate::plan::record::Record;
use crate::plan::{Inputs, Readings, Refusal, plan_device};
use crate::store::StoreError;

use super::{Contact, Context, chain, confirm, observe, render};

/// A device that was read, its session open.
#[derive(Debug)]
pub struct Reading {
    pub(super) contact: Contact,
    records: Vec<Record>,
    unfinished: bool,
    timings: Timings,
    /// Set while a run there waits to be confirmed.
    unconfirmed: Option<Refusal>,
}

impl Context {
    /// Reads a device.
    ///
    /// # Errors
    ///
    /// [`Unread`] where it cannot be reached or read, or the database fails.
    pub async fn read(&self, device: &Device) -> Result<Reading, Unread> {
        let contact = observe(self, device).await?;
        let database = |source: StoreError| Unread {
            reason: chain(&source),
            help: source.help(),
        };
        let mac = contact.mac();
        let last = self.store.last_run(mac).await.map_err(database)?;
        let firmware = &contact.observation.identity.firmware;
        let standing = self.store.unconfirmed(mac).await.map_err(database)?;
        Ok(Reading {
            records: self.store.records(mac).await.map_err(database)?,
            unfinished: last.is_some_and(|run| run.state.is_unfinished()),
            timings: self.store.timings(firmware).await.map_err(database)?,
            unconfirmed: standing.map(|standing| confirm::refusal(&standing, jiff::Timestamp::now())),
            contact,
        })
    }
}

impl Reading {
    /// Plans all of the device, as if its window were open, for an inventory that need not be that of the run.
    ///
    /// # Errors
    ///
    /// [`Unread`] where that inventory has no such device.
    pub fn plan(&self, context: &Context, inventory: &Inventory, device: &str) -> Result<DeviceChanges, Unread> {
        let device = inventory.devices.get(device).ok_or_else(no_such_device)?;
        self.plan_by(context, inventory, (device, None), |inputs| {
            plan_device(Inputs { window: None, ..inputs }, &render)
        })
    }

    /// Plans the device in some way.
    pub(super) fn plan_by(
        &self,
        context: &Context,
        inventory: &Inventory,
        (device, targets): (&Device, Option<&BTreeSet<(Kind, String)>>),
        plan: impl FnOnce(Inputs<'_>) -> DeviceChanges,
    ) -> Result<DeviceChanges, Unread> {
        let desired = inventory::compile(inventory, &device.key).ok_or_else(no_such_device)?;
        let observation = &self.contact.observation;
        let running_text = running::canonical(&observation.running);
        let startup_text = observation.startup.as_ref().map(running::canonical);
        let mut changes = plan(Inputs {
            desired: &desired,
            readings: Readings {
                running: (&observation.running, &running_text),
                startup: observation.startup.as_ref().zip(startup_text.as_deref()),
            },
            identity: &observation.identity,
            capabilities: &observation.capabilities,
            records: &self.records,
            unfinished: self.unfinished,
            timings: &self.timings,
            now: context.now,
            window: context.window(device),
            targets,
        });
        if let Some(refusal) = &self.unconfirmed {
            changes.refuse(refusal.clone());
        }
        Ok(changes)
    }

    /// Ends the session.
    pub async fn close(self) {
        self.contact.close().await;
    }
}

fn no_such_device() -> Unread {
    Unread {
        reason: "the inventory has no such device".to_owned(),
        help: None,
    }
}
