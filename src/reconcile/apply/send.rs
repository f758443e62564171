//! Sending commands: each written down before it goes out, each answer as it comes.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;

use crate::device::DeviceError;
use crate::dialect::command;
use crate::dialect::redact;
use crate::dialect::session::{RefusalKind, Reply};
use crate::domain::SubscriberId;
use crate::observed::{Answer, AssumedWord, ObjectId};
use crate::plan::impact::duration::Work as Kind;
use crate::plan::model::Step;
use crate::store::{Answered, Phase};

use super::{Contact, Done, Job, Progress, Stop, Work};

/// An assumed word on the subscriber that it is tried on.
type Trial = (SubscriberId, AssumedWord);

/// What came of the assumed words while they were sent.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// Taken without a word.
    pub(super) tried: BTreeSet<Trial>,
    /// Not known to the device.
    pub(super) refused: BTreeSet<Trial>,
    /// How long the device took over each command that it took.
    pub(super) took: Vec<(Kind, Duration)>,
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

/// Sends every command of the plan, one at a time. Stops between two commands when asked to; the one in flight is
/// always waited for.
pub(super) async fn send(contact: &mut Contact, job: &Job<'_>, done: &mut Done) -> Result<Said, Stop> {
    let mut said = Said::default();
    let commands = commands(&job.changes.steps);
    if commands.is_empty() {
        return Ok(said);
    }
    job.work.tell(Progress::Applying {
        commands: commands.len(),
    });
    contact.session.enter_config().await?;
    let mut begun: Option<&Step> = None;
    for (step, command, trial) in commands {
        if trial.is_some_and(|trial| said.makes_no_sense(trial)) {
            said.refused.extend(trial);
            continue;
        }
        if job.work.context.cancel.is_cancelled() {
            return Err(Stop::Interrupted);
        }
        if !begun.is_some_and(|begun| std::ptr::eq(begun, step)) {
            done.attempted.push(step.change.clone());
            begun = Some(step);
        }
        let started = Instant::now();
        let reply = exchange(contact, &job.work, Phase::Apply, command).await?;
        let took = started.elapsed();
        if let Reply::Refused(refusal) = reply {
            if let (Some(trial), RefusalKind::Syntax) = (trial, refusal.kind) {
                // Known at once, whatever becomes of the rest.
                let firmware = &contact.observation.identity.firmware;
                let answer = vec![(trial.1, Answer::No)];
                job.work.store().learn(firmware, answer).await?;
                said.refused.insert(trial);
                continue;
            }
            return Err(Stop::Refused {
                command: command.clone(),
                answer: redact::secrets(&refusal.text),
            });
        }
        said.tried.extend(trial);
        said.took.push((Kind::of(&step.change), took));
        done.sent.push(command.clone());
        job.work.tell(Progress::Sent { done: done.sent.len() });
    }
    contact.session.leave_config().await?;
    Ok(said)
}

/// Writes a command down, sends it, and writes down what was answered. A refusal is an answer.
pub(in crate::reconcile) async fn exchange(
    contact: &mut Contact,
    work: &Work<'_>,
    phase: Phase,
    command: &str,
) -> Result<Reply, Stop> {
    let (store, run, key) = (work.store(), work.run, work.key());
    let number = store.sending(run, key, phase, command).await?;
    let reply = contact.session.run(command).await;
    let (how, said) = match &reply {
        Ok(reply @ Reply::Refused(refusal)) => (Answered::Refused(refusal.kind.to_string()), reply.text().to_owned()),
        Ok(reply) => (Answered::Accepted, reply.text().to_owned()),
        Err(error) => answered(error),
    };
    let said = redact::secrets(&said);
    if let Err(source) = store.answered(run, key, number, how, &said).await {
        return Err(Stop::Unwritten {
            command: command.to_owned(),
            answer: said,
            source,
        });
    }
    reply.map_err(|source| Stop::session(Some(command), source))
}

/// How a command was answered that came to an error, and in what words.
pub(super) fn answered(error: &DeviceError) -> (Answered, String) {
    match error {
        DeviceError::Refused { refusal, .. } | DeviceError::Busy { refusal, .. } => {
            (Answered::Refused(refusal.kind.to_string()), refusal.text.clone())
        }
        error => (Answered::Lost, error.received().unwrap_or_default()),
    }
}
