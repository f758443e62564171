//! Which device an inventory key stands for: host key, model and base MAC as met at first contact.

use rusqlite::{OptionalExtension as _, Transaction, params};

use crate::domain::MacAddr;

use super::{Store, StoreError, now};

/// What a device was at first contact.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pin {
    /// SSH host key in OpenSSH form.
    pub host_key: Option<String>,
    /// Model.
    pub model: Option<String>,
    /// Base MAC.
    pub mac: Option<MacAddr>,
    /// Firmware when it was last read.
    pub firmware: Option<String>,
}

impl Store {
    /// The pin of a device: under its key, else under the key that it had before.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn pin(&self, device: &str, was: Option<&str>) -> Result<Option<Pin>, StoreError> {
        let keys: Vec<String> = std::iter::once(device).chain(was).map(str::to_owned).collect();
        self.call(move |db| {
            for key in keys {
                let found = db
                    .prepare_cached("SELECT host_key, model, mac, firmware FROM pins WHERE device = ?1")?
                    .query_row([&key], |row| {
                        Ok(Pin {
                            host_key: row.get(0)?,
                            model: row.get(1)?,
                            mac: row.get::<_, Option<String>>(2)?.and_then(|text| text.parse().ok()),
                            firmware: row.get(3)?,
                        })
                    })
                    .optional()?;
                if found.is_some() {
                    return Ok(found);
                }
            }
            Ok(None)
        })
        .await
    }

    /// The key that is pinned to a device already, of those that count.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn pinned_as(
        &self,
        mac: MacAddr,
        counts: impl Fn(&str) -> bool + Send + 'static,
    ) -> Result<Option<String>, StoreError> {
        self.call(move |db| holder(db, mac, counts)).await
    }

    /// Pins a device, replacing what was pinned under its key, unless it is pinned to another key that `counts`: that
    /// key is given back then and nothing is written. Two keys for one device would each destroy what the other made.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn set_pin(
        &self,
        device: &str,
        pin: Pin,
        counts: impl Fn(&str) -> bool + Send + 'static,
    ) -> Result<Option<String>, StoreError> {
        let device = device.to_owned();
        self.call(move |db| {
            if let Some(mac) = pin.mac
                && let Some(other) = holder(db, mac, counts)?
            {
                return Ok(Some(other));
            }
            db.execute(
                "INSERT INTO pins (device, host_key, model, mac, firmware, updated) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT (device) DO UPDATE SET host_key = excluded.host_key, model = excluded.model,
                     replaces = CASE WHEN pins.mac = excluded.mac THEN pins.replaces END,
                     mac = excluded.mac, firmware = excluded.firmware, updated = excluded.updated",
                params![
                    device,
                    pin.host_key,
                    pin.model,
                    pin.mac.map(|mac| mac.to_string()),
                    pin.firmware,
                    now()
                ],
            )?;
            Ok(None)
        })
        .await
    }
}

/// The first key that is pinned to the device and counts.
fn holder(db: &Transaction<'_>, mac: MacAddr, counts: impl Fn(&str) -> bool) -> Result<Option<String>, StoreError> {
    let mut query = db.prepare_cached("SELECT device FROM pins WHERE mac = ?1 ORDER BY device")?;
    let mut rows = query.query([mac.to_string()])?;
    while let Some(row) = rows.next()? {
        let device: String = row.get(0)?;
        if counts(&device) {
            return Ok(Some(device));
        }
    }
    Ok(None)
}
