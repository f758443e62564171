//! One text into a tree that remembers where everything stood.
//!
//! The only file that names the YAML crate. It builds the tree from parser events rather than through
//! serde, because what a decoder would have hidden is what an operator must be told: both of two equal keys, how a
//! scalar was written (`12e5`, `0123`, quoted or not), where an alias points. Only a syntax error ends
//! a file; everything else is a finding and the rest of the tree stands.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, ScanError, Span as ParserSpan};

use super::findings::{Findings, Loc};
use super::rules;

/// Nesting that no inventory needs (the deepest is about six) and every recursive walk survives.
const MAX_DEPTH: usize = 64;
/// How many nodes the aliases of one file may repeat. Far above honest use, far below a billion laughs.
const MAX_ALIASED_NODES: usize = 100_000;
/// The largest text that is parsed, so that offsets fit in 32 bits with room to spare.
const MAX_BYTES: usize = 256 << 20;

/// The key that merges another map into its own in YAML 1.1.
const MERGE_KEY: &str = "<<";

/// A stretch of bytes of the text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Span {
    /// First byte.
    pub(super) start: u32,
    /// One past the last byte.
    pub(super) end: u32,
}

impl Span {
    /// As offsets into the text.
    pub(super) fn range(self) -> Range<usize> {
        to_usize(self.start)..to_usize(self.end)
    }
}

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Node<'t> {
    /// A scalar's own text with its quotes; a collection from its first to its last byte.
    pub(super) span: Span,
    /// What it holds.
    pub(super) value: Value<'t>,
}

/// What a node holds.
#[derive(Debug, Clone)]
pub(super) enum Value<'t> {
    /// Text as written, escapes and line folding resolved, and whether it stood without quotes.
    Scalar { text: Cow<'t, str>, plain: bool },
    /// A list.
    Sequence(Vec<Node<'t>>),
    /// Keys and values in the order of the text, equal keys all kept.
    Mapping(Vec<Entry<'t>>),
    /// Something that has a finding already; nothing more is to be said about it.
    Refused,
}

/// One `key: value`. A merge key is there as well, its value refused.
#[derive(Debug, Clone)]
pub(super) struct Entry<'t> {
    /// The key as written.
    pub(super) key: Cow<'t, str>,
    /// Whether the key stood without quotes.
    pub(super) plain: bool,
    /// Where the key stands.
    pub(super) key_span: Span,
    /// Its value.
    pub(super) value: Node<'t>,
}

impl Entry<'_> {
    /// Whether this is a merge key, which has its finding.
    pub(super) fn is_merge(&self) -> bool {
        self.plain && self.key == MERGE_KEY
    }
}

impl Node<'_> {
    /// Whether there is nothing here: no text, `~` or `null` without quotes.
    pub(super) fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar { text, plain: true } if matches!(&**text, "" | "~" | "null" | "Null" | "NULL"))
    }

    /// How many nodes there are from here down.
    fn size(&self) -> usize {
        match &self.value {
            Value::Scalar { .. } | Value::Refused => 1,
            Value::Sequence(items) => 1 + items.iter().map(Node::size).sum::<usize>(),
            Value::Mapping(entries) => 1 + entries.iter().map(|entry| entry.value.size()).sum::<usize>(),
        }
    }

    /// How many levels there are from here down.
    fn depth(&self) -> usize {
        match &self.value {
            Value::Scalar { .. } | Value::Refused => 1,
            Value::Sequence(items) => 1 + items.iter().map(Node::depth).max().unwrap_or(0),
            Value::Mapping(entries) => 1 + entries.iter().map(|entry| entry.value.depth()).max().unwrap_or(0),
        }
    }
}

/// What came of reading a file.
#[derive(Debug, Default)]
pub(super) struct Parsed<'t> {
    /// The first document. `None` when the file is empty or its syntax is broken.
    pub(super) root: Option<Node<'t>>,
    /// Whether something of the file is not in the tree: what others refer to may be there.
    pub(super) incomplete: bool,
}

