//! `gamops demo --billing`: from a new customer in a billing system to one who does not pay.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, ensure};
use serde_json::json;

use crate::cli::exit::Exit;
use crate::cli::simulate::seed;
use crate::cli::{answer, say};
use crate::daemon::standing::State;
use crate::daemon::status::Status;
use crate::diagnostic::SourceFile;
use crate::domain::BillingKind;
use crate::inventory;
use crate::plan::count;
use crate::repo::{By, Shown, first_commit, shown, write_new};
use crate::sim::billing::{HOOK_SECRET, SeedCustomer, SeedService};
use crate::sim::splynx::{KEY, SECRET, Splynx, Table, Target};
use crate::sim::{Fleet, SimDevice};

use super::daemon::Daemon;
use super::{start_fleet, step};

/// The example with a billing system, as it is in the repository: `(name, text)`.
const EXAMPLE: [(&str, &str); 6] = [
    (".gitignore", include_str!("../../../inventory-billing/.gitignore")),
    ("daemon.yaml", include_str!("../../../inventory-billing/daemon.yaml")),
    ("gamops.yaml", include_str!("../../../inventory-billing/gamops.yaml")),
    ("plans.yaml", include_str!("../../../inventory-billing/plans.yaml")),
    ("seed.yaml", SEED),
    (
        "sites/elm.yaml",
        include_str!("../../../inventory-billing/sites/elm.yaml"),
    ),
];

/// What the billing system of the example starts with.
const SEED: &str = include_str!("../../../inventory-billing/seed.yaml");

/// What of the example has an address in it; others are free here.
const DEVICE_AT: &str = "transport: {ssh_port: 22011, snmp_port: 16111}";
const SPLYNX_AT: &str = "http://127.0.0.1:18001";
const DAEMON_AT: &str = "127.0.0.1:9105";

/// The device of the example.
const DEVICE: &str = "elm-a";

/// The subscriber that the new customer becomes.
const NEWCOMER: &str = "c-1004-5004";

/// How often it is looked whether Splynx was asked something, and for how long.
const PAUSE: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_secs(60);

const NEXT: &str = "
What to try next:
  cp -r inventory-billing /tmp/isp && cd /tmp/isp && git init -b main && git add . && git commit -m 'Elm House'
  gamops simulate --blank --billing splynx --billing-webhook http://127.0.0.1:9105 --control /tmp/sim.sock
                                                   in one terminal: the same, for you to play with; it says what to export
  gamops daemon --settings daemon.yaml             in another, and in a third:
  gamops simulate-control /tmp/sim.sock splynx suspend 1001
  git log -p
  gamops billing status --settings daemon.yaml     all that billing and the inventory do not agree about
";

pub(super) async fn run() -> anyhow::Result<Exit> {
    let started = Instant::now();
    let folder = tempfile::tempdir().context("making a temporary folder")?;
    let mut isp = Isp::open(folder.path().join("isp"), folder.path().join("daemon.log")).await?;
    let newcomer = newcomer();

    event("in Splynx, Grace Hopper becomes customer 1004: Fiber 500, and a box with the address 000ED82B0004");
    isp.splynx.add(&newcomer);
    isp.until_asked_about(newcomer.id).await?;
    step("gamops billing status --settings daemon.yaml");
    let status = ["billing", "status", "--settings", "daemon.yaml"];
    answer(&isp.daemon.beside(&status).await?);
    isp.ensure_nothing_came("nobody has plugged in her box, so there is nothing to do yet")?;

    event("at Elm House, a technician plugs the box in at port 3, and says so in Splynx");
    isp.plug("00:0e:d8:2b:00:04", 3)?;
    let done = json!({ "additional_attributes": { "installed": "yes" } });
    isp.splynx.set(Table::Customers, newcomer.id, &done);
    isp.show_what_comes().await?;

    event("in Splynx, she has not paid, and is blocked");
    isp.splynx.customer(newcomer.id).block();
    isp.show_what_comes().await?;

    event("in Splynx, she has paid");
    isp.splynx.customer(newcomer.id).pay();
    isp.show_what_comes().await?;

    event("in Splynx, somebody restricts the API key by mistake: it tells of no customer at all");
    let before = isp.held();
    isp.splynx.show_partner(Some(0));
    // A tariff that changes may concern everybody, so that everything is looked at, as it is from time to time.
    isp.splynx.set(Table::Tariffs, 1, &json!({ "price": "61.0000" }));
    let is_distrusted = |status: &Status| {
        let billed = status.billing.get(&BillingKind::Splynx)?;
        billed.distrusted.as_ref().map(|_| ())
    };
    isp.daemon.until("a book that is not believed", is_distrusted).await?;
    step("gamops status");
    answer(&isp.daemon.beside(&["status"]).await?);
    isp.ensure_nothing_came("everybody has the service that they had")?;
    ensure!(isp.held() == before, "the device holds something else: this is a bug");

    isp.close().await?;
    say(&format!(
        "\nThat took {:.1} s. Device, Splynx and daemon are gone, and so is everything the demo wrote.",
        started.elapsed().as_secs_f32()
    ));
    answer(NEXT);
    Ok(Exit::Done)
}

