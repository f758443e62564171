//! An ISP whose billing system writes to its repository, without a daemon and without devices.

use std::process::{Child, Command, Stdio};

use gamops::domain::BillingKind;
use gamops::sim::billing::{Seed, SeedCustomer};
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::system::System;
use crate::fleet::{Ran, program};
use crate::support::git_server::Origin;

/// So many subscribers, `h-1001` and on, each tied to a service of a customer, 1001/5001 and on, that agrees.
pub(super) struct Office {
    pub(super) kind: BillingKind,
    pub(super) system: System,
    pub(super) origin: Origin,
    folder: TempDir,
    // Last: what is above may live on it.
    runtime: Runtime,
}

/// The line of a subscriber in `services.yaml`, by the number of its customer, from 0. Some have a person's remark.
pub(super) fn line(kind: BillingKind, number: u64) -> String {
    let customer = SeedCustomer::number(number);
    let service = &customer.services[0];
    let plan = ["silver", "gold", "unthrottled"][usize::try_from(service.offer - 1).unwrap()];
    let mac = service.mac.as_ref().unwrap().to_lowercase();
    let remark = if number.is_multiple_of(3) {
        " # dog: call first"
    } else {
        ""
    };
    format!(
        "  h-{account}: {{ device: house, endpoint: \"{mac}\", port: {port}, plan: {plan}, vlan: {vlan}, \
         external: {{ {}: \"{account}/{}\" }} }}{remark}\n",
        kind.key(),
        service.id,
        account = customer.id,
        port = 1 + number,
        vlan = 100 + number,
    )
}

