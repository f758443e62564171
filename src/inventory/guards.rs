//! How much one run may do to a fleet before somebody has to say that it is meant.

use std::fmt;

use serde::{Deserialize, Serialize};

/// From how many objects on a share counts: 10 % of six is a number that says nothing.
pub const SHARES_COUNT_FROM: usize = 10;

/// A part of a whole, in parts per million: 0 to 1,000,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Share(u32);

impl Share {
    /// So many percent, 100 at most.
    #[must_use]
    pub const fn percent(percent: u32) -> Self {
        Self(if percent > 100 { 1_000_000 } else { percent * 10_000 })
    }

    /// So many parts per million; `None` above 1,000,000.
    #[must_use]
    pub fn parts_per_million(parts: u32) -> Option<Self> {
        (parts <= 1_000_000).then_some(Self(parts))
    }

    /// The share of a whole, rounded down.
    #[must_use]
    pub fn of(self, whole: usize) -> usize {
        // A fleet has nowhere near 2^44 objects; where it had, the limit would only be the stricter.
        whole.saturating_mul(usize::try_from(self.0).unwrap_or(0)) / 1_000_000
    }
}

impl fmt::Display for Share {
    /// `2 %`, `2.5 %`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 10_000, self.0 % 10_000);
        if rest == 0 {
            return write!(f, "{whole} %");
        }
        let decimals = format!("{rest:04}");
        write!(f, "{whole}.{} %", decimals.trim_end_matches('0'))
    }
}

/// How much is let through: a number, or a share of what there is, whichever is the larger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// So many. `None`: only the share counts, and below [`SHARES_COUNT_FROM`] objects nothing is refused.
    pub count: Option<usize>,
    /// So large a part, where there are [`SHARES_COUNT_FROM`] objects or more. `None`: only the number counts.
    pub share: Option<Share>,
}

impl Limit {
    /// How many of `whole` objects are let through. `None`: any number.
    #[must_use]
    pub fn of(self, whole: usize) -> Option<usize> {
        self.count.max(self.counting_share(whole).map(|share| share.of(whole)))
    }

    /// The share, where there are enough objects for it to count.
    #[must_use]
    pub fn counting_share(self, whole: usize) -> Option<Share> {
        self.share.filter(|_| whole >= SHARES_COUNT_FROM)
    }
}

/// The limits of a fleet. A guard that is `None` was switched off in so many words (`unlimited`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guards {
    /// Subscribers destroyed on one device.
    pub destroy_per_device: Option<Limit>,
    /// Subscribers destroyed in the whole fleet.
    pub destroy_per_fleet: Option<Limit>,
    /// Subscribers suspended, or otherwise parted from their endpoint or port, in the whole fleet.
    pub suspend: Option<Limit>,
    /// Devices changed in one run.
    pub change_devices: Option<Limit>,
    /// Devices, subscribers or plans (each for itself) that the inventory lost since it was last applied.
    pub lose: Option<Limit>,
}

impl Default for Guards {
    fn default() -> Self {
        let limit = |count, percent| {
            Some(Limit {
                count,
                share: Some(Share::percent(percent)),
            })
        };
        Self {
            destroy_per_device: limit(Some(5), 10),
            destroy_per_fleet: limit(Some(20), 2),
            suspend: limit(Some(20), 5),
            change_devices: limit(None, 25),
            lose: limit(None, 20),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_count_from_ten_objects_and_the_larger_of_the_two_holds() {
        let guards = Guards::default();
        let per_device = guards.destroy_per_device.unwrap();
        for (whole, limit) in [(0, 5), (9, 5), (10, 5), (59, 5), (60, 6), (384, 38)] {
            assert_eq!(per_device.of(whole), Some(limit), "{whole}");
        }
        let per_fleet = guards.destroy_per_fleet.unwrap();
        for (whole, limit) in [(9, 20), (640, 20), (1049, 20), (1050, 21), (24_000, 480)] {
            assert_eq!(per_fleet.of(whole), Some(limit), "{whole}");
        }
        let devices = guards.change_devices.unwrap();
        for (whole, limit) in [(0, None), (9, None), (10, Some(2)), (200, Some(50))] {
            assert_eq!(devices.of(whole), limit, "{whole}");
        }
    }

    #[test]
    fn a_share_is_shown_as_people_write_it() {
        for (parts, text) in [(0, "0 %"), (20_000, "2 %"), (25_500, "2.55 %"), (1_000_000, "100 %")] {
            assert_eq!(Share::parts_per_million(parts).unwrap().to_string(), text);
        }
        assert_eq!(Share::parts_per_million(1_000_001), None);
    }
}
