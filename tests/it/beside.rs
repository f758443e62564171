//! `gamops apply` while a daemon looks after the inventory.

use crate::daemon::{Daemon, Service, short};
use crate::fleet::{Ran, SERVICES};

/// Runs it in the repository's work tree.
fn apply(service: &Service, more: &[&str]) -> Ran {
    let work = service.origin.work();
    let mut arguments = vec!["apply", "--auto-approve", "-i", work.to_str().unwrap()];
    arguments.extend(more);
    service.run(&arguments)
}

fn is_reported_drift(daemon: &Daemon<'_>) {
    daemon.until("drifted", |status| status["devices"]["maple"]["state"] == "drifted");
}

#[test]
fn an_apply_goes_through_the_daemon_and_only_what_is_merged_does() {
    let service = Service::new("drift: { every: 1s, then: report }");
    let first = short(&service.origin.push("one"));
    let daemon = service.start();
    daemon.until_applied(&first);

    // What somebody changed on the device is only reported, until somebody orders it to be set right.
    service.fleet.device("maple").execute("ghn subscriber 1 vid 3999");
    is_reported_drift(&daemon);
    let ran = apply(&service, &[]).expect(0);
    let _ = ran
        .says("gamops-daemon@")
        .says("applies it.")
        .says("maple  in sync")
        .says("verified, saved");
    assert!(service.holds(101));
    let _ = service.fleet.run(&["history"]).expect(0).says(" by gamops-daemon@");

    // Not committed: refused, and nothing is sent.
    service.fleet.device("maple").execute("ghn subscriber 1 vid 3998");
    is_reported_drift(&daemon);
    service
        .origin
        .write("services.yaml", &SERVICES.replace("vlan: 104", "vlan: 114"));
    let _ = apply(&service, &[])
        .expect(4)
        .says("are changed and not committed")
        .says("--takeover");
    // Committed on another branch, then on this one and not pushed.
    service.origin.git(&["checkout", "--quiet", "-b", "other"]);
    service
        .origin
        .git(&["commit", "--quiet", "--all", "--message", "not merged"]);
    let _ = apply(&service, &[]).expect(4).says("the work tree is on branch other");
    service.origin.git(&["checkout", "--quiet", "main"]);
    service.origin.git(&["merge", "--quiet", "other"]);
    let _ = apply(&service, &[])
        .expect(4)
        .says("is not what the daemon follows, which is at")
        .says("Nothing was sent to any device.");
    let _ = apply(&service, &["--confirm-within", "1m"])
        .expect(4)
        .says("the daemon cannot be told `--confirm-within`");
    assert!(service.fleet.device("maple").running_config().contains("vid 3998"));
    assert!(!service.fleet.device("harbour").running_config().contains("vid 114"));

    // Pushed, it goes, both what was merged and what had drifted.
    service.origin.push("merged");
    let _ = apply(&service, &[]).expect(0).says("maple  in sync");
    assert!(service.holds(101) && service.fleet.device("harbour").running_config().contains("vid 114"));

    // Without a daemon it is an apply like any other.
    assert_eq!(daemon.signal("TERM"), Some(0));
    service
        .origin
        .write("services.yaml", &SERVICES.replace("vlan: 104", "vlan: 124"));
    let _ = apply(&service, &[]).expect(0).says("Apply complete!");
}

#[test]
fn what_is_taken_over_the_daemon_leaves_alone_until_it_is_given_back() {
    let service = Service::new("drift: { every: 1s, then: revert }");
    let first = short(&service.origin.push("one"));
    let daemon = service.start();
    daemon.until_applied(&first);
    service
        .origin
        .write("services.yaml", &SERVICES.replace("vlan: 101", "vlan: 131"));
    let _ = apply(&service, &["--takeover=30m"])
        .expect(0)
        .says("leaves maple alone until")
        .says("Apply complete!");
    let is_paused = |status: &serde_json::Value| {
        let maple = &status["devices"]["maple"];
        maple["state"] == "paused"
            && maple["reason"]
                .as_str()
                .is_some_and(|why| why.contains("taken over with"))
    };
    daemon.until("paused for the daemon", is_paused);
    // For people it is not: they go on, and each time it is theirs anew.
    service
        .origin
        .write("services.yaml", &SERVICES.replace("vlan: 101", "vlan: 132"));
    let _ = apply(&service, &["--takeover"]).expect(0).says("Apply complete!");
    let work = service.origin.work();
    let inventory = work.to_str().unwrap();
    let _ = service
        .run(&["pause", "-i", inventory])
        .expect(0)
        .says("taken over with");
    let rounds = daemon.until("paused", is_paused)["rounds"]["in-sync"].as_u64();
    daemon.until("another round", |status| {
        is_paused(status) && status["rounds"]["in-sync"].as_u64() > rounds
    });
    assert!(service.holds(132), "the daemon took it back");

    let _ = service.run(&["resume", "-i", inventory, "maple"]).expect(0);
    daemon.until("taken back", |_| service.holds(101));
}
