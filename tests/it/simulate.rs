//! `gamops simulate --billing` as a stranger tries it: the example in a repository, the simulator, the daemon, and orders to both.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use gamops::domain::{BillingKind, Secret};
use gamops::transport::http::{Http, Method, Request};

use crate::faults::wait_until;
use crate::fleet::{Ran, program};
use crate::support::git_server::git_in;
use crate::support::program::{free_tcp_port, free_udp_port};

/// The example with a billing system, copied to where nothing else is, at addresses that are free.
struct Tried {
    home: tempfile::TempDir,
    daemon: u16,
}

/// A program that runs until this is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What the simulator said of itself.
struct Said {
    text: String,
    url: String,
    environment: Vec<(String, String)>,
    _running: Running,
}

impl Tried {
    /// All subscribers that the example has in Splynx are in `kind` here.
    fn new(kind: BillingKind) -> Self {
        let tried = Self {
            home: tempfile::tempdir().unwrap(),
            daemon: free_tcp_port(),
        };
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("inventory-billing");
        std::fs::create_dir_all(tried.network().join("sites")).unwrap();
        let transport = format!("{{ssh_port: {}, snmp_port: {}}}", free_tcp_port(), free_udp_port());
        for name in [
            ".gitignore",
            "daemon.yaml",
            "gamops.yaml",
            "plans.yaml",
            "sites/elm.yaml",
        ] {
            let text = std::fs::read_to_string(root.join(name)).unwrap();
            let text = text
                .replace("{ssh_port: 22011, snmp_port: 16111}", &transport)
                .replace("splynx: 100", &format!("{}: 100", kind.key()))
                .replace("127.0.0.1:9105", &format!("127.0.0.1:{}", tried.daemon));
            std::fs::write(tried.network().join(name), text).unwrap();
        }
        tried
    }

    fn network(&self) -> PathBuf {
        self.home.path().join("isp")
    }

    fn pages(&self) -> String {
        format!("http://127.0.0.1:{}", self.daemon)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program(self.home.path());
        command
            .args(arguments)
            .current_dir(self.network())
            .env("GAMOPS_DAEMON", self.pages());
        command
    }

    /// Starts the simulator with a billing system, and reads what it says of it.
    fn simulate(&self, kind: BillingKind) -> Said {
        let (beside, pages) = (format!("{}=127.0.0.1:0", kind.key()), self.pages());
        let arguments = [
            "simulate",
            "--blank",
            "--billing",
            &beside,
            "--billing-webhook",
            &pages,
            "--control",
            "../sock",
        ];
        let mut command = self.command(&arguments);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let running = Running(child);
        let mut said = String::new();
        while !said.contains("updateAccount") && !said.contains("curl -u") {
            said.push_str(&lines.next().expect(&said).unwrap());
            said.push('\n');
        }
        let url = said
            .lines()
            .find_map(|line| line.split_once("url: \"")?.1.split('"').next());
        let exports = said
            .lines()
            .filter_map(|line| line.trim().strip_prefix("export ")?.split_once('='));
        Said {
            url: url.unwrap().to_owned(),
            environment: exports
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            text: said.clone(),
            _running: running,
        }
    }

    /// Makes a repository of it, with settings that ask the system, and has the daemon follow it.
    fn follow(&self, kind: BillingKind, said: &Said) -> Running {
        let path = self.network().join("daemon.yaml");
        let settings = std::fs::read_to_string(&path).unwrap();
        let (before, _) = settings.split_once("billing:\n").unwrap();
        let key = kind.key();
        let billing = format!(
            "billing:\n  {key}: {{url: \"{}\", credentials: {key}, poll: 1h, webhook: {{credentials: {key}-hook}}}}\n",
            said.url
        );
        std::fs::write(&path, format!("{before}{billing}")).unwrap();
        self.git(&["init", "--quiet", "--initial-branch=main"]);
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", "Elm House"]);
        let log = std::fs::File::create(self.home.path().join("daemon.log")).unwrap();
        let mut command = self.command(&["daemon", "--settings", "daemon.yaml"]);
        command.envs(said.environment.iter().cloned());
        Running(command.stdout(Stdio::null()).stderr(log).spawn().unwrap())
    }

    fn git(&self, arguments: &[&str]) -> String {
        git_in(&self.network(), arguments)
    }

    /// Gives an order to the simulator.
    fn order(&self, words: &[&str]) -> Ran {
        let arguments = [&["simulate-control", "../sock"], words].concat();
        self.command(&arguments).output().unwrap().into()
    }

    /// Waits until the device has saved a subscriber in a VLAN, for which there is a commit with this subject.
    #[track_caller]
    fn until(&self, subscriber: &str, vlan: u16, subject: &str) {
        let deadline = Instant::now() + Duration::from_secs(60);
        let is_there = || {
            let config = self.order(&["elm-a", "startup-config"]).expect(0).stdout;
            let line = config
                .lines()
                .find(|line| line.contains(&format!("name \"{subscriber}\"")));
            line.is_some_and(|line| line.contains(&format!("vid {vlan} ")))
        };
        while !is_there() {
            let daemon = std::fs::read_to_string(self.home.path().join("daemon.log")).unwrap();
            assert!(Instant::now() < deadline, "{subject}: not on the device\n{daemon}");
        }
        let newest = self.git(&["log", "-1", "--format=%s"]);
        assert!(newest.contains(subject), "{newest}");
    }
}

