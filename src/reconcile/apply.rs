//! Applying one device's plan: read again, journal, send, read back, verify, save, record; and back, where it fails.
//!
//! The order is the promise: nothing is sent before the journal says so, nothing is saved before it was
//! verified, nothing is recorded before it was saved. What fails is given back what it held before, by the same rules.
//! Killed anywhere, the next run finds out and converges.

mod confirm;
mod line;
mod report;
mod rollback;
mod save;
mod send;

use std::collections::BTreeSet;
use std::time::Duration;

use crate::device::DeviceError;
use crate::domain::MacAddr;
use crate::inventory::model::{Device, OnFailure};
use crate::observed::{Change, DeviceConfig, ObjectId, RunningConfig};
use crate::plan::model::DeviceChanges;
use crate::plan::record::Record;
use crate::plan::{Residue, claims, judge, verify};
use crate::store::{Checkpoint, DeviceRun, DeviceRunState, Phase, RunId, Store, StoreError, Token};

use super::Context;
use super::event::Progress;
use super::observe::Contact;
use super::result::DeviceOutcome;

use line::Line;

pub(super) use confirm::{give_back, keep};
pub(super) use report::reason;
pub(super) use save::save;
pub(super) use send::exchange;

/// One device in one run.
#[derive(Clone, Copy)]
pub(super) struct Work<'a> {
    pub(super) context: &'a Context,
    pub(super) device: &'a Device,
    pub(super) run: RunId,
    /// The number under which it is written down.
    pub(super) lease: Token,
    /// How long a device that was lost is looked for.
    pub(super) patience: Duration,
}

impl Work<'_> {
    fn key(&self) -> &str {
        &self.device.key
    }

    fn store(&self) -> &Store {
        &self.context.store
    }

    fn tell(&self, what: Progress) {
        self.context.events.tell(self.key(), what);
    }
}

/// All that applying one device takes.
pub(super) struct Job<'a> {
    pub(super) work: Work<'a>,
    pub(super) changes: &'a DeviceChanges,
    /// Which group of devices it is changed with, counted from 1.
    pub(super) stage: u32,
    pub(super) on_failure: OnFailure,
    /// Whether somebody has to confirm it before it is saved.
    pub(super) hold: bool,
}

/// Why the work on a device stopped.
pub(super) enum Stop {
    /// The operator asked for it, between two commands.
    Interrupted,
    /// The device said no.
    Refused { command: String, answer: String },
    /// The session failed.
    Session {
        command: Option<String>,
        source: DeviceError,
    },
    /// The journal could not be written, so nothing more may be sent.
    Journal(StoreError),
    /// What the device answered to a command could not be written down, so nothing more may be sent.
    Unwritten {
        command: String,
        answer: String,
        source: StoreError,
    },
    /// The device holds something else than it was asked to.
    NotVerified(Vec<Residue>),
    /// What was saved is not what was verified.
    NotSaved(String),
    /// It is verified and saved, and that could not be written down.
    NotRecorded(StoreError),
}

impl Stop {
    /// The session failed while this command was in flight; none where it was gamops's own business.
    fn session(command: Option<&str>, source: DeviceError) -> Self {
        Self::Session {
            command: command.map(str::to_owned),
            source,
        }
    }
}

impl From<StoreError> for Stop {
    fn from(source: StoreError) -> Self {
        Self::Journal(source)
    }
}

impl From<DeviceError> for Stop {
    fn from(source: DeviceError) -> Self {
        Self::session(None, source)
    }
}

/// How far a run came on a device.
#[derive(Default)]
struct Done {
    /// Whether the run and its checkpoint are on record.
    begun: bool,
    /// Commands that the device took, in order.
    sent: Vec<String>,
    /// The changes of which a command may have reached it, in order.
    attempted: Vec<Change>,
    /// Whether saving was begun.
    saving: bool,
}

/// Applies one device's plan over the session that read it, and ends the session.
pub(super) async fn apply(mut contact: Contact, job: &Job<'_>) -> DeviceOutcome {
    let checkpoint = checkpoint(&contact, job.changes);
    let mut done = Done::default();
    match try_apply(&mut contact, job, &checkpoint, &mut done).await {
        Ok(outcome) => {
            contact.close().await;
            outcome
        }
        Err(stop) => {
            let other = contact.observation.running.other.clone();
            let mut line = Line::of(job.work, contact);
            let outcome = failed(&mut line, job, (&checkpoint, &other), stop, done).await;
            line.hang_up().await;
            outcome
        }
    }
}

fn checkpoint(contact: &Contact, changes: &DeviceChanges) -> Checkpoint {
    Checkpoint {
        before: DeviceConfig::clone(&changes.observed),
        target: DeviceConfig::clone(&changes.target),
        changes: changes.steps.iter().map(|step| step.change.clone()).collect(),
        owned_before: Vec::clone(&changes.records_before),
        owned_after: Vec::clone(&changes.records),
        startup: contact.observation.startup.as_deref().map(RunningConfig::fingerprint),
    }
}

