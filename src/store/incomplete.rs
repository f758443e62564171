//! Where the latest run did not do what it was to do.

use std::collections::BTreeSet;

use rusqlite::Transaction;

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
        let latest = "SELECT mac FROM device_runs AS latest
                      WHERE state NOT IN ('saved', 'settled')
                        AND run = (SELECT max(run) FROM device_runs WHERE mac = latest.mac AND state <> 'acted')";
        self.call(move |db| macs(db, latest)).await
    }
}

/// The base MACs that a query finds. What is no MAC was not written by this program.
pub(super) fn macs(db: &Transaction<'_>, query: &str) -> Result<BTreeSet<MacAddr>, StoreError> {
    let mut query = db.prepare_cached(query)?;
    let mut rows = query.query([])?;
    let mut macs = BTreeSet::new();
    while let Some(row) = rows.next()? {
        macs.extend(row.get::<_, String>(0)?.parse::<MacAddr>().ok());
    }
    Ok(macs)
}
