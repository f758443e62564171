//! What happens to an apply that is disturbed and not rolled back: nothing is lost, the next run converges.

use std::time::{Duration, Instant};

use gamops::sim::{Counted, Fault, Moment};

use crate::fleet::{Given, SERVICES, TWO, TestFleet};

const MAPLE: &[Given] = &[Given::new("maple", "GAM-4-CX")];

/// Applies, and leaves a device on which that fails as it is then.
const LEAVING: &[&str] = &["apply", "--auto-approve", "--on-failure", "leave"];

/// The part of the standard services that is on `maple`.
fn services() -> String {
    SERVICES
        .lines()
        .filter(|line| !line.contains("harbour"))
        .map(|line| format!("{line}\n"))
        .collect()
}

/// What the device holds after an apply that nothing disturbed, and how many commands that took.
fn undisturbed() -> (Vec<String>, u32) {
    let fleet = TestFleet::start(MAPLE, &services());
    let _ = fleet.apply();
    let sent = fleet.device("maple").counters().commands;
    let configuration = sent.iter().filter(|command| command.starts_with("ghn ")).count();
    (fleet.ghn_lines("maple"), u32::try_from(configuration).unwrap())
}

/// Disturbs the apply at each command in turn; each time the next run must end where an undisturbed one does.
fn disturbed_at_each_command(fault: impl Fn(u32) -> Fault, taken_away: bool) {
    let (wanted, commands) = undisturbed();
    assert!(commands >= 8, "the test needs something to disturb");
    for at in 1..=commands {
        let fleet = TestFleet::start(MAPLE, &services());
        fleet.device("maple").set_fault(fault(at));
        let ran = fleet.run(LEAVING).expect(5).says("STOPPED").says("left unsaved");
        assert!(ran.stdout.contains("connection"), "{}", ran.stdout);
        assert_eq!(
            fleet.device("maple").counters().saves,
            0,
            "nothing unverified was saved"
        );
        if taken_away {
            assert_eq!(
                fleet.ghn_lines("maple"),
                Vec::<String>::new(),
                "a reboot loses what was not saved"
            );
        }
        fleet.device("maple").clear_faults();
        let _ = fleet.apply();
        assert_eq!(fleet.ghn_lines("maple"), wanted, "cut at command {at}");
        fleet.expect_in_sync();
    }
}

#[test]
fn cut_before_any_command_the_next_run_converges() {
    disturbed_at_each_command(
        |at| Fault::Drop {
            at,
            of: Counted::Configuration,
            when: Moment::Before,
        },
        false,
    );
}

#[test]
fn cut_after_any_command_took_effect_the_next_run_converges() {
    disturbed_at_each_command(
        |at| Fault::Drop {
            at,
            of: Counted::Configuration,
            when: Moment::After,
        },
        false,
    );
}

#[test]
fn rebooted_at_any_command_the_next_run_converges() {
    disturbed_at_each_command(
        |at| Fault::Reboot {
            at,
            of: Counted::Configuration,
            when: Moment::After,
        },
        true,
    );
}

#[test]
fn cut_off_between_verifying_and_saving_the_next_run_saves() {
    let fleet = TestFleet::start(MAPLE, &services());
    let maple = fleet.device("maple");
    let copy = commands_before_copy() + 1;
    maple.set_fault(Fault::Drop {
        at: copy,
        of: Counted::Any,
        when: Moment::Before,
    });
    let _ = fleet.run(LEAVING).expect(5).says("copy running-config startup-config");
    maple.clear_faults();
    assert_eq!(maple.counters().saves, 0);

    let plan = fleet.run(&["plan", "--detailed-exitcode"]).expect(2);
    let _ = plan
        .says("an earlier run was cut off before it saved")
        .says("1 device to save");
    let _ = fleet.apply().says("checked and saved");
    assert_eq!(maple.counters().saves, 1);
    fleet.expect_in_sync();
}

/// How many commands an undisturbed apply sends before it saves.
fn commands_before_copy() -> u32 {
    let fleet = TestFleet::start(MAPLE, &services());
    let _ = fleet.apply();
    let commands = fleet.device("maple").counters().commands;
    let copy = commands
        .iter()
        .position(|command| command.starts_with("copy "))
        .unwrap();
    u32::try_from(copy).unwrap()
}

#[test]
fn a_refused_command_stops_that_device_and_no_other() {
    let fleet = TestFleet::start(TWO, SERVICES);
    let text = "Maximum number of G.hn subscriber reached for the system";
    fleet.device("maple").set_fault(Fault::Refuse {
        containing: "\"s-2\"".to_owned(),
        text: text.to_owned(),
    });
    let ran = fleet.run(LEAVING).expect(5);
    let ran = ran
        .says("maple  STOPPED: the device refused a command")
        .says(&format!("answered: % {text}"));
    let ran = ran
        .says("sent:     ghn subscriber 2 name \"s-2\"")
        .says("taken:    ghn bw-profile 2");
    let ran = ran.says("subscriber 2: object is absent (as before), planned present");
    let _ = ran.says("harbour  5 added, 0 changed, 0 destroyed; verified, saved");
    assert_eq!(fleet.device("maple").counters().saves, 0);
    assert_eq!(fleet.device("harbour").counters().saves, 1);
    fleet.device("maple").clear_faults();
    let _ = fleet.apply();
    fleet.expect_in_sync();
}

