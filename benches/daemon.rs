//! How the daemon fares over time: from a push to devices that are known to hold it, idle, and round after round. It is the real program in a
//! process of its own; repository and simulated devices are another.
//!
//!     cargo bench --bench daemon                       all of it
//!     cargo bench --bench daemon -- webhook poll       parts of it: webhook, poll, idle, soak
//!
//! As part of the tests it runs once on a small fleet. Prints `name: value` lines. Linux only: what a process uses is read from `/proc`.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark ends where something is not as it should be"
)]

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use gamops::domain::Model;
use gamops::sim::{DeviceSpec, Fault, Fleet, FleetOptions};
use serde_json::Value;

use shared::git;

#[path = "shared/git.rs"]
mod shared;

const GAMOPS: &str = env!("CARGO_BIN_EXE_gamops");
const SUBSCRIBERS: usize = 24;

/// How long a device takes over each line.
const REPLY: Duration = Duration::from_millis(20);

/// The shortest interval that the daemon takes.
const POLL: Duration = Duration::from_secs(1);

/// How much is done.
struct Scale {
    devices: usize,
    pushes: usize,
    idle_devices: usize,
    idle: Duration,
    rounds: u64,
    /// The round after which nothing is to grow any more.
    warm: u64,
}

const FULL: Scale = Scale {
    devices: 50,
    pushes: 200,
    idle_devices: 500,
    idle: Duration::from_secs(120),
    rounds: 1_440,
    warm: 100,
};

const SMALL: Scale = Scale {
    devices: 3,
    pushes: 2,
    idle_devices: 5,
    idle: Duration::from_secs(1),
    rounds: 6,
    warm: 3,
};

fn main() {
    let scale = if std::env::args().any(|argument| argument == "--bench") {
        FULL
    } else {
        SMALL
    };
    let parts: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let is_wanted = |part: &str| parts.is_empty() || parts.iter().any(|word| word == part);
    if is_wanted("webhook") {
        pushes(&scale, "webhook", Duration::from_secs(3600));
    }
    if is_wanted("poll") {
        pushes(&scale, "poll", POLL);
    }
    if is_wanted("idle") {
        idle(&scale);
    }
    if is_wanted("soak") {
        soak(&scale);
    }
}

/// From the moment at which a commit is at the branch to that at which every device is known to hold it. Each commit gives one subscriber
/// another VLAN.
fn pushes(scale: &Scale, way: &str, poll: Duration) {
    let world = World::new(scale.devices);
    world.fleet_takes(REPLY);
    world.push();
    world.publish();
    let daemon = world.follow(poll);
    daemon.until_applied(&world.tip());
    let mut took: Vec<Duration> = (0..scale.pushes)
        .map(|number| {
            world.write_gam(number % scale.devices, 1001 + number % 2000);
            world.push();
            // So that a push falls anywhere between two polls.
            let spread = Duration::from_millis(u64::try_from(number * 370 % 1000).unwrap());
            std::thread::sleep(if way == "poll" { spread } else { Duration::ZERO });
            world.publish();
            let pushed = Instant::now();
            if way == "webhook" {
                daemon.hook();
            }
            daemon.until_applied(&world.tip());
            pushed.elapsed()
        })
        .collect();
    took.sort_unstable();
    let at = |percent: usize| took[(took.len() * percent / 100).min(took.len() - 1)].as_secs_f64();
    println!(
        "pushes by {way}: {} to {} devices that take {} ms a line",
        took.len(),
        scale.devices,
        REPLY.as_millis()
    );
    println!("push to verified by {way}, p50, seconds: {:.2}", at(50));
    println!("push to verified by {way}, p99, seconds: {:.2}", at(99));
    if way == "poll" {
        println!("interval of the poll, seconds: {:.2}", poll.as_secs_f64());
    }
}

/// What the daemon uses when there is nothing to do, and what a round over the fleet takes.
fn idle(scale: &Scale) {
    let world = World::new(scale.idle_devices);
    world.push();
    world.publish();
    let daemon = world.follow(Duration::from_secs(60));
    daemon.until_applied(&world.tip());
    println!(
        "memory after a first apply to all of them, MB: {:.0}",
        daemon.used().memory_kib as f64 / 1024.0
    );
    // From here on as it is on most days: everything is in sync.
    drop(daemon);
    let daemon = world.follow(Duration::from_secs(60));
    daemon.until_applied(&world.tip());
    let round = daemon.used();
    daemon.round();
    let before = daemon.used();
    println!("idle with devices: {}", scale.idle_devices);
    println!(
        "processor for one round over them, seconds: {:.2}",
        (before.processor - round.processor).as_secs_f64()
    );
    std::thread::sleep(scale.idle);
    let after = daemon.used();
    let share = (after.processor - before.processor).as_secs_f64() / scale.idle.as_secs_f64();
    println!("processor, idle, percent: {:.2}", share * 100.0);
    println!("memory, idle, MB: {:.0}", after.memory_kib as f64 / 1024.0);
    println!("most memory, MB: {:.0}", after.peak_kib as f64 / 1024.0);
}

