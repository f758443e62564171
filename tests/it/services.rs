//! Every field of the inventory through the whole program: checked, planned, applied, read back from the device, in
//! sync; then changed, and taken back.

use gamops::dialect::command::WORDS;
use gamops::sim::DeviceSpec;

use crate::fleet::{Given, TestFleet};

/// One device, what the inventory says of it at first and later, and the lines it holds after either.
struct Case {
    given: Given,
    /// Lines of the device, indented by four.
    device: [&'static str; 2],
    /// Its subscribers; `DEVICE` stands for its key.
    subscribers: [&'static str; 2],
    holds: [&'static [&'static str]; 2],
}

const PLANS: &str = "\
plans:
  limited: { rate: 100 Mbps, service_limit_level: 2 }
subscribers:
";

const OTHER_PLANS: &str = "\
plans:
  limited: { rate: 200 Mbps, service_limit_level: 4 }
subscribers:
";

fn port_aware(spec: &mut DeviceSpec) {
    spec.knobs.port_aware = true;
    spec.plugged = vec![("00:0e:d8:00:01:01".parse().unwrap(), 3.try_into().unwrap())];
}

const CASES: &[Case] = &[
    Case {
        given: Given::new("vlans", "GAM-4-CX"),
        device: ["", ""],
        subscribers: [
            "  v-1: { device: DEVICE, endpoint: \"00:0e:d8:00:02:01\", port: 1, plan: unthrottled, vlan: 101, tagged: true, remapped_vlan: 201, allowed_vlans: [301, \"401-403\"], port2_vlan: 501, description: Flat 1 }\n",
            "  v-1: { device: DEVICE, endpoint: \"00:0e:d8:00:02:01\", port: 2, plan: unthrottled, vlan: 102, description: Flat 2 }\n",
        ],
        holds: [
            &[
                "ghn endpoint 1 name \"Positron_000201\" mac-address 00:0e:d8:00:02:01 port 1",
                "ghn subscriber 1 name \"v-1\" vid 101 tagged remapped-vid 201 endpoint 1 bw-profile unthrottled allowed-vlan 301,401-403 port2-vid 501 poe enable description \"Flat 1\"",
            ],
            &[
                "ghn endpoint 1 name \"Positron_000201\" mac-address 00:0e:d8:00:02:01 port 2",
                "ghn subscriber 1 name \"v-1\" vid 102 endpoint 1 bw-profile unthrottled poe enable description \"Flat 2\"",
            ],
        ],
    },
    Case {
        given: Given::new("levels", "GAM-4-CX"),
        device: ["", ""],
        subscribers: [
            "  l-1: { device: DEVICE, endpoint: \"00:0e:d8:00:03:01\", port: 1, plan: limited, vlan: 101 }\n",
            "  l-1: { device: DEVICE, endpoint: \"00:0e:d8:00:03:01\", port: 1, plan: limited, vlan: 101 }\n",
        ],
        holds: [
            &[
                "ghn bw-profile 2 name \"limited\" rate-downstream 106 rate-upstream 106 service-limit-level 2",
                "ghn endpoint 1 name \"Positron_000301\" mac-address 00:0e:d8:00:03:01 port 1",
                "ghn subscriber 1 name \"l-1\" vid 101 endpoint 1 bw-profile 2 poe enable",
            ],
            &[
                "ghn bw-profile 2 name \"limited\" rate-downstream 212 rate-upstream 212 service-limit-level 4",
                "ghn endpoint 1 name \"Positron_000301\" mac-address 00:0e:d8:00:03:01 port 1",
                "ghn subscriber 1 name \"l-1\" vid 101 endpoint 1 bw-profile 2 poe enable",
            ],
        ],
    },
    Case {
        given: Given::new("endpoints", "GAM-4-CX"),
        device: [
            "    endpoints: { spare: { mac: \"00:0e:d8:00:04:09\", port: auto, management_access: true, name: stock, id: 30 } }\n",
            "    endpoints: { spare: { mac: \"00:0e:d8:00:04:09\", management_access: false, name: shelf, description: Top } }\n",
        ],
        subscribers: [
            "  e-1: { device: DEVICE, endpoint: { mac: \"00:0e:d8:00:04:01\", name: box, description: Hall, management_access: true, id: 20 }, port: auto, plan: unthrottled, vlan: 101, id: 10 }\n",
            "  e-1: { device: DEVICE, endpoint: { mac: \"00:0e:d8:00:04:02\", name: box, management_access: false }, port: 1, plan: unthrottled, vlan: 101 }\n",
        ],
        holds: [
            &[
                "ghn endpoint 20 name \"box\" mac-address 00:0e:d8:00:04:01 port auto description \"Hall\" allow-management-access",
                "ghn endpoint 30 name \"stock\" mac-address 00:0e:d8:00:04:09 port auto allow-management-access",
                "ghn subscriber 10 name \"e-1\" vid 101 endpoint 20 bw-profile unthrottled poe enable",
            ],
            // Numbers stay, also where nothing pins them any more, and the endpoint's is that of the box before it.
            &[
                "ghn endpoint 20 name \"box\" mac-address 00:0e:d8:00:04:02 port 1 description \"Hall\"",
                "ghn endpoint 30 name \"shelf\" mac-address 00:0e:d8:00:04:09 description \"Top\"",
                "ghn subscriber 10 name \"e-1\" vid 101 endpoint 20 bw-profile unthrottled poe enable",
            ],
        ],
    },
    Case {
        given: Given::new("ports", "GAM-12-M"),
        device: [
            "    hostname: gam-ports\n    ports: { 1: { name: Riser A, mode: siso, shutdown: true } }\n",
            "    hostname: gam-ports-2\n    ports: { 1: { name: Riser B, mode: mimo, shutdown: false } }\n",
        ],
        subscribers: ["", ""],
        holds: [
            &["hostname gam-ports", "ghn port 1 mode siso name \"Riser A\" shutdown"],
            &["hostname gam-ports-2", "ghn port 1 name \"Riser B\""],
        ],
    },
    Case {
        given: Given::new("poe", "GAM-4-CX"),
        device: ["    allow_assumed: true\n", "    allow_assumed: true\n"],
        subscribers: [
            "  p-1: { device: DEVICE, plan: unthrottled, vlan: 101, poe: disable }\n  p-2: { device: DEVICE, plan: unthrottled, vlan: 101, poe: force }\n  p-3: { device: DEVICE, plan: unthrottled, vlan: 101 }\n",
            "  p-1: { device: DEVICE, plan: unthrottled, vlan: 101, poe: enable }\n  p-2: { device: DEVICE, plan: unthrottled, vlan: 101, poe: disable }\n  p-3: { device: DEVICE, plan: unthrottled, vlan: 101, poe: force }\n",
        ],
        holds: [
            &[
                "ghn subscriber 1 name \"p-1\" vid 101 bw-profile unthrottled poe disable",
                "ghn subscriber 2 name \"p-2\" vid 101 bw-profile unthrottled poe force",
                "ghn subscriber 3 name \"p-3\" vid 101 bw-profile unthrottled poe enable",
            ],
            &[
                "ghn subscriber 1 name \"p-1\" vid 101 bw-profile unthrottled poe enable",
                "ghn subscriber 2 name \"p-2\" vid 101 bw-profile unthrottled poe disable",
                "ghn subscriber 3 name \"p-3\" vid 101 bw-profile unthrottled poe force",
            ],
        ],
    },
    Case {
        given: Given::new("trunk", "GAM-4-CX"),
        device: ["    allow_assumed: true\n", "    allow_assumed: true\n"],
        subscribers: [
            "  t-1: { device: DEVICE, plan: unthrottled, vlan: 101, trunk: true }\n  t-2: { device: DEVICE, plan: unthrottled, vlan: 102, allowed_vlans: [300] }\n",
            "  t-1: { device: DEVICE, plan: unthrottled, vlan: 101, allowed_vlans: [300] }\n  t-2: { device: DEVICE, plan: unthrottled, vlan: 102, trunk: true }\n",
        ],
        holds: [
            &[
                "ghn subscriber 1 name \"t-1\" vid 101 bw-profile unthrottled trunk poe enable",
                "ghn subscriber 2 name \"t-2\" vid 102 bw-profile unthrottled allowed-vlan 300 poe enable",
            ],
            &[
                "ghn subscriber 1 name \"t-1\" vid 101 bw-profile unthrottled allowed-vlan 300 poe enable",
                "ghn subscriber 2 name \"t-2\" vid 102 bw-profile unthrottled trunk poe enable",
            ],
        ],
    },
    Case {
        given: Given::new("tags", "GAM-12-M"),
        device: ["    allow_assumed: true\n", "    allow_assumed: true\n"],
        subscribers: [
            "  d-1: { device: DEVICE, plan: unthrottled, vlan: 101, double_tag: { outer_vlan: 500, uplink: 2 } }\n  d-2: { device: DEVICE, plan: unthrottled, vlan: 102, double_tag: { outer_vlan: 600 } }\n  d-3: { device: DEVICE, plan: unthrottled, vlan: 103 }\n",
            "  d-1: { device: DEVICE, plan: unthrottled, vlan: 101 }\n  d-2: { device: DEVICE, plan: unthrottled, vlan: 102, double_tag: { outer_vlan: 601, uplink: 1 } }\n  d-3: { device: DEVICE, plan: unthrottled, vlan: 103, double_tag: { outer_vlan: 700 } }\n",
        ],
        holds: [
            &[
                "ghn subscriber 1 name \"d-1\" vid 101 bw-profile unthrottled outer-vid 500 nni 2 poe enable",
                "ghn subscriber 2 name \"d-2\" vid 102 bw-profile unthrottled outer-vid 600 poe enable",
                "ghn subscriber 3 name \"d-3\" vid 103 bw-profile unthrottled poe enable",
            ],
            &[
                "ghn subscriber 1 name \"d-1\" vid 101 bw-profile unthrottled poe enable",
                "ghn subscriber 2 name \"d-2\" vid 102 bw-profile unthrottled outer-vid 601 nni 1 poe enable",
                "ghn subscriber 3 name \"d-3\" vid 103 bw-profile unthrottled outer-vid 700 poe enable",
            ],
        ],
    },
    Case {
        given: Given {
            key: "port-aware",
            model: "GAM-12-M",
            tune: port_aware,
        },
        device: [
            "    allow_assumed: true\n    subscriber_model: port-aware\n",
            "    allow_assumed: true\n    subscriber_model: port-aware\n",
        ],
        subscribers: [
            "  a-1: { device: DEVICE, port: 3, plan: limited, vlan: 101 }\n  a-2: { device: DEVICE, port: 4, plan: unthrottled, vlan: 102, port2_vlan: 202 }\n  a-3: { device: DEVICE, plan: unthrottled, vlan: 103 }\n",
            // Two change flats, one moves in, the other way round.
            "  a-1: { device: DEVICE, port: 4, plan: limited, vlan: 101 }\n  a-2: { device: DEVICE, port: 3, plan: unthrottled, vlan: 102, port2_vlan: 203 }\n  a-3: { device: DEVICE, port: 5, plan: unthrottled, vlan: 103 }\n",
        ],
        holds: [
            &[
                "ghn subscriber-model port-aware",
                "ghn bw-profile 2 name \"limited\" rate-downstream 106 rate-upstream 106 service-limit-level 2",
                "ghn endpoint 1 name \"Positron_000101\" mac-address 00:0e:d8:00:01:01 port 3",
                "ghn subscriber 1 name \"a-1\" vid 101 port 3 bw-profile 2 poe enable",
                "ghn subscriber 2 name \"a-2\" vid 102 port 4 bw-profile unthrottled port2-vid 202 poe enable",
                "ghn subscriber 3 name \"a-3\" vid 103 bw-profile unthrottled poe enable",
            ],
            &[
                "ghn subscriber-model port-aware",
                "ghn bw-profile 2 name \"limited\" rate-downstream 212 rate-upstream 212 service-limit-level 4",
                "ghn endpoint 1 name \"Positron_000101\" mac-address 00:0e:d8:00:01:01 port 3",
                "ghn subscriber 1 name \"a-1\" vid 101 port 4 bw-profile 2 poe enable",
                "ghn subscriber 2 name \"a-2\" vid 102 port 3 bw-profile unthrottled port2-vid 203 poe enable",
                "ghn subscriber 3 name \"a-3\" vid 103 port 5 bw-profile unthrottled poe enable",
            ],
        ],
    },
];

#[test]
fn every_field_is_applied_changed_and_taken_back() {
    let given: Vec<Given> = CASES.iter().map(|case| Given { ..case.given }).collect();
    let fleet = TestFleet::start(&given, "");
    for (round, plans) in [PLANS, OTHER_PLANS].into_iter().enumerate() {
        let devices = CASES.iter().map(|case| (&case.given, case.device[round]));
        fleet.write("devices.yaml", &fleet.devices_with(devices));
        let subscribers = |case: &Case| case.subscribers[round].replace("DEVICE", case.given.key);
        let subscribers: String = CASES.iter().map(subscribers).collect();
        fleet.write("services.yaml", &format!("{plans}{subscribers}"));
        let _ = fleet.run(&["validate"]).expect(0);
        let _ = fleet.run(&["plan", "--detailed-exitcode"]).expect(2);
        let _ = fleet.apply();
        fleet.expect_in_sync();
        for case in CASES {
            assert_eq!(fleet.ghn_lines(case.given.key), case.holds[round], "{}", case.given.key);
        }
    }
    let sent = CASES
        .iter()
        .flat_map(|case| fleet.device(case.given.key).counters().commands);
    let sent: String = sent.map(|line| format!(" {line} \n")).collect();
    // What only a rollback says is left out.
    for word in WORDS.iter().filter(|word| word.text != "no hostname") {
        assert!(
            sent.contains(&format!(" {} ", word.text)),
            "`{}` was never said",
            word.text
        );
    }
}
