//! The device as it would be after the changes so far, with an index of who holds what.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{MacAddr, PortNumber};
use crate::observed::{Change, Conflict, DeviceConfig, Kind, ObjectId};

use super::object::{self, Object};

/// A configuration and, for everything that must be unique or referred to, its holders. Without the index,
/// ordering a full device would take time cubed.
pub(super) struct State {
    config: DeviceConfig,
    names: BTreeMap<(Kind, String), BTreeSet<ObjectId>>,
    macs: BTreeMap<MacAddr, BTreeSet<ObjectId>>,
    rooms: BTreeMap<PortNumber, BTreeSet<ObjectId>>,
    services: BTreeMap<PortNumber, BTreeSet<ObjectId>>,
    referrers: BTreeMap<ObjectId, BTreeSet<ObjectId>>,
}

impl State {
    pub(super) fn new(config: &DeviceConfig) -> Self {
        let mut state = Self {
            config: config.clone(),
            names: BTreeMap::new(),
            macs: BTreeMap::new(),
            rooms: BTreeMap::new(),
            services: BTreeMap::new(),
            referrers: BTreeMap::new(),
        };
        for id in object::ids(config) {
            state.index(id, true);
        }
        state
    }

    pub(super) fn hostname(&self) -> &str {
        &self.config.hostname
    }

    pub(super) fn get(&self, id: ObjectId) -> Option<Object<'_>> {
        Object::get(&self.config, id)
    }

    /// Does a change, and keeps the index true.
    pub(super) fn apply(&mut self, change: &Change) -> Result<(), Conflict> {
        self.index(change.object(), false);
        let done = change.apply(&mut self.config);
        self.index(change.object(), true);
        done
    }

    /// Who of that kind has the name; nobody has the empty one.
    pub(super) fn named(&self, kind: Kind, name: &str) -> BTreeSet<ObjectId> {
        self.names.get(&(kind, name.to_owned())).cloned().unwrap_or_default()
    }

    /// Which endpoints have the address.
    pub(super) fn with_mac(&self, mac: MacAddr) -> BTreeSet<ObjectId> {
        self.macs.get(&mac).cloned().unwrap_or_default()
    }

    /// Which endpoints are on the port.
    pub(super) fn on_port(&self, port: PortNumber) -> BTreeSet<ObjectId> {
        self.rooms.get(&port).cloned().unwrap_or_default()
    }

    /// Which subscribers are tied to the port.
    pub(super) fn served_on(&self, port: PortNumber) -> BTreeSet<ObjectId> {
        self.services.get(&port).cloned().unwrap_or_default()
    }

    /// Which subscribers are on the endpoint, or use the profile.
    pub(super) fn referring_to(&self, id: ObjectId) -> BTreeSet<ObjectId> {
        self.referrers.get(&id).cloned().unwrap_or_default()
    }

    fn index(&mut self, id: ObjectId, holds: bool) {
        fn mark<K: Ord>(map: &mut BTreeMap<K, BTreeSet<ObjectId>>, key: K, id: ObjectId, holds: bool) {
            let holders = map.entry(key).or_default();
            if holds {
                holders.insert(id);
            } else {
                holders.remove(&id);
            }
        }
        let Some(object) = Object::get(&self.config, id) else {
            return;
        };
        if !object.name().is_empty() {
            mark(&mut self.names, (id.kind(), object.name().to_owned()), id, holds);
        }
        if let Some(mac) = object.mac() {
            mark(&mut self.macs, mac, id, holds);
        }
        if let Some(port) = object.port() {
            mark(&mut self.rooms, port, id, holds);
        }
        if let Some(port) = object.service_port() {
            mark(&mut self.services, port, id, holds);
        }
        for referred in [object.endpoint(), object.profile()].into_iter().flatten() {
            mark(&mut self.referrers, referred, id, holds);
        }
    }
}
