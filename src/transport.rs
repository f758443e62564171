//! SSH, SNMP, HTTP and SMTP: moves bytes, with deadlines. Knows nothing of inventories and plans.
//!
//! Alone in naming russh, snmp2, reqwest and lettre. What the bytes mean is `dialect`'s; conversations are `device`'s.

pub mod credentials;
pub mod http;
pub mod smtp;
pub mod snmp;
pub mod ssh;

/// Whether doing the same again may help: a property of each error, so that no caller has to guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Retry {
    /// The same will fail the same way: a bug, or a choice of the operator.
    Never,
    /// Only after a person changed something: the password, the inventory, the device. Never on a timer,
    /// since rejected logins lock devices out.
    AfterChange,
    /// A little later, by itself: the network, or a device that is busy or restarting.
    Soon,
}

/// `host:port`, the host in brackets where it is an IPv6 address.
fn host_and_port(host: &str, port: u16) -> String {
    if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}
