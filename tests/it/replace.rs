//! `gamops replace`: a new unit in the place of an old one, through the whole program.

use std::process::Stdio;

use gamops::sim::{Counted, DeviceSpec, Fault, Moment};

use crate::crash::{until_held, until_no_session};
use crate::fleet::{Given, Ran, TestFleet};

const OLD: &[Given] = &[Given::new("maple", "GAM-4-CX")];
const NEW: &[Given] = &[Given::new("spare", "GAM-4-CX")];

const SERVICES: &str = "\
plans:
  gold: { rate: 500 Mbps }
  silver: { rate: 100 Mbps }
subscribers:
  s-1: { device: maple, endpoint: \"00:0e:d8:00:00:01\", port: 1, plan: gold, vlan: 101 }
  s-2: { device: maple, endpoint: \"00:0e:d8:00:00:02\", port: 1, plan: silver, vlan: 102 }
  s-3: { device: maple, endpoint: \"00:0e:d8:00:00:03\", port: 2, plan: gold, vlan: 103 }
";

/// A device whose first subscriber has left, so that numbers have gaps; with a host name, a port and a description that the
/// inventory does not name.
fn old() -> TestFleet {
    let fleet = TestFleet::start(OLD, SERVICES);
    let _ = fleet.apply();
    let without: Vec<&str> = SERVICES.lines().filter(|line| !line.contains("s-1:")).collect();
    fleet.write("services.yaml", &format!("{}\n", without.join("\n")));
    let _ = fleet
        .run(&["apply", "--auto-approve", "--allow", "destroy=1"])
        .expect(0);
    fleet.device("maple").execute(
        "hostname gam-maple\nghn port 2 name \"Riser A\"\nghn subscriber 3 description \"Apt 3\"\ncopy running-config startup-config",
    );
    // Another run sees it and keeps it in its checkpoint.
    let text = format!("{}\n", without.join("\n")).replace("vlan: 102", "vlan: 112");
    fleet.write("services.yaml", &text);
    let _ = fleet.apply();
    fleet.expect_in_sync();
    fleet
}

/// Another unit at the address of `maple`.
fn exchange(fleet: &TestFleet, tune: fn(&mut DeviceSpec)) -> TestFleet {
    let given = [Given { tune, ..NEW[0] }];
    let other = TestFleet::start(&given, "");
    fleet.write("devices.yaml", &other.devices(&given, "").replace("spare:", "maple:"));
    other
}

fn replace(fleet: &TestFleet) -> Ran {
    fleet.run(&["replace", "maple", "--auto-approve"])
}

/// What counts of two units: all that gamops manages, with its numbers, running and saved.
#[track_caller]
fn expect_same(new: &TestFleet, wanted: &[String]) {
    assert_eq!(new.ghn_lines("spare"), wanted);
    let startup = new.device("spare").startup_config().unwrap_or_default();
    assert_eq!(crate::fleet::ghn_lines(&startup), wanted);
}

#[test]
fn the_new_unit_holds_what_the_old_one_held_under_the_same_numbers() {
    let fleet = old();
    let wanted = fleet.ghn_lines("maple");
    assert!(wanted.iter().any(|line| line.contains("Apt 3")), "{wanted:?}");
    assert!(wanted.iter().any(|line| line == "hostname gam-maple"), "{wanted:?}");
    let new = exchange(&fleet, |_| {});
    let _ = fleet.run(&["plan"]).expect(1).says("gamops trust maple");
    let _ = fleet.run(&["replace", "maple"]).expect(64).says("no terminal to ask");
    let ran = replace(&fleet).expect(0);
    let ran = ran
        .says("Replacement complete! Resources:")
        .says("Impact: no subscriber is interrupted.");
    assert!(ran.stdout.contains("  was: model GAM-4-CX, MAC ") && ran.stdout.contains("  now: model GAM-4-CX, MAC "));
    expect_same(&new, &wanted);
    let _ = fleet
        .run(&["plan", "--detailed-exitcode"])
        .expect(0)
        .says("No changes.");
    let _ = fleet.run(&["history"]).expect(0).says("maple");
    // Once is enough.
    let _ = replace(&fleet).expect(0).says("nothing to replace");

    // The old unit comes back to its place.
    let back = fleet.devices(OLD, "");
    fleet.write("devices.yaml", &back);
    let before = fleet.device("maple").counters().saves;
    let _ = fleet.run(&["plan"]).expect(1);
    let _ = fleet.run(&["apply", "--auto-approve"]).expect(1);
    assert_eq!(fleet.device("maple").counters().saves, before);
}

#[test]
fn a_unit_that_does_not_come_from_the_factory_is_shown_and_left_alone() {
    let fleet = old();
    let wanted = fleet.ghn_lines("maple");
    let new = exchange(&fleet, |_| {});
    new.device("spare").execute(
        "ghn endpoint 9 name kept mac-address 00:0e:d8:00:00:99 port 4\nghn subscriber 9 name kept endpoint 9 vid 199\ncopy running-config startup-config",
    );
    let held = new.ghn_lines("spare");
    let _ = replace(&fleet)
        .expect(4)
        .says("endpoint 9 \"kept\"")
        .says("REFUSED[not-factory-fresh]");
    assert_eq!(new.ghn_lines("spare"), held);
    // The old one is the pinned one still.
    let _ = fleet.run(&["plan"]).expect(1).says("gamops trust maple");
    let over = ["replace", "maple", "--auto-approve", "--over-existing"];
    let _ = fleet.run(&over).expect(0);
    let lines = new.ghn_lines("spare");
    assert!(wanted.iter().chain(&held).all(|line| lines.contains(line)), "{lines:?}");
}

#[test]
fn a_number_that_something_else_has_there_is_never_taken() {
    let fleet = old();
    let new = exchange(&fleet, |_| {});
    new.device("spare")
        .execute("ghn endpoint 3 name other mac-address 00:0e:d8:00:00:99 port 4\ncopy running-config startup-config");
    let held = new.ghn_lines("spare");
    let _ = fleet
        .run(&["replace", "maple", "--auto-approve", "--over-existing"])
        .expect(4)
        .says("REFUSED[number-taken] the new unit has \"other\" as endpoint 3");
    assert_eq!(new.ghn_lines("spare"), held);
}

#[test]
fn nothing_to_replace_is_said() {
    let fleet = TestFleet::start(OLD, SERVICES);
    let _ = replace(&fleet).expect(1).says("no unit was ever met as `maple`");
    let _ = fleet.apply();
    let _ = replace(&fleet)
        .expect(0)
        .says("It is the pinned unit")
        .says("nothing to replace");
    let _ = fleet
        .run(&["replace", "mapel", "--auto-approve"])
        .expect(1)
        .says("did you mean `maple`?");
    let _ = fleet
        .run(&["pause", "maple", "--reason", "splicing", "--for", "1h"])
        .expect(0);
    let _ = replace(&fleet).expect(4).says("is paused: splicing");
}

#[test]
fn another_model_is_refused_until_the_inventory_says_so() {
    let fleet = old();
    let given = [Given::new("spare", "GAM-12-C")];
    let new = TestFleet::start(&given, "");
    let devices = new.devices(&given, "").replace("spare:", "maple:");
    fleet.write("devices.yaml", &devices.replace("GAM-12-C", "GAM-4-CX"));
    let _ = replace(&fleet)
        .expect(1)
        .says("the device is a GAM-12-C, the inventory says GAM-4-CX");
    let wanted = fleet.ghn_lines("maple");
    fleet.write("devices.yaml", &devices);
    let _ = replace(&fleet).expect(0);
    expect_same(&new, &wanted);
}

#[test]
fn a_unit_that_refuses_a_command_is_given_back_and_the_same_command_goes_on() {
    let fleet = old();
    let wanted = fleet.ghn_lines("maple");
    let new = exchange(&fleet, |_| {});
    new.device("spare").set_fault(Fault::Refuse {
        containing: "ghn subscriber 3".to_owned(),
        text: "G.hn internal error".to_owned(),
    });
    let _ = replace(&fleet)
        .expect(5)
        .says("ROLLED BACK")
        .says("`gamops replace maple` goes on from there");
    // The name of a port has no way back, and is named.
    let left = new.ghn_lines("spare");
    assert!(left.iter().all(|line| line.starts_with("ghn port ")), "{left:?}");
    new.device("spare").clear_faults();
    let _ = replace(&fleet).expect(0).says("was taken for it already; going on");
    expect_same(&new, &wanted);
}

#[test]
fn killed_anywhere_the_same_command_goes_on_from_there() {
    let fleet = old();
    let wanted = fleet.ghn_lines("maple");
    drop(fleet);
    // Before the first command, and after the first, a middle and the last of those that set something.
    for at in [0_u32, 1, 4, 7] {
        let fleet = old();
        let new = exchange(&fleet, |_| {});
        let unit = new.device("spare");
        let fault = match at {
            0 => Fault::Hold {
                at: 1,
                of: Counted::Configuration,
                when: Moment::Before,
            },
            at => Fault::Hold {
                at,
                of: Counted::Configuration,
                when: Moment::After,
            },
        };
        unit.set_fault(fault);
        let mut killed = fleet
            .command(&["replace", "maple", "--auto-approve"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        until_held(&new, &unit);
        killed.kill().unwrap();
        killed.wait().unwrap();
        unit.clear_faults();
        until_no_session(&unit);
        let _ = replace(&fleet).expect(0);
        expect_same(&new, &wanted);
        let _ = fleet
            .run(&["plan", "--detailed-exitcode"])
            .expect(0)
            .says("No changes.");
        let _ = replace(&fleet).expect(0).says("nothing to replace");
    }
}
