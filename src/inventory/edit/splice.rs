//! One edit of one text: which bytes go, and what comes in their place.

use std::ops::Range;

use super::super::document::{Entry, Node, Value as Tree};
use super::layout::{Layout, is_alias};
use super::write::{Hand, Quotes, inline, is_flat, pair};
use super::{Edit, KeyPath, Reason, Value, order};

/// Bytes that go, and what comes in their place.
pub(super) type Splice = (Range<usize>, String);

/// A map of a text.
#[derive(Clone, Copy)]
struct Map<'n, 't> {
    /// The entry that it is the value of; the top level of a text is nobody's.
    owner: Option<&'n Entry<'t>>,
    entries: &'n [Entry<'t>],
    /// Written between brackets.
    flow: bool,
    /// Its owner is.
    within: bool,
}

impl<'n, 't> Map<'n, 't> {
    fn get(self, key: &str) -> Option<&'n Entry<'t>> {
        self.entries.iter().find(|entry| entry.key == key)
    }
}

/// How far a path leads.
enum Walked<'n, 't> {
    /// To an entry of this map.
    Entry(Map<'n, 't>, &'n Entry<'t>),
    /// Into a map that lacks the key at this place of the path.
    Lacking(Map<'n, 't>, usize),
}

/// A text, its tree, and how it is written.
pub(super) struct Splicer<'n, 't> {
    layout: Layout<'t>,
    root: Option<&'n Node<'t>>,
    hand: Hand,
}

impl<'n, 't> Splicer<'n, 't> {
    /// `root` is the tree of `text`.
    pub(super) fn new(text: &'t str, root: Option<&'n Node<'t>>) -> Self {
        let layout = Layout { text };
        let root = root.filter(|root| !root.is_null());
        Self {
            layout,
            root,
            hand: Hand {
                line_end: layout.line_end(),
                step: root.and_then(|root| step(layout, root)).unwrap_or(2),
            },
        }
    }

    /// What one edit cuts, and puts in, in the order of the text.
    pub(super) fn splices(&self, edit: &Edit) -> Result<Vec<Splice>, Reason> {
        match edit {
            Edit::Set { path, value } => self.set(path, value),
            Edit::Insert { path, value, .. } => self.make(path, value),
            Edit::Remove { path } => self.remove(path),
        }
    }

    /// Gives the value at a path another one, or makes it.
    fn set(&self, path: &KeyPath, value: &Value) -> Result<Vec<Splice>, Reason> {
        match self.walk(path)? {
            Walked::Entry(_, entry) if is_alias(entry) => Err(Reason::Alias(entry.key_span)),
            Walked::Entry(map, entry) => self.replace(map, entry, value),
            Walked::Lacking(map, depth) => self.insert(map, path, depth, value),
        }
    }

    /// Makes an entry that is not there.
    fn make(&self, path: &KeyPath, value: &Value) -> Result<Vec<Splice>, Reason> {
        match self.walk(path)? {
            Walked::Entry(_, entry) => Err(Reason::AlreadyThere(entry.key_span)),
            Walked::Lacking(map, depth) => self.insert(map, path, depth, value),
        }
    }

    /// Takes away an entry and the comments that belong to it. A map that is left without entries becomes `{}`.
    fn remove(&self, path: &KeyPath) -> Result<Vec<Splice>, Reason> {
        let Walked::Entry(map, entry) = self.walk(path)? else {
            return Err(Reason::NotThere);
        };
        if map.flow {
            return Ok(vec![(self.between_brackets(map, entry), String::new())]);
        }
        self.indent(entry)?;
        let lines = self.layout.lines(entry);
        let is_first = map
            .entries
            .first()
            .is_some_and(|first| first.key_span == entry.key_span);
        // The blank lines that set it off from its neighbour go with it.
        let range = if is_first && map.entries.len() > 1 {
            lines.start..self.layout.blanks_below(lines.end)
        } else {
            self.layout.blanks_above(lines.start)..lines.end
        };
        let mut splices = Vec::new();
        if let (1, Some(owner)) = (map.entries.len(), map.owner) {
            let colon = self.colon(owner)?;
            splices.push((colon..colon, " {}".to_owned()));
        }
        splices.push(self.lines(range, String::new()));
        Ok(splices)
    }

