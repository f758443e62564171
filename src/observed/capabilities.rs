//! What a device is known to understand, and how we know.
//!
//! A plain input to planning, stored beside each observation, so that a plan made in CI from a stored
//! observation is the plan that apply would make.

use serde::{Deserialize, Serialize};

use crate::domain::{Firmware, PoeMode};

use super::{ProfileRef, RunningConfig};

/// What stands behind a belief about the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Evidence {
    /// A guess, from sister products or the shape of the MIB.
    Assumed,
    /// In the vendor's own guide or MIB.
    Documented,
    /// Seen on hardware: in public notes, or on this very device.
    Seen,
}

impl std::fmt::Display for Evidence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Assumed => "assumed",
            Self::Documented => "documented",
            Self::Seen => "seen",
        })
    }
}

/// Whether the device does something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// It does.
    Yes,
    /// It does not.
    No,
    /// Nobody has tried.
    Unknown,
}

/// An answer and what stands behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Support {
    /// Whether the device does it.
    pub answer: Answer,
    /// How we know.
    pub evidence: Evidence,
}

impl Support {
    /// Makes a support mark.
    #[must_use]
    pub const fn new(answer: Answer, evidence: Evidence) -> Self {
        Self { answer, evidence }
    }

    /// Whether a plan may rely on it.
    #[must_use]
    pub fn is_yes(self) -> bool {
        self.answer == Answer::Yes
    }
}

/// What planning needs to know about one device's firmware.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Capabilities {
    /// `poe disable` on a subscriber: seen on 1.5.4.
    pub poe_disable: Support,
    /// `poe enable` and `poe force`: from the MIB's enum, never seen on a command line.
    pub poe_enable_force: Support,
    /// A new `name` on an existing id renames it. The guide documents incremental change of an existing
    /// id; that the name is among what can change is assumed.
    pub rename_in_place: Support,
    /// A new `mac-address` on an existing endpoint id. As for renaming.
    pub new_mac_in_place: Support,
    /// `description ""` clears a description. The documented least length is 1, so it may be refused.
    pub clear_description: Support,
    /// What `bw-profile` means on a subscriber line that does not print it; learned from
    /// `show running-config all-defaults`.
    pub default_subscriber_profile: Option<ProfileRef>,
}

impl Capabilities {
    /// What is known of a firmware before its device has said anything.
    #[must_use]
    pub fn of_firmware(firmware: &Firmware) -> Self {
        use Answer::{No, Unknown, Yes};
        use Evidence::{Assumed, Seen};
        Self {
            poe_disable: if firmware.at_least(1, 5, 4) {
                Support::new(Yes, Seen)
            } else {
                Support::new(Unknown, Assumed)
            },
            poe_enable_force: if firmware.at_least(1, 5, 4) {
                Support::new(Unknown, Assumed)
            } else {
                Support::new(No, Assumed)
            },
            rename_in_place: Support::new(Yes, Assumed),
            new_mac_in_place: Support::new(Yes, Assumed),
            clear_description: Support::new(Unknown, Assumed),
            default_subscriber_profile: None,
        }
    }

    /// Adds what a running configuration proves: a word that the device prints, it knows.
    #[must_use]
    pub fn having_seen(mut self, running: &RunningConfig) -> Self {
        let seen = Support::new(Answer::Yes, Evidence::Seen);
        for subscriber in running.managed.subscribers.values() {
            match subscriber.poe {
                Some(PoeMode::Disable) => self.poe_disable = seen,
                Some(PoeMode::Enable | PoeMode::Force) => {
                    self.poe_disable = seen;
                    self.poe_enable_force = seen;
                }
                None => {}
            }
        }
        self
    }

    /// Whether this firmware is known to take `poe` with this value.
    #[must_use]
    pub fn poe(&self, mode: PoeMode) -> Support {
        match mode {
            PoeMode::Disable => self.poe_disable,
            PoeMode::Enable | PoeMode::Force => self.poe_enable_force,
        }
    }
}
