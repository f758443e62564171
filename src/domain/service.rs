//! The values of ports and services that inventory and device share.

use std::fmt;

use super::PortNumber;

/// The line mode of a G.hn port.
///
/// The CLI can say `mimo` and `siso` only, on copper; a coax port has one mode and the word is not sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PortMode {
    /// What the model starts with: MIMO (two pairs, 100 MHz each) on copper, coax on coax.
    #[default]
    ModelDefault,
    /// One pair, 200 MHz. Copper only.
    Siso,
}

/// Where a configured endpoint belongs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PortBinding {
    /// On no port: it carries no service wherever it appears.
    #[default]
    Unassigned,
    /// On the first port where it is seen. The device then most likely replaces `auto` by that port's
    /// number, so *desired* `auto` and *observed* port 4 are no difference.
    Auto,
    /// On this port; seen elsewhere it is quarantined.
    Port(PortNumber),
}

impl fmt::Display for PortBinding {
    /// The word that the command line uses: a number, `auto` or `unassigned`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unassigned => f.write_str("unassigned"),
            Self::Auto => f.write_str("auto"),
            Self::Port(port) => port.fmt(f),
        }
    }
}

/// Power over the endpoint's first Ethernet port, on endpoint models that can feed it.
///
/// `disable` was seen on hardware (firmware 1.5.4); the other two words are taken from the MIB's enum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PoeMode {
    /// Feeds nothing.
    Disable,
    /// Feeds what the source allows.
    Enable,
    /// Gives 802.3at though the source is 802.3af.
    Force,
}

impl fmt::Display for PoeMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Disable => "disable",
            Self::Enable => "enable",
            Self::Force => "force",
        })
    }
}

/// What a subscriber is tied to on a device (MIB; JSON-RPC guide). Chosen once, at installation: changing it
/// rewrites configuration on the device, so gamops never does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SubscriberModel {
    /// To an endpoint, which is tied to a port. The factory setting, and the only one on coax.
    #[default]
    EndpointAware,
    /// To a port: whichever endpoint appears there gets the service. Copper, firmware 1.4 and later.
    PortAware,
}

impl fmt::Display for SubscriberModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EndpointAware => "endpoint-aware",
            Self::PortAware => "port-aware",
        })
    }
}

/// A second VLAN tag around a subscriber's own, towards the network.
///
/// In the MIB and the JSON-RPC guide; its CLI words are assumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct DoubleTag {
    /// Outer (service) VLAN.
    pub outer_vlan: super::VlanId,
    /// Uplink that it leaves through; `None`: the device's default uplink.
    pub uplink: Option<super::UplinkNumber>,
}