/// Reads the first document of `text`; what is wrong with it goes to `findings`.
pub(super) fn parse<'t>(file: u32, text: &'t str, findings: &mut Findings) -> Parsed<'t> {
    if text.len() > MAX_BYTES {
        let at = Loc::new(file, Span::default());
        findings
            .add(
                &rules::YAML_LIMIT,
                at,
                format!("this file is larger than {} MiB", MAX_BYTES >> 20),
            )
            .help("split it, one file per building");
        return Parsed {
            root: None,
            incomplete: true,
        };
    }
    let options = granit_parser::options! {
        emit_unresolved_aliases: true,
        block_nesting_limit: MAX_DEPTH,
        flow_nesting_limit: MAX_DEPTH,
    };
    let mut parser = Parser::new_from_str_with_options(text, options);
    let mut builder = Builder {
        file,
        text,
        findings,
        open: Vec::new(),
        anchors: HashMap::new(),
        aliased: 0,
        incomplete: false,
        root: None,
    };
    let mut documents = 0;
    while let Some(next) = parser.next_event() {
        match next {
            Ok((Event::DocumentStart(..), span)) => {
                documents += 1;
                if documents > 1 {
                    let at = builder.at(span);
                    builder.incomplete = true;
                    builder
                        .findings
                        .add(
                            &rules::YAML_DOCUMENTS,
                            at,
                            "a second YAML document starts here; only the first is read".to_owned(),
                        )
                        .help("remove the `---`, or move what follows into a file of its own");
                    break;
                }
            }
            Ok((event, span)) => builder.take(event, span),
            Err(error) => {
                let at = error.marker().byte_offset().unwrap_or(text.len());
                let span = builder.span(at, at + 1);
                builder.syntax_error(Loc::new(file, span), &error);
                return Parsed {
                    root: None,
                    incomplete: true,
                };
            }
        }
    }
    Parsed {
        root: builder.root,
        incomplete: builder.incomplete,
    }
}

/// A collection whose end has not come yet.
enum Open<'t> {
    Sequence {
        items: Vec<Node<'t>>,
        start: u32,
        anchor: usize,
    },
    Mapping {
        entries: Vec<Entry<'t>>,
        key: Key<'t>,
        start: u32,
        anchor: usize,
    },
}

/// What a mapping is waiting for.
enum Key<'t> {
    /// A key.
    Awaited,
    /// The value of this key.
    Read {
        text: Cow<'t, str>,
        plain: bool,
        span: Span,
    },
    /// The value of a key that cannot be used; it is dropped.
    Unusable,
    /// What a merge key merges, which is not read.
    Merge(Span),
}

struct Builder<'t, 'f> {
    file: u32,
    text: &'t str,
    findings: &'f mut Findings,
    open: Vec<Open<'t>>,
    anchors: HashMap<usize, Node<'t>>,
    aliased: usize,
    incomplete: bool,
    root: Option<Node<'t>>,
}

