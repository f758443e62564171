//! What devices are to hold, from the text of an inventory.

use crate::diagnostic::SourceFile;
use crate::domain::{Mbps, PoeMode, PortNumber, ServiceLimitLevel, SubscriberModel, UplinkNumber, VlanId};
use crate::inventory::desired::{DesiredDevice, DesiredRate};
use crate::inventory::{compile, compile_all, load};

const COMMON: &str = "
devices:
  coax: {model: GAM-4-CX, address: 192.0.2.1, credentials: factory, endpoints: {drawer: {mac: 00:0e:d8:00:00:09}}}
  copper: {model: GAM-4-MX, address: 192.0.2.2, credentials: factory}
plans:
  home: {rate: 200 Mbps, name: Home}
  slow: {rate: 10 Mbps}
  giga: {rate: 900 Mbps}
subscribers:
  a: {device: coax, plan: home, vlan: 100, endpoint: 00:0e:d8:00:00:01, port: 1}
  b:
    device: coax
    plan: giga
    vlan: 100
    endpoint: 00:0e:d8:00:00:02
    port: auto
    state: suspended
    tagged: true
    allowed_vlans: [300, 301]
    port2_vlan: 400
    remapped_vlan: 500
  c: {device: copper, plan: giga, vlan: 100, endpoint: 00:0e:d8:00:00:03, port: 1}
  d: {device: coax, plan: unthrottled, vlan: 100}
";

fn device(key: &str, policies: &str) -> DesiredDevice {
    let text = format!("format: 1\ninventory: test\npolicies: {policies}\n{COMMON}");
    let source = SourceFile {
        path: "gamops.yaml".to_owned(),
        text,
    };
    let loaded = load(&[source]);
    assert!(loaded.report.is_valid(), "{:#?}", loaded.report);
    let inventory = loaded.inventory.unwrap();
    let desired = compile(&inventory, key).unwrap();
    assert_eq!(compile_all(&inventory)[key], desired);
    assert!(compile(&inventory, "nowhere").is_none());
    desired
}

fn vlan(raw: u16) -> VlanId {
    VlanId::try_from(raw).unwrap()
}

#[test]
fn only_profiles_that_somebody_here_needs_are_wanted() {
    let coax = device("coax", "{suspension: unbind}");
    assert_eq!(coax.profiles.keys().collect::<Vec<_>>(), ["home"]);
    assert_eq!(coax.profiles["home"].name, "Home");
    assert_eq!(coax.profiles["home"].down, Mbps::try_from(212).unwrap());
    assert_eq!(coax.subscribers["a"].rate, DesiredRate::Profile("home".to_owned()));
    assert_eq!(coax.subscribers["d"].rate, DesiredRate::Unthrottled);
}

#[test]
fn a_rate_above_the_medium_s_ceiling_is_unthrottled_with_a_note() {
    let coax = device("coax", "{suspension: unbind}");
    assert_eq!(coax.subscribers["b"].rate, DesiredRate::Unthrottled);
    insta::assert_snapshot!(coax.notes.join("\n"), @"plan `giga` comes to 954 Mbps down and 954 Mbps up with headroom, above the 800 Mbps that a profile can limit on coax: its subscribers are unthrottled here");
    let copper = device("copper", "{suspension: unbind}");
    assert_eq!(copper.subscribers["c"].rate, DesiredRate::Profile("giga".to_owned()));
    assert!(copper.notes.is_empty());
}

#[test]
fn a_subscriber_s_endpoint_stands_under_its_key_beside_the_spare_ones() {
    let coax = device("coax", "{suspension: unbind}");
    assert_eq!(coax.endpoints.keys().collect::<Vec<_>>(), ["a", "b", "drawer"]);
    assert_eq!(coax.subscribers["a"].endpoint.as_deref(), Some("a"));
    assert_eq!(coax.subscribers["d"].endpoint, None);
}

#[test]
fn suspension_by_vlan_leaves_no_other_way_out() {
    let suspended = &device("coax", "{suspension: {vlan: 3900}}").subscribers["b"];
    assert_eq!(suspended.vlan, vlan(3900));
    assert!(suspended.allowed_vlans.is_empty());
    assert_eq!((suspended.port2_vlan, suspended.remapped_vlan), (None, None));
    assert!(suspended.tagged && suspended.suspended);
    assert_eq!(suspended.endpoint.as_deref(), Some("b"));
}

