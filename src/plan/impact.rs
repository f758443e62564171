//! What a change does to service while it happens.
//!
//! One table, by what happens to an object. Nearly all of it is assumed: nobody has measured which changes
//! interrupt a GAM's lines, and for how long. What the devices take over the commands is measured ([`duration`]).

pub mod duration;
mod total;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::domain::{EndpointId, PoeMode, PortBinding, PortNumber, SubscriberId};
use crate::observed::{Change, DeviceConfig, Evidence, Object, ObjectId, ProfileRef, Subscriber};

pub use total::{Total, total};

/// How much a change is felt, mildest first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// Nobody notices.
    #[default]
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

/// How long service is away because of a change, once the commands are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Away {
    /// It is not.
    Not,
    /// As long as the device takes over the commands.
    WhileCommands,
    /// As long as the commands, and this many seconds more: the line trains, a router asks for its address again.
    SecondsMore(u32),
    /// Until something else is done.
    ForGood,
}

/// What a change does, as far as service feels it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Effect {
    Nothing,
    Hostname,
    PortMode,
    EndpointReplaced,
    EndpointTakenOff,
    EndpointOnOtherPort,
    EndpointDeleted,
    SubscriberRenamed,
    SubscriberInOtherVlan,
    SubscriberOnOtherLine,
    SubscriberTakenOff,
    SubscriberDeleted,
    PowerOff,
    Passage,
    EndpointRestarted,
}

/// The table. Evidence is of the class; every number of seconds is assumed (from "seconds to a minute", said nowhere
/// more precisely), and what the device takes over its commands is added as far as it was measured.
const fn felt(effect: Effect) -> (Class, Evidence, Away) {
    use Evidence::{Assumed, Documented};
    match effect {
        Effect::Nothing => (Class::None, Assumed, Away::Not),
        // It changes what servers see, the next time that a router asks; service itself goes on.
        Effect::Hostname => (Class::Identity, Documented, Away::Not),
        Effect::SubscriberRenamed => (Class::Identity, Documented, Away::Not),
        Effect::SubscriberInOtherVlan => (Class::Identity, Documented, Away::SecondsMore(20)),
        Effect::SubscriberOnOtherLine => (Class::Identity, Documented, Away::SecondsMore(60)),
        Effect::EndpointOnOtherPort => (Class::Identity, Documented, Away::SecondsMore(60)),
        Effect::PortMode => (Class::Retrain, Assumed, Away::SecondsMore(60)),
        Effect::EndpointReplaced => (Class::Outage, Documented, Away::ForGood),
        Effect::EndpointTakenOff => (Class::Outage, Documented, Away::ForGood),
        Effect::EndpointDeleted => (Class::Outage, Documented, Away::ForGood),
        Effect::SubscriberTakenOff => (Class::Outage, Documented, Away::ForGood),
        Effect::SubscriberDeleted => (Class::Outage, Documented, Away::ForGood),
        Effect::PowerOff => (Class::Outage, Assumed, Away::ForGood),
        Effect::Passage => (Class::Blip, Assumed, Away::WhileCommands),
        // The vendor's guides give no time; a minute is what an upgrade's restarts are said to take.
        Effect::EndpointRestarted => (Class::Retrain, Assumed, Away::SecondsMore(60)),
    }
}

/// A change's effect on service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Impact {
    /// The worst that it does.
    pub class: Class,
    /// What stands behind that statement.
    pub evidence: Evidence,
    /// How long service is away.
    pub away: Away,
    /// The subscribers that have service now and are concerned, by number. Empty where the class is none.
    pub subscribers: BTreeSet<SubscriberId>,
}

/// The effect of taking an object from one state to another.
///
/// `config` is what the device holds before: only who has service now can lose it.
#[must_use]
pub fn impact(id: ObjectId, before: Option<&Object>, after: Option<&Object>, config: &DeviceConfig) -> Impact {
    let (class, evidence, away) = felt(effect(before, after));
    let subscribers = if class == Class::None {
        BTreeSet::new()
    } else {
        concerned(id, config)
    };
    // What nobody uses cannot be missed.
    let (class, away) = if subscribers.is_empty() {
        (Class::None, Away::Not)
    } else {
        (class, away)
    };
    Impact {
        class,
        evidence,
        away,
        subscribers,
    }
}

