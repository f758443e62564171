//! What a device is known to understand, and how we know.
//!
//! A plain input to planning, stored beside each observation, so that a plan made in CI from a stored
//! observation is the plan that apply would make.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::{Firmware, PoeMode};

use super::{AssumedWord, ProfileRef, RunningConfig, Subscriber};

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

impl Evidence {
    /// What stands behind what gamops knows of a firmware version. `None`: nobody has reported on it.
    ///
    /// 1.5.4 and 1.8.2 were reached on hardware (public notes); 1.1.0 is in samples of the CLI guide, 1.2.0 is the one that
    /// it describes, and 1.8.0 is on screenshots in the vendor's guides.
    #[must_use]
    pub fn of_firmware(firmware: &Firmware) -> Option<Self> {
        match firmware.version {
            (1, 5, 4) | (1, 8, 2) => Some(Self::Seen),
            (1, 1, 0) | (1, 2, 0) | (1, 8, 0) => Some(Self::Documented),
            _ => None,
        }
    }
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
    /// It takes the words, and nothing changes.
    Ignored,
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
    /// The words that no document shows; one that is missing here was never tried.
    pub words: BTreeMap<AssumedWord, Support>,
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
            words: AssumedWord::ALL
                .into_iter()
                .filter(|word| !may_have(firmware, *word))
                .map(|word| (word, Support::new(No, Assumed)))
                .collect(),
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
        let plain = Subscriber::default();
        for subscriber in running.managed.subscribers.values() {
            if subscriber.poe.is_some() {
                self.poe_disable = seen;
            }
            for word in AssumedWord::needed(&plain, subscriber) {
                self.words.insert(word, seen);
            }
        }
        self
    }

    /// Adds what devices of this firmware answered to words that were tried. What this device prints is
    /// believed before that.
    #[must_use]
    pub fn having_learned(mut self, answers: &[(AssumedWord, Answer)]) -> Self {
        for (word, answer) in answers {
            if self.word(*word) != Support::new(Answer::Yes, Evidence::Seen) {
                self.words.insert(*word, Support::new(*answer, Evidence::Seen));
            }
        }
        self
    }

    /// Whether this firmware takes an assumed word.
    #[must_use]
    pub fn word(&self, word: AssumedWord) -> Support {
        let unknown = Support::new(Answer::Unknown, Evidence::Assumed);
        self.words.get(&word).copied().unwrap_or(unknown)
    }

    /// Whether this firmware is known to take `poe` with this value.
    #[must_use]
    pub fn poe(&self, mode: PoeMode) -> Support {
        match mode {
            PoeMode::Disable => self.poe_disable,
            PoeMode::Enable | PoeMode::Force => self.word(AssumedWord::PoeEnableForce),
        }
    }
}

/// Whether a firmware is new enough for what the word does: PoE as on 1.5.4, the rest as in the JSON-RPC guide,
/// which is for 1.4 and later.
fn may_have(firmware: &Firmware, word: AssumedWord) -> bool {
    match word {
        AssumedWord::PoeEnableForce => firmware.at_least(1, 5, 4),
        _ => firmware.at_least(1, 4, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn firmware(major: u16, minor: u16, patch: u16) -> Firmware {
        Firmware {
            family: "GAM-12/24-M".to_owned(),
            version: (major, minor, patch),
        }
    }

    #[test]
    fn what_a_device_prints_is_believed_before_what_others_answered() {
        let mut running = RunningConfig::default();
        let subscriber = Subscriber {
            trunk: true,
            ..Subscriber::default()
        };
        std::sync::Arc::make_mut(&mut running.managed)
            .subscribers
            .insert(1.try_into().unwrap(), subscriber);
        let learned = [
            (AssumedWord::Trunk, Answer::Ignored),
            (AssumedWord::OuterVlan, Answer::No),
        ];
        let known = Capabilities::of_firmware(&firmware(1, 8, 2)).having_seen(&running);
        let known = known.having_learned(&learned);
        assert_eq!(known.word(AssumedWord::Trunk).answer, Answer::Yes);
        assert_eq!(known.word(AssumedWord::OuterVlan).answer, Answer::No);
        assert_eq!(known.word(AssumedWord::Uplink).answer, Answer::Unknown);
    }

    #[test]
    fn firmware_older_than_a_feature_is_not_asked_for_it() {
        let old = Capabilities::of_firmware(&firmware(1, 2, 0));
        for word in AssumedWord::ALL {
            assert_eq!(old.word(word).answer, Answer::No, "{word}");
        }
        let middle = Capabilities::of_firmware(&firmware(1, 4, 0));
        assert_eq!(middle.word(AssumedWord::SubscriberPort).answer, Answer::Unknown);
        assert_eq!(middle.word(AssumedWord::PoeEnableForce).answer, Answer::No);
    }
}
