//! What was found out about one device, and what it means to whoever runs it: facts in, findings out.
//!
//! Entry point: [`judge()`]. Pure: who gathers the facts reaches the device, and nothing here does.

mod facts;
mod judge;

pub use facts::{Agent, Facts, Inside, Login, Path, Pinned, Reading, Saved, Spoken, Step, Trouble, Work};
pub use judge::judge;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// As it should be.
    Ok,
    /// Worth knowing; nothing has to be done.
    Note,
    /// Something has to be done.
    Problem,
}

impl Level {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Problem => "problem",
        }
    }
}

/// What one check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The check, such as `host-key`; the same for every device.
    pub check: &'static str,
    /// How much it matters.
    pub level: Level,
    /// What is so, in one line.
    pub says: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Finding {
    fn new(check: &'static str, level: Level, says: impl Into<String>) -> Self {
        Self {
            check,
            level,
            says: says.into(),
            help: None,
        }
    }

    fn ok(check: &'static str, says: impl Into<String>) -> Self {
        Self::new(check, Level::Ok, says)
    }

    fn note(check: &'static str, says: impl Into<String>) -> Self {
        Self::new(check, Level::Note, says)
    }

    fn problem(check: &'static str, says: impl Into<String>) -> Self {
        Self::new(check, Level::Problem, says)
    }

    fn help(self, help: impl Into<String>) -> Self {
        Self {
            help: Some(help.into()),
            ..self
        }
    }
}
