//! What gamops remembers of an object that it made or took over: ownership.

use serde::{Deserialize, Serialize};

use crate::domain::MacAddr;
use crate::observed::{Kind, Object, ObjectId};

/// An object of a device that gamops owns.
///
/// Only what is owned may be destroyed. A record whose object is not where it says, under the name or
/// binding that it says, owns nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Inventory key.
    pub key: String,
    /// The object's number on the device.
    pub object: ObjectId,
    /// Its name on the device when it was last written.
    pub name: String,
    /// Endpoint: its MAC. Subscriber: the MAC of its endpoint. Others: none.
    pub binding: Option<MacAddr>,
    /// Whether the inventory protected it: still in force after it has left the inventory.
    pub protect: bool,
    /// What it was verified to be; `None` while the run that makes it is not finished. Tells drift from a
    /// change in the inventory.
    pub applied: Option<Object>,
}

impl Record {
    /// The kind of object.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.object.kind()
    }

    /// What the key leaves under this number when it goes on under another one: still ours, under a key that no
    /// inventory can have. What was protected is what the key means, and that is elsewhere now: here it would stand in
    /// the way of its own going, for good.
    pub(super) fn left_behind(&self) -> Self {
        Self {
            key: format!("#{}", self.object.number()),
            protect: false,
            ..self.clone()
        }
    }

    /// What records are put in order by.
    #[must_use]
    pub fn place(&self) -> (&'static str, &str) {
        (self.kind().word(), &self.key)
    }
}