#[test]
fn suspension_by_plan_changes_the_rate_and_nothing_else() {
    let coax = device("coax", "{suspension: {plan: slow}}");
    let suspended = &coax.subscribers["b"];
    assert_eq!(suspended.rate, DesiredRate::Profile("slow".to_owned()));
    assert_eq!(suspended.vlan, vlan(100));
    assert_eq!(suspended.port2_vlan, Some(vlan(400)));
    assert!(coax.profiles.contains_key("slow") && coax.notes.is_empty());
}

#[test]
fn suspension_by_unbinding_keeps_the_endpoint_and_its_port() {
    let coax = device("coax", "{suspension: unbind}");
    assert_eq!(coax.subscribers["b"].endpoint, None);
    assert!(coax.endpoints.contains_key("b"));
    assert_eq!(coax.subscribers["b"].vlan, vlan(100));
}

#[test]
fn nobody_active_is_touched_by_the_suspension_policy() {
    let one = device("coax", "{suspension: {vlan: 3900}}");
    let other = device("coax", "{suspension: unbind}");
    assert_eq!(one.subscribers["a"], other.subscribers["a"]);
}

const FIELDS: &str = "
devices:
  coax:
    model: GAM-12-C
    address: 192.0.2.1
    credentials: factory
    allow_assumed: true
    endpoints: {drawer: {mac: 00:0e:d8:00:00:09, management_access: true}}
  copper: {model: GAM-4-MX, address: 192.0.2.2, credentials: factory, subscriber_model: port-aware, allow_assumed: true}
plans:
  home: {rate: 200 Mbps, service_limit_level: 2}
subscribers:
  a:
    device: coax
    plan: home
    vlan: 100
    endpoint: {mac: 00:0e:d8:00:00:01, management_access: false}
    port: 1
    trunk: true
    double_tag: {outer_vlan: 900, uplink: 2}
    poe: force
    state: STATE
  b: {device: copper, plan: home, vlan: 100, port: 2, state: STATE}
  c: {device: copper, plan: home, vlan: 100}
";

fn fields(state: &str, suspension: &str) -> (DesiredDevice, DesiredDevice) {
    let text = format!("format: 1\ninventory: test\npolicies: {{suspension: {suspension}}}\n{FIELDS}");
    let loaded = load(&[SourceFile {
        path: "gamops.yaml".to_owned(),
        text: text.replace("STATE", state),
    }]);
    assert_eq!(loaded.report.findings(), []);
    let inventory = loaded.inventory.unwrap();
    (
        compile(&inventory, "coax").unwrap(),
        compile(&inventory, "copper").unwrap(),
    )
}

#[test]
fn every_service_field_reaches_the_device() {
    let (coax, _) = fields("active", "unbind");
    let a = &coax.subscribers["a"];
    assert!(a.trunk);
    let tag = a.double_tag.unwrap();
    assert_eq!(
        (tag.outer_vlan, tag.uplink.map(UplinkNumber::get)),
        (vlan(900), Some(2))
    );
    assert_eq!((a.poe, a.port), (Some(PoeMode::Force), None));
    assert_eq!(
        coax.profiles["home"].service_limit_level.map(ServiceLimitLevel::get),
        Some(2)
    );
    assert_eq!(coax.endpoints["a"].management_access, Some(false));
    assert_eq!(coax.endpoints["drawer"].management_access, Some(true));
}

#[test]
fn on_a_port_aware_device_subscribers_have_a_port_and_no_endpoint() {
    let (coax, copper) = fields("active", "unbind");
    assert_eq!(coax.subscriber_model, SubscriberModel::EndpointAware);
    assert_eq!(copper.subscriber_model, SubscriberModel::PortAware);
    assert!(copper.endpoints.is_empty());
    let port = |key: &str| copper.subscribers[key].port.map(PortNumber::get);
    assert_eq!((port("b"), port("c")), (Some(2), None));
    assert_eq!(copper.subscribers["b"].endpoint, None);
}

#[test]
fn unbinding_on_a_port_aware_device_takes_the_port_away() {
    let (_, copper) = fields("suspended", "unbind");
    assert_eq!(copper.subscribers["b"].port, None);
}

#[test]
fn a_walled_garden_is_not_within_a_trunk_or_an_outer_tag() {
    let (coax, copper) = fields("suspended", "{vlan: 3900}");
    let a = &coax.subscribers["a"];
    assert_eq!((a.vlan, a.trunk, a.double_tag), (vlan(3900), false, None));
    assert_eq!(copper.subscribers["b"].port.map(PortNumber::get), Some(2));
}
