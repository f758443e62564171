//! One thing to do to one device, as data.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::{EndpointId, PortNumber, ProfileId, SubscriberId};

use super::{DeviceConfig, Endpoint, Port, Profile, Subscriber};

/// A value before and after.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FromTo<T> {
    /// What the device holds.
    pub from: T,
    /// What it is to hold.
    pub to: T,
}

/// The kinds of object that a device holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The device itself: its host name.
    System,
    /// A G.hn port.
    Port,
    /// A bandwidth profile.
    Profile,
    /// An endpoint.
    Endpoint,
    /// A subscriber.
    Subscriber,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::System,
        Self::Port,
        Self::Profile,
        Self::Endpoint,
        Self::Subscriber,
    ];
}

impl Kind {
    /// Its word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Port => "port",
            Self::Profile => "profile",
            Self::Endpoint => "endpoint",
            Self::Subscriber => "subscriber",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// One object of a device by its own number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ObjectId {
    /// The device itself.
    System,
    /// A G.hn port.
    Port(PortNumber),
    /// A bandwidth profile.
    Profile(ProfileId),
    /// An endpoint.
    Endpoint(EndpointId),
    /// A subscriber.
    Subscriber(SubscriberId),
}

impl ObjectId {
    /// What kind of object it is.
    #[must_use]
    pub const fn kind(self) -> Kind {
        match self {
            Self::System => Kind::System,
            Self::Port(_) => Kind::Port,
            Self::Profile(_) => Kind::Profile,
            Self::Endpoint(_) => Kind::Endpoint,
            Self::Subscriber(_) => Kind::Subscriber,
        }
    }

    /// The number, or 0 for the device itself.
    #[must_use]
    pub const fn number(self) -> u16 {
        match self {
            Self::System => 0,
            Self::Port(id) => id.get(),
            Self::Profile(id) => id.get(),
            Self::Endpoint(id) => id.get(),
            Self::Subscriber(id) => id.get(),
        }
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System => f.write_str("system"),
            other => write!(f, "{} {}", other.kind(), other.number()),
        }
    }
}

/// One thing to do to one device. Plain data, so that it can be printed, stored, compared and inverted.
///
/// Changes carry the whole object before and after: the commands send only what differs, the inverse
/// needs the rest.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Gives the device another host name. It is in every option 82 circuit id.
    SetHostname(FromTo<String>),
    /// Changes a port in place; ports cannot be made or deleted.
    SetPort(PortNumber, FromTo<Port>),
    /// Makes a profile.
    CreateProfile(ProfileId, Profile),
    /// Changes a profile in place.
    SetProfile(ProfileId, FromTo<Profile>),
    /// Deletes a profile that nothing refers to.
    DeleteProfile(ProfileId, Profile),
    /// Makes an endpoint.
    CreateEndpoint(EndpointId, Endpoint),
    /// Changes an endpoint in place.
    SetEndpoint(EndpointId, FromTo<Endpoint>),
    /// Deletes an endpoint that nothing refers to.
    DeleteEndpoint(EndpointId, Endpoint),
    /// Makes a subscriber.
    CreateSubscriber(SubscriberId, Subscriber),
    /// Changes a subscriber in place.
    SetSubscriber(SubscriberId, FromTo<Subscriber>),
    /// Deletes a subscriber.
    DeleteSubscriber(SubscriberId, Subscriber),
}

/// A change does not fit the configuration that it is applied to: what it expects to find is not there.
/// Our bug if it comes out of a plan that was checked against a fresh reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not as the change expects to find it")]
pub struct Conflict(pub ObjectId);

impl Change {
    /// The object that it is about.
    #[must_use]
    pub const fn object(&self) -> ObjectId {
        match self {
            Self::SetHostname(_) => ObjectId::System,
            Self::SetPort(id, _) => ObjectId::Port(*id),
            Self::CreateProfile(id, _) | Self::SetProfile(id, _) | Self::DeleteProfile(id, _) => ObjectId::Profile(*id),
            Self::CreateEndpoint(id, _) | Self::SetEndpoint(id, _) | Self::DeleteEndpoint(id, _) => {
                ObjectId::Endpoint(*id)
            }
            Self::CreateSubscriber(id, _) | Self::SetSubscriber(id, _) | Self::DeleteSubscriber(id, _) => {
                ObjectId::Subscriber(*id)
            }
        }
    }

