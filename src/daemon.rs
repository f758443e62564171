//! The daemon: what was merged reaches the devices by itself.
//!
//! One loop. It looks at the repository, judges what is there, and makes rounds over the fleet with what is in force; each
//! round is a plan and an apply like any other, under the same guards, leases and journal. What wakes it is a reason to look,
//! never an order: a webhook's content is not read.

mod access;
pub mod adopt;
pub mod billing;
mod errand;
mod file_events;
mod force;
mod metrics;
mod pages;
mod publish;
pub mod reviewed;
mod round;
pub mod settings;
mod source;
pub mod standing;
pub mod status;
mod systemd;
pub mod tell;
mod webhook;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Notify, mpsc, watch};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use crate::domain::TimeSpan;
use crate::inventory::Cache;
use crate::inventory::drift::lapsed;
use crate::inventory::since::differences;
use crate::observed::sha256;
use crate::reconcile::{Event, Events, Progress, Sightings, chain};
use crate::store::{Ran, RunningDaemon, Store, StoreError, host_name};
use crate::transport::credentials::{Credentials, Keyring};

use billing::{Billed, Doors, Office, Place, Premises};
use errand::Errands;
use force::{InForce, Rejected, Verdict, judge};
use publish::Publisher;
use reviewed::Reviews;
use round::{Order, Outcome, Reason, Tools};
use settings::Settings;
use source::{Found, LookError, Source};
use standing::{Fleet, Standing, State};
use status::{Force, Refused, Status};
use tell::Teller;
use tell::commit::Commits;

