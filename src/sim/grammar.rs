//! The simulator's own reading of command lines: words, abbreviations, optional arguments in any order, and
//! where a line goes wrong.
//!
//! Knows nothing of what a command does. Shares no code with the driver's dialect.

mod pattern;
mod words;

pub(crate) use pattern::{Fit, Kind, Node, ports};
pub(crate) use words::{QuoteFault, Word, split};

use std::sync::Arc;

/// What is wrong with a line, and at which offset in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SyntaxError {
    /// What is wrong.
    pub(crate) kind: SyntaxErrorKind,
    /// Offset of the offending word; the end of the line when it is too short.
    pub(crate) at: usize,
}

/// The ways for a line to be wrong, one per text that the family prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SyntaxErrorKind {
    /// No such word here.
    Invalid,
    /// The word is the start of several.
    Ambiguous,
    /// The beginning of a value, but not a whole one.
    IncompleteWord,
    /// More words are needed.
    IncompleteCommand,
    /// Nothing can be typed here at all.
    Nothing,
}

/// One argument as matched: a keyword under its own name, a value under its label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Argument {
    /// Full keyword, or the value's label.
    pub(crate) label: Arc<str>,
    /// The full keyword, or the value as typed.
    pub(crate) text: String,
    /// Whether it is a value.
    pub(crate) value: bool,
}

/// A line that is whole: the command and its arguments.
#[derive(Debug, Clone)]
pub(crate) struct Match<T> {
    /// Which command it is.
    pub(crate) act: T,
    /// Its words in typed order, abbreviations written out.
    pub(crate) arguments: Vec<Argument>,
}

impl<T> Match<T> {
    /// Whether a keyword was given.
    pub(crate) fn has(&self, keyword: &str) -> bool {
        self.arguments
            .iter()
            .any(|argument| !argument.value && &*argument.label == keyword)
    }

    /// The value with this label.
    pub(crate) fn value(&self, label: &str) -> Option<&str> {
        self.arguments
            .iter()
            .find(|argument| argument.value && &*argument.label == label)
            .map(|argument| argument.text.as_str())
    }

    /// The value with this label as a number; its kind in the pattern guarantees that it is one.
    pub(crate) fn number<N: std::str::FromStr>(&self, label: &str) -> Option<N> {
        self.value(label)?.parse().ok()
    }

    /// Words `from..` in canonical form: keywords written out, strings with blanks quoted.
    pub(crate) fn canonical(&self, from: usize) -> String {
        let words: Vec<String> = self
            .arguments
            .iter()
            .skip(from)
            .map(|argument| {
                if argument.value && &*argument.label != "rest" && argument.text.contains([' ', '!', '#']) {
                    format!("\"{}\"", argument.text)
                } else {
                    argument.text.clone()
                }
            })
            .collect();
        words.join(" ")
    }
}

/// The commands of one mode.
#[derive(Debug, Clone)]
pub(crate) struct Grammar<T> {
    commands: Vec<Command<T>>,
}

#[derive(Debug, Clone)]
struct Command<T> {
    nodes: Vec<Node>,
    privilege: u8,
    act: T,
}

impl<T: Copy> Grammar<T> {
    /// An empty grammar.
    pub(crate) const fn new() -> Self {
        Self { commands: Vec::new() }
    }

    /// Adds a command that users of at least this privilege may give.
    pub(crate) fn add(&mut self, privilege: u8, pattern: &str, act: T) {
        self.commands.push(Command {
            nodes: pattern::read(pattern),
            privilege,
            act,
        });
    }

