//! What can go wrong with a repository somewhere else.

use std::path::PathBuf;

use crate::transport::Retry;
use crate::transport::http::HttpError;
use crate::transport::ssh::SshError;

/// A branch could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// Our own copy cannot be used. The machine's fault: a full disk, or somebody else's files.
    #[error("using the mirror {}; it holds copies only and may be deleted", path.display())]
    Mirror {
        /// Its folder.
        path: PathBuf,
        /// Git's own words.
        #[source]
        source: git2::Error,
    },
    /// There is no room for our own copy. The machine's fault.
    #[error("making the mirror {}", path.display())]
    NoMirror {
        /// Its folder.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The server, or the way to it.
    #[error("fetching from {address}")]
    Remote {
        /// The repository.
        address: String,
        /// What happened.
        #[source]
        trouble: Trouble,
    },
    /// What Git makes of it.
    #[error("fetching from {address}")]
    Git {
        /// The repository.
        address: String,
        /// Git's own words.
        #[source]
        source: git2::Error,
    },
    /// The branch is not there, or not any more. Operator's fault, or whoever deleted it.
    #[error("{address} has no branch `{branch}`{hint}")]
    NoBranch {
        /// The repository.
        address: String,
        /// The branch.
        branch: String,
        /// What it has instead.
        hint: String,
    },
}

/// What a server did, or what happened on the way to it.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// HTTP.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// SSH.
    #[error(transparent)]
    Ssh(#[from] SshError),
    /// It wants to know who we are, or does not like it. Operator's fault.
    #[error("{}", if *given { "the server refuses user and password or token" } else { "the server wants a login; name `credentials`" })]
    LoginRefused {
        /// Whether a login was given.
        given: bool,
    },
    /// It knows no such repository, or does not tell whoever may not see it. Operator's fault.
    #[error("the server knows no such repository, or does not show it to us")]
    NoRepository,
    /// It answered something else.
    #[error("the server answered with status {status}")]
    Status {
        /// Of HTTP.
        status: u16,
    },
    /// It answered, and not in Git's protocol.
    #[error("what answers is no Git server: it sent `{kind}`")]
    NotGit {
        /// The content type.
        kind: String,
    },
    /// Its own words, for people.
    #[error("the server says: {0}")]
    Said(String),
    /// It did not come to an end in time.
    #[error("it took too long")]
    TimedOut,
    /// More came than is good for anybody.
    #[error("more than {at_most} bytes came; a large file in the history would explain it")]
    TooMuch {
        /// The limit.
        at_most: u64,
    },
}

impl RemoteError {
    /// Whether trying again may help.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::NoMirror { .. } | Self::Mirror { .. } | Self::Git { .. } | Self::NoBranch { .. } => Retry::Soon,
            Self::Remote { trouble, .. } => match trouble {
                Trouble::Http(error) => error.retry(),
                Trouble::Ssh(error) => error.retry(),
                Trouble::LoginRefused { .. }
                | Trouble::NoRepository
                | Trouble::TooMuch { .. }
                | Trouble::NotGit { .. } => Retry::AfterChange,
                Trouble::Status { .. } | Trouble::Said(_) | Trouble::TimedOut => Retry::Soon,
            },
        }
    }
}
