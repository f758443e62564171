//! Maintenance windows: what subscribers would feel waits for them, and nothing else does.

use gamops::reconcile::{DeviceOutcome, Orders};
use gamops::store::Store;
use serde_json::{Value, json};

use crate::fleet::{Ran, SERVICES, TWO, TestFleet};
use crate::flow::context;

/// A moment outside the window, and one inside.
const NOON: &str = "2026-11-27T12:00Z";
const NIGHT: &str = "2026-11-28T02:00Z";

const ROOT: &str = "\
format: 1
inventory: test
defaults: { credentials: factory, mode: manage }
windows:
  night: { start: \"02:00\", length: 3h, zone: Europe/Berlin }
policies: { window: night, suspension: { vlan: 666 } }
";

/// A fleet on which `SERVICES` were applied at noon: what is new is felt by nobody.
fn start() -> TestFleet {
    let fleet = TestFleet::start(TWO, SERVICES);
    fleet.write("gamops.yaml", ROOT);
    let _ = at(&fleet, NOON, &["apply", "--auto-approve"]).expect(0);
    fleet.expect_in_sync();
    fleet
}

fn at(fleet: &TestFleet, when: &str, arguments: &[&str]) -> Ran {
    fleet.run(&[arguments, &["--at", when]].concat())
}

fn apply(fleet: &TestFleet, when: &str) -> Ran {
    at(fleet, when, &["apply", "--auto-approve"])
}

fn holds(fleet: &TestFleet, device: &str, text: &str) -> bool {
    fleet.ghn_lines(device).iter().any(|line| line.contains(text))
}

#[test]
fn what_is_felt_waits_and_the_rest_is_done() {
    let fleet = start();
    let changed = SERVICES
        .replace("vlan: 101", "vlan: 111")
        .replace("Apt 3", "Apartment 3");
    fleet.write("services.yaml", &changed);
    let plan = at(&fleet, NOON, &["plan", "--target", "maple"]).expect(0).stdout;
    insta::with_settings!({ filters => vec![(r"127\.0\.0\.1:\d+", "ADDRESS")] }, {
        insta::assert_snapshot!("what_waits_and_what_passes", plan);
    });
    let ran = apply(&fleet, NOON).expect(0);
    let ran = ran.says("maple  0 added, 1 changed, 0 destroyed; verified, saved");
    let _ = ran.says("maple  1 change waits until Sat 2026-11-28 02:00 CET (2026-11-28T01:00Z) (window night)");
    assert!(holds(&fleet, "maple", "Apartment 3") && !holds(&fleet, "maple", "vid 111"));
    // Again: nothing more to do, and nothing is sent.
    let saves = fleet.device("maple").counters().saves;
    let ran = apply(&fleet, NOON).expect(0).says("Nothing to apply now.");
    assert!(!ran.stdout.contains("No changes."), "{}", ran.stdout);
    let _ = at(&fleet, NOON, &["plan", "--detailed-exitcode"]).expect(0);
    assert_eq!(fleet.device("maple").counters().saves, saves);
    // The night comes.
    let ran = at(&fleet, NIGHT, &["plan", "--detailed-exitcode"]).expect(2);
    let _ = ran.says("to be done before Sat 2026-11-28 05:00 CET (2026-11-28T04:00Z) (window night)");
    let _ = apply(&fleet, NIGHT).expect(0).says("maple  0 added, 1 changed");
    fleet.expect_in_sync();
}

#[test]
fn suspensions_and_restorations_pass_though_something_else_waits() {
    let fleet = start();
    // One is renamed, which is felt; another one has not paid.
    let changed = SERVICES.replace("s-3: {", "s-3: { name: Number-3,");
    let suspended = changed.replace("vlan: 101", "vlan: 101, state: suspended");
    fleet.write("services.yaml", &suspended);
    let _ = apply(&fleet, NOON).expect(0).says("maple  1 change waits");
    assert!(holds(&fleet, "maple", "vid 666") && !holds(&fleet, "maple", "Number-3"));
    fleet.write("services.yaml", &changed);
    let _ = apply(&fleet, NOON).expect(0).says("maple  1 change waits");
    assert!(holds(&fleet, "maple", "vid 101") && !holds(&fleet, "maple", "Number-3"));
    let _ = apply(&fleet, NIGHT).expect(0);
    fleet.expect_in_sync();

    fleet.write("gamops.yaml", &ROOT.replace("{ vlan: 666 }", "unbind"));
    for services in [&suspended, &changed] {
        fleet.write("services.yaml", services);
        let ran = apply(&fleet, NOON).expect(0).says("maple  0 added, 1 changed");
        assert!(!ran.stdout.contains("waits"), "{}", ran.stdout);
    }
    fleet.expect_in_sync();
}

#[test]
fn what_depends_on_what_waits_waits_with_it() {
    let fleet = start();
    // The box of s-1 is swapped, and its old one goes to somebody new; another new one depends on nobody.
    let swapped = SERVICES.replace("00:0e:d8:00:00:01", "00:0e:d8:00:00:0a");
    let services = format!(
        "{swapped}  s-8: {{ device: maple, endpoint: \"00:0e:d8:00:00:01\", port: 2, plan: gold, vlan: 108 }}
  s-9: {{ device: maple, endpoint: \"00:0e:d8:00:00:09\", port: 2, plan: gold, vlan: 109 }}\n"
    );
    fleet.write("services.yaml", &services);
    let plan = at(&fleet, NOON, &["plan", "--format", "json"]).expect(0).stdout;
    let plan: Value = serde_json::from_str(&plan).unwrap();
    let addresses = |waits: bool| -> Vec<&str> {
        let changes = plan["resource_changes"].as_array().unwrap().iter();
        let of = changes.filter(|change| change["waits"] == waits);
        of.map(|change| change["address"].as_str().unwrap()).collect()
    };
    assert_eq!(addresses(false), ["maple/endpoint/s-9", "maple/subscriber/s-9"]);
    assert_eq!(
        addresses(true),
        ["maple/endpoint/s-1", "maple/endpoint/s-8", "maple/subscriber/s-8"]
    );
    let maple = plan["devices"]
        .as_array()
        .unwrap()
        .iter()
        .find(|device| device["device"] == "maple")
        .unwrap();
    assert_eq!(
        maple["waiting"],
        json!({
            "window": "night",
            "from": "2026-11-28T01:00Z",
            "until": "2026-11-28T04:00Z",
            "text": "Sat 2026-11-28 02:00 CET (2026-11-28T01:00Z)",
            "entire_device": false,
            "addresses": ["maple/endpoint/s-1", "maple/endpoint/s-8", "maple/subscriber/s-8"],
        })
    );
    let _ = apply(&fleet, NOON).expect(0);
    assert!(holds(&fleet, "maple", "s-9") && !holds(&fleet, "maple", "s-8"));
    let _ = apply(&fleet, NIGHT).expect(0);
    fleet.expect_in_sync();
}

#[test]
fn what_waits_keeps_its_cause() {
    let fleet = start();
    let maple = fleet.device("maple");
    maple.execute("ghn subscriber 1 vid 999\ncopy running-config startup-config");
    let drift = "changed on the device behind gamops's back";
    // Nothing but what waits; then beside something that is done.
    let _ = apply(&fleet, NOON).expect(0);
    let _ = at(&fleet, NIGHT, &["plan"]).expect(0).says(drift);
    fleet.write("services.yaml", &SERVICES.replace("Apt 3", "Apartment 3"));
    let _ = apply(&fleet, NOON).expect(0).says("1 changed");
    let _ = at(&fleet, NIGHT, &["plan"]).expect(0).says(drift);
    let _ = apply(&fleet, NIGHT).expect(0);
    fleet.expect_in_sync();
}

#[test]
fn a_window_can_be_ignored_and_that_is_on_record() {
    let fleet = start();
    fleet.write("services.yaml", &SERVICES.replace("vlan: 101", "vlan: 111"));
    let ignoring = ["plan", "--format", "json", "--ignore-windows"];
    let plan: Value = serde_json::from_str(&at(&fleet, NOON, &ignoring).expect(0).stdout).unwrap();
    assert_eq!(
        (&plan["windows_ignored"], &plan["applyable"]),
        (&json!(true), &json!(true))
    );
    let ran = at(&fleet, NOON, &["apply", "--auto-approve", "--ignore-windows"]).expect(0);
    let ignored = "Maintenance windows are ignored, as asked.";
    let _ = ran.says(ignored).says("maple  0 added, 1 changed");
    let _ = fleet.run(&["history", "show", "2"]).expect(0).says(ignored);
    fleet.expect_in_sync();
}

#[test]
fn a_device_may_have_a_window_of_its_own_or_none() {
    let fleet = start();
    let devices = fleet.devices(&TWO[..1], "    window: always\n")
        + &fleet.devices(&TWO[1..], "    window: noon\n").replace("devices:\n", "");
    fleet.write("devices.yaml", &devices);
    fleet.write("windows.yaml", "windows: { noon: { days: [sat], start: \"12:00\", length: 30m } }\nsites: { here: { time_zone: Asia/Kathmandu } }\n");
    // Neither the window nor the device's site says where it is noon.
    let ran = fleet.run(&["plan"]).expect(3);
    let _ = ran.says("error[window-zone]: the window `noon` has no `zone`, and neither has the site of `harbour`");
    fleet.write(
        "devices.yaml",
        &devices.replace("window: noon", "site: here\n    window: noon"),
    );
    fleet.write(
        "services.yaml",
        &SERVICES
            .replace("vlan: 101", "vlan: 111")
            .replace("vlan: 104", "vlan: 114"),
    );
    let ran = apply(&fleet, NOON).expect(0).says("maple  0 added, 1 changed");
    let _ = ran.says("harbour  1 change waits until Sat 2026-11-28 12:00 +0545 (2026-11-28T06:15Z) (window noon)");
    let _ = apply(&fleet, "2026-11-28T06:44:59Z").expect(0);
    fleet.expect_in_sync();
}

#[test]
fn a_kept_plan_fits_while_the_window_is_as_it_was() {
    let fleet = start();
    fleet.write(
        "services.yaml",
        &SERVICES
            .replace("vlan: 101", "vlan: 111")
            .replace("Apt 3", "Apartment 3"),
    );
    let file = fleet.inventory().with_file_name("friday.plan");
    let file = file.to_str().unwrap();
    let keep = |when: &str| at(&fleet, when, &["plan", "--out", file]).expect(0);

    let _ = keep(NIGHT);
    let ran = at(&fleet, NOON, &["apply", file]).expect(6);
    let _ = ran.says("maple  MOVED: its maintenance window is closed now: maple/subscriber/s-1 waits until Sat");
    let _ = keep(NOON);
    let ran = at(&fleet, NIGHT, &["apply", file]).expect(6);
    let _ = ran.says("maple  MOVED: its maintenance window is open now");
    assert!(!holds(&fleet, "maple", "Apartment 3"));
    // The same a day later: it waits for another night.
    let _ = at(&fleet, "2026-11-28T12:00Z", &["apply", file])
        .expect(0)
        .says("until Sun 2026-11-29 02:00 CET");
    let _ = keep("2026-11-30T02:00Z");
    let _ = at(&fleet, NIGHT, &["apply", file]).expect(0);
    fleet.expect_in_sync();
}

#[test]
fn a_subscriber_that_moves_is_on_both_devices_until_the_old_one_may_be_changed() {
    let fleet = start();
    let moved = SERVICES.replace(
        "s-1: { device: maple, endpoint: \"00:0e:d8:00:00:01\", port: 1",
        "s-1: { device: harbour, endpoint: \"00:0e:d8:00:00:01\", port: 9",
    );
    fleet.write("services.yaml", &moved);
    let _ = apply(&fleet, NOON)
        .expect(0)
        .says("harbour  2 added")
        .says("maple  3 changes wait");
    assert!(holds(&fleet, "maple", "s-1") && holds(&fleet, "harbour", "s-1"));
    let _ = apply(&fleet, NIGHT).expect(0);
    assert!(!holds(&fleet, "maple", "s-1"));
    fleet.expect_in_sync();
}

#[test]
fn a_window_that_closes_before_its_device_s_turn_is_respected() {
    let fleet = start();
    fleet.write(
        "services.yaml",
        &SERVICES
            .replace("vlan: 101", "vlan: 111")
            .replace("vlan: 104", "vlan: 114"),
    );
    let before = fleet.device("maple").counters().saves;
    let results = fleet.block_on(async {
        let mut context = context(&fleet, Store::open(&fleet.state()).unwrap());
        // A moment before the end: reading the devices takes longer.
        context.now = "2026-11-28T03:59:59.999Z".parse().unwrap();
        let planned = context.plan(&[]).await.unwrap();
        assert!(planned.plan.is_actionable());
        context.apply(planned, &Orders::by("test")).await.unwrap()
    });
    for result in results.results {
        let DeviceOutcome::NotStarted(why) = result.outcome else {
            panic!("{result:?}");
        };
        assert_eq!(why, "its maintenance window has closed since it was planned");
    }
    assert_eq!(fleet.device("maple").counters().saves, before);
}
