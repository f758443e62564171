//! `gamops plan`.

use std::path::PathBuf;

use clap::ValueEnum;
use jiff::Timestamp;

use crate::plan::json::plan_json;
use crate::plan::model::Plan;
use crate::plan::preview::{Preview, preview_json, preview_markdown, preview_text};

use super::context::{context, load};
use super::exit::Exit;
use super::kept;
use super::observed::{self, ComparisonArgs, Made, Manner};
use super::progress::Progress;
use super::settings::{FleetArgs, InventoryArgs, WaveArgs, WindowArgs};
use super::since::{self, Scope, SinceArgs};
use super::{answer, say};

/// Show what `apply` would change, without changing anything.
///
/// Reads every device over SSH (and SNMP, where it answers) and compares it with the inventory.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gamops plan -i inventory-example
  gamops plan -i inventory-example --target maple-a
  gamops plan -i inventory-example --changed-since HEAD~1 # only the devices that the last commit is about
  gamops plan -i inventory-example --format json | jq .summary
  gamops plan -i inventory-example --out friday.plan      # later: gamops apply friday.plan
  gamops plan -i inventory-example --at 2026-12-24T03:00Z  # as if it were then
  gamops plan -i inventory-example --detailed-exitcode    # exits 2 when there are changes
  gamops plan -i . --observed --base origin/main --head HEAD  # what a merge comes to, without reaching a device",
    mut_arg("base", |arg| arg.requires("observed")),
    mut_arg("head", |arg| arg.requires("observed")),
    mut_arg("observed_from", |arg| arg.requires("observed")),
    mut_arg("daemon", |arg| arg.requires("observed")),
)]
pub(super) struct Args {
    #[command(flatten)]
    inventory: InventoryArgs,

    #[command(flatten)]
    fleet: FleetArgs,

    #[command(flatten)]
    since: SinceArgs,

    #[command(flatten)]
    waves: WaveArgs,

    #[command(flatten)]
    windows: WindowArgs,

    /// Plan as if it were then: which maintenance windows would be open. A time with its offset, such as 2026-12-24T03:00Z.
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,

    /// Plan from what the daemon observed and put into the repository, and reach no device: no login, no state database. The
    /// plan is as old as the observation, and says how old that is.
    #[arg(long, conflicts_with_all = ["changed_since", "out"])]
    observed: bool,

    #[command(flatten)]
    comparison: ComparisonArgs,

    /// How to print the plan.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,

    /// Also keep the plan in this file, for `gamops apply FILE`: JSON as `--format json` prints it, readable by its
    /// owner only.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Exit 2 when there is something to apply, 0 when there is not.
    #[arg(long)]
    detailed_exitcode: bool,
}

/// How a plan is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For programs; `gamops schema plan` prints its schema.
    Json,
    /// For one comment on a change request.
    Markdown,
}

pub(super) async fn run(args: Args) -> anyhow::Result<Exit> {
    if args.observed {
        return by_observation(&args).await;
    }
    let mut inventory = match load(&args.inventory.inventory)? {
        Ok(inventory) => inventory,
        Err(exit) => return Ok(exit),
    };
    let since = match since::compare(&inventory, &args.inventory.inventory, &args.since)? {
        Ok(since) => since,
        Err(exit) => return Ok(exit),
    };
    args.waves.over(&mut inventory.policies.waves);
    let (progress, events) = Progress::start(args.fleet.targets.len().max(inventory.devices.len()));
    let mut context = context(inventory, &args.inventory.inventory, &args.fleet, events)?;
    context.ignore_windows = args.windows.ignore_windows;
    context.now = args.at.unwrap_or(context.now);
    let now = context.now;
    let scope = Scope::new(since, &context, &args.fleet.targets).await?;
    let planned = tokio::select! {
        planned = scope.plan(&context) => planned?,
        _ = tokio::signal::ctrl_c() => {
            drop(context);
            progress.finish().await;
            say("Interrupted; a plan changes nothing.");
            return Ok(Exit::Failed);
        }
    };
    let plan = planned.close().await;
    drop(context);
    progress.finish().await;
    scope.say();
    // A plan of nothing would be taken for one of the whole fleet.
    let out = args.out.as_ref().filter(|_| !scope.is_empty());
    if let Some(path) = out {
        kept::write(path, &plan)?;
    } else if let Some(path) = &args.out {
        say(&format!(
            "note: there is no plan to keep: {} was not written",
            path.display()
        ));
    }
    match args.format {
        Format::Text => answer(&scope.text(&plan)),
        Format::Json => answer(&format!("{}\n", serde_json::to_string_pretty(&plan_json(&plan))?)),
        Format::Markdown => answer(&preview_markdown(&Preview::of_devices(plan.clone(), now), "")),
    }
    if let Some(path) = out {
        let path = path.display();
        say(&format!(
            "The plan is in {path}; exactly this is applied by `gamops apply {path}`."
        ));
    }
    Ok(exit_of(&plan, args.detailed_exitcode))
}

/// Plans without reaching anybody.
async fn by_observation(args: &Args) -> anyhow::Result<Exit> {
    let manner = Manner {
        waves: &args.waves,
        ignore_windows: args.windows.ignore_windows,
        now: args.at.unwrap_or_else(Timestamp::now),
        targets: &args.fleet.targets,
    };
    let Made { preview, unusable, .. } =
        match observed::preview(&args.inventory.inventory, &args.comparison, manner).await? {
            Ok(made) => made,
            Err(not_made) => return Ok(not_made.exit()),
        };
    match args.format {
        Format::Text => answer(&preview_text(&preview)),
        Format::Json => answer(&format!("{}\n", serde_json::to_string_pretty(&preview_json(&preview))?)),
        Format::Markdown => answer(&preview_markdown(&preview, "")),
    }
    // A device that nobody could have read yet is no failure.
    Ok(if unusable.is_empty() {
        exit_of_read(&preview.plan, args.detailed_exitcode)
    } else {
        Exit::Failed
    })
}

/// What a plan means to a script: unread beats refused, refused beats changes.
fn exit_of(plan: &Plan, detailed: bool) -> Exit {
    if plan.has_unread() {
        Exit::Failed
    } else {
        exit_of_read(plan, detailed)
    }
}

/// The same of a plan in which nothing is unread that should have been.
fn exit_of_read(plan: &Plan, detailed: bool) -> Exit {
    if plan.has_refusals() {
        Exit::Refused
    } else if detailed && plan.is_actionable() {
        Exit::Changes
    } else {
        Exit::Done
    }
}
