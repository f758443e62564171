//! The managed part of a device's configuration.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::{
    DoubleTag, EndpointId, MacAddr, Mbps, PoeMode, PortBinding, PortMode, PortNumber, ProfileId, ServiceLimitLevel,
    SubscriberId, SubscriberModel, VlanId, VlanSet,
};

/// All that gamops manages on one device, canonical: equal values mean equal configuration.
///
/// Shape: maps are keyed by the device's own numbers. A port that holds nothing but defaults is not in
/// `ports`. Profile 1 may be missing, since whether a device prints it is unknown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DeviceConfig {
    /// What subscribers are tied to, where the device showed it: by a subscriber's line that names a port.
    pub subscriber_model: SubscriberModel,
    /// The host name; empty when the device has none (its prompt is then a bare `# `).
    pub hostname: String,
    /// Ports that differ from their defaults.
    pub ports: BTreeMap<PortNumber, Port>,
    /// Bandwidth profiles.
    pub profiles: BTreeMap<ProfileId, Profile>,
    /// Configured endpoints.
    pub endpoints: BTreeMap<EndpointId, Endpoint>,
    /// Subscribers.
    pub subscribers: BTreeMap<SubscriberId, Subscriber>,
}

/// One G.hn port: `ghn port <n> [mode ...] [name ...] [shutdown]` (CLI guide).
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Port {
    /// Line mode. Changing it retrains the line.
    pub mode: PortMode,
    /// Name, unique among ports when set; empty when none.
    pub name: String,
    /// Not watched for alarms. **Traffic goes on** (installation guide): not a way to suspend anybody.
    pub shutdown: bool,
    /// Keywords this version does not know, as printed.
    pub unknown: Vec<String>,
}

/// One bandwidth profile: `ghn bw-profile <id> ...` (CLI guide).
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Profile {
    /// Name, unique among profiles.
    pub name: String,
    /// Free text; empty when none.
    pub description: String,
    /// Rate towards the subscriber. `None`: not printed, and its default is unknown.
    pub down: Option<Mbps>,
    /// Rate from the subscriber. `None`: not printed, and its default is unknown.
    pub up: Option<Mbps>,
    /// Which traffic classes are limited (`service-limit-level`, CLI guide; G1001-C endpoints only).
    pub service_limit_level: Option<ServiceLimitLevel>,
    /// Keywords this version does not know, as printed.
    pub unknown: Vec<String>,
}

/// One configured endpoint: `ghn endpoint <id> ...` (CLI guide; lines seen on 1.5.4).
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Endpoint {
    /// Name, unique among endpoints.
    pub name: String,
    /// Its address, unique among endpoints. `None` only where a device printed none.
    pub mac: Option<MacAddr>,
    /// Free text; empty when none.
    pub description: String,
    /// The port it belongs to.
    pub port: PortBinding,
    /// Whether the subscriber's side reaches the management VLAN.
    pub management_access: bool,
    /// Keywords this version does not know, as printed.
    pub unknown: Vec<String>,
}

/// What limits a subscriber's rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProfileRef {
    /// Nothing but the line.
    Unthrottled,
    /// This bandwidth profile.
    Profile(ProfileId),
}

impl fmt::Display for ProfileRef {
    /// The word that the command line uses: a number or `unthrottled`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unthrottled => f.write_str("unthrottled"),
            Self::Profile(id) => id.fmt(f),
        }
    }
}

