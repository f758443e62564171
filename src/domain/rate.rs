//! Rates of bandwidth profiles.

use std::fmt;

/// A rate in whole megabits per second, the only unit a GAM's bandwidth profiles know.
///
/// The CLI guide's examples in Kbps are left over from firmware before 1.2 (MIB range 10 to 1999, web
/// page and JSON-RPC guide: Mbps). 0 means "not limited in that direction" and is known to the CLI only.
/// What may be *asked for* (10 to 1000, or to 1999 by setting) is a rule of the inventory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mbps(u32);

/// The rate cannot be said in whole Mbps within what the device's number can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} Mbps is outside 0 to 1000000")]
pub struct InvalidMbps(pub u64);

impl Mbps {
    /// The lowest rate that the device takes (MIB: 10 to 1999).
    pub const MIN: Self = Self(10);
    /// The highest rate that every source agrees on (JSON-RPC guide, copper).
    pub const MAX: Self = Self(1000);
    /// The highest rate that coax is documented to limit; above it the vendor says to use no profile.
    pub const MAX_COAX: Self = Self(800);
    /// The highest rate that the MIB admits, used only where the inventory's policy allows it.
    pub const MAX_BY_MIB: Self = Self(1999);

    /// The number of megabits per second.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl TryFrom<u64> for Mbps {
    type Error = InvalidMbps;

    fn try_from(value: u64) -> Result<Self, Self::Error> {
        match u32::try_from(value) {
            Ok(raw) if raw <= 1_000_000 => Ok(Self(raw)),
            _ => Err(InvalidMbps(value)),
        }
    }
}

impl fmt::Display for Mbps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} Mbps", self.0)
    }
}

impl serde::Serialize for Mbps {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(self.0)
    }
}

impl<'de> serde::Deserialize<'de> for Mbps {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::try_from(u64::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
