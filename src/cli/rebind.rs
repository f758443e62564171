//! `gamops rebind`.

use std::fmt::Write as _;

use crate::reconcile::{Events, PlannedRebind, Rebound, Unplanned};

use super::context::{context, load};
use super::exit::Exit;
use super::results::{not_read, refused};
use super::settings::{FleetArgs, InventoryArgs};
use super::{actor, answer, apply, ask, nobody_to_ask, say};

/// Have a port-aware device serve a subscriber by the endpoint that is on its port now.
///
/// Such a device ties endpoints to ports by itself, and keeps them tied: a box carried to another flat, or a new one in
/// place of an old one, may be left without service. This takes off their ports whatever is in the way, and lets the
/// device tie what it sees. It is no part of a plan, since endpoints are no settings there.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  gamops rebind -i inventory-example s-15001")]
pub(super) struct Args {
    /// Key of the subscriber.
    #[arg(value_name = "SUBSCRIBER")]
    subscriber: String,

    /// Do not ask.
    #[arg(long)]
    auto_approve: bool,

    #[command(flatten)]
    inventory: InventoryArgs,

    #[command(flatten)]
    fleet: FleetArgs,
}

pub(super) async fn run(args: Args) -> anyhow::Result<Exit> {
    if !args.auto_approve && nobody_to_ask("add `--auto-approve`") {
        return Ok(Exit::Usage);
    }
    let inventory = match load(&args.inventory.inventory)? {
        Ok(inventory) => inventory,
        Err(exit) => return Ok(exit),
    };
    let subscriber = inventory.subscribers.get(&args.subscriber);
    let device = subscriber.and_then(|subscriber| inventory.devices.get(&subscriber.device).cloned());
    let Some(device) = device else {
        say(&format!("error: the inventory has no subscriber `{}`", args.subscriber));
        return Ok(Exit::Failed);
    };
    let context = context(inventory, &args.inventory.inventory, &args.fleet, Events::default())?;
    let planned = match context.plan_rebind(&device, &args.subscriber).await? {
        Ok(planned) => planned,
        Err(unplanned) => return Ok(not_planned(&unplanned, &device.key)),
    };
    answer(&planned_text(&planned, &args.subscriber, &device.key));
    if !args.auto_approve && !ask("\nApply this?").await? {
        say("Not approved: nothing was changed.");
        return Ok(Exit::Failed);
    }
    apply::stop_on_interrupt(&context.cancel);
    let (port, mac) = (planned.rebind.port, planned.rebind.mac);
    Ok(match context.apply_rebind(planned, &actor()).await? {
        Rebound::Done { tied: true } => {
            answer(&format!(
                "Rebound: endpoint {mac} is tied to port {port}; verified, saved.\n"
            ));
            Exit::Done
        }
        Rebound::Done { tied: false } => {
            answer(&format!(
                "Let go, verified, saved. The device has not tied endpoint {mac} to port {port} yet; it does so by itself.\n"
            ));
            Exit::Done
        }
        Rebound::Stale => {
            say("The device is no longer as it was when this was planned; nothing was sent. Try again.");
            Exit::Stale
        }
        Rebound::Busy(why) => {
            say(&format!("error: nothing was sent: {why}"));
            Exit::Refused
        }
        Rebound::Stopped { reason, sent } => {
            let mut out = format!("error: {}: {reason}\n  the device is left unsaved", device.key);
            for command in &sent {
                let _ = write!(out, "\n  taken: {command}");
            }
            say(&out);
            Exit::Failed
        }
    })
}

fn not_planned(unplanned: &Unplanned, device: &str) -> Exit {
    match unplanned {
        Unplanned::Nothing(reason) => {
            answer(&format!("Nothing to rebind: {reason}.\n"));
            Exit::Done
        }
        Unplanned::Refused(refusal) => refused(refusal),
        Unplanned::Unread(unread) => not_read(unread, device),
    }
}

fn planned_text(planned: &PlannedRebind, subscriber: &str, device: &str) -> String {
    let rebind = &planned.rebind;
    let mut out = format!(
        "{subscriber} on {device}: endpoint {} is on its port {}\n",
        rebind.mac, rebind.port
    );
    for freed in &rebind.freed {
        let mac = freed.held.mac.map(|mac| format!(" ({mac})")).unwrap_or_default();
        let serves = freed.serves.as_ref().map(|name| format!(", that of {name}"));
        let _ = writeln!(
            out,
            "  the device lets go of endpoint {}{mac}, tied to port {}{}",
            freed.id,
            freed.from,
            serves.unwrap_or_default()
        );
    }
    let commands = crate::plan::count(planned.commands.len(), "command");
    let _ = writeln!(out, "  {commands}, in this order:");
    for command in &planned.commands {
        let _ = writeln!(out, "    {command}");
    }
    for note in &planned.notes {
        let _ = writeln!(out, "  note: {note}");
    }
    out
}
