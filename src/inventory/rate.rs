//! Rates as they are sold, and what a device has to be given for them. Exact: no floating point.

use std::fmt;

use crate::domain::{Mbps, Medium};

use super::model::Rates;

/// The largest rate that anybody can mean: 1 Tbps.
const MAX_BPS: u64 = 1_000_000_000_000;

/// A rate as a price list says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sold {
    /// No limit but the line.
    Unthrottled,
    /// Bits per second, above 0.
    Limited(u64),
}

/// Why a text is no rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotARate {
    /// Not a number and a unit.
    Form,
    /// `MB/s` and the like: bytes.
    Bytes,
    /// Zero, or more than 1 Tbps, or finer than a bit per second.
    Range,
}

impl Sold {
    /// Reads `500 Mbps`, `500M`, `1 Gbps`, `1G`, `50000 kbps`, `2.5G`, a bare number of Mbps, `unthrottled`.
    pub(super) fn parse(text: &str) -> Result<Self, NotARate> {
        if text == super::model::UNTHROTTLED {
            return Ok(Self::Unthrottled);
        }
        let split = text
            .find(|char: char| !char.is_ascii_digit() && char != '.')
            .unwrap_or(text.len());
        let (number, unit) = text.split_at(split);
        let unit = unit.strip_prefix(' ').unwrap_or(unit);
        let exponent = match unit {
            "" => 6,
            _ => {
                let mut chars = unit.chars();
                let exponent = match chars.next() {
                    Some('k' | 'K') => 3,
                    Some('M' | 'm') => 6,
                    Some('G' | 'g') => 9,
                    _ => return Err(NotARate::Form),
                };
                match chars.as_str() {
                    "" | "bps" | "bit/s" | "b/s" => exponent,
                    "B" | "Bps" | "B/s" => return Err(NotARate::Bytes),
                    _ => return Err(NotARate::Form),
                }
            }
        };
        let bps = decimal(number, exponent).ok_or(NotARate::Form)?;
        match bps {
            Some(bps) if (1..=MAX_BPS).contains(&bps) => Ok(Self::Limited(bps)),
            _ => Err(NotARate::Range),
        }
    }
}

impl fmt::Display for Sold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unthrottled => f.write_str(super::model::UNTHROTTLED),
            Self::Limited(bps) if bps % 1_000_000 == 0 => write!(f, "{} Mbps", bps / 1_000_000),
            Self::Limited(bps) if bps % 1000 == 0 => write!(f, "{} kbps", bps / 1000),
            Self::Limited(bps) => write!(f, "{bps} bps"),
        }
    }
}

/// A decimal number times ten to the power of `exponent`. `None`: not a number. `Some(None)`: not whole,
/// or too large to count.
fn decimal(text: &str, exponent: usize) -> Option<Option<u64>> {
    let (whole, fraction) = match text.split_once('.') {
        Some((_, "")) => return None,
        Some(parts) => parts,
        None => (text, ""),
    };
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > exponent {
        return Some(None);
    }
    let all: String = whole
        .chars()
        .chain(fraction.chars())
        .chain(std::iter::repeat_n('0', exponent - fraction.len()))
        .collect();
    Some(all.parse().ok())
}

/// How much more than the rate sold a profile allows, in parts per million.
///
/// The limit works on Ethernet frames, so the vendor advises 6 to 8 % more than the plan (JSON-RPC guide).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Headroom(u32);

impl Default for Headroom {
    fn default() -> Self {
        Self(60_000)
    }
}

impl Headroom {
    /// So many percent, 100 at most.
    #[must_use]
    pub const fn percent(percent: u8) -> Self {
        Self(10_000 * if percent < 100 { percent as u32 } else { 100 })
    }

    /// In parts per million.
    pub(super) const fn parts_per_million(self) -> u32 {
        self.0
    }

