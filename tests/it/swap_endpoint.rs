//! `gamops swap-endpoint`: the edit, the device and the history together, or none of them.

use gamops::sim::Fault;

use crate::fleet::{Ran, SERVICES, TWO, TestFleet};
use crate::history::FILTERS;

const NEW: &str = "00:0e:d8:00:00:77";

/// The fleet as applied, and what the file with the subscribers says.
fn applied() -> TestFleet {
    let fleet = TestFleet::start(TWO, SERVICES);
    let _ = fleet.apply();
    fleet
}

fn services(fleet: &TestFleet) -> String {
    std::fs::read_to_string(fleet.inventory().join("services.yaml")).unwrap()
}

/// Swaps the endpoint of s-1 without being asked.
fn swap(fleet: &TestFleet, more: &[&str]) -> Ran {
    fleet.run(&[&["swap-endpoint", "s-1", NEW, "--auto-approve"], more].concat())
}

/// Whether the fleet is as it was applied: files and devices.
#[track_caller]
fn expect_untouched(fleet: &TestFleet) {
    assert_eq!(services(fleet), SERVICES);
    let held = fleet.ghn_lines("maple");
    assert!(held.iter().any(|line| line.contains("00:0e:d8:00:00:01")), "{held:?}");
    assert!(!held.iter().any(|line| line.contains(NEW)), "{held:?}");
}

#[test]
fn the_subscriber_gets_the_box_in_the_inventory_and_on_the_device_under_the_number_it_had() {
    let fleet = applied();
    let before = fleet.ghn_lines("maple");
    let ran = swap(&fleet, &[]).expect(0);
    insta::with_settings!({filters => FILTERS.to_vec()}, {
        insta::assert_snapshot!("swap_endpoint", ran.stdout.replace(fleet.inventory().to_str().unwrap(), "INVENTORY"));
    });
    assert_eq!(services(&fleet), SERVICES.replace("00:0e:d8:00:00:01", NEW));
    let after = fleet.ghn_lines("maple");
    let changed = |line: &String| {
        line.replace("00:0e:d8:00:00:01", NEW)
            .replace("Positron_000001", "Positron_000077")
    };
    assert_eq!(after, before.iter().map(changed).collect::<Vec<_>>());
    fleet.expect_in_sync();
    let _ = fleet.run(&["history"]).expect(0).says("\n  2  ");
}

#[test]
fn with_a_commit_the_edit_is_in_git_by_itself_and_under_the_name_that_git_knows() {
    let fleet = applied();
    fleet.commit("as applied");
    let git = git2::Repository::open(fleet.inventory()).unwrap();
    let mut config = git.config().unwrap();
    config.set_str("user.name", "Ann Operator").unwrap();
    config.set_str("user.email", "ann@example.org").unwrap();
    fleet.write("notes.txt", "not in Git");
    let _ = swap(&fleet, &["--commit"]).expect(0).says("Edited and committed as ");
    let commit = git.head().unwrap().peel_to_commit().unwrap();
    assert_eq!(commit.author().name().unwrap(), "Ann Operator");
    assert_eq!(
        commit.message().unwrap(),
        "s-1: endpoint 00:0e:d8:00:00:77 in place of 00:0e:d8:00:00:01\n\nBy `gamops swap-endpoint`. Applied to maple by run 2.\n"
    );
    let before = commit.parent(0).unwrap().tree().unwrap();
    let diff = git
        .diff_tree_to_tree(Some(&before), Some(&commit.tree().unwrap()), None)
        .unwrap();
    let files: Vec<String> = (diff.deltas())
        .map(|delta| delta.new_file().path().unwrap().to_string_lossy().into_owned())
        .collect();
    assert_eq!(files, ["services.yaml"]);
}

