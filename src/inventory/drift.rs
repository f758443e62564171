//! What becomes of drift: of changes on devices that were not made through the inventory.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::model::{Device, Inventory};

/// What is done about drift.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Then {
    /// It is left as it is, and shown. A commit that asks something else of the very field sets that right.
    #[default]
    Report,
    /// It is taken back.
    Revert,
    /// It is left as it is and shown, and put to people as an edit of the inventory, on a branch of its own.
    Adopt,
}

macro_rules! fields {
    ($( $(#[doc = $docs:literal])* $name:ident = $word:literal, $($shown:literal)|+; )*) => {
        /// A setting that can drift, by its name in the inventory. The same name on several kinds of objects is one field.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Field {
            $( $(#[doc = $docs])* $name, )*
        }

        impl Field {
            /// All of them.
            pub const ALL: &[Self] = &[$( Self::$name ),*];

            /// Its name in the inventory.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $( Self::$name => $word, )* }
            }

            /// What plans call it: [`crate::inventory`] knows no plans, but their readers look for these words.
            #[must_use]
            pub const fn shown(self) -> &'static [&'static str] {
                match self { $( Self::$name => &[$($shown),+], )* }
            }
        }
    };
}

fields! {
    /// A device's host name.
    Hostname = "hostname", "hostname";
    /// The name of a port, a profile, an endpoint or a subscriber.
    Name = "name", "name";
    /// The text of a profile, an endpoint or a subscriber.
    Description = "description", "description";
    /// A port's line mode.
    Mode = "mode", "mode";
    /// Whether a port is watched.
    Shutdown = "shutdown", "shutdown";
    /// A plan's rates.
    Rate = "rate", "down" | "up";
    /// Which traffic classes a plan limits.
    ServiceLimitLevel = "service_limit_level", "service limit level";
    /// Which endpoint serves a subscriber; an endpoint's address.
    Endpoint = "endpoint", "endpoint" | "mac";
    /// The port of an endpoint, or of a subscriber on a port-aware device.
    Port = "port", "port";
    /// Whether the subscriber's side reaches the management VLAN.
    ManagementAccess = "management_access", "management access";
    /// Service VLAN.
    Vlan = "vlan", "vlan";
    /// Whether the first port keeps the tag.
    Tagged = "tagged", "tagged";
    /// VLAN on the line.
    RemappedVlan = "remapped_vlan", "remapped vlan";
    /// What limits a subscriber.
    Plan = "plan", "profile";
    /// Further VLANs.
    AllowedVlans = "allowed_vlans", "allowed vlans";
    /// VLAN of the second port.
    Port2Vlan = "port2_vlan", "port 2 vlan";
    /// The first port as a trunk.
    Trunk = "trunk", "trunk";
    /// The second tag.
    DoubleTag = "double_tag", "outer vlan" | "uplink";
    /// Power over Ethernet.
    Poe = "poe", "poe";
}

impl Field {
    /// The field of that name.
    #[must_use]
    pub fn by_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|field| field.word() == word)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl Serialize for Field {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

/// What the inventory says of drift in one place: for the fleet, or for a device.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Drift {
    /// What is done about it. `None`: what the place above says.
    pub then: Option<Then>,
    /// The same for single fields.
    pub fields: BTreeMap<Field, Then>,
    /// Drift that does not count for a while.
    pub ignore: Vec<Ignore>,
}

/// Drift that does not count for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignore {
    /// On this device only.
    pub device: Option<String>,
    /// Of these objects only: an address with `*` for any text, with or without its device.
    pub object: Option<String>,
    /// Of this field only. `None`: of all, and the object may also be gone.
    pub field: Option<Field>,
    /// Why.
    pub reason: String,
    /// When it counts again.
    pub until: Until,
}

/// The end of something, as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// The first moment of a day.
    Day(Date),
    /// A moment.
    Moment(Timestamp),
}

impl Until {
    /// The moment, by the clocks of a zone.
    #[must_use]
    pub fn moment(self, zone: &TimeZone) -> Timestamp {
        match self {
            Self::Moment(moment) => moment,
            // A day that has no midnight begins when its clocks say so; one beyond all calendars never comes.
            Self::Day(day) => day
                .to_zoned(zone.clone())
                .map_or(Timestamp::MAX, |zoned| zoned.timestamp()),
        }
    }

