//! What can go wrong with the state database, and what to do about each.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::ErrorCode;

/// The state database cannot be used. The file's or the disk's fault, or our bug.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It could not be opened or made.
    #[error("opening the state database {}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: rusqlite::Error,
    },
    /// Its folder could not be made.
    #[error("making the folder {} for the state database", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Somebody else has the device that this run was at.
    #[error(
        "{holder} took the device over, since this run had shown no sign of life for too long; nothing more is sent"
    )]
    TakenOver {
        /// Who, as people read it.
        holder: String,
    },
    /// The file that says that this process lives could not be made.
    #[error("making a sign of life in the folder {}", path.display())]
    Presence {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It was written by a newer gamops.
    #[error("the state database {} has version {found}, this gamops knows up to {known}", path.display())]
    TooNew {
        /// The file.
        path: PathBuf,
        /// Version of the file.
        found: i64,
        /// Newest version known here.
        known: i64,
    },
    /// It is a database of some other program.
    #[error("{} is a database, but not one of gamops", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// Another process holds it and does not let go.
    #[error("the state database {} is held by another process and was not let go within {} s", path.display(), waited.as_secs())]
    InUse {
        /// The file.
        path: PathBuf,
        /// How long it was waited for.
        waited: Duration,
    },
    /// It cannot be written: a full disk, a limit on the size of files, a disk that fails or is read-only.
    #[error("the state database {} cannot be written", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: rusqlite::Error,
    },
    /// It is no database any more, or holds what gamops did not write.
    #[error("the state database {} is damaged: {why}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A query failed.
    #[error("using the state database")]
    Query(#[from] rusqlite::Error),
    /// A stored value is not what this version writes.
    #[error("reading `{what}` from the state database")]
    Value {
        /// Which value.
        what: &'static str,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The thread that owns the connection is gone: our bug.
    #[error("the state database was closed")]
    Closed,
}

impl StoreError {
    /// What to do about it, where that is known.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        let help = match self {
            Self::TooNew { .. } => {
                "use the gamops that wrote it, or a newer one; or put back the backup of before the upgrade".to_owned()
            }
            Self::Foreign { .. } => "name another file with `--state FILE`".to_owned(),
            Self::InUse { path, .. } => format!(
                "wait for the other gamops, or end the backup or `sqlite3` that holds it (`fuser {}` tells which), then \
                 run this again",
                path.display()
            ),
            Self::Unwritable { path, .. } => format!(
                "see whether the disk is full or read-only (`df {}`) or the size of files limited (`ulimit -f`), then run \
                 this again: it goes on from where it was",
                path.display()
            ),
            Self::Damaged { path, .. } => {
                let path = path.display();
                format!(
                    "put back a backup of it; or set it aside, with `{path}-wal` and `{path}-shm`, and plan again: every \
                     device is met anew then, what gamops owns is unmanaged until a plan takes it over again, and the \
                     journal of past runs is lost"
                )
            }
            Self::Open { path, .. } | Self::Folder { path, .. } | Self::Presence { path, .. } => format!(
                "see whether you may read and write {}, or name another file with `--state FILE`",
                path.display()
            ),
            Self::TakenOver { .. } | Self::Query(_) | Self::Value { .. } | Self::Closed => return None,
        };
        Some(help)
    }

    /// The same error, said of a file: SQLite's own words name neither the file nor what to do.
    pub(super) fn at(self, path: &Path, waited: Duration) -> Self {
        let path = path.to_owned();
        let source = match self {
            Self::Query(source) | Self::Open { source, .. } => source,
            Self::Value { what, source } => {
                let why = format!("`{what}` cannot be read: {source}");
                return Self::Damaged { path, why };
            }
            other => return other,
        };
        match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::InUse { path, waited },
            Some(ErrorCode::DiskFull | ErrorCode::SystemIoFailure | ErrorCode::ReadOnly) => {
                Self::Unwritable { path, source }
            }
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                let why = source.to_string();
                Self::Damaged { path, why }
            }
            Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => Self::Open { path, source },
            _ => Self::Query(source),
        }
    }
}
