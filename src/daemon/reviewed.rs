//! Nothing bigger is applied than what was reviewed: which change requests the commits in force came with, and which plan people
//! were shown there.
//!
//! What is compared, and with what, is `plan::reviewed`. This side finds out what was reviewed: it asks the forge for the change
//! request of each commit, reads the plan that the CI job has sealed into its comment, and remembers in the mirror what is left of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::Secret;
use crate::forge::seal::sealed;
use crate::forge::{Forge, Merged};
use crate::inventory::since::differences;
use crate::observed::sha256;
use crate::plan::preview::marker;
use crate::plan::reviewed::{Found, Ledger, Review, held_markdown, held_marker, released_markdown};
use crate::reconcile::chain;
use crate::repo::remote::{Mirror, RemoteError};
use crate::transport::credentials::Keyring;

use super::force::InForce;
use super::settings::{Devices, Settings};
use super::source::{LookError, Source};
use super::tell::commit::ForgeSettings;
use super::tell::deliver::{NotTaken, password};

/// Under which name it is noted in the mirror.
const NOTE: &str = "reviewed";

/// The most commits that the forge is asked about at once. What others came with counts as not reviewed.
const AT_MOST: usize = 100;

/// The most change requests that are remembered as counted: a rebase brings one in with many commits.
const REMEMBERED: usize = 1000;

/// Whether a plan may be bigger than the one that was reviewed.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reviewed {
    /// Name of the credentials whose password is the key that the CI job seals plans with (`GAMOPS_REVIEW_KEY` there).
    pub credentials: String,
    /// What becomes of a commit for which no reviewed plan is found: `refuse` leaves the devices that it asks something of as they
    /// are, `apply` does not compare them.
    #[serde(default)]
    pub without: Without,
}

/// What becomes of a commit for which no reviewed plan is found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Without {
    /// Nothing of it is applied.
    #[default]
    Refuse,
    /// It is applied like any other.
    Apply,
}

/// What is remembered of it, from one process to the next.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Kept {
    /// The commit up to which it goes.
    at: Option<String>,
    ledger: Ledger,
    /// What came into force, and no reviewed plan was found for yet; the oldest first.
    open: Vec<Gained>,
    /// Change requests that are on the accounts.
    counted: BTreeSet<u64>,
    /// Change requests to tell when a device is held back: those that came into force since none was.
    concerned: BTreeSet<u64>,
    /// Mark of what they were told last.
    told: Option<String>,
}

/// A commit that came into force.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Gained {
    commit: String,
    /// The devices of which the inventory asks something else since.
    differing: BTreeSet<String>,
}

/// What was reviewed, as far as it is known.
pub(super) struct Reviews {
    settings: Reviewed,
    forge: ForgeSettings,
    branch: String,
    mirror: Mirror,
    kept: Kept,
    /// What the mirror has of it.
    written: Option<String>,
    /// How often in a row it was looked for in vain, and when it is looked for again.
    tries: u32,
    again: Option<Timestamp>,
}

impl Reviews {
    /// `None`: nothing is compared.
    pub(super) fn new(settings: &Settings, source: &Source) -> Result<Option<Self>, LookError> {
        let (Some(reviewed), Some(forge)) = (&settings.reviewed, &settings.forge) else {
            return Ok(None);
        };
        let mirror = match source {
            Source::Branch { mirror, .. } => mirror.clone(),
            Source::Folder(path) => {
                return Err(LookError::NoCommits {
                    setting: "reviewed",
                    path: path.clone(),
                });
            }
        };
        let branch = settings.repository.branch.clone();
        let written = mirror.noted(NOTE, &branch)?;
        let kept = written.as_deref().map(serde_json::from_str).transpose()?;
        Ok(Some(Self {
            settings: reviewed.clone(),
            forge: forge.clone(),
            kept: kept.unwrap_or_default(),
            branch,
            mirror,
            written,
            tries: 0,
            again: None,
        }))
    }

