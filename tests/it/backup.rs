//! Configurations kept as text.

use gamops::sim::Fault;
use serde_json::Value;

use crate::fleet::{Ran, SERVICES, TWO, TestFleet};

fn backup(fleet: &TestFleet, more: &[&str]) -> Ran {
    let folder = fleet.inventory().with_file_name("configs");
    fleet.run(&[&["backup", "--to", folder.to_str().unwrap()], more].concat())
}

fn kept(fleet: &TestFleet, device: &str) -> String {
    let folder = fleet.inventory().with_file_name("configs");
    std::fs::read_to_string(folder.join(format!("{device}.txt"))).unwrap()
}

#[test]
fn a_configuration_is_kept_without_secrets_and_written_again_only_when_it_changed() {
    let fleet = TestFleet::start(TWO, SERVICES);
    let _ = fleet.apply();
    for line in [
        "username canary-user privilege 5 password unencrypted canary-password",
        "snmp-server community canary-community ip-range 0.0.0.0 0.0.0.0 canary-community",
    ] {
        let said = fleet.device("maple").execute(line);
        assert!(!said.contains('%'), "{said}");
    }
    let _ = backup(&fleet, &[])
        .expect(0)
        .says("2 written, 0 unchanged, 0 not reached.");
    let first = kept(&fleet, "maple");
    assert!(first.starts_with("! maple, GAM-4-CX, base MAC 00:0e:d8:"), "{first}");
    for line in fleet.ghn_lines("maple") {
        assert!(first.contains(&line), "no `{line}` in\n{first}");
    }
    assert!(first.contains("username canary-user privilege 5 password"), "{first}");
    for secret in ["canary-password", "canary-community"] {
        assert!(!first.contains(secret), "{first}");
    }

    let _ = backup(&fleet, &[])
        .expect(0)
        .says("0 written, 2 unchanged, 0 not reached.");
    let _ = fleet.device("maple").execute("ghn subscriber 1 vid 3999");
    let ran = backup(&fleet, &["--format", "json"]).expect(0);
    let done: Value = serde_json::from_str(&ran.stdout).unwrap();
    let outcomes: Vec<(&str, &str)> = (done["devices"].as_array().unwrap().iter())
        .map(|one| (one["device"].as_str().unwrap(), one["outcome"].as_str().unwrap()))
        .collect();
    assert_eq!(outcomes, [("harbour", "unchanged"), ("maple", "written")]);
    let second = kept(&fleet, "maple");
    let differing = first.lines().zip(second.lines()).filter(|(a, b)| a != b);
    assert!(differing.clone().count() > 0 && second.contains("vid 3999"), "{second}");
}

#[test]
fn a_device_that_cannot_be_reached_keeps_the_file_that_it_had() {
    let fleet = TestFleet::start(TWO, SERVICES);
    let _ = backup(&fleet, &[]).expect(0);
    let before = kept(&fleet, "maple");
    fleet.device("maple").set_fault(Fault::Refuse {
        containing: "show version".to_owned(),
        text: "No.".to_owned(),
    });
    let ran = backup(&fleet, &[]).expect(5).says("maple  NOT REACHED: ");
    let _ = ran.says("0 written, 1 unchanged, 1 not reached; what it had is as it was.");
    assert_eq!(kept(&fleet, "maple"), before);
    let _ = backup(&fleet, &["maple"]).expect(1);
    let _ = backup(&fleet, &["harbour"])
        .expect(0)
        .says("0 written, 1 unchanged, 0 not reached.");
    let _ = backup(&fleet, &["mapel"]).expect(1).says("did you mean `maple`?");
}
