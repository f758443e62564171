//! `gamops daemon` as a service: a real repository, simulated devices, and everything that happens to them.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use gamops::sim::Fault;
use serde_json::Value;

use crate::fleet::{Ran, SERVICES, TWO, TestFleet};
use crate::support::git_server::{GitDaemon, Origin};
use crate::support::program::free_tcp_port;

/// A fleet, a repository with its inventory, and the settings of a daemon.
pub(crate) struct Service {
    pub(crate) fleet: TestFleet,
    pub(crate) origin: Origin,
    port: u16,
}

/// A daemon that runs.
pub(crate) struct Daemon<'s> {
    service: &'s Service,
    child: Child,
}

impl Service {
    /// Nothing is pushed yet. `more` is added to the settings.
    pub(crate) fn new(more: &str) -> Self {
        let fleet = TestFleet::start(TWO, SERVICES);
        let origin = Origin::new();
        for name in ["gamops.yaml", "devices.yaml", "services.yaml"] {
            let text = std::fs::read_to_string(fleet.inventory().join(name)).unwrap();
            origin.write(name, &text);
        }
        let port = free_tcp_port();
        let service = Self { fleet, origin, port };
        service.settings(more);
        service
    }

    pub(crate) fn settings(&self, more: &str) {
        let text = format!(
            "repository: {{ address: \"{}\", poll: 1s }}\nstate: {}\nmirror: mirror.git\nhttp: {{ listen: \"127.0.0.1:{}\", webhook_credentials: hook }}\n{more}",
            self.origin.bare().display(),
            self.fleet.state().display(),
            self.port
        );
        std::fs::write(self.path(), text).unwrap();
    }

    pub(crate) fn path(&self) -> std::path::PathBuf {
        self.fleet.state().with_file_name("daemon.yaml")
    }

    pub(crate) fn start(&self) -> Daemon<'_> {
        self.start_with(&[])
    }

    /// Starts it with more in its environment.
    pub(crate) fn start_with(&self, environment: &[(&str, &str)]) -> Daemon<'_> {
        let log = std::fs::File::create(self.fleet.state().with_file_name("daemon.log")).unwrap();
        let child = self
            .fleet
            .command(&["daemon", "--settings", &self.path().to_string_lossy()])
            .env("GAMOPS_CRED_HOOK_PASSWORD", "canary-hook")
            .envs(environment.iter().copied())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        Daemon { service: self, child }
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.fleet.state().with_file_name("daemon.log")).unwrap()
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        let url = format!("http://127.0.0.1:{}", self.port);
        self.fleet
            .command(arguments)
            .env("GAMOPS_DAEMON", url)
            .output()
            .unwrap()
            .into()
    }

    /// The services with another VLAN for the first subscriber, pushed.
    pub(crate) fn push_vlan(&self, vlan: u16) -> String {
        self.origin.write(
            "services.yaml",
            &SERVICES.replace("vlan: 101", &format!("vlan: {vlan}")),
        );
        short(&self.origin.push(&format!("vlan {vlan}")))
    }

    /// Writes an inventory with two subscribers less than a guard lets go at once.
    pub(crate) fn write_two_less(&self) {
        let root = std::fs::read_to_string(self.origin.work().join("gamops.yaml")).unwrap();
        let root = format!("{root}policies: {{ guards: {{ destroy_per_device: {{ count: 1 }} }} }}\n");
        self.origin.write("gamops.yaml", &root);
        let fewer = SERVICES
            .lines()
            .filter(|line| !line.contains("s-2:") && !line.contains("s-3:"));
        let fewer: String = fewer.map(|line| format!("{line}\n")).collect();
        self.origin.write("services.yaml", &fewer);
    }

    /// Whether the device holds that VLAN for the first subscriber, saved.
    pub(crate) fn holds(&self, vlan: u16) -> bool {
        let config = self.fleet.device("maple").startup_config().unwrap_or_default();
        config
            .lines()
            .any(|line| line.contains("name \"s-1\"") && line.contains(&format!("vid {vlan} ")))
    }
}

