//! Looking back: what runs there were, and all that is on record of one of them.

use rusqlite::{OptionalExtension as _, Row, Transaction, params};

use crate::domain::MacAddr;
use crate::plan::model::Summary;

use super::journal::{Answered, DeviceRunState, Phase, RunId, Untouched, WrittenPlan};
use super::refused::{PlanRefusal, refusals};
use super::{Store, StoreError};

/// Which runs are asked for.
#[derive(Debug, Clone, Default)]
pub struct Runs {
    /// Only those that had to do with this device, by inventory key.
    pub device: Option<String>,
    /// At most so many, the newest.
    pub limit: Option<u32>,
}

/// A run as it is on record. Times are UTC, as `2026-11-27T22:03:01.120Z`.
#[derive(Debug, Clone)]
pub struct RunEntry {
    /// Its number.
    pub run: RunId,
    /// When it began.
    pub started: String,
    /// When it ended; `None` while it goes on, and for good where it was killed.
    pub finished: Option<String>,
    /// Who ran it.
    pub actor: String,
    /// Commit of the inventory.
    pub commit: Option<String>,
    /// The run that it undid.
    pub undoes: Option<RunId>,
    /// `done`, `incomplete` or `refused`; `None` without an end.
    pub outcome: Option<String>,
    /// How often the same plan was refused in a row, `started` being the first time and `finished` the last; else 1.
    pub times: u32,
    /// Why its plan was refused as a whole; empty where it was not.
    pub refusals: Vec<PlanRefusal>,
    /// The devices that it began, by key.
    pub devices: Vec<DeviceEntry>,
    /// The devices that it was to change, or that it could not read, and sent nothing to; by key.
    pub untouched: Vec<Untouched>,
}

/// A run on one device.
#[derive(Debug, Clone)]
pub struct DeviceEntry {
    /// Inventory key at that time.
    pub device: String,
    /// Base MAC; `None` where what stands there is none.
    pub mac: Option<MacAddr>,
    /// How far it came.
    pub state: DeviceRunState,
    /// Why it stopped, where it did.
    pub detail: Option<String>,
    /// What it was to do.
    pub summary: Summary,
    /// When it began; `None` under a version that did not write that down.
    pub began: Option<String>,
    /// When the state was written.
    pub updated: String,
}

/// A command and its reply.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// What it was sent for.
    pub phase: Phase,
    /// What was sent, secrets masked.
    pub command: String,
    /// When it was written down, just before it was sent.
    pub sent: String,
    /// When the answer was written down; `None` where the program was gone before it came.
    pub answered: Option<String>,
    /// How it was answered; `None` as well under a version that did not tell.
    pub how: Option<Answered>,
    /// What was answered, secrets masked.
    pub reply: Option<String>,
}

const RUN: &str = "SELECT id, started, finished, actor, commit_id, undoes, outcome, times FROM runs";

impl Store {
    /// Runs, the newest first.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn runs(&self, wanted: Runs) -> Result<Vec<RunEntry>, StoreError> {
        self.call(move |db| {
            let mut query = db.prepare(&format!(
                "{RUN} WHERE ?1 IS NULL
                     OR id IN (SELECT run FROM device_runs WHERE device = ?1)
                     OR id IN (SELECT run FROM untouched WHERE device = ?1)
                 ORDER BY id DESC LIMIT ?2"
            ))?;
            let limit = wanted.limit.map_or(-1, i64::from);
            let runs = query.query_map(params![wanted.device, limit], entry)?;
            runs.map(|run| with_devices(db, run?)).collect()
        })
        .await
    }

    /// One run. `None` where there is none of that number.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn run(&self, run: RunId) -> Result<Option<RunEntry>, StoreError> {
        self.call(move |db| {
            let found = db
                .query_row(&format!("{RUN} WHERE id = ?1"), [run.0], entry)
                .optional()?;
            found.map(|run| with_devices(db, run)).transpose()
        })
        .await
    }

    /// The plan of a run as it was shown. `None` where none was kept.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn plan_of(&self, run: RunId) -> Result<Option<WrittenPlan>, StoreError> {
        self.call(move |db| {
            let found = db
                .query_row(
                    "SELECT shown, plan FROM runs
                     WHERE id = ?1 AND shown IS NOT NULL AND plan IS NOT NULL",
                    [run.0],
                    |row| {
                        Ok(WrittenPlan {
                            text: row.get(0)?,
                            json: row.get(1)?,
                        })
                    },
                )
                .optional()?;
            Ok(found)
        })
        .await
    }

    /// The commands of a run on a device, in the order in which they were sent.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn exchanges(&self, run: RunId, device: &str) -> Result<Vec<Exchange>, StoreError> {
        let device = device.to_owned();
        self.call(move |db| {
            let mut query = db.prepare_cached(
                "SELECT phase, command, sent, answered, answer, refusal, reply FROM exchanges
                 WHERE run = ?1 AND device = ?2 ORDER BY step",
            )?;
            let exchanges = query.query_map(params![run.0, device], |row| {
                let answer: Option<String> = row.get(4)?;
                let refusal = row.get(5)?;
                Ok(Exchange {
                    phase: Phase::of_word(&row.get::<_, String>(0)?),
                    command: row.get(1)?,
                    sent: row.get(2)?,
                    answered: row.get(3)?,
                    how: answer.map(|answer| Answered::of_words(&answer, refusal)),
                    reply: row.get(6)?,
                })
            })?;
            Ok(exchanges.collect::<Result<_, _>>()?)
        })
        .await
    }
}

fn entry(row: &Row<'_>) -> rusqlite::Result<RunEntry> {
    Ok(RunEntry {
        run: RunId(row.get(0)?),
        started: row.get(1)?,
        finished: row.get(2)?,
        actor: row.get(3)?,
        commit: row.get(4)?,
        undoes: row.get::<_, Option<i64>>(5)?.map(RunId),
        outcome: row.get(6)?,
        times: row.get(7)?,
        refusals: Vec::new(),
        devices: Vec::new(),
        untouched: Vec::new(),
    })
}

fn with_devices(db: &Transaction<'_>, mut run: RunEntry) -> Result<RunEntry, StoreError> {
    let mut query = db.prepare_cached(
        "SELECT device, mac, state, detail, added, changed, destroyed, began, updated FROM device_runs
         WHERE run = ?1 ORDER BY device",
    )?;
    let devices = query.query_map([run.run.0], |row| {
        let count = |index: usize| -> rusqlite::Result<usize> {
            Ok(usize::try_from(row.get::<_, i64>(index)?).unwrap_or_default())
        };
        Ok(DeviceEntry {
            device: row.get(0)?,
            mac: row.get::<_, String>(1)?.parse().ok(),
            state: DeviceRunState::of_word(&row.get::<_, String>(2)?),
            detail: row.get(3)?,
            summary: Summary {
                add: count(4)?,
                change: count(5)?,
                destroy: count(6)?,
            },
            began: row.get(7)?,
            updated: row.get(8)?,
        })
    })?;
    run.devices = devices.collect::<Result<_, rusqlite::Error>>()?;
    let mut query =
        db.prepare_cached("SELECT device, outcome, reason FROM untouched WHERE run = ?1 ORDER BY device")?;
    let untouched = query.query_map([run.run.0], |row| {
        Ok(Untouched {
            device: row.get(0)?,
            outcome: row.get(1)?,
            reason: row.get(2)?,
        })
    })?;
    run.untouched = untouched.collect::<Result<_, _>>()?;
    run.refusals = refusals(db, run.run)?;
    Ok(run)
}
