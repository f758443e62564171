//! Pauses without a commit, as whoever runs the program meets them.

use crate::fleet::{Given, Ran, SERVICES, TWO, TestFleet};

fn json(ran: Ran) -> serde_json::Value {
    serde_json::from_str(&ran.expect(0).stdout).unwrap()
}

fn saves(fleet: &TestFleet, key: &str) -> u64 {
    fleet.device(key).counters().saves
}

#[test]
fn a_paused_device_is_planned_shown_and_not_changed_until_it_is_resumed() {
    let fleet = TestFleet::start(TWO, SERVICES);
    let _ = fleet
        .run(&["pause", "maple", "--reason", "splicing", "--until", "9999-01-01T00:00Z"])
        .expect(0)
        .says("Paused until 9999-01-01T00:00:00Z: maple.");
    let plan = fleet.run(&["plan"]).expect(0);
    let plan = plan.says("paused: splicing, until 9999-01-01T00:00:00Z (tester@");
    let _ = plan.says("subscriber/s-1");
    let _ = fleet
        .run(&["show", "maple"])
        .expect(0)
        .says("paused: splicing, until 9999-01-01T00:00:00Z (tester@");

    let plan = json(fleet.run(&["plan", "--format", "json"]));
    let maple = &plan["devices"][1];
    assert_eq!(
        (&maple["device"], &maple["status"]),
        (&"maple".into(), &"paused".into())
    );
    assert_eq!(maple["pauses"][0]["reason"], "splicing");
    assert_eq!(maple["pauses"][0]["until"], "9999-01-01T00:00:00Z");
    assert_eq!(maple["pauses"][0]["of_all"], false);
    assert!(maple["pauses"][0]["by"].as_str().unwrap().starts_with("tester@"));
    assert_eq!(plan["devices"][0]["pauses"], serde_json::json!([]));
    let schema = json(fleet.run(&["schema", "plan"]));
    assert!(jsonschema::is_valid(&schema, &plan));

    let _ = fleet.apply();
    assert_eq!((saves(&fleet, "maple"), saves(&fleet, "harbour")), (0, 1));
    let _ = fleet.run(&["resume", "maple"]).expect(0).says("Resumed: maple.");
    let _ = fleet.apply();
    fleet.expect_in_sync();
    let _ = fleet.run(&["resume", "maple"]).expect(0).says("Was not paused: maple.");
}

#[test]
fn a_pause_of_all_holds_for_devices_that_come_later_and_is_ended_by_itself_only() {
    const LATER: &[Given] = &[Given::new("maple", "GAM-4-CX"), Given::new("harbour", "GAM-12-M")];
    let fleet = TestFleet::start(LATER, "");
    fleet.write("devices.yaml", &fleet.devices(&LATER[..1], ""));
    let _ = fleet
        .run(&["pause", "--all", "--reason", "core migration", "--until-resumed"])
        .expect(0)
        .says("Paused until somebody resumes it: all devices.");
    fleet.write(
        "devices.yaml",
        &fleet.devices(LATER, "    paused: works in the cellar\n"),
    );
    fleet.write("services.yaml", SERVICES);
    let plan = json(fleet.run(&["plan", "--format", "json"]));
    let pauses = plan["devices"][0]["pauses"].as_array().unwrap();
    assert_eq!(pauses.len(), 2, "{pauses:?}");
    assert_eq!(
        (&pauses[0]["by"], &pauses[1]["of_all"]),
        (&serde_json::Value::Null, &true.into())
    );
    let _ = fleet.apply();
    assert_eq!(saves(&fleet, "maple") + saves(&fleet, "harbour"), 0);

    let _ = fleet
        .run(&["resume", "harbour"])
        .expect(0)
        .says("Was not paused: harbour.")
        .says("harbour is still paused: core migration (all devices, tester@")
        .says("harbour is still paused in the inventory: works in the cellar");
    fleet.write("devices.yaml", &fleet.devices(LATER, ""));
    let _ = fleet
        .run(&["pause", "harbour", "--reason", "painting", "--for", "2h"])
        .expect(0);
    let _ = fleet
        .run(&["resume", "--all"])
        .expect(0)
        .says("Resumed: all devices.")
        .says("harbour is still paused by itself: painting");
    let _ = fleet.apply();
    assert_eq!((saves(&fleet, "maple"), saves(&fleet, "harbour")), (1, 0));
}

