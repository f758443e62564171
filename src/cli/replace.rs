//! `gamops replace`.

use std::fmt::Write as _;

use crate::domain::TimeSpan;
use crate::plan::plan_text;
use crate::reconcile::{Orders, PlannedReplacement, Replacement};

use super::action::not_ready;
use super::apply::stop_on_interrupt;
use super::context::{context, device, load, put_away};
use super::exit::Exit;
use super::progress::Progress;
use super::results::{exit_of, results_text};
use super::settings::{FleetArgs, InventoryArgs, LeaseArgs};
use super::trust::words;
use super::{actor, answer, ask, nobody_to_ask, say};

/// Put a new unit in the place of a device: take it for the same one, and bring it to what the old one held.
///
/// For an exchanged unit, at the address that the inventory has. It shows what was pinned and what answers now, and the plan: what
/// gamops managed, under the numbers that it had on the old unit, with the host name and the settings of the ports that the last run
/// left there. Then pin and records go to the new unit, and the plan is applied like any other. Cut off on the way,
/// the same command goes on from there. The old unit is refused from then on.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  gamops replace -i inventory-example maple-a")]
pub(super) struct Args {
    /// Key of the device.
    #[arg(value_name = "DEVICE")]
    device: String,

    /// Go on though the new unit does not come from the factory: what it holds is left alone, as unmanaged.
    #[arg(long)]
    over_existing: bool,

    /// Do not ask.
    #[arg(long)]
    auto_approve: bool,

    /// How long a device that is lost on the way is looked for, to give it back what it held: `90s`, `5m`.
    #[arg(long, value_name = "TIME", default_value = "5m")]
    reconnect_within: TimeSpan,

    #[command(flatten)]
    lease: LeaseArgs,

    #[command(flatten)]
    inventory: InventoryArgs,

    #[command(flatten)]
    fleet: FleetArgs,
}

pub(super) async fn run(args: Args) -> anyhow::Result<Exit> {
    if !args.auto_approve && nobody_to_ask("add `--auto-approve` once you know that the unit is the right one") {
        return Ok(Exit::Usage);
    }
    let inventory = match load(&args.inventory.inventory)? {
        Ok(inventory) => inventory,
        Err(exit) => return Ok(exit),
    };
    let Some(device) = device(&inventory, &args.device).cloned() else {
        return Ok(Exit::Failed);
    };
    let (progress, events) = Progress::start(1);
    let mut context = context(inventory, &args.inventory.inventory, &args.fleet, events)?;
    context.leases.ttl = args.lease.lease_ttl.into();
    let replacement = context.plan_replacement(&device).await?;
    progress.pause();
    let planned = match replacement {
        Ok(Replacement::New(planned)) => *planned,
        Ok(Replacement::Same { now, other_key }) => {
            drop(context);
            progress.finish().await;
            answer(&format!(
                "It is the pinned unit, {}: nothing to replace.\n",
                words(&now)
            ));
            if other_key {
                say(&format!(
                    "note: its host key is another one: `gamops trust {}` accepts it",
                    device.key
                ));
            }
            return Ok(Exit::Done);
        }
        Ok(Replacement::NeverMet) => {
            drop(context);
            progress.finish().await;
            say(&format!(
                "error: no unit was ever met as `{0}`: there is nothing to replace\n  help: `gamops plan --target {0}`",
                device.key
            ));
            return Ok(Exit::Failed);
        }
        Err(unready) => {
            drop(context);
            progress.finish().await;
            return Ok(not_ready(&unready, &device.key));
        }
    };
    answer(&shown(&planned, &device.key, args.over_existing));
    if !planned.existing.is_empty() && !args.over_existing {
        put_away(planned.planned, context, progress).await;
        say(
            "REFUSED[not-factory-fresh]: the new unit holds configuration; nothing was sent, and the old one is still the pinned one\n  help: reset it to factory state, or leave that alone with `--over-existing`",
        );
        return Ok(Exit::Refused);
    }
    if planned.is_refused() {
        if planned.planned.plan.is_guarded() {
            context.refuse(&planned.planned, &actor()).await?;
        }
        put_away(planned.planned, context, progress).await;
        say("Nothing was sent, and the pins are as they were.");
        return Ok(Exit::Refused);
    }
    if !args.auto_approve && !ask("\nTake this unit for the device, and apply this?").await? {
        put_away(planned.planned, context, progress).await;
        say("Not approved: nothing was sent, and the pins are as they were.");
        return Ok(Exit::Failed);
    }
    stop_on_interrupt(&context.cancel);
    let orders = Orders {
        patience: args.reconnect_within.into(),
        ..Orders::by(actor())
    };
    let results = context.replace(planned, &orders).await?.results;
    drop(context);
    progress.finish().await;
    answer(&results_text(&results, "Replacement", false));
    let exit = exit_of(&results);
    if exit != Exit::Done {
        say(&format!(
            "  help: the new unit is the pinned one now; `gamops replace {}` goes on from there",
            device.key
        ));
    }
    Ok(exit)
}

/// Both units, what stands on the new one, and the plan.
fn shown(planned: &PlannedReplacement, device: &str, over_existing: bool) -> String {
    let mut out = format!("Replacement of {device}\n");
    if planned.goes_on {
        let _ = writeln!(
            out,
            "  the unit, {}, was taken for it already; going on",
            words(&planned.now)
        );
    } else {
        let _ = writeln!(out, "  was: {}", words(&planned.pinned));
        let _ = writeln!(out, "  now: {}", words(&planned.now));
    }
    if planned.existing.is_empty() {
        out.push_str("  what gamops did not manage on the old unit is not put on the new one\n");
    } else {
        let left = if over_existing { ", which is left alone" } else { "" };
        let _ = writeln!(out, "  it does not come from the factory; it holds{left}:");
        for (id, name) in &planned.existing {
            let _ = writeln!(out, "    {id} \"{name}\"");
        }
    }
    out.push('\n');
    out.push_str(&plan_text(&planned.planned.plan));
    out
}
