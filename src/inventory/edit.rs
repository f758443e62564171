//! Edits of an inventory's texts: comments, order, quotes and every byte that is not meant stay as they are.
//!
//! An edit names a place in the *inventory*, and the file that holds it is found. Texts are cut and joined where the tree of
//! `inventory::document` says that things stand; what came of it is read again and compared with what was meant, and the
//! inventory has to be valid before and after. Otherwise there is an error and no text.

mod batch;
mod check;
mod error;
mod layout;
mod order;
mod splice;
mod write;

use std::collections::BTreeMap;
use std::fmt;

use crate::diagnostic::{Locator, Place, SourceFile};

use super::decode::{Plain, classify};
use super::decoded::Cache;
use super::document::{self, Node, Value as Tree};
use super::findings::Findings;
use super::model::Inventory;
use super::nearest::nearest;
use super::root;

use batch::edit_all;
pub use error::EditError;
use error::Reason;
use splice::Splice;

/// Where something stands in an inventory: the keys that lead to it, such as `subscribers`, `s-100`, `vlan`. Lists have no
/// places within.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyPath(Vec<String>);

impl KeyPath {
    /// The place to which these keys lead.
    pub fn new<K: Into<String>>(keys: impl IntoIterator<Item = K>) -> Self {
        Self(keys.into_iter().map(Into::into).collect())
    }

    /// The place of a key in the map at this place.
    #[must_use]
    pub fn to(&self, key: &str) -> Self {
        Self::new(self.0.iter().map(String::as_str).chain([key]))
    }

    /// The keys.
    #[must_use]
    pub fn keys(&self) -> &[String] {
        &self.0
    }

    /// Whether the place is this one or within it.
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0)
    }

    /// The section and the key of the entry that the place is in; `None` for what holds for the whole inventory.
    fn entry(&self) -> Option<(&str, &str)> {
        match self.0.as_slice() {
            [section, key, ..] if !root::is_root_key(section) => Some((section, key)),
            _ => None,
        }
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("."))
    }
}

/// What is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Text. It gets quotes where a YAML reader would take it for something else, or where what it replaces has them.
    Text(String),
    /// A whole number.
    Number(u64),
    /// `true` or `false`.
    Flag(bool),
    /// A list.
    List(Vec<Self>),
    /// A map, in this order. Keys are not to repeat.
    Map(Vec<(String, Self)>),
}

impl Value {
    /// A map of these.
    pub fn map<'k>(entries: impl IntoIterator<Item = (&'k str, Self)>) -> Self {
        Self::Map(
            entries
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect(),
        )
    }

    /// Reads a value that was written as YAML. `None` where it is none, or has something empty in it.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let mut findings = Findings::default();
        Self::of(&document::parse(0, text, &mut findings).root?)
    }

    /// Takes what is at these keys out of a map. `false` where there is nothing.
    pub fn remove(&mut self, keys: &[String]) -> bool {
        let (Self::Map(entries), Some((key, below))) = (self, keys.split_first()) else {
            return false;
        };
        let Some(at) = entries.iter().position(|(other, _)| other == key) else {
            return false;
        };
        if below.is_empty() {
            entries.remove(at);
            return true;
        }
        entries.get_mut(at).is_some_and(|(_, value)| value.remove(below))
    }

    fn of(node: &Node<'_>) -> Option<Self> {
        Some(match &node.value {
            Tree::Scalar { text, plain: false } => Self::Text(text.to_string()),
            Tree::Scalar { text, plain: true } => match classify(text) {
                Plain::Integer => Self::Number(text.parse().ok()?),
                Plain::Bool(flag) => Self::Flag(flag),
                Plain::Text => Self::Text(text.to_string()),
                _ => return None,
            },
            Tree::Sequence(items) => Self::List(items.iter().map(Self::of).collect::<Option<_>>()?),
            Tree::Mapping(entries) => {
                let entry = |entry: &document::Entry<'_>| Some((entry.key.to_string(), Self::of(&entry.value)?));
                Self::Map(entries.iter().map(entry).collect::<Option<_>>()?)
            }
            Tree::Refused => return None,
        })
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// One edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// What is at the place gets this value. Where the entry that it is in lacks it, it is made, in the order that its fellows
    /// have.
    Set {
        /// The place, in an entry that is there or in what holds for the whole inventory.
        path: KeyPath,
        /// The value.
        value: Value,
    },
    /// Something new, such as a subscriber. Refused where it is there already.
    Insert {
        /// The place.
        path: KeyPath,
        /// The value.
        value: Value,
        /// An entry into whose file a new one is put. Else it is the file that has most of its kind.
        beside: Option<KeyPath>,
    },
    /// What is at the place goes, with the comments that belong to it.
    Remove {
        /// The place.
        path: KeyPath,
    },
}

impl Edit {
    /// The place that it is about.
    #[must_use]
    pub const fn path(&self) -> &KeyPath {
        match self {
            Self::Set { path, .. } | Self::Insert { path, .. } | Self::Remove { path } => path,
        }
    }
}

/// An inventory with its edits.
#[derive(Debug)]
pub struct Edited {
    /// All files, in the order in which they came.
    pub files: Vec<SourceFile>,
    /// What they say now.
    pub inventory: Inventory,
}

