//! What happens to services in their life, through the whole program: suspension and its end, another box, another flat,
//! exchanges, renames, full devices. Numbers on the device stay whatever happens.

use crate::fleet::{Given, TestFleet};

const COAX: &[Given] = &[Given::new("maple", "GAM-4-CX")];

const ROOT: &str = "format: 1\ninventory: test\ndefaults: { credentials: factory, mode: manage }\n";

/// One subscriber with all that can pass besides its VLAN, one without anything.
fn two(state: &str) -> String {
    format!(
        "\
plans: {{ gold: {{ rate: 500 Mbps }}, slow: {{ rate: 10 Mbps }} }}
subscribers:
  s-1: {{ device: maple, endpoint: \"00:0e:d8:00:00:01\", port: 1, plan: gold, vlan: 101, tagged: true, remapped_vlan: 201, allowed_vlans: [301], port2_vlan: 401{state} }}
  s-2: {{ device: maple, endpoint: \"00:0e:d8:00:00:02\", port: 1, plan: gold, vlan: 102 }}
"
    )
}

#[test]
fn each_way_to_suspend_takes_the_service_and_gives_it_back_under_the_same_numbers() {
    let fleet = TestFleet::start(COAX, &two(""));
    let _ = fleet.apply();
    let active = fleet.ghn_lines("maple");
    let is_first = |line: &&String| line.starts_with("ghn subscriber 1 ");
    let ways = [
        (
            "{ vlan: 999 }",
            "ghn subscriber 1 name \"s-1\" vid 999 tagged endpoint 1 bw-profile 2 poe enable",
        ),
        (
            "{ plan: slow }",
            "ghn subscriber 1 name \"s-1\" vid 101 tagged remapped-vid 201 endpoint 1 bw-profile 3 allowed-vlan 301 port2-vid 401 poe enable",
        ),
        (
            "unbind",
            "ghn subscriber 1 name \"s-1\" vid 101 tagged remapped-vid 201 bw-profile 2 allowed-vlan 301 port2-vid 401 poe enable",
        ),
    ];
    for (way, line) in ways {
        fleet.write("gamops.yaml", &format!("{ROOT}policies: {{ suspension: {way} }}\n"));
        fleet.write("services.yaml", &two(", state: suspended"));
        let plan = fleet.run(&["plan", "--detailed-exitcode"]).expect(2);
        let _ = fleet.apply();
        fleet.expect_in_sync();
        let held = fleet.ghn_lines("maple");
        assert_eq!(
            held.iter().find(is_first).map(String::as_str),
            Some(line),
            "{way}\n{}",
            plan.stdout
        );
        for line in active.iter().filter(|line| !line.starts_with("ghn subscriber 1 ")) {
            assert!(
                held.contains(line),
                "{way} took more than the service: no {line} in {held:?}"
            );
        }

        fleet.write("services.yaml", &two(""));
        let _ = fleet.run(&["plan", "--detailed-exitcode"]).expect(2);
        let _ = fleet.apply();
        fleet.expect_in_sync();
        assert_eq!(fleet.ghn_lines("maple"), active, "{way} leaves nothing behind");
    }
}

#[test]
fn each_way_to_suspend_works_by_port_and_within_two_tags_too() {
    let given = [Given {
        key: "lodge",
        model: "GAM-12-M",
        tune: |spec| spec.knobs.port_aware = true,
    }];
    let services = |state: &str| {
        format!(
            "\
plans: {{ slow: {{ rate: 10 Mbps }} }}
subscribers:
  s-1: {{ device: lodge, port: 1, plan: unthrottled, vlan: 101, trunk: true, double_tag: {{ outer_vlan: 500, uplink: 2 }}{state} }}
  s-2: {{ device: lodge, port: 2, plan: slow, vlan: 102 }}
"
        )
    };
    let fleet = TestFleet::start(&given, &services(""));
    let device = fleet.devices(&given, "    subscriber_model: port-aware\n    allow_assumed: true\n");
    fleet.write("devices.yaml", &device);
    let _ = fleet.apply();
    let active = fleet.ghn_lines("lodge");
    for (way, line) in [
        (
            "{ vlan: 999 }",
            "ghn subscriber 1 name \"s-1\" vid 999 port 1 bw-profile unthrottled poe enable",
        ),
        (
            "{ plan: slow }",
            "ghn subscriber 1 name \"s-1\" vid 101 port 1 bw-profile 2 trunk outer-vid 500 nni 2 poe enable",
        ),
        (
            "unbind",
            "ghn subscriber 1 name \"s-1\" vid 101 bw-profile unthrottled trunk outer-vid 500 nni 2 poe enable",
        ),
    ] {
        fleet.write("gamops.yaml", &format!("{ROOT}policies: {{ suspension: {way} }}\n"));
        fleet.write("services.yaml", &services(", state: suspended"));
        let _ = fleet.apply();
        fleet.expect_in_sync();
        assert!(
            fleet.ghn_lines("lodge").iter().any(|held| held == line),
            "{way}: {:?}",
            fleet.ghn_lines("lodge")
        );
        fleet.write("services.yaml", &services(""));
        let _ = fleet.apply();
        fleet.expect_in_sync();
        assert_eq!(fleet.ghn_lines("lodge"), active, "{way} leaves nothing behind");
    }
}

/// A device, its subscribers before and after, and what must stand in its lines afterwards.
struct Story {
    given: Given,
    before: &'static [&'static str],
    after: &'static [&'static str],
    holds: &'static [&'static str],
    /// What the plan must not do: a word of its text.
    never: &'static str,
}

const STORIES: &[Story] = &[
    Story {
        given: Given::new("new-box", "GAM-4-CX"),
        before: &["a: { @, endpoint: \"00:0e:d8:01:00:01\", port: 1, vlan: 101 }"],
        after: &["a: { @, endpoint: \"00:0e:d8:01:00:09\", port: 1, vlan: 101 }"],
        holds: &[
            "ghn endpoint 1 name \"Positron_010009\" mac-address 00:0e:d8:01:00:09 port 1",
            "ghn subscriber 1 name \"a\" vid 101 endpoint 1 ",
        ],
        never: "DESTROY",
    },
    Story {
        given: Given::new("new-flat", "GAM-4-CX"),
        before: &["a: { @, endpoint: \"00:0e:d8:02:00:01\", port: 1, vlan: 101 }"],
        after: &["a: { @, endpoint: \"00:0e:d8:02:00:01\", port: 4, vlan: 101 }"],
        holds: &[
            "ghn endpoint 1 name \"Positron_020001\" mac-address 00:0e:d8:02:00:01 port 4",
            "ghn subscriber 1 name \"a\" vid 101 endpoint 1 ",
        ],
        never: "DESTROY",
    },
    Story {
        given: Given::new("boxes-round", "GAM-4-CX"),
        before: &[
            "a: { @, endpoint: \"00:0e:d8:03:00:01\", port: 1, vlan: 101 }",
            "b: { @, endpoint: \"00:0e:d8:03:00:02\", port: 1, vlan: 102 }",
            "c: { @, endpoint: \"00:0e:d8:03:00:03\", port: 2, vlan: 103 }",
        ],
        after: &[
            "a: { @, endpoint: \"00:0e:d8:03:00:02\", port: 1, vlan: 101 }",
            "b: { @, endpoint: \"00:0e:d8:03:00:03\", port: 1, vlan: 102 }",
            "c: { @, endpoint: \"00:0e:d8:03:00:01\", port: 2, vlan: 103 }",
        ],
        holds: &[
            "mac-address 00:0e:d8:03:00:02 port 1",
            "mac-address 00:0e:d8:03:00:03 port 1",
            "mac-address 00:0e:d8:03:00:01 port 2",
            "ghn subscriber 1 name \"a\" vid 101 ",
            "ghn subscriber 2 name \"b\" vid 102 ",
            "ghn subscriber 3 name \"c\" vid 103 ",
        ],
        never: "DESTROY",
    },
    Story {
        given: Given::new("full-copper", "GAM-4-MX"),
        before: &[
            "a: { @, endpoint: \"00:0e:d8:04:00:01\", port: 1, vlan: 101 }",
            "b: { @, endpoint: \"00:0e:d8:04:00:02\", port: 2, vlan: 102 }",
            "c: { @, endpoint: \"00:0e:d8:04:00:03\", port: 3, vlan: 103 }",
            "d: { @, endpoint: \"00:0e:d8:04:00:04\", port: 4, vlan: 104 }",
        ],
        after: &[
            "a: { @, endpoint: \"00:0e:d8:04:00:01\", port: 2, vlan: 101 }",
            "b: { @, endpoint: \"00:0e:d8:04:00:02\", port: 3, vlan: 102 }",
            "c: { @, endpoint: \"00:0e:d8:04:00:03\", port: 1, vlan: 103 }",
            "d: { @, endpoint: \"00:0e:d8:04:00:04\", port: 4, vlan: 104 }",
        ],
        holds: &[
            "ghn endpoint 1 name \"Positron_040001\" mac-address 00:0e:d8:04:00:01 port 2",
            "ghn endpoint 2 name \"Positron_040002\" mac-address 00:0e:d8:04:00:02 port 3",
            "ghn endpoint 3 name \"Positron_040003\" mac-address 00:0e:d8:04:00:03 port 1",
        ],
        never: "DESTROY",
    },
    Story {
        given: Given::new("names-round", "GAM-4-CX"),
        before: &[
            "a: { &, name: one, endpoint: { mac: \"00:0e:d8:05:00:01\", name: box-1 }, port: 1, vlan: 101 }",
            "b: { &, name: two, endpoint: { mac: \"00:0e:d8:05:00:02\", name: box-2 }, port: 1, vlan: 102 }",
            "c: { &, name: three, endpoint: { mac: \"00:0e:d8:05:00:03\", name: box-3 }, port: 1, vlan: 103 }",
        ],
        after: &[
            "a: { &, name: two, endpoint: { mac: \"00:0e:d8:05:00:01\", name: box-2 }, port: 1, vlan: 101 }",
            "b: { &, name: three, endpoint: { mac: \"00:0e:d8:05:00:02\", name: box-3 }, port: 1, vlan: 102 }",
            "c: { &, name: one, endpoint: { mac: \"00:0e:d8:05:00:03\", name: box-1 }, port: 1, vlan: 103 }",
        ],
        holds: &[
            "ghn endpoint 1 name \"box-2\" mac-address 00:0e:d8:05:00:01 ",
            "ghn endpoint 2 name \"box-3\" mac-address 00:0e:d8:05:00:02 ",
            "ghn endpoint 3 name \"box-1\" mac-address 00:0e:d8:05:00:03 ",
            "ghn subscriber 1 name \"two\" vid 101 ",
            "ghn subscriber 2 name \"three\" vid 102 ",
            "ghn subscriber 3 name \"one\" vid 103 ",
        ],
        never: "DESTROY",
    },
    Story {
        given: Given::new("new-key", "GAM-4-CX"),
        before: &["a: { @, endpoint: \"00:0e:d8:06:00:01\", port: 1, vlan: 101 }"],
        after: &["b: { @, was: a, endpoint: \"00:0e:d8:06:00:01\", port: 1, vlan: 101 }"],
        holds: &[
            "ghn endpoint 1 name \"Positron_060001\" mac-address 00:0e:d8:06:00:01 port 1",
            "ghn subscriber 1 name \"b\" vid 101 endpoint 1 ",
        ],
        never: "DESTROY",
    },
    Story {
        given: Given::new("new-tenant", "GAM-4-CX"),
        before: &["a: { @, endpoint: \"00:0e:d8:07:00:01\", port: 1, vlan: 101 }"],
        after: &["b: { @, endpoint: \"00:0e:d8:07:00:01\", port: 1, vlan: 102 }"],
        // The box on the wall stays what it is.
        holds: &["ghn endpoint 1 name \"Positron_070001\" mac-address 00:0e:d8:07:00:01 port 1"],
        never: "DESTROY  endpoint",
    },
];

fn services(stories: &[Story], of: fn(&Story) -> &'static [&'static str]) -> String {
    let mut text = "subscribers:\n".to_owned();
    for story in stories {
        let key = story.given.key;
        for line in of(story) {
            // Keys are the fleet's, names the device's.
            let (subscriber, rest) = line.split_once(": ").unwrap();
            let named = format!("name: {subscriber}, &");
            let rest = rest.replace('@', &named);
            let rest = rest.replace('&', &format!("device: {key}, plan: unthrottled"));
            let rest = rest.replace("was: ", &format!("was: {key}-"));
            text.push_str(&format!("  {key}-{subscriber}: {rest}\n"));
        }
    }
    text
}

