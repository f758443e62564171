//! What gamops owns on a device.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::MacAddr;
use crate::observed::{Object, ObjectId};
use crate::plan::record::Record;

use super::config::{Endpoint, Port, Profile, Subscriber};

/// An object that gamops owns; see [`Record`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Owned {
    /// Inventory key.
    key: String,
    /// `system`, or a kind and its number: `{"subscriber": 7}`.
    #[schemars(with = "serde_json::Value")]
    object: ObjectId,
    /// Its name on the device when it was last written.
    name: String,
    /// The MAC of its endpoint.
    #[schemars(with = "Option<String>")]
    binding: Option<MacAddr>,
    /// Whether the inventory protected it.
    protect: bool,
    /// What it was verified to be; null while the run that makes it is not finished.
    applied: Option<Applied>,
}

/// An object as it was verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Applied {
    /// The host name.
    System(String),
    /// A port.
    Port(Port),
    /// A bandwidth profile.
    Profile(Profile),
    /// An endpoint.
    Endpoint(Endpoint),
    /// A subscriber.
    Subscriber(Box<Subscriber>),
}

impl From<&Record> for Owned {
    fn from(record: &Record) -> Self {
        let applied = |object: &Object| match object {
            Object::System(hostname) => Applied::System(hostname.clone()),
            Object::Port(port) => Applied::Port(port.into()),
            Object::Profile(profile) => Applied::Profile(profile.into()),
            Object::Endpoint(endpoint) => Applied::Endpoint(endpoint.into()),
            Object::Subscriber(subscriber) => Applied::Subscriber(Box::new((&**subscriber).into())),
        };
        Self {
            key: record.key.clone(),
            object: record.object,
            name: record.name.clone(),
            binding: record.binding,
            protect: record.protect,
            applied: record.applied.as_ref().map(applied),
        }
    }
}

impl From<&Owned> for Record {
    fn from(owned: &Owned) -> Self {
        let applied = |object: &Applied| match object {
            Applied::System(hostname) => Object::System(hostname.clone()),
            Applied::Port(port) => Object::Port(port.into()),
            Applied::Profile(profile) => Object::Profile(profile.into()),
            Applied::Endpoint(endpoint) => Object::Endpoint(endpoint.into()),
            Applied::Subscriber(subscriber) => Object::Subscriber(Box::new((&**subscriber).into())),
        };
        Self {
            key: owned.key.clone(),
            object: owned.object,
            name: owned.name.clone(),
            binding: owned.binding,
            protect: owned.protect,
            applied: owned.applied.as_ref().map(applied),
        }
    }
}
