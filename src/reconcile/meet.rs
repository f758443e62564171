//! Meeting devices that the inventory does not have yet.

use std::sync::Arc;

use futures::StreamExt as _;
use tokio_util::task::AbortOnDropHandle;

use crate::device::Observation;
use crate::domain::{MacAddr, SubscriberModel};
use crate::inventory::model::{Device, Transport};
use crate::plan::model::Unread;

use super::observe::{Way, pin_now, plain, reach};
use super::{Context, Progress};

/// A device that is known by where it is reached, and by nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stranger {
    /// What messages call it.
    pub called: String,
    /// IP address or DNS name.
    pub address: String,
    /// How it is reached.
    pub transport: Transport,
    /// Name of the credentials.
    pub credentials: String,
}

impl Context {
    /// Reads devices side by side, as many at once as are read for a plan. Nothing is pinned. Answers in the order of the
    /// question.
    pub async fn meet(&self, strangers: Vec<Stranger>) -> Vec<Result<Observation, Unread>> {
        let meet = |stranger: Stranger| {
            let context = self.clone();
            // On a task of its own: what reading costs is parsing and cryptography, which then use every core.
            let task = tokio::spawn(async move { context.meet_one(&stranger).await });
            async move {
                match AbortOnDropHandle::new(task).await {
                    Ok(met) => met,
                    // A bug is one wherever it runs; nothing else ends the task before its time.
                    Err(ended) => std::panic::resume_unwind(ended.into_panic()),
                }
            }
        };
        let met = futures::stream::iter(strangers).map(meet);
        met.buffered(self.parallelism.reading.max(1)).collect().await
    }

    async fn meet_one(&self, stranger: &Stranger) -> Result<Observation, Unread> {
        self.events.tell(&stranger.called, Progress::Contacting);
        let way = Way {
            key: &stranger.called,
            address: &stranger.address,
            transport: &stranger.transport,
            credentials: &stranger.credentials,
            host_key: None,
            // A device that shows no model by its subscribers has none that anything would depend on.
            model: SubscriberModel::default(),
        };
        let met = reach(self, way, None, self.host_key_policy).await;
        let progress = if met.is_ok() { Progress::Read } else { Progress::NotRead };
        self.events.tell(&stranger.called, progress);
        let contact = met.map_err(|unseen| unseen.unread)?;
        let observation = contact.observation.clone();
        contact.close().await;
        Ok(observation)
    }

    /// The key of the device that the inventory reaches at this address and port of SSH.
    #[must_use]
    pub fn reached_as(&self, address: &str, ssh_port: u16) -> Option<String> {
        let is_there = |device: &&Device| device.address == address && device.transport.ssh_port == ssh_port;
        self.inventory
            .devices
            .values()
            .find(is_there)
            .map(|device| device.key.clone())
    }

    /// The key of the inventory that a device is pinned to.
    ///
    /// # Errors
    ///
    /// [`Unread`] where the database cannot be used.
    pub async fn pinned_as(&self, mac: MacAddr) -> Result<Option<String>, Unread> {
        let inventory = Arc::clone(&self.inventory);
        let counts = move |key: &str| inventory.devices.contains_key(key);
        self.store.pinned_as(mac, counts).await.map_err(|error| plain(&error))
    }

    /// Pins a device that was met under the key that it has in the inventory from now on.
    ///
    /// # Errors
    ///
    /// [`Unread`] where the database cannot be used.
    pub async fn pin_met(&self, key: &str, observation: &Observation) -> Result<(), Unread> {
        // Whether another key leads to it was asked when it was met.
        let pinned = self.store.set_pin(key, pin_now(observation), |_| false).await;
        pinned.map(drop).map_err(|error| plain(&error))
    }
}