#[test]
fn boxes_flats_and_names_change_hands_and_numbers_stay() {
    let given: Vec<Given> = STORIES.iter().map(|story| Given { ..story.given }).collect();
    let fleet = TestFleet::start(&given, &services(STORIES, |story| story.before));
    let _ = fleet.apply();
    fleet.expect_in_sync();
    fleet.write("services.yaml", &services(STORIES, |story| story.after));
    for story in STORIES {
        let plan = fleet.run(&["plan", "--target", story.given.key]).expect(0);
        assert!(!plan.stdout.contains(story.never), "{}", plan.stdout);
    }
    let _ = fleet.apply();
    fleet.expect_in_sync();
    for story in STORIES {
        let held = fleet.ghn_lines(story.given.key).join("\n");
        for line in story.holds {
            assert!(held.contains(line), "{}: no `{line}` in\n{held}", story.given.key);
        }
    }
}

/// Fourteen plans, each with a subscriber; plan and rate of each as told.
fn fourteen(plan_of: impl Fn(usize) -> usize) -> String {
    let mut text = "plans:\n".to_owned();
    for plan in 1..=15 {
        text.push_str(&format!("  p-{plan}: {{ rate: {} Mbps }}\n", plan * 10));
    }
    text.push_str("subscribers:\n");
    for number in 1..=14 {
        text.push_str(&format!(
            "  s-{number:02}: {{ device: cedar, endpoint: \"00:0e:d8:00:00:{number:02x}\", port: {number}, plan: p-{}, vlan: {} }}\n",
            plan_of(number),
            100 + number
        ));
    }
    text
}

