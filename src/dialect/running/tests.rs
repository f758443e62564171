//! What the parser promises of real texts, odd texts and any text.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;
use crate::domain::{DoubleTag, MacAddr, Mbps, PoeMode, PortBinding, PortMode, SubscriberModel, VlanId, VlanSet};
use crate::observed::{DeviceConfig, Endpoint, Port, Profile, Subscriber};

const SEEN: &str = include_str!("../../../tests/fixtures/dialect/gam-4-cx-1.5.4/show-running-config.txt");

fn whole(lines: &str) -> RunningConfig {
    parse(&format!("Building configuration...\n{lines}\nend\n")).unwrap()
}

fn subscriber(lines: &str) -> (Subscriber, Vec<String>) {
    let read = whole(&format!(
        "ghn endpoint 1 name \"e\" mac-address 00:0e:d8:00:00:01\n{lines}"
    ));
    let subscriber = read.managed.subscribers.values().next().cloned().unwrap();
    (subscriber, read.warnings)
}

fn vlan(raw: u16) -> VlanId {
    raw.try_into().unwrap()
}

#[test]
fn text_for_people_is_the_same_configuration_without_its_secrets() {
    let text = readable(SEEN).unwrap();
    assert_eq!(text.matches("***").count(), 2, "{text}");
    assert!(!text.contains("canary") && !text.contains("Building"), "{text}");
    assert!(
        text.contains("interface vlan 100\n ip address 192.168.111.11 255.255.255.0\n!\nip route"),
        "{text}"
    );
    assert_eq!(readable(&format!("{text}end\n")).unwrap(), text);
    assert_eq!(parse(&format!("{text}end\n")).unwrap(), parse(SEEN).unwrap());
    assert!(readable("hostname gam\nghn endpoint 1").is_err());
}

#[test]
fn the_lines_seen_on_hardware_are_read() {
    let read = parse(SEEN).unwrap();
    assert_eq!(read.managed.hostname, "gam-maple");
    assert_eq!(
        read.managed.endpoints[&1.try_into().unwrap()],
        Endpoint {
            name: "Positron_1C9508".into(),
            mac: Some("00:0e:d8:1c:95:08".parse().unwrap()),
            port: PortBinding::Port(4.try_into().unwrap()),
            ..Endpoint::default()
        }
    );
    assert_eq!(
        read.managed.subscribers[&1.try_into().unwrap()],
        Subscriber {
            name: "test".into(),
            vlan: vlan(100),
            endpoint: Some(1.try_into().unwrap()),
            profile: Some(ProfileRef::Unthrottled),
            poe: Some(PoeMode::Disable),
            ..Subscriber::default()
        }
    );
    let second = &read.managed.subscribers[&2.try_into().unwrap()];
    assert_eq!(second.allowed_vlans.to_string(), "1000,2000-2003");
    assert_eq!(
        (second.remapped_vlan, second.port2_vlan),
        (Some(vlan(210)), Some(vlan(300)))
    );
    assert!(second.tagged);
    let profile = &read.managed.profiles[&2.try_into().unwrap()];
    assert_eq!(profile.service_limit_level, Some(2.try_into().unwrap()));
    assert_eq!(profile.unknown, [""; 0]);
}

#[test]
fn other_lines_are_kept_without_secrets_and_without_computed_sections() {
    let other = parse(SEEN).unwrap().other;
    assert_eq!(
        other,
        [
            "username admin privilege 15 password encrypted ***",
            "vlan 1,100",
            "snmp-server community v2c ***",
            "interface 10GigabitEthernet 1/1",
            " switchport trunk native vlan 100",
            " switchport trunk allowed vlan 3-4094",
            " switchport mode trunk",
            "interface vlan 100",
            " ip address 192.168.111.11 255.255.255.0",
            "ip route 0.0.0.0 0.0.0.0 192.168.111.1",
            "ghn vectorboost engine cdta enable down-up-weight 70 min-down-up-rate 4",
        ]
    );
}

