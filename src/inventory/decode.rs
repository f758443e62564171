//! Tree to raw shapes, collecting every finding on the way.
//!
//! One table per shape, written with `shape!`, drives the decoder and the JSON Schema alike, so that
//! the two cannot drift apart. A value that cannot be read is a finding and a `None`; its neighbours are
//! still read.

mod plain;
mod scalar;
mod service;

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value as Json, json};

use super::document::{Entry, Node, Span, Value};
use super::findings::{Findings, Loc};
use super::nearest::nearest;
use super::rules;

pub(super) use scalar::{
    Address, CredentialsName, Description, EntryKey, ExternalId, Flag, FormatVersion, HostKey, Hostname, InventoryId,
    Key, LabelKey, ModelName, NAME_HELP, Name, PortKey, ServiceLimit, TcpPort, Text, port_number, safe_name,
};
pub(super) use service::{
    EndpointSpec, HeadroomText, Paused, PortModeWord, SoldRate, SubscriberModel, SuspensionSpec, VlanList,
};

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Spanned<T> {
    pub(super) value: T,
    pub(super) at: Loc,
}

/// Something that a node can be read as.
pub(super) trait Decode: Sized {
    /// Reads `node`; what is wrong with it goes to the context's findings.
    fn decode(node: &Node<'_>, context: &mut Context<'_>) -> Option<Self>;

    /// What the decoder takes, as JSON Schema draft 7, as far as that can say it.
    fn schema() -> Json;
}

/// What the decoder knows about where it is.
pub(super) struct Context<'f> {
    /// Index of the file.
    pub(super) file: u32,
    /// Where findings go.
    pub(super) findings: &'f mut Findings,
    /// The key whose value is being read, for messages.
    pub(super) field: String,
    /// Where that key stands: an absent value has no place of its own.
    pub(super) key_span: Span,
}

impl Context<'_> {
    pub(super) fn at(&self, span: Span) -> Loc {
        Loc::new(self.file, span)
    }

    /// Says that the node is of the wrong kind. `wanted` reads on from "needs".
    pub(super) fn wrong_type<T>(&mut self, node: &Node<'_>, wanted: &str) -> Option<T> {
        let field = &self.field;
        let (span, found) = match &node.value {
            Value::Refused => return None,
            _ if node.is_null() => (self.key_span, "has no value"),
            Value::Sequence(_) => (opening(node.span), "is a list"),
            Value::Mapping(_) => (self.key_span, "is a map"),
            Value::Scalar { plain: false, .. } => (node.span, "is text in quotes"),
            Value::Scalar { .. } => (node.span, "is a single value"),
        };
        let at = Loc::new(self.file, span);
        let message = format!("`{field}` {found}; it needs {wanted}");
        self.findings.add(&rules::WRONG_TYPE, at, message);
        None
    }

    /// Reads the value of an entry under its own name.
    pub(super) fn entry<T: Decode>(&mut self, entry: &Entry<'_>) -> Option<Spanned<T>> {
        self.field.clear();
        self.field.push_str(&entry.key);
        self.key_span = entry.key_span;
        let at = self.at(entry.value.span);
        T::decode(&entry.value, self).map(|value| Spanned { value, at })
    }
}

/// The first byte of a collection, to underline instead of all of its lines.
fn opening(span: Span) -> Span {
    Span {
        start: span.start,
        end: span.end.min(span.start.saturating_add(1)),
    }
}

/// What [`shape!`] tells the decoder about one field.
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) docs: &'static str,
    pub(super) required: bool,
    pub(super) schema: fn() -> Json,
}

/// A map with a fixed set of keys.
pub(super) trait Shape: Default {
    /// What it is, for messages: `a subscriber`.
    const WHAT: &'static str;
    /// What it is, for people who read the schema.
    const DOCS: &'static str;
    /// Its keys.
    const FIELDS: &'static [Field];

    /// Reads the entry into its field; `index` counts [`Self::FIELDS`].
    fn set(&mut self, index: usize, entry: &Entry<'_>, context: &mut Context<'_>);

    /// Which keys were there, readable or not, by bit.
    fn present(&self) -> u64;

    /// Remembers which keys were there.
    fn set_present(&mut self, keys: u64);

    /// Whether the key was there, readable or not: what could not be read has its finding already.
    fn says(&self, key: &str) -> bool {
        Self::FIELDS
            .iter()
            .position(|field| field.name == key)
            .is_some_and(|bit| self.present() & (1 << bit) != 0)
    }

