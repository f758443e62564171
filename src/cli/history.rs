//! `gamops history`: what was done, when, by whom, and what became of it.

mod json;
mod text;

use std::path::PathBuf;

use anyhow::Context as _;
use clap::ValueEnum;

use crate::store::{DeviceEntry, Exchange, Packed, RunEntry, RunId, Runs, Store, WrittenPlan};

use super::context::load;
use super::exit::Exit;
use super::settings::{InventoryArgs, StateArgs};
use super::{answer, say};

/// Show what earlier runs did: who, when, which commit, on which devices, and what became of it.
///
/// Every run that did anything, or was refused, is on record before its first command is sent, each command before it
/// goes out and each reply as it comes. No secret is among it.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  gamops history -i inventory-example
  gamops history -i inventory-example --device maple-a --limit 5
  gamops history show -i inventory-example 12       # its plan, each command and each reply"
)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Option<Action>,

    /// At most so many runs, the newest.
    #[arg(long, value_name = "N", default_value = "20", value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,

    #[command(flatten)]
    shared: Shared,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    Show(ShowArgs),
}

/// Show one run: its plan as it was shown, each command and each reply, and why it stopped where it did.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gamops history show -i inventory-example 12
  gamops history show -i inventory-example 12 --device maple-a --format json")]
struct ShowArgs {
    /// Number of the run.
    #[arg(value_name = "RUN")]
    run: RunId,

    #[command(flatten)]
    shared: Shared,
}

#[derive(Debug, clap::Args)]
struct Shared {
    /// Only this device, by the key that it had then.
    #[arg(long, value_name = "KEY")]
    device: Option<String>,

    /// How to print it.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,

    #[command(flatten)]
    inventory: InventoryArgs,

    #[command(flatten)]
    state: StateArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// A plan as it was shown.
struct Shown {
    text: String,
    json: String,
}

/// All that is on record of one run.
struct Whole {
    entry: RunEntry,
    plan: Option<Shown>,
    /// The devices that were asked for, with what was said.
    devices: Vec<(DeviceEntry, Vec<Exchange>)>,
}

pub(super) async fn run(args: Args) -> anyhow::Result<Exit> {
    let shared = match &args.action {
        Some(Action::Show(show)) => &show.shared,
        None => &args.shared,
    };
    let path = match state(shared)? {
        Ok(path) => path,
        Err(exit) => return Ok(exit),
    };
    if !path.exists() {
        say(&format!(
            "error: there is no state database {}: nothing was ever run with it",
            path.display()
        ));
        return Ok(Exit::Failed);
    }
    let store = Store::open(&path)?;
    match args.action {
        None => {
            let wanted = Runs {
                device: args.shared.device,
                limit: Some(args.limit),
            };
            let runs = store.runs(wanted).await?;
            match args.shared.format {
                Format::Text => answer(&text::runs(&runs)),
                Format::Json => answer(&json::runs(&runs)?),
            }
            Ok(Exit::Done)
        }
        Some(Action::Show(show)) => show_one(&store, &show).await,
    }
}

async fn show_one(store: &Store, args: &ShowArgs) -> anyhow::Result<Exit> {
    let Some(mut entry) = store.run(args.run).await? else {
        say(&format!(
            "error: there is no run {} on record\n  help: `gamops history` lists the runs; those that did nothing are not kept",
            args.run
        ));
        return Ok(Exit::Failed);
    };
    if let Some(key) = &args.shared.device {
        entry.untouched.retain(|device| device.device == *key);
        entry.devices.retain(|device| device.device == *key);
        if entry.untouched.is_empty() && entry.devices.is_empty() {
            say(&format!("error: run {} had nothing to do with `{key}`", args.run));
            return Ok(Exit::Failed);
        }
    }
    let mut devices = Vec::with_capacity(entry.devices.len());
    for device in std::mem::take(&mut entry.devices) {
        let exchanges = store.exchanges(args.run, &device.device).await?;
        devices.push((device, exchanges));
    }
    let whole = Whole {
        plan: store.plan_of(args.run).await?.map(|plan| unpacked(&plan)).transpose()?,
        entry,
        devices,
    };
    match args.shared.format {
        Format::Text => answer(&text::whole(&whole)),
        Format::Json => answer(&json::whole(&whole)?),
    }
    Ok(Exit::Done)
}

fn unpacked(plan: &WrittenPlan) -> anyhow::Result<Shown> {
    let of = |packed: &Packed| packed.unpack().context("the plan that is on record is damaged");
    Ok(Shown {
        text: of(&plan.text)?,
        json: of(&plan.json)?,
    })
}

/// The database that is meant. Where it is named the inventory is not needed: what happened can be looked up while
/// that is broken.
fn state(shared: &Shared) -> anyhow::Result<Result<PathBuf, Exit>> {
    if let Some(path) = &shared.state.state {
        return Ok(Ok(path.clone()));
    }
    Ok(match load(&shared.inventory.inventory)? {
        Ok(inventory) => Ok(shared.state.path(&inventory)?),
        Err(exit) => {
            say("  help: name the state database with `--state FILE` to see its history all the same");
            Err(exit)
        }
    })
}
