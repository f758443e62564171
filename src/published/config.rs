//! A device's configuration: what gamops manages, and what decides which VLANs pass its uplinks.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::dialect::running::oddities;
use crate::domain::{
    EndpointId, MacAddr, Mbps, PoeMode, PortBinding, PortMode, PortNumber, ProfileId, ServiceLimitLevel, SubscriberId,
    SubscriberModel, UplinkNumber, VlanId, VlanSet, vlan_ranges,
};
use crate::observed::{self, DeviceConfig, ProfileRef, RunningConfig};

use super::InvalidDocument;

/// The section of an uplink in a configuration.
const UPLINK: &str = "interface 10GigabitEthernet 1/";

/// A configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    /// What its subscribers are tied to: `endpoint-aware` or `port-aware`.
    #[schemars(with = "String")]
    subscriber_model: SubscriberModel,
    /// Host name; empty where there is none.
    hostname: String,
    /// Ports that are not as the factory set them, by number.
    #[schemars(with = "BTreeMap<String, Port>")]
    ports: BTreeMap<PortNumber, Port>,
    /// Bandwidth profiles by number.
    #[schemars(with = "BTreeMap<String, Profile>")]
    profiles: BTreeMap<ProfileId, Profile>,
    /// Endpoints by number.
    #[schemars(with = "BTreeMap<String, Endpoint>")]
    endpoints: BTreeMap<EndpointId, Endpoint>,
    /// Subscribers by number.
    #[schemars(with = "BTreeMap<String, Subscriber>")]
    subscribers: BTreeMap<SubscriberId, Subscriber>,
    /// The lines about the VLANs of each uplink, and whether it is shut down.
    #[schemars(with = "BTreeMap<String, Vec<String>>")]
    uplinks: BTreeMap<UplinkNumber, Vec<String>>,
    /// How many remarks on the reading are not published, because they quote lines.
    #[serde(default, skip_serializing_if = "is_zero")]
    unpublished_remarks: u32,
    /// Whether lines that are not published differ from those of the running configuration.
    #[serde(default, skip_serializing_if = "is_false")]
    unpublished_lines_differ: bool,
}

/// A G.hn port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Port {
    /// `modeldefault` or `siso`.
    #[schemars(with = "String")]
    mode: PortMode,
    name: String,
    shutdown: bool,
    /// How many words of its line gamops does not know.
    #[serde(default, skip_serializing_if = "is_zero")]
    unknown_words: u32,
}

/// A bandwidth profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Profile {
    name: String,
    description: String,
    /// Towards the subscriber, in Mbit/s.
    #[schemars(with = "Option<u32>")]
    down: Option<Mbps>,
    /// From the subscriber, in Mbit/s.
    #[schemars(with = "Option<u32>")]
    up: Option<Mbps>,
    #[schemars(with = "Option<u16>")]
    service_limit_level: Option<ServiceLimitLevel>,
    /// How many words of its line gamops does not know.
    #[serde(default, skip_serializing_if = "is_zero")]
    unknown_words: u32,
}

/// An endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Endpoint {
    name: String,
    #[schemars(with = "Option<String>")]
    mac: Option<MacAddr>,
    description: String,
    /// A port's number, `auto` or `unassigned`.
    #[serde(with = "binding")]
    #[schemars(with = "String")]
    port: PortBinding,
    management_access: bool,
    /// How many words of its line gamops does not know.
    #[serde(default, skip_serializing_if = "is_zero")]
    unknown_words: u32,
}

/// A subscriber.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Subscriber {
    /// Also its DHCP option 82 and PPPoE remote id.
    name: String,
    description: String,
    #[schemars(with = "Option<u16>")]
    endpoint: Option<EndpointId>,
    #[schemars(with = "Option<u16>")]
    port: Option<PortNumber>,
    #[schemars(with = "u16")]
    vlan: VlanId,
    tagged: bool,
    #[schemars(with = "Option<u16>")]
    remapped_vlan: Option<VlanId>,
    /// A profile's number or `unthrottled`; null where the device does not say.
    #[serde(with = "profile")]
    #[schemars(with = "Option<String>")]
    profile: Option<ProfileRef>,
    /// Numbers and ranges, `1000,2000-2003`.
    #[schemars(with = "String")]
    allowed_vlans: VlanSet,
    #[schemars(with = "Option<u16>")]
    port2_vlan: Option<VlanId>,
    trunk: bool,
    double_tag: Option<DoubleTag>,
    /// `disable`, `enable` or `force`; null where the device does not say.
    #[schemars(with = "Option<String>")]
    poe: Option<PoeMode>,
    /// How many words of its line gamops does not know.
    #[serde(default, skip_serializing_if = "is_zero")]
    unknown_words: u32,
}

