//! What every run did, written before it is done: each command before it is sent, each reply as it comes.
//! Killed anywhere, the next run finds here what was in flight.

use rusqlite::{OptionalExtension as _, params};

use crate::domain::MacAddr;
use crate::plan::record::Record;

use super::{Store, StoreError, now, ownership};

/// A run's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunId(i64);

impl std::fmt::Display for RunId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Who runs what.
#[derive(Debug, Clone)]
pub struct RunInfo {
    /// User and host.
    pub actor: String,
    /// Commit of the inventory.
    pub commit: Option<String>,
}

/// How far a run came on one device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceRunState {
    /// Commands may have been sent; nothing is verified.
    Sending,
    /// The device holds the target, unsaved.
    Verified,
    /// Saved and recorded.
    Saved,
    /// Stopped by a refusal, a lost connection or a difference found on verifying; unsaved.
    Failed,
    /// Stopped by the operator between two commands; unsaved.
    Interrupted,
    /// Not finished, but a later run found that nothing of it is left to save.
    Settled,
}

impl DeviceRunState {
    const fn word(self) -> &'static str {
        match self {
            Self::Sending => "sending",
            Self::Verified => "verified",
            Self::Saved => "saved",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
            Self::Settled => "settled",
        }
    }

    /// Whether the run may have left something unsaved.
    #[must_use]
    pub const fn is_unfinished(self) -> bool {
        !matches!(self, Self::Saved | Self::Settled)
    }

    fn of_word(word: &str) -> Self {
        match word {
            "verified" => Self::Verified,
            "saved" => Self::Saved,
            "failed" => Self::Failed,
            "interrupted" => Self::Interrupted,
            "settled" => Self::Settled,
            // A word from elsewhere is treated as the state that promises least.
            _ => Self::Sending,
        }
    }
}

/// A run's work on one device, as it begins.
#[derive(Debug, Clone)]
pub struct DeviceRun {
    /// Inventory key.
    pub device: String,
    /// Base MAC.
    pub mac: MacAddr,
    /// Fingerprint of what the device held.
    pub base: String,
    /// Fingerprint of what it is to hold.
    pub target: String,
    /// Objects about to be made, changed or taken over: owned from now on where they are found under their
    /// number and name, so that a run killed halfway leaves no orphan.
    pub claims: Vec<Record>,
}

/// The latest run on a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunSummary {
    /// Its number.
    pub run: RunId,
    /// How far it came.
    pub state: DeviceRunState,
    /// When that was written, UTC.
    pub updated: String,
}

