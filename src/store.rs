//! What gamops remembers between runs, in SQLite: pins, ownership, the journal of every run, what each
//! firmware answered and took over commands, the inventory that was last applied; who may change a device now,
//! which devices are paused, what people are still to be told, and the daemon that looks after an inventory.
//!
//! One thread owns the connection and takes jobs from a channel, so callers never block the runtime and
//! writes never collide within a process; other processes wait up to the busy time-out. Holds no secret:
//! commands and replies arrive masked. Times are UTC; nothing is ordered by a device's clock.

mod baseline;
mod batch;
mod billing;
mod capabilities;
mod checkpoint;
mod confirmation;
mod daemons;
mod error;
mod history;
mod host;
mod incomplete;
mod journal;
mod known;
mod lease;
mod look;
mod migrations;
mod outbox;
mod ownership;
mod packed;
mod pauses;
mod pins;
mod refused;
mod replacement;
mod retention;
mod timings;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use batch::{Job, Report};

pub use billing::BillingEvent;
pub use checkpoint::Checkpoint;
pub use confirmation::{Confirmation, Undecided, Verdict};
pub use daemons::{Errand, ErrandId, Ran, RunningDaemon, Way};
pub use error::StoreError;
pub use history::{DeviceEntry, Exchange, RunEntry, Runs};
pub use host::host_name;
pub use journal::{Answered, DeviceRun, DeviceRunState, Phase, RunId, RunInfo, RunSummary, Untouched, WrittenPlan};
pub use known::Known;
pub use lease::{Holder, Lease, Token, Wanted};
pub use outbox::{Batch, Entry, Gathering, Next, Note};
pub use packed::Packed;
pub use pauses::{PauseOrder, Scope, StandingPause};
pub use pins::Pin;
pub use refused::{PlanRefusal, Refuser};
pub use retention::Keep;

/// How long a write waits for another process to finish its own.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// A handle on the state database; clones share one connection.
#[derive(Debug, Clone)]
pub struct Store {
    jobs: mpsc::UnboundedSender<Job>,
    /// `None` for a database in memory.
    file: Option<File>,
    /// The sign of life of this process, once it has held a device.
    presence: Arc<OnceLock<Arc<lease::Presence>>>,
}

/// Where a database is.
#[derive(Debug, Clone)]
struct File {
    path: PathBuf,
    /// Folder of the files by which processes show that they live.
    presences: PathBuf,
    /// How long a write waits for another process.
    wait: Duration,
}

impl Store {
    /// Opens the database, making the file and its folder where they are missing, and brings it to the
    /// newest version. On Unix the file is readable by its owner only. What cannot be used is not touched.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the file cannot be used.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_within(path, BUSY_TIMEOUT, look::SMALL)
    }

    /// As [`Store::open`], waiting so long for another process that holds the database, now and at each write, and looking
    /// at the whole of a file that has at most so many bytes every time.
    fn open_within(path: &Path, wait: Duration, small: u64) -> Result<Self, StoreError> {
        if let Some(folder) = path.parent()
            && !folder.as_os_str().is_empty()
        {
            std::fs::create_dir_all(folder).map_err(|source| StoreError::Folder {
                path: folder.to_owned(),
                source,
            })?;
        }
        let whole = look::look(path, wait, small)?;
        let mut presences = path.as_os_str().to_owned();
        presences.push(".locks");
        let file = File {
            path: path.to_owned(),
            presences: PathBuf::from(presences),
            wait,
        };
        let open = || {
            let connection = Connection::open(path)?;
            restrict(path);
            connection.busy_timeout(wait)?;
            connection.pragma_update(None, "journal_mode", "WAL")?;
            connection.pragma_update(None, "synchronous", "FULL")?;
            Self::start(connection, Some(file), whole.as_ref())
        };
        open().map_err(|error| error.at(path, wait))
    }

    /// A database that lives as long as its handle, for tests and trials.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where SQLite itself fails.
    pub fn in_memory() -> Result<Self, StoreError> {
        Self::start(Connection::open_in_memory()?, None, None)
    }

    fn start(mut connection: Connection, file: Option<File>, whole: Option<&look::Whole>) -> Result<Self, StoreError> {
        connection.pragma_update(None, "foreign_keys", true)?;
        migrations::migrate(&mut connection)?;
        if let Some(whole) = whole {
            look::remember(&connection, whole)?;
        }
        let (jobs, mut queue) = mpsc::unbounded_channel::<Job>();
        // It ends when the last handle is dropped.
        thread::spawn(move || batch::work(&mut connection, &mut queue));
        Ok(Self {
            jobs,
            file,
            presence: Arc::default(),
        })
    }

    /// Runs one job on the connection's thread; it is on the disk when this returns, and taken back if it fails.
    async fn call<T: Send + 'static>(
        &self,
        job: impl FnOnce(&rusqlite::Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let file = self.file.clone();
        let tell = move |result: Result<T, StoreError>| {
            let result = result.map_err(|error| match file {
                Some(file) => error.at(&file.path, file.wait),
                None => error,
            });
            // Nobody waiting any more is no reason to fail: the work is done.
            let _ = answer.send(result);
        };
        let job: Job = Box::new(move |db| match db.map_err(StoreError::from).and_then(job) {
            Ok(value) => {
                let report = |committed: Result<(), _>| tell(committed.map(|()| value).map_err(StoreError::from));
                Some(Box::new(report) as Report)
            }
            Err(error) => {
                tell(Err(error));
                None
            }
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
    written(jiff::Timestamp::now())
}

/// A time as the database writes it.
fn written(time: jiff::Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

fn to_json(value: &impl serde::Serialize, what: &'static str) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|source| StoreError::Value { what, source })
}

fn from_json<T: serde::de::DeserializeOwned>(text: &str, what: &'static str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|source| StoreError::Value { what, source })
}

#[cfg(test)]
mod tests;