    fn start(&self, privilege: u8) -> Vec<Thread<'_>> {
        self.commands
            .iter()
            .enumerate()
            .filter(|(_, command)| command.privilege <= privilege)
            .map(|(command, Command { nodes, .. })| Thread {
                command,
                rest: nodes.iter().rev().map(Frame::Node).collect(),
                arguments: Vec::new(),
            })
            .collect()
    }

    /// Reads a whole line.
    pub(crate) fn parse(&self, line: &str, privilege: u8) -> Result<Match<T>, SyntaxError> {
        let mut threads = self.start(privilege);
        for word in split(line) {
            if threads.iter().any(Thread::is_finished) {
                threads.retain(Thread::is_finished);
                break;
            }
            threads = advance(&threads, &word, line)?;
        }
        match threads.into_iter().find(Thread::accepts) {
            Some(thread) => Ok(Match {
                act: self.commands[thread.command].act,
                arguments: thread.arguments,
            }),
            None => Err(SyntaxError {
                kind: SyntaxErrorKind::IncompleteCommand,
                at: line.len(),
            }),
        }
    }

    /// What could stand at the end of `line`: the words that its last, begun word may become (or that may
    /// follow, when it ends in a blank), whether the line may end here, and the begun word itself.
    pub(crate) fn continuations(&self, line: &str, privilege: u8) -> Continuations {
        let mut words = split(line);
        let begun = if line.ends_with([' ', '\t']) || line.is_empty() {
            None
        } else {
            words.pop()
        };
        let mut threads = self.start(privilege);
        for word in &words {
            match advance(&threads, word, line) {
                Ok(next) => threads = next,
                Err(_) => return Continuations::default(),
            }
        }
        let begun = begun.map(|word| word.text).unwrap_or_default();
        let mut found = Continuations {
            end: begun.is_empty() && !words.is_empty() && threads.iter().any(Thread::accepts),
            begun,
            ..Continuations::default()
        };
        for (node, _) in threads.iter().flat_map(Thread::next) {
            match node {
                Node::Word(word) if starts_with(word, &found.begun) => found.words.push(word.to_string()),
                Node::Value(_, kind) => found.values.push(kind.shown()),
                _ => {}
            }
        }
        for list in [&mut found.words, &mut found.values] {
            list.sort();
            list.dedup();
        }
        found
    }
}

/// What may come next on a line that is being typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Continuations {
    /// The word that was begun; empty after a blank.
    pub(crate) begun: String,
    /// Keywords that fit.
    pub(crate) words: Vec<String>,
    /// Values that fit, in the form of the help.
    pub(crate) values: Vec<String>,
    /// Whether the line may end here.
    pub(crate) end: bool,
}

/// One way of reading the line so far.
#[derive(Clone)]
struct Thread<'g> {
    command: usize,
    /// What is left to read, next at the end.
    rest: Vec<Frame<'g>>,
    arguments: Vec<Argument>,
}

#[derive(Clone, Copy)]
enum Frame<'g> {
    Node(&'g Node),
    /// Options, and which of them were used.
    Options(&'g [Vec<Node>], u64),
    /// The line was swallowed to its end.
    Finished,
}

impl<'g> Thread<'g> {
    fn is_finished(&self) -> bool {
        matches!(self.rest.last(), Some(Frame::Finished))
    }

    fn accepts(&self) -> bool {
        self.rest.iter().all(|frame| {
            matches!(
                frame,
                Frame::Options(..) | Frame::Finished | Frame::Node(Node::Options(_))
            )
        })
    }

    /// Every word or value that may come next, with what is left after it.
    fn next(&self) -> Vec<(&'g Node, Vec<Frame<'g>>)> {
        let mut found = Vec::new();
        expand(self.rest.clone(), &mut found);
        found
    }
}

fn expand<'g>(mut rest: Vec<Frame<'g>>, found: &mut Vec<(&'g Node, Vec<Frame<'g>>)>) {
    let (options, used) = match rest.pop() {
        None | Some(Frame::Finished) => return,
        Some(Frame::Node(node @ (Node::Word(_) | Node::Value(..)))) => {
            found.push((node, rest));
            return;
        }
        Some(Frame::Node(Node::Choice(sequences))) => {
            for sequence in sequences {
                let mut rest = rest.clone();
                rest.extend(sequence.iter().rev().map(Frame::Node));
                expand(rest, found);
            }
            return;
        }
        Some(Frame::Node(Node::Options(options))) => (options.as_slice(), 0),
        Some(Frame::Options(options, used)) => (options, used),
    };
    for (index, sequence) in options.iter().enumerate() {
        let bit = 1u64 << (index % 64);
        if used & bit == 0 {
            let mut rest = rest.clone();
            rest.push(Frame::Options(options, used | bit));
            rest.extend(sequence.iter().rev().map(Frame::Node));
            expand(rest, found);
        }
    }
    expand(rest, found);
}