/// A second tag towards the network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DoubleTag {
    #[schemars(with = "u16")]
    outer_vlan: VlanId,
    #[schemars(with = "Option<u16>")]
    uplink: Option<UplinkNumber>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_false(value: &bool) -> bool {
    !*value
}

impl Config {
    /// A running configuration.
    pub(super) fn of(config: &RunningConfig) -> Self {
        let managed = &config.managed;
        let own = oddities(managed);
        let remarks = config.warnings.iter().filter(|warning| !own.contains(warning)).count();
        Self {
            subscriber_model: managed.subscriber_model,
            hostname: managed.hostname.clone(),
            ports: each(&managed.ports),
            profiles: each(&managed.profiles),
            endpoints: each(&managed.endpoints),
            subscribers: each(&managed.subscribers),
            uplinks: uplinks(&config.other),
            unpublished_remarks: u32::try_from(remarks).unwrap_or(u32::MAX),
            unpublished_lines_differ: false,
        }
    }

    /// Another configuration than the running one. That it is another shows, also where nothing of what differs is published: words
    /// that are not known are told by their number alone.
    pub(super) fn beside(config: &RunningConfig, running: &RunningConfig) -> Self {
        let lines = config.other != running.other;
        let (config, running) = (Self::of(config), Self::of(running));
        Self {
            unpublished_lines_differ: lines && config.uplinks == running.uplinks || config == running,
            ..config
        }
    }

    /// The configuration again.
    pub(super) fn running(&self) -> Result<RunningConfig, InvalidDocument> {
        let managed = DeviceConfig {
            subscriber_model: self.subscriber_model,
            hostname: self.hostname.clone(),
            ports: each(&self.ports),
            profiles: each(&self.profiles),
            endpoints: each(&self.endpoints),
            subscribers: each(&self.subscribers),
        };
        let mut other = Vec::new();
        for (number, lines) in &self.uplinks {
            other.push(format!("{UPLINK}{number}"));
            for line in lines {
                let line = about_vlans(line).ok_or_else(|| {
                    InvalidDocument::Setting(format!("`{line}` is no line about the VLANs of an uplink"))
                })?;
                other.push(format!(" {line}"));
            }
        }
        other.extend((self.unpublished_lines_differ).then(|| "(lines that are not published differ)".to_owned()));
        let mut warnings = oddities(&managed);
        let remarks = self.unpublished_remarks;
        warnings.extend((remarks > 0).then(|| format!("{remarks} remarks on its configuration are not published")));
        Ok(RunningConfig {
            managed: Arc::new(managed),
            other,
            warnings,
        })
    }
}

/// Each object in its other form.
fn each<K: Ord + Copy, A, B: for<'a> From<&'a A>>(objects: &BTreeMap<K, A>) -> BTreeMap<K, B> {
    objects.iter().map(|(id, object)| (*id, object.into())).collect()
}

/// The lines about VLANs in the sections of uplinks.
fn uplinks(other: &[String]) -> BTreeMap<UplinkNumber, Vec<String>> {
    let mut uplinks: BTreeMap<UplinkNumber, Vec<String>> = BTreeMap::new();
    let mut section = None;
    for line in other {
        if !line.starts_with(' ') {
            let number = line
                .strip_prefix(UPLINK)
                .and_then(|number| number.trim().parse::<u64>().ok());
            section = number.and_then(|number| number.try_into().ok());
        } else if let Some(number) = section
            && let Some(line) = about_vlans(line)
        {
            uplinks.entry(number).or_default().push(line);
        }
    }
    uplinks
}

/// A line of an uplink's section, where it is about its VLANs or shuts it down: these words and numbers, and nothing else.
fn about_vlans(line: &str) -> Option<String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let is_list = |list: &str| vlan_ranges(list).is_ok();
    let fits = match words.as_slice() {
        ["shutdown"] | ["no", "shutdown"] | ["switchport", "mode", "access" | "hybrid" | "trunk"] => true,
        ["switchport", "access", "vlan", vlan] => vlan.parse::<u16>().is_ok(),
        ["switchport", "trunk" | "hybrid", "allowed", "vlan", "all" | "none"] => true,
        [
            "switchport",
            "trunk" | "hybrid",
            "allowed",
            "vlan",
            "add" | "remove" | "except",
            list,
        ]
        | ["switchport", "trunk" | "hybrid", "allowed", "vlan", list] => is_list(list),
        _ => false,
    };
    fits.then(|| words.join(" "))
}

fn count(words: &[String]) -> u32 {
    u32::try_from(words.len()).unwrap_or(u32::MAX)
}

/// Words that are not known, as many as there were.
fn unknown(count: u32) -> Vec<String> {
    // More than a line can have would be somebody's invention.
    vec!["?".to_owned(); count.min(256) as usize]
}

impl From<&observed::Port> for Port {
    fn from(port: &observed::Port) -> Self {
        Self {
            mode: port.mode,
            name: port.name.clone(),
            shutdown: port.shutdown,
            unknown_words: count(&port.unknown),
        }
    }
}

