//! The form for people: the text underlined, related places, a hint.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use annotate_snippets::{Annotation, AnnotationKind, Element, Group, Level, Origin, Renderer, Snippet};

use super::{Finding, Locator, Place, Report, Severity, SourceFile, locators};

/// Annotations further apart than this are drawn as two pieces of a file, so that only a few lines are
/// ever handed to the renderer, however large the file.
const NEARBY_LINES: usize = 40;

/// Whether the text carries terminal colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Colour {
    /// Plain text.
    #[default]
    Off,
    /// With ANSI escape codes.
    On,
}

impl Report {
    /// Draws every finding, a blank line after each; empty when there are none.
    ///
    /// `sources` are the texts that the report was made from. A finding about a text that is not among
    /// them is drawn without its lines. `width` is how many columns long source lines are cut to.
    #[must_use]
    pub fn render_text(&self, sources: &[SourceFile], colour: Colour, width: usize) -> String {
        let base = match colour {
            Colour::Off => Renderer::plain(),
            Colour::On => Renderer::styled(),
        };
        let renderer = base.term_width(width);
        let masked = self.masked(sources);
        let locators = locators(masked.as_deref().unwrap_or(sources));
        let mut out = String::new();
        for finding in &self.findings {
            out.push_str(&renderer.render(&[group(finding, &locators)]));
            out.push_str("\n\n");
        }
        out
    }

    /// The texts with every secret starred out, or `None` when there is no secret to hide.
    fn masked(&self, sources: &[SourceFile]) -> Option<Vec<SourceFile>> {
        if self.secrets.is_empty() {
            return None;
        }
        let mut masked = sources.to_vec();
        for source in &mut masked {
            for (_, secret) in self.secrets.iter().filter(|(file, _)| **file == *source.path) {
                let Some(text) = source.text.get(secret.clone()) else {
                    continue;
                };
                // As many bytes as before, so that every span still fits.
                let stars: String = text
                    .bytes()
                    .map(|byte| if byte == b'\n' { '\n' } else { '*' })
                    .collect();
                source.text.replace_range(secret.clone(), &stars);
            }
        }
        Some(masked)
    }
}

fn group<'a>(finding: &'a Finding, locators: &'a HashMap<&str, Locator<'a>>) -> Group<'a> {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(finding.message.as_str()).id(finding.rule.0);
    let mut group = title.elements(drawing(finding, locators));
    if let Some(help) = &finding.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    group
}

/// One annotation: where, and what stands beside it. The primary one carries no words, the title says it.
type Mark<'a> = (&'a Place, Option<&'a str>);

/// The pieces of the files that a finding points at, the primary one first.
fn drawing<'a>(finding: &'a Finding, locators: &'a HashMap<&str, Locator<'a>>) -> Vec<Element<'a>> {
    let mut marks: BTreeMap<&str, Vec<Mark<'a>>> = BTreeMap::new();
    let related = finding
        .related
        .iter()
        .map(|(place, label)| (place, Some(label.as_str())));
    for mark in std::iter::once((&finding.primary, None)).chain(related) {
        marks.entry(&mark.0.file).or_default().push(mark);
    }
    let first = marks.remove_entry(&*finding.primary.file);
    let mut pieces: Vec<(bool, Element<'a>)> = Vec::new();
    for (file, mut marks) in first.into_iter().chain(marks) {
        marks.sort_by_key(|(place, _)| place.line);
        for run in marks.chunk_by(|before, after| after.0.line - before.0.line <= NEARBY_LINES) {
            let primary = run.iter().any(|(_, label)| label.is_none());
            let element = locators.get(file).map_or_else(
                || Origin::path(file).into(),
                |locator| snippet(locator, file, run).into(),
            );
            pieces.push((primary, element));
        }
    }
    pieces.sort_by_key(|(primary, _)| !primary);
    pieces.into_iter().map(|(_, element)| element).collect()
}

/// A piece of a file from the first to the last of `run`, which is sorted by line and not empty.
fn snippet<'a>(locator: &'a Locator<'a>, file: &'a str, run: &[Mark<'a>]) -> Snippet<'a, Annotation<'a>> {
    let first_line = run.first().map_or(1, |(place, _)| place.line);
    let last_line = run.last().map_or(1, |(place, _)| place.line);
    let from = locator.line(first_line).start;
    let piece = &locator.text[from..locator.line(last_line).end];
    let mut snippet = Snippet::source(piece).path(file).line_start(first_line);
    for (place, label) in run {
        let kind = if label.is_none() {
            AnnotationKind::Primary
        } else {
            AnnotationKind::Context
        };
        snippet = snippet.annotation(kind.span(within(&place.span, from, piece)).label(*label));
    }
    snippet
}

/// A span of the whole text as a span of the piece that starts at `from`, never outside it.
fn within(span: &Range<usize>, from: usize, piece: &str) -> Range<usize> {
    let clamp = |at: usize| at.saturating_sub(from).min(piece.len());
    clamp(span.start)..clamp(span.end)
}
