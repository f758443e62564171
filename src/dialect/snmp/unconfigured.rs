//! Endpoints that are plugged in and in no configuration, as the table of endpoints by MAC tells (vendor MIB).

use crate::domain::{MacAddr, PortNumber, SnmpValue};
use crate::observed::SeenEndpoint;

/// The port where an endpoint is seen: column `DetectedPortIfIndex` of the endpoints by MAC, whose six octets are the index (vendor MIB).
pub const DETECTED_PORT: &[u64] = &[1, 3, 6, 1, 4, 1, 20095, 2001, 143, 1, 3, 30, 10, 1, 40];
/// How what is seen of an endpoint stands to what is configured: column `State` of the same table (vendor MIB).
pub const STATE: &[u64] = &[1, 3, 6, 1, 4, 1, 20095, 2001, 143, 1, 3, 30, 10, 1, 90];

/// The state of an endpoint that is seen and in no configuration: `quarantinedUnknownMAC` (vendor MIB).
const UNKNOWN_MAC: i64 = 3;

/// The interface index of port 1, less one (vendor MIB).
const PORTS: i64 = 1_000_000;

/// Reads both columns. `None` where the device has no such table, which looks like one without any endpoint.
#[must_use]
pub fn unconfigured(states: &[(Vec<u64>, SnmpValue)], ports: &[(Vec<u64>, SnmpValue)]) -> Option<Vec<SeenEndpoint>> {
    if states.is_empty() || ports.is_empty() {
        return None;
    }
    let unknown = states
        .iter()
        .filter(|(_, state)| *state == SnmpValue::Integer(UNKNOWN_MAC));
    let found = |(name, _): &(Vec<u64>, SnmpValue)| {
        let index = name.strip_prefix(STATE)?;
        let at = [DETECTED_PORT, index].concat();
        let (_, port) = ports.iter().find(|(name, _)| *name == at)?;
        Some(SeenEndpoint {
            mac: mac(index)?,
            port: number(port)?,
        })
    };
    Some(unknown.filter_map(found).collect())
}

fn mac(index: &[u64]) -> Option<MacAddr> {
    let octets: Vec<u8> = index
        .iter()
        .map(|octet| u8::try_from(*octet).ok())
        .collect::<Option<_>>()?;
    Some(MacAddr::new(octets.try_into().ok()?)).filter(|mac| !mac.is_null())
}

fn number(port: &SnmpValue) -> Option<PortNumber> {
    let SnmpValue::Integer(index) = port else {
        return None;
    };
    let number = u64::try_from(index.checked_sub(PORTS)?).ok()?;
    PortNumber::try_from(number).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(column: &[u64], last: u64, value: i64) -> (Vec<u64>, SnmpValue) {
        let name = [column, &[0, 14, 216, 0, 0, last]].concat();
        (name, SnmpValue::Integer(value))
    }

    #[test]
    fn endpoints_that_are_seen_and_unknown_are_unconfigured() {
        let states = [
            row(STATE, 1, 1),
            row(STATE, 2, 3),
            row(STATE, 3, 0),
            row(STATE, 4, 2),
            row(STATE, 5, 3),
        ];
        let ports = [
            row(DETECTED_PORT, 1, 1_000_001),
            row(DETECTED_PORT, 2, 1_000_012),
            row(DETECTED_PORT, 5, 0),
        ];
        let seen = unconfigured(&states, &ports).unwrap();
        let [one] = seen.as_slice() else { panic!("{seen:?}") };
        assert_eq!(
            (one.mac.to_string().as_str(), one.port.get()),
            ("00:0e:d8:00:00:02", 12)
        );
    }

    #[test]
    fn a_device_without_the_table_says_nothing() {
        assert_eq!(unconfigured(&[], &[]), None);
        assert_eq!(unconfigured(&[row(STATE, 2, 3)], &[]), None);
    }

    #[test]
    fn what_is_no_address_and_no_port_is_passed_over() {
        let states = [
            (STATE.to_vec(), SnmpValue::Integer(3)),
            ([STATE, &[0, 14, 216, 0, 0, 256]].concat(), SnmpValue::Integer(3)),
            row(STATE, 6, 3),
        ];
        let ports = [
            (
                [DETECTED_PORT, &[0, 14, 216, 0, 0, 256]].concat(),
                SnmpValue::Integer(1_000_001),
            ),
            row(DETECTED_PORT, 6, i64::MIN),
        ];
        assert_eq!(unconfigured(&states, &ports), Some(Vec::new()));
    }
}
