//! The clerks at work: each looks at everything from time to time, and at what it was told at once.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Notify, watch};
use tokio::task::spawn_blocking;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::billing::{Allowed, Scope, SeenEndpoint, Why};
use crate::clerk::{Clerk, ClerkError, Desk, Order, Outcome};
use crate::diagnostic::chain;
use crate::domain::BillingKind;
use crate::reconcile::{Asked, Context};
use crate::repo::remote::Mirror;
use crate::store::{BillingEvent, Store};
use crate::transport::credentials::Keyring;

use super::super::settings::Settings;
use super::super::status::Status;
use super::door::Doors;
use super::notes::Teller;
use super::told::{Billed, Failure};
use super::{desk, seen};

/// What an event says that is about no account in particular.
pub(super) const EVERYTHING: &str = "*";

/// How soon what failed is tried again: at first, and at most where the system is looked at less often.
pub(super) const RETRY: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(5 * 60));

/// Clerks at work. End when dropped.
#[derive(Debug)]
pub(in crate::daemon) struct Office {
    /// The inventory that they work for.
    pub(in crate::daemon) inventory: String,
    place: watch::Sender<Option<Place>>,
    _tasks: Vec<AbortOnDropHandle<()>>,
}

/// The inventory in force, and how its devices are asked.
#[derive(Debug, Clone)]
pub(in crate::daemon) struct Place {
    pub(in crate::daemon) context: Context,
    /// The commit, whole.
    pub(in crate::daemon) commit: String,
}

/// What clerks work with.
#[derive(Debug, Clone)]
pub(in crate::daemon) struct Premises {
    pub(in crate::daemon) settings: Arc<Settings>,
    /// Where the clerks' mirror is, or is to be.
    pub(in crate::daemon) mirror: PathBuf,
    /// Where the daemon's own mirror is, which has every commit that was in force.
    pub(in crate::daemon) followed: PathBuf,
    pub(in crate::daemon) store: Store,
    pub(in crate::daemon) inventory: String,
    pub(in crate::daemon) status: watch::Sender<Status>,
    pub(in crate::daemon) doors: Doors,
    /// Told when there is a commit.
    pub(in crate::daemon) look: Arc<Notify>,
    pub(in crate::daemon) stop: CancellationToken,
}

impl Office {
    /// Opens it: a clerk for each system.
    pub(in crate::daemon) fn open(premises: &Premises) -> Self {
        let (sender, place) = watch::channel(None);
        let systems = premises
            .settings
            .billing
            .iter()
            .flat_map(super::settings::Billing::systems);
        let one_by_one = premises
            .settings
            .billing
            .as_ref()
            .map_or(1, |billing| billing.one_by_one);
        let mut tasks = Vec::new();
        for (kind, system) in systems {
            let bell = Arc::new(Notify::new());
            premises.doors.open(
                kind,
                premises.store.clone(),
                premises.inventory.clone(),
                Arc::clone(&bell),
            );
            let clerk = Arc::new(Clerk::new(kind, premises.store.clone(), usize::from(one_by_one)));
            if system.notes {
                let teller = Teller {
                    clerk: Arc::clone(&clerk),
                    kind,
                    premises: premises.clone(),
                    place: place.clone(),
                    status: premises.status.subscribe(),
                    book: None,
                };
                tasks.push(AbortOnDropHandle::new(tokio::spawn(teller.work())));
            }
            let worker = Worker {
                clerk,
                kind,
                poll: Duration::from(system.poll),
                bell,
                place: place.clone(),
                mirror: None,
                premises: premises.clone(),
                failures: 0,
            };
            tasks.push(AbortOnDropHandle::new(tokio::spawn(worker.work())));
        }
        Self {
            inventory: premises.inventory.clone(),
            _tasks: tasks,
            place: sender,
        }
    }

    /// Says what is in force from now on, and by what devices are asked.
    pub(in crate::daemon) fn move_to(&self, place: Place) {
        self.place.send_replace(Some(place));
    }
}

