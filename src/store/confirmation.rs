//! Runs that are kept only if somebody confirms them in time: until when, and what was answered.
//!
//! The first answer counts, whoever gives it: the operator, a second terminal, the clock. It is written before
//! anybody acts on it, so that two who act cannot disagree.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Transaction, params};

use crate::domain::MacAddr;
use crate::observed::DeviceConfig;

use super::incomplete::macs;
use super::journal::set_state;
use super::lease::fence;
use super::{DeviceRunState, RunId, Store, StoreError, now, to_json};

/// What becomes of a run that waits for a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is saved and recorded.
    Keep,
    /// Somebody wants it undone.
    Reject,
    /// Nobody said anything in time.
    Expired,
}

impl Verdict {
    const fn word(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Reject => "reject",
            Self::Expired => "expired",
        }
    }

    fn of_word(word: &str) -> Self {
        match word {
            "keep" => Self::Keep,
            "reject" => Self::Reject,
            // A word from elsewhere is treated as the one that changes least for good.
            _ => Self::Expired,
        }
    }
}

/// A run that is kept only if somebody confirms it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmation {
    /// The run.
    pub run: RunId,
    /// Until when; `None` while commands are being sent.
    pub deadline: Option<Timestamp>,
    /// What was answered.
    pub verdict: Option<Verdict>,
}

impl Confirmation {
    /// What counts now: the answer, or the clock.
    #[must_use]
    pub fn verdict_at(&self, now: Timestamp) -> Option<Verdict> {
        let expired = self.deadline.is_some_and(|deadline| deadline <= now);
        self.verdict.or(expired.then_some(Verdict::Expired))
    }
}

/// A device that a run began on, and how far it came there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undecided {
    /// Inventory key that it had in the run.
    pub device: String,
    /// Its base MAC.
    pub mac: MacAddr,
    /// How far the run came there.
    pub state: DeviceRunState,
    /// Which group of devices it was changed with, counted from 1; `None` under a version that did not write that down.
    pub stage: Option<u32>,
}

impl Undecided {
    /// Whether the two were changed side by side.
    #[must_use]
    pub fn is_beside(&self, other: &Self) -> bool {
        self == other || self.stage.is_some() && self.stage == other.stage
    }
}

/// The devices of runs that ask to be confirmed, in the states in which one may be given back.
macro_rules! unconfirmed {
    () => {
        "device_runs JOIN confirmations USING (run)
         WHERE state IN ('sending', 'verified', 'failed', 'interrupted') AND coalesce(verdict, '') <> 'keep'"
    };
}

impl Store {
    /// Writes down that a run is kept only if it is confirmed. To be called before its first device begins.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used; nothing may be sent then.
    pub async fn ask_confirmation(&self, run: RunId) -> Result<(), StoreError> {
        self.call(move |db| {
            db.execute("INSERT INTO confirmations (run) VALUES (?1)", [run.0])?;
            Ok(())
        })
        .await
    }