    /// Follows to what is in force now. To be called before that is noted as in force: a process that dies in between does it again.
    pub(super) fn follow(&mut self, before: Option<&InForce>, force: &InForce) {
        let is_first = self.kept.at.is_none();
        self.kept.ledger.follow(&force.inventory, is_first);
        if let Some(at) = self.kept.at.as_ref().filter(|at| **at != force.id) {
            let gained = self.mirror.gained(at, &force.id, AT_MOST + 1).unwrap_or_else(|error| {
                tracing::error!("what the branch gained cannot be told: {}", chain(&error));
                vec![force.id.clone()]
            });
            if gained.len() > AT_MOST {
                tracing::warn!(
                    "more than {AT_MOST} commits came at once; what the oldest came with counts as not reviewed"
                );
            }
            let differing = match before {
                Some(before) => differences(&before.inventory, &force.inventory).into_keys().collect(),
                None => force.inventory.devices.keys().cloned().collect(),
            };
            let differing: BTreeSet<String> = differing;
            let open = gained.into_iter().take(AT_MOST).rev();
            self.kept.open.extend(open.map(|commit| Gained {
                commit,
                differing: differing.clone(),
            }));
            // While a device is held back for long, others go on: of what is that old nobody is going to say more.
            let too_many = self.kept.open.len().saturating_sub(AT_MOST);
            self.kept.open.drain(..too_many);
            self.tries = 0;
        }
        self.kept.at = Some(force.id.clone());
        self.write();
    }

    /// What plans may not be bigger than.
    pub(super) fn ledger(&self) -> Arc<Ledger> {
        Arc::new(self.kept.ledger.clone())
    }

    /// The devices that are looked at again because it may be known by now what was reviewed of them.
    pub(super) fn due(&self, now: Timestamp) -> BTreeSet<String> {
        match self.again {
            Some(again) if again <= now => self.kept.ledger.held().map(|(device, _)| device.to_owned()).collect(),
            _ => BTreeSet::new(),
        }
    }

    /// Finds out what was reviewed of what came into force.
    pub(super) async fn catch_up(&mut self, keyring: &Keyring, inventory: &str) {
        self.kept.ledger.doubt = None;
        if self.kept.open.is_empty() {
            return;
        }
        let looked = self.look_up(keyring, inventory).await;
        if let Err(reason) = looked {
            tracing::warn!("what was reviewed cannot be told, which is tried again: {reason}");
            self.kept.ledger.doubt = Some(format!("the forge could not be asked what was reviewed: {reason}"));
        }
        self.write();
    }

    async fn look_up(&mut self, keyring: &Keyring, inventory: &str) -> Result<(), String> {
        let forge = self.open(keyring)?;
        let name = &self.settings.credentials;
        let login = keyring.login(name).map_err(|error| chain(&error))?;
        let key = password(name, &login).map_err(in_words)?;
        let mut doubts = BTreeSet::new();
        for gained in self.kept.open.clone() {
            let merged = forge.merged_with(&gained.commit, &self.branch).await;
            let merged = merged.map_err(|error| chain(&error))?;
            let mut is_known = !merged.is_empty();
            for request in &merged {
                self.kept.concerned.insert(request.number);
                if self.kept.counted.contains(&request.number) {
                    continue;
                }
                match shown(&forge, &key, inventory, request).await? {
                    Some(review) => {
                        tracing::info!("change request {} came into force as it was reviewed", request.number);
                        self.kept.ledger.add(&review);
                        self.kept.counted.insert(request.number);
                    }
                    None => {
                        is_known = false;
                        doubts.insert(format!(
                            "change request {} has no comment with a plan of its last commit that this daemon can believe",
                            request.number
                        ));
                    }
                }
            }
            if !is_known && self.settings.without == Without::Apply {
                tracing::info!(
                    "{} came without a reviewed plan, and is applied like that",
                    gained.commit
                );
                self.kept.ledger.let_pass(&gained.differing);
                is_known = true;
            }
            if is_known {
                self.kept.open.retain(|one| one.commit != gained.commit);
            }
        }
        while self.kept.counted.len() > REMEMBERED {
            self.kept.counted.pop_first();
        }
        self.kept.ledger.doubt = (!doubts.is_empty()).then(|| doubts.into_iter().collect::<Vec<_>>().join("; "));
        Ok(())
    }

