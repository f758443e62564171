//! An edit of what is at a commit, put on a branch of its own: for people to look at and merge, or not.
//!
//! A branch that somebody else has written to since is left as it is. What was proposed last is remembered in the mirror, so that
//! the same is not proposed twice, whoever starts again and whatever people made of the branch.

use std::collections::BTreeMap;

use git2::{Direction, Oid, Repository};
use jiff::Timestamp;
use tokio::runtime::Handle;

use super::made::Making;
use super::push::{Destination, PushError, send_over};
use super::{Address, Mirror, reaching};
use crate::repo::git::{short, trailers_in, trailers_of_text};
use crate::transport::ssh::PrivateKey;

/// An edit, as one commit on top of another.
#[derive(Debug, Clone)]
pub struct Edit {
    /// The commit that it is made on, by its whole id; the mirror has it.
    pub onto: String,
    /// The branch that is to have it, without `refs/heads/`.
    pub branch: String,
    /// The files that it changes, by their paths from the top of the repository, with all of their text.
    pub files: BTreeMap<String, String>,
    /// What the commit says of itself.
    pub message: String,
    /// The trailer that says what it is made from.
    pub marked_by: &'static str,
    /// What it is made from: an edit that is made from the same is the same edit.
    pub mark: String,
    /// When it is made.
    pub at: Timestamp,
}

impl Mirror {
    /// What was proposed last on a branch: the commit, and what it was made from, as its trailer says.
    #[must_use]
    pub fn proposed(&self, branch: &str, marked_by: &str) -> Option<(String, String)> {
        let repository = Repository::open_bare(&self.path).ok()?;
        let commit = repository
            .find_commit(repository.refname_to_id(&ours(branch)).ok()?)
            .ok()?;
        let mark = trailers_in(&commit, marked_by).ok()?.pop()?;
        Some((commit.id().to_string(), mark))
    }

    /// Whether people were asked to look at a commit that was proposed.
    #[must_use]
    pub fn is_requested(&self, branch: &str, commit: &str) -> bool {
        let repository = Repository::open_bare(&self.path).ok();
        let noted = repository.and_then(|repository| repository.refname_to_id(&requested(branch)).ok());
        noted.is_some_and(|noted| noted.to_string() == commit)
    }

    /// Notes that people were asked to look at a commit that was proposed.
    ///
    /// # Errors
    ///
    /// Git's own.
    pub fn note_requested(&self, branch: &str, commit: &str) -> Result<(), git2::Error> {
        let repository = Repository::open_bare(&self.path)?;
        let commit = Oid::from_str(commit)?;
        repository.reference(&requested(branch), commit, true, "gamops: requested")?;
        Ok(())
    }

    /// Puts an edit on its branch, in the place of what was proposed there before; gives the commit. Blocks; `runtime` does the
    /// waiting.
    ///
    /// # Errors
    ///
    /// [`PushError`]. The branch is as it was then, or the server did not say that it moved.
    pub fn propose(&self, edit: &Edit, to: &Destination, runtime: &Handle) -> Result<String, PushError> {
        let failed = |source| PushError::Git {
            address: to.address.to_string(),
            source,
        };
        let repository = Repository::open_bare(&self.path).map_err(failed)?;
        let before = repository.refname_to_id(&ours(&edit.branch)).ok();
        let commit = write(edit, &repository, to.signed_with.as_ref()).map_err(failed)?;
        let is_ours = |there: Option<Oid>| match there {
            Some(there) if Some(there) != before && there != commit => Err(PushError::Taken {
                address: to.address.to_string(),
                branch: edit.branch.clone(),
                commit: short(there),
            }),
            _ => Ok(()),
        };
        let branch = format!("refs/heads/{}", edit.branch);
        if let Address::Folder(path) = &to.address {
            let there = Repository::open(path).map_err(failed)?;
            is_ours(there.refname_to_id(&branch).ok())?;
            // The same edit of the same commit at the same moment has the same id.
            let commit = write(edit, &there, to.signed_with.as_ref()).map_err(failed)?;
            let put = there.reference(&branch, commit, true, "gamops: proposed");
            put.map_err(failed)?;
        } else {
            let way = (&to.address, &to.access, to.within);
            match reaching(way, runtime, |_| send(&repository, commit, &branch, to, &is_ours)) {
                (Err(PushError::Git { .. }), Some(trouble)) => {
                    return Err(PushError::Remote {
                        address: to.address.to_string(),
                        trouble,
                    });
                }
                (sent, _) => sent?,
            }
        }
        let noted = repository.reference(&ours(&edit.branch), commit, true, "gamops: proposed");
        noted.map_err(failed)?;
        Ok(commit.to_string())
    }
}

/// Where the mirror remembers what was proposed.
fn ours(branch: &str) -> String {
    format!("refs/gamops/proposed/{branch}")
}

/// Where the mirror remembers what people were asked to look at.
fn requested(branch: &str) -> String {
    format!("refs/gamops/requested/{branch}")
}

/// Makes the commit.
fn write(edit: &Edit, repository: &Repository, signed_with: Option<&PrivateKey>) -> Result<Oid, git2::Error> {
    let parent = repository.find_commit(Oid::from_str(&edit.onto)?)?;
    let message = edit.message.trim_end();
    // Trailers are one paragraph.
    let gap = if trailers_of_text(message).is_empty() {
        "\n\n"
    } else {
        "\n"
    };
    let making = Making {
        files: &edit.files,
        message: &format!("{message}{gap}{}: {}\n", edit.marked_by, edit.mark),
        at: edit.at,
        signed_with,
    };
    making.on(&parent, repository)
}

/// Sends it, where the branch is ours.
fn send(
    repository: &Repository,
    commit: Oid,
    branch: &str,
    to: &Destination,
    is_ours: &dyn Fn(Option<Oid>) -> Result<(), PushError>,
) -> Result<(), PushError> {
    let failed = |source| PushError::Git {
        address: to.address.to_string(),
        source,
    };
    let mut remote = repository.remote_anonymous(&to.address.url()).map_err(failed)?;
    remote.connect(Direction::Push).map_err(failed)?;
    let heads = remote.list().map_err(failed)?;
    is_ours(
        heads
            .iter()
            .find(|head| head.name() == branch)
            .map(git2::RemoteHead::oid),
    )?;
    match send_over(&mut remote, &format!("+{commit}:{branch}")).map_err(failed)? {
        None => Ok(()),
        Some(reason) => Err(PushError::NotTaken {
            address: to.address.to_string(),
            branch: branch.to_owned(),
            reason,
        }),
    }
}
