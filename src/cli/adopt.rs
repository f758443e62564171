//! `gamops adopt`.

use std::fmt::Write as _;

use crate::diagnostic::{Severity, SourceFile};
use crate::inventory::edit::{Edit, EditError};
use crate::inventory::model::{Device, Inventory};
use crate::observed::ObjectId;
use crate::onboard::adopt::{Adopted, Adoption, Drifted, NotAdopted, adopt, disproved};
use crate::plan::model::DeviceChanges;
use crate::plan::{Target, count};
use crate::reconcile::{Context, Events, Orders, Reading};

use super::context::{context, load_texts};
use super::edits::{self, Proposal, not_edited};
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
    let device = context.device(&args.address)?.clone();
    let reading = match context.read(&device).await {
        Ok(reading) => reading,
        Err(unread) => return Ok(not_read(&unread, &device.key)),
    };
    let worked_out = work_out(&args, &files, (&inventory, &device), &context, &reading);
    reading.close().await;
    let (proposal, adoption) = match worked_out? {
        Ok(worked_out) => worked_out,
        Err(exit) => return Ok(exit),
    };
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

/// The edits that hold: what the plan with the edited inventory would still change is left out, until it changes nothing of them.
fn work_out(
    args: &Args,
    files: &[SourceFile],
    (inventory, device): (&Inventory, &Device),
    context: &Context,
    reading: &Reading,
) -> anyhow::Result<Result<(Proposal, Adoption), Exit>> {
    let plan = |inventory: &Inventory| -> anyhow::Result<DeviceChanges> {
        (reading.plan(context, inventory, &device.key))
            .map_err(|unread| anyhow::anyhow!("{}: {}", device.key, unread.reason))
    };
    let changes = plan(inventory)?;
    let drifted = Drifted {
        inventory,
        files,
        device,
        changes: &changes,
    };
    let mut adoption = adopt(drifted, args.address.object.as_ref());
    loop {
        if adoption.adopted.is_empty() {
            return Ok(Err(nothing(&args.address, &adoption)));
        }
        let root = &args.inventory.inventory;
        let edits = |some: &[Adopted]| -> Vec<Edit> { some.iter().flat_map(|one| one.edits.clone()).collect() };
        let proposal = match Proposal::attempt(root, files, &edits(&adoption.adopted)) {
            Ok(proposal) => proposal,
            Err(error) => {
                let alone = |one: &Adopted| Some((one.object, why(&Proposal::attempt(root, files, &one.edits).err()?)));
                let wrong: Vec<(ObjectId, String)> = adoption.adopted.iter().filter_map(alone).collect();
                if wrong.is_empty() {
                    return Ok(Err(not_edited(&error, files)));
                }
                leave(&mut adoption, wrong);
                continue;
            }
        };
        let after = plan(proposal.inventory())?;
        let wrong: Vec<(ObjectId, String)> = (disproved(&adoption.adopted, &changes, &after).into_iter())
            .map(|(one, reason)| (one.object, reason))
            .collect();
        if wrong.is_empty() {
            return Ok(Ok((proposal, adoption)));
        }
        leave(&mut adoption, wrong);
    }
}

/// Takes objects out of what is adopted.
fn leave(adoption: &mut Adoption, wrong: Vec<(ObjectId, String)>) {
    for (object, reason) in wrong {
        let adopted = std::mem::take(&mut adoption.adopted);
        let (out, kept): (Vec<Adopted>, Vec<Adopted>) = adopted.into_iter().partition(|one| one.object == object);
        adoption.adopted = kept;
        adoption.left.extend(out.into_iter().map(|one| NotAdopted {
            address: one.address,
            reason: reason.clone(),
            help: "write it into the inventory by hand; `gamops plan` shows what it comes to".to_owned(),
        }));
    }
}

/// Why an edit came to nothing, in one sentence.
fn why(error: &EditError) -> String {
    let first = match error {
        EditError::InvalidAfter { report, .. } => report.findings().iter().find(|one| one.severity == Severity::Error),
        EditError::InvalidBefore(_) | EditError::Refused { .. } => None,
    };
    first.map_or_else(|| error.to_string(), |finding| finding.message.clone())
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
    for NotAdopted { address, reason, help } in &adoption.left {
        let _ = writeln!(out, "  LEFT   {address}: {reason}\n           help: {help}");
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
