//! Billing from end to end: a billing system over HTTP, its hooks, the daemon, a repository, and simulated devices.
//!
//! What must never happen (docs/billing.md), and the tests that show that nothing is lost by it, each with Splynx and with Sonar where both
//! can do it:
//!
//! | rule | test |
//! |---|---|
//! | what is not told changes nothing | `rules::who_is_not_told_of_stays_as_it_is` |
//! | what is over rests, and leaves after its grace, by the account's own word | `rules::what_is_over_rests_first_…`, `door::an_account_of_…_ends` |
//! | who comes back meanwhile is not removed | `rules::who_comes_back_meanwhile_is_not_removed` |
//! | a removal is proposed unless `ways` says otherwise | `rules::a_removal_is_proposed_…` |
//! | an outage, an empty or short list, half a text, a web page, an error beside data | `rules::an_outage_and_nonsense_…` |
//! | a book without anybody, or that lacks too many | `rules::a_book_…` |
//! | a status that is not known; a field that is missing or of another kind | `rules::what_is_not_understood_…`, `rules::a_field_that_is_missing_…` |
//! | limits, for a run and for a day; `--allow` lets its number through and no more | `rules::above_a_limit_…`, `rules::a_limit_counts_…` |
//! | a mass change of status | `rules::when_too_many_turn_at_once_…` |
//! | a clock that jumped, ours or theirs, either way | `rules::while_it_is_not_sure_what_time_it_is_…` |
//! | `hold`, `protect` | `rules::who_is_held_or_protected_…` |
//! | what a person wrote since | `rules::what_a_person_wrote_since_…` |
//! | an inventory that is not valid: what was told waits | `rules::nothing_is_written_to_…`, `door::what_is_told_while_…` |
//! | a push that loses a race: on the new tip, bounded, never forced | `races::whoever_…`, `races::a_person_who_writes_all_the_time_…` |
//! | two who write at once; the same twice | `races::two_who_sync_at_once_…`, `door::whoever_syncs_beside_the_daemon_…`, `feeds` |
//! | webhooks that are forged, malformed, late, or come twice | `door::what_is_forged_…`, `door::whoever_does_not_know_the_path_…`, `door::what_is_told_again_…` |
//! | a kill between a webhook's 200 and the commit | `door::what_…_told_before_a_kill_is_done_after_it` |

mod answers;
mod door;
mod feeds;
mod office;
mod races;
mod rules;
mod system;
mod told;

use gamops::domain::{BillingKind, MacAddr, PortNumber};
use gamops::sim::billing::{Seed, SeedCustomer, SeedOffer, SeedService};
use gamops::sim::sonar::{Sonar, TOKEN};
use gamops::sim::splynx::{SECRET, Splynx, Target};
use serde_json::Value;

use system::System;

use crate::daemon::{Daemon, Service};
use crate::fleet::{SERVICES, TWO, UNGUARDED};

/// What webhooks are signed with, or called by.
const HOOK: &str = "canary-billing-hook";

/// An ISP whose billing system changes its network.
struct Isp {
    service: Service,
    system: System,
    kind: BillingKind,
}

fn offer((id, name, kbps): (u64, &str, u64)) -> SeedOffer {
    SeedOffer {
        id,
        name: name.to_owned(),
        down_kbps: kbps,
        up_kbps: kbps,
    }
}

/// The customer of this number, from 1, with a service on an offer and the equipment of subscriber `s-NUMBER`.
fn customer(number: u64, offer: u64) -> SeedCustomer {
    SeedCustomer {
        id: 1000 + number,
        name: format!("Customer {number}"),
        street: format!("{number} Elm Street"),
        city: "Springfield".to_owned(),
        zip: "01101".to_owned(),
        fields: Vec::new(),
        services: vec![SeedService {
            id: 5000 + number,
            offer,
            mac: Some(format!("000ED80000{number:02X}")),
        }],
    }
}

/// Subscribers `s-1` to `s-5`, all of them tied to a service of a customer.
fn services(kind: BillingKind) -> String {
    let tied = SERVICES.lines().map(|line| {
        let number = line
            .trim_start()
            .strip_prefix("s-")
            .and_then(|rest| rest.split(':').next());
        match number {
            Some(number) => line.replace(
                " }",
                &format!(", external: {{ {}: \"100{number}/500{number}\" }} }}\n", kind.key()),
            ),
            None => format!("{line}\n"),
        }
    });
    tied.collect()
}

