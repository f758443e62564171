//! The commit that an inventory was read from.

use std::path::Path;

use git2::{Commit, ErrorCode, Oid, Repository, StatusOptions};

/// How many characters of a commit id people read.
const SHORT: usize = 12;

/// The values of a trailer in the message of the commit that the work tree at `path` is at. None where files below `path`
/// differ from that commit: what somebody said of a commit is not said of those changes.
///
/// # Errors
///
/// Git's own words where a repository is there but cannot be read.
pub fn trailers_of(path: &Path, key: &str) -> Result<Vec<String>, git2::Error> {
    let Some((repository, commit)) = head(path)? else {
        return Ok(Vec::new());
    };
    let values = trailers_in(&repository.find_commit(commit)?, key)?;
    if values.is_empty() || is_changed(&repository, path)? {
        return Ok(Vec::new());
    }
    Ok(values)
}

/// The values of a trailer in a commit's message.
pub(super) fn trailers_in(commit: &Commit<'_>, key: &str) -> Result<Vec<String>, git2::Error> {
    // A message that is not text has no trailer that could be read.
    let Ok(message) = commit.message() else {
        return Ok(Vec::new());
    };
    let trailers = git2::message_trailers_strs(message)?;
    let named = trailers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(key));
    Ok(named.map(|(_, value)| value.to_owned()).collect())
}

/// The trailers of a message that is not a commit yet, or was one: names and values. One that cannot be read has none.
#[must_use]
pub fn trailers_of_text(message: &str) -> Vec<(String, String)> {
    let Ok(trailers) = git2::message_trailers_strs(message) else {
        return Vec::new();
    };
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    trailers.iter().map(owned).collect()
}

/// The commit of the work tree that `path` lies in, short, with `+changes` where files below `path` differ
/// from it. `None` outside Git, and in a repository without a commit.
///
/// # Errors
///
/// Git's own words where a repository is there but cannot be read.
pub fn commit_of(path: &Path) -> Result<Option<String>, git2::Error> {
    let Some((repository, commit)) = head(path)? else {
        return Ok(None);
    };
    let short = short(commit);
    let changed = if is_changed(&repository, path)? { "+changes" } else { "" };
    Ok(Some(format!("{short}{changed}")))
}

/// Where a work tree is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkTree {
    /// The whole id of the commit.
    pub commit: String,
    /// The branch, without `refs/heads/`; none where the work tree is on no branch.
    pub branch: Option<String>,
    /// Whether files below the path that was asked about differ from the commit.
    pub is_changed: bool,
}

/// Where the work tree is that `path` lies in. `None` outside Git, and in a repository without a commit.
///
/// # Errors
///
/// Git's own words where a repository is there but cannot be read.
pub fn work_tree(path: &Path) -> Result<Option<WorkTree>, git2::Error> {
    let Some((repository, commit)) = head(path)? else {
        return Ok(None);
    };
    let head = repository.head()?;
    let branch = (head.is_branch())
        .then(|| head.shorthand().map(str::to_owned))
        .transpose()?;
    Ok(Some(WorkTree {
        commit: commit.to_string(),
        branch,
        is_changed: is_changed(&repository, path)?,
    }))
}

/// The repository of a work tree, and the commit that it is at.
fn head(path: &Path) -> Result<Option<(Repository, Oid)>, git2::Error> {
    let repository = match Repository::discover(path) {
        Ok(repository) => repository,
        Err(error) if error.code() == ErrorCode::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let commit = match repository.head() {
        Ok(head) => head.peel_to_commit()?.id(),
        Err(error) if matches!(error.code(), ErrorCode::UnbornBranch | ErrorCode::NotFound) => return Ok(None),
        Err(error) => return Err(error),
    };
    Ok(Some((repository, commit)))
}

/// A commit's id as people read it.
pub(super) fn short(id: Oid) -> String {
    shortened(&id.to_string())
}

/// A commit's whole id, as much of it as people read.
#[must_use]
pub fn shortened(commit: &str) -> String {
    commit.chars().take(SHORT).collect()
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
        commit_saying(repository, "one");
    }

    fn commit_saying(repository: &Repository, message: &str) {
        let mut index = repository.index().unwrap();
        index.add_all(["*"], git2::IndexAddOption::DEFAULT, None).unwrap();
        index.write().unwrap();
        let tree = repository.find_tree(index.write_tree().unwrap()).unwrap();
        let who = git2::Signature::now("t", "t@example.org").unwrap();
        let parent = repository.head().ok().map(|head| head.peel_to_commit().unwrap());
        let parents: Vec<&git2::Commit<'_>> = parent.iter().collect();
        repository
            .commit(Some("HEAD"), &who, &who, message, &tree, &parents)
            .unwrap();
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

    #[test]
    fn only_the_trailer_of_the_commit_at_hand_counts_and_only_without_changes() {
        let folder = tempfile::tempdir().unwrap();
        let said = || trailers_of(folder.path(), "Gamops-Allow").unwrap();
        assert_eq!(said(), Vec::<String>::new(), "no repository");
        let repository = Repository::init(folder.path()).unwrap();
        assert_eq!(said(), Vec::<String>::new(), "no commit");

        std::fs::write(folder.path().join("a.yaml"), "a: 1\n").unwrap();
        let message = "close the east wing\n\nGamops-Allow: destroy=9\nis no trailer here\n\nAsked-by: desk\ngamops-allow: destroy=37\n";
        commit_saying(&repository, message);
        assert_eq!(said(), ["destroy=37"]);

        std::fs::write(folder.path().join("a.yaml"), "a: 2\n").unwrap();
        assert_eq!(said(), Vec::<String>::new(), "files differ");
        commit_saying(&repository, "another");
        assert_eq!(said(), Vec::<String>::new(), "it died with its commit");
    }
}