fn starts_with(keyword: &str, begun: &str) -> bool {
    keyword
        .get(..begun.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(begun))
}

/// Reads one word. Of those readings that fit, a whole keyword goes before a number or address, that before
/// the start of a keyword, and that before plain text.
fn advance<'g>(threads: &[Thread<'g>], word: &Word, line: &str) -> Result<Vec<Thread<'g>>, SyntaxError> {
    let error = |kind| Err(SyntaxError { kind, at: word.at });
    let mut exact = Vec::new();
    let mut typed = Vec::new();
    let mut begun_keywords: Vec<Thread<'g>> = Vec::new();
    let mut texts = Vec::new();
    let mut begun_value = false;
    let mut anything = false;
    for thread in threads {
        for (node, rest) in thread.next() {
            anything = true;
            let with = |label: &Arc<str>, text: String, value: bool, rest: Vec<Frame<'g>>| {
                let mut arguments = thread.arguments.clone();
                arguments.push(Argument {
                    label: Arc::clone(label),
                    text,
                    value,
                });
                Thread {
                    command: thread.command,
                    rest,
                    arguments,
                }
            };
            match node {
                Node::Word(keyword) if !word.quoted => {
                    if keyword.eq_ignore_ascii_case(&word.text) {
                        exact.push(with(keyword, keyword.to_string(), false, rest));
                    } else if starts_with(keyword, &word.text) {
                        begun_keywords.push(with(keyword, keyword.to_string(), false, rest));
                    }
                }
                Node::Value(label, Kind::Rest) => {
                    let mut rest = rest;
                    rest.push(Frame::Finished);
                    let text = line.get(word.at..).unwrap_or_default().trim_end().to_owned();
                    texts.push(with(label, text, true, rest));
                }
                Node::Value(label, kind) if kind.is_text() || !word.quoted => match kind.fit(&word.text) {
                    Fit::Yes if kind.is_text() => texts.push(with(label, word.text.clone(), true, rest)),
                    Fit::Yes => typed.push(with(label, word.text.clone(), true, rest)),
                    Fit::Begun => begun_value = true,
                    Fit::No => {}
                },
                _ => {}
            }
        }
    }
    match word.fault {
        Some(QuoteFault::Open) => return error(SyntaxErrorKind::IncompleteWord),
        Some(QuoteFault::Glued) => return error(SyntaxErrorKind::Invalid),
        None => {}
    }
    if !anything && threads.is_empty() {
        return error(SyntaxErrorKind::Nothing);
    }
    if !exact.is_empty() {
        return Ok(exact);
    }
    if !typed.is_empty() {
        return Ok(typed);
    }
    let mut keywords = begun_keywords
        .iter()
        .filter_map(|thread| thread.arguments.last().map(|argument| &argument.label));
    if let Some(first) = keywords.next() {
        if keywords.any(|other| other != first) {
            return error(SyntaxErrorKind::Ambiguous);
        }
        return Ok(begun_keywords);
    }
    if !texts.is_empty() {
        return Ok(texts);
    }
    error(if begun_value {
        SyntaxErrorKind::IncompleteWord
    } else {
        SyntaxErrorKind::Invalid
    })
}

#[cfg(test)]
mod tests;
