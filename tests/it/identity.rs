//! Which device it is, who may change it, and what never shows.

use gamops::sim::DeviceSpec;

use crate::fleet::{Given, SERVICES, TestFleet};

const MAPLE: &[Given] = &[Given::new("maple", "GAM-4-CX")];

fn services() -> String {
    SERVICES
        .lines()
        .filter(|line| !line.contains("harbour"))
        .map(|line| format!("{line}\n"))
        .collect()
}

#[test]
fn a_changed_host_key_never_proceeds_until_it_is_trusted() {
    let fleet = TestFleet::start(MAPLE, &services());
    let _ = fleet.apply();
    let other = TestFleet::start(
        &[Given {
            key: "maple",
            model: "GAM-4-CX",
            tune: |spec: &mut DeviceSpec| spec.knobs.host_key_seed = Some("another".to_owned()),
        }],
        &services(),
    );
    // The same place in the inventory, another key behind it.
    fleet.write("devices.yaml", &other.devices(MAPLE, ""));
    let _ = fleet
        .run(&["plan"])
        .expect(1)
        .says("host key")
        .says("gamops trust maple");
    let _ = fleet.run(&["apply", "--auto-approve"]).expect(1);
    assert_eq!(
        other.device("maple").counters().logins,
        0,
        "no password was sent to a stranger"
    );
    let _ = fleet.run(&["trust", "maple"]).expect(64);
    let _ = fleet
        .run(&["trust", "maple", "--auto-approve"])
        .expect(0)
        .says("Accepted.");
    let _ = fleet.apply();
}

#[test]
fn another_device_behind_the_address_is_not_changed_until_it_is_trusted() {
    let fleet = TestFleet::start(MAPLE, &services());
    let _ = fleet.apply();
    let held = fleet.ghn_lines("maple");
    // The same host key, another base MAC: a replacement that was restored from a backup.
    let other = TestFleet::start(
        &[Given {
            key: "spare",
            model: "GAM-4-CX",
            tune: |spec: &mut DeviceSpec| spec.knobs.host_key_seed = Some("maple".to_owned()),
        }],
        &services(),
    );
    let devices = other
        .devices(&[Given::new("spare", "GAM-4-CX")], "")
        .replace("spare:", "maple:");
    fleet.write("devices.yaml", &devices);
    let _ = fleet
        .run(&["plan"])
        .expect(1)
        .says("another device answers")
        .says("gamops trust maple");
    let _ = fleet.run(&["trust", "maple", "--auto-approve"]).expect(0);
    let _ = fleet.apply();
    assert_eq!(other.ghn_lines("spare"), held, "the replacement has the same numbers");
}

#[test]
fn a_device_of_another_model_is_not_planned_for() {
    let fleet = TestFleet::start(MAPLE, &services());
    fleet.write("devices.yaml", &fleet.devices(&[Given::new("maple", "GAM-12-C")], ""));
    let _ = fleet
        .run(&["plan"])
        .expect(1)
        .says("the device is a GAM-4-CX, the inventory says GAM-12-C");
}

#[test]
fn strict_host_keys_refuse_a_device_that_was_never_met() {
    let fleet = TestFleet::start(MAPLE, &services());
    let _ = fleet
        .run(&["plan", "--host-key-policy", "strict"])
        .expect(1)
        .says("host key");
    assert_eq!(fleet.device("maple").counters().logins, 0);
    let _ = fleet.run(&["plan"]).expect(0);
    let _ = fleet.run(&["plan", "--host-key-policy", "strict"]).expect(0);
}

#[test]
fn old_algorithms_are_used_only_where_the_inventory_says_so() {
    let old = &[Given {
        key: "maple",
        model: "GAM-4-CX",
        tune: |spec: &mut DeviceSpec| spec.knobs.old_algorithms = true,
    }];
    let fleet = TestFleet::start(old, &services());
    let _ = fleet.run(&["plan"]).expect(1).says("legacy_algorithms");
    let devices = fleet
        .devices(old, "")
        .replace("transport: { ", "transport: { legacy_algorithms: true, ");
    fleet.write("devices.yaml", &devices);
    let _ = fleet.apply();
    fleet.expect_in_sync();
}

