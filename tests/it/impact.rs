//! What a plan does to service, and for how long.

use serde_json::{Value, json};

use crate::fleet::{SERVICES, TWO, TestFleet};

fn closing(fleet: &TestFleet) -> String {
    let plan = fleet.run(&["plan"]).expect(0).stdout;
    let line = plan.lines().find(|line| line.starts_with("Impact: "));
    line.unwrap_or_else(|| panic!("no impact in\n{plan}")).to_owned()
}

fn without(who: &str) -> String {
    let lines = SERVICES.lines().filter(|line| !line.contains(who));
    lines.map(|line| format!("{line}\n")).collect()
}

#[test]
fn what_was_assumed_is_measured_by_applying() {
    let fleet = TestFleet::start(TWO, SERVICES);
    assert_eq!(closing(&fleet), "Impact: no subscriber is interrupted.");
    let _ = fleet.apply();
    let untagged = SERVICES.replace(", tagged: true", "");
    fleet.write("services.yaml", &untagged);
    assert_eq!(
        closing(&fleet),
        "Impact: 1 subscriber, longest about 1 s (measured); at worst blip."
    );
    // What nobody remembers has to be assumed again.
    std::fs::remove_file(fleet.state()).unwrap();
    assert_eq!(
        closing(&fleet),
        "Impact: 1 subscriber, longest about 5 s (assumed); at worst blip."
    );
    let _ = fleet
        .apply()
        .says("impact: blip (assumed), about 5 s (assumed), for s-2");
}

#[test]
fn who_stays_without_service_is_told_apart_from_who_is_back_soon() {
    let fleet = TestFleet::start(TWO, SERVICES);
    let _ = fleet.apply();
    fleet.write("services.yaml", &without("s-1:"));
    assert_eq!(
        closing(&fleet),
        "Impact: 1 subscriber, without service from then on; at worst outage."
    );
    fleet.write("services.yaml", &without("s-1:").replace("vlan: 104", "vlan: 114"));
    assert_eq!(
        closing(&fleet),
        "Impact: 2 subscribers, longest about 21 s (assumed), 1 of them without service from then on; at worst identity."
    );
    let plan: Value = serde_json::from_str(&fleet.run(&["plan", "--format", "json"]).expect(0).stdout).unwrap();
    assert_eq!(
        plan["impact"],
        json!({ "class": "identity", "subscribers": 2, "for_good": 1, "est_seconds": 21, "est_basis": "assumed" })
    );
    let of = |address: &str| {
        let changes = plan["resource_changes"].as_array().unwrap();
        changes.iter().find(|change| change["address"] == address).unwrap()["impact"].clone()
    };
    let gone = of("maple/subscriber/s-1");
    assert_eq!((&gone["for_good"], &gone["est_seconds"]), (&json!(true), &Value::Null));
    let moved = of("harbour/subscriber/s-4");
    assert_eq!((&moved["for_good"], &moved["est_seconds"]), (&json!(false), &json!(21)));
}

#[test]
fn who_moves_to_another_device_of_the_plan_does_not_stay_without_service() {
    let fleet = TestFleet::start(TWO, SERVICES);
    let _ = fleet.apply();
    let moved = SERVICES.replace(
        "s-1: { device: maple, endpoint: \"00:0e:d8:00:00:01\", port: 1",
        "s-1: { device: harbour, endpoint: \"00:0e:d8:00:00:01\", port: 5",
    );
    fleet.write("services.yaml", &moved);
    assert_eq!(closing(&fleet), "Impact: 1 subscriber; at worst outage.");
}

#[test]
fn an_apply_elsewhere_that_measured_something_does_not_make_a_kept_plan_stale() {
    let fleet = TestFleet::start(TWO, SERVICES);
    let _ = fleet.apply();
    fleet.write(
        "services.yaml",
        &SERVICES.replace(", tagged: true", "").replace("vlan: 104", "vlan: 114"),
    );
    std::fs::remove_file(fleet.state()).unwrap();
    let file = fleet.inventory().with_file_name("friday.plan");
    let file = file.to_str().unwrap();
    let _ = fleet.run(&["plan", "--out", file]).expect(0);
    let _ = fleet.run(&["apply", file, "--target", "harbour"]).expect(0);
    let _ = fleet
        .run(&["apply", file, "--target", "maple"])
        .expect(0)
        .says("longest about 1 s (measured)");
    fleet.expect_in_sync();
}