#[test]
fn a_command_that_is_taken_and_ignored_is_found_on_reading_back() {
    let fleet = TestFleet::start(MAPLE, &services());
    let _ = fleet.apply();
    fleet.write("services.yaml", &services().replace("vlan: 101", "vlan: 111"));
    fleet.device("maple").set_fault(Fault::Ignore {
        containing: "vid 111".to_owned(),
    });
    let ran = fleet.run(LEAVING).expect(5).says("does not hold what it was asked to");
    let _ = ran.says("subscriber 1: vlan is 101 (as before), planned 111");
    assert_eq!(fleet.device("maple").counters().saves, 1, "the first apply's only");
}

#[test]
fn output_in_small_pieces_changes_nothing() {
    let fleet = TestFleet::start(MAPLE, &services());
    fleet.device("maple").set_fault(Fault::Pieces {
        size: 3,
        pause_millis: 0,
    });
    let _ = fleet.apply();
    fleet.expect_in_sync();
}

#[test]
fn a_reading_that_breaks_off_is_never_planned_from() {
    let fleet = TestFleet::start(MAPLE, &services());
    let _ = fleet.apply();
    for at in 1..=6 {
        let maple = fleet.device("maple");
        maple.set_fault(Fault::Drop {
            at,
            of: Counted::Any,
            when: Moment::InOutput,
        });
        let ran = fleet.run(&["plan"]);
        maple.clear_faults();
        if ran.code != 0 {
            let ran = ran.expect(1).says("NOT READ");
            assert!(!ran.stdout.contains("CREATE"), "{}", ran.stdout);
        }
    }
}

#[test]
fn an_unreachable_device_is_one_line_and_the_others_go_on() {
    let fleet = TestFleet::start(TWO, SERVICES);
    let port = fleet.device("maple").ssh_addr().port();
    // A port that nothing listens on: taken and given back just now.
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let devices = fleet.devices(TWO, "").replace(&port.to_string(), &free.to_string());
    fleet.write("devices.yaml", &devices);
    let _ = fleet
        .run(&["plan"])
        .expect(1)
        .says("! NOT READ")
        .says("Not read: maple");
    let ran = fleet
        .run(&["apply", "--auto-approve"])
        .expect(5)
        .says("maple  NOT READ");
    let _ = ran.says("harbour  5 added");
}

#[test]
fn a_silent_snmp_agent_is_no_error() {
    let fleet = TestFleet::start(MAPLE, &services());
    fleet.device("maple").set_fault(Fault::SnmpSilence);
    let _ = fleet.apply();
    fleet.expect_in_sync();
}

