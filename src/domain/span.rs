//! Lengths of time as operators write them.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A length of time in whole seconds, written `90s`, `2m`, `3h` or `1h30m`; a week at most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeSpan(u32);

/// The text is no length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write a length of time such as 90s, 2m, 3h or 1h30m, a week (168h) at most")]
pub struct InvalidTimeSpan;

impl TimeSpan {
    /// A week.
    pub const MAX: Self = Self(7 * 24 * 3600);

    /// A length in seconds; a week where it is longer.
    #[must_use]
    pub fn from_secs(seconds: u32) -> Self {
        Self(seconds).min(Self::MAX)
    }

    /// The number of seconds.
    #[must_use]
    pub const fn as_secs(self) -> u32 {
        self.0
    }

    /// Whether it is no time at all.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl From<TimeSpan> for Duration {
    fn from(span: TimeSpan) -> Self {
        Self::from_secs(span.0.into())
    }
}

impl FromStr for TimeSpan {
    type Err = InvalidTimeSpan;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut rest = text;
        let mut seconds = 0_u32;
        for (unit, digits, factor) in [('h', 3, 3600), ('m', 4, 60), ('s', 5, 1)] {
            let Some((number, after)) = rest.split_once(unit) else {
                continue;
            };
            let is_number = (1..=digits).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
            let number: u32 = number.parse().ok().filter(|_| is_number).ok_or(InvalidTimeSpan)?;
            seconds += number * factor;
            rest = after;
        }
        if rest.is_empty() && !text.is_empty() && seconds <= Self::MAX.0 {
            Ok(Self(seconds))
        } else {
            Err(InvalidTimeSpan)
        }
    }
}

impl<'de> serde::Deserialize<'de> for TimeSpan {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for TimeSpan {
    /// In words, such as `2 minutes` or `1 hour 30 minutes`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0 seconds");
        }
        let parts = [
            (self.0 / 3600, "hour"),
            (self.0 / 60 % 60, "minute"),
            (self.0 % 60, "second"),
        ];
        let words: Vec<String> = (parts.into_iter().filter(|(count, _)| *count > 0))
            .map(|(count, unit)| format!("{count} {unit}{}", if count == 1 { "" } else { "s" }))
            .collect();
        f.write_str(&words.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_as_people_write_them() {
        for (text, seconds, words) in [
            ("90s", 90, "1 minute 30 seconds"),
            ("2m", 120, "2 minutes"),
            ("1h", 3600, "1 hour"),
            ("1h30m", 5400, "1 hour 30 minutes"),
            ("168h", 604_800, "168 hours"),
            ("0s", 0, "0 seconds"),
        ] {
            let span: TimeSpan = text.parse().unwrap();
            assert_eq!((span.as_secs(), span.to_string().as_str()), (seconds, words), "{text}");
        }
    }

    #[test]
    fn what_is_no_length_is_refused() {
        for text in [
            "", "2", "m", "2 m", "2min", "-1m", "1.5h", "30m1h", "169h", "9999h", "2m2m", "1h ", "+1m", "٣m",
        ] {
            assert_eq!(text.parse::<TimeSpan>(), Err(InvalidTimeSpan), "{text:?}");
        }
    }
}
