//! Small fleets, random changes, random misfortunes at random moments, over real SSH: whatever happens, the next run
//! converges, nobody who was left alone by the commit is without service for a moment, nothing of a stranger is
//! touched, and nothing unverified is saved.
//!
//! Each case has a number from which everything in it follows; the message of a failure ends with the command that
//! runs this case again. CONTRIBUTING.md has the command for many thousands.

mod misfortune;
mod wish;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use gamops::diagnostic::SourceFile;
use gamops::domain::{Firmware, Model};
use gamops::inventory;
use gamops::inventory::model::OnFailure;
use gamops::plan::guard::Allowances;
use gamops::reconcile::{Context, DeviceOutcome, DeviceResult, Events, Orders, Parallelism};
use gamops::sim::{DeviceSpec, Fleet, FleetOptions, Passed, SimDevice};
use gamops::store::Store;
use gamops::transport::credentials::Keyring;
use gamops::transport::ssh::HostKeyPolicy;
use tokio_util::sync::CancellationToken;

use crate::support::dice::Dice;
use crate::support::picture::Picture;
use misfortune::Misfortune;
use wish::{DEVICES, Wish};

/// Changes that a case goes through, each disturbed once.
const ROUNDS: usize = 4;

/// Applies in a case: the first, and in each round a disturbed one and the one after it.
const APPLIES: usize = 1 + 2 * ROUNDS;

/// How many cases run side by side.
const SIDE_BY_SIDE: usize = 4;

#[derive(Debug, Default)]
struct Figures {
    applies: AtomicUsize,
    faults: AtomicUsize,
    stopped: AtomicUsize,
    rolled_back: AtomicUsize,
    states: AtomicUsize,
    watched: AtomicUsize,
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

#[test]
fn whatever_happens_to_an_apply_nobody_loses_service_and_the_next_one_converges() {
    let first = number("GAMOPS_RANDOM_SEED").unwrap_or(20_261_127_000);
    let applies = number("GAMOPS_RANDOM_APPLIES").map_or(500, |count| usize::try_from(count).unwrap());
    let cases = u64::try_from(applies.div_ceil(APPLIES)).unwrap();
    let figures = Figures::default();
    let next = AtomicU64::new(first);
    let work = || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let mut failed = Vec::new();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first + cases {
                return failed;
            }
            // A panic ends one case and is told with its number.
            let ran = std::panic::catch_unwind(AssertUnwindSafe(|| runtime.block_on(case(seed, &figures))));
            let error = match ran {
                Ok(Ok(())) => continue,
                Ok(Err(error)) => error,
                Err(_) => format!("case {seed} panicked"),
            };
            failed.push(format!(
                "{error}\nagain: GAMOPS_RANDOM_SEED={seed} GAMOPS_RANDOM_APPLIES=1 cargo test --test it random::"
            ));
        }
    };
    let failed: Vec<String> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..SIDE_BY_SIDE).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    let count = |of: &AtomicUsize| of.load(Ordering::Relaxed);
    println!(
        "{} applies, {} faults: {} left a device unfinished, {} were rolled back; {} states of devices, {} looks at subscribers who were to be left \
         alone; subscribers lost: 0 where this passes",
        count(&figures.applies),
        count(&figures.faults),
        count(&figures.stopped),
        count(&figures.rolled_back),
        count(&figures.states),
        count(&figures.watched),
    );
    assert!(
        failed.is_empty(),
        "{} of {cases} cases failed; the first:\n{}",
        failed.len(),
        failed.first().unwrap()
    );
    assert!(count(&figures.applies) >= applies);
}

/// One case's fleet and what gamops remembers of it.
struct World {
    fleet: Fleet,
    store: Store,
    keyring: Arc<Keyring>,
    _folder: tempfile::TempDir,
}

impl World {
    async fn start() -> Self {
        let firmware: Firmware = "GAM-4/8-C_v1.8.2".parse().unwrap();
        let specs = DEVICES
            .iter()
            .map(|(key, model)| DeviceSpec::new(key, Model::by_name(model).unwrap(), firmware.clone()));
        let fleet = Fleet::start(specs.collect(), FleetOptions::default()).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        Self {
            fleet,
            store: Store::open(&folder.path().join("state.db")).unwrap(),
            keyring: Arc::new(Keyring::from_environment().unwrap()),
            _folder: folder,
        }
    }

    fn devices(&self) -> impl Iterator<Item = Arc<SimDevice>> {
        DEVICES.iter().map(|(key, _)| self.fleet.device(key).unwrap())
    }

