//! `gamops apply`.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::domain::TimeSpan;
use crate::inventory::model::OnFailure;
use crate::inventory::rollout::{Canary, Waves};
use crate::plan::guard::Allow;
use crate::plan::json::PlanJson;
use crate::plan::{Target, count};
use crate::reconcile::{self, Again, Orders, RunError};
use crate::store::{RunId, Verdict};

use super::beside::{self, Beside, TakeoverArgs};
use super::context::{context, load, put_away};
use super::exit::Exit;
use super::kept;
use super::progress::Progress;
use super::results::{devices_text, exit_of, results_text};
use super::settings::{FleetArgs, InventoryArgs, LeaseArgs, WaveArgs, WindowArgs};
use super::since::{self, Scope, SinceArgs};
use super::{actor, answer, ask, nobody_to_ask, say};

/// Make the devices hold what the inventory says: plan, ask, change, verify, save.
///
/// Each device is read again before the first command, every reply is read, the result is read back and
/// compared, and only what was verified is saved. A device that refuses a command, does not hold what it was asked to,
/// or is lost on the way, is given back what it held before; the others go on. Ctrl-C ends after the
/// command in flight and gives back as well; a second one leaves everything as it is.
///
/// Where a daemon looks after the inventory with this state database, it applies what was planned here and approved, provided that it
/// is committed and pushed; with `--takeover` this command does, and the daemon leaves the devices alone meanwhile.
///
/// With a plan that `gamops plan --out` wrote, exactly that plan is applied, without asking again: every device is read
/// and planned anew, and where anything at all has moved since (the device, the inventory, what gamops owns) nothing is
/// sent to any device, and what moved is said.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gamops apply -i inventory-example
  gamops apply -i inventory-example --target maple-a/subscriber/s-10442
  gamops apply -i inventory-example --changed-since HEAD~1
  gamops plan -i inventory-example --out friday.plan && gamops apply -i inventory-example friday.plan
  gamops apply -i inventory-example --allow destroy=37    # when a guard asked whether that is meant
  gamops apply -i inventory-example --auto-approve       # in scripts, where nobody can be asked
  gamops apply -i inventory-example --confirm-within 5m  # given back unless `gamops confirm RUN` follows
  gamops apply -i inventory-example --on-failure leave   # to look at what failed where it failed
  gamops apply -i inventory-example --takeover=30m       # in place of the daemon")]
pub(super) struct Args {
    /// A plan that `gamops plan --out` wrote; of it, `--target` may name whole devices.
    #[arg(value_name = "PLAN", conflicts_with = "changed_since")]
    plan: Option<PathBuf>,

    #[command(flatten)]
    inventory: InventoryArgs,

    #[command(flatten)]
    fleet: FleetArgs,

    #[command(flatten)]
    since: SinceArgs,

    #[command(flatten)]
    waves: WaveArgs,

    /// How many devices are changed at once.
    #[arg(long, value_name = "N", default_value = "16", value_parser = clap::value_parser!(u16).range(1..=512))]
    parallel_changes: u16,

    /// How many devices of one site are changed at once; as many as of all unless said.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=512))]
    parallel_changes_per_site: Option<u16>,

    /// Say that this plan is meant, though a guard refuses it: the number as the refusal names it, such as `destroy=37`. It
    /// allows exactly that number, in this run. May be given more than once.
    #[arg(long = "allow", value_name = "WHAT=N")]
    allow: Vec<Allow>,

    #[command(flatten)]
    windows: WindowArgs,

    /// Act as if it were then; for trying things out on simulated devices.
    #[arg(long, value_name = "TIME", hide = true)]
    at: Option<Timestamp>,

    #[command(flatten)]
    lease: LeaseArgs,

    #[command(flatten)]
    takeover: TakeoverArgs,

    /// Do not ask before changing devices.
    #[arg(long)]
    auto_approve: bool,

    /// What becomes of a device on which it fails: given back what it held before, or left as it is, unsaved. Where this
    /// is not given, `policies.on_failure` of the inventory says it, else `rollback`.
    #[arg(long, value_name = "WHAT", conflicts_with = "confirm_within")]
    on_failure: Option<Failing>,

