//! What a device is and shows besides its services: its subscriber model, its uplinks, its host name, and what gamops
//! looks at and never changes.

use gamops::sim::{DeviceSpec, Fault};

use crate::fleet::{Given, SERVICES, TWO, TestFleet};

fn port_aware(spec: &mut DeviceSpec) {
    spec.knobs.port_aware = true;
}

const LODGE: &[Given] = &[Given {
    key: "lodge",
    model: "GAM-12-M",
    tune: port_aware,
}];

const BY_PORT: &str = "\
subscribers:
  s-1: { device: lodge, port: 1, plan: unthrottled, vlan: 101 }
  s-2: { device: lodge, port: 2, plan: unthrottled, vlan: 102 }
";

const PORT_AWARE: &str = "    subscriber_model: port-aware\n    allow_assumed: true\n";

fn plug(fleet: &TestFleet, mac: &str, port: u64) {
    fleet
        .device("lodge")
        .plug(mac.parse().unwrap(), port.try_into().unwrap());
}

#[test]
fn on_a_port_aware_device_endpoints_come_and_go_and_nothing_is_planned() {
    let fleet = TestFleet::start(LODGE, BY_PORT);
    fleet.write("devices.yaml", &fleet.devices(LODGE, PORT_AWARE));
    let _ = fleet.apply();
    fleet.expect_in_sync();
    let settled = fleet.ghn_lines("lodge");

    // The device writes lines of its own, also for a port without a subscriber, and another box replaces one.
    for (mac, port) in [
        ("00:0e:d8:00:00:01", 1),
        ("00:0e:d8:00:00:02", 2),
        ("00:0e:d8:00:00:03", 7),
    ] {
        plug(&fleet, mac, port);
    }
    let lodge = fleet.device("lodge");
    lodge.unplug("00:0e:d8:00:00:01".parse().unwrap());
    plug(&fleet, "00:0e:d8:00:00:04", 1);
    let lines = fleet.ghn_lines("lodge");
    assert_eq!(
        lines.iter().filter(|line| line.starts_with("ghn endpoint ")).count(),
        4,
        "{lines:?}"
    );
    let plan = fleet
        .run(&["plan", "--detailed-exitcode"])
        .expect(0)
        .says("No changes.");
    for word in ["UNSAVED", "unmanaged", "endpoint"] {
        assert!(!plan.stdout.contains(word), "{word} in\n{}", plan.stdout);
    }

    // What is asked for is done beside them, and what leaves takes none of them along.
    fleet.write("services.yaml", &BY_PORT.replace("vlan: 101", "vlan: 111"));
    let _ = fleet.apply().says("vlan: 101 -> 111");
    fleet.write("services.yaml", "");
    let _ = fleet.apply();
    let left = fleet.ghn_lines("lodge");
    let kept = |line: &&String| !line.starts_with("ghn subscriber ");
    assert_eq!(left, lines.iter().filter(kept).cloned().collect::<Vec<_>>());
    // And back again: the same numbers as before.
    fleet.write("services.yaml", BY_PORT);
    let _ = fleet.apply();
    for line in settled.iter().filter(|line| line.starts_with("ghn subscriber ")) {
        assert!(fleet.ghn_lines("lodge").contains(line), "{line}");
    }
}

#[test]
fn option_82_of_a_port_aware_device_names_the_port_and_leaves_the_endpoint_to_the_device() {
    let fleet = TestFleet::start(LODGE, BY_PORT);
    let more = format!("{PORT_AWARE}    hostname: gam-lodge\n");
    fleet.write("devices.yaml", &fleet.devices(LODGE, &more));
    let _ = fleet.apply();
    plug(&fleet, "00:0e:d8:00:00:01", 1);
    let _ = fleet
        .run(&["show", "s-1"])
        .expect(0)
        .says("option 82 circuit id  \"gam-lodge\" eth 1/1.<endpoint>:101  \"gam-lodge\" eth 1/1.<endpoint>:101\n");
    fleet.write("services.yaml", &BY_PORT.replace("port: 1", "port: 5"));
    let _ = fleet
        .run(&["plan"])
        .expect(0)
        .says("option 82 circuit id: \"gam-lodge\" eth 1/1.<endpoint>:101 -> \"gam-lodge\" eth 1/5.<endpoint>:101");
}

