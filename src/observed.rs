//! What a device holds: its configuration as typed values, what may be done to it, and what it is known
//! to understand.
//!
//! Pure data. Reading it from text and writing it as commands is `dialect`'s; deciding what to do is
//! `plan`'s. Values are as lenient as the device itself: an odd name or VLAN 4094 is accepted as found.

mod action;
mod assumed;
mod capabilities;
mod change;
mod config;
mod fingerprint;
mod identity;
mod object;
mod option82;
mod seen;

pub use action::Action;
pub use assumed::AssumedWord;
pub use capabilities::{Answer, Capabilities, Evidence, Support};
pub use change::{Change, Conflict, FromTo, Kind, ObjectId};
pub use config::{DeviceConfig, Endpoint, Port, Profile, ProfileRef, RunningConfig, Subscriber};
pub use fingerprint::sha256;
pub use identity::Identity;
pub use object::Object;
pub use option82::Option82;
pub use seen::SeenEndpoint;
