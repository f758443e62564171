//! Whole-program tests: one binary, so that it links once.

#![expect(
    clippy::unwrap_used,
    reason = "clippy's exception for tests does not reach their helpers; a helper that cannot go on fails its test"
)]

mod device_gather;
mod faults;
mod fleet;
mod flow;
mod house;
mod identity;
mod sim;
mod sim_interop;
mod snmp_transport;
mod ssh_openssh;
mod ssh_session;
mod ssh_transport;
mod support;
