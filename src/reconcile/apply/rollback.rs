//! Giving a device back what it held before: read, work out the way, journal, send, read back, verify, save where
//! something was saved, record.
//!
//! The way is worked out from what the device holds at that moment and from what was really attempted, so it is the
//! same after a refusal, a difference, a lost session and a restart. A session that breaks on the way is replaced and the
//! way worked out anew. Where the device refuses to give one object back, the others have their way back all the same.

use std::collections::{BTreeMap, BTreeSet};

use crate::device::DeviceError;
use crate::dialect::redact;
use crate::dialect::session::Reply;
use crate::observed::{Change, DeviceConfig, ObjectId, RunningConfig};
use crate::plan::model::{Step, Unread};
use crate::plan::rollback::{Cut, Rollback, rollback};
use crate::plan::{Residue, verify};
use crate::reconcile::result::{DeviceOutcome, Failure, NotRolledBack, RolledBack, Stopped, WayBack};
use crate::reconcile::{chain, render};
use crate::store::{Checkpoint, DeviceRunState, Phase, StoreError};

use super::confirm::unreached;
use super::line::Line;
use super::{Contact, Progress, Stop, Work, report, save, send};

/// How often the way back is begun anew, because the session broke or an object was refused.
const ROUNDS: usize = 8;

/// What is to be given back.
pub(super) struct Task<'a> {
    pub(super) work: Work<'a>,
    pub(super) checkpoint: &'a Checkpoint,
    /// The lines that gamops does not manage, as they were; `None` where nobody remembers.
    pub(super) other: Option<&'a [String]>,
    /// The changes of which a command may have reached the device. Those of the way back come to it.
    pub(super) attempted: Vec<Change>,
    /// Whether saving was begun.
    pub(super) saving: bool,
}

/// Why the way back was not gone to its end in one go.
enum Bump {
    /// The session broke, or told nothing that can be relied on: another one may do.
    Lost(DeviceError),
    /// The device refused to give this object back.
    Refused { object: ObjectId, why: String },
    /// There is nothing more to try.
    Over(NotBack),
}

/// Why a device was not given back what it held before.
#[derive(Default)]
struct NotBack {
    reason: String,
    help: Option<String>,
    /// What is not as it was before; `None` where the device could not be read.
    differs: Option<Vec<Residue>>,
}

impl From<String> for NotBack {
    fn from(reason: String) -> Self {
        Self {
            reason,
            ..Self::default()
        }
    }
}

impl From<&StoreError> for NotBack {
    fn from(source: &StoreError) -> Self {
        Self {
            help: source.help(),
            ..chain(source).into()
        }
    }
}

impl From<DeviceError> for Bump {
    fn from(source: DeviceError) -> Self {
        Self::Lost(source)
    }
}

impl From<StoreError> for Bump {
    fn from(source: StoreError) -> Self {
        Self::Over(NotBack::from(&source))
    }
}

impl From<Stop> for Bump {
    fn from(stop: Stop) -> Self {
        match stop {
            // A refused `copy` is final: it was waited for already.
            Stop::Session {
                source: source @ (DeviceError::Refused { .. } | DeviceError::Busy { .. }),
                ..
            } => Self::Over(chain(&source).into()),
            Stop::Session { source, .. } => Self::Lost(source),
            Stop::Journal(source) | Stop::NotRecorded(source) | Stop::Unwritten { source, .. } => source.into(),
            Stop::NotVerified(differs) => Self::Over(NotBack {
                differs: Some(differs),
                ..NotBack::from("it does not hold what it was given".to_owned())
            }),
            Stop::NotSaved(reason) => Self::Over(reason.into()),
            Stop::Refused { command, answer } => Self::Over(refused(&command, &answer).into()),
            Stop::Interrupted => Self::Over("interrupted by the operator".to_owned().into()),
        }
    }
}

fn refused(command: &str, answer: &str) -> String {
    format!("the device refused `{command}`: {}", answer.trim())
}

/// Gives a device back what it held before, and writes down and says how that went.
pub(super) async fn roll_back(line: &mut Line<'_>, mut task: Task<'_>, failure: Failure) -> DeviceOutcome {
    let work = task.work;
    work.tell(Progress::RollingBack);
    let mut way = WayBack::default();
    let returned = match give_back(line, &mut task, &mut way).await {
        Ok(()) => put_down(line, &task, &way, &failure).await.map_err(|source| {
            let not = NotBack::from(&source);
            NotBack {
                reason: format!("it is, but that could not be written down: {}", not.reason),
                differs: Some(Vec::new()),
                ..not
            }
        }),
        Err(not) => Err(not),
    };
    match returned {
        Ok(()) => {
            work.tell(Progress::RolledBack);
            DeviceOutcome::RolledBack(Box::new(RolledBack { failure, way }))
        }
        Err(NotBack { reason, help, differs }) => {
            report::put_down(&work, &failure).await;
            DeviceOutcome::Stopped(Box::new(Stopped {
                failure,
                residue: None,
                not_rolled_back: Some(NotRolledBack {
                    reason,
                    help,
                    way,
                    differs,
                }),
            }))
        }
    }
}

async fn put_down(line: &Line<'_>, task: &Task<'_>, way: &WayBack, failure: &Failure) -> Result<(), StoreError> {
    let Task { work, checkpoint, .. } = task;
    let (store, reason) = (work.store(), Some(failure.reason.clone()));
    if way.left.is_empty() {
        let owned = checkpoint.owned_before.clone();
        store
            .roll_back_device(work.run, work.key(), line.mac(), owned, reason)
            .await
    } else {
        // What is left of the run is still gamops's own: its claims stand, and the next run finishes.
        let state = DeviceRunState::PartlyRolledBack;
        store.device_state(work.run, work.key(), state, reason).await
    }
}