    /// Reads `6%` or `6.5%`: 0 to 100 with up to four decimals.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let number = text.strip_suffix('%')?;
        let parts = decimal(number, 4)??;
        u32::try_from(parts).ok().filter(|parts| *parts <= 1_000_000).map(Self)
    }
}

impl fmt::Display for Headroom {
    /// As an inventory writes it: `6%`, `6.5%`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, parts) = (self.0 / 10_000, self.0 % 10_000);
        if parts == 0 {
            return write!(f, "{whole}%");
        }
        let parts = format!("{parts:04}");
        write!(f, "{whole}.{}%", parts.trim_end_matches('0'))
    }
}

/// The rate sold, in whole Mbps, for which a device is given exactly `rate`. `None` where no whole number comes to it.
#[must_use]
pub fn sold_at(rate: Mbps, headroom: Headroom) -> Option<Mbps> {
    // Rounding goes up, so of all rates that come to `rate` the highest is its quotient rounded down.
    let mbps = u64::from(rate.get()) * 1_000_000 / (1_000_000 + u64::from(headroom.0));
    let back = compiled(Sold::Limited(mbps * 1_000_000), headroom);
    Mbps::try_from(mbps).ok().filter(|_| mbps > 0 && back == Some(rate))
}

/// What a device has to be given for a rate sold: rounded up to whole Mbps, headroom included. `None` for no limit.
fn compiled(sold: Sold, headroom: Headroom) -> Option<Mbps> {
    let Sold::Limited(bps) = sold else {
        return None;
    };
    // At most 1e12 x 2e6, far inside 128 bits; the quotient is at most 2e6.
    let scaled = u128::from(bps) * (1_000_000 + u128::from(headroom.0));
    let mbps = scaled.div_ceil(1_000_000 * 1_000_000);
    u64::try_from(mbps)
        .ok()
        .and_then(|mbps| Mbps::try_from(mbps.min(1_000_000)).ok())
}

/// A plan's rates for a device, before what the medium takes is looked at. `None` when one direction is
/// limited and the other is not: no documented setting does that.
pub(super) fn asked(down: Sold, up: Sold, headroom: Headroom) -> Option<Rates> {
    match (compiled(down, headroom), compiled(up, headroom)) {
        (None, None) => Some(Rates::Unthrottled),
        (Some(down), Some(up)) => Some(Rates::Limited { down, up }),
        _ => None,
    }
}

/// The highest rate that is written as a profile on a medium: 800 Mbps on coax, where the vendor says to
/// use no profile above it (JSON-RPC guide), else what the policy says.
pub(super) fn ceiling(medium: Medium, max_rate: Mbps) -> Mbps {
    match medium {
        Medium::Coax => Mbps::MAX_COAX.min(max_rate),
        Medium::Copper => max_rate,
    }
}