#[test]
fn a_rejected_login_is_tried_once() {
    let fleet = TestFleet::start(MAPLE, &services());
    fleet.device("maple").set_fault(Fault::RefuseLogins);
    let _ = fleet.run(&["plan"]).expect(1).says("NOT READ");
    assert!(fleet.device("maple").counters().rejected_logins <= 1);
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_after_the_command_in_flight_and_the_next_run_goes_on() {
    let fleet = TestFleet::start(MAPLE, &services());
    let maple = fleet.device("maple");
    maple.set_fault(Fault::Slow { millis: 150 });
    let child = fleet
        .command(LEAVING)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    wait_until("the first line is sent", || {
        maple.counters().commands.iter().any(|line| line.starts_with("ghn "))
    });
    interrupt(&child);
    let ran = crate::fleet::Ran::from(child.wait_with_output().unwrap()).expect(5);
    let _ = ran
        .says("INTERRUPTED: interrupted by the operator")
        .says("read back, not as planned");
    assert_eq!(maple.counters().saves, 0);
    maple.clear_faults();
    let _ = fleet.apply();
    fleet.expect_in_sync();
}

#[cfg(unix)]
#[test]
fn killed_outright_in_the_middle_the_next_run_converges() {
    let fleet = TestFleet::start(MAPLE, &services());
    let maple = fleet.device("maple");
    maple.set_fault(Fault::Slow { millis: 100 });
    let mut child = fleet
        .command(&["apply", "--auto-approve"])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let sent = || {
        maple
            .counters()
            .commands
            .iter()
            .filter(|line| line.starts_with("ghn "))
            .count()
    };
    wait_until("three lines are sent", || sent() >= 3);
    child.kill().unwrap();
    child.wait().unwrap();
    wait_until("the device has seen the session end", || maple.counters().sessions == 0);
    maple.clear_faults();
    let _ = fleet.apply();
    fleet.expect_in_sync();
    // What the killed run made is owned: it can be taken away again.
    fleet.write("services.yaml", "");
    let _ = fleet.apply();
    assert_eq!(fleet.ghn_lines("maple"), Vec::<String>::new());
}

/// Applies `after` to a device that was brought to `before`, disturbed at each command in turn: the run after the
/// disturbed one must end where an undisturbed one does, saved. `devices` is added to the device's entry.
fn changed_and_disturbed(before: &str, after: &str, devices: &str, prepare: fn(&TestFleet)) {
    let begin = || {
        let fleet = TestFleet::start(MAPLE, before);
        let _ = fleet.apply();
        prepare(&fleet);
        fleet.write("services.yaml", after);
        fleet.write("devices.yaml", &fleet.devices(MAPLE, devices));
        fleet
    };
    let fleet = begin();
    let already = fleet.device("maple").counters().commands.len();
    let _ = fleet.apply();
    let wanted = fleet.ghn_lines("maple");
    let sent = fleet.device("maple").counters().commands.split_off(already);
    let first = sent.iter().position(|command| command.starts_with("conf")).unwrap();
    for at in first + 1..=sent.len() {
        let at = u32::try_from(at).unwrap();
        let fleet = begin();
        let maple = fleet.device("maple");
        maple.set_fault(Fault::Drop {
            at,
            of: Counted::Any,
            when: Moment::After,
        });
        let cut = fleet.run(LEAVING);
        maple.clear_faults();
        let again = fleet.apply();
        assert_eq!(
            fleet.ghn_lines("maple"),
            wanted,
            "cut at command {at}:\n{}\nthen:\n{}",
            cut.stdout,
            again.stdout
        );
        fleet.expect_in_sync();
    }
}

#[test]
fn a_first_host_name_and_port_name_cut_off_anywhere_are_saved_by_the_next_run() {
    let more = "    hostname: gam-maple\n    ports: { 1: { name: stairs } }\n";
    changed_and_disturbed(&services(), &services(), more, |_| {});
}

#[test]
fn an_adoption_with_changes_cut_off_anywhere_is_saved_by_the_next_run() {
    let after = services().replace("vlan: 101", "vlan: 111");
    changed_and_disturbed(&services(), &after, "", |fleet| {
        std::fs::remove_file(fleet.state()).unwrap();
    });
}

#[test]
fn another_pinned_number_cut_off_anywhere_is_reached_by_the_next_run() {
    let after = services().replace("s-1: { device", "s-1: { id: 40, device");
    changed_and_disturbed(&services(), &after, "", |_| {});
}

#[test]
fn pinned_numbers_exchanged_and_cut_off_anywhere_are_reached_by_the_next_run() {
    let after = services()
        .replace("s-1: { device", "s-1: { id: 2, device")
        .replace("s-2: { device", "s-2: { id: 1, device");
    changed_and_disturbed(&services(), &after, "", |_| {});
}

#[test]
fn names_of_plans_and_subscribers_exchanged_and_cut_off_anywhere_are_reached_by_the_next_run() {
    let before = services()
        .replace("gold: { rate", "gold: { name: one, rate")
        .replace("silver 100", "two")
        .replace("s-1: {", "s-1: { name: left,")
        .replace("s-2: {", "s-2: { name: right,");
    let after = before
        .replace("name: one", "name: X")
        .replace("\"two\"", "one")
        .replace("name: X", "name: two")
        .replace("name: left", "name: X")
        .replace("name: right", "name: left")
        .replace("name: X", "name: right");
    changed_and_disturbed(&before, &after, "", |_| {});
}

#[test]
fn a_new_name_together_with_a_new_cpe_cut_off_and_then_withdrawn_leaves_no_orphan() {
    let renamed = services().replace(
        "s-1: { device: maple, endpoint: \"00:0e:d8:00:00:01",
        "s-1: { name: new, device: maple, endpoint: \"00:0e:d8:00:00:71",
    );
    for at in 1..=3 {
        let fleet = TestFleet::start(MAPLE, &services());
        let _ = fleet.apply();
        fleet.write("services.yaml", &renamed);
        let maple = fleet.device("maple");
        maple.set_fault(Fault::Drop {
            at,
            of: Counted::Configuration,
            when: Moment::After,
        });
        let _ = fleet.run(LEAVING);
        maple.clear_faults();
        fleet.write("services.yaml", "");
        let _ = fleet.apply();
        assert_eq!(fleet.ghn_lines("maple"), Vec::<String>::new(), "cut at {at}");
        fleet.expect_in_sync();
    }
}

/// Presses Ctrl-C.
#[cfg(unix)]
pub(crate) fn interrupt(child: &std::process::Child) {
    let killed = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(killed.success());
}

/// Looks again and again until it is so.
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < deadline, "gave up waiting until {what}");
        std::thread::yield_now();
    }
}
