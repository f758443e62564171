//! What holds of an import from whatever devices hold.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;
use crate::diagnostic::SourceFile;
use crate::domain::{
    DoubleTag, EndpointId, Firmware, MacAddr, Mbps, Model, PoeMode, PortBinding, PortMode, PortNumber, ProfileId,
    SubscriberId, SubscriberModel, VlanId,
};
use crate::inventory::model::{Inventory, Mode, Transport};
use crate::inventory::{self};
use crate::observed::{
    Answer, AssumedWord, Capabilities, DeviceConfig, Endpoint, Identity, Port, Profile, ProfileRef, RunningConfig,
    Subscriber,
};
use crate::plan::impact::duration::Timings;
use crate::plan::model::DeviceChanges;
use crate::plan::{Inputs, Readings, plan_device, resolve};

fn firmware() -> Firmware {
    Firmware {
        family: "GAM-4/8-C".to_owned(),
        version: (1, 8, 2),
    }
}

pub(super) fn found(number: u8, model: &str, config: DeviceConfig) -> Found {
    let running = RunningConfig {
        managed: config,
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
        running,
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
        desired: &desired,
        readings: Readings {
            running: (&found.running, ""),
            startup: Some((&found.running, "")),
        },
        identity: found.identity.as_ref().unwrap(),
        capabilities: &found.capabilities,
        records: &[],
        unfinished: false,
        timings: &Timings::default(),
        now: Timestamp::UNIX_EPOCH,
        window: None,
        targets: None,
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

const NAMES: &[&str] = &[
    "s-1",
    "S-1",
    "101",
    "0101",
    "no",
    "Apt 5",
    "apt-5",
    "12:30:00",
    "a: b",
    "x #y",
    "what?",
    "say \"hi\"",
    "back\\slash",
    "Müller",
    "~",
    "null",
    "1e3",
    "-dash",
    "#7",
    "@home",
    "Dr. X (left)",
    "0x1f",
    "true",
    "unthrottled",
    "a,b",
    "tab\there",
];
const TEXTS: &[&str] = &[
    "",
    "plain",
    "with: colon",
    "why?",
    "# hash",
    "yes",
    "42",
    "it's, fine",
    "- x",
    "\u{fc}ber",
];
const RATES: &[u64] = &[
    0, 5, 9, 10, 11, 20, 27, 53, 100, 106, 200, 212, 530, 540, 800, 801, 848, 1000, 1060, 1999, 15_000,
];
const VLANS: &[u16] = &[1, 2, 3, 100, 101, 3840, 4093, 4094];

fn vlan(list: &'static [u16]) -> impl Strategy<Value = VlanId> {
    select(list).prop_map(|raw| VlanId::try_from(raw).unwrap())
}

fn name() -> impl Strategy<Value = String> {
    select(NAMES).prop_map(str::to_owned)
}

fn description() -> impl Strategy<Value = String> {
    select(TEXTS).prop_map(str::to_owned)
}

fn binding() -> impl Strategy<Value = PortBinding> {
    prop_oneof![
        (1_u64..=4).prop_map(|port| PortBinding::Port(PortNumber::try_from(port).unwrap())),
        Just(PortBinding::Auto),
        Just(PortBinding::Unassigned),
    ]
}

fn profile() -> impl Strategy<Value = Profile> {
    let rate = || option::weighted(0.95, select(RATES).prop_map(|rate| Mbps::try_from(rate).unwrap()));
    (description(), rate(), rate(), option::of(1_u64..=4)).prop_map(|(description, down, up, level)| Profile {
        name: String::new(),
        description,
        down,
        up,
        service_limit_level: level.and_then(|level| level.try_into().ok()),
        unknown: Vec::new(),
    })
}

prop_compose! {
    fn a_subscriber()(
        description in description(),
        vlan in vlan(VLANS),
        tagged in any::<bool>(),
        remapped_vlan in option::weighted(0.2, vlan(&[3, 200])),
        profile in option::weighted(0.95, option::weighted(0.8, 1_u64..=5)),
        allowed in option::weighted(0.2, subsequence(vec![5_u16, 6, 7, 300], 1..=4)),
        port2_vlan in option::weighted(0.2, vlan(&[100, 400])),
        trunk in any::<bool>(),
        double_tag in option::weighted(0.1, (vlan(&[500]), option::of(Just(1_u64)))),
        poe in option::of(select(vec![PoeMode::Disable, PoeMode::Enable, PoeMode::Force])),
        unknown in any::<bool>(),
    ) -> Subscriber {
        Subscriber {
            name: String::new(),
            description,
            endpoint: None,
            port: None,
            vlan,
            tagged,
            remapped_vlan,
            profile: profile.map(|profile| match profile {
                Some(id) => ProfileRef::Profile(id.try_into().unwrap()),
                None => ProfileRef::Unthrottled,
            }),
            trunk: trunk && allowed.is_none(),
            allowed_vlans: allowed.into_iter().flatten().map(|raw| VlanId::try_from(raw).unwrap()).collect(),
            // The device refuses the same VLAN twice (error 28).
            port2_vlan: port2_vlan.filter(|port2| *port2 != vlan),
            double_tag: double_tag.map(|(outer_vlan, uplink)| DoubleTag {
                outer_vlan,
                uplink: uplink.and_then(|uplink| uplink.try_into().ok()),
            }),
            poe,
            unknown: if unknown { vec!["future-word 5".to_owned()] } else { Vec::new() },
        }
    }
}

prop_compose! {
    /// A state that a device accepts: names and addresses differ, references lead somewhere, ports have room.
    fn a_device(number: u8)(
        port_aware in any::<bool>(),
        hostname in select(vec!["", "maple-a", "maple-b", "under_score", "ends-"]),
        profiles in vec(profile(), 5),
        profile_names in Just(NAMES.to_vec()).prop_shuffle(),
        subscribers in vec(a_subscriber(), 0..8),
        names in Just(NAMES.to_vec()).prop_shuffle(),
        bindings in vec((binding(), option::weighted(0.3, name()), description(), any::<bool>()), 10),
        bound in vec(any::<bool>(), 8),
        shared_mac in any::<bool>(),
        ports in vec((any::<bool>(), description(), any::<bool>()), 4),
    ) -> DeviceConfig {
        let mut config = DeviceConfig {
            subscriber_model: if port_aware { SubscriberModel::PortAware } else { SubscriberModel::EndpointAware },
            hostname: hostname.to_owned(),
            ..DeviceConfig::default()
        };
        for (index, profile) in profiles.into_iter().enumerate() {
            let id = ProfileId::try_from(u64::try_from(index).unwrap() + 1).unwrap();
            config.profiles.insert(id, Profile { name: profile_names[index].to_owned(), ..profile });
        }
        let mut taken = BTreeSet::new();
        let mut endpoint_names = BTreeSet::new();
        for (index, (port, name, description, management_access)) in bindings.into_iter().enumerate() {
            // Copper: one endpoint on a port.
            let port = match port {
                PortBinding::Port(port) if !taken.insert(port) => PortBinding::Auto,
                port => port,
            };
            let last = u8::try_from(index).unwrap();
            let device = if shared_mac && index == 0 { 0 } else { number };
            let mac = MacAddr::new([0, 0x0e, 0xd8, 1, device, last]);
            let name = name.filter(|name| endpoint_names.insert(name.clone()));
            let endpoint = Endpoint {
                name: name.unwrap_or_else(|| mac.default_endpoint_name()),
                mac: Some(mac),
                description,
                port,
                management_access,
                unknown: Vec::new(),
            };
            config.endpoints.insert(EndpointId::try_from(u64::from(last) + 1).unwrap(), endpoint);
        }
        for (index, subscriber) in subscribers.into_iter().enumerate() {
            let number = u64::try_from(index).unwrap() + 1;
            let subscriber = Subscriber {
                name: names[index].to_owned(),
                endpoint: EndpointId::try_from(number).ok().filter(|_| bound[index] && !port_aware),
                port: PortNumber::try_from(number).ok().filter(|port| bound[index] && port_aware && port.get() <= 4),
                ..subscriber
            };
            config.subscribers.insert(number.try_into().unwrap(), subscriber);
        }
        for (index, (siso, name, shutdown)) in ports.into_iter().enumerate() {
            let number = PortNumber::try_from(u64::try_from(index).unwrap() + 1).unwrap();
            // Names of ports differ as well.
            let name = if name.is_empty() { name } else { format!("{name} {number}") };
            let mode = if siso { PortMode::Siso } else { PortMode::ModelDefault };
            config.set_port(number, Port { mode, name, shutdown, unknown: Vec::new() });
        }
        config
    }
}

/// Whether an inventory can say it, by the rules and the device's limits, without asking the code under test.
fn can_be_said(config: &DeviceConfig, subscriber: &Subscriber) -> bool {
    let safe = |name: &str| {
        name.chars()
            .all(|char| char.is_ascii_alphanumeric() || "_-./#@+() ".contains(char))
            && !name.is_empty()
    };
    let plan = match subscriber.profile {
        None => false,
        Some(ProfileRef::Unthrottled) => true,
        Some(ProfileRef::Profile(id)) => config.profiles.get(&id).is_some_and(|profile| {
            let good = |rate: Option<Mbps>| rate.is_some_and(|rate| (10..=1999).contains(&rate.get()));
            id != ProfileId::DEVICE_DEFAULT && safe(&profile.name) && good(profile.down) && good(profile.up)
        }),
    };
    let vlan = subscriber.vlan.is_usable_for_service() || subscriber.vlan == VlanId::CAPTIVE_PORTAL;
    safe(&subscriber.name) && plan && vlan
}

/// A subscriber without numbers of the device, and without what is left to the device.
fn service(config: &DeviceConfig, subscriber: &Subscriber) -> Subscriber {
    Subscriber {
        endpoint: None,
        profile: None,
        description: String::new(),
        poe: subscriber.poe.filter(|poe| *poe != PoeMode::Enable),
        unknown: vec![
            format!(
                "{:?}",
                subscriber.endpoint.and_then(|id| config.endpoints.get(&id)?.mac)
            ),
            match subscriber.profile {
                Some(ProfileRef::Profile(id)) => config
                    .profiles
                    .get(&id)
                    .map(|profile| format!("{} {:?} {:?}", profile.name, profile.down, profile.up))
                    .unwrap_or_default(),
                other => format!("{other:?}"),
            },
        ],
        ..subscriber.clone()
    }
}

proptest! {
    #[test]
    fn whatever_devices_hold_the_import_validates_and_changes_nothing(
        one in a_device(1),
        other in a_device(2),
        layout in select(vec![Layout::PerDevice, Layout::PerSite, Layout::OneFile]),
    ) {
        let all = [found(1, "GAM-24-M", one), found(2, "GAM-24-M", other)];
        let imported = import(&all, None, layout, "test").unwrap();
        prop_assert_eq!(&import(&all, None, layout, "test").unwrap(), &imported, "the same input, the same bytes");
        let inventory = loaded(&sources(&imported));
        let every_word = AssumedWord::ALL.map(|word| (word, Answer::Yes));
        for device in &imported.devices {
            let found = &all[device.found];
            prop_assert_eq!(&device.refused, &None);
            prop_assert_eq!(inventory.devices[&device.key].mode, Mode::Observe);
            for mode in [Mode::Observe, Mode::Manage] {
                let changes = plan(found, &device.key, &inventory, mode);
                prop_assert!(changes.changes.is_empty() && changes.refusals.is_empty(), "{:#?}", changes);
            }
            // What is written is what the device holds, also for a device that holds nothing yet.
            let config = found.running.managed.settings();
            let desired = inventory::compile(&inventory, &device.key).unwrap();
            let blank = DeviceConfig { subscriber_model: desired.subscriber_model, ..DeviceConfig::default() };
            let capabilities = Capabilities::of_firmware(&firmware()).having_learned(&every_word);
            let made = resolve(&desired, &blank, &[], &capabilities).target;
            for written in made.subscribers.values() {
                let held = config.subscribers.values().find(|held| held.name == written.name).unwrap();
                prop_assert_eq!(service(&made, written), service(&config, held));
            }
            // Who can be written is, but for an address that two devices have.
            for held in config.subscribers.values() {
                let is_written = made.subscribers.values().any(|written| written.name == held.name);
                let mac = held.endpoint.and_then(|id| config.endpoints.get(&id)?.mac);
                let is_shared = mac.is_some_and(|mac| mac.octets()[4] == 0);
                prop_assert!(is_written == can_be_said(&config, held) || is_shared, "{} is written: {is_written}", held.name);
            }
        }
    }
}
