//! `gamops reboot-endpoint`, `gamops cycle-poe`, `gamops clear-counters`: what comes up day by day and changes no setting.

use std::fmt::Write as _;

use crate::domain::{PortNumber, TimeSpan};
use crate::inventory::model::{Device, Inventory};
use crate::observed::Kind;
use crate::plan::action::Aim;
use crate::plan::{Target, count, plan_text};
use crate::reconcile::{Acted, Context, Deed, Events, Orders, PlannedAction, PlannedCycle, Unready};

use super::context::{self, context, load};
use super::exit::Exit;
use super::results::{devices_text, not_read, refused};
use super::settings::{FleetArgs, InventoryArgs, WindowArgs};
use super::{actor, answer, apply, ask, nobody_to_ask, say};

/// What a fed device takes to start again once it has power: assumed, said nowhere.
const STARTS_WITHIN: u32 = 60;

#[derive(Debug, clap::Args)]
struct Shared {
    /// Do not ask.
    #[arg(long)]
    auto_approve: bool,

    #[command(flatten)]
    windows: WindowArgs,

    #[command(flatten)]
    inventory: InventoryArgs,

    #[command(flatten)]
    fleet: FleetArgs,
}

/// Restart the endpoint of a subscriber, and wait until it is back.
///
/// It shows who is interrupted and asks. No setting is changed, so there is nothing to save and nothing to undo; the run is in
/// `gamops history`. Refused while the device is paused, or its maintenance window is closed and somebody with service
/// would feel it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gamops reboot-endpoint -i inventory-example s-10401
  gamops reboot-endpoint -i inventory-example maple-a/endpoint/spare-1 --wait 5m")]
pub(super) struct RebootArgs {
    /// Key of the subscriber, or the address of an endpoint: DEVICE/endpoint/KEY.
    #[arg(value_name = "SUBSCRIBER|ENDPOINT")]
    what: Target,

    /// How long to wait for it to come back; 0s does not wait.
    #[arg(long, value_name = "TIME", default_value = "3m")]
    wait: TimeSpan,

    #[command(flatten)]
    shared: Shared,
}

/// Take the PoE power of a subscriber's endpoint away for a moment, and give it back.
///
/// No document has a word for it on the command line, so PoE is switched off and on again through the subscriber's line,
/// and nothing of that is saved. The device has to show the subscriber's PoE mode in its configuration; that it takes the
/// word that gives the power back is found out first, where it changes nothing. Killed in between, the next `gamops apply` gives the
/// power back; until then the device refuses other runs.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  gamops cycle-poe -i inventory-example s-10401 --off-for 15s")]
pub(super) struct CycleArgs {
    /// Key of the subscriber.
    #[arg(value_name = "SUBSCRIBER")]
    subscriber: String,

    /// How long the power is off.
    #[arg(long, value_name = "TIME", default_value = "10s")]
    off_for: TimeSpan,

    #[command(flatten)]
    shared: Shared,
}

/// Set counters of a device, a port, or a subscriber's endpoint back to zero.
///
/// Of a device: those of every port, and of every endpoint that is there. Nobody feels it, but programs that draw graphs
/// from the counters see a step.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gamops clear-counters -i inventory-example maple-a
  gamops clear-counters -i inventory-example maple-a/port/3
  gamops clear-counters -i inventory-example s-10401")]
pub(super) struct ClearArgs {
    /// Key of a device or a subscriber, or an address: DEVICE/port/N, DEVICE/endpoint/KEY, DEVICE/subscriber/KEY.
    #[arg(value_name = "WHAT")]
    what: Target,

    #[command(flatten)]
    shared: Shared,
}

pub(super) async fn reboot(args: RebootArgs) -> anyhow::Result<Exit> {
    let subscribers_only = |inventory: &Inventory| aim(inventory, &args.what, false);
    act(Deed::Restart, &args.shared, args.wait, subscribers_only).await
}

pub(super) async fn clear(args: ClearArgs) -> anyhow::Result<Exit> {
    let anything = |inventory: &Inventory| aim(inventory, &args.what, true);
    act(Deed::Clear, &args.shared, TimeSpan::default(), anything).await
}

