//! Maps with a fixed set of keys: one table for the decoder and the schema.

use serde_json::{Map, Value as Json, json};

use crate::inventory::document::{Entry, Node, Value};
use crate::inventory::nearest::nearest;
use crate::inventory::rules;

use super::Context;
use super::entries::duplicate_key;

/// What [`shape!`] tells the decoder about one field.
pub(in crate::inventory) struct Field {
    pub(in crate::inventory) name: &'static str,
    pub(in crate::inventory) docs: &'static str,
    pub(in crate::inventory) required: bool,
    pub(in crate::inventory) schema: fn() -> Json,
}

/// A map with a fixed set of keys.
pub(in crate::inventory) trait Shape: Default {
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
                object.insert("description".to_owned(), json!(paragraph(field.docs)));
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
            "title": title(Self::WHAT),
            "description": paragraph(Self::DOCS),
            "additionalProperties": false,
            "properties": properties,
        });
        if let (Some(object), false) = (schema.as_object_mut(), required.is_empty()) {
            object.insert("required".to_owned(), json!(required));
        }
        schema
    }
}

/// `a subscriber` as a heading.
fn title(what: &str) -> &str {
    let bare = what
        .strip_prefix("a ")
        .or_else(|| what.strip_prefix("an "))
        .unwrap_or(what);
    bare.trim_matches('`')
}

/// A doc comment as one line.
fn paragraph(docs: &str) -> String {
    docs.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The first sentence of a doc comment, as the end of one of ours.
fn first_sentence(docs: &str) -> String {
    let docs = paragraph(docs);
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
pub(in crate::inventory) use shape;
