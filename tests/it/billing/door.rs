//! What is told to the daemon by webhook: nothing of it is lost, and nothing of it is believed.

use gamops::sim::sonar::Sonar;
use gamops::sim::splynx::{Call, Table, Target};
use gamops::store::{BillingEvent, Store};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::*;

impl Isp {
    /// What is on record of what was told.
    fn told(&self) -> Vec<BillingEvent> {
        let store = Store::open(&self.service.fleet.state()).unwrap();
        let events = store.billing_events("test", self.kind.key());
        self.service.fleet.block_on(events).unwrap()
    }

    fn commits(&self) -> usize {
        self.git(&["rev-list", "--count", "main"]).trim().parse().unwrap()
    }

    /// The address of the door, and what a hook of Splynx is signed with.
    fn target(&self) -> Target {
        Target {
            url: self.service.url("billing/splynx"),
            secret: HOOK.to_owned(),
            is_form: false,
        }
    }

    /// What was asked since so many requests, but for logins: one line each.
    fn asked_since(&self, before: usize) -> Vec<String> {
        let asked = self.system.requests().split_off(before);
        asked
            .into_iter()
            .filter(|request| !request.contains("auth/tokens"))
            .collect()
    }

    /// A person's commit, made from what the branch says now.
    fn pushes(&self, from: &str, to: &str, message: &str, hours_ago: i64) {
        let origin = &self.service.origin;
        origin.catch_up();
        let written = self.written() + "\n";
        assert!(written.contains(from), "no `{from}` in {written}");
        origin.write("services.yaml", &written.replacen(from, to, 1));
        origin.push_as_of(Timestamp::now() - SignedDuration::from_hours(hours_ago), message);
    }

    /// `gamops billing sync`, beside whatever else runs.
    fn command(&self, arguments: &[&str]) -> std::process::Command {
        let (user, password) = self.system.login();
        let path = self.service.path();
        let path = path.to_string_lossy();
        let mut command = self
            .service
            .fleet
            .command(&[&["billing"], arguments, &["--settings", &path]].concat());
        command
            .env("GAMOPS_CRED_BILLING_USERNAME", user)
            .env("GAMOPS_CRED_BILLING_PASSWORD", password);
        command
    }
}

/// The first customer of those that others speak of does not pay, and tells so by the door.
fn first_is_suspended(isp: &Isp) {
    isp.does(|splynx| splynx.customer(1001).block(), |sonar| sonar.suspend(1001));
}

#[test]
fn what_is_forged_or_malformed_is_turned_away_and_nothing_is_asked_for_it() {
    let isp = Isp::new(BillingKind::Splynx, "");
    let daemon = isp.start();
    isp.until_in_force(&daemon, 1);
    let target = isp.target();
    let said = |customer: u64| json!({ "type": "event", "data": { "model": "Customers", "action": "delete", "customer_id": customer } });
    let wrong = |secret: &str| Target {
        secret: secret.to_owned(),
        ..target.clone()
    };
    let genuine = Call::of(&target, &said(1002));
    let bent = |bend: fn(&str) -> String| {
        let mut call = genuine.clone();
        call.headers[1].1 = bend(&call.headers[1].1);
        call
    };
    let other_body = |body: &str| Call {
        body: body.as_bytes().to_vec(),
        ..genuine.clone()
    };
    let before = isp.system.requests().len();
    let forged = [
        Call::of(&wrong("canary-other"), &said(1002)),
        Call::of(&wrong(""), &said(1002)),
        bent(|_| String::new()),
        bent(|signature| signature.to_uppercase()),
        bent(|signature| format!("sha1={signature}")),
        bent(|signature| signature[..20].to_owned()),
        other_body(&said(1003).to_string()),
        other_body(""),
        other_body("{\"type\":\"event\",\"data\":"),
        // Signed, and still nothing that Splynx sends.
        Call::of(&target, &json!({ "type": "audit" })),
        Call::of(&target, &json!([])),
        Call {
            headers: genuine.headers[..1].to_vec(),
            ..genuine.clone()
        },
    ];
    for call in forged {
        let status = isp.service.fleet.block_on(call.send(&target)).unwrap();
        assert_eq!(status, 403, "{call:?}");
    }
    assert_eq!(
        isp.service.fleet.block_on(Call::ping(&target).send(&target)).unwrap(),
        200
    );
    assert!(isp.told().is_empty());
    // The next that is heard is the first that anybody is asked for.
    first_is_suspended(&isp);
    isp.until_in_force(&daemon, 2);
    for request in isp.asked_since(before) {
        let is_of_another = ["1002", "1003", "customer/0/"]
            .iter()
            .any(|part| request.contains(part));
        assert!(!is_of_another, "{request}");
    }
    let log = isp.service.log();
    assert!(
        log.contains("a webhook of Splynx was not taken") && !log.contains("canary"),
        "{log}"
    );
}

