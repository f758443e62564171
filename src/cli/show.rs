//! `gamops show`.

use std::fmt::Write as _;

use comfy_table::{ContentArrangement, Table, presets};

use crate::inventory::model::Inventory;
use crate::observed::{Kind, Object, ObjectId, Option82};
use crate::plan::model::{DeviceChanges, DevicePlan, Held, Outcome, Saved};
use crate::plan::moves;
use crate::plan::{Refusal, Target, count};

use super::context::{context, load};
use super::exit::Exit;
use super::settings::{FleetArgs, InventoryArgs};
use super::{answer, say};
use crate::reconcile::Events;

/// Show one device or one subscriber: what the inventory wants, what the device holds, whether they agree.
///
/// For a subscriber also its numbers on the device and the option 82 values that DHCP and RADIUS servers see.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gamops show -i inventory-example maple-a
  gamops show -i inventory-example s-10442")]
pub(super) struct Args {
    /// Key of a device or of a subscriber.
    #[arg(value_name = "KEY")]
    key: String,

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
    let Some(device) = device_of(&inventory, &args.key) else {
        say(&format!(
            "error: the inventory has no device or subscriber `{}`{}",
            args.key,
            hint(&inventory, &args.key)
        ));
        return Ok(Exit::Failed);
    };
    let subscriber = inventory.subscribers.contains_key(&args.key).then(|| args.key.clone());
    let context = context(inventory, &args.inventory.inventory, &args.fleet, Events::default())?;
    let planned = context.plan(&[Target { device, object: None }]).await?;
    let plan = planned.close().await;
    let Some(device) = plan.devices.first() else {
        return Ok(Exit::Failed);
    };
    let changes = match &device.outcome {
        Outcome::Read(changes) => changes,
        Outcome::Unread(unread) => {
            let help = unread
                .help
                .as_ref()
                .map(|help| format!("\n  help: {help}"))
                .unwrap_or_default();
            say(&format!("error: {}: {}{help}", device.device, unread.reason));
            return Ok(Exit::Failed);
        }
    };
    answer(&match subscriber {
        Some(key) => subscriber_text(device, changes, &key),
        None => device_text(device, changes),
    });
    Ok(Exit::Done)
}

/// The device that a key names or that serves the subscriber it names. Devices come first.
fn device_of(inventory: &Inventory, key: &str) -> Option<String> {
    inventory.devices.get(key).map(|device| device.key.clone()).or_else(|| {
        inventory
            .subscribers
            .get(key)
            .map(|subscriber| subscriber.device.clone())
    })
}

fn hint(inventory: &Inventory, key: &str) -> String {
    let keys: Vec<&str> = inventory
        .devices
        .keys()
        .chain(inventory.subscribers.keys())
        .map(String::as_str)
        .collect();
    match similar::get_close_matches(key, &keys, 1, 0.6).first() {
        Some(near) => format!("; did you mean `{near}`?"),
        None => String::new(),
    }
}

fn table(header: [&str; 3], rows: impl IntoIterator<Item = [String; 3]>) -> String {
    let mark = |row: [String; 3]| {
        let differs = if row[1] == row[2] { "" } else { "<- differs" };
        let [label, desired, observed] = row;
        [label, desired, observed, differs.to_owned()]
    };
    let header = [header[0], header[1], header[2], ""];
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(header);
    table.add_rows(rows.into_iter().map(mark));
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n")
}

fn subscriber_text(device: &DevicePlan, changes: &DeviceChanges, key: &str) -> String {
    let mut out = String::new();
    let record = changes
        .records
        .iter()
        .find(|record| record.kind() == Kind::Subscriber && record.key == key);
    let Some(record) = record else {
        let _ = writeln!(
            out,
            "subscriber {key} on {}: nothing can be planned for it now:",
            device.device
        );
        refusals(&mut out, changes);
        return out;
    };
    let id = record.object;
    let (desired, observed) = (changes.target.object(id), changes.observed.object(id));
    let related: Vec<ObjectId> = std::iter::once(id).chain(related(desired.as_ref())).collect();
    let in_sync = related
        .iter()
        .all(|id| changes.target.object(*id) == changes.observed.object(*id));
    let _ = writeln!(
        out,
        "subscriber {key} on {} ({} at {})",
        device.device, device.model, device.address
    );
    let _ = writeln!(
        out,
        "  in sync: {}",
        if in_sync { "yes" } else { "no, see `gamops plan`" }
    );
    refusals(&mut out, changes);
    out.push('\n');

    let mut rows: Vec<[String; 3]> = Vec::new();
    rows.push(id_row("subscriber id", id, changes));
    for id in &related[1..] {
        let label = format!("{} id", id.kind());
        rows.push(id_row(&label, *id, changes));
    }
    if let ObjectId::Subscriber(number) = id {
        let (after, before) = (
            Option82::of(&changes.target, number),
            Option82::of(&changes.observed, number),
        );
        let remote = |values: &Option<Option82>| values.as_ref().map(|v| v.remote_id.clone()).unwrap_or_default();
        let circuit = |v: &Option<Option82>| v.as_ref().and_then(|v| v.circuit_id.clone()).unwrap_or_default();
        rows.push(["option 82 remote id".to_owned(), remote(&after), remote(&before)]);
        rows.push(["option 82 circuit id".to_owned(), circuit(&after), circuit(&before)]);
    }
    rows.extend(field_rows("", desired.as_ref(), observed.as_ref(), changes));
    for id in related[1..].iter().filter(|id| id.kind() != Kind::Subscriber) {
        let prefix = format!("{} ", id.kind());
        let (desired, observed) = (changes.target.object(*id), changes.observed.object(*id));
        rows.extend(field_rows(&prefix, desired.as_ref(), observed.as_ref(), changes));
    }
    let _ = writeln!(out, "{}", table(["", "desired", "observed"], rows));
    out
}