pub(crate) fn short(commit: &str) -> String {
    commit[..12].to_owned()
}

impl Daemon<'_> {
    /// Waits until the status is like this, and gives it.
    #[track_caller]
    pub(crate) fn until(&self, what: &str, is: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + Duration::from_secs(60);
        let mut last = String::new();
        while Instant::now() < deadline {
            let ran = self.service.run(&["status", "--format", "json"]);
            last = ran.stdout;
            if let Ok(status) = serde_json::from_str(&last)
                && is(&status)
            {
                return status;
            }
        }
        panic!("never {what}\n{last}\n{}", self.service.log());
    }

    /// Waits until the commit is in force and both devices are in sync with it.
    #[track_caller]
    pub(crate) fn until_applied(&self, commit: &str) {
        self.until(&format!("at {commit}"), |status| {
            status["in_force"]["commit"] == commit
                && ["maple", "harbour"].iter().all(|key| {
                    let device = &status["devices"][key];
                    device["state"] == "in-sync" && device["commit"] == commit
                })
        });
    }

    /// Sends a signal and waits for the end; gives the exit code.
    pub(crate) fn signal(mut self, name: &str) -> Option<i32> {
        self.send(name);
        self.child.wait().unwrap().code()
    }

    pub(crate) fn send(&self, name: &str) {
        let sent = std::process::Command::new("kill")
            .args([format!("-{name}"), self.child.id().to_string()])
            .status();
        assert!(sent.unwrap().success());
    }
}

impl Drop for Daemon<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn what_is_pushed_reaches_the_devices_by_itself() {
    let service = Service::new("");
    let first = short(&service.origin.push("one"));
    let daemon = service.start();
    daemon.until_applied(&first);
    assert!(service.holds(101));
    let second = service.push_vlan(111);
    daemon.until_applied(&second);
    assert!(service.holds(111));
    let _ = service
        .run(&["status"])
        .expect(0)
        .says("in sync")
        .says(&second)
        .says("2 of 2 devices fine");
    let _ = service
        .fleet
        .run(&["history"])
        .expect(0)
        .says("gamops-daemon@")
        .says(&second);
    assert_eq!(daemon.signal("TERM"), Some(0), "{}", service.log());
    assert!(!service.log().contains("canary"), "{}", service.log());
}

#[test]
fn a_commit_that_is_not_valid_changes_nothing_and_outlives_a_restart() {
    let service = Service::new("");
    let good = short(&service.origin.push("good"));
    let daemon = service.start();
    daemon.until_applied(&good);
    service
        .origin
        .write("services.yaml", &SERVICES.replace("plan: gold", "plan: glod"));
    let bad = short(&service.origin.push("bad"));
    let status = daemon.until("rejected", |status| status["rejected"]["commit"] == *bad);
    assert_eq!(status["in_force"]["commit"], *good);
    let reason = status["rejected"]["reason"].as_str().unwrap();
    assert!(
        reason.contains("unknown-plan") && reason.contains("services.yaml:5"),
        "{reason}"
    );
    let _ = service
        .run(&["status"])
        .expect(1)
        .says("NOT VALID")
        .says("did you mean `gold`?");
    assert_eq!(daemon.signal("KILL"), None);

    // Started anew it still has the last good one, not the branch and not nothing.
    let daemon = service.start();
    daemon.until("rejected again", |status| {
        status["rejected"]["commit"] == *bad && status["in_force"]["commit"] == *good
    });
    daemon.until_applied(&good);
    let mended = service.push_vlan(112);
    daemon.until_applied(&mended);
    daemon.until("well", |status| status["rejected"].is_null());
    assert!(service.holds(112));
}