#[test]
fn whoever_does_not_know_the_path_is_nobody_and_what_is_said_there_is_not_believed() {
    let isp = Isp::new(BillingKind::Sonar, "");
    let daemon = isp.start();
    isp.until_in_force(&daemon, 1);
    let knock = |path: &str, body: &str| {
        let url = isp.service.url(&format!("billing/sonar{path}"));
        let knocked = Sonar::forge(&url, body, "127.0.0.2".parse().unwrap());
        isp.service.fleet.block_on(knocked).unwrap()
    };
    let gone = json!({ "event": "account.deleted", "object_id": 1002, "current": null }).to_string();
    let before = isp.system.requests().len();
    for path in [
        "",
        "/",
        "/guess",
        &format!("/{}", &HOOK[..HOOK.len() - 1]),
        &format!("/{HOOK}x"),
    ] {
        assert_eq!(knock(path, &gone), 404, "{path}");
    }
    let path = format!("/{HOOK}");
    for body in ["<html>", "{\"event\":", "[]"] {
        assert_eq!(knock(&path, body), 403, "{body}");
    }
    assert!(isp.told().is_empty());
    assert_eq!(isp.asked_since(before), [""; 0]);
    // Somebody who knows the path says that one has left, and another owes: both are asked for, and are as they were.
    let owes =
        json!({ "event": "account.status", "object_id": 1003, "current": { "id": 1003, "account_status_id": 5 } });
    assert_eq!((knock(&path, &gone), knock(&path, &owes.to_string())), (200, 200));
    first_is_suspended(&isp);
    isp.until_in_force(&daemon, 2);
    daemon.until("all was looked at", |_| isp.told().is_empty());
    assert_eq!(isp.commits(), 2);
    assert!(!isp.service.log().contains("canary"));
}

#[test]
fn what_is_told_again_or_late_makes_no_second_commit() {
    let isp = Isp::new(BillingKind::Splynx, "");
    let daemon = isp.start();
    isp.until_in_force(&daemon, 1);
    let target = isp.target();
    let event = |status: &str| {
        let row = json!({ "id": "1001", "status": status });
        let data = json!({ "model": "Customers", "action": "edit", "customer_id": "1001", "attributes": row, "changed_attributes": row });
        Call::of(&target, &json!({ "type": "event", "data": data }))
    };
    first_is_suspended(&isp);
    isp.until_in_force(&daemon, 2);
    // The same once more, one that is older and comes late, one of somebody who is not there.
    for call in [event("blocked"), event("active"), event("blocked")] {
        assert_eq!(isp.service.fleet.block_on(call.send(&target)).unwrap(), 200);
        daemon.until("looked at again", |_| isp.told().is_empty());
    }
    isp.does(|splynx| splynx.customer(1003).block(), |_| {});
    isp.until_in_force(&daemon, 3);
    let log = isp.git(&["log", "--format=%s", "main"]);
    assert_eq!(log.matches("splynx: s-1 ").count(), 1, "{log}");
}

/// Something was told and answered, and the daemon is killed before anything was made of it.
fn outlives_a_kill(kind: BillingKind) {
    let isp = Isp::new(kind, "");
    let daemon = isp.start();
    isp.until_in_force(&daemon, 1);
    isp.system.hangs();
    let before = isp.system.requests().len();
    first_is_suspended(&isp);
    daemon.until("it is on record, and the system was asked", |_| {
        !isp.told().is_empty() && isp.system.requests().len() > before
    });
    assert_eq!(daemon.signal("KILL"), None);
    let told: Vec<String> = isp.told().into_iter().map(|event| event.scope).collect();
    assert_eq!((told, isp.commits()), (vec!["1001".to_owned()], 1));
    isp.system.mend();
    let daemon = isp.start();
    isp.until_in_force(&daemon, 2);
    assert!(isp.saved("maple", "s-1").contains("vid 998 "));
    daemon.until("it is struck off", |_| isp.told().is_empty());
    assert_eq!(isp.commits(), 2);
}

