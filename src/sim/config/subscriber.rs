//! Changing subscribers: the checks of the vendor's error list, in both subscriber models.

use crate::domain::{PoeMode, VlanSet};
use crate::sim::refusal::Refusal;
use crate::sim::spec::DeviceSpec;

use super::{Config, Subscriber};

/// A VLAN that can be taken away: `none` or a number.
pub(in crate::sim) type Line = Option<u16>;

/// What a `ghn subscriber` command gives.
#[derive(Debug, Default)]
pub(in crate::sim) struct SubscriberEdit {
    pub(in crate::sim) name: Option<String>,
    pub(in crate::sim) description: Option<String>,
    pub(in crate::sim) endpoint: Option<Option<u16>>,
    pub(in crate::sim) vid: Option<u16>,
    pub(in crate::sim) tagged: Option<bool>,
    pub(in crate::sim) remapped_vid: Option<Line>,
    pub(in crate::sim) profile: Option<Option<u16>>,
    pub(in crate::sim) allowed: Option<VlanSet>,
    pub(in crate::sim) port2_vid: Option<Line>,
    pub(in crate::sim) poe: Option<PoeMode>,
    /// Port-aware only: the port, or none. The word is assumed.
    pub(in crate::sim) port: Option<Option<u16>>,
    /// The word is assumed.
    pub(in crate::sim) trunk: Option<bool>,
    /// Double tags: the outer VLAN. The word is assumed.
    pub(in crate::sim) outer_vid: Option<Line>,
    /// Double tags: the uplink, by its number. The word is assumed.
    pub(in crate::sim) nni: Option<Option<u16>>,
    pub(in crate::sim) future_word: Option<String>,
}

impl SubscriberEdit {
    /// Without what was said in words that are guesses.
    pub(in crate::sim) fn without_assumed(self) -> Self {
        Self {
            poe: self.poe.filter(|poe| *poe == PoeMode::Disable),
            port: None,
            trunk: None,
            outer_vid: None,
            nni: None,
            ..self
        }
    }
}

/// The VLANs that the device keeps for itself (JSON-RPC guide: 3840 to 3842; seen as forbidden: to 3844).
const fn is_reserved(vlan: u16) -> bool {
    matches!(vlan, 0..=2 | 3840..=3844)
}

