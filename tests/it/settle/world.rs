//! What a case takes place in: a fleet, a repository behind a real server, a daemon, and what is to come of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::OpenOptions;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::daemon::short;
use crate::fleet::TestFleet;
use crate::signature::Keys;
use crate::support::git_server::{GitDaemon, HttpServer, Origin, SshServer};
use crate::support::picture::Picture;
use crate::support::program::{free_tcp_port, run};
use crate::support::relay::Relay;

use super::Story;
use super::wish::{DEVICES, ROAMS, ROOT, Wish, stay_on};

/// What is wrong, in words.
pub(super) type Wrong = String;

/// One of the servers that repositories are behind.
pub(super) enum Remote {
    Http(HttpServer),
    Daemon(GitDaemon),
    Ssh(SshServer),
}

/// A daemon that runs; it dies with this.
struct Follower {
    child: Child,
    port: u16,
}

impl Drop for Follower {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(super) struct World<'s> {
    story: &'s Story,
    pub(super) fleet: TestFleet,
    pub(super) origin: Origin,
    pub(super) keys: Keys,
    /// Whether only signed commits count.
    pub(super) signed: bool,
    follower: Option<Follower>,
    relay: Relay,
    remote: Option<Remote>,
    remote_is_up: bool,
    off: BTreeSet<&'static str>,
    /// Devices on which a change may have failed, since the fleet last settled.
    pub(super) disturbed: BTreeSet<&'static str>,
    /// What each commit asks for; nothing where it does not count.
    commits: BTreeMap<String, Option<Wish>>,
    /// What may be in force while the end of the branch does not count, oldest first.
    candidates: Vec<String>,
    /// The end of the branch.
    tip: String,
    pub(super) settled: usize,
}

impl<'s> World<'s> {
    /// Devices and a server, nothing pushed, no daemon. `kind`: which server.
    pub(super) fn new(kind: u64, signed: bool, story: &'s Story) -> Self {
        let fleet = TestFleet::start(DEVICES, "");
        let (origin, keys) = (Origin::new(), Keys::new());
        for name in ["alice", "mallory"] {
            keys.ssh(name, "ed25519");
        }
        let alice = std::fs::read_to_string(keys.path("alice.pub")).unwrap();
        keys.write("signers", &format!("alice@example.org namespaces=\"git\" {alice}"));
        let relay = fleet.block_on(Relay::start());
        let remote = fleet.block_on(async {
            match kind % 3 {
                0 => Remote::Http(HttpServer::start(&origin, None).await),
                1 => Remote::Daemon(GitDaemon::start(&origin).await),
                _ => Remote::Ssh(SshServer::start(&origin, "ed25519").await),
            }
        });
        relay.put(Some(remote.port()));
        let world = Self {
            story,
            fleet,
            origin,
            keys,
            signed,
            follower: None,
            relay,
            remote: Some(remote),
            remote_is_up: true,
            off: BTreeSet::new(),
            disturbed: BTreeSet::new(),
            commits: BTreeMap::new(),
            candidates: Vec::new(),
            tip: String::new(),
            settled: 0,
        };
        world.settings_for_ssh();
        world
    }

    pub(super) fn tell(&self, what: impl Into<String>) {
        self.story.tell(&what.into());
    }

    fn file(&self, name: &str) -> std::path::PathBuf {
        self.fleet.state().with_file_name(name)
    }

    /// What the daemon wrote, rounds that found nothing left out.
    pub(super) fn log(&self) -> String {
        let log = std::fs::read_to_string(self.file("daemon.log")).unwrap_or_default();
        let tells = |line: &&str| !line.ends_with("nothing to do");
        log.lines().filter(tells).collect::<Vec<_>>().join("\n")
    }

    // ── the repository ──

    fn settings_for_ssh(&self) {
        if let Some(Remote::Ssh(server)) = &self.remote {
            let known = format!("[127.0.0.1]:{} {}", self.relay.port(), server.host_key());
            std::fs::write(self.file("known_hosts"), known).unwrap();
            std::fs::write(self.file("key"), server.key()).unwrap();
        }
    }

