//! An inventory in a repository somewhere else: its branch is copied into a mirror on this machine, and its commits are read
//! there, without a work tree.

mod address;
mod advance;
mod claim;
mod connector;
mod made;
mod note;
mod propose;
mod push;
mod trouble;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use backon::{BlockingRetryable as _, ConstantBuilder};
use git2::{Direction, ErrorCode, FetchOptions, Oid, RemoteCallbacks, Repository};
use tokio::runtime::Handle;
use tokio::time::Instant;

use super::git::trailers_in;
use super::revision::{Revision, RevisionError, inventory_of};
use super::signature::{Signed, signed_in};
use crate::domain::Secret;
use crate::transport::http::Http;
use crate::transport::ssh::{Connect, HostKeyCheck, Login, PrivateKey};

pub use address::{Address, InvalidAddress};
pub use advance::{Addition, Advanced, Message};
pub use propose::Edit;
pub use push::{Destination, Publication, PushError, push};
pub use trouble::{RemoteError, Trouble};

use connector::{Connector, Reach};

/// Where commits come from.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The repository.
    pub address: Address,
    /// Its branch, without `refs/heads/`.
    pub branch: String,
    /// What gets us in.
    pub access: Access,
    /// How long all of it may take.
    pub within: Duration,
    /// How much may come in one go, in bytes.
    pub at_most: u64,
}

/// What gets us into a repository.
#[derive(Debug, Clone)]
pub enum Access {
    /// Nothing is needed: a folder, or a server that lets anybody in.
    Open,
    /// HTTP, with user and password or token if there are any.
    Http {
        /// Who asks.
        http: Http,
        /// User and password.
        basic: Option<(String, Secret)>,
    },
    /// SSH.
    Ssh {
        /// Our key.
        key: PrivateKey,
        /// What is known of the server's.
        host_key: HostKeyCheck,
    },
}

/// A commit that a branch is at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tip {
    /// The whole id.
    pub commit: String,
    /// How it came there from where the branch was when last looked at.
    pub moved: Moved,
}

/// How a branch moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moved {
    /// It was never looked at before.
    First,
    /// Not at all.
    Not,
    /// By commits on top of where it was.
    Forward,
    /// To a commit that does not follow from where it was: somebody rewrote it.
    Rewritten,
}

/// A bare repository on this machine that has what was fetched.
#[derive(Debug, Clone)]
pub struct Mirror {
    path: PathBuf,
    _in_use: Arc<File>,
}

impl Mirror {
    /// Opens the mirror in a folder, which is made where it is not there. What a process that was killed left unfinished in it
    /// is taken away, unless another one is using it.
    ///
    /// # Errors
    ///
    /// [`RemoteError::NoMirror`] and [`RemoteError::Mirror`].
    pub fn open(path: &Path) -> Result<Self, RemoteError> {
        let in_use = claim::claim(path).map_err(|source| RemoteError::NoMirror {
            path: path.to_owned(),
            source,
        })?;
        let mirror = Self {
            path: path.to_owned(),
            _in_use: Arc::new(in_use),
        };
        let opened = match Repository::open_bare(path) {
            Err(error) if error.code() == ErrorCode::NotFound => Repository::init_bare(path),
            opened => opened,
        };
        opened
            .and_then(|repository| to_disk(&repository))
            .map_err(|source| mirror.failed(source))?;
        Ok(mirror)
    }

    fn failed(&self, source: git2::Error) -> RemoteError {
        RemoteError::Mirror {
            path: self.path.clone(),
            source,
        }
    }

    fn repository(&self) -> Result<Repository, RemoteError> {
        Repository::open_bare(&self.path).map_err(|source| self.failed(source))
    }

    /// Copies what the branch has gained, and says where it is. Blocks: call it where that harms nobody. `runtime` does the
    /// waiting.
    ///
    /// # Errors
    ///
    /// [`RemoteError`]. The mirror is as it was then.
    pub fn fetch(&self, origin: &Origin, runtime: &Handle) -> Result<Tip, RemoteError> {
        let repository = self.repository()?;
        let way = (&origin.address, &origin.access, origin.within);
        let tip = match reaching(way, runtime, |trouble| fetch(&repository, origin, trouble)) {
            (Ok(tip), _) => tip,
            (Err(error @ RemoteError::NoBranch { .. }), _) => return Err(error),
            (Err(_), Some(trouble)) => {
                return Err(RemoteError::Remote {
                    address: origin.address.to_string(),
                    trouble,
                });
            }
            (Err(error), None) => return Err(error),
        };
        self.put_tip(&repository, &origin.branch, tip)
    }

