//! A plan for a fleet from what was published of it: no device is asked, nothing is remembered, nobody logs in anywhere.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use crate::dialect::{command, running};
use crate::inventory;
use crate::inventory::drift::lapsed;
use crate::inventory::model::{Device, Inventory};
use crate::observed::Kind;
use crate::plan::guard::{self, Allowances, Baseline, Sight};
use crate::plan::model::{DeviceChanges, DevicePlan, Outcome, Plan, Unread};
use crate::plan::moves::{self, Move};
use crate::plan::record::Record;
use crate::plan::{Inputs, Target, named, plan_device, window};

use super::{Document, InvalidDocument, Sighting, file};

/// What was published of a fleet.
#[derive(Debug, Default)]
pub struct Fleet {
    /// By device key.
    devices: BTreeMap<String, Result<Sighting, InvalidDocument>>,
}

/// Under which conditions a plan is made.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    /// The commit that the inventory was read from, as plans write it.
    pub commit: Option<&'a str>,
    /// The moment: pauses end by it, windows open.
    pub now: Timestamp,
    /// Whether devices would be changed outside their maintenance windows too.
    pub ignore_windows: bool,
    /// What was said to be meant, though a guard would refuse it.
    pub allowances: &'a Allowances,
    /// What is planned: all of the fleet where nothing is named.
    pub targets: &'a [Target],
    /// The inventory that guards compare with, in the place of the one that was last applied, which is not published.
    pub last: Option<&'a Baseline>,
}