#[test]
fn the_list_says_who_why_and_until_when() {
    let fleet = TestFleet::start(TWO, SERVICES);
    let _ = fleet.run(&["pause"]).expect(0).says("Nothing is paused.");
    let pause = |what: &[&str], reason: &str, until: &str| {
        let arguments = [&["pause"], what, &["--reason", reason, "--until", until]].concat();
        let _ = fleet.run(&arguments).expect(0);
    };
    pause(&["maple", "harbour"], "splicing", "9999-01-01T00:00Z");
    pause(&["maple"], "splicing takes longer", "9999-02-01T00:00Z");
    pause(&["--all"], "moving the core", "9999-03-01T00:00Z");
    let list = fleet.run(&["pause"]).expect(0).stdout;
    insta::with_settings!({filters => vec![(r"tester@\S+ at \S+:", "tester@HOST at TIME:")]}, {
        insta::assert_snapshot!("list", list);
    });
    let list = json(fleet.run(&["pause", "--format", "json"]));
    assert_eq!(list[0]["device"], serde_json::Value::Null);
    assert_eq!(list[2]["device"], "maple");
    assert_eq!(list[2]["pause"]["reason"], "splicing takes longer");
    assert_eq!(list.as_array().unwrap().len(), 3);
}

#[test]
fn a_pause_ends_by_itself() {
    let fleet = TestFleet::start(TWO, SERVICES);
    let until = "2099-01-01T06:00Z";
    let _ = fleet
        .run(&["pause", "maple", "--reason", "splicing", "--until", until])
        .expect(0);
    let before = json(fleet.run(&["plan", "--format", "json", "--at", "2099-01-01T05:59Z"]));
    assert_eq!(before["devices"][1]["status"], "paused");
    let after = json(fleet.run(&["plan", "--format", "json", "--at", until]));
    assert_eq!(after["devices"][1]["status"], "ready");
}

#[test]
fn a_kept_plan_does_not_fit_a_device_that_was_paused_since_nor_one_that_was_resumed() {
    let fleet = TestFleet::start(TWO, SERVICES);
    let file = fleet.inventory().with_file_name("friday.plan");
    let file = file.to_str().unwrap();
    let pause = ["pause", "maple", "--reason", "splicing", "--for", "1h"];
    let _ = fleet.run(&["plan", "--out", file]).expect(0);
    let _ = fleet.run(&pause).expect(0);
    let _ = fleet
        .run(&["apply", file])
        .expect(6)
        .says("maple  MOVED: it is paused now: splicing, until ");
    assert_eq!(saves(&fleet, "maple") + saves(&fleet, "harbour"), 0);

    let _ = fleet.run(&["plan", "--out", file]).expect(0);
    let _ = fleet.run(&["resume", "maple"]).expect(0);
    let _ = fleet.run(&["apply", file]).expect(0).says("it is paused no longer");
    assert_eq!((saves(&fleet, "maple"), saves(&fleet, "harbour")), (0, 1));
}

#[test]
fn a_renamed_device_stays_paused() {
    const RENAMED: &[Given] = &[Given::new("maple", "GAM-4-CX")];
    let fleet = TestFleet::start(RENAMED, "");
    let _ = fleet.apply();
    let _ = fleet
        .run(&["pause", "maple", "--reason", "splicing", "--for", "1h"])
        .expect(0);
    let devices = fleet.devices(RENAMED, "    was: maple\n").replace("  maple:", "  oak:");
    fleet.write("devices.yaml", &devices);
    let _ = fleet.run(&["plan"]).expect(0).says("paused: splicing");
    let _ = fleet.run(&["resume", "oak"]).expect(0).says("Resumed: oak.");
    assert!(!fleet.run(&["plan"]).expect(0).stdout.contains("paused"));
}

#[test]
fn what_makes_no_sense_is_said_and_pauses_nothing() {
    let fleet = TestFleet::start(TWO, SERVICES);
    let usage: [&[&str]; 7] = [
        &["pause", "maple"],
        &["pause", "maple", "--reason", "x"],
        &["pause", "maple", "--for", "1h"],
        &["pause", "--reason", "x", "--for", "1h"],
        &["pause", "maple", "--all", "--reason", "x", "--for", "1h"],
        &["pause", "maple", "--reason", " ", "--for", "1h"],
        &["pause", "maple", "--reason", "x", "--until", "2020-01-01T00:00Z"],
    ];
    for arguments in usage {
        let _ = fleet.run(arguments).expect(64);
    }
    let _ = fleet
        .run(&["pause", "maple", "mapel", "--reason", "x", "--for", "1h"])
        .expect(1)
        .says("the inventory has no device `mapel`; did you mean `maple`?");
    let _ = fleet.run(&["pause"]).expect(0).says("Nothing is paused.");
}
