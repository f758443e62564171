//! The device's languages: command-line text and SNMP values to and from typed states. No I/O.

pub mod action;
pub mod command;
pub mod discover;
pub mod redact;
pub mod running;
pub mod session;
pub mod share;
pub mod snmp;
pub mod transcript;
pub mod version;