/// Round after round over devices that are in sync.
fn soak(scale: &Scale) {
    let world = World::new(scale.devices);
    world.push();
    world.publish();
    let daemon = world.follow(Duration::from_secs(3600));
    daemon.until_applied(&world.tip());
    let began = Instant::now();
    for number in 1..=scale.rounds {
        daemon.round();
        if number == scale.warm || number == scale.rounds {
            let used = daemon.used();
            println!(
                "after round {number}: {:.1} MB, {} descriptors, {} threads",
                used.memory_kib as f64 / 1024.0,
                used.descriptors,
                used.threads
            );
        }
    }
    println!(
        "soak, {} rounds over {} devices, seconds: {:.0}",
        scale.rounds,
        scale.devices,
        began.elapsed().as_secs_f64()
    );
}

/// A repository behind `git daemon`, and the devices of its inventory.
struct World {
    runtime: tokio::runtime::Runtime,
    fleet: Option<Fleet>,
    names: Vec<String>,
    folder: tempfile::TempDir,
    git_port: u16,
    _git: Ended,
}

/// A process that ends with this.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(fleet) = self.fleet.take() {
            self.runtime.block_on(fleet.stop());
        }
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl World {
    fn new(devices: usize) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let names: Vec<String> = (0..devices).map(|number| format!("gam-{number:03}")).collect();
        let firmware: gamops::domain::Firmware = "GAM-4/8-C_v1.8.2".parse().unwrap();
        let spec = |name: &String| DeviceSpec::new(name, Model::by_name("GAM-24-M").unwrap(), firmware.clone());
        let specs = names.iter().map(spec).collect();
        let fleet = runtime.block_on(Fleet::start(specs, FleetOptions::default())).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let bare = folder.path().join("served/isp.git");
        git(
            folder.path(),
            &["init", "--quiet", "--bare", "--initial-branch=main", "served/isp.git"],
        );
        git(folder.path(), &["init", "--quiet", "--initial-branch=main", "work"]);
        let git_port = free_port();
        let exec_path = git(folder.path(), &["--exec-path"]);
        // Not by way of `git daemon`, which would start it as a child that outlives being killed.
        let server = Command::new(Path::new(&exec_path).join("git-daemon"))
            .args(["--reuseaddr", "--export-all", "--listen=127.0.0.1"])
            .arg(format!("--port={git_port}"))
            .arg(format!("--base-path={}", bare.parent().unwrap().display()))
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        while TcpStream::connect(("127.0.0.1", git_port)).is_err() {
            std::thread::sleep(Duration::from_millis(5));
        }
        let world = Self {
            runtime,
            fleet: Some(fleet),
            names,
            folder,
            git_port,
            _git: Ended(server),
        };
        let root = "format: 1\ninventory: fleet\ndefaults: { credentials: factory, mode: manage }\n\
                    policies: { guards: { change_devices: unlimited } }\n";
        std::fs::write(world.work().join("gamops.yaml"), root).unwrap();
        let plans = "plans:\n  gold: { rate: 500 Mbps }\n  silver: { rate: 100 Mbps }\n";
        std::fs::write(world.work().join("plans.yaml"), plans).unwrap();
        for number in 0..devices {
            world.write_gam(number, 1000);
        }
        world
    }

    fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    fn fleet_takes(&self, each: Duration) {
        let millis = u64::try_from(each.as_millis()).unwrap();
        for name in &self.names {
            let device = self.fleet.as_ref().unwrap().device(name).unwrap();
            device.set_fault(Fault::Slow { millis });
        }
    }

    /// Writes the file of a device; its first subscriber is in this VLAN.
    fn write_gam(&self, number: usize, vlan: usize) {
        let name = &self.names[number];
        let device = self.fleet.as_ref().unwrap().device(name).unwrap();
        let (ssh, snmp) = (device.ssh_addr().port(), device.snmp_addr().port());
        let mut text = format!(
            "devices:\n  {name}:\n    model: GAM-24-M\n    address: 127.0.0.1\n    \
             transport: {{ ssh_port: {ssh}, snmp_port: {snmp} }}\nsubscribers:\n"
        );
        for line in 1..=SUBSCRIBERS {
            let plan = if line % 2 == 0 { "gold" } else { "silver" };
            let vlan = if line == 1 { vlan } else { 100 + line };
            let _ = writeln!(
                text,
                "  s-{number:03}-{line:02}: {{ device: {name}, endpoint: \"00:0e:d8:{:02x}:{:02x}:{line:02x}\", \
                 port: {line}, plan: {plan}, vlan: {vlan} }}",
                number / 256,
                number % 256,
            );
        }
        std::fs::write(self.work().join(format!("{name}.yaml")), text).unwrap();
    }

    /// Commits all of it, and has the repository know the commit.
    fn push(&self) {
        git(&self.work(), &["add", "--all"]);
        git(&self.work(), &["commit", "--quiet", "--message", "on"]);
        git(&self.work(), &["push", "--quiet", "../served/isp.git", "main:next"]);
    }

    /// Moves the branch that is followed to the newest commit.
    fn publish(&self) {
        let bare = self.folder.path().join("served/isp.git");
        git(&bare, &["update-ref", "refs/heads/main", "refs/heads/next"]);
    }

    /// The newest commit, as short as the daemon shows it.
    fn tip(&self) -> String {
        git(&self.work(), &["rev-parse", "HEAD"])[..12].to_owned()
    }

    /// Starts a daemon, and waits until it answers.
    fn follow(&self, poll: Duration) -> Follower {
        let port = free_port();
        let settings = format!(
            "repository: {{ address: \"git://127.0.0.1:{}/isp.git\", poll: {}s }}\nstate: state.db\nmirror: mirror.git\n\
             drift: {{ every: 168h }}\nhttp: {{ listen: \"127.0.0.1:{port}\", webhook_credentials: hook }}\n",
            self.git_port,
            poll.as_secs()
        );
        std::fs::write(self.folder.path().join("daemon.yaml"), settings).unwrap();
        let log = std::fs::File::create(self.folder.path().join("daemon.log")).unwrap();
        let child = Command::new(GAMOPS)
            .args(["daemon", "--settings", "daemon.yaml"])
            .env("HOME", self.folder.path())
            .env("GAMOPS_CRED_HOOK_PASSWORD", "hook")
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let follower = Follower {
            child: Ended(child),
            port,
            log: self.folder.path().join("daemon.log"),
        };
        follower.until(|_| true);
        follower
    }
}

