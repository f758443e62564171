//! A simulated GAM: real SSH and SNMP servers with a command line of their own.
//!
//! Shares no grammar with the driver, so that it can disagree with it; of this crate it knows `domain` only.
//! From the inside out: `config` is what a device holds and checks, `endpoint` and `line` are the hardware at the
//! other end, `alarm` watches both, `state` adds flash and what is plugged in,
//! `grammar` and `commands` read lines, `shell` runs them, `terminal` is the screen of a session. All of these
//! are pure. Around them `device` adds a lock, a clock and counters, `session`, `ssh` and `snmp` serve it,
//! and `fleet`, the entry point, runs many of them.
//!
//! Beside it are the billing systems: `billing` is what they start with, `sonar` and `splynx` are two.
//!
//! Where the vendor's documents and the two known transcripts are silent, behaviour is a guess: the ones that
//! matter are [`Knobs`], and a [`Likeness`] is a set of them. What misbehaves to order is a [`Fault`].

mod alarm;
pub mod billing;
mod commands;
mod config;
mod control;
mod device;
mod endpoint;
mod fault;
mod fleet;
mod grammar;
mod host_key;
mod knobs;
mod likeness;
mod line;
mod refusal;
mod session;
mod shell;
mod show;
mod snmp;
pub mod sonar;
mod spec;
pub mod splynx;
mod ssh;
mod state;
mod terminal;
mod webhook;

pub use control::{Request, Simulation};
pub use device::{Counters, Passed, SimDevice};
pub use endpoint::EndpointModel;
pub use fault::{Counted, Fault, Moment};
pub use fleet::{Fleet, FleetOptions, SimError};
pub use knobs::{AssumedWords, ExecChannel, GhnSubtree, InUse, Knobs};
pub use likeness::{Likeness, UnknownLikeness};
pub use spec::DeviceSpec;
pub use webhook::CallError;
