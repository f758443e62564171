//! Day-to-day actions through the whole program: who is told what, what is sent, what is on record, and who is refused.

use std::process::Stdio;

use gamops::domain::{MacAddr, PortNumber};
use gamops::sim::{AssumedWords, Counted, Fault, Moment};

use crate::crash::{until_held, until_no_session};
use crate::fleet::{Given, Ran, SERVICES, TWO, TestFleet};

const MAC: &str = "00:0e:d8:00:00:01";

fn plug(fleet: &TestFleet, device: &str, mac: &str, port: u64) {
    let mac: MacAddr = mac.parse().unwrap();
    fleet.device(device).plug(mac, PortNumber::try_from(port).unwrap());
}

/// Two devices as the services want them, with the endpoints of s-1 and s-2 there.
fn applied() -> TestFleet {
    let fleet = TestFleet::start(TWO, SERVICES);
    plug(&fleet, "maple", MAC, 1);
    plug(&fleet, "maple", "00:0e:d8:00:00:02", 1);
    let _ = fleet.apply();
    fleet
}

/// How many commands of actions, and how many that change or save settings, a device has seen.
fn sent(fleet: &TestFleet, device: &str) -> (usize, usize) {
    let commands = fleet.device(device).counters().commands;
    let acts = |command: &&String| command.starts_with("reboot") || command.starts_with("clear");
    let sets = |command: &&String| command.starts_with("ghn") || command.starts_with("copy");
    (
        commands.iter().filter(acts).count(),
        commands.iter().filter(sets).count(),
    )
}

fn without_ports(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let line = match line.split_once(" at 127.0.0.1:") {
            Some((head, _)) => format!("{head} at ADDRESS)"),
            None => line.to_owned(),
        };
        out.push_str(&line);
        out.push('\n');
    }
    out
}

#[track_caller]
fn refused(fleet: &TestFleet, arguments: &[&str]) -> Ran {
    let before = sent(fleet, "maple");
    let ran = fleet.run(arguments).expect(4);
    assert_eq!(sent(fleet, "maple"), before, "something was sent");
    ran
}

#[test]
fn an_endpoint_is_restarted_and_waited_for_and_all_of_it_is_on_record() {
    let fleet = applied();
    let before = sent(&fleet, "maple");
    let ran = fleet.run(&["reboot-endpoint", "s-1", "--auto-approve"]).expect(0);
    let ran = ran.says("Done: the endpoint is back after ");
    let shown = ran.stdout.split("Done:").next().unwrap();
    insta::assert_snapshot!("reboot_endpoint", without_ports(shown));
    assert_eq!(sent(&fleet, "maple"), (before.0 + 1, before.1));
    let history = fleet.run(&["history", "show", "2"]).expect(0);
    let history = history
        .says("reboot-endpoint on maple")
        .says("maple  acted: back after ");
    let _ = history.says("| % Rebooting G.hn Endpoint 1 with MAC: 00:0e:d8:00:00:01");
    let _ = fleet.run(&["history"]).expect(0).says("done");
    // No setting was changed, nothing is left to do, and there is nothing to take back.
    fleet.expect_in_sync();
    let _ = fleet
        .run(&["undo", "2", "--auto-approve"])
        .expect(1)
        .says("it changed no setting of maple");
}

#[test]
fn an_endpoint_that_does_not_come_back_in_time_is_said() {
    const SLOW: &[Given] = &[Given {
        key: "maple",
        model: "GAM-4-CX",
        tune: |spec| spec.knobs.endpoint_down_time = std::time::Duration::from_secs(3600),
    }];
    let services = SERVICES
        .lines()
        .filter(|line| !line.contains("harbour"))
        .collect::<Vec<_>>();
    let fleet = TestFleet::start(SLOW, &services.join("\n"));
    plug(&fleet, "maple", MAC, 1);
    let _ = fleet.apply();
    let _ = fleet
        .run(&["reboot-endpoint", "s-1", "--auto-approve", "--wait", "1s"])
        .expect(1)
        .says("the endpoint is not back after 1 s");
    let _ = fleet
        .run(&["history", "show", "2"])
        .expect(0)
        .says("maple  acted: not back after 1 s");
    // It is gone now, and a device refuses to restart what it does not see.
    let _ = fleet
        .run(&["reboot-endpoint", "maple/endpoint/s-1", "--auto-approve"])
        .expect(1)
        .says("the device does not see endpoint 00:0e:d8:00:00:01");
}

