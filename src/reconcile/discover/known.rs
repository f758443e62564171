//! Which of the devices that were found an inventory has.

use std::net::IpAddr;

use crate::domain::MacAddr;
use crate::inventory::model::Inventory;
use crate::store::{Store, StoreError};

use super::Gam;

/// A device of the inventory, as it can be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Its key.
    pub key: String,
    /// Its address as the inventory writes it.
    pub address: String,
    /// The addresses that this stands for; none where the name has none now.
    pub addresses: Vec<IpAddr>,
    /// UDP port of SNMP.
    pub snmp_port: u16,
    /// Base MAC that it is pinned to, once it was met.
    pub mac: Option<MacAddr>,
}

/// What a device was recognised by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The base MAC that is pinned.
    Mac,
    /// The address; the device was never met, or it does not tell its MAC.
    Address,
}

/// Where a device that was found stands in the inventory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// It is in it.
    Known {
        /// Key of the device.
        key: String,
        /// What it was recognised by.
        by: By,
        /// The address that the inventory has for it, where it was found at another.
        elsewhere: Option<String>,
    },
    /// The inventory has a device at this address, which is pinned to another base MAC.
    Replaced {
        /// Key of the device.
        key: String,
        /// The MAC that it is pinned to.
        pinned: MacAddr,
    },
    /// It is not in it.
    Unknown,
}

impl Known {
    /// The devices of an inventory, their names looked up and, where there is a database, their pins.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn of(inventory: &Inventory, store: Option<&Store>) -> Result<Vec<Self>, StoreError> {
        let mut known = Vec::with_capacity(inventory.devices.len());
        for device in inventory.devices.values() {
            let pin = match store {
                Some(store) => store.pin(&device.key, device.was.as_deref()).await?,
                None => None,
            };
            let port = device.transport.snmp_port;
            // A name that has no address now cannot be what was found.
            let found = tokio::net::lookup_host((device.address.as_str(), port)).await;
            known.push(Self {
                key: device.key.clone(),
                address: device.address.clone(),
                addresses: found
                    .map(|found| found.map(|one| one.ip()).collect())
                    .unwrap_or_default(),
                snmp_port: port,
                mac: pin.and_then(|pin| pin.mac),
            });
        }
        Ok(known)
    }
}

impl Place {
    /// Finds a device among those of an inventory. The MAC counts before the address: addresses move.
    #[must_use]
    pub fn of(gam: &Gam, inventory: &[Known]) -> Self {
        let is_there = |one: &Known| one.snmp_port == gam.snmp_port && one.addresses.contains(&gam.address);
        let mac = gam.answered.identity.mac;
        let by_mac = inventory.iter().find(|one| one.mac.is_some() && one.mac == mac);
        if let Some(one) = by_mac {
            return Self::Known {
                key: one.key.clone(),
                by: By::Mac,
                elsewhere: (!is_there(one)).then(|| one.address.clone()),
            };
        }
        match inventory.iter().find(|one| is_there(one)) {
            Some(one) => match (one.mac, mac) {
                (Some(pinned), Some(_)) => Self::Replaced {
                    key: one.key.clone(),
                    pinned,
                },
                (None, _) | (_, None) => Self::Known {
                    key: one.key.clone(),
                    by: By::Address,
                    elsewhere: None,
                },
            },
            None => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Answered;
    use crate::dialect::snmp::SnmpIdentity;
    use crate::transport::snmp::Version;

    const HERE: &str = "10.20.0.11";
    const ELSEWHERE: &str = "10.20.0.99";

    fn mac(last: u8) -> MacAddr {
        MacAddr::new([0, 0x0e, 0xd8, 0, 0, last])
    }

    fn gam(mac: Option<MacAddr>) -> Gam {
        Gam {
            address: HERE.parse().unwrap(),
            snmp_port: 161,
            answered: Answered {
                identity: SnmpIdentity {
                    mac,
                    ..SnmpIdentity::default()
                },
                version: Version::V2c,
                credentials: "field".to_owned(),
            },
        }
    }

    fn known(address: &str, mac: Option<MacAddr>) -> Known {
        Known {
            key: "maple-a".to_owned(),
            address: address.to_owned(),
            addresses: vec![address.parse().unwrap()],
            snmp_port: 161,
            mac,
        }
    }

    #[test]
    fn the_mac_counts_before_the_address() {
        let found = |key: &str, by, elsewhere: Option<&str>| Place::Known {
            key: key.to_owned(),
            by,
            elsewhere: elsewhere.map(str::to_owned),
        };
        let (ours, other) = (Some(mac(1)), Some(mac(2)));
        let replaced = Place::Replaced {
            key: "maple-a".to_owned(),
            pinned: mac(2),
        };
        for (given, device, expected) in [
            (ours, known(HERE, ours), found("maple-a", By::Mac, None)),
            (ours, known(ELSEWHERE, ours), found("maple-a", By::Mac, Some(ELSEWHERE))),
            (ours, known(HERE, None), found("maple-a", By::Address, None)),
            (None, known(HERE, ours), found("maple-a", By::Address, None)),
            (ours, known(HERE, other), replaced),
            (ours, known(ELSEWHERE, other), Place::Unknown),
            (None, known(ELSEWHERE, None), Place::Unknown),
        ] {
            assert_eq!(
                Place::of(&gam(given), std::slice::from_ref(&device)),
                expected,
                "{device:?}"
            );
        }
    }

    #[test]
    fn another_port_of_the_same_address_is_another_device() {
        let device = Known {
            snmp_port: 16_101,
            ..known(HERE, None)
        };
        assert_eq!(Place::of(&gam(None), &[device]), Place::Unknown);
    }
}