/// The inventory and what the rest needs, unless there is nobody to ask or the inventory is invalid.
fn prepare(shared: &Shared) -> anyhow::Result<Result<Inventory, Exit>> {
    if !shared.auto_approve && nobody_to_ask("add `--auto-approve`") {
        return Ok(Err(Exit::Usage));
    }
    load(&shared.inventory.inventory)
}

fn open(shared: &Shared, inventory: Inventory) -> anyhow::Result<Context> {
    let mut context = context(inventory, &shared.inventory.inventory, &shared.fleet, Events::default())?;
    context.ignore_windows = shared.windows.ignore_windows;
    Ok(context)
}

async fn act(
    deed: Deed,
    shared: &Shared,
    wait: TimeSpan,
    find: impl FnOnce(&Inventory) -> Option<(Device, Aim)>,
) -> anyhow::Result<Exit> {
    let inventory = match prepare(shared)? {
        Ok(inventory) => inventory,
        Err(exit) => return Ok(exit),
    };
    let Some((device, aim)) = find(&inventory) else {
        return Ok(Exit::Failed);
    };
    let context = open(shared, inventory)?;
    let planned = match context.plan_action(&device, deed, &aim).await? {
        Ok(planned) => planned,
        Err(unready) => return Ok(not_ready(&unready, &device.key)),
    };
    let shown = shown(deed, &planned, &device);
    answer(&shown);
    if !shared.auto_approve && !ask("\nDo this?").await? {
        planned.close().await;
        say("Not approved: nothing was sent.");
        return Ok(Exit::Failed);
    }
    apply::stop_on_interrupt(&context.cancel);
    Ok(match context.act(planned, shown, wait.into(), &actor()).await? {
        Acted::Done(None) => {
            answer("Done: the device took it.\n");
            Exit::Done
        }
        Acted::Done(Some(after)) => {
            answer(&format!("Done: the endpoint is back after {} s.\n", after.as_secs()));
            Exit::Done
        }
        Acted::NotBack(after) => {
            say(&format!(
                "error: the device took it, and the endpoint is not back after {} s\n  help: `gamops show {}`; it may be off, or take longer",
                after.as_secs(),
                device.key
            ));
            Exit::Failed
        }
        Acted::Stale => {
            say("The device is no longer as it was when this was planned; nothing was sent. Try again.");
            Exit::Stale
        }
        Acted::Busy(why) => {
            say(&format!("error: nothing was sent: {why}"));
            Exit::Refused
        }
        Acted::Stopped { reason, sent } => {
            let mut out = format!("error: {}: {reason}", device.key);
            for command in &sent {
                let _ = write!(out, "\n  taken: {command}");
            }
            say(&out);
            Exit::Failed
        }
    })
}

/// Who is meant. Where nobody is, that was said.
fn aim(inventory: &Inventory, what: &Target, devices: bool) -> Option<(Device, Aim)> {
    let device_of = |key: &String| {
        let subscriber = inventory.subscribers.get(key)?;
        inventory.devices.get(&subscriber.device)
    };
    let Target { device: key, object } = what;
    let found = match object {
        None => match (device_of(key), inventory.devices.get(key).filter(|_| devices)) {
            (Some(_), Some(_)) => {
                say(&format!(
                    "error: `{key}` is a device and a subscriber\n  help: write the subscriber as DEVICE/subscriber/{key}"
                ));
                return None;
            }
            (Some(device), None) => (device, Aim::Subscriber(key.clone())),
            (None, Some(device)) => (device, Aim::Device),
            (None, None) => {
                let hint = inventory.device_hint(key);
                let what = if devices { "device or subscriber" } else { "subscriber" };
                say(&format!(
                    "error: the inventory has no {what} `{key}`{}",
                    if devices { hint } else { String::new() }
                ));
                return None;
            }
        },
        Some((kind, name)) => {
            let device = context::device(inventory, key)?;
            let port = || PortNumber::try_from(name.parse::<u64>().ok()?).ok();
            let aim = match kind {
                Kind::Subscriber => Some(Aim::Subscriber(name.clone())),
                Kind::Endpoint => Some(Aim::Endpoint(name.clone())),
                Kind::Port if devices => port().map(Aim::Port),
                Kind::Port | Kind::Profile | Kind::System => None,
            };
            let Some(aim) = aim else {
                say(&format!(
                    "error: `{what}` is nothing that this can be done with; `--help` says what is"
                ));
                return None;
            };
            (device, aim)
        }
    };
    Some((found.0.clone(), found.1))
}