    fn context(&self, wish: &Wish) -> Result<Context, String> {
        let text = wish.yaml(|key| {
            let device = self.fleet.device(key).unwrap();
            (device.ssh_addr().port(), device.snmp_addr().port())
        });
        let files = [SourceFile {
            path: inventory::ROOT_FILE.to_owned(),
            text,
        }];
        let loaded = inventory::load(&files);
        let inventory = loaded.inventory.ok_or_else(|| {
            let findings: Vec<&str> = loaded
                .report
                .findings()
                .iter()
                .map(|one| one.message.as_str())
                .collect();
            format!("the test made an invalid inventory: {findings:?}\n{}", files[0].text)
        })?;
        Ok(Context {
            inventory: Arc::new(inventory),
            commit: None,
            store: self.store.clone(),
            keyring: Arc::clone(&self.keyring),
            host_key_policy: HostKeyPolicy::AcceptNew,
            allowances: Allowances::default(),
            ignore_windows: false,
            now: jiff::Timestamp::now(),
            parallelism: Parallelism::default(),
            events: Events::default(),
            cancel: CancellationToken::new(),
            leases: gamops::reconcile::Leases::default(),
            aside: std::collections::BTreeSet::new(),
            sightings: gamops::reconcile::Sightings::default(),
            is_daemon: false,
            leaving: gamops::reconcile::Leaving::default(),
            reviewed: None,
        })
    }
}

async fn apply(context: &Context, on_failure: OnFailure) -> Result<Vec<DeviceResult>, String> {
    let planned = context.plan(&[]).await.map_err(|error| error.to_string())?;
    let orders = Orders {
        on_failure: Some(on_failure),
        // A simulated device that was cut off is back at once, or not at all.
        patience: Duration::from_secs(2),
        ..Orders::by("random")
    };
    let applied = context.apply(planned, &orders).await;
    Ok(applied.map_err(|error| error.to_string())?.results)
}

/// Applies without a fault, and expects that all goes well and nothing is left to do.
async fn converge(world: &World, context: &Context, figures: &Figures) -> Result<(), String> {
    let results = apply(context, OnFailure::Rollback).await?;
    figures.applies.fetch_add(1, Ordering::Relaxed);
    if let Some(bad) = results.iter().find(|result| !result.outcome.is_fine()) {
        return Err(format!("undisturbed, and yet: {bad:?}"));
    }
    let planned = context.plan(&[]).await.map_err(|error| error.to_string())?;
    let plan = planned.close().await;
    let is_done = !plan.is_actionable() && !plan.has_unread() && !plan.has_refusals();
    if !is_done {
        return Err(format!("something is left to do:\n{}", gamops::plan::plan_text(&plan)));
    }
    for device in world.devices() {
        let (running, startup) = (device.running_config(), device.startup_config().unwrap_or_default());
        if Picture::of(&running) != Picture::of(&startup) {
            return Err(format!("running is not startup:\n{running}\n---\n{startup}"));
        }
    }
    Ok(())
}

async fn case(seed: u64, figures: &Figures) -> Result<(), String> {
    let mut dice = Dice::new(seed);
    let world = World::start().await;
    let strangers = strangers(&world, &mut dice);
    let mut wish = Wish::random(&mut dice);
    converge(&world, &world.context(&wish)?, figures).await?;
    for round in 1..=ROUNDS {
        let before = wish.clone();
        wish.change(&mut dice);
        let misfortune = Misfortune::random(&mut dice, &wish);
        let told = |what: String| {
            let (before, after) = (before.services(), wish.services());
            format!("case {seed}, round {round}, {misfortune:?}: {what}\nbefore: {before}\nafter: {after}")
        };
        disturb(&world, &before, &wish, &strangers, &misfortune, figures)
            .await
            .map_err(told)?;
    }
    world.fleet.stop().await;
    Ok(())
}

