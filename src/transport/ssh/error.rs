//! What can go wrong between us and a shell.

use std::time::Duration;

use super::HostKey;
use crate::transport::Retry;

/// An error of the SSH library, kept as a cause.
pub(crate) type Cause = Box<dyn std::error::Error + Send + Sync + 'static>;

/// Reaching a device by SSH, or moving bytes over it, failed. `address` is `host:port` throughout.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SshError {
    /// The name has no address. Operator or network fault.
    #[error("finding the address of {address}")]
    Resolve {
        /// Where we wanted to go.
        address: String,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// Nobody took the connection. Device or network fault.
    #[error("connecting to {address}")]
    Connect {
        /// Where we wanted to go.
        address: String,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The peer stayed silent. Device or network fault.
    #[error("{address} did not finish {step} within {after:?}")]
    TimedOut {
        /// Whom we waited for.
        address: String,
        /// What for.
        step: &'static str,
        /// How long.
        after: Duration,
    },
    /// Something answered that is no SSH server, or a broken one. Device or network fault.
    #[error("setting up encryption with {address}")]
    Handshake {
        /// The peer.
        address: String,
        /// Why.
        #[source]
        source: Cause,
    },
    /// Both sides speak SSH, but not one algorithm of this kind is common. Operator's choice to make.
    #[error(
        "{address} has no {kind} algorithm in common with us; ours: {}; theirs: {}{}",
        ours.join(", "), theirs.join(", "), legacy_hint(*legacy)
    )]
    NoCommonAlgorithm {
        /// The peer.
        address: String,
        /// Key exchange, host key, cipher, MAC or compression.
        kind: &'static str,
        /// What we offered.
        ours: Vec<String>,
        /// What the device offered.
        theirs: Vec<String>,
        /// Whether old ones were among ours.
        legacy: bool,
    },
    /// The device shows another key than the pinned one. Operator's to judge; we never go on.
    #[error(
        "the host key of {address} has changed: pinned {}, offered {}; unless the device was replaced or set \
         back, somebody may be between us and it: check the offered fingerprint at the device before pinning it",
        pinned.fingerprint(), offered.fingerprint()
    )]
    HostKeyChanged {
        /// The peer.
        address: String,
        /// The key that we know.
        pinned: HostKey,
        /// The key that it showed.
        offered: HostKey,
    },
    /// Nobody has pinned a key for this device, and the policy is strict. Operator's choice to make.
    #[error(
        "the host key of {address} is not known ({}) and the policy is `strict`; check it at the device and \
         put `host_key: {offered}` into the inventory, or use `--host-key-policy accept-new` once",
        offered.fingerprint()
    )]
    HostKeyUnknown {
        /// The peer.
        address: String,
        /// The key that it showed.
        offered: HostKey,
    },
    /// The device refused user and password. Operator fault. Must not be tried again with the same ones,
    /// since devices lock out.
    #[error(
        "{address} rejected the login of `{user}`; not tried again until the credentials change, since devices lock out"
    )]
    Rejected {
        /// The peer.
        address: String,
        /// The user name sent.
        user: String,
    },
    /// The server does not know our key. Operator fault.
    #[error("{address} does not take our key for `{user}`")]
    KeyRejected {
        /// The peer.
        address: String,
        /// The user name sent.
        user: String,
    },
    /// The device takes neither a password nor a keyboard-interactive login. Operator or device fault.
    #[error("{address} offers `{user}` no login with a password, only: {offered}")]
    NoPasswordLogin {
        /// The peer.
        address: String,
        /// The user name sent.
        user: String,
        /// The methods that it names.
        offered: String,
    },
    /// The device hung up in answer to the password, without a word. It may count as a rejected login, so
    /// it is treated as one.
    #[error("{address} closed the connection when `{user}` logged in")]
    ClosedAtLogin {
        /// The peer.
        address: String,
        /// The user name sent.
        user: String,
        /// What the library knows of it.
        #[source]
        source: Option<Cause>,
    },
    /// Logged in, but no shell was to be had. Device fault: its sessions may all be taken.
    #[error("opening a shell on {address}")]
    Shell {
        /// The peer.
        address: String,
        /// Why not.
        #[source]
        source: Option<Cause>,
    },
    /// Logged in, but the server does not run our command.
    #[error("starting a command on {address}")]
    Command {
        /// The peer.
        address: String,
        /// Why not.
        #[source]
        source: Option<Cause>,
    },
    /// The connection ended. Device or network fault.
    #[error("the connection to {address} was lost")]
    Lost {
        /// The peer.
        address: String,
        /// What the library knows of it; nothing when the device simply hung up.
        #[source]
        source: Option<Cause>,
    },
}

fn legacy_hint(legacy: bool) -> &'static str {
    if legacy {
        ""
    } else {
        "; if this is an old device, set `transport.legacy_algorithms: true` on it"
    }
}

impl SshError {
    /// Whether trying again may help.
    #[must_use]
    pub const fn retry(&self) -> Retry {
        match self {
            Self::Resolve { .. }
            | Self::Connect { .. }
            | Self::TimedOut { .. }
            | Self::Handshake { .. }
            | Self::Shell { .. }
            | Self::Command { .. }
            | Self::Lost { .. } => Retry::Soon,
            Self::NoCommonAlgorithm { .. }
            | Self::HostKeyChanged { .. }
            | Self::HostKeyUnknown { .. }
            | Self::Rejected { .. }
            | Self::KeyRejected { .. }
            | Self::NoPasswordLogin { .. }
            | Self::ClosedAtLogin { .. } => Retry::AfterChange,
        }
    }
}