impl Fleet {
    /// Reads the files of [`super::OBSERVED`], by their names. Those that are about no device are left out.
    #[must_use]
    pub fn read<'t>(files: impl IntoIterator<Item = (&'t str, &'t str)>) -> Self {
        let device = |(name, text): (&'t str, &'t str)| {
            let key = name.strip_prefix("devices/")?.strip_suffix(".json")?;
            (file(key) == name).then(|| {
                let read = Document::parse(text).and_then(|document| document.sighting());
                (key.to_owned(), read)
            })
        };
        Self {
            devices: files.into_iter().filter_map(device).collect(),
        }
    }

    /// What was published of a device of the inventory, under its key or the one that it had before.
    fn of(&self, device: &Device) -> Option<(&str, &Result<Sighting, InvalidDocument>)> {
        let under = |key: &str| self.devices.get_key_value(key);
        let (key, seen) = under(&device.key).or_else(|| under(device.was.as_deref()?))?;
        Some((key, seen))
    }

    /// The key under which a device of the inventory was published.
    #[must_use]
    pub fn key_of(&self, device: &Device) -> Option<&str> {
        self.of(device).map(|(key, _)| key)
    }

    /// The devices of an inventory of which something was published that cannot be used.
    #[must_use]
    pub fn unusable(&self, inventory: &Inventory) -> BTreeSet<String> {
        let devices = inventory.devices.values();
        let is_unusable = |device: &&Device| self.of(device).is_some_and(|(_, seen)| seen.is_err());
        devices.filter(is_unusable).map(|device| device.key.clone()).collect()
    }

    /// What was published of a device of an inventory, where it can be used.
    #[must_use]
    pub fn sighting(&self, device: &Device) -> Option<&Sighting> {
        self.usable(device).ok()
    }

    /// Plans one device of an inventory, as if it were the only one.
    #[must_use]
    pub fn plan_one(&self, inventory: &Inventory, device: &Device, terms: Terms<'_>) -> DevicePlan {
        let seen = self.usable(device);
        DevicePlan {
            device: device.key.clone(),
            address: format!("{}:{}", device.address, device.transport.ssh_port),
            model: device.model.name,
            host_key: seen.as_ref().ok().map(|sighting| sighting.host_key.clone()),
            outcome: match seen.and_then(|sighting| changes(sighting, inventory, device, terms)) {
                Ok(changes) => Outcome::Read(Box::new(changes)),
                Err(unread) => Outcome::Unread(unread),
            },
        }
    }

    /// Plans the whole fleet of an inventory, as a run would that reads every device: moves, guards and rules included.
    #[must_use]
    pub fn plan(&self, inventory: &Inventory, terms: Terms<'_>) -> Plan {
        let devices = inventory.devices.values();
        let devices = devices.filter(|device| named(terms.targets, &device.key).is_some());
        let mut plan = Plan {
            inventory: inventory.id.clone(),
            commit: terms.commit.map(str::to_owned),
            targets: terms.targets.to_vec(),
            devices: devices.map(|device| self.plan_one(inventory, device, terms)).collect(),
            windows_ignored: terms.ignore_windows,
            moves: Vec::new(),
            waves: inventory.policies.waves.clone(),
            trips: Vec::new(),
            rulings: Vec::new(),
            notes: lapsed(inventory, terms.now),
        };
        plan.moves = moves::moves(&plan, |key| moves::home(inventory, key));
        if !plan.moves.is_empty() {
            let settled = plan.moves.iter().filter(|one| self.is_settled(inventory, one));
            let settled = settled.cloned().collect();
            moves::hold_back(&mut plan, &settled);
        }
        let owned = |device: &Device| self.usable(device).map(|sighting| subscribers(&sighting.records));
        let on_record = inventory.devices.values();
        let on_record = on_record.map(|device| (device.key.clone(), owned(device).unwrap_or(0)));
        let sight = Sight {
            inventory,
            on_record: &on_record.collect(),
            last: terms.last,
            allowances: terms.allowances,
        };
        plan.trips = guard::judge(&plan, sight);
        plan.rulings = guard::rulings(&plan, inventory);
        plan
    }

    /// What is known of a device, or why nothing is.
    fn usable(&self, device: &Device) -> Result<&Sighting, Unread> {
        let unread = |reason: String, help: &str| Unread {
            reason,
            help: Some(help.to_owned()),
            lasting: true,
        };
        match self.of(device) {
            None => Err(unread(
                "it was never observed".to_owned(),
                "what it needs is known once the daemon has read it",
            )),
            Some((key, Err(invalid))) => Err(unread(
                format!("what was published of it cannot be used ({}): {invalid}", file(key)),
                "use the version of gamops that the daemon has",
            )),
            Some((_, Ok(sighting))) => match sighting.identity.model {
                Some(model) if model != device.model => Err(Unread::of_another_model(device, model)),
                _ => Ok(sighting),
            },
        }
    }

    /// Whether a subscriber that moves is on record on its new device: an earlier run verified it there.
    fn is_settled(&self, inventory: &Inventory, one: &Move) -> bool {
        let is_it = |record: &Record| {
            record.kind() == Kind::Subscriber && record.key == one.subscriber && record.applied.is_some()
        };
        let to = inventory.devices.get(&one.to);
        let seen = to.and_then(|device| self.usable(device).ok());
        seen.is_some_and(|sighting| sighting.records.iter().any(is_it))
    }
}

fn changes(
    sighting: &Sighting,
    inventory: &Inventory,
    device: &Device,
    terms: Terms<'_>,
) -> Result<DeviceChanges, Unread> {
    let desired = inventory::compile(inventory, &device.key).ok_or_else(Unread::not_in_inventory)?;
    let window = window::of(device, inventory, terms.now).filter(|_| !terms.ignore_windows);
    // Pauses are published as they stood; one may have ended since.
    let mut inputs = sighting.clone();
    inputs
        .pauses
        .retain(|pause| pause.until.is_none_or(|until| until > terms.now));
    let desired = Arc::new(desired);
    let objects = named(terms.targets, &device.key).flatten();
    let inputs = Inputs {
        targets: objects.as_ref(),
        ..inputs.inputs(&desired, running::canonical, terms.now, window)
    };
    Ok(plan_device(inputs, &|change| {
        command::commands(change).map_err(|error| error.to_string())
    }))
}

/// How many subscribers gamops owns.
fn subscribers(records: &[Record]) -> usize {
    let subscribers = records.iter().filter(|record| record.kind() == Kind::Subscriber);
    subscribers.count()
}
