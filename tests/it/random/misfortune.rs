//! What goes wrong.

use gamops::inventory::model::OnFailure;
use gamops::sim::{Counted, Fault, Moment};

use super::wish::{DEVICES, Wish};
use crate::support::dice::Dice;

/// One thing that goes wrong, on one device.
#[derive(Debug)]
pub(super) struct Misfortune {
    pub(super) device: &'static str,
    pub(super) fault: Fault,
    /// What the operator wants to become of a device that fails.
    pub(super) on_failure: OnFailure,
    /// The program is killed where the fault holds it.
    pub(super) kills: bool,
    /// Somebody else changes something meanwhile.
    pub(super) somebody_types: bool,
    /// And that to a subscriber, whoever it is.
    pub(super) hits_anybody: bool,
}

impl Misfortune {
    pub(super) fn random(dice: &mut Dice, wish: &Wish) -> Self {
        let device = dice.pick(DEVICES).0;
        let when = dice.pick(&[Moment::Before, Moment::After, Moment::InOutput]);
        let of = dice.pick(&[Counted::Any, Counted::Configuration, Counted::Configuration]);
        let at = 1 + match of {
            Counted::Any => dice.below(20),
            Counted::Configuration => dice.below(5),
        };
        let mut misfortune = Self {
            device,
            fault: Fault::Drop { at, of, when },
            on_failure: if dice.chance(75) {
                OnFailure::Rollback
            } else {
                OnFailure::Leave
            },
            kills: false,
            somebody_types: false,
            hits_anybody: false,
        };
        match dice.below(100) {
            0..20 => {}
            20..35 => misfortune.fault = Fault::Reboot { at, of, when },
            35..55 => {
                misfortune.fault = Fault::Hold { at, of, when };
                misfortune.kills = true;
            }
            55..65 => {
                misfortune.fault = Fault::Refuse {
                    containing: dice.pick(REFUSED).to_owned(),
                    text: "Maximum number of G.hn objects reached for the system".to_owned(),
                }
            }
            65..72 => {
                misfortune.fault = Fault::Ignore {
                    containing: dice.pick(IGNORED).to_owned(),
                }
            }
            72..77 => {
                // A device that takes one VLAN for another.
                misfortune.fault = Fault::Alter {
                    containing: " vid 1".to_owned(),
                    instead: " vid 2".to_owned(),
                }
            }
            77..84 => {
                misfortune.fault = Fault::Garbage {
                    at: 1 + dice.below(24),
                    behind: dice.chance(50).then(|| dice.pick(GARBLED).to_owned()),
                }
            }

            84..88 => {
                misfortune.fault = Fault::Pieces {
                    size: usize::try_from(1 + dice.below(5)).unwrap(),
                    pause_millis: 0,
                }
            }
            88..92 => misfortune.fault = Fault::RefuseLogins,
            92..94 => misfortune.fault = Fault::SessionsTaken,
            94 => misfortune.fault = Fault::SnmpSilence,
            _ => {
                let lines = if wish.count_on(device) == 0 || dice.chance(50) {
                    format!("ghn subscriber 70 name \"typed {}\" vid 990 untagged", dice.below(1000))
                } else {
                    misfortune.hits_anybody = true;
                    // By number, as somebody at a command line would.
                    format!("ghn subscriber {} vid 991", 1 + dice.below(6))
                };
                misfortune.fault = Fault::Typing { at, of, lines };
                misfortune.somebody_types = true;
            }
        }
        misfortune
    }
}

/// Parts of commands that a device may refuse.
const REFUSED: &[&str] = &[
    "ghn subscriber",
    "ghn endpoint",
    "ghn bw-profile",
    "no ghn",
    "mac-address",
    " vid ",
    "copy running-config",
];

/// Texts of a configuration that something else may get into.
const GARBLED: &[&str] = &["ghn subscriber", "ghn endpoint ", "ghn bw-prof", "vid 1", "end"];

/// Parts of commands that a device may take and do nothing about.
const IGNORED: &[&str] = &["ghn subscriber", "ghn endpoint", "no ghn", " vid ", "bw-profile"];
