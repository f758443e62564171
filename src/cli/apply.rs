//! `gamops apply`.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::path::PathBuf;

use tokio_util::sync::CancellationToken;

use crate::inventory::rollout::{Canary, Waves};
use crate::plan::guard::Allow;
use crate::plan::json::PlanJson;
use crate::plan::model::Summary;
use crate::plan::{NotApplied, Refusal, Residue, Target, count, plan_text, some_of};
use crate::reconcile::{self, Again, DeviceOutcome, DeviceResult, RunError, Stopped};

use super::context::{context, load};
use super::exit::Exit;
use super::kept;
use super::progress::Progress;
use super::settings::{FleetArgs, InventoryArgs, WaveArgs};
use super::{answer, ask, say};

/// Make the devices hold what the inventory says: plan, ask, change, verify, save.
///
/// Each device is read again before the first command, every reply is read, the result is read back and
/// compared, and only what was verified is saved. A device that refuses something is stopped and left
/// unsaved; the others go on. Ctrl-C ends after the command in flight.
///
/// With a plan that `gamops plan --out` wrote, exactly that plan is applied, without asking again: every device is read
/// and planned anew, and where anything at all has moved since (the device, the inventory, what gamops owns) nothing is
/// sent to any device, and what moved is said.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gamops apply -i inventory-example
  gamops apply -i inventory-example --target maple-a/subscriber/s-10442
  gamops plan -i inventory-example --out friday.plan && gamops apply -i inventory-example friday.plan
  gamops apply -i inventory-example --allow destroy=37    # when a guard asked whether that is meant
  gamops apply -i inventory-example --auto-approve       # in scripts, where nobody can be asked")]
pub(super) struct Args {
    /// A plan that `gamops plan --out` wrote; of it, `--target` may name whole devices.
    #[arg(value_name = "PLAN")]
    plan: Option<PathBuf>,

    #[command(flatten)]
    inventory: InventoryArgs,

    #[command(flatten)]
    fleet: FleetArgs,

    #[command(flatten)]
    waves: WaveArgs,

    /// How many devices are changed at once.
    #[arg(long, value_name = "N", default_value = "16", value_parser = clap::value_parser!(u16).range(1..=512))]
    parallel_changes: u16,

    /// Say that this plan is meant, though a guard refuses it: the number as the refusal names it, such as `destroy=37`. It
    /// allows exactly that number, in this run. May be given more than once.
    #[arg(long = "allow", value_name = "WHAT=N")]
    allow: Vec<Allow>,

    /// Do not ask before changing devices.
    #[arg(long)]
    auto_approve: bool,
}

pub(super) async fn run(args: Args) -> anyhow::Result<Exit> {
    // Whoever hands in a plan has read it.
    let asks = !args.auto_approve && args.plan.is_none();
    if asks && !std::io::stdin().is_terminal() {
        say(
            "error: there is no terminal to ask for approval\n  help: look at `gamops plan`, then run `gamops apply --auto-approve`",
        );
        return Ok(Exit::Usage);
    }
    let kept = match &args.plan {
        None => None,
        Some(path) => match kept::read(path)? {
            Some(plan) => Some(plan),
            None => return Ok(Exit::Failed),
        },
    };
    let mut inventory = match load(&args.inventory.inventory)? {
        Ok(inventory) => inventory,
        Err(exit) => return Ok(exit),
    };
    if let Some(kept) = &kept {
        inventory.policies.waves = Waves::from(&kept.rollout);
        if let Canary::Devices(keys) = &mut inventory.policies.waves.canary {
            // One that has left the inventory is a reason to refuse the plan, and said there.
            keys.retain(|key| inventory.devices.contains_key(key));
        }
    }
    args.waves.over(&mut inventory.policies.waves);
    let (progress, events) = Progress::start(args.fleet.targets.len().max(inventory.devices.len()));
    let mut context = context(inventory, &args.inventory.inventory, &args.fleet, events)?;
    context.parallelism.changing = usize::from(args.parallel_changes);
    context.allowances.by_flag = args.allow;
    let again = tokio::select! {
        again = plan(&context, &args.fleet.targets, kept.as_ref()) => again?,
        _ = tokio::signal::ctrl_c() => {
            drop(context);
            progress.finish().await;
            say("Interrupted before anything was changed.");
            return Ok(Exit::Failed);
        }
    };
    progress.pause();
    kept::say_what_else(&again);
    if !again.moved.is_empty() {
        answer(&kept::moved_text(&again));
        again.planned.close().await;
        drop(context);
        progress.finish().await;
        return Ok(Exit::Stale);
    }
    let planned = again.planned;
    answer(&plan_text(&planned.plan));
    if planned.plan.is_guarded() {
        planned.close().await;
        drop(context);
        progress.finish().await;
        say("Nothing was sent to any device.");
        return Ok(Exit::Refused);
    }
    let devices = planned.plan.read().filter(|device| device.is_actionable()).count();
    let question = format!("\nApply this to {}?", count(devices, "device"));
    if devices > 0 && asks && !ask(&question).await? {
        planned.close().await;
        drop(context);
        progress.finish().await;
        say("Not approved: nothing was changed.");
        return Ok(Exit::Failed);
    }
    stop_on_interrupt(&context.cancel);
    let quiet = devices == 0;
    let results = context.apply(planned, &actor()).await?;
    drop(context);
    progress.finish().await;
    answer(&results_text(&results, quiet));
    Ok(exit_of(&results))
}

