//! Maintenance windows: when changes that somebody would feel may be made.

use std::str::FromStr;

use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;

use crate::domain::TimeSpan;

/// A stretch of time that comes back every week.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// Key in the inventory.
    pub key: String,
    /// The days on which it begins, by the calendar of its zone; never none.
    pub days: Days,
    /// When it begins, by the clocks of its zone. A time that a clock change skips is taken as much later as the clocks
    /// jump; of one that comes twice the first is meant.
    pub start: Time,
    /// How long it is open, in time that passes, whatever the clocks do meanwhile. More than none.
    pub length: TimeSpan,
    /// The zone, from the bundled database.
    pub zone: TimeZone,
}

/// Days of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Days([bool; 7]);

/// The key that stands for no window: changes at any time.
pub const ALWAYS: &str = "always";

/// The words for days, Monday first.
pub const DAY_WORDS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// The text is no day and no range of days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write a day such as mon, or a range such as mon-fri")]
pub struct InvalidDays;

impl Days {
    /// Every day.
    pub const ALL: Self = Self([true; 7]);
    /// No day.
    pub const NONE: Self = Self([false; 7]);

    /// Whether the day is one of them.
    #[must_use]
    pub fn contains(self, day: Weekday) -> bool {
        usize::try_from(day.to_monday_zero_offset()).is_ok_and(|index| self.0[index])
    }

    /// These and those.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let mut both = self;
        for (day, more) in both.0.iter_mut().zip(other.0) {
            *day |= more;
        }
        both
    }

    /// How many days lie between one of them and the next, at least: 1 where two follow each other, 7 for a single one.
    #[must_use]
    pub fn closest(self) -> u32 {
        let days: Vec<u32> = (0..)
            .zip(self.0)
            .filter(|(_, is_one)| *is_one)
            .map(|(day, _)| day)
            .collect();
        let around = days.first().map(|first| first + 7);
        let next = days.iter().skip(1).copied().chain(around);
        days.iter().zip(next).map(|(day, next)| next - day).min().unwrap_or(7)
    }
}

impl FromStr for Days {
    type Err = InvalidDays;

    /// One day, or a range that may go over the end of the week: `sat-mon`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let index = |word: &str| DAY_WORDS.iter().position(|day| *day == word).ok_or(InvalidDays);
        let (first, last) = match text.split_once('-') {
            Some((first, last)) => (index(first)?, index(last)?),
            None => (index(text)?, index(text)?),
        };
        let mut days = Self::NONE;
        let mut day = first;
        loop {
            days.0[day] = true;
            if day == last {
                return Ok(days);
            }
            day = (day + 1) % 7;
        }
    }
}

/// Whether a window that begins on these days begins again before it has ended.
#[must_use]
pub fn overlaps(days: Days, length: TimeSpan) -> bool {
    length.as_secs() > days.closest() * 24 * 3600
}

/// A zone by its IANA name, in any case.
#[must_use]
pub fn zone(name: &str) -> Option<TimeZone> {
    TimeZone::get(name).ok()
}

/// The names of all zones.
#[must_use]
pub fn zone_names() -> Vec<String> {
    jiff::tz::db()
        .available()
        .map(|name| name.as_str().to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_days_may_go_over_the_end_of_the_week() {
        let days = |text: &str| text.parse::<Days>().unwrap();
        assert_eq!(days("mon-sun"), Days::ALL);
        assert_eq!(days("sat-mon"), days("sat").and(days("sun")).and(days("mon")));
        assert!(days("fri").contains(Weekday::Friday));
        assert!(!days("mon-thu").contains(Weekday::Friday));
        for text in ["", "Mon", "monday", "mon-", "-mon", "mon-tue-wed", "mon..fri"] {
            assert_eq!(text.parse::<Days>(), Err(InvalidDays), "{text:?}");
        }
    }

    #[test]
    fn the_distance_of_days_goes_round_the_week() {
        let closest = |text: &str| {
            text.split(' ')
                .map(|day| day.parse().unwrap())
                .fold(Days::NONE, Days::and)
                .closest()
        };
        assert_eq!(closest("mon"), 7);
        assert_eq!(closest("sun mon"), 1);
        assert_eq!(closest("mon thu"), 3);
        assert_eq!(closest("mon sat"), 2);
    }

    #[test]
    fn zones_are_those_of_the_bundled_database() {
        assert_eq!(zone("Europe/Berlin").unwrap().iana_name(), Some("Europe/Berlin"));
        assert_eq!(zone("Europe/Berlyn"), None);
        assert!(zone_names().len() > 400);
    }
}
