//! How often Sonar may be asked: 400 times a minute and user, says its documentation.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The most requests within [`WINDOW`], whenever it begins: others may use the same user.
const MOST: usize = 280;

const WINDOW: Duration = Duration::from_secs(60);

/// When the last requests were sent.
#[derive(Debug, Default)]
pub(super) struct Pace(VecDeque<Instant>);

impl Pace {
    /// Takes the next turn and says when it is.
    pub(super) fn turn(&mut self, now: Instant) -> Instant {
        let at = match self.0.len() {
            MOST.. => self.0.pop_front().map_or(now, |first| now.max(first + WINDOW)),
            _ => now,
        };
        self.0.push_back(at);
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_minute_has_more_requests_than_it_may() {
        let start = Instant::now();
        let mut pace = Pace::default();
        let turns: Vec<Instant> = (0..1000)
            .map(|number| pace.turn(start + Duration::from_millis(number * 10)))
            .collect();
        for (number, turn) in turns.iter().enumerate() {
            let within = turns[number..].iter().take_while(|later| **later < *turn + WINDOW);
            assert!(within.count() <= MOST);
        }
        assert_eq!(turns[0], start);
        assert_eq!(turns[MOST], start + WINDOW);
    }

    #[test]
    fn who_asks_seldom_does_not_wait() {
        let start = Instant::now();
        let mut pace = Pace::default();
        for number in 0..1000 {
            let now = start + Duration::from_millis(number * 300);
            assert_eq!(pace.turn(now), now);
        }
    }
}