/// The plan to apply: a fresh one, or the kept one made again.
async fn plan(context: &reconcile::Context, targets: &[Target], kept: Option<&PlanJson>) -> Result<Again, RunError> {
    match kept {
        Some(kept) => context.plan_again(kept, targets).await,
        None => context.plan(targets).await.map(Again::from),
    }
}

/// Who runs this, as the system tells it.
pub(super) fn actor() -> String {
    let name = |variable: &str| std::env::var(variable).ok().filter(|value| !value.is_empty());
    name("SUDO_USER")
        .or_else(|| name("USER"))
        .or_else(|| name("LOGNAME"))
        .unwrap_or_else(|| "unknown".to_owned())
}

/// Turns the first Ctrl-C into a request to stop between two commands; the second one kills as usual.
pub(super) fn stop_on_interrupt(cancel: &CancellationToken) {
    let cancel = cancel.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_err() {
            return;
        }
        say("Stopping after the commands in flight. Press Ctrl-C again to abandon them.");
        cancel.cancel();
        if tokio::signal::ctrl_c().await.is_ok() {
            say("Abandoned: devices may be half changed and are not saved. Run `gamops plan` to see where they are.");
            #[expect(
                clippy::exit,
                reason = "the second Ctrl-C asks for exactly this; the journal has all that was sent"
            )]
            std::process::exit(i32::from(Exit::Failed as u8));
        }
    });
}

/// The account of a run: one line a device, and all there is to know where one was stopped.
pub(super) fn results_text(results: &[DeviceResult], quiet: bool) -> String {
    use std::fmt::Write as _;
    let mut out = String::new();
    let mut total = Summary::default();
    let mut saved = 0;
    let mut not_started: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for DeviceResult { device, outcome } in results {
        match outcome {
            DeviceOutcome::InSync | DeviceOutcome::Held => {}
            DeviceOutcome::Applied(summary, not_applied) => {
                total.add += summary.add;
                total.change += summary.change;
                total.destroy += summary.destroy;
                let Summary { add, change, destroy } = summary;
                let _ = writeln!(
                    out,
                    "  {device}  {add} added, {change} changed, {destroy} destroyed; verified, saved"
                );
                not_applied.iter().for_each(|field| not_applied_text(&mut out, field));
            }
            DeviceOutcome::Saved => {
                saved += 1;
                let _ = writeln!(out, "  {device}  checked and saved");
            }
            DeviceOutcome::Refused(refusals) => {
                for Refusal { rule, message, .. } in refusals {
                    let _ = writeln!(out, "  {device}  REFUSED[{rule}] {message}");
                }
                let _ = writeln!(out, "    nothing was sent to {device}");
            }
            DeviceOutcome::Unread(unread) => {
                let _ = writeln!(out, "  {device}  NOT READ: {}", unread.reason);
            }
            DeviceOutcome::Stale => {
                let _ = writeln!(
                    out,
                    "  {device}  STALE: it changed after it was planned; nothing was sent. Plan again."
                );
            }
            DeviceOutcome::NotStarted(why) => not_started.entry(why).or_default().push(device),
            DeviceOutcome::Stopped(stopped) => stopped_text(&mut out, device, stopped),
        }
    }
    for (why, devices) in &not_started {
        let _ = writeln!(
            out,
            "  NOT STARTED: {}: {why}; nothing was sent there",
            some_of(devices)
        );
    }
    let fine = results.iter().all(|result| result.outcome.is_fine());
    if quiet && fine {
        return String::new();
    }
    let head = if fine { "Apply complete!" } else { "Apply incomplete." };
    let saves = if saved > 0 {
        format!(" {} saved.", count(saved, "device"))
    } else {
        String::new()
    };
    let _ = writeln!(
        out,
        "{head} Resources: {} added, {} changed, {} destroyed.{saves}",
        total.add, total.change, total.destroy
    );
    format!("\n{out}")
}

