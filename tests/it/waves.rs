//! Changes in portions: what goes wrong in one is not repeated in the next.

use std::io::{BufRead as _, BufReader};

use gamops::reconcile::{DeviceOutcome, Orders};
use gamops::sim::Fault;
use gamops::store::Store;
use serde_json::{Value, json};

use crate::faults::wait_until;
use crate::fleet::{Given, Ran, TestFleet};
use crate::flow::context;

const FIVE: &[Given] = &[
    Given::new("ash", "GAM-4-CX"),
    Given::new("birch", "GAM-4-CX"),
    Given::new("cedar", "GAM-4-CX"),
    Given::new("elm", "GAM-4-CX"),
    Given::new("maple", "GAM-4-CX"),
];

/// One subscriber on each device, and a second one on `elm`.
fn services(plan: &str) -> String {
    let mut text = "plans: { gold: { rate: 500 Mbps }, silver: { rate: 100 Mbps } }\nsubscribers:\n".to_owned();
    for (number, key) in ["ash", "birch", "cedar", "elm", "maple", "elm"].iter().enumerate() {
        text.push_str(&format!(
            "  s-{number}: {{ device: {key}, endpoint: \"00:0e:d8:00:00:0{number}\", port: 1, plan: {plan}, vlan: 10{number} }}\n"
        ));
    }
    text
}

fn policy(waves: &str) -> String {
    format!(
        "format: 1\ninventory: test\ndefaults: {{ credentials: factory, mode: manage }}\npolicies: {{ waves: {waves} }}\n"
    )
}

/// Commands that could change a device.
fn changing(fleet: &TestFleet, device: &str) -> usize {
    let commands = fleet.device(device).counters().commands;
    let changes = |command: &&String| ["conf", "ghn", "copy"].iter().any(|word| command.starts_with(word));
    commands.iter().filter(changes).count()
}

fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap()
}

