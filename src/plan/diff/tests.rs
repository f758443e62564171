//! Orders that were thought through by hand, and laws that hold for all.

pub(in crate::plan) mod device;
pub(in crate::plan) mod laws;

use super::*;
use crate::domain::{EndpointId, Firmware, Mbps, PortBinding, PortMode, ProfileId, SubscriberId};
use crate::observed::{Answer, Endpoint, Evidence, FromTo, Port, Profile, ProfileRef, Subscriber, Support};

fn id<T: TryFrom<u64, Error: std::fmt::Debug>>(number: u64) -> T {
    T::try_from(number).unwrap()
}

fn mac(last: u8) -> MacAddr {
    MacAddr::new([0, 0x0e, 0xd8, 0, 0, last])
}

fn capabilities() -> Capabilities {
    Capabilities::of_firmware(&"GAM-4/8-C_v1.5.4".parse::<Firmware>().unwrap())
}

fn support(yes: bool) -> Support {
    Support::new(if yes { Answer::Yes } else { Answer::Unknown }, Evidence::Assumed)
}

/// A configuration said in few words.
#[derive(Default, Clone)]
struct Config(DeviceConfig);

impl Config {
    fn port(mut self, number: u64, name: &str) -> Self {
        let port = Port {
            name: name.into(),
            ..Port::default()
        };
        self.0.set_port(id(number), port);
        self
    }

    fn profile(mut self, number: u64, name: &str) -> Self {
        let rate = Some(Mbps::try_from(100).unwrap());
        let profile = Profile {
            name: name.into(),
            down: rate,
            up: rate,
            ..Profile::default()
        };
        self.0.profiles.insert(id(number), profile);
        self
    }

    /// Port 0 is none.
    fn endpoint(mut self, number: u64, name: &str, last: u8, port: u64) -> Self {
        let port = PortNumber::try_from(port).map_or(PortBinding::Unassigned, PortBinding::Port);
        let endpoint = Endpoint {
            name: name.into(),
            mac: Some(mac(last)),
            port,
            ..Endpoint::default()
        };
        self.0.endpoints.insert(id(number), endpoint);
        self
    }

    /// Endpoint 0 is none, profile 0 is unthrottled.
    fn subscriber(mut self, number: u64, name: &str, endpoint: u64, profile: u64) -> Self {
        let subscriber = Subscriber {
            name: name.into(),
            endpoint: EndpointId::try_from(endpoint).ok(),
            profile: Some(ProfileId::try_from(profile).map_or(ProfileRef::Unthrottled, ProfileRef::Profile)),
            ..Subscriber::default()
        };
        self.0.subscribers.insert(id(number), subscriber);
        self
    }
}

/// The order in short: `+` made, `~` changed, `-` deleted, in brackets what only makes room.
fn short(difference: &Difference) -> String {
    let one = |ordered: &OrderedChange| {
        let sign = match &ordered.change {
            Change::CreateProfile(..) | Change::CreateEndpoint(..) | Change::CreateSubscriber(..) => '+',
            Change::DeleteProfile(..) | Change::DeleteEndpoint(..) | Change::DeleteSubscriber(..) => '-',
            _ => '~',
        };
        let object = ordered.change.object();
        let letter = object.kind().to_string().remove(0).to_ascii_uppercase();
        let letter = if object.kind() == Kind::Profile { 'B' } else { letter };
        let text = format!("{sign}{letter}{}", object.number());
        if ordered.purpose == Purpose::MakeRoom {
            format!("({text})")
        } else {
            text
        }
    };
    difference.changes.iter().map(one).collect::<Vec<_>>().join(" ")
}

/// Plans, plays the plan against a strict device, and says the order.
fn order(from: &Config, to: &Config, capabilities: &Capabilities, medium: Medium) -> String {
    let difference = diff(&from.0, &to.0, capabilities, medium).unwrap();
    device::plays(&from.0, &to.0, &difference, medium).unwrap();
    short(&difference)
}

fn on_copper(from: &Config, to: &Config) -> String {
    order(from, to, &capabilities(), Medium::Copper)
}

#[test]
fn equal_configurations_need_nothing() {
    let config = Config::default()
        .profile(2, "p")
        .endpoint(1, "e", 1, 1)
        .subscriber(1, "s", 1, 2);
    assert_eq!(on_copper(&config, &config), "");
}

#[test]
fn things_are_made_before_who_needs_them_and_deleted_after() {
    let full = Config::default()
        .port(1, "riser")
        .profile(2, "p")
        .endpoint(1, "e", 1, 1)
        .subscriber(1, "s", 1, 2);
    assert_eq!(on_copper(&Config::default(), &full), "~P1 +B2 +E1 +S1");
    let bare = Config::default().port(1, "riser");
    assert_eq!(on_copper(&full, &bare), "-S1 -E1 -B2");
}