    /// Notes where a branch is, and tells how it came there.
    fn put_tip(&self, repository: &Repository, branch: &str, tip: Oid) -> Result<Tip, RemoteError> {
        let name = format!("refs/gamops/origin/{branch}");
        let before = repository.refname_to_id(&name).ok();
        let moved = match before {
            None => Moved::First,
            Some(before) if before == tip => {
                let commit = tip.to_string();
                return Ok(Tip {
                    commit,
                    moved: Moved::Not,
                });
            }
            Some(before) => match repository.graph_descendant_of(tip, before) {
                Ok(true) => Moved::Forward,
                // Where the old commit is gone, the branch does not follow from it.
                Ok(false) | Err(_) => Moved::Rewritten,
            },
        };
        // Another process, or the clerk of another billing system, may be writing the same one.
        let put = || repository.reference(&name, tip, true, "gamops: fetched");
        put.retry(turns())
            .when(|error| error.code() == ErrorCode::Locked)
            .call()
            .map_err(|source| self.failed(source))?;
        Ok(Tip {
            commit: tip.to_string(),
            moved,
        })
    }

    /// Whether a folder is a Git repository, bare or with a work tree: not one that merely lies in one.
    #[must_use]
    pub fn is_repository(folder: &Path) -> bool {
        Repository::open(folder).is_ok()
    }

    /// The folder in which a repository of this machine keeps its branches: `refs/heads`, and `packed-refs` beside it. None where
    /// there is no repository.
    #[must_use]
    pub fn references(folder: &Path) -> Option<PathBuf> {
        Some(Repository::open(folder).ok()?.commondir().to_owned())
    }

    /// The commit of a branch that was last noted as good.
    #[must_use]
    pub fn good(&self, branch: &str) -> Option<String> {
        let repository = self.repository().ok()?;
        let good = repository.refname_to_id(&format!("refs/gamops/good/{branch}")).ok()?;
        Some(good.to_string())
    }

    /// Notes a commit of a branch as good, so that it is kept whatever becomes of the branch, and with it a text; see
    /// [`Self::kept`].
    ///
    /// # Errors
    ///
    /// [`RemoteError::Mirror`].
    pub fn put_good(&self, branch: &str, commit: &str, kept: Option<&str>) -> Result<(), RemoteError> {
        let repository = self.repository()?;
        let put = || {
            let commit = Oid::from_str(commit)?;
            // Named after the commit, and there before it counts: a process that dies in between leaves the commit before with its own.
            if let Some(text) = kept {
                let text = repository.blob(text.as_bytes())?;
                repository.reference(&kept_name(branch, commit), text, true, "gamops: in force")?;
            }
            repository.reference(&format!("refs/gamops/good/{branch}"), commit, true, "gamops: in force")?;
            for reference in repository.references_glob(&format!("refs/gamops/kept/{branch}/*"))? {
                let mut reference = reference?;
                if kept.is_none() || reference.name()? != kept_name(branch, commit) {
                    reference.delete()?;
                }
            }
            Ok(())
        };
        put().map_err(|source| self.failed(source))
    }

    /// The text that was noted with a good commit.
    ///
    /// # Errors
    ///
    /// [`RemoteError::Mirror`].
    pub fn kept(&self, branch: &str, commit: &str) -> Result<Option<String>, RemoteError> {
        let repository = self.repository()?;
        let read = || {
            let name = kept_name(branch, Oid::from_str(commit)?);
            let text = match repository.refname_to_id(&name) {
                Ok(text) => repository.find_blob(text)?,
                Err(error) if error.code() == ErrorCode::NotFound => return Ok(None),
                Err(error) => return Err(error),
            };
            Ok(Some(String::from_utf8_lossy(text.content()).into_owned()))
        };
        read().map_err(|source| self.failed(source))
    }

    /// The values of a trailer in the message of a commit.
    ///
    /// # Errors
    ///
    /// [`RevisionError`].
    pub fn trailers(&self, commit: &str, key: &str) -> Result<Vec<String>, RevisionError> {
        let repository = Repository::open_bare(&self.path)?;
        Ok(trailers_in(&repository.find_commit(Oid::from_str(commit)?)?, key)?)
    }

    /// What a commit carries to show who made it.
    ///
    /// # Errors
    ///
    /// [`RevisionError`].
    pub fn signed(&self, commit: &str) -> Result<Signed, RevisionError> {
        let repository = Repository::open_bare(&self.path)?;
        Ok(signed_in(&repository, Oid::from_str(commit)?)?)
    }

    /// Reads the inventory of a commit in a folder of it, empty for its top.
    ///
    /// # Errors
    ///
    /// [`RevisionError`].
    pub fn inventory(&self, commit: &str, folder: &str) -> Result<Revision, RevisionError> {
        let repository = Repository::open_bare(&self.path)?;
        let commit = repository.find_commit(Oid::from_str(commit)?)?;
        inventory_of(&repository, &commit.tree()?, commit.id(), folder.trim_matches('/'))
    }
}

