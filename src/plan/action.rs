//! Day-to-day actions: what one comes to on a device, whom it concerns, and why it is not done. Pure.

use std::collections::BTreeSet;

use crate::domain::{EndpointId, MacAddr, PortNumber, SubscriberId};
use crate::observed::{Action, DeviceConfig, ObjectId, SeenEndpoint};

use super::impact::{self, Impact};
use super::record::Record;
use super::resolve::Refusal;
use super::window::{State, moment};

/// What an action is aimed at, by the names of the inventory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Aim {
    /// The whole device.
    Device,
    /// One of its ports.
    Port(PortNumber),
    /// An endpoint, by its key.
    Endpoint(String),
    /// The endpoint of a subscriber, by the subscriber's key.
    Subscriber(String),
}

/// What an action comes to on a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acting {
    /// What the device is told to do, in order.
    pub actions: Vec<Action>,
    /// The endpoint that it is about, if it is about one.
    pub endpoint: Option<Reached>,
    /// Who feels it.
    pub impact: Impact,
    /// The same by inventory key, else by name.
    pub subscribers: Vec<String>,
}

/// An endpoint that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reached {
    /// Its address.
    pub mac: MacAddr,
    /// The port that it is on.
    pub port: PortNumber,
    /// Its number, where it is configured.
    pub id: Option<EndpointId>,
}

/// Why an action has nothing to act on. Nobody's fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoAim {
    /// gamops made no such object there.
    #[error("gamops does not manage {0} there yet; apply it first")]
    NotManaged(String),
    /// The subscriber has no endpoint.
    #[error("{0} has no endpoint on the device")]
    NoEndpoint(String),
    /// It is switched off, or not connected.
    #[error("the device does not see endpoint {0}: it is off, or disconnected")]
    NotSeen(MacAddr),
    /// Nothing is on the port of a port-aware device's subscriber.
    #[error("no endpoint is on port {0}")]
    NobodyThere(PortNumber),
    /// Which one is meant is not known.
    #[error("several endpoints are on port {0}; name one as DEVICE/endpoint/KEY")]
    Several(PortNumber),
    /// The model has fewer ports.
    #[error("the device has no port {0}")]
    NoSuchPort(PortNumber),
}

/// A device as it is now.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    /// What it holds.
    pub held: &'a DeviceConfig,
    /// What gamops owns there.
    pub records: &'a [Record],
    /// The endpoints that it sees.
    pub seen: &'a [SeenEndpoint],
    /// How many G.hn ports it has.
    pub ports: u16,
}

