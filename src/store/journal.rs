//! What every run did, written before it is done: each command before it is sent, each reply as it comes.
//! Killed anywhere, the next run finds here what was in flight.

use rusqlite::{OptionalExtension as _, Transaction, params};

use crate::domain::MacAddr;
use crate::plan::model::Summary;
use crate::plan::record::Record;

use super::lease::{Token, fence, fence_of};
use super::{Checkpoint, Packed, Store, StoreError, checkpoint, now, ownership};

/// A run's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunId(pub(super) i64);

impl std::str::FromStr for RunId {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

impl RunId {
    /// It as a number.
    #[must_use]
    pub const fn number(self) -> i64 {
        self.0
    }
}

impl std::fmt::Display for RunId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Who runs what.
#[derive(Debug, Clone)]
pub struct RunInfo {
    /// User and host.
    pub actor: String,
    /// Commit of the inventory.
    pub commit: Option<String>,
    /// What it is to do, as it was shown; `None` where that is nothing.
    pub plan: Option<WrittenPlan>,
    /// The run that it undoes.
    pub undoes: Option<RunId>,
}

/// A plan as it was shown.
#[derive(Debug, Clone)]
pub struct WrittenPlan {
    /// As text, without colours.
    pub text: Packed,
    /// As JSON.
    pub json: Packed,
}

/// What a run came to on a device that it sent nothing to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Untouched {
    /// Inventory key.
    pub device: String,
    /// One word, such as `refused`.
    pub outcome: String,
    /// Why.
    pub reason: String,
}

/// How a command was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answered {
    /// It took it.
    Accepted,
    /// It did not; what sort of refusal it was.
    Refused(String),
    /// No answer came that could be read: what the command did is not known.
    Lost,
}

impl Answered {
    /// The word for it, and the sort of refusal.
    const fn words(&self) -> (&'static str, Option<&String>) {
        match self {
            Self::Accepted => ("accepted", None),
            Self::Refused(kind) => ("refused", Some(kind)),
            Self::Lost => ("lost", None),
        }
    }

    pub(super) fn of_words(answer: &str, refusal: Option<String>) -> Self {
        match answer {
            "accepted" => Self::Accepted,
            "refused" => Self::Refused(refusal.unwrap_or_default()),
            // A word from elsewhere promises nothing.
            _ => Self::Lost,
        }
    }
}

/// How far a run came on one device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceRunState {
    /// Commands may have been sent; nothing is verified.
    Sending,
    /// The device holds the target, unsaved.
    Verified,
    /// Saved and recorded.
    Saved,
    /// Stopped by a refusal, a lost connection or a difference found on verifying; unsaved.
    Failed,
    /// Stopped by the operator between two commands; unsaved.
    Interrupted,
    /// Not finished, but a later run found that nothing of it is left to save.
    Settled,
    /// Given back what it held before, and verified to hold it: as if the run had never been.
    RolledBack,
    /// As much of that as there is a way back for; unsaved as far as it is left.
    PartlyRolledBack,
    /// An action was done, or begun, which changes no setting: there is nothing to save.
    Acted,
}

impl DeviceRunState {
    /// The word for it, as the database has it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Sending => "sending",
            Self::Verified => "verified",
            Self::Saved => "saved",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
            Self::Settled => "settled",
            Self::RolledBack => "rolled-back",
            Self::PartlyRolledBack => "partly-rolled-back",
            Self::Acted => "acted",
        }
    }

    /// Whether the run may have left something unsaved.
    #[must_use]
    pub const fn is_unfinished(self) -> bool {
        !matches!(self, Self::Saved | Self::Settled | Self::RolledBack | Self::Acted)
    }

    /// Whether a run that was not confirmed has something to give back there.
    #[must_use]
    pub const fn may_be_given_back(self) -> bool {
        matches!(self, Self::Sending | Self::Verified | Self::Failed | Self::Interrupted)
    }

    pub(super) fn of_word(word: &str) -> Self {
        match word {
            "verified" => Self::Verified,
            "saved" => Self::Saved,
            "failed" => Self::Failed,
            "interrupted" => Self::Interrupted,
            "settled" => Self::Settled,
            "rolled-back" => Self::RolledBack,
            "partly-rolled-back" => Self::PartlyRolledBack,
            "acted" => Self::Acted,
            // A word from elsewhere is treated as the state that promises least.
            _ => Self::Sending,
        }
    }
}

