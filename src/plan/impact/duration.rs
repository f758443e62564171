//! How long a change is felt: what the device takes over its commands, measured where it was, and what the line takes
//! afterwards, assumed.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::observed::{Change, Kind};

use super::Away;
use crate::plan::model::Step;

/// How long a device takes over a command where nobody has measured it.
const ASSUMED_COMMAND: Duration = Duration::from_secs(1);

/// The least that "as long as its commands" is taken for where nobody has measured them.
const ASSUMED_BLIP: u32 = 5;

/// What a command does, as far as the device takes longer over one than over another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Work {
    /// The kind of object that it is about.
    pub kind: Kind,
    /// Whether it deletes it; else it makes or changes it.
    pub deletes: bool,
}

impl Work {
    /// What the commands of a change do.
    #[must_use]
    pub fn of(change: &Change) -> Self {
        Self {
            kind: change.object().kind(),
            deletes: matches!(
                change,
                Change::DeleteProfile(..) | Change::DeleteEndpoint(..) | Change::DeleteSubscriber(..)
            ),
        }
    }
}

/// What devices of one firmware took over commands, by what those did: the median of the last ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Timings(BTreeMap<Work, Duration>);

impl Timings {
    /// Makes the medians of what was measured. Order does not matter.
    #[must_use]
    pub fn of(measured: impl IntoIterator<Item = (Work, Duration)>) -> Self {
        let mut by_work: BTreeMap<Work, Vec<Duration>> = BTreeMap::new();
        for (work, took) in measured {
            by_work.entry(work).or_default().push(took);
        }
        let median = |mut all: Vec<Duration>| {
            all.sort_unstable();
            // Of two in the middle the longer one: better announced too long than too short.
            all.get(all.len() / 2).copied()
        };
        Self(
            by_work
                .into_iter()
                .filter_map(|(work, all)| Some((work, median(all)?)))
                .collect(),
        )
    }

    /// The medians by what was done.
    pub fn iter(&self) -> impl Iterator<Item = (Work, Duration)> + '_ {
        self.0.iter().map(|(work, took)| (*work, *took))
    }

    fn of_command(&self, change: &Change) -> Option<Duration> {
        self.0.get(&Work::of(change)).copied()
    }
}

/// What the device takes over all commands of these steps, where it was measured over each kind of them.
#[must_use]
pub fn took(steps: &[Step], timings: &Timings) -> Option<Duration> {
    let of = |step: &Step| {
        let one = timings.of_command(&step.change)?;
        Some(one * u32::try_from(step.commands.len()).unwrap_or(u32::MAX))
    };
    steps.iter().map(of).sum()
}

/// About how long service is away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Estimate {
    /// In seconds, rounded up.
    pub seconds: u32,
    /// Whether all of it was measured on this firmware; else some of it is assumed.
    pub measured: bool,
}

impl std::fmt::Display for Estimate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let basis = if self.measured { "measured" } else { "assumed" };
        write!(f, "about {} s ({basis})", self.seconds)
    }
}

/// About how long a change is felt. `span` are the steps from the first to the last that touch the object, others
/// between them included. `None` where it is not felt, or for good.
#[must_use]
pub fn estimate(away: Away, span: &[Step], timings: &Timings) -> Option<Estimate> {
    let more = match away {
        Away::Not | Away::ForGood => return None,
        Away::WhileCommands => 0,
        Away::SecondsMore(more) => more,
    };
    let took = |step: &Step| (step.commands.len(), timings.of_command(&step.change));
    let all_measured = !span.is_empty() && span.iter().map(took).all(|(_, measured)| measured.is_some());
    let work: Duration = span
        .iter()
        .map(took)
        .map(|(commands, measured)| measured.unwrap_or(ASSUMED_COMMAND) * u32::try_from(commands).unwrap_or(u32::MAX))
        .fold(Duration::ZERO, Duration::saturating_add);
    let work = u32::try_from(work.as_millis().div_ceil(1000))
        .unwrap_or(u32::MAX)
        .max(1);
    Some(match (away, all_measured) {
        (Away::WhileCommands, false) => Estimate {
            seconds: work.max(ASSUMED_BLIP),
            measured: false,
        },
        (_, all_measured) => Estimate {
            seconds: work.saturating_add(more),
            measured: all_measured && more == 0,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observed::Subscriber;

    fn step(change: Change, commands: usize) -> Step {
        Step {
            address: String::new(),
            change,
            makes_room: false,
            commands: vec![String::new(); commands],
        }
    }

    fn make() -> Change {
        Change::CreateSubscriber(1.try_into().unwrap(), Subscriber::default())
    }

    fn delete() -> Change {
        make().inverse()
    }

    fn millis(millis: &[u64]) -> Timings {
        Timings::of(millis.iter().map(|ms| (Work::of(&make()), Duration::from_millis(*ms))))
    }

    fn seconds(seconds: u32, measured: bool) -> Option<Estimate> {
        Some(Estimate { seconds, measured })
    }

    #[test]
    fn what_was_measured_takes_the_place_of_what_was_assumed() {
        let span = [step(make(), 2)];
        assert_eq!(
            estimate(Away::WhileCommands, &span, &Timings::default()),
            seconds(5, false)
        );
        // One that hung does not count.
        let measured = millis(&[700, 800, 30_000, 800, 750]);
        assert_eq!(estimate(Away::WhileCommands, &span, &measured), seconds(2, true));
        assert_eq!(
            estimate(Away::WhileCommands, &[step(make(), 9)], &measured),
            seconds(8, true)
        );
    }

    #[test]
    fn what_the_line_takes_is_assumed_however_well_the_commands_are_known() {
        let span = [step(make(), 1)];
        assert_eq!(
            estimate(Away::SecondsMore(20), &span, &Timings::default()),
            seconds(21, false)
        );
        assert_eq!(
            estimate(Away::SecondsMore(20), &span, &millis(&[3000])),
            seconds(23, false)
        );
    }

    #[test]
    fn one_command_that_nobody_measured_makes_all_of_it_assumed() {
        let span = [step(delete(), 1), step(make(), 1)];
        assert_eq!(estimate(Away::WhileCommands, &span, &millis(&[100])), seconds(5, false));
        assert_eq!(
            estimate(Away::WhileCommands, &span, &millis(&[9000])),
            seconds(10, false)
        );
    }

    #[test]
    fn what_is_not_felt_or_for_good_has_no_length() {
        for away in [Away::Not, Away::ForGood] {
            assert_eq!(estimate(away, &[step(make(), 1)], &Timings::default()), None);
        }
    }
}
