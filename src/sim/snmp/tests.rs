use std::time::Duration;

use async_snmp::Value;
use async_snmp::handler::{GetNextResult, GetResult};

use crate::domain::{MacAddr, Model, PortNumber};
use crate::sim::endpoint::EndpointModel;
use crate::sim::knobs::GhnSubtree;
use crate::sim::spec::DeviceSpec;
use crate::sim::state::State;

use super::mib::{View, vendor};

const UPTIME: Duration = Duration::from_secs(7200);

const HERE: MacAddr = MacAddr::new([0, 0x0e, 0xd8, 0, 0, 1]);
const AWAY: MacAddr = MacAddr::new([0, 0x0e, 0xd8, 0, 0, 2]);
const LOST: MacAddr = MacAddr::new([0, 0x0e, 0xd8, 0, 0, 3]);
const STRANGER: MacAddr = MacAddr::new([0, 0x0e, 0xd8, 0, 0, 9]);

/// Endpoints in all four states, one of them serving.
fn device(subtree: GhnSubtree) -> State {
    let firmware = "GAM-4/8-C_v1.8.2".parse().unwrap();
    let mut spec = DeviceSpec::new("maple-a", Model::by_name("GAM-4-CX").unwrap(), firmware);
    spec.knobs.ghn_subtree = subtree;
    let lines = "ghn bw-profile 2 name gold rate-downstream 106 rate-upstream 53\n\
                 ghn endpoint 1 mac-address 00:0e:d8:00:00:01 port 1\n\
                 ghn endpoint 2 mac-address 00:0e:d8:00:00:02 port 2\n\
                 ghn endpoint 3 mac-address 00:0e:d8:00:00:03 port 3\n\
                 ghn subscriber 5 name \"s 5\" vid 100 endpoint 1 bw-profile 2 allowed-vlan 1024,1030\n";
    let mut state = State::new(spec, Some(lines.to_owned()));
    assert!(state.boot().is_empty());
    let port = |number: u64| PortNumber::try_from(number).unwrap();
    let hour = Duration::from_secs(3600);
    state.plug(HERE, port(1), Some(EndpointModel::G1002CPlus), hour);
    state.plug(AWAY, port(4), None, hour);
    state.plug(STRANGER, port(4), None, hour);
    state
}

fn view(state: &State) -> View<'_> {
    View { state, uptime: UPTIME }
}

fn value(state: &State, oid: &[u32]) -> Option<Value> {
    match view(state).get(oid) {
        GetResult::Value(value) => Some(value),
        _ => None,
    }
}

fn walk(state: &State, base: &[u32]) -> Vec<(Vec<u32>, Value)> {
    let mut found = Vec::new();
    let mut at = base.to_vec();
    while let GetNextResult::Value(next) = view(state).get_next(&at) {
        at = next.oid.arcs().to_vec();
        if !at.starts_with(base) {
            break;
        }
        found.push((at.clone(), next.value));
    }
    found
}

fn mac_arcs(mac: MacAddr) -> Vec<u32> {
    mac.octets().into_iter().map(u32::from).collect()
}

#[test]
fn a_walk_of_everything_ascends_and_reads_what_get_reads() {
    let state = device(GhnSubtree::Present);
    let all = walk(&state, &[1, 3, 6, 1]);
    for pair in all.windows(2) {
        assert!(pair[0].0 < pair[1].0, "{:?} before {:?}", pair[0].0, pair[1].0);
    }
    for (oid, seen) in &all {
        assert_eq!(value(&state, oid).as_ref(), Some(seen), "{oid:?}");
    }
    // One row for every VLAN and port, and the whole of E.143.
    assert_eq!(walk(&state, &[1, 3, 6, 1, 2, 1, 2, 2, 1, 1]).len(), 4095 + 6);
    assert!(walk(&state, vendor!(143)).len() > 500);
}

#[test]
fn an_absent_subtree_is_passed_by() {
    let state = device(GhnSubtree::Absent);
    assert_eq!(view(&state).get(vendor!(143, 1, 2, 5, 10, 0)), GetResult::NoSuchObject);
    let GetNextResult::Value(next) = view(&state).get_next(vendor!(143)) else {
        panic!("the alarms come after it");
    };
    assert!(next.oid.arcs().starts_with(vendor!(145)));
}

#[test]
fn what_is_not_there_is_told_from_what_is_not_known() {
    let state = device(GhnSubtree::Present);
    for (oid, expected) in [
        (vendor!(143, 1, 2, 20, 1, 30, 9).as_slice(), GetResult::NoSuchInstance),
        (vendor!(143, 1, 2, 20, 1, 31, 1), GetResult::NoSuchObject),
        (vendor!(143, 1, 2, 20, 1, 30), GetResult::NoSuchInstance),
        (vendor!(143, 1, 2, 20, 1, 30, 1, 0), GetResult::NoSuchInstance),
        (vendor!(11, 1, 2, 1, 1, 2, 5), GetResult::NoSuchInstance),
        (&[1, 3, 6, 1, 2, 1, 2, 2, 1, 2, 4096], GetResult::NoSuchInstance),
        (&[1, 3, 6, 1, 2, 1, 3], GetResult::NoSuchObject),
    ] {
        assert_eq!(view(&state).get(oid), expected, "{oid:?}");
    }
}