/// The number of a command among those of its run on its device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommandNumber(i64);

/// What a command was sent for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// To bring the device to the target.
    Apply,
    /// To give it back what it held before.
    Rollback,
}

impl Phase {
    const fn word(self) -> &'static str {
        match self {
            Self::Apply => "apply",
            Self::Rollback => "rollback",
        }
    }

    pub(super) fn of_word(word: &str) -> Self {
        if word == Self::Rollback.word() {
            Self::Rollback
        } else {
            Self::Apply
        }
    }
}

/// A run's work on one device, as it begins.
#[derive(Debug, Clone)]
pub struct DeviceRun {
    /// Inventory key.
    pub device: String,
    /// Base MAC.
    pub mac: MacAddr,
    /// Fingerprint of what the device held.
    pub base: String,
    /// Fingerprint of what it is to hold.
    pub target: String,
    /// Objects about to be made, changed or taken over: owned from now on where they are found under their
    /// number and name, so that a run killed halfway leaves no orphan.
    pub claims: Vec<Record>,
    /// What was found there, and what is to be made of it.
    pub checkpoint: Checkpoint,
    /// The same in numbers.
    pub summary: Summary,
    /// The lease under which it writes; without one nobody takes the device over.
    pub lease: Option<Token>,
    /// Which group of devices it is changed with, counted from 1: those of one are changed side by side.
    pub stage: u32,
}

/// The latest run on a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunSummary {
    /// Its number.
    pub run: RunId,
    /// How far it came.
    pub state: DeviceRunState,
    /// When that was written, UTC.
    pub updated: String,
}

