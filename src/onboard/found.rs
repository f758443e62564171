//! What an import starts from: devices as they were read, and the inventory that is there already.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::diagnostic::SourceFile;
use crate::domain::Model;
use crate::inventory::ROOT_FILE;
use crate::inventory::model::{Inventory, Transport};
use crate::observed::{Capabilities, Identity, ObjectId, RunningConfig};

/// One device as it was read.
#[derive(Debug, Clone)]
pub struct Found {
    /// The inventory key that the operator asked for. `None`: made from the host name, else from `called`.
    pub key: Option<String>,
    /// What to call it where it has no host name: its address, or the name of the file that it was read from.
    pub called: String,
    /// IP address or DNS name under which it is reached.
    pub address: String,
    /// How it is reached.
    pub transport: Transport,
    /// Name of the credentials.
    pub credentials: String,
    /// Product.
    pub model: &'static Model,
    /// Base MAC and firmware. `None`: read from a file that does not say.
    pub identity: Option<Identity>,
    /// What it holds.
    pub running: Arc<RunningConfig>,
    /// What its firmware can do.
    pub capabilities: Capabilities,
    /// Objects with settings that could not be read, as printed. They are not taken in.
    pub unreadable: BTreeMap<ObjectId, Vec<String>>,
    /// What a person has to look at, one sentence each; written above the device.
    pub doubts: Vec<String>,
}

/// The inventory that new files are added to.
#[derive(Debug, Clone, Copy)]
pub struct Existing<'a> {
    /// All of its texts, valid together.
    pub files: &'a [SourceFile],
    /// What they say.
    pub inventory: &'a Inventory,
}

impl Existing<'_> {
    /// The root file: the one whose path is the shortest of that name.
    pub(super) fn root(&self) -> Option<&SourceFile> {
        let roots = self.files.iter().filter(|file| file.path.ends_with(ROOT_FILE));
        roots.min_by_key(|file| file.path.len())
    }

    /// What stands before each path: the folder as messages show it, with its slash.
    pub(super) fn folder(&self) -> &str {
        let path = self.root().map_or("", |root| &root.path);
        path.strip_suffix(ROOT_FILE).unwrap_or_default()
    }
}
