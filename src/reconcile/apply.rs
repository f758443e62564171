//! Applying one device's plan: read again, journal, send, read back, verify, save, record.
//!
//! The order is the promise: nothing is sent before the journal says so, nothing is saved before it was
//! verified, nothing is recorded before it was saved. Killed anywhere, the next run finds out and converges.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::device::DeviceError;
use crate::dialect::command::{self, SAVE};
use crate::dialect::redact;
use crate::dialect::session::{RefusalKind, Reply};
use crate::domain::{MacAddr, SubscriberId};
use crate::observed::{Answer, AssumedWord, DeviceConfig, ObjectId, RunningConfig};
use crate::plan::impact::duration::Work;
use crate::plan::model::{DeviceChanges, Step};
use crate::plan::{Residue, claims, judge, verify};
use crate::store::{Answered, Checkpoint, DeviceRun, DeviceRunState, Phase, RunId, Store, StoreError};

use super::event::{Events, Progress};
use super::observe::Contact;
use super::result::{DeviceOutcome, Stopped};

/// All that applying one device takes.
pub(super) struct Job<'a> {
    pub(super) device: &'a str,
    pub(super) changes: &'a DeviceChanges,
    pub(super) run: RunId,
    pub(super) commit: Option<String>,
    pub(super) store: &'a Store,
    pub(super) events: &'a Events,
    pub(super) cancel: &'a CancellationToken,
}

/// Why the work on a device stopped.
enum Stop {
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
    /// The device holds something else than it was asked to.
    NotVerified(Vec<Residue>),
    /// What was saved is not what was verified.
    NotSaved(String),
}

impl From<StoreError> for Stop {
    fn from(source: StoreError) -> Self {
        Self::Journal(source)
    }
}

/// Applies one device's plan over the session that read it.
pub(super) async fn apply(contact: &mut Contact, job: &Job<'_>) -> DeviceOutcome {
    let mut sent = Vec::new();
    match try_apply(contact, job, &mut sent).await {
        Ok(outcome) => outcome,
        Err(stop) => report(contact, job, stop, sent).await,
    }
}

async fn try_apply(contact: &mut Contact, job: &Job<'_>, sent: &mut Vec<String>) -> Result<DeviceOutcome, Stop> {
    let again = contact
        .read_running()
        .await
        .map_err(|source| Stop::Session { command: None, source })?;
    if again.fingerprint() != job.changes.observed_fingerprint {
        return Ok(DeviceOutcome::Stale);
    }
    let begin = DeviceRun {
        device: job.device.to_owned(),
        mac: contact.mac(),
        base: job.changes.observed_fingerprint.clone(),
        target: job.changes.desired_fingerprint.clone(),
        claims: claims(job.changes),
        checkpoint: Checkpoint {
            before: job.changes.observed.clone(),
            target: job.changes.target.clone(),
            changes: job.changes.steps.iter().map(|step| step.change.clone()).collect(),
            owned_before: job.changes.records_before.clone(),
            owned_after: job.changes.records.clone(),
            startup: contact.observation.startup.as_ref().map(RunningConfig::fingerprint),
        },
        summary: job.changes.summary(),
    };
    job.store.begin_device(job.run, begin).await?;

    let said = send(contact, job, sent).await?;

    job.events.tell(job.device, Progress::Verifying);
    let found = if job.changes.steps.is_empty() {
        again
    } else {
        contact
            .read_running()
            .await
            .map_err(|source| Stop::Session { command: None, source })?
    };
    let trials = judge(
        &job.changes.target,
        &job.changes.observed,
        &found.managed,
        &said.tried,
        &said.refused,
    );
    let firmware = &contact.observation.identity.firmware;
    job.store.learn(firmware, trials.answers.clone()).await?;
    let residue = residue(job.changes, &trials.target, &found.managed);
    if !residue.is_empty() {
        return Err(Stop::NotVerified(residue));
    }
    job.store
        .device_state(job.run, job.device, DeviceRunState::Verified, None)
        .await?;
    save(contact, job, &trials.target, &found).await?;
    finish(job, contact.mac(), &found).await?;
    // Worth a better word in the next plan, not worth a failure here: the device is done.
    let firmware = &contact.observation.identity.firmware;
    let _ = job.store.took(firmware, said.took).await;
    Ok(match job.changes.steps.len() {
        0 => DeviceOutcome::Saved,
        _ => DeviceOutcome::Applied(job.changes.summary(), trials.not_applied),
    })
}

