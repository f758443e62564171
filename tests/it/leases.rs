//! Two runs and one device: one after the other, never at once.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use gamops::sim::{Fault, SimDevice};

use crate::fleet::{Given, Ran, SERVICES, TestFleet};

const MAPLE: &[Given] = &[Given::new("maple", "GAM-4-CX")];

/// The part of the standard services that is on `maple`, in VLANs of this hundred.
fn services(hundred: u16) -> String {
    let lines = SERVICES.lines().filter(|line| !line.contains("harbour"));
    let text: String = lines.map(|line| format!("{line}\n")).collect();
    text.replace("vlan: 1", &format!("vlan: {hundred}"))
}

/// Starts an apply.
fn start(fleet: &TestFleet, more: &[&str]) -> Child {
    let mut command = fleet.command(&["apply", "--auto-approve"]);
    command.args(more).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

fn ended(child: Child) -> Ran {
    child.wait_with_output().unwrap().into()
}

/// The hundreds of the VLANs that were written, in order, each time that they change.
fn hundreds(device: &SimDevice) -> Vec<char> {
    let mut hundreds: Vec<char> = device
        .counters()
        .commands
        .iter()
        .filter(|command| command.starts_with("ghn subscriber"))
        .filter_map(|command| command.split_once("vid ")?.1.chars().next())
        .collect();
    hundreds.dedup();
    hundreds
}

#[test]
fn two_processes_that_want_one_device_never_interleave() {
    let fleet = TestFleet::start(MAPLE, &services(1));
    let _ = fleet.apply();
    let maple = fleet.device("maple");
    maple.set_fault(Fault::Slow { millis: 20 });
    fleet.write("services.yaml", &services(2));
    let one = start(&fleet, &[]);
    // The first has read its inventory when its session is there.
    wait_until("one of them is at the device", || maple.counters().sessions > 0);
    fleet.write("services.yaml", &services(3));
    let other = start(&fleet, &[]);
    let (one, other) = (ended(one), ended(other));
    for ran in [&one, &other] {
        assert!(
            matches!(ran.code, 0 | 4 | 6),
            "{}\n{}\n{}",
            ran.code,
            ran.stdout,
            ran.stderr
        );
    }
    assert!(one.code == 0 || other.code == 0, "nobody got anywhere");
    let order = hundreds(&maple);
    let mut each = order.clone();
    each.sort_unstable();
    each.dedup();
    assert_eq!(order.len(), each.len(), "one after the other: {order:?}");
}

#[cfg(unix)]
#[test]
fn a_run_that_is_busy_with_a_device_is_named_to_the_next_one() {
    let fleet = TestFleet::start(MAPLE, &services(1));
    let maple = fleet.device("maple");
    maple.set_fault(Fault::Slow { millis: 300 });
    let busy = start(&fleet, &[]);
    let pid = busy.id();
    let began = || maple.counters().commands.iter().any(|line| line.starts_with("ghn "));
    wait_until("the first command is sent", began);
    signal("STOP", pid);
    let refused = fleet.run(&["apply", "--auto-approve"]).expect(4);
    signal("CONT", pid);
    let refused = refused.says("REFUSED[device-busy] held by tester@");
    let refused = refused.says(&format!(", process {pid}, since "));
    let _ = refused.says(", run 1").says("it is free at");
    let _ = ended(busy).expect(0);
}

#[cfg(unix)]
#[test]
fn a_run_that_sleeps_past_its_lease_is_taken_over_and_sends_nothing_more() {
    let fleet = TestFleet::start(MAPLE, &services(1));
    let maple = fleet.device("maple");
    maple.set_fault(Fault::Slow { millis: 300 });
    let asleep = start(&fleet, &["--lease-ttl", "2s"]);
    let began = || maple.counters().commands.iter().any(|line| line.starts_with("ghn "));
    wait_until("the first command is sent", began);
    signal("STOP", asleep.id());
    maple.clear_faults();
    // By itself the lease ends, and the next run goes on from there.
    wait_until("the next run gets the device", || {
        let ran = fleet.run(&["apply", "--auto-approve"]);
        assert!(
            matches!(ran.code, 0 | 4),
            "{}\n{}\n{}",
            ran.code,
            ran.stdout,
            ran.stderr
        );
        ran.code == 0
    });
    let sent = || {
        maple
            .counters()
            .commands
            .iter()
            .filter(|line| line.starts_with("ghn "))
            .count()
    };
    let (lines, before) = (fleet.ghn_lines("maple"), sent());
    signal("CONT", asleep.id());
    let woken = ended(asleep).expect(5);
    let _ = woken.says("took the device over, since this run had shown no sign of life for too long");
    assert_eq!(sent(), before, "nothing was sent after waking up");
    assert_eq!(fleet.ghn_lines("maple"), lines);
    fleet.expect_in_sync();
}

#[cfg(unix)]
fn signal(name: &str, pid: u32) {
    let sent = std::process::Command::new("kill")
        .args([&format!("-{name}"), &pid.to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
}

/// Looks again and again until it is so.
fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < deadline, "gave up waiting until {what}");
        std::thread::yield_now();
    }
}
