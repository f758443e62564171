//! The fault matrix: what goes wrong, and what is true afterwards. The rows are the expectations of the tests and the
//! lines of `docs/faults.md`, so that the page cannot say what is not so.

mod rows;

use std::fmt::Write as _;
use std::process::Stdio;

use gamops::sim::{Fault, SimDevice};
use rusqlite::Connection;

use crate::crash::{self, journal};
use crate::fleet::{Given, Ran, TestFleet};

use rows::{Next, ROWS, Row};

const HEAD: &str = "\
# What can go wrong, and what is true afterwards

Every line is a test that runs the real program against a simulated device over SSH and SNMP. The device holds what one
commit says; the next commit takes a subscriber away, brings one with a plan of its own, and changes one: six commands.
`gamops apply` meets the fault; then it is over, and `gamops plan` says what is left. In every line the apply after that
ends with 0, the plan after that says `No changes`, and running and startup configuration are the same.

- **exit**: how the disturbed apply ends, see the README.
- **journal**: how that run stands in the state database: `saved`; `rolled-back`, as if it had never been; `sending` and
  `verified`, where gamops was killed; `none`, where nothing was begun, and nothing sent.
- **running = startup**: whether a reboot right after the disturbed apply would lose anything.
- **next plan**: `nothing`; `the change` as it was; `the rest` of it, or all of it where nothing was done yet; `to save`
  what is there already.

Made from the rows in `tests/it/matrix/rows.rs` by the test `the_fault_matrix_is_current`;
`UPDATE_DOCS=1 cargo test --test it matrix` writes it.

| what goes wrong | exit | journal | running = startup | next plan | what gamops says | test |
|---|---|---|---|---|---|---|
";

/// What was seen, in the words of the table.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    exit: &'static str,
    journal: String,
    saved: bool,
    next: Next,
}

fn device(fleet: &TestFleet) -> std::sync::Arc<SimDevice> {
    fleet.device("maple")
}

/// Runs a row's test: once, or at each of its moments.
fn check(name: &str) {
    let row = ROWS.iter().find(|row| row.name == name).unwrap();
    for at in 1..=row.times {
        let fleet = begin(row);
        let before = device(&fleet).counters().commands.len();
        let runs = journal(&fleet.state(), "SELECT CAST(max(run) AS TEXT) FROM device_runs")
            .pop()
            .unwrap();
        (row.arrange)(&fleet, at);
        let ran = if row.kills {
            killed(&fleet)
        } else {
            fleet.run(&["apply", "--auto-approve"])
        };
        device(&fleet).clear_faults();
        let said = format!(
            "{} at {at}\n--- stdout\n{}\n--- stderr\n{}",
            row.name, ran.stdout, ran.stderr
        );
        assert!(said.contains(row.says), "no `{}` in {said}", row.says);
        let last = "SELECT run || ' ' || state FROM device_runs ORDER BY run DESC LIMIT 1";
        let last = journal(&fleet.state(), last).pop().unwrap();
        let (run, state) = last.split_once(' ').unwrap();
        let begun = run != runs;
        let running = fleet.ghn_lines("maple");
        let seen = Seen {
            exit: exit(&ran),
            journal: if begun { state.to_owned() } else { "none".to_owned() },
            saved: running == crate::fleet::ghn_lines(&device(&fleet).startup_config().unwrap_or_default()),
            next: next(&fleet, row),
        };
        // The rest of a change of which nothing was done yet is the change; where all of it was done, it is to be saved.
        let next = match (row.next, &seen.next) {
            (Next::Rest, Next::Change) => Next::Change,
            (Next::Rest, Next::Save) => Next::Save,
            (next, _) => next,
        };
        let expected = Seen {
            exit: row.exit,
            journal: row.journal.to_owned(),
            saved: row.saved,
            next,
        };
        assert_eq!(seen, expected, "{said}");
        if !begun {
            let sent = device(&fleet).counters().commands.split_off(before);
            let sent = crash::configuration(&sent);
            assert!(sent.is_empty(), "{sent:?} was sent and is not in the journal: {said}");
        }
        (row.repair)(&fleet);
        let again = fleet.run(&["apply", "--auto-approve"]);
        assert_eq!(again.code, 0, "then\n{}\n{}\nafter {said}", again.stdout, again.stderr);
        fleet.expect_in_sync();
    }
}

