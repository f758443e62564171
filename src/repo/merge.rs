//! The inventory as it will be after a merge that nobody has made yet, and as it is without it.

use std::path::Path;

use git2::{Commit, ErrorCode, MergeOptions, Repository};

use super::git::{short, trailers_in};
use super::revision::{Place, Revision, RevisionError, inventory_of};

/// An inventory with and without the commits of a branch.
#[derive(Debug)]
pub struct Merged {
    /// Without them.
    pub base: Revision,
    /// With them: as the branch has it, or merged where the base has gone on since.
    pub head: Revision,
    /// Whether it had to be merged.
    pub is_merge: bool,
    /// The whole id of the branch's last commit.
    pub id: String,
}

/// The commit that a revision names, whole.
///
/// # Errors
///
/// [`RevisionError`].
pub fn commit_id(path: &Path, revision: &str) -> Result<String, RevisionError> {
    let place = Place::of(path)?;
    Ok(place.commit(revision)?.id().to_string())
}

/// The values of a trailer in the message of the commit that a revision names.
///
/// # Errors
///
/// [`RevisionError`].
pub fn trailers_at(path: &Path, revision: &str, key: &str) -> Result<Vec<String>, RevisionError> {
    let place = Place::of(path)?;
    Ok(trailers_in(&place.commit(revision)?, key)?)
}

/// Reads the inventory at `path`, as the work tree has it there, as it is at `base` and as it will be once `head` is merged into
/// that. Nothing is written: the merge is made in memory.
///
/// # Errors
///
/// [`RevisionError`]; [`RevisionError::Conflict`] where Git cannot merge the two.
pub fn read_merged(path: &Path, base: &str, head: &str) -> Result<Merged, RevisionError> {
    let place = Place::of(path)?;
    let repository = &place.repository;
    let (base, head) = (place.commit(base)?, place.commit(head)?);
    let fork = fork(repository, &base, &head)?;
    let is_merge = fork != base.id();
    let tree = if is_merge {
        // What is made is kept in memory, and gone with it.
        let odb = repository.odb()?;
        odb.add_new_mempack_backend(i32::MAX)?;
        let mut index = repository.merge_commits(&base, &head, Some(&MergeOptions::new()))?;
        if index.has_conflicts() {
            return Err(conflict(&index, &base, &head));
        }
        repository.find_tree(index.write_tree_to(repository)?)?
    } else {
        head.tree()?
    };
    Ok(Merged {
        base: inventory_of(repository, &base.tree()?, base.id(), &place.below)?,
        head: inventory_of(repository, &tree, head.id(), &place.below)?,
        is_merge,
        id: head.id().to_string(),
    })
}

/// Reads the inventory at `path`, as the work tree has it there, as it was where the work tree's commit and `base` part. Also tells
/// whether `base` has gone on since.
///
/// # Errors
///
/// [`RevisionError`].
pub fn read_fork(path: &Path, base: &str) -> Result<(Revision, bool), RevisionError> {
    let place = Place::of(path)?;
    let repository = &place.repository;
    let (base, head) = (place.commit(base)?, place.commit("HEAD")?);
    let fork = repository.find_commit(fork(repository, &base, &head)?)?;
    let revision = inventory_of(repository, &fork.tree()?, fork.id(), &place.below)?;
    Ok((revision, fork.id() != base.id()))
}

/// The last commit that two have in common.
fn fork(repository: &Repository, base: &Commit<'_>, head: &Commit<'_>) -> Result<git2::Oid, RevisionError> {
    match repository.merge_base(base.id(), head.id()) {
        Ok(fork) => Ok(fork),
        Err(error) if error.code() == ErrorCode::NotFound => Err(RevisionError::NothingInCommon {
            base: short(base.id()),
            head: short(head.id()),
            hint: if repository.is_shallow() {
                "; this is a shallow clone: fetch all of the history (`git fetch --unshallow`, `fetch-depth: 0`, `GIT_DEPTH: 0`)"
            } else {
                ""
            },
        }),
        Err(error) => Err(error.into()),
    }
}

fn conflict(index: &git2::Index, base: &Commit<'_>, head: &Commit<'_>) -> RevisionError {
    let sides = index.conflicts().into_iter().flatten().flatten();
    let path = |conflict: git2::IndexConflict| {
        let side = conflict.our.or(conflict.their).or(conflict.ancestor)?;
        String::from_utf8(side.path).ok()
    };
    let files: Vec<String> = sides.filter_map(path).collect();
    RevisionError::Conflict {
        base: short(base.id()),
        head: short(head.id()),
        files: files.join(", "),
    }
}
