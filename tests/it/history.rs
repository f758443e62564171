//! What is on record of every run, and how it is looked up.

use gamops::sim::{Counted, Fault, Moment};

use crate::fleet::{Ran, SERVICES, TWO, TestFleet};

/// What differs from run to run, and the blanks that stand beside it.
pub(crate) const FILTERS: &[(&str, &str)] = &[
    (r"127\.0\.0\.1:\d+", "ADDRESS"),
    (r"tester@[^ ,)]+", "tester@HOST"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "DATE TIME"),
    (r"\d\d:\d\d:\d\d\.\d{3}", "TIME"),
    (r"\b(\d+ ms|\d+\.\d s|\d+ s)  ", "TOOK  "),
    (r"(after|took) (\d+ ms|[\d.]+ s)", "$1 TOOK"),
    (r"(\S) {2,}", "$1  "),
];

/// A fleet with three runs: one that went well, one that a device refused, and one that came to nothing on a device.
fn three_runs() -> TestFleet {
    let fleet = TestFleet::start(TWO, SERVICES);
    let _ = fleet.apply();
    // Does nothing and is not kept.
    let _ = fleet.apply();
    fleet.write(
        "services.yaml",
        &SERVICES
            .replace("vlan: 101", "vlan: 111")
            .replace("vlan: 104", "vlan: 114"),
    );
    let maple = fleet.device("maple");
    maple.set_fault(Fault::Refuse {
        containing: "vid 111".to_owned(),
        text: "G.hn internal error".to_owned(),
    });
    let _ = fleet.run(&["apply", "--auto-approve"]).expect(5);
    maple.clear_faults();
    fleet.device("harbour").set_fault(Fault::RefuseLogins);
    let _ = fleet.run(&["apply", "--auto-approve"]).expect(5);
    fleet.device("harbour").clear_faults();
    fleet
}