#[test]
fn what_nobody_waits_for_is_deleted_last() {
    let from = Config::default().endpoint(1, "a", 1, 1).subscriber(1, "s", 1, 0);
    let to = Config::default().endpoint(2, "b", 2, 2).subscriber(2, "t", 2, 0);
    assert_eq!(on_copper(&from, &to), "+E2 +S2 -S1 -E1");
}

#[test]
fn what_is_in_the_way_is_deleted_first_and_nothing_else() {
    let from = Config::default()
        .endpoint(1, "a", 1, 1)
        .endpoint(2, "b", 2, 2)
        .subscriber(1, "s", 1, 0)
        .subscriber(2, "t", 2, 0);
    let to = Config::default().endpoint(3, "c", 3, 1).subscriber(3, "u", 3, 0);
    assert_eq!(on_copper(&from, &to), "-S1 -E1 +E3 +S3 -S2 -E2");
}

#[test]
fn a_subscriber_gets_another_cpe_on_a_full_copper_port() {
    let from = Config::default().endpoint(1, "old", 1, 1).subscriber(1, "s", 1, 0);
    let to = Config::default().endpoint(2, "new", 2, 1).subscriber(1, "s", 2, 0);
    assert_eq!(on_copper(&from, &to), "(~E1) +E2 ~S1 -E1");
}

#[test]
fn names_swap_by_way_of_a_temporary_one() {
    let from = Config::default().subscriber(1, "a", 0, 0).subscriber(2, "b", 0, 0);
    let to = Config::default().subscriber(1, "b", 0, 0).subscriber(2, "a", 0, 0);
    assert_eq!(on_copper(&from, &to), "(~S2) ~S1 ~S2");
    let difference = diff(&from.0, &to.0, &capabilities(), Medium::Copper).unwrap();
    let Change::SetSubscriber(_, FromTo { to, .. }) = &difference.changes[0].change else {
        panic!("{difference:?}")
    };
    assert_eq!(to.name, "gamops-tmp-1");
}

#[test]
fn a_name_passed_along_needs_no_temporary_one() {
    let from = Config::default().subscriber(1, "a", 0, 0).subscriber(2, "b", 0, 0);
    let to = Config::default().subscriber(1, "b", 0, 0).subscriber(2, "c", 0, 0);
    assert_eq!(on_copper(&from, &to), "~S2 ~S1");
}

#[test]
fn names_swap_by_making_anew_where_renaming_is_not_known_to_work() {
    let capabilities = Capabilities {
        rename_in_place: support(false),
        ..capabilities()
    };
    let from = Config::default()
        .endpoint(1, "a", 1, 1)
        .endpoint(2, "b", 2, 2)
        .subscriber(1, "s", 1, 0)
        .subscriber(2, "t", 2, 0);
    let to = Config::default()
        .endpoint(1, "b", 1, 1)
        .endpoint(2, "a", 2, 2)
        .subscriber(1, "s", 1, 0)
        .subscriber(2, "t", 2, 0);
    assert_eq!(
        order(&from, &to, &capabilities, Medium::Copper),
        "(~S2) (-E2) (~S1) (-E1) +E1 (~S1) +E2 (~S2)"
    );
}

#[test]
fn a_renamed_profile_in_use_is_made_anew_where_renaming_is_not_known_to_work() {
    let capabilities = Capabilities {
        rename_in_place: support(false),
        ..capabilities()
    };
    let from = Config::default().profile(2, "a").subscriber(1, "s", 0, 2);
    let to = Config::default().profile(2, "b").subscriber(1, "s", 0, 2);
    assert_eq!(
        order(&from, &to, &capabilities, Medium::Copper),
        "(~S1) (-B2) +B2 (~S1)"
    );
}

#[test]
fn ports_of_endpoints_swap_by_way_of_none() {
    let from = Config::default().endpoint(1, "a", 1, 1).endpoint(2, "b", 2, 2);
    let to = Config::default().endpoint(1, "a", 1, 2).endpoint(2, "b", 2, 1);
    assert_eq!(on_copper(&from, &to), "(~E2) ~E1 ~E2");
    assert_eq!(order(&from, &to, &capabilities(), Medium::Coax), "~E1 ~E2");
}