/// One round: the change applied under a misfortune, then once more in peace; and all that must hold meanwhile.
async fn disturb(
    world: &World,
    before: &Wish,
    wish: &Wish,
    strangers: &BTreeMap<&'static str, BTreeSet<String>>,
    misfortune: &Misfortune,
    figures: &Figures,
) -> Result<(), String> {
    world.devices().for_each(|device| device.keep_trail());
    let context = world.context(wish)?;
    let victim = world.fleet.device(misfortune.device).unwrap();
    victim.set_fault(misfortune.fault.clone());
    let ran = apply(&context, misfortune.on_failure);
    let results = if misfortune.kills {
        tokio::select! {
            results = ran => Some(results?),
            // Dropped where it stands, as a killed program is.
            () = victim.until_held() => None,
        }
    } else {
        Some(ran.await?)
    };
    // What the device was told before it saw the end of the session still takes effect.
    while victim.counters().sessions > 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    victim.clear_faults();
    figures.applies.fetch_add(1, Ordering::Relaxed);
    figures.faults.fetch_add(1, Ordering::Relaxed);
    let outcomes = results.iter().flatten().map(|result| &result.outcome);
    let (mut stopped, mut rolled_back) = (results.is_none(), false);
    for outcome in outcomes {
        stopped |= matches!(outcome, DeviceOutcome::Stopped(_));
        rolled_back |= matches!(outcome, DeviceOutcome::RolledBack(_));
    }
    figures.stopped.fetch_add(usize::from(stopped), Ordering::Relaxed);
    figures
        .rolled_back
        .fetch_add(usize::from(rolled_back), Ordering::Relaxed);

    // Who moves is somewhere at every end.
    let now = |key: &str| Picture::of(&world.fleet.device(key).unwrap().running_config());
    for moved in wish.moved_since(before) {
        let held = |key: &str| now(key).services.contains_key(&moved.name);
        if !held(moved.from) && !held(moved.to) {
            return Err(format!("{} moves and is nowhere", moved.name));
        }
    }

    if misfortune.somebody_types {
        // Somebody else's words that nobody saved are somebody else's to save.
        victim.execute("copy running-config startup-config");
    }
    converge(world, &context, figures).await?;

    for device in world.devices() {
        let key = device.spec().name.as_str();
        let trail = device.trail();
        figures.states.fetch_add(trail.len(), Ordering::Relaxed);
        let left_alone = wish.left_alone_since(before, key);
        let anybody_hit = misfortune.hits_anybody && misfortune.device == key;
        let left_alone = if anybody_hit { Vec::new() } else { left_alone };
        figures
            .watched
            .fetch_add(trail.len() * left_alone.len(), Ordering::Relaxed);
        if !anybody_hit {
            watch(&trail, &left_alone, &strangers[key])?;
        }
        if !(misfortune.somebody_types && misfortune.device == key) {
            only_verified_is_saved(&trail)?;
        }
    }
    Ok(())
}

/// Looks at every state that a device was in. `strangers` are the beginnings of lines: what follows may have been changed by
/// hand in an earlier round.
fn watch(trail: &[Passed], left_alone: &[String], strangers: &BTreeSet<String>) -> Result<(), String> {
    let first = Picture::of(&trail[0].running);
    let of = |head: &String| first.lines.iter().find(|line| line.starts_with(head.as_str()));
    if let Some(gone) = strangers.iter().find(|head| of(head).is_none()) {
        return Err(format!("a stranger's `{gone}` is gone"));
    }
    let theirs: Vec<&String> = strangers.iter().filter_map(of).collect();
    for passed in trail {
        let now = Picture::of(&passed.running);
        for name in left_alone {
            if now.services.get(name) != first.services.get(name) || !now.services.contains_key(name) {
                return Err(format!(
                    "{name} was to be left alone, and after `{}` had {:?} instead of {:?}",
                    passed.after,
                    now.services.get(name),
                    first.services.get(name)
                ));
            }
        }
        if let Some(gone) = theirs.iter().find(|line| !now.lines.contains(**line)) {
            return Err(format!("a stranger's `{gone}` was touched by `{}`", passed.after));
        }
    }
    Ok(())
}

/// Every startup configuration on the way is the one of before or the one of the end.
fn only_verified_is_saved(trail: &[Passed]) -> Result<(), String> {
    let startup = |passed: &Passed| Picture::of(passed.startup.as_deref().unwrap_or_default()).named();
    let (first, last) = (startup(&trail[0]), startup(&trail[trail.len() - 1]));
    for passed in trail {
        let saved = startup(passed);
        if saved != first && saved != last {
            return Err(format!(
                "something unverified was saved by `{}`:\n{}",
                passed.after,
                passed.startup.as_deref().unwrap_or_default()
            ));
        }
    }
    Ok(())
}

/// Puts on each device what gamops does not own; returns how its lines begin: kind and number.
fn strangers(world: &World, dice: &mut Dice) -> BTreeMap<&'static str, BTreeSet<String>> {
    let mut all = BTreeMap::new();
    for (index, (key, _)) in DEVICES.iter().enumerate() {
        let device = world.fleet.device(key).unwrap();
        for stranger in 0..dice.below(3) {
            // Among the numbers that gamops would give out.
            let id = 2 + 2 * stranger;
            device.execute(&format!(
                "ghn bw-profile {id} name \"stranger {stranger}\" rate-downstream 77 rate-upstream 33\n\
                 ghn endpoint {id} name \"stranger {stranger}\" mac-address 00:0e:d8:99:{index:02x}:{stranger:02x} port {}\n\
                 ghn subscriber {id} name \"stranger {stranger}\" endpoint {id} vid {} untagged bw-profile {id}",
                4 - stranger,
                900 + stranger,
            ));
        }
        device.execute("copy running-config startup-config");
        let lines = Picture::of(&device.running_config()).lines;
        let head = |line: &String| line.split_inclusive(' ').take(3).collect::<String>();
        all.insert(*key, lines.iter().map(head).collect());
    }
    all
}