impl Scene<'_> {
    /// What restarting an endpoint comes to.
    ///
    /// # Errors
    ///
    /// [`NoAim`]: there is none to restart.
    pub fn restart(self, aim: &Aim) -> Result<Acting, NoAim> {
        let reached = self.reach(aim)?;
        let impact = impact::restart(reached.id, reached.port, self.held);
        Ok(Acting {
            actions: vec![Action::RestartEndpoint(reached.mac)],
            endpoint: Some(reached),
            subscribers: self.names(&impact.subscribers),
            impact,
        })
    }

    /// What setting counters back comes to. Of the whole device, those of all ports and of all endpoints that are there.
    ///
    /// # Errors
    ///
    /// [`NoAim`]: there are none.
    pub fn clear(self, aim: &Aim) -> Result<Acting, NoAim> {
        let actions = match aim {
            Aim::Device => {
                let ports = PortNumber::all().take_while(|port| port.get() <= self.ports);
                let ports = ports.map(Action::ClearPort);
                let endpoints: BTreeSet<MacAddr> = self.seen.iter().map(|seen| seen.mac).collect();
                ports.chain(endpoints.into_iter().map(Action::ClearEndpoint)).collect()
            }
            Aim::Port(port) if port.get() > self.ports => return Err(NoAim::NoSuchPort(*port)),
            Aim::Port(port) => vec![Action::ClearPort(*port)],
            aim => vec![Action::ClearEndpoint(self.reach(aim)?.mac)],
        };
        Ok(Acting {
            actions,
            endpoint: None,
            impact: Impact::none(),
            subscribers: Vec::new(),
        })
    }

    /// The endpoint that is meant, where the device sees it.
    fn reach(self, aim: &Aim) -> Result<Reached, NoAim> {
        let id = match aim {
            Aim::Endpoint(key) => self.numbered(key, |object| match object {
                ObjectId::Endpoint(id) => Some(id),
                _ => None,
            }),
            Aim::Subscriber(key) => {
                let number = self.subscriber(key)?;
                let subscriber = self.held.subscribers.get(&number);
                if let Some(port) = subscriber.and_then(|subscriber| subscriber.port) {
                    return self.on_port(port);
                }
                let id = subscriber.and_then(|subscriber| subscriber.endpoint);
                return self.seen(id.ok_or_else(|| NoAim::NoEndpoint(key.clone()))?, key);
            }
            Aim::Device | Aim::Port(_) => None,
        };
        let name = match aim {
            Aim::Endpoint(key) => format!("endpoint `{key}`"),
            _ => "an endpoint".to_owned(),
        };
        let id = id.ok_or_else(|| NoAim::NotManaged(name.clone()))?;
        self.seen(id, &name)
    }

    /// The number of a subscriber that gamops manages and that is there.
    ///
    /// # Errors
    ///
    /// [`NoAim::NotManaged`].
    pub fn subscriber(self, key: &str) -> Result<SubscriberId, NoAim> {
        let number = self.numbered(key, |object| match object {
            ObjectId::Subscriber(number) => Some(number),
            _ => None,
        });
        number
            .filter(|number| self.held.subscribers.contains_key(number))
            .ok_or_else(|| NoAim::NotManaged(format!("subscriber `{key}`")))
    }

    fn numbered<T>(self, key: &str, of: impl Fn(ObjectId) -> Option<T>) -> Option<T> {
        let mut named = self.records.iter().filter(|record| record.key == key);
        named.find_map(|record| of(record.object))
    }

    fn seen(self, id: EndpointId, name: &str) -> Result<Reached, NoAim> {
        let mac = self.held.endpoints.get(&id).and_then(|endpoint| endpoint.mac);
        let mac = mac.ok_or_else(|| NoAim::NoEndpoint(name.to_owned()))?;
        let there = self.seen.iter().find(|seen| seen.mac == mac);
        let port = there.ok_or(NoAim::NotSeen(mac))?.port;
        Ok(Reached {
            mac,
            port,
            id: Some(id),
        })
    }

    fn on_port(self, port: PortNumber) -> Result<Reached, NoAim> {
        let there: Vec<&SeenEndpoint> = self.seen.iter().filter(|seen| seen.port == port).collect();
        let mac = match there.as_slice() {
            [] => return Err(NoAim::NobodyThere(port)),
            [one] => one.mac,
            _ => return Err(NoAim::Several(port)),
        };
        let mut configured = self.held.endpoints.iter();
        let id = configured
            .find(|(_, endpoint)| endpoint.mac == Some(mac))
            .map(|(id, _)| *id);
        Ok(Reached { mac, port, id })
    }

    /// Subscribers by inventory key, else by name.
    fn names(self, numbers: &BTreeSet<SubscriberId>) -> Vec<String> {
        let name = |number: &SubscriberId| {
            let object = ObjectId::Subscriber(*number);
            let record = self.records.iter().find(|record| record.object == object);
            let held = || self.held.subscribers.get(number).map(|one| one.name.clone());
            record
                .map(|record| record.key.clone())
                .or_else(held)
                .unwrap_or_default()
        };
        numbers.iter().map(name).collect()
    }
}

