//! The main job: plan, apply, plan again; drift; what is left alone.

use crate::fleet::{Given, SERVICES, TWO, TestFleet};

#[test]
fn a_blank_fleet_is_planned_applied_and_then_in_sync() {
    let fleet = TestFleet::start(TWO, SERVICES);
    let plan = fleet.run(&["plan", "--detailed-exitcode"]).expect(2);
    insta::with_settings!({filters => vec![(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT")]}, {
        insta::assert_snapshot!("plan_of_a_blank_fleet", plan.stdout);
    });
    assert_eq!(
        fleet.run(&["plan"]).expect(0).stdout,
        plan.stdout,
        "the same plan twice is the same bytes"
    );

    let applied = fleet.apply();
    let applied = applied.says("Apply complete! Resources: 13 added, 0 changed, 0 destroyed.");
    assert!(
        applied.stderr.contains("maple: verified, saving"),
        "progress in plain lines:\n{}",
        applied.stderr
    );
    fleet.expect_in_sync();
    // Once more changes nothing and sends nothing.
    let before = fleet.device("maple").counters().saves;
    let _ = fleet.apply().says("No changes.");
    assert_eq!(fleet.device("maple").counters().saves, before);
}

#[test]
fn json_plans_are_the_same_bytes_twice_and_fit_their_schema() {
    let fleet = TestFleet::start(TWO, SERVICES);
    let first = fleet.run(&["plan", "--format", "json"]).expect(0).stdout;
    let second = fleet.run(&["plan", "--format", "json"]).expect(0).stdout;
    assert_eq!(first, second);
    let plan: serde_json::Value = serde_json::from_str(&first).unwrap();
    assert_eq!(
        plan["summary"],
        serde_json::json!({ "add": 13, "change": 0, "destroy": 0 })
    );
    let schema = fleet.run(&["schema", "plan"]).expect(0).stdout;
    let schema: serde_json::Value = serde_json::from_str(&schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator.iter_errors(&plan).map(|error| error.to_string()).collect();
    assert_eq!(errors, Vec::<String>::new());
}

#[test]
fn one_login_and_one_reading_per_device_and_plan() {
    let fleet = TestFleet::start(TWO, SERVICES);
    let _ = fleet.run(&["plan"]).expect(0);
    for key in ["maple", "harbour"] {
        let counters = fleet.device(key).counters();
        assert_eq!(
            (counters.logins, counters.running_config_reads, counters.sessions),
            (1, 1, 0),
            "{key}"
        );
    }
    let _ = fleet.apply();
    let counters = fleet.device("maple").counters();
    assert_eq!(
        (counters.logins, counters.running_config_reads),
        (2, 4),
        "one more login, three more readings"
    );
}

#[test]
fn what_was_changed_behind_our_back_is_shown_as_drift_and_mended() {
    let fleet = TestFleet::start(TWO, SERVICES);
    let _ = fleet.apply();
    let before = fleet.ghn_lines("maple");
    fleet
        .device("maple")
        .execute("ghn subscriber 1 vid 999\nno ghn subscriber 3");
    let plan = fleet.run(&["plan", "--detailed-exitcode"]).expect(2);
    let plan = plan
        .says("vlan: 999 -> 101")
        .says("changed on the device behind gamops's back");
    let plan = plan.says("Plan: 1 to add, 1 to change, 0 to destroy.");
    assert!(
        !plan.stdout.contains("harbour/"),
        "the other device is in sync:\n{}",
        plan.stdout
    );
    let _ = fleet.apply();
    assert_eq!(
        fleet.ghn_lines("maple"),
        before,
        "the subscriber that was deleted has its old number"
    );
    fleet.expect_in_sync();
}

#[test]
fn a_change_in_the_inventory_touches_one_device_only() {
    let fleet = TestFleet::start(TWO, SERVICES);
    let _ = fleet.apply();
    let saves = fleet.device("harbour").counters().saves;
    fleet.write("services.yaml", &SERVICES.replace("vlan: 101", "vlan: 111"));
    let applied = fleet.apply().says("vlan: 101 -> 111").says("impact: identity");
    let applied = applied.says("Resources: 0 added, 1 changed, 0 destroyed.");
    assert!(
        applied.stdout.contains("ghn subscriber 1 vid 111"),
        "{}",
        applied.stdout
    );
    assert_eq!(fleet.device("harbour").counters().saves, saves);
    fleet.expect_in_sync();
}

#[test]
fn what_left_the_inventory_is_destroyed_and_said_twice() {
    let fleet = TestFleet::start(TWO, SERVICES);
    let _ = fleet.apply();
    let without: String = SERVICES
        .lines()
        .filter(|line| !line.contains("s-2:"))
        .map(|l| format!("{l}\n"))
        .collect();
    fleet.write("services.yaml", &without);
    let plan = fleet
        .run(&["plan"])
        .expect(0)
        .says("Plan: 0 to add, 0 to change, 3 to destroy.");
    let plan = plan.says("Destroyed by this plan:").says("- maple/subscriber/s-2");
    assert!(
        plan.stdout.contains("impact: outage (documented) for s-2"),
        "{}",
        plan.stdout
    );
    let _ = fleet.apply();
    fleet.expect_in_sync();
}

#[test]
fn what_gamops_does_not_own_is_listed_and_left_alone() {
    let fleet = TestFleet::start(TWO, SERVICES);
    let maple = fleet.device("maple");
    maple.execute(
        "ghn endpoint 9 name \"theirs\" mac-address 00:0e:d8:00:00:99 port 4\nghn subscriber 9 name \"John\" vid 900 endpoint 9\ncopy running-config startup-config",
    );
    let plan = fleet
        .run(&["plan"])
        .expect(0)
        .says("unmanaged, left alone: endpoint 9 \"theirs\", subscriber 9 \"John\"");
    assert!(!plan.stdout.contains("UNSAVED"), "{}", plan.stdout);
    let _ = fleet.apply();
    // Not even when the inventory becomes empty.
    fleet.write("services.yaml", "");
    let _ = fleet.apply();
    let left = fleet.ghn_lines("maple");
    assert!(left.iter().any(|line| line.contains("\"John\"")), "{left:?}");
    assert!(!left.iter().any(|line| line.contains("\"s-1\"")), "{left:?}");
}

#[test]
fn an_object_that_is_there_already_is_adopted() {
    let fleet = TestFleet::start(TWO, SERVICES);
    let _ = fleet.apply();
    std::fs::remove_file(fleet.state()).unwrap();
    let _ = fleet
        .run(&["plan", "--detailed-exitcode"])
        .expect(0)
        .says("adopt     subscriber 1 \"s-1\"");
    let _ = fleet.apply();
    // Adopted is owned: it can be destroyed now.
    fleet.write("services.yaml", "");
    let _ = fleet.run(&["plan"]).expect(0).says("13 to destroy");
}

#[test]
fn a_target_narrows_a_run_to_one_object_and_what_it_stands_on() {
    let fleet = TestFleet::start(TWO, SERVICES);
    let _ = fleet
        .run(&["apply", "--auto-approve", "--target", "maple/subscriber/s-1"])
        .expect(0)
        .says("Resources: 3 added, 0 changed, 0 destroyed.");
    let held = fleet.ghn_lines("maple");
    assert!(held.iter().any(|line| line.contains("\"s-1\"")) && !held.iter().any(|line| line.contains("\"s-2\"")));
    assert_eq!(fleet.device("harbour").counters().logins, 0);
    let _ = fleet
        .run(&["plan", "--target", "mapel"])
        .expect(1)
        .says("did you mean `maple`?");
    let _ = fleet
        .run(&["plan", "--target", "maple/subscriber/nobody"])
        .expect(4)
        .says("no-such-target");
    let _ = fleet.apply();
    fleet.expect_in_sync();
}

#[test]
fn what_a_run_was_not_about_keeps_its_cause() {
    let fleet = TestFleet::start(TWO, SERVICES);
    let _ = fleet.apply();
    let maple = fleet.device("maple");
    maple.execute("ghn subscriber 1 vid 999\nno ghn subscriber 3\ncopy running-config startup-config");
    let drift = |fleet: &TestFleet| {
        let plan = fleet.run(&["plan", "--format", "json"]).expect(0).stdout;
        let plan: serde_json::Value = serde_json::from_str(&plan).unwrap();
        let changes = plan["resource_changes"].as_array().unwrap();
        // What was deleted comes back without what the device had filled in.
        let drift = changes
            .iter()
            .filter(|change| change["cause"] == "drift" || change["cause"] == "both");
        drift
            .map(|change| change["address"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let both = ["maple/subscriber/s-1", "maple/subscriber/s-3"];
    assert_eq!(drift(&fleet), both);

    // With something to change, with nothing to change, and with something to take over.
    let target = ["apply", "--auto-approve", "--target", "maple/subscriber/s-2"];
    fleet.write("services.yaml", &SERVICES.replace("vlan: 102", "vlan: 112"));
    let _ = fleet.run(&target).expect(0).says("1 changed");
    assert_eq!(drift(&fleet), both);
    let _ = fleet.run(&target).expect(0);
    assert_eq!(drift(&fleet), both);
    maple.execute(
        "ghn endpoint 9 name \"s-9\" mac-address 00:0e:d8:00:00:09 port 2\n\
         ghn subscriber 9 name \"s-9\" endpoint 9 vid 109 untagged bw-profile unthrottled\n\
         copy running-config startup-config",
    );
    let found = "  s-9: { device: maple, endpoint: \"00:0e:d8:00:00:09\", port: 2, plan: unthrottled, vlan: 109 }\n";
    let services = SERVICES.replace("vlan: 102", "vlan: 112") + found;
    fleet.write("services.yaml", &services);
    let take = ["apply", "--auto-approve", "--target", "maple/subscriber/s-9"];
    let _ = fleet.run(&take).expect(0);
    assert_eq!(drift(&fleet), both);

    // What was drift all the time is mended as drift.
    let _ = fleet.apply();
    fleet.expect_in_sync();
}

#[test]
fn an_observed_device_is_shown_and_never_changed() {
    let fleet = TestFleet::start(TWO, SERVICES);
    fleet.write("devices.yaml", &fleet.devices(TWO, "    mode: observe\n"));
    let plan = fleet
        .run(&["plan", "--detailed-exitcode"])
        .expect(0)
        .says("observe only");
    let _ = plan.says("every difference is on a device that is observed only or paused");
    let _ = fleet.apply();
    assert_eq!(fleet.device("maple").counters().saves, 0);
    fleet.write(
        "devices.yaml",
        &fleet.devices(TWO, "    paused: splicing until Friday\n"),
    );
    let _ = fleet
        .run(&["plan", "--detailed-exitcode"])
        .expect(0)
        .says("paused: splicing until Friday");
}

#[test]
fn show_tells_wish_state_numbers_and_option_82() {
    let fleet = TestFleet::start(TWO, SERVICES);
    fleet.write("devices.yaml", &fleet.devices(&TWO[..1], "    hostname: gam-maple\n"));
    let services: String = SERVICES
        .lines()
        .filter(|line| !line.contains("harbour"))
        .map(|line| format!("{line}\n"))
        .collect();
    fleet.write("services.yaml", &services);
    let _ = fleet.apply();
    fleet.device("maple").execute("ghn subscriber 2 vid 999");
    let shown = fleet.run(&["show", "s-2"]).expect(0);
    insta::assert_snapshot!(
        "show_subscriber",
        shown
            .stdout
            .replace(&fleet.device("maple").ssh_addr().to_string(), "ADDRESS")
    );
    let shown = fleet
        .run(&["show", "maple"])
        .expect(0)
        .says("in sync: no, 1 difference");
    let _ = shown.says("hostname");
    let _ = fleet.run(&["show", "s-22"]).expect(1).says("did you mean `s-2`?");
}

#[test]
fn an_invalid_inventory_contacts_nobody() {
    let fleet = TestFleet::start(TWO, SERVICES);
    fleet.write("services.yaml", &SERVICES.replace("vlan: 101", "vlan: 4095"));
    for arguments in [&["plan"][..], &["apply", "--auto-approve"], &["validate"]] {
        let ran = fleet.run(arguments).expect(3);
        assert!(
            ran.stdout.contains("services.yaml:5") || ran.stderr.contains("services.yaml:5"),
            "{}",
            ran.stderr
        );
    }
    assert_eq!(fleet.device("maple").counters().logins, 0);
}

#[test]
fn apply_refuses_without_a_terminal_to_ask_on() {
    let fleet = TestFleet::start(TWO, SERVICES);
    let _ = fleet
        .run(&["apply"])
        .expect(64)
        .says("there is no terminal to ask for approval");
    assert_eq!(fleet.device("maple").counters().logins, 0);
}

#[test]
fn usage_errors_are_64_and_never_look_like_changes() {
    let fleet = TestFleet::start(&[], "");
    let _ = fleet.run(&["plan", "--no-such-flag"]).expect(64);
    let _ = fleet.run(&["frobnicate"]).expect(64);
    let _ = fleet
        .run(&["plan", "--target", "a/b"])
        .expect(64)
        .says("is not an address");
    let _ = fleet.run(&["--help"]).expect(0);
}

#[test]
fn swaps_of_endpoints_and_names_converge() {
    let fleet = TestFleet::start(TWO, SERVICES);
    let _ = fleet.apply();
    // Two copper subscribers change flats, two coax subscribers change boxes, a plan is renamed.
    let swapped = SERVICES
        .replace("00:00:04\", port: 1", "00:00:X\", port: 2")
        .replace("00:00:05\", port: 2", "00:00:04\", port: 1")
        .replace("00:00:X", "00:00:05")
        .replace("00:00:01", "00:00:X")
        .replace("00:00:02", "00:00:01")
        .replace("00:00:X", "00:00:02")
        .replace("silver 100", "silver");
    fleet.write("services.yaml", &swapped);
    let _ = fleet.apply();
    fleet.expect_in_sync();
}

#[test]
fn unsaved_configuration_of_others_is_reported_saved_or_refused_as_the_policy_says() {
    let fleet = TestFleet::start(TWO, SERVICES);
    let _ = fleet.apply();
    fleet.device("maple").execute("ghn subscriber 9 name \"John\" vid 900");
    let _ = fleet
        .run(&["plan", "--detailed-exitcode"])
        .expect(0)
        .says("UNSAVED")
        .says("left as it is");
    let policy = |word: &str| {
        fleet.write(
            "gamops.yaml",
            &format!("format: 1\ninventory: test\ndefaults: {{ credentials: factory, mode: manage }}\npolicies: {{ unsaved: {word} }}\n"),
        );
    };
    policy("refuse");
    let _ = fleet.run(&["plan"]).expect(4).says("unsaved-configuration");
    policy("save");
    let _ = fleet
        .run(&["plan", "--detailed-exitcode"])
        .expect(2)
        .says("1 device to save");
    let _ = fleet.apply();
    fleet.expect_in_sync();
}

#[test]
fn a_device_that_changed_after_it_was_planned_is_not_touched() {
    let fleet = TestFleet::start(TWO, SERVICES);
    let context = context(&fleet, gamops::store::Store::in_memory().unwrap());
    let results = fleet.block_on(async {
        let planned = context.plan(&[]).await.unwrap();
        fleet.device("maple").execute("ghn subscriber 7 name \"late\"");
        context
            .apply(planned, &gamops::reconcile::Orders::by("tester"))
            .await
            .unwrap()
            .results
    });
    use gamops::reconcile::DeviceOutcome::{Applied, Stale};
    assert!(matches!(results[0].outcome, Applied(..)), "{:?}", results[0]);
    assert!(matches!(results[1].outcome, Stale), "{:?}", results[1]);
    let sent = fleet.device("maple").counters().commands;
    assert!(
        !sent
            .iter()
            .any(|command| command.starts_with("ghn ") || command.starts_with("conf")),
        "{sent:?}"
    );
}

#[test]
fn a_plan_made_before_another_run_came_and_went_is_stale() {
    let fleet = TestFleet::start(TWO, SERVICES);
    let context = context(&fleet, gamops::store::Store::open(&fleet.state()).unwrap());
    let results = fleet.block_on(async {
        let planned = context.plan(&[]).await.unwrap();
        // Somebody else's run comes to own something, and the device is as it was.
        let elsewhere = gamops::plan::record::Record {
            key: "s-77".to_owned(),
            object: gamops::observed::ObjectId::Subscriber(77.try_into().unwrap()),
            name: "s-77".to_owned(),
            binding: None,
            protect: false,
            applied: None,
        };
        let maple = fleet.device("maple").spec().base_mac();
        context
            .store
            .record(maple, vec![elsewhere], None, false, None)
            .await
            .unwrap();
        context
            .apply(planned, &gamops::reconcile::Orders::by("tester"))
            .await
            .unwrap()
            .results
    });
    use gamops::reconcile::DeviceOutcome::{Applied, Stale};
    assert!(matches!(results[0].outcome, Applied(..)), "{:?}", results[0]);
    assert!(matches!(results[1].outcome, Stale), "{:?}", results[1]);
}

#[test]
fn what_stands_in_the_way_on_an_observed_device_refuses_nothing() {
    let fleet = TestFleet::start(TWO, SERVICES);
    fleet.write("devices.yaml", &fleet.devices(TWO, "    mode: observe\n"));
    fleet
        .device("maple")
        .execute("ghn endpoint 9 name \"theirs\" mac-address 00:0e:d8:00:00:01 port 4\nghn subscriber 9 name \"John\" vid 900 endpoint 9\nghn subscriber 8 name \"s-1\" vid 900");
    let _ = fleet
        .run(&["plan", "--detailed-exitcode"])
        .expect(0)
        .says("ambiguous-match");
    let _ = fleet.apply();
    let json = fleet.run(&["plan", "--format", "json"]).expect(0).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["devices"][1]["status"], "observe");
}

#[test]
fn an_unsaved_edit_after_an_unfinished_run_was_settled_is_not_ours() {
    let fleet = TestFleet::start(TWO, SERVICES);
    let _ = fleet.apply();
    let maple = fleet.device("maple");
    // A run that is stopped before anything took effect, and a run that finds all as it was.
    fleet.write("services.yaml", &SERVICES.replace("vlan: 101", "vlan: 111"));
    maple.set_fault(gamops::sim::Fault::Refuse {
        containing: "vid 111".to_owned(),
        text: "G.hn internal error".to_owned(),
    });
    let _ = fleet
        .run(&["apply", "--auto-approve", "--on-failure", "leave"])
        .expect(5);
    maple.clear_faults();
    fleet.write("services.yaml", SERVICES);
    let _ = fleet.apply();
    maple.execute("ghn subscriber 1 description \"by hand\"");
    let _ = fleet
        .run(&["plan", "--detailed-exitcode"])
        .expect(0)
        .says("UNSAVED")
        .says("left as it is");
}

#[test]
fn an_edit_by_hand_that_outlives_the_plan_is_not_called_overwritten() {
    let fleet = TestFleet::start(TWO, SERVICES);
    let _ = fleet.apply();
    let maple = fleet.device("maple");
    maple.execute("ghn subscriber 1 vid 999 description \"by hand\"");
    let _ = fleet
        .run(&["plan"])
        .expect(0)
        .says("saved together with the changes of this plan")
        .says("also saves 2 lines that somebody else left unsaved");
    maple.execute("copy running-config startup-config\nghn subscriber 1 vid 998");
    let _ = fleet
        .run(&["plan"])
        .expect(0)
        .says("overwritten by the changes of this plan");
}

#[test]
fn a_customer_put_in_place_of_another_by_hand_is_left_alone_when_that_one_leaves() {
    let fleet = TestFleet::start(TWO, SERVICES);
    let _ = fleet.apply();
    let maple = fleet.device("maple");
    maple.execute("ghn subscriber 1 name \"John\"\ncopy running-config startup-config");
    // A run that is about somebody else does not make him ours.
    fleet.write("services.yaml", &SERVICES.replace("vlan: 102", "vlan: 112"));
    let _ = fleet
        .run(&["apply", "--auto-approve", "--target", "maple/subscriber/s-2"])
        .expect(0);
    let without: String = SERVICES
        .lines()
        .filter(|line| !line.contains("s-1:"))
        .map(|line| format!("{line}\n"))
        .collect();
    fleet.write("services.yaml", &without);
    let _ = fleet
        .apply()
        .says("subscriber 1 was `s-1` and is named `John` now: it is left alone and no longer managed");
    assert!(holds(&fleet, "maple", "John"));
}

#[test]
fn one_half_of_an_exchange_is_refused_with_the_way_to_do_both() {
    let fleet = TestFleet::start(TWO, SERVICES);
    let _ = fleet.apply();
    let exchanged = SERVICES
        .replace("00:00:01", "00:00:X")
        .replace("00:00:02", "00:00:01")
        .replace("00:00:X", "00:00:02");
    fleet.write("services.yaml", &exchanged);
    let _ = fleet
        .run(&["plan", "--target", "maple/subscriber/s-1"])
        .expect(4)
        .says("REFUSED[mac-taken]")
        .says("name all of these as targets");
    let both = ["--target", "maple/subscriber/s-1", "--target", "maple/subscriber/s-2"];
    let _ = fleet.run(&[&["apply", "--auto-approve"][..], &both].concat()).expect(0);
    fleet.expect_in_sync();
}

/// Two coax buildings.
const PAIR: &[Given] = &[Given::new("birch", "GAM-4-CX"), Given::new("maple", "GAM-4-CX")];

/// Two subscribers, on these devices.
fn pair(first: &str, second: &str) -> String {
    format!(
        "subscribers:\n  s-1: {{ device: {first}, endpoint: \"00:0e:d8:00:00:01\", port: 1, plan: unthrottled, vlan: 101 }}\n  s-2: {{ device: {second}, endpoint: \"00:0e:d8:00:00:02\", port: 1, plan: unthrottled, vlan: 102 }}\n"
    )
}

fn holds(fleet: &TestFleet, device: &str, subscriber: &str) -> bool {
    let name = format!("\"{subscriber}\"");
    fleet.ghn_lines(device).iter().any(|line| line.contains(&name))
}

#[test]
fn a_subscriber_that_moves_is_verified_on_its_new_device_before_the_old_one_loses_it() {
    let fleet = TestFleet::start(PAIR, &pair("birch", "birch"));
    let _ = fleet.apply();
    fleet.write("services.yaml", &pair("maple", "birch"));
    let refused = gamops::sim::Fault::Refuse {
        containing: "ghn subscriber".to_owned(),
        text: "G.hn internal error".to_owned(),
    };
    fleet.device("maple").set_fault(refused);
    let ran = fleet.run(&["apply", "--auto-approve"]).expect(5);
    let ran = ran.says("subscriber `s-1` moves to `maple`: this device is changed after that one was verified");
    let _ = ran.says("birch  REFUSED[move-incomplete]");
    assert!(holds(&fleet, "birch", "s-1"));
    fleet.device("maple").clear_faults();
    let _ = fleet.apply();
    assert!(!holds(&fleet, "birch", "s-1") && holds(&fleet, "maple", "s-1"));
    fleet.expect_in_sync();
}

#[test]
fn a_device_keeps_a_subscriber_that_its_new_device_cannot_be_given() {
    let fleet = TestFleet::start(PAIR, &pair("birch", "birch"));
    let _ = fleet.apply();
    fleet.write("services.yaml", &pair("maple", "birch"));
    let _ = fleet
        .run(&["apply", "--auto-approve", "--target", "birch"])
        .expect(4)
        .says("moves to `maple`, which this run leaves out: for a time, or for good, it would be on neither device");
    fleet.device("maple").set_fault(gamops::sim::Fault::RefuseLogins);
    let _ = fleet
        .run(&["apply", "--auto-approve"])
        .expect(1)
        .says("which could not be read");
    assert!(holds(&fleet, "birch", "s-1"));
    fleet.device("maple").clear_faults();
    // Brought there by itself first, it may go here by itself afterwards.
    for target in ["maple/subscriber/s-1", "birch"] {
        let _ = fleet.run(&["apply", "--auto-approve", "--target", target]).expect(0);
    }
    fleet.expect_in_sync();
}

#[test]
fn devices_that_exchange_subscribers_do_it_in_two_runs() {
    let fleet = TestFleet::start(PAIR, &pair("birch", "maple"));
    let _ = fleet.apply();
    fleet.write("services.yaml", &pair("maple", "birch"));
    let _ = fleet
        .run(&["apply", "--auto-approve"])
        .expect(4)
        .says("gamops apply --target maple/subscriber/s-1")
        .says("gamops apply --target birch/subscriber/s-2");
    assert!(holds(&fleet, "birch", "s-1") && holds(&fleet, "maple", "s-2"));
    for subscriber in ["maple/subscriber/s-1", "birch/subscriber/s-2"] {
        let _ = fleet
            .run(&["apply", "--auto-approve", "--target", subscriber])
            .expect(0);
    }
    let _ = fleet.apply();
    fleet.expect_in_sync();
}

/// What a run needs, without the program around it.
pub(crate) fn context(fleet: &TestFleet, store: gamops::store::Store) -> gamops::reconcile::Context {
    let files = gamops::repo::read_inventory(&fleet.inventory()).unwrap();
    let inventory = gamops::inventory::load(&files).inventory.unwrap();
    let keyring = gamops::transport::credentials::Keyring::from_environment().unwrap();
    gamops::reconcile::Context::new(inventory.into(), store, keyring.into())
}
