//! The daemon, a real Git server and a small fleet, and whatever happens to them: whichever commits are pushed by whomever,
//! whoever is killed, cut off or changed by hand, once all of them are up again the fleet is what the newest commit asks that
//! counts, and nobody who is in every commit was without service on the way.
//!
//! Each case has a number from which its events follow; how much the daemon gets done between them depends on the machine.
//! The message of a failure ends with the command that runs this case again. CONTRIBUTING.md has the command for many.

mod event;
mod wish;
mod world;

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::support::dice::Dice;

use world::{World, Wrong};

/// How often the fleet settles in a case, after the first time.
const ROUNDS: usize = 2;

/// What happens before it is to settle.
const EVENTS: usize = 6;

/// How many cases run side by side.
const SIDE_BY_SIDE: usize = 3;

/// What happened in a case, and how long after its beginning.
#[derive(Debug)]
struct Story {
    began: Instant,
    lines: Mutex<Vec<String>>,
}

impl Story {
    fn begin() -> Self {
        Self {
            began: Instant::now(),
            lines: Mutex::default(),
        }
    }

    fn tell(&self, what: &str) {
        let line = format!("{:6.2} s  {what}", self.began.elapsed().as_secs_f64());
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    fn text(&self) -> String {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).join("\n")
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

#[test]
fn whatever_happens_the_fleet_settles_at_the_newest_commit_that_counts() {
    let first = number("GAMOPS_SETTLE_SEED").unwrap_or(20_261_128_000);
    let cases = number("GAMOPS_SETTLE_CASES").unwrap_or(6);
    let is_long = number("GAMOPS_SETTLE_STORIES").is_some();
    let next = AtomicU64::new(first);
    let work = || {
        let mut failed = Vec::new();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first + cases {
                return failed;
            }
            let story = Story::begin();
            // A panic ends one case and is told with its number.
            let ran = std::panic::catch_unwind(AssertUnwindSafe(|| case(seed, &story)));
            let error = match ran {
                Ok(Ok(())) => {
                    if is_long {
                        println!("--- case {seed}\n{}", story.text());
                    }
                    continue;
                }
                Ok(Err(error)) => error,
                Err(_) => "it panicked".to_owned(),
            };
            failed.push(format!(
                "case {seed}: {error}\n--- what happened\n{}\nagain: GAMOPS_SETTLE_SEED={seed} GAMOPS_SETTLE_CASES=1 cargo test \
                 --test it settle::",
                story.text()
            ));
        }
    };
    let failed: Vec<String> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..SIDE_BY_SIDE).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    println!(
        "{cases} cases, {} events, settled {} times; {} cases failed",
        u64::try_from(EVENTS * ROUNDS).unwrap() * cases,
        u64::try_from(1 + ROUNDS).unwrap() * cases,
        failed.len()
    );
    assert!(
        failed.is_empty(),
        "{} of {cases} cases failed; the first:\n{}",
        failed.len(),
        failed[0]
    );
}

fn case(seed: u64, story: &Story) -> Result<(), Wrong> {
    let mut dice = Dice::new(seed);
    // Each server with signatures and without.
    let mut world = World::new(seed, seed / 3 % 2 == 1, story);
    let told = |world: &World<'_>, wrong: Wrong| format!("{wrong}\n--- the daemon's log\n{}", world.log());
    let mut made = 0;
    event::begin(&mut world);
    world.settle().map_err(|wrong| told(&world, wrong))?;
    for _ in 0..ROUNDS {
        for _ in 0..EVENTS {
            event::happens(&mut world, &mut dice, &mut made).map_err(|wrong| told(&world, wrong))?;
        }
        world.settle().map_err(|wrong| told(&world, wrong))?;
    }
    Ok(())
}
