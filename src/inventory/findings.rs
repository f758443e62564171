//! Where the findings of a run are gathered, before offsets become lines and columns.

use std::ops::Range;
use std::sync::Arc;

use crate::diagnostic::{Finding, Locator, Place, Report, RuleId, SourceFile};

use super::document::Span;
use super::rules::Rule;

/// A stretch of one of the files: twelve bytes, so that every value can carry one.
///
/// Ordered by file, then by position.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Loc {
    file: u32,
    span: Span,
}

impl Loc {
    pub(super) const fn new(file: u32, span: Span) -> Self {
        Self { file, span }
    }

    /// No file at all.
    pub(super) const fn nowhere() -> Self {
        Self::new(u32::MAX, Span { start: 0, end: 0 })
    }

    pub(super) const fn start(self) -> u32 {
        self.span.start
    }

    pub(super) const fn end(self) -> u32 {
        self.span.end
    }

    fn range(self) -> Range<usize> {
        self.span.range()
    }
}

/// A finding that still speaks of offsets.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    rule: &'static Rule,
    at: Loc,
    message: String,
    related: Vec<(Loc, String)>,
    help: Option<String>,
}

impl Draft {
    /// Adds what to do about it.
    pub(super) fn help(&mut self, help: impl Into<String>) -> &mut Self {
        self.help = Some(help.into());
        self
    }

    /// Adds another place that explains it.
    pub(super) fn related(&mut self, at: Loc, label: impl Into<String>) -> &mut Self {
        self.related.push((at, label.into()));
        self
    }
}

/// All findings of a run so far.
#[derive(Debug, Default)]
pub(super) struct Findings {
    drafts: Vec<Draft>,
    secrets: Vec<Loc>,
}

impl Findings {
    /// Adds a finding; help and related places are added to what is returned.
    pub(super) fn add(&mut self, rule: &'static Rule, at: Loc, message: String) -> &mut Draft {
        self.drafts.push(Draft {
            rule,
            at,
            message,
            related: Vec::new(),
            help: None,
        });
        let last = self.drafts.len() - 1;
        &mut self.drafts[last]
    }

    /// Marks a stretch that no rendering may show.
    pub(super) fn hide(&mut self, at: Loc) {
        self.secrets.push(at);
    }

    /// Adds what was found elsewhere.
    pub(super) fn extend(&mut self, others: &Self) {
        self.drafts.extend_from_slice(&others.drafts);
        self.secrets.extend_from_slice(&others.secrets);
    }

    /// Turns offsets into places. `sources` in the order that [`Loc`]s count them; a finding about a file
    /// that is not there is placed at the start of `missing`.
    pub(super) fn into_report(self, sources: &[&SourceFile], missing: &str) -> Report {
        let mut locators: Vec<Option<Locator<'_>>> = sources.iter().map(|_| None).collect();
        let mut place = |at: Loc| -> Place {
            let index = usize::try_from(at.file).unwrap_or(usize::MAX);
            match (locators.get_mut(index), sources.get(index)) {
                (Some(locator), Some(source)) => locator.get_or_insert_with(|| Locator::new(source)).place(at.range()),
                _ => Place {
                    file: Arc::from(missing),
                    span: 0..0,
                    line: 1,
                    column: 1,
                },
            }
        };
        let findings = self
            .drafts
            .into_iter()
            .map(|draft| Finding {
                rule: RuleId(draft.rule.id),
                severity: draft.rule.severity,
                message: draft.message,
                primary: place(draft.at),
                related: draft
                    .related
                    .into_iter()
                    .map(|(at, label)| (place(at), label))
                    .collect(),
                help: draft.help,
            })
            .collect();
        let secrets = self
            .secrets
            .into_iter()
            .map(|at| (place(at).file, at.range()))
            .collect();
        Report::new(findings, sources.len(), secrets)
    }
}
