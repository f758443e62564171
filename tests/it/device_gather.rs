//! Gathering from a simulated device over real SSH and SNMP.
