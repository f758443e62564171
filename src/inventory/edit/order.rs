//! Where in a map a new key goes: where its fellows say.

use std::cmp::Ordering;

use super::super::decode::{Field, Shape};
use super::super::raw::{
    RawDefaults, RawDevice, RawDoubleTag, RawEndpoint, RawExternal, RawFile, RawHistory, RawHold, RawPlan, RawPolicies,
    RawPort, RawSite, RawSpareEndpoint, RawSubscriber, RawTransport, RawWindow,
};

/// Before which of the keys that a map has, in their order, a new one is put; behind all of them is their number.
///
/// Settings stand as they do in the tables of the format. The operator's own keys stay sorted if they are.
pub(super) fn position(map: &[String], key: &str, present: &[&str]) -> usize {
    match settings(map) {
        Some(settings) => {
            let rank = |key: &str| settings.iter().position(|field| field.name == key);
            let before = |other: &&str| rank(other) < rank(key);
            present.iter().rposition(before).map_or(0, |before| before + 1)
        }
        None => among(present).map_or(present.len(), |order| {
            present.partition_point(|other| order(other, key).is_lt())
        }),
    }
}

/// The order in which the operator's own keys stand; `None` where they are not sorted.
pub(super) fn among(present: &[&str]) -> Option<fn(&str, &str) -> Ordering> {
    let orders: [fn(&str, &str) -> Ordering; 2] = [natural, str::cmp];
    (orders.into_iter()).find(|order| present.is_sorted_by(|one, other| order(one, other).is_lt()))
}

/// The settings that the map at a path may have; `None` where its keys are the operator's own.
fn settings(map: &[String]) -> Option<&'static [Field]> {
    let map: Vec<&str> = map.iter().map(String::as_str).collect();
    Some(match map.as_slice() {
        [] => RawFile::FIELDS,
        ["defaults"] => RawDefaults::FIELDS,
        ["policies"] => RawPolicies::FIELDS,
        ["policies", "history"] => RawHistory::FIELDS,
        ["windows", _] => RawWindow::FIELDS,
        ["sites", _] => RawSite::FIELDS,
        ["devices", _] => RawDevice::FIELDS,
        ["devices", _, "transport"] | ["defaults", "transport"] => RawTransport::FIELDS,
        ["devices", _, "ports", _] => RawPort::FIELDS,
        ["devices", _, "endpoints", _] => RawSpareEndpoint::FIELDS,
        ["plans", _] => RawPlan::FIELDS,
        ["subscribers", _] => RawSubscriber::FIELDS,
        ["subscribers", _, "endpoint"] => RawEndpoint::FIELDS,
        ["subscribers", _, "hold"] => RawHold::FIELDS,
        ["subscribers", _, "double_tag"] => RawDoubleTag::FIELDS,
        [_, _, "external"] => RawExternal::FIELDS,
        _ => return None,
    })
}

/// As people sort: numbers within the keys by their size, `s-9` before `s-10`.
fn natural(one: &str, other: &str) -> Ordering {
    let (mut one, mut other) = (one, other);
    loop {
        let ordering = match (digits(one), digits(other)) {
            (0, _) | (_, 0) => match (one.chars().next(), other.chars().next()) {
                (Some(left), Some(right)) if left == right => {
                    (one, other) = (&one[left.len_utf8()..], &other[right.len_utf8()..]);
                    continue;
                }
                (left, right) => return left.cmp(&right),
            },
            (left, right) => {
                let (left, right) = (one.split_at(left), other.split_at(right));
                (one, other) = (left.1, right.1);
                let value = |digits: &str| digits.trim_start_matches('0').len();
                (value(left.0), left.0.trim_start_matches('0'), left.0.len()).cmp(&(
                    value(right.0),
                    right.0.trim_start_matches('0'),
                    right.0.len(),
                ))
            }
        };
        if ordering.is_ne() {
            return ordering;
        }
    }
}

/// How many digits a text begins with.
fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(map: &[&str], key: &str, present: &[&str]) -> usize {
        let map: Vec<String> = map.iter().map(ToString::to_string).collect();
        position(&map, key, present)
    }

    #[test]
    fn settings_stand_in_the_order_of_the_format() {
        let subscriber = ["subscribers", "s-1"];
        assert_eq!(at(&subscriber, "plan", &["device", "endpoint", "port", "vlan"]), 3);
        assert_eq!(at(&subscriber, "name", &["device", "plan"]), 0);
        assert_eq!(at(&subscriber, "poe", &["device", "plan", "vlan"]), 3);
        // Where they do not stand so, behind the last that would be before it.
        assert_eq!(at(&subscriber, "port", &["plan", "device", "vlan"]), 2);
    }

    #[test]
    fn the_operator_s_keys_stay_sorted_where_they_are() {
        let map = ["subscribers"];
        assert_eq!(at(&map, "s-10", &["s-8", "s-9", "s-11"]), 2);
        assert_eq!(at(&map, "s-1", &["s-8", "s-9"]), 0);
        assert_eq!(at(&map, "s-9a", &["s-10", "s-11", "s-9"]), 3, "sorted as texts");
        assert_eq!(at(&map, "s-100", &["s-10", "s-11", "s-9"]), 1, "sorted as texts");
        assert_eq!(at(&map, "a", &["s-9", "b", "s-1"]), 3, "not sorted");
        assert_eq!(at(&["devices", "a", "ports"], "10", &["2", "9", "12"]), 2);
    }

    #[test]
    fn keys_that_differ_are_never_equal_in_the_natural_order() {
        for (one, other) in [("s-01", "s-1"), ("a", "a1"), ("a1", "ab"), ("1", "a"), ("é", "e")] {
            assert!(natural(one, other).is_ne(), "{one} {other}");
            assert_eq!(natural(one, other), natural(other, one).reverse());
        }
    }
}
