//! A new unit in the place of an old one.

use rusqlite::{OptionalExtension as _, params};

use crate::domain::MacAddr;

use super::ownership::hand_over;
use super::{Pin, Store, StoreError, now};

impl Store {
    /// Takes a new unit for a device, in one step: it is the pinned one from now on, and has the records of the old one.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used; the old one is the device then.
    pub async fn replace_unit(&self, device: &str, old: MacAddr, new: Pin) -> Result<(), StoreError> {
        let device = device.to_owned();
        self.call(move |db| {
            db.execute(
                "INSERT INTO pins (device, host_key, model, mac, firmware, updated, replaces)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                 ON CONFLICT (device) DO UPDATE SET host_key = excluded.host_key, model = excluded.model,
                     mac = excluded.mac, firmware = excluded.firmware, updated = excluded.updated,
                     replaces = excluded.replaces",
                params![
                    device,
                    new.host_key,
                    new.model,
                    new.mac.map(|mac| mac.to_string()),
                    new.firmware,
                    now(),
                    old.to_string(),
                ],
            )?;
            match new.mac {
                Some(new) => hand_over(db, old, new),
                None => Ok(()),
            }
        })
        .await
    }

    /// The old unit, where a new one was taken for the device and no run has saved anything on it yet.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn unsettled_replacement(&self, device: &str, new: MacAddr) -> Result<Option<MacAddr>, StoreError> {
        let device = device.to_owned();
        self.call(move |db| {
            let old: Option<String> = db
                .query_row(
                    "SELECT replaces FROM pins WHERE device = ?1 AND mac = ?2 AND replaces IS NOT NULL
                         AND NOT EXISTS (SELECT 1 FROM device_runs WHERE mac = ?2 AND state = 'saved')",
                    [device, new.to_string()],
                    |row| row.get(0),
                )
                .optional()?;
            Ok(old.and_then(|old| old.parse().ok()))
        })
        .await
    }

    /// Notes that a new unit holds what the old one held.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn replacement_settled(&self, device: &str) -> Result<(), StoreError> {
        let device = device.to_owned();
        self.call(move |db| {
            db.execute("UPDATE pins SET replaces = NULL WHERE device = ?1", [device])?;
            Ok(())
        })
        .await
    }
}
