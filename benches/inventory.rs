//! How long an inventory takes to load, validate and compile, beside what a YAML reader alone takes for the same text.
//!
//! `cargo bench --bench inventory` prints one `name: value` line per figure. Times are the best of several runs on one
//! thread: what is wanted is the cost of the work, not of what else the machine was doing. Without the `--bench` that cargo
//! passes (as under `cargo test --all-targets`) a small fleet runs once, to show that it runs.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run has nothing else to say")]

use std::fmt::Write as _;
use std::hint::black_box;
use std::io::Write as _;
use std::time::{Duration, Instant};

use gamops::diagnostic::SourceFile;
use gamops::inventory::{self, Cache};

const SUBSCRIBERS_PER_DEVICE: usize = 24;

fn main() {
    let measured = std::env::args().any(|argument| argument == "--bench");
    let (devices, runs) = if measured { (1000, 9) } else { (20, 1) };
    let mut out = std::io::stdout().lock();
    let mut figure = |name: &str, value: String| writeln!(out, "{name}: {value}").unwrap();

    let files = fleet(devices);
    let bytes: usize = files.iter().map(|file| file.text.len()).sum();
    figure("devices", devices.to_string());
    figure("subscribers", (devices * SUBSCRIBERS_PER_DEVICE).to_string());
    figure("text_bytes", bytes.to_string());

    // In turns, so that a machine that slows down slows both.
    let (mut parse, mut cold, mut reload) = (Duration::MAX, Duration::MAX, Duration::MAX);
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
    }
    figure("yaml_untyped_ms", milliseconds(parse));
    figure("cold_load_ms", milliseconds(cold));
    figure("cold_load_to_yaml_untyped", ratio(cold, parse));
    figure("reload_one_file_ms", milliseconds(reload));
    figure("reload_to_cold_load", ratio(reload, cold));

    let large = fleet(devices * 10);
    let mut tenfold = Duration::MAX;
    for _ in 0..runs.min(3) {
        tenfold = tenfold.min(timed(|| load(&large, &mut Cache::default())));
    }
    figure("tenfold_cold_load_ms", milliseconds(tenfold));
    figure("tenfold_to_cold_load", ratio(tenfold, cold));
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

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn milliseconds(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64() * 1000.0)
}

fn ratio(one: Duration, other: Duration) -> String {
    format!("{:.3}", one.as_secs_f64() / other.as_secs_f64())
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