#[test]
fn a_rewritten_branch_is_followed_and_said_and_a_deleted_one_leaves_what_is_in_force() {
    let service = Service::new("");
    let first = short(&service.origin.push("one"));
    let daemon = service.start();
    daemon.until_applied(&first);
    service
        .origin
        .write("services.yaml", &SERVICES.replace("vlan: 101", "vlan: 113"));
    service.origin.git(&["add", "--all"]);
    service
        .origin
        .git(&["commit", "--quiet", "--amend", "--message", "rewritten"]);
    let rewritten = short(&service.origin.push("and on"));
    daemon.until_applied(&rewritten);
    assert!(service.log().contains("the branch was rewritten"), "{}", service.log());

    let bare = service.origin.bare().to_string_lossy().into_owned();
    service.origin.git(&["push", "--quiet", &bare, "main:other", ":main"]);
    let status = daemon.until("without a branch", |status| !status["unreachable"].is_null());
    assert!(
        status["unreachable"]["reason"]
            .as_str()
            .unwrap()
            .contains("has no branch `main`")
    );
    assert_eq!(status["in_force"]["commit"], *rewritten);
    service.origin.git(&["push", "--quiet", &bare, "main"]);
    daemon.until("with it again", |status| status["unreachable"].is_null());
}

#[test]
fn a_commit_whose_files_cannot_be_read_is_not_valid() {
    let service = Service::new("");
    let good = short(&service.origin.push("good"));
    let daemon = service.start();
    daemon.until_applied(&good);
    let services = service.origin.work().join("services.yaml");
    std::fs::remove_file(&services).unwrap();
    std::os::unix::fs::symlink("devices.yaml", &services).unwrap();
    let rejected = |commit: String, why: &str| {
        let commit = short(&commit);
        let status = daemon.until(why, |status| status["rejected"]["commit"] == *commit);
        let reason = status["rejected"]["reason"].as_str().unwrap();
        assert!(reason.contains(why), "{reason}");
        assert!(status["unreachable"].is_null());
        assert_eq!(status["in_force"]["commit"], *good);
    };
    rejected(
        service.origin.push("a link"),
        "services.yaml is a symbolic link, which cannot be followed",
    );
    std::fs::remove_file(&services).unwrap();
    service.origin.write("services.yaml", SERVICES);
    std::fs::rename(
        service.origin.work().join("gamops.yaml"),
        service.origin.work().join("x"),
    )
    .unwrap();
    rejected(
        service.origin.push("no root"),
        "there was no gamops.yaml in the top folder",
    );
}

#[test]
fn drift_is_shown_or_taken_back_as_the_settings_say() {
    let service = Service::new("drift: { every: 1s }");
    let first = short(&service.origin.push("one"));
    let daemon = service.start();
    daemon.until_applied(&first);
    let tamper = |vlan: u16| {
        let line = format!("ghn subscriber 1 vid {vlan}");
        service.fleet.device("maple").execute(&line);
    };
    tamper(3999);
    let status = daemon.until("drifted", |status| status["devices"]["maple"]["state"] == "drifted");
    assert_eq!(status["devices"]["maple"]["objects"][0], "subscriber/s-1");
    assert!(service.fleet.device("maple").running_config().contains("vid 3999"));
    let _ = service
        .run(&["status"])
        .expect(1)
        .says("drifted")
        .says("subscriber/s-1");
    // Neither a restart nor a commit about another device takes it back.
    assert_eq!(daemon.signal("TERM"), Some(0));
    let daemon = service.start();
    service
        .origin
        .write("services.yaml", &SERVICES.replace("vlan: 104", "vlan: 114"));
    let first = short(&service.origin.push("another device"));
    daemon.until("the other has it, this one drifted", |status| {
        let devices = &status["devices"];
        devices["harbour"]["state"] == "in-sync"
            && devices["maple"]["state"] == "drifted"
            && devices["maple"]["commit"] == *first
    });
    assert!(service.fleet.device("maple").running_config().contains("vid 3999"));
    assert!(service.fleet.device("harbour").running_config().contains("vid 114"));
    assert_eq!(daemon.signal("TERM"), Some(0));

    service.settings("drift: { every: 1s, then: revert }");
    let daemon = service.start();
    daemon.until_applied(&first);
    assert!(service.holds(101));
    tamper(3998);
    daemon.until("taken back", |_| {
        service.holds(101) && !service.fleet.device("maple").running_config().contains("vid 3998")
    });
}

