//! The validated inventory: what the files say, resolved and checked, without a trace of YAML.

mod subscribers;

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::billing::Mapping;
use super::drift::Drift;
use super::expression::Expression;
use super::guards::Guards;
use super::rate::Headroom;
use crate::domain::{
    BillingKind, DoubleTag, EndpointId, MacAddr, Mbps, Medium, Model, PoeMode, PortBinding, PortMode, PortNumber,
    ServiceLimitLevel, SubscriberId, SubscriberModel, VlanId, VlanSet,
};

use super::rollout::Waves;
use super::window::Window;

pub use subscribers::Subscribers;

/// Everything that the files under one `gamops.yaml` say, valid as a whole.
///
/// Shape: maps are keyed by inventory key; every reference between them resolves.
#[derive(Debug, Clone, PartialEq)]
pub struct Inventory {
    /// The inventory's id from `gamops.yaml`: names its state database.
    pub id: String,
    /// What the operator decided for the whole fleet.
    pub policies: Policies,
    /// How much more than the rate sold a profile allows, for plans that do not say.
    pub headroom: Headroom,
    /// Buildings or groups of devices.
    pub sites: BTreeMap<String, Site>,
    /// Devices by key.
    pub devices: BTreeMap<String, Device>,
    /// Service plans by key. The built-in `unthrottled` is not among them.
    pub plans: BTreeMap<String, ServicePlan>,
    /// Subscribers by key, and by device.
    pub subscribers: Subscribers,
    /// What the words of billing systems mean here.
    pub billing: BTreeMap<BillingKind, Mapping>,
}

/// The operator's decisions for the whole fleet.
#[derive(Debug, Clone, PartialEq)]
pub struct Policies {
    /// What to do about configuration that somebody else left unsaved.
    pub unsaved: Unsaved,
    /// What becomes of a device on which an apply fails.
    pub on_failure: OnFailure,
    /// How `state: suspended` is done.
    pub suspension: Option<Suspension>,
    /// The highest compiled rate that is written as a profile: 1000 Mbps unless raised, 1999 at most.
    pub max_rate: Mbps,
    /// How much one run may do.
    pub guards: Guards,
    /// In which portions devices are changed.
    pub waves: Waves,
    /// The operator's own rules over plans, by key.
    pub rules: BTreeMap<String, PolicyRule>,
    /// How long finished runs are remembered.
    pub history: History,
    /// What becomes of drift.
    pub drift: Drift,
}

/// A rule over plans.
#[derive(Debug, Clone, PartialEq)]
pub struct PolicyRule {
    /// The condition that a plan is asked.
    pub when: Expression,
    /// What happens where it holds.
    pub effect: Effect,
    /// What is said then.
    pub message: String,
}

/// What a rule over plans does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing of the plan is applied.
    Refuse,
    /// It is said.
    Warn,
}

impl Effect {
    /// The word in the inventory.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::Warn => "warn",
        }
    }
}

/// How long finished runs are remembered: as long as both say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct History {
    /// Days.
    pub keep_days: u16,
    /// How many runs, the newest.
    pub keep_runs: u32,
}

impl Default for History {
    fn default() -> Self {
        Self {
            keep_days: 400,
            keep_runs: 10_000,
        }
    }
}

/// What to do when a device's running configuration was changed by somebody else and not saved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unsaved {
    /// Leave the device alone until somebody has saved or reloaded it.
    Refuse,
    /// Say so. Where gamops has changes of its own, its save takes the others along, and the plan says that.
    #[default]
    Report,
    /// Save it, even where gamops has nothing of its own to change.
    Save,
}

/// What becomes of a device that refused a command, did not hold what it was asked to, or was lost on the way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnFailure {
    /// It is given back what it held before the run.
    #[default]
    Rollback,
    /// It is left as it is, unsaved.
    Leave,
}

/// How a suspended subscriber loses service. Never a port shutdown: traffic goes on through a port that
/// is shut down, and a coax port carries 16 homes.
#[derive(Debug, Clone, PartialEq)]
pub enum Suspension {
    /// Into a walled garden.
    Vlan(VlanId),
    /// Onto this plan.
    Plan(String),
    /// The endpoint is taken off, which leaves it to the device's captive portal on VLAN 4094.
    Unbind,
}

/// A building or another group of devices.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Site {
    /// Street address or whatever helps a technician.
    pub address: Option<String>,
    /// Free text.
    pub description: Option<String>,
    /// Its time zone.
    pub time_zone: Option<TimeZone>,
    /// Groups that it belongs to, in the order of the text.
    pub groups: Vec<String>,
    /// Pools of VLANs by name.
    pub vlans: BTreeMap<String, VlanSet>,
}

