//! Hostile and broken feeds, drawn from a seed: whatever a billing system says, nobody is suspended or removed but whom it meant, and once
//! it is well again one sync sets everything right.
//!
//! All parts are real: the simulated system behind HTTP, the client, the decision, the edit, the commit, a bare repository, the state
//! database. What is true is kept by the test itself (`isp`), which reads the branch line by line and shares no code with what it judges.
//! A feed: people do what people do, something breaks (`damage`), gamops syncs, and is judged; all is mended, gamops syncs, and the branch has to
//! be what is true. Feeds come in stories of five, since what one leaves behind is the next one's beginning.

mod damage;
mod isp;
mod lines;

use gamops::domain::BillingKind;

use crate::support::dice::Dice;
use isp::Isp;

/// How many feeds are drawn for each system, unless `GAMOPS_HOSTILE_FEEDS` says otherwise.
const FEEDS: u64 = 100;

/// Feeds of a story.
const IN_A_STORY: u64 = 5;

/// The seed of the first story, unless `GAMOPS_HOSTILE_SEED` says otherwise; each has the next.
const SEED: u64 = 1;

/// How many stories are told side by side.
const SIDE_BY_SIDE: u64 = 3;

fn number(name: &str, usual: u64) -> u64 {
    let said = std::env::var(name).ok();
    said.map_or(usual, |said| said.parse().expect("it is a number"))
}

/// Tells one story.
fn story(kind: BillingKind, seed: u64) {
    let mut dice = Dice::new(seed ^ 0x0068_6f73_7469_6c65);
    let again = format!(
        "GAMOPS_HOSTILE_SEED={seed} GAMOPS_HOSTILE_FEEDS={IN_A_STORY} cargo test --test it feeds::{}",
        kind.key()
    );
    let mut isp = Isp::new(kind, again);
    for _ in 0..IN_A_STORY {
        isp.feed(&mut dice);
    }
}

fn stories(kind: BillingKind) {
    let (feeds, seed) = (
        number("GAMOPS_HOSTILE_FEEDS", FEEDS),
        number("GAMOPS_HOSTILE_SEED", SEED),
    );
    let stories = feeds.div_ceil(IN_A_STORY);
    std::thread::scope(|scope| {
        let tellers: Vec<_> = (0..SIDE_BY_SIDE.min(stories))
            .map(|teller| {
                scope.spawn(move || {
                    let own = (teller..stories).step_by(usize::try_from(SIDE_BY_SIDE).unwrap());
                    own.for_each(|story_number| story(kind, seed + story_number));
                })
            })
            .collect();
        for teller in tellers {
            if let Err(panic) = teller.join() {
                std::panic::resume_unwind(panic);
            }
        }
    });
}

#[test]
fn splynx_cuts_nobody_off_whatever_it_says() {
    stories(BillingKind::Splynx);
}

#[test]
fn sonar_cuts_nobody_off_whatever_it_says() {
    stories(BillingKind::Sonar);
}
