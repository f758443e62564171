//! Words that nobody has seen: tried only where the operator allows it, and never twice in vain.

use gamops::sim::{AssumedWords, DeviceSpec};

use crate::fleet::{Given, TestFleet};

const SERVICES: &str = "\
subscribers:
  s-1: { device: maple, endpoint: \"00:0e:d8:00:00:01\", port: 1, plan: unthrottled, vlan: 101, poe: force }
  s-2: { device: maple, endpoint: \"00:0e:d8:00:00:02\", port: 1, plan: unthrottled, vlan: 102 }
";

fn fleet(tune: fn(&mut DeviceSpec), allowed: bool) -> (TestFleet, &'static [Given]) {
    let given: &'static [Given] = vec![Given {
        key: "maple",
        model: "GAM-4-CX",
        tune,
    }]
    .leak();
    let fleet = TestFleet::start(given, SERVICES);
    let more = if allowed { "    allow_assumed: true\n" } else { "" };
    fleet.write("devices.yaml", &fleet.devices(given, more));
    (fleet, given)
}

/// The device shows no PoE of its own, so that nothing tells whether it knows the words.
fn quiet(spec: &mut DeviceSpec, words: AssumedWords) {
    spec.knobs.assumed_words = words;
    spec.knobs.default_poe = gamops::domain::PoeMode::Disable;
}

#[test]
fn an_unknown_word_is_not_said_unless_the_operator_allows_it() {
    let (fleet, _) = fleet(|spec| quiet(spec, AssumedWords::Offered), false);
    let applied = fleet
        .apply()
        .says("`allow_assumed: true` on the device lets gamops try");
    assert!(!applied.stdout.contains("poe force\n"), "{}", applied.stdout);
    fleet.expect_in_sync();
}

#[test]
fn a_word_that_the_device_offers_is_applied() {
    let (fleet, _) = fleet(|spec| quiet(spec, AssumedWords::Offered), true);
    let _ = fleet.apply().says("ghn subscriber 1 poe force");
    assert!(fleet.ghn_lines("maple").iter().any(|line| line.contains("poe force")));
    fleet.expect_in_sync();
}

#[test]
fn a_word_that_the_device_refuses_is_told_saved_and_not_tried_again() {
    let (fleet, _) = fleet(|spec| quiet(spec, AssumedWords::Refused), true);
    let applied = fleet.run(&["apply", "--auto-approve"]).expect(5);
    let applied = applied.says("NOT APPLIED: subscriber 1: its poe is as it was: this firmware does not know");
    assert!(applied.stdout.contains("verified, saved"), "{}", applied.stdout);
    let plan = fleet.run(&["plan", "--detailed-exitcode"]).expect(0);
    let _ = plan.says("this firmware has refused `poe enable | force`");
}

#[test]
fn a_word_that_the_device_ignores_is_told_apart_from_one_that_it_refuses() {
    let (fleet, _) = fleet(|spec| quiet(spec, AssumedWords::Ignored), true);
    let applied = fleet.run(&["apply", "--auto-approve"]).expect(5);
    let applied = applied.says("takes `poe enable | force` and ignores it; gamops will not try again");
    assert!(applied.stdout.contains("verified, saved"), "{}", applied.stdout);
    let plan = fleet.run(&["plan", "--detailed-exitcode"]).expect(0);
    let _ = plan.says("this firmware takes `poe enable | force` and ignores it");
}
