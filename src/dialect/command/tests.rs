//! The exact lines, and what must never be one.

use proptest::prelude::*;

use super::*;
use crate::domain::VlanSet;

fn id<T: TryFrom<u64, Error: std::fmt::Debug>>(number: u64) -> T {
    T::try_from(number).unwrap()
}

fn vlan(raw: u16) -> VlanId {
    raw.try_into().unwrap()
}

fn rate(mbps: u64) -> Option<Mbps> {
    Some(mbps.try_into().unwrap())
}

fn sent(change: &Change) -> Vec<String> {
    commands(change).unwrap()
}

fn set_subscriber(from: Subscriber, to: Subscriber) -> Change {
    Change::SetSubscriber(id(7), FromTo { from, to })
}

fn full_subscriber() -> Subscriber {
    Subscriber {
        double_tag: None,
        port: None,
        trunk: false,
        name: "s 7".into(),
        description: "flat 2".into(),
        endpoint: Some(id(5)),
        vlan: vlan(100),
        tagged: true,
        remapped_vlan: Some(vlan(200)),
        profile: Some(ProfileRef::Profile(id(2))),
        allowed_vlans: "1000,2000-2003".parse().unwrap(),
        port2_vlan: Some(vlan(300)),
        poe: Some(PoeMode::Enable),
        unknown: Vec::new(),
    }
}

#[test]
fn creation_says_every_service_word() {
    let plain = Subscriber {
        name: "s".into(),
        ..Subscriber::default()
    };
    assert_eq!(
        sent(&Change::CreateSubscriber(id(7), plain)),
        ["ghn subscriber 7 name \"s\" vid 4094 untagged"]
    );
    assert_eq!(
        sent(&Change::CreateSubscriber(id(7), full_subscriber())),
        [
            "ghn subscriber 7 name \"s 7\"",
            "ghn subscriber 7 poe enable",
            "ghn subscriber 7 description \"flat 2\" endpoint 5 vid 100 tagged remapped-vid 200 \
          bw-profile 2 allowed-vlan 1000,2000-2003 port2-vid 300"
        ]
    );
    let endpoint = Endpoint {
        name: "Positron_1C9508".into(),
        mac: Some("00:0E:D8:1C:95:08".parse().unwrap()),
        ..Endpoint::default()
    };
    assert_eq!(
        sent(&Change::CreateEndpoint(id(1), endpoint.clone())),
        ["ghn endpoint 1 name \"Positron_1C9508\" mac-address 00:0e:d8:1c:95:08 port unassigned"]
    );
    let endpoint = Endpoint {
        port: PortBinding::Auto,
        management_access: true,
        description: "d".into(),
        ..endpoint
    };
    assert_eq!(
        sent(&Change::CreateEndpoint(id(1), endpoint)),
        [
            "ghn endpoint 1 name \"Positron_1C9508\" mac-address 00:0e:d8:1c:95:08 description \"d\" port auto \
          allow-management-access"
        ]
    );
    let profile = Profile {
        name: "100/20".into(),
        down: rate(106),
        up: rate(22),
        ..Profile::default()
    };
    assert_eq!(
        sent(&Change::CreateProfile(id(2), profile)),
        ["ghn bw-profile 2 name \"100/20\" rate-downstream 106 rate-upstream 22"]
    );
}

#[test]
fn only_what_differs_is_sent() {
    let from = full_subscriber();
    assert_eq!(sent(&set_subscriber(from.clone(), from.clone())), [""; 0]);
    let to = Subscriber {
        vlan: vlan(101),
        ..from.clone()
    };
    assert_eq!(sent(&set_subscriber(from.clone(), to)), ["ghn subscriber 7 vid 101"]);
    let profile = |down, up| Profile {
        name: "p".into(),
        down,
        up,
        ..Profile::default()
    };
    let change = FromTo {
        from: profile(rate(10), rate(10)),
        to: profile(rate(0), rate(10)),
    };
    assert_eq!(
        sent(&Change::SetProfile(id(3), change)),
        ["ghn bw-profile 3 rate-downstream 0"]
    );
}

#[test]
fn settings_are_taken_back_by_their_own_words() {
    let from = Subscriber {
        poe: None,
        description: String::new(),
        ..full_subscriber()
    };
    let to = Subscriber {
        name: "s 7".into(),
        vlan: vlan(100),
        profile: Some(ProfileRef::Unthrottled),
        ..Subscriber::default()
    };
    assert_eq!(
        sent(&set_subscriber(from, to)),
        [
            "no ghn subscriber 7 endpoint",
            "ghn subscriber 7 untagged remapped-vid none bw-profile unthrottled allowed-vlan none port2-vid none"
        ]
    );
    let from = Endpoint {
        management_access: true,
        port: PortBinding::Auto,
        ..Endpoint::default()
    };
    let change = FromTo {
        from,
        to: Endpoint::default(),
    };
    assert_eq!(
        sent(&Change::SetEndpoint(id(4), change)),
        [
            "ghn endpoint 4 port unassigned",
            "no ghn endpoint 4 allow-management-access"
        ]
    );
}

