//! Devices looked over, and what is written for a report about them.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gamops::dialect::session::{Greeting, Reading, Reply, Showing};
use gamops::dialect::{running, snmp, version};
use gamops::domain::SnmpValue;
use gamops::observed::RunningConfig;
use gamops::sim::{Fault, GhnSubtree};
use serde_json::Value;

use crate::fleet::{Given, Ran, SERVICES, TWO, TestFleet};

/// What differs from run to run, taken out of a text.
fn steady(fleet: &TestFleet, text: &str) -> String {
    let mut text = text.to_owned();
    for key in ["maple", "harbour"] {
        text = text.replace(&fleet.device(key).ssh_addr().port().to_string(), "(port)");
    }
    let fixed = |line: &str| {
        let line = match line.split_once("round trip ") {
            Some((before, _)) => format!("{before}round trip (time)"),
            None => line.to_owned(),
        };
        match line.split_once("1970-01-01T") {
            Some((before, after)) => format!("{before}1970-01-01T(time){}", after.get(14..).unwrap_or_default()),
            None => line,
        }
    };
    let fixed: Vec<String> = text.lines().map(fixed).collect();
    let software = |line: String| match line.split_once("SSH-2.0-") {
        Some((before, after)) => {
            let after = after.split_once(',').map_or("", |(_, rest)| rest);
            format!("{before}SSH-2.0-(software),{after}")
        }
        None => line,
    };
    fixed.into_iter().map(|line| software(line) + "\n").collect()
}

fn findings(ran: &Ran, device: usize) -> BTreeMap<String, String> {
    let whole: Value = serde_json::from_str(&ran.stdout).unwrap();
    let findings = whole["devices"][device]["findings"].as_array().unwrap().iter();
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    findings.map(|one| (word(&one["check"]), word(&one["level"]))).collect()
}

#[test]
fn one_device_in_full() {
    let fleet = TestFleet::start(TWO, SERVICES);
    let _ = fleet.apply();
    let ran = fleet.run(&["doctor", "maple"]).expect(0);
    insta::assert_snapshot!("one_device", steady(&fleet, &ran.stdout));
}

#[test]
fn a_device_that_was_never_met_stays_unpinned() {
    let fleet = TestFleet::start(TWO, SERVICES);
    for _ in 0..2 {
        let ran = fleet.run(&["doctor", "maple", "--format", "json"]).expect(0);
        let found = findings(&ran, 0);
        assert_eq!(
            (&*found["host-key"], &*found["identity"]),
            ("note", "note"),
            "{found:?}"
        );
    }
    let counters = fleet.device("maple").counters();
    let harmless = ["show ", "more ", "terminal ", "configure terminal", "end", "exit"];
    for command in &counters.commands {
        assert!(
            harmless.iter().any(|start| command.starts_with(start)),
            "`{command}` was sent"
        );
    }
    assert_eq!((counters.logins, counters.saves), (2, 0));
}

#[test]
fn a_key_that_the_inventory_names_counts_before_the_first_contact() {
    let fleet = TestFleet::start(&TWO[..1], "");
    let other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti";
    fleet.write(
        "devices.yaml",
        &fleet.devices(&TWO[..1], &format!("    host_key: {other}\n")),
    );
    let ran = fleet.run(&["doctor", "--format", "json"]).expect(1);
    let found = findings(&ran, 0);
    assert_eq!((&*found["ssh"], &*found["host-key"]), ("ok", "problem"), "{found:?}");
    assert_eq!(fleet.device("maple").counters().logins, 0, "it was logged in to");
}

#[test]
fn a_fleet_is_a_line_each_and_its_problems() {
    let fleet = TestFleet::start(TWO, SERVICES);
    let _ = fleet.apply();
    fleet.write(
        "devices.yaml",
        &fleet.devices_with([(&TWO[0], "    credentials: other\n"), (&TWO[1], "")]),
    );
    let ran: Ran = fleet
        .command(&["doctor"])
        .env("GAMOPS_CRED_OTHER_USERNAME", "canary-user")
        .env("GAMOPS_CRED_OTHER_PASSWORD", "canary-91c2")
        .output()
        .unwrap()
        .into();
    let ran = ran.expect(1).says("2 devices: 1 with problems, 1 with notes only");
    assert!(!ran.stdout.contains("canary-91c2") && !ran.stderr.contains("canary-91c2"));
    insta::assert_snapshot!("fleet", steady(&fleet, &ran.stdout));
    // One wrong password, once.
    assert_eq!(fleet.device("maple").counters().rejected_logins, 1);
}

