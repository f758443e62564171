//! One device over its transports: sessions, gathering, sending commands.
//!
//! Entry points: [`Session::open`] logs in and learns the prompt; [`Session::run`] sends one command and
//! waits for its reply; [`Session::configure`] and [`Session::save`] change and keep; [`gather()`] reads all that
//! planning needs; [`probe()`] finds out whether there is a device at all. Decides nothing: what to send comes from a
//! plan, what a reply means from `dialect`.

mod error;
mod gather;
mod greeting;
mod pace;
mod probe;
mod received;
mod session;
mod tape;
mod transcript;

pub use error::{At, DeviceError, Moment};
pub use gather::{
    Observation, discover, endpoint_uptime, gather, read_running, read_running_text, read_startup, unconfigured_by_snmp,
};
pub use pace::Pace;
pub use probe::{Answered, Community, Probed, probe};
pub use session::{Configured, Limits, Saved, Session};
pub use tape::Heard;
pub use transcript::{Event, Exchange};

pub use crate::transport::Retry;
