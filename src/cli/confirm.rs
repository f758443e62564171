//! `gamops confirm`.

use crate::domain::TimeSpan;
use crate::plan::count;
use crate::reconcile::DeviceResult;
use crate::store::{DeviceRunState, RunId, Verdict};

use super::context::{context, load};
use super::exit::Exit;
use super::progress::Progress;
use super::results::devices_text;
use super::settings::{FleetArgs, InventoryArgs};
use super::{answer, say};

/// Keep, or give back, what `gamops apply --confirm-within` made.
///
/// Such an apply changes and verifies, but does not save: it waits for this word. The first word counts, and after the time is
/// over none does. If the apply that waited is still there, it does what the word says; if it is not, this command does.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gamops confirm -i inventory-example 7
  gamops confirm -i inventory-example 7 --reject")]
pub(super) struct Args {
    /// Number of the run, as the apply printed it.
    #[arg(value_name = "RUN")]
    run: RunId,

    /// Give the devices back what they held before.
    #[arg(long)]
    reject: bool,

    /// How long a device that cannot be reached is looked for.
    #[arg(long, value_name = "TIME", default_value = "5m")]
    reconnect_within: TimeSpan,

    #[command(flatten)]
    inventory: InventoryArgs,

    #[command(flatten)]
    fleet: FleetArgs,
}

pub(super) async fn run(args: Args) -> anyhow::Result<Exit> {
    let inventory = match load(&args.inventory.inventory)? {
        Ok(inventory) => inventory,
        Err(exit) => return Ok(exit),
    };
    let (progress, events) = Progress::start(0);
    let context = context(inventory, &args.inventory.inventory, &args.fleet, events)?;
    let standing = context.store.confirmation(args.run).await?;
    if !args.reject && standing.is_some_and(|standing| standing.deadline.is_none() && standing.verdict.is_none()) {
        say(&format!(
            "error: run {0} has not come to its end, so there is nothing to keep yet\n  help: wait until it asks; if it was killed, `gamops confirm --reject {0}` gives back what it made",
            args.run
        ));
        return Ok(Exit::Failed);
    }
    let wanted = if args.reject { Verdict::Reject } else { Verdict::Keep };
    let Some(verdict) = context.store.answer(args.run, wanted, &super::actor()).await? else {
        say(&format!(
            "error: there is no run {} that asks to be confirmed\n  help: `gamops apply --confirm-within` prints the number of its run",
            args.run
        ));
        return Ok(Exit::Failed);
    };
    let here = context
        .conclude(args.run, verdict, args.reconnect_within.into())
        .await?;
    let devices = context.store.devices_of(args.run).await?;
    drop(context);
    progress.finish().await;
    answer(&devices_text(&here));
    let is_here = |key: &str| here.iter().any(|result: &DeviceResult| result.device == key);
    for device in devices.iter().filter(|device| !is_here(&device.device)) {
        answer(&format!("  {}  {}\n", device.device, words(device.state)));
    }
    let settled = |state: DeviceRunState| match verdict {
        Verdict::Keep => state == DeviceRunState::Saved,
        Verdict::Reject | Verdict::Expired => state == DeviceRunState::RolledBack,
    };
    let open = devices.iter().filter(|device| !settled(device.state)).count();
    let (word, done) = match verdict {
        Verdict::Keep => ("confirmed", "kept"),
        Verdict::Reject => ("rejected", "given back"),
        Verdict::Expired => ("not confirmed in time", "given back"),
    };
    answer(&format!(
        "Run {} is {word}: {} of {} {done}.\n",
        args.run,
        devices.len() - open,
        count(devices.len(), "device")
    ));
    Ok(match (verdict == wanted, open) {
        (false, _) => Exit::Refused,
        (true, 0) => Exit::Done,
        (true, _) => Exit::Partial,
    })
}

/// How a device stands that another process has seen to.
fn words(state: DeviceRunState) -> &'static str {
    match state {
        DeviceRunState::Saved | DeviceRunState::Settled | DeviceRunState::Acted => "saved",
        DeviceRunState::RolledBack => "holds what it held before",
        DeviceRunState::PartlyRolledBack => "given back in part",
        DeviceRunState::Sending | DeviceRunState::Verified | DeviceRunState::Failed | DeviceRunState::Interrupted => {
            "neither saved nor given back: `gamops plan` shows how it is"
        }
    }
}
