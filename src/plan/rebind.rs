//! Port-aware devices tie endpoints to ports by themselves, and keep them tied. Where that keeps the box on a
//! subscriber's port from being served, because an older one holds the port or the box belongs to another port, the
//! device has to be told to let go: an explicit order, since it is no setting that an inventory could hold.

use crate::domain::{EndpointId, MacAddr, PortBinding, PortNumber, SubscriberId, SubscriberModel};
use crate::observed::{Change, DeviceConfig, Endpoint, FromTo, SeenEndpoint};

/// What it takes to have a subscriber's port served by the box that is on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebind {
    /// The subscriber's port.
    pub port: PortNumber,
    /// The box that is there.
    pub mac: MacAddr,
    /// The endpoints to take off their ports, in order.
    pub freed: Vec<Freed>,
}

/// An endpoint that the device is to let go of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Freed {
    /// Its number.
    pub id: EndpointId,
    /// What it is tied to now.
    pub held: Endpoint,
    /// The port that it is tied to now.
    pub from: PortNumber,
    /// The subscriber that it is there for by name, if any.
    pub serves: Option<String>,
}

/// Why there is nothing to rebind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotRebound {
    /// Subscribers are tied to endpoints there, by the inventory.
    #[error(
        "the device is endpoint-aware: which endpoint serves a subscriber is the inventory's to say; change its \
         `endpoint` and apply"
    )]
    EndpointAware,
    /// The subscriber has no port.
    #[error("the device holds no port for the subscriber; give it a `port` and apply")]
    NoPort,
    /// No box is on the port.
    #[error("no endpoint is seen on port {0}; plug one in first")]
    NobodyThere(PortNumber),
    /// More than one box is on the port.
    #[error("several endpoints are seen on port {port}: {}", list(.seen))]
    Several {
        /// The port.
        port: PortNumber,
        /// The boxes.
        seen: Vec<MacAddr>,
    },
    /// The box on the port is the one that is tied to it.
    #[error("endpoint {mac} on port {port} is tied to it already")]
    InOrder {
        /// The port.
        port: PortNumber,
        /// The box.
        mac: MacAddr,
    },
    /// Nothing keeps the device from tying the box to the port.
    #[error("nothing keeps the device from tying endpoint {mac} to port {port}; it has not done so yet")]
    NothingInTheWay {
        /// The port.
        port: PortNumber,
        /// The box.
        mac: MacAddr,
    },
}

fn list(macs: &[MacAddr]) -> String {
    let macs: Vec<String> = macs.iter().map(MacAddr::to_string).collect();
    macs.join(", ")
}

/// Works out what a device has to let go of so that it serves a subscriber by the box on its port.
///
/// # Errors
///
/// [`NotRebound`]: there is nothing to let go of, or not enough is known.
pub fn rebind(held: &DeviceConfig, subscriber: SubscriberId, seen: &[SeenEndpoint]) -> Result<Rebind, NotRebound> {
    if held.subscriber_model != SubscriberModel::PortAware {
        return Err(NotRebound::EndpointAware);
    }
    let port = held.subscribers.get(&subscriber).and_then(|one| one.port);
    let port = port.ok_or(NotRebound::NoPort)?;
    let there: Vec<MacAddr> = seen.iter().filter(|one| one.port == port).map(|one| one.mac).collect();
    let mac = match there.as_slice() {
        [] => return Err(NotRebound::NobodyThere(port)),
        [mac] => *mac,
        _ => return Err(NotRebound::Several { port, seen: there }),
    };
    let mut is_tied = false;
    let mut freed = Vec::new();
    for (id, endpoint) in &held.endpoints {
        let PortBinding::Port(from) = endpoint.port else {
            continue;
        };
        let is_it = endpoint.mac == Some(mac);
        is_tied |= is_it && from == port;
        if is_it != (from == port) {
            let serves = held.subscribers.values().find(|one| one.port == Some(from));
            freed.push(Freed {
                id: *id,
                held: endpoint.clone(),
                from,
                serves: serves.map(|one| one.name.clone()),
            });
        }
    }
    match (freed.is_empty(), is_tied) {
        (true, true) => Err(NotRebound::InOrder { port, mac }),
        (true, false) => Err(NotRebound::NothingInTheWay { port, mac }),
        (false, _) => Ok(Rebind { port, mac, freed }),
    }
}