#[test]
fn defaults_may_be_printed_or_left_out() {
    let bare = whole("ghn endpoint 3 name \"e\" mac-address 00:0e:d8:00:00:01\nghn subscriber 1 name \"s\"");
    let full = whole(
        "hostname\nghn port 1 mode mimo\nghn port 2 mode coax\nno ghn port 2 shutdown\n\
         ghn endpoint 3 port unassigned name \"e\" mac-address 00:0E:D8:00:00:01 description \"\"\n\
         no ghn endpoint 3 allow-management-access\n\
         ghn subscriber 1 vid 4094 name \"s\" untagged remapped-vid none allowed-vlan none port2-vid none",
    );
    assert_eq!(full.managed, bare.managed);
    assert_eq!(full.other, bare.other);
    assert_eq!(bare.managed.subscribers[&1.try_into().unwrap()].profile, None);
}

#[test]
fn a_line_that_takes_back_makes_no_object() {
    let read = whole("no ghn endpoint 5 port\nno ghn subscriber 5 endpoint\nno ghn endpoint 6 allow-management-access");
    assert_eq!(*read.managed, DeviceConfig::default());
    let (read, _) = subscriber("ghn subscriber 1 name \"s\" endpoint 1\nno ghn subscriber 1 endpoint");
    assert_eq!(read.endpoint, None);
}

#[test]
fn one_object_may_stand_on_several_lines() {
    let (read, warnings) =
        subscriber("ghn subscriber 1 name \"s\" vid 5\n!\nghn subscriber 1 endpoint 1\nghn subscriber 1 vid 6");
    assert_eq!(
        (read.name.as_str(), read.vlan, read.endpoint),
        ("s", vlan(6), Some(1.try_into().unwrap()))
    );
    assert_eq!(warnings, [""; 0]);
}

#[test]
fn unquoted_and_oddly_quoted_names_are_read() {
    for (printed, name) in [
        ("apt-2", "apt-2"),
        ("\"apt ! # 2\"", "apt ! # 2"),
        ("\"the \\\"red\\\" one\"", "the \"red\" one"),
        ("tagged", "tagged"),
        ("\"vid 7\"", "vid 7"),
    ] {
        let (read, _) = subscriber(&format!("ghn subscriber 1 name {printed} vid 5"));
        assert_eq!(
            (read.name.as_str(), read.vlan, read.tagged),
            (name, vlan(5), false),
            "{printed}"
        );
        assert_eq!(read.unknown, [""; 0], "{printed}");
    }
}

#[test]
fn unknown_keywords_are_kept_with_their_values() {
    let (read, warnings) = subscriber("ghn subscriber 1 future-word 7 vid 5 future-flag name \"s\" other-word \"a b\"");
    assert_eq!(read.unknown, ["future-word 7", "future-flag", "other-word \"a b\""]);
    assert_eq!(read.vlan, vlan(5));
    assert_eq!(
        warnings,
        [
            "line 3: subscriber 1: has settings that this version does not know, and keeps: \
          `future-word 7 future-flag other-word \"a b\"`"
        ]
    );
}

#[test]
fn values_outside_our_types_are_kept_and_named() {
    let (read, warnings) = subscriber("ghn subscriber 1 name \"s\" vid 4095 bw-profile gold tagged");
    assert_eq!(read.unknown, ["vid 4095", "bw-profile gold"]);
    assert!(read.tagged && read.profile.is_none());
    assert!(warnings[0].contains("line 3: subscriber 1: `vid 4095`"), "{warnings:?}");
    let (read, _) = subscriber("ghn subscriber 1 name \"s\" vid tagged");
    assert!(read.tagged && read.unknown == ["vid"]);
}

#[test]
fn numbers_out_of_range_leave_the_line_to_the_other_ones() {
    let read = whole(
        "ghn subscriber 385 name \"s\"\nghn port 0 shutdown\nghn bw-profile +2 name x\nghn subscriber-model portAware",
    );
    assert_eq!(*read.managed, DeviceConfig::default());
    assert_eq!((read.other.len(), read.warnings.len()), (4, 4));
}

#[test]
fn an_indented_ghn_line_is_not_lost_in_a_computed_section() {
    let read =
        whole("interface G.hn 1/1\n switchport mode trunk\n ghn endpoint 1 name \"e\" mac-address 00:0e:d8:00:00:01");
    assert_eq!(read.managed.endpoints.len(), 1);
    assert!(read.other.is_empty());
}