/// One subscriber (the MIB and JSON-RPC say *user*): `ghn subscriber <id> ...` (CLI guide; lines seen
/// on 1.5.4).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Subscriber {
    /// Name, unique among subscribers. **It is the DHCP option 82 and PPPoE remote id.**
    pub name: String,
    /// Free text; empty when none.
    pub description: String,
    /// The endpoint that serves it; none means no service. On a port-aware device an observation, not a setting.
    pub endpoint: Option<EndpointId>,
    /// The port that it is tied to on a port-aware device (`port`, an assumed word).
    pub port: Option<PortNumber>,
    /// Service VLAN; 4094, the captive portal, when none was printed.
    pub vlan: VlanId,
    /// Whether the endpoint's first Ethernet port keeps the tag.
    pub tagged: bool,
    /// VLAN on the line in place of `vlan`.
    pub remapped_vlan: Option<VlanId>,
    /// Rate limit. `None`: not printed, and the device's default for it is not known.
    pub profile: Option<ProfileRef>,
    /// VLANs passed unchanged, tagged.
    pub allowed_vlans: VlanSet,
    /// VLAN of the endpoint's second Ethernet port.
    pub port2_vlan: Option<VlanId>,
    /// The endpoint's first port as a trunk (`trunk`, an assumed word; MIB).
    pub trunk: bool,
    /// A second tag towards the network (`outer-vid` and `nni`, assumed words; MIB).
    pub double_tag: Option<DoubleTag>,
    /// Power over Ethernet. `None`: not printed; older firmware does not know the word.
    pub poe: Option<PoeMode>,
    /// Keywords this version does not know, as printed.
    pub unknown: Vec<String>,
}

impl Default for Subscriber {
    fn default() -> Self {
        Self {
            name: String::new(),
            description: String::new(),
            endpoint: None,
            port: None,
            trunk: false,
            double_tag: None,
            vlan: VlanId::CAPTIVE_PORTAL,
            tagged: false,
            remapped_vlan: None,
            profile: None,
            allowed_vlans: VlanSet::default(),
            port2_vlan: None,
            poe: None,
            unknown: Vec::new(),
        }
    }
}

/// All of `show running-config`: the managed part, and the rest as canonical lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunningConfig {
    /// What gamops manages. Shared with the plans that are made from it.
    pub managed: Arc<DeviceConfig>,
    /// Every other line that an operator could have configured, in printed order, **secrets masked**.
    /// The `interface G.hn` sections, which the device computes from the subscribers, are not in it.
    pub other: Vec<String>,
    /// What was read but looks odd, one sentence each: values that gamops would never send, lines it
    /// could not understand.
    pub warnings: Vec<String>,
}

impl DeviceConfig {
    /// What somebody configured: on a port-aware device without the endpoints, which appear there by themselves
    /// (JSON-RPC guide), and without the mention of one in a subscriber's line. Elsewhere all of it.
    #[must_use]
    pub fn settings(&self) -> Cow<'_, Self> {
        if self.subscriber_model == SubscriberModel::EndpointAware {
            return Cow::Borrowed(self);
        }
        let mut settings = self.clone();
        settings.endpoints.clear();
        for subscriber in settings.subscribers.values_mut() {
            subscriber.endpoint = None;
        }
        Cow::Owned(settings)
    }

    /// The subscriber model that the device shows by its subscribers' lines: tied to a port, or to an endpoint
    /// alone. `None` while none of them is tied to anything.
    #[must_use]
    pub fn shown_model(&self) -> Option<SubscriberModel> {
        if self.subscriber_model == SubscriberModel::PortAware {
            return Some(SubscriberModel::PortAware);
        }
        let bound = |subscriber: &Subscriber| subscriber.endpoint.is_some();
        self.subscribers
            .values()
            .any(bound)
            .then_some(SubscriberModel::EndpointAware)
    }

    /// Takes the operator's word for the subscriber model where the device shows none.
    pub fn assume_model(self: &mut Arc<Self>, model: SubscriberModel) {
        if self.subscriber_model != model && self.shown_model().is_none() {
            Arc::make_mut(self).subscriber_model = model;
        }
    }

    /// The port's settings, defaults where nothing was configured.
    #[must_use]
    pub fn port(&self, port: PortNumber) -> Port {
        self.ports.get(&port).cloned().unwrap_or_default()
    }

    /// Sets a port, keeping the map canonical: a port of defaults only is not held.
    pub fn set_port(&mut self, port: PortNumber, settings: Port) {
        if settings == Port::default() {
            self.ports.remove(&port);
        } else {
            self.ports.insert(port, settings);
        }
    }
}
