//! How the daemon fares over time: from a push, or a change in a billing system, to devices that are known to hold it; idle; and round after
//! round. It is the real program in a process of its own; repository, billing system and devices are another.
//!
//!     cargo bench --bench daemon                       all of it
//!     cargo bench --bench daemon -- webhook poll       parts of it: webhook, poll, billing, idle, soak
//!
//! As part of the tests it runs once on a small fleet. Prints `name: value` lines. Linux only: what a process uses is read from `/proc`.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark ends where something is not as it should be"
)]

use std::time::{Duration, Instant};

use gamops::sim::billing::{Seed, SeedCustomer, SeedOffer, SeedService};
use gamops::sim::splynx::{KEY, SECRET, Splynx, Target};

use world::{SUBSCRIBERS, World, service};

#[path = "shared/git.rs"]
mod shared;
#[path = "shared/world.rs"]
mod world;

/// How long a device takes over each line.
const REPLY: Duration = Duration::from_millis(20);

/// The shortest interval that the daemon takes.
const POLL: Duration = Duration::from_secs(1);

/// How much is done.
struct Scale {
    devices: usize,
    pushes: usize,
    events: usize,
    idle_devices: usize,
    idle: Duration,
    rounds: u64,
    /// The round after which nothing is to grow any more.
    warm: u64,
}

const FULL: Scale = Scale {
    devices: 50,
    pushes: 200,
    events: 100,
    idle_devices: 500,
    idle: Duration::from_secs(120),
    rounds: 1_440,
    warm: 100,
};

const SMALL: Scale = Scale {
    devices: 3,
    pushes: 2,
    events: 2,
    idle_devices: 5,
    idle: Duration::from_secs(1),
    rounds: 6,
    warm: 3,
};

fn main() {
    let scale = if std::env::args().any(|argument| argument == "--bench") {
        FULL
    } else {
        SMALL
    };
    let parts: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let is_wanted = |part: &str| parts.is_empty() || parts.iter().any(|word| word == part);
    if is_wanted("webhook") {
        pushes(&scale, "webhook", Duration::from_secs(3600));
    }
    if is_wanted("poll") {
        pushes(&scale, "poll", POLL);
    }
    if is_wanted("billing") {
        billing(&scale);
    }
    if is_wanted("idle") {
        idle(&scale);
    }
    if is_wanted("soak") {
        soak(&scale);
    }
}

/// From the moment at which a commit is at the branch to that at which every device is known to hold it. Each commit gives one subscriber
/// another VLAN.
fn pushes(scale: &Scale, way: &str, poll: Duration) {
    let world = World::new(scale.devices);
    world.fleet_takes(REPLY);
    world.push();
    world.publish();
    let daemon = world.follow(poll);
    daemon.until_applied(&world.tip());
    let mut took: Vec<Duration> = (0..scale.pushes)
        .map(|number| {
            world.write_gam(number % scale.devices, 1001 + number % 2000);
            world.push();
            // So that a push falls anywhere between two polls.
            let spread = Duration::from_millis(u64::try_from(number * 370 % 1000).unwrap());
            std::thread::sleep(if way == "poll" { spread } else { Duration::ZERO });
            world.publish();
            let pushed = Instant::now();
            if way == "webhook" {
                daemon.hook();
            }
            daemon.until_applied(&world.tip());
            pushed.elapsed()
        })
        .collect();
    took.sort_unstable();
    println!(
        "pushes by {way}: {} to {} devices that take {} ms a line",
        took.len(),
        scale.devices,
        REPLY.as_millis()
    );
    println!("push to verified by {way}, p50, seconds: {:.2}", at(&took, 50));
    println!("push to verified by {way}, p99, seconds: {:.2}", at(&took, 99));
    if way == "poll" {
        println!("interval of the poll, seconds: {:.2}", poll.as_secs_f64());
    }
}

/// The value below which so many percent of sorted ones are, in seconds.
fn at(took: &[Duration], percent: usize) -> f64 {
    took[(took.len() * percent / 100).min(took.len() - 1)].as_secs_f64()
}