/// The daemon cannot begin or go on. Operator's or the machine's fault.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// The repository is nothing that can be followed.
    #[error("following the repository")]
    Source(#[source] LookError),
    /// The state database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No pages can be served there.
    #[error("serving pages at {listen}")]
    Listen {
        /// Address and port.
        listen: std::net::SocketAddr,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The webhook's secret is not to be had.
    #[error("the secret of the webhook")]
    Secret(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// What is done to a daemon from outside.
#[derive(Debug, Clone, Default)]
pub struct Control {
    /// Look at the repository now.
    pub look: Arc<Notify>,
    /// Look at the repository and at every device now, those that are left to people included.
    pub wake: Arc<Notify>,
    /// Look at these devices now.
    pub asked: Asked,
    /// End, after the commands in flight; what was begun is given back.
    pub stop: CancellationToken,
}

/// Devices that somebody wants to have looked at now.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    devices: Arc<Mutex<BTreeSet<String>>>,
    more: Arc<Notify>,
}

impl Asked {
    /// Asks for devices, by their keys.
    pub fn ask(&self, devices: impl IntoIterator<Item = String>) {
        self.devices().extend(devices);
        self.more.notify_one();
    }

    fn take(&self) -> BTreeSet<String> {
        std::mem::take(&mut *self.devices())
    }

    /// A set is whole whoever panicked while it was locked.
    fn devices(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.devices.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where the daemon keeps things, unless the settings say otherwise: a folder of this machine.
#[derive(Debug, Clone)]
pub struct Places(pub PathBuf);

impl Places {
    /// The state database of an inventory: the same that `gamops apply` uses.
    #[must_use]
    pub fn state(&self, settings: &Settings, inventory: &str) -> PathBuf {
        let usual = || self.0.join(Path::new(inventory).with_extension("db"));
        settings.state.clone().unwrap_or_else(usual)
    }

    /// The mirror of a repository.
    #[must_use]
    pub fn mirror(&self, settings: &Settings) -> PathBuf {
        let name: String = sha256(&settings.repository.address).chars().take(12).collect();
        let usual = || self.0.join(format!("mirror-{name}.git"));
        settings.mirror.clone().unwrap_or_else(usual)
    }
}

/// Runs until it is told to stop.
///
/// # Errors
///
/// [`DaemonError`] where it cannot begin. Later, what cannot be reached is told and tried again.
pub async fn run(settings: Settings, places: Places, control: Control) -> Result<(), DaemonError> {
    let address = settings
        .address()
        .map_err(|source| DaemonError::Source(LookError::Address(source)))?;
    let source = Source::new(address.clone(), &settings, &places.mirror(&settings)).map_err(DaemonError::Source)?;
    let (status, told) = watch::channel(Status {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started: Timestamp::now(),
        alive: Timestamp::now(),
        repository: format!("{address}, branch {}", settings.repository.branch),
        ..Status::default()
    });
    if let Some(billing) = &settings.billing {
        let systems = billing.systems().map(|(kind, _)| (kind, Billed::default()));
        status.send_modify(|status| status.billing = systems.collect());
    }
    let doors = Doors::new(status.clone());
    let kept = places.mirror(&settings).with_extension("observed.json");
    let serving = match &settings.http {
        None => None,
        Some(http) => Some(pages::serve(http, &settings, told.clone(), &control, &doors, &kept).await?),
    };
    let notifying = systemd::notify(told, pages::patience(&settings));
    let watching = file_events::start(&address, &settings, Arc::clone(&control.look));
    let publisher = Publisher::start(&settings, kept, status.clone());
    let follower = format!("{address}, branch {}", settings.repository.branch);
    let (follows, branch) = match source.folder(&settings) {
        Some(folder) => (folder.display().to_string(), None),
        None => (address.to_string(), Some(settings.repository.branch.clone())),
    };
    let errands = Errands::new(RunningDaemon {
        who: actor(),
        pid: std::process::id(),
        follows,
        branch,
    });
    let mut daemon = Daemon {
        office: None,
        billed: None,
        doors,
        errands,
        teller: Teller::new(settings.tell.clone(), settings.forge.clone(), follower, status.clone()),
        reviews: Reviews::new(&settings, &source).map_err(DaemonError::Source)?,
        publisher: publisher.map_err(|source| DaemonError::Source(LookError::Address(source)))?,
        places,
        source,
        status,
        control,
        cache: Cache::default(),
        found: None,
        rejected: None,
        force: None,
        store: None,
        fleet: Fleet::default(),
        planned: None,
        refused_with: BTreeMap::new(),
        next_look: Timestamp::now(),
        next_drift: Timestamp::now(),
        asked: false,
        settings,
    };
    daemon.resume().await;
    let result = daemon.follow().await;
    daemon.teller.stop().await;
    drop((serving, notifying, watching));
    result
}

/// The state database, opened where it is not yet.
fn open(store: &mut Option<Store>, path: &Path) -> Result<Store, StoreError> {
    match store {
        Some(store) => Ok(store.clone()),
        None => Ok(store.insert(Store::open(path)?).clone()),
    }
}

/// Who the daemon is, as people read it.
fn actor() -> String {
    format!("gamops-daemon@{}", host_name())
}

/// What is being done to a device that is at this point, in words.
const fn doing(progress: &Progress) -> Option<&'static str> {
    match progress {
        Progress::Applying { .. } | Progress::Sent { .. } | Progress::Verifying | Progress::Saving => Some("applying"),
        Progress::Reconnecting | Progress::RollingBack => Some("giving back"),
        Progress::Contacting
        | Progress::Read
        | Progress::NotRead
        | Progress::Waiting
        | Progress::RolledBack
        | Progress::Finished
        | Progress::Stopped { .. } => None,
    }
}

/// A length of time to add to a moment.
fn signed(span: TimeSpan) -> SignedDuration {
    SignedDuration::from_secs(span.as_secs().into())
}

struct Daemon {
    settings: Settings,
    places: Places,
    source: Source,
    status: watch::Sender<Status>,
    publisher: Option<Publisher>,
    reviews: Option<Reviews>,
    control: Control,
    cache: Cache,
    /// What was found last, valid or not; see [`Found::seen`].
    found: Option<String>,
    /// The full id of the newest commit, where it is not valid.
    rejected: Option<String>,
    force: Option<InForce>,
    store: Option<Store>,
    fleet: Fleet,
    teller: Teller,
    errands: Errands,
    /// The billing clerks, once there is an inventory to write to.
    office: Option<Office>,
    /// Where billing systems knock.
    doors: Doors,
    /// The id of the inventory that the clerks were last told of.
    billed: Option<String>,
    /// The id of the inventory that a round over the whole fleet was last made with.
    planned: Option<String>,
    /// What devices that are left to people were last asked with: other credentials are worth another try.
    refused_with: BTreeMap<String, Option<Credentials>>,
    next_look: Timestamp,
    next_drift: Timestamp,
    asked: bool,
}

impl Daemon {
    /// Puts the commit in force that an earlier process left in force: what is at the branch now may be invalid.
    async fn resume(&mut self) {
        match self.source.good(&self.settings).await {
            None => {}
            Some(Ok(found)) => self.take(found),
            Some(Err(error)) => tracing::warn!("the commit that was in force cannot be read again: {}", chain(&error)),
        }
    }

    /// The loop.
    async fn follow(&mut self) -> Result<(), DaemonError> {
        while !self.control.stop.is_cancelled() {
            let now = Timestamp::now();
            self.status.send_modify(|status| status.alive = now);
            if self.asked || self.next_look <= now {
                self.look(now).await;
            }
            self.run_errands().await?;
            self.bill()?;
            if let Some((reason, only)) = self.due(now) {
                if reason == Reason::Commit {
                    // The forge is to say that it is being applied.
                    self.tell().await?;
                }
                self.round(reason, only, actor()).await?;
            }
            self.tell().await?;
            self.wait().await;
        }
        Ok(())
    }

    /// Does what people have ordered, once what they may have pushed just before was looked at.
    async fn run_errands(&mut self) -> Result<(), DaemonError> {
        while let Some(force) = &self.force
            && !self.control.stop.is_cancelled()
        {
            let inventory = force.inventory.id.clone();
            let store = open(&mut self.store, &self.places.state(&self.settings, &inventory))?;
            let Some((id, errand)) = self.errands.next(&store, &inventory, Timestamp::now()).await? else {
                return Ok(());
            };
            tracing::info!("{} orders {}", errand.by, errand.devices.join(", "));
            self.look(Timestamp::now()).await;
            let refusal = match &self.force {
                Some(force) => errand::refusal(&errand, force, self.rejected.as_deref()),
                None => Some("nothing is in force".to_owned()),
            };
            let ran = match refusal {
                Some(refusal) => Ran {
                    refused: vec![refusal],
                    ..Ran::default()
                },
                None => {
                    let only: BTreeSet<String> = errand.devices.iter().cloned().collect();
                    self.fleet.let_try(|device| only.contains(device));
                    let by = format!("{} by {}", errand.by, actor());
                    let outcome = self.round(Reason::Ordered, only, by).await?;
                    errand::ran(&errand, &outcome, self.fleet.devices())
                }
            };
            store.end_errand(id, &ran).await?;
        }
        Ok(())
    }

    /// Has the billing clerks work for the inventory in force.
    fn bill(&mut self) -> Result<(), DaemonError> {
        let (Some(force), Some(_)) = (&self.force, &self.settings.billing) else {
            return Ok(());
        };
        if self.billed.as_deref() == Some(&force.id) {
            return Ok(());
        }
        let store = open(&mut self.store, &self.places.state(&self.settings, &force.inventory.id))?;
        let office = match self.office.take() {
            Some(office) if office.inventory == force.inventory.id => office,
            _ => Office::open(&Premises {
                settings: Arc::new(self.settings.clone()),
                mirror: billing::mirror_beside(&self.places.mirror(&self.settings)),
                followed: self.places.mirror(&self.settings),
                store: store.clone(),
                inventory: force.inventory.id.clone(),
                status: self.status.clone(),
                doors: self.doors.clone(),
                look: Arc::clone(&self.control.look),
                stop: self.control.stop.child_token(),
            }),
        };
        // Without secrets no device can be asked; the round that follows says so.
        if let Ok(keyring) = Keyring::from_environment() {
            let tools = Tools {
                store,
                keyring: Arc::new(keyring),
                events: Events::default(),
                sightings: Sightings::default(),
                cancel: self.control.stop.child_token(),
                actor: actor(),
            };
            let order = Order {
                force,
                aside: self.fleet.aside(Timestamp::now()),
                given_up: BTreeSet::new(),
                only: BTreeSet::new(),
                is_ordered: false,
                source: &self.source,
                reviewed: None,
            };
            office.move_to(Place {
                context: round::context(&self.settings, &tools, &order),
                commit: force.id.clone(),
            });
        }
        self.billed = Some(force.id.clone());
        self.office = Some(office);
        Ok(())
    }

    /// Waits until there is something to do, a second at most: people who order something are not to wait, and the loop shows so
    /// that it lives.
    async fn wait(&mut self) {
        let next = [Some(self.next_look), Some(self.next_drift), self.fleet.next()]
            .into_iter()
            .flatten()
            .min();
        let pause = next.and_then(|next| Duration::try_from(next.duration_since(Timestamp::now())).ok());
        let pause = pause.unwrap_or_default().min(Duration::from_secs(1));
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = self.control.stop.cancelled() => {}
            () = self.control.look.notified() => self.next_look = Timestamp::now(),
            () = self.control.asked.more.notified() => {}
            () = self.control.wake.notified() => {
                self.asked = true;
                self.fleet.let_try(|_| true);
            }
        }
    }

    /// Looks at the repository.
    async fn look(&mut self, now: Timestamp) {
        let poll = signed(self.settings.repository.poll);
        self.next_look = now.saturating_add(poll).unwrap_or(now);
        let looked = match Keyring::from_environment() {
            Ok(keyring) => {
                let look = self.source.look(&self.settings, &keyring, self.found.as_deref());
                let look = look.instrument(tracing::info_span!(parent: None, "look at the repository"));
                tokio::select! {
                    looked = look => looked.map_err(|error| chain(&error)),
                    () = self.control.stop.cancelled() => return,
                }
            }
            Err(error) => Err(chain(&error)),
        };
        match looked {
            Ok(found) => {
                self.status.send_modify(|status| {
                    status.looked = Some(Timestamp::now());
                    if status.unreachable.take().is_some() {
                        tracing::info!("the repository can be looked at again");
                    }
                });
                if let Some(found) = found {
                    self.take(found);
                }
            }
            Err(reason) => self.status.send_modify(|status| {
                let since = status.unreachable.as_ref().map_or(now, |before| before.since);
                if status.unreachable.as_ref().is_none_or(|before| before.reason != reason) {
                    tracing::error!("the repository cannot be looked at, what is in force stays: {reason}");
                }
                status.unreachable = Some(Refused {
                    commit: None,
                    reason,
                    since,
                });
            }),
        }
    }

    /// Takes what was found: in force as far as it is valid, otherwise shown.
    fn take(&mut self, found: Found) {
        self.found = Some(found.seen.clone());
        let id = found.id.clone();
        let (force, rejected) = match judge(found, &mut self.cache, self.force.as_ref(), Timestamp::now()) {
            Verdict::Valid(force, notes) => (Some((force, notes)), None),
            Verdict::Partly(force, notes, rejected) => (Some((force, notes)), Some(rejected)),
            Verdict::Rejected(rejected) => (None, Some(rejected)),
        };
        let is_newest = force.is_some();
        if let Some((force, notes)) = force {
            self.put_in_force(force, &notes);
        }
        self.rejected = (rejected.as_ref().is_some_and(|rejected| rejected.commit.is_some())).then_some(id);
        if let Some(Rejected { commit, reason, .. }) = &rejected {
            let name = commit.as_deref().unwrap_or("the folder as it is");
            let what = if is_newest {
                "its broken files count as they were"
            } else {
                "it changes nothing"
            };
            tracing::error!("{name} is not valid, {what}:\n{reason}");
        }
        self.status.send_modify(|status| {
            status.rejected = rejected.map(|rejected| Refused {
                commit: rejected.commit,
                reason: rejected.reason,
                since: rejected.at,
            });
        });
    }

    fn put_in_force(&mut self, force: InForce, notes: &[String]) {
        for note in notes {
            tracing::warn!("{}: {note}", force.name());
        }
        tracing::info!("in force: {} ({} devices)", force.name(), force.inventory.devices.len());
        if let Some(reviews) = &mut self.reviews {
            reviews.follow(self.force.as_ref(), &force);
        }
        if let Err(error) = self.source.put_good(&self.settings, &force.id, &force.stale) {
            tracing::error!("which commit is in force could not be noted: {}", chain(&error));
        }
        self.fleet.follow(&force.inventory, force.since);
        self.fleet.hold(&force.stale.held, Some(force.name()), force.since);
        // Devices that are left to people, and of which the same is asked as before, stay left to them.
        match &self.force {
            None => self.fleet.let_try(|_| true),
            Some(before) => {
                let differing = differences(&before.inventory, &force.inventory);
                self.fleet.let_try(|key| differing.contains_key(key));
            }
        }
        let devices = self.fleet.devices().clone();
        self.status.send_modify(|status| {
            status.guarded.clear();
            status.devices = devices;
            status.in_force = Some(Force {
                inventory: force.inventory.id.clone(),
                commit: force.commit.clone(),
                signed_by: force.signed_by.clone(),
                stale: force.stale.texts.keys().cloned().collect(),
                since: force.since,
            });
        });
        self.force = Some(force);
    }

    /// Why there is to be a round now, and on which devices; all of them where none is named.
    fn due(&mut self, now: Timestamp) -> Option<(Reason, BTreeSet<String>)> {
        let force = self.force.as_ref()?;
        let asked = std::mem::take(&mut self.asked);
        if self.planned.as_deref() != Some(&force.id) {
            return Some((Reason::Commit, BTreeSet::new()));
        }
        if asked {
            return Some((Reason::Asked, BTreeSet::new()));
        }
        let mut named = self.control.asked.take();
        // Of what is left alone because its file is not valid, nobody knows what is asked.
        named.retain(|device| force.inventory.devices.contains_key(device) && !force.stale.held.contains_key(device));
        if !named.is_empty() {
            self.fleet.let_try(|device| named.contains(device));
            return Some((Reason::Asked, named));
        }
        let unsure = self
            .reviews
            .as_ref()
            .map(|reviews| reviews.due(now))
            .unwrap_or_default();
        if !unsure.is_empty() {
            return Some((Reason::Review, unsure));
        }
        if self.next_drift <= now {
            return Some((Reason::Drift, BTreeSet::new()));
        }
        let due = self.fleet.due(now);
        (!due.is_empty()).then_some((Reason::Again, due))
    }

    /// Makes a round on these devices; on all that answer where none is named. `by`: who runs it.
    async fn round(&mut self, reason: Reason, only: BTreeSet<String>, by: String) -> Result<Outcome, DaemonError> {
        // Read anew each time: passwords may have been exchanged.
        let keyring = Keyring::from_environment().map(Arc::new);
        if let Ok(keyring) = &keyring {
            self.let_try_with_new_credentials(keyring);
        }
        let Some(force) = &self.force else {
            return Ok(Outcome::default());
        };
        if let (Some(reviews), Ok(keyring)) = (&mut self.reviews, &keyring) {
            tokio::select! {
                () = reviews.catch_up(keyring, &force.inventory.id) => {}
                () = self.control.stop.cancelled() => return Ok(Outcome::default()),
            }
        }
        if only.is_empty() {
            let every = signed(self.settings.drift.every);
            self.next_drift = Timestamp::now().saturating_add(every).unwrap_or(self.next_drift);
            self.planned = Some(force.id.clone());
        }
        let store = open(&mut self.store, &self.places.state(&self.settings, &force.inventory.id))?;
        let doing = format!("{} ({})", force.name(), reason.words());
        let lapsed = lapsed(&force.inventory, Timestamp::now());
        self.status.send_modify(|status| {
            for rule in lapsed.iter().filter(|rule| !status.lapsed.contains(rule)) {
                tracing::warn!("{rule}");
            }
            status.lapsed = lapsed;
            status.doing = Some(doing.clone());
        });
        let order = Order {
            force,
            aside: self.fleet.aside(Timestamp::now()),
            given_up: self.fleet.given_up(Timestamp::now(), &self.settings.drift),
            only,
            is_ordered: reason == Reason::Ordered,
            source: &self.source,
            // Who orders it has seen the plan.
            reviewed: (self.reviews.as_ref())
                .filter(|_| reason != Reason::Ordered)
                .map(Reviews::ledger),
        };
        let known = keyring.as_ref().ok().cloned();
        let outcome = match keyring {
            Err(error) => Err(error.into()),
            Ok(keyring) => {
                let tools = Tools {
                    store,
                    keyring,
                    events: self.signs_of_life(),
                    sightings: self.publisher.as_ref().map(Publisher::sightings).unwrap_or_default(),
                    cancel: self.control.stop.child_token(),
                    actor: by,
                };
                let span = tracing::info_span!(
                    parent: None,
                    "round",
                    reason = reason.words(),
                    commit = force.name(),
                    run = tracing::field::Empty,
                    outcome = tracing::field::Empty,
                );
                let outcome = round::round(&self.settings, &tools, &order)
                    .instrument(span.clone())
                    .await;
                if let Ok(outcome) = &outcome {
                    span.record("outcome", outcome.word);
                    outcome.run.map(|run| span.record("run", run));
                }
                outcome
            }
        };
        if let Some(publisher) = &self.publisher {
            publisher.round_is_over(force.inventory.devices.keys().cloned().collect());
        }
        let name = force.name().to_owned();
        let outcome = match outcome {
            Ok(outcome) => {
                self.note(&name, &doing, &outcome);
                outcome
            }
            Err(error) => {
                tracing::error!("{doing}: {}", chain(&error));
                self.count("failed");
                // What failed is due again; not at once.
                for device in self.fleet.devices().keys().cloned().collect::<Vec<_>>() {
                    let state = State::Unreachable {
                        reason: chain(&error),
                        lasting: false,
                    };
                    self.fleet
                        .note(&device, state, Some(&name), Timestamp::now(), &self.settings.devices);
                }
                Outcome {
                    line: chain(&error),
                    ..Outcome::default()
                }
            }
        };
        // Which devices answer may be different now.
        self.billed = None;
        let devices = self.fleet.devices().clone();
        self.status.send_modify(|status| {
            status.doing = None;
            status.devices = devices;
        });
        if let (Some(reviews), Some(keyring), Some(force)) = (&mut self.reviews, &known, &self.force) {
            tokio::select! {
                () = reviews.settle(&outcome.found, (keyring, force), &self.settings.devices) => {}
                // What was found out is found out again.
                () = self.control.stop.cancelled() => {}
            }
        }
        Ok(outcome)
    }

    /// Tells people what has changed. What a round that was broken off shows is nothing to tell.
    async fn tell(&mut self) -> Result<(), DaemonError> {
        let path = match (&self.force, &self.settings.state) {
            _ if self.teller.is_idle() || self.control.stop.is_cancelled() => return Ok(()),
            (Some(force), _) => self.places.state(&self.settings, &force.inventory.id),
            (None, Some(state)) => state.clone(),
            // Where the state is kept is known as soon as an inventory is.
            (None, None) => return Ok(()),
        };
        let store = open(&mut self.store, &path)?;
        let devices = self.force.iter().flat_map(|force| &force.inventory.devices);
        let sites = devices
            .map(|(key, device)| (key.clone(), device.site.clone()))
            .collect();
        self.teller.tell(&store, sites, &self.commits()).await;
        Ok(())
    }

    /// The commits that there is something to say of on a forge. A folder has none.
    fn commits(&self) -> Commits {
        let force = self.force.as_ref().filter(|force| force.commit.is_some());
        Commits {
            in_force: force.map(|force| force.id.clone()),
            is_applied: force.is_some_and(|force| self.planned.as_deref() == Some(&force.id)),
            rejected: self.rejected.clone(),
        }
    }

    /// Where a round tells what goes on: as long as something does, or it waits between two waves as it was told to, the
    /// daemon lives.
    fn signs_of_life(&self) -> Events {
        let (sender, mut receiver) = mpsc::unbounded_channel();
        let status = self.status.clone();
        tokio::spawn(async move {
            while let Some(event) = receiver.recv().await {
                let now = Timestamp::now();
                let pause = match &event {
                    Event::Pause { length, .. } => signed(*length),
                    Event::Device { .. } | Event::Wave { .. } => SignedDuration::ZERO,
                };
                status.send_modify(|status| {
                    status.alive = now.saturating_add(pause).unwrap_or(now).max(status.alive);
                    if let Event::Device { device, what } = &event
                        && let Some(standing) = status.devices.get_mut(device)
                    {
                        standing.doing = doing(what).map(str::to_owned);
                    }
                });
            }
        });
        Events::to(sender)
    }

    /// Devices that are left to people because they could not be read are tried again once they are asked with something
    /// else.
    fn let_try_with_new_credentials(&mut self, keyring: &Keyring) {
        let Some(force) = &self.force else {
            return;
        };
        let of = |key: &str| keyring.credentials(&force.inventory.devices.get(key)?.credentials).ok();
        let changed: BTreeSet<&str> = (self.refused_with.iter())
            .filter(|(key, with)| of(key) != **with)
            .map(|(key, _)| key.as_str())
            .collect();
        self.fleet.let_try(|key| changed.contains(key));
        let rests = |standing: &Standing| standing.rests && matches!(standing.state, State::Unreachable { .. });
        let resting = self.fleet.devices().iter().filter(|(_, standing)| rests(standing));
        self.refused_with = resting.map(|(key, _)| (key.clone(), of(key))).collect();
    }

    fn note(&mut self, commit: &str, doing: &str, outcome: &Outcome) {
        let now = Timestamp::now();
        if !outcome.line.is_empty() {
            tracing::info!(run = outcome.run, "{doing}: {}", outcome.line);
        }
        self.count(outcome.word);
        if matches!(outcome.word, "applied" | "incomplete") {
            self.teller.applied(&outcome.line, Some(commit));
        }
        for device in &outcome.reverted {
            self.fleet.note_reverted(device, now);
        }
        for (device, ignored) in &outcome.ignored {
            self.fleet.note_ignored(device, ignored.clone());
            self.fleet.note_proposed(device, outcome.proposed.get(device).cloned());
        }
        for (device, state) in &outcome.states {
            let noted = self
                .fleet
                .note(device, state.clone(), Some(commit), now, &self.settings.devices);
            if let Some(transition) = noted {
                let detail = self
                    .fleet
                    .devices()
                    .get(device)
                    .map(Standing::detail)
                    .unwrap_or_default();
                let to = transition.to.word();
                let detail = if detail.is_empty() {
                    detail
                } else {
                    format!(": {detail}")
                };
                match transition.to.is_fine() {
                    true => tracing::info!(run = outcome.run, device, commit, "{device}: {to}{detail}"),
                    false => tracing::warn!(run = outcome.run, device, commit, "{device}: {to}{detail}"),
                }
            }
        }
        self.status
            .send_modify(|status| status.guarded.clone_from(&outcome.guarded));
    }

    fn count(&self, word: &str) {
        self.status
            .send_modify(|status| *status.rounds.entry(word.to_owned()).or_default() += 1);
    }
}
