//! Bandwidth profiles of many devices as plans of one fleet.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{Mbps, ProfileId, ServiceLimitLevel};
use crate::inventory::Headroom;
use crate::inventory::model::{Rates, ServicePlan, UNTHROTTLED};
use crate::observed::{DeviceConfig, Profile, ProfileRef};

use super::found::Existing;
use super::keys;
use super::rates::{Sold, sold};

/// A plan of the fleet: every profile of this name with these rates, wherever it is.
#[derive(Debug, Clone)]
pub(super) struct PlanDraft {
    /// Inventory key.
    pub(super) key: String,
    /// Name of the profile on the devices.
    pub(super) name: String,
    /// What it is sold as.
    pub(super) sold: Sold,
    /// Text on the devices, where it is the same on all of them.
    pub(super) description: Shared<String>,
    /// Which traffic classes are limited, where it is the same on all devices.
    pub(super) level: Shared<ServiceLimitLevel>,
    /// Whether the inventory has it already.
    pub(super) exists: bool,
}

/// A setting that several devices hold for one plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shared<T> {
    /// Nowhere set.
    Absent,
    /// The same everywhere.
    Same(T),
    /// Different from one device to the next.
    Differs,
}

impl<T: Clone + PartialEq> Shared<T> {
    fn of(values: &[Option<T>]) -> Self {
        match values.split_first() {
            None => Self::Absent,
            Some((first, others)) if others.iter().any(|other| other != first) => Self::Differs,
            Some((first, _)) => first.clone().map_or(Self::Absent, Self::Same),
        }
    }
}

/// The plans of a fleet, by rates and name, and which profile is which.
#[derive(Debug, Default)]
pub(super) struct Plans {
    /// The plans, slowest first.
    pub(super) list: Vec<PlanDraft>,
    /// Places in `list` by device and profile.
    pub(super) of: BTreeMap<(usize, ProfileId), usize>,
    /// Headroom of plans that do not say one.
    pub(super) headroom: Headroom,
}

/// What makes two profiles one plan. The order is that of the list.
type Identity<'c> = (Mbps, Mbps, &'c str);

/// Why a profile can be no plan; `None` where it can.
pub(super) fn not_a_plan(id: ProfileId, profile: Option<&Profile>) -> Option<String> {
    let Some(profile) = profile else {
        return Some(format!("bandwidth profile {id} is not configured"));
    };
    if id == ProfileId::DEVICE_DEFAULT {
        return Some("bandwidth profile 1 belongs to the device, and no plan can stand for it".to_owned());
    }
    let (Some(down), Some(up)) = (profile.down, profile.up) else {
        return Some(format!("the device does not say all rates of bandwidth profile {id}"));
    };
    if profile.name.is_empty() {
        return Some(format!("bandwidth profile {id} has no name"));
    }
    (down.get() == 0 || up.get() == 0).then(|| {
        format!("bandwidth profile {id} limits one direction only ({down} down, {up} up), which no plan can say")
    })
}

impl Plans {
    /// Makes plans of all profiles that some subscriber uses.
    pub(super) fn of(configs: &[&DeviceConfig], existing: Option<Existing<'_>>) -> Self {
        let of_device = |(device, config): (usize, &&DeviceConfig)| {
            let used: Vec<(usize, ProfileId)> = used(config).into_iter().map(|id| (device, id)).collect();
            used
        };
        Self::among(configs, configs.iter().enumerate().flat_map(of_device), existing)
    }

    /// Makes plans of these profiles, each by its device and its number, as far as they can be plans.
    pub(super) fn among(
        configs: &[&DeviceConfig],
        chosen: impl IntoIterator<Item = (usize, ProfileId)>,
        existing: Option<Existing<'_>>,
    ) -> Self {
        let mut profiles: BTreeMap<Identity<'_>, Vec<(usize, ProfileId, &Profile)>> = BTreeMap::new();
        for (device, id) in chosen {
            let profile = configs.get(device).and_then(|config| config.profiles.get(&id));
            let Some(profile) = profile.filter(|one| not_a_plan(id, Some(one)).is_none()) else {
                continue;
            };
            if let (Some(down), Some(up)) = (profile.down, profile.up) {
                let same = profiles.entry((down, up, &profile.name)).or_default();
                same.push((device, id, profile));
            }
        }
        let headroom = match existing {
            Some(existing) => existing.inventory.headroom,
            None => usual(profiles.keys()),
        };
        let mut plans = Self {
            headroom,
            ..Self::default()
        };
        for (place, ((down, up, name), same)) in profiles.iter().enumerate() {
            plans
                .of
                .extend(same.iter().map(|(device, id, _)| ((*device, *id), place)));
            let descriptions: Vec<Option<String>> = same
                .iter()
                .map(|(.., profile)| Some(profile.description.clone()).filter(|text| !text.is_empty()))
                .collect();
            let levels: Vec<Option<ServiceLimitLevel>> =
                same.iter().map(|(.., profile)| profile.service_limit_level).collect();
            let known = existing.and_then(|existing| known(existing, *down, *up, name));
            plans.list.push(PlanDraft {
                key: known.map(|plan| plan.key.clone()).unwrap_or_default(),
                name: (*name).to_owned(),
                sold: sold(*down, *up, headroom),
                description: Shared::of(&descriptions),
                level: Shared::of(&levels),
                exists: known.is_some(),
            });
        }
        plans.name(existing);
        plans
    }

