//! The device said no.

use std::fmt;

/// Why a device did not do what a command says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RefusalKind {
    /// It does not know the words; nothing of the command was done.
    Syntax,
    /// The G.hn module's own error, by its number in the vendor's list (JSON-RPC guide). The command may
    /// have been done in part.
    Semantic(u8),
    /// Another session is saving or copying; only one may at a time on the whole device.
    Busy,
    /// Anything else behind a `%`.
    Other,
}

impl fmt::Display for RefusalKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax => f.write_str("syntax"),
            Self::Semantic(number) => write!(f, "error {number}"),
            Self::Busy => f.write_str("busy"),
            Self::Other => f.write_str("other"),
        }
    }
}

/// A device's refusal, in its own words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Refusal {
    /// The `%` line as printed, the sign included.
    pub text: String,
    /// What sort of refusal it is.
    pub kind: RefusalKind,
    /// Where in the command the caret pointed, in characters from 0. `None` without a caret line, or when
    /// the device wrapped the command.
    pub caret: Option<usize>,
    /// The word there.
    pub word: Option<String>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the device answered `{}`", self.text)?;
        match &self.word {
            Some(word) => write!(f, ", pointing at `{word}`"),
            None => Ok(()),
        }
    }
}

impl Refusal {
    /// Whether the same command may succeed a little later: the module's internal and busy errors
    /// (2, 53, 54), and somebody else's copy. All others are the caller's mistake.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(self.kind, RefusalKind::Busy | RefusalKind::Semantic(2 | 53 | 54))
    }
}

/// What sort of refusal a `%` line is.
pub(super) fn kind_of(text: &str) -> RefusalKind {
    let text = text.trim_start_matches('%').trim();
    if SYNTAX.contains(&text) {
        return RefusalKind::Syntax;
    }
    let bare = text.trim_end_matches('.');
    if let Some(index) = SEMANTIC.iter().position(|known| known.trim_end_matches('.') == bare) {
        return u8::try_from(index + 1).map_or(RefusalKind::Other, RefusalKind::Semantic);
    }
    let lower = text.to_ascii_lowercase();
    if lower.contains("operation") && (lower.contains("in progress") || lower.contains("try again")) {
        return RefusalKind::Busy;
    }
    RefusalKind::Other
}

/// The command line's own errors (sister products' source).
const SYNTAX: [&str; 5] = [
    "Invalid word detected at '^' marker.",
    "Ambiguous word detected at '^' marker.",
    "Incomplete word detected at '^' marker.",
    "Incomplete command.",
    "No available command.",
];

/// The G.hn module's errors 1 to 57, spelt as the vendor prints them (JSON-RPC guide). That the command
/// line prints the same texts is assumed: both call the same code.
pub(super) const SEMANTIC: [&str; 57] = [
    "G.hn generic error",
    "G.hn internal error",
    "G.hn function not implemented",
    "Invalid G.hn port or endpoint",
    "Invalid G.hn port",
    "Invalid G.hn subscriber",
    "Non-existing G.hn subscriber",
    "Invalid G.hn endpoint",
    "Non-existing G.hn endpoint (no such endpoint configured)",
    "No user for endpoint",
    "Endpoint not found on specified port",
    "Endpoint not found on any ports",
    "G.hn endpoint is already assigned to another subscriber",
    "G.hn port is already assigned to another subscriber",
    "Invalid G.hn subscriber name",
    "Non-unique G.hn subscriber name",
    "Non-unique G.hn endpoint name",
    "Non-unique G.hn bandwidth profile name",
    "Non-unique G.hn port name",
    "Invalid G.hn bandwidth profile",
    "Non-existing G.hn bandwidth profile",
    "Invalid G.hn bandwidth profile name",
    "Invalid G.hn bandwidth profile downstream bandwidth",
    "Invalid G.hn bandwidth profile upstream bandwidth",
    "Invalid G.hn data VLAN id",
    "Invalid G.hn remapped data VLAN id",
    "Invalid G.hn port #2 VLAN id",
    "G.hn VLAN cannot be the same as port #2 VLAN id",
    "Too many allowed tagged VLAN",
    "Invalid G.hn endpoint name",
    "Invalid G.hn endpoint MAC address",
    "Non-unique G.hn endpoint MAC address",
    "Maximum number of G.hn endpoint reached for the system",
    "Maximum number of G.hn banbdwidth profile reached for the system",
    "Maximum number of G.hn subscriber reached for the system",
    "Maximum number of G.hn endpoint reached for that port",
    "Invalid G.hn port mode",
    "Invalid G.hn port role",
    "Invalid G.hn port RFC 5517 mode",
    "Invalid G.hn port RFC 5517 community number",
    "Invalid NNI port",
    "Invalid outer tag VID",
    "Specified NNI port is not uplink",
    "G.hn bandwidth profile is not supported on this platform yet",
    "G.hn endpoint is already configured",
    "G.hn bandwidth profile is already configured",
    "G.hn subscriber is already configured",
    "Invalid G.hn VectorBoost parameter",
    "Invalid G.hn powermask notch Id",
    "Invalid G.hn powermask notch parameter",
    "Invalid measurement averaging value",
    "Device not found",
    "Error querying G.hn device. May be missing or busy.",
    "Error device not in valid state",
    "Error device model requiered manual upgrade",
    "Auto-endpoint subscriber already assigned to another port",
    "Invalid G.hn subscriber model",
];
