//! Back to billing: what became of the changes that it asked for, as notes on its accounts.
//!
//! What there is to tell is read from the commits that come into force, so that no restart loses any; a note has a mark by which the system
//! is asked whether it is there already.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::task::spawn_blocking;

use crate::biller::Note;
use crate::clerk::{Carried, Clerk, carried};
use crate::diagnostic::chain;
use crate::domain::BillingKind;
use crate::inventory::model::Inventory;
use crate::repo::remote::Mirror;

use super::super::standing::{Standing, State};
use super::super::status::Status;
use super::worker::{Place, Premises, backoff};

/// What is kept of it, by its name in the store.
const NOTES: &str = "notes";

/// How long a change may take before it is told that it is not done yet.
const PATIENCE: SignedDuration = SignedDuration::from_mins(10);

/// How long a change that is not done is remembered.
const MEMORY: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What is still to be told.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Book {
    /// The commit up to which the branch was read, whole.
    upto: Option<String>,
    waiting: Vec<Waiting>,
}

/// A change that is in force, and of which nobody has said yet that it is done.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Waiting {
    #[serde(flatten)]
    what: Carried,
    /// Whether it was told that it is not done yet.
    #[serde(default)]
    is_told_late: bool,
}

/// What became of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Became {
    /// It is on the device, read back.
    Done { device: String, since: Timestamp },
    /// It is in force, and there is no device left to look at.
    InForce,
    /// It is not there yet.
    Late { device: String, why: String },
    /// People have taken the subscriber out since.
    Moot,
}

/// Who tells them.
pub(super) struct Teller {
    pub(super) clerk: Arc<Clerk>,
    pub(super) kind: BillingKind,
    pub(super) premises: Premises,
    pub(super) place: watch::Receiver<Option<Place>>,
    pub(super) status: watch::Receiver<Status>,
    /// What is kept in the store, as it is there.
    pub(super) book: Option<Book>,
}

