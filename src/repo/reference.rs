//! Files below a reference that is no branch.

use std::collections::BTreeMap;
use std::path::Path;

use git2::{ErrorCode, ObjectType, Repository, TreeWalkMode, TreeWalkResult};

use super::git::short;

/// What a reference holds.
#[derive(Debug)]
pub struct Files {
    /// Its commit, short.
    pub commit: String,
    /// Its files, by their paths. Those that are not text are left out.
    pub files: BTreeMap<String, String>,
}

/// Reads the files of a reference, by its whole name, in the repository that a folder lies in or is. `None` where there is no such
/// reference, or no repository.
///
/// # Errors
///
/// Git's own words where a repository is there but cannot be read.
pub fn files_of(folder: &Path, reference: &str) -> Result<Option<Files>, git2::Error> {
    let missing = |error: &git2::Error| error.code() == ErrorCode::NotFound;
    let repository = match Repository::discover(folder) {
        Ok(repository) => repository,
        Err(error) if missing(&error) => return Ok(None),
        Err(error) => return Err(error),
    };
    let commit = match repository.find_reference(reference) {
        Ok(reference) => reference.peel_to_commit()?,
        Err(error) if missing(&error) => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    commit.tree()?.walk(TreeWalkMode::PreOrder, |folder, entry| {
        if let (Some(ObjectType::Blob), Ok(name)) = (entry.kind(), entry.name()) {
            found.push((format!("{folder}{name}"), entry.id()));
        }
        TreeWalkResult::Ok
    })?;
    let mut files = BTreeMap::new();
    for (path, id) in found {
        if let Ok(text) = std::str::from_utf8(repository.find_blob(id)?.content()) {
            files.insert(path, text.to_owned());
        }
    }
    Ok(Some(Files {
        commit: short(commit.id()),
        files,
    }))
}
