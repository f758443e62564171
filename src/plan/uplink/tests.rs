use super::*;
use crate::domain::{DoubleTag, SubscriberId};
use crate::observed::DeviceConfig;

fn vlan(raw: u16) -> VlanId {
    raw.try_into().unwrap()
}

fn found(subscriber: Subscriber, uplinks: &str) -> Vec<String> {
    let id: SubscriberId = 1.try_into().unwrap();
    let resolution = Resolution {
        target: std::sync::Arc::new(DeviceConfig {
            subscribers: [(id, subscriber)].into(),
            ..DeviceConfig::default()
        }),
        keys: [(ObjectId::Subscriber(id), "s-1".to_owned())].into(),
        ..Resolution::default()
    };
    let other: Vec<String> = uplinks.lines().map(str::to_owned).collect();
    notes(&resolution, &other, Model::by_name("GAM-12-M").unwrap())
}

fn on(raw: u16) -> Subscriber {
    Subscriber {
        vlan: vlan(raw),
        ..Subscriber::default()
    }
}

const NARROW: &str = "interface 10GigabitEthernet 1/1\n switchport trunk allowed vlan 3-99\n switchport mode trunk\n\
     interface 10GigabitEthernet 1/2\n switchport trunk allowed vlan 3-99,200";

#[test]
fn the_factory_setting_lets_every_service_vlan_through() {
    assert_eq!(found(on(100), ""), [""; 0]);
    assert_eq!(
        found(on(4093), "interface vlan 1\n ip address 1.1.1.1 255.0.0.0"),
        [""; 0]
    );
}

#[test]
fn a_vlan_that_no_uplink_allows_is_named() {
    let told = found(on(100), NARROW);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].starts_with("s-1: VLAN 100 does not pass any uplink"),
        "{told:?}"
    );
    assert_eq!(found(on(200), NARROW), [""; 0], "one of the two is enough");
    let more = Subscriber {
        allowed_vlans: "50,300-301".parse().unwrap(),
        port2_vlan: Some(vlan(400)),
        ..on(99)
    };
    assert!(found(more, NARROW)[0].contains("VLAN 300-301,400 does not pass"));
}

#[test]
fn with_two_tags_the_outer_one_and_its_uplink_count() {
    let tagged = |outer, uplink: Option<u64>| Subscriber {
        double_tag: Some(DoubleTag {
            outer_vlan: vlan(outer),
            uplink: uplink.map(|uplink| uplink.try_into().unwrap()),
        }),
        ..on(1000)
    };
    assert_eq!(found(tagged(200, None), NARROW), [""; 0]);
    assert_eq!(found(tagged(200, Some(2)), NARROW), [""; 0]);
    let told = found(tagged(200, Some(1)), NARROW);
    assert!(
        told[0].starts_with("s-1: outer VLAN 200 does not pass uplink `10GigabitEthernet 1/1`"),
        "{told:?}"
    );
}

#[test]
fn every_way_of_writing_the_list_is_read() {
    let passes = |lines: &str, raw| {
        let section = |number: u8| format!("interface 10GigabitEthernet 1/{number}\n{lines}\n");
        found(on(raw), &(section(1) + &section(2))).is_empty()
    };
    assert!(passes(" switchport trunk allowed vlan all", 100));
    assert!(!passes(" switchport trunk allowed vlan none", 100));
    assert!(!passes(" switchport trunk allowed vlan except 90-110", 100));
    assert!(passes(" switchport trunk allowed vlan except 90-110", 111));
    assert!(!passes(" switchport trunk allowed vlan remove 100", 100));
    let added = " switchport trunk allowed vlan none\n switchport trunk allowed vlan add 100";
    assert!(passes(added, 100) && !passes(added, 101));
    let hybrid = " switchport mode hybrid\n switchport hybrid allowed vlan 5-10";
    assert!(passes(hybrid, 7) && !passes(hybrid, 100));
    let access = " switchport mode access\n switchport access vlan 100";
    assert!(passes(access, 100) && !passes(access, 101));
    assert!(!passes(" shutdown", 100));
}

#[test]
fn the_captive_portal_is_no_service() {
    assert_eq!(found(Subscriber::default(), NARROW), [""; 0]);
}
