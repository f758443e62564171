//! `gamops trust`.

use crate::reconcile::{self, Events, Identified};
use crate::store::Pin;
use crate::transport::ssh::HostKey;

use super::context::{context, device, load};
use super::exit::Exit;
use super::results::not_read;
use super::settings::{FleetArgs, InventoryArgs};
use super::{ask, nobody_to_ask, say};

/// Accept a device's new identity: after a replacement, or after its host key changed.
///
/// gamops pins each device's SSH host key, model and base MAC at first contact and refuses anything else
/// behind the same key of the inventory. This command shows both sides and replaces the pin. What gamops
/// owned on a replaced device it will make on the new one under the same numbers.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  gamops trust -i inventory-example maple-a")]
pub(super) struct Args {
    /// Key of the device.
    #[arg(value_name = "DEVICE")]
    device: String,

    /// Do not ask.
    #[arg(long)]
    auto_approve: bool,

    #[command(flatten)]
    inventory: InventoryArgs,

    #[command(flatten)]
    fleet: FleetArgs,
}

pub(super) async fn run(args: Args) -> anyhow::Result<Exit> {
    if !args.auto_approve && nobody_to_ask("add `--auto-approve` once you know that the device is the right one") {
        return Ok(Exit::Usage);
    }
    let inventory = match load(&args.inventory.inventory)? {
        Ok(inventory) => inventory,
        Err(exit) => return Ok(exit),
    };
    let Some(device) = device(&inventory, &args.device).cloned() else {
        return Ok(Exit::Failed);
    };
    let context = context(inventory, &args.inventory.inventory, &args.fleet, Events::default())?;
    let Identified { now, pinned } = match reconcile::trust(&context, &device).await {
        Ok(identified) => identified,
        Err(unread) => return Ok(not_read(&unread, &device.key)),
    };
    say(&format!(
        "{} at {}:{}",
        device.key, device.address, device.transport.ssh_port
    ));
    say(&format!(
        "  pinned:  {}",
        pinned.as_ref().map_or_else(|| "nothing".to_owned(), words)
    ));
    say(&format!("  answers: {}", words(&now)));
    if pinned.as_ref() == Some(&now) {
        say("It is the pinned device: there is nothing to accept.");
        return Ok(Exit::Done);
    }
    if !args.auto_approve && !ask("Accept it as the device from now on?").await? {
        say("Not accepted: the pin is as it was.");
        return Ok(Exit::Failed);
    }
    if let (Some(before), Some(mac)) = (pinned.and_then(|pin| pin.mac), now.mac)
        && before != mac
    {
        context.store.move_records(before, mac).await?;
    }
    // Whose device it is was looked at just now.
    context.store.set_pin(&device.key, now, |_| false).await?;
    say("Accepted.");
    Ok(Exit::Done)
}

pub(super) fn words(pin: &Pin) -> String {
    let key = pin
        .host_key
        .as_deref()
        .and_then(|text| text.parse::<HostKey>().ok())
        .map(|key| key.fingerprint());
    let unknown = || "unknown".to_owned();
    format!(
        "model {}, MAC {}, host key {}",
        pin.model.clone().unwrap_or_else(unknown),
        pin.mac.map_or_else(unknown, |mac| mac.to_string()),
        key.unwrap_or_else(unknown)
    )
}