/// The effect of restarting an endpoint: on the subscribers that it serves, or whose port it is on.
#[must_use]
pub fn restart(endpoint: Option<EndpointId>, port: PortNumber, config: &DeviceConfig) -> Impact {
    let (class, evidence, away) = felt(Effect::EndpointRestarted);
    let on_port = |number: &SubscriberId| {
        let subscriber = config.subscribers.get(number);
        subscriber.is_some_and(|subscriber| subscriber.port == Some(port))
    };
    let by_endpoint = endpoint.map(|id| concerned(ObjectId::Endpoint(id), config));
    let by_port = concerned(ObjectId::Port(port), config).into_iter().filter(on_port);
    let subscribers: BTreeSet<SubscriberId> = by_endpoint.into_iter().flatten().chain(by_port).collect();
    if subscribers.is_empty() {
        return Impact::none();
    }
    Impact {
        class,
        evidence,
        away,
        subscribers,
    }
}

impl Impact {
    /// That of something which nobody notices.
    #[must_use]
    pub fn none() -> Self {
        let (class, evidence, away) = felt(Effect::Nothing);
        Self {
            class,
            evidence,
            away,
            subscribers: BTreeSet::new(),
        }
    }

    /// The same where the object is led to its new state by these changes: what is taken away on the way and put back is
    /// felt, though nothing of it is left in the end.
    #[must_use]
    pub fn by_way_of<'c>(
        self,
        id: ObjectId,
        changes: impl IntoIterator<Item = &'c Change>,
        config: &DeviceConfig,
    ) -> Self {
        let goes_away = |change: &Change| {
            let (before, after) = change.sides();
            let (_, _, away) = felt(effect(before.as_ref(), after.as_ref()));
            away == Away::ForGood
        };
        if self.away != Away::Not || !changes.into_iter().any(goes_away) {
            return self;
        }
        let (class, evidence, away) = felt(Effect::Passage);
        let subscribers = concerned(id, config);
        if subscribers.is_empty() || self.class >= class {
            return Self {
                away: if self.subscribers.is_empty() { Away::Not } else { away },
                ..self
            };
        }
        Self {
            class,
            evidence,
            away,
            subscribers,
        }
    }
}

