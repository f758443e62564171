//! Forgetting what is old: runs with their plans, checkpoints, commands and replies.

use jiff::Timestamp;
use rusqlite::params;

use super::{Store, StoreError, written};

/// What is kept of the runs that are over.
#[derive(Debug, Clone, Copy)]
pub struct Keep {
    /// Those that began then or later.
    pub since: Timestamp,
    /// Of those, so many, the newest.
    pub runs: u32,
}

impl Store {
    /// Forgets runs that are over, and says how many. Always kept are those that may have left something unfinished
    /// on a device, and the last one that was saved on each: what is there now is from that.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used; nothing is forgotten then.
    pub async fn forget(&self, keep: Keep) -> Result<usize, StoreError> {
        self.call(move |db| {
            // A device's last saved run, and whatever came after it and was neither finished nor taken back.
            let mut query = db.prepare_cached(
                "SELECT id FROM runs
                 WHERE (started < ?1 OR finished IS NOT NULL
                        AND id <= (SELECT id FROM runs ORDER BY id DESC LIMIT 1 OFFSET ?2))
                     AND NOT EXISTS (
                         SELECT 1 FROM device_runs mine
                         WHERE mine.run = runs.id AND mine.state NOT IN ('settled', 'rolled-back', 'acted')
                             AND mine.run >= coalesce(
                                 (SELECT max(run) FROM device_runs saved WHERE saved.mac = mine.mac AND saved.state = 'saved'),
                                 0))",
            )?;
            let old: Vec<i64> = query
                .query_map(params![written(keep.since), keep.runs], |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            for run in &old {
                for rows in ["exchanges", "device_runs", "untouched", "refusals"] {
                    db.execute(&format!("DELETE FROM {rows} WHERE run = ?1"), [run])?;
                }
                db.execute("DELETE FROM runs WHERE id = ?1", [run])?;
            }
            Ok(old.len())
        })
        .await
    }
}