impl<'t> Builder<'t, '_> {
    fn take(&mut self, event: Event<'t>, span: ParserSpan) {
        let tagged = event.tag().is_some();
        if let Some(tag) = event.tag() {
            let name = tag.original();
            let tag_at = span.tag_span().map_or_else(|| self.at(span), |tag| self.at(tag));
            self.findings
                .add(
                    &rules::YAML_TAG,
                    tag_at,
                    format!("YAML tags such as `{name}` are not read here"),
                )
                .help("remove the tag; put text that looks like a number in quotes");
        }
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let plain = style == ScalarStyle::Plain;
                let node = Node {
                    span: self.scalar_span(span),
                    value: if tagged {
                        Value::Refused
                    } else {
                        Value::Scalar { text, plain }
                    },
                };
                self.complete(node, anchor);
            }
            Event::SequenceStart(_, anchor, _) => {
                let start = self.at(span).start();
                self.open.push(Open::Sequence {
                    items: Vec::new(),
                    start,
                    anchor,
                });
            }
            Event::MappingStart(_, anchor, _) => {
                let start = self.at(span).start();
                self.open.push(Open::Mapping {
                    entries: Vec::new(),
                    key: Key::Awaited,
                    start,
                    anchor,
                });
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            Event::Alias(id) => self.alias(id, span),
            Event::UnresolvedAlias(name) => {
                let at = self.at(span);
                self.findings
                    .add(
                        &rules::YAML_ALIAS,
                        at,
                        format!("`*{name}` refers to an anchor that is not above it in this file"),
                    )
                    .help(format!(
                        "write `&{name}` before the value that it is to repeat, or write the value out"
                    ));
                self.complete(Self::refused(at), 0);
            }
            _ => {}
        }
    }

    fn alias(&mut self, id: usize, span: ParserSpan) {
        let at = self.at(span);
        let node = match self.anchors.get(&id) {
            None => {
                self.findings
                    .add(
                        &rules::YAML_ALIAS,
                        at,
                        "this alias repeats the value that it stands in".to_owned(),
                    )
                    .help("write the value out");
                Self::refused(at)
            }
            Some(anchored) => {
                let before = self.aliased;
                self.aliased = before.saturating_add(anchored.size());
                if before > MAX_ALIASED_NODES {
                    // Said once for the file.
                    Self::refused(at)
                } else if self.aliased > MAX_ALIASED_NODES || self.open.len() + anchored.depth() > MAX_DEPTH {
                    self.aliased = MAX_ALIASED_NODES + 1;
                    self.findings
                        .add(
                            &rules::YAML_LIMIT,
                            at,
                            "the aliases of this file repeat too much".to_owned(),
                        )
                        .help("write the values out, or use `defaults`");
                    Self::refused(at)
                } else {
                    anchored.clone()
                }
            }
        };
        self.complete(node, 0);
    }

    fn close(&mut self, span: ParserSpan) {
        let end = self.at(span).end();
        let (start, anchor, value) = match self.open.pop() {
            Some(Open::Sequence { items, start, anchor }) => (start, anchor, Value::Sequence(items)),
            Some(Open::Mapping {
                entries, start, anchor, ..
            }) => (start, anchor, Value::Mapping(entries)),
            None => return,
        };
        let span = Span {
            start,
            end: end.max(start),
        };
        self.complete(Node { span, value }, anchor);
    }

    /// Puts a finished node where it belongs.
    fn complete(&mut self, node: Node<'t>, anchor: usize) {
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let (entries, key) = match self.open.last_mut() {
            None => {
                self.root.get_or_insert(node);
                return;
            }
            Some(Open::Sequence { items, .. }) => {
                items.push(node);
                return;
            }
            Some(Open::Mapping { entries, key, .. }) => (entries, key),
        };
        match std::mem::replace(key, Key::Awaited) {
            Key::Read { text, plain, span } => entries.push(Entry {
                key: text,
                plain,
                key_span: span,
                value: node,
            }),
            Key::Unusable => {}
            Key::Awaited => {
                *key = Self::as_key(self.file, node, self.findings);
                self.incomplete |= matches!(key, Key::Unusable | Key::Merge(_));
            }
            Key::Merge(span) => entries.push(Entry {
                key: Cow::Borrowed(MERGE_KEY),
                plain: true,
                key_span: span,
                value: Node {
                    span: node.span,
                    value: Value::Refused,
                },
            }),
        }
    }

    fn as_key(file: u32, node: Node<'t>, findings: &mut Findings) -> Key<'t> {
        let at = Loc::new(file, node.span);
        match node.value {
            Value::Scalar { text, plain } if plain && text == MERGE_KEY => {
                findings
                    .add(
                        &rules::YAML_MERGE_KEY,
                        at,
                        "merge keys (`<<`) are not read here".to_owned(),
                    )
                    .help("write the fields out, or put what all devices share under `defaults` in gamops.yaml");
                Key::Merge(node.span)
            }
            Value::Scalar { text, plain } => Key::Read {
                text,
                plain,
                span: node.span,
            },
            Value::Refused => Key::Unusable,
            Value::Sequence(_) | Value::Mapping(_) => {
                findings
                    .add(&rules::YAML_KEY, at, "a list or a map cannot be a key here".to_owned())
                    .help("a text that starts with `[`, `{` or `?` needs quotes");
                Key::Unusable
            }
        }
    }

    fn syntax_error(&mut self, at: Loc, error: &ScanError) {
        if matches!(error.kind(), ErrorKind::RecursionLimitExceeded) {
            self.findings
                .add(&rules::YAML_LIMIT, at, "this is nested too deeply".to_owned())
                .help("no inventory is more than a few levels deep; look for brackets that are never closed");
            return;
        }
        let info = error.info();
        let line_start = self.text[..to_usize(at.start()).min(self.text.len())]
            .rfind('\n')
            .map_or(0, |at| at + 1);
        let indent = self.text[line_start..].bytes().take_while(u8::is_ascii_whitespace);
        let help = if indent.take_while(|byte| *byte != b'\n').any(|byte| byte == b'\t') {
            "indent with spaces; YAML does not allow tabs there"
        } else {
            "look here and at the line above: indentation, a missing colon, or text with `: ` or ` #` that needs quotes"
        };
        self.findings
            .add(&rules::YAML_SYNTAX, at, format!("this is not YAML: {info}"))
            .help(help);
    }

    fn refused(at: Loc) -> Node<'t> {
        Node {
            span: span_of(at),
            value: Value::Refused,
        }
    }

    /// The span of a scalar without the blanks and line ends that a block scalar or an empty one may carry.
    fn scalar_span(&self, span: ParserSpan) -> Span {
        let Span { start, end } = span_of(self.at(span));
        let written = self.text.get(to_usize(start)..to_usize(end)).unwrap_or("");
        let end = end - to_u32(written.len() - written.trim_end().len());
        Span {
            start,
            end: end.max(start),
        }
    }

    fn at(&self, span: ParserSpan) -> Loc {
        let range = span.byte_range().unwrap_or(self.text.len()..self.text.len());
        Loc::new(self.file, self.span(range.start, range.end))
    }

    fn span(&self, start: usize, end: usize) -> Span {
        let clamp = |at: usize| to_u32(at.min(self.text.len()));
        Span {
            start: clamp(start),
            end: clamp(end.max(start)),
        }
    }
}

fn span_of(at: Loc) -> Span {
    Span {
        start: at.start(),
        end: at.end(),
    }
}

/// Offsets are below [`MAX_BYTES`], so nothing is lost.
fn to_u32(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn to_usize(at: u32) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