#[test]
fn no_secret_shows_anywhere() {
    const CANARY: &str = "hunter2canary";
    let fleet = TestFleet::start(MAPLE, &services());
    let maple = fleet.device("maple");
    let _ = fleet.apply();
    maple.execute(&format!(
        "username operator privilege 15 password unencrypted {CANARY}\nsnmp-server community v2c {CANARY} ro"
    ));
    fleet.write(
        "gamops.yaml",
        "format: 1\ninventory: test\ndefaults: { credentials: ops, mode: manage }\n",
    );
    let run = |arguments: &[&str]| {
        let output = fleet
            .command(arguments)
            .env("GAMOPS_CRED_OPS_USERNAME", "operator")
            .env("GAMOPS_CRED_OPS_PASSWORD", CANARY)
            .env("GAMOPS_CRED_OPS_COMMUNITY", CANARY)
            .output()
            .unwrap();
        crate::fleet::Ran::from(output)
    };
    // So that the second run has something to do, and its plan the secret lines among what it read.
    fleet.write("services.yaml", &services().replace("vlan: 101", "vlan: 111"));
    let mut printed = String::new();
    for arguments in [
        &["-vv", "plan"][..],
        &["plan", "--format", "json"],
        &["plan", "--out", "kept.plan"],
        &["-vv", "apply", "--auto-approve"],
        &["show", "maple"],
        &["history"],
        &["history", "--format", "json"],
        &["history", "show", "1"],
        &["history", "show", "2"],
        &["history", "show", "2", "--format", "json"],
    ] {
        let ran = run(arguments).expect(0);
        printed.push_str(&ran.stdout);
        printed.push_str(&ran.stderr);
    }
    assert!(
        printed.contains("UNSAVED"),
        "the secret lines were part of what was read:\n{printed}"
    );
    assert!(!printed.contains(CANARY), "{printed}");
    for entry in std::fs::read_dir(fleet.state().parent().unwrap()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            assert!(
                !bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes()),
                "{}",
                path.display()
            );
        }
    }
}

#[test]
fn missing_credentials_name_the_variables_to_set() {
    let fleet = TestFleet::start(MAPLE, &services());
    fleet.write(
        "gamops.yaml",
        "format: 1\ninventory: test\ndefaults: { credentials: ops, mode: manage }\n",
    );
    let _ = fleet.run(&["plan"]).expect(1).says("GAMOPS_CRED_OPS_USERNAME");
}

#[test]
fn two_keys_that_lead_to_one_device_destroy_nothing() {
    let fleet = TestFleet::start(MAPLE, &services());
    let _ = fleet.apply();
    let held = fleet.ghn_lines("maple");
    // The second building was entered with the first one's address under another name.
    let devices = fleet.devices(MAPLE, "");
    let copy = devices
        .replace("devices:\n", "")
        .replace("maple:", "elm:")
        .replace("127.0.0.1", "localhost");
    fleet.write("devices.yaml", &format!("{devices}{copy}"));
    let ran = fleet.run(&["apply", "--auto-approve"]).expect(1);
    let _ = ran
        .says("elm  NOT READ")
        .says("which `maple` is pinned to: two keys lead to one device");
    assert_eq!(fleet.ghn_lines("maple"), held);
    let _ = fleet
        .run(&["trust", "elm", "--auto-approve"])
        .expect(1)
        .says("two keys lead to one device");
    // A new key in place of the old one is no second key.
    fleet.write("devices.yaml", &devices.replace("maple:", "elm:"));
    fleet.write("services.yaml", &services().replace("device: maple", "device: elm"));
    let _ = fleet
        .run(&["plan", "--detailed-exitcode"])
        .expect(0)
        .says("No changes.");
}

#[test]
fn a_device_that_another_gamops_is_changing_is_left_to_it() {
    let fleet = TestFleet::start(MAPLE, &services());
    let store = gamops::store::Store::open(&fleet.state()).unwrap();
    let wanted = gamops::store::Wanted {
        who: "bob@noc2".to_owned(),
        run: "17".parse().unwrap(),
        ttl: std::time::Duration::from_secs(60),
    };
    let mac = fleet.device("maple").spec().base_mac();
    let lease = fleet
        .block_on(store.lease(mac, wanted, jiff::Timestamp::now()))
        .unwrap();
    let _ = fleet
        .run(&["apply", "--auto-approve"])
        .expect(4)
        .says("REFUSED[device-busy] held by bob@noc2, process ");
    assert_eq!(fleet.ghn_lines("maple"), Vec::<String>::new());
    drop((lease, store));
    let _ = fleet.apply();
}

#[test]
fn a_device_without_a_free_session_is_one_line_that_says_so() {
    let full = &[Given {
        key: "maple",
        model: "GAM-4-CX",
        tune: |spec: &mut DeviceSpec| spec.knobs.sessions = 0,
    }];
    let fleet = TestFleet::start(full, &services());
    let _ = fleet.run(&["plan"]).expect(1).says("NOT READ").says("session");
}