/// The daemon.
struct Follower {
    child: Ended,
    port: u16,
    log: PathBuf,
}

/// What a process uses.
struct Used {
    processor: Duration,
    memory_kib: u64,
    peak_kib: u64,
    descriptors: usize,
    threads: u64,
}

impl Follower {
    /// Asks it something; the body of its answer, if it answers.
    fn ask(&self, method: &str, page: &str, headers: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        let request = format!(
            "{method} /{page} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n{headers}\r\n"
        );
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        assert!(head.starts_with("HTTP/1.1 2"), "{page}: {head}\n{body}");
        Some(body.to_owned())
    }

    fn hook(&self) {
        self.ask("POST", "webhook", "X-Gitlab-Token: hook\r\n").unwrap();
    }

    /// Waits until the status is like this.
    fn until(&self, is: impl Fn(&Value) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(300);
        while Instant::now() < deadline {
            let status = self.ask("GET", "status", "");
            if status.is_some_and(|status| is(&serde_json::from_str(&status).unwrap())) {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!(
            "it does not come to that: {}",
            std::fs::read_to_string(&self.log).unwrap()
        );
    }

    /// Waits until every device is known to hold what this commit asks.
    fn until_applied(&self, commit: &str) {
        self.until(|status| {
            let holds = |device: &Value| device["state"] == "in-sync" && device["commit"] == *commit;
            let devices = status["devices"].as_object().unwrap();
            status["in_force"]["commit"] == *commit && devices.values().all(holds)
        });
    }

    /// Has it look at every device, and waits until it has.
    fn round(&self) {
        let rounds = |status: &Value| -> u64 {
            let rounds = status["rounds"].as_object().unwrap();
            rounds.values().filter_map(Value::as_u64).sum()
        };
        let status = self.ask("GET", "status", "").unwrap();
        let before = rounds(&serde_json::from_str(&status).unwrap());
        self.ask("POST", "reconcile", "").unwrap();
        self.until(|status| rounds(status) > before && status["doing"].is_null());
    }

    fn used(&self) -> Used {
        let process = PathBuf::from(format!("/proc/{}", self.child.0.id()));
        let read = |name: &str| std::fs::read_to_string(process.join(name)).unwrap();
        let status = read("status");
        let number = |name: &str| -> u64 {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.split_whitespace().next().unwrap().parse().unwrap()
        };
        // After the name, which may hold spaces: user and system time are the twelfth and thirteenth, in hundredths of a second.
        let stat = read("stat");
        let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
        let ticks: u64 = fields[11..13].iter().map(|field| field.parse::<u64>().unwrap()).sum();
        Used {
            processor: Duration::from_millis(ticks * 10),
            memory_kib: number("VmRSS:"),
            peak_kib: number("VmHWM:"),
            descriptors: std::fs::read_dir(process.join("fd")).unwrap().count(),
            threads: number("Threads:"),
        }
    }
}