impl Config {
    /// `ghn subscriber <id> ...`
    pub(in crate::sim) fn set_subscriber(
        &mut self,
        spec: &DeviceSpec,
        id: u16,
        edit: SubscriberEdit,
    ) -> Result<(), Refusal> {
        let held = self.subscribers.get(&id);
        if held.is_none() && self.subscribers.len() >= spec.knobs.max_subscribers {
            return Err(Refusal::SUBSCRIBERS_FULL);
        }
        let mut subscriber = held.cloned().unwrap_or(Subscriber {
            name: String::new(),
            description: String::new(),
            endpoint: None,
            vid: 4094,
            tagged: false,
            remapped_vid: None,
            profile: spec.knobs.default_profile,
            allowed: VlanSet::default(),
            port2_vid: None,
            poe: spec.knobs.default_poe,
            port: None,
            trunk: false,
            outer_vid: None,
            nni: None,
            future_word: None,
        });
        subscriber.name = edit.name.unwrap_or(subscriber.name);
        if subscriber.name.is_empty() {
            return Err(Refusal::SUBSCRIBER_NAME);
        }
        let mut others = self.subscribers.iter().filter(|(other, _)| **other != id);
        if others.clone().any(|(_, held)| held.name == subscriber.name) {
            return Err(Refusal::SUBSCRIBER_NAME_TAKEN);
        }
        if let Some(port) = edit.port {
            if !self.port_aware {
                return Err(Refusal::SUBSCRIBER_MODEL);
            }
            if port.is_some_and(|port| port == 0 || port > spec.model.ports) {
                return Err(Refusal::INVALID_PORT);
            }
            if port.is_some() && others.clone().any(|(_, held)| held.port == port) {
                return Err(Refusal::PORT_TAKEN);
            }
            subscriber.port = port;
        }
        // A line that the device printed itself may name the endpoint beside the port.
        let learned = edit.endpoint.flatten().filter(|_| edit.port.is_some());
        if let Some(endpoint) = edit.endpoint
            && learned.is_none()
        {
            if let Some(endpoint) = endpoint {
                if self.port_aware {
                    return Err(Refusal::SUBSCRIBER_MODEL);
                }
                if !self.endpoints.contains_key(&endpoint) {
                    return Err(Refusal::NO_SUCH_ENDPOINT);
                }
                if others.any(|(_, held)| held.endpoint == Some(endpoint)) {
                    return Err(Refusal::ENDPOINT_TAKEN);
                }
            }
            subscriber.endpoint = endpoint;
        }
        if let Some(profile) = edit.profile {
            if profile.is_some_and(|profile| !self.profiles.contains_key(&profile)) {
                return Err(Refusal::NO_SUCH_PROFILE);
            }
            subscriber.profile = profile;
        }
        if edit.vid.is_some_and(is_reserved) {
            return Err(Refusal::VLAN);
        }
        subscriber.vid = edit.vid.unwrap_or(subscriber.vid);
        if let Some(remapped) = edit.remapped_vid {
            if remapped.is_some_and(|vlan| is_reserved(vlan) || vlan > 4093) {
                return Err(Refusal::REMAPPED_VLAN);
            }
            subscriber.remapped_vid = remapped;
        }
        if let Some(port2) = edit.port2_vid {
            if port2.is_some_and(|vlan| is_reserved(vlan) || vlan > 4093) {
                return Err(Refusal::PORT2_VLAN);
            }
            subscriber.port2_vid = port2;
        }
        if subscriber.port2_vid == Some(subscriber.vid) {
            return Err(Refusal::PORT2_VLAN_SAME);
        }
        if let Some(allowed) = edit.allowed {
            if allowed.len() > spec.knobs.allowed_vlans {
                return Err(Refusal::TOO_MANY_ALLOWED);
            }
            if allowed.iter().any(|vlan| is_reserved(vlan.get()) || vlan.get() > 4093) {
                return Err(Refusal::VLAN);
            }
            subscriber.allowed = allowed;
            subscriber.trunk &= subscriber.allowed.is_empty();
        }
        if let Some(trunk) = edit.trunk {
            subscriber.trunk = trunk;
            // Trunk mode takes the place of the list (JSON-RPC guide).
            if trunk {
                subscriber.allowed = VlanSet::default();
            }
        }
        if let Some(outer) = edit.outer_vid {
            if outer.is_some_and(|vlan| is_reserved(vlan) || vlan > 4093) {
                return Err(Refusal::OUTER_VLAN);
            }
            subscriber.outer_vid = outer;
        }
        if let Some(nni) = edit.nni {
            if nni.is_some_and(|uplink| uplink == 0 || uplink > spec.model.uplinks) {
                return Err(Refusal::NNI_PORT);
            }
            subscriber.nni = nni;
        }
        subscriber.description = edit.description.unwrap_or(subscriber.description);
        subscriber.tagged = edit.tagged.unwrap_or(subscriber.tagged);
        subscriber.poe = edit.poe.unwrap_or(subscriber.poe);
        subscriber.future_word = edit.future_word.or(subscriber.future_word);
        self.subscribers.insert(id, subscriber);
        Ok(())
    }

    /// `no ghn subscriber <id>`
    pub(in crate::sim) fn delete_subscriber(&mut self, id: u16) -> Result<(), Refusal> {
        self.subscribers
            .remove(&id)
            .map(|_| ())
            .ok_or(Refusal::NO_SUCH_SUBSCRIBER)
    }
}
