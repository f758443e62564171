//! How long a whole fleet takes, measured with the real program against simulated devices on loopback.
//!
//!     cargo bench --bench fleet            200 devices, 24 subscribers each
//!     cargo bench --bench fleet -- 50      50 devices
//!
//! As part of the tests it runs once on a small fleet. Prints `name: value` lines. The yardstick is one OpenSSH `ssh` login that runs the same
//! `show running-config` on the same devices in the same run, so the figures mean something on any machine.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark ends where something is not as it should be"
)]

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const GAMOPS: &str = env!("CARGO_BIN_EXE_gamops");
const SUBSCRIBERS: usize = 24;

fn main() {
    let measured = std::env::args().any(|argument| argument == "--bench");
    let devices = std::env::args()
        .skip(1)
        .find_map(|word| word.parse().ok())
        .unwrap_or(if measured { 200 } else { 5 });
    let folder = tempfile::tempdir().unwrap();
    let ports = write_inventory(folder.path(), devices);
    let _simulator = simulate(folder.path(), devices);
    println!("devices: {devices}");
    println!("subscribers: {}", devices * SUBSCRIBERS);

    // The first run meets every device and pins it; the later ones are what an operator sees each day.
    let first = gamops(folder.path(), &["plan"]);
    assert!(
        first
            .said
            .contains(&format!("{} to add", devices * (2 * SUBSCRIBERS + 2))),
        "{}",
        first.said
    );
    let apply = gamops(folder.path(), &["apply", "--auto-approve"]);
    assert!(apply.said.contains("Apply complete!"), "{}", apply.said);

    let logins = counter(folder.path(), "logins");
    let reads = counter(folder.path(), "running_config_reads");
    let mut plans: Vec<Run> = (0..5).map(|_| gamops(folder.path(), &["plan"])).collect();
    assert!(plans.iter().all(|run| run.said.contains("No changes.")));
    println!(
        "logins per device and plan: {}",
        (counter(folder.path(), "logins") - logins) / 5
    );
    println!(
        "readings per device and plan: {}",
        (counter(folder.path(), "running_config_reads") - reads) / 5
    );

    let mut yardstick: Vec<Duration> = ports
        .iter()
        .take(7)
        .map(|port| one_login(folder.path(), *port))
        .collect();
    yardstick.sort_unstable();
    let login = yardstick[yardstick.len() / 2];
    plans.sort_unstable_by_key(|run| run.wall);
    let plan = plans[plans.len() / 2].wall;
    let each = plan / u32::try_from(devices).unwrap();
    println!("first plan, seconds: {:.2}", first.wall.as_secs_f64());
    println!("apply, seconds: {:.2}", apply.wall.as_secs_f64());
    println!("plan, seconds: {:.2}", plan.as_secs_f64());
    println!("plan, milliseconds per device: {:.1}", each.as_secs_f64() * 1e3);
    println!(
        "one ssh login with show running-config, milliseconds: {:.1}",
        login.as_secs_f64() * 1e3
    );
    println!(
        "ssh login / plan per device: {:.1}",
        login.as_secs_f64() / each.as_secs_f64()
    );
    let memory = plans
        .iter()
        .chain([&first, &apply])
        .map(|run| run.peak_kib)
        .max()
        .unwrap();
    println!("peak memory of gamops, MB: {:.0}", memory as f64 / 1024.0);
}

