//! Misbehaviour to order, as data.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// One way for a device to misbehave. Commands are counted from the moment the fault is set, the first being
/// 1; empty lines and comments do not count. A fault with `at` strikes once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Fault {
    /// Waits before it runs each line.
    Slow {
        /// How long.
        millis: u64,
    },
    /// Cuts the connection at a command.
    Drop {
        /// Which command.
        at: u32,
        /// Which commands are counted.
        #[serde(default)]
        of: Counted,
        /// Before or after it took effect, or in the middle of its output.
        when: Moment,
    },
    /// Reboots at a command. What was not saved is gone.
    Reboot {
        /// Which command.
        at: u32,
        /// Which commands are counted.
        #[serde(default)]
        of: Counted,
        /// Before or after it took effect, or in the middle of its output.
        when: Moment,
    },
    /// Refuses commands, which then have no effect.
    Refuse {
        /// Those that hold this text.
        containing: String,
        /// What it says after `% `.
        text: String,
    },
    /// Takes commands without a word and does nothing.
    Ignore {
        /// Those that hold this text.
        containing: String,
    },
    /// Puts bytes that are not text into the output of a command.
    Garbage {
        /// Which command.
        at: u32,
        /// Behind this text in it; in the middle where that is not given or not there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        behind: Option<String>,
    },
    /// Never answers a command, and keeps the connection open.
    Hang {
        /// Which command.
        at: u32,
    },
    /// Holds a command until the faults are taken away or the other end is gone.
    Hold {
        /// Which command.
        at: u32,
        /// Which commands are counted.
        #[serde(default)]
        of: Counted,
        /// Before or after it takes effect, or with half of its output sent.
        when: Moment,
    },
    /// Somebody runs command lines in a session of their own, just before a command takes effect.
    Typing {
        /// Which command.
        at: u32,
        /// Which commands are counted.
        #[serde(default)]
        of: Counted,
        /// Lines, joined by `\n`.
        lines: String,
    },
    /// Takes commands as if they said something else, as a device does that rounds or corrects what it is given.
    Alter {
        /// This text in them.
        containing: String,
        /// Is taken as this.
        instead: String,
    },
    /// Sends its output in small pieces.
    Pieces {
        /// Bytes in each.
        size: usize,
        /// Wait between them.
        pause_millis: u64,
    },
    /// Answers no SNMP request.
    SnmpSilence,
    /// Rejects every login.
    RefuseLogins,
    /// Has no session place left: others have taken them all.
    SessionsTaken,
}

/// Which commands are counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Counted {
    /// All of them.
    #[default]
    Any,
    /// Those given in a configuration mode, other than `exit`, `end` and `do`.
    Configuration,
}

/// When a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Moment {
    /// Before the command took effect.
    Before,
    /// After it took effect, before anything of the answer was sent.
    After,
    /// After it took effect, half of the answer sent.
    InOutput,
}

/// What ends a session from the device's side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Blow {
    Drop,
    Reboot,
}

/// What is to happen to one command.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) delay: Duration,
    pub(super) refuse: Option<String>,
    pub(super) ignore: bool,
    /// Whether something that is no text comes into the output, and behind what.
    pub(super) garbage: Option<Option<String>>,
    pub(super) hang: bool,
    pub(super) hold: Option<Hold>,
    pub(super) blow: Option<(Blow, Moment)>,
    /// What somebody else runs first.
    pub(super) typing: Option<String>,
    /// What the device takes the command for.
    pub(super) instead: Option<String>,
}

/// Where a command is held, and until what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hold {
    pub(super) when: Moment,
    /// How often the faults had been taken away when it began: it ends at the next time.
    pub(super) cleared: u64,
}

/// The faults in force, and how many commands each has seen.
#[derive(Debug, Default)]
pub(super) struct Faults {
    set: Vec<(Fault, u32, u32)>,
    cleared: u64,
}

impl Faults {
    pub(super) fn set(&mut self, fault: Fault) {
        self.set.push((fault, 0, 0));
    }

