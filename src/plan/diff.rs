//! The ordered changes that take a device from one configuration to another.
//!
//! Owns three questions, one file each: what of the wish can be reached at all (`target`), what a
//! device accepts (`check`), and in which order (`schedule`). Knows nothing of the inventory and of CLI
//! words: both sides are configurations by device-side numbers, so the same function plans an apply, a
//! rollback (sides swapped) and a repair.

mod check;
mod object;
mod schedule;
mod state;
mod target;

#[cfg(test)]
pub(super) mod tests;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::{MacAddr, Medium, PortNumber};
use crate::observed::{Capabilities, Change, DeviceConfig, Kind, ObjectId};

/// How the names begin that objects bear for a moment while names are exchanged. What bears one on a device
/// was left so by a run that was cut off.
pub const TEMPORARY_NAME: &str = "gamops-tmp-";

/// Why a change is in the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// The wish differs there.
    Wanted,
    /// Only so that a later change becomes possible, or to undo such a change: a temporary name, an
    /// endpoint taken off its port for a moment, an object made again under the same number.
    MakeRoom,
}

/// One change at its place in the order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OrderedChange {
    /// What to do.
    pub change: Change,
    /// Why.
    pub purpose: Purpose,
}

/// A field that differs, but that the command line has no way (or no proven way) to take back.
///
/// Not drift: the object is treated as it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CannotClear {
    /// Whose field.
    pub object: ObjectId,
    /// Which field.
    pub field: Field,
}

impl fmt::Display for CannotClear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: its {} cannot be cleared on this device and stays",
            self.object, self.field
        )
    }
}

/// The fields that may have no way back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// A name, to none.
    Name,
    /// A description, to none.
    Description,
    /// A MAC address, to none.
    MacAddress,
    /// A rate, to "not said".
    Rate,
    /// A service limit level, to "not said".
    ServiceLimitLevel,
    /// A bandwidth profile, to "not said".
    Profile,
    /// A PoE mode, to "not said".
    Poe,
    /// Settings that this version does not know.
    Unknown,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => "name",
            Self::Description => "description",
            Self::MacAddress => "MAC address",
            Self::Rate => "rate",
            Self::ServiceLimitLevel => "service limit level",
            Self::Profile => "bandwidth profile",
            Self::Poe => "PoE",
            Self::Unknown => "settings that this version does not know",
        })
    }
}

/// All that leads from one configuration to the other.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// In the order in which they must be made.
    pub changes: Vec<OrderedChange>,
    /// What stays different, by object.
    pub cannot_clear: Vec<CannotClear>,
}

/// Something that a device refuses, or would let us break.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Violation {
    /// Two objects of a kind have one name (errors 16 to 19).
    Name {
        /// Of which kind.
        kind: Kind,
        /// The name.
        name: String,
        /// Who has it.
        holders: Vec<ObjectId>,
    },
    /// Two endpoints have one MAC address (error 32).
    Mac {
        /// The address.
        mac: MacAddr,
        /// Who has it.
        holders: Vec<ObjectId>,
    },
    /// Two subscribers are on one endpoint (error 13).
    Endpoint {
        /// The endpoint.
        endpoint: ObjectId,
        /// Who is on it.
        holders: Vec<ObjectId>,
    },
    /// Two subscribers are tied to one port of a port-aware device (error 14).
    ServicePort {
        /// The port.
        port: PortNumber,
        /// Who is tied to it.
        holders: Vec<ObjectId>,
    },
    /// More endpoints on a port than it takes (error 36).
    PortFull {
        /// The port.
        port: PortNumber,
        /// Who is on it.
        holders: Vec<ObjectId>,
    },
    /// A reference to something that is not there (errors 9 and 21). The device does not stop a deletion
    /// that leaves one behind.
    Missing {
        /// Who refers.
        from: ObjectId,
        /// To what.
        to: ObjectId,
    },
    /// A name, or an endpoint's MAC address, that is mandatory and missing (errors 15, 22, 30, 31).
    Empty {
        /// Whose.
        object: ObjectId,
        /// Which.
        field: Field,
    },
    /// A coax port asked to run a copper mode (error 37).
    Mode {
        /// The port.
        port: PortNumber,
    },
    /// A subscriber's VLAN is also that of its second port (error 28).
    SamePort2Vlan {
        /// The subscriber.
        subscriber: ObjectId,
    },
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |ids: &[ObjectId]| ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
        match self {
            Self::Name { name, holders, .. } => write!(f, "{} are both named `{name}`", list(holders)),
            Self::Mac { mac, holders } => write!(f, "{} both have MAC address {mac}", list(holders)),
            Self::Endpoint { endpoint, holders } => write!(f, "{} are both on {endpoint}", list(holders)),
            Self::ServicePort { port, holders } => write!(f, "{} are both on port {port}", list(holders)),
            Self::PortFull { port, holders } => write!(f, "port {port} has no room for all of {}", list(holders)),
            Self::Missing { from, to } => write!(f, "{from} refers to {to}, which is not there"),
            Self::Empty { object, field } => write!(f, "{object} has no {field}"),
            Self::Mode { port } => write!(f, "port {port} is coax and has no SISO mode"),
            Self::SamePort2Vlan { subscriber } => {
                write!(f, "{subscriber} has the same VLAN on both ports of its endpoint")
            }
        }
    }
}