    /// Follows a path as far as it leads.
    fn walk(&self, path: &KeyPath) -> Result<Walked<'n, 't>, Reason> {
        let (last, above) = path.keys().split_last().ok_or(Reason::NotThere)?;
        let mut map = match self.root {
            Some(root) => self.map(None, root, false)?,
            None => Map {
                owner: None,
                entries: &[],
                flow: false,
                within: false,
            },
        };
        for (depth, key) in above.iter().enumerate() {
            let Some(entry) = map.get(key) else {
                return Ok(Walked::Lacking(map, depth));
            };
            if is_alias(entry) {
                return Err(Reason::Alias(entry.key_span));
            }
            map = self.map(Some(entry), &entry.value, map.flow)?;
        }
        match map.get(last) {
            None => Ok(Walked::Lacking(map, above.len())),
            Some(entry) => Ok(Walked::Entry(map, entry)),
        }
    }

    /// A node as a map; nothing at all is an empty one. `within`: the node stands between brackets.
    fn map(&self, owner: Option<&'n Entry<'t>>, node: &'n Node<'t>, within: bool) -> Result<Map<'n, 't>, Reason> {
        let (entries, flow) = match &node.value {
            Tree::Mapping(entries) => (entries.as_slice(), self.layout.is_flow(node)),
            _ if node.is_null() => (&[][..], within),
            _ => return Err(owner.map_or(Reason::Form(node.span), |owner| Reason::NotAMap(owner.key_span))),
        };
        Ok(Map {
            owner,
            entries,
            flow,
            within,
        })
    }

    /// Writes a value in the place of another.
    fn replace(&self, map: Map<'n, 't>, entry: &Entry<'t>, value: &Value) -> Result<Vec<Splice>, Reason> {
        let node = &entry.value;
        let span = node.span.range();
        if span.is_empty() && node.is_null() {
            return self.fill(entry, value, map.flow, None);
        }
        let colon = self.colon(entry)?;
        if matches!(node.value, Tree::Mapping(_) | Tree::Sequence(_)) && !self.layout.is_flow(node) {
            return self.replace_lines(entry, colon, value);
        }
        if let Some(header) = self.block_scalar_header(colon, span.start) {
            // A comment behind the mark stays.
            let header_end = self.layout.line_after(header.end);
            let header_end = header.end + self.layout.text[header.end..header_end].trim_end().len();
            let content = header_end..self.layout.entry_end(entry).max(header_end);
            return Ok(vec![
                (header, inline(value, Quotes::Plain, false)),
                (content, String::new()),
            ]);
        }
        let quotes = match self.layout.text.as_bytes().get(span.start) {
            Some(b'\'') => Quotes::Single,
            Some(b'"') => Quotes::Double,
            _ => Quotes::Plain,
        };
        Ok(vec![(span, inline(value, quotes, map.flow))])
    }

    /// Writes a value in the place of a list or map that is written line by line.
    fn replace_lines(&self, entry: &Entry<'t>, colon: usize, value: &Value) -> Result<Vec<Splice>, Reason> {
        let first = entry.value.span.range().start;
        let range = self.layout.line_after(colon)..self.layout.line_after(self.layout.entry_end(entry));
        if first < range.start {
            return Err(Reason::Form(entry.key_span));
        }
        let start = self.layout.line_start(first);
        let line = &self.layout.text[start..];
        let indent = line.len() - line.trim_start_matches(' ').len();
        match value {
            Value::Map(entries) if !entries.is_empty() => {
                Ok(vec![self.lines(range, self.hand.entries(entries, indent, 0))])
            }
            Value::List(items) if !items.is_empty() => Ok(vec![self.lines(range, self.hand.items(items, indent))]),
            _ => Ok(vec![
                (colon..colon, format!(" {}", inline(value, Quotes::Plain, false))),
                self.lines(range, String::new()),
            ]),
        }
    }

    /// The mark of a block scalar (`|`, `>-`), if the value that begins at `content` is one.
    fn block_scalar_header(&self, colon: usize, content: usize) -> Option<Range<usize>> {
        let gap = self.layout.text.get(colon..content)?;
        let word = |from: usize| {
            let start = from + gap[from..].find(|char: char| !char.is_ascii_whitespace())?;
            let end = gap[start..].find(|char: char| char.is_ascii_whitespace());
            Some(start..end.map_or(gap.len(), |end| start + end))
        };
        let mut mark = word(0)?;
        if gap[mark.clone()].starts_with('&') {
            mark = word(mark.end)?;
        }
        gap[mark.clone()]
            .starts_with(['|', '>'])
            .then(|| colon + mark.start..colon + mark.end)
    }

