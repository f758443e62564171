//! What a device can be told to do without changing a setting.

use crate::domain::{MacAddr, PortNumber};

/// One thing to have a device do. It changes no setting, so there is nothing to save, verify in the configuration, or undo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Restarts an endpoint.
    RestartEndpoint(MacAddr),
    /// Sets the counters of an endpoint back to zero.
    ClearEndpoint(MacAddr),
    /// Sets the counters of a G.hn port back to zero.
    ClearPort(PortNumber),
}