/// What is written on a medium: the rates asked for, or nothing when either is above the ceiling.
pub(super) fn on_medium(asked: Rates, medium: Medium, max_rate: Mbps) -> Rates {
    match asked {
        Rates::Limited { down, up } if down.max(up) > ceiling(medium, max_rate) => Rates::Unthrottled,
        rates => rates,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn mbps(sold: &str, headroom: &str) -> u32 {
        compiled(Sold::parse(sold).unwrap(), Headroom::parse(headroom).unwrap())
            .unwrap()
            .get()
    }

    #[test]
    fn rates_are_read_as_people_say_them() {
        for text in [
            "500 Mbps",
            "500M",
            "500",
            "500mbps",
            "0.5G",
            "0.5 Gbps",
            "500000 kbps",
            "500000k",
            "500 Mbit/s",
        ] {
            assert_eq!(Sold::parse(text), Ok(Sold::Limited(500_000_000)), "{text}");
        }
        assert_eq!(Sold::parse("unthrottled"), Ok(Sold::Unthrottled));
    }

    #[test]
    fn what_is_not_a_rate_is_refused_for_its_own_reason() {
        for (text, why) in [
            ("", NotARate::Form),
            ("fast", NotARate::Form),
            ("5..0M", NotARate::Form),
            ("5.M", NotARate::Form),
            (".5G", NotARate::Form),
            ("500  M", NotARate::Form),
            ("500 Mbpss", NotARate::Form),
            ("-5", NotARate::Form),
            ("50 MB/s", NotARate::Bytes),
            ("0", NotARate::Range),
            ("0.0000001", NotARate::Range),
            ("99999999999999999999G", NotARate::Range),
        ] {
            assert_eq!(Sold::parse(text), Err(why), "{text}");
        }
    }

    #[test]
    fn a_headroom_is_written_as_it_is_read() {
        for text in ["0%", "6%", "6.5%", "0.0625%", "100%"] {
            assert_eq!(Headroom::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Headroom::percent(6), Headroom::default());
    }

    #[test]
    fn the_rate_sold_is_found_from_what_the_device_holds() {
        let sold =
            |rate: u64, percent| sold_at(Mbps::try_from(rate).unwrap(), Headroom::percent(percent)).map(Mbps::get);
        assert_eq!(sold(53, 6), Some(50));
        assert_eq!(sold(530, 6), Some(500));
        assert_eq!(sold(540, 8), Some(500));
        assert_eq!(sold(200, 0), Some(200));
        // 50 comes to 53, 51 to 55.
        assert_eq!(sold(54, 6), None);
        assert_eq!(sold(0, 6), None);
    }

    #[test]
    fn headroom_rounds_up_and_only_up() {
        assert_eq!(mbps("100M", "6%"), 106);
        assert_eq!(mbps("500M", "6%"), 530);
        assert_eq!(mbps("25M", "6%"), 27);
        assert_eq!(mbps("50M", "0%"), 50);
        assert_eq!(mbps("100M", "6.5%"), 107);
        // 0.1 and 1.1 have no exact binary form; 110 must not become 111.
        assert_eq!(mbps("100M", "10%"), 110);
        assert_eq!(mbps("1.5M", "0%"), 2);
    }

    #[test]
    fn above_the_medium_s_ceiling_there_is_no_profile() {
        let rates = asked(
            Sold::Limited(800_000_000),
            Sold::Limited(100_000_000),
            Headroom::default(),
        )
        .unwrap();
        assert_eq!(on_medium(rates, Medium::Coax, Mbps::MAX), Rates::Unthrottled);
        assert_eq!(on_medium(rates, Medium::Copper, Mbps::MAX), rates);
        assert_eq!(
            asked(Sold::Unthrottled, Sold::Limited(1_000_000), Headroom::default()),
            None
        );
    }

    proptest! {
        #[test]
        fn the_compiled_rate_covers_what_was_sold_and_not_a_megabit_more(kbps in 1_u64..2_000_000, ppm in 0_u32..=1_000_000) {
            let needed = u128::from(kbps) * u128::from(1_000_000 + ppm);
            let got = u128::from(compiled(Sold::Limited(kbps * 1000), Headroom(ppm)).unwrap().get());
            prop_assert!(got * 1_000_000_000 >= needed);
            prop_assert!((got - 1) * 1_000_000_000 < needed);
        }

        #[test]
        fn what_is_found_to_be_sold_comes_to_the_rate_again(rate in 1_u64..2_000_000, ppm in 0_u32..=1_000_000) {
            let (rate, headroom) = (Mbps::try_from(rate.min(1_000_000)).unwrap(), Headroom(ppm));
            if let Some(sold) = sold_at(rate, headroom) {
                prop_assert_eq!(compiled(Sold::Limited(u64::from(sold.get()) * 1_000_000), headroom), Some(rate));
            }
        }

        #[test]
        fn no_text_makes_the_rate_parser_panic(text in "\\PC{0,20}") {
            let _ = Sold::parse(&text);
            let _ = Headroom::parse(&text);
        }
    }
}