/// An assumed word on the subscriber that it is tried on.
type Trial = (SubscriberId, AssumedWord);

/// What came of the assumed words while they were sent.
#[derive(Debug, Default)]
struct Said {
    /// Taken without a word.
    tried: BTreeSet<Trial>,
    /// Not known to the device.
    refused: BTreeSet<Trial>,
    /// How long the device took over each command that it took.
    took: Vec<(Work, Duration)>,
}

impl Said {
    /// Whether a word was refused in this run, or rests on one that was.
    fn makes_no_sense(&self, (subscriber, word): Trial) -> bool {
        let rests_on = |refused: &Trial| refused.0 == subscriber && Some(refused.1) == word.rests_on();
        self.refused
            .iter()
            .any(|refused| refused.1 == word || rests_on(refused))
    }
}

/// Every command in order, with the step that it belongs to and the assumed word that it tries.
fn commands(steps: &[Step]) -> Vec<(&Step, &String, Option<Trial>)> {
    let of_step = |step: &'_ Step| {
        // What could be written as commands has its trials; without them the device's refusal is final.
        let trials = command::trials(&step.change).unwrap_or_default();
        let ObjectId::Subscriber(id) = step.change.object() else {
            return Vec::new();
        };
        trials.into_iter().map(|word| word.map(|word| (id, word))).collect()
    };
    steps
        .iter()
        .flat_map(|step| {
            let trials: Vec<Option<Trial>> = of_step(step);
            let none = std::iter::repeat(None);
            let commands = step.commands.iter().zip(trials.into_iter().chain(none));
            commands.map(move |(command, trial)| (step, command, trial))
        })
        .collect()
}

/// Sends every command, one at a time, each written down before it goes out. Stops between two commands
/// when asked to; the one in flight is always waited for.
async fn send(contact: &mut Contact, job: &Job<'_>, sent: &mut Vec<String>) -> Result<Said, Stop> {
    let mut said = Said::default();
    let commands = commands(&job.changes.steps);
    if commands.is_empty() {
        return Ok(said);
    }
    job.events.tell(
        job.device,
        Progress::Applying {
            commands: commands.len(),
        },
    );
    contact
        .session
        .enter_config()
        .await
        .map_err(|source| failed(None, source))?;
    for (step, command, trial) in commands {
        if trial.is_some_and(|trial| said.makes_no_sense(trial)) {
            said.refused.extend(trial);
            continue;
        }
        if job.cancel.is_cancelled() {
            return Err(Stop::Interrupted);
        }
        let number = job.store.sending(job.run, job.device, Phase::Apply, command).await?;
        let started = Instant::now();
        let reply = contact.session.run(command).await;
        let took = started.elapsed();
        let (how, text) = answer(&reply);
        job.store.answered(job.run, job.device, number, how, &text).await?;
        let reply = reply.map_err(|source| failed(Some(command), source))?;
        if let Reply::Refused(refusal) = reply {
            if let (Some(trial), RefusalKind::Syntax) = (trial, refusal.kind) {
                // Known at once, whatever becomes of the rest.
                let firmware = &contact.observation.identity.firmware;
                job.store.learn(firmware, vec![(trial.1, Answer::No)]).await?;
                said.refused.insert(trial);
                continue;
            }
            return Err(Stop::Refused {
                command: command.clone(),
                answer: redact::secrets(&refusal.text),
            });
        }
        said.tried.extend(trial);
        said.took.push((Work::of(&step.change), took));
        sent.push(command.clone());
        job.events.tell(job.device, Progress::Sent { done: sent.len() });
    }
    contact
        .session
        .leave_config()
        .await
        .map_err(|source| failed(None, source))?;
    Ok(said)
}

/// How a command was answered and in what words, secrets masked.
fn answer(reply: &Result<Reply, DeviceError>) -> (Answered, String) {
    match reply {
        Ok(reply @ Reply::Refused(refusal)) => (
            Answered::Refused(refusal.kind.to_string()),
            redact::secrets(reply.text()),
        ),
        Ok(reply) => (Answered::Accepted, redact::secrets(reply.text())),
        Err(error) => (Answered::Lost, error.received().unwrap_or_default()),
    }
}

fn failed(command: Option<&str>, source: DeviceError) -> Stop {
    Stop::Session {
        command: command.map(str::to_owned),
        source,
    }
}

