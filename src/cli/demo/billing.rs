//! `gamops demo --billing`: from a new customer in a billing system to one who does not pay.

use std::time::Instant;

use anyhow::{Context as _, ensure};
use serde_json::json;

use crate::cli::exit::Exit;
use crate::cli::{answer, say};
use crate::daemon::status::Status;
use crate::domain::BillingKind;
use crate::repo::Shown;
use crate::sim::billing::{SeedCustomer, SeedService};
use crate::sim::splynx::Table;

use super::isp::{DEVICE, Isp};
use super::step;

/// The subscriber that the new customer becomes.
const NEWCOMER: &str = "c-1004-5004";

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
    let mut isp = Isp::open(folder.path()).await?;
    nothing_came(&isp, "it is in force, and Splynx says the same")?;
    answer(&format!("{DEVICE} holds:\n{}", isp.held()));
    let newcomer = newcomer();

    event("in Splynx, Grace Hopper becomes customer 1004: Fiber 500, and a box with the address 000ED82B0004");
    isp.splynx.add(&newcomer);
    isp.until_asked_about(newcomer.id).await?;
    step("gamops billing status --settings daemon.yaml");
    let status = ["billing", "status", "--settings", "daemon.yaml"];
    answer(&isp.daemon.beside(&status).await?);
    nothing_came(&isp, "nobody has plugged in her box, so there is nothing to do yet")?;

    event("at Elm House, a technician plugs the box in at port 3, and says so in Splynx");
    isp.plug("00:0e:d8:2b:00:04", 3)?;
    let done = json!({ "additional_attributes": { "installed": "yes" } });
    isp.splynx.set(Table::Customers, newcomer.id, &done);
    show_what_comes(&mut isp).await?;

    event("in Splynx, she has not paid, and is blocked");
    isp.splynx.customer(newcomer.id).block();
    show_what_comes(&mut isp).await?;

    event("in Splynx, she has paid");
    isp.splynx.customer(newcomer.id).pay();
    show_what_comes(&mut isp).await?;

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
    nothing_came(&isp, "everybody has the service that they had")?;
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

/// Waits until a commit of the daemon's is on the device, and shows both.
async fn show_what_comes(isp: &mut Isp) -> anyhow::Result<()> {
    answer(&text(&isp.until_another_commit().await?));
    let held = isp.held();
    let line = held.lines().find(|line| line.contains(&format!("name \"{NEWCOMER}\"")));
    answer(&format!("{DEVICE} holds:\n{}\n", line.unwrap_or("  nothing of it")));
    Ok(())
}

/// Says that the branch is where it was.
fn nothing_came(isp: &Isp, words: &str) -> anyhow::Result<()> {
    answer(&format!("No commit after {}: {words}.\n", isp.still_at()?));
    Ok(())
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
