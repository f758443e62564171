//! What gamops remembers between runs, in SQLite: pins, ownership, the journal of every run, what each
//! firmware answered and took over commands, the inventory that was last applied; and who may change a device now.
//!
//! One thread owns the connection and takes jobs from a channel, so callers never block the runtime and
//! writes never collide within a process; other processes wait up to the busy time-out. Holds no secret:
//! commands and replies arrive masked. Times are UTC; nothing is ordered by a device's clock.

mod baseline;
mod capabilities;
mod checkpoint;
mod confirmation;
mod history;
mod journal;
mod lock;
mod migrations;
mod ownership;
mod pins;
mod timings;

use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

pub use checkpoint::Checkpoint;
pub use confirmation::{Confirmation, Undecided, Verdict};
pub use history::{DeviceEntry, Exchange, RunEntry, Runs};
pub use journal::{Answered, DeviceRun, DeviceRunState, Phase, RunId, RunInfo, RunSummary, Untouched, WrittenPlan};
pub use lock::DeviceLock;
pub use pins::Pin;

/// How long a write waits for another process to finish its own.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// The state database cannot be used. The file's or the disk's fault, or our bug.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It could not be opened or made.
    #[error("opening the state database {path}")]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: rusqlite::Error,
    },
    /// Its folder could not be made.
    #[error("making the folder {path} for the state database")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A device's lock file could not be used.
    #[error("locking the device with {path}")]
    Lock {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It was written by a newer gamops.
    #[error("the state database has version {found}, this gamops knows up to {known}; use a newer gamops")]
    TooNew {
        /// Version of the file.
        found: i64,
        /// Newest version known here.
        known: i64,
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

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// A handle on the state database; clones share one connection.
#[derive(Debug, Clone)]
pub struct Store {
    jobs: mpsc::UnboundedSender<Job>,
    /// Folder of the devices' lock files; `None` for a database in memory.
    locks: Option<PathBuf>,
}

impl Store {
    /// Opens the database, making the file and its folder where they are missing, and brings it to the
    /// newest version. On Unix the file is readable by its owner only.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the file cannot be used.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        if let Some(folder) = path.parent()
            && !folder.as_os_str().is_empty()
        {
            std::fs::create_dir_all(folder).map_err(|source| StoreError::Folder {
                path: folder.to_owned(),
                source,
            })?;
        }
        let open = |source| StoreError::Open {
            path: path.to_owned(),
            source,
        };
        let connection = Connection::open(path).map_err(open)?;
        restrict(path);
        connection.busy_timeout(BUSY_TIMEOUT).map_err(open)?;
        connection.pragma_update(None, "journal_mode", "WAL").map_err(open)?;
        connection.pragma_update(None, "synchronous", "FULL").map_err(open)?;
        let mut locks = path.as_os_str().to_owned();
        locks.push(".locks");
        Self::start(connection, Some(PathBuf::from(locks)))
    }

    /// A database that lives as long as its handle, for tests and trials.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where SQLite itself fails.
    pub fn in_memory() -> Result<Self, StoreError> {
        Self::start(Connection::open_in_memory()?, None)
    }

    fn start(mut connection: Connection, locks: Option<PathBuf>) -> Result<Self, StoreError> {
        connection.pragma_update(None, "foreign_keys", true)?;
        migrations::migrate(&mut connection)?;
        let (jobs, mut queue) = mpsc::unbounded_channel::<Job>();
        // It ends when the last handle is dropped; a job in hand is always finished.
        thread::spawn(move || {
            while let Some(job) = queue.blocking_recv() {
                job(&mut connection);
            }
        });
        Ok(Self { jobs, locks })
    }

    /// Runs one job on the connection's thread, in a transaction that is taken back if the job fails.
    async fn call<T: Send + 'static>(
        &self,
        job: impl FnOnce(&rusqlite::Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            let result = (|| {
                let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
                let value = job(&transaction)?;
                transaction.commit()?;
                Ok(value)
            })();
            // Nobody waiting any more is no reason to fail: the work is done.
            let _ = answer.send(result);
        });
        self.jobs.send(job).map_err(|_| StoreError::Closed)?;
        answered.await.map_err(|_| StoreError::Closed)?
    }
}

/// Takes the file away from group and others. Best effort: the database holds no secret, only what a
/// network's neighbours need not read.
fn restrict(path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let _ = std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600));
    }
    #[cfg(not(unix))]
    let _ = path;
}

/// Now, as the database writes it.
fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

fn to_json(value: &impl serde::Serialize, what: &'static str) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|source| StoreError::Value { what, source })
}

fn from_json<T: serde::de::DeserializeOwned>(text: &str, what: &'static str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|source| StoreError::Value { what, source })
}

#[cfg(test)]
mod tests;
