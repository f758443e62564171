//! The program killed anywhere, a disk that is full, a database that is held, damaged or somebody else's: nothing is
//! sent that is not written down, and the next run goes on where the last one was, repeating nothing.

use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use gamops::sim::{Counted, Fault, Moment, SimDevice};
use rusqlite::Connection;

use crate::fleet::{Given, Ran, TestFleet};

const MAPLE: &[Given] = &[Given::new("maple", "GAM-4-CX")];

pub(crate) const BEFORE: &str = "\
plans:
  gold: { rate: 500 Mbps }
subscribers:
  s-1: { device: maple, endpoint: \"00:0e:d8:00:00:01\", port: 1, plan: gold, vlan: 101 }
  s-2: { device: maple, endpoint: \"00:0e:d8:00:00:02\", port: 1, plan: gold, vlan: 102 }
";

/// One subscriber goes, one comes with a plan of its own, one changes.
pub(crate) const AFTER: &str = "\
plans:
  gold: { rate: 500 Mbps }
  silver: { rate: 100 Mbps }
subscribers:
  s-2: { device: maple, endpoint: \"00:0e:d8:00:00:02\", port: 1, plan: gold, vlan: 112 }
  s-3: { device: maple, endpoint: \"00:0e:d8:00:00:03\", port: 2, plan: silver, vlan: 103 }
";

/// A device brought to [`BEFORE`], with [`AFTER`] to be applied.
pub(crate) fn begin() -> TestFleet {
    let fleet = TestFleet::start(MAPLE, BEFORE);
    let _ = fleet.apply();
    fleet.write("services.yaml", AFTER);
    fleet
}

fn commands(device: &SimDevice, since: usize) -> Vec<String> {
    device.counters().commands.split_off(since)
}

pub(crate) fn configuration(commands: &[String]) -> Vec<&str> {
    let lines = commands.iter().map(String::as_str);
    lines
        .filter(|line| line.starts_with("ghn ") || line.starts_with("no ghn "))
        .collect()
}

fn start(fleet: &TestFleet) -> Child {
    let mut command = fleet.command(&["apply", "--auto-approve"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Waits until a command is held.
pub(crate) fn until_held(fleet: &TestFleet, device: &SimDevice) {
    let held = async { tokio::time::timeout(Duration::from_secs(60), device.until_held()).await };
    fleet.block_on(held).expect("no command was held");
}

pub(crate) fn until_no_session(device: &SimDevice) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while device.counters().sessions > 0 {
        assert!(Instant::now() < deadline, "the device never saw the session end");
        std::thread::yield_now();
    }
}

/// Reads one column of the journal.
pub(crate) fn journal(state: &Path, query: &str) -> Vec<String> {
    let database = Connection::open(state).unwrap();
    let mut query = database.prepare(query).unwrap();
    let rows = query.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

/// The place, from 1, of the newest command that begins so among all of an apply that nothing disturbs.
pub(crate) fn place_of(beginning: &str) -> u32 {
    static COMMANDS: LazyLock<Vec<String>> = LazyLock::new(|| {
        let fleet = begin();
        let since = fleet.device("maple").counters().commands.len();
        let _ = fleet.apply();
        commands(&fleet.device("maple"), since)
    });
    let place = COMMANDS.iter().rposition(|command| command.starts_with(beginning));
    u32::try_from(place.unwrap() + 1).unwrap()
}

const SENT_LAST: &str = "SELECT command FROM exchanges WHERE run = (SELECT max(id) FROM runs) ORDER BY step";

/// Kills the program at each of its commands from the first that could change anything to the last, before or after
/// that one took effect.
fn killed_at_each_command(when: Moment) {
    let fleet = begin();
    let since = fleet.device("maple").counters().commands.len();
    let _ = fleet.apply();
    let wanted = fleet.ghn_lines("maple");
    let undisturbed = commands(&fleet.device("maple"), since);
    let all = configuration(&undisturbed);
    let first = undisturbed.iter().position(|line| line.starts_with("conf")).unwrap();
    let copy = undisturbed.iter().position(|line| line.starts_with("copy ")).unwrap();
    assert!(all.len() >= 6, "the test needs something to disturb: {all:?}");
    for at in first..undisturbed.len() {
        let held = &undisturbed[at];
        let fleet = begin();
        let maple = fleet.device("maple");
        let since = maple.counters().commands.len();
        let saves = maple.counters().saves;
        let fault = Fault::Hold {
            at: u32::try_from(at + 1).unwrap(),
            of: Counted::Any,
            when,
        };
        maple.set_fault(fault);
        let mut killed = start(&fleet);
        until_held(&fleet, &maple);
        killed.kill().unwrap();
        killed.wait().unwrap();
        until_no_session(&maple);
        maple.clear_faults();

        let first_run = commands(&maple, since);
        assert_eq!(first_run.last(), Some(held));
        assert_eq!(
            configuration(&journal(&fleet.state(), SENT_LAST)),
            configuration(&first_run),
            "killed at `{held}`: what was sent is what is written down"
        );
        let took_effect = usize::from(when == Moment::After) + at;
        let saved = u64::from(took_effect > copy);
        assert_eq!(maple.counters().saves - saves, saved, "killed at `{held}`");

        let since = maple.counters().commands.len();
        let _ = fleet.apply();
        let done = configuration(&undisturbed[..took_effect]).len();
        assert_eq!(
            configuration(&commands(&maple, since)),
            all[done..],
            "killed at `{held}`: nothing that was done is repeated"
        );
        assert_eq!(maple.counters().saves - saves, 1, "killed at `{held}`");
        assert_eq!(fleet.ghn_lines("maple"), wanted, "killed at `{held}`");
        fleet.expect_in_sync();
        let unfinished = "SELECT state FROM device_runs WHERE state NOT IN ('saved', 'settled', 'rolled-back')
                          AND run = (SELECT max(run) FROM device_runs)";
        assert_eq!(
            journal(&fleet.state(), unfinished),
            Vec::<String>::new(),
            "killed at `{held}`"
        );
        let owned = journal(&fleet.state(), "SELECT kind || '/' || key FROM objects ORDER BY 1");
        let all_owned = [
            "endpoint/s-2",
            "endpoint/s-3",
            "profile/gold",
            "profile/silver",
            "subscriber/s-2",
            "subscriber/s-3",
        ];
        assert_eq!(owned, all_owned, "killed at `{held}`");
    }
}

#[test]
fn killed_before_any_command_took_effect_the_next_run_sends_the_rest() {
    killed_at_each_command(Moment::Before);
}

#[test]
fn killed_after_any_command_took_effect_the_next_run_repeats_nothing() {
    killed_at_each_command(Moment::After);
}

#[test]
fn killed_while_something_protected_gets_another_number_the_next_run_goes_on() {
    let services = |id: &str| BEFORE.replace("s-1: {", &format!("s-1: {{ protect: true, {id}"));
    let fleet = TestFleet::start(MAPLE, &services(""));
    let _ = fleet.apply();
    fleet.write("services.yaml", &services("id: 40, "));
    let maple = fleet.device("maple");
    maple.set_fault(Fault::Hold {
        at: 1,
        of: Counted::Configuration,
        when: Moment::Before,
    });
    let mut killed = start(&fleet);
    until_held(&fleet, &maple);
    killed.kill().unwrap();
    killed.wait().unwrap();
    until_no_session(&maple);
    maple.clear_faults();
    let _ = fleet.apply();
    fleet.expect_in_sync();
    let lines = fleet.ghn_lines("maple");
    let under = |number: &str| {
        lines
            .iter()
            .any(|line| line.starts_with(&format!("ghn subscriber {number} ")))
    };
    assert!(under("40") && !under("1"), "{lines:?}");
}

/// Applies with no file allowed to grow beyond so many blocks of 512 bytes. A write beyond it fails as on a full disk,
/// or kills the program where `deadly`.
fn with_little_room(fleet: &TestFleet, blocks: u32, deadly: bool) -> Ran {
    let trap = if deadly { "" } else { "trap '' XFSZ; " };
    let gamops = fleet.command(&["apply", "--auto-approve"]);
    let mut shell = std::process::Command::new("sh");
    shell
        .arg("-c")
        .arg(format!("ulimit -c 0; {trap}ulimit -f {blocks}; exec \"$0\" \"$@\""))
        .arg(gamops.get_program())
        .args(gamops.get_args())
        .env_clear()
        .envs(gamops.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .current_dir(gamops.get_current_dir().unwrap())
        .stdin(Stdio::null());
    shell.output().unwrap().into()
}

#[test]
fn a_full_disk_stops_before_anything_is_sent_that_is_not_written_down() {
    let mut stopped_after = Vec::new();
    for step in 0.. {
        let blocks = 24 * step;
        let fleet = begin();
        let maple = fleet.device("maple");
        let since = maple.counters().commands.len();
        let deadly = step % 4 == 3;
        let ran = with_little_room(&fleet, blocks, deadly);
        if ran.code == 0 {
            break;
        }
        let sent = commands(&maple, since);
        let sent = configuration(&sent);
        if !deadly {
            assert!([1, 5].contains(&ran.code), "{}\n{}", ran.stdout, ran.stderr);
            let ran = ran.says("cannot be written").says("state.db");
            let ran = ran.says("help: see whether the disk is full or read-only");
            assert_eq!(ran.code == 5, !sent.is_empty(), "{}", ran.stdout);
        }
        let written = journal(&fleet.state(), SENT_LAST);
        let is_written = |line: &&str| written.iter().any(|command| command == line);
        assert!(sent.iter().all(is_written), "{blocks} blocks: {sent:?} but {written:?}");
        stopped_after.push(sent.len());
        let _ = fleet.apply();
        fleet.expect_in_sync();
    }
    assert!(stopped_after.contains(&0), "{stopped_after:?}");
    assert!(stopped_after.iter().any(|sent| *sent > 0), "{stopped_after:?}");
}

#[test]
fn a_database_that_is_held_stops_the_run_before_it_reaches_a_device() {
    let fleet = begin();
    let logins = fleet.device("maple").counters().logins;
    let other = Connection::open(fleet.state()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let ran = fleet.run(&["apply", "--auto-approve"]).expect(1);
    let ran = ran.says("state.db is held by another process").says("fuser");
    assert_eq!(fleet.device("maple").counters().logins, logins, "{}", ran.stdout);
    other.execute_batch("ROLLBACK").unwrap();
    let _ = fleet.apply();
    fleet.expect_in_sync();
}

#[test]
fn a_database_that_is_taken_away_in_the_middle_stops_before_the_next_command() {
    let fleet = begin();
    let maple = fleet.device("maple");
    maple.set_fault(Fault::Hold {
        at: 3,
        of: Counted::Configuration,
        when: Moment::After,
    });
    let child = start(&fleet);
    until_held(&fleet, &maple);
    let sent = maple.counters().commands.len();
    let other = Connection::open(fleet.state()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    maple.clear_faults();
    let ran = Ran::from(child.wait_with_output().unwrap()).expect(5);
    let ran = ran.says("STOPPED").says("state.db is held by another process");
    let ran = ran.says("help: wait for the other gamops");
    let later = commands(&maple, sent);
    assert_eq!(configuration(&later), Vec::<&str>::new(), "{}", ran.stdout);
    other.execute_batch("ROLLBACK").unwrap();
    let _ = fleet.apply();
    fleet.expect_in_sync();
}

#[test]
fn a_device_that_is_saved_is_not_given_back_for_want_of_a_database() {
    let fleet = begin();
    let maple = fleet.device("maple");
    maple.set_fault(Fault::Hold {
        at: place_of("more flash:startup-config"),
        of: Counted::Any,
        when: Moment::After,
    });
    let child = start(&fleet);
    until_held(&fleet, &maple);
    let held = fleet.ghn_lines("maple");
    let sent = maple.counters().commands.len();
    let other = Connection::open(fleet.state()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    maple.clear_faults();
    let ran = Ran::from(child.wait_with_output().unwrap()).expect(5);
    let _ = ran
        .says("verified and saved, but that could not be written down")
        .says("the device is saved");
    other.execute_batch("ROLLBACK").unwrap();
    let _ = fleet.apply();
    let later = commands(&maple, sent);
    assert_eq!(configuration(&later), Vec::<&str>::new());
    assert_eq!(fleet.ghn_lines("maple"), held);
    fleet.expect_in_sync();
}

#[test]
fn a_database_that_cannot_be_used_is_refused_by_name_and_left_as_it_is() {
    let fleet = begin();
    let database = Connection::open(fleet.state()).unwrap();
    database.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    drop(database);
    let whole = std::fs::read(fleet.state()).unwrap();
    let logins = fleet.device("maple").counters().logins;
    let mut newer = whole.clone();
    // The place of `user_version` in the file format.
    newer[60..64].copy_from_slice(&77u32.to_be_bytes());
    let mut overwritten = whole.clone();
    overwritten[5000..9000].fill(0xa5);
    let unusable = [
        (whole[..whole.len() / 2].to_vec(), "is damaged", "set it aside"),
        (overwritten, "is damaged", "set it aside"),
        (
            b"not a database, but long enough to be taken for one".repeat(9),
            "is damaged",
            "set it aside",
        ),
        (newer, "has version 77", "use the gamops that wrote it"),
    ];
    for (bytes, what, help) in unusable {
        std::fs::write(fleet.state(), &bytes).unwrap();
        for command in [&["plan"][..], &["apply", "--auto-approve"]] {
            let _ = fleet.run(command).expect(1).says("state.db").says(what).says(help);
        }
        assert!(std::fs::read(fleet.state()).unwrap() == bytes, "{what}: it was changed");
    }
    assert_eq!(fleet.device("maple").counters().logins, logins);
    std::fs::write(fleet.state(), whole).unwrap();
    let _ = fleet.apply();
    fleet.expect_in_sync();
}

#[test]
fn without_its_database_nothing_is_destroyed_and_the_next_plan_takes_over_what_it_finds() {
    let fleet = TestFleet::start(MAPLE, BEFORE);
    let _ = fleet.apply();
    let held = fleet.ghn_lines("maple");
    for beside in ["state.db", "state.db-wal", "state.db-shm"] {
        let _ = std::fs::remove_file(fleet.state().with_file_name(beside));
    }
    fleet.write("services.yaml", AFTER);
    let _ = fleet.run(&["plan"]).expect(0).says("0 to destroy");
    fleet.write("services.yaml", BEFORE);
    let _ = fleet.apply();
    assert_eq!(fleet.ghn_lines("maple"), held);
    fleet.expect_in_sync();
}
