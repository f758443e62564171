//! The small ISP of a demo: the example with a billing system, on devices and servers of its own.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow, ensure};

use crate::cli::answer;
use crate::cli::simulate::seed;
use crate::daemon::standing::State;
use crate::daemon::status::Status;
use crate::diagnostic::SourceFile;
use crate::domain::BillingKind;
use crate::inventory;
use crate::plan::count;
use crate::repo::{By, Shown, first_commit, shown, write_new};
use crate::sim::billing::HOOK_SECRET;
use crate::sim::splynx::{KEY, SECRET, Splynx, Target};
use crate::sim::{Fleet, SimDevice};

use super::daemon::Daemon;
use super::{start_fleet, step};

/// The inventory of the example with a billing system, as it is in the repository: `(name, text)`.
const INVENTORY: [(&str, &str); 3] = [
    ("gamops.yaml", include_str!("../../../inventory-billing/gamops.yaml")),
    ("plans.yaml", include_str!("../../../inventory-billing/plans.yaml")),
    (
        "sites/elm.yaml",
        include_str!("../../../inventory-billing/sites/elm.yaml"),
    ),
];

/// What lies beside it.
const BESIDE: [(&str, &str); 3] = [
    (".gitignore", include_str!("../../../inventory-billing/.gitignore")),
    ("daemon.yaml", include_str!("../../../inventory-billing/daemon.yaml")),
    ("seed.yaml", SEED),
];

/// What the billing system of the example starts with.
const SEED: &str = include_str!("../../../inventory-billing/seed.yaml");

/// What of the example has an address in it; others are free here.
const DEVICE_AT: &str = "transport: {ssh_port: 22011, snmp_port: 16111}";
const SPLYNX_AT: &str = "http://127.0.0.1:18001";
const DAEMON_AT: &str = "127.0.0.1:9105";

/// The device of the example.
pub(super) const DEVICE: &str = "elm-a";

/// How often it is looked whether Splynx was asked something, and for how long.
const PAUSE: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_secs(60);

/// A small ISP: a device, a billing system, a repository and the daemon.
pub(super) struct Isp {
    /// The work tree.
    network: PathBuf,
    fleet: Fleet,
    device: Arc<SimDevice>,
    pub(super) splynx: Splynx,
    pub(super) daemon: Daemon,
    /// The commit that is in force.
    tip: String,
}

impl Isp {
    /// Sets all of it up below a folder, until the first commit is on the device and Splynx was looked at.
    pub(super) async fn open(folder: &Path) -> anyhow::Result<Self> {
        step("gamops simulate -i inventory-billing --blank --billing splynx");
        let (fleet, splynx) = simulate().await?;
        let device = fleet
            .device(DEVICE)
            .context("a simulated device is missing: this is a bug")?;

        step("git init && git add . && git commit");
        let (network, listen) = (folder.join("isp"), free_address()?);
        let (ssh, snmp) = (device.ssh_addr().port(), device.snmp_addr().port());
        let tip = commit(&network, |text| {
            let transport = format!("transport: {{ssh_port: {ssh}, snmp_port: {snmp}}}");
            let text = text.replace(DEVICE_AT, &transport).replace(DAEMON_AT, &listen);
            text.replace(SPLYNX_AT, &splynx.url())
        })?;

        step("gamops daemon --settings daemon.yaml");
        let secrets = vec![
            ("GAMOPS_CRED_SPLYNX_USERNAME", KEY),
            ("GAMOPS_CRED_SPLYNX_PASSWORD", SECRET),
            ("GAMOPS_CRED_SPLYNX_HOOK_PASSWORD", HOOK_SECRET),
        ];
        let mut daemon = Daemon::start(&network, &listen, secrets, folder.join("daemon.log"))?;
        until_in_force(&mut daemon, &tip).await?;
        let swept = |status: &Status| status.billing.get(&BillingKind::Splynx)?.swept;
        daemon.until("a first look at Splynx", swept).await?;
        splynx.hook(Target {
            url: format!("http://{listen}/billing/splynx"),
            secret: HOOK_SECRET.to_owned(),
            is_form: false,
        });
        Ok(Self {
            network,
            fleet,
            device,
            splynx,
            daemon,
            tip,
        })
    }

    /// Connects an endpoint to a port of the device.
    pub(super) fn plug(&self, mac: &str, port: u64) -> anyhow::Result<()> {
        let bug = "what the demo plugs in: this is a bug";
        self.device
            .plug(mac.parse().context(bug)?, port.try_into().context(bug)?);
        Ok(())
    }