    /// Writes the key at `depth` of the path, and whatever is below it, into a map that lacks it.
    fn insert(&self, map: Map<'n, 't>, path: &KeyPath, depth: usize, value: &Value) -> Result<Vec<Splice>, Reason> {
        let keys = path.keys();
        let key = keys.get(depth).ok_or(Reason::NotThere)?;
        let below = keys.get(depth + 1..).unwrap_or_default();
        let value = &below
            .iter()
            .rev()
            .fold(value.clone(), |value, key| Value::map([(key.as_str(), value)]));
        if map.entries.is_empty() {
            return self.insert_first(map, depth, key, value);
        }
        let present: Vec<&str> = map.entries.iter().map(|entry| &*entry.key).collect();
        let at = order::position(&keys[..depth], key, &present);
        if map.flow {
            return Ok(vec![
                match at.checked_sub(1).and_then(|before| map.entries.get(before)) {
                    Some(before) => {
                        let end = self.layout.entry_end(before);
                        (end..end, format!(", {}", pair(key, value)))
                    }
                    None => {
                        let start = map.entries[0].key_span.range().start;
                        (start..start, format!("{}, ", pair(key, value)))
                    }
                },
            ]);
        }
        let neighbour = &map.entries[at.saturating_sub(1)];
        let indent = self.indent(neighbour)?;
        let lines = self.layout.lines(neighbour);
        let new = match self.siblings_are_flow(map) {
            Some(true) => format!("{}{}{}", " ".repeat(indent), pair(key, value), self.hand.line_end),
            Some(false) => self.hand.entry(key, value, indent, open_levels(depth).max(1)),
            None => self.hand.entry(key, value, indent, open_levels(depth)),
        };
        let blank = if self.is_set_off(map, at) {
            self.hand.line_end
        } else {
            ""
        };
        Ok(vec![if at == 0 {
            (lines.start..lines.start, format!("{new}{blank}"))
        } else {
            self.lines(lines.end..lines.end, format!("{blank}{new}"))
        }])
    }

    /// Writes the first entry of a map.
    fn insert_first(&self, map: Map<'n, 't>, depth: usize, key: &str, value: &Value) -> Result<Vec<Splice>, Reason> {
        let entry = Value::map([(key, value.clone())]);
        match (map.owner, self.root) {
            (Some(owner), _) => {
                // One line for each entry of the fleet; settings of one entry share a line.
                if matches!(value, Value::Map(_)) && !map.within {
                    self.fill(owner, &entry, false, Some(open_levels(depth)))
                } else {
                    self.fill(owner, &entry, true, None)
                }
            }
            (None, Some(root)) => Err(Reason::Form(root.span)),
            (None, None) => {
                let end = self.layout.text.len();
                let new = self.hand.entry(key, value, 0, open_levels(depth));
                let started = self.layout.text.is_empty() || self.layout.text.ends_with('\n');
                let line_end = if started { "" } else { self.hand.line_end };
                Ok(vec![(end..end, format!("{line_end}{new}"))])
            }
        }
    }

    /// Writes the value of an entry that has none, or an empty map. `within`: between brackets. `open`: each of its entries on lines
    /// of its own, and so many levels below; else where it does not fit on one.
    fn fill(&self, entry: &Entry<'t>, value: &Value, within: bool, open: Option<usize>) -> Result<Vec<Splice>, Reason> {
        let key_end = entry.key_span.range().end;
        let Some(colon) = self.layout.colon(entry) else {
            // `{key}` is short for `{key: }`.
            return if within {
                Ok(vec![(
                    key_end..key_end,
                    format!(": {}", inline(value, Quotes::Plain, true)),
                )])
            } else {
                Err(Reason::Form(entry.key_span))
            };
        };
        let old = if entry.value.span.range().is_empty() {
            colon..colon
        } else {
            let span = entry.value.span.range();
            let gap = self.layout.text.get(colon..span.start).unwrap_or("-");
            if gap.trim().is_empty() { colon..span.end } else { span }
        };
        match value {
            Value::Map(entries) if !entries.is_empty() && !within && (open.is_some() || !is_flat(value)) => {
                let key = entry.key_span.range().start;
                let indent = self.indent(entry)? + self.hand.step;
                let lines = self.hand.entries(entries, indent, open.unwrap_or(0));
                let end = self.layout.end_with_comments(entry, key - self.layout.line_start(key));
                Ok(vec![(old, String::new()), self.lines(end..end, lines)])
            }
            _ => Ok(vec![(old, format!(" {}", inline(value, Quotes::Plain, within)))]),
        }
    }