    /// Reads a map into its fields.
    fn decode_shape(node: &Node<'_>, context: &mut Context<'_>) -> Option<Self> {
        let Value::Mapping(entries) = &node.value else {
            return context.wrong_type(node, "a map of keys and values");
        };
        let owner = context.at(context.key_span);
        let mut shape = Self::default();
        let mut seen = 0_u64;
        let mut read = 0_u64;
        for entry in entries {
            if entry.is_merge() {
                // Whatever is missing may be in what was to be merged.
                seen = u64::MAX;
            }
        }
        for entry in entries {
            if entry.is_merge() {
                continue;
            }
            let Some(index) = Self::FIELDS.iter().position(|field| field.name == entry.key) else {
                unknown_key::<Self>(entry, context);
                continue;
            };
            if read & (1 << index) != 0 {
                let first = entries
                    .iter()
                    .find(|other| other.key == entry.key)
                    .map(|other| other.key_span);
                duplicate_key(context, &entry.key, entry.key_span, first.map(|span| context.at(span)));
                continue;
            }
            read |= 1 << index;
            seen |= 1 << index;
            shape.set(index, entry, context);
        }
        for (index, field) in Self::FIELDS.iter().enumerate() {
            if field.required && seen & (1 << index) == 0 {
                context
                    .findings
                    .add(
                        &rules::MISSING_KEY,
                        owner,
                        format!("{} needs `{}`", Self::WHAT, field.name),
                    )
                    .help(format!("`{}`: {}", field.name, first_sentence(field.docs)));
            }
        }
        shape.set_present(seen);
        Some(shape)
    }

    /// The schema of the map.
    fn shape_schema() -> Json {
        let mut properties = Map::new();
        for field in Self::FIELDS {
            let mut schema = (field.schema)();
            if let Some(object) = schema.as_object_mut() {
                object.insert("description".to_owned(), json!(field.docs.trim()));
            }
            properties.insert(field.name.to_owned(), schema);
        }
        let required: Vec<&str> = Self::FIELDS
            .iter()
            .filter(|field| field.required)
            .map(|field| field.name)
            .collect();
        let mut schema = json!({
            "type": "object",
            "description": Self::DOCS.trim(),
            "additionalProperties": false,
            "properties": properties,
        });
        if let (Some(object), false) = (schema.as_object_mut(), required.is_empty()) {
            object.insert("required".to_owned(), json!(required));
        }
        schema
    }
}

/// The first sentence of a doc comment, as the end of one of ours.
fn first_sentence(docs: &str) -> String {
    let docs = docs.trim();
    let end = docs.find(". ").unwrap_or(docs.len());
    let sentence = docs[..end].trim_end_matches('.');
    let mut chars = sentence.chars();
    match (chars.next(), chars.clone().next()) {
        (Some(first), Some(second)) if second.is_lowercase() => format!("{}{}", first.to_lowercase(), chars.as_str()),
        _ => sentence.to_owned(),
    }
}

/// Words in a key that say that its value is a secret.
const SECRET_WORDS: [&str; 9] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "community",
    "token",
    "private_key",
    "api_key",
    "apikey",
];

fn unknown_key<S: Shape>(entry: &Entry<'_>, context: &mut Context<'_>) {
    let at = context.at(entry.key_span);
    let key = &*entry.key;
    let lower = key.to_lowercase();
    if SECRET_WORDS.iter().any(|word| lower.contains(word)) {
        let value = context.at(entry.value.span);
        context.findings.hide(value);
        context
            .findings
            .add(
                &rules::SECRET,
                at,
                format!("`{key}` does not belong here: an inventory holds no secrets"),
            )
            .help(
                "name the credentials with `credentials: NAME` and put the values into GAMOPS_CRED_<NAME>_USERNAME and \
                 GAMOPS_CRED_<NAME>_PASSWORD; what was committed once is to be changed on the device",
            );
        return;
    }
    let known: Vec<&str> = S::FIELDS.iter().map(|field| field.name).collect();
    let help = match nearest(key, known.iter().copied()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("{} may have: {}", S::WHAT, known.join(", ")),
    };
    context
        .findings
        .add(&rules::UNKNOWN_KEY, at, format!("`{key}` is not a key of {}", S::WHAT))
        .help(help);
}

