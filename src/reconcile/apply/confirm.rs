//! A device that was changed, verified and not saved, and what becomes of it: kept, or given back.

use crate::domain::MacAddr;
use crate::observed::{Change, DeviceConfig};
use crate::plan::Residue;
use crate::plan::model::Unread;
use crate::reconcile::result::{DeviceOutcome, Failure};
use crate::reconcile::{chain, render};
use crate::store::{Checkpoint, DeviceRunState, Phase, StoreError};

use super::line::Line;
use super::{Progress, Stop, Work, finish, report, residue, rollback, save};

/// How often keeping is begun anew because the session broke.
const ROUNDS: usize = 3;

/// Keeps what a run made of a device: looks whether it still is there, saves and records it. Where it is not there
/// any more, or cannot be saved, the device is given back what it held before.
pub(in crate::reconcile) async fn keep(work: Work<'_>, mac: MacAddr, checkpoint: &Checkpoint) -> DeviceOutcome {
    let mut line = Line::to(work, mac);
    let outcome = match kept(&mut line, &work, mac, checkpoint).await {
        Ok(()) => DeviceOutcome::Saved,
        Err(NotKept::Unreached(Unread { reason, help, .. })) => {
            // It is on record as confirmed: the next run saves it.
            let failure = Failure {
                help,
                ..Failure::of(format!("confirmed, but not saved: {reason}"))
            };
            report::stopped(&work, failure, None)
        }
        // It is as it was asked to be; the next run finds that out.
        Err(NotKept::Stopped(stop @ Stop::NotRecorded(_))) => {
            report::stopped(&work, report::failure(stop, Vec::new(), 0), Some(Vec::new()))
        }
        Err(NotKept::Stopped(stop)) => {
            let task = rollback::Task {
                work,
                checkpoint,
                other: None,
                attempted: checkpoint.changes.clone(),
                saving: true,
            };
            rollback::roll_back(&mut line, task, report::failure(stop, Vec::new(), 0)).await
        }
    };
    line.hang_up().await;
    outcome
}

enum NotKept {
    /// Nobody knows what it holds now.
    Unreached(Unread),
    /// It does not hold what it should, or does not save it.
    Stopped(Stop),
}

impl From<Vec<Residue>> for NotKept {
    fn from(differs: Vec<Residue>) -> Self {
        Self::Stopped(Stop::NotVerified(differs))
    }
}

async fn kept(line: &mut Line<'_>, work: &Work<'_>, mac: MacAddr, checkpoint: &Checkpoint) -> Result<(), NotKept> {
    let mut trouble = String::new();
    for _ in 0..ROUNDS {
        match once(line, work, mac, checkpoint).await {
            Err(NotKept::Stopped(Stop::Session { source, .. })) if source.is_in_doubt() => {
                trouble = chain(&source);
                line.hang_up().await;
            }
            other => return other,
        }
    }
    Err(NotKept::Unreached(Unread {
        reason: trouble,
        help: None,
        lasting: false,
    }))
}

async fn once(line: &mut Line<'_>, work: &Work<'_>, mac: MacAddr, checkpoint: &Checkpoint) -> Result<(), NotKept> {
    let contact = line
        .open()
        .await
        .map_err(|unread| NotKept::Unreached(unreached(unread)))?;
    work.tell(Progress::Verifying);
    let stopped = |source| NotKept::Stopped(Stop::from(source));
    let found = contact.read_running().await.map_err(stopped)?;
    let differs = |held: &DeviceConfig| residue(checkpoint, &checkpoint.target, held);
    let missing = differs(&found.managed);
    if !missing.is_empty() {
        return Err(missing.into());
    }
    let still_holds = |held: &DeviceConfig| differs(held).is_empty();
    save::save(contact, work, Phase::Apply, &found, still_holds)
        .await
        .map_err(NotKept::Stopped)?;
    finish(work, mac, checkpoint, &found)
        .await
        .map_err(|source| NotKept::Stopped(Stop::NotRecorded(source)))
}

/// A device that could not be reached once more.
pub(super) fn unreached(unread: Unread) -> Unread {
    Unread {
        reason: format!("it cannot be reached: {}", unread.reason),
        ..unread
    }
}

/// Gives a device back what it held before a run that was not confirmed.
pub(in crate::reconcile) async fn give_back(
    work: Work<'_>,
    mac: MacAddr,
    checkpoint: &Checkpoint,
    state: DeviceRunState,
    reason: String,
) -> Result<DeviceOutcome, StoreError> {
    let attempted = match state {
        DeviceRunState::Verified => checkpoint.changes.clone(),
        _ => begun(&work, checkpoint).await?,
    };
    let mut line = Line::to(work, mac);
    let task = rollback::Task {
        work,
        checkpoint,
        other: None,
        attempted,
        saving: false,
    };
    let outcome = rollback::roll_back(&mut line, task, Failure::of(reason)).await;
    line.hang_up().await;
    Ok(outcome)
}

/// The changes of which a command is in the journal.
async fn begun(work: &Work<'_>, checkpoint: &Checkpoint) -> Result<Vec<Change>, StoreError> {
    let sent = work.store().commands(work.run, work.key()).await?;
    let is_begun = |change: &&Change| {
        let commands = render(change).unwrap_or_default();
        commands.iter().any(|command| sent.contains(command))
    };
    Ok(checkpoint.changes.iter().filter(is_begun).cloned().collect())
}
