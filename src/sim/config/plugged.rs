//! What is plugged in against what is configured: who serves whom, and what the device configures by itself.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{MacAddr, PortBinding, PortNumber};
use crate::sim::endpoint::{Plug, Presence};
use crate::sim::refusal::Refusal;
use crate::sim::spec::DeviceSpec;

use super::{Config, Endpoint, has_port_aware};

impl Config {
    /// What the device does by itself: in the port-aware model it writes endpoint lines, and endpoints on `auto`
    /// find their port.
    pub(in crate::sim) fn settle(&mut self, spec: &DeviceSpec, plugged: &BTreeMap<MacAddr, Plug>) {
        if self.port_aware {
            self.adopt(spec, plugged);
        }
        self.bind_auto(plugged, spec.model.medium.endpoints_per_port());
    }

    /// Binds endpoints whose port is `auto` to the port where they are seen, where there is room.
    fn bind_auto(&mut self, plugged: &BTreeMap<MacAddr, Plug>, per_port: usize) {
        let waiting: Vec<(u16, MacAddr)> = self
            .endpoints
            .iter()
            .filter(|(_, endpoint)| endpoint.port == PortBinding::Auto)
            .map(|(id, endpoint)| (*id, endpoint.mac))
            .collect();
        for (id, mac) in waiting {
            let Some(port) = plugged.get(&mac).map(|plug| plug.port) else {
                continue;
            };
            if self.endpoints_on(port) < per_port
                && let Some(endpoint) = self.endpoints.get_mut(&id)
                && let Some(binding) = binding(port)
            {
                endpoint.port = binding;
            }
        }
    }

    /// Gives the endpoint seen on each port a line of its own, at the lowest free id, named as the device names
    /// endpoints. The one that had the port before keeps its line and loses the port (assumed).
    fn adopt(&mut self, spec: &DeviceSpec, plugged: &BTreeMap<MacAddr, Plug>) {
        let mut by_port: BTreeMap<u16, MacAddr> = BTreeMap::new();
        for (mac, plug) in plugged {
            by_port.entry(plug.port).or_insert(*mac);
        }
        for (port, mac) in by_port {
            let Some(binding) = binding(port) else { continue };
            let held = self.endpoints.iter().find(|(_, endpoint)| endpoint.mac == mac);
            let is_tied = held.is_some_and(|(_, endpoint)| port_of(endpoint).is_some());
            if spec.knobs.sticky_endpoints && (is_tied || self.endpoints_on(port) > 0) {
                continue;
            }
            let id = match held {
                Some((_, endpoint)) if endpoint.port == binding => continue,
                Some((id, _)) => *id,
                None if self.endpoints.len() >= spec.knobs.max_endpoints => continue,
                None => match (1..=384).find(|id| !self.endpoints.contains_key(id)) {
                    Some(id) => id,
                    None => continue,
                },
            };
            for endpoint in self.endpoints.values_mut().filter(|endpoint| endpoint.port == binding) {
                endpoint.port = PortBinding::Unassigned;
            }
            let name = self.automatic_name(mac);
            self.endpoints
                .entry(id)
                .or_insert(Endpoint {
                    name,
                    mac,
                    description: String::new(),
                    port: binding,
                    management_access: false,
                })
                .port = binding;
        }
    }

    /// `Positron_` and the last octets; all of them when somebody took that name.
    fn automatic_name(&self, mac: MacAddr) -> String {
        let name = mac.default_endpoint_name();
        if self.endpoints.values().any(|endpoint| endpoint.name == name) {
            let digits = mac.to_string().replace(':', "").to_uppercase();
            return format!("Positron_{digits}");
        }
        name
    }

