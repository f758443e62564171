//! Puts words together into lines that the device's line editor shows whole.

use std::fmt::Display;

use crate::observed::{AssumedWord, Evidence, Kind, ObjectId};

use super::word::{self, Word};

/// Longest line sent, in characters: with a long prompt before it, it still fits a terminal 512 wide, so that
/// the echo is the line and not a sideways scrolled window onto it. All but absurd changes fit one line.
pub(super) const LINE_MAX: usize = 440;

/// Longest VLAN list that leaves room for the words before it on a line of its own.
pub(super) const LIST_MAX: usize = 400;

/// One line: a head that names the object, then words.
pub(super) struct Line {
    head: String,
    words: Vec<String>,
    evidence: Evidence,
    trial: Option<AssumedWord>,
}

impl Line {
    /// `ghn <kind> <id>`, to be followed by words.
    pub(super) fn setting(object: ObjectId) -> Self {
        let kind = kind(object);
        Self {
            head: format!("{} {}", kind.text, object.number()),
            words: Vec::new(),
            evidence: kind.evidence,
            trial: None,
        }
    }

    /// `no ghn <kind> <id>`: takes back one word, or without one **deletes the object**.
    pub(super) fn removing(object: ObjectId, what: Option<&Word>) -> Self {
        let mut line = Self::setting(object);
        line.head = format!("{} {}", word::NO.text, line.head);
        line.evidence = line.evidence.min(word::NO.evidence);
        if let Some(what) = what {
            // Part of the head, so that no wrapping can ever cut it off and leave a deletion.
            line.head = format!("{} {}", line.head, what.text);
            line.evidence = line.evidence.min(what.evidence);
        }
        line
    }

    /// A line of one word that names no G.hn object.
    pub(super) fn bare(word: &Word) -> Self {
        Self {
            head: word.text.to_owned(),
            words: Vec::new(),
            evidence: word.evidence,
            trial: None,
        }
    }

    /// Marks the line as one that tries an assumed word. Such a line asks for nothing else, since a word that the
    /// device does not know voids all of its line.
    pub(super) fn trying(mut self, word: AssumedWord) -> Self {
        self.trial = Some(word);
        self
    }

    pub(super) fn word(&mut self, word: &Word) {
        self.add(word, word.text.to_owned());
    }

    pub(super) fn keyword(&mut self, word: &Word, value: impl Display) {
        self.add(word, format!("{} {value}", word.text));
    }

    /// A keyword and quoted text; the text has been checked.
    pub(super) fn text(&mut self, word: &Word, text: &str) {
        self.add(word, format!("{} \"{text}\"", word.text));
    }

    pub(super) fn value(&mut self, value: &str) {
        self.words.push(value.to_owned());
    }

    fn add(&mut self, word: &Word, text: String) {
        self.words.push(text);
        self.evidence = self.evidence.min(word.evidence);
    }

    /// The line, or several that repeat the head: changes are incremental, so they add up to the same.
    fn wrapped(&self) -> Vec<String> {
        let mut lines = vec![self.head.clone()];
        for word in &self.words {
            let last = lines.len() - 1;
            if lines[last].len() + 1 + word.len() > LINE_MAX && lines[last] != self.head {
                lines.push(format!("{} {word}", self.head));
            } else {
                lines[last].push(' ');
                lines[last].push_str(word);
            }
        }
        lines
    }
}

/// The lines of one change.
pub(super) struct Script {
    pub(super) object: ObjectId,
    lines: Vec<Line>,
}

impl Script {
    pub(super) fn new(object: ObjectId) -> Self {
        Self {
            object,
            lines: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, line: Line) {
        self.lines.push(line);
    }

    /// A head without words would make an object or do nothing; it is never meant.
    pub(super) fn push_if_any(&mut self, line: Line) {
        if !line.words.is_empty() {
            self.lines.push(line);
        }
    }

    pub(super) fn lines(&self) -> Vec<String> {
        self.lines.iter().flat_map(Line::wrapped).collect()
    }

    /// The assumed word that each line tries, one entry per line.
    pub(super) fn trials(&self) -> Vec<Option<AssumedWord>> {
        self.lines
            .iter()
            .flat_map(|line| line.wrapped().into_iter().map(|_| line.trial))
            .collect()
    }

    /// The weakest evidence of all lines; nothing to say needs none.
    pub(super) fn evidence(&self) -> Evidence {
        self.lines
            .iter()
            .map(|line| line.evidence)
            .min()
            .unwrap_or(Evidence::Seen)
    }
}

fn kind(object: ObjectId) -> &'static Word {
    match object.kind() {
        Kind::System => &word::HOSTNAME,
        Kind::Port => &word::GHN_PORT,
        Kind::Profile => &word::GHN_PROFILE,
        Kind::Endpoint => &word::GHN_ENDPOINT,
        Kind::Subscriber => &word::GHN_SUBSCRIBER,
    }
}