/// Ids of an object in billing systems, as text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct External {
    /// In Splynx.
    pub splynx: Option<String>,
    /// In Sonar.
    pub sonar: Option<String>,
}

impl External {
    /// The id in a billing system.
    #[must_use]
    pub fn of(&self, kind: BillingKind) -> Option<&str> {
        match kind {
            BillingKind::Splynx => self.splynx.as_deref(),
            BillingKind::Sonar => self.sonar.as_deref(),
        }
    }
}

/// How much of a device gamops may change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Reads and reports; changes nothing. The default, since a new device should start here.
    #[default]
    Observe,
    /// Plans and applies.
    Manage,
}

/// Why, and until when, a device is left as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pause {
    /// Why.
    pub reason: String,
    /// When it ends by itself. `None`: when the inventory says so.
    #[serde(serialize_with = "as_text")]
    pub until: Option<Timestamp>,
}

impl Pause {
    /// Whether it is over.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}

fn as_text<S: serde::Serializer>(moment: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    moment.map(|moment| moment.to_string()).serialize(serializer)
}

/// How a device is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transport {
    /// TCP port of SSH; 22 unless said.
    pub ssh_port: u16,
    /// UDP port of SNMP; 161 unless said.
    pub snmp_port: u16,
    /// Whether SNMP is asked at all.
    pub snmp: bool,
    /// Also offer the algorithms of old SSH servers: SHA-1 key exchange and MACs, `ssh-rsa`, CBC ciphers.
    pub legacy_algorithms: bool,
}

/// One GAM.
#[derive(Debug, Clone, PartialEq)]
pub struct Device {
    /// Key in the inventory.
    pub key: String,
    /// The key that it had before, if it was renamed.
    pub was: Option<String>,
    /// Site key.
    pub site: Option<String>,
    /// Product.
    pub model: &'static Model,
    /// IP address or DNS name.
    pub address: String,
    /// How to reach it.
    pub transport: Transport,
    /// Name of the credentials; values come from the environment or settings, never from here.
    pub credentials: String,
    /// Host key in OpenSSH form (`ssh-ed25519 AAAA...`), where it is not left to be pinned at first contact.
    pub host_key: Option<String>,
    /// Observe or manage.
    pub mode: Mode,
    /// Why and until when changes are held back, if they are.
    pub paused: Option<Pause>,
    /// When changes that a subscriber would feel may be made. `None`: at any time.
    pub window: Option<Window>,
    /// Never forgotten or emptied without an explicit order.
    pub protect: bool,
    /// Whether CLI words that nobody has seen may be tried.
    pub allow_assumed: bool,
    /// What its subscribers are tied to. Never written: a device that is otherwise is refused.
    pub subscriber_model: SubscriberModel,
    /// Host name to write. `None`: left as it is.
    pub hostname: Option<String>,
    /// Ports with settings of their own.
    pub ports: BTreeMap<PortNumber, Port>,
    /// Endpoints that serve no subscriber yet, by key.
    pub endpoints: BTreeMap<String, SpareEndpoint>,
    /// What becomes of drift on it.
    pub drift: Drift,
    /// The operator's own marks.
    pub labels: BTreeMap<String, String>,
    /// Ids in billing systems.
    pub external: External,
}

/// Settings of one port. `None`: not managed, or for `mode` and `shutdown`, the device default, enforced
/// only where the port is listed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Port {
    /// Name on the device.
    pub name: Option<String>,
    /// Line mode.
    pub mode: Option<PortMode>,
    /// No alarms from this port; does not stop traffic.
    pub shutdown: Option<bool>,
}

/// An endpoint in stock, or plugged in without a subscriber.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpareEndpoint {
    /// Key among the device's endpoints.
    pub key: String,
    /// The key that it had before.
    pub was: Option<String>,
    /// Its address.
    pub mac: MacAddr,
    /// Name on the device. `None`: the device's own convention, `Positron_XXXXXX`.
    pub name: Option<String>,
    /// Text on the device. `None`: not managed.
    pub description: Option<String>,
    /// Where it belongs.
    pub port: PortBinding,
    /// Whether the subscriber's side reaches the management VLAN. `None`: not managed.
    pub management_access: Option<bool>,
    /// Pinned number on the device.
    pub id: Option<EndpointId>,
    /// Not to be deleted without an explicit order.
    pub protect: bool,
}

