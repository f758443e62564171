//! Findings: what is wrong with an input, where, and what to do about it.
//!
//! Owns the shape of a finding, the order of a report, and its two forms, text and JSON. Knows nothing of
//! inventories: a rule is an id here, a place is a span of a named text.

mod github;
mod json;
mod render;
mod sarif;

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

pub use render::Colour;

/// One text that was read, under the name that messages call it by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Path as shown to the operator, `/` between the parts.
    pub path: String,
    /// Whole content.
    pub text: String,
}

/// The stable name of a rule, kebab-case: `duplicate-mac`. Ids are never reused for another meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct RuleId(pub &'static str);

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The input cannot be used.
    Error,
    /// The input can be used, and somebody should look.
    Warning,
}

/// A stretch of a named text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Name of the text, as in [`SourceFile::path`].
    pub file: Arc<str>,
    /// Bytes of the text, half open, within one line; empty where something is missing.
    pub span: Range<usize>,
    /// Line of the first byte, from 1.
    pub line: usize,
    /// Column of the first byte in characters, from 1.
    pub column: usize,
}

impl Place {
    /// The first column behind it, in characters from 1. `sources`: the texts that it is in one of.
    fn end_column(&self, sources: &[SourceFile]) -> usize {
        let source = sources.iter().find(|source| *source.path == *self.file);
        let stretch = source.and_then(|source| source.text.get(self.span.clone()));
        self.column + stretch.map_or(0, |stretch| stretch.chars().count())
    }
}

/// One thing that is wrong or doubtful.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule that was broken.
    pub rule: RuleId,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, one sentence without a full stop.
    pub message: String,
    /// Where to look first.
    pub primary: Place,
    /// Other places that explain it, each with a few words.
    pub related: Vec<(Place, String)>,
    /// What to do about it.
    pub help: Option<String>,
}

/// All findings of one run.
///
/// Shape: sorted by file, position, severity, rule and message; no two findings equal. The same input
/// gives the same report whatever the order in which its files were handed in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    findings: Vec<Finding>,
    files: usize,
    secrets: Vec<(Arc<str>, Range<usize>)>,
}

impl Report {
    /// Sorts findings into a report about `files` texts. `secrets` are stretches of bytes, by
    /// file, that no rendering may show.
    #[must_use]
    pub fn new(mut findings: Vec<Finding>, files: usize, secrets: Vec<(Arc<str>, Range<usize>)>) -> Self {
        findings.sort_by_cached_key(|finding| {
            (
                Arc::clone(&finding.primary.file),
                finding.primary.span.start,
                finding.primary.span.end,
                finding.severity,
                finding.rule,
                finding.message.clone(),
            )
        });
        findings.dedup();
        Self {
            findings,
            files,
            secrets,
        }
    }

    /// The findings, in the order of the report.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// How many texts were looked at.
    #[must_use]
    pub const fn files(&self) -> usize {
        self.files
    }

    /// How many findings make the input unusable.
    #[must_use]
    pub fn errors(&self) -> usize {
        self.count(Severity::Error)
    }

    /// How many findings only ask for a look.
    #[must_use]
    pub fn warnings(&self) -> usize {
        self.count(Severity::Warning)
    }

    /// Whether the input can be used: there is no error, though there may be warnings.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.errors() == 0
    }

    fn count(&self, severity: Severity) -> usize {
        self.findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .count()
    }
}

/// Finds lines and columns in one text without reading it again for every question.
#[derive(Debug)]
pub struct Locator<'t> {
    file: Arc<str>,
    text: &'t str,
    line_starts: Vec<usize>,
}

impl<'t> Locator<'t> {
    /// Reads the line ends of `source` once.
    #[must_use]
    pub fn new(source: &'t SourceFile) -> Self {
        let ends = source.text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self {
            file: Arc::from(source.path.as_str()),
            text: &source.text,
            line_starts: std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect(),
        }
    }

    /// The place of a span, cut to its first line. A span outside the text, or within a character, is moved
    /// to the nearest one inside.
    #[must_use]
    pub fn place(&self, span: Range<usize>) -> Place {
        let start = self.boundary(span.start);
        let index = self
            .line_starts
            .partition_point(|line| *line <= start)
            .saturating_sub(1);
        let line_start = self.line_starts.get(index).copied().unwrap_or(0);
        let line_end = self.line_starts.get(index + 1).copied().unwrap_or(self.text.len());
        let content = self.text[line_start..line_end].trim_end_matches(['\n', '\r']);
        let end = self.boundary(span.end).min(line_start + content.len()).max(start);
        Place {
            file: Arc::clone(&self.file),
            span: start..end,
            line: index + 1,
            column: self.text[line_start..start].chars().count() + 1,
        }
    }

    /// The bytes of line `number` (from 1) with its line end.
    fn line(&self, number: usize) -> Range<usize> {
        let start = self.line_starts.get(number.saturating_sub(1)).copied();
        let end = self.line_starts.get(number).copied().unwrap_or(self.text.len());
        start.unwrap_or(self.text.len())..end
    }

    fn boundary(&self, at: usize) -> usize {
        let at = at.min(self.text.len());
        (0..=at).rev().find(|at| self.text.is_char_boundary(*at)).unwrap_or(0)
    }
}

/// Locators by path, for texts that findings point into.
fn locators(sources: &[SourceFile]) -> HashMap<&str, Locator<'_>> {
    sources
        .iter()
        .map(|source| (source.path.as_str(), Locator::new(source)))
        .collect()
}

/// An error with its causes, as one line.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line.push_str(": ");
        line.push_str(&error.to_string());
        cause = error.source();
    }
    line
}

#[cfg(test)]
mod tests;
