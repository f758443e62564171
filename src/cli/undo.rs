//! `gamops undo`.

use std::fmt::Write as _;

use crate::plan::guard::Allow;
use crate::plan::{count, undo_text};
use crate::reconcile::{DeviceOutcome, DeviceResult, Orders, RunError, Undoing};
use crate::store::RunId;

use super::apply::stop_on_interrupt;
use super::context::{context, load, put_away};
use super::exit::Exit;
use super::progress::Progress;
use super::results::{exit_of, results_text};
use super::settings::{FleetArgs, InventoryArgs, LeaseArgs};
use super::{actor, answer, ask, nobody_to_ask, say};

/// Take back what a run did: show it as a plan, ask, give back, verify, save.
///
/// What the run changed becomes what it was before, field by field. What was done since, by later runs, by other people, stays
/// and is named. The undo is a run of its own: it can be looked up, and undone in turn. The inventory is not changed:
/// where it still asks for what is undone, that is said, since the next apply would do it again.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gamops history -i inventory-example
  gamops undo -i inventory-example 12
  gamops undo -i inventory-example 12 --target maple-a/subscriber/s-10442")]
pub(super) struct Args {
    /// Number of the run, as `gamops history` lists it.
    #[arg(value_name = "RUN")]
    run: RunId,

    #[command(flatten)]
    inventory: InventoryArgs,

    #[command(flatten)]
    fleet: FleetArgs,

    /// Say that this is meant, though a guard refuses it, as for `gamops apply`.
    #[arg(long = "allow", value_name = "WHAT=N")]
    allow: Vec<Allow>,

    #[command(flatten)]
    lease: LeaseArgs,

    /// Do not ask before changing devices.
    #[arg(long)]
    auto_approve: bool,
}

pub(super) async fn run(args: Args) -> anyhow::Result<Exit> {
    if !args.auto_approve && nobody_to_ask("look at `gamops history show`, then run `gamops undo --auto-approve`") {
        return Ok(Exit::Usage);
    }
    let inventory = match load(&args.inventory.inventory)? {
        Ok(inventory) => inventory,
        Err(exit) => return Ok(exit),
    };
    let (progress, events) = Progress::start(inventory.devices.len());
    let mut context = context(inventory, &args.inventory.inventory, &args.fleet, events)?;
    context.allowances.by_flag = args.allow;
    context.leases.ttl = args.lease.lease_ttl.into();
    let undoing = tokio::select! {
        undoing = context.plan_undo(args.run, &args.fleet.targets) => match undoing {
            Err(RunError::NotUndoable(reason)) => {
                drop(context);
                progress.finish().await;
                say(&format!("error: {reason}"));
                return Ok(Exit::Failed);
            }
            undoing => undoing?,
        },
        _ = tokio::signal::ctrl_c() => {
            drop(context);
            progress.finish().await;
            say("Interrupted before anything was changed.");
            return Ok(Exit::Failed);
        }
    };
    progress.pause();
    for reason in &undoing.left_out {
        say(&format!("note: left out: {reason}"));
    }
    answer(&undo_text(&undoing.planned.plan, &undoing.head));
    let plan = &undoing.planned.plan;
    if plan.is_guarded() {
        context.refuse(&undoing.planned, &actor()).await?;
        put_away(undoing.planned, context, progress).await;
        say("Nothing was sent to any device.");
        return Ok(Exit::Refused);
    }
    let devices = plan.read().filter(|device| device.is_actionable()).count();
    let question = format!("\nUndo this on {}?", count(devices, "device"));
    if devices > 0 && !args.auto_approve && !ask(&question).await? {
        put_away(undoing.planned, context, progress).await;
        say("Not approved: nothing was changed.");
        return Ok(Exit::Failed);
    }
    stop_on_interrupt(&context.cancel);
    let quiet = devices == 0;
    let Undoing {
        planned,
        run,
        asked_again,
        ..
    } = undoing;
    let results = context.apply(planned, &Orders::by(actor())).await?.results;
    drop(context);
    progress.finish().await;
    answer(&results_text(&results, "Undo", quiet));
    let is_done = |result: &&DeviceResult| matches!(result.outcome, DeviceOutcome::Applied(..));
    let mut still = String::new();
    for DeviceResult { device, .. } in results.iter().filter(is_done) {
        for address in asked_again.get(device).into_iter().flatten() {
            let _ = writeln!(still, "  {device}/{address}");
        }
    }
    if !still.is_empty() {
        let commit = match &run.commit {
            Some(commit) => format!("The run was made from commit {commit}: revert what asked for it there"),
            None => "Take it back there as well".to_owned(),
        };
        answer(&format!(
            "\nThe inventory still asks for what was undone:\n{still}{commit}, or the next `gamops apply` does it again.\n"
        ));
    }
    Ok(exit_of(&results))
}
