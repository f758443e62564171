//! Maps whose keys are the operator's own.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value as Json, json};

use crate::inventory::document::{Node, Span, Value};
use crate::inventory::findings::{Findings, Loc};
use crate::inventory::rules;

use super::{Context, Decode, Spanned, plain};

/// One entry of a map whose keys are the operator's own.
#[derive(Debug)]
pub(in crate::inventory) struct Keyed<T> {
    /// The key.
    pub(in crate::inventory) key: String,
    /// Where the key stands.
    pub(in crate::inventory) at: Loc,
    /// `None` when the value could not be read, which has its own finding; the key still counts, so that
    /// whoever refers to it is not blamed.
    pub(in crate::inventory) value: Option<T>,
}

/// A map whose keys are the operator's own, in the order of the text; equal keys are all kept.
#[derive(Debug)]
pub(in crate::inventory) struct Entries<K, T> {
    pub(in crate::inventory) list: Vec<Keyed<T>>,
    kind: std::marker::PhantomData<K>,
}

impl<K, T> Default for Entries<K, T> {
    fn default() -> Self {
        Self {
            list: Vec::new(),
            kind: std::marker::PhantomData,
        }
    }
}

/// What the keys of a map may look like.
pub(in crate::inventory) trait KeyKind {
    /// Why `key` is refused, and what to do, or `None` when it is fine.
    fn problem(key: &str) -> Option<(String, String)>;

    /// JSON Schema for `propertyNames`.
    fn schema() -> Json;

    /// Whether a key that is a plain number is a matter of course.
    const NUMERIC: bool = false;
}

impl<K: KeyKind, T: Decode> Decode for Entries<K, T> {
    fn decode(node: &Node<'_>, context: &mut Context<'_>) -> Option<Self> {
        let entries = match &node.value {
            Value::Mapping(entries) => entries,
            // A key that stands alone, such as `devices:` in a file just begun, is an empty map.
            _ if node.is_null() => return Some(Self::default()),
            _ => return context.wrong_type(node, "a map, keyed by name"),
        };
        let mut list = Vec::with_capacity(entries.len());
        let mut seen = HashMap::with_capacity(entries.len());
        for entry in entries.iter().filter(|entry| !entry.is_merge()) {
            let at = context.at(entry.key_span);
            if let Some(first) = seen.insert(&*entry.key, at) {
                seen.insert(&*entry.key, first);
                duplicate_key(context, &entry.key, entry.key_span, Some(first));
                continue;
            }
            if let Some((message, help)) = K::problem(&entry.key) {
                context.findings.add(&rules::INVALID_KEY, at, message).help(help);
            } else if entry.plain && !K::NUMERIC {
                plain::check_key(&entry.key, at, context.findings);
            }
            let value = context.entry(entry);
            list.push(Keyed {
                key: entry.key.to_string(),
                at,
                value: value.map(|spanned| spanned.value),
            });
        }
        Some(Self {
            list,
            kind: std::marker::PhantomData,
        })
    }

    fn schema() -> Json {
        json!({
            "type": ["object", "null"],
            "propertyNames": K::schema(),
            "additionalProperties": T::schema(),
        })
    }
}

/// All files' entries by key; of equal ones the first is kept and the others are findings that
/// name both places. `what` reads as in "the device `a`".
pub(in crate::inventory) fn index<'c, K: 'c, T: 'c>(
    files: impl Iterator<Item = &'c Spanned<Entries<K, T>>>,
    what: &str,
    findings: &mut Findings,
) -> BTreeMap<&'c str, &'c Keyed<T>> {
    let mut all: Vec<(u64, &Keyed<T>)> = files
        .flat_map(|entries| &entries.value.list)
        .map(|keyed| (beginning(&keyed.key), keyed))
        .collect();
    // Stable: the first of equal keys stays the first. Most keys are told apart by their beginning, without a look at the text.
    all.sort_by(|(one, first), (other, second)| one.cmp(other).then_with(|| first.key.cmp(&second.key)));
    all.dedup_by(|(start, keyed), (first_start, first)| {
        if start != first_start || keyed.key != first.key {
            return false;
        }
        findings
            .add(
                &rules::DUPLICATE_KEY,
                keyed.at,
                format!("the {what} `{}` stands here a second time", keyed.key),
            )
            .related(first.at, "first here")
            .help("remove one of the two, or rename one; most YAML readers would silently keep the last");
        true
    });
    all.into_iter().map(|(_, keyed)| (keyed.key.as_str(), keyed)).collect()
}

/// The first eight bytes as a number that compares as they do.
fn beginning(key: &str) -> u64 {
    let mut bytes = [0; 8];
    for (byte, from) in bytes.iter_mut().zip(key.bytes()) {
        *byte = from;
    }
    u64::from_be_bytes(bytes)
}

/// Says that a key stands twice.
pub(in crate::inventory) fn duplicate_key(context: &mut Context<'_>, key: &str, span: Span, first: Option<Loc>) {
    let at = context.at(span);
    let draft = context.findings.add(
        &rules::DUPLICATE_KEY,
        at,
        format!("the key `{key}` stands here a second time"),
    );
    draft.help("remove one of the two; most YAML readers would silently keep the last");
    if let Some(first) = first {
        draft.related(first, "first here");
    }
}
