//! Tells people when something changes for the worse, and when it is over.
//!
//! What there is to tell is decided by `alert`, from how things stand and from what was told before. Both that and what is
//! still to be sent are kept in the state database and written together, so that a restart tells nothing twice and loses
//! nothing. Sending is each channel's own task (`worker`): no round waits for it.

mod billing;
pub mod commit;
pub(super) mod deliver;
mod picture;
pub mod settings;
mod worker;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::alert::memory::Key;
use crate::alert::{About, Event, Kind, Memory, Message, Patience, Picture};
use crate::domain::BillingKind;
use crate::forge;
use crate::reconcile::chain;
use crate::store::{Batch, Entry, Gathering, Note, Store, StoreError, host_name};

use super::status::Status;
use commit::{Commits, ForgeSettings, ToForge};
use deliver::NotTaken;
use picture::picture;
use settings::{Channel, Tell};
use worker::{Outlet, Shared};

/// How long the end of the daemon waits for messages on their way.
const GOODBYE: Duration = Duration::from_secs(5);

/// What the keys begin with under which it is kept what the forge was told.
const STATUS: &str = "status ";

/// The most events of one message.
const TOGETHER: u16 = 500;

/// Tells people. Without channels it does nothing.
pub(super) struct Teller {
    settings: Tell,
    forge: Option<ForgeSettings>,
    /// Whose memory it is: the repository and branch that are followed.
    follower: String,
    status: watch::Sender<Status>,
    /// What happened and has no end, until it is queued.
    happened: Vec<Event>,
    begun: Option<Begun>,
    stop: CancellationToken,
}

/// What there is once the state database is known.
struct Begun {
    store: Store,
    memory: Memory,
    /// What the forge was told of commits, as it stands in the database.
    said: BTreeMap<String, String>,
    /// Wakes the queue of each channel.
    wakes: BTreeMap<String, Arc<Notify>>,
    workers: JoinSet<()>,
}

/// An event on its way to a channel, as it stands in the database.
#[derive(Debug, Serialize, Deserialize)]
struct Queued {
    inventory: Option<String>,
    event: Event,
}

impl Teller {
    /// Nothing is told before [`Teller::tell`] has a database.
    pub(super) fn new(
        settings: Tell,
        forge: Option<ForgeSettings>,
        follower: String,
        status: watch::Sender<Status>,
    ) -> Self {
        Self {
            settings,
            forge,
            follower,
            status,
            happened: Vec::new(),
            begun: None,
            stop: CancellationToken::new(),
        }
    }

    /// Whether there is nobody to tell anything.
    pub(super) const fn is_idle(&self) -> bool {
        self.settings.channels.is_empty() && self.forge.is_none()
    }

    /// Notes what a run did, in one line.
    pub(super) fn applied(&mut self, line: &str, commit: Option<&str>) {
        if !self.settings.channels.is_empty() {
            let event = Event::applied(line.to_owned(), commit.map(str::to_owned), Timestamp::now());
            self.happened.push(event);
        }
    }

    /// Tells what has changed since it was last told. `sites`: of each device of the inventory in force. What cannot be
    /// written down now is told next time.
    pub(super) async fn tell(&mut self, store: &Store, sites: BTreeMap<String, Option<String>>, commits: &Commits) {
        if self.is_idle() {
            return;
        }
        if let Err(error) = self.try_to_tell(store, sites, commits).await {
            tracing::error!("what is to be told cannot be written down: {}", chain(&error));
        }
    }

