//! `gamops swap-endpoint`.

use jiff::Timestamp;

use crate::domain::MacAddr;
use crate::inventory::model::Mode;
use crate::inventory::swap::{NoSwap, Swap, swap_endpoint};
use crate::observed::Kind;
use crate::plan::model::Plan;
use crate::plan::{Target, plan_text};
use crate::reconcile::{DeviceOutcome, DeviceResult, Orders};
use crate::repo::Committer;

use super::apply::stop_on_interrupt;
use super::context::{context, load_texts, put_away};
use super::edits::{self, Proposal};
use super::exit::Exit;
use super::progress::Progress;
use super::results::{exit_of, results_text};
use super::settings::{FleetArgs, InventoryArgs, LeaseArgs, WindowArgs};
use super::{actor, answer, ask, nobody_to_ask, say};

/// Give a subscriber another endpoint: edit the inventory, show it with the plan, ask, change the device, verify, save.
///
/// The inventory gets the new MAC address where the old one stands, and nothing else in it moves. Then that subscriber alone is
/// applied, by the same guards and in the same way as any apply; the endpoint keeps its number on the device. Where the device
/// cannot be read, or a guard refuses, nothing is written; where the device refuses, the edit is taken back. What was edited is left
/// for you to commit.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gamops swap-endpoint -i inventory-example s-10401 00:0e:d8:2a:10:99
  gamops swap-endpoint -i inventory-example s-10401 00:0e:d8:2a:10:99 --commit     # and commit the edit
  gamops swap-endpoint -i inventory-example s-10401 00:0e:d8:2a:10:99 --edit-only  # `gamops apply` does the rest")]
pub(super) struct Args {
    /// Key of the subscriber.
    #[arg(value_name = "SUBSCRIBER")]
    subscriber: String,

    /// MAC address of the new endpoint, as on its label.
    #[arg(value_name = "MAC")]
    mac: MacAddr,

    /// Edit the inventory and leave the device as it is.
    #[arg(long)]
    edit_only: bool,

    /// Commit the edit to Git, by itself and under your name, once the device has it. Refused where something else is changed.
    #[arg(long)]
    commit: bool,

    /// Do not ask.
    #[arg(long)]
    auto_approve: bool,

    #[command(flatten)]
    windows: WindowArgs,

    /// Act as if it were then; for trying things out on simulated devices.
    #[arg(long, value_name = "TIME", hide = true)]
    at: Option<Timestamp>,

    #[command(flatten)]
    lease: LeaseArgs,

    #[command(flatten)]
    inventory: InventoryArgs,

    #[command(flatten)]
    fleet: FleetArgs,
}

pub(super) async fn run(args: Args) -> anyhow::Result<Exit> {
    if !args.auto_approve && nobody_to_ask("add `--auto-approve`") {
        return Ok(Exit::Usage);
    }
    if !args.fleet.targets.is_empty() {
        say("error: `--target` means nothing here\n  help: the subscriber that you name is all that is changed");
        return Ok(Exit::Usage);
    }
    let root = &args.inventory.inventory;
    let (files, inventory) = match load_texts(root)? {
        Ok(loaded) => loaded,
        Err(exit) => return Ok(exit),
    };
    let swap = match swap_endpoint(&inventory, &files, &args.subscriber, args.mac) {
        Ok(swap) => swap,
        Err(NoSwap { message, help }) => {
            say(&format!("error: {message}\n  help: {help}"));
            return Ok(Exit::Failed);
        }
    };
    let observed = (inventory.devices.get(&swap.device)).is_some_and(|device| device.mode == Mode::Observe);
    if observed && !args.edit_only {
        say(&format!(
            "error: {} is in `mode: observe`: gamops changes nothing there\n  help: set it to `mode: manage`, or only edit the inventory with `--edit-only`",
            swap.device
        ));
        return Ok(Exit::Refused);
    }
    let committer = match edits::committer(args.commit, root) {
        Ok(committer) => committer,
        Err(exit) => return Ok(exit),
    };
    let proposal = match Proposal::new(root, &files, std::slice::from_ref(&swap.edit)) {
        Ok(proposal) => proposal,
        Err(exit) => return Ok(exit),
    };
    if !args.edit_only {
        return apply(&args, &swap, &proposal, committer.as_ref()).await;
    }
    answer(&proposal.diff());
    if !args.auto_approve && !ask("\nWrite this?").await? {
        say("Not approved: nothing was changed.");
        return Ok(Exit::Failed);
    }
    proposal.write()?;
    proposal.commit(committer.as_ref(), &message(&args, &swap, "Not applied yet."))?;
    answer(&format!(
        "{} is as it was: `gamops apply` does the rest.\n",
        swap.device
    ));
    Ok(Exit::Done)
}