    /// Writes down that a device holds what it should, and waits: nothing of it is saved. `target` is what it was
    /// verified to hold.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn hold_device(&self, run: RunId, device: &str, target: DeviceConfig) -> Result<(), StoreError> {
        let device = device.to_owned();
        self.call(move |db| {
            fence(db, run, &device)?;
            let target = to_json(&target, "target_config")?;
            db.execute(
                "UPDATE device_runs SET target_config = ?3 WHERE run = ?1 AND device = ?2",
                params![run.0, device, target],
            )?;
            set_state(db, run, &device, DeviceRunState::Verified, None)?;
            Ok(())
        })
        .await
    }

    /// Sets the time until which a run may be confirmed.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn await_confirmation(&self, run: RunId, deadline: Timestamp) -> Result<(), StoreError> {
        self.call(move |db| {
            db.execute(
                "UPDATE confirmations SET deadline = ?2 WHERE run = ?1",
                params![run.0, deadline.to_string()],
            )?;
            Ok(())
        })
        .await
    }

    /// How a run stands. `None` for one that asks nobody.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn confirmation(&self, run: RunId) -> Result<Option<Confirmation>, StoreError> {
        self.call(move |db| standing(db, run)).await
    }

    /// Gives an answer, and says which one counts: the first that was given, or that of the clock.
    /// `None` for a run that asks nobody.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn answer(&self, run: RunId, verdict: Verdict, by: &str) -> Result<Option<Verdict>, StoreError> {
        let by = by.to_owned();
        self.call(move |db| {
            let Some(standing) = standing(db, run)? else {
                return Ok(None);
            };
            if standing.verdict.is_some() {
                return Ok(standing.verdict);
            }
            let verdict = standing.verdict_at(Timestamp::now()).unwrap_or(verdict);
            db.execute(
                "UPDATE confirmations SET verdict = ?2, answered = ?3, answered_by = ?4 WHERE run = ?1",
                params![run.0, verdict.word(), now(), by],
            )?;
            Ok(Some(verdict))
        })
        .await
    }

    /// The run that asks to be confirmed and that this device still waits for.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn unconfirmed(&self, mac: MacAddr) -> Result<Option<Confirmation>, StoreError> {
        self.call(move |db| unconfirmed(db, mac)).await
    }

    /// Base MACs of the devices that wait for some run to be confirmed: nearly always none.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn all_unconfirmed(&self) -> Result<BTreeSet<MacAddr>, StoreError> {
        self.call(|db| macs(db, concat!("SELECT mac FROM ", unconfirmed!())))
            .await
    }

    /// The devices that a run began on, stage after stage, and how far it came.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn devices_of(&self, run: RunId) -> Result<Vec<Undecided>, StoreError> {
        self.call(move |db| {
            let mut query = db.prepare_cached(
                "SELECT device, mac, state, stage FROM device_runs WHERE run = ?1 ORDER BY stage, rowid",
            )?;
            let mut rows = query.query([run.0])?;
            let mut undecided = Vec::new();
            while let Some(row) = rows.next()? {
                // What is no MAC was not written by this program.
                let Ok(mac) = row.get::<_, String>(1)?.parse() else {
                    continue;
                };
                undecided.push(Undecided {
                    device: row.get(0)?,
                    mac,
                    state: DeviceRunState::of_word(&row.get::<_, String>(2)?),
                    stage: row.get(3)?,
                });
            }
            Ok(undecided)
        })
        .await
    }

    /// The commands that may have reached a device in a run, in order.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn commands(&self, run: RunId, device: &str) -> Result<Vec<String>, StoreError> {
        let device = device.to_owned();
        self.call(move |db| {
            let mut query =
                db.prepare_cached("SELECT command FROM exchanges WHERE run = ?1 AND device = ?2 ORDER BY step")?;
            let commands = query.query_map(params![run.0, device], |row| row.get(0))?;
            Ok(commands.collect::<Result<_, _>>()?)
        })
        .await
    }
}

/// The run on a device that waits to be confirmed.
pub(super) fn unconfirmed(db: &Transaction<'_>, mac: MacAddr) -> Result<Option<Confirmation>, StoreError> {
    let latest = concat!(
        "SELECT run FROM ",
        unconfirmed!(),
        " AND mac = ?1 ORDER BY run DESC LIMIT 1"
    );
    let run: Option<i64> = db
        .prepare_cached(latest)?
        .query_row([mac.to_string()], |row| row.get(0))
        .optional()?;
    match run {
        Some(run) => standing(db, RunId(run)),
        None => Ok(None),
    }
}

fn standing(db: &Transaction<'_>, run: RunId) -> Result<Option<Confirmation>, StoreError> {
    let found = db
        .query_row(
            "SELECT deadline, verdict FROM confirmations WHERE run = ?1",
            [run.0],
            |row| Ok((row.get::<_, Option<String>>(0)?, row.get::<_, Option<String>>(1)?)),
        )
        .optional()?;
    Ok(found.map(|(deadline, verdict)| Confirmation {
        run,
        // A time that cannot be read has passed.
        deadline: deadline.map(|text| text.parse().unwrap_or(Timestamp::MIN)),
        verdict: verdict.as_deref().map(Verdict::of_word),
    }))
}
