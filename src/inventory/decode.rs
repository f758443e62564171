//! Tree to raw shapes, collecting every finding on the way.
//!
//! One table per shape, written with `shape!`, drives the decoder and the JSON Schema alike, so that
//! the two cannot drift apart. A value that cannot be read is a finding and a `None`; its neighbours are
//! still read.

mod billing;
mod condition;
mod drift;
mod entries;
mod guard;
mod key;
mod number;
mod plain;
mod rollout;
mod scalar;
mod service;
mod shape;
mod text;
mod window;

use serde_json::{Value as Json, json};

use super::document::{Entry, Node, Span, Value};
use super::findings::{Findings, Loc};
use super::rules;

pub(super) use billing::{Day, FactKey, FactTexts, OfferKey, TemplateText, WholeDays};
pub(super) use condition::Condition;
pub(super) use drift::{FieldKey, IgnoreUntil, KINDS, ObjectPattern};
pub(super) use entries::{Entries, KeyKind, Keyed, index};
pub(super) use guard::{GuardCount, LimitSpec, Paused, ShareText, Until};
pub(super) use key::{EntryKey, LabelKey, PortKey, port_number};
pub(super) use number::{FormatVersion, KeepDays, RunCount, TcpPort};
pub(super) use plain::{Plain, classify};
pub(super) use rollout::CanarySpec;
pub(super) use scalar::{ExternalId, Flag};
pub(super) use service::{EndpointSpec, HeadroomText, PortModeWord, SoldRate, SuspensionSpec, VlanList};
pub(super) use shape::{Field, Shape, shape};
pub(super) use text::{
    Address, CredentialsName, Description, HostKey, Hostname, InventoryId, Key, ModelName, NAME_HELP, Name, Text,
    safe_name,
};
pub(super) use window::{ClockTime, ZoneName};

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
