//! One channel's queue: sends what is due, in order, again and again until it is taken or too old. A task of its own, so that
//! a channel that is slow or dead delays nobody.

use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::domain::TimeSpan;
use crate::plan::count;
use crate::reconcile::chain;
use crate::store::{Batch, Gathering, Next, Store, StoreError};

use super::super::status::{Refused, Status};
use super::deliver::NotTaken;

/// The longest time between two tries.
const PAUSE_AT_MOST: Duration = Duration::from_secs(10 * 60);

/// How often a message is sent that the channel takes for nonsense, before it is given up and the next one gets its turn.
const UNWANTED: u32 = 5;

/// How often it is looked whether something has become too old.
const LOOK: Duration = Duration::from_secs(60);

/// What a queue is for.
pub(super) trait Outlet: Send + Sync + 'static {
    /// Its name, in logs and in the database.
    fn name(&self) -> &str;

    /// How what it is to tell is put together.
    fn gathering(&self) -> Gathering;

    /// Sends something and waits until it is taken.
    fn send(&self, batch: &Batch) -> impl Future<Output = Result<(), NotTaken>> + Send;
}

/// What all queues share.
#[derive(Debug, Clone)]
pub(super) struct Shared {
    pub(super) store: Store,
    /// Whose queues these are.
    pub(super) follower: String,
    /// The names of all of them.
    pub(super) names: Vec<String>,
    pub(super) retry: TimeSpan,
    pub(super) give_up_after: TimeSpan,
    pub(super) status: watch::Sender<Status>,
    /// Nothing new is begun any more.
    pub(super) stop: CancellationToken,
}

/// Works on one queue until it is told to stop; what is being sent then is sent.
pub(super) async fn work<O: Outlet>(outlet: O, shared: Shared, wake: Arc<Notify>) {
    let mut queue = Queue {
        pauses: pauses(shared.retry),
        unwanted: 0,
        outlet,
        shared,
    };
    while !queue.shared.stop.is_cancelled() {
        let pause = match queue.step().await {
            Ok(Pause::None) => continue,
            Ok(Pause::UntilAsked) => {
                tokio::select! {
                    () = tokio::time::sleep(LOOK) => {}
                    // Both lose nothing where the other comes first: what they say stands in the database.
                    () = wake.notified() => {}
                    () = queue.shared.stop.cancelled() => {}
                }
                continue;
            }
            Ok(Pause::For(pause)) => pause,
            Err(error) => {
                tracing::error!(
                    "what is to be told to `{}` cannot be read: {}",
                    queue.outlet.name(),
                    chain(&error)
                );
                LOOK
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = queue.shared.stop.cancelled() => {}
        }
    }
}

enum Pause {
    None,
    UntilAsked,
    For(Duration),
}

struct Queue<O> {
    outlet: O,
    shared: Shared,
    pauses: ExponentialBackoff,
    /// How often the message that is next was taken for nonsense.
    unwanted: u32,
}

impl<O: Outlet> Queue<O> {
    async fn step(&mut self) -> Result<Pause, StoreError> {
        let Shared {
            store,
            follower,
            names,
            give_up_after,
            ..
        } = &self.shared;
        let now = Timestamp::now();
        let oldest = now
            .saturating_sub(SignedDuration::from_secs(give_up_after.as_secs().into()))
            .unwrap_or(now);
        let given_up = store.give_up_telling(follower, names.clone(), oldest).await?;
        if given_up > 0 {
            tracing::error!("given up: {} that nobody has taken in time", count(given_up, "message"));
        }
        let (name, gathering) = (self.outlet.name(), self.outlet.gathering());
        match store.next_to_tell(follower, name, gathering, now).await? {
            Next::Nothing => Ok(Pause::UntilAsked),
            Next::At(due) => {
                let pause = Duration::try_from(due.duration_since(now)).unwrap_or_default();
                Ok(Pause::For(pause.min(LOOK)))
            }
            Next::Send(batch) => match self.outlet.send(&batch).await {
                Ok(()) => {
                    tracing::info!(
                        "`{}` was told: {}",
                        self.outlet.name(),
                        count(batch.bodies.len(), "event")
                    );
                    self.done(&batch).await
                }
                Err(failure) => self.failed(&batch, failure).await,
            },
        }
    }

    async fn done(&mut self, batch: &Batch) -> Result<Pause, StoreError> {
        let Shared { store, follower, .. } = &self.shared;
        store.told(follower, self.outlet.name(), &batch.delivery).await?;
        let name = self.outlet.name().to_owned();
        self.shared.status.send_modify(|status| {
            if status.untold.remove(&name).is_some() {
                tracing::info!("`{name}` takes messages again");
            }
        });
        self.pauses = pauses(self.shared.retry);
        self.unwanted = 0;
        Ok(Pause::None)
    }

    async fn failed(&mut self, batch: &Batch, failure: NotTaken) -> Result<Pause, StoreError> {
        self.unwanted = if failure.is_unwanted { self.unwanted + 1 } else { 0 };
        let name = self.outlet.name().to_owned();
        if self.unwanted >= UNWANTED {
            tracing::error!("given up: a message that `{name}` does not want: {}", failure.reason);
            return self.done(batch).await;
        }
        self.shared.status.send_modify(|status| {
            let before = status.untold.get(&name);
            if before.is_none_or(|before| before.reason != failure.reason) {
                tracing::error!("`{name}` could not be told, which is tried again: {}", failure.reason);
            }
            let since = before.map_or(batch.since, |before| before.since);
            let refused = Refused {
                commit: None,
                reason: failure.reason,
                since,
            };
            status.untold.insert(name, refused);
        });
        let pause = self.pauses.next().unwrap_or(PAUSE_AT_MOST);
        let asked = failure.after.unwrap_or_default().min(Duration::from_secs(3600));
        Ok(Pause::For(pause.max(asked)))
    }
}

/// Longer and longer, without end, and a little different each time.
fn pauses(first: TimeSpan) -> ExponentialBackoff {
    let first = Duration::from(first).min(PAUSE_AT_MOST);
    ExponentialBuilder::default()
        .with_min_delay(first)
        .with_max_delay(PAUSE_AT_MOST)
        .without_max_times()
        .with_jitter()
        .build()
}
