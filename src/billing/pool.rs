//! Which VLAN a new subscriber gets.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;

use crate::inventory::billing::{Unique, VlanRule};
use crate::inventory::model::{Device, Inventory};

use super::memory::{day, days_between, vlans};

/// The pools of all sites, and what is taken of them.
#[derive(Debug)]
pub(super) struct Pools<'f> {
    inventory: &'f Inventory,
    /// When each VLAN was last used, by place.
    used: &'f BTreeMap<String, BTreeMap<u16, Date>>,
    today: Date,
    /// Where it is not sure what time it is, a VLAN that was ever used has not rested.
    time_is_sure: bool,
    /// VLANs in use by place, with those that were given in this run.
    taken: BTreeMap<String, BTreeSet<u16>>,
}

impl<'f> Pools<'f> {
    pub(super) fn new(
        inventory: &'f Inventory,
        used: &'f BTreeMap<String, BTreeMap<u16, Date>>,
        now: Timestamp,
        time_is_sure: bool,
    ) -> Self {
        Self {
            inventory,
            used,
            today: day(now),
            time_is_sure,
            taken: BTreeMap::new(),
        }
    }

    /// The lowest VLAN of the pool that is free and has rested; it is taken then.
    ///
    /// # Errors
    ///
    /// Why there is none, in words.
    pub(super) fn next(&mut self, device: &Device, rule: &VlanRule) -> Result<u16, String> {
        let VlanRule {
            pool: name,
            unique,
            rest_days,
        } = rule;
        let site = device.site.as_ref();
        let Some((site, pool)) = site.and_then(|key| Some((key, self.inventory.sites.get(key)?.vlans.get(name)?)))
        else {
            let of = site.map_or_else(
                || "which is on no site".to_owned(),
                |site| format!("whose site is `{site}`"),
            );
            return Err(format!(
                "there is no pool `{name}` for {}, {of}: add it under `vlans` of its site",
                device.key
            ));
        };
        let all = pool.iter().map(|vlan| vlan.get());
        let (place, devices) = match unique {
            Unique::None => {
                return all
                    .min()
                    .ok_or_else(|| format!("the pool `{name}` of `{site}` is empty"));
            }
            Unique::Device => (format!("device/{}", device.key), vec![device.key.as_str()]),
            Unique::Site => {
                let of_site = (self.inventory.devices.values()).filter(|one| one.site.as_ref() == Some(site));
                (format!("site/{site}"), of_site.map(|one| one.key.as_str()).collect())
            }
        };
        let taken = self.taken.entry(place.clone()).or_insert_with(|| {
            let subscribers = devices
                .into_iter()
                .flat_map(|device| self.inventory.subscribers.on(device));
            subscribers.flat_map(vlans).collect()
        });
        let used = self.used.get(&place);
        let has_rested = |vlan: &u16| match used.and_then(|used| used.get(vlan)) {
            None => true,
            Some(last) => self.time_is_sure && days_between(*last, self.today) >= i64::from(*rest_days),
        };
        let free: Vec<u16> = all.filter(|vlan| !taken.contains(vlan)).collect();
        match free.iter().copied().find(has_rested) {
            Some(vlan) => {
                taken.insert(vlan);
                Ok(vlan)
            }
            None => Err(format!(
                "the pool `{name}` of `{site}` has no VLAN left{}: make it larger",
                match free.len() {
                    0 => String::new(),
                    resting => format!(", but for {resting} that rest for {rest_days} days"),
                }
            )),
        }
    }
}