#[test]
fn a_device_of_another_subscriber_model_than_the_inventory_says_is_left_alone() {
    let fleet = TestFleet::start(LODGE, BY_PORT);
    fleet.write("devices.yaml", &fleet.devices(LODGE, PORT_AWARE));
    let _ = fleet.apply();
    let held = fleet.ghn_lines("lodge");
    // The inventory takes it for endpoint-aware.
    fleet.write("devices.yaml", &fleet.devices(LODGE, ""));
    fleet.write(
        "services.yaml",
        "subscribers:\n  s-1: { device: lodge, endpoint: \"00:0e:d8:00:00:01\", port: 1, plan: unthrottled, vlan: 101 }\n",
    );
    for arguments in [&["plan"][..], &["apply", "--auto-approve"]] {
        let _ = fleet
            .run(arguments)
            .expect(4)
            .says("REFUSED[subscriber-model-differs] the device ties subscribers to ports, so it is port-aware; the inventory says endpoint-aware")
            .says("set `subscriber_model: port-aware`; gamops never changes a device's model");
    }
    assert_eq!(fleet.ghn_lines("lodge"), held);

    // The other way round.
    let fleet = TestFleet::start(TWO, SERVICES);
    let _ = fleet.apply();
    let held = fleet.ghn_lines("harbour");
    fleet.write(
        "devices.yaml",
        &fleet.devices_with([(&TWO[0], ""), (&TWO[1], PORT_AWARE)]),
    );
    let services = SERVICES.replace(
        "device: harbour, endpoint: \"00:0e:d8:00:00:04\", ",
        "device: harbour, ",
    );
    let services = services.replace(
        "device: harbour, endpoint: \"00:0e:d8:00:00:05\", ",
        "device: harbour, ",
    );
    fleet.write("services.yaml", &services);
    let _ = fleet
        .run(&["apply", "--auto-approve"])
        .expect(4)
        .says("harbour")
        .says("the device ties subscribers to endpoints, so it is endpoint-aware; the inventory says port-aware");
    assert_eq!(fleet.ghn_lines("harbour"), held);
}

#[test]
fn a_host_name_is_written_only_if_set_and_says_whose_circuit_ids_it_changes() {
    let fleet = TestFleet::start(TWO, SERVICES);
    let _ = fleet.apply();
    fleet
        .device("maple")
        .execute("hostname by-hand\ncopy running-config startup-config");
    let _ = fleet
        .run(&["plan", "--detailed-exitcode"])
        .expect(0)
        .says("No changes.");
    fleet.write(
        "devices.yaml",
        &fleet.devices_with([(&TWO[0], "    hostname: gam-maple\n"), (&TWO[1], "")]),
    );
    let plan = fleet.run(&["plan", "--target", "maple"]).expect(0);
    insta::assert_snapshot!(
        "plan_of_a_host_name",
        plan.stdout
            .replace(&fleet.device("maple").ssh_addr().to_string(), "ADDRESS")
    );
    let _ = fleet.apply();
    fleet.expect_in_sync();
    assert_eq!(fleet.ghn_lines("maple")[0], "hostname gam-maple");
}