impl Isp {
    /// Five customers that agree with the inventory; the daemon is not started.
    fn new(kind: BillingKind, mapping: &str) -> Self {
        let service = Service::new("");
        let seed = Seed {
            offers: [
                (1, "Fiber 100", 100_000),
                (2, "Fiber 500", 500_000),
                (3, "All", 1_000_000),
            ]
            .map(offer)
            .into(),
            customers: [(1, 2), (2, 1), (3, 3), (4, 2), (5, 2)]
                .map(|(number, offer)| customer(number, offer))
                .into(),
        };
        let system = service.fleet.block_on(System::start(kind, &seed));
        let url = system.url();
        service.settings(&format!(
            "billing: {{ {}: {{ url: \"{url}\", credentials: billing, poll: 1h, webhook: {{ credentials: billing-hook }} }} }}\n",
            kind.key()
        ));
        let root = format!(
            "{UNGUARDED}sites: {{ plum: {{ vlans: {{ access: [300-310] }} }} }}\nbilling:\n  {}:\n    \
             plans: {{ 1: silver, Fiber 500: gold, 3: unthrottled }}\n    vlans: {{ pool: access }}\n{mapping}",
            kind.key()
        );
        let root = root.replace("policies: {", "policies: { suspension: { vlan: 998 },");
        service.origin.write("gamops.yaml", &root);
        let devices = service.fleet.devices(TWO, "    site: plum\n");
        service.origin.write("devices.yaml", &devices);
        service.origin.write("services.yaml", &services(kind));
        service.origin.push("five customers");
        Self { service, system, kind }
    }

    fn start(&self) -> Daemon<'_> {
        self.start_with(&[])
    }

    /// Starts the daemon, with more in its environment; it has looked at everything, and hears what is done then.
    fn start_with(&self, more: &[(&str, &str)]) -> Daemon<'_> {
        let daemon = self.launch(more);
        daemon.until("the first sweep", |status| !self.billed(status)["swept"].is_null());
        if let System::Splynx(splynx) = &self.system {
            splynx.hook(Target {
                url: self.service.url("billing/splynx"),
                secret: HOOK.to_owned(),
                is_form: false,
            });
        }
        daemon
    }

    /// Starts the daemon, with more in its environment.
    fn launch(&self, more: &[(&str, &str)]) -> Daemon<'_> {
        let (key, secret) = self.system.login();
        let own = [
            ("GAMOPS_CRED_BILLING_USERNAME", key),
            ("GAMOPS_CRED_BILLING_PASSWORD", secret),
            ("GAMOPS_CRED_BILLING_HOOK_PASSWORD", HOOK),
        ];
        self.service.start_with(&[&own, more].concat())
    }

    /// What the status says of the system.
    fn billed<'v>(&self, status: &'v Value) -> &'v Value {
        &status["billing"][self.kind.key()]
    }

    /// Somebody does something in the system, which knocks at the daemon's door.
    fn does(&self, on_splynx: impl FnOnce(&Splynx), on_sonar: impl FnOnce(&Sonar)) {
        match &self.system {
            // Its hooks are sent by themselves.
            System::Splynx(splynx) => on_splynx(splynx),
            System::Sonar(sonar) => {
                on_sonar(sonar);
                let url = self.service.url(&format!("billing/sonar/{HOOK}"));
                let said = self.service.fleet.block_on(sonar.tell(&url)).unwrap();
                assert!(!said.is_empty() && said.iter().all(|status| *status == 200), "{said:?}");
            }
        }
    }

    fn git(&self, arguments: &[&str]) -> String {
        let bare = self.service.origin.bare();
        self.service
            .origin
            .git(&[&["--git-dir", &bare.to_string_lossy()], arguments].concat())
    }

    /// What the branch says of subscribers now.
    fn written(&self) -> String {
        self.git(&["show", "main:services.yaml"])
    }

    /// Waits until the branch has so many commits and all devices are in sync with the last.
    #[track_caller]
    fn until_in_force(&self, daemon: &Daemon<'_>, commits: usize) {
        daemon.until(&format!("commit {commits}, in force"), |status| {
            let count: usize = self.git(&["rev-list", "--count", "main"]).trim().parse().unwrap();
            assert!(
                count <= commits,
                "{}\n{}",
                self.git(&["log", "main"]),
                self.service.log()
            );
            let tip = self.git(&["rev-parse", "main"]);
            count == commits
                && ["maple", "harbour"].iter().all(|key| {
                    let device = &status["devices"][key];
                    device["state"] == "in-sync" && device["commit"] == tip[..12]
                })
        });
    }

    /// The line of a subscriber in what the device has saved.
    fn saved(&self, device: &str, name: &str) -> String {
        let config = self.service.fleet.device(device).startup_config().unwrap_or_default();
        let mut lines = config.lines().filter(|line| line.contains("ghn subscriber"));
        lines
            .find(|line| line.contains(&format!("name \"{name}\"")))
            .unwrap_or_default()
            .to_owned()
    }
}