#[test]
fn what_is_changed_again_and_again_is_left_to_people_until_they_say_so() {
    let service = Service::new("drift: { every: 1s, then: revert, at_most: 1, within: 168h }");
    let first = short(&service.origin.push("one"));
    let daemon = service.start_with(&[("GAMOPS_LOG_FORMAT", "json")]);
    daemon.until_applied(&first);
    let maple = || service.fleet.device("maple");
    let tamper = |vlan: u16| maple().execute(&format!("ghn subscriber 1 vid {vlan}"));
    tamper(3998);
    daemon.until("taken back", |status| {
        service.holds(101)
            && status["devices"]["maple"]["reverted"]
                .as_array()
                .is_some_and(|times| times.len() == 1)
    });
    tamper(3997);
    daemon.until("left", |status| status["devices"]["maple"]["state"] == "drifted");
    assert!(maple().running_config().contains("vid 3997"));
    let _ = service
        .run(&["status"])
        .expect(1)
        .says("subscriber/s-1 (set right once, and changed again)");
    // Somebody says so, of this device.
    let _ = service
        .run(&["reconcile", "oak"])
        .expect(1)
        .says("the inventory in force has no device `oak`");
    let _ = service
        .run(&["reconcile", "maple"])
        .expect(0)
        .says("looks at maple now");
    daemon.until("taken back again", |status| {
        status["devices"]["maple"]["state"] == "in-sync" && !maple().running_config().contains("vid 3997")
    });
    drop(daemon);

    // What went on is there for programs, with the runs of the history.
    let log = service.log();
    let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).expect(line));
    let runs = lines.filter(|line| line["device"] == "maple" && line["run"].is_i64());
    assert!(runs.count() >= 2, "{log}");
}

#[test]
fn the_status_can_be_watched() {
    let service = Service::new("drift: { every: 1h }");
    let first = short(&service.origin.push("one"));
    let daemon = service.start();
    daemon.until_applied(&first);
    let url = format!("http://127.0.0.1:{}", service.port);
    let mut watching = service
        .fleet
        .command(&["status", "--watch", "--format", "json"])
        .env("GAMOPS_DAEMON", url)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(watching.stdout.take().unwrap()).lines();
    let mut next = || serde_json::from_str::<Value>(&lines.next().unwrap().unwrap()).unwrap();
    assert_eq!(next()["in_force"]["commit"], *first);
    let second = service.push_vlan(115);
    while next()["devices"]["maple"]["commit"] != *second {}
    watching.kill().unwrap();
    watching.wait().unwrap();
}

#[test]
fn a_device_that_does_not_answer_delays_nobody_for_long_and_gets_what_it_missed() {
    let service = Service::new("devices: { retry: 1s, retry_at_most: 2s }");
    let first = short(&service.origin.push("one"));
    let daemon = service.start();
    daemon.until_applied(&first);
    service.fleet.device("harbour").set_fault(Fault::SessionsTaken);
    let second = service.push_vlan(114);
    daemon.until("the other is done", |status| {
        status["devices"]["maple"]["commit"] == *second
            && status["devices"]["maple"]["state"] == "in-sync"
            && status["devices"]["harbour"]["state"] == "unreachable"
    });
    assert!(service.holds(114));
    service.fleet.device("harbour").clear_faults();
    daemon.until_applied(&second);
}

