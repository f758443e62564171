//! Edits of the inventory by commands: shown as a diff, written once somebody agreed, taken back where they came to nothing.

use std::path::{Path, PathBuf};

use similar::TextDiff;

use crate::diagnostic::{Colour, SourceFile};
use crate::inventory::edit::{Edit, EditError, Edited, edit};
use crate::inventory::model::Inventory;
use crate::plan::some_of;
use crate::repo::{self, Committer, Rewrite, WriteError};

use super::context::WIDTH;
use super::exit::Exit;
use super::{answer, say};

/// An inventory as it is and as it would be.
#[derive(Debug)]
pub(super) struct Proposal {
    root: PathBuf,
    before: Vec<SourceFile>,
    after: Edited,
}

impl Proposal {
    /// Makes edits in the texts of the inventory at `root`. Where they come to nothing, that is said, and the exit code is the
    /// answer.
    pub(super) fn new(root: &Path, before: &[SourceFile], edits: &[Edit]) -> Result<Self, Exit> {
        let after = edit(before, edits).map_err(|error| not_edited(&error, before))?;
        Ok(Self::of(root, before, after))
    }

    /// Edits that were made already.
    pub(super) fn of(root: &Path, before: &[SourceFile], after: Edited) -> Self {
        Self {
            root: root.to_owned(),
            before: before.to_vec(),
            after,
        }
    }

    /// What the inventory would say.
    pub(super) const fn inventory(&self) -> &Inventory {
        &self.after.inventory
    }

    /// What would be written, as a unified diff.
    pub(super) fn diff(&self) -> String {
        let diff = |file: Rewrite<'_>| {
            let lines = TextDiff::from_lines(file.before, file.after);
            lines.unified_diff().header(file.path, file.path).to_string()
        };
        self.changed(false).into_iter().map(diff).collect()
    }

    /// Writes the edited files.
    pub(super) fn write(&self) -> Result<(), WriteError> {
        repo::rewrite(&self.root, &self.changed(false))
    }

    /// Writes the files as they were before.
    pub(super) fn take_back(&self) -> Result<(), WriteError> {
        repo::rewrite(&self.root, &self.changed(true))
    }

    /// The files that differ; as they are to be written back, if `back`.
    fn changed(&self, back: bool) -> Vec<Rewrite<'_>> {
        let pairs = self.before.iter().zip(&self.after.files);
        (pairs.filter(|(before, after)| before.text != after.text))
            .map(|(before, after)| {
                let (before, after) = if back { (after, before) } else { (before, after) };
                Rewrite {
                    path: &before.path,
                    before: &before.text,
                    after: &after.text,
                }
            })
            .collect()
    }

    /// Commits what was written, if that was asked for; says whose the next commit is, if not.
    pub(super) fn commit(&self, committer: Option<&Committer>, message: &str) -> anyhow::Result<()> {
        let paths: Vec<&str> = self.changed(false).iter().map(|file| file.path).collect();
        match committer {
            None => answer(&format!("Edited: {}. The next commit is yours.\n", some_of(&paths))),
            Some(committer) => {
                let commit = committer.commit(paths.iter().copied(), message)?;
                answer(&format!("Edited and committed as {commit}: {}.\n", some_of(&paths)));
            }
        }
        Ok(())
    }
}

/// Looks whether what is edited next can be committed by itself, if that is asked for. Where it cannot, that is said, and the exit
/// code is the answer.
pub(super) fn committer(wanted: bool, root: &Path) -> Result<Option<Committer>, Exit> {
    if !wanted {
        return Ok(None);
    }
    Committer::ready(root).map(Some).map_err(|error| {
        say(&format!(
            "error: nothing was edited: {}\n  help: mend that, or leave out `--commit` and commit yourself",
            crate::reconcile::chain(&error)
        ));
        Exit::Failed
    })
}

/// Says why edits came to nothing.
fn not_edited(error: &EditError, before: &[SourceFile]) -> Exit {
    let findings = |report: &crate::diagnostic::Report, files: &[SourceFile]| {
        say(report.render_text(files, Colour::On, WIDTH).trim_end());
        say(&format!("error: {error}"));
        Exit::Invalid
    };
    match error {
        EditError::InvalidBefore(report) => findings(report, before),
        EditError::InvalidAfter { report, files } => findings(report, files),
        EditError::Refused { message, help, .. } => {
            say(&format!("error: {message}\n  help: {help}\nNothing was edited."));
            Exit::Failed
        }
    }
}