#[test]
fn shared_names_addresses_and_lost_references_are_warned_of() {
    let read = whole(
        "ghn endpoint 1 name \"e\" mac-address 00:0e:d8:00:00:01\n\
         ghn endpoint 2 name \"e\" mac-address 00:0e:d8:00:00:01\n\
         ghn subscriber 1 name \"s\" endpoint 9 bw-profile 4 vid 3840\n\
         ghn bw-profile 3 name \"p\" rate-downstream 15000",
    );
    assert_eq!(
        read.warnings,
        [
            "endpoints 1, 2 share the name `e`",
            "endpoints 1, 2 share the MAC address `00:0e:d8:00:00:01`",
            "bandwidth profile 3 has a rate of 15000 Mbps, outside 10 to 1999",
            "subscriber 1 is on endpoint 9, which is not configured",
            "subscriber 1 has bandwidth profile 4, which is not configured",
            "subscriber 1 uses VLAN 3840, which the device reserves",
        ]
    );
}

#[test]
fn every_cut_of_a_configuration_is_refused() {
    let end = SEEN.rfind("end").unwrap();
    for cut in (0..end + 2).filter(|cut| SEEN.is_char_boundary(*cut)) {
        assert!(
            matches!(parse(&SEEN[..cut]), Err(Incomplete::NoEnd { .. })),
            "cut at {cut}"
        );
    }
}

#[test]
fn the_default_profile_is_learned_where_subscribers_agree() {
    let plain = whole("ghn subscriber 1 name \"a\"\nghn subscriber 2 name \"b\" bw-profile 2");
    let all = whole("ghn subscriber 1 name \"a\" bw-profile 1\nghn subscriber 2 name \"b\" bw-profile 2");
    let one = ProfileRef::Profile(1.try_into().unwrap());
    assert_eq!(default_subscriber_profile(&plain, &all), Some(one));
    assert_eq!(default_subscriber_profile(&plain, &plain), None);
}

#[test]
fn fingerprints_follow_content_and_nothing_else() {
    let one = whole("ghn subscriber 1 name \"a\" vid 5 tagged\nntp enable");
    let same = whole("interface G.hn 1/1\n switchport mode trunk\nghn subscriber 1 tagged vid 5 name a\nntp enable");
    assert_eq!(fingerprint(&one), fingerprint(&same));
    let other_line = whole("ghn subscriber 1 name \"a\" vid 5 tagged\nno ntp enable");
    assert_ne!(fingerprint(&one), fingerprint(&other_line));
    assert_eq!(
        managed_fingerprint(&one.managed),
        managed_fingerprint(&other_line.managed)
    );
    let changed = whole("ghn subscriber 1 name \"a\" vid 6 tagged\nntp enable");
    assert_ne!(managed_fingerprint(&one.managed), managed_fingerprint(&changed.managed));
    assert_eq!(fingerprint(&one).len(), 64);
}

// What follows generates configurations that a device could hold.

fn name() -> impl Strategy<Value = String> {
    "[A-Za-z0-9_./#@+()! -]{1,31}"
}

fn free_text() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "[ -!#-\\[\\]-~]{1,63}"]
}

fn unknown() -> impl Strategy<Value = Vec<String>> {
    let all = vec!["future-word 7", "future-flag", "trunk-mode \"a b\""];
    prop_oneof![4 => Just(Vec::new()), 1 => subsequence(all, 0..=3).prop_map(|some| some.into_iter().map(str::to_owned).collect())]
}

fn a_vlan() -> impl Strategy<Value = VlanId> {
    (1u16..=4094).prop_map(vlan)
}

prop_compose! {
    fn a_port()(siso: bool, name in free_text(), shutdown: bool, unknown in unknown()) -> Port {
        let mode = if siso { PortMode::Siso } else { PortMode::ModelDefault };
        Port { mode, name, shutdown, unknown }
    }
}

prop_compose! {
    fn a_profile()(
        name in name(), description in free_text(), rates in any::<[Option<u16>; 2]>(), unknown in unknown(),
        level in proptest::option::of(1u64..=4),
    ) -> Profile {
        let [down, up] = rates.map(|rate| rate.map(|rate| Mbps::try_from(u64::from(rate)).unwrap()));
        Profile { service_limit_level: level.map(|level| level.try_into().unwrap()), name, description, down, up, unknown }
    }
}

