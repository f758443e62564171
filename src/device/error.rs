//! What can go wrong in a session.

use std::fmt;
use std::time::Duration;

use crate::dialect::running;
use crate::dialect::session::{OutOfStep, Refusal, UnsafeCommand};
use crate::dialect::version;
use crate::transport::Retry;
use crate::transport::ssh::SshError;

/// Which command of how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct At {
    /// From 1: within a [`super::Session::configure`], else since login.
    pub number: usize,
    /// How many there were to send; `None` outside of a [`super::Session::configure`].
    pub total: Option<usize>,
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "command {}", self.number)?;
        match self.total {
            Some(total) => write!(f, " of {total}"),
            None => Ok(()),
        }
    }
}

/// Where in a session something happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// Address of the device, `host:port`.
    pub device: String,
    /// Which command it was.
    pub at: At,
    /// The command in flight, without line end, secrets masked.
    pub command: String,
    /// The last lines received for it, 2 KB at most: control characters escaped, secrets masked.
    pub received: String,
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, `{}`", self.at, self.command)
    }
}

/// How much of what was received goes into a message; [`Moment::received`] has it all.
const SHOWN: usize = 120;

fn last_words(received: &str) -> String {
    if received.is_empty() {
        return String::new();
    }
    let skipped = received.chars().count().saturating_sub(SHOWN);
    let tail: String = received.chars().skip(skipped).collect();
    format!("; last received: `{tail}`")
}

/// A session could not be had, did not go on, or told nothing that can be relied on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// No shell: network, host key, login. The source says whose fault.
    #[error("opening a session")]
    Open(#[source] Box<SshError>),
    /// All of the device's sessions are taken. Somebody else's, or an earlier run's that it still counts.
    #[error("{device} takes no more sessions: it said `{said}`; close other logins, or wait for their idle timeout")]
    TooManySessions {
        /// Address of the device.
        device: String,
        /// Its words.
        said: String,
    },
    /// The device took the login and hung up before a prompt, without a word. In this family all of its
    /// terminals may be in use. Device fault.
    #[error(
        "{device} closed the session before it showed a prompt; all of its terminals may be in use{}",
        last_words(received)
    )]
    ClosedAtStart {
        /// Address of the device.
        device: String,
        /// What came before: control characters escaped, secrets masked.
        received: String,
    },
    /// Nothing that is a prompt came. Not a GAM, or one that hangs.
    #[error("{device} showed no prompt within {after:?}{}", last_words(received))]
    NoPrompt {
        /// Address of the device.
        device: String,
        /// How long we waited.
        after: Duration,
        /// What came instead: control characters escaped, secrets masked.
        received: String,
    },
    /// The user may only look. Operator fault.
    #[error("{device} gives this user a `>` prompt; changing anything needs privilege 15")]
    LowPrivilege {
        /// Address of the device.
        device: String,
    },
    /// The device answered, and said no. Its own words are in the source. Operator or dialect fault. The
    /// session goes on.
    #[error("{}: {} was refused", moment.device, moment)]
    Refused {
        /// Which command.
        moment: Box<Moment>,
        /// Its words.
        #[source]
        refusal: Box<Refusal>,
    },
    /// Somebody else was saving or copying all the time that we were ready to wait. The session goes on.
    #[error("{}: {} was refused {attempts} times within {within:?}", moment.device, moment)]
    Busy {
        /// Which command.
        moment: Box<Moment>,
        /// How often we tried.
        attempts: usize,
        /// For how long.
        within: Duration,
        /// The last refusal.
        #[source]
        refusal: Box<Refusal>,
    },
    /// The connection ended while a command was in flight; whether it took effect is unknown. Device or
    /// network fault.
    #[error(
        "{}: connection lost during {}; whether it took effect is unknown{}",
        moment.device, moment, last_words(&moment.received)
    )]
    Lost {
        /// Which command.
        moment: Box<Moment>,
        /// What the transport knows.
        #[source]
        source: Box<SshError>,
    },
    /// No prompt came back in time; whether the command took effect is unknown. Device fault. The session
    /// cannot be used any more.
    #[error(
        "{}: no reply to {} within {after:?}; whether it took effect is unknown{}",
        moment.device, moment, last_words(&moment.received)
    )]
    TimedOut {
        /// Which command.
        moment: Box<Moment>,
        /// How long we waited.
        after: Duration,
    },
    /// What came back does not belong to the command; nothing read since may be believed. Somebody types on
    /// the same line, or our bug. The session cannot be used any more.
    #[error("{}: the reply to {} does not fit it{}", moment.device, moment, last_words(&moment.received))]
    OutOfStep {
        /// Which command.
        moment: Box<Moment>,
        /// What did not fit.
        #[source]
        source: OutOfStep,
    },
    /// More came than any reply can be. Not a GAM, or one gone mad. The session cannot be used any more.
    #[error("{}: the reply to {} does not end", moment.device, moment)]
    TooMuch {
        /// Which command.
        moment: Box<Moment>,
    },
    /// What the device says of itself does not tell which one it is. Device or dialect fault.
    #[error("{device}: cannot tell which device it is")]
    Unidentified {
        /// Address of the device.
        device: String,
        /// What is missing.
        #[source]
        source: version::DialectError,
    },
    /// The configuration that came is not whole; nothing may be planned from half of it. Device or network
    /// fault.
    #[error("{device}: `{command}` did not give a whole configuration")]
    Incomplete {
        /// Address of the device.
        device: String,
        /// What was asked.
        command: &'static str,
        /// What is wrong with the answer.
        #[source]
        source: running::Incomplete,
    },
    /// SNMP and SSH answer for different devices at the same address. Operator or network fault: an address
    /// used twice, a port forwarded elsewhere.
    #[error("{device}: SSH and SNMP lead to different devices: the {what} is {cli} by SSH and {snmp} by SNMP")]
    Contradiction {
        /// Address of the device.
        device: String,
        /// MAC or model.
        what: &'static str,
        /// By the command line.
        cli: String,
        /// By SNMP.
        snmp: String,
    },
    /// The device is in another mode than the command needs. Our bug, or somebody's on the device's side.
    #[error("{device}: expected {expected} mode, but the prompt is `{prompt}`")]
    WrongMode {
        /// Address of the device.
        device: String,
        /// The mode that was needed.
        expected: &'static str,
        /// The prompt as it is.
        prompt: String,
    },
    /// The session has lasted as long as it may; nothing was sent.
    #[error("{device}: the session has lasted {after:?}, no further command was sent")]
    SessionOver {
        /// Address of the device.
        device: String,
        /// How long it may last.
        after: Duration,
    },
    /// An earlier command got no answer; nothing was sent. Our bug: open another session.
    #[error("{device}: the session is out of use since an earlier command got no answer")]
    Unusable {
        /// Address of the device.
        device: String,
    },
    /// The command must not be sent. Our bug; nothing was sent.
    #[error("{device}: `{command}` was not sent")]
    Unsafe {
        /// Address of the device.
        device: String,
        /// The command: control characters escaped, secrets masked.
        command: String,
        /// Why not.
        #[source]
        source: UnsafeCommand,
    },
}

