//! `gamops doctor`: how each device is reached, what it is, and what stands in the way.

mod bundle;
mod json;
mod text;

use std::path::PathBuf;

use clap::ValueEnum;

use crate::checkup::Level;
use crate::dialect::share::Sharing;
use crate::plan::Target;
use crate::reconcile::Examined;

use super::context::{context, load};
use super::exit::Exit;
use super::progress::Progress;
use super::settings::{FleetArgs, InventoryArgs};
use super::{answer, say};

/// Look devices over: the way there, SSH, host key, login, privilege, terminal, firmware, identity, SNMP, clock, open runs;
/// each with what to do about it.
///
/// Changes nothing, on devices or in what is pinned; config mode is entered and left again, and which words a firmware has
/// shown to know is remembered. Each login is tried once. Ends with 1 where there is a problem, and with 0 otherwise.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gamops doctor -i inventory-example maple-a
  gamops doctor -i inventory-example                  # the whole fleet; problems in full
  gamops doctor -i inventory-example maple-a --bundle report.tar.gz
  gamops doctor -i inventory-example --format json | jq '.devices[] | select(.problems > 0) | .device'")]
pub(super) struct Args {
    /// Keys of the devices; all of the inventory where none is given.
    #[arg(value_name = "DEVICE")]
    devices: Vec<String>,

    /// Show every finding of every device; otherwise of several devices only problems are shown in full.
    #[arg(long)]
    all: bool,

    /// How to print it.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,

    /// Also write an archive for a bug report to this file, which must not exist: the findings, what the device sent byte for byte, what
    /// SNMP answered. Credentials, addresses and everything that is not known to be harmless are masked, and names are
    /// replaced by numbers.
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,

    /// Leave names and descriptions in the archive as they are: of subscribers, endpoints and ports.
    #[arg(long, requires = "bundle")]
    with_names: bool,

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

pub(super) async fn run(args: Args) -> anyhow::Result<Exit> {
    let inventory = match load(&args.inventory.inventory)? {
        Ok(inventory) => inventory,
        Err(exit) => return Ok(exit),
    };
    if let Some(path) = args.bundle.as_ref().filter(|path| path.exists()) {
        say(&format!(
            "error: {} exists\n  help: name a file that does not; no device was asked",
            path.display()
        ));
        return Ok(Exit::Failed);
    }
    let named = args.devices.into_iter().map(|device| Target { device, object: None });
    let targets: Vec<Target> = named.chain(args.fleet.targets.iter().cloned()).collect();
    let all = inventory.devices.len();
    let (progress, events) = Progress::start(if targets.is_empty() { all } else { targets.len() });
    let context = context(inventory, &args.inventory.inventory, &args.fleet, events)?;
    let sharing = args.bundle.as_ref().map(|_| match args.with_names {
        true => Sharing::with_names(),
        false => Sharing::anonymous(),
    });
    let examined = context.examine(&targets, sharing.as_ref()).await;
    let inventory = std::sync::Arc::clone(&context.inventory);
    let keyring = std::sync::Arc::clone(&context.keyring);
    drop(context);
    progress.finish().await;
    let examined = examined?;
    match args.format {
        Format::Text => answer(&text::text(&examined, args.all)),
        Format::Json => answer(&json::json(&examined)?),
    }
    if let Some(path) = &args.bundle {
        let secrets = bundle::secrets(&examined, &inventory, &keyring);
        bundle::write(path, &examined, &secrets, !args.with_names)?;
        say(&format!(
            "The report is in {}. Look through it before you send it: `tar -tvf {0}`.",
            path.display()
        ));
    }
    let has_problems = examined.iter().any(|one| worst(one) == Level::Problem);
    Ok(if has_problems { Exit::Failed } else { Exit::Done })
}

/// The worst of what was found on a device.
fn worst(examined: &Examined) -> Level {
    let levels = examined.findings.iter().map(|finding| finding.level);
    levels.max().unwrap_or(Level::Ok)
}

/// How many findings of a device matter so much.
fn count_of(examined: &Examined, level: Level) -> usize {
    let matching = examined.findings.iter().filter(|finding| finding.level == level);
    matching.count()
}
