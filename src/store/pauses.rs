//! Devices that operators have paused without a commit: by inventory id, so that one database can serve several.

use jiff::Timestamp;
use rusqlite::{Row, params};

use crate::plan::pause::{Ordered, Paused};

use super::{Store, StoreError, written};

/// What stands in the place of a device's key for every device; no key of an inventory may hold this character.
const ALL: &str = "*";

/// What a pause holds for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Every device of the inventory, and those to come.
    All,
    /// One device, by its key.
    Device(String),
}

/// A pause on record that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandingPause {
    /// What it holds for.
    pub scope: Scope,
    /// Why, until when, by whom.
    pub paused: Paused,
}

/// A pause that is ordered.
#[derive(Debug, Clone)]
pub struct PauseOrder {
    /// Why.
    pub reason: String,
    /// When it ends by itself; `None`: when somebody ends it.
    pub until: Option<Timestamp>,
    /// Who orders it.
    pub by: String,
    /// Now.
    pub since: Timestamp,
    /// Whether it holds for the daemon alone; see [`Ordered::of_daemon`].
    pub of_daemon: bool,
}

impl Scope {
    fn word(&self) -> &str {
        match self {
            Self::All => ALL,
            Self::Device(key) => key,
        }
    }

    fn of_word(word: String) -> Self {
        if word == ALL { Self::All } else { Self::Device(word) }
    }
}

impl Store {
    /// The pauses of an inventory that have not ended at `now`: the one of all devices first, then by key.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn pauses(&self, inventory: &str, now: Timestamp) -> Result<Vec<StandingPause>, StoreError> {
        let inventory = inventory.to_owned();
        self.call(move |db| {
            let mut query = db.prepare_cached(
                "SELECT device, reason, until, by, since, of_daemon FROM pauses
                 WHERE inventory = ?1 AND (until IS NULL OR until > ?2) ORDER BY device",
            )?;
            let rows = query.query_map(params![inventory, written(now)], standing)?;
            let mut pauses: Vec<StandingPause> = rows.collect::<Result<_, _>>()?;
            pauses.sort_by(|a, b| a.scope.cmp(&b.scope));
            Ok(pauses)
        })
        .await
    }

    /// Pauses devices, all of them or none; a pause that one of them has already is replaced.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn pause(&self, inventory: &str, scopes: Vec<Scope>, order: PauseOrder) -> Result<(), StoreError> {
        let inventory = inventory.to_owned();
        self.call(move |db| {
            // What has ended is of no use to anybody.
            db.execute("DELETE FROM pauses WHERE until <= ?1", [written(order.since)])?;
            for scope in scopes {
                db.execute(
                    "INSERT INTO pauses (inventory, device, reason, until, by, since, of_daemon)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                     ON CONFLICT (inventory, device) DO UPDATE SET reason = excluded.reason, until = excluded.until,
                         by = excluded.by, since = excluded.since, of_daemon = excluded.of_daemon",
                    params![
                        inventory,
                        scope.word(),
                        order.reason,
                        order.until.map(written),
                        order.by,
                        written(order.since),
                        order.of_daemon
                    ],
                )?;
            }
            Ok(())
        })
        .await
    }

    /// Ends pauses.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn resume(&self, inventory: &str, scopes: Vec<Scope>) -> Result<(), StoreError> {
        let inventory = inventory.to_owned();
        self.call(move |db| {
            for scope in scopes {
                db.execute(
                    "DELETE FROM pauses WHERE inventory = ?1 AND device = ?2",
                    [inventory.as_str(), scope.word()],
                )?;
            }
            Ok(())
        })
        .await
    }
}

fn standing(row: &Row<'_>) -> rusqlite::Result<StandingPause> {
    let scope = Scope::of_word(row.get(0)?);
    let until: Option<String> = row.get(2)?;
    let ordered = Ordered {
        by: row.get(3)?,
        // A time that cannot be read is no reason to let a device go.
        since: row.get::<_, String>(4)?.parse().unwrap_or(Timestamp::UNIX_EPOCH),
        of_all: scope == Scope::All,
        of_daemon: row.get(5)?,
    };
    Ok(StandingPause {
        paused: Paused {
            reason: row.get(1)?,
            until: until.and_then(|until| until.parse().ok()),
            ordered: Some(ordered),
        },
        scope,
    })
}
