//! Ranges of IP addresses, as networks write them: `10.20.0.0/24`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A network in CIDR notation, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AddressRange {
    /// The first address of the network.
    network: IpAddr,
    /// How many leading bits are fixed.
    prefix: u8,
}

/// The text is no network and no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a range of addresses such as 10.20.0.0/24 or fd00::40/122")]
pub struct InvalidAddressRange(String);

impl AddressRange {
    /// How many devices can have an address in it.
    #[must_use]
    pub fn len(&self) -> u128 {
        let (first, last) = self.bounds();
        // Only all of IPv6 does not fit, by one.
        (last - first).saturating_add(1)
    }

    /// Whether an address is in it, that of the network included. An IPv4 address that came as an IPv6 one is the same.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let (network, width) = bits(self.network);
        let (one, its_width) = bits(address);
        let fixed = u32::from(self.prefix);
        width == its_width && (network ^ one).checked_shr(width - fixed).unwrap_or(0) == 0
    }

    /// Never true: a range has at least one address.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        false
    }

    /// The addresses that a device can have, ascending: without the network's own and the broadcast address in IPv4.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> + use<> {
        let (first, last) = self.bounds();
        let is_v4 = self.network.is_ipv4();
        (first..=last).filter_map(move |bits| {
            if is_v4 {
                u32::try_from(bits).ok().map(|bits| Ipv4Addr::from(bits).into())
            } else {
                Some(Ipv6Addr::from(bits).into())
            }
        })
    }

    /// The first and the last address that a device can have, as numbers.
    fn bounds(&self) -> (u128, u128) {
        let (first, width) = bits(self.network);
        let hosts = width - u32::from(self.prefix);
        let last = first | mask(hosts);
        // A /31 joins two routers and has neither address (RFC 3021); a /32 is one device.
        if self.network.is_ipv4() && hosts >= 2 {
            (first + 1, last - 1)
        } else {
            (first, last)
        }
    }
}

/// The bits of an address, and how many it has.
fn bits(address: IpAddr) -> (u128, u32) {
    match address {
        IpAddr::V4(address) => (u128::from(u32::from(address)), 32),
        IpAddr::V6(address) => (u128::from(address), 128),
    }
}

/// So many ones.
fn mask(ones: u32) -> u128 {
    u128::MAX.checked_shr(128 - ones).unwrap_or(0)
}

impl FromStr for AddressRange {
    type Err = InvalidAddressRange;

    /// Reads `10.20.0.0/24`, `10.20.0.7` or the same of IPv6. Bits behind the prefix are taken off.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidAddressRange(text.to_owned());
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| invalid())?;
        let (all, width) = bits(address);
        let prefix = match prefix {
            // `+8` and `08` are no prefix lengths, though they are numbers.
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0') => {
                digits.parse::<u32>().ok()
            }
            Some("0") => Some(0),
            Some(_) => None,
            None => Some(width),
        };
        let prefix = prefix.filter(|prefix| *prefix <= width).ok_or_else(invalid)?;
        let first = all & !mask(width - prefix);
        let network = match address {
            IpAddr::V4(_) => Ipv4Addr::from(u32::try_from(first).map_err(|_| invalid())?).into(),
            IpAddr::V6(_) => Ipv6Addr::from(first).into(),
        };
        Ok(Self {
            network,
            prefix: u8::try_from(prefix).map_err(|_| invalid())?,
        })
    }
}

impl<'de> serde::Deserialize<'de> for AddressRange {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for AddressRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<String> {
        let range: AddressRange = text.parse().unwrap();
        let all: Vec<String> = range.addresses().map(|address| address.to_string()).collect();
        assert_eq!(range.len(), all.len() as u128, "{text}");
        all
    }

    #[test]
    fn an_address_is_in_its_network_and_in_no_other() {
        for (range, address, is_in) in [
            ("192.0.2.0/24", "192.0.2.255", true),
            ("192.0.2.0/24", "192.0.3.0", false),
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7", "192.0.2.6", false),
            ("192.0.2.0/24", "::ffff:192.0.2.9", true),
            ("0.0.0.0/0", "198.51.100.1", true),
            ("0.0.0.0/0", "::1", false),
            ("2001:db8::/32", "2001:db8:1::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("::/0", "::1", true),
        ] {
            let range: AddressRange = range.parse().unwrap();
            assert_eq!(range.contains(address.parse().unwrap()), is_in, "{range} {address}");
        }
    }

    #[test]
    fn a_network_is_the_addresses_that_a_device_can_have() {
        assert_eq!(all("10.20.0.8/30"), ["10.20.0.9", "10.20.0.10"]);
        assert_eq!(all("10.20.0.9/30"), all("10.20.0.8/30"));
        assert_eq!(all("10.20.0.8/31"), ["10.20.0.8", "10.20.0.9"]);
        assert_eq!(all("10.20.0.8"), ["10.20.0.8"]);
        assert_eq!(all("255.255.255.252/30"), ["255.255.255.253", "255.255.255.254"]);
        assert_eq!(all("fd00::8/127"), ["fd00::8", "fd00::9"]);
        assert_eq!(all("fd00::8"), ["fd00::8"]);
    }

    #[test]
    fn how_many_there_are_is_known_without_counting() {
        let len = |text: &str| text.parse::<AddressRange>().unwrap().len();
        assert_eq!(len("10.0.0.0/8"), (1 << 24) - 2);
        assert_eq!(len("0.0.0.0/0"), (1 << 32) - 2);
        assert_eq!(len("fd00::/64"), 1 << 64);
        assert_eq!(len("::/0"), u128::MAX);
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for text in [
            "",
            "10.20.0.0/33",
            "fd00::/129",
            "10.20.0/24",
            "10.20.0.0/",
            "10.20.0.0/+8",
            "10.20.0.0/08",
            "maple-a",
            "10.20.0.0-9",
        ] {
            assert!(text.parse::<AddressRange>().is_err(), "`{text}` was taken");
        }
        assert_eq!(
            "10.20.0.9/24".parse::<AddressRange>().unwrap().to_string(),
            "10.20.0.0/24"
        );
    }
}