/// The life of an account, through either system.
fn lives(kind: BillingKind) {
    let isp = Isp::new(kind, "");
    let daemon = isp.start();
    isp.until_in_force(&daemon, 1);
    assert!(
        isp.saved("maple", "s-1").contains("vid 101 "),
        "{}",
        isp.saved("maple", "s-1")
    );

    // It does not pay.
    isp.does(|splynx| splynx.customer(1001).block(), |sonar| sonar.suspend(1001));
    isp.until_in_force(&daemon, 2);
    assert!(
        isp.saved("maple", "s-1").contains("vid 998 "),
        "{}",
        isp.saved("maple", "s-1")
    );
    let message = isp.git(&["log", "-1", "--format=%B", "main"]);
    assert!(message.starts_with(&format!("{}: s-1 ", kind.key())), "{message}");
    for trailer in [
        format!("Billing-System: {}", kind.key()),
        "Billing-Account: 1001/5001".to_owned(),
        "Billing-Change: suspend s-1 state=suspended".to_owned(),
        "Billing-Event: webhook".to_owned(),
    ] {
        assert!(message.lines().any(|line| line == trailer), "{trailer}\n{message}");
    }
    let changed = isp.git(&["show", "--numstat", "--format=", "main"]);
    assert_eq!(changed.trim(), "1\t1\tservices.yaml", "no other line was touched");

    // It pays.
    isp.does(|splynx| splynx.customer(1001).pay(), |sonar| sonar.activate(1001));
    isp.until_in_force(&daemon, 3);
    assert!(
        isp.saved("maple", "s-1").contains("vid 101 "),
        "{}",
        isp.saved("maple", "s-1")
    );

    // A new customer, whose endpoint is not plugged in yet; then it is.
    let newcomer = customer(6, 1);
    isp.does(|splynx| splynx.add(&newcomer), |sonar| sonar.add(&newcomer));
    daemon.until("looked at the newcomer", |_| isp.knows(1006));
    let mac: MacAddr = "00:0e:d8:00:00:06".parse().unwrap();
    let port: PortNumber = 3.try_into().unwrap();
    isp.service.fleet.device("maple").plug(mac, port);
    isp.does(
        |splynx| splynx.customer(1006).status("active"),
        |sonar| sonar.put_status(1006, 1),
    );
    isp.until_in_force(&daemon, 4);
    let written = isp.written();
    assert!(written.contains("s-5006:"), "{written}");
    let line = isp.saved("maple", "s-5006");
    assert!(line.contains("vid 300 "), "{line}");

    // Another plan, which is another service to billing: one edit of the same subscriber.
    isp.does(
        |splynx| assert!(splynx.service(5004).change_plan(1).is_some()),
        |sonar| assert_ne!(sonar.replace_service(5004, 1), 5004),
    );
    isp.until_in_force(&daemon, 5);
    let message = isp.git(&["log", "-1", "--format=%B", "main"]);
    assert!(message.contains("Billing-Change: plan s-4 plan=silver"), "{message}");
    assert!(
        isp.written().contains("s-4:") && !isp.written().contains("1004/5004\""),
        "{}",
        isp.written()
    );

    // Nothing that nobody asked for, and no secret anywhere.
    let log = isp.service.log();
    for secret in [SECRET, TOKEN, HOOK] {
        assert!(!log.contains(secret));
    }
}

impl Isp {
    /// Whether the system was asked for an account.
    fn knows(&self, account: u64) -> bool {
        let requests = self.system.requests();
        requests.iter().any(|request| request.contains(&account.to_string()))
    }
}

#[test]
fn an_account_of_splynx_lives() {
    lives(BillingKind::Splynx);
}

#[test]
fn an_account_of_sonar_lives() {
    lives(BillingKind::Sonar);
}