    fn name(&mut self, existing: Option<Existing<'_>>) {
        let mut taken: BTreeSet<String> = BTreeSet::from([UNTHROTTLED.to_owned()]);
        taken.extend(
            existing
                .iter()
                .flat_map(|existing| existing.inventory.plans.keys().cloned()),
        );
        let new = self.list.iter().enumerate().filter(|(_, plan)| !plan.exists);
        let wanted: BTreeMap<usize, String> = new.map(|(place, plan)| (place, wanted(plan))).collect();
        let given = keys::assign(&wanted, &taken, |place, key| {
            let rates = self.list.get(place).map(|plan| in_key(plan.sold)).unwrap_or_default();
            format!("{key}-{rates}")
        });
        for (place, key) in given {
            if let Some(plan) = self.list.get_mut(place) {
                plan.key = key;
            }
        }
    }
}

/// The profiles that subscribers have.
pub(super) fn used(config: &DeviceConfig) -> BTreeSet<ProfileId> {
    let profile = |profile| match profile {
        Some(ProfileRef::Profile(id)) => Some(id),
        Some(ProfileRef::Unthrottled) | None => None,
    };
    config
        .subscribers
        .values()
        .filter_map(|one| profile(one.profile))
        .collect()
}

/// The plan of the inventory that such a profile comes from.
fn known<'e>(existing: Existing<'e>, down: Mbps, up: Mbps, name: &str) -> Option<&'e ServicePlan> {
    let mut plans = existing.inventory.plans.values();
    plans.find(|plan| plan.name == name && plan.asked == Rates::Limited { down, up })
}

/// The headroom that most plans were made with, so that it is said once.
fn usual<'p>(profiles: impl Iterator<Item = &'p Identity<'p>>) -> Headroom {
    let mut counts: BTreeMap<Headroom, usize> = BTreeMap::new();
    for (down, up, _) in profiles {
        *counts
            .entry(sold(*down, *up, Headroom::default()).headroom)
            .or_default() += 1;
    }
    let most = counts.values().copied().max().unwrap_or_default();
    let advised = counts.get(&Headroom::default()) == Some(&most);
    let first = counts.into_iter().find(|(_, count)| *count == most);
    first
        .filter(|_| !advised)
        .map(|(headroom, _)| headroom)
        .unwrap_or_default()
}

/// The key by its name, or by its rates where the name says nothing.
fn wanted(plan: &PlanDraft) -> String {
    let slug = keys::slug(&plan.name);
    let words: String = slug.chars().filter(char::is_ascii_alphabetic).collect();
    let says_nothing = matches!(
        words.as_str(),
        "" | "p" | "bw" | "profile" | "prof" | "bwprofile" | "bandwidthprofile" | "plan" | "new" | "test" | "untitled"
    );
    if says_nothing {
        format!("mbps-{}", in_key(plan.sold))
    } else {
        slug
    }
}

/// `50-10`, or `50` in both directions.
fn in_key(sold: Sold) -> String {
    if sold.down == sold.up {
        sold.down.get().to_string()
    } else {
        format!("{}-{}", sold.down.get(), sold.up.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observed::Subscriber;

    fn device(profiles: &[(&str, u64, u64)]) -> DeviceConfig {
        let mut config = DeviceConfig::default();
        for (number, (name, down, up)) in (2_u64..).zip(profiles) {
            let id = ProfileId::try_from(number).unwrap();
            let profile = Profile {
                name: (*name).to_owned(),
                down: Mbps::try_from(*down).ok(),
                up: Mbps::try_from(*up).ok(),
                ..Profile::default()
            };
            config.profiles.insert(id, profile);
            let subscriber = Subscriber {
                profile: Some(ProfileRef::Profile(id)),
                ..Subscriber::default()
            };
            config.subscribers.insert(number.try_into().unwrap(), subscriber);
        }
        config
    }

    fn keys(devices: &[DeviceConfig]) -> Vec<String> {
        let plans = Plans::of(&devices.iter().collect::<Vec<_>>(), None);
        let say = |plan: &PlanDraft| format!("{}: {} at {}", plan.key, in_key(plan.sold), plan.sold.headroom);
        plans.list.iter().map(say).collect()
    }

    #[test]
    fn the_same_name_and_rates_are_one_plan_and_nothing_else_is() {
        let devices = [
            device(&[("Home 200", 212, 53), ("gold", 530, 530)]),
            device(&[("gold", 106, 106), ("Home 200", 212, 53), ("Gold!", 530, 530)]),
        ];
        assert_eq!(
            keys(&devices),
            [
                "gold-100: 100 at 6%",
                "home-200: 200-50 at 6%",
                "gold-500: 500 at 6%",
                "gold-500-2: 500 at 6%",
            ]
        );
    }

    #[test]
    fn a_name_that_says_nothing_gives_way_to_the_rates() {
        let devices = [device(&[
            ("profile 2", 200, 50),
            ("3", 100, 100),
            ("unthrottled", 50, 50),
        ])];
        assert_eq!(
            keys(&devices),
            [
                "unthrottled-50: 50 at 0%",
                "mbps-100: 100 at 0%",
                "mbps-200-50: 200-50 at 0%"
            ]
        );
    }
}
