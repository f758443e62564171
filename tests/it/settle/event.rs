//! What happens in a case.

use std::time::{Duration, Instant};

use gamops::sim::{Counted, Fault, Moment};

use crate::signature::{commit_signed, push_raw, push_signed};
use crate::support::dice::Dice;
use crate::support::picture::Picture;

use super::wish::{DEVICES, Wish};
use super::world::{World, Wrong};

/// How long an event may be waited for that need not come.
const NOT_LONG: Duration = Duration::from_secs(3);

/// Who makes a commit, or says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    /// Somebody whose key is listed.
    Alice,
    /// Somebody whose key is not.
    Mallory,
    /// Somebody who does not sign.
    Nobody,
    /// Somebody who wrote another message over one that Alice signed.
    Forger,
}

/// One thing happens, and the daemon gets more or less time for it.
pub(super) fn happens(world: &mut World<'_>, dice: &mut Dice, made: &mut u32) -> Result<(), Wrong> {
    let device = dice.pick(DEVICES).key;
    match dice.below(100) {
        0..24 => good(world, dice, made, By::Alice),
        24..34 => broken(world, dice),
        34..44 => {
            world.tell("the newest commit is written anew");
            if world.origin.git(&["rev-list", "--count", "HEAD"]) != "1" {
                world.origin.git(&["reset", "--quiet", "--soft", "HEAD~1"]);
            }
            good(world, dice, made, By::Alice);
        }
        44..50 => rewind(world, dice),
        50..60 => {
            let by = dice.pick(&[By::Mallory, By::Nobody, By::Forger]);
            good(world, dice, made, by);
        }
        60..63 => {
            world.tell("the branch is deleted");
            let bare = world.origin.bare().to_string_lossy().into_owned();
            world.origin.git(&["push", "--quiet", "--force", &bare, "main:other"]);
            // It may be gone already.
            world
                .origin
                .git(&["--git-dir", &bare, "update-ref", "-d", "refs/heads/main"]);
        }
        63..71 if world.runs() => world.kill(),
        63..71 => world.start(),
        71..77 => world.toggle_remote(),
        77..83 => world.toggle_power(device),
        83..90 => tamper(world, dice, device),
        _ => in_flight(world, dice, made, device),
    }
    world.roamer_is_served()?;
    match dice.below(10) {
        0..3 => {}
        3..6 => world.until(NOT_LONG, World::has_seen_tip),
        _ => world.until(NOT_LONG, |world, status| {
            world.has_seen_tip(status) && status["doing"].is_null()
        }),
    }
    world.roamer_is_served()
}

/// A valid inventory, signed by whomever.
fn good(world: &mut World<'_>, dice: &mut Dice, made: &mut u32, by: By) {
    let wishes = world.wishes();
    let mut wish = match world.newest() {
        Some(newest) if dice.chance(75) => newest,
        _ => dice.pick(&wishes),
    };
    wish.change(dice, made);
    world.tell(format!("a good commit by {by:?}, number {made}"));
    push(world, &wish, by);
}

fn push(world: &mut World<'_>, wish: &Wish, by: By) {
    world.write(wish);
    let (origin, keys) = (&world.origin, &world.keys);
    let commit = match by {
        By::Alice => push_signed(origin, keys, "alice", "by alice"),
        By::Mallory => push_signed(origin, keys, "mallory", "by mallory"),
        By::Nobody => origin.push("by nobody"),
        By::Forger => {
            commit_signed(origin, keys, "alice", "by alice");
            let genuine = origin.git(&["cat-file", "commit", "HEAD"]);
            push_raw(origin, &format!("{}\n", genuine.replace("by alice", "by the forger")))
        }
    };
    let counts = by == By::Alice || !world.signed;
    world.moved_to(commit, counts.then(|| wish.clone()));
}

/// The first commit.
pub(super) fn begin(world: &mut World<'_>) {
    push(world, &Wish::first(), By::Alice);
}

