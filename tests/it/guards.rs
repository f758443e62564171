//! Guards, protection and pauses, as whoever runs the program meets them.

use std::fmt::Write as _;

use crate::fleet::{Given, Ran, TWO, TestFleet};

const ROOT: &str = "format: 1\ninventory: test\ndefaults: { credentials: factory, mode: manage }\n";

/// Subscribers `s-1` to `s-<maple>` on maple and `t-1` to `t-<harbour>` on harbour.
fn services(maple: u8, harbour: u8) -> String {
    let mut text = "plans:\n  gold: { rate: 500 Mbps }\nsubscribers:\n".to_owned();
    for number in 1..=maple {
        let _ = writeln!(
            text,
            "  s-{number}: {{ device: maple, endpoint: \"00:0e:d8:00:01:{number:02x}\", port: 1, plan: gold, vlan: 101 }}"
        );
    }
    for number in 1..=harbour {
        let _ = writeln!(
            text,
            "  t-{number}: {{ device: harbour, endpoint: \"00:0e:d8:00:02:{number:02x}\", port: {number}, plan: gold, vlan: 102 }}"
        );
    }
    text
}

/// Two devices with eight and four subscribers, applied.
fn applied() -> TestFleet {
    let fleet = TestFleet::start(TWO, &services(8, 4));
    let _ = fleet.apply();
    fleet
}

/// How many commands that change or save anything the devices have seen.
fn sent(fleet: &TestFleet) -> usize {
    let changes =
        |command: &&String| command.starts_with("conf") || command.starts_with("ghn") || command.starts_with("copy");
    TWO.iter()
        .map(|given| {
            fleet
                .device(given.key)
                .counters()
                .commands
                .iter()
                .filter(changes)
                .count()
        })
        .sum()
}

/// An apply that is refused, with nothing sent.
#[track_caller]
fn refused(fleet: &TestFleet, more: &[&str]) -> Ran {
    let before = sent(fleet);
    let ran = fleet.run(&[&["apply", "--auto-approve"], more].concat()).expect(4);
    assert_eq!(sent(fleet), before, "something was sent");
    ran.says("Nothing was sent to any device.")
}

#[test]
fn a_mass_deletion_is_shown_refused_and_done_only_by_its_number() {
    let fleet = applied();
    fleet.write("services.yaml", &services(2, 3));
    let plan = fleet.run(&["plan"]).expect(0);
    let end: Vec<&str> = plan
        .stdout
        .lines()
        .skip_while(|line| !line.starts_with("Plan:"))
        .collect();
    insta::assert_snapshot!("guarded_plan", end.join("\n"));

    let json = fleet.run(&["plan", "--format", "json"]).expect(0).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["applyable"], false);
    assert_eq!(json["guards"][0]["guard"], "destroy-per-device");
    assert_eq!(json["guards"][0]["number"], 6);
    assert_eq!(json["guards"][0]["allow"], "destroy=7");
    let schema = fleet.run(&["schema", "plan"]).expect(0).stdout;
    let schema: serde_json::Value = serde_json::from_str(&schema).unwrap();
    assert!(jsonschema::is_valid(&schema, &json));

    let _ = refused(&fleet, &[]).says("Refused by guard destroy-per-device:");
    // Half of it is not smaller: what is refused for the fleet is refused on the device.
    let _ = refused(&fleet, &["--target", "maple"]);
    let _ = refused(&fleet, &["--allow", "destroy=6", "--allow", "lost-subscribers=7"])
        .says("`--allow destroy=6` was said for another plan");
    let _ = fleet
        .run(&["apply", "--auto-approve", "--allow", "everything"])
        .expect(64);

    let ran = fleet.run(&[
        "apply",
        "--auto-approve",
        "--allow",
        "destroy=7",
        "--allow",
        "lost-subscribers=7",
    ]);
    let _ = ran.expect(0).says("allowed by `--allow destroy=7`");
    fleet.expect_in_sync();
}

#[test]
fn a_plan_from_a_file_is_guarded_as_well() {
    let fleet = applied();
    fleet.write("services.yaml", &services(2, 4));
    let file = fleet.inventory().with_file_name("friday.plan");
    let file = file.to_str().unwrap();
    let _ = fleet.run(&["plan", "--out", file]).expect(0);
    let before = sent(&fleet);
    let _ = fleet
        .run(&["apply", file])
        .expect(4)
        .says("Refused by guard destroy-per-device");
    assert_eq!(sent(&fleet), before);
    let _ = fleet
        .run(&["apply", file, "--allow", "destroy=6", "--allow", "lost-subscribers=6"])
        .expect(0);
    fleet.expect_in_sync();
}

#[test]
fn a_commit_says_that_its_own_plan_is_meant() {
    let fleet = TestFleet::start(TWO, &services(8, 4));
    let _ = fleet.commit("all of it\n\nGamops-Allow: destroy=6, lost-subscribers=6\n");
    let _ = fleet.apply();
    fleet.write("services.yaml", &services(2, 4));
    // The trailer of the commit before does not count, nor does a commit that files differ from.
    let _ = refused(&fleet, &[]);
    let _ = fleet.commit("close the east wing");
    let _ = refused(&fleet, &[]);
    let _ = fleet.commit("close the east wing\n\nGamops-Allow: destroy=5\nGamops-Allow: everything\n");
    let _ = refused(&fleet, &[])
        .says("`Gamops-Allow: destroy=5` was said for another plan")
        .says("warning: `Gamops-Allow` in the commit's message: `everything` allows nothing");
    let _ = fleet.commit("close the east wing\n\nGamops-Allow: destroy=6, lost-subscribers=6\n");
    let plan = fleet.run(&["plan", "--format", "json"]).expect(0).stdout;
    let plan: serde_json::Value = serde_json::from_str(&plan).unwrap();
    assert_eq!(plan["guards"][0]["allowed_by"], "trailer");
    let _ = fleet.apply().says("allowed by `Gamops-Allow: destroy=6`");
    fleet.expect_in_sync();
}

