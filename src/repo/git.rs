//! The commit that an inventory was read from.

use std::path::Path;

use git2::{ErrorCode, Repository, StatusOptions};

/// How many characters of a commit id people read.
const SHORT: usize = 12;

/// The commit of the work tree that `path` lies in, short, with `+changes` where files below `path` differ
/// from it. `None` outside Git, and in a repository without a commit.
///
/// # Errors
///
/// Git's own words where a repository is there but cannot be read.
pub fn commit_of(path: &Path) -> Result<Option<String>, git2::Error> {
    let repository = match Repository::discover(path) {
        Ok(repository) => repository,
        Err(error) if error.code() == ErrorCode::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let commit = match repository.head() {
        Ok(head) => head.peel_to_commit()?,
        Err(error) if matches!(error.code(), ErrorCode::UnbornBranch | ErrorCode::NotFound) => return Ok(None),
        Err(error) => return Err(error),
    };
    let short = short(commit.id());
    let changed = if is_changed(&repository, path)? { "+changes" } else { "" };
    Ok(Some(format!("{short}{changed}")))
}

/// A commit's id as people read it.
pub(super) fn short(id: git2::Oid) -> String {
    id.to_string().chars().take(SHORT).collect()
}

fn is_changed(repository: &Repository, path: &Path) -> Result<bool, git2::Error> {
    let Some(root) = repository.workdir() else {
        return Ok(false);
    };
    let (Ok(root), Ok(path)) = (root.canonicalize(), path.canonicalize()) else {
        return Ok(true);
    };
    let Ok(below) = path.strip_prefix(&root) else {
        return Ok(true);
    };
    let mut options = StatusOptions::new();
    options
        .include_untracked(true)
        .recurse_untracked_dirs(true)
        .disable_pathspec_match(true);
    if !below.as_os_str().is_empty() {
        options.pathspec(below);
    }
    Ok(!repository.statuses(Some(&mut options))?.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(repository: &Repository) {
        let mut index = repository.index().unwrap();
        index.add_all(["*"], git2::IndexAddOption::DEFAULT, None).unwrap();
        index.write().unwrap();
        let tree = repository.find_tree(index.write_tree().unwrap()).unwrap();
        let who = git2::Signature::now("t", "t@example.org").unwrap();
        repository.commit(Some("HEAD"), &who, &who, "one", &tree, &[]).unwrap();
    }

    #[test]
    fn a_work_tree_names_its_commit_and_says_when_files_differ() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("repo");
        let inventory = root.join("inventory");
        std::fs::create_dir_all(&inventory).unwrap();
        assert_eq!(commit_of(&inventory).unwrap(), None, "no repository");

        let repository = Repository::init(&root).unwrap();
        assert_eq!(commit_of(&inventory).unwrap(), None, "no commit");

        std::fs::write(inventory.join("a.yaml"), "a: 1\n").unwrap();
        commit(&repository);
        let clean = commit_of(&inventory).unwrap().unwrap();
        assert_eq!(clean.len(), SHORT);

        std::fs::write(root.join("elsewhere"), "x").unwrap();
        assert_eq!(
            commit_of(&inventory).unwrap().unwrap(),
            clean,
            "changes elsewhere do not count"
        );

        std::fs::write(inventory.join("a.yaml"), "a: 2\n").unwrap();
        assert_eq!(commit_of(&inventory).unwrap().unwrap(), format!("{clean}+changes"));
    }
}
