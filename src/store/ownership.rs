//! Which objects gamops made or took over, per device. Keyed by the device's base MAC, so that a device
//! keeps its records when its inventory key or address changes.

use rusqlite::{Transaction, params};

use crate::domain::MacAddr;
use crate::observed::ObjectId;
use crate::plan::record::Record;

use super::{Store, StoreError, from_json, now, to_json};

impl Store {
    /// What gamops owns on a device, ordered by kind and key.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn records(&self, mac: MacAddr) -> Result<Vec<Record>, StoreError> {
        self.call(move |db| records(db, mac)).await
    }

    /// Makes these the records of a device, in the place of what is there.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn own(&self, mac: MacAddr, records: Vec<Record>) -> Result<(), StoreError> {
        self.call(move |db| replace(db, mac, &records, None)).await
    }

    /// Hands the records of one device to the one that took its place, so that the new one gets the same
    /// object numbers.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn move_records(&self, from: MacAddr, to: MacAddr) -> Result<(), StoreError> {
        self.call(move |db| hand_over(db, from, to)).await
    }
}

/// What gamops owns on a device.
pub(super) fn records(db: &Transaction<'_>, mac: MacAddr) -> Result<Vec<Record>, StoreError> {
    let mut query = db.prepare_cached(
        "SELECT key, object, name, binding, protect, applied FROM objects WHERE mac = ?1 ORDER BY kind, key",
    )?;
    let mut rows = query.query([mac.to_string()])?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        let object: String = row.get(1)?;
        let applied: Option<String> = row.get(5)?;
        records.push(Record {
            key: row.get(0)?,
            object: from_json::<ObjectId>(&object, "object")?,
            name: row.get(2)?,
            binding: row.get::<_, Option<String>>(3)?.and_then(|text| text.parse().ok()),
            protect: row.get(4)?,
            applied: applied.as_deref().map(|text| from_json(text, "applied")).transpose()?,
        });
    }
    Ok(records)
}

/// Hands the records of one device to another.
pub(super) fn hand_over(db: &Transaction<'_>, from: MacAddr, to: MacAddr) -> Result<(), StoreError> {
    db.execute(
        "UPDATE OR REPLACE objects SET mac = ?2 WHERE mac = ?1",
        [from.to_string(), to.to_string()],
    )?;
    Ok(())
}

/// Writes one record. Without a commit the one that stands there stays.
pub(super) fn put(db: &Transaction<'_>, mac: MacAddr, record: &Record, commit: Option<&str>) -> Result<(), StoreError> {
    let applied = record
        .applied
        .as_ref()
        .map(|object| to_json(object, "applied"))
        .transpose()?;
    db.prepare_cached(
        "INSERT INTO objects (mac, kind, key, object, name, binding, protect, applied, commit_id, updated)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
         ON CONFLICT (mac, kind, key) DO UPDATE SET object = excluded.object, name = excluded.name,
             binding = excluded.binding, protect = excluded.protect, applied = excluded.applied,
             commit_id = coalesce(excluded.commit_id, objects.commit_id), updated = excluded.updated",
    )?
    .execute(params![
        mac.to_string(),
        record.kind().to_string(),
        record.key,
        to_json(&record.object, "object")?,
        record.name,
        record.binding.map(|mac| mac.to_string()),
        record.protect,
        applied,
        commit,
        now()
    ])?;
    Ok(())
}

/// Replaces all records of a device.
pub(super) fn replace(
    db: &Transaction<'_>,
    mac: MacAddr,
    records: &[Record],
    commit: Option<&str>,
) -> Result<(), StoreError> {
    db.execute("DELETE FROM objects WHERE mac = ?1", [mac.to_string()])?;
    records.iter().try_for_each(|record| put(db, mac, record, commit))
}

/// Makes these the records of a device again, each with the commit that it has.
pub(super) fn keep(db: &Transaction<'_>, mac: MacAddr, records: &[Record]) -> Result<(), StoreError> {
    let mut standing = db.prepare_cached("SELECT kind, key FROM objects WHERE mac = ?1")?;
    let standing: Vec<(String, String)> = standing
        .query_map([mac.to_string()], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    for (kind, key) in standing {
        let stays = |record: &Record| record.kind().to_string() == kind && record.key == key;
        if !records.iter().any(stays) {
            db.execute(
                "DELETE FROM objects WHERE mac = ?1 AND kind = ?2 AND key = ?3",
                [mac.to_string(), kind, key],
            )?;
        }
    }
    records.iter().try_for_each(|record| put(db, mac, record, None))
}
