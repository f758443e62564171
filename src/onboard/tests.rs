//! What becomes of devices of a few kinds.

mod again;
mod laws;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::*;
use crate::diagnostic::SourceFile;
use crate::domain::{EndpointId, Firmware, MacAddr, Mbps, Model, PortBinding, ProfileId, SubscriberId, VlanId};
use crate::inventory;
use crate::inventory::model::{Inventory, Mode, Transport};
use crate::observed::{
    Capabilities, DeviceConfig, Endpoint, Identity, Kind, Profile, ProfileRef, RunningConfig, Subscriber,
};
use crate::plan::drift::Leave;
use crate::plan::impact::duration::Timings;
use crate::plan::model::DeviceChanges;
use crate::plan::{Inputs, Readings, plan_device};

fn firmware() -> Firmware {
    Firmware {
        family: "GAM-4/8-C".to_owned(),
        version: (1, 8, 2),
    }
}

pub(super) fn found(number: u8, model: &str, config: DeviceConfig) -> Found {
    let running = RunningConfig {
        managed: Arc::new(config),
        ..RunningConfig::default()
    };
    Found {
        key: None,
        called: format!("192.0.2.{number}"),
        address: format!("192.0.2.{number}"),
        transport: Transport {
            ssh_port: 22,
            snmp_port: 161,
            snmp: true,
            legacy_algorithms: false,
        },
        credentials: "factory".to_owned(),
        model: Model::by_name(model).unwrap(),
        identity: Some(Identity {
            mac: MacAddr::new([0, 0x0e, 0xd8, 0xff, 0, number]),
            model: None,
            firmware: firmware(),
            serial: None,
        }),
        capabilities: Capabilities::of_firmware(&firmware()).having_seen(&running),
        running: Arc::new(running),
        unreadable: BTreeMap::new(),
        doubts: Vec::new(),
    }
}

pub(super) fn sources(imported: &Imported) -> Vec<SourceFile> {
    let source = |file: &NewFile| SourceFile {
        path: file.path.clone(),
        text: file.text.clone(),
    };
    imported.files.iter().map(source).collect()
}

pub(super) fn loaded(files: &[SourceFile]) -> Inventory {
    let loaded = inventory::load(files);
    loaded
        .inventory
        .unwrap_or_else(|| panic!("{:#?}\n{files:#?}", loaded.report.findings()))
}

pub(super) fn plan(found: &Found, key: &str, inventory: &Inventory, mode: Mode) -> DeviceChanges {
    let mut desired = inventory::compile(inventory, key).unwrap();
    desired.mode = mode;
    let inputs = Inputs {
        desired: &Arc::new(desired),
        readings: Readings {
            running: &found.running,
            startup: Some(&found.running),
            write: |_| String::new(),
        },
        identity: found.identity.as_ref().unwrap(),
        capabilities: &found.capabilities,
        records: &Arc::default(),
        pauses: &[],
        remembered: None,
        unfinished: false,
        timings: &Timings::default(),
        now: Timestamp::UNIX_EPOCH,
        window: None,
        targets: None,
        leave: Leave::default(),
    };
    plan_device(inputs, &|_| Ok(Vec::new()))
}

fn text(imported: &Imported, path: &str) -> String {
    let file = imported.files.iter().find(|file| file.path == path);
    file.unwrap_or_else(|| panic!("no {path}")).text.clone()
}

pub(super) fn subscriber(number: u64) -> (SubscriberId, Subscriber) {
    let subscriber = Subscriber {
        name: format!("s-{number}"),
        endpoint: EndpointId::try_from(number).ok(),
        profile: Some(ProfileRef::Unthrottled),
        vlan: VlanId::try_from(100).unwrap(),
        ..Subscriber::default()
    };
    (number.try_into().unwrap(), subscriber)
}

pub(super) fn endpoint(number: u64, port: PortBinding) -> (EndpointId, Endpoint) {
    let mac = MacAddr::new([0, 0x0e, 0xd8, 0, 0, u8::try_from(number).unwrap()]);
    let endpoint = Endpoint {
        name: mac.default_endpoint_name(),
        mac: Some(mac),
        port,
        ..Endpoint::default()
    };
    (number.try_into().unwrap(), endpoint)
}