    async fn try_to_tell(
        &mut self,
        store: &Store,
        sites: BTreeMap<String, Option<String>>,
        commits: &Commits,
    ) -> Result<(), StoreError> {
        let begun = match &mut self.begun {
            Some(begun) => begun,
            None => {
                let (settings, forge) = (&self.settings, self.forge.as_ref());
                let begun = begin(settings, forge, store, &self.follower, &self.status, &self.stop).await?;
                self.begun.insert(begun)
            }
        };
        let now = Timestamp::now();
        let (picture, inventory, statuses): (Picture, Option<String>, Vec<forge::Status>) = {
            let status = self.status.borrow();
            let forge = self.forge.iter();
            let statuses = forge
                .flat_map(|forge| commit::statuses(forge, &status, commits))
                .collect();
            let inventory = status.in_force.as_ref().map(|force| force.inventory.clone());
            (picture(&status, sites, now), inventory, statuses)
        };
        let patience = Patience {
            unreachable: SignedDuration::from_secs(self.settings.unreachable_after.as_secs().into()),
        };
        let mut memory = begun.memory.clone();
        let mut events = memory.take(&picture, patience, now);
        events.extend(self.happened.iter().cloned());
        let mut notes = difference(&begun.memory, &memory)?;
        let mut entries = Vec::new();
        let said = say(&begun.said, &statuses, commits.is_applied, &mut notes, &mut entries)?;
        if notes.is_empty() && events.is_empty() {
            return Ok(());
        }
        for channel in &self.settings.channels {
            for event in events.iter().filter(|event| channel.when.lets_through(event)) {
                let queued = Queued {
                    inventory: inventory.clone(),
                    event: event.clone(),
                };
                entries.push(Entry {
                    channel: channel.name.clone(),
                    body: to_json(&queued)?,
                    replaces: None,
                });
            }
        }
        begun.store.tell(&self.follower, notes, entries, now).await?;
        begun.memory = memory;
        begun.said = said;
        self.happened.clear();
        for wake in begun.wakes.values() {
            wake.notify_one();
        }
        Ok(())
    }

    /// Ends: what is being sent has a few seconds to be taken, the rest stays in the database.
    pub(super) async fn stop(self) {
        self.stop.cancel();
        if let Some(mut begun) = self.begun {
            let all = async { while begun.workers.join_next().await.is_some() {} };
            let _ = tokio::time::timeout(GOODBYE, all).await;
        }
    }
}

/// Reads what was told before and starts the queues.
async fn begin(
    settings: &Tell,
    forge: Option<&ForgeSettings>,
    store: &Store,
    follower: &str,
    status: &watch::Sender<Status>,
    stop: &CancellationToken,
) -> Result<Begun, StoreError> {
    let (mut memory, mut said) = (Memory::default(), BTreeMap::new());
    for (key, value) in store.kept_in_mind(follower).await? {
        if key.starts_with(STATUS) {
            said.insert(key, value);
            continue;
        }
        // What another version wrote and this one cannot read was told by that one; it is told again where it still holds.
        if let (Some(key), Ok(trouble)) = (read_key(&key), serde_json::from_str(&value)) {
            memory.0.insert(key, trouble);
        }
    }
    let names = settings.channels.iter().map(|channel| channel.name.clone());
    let shared = Shared {
        store: store.clone(),
        follower: follower.to_owned(),
        names: names.chain(forge.map(|_| commit::QUEUE.to_owned())).collect(),
        retry: settings.retry,
        give_up_after: settings.give_up_after,
        status: status.clone(),
        stop: stop.clone(),
    };
    let (mut wakes, mut workers) = (BTreeMap::new(), JoinSet::new());
    for channel in settings.channels.clone() {
        let wake = Arc::new(Notify::new());
        wakes.insert(channel.name.clone(), Arc::clone(&wake));
        let gathering = Gathering {
            seconds: settings.gather.as_secs(),
            at_most: TOGETHER,
        };
        workers.spawn(worker::work(Sink { channel, gathering }, shared.clone(), wake));
    }
    if let Some(forge) = forge {
        let wake = Arc::new(Notify::new());
        wakes.insert(commit::QUEUE.to_owned(), Arc::clone(&wake));
        workers.spawn(worker::work(ToForge(forge.clone()), shared, wake));
    }
    Ok(Begun {
        store: store.clone(),
        memory,
        said,
        wakes,
        workers,
    })
}

/// Queues what the forge does not know yet of commits, and gives what it knows then. What it was told of other commits is of
/// no interest any more. That a commit is being applied is said where nothing was said of it: a restart is no news.
fn say(
    before: &BTreeMap<String, String>,
    statuses: &[forge::Status],
    is_applied: bool,
    notes: &mut Vec<Note>,
    entries: &mut Vec<Entry>,
) -> Result<BTreeMap<String, String>, StoreError> {
    let mut said = BTreeMap::new();
    for status in statuses {
        let (key, value) = (format!("{STATUS}{}", status.commit), to_json(status)?);
        let is_news = is_applied || status.state != forge::State::Pending;
        if let Some(value) = before.get(&key).filter(|_| !is_news) {
            said.insert(key, value.clone());
            continue;
        }
        if before.get(&key) != Some(&value) {
            notes.push((key.clone(), Some(value.clone())));
            entries.push(Entry {
                channel: commit::QUEUE.to_owned(),
                body: value.clone(),
                replaces: Some(status.commit.clone()),
            });
        }
        said.insert(key, value);
    }
    let gone = before.keys().filter(|key| !said.contains_key(*key));
    notes.extend(gone.map(|key| (key.clone(), None)));
    Ok(said)
}