impl Store {
    /// Opens a run.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn begin_run(&self, info: RunInfo) -> Result<RunId, StoreError> {
        self.call(move |db| {
            db.execute(
                "INSERT INTO runs (started, actor, commit_id) VALUES (?1, ?2, ?3)",
                params![now(), info.actor, info.commit],
            )?;
            Ok(RunId(db.last_insert_rowid()))
        })
        .await
    }

    /// Closes a run.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn finish_run(&self, run: RunId, outcome: &'static str) -> Result<(), StoreError> {
        self.call(move |db| {
            db.execute(
                "UPDATE runs SET finished = ?2, outcome = ?3 WHERE id = ?1",
                params![run.0, now(), outcome],
            )?;
            Ok(())
        })
        .await
    }

    /// Writes down, in one transaction, that a run starts on a device and what it is about to make there.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used; nothing may be sent then.
    pub async fn begin_device(&self, run: RunId, begin: DeviceRun) -> Result<(), StoreError> {
        self.call(move |db| {
            db.execute(
                "INSERT INTO device_runs (run, device, mac, state, base, target, updated)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![
                    run.0,
                    begin.device,
                    begin.mac.to_string(),
                    DeviceRunState::Sending.word(),
                    begin.base,
                    begin.target,
                    now()
                ],
            )?;
            begin
                .claims
                .iter()
                .try_for_each(|claim| ownership::put(db, begin.mac, claim, None))
        })
        .await
    }

    /// Writes down a command before it is sent.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used; the command may not be sent then.
    pub async fn sending(&self, run: RunId, device: &str, step: usize, command: &str) -> Result<(), StoreError> {
        let (device, command) = (device.to_owned(), command.to_owned());
        let step = i64::try_from(step).unwrap_or(i64::MAX);
        self.call(move |db| {
            db.prepare_cached("INSERT INTO exchanges (run, device, step, command, sent) VALUES (?1, ?2, ?3, ?4, ?5)")?
                .execute(params![run.0, device, step, command, now()])?;
            Ok(())
        })
        .await
    }

    /// Writes down what a command was answered, secrets masked.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn answered(&self, run: RunId, device: &str, step: usize, reply: &str) -> Result<(), StoreError> {
        let (device, reply) = (device.to_owned(), reply.to_owned());
        let step = i64::try_from(step).unwrap_or(i64::MAX);
        self.call(move |db| {
            db.prepare_cached(
                "UPDATE exchanges SET reply = ?4, answered = ?5 WHERE run = ?1 AND device = ?2 AND step = ?3",
            )?
            .execute(params![run.0, device, step, reply, now()])?;
            Ok(())
        })
        .await
    }

    /// Writes down how far a run came on a device without finishing it.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn device_state(
        &self,
        run: RunId,
        device: &str,
        state: DeviceRunState,
        detail: Option<String>,
    ) -> Result<(), StoreError> {
        let device = device.to_owned();
        self.call(move |db| {
            set_state(db, run, &device, state, detail.as_deref())?;
            Ok(())
        })
        .await
    }

    /// Finishes a run on a device: it is saved, and `records` is what gamops owns there from now on.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used; the device is right then, and the next run records.
    pub async fn finish_device(
        &self,
        run: RunId,
        device: &str,
        mac: MacAddr,
        records: Vec<Record>,
        commit: Option<String>,
    ) -> Result<(), StoreError> {
        let device = device.to_owned();
        self.call(move |db| {
            set_state(db, run, &device, DeviceRunState::Saved, None)?;
            ownership::replace(db, mac, &records, commit.as_deref())
        })
        .await
    }

    /// Records ownership on a device that needed no command: what was found there as wanted is taken over,
    /// what is gone is forgotten. `settled` says that it was found saved: what an unfinished run left there, it
    /// left for good, and later unsaved configuration is not that run's.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn record(
        &self,
        mac: MacAddr,
        records: Vec<Record>,
        commit: Option<String>,
        settled: bool,
    ) -> Result<(), StoreError> {
        self.call(move |db| {
            if settled {
                db.execute(
                    "UPDATE device_runs SET state = ?2, updated = ?3 WHERE mac = ?1 AND state NOT IN ('saved', ?2)",
                    params![mac.to_string(), DeviceRunState::Settled.word(), now()],
                )?;
            }
            ownership::replace(db, mac, &records, commit.as_deref())
        })
        .await
    }

    /// The latest run that touched a device. `None` where no run ever did.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn last_run(&self, mac: MacAddr) -> Result<Option<RunSummary>, StoreError> {
        self.call(move |db| {
            let found = db
                .query_row(
                    "SELECT run, state, updated FROM device_runs WHERE mac = ?1 ORDER BY run DESC LIMIT 1",
                    [mac.to_string()],
                    |row| {
                        Ok(RunSummary {
                            run: RunId(row.get(0)?),
                            state: DeviceRunState::of_word(&row.get::<_, String>(1)?),
                            updated: row.get(2)?,
                        })
                    },
                )
                .optional()?;
            Ok(found)
        })
        .await
    }
}

fn set_state(
    db: &rusqlite::Transaction<'_>,
    run: RunId,
    device: &str,
    state: DeviceRunState,
    detail: Option<&str>,
) -> rusqlite::Result<()> {
    db.execute(
        "UPDATE device_runs SET state = ?3, detail = ?4, updated = ?5 WHERE run = ?1 AND device = ?2",
        params![run.0, device, state.word(), detail, now()],
    )?;
    Ok(())
}
