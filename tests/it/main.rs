//! Whole-program tests: one binary, so that it links once.

mod snmp_transport;
mod ssh_openssh;
mod ssh_session;
mod ssh_transport;
mod support;
