//! Any one object of a device, whatever its kind.

use serde::{Deserialize, Serialize};

use crate::domain::{PortMode, VlanId};

use super::{Change, DeviceConfig, Endpoint, ObjectId, Port, Profile, Subscriber};

/// One object with its settings.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Object {
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

impl DeviceConfig {
    /// The object of that number. `None` where the device holds none; the device itself and its ports are
    /// always there.
    #[must_use]
    pub fn object(&self, id: ObjectId) -> Option<Object> {
        match id {
            ObjectId::System => Some(Object::System(self.hostname.clone())),
            ObjectId::Port(port) => Some(Object::Port(self.port(port))),
            ObjectId::Profile(id) => self.profiles.get(&id).cloned().map(Object::Profile),
            ObjectId::Endpoint(id) => self.endpoints.get(&id).cloned().map(Object::Endpoint),
            ObjectId::Subscriber(id) => self.subscribers.get(&id).cloned().map(Box::new).map(Object::Subscriber),
        }
    }

    /// Makes the object of that number this one. One of another kind than the number changes nothing.
    pub fn put(&mut self, id: ObjectId, object: Object) {
        match (id, object) {
            (ObjectId::System, Object::System(hostname)) => self.hostname = hostname,
            (ObjectId::Port(id), Object::Port(port)) => self.set_port(id, port),
            (ObjectId::Profile(id), Object::Profile(profile)) => drop(self.profiles.insert(id, profile)),
            (ObjectId::Endpoint(id), Object::Endpoint(endpoint)) => drop(self.endpoints.insert(id, endpoint)),
            (ObjectId::Subscriber(id), Object::Subscriber(one)) => drop(self.subscribers.insert(id, *one)),
            _ => {}
        }
    }

    /// Whether the object of that number is exactly this one; `None` stands for no object.
    #[must_use]
    pub fn holds(&self, id: ObjectId, object: Option<&Object>) -> bool {
        match (id, object) {
            (ObjectId::System, Some(Object::System(hostname))) => self.hostname == *hostname,
            (ObjectId::Port(id), Some(Object::Port(port))) => match self.ports.get(&id) {
                Some(held) => held == port,
                None => *port == Port::default(),
            },
            (ObjectId::Profile(id), Some(Object::Profile(profile))) => self.profiles.get(&id) == Some(profile),
            (ObjectId::Endpoint(id), Some(Object::Endpoint(endpoint))) => self.endpoints.get(&id) == Some(endpoint),
            (ObjectId::Subscriber(id), Some(Object::Subscriber(subscriber))) => {
                self.subscribers.get(&id) == Some(&**subscriber)
            }
            (ObjectId::Profile(id), None) => !self.profiles.contains_key(&id),
            (ObjectId::Endpoint(id), None) => !self.endpoints.contains_key(&id),
            (ObjectId::Subscriber(id), None) => !self.subscribers.contains_key(&id),
            _ => false,
        }
    }

    /// Whether both hold the same under that number.
    #[must_use]
    pub fn is_same_at(&self, id: ObjectId, other: &Self) -> bool {
        match id {
            ObjectId::System => self.hostname == other.hostname,
            ObjectId::Port(id) => self.ports.get(&id) == other.ports.get(&id),
            ObjectId::Profile(id) => self.profiles.get(&id) == other.profiles.get(&id),
            ObjectId::Endpoint(id) => self.endpoints.get(&id) == other.endpoints.get(&id),
            ObjectId::Subscriber(id) => self.subscribers.get(&id) == other.subscribers.get(&id),
        }
    }

    /// The name of the object of that number; `None` where there is no object, or it has no name.
    #[must_use]
    pub fn name_of(&self, id: ObjectId) -> Option<&str> {
        match id {
            ObjectId::System => Some(self.hostname.as_str()),
            ObjectId::Port(id) => self.ports.get(&id).map(|port| port.name.as_str()),
            ObjectId::Profile(id) => self.profiles.get(&id).map(|profile| profile.name.as_str()),
            ObjectId::Endpoint(id) => self.endpoints.get(&id).map(|endpoint| endpoint.name.as_str()),
            ObjectId::Subscriber(id) => self.subscribers.get(&id).map(|subscriber| subscriber.name.as_str()),
        }
        .filter(|name| !name.is_empty())
    }

    /// Every object that the device holds, by kind and number: the device itself, ports with settings of
    /// their own, profiles, endpoints, subscribers.
    pub fn object_ids(&self) -> impl Iterator<Item = ObjectId> + '_ {
        std::iter::once(ObjectId::System)
            .chain(self.ports.keys().copied().map(ObjectId::Port))
            .chain(self.profiles.keys().copied().map(ObjectId::Profile))
            .chain(self.endpoints.keys().copied().map(ObjectId::Endpoint))
            .chain(self.subscribers.keys().copied().map(ObjectId::Subscriber))
    }
}

