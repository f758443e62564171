//! The inventory that was last applied as a whole, as far as guards ask for it; and how much gamops owns.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension as _, params};

use crate::observed::Kind;
use crate::plan::guard::Baseline;

use super::{Store, StoreError, from_json, now, to_json};

impl Store {
    /// What was last applied of an inventory; `None` before the first time.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn baseline(&self, inventory: &str) -> Result<Option<Baseline>, StoreError> {
        let inventory = inventory.to_owned();
        self.call(move |db| {
            let text: Option<String> = db
                .query_row(
                    "SELECT document FROM baselines WHERE inventory = ?1",
                    [inventory],
                    |row| row.get(0),
                )
                .optional()?;
            text.map(|text| from_json(&text, "baseline")).transpose()
        })
        .await
    }

    /// Remembers what was applied.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn put_baseline(&self, inventory: &str, baseline: Baseline) -> Result<(), StoreError> {
        let inventory = inventory.to_owned();
        self.call(move |db| {
            db.execute(
                "INSERT INTO baselines (inventory, document, updated) VALUES (?1, ?2, ?3)
                 ON CONFLICT (inventory) DO UPDATE SET document = excluded.document, updated = excluded.updated",
                params![inventory, to_json(&baseline, "baseline")?, now()],
            )?;
            Ok(())
        })
        .await
    }

    /// How many subscribers gamops owns on each device, by the key under which the device was last met. A device without
    /// any is left out.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn owned_subscribers(&self) -> Result<BTreeMap<String, usize>, StoreError> {
        self.call(|db| {
            let mut query = db.prepare_cached(
                "SELECT pins.device, count(*) FROM pins JOIN objects ON objects.mac = pins.mac
                 WHERE objects.kind = ?1 GROUP BY pins.device",
            )?;
            let rows = query.query_map([Kind::Subscriber.to_string()], |row| {
                Ok((row.get(0)?, row.get::<_, u32>(1)?))
            })?;
            let counted =
                rows.map(|row| row.map(|(device, count)| (device, usize::try_from(count).unwrap_or(usize::MAX))));
            Ok(counted.collect::<Result<_, _>>()?)
        })
        .await
    }
}
