//! The SNMP objects that tell which device this is, and their values as typed identity.
//!
//! Knows object identifiers, not sockets. Nobody outside the vendor has seen the G.hn subtree answer, so nothing
//! may depend on it: one value of it is read where it is there, and is never needed.

mod unconfigured;

use std::time::Duration;

use crate::domain::{Firmware, MacAddr, Medium, Model, SnmpValue, SubscriberModel};

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
/// The running firmware, such as `GAM-4/8-C_v1.8.2`: version of switch 1, the only one (vendor MIB).
pub const RUNNING_VERSION: &[u64] = &[1, 3, 6, 1, 4, 1, 20095, 2001, 28, 1, 3, 3, 1, 6, 1];
/// What subscribers are tied to, in the G.hn subtree: 0 to endpoints, 1 to ports (vendor MIB).
pub const SUBSCRIBER_MODEL: &[u64] = &[1, 3, 6, 1, 4, 1, 20095, 2001, 143, 1, 2, 5, 10, 0];

pub use unconfigured::{DETECTED_PORT, STATE, unconfigured};

/// What tells one device from another: one GET.
pub const IDENTITY: &[&[u64]] = &[SYS_DESCR, SYS_OBJECT_ID, SYS_UP_TIME, SYS_NAME, BOARD_MAC, BOARD_SERIAL];

/// All that [`identity`] reads: one GET, for a device of which nothing else is known.
pub const PROFILE: &[&[u64]] = &[
    SYS_DESCR,
    SYS_OBJECT_ID,
    SYS_UP_TIME,
    SYS_NAME,
    BOARD_MAC,
    BOARD_SERIAL,
    RUNNING_VERSION,
    SUBSCRIBER_MODEL,
];

/// What a device says it is over SNMP. Anything may be missing: firmware differs in what it answers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SnmpIdentity {
    /// From the system description, else from the product number.
    pub model: Option<&'static Model>,
    /// The last number of its product identifier, where that is one of the vendor's GAM family.
    pub product: Option<u64>,
    /// Base MAC.
    pub mac: Option<MacAddr>,
    /// Serial number.
    pub serial: Option<String>,
    /// Host name; empty where the device has none.
    pub sys_name: Option<String>,
    /// Time since the last start, short of a wrap every 497 days.
    pub uptime: Option<Duration>,
    /// Running firmware, where it was asked for.
    pub firmware: Option<Firmware>,
    /// What its subscribers are tied to, as the G.hn subtree says, where it was asked for.
    pub subscriber_model: Option<SubscriberModel>,
}

impl SnmpIdentity {
    /// Whether it is a GAM: by product, by model, or by a base MAC where only the vendor's devices have one.
    #[must_use]
    pub fn is_gam(&self) -> bool {
        self.product.is_some() || self.model.is_some() || self.mac.is_some()
    }

    /// What its subscribers are tied to, as far as it can be known from outside: as it says, else because its
    /// medium or its firmware knows one way only (JSON-RPC guide: port-aware is for copper, from 1.4).
    #[must_use]
    pub fn operating_mode(&self) -> Option<SubscriberModel> {
        let is_coax = self.model.is_some_and(|model| model.medium == Medium::Coax);
        let is_old = self
            .firmware
            .as_ref()
            .is_some_and(|firmware| !firmware.at_least(1, 4, 0));
        self.subscriber_model
            .or((is_coax || is_old).then_some(SubscriberModel::EndpointAware))
    }
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
            Some([product]) => Some(*product),
            _ => None,
        },
        _ => None,
    };
    let by_product = |product: u64| u32::try_from(product).ok().and_then(Model::by_product_id);
    SnmpIdentity {
        model: text(SYS_DESCR)
            .and_then(|description| model_in(&description))
            .or(product.and_then(by_product)),
        product,
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
        firmware: text(RUNNING_VERSION).and_then(|version| version.parse().ok()),
        subscriber_model: match value(SUBSCRIBER_MODEL) {
            Some(SnmpValue::Integer(0)) => Some(SubscriberModel::EndpointAware),
            Some(SnmpValue::Integer(1)) => Some(SubscriberModel::PortAware),
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
    fn a_product_of_the_family_is_a_gam_and_others_are_not() {
        let of = |value| identity(&[(SYS_OBJECT_ID.to_vec(), value)]);
        assert!(of(product(18)).is_gam());
        let newer = of(product(4000));
        assert!(newer.is_gam() && newer.model.is_none() && newer.product == Some(4000));
        assert!(!of(SnmpValue::Oid(vec![1, 3, 6, 1, 4, 1, 8072, 3, 2, 10])).is_gam());
        assert!(!of(SnmpValue::Oid(PRODUCTS.to_vec())).is_gam());
        assert!(!identity(&[(SYS_DESCR.to_vec(), bytes("Linux noc1 6.1.0"))]).is_gam());
    }

    #[test]
    fn the_operating_mode_is_known_where_only_one_is_possible() {
        let of = |id: u64, version: &str, answer| {
            identity(&[
                (SYS_OBJECT_ID.to_vec(), product(id)),
                (RUNNING_VERSION.to_vec(), bytes(version)),
                (SUBSCRIBER_MODEL.to_vec(), answer),
            ])
            .operating_mode()
        };
        let endpoint_aware = Some(SubscriberModel::EndpointAware);
        assert_eq!(of(16, "GAM-12/24-C_v1.8.2", SnmpValue::Absent), endpoint_aware);
        assert_eq!(of(15, "GAM-xx-M_v1.1.0", SnmpValue::Absent), endpoint_aware);
        assert_eq!(of(15, "GAM-12/24-M_v1.8.2", SnmpValue::Absent), None);
        assert_eq!(of(15, "GAM-12/24-M_v1.8.2", SnmpValue::Integer(0)), endpoint_aware);
        let port_aware = Some(SubscriberModel::PortAware);
        assert_eq!(of(15, "GAM-12/24-M_v1.8.2", SnmpValue::Integer(1)), port_aware);
        assert_eq!(of(15, "GAM-12/24-M_v1.8.2", SnmpValue::Integer(2)), None);
    }

    #[test]
    fn what_is_absent_or_of_another_type_is_nothing() {
        let bindings: Vec<_> = PROFILE.iter().map(|oid| (oid.to_vec(), SnmpValue::Absent)).collect();
        assert_eq!(identity(&bindings), SnmpIdentity::default());
        let bindings: Vec<_> = PROFILE
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
