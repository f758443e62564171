//! A commit of files that gamops edited, and of nothing else.

use std::path::{Path, PathBuf};

use git2::{ErrorCode, Repository, RepositoryState, Signature, Status, StatusOptions};

use super::git::short;

/// Why there is no commit.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// The inventory is in no work tree of Git. Operator's fault.
    #[error("{} is not in a Git repository, so nothing can be committed", path.display())]
    NoRepository {
        /// The inventory.
        path: PathBuf,
    },
    /// Something else is changed, which a commit must not take along. Operator's fault.
    #[error("{} has changes that are not committed{}", first, and_more(*more))]
    OtherChanges {
        /// One of the files.
        first: String,
        /// How many more there are.
        more: usize,
    },
    /// A merge, a rebase or the like is not finished. Operator's fault.
    #[error("the Git repository is in the middle of something (a merge or a rebase)")]
    Busy,
    /// Git does not know who commits. Operator's fault.
    #[error("Git does not know who you are: set `user.name` and `user.email` with `git config`")]
    Nobody,
    /// Git's own words.
    #[error("asking Git")]
    Git(#[from] git2::Error),
}

fn and_more(more: usize) -> String {
    match more {
        0 => String::new(),
        more => format!(", and {more} more"),
    }
}

/// A work tree without changes, in which somebody known to Git may commit.
pub struct Committer {
    repository: Repository,
    author: Signature<'static>,
}

impl std::fmt::Debug for Committer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Committer")
            .field("repository", &self.repository.path())
            .finish_non_exhaustive()
    }
}

impl Committer {
    /// Looks whether what is edited next can be committed by itself. Files that Git does not know do not matter.
    ///
    /// # Errors
    ///
    /// [`CommitError`]: it cannot.
    pub fn ready(inventory: &Path) -> Result<Self, CommitError> {
        let no_repository = || CommitError::NoRepository {
            path: inventory.to_owned(),
        };
        let repository = match Repository::discover(inventory) {
            Ok(repository) if !repository.is_bare() => repository,
            Err(error) if error.code() != ErrorCode::NotFound => return Err(error.into()),
            _ => return Err(no_repository()),
        };
        if repository.state() != RepositoryState::Clean {
            return Err(CommitError::Busy);
        }
        let author = match repository.signature() {
            Ok(author) => author.to_owned(),
            Err(error) if error.code() == ErrorCode::NotFound => return Err(CommitError::Nobody),
            Err(error) => return Err(error.into()),
        };
        let changed: Vec<String> = (repository
            .statuses(Some(StatusOptions::new().include_ignored(false)))?
            .iter())
        .filter(|entry| {
            !entry.status().intersects(Status::WT_NEW | Status::IGNORED) && entry.status() != Status::CURRENT
        })
        .map(|entry| String::from_utf8_lossy(entry.path_bytes()).into_owned())
        .collect();
        if let Some((first, more)) = changed.split_first() {
            return Err(CommitError::OtherChanges {
                first: first.clone(),
                more: more.len(),
            });
        }
        Ok(Self { repository, author })
    }

    /// Commits these files as they are now, and nothing else; gives the commit's short id. Hooks are not run.
    ///
    /// # Errors
    ///
    /// [`CommitError`]: there is no commit.
    pub fn commit<'p>(&self, files: impl IntoIterator<Item = &'p str>, message: &str) -> Result<String, CommitError> {
        let root = self.repository.workdir().and_then(|root| root.canonicalize().ok());
        let mut index = self.repository.index()?;
        for file in files {
            let real = Path::new(file).canonicalize().ok();
            let below = real
                .as_deref()
                .zip(root.as_deref())
                .and_then(|(file, root)| file.strip_prefix(root).ok());
            let below = below.ok_or_else(|| CommitError::NoRepository { path: file.into() })?;
            index.add_path(below)?;
        }
        index.write()?;
        let tree = self.repository.find_tree(index.write_tree()?)?;
        let parent = match self.repository.head() {
            Ok(head) => Some(head.peel_to_commit()?),
            Err(error) if error.code() == ErrorCode::UnbornBranch => None,
            Err(error) => return Err(error.into()),
        };
        let parents: Vec<&git2::Commit<'_>> = parent.iter().collect();
        let id = self
            .repository
            .commit(Some("HEAD"), &self.author, &self.author, message, &tree, &parents)?;
        Ok(short(id))
    }
}
