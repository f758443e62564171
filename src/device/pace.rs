//! So many questions a second and no more, whoever asks.

use std::num::NonZeroU16;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// A turnstile: each turn comes at least so long after the one before.
#[derive(Debug)]
pub struct Pace {
    period: Duration,
    next: Mutex<Instant>,
}

impl Pace {
    /// At most so many turns a second.
    #[must_use]
    pub fn per_second(turns: NonZeroU16) -> Self {
        Self {
            period: Duration::from_secs(1) / u32::from(turns.get()),
            next: Mutex::new(Instant::now()),
        }
    }

    /// Waits for the next turn.
    pub(super) async fn turn(&self) {
        let at = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            let at = (*next).max(Instant::now());
            *next = at + self.period;
            at
        };
        sleep_until(at).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn turns_are_never_closer_than_was_said() {
        let pace = Pace::per_second(NonZeroU16::new(200).unwrap());
        let began = Instant::now();
        for _ in 0..5 {
            pace.turn().await;
        }
        // However slow the machine: four periods lie between five turns.
        assert!(began.elapsed() >= Duration::from_millis(20));
    }
}