fn not_applied_text(out: &mut String, field: &NotApplied) {
    use std::fmt::Write as _;
    let NotApplied {
        subscriber,
        word,
        refused,
    } = field;
    let why = if *refused {
        format!("this firmware does not know `{word}`")
    } else {
        format!("this firmware takes `{word}` and ignores it")
    };
    let _ = writeln!(
        out,
        "    NOT APPLIED: subscriber {subscriber}: its {} is as it was: {why}; gamops will not try again",
        word.field()
    );
}

fn stopped_text(out: &mut String, device: &str, stopped: &Stopped) {
    use std::fmt::Write as _;
    let word = if stopped.interrupted { "INTERRUPTED" } else { "STOPPED" };
    let sent = stopped.sent.len();
    let _ = writeln!(out, "  {device}  {word}: {}", stopped.reason);
    let _ = writeln!(
        out,
        "    {sent} of {} taken; {}",
        count(stopped.total, "command"),
        if stopped.sent.is_empty() && stopped.refused.is_none() {
            "nothing was changed"
        } else {
            "the device is left unsaved"
        }
    );
    for command in &stopped.sent {
        let _ = writeln!(out, "      taken:    {command}");
    }
    if let Some((command, answer)) = &stopped.refused {
        let _ = writeln!(out, "      sent:     {command}");
        if answer.trim().is_empty() {
            let _ = writeln!(out, "      answered: nothing");
        }
        for line in answer.trim().lines() {
            let _ = writeln!(out, "      answered: {line}");
        }
    }
    match &stopped.residue {
        None => {
            let _ = writeln!(
                out,
                "    it could not be read afterwards: what the last command did is not known"
            );
        }
        Some(residue) if residue.is_empty() => {
            let _ = writeln!(out, "    read back: it holds all that was planned");
        }
        Some(residue) => {
            let _ = writeln!(out, "    read back, not as planned:");
            residue.iter().for_each(|residue| residue_text(out, residue));
        }
    }
    let _ = writeln!(
        out,
        "    help: `gamops plan --target {device}` shows what is left; `gamops apply` goes on from there"
    );
}

fn residue_text(out: &mut String, residue: &Residue) {
    use std::fmt::Write as _;
    let Residue {
        object,
        field,
        wanted,
        found,
        ignored,
    } = residue;
    let or_none = |value: &str| {
        if value.is_empty() {
            "none".to_owned()
        } else {
            value.to_owned()
        }
    };
    let note = if *ignored { " (as before)" } else { "" };
    let _ = writeln!(
        out,
        "      {object}: {field} is {}{note}, planned {}",
        or_none(found),
        or_none(wanted)
    );
}

fn exit_of(results: &[DeviceResult]) -> Exit {
    let bad: Vec<&DeviceOutcome> = results
        .iter()
        .map(|result| &result.outcome)
        .filter(|outcome| !outcome.is_fine())
        .collect();
    if bad.is_empty() {
        return Exit::Done;
    }
    if results.iter().any(|result| result.outcome.touched()) {
        return Exit::Partial;
    }
    // Nothing was sent anywhere: the worst of the reasons.
    if bad
        .iter()
        .any(|outcome| matches!(outcome, DeviceOutcome::Unread(_) | DeviceOutcome::Stopped(_)))
    {
        Exit::Failed
    } else if bad.iter().any(|outcome| matches!(outcome, DeviceOutcome::Refused(_))) {
        Exit::Refused
    } else {
        Exit::Stale
    }
}