impl Store {
    /// Opens a run.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn begin_run(&self, info: RunInfo) -> Result<RunId, StoreError> {
        self.call(move |db| open_run(db, &info)).await
    }

    /// Closes a run. `untouched` are devices where it came to nothing; of those that it began, what is on record
    /// already stands. A run of which there is nothing to tell is forgotten: whoever applies every few minutes wants to
    /// find the runs that did something.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn finish_run(
        &self,
        run: RunId,
        outcome: &'static str,
        untouched: Vec<Untouched>,
    ) -> Result<(), StoreError> {
        self.call(move |db| {
            leave_untouched(db, run, untouched)?;
            db.execute(
                "DELETE FROM runs WHERE id = ?1
                     AND NOT EXISTS (SELECT 1 FROM device_runs WHERE run = ?1)
                     AND NOT EXISTS (SELECT 1 FROM untouched WHERE run = ?1)",
                [run.0],
            )?;
            db.execute(
                "UPDATE runs SET finished = ?2, outcome = ?3 WHERE id = ?1",
                params![run.0, now(), outcome],
            )?;
            Ok(())
        })
        .await
    }

    /// Writes down, in one transaction, that a run starts on a device, what it found there and what it is about to
    /// make of it.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used; nothing may be sent then.
    pub async fn begin_device(&self, run: RunId, begin: DeviceRun) -> Result<(), StoreError> {
        self.call(move |db| {
            if let Some(token) = begin.lease {
                fence_of(db, &begin.mac.to_string(), token)?;
            }
            db.execute(
                "INSERT INTO device_runs
                     (run, device, mac, state, base, target, updated, began, added, changed, destroyed, lease, stage)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8, ?9, ?10, ?11, ?12)",
                params![
                    run.0,
                    begin.device,
                    begin.mac.to_string(),
                    DeviceRunState::Sending.word(),
                    begin.base,
                    begin.target,
                    now(),
                    number(begin.summary.add),
                    number(begin.summary.change),
                    number(begin.summary.destroy),
                    begin.lease.map(Token::number),
                    begin.stage,
                ],
            )?;
            checkpoint::put(db, run, &begin.device, &begin.checkpoint)?;
            begin
                .claims
                .iter()
                .try_for_each(|claim| ownership::put(db, begin.mac, claim, None))
        })
        .await
    }

    /// Writes down a command before it is sent, and gives it its number: commands of one run on one device are
    /// numbered through, whatever they are sent for.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used, or somebody else has taken the device over; the command may not
    /// be sent then.
    pub async fn sending(
        &self,
        run: RunId,
        device: &str,
        phase: Phase,
        command: &str,
    ) -> Result<CommandNumber, StoreError> {
        let (device, command) = (device.to_owned(), command.to_owned());
        self.call(move |db| {
            fence(db, run, &device)?;
            let number = db
                .prepare_cached(
                    "INSERT INTO exchanges (run, device, step, command, sent, phase)
                     SELECT ?1, ?2, coalesce(max(step) + 1, 0), ?3, ?4, ?5
                     FROM exchanges WHERE run = ?1 AND device = ?2
                     RETURNING step",
                )?
                .query_row(params![run.0, device, command, now(), phase.word()], |row| row.get(0))?;
            Ok(CommandNumber(number))
        })
        .await
    }

    /// Writes down how a command was answered: of what was received nothing but masked text.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn answered(
        &self,
        run: RunId,
        device: &str,
        number: CommandNumber,
        how: Answered,
        reply: &str,
    ) -> Result<(), StoreError> {
        let (device, reply) = (device.to_owned(), reply.to_owned());
        self.call(move |db| {
            let (answer, refusal) = how.words();
            db.prepare_cached(
                "UPDATE exchanges SET reply = ?4, answered = ?5, answer = ?6, refusal = ?7
                 WHERE run = ?1 AND device = ?2 AND step = ?3",
            )?
            .execute(params![run.0, device, number.0, reply, now(), answer, refusal])?;
            Ok(())
        })
        .await
    }

    /// Writes down how far a run came on a device without finishing it.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn device_state(
        &self,
        run: RunId,
        device: &str,
        state: DeviceRunState,
        detail: Option<String>,
    ) -> Result<(), StoreError> {
        let device = device.to_owned();
        self.call(move |db| {
            fence(db, run, &device)?;
            set_state(db, run, &device, state, detail.as_deref())?;
            Ok(())
        })
        .await
    }

    /// Finishes a run on a device: it is saved, and `records` is what gamops owns there from now on.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used; the device is right then, and the next run records.
    pub async fn finish_device(
        &self,
        run: RunId,
        device: &str,
        mac: MacAddr,
        records: Vec<Record>,
    ) -> Result<(), StoreError> {
        let device = device.to_owned();
        self.call(move |db| {
            fence(db, run, &device)?;
            set_state(db, run, &device, DeviceRunState::Saved, None)?;
            // That of the run, which another process may finish.
            let commit: Option<String> =
                db.query_row("SELECT commit_id FROM runs WHERE id = ?1", [run.0], |row| row.get(0))?;
            ownership::replace(db, mac, &records, commit.as_deref())
        })
        .await
    }

    /// Closes a run on a device that holds again what it held before: what the run had claimed there is withdrawn, and
    /// `owned_before` is what gamops owns. `detail` says why it was given back.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used; the claims stand then, and the next run finds nothing under
    /// them.
    pub async fn roll_back_device(
        &self,
        run: RunId,
        device: &str,
        mac: MacAddr,
        owned_before: Vec<Record>,
        detail: Option<String>,
    ) -> Result<(), StoreError> {
        let device = device.to_owned();
        self.call(move |db| {
            fence(db, run, &device)?;
            set_state(db, run, &device, DeviceRunState::RolledBack, detail.as_deref())?;
            ownership::keep(db, mac, &owned_before)
        })
        .await
    }

    /// Records ownership on a device that needed no command: what was found there as wanted is taken over,
    /// what is gone is forgotten. `settled` says that it was found saved: what an unfinished run left there, it
    /// left for good, and later unsaved configuration is not that run's. `lease` is the one under which that is written.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn record(
        &self,
        mac: MacAddr,
        records: Vec<Record>,
        commit: Option<String>,
        settled: bool,
        lease: Option<Token>,
    ) -> Result<(), StoreError> {
        self.call(move |db| {
            if let Some(token) = lease {
                fence_of(db, &mac.to_string(), token)?;
            }
            if settled {
                db.execute(
                    "UPDATE device_runs SET state = ?2, updated = ?3 WHERE mac = ?1 AND state NOT IN ('saved', 'rolled-back', ?2)",
                    params![mac.to_string(), DeviceRunState::Settled.word(), now()],
                )?;
            }
            ownership::replace(db, mac, &records, commit.as_deref())
        })
        .await
    }

    /// The latest run that touched a device and was not taken back. `None` where no run ever did.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn last_run(&self, mac: MacAddr) -> Result<Option<RunSummary>, StoreError> {
        self.call(move |db| last_run(db, mac)).await
    }
}

