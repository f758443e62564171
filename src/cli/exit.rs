//! The exit codes, in one place.

use std::process::ExitCode;

/// How a command ended. The table in the README lists these; a test holds the two equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// Done, or nothing to do.
    Done = 0,
    /// Something failed: a device could not be read, a file could not be opened.
    Failed = 1,
    /// `plan --detailed-exitcode`: there are changes.
    Changes = 2,
    /// The inventory is invalid.
    Invalid = 3,
    /// Refused by a guard or a policy; nothing was changed there.
    Refused = 4,
    /// Some devices were changed as planned and some were not.
    Partial = 5,
    /// The devices are no longer as they were when the plan was made; nothing was sent.
    Stale = 6,
    /// The command line makes no sense.
    Usage = 64,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