/// The commands of docs/billing.md, with either system.
fn try_it(kind: BillingKind, puts: impl FnOnce(&Said)) {
    let tried = Tried::new(kind);
    let said = tried.simulate(kind);
    if kind == BillingKind::Splynx {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/billing.md");
        let page = std::fs::read_to_string(page).unwrap();
        for start in [
            "BILLING  ",
            "Splynx  ",
            "    splynx: {url: ",
            "  export GAMOPS_CRED_SPLYNX_USERNAME=",
        ] {
            let line = said.text.lines().find(|line| line.starts_with(start)).unwrap();
            let line = line.replace(&said.url, "http://127.0.0.1:18001");
            assert!(page.contains(&line), "docs/billing.md does not have\n{line}");
        }
    }
    let accounts = tried.order(&[kind.key(), "accounts"]).expect(0);
    let _ = accounts.says("1001").says("5002 home-100").says("00:0e:d8:2b:00:03");
    let daemon = tried.follow(kind, &said);
    tried.until("c-1001-5001", 101, "Elm House");
    let swept = || {
        let status = Ran::from(tried.command(&["status", "--format", "json"]).output().unwrap()).stdout;
        let status: serde_json::Value = serde_json::from_str(&status).unwrap_or_default();
        !status["billing"][kind.key()]["swept"].is_null()
    };
    wait_until("everything was looked at", swept);

    let _ = tried.order(&[kind.key(), "suspend", "1001"]).expect(0);
    tried.until("c-1001-5001", 3900, "c-1001-5001 suspended");
    let _ = tried.order(&[kind.key(), "restore", "1001"]).expect(0);
    tried.until("c-1001-5001", 101, "c-1001-5001 restored");
    // The way that the real system has as well.
    puts(&said);
    tried.until("c-1002-5002", 3900, "c-1002-5002 suspended");

    // A book that comes back empty is not believed.
    let _ = tried.order(&[kind.key(), "fault", "empty-book"]).expect(0);
    let mut status = tried.command(&["billing", "status", "--settings", "daemon.yaml"]);
    status.envs(said.environment.iter().cloned());
    let _ = Ran::from(status.output().unwrap())
        .expect(4)
        .says("tells of no service at all");
    let _ = tried.order(&[kind.key(), "clear-faults"]).expect(0);
    let again = Ran::from(status.output().unwrap()).expect(0);
    assert!(!again.stdout.contains("no service at all"), "{}", again.stdout);
    drop(daemon);
}

/// Sends a request, and takes nothing but a good answer.
fn send(request: Request) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let reply = runtime.block_on(async { Http::new(None).unwrap().send(request).await.unwrap() });
    assert!((200..300).contains(&reply.status()), "{}", reply.status());
}

fn request(method: Method, url: String, body: &str) -> Request {
    Request {
        method,
        url,
        called: None,
        headers: Vec::new(),
        token: None,
        basic: None,
        body: body.as_bytes().to_vec(),
    }
}

#[test]
fn splynx_beside_the_devices_changes_them_through_the_daemon() {
    try_it(BillingKind::Splynx, |said| {
        let secret = |name: &str| {
            let all = &said.environment;
            all.iter().find(|(known, _)| known.ends_with(name)).unwrap().1.clone()
        };
        let url = format!("{}/api/2.0/admin/customers/customer/1002", said.url);
        send(Request {
            basic: Some((secret("_USERNAME"), Secret::new(secret("SPLYNX_PASSWORD")))),
            ..request(Method::Put, url, r#"{"status": "blocked"}"#)
        });
    });
}

#[test]
fn sonar_beside_the_devices_changes_them_through_the_daemon() {
    try_it(BillingKind::Sonar, |said| {
        let query = r#"{"query": "mutation { updateAccount(id: 1002, input: {account_status_id: 5}) { id } }"}"#;
        let token = format!("Bearer {}", said.environment[0].1);
        send(Request {
            token: Some(("authorization", Secret::new(token))),
            ..request(Method::Post, format!("{}/api/graphql", said.url), query)
        });
    });
}

#[test]
fn the_settings_of_the_example_are_valid_as_they_are() {
    let home = tempfile::tempdir().unwrap();
    let mut check = program(home.path());
    check.current_dir(env!("CARGO_MANIFEST_DIR"));
    check.args(["settings", "check", "inventory-billing/daemon.yaml"]);
    let _ = Ran::from(check.output().unwrap())
        .expect(0)
        .says("Asks Splynx at http://127.0.0.1:18001");
}

#[test]
fn what_cannot_be_simulated_is_said_with_its_place() {
    let tried = Tried::new(BillingKind::Splynx);
    let simulate = |more: &[&str]| {
        let arguments = [&["simulate", "--blank", "--billing", "splynx=127.0.0.1:0"], more].concat();
        Ran::from(tried.command(&arguments).output().unwrap())
    };
    std::fs::write(
        tried.network().join("seed.yaml"),
        "offers: {}\ncustomers:\n  1001: {nam: Ada}\n",
    )
    .unwrap();
    let _ = simulate(&["--billing-seed", "seed.yaml"])
        .expect(1)
        .says("seed.yaml:3:10: ")
        .says("unknown field `nam`");
    let _ = simulate(&["--billing", "splynx"]).expect(1).says("names splynx twice");
    let _ = simulate(&["--billing-webhook", "https://noc1"])
        .expect(64)
        .says("http://127.0.0.1:9105");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = format!("sonar={}", listener.local_addr().unwrap());
    let _ = simulate(&["--billing", &taken])
        .expect(1)
        .says("for a simulated Sonar; `--billing sonar=127.0.0.1:PORT` takes another");
}
