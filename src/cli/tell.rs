//! `gamops tell test`.

use std::path::PathBuf;

use crate::daemon::tell::trial;

use super::daemon::read;
use super::exit::Exit;
use super::{answer, say};

/// Try out whom the daemon tells.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  gamops tell test --settings /etc/gamops/daemon.yaml")]
pub(super) struct Args {
    #[command(subcommand)]
    what: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Send a message of trial to each channel of the settings, and say what came of it.
    ///
    /// Filters do not count, and nothing is tried again. Ends with 1 where a channel did not take it.
    #[command(after_help = "Examples:
  gamops tell test --settings /etc/gamops/daemon.yaml
  gamops tell test --settings /etc/gamops/daemon.yaml --channel noc")]
    Test {
        /// The settings of the daemon.
        #[arg(long, value_name = "FILE", env = "GAMOPS_DAEMON_SETTINGS")]
        settings: PathBuf,

        /// Only this channel; may be given more than once.
        #[arg(long = "channel", value_name = "NAME")]
        channels: Vec<String>,
    },
}

pub(super) async fn run(args: Args) -> anyhow::Result<Exit> {
    let Command::Test { settings, channels } = args.what;
    let Some(settings) = read(&settings)? else {
        return Ok(Exit::Invalid);
    };
    let mut chosen = settings.tell.channels;
    if let Some(unknown) = (channels.iter()).find(|name| chosen.iter().all(|channel| channel.name != **name)) {
        anyhow::bail!("`tell.channels` of the settings has no `{unknown}`");
    }
    chosen.retain(|channel| channels.is_empty() || channels.contains(&channel.name));
    if chosen.is_empty() {
        say("The settings have no `tell.channels`: nobody is told anything.");
        return Ok(Exit::Done);
    }
    let trials = trial(&chosen).await;
    let lines = trials.iter().map(|trial| match &trial.failure {
        None => format!("taken      {}\n", trial.channel),
        Some(reason) => format!("NOT TAKEN  {}\n           {reason}\n", trial.channel),
    });
    answer(&lines.collect::<String>());
    let all = trials.iter().all(|trial| trial.failure.is_none());
    Ok(if all { Exit::Done } else { Exit::Failed })
}