/// The endpoint and profile that a subscriber stands on.
fn related(subscriber: Option<&Object>) -> Vec<ObjectId> {
    let Some(Object::Subscriber(subscriber)) = subscriber else {
        return Vec::new();
    };
    let profile = match subscriber.profile {
        Some(crate::observed::ProfileRef::Profile(id)) => Some(ObjectId::Profile(id)),
        _ => None,
    };
    subscriber
        .endpoint
        .map(ObjectId::Endpoint)
        .into_iter()
        .chain(profile)
        .collect()
}

fn id_row(label: &str, id: ObjectId, changes: &DeviceChanges) -> [String; 3] {
    let held = changes
        .observed
        .object(id)
        .map(|_| id.number().to_string())
        .unwrap_or_default();
    [label.to_owned(), id.number().to_string(), held]
}

fn field_rows(
    prefix: &str,
    desired: Option<&Object>,
    observed: Option<&Object>,
    changes: &DeviceChanges,
) -> Vec<[String; 3]> {
    let desired = desired.map(|object| object.fields(&changes.target)).unwrap_or_default();
    let observed = observed
        .map(|object| object.fields(&changes.observed))
        .unwrap_or_default();
    desired
        .into_iter()
        .enumerate()
        .map(|(index, (field, value))| {
            let held = observed.get(index).map(|(_, value)| value.clone()).unwrap_or_default();
            [format!("{prefix}{field}"), value, held]
        })
        .filter(|[_, desired, observed]| !(desired.is_empty() && observed.is_empty()))
        .collect()
}

fn refusals(out: &mut String, changes: &DeviceChanges) {
    // Only this device was looked at, so whether a subscriber's new device is ready is not known here.
    let known = |refusal: &&Refusal| refusal.rule != moves::INCOMPLETE;
    for refusal in changes.refusals.iter().filter(known) {
        let _ = writeln!(
            out,
            "  refused[{}]: {}\n    help: {}",
            refusal.rule, refusal.message, refusal.help
        );
    }
}

fn device_text(device: &DevicePlan, changes: &DeviceChanges) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "device {} ({} at {})", device.device, device.model, device.address);
    let state = if changes.changes.is_empty() {
        "yes".to_owned()
    } else {
        format!(
            "no, {}; see `gamops plan --target {}`",
            count(changes.changes.len(), "difference"),
            device.device
        )
    };
    let _ = writeln!(out, "  in sync: {state}");
    let _ = writeln!(out, "  base MAC {}, firmware {}", changes.mac, changes.firmware);
    match &changes.held {
        Some(Held::Observe) => out.push_str("  mode: observe; nothing is changed\n"),
        Some(Held::Paused(pauses)) => {
            for paused in pauses {
                let _ = writeln!(out, "  paused: {paused}; nothing is changed");
            }
        }
        None => out.push_str("  mode: manage\n"),
    }
    let saved = match &changes.saved {
        Saved::Yes => "yes".to_owned(),
        Saved::No { difference, .. } => format!("no, {} would be lost at a reboot", count(difference.len(), "line")),
        Saved::Unknown => "unknown: the device did not show its startup configuration".to_owned(),
    };
    let _ = writeln!(out, "  saved: {saved}");
    refusals(&mut out, changes);
    out.push('\n');
    let counted = |config: &crate::observed::DeviceConfig, kind: Kind| -> String {
        config.object_ids().filter(|id| id.kind() == kind).count().to_string()
    };
    let rows = [Kind::Profile, Kind::Endpoint, Kind::Subscriber].map(|kind| {
        [
            format!("{kind}s"),
            counted(&changes.target, kind),
            counted(&changes.observed, kind),
        ]
    });
    let hostname = [
        "hostname".to_owned(),
        changes.target.hostname.clone(),
        changes.observed.hostname.clone(),
    ];
    let _ = writeln!(
        out,
        "{}",
        table(["", "desired", "observed"], std::iter::once(hostname).chain(rows))
    );
    if !changes.unmanaged.is_empty() {
        out.push_str("\nunmanaged, left alone:\n");
        for (id, name) in &changes.unmanaged {
            let _ = writeln!(out, "  {id} \"{name}\"");
        }
    }
    let running = changes.observed_text();
    let line_settings = running.lines().filter(|line| is_line_setting(line));
    let line_settings: Vec<String> = line_settings.map(|line| format!("  {line}\n")).collect();
    if !line_settings.is_empty() {
        out.push_str("\nsettings of the lines, shown and never changed:\n");
        out.extend(line_settings);
    }
    for note in &changes.notes {
        let _ = writeln!(out, "note: {note}");
    }
    out
}

/// Notches and VectorBoost hold for whole bundles of lines, also of other operators: people set them, and gamops looks.
fn is_line_setting(line: &str) -> bool {
    ["ghn notch ", "ghn vectorboost "]
        .iter()
        .any(|head| line.starts_with(head))
}