prop_compose! {
    fn an_endpoint()(
        name in name(), mac: Option<[u8; 6]>, description in free_text(), port in 0u64..26,
        management_access: bool, unknown in unknown(),
    ) -> Endpoint {
        let port = match port {
            0 => PortBinding::Unassigned,
            25 => PortBinding::Auto,
            number => PortBinding::Port(number.try_into().unwrap()),
        };
        Endpoint { name, mac: mac.map(MacAddr::new), description, port, management_access, unknown }
    }
}

prop_compose! {
    fn a_subscriber()(
        name in name(), description in free_text(), endpoint in proptest::option::of(1u64..=384), vlan in a_vlan(),
        tagged: bool, remapped_vlan in proptest::option::of(a_vlan()), profile in proptest::option::of(0u64..=15),
        allowed in proptest::collection::vec(a_vlan(), 0..6), port2_vlan in proptest::option::of(a_vlan()),
        poe in proptest::option::of(select(vec![PoeMode::Disable, PoeMode::Enable, PoeMode::Force])),
        unknown in unknown(), port in proptest::option::of(1u64..=24), trunk: bool,
        tag in proptest::option::of((a_vlan(), proptest::option::of(1u64..=2))),
    ) -> Subscriber {
        Subscriber { port: port.map(|port| port.try_into().unwrap()), trunk,
            double_tag: tag.map(|(outer_vlan, uplink)| DoubleTag {
                outer_vlan, uplink: uplink.map(|uplink| uplink.try_into().unwrap()),
            }),
            name, description, endpoint: endpoint.map(|id| id.try_into().unwrap()), vlan, tagged, remapped_vlan,
            profile: profile.map(|id| id.try_into().map_or(ProfileRef::Unthrottled, ProfileRef::Profile)),
            allowed_vlans: allowed.into_iter().collect::<VlanSet>(), port2_vlan, poe, unknown,
        }
    }
}

fn a_config() -> impl Strategy<Value = DeviceConfig> {
    use proptest::collection::btree_map;
    (
        prop_oneof![Just(String::new()), "[A-Za-z0-9._-]{1,40}"],
        btree_map(1u64..=24, a_port(), 0..5),
        btree_map(1u64..=15, a_profile(), 0..5),
        btree_map(1u64..=384, an_endpoint(), 0..5),
        btree_map(1u64..=384, a_subscriber(), 0..5),
        any::<bool>(),
    )
        .prop_map(|(hostname, ports, profiles, endpoints, subscribers, port_aware)| {
            let mut config = DeviceConfig {
                hostname,
                profiles: profiles
                    .into_iter()
                    .map(|(id, object)| (id.try_into().unwrap(), object))
                    .collect(),
                endpoints: endpoints
                    .into_iter()
                    .map(|(id, object)| (id.try_into().unwrap(), object))
                    .collect(),
                subscribers: subscribers
                    .into_iter()
                    .map(|(id, object)| (id.try_into().unwrap(), object))
                    .collect(),
                ..DeviceConfig::default()
            };
            for (id, port) in ports {
                config.set_port(id.try_into().unwrap(), port);
            }
            if port_aware {
                config.subscriber_model = SubscriberModel::PortAware;
            } else {
                config.subscribers.values_mut().for_each(|one| one.port = None);
            }
            config
        })
}