/// Changes the device, with the edit written just before and taken back where the device did not take it.
async fn apply(args: &Args, swap: &Swap, proposal: &Proposal, committer: Option<&Committer>) -> anyhow::Result<Exit> {
    let (progress, events) = Progress::start(1);
    let mut context = context(
        proposal.inventory().clone(),
        &args.inventory.inventory,
        &args.fleet,
        events,
    )?;
    // What the commit says is not what is applied.
    context.commit = (context.commit).map(|commit| format!("{}+changes", commit.trim_end_matches("+changes")));
    context.allowances.by_commit.clear();
    context.leases.ttl = args.lease.lease_ttl.into();
    context.ignore_windows = args.windows.ignore_windows;
    context.now = args.at.unwrap_or(context.now);
    let targets = [Target {
        device: swap.device.clone(),
        object: Some((Kind::Subscriber, args.subscriber.clone())),
    }];
    let planned = tokio::select! {
        planned = context.plan(&targets) => planned?,
        _ = tokio::signal::ctrl_c() => {
            drop(context);
            progress.finish().await;
            say("Interrupted before anything was changed.");
            return Ok(Exit::Failed);
        }
    };
    progress.pause();
    answer(&format!("{}\n{}", proposal.diff(), plan_text(&planned.plan)));
    if let Some((why, exit)) = hindrance(&planned.plan) {
        put_away(planned, context, progress).await;
        say(&format!(
            "{why}The inventory was not edited, and nothing was sent to the device."
        ));
        return Ok(exit);
    }
    if !args.auto_approve && !ask("\nWrite and apply this?").await? {
        put_away(planned, context, progress).await;
        say("Not approved: nothing was changed.");
        return Ok(Exit::Failed);
    }
    if let Err(error) = proposal.write() {
        put_away(planned, context, progress).await;
        return Err(error.into());
    }
    stop_on_interrupt(&context.cancel);
    let applied = context.apply(planned, &Orders::by(actor())).await;
    drop(context);
    progress.finish().await;
    let applied = match applied {
        Ok(applied) => applied,
        Err(error) => {
            take_back(proposal);
            return Err(error.into());
        }
    };
    answer(&results_text(&applied.results, "Swap", false));
    if applied.results.iter().any(goes_on) {
        let done = format!("Applied to {} by run {}.", swap.device, applied.run);
        proposal.commit(committer, &message(args, swap, &done))?;
    } else {
        take_back(proposal);
    }
    Ok(exit_of(&applied.results))
}

/// Why the plan cannot be applied, in whole sentences before its end, and the exit code for it.
fn hindrance(plan: &Plan) -> Option<(String, Exit)> {
    if plan.has_unread() {
        return Some((String::new(), Exit::Failed));
    }
    if plan.is_guarded() || plan.has_refusals() || plan.read().any(|device| device.held.is_some()) {
        return Some((String::new(), Exit::Refused));
    }
    let waiting = plan.waiting().next()?;
    let help = "`--ignore-windows` does it now, `--edit-only` leaves it to a later apply";
    Some((format!("error: {waiting}\n  help: {help}\n"), Exit::Refused))
}

/// Whether the inventory stays as it was edited: the device holds what it says, or was left on the way there, and the next apply goes
/// on.
fn goes_on(result: &DeviceResult) -> bool {
    match &result.outcome {
        DeviceOutcome::Stopped(stopped) => stopped.failure.touched(),
        DeviceOutcome::Applied(..) => true,
        outcome => outcome.is_fine(),
    }
}

fn take_back(proposal: &Proposal) {
    match proposal.take_back() {
        Ok(()) => say("The edit was taken back: the inventory is as it was."),
        Err(error) => say(&format!(
            "error: the edit could not be taken back: {}\n  help: the inventory has the new endpoint, the device the old one: mend the inventory by hand",
            crate::reconcile::chain(&error)
        )),
    }
}

/// The message of the commit.
fn message(args: &Args, swap: &Swap, done: &str) -> String {
    let (subscriber, mac, before) = (&args.subscriber, args.mac, swap.before);
    format!("{subscriber}: endpoint {mac} in place of {before}\n\nBy `gamops swap-endpoint`. {done}\n")
}