#[test]
fn runs_are_listed_newest_first_with_what_they_came_to() {
    let fleet = three_runs();
    let listed = fleet.run(&["history"]).expect(0).stdout;
    let mut starts = listed
        .lines()
        .map(|line| line.find("STARTED").or_else(|| line.find("20")));
    let header = starts.next().unwrap();
    assert!(starts.all(|start| start == header), "it is no table:\n{listed}");
    insta::with_settings!({filters => FILTERS.to_vec()}, {
        insta::assert_snapshot!("history", listed);
    });
    let few = fleet
        .run(&["history", "--device", "harbour", "--limit", "1"])
        .expect(0)
        .stdout;
    assert_eq!(few.lines().count(), 2, "{few}");
    assert!(few.contains("harbour not read"), "{few}");
    let json: serde_json::Value = parse(&fleet.run(&["history", "--format", "json"]).expect(0));
    let runs = json["runs"].as_array().unwrap();
    let outcomes: Vec<&str> = runs.iter().map(|run| run["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["incomplete", "incomplete", "done"]);
    assert_eq!(runs[2]["added"], 13);
    assert_eq!(runs[2]["devices"][0]["planned"]["add"], 5);
}

#[test]
fn a_run_is_shown_with_its_plan_its_commands_and_their_replies() {
    let fleet = three_runs();
    let run = refused_run(&fleet);
    let shown = fleet.run(&["history", "show", &run]).expect(0).stdout;
    insta::with_settings!({filters => FILTERS.to_vec()}, {
        insta::assert_snapshot!("history_show", shown);
    });
    let json = parse(
        &fleet
            .run(&["history", "show", &run, "--device", "maple", "--format", "json"])
            .expect(0),
    );
    assert_eq!(json["devices"].as_array().unwrap().len(), 1);
    let exchanges = json["devices"][0]["exchanges"].as_array().unwrap();
    let refused = exchanges.iter().find(|one| one["answer"] == "refused").unwrap();
    assert_eq!(refused["command"], "ghn subscriber 1 vid 111");
    assert_eq!(refused["refusal"], "error 2");
    assert_eq!(refused["reply"], "% G.hn internal error");
    // The plan is the one that was shown, the devices' configuration left out.
    assert_eq!(json["plan"]["summary"]["change"], 2);
    assert_eq!(json["plan"]["devices"][0]["running"], serde_json::json!([]));
    assert!(json["plan_text"].as_str().unwrap().contains("vlan: 101 -> 111"));
}

#[test]
fn a_command_that_got_no_answer_is_on_record_as_such() {
    let fleet = TestFleet::start(TWO, SERVICES);
    fleet.device("maple").set_fault(Fault::Drop {
        at: 2,
        of: Counted::Configuration,
        when: Moment::After,
    });
    let _ = fleet
        .command(&["apply", "--auto-approve", "--target", "maple"])
        .output()
        .unwrap();
    let json = parse(&fleet.run(&["history", "show", "1", "--format", "json"]).expect(0));
    let answers: Vec<&serde_json::Value> = json["devices"][0]["exchanges"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|exchange| exchange["phase"] == "apply")
        .map(|exchange| &exchange["answer"])
        .collect();
    assert_eq!(answers, ["accepted", "lost"]);
}

#[test]
fn a_plan_that_was_refused_is_on_record_with_the_reasons() {
    let fleet = TestFleet::start(TWO, SERVICES);
    let _ = fleet.apply();
    let held = fleet.ghn_lines("maple");
    fleet.write(
        "gamops.yaml",
        "format: 1
inventory: test
defaults: { credentials: factory, mode: manage }
policies:
  guards: { destroy_per_device: { count: 0, share: 0% } }
  rules: { quiet: { when: \"plan.summary.destroy > 0\", effect: refuse, message: not this week } }
",
    );
    let line = |text: &&str| !text.contains("s-1:");
    fleet.write(
        "services.yaml",
        &SERVICES.lines().filter(line).collect::<Vec<_>>().join("\n"),
    );
    let apply = ["apply", "--auto-approve"];
    let _ = fleet.run(&apply).expect(4);
    let listed = fleet.run(&["history", "--device", "maple"]).expect(0).stdout;
    let shown = fleet.run(&["history", "show", "2"]).expect(0).stdout;
    insta::with_settings!({filters => FILTERS.to_vec()}, {
        insta::assert_snapshot!("history_refused", format!("{listed}\n{shown}"));
    });

    // The same again is counted; what is in the way of an undo is on record as that.
    let _ = fleet.run(&apply).expect(4);
    let json = parse(&fleet.run(&["history", "show", "2", "--format", "json"]).expect(0));
    assert_eq!((&json["outcome"], &json["times"]), (&"refused".into(), &2.into()));
    assert_eq!(json["refusals"][0]["name"], "destroy-per-device");
    assert_eq!(
        (&json["refusals"][0]["number"], &json["refusals"][0]["limit"]),
        (&1.into(), &0.into())
    );
    assert_eq!(
        (&json["refusals"][1]["by"], &json["refusals"][1]["name"]),
        (&"rule".into(), &"quiet".into())
    );
    assert_eq!(json["devices"], serde_json::json!([]));
    assert_eq!(json["untouched"][0]["outcome"], "not-started");
    let undo = ["undo", "--auto-approve"];
    let _ = fleet
        .run(&[&undo[..], &["2"]].concat())
        .expect(1)
        .says("run 2 cannot be undone: its plan was refused");
    let _ = fleet.run(&[&undo[..], &["1"]].concat()).expect(4);
    let listed = fleet.run(&["history"]).expect(0);
    let _ = listed
        .says("refused, to undo run 1: guard destroy-per-device (")
        .says("refused 2 times: guard");

    // Nothing else has changed by it: the run before is still the last one, and the way through leads through.
    assert_eq!(fleet.ghn_lines("maple"), held);
    let _ = fleet
        .run(&["plan"])
        .expect(0)
        .says("Refused by guard destroy-per-device");
    fleet.write("services.yaml", SERVICES);
    let _ = fleet
        .run(&["undo", "--auto-approve", "1", "--allow", "destroy=5"])
        .expect(4);
    fleet.expect_in_sync();
}

#[test]
fn what_is_not_on_record_is_said() {
    let fleet = TestFleet::start(TWO, SERVICES);
    let _ = fleet.run(&["history"]).expect(1).says("nothing was ever run with it");
    let _ = fleet.apply();
    let _ = fleet
        .run(&["history", "show", "7"])
        .expect(1)
        .says("there is no run 7 on record");
    let _ = fleet
        .run(&["history", "show", "1", "--device", "elm"])
        .expect(1)
        .says("run 1 had nothing to do with `elm`");
    // Looking back needs no inventory that is in order.
    fleet.write("services.yaml", "nonsense: [");
    let _ = fleet.run(&["history"]).expect(0).says("maple");
}

/// The number of the run in which a device refused something.
fn refused_run(fleet: &TestFleet) -> String {
    let json = parse(&fleet.run(&["history", "--format", "json"]).expect(0));
    json["runs"][1]["run"].to_string()
}

fn parse(ran: &Ran) -> serde_json::Value {
    serde_json::from_str(&ran.stdout).unwrap()
}