    /// Whether the maps beside a new entry are written between brackets; `None` where there are none.
    fn siblings_are_flow(&self, map: Map<'n, 't>) -> Option<bool> {
        let maps = map
            .entries
            .iter()
            .filter(|entry| !is_alias(entry) && matches!(entry.value.value, Tree::Mapping(_)));
        maps.map(|entry| self.layout.is_flow(&entry.value))
            .reduce(|all, flow| all && flow)
    }

    /// Whether a blank line sets off what is put in before the entry `at`: as between the two that it comes to stand between, or
    /// between the two next to it.
    fn is_set_off(&self, map: Map<'n, 't>, at: usize) -> bool {
        let first = at.saturating_sub(1).min(map.entries.len().saturating_sub(2));
        let (Some(one), Some(other)) = (map.entries.get(first), map.entries.get(first + 1)) else {
            return false;
        };
        let end = self.layout.lines(one).end;
        self.layout.blanks_below(end) > end && end <= other.key_span.range().start
    }

    /// The place of an entry between brackets, with the comma that goes with it.
    fn between_brackets(&self, map: Map<'n, 't>, entry: &Entry<'t>) -> Range<usize> {
        let start = |entry: &Entry<'_>| entry.key_span.range().start;
        let own = start(entry)..self.layout.entry_end(entry);
        let others = || map.entries.iter().filter(|other| other.key_span != entry.key_span);
        let next = others().find(|other| start(other) > own.start);
        let before = others().rfind(|other| start(other) < own.start);
        match (before, next) {
            (_, Some(next)) => own.start..start(next),
            (Some(before), None) => {
                let gap = self.layout.entry_end(before)..own.start;
                let text = &self.layout.text[gap.clone()];
                match text.rfind('\n') {
                    // The comma before a comment does no harm where it is.
                    Some(line_end) if text.contains('#') => gap.start + line_end..own.end,
                    _ => gap.start..own.end,
                }
            }
            (None, None) => own,
        }
    }

    /// Puts lines in the place of others. A text that did not end with a line end does not do so afterwards.
    fn lines(&self, range: Range<usize>, mut new: String) -> Splice {
        let text = self.layout.text;
        if range.end < text.len() || text.ends_with('\n') || text.is_empty() {
            return (range, new);
        }
        let bare = |text: &str| {
            let without = text.strip_suffix('\n').unwrap_or(text);
            without.strip_suffix('\r').unwrap_or(without).len()
        };
        new.truncate(bare(&new));
        if range.is_empty() {
            new.insert_str(0, self.hand.line_end);
            return (range, new);
        }
        let start = if new.is_empty() {
            bare(&text[..range.start])
        } else {
            range.start
        };
        (start..range.end, new)
    }

    /// The column of an entry that begins its line.
    fn indent(&self, entry: &Entry<'_>) -> Result<usize, Reason> {
        let key = entry.key_span;
        self.layout.indent(key.range().start).ok_or(Reason::Form(key))
    }

    fn colon(&self, entry: &Entry<'_>) -> Result<usize, Reason> {
        self.layout.colon(entry).ok_or(Reason::Form(entry.key_span))
    }
}

/// How many levels of maps, from the value of a key at this depth down, are written line by line though they might fit on one: the
/// entries of a section.
const fn open_levels(depth: usize) -> usize {
    2_usize.saturating_sub(depth)
}

/// By how many blanks the first map within another is further in.
fn step(layout: Layout<'_>, node: &Node<'_>) -> Option<usize> {
    let Tree::Mapping(entries) = &node.value else {
        return None;
    };
    entries
        .iter()
        .filter(|entry| !is_alias(entry) && !layout.is_flow(&entry.value))
        .find_map(|entry| {
            let Tree::Mapping(inner) = &entry.value.value else {
                return None;
            };
            let outer = layout.indent(entry.key_span.range().start)?;
            let inner = layout.indent(inner.first()?.key_span.range().start)?;
            inner.checked_sub(outer).filter(|step| *step > 0)
        })
}