/// The pauses in which whoever is writing a reference comes to an end with it: libgit2 does not wait. About two seconds in all.
fn turns() -> ConstantBuilder {
    ConstantBuilder::default()
        .with_delay(Duration::from_millis(10))
        .with_max_times(200)
}

/// The reference to the text that was noted with a good commit. A branch's name cannot end in the way in which it goes on.
fn kept_name(branch: &str, commit: Oid) -> String {
    format!("refs/gamops/kept/{branch}/{commit}")
}

/// Has objects and references written to the disk before they count: what is in force is to be found there after a power cut.
fn to_disk(repository: &Repository) -> Result<(), git2::Error> {
    const SETTING: &str = "core.fsyncObjectFiles";
    let mut config = repository.config()?;
    match config.get_bool(SETTING) {
        Ok(true) => Ok(()),
        _ => config.set_bool(SETTING, true),
    }
}

/// Does something with libgit2 that reaches a repository, all of it within a time. Gives what went wrong on the way as well: libgit2
/// hands on no more than a line of text. `work` may add to it.
fn reaching<T>(
    (address, access, within): (&Address, &Access, Duration),
    runtime: &Handle,
    work: impl FnOnce(&Mutex<Option<Trouble>>) -> T,
) -> (T, Option<Trouble>) {
    let connector = Connector {
        reach: reach(address, access, within),
        runtime: runtime.clone(),
        deadline: Instant::now() + within,
        trouble: Arc::default(),
    };
    let done = connector::with(&connector, || work(&connector.trouble));
    let trouble = connector.trouble.lock().unwrap_or_else(PoisonError::into_inner).take();
    (done, trouble)
}

fn reach(address: &Address, access: &Access, within: Duration) -> Reach {
    match (address, access) {
        (Address::Http(url), Access::Http { http, basic }) => Reach::Http {
            http: http.clone(),
            url: url.clone(),
            basic: basic.clone(),
        },
        (Address::Ssh { user, host, port, path }, Access::Ssh { key, host_key }) => Reach::Ssh {
            connect: Box::new(Connect {
                host: host.clone(),
                port: *port,
                user: user.clone(),
                login: Login::Key(key.clone()),
                legacy_algorithms: false,
                host_key: host_key.clone(),
                within,
            }),
            path: path.clone(),
        },
        _ => Reach::Itself,
    }
}

/// Downloads a branch; its new end is not noted yet.
fn fetch(repository: &Repository, origin: &Origin, trouble: &Mutex<Option<Trouble>>) -> Result<Oid, RemoteError> {
    let failed = |source| RemoteError::Git {
        address: origin.address.to_string(),
        source,
    };
    let mut remote = repository.remote_anonymous(&origin.address.url()).map_err(failed)?;
    remote.connect(Direction::Fetch).map_err(failed)?;
    let wanted = format!("refs/heads/{}", origin.branch);
    let heads = remote.list().map_err(failed)?;
    let Some(tip) = heads
        .iter()
        .find(|head| head.name() == wanted)
        .map(git2::RemoteHead::oid)
    else {
        let branches = heads.iter().filter_map(|head| head.name().strip_prefix("refs/heads/"));
        return Err(RemoteError::NoBranch {
            address: origin.address.to_string(),
            branch: origin.branch.clone(),
            hint: nearest(&origin.branch, branches),
        });
    };
    // What is here already need not come again; libgit2 would ask the server for it all the same.
    if repository.find_commit(tip).is_err() {
        let mut callbacks = RemoteCallbacks::new();
        callbacks.transfer_progress(|progress| {
            let fits = progress.received_bytes() as u64 <= origin.at_most;
            if !fits {
                let too_much = Trouble::TooMuch {
                    at_most: origin.at_most,
                };
                *trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(too_much);
            }
            fits
        });
        let mut options = FetchOptions::new();
        options
            .remote_callbacks(callbacks)
            .download_tags(git2::AutotagOption::None);
        remote
            .download(&[wanted.as_str()], Some(&mut options))
            .map_err(failed)?;
        // A server that says one thing and sends another is found here and not in the middle of a plan.
        repository.find_commit(tip).map_err(failed)?;
    }
    // It has told all that it had to.
    let _ = remote.disconnect();
    Ok(tip)
}

fn nearest<'a>(branch: &str, branches: impl Iterator<Item = &'a str>) -> String {
    let branches: Vec<&str> = branches.collect();
    match similar::get_close_matches(branch, &branches, 1, 0.6).first() {
        Some(near) => format!("; did you mean `{near}`?"),
        None if branches.is_empty() => "; it has no branch at all".to_owned(),
        None => format!("; it has {}", branches.join(", ")),
    }
}
