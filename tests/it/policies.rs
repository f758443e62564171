//! Rules over plans: the examples of the documentation, at work.

use std::fmt::Write as _;

use crate::fleet::{Given, Ran, TestFleet};

const ROOT: &str = "format: 1\ninventory: test\ndefaults: { credentials: factory, mode: manage }\n";
const ONE: &[Given] = &[Given::new("maple", "GAM-4-CX")];

/// The rules of every example in docs/policies.md, under one `rules`.
fn documented() -> String {
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/policies.md");
    let page = std::fs::read_to_string(page).unwrap();
    let examples: Vec<&str> = page
        .split("```yaml\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect();
    assert_eq!(examples.len(), 5);
    let rules = examples
        .iter()
        .map(|example| example.strip_prefix("policies:\n  rules:\n").unwrap());
    format!("policies:\n  rules:\n{}", rules.collect::<String>())
}

/// A subscriber with the prefix `vip-` and others, each in the VLAN that `vlan` says; `s-0` may have one of its own.
fn services(vip: u16, one: u16, others: u16) -> String {
    let mut text = "subscribers:\n".to_owned();
    for number in 0..22 {
        let (key, vlan) = match number {
            0 => ("vip-1".to_owned(), vip),
            1 => ("s-1".to_owned(), one),
            _ => (format!("s-{number}"), others),
        };
        let _ = writeln!(
            text,
            "  {key}: {{ device: maple, endpoint: \"00:0e:d8:00:01:{number:02x}\", port: {}, plan: unthrottled, vlan: {vlan} }}",
            number / 11 + 1
        );
    }
    text
}

/// An apply that rules refuse: these, and no other; nothing is sent.
#[track_caller]
fn refused(fleet: &TestFleet, rules: &[&str]) -> Ran {
    let sent = || {
        let commands = fleet.device("maple").counters().commands;
        commands.iter().filter(|command| command.starts_with("conf")).count()
    };
    let before = sent();
    let ran = fleet
        .run(&["apply", "--auto-approve"])
        .expect(4)
        .says("Nothing was sent to any device.");
    assert_eq!(sent(), before);
    let named = |line: &str| Some(line.strip_prefix("Refused by rule ")?.split(':').next()?.to_owned());
    let named: Vec<String> = ran.stdout.lines().filter_map(named).collect();
    assert_eq!(named, rules, "{}", ran.stdout);
    ran
}

#[test]
fn the_documented_rules_do_what_the_documentation_says() {
    let fleet = TestFleet::start(ONE, &services(101, 102, 103));
    fleet.write("gamops.yaml", &format!("{ROOT}{}", documented()));
    let _ = fleet.run(&["validate"]).expect(0);
    // A fleet that is made anew is felt by nobody.
    let applied = fleet.apply();
    assert!(!applied.stdout.contains("rule"), "{}", applied.stdout);

    fleet.write("services.yaml", &services(201, 102, 103));
    let _ = refused(&fleet, &["vip-untouched"])
        .says("Refused by rule vip-untouched: ask the desk before anything that a vip- subscriber feels.");
    fleet.write("services.yaml", &services(101, 1000, 103));
    let _ = refused(&fleet, &["service-vlans"]);
    fleet.write("services.yaml", &services(101, 202, 203));
    let _ = refused(&fleet, &["few-feel-it"]);
    fleet.write("services.yaml", &services(101, 102, 103));
    fleet.write("devices.yaml", &fleet.devices(ONE, "    hostname: maple-b\n"));
    let ran = fleet.run(&["plan", "--format", "json"]).expect(0);
    let plan: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let rules: Vec<&str> = plan["policies"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|one| one["rule"].as_str())
        .collect();
    assert!(rules.contains(&"host-names-stay"), "{rules:?}");
    assert_eq!(plan["applyable"], false);
    let schema = fleet.run(&["schema", "plan"]).expect(0).stdout;
    assert!(jsonschema::is_valid(&serde_json::from_str(&schema).unwrap(), &plan));
    fleet.write("devices.yaml", &fleet.devices(ONE, ""));

    fleet.device("maple").execute("ghn subscriber 2 vid 300");
    let _ = fleet
        .apply()
        .says("Warning by rule drift-is-looked-at: somebody changed this by hand; ask around before it is mended.");
    fleet.expect_in_sync();
}

#[test]
fn a_condition_that_cannot_be_asked_is_no_no() {
    let fleet = TestFleet::start(ONE, &services(101, 102, 103));
    let rule = |effect: &str| {
        let rule = format!("when: plan.sumary.destroy > 0, effect: {effect}, message: too many");
        fleet.write(
            "gamops.yaml",
            &format!("{ROOT}policies: {{ rules: {{ few: {{ {rule} }} }} }}\n"),
        );
    };
    rule("refuse");
    let _ = refused(&fleet, &["few"]).says(
        "Refused by rule few: its condition cannot be asked of this plan: there is no `sumary` where it looks for one",
    );
    rule("warn");
    let _ = fleet
        .apply()
        .says("Warning by rule few: its condition cannot be asked of this plan");
}
