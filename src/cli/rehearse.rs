//! `gamops rehearse`: what a change would do, done to simulated devices.

mod account;
mod stage;

use std::collections::BTreeSet;

use clap::ValueEnum;
use jiff::Timestamp;

use crate::plan::guard::way_through;
use crate::plan::model::Plan;
use crate::reconcile::Orders;

use super::exit::Exit;
use super::observed::{self, ComparisonArgs, Made, Manner};
use super::results::exit_of;
use super::settings::{InventoryArgs, WaveArgs, WindowArgs};
use super::{answer, say};

use account::{Account, Rehearsal};
use stage::Stage;

pub(super) use account::RehearsalJson;

/// Apply a change to simulated devices that hold what the daemon observed, and see whether they take it.
///
/// Starts a device of its own for each that the plan would change, with the firmware, the configuration and the words that it was
/// observed to have; applies the plan to them over SSH, reads them back, and plans again. No device of yours is reached. What the
/// simulator knows of a GAM is what documents and transcripts show: it finds what a firmware of these would refuse, not what
/// nobody has ever seen.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gamops rehearse --base origin/main --head HEAD   # what a merge comes to
  gamops rehearse --format json | jq .converged    # the files of the work tree")]
pub(super) struct Args {
    #[command(flatten)]
    inventory: InventoryArgs,

    /// What is rehearsed, and from which observation.
    #[command(flatten)]
    comparison: ComparisonArgs,

    #[command(flatten)]
    windows: WindowArgs,

    /// Rehearse as if it were then. A time with its offset, such as 2026-12-24T03:00Z.
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,

    /// How to print what it came to.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

/// How a rehearsal is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For programs; `gamops schema rehearsal` prints its schema.
    Json,
}

pub(super) async fn run(args: Args) -> anyhow::Result<Exit> {
    let waves = WaveArgs {
        canary: None,
        wave_size: None,
        wave_pause: None,
    };
    let manner = Manner {
        waves: &waves,
        ignore_windows: args.windows.ignore_windows,
        now: args.at.unwrap_or_else(Timestamp::now),
        targets: &[],
    };
    let made = match observed::preview(&args.inventory.inventory, &args.comparison, manner).await? {
        Ok(made) => made,
        Err(not_made) => return Ok(not_made.exit()),
    };
    let plan = &made.preview.plan;
    if plan.is_guarded() {
        say(&refusals(plan).join("\n"));
        say("The plan is refused as a whole, and would be sent to no device: nothing was rehearsed.");
        return Ok(Exit::Refused);
    }
    let rehearsal = perform(&made, manner).await?;
    match args.format {
        Format::Text => answer(&rehearsal.text()),
        Format::Json => answer(&format!("{}\n", serde_json::to_string_pretty(&rehearsal.json())?)),
    }
    Ok(exit(&made, &rehearsal))
}

/// The devices that would be changed, and those that subscribers move to.
fn cast(plan: &Plan) -> BTreeSet<String> {
    let changed = plan.devices.iter().filter(|device| device.is_actionable());
    let changed = changed.map(|device| device.device.clone());
    changed.chain(plan.moves.iter().map(|one| one.to.clone())).collect()
}

/// Applies a plan to simulated devices.
async fn perform(made: &Made, manner: Manner<'_>) -> anyhow::Result<Rehearsal> {
    let cast = cast(&made.preview.plan);
    let (stage, unfit) = Stage::set(made, &cast, manner).await?;
    let mut rehearsal = Rehearsal::of(&made.preview, &made.fleet, &made.inventory, unfit);
    let planned = stage.context.plan(&[]).await?;
    rehearsal.compare(&made.preview.plan, &planned.plan);
    let applied = stage.context.apply(planned, &Orders::by("rehearsal")).await?;
    let after = stage.context.plan(&[]).await?.close().await;
    for result in applied.results {
        rehearsal.note(result, &after);
    }
    stage.strike().await;
    Ok(rehearsal)
}

/// As an apply ends.
fn exit(made: &Made, rehearsal: &Rehearsal) -> Exit {
    let of_results = exit_of(&rehearsal.results);
    let is_good = |account: &Account| account.problems.is_empty();
    let good = rehearsal.accounts.values().filter(|account| is_good(account)).count();
    match (of_results, good == rehearsal.accounts.len()) {
        (Exit::Done, true) if made.preview.plan.has_refusals() => Exit::Refused,
        (Exit::Done, true) if !made.unusable.is_empty() => Exit::Failed,
        (Exit::Done, true) => Exit::Done,
        (_, _) if good > 0 => Exit::Partial,
        (Exit::Done, _) => Exit::Failed,
        // Nothing of yours was changed: that it came half the way says nothing more.
        (Exit::Partial, _) => Exit::Failed,
        (other, _) => other,
    }
}

/// Why guards and rules refuse a plan.
fn refusals(plan: &Plan) -> Vec<String> {
    let guarded = plan.guarded_by();
    let mut lines: Vec<String> = guarded.iter().map(|why| format!("Refused by {why}")).collect();
    lines.extend(way_through(&plan.trips).map(|way| format!("  help: {way}")));
    lines
}