/// Makes edits, as if one after the other. The texts are those of a whole inventory, which is valid before and after.
///
/// # Errors
///
/// [`EditError`]: nothing came of any of the edits.
pub fn edit(files: &[SourceFile], edits: &[Edit]) -> Result<Edited, EditError> {
    // What a file says is read once more only where it is another one afterwards.
    let mut cache = Cache::default();
    let before = super::load_cached(files, &mut cache);
    if before.inventory.is_none() {
        return Err(EditError::InvalidBefore(before.report));
    }
    let mut files = files.to_vec();
    let mut homes = Homes::of(&files);
    let mut by_file: BTreeMap<usize, Vec<&Edit>> = BTreeMap::new();
    for edit in edits {
        let number = homes.home(edit)?;
        homes.note(number, edit);
        by_file.entry(number).or_default().push(edit);
    }
    for (number, edits) in by_file {
        files[number].text = edit_all(&files[number], &edits)?;
    }
    let after = super::load_cached(&files, &mut cache);
    match after.inventory {
        Some(inventory) => Ok(Edited { files, inventory }),
        None => Err(EditError::InvalidAfter {
            report: after.report,
            files,
        }),
    }
}

/// Something in the texts of an inventory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its key, in its file.
    pub place: Place,
    /// Whether it is a map, and not a single value or a list.
    pub is_map: bool,
}

/// Finds an entry, or something in it. `None` where it is not there.
#[must_use]
pub fn find(files: &[SourceFile], path: &KeyPath) -> Option<Found> {
    files.iter().find_map(|file| {
        let mut findings = Findings::default();
        let root = document::parse(0, &file.text, &mut findings).root?;
        let mut node = &root;
        let mut at = None;
        for key in path.keys() {
            let entry = map_entries(node).iter().find(|entry| entry.key == key.as_str())?;
            (node, at) = (&entry.value, Some(entry.key_span.range()));
        }
        Some(Found {
            place: Locator::new(file).place(at?),
            is_map: matches!(node.value, Tree::Mapping(_)),
        })
    })
}

/// The innermost place of a text that a byte of it is in: in its entry, or behind it and before the next. `None` where no key is before it.
#[must_use]
pub fn path_at(text: &str, at: usize) -> Option<KeyPath> {
    let mut findings = Findings::default();
    let root = document::parse(0, text, &mut findings).root?;
    let mut node = &root;
    let mut keys = Vec::new();
    while let Some(entry) = (map_entries(node).iter()).rfind(|entry| entry.key_span.range().start <= at) {
        keys.push(entry.key.to_string());
        node = &entry.value;
    }
    (!keys.is_empty()).then_some(KeyPath(keys))
}

/// Which file has which entries.
struct Homes {
    /// Index of the file by section and key.
    entries: BTreeMap<(String, String), usize>,
    /// Index of the root file.
    root: usize,
}

impl Homes {
    fn of(files: &[SourceFile]) -> Self {
        let mut entries = BTreeMap::new();
        for (number, file) in files.iter().enumerate() {
            let mut findings = Findings::default();
            let root = document::parse(0, &file.text, &mut findings).root;
            for section in root
                .iter()
                .flat_map(map_entries)
                .filter(|section| !root::is_root_key(&section.key))
            {
                for entry in map_entries(&section.value) {
                    entries.insert((section.key.to_string(), entry.key.to_string()), number);
                }
            }
        }
        let root = root::find(files.iter().map(|file| file.path.as_str()));
        Self {
            entries,
            root: root.unwrap_or(0),
        }
    }

    /// The file that an edit belongs into.
    fn home(&self, edit: &Edit) -> Result<usize, EditError> {
        let Some((section, key)) = edit.path().entry() else {
            return Ok(self.root);
        };
        let of = |section: &str, key: &str| self.entries.get(&(section.to_owned(), key.to_owned())).copied();
        let home = of(section, key);
        match edit {
            Edit::Insert { path, beside, .. } if path.keys().len() == 2 && home.is_none() => {
                let beside = beside
                    .as_ref()
                    .and_then(KeyPath::entry)
                    .and_then(|(section, key)| of(section, key));
                Ok(beside.or_else(|| self.most(section)).unwrap_or(self.root))
            }
            _ => home.ok_or_else(|| {
                let known = self
                    .entries
                    .keys()
                    .filter(|(other, _)| other == section)
                    .map(|(_, key)| key.as_str());
                EditError::unknown(edit.path(), section, key, nearest(key, known))
            }),
        }
    }

    /// The file with most entries of a section; of several the first.
    fn most(&self, section: &str) -> Option<usize> {
        let mut count: BTreeMap<usize, usize> = BTreeMap::new();
        for (_, file) in self.entries.iter().filter(|((other, _), _)| other == section) {
            *count.entry(*file).or_default() += 1;
        }
        count
            .into_iter()
            .max_by_key(|(file, count)| (*count, usize::MAX - file))
            .map(|(file, _)| file)
    }

    /// Remembers what an edit made or took away.
    fn note(&mut self, number: usize, edit: &Edit) {
        let Some((section, key)) = edit.path().entry() else {
            return;
        };
        let entry = (section.to_owned(), key.to_owned());
        match edit {
            Edit::Remove { path } if path.keys().len() == 2 => drop(self.entries.remove(&entry)),
            _ => drop(self.entries.insert(entry, number)),
        }
    }
}

/// The entries of a map; of anything else none.
fn map_entries<'n, 't>(node: &'n Node<'t>) -> &'n [document::Entry<'t>] {
    match &node.value {
        Tree::Mapping(entries) => entries,
        _ => &[],
    }
}

/// A text with its splices, which do not overlap and are in order.
fn spliced(text: &str, splices: Vec<Splice>) -> String {
    let mut out = String::with_capacity(text.len() + 256);
    let mut done = 0;
    for (range, new) in splices {
        out.push_str(text.get(done..range.start).unwrap_or_default());
        out.push_str(&new);
        done = range.end;
    }
    out.push_str(text.get(done..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests;
