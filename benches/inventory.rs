//! How long an inventory takes to load, validate and compile, and a fleet's differences to find and write out, beside what
//! a YAML reader alone takes for the same text.
//!
//! `cargo bench --bench inventory` prints one `name: value` line per figure, with its target where it has one. Times are the
//! best of several runs on one thread: what is wanted is the cost of the work, not of what else the machine was doing. Without
//! the `--bench` that cargo passes (as under `cargo test --all-targets`) a small fleet runs once, to show that it runs.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark that cannot run has nothing else to say"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gamops::diagnostic::SourceFile;
use gamops::dialect::{command, running};
use gamops::domain::{Firmware, MacAddr};
use gamops::inventory::desired::DesiredDevice;
use gamops::inventory::rollout::Waves;
use gamops::inventory::{self, Cache};
use gamops::observed::{Capabilities, Change, Identity, RunningConfig};
use gamops::plan::impact::duration::Timings;
use gamops::plan::model::{DeviceChanges, DevicePlan, Outcome, Plan};
use gamops::plan::record::Record;
use gamops::plan::{Inputs, Readings, plan_device, plan_text};

const SUBSCRIBERS_PER_DEVICE: usize = 24;

/// One subscriber in so many changes between two plans.
const ONE_IN: usize = 100;

fn main() {
    let measured = std::env::args().any(|argument| argument == "--bench");
    let (devices, runs) = if measured { (1000, 9) } else { (20, 1) };
    let figures = Figures { measured };

    let files = fleet(devices);
    let bytes: usize = files.iter().map(|file| file.text.len()).sum();
    figures.say("devices", devices);
    figures.say("subscribers", devices * SUBSCRIBERS_PER_DEVICE);
    figures.say("text_bytes", bytes);

    let mut changed = files.clone();
    for file in &mut changed {
        file.text = with_some_moved(&file.text);
    }
    let observed = Observed::after_applying(&files);
    let wishes = wishes(&changed);

    // In turns, so that a machine that slows down slows all of them.
    let [mut parse, mut cold, mut reload, mut diff] = [Duration::MAX; 4];
    let mut edited = files.clone();
    for run in 0..runs {
        parse = parse.min(timed(|| untyped(&files)));
        cold = cold.min(timed(|| load(&files, &mut Cache::default())));
        let mut cache = Cache::default();
        load(&edited, &mut cache);
        let number = edited.len() / 2;
        edited[number].text.push_str(&format!("# edited {run}\n"));
        edited[number].text = edited[number].text.replacen("plan: home-200", "plan: home-500", 1);
        reload = reload.min(timed(|| reload_one(&edited, number - 1, &mut cache)));
        diff = diff.min(timed(|| observed.differences(&wishes)));
    }
    figures.time("yaml_untyped_ms", parse);
    figures.time("cold_load_ms", cold);
    figures.ratio("cold_load_to_yaml_untyped", cold, parse, 3.0);
    figures.time("reload_one_file_ms", reload);
    figures.ratio("reload_to_cold_load", reload, cold, 0.1);
    figures.time("diff_and_render_ms", diff);
    figures.ratio("diff_and_render_to_yaml_untyped", diff, parse, 0.5);
    drop((observed, wishes, changed, edited));

    let large = fleet(devices * 10);
    let mut tenfold = Duration::MAX;
    for _ in 0..runs.min(3) {
        tenfold = tenfold.min(timed(|| load(&large, &mut Cache::default())));
    }
    figures.time("tenfold_cold_load_ms", tenfold);
    figures.ratio("tenfold_to_cold_load", tenfold, cold, 12.0);
}

/// What is printed.
struct Figures {
    /// Whether this is a run whose figures mean anything.
    measured: bool,
}

impl Figures {
    fn say(&self, name: &str, value: impl std::fmt::Display) {
        println!("{name}: {value}");
    }

    fn time(&self, name: &str, time: Duration) {
        self.say(name, format!("{:.2}", time.as_secs_f64() * 1000.0));
    }

