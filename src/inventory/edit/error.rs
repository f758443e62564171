//! Why an edit came to nothing.

use crate::diagnostic::{Locator, Report, SourceFile};

use super::super::document::Span;
use super::KeyPath;

/// Why one text was not edited, before it is told in words.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reason {
    /// There is nothing at the place.
    NotThere,
    /// There is something at the place.
    AlreadyThere(Span),
    /// The path goes on where there is a single value or a list.
    NotAMap(Span),
    /// The value is repeated from an anchor.
    Alias(Span),
    /// It is written in a form that edits do not know.
    Form(Span),
    /// Other places repeat what would be changed, from this offset on.
    Anchor(usize),
    /// The edited text would not say what was meant.
    Unsafe(usize),
}

/// Why nothing came of edits. The operator's to mend, by hand where nothing else is said.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// The inventory has errors.
    #[error("the inventory is invalid; nothing was edited")]
    InvalidBefore(Report),
    /// With the edits it would have errors.
    #[error("with this edit the inventory would be invalid; nothing was edited")]
    InvalidAfter {
        /// What would be wrong.
        report: Report,
        /// The texts that it is wrong in.
        files: Vec<SourceFile>,
    },
    /// The place is not there, or cannot be edited.
    #[error("{message}")]
    Refused {
        /// The place.
        path: KeyPath,
        /// What is wrong, with its file, line and column where it has one.
        message: String,
        /// What to do.
        help: String,
    },
}

impl EditError {
    /// There is no such entry.
    pub(super) fn unknown(path: &KeyPath, section: &str, key: &str, nearest: Option<&str>) -> Self {
        Self::Refused {
            path: path.clone(),
            message: format!("the inventory has no `{key}` under `{section}`"),
            help: nearest.map_or_else(
                || "look at the spelling".to_owned(),
                |nearest| format!("did you mean `{nearest}`?"),
            ),
        }
    }

    /// One text was not edited.
    pub(super) fn refused(file: &SourceFile, path: &KeyPath, reason: Reason) -> Self {
        let at = |span: std::ops::Range<usize>| {
            let place = Locator::new(file).place(span);
            format!("{}:{}:{}", place.file, place.line, place.column)
        };
        let (message, help) = match reason {
            Reason::NotThere => (format!("{}: there is no `{path}`", file.path), "look at the spelling"),
            Reason::AlreadyThere(span) => (
                format!("{}: `{path}` is there already", at(span.range())),
                "choose another key, or edit what is there",
            ),
            Reason::NotAMap(span) => (
                format!(
                    "{}: `{path}` leads into what is not a map of keys and values",
                    at(span.range())
                ),
                "write it as a map first",
            ),
            Reason::Alias(span) => (
                format!(
                    "{}: `{path}` repeats by an alias (`*`) what stands elsewhere",
                    at(span.range())
                ),
                "write the value out here, then try again",
            ),
            Reason::Anchor(start) => (
                format!(
                    "{}: editing `{path}` would change what repeats it by an alias (`*`)",
                    at(start..start)
                ),
                "write the values out there, then try again",
            ),
            Reason::Form(span) => (
                format!(
                    "{}: `{path}` is written in a form that is not edited by a program",
                    at(span.range())
                ),
                "edit it by hand; `gamops validate` says whether it is right",
            ),
            Reason::Unsafe(start) => (
                format!(
                    "{}: `{path}` cannot be edited without changing something else",
                    at(start..start)
                ),
                "edit it by hand; `gamops validate` says whether it is right",
            ),
        };
        Self::Refused {
            path: path.clone(),
            message,
            help: help.to_owned(),
        }
    }
}
