//! A simulated GAM: real SSH and SNMP servers with a command line of their own.
//!
//! Shares no grammar with the driver, so that it can disagree with it.

mod commands;
mod config;
mod control;
mod device;
mod fault;
mod fleet;
mod grammar;
mod host_key;
mod refusal;
mod session;
mod shell;
mod show;
mod snmp;
mod spec;
mod ssh;
mod state;
mod terminal;

pub use control::Request;
pub use device::{Counters, SimDevice};
pub use fault::{Counted, Fault, Moment};
pub use fleet::{Fleet, FleetOptions, SimError};
pub use spec::{DeviceSpec, ExecChannel, InUse, Knobs};
