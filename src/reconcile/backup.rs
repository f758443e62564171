//! The running configuration of devices as text, for people.

use futures::StreamExt as _;

use crate::inventory::model::Device;
use crate::plan::Target;
use crate::plan::model::Unread;

use super::event::Progress;
use super::observe::{observe, unread};
use super::{Context, RunError};

/// The configuration of one device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// Key of the device.
    pub device: String,
    /// Its text, secrets masked, or why there is none.
    pub text: Result<String, Unread>,
}

impl Context {
    /// Reads the running configuration of the named devices, of all where none is named, in the order of their keys.
    ///
    /// # Errors
    ///
    /// [`RunError::UnknownDevice`]. A device that cannot be read is an entry of the answer.
    pub async fn backups(&self, devices: &[Target]) -> Result<Vec<Backup>, RunError> {
        let selection = self.select(devices)?;
        let mut backups: Vec<Backup> = futures::stream::iter(selection)
            .map(|(device, _)| async move {
                Backup {
                    device: device.key.clone(),
                    text: self.backup(device).await,
                }
            })
            .buffer_unordered(self.parallelism.reading.max(1))
            .collect()
            .await;
        backups.sort_by(|a, b| a.device.cmp(&b.device));
        Ok(backups)
    }

    async fn backup(&self, device: &Device) -> Result<String, Unread> {
        self.events.tell(&device.key, Progress::Contacting);
        let text = self.configuration(device).await;
        let outcome = if text.is_ok() {
            Progress::Read
        } else {
            Progress::NotRead
        };
        self.events.tell(&device.key, outcome);
        text
    }

    /// What a device holds, under one line that says whose it is. Only the pinned device is read: another one behind its
    /// address would replace the text of the right one.
    async fn configuration(&self, device: &Device) -> Result<String, Unread> {
        let mut contact = observe(self, device).await?;
        let text = contact.running_text().await;
        let identity = &contact.observation.identity;
        let head = format!(
            "! {}, {}, base MAC {}, firmware {}; secrets are masked: to be read, not to be loaded\n",
            device.key, device.model, identity.mac, identity.firmware
        );
        contact.close().await;
        Ok(head + &text.map_err(|error| unread(&device.key, &error))?)
    }
}
