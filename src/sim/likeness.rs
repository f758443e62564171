//! Devices that were seen or described, as named sets of knobs.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::fault::Fault;
use super::knobs::{AssumedWords, ExecChannel, GhnSubtree, InUse, Knobs};
use super::spec::DeviceSpec;

/// A device to be like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Likeness {
    /// The firmware of the CLI guide: no PoE, no port-aware model, the old community syntax.
    Gam120,
    /// The firmware of the two transcripts.
    Gam154,
    /// The newest firmware that anybody outside has reported on; its G.hn subtree did not answer.
    Gam182,
    /// Everything that a driver has to put up with at once: slow, in pieces, paged, chatty, with words that it
    /// knows and ignores, and with old SSH algorithms only. A patient driver that is told of the last gets through.
    Hostile,
}

/// There is no device of this name to be like. The caller's fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no simulated device like `{0}`; there are gam-1.2.0, gam-1.5.4, gam-1.8.2 and hostile")]
pub struct UnknownLikeness(String);

impl Likeness {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Gam120, Self::Gam154, Self::Gam182, Self::Hostile];

    /// The name, such as `gam-1.5.4`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gam120 => "gam-1.2.0",
            Self::Gam154 => "gam-1.5.4",
            Self::Gam182 => "gam-1.8.2",
            Self::Hostile => "hostile",
        }
    }

    /// The firmware version that such a device runs.
    #[must_use]
    pub const fn firmware(self) -> &'static str {
        match self {
            Self::Gam120 => "1.2.0",
            Self::Gam154 => "1.5.4",
            Self::Gam182 | Self::Hostile => "1.8.2",
        }
    }

    /// The knobs of such a device.
    #[must_use]
    pub fn knobs(self) -> Knobs {
        match self {
            Self::Gam120 => Knobs {
                allowed_vlans: 14,
                assumed_words: AssumedWords::Refused,
                ..Knobs::default()
            },
            // Of the words that the CLI guide does not have, `poe disable` was seen and no other.
            Self::Gam154 => Knobs {
                assumed_words: AssumedWords::Refused,
                ..Knobs::default()
            },
            Self::Gam182 => Knobs::default(),
            Self::Hostile => Knobs {
                sessions: 1,
                silent_limit: true,
                exec_channel: ExecChannel::Closed,
                old_algorithms: true,
                banner: Some("*** Maple Fibre: authorised persons only! # ***\n".to_owned()),
                first_output_paged: true,
                save_delay: Duration::from_millis(50),
                print_default_profile: true,
                print_poe: false,
                print_bw_profile: false,
                print_unassigned_port: true,
                print_learned_endpoint: true,
                future_word: true,
                assumed_words: AssumedWords::Ignored,
                ghn_subtree: GhnSubtree::Absent,
                in_use: InUse::Refuse,
                ..Knobs::default()
            },
        }
    }

    /// The faults that such a device has from the start.
    #[must_use]
    pub fn faults(self) -> Vec<Fault> {
        match self {
            Self::Hostile => vec![
                Fault::Slow { millis: 20 },
                Fault::Pieces {
                    size: 37,
                    pause_millis: 1,
                },
                Fault::SnmpSilence,
            ],
            Self::Gam120 | Self::Gam154 | Self::Gam182 => Vec::new(),
        }
    }

    /// Makes a device like this in everything but its firmware. What the device was told to be beyond (the
    /// old algorithms, a seed for its host keys) stays.
    pub fn apply(self, spec: &mut DeviceSpec) {
        let given = std::mem::take(&mut spec.knobs);
        spec.knobs = self.knobs();
        spec.knobs.old_algorithms |= given.old_algorithms;
        spec.knobs.host_key_seed = given.host_key_seed;
    }
}

impl fmt::Display for Likeness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Likeness {
    type Err = UnknownLikeness;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|likeness| likeness.name() == text)
            .ok_or_else(|| UnknownLikeness(text.to_owned()))
    }
}