#[test]
fn a_rejected_login_is_not_tried_again_until_somebody_says_so() {
    let service = Service::new("devices: { retry: 1s, retry_at_most: 1s }\ndrift: { every: 1s }");
    service.fleet.device("harbour").set_fault(Fault::RefuseLogins);
    let first = short(&service.origin.push("one"));
    let daemon = service.start();
    daemon.until("the other is done", |status| {
        status["devices"]["maple"]["state"] == "in-sync" && status["devices"]["harbour"]["lasting"] == true
    });
    let rejected = || service.fleet.device("harbour").counters().rejected_logins;
    assert_eq!(rejected(), 1);
    // Rounds go on without it.
    let reads = |status: &Value| status["rounds"]["in-sync"].as_u64().unwrap_or(0);
    daemon.until("three rounds on", |status| reads(status) >= 3);
    assert_eq!(rejected(), 1);
    // A commit that asks nothing else of it is no reason either.
    service.fleet.device("harbour").clear_faults();
    let second = service.push_vlan(119);
    daemon.until("the other has it", |status| {
        status["devices"]["maple"]["commit"] == *second
    });
    assert_eq!(service.fleet.device("harbour").counters().logins, 0);
    let _ = service.run(&["reconcile"]).expect(0);
    daemon.until_applied(&second);
    assert_ne!(first, second);
}

#[test]
fn a_guard_holds_the_daemon_too_until_the_commit_says_that_it_is_meant() {
    let service = Service::new("");
    let first = short(&service.origin.push("one"));
    let daemon = service.start();
    daemon.until_applied(&first);
    let root = std::fs::read_to_string(service.origin.work().join("gamops.yaml")).unwrap();
    service.origin.write(
        "gamops.yaml",
        &format!("{root}policies: {{ guards: {{ destroy_per_device: {{ count: 1 }} }} }}\n"),
    );
    let fewer: String = SERVICES
        .lines()
        .filter(|line| !line.contains("s-2:") && !line.contains("s-3:"))
        .map(|line| format!("{line}\n"))
        .collect();
    service.origin.write("services.yaml", &fewer);
    let refused = short(&service.origin.push("two less"));
    let status = daemon.until("refused", |status| !status["guarded"].as_array().unwrap().is_empty());
    assert_eq!(status["in_force"]["commit"], *refused);
    assert_eq!(status["devices"]["maple"]["state"], "refused");
    assert!(service.fleet.device("maple").running_config().contains("s-3"));
    let meant = short(&service.origin.push("two less\n\nGamops-Allow: destroy=2"));
    daemon.until_applied(&meant);
    assert!(!service.fleet.device("maple").running_config().contains("s-3"));
}

#[test]
fn a_signed_webhook_a_signal_and_a_command_wake_it_and_others_do_not() {
    let service = Service::new("");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(GitDaemon::start(&service.origin));
    let text = std::fs::read_to_string(service.path()).unwrap();
    let bare = service.origin.bare().to_string_lossy().into_owned();
    // From here on nothing happens by itself: there are no files to watch either.
    let text = text.replace("poll: 1s", "poll: 168h").replace(&bare, &server.url());
    std::fs::write(service.path(), text).unwrap();
    let first = short(&service.origin.push("one"));
    let daemon = service.start();
    daemon.until_applied(&first);

    let second = service.push_vlan(115);
    let hook = |signature: &str| service.hook("{\"ref\":\"refs/heads/main\"}", signature);
    assert_eq!(hook("sha256=00"), 403);
    assert_eq!(
        hook("sha256=bb7a96df1fa8ee03da80b43cbe54fe8fd69dc0a4a2af3b6a19a4af5d10bd5cb2"),
        403
    );
    let signature = service.sign("{\"ref\":\"refs/heads/main\"}");
    assert_eq!(hook(&signature), 202);
    daemon.until_applied(&second);

    let third = service.push_vlan(116);
    daemon.send("HUP");
    daemon.until_applied(&third);
    let fourth = service.push_vlan(117);
    let _ = service.run(&["reconcile"]).expect(0);
    daemon.until_applied(&fourth);
}

#[test]
fn it_tells_health_and_metrics() {
    let service = Service::new("");
    let daemon = service.start();
    daemon.until("without a branch", |status| !status["unreachable"].is_null());
    assert_eq!(service.get("readyz").0, 503);
    assert_eq!(service.get("healthz").0, 200);
    let first = short(&service.origin.push("one"));
    daemon.until_applied(&first);
    assert_eq!(service.get("readyz").0, 200);
    let (_, metrics) = service.get("metrics");
    assert!(
        metrics.contains("gamops_device_state{device=\"maple\",state=\"in sync\"} 1"),
        "{metrics}"
    );
    assert!(
        metrics.contains("gamops_rounds_total{outcome=\"applied\"} 1"),
        "{metrics}"
    );
}

