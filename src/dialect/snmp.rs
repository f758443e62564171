//! The SNMP objects that tell which device this is, and their values as typed identity.
//!
//! Knows object identifiers, not sockets. The G.hn subtree is left alone: nobody outside the vendor has seen
//! it answer, so nothing may depend on it.

use std::time::Duration;

use crate::domain::{MacAddr, Model, SnmpValue};

use super::version::model_in;

/// `sysDescr.0`; holds the model's name (seen: `GAM-4-CX-AC`).
pub const SYS_DESCR: &[u64] = &[1, 3, 6, 1, 2, 1, 1, 1, 0];
/// `sysObjectID.0`; its last number is the product (vendor MIB).
pub const SYS_OBJECT_ID: &[u64] = &[1, 3, 6, 1, 2, 1, 1, 2, 0];
/// `sysUpTime.0`; wraps after 497 days.
pub const SYS_UP_TIME: &[u64] = &[1, 3, 6, 1, 2, 1, 1, 3, 0];
/// `sysName.0`; the host name.
pub const SYS_NAME: &[u64] = &[1, 3, 6, 1, 2, 1, 1, 5, 0];
/// The base MAC: board information, MAC address (vendor MIB).
pub const BOARD_MAC: &[u64] = &[1, 3, 6, 1, 4, 1, 20095, 2001, 24, 1, 3, 5, 1, 0];
/// The serial number: board information, serial (vendor MIB).
pub const BOARD_SERIAL: &[u64] = &[1, 3, 6, 1, 4, 1, 20095, 2001, 24, 1, 3, 5, 3, 0];
/// Products: `sysObjectID` is this and one number more (vendor MIB).
pub const PRODUCTS: &[u64] = &[1, 3, 6, 1, 4, 1, 20095, 2000, 1];

/// All that [`identity`] reads: one GET.
pub const IDENTITY: &[&[u64]] = &[SYS_DESCR, SYS_OBJECT_ID, SYS_UP_TIME, SYS_NAME, BOARD_MAC, BOARD_SERIAL];

/// What a device says it is over SNMP. Anything may be missing: firmware differs in what it answers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SnmpIdentity {
    /// From the system description, else from the product number.
    pub model: Option<&'static Model>,
    /// Base MAC.
    pub mac: Option<MacAddr>,
    /// Serial number.
    pub serial: Option<String>,
    /// Host name; empty where the device has none.
    pub sys_name: Option<String>,
    /// Time since the last start, short of a wrap every 497 days.
    pub uptime: Option<Duration>,
}

/// Reads the variable bindings of an answer. Order does not matter, and what is not ours is passed over.
#[must_use]
pub fn identity(bindings: &[(Vec<u64>, SnmpValue)]) -> SnmpIdentity {
    let value = |oid: &[u64]| bindings.iter().find(|(name, _)| name == oid).map(|(_, value)| value);
    let text = |oid: &[u64]| match value(oid)? {
        SnmpValue::Bytes(bytes) => Some(String::from_utf8_lossy(bytes).trim_end_matches('\0').trim().to_owned()),
        _ => None,
    };
    let product = match value(SYS_OBJECT_ID) {
        Some(SnmpValue::Oid(oid)) => match oid.strip_prefix(PRODUCTS) {
            Some([product]) => u32::try_from(*product).ok().and_then(Model::by_product_id),
            _ => None,
        },
        _ => None,
    };
    SnmpIdentity {
        model: text(SYS_DESCR)
            .and_then(|description| model_in(&description))
            .or(product),
        mac: match value(BOARD_MAC) {
            Some(SnmpValue::Bytes(bytes)) => mac(bytes),
            _ => None,
        },
        serial: text(BOARD_SERIAL).filter(|serial| !serial.is_empty()),
        sys_name: text(SYS_NAME),
        uptime: match value(SYS_UP_TIME) {
            Some(SnmpValue::Ticks(hundredths)) => Some(Duration::from_millis(u64::from(*hundredths) * 10)),
            _ => None,
        },
    }
}

/// Six octets as the MIB promises, or the text form that some agents of the family give.
fn mac(bytes: &[u8]) -> Option<MacAddr> {
    match <[u8; 6]>::try_from(bytes) {
        Ok(octets) => Some(MacAddr::new(octets)),
        Err(_) => std::str::from_utf8(bytes).ok()?.trim().parse().ok(),
    }
    .filter(|mac| !mac.is_null())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(text: &str) -> SnmpValue {
        SnmpValue::Bytes(text.as_bytes().to_vec())
    }

    fn product(number: u64) -> SnmpValue {
        SnmpValue::Oid([PRODUCTS, &[number]].concat())
    }

    #[test]
    fn a_full_answer_is_read() {
        let read = identity(&[
            (SYS_NAME.to_vec(), bytes("gam-maple")),
            (SYS_DESCR.to_vec(), bytes("GAM-4-CX-AC GigaBit Ethernet Switch")),
            (SYS_OBJECT_ID.to_vec(), product(18)),
            (SYS_UP_TIME.to_vec(), SnmpValue::Ticks(123_456)),
            (
                BOARD_MAC.to_vec(),
                SnmpValue::Bytes(vec![0, 0x0e, 0xd8, 0x1a, 0xb9, 0xe2]),
            ),
            (BOARD_SERIAL.to_vec(), bytes("01013599")),
        ]);
        assert_eq!(read.model, Model::by_name("GAM-4-CX"));
        assert_eq!(read.mac, "00:0e:d8:1a:b9:e2".parse().ok());
        assert_eq!(read.serial.as_deref(), Some("01013599"));
        assert_eq!(read.sys_name.as_deref(), Some("gam-maple"));
        assert_eq!(read.uptime, Some(Duration::from_millis(1_234_560)));
    }

    #[test]
    fn the_product_number_stands_in_for_a_silent_description() {
        let read = identity(&[
            (SYS_DESCR.to_vec(), bytes("Ethernet Switch")),
            (SYS_OBJECT_ID.to_vec(), product(15)),
        ]);
        assert_eq!(read.model, Model::by_name("GAM-24-M"));
        assert_eq!(identity(&[(SYS_OBJECT_ID.to_vec(), product(4000))]).model, None);
        let foreign = SnmpValue::Oid(vec![1, 3, 6, 1, 4, 1, 8072, 3, 2, 10]);
        assert_eq!(identity(&[(SYS_OBJECT_ID.to_vec(), foreign)]).model, None);
    }

    #[test]
    fn what_is_absent_or_of_another_type_is_nothing() {
        let bindings: Vec<_> = IDENTITY.iter().map(|oid| (oid.to_vec(), SnmpValue::Absent)).collect();
        assert_eq!(identity(&bindings), SnmpIdentity::default());
        let bindings: Vec<_> = IDENTITY
            .iter()
            .map(|oid| (oid.to_vec(), SnmpValue::Integer(6)))
            .collect();
        assert_eq!(identity(&bindings), SnmpIdentity::default());
        assert_eq!(
            identity(&[(BOARD_MAC.to_vec(), SnmpValue::Bytes(vec![0; 6]))]).mac,
            None
        );
    }
}