/// The files of the inventory; `mapping` is added to what it says of the system, indented by four.
pub(super) fn files(kind: BillingKind, customers: u64, mapping: &str) -> [(&'static str, String); 2] {
    let root = format!(
        "format: 1\ninventory: isp\ndefaults: {{ credentials: factory, mode: manage }}\n\
         policies: {{ suspension: {{ vlan: 998 }} }}\nsites: {{ plum: {{ vlans: {{ access: [300-310] }} }} }}\n\
         devices: {{ house: {{ model: GAM-24-M, address: 192.0.2.1, site: plum }} }}\n\
         plans: {{ silver: {{ rate: 100 Mbps }}, gold: {{ rate: 300 Mbps }} }}\n\
         billing:\n  {}:\n    plans: {{ 1: silver, Fiber 300: gold, 3: unthrottled }}\n    vlans: {{ pool: access }}\n{mapping}",
        kind.key()
    );
    let lines = (0..customers).map(|number| line(kind, number));
    [
        ("gamops.yaml", root),
        ("services.yaml", format!("subscribers:\n{}", lines.collect::<String>())),
    ]
}

impl Office {
    pub(super) fn new(kind: BillingKind, customers: u64, mapping: &str) -> Self {
        let runtime = Runtime::new().unwrap();
        let system = runtime.block_on(System::start(kind, &Seed::many(customers)));
        let origin = Origin::new();
        for (name, text) in files(kind, customers, mapping) {
            origin.write(name, &text);
        }
        origin.push("as billing has it");
        let office = Self {
            kind,
            system,
            origin,
            folder: tempfile::tempdir().unwrap(),
            runtime,
        };
        office.settings(&office.origin.bare().to_string_lossy());
        office
    }

    /// Reaches the repository at this address from now on.
    pub(super) fn settings(&self, repository: &str) {
        let text = format!(
            "repository: {{ address: \"{repository}\" }}\nstate: state.db\nmirror: mirror.git\n\
             billing: {{ {}: {{ url: \"{}\", credentials: billing, within: 2s }} }}\n",
            self.kind.key(),
            self.system.url()
        );
        std::fs::write(self.folder.path().join("daemon.yaml"), text).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let (user, password) = self.system.login();
        let mut command = program(self.folder.path());
        command
            .args(["billing", arguments[0], "--settings", "daemon.yaml"])
            .args(&arguments[1..])
            .env("GAMOPS_CRED_BILLING_USERNAME", user)
            .env("GAMOPS_CRED_BILLING_PASSWORD", password);
        command
    }

    /// `gamops billing …`.
    pub(super) fn run(&self, arguments: &[&str]) -> Ran {
        self.command(arguments).output().unwrap().into()
    }

    /// `gamops billing sync …`.
    pub(super) fn sync(&self, more: &[&str]) -> Ran {
        self.run(&[&["sync"], more].concat())
    }

    /// The same, not waited for.
    pub(super) fn begin_sync(&self) -> Child {
        let mut command = self.command(&["sync"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Where the state database is.
    pub(super) fn state(&self) -> std::path::PathBuf {
        self.folder.path().join("state.db")
    }

    pub(super) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    pub(super) fn git(&self, arguments: &[&str]) -> String {
        let bare = self.origin.bare();
        self.origin
            .git(&[&["--git-dir", &bare.to_string_lossy()], arguments].concat())
    }

    /// How many commits the branch has.
    pub(super) fn commits(&self) -> usize {
        self.git(&["rev-list", "--count", "main"]).parse().unwrap()
    }

    /// What the branch says of subscribers, with a line end at its end.
    pub(super) fn written(&self) -> String {
        self.git(&["show", "main:services.yaml"]) + "\n"
    }

    /// The line of an account's subscriber; empty where there is none.
    pub(super) fn line(&self, account: u64) -> String {
        let written = self.written();
        let line = written
            .lines()
            .find(|line| line.starts_with(&format!("  h-{account}:")));
        line.unwrap_or_default().to_owned()
    }

    /// The accounts whose subscribers rest.
    pub(super) fn suspended(&self) -> Vec<u64> {
        let written = self.written();
        let lines = written.lines().filter(|line| line.contains("state: suspended"));
        lines
            .filter_map(|line| line.trim().strip_prefix("h-")?.split(':').next()?.parse().ok())
            .collect()
    }

    /// A person writes to a subscriber's line, and pushes.
    pub(super) fn person_writes(&self, account: u64, from: &str, to: &str) {
        self.push(account, from, to, "by hand", 0);
    }

    /// The clerk wrote to a subscriber's line so many hours ago: that is in the history of the branch as it would be. `change` is what its
    /// trailer says behind the key.
    pub(super) fn clerk_wrote(&self, account: u64, from: &str, to: &str, (kind, sets): (&str, &str), hours_ago: i64) {
        let system = self.kind.key();
        let message = format!(
            "{system}: h-{account} written\n\nBilling-System: {system}\nBilling-Change: {kind} h-{account} {sets}\nSync-Run: earlier"
        );
        self.push(account, from, to, &message, hours_ago);
    }

    /// A service was over so many days ago, and its subscriber was marked then.
    pub(super) fn marked(&self, account: u64, days_ago: i64) {
        let day = (Timestamp::now() - SignedDuration::from_hours(24 * days_ago)).strftime("%Y-%m-%d");
        let to = format!(" vlan: {}, state: suspended, ended: {day},", account - 901);
        let from = format!(" vlan: {},", account - 901);
        let sets = format!("state=suspended ended={day}");
        self.clerk_wrote(account, &from, &to, ("suspend", &sets), 24 * days_ago);
    }

    fn push(&self, account: u64, from: &str, to: &str, message: &str, hours_ago: i64) {
        self.origin.catch_up();
        let line = self.line(account);
        assert!(line.contains(from), "no `{from}` in {line}");
        let text = self.written().replace(&line, &line.replacen(from, to, 1));
        self.origin.write("services.yaml", &text);
        let at = Timestamp::now() - SignedDuration::from_hours(hours_ago);
        self.origin.push_as_of(at, message);
    }

    /// Does something, after which the branch is as it was.
    #[track_caller]
    pub(super) fn changes_nothing<T>(&self, act: impl FnOnce(&Self) -> T) -> T {
        let before = self.git(&["rev-parse", "main"]);
        let done = act(self);
        let since = self.git(&["log", "--patch", &format!("{before}..main")]);
        assert_eq!(since, "");
        assert_eq!(self.git(&["rev-parse", "main"]), before);
        done
    }

    /// Does something that makes so many commits, in which no line but those of these accounts differ, and no other file.
    #[track_caller]
    pub(super) fn changes_only<T>(&self, accounts: &[u64], commits: usize, act: impl FnOnce(&Self) -> T) -> T {
        let (before, count, tip) = (self.written(), self.commits(), self.git(&["rev-parse", "main"]));
        let done = act(self);
        let log = self.git(&["log", "--patch", &format!("{tip}..main")]);
        assert_eq!(self.commits(), count + commits, "{log}");
        let files = self.git(&["diff", "--name-only", &tip, "main"]);
        assert!(files.is_empty() || files == "services.yaml", "{files}");
        let others = |text: &str| -> Vec<String> {
            let is_of = |line: &str| {
                accounts
                    .iter()
                    .any(|account| line.starts_with(&format!("  h-{account}:")))
            };
            text.lines().filter(|line| !is_of(line)).map(str::to_owned).collect()
        };
        let after = self.written();
        assert_eq!(others(&after), others(&before));
        for account in accounts {
            let start = format!("  h-{account}:");
            let of = |text: &str| text.lines().find(|line| line.starts_with(&start)).map(str::to_owned);
            assert_ne!(of(&after), of(&before), "h-{account} was to change\n{log}");
        }
        done
    }
}