impl Teller {
    /// Tells, until the daemon ends.
    pub(super) async fn work(mut self) {
        let mut failures = 0;
        loop {
            // Before anything is read: what changes meanwhile is looked at again.
            self.status.mark_unchanged();
            self.place.mark_unchanged();
            let told = self.tell().await;
            let pause = match told {
                Ok(()) => {
                    failures = 0;
                    // What is late becomes so without anything else happening.
                    Duration::from_secs(60)
                }
                Err(error) => {
                    failures += 1;
                    if failures == 1 {
                        tracing::warn!(
                            "{}: what became of its changes cannot be told there: {error}",
                            self.kind
                        );
                    }
                    backoff(failures, Duration::MAX, Duration::ZERO)
                }
            };
            let news = async {
                if failures > 0 {
                    return std::future::pending().await;
                }
                tokio::select! {
                    changed = self.status.changed() => changed.is_ok(),
                    changed = self.place.changed() => changed.is_ok(),
                }
            };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                there_may_be_more = news => if !there_may_be_more { return },
                () = self.premises.stop.cancelled() => return,
            }
        }
    }

    async fn tell(&mut self) -> Result<(), String> {
        let Some(place) = self.place.borrow().clone() else {
            return Ok(());
        };
        let mut book = match self.book.take() {
            Some(book) => book,
            None => self.kept().await?,
        };
        let told = self.tell_from(&mut book, &place).await;
        self.book = Some(book);
        told
    }

    /// What an earlier process has kept. What cannot be read was written by another version: then it is begun anew.
    async fn kept(&self) -> Result<Book, String> {
        let (inventory, key) = (&self.premises.inventory, self.kind.key());
        let kept = self
            .premises
            .store
            .billing_kept(inventory, key, NOTES)
            .await
            .map_err(|error| chain(&error))?;
        Ok(kept
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default())
    }

    async fn tell_from(&self, book: &mut Book, place: &Place) -> Result<(), String> {
        if book.upto.as_deref() != Some(&place.commit) {
            self.catch_up(book, &place.commit).await?;
            self.keep(book).await?;
        }
        while let Some((at, became)) = self.next(book, place) {
            if let Some(note) = note(&book.waiting[at].what, &became)
                && let Err(reason) = self.write(&note).await
            {
                // One that is never taken keeps no other waiting: it is tried again after them.
                let stuck = book.waiting.remove(at);
                book.waiting.push(stuck);
                return Err(reason);
            }
            match became {
                Became::Late { .. } => book.waiting[at].is_told_late = true,
                Became::Done { .. } | Became::InForce | Became::Moot => drop(book.waiting.remove(at)),
            }
            self.keep(book).await?;
        }
        Ok(())
    }

    async fn write(&self, note: &Note) -> Result<(), String> {
        // Read anew each time: tokens and passwords may have been exchanged.
        let mirror = self.premises.open_mirror().await?;
        let desk = self.premises.desk(self.kind, &mirror)?;
        let written = self.clerk.write_note(&desk, note).await;
        written.map_err(|error| format!("account {}: {}", note.account, chain(&error)))
    }

    /// The first change of which something is to be told.
    fn next(&self, book: &Book, place: &Place) -> Option<(usize, Became)> {
        let (now, status) = (Timestamp::now(), self.status.borrow());
        let (inventory, devices) = (&place.context.inventory, &status.devices);
        let commit = place.context.commit.as_deref();
        let became = |waiting| became(waiting, inventory, devices, commit, now);
        (book.waiting.iter().enumerate()).find_map(|(at, waiting)| Some((at, became(waiting)?)))
    }

    /// Reads the branch on. What was there before anybody asked for notes is not told.
    async fn catch_up(&self, book: &mut Book, commit: &str) -> Result<(), String> {
        if let Some(upto) = &book.upto {
            let (path, upto, tip) = (self.premises.followed.clone(), upto.clone(), commit.to_owned());
            let read = spawn_blocking(move || {
                let mirror = Mirror::open(&path).map_err(|error| chain(&error))?;
                mirror.messages(&tip, Some(&upto)).map_err(|error| chain(&error))
            });
            // A branch that was rewritten says nothing of what is new in it.
            let messages = read.await.map_err(|error| error.to_string())??.unwrap_or_default();
            let news = carried(self.kind, &messages).into_iter();
            book.waiting.extend(news.map(|what| Waiting {
                what,
                is_told_late: false,
            }));
        }
        book.upto = Some(commit.to_owned());
        let now = Timestamp::now();
        book.waiting
            .retain(|waiting| now.duration_since(waiting.what.at) < MEMORY);
        Ok(())
    }

    async fn keep(&self, book: &Book) -> Result<(), String> {
        let text = serde_json::to_string(book).unwrap_or_default();
        let (inventory, key) = (&self.premises.inventory, self.kind.key());
        self.premises
            .store
            .keep_billing(inventory, key, NOTES, text)
            .await
            .map_err(|error| chain(&error))
    }
}

/// What is to be told of a change now, if anything, where this commit is in force.
fn became(
    waiting: &Waiting,
    inventory: &Inventory,
    devices: &BTreeMap<String, Standing>,
    commit: Option<&str>,
    now: Timestamp,
) -> Option<Became> {
    let Carried { subscriber, at, .. } = &waiting.what;
    let Some(subscriber) = inventory.subscribers.get(subscriber) else {
        return Some(if waiting.what.is_removal {
            Became::InForce
        } else {
            Became::Moot
        });
    };
    let device = subscriber.device.clone();
    let standing = devices.get(&device)?;
    let is_compared = commit.is_some() && standing.commit.as_deref() == commit;
    // What others have changed on the device is no matter of billing, unless it is this subscriber.
    let is_there = match &standing.state {
        State::InSync | State::Unsaved => true,
        State::Drifted { objects } => !objects
            .iter()
            .any(|object| object.ends_with(&format!("/{}", subscriber.key))),
        _ => false,
    };
    if is_compared && is_there {
        let since = standing.read.unwrap_or(standing.since);
        return Some(Became::Done { device, since });
    }
    let is_late = now.duration_since(*at) >= PATIENCE && !waiting.is_told_late;
    is_late.then(|| Became::Late {
        device,
        why: match standing.detail() {
            detail if detail.is_empty() => standing.state.word().to_owned(),
            detail => format!("{}: {detail}", standing.state.word()),
        },
    })
}