/// Says that a key stands twice.
pub(super) fn duplicate_key(context: &mut Context<'_>, key: &str, span: Span, first: Option<Loc>) {
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

/// Writes a raw shape: a struct of `Option<Spanned<T>>`, its decoder and its schema.
macro_rules! shape {
    (
        $(#[doc = $docs:literal])*
        $what:literal $name:ident {
            $( $(#[doc = $field_docs:literal])* $need:ident $field:ident: $kind:ty, )*
        }
    ) => {
        $(#[doc = $docs])*
        #[derive(Debug, Default)]
        pub(in crate::inventory) struct $name {
            $( $(#[doc = $field_docs])* pub(in crate::inventory) $field: Option<$crate::inventory::decode::Spanned<$kind>>, )*
            /// Which keys were there, readable or not: the order of the fields is the order of the bits.
            pub(in crate::inventory) present: u64,
        }

        impl $crate::inventory::decode::Shape for $name {
            const WHAT: &'static str = $what;
            const DOCS: &'static str = concat!($($docs, "\n"),*);
            const FIELDS: &'static [$crate::inventory::decode::Field] = &[
                $( $crate::inventory::decode::Field {
                    name: stringify!($field),
                    docs: concat!($($field_docs, "\n"),*),
                    required: shape!(@ $need),
                    schema: <$kind as $crate::inventory::decode::Decode>::schema,
                }, )*
            ];

            fn present(&self) -> u64 {
                self.present
            }

            fn set_present(&mut self, keys: u64) {
                self.present = keys;
            }

            fn set(
                &mut self,
                index: usize,
                entry: &$crate::inventory::document::Entry<'_>,
                context: &mut $crate::inventory::decode::Context<'_>,
            ) {
                let mut at = 0;
                $(
                    if index == at {
                        self.$field = context.entry(entry);
                        return;
                    }
                    at += 1;
                )*
                debug_assert!(index < at, "a field index of another shape");
            }
        }

        impl $crate::inventory::decode::Decode for $name {
            fn decode(
                node: &$crate::inventory::document::Node<'_>,
                context: &mut $crate::inventory::decode::Context<'_>,
            ) -> Option<Self> {
                <Self as $crate::inventory::decode::Shape>::decode_shape(node, context)
            }

            fn schema() -> serde_json::Value {
                <Self as $crate::inventory::decode::Shape>::shape_schema()
            }
        }
    };
    (@ required) => { true };
    (@ optional) => { false };
}
pub(super) use shape;

/// One entry of a map whose keys are the operator's own.
#[derive(Debug)]
pub(super) struct Keyed<T> {
    /// The key.
    pub(super) key: String,
    /// Where the key stands.
    pub(super) at: Loc,
    /// `None` when the value could not be read, which has its own finding; the key still counts, so that
    /// whoever refers to it is not blamed.
    pub(super) value: Option<T>,
}

/// A map whose keys are the operator's own, in the order of the text; equal keys are all kept.
#[derive(Debug)]
pub(super) struct Entries<K, T> {
    pub(super) list: Vec<Keyed<T>>,
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
pub(super) trait KeyKind {
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

/// Puts entries under their keys; of two equal ones the first is kept and the second is a finding that
/// names both places. `what` reads as in "the device `a`".
pub(super) fn index<K, T>(
    into: &mut BTreeMap<String, Keyed<T>>,
    entries: Entries<K, T>,
    what: &str,
    findings: &mut Findings,
) {
    for keyed in entries.list {
        if let Some(first) = into.get(&keyed.key) {
            findings
                .add(
                    &rules::DUPLICATE_KEY,
                    keyed.at,
                    format!("the {what} `{}` stands here a second time", keyed.key),
                )
                .related(first.at, "first here")
                .help("remove one of the two, or rename one; most YAML readers would silently keep the last");
        } else {
            into.insert(keyed.key.clone(), keyed);
        }
    }
}

impl<T: Decode> Decode for Vec<Spanned<T>> {
    fn decode(node: &Node<'_>, context: &mut Context<'_>) -> Option<Self> {
        let Value::Sequence(items) = &node.value else {
            return context.wrong_type(node, "a list");
        };
        let mut list = Self::with_capacity(items.len());
        for item in items {
            let at = context.at(item.span);
            list.extend(T::decode(item, context).map(|value| Spanned { value, at }));
        }
        Some(list)
    }

    fn schema() -> Json {
        json!({ "type": "array", "items": T::schema() })
    }
}