impl Violation {
    /// Whether this is the same mistake as `other`, made by at least as many.
    fn covers(&self, other: &Self) -> bool {
        let all = |held: &[ObjectId], others: &[ObjectId]| others.iter().all(|id| held.contains(id));
        match (self, other) {
            (
                Self::Name { kind, name, holders },
                Self::Name {
                    kind: other_kind,
                    name: other_name,
                    holders: others,
                },
            ) => kind == other_kind && name == other_name && all(holders, others),
            (
                Self::Mac { mac, holders },
                Self::Mac {
                    mac: other,
                    holders: others,
                },
            ) => mac == other && all(holders, others),
            (
                Self::Endpoint { endpoint, holders },
                Self::Endpoint {
                    endpoint: other,
                    holders: others,
                },
            ) => endpoint == other && all(holders, others),
            (
                Self::ServicePort { port, holders },
                Self::ServicePort {
                    port: other,
                    holders: others,
                },
            ) => port == other && all(holders, others),
            (
                Self::PortFull { port, holders },
                Self::PortFull {
                    port: other,
                    holders: others,
                },
            ) => port == other && all(holders, others),
            _ => self == other,
        }
    }
}

/// There is no way that a device would accept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Stuck {
    /// The wish itself breaks a rule of the device. A mistake in the inventory, or a name that cannot be
    /// cleared while another object wants it.
    #[error("the device would refuse the outcome: {0}")]
    Outcome(Violation),
    /// The way leads through deleting and making the object again, and that would lose settings that this
    /// version does not know.
    #[error("{object} would have to be made anew, which loses settings that this version does not know: {words}")]
    UnknownWords {
        /// Which.
        object: ObjectId,
        /// The settings, as printed.
        words: String,
    },
    /// No order was found. Our bug: please report it with both configurations.
    #[error("no order of changes was found that gets {object} to where it should be")]
    NoOrder {
        /// Where the search stopped.
        object: ObjectId,
    },
}

/// Compares two configurations and puts the changes between them into an order that a device accepts.
///
/// Make before break: ports, profiles, endpoints and subscribers are made and changed first, then what is
/// left over is deleted in the reverse order. Something is freed earlier only where a waiting change needs
/// it. The host name comes last, because it changes the prompt of the session that is at work, and because
/// a run that fails half-way has then not touched what is in every circuit id.
///
/// Left as they are: profile 1, which belongs to the device; a port number where the wish says `auto` for
/// an endpoint that has already found its port; and all that is listed in `cannot_clear`. A mistake that
/// `from` already holds does not stop changes that have nothing to do with it.
///
/// # Errors
///
/// [`Stuck`] when the outcome would be refused or cannot be reached; nothing should then be sent.
pub fn diff(
    from: &DeviceConfig,
    to: &DeviceConfig,
    capabilities: &Capabilities,
    medium: Medium,
) -> Result<Difference, Stuck> {
    // Most devices are as they should be, and then nothing is left to settle.
    if std::ptr::eq(from, to) || from == to {
        return Ok(Difference::default());
    }
    let reachable = target::settled(from, to, capabilities, medium);
    between(from, reachable, capabilities, medium)
}

/// As [`diff`], but towards something that was there before and not towards a wish: `auto` for an endpoint means
/// that it is to look for its port again, whichever it has found.
///
/// # Errors
///
/// As [`diff`].
pub fn way_back(
    from: &DeviceConfig,
    to: &DeviceConfig,
    capabilities: &Capabilities,
    medium: Medium,
) -> Result<Difference, Stuck> {
    between(from, target::reachable(from, to, capabilities), capabilities, medium)
}

fn between(
    from: &DeviceConfig,
    (target, cannot_clear): (DeviceConfig, Vec<CannotClear>),
    capabilities: &Capabilities,
    medium: Medium,
) -> Result<Difference, Stuck> {
    if *from == target {
        return Ok(Difference {
            changes: Vec::new(),
            cannot_clear,
        });
    }
    let outcome = check::violations(&target, medium);
    if !outcome.is_empty() {
        let known = check::violations(from, medium);
        let is_new = |found: &Violation| !known.iter().any(|before| before.covers(found));
        if let Some(new) = outcome.into_iter().find(is_new) {
            return Err(Stuck::Outcome(new));
        }
    }
    let changes = schedule::schedule(from, &target, capabilities, medium)?;
    Ok(Difference { changes, cannot_clear })
}
