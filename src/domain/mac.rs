//! MAC addresses.

use std::fmt;
use std::str::FromStr;

/// A 48-bit Ethernet address.
///
/// Reads every form in which a GAM prints one: `00:0e:d8:1c:95:08` (running-config), upper case
/// (`show ghn discover all`) and `00-0e-d8-1a-b9-e2` (`show version`). Displays lower case with colons,
/// the form the running-config uses, so that values compare however they were written.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MacAddr([u8; 6]);

/// The text is not six pairs of hexadecimal digits joined by one kind of separator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a MAC address; write six pairs of hex digits, such as 00:0e:d8:1c:95:08")]
pub struct InvalidMacAddr(String);

impl MacAddr {
    /// The vendor's OUI, 00:0e:d8: every GAM, G.hn port and endpoint seen so far carries it.
    pub const POSITRON_OUI: [u8; 3] = [0x00, 0x0e, 0xd8];

    /// Makes an address from its six octets, in transmission order.
    #[must_use]
    pub const fn new(octets: [u8; 6]) -> Self {
        Self(octets)
    }

    /// The six octets, in transmission order.
    #[must_use]
    pub const fn octets(self) -> [u8; 6] {
        self.0
    }

    /// Whether the address is in the vendor's own range.
    #[must_use]
    pub fn is_positron(self) -> bool {
        self.0[..3] == Self::POSITRON_OUI
    }

    /// Whether the address is all zeros, which the device refuses as an endpoint (error 31).
    #[must_use]
    pub fn is_null(self) -> bool {
        self.0 == [0; 6]
    }

    /// Whether this is a group (multicast or broadcast) address, which no endpoint can own.
    #[must_use]
    pub fn is_group(self) -> bool {
        self.0[0] & 1 == 1
    }

    /// The name that a GAM gives an endpoint nobody named: `Positron_` and the last three octets in
    /// capital hex. Seen on hardware as `Positron_1C9508`.
    #[must_use]
    pub fn default_endpoint_name(self) -> String {
        let [_, _, _, a, b, c] = self.0;
        format!("Positron_{a:02X}{b:02X}{c:02X}")
    }
}

impl fmt::Display for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A plan writes every address of a device several times; the formatter was a measurable part of that.
        let digit = |number: u8| b"0123456789abcdef"[usize::from(number)];
        let mut text = *b"00:00:00:00:00:00";
        for (place, octet) in text.chunks_mut(3).zip(self.0) {
            place[0] = digit(octet >> 4);
            place[1] = digit(octet & 0xf);
        }
        f.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

impl fmt::Debug for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for MacAddr {
    type Err = InvalidMacAddr;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidMacAddr(text.to_owned());
        let bytes = text.as_bytes();
        if bytes.len() != 17 {
            return Err(invalid());
        }
        let separator = bytes[2];
        if separator != b':' && separator != b'-' {
            return Err(invalid());
        }
        let mut octets = [0u8; 6];
        for (index, octet) in octets.iter_mut().enumerate() {
            let at = index * 3;
            if index > 0 && bytes[at - 1] != separator {
                return Err(invalid());
            }
            let digit = |byte: u8| char::from(byte).to_digit(16);
            let (Some(high), Some(low)) = (digit(bytes[at]), digit(bytes[at + 1])) else {
                return Err(invalid());
            };
            *octet = u8::try_from(high * 16 + low).map_err(|_| invalid())?;
        }
        Ok(Self(octets))
    }
}

impl serde::Serialize for MacAddr {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for MacAddr {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_printed_form_reads_as_the_same_address() {
        let colons: MacAddr = "00:0e:d8:1c:95:08".parse().unwrap();
        assert_eq!("00:0E:D8:1C:95:08".parse(), Ok(colons));
        assert_eq!("00-0e-d8-1c-95-08".parse(), Ok(colons));
        assert_eq!(colons.to_string(), "00:0e:d8:1c:95:08");
        assert_eq!(colons.default_endpoint_name(), "Positron_1C9508");
    }

    #[test]
    fn near_misses_are_refused() {
        for text in [
            "",
            "00:0e:d8:1c:95",
            "00:0e-d8:1c:95:08",
            "00:0e:d8:1c:95:0g",
            "000e.d81c.9508",
            "00:0e:d8:1c:95:08 ",
        ] {
            assert!(text.parse::<MacAddr>().is_err(), "{text:?} was accepted");
        }
    }
}