#[test]
fn each_check_sees_a_real_device() {
    const GIVEN: &[Given] = &[
        Given {
            key: "old",
            model: "GAM-4-CX",
            tune: |spec| spec.knobs.old_algorithms = true,
        },
        Given {
            key: "oak",
            model: "GAM-12-M",
            tune: |spec| {
                spec.firmware = "GAM-12/24-M_v1.9.3".parse().unwrap();
                spec.knobs.port_aware = true;
                spec.knobs.ghn_subtree = GhnSubtree::Present;
            },
        },
        Given::new("quiet", "GAM-4-CX"),
    ];
    let fleet = TestFleet::start(GIVEN, "");
    fleet.device("quiet").set_fault(Fault::SnmpSilence);
    fleet.device("quiet").set_fault(Fault::Refuse {
        containing: "terminal width".to_owned(),
        text: "Invalid word detected at '^' marker.".to_owned(),
    });
    let ran = fleet.run(&["doctor", "--format", "json"]).expect(1);
    // By key: oak, old, quiet.
    let (oak, old, quiet) = (findings(&ran, 0), findings(&ran, 1), findings(&ran, 2));
    assert_eq!(
        (&*oak["firmware"], &*oak["ghn-subtree"], &*oak["subscriber-model"]),
        ("note", "ok", "problem")
    );
    assert_eq!(
        (&*old["path"], &*old["ssh"], &*old["encryption"]),
        ("ok", "problem", "problem")
    );
    assert_eq!(
        (&*quiet["snmp"], &*quiet["terminal"], &*quiet["clock"]),
        ("note", "note", "note")
    );
    assert_eq!(&*quiet["privilege"], "ok");
}

#[test]
fn what_a_device_prints_teaches_its_firmware() {
    let fleet = TestFleet::start(
        &[Given {
            key: "oak",
            model: "GAM-12-M",
            tune: |spec| spec.knobs.port_aware = true,
        }],
        "",
    );
    fleet
        .device("oak")
        .execute("ghn subscriber 1 name \"a\" vid 100\nghn subscriber 1 port 3");
    let _ = fleet.run(&["doctor"]);
    let db = rusqlite::Connection::open(fleet.state()).unwrap();
    let learned: Vec<(String, String)> = db
        .prepare("SELECT word, answer FROM capabilities")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert!(
        learned
            .iter()
            .any(|(word, answer)| word.contains("port") && answer == "offered"),
        "{learned:?}"
    );
}

/// The files of an archive by name, and all of it before it was compressed.
fn unpack(path: &Path) -> (BTreeMap<String, Vec<u8>>, Vec<u8>) {
    let mut whole = Vec::new();
    let file = std::fs::File::open(path).unwrap();
    flate2::read::GzDecoder::new(file).read_to_end(&mut whole).unwrap();
    let mut archive = tar::Archive::new(whole.as_slice());
    let mut files = BTreeMap::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().to_string_lossy().into_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        files.insert(name, bytes);
    }
    (files, whole)
}

/// Feeds the bytes of a session to the readers that a live one goes through; the replies by command.
fn replay(files: &BTreeMap<String, Vec<u8>>, device: &str) -> BTreeMap<String, Reply> {
    let folder = format!("gamops-report/{device}/session");
    let index: Value = serde_json::from_slice(&files[&format!("{folder}/index.json")]).unwrap();
    let mut replies = BTreeMap::new();
    let mut greeting = Greeting::new();
    for entry in index.as_array().unwrap() {
        let bytes = &files[&format!("{folder}/{}", entry["file"].as_str().unwrap())];
        let Some(command) = entry["command"].as_str() else {
            greeting.push(bytes);
            assert!(
                matches!(greeting.showing(), Showing::Prompt(_)),
                "{:?}",
                greeting.showing()
            );
            continue;
        };
        let prompt = gamops::dialect::session::Prompt::parse(entry["prompt"].as_str().unwrap()).unwrap();
        let mut reading = Reading::of(&prompt, command);
        reading.push(bytes);
        assert!(
            matches!(reading.showing(), Showing::Prompt(_)),
            "{command}: {:?}",
            reading.showing()
        );
        replies.insert(command.to_owned(), reading.finish().unwrap());
    }
    replies
}