impl DeviceError {
    /// Whether trying again may help.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::Open(error) => error.retry(),
            Self::Refused { refusal, .. } if refusal.is_transient() => Retry::Soon,
            Self::Refused { .. }
            | Self::LowPrivilege { .. }
            | Self::Unidentified { .. }
            | Self::Contradiction { .. } => Retry::AfterChange,
            Self::TooManySessions { .. }
            | Self::ClosedAtStart { .. }
            | Self::NoPrompt { .. }
            | Self::Busy { .. }
            | Self::Lost { .. }
            | Self::TimedOut { .. }
            | Self::OutOfStep { .. }
            | Self::Incomplete { .. }
            | Self::SessionOver { .. } => Retry::Soon,
            Self::TooMuch { .. } | Self::WrongMode { .. } | Self::Unusable { .. } | Self::Unsafe { .. } => Retry::Never,
        }
    }

    /// What an operator can do about it, where the message does not say so already. `device` is the
    /// inventory's key of the device.
    #[must_use]
    pub fn help(&self, device: &str) -> Option<String> {
        match self {
            Self::Open(cause) => match **cause {
                SshError::HostKeyChanged { .. } => Some(format!(
                    "if the unit was exchanged, `gamops replace {device}`; if it was set back, compare the offered key with the \
                     device's own, then accept it with `gamops trust {device}`"
                )),
                SshError::Rejected { .. } | SshError::ClosedAtLogin { .. } => Some(format!(
                    "check user name and password of the credentials that `{device}` names"
                )),
                _ => None,
            },
            Self::Contradiction { .. } => Some(format!(
                "correct `address` or `transport.snmp_port` of `{device}`, or set `transport.snmp: false`"
            )),
            Self::Unidentified { .. } => Some(format!(
                "check that `{device}` is a GAM, and send its `show version` to the gamops project"
            )),
            _ => None,
        }
    }

    /// What the device said last, where that belongs to the error: its refusal, or the bytes before it went
    /// silent. Control characters escaped, secrets masked.
    #[must_use]
    pub fn received(&self) -> Option<String> {
        match self {
            Self::Refused { refusal, .. } | Self::Busy { refusal, .. } => Some(refusal.text.clone()),
            Self::Lost { moment, .. }
            | Self::TimedOut { moment, .. }
            | Self::OutOfStep { moment, .. }
            | Self::TooMuch { moment } => Some(moment.received.clone()),
            Self::ClosedAtStart { received, .. } | Self::NoPrompt { received, .. } => Some(received.clone()),
            _ => None,
        }
        .filter(|received| !received.is_empty())
    }

    /// Whether the device went away, rather than having said or done something unexpected.
    #[must_use]
    pub const fn is_lost(&self) -> bool {
        matches!(self, Self::Lost { .. } | Self::TimedOut { .. })
    }

    /// Whether the command in flight may have taken effect without our knowing.
    #[must_use]
    pub const fn is_in_doubt(&self) -> bool {
        matches!(
            self,
            Self::Lost { .. } | Self::TimedOut { .. } | Self::OutOfStep { .. } | Self::TooMuch { .. }
        )
    }
}