pub(super) fn with(subscribers: impl FnOnce(&mut DeviceConfig)) -> DeviceConfig {
    let mut config = DeviceConfig {
        hostname: "maple-a".to_owned(),
        subscribers: BTreeMap::from([subscriber(1), subscriber(2)]),
        endpoints: BTreeMap::from([1, 2].map(|number| endpoint(number, PortBinding::Port(1.try_into().unwrap())))),
        ..DeviceConfig::default()
    };
    subscribers(&mut config);
    config
}

fn left(imported: &Imported) -> Vec<String> {
    let all = imported.devices.iter().flat_map(|device| &device.left);
    all.map(|left| format!("{}: {}", left.what, left.reason)).collect()
}

pub(super) fn change(config: &mut DeviceConfig, number: u64, change: impl FnOnce(&mut Subscriber)) {
    change(config.subscribers.get_mut(&number.try_into().unwrap()).unwrap());
}

fn imports(config: DeviceConfig) -> Imported {
    import(&[found(1, "GAM-4-CX", config)], None, Layout::PerDevice, "test").unwrap()
}

#[test]
fn what_no_inventory_can_say_is_left_alone_with_its_reason_and_the_rest_is_taken_in() {
    let profile = |name: &str, down: u64| Profile {
        name: name.to_owned(),
        down: Mbps::try_from(down).ok(),
        up: Mbps::try_from(10).ok(),
        ..Profile::default()
    };
    let slots: [(u64, Profile); 5] = [
        (1, profile("Default BW Profile", 10)),
        (2, profile("stale", 15_000)),
        (3, profile("slow", 5)),
        (4, profile("", 50)),
        (5, profile("nobody", 50)),
    ];
    let config = with(|config| {
        config.profiles = slots
            .into_iter()
            .map(|(id, one)| (id.try_into().unwrap(), one))
            .collect();
        for number in 3..=9 {
            config.subscribers.extend([subscriber(number)]);
            config.endpoints.extend([endpoint(number, PortBinding::Auto)]);
        }
        change(config, 2, |one| one.name = "what?".to_owned());
        change(config, 3, |one| one.vlan = VlanId::try_from(2).unwrap());
        for (number, profile) in [(4, 1), (5, 2), (6, 3), (7, 4)] {
            change(config, number, |one| {
                one.profile = ProfileId::try_from(profile).ok().map(ProfileRef::Profile);
            });
        }
        change(config, 8, |one| one.profile = None);
        change(config, 9, |one| one.endpoint = EndpointId::try_from(77).ok());
    });
    let imported = imports(config);
    insta::assert_snapshot!("left_alone", left(&imported).join("\n"));
    assert_eq!(imported.devices[0].subscribers, 1);
}

#[test]
fn what_can_be_left_to_the_device_is_and_a_person_is_asked() {
    let config = with(|config| {
        change(config, 1, |one| {
            one.description = "is it \"so\"?".to_owned();
            one.vlan = VlanId::CAPTIVE_PORTAL;
            one.unknown = vec!["future-word 5".to_owned()];
        });
        change(config, 2, |one| one.name = "101".to_owned());
        let held = config.endpoints.get_mut(&2.try_into().unwrap()).unwrap();
        held.port = PortBinding::Unassigned;
        held.name = "Küche".to_owned();
        config.endpoints.extend([endpoint(3, PortBinding::Unassigned)]);
        config.hostname = "maple_a".to_owned();
    });
    insta::assert_snapshot!("left_to_the_device", text(&imports(config), "devices/maple_a.yaml"));
}

#[test]
fn a_second_endpoint_with_an_address_that_another_device_has_is_left_alone() {
    let other = with(|config| config.hostname = "maple-b".to_owned());
    let devices = [found(1, "GAM-4-CX", with(|_| {})), found(2, "GAM-4-CX", other)];
    let imported = import(&devices, None, Layout::PerDevice, "test").unwrap();
    insta::assert_snapshot!("one_address_on_two_devices", left(&imported).join("\n"));
    // Who is called the same on two devices is two people.
    let keys: Vec<String> = loaded(&sources(&imported)).subscribers.keys().cloned().collect();
    assert_eq!(keys, ["maple-a-s-1", "maple-a-s-2"]);
}