#[test]
fn a_circuit_id_that_changes_with_an_endpoint_is_shown_with_it() {
    let fleet = TestFleet::start(TWO, SERVICES);
    fleet.write(
        "devices.yaml",
        &fleet
            .devices(TWO, "    hostname: gam\n")
            .replacen("gam", "gam-maple", 1),
    );
    let _ = fleet.apply();
    fleet.write(
        "services.yaml",
        &SERVICES.replace("00:01\", port: 1", "00:01\", port: 4"),
    );
    let plan = fleet.run(&["plan"]).expect(0);
    let _ = plan.says("option 82 circuit id of s-1: \"gam-maple\" eth 1/1.1:101 -> \"gam-maple\" eth 1/4.1:101");
    let json = fleet.run(&["plan", "--format", "json"]).expect(0).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let ids = &json["resource_changes"][0]["option_82"];
    assert_eq!(ids[0]["subscriber"], "s-1");
    assert_eq!(ids[0]["after"]["circuit_id"], "\"gam-maple\" eth 1/4.1:101");
}

#[test]
fn a_vlan_that_no_uplink_lets_through_is_told_and_gone_with_its_cause() {
    let fleet = TestFleet::start(TWO, SERVICES);
    let uplink = |device: &str, number: usize, allowed: &str| {
        fleet.device(device).execute(&format!(
            "interface 10GigabitEthernet 1/{number}\nswitchport trunk allowed vlan {allowed}\nend\ncopy running-config startup-config"
        ));
    };
    uplink("maple", 1, "3-101,104-4094");
    // One of two is enough.
    uplink("harbour", 1, "none");
    uplink("harbour", 2, "104-105");
    let _ = fleet.apply();
    let plan = fleet.run(&["plan", "--detailed-exitcode"]).expect(0);
    insta::assert_snapshot!("plan_of_vlans_that_do_not_pass", hide_addresses(&fleet, plan.stdout));
    let _ = fleet
        .run(&["show", "maple"])
        .expect(0)
        .says("note: s-2: VLAN 102 does not pass uplink `10GigabitEthernet 1/1`");
    uplink("maple", 1, "all");
    uplink("harbour", 1, "all");
    let plan = fleet.run(&["plan", "--detailed-exitcode"]).expect(0);
    assert!(!plan.stdout.contains("does not pass"), "{}", plan.stdout);
}

fn hide_addresses(fleet: &TestFleet, text: String) -> String {
    ["maple", "harbour"].iter().fold(text, |text, key| {
        text.replace(&fleet.device(key).ssh_addr().to_string(), "ADDRESS")
    })
}

#[test]
fn notches_and_vectorboost_are_shown_and_never_planned() {
    let fleet = TestFleet::start(TWO, SERVICES);
    let set = "ghn notch 1 startfreq 4.5 stopfreq 20 depth 20\nghn vectorboost engine cdta enable down-up-weight 70\nghn vectorboost engine vdsl-coexistence yes\n";
    fleet
        .device("harbour")
        .execute(&format!("{set}copy running-config startup-config"));
    let _ = fleet.apply();
    fleet.expect_in_sync();
    let shown = fleet.run(&["show", "harbour"]).expect(0).stdout;
    insta::assert_snapshot!("show_device_with_line_settings", hide_addresses(&fleet, shown));
    // Not even where everything else goes.
    fleet.write("services.yaml", "");
    let _ = fleet.apply();
    let held = fleet.ghn_lines("harbour");
    let line_settings = held
        .iter()
        .filter(|line| line.contains("notch") || line.contains("vectorboost"));
    assert_eq!(line_settings.count(), 4, "{held:?}");
    assert_eq!(held.len(), 4, "{held:?}");
}

const STICKY: &[Given] = &[Given {
    key: "lodge",
    model: "GAM-12-M",
    tune: |spec| {
        spec.knobs.port_aware = true;
        spec.knobs.sticky_endpoints = true;
    },
}];

/// Two flats whose boxes were carried from one to the other: the device keeps each tied to its old port.
fn exchanged() -> TestFleet {
    let fleet = TestFleet::start(STICKY, BY_PORT);
    fleet.write("devices.yaml", &fleet.devices(STICKY, PORT_AWARE));
    let _ = fleet.apply();
    let (first, second) = ("00:0e:d8:00:00:01", "00:0e:d8:00:00:02");
    plug(&fleet, first, 1);
    plug(&fleet, second, 2);
    let lodge = fleet.device("lodge");
    for mac in [first, second] {
        lodge.unplug(mac.parse().unwrap());
    }
    plug(&fleet, second, 1);
    lodge.execute("copy running-config startup-config");
    fleet
}

