//! What a run came to, device by device.

use crate::plan::model::{Summary, Unread};
use crate::plan::{NotApplied, Refusal, Residue};

/// What a run came to on one device.
#[derive(Debug, Clone)]
pub struct DeviceResult {
    /// Inventory key.
    pub device: String,
    /// What waits there for the maintenance window, in one line.
    pub waits: Option<String>,
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
    /// Changed as planned and verified, and not saved: the run is to be confirmed first.
    Unconfirmed(Summary, Vec<NotApplied>),
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
    /// Something went wrong, and it was given back what it held before, as far as can be.
    RolledBack(Box<RolledBack>),
    /// It was left unfinished and unsaved.
    Stopped(Box<Stopped>),
}

/// What went wrong on a device, and where.
#[derive(Debug, Clone)]
pub struct Failure {
    /// One line: what happened.
    pub reason: String,
    /// What to do about it, where that is known.
    pub help: Option<String>,
    /// Whether the operator asked for it.
    pub interrupted: bool,
    /// Whether the device went away, which says nothing of what it was asked to do.
    pub lost: bool,
    /// Commands that the device took, in order.
    pub sent: Vec<String>,
    /// How many there were to send.
    pub total: usize,
    /// The command that was sent last, where it is not among [`Self::sent`], and what was answered: it was not taken, or nothing
    /// came, or what came could not be written down.
    pub refused: Option<(String, String)>,
    /// What was not as planned when the device was read back; empty where it did not come to that.
    pub differs: Vec<Residue>,
    /// Whether the device holds, saved, what was planned all the same.
    pub saved: bool,
}

/// A device that holds again what it held before.
#[derive(Debug, Clone)]
pub struct RolledBack {
    /// Why.
    pub failure: Failure,
    /// How.
    pub way: WayBack,
}

/// What was done to give a device back what it held before.
#[derive(Debug, Clone, Default)]
pub struct WayBack {
    /// The commands that it took, in order. None where it held it already: it has restarted, or nothing had taken effect.
    pub commands: Vec<String>,
    /// What the run did and what has no way back, one sentence each.
    pub left: Vec<String>,
    /// What somebody else did meanwhile, one sentence each. It stays.
    pub others: Vec<String>,
    /// Whether it had to be saved again.
    pub saved: bool,
}

/// Why a device was not given back what it held before.
#[derive(Debug, Clone)]
pub struct NotRolledBack {
    /// One line.
    pub reason: String,
    /// What to do about it, where that is known.
    pub help: Option<String>,
    /// How far that came.
    pub way: WayBack,
    /// What is not as it was before; `None` where the device could not be read.
    pub differs: Option<Vec<Residue>>,
}

/// Why and where a device was left unfinished.
#[derive(Debug, Clone)]
pub struct Stopped {
    /// What went wrong.
    pub failure: Failure,
    /// What a reading afterwards showed to be not as planned; `None` where it could not be read, or was not.
    pub residue: Option<Vec<Residue>>,
    /// Why it was not rolled back; `None` where that was not tried.
    pub not_rolled_back: Option<NotRolledBack>,
}

impl Failure {
    /// What went wrong while nothing of the plan was being sent.
    pub(super) const fn of(reason: String) -> Self {
        Self {
            reason,
            help: None,
            interrupted: false,
            lost: false,
            sent: Vec::new(),
            total: 0,
            refused: None,
            differs: Vec::new(),
            saved: false,
        }
    }

    /// Whether anything was sent.
    #[must_use]
    pub const fn touched(&self) -> bool {
        !self.sent.is_empty() || self.refused.is_some()
    }
}

impl DeviceOutcome {
    /// Whether the device now holds what the plan said, or was not meant to.
    #[must_use]
    pub fn is_fine(&self) -> bool {
        match self {
            Self::InSync | Self::Saved | Self::Held => true,
            Self::Applied(_, not_applied) | Self::Unconfirmed(_, not_applied) => not_applied.is_empty(),
            Self::Refused(_)
            | Self::Unread(_)
            | Self::Stale
            | Self::NotStarted(_)
            | Self::RolledBack(_)
            | Self::Stopped(_) => false,
        }
    }

    /// Whether anything was sent to the device.
    #[must_use]
    pub fn touched(&self) -> bool {
        match self {
            Self::Applied(..) | Self::Unconfirmed(..) | Self::Saved | Self::RolledBack(_) => true,
            Self::Stopped(stopped) => stopped.failure.touched(),
            Self::InSync | Self::Held | Self::Refused(_) | Self::Unread(_) | Self::Stale | Self::NotStarted(_) => false,
        }
    }
}