    /// What is written in the work tree from now on.
    pub(super) fn write(&self, wish: &Wish) {
        let devices = self.fleet.devices(DEVICES, "");
        let services = wish.services();
        for (name, text) in [
            ("gamops.yaml", ROOT),
            ("devices.yaml", &devices),
            ("services.yaml", &services),
        ] {
            // It may be a link, or gone.
            let _ = std::fs::remove_file(self.origin.work().join(name));
            self.origin.write(name, text);
        }
    }

    /// The branch ends at another commit, which asks for this; or at one that is known.
    pub(super) fn moved_to(&mut self, commit: String, wish: Option<Wish>) {
        let is_known = self.commits.contains_key(&commit);
        if !is_known {
            self.commits.insert(commit.clone(), wish);
        }
        let counts = self.commits[&commit].is_some();
        if counts {
            self.candidates.push(commit.clone());
        }
        let known = if is_known { ", known" } else { "" };
        let word = if counts { "counts" } else { "does not count" };
        self.tell(format!("  the branch is at {}, which {word}{known}", short(&commit)));
        self.tip = commit;
    }

    /// What some commit that counts asks for.
    pub(super) fn wishes(&self) -> Vec<Wish> {
        self.commits.values().flatten().cloned().collect()
    }

    /// What the newest commit that counts asks for.
    pub(super) fn newest(&self) -> Option<Wish> {
        self.commits[self.candidates.last()?].clone()
    }

    pub(super) fn toggle_remote(&mut self) {
        self.remote_is_up = !self.remote_is_up;
        self.relay.put(None);
        if self.remote_is_up {
            let again = match self.remote.take() {
                Some(Remote::Ssh(server)) => Some(Remote::Ssh(self.fleet.block_on(server.again()))),
                Some(Remote::Http(server)) => {
                    drop(server);
                    let server = self.fleet.block_on(HttpServer::start(&self.origin, None));
                    Some(Remote::Http(server))
                }
                Some(Remote::Daemon(server)) => {
                    drop(server);
                    Some(Remote::Daemon(self.fleet.block_on(GitDaemon::start(&self.origin))))
                }
                None => None,
            };
            self.relay.put(again.as_ref().map(Remote::port));
            self.remote = again;
        }
        let word = if self.remote_is_up { "is back" } else { "is gone" };
        self.tell(format!("the remote {word}"));
    }

    // ── devices ──

    pub(super) fn is_on(&self, device: &str) -> bool {
        !self.off.contains(device)
    }

    pub(super) fn toggle_power(&mut self, device: &'static str) {
        self.disturbed.insert(device);
        let sim = self.fleet.device(device);
        if self.off.remove(device) {
            sim.power_on();
            self.tell(format!("{device} has power again"));
        } else {
            self.off.insert(device);
            sim.power_off();
            self.tell(format!("{device} loses power"));
        }
    }

    // ── the daemon ──

    pub(super) fn runs(&self) -> bool {
        self.follower.is_some()
    }

    /// Kills it as a machine does that loses power.
    pub(super) fn kill(&mut self) {
        self.follower = None;
        self.tell("the daemon is killed");
    }

    pub(super) fn start(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while self.follower.is_none() {
            let mut follower = self.spawn();
            while get(follower.port).is_none() {
                assert!(Instant::now() < deadline, "it does not start: {}", self.log());
                // Somebody else took the port, say.
                if follower.child.try_wait().unwrap().is_some() {
                    break;
                }
                self.breathe();
            }
            self.follower = Some(follower).filter(|follower| get(follower.port).is_some());
        }
        self.tell("the daemon is started");
    }

