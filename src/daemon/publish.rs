//! What was observed is put into a repository, for those who plan without access to a device: `refs/gamops/observed` and
//! `refs/gamops/heartbeat`.
//!
//! A task of its own: no round waits for it, and none fails by it. What it has said is kept in a file, so that a device that does
//! not answer after a restart is not missing from what is said next.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep_until};
use tokio_util::task::AbortOnDropHandle;

use crate::observed::sha256;
use crate::published::{self, Document, Handed, Heartbeat};
use crate::reconcile::{Sighted, Sightings, chain};
use crate::repo::remote::{Address, Destination, InvalidAddress, Publication, push};
use crate::transport::credentials::Keyring;

use super::access::{Way, access};
use super::settings::Settings;
use super::status::{Publishing, Refused, Status};

/// How often the heartbeat is put at most.
const BEAT: Duration = Duration::from_secs(60);
/// How soon what failed is tried again.
const RETRY: Duration = Duration::from_secs(60);

/// Publishes what it is told. Ends when dropped.
#[derive(Debug)]
pub(super) struct Publisher {
    sightings: Sightings,
    fleet: watch::Sender<BTreeSet<String>>,
    _task: AbortOnDropHandle<()>,
}

impl Publisher {
    /// Starts where the settings ask for it. `kept`: the file for what was said.
    pub(super) fn start(
        settings: &Settings,
        kept: PathBuf,
        status: watch::Sender<Status>,
    ) -> Result<Option<Self>, InvalidAddress> {
        if !settings.observed.publish {
            return Ok(None);
        }
        let address: Address = match &settings.observed.remote {
            Some(remote) => remote.parse()?,
            None => settings.address()?,
        };
        let (sender, sighted) = mpsc::unbounded_channel();
        let (fleet, rounds) = watch::channel(BTreeSet::new());
        let shelf = Shelf::read(&kept, &address.to_string());
        let name = address.to_string();
        status.send_modify(|status| {
            status.publishing = Some(Publishing {
                to: name,
                ..Publishing::default()
            });
        });
        let desk = Desk {
            address,
            settings: settings.clone(),
            status,
            shelf,
            kept,
            beat: None,
            beat_said: None,
            not_before: Instant::now(),
        };
        Ok(Some(Self {
            sightings: Sightings::to(sender),
            fleet,
            _task: AbortOnDropHandle::new(tokio::spawn(desk.follow(sighted, rounds))),
        }))
    }

    /// Where rounds tell what they read.
    pub(super) fn sightings(&self) -> Sightings {
        self.sightings.clone()
    }

    /// A round is over; these are the devices of the inventory. Of others nothing is said any more.
    pub(super) fn round_is_over(&self, devices: BTreeSet<String>) {
        self.fleet.send_replace(devices);
    }
}

/// What is known of each device, and whether it was said.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Shelf {
    /// Where it is said.
    address: String,
    /// By key: when it was read, and its file.
    devices: BTreeMap<String, (Timestamp, String)>,
    /// Fingerprint of the files that were put there last.
    said: Option<String>,
}

impl Shelf {
    /// What an earlier process kept for the same repository. What cannot be read is said anew.
    fn read(path: &Path, address: &str) -> Self {
        let kept = std::fs::read(path).ok();
        let kept: Option<Self> = kept.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let current = |shelf: &Self| shelf.address == address;
        let mut shelf = kept.filter(current).unwrap_or_default();
        address.clone_into(&mut shelf.address);
        // A file of another version is of no use to anybody.
        shelf.devices.retain(|_, (_, text)| Document::parse(text).is_ok());
        shelf
    }

    fn files(&self) -> BTreeMap<String, String> {
        let files = self.devices.iter();
        files
            .map(|(key, (_, text))| (published::file(key), text.clone()))
            .collect()
    }

    fn heartbeat(&self) -> Heartbeat {
        Heartbeat::of(self.devices.iter().map(|(key, (at, _))| (key.clone(), *at)))
    }
}

/// What was put there last, or is about to be, as an earlier look kept it. `None` where nothing was observed yet.
pub(super) fn handed(kept: &Path) -> Option<Handed> {
    let shelf: Shelf = serde_json::from_slice(&std::fs::read(kept).ok()?).ok()?;
    Some(Handed::of(shelf.files(), shelf.heartbeat()))
}

/// Whoever publishes.
struct Desk {
    address: Address,
    settings: Settings,
    status: watch::Sender<Status>,
    shelf: Shelf,
    kept: PathBuf,
    /// When the heartbeat was put there last.
    beat: Option<Instant>,
    beat_said: Option<Heartbeat>,
    /// Nothing is tried before this.
    not_before: Instant,
}

