//! What the billing clerk keeps from one time to the next, and what billing systems have told since: by inventory and system.
//!
//! What is kept is text that only its writer reads. A webhook's word is on record before it is answered, and goes once something was
//! made of it.

use jiff::Timestamp;
use rusqlite::params;

use super::{Store, StoreError, written};

/// Something that a billing system told, which is still to be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BillingEvent {
    /// Its number: later ones are higher.
    pub id: i64,
    /// What is to be looked at, as its writer put it.
    pub scope: String,
}

impl Store {
    /// What was kept under a name.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn billing_kept(&self, inventory: &str, system: &str, name: &str) -> Result<Option<String>, StoreError> {
        let key = (inventory.to_owned(), system.to_owned(), name.to_owned());
        self.call(move |db| {
            let query = "SELECT text FROM billing_kept WHERE inventory = ?1 AND system = ?2 AND name = ?3";
            let mut query = db.prepare_cached(query)?;
            let mut rows = query.query(params![key.0, key.1, key.2])?;
            Ok(rows.next()?.map(|row| row.get(0)).transpose()?)
        })
        .await
    }

    /// Keeps a text under a name, in the place of what was kept there.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn keep_billing(
        &self,
        inventory: &str,
        system: &str,
        name: &str,
        text: String,
    ) -> Result<(), StoreError> {
        let key = (inventory.to_owned(), system.to_owned(), name.to_owned());
        self.call(move |db| {
            db.execute(
                "INSERT INTO billing_kept (inventory, system, name, text) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (inventory, system, name) DO UPDATE SET text = excluded.text",
                params![key.0, key.1, key.2, text],
            )?;
            Ok(())
        })
        .await
    }

    /// Puts on record what a system told. The same that is on record already is told anew: whoever is looking at it now does not know
    /// yet what it was told for.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn put_billing_event(
        &self,
        inventory: &str,
        system: &str,
        scope: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (inventory, system, scope) = (inventory.to_owned(), system.to_owned(), scope.to_owned());
        self.call(move |db| {
            db.execute(
                "INSERT OR REPLACE INTO billing_events (inventory, system, scope, told) VALUES (?1, ?2, ?3, ?4)",
                params![inventory, system, scope, written(now)],
            )?;
            Ok(())
        })
        .await
    }

    /// What a system told and was not looked at yet, oldest first.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn billing_events(&self, inventory: &str, system: &str) -> Result<Vec<BillingEvent>, StoreError> {
        let (inventory, system) = (inventory.to_owned(), system.to_owned());
        self.call(move |db| {
            let query = "SELECT id, scope FROM billing_events WHERE inventory = ?1 AND system = ?2 ORDER BY id";
            let mut query = db.prepare_cached(query)?;
            let rows = query.query_map([inventory, system], |row| {
                Ok(BillingEvent {
                    id: row.get(0)?,
                    scope: row.get(1)?,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// Strikes off what was looked at: everything that was on record up to this number.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn drop_billing_events(&self, inventory: &str, system: &str, up_to: i64) -> Result<(), StoreError> {
        let (inventory, system) = (inventory.to_owned(), system.to_owned());
        self.call(move |db| {
            db.execute(
                "DELETE FROM billing_events WHERE inventory = ?1 AND system = ?2 AND id <= ?3",
                params![inventory, system, up_to],
            )?;
            Ok(())
        })
        .await
    }
}
