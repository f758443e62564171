//! What a plan is sold as, from what the device was given for it. Exact, or as found: never approximate.

use crate::domain::Mbps;
use crate::inventory::{Headroom, sold_at};

/// Rates as a price list would say them, and the headroom with which they come to what the device holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sold {
    /// Towards the subscriber, whole Mbps.
    pub(super) down: Mbps,
    /// From the subscriber, whole Mbps.
    pub(super) up: Mbps,
    /// What the device was given on top.
    pub(super) headroom: Headroom,
    /// Whether nobody would sell these: they are as found, and somebody may know better.
    pub(super) odd: bool,
}

/// Reads back what was sold. Where several answers fit, the one in rounder numbers, `usual` before others; the vendor
/// advises 6 to 8 % (JSON-RPC guide), so no other headroom is guessed.
pub(super) fn sold(down: Mbps, up: Mbps, usual: Headroom) -> Sold {
    let none = Headroom::percent(0);
    let guesses = [
        usual,
        none,
        Headroom::percent(6),
        Headroom::percent(8),
        Headroom::percent(7),
    ];
    let at = |headroom| Some((sold_at(down, headroom)?, sold_at(up, headroom)?, headroom));
    let fits = |is_round: fn(Mbps) -> bool| {
        let good = |(down, up, _): &(Mbps, Mbps, Headroom)| is_round(*down) && is_round(*up);
        guesses.into_iter().filter_map(at).find(good)
    };
    let found = fits(is_very_round).or_else(|| fits(is_round));
    let (down, up, headroom) = found.unwrap_or((down, up, none));
    Sold {
        down,
        up,
        headroom,
        odd: found.is_none(),
    }
}

/// As price lists have them: tens up to 100, fifties to 300, hundreds, and a few small ones.
fn is_very_round(rate: Mbps) -> bool {
    match rate.get() {
        1 | 2 | 3 | 4 | 5 | 6 | 8 | 10 | 12 | 15 | 16 | 25 | 75 => true,
        rate @ ..=100 => rate.is_multiple_of(10),
        rate @ ..=300 => rate.is_multiple_of(50),
        rate => rate.is_multiple_of(100),
    }
}

fn is_round(rate: Mbps) -> bool {
    rate.get().is_multiple_of(5)
}

/// A rate as people say it: `50 Mbps`, `1 Gbps`.
pub(super) fn words(rate: Mbps) -> String {
    match rate.get() {
        mbps if mbps > 0 && mbps.is_multiple_of(1000) => format!("{} Gbps", mbps / 1000),
        mbps => format!("{mbps} Mbps"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mbps(rate: u64) -> Mbps {
        Mbps::try_from(rate).unwrap()
    }

    #[test]
    fn round_rates_are_recognised_and_odd_ones_kept_as_found() {
        for (down, up, says) in [
            (53, 53, "50/50 6%"),
            (530, 106, "500/100 6%"),
            (540, 108, "500/100 8%"),
            (535, 107, "500/100 7%"),
            (200, 50, "200/50 0%"),
            (100, 100, "100/100 0%"),
            (60, 60, "60/60 0%"),
            (27, 11, "25/10 6%"),
            (1000, 1000, "1000/1000 0%"),
            (1060, 1060, "1000/1000 6%"),
            (53, 20, "53/20 0% odd"),
            (317, 41, "317/41 0% odd"),
        ] {
            let sold = sold(mbps(down), mbps(up), Headroom::percent(6));
            let odd = if sold.odd { " odd" } else { "" };
            let said = format!("{}/{} {}{odd}", sold.down.get(), sold.up.get(), sold.headroom);
            assert_eq!(said, says);
        }
        assert_eq!(words(mbps(1000)), "1 Gbps");
        assert_eq!(words(mbps(1060)), "1060 Mbps");
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_comes_to_what_was_found(down in 1_u64..2000, up in 1_u64..2000, usual in 0_u8..=10) {
            let found = sold(mbps(down), mbps(up), Headroom::percent(usual));
            let back = |rate: Mbps, held: u64| {
                // Rounded up, as a profile is.
                let ppm = 1_000_000 + u64::from(found.headroom.to_string().trim_end_matches('%').parse::<u32>().unwrap()) * 10_000;
                (u64::from(rate.get()) * ppm).div_ceil(1_000_000) == held
            };
            proptest::prop_assert!(back(found.down, down) && back(found.up, up), "{found:?}");
        }
    }
}
