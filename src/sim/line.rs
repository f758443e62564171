//! What an endpoint's line and traffic look like: figures that are always the same for the same endpoint, so
//! that command line and SNMP agree, and a test can tell.

use std::time::Duration;

use crate::domain::{MacAddr, Medium};

/// What the line to an endpoint carries, in Mbps unless it says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) down_phy: u32,
    pub(super) up_phy: u32,
    /// What can be used of it.
    pub(super) down_most: u32,
    pub(super) up_most: u32,
    /// What is allocated now.
    pub(super) down_allocated: u32,
    pub(super) up_allocated: u32,
    /// What is used now.
    pub(super) down_used: u32,
    pub(super) up_used: u32,
    /// Length, where the medium tells: copper only.
    pub(super) metres: Option<u32>,
}

impl Line {
    /// The line of an endpoint. About what a screenshot of the vendor's shows: PHY 1470 and 1442, usable 1148
    /// and 1126.
    pub(super) fn of(mac: MacAddr, medium: Medium) -> Self {
        let [.., noise, length] = mac.octets();
        let loss = u32::from(length) + u32::from(noise) / 4;
        let (down_phy, up_phy) = (1470 - loss, 1442 - loss);
        let usable = |phy: u32| phy * 78 / 100;
        Self {
            down_phy,
            up_phy,
            down_most: usable(down_phy),
            up_most: usable(up_phy),
            down_allocated: usable(down_phy) / 2,
            up_allocated: usable(up_phy) / 2,
            down_used: 3,
            up_used: 1,
            metres: (medium == Medium::Copper).then_some(20 + u32::from(length)),
        }
    }
}

/// Counters of traffic, from the device's point of view: received is what subscribers send.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Traffic {
    pub(super) rx_bytes: u64,
    pub(super) tx_bytes: u64,
    pub(super) rx_packets: u64,
    pub(super) tx_packets: u64,
}

impl Traffic {
    /// What an endpoint moves in so many seconds: 1 Mbps up, 3 Mbps down.
    pub(super) const fn in_seconds(seconds: u64) -> Self {
        let (rx_bytes, tx_bytes) = (seconds * 125_000, seconds * 375_000);
        Self {
            rx_bytes,
            tx_bytes,
            rx_packets: rx_bytes / 1000,
            tx_packets: tx_bytes / 1000,
        }
    }
}

/// Counts the seconds that endpoints have been on a port, so that its counters only grow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Meter {
    seconds: u64,
    since: Duration,
    endpoints: u64,
}

impl Meter {
    /// The counters now.
    pub(super) const fn read(&self, now: Duration) -> Traffic {
        Traffic::in_seconds(self.total(now))
    }

    const fn total(&self, now: Duration) -> u64 {
        self.seconds + self.endpoints * now.as_secs().saturating_sub(self.since.as_secs())
    }

    /// An endpoint came or went: so many there are from now on.
    pub(super) fn now_has(&mut self, endpoints: usize, now: Duration) {
        self.seconds = self.total(now);
        self.since = now;
        self.endpoints = u64::try_from(endpoints).unwrap_or_default();
    }

    /// From zero again.
    pub(super) fn clear(&mut self, now: Duration) {
        self.seconds = 0;
        self.since = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_s_counters_only_grow_until_they_are_cleared() {
        let at = Duration::from_secs;
        let mut meter = Meter::default();
        meter.now_has(2, at(10));
        assert_eq!(meter.read(at(20)), Traffic::in_seconds(20));
        meter.now_has(0, at(20));
        assert_eq!(meter.read(at(90)), Traffic::in_seconds(20));
        meter.clear(at(90));
        meter.now_has(1, at(100));
        assert_eq!(meter.read(at(103)), Traffic::in_seconds(3));
    }
}
