//! The words of the field as types: parsed once at the border, trusted afterwards.
//!
//! Knows only the standard library and serde. What a *model* or an *operator policy* forbids on top of
//! a type's own range (reserved VLANs, ports that a model lacks) is checked by the inventory rules, where
//! we can point at a line.

mod billing;
mod hex;
mod id;
mod mac;
mod model;
mod range;
mod rate;
mod secret;
mod service;
mod snmp;
mod span;
mod text;
mod vlan;

pub use billing::{BillingKind, InvalidServiceRef, ServiceRef};
pub use hex::{hex, unhex};
pub use id::{EndpointId, IdOutOfRange, PortNumber, ProfileId, ServiceLimitLevel, SubscriberId, UplinkNumber};
pub use mac::{InvalidMacAddr, MacAddr};
pub use model::{Firmware, InvalidFirmware, MODELS, Medium, Model};
pub use range::{AddressRange, InvalidAddressRange};
pub use rate::{InvalidMbps, Mbps};
pub use secret::Secret;
pub use service::{DoubleTag, PoeMode, PortBinding, PortMode, SubscriberModel};
pub use snmp::SnmpValue;
pub use span::{InvalidTimeSpan, TimeSpan};
pub use text::{one_line, steers};
pub use vlan::{InvalidVlanId, InvalidVlanSet, VlanId, VlanSet, vlan_ranges};
