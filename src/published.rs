//! What was observed on a device, as a file for others: all that a plan for it is made from, so that whoever has the file plans as
//! the daemon does, without the device.
//!
//! What may stand in it is listed here field by field; nothing else of a device goes in: no line of its configuration that gamops
//! does not manage, no telemetry, no login. It holds no time, so that equal devices give equal bytes. docs/observed.md is about it.

mod config;
mod fleet;
mod handed;
mod heartbeat;
mod knowledge;
mod ownership;

use std::sync::Arc;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::{Firmware, MacAddr, Model};
use crate::inventory::desired::DesiredDevice;
use crate::observed::{Capabilities, Identity, RunningConfig};
use crate::plan::drift::Leave;
use crate::plan::impact::duration::Timings;
use crate::plan::pause::Paused;
use crate::plan::record::Record;
use crate::plan::window::State;
use crate::plan::{Inputs, Readings, Write};

use config::Config;
use knowledge::{Knowledge, Pause, Took};
use ownership::Owned;

pub use fleet::{Fleet, Terms};
pub use handed::Handed;
pub use heartbeat::Heartbeat;

/// Version of the format. A reader refuses one that it does not know.
pub const FORMAT: u32 = 1;

/// The reference of a repository that holds a file for each device.
pub const OBSERVED: &str = "refs/gamops/observed";

/// The reference that says when each device was read.
pub const HEARTBEAT: &str = "refs/gamops/heartbeat";

/// The file of a device below [`OBSERVED`], by its key.
#[must_use]
pub fn file(device: &str) -> String {
    format!("devices/{device}.json")
}

/// A device as it was read, with what is on record of it: what [`crate::plan::plan_device`] wants beside the inventory.
#[derive(Debug, Clone)]
pub struct Sighting {
    /// Which device it is.
    pub identity: Identity,
    /// Fingerprint of the key that it proved itself with.
    pub host_key: String,
    /// What it runs.
    pub running: Arc<RunningConfig>,
    /// What it would load at boot; `None` where it did not show that.
    pub startup: Option<Arc<RunningConfig>>,
    /// What its firmware is known to understand.
    pub capabilities: Capabilities,
    /// What gamops owns there.
    pub records: Arc<Vec<Record>>,
    /// Whether a run of gamops there never came to its end.
    pub unfinished: bool,
    /// What commands took on its firmware.
    pub timings: Timings,
    /// What operators have paused it by.
    pub pauses: Vec<Paused>,
}

impl Sighting {
    /// What a plan for all of the device is made from.
    #[must_use]
    pub fn inputs<'a>(
        &'a self,
        desired: &'a Arc<DesiredDevice>,
        write: Write,
        now: Timestamp,
        window: Option<State<'a>>,
    ) -> Inputs<'a> {
        Inputs {
            desired,
            readings: Readings {
                running: &self.running,
                startup: self.startup.as_deref(),
                write,
            },
            identity: &self.identity,
            capabilities: &self.capabilities,
            records: &self.records,
            unfinished: self.unfinished,
            timings: &self.timings,
            pauses: &self.pauses,
            now,
            window,
            remembered: None,
            targets: None,
            leave: Leave::default(),
        }
    }
}

/// One device, as it was observed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "gamops observed device")]
pub struct Document {
    /// Version of this format.
    pub format: u32,
    /// Which device it is.
    identity: Named,
    /// What it runs.
    running: Config,
    /// Whether a reboot would keep that.
    saved: Saved,
    /// What it would load at boot, where that is something else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    startup: Option<Config>,
    /// What gamops owns there. Nothing else may ever be destroyed.
    owned: Vec<Owned>,
    /// Whether a run of gamops there never came to its end.
    unfinished_run: bool,
    /// What operators have paused it by, the inventory's own pauses aside.
    paused: Vec<Pause>,
    /// What its firmware is known to understand.
    capabilities: Knowledge,
    /// What commands took on devices of its firmware.
    command_times: Vec<Took>,
}

/// Which device it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Named {
    /// Base MAC.
    #[schemars(with = "String")]
    mac: MacAddr,
    /// The exact model, where the device said it.
    model: Option<String>,
    /// Firmware, such as `GAM-4/8-C_v1.8.2`.
    firmware: String,
    /// Serial number, where SNMP answered.
    serial: Option<String>,
    /// Fingerprint of its SSH host key.
    host_key: String,
}