impl Object {
    /// The name that the device knows it by; empty for the device itself when it has none.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::System(hostname) => hostname,
            Self::Port(port) => &port.name,
            Self::Profile(profile) => &profile.name,
            Self::Endpoint(endpoint) => &endpoint.name,
            Self::Subscriber(subscriber) => &subscriber.name,
        }
    }

    /// The settings as words for people: field and value, in a fixed order, every field of the kind each
    /// time, so that two lists of one kind can be compared line by line. An absent value is empty.
    ///
    /// `config` is where the object stands: references are shown by the name that they lead to.
    #[must_use]
    pub fn fields(&self, config: &DeviceConfig) -> Vec<(&'static str, String)> {
        fn or_none(vlan: Option<VlanId>) -> String {
            vlan.map(|vlan| vlan.to_string()).unwrap_or_default()
        }
        match self {
            Self::System(hostname) => vec![("hostname", hostname.clone())],
            Self::Port(port) => vec![
                ("name", port.name.clone()),
                (
                    "mode",
                    match port.mode {
                        PortMode::ModelDefault => "model default".to_owned(),
                        PortMode::Siso => "siso".to_owned(),
                    },
                ),
                ("shutdown", yes_no(port.shutdown)),
                ("other words", port.unknown.join(" ")),
            ],
            Self::Profile(profile) => vec![
                ("name", profile.name.clone()),
                ("down", profile.down.map(|rate| rate.to_string()).unwrap_or_default()),
                ("up", profile.up.map(|rate| rate.to_string()).unwrap_or_default()),
                (
                    "service limit level",
                    profile
                        .service_limit_level
                        .map(|level| level.to_string())
                        .unwrap_or_default(),
                ),
                ("description", profile.description.clone()),
                ("other words", profile.unknown.join(" ")),
            ],
            Self::Endpoint(endpoint) => vec![
                ("name", endpoint.name.clone()),
                ("mac", endpoint.mac.map(|mac| mac.to_string()).unwrap_or_default()),
                ("port", endpoint.port.to_string()),
                ("description", endpoint.description.clone()),
                ("management access", yes_no(endpoint.management_access)),
                ("other words", endpoint.unknown.join(" ")),
            ],
            Self::Subscriber(subscriber) => vec![
                ("name", subscriber.name.clone()),
                ("vlan", subscriber.vlan.to_string()),
                ("tagged", yes_no(subscriber.tagged)),
                ("remapped vlan", or_none(subscriber.remapped_vlan)),
                ("endpoint", endpoint_words(subscriber, config)),
                ("port", subscriber.port.map(|port| port.to_string()).unwrap_or_default()),
                ("profile", profile_words(subscriber, config)),
                ("allowed vlans", subscriber.allowed_vlans.to_string()),
                ("port 2 vlan", or_none(subscriber.port2_vlan)),
                ("trunk", yes_no(subscriber.trunk)),
                ("outer vlan", or_none(subscriber.double_tag.map(|tag| tag.outer_vlan))),
                (
                    "uplink",
                    subscriber
                        .double_tag
                        .and_then(|tag| tag.uplink)
                        .map(|uplink| uplink.to_string())
                        .unwrap_or_default(),
                ),
                ("poe", subscriber.poe.map(|mode| mode.to_string()).unwrap_or_default()),
                ("description", subscriber.description.clone()),
                ("other words", subscriber.unknown.join(" ")),
            ],
        }
    }
}

fn yes_no(value: bool) -> String {
    if value { "yes" } else { "no" }.to_owned()
}

fn endpoint_words(subscriber: &Subscriber, config: &DeviceConfig) -> String {
    let Some(id) = subscriber.endpoint else {
        return String::new();
    };
    match config.endpoints.get(&id).and_then(|endpoint| endpoint.mac) {
        Some(mac) => format!("{id} ({mac})"),
        None => id.to_string(),
    }
}

fn profile_words(subscriber: &Subscriber, config: &DeviceConfig) -> String {
    match subscriber.profile {
        None => String::new(),
        Some(super::ProfileRef::Unthrottled) => "unthrottled".to_owned(),
        Some(super::ProfileRef::Profile(id)) => match config.profiles.get(&id) {
            Some(profile) => format!("{id} ({})", profile.name),
            None => id.to_string(),
        },
    }
}

impl Change {
    /// The object before and after; `None` before a creation and after a deletion.
    #[must_use]
    pub fn sides(&self) -> (Option<Object>, Option<Object>) {
        fn boxed(subscriber: &Subscriber) -> Object {
            Object::Subscriber(Box::new(subscriber.clone()))
        }
        match self {
            Self::SetHostname(c) => (Some(Object::System(c.from.clone())), Some(Object::System(c.to.clone()))),
            Self::SetPort(_, c) => (Some(Object::Port(c.from.clone())), Some(Object::Port(c.to.clone()))),
            Self::CreateProfile(_, to) => (None, Some(Object::Profile(to.clone()))),
            Self::SetProfile(_, c) => (
                Some(Object::Profile(c.from.clone())),
                Some(Object::Profile(c.to.clone())),
            ),
            Self::DeleteProfile(_, from) => (Some(Object::Profile(from.clone())), None),
            Self::CreateEndpoint(_, to) => (None, Some(Object::Endpoint(to.clone()))),
            Self::SetEndpoint(_, c) => (
                Some(Object::Endpoint(c.from.clone())),
                Some(Object::Endpoint(c.to.clone())),
            ),
            Self::DeleteEndpoint(_, from) => (Some(Object::Endpoint(from.clone())), None),
            Self::CreateSubscriber(_, to) => (None, Some(boxed(to))),
            Self::SetSubscriber(_, c) => (Some(boxed(&c.from)), Some(boxed(&c.to))),
            Self::DeleteSubscriber(_, from) => (Some(boxed(from)), None),
        }
    }
}