/// What is going to be done, and who feels it.
fn shown(deed: Deed, planned: &PlannedAction, device: &Device) -> String {
    let mut out = format!(
        "{} on {} ({} at {}:{})\n",
        deed.word(),
        device.key,
        device.model,
        device.address,
        device.transport.ssh_port
    );
    if let Some(reached) = planned.acting.endpoint {
        let _ = writeln!(out, "  endpoint {}, seen on port {}", reached.mac, reached.port);
    }
    match (planned.acting.subscribers.as_slice(), planned.estimate) {
        ([], _) => out.push_str("  interrupts nobody\n"),
        (subscribers, estimate) => {
            let estimate = estimate.map(|estimate| format!(", {estimate}")).unwrap_or_default();
            let _ = writeln!(out, "  interrupts {}{estimate}", subscribers.join(", "));
        }
    }
    commands(&mut out, &planned.commands);
    out
}

fn commands(out: &mut String, commands: &[String]) {
    let _ = writeln!(out, "  {}, in this order:", count(commands.len(), "command"));
    for command in commands {
        let _ = writeln!(out, "    {command}");
    }
}

/// Says why nothing can be done, and with what exit code.
pub(super) fn not_ready(unready: &Unready, device: &str) -> Exit {
    match unready {
        Unready::NoAim(no) => {
            say(&format!("error: {device}: {no}; nothing was sent"));
            Exit::Failed
        }
        Unready::Refused(refusal) => refused(refusal),
        Unready::Unread(unread) => not_read(unread, device),
    }
}

pub(super) async fn cycle(args: CycleArgs) -> anyhow::Result<Exit> {
    let CycleArgs {
        subscriber,
        off_for,
        shared,
    } = args;
    let inventory = match prepare(&shared)? {
        Ok(inventory) => inventory,
        Err(exit) => return Ok(exit),
    };
    let what = Target {
        device: subscriber.clone(),
        object: None,
    };
    let Some((device, _)) = aim(&inventory, &what, false) else {
        return Ok(Exit::Failed);
    };
    let context = open(&shared, inventory)?;
    let cycle = match context.plan_power_cycle(&device, &subscriber).await? {
        Ok(cycle) => cycle,
        Err(unready) => return Ok(not_ready(&unready, &device.key)),
    };
    if cycle.planned.plan.is_guarded() {
        answer(&plan_text(&cycle.planned.plan));
        context.refuse(&cycle.planned, &actor()).await?;
        cycle.planned.close().await;
        say("Nothing was sent to any device.");
        return Ok(Exit::Refused);
    }
    answer(&cycle_text(&cycle, &subscriber, off_for, &device));
    if !shared.auto_approve && !ask("\nDo this?").await? {
        cycle.planned.close().await;
        say("Not approved: nothing was sent.");
        return Ok(Exit::Failed);
    }
    apply::stop_on_interrupt(&context.cancel);
    let orders = Orders::by(actor());
    Ok(
        match context.cycle_power(cycle.planned, off_for.into(), &orders).await? {
            Ok(()) => {
                answer("Done: the power is back, read back and as it was. Nothing was saved.\n");
                Exit::Done
            }
            Err(results) => {
                answer(&devices_text(&results));
                match super::results::exit_of(&results) {
                    // It was to be changed and given back, and something of that went wrong.
                    Exit::Done => Exit::Partial,
                    exit => exit,
                }
            }
        },
    )
}

fn cycle_text(cycle: &PlannedCycle, subscriber: &str, off_for: TimeSpan, device: &Device) -> String {
    let mut out = format!(
        "cycle-poe on {} ({} at {}:{})\n  subscriber {subscriber}: poe {} -> disable for {off_for} -> {}\n",
        device.key, device.model, device.address, device.transport.ssh_port, cycle.mode, cycle.mode
    );
    let seconds = off_for.as_secs().saturating_add(STARTS_WITHIN);
    let _ = writeln!(
        out,
        "  interrupts {subscriber}, about {seconds} s (assumed): what its endpoint feeds starts again"
    );
    let all: Vec<String> = cycle.off.iter().chain(&cycle.back).cloned().collect();
    commands(&mut out, &all);
    out.push_str("  nothing of it is saved; the first command shows that the device knows the last one\n");
    out
}
