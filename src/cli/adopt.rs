//! `gamops adopt`.

use std::fmt::Write as _;

use crate::inventory::model::{Device, Inventory};
use crate::onboard::Existing;
use crate::onboard::adopt::{Adopted, Adoption, Compared, NotAdopted, Settled, Wanted, settle};
use crate::plan::drift::Leave;
use crate::plan::model::Unread;
use crate::plan::{Target, count};
use crate::reconcile::{Context, Events, Orders, Reading};

use super::context::{context, load_texts};
use super::edits::{self, Proposal};
use super::exit::Exit;
use super::results::{exit_of, not_read};
use super::settings::{FleetArgs, InventoryArgs, LeaseArgs};
use super::{actor, answer, ask, nobody_to_ask, say};

/// Take what a device holds into the inventory: drift is accepted instead of reverted.
///
/// What differs on the device is written into the inventory, in its words and where it stands; an object that gamops does not own
/// becomes a new entry if it is named. Nothing is sent to the device. Before anything is written, the plan is made again with the edited
/// inventory: what would not come out as "no change" is left alone, with the reason. What came into the inventory is owned from then
/// on if nothing else is to be done on the device, else from the next apply on.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gamops adopt -i inventory-example maple-a
  gamops adopt -i inventory-example maple-a/subscriber/s-10401
  gamops adopt -i inventory-example 'maple-a/subscriber/Smith 4b'   # unmanaged: by its name on the device
  gamops adopt -i inventory-example 'maple-a/subscriber/#17' --commit")]
pub(super) struct Args {
    /// A device, or one object on it: `device/kind/key`, in place of the key also its name on the device, or `#` and its number.
    #[arg(value_name = "ADDRESS")]
    address: Target,

    /// Commit the edit to Git, by itself and under your name. Refused where something else is changed.
    #[arg(long)]
    commit: bool,

    /// Do not ask.
    #[arg(long)]
    auto_approve: bool,

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
        say("error: `--target` means nothing here\n  help: what you name is all that is adopted");
        return Ok(Exit::Usage);
    }
    let root = &args.inventory.inventory;
    let (files, inventory) = match load_texts(root)? {
        Ok(loaded) => loaded,
        Err(exit) => return Ok(exit),
    };
    let committer = match edits::committer(args.commit, root) {
        Ok(committer) => committer,
        Err(exit) => return Ok(exit),
    };
    let mut context = context(inventory.clone(), root, &args.fleet, Events::default())?;
    context.leases.ttl = args.lease.lease_ttl.into();
    if args.address.object.is_some() {
        // Who names an object means it, also where its drift is ignored.
        context.leaving.leave = Leave::Nothing;
    }
    let device = context.device(&args.address)?.clone();
    let reading = match context.read(&device).await {
        Ok(reading) => reading,
        Err(unread) => return Ok(not_read(&unread, &device.key)),
    };
    let existing = Existing {
        files: &files,
        inventory: &inventory,
    };
    let worked_out = work_out(&args, existing, &device, &context, &reading);
    reading.close().await;
    let mut settled = match worked_out {
        Ok(settled) => settled,
        Err(unread) => return Ok(not_read(&unread, &device.key)),
    };
    let adoption = settled.adoptions.remove(&device.key).unwrap_or_default();
    let Some(edited) = settled.edited else {
        return Ok(nothing(&args.address, &adoption));
    };
    let proposal = Proposal::of(root, &files, edited);
    answer(&format!("{}\n{}", proposal.diff(), adoption_text(&adoption)));
    if !args.auto_approve && !ask("\nWrite this?").await? {
        say("Not approved: nothing was changed.");
        return Ok(Exit::Failed);
    }
    proposal.write()?;
    let message = format!(
        "{}: {} adopted\n\nBy `gamops adopt`: the device was not changed.\n",
        device.key,
        count(adoption.adopted.len(), "object")
    );
    proposal.commit(committer.as_ref(), &message)?;
    let exit = own(&args, &proposal, &device).await?;
    Ok(if adoption.left.is_empty() { exit } else { Exit::Partial })
}

/// The edits that hold, as a plan that is made again from the same reading says.
fn work_out(
    args: &Args,
    existing: Existing<'_>,
    device: &Device,
    context: &Context,
    reading: &Reading,
) -> Result<Settled, Unread> {
    let plan = |inventory: &Inventory, device: &str| reading.plan(context, inventory, device);
    let wanted = args.address.object.as_ref().map_or(Wanted::Drift, Wanted::Object);
    let compared = Compared {
        changes: plan(existing.inventory, &device.key)?,
        unreadable: reading.unreadable(),
    };
    settle(existing, [(device.key.clone(), compared)].into(), wanted, &plan)
}

/// Says why nothing is adopted.
fn nothing(address: &Target, adoption: &Adoption) -> Exit {
    if adoption.left.is_empty() && address.object.is_some() {
        say(&format!(
            "error: there is no `{address}` that differs from the inventory or is unmanaged\n  help: `gamops plan --target {}` shows what differs, `gamops show {}` what there is",
            address.device, address.device
        ));
        return Exit::Failed;
    }
    if adoption.left.is_empty() {
        answer(&format!(
            "Nothing to adopt: {} holds what the inventory says.\n",
            address.device
        ));
        return Exit::Done;
    }
    answer(&adoption_text(adoption));
    say("Nothing was adopted, and the inventory was not edited.");
    Exit::Refused
}

fn adoption_text(adoption: &Adoption) -> String {
    let mut out = String::new();
    for Adopted { address, what, .. } in &adoption.adopted {
        let _ = writeln!(out, "  ADOPT  {address}");
        for line in what {
            let _ = writeln!(out, "           {line}");
        }
    }
    for NotAdopted {
        address, reason, help, ..
    } in &adoption.left
    {
        let _ = writeln!(out, "  LEFT   {address}: {reason}");
        if let Some(help) = help {
            let _ = writeln!(out, "           help: {help}");
        }
    }
    out
}

/// Takes ownership of what came into the inventory, where nothing is to be done on the device for it.
async fn own(args: &Args, proposal: &Proposal, device: &Device) -> anyhow::Result<Exit> {
    let mut context = context(
        proposal.inventory().clone(),
        &args.inventory.inventory,
        &args.fleet,
        Events::default(),
    )?;
    context.leases.ttl = args.lease.lease_ttl.into();
    let target = [Target {
        device: device.key.clone(),
        object: None,
    }];
    let planned = context.plan(&target).await?;
    let plan = &planned.plan;
    let later = plan.is_actionable()
        || plan.is_guarded()
        || plan.has_unread()
        || plan.has_refusals()
        || plan.read().any(|device| device.held.is_some());
    if later {
        planned.close().await;
        answer("It is owned from the next apply on.\n");
        return Ok(Exit::Done);
    }
    let results = context.apply(planned, &Orders::by(actor())).await?.results;
    answer("No changes are left on the device: what was adopted is owned now.\n");
    Ok(exit_of(&results))
}
