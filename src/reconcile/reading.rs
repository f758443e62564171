//! A device as it was read, with what is on record of it: plans are made from that, for the inventory as it is or as it would be.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::StreamExt as _;
use tokio_util::task::AbortOnDropHandle;

use crate::dialect::running;
use crate::inventory;
use crate::inventory::model::{Device, Inventory};
use crate::observed::{DeviceConfig, Kind, ObjectId};
use crate::plan::model::{DeviceChanges, Unread};
use crate::plan::pause::Paused;
use crate::plan::record::Record;
use crate::plan::{Inputs, Readings, plan_device};
use crate::store::{Known, StoreError};

use super::observe::plain;
use super::{Contact, Context, Progress, confirm, observe, render};

/// A device that was read, its session open.
#[derive(Debug)]
pub struct Reading {
    pub(super) contact: Contact,
    known: Known,
    pauses: Vec<Paused>,
}

/// By what a device that was read is planned for.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct View<'a> {
    /// What gamops owns there, where it is not what is on record.
    pub(super) records: Option<&'a Arc<Vec<Record>>>,
    /// The objects that the operator named; `None` for the whole device.
    pub(super) targets: Option<&'a BTreeSet<(Kind, String)>>,
    /// The device as if it were the one whose place it takes.
    pub(super) remembered: Option<&'a Arc<DeviceConfig>>,
}

impl Context {
    /// Reads a device.
    ///
    /// # Errors
    ///
    /// [`Unread`] where it cannot be reached or read, or the database fails.
    pub async fn read(&self, device: &Device) -> Result<Reading, Unread> {
        let contact = observe(self, device).await?;
        self.look_up(contact, device).await
    }

    /// Reads devices side by side, as many at once as are read for a plan. Answers in the order of the question.
    pub async fn read_all(&self, devices: Vec<Device>) -> Vec<Result<Reading, Unread>> {
        let read = |device: Device| {
            let context = self.clone();
            // On a task of its own: what reading costs is parsing and cryptography, which then use every core.
            let task = tokio::spawn(async move {
                context.events.tell(&device.key, Progress::Contacting);
                let reading = context.read(&device).await;
                let progress = if reading.is_ok() {
                    Progress::Read
                } else {
                    Progress::NotRead
                };
                context.events.tell(&device.key, progress);
                reading
            });
            async move {
                match AbortOnDropHandle::new(task).await {
                    Ok(reading) => reading,
                    // A bug is one wherever it runs; nothing else ends the task before its time.
                    Err(ended) => std::panic::resume_unwind(ended.into_panic()),
                }
            }
        };
        let readings = futures::stream::iter(devices).map(read);
        readings.buffered(self.parallelism.reading.max(1)).collect().await
    }

    /// Looks up what is on record of a device that was read.
    pub(super) async fn look_up(&self, contact: Contact, device: &Device) -> Result<Reading, Unread> {
        let (mac, firmware) = (contact.mac(), contact.observation.identity.firmware.clone());
        let on_record = async {
            let pauses = self.pauses(device).await?;
            Ok::<_, StoreError>((pauses, self.store.known(mac, &firmware).await?))
        };
        match on_record.await {
            Ok((pauses, known)) => {
                self.sightings.tell(&device.key, &contact, &known, &pauses);
                Ok(Reading { contact, known, pauses })
            }
            Err(source) => {
                contact.close().await;
                Err(plain(&source))
            }
        }
    }
}

impl Reading {
    /// Plans all of the device, as if its window were open, for an inventory that need not be that of the run.
    ///
    /// # Errors
    ///
    /// [`Unread`] where that inventory has no such device.
    pub fn plan(&self, context: &Context, inventory: &Inventory, device: &str) -> Result<DeviceChanges, Unread> {
        let device = inventory.devices.get(device).ok_or_else(Unread::not_in_inventory)?;
        self.plan_by(context, inventory, (device, View::default()), |inputs| {
            plan_device(Inputs { window: None, ..inputs }, &render)
        })
    }

    /// Plans the device in some way.
    pub(super) fn plan_by(
        &self,
        context: &Context,
        inventory: &Inventory,
        (device, view): (&Device, View<'_>),
        plan: impl FnOnce(Inputs<'_>) -> DeviceChanges,
    ) -> Result<DeviceChanges, Unread> {
        let desired = inventory::compile(inventory, &device.key).ok_or_else(Unread::not_in_inventory)?;
        let (observation, known) = (&self.contact.observation, &self.known);
        let mut changes = plan(Inputs {
            desired: &Arc::new(desired),
            readings: Readings {
                running: &observation.running,
                startup: observation.startup.as_deref(),
                write: running::canonical,
            },
            identity: &observation.identity,
            capabilities: &observation.capabilities,
            records: view.records.unwrap_or(&known.records),
            unfinished: known.last.as_ref().is_some_and(|run| run.state.is_unfinished()),
            timings: &known.timings,
            pauses: &self.pauses,
            now: context.now,
            window: context.window(device),
            remembered: view.remembered,
            targets: view.targets,
            leave: context.leaving.on(&device.key),
        });
        if let Some(standing) = &known.unconfirmed {
            changes.refuse(confirm::refusal(standing, jiff::Timestamp::now()));
        }
        Ok(changes)
    }

    /// Objects with settings that could not be read, as printed.
    #[must_use]
    pub fn unreadable(&self) -> BTreeMap<ObjectId, Vec<String>> {
        running::unreadable(&self.contact.observation.running.managed)
    }

    /// Ends the session.
    pub async fn close(self) {
        self.contact.close().await;
    }
}