fn tied(fleet: &TestFleet) -> Vec<String> {
    let endpoints = fleet.ghn_lines("lodge").into_iter();
    let endpoints = endpoints.filter(|line| line.starts_with("ghn endpoint "));
    endpoints
        .map(|line| line.split_once("mac-address ").unwrap().1.to_owned())
        .collect()
}

const REBIND: &[&str] = &["rebind", "s-1", "--auto-approve"];

#[test]
fn a_box_that_was_carried_to_another_flat_is_served_there_by_an_explicit_order_only() {
    let fleet = exchanged();
    let before = ["00:0e:d8:00:00:01 port 1", "00:0e:d8:00:00:02 port 2"];
    assert_eq!(tied(&fleet), before);
    let _ = fleet
        .run(&["plan", "--detailed-exitcode"])
        .expect(0)
        .says("No changes.");
    let _ = fleet.run(&["rebind", "s-1"]).expect(64).says("add `--auto-approve`");
    assert_eq!(tied(&fleet), before);
    let rebound = fleet.run(REBIND).expect(0);
    insta::assert_snapshot!("rebind", rebound.stdout);
    assert_eq!(tied(&fleet), ["00:0e:d8:00:00:01", "00:0e:d8:00:00:02 port 1"]);
    fleet.expect_in_sync();
    let _ = fleet
        .run(&["history", "show", "2"])
        .expect(0)
        .says("ghn endpoint 1 port unassigned")
        .says("ghn endpoint 2 port unassigned");
    let again = fleet.run(REBIND).expect(0);
    let _ = again.says("Nothing to rebind: endpoint 00:0e:d8:00:00:02 on port 1 is tied to it already.");
}

#[test]
fn a_rebind_that_fails_is_told_and_not_saved() {
    let fleet = exchanged();
    let lodge = fleet.device("lodge");
    let saves = lodge.counters().saves;
    let containing = || "port unassigned".to_owned();
    lodge.set_fault(Fault::Ignore {
        containing: containing(),
    });
    let _ = fleet
        .run(REBIND)
        .expect(1)
        .says("the device took the commands and did not let go");
    lodge.clear_faults();
    lodge.set_fault(Fault::Refuse {
        containing: containing(),
        text: "G.hn internal error".to_owned(),
    });
    let _ = fleet
        .run(REBIND)
        .expect(1)
        .says("the device refused `ghn endpoint 1 port unassigned`");
    lodge.clear_faults();
    assert_eq!(lodge.counters().saves, saves);
    let _ = fleet.run(REBIND).expect(0).says("Rebound");
    fleet.expect_in_sync();
}

#[test]
fn a_rebind_is_refused_where_it_makes_no_sense() {
    let fleet = exchanged();
    let _ = fleet
        .run(&["rebind", "nobody", "--auto-approve"])
        .expect(1)
        .says("the inventory has no subscriber `nobody`");
    let _ = fleet
        .run(&["rebind", "s-2", "--auto-approve"])
        .expect(0)
        .says("no endpoint is seen on port 2");
    fleet.write(
        "devices.yaml",
        &fleet.devices(LODGE, &format!("{PORT_AWARE}    mode: observe\n")),
    );
    let _ = fleet.run(REBIND).expect(4).says("`lodge` is observed only");

    let fleet = TestFleet::start(TWO, SERVICES);
    let _ = fleet
        .run(REBIND)
        .expect(4)
        .says("gamops does not manage `s-1` on maple yet");
    let _ = fleet.apply();
    let _ = fleet.run(REBIND).expect(0).says("the device is endpoint-aware");
}