#[test]
fn counters_of_a_subscriber_a_port_or_a_whole_device_are_cleared() {
    let fleet = applied();
    let clear = |what: &str, commands: usize| {
        let before = sent(&fleet, "maple");
        let ran = fleet.run(&["clear-counters", what, "--auto-approve"]).expect(0);
        let ran = ran.says("interrupts nobody");
        assert_eq!(sent(&fleet, "maple"), (before.0 + commands, before.1), "{}", ran.stdout);
        ran
    };
    let _ = clear("s-1", 1).says("clear ghn endpoint mac-address 00:0e:d8:00:00:01 statistics");
    let _ = clear("maple/port/3", 1).says("clear ghn port 3 statistics");
    // Four ports and two endpoints.
    let _ = clear("maple", 6);
    for (what, why) in [
        ("maple/port/5", "the device has no port 5"),
        ("maple/profile/gold", "is nothing that this can be done with"),
        ("mapel", "no device or subscriber `mapel`; did you mean `maple`?"),
        ("s-3", "the device does not see endpoint 00:0e:d8:00:00:03"),
    ] {
        let _ = fleet
            .run(&["clear-counters", what, "--auto-approve"])
            .expect(1)
            .says(why);
    }
}

#[test]
fn a_refused_command_stops_and_is_on_record() {
    let fleet = applied();
    fleet.device("maple").set_fault(Fault::Refuse {
        containing: "clear ghn port 2".to_owned(),
        text: "G.hn internal error".to_owned(),
    });
    let ran = fleet.run(&["clear-counters", "maple", "--auto-approve"]).expect(1);
    let _ = ran
        .says("G.hn internal error")
        .says("taken: clear ghn port 1 statistics");
    let _ = fleet.run(&["history", "show", "2"]).expect(0).says("maple  acted: ");
    fleet.device("maple").clear_faults();
    fleet.expect_in_sync();
}

#[test]
fn nothing_is_sent_to_who_is_paused_observed_or_outside_its_window_or_in_the_middle_of_a_run() {
    let fleet = applied();
    let reboot = ["reboot-endpoint", "s-1", "--auto-approve"];
    let _ = fleet
        .run(&["pause", "maple", "--reason", "splicing", "--for", "1h"])
        .expect(0);
    let _ = refused(&fleet, &reboot)
        .says("is paused: splicing")
        .says("`gamops resume maple`");
    let _ = refused(&fleet, &["cycle-poe", "s-1", "--auto-approve"]).says("is paused: splicing");
    let _ = refused(&fleet, &["clear-counters", "maple", "--auto-approve"]).says("is paused: splicing");
    let _ = fleet.run(&["resume", "maple"]).expect(0);

    fleet.write("devices.yaml", &fleet.devices(TWO, "    mode: observe\n"));
    let _ = refused(&fleet, &reboot).says("is observed only");

    // A window that is open on one minute of the week, which is not this one.
    let closed = "    window: night\n";
    fleet.write("devices.yaml", &fleet.devices(TWO, closed));
    let now = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC);
    let day = now.date().tomorrow().unwrap().tomorrow().unwrap().weekday();
    let day = format!("{day:?}").to_lowercase();
    fleet.write(
        "gamops.yaml",
        &format!(
            "format: 1\ninventory: test\ndefaults: {{ credentials: factory, mode: manage }}\nwindows:\n  night: {{ days: [{}], start: \"12:00\", length: 1m, zone: Etc/UTC }}\n",
            &day[..3]
        ),
    );
    let _ =
        refused(&fleet, &reboot).says("REFUSED[window-closed]: subscribers would feel it, and window night is closed");
    // Nobody feels that.
    let _ = fleet.run(&["clear-counters", "s-1", "--auto-approve"]).expect(0);
    let _ = fleet.run(&[&reboot[..], &["--ignore-windows"]].concat()).expect(0);

    let _ = fleet
        .run(&["reboot-endpoint", "s-1"])
        .expect(64)
        .says("no terminal to ask");
    let _ = fleet
        .run(&["reboot-endpoint", "s-9", "--auto-approve"])
        .expect(1)
        .says("no subscriber `s-9`");
}

