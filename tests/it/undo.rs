//! Taking back what a run did, through the whole program.

use gamops::sim::Fault;

use crate::fleet::{Given, Ran, SERVICES, TWO, TestFleet};
use crate::history::FILTERS;

const MAPLE: &[Given] = &[Given::new("maple", "GAM-4-CX")];

/// The part of the standard services that is on `maple`.
fn services() -> String {
    let lines = SERVICES.lines().filter(|line| !line.contains("harbour"));
    lines.map(|line| format!("{line}\n")).collect()
}

/// `maple` with two runs: the second put `s-1` into another VLAN, made a subscriber, and took one away.
fn second_run() -> (TestFleet, Vec<String>) {
    let fleet = TestFleet::start(MAPLE, &services());
    let _ = fleet.apply();
    let before = fleet.ghn_lines("maple");
    let after: String = services()
        .replace("vlan: 101", "vlan: 111")
        .lines()
        .filter(|line| !line.contains("s-3:"))
        .map(|line| format!("{line}\n"))
        .collect();
    let more = "  s-9: { device: maple, endpoint: \"00:0e:d8:00:00:09\", port: 1, plan: gold, vlan: 109 }\n";
    fleet.write("services.yaml", &(after + more));
    let _ = fleet.apply();
    (fleet, before)
}

fn undo(fleet: &TestFleet, run: &str) -> Ran {
    fleet.run(&["undo", run, "--auto-approve"])
}

#[test]
fn a_run_is_undone_and_the_inventory_that_still_asks_for_it_is_named() {
    let (fleet, before) = second_run();
    let undone = undo(&fleet, "2").expect(0);
    insta::with_settings!({filters => FILTERS.to_vec()}, {
        insta::assert_snapshot!("undo", undone.stdout);
    });
    assert_eq!(fleet.ghn_lines("maple"), before);
    assert_eq!(
        fleet
            .device("maple")
            .startup_config()
            .map(|text| text.contains("vid 101")),
        Some(true),
        "what was given back is saved"
    );
    // It is a run of its own, and can be looked up.
    let _ = fleet
        .run(&["history", "show", "3"])
        .expect(0)
        .says("Run 3 by tester@")
        .says(", undoing run 2")
        .says("Undo of run 2 (tester@");
    // The inventory is as it was: the next plan says so.
    let _ = fleet
        .run(&["plan", "--detailed-exitcode"])
        .expect(2)
        .says("Plan: 2 to add, 1 to change, 2 to destroy.");
    // Once the inventory is taken back as well, nothing is left to do: what is owned is what was owned.
    fleet.write("services.yaml", &services());
    fleet.expect_in_sync();
    fleet.write("services.yaml", "");
    let _ = fleet.apply();
    assert_eq!(
        fleet.ghn_lines("maple"),
        Vec::<String>::new(),
        "all of it is still gamops's to destroy"
    );
}

#[test]
fn an_undo_can_be_undone() {
    let (fleet, _) = second_run();
    let after = fleet.ghn_lines("maple");
    let _ = undo(&fleet, "2").expect(0);
    let _ = undo(&fleet, "3").expect(0).says("Undo complete!");
    assert_eq!(fleet.ghn_lines("maple"), after);
    fleet.expect_in_sync();
}

#[test]
fn undoing_twice_does_nothing_the_second_time() {
    let (fleet, before) = second_run();
    let _ = undo(&fleet, "2").expect(0);
    let saves = fleet.device("maple").counters().saves;
    let again = undo(&fleet, "2").expect(0).says("Nothing to give back");
    assert!(!again.stdout.contains("asks for"), "{}", again.stdout);
    assert_eq!(fleet.device("maple").counters().saves, saves);
    assert_eq!(fleet.ghn_lines("maple"), before);
}

#[test]
fn what_was_done_since_stays_and_is_named() {
    let (fleet, _) = second_run();
    // A later run, and somebody by hand.
    let now = std::fs::read_to_string(fleet.inventory().join("services.yaml")).unwrap();
    fleet.write("services.yaml", &now.replace("vlan: 111", "vlan: 121"));
    let _ = fleet.apply();
    let maple = fleet.device("maple");
    maple.execute("ghn subscriber 2 vid 999\nghn subscriber 4 vid 998");
    let undone = undo(&fleet, "2").expect(0);
    let undone = undone.says("subscriber 1 `s-1`: its vlan was changed since, by run 3: that stays");
    let _ = undone.says("was made by the run, and its vlan was changed since, by no run of gamops: it stays");
    let lines = fleet.ghn_lines("maple").join("\n");
    for stays in ["vid 121", "vid 999", "vid 998"] {
        assert!(lines.contains(stays), "{stays} in\n{lines}");
    }
}

