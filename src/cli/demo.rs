//! `gamops demo`: the whole loop on simulated devices, in a temporary folder.

mod billing;
mod daemon;
mod isp;

use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;

use crate::diagnostic::SourceFile;
use crate::inventory;
use crate::inventory::model::Inventory;
use crate::plan::{Target, count, plan_text};
use crate::reconcile::{Context, DeviceResult, Orders};
use crate::sim::{Fleet, FleetOptions};
use crate::store::Store;
use crate::transport::credentials::Keyring;

use super::exit::Exit;
use super::progress::Progress;
use super::results::results_text;
use super::simulate::specs;
use super::{answer, say};

/// See the whole loop work on simulated devices: nothing to set up, nothing left behind.
///
/// Starts the example fleet (six devices that speak real SSH and SNMP on loopback), validates its inventory,
/// plans, applies, plans again, changes one device behind gamops's back, shows the drift and mends it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gamops demo
  gamops demo --billing")]
pub(super) struct Args {
    /// Print every plan in full.
    #[arg(long)]
    full: bool,
    /// Show instead how customers of a billing system reach the network: a simulated Splynx, a Git repository, the daemon and a
    /// simulated device, from a new customer to one who does not pay.
    #[arg(long, conflicts_with = "full")]
    billing: bool,
}

/// The example inventory, as it is in the repository: `(name, text)`.
const EXAMPLE: &[(&str, &str)] = &[
    ("gamops.yaml", include_str!("../../inventory-example/gamops.yaml")),
    ("plans.yaml", include_str!("../../inventory-example/plans.yaml")),
    (
        "sites/birch.yaml",
        include_str!("../../inventory-example/sites/birch.yaml"),
    ),
    (
        "sites/cedar.yaml",
        include_str!("../../inventory-example/sites/cedar.yaml"),
    ),
    (
        "sites/harbour.yaml",
        include_str!("../../inventory-example/sites/harbour.yaml"),
    ),
    (
        "sites/lodge.yaml",
        include_str!("../../inventory-example/sites/lodge.yaml"),
    ),
    (
        "sites/maple.yaml",
        include_str!("../../inventory-example/sites/maple.yaml"),
    ),
];

/// The firmware that the example's devices run.
const FIRMWARE: &str = "1.8.2";

/// How many lines of a long plan the demo shows.
const SHOWN: usize = 30;

pub(super) async fn run(args: Args) -> anyhow::Result<Exit> {
    if args.billing {
        return billing::run().await;
    }
    let started = Instant::now();
    let folder = tempfile::tempdir().context("making a temporary folder")?;

    step("gamops validate inventory-example");
    let files: Vec<SourceFile> = EXAMPLE
        .iter()
        .map(|(name, text)| SourceFile {
            path: (*name).to_owned(),
            text: (*text).to_owned(),
        })
        .collect();
    let loaded = inventory::load(&files);
    let mut inventory = loaded
        .inventory
        .context("the example inventory is invalid: this is a bug")?;
    answer(&format!(
        "Valid: {}, {}, {} in {}.\n",
        count(inventory.devices.len(), "device"),
        count(inventory.subscribers.len(), "subscriber"),
        count(inventory.plans.len(), "plan"),
        count(files.len(), "file")
    ));

    step("gamops simulate -i inventory-example --blank");
    let fleet = start_fleet(&mut inventory).await?;
    answer(&format!(
        "{} are up on loopback, factory-fresh: real SSH and SNMP, nothing of gamops's own in between.\n",
        count(inventory.devices.len(), "simulated device")
    ));
    let drifting = drifting(&inventory).context("the example inventory has no subscriber: this is a bug")?;
    let demo = Demo {
        inventory: Arc::new(inventory),
        state: folder.path().join("state.db"),
        full: args.full,
    };

    step("gamops plan -i inventory-example");
    demo.plan(&[]).await?;

    step("gamops apply -i inventory-example --auto-approve");
    demo.apply(&[]).await?;

    step("gamops plan -i inventory-example");
    demo.plan(&[]).await?;

    let (device, line) = drifting;
    step(&format!("somebody types `{line}` on {device}, behind gamops's back"));
    let simulated = fleet
        .device(&device)
        .context("a simulated device is missing: this is a bug")?;
    simulated.execute(&line);

    let target = [Target {
        device: device.clone(),
        object: None,
    }];
    step(&format!("gamops plan -i inventory-example --target {device}"));
    demo.plan(&target).await?;

    step(&format!(
        "gamops apply -i inventory-example --target {device} --auto-approve"
    ));
    demo.apply(&target).await?;

    fleet.stop().await;
    say(&format!(
        "\nThat took {:.1} s. The devices are gone, and so is everything the demo wrote.",
        started.elapsed().as_secs_f32()
    ));
    answer(NEXT);
    Ok(Exit::Done)
}