    /// Takes all away; returns how often that was done so far.
    pub(super) fn clear(&mut self) -> u64 {
        self.set.clear();
        self.cleared += 1;
        self.cleared
    }

    pub(super) fn silences_snmp(&self) -> bool {
        self.set.iter().any(|(fault, ..)| *fault == Fault::SnmpSilence)
    }

    pub(super) fn refuses_logins(&self) -> bool {
        self.set.iter().any(|(fault, ..)| *fault == Fault::RefuseLogins)
    }

    pub(super) fn takes_sessions(&self) -> bool {
        self.set.iter().any(|(fault, ..)| *fault == Fault::SessionsTaken)
    }

    /// Size and pause of the pieces in which output is sent.
    pub(super) fn pieces(&self) -> Option<(usize, Duration)> {
        self.set.iter().find_map(|(fault, ..)| match fault {
            Fault::Pieces { size, pause_millis } => Some(((*size).max(1), Duration::from_millis(*pause_millis))),
            _ => None,
        })
    }

    /// How long every line takes, the empty one included.
    pub(super) fn delay(&self) -> Duration {
        let each = self.set.iter().map(|(fault, ..)| match fault {
            Fault::Slow { millis } => Duration::from_millis(*millis),
            _ => Duration::ZERO,
        });
        each.sum()
    }

    /// Counts a command and says what is to happen to it.
    pub(super) fn judge(&mut self, line: &str, is_configuration: bool) -> Verdict {
        let mut verdict = Verdict {
            delay: self.delay(),
            ..Verdict::default()
        };
        for (fault, any, configuration) in &mut self.set {
            *any += 1;
            *configuration += u32::from(is_configuration);
            let now = |at: u32, of: Counted| match of {
                Counted::Any => *any == at,
                Counted::Configuration => is_configuration && *configuration == at,
            };
            match fault {
                Fault::Drop { at, of, when } if now(*at, *of) => verdict.blow = Some((Blow::Drop, *when)),
                Fault::Reboot { at, of, when } if now(*at, *of) => verdict.blow = Some((Blow::Reboot, *when)),
                Fault::Refuse { containing, text } if line.contains(containing.as_str()) => {
                    verdict.refuse = Some(text.clone());
                }
                Fault::Ignore { containing } if line.contains(containing.as_str()) => verdict.ignore = true,
                Fault::Garbage { at, behind } if *any == *at => verdict.garbage = Some(behind.clone()),
                Fault::Hang { at } if *any == *at => verdict.hang = true,
                Fault::Hold { at, of, when } if now(*at, *of) => {
                    let (when, cleared) = (*when, self.cleared);
                    verdict.hold = Some(Hold { when, cleared });
                }
                Fault::Typing { at, of, lines } if now(*at, *of) => verdict.typing = Some(lines.clone()),
                Fault::Alter { containing, instead } if line.contains(containing.as_str()) => {
                    verdict.instead = Some(line.replace(containing.as_str(), instead));
                }
                _ => {}
            }
        }
        verdict
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configuration_commands_are_counted_apart() {
        let mut faults = Faults::default();
        faults.set(Fault::Drop {
            at: 2,
            of: Counted::Configuration,
            when: Moment::Before,
        });
        let blows: Vec<bool> = [
            ("show version", false),
            ("a", true),
            ("exit", false),
            ("b", true),
            ("c", true),
        ]
        .into_iter()
        .map(|(line, configuration)| faults.judge(line, configuration).blow.is_some())
        .collect();
        assert_eq!(blows, [false, false, false, true, false]);
    }

    #[test]
    fn a_fault_reads_as_it_is_written_in_json() {
        let fault: Fault = serde_json::from_str(r#"{"fault":"drop","at":3,"when":"in-output"}"#).unwrap();
        assert_eq!(
            fault,
            Fault::Drop {
                at: 3,
                of: Counted::Any,
                when: Moment::InOutput
            }
        );
        assert!(serde_json::from_str::<Fault>(r#"{"fault":"slow","millis":1,"x":2}"#).is_err());
    }
}
