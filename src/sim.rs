//! A simulated GAM: real SSH and SNMP servers with a command line of their own.
//!
//! Shares no grammar with the driver, so that it can disagree with it.
