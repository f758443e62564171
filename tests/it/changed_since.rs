//! `--changed-since`: a commit about one subscriber is about one device, and no other is contacted.

use gamops::sim::Fault;

use crate::fleet::{Given, Ran, TestFleet};

const FLEET: &[Given] = &[
    Given::new("maple", "GAM-4-CX"),
    Given::new("harbour", "GAM-12-M"),
    Given::new("cedar", "GAM-12-M"),
];

const SERVICES: &str = "\
plans:
  gold: { rate: 500 Mbps }
subscribers:
  s-1: { device: maple, endpoint: \"00:0e:d8:00:00:01\", port: 1, plan: gold, vlan: 101 }
  s-2: { device: harbour, endpoint: \"00:0e:d8:00:00:02\", port: 1, plan: gold, vlan: 102 }
  s-3: { device: cedar, endpoint: \"00:0e:d8:00:00:03\", port: 1, plan: gold, vlan: 103 }
";

/// A fleet in sync with an inventory that is committed.
struct Repository {
    fleet: TestFleet,
    /// The commit that it is in sync with, short.
    first: String,
}

impl Repository {
    fn in_sync() -> Self {
        let fleet = TestFleet::start(FLEET, SERVICES);
        let first = fleet.commit("one");
        let _ = fleet.apply();
        Self { fleet, first }
    }

    /// Commits what is there; gives the short id.
    fn commit(&self) -> String {
        self.fleet.commit("one")
    }

    fn write(&self, edit: (&str, &str)) {
        assert!(SERVICES.contains(edit.0));
        self.fleet.write("services.yaml", &SERVICES.replace(edit.0, edit.1));
    }

    /// Runs the program, and gives what it did on each device: logins, readings, saves.
    fn run(&self, arguments: &[&str]) -> (Ran, [(u64, u64, u64); 3]) {
        let counted = || {
            FLEET.iter().map(|given| {
                let counters = self.fleet.device(given.key).counters();
                (counters.logins, counters.running_config_reads, counters.saves)
            })
        };
        let before: Vec<_> = counted().collect();
        let ran = self.fleet.run(arguments);
        let mut done = before
            .into_iter()
            .zip(counted())
            .map(|(before, after)| (after.0 - before.0, after.1 - before.1, after.2 - before.2));
        (ran, std::array::from_fn(|_| done.next().unwrap()))
    }
}

const NOTHING: (u64, u64, u64) = (0, 0, 0);

#[test]
fn one_subscriber_changed_in_a_commit_reads_and_writes_exactly_one_device() {
    let given = Repository::in_sync();
    let first = given.first.clone();
    given.write(("vlan: 101", "vlan: 111"));
    given.commit();
    // Drift elsewhere is not looked at, and said not to be.
    given.fleet.device("cedar").execute("ghn subscriber 1 vid 999");

    let (ran, done) = given.run(&["plan", "--changed-since", "HEAD~1", "--detailed-exitcode"]);
    assert_eq!(done, [(1, 1, 0), NOTHING, NOTHING]);
    let ran = ran.expect(2).says("vlan: 101 -> 111");
    assert_eq!(
        ran.stderr,
        format!(
            "note: 1 of 3 devices differs since {first}; drift on the others is not looked at\n  maple: subscriber s-1\n"
        )
    );
    assert!(
        !ran.stdout.contains("harbour") && !ran.stdout.contains("cedar"),
        "{}",
        ran.stdout
    );

    let (ran, done) = given.run(&["apply", "--changed-since", "HEAD~1", "--auto-approve"]);
    let _ = ran.expect(0).says("Resources: 0 added, 1 changed, 0 destroyed.");
    assert_eq!(done, [(1, 3, 1), NOTHING, NOTHING]);
    let _ = given.fleet.run(&["plan"]).expect(0).says("vlan: 999 -> 103");
}

#[test]
fn where_nothing_differs_nobody_is_contacted() {
    let given = Repository::in_sync();
    let file = given.fleet.inventory().with_file_name("none.plan");
    for arguments in [
        &["plan", "--changed-since", "HEAD", "--out", file.to_str().unwrap()][..],
        &["apply", "--changed-since", "HEAD", "--auto-approve"],
        &["plan", "--changed-since", "HEAD", "--target", "maple"],
    ] {
        let (ran, done) = given.run(arguments);
        let _ = ran
            .expect(0)
            .says("no device was looked at")
            .says("none of 3 devices differ since");
        assert_eq!(done, [NOTHING; 3]);
    }
    assert!(!file.exists(), "a plan of nothing would be one of the whole fleet");
    let (ran, done) = given.run(&["plan", "--changed-since", "HEAD", "--format", "json"]);
    let plan: serde_json::Value = serde_json::from_str(&ran.expect(0).stdout).unwrap();
    assert_eq!(plan["devices"], serde_json::json!([]));
    assert_eq!(done, [NOTHING; 3]);
}

#[test]
fn edits_that_are_not_committed_count_and_a_target_narrows_further() {
    let given = Repository::in_sync();
    given.fleet.write(
        "services.yaml",
        &SERVICES.replace(
            "device: harbour, endpoint: \"00:0e:d8:00:00:02\", port: 1",
            "device: cedar, endpoint: \"00:0e:d8:00:00:02\", port: 2",
        ),
    );
    // A subscriber that moved concerns the device that it left as well.
    let (ran, done) = given.run(&["plan", "--changed-since", "HEAD"]);
    let ran = ran.expect(0).says("2 of 3 devices differ since");
    let _ = ran.says("  cedar: subscriber s-2\n  harbour: subscriber s-2, plan gold\n");
    assert_eq!(done, [NOTHING, (1, 1, 0), (1, 1, 0)]);
    let (ran, done) = given.run(&[
        "plan",
        "--changed-since",
        "HEAD",
        "--target",
        "cedar",
        "--target",
        "maple",
    ]);
    let _ = ran.expect(0).says("only what both name: 1 device");
    assert_eq!(done, [NOTHING, NOTHING, (1, 1, 0)]);
    let (ran, _) = given.run(&["plan", "--changed-since", "HEAD", "--target", "mapel"]);
    let _ = ran.expect(1).says("did you mean `maple`?");
}

#[test]
fn a_device_on_which_a_run_did_not_come_to_its_end_is_looked_at_as_well() {
    for on_failure in ["leave", "rollback"] {
        let given = Repository::in_sync();
        let harbour = given.fleet.device("harbour");
        let second = SERVICES.replace("vlan: 102", "vlan: 112");
        given.fleet.write("services.yaml", &second);
        given.commit();
        harbour.set_fault(Fault::Refuse {
            containing: "vid 112".to_owned(),
            text: "G.hn internal error".to_owned(),
        });
        let apply = ["apply", "--changed-since", "HEAD~1", "--auto-approve"];
        let ran = given.fleet.run(&[&apply[..], &["--on-failure", on_failure]].concat());
        assert_ne!(ran.code, 0, "{}", ran.stdout);
        harbour.clear_faults();
        given
            .fleet
            .write("services.yaml", &second.replace("vlan: 103", "vlan: 113"));
        given.commit();
        let (ran, done) = given.run(&apply);
        let _ = ran
            .expect(0)
            .says("  harbour: an earlier run did not come to its end\n");
        assert_eq!((done[0], done[1].2, done[2]), (NOTHING, 1, (1, 3, 1)));
        given.fleet.expect_in_sync();
    }
}

#[test]
fn what_there_is_nothing_to_compare_with_is_refused_and_nobody_is_contacted() {
    let given = Repository::in_sync();
    let refused = |arguments: &[&str], code: i32, says: &[&str]| {
        let (mut ran, done) = given.run(arguments);
        ran = ran.expect(code);
        for text in says {
            ran = ran.says(text);
        }
        assert_eq!(done, [NOTHING; 3]);
    };
    refused(
        &["plan", "--changed-since", "HEAD~9"],
        1,
        &["Git knows no commit `HEAD~9`"],
    );
    refused(
        &["apply", "friday.plan", "--changed-since", "HEAD"],
        64,
        &["cannot be used with"],
    );

    given.write(("plan: gold, vlan: 101", "plan: golden, vlan: 101"));
    let broken = given.commit();
    given.write(("vlan: 101", "vlan: 111"));
    given.commit();
    refused(
        &["plan", "--changed-since", "HEAD~1"],
        3,
        &[
            "error[unknown-plan]",
            &format!("{broken}:./services.yaml:4"),
            &format!("The inventory was invalid at {broken}"),
            "help: name a commit at which it was valid",
        ],
    );

    std::fs::remove_dir_all(given.fleet.inventory().join(".git")).unwrap();
    refused(
        &["plan", "--changed-since", "HEAD"],
        1,
        &["is not in the work tree of a Git repository"],
    );
}
