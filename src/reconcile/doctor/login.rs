//! One login: what the session shows, and where it stopped.

use jiff::Timestamp;

use crate::checkup::{Inside, Login, Reading, Saved, Step, Trouble};
use crate::device::{self, DeviceError, Session};
use crate::dialect::command::{SHOW_VERSION, TERMINAL_LENGTH, TERMINAL_WIDTH};
use crate::dialect::session::Reply;
use crate::dialect::share::Sharing;
use crate::dialect::{running, version};
use crate::inventory::model::Device;
use crate::plan::difference;
use crate::transport::ssh::{Connect, SshError};

use super::super::chain;
use super::Evidence;

/// Logs in once and looks around.
pub(super) async fn login(
    device: &Device,
    to: &Connect,
    mut sharing: Option<Sharing>,
    evidence: &mut Evidence,
) -> Login {
    let opened = match &mut sharing {
        Some(sharing) => Session::open_on_tape(to, sharing).await,
        None => Session::open(to).await.map_err(|error| (error, Vec::new())),
    };
    let mut session = match opened {
        Ok(session) => session,
        Err((error, heard)) => {
            evidence.heard = heard;
            return Login::Stopped {
                at: step(&error),
                trouble: trouble(device, &error),
            };
        }
    };
    let inside = look_around(device, &mut session, evidence).await;
    if let Some(sharing) = &mut sharing {
        evidence.heard = session.heard(sharing);
    }
    session.close().await;
    Login::In(Box::new(inside))
}

async fn look_around(device: &Device, session: &mut Session, evidence: &mut Evidence) -> Inside {
    let refused = |command: &&str| {
        let mut said = session
            .transcript()
            .iter()
            .filter(|exchange| exchange.command == **command);
        said.any(|exchange| matches!(exchange.reply, Reply::Refused(_)))
    };
    let terminal_refused = [TERMINAL_LENGTH, TERMINAL_WIDTH]
        .iter()
        .filter(|one| refused(one))
        .map(ToString::to_string);
    let terminal_refused = terminal_refused.collect();
    let prompt = session.prompt().clone();
    let reading = read(session, evidence).await.map_err(|error| trouble(device, &error));
    let config_mode = match reading.is_ok() && prompt.privileged {
        true => Some(enter_and_leave(session).await.map_err(|error| trouble(device, &error))),
        false => None,
    };
    Inside {
        host_key: session.host_key().fingerprint(),
        prompt: prompt.to_string().trim_end().to_owned(),
        privileged: prompt.privileged,
        config_mode,
        terminal_refused,
        reading: reading.map(Box::new),
    }
}

async fn enter_and_leave(session: &mut Session) -> Result<(), DeviceError> {
    session.enter_config().await?;
    session.leave_config().await
}

async fn read(session: &mut Session, evidence: &mut Evidence) -> Result<Reading, DeviceError> {
    let text = session.ask(SHOW_VERSION).await?;
    let asked = Timestamp::now();
    // What is wrong with it is said by whoever needs it.
    let clock = version::parse(&text).ok().and_then(|version| version.clock);
    let observation = device::gather(session, None).await?;
    let running = &observation.running;
    let reading = Reading {
        clock: clock.map(|clock| (clock, asked)),
        subscribers: running.managed.subscribers.len(),
        warnings: running.warnings.len(),
        shown_model: running.managed.shown_model(),
        saved: match &observation.startup {
            Some(startup) if running.is_same_as(startup) => Saved::Yes,
            Some(startup) => {
                let lines = difference(&running::canonical(startup), &running::canonical(running));
                Saved::No(lines.len())
            }
            None => Saved::Unknown,
        },
        identity: observation.identity,
    };
    evidence.capabilities = Some(observation.capabilities);
    Ok(reading)
}

/// Where an error stopped a login.
fn step(error: &DeviceError) -> Step {
    match error {
        DeviceError::Open(error) => match **error {
            SshError::HostKeyChanged { .. } | SshError::HostKeyUnknown { .. } => Step::HostKey,
            SshError::Rejected { .. } | SshError::NoPasswordLogin { .. } | SshError::ClosedAtLogin { .. } => {
                Step::Password
            }
            SshError::Shell { .. } => Step::Shell,
            _ => Step::Encryption,
        },
        _ => Step::Shell,
    }
}

fn trouble(device: &Device, error: &DeviceError) -> Trouble {
    Trouble {
        reason: chain(error),
        help: error.help(&device.key),
    }
}
