//! A repository, the devices of its inventory, and a daemon that follows it.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use gamops::domain::Model;
use gamops::sim::{DeviceSpec, Fault, Fleet, FleetOptions};
use serde_json::Value;

use crate::shared::git;

const GAMOPS: &str = env!("CARGO_BIN_EXE_gamops");

/// Subscribers of a device, one on each port.
pub(crate) const SUBSCRIBERS: usize = 24;

/// A repository behind `git daemon`, and the devices of its inventory.
pub(crate) struct World {
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
    pub(crate) fn new(devices: usize) -> Self {
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
            .args([
                "--reuseaddr",
                "--export-all",
                "--enable=receive-pack",
                "--listen=127.0.0.1",
            ])
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
                    policies: { guards: { change_devices: unlimited }, suspension: { vlan: 998 } }\n\
                    billing: { splynx: { plans: { 1: silver, 2: gold } } }\n";
        std::fs::write(world.work().join("gamops.yaml"), root).unwrap();
        let plans = "plans:\n  gold: { rate: 500 Mbps }\n  silver: { rate: 100 Mbps }\n";
        std::fs::write(world.work().join("plans.yaml"), plans).unwrap();
        for number in 0..devices {
            world.write_gam(number, 1000);
        }
        world
    }

    pub(crate) fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    pub(crate) fn fleet_takes(&self, each: Duration) {
        let millis = u64::try_from(each.as_millis()).unwrap();
        for name in &self.names {
            let device = self.fleet.as_ref().unwrap().device(name).unwrap();
            device.set_fault(Fault::Slow { millis });
        }
    }

    /// Writes the file of a device; its first subscriber is in this VLAN.
    pub(crate) fn write_gam(&self, number: usize, vlan: usize) {
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
                 port: {line}, plan: {plan}, vlan: {vlan}, external: {{ splynx: \"{}\" }} }}",
                number / 256,
                number % 256,
                service(number, line),
            );
        }
        std::fs::write(self.work().join(format!("{name}.yaml")), text).unwrap();
    }

    /// Commits all of it, and has the repository know the commit.
    pub(crate) fn push(&self) {
        git(&self.work(), &["add", "--all"]);
        git(&self.work(), &["commit", "--quiet", "--message", "on"]);
        git(&self.work(), &["push", "--quiet", "../served/isp.git", "main:next"]);
    }

    /// Moves the branch that is followed to the newest commit.
    pub(crate) fn publish(&self) {
        let bare = self.folder.path().join("served/isp.git");
        git(&bare, &["update-ref", "refs/heads/main", "refs/heads/next"]);
    }

    /// The newest commit, as short as the daemon shows it.
    pub(crate) fn tip(&self) -> String {
        git(&self.work(), &["rev-parse", "HEAD"])[..12].to_owned()
    }

    /// The newest commit of the branch that is followed, as short as the daemon shows it.
    pub(crate) fn served_tip(&self) -> String {
        git(&self.folder.path().join("served/isp.git"), &["rev-parse", "main"])[..12].to_owned()
    }

    /// Runs something beside the devices.
    pub(crate) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// Starts a daemon, and waits until it answers.
    pub(crate) fn follow(&self, poll: Duration) -> Follower {
        self.follow_with(poll, "", &[])
    }

    /// The same with more settings, and secrets by the names of their variables.
    pub(crate) fn follow_with(&self, poll: Duration, more: &str, secrets: &[(&str, &str)]) -> Follower {
        let port = free_port();
        let settings = format!(
            "repository: {{ address: \"git://127.0.0.1:{}/isp.git\", poll: {}s }}\nstate: state.db\nmirror: mirror.git\n\
             drift: {{ every: 168h }}\nhttp: {{ listen: \"127.0.0.1:{port}\", webhook_credentials: hook }}\n{more}",
            self.git_port,
            poll.as_secs()
        );
        std::fs::write(self.folder.path().join("daemon.yaml"), settings).unwrap();
        let log = std::fs::File::create(self.folder.path().join("daemon.log")).unwrap();
        let child = Command::new(GAMOPS)
            .args(["daemon", "--settings", "daemon.yaml"])
            .env("HOME", self.folder.path())
            .env("GAMOPS_CRED_HOOK_PASSWORD", "hook")
            .envs(secrets.iter().copied())
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

/// The number of the service of a line, from 1, of the device of this number: its account has the same.
pub(crate) const fn service(device: usize, line: usize) -> usize {
    1000 + device * SUBSCRIBERS + line
}

/// The daemon.
pub(crate) struct Follower {
    child: Ended,
    port: u16,
    log: PathBuf,
}

/// What a process uses.
pub(crate) struct Used {
    pub(crate) processor: Duration,
    pub(crate) memory_kib: u64,
    pub(crate) peak_kib: u64,
    pub(crate) descriptors: usize,
    pub(crate) threads: u64,
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

    /// The address of one of its pages.
    pub(crate) fn url(&self, page: &str) -> String {
        format!("http://127.0.0.1:{}/{page}", self.port)
    }

    pub(crate) fn hook(&self) {
        self.ask("POST", "webhook", "X-Gitlab-Token: hook\r\n").unwrap();
    }

    /// Waits until the status is like this.
    pub(crate) fn until(&self, is: impl Fn(&Value) -> bool) {
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
    pub(crate) fn until_applied(&self, commit: &str) {
        self.until(|status| {
            let holds = |device: &Value| device["state"] == "in-sync" && device["commit"] == *commit;
            let devices = status["devices"].as_object().unwrap();
            status["in_force"]["commit"] == *commit && devices.values().all(holds)
        });
    }

    /// Has it look at every device, and waits until it has.
    pub(crate) fn round(&self) {
        let rounds = |status: &Value| -> u64 {
            let rounds = status["rounds"].as_object().unwrap();
            rounds.values().filter_map(Value::as_u64).sum()
        };
        let status = self.ask("GET", "status", "").unwrap();
        let before = rounds(&serde_json::from_str(&status).unwrap());
        self.ask("POST", "reconcile", "").unwrap();
        self.until(|status| rounds(status) > before && status["doing"].is_null());
    }

    pub(crate) fn used(&self) -> Used {
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
