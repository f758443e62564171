//! Which device this is.

use serde::Serialize;

use crate::domain::{Firmware, MacAddr, Model};

/// What a device says it is, from `show version` and, where it answered, SNMP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Identity {
    /// Base MAC, the one thing that stays when address, name and firmware change.
    pub mac: MacAddr,
    /// The exact model, where the device said it (system description, else `sysObjectID`); the CLI's
    /// `Product` line names a family only.
    pub model: Option<&'static Model>,
    /// Running firmware.
    pub firmware: Firmware,
    /// Serial number, where SNMP answered.
    pub serial: Option<String>,
}