    /// Change and verify, but save nothing before `gamops confirm RUN` says so, within this time: `90s`, `5m`. What is not
    /// confirmed is given back: by this command, or by the next `apply` if this one was killed. At a terminal you are asked
    /// as well.
    #[arg(long, value_name = "TIME")]
    confirm_within: Option<TimeSpan>,

    /// How long a device that is lost on the way is looked for, to give it back what it held: `90s`, `5m`. A GAM restarts
    /// in minutes.
    #[arg(long, value_name = "TIME", default_value = "5m")]
    reconnect_within: TimeSpan,
}

/// What becomes of a device on which an apply fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Failing {
    /// It is given back what it held before.
    Rollback,
    /// It is left as it is, unsaved.
    Leave,
}

impl Args {
    /// What was given that only this command can do, and no daemon.
    fn only_here(&self) -> Vec<&'static str> {
        let given = [
            (self.plan.is_some(), "a plan from a file"),
            (
                self.fleet.targets.iter().any(|target| target.object.is_some()),
                "single objects (`--target`)",
            ),
            (self.waves.is_given(), "waves"),
            (
                !self.allow.is_empty(),
                "`--allow` (a line `Gamops-Allow:` in the commit's message says it)",
            ),
            (self.windows.ignore_windows, "`--ignore-windows`"),
            (self.at.is_some(), "`--at`"),
            (self.on_failure.is_some(), "`--on-failure`"),
            (self.confirm_within.is_some(), "`--confirm-within`"),
        ];
        let given = given.into_iter().filter(|(is_given, _)| *is_given);
        given.map(|(_, what)| what).collect()
    }
}

impl From<Failing> for OnFailure {
    fn from(failing: Failing) -> Self {
        match failing {
            Failing::Rollback => Self::Rollback,
            Failing::Leave => Self::Leave,
        }
    }
}