/// Saves, and looks where the device shows it whether what it would load at boot is what was verified.
async fn save(
    contact: &mut Contact,
    job: &Job<'_>,
    target: &DeviceConfig,
    verified: &RunningConfig,
) -> Result<(), Stop> {
    job.events.tell(job.device, Progress::Saving);
    let session = |source| Stop::Session {
        command: Some(SAVE.to_owned()),
        source,
    };
    let number = job.store.sending(job.run, job.device, Phase::Apply, SAVE).await?;
    let saved = contact.session.save().await;
    let (how, said) = match &saved {
        Ok(saved) => (Answered::Accepted, saved.said.clone().unwrap_or_default()),
        Err(DeviceError::Refused { refusal, .. } | DeviceError::Busy { refusal, .. }) => (
            Answered::Refused(refusal.kind.to_string()),
            redact::secrets(&refusal.text),
        ),
        Err(error) => (Answered::Lost, error.received().unwrap_or_default()),
    };
    job.store
        .answered(job.run, job.device, number, how, &redact::secrets(&said))
        .await?;
    saved.map_err(|source| failed(Some(SAVE), source))?;
    match contact.read_startup().await.map_err(session)? {
        Some(startup) if startup.is_same_as(verified) => Ok(()),
        // Somebody may have changed something between verifying and saving. Look once more before crying.
        Some(startup) => {
            let running = contact.read_running().await.map_err(session)?;
            let saved_now = startup.is_same_as(&running) && residue(job.changes, target, &running.managed).is_empty();
            if saved_now {
                Ok(())
            } else {
                Err(Stop::NotSaved("the saved configuration is not the verified one".into()))
            }
        }
        None => Ok(()),
    }
}

async fn finish(job: &Job<'_>, mac: MacAddr, found: &RunningConfig) -> Result<(), Stop> {
    let mut records = job.changes.records.clone();
    for record in &mut records {
        // What the device filled in by itself (a port for `auto`) is what was applied, not drift.
        record.applied = found.managed.object(record.object);
    }
    job.store
        .finish_device(job.run, job.device, mac, records, job.commit.clone())
        .await?;
    job.events.tell(job.device, Progress::Finished);
    Ok(())
}

/// Writes down how it ended, looks at what the device holds now where it still answers, and says both.
async fn report(contact: &mut Contact, job: &Job<'_>, stop: Stop, sent: Vec<String>) -> DeviceOutcome {
    let total = job.changes.steps.iter().map(|step| step.commands.len()).sum();
    let interrupted = matches!(stop, Stop::Interrupted);
    let (reason, refused, known) = match stop {
        Stop::Interrupted => ("interrupted by the operator".to_owned(), None, None),
        Stop::Refused { command, answer } => ("the device refused a command".to_owned(), Some((command, answer)), None),
        Stop::Session { command, source } => {
            let refused = command.map(|command| (command, source.received().unwrap_or_default()));
            (super::chain(&source), refused, None)
        }
        Stop::Journal(source) => (super::chain(&source), None, None),
        Stop::NotVerified(residue) => (
            "the device does not hold what it was asked to".to_owned(),
            None,
            Some(residue),
        ),
        Stop::NotSaved(reason) => (reason, None, None),
    };
    let residue = match known {
        Some(residue) => Some(residue),
        None => look_again(contact, job).await,
    };
    let state = if interrupted {
        DeviceRunState::Interrupted
    } else {
        DeviceRunState::Failed
    };
    // The journal already says `sending` or `verified`, both unfinished: if this fails, nothing is lost.
    let _ = job
        .store
        .device_state(job.run, job.device, state, Some(reason.clone()))
        .await;
    job.events
        .tell(job.device, Progress::Stopped { reason: reason.clone() });
    DeviceOutcome::Stopped(Box::new(Stopped {
        reason,
        interrupted,
        sent,
        total,
        refused,
        residue,
    }))
}

async fn look_again(contact: &mut Contact, job: &Job<'_>) -> Option<Vec<Residue>> {
    if !contact.session.prompt().is_exec() {
        contact.session.leave_config().await.ok()?;
    }
    let found = contact.read_running().await.ok()?;
    Some(residue(job.changes, &job.changes.target, &found.managed))
}

/// What is not as planned, over the objects that gamops owns or the plan touches.
fn residue(changes: &DeviceChanges, target: &DeviceConfig, found: &DeviceConfig) -> Vec<Residue> {
    let objects: BTreeSet<ObjectId> = changes
        .records
        .iter()
        .map(|record| record.object)
        .chain(changes.steps.iter().map(|step| step.change.object()))
        .collect();
    verify(target, &found.settings(), &changes.observed, &objects)
}