/// A channel that people chose.
struct Sink {
    channel: Channel,
    gathering: Gathering,
}

impl Outlet for Sink {
    fn name(&self) -> &str {
        &self.channel.name
    }

    fn gathering(&self) -> Gathering {
        self.gathering
    }

    async fn send(&self, batch: &Batch) -> Result<(), NotTaken> {
        // What another version wrote and this one cannot read is nothing to send.
        let queued = (batch.bodies.iter()).filter_map(|body| serde_json::from_str::<Queued>(body).ok());
        let (inventories, events): (Vec<_>, Vec<_>) = queued.map(|queued| (queued.inventory, queued.event)).unzip();
        if events.is_empty() {
            return Ok(());
        }
        let message = Message {
            inventory: inventories.into_iter().flatten().next(),
            by: format!("gamops-daemon@{}", host_name()),
            events,
        };
        deliver::deliver(&self.channel, &message, &batch.delivery).await
    }
}

/// What came of a message of trial.
#[derive(Debug)]
pub struct Trial {
    /// Name of the channel, and what it is.
    pub channel: String,
    /// Why the message was not taken, if it was not.
    pub failure: Option<String>,
}

/// Sends a message of trial to these channels side by side, past every queue and filter.
pub async fn trial(channels: &[Channel]) -> Vec<Trial> {
    let now = Timestamp::now();
    let message = Message {
        inventory: None,
        by: format!("gamops@{}", host_name()),
        events: vec![Event::test(now)],
    };
    let delivery = format!("test-{}", now.as_millisecond());
    let trials = channels.iter().map(async |channel| Trial {
        channel: channel.describe(),
        failure: deliver::deliver(channel, &message, &delivery)
            .await
            .err()
            .map(|failure| failure.reason),
    });
    futures::future::join_all(trials).await
}

/// What has to be written down for the one memory to become the other.
fn difference(before: &Memory, after: &Memory) -> Result<Vec<Note>, StoreError> {
    let mut notes = Vec::new();
    for (key, trouble) in &after.0 {
        if before.0.get(key) != Some(trouble) {
            notes.push((write_key(key), Some(to_json(trouble)?)));
        }
    }
    let gone = before.0.keys().filter(|key| !after.0.contains_key(*key));
    notes.extend(gone.map(|key| (write_key(key), None)));
    Ok(notes)
}

fn to_json(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|source| StoreError::Value {
        what: "what is to be told",
        source,
    })
}

/// A key as it stands in the database: `drifted maple-a`, `billing-question splynx`.
fn write_key((kind, about): &Key) -> String {
    match about {
        About::All => kind.word().to_owned(),
        About::Device(device) => format!("{} {device}", kind.word()),
        About::Billing(system) => format!("{} {}", kind.word(), system.key()),
    }
}

fn read_key(text: &str) -> Option<Key> {
    let (kind, rest) = match text.split_once(' ') {
        Some((kind, rest)) => (kind, Some(rest)),
        None => (text, None),
    };
    let kind: Kind = serde_json::from_value(serde_json::Value::from(kind)).ok()?;
    let about = match rest {
        None => About::All,
        Some(system) if kind.is_of_billing() => {
            let mut systems = BillingKind::ALL.into_iter();
            About::Billing(systems.find(|kind| kind.key() == system)?)
        }
        Some(device) => About::Device(device.to_owned()),
    };
    Some((kind, about))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_they_are_written() {
        for key in [
            (Kind::LeftToPeople, About::Device("maple-a".to_owned())),
            // What a device is called is anybody's choice.
            (Kind::Drifted, About::Device("splynx".to_owned())),
            (Kind::RepositoryUnreachable, About::All),
            (Kind::BillingQuestion, About::Billing(BillingKind::Splynx)),
        ] {
            assert_eq!(read_key(&write_key(&key)), Some(key));
        }
        assert_eq!(read_key("unheard-of maple-a"), None);
        assert_eq!(read_key("billing-question unheard-of"), None);
    }
}
