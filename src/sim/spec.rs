//! What a simulated device is told to be: its identity, its addresses, what is plugged in.

use std::fmt;
use std::net::SocketAddr;

use sha2::{Digest as _, Sha256};

use crate::domain::{Firmware, MacAddr, Model, PortNumber};

use super::knobs::Knobs;

/// One simulated device.
#[derive(Clone)]
pub struct DeviceSpec {
    /// Its name in the fleet. Base MAC, serial number and host keys derive from it.
    pub name: String,
    /// Product.
    pub model: &'static Model,
    /// Running firmware; decides which words the command line knows.
    pub firmware: Firmware,
    /// Host name of the blank device; a startup configuration that names one wins. Empty from the factory.
    pub hostname: String,
    /// Where SSH listens. Port 0 takes a free one.
    pub ssh: SocketAddr,
    /// Where SNMP listens. Port 0 takes a free one.
    pub snmp: SocketAddr,
    /// What is in flash at the first start: command lines, loaded through the device's own parser; on top of
    /// the factory state unless the last line is `end`. `None`: factory state. A kept state directory wins
    /// over it.
    pub startup_config: Option<String>,
    /// Endpoints that are connected and powered, and where.
    pub plugged: Vec<(MacAddr, PortNumber)>,
    /// Where devices are known or suspected to differ.
    pub knobs: Knobs,
}

impl DeviceSpec {
    /// A factory-fresh device of this model on loopback, at ports of the system's choice.
    #[must_use]
    pub fn new(name: &str, model: &'static Model, firmware: Firmware) -> Self {
        Self {
            name: name.to_owned(),
            model,
            firmware,
            hostname: String::new(),
            ssh: SocketAddr::from(([127, 0, 0, 1], 0)),
            snmp: SocketAddr::from(([127, 0, 0, 1], 0)),
            startup_config: None,
            plugged: Vec::new(),
            knobs: Knobs::default(),
        }
    }

    /// The base MAC: the vendor's OUI and three octets drawn from the name.
    #[must_use]
    pub fn base_mac(&self) -> MacAddr {
        let digest = Sha256::digest(format!("base mac of {}", self.name));
        let [a, b, c] = MacAddr::POSITRON_OUI;
        // The low bits stay free: the G.hn ports take the addresses that follow.
        MacAddr::new([a, b, c, digest[0], digest[1], digest[2] & 0xc0])
    }

    /// The serial number, eight digits drawn from the name (hardware showed `01064079`).
    #[must_use]
    pub fn serial(&self) -> String {
        let digest = Sha256::digest(format!("serial of {}", self.name));
        let number = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]);
        format!("{:08}", number % 100_000_000)
    }
}

impl fmt::Debug for DeviceSpec {
    /// Without the startup configuration, which holds password hashes and communities.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceSpec")
            .field("name", &self.name)
            .field("model", &self.model.name)
            .field("firmware", &self.firmware)
            .field("hostname", &self.hostname)
            .field("ssh", &self.ssh)
            .field("snmp", &self.snmp)
            .field("plugged", &self.plugged)
            .field("knobs", &self.knobs)
            .finish_non_exhaustive()
    }
}
