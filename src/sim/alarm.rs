//! Alarms: raised and cleared by what is plugged in against what is configured, with a log of both.
//!
//! No clock: the caller says how long the device has been up.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::domain::MacAddr;

use super::config::{Config, port_of, presence};
use super::endpoint::{Plug, Presence};

/// Lines that the log keeps (assumed).
const LOG_LINES: usize = 500;

/// The kinds that endpoints raise, numbered as in the MIB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Condition {
    /// An endpoint is missing.
    Los = 13,
    /// An endpoint is on another port than its own.
    PortMismatch = 14,
    /// An endpoint is of a model that the device does not know.
    HardwareMismatch = 15,
}

impl Condition {
    /// The word in `show alarm`: `LOS` and `HWMISMAT` as the CLI guide prints them.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Los => "LOS",
            Self::PortMismatch => "PORTMISMATCH",
            Self::HardwareMismatch => "HWMISMAT",
        }
    }

    /// The description in `show alarm`.
    pub(super) const fn description(self) -> &'static str {
        match self {
            Self::Los => "Endpoint (CPE) loss of signal (missing)",
            Self::PortMismatch => "Endpoint (CPE) on wrong port",
            Self::HardwareMismatch => "Hardware Mismatch (unknown or unsupported endpoint model)",
        }
    }
}

/// One alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Alarm {
    pub(super) condition: Condition,
    /// Which endpoint, by its id.
    pub(super) endpoint: u16,
    /// The port that the endpoint is bound to.
    pub(super) port: u16,
    /// Whether a subscriber depends on it; then it is major, else minor.
    pub(super) service_affecting: bool,
    /// The device's uptime when it was raised.
    pub(super) since: Duration,
}

impl Alarm {
    /// The entity in displays.
    pub(super) fn entity(&self) -> String {
        format!("CPE-{}", self.endpoint)
    }

    /// `MJ` or `MN`.
    pub(super) const fn severity(&self) -> &'static str {
        if self.service_affecting { "MJ" } else { "MN" }
    }
}

/// What a line of the log reports, numbered as in the MIB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    Raising = 0,
    Clearing = 1,
    Changed = 2,
}

/// A line of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Logged {
    pub(super) event: Event,
    pub(super) alarm: Alarm,
    /// The device's uptime when this happened.
    pub(super) at: Duration,
}

/// The alarms of a device since it started.
#[derive(Debug, Default)]
pub(super) struct Alarms {
    next: u32,
    /// By row number; a number is not used again.
    pub(super) active: BTreeMap<u32, Alarm>,
    logged: u32,
    log: VecDeque<Logged>,
}

impl Alarms {
    /// Raises and clears whatever has come and gone.
    pub(super) fn update(&mut self, config: &Config, plugged: &BTreeMap<MacAddr, Plug>, now: Duration) {
        let mut wanted = wanted(config, plugged);
        let rows: Vec<u32> = self.active.keys().copied().collect();
        for row in rows {
            let Some(held) = self.active.get_mut(&row) else {
                continue;
            };
            let event = match wanted.remove(&(held.endpoint, held.condition)) {
                None => Event::Clearing,
                Some((port, affecting)) if (held.port, held.service_affecting) != (port, affecting) => {
                    (held.port, held.service_affecting) = (port, affecting);
                    Event::Changed
                }
                Some(_) => continue,
            };
            let alarm = *held;
            if event == Event::Clearing {
                self.active.remove(&row);
            }
            self.note(event, alarm, now);
        }
        for ((endpoint, condition), (port, service_affecting)) in wanted {
            let alarm = Alarm {
                condition,
                endpoint,
                port,
                service_affecting,
                since: now,
            };
            self.next += 1;
            self.active.insert(self.next, alarm);
            self.note(Event::Raising, alarm, now);
        }
    }

    fn note(&mut self, event: Event, alarm: Alarm, at: Duration) {
        if self.log.len() == LOG_LINES {
            self.log.pop_front();
        }
        self.log.push_back(Logged { event, alarm, at });
        self.logged += 1;
    }

    /// The log, oldest first, by row number.
    pub(super) fn log(&self) -> impl Iterator<Item = (u32, &Logged)> {
        let first = self.logged - u32::try_from(self.log.len()).unwrap_or(u32::MAX) + 1;
        (first..).zip(&self.log)
    }

    /// One line of the log.
    pub(super) fn logged(&self, row: u32) -> Option<&Logged> {
        let first = self.logged.checked_sub(u32::try_from(self.log.len()).ok()?)? + 1;
        self.log.get(usize::try_from(row.checked_sub(first)?).ok()?)
    }
}

/// What there is to complain about: by endpoint and kind, the endpoint's port and whether service suffers. A
/// port that is shut down is not watched (installation guide).
fn wanted(config: &Config, plugged: &BTreeMap<MacAddr, Plug>) -> BTreeMap<(u16, Condition), (u16, bool)> {
    let mut wanted = BTreeMap::new();
    for (id, endpoint) in &config.endpoints {
        let Some(port) = port_of(endpoint) else { continue };
        if config.ports.get(&port).is_some_and(|port| port.shutdown) {
            continue;
        }
        let served = config.subscriber_of(*id).is_some();
        match presence(endpoint, plugged) {
            Presence::NotDetected => {
                wanted.insert((*id, Condition::Los), (port, served));
            }
            Presence::WrongPort => {
                wanted.insert((*id, Condition::PortMismatch), (port, served));
            }
            Presence::Ok | Presence::Unknown => {}
        }
        if plugged.get(&endpoint.mac).is_some_and(|plug| !plug.model.is_known()) {
            wanted.insert((*id, Condition::HardwareMismatch), (port, served));
        }
    }
    wanted
}