/// Writes an inventory of copper devices and returns their SSH ports, free a moment ago. The ports are below those
/// that the system gives out by itself, so that nothing else takes one in the meantime.
fn write_inventory(folder: &Path, devices: usize) -> Vec<u16> {
    // All are held until the last is found, so that no port is given out twice.
    let free = |port: &u16| {
        UdpSocket::bind(("127.0.0.1", *port))
            .ok()
            .zip(TcpListener::bind(("127.0.0.1", *port)).ok())
    };
    let held: Vec<(UdpSocket, TcpListener)> = (20_000..32_000).filter_map(|port| free(&port)).take(devices).collect();
    assert_eq!(held.len(), devices, "not enough free ports on loopback");
    let root = "format: 1\ninventory: fleet\ndefaults: { credentials: factory, mode: manage }\n\
                policies: { guards: { change_devices: unlimited } }\n\
                plans:\n  gold: { rate: 500 Mbps }\n  silver: { rate: 100 Mbps }\n";
    let (root, plans) = root.split_once("plans:").unwrap();
    std::fs::write(folder.join("gamops.yaml"), root).unwrap();
    std::fs::write(folder.join("plans.yaml"), format!("plans:{plans}")).unwrap();
    let ports: Vec<u16> = held.iter().map(|(_, tcp)| tcp.local_addr().unwrap().port()).collect();
    for (number, port) in ports.iter().enumerate() {
        let mut text = format!(
            "devices:\n  gam-{number:03}:\n    model: GAM-24-M\n    address: 127.0.0.1\n    \
             transport: {{ ssh_port: {port}, snmp_port: {port} }}\nsubscribers:\n"
        );
        for line in 1..=SUBSCRIBERS {
            let plan = if line % 2 == 0 { "gold" } else { "silver" };
            let _ = writeln!(
                text,
                "  s-{number:03}-{line:02}: {{ device: gam-{number:03}, endpoint: \"00:0e:d8:{:02x}:{:02x}:{line:02x}\", \
                 port: {line}, plan: {plan}, vlan: {} }}",
                number / 256,
                number % 256,
                100 + line
            );
        }
        std::fs::write(folder.join(format!("gam-{number:03}.yaml")), text).unwrap();
    }
    ports
}

/// The simulator, ended when dropped.
struct Simulator(Child);

impl Drop for Simulator {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn simulate(folder: &Path, devices: usize) -> Simulator {
    let mut child = command(folder, &["simulate", "--blank", "-i"])
        .arg(folder)
        .arg("--control")
        .arg(folder.join("control"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let up = format!("{devices} devices are up");
    let said = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(
        said.map_while(Result::ok).any(|line| line == up),
        "the simulator did not come up"
    );
    Simulator(child)
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(GAMOPS);
    command
        .args(arguments)
        .env("GAMOPS_INVENTORY", folder)
        .env("GAMOPS_STATE", folder.join("state.db"));
    command.env("HOME", folder).current_dir(folder).stdin(Stdio::null());
    command
}

/// What one run of the program took.
struct Run {
    said: String,
    wall: Duration,
    peak_kib: u64,
}

fn gamops(folder: &Path, arguments: &[&str]) -> Run {
    let started = Instant::now();
    let mut child = command(folder, arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let status = PathBuf::from(format!("/proc/{}/status", child.id()));
    let out = child.stdout.take().unwrap();
    let reader = std::thread::spawn(move || std::io::read_to_string(out).unwrap());
    let mut peak_kib = 0;
    // The kernel keeps the peak; it is read until the process is gone.
    while child.try_wait().unwrap().is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let peak = text
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse().ok());
        peak_kib = peak_kib.max(peak.unwrap_or(0));
        std::thread::sleep(Duration::from_millis(2));
    }
    let wall = started.elapsed();
    Run {
        said: reader.join().unwrap(),
        wall,
        peak_kib,
    }
}

/// One of the first device's counters.
fn counter(folder: &Path, name: &str) -> u64 {
    let output = command(folder, &["simulate-control"])
        .arg(folder.join("control"))
        .args(["gam-000", "counters"])
        .output()
        .unwrap();
    let counters: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    counters[name]
        .as_u64()
        .or_else(|| counters["counters"][name].as_u64())
        .unwrap()
}

/// How long OpenSSH takes to log in, show the running configuration and leave.
fn one_login(folder: &Path, port: u16) -> Duration {
    let askpass = folder.join("askpass");
    std::fs::write(&askpass, "#!/bin/sh\necho\n").unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&askpass, std::fs::Permissions::from_mode(0o700)).unwrap();
    }
    let started = Instant::now();
    let mut ssh = Command::new("ssh")
        .args([
            "-T",
            "-o",
            "StrictHostKeyChecking=no",
            "-o",
            "UserKnownHostsFile=/dev/null",
            "-o",
            "LogLevel=ERROR",
        ])
        .args(["-p", &port.to_string(), "admin@127.0.0.1"])
        .env("SSH_ASKPASS", &askpass)
        .env("SSH_ASKPASS_REQUIRE", "force")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = ssh.stdin.take().unwrap();
    input
        .write_all(b"terminal length 0\nshow running-config\nexit\n")
        .unwrap();
    drop(input);
    let output = ssh.wait_with_output().unwrap();
    let wall = started.elapsed();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("ghn subscriber 24"), "{said}");
    wall
}