/// Tells of something that somebody does.
fn event(what: &str) {
    let bold = anstyle::Style::new().bold();
    answer(&format!("\n{bold}* {what}{bold:#}\n"));
}

/// Who moves in.
fn newcomer() -> SeedCustomer {
    SeedCustomer {
        id: 1004,
        name: "Grace Hopper".to_owned(),
        street: "1 Elm Street".to_owned(),
        city: "Elm Park".to_owned(),
        services: vec![SeedService {
            id: 5004,
            offer: 2,
            mac: Some("000ED82B0004".to_owned()),
        }],
        ..SeedCustomer::default()
    }
}

/// A small ISP: a device, a billing system, a repository and the daemon.
struct Isp {
    /// The work tree.
    network: PathBuf,
    fleet: Fleet,
    device: Arc<SimDevice>,
    splynx: Splynx,
    daemon: Daemon,
    /// The commit that is in force.
    tip: String,
}

impl Isp {
    /// Sets all of it up, until the first commit is on the device and Splynx was looked at.
    async fn open(network: PathBuf, log: PathBuf) -> anyhow::Result<Self> {
        step("gamops simulate -i inventory-billing --blank --billing splynx");
        let of_inventory = EXAMPLE
            .iter()
            .filter(|(name, _)| !["seed.yaml", "daemon.yaml", ".gitignore"].contains(name));
        let files: Vec<SourceFile> = of_inventory.map(|(name, text)| source(name, text)).collect();
        let loaded = inventory::load(&files);
        let mut inventory = loaded.inventory.context("the example is invalid: this is a bug")?;
        let fleet = start_fleet(&mut inventory).await?;
        let device = fleet
            .device(DEVICE)
            .context("a simulated device is missing: this is a bug")?;
        let opening = seed::read(&source("seed.yaml", SEED)).map_err(|wrong| anyhow!("{wrong}: this is a bug"))?;
        let splynx = Splynx::start(&opening.seed)
            .await
            .context("starting a simulated Splynx")?;
        answer(&format!(
            "{DEVICE} is up on loopback, factory-fresh: real SSH and SNMP. Beside it a Splynx at {}, with {}.\n",
            splynx.url(),
            count(opening.seed.customers.len(), "customer")
        ));

        step("git init && git add . && git commit");
        let listen = free_address()?;
        let (ssh, snmp) = (device.ssh_addr().port(), device.snmp_addr().port());
        let transport = format!("transport: {{ssh_port: {ssh}, snmp_port: {snmp}}}");
        let texts = EXAMPLE.map(|(name, text)| {
            let text = text.replace(DEVICE_AT, &transport).replace(DAEMON_AT, &listen);
            (name, text.replace(SPLYNX_AT, &splynx.url()))
        });
        let files = texts.each_ref().map(|(name, text)| (*name, text.as_str()));
        write_new(&network, &files)?;
        let (subject, by) = (
            "Elm House, and what Splynx's words mean",
            By::Somebody {
                name: "Alice",
                email: "alice@example.org",
            },
        );
        let tip = first_commit(&network, &files, &format!("{subject}\n"), by)?;
        answer(&format!("{tip}  {subject}\n"));

        step("gamops daemon --settings daemon.yaml");
        let secrets = vec![
            ("GAMOPS_CRED_SPLYNX_USERNAME", KEY),
            ("GAMOPS_CRED_SPLYNX_PASSWORD", SECRET),
            ("GAMOPS_CRED_SPLYNX_HOOK_PASSWORD", HOOK_SECRET),
        ];
        let mut daemon = Daemon::start(&network, &listen, secrets, log)?;
        until_in_force(&mut daemon, &tip).await?;
        let swept = |status: &Status| status.billing.get(&BillingKind::Splynx)?.swept;
        daemon.until("a first look at Splynx", swept).await?;
        splynx.hook(Target {
            url: format!("http://{listen}/billing/splynx"),
            secret: HOOK_SECRET.to_owned(),
            is_form: false,
        });
        let isp = Self {
            network,
            fleet,
            device,
            splynx,
            daemon,
            tip,
        };
        isp.ensure_nothing_came("it is in force, and Splynx says the same")?;
        answer(&format!("{DEVICE} holds:\n{}", isp.held()));
        Ok(isp)
    }

