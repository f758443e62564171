//! Where the latest run did not do what it was to do.

use std::collections::BTreeSet;

use crate::domain::MacAddr;

use super::{Store, StoreError};

impl Store {
    /// Base MACs of the devices on which the latest run was cut off, failed, was interrupted, or was taken back: what the
    /// inventory asked for then is not there as far as anybody knows.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn incomplete(&self) -> Result<BTreeSet<MacAddr>, StoreError> {
        self.call(|db| {
            let mut query = db.prepare_cached(
                "SELECT mac FROM device_runs AS latest
                 WHERE state NOT IN ('saved', 'settled')
                   AND run = (SELECT max(run) FROM device_runs WHERE mac = latest.mac)",
            )?;
            let mut rows = query.query([])?;
            let mut incomplete = BTreeSet::new();
            while let Some(row) = rows.next()? {
                incomplete.extend(row.get::<_, String>(0)?.parse::<MacAddr>().ok());
            }
            Ok(incomplete)
        })
        .await
    }
}