#[test]
fn plans_change_hands_while_all_fourteen_profiles_are_in_use() {
    let fleet = TestFleet::start(&[Given::new("cedar", "GAM-24-C")], &fourteen(|number| number));
    let _ = fleet.apply();
    fleet.expect_in_sync();
    let profiles = |fleet: &TestFleet| -> Vec<String> {
        let lines = fleet.ghn_lines("cedar").into_iter();
        lines.filter(|line| line.starts_with("ghn bw-profile ")).collect()
    };
    assert_eq!(profiles(&fleet).len(), 14);
    // All of them move on by one, then the last user of one plan takes up a fifteenth.
    for plan_of in [
        |number: usize| number % 14 + 1,
        |number: usize| if number == 3 { 15 } else { number % 14 + 1 },
    ] {
        fleet.write("services.yaml", &fourteen(plan_of));
        let _ = fleet.apply();
        fleet.expect_in_sync();
        assert_eq!(profiles(&fleet).len(), 14);
    }
    let held = profiles(&fleet).join("\n");
    assert!(
        held.contains("name \"p-15\" rate-downstream 159") && !held.contains("name \"p-4\""),
        "{held}"
    );
}

#[test]
fn keys_change_and_nothing_else_does() {
    let services = |subscriber: &str, plan: &str, was: [&str; 2], device: &str| {
        format!(
            "plans: {{ {plan}: {{ {}name: gold, rate: 500 Mbps }} }}\nsubscribers:\n  {subscriber}: {{ {}name: flat-1, device: {device}, endpoint: \"00:0e:d8:00:00:01\", port: 1, plan: {plan}, vlan: 101 }}\n",
            was[0], was[1]
        )
    };
    let fleet = TestFleet::start(COAX, &services("s-1", "gold", ["", ""], "maple"));
    let _ = fleet.apply();
    let before = fleet.ghn_lines("maple");
    fleet.write(
        "services.yaml",
        &services("s-2", "gilt", ["was: gold, ", "was: s-1, "], "oak"),
    );
    let devices = fleet.devices(COAX, "    was: maple\n").replace("  maple:", "  oak:");
    fleet.write("devices.yaml", &devices);
    fleet.expect_in_sync();
    // Applied once, so that the records bear the new keys: then the old ones may be forgotten.
    let _ = fleet.apply();
    fleet.write("services.yaml", &services("s-2", "gilt", ["", ""], "oak"));
    fleet.write("devices.yaml", &devices.replace("    was: maple\n", ""));
    fleet.expect_in_sync();
    assert_eq!(fleet.ghn_lines("maple"), before);
    // Still owned: what leaves the inventory leaves the device.
    fleet.write("services.yaml", "");
    let _ = fleet.apply();
    assert_eq!(fleet.ghn_lines("maple"), Vec::<String>::new());
}

