//! The numbers by which a device tells its objects apart.

use std::fmt;

/// A number outside the range that the device accepts for this kind of object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{kind} {value} is outside {min} to {max}")]
pub struct IdOutOfRange {
    /// What the number was meant to name.
    pub kind: &'static str,
    /// The number as given.
    pub value: u64,
    /// The smallest that the device accepts.
    pub min: u16,
    /// The largest that the device accepts.
    pub max: u16,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $max:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u16);

        impl $name {
            /// The smallest number of this kind.
            pub const MIN: u16 = 1;
            /// The largest number of this kind.
            pub const MAX: u16 = $max;

            /// The number.
            #[must_use]
            pub const fn get(self) -> u16 {
                self.0
            }

            /// Every number of this kind, ascending.
            pub fn all() -> impl DoubleEndedIterator<Item = Self> {
                (Self::MIN..=Self::MAX).map(Self)
            }
        }

        impl TryFrom<u64> for $name {
            type Error = IdOutOfRange;

            fn try_from(value: u64) -> Result<Self, Self::Error> {
                match u16::try_from(value) {
                    Ok(raw) if (Self::MIN..=Self::MAX).contains(&raw) => Ok(Self(raw)),
                    _ => Err(IdOutOfRange { kind: $kind, value, min: Self::MIN, max: Self::MAX }),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_u16(self.0)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::try_from(u64::deserialize(deserializer)?).map_err(serde::de::Error::custom)
            }
        }
    };
}

id!(
    /// A G.hn port, `G.hn 1/n` on the command line: 1 to 24 on the largest model.
    ///
    /// Whether the device at hand has that many is a question to its [`super::Model`].
    PortNumber,
    "G.hn port",
    24
);
id!(
    /// A configured endpoint's number: 1 to 384 whatever the model (CLI guide; MIB).
    EndpointId,
    "endpoint id",
    384
);
id!(
    /// A subscriber's number: 1 to 384 whatever the model (CLI guide; MIB).
    SubscriberId,
    "subscriber id",
    384
);
id!(
    /// A bandwidth profile's number: 1 to 15, of which 1 belongs to the device (CLI guide).
    ProfileId,
    "bandwidth profile id",
    15
);

id!(
    /// A 10G uplink, `10GigabitEthernet 1/k` on the command line. Models have one or two.
    UplinkNumber,
    "uplink",
    2
);
id!(
    /// Which traffic classes a bandwidth profile limits on G1001-C endpoints (CLI guide: 1 to 4).
    ServiceLimitLevel,
    "service limit level",
    4
);

impl ProfileId {
    /// The automatic `Default BW Profile`, which gamops never creates, changes or deletes.
    pub const DEVICE_DEFAULT: Self = Self(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_closed() {
        assert!(ProfileId::try_from(0).is_err());
        assert_eq!(ProfileId::try_from(15).unwrap().get(), 15);
        assert_eq!(
            ProfileId::try_from(16).unwrap_err().to_string(),
            "bandwidth profile id 16 is outside 1 to 15"
        );
        assert!(SubscriberId::try_from(70_000).is_err());
        assert_eq!(SubscriberId::all().count(), 384);
    }
}
