//! `gamops backup`: what devices hold, as text files.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::ValueEnum;
use serde_json::json;

use crate::plan::Target;
use crate::plan::model::Unread;
use crate::reconcile::Backup;

use super::context::{context, load};
use super::exit::Exit;
use super::progress::Progress;
use super::settings::{FleetArgs, InventoryArgs};
use super::{answer, file};

/// Version of the JSON shape: a new major where a key goes away or means something else.
const FORMAT_VERSION: &str = "1.0";

/// Write the running configuration of each device to a text file, `DIR/<key>.txt`: to be read, compared, or kept in Git.
///
/// Secrets are masked. Nothing in a file changes by itself, a file whose device holds what it held stays untouched, and so
/// does the file of a device that cannot be reached.
///
/// This is no way to restore a device, and none is offered: passwords and communities are masked, a configuration that is
/// loaded over another merges with it, and the numbers of a device that changed meanwhile may stand for other subscribers
/// by then. What a device should hold is in the inventory; what a run did is taken back with `gamops undo`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gamops backup -i inventory-example --to configs
  gamops backup -i inventory-example --to configs maple-a lodge-a
  gamops backup -i inventory-example --to configs && git -C configs diff --stat")]
pub(super) struct Args {
    /// Keys of the devices; all of the inventory where none is given.
    #[arg(value_name = "DEVICE")]
    devices: Vec<String>,

    /// Folder for the files; made where it is missing.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,

    /// How to print what was done.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,

    #[command(flatten)]
    inventory: InventoryArgs,

    #[command(flatten)]
    fleet: FleetArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// What became of a device's file.
enum Done {
    Written,
    Unchanged,
    NotRead(Unread),
}

pub(super) async fn run(args: Args) -> anyhow::Result<Exit> {
    let inventory = match load(&args.inventory.inventory)? {
        Ok(inventory) => inventory,
        Err(exit) => return Ok(exit),
    };
    // Before any device is asked: what cannot be kept need not be read.
    std::fs::create_dir_all(&args.to).with_context(|| format!("making the folder {}", args.to.display()))?;
    let named = args.devices.into_iter().map(|device| Target { device, object: None });
    let targets: Vec<Target> = named.chain(args.fleet.targets.iter().cloned()).collect();
    let all = inventory.devices.len();
    let (progress, events) = Progress::start(if targets.is_empty() { all } else { targets.len() });
    let context = context(inventory, &args.inventory.inventory, &args.fleet, events)?;
    let read = context.backups(&targets).await;
    drop(context);
    progress.finish().await;
    let mut done = Vec::new();
    for Backup { device, text } in read? {
        let path = args.to.join(format!("{device}.txt"));
        let what = match text {
            Ok(text) => keep(&path, &text).with_context(|| format!("writing {}", path.display()))?,
            Err(unread) => Done::NotRead(unread),
        };
        done.push((device, path, what));
    }
    match args.format {
        Format::Text => answer(&text(&done)),
        Format::Json => answer(&json(&done)?),
    }
    let missed = done
        .iter()
        .filter(|(_, _, what)| matches!(what, Done::NotRead(_)))
        .count();
    Ok(match missed {
        0 => Exit::Done,
        _ if missed == done.len() => Exit::Failed,
        _ => Exit::Partial,
    })
}

/// Writes a file, whole or not at all, unless it holds that text already.
fn keep(path: &Path, text: &str) -> io::Result<Done> {
    match std::fs::read(path) {
        Ok(held) if held == text.as_bytes() => return Ok(Done::Unchanged),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    file::replace(path, text.as_bytes())?;
    Ok(Done::Written)
}

fn text(done: &[(String, PathBuf, Done)]) -> String {
    let mut out = String::new();
    let (mut written, mut unchanged, mut missed) = (0, 0, 0);
    for (device, path, what) in done {
        match what {
            Done::Written => {
                written += 1;
                out.push_str(&format!("{device}  written to {}\n", path.display()));
            }
            Done::Unchanged => unchanged += 1,
            Done::NotRead(unread) => {
                missed += 1;
                let help = unread.help.as_ref().map(|help| format!("\n  help: {help}"));
                out.push_str(&format!(
                    "{device}  NOT REACHED: {}{}\n",
                    unread.reason,
                    help.unwrap_or_default()
                ));
            }
        }
    }
    let kept = if missed > 0 { "; what it had is as it was" } else { "" };
    out.push_str(&format!(
        "{written} written, {unchanged} unchanged, {missed} not reached{kept}.\n"
    ));
    out
}

fn json(done: &[(String, PathBuf, Done)]) -> anyhow::Result<String> {
    let devices = done.iter().map(|(device, path, what)| {
        let (outcome, reason) = match what {
            Done::Written => ("written", None),
            Done::Unchanged => ("unchanged", None),
            Done::NotRead(unread) => ("not-reached", Some(&unread.reason)),
        };
        json!({ "device": device, "file": path, "outcome": outcome, "reason": reason })
    });
    let value = json!({ "format_version": FORMAT_VERSION, "devices": devices.collect::<Vec<_>>() });
    Ok(serde_json::to_string_pretty(&value)? + "\n")
}