/// The note that tells it, if one is to be written.
fn note(what: &Carried, became: &Became) -> Option<Note> {
    let Carried {
        commit,
        subscriber,
        words,
        ..
    } = what;
    let (told, state) = match became {
        Became::Done { device, since } => (
            format!("on device {device} since {since:.0}, read back and verified"),
            "done",
        ),
        Became::InForce => ("in force".to_owned(), "done"),
        Became::Late { device, why } => (
            format!("not on device {device} yet ({why}); gamops goes on trying"),
            "waiting",
        ),
        Became::Moot => return None,
    };
    let mark = format!("[{commit} {subscriber} {state}]");
    Some(Note {
        account: what.account.clone(),
        text: format!("gamops: {subscriber} {words}: {told}. {mark}"),
        mark,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::SourceFile;

    fn inventory() -> Inventory {
        let text = "format: 1\ninventory: isp\nplans: { gold: { rate: 500 Mbps } }\ndevices:\n  \
                    maple: { model: GAM-4-CX, address: 192.0.2.1, credentials: noc }\nsubscribers:\n  \
                    s-1: { device: maple, endpoint: \"00:0e:d8:00:00:01\", port: 1, plan: gold, vlan: 101 }\n";
        let file = SourceFile {
            path: "gamops.yaml".to_owned(),
            text: text.to_owned(),
        };
        crate::inventory::load(&[file]).inventory.unwrap()
    }

    fn waiting(subscriber: &str, is_removal: bool) -> Waiting {
        Waiting {
            what: Carried {
                commit: "1a2b3c4d5e6f".to_owned(),
                at: Timestamp::UNIX_EPOCH,
                account: "1001".to_owned(),
                subscriber: subscriber.to_owned(),
                is_removal,
                words: "suspended".to_owned(),
            },
            is_told_late: false,
        }
    }

    /// What is told of a change of `s-1`, so many minutes after its commit.
    fn told(state: State, compared: &str, minutes: i64) -> Option<String> {
        let mut standing = Standing::new(Timestamp::from_second(30).unwrap());
        (standing.state, standing.commit) = (state, Some(compared.to_owned()));
        let waiting = waiting("s-1", false);
        let now = Timestamp::from_second(minutes * 60).unwrap();
        let devices = [("maple".to_owned(), standing)].into();
        let became = became(&waiting, &inventory(), &devices, Some("c"), now)?;
        Some(note(&waiting.what, &became).unwrap().text)
    }

    #[test]
    fn a_change_is_told_once_the_device_was_read_back_with_it() {
        let done = "gamops: s-1 suspended: on device maple since 1970-01-01T00:00:30Z, read back and verified. [1a2b3c4d5e6f s-1 done]";
        assert_eq!(told(State::InSync, "c", 1).as_deref(), Some(done));
        assert_eq!(told(State::Unsaved, "c", 1).as_deref(), Some(done));
        assert_eq!(told(State::InSync, "b", 1), None, "that was before it");
        assert_eq!(told(State::New, "c", 1), None);
        let drifted = |object: &str| State::Drifted {
            objects: vec![object.to_owned()],
        };
        assert_eq!(told(drifted("maple/subscriber/s-2"), "c", 1).as_deref(), Some(done));
        assert_eq!(told(drifted("maple/subscriber/s-1"), "c", 1), None);
    }

    #[test]
    fn what_takes_long_is_told_with_its_reason() {
        let failed = State::Failed {
            reason: "it does not answer".to_owned(),
            lost: true,
        };
        assert_eq!(told(failed.clone(), "c", 9), None);
        let late = told(failed, "c", 10).unwrap();
        assert!(
            late.starts_with("gamops: s-1 suspended: not on device maple yet (failed: it does not answer"),
            "{late}"
        );
        assert!(late.ends_with("[1a2b3c4d5e6f s-1 waiting]"), "{late}");
    }

    #[test]
    fn who_was_removed_is_told_and_whom_people_took_out_is_not() {
        let of = |waiting: &Waiting| {
            became(
                waiting,
                &inventory(),
                &BTreeMap::new(),
                Some("c"),
                Timestamp::UNIX_EPOCH,
            )
        };
        let removed = waiting("s-2", true);
        let became = of(&removed).unwrap();
        assert_eq!(
            note(&removed.what, &became).unwrap().text,
            "gamops: s-2 suspended: in force. [1a2b3c4d5e6f s-2 done]"
        );
        let gone = of(&waiting("s-2", false)).unwrap();
        assert_eq!((note(&removed.what, &gone), gone), (None, Became::Moot));
        assert_eq!(of(&waiting("s-1", false)), None, "nothing is known of its device");
    }
}