    fn ratio(&self, name: &str, one: Duration, other: Duration, at_most: f64) {
        let ratio = one.as_secs_f64() / other.as_secs_f64();
        let verdict = match (self.measured, ratio <= at_most) {
            (false, _) => "not measured",
            (true, true) => "met",
            (true, false) => "missed",
        };
        self.say(name, format!("{ratio:.3} (target: at most {at_most}; {verdict})"));
    }
}

/// What is asked of each device.
fn wishes(files: &[SourceFile]) -> Wishes {
    let compiled = inventory::compile_all(&inventory::load(files).inventory.unwrap());
    compiled.into_iter().map(|(key, wish)| (key, Arc::new(wish))).collect()
}

/// What an operator waits for: everything from text to each device's wish.
fn load(files: &[SourceFile], cache: &mut Cache) {
    let loaded = inventory::load_cached(files, cache);
    assert_eq!(loaded.report.findings(), []);
    let compiled = inventory::compile_all(&loaded.inventory.unwrap());
    assert_eq!(compiled.len() + 1, files.len());
    black_box(compiled);
}

/// What one edited file costs somebody who holds the rest: everything is loaded and validated again, and the device whose file
/// changed is compiled.
fn reload_one(files: &[SourceFile], device: usize, cache: &mut Cache) {
    let loaded = inventory::load_cached(files, cache);
    assert_eq!(loaded.report.findings(), []);
    let inventory = loaded.inventory.unwrap();
    black_box(inventory::compile(&inventory, &format!("gam-{device}")).unwrap());
}

/// The same text through a YAML reader that builds untyped values.
fn untyped(files: &[SourceFile]) {
    for file in files {
        black_box(serde_yaml::from_str::<serde_yaml::Value>(&file.text).unwrap());
    }
}

/// One subscriber in [`ONE_IN`] is sold another plan.
fn with_some_moved(text: &str) -> String {
    let mut moved = String::with_capacity(text.len());
    let mut is_moved = false;
    for line in text.lines() {
        if let Some(number) = line.strip_prefix("  s-").and_then(|rest| rest.strip_suffix(':')) {
            is_moved = number.parse::<usize>().unwrap() % ONE_IN == 0;
        }
        match line.strip_prefix("    plan: ") {
            Some(plan) if is_moved => {
                let other = if plan == "home-500" { "home-200" } else { "home-500" };
                writeln!(moved, "    plan: {other}").unwrap();
            }
            _ => writeln!(moved, "{line}").unwrap(),
        }
    }
    moved
}

/// What is asked of each device, by key.
type Wishes = BTreeMap<String, Arc<DesiredDevice>>;

/// A fleet as a run of gamops left it.
struct Observed {
    devices: BTreeMap<String, ObservedDevice>,
    capabilities: Capabilities,
}

struct ObservedDevice {
    identity: Identity,
    running: Arc<RunningConfig>,
    records: Arc<Vec<Record>>,
}

impl Observed {
    /// Every device holds what the inventory asks for, and gamops owns it.
    fn after_applying(files: &[SourceFile]) -> Self {
        let firmware: Firmware = "GAM-12/24-C_v1.8.2".parse().unwrap();
        let capabilities = Capabilities::of_firmware(&firmware);
        let wishes = wishes(files);
        let devices = wishes.iter().zip(0_u32..).map(|((key, wish), number)| {
            let [_, high, middle, low] = number.to_be_bytes();
            let blank = ObservedDevice {
                identity: Identity {
                    mac: MacAddr::new([0x00, 0x0e, 0xd8, high | 0x80, middle, low]),
                    model: Some(wish.model),
                    firmware: firmware.clone(),
                    serial: None,
                },
                running: Arc::default(),
                records: Arc::default(),
            };
            let made = blank.changes(wish, &capabilities);
            let running = RunningConfig {
                managed: made.target,
                ..RunningConfig::default()
            };
            let device = ObservedDevice {
                running: running.into(),
                records: made.records,
                ..blank
            };
            (key.clone(), device)
        });
        let observed = Self {
            devices: devices.collect(),
            capabilities,
        };
        let plan = observed.plan(&wishes);
        assert!(!plan.is_actionable(), "{}", plan_text(&plan));
        observed
    }