#[test]
fn endpoints_of_subscribers_swap_by_way_of_none() {
    let endpoints = Config::default().endpoint(1, "a", 1, 1).endpoint(2, "b", 2, 2);
    let from = endpoints.clone().subscriber(1, "s", 1, 0).subscriber(2, "t", 2, 0);
    let to = endpoints.subscriber(1, "s", 2, 0).subscriber(2, "t", 1, 0);
    assert_eq!(on_copper(&from, &to), "(~S2) ~S1 ~S2");
}

#[test]
fn addresses_swap_by_making_one_endpoint_anew() {
    let from = Config::default()
        .endpoint(1, "a", 1, 1)
        .endpoint(2, "b", 2, 2)
        .subscriber(2, "t", 2, 0);
    let to = Config::default()
        .endpoint(1, "a", 2, 1)
        .endpoint(2, "b", 1, 2)
        .subscriber(2, "t", 2, 0);
    assert_eq!(on_copper(&from, &to), "(~S2) (-E2) ~E1 +E2 (~S2)");
}

#[test]
fn a_new_address_is_set_in_place_only_where_that_is_known_to_work() {
    let from = Config::default().endpoint(1, "a", 1, 1).subscriber(1, "s", 1, 0);
    let to = Config::default().endpoint(1, "a", 9, 1).subscriber(1, "s", 1, 0);
    assert_eq!(on_copper(&from, &to), "~E1");
    let capabilities = Capabilities {
        new_mac_in_place: support(false),
        ..capabilities()
    };
    assert_eq!(
        order(&from, &to, &capabilities, Medium::Copper),
        "(~S1) (-E1) +E1 (~S1)"
    );
}

#[test]
fn a_cpe_moves_to_another_number() {
    let from = Config::default().endpoint(1, "a", 1, 1).subscriber(1, "s", 1, 0);
    let to = Config::default().endpoint(2, "a", 1, 1).subscriber(1, "s", 2, 0);
    assert_eq!(on_copper(&from, &to), "(~S1) -E1 +E2 ~S1");
}

#[test]
fn a_profile_replaced_under_its_name_never_leaves_its_users_unthrottled() {
    let from = Config::default().profile(2, "gold").subscriber(1, "s", 0, 2);
    let to = Config::default().profile(3, "gold").subscriber(1, "s", 0, 3);
    assert_eq!(on_copper(&from, &to), "(~B2) +B3 ~S1 -B2");
}

#[test]
fn the_host_name_comes_last() {
    let mut to = Config::default().port(1, "riser");
    to.0.hostname = "gam-maple".into();
    let from = Config::default().subscriber(1, "s", 0, 0);
    assert_eq!(on_copper(&from, &to), "~P1 -S1 ~S0");
}

#[test]
fn the_device_s_own_profile_is_left_alone() {
    let with = Config::default()
        .profile(1, "Default BW Profile")
        .subscriber(1, "s", 0, 1);
    let without = Config::default().subscriber(1, "s", 0, 1);
    let renamed = Config::default().profile(1, "mine").subscriber(1, "s", 0, 1);
    for (from, to) in [(&with, &without), (&without, &with), (&with, &renamed)] {
        assert_eq!(
            diff(&from.0, &to.0, &capabilities(), Medium::Coax).unwrap(),
            Difference::default()
        );
    }
    let twice = Config::default().profile(2, "Default BW Profile");
    assert!(matches!(
        diff(&Config::default().0, &twice.0, &capabilities(), Medium::Coax),
        Err(Stuck::Outcome(Violation::Name { .. }))
    ));
}

#[test]
fn an_endpoint_that_found_its_port_keeps_it() {
    let from = Config::default().endpoint(1, "a", 1, 4);
    let mut to = from.clone();
    to.0.endpoints.get_mut(&id::<EndpointId>(1)).unwrap().port = PortBinding::Auto;
    assert_eq!(on_copper(&from, &to), "");
    let crowded = to.endpoint(2, "b", 2, 4);
    assert_eq!(on_copper(&from, &crowded), "~E1 +E2");
}

#[test]
fn what_cannot_be_cleared_is_said_and_left() {
    let mut from = Config::default()
        .port(1, "riser")
        .subscriber(1, "s", 0, 2)
        .profile(2, "p");
    from.0.subscribers.get_mut(&id::<SubscriberId>(1)).unwrap().description = "old".into();
    let to = Config::default().subscriber(1, "s", 0, 0).profile(2, "p");
    let difference = diff(&from.0, &to.0, &capabilities(), Medium::Copper).unwrap();
    assert_eq!(
        difference.cannot_clear,
        [
            CannotClear {
                object: ObjectId::Port(id(1)),
                field: Field::Name
            },
            CannotClear {
                object: ObjectId::Subscriber(id(1)),
                field: Field::Description
            },
        ]
    );
    assert_eq!(short(&difference), "~S1");
    let able = Capabilities {
        clear_description: support(true),
        ..capabilities()
    };
    let difference = diff(&from.0, &to.0, &able, Medium::Copper).unwrap();
    assert_eq!(difference.cannot_clear.len(), 1);
}