    fn plug(&self, mac: &str, port: u64) -> anyhow::Result<()> {
        let bug = "what the demo plugs in: this is a bug";
        self.device
            .plug(mac.parse().context(bug)?, port.try_into().context(bug)?);
        Ok(())
    }

    /// Waits until Splynx was asked about an account.
    async fn until_asked_about(&self, account: u64) -> anyhow::Result<()> {
        let asked = format!("customers/customer/{account}");
        let waiting = async {
            while !self.splynx.requests().iter().any(|request| request.contains(&asked)) {
                tokio::time::sleep(PAUSE).await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, waiting).await;
        waited.context("the daemon never asked Splynx about the new account: this is a bug")
    }

    /// Waits until a commit of the daemon's is on the device, and shows both.
    async fn show_what_comes(&mut self) -> anyhow::Result<()> {
        let before = self.tip.clone();
        let another = |status: &Status| status.in_force.as_ref()?.commit.clone().filter(|tip| *tip != before);
        self.tip = self.daemon.until("a commit", another).await?;
        until_in_force(&mut self.daemon, &self.tip).await?;
        answer(&text(&shown(&self.network, &self.tip)?));
        let held = self.held();
        let line = held.lines().find(|line| line.contains(&format!("name \"{NEWCOMER}\"")));
        answer(&format!("{DEVICE} holds:\n{}\n", line.unwrap_or("  nothing of it")));
        Ok(())
    }

    /// Says that the branch is where it was, where that is so.
    fn ensure_nothing_came(&self, words: &str) -> anyhow::Result<()> {
        let tip = shown(&self.network, "main")?.commit;
        ensure!(tip == self.tip, "commit {tip} should not be there: this is a bug");
        answer(&format!("No commit after {tip}: {words}.\n"));
        Ok(())
    }

    /// The subscribers of what the device has saved, a line each.
    fn held(&self) -> String {
        let config = self.device.startup_config().unwrap_or_default();
        let lines = config.lines().map(str::trim);
        let lines = lines.filter(|line| line.starts_with("ghn subscriber ") && line.contains(" name "));
        lines.map(|line| format!("  {line}\n")).collect()
    }

    /// Ends all of it.
    async fn close(self) -> anyhow::Result<()> {
        self.daemon.stop().await?;
        self.fleet.stop().await;
        Ok(())
    }
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

/// A commit, as `git show` has it.
fn text(commit: &Shown) -> String {
    let mut text = format!("commit {}\n", commit.commit);
    for line in commit.message.lines() {
        text.push_str(format!("    {line}").trim_end());
        text.push('\n');
    }
    text.push('\n');
    let (added, removed) = (
        anstyle::AnsiColor::Green.on_default(),
        anstyle::AnsiColor::Red.on_default(),
    );
    // The lines before name blobs, which tell a reader nothing.
    for line in commit.patch.lines().skip_while(|line| !line.starts_with("--- ")) {
        let style = match line.as_bytes().first() {
            Some(b'+') => added,
            Some(b'-') => removed,
            _ => anstyle::Style::new(),
        };
        text.push_str(&format!("{style}{line}{style:#}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use std::path::Path;

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
        assert_eq!(EXAMPLE.map(|(name, _)| name.to_owned()).to_vec(), on_disk);
        for there in [DEVICE_AT, SPLYNX_AT, DAEMON_AT] {
            assert!(EXAMPLE.iter().any(|(_, text)| text.contains(there)), "{there}");
        }
    }
}