#[test]
fn one_object_of_a_run_is_undone_alone() {
    let (fleet, _) = second_run();
    let _ = fleet
        .run(&["undo", "2", "--auto-approve", "--target", "maple/subscriber/s-1"])
        .expect(0)
        .says("Undo complete! Resources: 0 added, 1 changed, 0 destroyed.");
    let lines = fleet.ghn_lines("maple").join("\n");
    assert!(
        lines.contains("vid 101") && lines.contains("s-9") && !lines.contains("s-3"),
        "{lines}"
    );
    let _ = fleet
        .run(&["undo", "2", "--auto-approve", "--target", "elm"])
        .expect(1)
        .says("run 2 had nothing to do with `elm`");
}

#[test]
fn what_cannot_be_undone_is_said() {
    let fleet = TestFleet::start(MAPLE, &services());
    let _ = fleet.apply();
    fleet.write("services.yaml", &services().replace("vlan: 101", "vlan: 111"));
    let maple = fleet.device("maple");
    maple.set_fault(Fault::Refuse {
        containing: "vid 111".to_owned(),
        text: "G.hn internal error".to_owned(),
    });
    let _ = fleet.run(&["apply", "--auto-approve"]).expect(5);
    maple.clear_faults();
    let _ = undo(&fleet, "2").expect(1).says("run 2 cannot be undone: ");
    let _ = undo(&fleet, "7").expect(1).says("there is no run 7 on record");
    let _ = fleet.run(&["undo", "1"]).expect(64).says("no terminal to ask");
    // Observed devices are not changed, by an undo either.
    fleet.write("devices.yaml", &fleet.devices(MAPLE, "    mode: observe\n"));
    let lines = fleet.ghn_lines("maple");
    let _ = undo(&fleet, "1").expect(0).says("observe only");
    assert_eq!(fleet.ghn_lines("maple"), lines);
}

#[test]
fn what_is_protected_is_not_undone() {
    let fleet = TestFleet::start(MAPLE, &services().replace("s-1: {", "s-1: { protect: true,"));
    let _ = fleet.apply();
    let lines = fleet.ghn_lines("maple");
    let _ = undo(&fleet, "1")
        .expect(4)
        .says("subscriber `s-1` is protected and would be destroyed");
    assert_eq!(fleet.ghn_lines("maple"), lines);
}

#[test]
fn a_move_to_another_device_goes_back_the_way_it_came() {
    let fleet = TestFleet::start(TWO, SERVICES);
    let _ = fleet.apply();
    let before = (fleet.ghn_lines("maple"), fleet.ghn_lines("harbour"));
    fleet.write(
        "services.yaml",
        &SERVICES.replace(
            "s-1: { device: maple, endpoint: \"00:0e:d8:00:00:01\", port: 1",
            "s-1: { device: harbour, endpoint: \"00:0e:d8:00:00:01\", port: 3",
        ),
    );
    let _ = fleet.apply();
    assert_ne!(fleet.ghn_lines("maple"), before.0);
    let _ = undo(&fleet, "2")
        .expect(0)
        .says("subscriber `s-1` moves to `maple`: this device is changed after that one was verified");
    assert_eq!((fleet.ghn_lines("maple"), fleet.ghn_lines("harbour")), before);
}

#[test]
fn what_was_adopted_is_nobodys_again() {
    let fleet = TestFleet::start(MAPLE, &services());
    let _ = fleet.apply();
    // gamops forgets all of it, and finds it again with one difference.
    std::fs::remove_file(fleet.state()).unwrap();
    fleet.write("services.yaml", &services().replace("vlan: 101", "vlan: 111"));
    let _ = fleet.apply().says("adopt");
    let _ = undo(&fleet, "1").expect(0);
    fleet.write("services.yaml", "");
    let plan = fleet
        .run(&["plan", "--detailed-exitcode"])
        .expect(0)
        .says("unmanaged, left alone");
    assert!(!plan.stdout.contains("DESTROY"), "{}", plan.stdout);
}
