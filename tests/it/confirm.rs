//! Applies that are kept only if somebody confirms them in time.

use std::process::{Child, Stdio};

use gamops::sim::{Counted, Fault, Moment};

use crate::crash::until_held;
use crate::faults::{interrupt, wait_until};
use crate::fleet::{Ran, SERVICES, TWO, TestFleet};
use crate::rollback::{Changing, PAIR, everything, one_on};

/// Runs a statement on the state database and gives its first value as text.
fn database(fleet: &TestFleet, statement: &str) -> Option<String> {
    let database = rusqlite::Connection::open(fleet.state()).unwrap();
    let mut statement = database.prepare(statement).unwrap();
    let mut rows = statement.query([]).unwrap();
    rows.next().unwrap().and_then(|row| row.get(0).unwrap())
}

fn begin(fleet: &TestFleet, within: &str) -> Child {
    fleet
        .command(&["apply", "--auto-approve", "--confirm-within", within])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// A run, number 2, that has changed and verified its devices and waits.
fn waiting(fleet: &TestFleet) -> Child {
    let child = begin(fleet, "1h");
    wait_until("the run waits to be confirmed", || {
        database(fleet, "SELECT deadline FROM confirmations").is_some()
    });
    child
}

fn ended(child: Child) -> Ran {
    Ran::from(child.wait_with_output().unwrap())
}

fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

/// The time to confirm is over, whatever it was.
fn is_over(changing: &Changing) {
    let _ = database(
        &changing.fleet,
        "UPDATE confirmations SET deadline = '2001-01-01T00:00:00Z' RETURNING deadline",
    );
}

#[test]
fn what_is_confirmed_is_saved_and_only_then() {
    let changing = Changing::start();
    let child = waiting(&changing.fleet);
    let maple = changing.maple();
    assert_ne!(maple.running_config(), changing.before.running);
    assert_eq!(maple.startup_config(), changing.before.startup, "nothing is saved yet");
    let _ = changing
        .fleet
        .run(&["plan"])
        .expect(4)
        .says("REFUSED[awaits-confirmation] run 2 on this device waits to be confirmed until")
        .says("`gamops confirm 2` keeps what it made");
    let _ = changing
        .fleet
        .run(&["confirm", "2"])
        .expect(0)
        .says("maple  saved")
        .says("Run 2 is confirmed: 1 of 1 device kept.");
    let ran = ended(child).expect(0).says("verified, saved");
    let _ = ran
        .says("verified; not saved before it is confirmed")
        .says("Keep it with `gamops confirm 2`");
    changing.fleet.expect_in_sync();
}

#[test]
fn what_is_rejected_is_given_back() {
    let changing = Changing::start();
    let child = waiting(&changing.fleet);
    let _ = changing
        .fleet
        .run(&["confirm", "2", "--reject"])
        .expect(0)
        .says("Run 2 is rejected: 1 of 1 device given back.");
    let ran = ended(child).expect(5).says("maple  ROLLED BACK: run 2 was rejected");
    assert_eq!(everything(&changing.fleet), changing.before, "{}", ran.stdout);
    // The first word counts.
    let _ = changing
        .fleet
        .run(&["confirm", "2"])
        .expect(4)
        .says("Run 2 is rejected");
    changing.then_applies();
}

#[test]
fn what_nobody_confirms_is_given_back_when_the_time_is_over() {
    let changing = Changing::start();
    let ran = ended(begin(&changing.fleet, "0s")).expect(5);
    let ran = ran.says("maple  ROLLED BACK: run 2 was not confirmed in time");
    assert_eq!(everything(&changing.fleet), changing.before, "{}", ran.stdout);
    assert_eq!(changing.maple().counters().saves, 1, "it was never saved");
    changing.then_applies();
}

#[cfg(unix)]
#[test]
fn ctrl_c_while_it_waits_gives_back() {
    let changing = Changing::start();
    let child = waiting(&changing.fleet);
    interrupt(&child);
    let ran = ended(child).expect(5).says("maple  ROLLED BACK: run 2 was rejected");
    assert_eq!(everything(&changing.fleet), changing.before, "{}", ran.stdout);
}

#[test]
fn killed_while_it_waits_another_process_does_what_is_said() {
    for (word, verdict) in [
        (&["confirm", "2"][..], "kept"),
        (&["confirm", "2", "--reject"], "given back"),
    ] {
        let changing = Changing::start();
        kill(waiting(&changing.fleet));
        let _ = changing
            .fleet
            .run(&["apply", "--auto-approve"])
            .expect(4)
            .says("waits to be confirmed until");
        let ran = changing
            .fleet
            .run(word)
            .expect(0)
            .says(&format!("1 of 1 device {verdict}"));
        if verdict == "kept" {
            let _ = ran.says("maple  checked and saved");
            changing.fleet.expect_in_sync();
        } else {
            let _ = ran.says("maple  ROLLED BACK: run 2 was rejected");
            assert_eq!(everything(&changing.fleet), changing.before);
        }
    }
}

#[test]
fn killed_while_it_waits_the_next_apply_gives_back_when_the_time_is_over() {
    let changing = Changing::start();
    kill(waiting(&changing.fleet));
    is_over(&changing);
    let _ = changing
        .fleet
        .run(&["plan"])
        .expect(4)
        .says("REFUSED[unconfirmed] run 2 was not confirmed in time, and this device holds what it made");
    let ran = changing.fleet.run(&["apply", "--auto-approve"]).expect(0);
    let _ = ran
        .says("maple  ROLLED BACK: run 2 was not confirmed in time")
        .says("verified, saved");
    changing.fleet.expect_in_sync();
}

#[test]
fn a_word_that_comes_too_late_gives_back() {
    let changing = Changing::start();
    kill(waiting(&changing.fleet));
    is_over(&changing);
    let ran = changing.fleet.run(&["confirm", "2"]).expect(4);
    let _ = ran
        .says("maple  ROLLED BACK: run 2 was not confirmed in time")
        .says("Run 2 is not confirmed in time: 1 of 1 device given back.");
    assert_eq!(everything(&changing.fleet), changing.before);
}

#[test]
fn killed_at_work_the_next_apply_gives_back_first() {
    let changing = Changing::start();
    let maple = changing.maple();
    let already = maple.counters().commands.len();
    maple.set_fault(Fault::Slow { millis: 200 });
    let child = begin(&changing.fleet, "1h");
    wait_until("two commands are sent", || {
        let commands = maple.counters().commands.split_off(already);
        commands.iter().filter(|line| line.starts_with("ghn ")).count() >= 2
    });
    kill(child);
    wait_until("the device has seen the session end", || maple.counters().sessions == 0);
    maple.clear_faults();
    let _ = changing
        .fleet
        .run(&["plan"])
        .expect(4)
        .says("run 2, which is to be confirmed, has not come to its end on this device");
    let _ = changing
        .fleet
        .run(&["confirm", "2"])
        .expect(1)
        .says("run 2 has not come to its end");
    let ran = changing.fleet.run(&["apply", "--auto-approve"]).expect(0);
    let _ = ran.says("maple  ROLLED BACK: run 2 was not confirmed in time");
    changing.fleet.expect_in_sync();
}

#[test]
fn what_a_restart_took_away_is_not_kept() {
    let changing = Changing::start();
    let child = waiting(&changing.fleet);
    changing.fleet.block_on(changing.maple().reboot());
    let _ = changing.fleet.run(&["confirm", "2"]).expect(5);
    let ran = ended(child).expect(5);
    let _ = ran
        .says("maple  ROLLED BACK: the device does not hold what it was asked to")
        .says("nothing had to be given back");
    assert_eq!(everything(&changing.fleet), changing.before);
}

#[test]
fn a_move_that_is_not_confirmed_is_given_back_on_both_devices() {
    let fleet = TestFleet::start(PAIR, &one_on("birch"));
    let _ = fleet.apply();
    let (birch, maple) = (fleet.device("birch"), fleet.device("maple"));
    let before = (birch.running_config(), maple.running_config());
    fleet.write("services.yaml", &one_on("maple"));
    let ran = fleet
        .run(&["apply", "--auto-approve", "--confirm-within", "0s"])
        .expect(5);
    let _ = ran.says("birch  ROLLED BACK: ").says("maple  ROLLED BACK: ");
    assert_eq!((birch.running_config(), maple.running_config()), before);
    let _ = fleet.apply();
    fleet.expect_in_sync();
}

/// A subscriber that has moved from birch to maple in a run that waits, and what the two held before.
fn moving() -> (TestFleet, [String; 2]) {
    let fleet = TestFleet::start(PAIR, &one_on("birch"));
    let _ = fleet.apply();
    let before = held(&fleet);
    fleet.write("services.yaml", &one_on("maple"));
    (fleet, before)
}

fn held(fleet: &TestFleet) -> [String; 2] {
    ["birch", "maple"].map(|key| fleet.device(key).running_config())
}

#[test]
fn a_subscriber_whose_new_device_cannot_be_kept_stays_on_its_old_one() {
    for is_killed in [false, true] {
        let (fleet, before) = moving();
        let child = waiting(&fleet);
        let child = if is_killed {
            kill(child);
            None
        } else {
            Some(child)
        };
        // What was not saved is gone.
        fleet.block_on(fleet.device("maple").reboot());
        let ran = fleet.run(&["confirm", "2"]).expect(5);
        let ran = match child {
            Some(child) => ended(child).expect(5),
            None => ran,
        };
        let _ = ran
            .says("maple  ROLLED BACK: the device does not hold what it was asked to")
            .says("birch  ROLLED BACK: subscriber `s-1` moves to maple, which could not be kept as it is");
        assert_eq!(held(&fleet), before);
        let _ = fleet.apply();
        fleet.expect_in_sync();
    }
}

#[test]
fn a_subscriber_whose_old_device_cannot_be_given_back_stays_on_its_new_one() {
    let (fleet, before) = moving();
    kill(waiting(&fleet));
    let moved = held(&fleet);
    fleet.device("birch").set_fault(Fault::RefuseLogins);
    let ran = fleet.run(&["confirm", "2", "--reject"]).expect(5);
    let ran = ran.says("maple  STOPPED: not given back, so that subscriber `s-1` is somewhere");
    let _ = ran.says("Run 2 is rejected: 0 of 2 devices given back.");
    fleet.device("birch").clear_faults();
    assert_eq!(held(&fleet), moved);
    let _ = fleet
        .run(&["confirm", "2", "--reject"])
        .expect(0)
        .says("Run 2 is rejected: 2 of 2 devices given back.");
    assert_eq!(held(&fleet), before);
}

#[test]
fn killed_while_it_waits_its_devices_are_seen_to_side_by_side() {
    let fleet = TestFleet::start(TWO, SERVICES);
    let _ = fleet.apply();
    let changed = SERVICES
        .replace("vlan: 101", "vlan: 111")
        .replace("vlan: 104", "vlan: 114");
    fleet.write("services.yaml", &changed);
    kill(waiting(&fleet));
    let both = [fleet.device("maple"), fleet.device("harbour")];
    for device in &both {
        wait_until("the device has seen the session end", || {
            device.counters().sessions == 0
        });
        device.set_fault(Fault::Hold {
            at: 1,
            of: Counted::Any,
            when: Moment::Before,
        });
    }
    let mut confirm = fleet.command(&["confirm", "2"]);
    let child = confirm.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Neither has been answered a word, and both are asked.
    both.iter().for_each(|device| until_held(&fleet, device));
    both.iter().for_each(|device| device.clear_faults());
    let _ = ended(child).expect(0).says("Run 2 is confirmed: 2 of 2 devices kept.");
    fleet.expect_in_sync();
}

#[test]
fn only_a_run_that_asks_can_be_confirmed() {
    let changing = Changing::start();
    let _ = changing
        .fleet
        .run(&["confirm", "1"])
        .expect(1)
        .says("there is no run 1 that asks to be confirmed");
    let _ = changing.fleet.run(&["confirm", "one"]).expect(64);
    let arguments = [
        "apply",
        "--confirm-within",
        "5m",
        "--on-failure",
        "leave",
        "--auto-approve",
    ];
    let _ = changing.fleet.run(&arguments).expect(64);
    let arguments = ["apply", "--confirm-within", "soon", "--auto-approve"];
    let _ = changing
        .fleet
        .run(&arguments)
        .expect(64)
        .says("write a length of time such as 90s");
}
