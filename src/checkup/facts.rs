//! What can be found out about a device without changing anything on it.

use std::time::Duration;

use jiff::Timestamp;

use crate::domain::{MacAddr, Model, SubscriberModel};
use crate::inventory::model::Mode;
use crate::observed::Identity;

/// Everything that was found out about one device. What could not be looked at, because something before it failed, is
/// not there.
#[derive(Debug, Clone)]
pub struct Facts {
    /// Key in the inventory.
    pub device: String,
    /// `host:port` of SSH.
    pub address: String,
    /// The model that the inventory says.
    pub model: &'static Model,
    /// What the inventory says subscribers are tied to.
    pub subscriber_model: SubscriberModel,
    /// Whether the inventory has old SSH algorithms offered to it.
    pub legacy_algorithms: bool,
    /// Name of its credentials.
    pub credentials: String,
    /// Whether it is managed.
    pub mode: Mode,
    /// Why changes to it are held back now, if they are.
    pub paused: Option<String>,
    /// What it has to be, by the inventory or by first contact. `None`: it was never met, and the inventory says nothing.
    pub pinned: Option<Pinned>,
    /// The way to it.
    pub path: Path,
    /// What became of the one login. `None`: there was no way to it.
    pub login: Option<Login>,
    /// What SNMP said. `None`: there are no credentials to ask with.
    pub agent: Option<Agent>,
    /// What is on record of runs on it.
    pub work: Work,
}

/// The identity that a device has to have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pinned {
    /// Fingerprint of the SSH host key.
    pub host_key: Option<String>,
    /// Base MAC.
    pub mac: Option<MacAddr>,
}

/// Why something did not work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// In one line.
    pub reason: String,
    /// What to do, where that is known.
    pub help: Option<String>,
}

/// The way to a device, as far as its SSH server.
#[derive(Debug, Clone)]
pub enum Path {
    /// There is none: no address, nobody listens, or whatever listens is no SSH server.
    Broken(Trouble),
    /// Its SSH server introduced itself.
    Open {
        /// The IP address that answered.
        at: String,
        /// How long the connection took: about one round trip.
        round_trip: Duration,
        /// What the server says it is.
        software: String,
        /// The kinds of algorithm of which it has none in common with us, without and with the old ones among ours.
        /// `None`: it did not say what it offers.
        lacks: Option<[Vec<&'static str>; 2]>,
    },
}

/// Where a login stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Agreeing on algorithms.
    Encryption,
    /// The host key.
    HostKey,
    /// User and password.
    Password,
    /// A shell with a prompt.
    Shell,
}

/// What became of a login. It is tried once: devices lock out.
#[derive(Debug, Clone)]
pub enum Login {
    /// It stopped.
    Stopped {
        /// Where.
        at: Step,
        /// Why.
        trouble: Trouble,
    },
    /// A command line was reached.
    In(Box<Inside>),
}

/// What a session showed.
#[derive(Debug, Clone)]
pub struct Inside {
    /// Fingerprint of the host key.
    pub host_key: String,
    /// The prompt, as text.
    pub prompt: String,
    /// Whether it ends in `#`.
    pub privileged: bool,
    /// Whether config mode could be entered and left again. `None`: it was not tried, or the session broke before it.
    pub config_mode: Option<Result<(), Trouble>>,
    /// The commands that prepare a terminal which the device refused.
    pub terminal_refused: Vec<String>,
    /// What the device holds.
    pub reading: Result<Box<Reading>, Trouble>,
}

/// What was read.
#[derive(Debug, Clone)]
pub struct Reading {
    /// Which device it is, by its command line.
    pub identity: Identity,
    /// Its clock as it prints it, and ours when it was asked.
    pub clock: Option<(String, Timestamp)>,
    /// How many subscribers it has.
    pub subscribers: usize,
    /// How many of its lines are odd, or hold words that are not known.
    pub warnings: usize,
    /// What its configuration shows subscribers to be tied to, if anything.
    pub shown_model: Option<SubscriberModel>,
    /// Whether a reboot would change anything.
    pub saved: Saved,
}

/// Whether the startup configuration is the running one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saved {
    /// It is.
    Yes,
    /// So many lines differ.
    No(usize),
    /// The device did not show it.
    Unknown,
}

/// What an SNMP version brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spoken {
    /// Nothing.
    Silence,
    /// An answer that could not be used, in one line.
    Nonsense(String),
    /// An identity.
    Identity {
        /// Base MAC.
        mac: Option<MacAddr>,
        /// Model.
        model: Option<&'static Model>,
        /// What the G.hn subtree says subscribers are tied to; `None`: that subtree did not answer.
        subscriber_model: Option<SubscriberModel>,
    },
}

/// What SNMP said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Agent {
    /// It was not asked: the inventory says `snmp: false`.
    Off,
    /// It was asked with the community of the credentials.
    Asked {
        /// In version 2c.
        v2c: Spoken,
        /// In version 1.
        v1: Spoken,
    },
}

/// What is on record of runs on a device.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Work {
    /// A run that did not come to its end, and how far it came.
    pub unfinished: Option<(i64, &'static str)>,
    /// A run that waits to be confirmed.
    pub unconfirmed: Option<i64>,
    /// Who changes the device now.
    pub holder: Option<String>,
}
