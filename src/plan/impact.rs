//! What a change does to service while it happens.
//!
//! One table, by kind of object and field. Nearly all of it is assumed: nobody has measured which changes
//! interrupt a GAM's lines, and for how long.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::domain::{PoeMode, PortBinding, SubscriberId};
use crate::observed::{DeviceConfig, Evidence, Object, ObjectId, ProfileRef, Subscriber};

/// How much a change is felt, mildest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// Nobody notices.
    None,
    /// Service drops for seconds.
    Blip,
    /// The line trains again: up to a minute.
    Retrain,
    /// Service ends, or stays away until something else is done.
    Outage,
    /// The subscriber looks like another one to DHCP, RADIUS or PPPoE servers.
    Identity,
}

impl Class {
    /// The word that plans use.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Blip => "blip",
            Self::Retrain => "retrain",
            Self::Outage => "outage",
            Self::Identity => "identity",
        }
    }
}

/// A change's effect on service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Impact {
    /// The worst that it does.
    pub class: Class,
    /// What stands behind that statement.
    pub evidence: Evidence,
    /// The subscribers that have service now and are concerned, by number. Empty where the class is none.
    pub subscribers: BTreeSet<SubscriberId>,
}

/// The effect of taking an object from one state to another.
///
/// `config` is what the device holds before: only who has service now can lose it.
#[must_use]
pub fn impact(id: ObjectId, before: Option<&Object>, after: Option<&Object>, config: &DeviceConfig) -> Impact {
    let (class, evidence) = match (before, after) {
        (Some(Object::System(from)), Some(Object::System(to))) if from != to => (Class::Identity, Evidence::Documented),
        (Some(Object::Port(from)), Some(Object::Port(to))) if from.mode != to.mode => {
            (Class::Retrain, Evidence::Assumed)
        }
        (Some(Object::Endpoint(from)), Some(Object::Endpoint(to))) => {
            if from.mac != to.mac || to.port == PortBinding::Unassigned && from.port != to.port {
                (Class::Outage, Evidence::Documented)
            } else if from.port != to.port {
                (Class::Identity, Evidence::Documented)
            } else {
                (Class::None, Evidence::Assumed)
            }
        }
        (Some(Object::Endpoint(_)), None) => (Class::Outage, Evidence::Documented),
        (Some(Object::Subscriber(from)), Some(Object::Subscriber(to))) => {
            if from.name != to.name || from.vlan != to.vlan || moved(from, to) {
                (Class::Identity, Evidence::Documented)
            } else if is_served(from) && !is_served(to) {
                (Class::Outage, Evidence::Documented)
            } else if to.poe != from.poe && to.poe == Some(PoeMode::Disable) {
                (Class::Outage, Evidence::Assumed)
            } else if passage(from) != passage(to) {
                (Class::Blip, Evidence::Assumed)
            } else {
                (Class::None, Evidence::Assumed)
            }
        }
        (Some(Object::Subscriber(_)), None) => (Class::Outage, Evidence::Documented),
        _ => (Class::None, Evidence::Assumed),
    };
    let subscribers = if class == Class::None {
        BTreeSet::new()
    } else {
        concerned(id, config)
    };
    // What nobody uses cannot be missed.
    let class = if subscribers.is_empty() { Class::None } else { class };
    Impact {
        class,
        evidence,
        subscribers,
    }
}

/// Whether service goes on over another endpoint or, on a port-aware device, another port.
fn moved(from: &Subscriber, to: &Subscriber) -> bool {
    is_served(from) && is_served(to) && (from.endpoint, from.port) != (to.endpoint, to.port)
}

fn is_served(subscriber: &Subscriber) -> bool {
    subscriber.endpoint.is_some() || subscriber.port.is_some()
}

/// How frames pass, the service VLAN apart.
fn passage(subscriber: &Subscriber) -> impl PartialEq + '_ {
    (
        (subscriber.tagged, subscriber.remapped_vlan, &subscriber.allowed_vlans),
        (subscriber.port2_vlan, subscriber.trunk, subscriber.double_tag),
    )
}

/// The subscribers with an endpoint, and so with service, that an object carries.
fn concerned(id: ObjectId, config: &DeviceConfig) -> BTreeSet<SubscriberId> {
    let served = config
        .subscribers
        .iter()
        .filter(|(_, subscriber)| is_served(subscriber));
    served
        .filter(|(number, subscriber)| match id {
            ObjectId::System => true,
            ObjectId::Port(port) => {
                let endpoint = subscriber.endpoint.and_then(|endpoint| config.endpoints.get(&endpoint));
                subscriber.port == Some(port) || endpoint.is_some_and(|e| e.port == PortBinding::Port(port))
            }
            ObjectId::Profile(profile) => subscriber.profile == Some(ProfileRef::Profile(profile)),
            ObjectId::Endpoint(id) => subscriber.endpoint == Some(id),
            ObjectId::Subscriber(id) => **number == id,
        })
        .map(|(number, _)| *number)
        .collect()
}