    /// The change that undoes this one.
    #[must_use]
    pub fn inverse(&self) -> Self {
        fn swap<T: Clone>(change: &FromTo<T>) -> FromTo<T> {
            FromTo {
                from: change.to.clone(),
                to: change.from.clone(),
            }
        }
        match self {
            Self::SetHostname(change) => Self::SetHostname(swap(change)),
            Self::SetPort(id, change) => Self::SetPort(*id, swap(change)),
            Self::CreateProfile(id, profile) => Self::DeleteProfile(*id, profile.clone()),
            Self::SetProfile(id, change) => Self::SetProfile(*id, swap(change)),
            Self::DeleteProfile(id, profile) => Self::CreateProfile(*id, profile.clone()),
            Self::CreateEndpoint(id, endpoint) => Self::DeleteEndpoint(*id, endpoint.clone()),
            Self::SetEndpoint(id, change) => Self::SetEndpoint(*id, swap(change)),
            Self::DeleteEndpoint(id, endpoint) => Self::CreateEndpoint(*id, endpoint.clone()),
            Self::CreateSubscriber(id, subscriber) => Self::DeleteSubscriber(*id, subscriber.clone()),
            Self::SetSubscriber(id, change) => Self::SetSubscriber(*id, swap(change)),
            Self::DeleteSubscriber(id, subscriber) => Self::CreateSubscriber(*id, subscriber.clone()),
        }
    }

    /// Does the change to a configuration, as a device that takes every word would.
    ///
    /// # Errors
    ///
    /// [`Conflict`] when the configuration does not hold what the change expects to find; the
    /// configuration is then unchanged.
    pub fn apply(&self, config: &mut DeviceConfig) -> Result<(), Conflict> {
        let conflict = Conflict(self.object());
        macro_rules! create {
            ($map:ident, $id:expr, $object:expr) => {
                match config.$map.entry(*$id) {
                    std::collections::btree_map::Entry::Occupied(_) => Err(conflict),
                    std::collections::btree_map::Entry::Vacant(slot) => {
                        slot.insert($object.clone());
                        Ok(())
                    }
                }
            };
        }
        macro_rules! set {
            ($map:ident, $id:expr, $change:expr) => {
                match config.$map.get_mut($id) {
                    Some(object) if *object == $change.from => {
                        *object = $change.to.clone();
                        Ok(())
                    }
                    _ => Err(conflict),
                }
            };
        }
        macro_rules! delete {
            ($map:ident, $id:expr, $object:expr) => {
                if config.$map.get($id) == Some($object) {
                    config.$map.remove($id);
                    Ok(())
                } else {
                    Err(conflict)
                }
            };
        }
        match self {
            Self::SetHostname(change) => {
                if config.hostname != change.from {
                    return Err(conflict);
                }
                config.hostname.clone_from(&change.to);
                Ok(())
            }
            Self::SetPort(id, change) => {
                if config.port(*id) != change.from {
                    return Err(conflict);
                }
                config.set_port(*id, change.to.clone());
                Ok(())
            }
            Self::CreateProfile(id, profile) => create!(profiles, id, profile),
            Self::SetProfile(id, change) => set!(profiles, id, change),
            Self::DeleteProfile(id, profile) => delete!(profiles, id, profile),
            Self::CreateEndpoint(id, endpoint) => create!(endpoints, id, endpoint),
            Self::SetEndpoint(id, change) => set!(endpoints, id, change),
            Self::DeleteEndpoint(id, endpoint) => delete!(endpoints, id, endpoint),
            Self::CreateSubscriber(id, subscriber) => create!(subscribers, id, subscriber),
            Self::SetSubscriber(id, change) => set!(subscribers, id, change),
            Self::DeleteSubscriber(id, subscriber) => delete!(subscribers, id, subscriber),
        }
    }
}
