//! What a run found on a device and what it set out to make of it: enough to give the device back what it held, also
//! for another process than the one that began.

use rusqlite::{OptionalExtension as _, Transaction, params};

use crate::domain::MacAddr;
use crate::observed::{Change, DeviceConfig};
use crate::plan::record::Record;

use super::{RunId, Store, StoreError, from_json, to_json};

/// A device before a run, and the run's intention.
///
/// Typed, never the device's own text. Words of an object that this version does not know are in it as the parser
/// kept them, secrets masked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checkpoint {
    /// What the device held before the first command.
    pub before: DeviceConfig,
    /// What it is to hold after the last.
    pub target: DeviceConfig,
    /// The changes that lead from the one to the other, in the order in which they are sent.
    pub changes: Vec<Change>,
    /// What gamops owned there before the run claimed anything.
    pub owned_before: Vec<Record>,
    /// What it is to own there afterwards.
    pub owned_after: Vec<Record>,
    /// Fingerprint of the startup configuration as it was found; `None` where the device did not show it.
    pub startup: Option<String>,
}

impl Store {
    /// The checkpoint of a run on a device. `None` where the run never began there, or began under a version that
    /// kept none.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn checkpoint(&self, run: RunId, device: &str) -> Result<Option<Checkpoint>, StoreError> {
        let device = device.to_owned();
        self.call(move |db| {
            let columns = db
                .query_row(
                    "SELECT checkpoint, target_config, changes, owned_before, owned_after, startup
                     FROM device_runs WHERE run = ?1 AND device = ?2 AND checkpoint IS NOT NULL",
                    params![run.0, device],
                    |row| {
                        Ok((
                            [row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?],
                            row.get::<_, Option<String>>(5)?,
                        ))
                    },
                )
                .optional()?;
            let Some((texts, startup)) = columns else {
                return Ok(None);
            };
            let [before, target, changes, owned_before, owned_after]: [String; 5] = texts;
            Ok(Some(Checkpoint {
                before: from_json(&before, "checkpoint")?,
                target: from_json(&target, "target_config")?,
                changes: from_json(&changes, "changes")?,
                owned_before: from_json(&owned_before, "owned_before")?,
                owned_after: from_json(&owned_after, "owned_after")?,
                startup,
            }))
        })
        .await
    }
}

impl Store {
    /// What runs after this one did on a device and finished, in order.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn finished_after(&self, run: RunId, mac: MacAddr) -> Result<Vec<(RunId, Vec<Change>)>, StoreError> {
        self.call(move |db| {
            let mut query = db.prepare_cached(
                "SELECT run, changes FROM device_runs
                 WHERE mac = ?1 AND run > ?2 AND state = 'saved' AND changes IS NOT NULL ORDER BY run",
            )?;
            let mut rows = query.query(params![mac.to_string(), run.0])?;
            let mut later = Vec::new();
            while let Some(row) = rows.next()? {
                let changes: String = row.get(1)?;
                later.push((RunId(row.get(0)?), from_json(&changes, "changes")?));
            }
            Ok(later)
        })
        .await
    }
}

/// Writes the checkpoint of a run that was just put down.
pub(super) fn put(db: &Transaction<'_>, run: RunId, device: &str, checkpoint: &Checkpoint) -> Result<(), StoreError> {
    db.execute(
        "UPDATE device_runs SET checkpoint = ?3, target_config = ?4, changes = ?5, owned_before = ?6,
             owned_after = ?7, startup = ?8
         WHERE run = ?1 AND device = ?2",
        params![
            run.0,
            device,
            to_json(&checkpoint.before, "checkpoint")?,
            to_json(&checkpoint.target, "target_config")?,
            to_json(&checkpoint.changes, "changes")?,
            to_json(&checkpoint.owned_before, "owned_before")?,
            to_json(&checkpoint.owned_after, "owned_after")?,
            checkpoint.startup,
        ],
    )?;
    Ok(())
}