/// A subscriber on every place of a device, each `by` ports further on than its number says.
fn crowd(device: &str, ports: u8, on_each: u8, by: u8) -> String {
    let mut text = "subscribers:\n".to_owned();
    for number in 0..ports * on_each {
        text.push_str(&format!(
            "  s-{number}: {{ device: {device}, endpoint: \"00:0e:d8:00:01:{number:02x}\", port: {}, plan: unthrottled, vlan: {} }}\n",
            (number + by) % ports + 1,
            100 + u16::from(number)
        ));
    }
    text
}

#[test]
fn a_device_that_is_full_to_the_last_place_is_moved_about_and_takes_no_more() {
    for (given, ports, on_each) in [
        (Given::new("copper", "GAM-8-MX"), 8, 1),
        (Given::new("coax", "GAM-4-CX"), 4, 16),
    ] {
        let key = given.key;
        let given = [given];
        let fleet = TestFleet::start(&given, &crowd(key, ports, on_each, 0));
        let _ = fleet.apply();
        fleet.expect_in_sync();
        fleet.write("services.yaml", &crowd(key, ports, on_each, 1));
        let _ = fleet.apply();
        fleet.expect_in_sync();
        let one_more = format!(
            "{}  s-more: {{ device: {key}, endpoint: \"00:0e:d8:00:02:00\", port: 1, plan: unthrottled, vlan: 99 }}\n",
            crowd(key, ports, on_each, 1)
        );
        fleet.write("services.yaml", &one_more);
        let _ = fleet.run(&["apply", "--auto-approve"]).expect(3).says("port-full");
    }
}

