//! What is remembered of the inventory that was last applied as a whole.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::inventory::guards::Guards;
use crate::inventory::model::Inventory;

/// How many there are of each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Devices.
    pub devices: usize,
    /// Subscribers.
    pub subscribers: usize,
    /// Plans.
    pub plans: usize,
}

/// What `protect: true` was written on, by key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Protected {
    /// Devices.
    pub devices: BTreeSet<String>,
    /// Plans.
    pub plans: BTreeSet<String>,
    /// Subscribers, with their device.
    pub subscribers: BTreeMap<String, String>,
    /// Spare endpoints, by device and key.
    pub endpoints: BTreeSet<(String, String)>,
}

/// Which earlier inventory guards compare with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Earlier {
    /// The one that was last applied as a whole.
    #[default]
    Applied,
    /// The one that a change is measured against, where nobody knows which was last applied.
    Base,
}

/// The inventory that was last applied as a whole, as far as guards ask for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Baseline {
    /// Whether it is that one.
    #[serde(skip)]
    pub earlier: Earlier,
    /// Its commit; `None` outside Git.
    pub commit: Option<String>,
    /// How many objects it had.
    pub counts: Counts,
    /// Its limits.
    pub guards: Guards,
    /// What it protected.
    pub protected: Protected,
}

impl Baseline {
    /// What to remember of an inventory.
    #[must_use]
    pub fn of(inventory: &Inventory, commit: Option<&str>) -> Self {
        let devices = inventory.devices.values();
        let spares = devices.clone().flat_map(|device| {
            let protected = device.endpoints.values().filter(|spare| spare.protect);
            protected.map(|spare| (device.key.clone(), spare.key.clone()))
        });
        let plans = inventory.plans.values().filter(|plan| plan.protect);
        let subscribers = inventory.subscribers.values().filter(|subscriber| subscriber.protect);
        Self {
            earlier: Earlier::Applied,
            commit: commit.map(str::to_owned),
            counts: Counts::of(inventory),
            guards: inventory.policies.guards,
            protected: Protected {
                endpoints: spares.collect(),
                devices: devices
                    .filter(|device| device.protect)
                    .map(|device| device.key.clone())
                    .collect(),
                plans: plans.map(|plan| plan.key.clone()).collect(),
                subscribers: subscribers
                    .map(|subscriber| (subscriber.key.clone(), subscriber.device.clone()))
                    .collect(),
            },
        }
    }
}

impl Counts {
    /// What an inventory holds.
    #[must_use]
    pub fn of(inventory: &Inventory) -> Self {
        Self {
            devices: inventory.devices.len(),
            subscribers: inventory.subscribers.len(),
            plans: inventory.plans.len(),
        }
    }
}