fn text<'r>(replies: &'r BTreeMap<String, Reply>, command: &str) -> &'r str {
    match &replies[command] {
        Reply::Done(text) => text,
        other => panic!("{command}: {other:?}"),
    }
}

/// Everything but names and descriptions.
fn nameless(mut config: RunningConfig) -> RunningConfig {
    let managed = Arc::make_mut(&mut config.managed);
    for port in managed.ports.values_mut() {
        port.name.clear();
    }
    for profile in managed.profiles.values_mut() {
        profile.description.clear();
    }
    for endpoint in managed.endpoints.values_mut() {
        endpoint.name.clear();
        endpoint.description.clear();
    }
    for subscriber in managed.subscribers.values_mut() {
        subscriber.name.clear();
        subscriber.description.clear();
    }
    // Of the lines that are not managed only the first words are in a report.
    config.other.clear();
    config
}

fn report(fleet: &TestFleet, more: &[&str]) -> (Ran, PathBuf) {
    let path = fleet.inventory().with_file_name("report.tar.gz");
    let ran = fleet.run(&[&["doctor", "--bundle", path.to_str().unwrap()], more].concat());
    (ran, path)
}

#[test]
fn a_report_replays_as_what_the_device_said() {
    for names in [false, true] {
        let fleet = TestFleet::start(
            &[Given {
                key: "maple",
                model: "GAM-4-CX",
                tune: |spec| {
                    spec.hostname = "gam-maple".to_owned();
                    spec.knobs.banner = Some("*** Maple Fibre: keep out! # ***\n".to_owned());
                    spec.knobs.first_output_paged = true;
                },
            }],
            "",
        );
        let maple = fleet.device("maple");
        maple.execute(
            "ghn bw-profile 2 name \"gold\" rate-downstream 530 rate-upstream 106\n\
             ghn endpoint 1 name \"apt 1\" mac-address 00:0e:d8:00:00:01 port 1\n\
             ghn subscriber 1 name \"Ann Lee\" vid 101 endpoint 1 bw-profile 2 description \"third floor\"\n\
             ghn subscriber 2 name \"Ann Lee 2\" vid 102\n\
             copy running-config startup-config",
        );
        let (ran, path) = report(&fleet, if names { &["--with-names"] } else { &[] });
        let _ = ran.expect(0).says("Look through it before you send it");
        let (files, whole) = unpack(&path);
        let replies = replay(&files, "maple");
        let read = running::parse(text(&replies, "show running-config")).unwrap();
        let live = running::parse(&maple.running_config()).unwrap();
        if names {
            assert_eq!(read.managed, live.managed);
        } else {
            assert_eq!(nameless(read.clone()), nameless(live));
            assert_eq!(read.managed.subscribers[&1.try_into().unwrap()].name, "subscriber-1");
            let whole = String::from_utf8_lossy(&whole);
            for name in ["Ann", "apt 1", "third floor", "Maple Fibre"] {
                assert!(!whole.contains(name), "`{name}` is in the report");
            }
        }
        let version = version::parse(text(&replies, "show version")).unwrap();
        assert_eq!(version.mac, maple.spec().base_mac());
        assert_eq!(version.firmware, maple.spec().firmware);
        let startup = running::parse(text(&replies, "more flash:startup-config")).unwrap();
        assert_eq!(startup.managed, read.managed);

        let asked: Value = serde_json::from_slice(&files["gamops-report/maple/snmp.json"]).unwrap();
        let values: Vec<(Vec<u64>, SnmpValue)> = (asked[0]["values"].as_array().unwrap().iter()).map(value).collect();
        let identity = snmp::identity(&values);
        assert_eq!(identity.mac, Some(maple.spec().base_mac()));
        assert_eq!(identity.serial, Some(maple.spec().serial()));
        assert_eq!(identity.firmware.as_ref(), Some(&maple.spec().firmware));
    }
}