async fn try_apply(
    contact: &mut Contact,
    job: &Job<'_>,
    checkpoint: &Checkpoint,
    done: &mut Done,
) -> Result<DeviceOutcome, Stop> {
    let Job { work, changes, .. } = job;
    let (run, store) = (work.run, work.store());
    let again = contact.read_running().await?;
    let base = changes.observed_fingerprint();
    if again.fingerprint() != base {
        return Ok(DeviceOutcome::Stale);
    }
    let begin = DeviceRun {
        device: work.key().to_owned(),
        mac: contact.mac(),
        base,
        target: changes.desired_fingerprint(),
        claims: claims(changes),
        checkpoint: checkpoint.clone(),
        summary: changes.summary(),
        lease: Some(work.lease),
        stage: job.stage,
    };
    store.begin_device(run, begin).await?;
    done.begun = true;

    let said = send::send(contact, job, done).await?;

    work.tell(Progress::Verifying);
    let found = if changes.steps.is_empty() {
        again
    } else {
        contact.read_running().await?
    };
    let trials = judge(
        &changes.target,
        &changes.observed,
        &found.managed,
        &said.tried,
        &said.refused,
    );
    let firmware = &contact.observation.identity.firmware;
    store.learn(firmware, trials.answers.clone()).await?;
    let residue = residue(checkpoint, &trials.target, &found.managed);
    if !residue.is_empty() {
        return Err(Stop::NotVerified(residue));
    }
    // Worth a better word in the next plan, not worth a failure here.
    let firmware = &contact.observation.identity.firmware;
    let _ = store.took(firmware, said.took).await;
    if job.hold {
        store.hold_device(run, work.key(), trials.target).await?;
        work.tell(Progress::Waiting);
        return Ok(DeviceOutcome::Unconfirmed(changes.summary(), trials.not_applied));
    }
    store
        .device_state(run, work.key(), DeviceRunState::Verified, None)
        .await?;
    done.saving = true;
    let still_holds = |held: &DeviceConfig| self::residue(checkpoint, &trials.target, held).is_empty();
    save::save(contact, work, Phase::Apply, &found, still_holds).await?;
    finish(work, contact.mac(), checkpoint, &found)
        .await
        .map_err(Stop::NotRecorded)?;
    Ok(match changes.steps.len() {
        0 => DeviceOutcome::Saved,
        _ => DeviceOutcome::Applied(changes.summary(), trials.not_applied),
    })
}

async fn finish(
    work: &Work<'_>,
    mac: MacAddr,
    checkpoint: &Checkpoint,
    found: &RunningConfig,
) -> Result<(), StoreError> {
    let mut records = checkpoint.owned_after.clone();
    // The others were left as they are, not as they were applied: what differs there stays drift.
    let is_applied = |record: &&mut Record| checkpoint.target.holds(record.object, record.applied.as_ref());
    for record in records.iter_mut().filter(is_applied) {
        // What the device filled in by itself (a port for `auto`) is what was applied, not drift.
        record.applied = found.managed.object(record.object);
    }
    work.store().finish_device(work.run, work.key(), mac, records).await?;
    work.tell(Progress::Finished);
    Ok(())
}

/// What is not as planned, over the objects that gamops owns or the plan touches.
fn residue(checkpoint: &Checkpoint, target: &DeviceConfig, found: &DeviceConfig) -> Vec<Residue> {
    let owned = checkpoint.owned_after.iter().map(|record| record.object);
    let changed = checkpoint.changes.iter().map(Change::object);
    let objects: BTreeSet<ObjectId> = owned.chain(changed).collect();
    verify(target, &found.settings(), &checkpoint.before, &objects)
}

/// What becomes of a device on which something went wrong.
async fn failed(
    line: &mut Line<'_>,
    job: &Job<'_>,
    (checkpoint, other): (&Checkpoint, &[String]),
    stop: Stop,
    done: Done,
) -> DeviceOutcome {
    let total = job.changes.steps.iter().map(|step| step.commands.len()).sum();
    // Then it is for the one who has the device to bring it somewhere.
    let is_taken_over = matches!(
        stop,
        Stop::Journal(StoreError::TakenOver { .. })
            | Stop::Unwritten {
                source: StoreError::TakenOver { .. },
                ..
            }
    );
    let failure = report::failure(stop, done.sent, total);
    if !done.begun {
        return report::stopped(&job.work, failure, None);
    }
    if failure.saved {
        // It is as it was asked to be. The next run finds that out, and there is nothing to give back.
        return report::stopped(&job.work, failure, Some(Vec::new()));
    }
    if done.attempted.is_empty() && !done.saving {
        // As if the run had never been: it has not been.
        let (store, owned) = (job.work.store(), checkpoint.owned_before.clone());
        let reason = Some(failure.reason.clone());
        let closed = store.roll_back_device(job.work.run, job.work.key(), line.mac(), owned, reason);
        // Otherwise the next run finds it unfinished, and nothing left of it.
        let _ = closed.await;
        return report::stopped(&job.work, failure, None);
    }
    match job.on_failure {
        OnFailure::Rollback if !is_taken_over => {
            let task = rollback::Task {
                work: job.work,
                checkpoint,
                other: Some(other),
                attempted: done.attempted,
                saving: done.saving,
            };
            rollback::roll_back(line, task, failure).await
        }
        OnFailure::Rollback | OnFailure::Leave => report::leave(line, &job.work, checkpoint, failure).await,
    }
}