#[test]
fn endpoints_are_listed_by_mac_in_all_their_states() {
    let state = device(GhnSubtree::Present);
    let column = |column: u32| walk(&state, &[vendor!(143, 1, 3, 30, 10, 1), [column].as_slice()].concat());
    let states: Vec<Value> = column(90).into_iter().map(|(_, value)| value).collect();
    assert_eq!(states, [1, 2, 0, 3].map(Value::Integer));
    // Only while detected: no model of the one that is missing.
    let models: Vec<Vec<u32>> = column(100).into_iter().map(|(oid, _)| oid[15..].to_vec()).collect();
    assert_eq!(models, [HERE, AWAY, STRANGER].map(mac_arcs));
    let lost = [vendor!(143, 1, 3, 30, 20, 1, 20).as_slice(), &mac_arcs(LOST)].concat();
    assert_eq!(value(&state, &lost), Some(Value::Integer(2)));
    let lost = [vendor!(143, 1, 3, 30, 20, 1, 30).as_slice(), &mac_arcs(LOST)].concat();
    assert_eq!(view(&state).get(&lost), GetResult::NoSuchInstance);
    // Nobody serves the stranger, so the default profile limits it.
    let stranger = [vendor!(143, 1, 3, 30, 10, 1, 70).as_slice(), &mac_arcs(STRANGER)].concat();
    assert_eq!(value(&state, &stranger), Some(Value::Gauge32(1)));
    assert_eq!(walk(&state, vendor!(143, 1, 3, 20, 10, 1, 90)).len(), 3);
}

#[test]
fn a_subscriber_s_row_says_what_its_line_says() {
    let state = device(GhnSubtree::Present);
    let cell = |column: u32| value(&state, &[vendor!(143, 1, 2, 40, 1), [column, 5].as_slice()].concat()).unwrap();
    assert_eq!(cell(30), Value::OctetString("s 5".into()));
    assert_eq!(
        (cell(50), cell(70), cell(90)),
        (Value::Gauge32(1), Value::Gauge32(2), Value::Gauge32(100))
    );
    assert_eq!(cell(55), Value::OctetString("Positron_000001".into()));
    // VLANs 1024 and 1030: bits 0 and 6 of the first octet of the second quarter.
    let Value::OctetString(quarter) = cell(140) else {
        panic!()
    };
    assert_eq!((quarter.len(), quarter[0]), (128, 0b100_0001));
    let Value::OctetString(quarter) = cell(130) else {
        panic!()
    };
    assert!(quarter.iter().all(|octet| *octet == 0));
}

#[test]
fn the_bridge_knows_the_ports_and_the_customers_never_the_endpoints() {
    let state = device(GhnSubtree::Absent);
    let rows = walk(&state, &[1, 3, 6, 1, 2, 1, 17, 4, 3, 1, 2]);
    // Four ports, one customer, one gateway.
    assert_eq!(rows.len(), 6);
    for (port, (oid, value)) in (1..).zip(&rows[..4]) {
        assert_eq!(oid[11..14], [0, 0x0e, 0xd8]);
        assert_eq!(*value, Value::Integer(port));
    }
    assert!(rows.iter().all(|(oid, _)| oid[11..] != mac_arcs(HERE)));
    let vlans = walk(&state, &[1, 3, 6, 1, 2, 1, 17, 7, 1, 2, 2, 1, 2]);
    assert_eq!(vlans.iter().filter(|(oid, _)| oid[13] == 100).count(), 1);
    assert_eq!(vlans.len(), rows.len());
}

#[test]
fn alarms_are_rows_with_a_log_behind_them() {
    let state = device(GhnSubtree::Absent);
    let conditions = walk(&state, vendor!(145, 1, 3, 1, 1, 5));
    // Endpoint 3 is missing since the start; endpoint 2 came back on another port.
    let seen: Vec<(u32, Value)> = conditions.into_iter().map(|(oid, value)| (oid[14], value)).collect();
    assert_eq!(seen, [(3, Value::Integer(13)), (4, Value::Integer(14))]);
    let time = value(&state, vendor!(145, 1, 3, 1, 1, 12, 4)).unwrap();
    assert_eq!(time, Value::OctetString(vec![0x07, 0xb2, 1, 1, 1, 0, 0, 0].into()));
    let events = walk(&state, vendor!(145, 1, 3, 2, 1, 10));
    let events: Vec<Value> = events.into_iter().map(|(_, value)| value).collect();
    // Three raised at the start, one cleared when it came; the other was cleared and raised anew.
    assert_eq!(events, [0, 0, 0, 1, 1, 0].map(Value::Integer));
}

#[test]
fn serial_numbers_tell_a_re_created_object_from_the_one_before() {
    let mut state = device(GhnSubtree::Present);
    let uid = |state: &State| value(state, vendor!(143, 1, 2, 40, 1, 20, 5)).unwrap();
    let before = uid(&state);
    let mut shell = crate::sim::shell::Shell::for_loading();
    for line in ["no ghn subscriber 5", "ghn subscriber 5 name x"] {
        assert_eq!(shell.execute(line, &mut state, UPTIME).output, "");
        state.settle(UPTIME);
    }
    assert_ne!(uid(&state), before);
    state.boot();
    assert_eq!(uid(&state), before);
}