    /// `ghn subscriber-model ...`: rewrites subscribers and endpoints as the JSON-RPC guide tells.
    pub(in crate::sim) fn set_model(
        &mut self,
        spec: &DeviceSpec,
        plugged: &BTreeMap<MacAddr, Plug>,
        port_aware: bool,
    ) -> Result<(), Refusal> {
        if port_aware && !has_port_aware(spec) {
            return Err(Refusal::SUBSCRIBER_MODEL);
        }
        if port_aware == self.port_aware {
            return Ok(());
        }
        if port_aware {
            for subscriber in self.subscribers.values_mut() {
                let endpoint = subscriber.endpoint.take().and_then(|id| self.endpoints.get(&id));
                subscriber.port = endpoint.and_then(port_of);
            }
            for endpoint in self.endpoints.values_mut() {
                endpoint.port = PortBinding::Unassigned;
            }
        } else {
            let serving: Vec<(u16, Option<u16>)> = self
                .subscribers
                .keys()
                .map(|id| (*id, self.serving(*id).filter(|id| self.is_seen(*id, plugged))))
                .collect();
            for (id, endpoint) in serving {
                if let Some(subscriber) = self.subscribers.get_mut(&id) {
                    subscriber.port = None;
                    subscriber.endpoint = endpoint;
                }
            }
            for endpoint in self.endpoints.values_mut() {
                if endpoint.port == PortBinding::Unassigned {
                    endpoint.port = PortBinding::Auto;
                }
            }
        }
        self.port_aware = port_aware;
        Ok(())
    }

    fn is_seen(&self, endpoint: u16, plugged: &BTreeMap<MacAddr, Plug>) -> bool {
        let endpoint = self.endpoints.get(&endpoint);
        endpoint.is_some_and(|endpoint| presence(endpoint, plugged) == Presence::Ok)
    }

    /// The endpoint of a subscriber: its own, or in the port-aware model the one of its port.
    pub(in crate::sim) fn serving(&self, subscriber: u16) -> Option<u16> {
        let subscriber = self.subscribers.get(&subscriber)?;
        if !self.port_aware {
            return subscriber.endpoint;
        }
        let port = subscriber.port?;
        self.endpoints
            .iter()
            .find(|(_, endpoint)| port_of(endpoint) == Some(port))
            .map(|(id, _)| *id)
    }

    /// The subscriber that an endpoint serves.
    pub(in crate::sim) fn subscriber_of(&self, endpoint: u16) -> Option<u16> {
        let port = self.endpoints.get(&endpoint).and_then(port_of);
        self.subscribers
            .iter()
            .find(|(_, subscriber)| {
                if self.port_aware {
                    port.is_some() && subscriber.port == port
                } else {
                    subscriber.endpoint == Some(endpoint)
                }
            })
            .map(|(id, _)| *id)
    }

    /// The port on which a subscriber's service is configured.
    pub(in crate::sim) fn service_port(&self, subscriber: u16) -> Option<u16> {
        if self.port_aware {
            return self.subscribers.get(&subscriber)?.port;
        }
        self.serving(subscriber)
            .and_then(|id| self.endpoints.get(&id))
            .and_then(port_of)
    }

    /// Whether, in the port-aware model, an endpoint serves the subscriber of another port than this one.
    pub(super) fn serves_elsewhere(&self, endpoint: u16, port: PortNumber) -> bool {
        let held = self.endpoints.get(&endpoint).and_then(port_of);
        self.port_aware && held.is_some_and(|held| held != port.get()) && self.subscriber_of(endpoint).is_some()
    }

    /// The VLANs that the device puts on a G.hn port.
    pub(in crate::sim) fn port_vlans(&self, port: u16) -> BTreeSet<u16> {
        let mut vlans = BTreeSet::from([2, 4094]);
        for (id, subscriber) in &self.subscribers {
            if self.service_port(*id) == Some(port) {
                vlans.insert(subscriber.vid);
                vlans.extend(subscriber.port2_vid);
                vlans.extend(subscriber.allowed.iter().map(crate::domain::VlanId::get));
                if subscriber.trunk {
                    vlans.extend(3..=4093);
                }
            }
        }
        vlans
    }
}

/// The port that an endpoint is bound to.
pub(in crate::sim) fn port_of(endpoint: &Endpoint) -> Option<u16> {
    match endpoint.port {
        PortBinding::Port(port) => Some(port.get()),
        PortBinding::Auto | PortBinding::Unassigned => None,
    }
}

/// A configured endpoint against where it is seen.
pub(in crate::sim) fn presence(endpoint: &Endpoint, plugged: &BTreeMap<MacAddr, Plug>) -> Presence {
    match plugged.get(&endpoint.mac) {
        None => Presence::NotDetected,
        Some(plug) if port_of(endpoint) == Some(plug.port) => Presence::Ok,
        Some(_) => Presence::WrongPort,
    }
}

fn binding(port: u16) -> Option<PortBinding> {
    PortNumber::try_from(u64::from(port)).ok().map(PortBinding::Port)
}
