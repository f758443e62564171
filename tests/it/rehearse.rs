//! `gamops rehearse`: a change done to simulated devices that hold what was observed, before anybody merges it.

use serde_json::Value;

use crate::fleet::{Given, Ran, SERVICES, TWO, TestFleet};
use crate::preview::publish;

const READ: &str = "2026-11-28T10:00:00Z";
const NOW: &str = "2026-11-28T10:04:10Z";

/// A fleet whose inventory is committed, applied and published.
fn observed(given: &[Given], services: &str) -> TestFleet {
    let fleet = TestFleet::start(given, services);
    fleet.commit("one");
    let _ = fleet.apply();
    publish(&fleet, &fleet.inventory(), READ);
    fleet
}

/// Rehearses with nothing but the repository: no state, no credentials.
fn rehearse(fleet: &TestFleet, arguments: &[&str]) -> Ran {
    let all = [&["rehearse", "--at", NOW], arguments].concat();
    let mut command = fleet.command(&all);
    command.env("GAMOPS_STATE", "/nowhere/state.db").env_remove("HOME");
    command.output().unwrap().into()
}

fn json(ran: &Ran) -> Value {
    let json: Value = serde_json::from_str(&ran.stdout).unwrap();
    let schema = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/schema/rehearsal.schema.json")).unwrap();
    let schema: Value = serde_json::from_str(&schema).unwrap();
    assert!(jsonschema::is_valid(&schema, &json), "{json:#}");
    json
}

fn edited(edits: &[(&str, &str)]) -> String {
    edits.iter().fold(SERVICES.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    })
}

#[test]
fn what_devices_take_is_rehearsed_and_none_of_them_is_reached() {
    let fleet = observed(TWO, SERVICES);
    // Somebody changed something by hand: the rehearsal begins with it.
    fleet.device("maple").execute("ghn subscriber 2 vid 998");
    publish(&fleet, &fleet.inventory(), READ);
    let change = edited(&[
        ("vlan: 101", "vlan: 111"),
        ("  s-5:", "  s-6:"),
        ("500 Mbps", "400 Mbps"),
    ]);
    fleet.write("services.yaml", &change);
    fleet.commit("two");
    let before = ["maple", "harbour"].map(|device| fleet.device(device).counters());
    let ran = rehearse(&fleet, &["--base", "HEAD~1", "--head", "HEAD"]).expect(0);
    insta::with_settings!({filters => [(r"\b[0-9a-f]{12}\b", "COMMIT"), (r"about \d+ s", "about N s")]}, {
        insta::assert_snapshot!("rehearsal", ran.stdout);
    });
    assert_eq!(ran.stderr, "");
    let json = json(&rehearse(&fleet, &["--format", "json"]).expect(0));
    assert_eq!(json["converged"], true);
    assert_eq!(json["devices"][1]["device"], "maple");
    let plan: Value =
        serde_json::from_str(&fleet.run(&["plan", "--observed", "--format", "json"]).expect(0).stdout).unwrap();
    for (device, rehearsed) in plan["devices"]
        .as_array()
        .unwrap()
        .iter()
        .zip(json["devices"].as_array().unwrap())
    {
        let steps = device["steps"].as_array().unwrap().iter();
        let commands: usize = steps.map(|step| step["commands"].as_array().unwrap().len()).sum();
        assert_eq!(rehearsed["commands"], commands, "{device:#}");
    }
    let after = ["maple", "harbour"].map(|device| fleet.device(device).counters());
    assert_eq!(after, before, "nobody is reached");
    assert!(!std::path::Path::new("/nowhere").exists());
    // It is what an apply comes to.
    let _ = fleet.apply();
    fleet.expect_in_sync();
    publish(&fleet, &fleet.inventory(), READ);
    let _ = rehearse(&fleet, &[])
        .expect(0)
        .says("Nothing to rehearse: no device would be changed.");
}

#[test]
fn a_subscriber_that_moves_is_rehearsed_on_both_devices() {
    let fleet = observed(TWO, SERVICES);
    fleet.write(
        "services.yaml",
        &edited(&[
            ("s-3: { device: maple", "s-3: { device: harbour"),
            ("port: 2, plan: unthrottled", "port: 3, plan: unthrottled"),
        ]),
    );
    let ran = rehearse(&fleet, &["--format", "json"]).expect(0);
    assert_eq!(json(&ran)["devices"].as_array().unwrap().len(), 2, "{}", ran.stdout);
}

#[test]
fn a_word_that_the_firmware_refuses_fails_the_rehearsal_and_says_which() {
    let fleet = observed(TWO, SERVICES);
    // The observation says that the word is known; the firmware of that version does not have it.
    let folder = fleet.inventory();
    let (reference, file) = ("refs/gamops/observed", "devices/maple.json");
    let text = crate::support::git_server::git_in(&folder, &["show", &format!("{reference}:{file}")]);
    let mut document: Value = serde_json::from_str(&text).unwrap();
    document["identity"]["firmware"] = "GAM-4/8-C_v1.2.0".into();
    document["capabilities"]["poe_disable"]["answer"] = "yes".into();
    for subscriber in document["running"]["subscribers"].as_object_mut().unwrap().values_mut() {
        subscriber["poe"] = Value::Null;
    }
    crate::preview::put(&folder, reference, [(file.to_owned(), document.to_string())].into());
    fleet.write(
        "services.yaml",
        &edited(&[(
            "port: 1, plan: gold, vlan: 101",
            "port: 1, plan: gold, vlan: 101, poe: disable",
        )]),
    );
    let ran = rehearse(&fleet, &[])
        .expect(1)
        .says("maple  FAILED: ")
        .says("poe disable");
    assert!(
        ran.stdout
            .contains("Rehearsal incomplete: 0 of 1 device would hold what the inventory says."),
        "{}",
        ran.stdout
    );
    let json = json(&rehearse(&fleet, &["--format", "json"]).expect(1));
    assert_eq!(
        (&json["converged"], &json["devices"][0]["converged"]),
        (&Value::Bool(false), &Value::Bool(false))
    );
}

#[test]
fn what_a_guard_refuses_is_not_rehearsed() {
    let fleet = observed(TWO, SERVICES);
    fleet.write(
        "gamops.yaml",
        "format: 1\ninventory: test\ndefaults: { credentials: factory, mode: manage }\npolicies: { guards: { destroy_per_device: { count: 1 } } }\n",
    );
    let fewer = SERVICES
        .lines()
        .filter(|line| !line.contains("s-2:") && !line.contains("s-3:"));
    fleet.write(
        "services.yaml",
        &fewer.map(|line| format!("{line}\n")).collect::<String>(),
    );
    let _ = rehearse(&fleet, &[])
        .expect(4)
        .says("Refused by guard destroy-per-device")
        .says("nothing was rehearsed");
}
