//! Commits on top of a branch, never in the place of what is there: whoever comes second does it again on the new tip.

use std::collections::BTreeMap;
use std::path::Path;

use backon::BlockingRetryable as _;
use git2::build::CheckoutBuilder;
use git2::{Direction, ErrorCode, Oid, Remote, Repository, Sort, StatusOptions};
use jiff::Timestamp;
use tokio::runtime::Handle;

use super::made::Making;
use super::push::{Destination, PushError, send_over};
use super::{Address, Mirror, RevisionError, reaching, turns};
use crate::transport::ssh::PrivateKey;

/// A commit that is to be made.
#[derive(Debug, Clone)]
pub struct Addition {
    /// The files that it changes, by their paths from the top of the repository, with all of their text.
    pub files: BTreeMap<String, String>,
    /// All of its message.
    pub message: String,
    /// When it is made.
    pub at: Timestamp,
}

/// What became of commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Advanced {
    /// The branch is at the last of them now: their whole ids, in their order.
    By(Vec<String>),
    /// The branch is not where they were made for; nothing was written there.
    Moved,
}

/// The message of a commit, and when it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The whole id.
    pub commit: String,
    /// When, by the clock of whoever committed it.
    pub at: Timestamp,
    /// What it says; empty where that is no text.
    pub text: String,
}

impl Mirror {
    /// Puts commits on top of a branch that is at `onto`, one on the other. Blocks; `runtime` does the waiting.
    ///
    /// # Errors
    ///
    /// [`PushError`]. The branch is as it was then, or the server did not say that it moved.
    pub fn advance(
        &self,
        branch: &str,
        onto: &str,
        additions: &[Addition],
        to: &Destination,
        runtime: &Handle,
    ) -> Result<Advanced, PushError> {
        let failed = |source| PushError::Git {
            address: to.address.to_string(),
            source,
        };
        let onto = Oid::from_str(onto).map_err(failed)?;
        let name = format!("refs/heads/{branch}");
        if let Address::Folder(path) = &to.address {
            return put(path, &name, onto, additions, to.signed_with.as_ref()).map_err(|trouble| match trouble {
                NotPut::Git(source) => failed(source),
                NotPut::Changed(file) => PushError::CheckedOut {
                    address: to.address.to_string(),
                    branch: branch.to_owned(),
                    file,
                },
            });
        }
        let repository = Repository::open_bare(&self.path).map_err(failed)?;
        let made = make(&repository, onto, additions, to.signed_with.as_ref()).map_err(failed)?;
        let Some(tip) = made.last() else {
            return Ok(Advanced::By(Vec::new()));
        };
        let way = (&to.address, &to.access, to.within);
        match reaching(way, runtime, |_| send(&repository, onto, *tip, &name, to)) {
            (Ok(Sent::Taken), _) => Ok(Advanced::By(made.iter().map(Oid::to_string).collect())),
            (Ok(Sent::Moved), _) => Ok(Advanced::Moved),
            (Ok(Sent::Refused(reason)), _) => Err(PushError::NotTaken {
                address: to.address.to_string(),
                branch: branch.to_owned(),
                reason,
            }),
            (Err(_), Some(trouble)) => Err(PushError::Remote {
                address: to.address.to_string(),
                trouble,
            }),
            (Err(source), None) => Err(failed(source)),
        }
    }

    /// The messages of the commits that lead to one, the newest first; those that lead to `until` as well are left out. `None` where the one
    /// does not follow from the other: the branch was rewritten.
    ///
    /// # Errors
    ///
    /// [`RevisionError::Git`].
    pub fn messages(&self, commit: &str, until: Option<&str>) -> Result<Option<Vec<Message>>, RevisionError> {
        let repository = Repository::open_bare(&self.path)?;
        let mut walk = repository.revwalk()?;
        walk.set_sorting(Sort::TOPOLOGICAL | Sort::TIME)?;
        let commit = Oid::from_str(commit)?;
        walk.push(commit)?;
        if let Some(until) = until {
            let until = Oid::from_str(until)?;
            // One that is gone has nothing that follows from it.
            if until != commit && !repository.graph_descendant_of(commit, until).unwrap_or(false) {
                return Ok(None);
            }
            walk.hide(until)?;
        }
        let messages = walk.map(|id| {
            let commit = repository.find_commit(id?)?;
            Ok(Message {
                commit: commit.id().to_string(),
                at: Timestamp::from_second(commit.time().seconds()).unwrap_or(Timestamp::MIN),
                text: commit.message().unwrap_or_default().to_owned(),
            })
        });
        let messages = messages.collect::<Result<_, RevisionError>>()?;
        Ok(Some(messages))
    }
}

/// What a server made of commits.
enum Sent {
    Taken,
    Moved,
    Refused(String),
}

