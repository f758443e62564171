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
const RETRY: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(5 * 60));

/// How long a system that asks to be left alone is left alone at most.
const ASKED_AT_MOST: Duration = Duration::from_secs(60 * 60);

/// How often in a row some accounts are asked for before everything is: one that cannot be asked for keeps no other from being heard.
const AGAIN_BY_ID: u32 = 3;

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

impl Premises {
    /// The clerks' mirror.
    pub(super) async fn open_mirror(&self) -> Result<Mirror, String> {
        let path = self.mirror.clone();
        let opened = spawn_blocking(move || Mirror::open(&path)).await;
        opened
            .map_err(|error| error.to_string())?
            .map_err(|error| chain(&error))
    }

    /// Where the clerk of a system works, by secrets as they are now.
    pub(super) fn desk(&self, kind: BillingKind, mirror: &Mirror) -> Result<Desk, String> {
        let keyring = Keyring::from_environment().map_err(|error| chain(&error))?;
        desk(&self.settings, mirror, kind, &keyring)
    }
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
                asked: Duration::ZERO,
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
    /// For how long the system asked to be left alone when it did.
    asked: Duration,
}

impl Worker {
    async fn work(mut self) {
        // Not by the clock on the wall: where that is set back, sweeps would stop for as long.
        let mut next_sweep = Instant::now();
        loop {
            let now = Instant::now();
            let events = self.events().await;
            let is_due = next_sweep <= now;
            let is_whole = is_due || is_of_everything(&events, self.failures);
            if is_whole || !events.is_empty() {
                let done = self.look(&events, is_whole, is_due).await;
                let wait = if done {
                    self.poll
                } else {
                    backoff(self.failures, self.poll, self.asked)
                };
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
        let wrong = |reason| Failure::NotAsked(reason, Duration::ZERO);
        let desk = self.premises.desk(self.kind, &mirror).map_err(wrong)?;
        let outcome = tokio::select! {
            outcome = self.clerk.sync(&desk, order) => outcome?,
            () = self.premises.stop.cancelled() => return Err(ClerkError::Interrupted.into()),
        };
        self.mirror = Some(mirror);
        self.asked = Duration::ZERO;
        Ok(outcome)
    }

    /// The mirror; whoever succeeds with it hands it back.
    async fn mirror(&mut self) -> Result<Mirror, String> {
        if let Some(mirror) = self.mirror.take() {
            return Ok(mirror);
        }
        self.premises.open_mirror().await
    }

    /// Tells what came of it.
    fn note(&self, outcome: &Outcome, is_whole: bool) {
        if !outcome.commits.is_empty() {
            self.premises.look.notify_one();
        }
        let distrust = |billed: &Billed| Some(billed.distrusted.as_ref()?.reason.clone());
        self.tell(|billed| {
            let (before, failed) = (distrust(billed), billed.failing.is_some() || billed.unwritten.is_some());
            billed.note(outcome, is_whole, Timestamp::now());
            if failed {
                tracing::info!("{}: what it says is looked at and written again", self.kind);
            }
            match distrust(billed) {
                Some(reason) if before.as_ref() != Some(&reason) => {
                    tracing::warn!("{}: nothing is written: {reason}", self.kind);
                }
                None if before.is_some() => tracing::info!("{}: what it says is believed again", self.kind),
                _ => {}
            }
            true
        });
    }

    fn fail(&mut self, failure: &Failure) {
        if self.premises.stop.is_cancelled() {
            return;
        }
        self.asked = failure.asked();
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

/// Whether everything is to be looked at because of what was told: it is about no account, or those that it is about cannot be asked for.
fn is_of_everything(events: &[BillingEvent], failures: u32) -> bool {
    let names_none = events.iter().any(|event| event.scope == EVERYTHING);
    names_none || failures >= AGAIN_BY_ID && !events.is_empty()
}

/// How long to wait after so many failures before the last; `asked`: for how long the system asked to be left alone.
pub(super) fn backoff(failures: u32, poll: Duration, asked: Duration) -> Duration {
    let (first, most) = RETRY;
    let wait = first.saturating_mul(2_u32.saturating_pow(failures.min(16)));
    wait.min(most).min(poll).max(asked.min(ASKED_AT_MOST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_is_tried_again_later_and_later_and_not_before_the_system_wants_it() {
        let seconds = Duration::from_secs;
        let waits = |poll, asked| [0, 1, 5, 6, 99].map(|failures| backoff(failures, poll, asked).as_secs());
        assert_eq!(waits(seconds(3600), Duration::ZERO), [5, 10, 160, 300, 300]);
        assert_eq!(waits(seconds(60), Duration::ZERO), [5, 10, 60, 60, 60]);
        assert_eq!(waits(seconds(60), seconds(90)), [90; 5]);
        assert_eq!(backoff(0, seconds(60), seconds(86_400)), ASKED_AT_MOST);
    }

    #[test]
    fn an_account_that_cannot_be_asked_for_keeps_no_other_from_being_heard() {
        let events = |scopes: &[&str]| -> Vec<BillingEvent> {
            let event = |(id, scope): (i64, &&str)| BillingEvent {
                id,
                scope: (*scope).to_owned(),
            };
            (1..).zip(scopes).map(event).collect()
        };
        assert!(is_of_everything(&events(&["1001", EVERYTHING]), 0));
        assert!(!is_of_everything(&events(&["1001", "1002"]), AGAIN_BY_ID - 1));
        assert!(is_of_everything(&events(&["1001", "1002"]), AGAIN_BY_ID));
        // Where nothing was told, everything is looked at when it is due.
        assert!(!is_of_everything(&[], 99));
    }
}