    /// In words, with the zone where that matters.
    #[must_use]
    pub fn words(self, zone: &TimeZone) -> String {
        match self {
            Self::Day(day) => format!("{day} ({})", zone.iana_name().unwrap_or("UTC")),
            Self::Moment(moment) => format!("{moment:.0}"),
        }
    }
}

/// What is ignored on one device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ignored {
    /// Of these objects only: an address with `*` for any text, with or without its device.
    pub object: Option<String>,
    /// Of this field only. `None`: of all, and the object may also be gone.
    pub field: Option<Field>,
    /// Why.
    pub reason: String,
    /// When it counts again.
    #[serde(serialize_with = "as_text")]
    pub until: Timestamp,
    /// That moment as it is written, with its zone.
    pub ends: String,
}

fn as_text<S: serde::Serializer>(moment: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(moment)
}

impl Ignored {
    /// Whether it is about a field of an object, or with no field, about an object that is gone, at a moment.
    #[must_use]
    pub fn names(&self, address: &str, field: Option<Field>, now: Timestamp) -> bool {
        let on_device = address.split_once('/').map_or("", |(_, object)| object);
        let is_of = |pattern: &String| fits(pattern, address) || fits(pattern, on_device);
        now < self.until && self.object.as_ref().is_none_or(is_of) && self.field.is_none_or(|own| field == Some(own))
    }
}

/// What holds for drift on one device: its own words before those of the fleet, a field's before those for all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DesiredDrift {
    /// What is done about it. `None`: the inventory does not say.
    pub then: Option<Then>,
    /// The same for single fields.
    pub fields: BTreeMap<Field, Then>,
    /// What does not count for a while; also what has ended.
    pub ignored: Vec<Ignored>,
}

impl DesiredDrift {
    /// Whether the inventory says nothing.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        *self == Self::default()
    }

    /// What is done about a field, or about an object that is gone; `usual` where the inventory does not say.
    #[must_use]
    pub fn then(&self, field: Option<Field>, usual: Then) -> Then {
        let of_field = field.and_then(|field| self.fields.get(&field)).copied();
        of_field.or(self.then).unwrap_or(usual)
    }
}

/// What the inventory says of drift on a device.
pub(super) fn of_device(inventory: &Inventory, device: &Device) -> DesiredDrift {
    let (fleet, own) = (&inventory.policies.drift, &device.drift);
    let mut fields = fleet.fields.clone();
    fields.extend(&own.fields);
    let zone = zone(inventory, device);
    let ignored = |rule: &Ignore| Ignored {
        object: rule.object.clone(),
        field: rule.field,
        reason: rule.reason.clone(),
        until: rule.until.moment(&zone),
        ends: rule.until.words(&zone),
    };
    DesiredDrift {
        then: own.then.or(fleet.then),
        fields,
        ignored: rules(inventory, device).map(ignored).collect(),
    }
}

fn rules<'i>(inventory: &'i Inventory, device: &'i Device) -> impl Iterator<Item = &'i Ignore> {
    let of_fleet = (inventory.policies.drift.ignore.iter())
        .filter(|rule| rule.device.as_ref().is_none_or(|key| *key == device.key));
    device.drift.ignore.iter().chain(of_fleet)
}

/// The clocks that a day is read by on a device.
fn zone(inventory: &Inventory, device: &Device) -> TimeZone {
    let site = device.site.as_ref().and_then(|key| inventory.sites.get(key));
    site.and_then(|site| site.time_zone.clone()).unwrap_or(TimeZone::UTC)
}

/// The ignore rules that have ended on some device that they are about, in words: what they named counts again.
#[must_use]
pub fn lapsed(inventory: &Inventory, now: Timestamp) -> Vec<String> {
    let mut lapsed = Vec::new();
    for device in inventory.devices.values() {
        let zone = zone(inventory, device);
        for rule in rules(inventory, device).filter(|rule| rule.until.moment(&zone) <= now) {
            let of_one = rule.device.is_some() || device.drift.ignore.iter().any(|own| std::ptr::eq(own, rule));
            let words = format!(
                "the ignore rule for {} (\"{}\") ended on {}: take it out of the inventory; what it named is drift again",
                about(rule, of_one.then_some(device.key.as_str())),
                rule.reason,
                rule.until.words(&zone)
            );
            if !lapsed.contains(&words) {
                lapsed.push(words);
            }
        }
    }
    lapsed
}