impl Rebind {
    /// The changes that make the device let go.
    pub fn changes(&self) -> impl Iterator<Item = Change> + '_ {
        self.freed.iter().map(|freed| {
            let to = Endpoint {
                port: PortBinding::Unassigned,
                ..freed.held.clone()
            };
            Change::SetEndpoint(
                freed.id,
                FromTo {
                    from: freed.held.clone(),
                    to,
                },
            )
        })
    }

    /// The endpoints that a device still holds where it should have let go of them.
    #[must_use]
    pub fn still_held(&self, now: &DeviceConfig) -> Vec<EndpointId> {
        let is_held = |freed: &&Freed| {
            let port = now.endpoints.get(&freed.id).map(|endpoint| endpoint.port);
            port == Some(PortBinding::Port(freed.from))
        };
        self.freed.iter().filter(is_held).map(|freed| freed.id).collect()
    }

    /// Whether a device has tied the box to the subscriber's port.
    #[must_use]
    pub fn is_done(&self, now: &DeviceConfig) -> bool {
        let is_it =
            |endpoint: &Endpoint| endpoint.mac == Some(self.mac) && endpoint.port == PortBinding::Port(self.port);
        now.endpoints.values().any(is_it)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observed::Subscriber;

    fn mac(last: u8) -> MacAddr {
        MacAddr::new([0, 0x0e, 0xd8, 0, 0, last])
    }

    fn port(number: u64) -> PortNumber {
        number.try_into().unwrap()
    }

    /// Subscribers 1 and 2 on ports 1 and 2; endpoint n tied to the n-th port given, 0 for none.
    fn held(ports: &[u64]) -> DeviceConfig {
        let mut config = DeviceConfig {
            subscriber_model: SubscriberModel::PortAware,
            ..DeviceConfig::default()
        };
        for number in 1..=2u64 {
            let subscriber = Subscriber {
                name: format!("s-{number}"),
                port: Some(port(number)),
                ..Subscriber::default()
            };
            config.subscribers.insert(number.try_into().unwrap(), subscriber);
        }
        for (number, tied) in (1u8..).zip(ports) {
            let endpoint = Endpoint {
                mac: Some(mac(number)),
                port: match tied {
                    0 => PortBinding::Unassigned,
                    tied => PortBinding::Port(port(*tied)),
                },
                ..Endpoint::default()
            };
            config.endpoints.insert(u64::from(number).try_into().unwrap(), endpoint);
        }
        config
    }

    fn seen(boxes: &[(u8, u64)]) -> Vec<SeenEndpoint> {
        let one = |(last, on): &(u8, u64)| SeenEndpoint {
            mac: mac(*last),
            port: port(*on),
        };
        boxes.iter().map(one).collect()
    }

    fn freed(ports: &[u64], boxes: &[(u8, u64)]) -> Result<Vec<u16>, NotRebound> {
        let found = rebind(&held(ports), 1.try_into().unwrap(), &seen(boxes))?;
        assert_eq!(found.changes().count(), found.freed.len());
        Ok(found.freed.iter().map(|one| one.id.get()).collect())
    }

    #[test]
    fn what_holds_the_port_and_what_holds_the_box_are_let_go() {
        // An old box holds the port of a new one.
        assert_eq!(freed(&[1], &[(9, 1)]), Ok(vec![1]));
        // The box belongs to the other flat.
        assert_eq!(freed(&[0, 2], &[(2, 1)]), Ok(vec![2]));
        // Both: two flats have exchanged their boxes.
        assert_eq!(freed(&[1, 2], &[(2, 1), (1, 2)]), Ok(vec![1, 2]));
    }

    #[test]
    fn nothing_is_let_go_in_vain_or_in_doubt() {
        let (port, first) = (port(1), mac(1));
        assert_eq!(freed(&[1], &[(1, 1)]), Err(NotRebound::InOrder { port, mac: first }));
        let in_the_way = NotRebound::NothingInTheWay { port, mac: first };
        assert_eq!(freed(&[0], &[(1, 1)]), Err(in_the_way));
        assert_eq!(freed(&[1], &[(1, 2)]), Err(NotRebound::NobodyThere(port)));
        let two = freed(&[1], &[(1, 1), (2, 1)]);
        assert!(matches!(two, Err(NotRebound::Several { .. })), "{two:?}");
        let mut other = held(&[1]);
        other.subscriber_model = SubscriberModel::EndpointAware;
        let other = rebind(&other, 1.try_into().unwrap(), &[]);
        assert_eq!(other, Err(NotRebound::EndpointAware));
    }
}
