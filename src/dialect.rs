//! The device's languages: command-line text and SNMP values to and from typed states. No I/O.

pub mod session;