    /// Notes what a round has found out, and says on the change requests which devices are held back, or that none is any more.
    pub(super) async fn settle(
        &mut self,
        found: &BTreeMap<String, Found>,
        (keyring, force): (&Keyring, &InForce),
        devices: &Devices,
    ) {
        self.kept.ledger.settle(found);
        let inventory = &force.inventory.id;
        let is_held = self.kept.ledger.held().next().is_some();
        let text = match (is_held, &self.kept.told) {
            (true, _) => held_markdown(inventory, force.name(), &self.kept.ledger),
            (false, Some(_)) => Some(released_markdown(inventory, force.name())),
            (false, None) => None,
        };
        let mark = text.as_ref().map(sha256);
        if let Some(text) = text.filter(|_| mark != self.kept.told) {
            match self.say(keyring, inventory, &text).await {
                Ok(()) => self.kept.told = mark.filter(|_| is_held),
                Err(reason) => tracing::warn!("what is held back could not be said on the forge: {reason}"),
            }
        }
        if !is_held {
            self.kept.open.clear();
            self.kept.concerned.clear();
        }
        self.again = (is_held && !self.kept.open.is_empty()).then(|| {
            self.tries = self.tries.saturating_add(1);
            let most = i64::from(devices.retry_at_most.as_secs());
            let pause = i64::from(devices.retry.as_secs()) << self.tries.saturating_sub(1).min(20);
            let now = Timestamp::now();
            now.saturating_add(jiff::SignedDuration::from_secs(pause.min(most)))
                .unwrap_or(now)
        });
        self.write();
    }

    async fn say(&self, keyring: &Keyring, inventory: &str, text: &str) -> Result<(), String> {
        if self.kept.concerned.is_empty() {
            return Ok(());
        }
        let forge = self.open(keyring)?;
        for request in &self.kept.concerned {
            let kept = forge.keep_comment(*request, &held_marker(inventory), text).await;
            kept.map_err(|error| chain(&error))?;
        }
        Ok(())
    }

    /// The forge, with a token that is read anew each time.
    fn open(&self, keyring: &Keyring) -> Result<Forge, String> {
        let login = keyring.login(&self.forge.credentials);
        let login = login.map_err(|error| chain(&error))?;
        self.forge.open(&login).map_err(in_words)
    }

    /// Keeps it for a later process.
    fn write(&mut self) {
        let written = serde_json::to_string(&self.kept).map_err(|error| error.to_string());
        let noted = written.and_then(|text| match self.written.as_ref() == Some(&text) {
            true => Ok(()),
            false => {
                let noted: Result<(), RemoteError> = self.mirror.note(NOTE, &self.branch, &text);
                self.written = Some(text);
                noted.map_err(|error| chain(&error))
            }
        });
        if let Err(reason) = noted {
            self.written = None;
            tracing::error!("what was reviewed could not be noted: {reason}");
        }
    }
}

fn in_words(not_taken: NotTaken) -> String {
    not_taken.reason
}

/// The plan that people were shown of a change request: the one that was sealed for its last commit.
async fn shown(forge: &Forge, key: &Secret, inventory: &str, request: &Merged) -> Result<Option<Review>, String> {
    let comments = forge.comments_with(request.number, &marker(inventory)).await;
    let comments = comments.map_err(|error| chain(&error))?;
    let documents = comments.iter().flat_map(|comment| sealed(key, comment));
    let mut reviews = documents.filter_map(|document| serde_json::from_str::<Review>(document).ok());
    Ok(reviews.find(|review| {
        (review.inventory.as_str(), review.request, review.head.as_str())
            == (inventory, request.number, request.head.as_str())
    }))
}