impl From<&Port> for observed::Port {
    fn from(port: &Port) -> Self {
        Self {
            mode: port.mode,
            name: port.name.clone(),
            shutdown: port.shutdown,
            unknown: unknown(port.unknown_words),
        }
    }
}

impl From<&observed::Profile> for Profile {
    fn from(profile: &observed::Profile) -> Self {
        Self {
            name: profile.name.clone(),
            description: profile.description.clone(),
            down: profile.down,
            up: profile.up,
            service_limit_level: profile.service_limit_level,
            unknown_words: count(&profile.unknown),
        }
    }
}

impl From<&Profile> for observed::Profile {
    fn from(profile: &Profile) -> Self {
        Self {
            name: profile.name.clone(),
            description: profile.description.clone(),
            down: profile.down,
            up: profile.up,
            service_limit_level: profile.service_limit_level,
            unknown: unknown(profile.unknown_words),
        }
    }
}

impl From<&observed::Endpoint> for Endpoint {
    fn from(endpoint: &observed::Endpoint) -> Self {
        Self {
            name: endpoint.name.clone(),
            mac: endpoint.mac,
            description: endpoint.description.clone(),
            port: endpoint.port,
            management_access: endpoint.management_access,
            unknown_words: count(&endpoint.unknown),
        }
    }
}

impl From<&Endpoint> for observed::Endpoint {
    fn from(endpoint: &Endpoint) -> Self {
        Self {
            name: endpoint.name.clone(),
            mac: endpoint.mac,
            description: endpoint.description.clone(),
            port: endpoint.port,
            management_access: endpoint.management_access,
            unknown: unknown(endpoint.unknown_words),
        }
    }
}

impl From<&observed::Subscriber> for Subscriber {
    fn from(subscriber: &observed::Subscriber) -> Self {
        Self {
            name: subscriber.name.clone(),
            description: subscriber.description.clone(),
            endpoint: subscriber.endpoint,
            port: subscriber.port,
            vlan: subscriber.vlan,
            tagged: subscriber.tagged,
            remapped_vlan: subscriber.remapped_vlan,
            profile: subscriber.profile,
            allowed_vlans: subscriber.allowed_vlans.clone(),
            port2_vlan: subscriber.port2_vlan,
            trunk: subscriber.trunk,
            double_tag: subscriber.double_tag.map(|tag| DoubleTag {
                outer_vlan: tag.outer_vlan,
                uplink: tag.uplink,
            }),
            poe: subscriber.poe,
            unknown_words: count(&subscriber.unknown),
        }
    }
}

impl From<&Subscriber> for observed::Subscriber {
    fn from(subscriber: &Subscriber) -> Self {
        Self {
            name: subscriber.name.clone(),
            description: subscriber.description.clone(),
            endpoint: subscriber.endpoint,
            port: subscriber.port,
            vlan: subscriber.vlan,
            tagged: subscriber.tagged,
            remapped_vlan: subscriber.remapped_vlan,
            profile: subscriber.profile,
            allowed_vlans: subscriber.allowed_vlans.clone(),
            port2_vlan: subscriber.port2_vlan,
            trunk: subscriber.trunk,
            double_tag: subscriber.double_tag.as_ref().map(|tag| crate::domain::DoubleTag {
                outer_vlan: tag.outer_vlan,
                uplink: tag.uplink,
            }),
            poe: subscriber.poe,
            unknown: unknown(subscriber.unknown_words),
        }
    }
}

/// Where an endpoint belongs, as the command line writes it.
mod binding {
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    use crate::domain::PortBinding;

    pub(super) fn serialize<S: Serializer>(binding: &PortBinding, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(binding)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PortBinding, D::Error> {
        match String::deserialize(deserializer)?.as_str() {
            "unassigned" => Ok(PortBinding::Unassigned),
            "auto" => Ok(PortBinding::Auto),
            number => {
                let number: u64 = number.parse().map_err(D::Error::custom)?;
                Ok(PortBinding::Port(number.try_into().map_err(D::Error::custom)?))
            }
        }
    }
}

/// A subscriber's rate limit, as the command line writes it.
mod profile {
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    use crate::observed::ProfileRef;

    pub(super) fn serialize<S: Serializer>(profile: &Option<ProfileRef>, serializer: S) -> Result<S::Ok, S::Error> {
        profile.map(|profile| profile.to_string()).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<ProfileRef>, D::Error> {
        match Option::<String>::deserialize(deserializer)?.as_deref() {
            None => Ok(None),
            Some("unthrottled") => Ok(Some(ProfileRef::Unthrottled)),
            Some(number) => {
                let number: u64 = number.parse().map_err(D::Error::custom)?;
                Ok(Some(ProfileRef::Profile(number.try_into().map_err(D::Error::custom)?)))
            }
        }
    }
}