impl Desk {
    async fn follow(
        mut self,
        mut sighted: mpsc::UnboundedReceiver<Sighted>,
        mut rounds: watch::Receiver<BTreeSet<String>>,
    ) {
        let mut due = None;
        loop {
            let wait = async {
                match due {
                    Some(due) => sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                // What a round read is on the channel before the round is over.
                biased;
                Some(sighted) = sighted.recv() => {
                    self.take(&sighted);
                    continue;
                }
                round = rounds.changed() => {
                    if round.is_err() {
                        return;
                    }
                    let devices = rounds.borrow_and_update().clone();
                    self.shelf.devices.retain(|key, _| devices.contains(key));
                }
                () = wait => {}
            }
            due = self.say().await;
        }
    }

    fn take(&mut self, sighted: &Sighted) {
        match Document::of(&sighted.sighting).text() {
            Ok(text) => drop(self.shelf.devices.insert(sighted.device.clone(), (sighted.at, text))),
            Err(error) => tracing::error!("{}: what was observed is not published: {error}", sighted.device),
        }
    }

    /// Says what is new, and gives when there is something to say next.
    async fn say(&mut self) -> Option<Instant> {
        let files = self.shelf.files();
        let said = sha256(&files);
        let is_new = self.shelf.said.as_ref() != Some(&said);
        let heartbeat = self.shelf.heartbeat();
        let has_beaten = self.beat_said.as_ref() == Some(&heartbeat);
        if !is_new && has_beaten {
            return None;
        }
        let now = Instant::now();
        let beat_at = self.beat.map_or(now, |beat| beat + BEAT);
        let at = self.not_before.max(if is_new { now } else { beat_at });
        if now < at {
            return Some(at);
        }
        match self.put(is_new.then_some(files), &heartbeat).await {
            Ok(()) => {
                self.shelf.said = Some(said);
                (self.beat, self.beat_said) = (Some(Instant::now()), Some(heartbeat));
                self.status.send_modify(|status| {
                    if let Some(publishing) = &mut status.publishing {
                        publishing.published = Some(Timestamp::now());
                        publishing.failing = None;
                    }
                });
                self.keep();
                None
            }
            Err(reason) => {
                self.not_before = Instant::now() + RETRY;
                self.failed(reason);
                self.keep();
                Some(self.not_before)
            }
        }
    }

    fn failed(&self, reason: String) {
        self.status.send_modify(|status| {
            let Some(publishing) = &mut status.publishing else {
                return;
            };
            let before = publishing.failing.as_ref();
            if before.is_none_or(|before| before.reason != reason) {
                tracing::error!("what was observed is not published: {reason}");
            }
            let since = before.map_or_else(Timestamp::now, |before| before.since);
            publishing.failing = Some(Refused {
                commit: None,
                reason,
                since,
            });
        });
    }

    /// Puts it there: the files if there are new ones, then the moments.
    async fn put(&self, files: Option<BTreeMap<String, String>>, heartbeat: &Heartbeat) -> Result<(), String> {
        let keyring = Keyring::from_environment().map_err(|error| chain(&error))?;
        let way = Way::to_observed(&self.settings);
        let to = Destination {
            access: access(&self.address, &way, &keyring).map_err(|error| chain(&error))?,
            address: self.address.clone(),
            within: self.settings.repository.within.into(),
            signed_with: None,
        };
        let beat = serde_json::to_string_pretty(heartbeat).map_err(|error| error.to_string())? + "\n";
        let at = Timestamp::now();
        let observed = files.map(|files| Publication {
            reference: published::OBSERVED,
            message: format!("What gamops observed on {} devices\n", files.len()),
            files,
            at,
        });
        let heartbeat = Publication {
            reference: published::HEARTBEAT,
            message: "When gamops observed each device\n".to_owned(),
            files: BTreeMap::from([(Heartbeat::FILE.to_owned(), beat)]),
            at,
        };
        let runtime = Handle::current();
        let work = move || {
            let both = observed.iter().chain([&heartbeat]);
            both.into_iter()
                .try_for_each(|publication| push(publication, &to, &runtime))
        };
        let pushed = spawn_blocking(work).await.map_err(|error| error.to_string())?;
        pushed.map_err(|error| chain(&error))
    }

    /// Keeps what is known for a later process. What cannot be kept is said again then.
    fn keep(&self) {
        let keep = || -> std::io::Result<()> {
            let folder = self.kept.parent().unwrap_or(Path::new("."));
            // For its owner alone, as temporary files are.
            let file = tempfile::NamedTempFile::new_in(folder)?;
            serde_json::to_writer(&file, &self.shelf)?;
            file.persist(&self.kept)?;
            Ok(())
        };
        if let Err(error) = keep() {
            tracing::warn!("{} cannot be written: {error}", self.kept.display());
        }
    }
}