#[test]
fn a_plan_says_who_is_changed_with_whom() {
    let fleet = TestFleet::start(FIVE, &services("gold"));
    fleet.write("gamops.yaml", &policy("{ canary: [maple], size: 2, pause: 2m }"));
    let plan = fleet.run(&["plan"]).expect(0).stdout;
    let at = plan.find("Waves: ").unwrap();
    insta::assert_snapshot!(plan[at..].trim_end(), @r"
    Waves: 1 canary, then 2 waves of 2, 2 minutes apart; each begins only if every device of the one before is fine.
       1 (canary)  maple
       2           ash, birch
       3           cedar, elm
    ");
    let plan = json(&fleet.run(&["plan", "--format", "json"]).expect(0));
    assert_eq!(
        plan["rollout"],
        json!({
            "waves": [
                { "canary": true, "devices": ["maple"] },
                { "canary": false, "devices": ["ash", "birch"] },
                { "canary": false, "devices": ["cedar", "elm"] },
            ],
            "wave_size": 2,
            "pause_seconds": 120,
        })
    );
    // The command line has the last word.
    let ran = fleet.run(&["plan", "--canary", "1", "--wave-size", "100%", "--wave-pause", "0s"]);
    let _ = ran
        .expect(0)
        .says("Waves: 1 canary, then 1 wave of 4; each begins")
        .says("1 (canary)  ash");
    let ran = fleet.run(&["plan", "--canary", "mapel"]).expect(1);
    let _ = ran.says("canary `mapel`: the inventory has no such device; did you mean `maple`?");
    let _ = fleet.run(&["plan", "--wave-size", "0"]).expect(64).says("such as 20%");
}

#[test]
fn wave_after_wave_all_is_changed() {
    let fleet = TestFleet::start(FIVE, &services("gold"));
    fleet.write("gamops.yaml", &policy("{ canary: 1, size: 40% }"));
    let ran = fleet.run(&["apply", "--auto-approve"]).expect(0);
    let ran = ran.says("wave 1 of 3: 1 device\n").says("wave 3 of 3: 2 devices\n");
    assert!(!ran.stdout.contains("NOT STARTED"), "{}", ran.stdout);
    fleet.expect_in_sync();
}

#[test]
fn a_failed_canary_keeps_every_other_device_as_it_is() {
    let fleet = TestFleet::start(FIVE, &services("gold"));
    fleet.write("gamops.yaml", &policy("{ canary: [elm], size: 2 }"));
    fleet.device("elm").set_fault(Fault::Refuse {
        containing: "ghn subscriber".to_owned(),
        text: "No.".to_owned(),
    });
    let ran = fleet.run(&["apply", "--auto-approve"]).expect(5);
    let ran = ran.says("elm  ROLLED BACK: the device refused a command");
    let _ = ran.says("NOT STARTED: ash, birch, cedar, maple: the canary failed: elm; nothing was sent there");
    for device in ["ash", "birch", "cedar", "maple"] {
        assert_eq!(changing(&fleet, device), 0, "{device}");
    }
    assert!(changing(&fleet, "elm") > 0);
    // The run is on record as what it was, and the next one goes on.
    fleet.device("elm").clear_faults();
    let _ = fleet.apply();
    fleet.expect_in_sync();
}

#[test]
fn a_failed_wave_stops_the_next_one_only() {
    let fleet = TestFleet::start(FIVE, &services("gold"));
    fleet.write("gamops.yaml", &policy("{ canary: 1, size: 2 }"));
    fleet.device("birch").set_fault(Fault::RefuseLogins);
    // Not read, so not in a wave: it stops nobody.
    let ran = fleet.run(&["apply", "--auto-approve"]).expect(5);
    let _ = ran.says("birch  NOT READ").says("elm  ");
    fleet.device("birch").clear_faults();

    fleet.write("services.yaml", &services("silver"));
    fleet.device("cedar").set_fault(Fault::Refuse {
        containing: "ghn".to_owned(),
        text: "No.".to_owned(),
    });
    let before = changing(&fleet, "elm");
    let ran = fleet
        .run(&["apply", "--auto-approve", "--canary", "ash"])
        .expect(5)
        .says("cedar  ROLLED BACK")
        .says("NOT STARTED: elm, maple: wave 2 of 3 failed: cedar");
    assert!(ran.stdout.contains("birch  3 added"), "{}", ran.stdout);
    assert_eq!(changing(&fleet, "elm"), before);
}

#[test]
fn a_device_that_changed_while_it_waited_for_its_wave_is_left_alone() {
    let fleet = TestFleet::start(FIVE, &services("gold"));
    fleet.write("gamops.yaml", &policy("{ canary: [maple] }"));
    let ash = fleet.device("ash");
    let results = fleet.block_on(async {
        let context = context(&fleet, Store::open(&fleet.state()).unwrap());
        let planned = context.plan(&[]).await.unwrap();
        ash.execute("ghn subscriber 7 name \"late\" vid 700");
        context.apply(planned, &Orders::by("test")).await.unwrap().results
    });
    let stale: Vec<&str> = (results.iter())
        .filter(|result| matches!(result.outcome, DeviceOutcome::Stale))
        .map(|result| result.device.as_str())
        .collect();
    assert_eq!(stale, ["ash"]);
    assert_eq!(results.iter().filter(|result| result.outcome.is_fine()).count(), 4);
    assert_eq!((ash.counters().saves, ash.counters().logins), (0, 2));
    // Its own session was kept for who was first.
    assert_eq!(fleet.device("maple").counters().logins, 1);
}

#[cfg(unix)]
#[test]
fn ctrl_c_in_the_pause_ends_the_run_there() {
    let fleet = TestFleet::start(FIVE, &services("gold"));
    fleet.write("gamops.yaml", &policy("{ canary: [maple], pause: 24h }"));
    let mut child = fleet
        .command(&["apply", "--auto-approve"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let pause = lines.find(|line| line.starts_with("wave 2 of 2 begins"));
    assert_eq!(
        pause.as_deref(),
        Some("wave 2 of 2 begins in 24 hours; Ctrl-C ends the run here")
    );
    // The sessions of those that wait were ended.
    wait_until("ash has no session", || fleet.device("ash").counters().sessions == 0);
    let killed = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(killed.success());
    let _rest: Vec<String> = lines.collect();
    let ran = Ran::from(child.wait_with_output().unwrap()).expect(5);
    let _ = ran
        .says("maple  3 added")
        .says("NOT STARTED: ash, birch, cedar, elm: the operator stopped the run before wave 2 of 2");
    assert_eq!(changing(&fleet, "ash"), 0);
}

#[test]
fn a_kept_plan_keeps_its_waves() {
    let fleet = TestFleet::start(FIVE, &services("gold"));
    let file = fleet.inventory().with_file_name("friday.plan");
    let file = file.to_str().unwrap();
    let _ = fleet
        .run(&["plan", "--out", file, "--canary", "cedar", "--wave-size", "3"])
        .expect(0);
    let ran = fleet.run(&["apply", file]).expect(0);
    let _ = ran.says("wave 1 of 3: 1 device\n").says("1 (canary)  cedar");
    fleet.expect_in_sync();
}

#[test]
fn who_gains_a_subscriber_is_in_no_later_wave_than_who_loses_it() {
    let fleet = TestFleet::start(FIVE, &services("gold"));
    let _ = fleet.apply();
    fleet.write("gamops.yaml", &policy("{ canary: [ash], size: 1 }"));
    let moved = services("gold").replace("s-0: { device: ash", "s-0: { device: maple");
    fleet.write("services.yaml", &moved.replace("vlan: 101", "vlan: 111"));
    let ran = fleet.run(&["apply", "--auto-approve"]).expect(0);
    // The canary takes along whom it waits for.
    let _ = ran.says("1 (canary)  maple, ash").says("2           birch");
    fleet.expect_in_sync();
}
