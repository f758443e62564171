//! What the inventory says of a billing system: what its words mean here, and how far it may go.

mod template;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::BillingKind;

use super::guards::{Limit, Share};
use super::model::State;

pub use template::{NotATemplate, Placeholder, Template};

/// Names of the facts that billing systems tell of accounts and services, besides `field.NAME` for the operator's own fields.
pub const FACTS: [&str; 8] = [
    "location",
    "partner",
    "company",
    "network_site",
    "city",
    "street",
    "zip",
    "label",
];

/// Where a billing system may say which endpoint, device or port a service is on. What ends with a dot goes on with a name of the
/// operator's own.
#[must_use]
pub const fn sources(kind: BillingKind) -> &'static [&'static str] {
    match kind {
        BillingKind::Splynx => &[
            "inventory.barcode",
            "inventory.serial_number",
            "service.mac",
            "service.login",
            "service.field.",
            "service.access_device",
            "service.port_id",
            "account.field.",
        ],
        BillingKind::Sonar => &[
            "inventory.",
            "service.uninventoried_mac",
            "account.uninventoried_mac",
            "service.metadata.",
            "address.field.",
            "account.field.",
            "radius.username",
        ],
    }
}

/// What a billing system's words mean in the inventory, and how far it may go.
#[derive(Debug, Clone, PartialEq)]
pub struct Mapping {
    /// Plan keys, or `unthrottled`, by the id or the name of what is sold. A plan's own `external` counts as well.
    pub plans: BTreeMap<String, String>,
    /// Which accounts are whose, the first that fits. Empty: all are ours, on whichever site they turn out to be.
    pub sites: Vec<SiteRule>,
    /// Where the MAC address of the endpoint may stand, as sources of clues; the first that says exactly one counts.
    pub endpoint: Vec<String>,
    /// Where the port may stand; used where no address is known.
    pub port: Vec<String>,
    /// Where the device may stand: its key, host name, address or external id.
    pub device: Vec<String>,
    /// Key of a new subscriber.
    pub key: Template,
    /// Name of a new subscriber on its device. `None`: its key.
    pub name: Option<Template>,
    /// Text of a new subscriber on its device. `None`: none.
    pub description: Option<Template>,
    /// Which VLAN a new subscriber gets. `None`: none of its own.
    pub vlans: Option<VlanRule>,
    /// What becomes of a customer who owes while the system still serves him.
    pub delinquent: State,
    /// Days between the mark that a service has ended and the removal of its subscriber.
    pub grace_days: u16,
    /// How what happens to a subscriber gets into the branch, where it is not the usual way.
    pub ways: BTreeMap<Kind, Way>,
    /// How much it may ask for.
    pub limits: Limits,
}

/// What happens to a subscriber's entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// It stays as it is, under another id in billing.
    Rename,
    /// It gets another plan.
    Plan,
    /// It works again.
    Restore,
    /// It comes into the inventory.
    Create,
    /// It rests.
    Suspend,
    /// It leaves the inventory.
    Remove,
}

impl Kind {
    /// All of them, the one that counts least first.
    pub const ALL: [Self; 6] = [
        Self::Rename,
        Self::Plan,
        Self::Restore,
        Self::Create,
        Self::Suspend,
        Self::Remove,
    ];

    /// Its word in the inventory, on the command line and in commits.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Rename => "rename",
            Self::Plan => "plan",
            Self::Restore => "restore",
            Self::Create => "create",
            Self::Suspend => "suspend",
            Self::Remove => "remove",
        }
    }
}

/// How an edit gets into the branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// By a commit on it.
    Push,
    /// By a change request.
    Propose,
}

/// Whose accounts are that fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteRule {
    /// What becomes of them.
    pub then: Whose,
    /// The facts that must hold, by name, with one of the texts that fit. Empty: every account fits.
    pub when: BTreeMap<String, Vec<String>>,
}

/// Whose an account is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// It belongs to a site, by its key.
    Site(String),
    /// It is none of ours, for the reason given.
    Others(String),
}

/// Which VLAN a new subscriber gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VlanRule {
    /// Name of the pool, among those of the device's site.
    pub pool: String,
    /// Among whom a VLAN is used once.
    pub unique: Unique,
    /// Days that a VLAN rests before another subscriber gets it.
    pub rest_days: u16,
}

/// Among whom a VLAN is used once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Unique {
    /// The subscribers of a device.
    Device,
    /// The subscribers of all devices of a site.
    #[default]
    Site,
    /// Nobody: all share the first of the pool.
    None,
}

/// How much of one kind, at once and over a day. `None`: any number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// In one sync.
    pub run: Option<Limit>,
    /// In 24 hours, with what was written in them already.
    pub day: Option<Limit>,
}

/// How much a billing system may ask for before somebody has to say that it is meant. Shares are of the subscribers that are
/// tied to a service of the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Plans changed.
    pub plan: Pace,
    /// Subscribers that work again.
    pub restore: Pace,
    /// Subscribers that come in.
    pub create: Pace,
    /// Subscribers that are to rest.
    pub suspend: Pace,
    /// Subscribers that leave.
    pub remove: Pace,
    /// Accounts, or services, that all that is told may lack against the last time. Shares are of what was there.
    pub lose: Option<Limit>,
    /// Services that are not understood. Shares are of all services.
    pub unclear: Option<Limit>,
    /// Services that begin or cease to be served between two times. Shares are of all services.
    pub turn: Option<Limit>,
}

impl Limits {
    /// The limit of a kind. `None`: the kind has none.
    #[must_use]
    pub const fn of(&self, kind: Kind) -> Option<Pace> {
        match kind {
            Kind::Rename => None,
            Kind::Plan => Some(self.plan),
            Kind::Restore => Some(self.restore),
            Kind::Create => Some(self.create),
            Kind::Suspend => Some(self.suspend),
            Kind::Remove => Some(self.remove),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        let limit = |count, percent| {
            Some(Limit {
                count: Some(count),
                share: Some(Share::percent(percent)),
            })
        };
        let pace = |run, day| Pace { run, day };
        Self {
            plan: pace(limit(50, 5), limit(100, 10)),
            restore: pace(limit(50, 5), limit(100, 10)),
            create: pace(limit(50, 5), limit(200, 20)),
            suspend: pace(limit(20, 5), limit(40, 10)),
            remove: pace(limit(5, 1), limit(20, 2)),
            lose: limit(10, 5),
            unclear: limit(10, 5),
            turn: limit(50, 20),
        }
    }
}

impl Default for Mapping {
    fn default() -> Self {
        Self {
            plans: BTreeMap::new(),
            sites: Vec::new(),
            endpoint: Vec::new(),
            port: Vec::new(),
            device: Vec::new(),
            key: Template::default_key(),
            name: None,
            description: None,
            vlans: None,
            delinquent: State::Active,
            grace_days: 14,
            ways: BTreeMap::new(),
            limits: Limits::default(),
        }
    }
}

impl Mapping {
    /// How what happens to a subscriber gets into the branch. Removals are proposed unless the inventory says otherwise.
    #[must_use]
    pub fn way(&self, kind: Kind) -> Way {
        let usual = if kind == Kind::Remove { Way::Propose } else { Way::Push };
        self.ways.get(&kind).copied().unwrap_or(usual)
    }

    /// The names of all facts and sources of clues that it goes by.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let facts = self.sites.iter().flat_map(|rule| rule.when.keys());
        let sources = [&self.endpoint, &self.port, &self.device].into_iter().flatten();
        facts.chain(sources).map(String::as_str)
    }
}