    /// Waits until Splynx was asked about an account.
    pub(super) async fn until_asked_about(&self, account: u64) -> anyhow::Result<()> {
        let asked = format!("customers/customer/{account}");
        let waiting = async {
            while !self.splynx.requests().iter().any(|request| request.contains(&asked)) {
                tokio::time::sleep(PAUSE).await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, waiting).await;
        waited.context("the daemon never asked Splynx about the new account: this is a bug")
    }

    /// Waits until a commit of the daemon's is on the device.
    pub(super) async fn until_another_commit(&mut self) -> anyhow::Result<Shown> {
        let before = self.tip.clone();
        let another = |status: &Status| status.in_force.as_ref()?.commit.clone().filter(|tip| *tip != before);
        self.tip = self.daemon.until("a commit", another).await?;
        until_in_force(&mut self.daemon, &self.tip).await?;
        Ok(shown(&self.network, &self.tip)?)
    }

    /// The commit that the branch was at the last time, if it still is.
    pub(super) fn still_at(&self) -> anyhow::Result<&str> {
        let tip = shown(&self.network, "main")?.commit;
        ensure!(tip == self.tip, "commit {tip} should not be there: this is a bug");
        Ok(&self.tip)
    }

    /// The subscribers of what the device has saved, a line each.
    pub(super) fn held(&self) -> String {
        let config = self.device.startup_config().unwrap_or_default();
        let lines = config.lines().map(str::trim);
        let lines = lines.filter(|line| line.starts_with("ghn subscriber ") && line.contains(" name "));
        lines.map(|line| format!("  {line}\n")).collect()
    }

    /// Ends all of it.
    pub(super) async fn close(self) -> anyhow::Result<()> {
        self.daemon.stop().await?;
        self.fleet.stop().await;
        Ok(())
    }
}

/// Starts the device of the example, factory-fresh, and a Splynx with the customers of its seed.
async fn simulate() -> anyhow::Result<(Fleet, Splynx)> {
    let loaded = inventory::load(&INVENTORY.map(|(name, text)| source(name, text)));
    let mut inventory = loaded.inventory.context("the example is invalid: this is a bug")?;
    let fleet = start_fleet(&mut inventory).await?;
    let opening = seed::read(&source("seed.yaml", SEED)).map_err(|wrong| anyhow!("{wrong}: this is a bug"))?;
    // Nobody is suspended yet: that is what the demo shows.
    let splynx = Splynx::start(&opening.seed)
        .await
        .context("starting a simulated Splynx")?;
    answer(&format!(
        "{DEVICE} is up on loopback, factory-fresh: real SSH and SNMP. Beside it a Splynx at {}, with {}.\n",
        splynx.url(),
        count(opening.seed.customers.len(), "customer")
    ));
    Ok((fleet, splynx))
}

/// Makes a repository of the example, with addresses as they are here; gives the short id of its commit.
fn commit(network: &Path, as_here: impl Fn(&str) -> String) -> anyhow::Result<String> {
    let texts: Vec<(&str, String)> = (INVENTORY.iter().chain(&BESIDE))
        .map(|(name, text)| (*name, as_here(text)))
        .collect();
    let files: Vec<(&str, &str)> = texts.iter().map(|(name, text)| (*name, text.as_str())).collect();
    write_new(network, &files)?;
    let by = By::Somebody {
        name: "Alice",
        email: "alice@example.org",
    };
    let subject = "Elm House, and what Splynx's words mean";
    let tip = first_commit(network, &files, &format!("{subject}\n"), by)?;
    answer(&format!("{tip}  {subject}\n"));
    Ok(tip)
}

/// Waits until the device is as a commit says.
async fn until_in_force(daemon: &mut Daemon, tip: &str) -> anyhow::Result<()> {
    let is_there = |status: &Status| {
        let standing = status.devices.get(DEVICE)?;
        (standing.state == State::InSync && standing.commit.as_deref() == Some(tip)).then_some(())
    };
    daemon.until(&format!("commit {tip} on {DEVICE}"), is_there).await
}

fn source(name: &str, text: &str) -> SourceFile {
    SourceFile {
        path: name.to_owned(),
        text: text.to_owned(),
    }
}

/// An address of this machine that was free a moment ago.
fn free_address() -> anyhow::Result<String> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").context("looking for a free port")?;
    Ok(listener.local_addr().context("looking for a free port")?.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_has_every_file_of_the_example_and_finds_what_it_replaces() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("inventory-billing");
        let mut on_disk = Vec::new();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    on_disk.push(path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned());
                }
            }
        }
        on_disk.sort();
        let mut in_demo: Vec<(&str, &str)> = INVENTORY.into_iter().chain(BESIDE).collect();
        in_demo.sort_unstable();
        assert_eq!(in_demo.iter().map(|(name, _)| *name).collect::<Vec<_>>(), on_disk);
        for there in [DEVICE_AT, SPLYNX_AT, DAEMON_AT] {
            assert!(in_demo.iter().any(|(_, text)| text.contains(there)), "{there}");
        }
    }
}
