//! Runs whose plan was refused as a whole: on record with the reasons, though nothing was sent.

use rusqlite::{OptionalExtension as _, Transaction, params};

use super::journal::{leave_untouched, open_run};
use super::{RunId, RunInfo, Store, StoreError, Untouched, now};

/// Who refuses a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refuser {
    /// A guard.
    Guard,
    /// A rule of the inventory.
    Rule,
}

impl Refuser {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Guard => "guard",
            Self::Rule => "rule",
        }
    }

    fn of_word(word: &str) -> Self {
        if word == Self::Rule.word() {
            Self::Rule
        } else {
            Self::Guard
        }
    }
}

/// Why a plan was refused as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanRefusal {
    /// Who refused it.
    pub by: Refuser,
    /// Name of the guard, key of the rule.
    pub name: String,
    /// The device that it is about; `None` where it is about the fleet.
    pub device: Option<String>,
    /// What the plan came to; `None` where no number is the reason.
    pub number: Option<u32>,
    /// What is let through; `None` likewise.
    pub limit: Option<u32>,
    /// All of it in words.
    pub message: String,
}

impl Store {
    /// Writes down that a plan was refused: nothing of it was begun, and its run is over. The very same refusal once more,
    /// with nothing done in between, is counted on the entry that is there: whoever applies every few minutes wants to find
    /// the runs that did something.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn refuse_run(
        &self,
        info: RunInfo,
        refusals: Vec<PlanRefusal>,
        untouched: Vec<Untouched>,
    ) -> Result<RunId, StoreError> {
        self.call(move |db| {
            if let Some(run) = same_before(db, &info)? {
                db.execute(
                    "UPDATE runs SET times = times + 1, finished = ?2 WHERE id = ?1",
                    params![run.0, now()],
                )?;
                return Ok(run);
            }
            let run = open_run(db, &info)?;
            for (place, refusal) in (0i64..).zip(&refusals) {
                db.execute(
                    "INSERT INTO refusals (run, place, source, name, device, number, bound, message)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                    params![
                        run.0,
                        place,
                        refusal.by.word(),
                        refusal.name,
                        refusal.device,
                        refusal.number,
                        refusal.limit,
                        refusal.message,
                    ],
                )?;
            }
            leave_untouched(db, run, untouched)?;
            db.execute(
                "UPDATE runs SET finished = ?2, outcome = 'refused' WHERE id = ?1",
                params![run.0, now()],
            )?;
            Ok(run)
        })
        .await
    }
}

/// The run in which the same plan of the same person was refused, if nothing was begun on any device since.
fn same_before(db: &Transaction<'_>, info: &RunInfo) -> Result<Option<RunId>, StoreError> {
    let same = db
        .query_row(
            "SELECT id FROM runs
             WHERE outcome = 'refused' AND actor = ?1 AND commit_id IS ?2 AND plan IS ?3 AND undoes IS ?4
                 AND id > (SELECT coalesce(max(run), 0) FROM device_runs)
             ORDER BY id DESC LIMIT 1",
            params![
                info.actor,
                info.commit,
                info.plan.as_ref().map(|plan| &plan.json),
                info.undoes.map(|run| run.0),
            ],
            |row| row.get(0).map(RunId),
        )
        .optional()?;
    Ok(same)
}

/// Why the plan of a run was refused, in the order in which that was said. Empty where it was not.
pub(super) fn refusals(db: &Transaction<'_>, run: RunId) -> Result<Vec<PlanRefusal>, StoreError> {
    let mut query = db.prepare_cached(
        "SELECT source, name, device, number, bound, message FROM refusals WHERE run = ?1 ORDER BY place",
    )?;
    let refusals = query.query_map([run.0], |row| {
        Ok(PlanRefusal {
            by: Refuser::of_word(&row.get::<_, String>(0)?),
            name: row.get(1)?,
            device: row.get(2)?,
            number: row.get(3)?,
            limit: row.get(4)?,
            message: row.get(5)?,
        })
    })?;
    Ok(refusals.collect::<Result<_, _>>()?)
}