#[test]
fn a_report_has_what_came_where_no_prompt_was_reached() {
    let fleet = TestFleet::start(
        &[Given {
            key: "maple",
            model: "GAM-4-CX",
            tune: |spec| spec.knobs.sessions = 0,
        }],
        "",
    );
    let (ran, path) = report(&fleet, &[]);
    let _ = ran.expect(1).says("PROBLEM  terminal");
    let (files, _) = unpack(&path);
    let greeting = String::from_utf8_lossy(&files["gamops-report/maple/session/00-greeting.bytes"]);
    assert!(greeting.contains("Only 0 connections allowed"), "{greeting:?}");
}

fn value(object: &Value) -> (Vec<u64>, SnmpValue) {
    let oid = object["oid"]
        .as_str()
        .unwrap()
        .split('.')
        .map(|part| part.parse().unwrap());
    let numbers = || {
        object["value"]
            .as_array()
            .unwrap()
            .iter()
            .map(|number| number.as_u64().unwrap())
    };
    let held = match object["type"].as_str().unwrap() {
        "integer" => SnmpValue::Integer(object["value"].as_i64().unwrap()),
        "unsigned" => SnmpValue::Unsigned(object["value"].as_u64().unwrap()),
        "ticks" => SnmpValue::Ticks(object["value"].as_u64().unwrap().try_into().unwrap()),
        "oid" => SnmpValue::Oid(numbers().collect()),
        "bytes" => SnmpValue::Bytes(numbers().map(|byte| byte.try_into().unwrap()).collect()),
        "text" => SnmpValue::Bytes(object["value"].as_str().unwrap().as_bytes().to_vec()),
        "absent" => SnmpValue::Absent,
        other => panic!("{other}"),
    };
    (oid.collect(), held)
}

#[test]
fn no_credential_of_a_device_is_in_a_report() {
    let fleet = TestFleet::start(TWO, SERVICES);
    let _ = fleet.apply();
    let maple = fleet.device("maple");
    for line in [
        "username canaryuser privilege 15 password unencrypted canary-password",
        "username canarylook privilege 1 password encrypted canary0hash",
        "snmp-server community canary-community ip-range 0.0.0.0 0.0.0.0 canary-secret",
        "snmp-server contact canary-contact",
        "snmp-server location canary-location",
        "snmp-server user canarysnmp engine-id 800007e5017f000001 sha canaryauth priv aes canarypriv",
        "radius-server host 192.0.2.1 key canary-radius",
        "tacacs-server host 192.0.2.2 key canary-tacacs",
    ] {
        // Whichever of them this firmware takes.
        let _ = maple.execute(line);
    }
    maple.execute("copy running-config startup-config");
    let held = maple.running_config();
    assert!(held.matches("canary").count() >= 5, "{held}");
    fleet.write(
        "devices.yaml",
        &fleet.devices_with([
            (&TWO[0], "    credentials: field\n"),
            (&TWO[1], "    credentials: field\n"),
        ]),
    );
    let path = fleet.inventory().with_file_name("report.tar.gz");
    let ran: Ran = fleet
        .command(&["doctor", "--with-names", "--bundle", path.to_str().unwrap()])
        .env("GAMOPS_CRED_FIELD_USERNAME", "canaryuser")
        .env("GAMOPS_CRED_FIELD_PASSWORD", "canary-password")
        .env("GAMOPS_CRED_FIELD_COMMUNITY", "canary-secret")
        .output()
        .unwrap()
        .into();
    // The other device does not know this user, and its own words about that are in the report too.
    let _ = ran.expect(1);
    let (files, whole) = unpack(&path);
    let whole = String::from_utf8_lossy(&whole);
    let at = whole
        .find("canary")
        .map(|at| whole[at.saturating_sub(200)..].chars().take(300).collect::<String>());
    assert_eq!(at, None);
    assert!(!whole.contains("127.0.0.1"), "an address is in the report");
    let session = &files["gamops-report/maple/session/index.json"];
    assert!(String::from_utf8_lossy(session).contains("show running-config"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let (again, _) = report(&fleet, &[]);
    let _ = again.expect(1).says("no device was asked");
}
