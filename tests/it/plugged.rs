//! Endpoints that are plugged in and in no configuration: over SNMP where that answers, else on the command line.

use std::collections::BTreeMap;

use gamops::dialect::snmp::{DETECTED_PORT, STATE};
use gamops::domain::{MacAddr, PortNumber, Secret};
use gamops::reconcile::{Asked, Context};
use gamops::sim::{DeviceSpec, Fault, GhnSubtree};
use gamops::store::Store;
use gamops::transport::snmp::{Agent, Answer, Version, walk};

use crate::fleet::{Given, SERVICES, TestFleet};
use crate::flow::context;

fn shows_endpoints(spec: &mut DeviceSpec) {
    spec.knobs.ghn_subtree = GhnSubtree::Present;
}

/// The first device shows its endpoints over SNMP, the second does not.
const GIVEN: &[Given] = &[
    Given {
        key: "maple",
        model: "GAM-4-CX",
        tune: shows_endpoints,
    },
    Given::new("harbour", "GAM-12-M"),
];

fn plug(fleet: &TestFleet, device: &str, mac: &str, port: u16) {
    let port: PortNumber = u64::from(port).try_into().unwrap();
    fleet.device(device).plug(mac.parse().unwrap(), port);
}

/// A fleet as applied, with its endpoints plugged in and a stranger on each device.
fn fleet() -> TestFleet {
    let fleet = TestFleet::start(GIVEN, SERVICES);
    for (mac, port) in [("00:0e:d8:00:00:01", 1), ("00:0e:d8:00:00:03", 2)] {
        plug(&fleet, "maple", mac, port);
    }
    let _ = fleet.apply();
    plug(&fleet, "maple", "00:0e:d8:00:00:aa", 3);
    plug(&fleet, "harbour", "00:0e:d8:00:00:bb", 7);
    fleet
}

fn unconfigured(fleet: &TestFleet, context: &Context, asked: Asked) -> BTreeMap<String, Vec<(String, u16)>> {
    let devices = context.inventory.devices.values().cloned().collect();
    let seen = fleet.block_on(context.unconfigured(devices, asked));
    let plain = |(device, seen): (String, Vec<gamops::observed::SeenEndpoint>)| {
        let seen = seen.iter().map(|one| (one.mac.to_string(), one.port.get()));
        (device, seen.collect())
    };
    seen.into_iter().map(plain).collect()
}

fn both() -> BTreeMap<String, Vec<(String, u16)>> {
    [("maple", "00:0e:d8:00:00:aa", 3), ("harbour", "00:0e:d8:00:00:bb", 7)]
        .map(|(device, mac, port)| (device.to_owned(), vec![(mac.to_owned(), port)]))
        .into()
}

#[test]
fn a_device_that_shows_them_over_snmp_is_not_logged_in_to() {
    let fleet = fleet();
    let context = context(&fleet, Store::open(&fleet.state()).unwrap());
    let logins = || ["maple", "harbour"].map(|device| fleet.device(device).counters().logins);
    let before = logins();
    assert_eq!(unconfigured(&fleet, &context, Asked::Quickly), both());
    assert_eq!(logins(), [before[0], before[1] + 1]);
    assert_eq!(unconfigured(&fleet, &context, Asked::Thoroughly), both());
    assert_eq!(logins(), [before[0] + 1, before[1] + 2]);
}

#[test]
fn whoever_is_not_the_pinned_device_is_not_believed_over_snmp() {
    let fleet = fleet();
    let store = Store::open(&fleet.state()).unwrap();
    let mut pin = fleet.block_on(store.pin("maple", None)).unwrap().unwrap();
    pin.mac = "00:0e:d8:99:99:99".parse().ok();
    fleet.block_on(store.set_pin("maple", pin, |_| false)).unwrap();
    let context = context(&fleet, store);
    // The command line is asked instead, and says no as well.
    let seen = unconfigured(&fleet, &context, Asked::Quickly);
    assert_eq!(seen.keys().collect::<Vec<_>>(), ["harbour"]);
}

#[test]
fn a_device_without_snmp_is_asked_on_its_command_line() {
    let fleet = fleet();
    fleet.device("maple").set_fault(Fault::SnmpSilence);
    let context = context(&fleet, Store::open(&fleet.state()).unwrap());
    assert_eq!(unconfigured(&fleet, &context, Asked::Quickly), both());
}

#[test]
fn a_table_is_walked_in_both_versions_and_ends_where_it_ends() {
    let fleet = fleet();
    for number in 0..60 {
        plug(
            &fleet,
            "maple",
            &format!("00:0e:d8:00:01:{number:02x}"),
            1 + u16::from(number % 4_u8),
        );
    }
    let device = fleet.device("maple");
    let configured = 3;
    for version in [Version::V1, Version::V2c] {
        let agent = Agent {
            host: "127.0.0.1".to_owned(),
            port: device.snmp_addr().port(),
            version,
            community: Secret::new("public"),
            timeout: std::time::Duration::from_secs(5),
            attempts: std::num::NonZeroU8::new(2).unwrap(),
        };
        let column = |below| match fleet.block_on(walk(&agent, below)).unwrap() {
            Answer::Values(values) => values,
            Answer::Silent => panic!("silent"),
        };
        let (states, ports) = (column(STATE), column(DETECTED_PORT));
        assert_eq!(
            (states.len(), ports.len()),
            (61 + configured, 61 + configured),
            "{version}"
        );
        assert!(states.iter().all(|(name, _)| name.starts_with(STATE)));
        let seen = gamops::dialect::snmp::unconfigured(&states, &ports).unwrap();
        assert_eq!(seen.len(), 61, "{version}");
        let mac: MacAddr = "00:0e:d8:00:01:3b".parse().unwrap();
        assert!(seen.iter().any(|one| one.mac == mac && one.port.get() == 4), "{seen:?}");
        assert!(column(&[1, 3, 6, 1, 4, 1, 20095, 9]).is_empty());
    }
}