async fn give_back(line: &mut Line<'_>, task: &mut Task<'_>, way: &mut WayBack) -> Result<(), NotBack> {
    let mut refusals: BTreeMap<ObjectId, String> = BTreeMap::new();
    let mut trouble = String::new();
    for _ in 0..ROUNDS {
        let contact = line.open().await.map_err(|unread| {
            let Unread { reason, help, .. } = unreached(unread);
            NotBack { help, ..reason.into() }
        })?;
        match round(contact, task, &refusals, way).await {
            Ok(()) => return Ok(()),
            Err(Bump::Lost(source)) => {
                trouble = chain(&source);
                line.hang_up().await;
            }
            Err(Bump::Refused { object, why }) => {
                trouble.clone_from(&why);
                refusals.insert(object, why);
            }
            Err(Bump::Over(not)) => return Err(not),
        }
    }
    Err(trouble.into())
}

/// Once the whole way: from what the device holds now to what it held before.
async fn round(
    contact: &mut Contact,
    task: &mut Task<'_>,
    refusals: &BTreeMap<ObjectId, String>,
    way: &mut WayBack,
) -> Result<(), Bump> {
    if !contact.session.prompt().is_exec() {
        contact.session.leave_config().await?;
    }
    let now = contact.read_running().await?;
    let held = now.managed.settings().into_owned();
    let back = find(contact, task, &held, refusals)?;
    way.left.clone_from(&back.left);
    send_back(contact, task, &back.steps, way).await?;
    let found = if back.steps.is_empty() {
        now
    } else {
        task.work.tell(Progress::Verifying);
        contact.read_running().await?
    };
    let differs = verify(&back.target, &found.managed.settings(), &held, &back.objects);
    if !differs.is_empty() {
        return Err(Stop::NotVerified(differs).into());
    }
    way.others = back.others.iter().cloned().chain(strangers(task, &found)).collect();
    way.saved |= save_back(contact, task, &back, &found).await?;
    Ok(())
}

fn find(
    contact: &Contact,
    task: &Task<'_>,
    held: &DeviceConfig,
    refusals: &BTreeMap<ObjectId, String>,
) -> Result<Rollback, Bump> {
    let Task { work, checkpoint, .. } = task;
    let cut = Cut {
        device: work.key(),
        before: &checkpoint.before,
        now: held,
        attempted: &task.attempted,
        capabilities: &contact.observation.capabilities,
        allow_assumed: work.device.allow_assumed,
        medium: work.device.model.medium,
    };
    let sendable = |change: &Change| match refusals.get(&change.object()) {
        Some(why) => Err(why.clone()),
        None => render(change),
    };
    rollback(cut, &sendable).map_err(|stuck| {
        let touched = task.attempted.iter().map(Change::object).collect();
        let differs = verify(&checkpoint.before, held, held, &touched);
        Bump::Over(NotBack {
            differs: Some(differs),
            ..chain(&stuck).into()
        })
    })
}

/// Sends the way back. The operator's wish to stop does not stop it: it is what was asked for.
async fn send_back(contact: &mut Contact, task: &mut Task<'_>, steps: &[Step], way: &mut WayBack) -> Result<(), Bump> {
    if steps.is_empty() {
        return Ok(());
    }
    contact.session.enter_config().await?;
    for step in steps {
        // Should it be cut off here, the next round must know what this one may have made.
        task.attempted.push(step.change.clone());
        for command in &step.commands {
            match send::exchange(contact, &task.work, Phase::Rollback, command).await? {
                Reply::Refused(refusal) => {
                    return Err(Bump::Refused {
                        object: step.change.object(),
                        why: refused(command, &redact::secrets(&refusal.text)),
                    });
                }
                Reply::Done(_) | Reply::Notice(_) => way.commands.push(command.clone()),
            }
        }
    }
    contact.session.leave_config().await?;
    Ok(())
}

/// What somebody else changed meanwhile and the run has nothing to do with, one sentence each.
fn strangers(task: &Task<'_>, found: &RunningConfig) -> Vec<String> {
    let (before, now) = (&task.checkpoint.before, found.managed.settings());
    let ours: BTreeSet<ObjectId> = task.attempted.iter().map(Change::object).collect();
    let objects: BTreeSet<ObjectId> = before.object_ids().chain(now.object_ids()).collect();
    let changed = objects
        .difference(&ours)
        .filter(|id| !verify(before, &now, before, &BTreeSet::from([**id])).is_empty())
        .map(|id| format!("{id} is not as it was, and not by this run: it stays"));
    let elsewhere = task.other.is_some_and(|other| other != found.other);
    let elsewhere = elsewhere.then(|| {
        "settings that gamops does not manage are not as they were, and not by this run: they stay".to_owned()
    });
    changed.chain(elsewhere).collect()
}

/// Saves where the device would otherwise start with something of this run. Whether it did.
async fn save_back(
    contact: &mut Contact,
    task: &Task<'_>,
    back: &Rollback,
    found: &RunningConfig,
) -> Result<bool, Bump> {
    let as_found = task.checkpoint.startup.as_deref();
    let must = match contact.read_startup().await? {
        Some(startup) if startup.is_same_as(found) || as_found == Some(&startup.fingerprint()) => false,
        // Somebody else may have saved it halfway.
        Some(_) => task.saving || as_found.is_some(),
        None => task.saving,
    };
    if must {
        let still_holds =
            |held: &DeviceConfig| verify(&back.target, &held.settings(), &back.target, &back.objects).is_empty();
        save::save(contact, &task.work, Phase::Rollback, found, still_holds).await?;
    }
    Ok(must)
}
