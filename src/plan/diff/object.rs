//! Ports, profiles, endpoints and subscribers seen alike, so that ordering needs no four copies of itself.

use std::borrow::Cow;

use crate::domain::{MacAddr, PortBinding, PortNumber, ProfileId};
use crate::observed::{Change, DeviceConfig, Endpoint, FromTo, ObjectId, Port, Profile, ProfileRef, Subscriber};

/// An object of any kind, as a configuration holds it or changed from that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Object<'a> {
    Port(Cow<'a, Port>),
    Profile(Cow<'a, Profile>),
    Endpoint(Cow<'a, Endpoint>),
    Subscriber(Cow<'a, Subscriber>),
}

impl<'a> Object<'a> {
    /// The object of that number. A port is always there.
    pub(super) fn get(config: &'a DeviceConfig, id: ObjectId) -> Option<Self> {
        match id {
            ObjectId::System => None,
            ObjectId::Port(id) => Some(Self::Port(match config.ports.get(&id) {
                Some(port) => Cow::Borrowed(port),
                None => Cow::Owned(Port::default()),
            })),
            ObjectId::Profile(id) => config.profiles.get(&id).map(Cow::Borrowed).map(Self::Profile),
            ObjectId::Endpoint(id) => config.endpoints.get(&id).map(Cow::Borrowed).map(Self::Endpoint),
            ObjectId::Subscriber(id) => config.subscribers.get(&id).map(Cow::Borrowed).map(Self::Subscriber),
        }
    }

    /// The same, whatever becomes of the configuration.
    pub(super) fn into_owned(self) -> Object<'static> {
        match self {
            Self::Port(port) => Object::Port(Cow::Owned(port.into_owned())),
            Self::Profile(profile) => Object::Profile(Cow::Owned(profile.into_owned())),
            Self::Endpoint(endpoint) => Object::Endpoint(Cow::Owned(endpoint.into_owned())),
            Self::Subscriber(subscriber) => Object::Subscriber(Cow::Owned(subscriber.into_owned())),
        }
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Self::Port(port) => &port.name,
            Self::Profile(profile) => &profile.name,
            Self::Endpoint(endpoint) => &endpoint.name,
            Self::Subscriber(subscriber) => &subscriber.name,
        }
    }

    pub(super) fn named(mut self, name: String) -> Self {
        match &mut self {
            Self::Port(port) => port.to_mut().name = name,
            Self::Profile(profile) => profile.to_mut().name = name,
            Self::Endpoint(endpoint) => endpoint.to_mut().name = name,
            Self::Subscriber(subscriber) => subscriber.to_mut().name = name,
        }
        self
    }

    pub(super) fn unknown(&self) -> &[String] {
        match self {
            Self::Port(port) => &port.unknown,
            Self::Profile(profile) => &profile.unknown,
            Self::Endpoint(endpoint) => &endpoint.unknown,
            Self::Subscriber(subscriber) => &subscriber.unknown,
        }
    }

    pub(super) fn mac(&self) -> Option<MacAddr> {
        match self {
            Self::Endpoint(endpoint) => endpoint.mac,
            _ => None,
        }
    }

    /// The port whose room it takes. `auto` takes none until the device has replaced it by a number.
    pub(super) fn port(&self) -> Option<PortNumber> {
        match self {
            Self::Endpoint(endpoint) => match endpoint.port {
                PortBinding::Port(port) => Some(port),
                _ => None,
            },
            _ => None,
        }
    }

    /// The port that a subscriber occupies on a port-aware device.
    pub(super) fn service_port(&self) -> Option<PortNumber> {
        match self {
            Self::Subscriber(subscriber) => subscriber.port,
            _ => None,
        }
    }

    /// The same subscriber on no port.
    pub(super) fn off_its_port(mut self) -> Self {
        if let Self::Subscriber(subscriber) = &mut self {
            subscriber.to_mut().port = None;
        }
        self
    }

    /// The endpoint that it occupies.
    pub(super) fn endpoint(&self) -> Option<ObjectId> {
        match self {
            Self::Subscriber(subscriber) => subscriber.endpoint.map(ObjectId::Endpoint),
            _ => None,
        }
    }

    /// The profile that it uses. The device's own is always there and counts as no reference.
    pub(super) fn profile(&self) -> Option<ObjectId> {
        match self {
            Self::Subscriber(subscriber) => match subscriber.profile {
                Some(ProfileRef::Profile(id)) if id != ProfileId::DEVICE_DEFAULT => Some(ObjectId::Profile(id)),
                _ => None,
            },
            _ => None,
        }
    }

    /// The same without its reference to `other`: a subscriber taken off its endpoint, or for a moment not
    /// throttled, which is the one documented way to let go of a profile.
    pub(super) fn released_from(mut self, other: ObjectId) -> Self {
        if let Self::Subscriber(subscriber) = &mut self {
            if subscriber.endpoint.map(ObjectId::Endpoint) == Some(other) {
                subscriber.to_mut().endpoint = None;
            }
            if let Some(ProfileRef::Profile(id)) = subscriber.profile
                && ObjectId::Profile(id) == other
            {
                subscriber.to_mut().profile = Some(ProfileRef::Unthrottled);
            }
        }
        self
    }

    /// The same endpoint on no port.
    pub(super) fn unassigned(mut self) -> Self {
        if let Self::Endpoint(endpoint) = &mut self {
            endpoint.to_mut().port = PortBinding::Unassigned;
        }
        self
    }
}

/// The objects that a configuration holds, by kind and number.
pub(super) fn ids(config: &DeviceConfig) -> impl Iterator<Item = ObjectId> + '_ {
    let ports = config.ports.keys().copied().map(ObjectId::Port);
    let profiles = config.profiles.keys().copied().map(ObjectId::Profile);
    let endpoints = config.endpoints.keys().copied().map(ObjectId::Endpoint);
    let subscribers = config.subscribers.keys().copied().map(ObjectId::Subscriber);
    ports.chain(profiles).chain(endpoints).chain(subscribers)
}

/// The change that turns one state of an object into another; `None` where there is none to make.
pub(super) fn change(id: ObjectId, from: Option<Object<'_>>, to: Option<Object<'_>>) -> Option<Change> {
    macro_rules! kind {
        ($id:expr, $kind:ident, $create:ident, $set:ident, $delete:ident) => {
            match (from, to) {
                (None, Some(Object::$kind(to))) => Some(Change::$create($id, to.into_owned())),
                (Some(Object::$kind(from)), None) => Some(Change::$delete($id, from.into_owned())),
                (Some(Object::$kind(from)), Some(Object::$kind(to))) if from != to => {
                    Some(Change::$set($id, from_to(from, to)))
                }
                _ => None,
            }
        };
    }
    match id {
        ObjectId::System => None,
        ObjectId::Port(id) => match (from, to) {
            (Some(Object::Port(from)), Some(Object::Port(to))) if from != to => {
                Some(Change::SetPort(id, from_to(from, to)))
            }
            _ => None,
        },
        ObjectId::Profile(id) => kind!(id, Profile, CreateProfile, SetProfile, DeleteProfile),
        ObjectId::Endpoint(id) => kind!(id, Endpoint, CreateEndpoint, SetEndpoint, DeleteEndpoint),
        ObjectId::Subscriber(id) => kind!(id, Subscriber, CreateSubscriber, SetSubscriber, DeleteSubscriber),
    }
}

fn from_to<T: Clone>(from: Cow<'_, T>, to: Cow<'_, T>) -> FromTo<T> {
    FromTo {
        from: from.into_owned(),
        to: to.into_owned(),
    }
}