/// A compiled rate: what a profile holds, or no profile at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rates {
    /// No limit but the line.
    Unthrottled,
    /// Down and up, headroom included.
    Limited {
        /// Towards the subscriber.
        down: Mbps,
        /// From the subscriber.
        up: Mbps,
    },
}

/// A plan as sold.
#[derive(Debug, Clone, PartialEq)]
pub struct ServicePlan {
    /// Key in the inventory.
    pub key: String,
    /// The key that it had before.
    pub was: Option<String>,
    /// Profile name on the device; the key unless said.
    pub name: String,
    /// Text on the device. `None`: not managed.
    pub description: Option<String>,
    /// Rates with headroom, before what a medium takes is looked at.
    pub asked: Rates,
    /// Compiled rates on coax.
    pub coax: Rates,
    /// Compiled rates on copper.
    pub copper: Rates,
    /// Which traffic classes are limited, on G1001-C endpoints. `None`: not managed.
    pub service_limit_level: Option<ServiceLimitLevel>,
    /// Not to be deleted without an explicit order.
    pub protect: bool,
    /// The operator's own marks.
    pub labels: BTreeMap<String, String>,
    /// Ids in billing systems.
    pub external: External,
}

impl ServicePlan {
    /// What is written to devices of a medium.
    #[must_use]
    pub const fn rates_on(&self, medium: Medium) -> Rates {
        match medium {
            Medium::Coax => self.coax,
            Medium::Copper => self.copper,
        }
    }
}

/// Whether a subscriber has service.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Served.
    #[default]
    Active,
    /// Held back by the suspension policy.
    Suspended,
}

/// The endpoint in a subscriber's home.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriberEndpoint {
    /// Its address.
    pub mac: MacAddr,
    /// Name on the device. `None`: the device's own convention, `Positron_XXXXXX`.
    pub name: Option<String>,
    /// Text on the device. `None`: not managed.
    pub description: Option<String>,
    /// Whether the subscriber's side reaches the management VLAN. `None`: not managed.
    pub management_access: Option<bool>,
    /// Pinned number on the device.
    pub id: Option<EndpointId>,
}

/// One subscriber. On a port-aware device it has no endpoint, and `port` is a port.
#[derive(Debug, Clone, PartialEq)]
pub struct Subscriber {
    /// Key in the inventory.
    pub key: String,
    /// The key that it had before.
    pub was: Option<String>,
    /// Device key.
    pub device: String,
    /// Name on the device; the key unless said. It is the option 82 remote id.
    pub name: String,
    /// Text on the device. `None`: not managed.
    pub description: Option<String>,
    /// Its endpoint. `None`: known to the device, served by nothing yet.
    pub endpoint: Option<SubscriberEndpoint>,
    /// Where its endpoint belongs.
    pub port: PortBinding,
    /// Plan key, or `unthrottled`.
    pub plan: String,
    /// Service VLAN.
    pub vlan: VlanId,
    /// Keep the tag on the endpoint's first port.
    pub tagged: bool,
    /// VLAN on the line in place of `vlan`.
    pub remapped_vlan: Option<VlanId>,
    /// Further VLANs, passed tagged.
    pub allowed_vlans: VlanSet,
    /// VLAN of the endpoint's second port.
    pub port2_vlan: Option<VlanId>,
    /// The endpoint's first port as a trunk for all VLANs, in place of `allowed_vlans`.
    pub trunk: bool,
    /// A second tag towards the network.
    pub double_tag: Option<DoubleTag>,
    /// Power over Ethernet. `None`: not managed.
    pub poe: Option<PoeMode>,
    /// Active or suspended.
    pub state: State,
    /// Pinned number on the device.
    pub id: Option<SubscriberId>,
    /// Not to be deleted without an explicit order.
    pub protect: bool,
    /// The operator's own marks.
    pub labels: BTreeMap<String, String>,
    /// Ids in billing systems.
    pub external: External,
    /// Until when billing changes nothing of it, and why. Devices know nothing of it.
    pub hold: Option<Box<Hold>>,
    /// The day on which billing said that it is over. Devices know nothing of it.
    pub ended: Option<Date>,
}

/// Why, and until when, billing changes nothing of a subscriber.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// When it ends by itself.
    pub until: Timestamp,
    /// Why.
    pub reason: String,
}

/// The plan key that stands for no limit.
pub const UNTHROTTLED: &str = "unthrottled";