struct Worker {
    clerk: Arc<Clerk>,
    kind: BillingKind,
    poll: Duration,
    bell: Arc<Notify>,
    place: watch::Receiver<Option<Place>>,
    premises: Premises,
    /// The mirror, opened once it can be, and anew after something failed: it may have been taken away.
    mirror: Option<Mirror>,
    /// How often in a row something failed.
    failures: u32,
}

impl Worker {
    async fn work(mut self) {
        // Not by the clock on the wall: where that is set back, sweeps would stop for as long.
        let mut next_sweep = Instant::now();
        loop {
            let now = Instant::now();
            let events = self.events().await;
            let is_due = next_sweep <= now;
            let is_whole = is_due || events.iter().any(|event| event.scope == EVERYTHING);
            if is_whole || !events.is_empty() {
                let done = self.look(&events, is_whole, is_due).await;
                let wait = if done { self.poll } else { self.backoff() };
                if is_whole {
                    next_sweep = now + wait;
                }
                self.failures = if done { 0 } else { self.failures.saturating_add(1) };
                if !done {
                    // What was told meanwhile waits as well: it would fail in the same way.
                    tokio::select! {
                        () = tokio::time::sleep(wait) => continue,
                        () = self.premises.stop.cancelled() => return,
                    }
                }
                continue;
            }
            tokio::select! {
                () = tokio::time::sleep_until(next_sweep) => {}
                () = self.bell.notified() => {}
                () = self.premises.stop.cancelled() => return,
            }
        }
    }

    fn backoff(&self) -> Duration {
        let (first, most) = RETRY;
        let wait = first.saturating_mul(2_u32.saturating_pow(self.failures.min(16)));
        wait.min(most).min(self.poll)
    }

    async fn events(&self) -> Vec<BillingEvent> {
        let events = self
            .premises
            .store
            .billing_events(&self.premises.inventory, self.kind.key())
            .await;
        let events = events.unwrap_or_else(|error| {
            tracing::error!("what {} has told cannot be read: {}", self.kind, chain(&error));
            Vec::new()
        });
        self.tell(|billed| {
            let is_news = billed.waiting != events.len();
            billed.waiting = events.len();
            is_news
        });
        events
    }

    /// Looks at what is to be looked at, and strikes it off once something was made of it.
    async fn look(&mut self, events: &[BillingEvent], is_whole: bool, is_due: bool) -> bool {
        let named = events
            .iter()
            .map(|event| &event.scope)
            .filter(|scope| *scope != EVERYTHING);
        let accounts: BTreeSet<String> = named.cloned().collect();
        let order = Order {
            scope: if is_whole {
                Scope::Everything
            } else {
                Scope::Accounts(accounts.clone())
            },
            event: if is_due { "sweep" } else { "webhook" }.to_owned(),
            allowed: Allowed::default(),
            is_dry: false,
            seen: Vec::new(),
        };
        let outcome = match self.sync(&order).await {
            Ok(outcome) => outcome,
            Err(failure) => {
                self.fail(&failure);
                return false;
            }
        };
        self.note(&outcome, is_whole);
        let is_distrusted = outcome.report.as_ref().is_some_and(|report| report.distrust.is_some());
        if is_whole && is_distrusted && !accounts.is_empty() {
            // That nothing of the whole is believed is no answer to those who were told of by name: they are asked for by their ids.
            let order = Order {
                scope: Scope::Accounts(accounts),
                ..order.clone()
            };
            match self.sync(&order).await {
                Ok(outcome) => self.note(&outcome, false),
                Err(failure) => {
                    self.fail(&failure);
                    return false;
                }
            }
        }
        let is_struck_off = self.strike_off(events).await;
        self.look_for_endpoints(&outcome, &order).await;
        is_struck_off
    }

    /// Strikes off what was looked at. What cannot be is looked at again, and not at once.
    async fn strike_off(&self, events: &[BillingEvent]) -> bool {
        let Some(last) = events.last() else {
            return true;
        };
        let dropped = self
            .premises
            .store
            .drop_billing_events(&self.premises.inventory, self.kind.key(), last.id);
        if let Err(error) = dropped.await {
            tracing::error!("what {} has told could not be struck off: {}", self.kind, chain(&error));
            return false;
        }
        true
    }