/// The lines of a rendered configuration with their keyword-value pairs in another order.
fn shuffled(text: &str, seed: usize) -> String {
    let mut lines = Vec::new();
    for line in text.lines() {
        if !line.starts_with("ghn ") {
            lines.push(line.to_owned());
            continue;
        }
        let words = words::split(line);
        let mut pairs: Vec<Vec<String>> = Vec::new();
        for word in &words[3..] {
            let flag = |word: &str| {
                matches!(
                    word,
                    "tagged" | "shutdown" | "trunk" | "allow-management-access" | "future-flag"
                )
            };
            match pairs.last_mut() {
                Some(pair) if pair.len() == 1 && !flag(&pair[0]) => pair.push(word.raw.clone()),
                _ => pairs.push(vec![word.raw.clone()]),
            }
        }
        // Unknown words keep their order among themselves: it is part of what is kept.
        let (unknown, mut known): (Vec<_>, Vec<_>) = pairs
            .into_iter()
            .partition(|pair| pair[0].starts_with("future") || pair[0].starts_with("trunk-mode"));
        let length = known.len().max(1);
        known.rotate_left(seed % length);
        if seed.is_multiple_of(2) {
            known.reverse();
        }
        for (index, pair) in unknown.into_iter().enumerate() {
            known.insert((seed % length + index).min(known.len()), pair);
        }
        lines.push(format!(
            "ghn {} {} {}",
            words[1].text,
            words[2].text,
            known.concat().join("  ")
        ));
    }
    lines.join("\r\n") + "\r\n"
}

proptest! {
    #[test]
    fn reading_what_was_rendered_gives_the_same(config in a_config()) {
        let read = parse(&render(&config)).unwrap();
        prop_assert_eq!(&*read.managed, &config);
        prop_assert!(read.other.is_empty());
        prop_assert_eq!(managed_fingerprint(&read.managed), managed_fingerprint(&config));
    }

    #[test]
    fn order_of_keywords_and_line_ends_do_not_matter(config in a_config(), seed in 0usize..1000) {
        let text = shuffled(&render(&config), seed);
        let read = parse(&text).unwrap().managed;
        prop_assert_eq!(&*read, &config, "{}", text);
    }

    #[test]
    fn different_configurations_have_different_fingerprints(a in a_config(), b in a_config()) {
        prop_assert_eq!(a.settings() == b.settings(), managed_fingerprint(&a) == managed_fingerprint(&b));
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "(\\PC|[\r\n\t\u{8}\u{7}\" ]){0,200}") {
        let _ = parse(&text);
        let _ = parse(&format!("{text}\nend\n"));
    }

    #[test]
    fn no_mangled_line_makes_the_parser_panic(
        words in proptest::collection::vec(select(vec![
            "ghn", "no", "subscriber", "endpoint", "port", "bw-profile", "1", "385", "name", "\"", "\"a b\"", "vid",
            "4095", "none", "auto", "tagged", "allowed-vlan", "5-3", "\n", " ", "hostname", "interface G.hn 1/1", "end",
            "\\\"", "mac-address", "00:0e:d8:00:00:01", "shutdown", "future",
        ]), 0..40),
    ) {
        let _ = parse(&format!("{}\nend\n", words.join(" ")));
    }
}

#[test]
fn a_line_that_names_a_port_shows_a_port_aware_device() {
    let text = "ghn endpoint 4 name \"Positron_1C9508\" mac-address 00:0e:d8:1c:95:08 port 3\n\
         ghn subscriber 1 name \"s\" vid 100 nni 2 endpoint 4 port 3 trunk outer-vid 500\nend\n";
    let read = parse(text).unwrap().managed;
    assert_eq!(read.subscriber_model, SubscriberModel::PortAware);
    let subscriber = &read.subscribers[&1.try_into().unwrap()];
    let tag = DoubleTag {
        outer_vlan: vlan(500),
        uplink: Some(2.try_into().unwrap()),
    };
    assert_eq!((subscriber.double_tag, subscriber.trunk), (Some(tag), true));
    assert_eq!(subscriber.unknown, [""; 0]);
    // Another endpoint there is no other configuration.
    let other = text.replace("endpoint 4", "endpoint 5").replace("1c:95:08", "1c:95:09");
    let other = parse(&other).unwrap();
    assert!(other.is_same_as(&parse(text).unwrap()));
    assert_eq!(other.fingerprint(), parse(text).unwrap().fingerprint());
}

#[test]
fn an_uplink_without_an_outer_vlan_is_kept_and_reported() {
    let read = parse("ghn subscriber 1 name \"s\" nni 2\nend\n").unwrap();
    assert_eq!(read.managed.subscribers[&1.try_into().unwrap()].unknown, ["nni 2"]);
    assert!(read.warnings.iter().any(|warning| warning.contains("no outer VLAN")));
}
