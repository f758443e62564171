//! What one device is to hold, as the inventory asks for it: keys instead of numbers, and `None` where the
//! inventory leaves a setting to the device. `plan` matches it with what is there.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::domain::{
    DoubleTag, EndpointId, MacAddr, Mbps, Model, PoeMode, PortBinding, PortNumber, ServiceLimitLevel, SubscriberId,
    SubscriberModel, VlanId, VlanSet,
};

use super::drift::DesiredDrift;
use super::model::{Mode, Pause, Port, Unsaved};

/// The wish for one device.
///
/// Shape: `profiles` holds only plans that a subscriber of this device uses and that limit anything on
/// its medium. Every `plan` and `endpoint` key of a subscriber is in the maps beside it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DesiredDevice {
    /// Inventory key.
    pub key: String,
    /// The key that it had before.
    pub was: Option<String>,
    /// Product.
    pub model: &'static Model,
    /// Observe or manage.
    pub mode: Mode,
    /// Why and until when changes are held back, if they are.
    pub paused: Option<Pause>,
    /// What to do about somebody else's unsaved configuration.
    pub unsaved: Unsaved,
    /// What becomes of drift. Takes part in fingerprints only where the inventory says something.
    #[serde(skip_serializing_if = "DesiredDrift::is_silent")]
    pub drift: DesiredDrift,
    /// Whether CLI words that nobody has seen may be tried.
    pub allow_assumed: bool,
    /// What its subscribers are tied to.
    pub subscriber_model: SubscriberModel,
    /// Host name to write. `None`: left as it is.
    pub hostname: Option<String>,
    /// Ports that the inventory lists.
    pub ports: BTreeMap<PortNumber, Port>,
    /// Profiles by plan key.
    pub profiles: BTreeMap<String, DesiredProfile>,
    /// Endpoints: a subscriber's under the subscriber's key, so that a new CPE keeps its number; a spare
    /// one under its own key.
    pub endpoints: BTreeMap<String, DesiredEndpoint>,
    /// Subscribers by key.
    pub subscribers: BTreeMap<String, DesiredSubscriber>,
    /// What compiling decided that an operator should know: a rate that became unthrottled, say.
    pub notes: Vec<String>,
}

/// A bandwidth profile that some subscriber here uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DesiredProfile {
    /// The plan key that it had before.
    pub was: Option<String>,
    /// Name on the device.
    pub name: String,
    /// Text. `None`: not managed.
    pub description: Option<String>,
    /// Towards the subscriber.
    pub down: Mbps,
    /// From the subscriber.
    pub up: Mbps,
    /// Which traffic classes are limited. `None`: not managed.
    pub service_limit_level: Option<ServiceLimitLevel>,
    /// Not to be deleted without an explicit order.
    pub protect: bool,
}

/// An endpoint that the inventory knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DesiredEndpoint {
    /// The key that it had before.
    pub was: Option<String>,
    /// Its address.
    pub mac: MacAddr,
    /// Name. `None`: the device's own convention.
    pub name: Option<String>,
    /// Text. `None`: not managed.
    pub description: Option<String>,
    /// Where it belongs.
    pub port: PortBinding,
    /// Whether the subscriber's side reaches the management VLAN. `None`: not managed.
    pub management_access: Option<bool>,
    /// Pinned number.
    pub id: Option<EndpointId>,
    /// Not to be deleted without an explicit order.
    pub protect: bool,
}

/// What a subscriber's rate is to be limited by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum DesiredRate {
    /// Nothing but the line.
    Unthrottled,
    /// The profile of this plan key.
    Profile(String),
}

/// A subscriber, suspension already worked in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DesiredSubscriber {
    /// The key that it had before.
    pub was: Option<String>,
    /// Name: the option 82 remote id.
    pub name: String,
    /// Text. `None`: not managed.
    pub description: Option<String>,
    /// Key of its endpoint. `None`: bound to nothing, or on a port-aware device.
    pub endpoint: Option<String>,
    /// Its port on a port-aware device. `None`: bound to nothing, or on an endpoint-aware device.
    pub port: Option<PortNumber>,
    /// Service VLAN.
    pub vlan: VlanId,
    /// Keep the tag on the endpoint's first port.
    pub tagged: bool,
    /// VLAN on the line.
    pub remapped_vlan: Option<VlanId>,
    /// What limits its rate.
    pub rate: DesiredRate,
    /// Further VLANs.
    pub allowed_vlans: VlanSet,
    /// VLAN of the endpoint's second port.
    pub port2_vlan: Option<VlanId>,
    /// The endpoint's first port as a trunk, in place of `allowed_vlans`.
    pub trunk: bool,
    /// A second tag towards the network.
    pub double_tag: Option<DoubleTag>,
    /// Power over Ethernet. `None`: not managed.
    pub poe: Option<PoeMode>,
    /// Pinned number.
    pub id: Option<SubscriberId>,
    /// Not to be deleted without an explicit order.
    pub protect: bool,
    /// Whether the suspension policy is in force for it.
    pub suspended: bool,
}
