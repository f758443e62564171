//! How a run that did not reach its end on a device is told, and written down.

use crate::plan::Residue;
use crate::store::{Checkpoint, DeviceRunState};

use super::line::Line;
use super::{Progress, Stop, Work, residue};
use crate::reconcile::chain;
use crate::reconcile::result::{DeviceOutcome, Failure, Stopped};

/// Why a run stopped, in words.
pub(in crate::reconcile) fn failure(stop: Stop, sent: Vec<String>, total: usize) -> Failure {
    let mut failure = Failure {
        interrupted: matches!(stop, Stop::Interrupted),
        lost: matches!(&stop, Stop::Session { source, .. } if source.is_lost()),
        sent,
        total,
        saved: matches!(stop, Stop::NotRecorded(_)),
        ..Failure::of(String::new())
    };
    failure.reason = match stop {
        Stop::Interrupted => "interrupted by the operator".to_owned(),
        Stop::Refused { command, answer } => {
            failure.refused = Some((command, answer));
            "the device refused a command".to_owned()
        }
        Stop::Session { command, source } => {
            failure.refused = command.map(|command| (command, source.received().unwrap_or_default()));
            chain(&source)
        }
        Stop::Journal(source) => {
            failure.help = source.help();
            chain(&source)
        }
        Stop::Unwritten {
            command,
            answer,
            source,
        } => {
            failure.refused = Some((command, answer));
            failure.help = source.help();
            chain(&source)
        }
        Stop::NotVerified(differs) => {
            failure.differs = differs;
            "the device does not hold what it was asked to".to_owned()
        }
        Stop::NotSaved(reason) => reason,
        Stop::NotRecorded(source) => {
            failure.help = source.help();
            let why = chain(&source);
            format!("verified and saved, but that could not be written down: {why}")
        }
    };
    failure
}

/// The same as one line, with what the device answered.
pub(in crate::reconcile) fn reason(stop: Stop) -> String {
    match stop {
        Stop::Refused { command, answer } => format!("the device refused `{command}`: {answer}"),
        stop => failure(stop, Vec::new(), 0).reason,
    }
}

/// A device that nothing is done about and nothing written down of. `residue` is what is known to be not as planned there.
pub(super) fn stopped(work: &Work<'_>, failure: Failure, residue: Option<Vec<Residue>>) -> DeviceOutcome {
    let reason = failure.reason.clone();
    work.tell(Progress::Stopped { reason });
    DeviceOutcome::Stopped(Box::new(Stopped {
        failure,
        residue,
        not_rolled_back: None,
    }))
}

/// Leaves a device as it is: writes down how it ended, looks at what it holds now where it still answers, and says
/// both.
pub(super) async fn leave(
    line: &mut Line<'_>,
    work: &Work<'_>,
    checkpoint: &Checkpoint,
    failure: Failure,
) -> DeviceOutcome {
    let residue = if failure.differs.is_empty() {
        look_again(line, checkpoint).await
    } else {
        Some(failure.differs.clone())
    };
    put_down(work, &failure).await;
    DeviceOutcome::Stopped(Box::new(Stopped {
        failure,
        residue,
        not_rolled_back: None,
    }))
}

/// Writes down that a run ended on a device before its end, and that something of it is still there.
pub(super) async fn put_down(work: &Work<'_>, failure: &Failure) {
    let state = if failure.interrupted {
        DeviceRunState::Interrupted
    } else {
        DeviceRunState::Failed
    };
    let reason = failure.reason.clone();
    // The journal already says `sending` or `verified`, both unfinished: if this fails, nothing is lost.
    let put = work
        .store()
        .device_state(work.run, work.key(), state, Some(reason.clone()));
    let _ = put.await;
    work.tell(Progress::Stopped { reason });
}

async fn look_again(line: &mut Line<'_>, checkpoint: &Checkpoint) -> Option<Vec<Residue>> {
    let contact = line.at_hand()?;
    if !contact.session.prompt().is_exec() {
        contact.session.leave_config().await.ok()?;
    }
    let found = contact.read_running().await.ok()?;
    Some(residue(checkpoint, &checkpoint.target, &found.managed))
}