/// Refuses what somebody with service would feel while the device's window is closed.
#[must_use]
pub fn refuse_closed(
    window: Option<State<'_>>,
    held: &DeviceConfig,
    felt_by: &BTreeSet<SubscriberId>,
) -> Option<Refusal> {
    let state = window.filter(|state| !state.is_open)?;
    // Who is in the walled garden has no service to lose.
    let has_service = |number: &&SubscriberId| {
        let vlan = held.subscribers.get(number).map(|one| one.vlan);
        state.garden.is_none() || vlan != state.garden
    };
    let felt = felt_by.iter().filter(has_service).count();
    (felt > 0).then(|| Refusal {
        rule: "window-closed",
        message: format!(
            "subscribers would feel it, and window {} is closed until {}",
            state.window.key,
            moment(state.window, state.opening.from)
        ),
        help: "wait for it, or add `--ignore-windows`".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::PortBinding;
    use crate::observed::{Endpoint, Subscriber};

    fn mac(last: u8) -> MacAddr {
        MacAddr::new([0, 0x0e, 0xd8, 0, 0, last])
    }

    fn record(key: &str, object: ObjectId) -> Record {
        Record {
            key: key.to_owned(),
            object,
            name: key.to_owned(),
            binding: None,
            protect: false,
            applied: None,
        }
    }

    /// Subscriber `s` on endpoint 1; `t` without an endpoint; `p` on port 3 as on a port-aware device.
    fn held() -> (DeviceConfig, Vec<Record>) {
        let mut held = DeviceConfig::default();
        let endpoint = Endpoint {
            mac: Some(mac(1)),
            port: PortBinding::Port(2.try_into().unwrap()),
            ..Endpoint::default()
        };
        held.endpoints.insert(1.try_into().unwrap(), endpoint);
        let on = |endpoint: Option<u64>, port: Option<u64>| Subscriber {
            endpoint: endpoint.map(|id| id.try_into().unwrap()),
            port: port.map(|port| port.try_into().unwrap()),
            ..Subscriber::default()
        };
        for (number, subscriber) in [(1, on(Some(1), None)), (2, on(None, None)), (3, on(None, Some(3)))] {
            let number: u64 = number;
            held.subscribers.insert(number.try_into().unwrap(), subscriber);
        }
        let subscriber = |key, number: u64| record(key, ObjectId::Subscriber(number.try_into().unwrap()));
        let records = vec![
            subscriber("s", 1),
            subscriber("t", 2),
            subscriber("p", 3),
            record("s", ObjectId::Endpoint(1.try_into().unwrap())),
        ];
        (held, records)
    }

    fn seen(boxes: &[(u8, u64)]) -> Vec<SeenEndpoint> {
        let one = |(last, on): &(u8, u64)| SeenEndpoint {
            mac: mac(*last),
            port: (*on).try_into().unwrap(),
        };
        boxes.iter().map(one).collect()
    }

    #[test]
    fn an_endpoint_is_found_by_the_names_of_the_inventory_and_only_where_it_is_seen() {
        let (held, records) = held();
        let restart = |aim: Aim, boxes: &[(u8, u64)]| {
            let seen = seen(boxes);
            let scene = Scene {
                held: &held,
                records: &records,
                seen: &seen,
                ports: 4,
            };
            scene.restart(&aim).map(|acting| (acting.actions, acting.subscribers))
        };
        let subscriber = |key: &str| Aim::Subscriber(key.to_owned());
        let one = (vec![Action::RestartEndpoint(mac(1))], vec!["s".to_owned()]);
        assert_eq!(restart(subscriber("s"), &[(1, 2)]), Ok(one.clone()));
        assert_eq!(restart(Aim::Endpoint("s".to_owned()), &[(1, 2)]), Ok(one));
        assert_eq!(restart(subscriber("s"), &[(9, 2)]), Err(NoAim::NotSeen(mac(1))));
        assert_eq!(restart(subscriber("t"), &[]), Err(NoAim::NoEndpoint("t".to_owned())));
        let gone = restart(subscriber("x"), &[]);
        assert_eq!(gone, Err(NoAim::NotManaged("subscriber `x`".to_owned())));

        let third = 3.try_into().unwrap();
        let of_port = (vec![Action::RestartEndpoint(mac(7))], vec!["p".to_owned()]);
        assert_eq!(restart(subscriber("p"), &[(7, 3)]), Ok(of_port));
        assert_eq!(restart(subscriber("p"), &[]), Err(NoAim::NobodyThere(third)));
        assert_eq!(restart(subscriber("p"), &[(7, 3), (8, 3)]), Err(NoAim::Several(third)));
    }

    #[test]
    fn counters_are_those_of_all_ports_and_of_the_endpoints_that_are_there() {
        let (held, records) = held();
        let seen = seen(&[(9, 1), (1, 2)]);
        let scene = Scene {
            held: &held,
            records: &records,
            seen: &seen,
            ports: 2,
        };
        let port = |number: u64| Action::ClearPort(number.try_into().unwrap());
        let all = scene.clear(&Aim::Device).unwrap();
        let endpoints = [Action::ClearEndpoint(mac(1)), Action::ClearEndpoint(mac(9))];
        assert_eq!(all.actions, [[port(1), port(2)], endpoints].concat());
        assert!(all.impact.subscribers.is_empty());
        let third: PortNumber = 3.try_into().unwrap();
        assert_eq!(scene.clear(&Aim::Port(third)), Err(NoAim::NoSuchPort(third)));
    }
}
