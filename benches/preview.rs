//! How long a change takes to plan from what was observed of a large fleet, and how much memory: the real program, in a process of its own,
//! as a CI job runs it.
//!
//!     cargo bench --bench preview            1,000 devices, 24 subscribers each
//!     cargo bench --bench preview -- 100     100 devices
//!
//! As part of the tests it runs once on a small fleet. Prints `name: value` lines. Linux only: what a process used most is read from `/proc`.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark ends where something is not as it should be"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use gamops::domain::Firmware;
use gamops::inventory;
use gamops::observed::{Capabilities, DeviceConfig, Identity, RunningConfig};
use gamops::plan::impact::duration::Timings;
use gamops::plan::resolve;
use gamops::published::{Document, HEARTBEAT, Heartbeat, OBSERVED, Sighting, file};
use gamops::repo::read_inventory;
use gamops::repo::remote::{Access, Address, Destination, Publication, push};
use jiff::Timestamp;

use shared::git;

#[path = "shared/git.rs"]
mod shared;

const GAMOPS: &str = env!("CARGO_BIN_EXE_gamops");
const SUBSCRIBERS: usize = 24;
const RUNS: usize = 5;

fn main() {
    let measured = std::env::args().any(|argument| argument == "--bench");
    let devices = std::env::args()
        .skip(1)
        .find_map(|word| word.parse().ok())
        .unwrap_or(if measured { 1_000 } else { 5 });
    let folder = tempfile::tempdir().unwrap();
    let work = folder.path();
    git(work, &["init", "--quiet", "--initial-branch=main"]);
    let root = "format: 1\ninventory: fleet\ndefaults: { credentials: factory, mode: manage }\n";
    std::fs::write(work.join("gamops.yaml"), root).unwrap();
    let plans = "plans:\n  gold: { rate: 500 Mbps }\n  silver: { rate: 100 Mbps }\n";
    std::fs::write(work.join("plans.yaml"), plans).unwrap();
    for number in 0..devices {
        write_gam(work, number, 1000);
    }
    commit(work);
    publish(work);
    write_gam(work, devices / 2, 1001);
    commit(work);
    println!("devices: {devices}");
    println!("subscribers: {}", devices * SUBSCRIBERS);

    let one: &[&str] = &["--base", "HEAD~1", "--head", "HEAD"];
    let parted = "This change: 0 to add, 1 to change, 0 to destroy.";
    report("a change of one device", one, parted, work);
    report(
        "the same as a comment",
        &[one, &["--format", "markdown"]].concat(),
        "0 to add, 1 to change, 0 to destroy",
        work,
    );
    std::fs::write(work.join("plans.yaml"), plans.replace("500", "400")).unwrap();
    commit(work);
    let all = format!("This change: 0 to add, {devices} to change, 0 to destroy.");
    report("a change of every device", one, &all, work);
}

/// Plans a few times, and says what the median took and what any of them used most.
fn report(what: &str, arguments: &[&str], says: &str, work: &Path) {
    let mut runs: Vec<(Duration, u64)> = (0..RUNS).map(|_| plan(arguments, says, work)).collect();
    runs.sort_unstable();
    let most = runs.iter().map(|(_, memory)| *memory).max().unwrap();
    println!("{what}, seconds: {:.2}", runs[RUNS / 2].0.as_secs_f64());
    println!("{what}, most memory, MB: {:.0}", most as f64 / 1024.0);
}

fn plan(arguments: &[&str], says: &str, work: &Path) -> (Duration, u64) {
    let began = Instant::now();
    let mut child = Command::new(GAMOPS)
        .args(["plan", "--observed"])
        .args(arguments)
        .env_clear()
        .current_dir(work)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut out = child.stdout.take().unwrap();
    let reading = std::thread::spawn(move || {
        let mut said = String::new();
        out.read_to_string(&mut said).unwrap();
        said
    });
    // It only grows, and is gone with the process: the last look at it counts.
    let mut most = 0;
    let ended = loop {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let peak = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        most = peak
            .and_then(|peak| peak.split_whitespace().next()?.parse().ok())
            .unwrap_or(most);
        if let Some(ended) = child.try_wait().unwrap() {
            break ended;
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    let took = began.elapsed();
    let said = reading.join().unwrap();
    assert!(ended.success() && said.contains(says), "{said}");
    (took, most)
}

/// Writes the file of a device; its first subscriber is in this VLAN.
fn write_gam(work: &Path, number: usize, vlan: usize) {
    let name = format!("gam-{number:04}");
    let mut text = format!(
        "devices:\n  {name}: {{ model: GAM-24-M, address: 10.{}.{}.11 }}\nsubscribers:\n",
        number / 250,
        number % 250
    );
    for line in 1..=SUBSCRIBERS {
        let plan = if line % 2 == 0 { "gold" } else { "silver" };
        let vlan = if line == 1 { vlan } else { 100 + line };
        let _ = writeln!(
            text,
            "  s-{number:04}-{line:02}: {{ device: {name}, endpoint: \"00:0e:d8:{:02x}:{:02x}:{line:02x}\", port: {line}, plan: {plan}, vlan: {vlan} }}",
            number / 256,
            number % 256,
        );
    }
    std::fs::write(work.join(format!("{name}.yaml")), text).unwrap();
}

/// Publishes devices that hold what the inventory asks, as the daemon does after an apply.
fn publish(work: &Path) {
    let inventory = inventory::load(&read_inventory(work).unwrap()).inventory.unwrap();
    let firmware: Firmware = "GAM-12/24-M_v1.8.2".parse().unwrap();
    let mut files = BTreeMap::new();
    for (number, device) in inventory.devices.values().enumerate() {
        let desired = inventory::compile(&inventory, &device.key).unwrap();
        let capabilities = Capabilities::of_firmware(&firmware);
        let blank = Arc::new(DeviceConfig::default());
        let resolution = resolve(&desired, &blank, &Arc::default(), &capabilities);
        let running = Arc::new(RunningConfig {
            managed: resolution.target,
            ..RunningConfig::default()
        });
        let sighting = Sighting {
            identity: Identity {
                mac: format!("00:0e:d8:ff:{:02x}:{:02x}", number / 256, number % 256)
                    .parse()
                    .unwrap(),
                model: Some(device.model),
                firmware: firmware.clone(),
                serial: None,
            },
            host_key: "SHA256:x".to_owned(),
            startup: Some(Arc::clone(&running)),
            running,
            capabilities,
            records: resolution.records,
            unfinished: false,
            timings: Timings::default(),
            pauses: Vec::new(),
        };
        files.insert(file(&device.key), Document::of(&sighting).text().unwrap());
    }
    let read = inventory.devices.keys().map(|key| (key.clone(), Timestamp::UNIX_EPOCH));
    let beat = serde_json::to_string(&Heartbeat::of(read)).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for (reference, files) in [
        (OBSERVED, files),
        (HEARTBEAT, [(Heartbeat::FILE.to_owned(), beat)].into()),
    ] {
        let publication = Publication {
            reference,
            files,
            message: "observed".to_owned(),
            at: Timestamp::UNIX_EPOCH,
        };
        let to = Destination {
            address: Address::Folder(work.to_owned()),
            access: Access::Open,
            within: Duration::from_secs(120),
            signed_with: None,
        };
        push(&publication, &to, runtime.handle()).unwrap();
    }
}

fn commit(work: &Path) {
    git(work, &["add", "--all"]);
    git(work, &["commit", "--quiet", "--message", "on"]);
}
