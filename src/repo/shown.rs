//! A commit as people look at it.

use std::path::Path;

use git2::{DiffFormat, DiffOptions, Repository};

use super::git::short;

/// A commit: what it says and what it changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The short id.
    pub commit: String,
    /// All of its message.
    pub message: String,
    /// What it changes against the commit before, as a patch.
    pub patch: String,
}

/// The commit that a revision of the repository at `path` names, as `git show` has it.
///
/// # Errors
///
/// Git's own words.
pub fn shown(path: &Path, revision: &str) -> Result<Shown, git2::Error> {
    let repository = Repository::open(path)?;
    let commit = repository.revparse_single(revision)?.peel_to_commit()?;
    let before = commit.parents().next().map(|parent| parent.tree()).transpose()?;
    let mut options = DiffOptions::new();
    let diff = repository.diff_tree_to_tree(before.as_ref(), Some(&commit.tree()?), Some(&mut options))?;
    let mut patch = String::new();
    diff.print(DiffFormat::Patch, |_, _, line| {
        if matches!(line.origin(), '+' | '-' | ' ') {
            patch.push(line.origin());
        }
        patch.push_str(&String::from_utf8_lossy(line.content()));
        true
    })?;
    Ok(Shown {
        commit: short(commit.id()),
        message: String::from_utf8_lossy(commit.message_bytes()).into_owned(),
        patch,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::{By, first_commit};

    #[test]
    fn a_commit_is_shown_with_its_message_and_what_it_changes() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.yaml"), "one: 1\n").unwrap();
        let by = By::Somebody {
            name: "Alice",
            email: "alice@example.org",
        };
        let commit = first_commit(folder.path(), &[("a.yaml", "")], "First\n\nMore: yes\n", by).unwrap();
        let shown = shown(folder.path(), "main").unwrap();
        assert_eq!((shown.commit, shown.message.as_str()), (commit, "First\n\nMore: yes\n"));
        assert!(
            shown.patch.ends_with("+++ b/a.yaml\n@@ -0,0 +1 @@\n+one: 1\n"),
            "{}",
            shown.patch
        );
    }
}
