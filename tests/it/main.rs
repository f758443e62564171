//! Whole-program tests: one binary, so that it links once.

#![expect(
    clippy::unwrap_used,
    reason = "a test says by panicking that something is not as it should be"
)]

mod adopt;
mod assumed;
mod backup;
mod changed_since;
mod confirm;
mod crash;
mod device_gather;
mod devices;
mod discover;
mod edit;
mod faults;
mod fields;
mod fleet;
mod flow;
mod fuzz;
mod guards;
mod history;
mod house;
mod identity;
mod impact;
mod import;
mod leases;
mod life;
mod matrix;
mod policies;
mod random;
mod readme;
mod rollback;
mod saved_plan;
mod services;
mod sim;
mod sim_interop;
mod sim_walk;
mod snmp_transport;
mod ssh_dropbear;
mod ssh_openssh;
mod ssh_session;
mod ssh_transport;
mod support;
mod swap_endpoint;
mod undo;
mod validate;
mod variants;
mod waves;
mod windows;
