//! One file by itself: decoded, with its findings, and kept from one load to the next.
//!
//! What a file says does not depend on the others, so as long as its text is the same it is not parsed again. Everything that
//! compares files with each other is done anew by every load.

use crate::diagnostic::SourceFile;

use super::decode::{Context, Decode as _, Shape as _};
use super::document::{self, Node, Span, Value};
use super::findings::{Findings, Loc};
use super::raw::RawFile;
use super::{root, rules};

/// What one file says.
#[derive(Debug)]
pub(super) struct Decoded {
    /// What could be read of it.
    pub(super) raw: RawFile,
    /// Where it begins, if it is the root file.
    pub(super) root: Option<Loc>,
    /// Whether what the file lacks is known: its syntax and its top level are right.
    pub(super) readable: bool,
    /// Whether something of it could not be read.
    pub(super) incomplete: bool,
    /// What is wrong with it by itself.
    pub(super) findings: Findings,
}

impl Decoded {
    /// Reads one file, the one that places call `file`.
    pub(super) fn read(file: u32, is_root: bool, text: &str) -> Self {
        let mut findings = Findings::default();
        let document::Parsed {
            root: node,
            mut incomplete,
        } = document::parse(file, text, &mut findings);
        let broken = incomplete;
        let node = node.filter(|node| !node.is_null());
        let mut context = Context {
            file,
            findings: &mut findings,
            field: "the file".to_owned(),
            key_span: Span::default(),
        };
        let raw = node.as_ref().and_then(|node| RawFile::decode(node, &mut context));
        if let Some(node) = &node {
            incomplete |= raw.as_ref().is_none_or(lacks_a_map);
            if !is_root && raw.is_some() {
                refuse_root_keys(file, node, &mut findings);
            }
        }
        Self {
            root: is_root.then(|| Loc::new(file, Span::default())),
            readable: raw.is_some() || !broken,
            raw: raw.unwrap_or_default(),
            incomplete,
            findings,
        }
    }
}

/// Decoded files of an earlier load, so that the next one reads only what changed.
///
/// A file is taken from here when its path, its text (compared byte for byte) and its place in the order of paths are the same.
/// A file that was added or removed therefore costs reading again those behind it.
#[derive(Debug, Default)]
pub struct Cache {
    files: Vec<Cached>,
}

#[derive(Debug)]
struct Cached {
    path: String,
    text: String,
    decoded: Decoded,
}

impl Cache {
    /// Brings the cache up to these files, in their order; `root` is the index of the root file.
    pub(super) fn update(&mut self, sources: &[&SourceFile], root: Option<usize>) {
        self.files.truncate(sources.len());
        for (number, source) in sources.iter().enumerate() {
            let is_root = root == Some(number);
            let same = |cached: &Cached| {
                cached.decoded.root.is_some() == is_root && cached.path == source.path && cached.text == source.text
            };
            if self.files.get(number).is_some_and(same) {
                continue;
            }
            let fresh = Cached {
                path: source.path.clone(),
                text: source.text.clone(),
                decoded: Decoded::read(u32::try_from(number).unwrap_or(u32::MAX), is_root, &source.text),
            };
            match self.files.get_mut(number) {
                Some(cached) => *cached = fresh,
                None => self.files.push(fresh),
            }
        }
    }

    /// The files, in the order of their paths.
    pub(super) fn files(&self) -> impl Iterator<Item = (&str, &Decoded)> + Clone {
        self.files.iter().map(|cached| (cached.path.as_str(), &cached.decoded))
    }
}

/// Whether one of the maps is there and could not be read: what others refer to may be in it.
fn lacks_a_map(raw: &RawFile) -> bool {
    [
        ("windows", raw.windows.is_none()),
        ("sites", raw.sites.is_none()),
        ("devices", raw.devices.is_none()),
        ("plans", raw.plans.is_none()),
        ("subscribers", raw.subscribers.is_none()),
    ]
    .into_iter()
    .any(|(key, absent)| absent && raw.says(key))
}

fn refuse_root_keys(file: u32, node: &Node<'_>, findings: &mut Findings) {
    let Value::Mapping(entries) = &node.value else {
        return;
    };
    for entry in entries {
        if root::is_root_key(&entry.key) {
            let at = Loc::new(file, entry.key_span);
            findings
                .add(
                    &rules::ROOT_KEY,
                    at,
                    format!("`{}` belongs into gamops.yaml, not into this file", entry.key),
                )
                .help("move it to the root file; it holds for the whole inventory");
        }
    }
}
