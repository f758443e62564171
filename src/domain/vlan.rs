//! VLAN numbers and lists of them.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// 802.1Q VLAN id: 1 to 4094.
///
/// 0 and 4095 are reserved by 802.1Q. What a GAM reserves on top (1, 2, 3840 to 3844, 4094) is a rule of
/// the inventory, not of this type: a running device may hold any of them, and is read as found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VlanId(u16);

/// The number is outside 1 to 4094.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("VLAN {0} is outside 1 to 4094")]
pub struct InvalidVlanId(pub u64);

impl VlanId {
    /// The captive portal for endpoints without service, and the VLAN of a subscriber that names none
    /// (CLI guide; JSON-RPC guide). Traffic in it goes nowhere but the device's own portal page.
    pub const CAPTIVE_PORTAL: Self = Self(4094);

    /// The number, 1 to 4094.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }

    /// Whether a subscriber's service may use it: 3 to 4093 without 3840 to 3844.
    ///
    /// The narrowest of the vendor's statements: 1 is management, 2 carries the endpoints' own
    /// management, 3840 to 3844 are forbidden on ports, 4094 is the captive portal.
    #[must_use]
    pub const fn is_usable_for_service(self) -> bool {
        matches!(self.0, 3..=3839 | 3845..=4093)
    }
}

impl TryFrom<u16> for VlanId {
    type Error = InvalidVlanId;

    fn try_from(raw: u16) -> Result<Self, Self::Error> {
        if (1..=4094).contains(&raw) {
            Ok(Self(raw))
        } else {
            Err(InvalidVlanId(u64::from(raw)))
        }
    }
}

impl fmt::Display for VlanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl serde::Serialize for VlanId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u16(self.0)
    }
}

impl<'de> serde::Deserialize<'de> for VlanId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::try_from(u16::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// A set of VLANs, displayed as the device writes one: `1000,2000-2003`, ascending, no blanks.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VlanSet(BTreeSet<VlanId>);

/// The text is not a comma-separated list of VLANs and ascending ranges.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a VLAN list; write numbers and ranges such as 1000,2000-2003")]
pub struct InvalidVlanSet(String);

impl VlanSet {
    /// How many VLANs the set holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the set holds no VLAN.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The VLANs, ascending.
    pub fn iter(&self) -> impl Iterator<Item = VlanId> + '_ {
        self.0.iter().copied()
    }

    /// Whether the set holds `vlan`.
    #[must_use]
    pub fn contains(&self, vlan: VlanId) -> bool {
        self.0.contains(&vlan)
    }

    /// The runs of consecutive VLANs, ascending, each as first and last.
    fn runs(&self) -> Vec<(VlanId, VlanId)> {
        let mut runs: Vec<(VlanId, VlanId)> = Vec::new();
        for vlan in self.iter() {
            match runs.last_mut() {
                Some((_, last)) if last.0 + 1 == vlan.0 => *last = vlan,
                _ => runs.push((vlan, vlan)),
            }
        }
        runs
    }
}

impl FromIterator<VlanId> for VlanSet {
    fn from_iter<I: IntoIterator<Item = VlanId>>(vlans: I) -> Self {
        Self(vlans.into_iter().collect())
    }
}

impl fmt::Display for VlanSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (first, last)) in self.runs().into_iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            if first == last {
                write!(f, "{first}")?;
            } else {
                write!(f, "{first}-{last}")?;
            }
        }
        Ok(())
    }
}

impl FromStr for VlanSet {
    type Err = InvalidVlanSet;

    /// Reads `1000,2000-2003`. The empty text is an error: an absent list is said by the caller.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let each = |(first, last): (VlanId, VlanId)| (first.0..=last.0).map(VlanId);
        Ok(Self(vlan_ranges(text)?.into_iter().flat_map(each).collect()))
    }
}

/// Reads `1000,2000-2003` as it is written: each range with its first and last VLAN, one VLAN as a range of its own. For
/// lists that hold nearly all there are.
///
/// # Errors
///
/// [`InvalidVlanSet`] for anything else, the empty text included.
pub fn vlan_ranges(text: &str) -> Result<Vec<(VlanId, VlanId)>, InvalidVlanSet> {
    let invalid = || InvalidVlanSet(text.to_owned());
    let number = |part: &str| -> Result<VlanId, InvalidVlanSet> {
        if part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(invalid());
        }
        let raw: u16 = part.parse().map_err(|_| invalid())?;
        VlanId::try_from(raw).map_err(|_| invalid())
    };
    let range = |part: &str| match part.split_once('-') {
        None => number(part).map(|vlan| (vlan, vlan)),
        Some((first, last)) => {
            let (first, last) = (number(first)?, number(last)?);
            if first > last {
                Err(invalid())
            } else {
                Ok((first, last))
            }
        }
    };
    text.split(',').map(range).collect()
}

impl serde::Serialize for VlanSet {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for VlanSet {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.is_empty() {
            return Ok(Self::default());
        }
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_printed_in_the_device_s_own_form() {
        let set: VlanSet = "2003,1000,2000-2002".parse().unwrap();
        assert_eq!(set.to_string(), "1000,2000-2003");
        assert_eq!(set.len(), 5);
    }

    #[test]
    fn malformed_lists_are_refused() {
        for text in ["", "1,", "0", "4095", "5-3", "1 2", "a", "+3", "3-"] {
            assert!(text.parse::<VlanSet>().is_err(), "{text:?} was accepted");
        }
    }

    #[test]
    fn service_vlans_leave_out_what_the_vendor_reserves() {
        let usable = |raw: u16| VlanId::try_from(raw).unwrap().is_usable_for_service();
        for reserved in [1, 2, 3840, 3844, 4094] {
            assert!(!usable(reserved), "{reserved}");
        }
        for good in [3, 3839, 3845, 4093] {
            assert!(usable(good), "{good}");
        }
    }
}
