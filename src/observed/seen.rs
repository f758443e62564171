//! Endpoints as hardware: what is plugged in where, whatever is configured.

use crate::domain::{MacAddr, PortNumber};

/// An endpoint that a device sees (`show ghn discover all`; CLI guide, seen on 1.5.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeenEndpoint {
    /// The port that it is on.
    pub port: PortNumber,
    /// Its address.
    pub mac: MacAddr,
}
