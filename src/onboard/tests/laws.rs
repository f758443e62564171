//! Whatever devices hold: the import validates, changes nothing, and leaves out nobody who can be written.

use std::sync::Arc;

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;
use crate::domain::{DoubleTag, PoeMode, PortMode, PortNumber, SubscriberModel};
use crate::observed::{Answer, AssumedWord, Port};
use crate::plan::resolve;

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
    pub(super) fn a_device(number: u8)(
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
            let made = resolve(&desired, &Arc::new(blank), &Arc::default(), &capabilities).target;
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
