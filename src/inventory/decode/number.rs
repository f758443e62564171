//! Numbers and addresses: MACs, VLANs, ids, ports.

use serde_json::{Value as Json, json};

use crate::domain::{EndpointId, MacAddr, PortNumber, ServiceLimitLevel, SubscriberId, UplinkNumber, VlanId};
use crate::inventory::document::Node;
use crate::inventory::findings::Loc;
use crate::inventory::rules;

use super::guard::GuardCount;
use super::plain::{Plain, classify};
use super::scalar::{integer, single};
use super::{Context, Decode};

impl Decode for MacAddr {
    fn decode(node: &Node<'_>, context: &mut Context<'_>) -> Option<Self> {
        let (text, plain) = single(node, context, "a MAC address")?;
        let (at, field) = (context.at(node.span), &context.field);
        match text.parse() {
            Ok(mac) => {
                // `52:54:00:12:34:56` and the like: digits below 60 only.
                if plain && classify(text) == Plain::OldNumber {
                    context
                        .findings
                        .add(
                            &rules::YAML_NUMBER,
                            at,
                            format!("`{field}: {text}` is a number in base 60 to some YAML readers"),
                        )
                        .help(format!("write it in quotes: \"{text}\""));
                }
                Some(mac)
            }
            Err(_) => {
                let number = plain && matches!(classify(text), Plain::Integer | Plain::OddNumber | Plain::OldNumber);
                let message = if number {
                    format!("`{field}` is `{text}`, which YAML reads as a number, not as a MAC address")
                } else {
                    format!("`{field}` is `{}`, which is not a MAC address", text.escape_debug())
                };
                let help = match respelled(text) {
                    Some(mac) => format!("write it as {mac}"),
                    None => "write six pairs of hex digits, such as 00:0e:d8:1c:95:08".to_owned(),
                };
                context.findings.add(&rules::INVALID_MAC, at, message).help(help);
                None
            }
        }
    }

    fn schema() -> Json {
        json!({
            "type": "string",
            "pattern": "^([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}$|^([0-9A-Fa-f]{2}-){5}[0-9A-Fa-f]{2}$",
            "examples": ["00:0e:d8:1c:95:08"],
        })
    }
}

/// The address that a text with other separators spells.
fn respelled(text: &str) -> Option<MacAddr> {
    let digits: String = text
        .chars()
        .filter(|char| !matches!(char, ':' | '-' | '.' | ' '))
        .collect();
    if digits.len() != 12 || !digits.is_ascii() {
        return None;
    }
    let pairs: Vec<&str> = (0..6).filter_map(|pair| digits.get(pair * 2..pair * 2 + 2)).collect();
    pairs.join(":").parse().ok()
}

impl Decode for VlanId {
    /// A VLAN that a subscriber's service may use.
    fn decode(node: &Node<'_>, context: &mut Context<'_>) -> Option<Self> {
        let raw = integer(node, context, "a VLAN number from 3 to 4093")?;
        let at = context.at(node.span);
        service_vlan(raw, at, context)
    }

    fn schema() -> Json {
        json!({ "type": "integer", "minimum": 3, "maximum": 4093, "not": { "type": "integer", "minimum": 3840, "maximum": 3844 } })
    }
}

/// A number as a VLAN that service may use; otherwise a finding at `at`.
fn service_vlan(raw: u64, at: Loc, context: &mut Context<'_>) -> Option<VlanId> {
    let Some(vlan) = u16::try_from(raw).ok().and_then(|raw| VlanId::try_from(raw).ok()) else {
        let message = format!(
            "`{}`: there is no VLAN {raw}; they are numbered 1 to 4094",
            context.field
        );
        context
            .findings
            .add(&rules::VLAN_RANGE, at, message)
            .help("a subscriber may use 3 to 4093");
        return None;
    };
    if vlan.is_usable_for_service() {
        return Some(vlan);
    }
    let why = match raw {
        1 => "is the management VLAN",
        2 => "is how the device reaches its endpoints",
        4094 => "is the device's captive portal, where nothing is served",
        _ => "is reserved by the device (3840 to 3844)",
    };
    let message = format!("`{}`: VLAN {raw} {why}", context.field);
    context
        .findings
        .add(&rules::VLAN_RESERVED, at, message)
        .help("use 3 to 3839 or 3845 to 4093");
    None
}