const NEXT: &str = "
What to try next:
  gamops simulate -i inventory-example --blank     in one terminal: the same fleet, for you to play with
  gamops plan -i inventory-example                 in another
  gamops apply -i inventory-example
  edit inventory-example/*.yaml, then `gamops validate inventory-example` and plan again
  gamops show -i inventory-example KEY             one device or subscriber, wish beside state
";

fn step(what: &str) {
    let bold = anstyle::Style::new().bold();
    answer(&format!("\n{bold}$ {what}{bold:#}\n"));
}

/// Starts the devices on free ports, and points the inventory at them.
async fn start_fleet(inventory: &mut Inventory) -> anyhow::Result<Fleet> {
    for device in inventory.devices.values_mut() {
        (device.transport.ssh_port, device.transport.snmp_port) = (0, 0);
    }
    let fleet = Fleet::start(specs(inventory, FIRMWARE, |_| None)?, FleetOptions::default()).await?;
    for device in inventory.devices.values_mut() {
        let simulated = fleet
            .device(&device.key)
            .context("a simulated device is missing: this is a bug")?;
        device.transport.ssh_port = simulated.ssh_addr().port();
        device.transport.snmp_port = simulated.snmp_addr().port();
    }
    Ok(fleet)
}

/// A device and a line that changes something on it: the first subscriber's VLAN.
fn drifting(inventory: &Inventory) -> Option<(String, String)> {
    let subscriber = inventory
        .subscribers
        .values()
        .find(|subscriber| subscriber.endpoint.is_some())?;
    Some((subscriber.device.clone(), "ghn subscriber 1 vid 3999".to_owned()))
}

struct Demo {
    inventory: Arc<Inventory>,
    state: std::path::PathBuf,
    full: bool,
}

impl Demo {
    fn context(&self, devices: usize) -> anyhow::Result<(Context, Progress)> {
        let (progress, events) = Progress::start(devices);
        let (store, keyring) = (Store::open(&self.state)?, Arc::new(Keyring::from_environment()?));
        let context = Context {
            events,
            ..Context::new(Arc::clone(&self.inventory), store, keyring)
        };
        Ok((context, progress))
    }

    fn devices(&self, targets: &[Target]) -> usize {
        if targets.is_empty() {
            self.inventory.devices.len()
        } else {
            targets.len()
        }
    }

    async fn plan(&self, targets: &[Target]) -> anyhow::Result<()> {
        let (context, progress) = self.context(self.devices(targets))?;
        let plan = context.plan(targets).await?.close().await;
        drop(context);
        progress.finish().await;
        self.print(&plan_text(&plan));
        Ok(())
    }

    async fn apply(&self, targets: &[Target]) -> anyhow::Result<()> {
        let (context, progress) = self.context(self.devices(targets))?;
        let planned = context.plan(targets).await?;
        let results: Vec<DeviceResult> = context.apply(planned, &Orders::by("demo")).await?.results;
        drop(context);
        progress.finish().await;
        answer(&results_text(&results, "Apply", false));
        let fine = results.iter().all(|result| result.outcome.is_fine());
        anyhow::ensure!(fine, "a simulated device was left unfinished: this is a bug");
        Ok(())
    }

    /// Prints a plan; of a long one the beginning and the end.
    fn print(&self, text: &str) {
        let lines: Vec<&str> = text.lines().collect();
        let closing = lines.iter().rposition(|line| line.is_empty()).unwrap_or(0);
        if self.full || lines.len() <= 2 * SHOWN || closing <= SHOWN {
            answer(text);
            return;
        }
        let left_out = closing - SHOWN;
        let shown = [
            lines[..SHOWN].join("\n"),
            format!(
                "\n  ... and {} more; `gamops demo --full` shows all of it\n",
                count(left_out, "line")
            ),
            lines[closing..].join("\n"),
        ];
        answer(&format!("{}\n", shown.concat()));
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_demo_has_every_file_of_the_example() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("inventory-example");
        let read = crate::repo::read_inventory(&root).unwrap();
        let mut on_disk: Vec<&str> = read.iter().map(|file| file.text.as_str()).collect();
        let mut in_demo: Vec<&str> = EXAMPLE.iter().map(|(_, text)| *text).collect();
        on_disk.sort_unstable();
        in_demo.sort_unstable();
        assert_eq!(in_demo, on_disk);
    }
}