/// A commit by the right person that is no inventory.
fn broken(world: &mut World<'_>, dice: &mut Dice) {
    let wish = world.newest().unwrap_or_else(Wish::first);
    world.write(&wish);
    let services = world.origin.work().join("services.yaml");
    let how = dice.pick(&["an unknown plan", "no YAML", "no root file", "a link"]);
    match how {
        "an unknown plan" => world
            .origin
            .write("services.yaml", &wish.services().replace("plan: ", "plan: x")),
        "no YAML" => world.origin.write("services.yaml", "subscribers: [\n"),
        "no root file" => std::fs::remove_file(world.origin.work().join("gamops.yaml")).unwrap(),
        _ => {
            std::fs::remove_file(&services).unwrap();
            std::os::unix::fs::symlink("devices.yaml", &services).unwrap();
        }
    }
    world.tell(format!("a broken commit: {how}"));
    let commit = push_signed(&world.origin, &world.keys, "alice", "broken");
    world.moved_to(commit, None);
}

/// The branch goes back to where it was before.
fn rewind(world: &mut World<'_>, dice: &mut Dice) {
    let count: u32 = world.origin.git(&["rev-list", "--count", "HEAD"]).parse().unwrap();
    let back = 1 + dice.below(3);
    if back >= count {
        return;
    }
    world.tell(format!("the branch goes back by {back}"));
    let bare = world.origin.bare().to_string_lossy().into_owned();
    world
        .origin
        .git(&["reset", "--quiet", "--hard", &format!("HEAD~{back}")]);
    world.origin.git(&["push", "--quiet", "--force", &bare, "main"]);
    let commit = world.origin.git(&["rev-parse", "HEAD"]);
    world.moved_to(commit, None);
}

/// Somebody changes a device by hand. He takes service from nobody: that would be his doing, not the daemon's.
fn tamper(world: &mut World<'_>, dice: &mut Dice, device: &'static str) {
    if !world.is_on(device) {
        return;
    }
    world.disturbed.insert(device);
    let sim = world.fleet.device(device);
    let lines = Picture::of(&sim.running_config()).lines;
    let numbers = |kind: &str| -> Vec<String> {
        let of_kind = lines.iter().filter_map(|line| line.strip_prefix(kind));
        let ours = of_kind.filter(|line| !line.contains("typed"));
        ours.filter_map(|line| Some(line.split_once(' ')?.0.to_owned()))
            .collect()
    };
    let (subscribers, profiles) = (numbers("ghn subscriber "), numbers("ghn bw-profile "));
    let saved = dice.chance(50);
    let line = match dice.below(3) {
        0 if !subscribers.is_empty() => {
            format!(
                "ghn subscriber {} vid {}",
                dice.pick(&subscribers),
                3000 + dice.below(900)
            )
        }
        1 if !profiles.is_empty() => format!("ghn bw-profile {} rate-downstream 770", dice.pick(&profiles)),
        _ => format!("ghn subscriber 90 name \"typed\" vid {} untagged", 900 + dice.below(90)),
    };
    // What is nobody's of ours is saved by nobody else.
    let saved = saved || line.contains("typed");
    sim.execute(&line);
    if saved {
        sim.execute("copy running-config startup-config");
    }
    let word = if saved { "saves" } else { "does not save" };
    world.tell(format!("somebody types `{line}` on {device} and {word}"));
}

/// The daemon or a device dies in the middle of a change.
fn in_flight(world: &mut World<'_>, dice: &mut Dice, made: &mut u32, device: &'static str) {
    if !world.runs() {
        world.start();
    }
    let fault = Fault::Hold {
        at: 1 + dice.below(3),
        of: Counted::Configuration,
        when: dice.pick(&[Moment::Before, Moment::After, Moment::InOutput]),
    };
    let is_killed = dice.chance(60);
    world.tell(format!("{device} holds a command: {fault:?}"));
    let sim = world.fleet.device(device);
    sim.set_fault(fault);
    good(world, dice, made, By::Alice);
    let deadline = Instant::now() + NOT_LONG;
    let mut is_held = false;
    while !is_held && Instant::now() < deadline {
        let held = async { tokio::time::timeout(Duration::from_millis(50), sim.until_held()).await };
        is_held = world.fleet.block_on(held).is_ok();
        let done = |status: &serde_json::Value| {
            let is_done = status["devices"][device]["commit"] == status["in_force"]["commit"];
            is_done && status["doing"].is_null()
        };
        let seen = world.status().filter(|status| world.has_seen_tip(status));
        if !is_held && seen.is_some_and(|status| done(&status)) {
            // The commit is not about this device.
            break;
        }
    }
    match (is_held, is_killed) {
        (false, _) => world.tell("  it did not come to that"),
        (true, true) => world.kill(),
        (true, false) if world.is_on(device) => world.toggle_power(device),
        (true, false) => {}
    }
    sim.clear_faults();
}