#[test]
fn ports_are_set_in_place() {
    let set = |from: Port, to: Port| Change::SetPort(id(3), FromTo { from, to });
    let shut = Port {
        mode: PortMode::Siso,
        name: "riser B".into(),
        shutdown: true,
        unknown: Vec::new(),
    };
    assert_eq!(
        sent(&set(Port::default(), shut.clone())),
        ["ghn port 3 mode siso name \"riser B\" shutdown"]
    );
    let open = Port {
        shutdown: false,
        ..shut.clone()
    };
    assert_eq!(sent(&set(shut.clone(), open)), ["no ghn port 3 shutdown"]);
    assert_eq!(
        sent(&set(shut, Port::default())),
        ["ghn port 3 mode mimo name \"\"", "no ghn port 3 shutdown"]
    );
}

#[test]
fn only_a_deletion_deletes() {
    assert_eq!(
        sent(&Change::DeleteSubscriber(id(7), full_subscriber())),
        ["no ghn subscriber 7"]
    );
    assert_eq!(
        sent(&Change::DeleteEndpoint(id(7), Endpoint::default())),
        ["no ghn endpoint 7"]
    );
    assert_eq!(
        sent(&Change::DeleteProfile(id(7), Profile::default())),
        ["no ghn bw-profile 7"]
    );
}

#[test]
fn the_host_name_is_one_plain_word() {
    let set = |to: &str| {
        Change::SetHostname(FromTo {
            from: "gam".into(),
            to: to.into(),
        })
    };
    assert_eq!(sent(&set("gam-maple")), ["hostname gam-maple"]);
    assert_eq!(sent(&set("")), ["no hostname"]);
    for bad in ["two words", "gam#", "gam>", "(config)", "g\u{e4}m", "a\nb"] {
        assert!(
            matches!(commands(&set(bad)), Err(Unsendable::Character { .. })),
            "{bad}"
        );
    }
}

#[test]
fn what_must_not_be_sent_is_an_error_that_names_it() {
    let named = |name: &str| Subscriber {
        name: name.into(),
        ..full_subscriber()
    };
    let error = commands(&Change::CreateSubscriber(id(7), named("who?"))).unwrap_err();
    assert_eq!(
        error.to_string(),
        "subscriber 7: its name holds '?', which must not be sent to the device"
    );
    for bad in ["a\"b", "a\\", "tab\t", "line\nfeed", "caf\u{e9}", "\u{7f}", "\u{1b}[A"] {
        assert!(
            commands(&Change::CreateSubscriber(id(7), named(bad))).is_err(),
            "{bad:?}"
        );
        // An odd name that stays as it is, is not sent.
        let to = Subscriber {
            vlan: vlan(5),
            ..named(bad)
        };
        assert_eq!(sent(&set_subscriber(named(bad), to)), ["ghn subscriber 7 vid 5"]);
    }
    assert!(matches!(
        commands(&Change::CreateSubscriber(id(7), named(&"x".repeat(32)))),
        Err(Unsendable::Length {
            length: 32,
            max: 31,
            ..
        })
    ));
    assert!(commands(&Change::CreateSubscriber(id(7), named(""))).is_err());
}

#[test]
fn numbers_outside_the_command_line_are_not_sent() {
    let with_vlan = |raw| Subscriber {
        vlan: vlan(raw),
        ..full_subscriber()
    };
    assert!(commands(&set_subscriber(full_subscriber(), with_vlan(2))).is_err());
    assert_eq!(
        sent(&set_subscriber(full_subscriber(), with_vlan(4094))),
        ["ghn subscriber 7 vid 4094"]
    );
    let profile = Profile {
        name: "p".into(),
        down: rate(15_000),
        up: rate(10),
        ..Profile::default()
    };
    assert_eq!(
        commands(&Change::CreateProfile(id(2), profile))
            .unwrap_err()
            .to_string(),
        "profile 2: rate-downstream 15000 is outside what the command line takes"
    );
}

#[test]
fn what_the_command_line_cannot_say_is_refused() {
    let unknown = Subscriber {
        unknown: vec!["future-word 7".into()],
        ..full_subscriber()
    };
    assert!(commands(&Change::CreateSubscriber(id(7), unknown.clone())).is_err());
    assert!(commands(&set_subscriber(full_subscriber(), unknown.clone())).is_err());
    let to = Subscriber {
        vlan: vlan(9),
        ..unknown.clone()
    };
    assert_eq!(sent(&set_subscriber(unknown, to)), ["ghn subscriber 7 vid 9"]);
    let to = Subscriber {
        profile: None,
        ..full_subscriber()
    };
    assert!(commands(&set_subscriber(full_subscriber(), to)).is_err());
    assert!(
        commands(&Change::CreateEndpoint(
            id(1),
            Endpoint {
                name: "e".into(),
                ..Endpoint::default()
            }
        ))
        .is_err()
    );
    assert!(commands(&Change::DeleteProfile(id(1), Profile::default())).is_err());
}