/// The latest run that touched a device and was not taken back. `None` where no run ever did.
pub(super) fn last_run(db: &rusqlite::Transaction<'_>, mac: MacAddr) -> Result<Option<RunSummary>, StoreError> {
    let found = db
        .prepare_cached(
            "SELECT run, state, updated FROM device_runs
             WHERE mac = ?1 AND state <> 'rolled-back' ORDER BY run DESC LIMIT 1",
        )?
        .query_row([mac.to_string()], |row| {
            Ok(RunSummary {
                run: RunId(row.get(0)?),
                state: DeviceRunState::of_word(&row.get::<_, String>(1)?),
                updated: row.get(2)?,
            })
        })
        .optional()?;
    Ok(found)
}

/// Opens a run.
pub(super) fn open_run(db: &Transaction<'_>, info: &RunInfo) -> Result<RunId, StoreError> {
    db.execute(
        "INSERT INTO runs (started, actor, commit_id, shown, plan, undoes)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            now(),
            info.actor,
            info.commit,
            info.plan.as_ref().map(|plan| &plan.text),
            info.plan.as_ref().map(|plan| &plan.json),
            info.undoes.map(|run| run.0),
        ],
    )?;
    Ok(RunId(db.last_insert_rowid()))
}

/// Writes down what a run came to on devices that it did not begin.
pub(super) fn leave_untouched(db: &Transaction<'_>, run: RunId, untouched: Vec<Untouched>) -> rusqlite::Result<()> {
    for Untouched {
        device,
        outcome,
        reason,
    } in untouched
    {
        db.execute(
            "INSERT INTO untouched (run, device, outcome, reason) SELECT ?1, ?2, ?3, ?4
             WHERE NOT EXISTS (SELECT 1 FROM device_runs WHERE run = ?1 AND device = ?2)",
            params![run.0, device, outcome, reason],
        )?;
    }
    Ok(())
}

/// A count as a column. No device has so many objects that it would not fit.
fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

pub(super) fn set_state(
    db: &Transaction<'_>,
    run: RunId,
    device: &str,
    state: DeviceRunState,
    detail: Option<&str>,
) -> rusqlite::Result<()> {
    db.execute(
        "UPDATE device_runs SET state = ?3, detail = ?4, updated = ?5 WHERE run = ?1 AND device = ?2",
        params![run.0, device, state.word(), detail, now()],
    )?;
    Ok(())
}