/// `vlan of maple-a/subscriber/*`.
fn about(rule: &Ignore, device: Option<&str>) -> String {
    let whose = match (&rule.object, device) {
        (Some(object), Some(device)) if object.starts_with(&format!("{device}/")) => object.clone(),
        (Some(object), Some(device)) => format!("{device}/{object}"),
        (Some(object), None) => object.clone(),
        (None, Some(device)) => device.to_owned(),
        (None, None) => "every object".to_owned(),
    };
    match rule.field {
        Some(field) => format!("{field} of {whose}"),
        None => whose,
    }
}

/// Whether a text is as a pattern says, in which `*` stands for any text, also none and also with `/`.
fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else {
        return false;
    };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::window::zone;

    fn rule(object: Option<&str>, field: Option<Field>) -> Ignored {
        Ignored {
            object: object.map(str::to_owned),
            field,
            reason: "a test".to_owned(),
            until: "2026-12-01T00:00:00Z".parse().unwrap(),
            ends: String::new(),
        }
    }

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text, is_one) in [
            ("maple-a/subscriber/s-1", "maple-a/subscriber/s-1", true),
            ("maple-a/subscriber/s-1", "maple-a/subscriber/s-10", false),
            ("maple-a/subscriber/*", "maple-a/subscriber/s-10", true),
            ("*/port/*", "maple-a/port/3", true),
            ("*/port/*", "maple-a/subscriber/port", false),
            ("*", "anything", true),
            ("", "anything", false),
            ("*-1*0", "s-1/10", true),
            ("*-1*0", "s-1/1", false),
            ("a*a", "a", false),
        ] {
            assert_eq!(fits(pattern, text), is_one, "{pattern} and {text}");
        }
    }

    #[test]
    fn a_rule_names_an_object_with_or_without_its_device_until_its_end() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let (before, after) = (at("2026-11-30T23:59:59Z"), at("2026-12-01T00:00:00Z"));
        let address = "maple-a/subscriber/s-1";
        for object in [None, Some(address), Some("subscriber/s-1"), Some("subscriber/*")] {
            let rule = rule(object, Some(Field::Vlan));
            assert!(rule.names(address, Some(Field::Vlan), before), "{object:?}");
            assert!(!rule.names(address, Some(Field::Vlan), after), "{object:?}");
            assert!(!rule.names(address, Some(Field::Name), before), "{object:?}");
            // One field of an object is not the object.
            assert!(!rule.names(address, None, before), "{object:?}");
        }
        assert!(rule(None, None).names(address, None, before));
        assert!(!rule(Some("oak-b/subscriber/s-1"), None).names(address, None, before));
    }

    #[test]
    fn a_day_begins_by_the_clocks_of_the_zone() {
        let day = Until::Day("2026-12-01".parse().unwrap());
        let montreal = zone("America/Montreal").unwrap();
        assert_eq!(day.moment(&montreal).to_string(), "2026-12-01T05:00:00Z");
        assert_eq!(day.words(&montreal), "2026-12-01 (America/Montreal)");
        assert_eq!(day.moment(&TimeZone::UTC).to_string(), "2026-12-01T00:00:00Z");
        assert_eq!(day.words(&TimeZone::UTC), "2026-12-01 (UTC)");
    }

    #[test]
    fn a_field_goes_before_a_device_and_that_before_what_is_usual() {
        let mut drift = DesiredDrift::default();
        assert_eq!(drift.then(Some(Field::Vlan), Then::Revert), Then::Revert);
        drift.then = Some(Then::Report);
        assert_eq!(drift.then(Some(Field::Vlan), Then::Revert), Then::Report);
        drift.fields.insert(Field::Vlan, Then::Revert);
        assert_eq!(drift.then(Some(Field::Vlan), Then::Report), Then::Revert);
        assert_eq!(drift.then(Some(Field::Name), Then::Revert), Then::Report);
        assert_eq!(drift.then(None, Then::Revert), Then::Report);
    }
}
