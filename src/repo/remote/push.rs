//! Files put under a reference of a repository, here or elsewhere: always as one commit without a parent, so that what was there
//! before is nowhere in the history of what is there now.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use git2::{Direction, FileMode, Oid, PushOptions, Remote, RemoteCallbacks, Repository, Signature, Time};
use jiff::Timestamp;
use tokio::runtime::Handle;

use super::{Access, Address, Trouble, reaching};
use crate::transport::ssh::PrivateKey;

/// Files under a reference.
#[derive(Debug, Clone)]
pub struct Publication {
    /// The whole name: `refs/gamops/observed`.
    pub reference: &'static str,
    /// By name; a slash makes folders.
    pub files: BTreeMap<String, String>,
    /// What the commit says of itself.
    pub message: String,
    /// When it is made.
    pub at: Timestamp,
}

/// Where something is put.
#[derive(Debug, Clone)]
pub struct Destination {
    /// The repository.
    pub address: Address,
    /// What gets us in.
    pub access: Access,
    /// How long all of it may take.
    pub within: Duration,
    /// The SSH key that commits for people's branches are signed with, if any.
    pub signed_with: Option<PrivateKey>,
}

/// Something could not be put into a repository.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// There is no place to put it together. The machine's fault.
    #[error("making room for what is to be pushed")]
    Room(#[source] std::io::Error),
    /// The server, or the way to it.
    #[error("pushing to {address}")]
    Remote {
        /// The repository.
        address: String,
        /// What happened.
        #[source]
        trouble: Trouble,
    },
    /// What Git makes of it.
    #[error("pushing to {address}")]
    Git {
        /// The repository.
        address: String,
        /// Git's own words.
        #[source]
        source: git2::Error,
    },
    /// Somebody else wrote to a branch that was ours. Nobody's fault: people decide.
    #[error(
        "the branch `{branch}` of {address} has commit {commit}, which gamops did not put there: merge it or delete the branch"
    )]
    Taken {
        /// The repository.
        address: String,
        /// The branch.
        branch: String,
        /// What is there, short.
        commit: String,
    },
    /// The branch is checked out, and its files have changes. Whoever works there decides.
    #[error(
        "the branch `{branch}` is checked out in {address}, where {file} has changes that are not committed; commit them, or put them aside"
    )]
    CheckedOut {
        /// The repository.
        address: String,
        /// The branch.
        branch: String,
        /// One of the files.
        file: String,
    },
    /// The server has rules for the branch. Its operator's decision.
    #[error("{address} does not take `{branch}`: {reason}")]
    NotTaken {
        /// The repository.
        address: String,
        /// The branch.
        branch: String,
        /// In the server's words.
        reason: String,
    },
    /// The server has rules. Its operator's decision.
    #[error("{address} does not take `{reference}`, which is replaced as a whole each time: {reason}")]
    Refused {
        /// The repository.
        address: String,
        /// The reference.
        reference: &'static str,
        /// In the server's words.
        reason: String,
    },
}

/// Puts files under a reference, in the place of what was there. Blocks; `runtime` does the waiting.
///
/// # Errors
///
/// [`PushError`]. The reference is as it was then, or the server did not say that it moved.
pub fn push(publication: &Publication, to: &Destination, runtime: &Handle) -> Result<(), PushError> {
    let failed = |source| PushError::Git {
        address: to.address.to_string(),
        source,
    };
    if let Address::Folder(path) = &to.address {
        return put(publication, path).map_err(failed);
    }
    // Put together in a place of its own that goes away afterwards: a copy that is kept would only grow.
    let room = tempfile::tempdir().map_err(PushError::Room)?;
    let repository = Repository::init_bare(room.path()).map_err(failed)?;
    write(publication, &repository).map_err(failed)?;
    let way = (&to.address, &to.access, to.within);
    match reaching(way, runtime, |_| send(&repository, publication, to)) {
        (Ok(None), _) => Ok(()),
        (Ok(Some(reason)), _) => Err(PushError::Refused {
            address: to.address.to_string(),
            reference: publication.reference,
            reason,
        }),
        (Err(_), Some(trouble)) => Err(PushError::Remote {
            address: to.address.to_string(),
            trouble,
        }),
        (Err(source), None) => Err(failed(source)),
    }
}

/// Puts them into a repository of this machine: libgit2 pushes to none that has a work tree.
fn put(publication: &Publication, path: &Path) -> Result<(), git2::Error> {
    write(publication, &Repository::open(path)?)
}

/// Makes the commit and lets the reference name it.
fn write(publication: &Publication, repository: &Repository) -> Result<(), git2::Error> {
    let tree = repository.find_tree(tree(repository, &publication.files)?)?;
    let time = Time::new(publication.at.as_second(), 0);
    let who = Signature::new("gamops", "gamops@localhost", &time)?;
    let commit = repository.commit(None, &who, &who, &publication.message, &tree, &[])?;
    repository.reference(publication.reference, commit, true, "gamops: published")?;
    Ok(())
}

/// The tree of files, folders first made from what is below them.
fn tree(repository: &Repository, files: &BTreeMap<String, String>) -> Result<Oid, git2::Error> {
    let mut builder = repository.treebuilder(None)?;
    let mut folders: BTreeMap<&str, BTreeMap<String, String>> = BTreeMap::new();
    for (name, text) in files {
        match name.split_once('/') {
            Some((folder, below)) => {
                let folder = folders.entry(folder).or_default();
                folder.insert(below.to_owned(), text.clone());
            }
            None => {
                let blob = repository.blob(text.as_bytes())?;
                builder.insert(name, blob, FileMode::Blob.into())?;
            }
        }
    }
    for (name, below) in folders {
        builder.insert(name, tree(repository, &below)?, FileMode::Tree.into())?;
    }
    builder.write()
}

/// Sends it. The answer says why the server did not take it, if it did not.
fn send(repository: &Repository, publication: &Publication, to: &Destination) -> Result<Option<String>, git2::Error> {
    let mut remote = repository.remote_anonymous(&to.address.url())?;
    remote.connect(Direction::Push)?;
    let reference = publication.reference;
    send_over(&mut remote, &format!("+{reference}:{reference}"))
}

/// Sends what a refspec names over a connection, which is closed by that. Gives in the server's words why it was not taken, if it was
/// not.
pub(super) fn send_over(remote: &mut Remote<'_>, refspec: &str) -> Result<Option<String>, git2::Error> {
    let refused: Mutex<Option<String>> = Mutex::default();
    let mut callbacks = RemoteCallbacks::new();
    // A push that a hook refuses is none that failed, for libgit2.
    callbacks.push_update_reference(|_, status| {
        *refused.lock().unwrap_or_else(PoisonError::into_inner) = status.map(str::to_owned);
        Ok(())
    });
    let mut options = PushOptions::new();
    options.remote_callbacks(callbacks);
    let done = remote.push(&[refspec], Some(&mut options));
    let _ = remote.disconnect();
    drop(options);
    done?;
    Ok(refused.into_inner().unwrap_or_else(PoisonError::into_inner))
}
