//! Endpoints as hardware: the models that exist, and what one has that is connected and powered.

use std::time::Duration;

use crate::domain::Medium;

use super::line::Traffic;

/// A model of endpoint, of those that the MIB lists and the vendor's documents show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum EndpointModel {
    /// Copper, two Ethernet ports.
    #[serde(rename = "G1000-M")]
    G1000M,
    /// Coax, two Ethernet ports.
    #[serde(rename = "G1000-C")]
    G1000C,
    /// Copper, one Ethernet port.
    #[serde(rename = "G1001-M")]
    G1001M,
    /// Coax, one Ethernet port.
    #[serde(rename = "G1001-C")]
    G1001C,
    /// Copper, two Ethernet ports, PoE on the first.
    #[serde(rename = "G1002-M+")]
    G1002MPlus,
    /// Coax, two Ethernet ports, PoE on the first.
    #[serde(rename = "G1002-C+")]
    G1002CPlus,
    /// One that the device does not know: raises the alarm HWMISMAT.
    #[serde(rename = "unknown")]
    Unknown,
}

impl EndpointModel {
    /// What is plugged in when nobody says.
    pub(super) const fn usual(medium: Medium) -> Self {
        match medium {
            Medium::Coax => Self::G1001C,
            Medium::Copper => Self::G1001M,
        }
    }

    /// The name in displays.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::G1000M => "G1000-M",
            Self::G1000C => "G1000-C",
            Self::G1001M => "G1001-M",
            Self::G1001C => "G1001-C",
            Self::G1002MPlus => "G1002-M+",
            Self::G1002CPlus => "G1002-C+",
            Self::Unknown => "Unknown",
        }
    }

    /// The number in the MIB's list of endpoint models.
    pub(super) const fn number(self) -> u8 {
        match self {
            Self::G1000M => 1,
            Self::G1000C => 2,
            Self::G1001M => 3,
            Self::G1001C => 4,
            Self::G1002MPlus => 17,
            Self::G1002CPlus => 15,
            Self::Unknown => 255,
        }
    }

    /// How many Ethernet ports it has.
    pub(super) const fn ethernet_ports(self) -> u32 {
        match self {
            Self::G1001M | Self::G1001C | Self::Unknown => 1,
            _ => 2,
        }
    }

    /// Whether its first Ethernet port can feed power (VLAN guide, troubleshooting guide).
    pub(super) const fn has_poe(self) -> bool {
        matches!(self, Self::G1002MPlus | Self::G1002CPlus)
    }

    /// Whether the device knows it.
    pub(super) fn is_known(self) -> bool {
        self != Self::Unknown
    }

    /// The firmware string, in the form of the guides' screenshots.
    pub(super) fn firmware(self, revision: u32) -> String {
        let (name, place) = match self {
            Self::G1000M => ("G1000M", "GNT-GNOW"),
            Self::G1000C => ("G1000C", "CPE-P2MP"),
            Self::G1001M => ("G1001M", "GNT-GNOW"),
            Self::G1001C => ("G1001C", "CPE-P2MP"),
            Self::G1002MPlus => ("G1002MP", "GNT-GNOW"),
            Self::G1002CPlus => ("G1002CP", "CPE-P2MP"),
            Self::Unknown => return format!("unknown_positron_{revision}"),
        };
        format!("{name}-{place} SPIRIT.v7_10_r713+7_positron_{revision}")
    }
}

/// An endpoint that is connected and powered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Plug {
    /// The G.hn port.
    pub(super) port: u16,
    /// The device's uptime when it came.
    pub(super) since: Duration,
    /// The device's uptime when its counters began.
    pub(super) counted_since: Duration,
    /// What it is.
    pub(super) model: EndpointModel,
}

impl Plug {
    /// Its counters.
    pub(super) fn traffic(&self, uptime: Duration) -> Traffic {
        Traffic::in_seconds(uptime.as_secs().saturating_sub(self.counted_since.as_secs()))
    }
}

/// A configured endpoint against what is seen, numbered as in the MIB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    /// Configured, not seen.
    NotDetected = 0,
    /// Seen where it belongs.
    Ok = 1,
    /// Seen on a port that is not its own: quarantined. That this is also what becomes of one without a port
    /// is assumed.
    WrongPort = 2,
    /// Seen, not configured: quarantined.
    Unknown = 3,
}
