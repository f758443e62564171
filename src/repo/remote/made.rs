//! Commits of files on top of others, by gamops itself.

use std::collections::BTreeMap;

use git2::build::TreeUpdateBuilder;
use git2::{Commit, FileMode, Oid, Repository, Signature, Time};
use jiff::Timestamp;

use crate::repo::signature::NAMESPACE;
use crate::transport::ssh::PrivateKey;

/// What is to become a commit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Making<'m> {
    /// The files that it changes, by their paths from the top of the repository, with all of their text.
    pub(super) files: &'m BTreeMap<String, String>,
    /// All of its message.
    pub(super) message: &'m str,
    /// When it is made.
    pub(super) at: Timestamp,
    /// What it is signed with.
    pub(super) signed_with: Option<&'m PrivateKey>,
}

impl Making<'_> {
    /// Makes the commit. No branch moves. The same on the same commit has the same id, in every repository.
    pub(super) fn on(self, parent: &Commit<'_>, repository: &Repository) -> Result<Oid, git2::Error> {
        let mut builder = TreeUpdateBuilder::new();
        for (path, text) in self.files {
            builder.upsert(path, repository.blob(text.as_bytes())?, FileMode::Blob);
        }
        let tree = builder.create_updated(repository, &parent.tree()?)?;
        let tree = repository.find_tree(tree)?;
        let who = Signature::new("gamops", "gamops@localhost", &Time::new(self.at.as_second(), 0))?;
        let Some(key) = self.signed_with else {
            return repository.commit(None, &who, &who, self.message, &tree, &[parent]);
        };
        let unsigned = repository.commit_create_buffer(&who, &who, self.message, &tree, &[parent])?;
        let signature = key
            .sign(NAMESPACE, &unsigned)
            .map_err(|error| git2::Error::from_str(&error.to_string()))?;
        let unsigned = std::str::from_utf8(&unsigned).map_err(|error| git2::Error::from_str(&error.to_string()))?;
        repository.commit_signed(unsigned, &signature, None)
    }
}
