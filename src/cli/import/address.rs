//! Where devices and files of an import are, as the command line says it.

use std::path::PathBuf;
use std::str::FromStr;

/// `[KEY=]HOST[:SSH-PORT][/SNMP-PORT]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    /// The inventory key that it is to have.
    pub(super) key: Option<String>,
    /// IP address or DNS name.
    pub(super) host: String,
    /// TCP port of SSH.
    pub(super) ssh_port: u16,
    /// UDP port of SNMP.
    pub(super) snmp_port: u16,
}

/// `[KEY=]PATH`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Capture {
    /// The inventory key that the device is to have.
    pub(super) key: Option<String>,
    /// The file.
    pub(super) path: PathBuf,
}

/// The text is no address. The operator's fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no address; write `10.20.0.11`, `10.20.0.11:2222/1161` with ports, or `maple-a=10.20.0.11` with a key"
)]
pub(super) struct InvalidAddress(String);

impl FromStr for Address {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidAddress(text.to_owned());
        let (key, rest) = keyed(text);
        let (rest, snmp_port) = match rest.split_once('/') {
            Some((rest, port)) => (rest, port.parse().map_err(|_| invalid())?),
            None => (rest, 161),
        };
        let (host, ssh_port) = match rest.strip_prefix('[') {
            // An IPv6 address with a port stands in brackets.
            Some(rest) => {
                let (host, port) = rest.split_once(']').ok_or_else(invalid)?;
                match port {
                    "" => (host, None),
                    _ => (host, Some(port.strip_prefix(':').ok_or_else(invalid)?)),
                }
            }
            None => match rest.split_once(':') {
                Some((host, port)) if !port.contains(':') => (host, Some(port)),
                _ => (rest, None),
            },
        };
        let ssh_port = ssh_port.map_or(Ok(22), |port| port.parse().map_err(|_| invalid()))?;
        if host.is_empty() || ssh_port == 0 || snmp_port == 0 {
            return Err(invalid());
        }
        Ok(Self {
            key,
            host: host.to_owned(),
            ssh_port,
            snmp_port,
        })
    }
}

impl FromStr for Capture {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (key, path) = keyed(text);
        Ok(Self {
            key,
            path: PathBuf::from(path),
        })
    }
}

/// `key=rest`, or `rest` alone.
fn keyed(text: &str) -> (Option<String>, &str) {
    match text.split_once('=') {
        Some((key, rest)) if !key.is_empty() && !key.contains('/') => (Some(key.to_owned()), rest),
        _ => (None, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_with_ports_and_keys_or_without() {
        let read = |text: &str| {
            let Address {
                key,
                host,
                ssh_port,
                snmp_port,
            } = text.parse().unwrap();
            format!("{}={host}:{ssh_port}/{snmp_port}", key.unwrap_or_default())
        };
        assert_eq!(read("10.20.0.11"), "=10.20.0.11:22/161");
        assert_eq!(read("a=gam.example.net:2222/1161"), "a=gam.example.net:2222/1161");
        assert_eq!(read("10.20.0.11/1161"), "=10.20.0.11:22/1161");
        assert_eq!(read("2001:db8::1"), "=2001:db8::1:22/161");
        assert_eq!(read("[2001:db8::1]:2222"), "=2001:db8::1:2222/161");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            "a=",
            "host:",
            "host:x",
            "host:0",
            "host/70000",
            "[::1",
            "[::1]22",
            ":22",
        ] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_path_may_hold_an_equals_sign() {
        let capture: Capture = "maple=a/b=c.txt".parse().unwrap();
        assert_eq!(
            (capture.key.as_deref(), capture.path),
            (Some("maple"), PathBuf::from("a/b=c.txt"))
        );
        let capture: Capture = "a/b=c.txt".parse().unwrap();
        assert_eq!((capture.key, capture.path), (None, PathBuf::from("a/b=c.txt")));
    }
}