fn effect(before: Option<&Object>, after: Option<&Object>) -> Effect {
    match (before, after) {
        (Some(Object::System(from)), Some(Object::System(to))) if from != to => Effect::Hostname,
        (Some(Object::Port(from)), Some(Object::Port(to))) if from.mode != to.mode => Effect::PortMode,
        (Some(Object::Endpoint(from)), Some(Object::Endpoint(to))) => {
            if from.mac != to.mac {
                Effect::EndpointReplaced
            } else if from.port == to.port {
                Effect::Nothing
            } else if to.port == PortBinding::Unassigned {
                Effect::EndpointTakenOff
            } else {
                Effect::EndpointOnOtherPort
            }
        }
        (Some(Object::Endpoint(_)), None) => Effect::EndpointDeleted,
        (Some(Object::Subscriber(from)), Some(Object::Subscriber(to))) => {
            // Who is not served is nobody to a server. Else the worst first; of those, what lasts longest.
            if is_served(from) && !is_served(to) {
                Effect::SubscriberTakenOff
            } else if moved(from, to) {
                Effect::SubscriberOnOtherLine
            } else if from.vlan != to.vlan {
                Effect::SubscriberInOtherVlan
            } else if from.name != to.name {
                Effect::SubscriberRenamed
            } else if to.poe != from.poe && to.poe == Some(PoeMode::Disable) {
                Effect::PowerOff
            } else if passage(from) != passage(to) {
                Effect::Passage
            } else {
                Effect::Nothing
            }
        }
        (Some(Object::Subscriber(_)), None) => Effect::SubscriberDeleted,
        _ => Effect::Nothing,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::VlanId;
    use crate::observed::{Endpoint, Port};

    fn endpoint(port: u64) -> Endpoint {
        Endpoint {
            port: PortBinding::Port(PortNumber::try_from(port).unwrap()),
            ..Endpoint::default()
        }
    }

    fn subscriber(endpoint: u64, vlan: u16) -> Subscriber {
        Subscriber {
            endpoint: Some(EndpointId::try_from(endpoint).unwrap()),
            vlan: VlanId::try_from(vlan).unwrap(),
            ..Subscriber::default()
        }
    }

    /// Subscriber 1 on endpoint 1 on port 1; endpoint 2 serves nobody.
    fn config() -> DeviceConfig {
        DeviceConfig {
            endpoints: [1, 2].map(|id| (EndpointId::try_from(id).unwrap(), endpoint(1))).into(),
            subscribers: [(SubscriberId::try_from(1).unwrap(), subscriber(1, 101))].into(),
            ..DeviceConfig::default()
        }
    }

    fn felt_by(id: ObjectId, after: Option<Object>) -> (Class, Away) {
        let config = config();
        let impact = impact(id, config.object(id).as_ref(), after.as_ref(), &config);
        assert_eq!(impact.subscribers.is_empty(), impact.class == Class::None);
        (impact.class, impact.away)
    }

    #[test]
    fn every_change_has_a_class_and_a_time() {
        let one = ObjectId::Subscriber(1.try_into().unwrap());
        let becomes = |subscriber: Subscriber| felt_by(one, Some(Object::Subscriber(Box::new(subscriber))));
        let as_is = || subscriber(1, 101);
        let cases = [
            (as_is(), (Class::None, Away::Not)),
            (subscriber(1, 102), (Class::Identity, Away::SecondsMore(20))),
            (subscriber(2, 102), (Class::Identity, Away::SecondsMore(60))),
            (
                Subscriber {
                    name: "b".to_owned(),
                    ..as_is()
                },
                (Class::Identity, Away::Not),
            ),
            (
                Subscriber {
                    endpoint: None,
                    ..subscriber(1, 102)
                },
                (Class::Outage, Away::ForGood),
            ),
            (
                Subscriber {
                    poe: Some(PoeMode::Disable),
                    ..as_is()
                },
                (Class::Outage, Away::ForGood),
            ),
            (
                Subscriber {
                    tagged: true,
                    ..as_is()
                },
                (Class::Blip, Away::WhileCommands),
            ),
            (
                Subscriber {
                    description: "x".to_owned(),
                    ..as_is()
                },
                (Class::None, Away::Not),
            ),
        ];
        for (after, felt) in cases {
            assert_eq!(becomes(after.clone()), felt, "{after:?}");
        }
        assert_eq!(felt_by(one, None), (Class::Outage, Away::ForGood));
    }

    #[test]
    fn what_nobody_uses_is_not_missed() {
        let endpoint_2 = ObjectId::Endpoint(2.try_into().unwrap());
        assert_eq!(felt_by(endpoint_2, None), (Class::None, Away::Not));
        let endpoint_1 = ObjectId::Endpoint(1.try_into().unwrap());
        assert_eq!(
            felt_by(endpoint_1, Some(Object::Endpoint(endpoint(2)))),
            (Class::Identity, Away::SecondsMore(60))
        );
        let mode = |port: u64| {
            let siso = Port {
                mode: crate::domain::PortMode::Siso,
                ..Port::default()
            };
            felt_by(ObjectId::Port(port.try_into().unwrap()), Some(Object::Port(siso)))
        };
        assert_eq!(mode(1), (Class::Retrain, Away::SecondsMore(60)));
        assert_eq!(mode(2), (Class::None, Away::Not));
    }

    /// The table, as the documentation has it.
    #[test]
    fn the_documentation_has_the_table() {
        let words = [
            (
                Effect::Nothing,
                "descriptions, port names, rates, another plan, whatever is new, whatever nobody uses",
            ),
            (
                Effect::Passage,
                "tags, remapped, allowed and second-port VLANs, trunk, double tag; taken away and put back to make room",
            ),
            (Effect::PortMode, "a copper port between `mimo` and `siso`"),
            (Effect::EndpointReplaced, "another endpoint (MAC address) in the home"),
            (Effect::EndpointTakenOff, "an endpoint taken off its port"),
            (Effect::EndpointDeleted, "an endpoint deleted"),
            (
                Effect::SubscriberTakenOff,
                "a subscriber taken off the endpoint or port",
            ),
            (Effect::SubscriberDeleted, "a subscriber deleted"),
            (Effect::PowerOff, "power for the endpoint's first port switched off"),
            (Effect::Hostname, "the host name of the device"),
            (Effect::SubscriberRenamed, "a subscriber's name"),
            (Effect::SubscriberInOtherVlan, "a subscriber's service VLAN"),
            (
                Effect::SubscriberOnOtherLine,
                "a subscriber on another endpoint or port",
            ),
            (Effect::EndpointOnOtherPort, "an endpoint on another port"),
        ];
        let mut table = String::new();
        for (effect, what) in words {
            let (class, evidence, away) = felt(effect);
            let away = match away {
                Away::Not => "not at all".to_owned(),
                Away::WhileCommands => "while the commands run".to_owned(),
                Away::SecondsMore(seconds) => format!("{seconds} s"),
                Away::ForGood => "for good".to_owned(),
            };
            table.push_str(&format!("| {what} | `{}` | {evidence} | {away} |\n", class.word()));
        }
        let page = include_str!("../../docs/rollout.md");
        assert!(page.contains(&table), "docs/rollout.md should have:\n{table}");
    }
}
