//! The daemon that looks after an inventory with this database, and what people order from it.
//!
//! An order goes through the database and not over the network: whoever may write here may change devices anyway.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension as _, params};
use serde::{Deserialize, Serialize};

use super::lease::is_known_gone;
use super::{Store, StoreError, written};

/// How long a daemon of another machine is believed to live without a sign of life. It gives one each minute, but for rounds that take
/// long.
const SILENCE: SignedDuration = SignedDuration::from_mins(30);

/// A daemon, as it tells of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunningDaemon {
    /// Who, as people read it: `gamops-daemon@noc1`.
    pub who: String,
    /// Its process.
    pub pid: u32,
    /// The repository that it follows, or the folder.
    pub follows: String,
    /// The branch of it; none of a folder.
    pub branch: Option<String>,
}

/// Something that a person wants a daemon to apply now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Errand {
    /// The whole id of the commit that it is about; none of a folder.
    pub commit: Option<String>,
    /// The devices, by key.
    pub devices: Vec<String>,
    /// Who wants it.
    pub by: String,
}

/// The number of an errand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrandId(i64);

/// What came of an errand.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ran {
    /// Why nothing was done: the commit is not in force, or a guard refuses the plan.
    pub refused: Vec<String>,
    /// The run of it in the history, if there was one.
    pub run: Option<i64>,
    /// One line for people.
    pub line: String,
    /// How the devices stand now: the word for it, more of it, and whether all is well.
    pub devices: BTreeMap<String, (String, String, bool)>,
}

/// How far an errand is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// Nobody has begun it.
    Waits,
    /// It is being done.
    Begun,
    /// It is done.
    Done(Ran),
}

impl Store {
    /// Says that a daemon of this process looks after an inventory.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database, or the file that says that this process lives, cannot be used.
    pub async fn put_daemon(&self, inventory: &str, daemon: RunningDaemon, now: Timestamp) -> Result<(), StoreError> {
        let (inventory, presence) = (inventory.to_owned(), self.presence()?);
        self.call(move |db| {
            db.execute(
                "INSERT OR REPLACE INTO daemons (inventory, who, host, pid, presence, follows, branch, seen)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                params![
                    inventory,
                    daemon.who,
                    presence.host(),
                    daemon.pid,
                    presence.name(),
                    daemon.follows,
                    daemon.branch,
                    written(now)
                ],
            )?;
            Ok(())
        })
        .await
    }

    /// The daemon that looks after an inventory, if one lives.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn daemon(&self, inventory: &str, now: Timestamp) -> Result<Option<RunningDaemon>, StoreError> {
        let (inventory, folder) = (inventory.to_owned(), self.presences());
        self.call(move |db| {
            let mut query = db.prepare_cached(
                "SELECT who, pid, follows, branch, host, presence, seen FROM daemons WHERE inventory = ?1",
            )?;
            let row = query.query_row([inventory], |row| {
                let daemon = RunningDaemon {
                    who: row.get(0)?,
                    pid: row.get(1)?,
                    follows: row.get(2)?,
                    branch: row.get(3)?,
                };
                Ok((
                    daemon,
                    row.get::<_, String>(4)?,
                    row.get::<_, String>(5)?,
                    row.get::<_, String>(6)?,
                ))
            });
            let found = row.optional()?;
            let lives = found.filter(|(_, host, presence, seen)| lives(folder.as_deref(), host, presence, seen, now));
            Ok(lives.map(|(daemon, ..)| daemon))
        })
        .await
    }

    /// Orders something from the daemon.
    ///
    /// # Errors
    ///
    /// [`StoreError`] as of [`Self::put_daemon`].
    pub async fn order(&self, inventory: &str, errand: Errand, now: Timestamp) -> Result<ErrandId, StoreError> {
        let (inventory, presence) = (inventory.to_owned(), self.presence()?);
        self.call(move |db| {
            // What nobody waits for any more is of no use.
            db.execute("DELETE FROM errands WHERE placed < ?1", [written(earlier(now))])?;
            db.execute(
                "INSERT INTO errands (inventory, commit_id, devices, who, host, presence, placed)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![
                    inventory,
                    errand.commit,
                    errand.devices.join("\n"),
                    errand.by,
                    presence.host(),
                    presence.name(),
                    written(now)
                ],
            )?;
            Ok(ErrandId(db.last_insert_rowid()))
        })
        .await
    }

    /// The oldest errand that nobody has begun and that somebody waits for; it is begun by that.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn begin_errand(
        &self,
        inventory: &str,
        now: Timestamp,
    ) -> Result<Option<(ErrandId, Errand)>, StoreError> {
        let (inventory, folder) = (inventory.to_owned(), self.presences());
        self.call(move |db| {
            let mut query = db.prepare_cached(
                "SELECT id, commit_id, devices, who, host, presence, placed FROM errands
                 WHERE inventory = ?1 AND NOT begun ORDER BY id",
            )?;
            let mut rows = query.query([inventory])?;
            while let Some(row) = rows.next()? {
                let id = ErrandId(row.get(0)?);
                db.execute("UPDATE errands SET begun = 1 WHERE id = ?1", [id.0])?;
                let (host, presence, placed): (String, String, String) = (row.get(4)?, row.get(5)?, row.get(6)?);
                if lives(folder.as_deref(), &host, &presence, &placed, now) {
                    let devices: String = row.get(2)?;
                    let errand = Errand {
                        commit: row.get(1)?,
                        devices: devices.lines().map(str::to_owned).collect(),
                        by: row.get(3)?,
                    };
                    return Ok(Some((id, errand)));
                }
            }
            Ok(None)
        })
        .await
    }

    /// Says what came of an errand.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn end_errand(&self, id: ErrandId, ran: &Ran) -> Result<(), StoreError> {
        let ran = serde_json::to_string(ran).map_err(value)?;
        self.call(move |db| {
            db.execute("UPDATE errands SET ran = ?2 WHERE id = ?1", params![id.0, ran])?;
            Ok(())
        })
        .await
    }

    /// How far an errand is.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn errand(&self, id: ErrandId) -> Result<Way, StoreError> {
        self.call(move |db| {
            let mut query = db.prepare_cached("SELECT begun, ran FROM errands WHERE id = ?1")?;
            let (begun, ran): (bool, Option<String>) = query.query_row([id.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(match ran {
                Some(ran) => Way::Done(serde_json::from_str(&ran).map_err(value)?),
                None if begun => Way::Begun,
                None => Way::Waits,
            })
        })
        .await
    }

    /// Takes an errand back. `false`: it has been begun.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn take_back(&self, id: ErrandId) -> Result<bool, StoreError> {
        self.call(move |db| Ok(db.execute("DELETE FROM errands WHERE id = ?1 AND NOT begun", [id.0])? > 0))
            .await
    }
}

/// Whether a process lives: one of this machine by the file that it keeps locked, another by when it was last seen.
fn lives(folder: Option<&Path>, host: &str, presence: &str, seen: &str, now: Timestamp) -> bool {
    match is_known_gone(folder, host, presence) {
        Some(is_gone) => !is_gone,
        None => seen.parse::<Timestamp>().is_ok_and(|seen| seen > earlier(now)),
    }
}

fn earlier(now: Timestamp) -> Timestamp {
    now.saturating_sub(SILENCE).unwrap_or(now)
}

fn value(source: serde_json::Error) -> StoreError {
    StoreError::Value {
        what: "what came of an errand",
        source,
    }
}