#[test]
fn what_splynx_told_before_a_kill_is_done_after_it() {
    outlives_a_kill(BillingKind::Splynx);
}

#[test]
fn what_sonar_told_before_a_kill_is_done_after_it() {
    outlives_a_kill(BillingKind::Sonar);
}

#[test]
fn what_is_told_while_the_inventory_is_not_valid_waits_until_it_is() {
    let isp = Isp::new(BillingKind::Sonar, "");
    let daemon = isp.start();
    isp.until_in_force(&daemon, 1);
    isp.pushes("rate: 500 Mbps", "rate: 500 Mbqs", "by hand", 0);
    first_is_suspended(&isp);
    let status = daemon.until("it cannot be written", |status| {
        !isp.billed(status)["unwritten"].is_null()
    });
    let reason = isp.billed(&status)["unwritten"]["reason"].as_str().unwrap();
    assert!(reason.contains("what billing says waits until it is"), "{reason}");
    assert_eq!((isp.told().len(), isp.commits()), (1, 2));
    isp.pushes("rate: 500 Mbqs", "rate: 500 Mbps", "mended", 0);
    isp.until_in_force(&daemon, 4);
    assert!(isp.saved("maple", "s-1").contains("vid 998 "));
    daemon.until("nothing waits", |status| {
        isp.told().is_empty() && isp.billed(status)["unwritten"].is_null()
    });
}

#[test]
fn whoever_syncs_beside_the_daemon_makes_no_second_commit() {
    for kind in BillingKind::ALL {
        let isp = Isp::new(kind, "");
        let daemon = isp.start();
        isp.until_in_force(&daemon, 1);
        let sync = |_| {
            let mut command = isp.command(&["sync"]);
            let quiet = command
                .stdout(std::process::Stdio::null())
                .stderr(std::process::Stdio::piped());
            quiet.spawn().unwrap()
        };
        first_is_suspended(&isp);
        let beside: Vec<_> = (0..2).map(sync).collect();
        for child in beside {
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        isp.until_in_force(&daemon, 2);
        daemon.until("nothing waits", |_| isp.told().is_empty());
        let ran: crate::fleet::Ran = isp.command(&["sync"]).output().unwrap().into();
        let _ = ran.expect(0);
        assert_eq!(isp.commits(), 2, "{}", isp.git(&["log", "main"]));
    }
}

/// The end of an account: it rests, and after the grace period its device has it no more.
fn ends(kind: BillingKind) {
    let isp = Isp::new(kind, "    ways: { remove: push }\n");
    let daemon = isp.start();
    isp.until_in_force(&daemon, 1);
    let ends = || {
        isp.does(
            |splynx| assert!(splynx.set(Table::Services, 5002, &json!({ "status": "disabled" }))),
            |sonar| sonar.archive(1002),
        );
    };
    ends();
    isp.until_in_force(&daemon, 2);
    assert!(
        isp.saved("maple", "s-2").contains("vid 998 "),
        "{}",
        isp.saved("maple", "s-2")
    );
    // As if that had been 20 days ago.
    let today = Timestamp::now().strftime("%Y-%m-%d").to_string();
    let then = (Timestamp::now() - SignedDuration::from_hours(480))
        .strftime("%Y-%m-%d")
        .to_string();
    let trailers = format!(
        "Billing-System: {}\nBilling-Change: suspend s-2 state=suspended ended={then}",
        kind.key()
    );
    isp.pushes(
        &format!("ended: {today}"),
        &format!("ended: {then}"),
        &format!("earlier\n\n{trailers}"),
        480,
    );
    isp.until_in_force(&daemon, 3);
    ends();
    isp.until_in_force(&daemon, 4);
    assert!(!isp.written().contains("s-2:"));
    assert_eq!(isp.saved("maple", "s-2"), "");
    for (device, name) in [
        ("maple", "s-1"),
        ("maple", "s-3"),
        ("harbour", "s-4"),
        ("harbour", "s-5"),
    ] {
        assert_ne!(isp.saved(device, name), "", "{name} has what it had");
    }
}

#[test]
fn an_account_of_splynx_ends() {
    ends(BillingKind::Splynx);
}

#[test]
fn an_account_of_sonar_ends() {
    ends(BillingKind::Sonar);
}