#[test]
fn objects_with_unknown_settings_are_changed_in_place_only() {
    let mut from = Config::default().endpoint(1, "a", 1, 1);
    from.0.endpoints.get_mut(&id::<EndpointId>(1)).unwrap().unknown = vec!["future-word 7".into()];
    let to = Config::default().endpoint(1, "b", 1, 2);
    let difference = diff(&from.0, &to.0, &capabilities(), Medium::Copper).unwrap();
    assert_eq!(short(&difference), "~E1");
    assert_eq!(
        difference.cannot_clear,
        [CannotClear {
            object: ObjectId::Endpoint(id(1)),
            field: Field::Unknown
        }]
    );

    let capabilities = Capabilities {
        rename_in_place: support(false),
        ..capabilities()
    };
    let error = diff(&from.0, &to.0, &capabilities, Medium::Copper).unwrap_err();
    assert_eq!(
        error.to_string(),
        "endpoint 1 would have to be made anew, which loses settings that this version does not know: future-word 7"
    );
    // Undoing a deletion would have to write what we cannot write.
    assert!(matches!(
        diff(&Config::default().0, &from.0, &capabilities, Medium::Copper),
        Err(Stuck::UnknownWords { .. })
    ));
}

#[test]
fn of_two_swapped_addresses_the_endpoint_without_unknown_settings_is_made_anew() {
    let mut from = Config::default().endpoint(1, "a", 1, 1).endpoint(2, "b", 2, 2);
    let to = Config::default().endpoint(1, "a", 2, 1).endpoint(2, "b", 1, 2);
    let mark = |config: &mut Config, number| {
        config.0.endpoints.get_mut(&id::<EndpointId>(number)).unwrap().unknown = vec!["future".into()];
    };
    mark(&mut from, 2);
    let difference = diff(&from.0, &to.0, &capabilities(), Medium::Copper).unwrap();
    assert_eq!(short(&difference), "(-E1) ~E2 +E1");
    mark(&mut from, 1);
    assert!(matches!(
        diff(&from.0, &to.0, &capabilities(), Medium::Copper),
        Err(Stuck::UnknownWords { .. })
    ));
}

#[test]
fn an_outcome_that_the_device_refuses_is_not_planned() {
    let plan = |to: &Config, medium| {
        diff(&Config::default().0, &to.0, &capabilities(), medium)
            .unwrap_err()
            .to_string()
    };
    let crowded = Config::default().endpoint(1, "a", 1, 1).endpoint(2, "b", 2, 1);
    assert_eq!(
        plan(&crowded, Medium::Copper),
        "the device would refuse the outcome: port 1 has no room for all of endpoint 1 and endpoint 2"
    );
    assert_eq!(
        plan(&Config::default().subscriber(1, "s", 9, 0), Medium::Coax),
        "the device would refuse the outcome: subscriber 1 refers to endpoint 9, which is not there"
    );
    assert_eq!(
        plan(&Config::default().subscriber(1, "", 0, 0), Medium::Coax),
        "the device would refuse the outcome: subscriber 1 has no name"
    );
    let mut siso = Config::default();
    siso.0.set_port(
        id(1),
        Port {
            mode: PortMode::Siso,
            ..Port::default()
        },
    );
    assert!(diff(&Config::default().0, &siso.0, &capabilities(), Medium::Copper).is_ok());
    assert!(plan(&siso, Medium::Coax).contains("SISO"));
}

#[test]
fn mistakes_that_are_there_already_do_not_stop_other_changes() {
    let odd = Config::default()
        .endpoint(1, "x", 1, 1)
        .endpoint(2, "x", 1, 1)
        .subscriber(1, "s", 9, 7)
        .subscriber(2, "t", 2, 0);
    let to = odd.clone().subscriber(3, "u", 1, 0);
    let difference = diff(&odd.0, &to.0, &capabilities(), Medium::Copper).unwrap();
    assert_eq!(short(&difference), "+S3");
    let mended = Config::default().endpoint(1, "x", 1, 1).subscriber(1, "s", 1, 0);
    assert_eq!(
        short(&diff(&odd.0, &mended.0, &capabilities(), Medium::Copper).unwrap()),
        "~S1 -S2 -E2"
    );
}