#[test]
fn a_line_too_long_to_be_shown_becomes_two() {
    let vlans: VlanSet = (0..60u16).map(|step| vlan(1000 + 2 * step)).collect();
    let to = Subscriber {
        allowed_vlans: vlans,
        description: "x".repeat(127),
        ..full_subscriber()
    };
    let lines = sent(&Change::CreateSubscriber(id(7), to));
    assert_eq!(lines.len(), 4, "name, PoE, and the rest on two");
    assert!(
        lines[3].starts_with("ghn subscriber 7 allowed-vlan 1000,1002,"),
        "{lines:?}"
    );
    assert!(lines.iter().all(|line| line.len() <= line::LINE_MAX));
}

#[test]
fn evidence_is_that_of_the_weakest_word() {
    let bound = |endpoint| Subscriber {
        endpoint,
        ..full_subscriber()
    };
    assert_eq!(
        evidence(&set_subscriber(bound(None), bound(Some(id(5))))),
        Evidence::Seen
    );
    assert_eq!(
        evidence(&set_subscriber(bound(Some(id(5))), bound(None))),
        Evidence::Documented
    );
    assert_eq!(
        evidence(&Change::CreateSubscriber(id(7), full_subscriber())),
        Evidence::Assumed
    );
    let documented = Subscriber {
        poe: Some(PoeMode::Disable),
        ..full_subscriber()
    };
    assert_eq!(
        evidence(&Change::CreateSubscriber(id(7), documented)),
        Evidence::Documented
    );
    let cleared = Subscriber {
        description: String::new(),
        ..full_subscriber()
    };
    assert_eq!(evidence(&set_subscriber(full_subscriber(), cleared)), Evidence::Assumed);
}

#[test]
fn every_word_says_where_it_comes_from() {
    assert!(
        WORDS
            .iter()
            .all(|word| !word.source.is_empty() && !word.text.is_empty())
    );
}

proptest! {
    #[test]
    fn nothing_unsafe_is_ever_sent(name in "\\PC{0,40}|[ -~]{1,31}|(.|\n){0,9}", description in "[ -~]{0,140}|\\PC{0,9}") {
        let subscriber = Subscriber { name: name.clone(), description, ..full_subscriber() };
        let changes = [
            Change::CreateSubscriber(id(7), subscriber.clone()),
            set_subscriber(full_subscriber(), subscriber),
            Change::SetHostname(FromTo { from: String::new(), to: name }),
        ];
        for change in changes {
            for line in commands(&change).unwrap_or_default() {
                prop_assert!(line.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{line:?}");
                prop_assert!(!line.contains(['?', '\\']), "{line:?}");
                prop_assert!(line.matches('"').count() % 2 == 0, "{line:?}");
                prop_assert!(line.len() <= line::LINE_MAX);
                prop_assert!(line.starts_with("ghn subscriber 7 ") || line.starts_with("hostname "), "{line:?}");
            }
        }
    }
}

#[test]
fn an_assumed_word_stands_alone_and_before_the_rest() {
    let from = Subscriber {
        poe: Some(PoeMode::Disable),
        ..full_subscriber()
    };
    let to = Subscriber {
        port: Some(id(3)),
        trunk: true,
        double_tag: Some(crate::domain::DoubleTag {
            outer_vlan: vlan(500),
            uplink: Some(id(2)),
        }),
        poe: Some(PoeMode::Force),
        vlan: vlan(101),
        ..from.clone()
    };
    let there = set_subscriber(from.clone(), to.clone());
    assert_eq!(
        sent(&there),
        [
            "ghn subscriber 7 port 3 port2-vid 300",
            "ghn subscriber 7 trunk",
            "ghn subscriber 7 outer-vid 500",
            "ghn subscriber 7 nni 2",
            "ghn subscriber 7 poe force",
            "ghn subscriber 7 vid 101",
        ]
    );
    let trials = trials(&there).unwrap();
    assert_eq!(trials.iter().flatten().count(), 5);
    assert_eq!((trials.len(), trials[5]), (6, None));
    assert_eq!(
        sent(&set_subscriber(to, from)),
        [
            "no ghn subscriber 7 port",
            "no ghn subscriber 7 trunk",
            "ghn subscriber 7 nni default",
            "ghn subscriber 7 outer-vid none",
            "ghn subscriber 7 vid 100 poe disable",
        ]
    );
}

#[test]
fn the_service_limit_level_is_set_and_has_no_way_back() {
    let profile = |level: Option<u64>| Profile {
        name: "p".into(),
        service_limit_level: level.map(id),
        ..Profile::default()
    };
    let change = |from, to| {
        Change::SetProfile(
            id(3),
            FromTo {
                from: profile(from),
                to: profile(to),
            },
        )
    };
    assert_eq!(sent(&change(None, Some(2))), ["ghn bw-profile 3 service-limit-level 2"]);
    assert!(matches!(
        commands(&change(Some(2), None)),
        Err(Unsendable::NoWords { .. })
    ));
}
