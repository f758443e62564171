//! How much is changed at once: the operator's policy on waves.

use std::str::FromStr;

use crate::domain::TimeSpan;

/// In which portions the devices of a run are changed. Unless said, all at once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Waves {
    /// Who goes first.
    pub canary: Canary,
    /// How many devices each further wave has.
    pub size: WaveSize,
    /// How long to wait between the end of a wave and the beginning of the next.
    pub pause: TimeSpan,
}

/// The devices that are changed before all others, to see whether it goes well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Canary {
    /// So many, those whose subscribers feel least of it. 0: none.
    Least(u16),
    /// These, by key; never empty.
    Devices(Vec<String>),
}

impl Default for Canary {
    fn default() -> Self {
        Self::Least(0)
    }
}

/// How many devices a wave has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WaveSize {
    /// All that are left.
    #[default]
    All,
    /// So many; at least one.
    Devices(u16),
    /// This share of all devices that change, in percent, 1 to 100; rounded up.
    Percent(u8),
}

/// The text is no canary.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("write a number of devices, such as 1, or device keys with commas between")]
pub struct InvalidCanary;

/// The text is no size of a wave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write a number of devices, such as 10, or a share of them, such as 20%")]
pub struct InvalidWaveSize;

impl FromStr for Canary {
    type Err = InvalidCanary;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            return text.parse().map(Self::Least).map_err(|_| InvalidCanary);
        }
        let keys: Vec<String> = text.split(',').map(|key| key.trim().to_owned()).collect();
        if keys.iter().any(String::is_empty) {
            return Err(InvalidCanary);
        }
        Ok(Self::Devices(keys))
    }
}

impl FromStr for WaveSize {
    type Err = InvalidWaveSize;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (digits, percent) = match text.strip_suffix('%') {
            Some(digits) => (digits, true),
            None => (text, false),
        };
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(InvalidWaveSize);
        }
        let number: u16 = digits.parse().map_err(|_| InvalidWaveSize)?;
        match (percent, u8::try_from(number)) {
            (false, _) if number > 0 => Ok(Self::Devices(number)),
            (true, Ok(percent @ 1..=100)) => Ok(Self::Percent(percent)),
            _ => Err(InvalidWaveSize),
        }
    }
}

impl WaveSize {
    /// How many devices a wave has when so many change in all. At least one.
    #[must_use]
    pub fn of(self, changing: usize) -> usize {
        let size = match self {
            Self::All => changing,
            Self::Devices(size) => usize::from(size),
            Self::Percent(percent) => (changing * usize::from(percent)).div_ceil(100),
        };
        size.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_numbers_or_shares() {
        assert_eq!("10".parse(), Ok(WaveSize::Devices(10)));
        assert_eq!("20%".parse(), Ok(WaveSize::Percent(20)));
        for text in ["", "0", "0%", "101%", "%", "ten", "-1", "+1", "1.5", "99999", "10 %"] {
            assert_eq!(text.parse::<WaveSize>(), Err(InvalidWaveSize), "{text:?}");
        }
    }

    #[test]
    fn a_share_is_rounded_up_and_never_nothing() {
        assert_eq!(WaveSize::Percent(20).of(11), 3);
        assert_eq!(WaveSize::Percent(1).of(3), 1);
        assert_eq!(WaveSize::All.of(0), 1);
    }

    #[test]
    fn canaries_are_a_number_or_devices() {
        assert_eq!("2".parse(), Ok(Canary::Least(2)));
        let both = Canary::Devices(vec!["maple-a".to_owned(), "oak-b".to_owned()]);
        assert_eq!("maple-a, oak-b".parse(), Ok(both));
        for text in ["", "a,,b", ",", "70000"] {
            assert_eq!(text.parse::<Canary>(), Err(InvalidCanary), "{text:?}");
        }
    }
}
