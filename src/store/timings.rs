//! How long devices of each firmware took over commands: the last ones of each kind, for saying beforehand how long the
//! next ones will be felt.

use std::time::Duration;

use rusqlite::{Transaction, params};

use crate::domain::Firmware;
use crate::observed::Kind;
use crate::plan::impact::duration::{Timings, Work};

use super::{Store, StoreError};

/// How many of each kind are kept for each firmware: enough for a median, few enough to follow a network that changes.
const KEPT: u32 = 21;

impl Store {
    /// Remembers what commands took.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn took(&self, firmware: &Firmware, measured: Vec<(Work, Duration)>) -> Result<(), StoreError> {
        let firmware = firmware.to_string();
        self.call(move |db| {
            for (work, took) in measured {
                let (kind, millis) = (
                    work.kind.to_string(),
                    i64::try_from(took.as_millis()).unwrap_or(i64::MAX),
                );
                db.prepare_cached("INSERT INTO timings (firmware, kind, deletes, millis) VALUES (?1, ?2, ?3, ?4)")?
                    .execute(params![firmware, kind, work.deletes, millis])?;
                db.prepare_cached(
                    "DELETE FROM timings WHERE firmware = ?1 AND kind = ?2 AND deletes = ?3 AND id NOT IN (
                         SELECT id FROM timings WHERE firmware = ?1 AND kind = ?2 AND deletes = ?3
                         ORDER BY id DESC LIMIT ?4)",
                )?
                .execute(params![firmware, kind, work.deletes, KEPT])?;
            }
            Ok(())
        })
        .await
    }
}

/// What commands took on devices of this firmware, the whole version text.
pub(super) fn timings(db: &Transaction<'_>, firmware: &str) -> Result<Timings, StoreError> {
    let mut query = db.prepare_cached("SELECT kind, deletes, millis FROM timings WHERE firmware = ?1")?;
    let mut rows = query.query([firmware])?;
    let mut measured = Vec::new();
    while let Some(row) = rows.next()? {
        let word: String = row.get(0)?;
        // A kind from elsewhere says nothing.
        let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.to_string() == word) else {
            continue;
        };
        let deletes = row.get(1)?;
        let millis = u64::try_from(row.get::<_, i64>(2)?).unwrap_or_default();
        measured.push((Work { kind, deletes }, Duration::from_millis(millis)));
    }
    Ok(Timings::of(measured))
}
