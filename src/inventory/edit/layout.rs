//! Where the things of a text stand: lines, comments, and what belongs to whom.

use std::ops::Range;

use super::super::document::{Entry, Node, Value};

/// A text, looked at by lines.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout<'t> {
    pub(super) text: &'t str,
}

/// The mark that some editors put before a text.
const BYTE_ORDER_MARK: char = '\u{feff}';

impl<'t> Layout<'t> {
    /// The line end that the text uses: that of its first line.
    pub(super) fn line_end(self) -> &'static str {
        match self.text.find('\n') {
            Some(at) if self.text[..at].ends_with('\r') => "\r\n",
            _ => "\n",
        }
    }

    /// Where the text begins: behind its byte order mark.
    fn start(self) -> usize {
        if self.text.starts_with(BYTE_ORDER_MARK) {
            BYTE_ORDER_MARK.len_utf8()
        } else {
            0
        }
    }

    /// The first byte of the line that `at` is in.
    pub(super) fn line_start(self, at: usize) -> usize {
        self.text[..at]
            .rfind('\n')
            .map_or_else(|| self.start(), |line_end| line_end + 1)
    }

    /// One past the line end of the line that `at` is in.
    pub(super) fn line_after(self, at: usize) -> usize {
        self.text[at..]
            .find('\n')
            .map_or(self.text.len(), |line_end| at + line_end + 1)
    }

    /// The column of a byte, from 0, where nothing but blanks stands before it in its line.
    pub(super) fn indent(self, at: usize) -> Option<usize> {
        let before = &self.text[self.line_start(at)..at];
        before.bytes().all(|byte| byte == b' ').then_some(before.len())
    }

    /// One past the colon of a key; `None` where none follows it, as after `? key`.
    pub(super) fn colon(self, entry: &Entry<'_>) -> Option<usize> {
        let key_end = entry.key_span.range().end;
        let blanks = self.text[key_end..]
            .bytes()
            .take_while(|byte| matches!(byte, b' ' | b'\t'));
        let at = key_end + blanks.count();
        self.text[at..].starts_with(':').then_some(at + 1)
    }

    /// Whether a list or map is written between brackets.
    pub(super) fn is_flow(self, node: &Node<'_>) -> bool {
        self.text[node.span.range()].starts_with(['{', '['])
    }

    /// One past the last byte of an entry's value, or of the key where there is none.
    pub(super) fn entry_end(self, entry: &Entry<'_>) -> usize {
        let head = self.colon(entry).unwrap_or(entry.key_span.range().end);
        if is_alias(entry) {
            let line = &self.text[head..self.line_after(head)];
            let name = line.find('*').unwrap_or(0);
            let length = line[name..].find([' ', '\t', '\r', '\n', ',', '}', ']']);
            return head + length.map_or(line.len(), |length| name + length);
        }
        self.node_end(&entry.value, head)
    }

    /// One past the last byte of a node that begins behind `head`.
    fn node_end(self, node: &Node<'_>, head: usize) -> usize {
        let end = match &node.value {
            Value::Mapping(entries) if !self.is_flow(node) => entries.last().map(|last| self.entry_end(last)),
            Value::Sequence(items) if !self.is_flow(node) => items.last().map(|last| self.node_end(last, head)),
            _ => None,
        };
        // A block scalar without text ends where it begins, which may be a line further down.
        end.unwrap_or_else(|| {
            let written = self.text.get(head..node.span.range().end).unwrap_or("");
            head + written.trim_end().len()
        })
    }

    /// The lines of an entry of a map in block style, with the comments that belong to it: those directly above it, and those
    /// further in behind it.
    pub(super) fn lines(self, entry: &Entry<'_>) -> Range<usize> {
        let key = entry.key_span.range().start;
        let indent = key - self.line_start(key);
        let mut start = self.line_start(key);
        while let Some(above) = self
            .line_before(start)
            .filter(|above| self.comment(*above) == Some(indent))
        {
            start = above;
        }
        if start == self.start() {
            // What a text begins with is about the whole of it.
            start = self.line_start(key);
        }
        start..self.end_with_comments(entry, indent)
    }

    /// One past the lines of an entry, with the comments behind it that are further in than its key.
    pub(super) fn end_with_comments(self, entry: &Entry<'_>, indent: usize) -> usize {
        let mut end = self.line_after(self.entry_end(entry));
        let mut at = end;
        while at < self.text.len() {
            match self.comment(at) {
                Some(column) if column > indent => end = self.line_after(at),
                _ if self.is_blank(at) => {}
                _ => break,
            }
            at = self.line_after(at);
        }
        end
    }

    /// The first byte of the line above the line that begins at `start`.
    pub(super) fn line_before(self, start: usize) -> Option<usize> {
        (start > self.start()).then(|| self.line_start(start - 1))
    }

    /// Whether the line that begins at `start` is empty but for blanks.
    pub(super) fn is_blank(self, start: usize) -> bool {
        self.text[start..self.line_after(start)].trim().is_empty()
    }

    /// The column of the comment that the line which begins at `start` consists of.
    fn comment(self, start: usize) -> Option<usize> {
        let line = &self.text[start..self.line_after(start)];
        let text = line.trim_start_matches([' ', '\t']);
        text.starts_with('#').then_some(line.len() - text.len())
    }

    /// Where the blank lines above `start`, a first byte of a line, begin.
    pub(super) fn blanks_above(self, mut start: usize) -> usize {
        while let Some(above) = self.line_before(start).filter(|above| self.is_blank(*above)) {
            start = above;
        }
        start
    }

    /// Where the blank lines from `start`, a first byte of a line, end.
    pub(super) fn blanks_below(self, mut start: usize) -> usize {
        while start < self.text.len() && self.is_blank(start) {
            start = self.line_after(start);
        }
        start
    }
}

/// Whether an entry's value is one that stands elsewhere: an anchor is always above the aliases that repeat it.
pub(super) fn is_alias(entry: &Entry<'_>) -> bool {
    entry.value.span.start < entry.key_span.start
}

/// Whether something in a tree is repeated from elsewhere in it.
pub(super) fn has_alias(node: &Node<'_>) -> bool {
    match &node.value {
        Value::Mapping(entries) => entries.iter().any(|entry| is_alias(entry) || has_alias(&entry.value)),
        Value::Sequence(items) => items
            .iter()
            .any(|item| item.span.start < node.span.start || has_alias(item)),
        Value::Scalar { .. } | Value::Refused => false,
    }
}