/// From the moment at which an account is blocked in Splynx, or pays, to that at which its device is known to hold that: by a webhook, a look at
/// the account, a commit, its push, and a round over all devices.
fn billing(scale: &Scale) {
    let world = World::new(scale.devices);
    world.fleet_takes(REPLY);
    world.push();
    world.publish();
    let splynx = world.block_on(Splynx::start(&seed(scale.devices))).unwrap();
    let settings = format!(
        "billing: {{ splynx: {{ url: \"{}\", credentials: billing, poll: 1h, webhook: {{ credentials: hook }} }} }}\n",
        splynx.url()
    );
    let secrets = [
        ("GAMOPS_CRED_BILLING_USERNAME", KEY),
        ("GAMOPS_CRED_BILLING_PASSWORD", SECRET),
    ];
    let daemon = world.follow_with(Duration::from_secs(3600), &settings, &secrets);
    daemon.until_applied(&world.tip());
    daemon.until(|status| !status["billing"]["splynx"]["swept"].is_null());
    splynx.hook(Target {
        url: daemon.url("billing/splynx"),
        secret: "hook".to_owned(),
        is_form: false,
    });
    let mut took: Vec<Duration> = (0..scale.events)
        .map(|number| {
            // Each account twice in a row: it is blocked, and it pays.
            let account = service(number / 2 % scale.devices, 1);
            let before = world.served_tip();
            let began = Instant::now();
            let customer = splynx.customer(u64::try_from(account).unwrap());
            if number % 2 == 0 {
                customer.block();
            } else {
                customer.pay();
            }
            daemon.until(|status| {
                let commit = &status["in_force"]["commit"];
                let holds = |device: &serde_json::Value| device["state"] == "in-sync" && device["commit"] == *commit;
                *commit != *before && status["devices"].as_object().unwrap().values().all(holds)
            });
            began.elapsed()
        })
        .collect();
    took.sort_unstable();
    println!(
        "changes of accounts: {}, {} devices that take {} ms a line",
        took.len(),
        scale.devices,
        REPLY.as_millis()
    );
    println!("billing to verified, p50, seconds: {:.2}", at(&took, 50));
    println!("billing to verified, p99, seconds: {:.2}", at(&took, 99));
}

/// A customer for each subscriber, with what the inventory gives it.
fn seed(devices: usize) -> Seed {
    let offer = |(id, name, kbps): (u64, &str, u64)| SeedOffer {
        id,
        name: name.to_owned(),
        down_kbps: kbps,
        up_kbps: kbps,
    };
    let lines = (0..devices).flat_map(|device| (1..=SUBSCRIBERS).map(move |line| (device, line)));
    let customers = lines.map(|(device, line)| {
        let id = u64::try_from(service(device, line)).unwrap();
        SeedCustomer {
            id,
            name: format!("Customer {id}"),
            services: vec![SeedService {
                id,
                offer: if line % 2 == 0 { 2 } else { 1 },
                mac: None,
            }],
            ..SeedCustomer::default()
        }
    });
    Seed {
        offers: [(1, "silver", 100_000), (2, "gold", 500_000)].map(offer).into(),
        customers: customers.collect(),
    }
}

/// What the daemon uses when there is nothing to do, and what a round over the fleet takes.
fn idle(scale: &Scale) {
    let world = World::new(scale.idle_devices);
    world.push();
    world.publish();
    let daemon = world.follow(Duration::from_secs(60));
    daemon.until_applied(&world.tip());
    println!(
        "memory after a first apply to all of them, MB: {:.0}",
        daemon.used().memory_kib as f64 / 1024.0
    );
    // From here on as it is on most days: everything is in sync.
    drop(daemon);
    let daemon = world.follow(Duration::from_secs(60));
    daemon.until_applied(&world.tip());
    let round = daemon.used();
    daemon.round();
    let before = daemon.used();
    println!("idle with devices: {}", scale.idle_devices);
    println!(
        "processor for one round over them, seconds: {:.2}",
        (before.processor - round.processor).as_secs_f64()
    );
    std::thread::sleep(scale.idle);
    let after = daemon.used();
    let share = (after.processor - before.processor).as_secs_f64() / scale.idle.as_secs_f64();
    println!("processor, idle, percent: {:.2}", share * 100.0);
    println!("memory, idle, MB: {:.0}", after.memory_kib as f64 / 1024.0);
    println!("most memory, MB: {:.0}", after.peak_kib as f64 / 1024.0);
}

/// Round after round over devices that are in sync.
fn soak(scale: &Scale) {
    let world = World::new(scale.devices);
    world.push();
    world.publish();
    let daemon = world.follow(Duration::from_secs(3600));
    daemon.until_applied(&world.tip());
    let began = Instant::now();
    for number in 1..=scale.rounds {
        daemon.round();
        if number == scale.warm || number == scale.rounds {
            let used = daemon.used();
            println!(
                "after round {number}: {:.1} MB, {} descriptors, {} threads",
                used.memory_kib as f64 / 1024.0,
                used.descriptors,
                used.threads
            );
        }
    }
    println!(
        "soak, {} rounds over {} devices, seconds: {:.0}",
        scale.rounds,
        scale.devices,
        began.elapsed().as_secs_f64()
    );
}
