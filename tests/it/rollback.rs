//! A device on which an apply fails is given back what it held before, whatever went wrong and wherever.

use std::process::Stdio;

use gamops::sim::{Counted, Fault, Moment, SimDevice};

use crate::faults::{interrupt, wait_until};
use crate::fleet::{Given, Ran, TestFleet};

const MAPLE: &[Given] = &[Given::new("maple", "GAM-4-CX")];

const BEFORE: &str = "\
plans:
  gold: { rate: 500 Mbps }
  silver: { rate: 100 Mbps }
subscribers:
  s-1: { device: maple, endpoint: \"00:0e:d8:00:00:01\", port: 1, plan: gold, vlan: 101 }
  s-2: { device: maple, endpoint: \"00:0e:d8:00:00:02\", port: 1, plan: silver, vlan: 102, tagged: true }
  s-3: { device: maple, endpoint: \"00:0e:d8:00:00:03\", port: 2, plan: unthrottled, vlan: 103, description: Apt 3 }
  s-4: { device: maple, endpoint: \"00:0e:d8:00:00:04\", port: 2, plan: gold, vlan: 104 }
";

/// Against [`BEFORE`]: s-1 has another VLAN and plan, s-2 another port and CPE, s-3 another name and plan, one plan is new
/// and one has another rate, s-5 comes and s-4 goes.
const AFTER: &str = "\
plans:
  gold: { rate: 600 Mbps }
  silver: { rate: 100 Mbps }
  bronze: { rate: 50 Mbps }
subscribers:
  s-1: { device: maple, endpoint: \"00:0e:d8:00:00:01\", port: 1, plan: bronze, vlan: 111 }
  s-2: { device: maple, endpoint: \"00:0e:d8:00:00:12\", port: 3, plan: silver, vlan: 102, tagged: true }
  s-3: { device: maple, name: s-2b, endpoint: \"00:0e:d8:00:00:03\", port: 2, plan: gold, vlan: 103, description: Apt 3 }
  s-5: { device: maple, endpoint: \"00:0e:d8:00:00:05\", port: 4, plan: gold, vlan: 105 }
";

/// All that must be as it was after a rollback.
#[derive(Debug, PartialEq)]
pub(crate) struct Everything {
    pub(crate) running: String,
    pub(crate) startup: Option<String>,
    records: Vec<String>,
    plan: String,
}

pub(crate) struct Changing {
    pub(crate) fleet: TestFleet,
    pub(crate) before: Everything,
}

impl Changing {
    /// A device that holds [`BEFORE`], saved, and is asked for [`AFTER`].
    pub(crate) fn start() -> Self {
        Self::between(BEFORE, AFTER)
    }

    fn between(before: &str, after: &str) -> Self {
        let fleet = TestFleet::start(MAPLE, before);
        let _ = fleet.apply();
        fleet.write("services.yaml", after);
        let before = everything(&fleet);
        Self { fleet, before }
    }

    pub(crate) fn maple(&self) -> std::sync::Arc<SimDevice> {
        self.fleet.device("maple")
    }

    /// The commands of the plan.
    fn commands(&self) -> Vec<String> {
        let plan: serde_json::Value = serde_json::from_str(&self.before.plan).unwrap();
        plan["devices"][0]["steps"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|step| step["commands"].as_array().unwrap().clone())
            .map(|command| command.as_str().unwrap().to_owned())
            .collect()
    }

    /// Applies with a fault in force, and expects that the device was given back.
    #[track_caller]
    fn disturbed(&self, fault: Fault) -> Ran {
        self.maple().set_fault(fault);
        let ran = self.fleet.run(&["apply", "--auto-approve"]).expect(5);
        self.maple().clear_faults();
        let ran = ran.says("maple  ROLLED BACK: ");
        assert_eq!(everything(&self.fleet), self.before, "\n{}", ran.stdout);
        ran
    }

    /// Expects that the plan, undisturbed, still leads where it should.
    #[track_caller]
    pub(crate) fn then_applies(self) {
        let _ = self.fleet.apply();
        self.fleet.expect_in_sync();
        assert_ne!(self.maple().running_config(), self.before.running);
    }
}

pub(crate) fn everything(fleet: &TestFleet) -> Everything {
    let maple = fleet.device("maple");
    Everything {
        running: maple.running_config(),
        startup: maple.startup_config(),
        records: records(fleet),
        plan: fleet.run(&["plan", "--format", "json"]).stdout,
    }
}

/// What is on record as gamops's own, the time of writing left out.
fn records(fleet: &TestFleet) -> Vec<String> {
    rusqlite::Connection::open(fleet.state())
        .unwrap()
        .prepare(
            "SELECT mac || ' ' || kind || ' ' || key || ' ' || object || ' ' || name || ' ' || coalesce(binding, '')
                 || ' ' || protect || ' ' || coalesce(applied, '') || ' ' || coalesce(commit_id, '')
             FROM objects ORDER BY mac, kind, key",
        )
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap()
}

/// How a run on the device stands in the journal.
fn states(fleet: &TestFleet) -> Vec<String> {
    rusqlite::Connection::open(fleet.state())
        .unwrap()
        .prepare("SELECT state FROM device_runs ORDER BY run")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap()
}

fn refuse(containing: &str) -> Fault {
    Fault::Refuse {
        containing: containing.to_owned(),
        text: "G.hn internal error".to_owned(),
    }
}

#[test]
fn refused_at_any_command_the_device_is_given_back() {
    let changing = Changing::start();
    let commands = changing.commands();
    assert!(commands.len() >= 8, "{commands:?}");
    let saves = changing.maple().counters().saves;
    for (index, command) in commands.iter().enumerate() {
        let ran = changing.disturbed(refuse(command));
        let ran = ran
            .says(&format!("{index} of {} commands taken", commands.len()))
            .says(&format!("sent:     {command}\n"))
            .says("answered: % G.hn internal error");
        let _ = ran.says("read back, it holds what it held before\n");
    }
    assert_eq!(changing.maple().counters().saves, saves, "there was nothing to save");
    changing.then_applies();
}

#[test]
fn lost_at_any_command_the_device_is_reached_again_and_given_back() {
    for when in [Moment::Before, Moment::After] {
        let changing = Changing::start();
        for at in 1..=changing.commands().len() {
            let at = u32::try_from(at).unwrap();
            let fault = Fault::Drop {
                at,
                of: Counted::Configuration,
                when,
            };
            let ran = changing.disturbed(fault);
            assert!(ran.stderr.contains("reaching it again"), "{}", ran.stderr);
        }
        changing.then_applies();
    }
}

#[test]
fn restarted_at_any_command_the_device_holds_already_what_it_held() {
    let changing = Changing::start();
    for at in 1..=changing.commands().len() {
        let at = u32::try_from(at).unwrap();
        let fault = Fault::Reboot {
            at,
            of: Counted::Configuration,
            when: Moment::After,
        };
        let _ = changing
            .disturbed(fault)
            .says("nothing had to be given back: read back, it holds what it held before");
    }
    changing.then_applies();
}

/// How many commands an apply sends, reading and saving included, up to the first in configuration mode and in all.
fn whole_run() -> (usize, usize) {
    let changing = Changing::start();
    let already = changing.maple().counters().commands.len();
    let _ = changing.fleet.apply();
    let sent = changing.maple().counters().commands.split_off(already);
    let first = sent.iter().position(|command| command.starts_with("conf")).unwrap();
    let last = sent.iter().rposition(|command| command.starts_with("more ")).unwrap();
    (first + 1, last + 1)
}

#[test]
fn lost_while_it_is_read_back_or_saved_the_device_is_given_back_and_saved_so() {
    let (first, last) = whole_run();
    let changing = Changing::start();
    // Entering and leaving configuration mode, reading back, saving, looking at what was saved.
    let commands = changing.commands().len();
    for at in [first].into_iter().chain(first + commands + 1..=last) {
        let at = u32::try_from(at).unwrap();
        let fault = Fault::Drop {
            at,
            of: Counted::Any,
            when: Moment::After,
        };
        changing.maple().set_fault(fault);
        let ran = changing.fleet.run(&["apply", "--auto-approve"]);
        changing.maple().clear_faults();
        assert_ne!(ran.code, 0, "{}", ran.stdout);
        assert_eq!(
            everything(&changing.fleet),
            changing.before,
            "cut at {at}\n{}",
            ran.stdout
        );
    }
    changing.then_applies();
}

#[test]
fn what_is_taken_and_ignored_is_given_back_with_all_the_rest() {
    let changing = Changing::start();
    let ran = changing.disturbed(Fault::Ignore {
        containing: "vid 111".to_owned(),
    });
    let _ = ran
        .says("ROLLED BACK: the device does not hold what it was asked to")
        .says("subscriber 1: vlan is 101 (as before), planned 111");
    changing.then_applies();
}

#[test]
fn a_saving_that_is_refused_gives_back_as_well() {
    let changing = Changing::start();
    let ran = changing.disturbed(Fault::Refuse {
        containing: "copy running-config".to_owned(),
        text: "No space left on device".to_owned(),
    });
    let _ = ran.says("No space left on device");
    changing.then_applies();
}

#[test]
fn what_is_to_be_left_is_left() {
    let changing = Changing::start();
    let last = changing.commands().pop().unwrap();
    changing.maple().set_fault(refuse(&last));
    let arguments = ["apply", "--auto-approve", "--on-failure", "leave"];
    let _ = changing.fleet.run(&arguments).expect(5).says("maple  STOPPED: ");
    assert_ne!(changing.maple().running_config(), changing.before.running);

    // What the inventory says is the default, what the command line says goes before it.
    let changing = Changing::start();
    let root = std::fs::read_to_string(changing.fleet.inventory().join("gamops.yaml")).unwrap();
    let root = root + "policies: { on_failure: leave }\n";
    changing.fleet.write("gamops.yaml", &root);
    changing.maple().set_fault(refuse(&last));
    let arguments = ["apply", "--auto-approve", "--on-failure", "rollback"];
    let _ = changing.fleet.run(&arguments).expect(5).says("maple  ROLLED BACK: ");
    let ran = changing.fleet.run(&["apply", "--auto-approve"]).expect(5);
    let _ = ran.says("maple  STOPPED: ").says("the device is left unsaved");
    changing.maple().clear_faults();
    changing.then_applies();
}

#[test]
fn what_has_no_way_back_is_named_and_stays_gamopss_own() {
    // This firmware has no way to clear a description.
    let changing = Changing::between(
        &BEFORE.replace(", description: Apt 3", ""),
        &AFTER
            .replace(", description: Apt 3", "")
            .replace("vlan: 111", "vlan: 111, description: Apt 1"),
    );
    let last = changing.commands().pop().unwrap();
    changing.maple().set_fault(refuse(&last));
    let ran = changing.fleet.run(&["apply", "--auto-approve"]).expect(5);
    changing.maple().clear_faults();
    let ran = ran.says("maple  ROLLED BACK IN PART: the device refused a command");
    let _ = ran.says("LEFT:     subscriber 1: its description cannot be cleared on this device and stays");
    let (now, before) = (changing.maple().running_config(), &changing.before.running);
    let differing: Vec<&str> = now.lines().filter(|line| !before.contains(*line)).collect();
    assert!(
        differing.len() == 1 && differing[0].contains("Apt 1"),
        "only the description is left: {differing:?}"
    );
    assert_eq!(states(&changing.fleet), ["saved", "partly-rolled-back"]);
    changing.then_applies();
}

#[test]
fn what_the_device_refuses_to_give_back_does_not_keep_back_the_rest() {
    let changing = Changing::start();
    // The plan deletes s-4 near its end, the way back deletes s-5.
    changing.maple().set_fault(refuse("no ghn subscriber"));
    let ran = changing.fleet.run(&["apply", "--auto-approve"]).expect(5);
    changing.maple().clear_faults();
    let ran = ran.says("maple  ROLLED BACK IN PART: ");
    let ran = ran.says("stays as it is: the device refused `no ghn subscriber");
    assert!(ran.stdout.contains("LEFT:     endpoint"), "{}", ran.stdout);
    let now = changing.fleet.ghn_lines("maple");
    let is_left = |line: &str| line.contains("s-5") || line.contains("00:0e:d8:00:00:05");
    for line in changing.before.running.lines().filter(|line| line.starts_with("ghn ")) {
        assert!(
            now.iter().any(|held| held == line.trim_end()),
            "`{line}` is not as it was: {now:?}"
        );
    }
    assert!(now.iter().any(|line| is_left(line)));
    changing.then_applies();
}

/// Starts an apply that takes its time, and waits until it has sent its first command.
fn slowly(changing: &Changing, more: &[&str]) -> std::process::Child {
    let maple = changing.maple();
    let already = maple.counters().commands.len();
    maple.set_fault(Fault::Slow { millis: 200 });
    let child = changing
        .fleet
        .command(&[&["apply", "--auto-approve"][..], more].concat())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_until("the first command is sent", || {
        let commands = maple.counters().commands.split_off(already);
        commands.iter().any(|line| line.starts_with("ghn "))
    });
    child
}

#[cfg(unix)]
#[test]
fn ctrl_c_gives_back_what_the_run_had_changed() {
    let changing = Changing::start();
    let child = slowly(&changing, &[]);
    interrupt(&child);
    let ran = Ran::from(child.wait_with_output().unwrap()).expect(5);
    changing.maple().clear_faults();
    let ran = ran.says("maple  ROLLED BACK: interrupted by the operator");
    assert_eq!(everything(&changing.fleet), changing.before, "\n{}", ran.stdout);
    changing.then_applies();
}

#[test]
fn what_somebody_types_meanwhile_stays() {
    let changing = Changing::start();
    changing.maple().set_fault(refuse(&changing.commands().pop().unwrap()));
    let child = slowly(&changing, &[]);
    changing.maple().execute("ghn subscriber 40 name \"theirs\" vid 900");
    let ran = Ran::from(child.wait_with_output().unwrap()).expect(5);
    changing.maple().clear_faults();
    let ran = ran
        .says("maple  ROLLED BACK: the device refused a command")
        .says("others:   subscriber 40 is not as it was, and not by this run: it stays");
    assert!(ran.stdout.contains("but for what somebody else did"), "{}", ran.stdout);
    let now = changing.maple().running_config();
    let theirs = |line: &&str| !line.contains("\"theirs\"");
    let without: Vec<&str> = now.lines().filter(theirs).collect();
    assert_eq!(without, changing.before.running.lines().collect::<Vec<_>>());
    assert_eq!(changing.maple().startup_config(), changing.before.startup);
}

#[test]
fn a_device_that_does_not_come_back_is_said_to_be_halfway_and_the_next_run_converges() {
    let changing = Changing::start();
    let child = slowly(&changing, &[]);
    changing.maple().set_fault(Fault::RefuseLogins);
    changing.maple().set_fault(Fault::Drop {
        at: 1,
        of: Counted::Any,
        when: Moment::After,
    });
    let ran = Ran::from(child.wait_with_output().unwrap()).expect(5);
    let rejected = changing.maple().counters().rejected_logins;
    assert!(rejected <= 1, "{rejected} rejected logins");
    changing.maple().clear_faults();
    let ran = ran
        .says("maple  STOPPED: ")
        .says("NOT GIVEN BACK what it held before: it cannot be reached: ");
    let _ = ran.says("it holds some of the commands above, as far as is known");
    changing.then_applies();
}

/// Two coax buildings.
pub(crate) const PAIR: &[Given] = &[Given::new("birch", "GAM-4-CX"), Given::new("maple", "GAM-4-CX")];

/// One subscriber, on one of them.
pub(crate) fn one_on(device: &str) -> String {
    format!(
        "subscribers:\n  s-1: {{ device: {device}, endpoint: \"00:0e:d8:00:00:01\", port: 1, plan: unthrottled, vlan: 101 }}\n"
    )
}

#[test]
fn a_subscriber_whose_new_device_was_given_back_keeps_its_old_one() {
    let fleet = TestFleet::start(PAIR, &one_on("birch"));
    let _ = fleet.apply();
    let (birch, maple) = (fleet.device("birch"), fleet.device("maple"));
    let before = (birch.running_config(), maple.running_config());
    fleet.write("services.yaml", &one_on("maple"));
    maple.set_fault(refuse("ghn subscriber"));
    let ran = fleet.run(&["apply", "--auto-approve"]).expect(5);
    maple.clear_faults();
    let _ = ran.says("maple  ROLLED BACK: ").says("birch  REFUSED[move-incomplete]");
    assert_eq!((birch.running_config(), maple.running_config()), before);
    let _ = fleet.apply();
    fleet.expect_in_sync();
}

#[test]
fn a_rolled_back_run_reads_so() {
    let changing = Changing::start();
    let ran = changing.disturbed(refuse("vid 111"));
    let text = ran.stdout.split("\n\n").last().unwrap_or_default().to_owned();
    let shown = text.split("Apply incomplete").next().unwrap_or_default();
    let readme = include_str!("../../README.md");
    assert!(readme.contains(shown), "the README shows it so");
    insta::assert_snapshot!("rolled_back", text);
}