    fn spawn(&self) -> Follower {
        let port = free_tcp_port();
        let relay = format!("127.0.0.1:{}", self.relay.port());
        let (address, more) = match &self.remote {
            Some(Remote::Http(_)) => (format!("http://{relay}/isp.git"), ""),
            Some(Remote::Daemon(_)) => (format!("git://{relay}/isp.git"), ""),
            Some(Remote::Ssh(server)) => {
                let behind = format!("127.0.0.1:{}", server.port());
                let address = server.url().replace(&behind, &relay);
                (address, ", credentials: git, known_hosts: known_hosts")
            }
            None => unreachable!("there always is a remote"),
        };
        let signers = match self.signed {
            true => format!(", signed_by: {{ ssh: \"{}\" }}", self.keys.path("signers").display()),
            false => String::new(),
        };
        let settings = format!(
            "repository: {{ address: \"{address}\", poll: 1s, within: 10s{more}{signers} }}\n\
             state: {}\nmirror: mirror.git\ndevices: {{ retry: 1s, retry_at_most: 1s, reconnect_within: 2s }}\n\
             drift: {{ every: 2s, then: revert, at_most: 100 }}\nhttp: {{ listen: \"127.0.0.1:{port}\" }}\n",
            self.fleet.state().display()
        );
        let path = self.file("daemon.yaml");
        std::fs::write(&path, settings).unwrap();
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.file("daemon.log"))
            .unwrap();
        let child = self
            .fleet
            .command(&["daemon", "--settings", &path.to_string_lossy()])
            .env("GAMOPS_CRED_GIT_KEY_FILE", self.file("key"))
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        Follower { child, port }
    }

    /// What the daemon tells of itself, if it runs. What is in force was in force since: nothing older may be later.
    pub(super) fn status(&mut self) -> Option<Value> {
        let status = get(self.follower.as_ref()?.port)?;
        let in_force = status["in_force"]["commit"].as_str().unwrap_or_default();
        let is_one = |candidate: &String| short(candidate) == in_force;
        if let Some(at) = self.candidates.iter().position(is_one) {
            self.candidates.drain(..at);
        }
        Some(status)
    }

    /// Leaves the processor to others for a moment, between two looks.
    fn breathe(&self) {
        self.fleet
            .block_on(async { tokio::time::sleep(Duration::from_millis(20)).await });
    }

    /// Waits until the daemon stands like this; not for long, since it may never.
    pub(super) fn until(&mut self, at_most: Duration, is: impl Fn(&Self, &Value) -> bool) {
        let deadline = Instant::now() + at_most;
        while Instant::now() < deadline && self.runs() {
            if self.status().is_some_and(|status| is(self, &status)) {
                return;
            }
            self.breathe();
        }
    }

    /// Whether the daemon has seen the end of the branch.
    pub(super) fn has_seen_tip(&self, status: &Value) -> bool {
        let tip = short(&self.tip);
        status["in_force"]["commit"] == *tip && status["rejected"].is_null() || self.has_refused_tip(status)
    }

    fn has_refused_tip(&self, status: &Value) -> bool {
        status["rejected"]["commit"] == *short(&self.tip)
    }

    // ── the end ──

    /// Brings everything up again, and waits until the fleet is as the newest commit that counts asks.
    pub(super) fn settle(&mut self) -> Result<(), Wrong> {
        if !self.remote_is_up {
            self.toggle_remote();
        }
        for device in DEVICES {
            self.fleet.device(device.key).clear_faults();
            if !self.is_on(device.key) {
                self.toggle_power(device.key);
            }
        }
        self.origin.git(&[
            "push",
            "--quiet",
            "--force",
            &self.origin.bare().to_string_lossy(),
            "main",
        ]);
        if !self.runs() {
            self.start();
        }
        let deadline = Instant::now() + Duration::from_secs(60);
        let mut asked_after = None;
        let in_force = loop {
            let Some(status) = self.status() else {
                return Err("the daemon does not answer".to_owned());
            };
            self.roamer_is_served()?;
            let why = match self.unsettled(&status) {
                Ok(in_force) => break in_force,
                Err(why) => why,
            };
            if Instant::now() > deadline {
                return Err(format!("it does not settle: {why}\n{status:#}"));
            }
            // What failed is left to people, and they say that it is to be tried again, once after each round.
            if self.has_failed(&status)? && asked_after.as_ref() != Some(&status["rounds"]) {
                asked_after = Some(status["rounds"].clone());
                self.tell("  somebody says `gamops reconcile`");
                if let Some(follower) = &self.follower {
                    run(Command::new("kill").args(["-HUP", &follower.child.id().to_string()]));
                }
            }
            self.breathe();
        };
        self.tell(format!("settled at {}", short(&in_force)));
        self.nothing_is_left_to_do(&in_force)?;
        self.nobody_lost_service()?;
        self.candidates = vec![in_force];
        self.disturbed.clear();
        self.settled += 1;
        Ok(())
    }

    /// The commit that is in force and reached the whole fleet; otherwise what is not as it should be yet.
    fn unsettled(&self, status: &Value) -> Result<String, Wrong> {
        let in_force = status["in_force"]["commit"].as_str().unwrap_or_default();
        let expected = match self.commits[&self.tip].is_some() {
            true => std::slice::from_ref(&self.tip),
            false if self.has_refused_tip(status) => self.candidates.as_slice(),
            false => return Err("the end of the branch was not looked at".to_owned()),
        };
        let is_it = |commit: &&String| short(commit) == in_force;
        let Some(commit) = expected.iter().find(is_it) else {
            return Err(format!("{in_force} is in force, and not one of {expected:?}"));
        };
        if self.commits[&self.tip].is_some() && !status["rejected"].is_null() {
            return Err("something is rejected".to_owned());
        }
        let wish = self.commits[commit].as_ref().ok_or("it does not count")?;
        for device in DEVICES.iter().map(|device| device.key) {
            let standing = &status["devices"][device];
            if standing["state"] != "in-sync" || standing["commit"] != in_force {
                return Err(format!("{device} stands as {standing}"));
            }
            let sim = self.fleet.device(device);
            let (running, startup) = (sim.running_config(), sim.startup_config().unwrap_or_default());
            if let Some(difference) = wish.differs(device, &running) {
                return Err(difference);
            }
            if Picture::of(&running) != Picture::of(&startup) {
                return Err(format!("{device} would not come back from a restart as it is"));
            }
        }
        Ok(commit.clone())
    }

    /// Whether a device is left to people. That is to happen only where something was done to it meanwhile.
    fn has_failed(&self, status: &Value) -> Result<bool, Wrong> {
        let mut failed = false;
        for device in DEVICES.iter().map(|device| device.key) {
            let standing = &status["devices"][device];
            failed |= standing["rests"] == true;
            if standing["rests"] == true && !self.disturbed.contains(device) {
                return Err(format!("nothing was done to {device}, and yet: {standing}"));
            }
        }
        Ok(failed)
    }

    /// A plan made anew, by hand, from the files of the commit.
    fn nothing_is_left_to_do(&self, in_force: &str) -> Result<(), Wrong> {
        let wish = self.commits[in_force].as_ref().ok_or("it does not count")?;
        self.fleet.write("gamops.yaml", ROOT);
        self.fleet.write("devices.yaml", &self.fleet.devices(DEVICES, ""));
        self.fleet.write("services.yaml", &wish.services());
        let ran = self.fleet.run(&["plan", "--detailed-exitcode"]);
        match ran.code == 0 && ran.stdout.contains("No changes.") {
            true => Ok(()),
            false => Err(format!("something is left to do:\n{}\n{}", ran.stdout, ran.stderr)),
        }
    }

    /// Looks at every state that the devices were in since they last settled, and begins anew.
    fn nobody_lost_service(&self) -> Result<(), Wrong> {
        for device in DEVICES.iter().map(|device| device.key) {
            let sim = self.fleet.device(device);
            for passed in sim.trail() {
                let services = Picture::of(&passed.running).services;
                if let Some(lost) = stay_on(device).find(|name| !services.contains_key(*name)) {
                    return Err(format!("{lost} lost service on {device} after `{}`", passed.after));
                }
            }
            sim.keep_trail();
        }
        Ok(())
    }

    /// Who moves between two devices is on one of them. Before the fleet settled for the first time nobody is.
    pub(super) fn roamer_is_served(&self) -> Result<(), Wrong> {
        let is_on = |device: &&str| {
            let services = Picture::of(&self.fleet.device(device).running_config()).services;
            services.contains_key(ROAMS)
        };
        // Each is looked at before and after the other: a move in between is seen.
        let is_somewhere = ["quay", "maple", "quay", "maple"].iter().any(is_on);
        match is_somewhere || self.settled == 0 {
            true => Ok(()),
            false => Err(format!("{ROAMS} moves and is nowhere")),
        }
    }
}

impl Remote {
    fn port(&self) -> u16 {
        match self {
            Self::Http(server) => server.port(),
            Self::Daemon(server) => server.port(),
            Self::Ssh(server) => server.port(),
        }
    }
}

/// The status page, if it is served.
fn get(port: u16) -> Option<Value> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    let request = "GET /status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()
}