#[test]
fn a_limit_loosened_in_the_commit_that_needs_it_does_not_hold_yet() {
    let fleet = applied();
    let loose = "policies: { guards: { destroy_per_device: { count: 6 }, lose: unlimited } }\n";
    fleet.write("gamops.yaml", &format!("{ROOT}{loose}"));
    fleet.write("services.yaml", &services(2, 4));
    let _ = refused(&fleet, &[]).says("at most 5, by the inventory that was last applied");
    // First the limit, then what needs it. A run that was narrowed applies no inventory.
    fleet.write("services.yaml", &services(8, 4));
    let _ = fleet.run(&["apply", "--auto-approve", "--target", "maple"]).expect(0);
    fleet.write("services.yaml", &services(2, 4));
    let _ = refused(&fleet, &[]);
    fleet.write("services.yaml", &services(8, 4));
    let _ = fleet.apply();
    fleet.write("services.yaml", &services(2, 4));
    let _ = fleet.apply();
    fleet.expect_in_sync();
}

#[test]
fn an_inventory_that_lost_a_building_is_refused_though_nothing_would_be_sent() {
    let fleet = applied();
    fleet.write("devices.yaml", &fleet.devices(&TWO[..1], ""));
    fleet.write("services.yaml", &services(8, 0));
    let _ = fleet.run(&["plan"]).expect(0).says("No changes.");
    let _ = refused(&fleet, &[]).says(
        "Refused by guard lose-subscribers: the inventory has 8 subscribers, 4 fewer than when it was last applied; \
         at most 2 (20 % of 12).",
    );
    let _ = fleet
        .run(&["apply", "--auto-approve", "--allow", "lost-subscribers=4"])
        .expect(0);
    let _ = fleet.apply();
}

#[test]
fn protection_goes_in_one_commit_and_what_it_protected_in_the_next() {
    let fleet = TestFleet::start(TWO, &services(3, 1));
    fleet.write(
        "gamops.yaml",
        &format!("{ROOT}policies: {{ suspension: {{ vlan: 999 }} }}\n"),
    );
    let with = |words: &str| services(3, 1).replacen("vlan: 101 }", &format!("vlan: 101{words} }}"), 1);
    fleet.write("services.yaml", &with(", protect: true"));
    let _ = fleet.apply();

    let all = services(3, 1);
    let without = all.lines().filter(|line| !line.contains("s-1:"));
    let without: String = without.map(|line| format!("{line}\n")).collect();
    for (services, what) in [
        (without.clone(), "destroyed"),
        (with(", state: suspended"), "suspended"),
        (with(", state: suspended, protect: true"), "suspended"),
        (
            services(3, 1).replacen("port: 1, ", "", 1),
            "parted from its endpoint or port",
        ),
        (
            services(3, 1).replacen("endpoint: \"00:0e:d8:00:01:01\", port: 1, ", "", 1),
            "parted from its endpoint or port",
        ),
    ] {
        fleet.write("services.yaml", &services);
        let before = sent(&fleet);
        let _ = fleet
            .run(&["apply", "--auto-approve"])
            .expect(4)
            .says("REFUSED[protected]")
            .says(&format!("subscriber `s-1` is protected and would be {what}"));
        assert_eq!(sent(&fleet), before);
    }

    fleet.write("services.yaml", &services(3, 1));
    let _ = fleet.apply();
    fleet.write("services.yaml", &without);
    let _ = fleet.apply();
    fleet.expect_in_sync();
}

#[test]
fn a_protected_device_does_not_leave_the_inventory() {
    let fleet = TestFleet::start(TWO, &services(1, 1));
    fleet.write("devices.yaml", &fleet.devices(TWO, "    protect: true\n"));
    let _ = fleet.apply();
    fleet.write("devices.yaml", &fleet.devices(&TWO[..1], ""));
    fleet.write("services.yaml", &services(1, 0));
    let _ = refused(&fleet, &["--allow", "destroy=1"]).says(
        "Refused by guard protected: device `harbour` was protected when the inventory was last applied, and has left it.",
    );
    fleet.write("devices.yaml", &fleet.devices(TWO, ""));
    fleet.write("services.yaml", &services(1, 1));
    let _ = fleet.apply();
    fleet.write("devices.yaml", &fleet.devices(&TWO[..1], ""));
    fleet.write("services.yaml", &services(1, 0));
    let _ = fleet.apply();
}

#[test]
fn a_paused_device_is_shown_and_left_alone_until_its_pause_ends() {
    const ONE: &[Given] = &[Given::new("maple", "GAM-4-CX")];
    let fleet = TestFleet::start(ONE, &services(1, 0));
    let pause = |words: &str| fleet.write("devices.yaml", &fleet.devices(ONE, &format!("    paused: {words}\n")));
    pause("{ reason: cable works, until: 9999-01-01 }");
    let plan = fleet.run(&["plan", "--detailed-exitcode"]).expect(0);
    let plan = plan.says("paused: cable works, until 9999-01-01T00:00:00Z; nothing is changed");
    let _ = plan.says("subscriber/s-1");
    let _ = fleet.apply();
    assert_eq!(fleet.ghn_lines("maple").len(), 0, "{:?}", fleet.ghn_lines("maple"));

    pause("{ until: 2020-01-01T06:00-05:00 }");
    let _ = fleet
        .apply()
        .says("its pause ended at 2020-01-01T11:00:00Z: take `paused` out of the inventory")
        .says("verified, saved");
}