const POWERED: &[Given] = &[Given::new("maple", "GAM-4-CX")];

const ONE: &str = "\
plans:
  gold: { rate: 500 Mbps }
subscribers:
  s-1: { device: maple, endpoint: \"00:0e:d8:00:00:01\", port: 1, plan: gold, vlan: 101 }
";

/// One device with one subscriber.
fn powered(given: &[Given]) -> TestFleet {
    let fleet = TestFleet::start(given, ONE);
    let _ = fleet.apply();
    fleet
}

#[test]
fn the_power_is_taken_away_given_back_and_never_saved() {
    let fleet = powered(POWERED);
    let before = fleet.device("maple").running_config();
    let saves = fleet.device("maple").counters().saves;
    let ran = fleet
        .run(&["cycle-poe", "s-1", "--auto-approve", "--off-for", "0s"])
        .expect(0);
    let ran = ran.says("Done: the power is back, read back and as it was. Nothing was saved.");
    let shown = ran.stdout.split("Done:").next().unwrap();
    insta::assert_snapshot!("cycle_poe", without_ports(shown));
    assert_eq!(fleet.device("maple").running_config(), before);
    assert_eq!(fleet.device("maple").counters().saves, saves);
    let poe: Vec<String> = fleet.device("maple").counters().commands;
    let poe: Vec<&str> = poe
        .iter()
        .filter_map(|command| command.split_once(" poe "))
        .map(|(_, word)| word)
        .collect();
    assert_eq!(poe, ["enable", "disable", "enable"]);
    let history = fleet.run(&["history", "show", "2"]).expect(0);
    let _ = history
        .says("the power was off for 0 s")
        .says("giving back: ghn subscriber 1 poe enable");
    fleet.expect_in_sync();
    let _ = fleet
        .run(&["undo", "2", "--auto-approve"])
        .expect(1)
        .says("was given back what it held at once");
}

#[test]
fn a_word_that_the_device_does_not_know_is_found_out_before_the_power_is_off() {
    let fleet = powered(&[Given {
        tune: |spec| spec.knobs.assumed_words = AssumedWords::Refused,
        ..POWERED[0]
    }]);
    let ran = fleet.run(&["cycle-poe", "s-1", "--auto-approve", "--off-for", "0s"]);
    assert_ne!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let commands = fleet.device("maple").counters().commands;
    assert!(
        !commands.iter().any(|command| command.contains("poe disable")),
        "{commands:?}"
    );
    fleet.expect_in_sync();
}

#[test]
fn the_power_is_not_touched_where_its_mode_is_not_shown_or_it_is_off() {
    let fleet = powered(&[Given {
        tune: |spec| spec.knobs.print_poe = false,
        ..POWERED[0]
    }]);
    let _ = refused(&fleet, &["cycle-poe", "s-1", "--auto-approve"])
        .says("REFUSED[poe-unknown]")
        .says("could not be given back");
    let fleet = powered(POWERED);
    fleet.write("services.yaml", &ONE.replace("vlan: 101", "vlan: 101, poe: disable"));
    let _ = fleet.apply();
    let _ = refused(&fleet, &["cycle-poe", "s-1", "--auto-approve"]).says("PoE is off for this subscriber");
}

#[test]
fn killed_while_the_power_is_off_the_next_apply_gives_it_back() {
    let fleet = powered(POWERED);
    let before = fleet.device("maple").running_config();
    let device = fleet.device("maple");
    // The first command gives what is there already, the second takes it away.
    device.set_fault(Fault::Hold {
        at: 2,
        of: Counted::Configuration,
        when: Moment::After,
    });
    let mut child = fleet
        .command(&["cycle-poe", "s-1", "--auto-approve", "--off-for", "1h"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    until_held(&fleet, &device);
    child.kill().unwrap();
    child.wait().unwrap();
    device.clear_faults();
    until_no_session(&device);
    assert!(device.running_config().contains("poe disable"));
    let _ =
        refused(&fleet, &["reboot-endpoint", "s-1", "--auto-approve"]).says("has not come to its end on this device");
    let _ = fleet.apply();
    assert_eq!(device.running_config(), before);
    fleet.expect_in_sync();
}
