//! What a run came to, device by device.

use crate::plan::model::{Summary, Unread};
use crate::plan::{NotApplied, Refusal, Residue};

/// What a run came to on one device.
#[derive(Debug, Clone)]
pub struct DeviceResult {
    /// Inventory key.
    pub device: String,
    /// What it came to.
    pub outcome: DeviceOutcome,
}

/// What a run came to on one device.
#[derive(Debug, Clone)]
pub enum DeviceOutcome {
    /// It held what it should before the run.
    InSync,
    /// Changed as planned, verified, saved, recorded; but for the fields whose assumed words the device refused or
    /// ignored.
    Applied(Summary, Vec<NotApplied>),
    /// It held what it should, and was saved.
    Saved,
    /// The inventory holds changes back.
    Held,
    /// Refused by a rule or a policy; nothing was sent.
    Refused(Vec<Refusal>),
    /// It could not be read; nothing was sent.
    Unread(Unread),
    /// It changed between plan and apply; nothing was sent.
    Stale,
    /// Its turn did not come, for this reason; nothing was sent.
    NotStarted(String),
    /// It was left unfinished and unsaved.
    Stopped(Box<Stopped>),
}

/// Why and where a device was left unfinished.
#[derive(Debug, Clone)]
pub struct Stopped {
    /// One line: what happened.
    pub reason: String,
    /// Whether the operator asked for it.
    pub interrupted: bool,
    /// Commands that the device took, in order.
    pub sent: Vec<String>,
    /// How many there were to send.
    pub total: usize,
    /// The command that was not taken, and what was answered; the answer is empty where none came.
    pub refused: Option<(String, String)>,
    /// What a reading afterwards showed to be not as planned; `None` where it could not be read.
    pub residue: Option<Vec<Residue>>,
}

impl DeviceOutcome {
    /// Whether the device now holds what the plan said, or was not meant to.
    #[must_use]
    pub fn is_fine(&self) -> bool {
        match self {
            Self::InSync | Self::Saved | Self::Held => true,
            Self::Applied(_, not_applied) => not_applied.is_empty(),
            Self::Refused(_) | Self::Unread(_) | Self::Stale | Self::NotStarted(_) | Self::Stopped(_) => false,
        }
    }

    /// Whether anything was sent to the device.
    #[must_use]
    pub fn touched(&self) -> bool {
        match self {
            Self::Applied(..) | Self::Saved => true,
            Self::Stopped(stopped) => !stopped.sent.is_empty() || stopped.refused.is_some(),
            Self::InSync | Self::Held | Self::Refused(_) | Self::Unread(_) | Self::Stale | Self::NotStarted(_) => false,
        }
    }
}
