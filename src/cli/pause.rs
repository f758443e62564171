//! `gamops pause` and `gamops resume`: leaving devices as they are for a while, without a commit.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use clap::{ArgGroup, ValueEnum};
use jiff::{SignedDuration, Timestamp};

use crate::domain::TimeSpan;
use crate::inventory::model::Inventory;
use crate::plan::count;
use crate::plan::json::PauseJson;
use crate::store::{PauseOrder, Scope, StandingPause, Store};

use super::context::{device, load};
use super::exit::Exit;
use super::settings::{InventoryArgs, StateArgs};
use super::{actor, answer, say};

/// The longest reason, in characters: it stands on one line of every plan.
const LONGEST_REASON: usize = 200;

/// Leave devices as they are for a while, without a commit; without arguments, list what is paused.
///
/// A paused device is read, planned and shown, and not changed, whoever applies with this state database. It ends by itself
/// at `--until`, or after `--for`. Pausing a device again replaces its pause. What is under way goes on: a run takes each
/// device by itself, and finds it paused when its turn comes.
#[derive(Debug, clap::Args)]
#[command(
    group = ArgGroup::new("what").args(["devices", "all"]).requires_all(["reason", "end"]),
    group = ArgGroup::new("end").args(["until", "span", "until_resumed"]).requires("what"),
    after_help = "Examples:
  gamops pause -i inventory-example maple-a --reason 'cable works' --for 4h
  gamops pause -i inventory-example --all --reason 'core migration' --until 2026-12-01T06:00+01:00
  gamops pause -i inventory-example                       # what is paused, by whom, until when"
)]
pub(super) struct Args {
    /// Keys of the devices.
    #[arg(value_name = "DEVICE")]
    devices: Vec<String>,

    /// Every device of the inventory, also those that come to it meanwhile.
    #[arg(long)]
    all: bool,

    /// Why; every plan shows it.
    #[arg(long, value_name = "TEXT", value_parser = reason, requires = "what")]
    reason: Option<String>,

    /// When it ends by itself: a moment with its offset, such as 2026-12-01T06:00+01:00.
    #[arg(long, value_name = "TIME")]
    until: Option<Timestamp>,

    /// For how long: 90m, 4h, a week (168h) at most.
    #[arg(long = "for", id = "span", value_name = "LENGTH")]
    span: Option<TimeSpan>,

    /// Until somebody resumes it.
    #[arg(long)]
    until_resumed: bool,

    /// How to print the list.
    #[arg(long, value_name = "FORMAT", default_value = "text", conflicts_with = "what")]
    format: Format,

    #[command(flatten)]
    inventory: InventoryArgs,

    #[command(flatten)]
    state: StateArgs,
}

/// Go on changing devices that were paused with `gamops pause`.
///
/// `--all` ends the pause of all devices; one that a device has of its own stays until it is resumed by its key, and so does
/// `paused:` in the inventory. What still holds a device back is said.
#[derive(Debug, clap::Args)]
#[command(
    group = ArgGroup::new("what").args(["devices", "all"]).required(true),
    after_help = "Examples:
  gamops resume -i inventory-example maple-a
  gamops resume -i inventory-example --all"
)]
pub(super) struct ResumeArgs {
    /// Keys of the devices.
    #[arg(value_name = "DEVICE")]
    devices: Vec<String>,

    /// End the pause of all devices.
    #[arg(long)]
    all: bool,

    #[command(flatten)]
    inventory: InventoryArgs,

    #[command(flatten)]
    state: StateArgs,
}

/// How the list is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// What fits on one line of a plan.
fn reason(text: &str) -> Result<String, String> {
    let text = text.trim();
    match text.chars().count() {
        0 => Err("say why, in a few words".to_owned()),
        length if length > LONGEST_REASON => Err(format!("at most {LONGEST_REASON} characters")),
        _ if text.chars().any(char::is_control) => Err("one line of text".to_owned()),
        _ => Ok(text.to_owned()),
    }
}

pub(super) async fn run(args: Args) -> anyhow::Result<Exit> {
    let inventory = match load(&args.inventory.inventory)? {
        Ok(inventory) => inventory,
        Err(exit) => return Ok(exit),
    };
    let now = Timestamp::now();
    let Some(reason) = args.reason else {
        let store = Store::open(&args.state.path(&inventory)?)?;
        return list(&store, &inventory, now, args.format).await;
    };
    let until = match args.span {
        Some(span) => Some(now.checked_add(SignedDuration::from_secs(span.as_secs().into()))?),
        None => args.until,
    };
    if until.is_some_and(|until| until <= now) {
        say(&format!(
            "error: a pause has to end in the future; it is {now:.0}\n  help: `--for 4h`, or a later `--until`"
        ));
        return Ok(Exit::Usage);
    }
    let scopes = match scopes(&inventory, &args.devices, args.all) {
        Ok(scopes) => scopes,
        Err(exit) => return Ok(exit),
    };
    let store = Store::open(&args.state.path(&inventory)?)?;
    let order = PauseOrder {
        reason,
        until,
        by: actor(),
        since: now,
        of_daemon: false,
    };
    store.pause(&inventory.id, scopes.clone(), order).await?;
    let end = match until {
        Some(until) => format!("until {until:.0}"),
        None => "until somebody resumes it".to_owned(),
    };
    answer(&format!("Paused {end}: {}.\n", named(&scopes)));
    Ok(Exit::Done)
}