/// Smaller models may refuse earlier than the vendor's guides say (error 33 to 35).
#[test]
fn a_device_that_takes_fewer_than_the_guides_say_is_left_as_it_was() {
    let given = [
        Given {
            key: "endpoints",
            model: "GAM-4-CX",
            tune: |spec| spec.knobs.max_endpoints = 2,
        },
        Given {
            key: "subscribers",
            model: "GAM-4-CX",
            tune: |spec| spec.knobs.max_subscribers = 2,
        },
        Given {
            key: "profiles",
            model: "GAM-4-CX",
            // The device's own is one of them.
            tune: |spec| spec.knobs.max_profiles = 3,
        },
    ];
    let services = |count: usize| {
        let of = |(index, given): (usize, &Given)| -> String {
            let one = |number: usize| {
                format!(
                    "  {key}-{number}: {{ device: {key}, endpoint: \"00:0e:d8:00:0{index}:0{number}\", port: 1, plan: p-{number}, vlan: 10{number} }}\n",
                    key = given.key
                )
            };
            (1..=count).map(one).collect()
        };
        let plans: String = (1..=count)
            .map(|number| format!("  p-{number}: {{ rate: {number}0 Mbps }}\n"))
            .collect();
        let subscribers: String = given.iter().enumerate().map(of).collect();
        format!("plans:\n{plans}subscribers:\n{subscribers}")
    };
    let fleet = TestFleet::start(&given, &services(2));
    let _ = fleet.apply();
    let before = given.each_ref().map(|given| fleet.ghn_lines(given.key));
    fleet.write("services.yaml", &services(3));
    let mut ran = fleet.run(&["apply", "--auto-approve"]).expect(5);
    for kind in ["endpoint", "subscriber", "banbdwidth profile"] {
        ran = ran.says(&format!("Maximum number of G.hn {kind} reached for the system"));
    }
    assert_eq!(given.each_ref().map(|given| fleet.ghn_lines(given.key)), before);
    fleet.write("services.yaml", &services(2));
    fleet.expect_in_sync();
}
