//! Whole-program tests: one binary, so that it links once.

#![expect(
    clippy::unwrap_used,
    reason = "a test says by panicking that something is not as it should be"
)]

mod actions;
mod adopt;
mod assumed;
mod backup;
mod beside;
mod changed_since;
mod confirm;
mod crash;
mod daemon;
mod daemon_mishaps;
mod device_gather;
mod devices;
mod discover;
mod doctor;
mod drift;
mod edit;
mod faults;
mod fields;
mod file_events;
mod first_day;
mod fleet;
mod flow;
mod forge;
mod fuzz;
mod git_remote;
mod guards;
mod history;
mod house;
mod identity;
mod impact;
mod import;
mod init;
mod leases;
mod life;
mod matrix;
mod metrics;
mod partial;
mod pause;
mod policies;
mod preview;
mod publish;
mod push;
mod random;
mod readme;
mod replace;
mod review;
mod reviewed;
mod rollback;
mod saved_plan;
mod services;
mod settle;
mod signature;
mod signed;
mod sim;
mod sim_interop;
mod sim_walk;
mod snmp_transport;
mod sonar;
mod ssh_dropbear;
mod ssh_openssh;
mod ssh_session;
mod ssh_transport;
mod support;
mod swap_endpoint;
mod tell;
mod traces;
mod undo;
mod validate;
mod variants;
mod waves;
mod windows;
