//! What each object still needs to reach its goal, and what keeps it from making that step now.
//!
//! Only looks; making steps is the scheduler's.

use std::collections::BTreeSet;

use crate::domain::PortNumber;
use crate::observed::{Kind, ObjectId};

use super::super::object::Object;
use super::Scheduler;

/// What brings an object to its goal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Create,
    Update,
    /// Delete, and create with the same number: where an in-place change is not known to work.
    Anew,
    Delete,
}

/// Why a step cannot be made yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    /// The object that it refers to has yet to be made.
    Exists(ObjectId),
    /// That object has the name.
    Name(ObjectId),
    /// That endpoint has the MAC address.
    Mac(ObjectId),
    /// That endpoint is on the full port, and will leave it.
    Room(ObjectId),
    /// That subscriber is tied to the port.
    ServicePort(ObjectId),
    /// That subscriber is on the endpoint, or uses the profile.
    Reference { by: ObjectId, to: ObjectId },
}

impl Wait {
    /// The object whose own step would end the waiting.
    pub(super) fn holder(self) -> ObjectId {
        match self {
            Self::Exists(id)
            | Self::Name(id)
            | Self::Mac(id)
            | Self::Room(id)
            | Self::ServicePort(id)
            | Self::Reference { by: id, .. } => id,
        }
    }
}

impl<'a> Scheduler<'a> {
    pub(super) fn goal(&self, id: ObjectId) -> Option<Object<'a>> {
        Object::get(self.target, id)
    }

    pub(super) fn step(&self, id: ObjectId) -> Option<Step> {
        match (self.state.get(id), self.goal(id)) {
            (None, None) => None,
            (None, Some(_)) => Some(Step::Create),
            (Some(_), None) => Some(Step::Delete),
            (Some(now), Some(goal)) if now == goal => None,
            (Some(now), Some(goal)) => {
                let renamed = now.name() != goal.name() && !now.name().is_empty();
                let other_mac = now.mac() != goal.mac() && now.mac().is_some();
                if (renamed && !self.can_rename(id)) || (other_mac && !self.new_mac_in_place) {
                    Some(Step::Anew)
                } else {
                    Some(Step::Update)
                }
            }
        }
    }

    /// A port cannot be made anew, and its name is one of the few things that its command can set.
    pub(super) fn can_rename(&self, id: ObjectId) -> bool {
        self.rename_in_place || id.kind() == Kind::Port
    }

    /// All that the object's step waits for; empty when it can be made now.
    pub(super) fn waits(&self, id: ObjectId) -> Vec<Wait> {
        let Some(goal) = self.goal(id) else {
            let referring = self.state.referring_to(id);
            return referring.into_iter().map(|by| Wait::Reference { by, to: id }).collect();
        };
        // Only what changes needs room: a mistake that the device already holds stays out of the way.
        let now = self.state.get(id).filter(|_| self.step(id) != Some(Step::Anew));
        let now = now.as_ref();
        let mut waits = Vec::new();
        let others = |holders: BTreeSet<ObjectId>| holders.into_iter().filter(move |holder| *holder != id);
        // Addresses first: who has to be deleted for its address gives up everything else with it.
        if let Some(mac) = goal.mac()
            && now.is_none_or(|now| now.mac() != Some(mac))
        {
            waits.extend(others(self.state.with_mac(mac)).map(Wait::Mac));
        }
        if now.is_none_or(|now| now.name() != goal.name()) {
            waits.extend(others(self.state.named(id.kind(), goal.name())).map(Wait::Name));
        }
        if let Some(port) = goal.port()
            && now.is_none_or(|now| now.port() != Some(port))
        {
            waits.extend(self.waits_for_room(id, port));
        }
        if let Some(port) = goal.service_port()
            && now.is_none_or(|now| now.service_port() != Some(port))
        {
            waits.extend(others(self.state.served_on(port)).map(Wait::ServicePort));
        }
        for (referred, before) in [
            (goal.endpoint(), now.and_then(Object::endpoint)),
            (goal.profile(), now.and_then(Object::profile)),
        ] {
            let Some(to) = referred.filter(|_| referred != before) else {
                continue;
            };
            if self.state.get(to).is_none() {
                waits.push(Wait::Exists(to));
            }
            if to.kind() == Kind::Endpoint {
                waits.extend(others(self.state.referring_to(to)).map(|by| Wait::Reference { by, to }));
            }
        }
        waits
    }

    /// On a full port, any one that will leave is worth waiting for; those that are to be deleted first.
    fn waits_for_room(&self, id: ObjectId, port: PortNumber) -> Vec<Wait> {
        let mut there = self.state.on_port(port);
        there.remove(&id);
        if there.len() < self.room {
            return Vec::new();
        }
        let mut leaving: Vec<(bool, ObjectId)> = there
            .into_iter()
            .map(|other| (other, self.goal(other)))
            .filter(|(_, goal)| goal.as_ref().and_then(Object::port) != Some(port))
            .map(|(other, goal)| (goal.is_some(), other))
            .collect();
        leaving.sort_unstable();
        if leaving.is_empty() {
            // Cannot be with an acceptable goal; waiting for itself ends the search with an error.
            return vec![Wait::Room(id)];
        }
        leaving.into_iter().map(|(_, other)| Wait::Room(other)).collect()
    }
}
