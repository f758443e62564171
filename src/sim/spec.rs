//! What a simulated device is told to be: its identity, its addresses and its knobs.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use crate::domain::{Firmware, MacAddr, Model, PoeMode, PortNumber};

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

/// What the device does with a command on an SSH exec channel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ExecChannel {
    /// Ignores it and starts the command line on the channel, as the family's login stub does.
    #[default]
    Ignored,
    /// Closes the channel.
    Closed,
    /// Runs it.
    Works,
}

/// What happens when something is deleted that others refer to. No error of the vendor's list says
/// "in use", so which of these a device does is unknown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum InUse {
    /// Deleted, and the references become none or unthrottled.
    #[default]
    Clear,
    /// Deleted, and the references stay, to nothing.
    Dangle,
    /// Refused.
    Refuse,
}

/// Where devices are known or suspected to differ from each other.
#[derive(Debug, Clone)]
pub struct Knobs {
    /// SSH sessions at a time; the next one reads `Only 4 connections allowed`.
    pub sessions: usize,
    /// One session too many is closed without that text.
    pub silent_limit: bool,
    /// What an exec channel does.
    pub exec_channel: ExecChannel,
    /// Offer only the algorithms of old SSH servers: group14 and group1 with SHA-1, `ssh-rsa`, CBC, SHA-1 MACs.
    pub old_algorithms: bool,
    /// Users without a password come in without being asked for one.
    pub none_login: bool,
    /// Text before the first prompt.
    pub banner: Option<String>,
    /// The first output of a session is longer than the screen, so that the pager waits before any prompt.
    pub first_output_paged: bool,
    /// A session without input ends after this; `terminal exec-timeout` changes it for a session.
    pub idle: Duration,
    /// How long `copy running-config startup-config` takes.
    pub save_delay: Duration,
    /// How long TCP is refused and SNMP silent after a reboot.
    pub down_time: Duration,
    /// Print profile 1 in the running configuration.
    pub print_default_profile: bool,
    /// Print `poe` on every subscriber, default or not. Off: only when it differs from `default_poe`.
    pub print_poe: bool,
    /// Print `bw-profile` on every subscriber. Off: only when it differs from `default_profile`.
    pub print_bw_profile: bool,
    /// Print `port unassigned` on endpoints without a port.
    pub print_unassigned_port: bool,
    /// The firmware knows a word that nobody else does: `future-word <0-9>` on subscribers.
    pub future_word: bool,
    /// Deleting what others refer to.
    pub in_use: InUse,
    /// `description ""` clears a description. Off: refused, since the documented least length is 1.
    pub empty_description: bool,
    /// How many VLANs `allowed-vlan` takes: 14 in the CLI guide, 12 in the VLAN guide of 2024.
    pub allowed_vlans: usize,
    /// Profile of a subscriber made without one; `None` is unthrottled.
    pub default_profile: Option<u16>,
    /// PoE of a subscriber made without the word.
    pub default_poe: PoeMode,
    /// How many endpoints the system takes.
    pub max_endpoints: usize,
    /// How many subscribers the system takes.
    pub max_subscribers: usize,
    /// How many bandwidth profiles the system takes, profile 1 included.
    pub max_profiles: usize,
    /// Seed of the host keys in place of the device's name: another device in the same place.
    pub host_key_seed: Option<String>,
}

impl Default for Knobs {
    fn default() -> Self {
        Self {
            sessions: 4,
            silent_limit: false,
            exec_channel: ExecChannel::Ignored,
            old_algorithms: false,
            none_login: false,
            banner: None,
            first_output_paged: false,
            idle: Duration::from_secs(600),
            save_delay: Duration::ZERO,
            down_time: Duration::ZERO,
            print_default_profile: false,
            print_poe: true,
            print_bw_profile: true,
            print_unassigned_port: false,
            future_word: false,
            in_use: InUse::Clear,
            empty_description: false,
            allowed_vlans: 12,
            default_profile: Some(1),
            default_poe: PoeMode::Enable,
            max_endpoints: 384,
            max_subscribers: 384,
            max_profiles: 15,
            host_key_seed: None,
        }
    }
}