/// Whether a reboot would keep what runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Saved {
    /// It would.
    Yes,
    /// It would not.
    No,
    /// The device did not show what it would load.
    Unknown,
}

/// A file is no observed device. The fault of whoever wrote it.
#[derive(Debug, thiserror::Error)]
pub enum InvalidDocument {
    /// It is of another version.
    #[error("it is of format {0}, and this gamops reads format {FORMAT}")]
    Format(u32),
    /// It is something else.
    #[error("it is no observed device")]
    Shape(#[from] serde_json::Error),
    /// It names a model that nobody knows.
    #[error("it names the unknown model `{0}`")]
    Model(String),
    /// Its firmware is none.
    #[error(transparent)]
    Firmware(#[from] crate::domain::InvalidFirmware),
    /// A setting is not what it may be.
    #[error("{0}")]
    Setting(String),
}

impl Document {
    /// What may be said of a device.
    #[must_use]
    pub fn of(sighting: &Sighting) -> Self {
        let Sighting { identity, running, .. } = sighting;
        let config = Config::of(running);
        let (saved, startup) = match &sighting.startup {
            None => (Saved::Unknown, None),
            Some(startup) if running.is_same_as(startup) => (Saved::Yes, None),
            Some(startup) => (Saved::No, Some(Config::beside(startup, running))),
        };
        Self {
            format: FORMAT,
            identity: Named {
                mac: identity.mac,
                model: identity.model.map(|model| model.name.to_owned()),
                firmware: identity.firmware.to_string(),
                serial: identity.serial.clone(),
                host_key: sighting.host_key.clone(),
            },
            running: config,
            saved,
            startup,
            owned: sighting.records.iter().map(Owned::from).collect(),
            unfinished_run: sighting.unfinished,
            paused: sighting.pauses.iter().map(Pause::from).collect(),
            capabilities: (&sighting.capabilities).into(),
            command_times: sighting.timings.iter().map(Took::from).collect(),
        }
    }

    /// The device again. What was not published is not there: keywords that gamops does not know are as many `?`, of lines that
    /// it does not manage only those about the VLANs of uplinks are left, and that others differ.
    ///
    /// # Errors
    ///
    /// [`InvalidDocument`].
    pub fn sighting(&self) -> Result<Sighting, InvalidDocument> {
        if self.format != FORMAT {
            return Err(InvalidDocument::Format(self.format));
        }
        let named = &self.identity;
        let unknown = |name: &String| InvalidDocument::Model(name.clone());
        let model = (named.model.as_ref())
            .map(|name| Model::by_name(name).ok_or_else(|| unknown(name)))
            .transpose()?;
        let running = Arc::new(self.running.running()?);
        let startup = match (self.saved, &self.startup) {
            (Saved::Unknown, None) => None,
            (Saved::Yes, None) => Some(Arc::clone(&running)),
            (Saved::No, Some(startup)) => Some(Arc::new(startup.running()?)),
            _ => return Err(InvalidDocument::Setting("`startup` belongs to `saved: no`".to_owned())),
        };
        Ok(Sighting {
            identity: Identity {
                mac: named.mac,
                model,
                firmware: named.firmware.parse::<Firmware>()?,
                serial: named.serial.clone(),
            },
            host_key: named.host_key.clone(),
            running,
            startup,
            capabilities: (&self.capabilities).into(),
            records: Arc::new(self.owned.iter().map(Record::from).collect()),
            unfinished: self.unfinished_run,
            timings: Timings::of(self.command_times.iter().map(Took::measured)),
            pauses: self.paused.iter().map(Paused::from).collect(),
        })
    }

    /// The file: JSON, indented, the same bytes for the same device.
    ///
    /// # Errors
    ///
    /// None in fact: there is nothing in it that JSON cannot hold.
    pub fn text(&self) -> serde_json::Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// Reads a file.
    ///
    /// # Errors
    ///
    /// [`InvalidDocument`].
    pub fn parse(text: &str) -> Result<Self, InvalidDocument> {
        /// What stands in every version.
        #[derive(Deserialize)]
        struct Head {
            format: u32,
        }
        match serde_json::from_str::<Head>(text)?.format {
            FORMAT => Ok(serde_json::from_str(text)?),
            other => Err(InvalidDocument::Format(other)),
        }
    }
}

#[cfg(test)]
mod tests;