pub(super) async fn resume(args: ResumeArgs) -> anyhow::Result<Exit> {
    let inventory = match load(&args.inventory.inventory)? {
        Ok(inventory) => inventory,
        Err(exit) => return Ok(exit),
    };
    let scopes = match scopes(&inventory, &args.devices, args.all) {
        Ok(scopes) => scopes,
        Err(exit) => return Ok(exit),
    };
    let store = Store::open(&args.state.path(&inventory)?)?;
    let now = Timestamp::now();
    let before = store.pauses(&inventory.id, now).await?;
    // A renamed device may have been paused under the key that it had.
    let was = |scope: &Scope| match scope {
        Scope::All => None,
        Scope::Device(key) => inventory.devices.get(key)?.was.clone().map(Scope::Device),
    };
    let ended: Vec<Scope> = scopes
        .iter()
        .flat_map(|scope| [Some(scope.clone()), was(scope)])
        .flatten()
        .collect();
    store.resume(&inventory.id, ended.clone()).await?;
    let mut out = String::new();
    for scope in &scopes {
        let had = before
            .iter()
            .any(|pause| pause.scope == *scope || Some(&pause.scope) == was(scope).as_ref());
        let word = if had { "Resumed" } else { "Was not paused" };
        let _ = writeln!(out, "{word}: {}.", named(std::slice::from_ref(scope)));
    }
    let left = store.pauses(&inventory.id, now).await?;
    still_held(&mut out, &inventory, &scopes, &left, now);
    answer(&out);
    Ok(Exit::Done)
}

/// What the operator named, each device once. An unknown one is said, and the exit code is the answer.
fn scopes(inventory: &Inventory, devices: &[String], all: bool) -> Result<Vec<Scope>, Exit> {
    if all {
        return Ok(vec![Scope::All]);
    }
    if devices.iter().any(|key| device(inventory, key).is_none()) {
        return Err(Exit::Failed);
    }
    let mut scopes: Vec<Scope> = devices.iter().cloned().map(Scope::Device).collect();
    scopes.sort();
    scopes.dedup();
    Ok(scopes)
}

fn named(scopes: &[Scope]) -> String {
    let names: Vec<&str> = scopes
        .iter()
        .map(|scope| match scope {
            Scope::All => "all devices",
            Scope::Device(key) => key,
        })
        .collect();
    names.join(", ")
}

/// Names what keeps devices paused that were just resumed.
fn still_held(out: &mut String, inventory: &Inventory, resumed: &[Scope], left: &[StandingPause], now: Timestamp) {
    let of_all = left.iter().find(|pause| pause.scope == Scope::All);
    for scope in resumed {
        let Scope::Device(key) = scope else {
            for pause in left {
                if let Scope::Device(key) = &pause.scope {
                    let _ = writeln!(
                        out,
                        "  {key} is still paused by itself: {}; `gamops resume {key}`",
                        pause.paused
                    );
                }
            }
            continue;
        };
        if let Some(pause) = of_all {
            let _ = writeln!(out, "  {key} is still paused: {}; `gamops resume --all`", pause.paused);
        }
        let of_inventory = inventory.devices.get(key).and_then(|device| device.paused.as_ref());
        if let Some(pause) = of_inventory.filter(|pause| !pause.is_over(now)) {
            let _ = writeln!(out, "  {key} is still paused in the inventory: {}", pause.reason);
        }
    }
}

/// The standing pauses: those of the database, then those of the inventory.
async fn list(store: &Store, inventory: &Inventory, now: Timestamp, format: Format) -> anyhow::Result<Exit> {
    let standing = store.pauses(&inventory.id, now).await?;
    let by_inventory = inventory.devices.values().filter_map(|device| {
        let pause = device.paused.as_ref().filter(|pause| !pause.is_over(now))?;
        Some(StandingPause {
            scope: Scope::Device(device.key.clone()),
            paused: pause.into(),
        })
    });
    let pauses: Vec<StandingPause> = standing.into_iter().chain(by_inventory).collect();
    match format {
        Format::Text => answer(&list_text(&pauses)),
        Format::Json => answer(&list_json(&pauses)?),
    }
    Ok(Exit::Done)
}

fn list_text(pauses: &[StandingPause]) -> String {
    if pauses.is_empty() {
        return "Nothing is paused.\n".to_owned();
    }
    let mut out = String::new();
    for StandingPause { scope, paused } in pauses {
        let name = named(std::slice::from_ref(scope));
        let until = match (paused.until, &paused.ordered) {
            (Some(until), _) => format!("until {until:.0}"),
            (None, Some(_)) => "until it is resumed".to_owned(),
            (None, None) => "until the inventory says otherwise".to_owned(),
        };
        let by = match &paused.ordered {
            Some(ordered) => format!("{} at {:.0}", ordered.by, ordered.since),
            None => "the inventory".to_owned(),
        };
        let _ = writeln!(out, "{name}  {until}, by {by}: {}", paused.reason);
    }
    let _ = writeln!(out, "{} in force.", count(pauses.len(), "pause"));
    out
}

/// One entry a pause; `device` is null where it holds for all.
fn list_json(pauses: &[StandingPause]) -> anyhow::Result<String> {
    let entries: Vec<BTreeMap<&str, serde_json::Value>> = pauses
        .iter()
        .map(|StandingPause { scope, paused }| {
            let device = match scope {
                Scope::All => serde_json::Value::Null,
                Scope::Device(key) => key.as_str().into(),
            };
            let json = serde_json::to_value(PauseJson::from(paused))?;
            Ok(BTreeMap::from([("device", device), ("pause", json)]))
        })
        .collect::<Result<_, serde_json::Error>>()?;
    Ok(format!("{}\n", serde_json::to_string_pretty(&entries)?))
}