fn begin(row: &Row) -> TestFleet {
    const MAPLE: &[Given] = &[Given::new("maple", "GAM-4-CX")];
    let fleet = TestFleet::start(MAPLE, crash::BEFORE);
    let _ = fleet.apply();
    (row.before)(&fleet);
    fleet.write("services.yaml", crash::AFTER);
    fleet
}

fn killed(fleet: &TestFleet) -> Ran {
    let mut command = fleet.command(&["apply", "--auto-approve"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    crash::until_held(fleet, &device(fleet));
    child.kill().unwrap();
    let ran = Ran::from(child.wait_with_output().unwrap());
    crash::until_no_session(&device(fleet));
    ran
}

fn exit(ran: &Ran) -> &'static str {
    match ran.code {
        0 => "0",
        1 => "1",
        4 => "4",
        5 => "5",
        6 => "6",
        -1 => "killed",
        code => panic!("exit {code}\n{}\n{}", ran.stdout, ran.stderr),
    }
}

/// What the next plan says, in one word.
fn next(fleet: &TestFleet, row: &Row) -> Next {
    (row.repair)(fleet);
    let plan = fleet.run(&["plan"]).expect(0);
    let says = |text: &str| plan.stdout.contains(text);
    if says("No changes.") {
        Next::Nothing
    } else if says("3 to add, 1 to change, 2 to destroy") {
        Next::Change
    } else if says("device to save") && says("0 to add, 0 to change, 0 to destroy") {
        Next::Save
    } else {
        Next::Rest
    }
}

macro_rules! rows {
    ($($name:ident)*) => {
        $(#[test] fn $name() { check(stringify!($name)); })*

        #[test]
        fn every_row_has_a_test() {
            let tests = [$(stringify!($name)),*];
            let rows: Vec<&str> = ROWS.iter().map(|row| row.name).collect();
            assert_eq!(rows, tests);
        }
    };
}

rows! {
    slow
    split_words
    pager_in_the_way
    silent_snmp
    half_a_reply
    garbage_in_a_reply
    garbage_in_the_reading
    garbage_in_the_reading_back
    no_session_left
    rejected_login
    other_host_key
    other_device
    cut_off_before_each_command
    cut_off_after_each_command
    rebooted_at_each_command
    rebooted_before_saving
    cut_off_while_saving
    refused_at_each_command
    refused_to_save
    altered_value
    ignored_command
    somebody_before_the_first_command
    somebody_elsewhere_meanwhile
    somebody_at_the_same_object
    killed_at_each_command
    killed_before_saving
}

#[test]
fn the_fault_matrix_is_current() {
    let mut page = HEAD.to_owned();
    for row in ROWS {
        let saved = if row.saved { "yes" } else { "no" };
        writeln!(
            page,
            "| {} | {} | `{}` | {saved} | {} | {} | `{}` |",
            row.fault,
            row.exit,
            row.journal,
            row.next.words(),
            row.shown(),
            row.name
        )
        .unwrap();
    }
    let path = crate::validate::package().join("docs/faults.md");
    crate::validate::assert_current(&path, &page, "UPDATE_DOCS");
}

/// Makes the pin of `maple` another one, as if the device had been that when it was met.
fn repin(fleet: &TestFleet, column: &str, value: &str) {
    let database = Connection::open(fleet.state()).unwrap();
    let changed = database.execute(
        &format!("UPDATE pins SET {column} = ?1 WHERE device = 'maple'"),
        [value],
    );
    assert_eq!(changed.unwrap(), 1);
}

fn set(fleet: &TestFleet, fault: Fault) {
    device(fleet).set_fault(fault);
}