/// Sends commits, where the branch is where they were made for.
fn send(repository: &Repository, onto: Oid, tip: Oid, branch: &str, to: &Destination) -> Result<Sent, git2::Error> {
    let mut remote = repository.remote_anonymous(&to.address.url())?;
    if there(&mut remote, branch)? != Some(onto) {
        return Ok(Sent::Moved);
    }
    // Without a plus: what somebody else put there in this moment is not taken away.
    let reason = match send_over(&mut remote, &format!("{tip}:{branch}")) {
        Ok(None) => return Ok(Sent::Taken),
        Ok(Some(reason)) => reason,
        Err(error) if error.code() == ErrorCode::NotFastForward => return Ok(Sent::Moved),
        Err(error) => return Err(error),
    };
    // Servers say in many words that somebody was quicker.
    let mut remote = repository.remote_anonymous(&to.address.url())?;
    Ok(match there(&mut remote, branch)? {
        Some(now) if now == onto => Sent::Refused(reason),
        _ => Sent::Moved,
    })
}

/// Where a branch is at a server, to which this connects.
fn there(remote: &mut Remote<'_>, branch: &str) -> Result<Option<Oid>, git2::Error> {
    remote.connect(Direction::Push)?;
    let heads = remote.list()?;
    Ok(heads
        .iter()
        .find(|head| head.name() == branch)
        .map(git2::RemoteHead::oid))
}

/// Why commits were not put into a repository of this machine.
enum NotPut {
    Git(git2::Error),
    /// The branch is checked out, with changes that would be lost.
    Changed(String),
}

impl From<git2::Error> for NotPut {
    fn from(error: git2::Error) -> Self {
        Self::Git(error)
    }
}

/// Puts commits into a repository of this machine. Where the branch is checked out, its files follow, as with a push to a repository whose
/// `receive.denyCurrentBranch` is `updateInstead`.
fn put(
    path: &Path,
    branch: &str,
    onto: Oid,
    additions: &[Addition],
    signed_with: Option<&PrivateKey>,
) -> Result<Advanced, NotPut> {
    let repository = Repository::open(path)?;
    if repository.refname_to_id(branch)? != onto {
        return Ok(Advanced::Moved);
    }
    let is_checked_out = !repository.is_bare()
        && repository
            .head()
            .is_ok_and(|head| head.name().is_ok_and(|name| name == branch));
    if is_checked_out && let Some(file) = changed(&repository)? {
        return Err(NotPut::Changed(file));
    }
    let made = make(&repository, onto, additions, signed_with)?;
    let Some(tip) = made.last() else {
        return Ok(Advanced::By(Vec::new()));
    };
    if is_checked_out {
        // Before the branch says so: it is what the files are compared with.
        let tree = repository.find_commit(*tip)?.tree()?;
        repository.checkout_tree(tree.as_object(), Some(CheckoutBuilder::new().safe()))?;
    }
    // Whoever is writing the branch is quicker than we are: then it is found to have moved.
    let advance = || repository.reference_matching(branch, *tip, true, onto, "gamops: committed");
    let advanced = advance.retry(turns());
    match advanced.when(|error| error.code() == ErrorCode::Locked).call() {
        Ok(_) => Ok(Advanced::By(made.iter().map(Oid::to_string).collect())),
        Err(error) if error.code() == ErrorCode::Modified => {
            if is_checked_out {
                let mut ours = CheckoutBuilder::new();
                ours.force();
                for path in additions.iter().flat_map(|addition| addition.files.keys()) {
                    ours.path(path);
                }
                repository.checkout_head(Some(&mut ours))?;
            }
            Ok(Advanced::Moved)
        }
        Err(error) => Err(error.into()),
    }
}

/// A file of a work tree that differs from its commit. Files that Git does not know do not matter.
fn changed(repository: &Repository) -> Result<Option<String>, git2::Error> {
    let statuses = repository.statuses(Some(
        StatusOptions::new().include_untracked(false).include_ignored(false),
    ))?;
    Ok(statuses
        .iter()
        .next()
        .map(|entry| String::from_utf8_lossy(entry.path_bytes()).into_owned()))
}

/// Makes commits, each on top of the one before. No branch moves.
fn make(
    repository: &Repository,
    onto: Oid,
    additions: &[Addition],
    signed_with: Option<&PrivateKey>,
) -> Result<Vec<Oid>, git2::Error> {
    let mut made = Vec::with_capacity(additions.len());
    let mut parent = repository.find_commit(onto)?;
    for Addition { files, message, at } in additions {
        let making = Making {
            files,
            message,
            at: *at,
            signed_with,
        };
        let id = making.on(&parent, repository)?;
        made.push(id);
        parent = repository.find_commit(id)?;
    }
    Ok(made)
}