pub(super) async fn run(args: Args) -> anyhow::Result<Exit> {
    // Whoever hands in a plan has read it.
    let asks = !args.auto_approve && args.plan.is_none();
    if asks && nobody_to_ask("look at `gamops plan`, then run `gamops apply --auto-approve`") {
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
    let since = match since::compare(&inventory, &args.inventory.inventory, &args.since)? {
        Ok(since) => since,
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
    let only_here = args.only_here();
    let (progress, events) = Progress::start(args.fleet.targets.len().max(inventory.devices.len()));
    let mut context = context(inventory, &args.inventory.inventory, &args.fleet, events)?;
    context.parallelism.changing = usize::from(args.parallel_changes);
    context.parallelism.changing_per_site = args.parallel_changes_per_site.map(usize::from);
    context.allowances.by_flag = args.allow;
    let beside = Beside::find(&context, &args.takeover).await?;
    let commit = match beside
        .through()
        .map(|daemon| beside::commit(&args.inventory.inventory, daemon, &only_here))
    {
        None => None,
        Some(commit) => match commit? {
            Ok(commit) => commit,
            Err(exit) => return Ok(exit),
        },
    };
    context.leases.ttl = args.lease.lease_ttl.into();
    context.ignore_windows = args.windows.ignore_windows;
    context.now = args.at.unwrap_or(context.now);
    // What nobody confirmed in time was to be given back: nobody is asked again.
    let undone = match beside.through() {
        Some(_) => Vec::new(),
        None => {
            context
                .give_back_unconfirmed(&args.fleet.targets, args.reconnect_within.into())
                .await?
        }
    };
    if !undone.is_empty() {
        progress.pause();
        answer(&devices_text(&undone));
    }
    let scope = Scope::new(since, &context, &args.fleet.targets).await?;
    let again = tokio::select! {
        again = plan(&context, &scope, &args.fleet.targets, kept.as_ref()) => again?,
        _ = tokio::signal::ctrl_c() => {
            drop(context);
            progress.finish().await;
            say("Interrupted before anything was changed.");
            return Ok(Exit::Failed);
        }
    };
    progress.pause();
    scope.say();
    kept::say_what_else(&again);
    if !again.moved.is_empty() {
        answer(&kept::moved_text(&again));
        put_away(again.planned, context, progress).await;
        return Ok(Exit::Stale);
    }
    let planned = again.planned;
    answer(&scope.text(&planned.plan));
    if scope.is_empty() {
        put_away(planned, context, progress).await;
        return Ok(Exit::Done);
    }
    if planned.plan.is_guarded() {
        context.refuse(&planned, &actor()).await?;
        put_away(planned, context, progress).await;
        say("Nothing was sent to any device.");
        return Ok(Exit::Refused);
    }
    let devices = planned.plan.devices.iter();
    let devices = devices.filter(|device| device.is_actionable());
    let devices: Vec<String> = devices.map(|device| device.device.clone()).collect();
    let question = format!("\nApply this to {}?", count(devices.len(), "device"));
    if !devices.is_empty() && asks && !ask(&question).await? {
        put_away(planned, context, progress).await;
        say("Not approved: nothing was changed.");
        return Ok(Exit::Failed);
    }
    if let Some(daemon) = beside.through() {
        let (store, inventory) = (context.store.clone(), context.inventory.id.clone());
        put_away(planned, context, progress).await;
        return match devices.is_empty() {
            true => Ok(Exit::Done),
            false => beside::order(&store, &inventory, daemon, commit, devices).await,
        };
    }
    beside.take_over(&context, &devices).await?;
    stop_on_interrupt(&context.cancel);
    let quiet = devices.is_empty();
    let orders = Orders {
        on_failure: args.on_failure.map(OnFailure::from),
        patience: args.reconnect_within.into(),
        confirm: args.confirm_within.is_some(),
        ..Orders::by(actor())
    };
    let applied = context.apply(planned, &orders).await?;
    let results = match args.confirm_within {
        Some(within) if applied.is_waiting() => {
            progress.pause();
            answer(&results_text(&applied.results, "Apply", quiet));
            let verdict = verdict(&context, applied.run, within).await?;
            context.settle(applied, verdict, args.reconnect_within.into()).await?
        }
        _ => applied.results,
    };
    drop(context);
    progress.finish().await;
    answer(&results_text(&results, "Apply", quiet));
    Ok(exit_of(&results))
}

/// Waits for the word on a run: at this terminal, from `gamops confirm`, or from the clock.
async fn verdict(context: &reconcile::Context, run: RunId, within: TimeSpan) -> anyhow::Result<Verdict> {
    let deadline = jiff::Timestamp::now().checked_add(Duration::from(within))?;
    context.store.await_confirmation(run, deadline).await?;
    say(&format!(
        "\nRun {run} is not saved. Keep it with `gamops confirm {run}` until {deadline:.0}; otherwise, and on Ctrl-C, the devices are given back what they held before."
    ));
    if !std::io::stdin().is_terminal() {
        return Ok(context.verdict(run, deadline).await?);
    }
    let asked = tokio::select! {
        verdict = context.verdict(run, deadline) => return Ok(verdict?),
        kept = ask("Keep it?") => if kept? { Verdict::Keep } else { Verdict::Reject },
    };
    let counts = context.store.answer(run, asked, &actor()).await?;
    Ok(counts.unwrap_or(asked))
}

/// The plan to apply: a fresh one, or the kept one made again.
async fn plan(
    context: &reconcile::Context,
    scope: &Scope,
    targets: &[Target],
    kept: Option<&PlanJson>,
) -> Result<Again, RunError> {
    match kept {
        Some(kept) => context.plan_again(kept, targets).await,
        None => scope.plan(context).await.map(Again::from),
    }
}

/// Turns the first Ctrl-C into a request to stop between two commands, and to give back; the second one kills as usual.
pub(super) fn stop_on_interrupt(cancel: &CancellationToken) {
    let cancel = cancel.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_err() {
            return;
        }
        say(
            "Stopping after the commands in flight; what was changed is given back, unless it is to be left. Press Ctrl-C again to abandon it.",
        );
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