macro_rules! number_kind {
    ($kind:ty, $min:expr, $max:expr, $what:literal) => {
        impl Decode for $kind {
            fn decode(node: &Node<'_>, context: &mut Context<'_>) -> Option<Self> {
                ranged(node, context, $what, u64::from($min), u64::from($max))
            }

            fn schema() -> Json {
                json!({ "type": "integer", "minimum": $min, "maximum": $max })
            }
        }
    };
}

/// A number within a range, as the type that holds it.
fn ranged<T: TryFrom<u64>>(node: &Node<'_>, context: &mut Context<'_>, what: &str, min: u64, max: u64) -> Option<T> {
    let wanted = if min == max {
        format!("{what}: {min}")
    } else {
        format!("{what} from {min} to {max}")
    };
    let raw = integer(node, context, &wanted)?;
    if (min..=max).contains(&raw)
        && let Ok(value) = T::try_from(raw)
    {
        return Some(value);
    }
    let (at, field) = (context.at(node.span), &context.field);
    context.findings.add(
        &rules::OUT_OF_RANGE,
        at,
        format!("`{field}` is {raw}; it needs {wanted}"),
    );
    None
}

/// A TCP or UDP port.
#[derive(Debug, Clone, Copy)]
pub(in crate::inventory) struct TcpPort(pub(in crate::inventory) u16);

impl TryFrom<u64> for TcpPort {
    type Error = std::num::TryFromIntError;

    fn try_from(raw: u64) -> Result<Self, Self::Error> {
        u16::try_from(raw).map(Self)
    }
}

/// A number of days.
#[derive(Debug, Clone, Copy)]
pub(in crate::inventory) struct KeepDays(pub(in crate::inventory) u16);

impl TryFrom<u64> for KeepDays {
    type Error = std::num::TryFromIntError;

    fn try_from(raw: u64) -> Result<Self, Self::Error> {
        u16::try_from(raw).map(Self)
    }
}

/// A number of runs.
#[derive(Debug, Clone, Copy)]
pub(in crate::inventory) struct RunCount(pub(in crate::inventory) u32);

impl TryFrom<u64> for RunCount {
    type Error = std::num::TryFromIntError;

    fn try_from(raw: u64) -> Result<Self, Self::Error> {
        u32::try_from(raw).map(Self)
    }
}

/// The version of the inventory's format. There is one so far.
#[derive(Debug, Clone, Copy)]
pub(in crate::inventory) struct FormatVersion;

impl From<u64> for FormatVersion {
    fn from(_: u64) -> Self {
        Self
    }
}

number_kind!(EndpointId, EndpointId::MIN, EndpointId::MAX, "an endpoint number");
number_kind!(
    SubscriberId,
    SubscriberId::MIN,
    SubscriberId::MAX,
    "a subscriber number"
);
number_kind!(PortNumber, PortNumber::MIN, PortNumber::MAX, "a G.hn port number");
number_kind!(KeepDays, 1_u16, 36_500_u16, "a number of days");
number_kind!(RunCount, 1_u32, 1_000_000_u32, "a number of runs");
number_kind!(TcpPort, 1_u16, u16::MAX, "a port number");
number_kind!(UplinkNumber, UplinkNumber::MIN, UplinkNumber::MAX, "an uplink number");
number_kind!(
    ServiceLimitLevel,
    ServiceLimitLevel::MIN,
    ServiceLimitLevel::MAX,
    "a service limit level"
);
number_kind!(GuardCount, 0_u32, 1_000_000_u32, "a number of objects");
number_kind!(FormatVersion, 1_u16, 1_u16, "the format version of this release");