    /// Services that have no subscriber yet may have their endpoint plugged in by now: devices are asked, and what they see is decided on.
    /// What is not found quickly is looked for thoroughly when everything is looked at anyway.
    async fn look_for_endpoints(&mut self, outcome: &Outcome, order: &Order) {
        let mut waiting = waiting(outcome);
        let ways: &[Asked] = match order.scope {
            Scope::Everything => &[Asked::Quickly, Asked::Thoroughly],
            Scope::Accounts(_) => &[Asked::Quickly],
        };
        for asked in ways {
            let place = self.place.borrow().clone();
            let (false, Some(place)) = (waiting.is_empty(), place) else {
                return;
            };
            let seen: Vec<SeenEndpoint> = seen::seen(&place.context, *asked).await;
            if seen.is_empty() {
                continue;
            }
            let order = Order {
                scope: Scope::Accounts(std::mem::take(&mut waiting)),
                event: format!("{}, endpoint seen", order.event),
                seen,
                ..order.clone()
            };
            match self.sync(&order).await {
                Ok(outcome) => {
                    self.note(&outcome, false);
                    waiting = self::waiting(&outcome);
                }
                Err(failure) => return self.fail(&failure),
            }
        }
    }

    async fn sync(&mut self, order: &Order) -> Result<Outcome, Failure> {
        let mirror = self.mirror().await.map_err(Failure::NotWritten)?;
        // Read anew each time: tokens and passwords may have been exchanged.
        let desk = self.desk(&mirror).map_err(Failure::NotAsked)?;
        let outcome = tokio::select! {
            outcome = self.clerk.sync(&desk, order) => outcome?,
            () = self.premises.stop.cancelled() => return Err(ClerkError::Interrupted.into()),
        };
        self.mirror = Some(mirror);
        Ok(outcome)
    }

    /// The mirror; whoever succeeds with it hands it back.
    async fn mirror(&mut self) -> Result<Mirror, String> {
        if let Some(mirror) = self.mirror.take() {
            return Ok(mirror);
        }
        let path = self.premises.mirror.clone();
        let opened = spawn_blocking(move || Mirror::open(&path)).await;
        opened
            .map_err(|error| error.to_string())?
            .map_err(|error| chain(&error))
    }

    fn desk(&self, mirror: &Mirror) -> Result<Desk, String> {
        let keyring = Keyring::from_environment().map_err(|error| chain(&error))?;
        desk(&self.premises.settings, mirror, self.kind, &keyring)
    }

    /// Tells what came of it.
    fn note(&self, outcome: &Outcome, is_whole: bool) {
        if !outcome.commits.is_empty() {
            self.premises.look.notify_one();
        }
        if let Some(reason) = outcome.report.as_ref().and_then(|report| report.distrust.as_ref()) {
            tracing::warn!("{}: nothing is written: {reason}", self.kind);
        }
        self.tell(|billed| {
            billed.note(outcome, is_whole, Timestamp::now());
            true
        });
    }

    fn fail(&self, failure: &Failure) {
        if self.premises.stop.is_cancelled() {
            return;
        }
        self.tell(|billed| {
            if billed.fail(failure, Timestamp::now()) {
                tracing::error!("{}: nothing is written: {}", self.kind, failure.reason());
            }
            true
        });
    }

    /// Changes what is told of the system; `change` says whether it did.
    fn tell(&self, change: impl FnOnce(&mut Billed) -> bool) {
        let of = |status: &mut Status| change(status.billing.entry(self.kind).or_default());
        self.premises.status.send_if_modified(of);
    }
}

/// The accounts with a service that has no subscriber.
fn waiting(outcome: &Outcome) -> BTreeSet<String> {
    (outcome.open.iter())
        .filter(|open| open.why == Why::NoSubscriber)
        .filter_map(|open| Some(open.service.as_ref()?.account.clone()))
        .collect()
}