#[test]
fn a_device_that_could_not_be_managed_as_it_is_is_refused_and_the_others_are_not() {
    let doubled = with(|config| {
        config.hostname = "maple-b".to_owned();
        change(config, 2, |one| one.name = "s-1".to_owned());
        for held in config.endpoints.values_mut() {
            let mac = held.mac.unwrap().octets();
            held.mac = Some(MacAddr::new([mac[0], mac[1], mac[2], 1, 1, mac[5]]));
        }
    });
    let devices = [found(1, "GAM-4-CX", with(|_| {})), found(2, "GAM-4-CX", doubled)];
    let imported = import(&devices, None, Layout::PerDevice, "test").unwrap();
    let refused: Vec<_> = imported
        .devices
        .iter()
        .map(|device| (device.key.as_str(), device.refused.is_some()))
        .collect();
    assert_eq!(refused, [("maple-a", false), ("maple-b", true)]);
    assert!(imported.files.iter().all(|file| !file.path.contains("maple-b")));
}

#[test]
fn an_inventory_that_is_there_is_added_to_by_its_own_defaults_and_globs() {
    let root = SourceFile {
        path: "fleet/gamops.yaml".to_owned(),
        text: "format: 1\ninventory: test\ninclude: [sites/*.yaml, plans.yaml]\n\
               defaults: {credentials: field, mode: manage, headroom: 8%, vlan: 100, transport: {ssh_port: 2222}}\n"
            .to_owned(),
    };
    let plans = SourceFile {
        path: "fleet/plans.yaml".to_owned(),
        text: "plans:\n  home: {name: Home, rate: 50 Mbps}\n".to_owned(),
    };
    let site = SourceFile {
        path: "fleet/sites/oak.yaml".to_owned(),
        text: "devices: {oak: {model: GAM-4-CX, address: 192.0.2.99}}\nsubscribers:\n  \
               s-1: {device: oak, endpoint: \"00:0e:d8:09:00:01\", port: 1, plan: home}\n"
            .to_owned(),
    };
    let files = [root, plans, site];
    let config = with(|config| {
        let home = Profile {
            name: "Home".to_owned(),
            down: Mbps::try_from(54).ok(),
            up: Mbps::try_from(54).ok(),
            ..Profile::default()
        };
        let fast = Profile {
            name: "Fast".to_owned(),
            down: Mbps::try_from(216).ok(),
            ..home.clone()
        };
        let ids = [2, 3].map(|id| ProfileId::try_from(id).unwrap());
        config.profiles = ids.into_iter().zip([home, fast]).collect();
        for (number, id) in [1, 2].into_iter().zip(ids) {
            change(config, number, |one| one.profile = Some(ProfileRef::Profile(id)));
        }
        let (id, captive) = subscriber(3);
        config.subscribers.insert(
            id,
            Subscriber {
                vlan: VlanId::CAPTIVE_PORTAL,
                endpoint: None,
                ..captive
            },
        );
    });
    let inventory = loaded(&files);
    let existing = Existing {
        files: &files,
        inventory: &inventory,
    };
    let imported = import(&[found(1, "GAM-4-CX", config)], Some(existing), Layout::PerDevice, "").unwrap();
    let texts: Vec<String> = imported
        .files
        .iter()
        .map(|file| format!("--- {}\n{}", file.path, file.text))
        .collect();
    insta::assert_snapshot!(
        "added_to_an_inventory",
        format!("{}=== left\n{}", texts.join(""), left(&imported).join("\n"))
    );
}

#[test]
fn where_no_new_file_would_be_read_nothing_is_written() {
    let root = SourceFile {
        path: "gamops.yaml".to_owned(),
        text: "format: 1\ninventory: test\ninclude: [all/*.yaml]\n".to_owned(),
    };
    let file = SourceFile {
        path: "all/fleet.yaml".to_owned(),
        text: "sites: {}\n".to_owned(),
    };
    let files = [root, file];
    let inventory = loaded(&files);
    let existing = Existing {
        files: &files,
        inventory: &inventory,
    };
    let error = import(
        &[found(1, "GAM-4-CX", with(|_| {}))],
        Some(existing),
        Layout::PerDevice,
        "",
    )
    .unwrap_err();
    assert_eq!(
        error.to_string(),
        "devices/maple-a.yaml would not be read: `include` in gamops.yaml does not match it"
    );
}