#[test]
fn a_commit_is_refused_before_anything_is_done_where_it_could_take_something_else_along() {
    let fleet = applied();
    let _ = swap(&fleet, &["--commit"]).expect(1).says("is not in a Git repository");
    fleet.commit("as applied");
    let mut config = git2::Repository::open(fleet.inventory()).unwrap().config().unwrap();
    config.set_str("user.name", "Ann").unwrap();
    config.set_str("user.email", "ann@example.org").unwrap();
    let devices = fleet.devices(TWO, "    labels: { rack: basement }\n");
    fleet.write("devices.yaml", &devices);
    let _ = swap(&fleet, &["--commit"])
        .expect(1)
        .says("devices.yaml has changes that are not committed");
    expect_untouched(&fleet);
}

#[test]
fn what_the_device_refuses_is_taken_back_in_the_inventory_as_well() {
    let fleet = applied();
    fleet.device("maple").set_fault(Fault::Refuse {
        containing: NEW.to_owned(),
        text: "G.hn internal error".to_owned(),
    });
    let _ = swap(&fleet, &[])
        .expect(5)
        .says("ROLLED BACK")
        .says("The edit was taken back: the inventory is as it was.");
    expect_untouched(&fleet);
    fleet.device("maple").clear_faults();
    fleet.expect_in_sync();
}

#[test]
fn a_device_that_cannot_be_reached_leaves_the_inventory_alone_unless_only_the_edit_is_wanted() {
    let fleet = applied();
    fleet.device("maple").set_fault(Fault::RefuseLogins);
    let _ = swap(&fleet, &[])
        .expect(1)
        .says("The inventory was not edited, and nothing was sent to the device.");
    expect_untouched(&fleet);
    let _ = swap(&fleet, &["--edit-only"])
        .expect(0)
        .says("maple is as it was: `gamops apply` does the rest.");
    assert_eq!(services(&fleet), SERVICES.replace("00:0e:d8:00:00:01", NEW));
    fleet.device("maple").clear_faults();
    let _ = fleet.apply();
    fleet.expect_in_sync();
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_is_read_or_written() {
    let fleet = applied();
    let run = |arguments: &[&str]| fleet.run(&[&["swap-endpoint", "--auto-approve"], arguments].concat());
    let _ = run(&["s-11", NEW])
        .expect(1)
        .says("no subscriber `s-11`")
        .says("did you mean `s-1`?");
    let _ = run(&["s-1", "00:0e:d8:00:00:01"])
        .expect(1)
        .says("has endpoint 00:0e:d8:00:00:01 already");
    let _ = run(&["s-1", "00:0e:d8:00:00:04"])
        .expect(1)
        .says("is that of subscriber s-4 on harbour");
    let _ = run(&["s-1", "01:00:5e:00:00:01"])
        .expect(3)
        .says("with this edit the inventory would be invalid");
    let _ = run(&["s-1", "0e:d8"]).expect(64).says("is not a MAC address");
    let _ = run(&["s-1", NEW, "--target", "maple"]).expect(64);
    let _ = fleet
        .run(&["swap-endpoint", "s-1", NEW])
        .expect(64)
        .says("there is no terminal");
    expect_untouched(&fleet);
}

#[test]
fn what_is_held_back_is_not_edited_either() {
    let fleet = applied();
    for (more, says) in [
        ("    mode: observe\n", "maple is in `mode: observe`"),
        ("    paused: cable works\n", "cable works"),
    ] {
        fleet.write("devices.yaml", &fleet.devices(TWO, more));
        let _ = swap(&fleet, &[]).expect(4).says(says);
        expect_untouched(&fleet);
    }
    fleet.write("devices.yaml", &fleet.devices(TWO, "    window: night\n"));
    fleet.write(
        "windows.yaml",
        "windows:\n  night: { start: \"02:00\", length: 3h, zone: UTC }\n",
    );
    let noon = ["--at", "2026-11-27T12:00Z"];
    let _ = swap(&fleet, &noon).expect(4).says("`--ignore-windows` does it now");
    expect_untouched(&fleet);
    let _ = swap(&fleet, &[&noon[..], &["--ignore-windows"]].concat()).expect(0);
    fleet.expect_in_sync();
}
