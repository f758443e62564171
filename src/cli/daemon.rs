//! `gamops daemon` and `gamops settings`.

use std::path::{Path, PathBuf};

use tokio::signal::unix::{SignalKind, signal};

use crate::daemon::settings::Settings;
use crate::daemon::{self, Control, Places};

use super::exit::Exit;
use super::settings::state_folder;
use super::{answer, say};

/// Follow a repository and keep the devices as its branch says, until told to stop.
///
/// Every commit of the branch that is valid is planned and applied under the same guards, windows and checks as `gamops apply`;
/// one that is not valid changes nothing, and the last good one stays in force. Devices that do not answer are tried again,
/// later and later; a device on which a change failed was given back what it held, and is left to people.
/// SIGTERM ends it after the commands in flight, SIGHUP makes it look at everything at once.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gamops daemon --settings /etc/gamops/daemon.yaml
  gamops settings check /etc/gamops/daemon.yaml
  gamops status --daemon http://127.0.0.1:9105")]
pub(super) struct Args {
    /// What to follow and how: see docs/daemon.md.
    #[arg(long, value_name = "FILE", env = "GAMOPS_DAEMON_SETTINGS")]
    settings: PathBuf,
}

/// Look at the settings of the daemon.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  gamops settings check /etc/gamops/daemon.yaml")]
pub(super) struct SettingsArgs {
    #[command(subcommand)]
    what: SettingsCommand,
}

#[derive(Debug, clap::Subcommand)]
enum SettingsCommand {
    /// Say whether the settings can be used; nothing is contacted.
    #[command(after_help = "Example:\n  gamops settings check /etc/gamops/daemon.yaml")]
    Check {
        /// The file.
        #[arg(value_name = "FILE")]
        settings: PathBuf,
    },
}

pub(super) async fn run(args: Args) -> anyhow::Result<Exit> {
    let Some(settings) = read(&args.settings)? else {
        return Ok(Exit::Invalid);
    };
    let control = Control::default();
    listen(&control)?;
    daemon::run(settings, Places(state_folder()?), control).await?;
    say("Stopped.");
    Ok(Exit::Done)
}

pub(super) fn settings(args: &SettingsArgs) -> anyhow::Result<Exit> {
    let SettingsCommand::Check { settings: path } = &args.what;
    let Some(settings) = read(path)? else {
        return Ok(Exit::Invalid);
    };
    if let Some(keys) = &settings.repository.signed_by
        && let Err(error) = keys.read()
    {
        say(&format!("error: {:#}", anyhow::Error::new(error)));
        return Ok(Exit::Invalid);
    }
    let address = settings.address()?;
    let channels = settings.tell.channels.iter();
    let forge = (settings.forge.iter()).map(|forge| format!("Sets the status of commits of {}\n", forge.describe()));
    let forge: String = forge.collect();
    let channels: String = channels
        .map(|channel| format!("Tells {}\n", channel.describe()))
        .collect();
    let systems = settings.billing.iter().flat_map(|billing| billing.systems());
    let systems: String = systems
        .map(|(kind, system)| format!("Asks {kind} at {}\n", system.url))
        .collect();
    answer(&format!(
        "Valid: follows {address}, branch {}\n{channels}{forge}{systems}",
        settings.repository.branch
    ));
    Ok(Exit::Done)
}

/// Reads the settings; where they are wrong, that is said.
pub(super) fn read(path: &Path) -> anyhow::Result<Option<Settings>> {
    match Settings::read(path) {
        Ok(settings) => Ok(Some(settings)),
        Err(error) => {
            say(&format!("error: {:#}", anyhow::Error::new(error)));
            Ok(None)
        }
    }
}

/// Lets the system's signals reach the daemon.
fn listen(control: &Control) -> std::io::Result<()> {
    let (mut term, mut hang_up) = (signal(SignalKind::terminate())?, signal(SignalKind::hangup())?);
    let control = control.clone();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = term.recv() => break,
                _ = tokio::signal::ctrl_c() => break,
                _ = hang_up.recv() => control.wake.notify_one(),
            }
        }
        say("Stopping after the commands in flight; what was begun is given back.");
        control.stop.cancel();
    });
    Ok(())
}
