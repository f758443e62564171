//! Who wants to know what was read of each device.

use jiff::Timestamp;
use tokio::sync::mpsc;

use crate::published::Sighting;
use crate::store::Known;

use super::Contact;
use crate::plan::pause::Paused;

/// A device that was read.
#[derive(Debug, Clone)]
pub struct Sighted {
    /// Inventory key.
    pub device: String,
    /// When.
    pub at: Timestamp,
    /// What was read, and what is on record of it.
    pub sighting: Sighting,
}

/// The sending end. Nobody listening is fine.
#[derive(Debug, Clone, Default)]
pub struct Sightings(Option<mpsc::UnboundedSender<Sighted>>);

impl Sightings {
    /// What is read goes to a listener.
    #[must_use]
    pub fn to(sender: mpsc::UnboundedSender<Sighted>) -> Self {
        Self(Some(sender))
    }

    /// Whether anybody listens.
    #[must_use]
    pub fn are_wanted(&self) -> bool {
        self.0.is_some()
    }

    pub(super) fn tell(&self, device: &str, contact: &Contact, known: &Known, pauses: &[Paused]) {
        let Some(sender) = &self.0 else {
            return;
        };
        let observation = &contact.observation;
        // A listener that has gone does not stop the work.
        let _ = sender.send(Sighted {
            device: device.to_owned(),
            at: Timestamp::now(),
            sighting: Sighting {
                identity: observation.identity.clone(),
                host_key: observation.host_key.fingerprint(),
                running: observation.running.clone(),
                startup: observation.startup.clone(),
                capabilities: observation.capabilities.clone(),
                records: known.records.clone(),
                unfinished: known.last.as_ref().is_some_and(|run| run.state.is_unfinished()),
                timings: known.timings.clone(),
                pauses: pauses.to_vec(),
            },
        });
    }
}