#[test]
fn killed_in_the_middle_it_goes_on_where_it_was() {
    let service = Service::new("");
    service.origin.push("one");
    service.fleet.device("maple").set_fault(Fault::Slow { millis: 100 });
    let daemon = service.start();
    let maple = service.fleet.device("maple");
    let deadline = Instant::now() + Duration::from_secs(60);
    while !maple
        .counters()
        .commands
        .iter()
        .any(|command| command.starts_with("ghn subscriber"))
    {
        assert!(Instant::now() < deadline, "{}", service.log());
        std::thread::yield_now();
    }
    assert_eq!(daemon.signal("KILL"), None);
    maple.clear_faults();
    let second = service.push_vlan(118);
    let daemon = service.start();
    daemon.until_applied(&second);
    assert!(service.holds(118));
}

#[test]
fn a_folder_is_followed_as_it_is() {
    let service = Service::new("");
    let text = std::fs::read_to_string(service.path()).unwrap();
    let bare = service.origin.bare().to_string_lossy().into_owned();
    let folder = service.fleet.inventory().to_string_lossy().into_owned();
    std::fs::write(service.path(), text.replace(&bare, &folder)).unwrap();
    let daemon = service.start();
    daemon.until("in sync", |status| {
        status["devices"]["maple"]["state"] == "in-sync" && service.holds(101)
    });
    service
        .fleet
        .write("services.yaml", &SERVICES.replace("vlan: 101", "vlan: 121"));
    daemon.until("followed", |_| service.holds(121));
}

#[test]
fn settings_are_checked_before_anything_is_done() {
    let service = Service::new("");
    let path = service.path();
    let path = path.to_string_lossy();
    let _ = service
        .run(&["settings", "check", &path])
        .expect(0)
        .says("Valid: follows");
    std::fs::write(service.path(), "repository: { adress: x }\n").unwrap();
    let _ = service
        .run(&["settings", "check", &path])
        .expect(3)
        .says("unknown field `adress`");
    let _ = service
        .run(&["daemon", "--settings", &path])
        .expect(3)
        .says("unknown field `adress`");
    let _ = service.run(&["status"]).expect(1).says("no daemon answers");
}

impl Service {
    pub(crate) fn url(&self, page: &str) -> String {
        format!("http://127.0.0.1:{}/{page}", self.port)
    }

    pub(crate) fn get(&self, page: &str) -> (u16, String) {
        self.curl(&[&self.url(page)])
    }

    fn hook(&self, body: &str, signature: &str) -> u16 {
        let header = format!("X-Hub-Signature-256: {signature}");
        let url = self.url("webhook");
        self.curl(&["--request", "POST", "--header", &header, "--data-binary", body, &url])
            .0
    }

    /// Status and body.
    pub(crate) fn curl(&self, arguments: &[&str]) -> (u16, String) {
        let curl = crate::support::program::find("curl", "curl");
        let mut command = std::process::Command::new(curl);
        command
            .args(["--silent", "--max-time", "20", "--write-out", "\n%{http_code}"])
            .args(arguments);
        let output = String::from_utf8(command.output().unwrap().stdout).unwrap();
        let (body, status) = output.rsplit_once('\n').unwrap();
        (status.parse().unwrap(), body.to_owned())
    }

    /// The signature as OpenSSL makes it.
    fn sign(&self, body: &str) -> String {
        let file = self.fleet.state().with_file_name("body");
        std::fs::write(&file, body).unwrap();
        let openssl = crate::support::program::find("openssl", "openssl");
        let output = std::process::Command::new(openssl)
            .args(["dgst", "-sha256", "-hmac", "canary-hook", "-r"])
            .arg(&file)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        format!("sha256={}", text.split(' ').next().unwrap())
    }
}