    fn plan(&self, wishes: &Wishes) -> Plan {
        let devices = self.devices.iter().map(|(key, device)| DevicePlan {
            device: key.clone(),
            address: "192.0.2.1:22".to_owned(),
            model: wishes[key].model.name,
            host_key: None,
            outcome: Outcome::Read(Box::new(device.changes(&wishes[key], &self.capabilities))),
        });
        Plan {
            inventory: "bench".to_owned(),
            commit: None,
            targets: Vec::new(),
            devices: devices.collect(),
            trips: Vec::new(),
            rulings: Vec::new(),
            notes: Vec::new(),
            windows_ignored: false,
            moves: Vec::new(),
            waves: Waves::default(),
        }
    }

    /// What is done with a fleet that has been read: every device is compared with its wish, and the plan is written for people.
    fn differences(&self, wishes: &Wishes) {
        let text = plan_text(&self.plan(wishes));
        let changed = (self.devices.len() * SUBSCRIBERS_PER_DEVICE).div_ceil(ONE_IN);
        assert!(
            text.contains(&format!("0 to add, {changed} to change, 0 to destroy.")),
            "{text}"
        );
        black_box(text);
    }
}

impl ObservedDevice {
    fn changes(&self, wish: &Arc<DesiredDevice>, capabilities: &Capabilities) -> DeviceChanges {
        let inputs = Inputs {
            desired: wish,
            readings: Readings {
                running: &self.running,
                startup: Some(&self.running),
                write: running::canonical,
            },
            identity: &self.identity,
            capabilities,
            records: &self.records,
            unfinished: false,
            timings: &Timings::default(),
            pauses: &[],
            remembered: None,
            now: jiff::Timestamp::UNIX_EPOCH,
            window: None,
            targets: None,
            leave: gamops::plan::drift::Leave::default(),
        };
        let render = |change: &Change| command::commands(change).map_err(|error| error.to_string());
        plan_device(inputs, &render)
    }
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

/// One root file, and a file for each device with its site and its subscribers.
fn fleet(devices: usize) -> Vec<SourceFile> {
    let root = "\
format: 1
inventory: bench
include: [sites/*.yaml]
defaults: {credentials: factory, mode: manage, headroom: 6%}
policies: {suspension: {vlan: 3900}}
plans:
  basic-50: {name: Basic 50, down: 50 Mbps, up: 10 Mbps}
  home-200: {name: Home 200, down: 200 Mbps, up: 50 Mbps}
  home-500: {name: Home 500, rate: 500M}
  giga: {name: Giga, rate: 1 Gbps}
";
    let mut files = vec![SourceFile {
        path: "gamops.yaml".to_owned(),
        text: root.to_owned(),
    }];
    files.extend((0..devices).map(|device| SourceFile {
        path: format!("sites/building-{device:05}.yaml"),
        text: building(device),
    }));
    files
}

fn building(device: usize) -> String {
    let mut text = format!(
        "\
# Building {device}: one device with 24 coax ports.

sites:
  building-{device}:
    address: {device} Harbour Road
    groups: [north]

devices:
  gam-{device}:
    site: building-{device}
    model: GAM-24-C
    address: 10.{}.{}.10
    hostname: gam-{device}

subscribers:
",
        device / 250,
        device % 250
    );
    for port in 0..SUBSCRIBERS_PER_DEVICE {
        let number = device * SUBSCRIBERS_PER_DEVICE + port;
        let plan = ["home-200", "home-500", "basic-50", "giga"][number % 4];
        write!(
            text,
            "  \
  s-{number}:
    device: gam-{device}
    endpoint: 00:0e:d8:{:02x}:{:02x}:{:02x}
    port: {}
    plan: {plan}
    vlan: {}
    description: Apartment {}, installed 2026
    external: {{splynx: {number}}}

",
            number >> 16 & 0xff,
            number >> 8 & 0xff,
            number & 0xff,
            port + 1,
            200 + device % 100,
            port + 1
        )
        .unwrap();
    }
    text
}
