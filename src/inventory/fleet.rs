//! All files together, while they are checked: raw shapes by key, each with its place.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::domain::{EndpointId, MacAddr, Mbps, Model, PortBinding, SubscriberModel, VlanId};

use super::decode::{Entries, Keyed, Shape as _, Spanned, Text, VlanList, index};
use super::decoded::Decoded;
use super::findings::{Findings, Loc};
use super::model::{Rates, UNTHROTTLED};
use super::rate::{self, Headroom, Sold};
use super::raw::{
    RawBilling, RawDefaults, RawDevice, RawFile, RawPlan, RawPolicies, RawSite, RawSpareEndpoint, RawSubscriber,
    RawWindow,
};
use super::rules;

/// Entries of all files by key.
pub(super) type Map<'c, T> = BTreeMap<&'c str, &'c Keyed<T>>;

/// What the root file would hold if it said nothing: for an inventory whose root file cannot be read.
#[derive(Debug, Default)]
pub(super) struct Absent {
    defaults: RawDefaults,
    policies: RawPolicies,
}

/// What the files say, merged. Borrows from the decoded files, which outlive a load when they are cached.
#[derive(Debug)]
pub(super) struct Fleet<'c> {
    /// The inventory's id, from the root file.
    pub(super) id: Option<&'c str>,
    /// Where the root file is, when all of it could be read.
    pub(super) root: Option<Loc>,
    pub(super) includes: &'c [Spanned<Text>],
    pub(super) defaults: &'c RawDefaults,
    pub(super) policies: &'c RawPolicies,
    pub(super) billing: Option<&'c RawBilling>,
    pub(super) windows: Map<'c, RawWindow>,
    pub(super) sites: Map<'c, RawSite>,
    pub(super) devices: Map<'c, RawDevice>,
    pub(super) plans: Map<'c, RawPlan>,
    pub(super) subscribers: Map<'c, RawSubscriber>,
    /// Whether a file could not be read, so that a reference to nothing may well be a reference into it.
    pub(super) incomplete: bool,
}

impl<'c> Fleet<'c> {
    /// Merges the files.
    pub(super) fn merge(
        files: impl Iterator<Item = &'c Decoded> + Clone,
        absent: &'c Absent,
        findings: &mut Findings,
    ) -> Self {
        let mut fleet = Self {
            id: None,
            root: None,
            includes: &[],
            defaults: &absent.defaults,
            policies: &absent.policies,
            billing: None,
            windows: index(
                files.clone().filter_map(|file| file.raw.windows.as_ref()),
                "window",
                findings,
            ),
            sites: index(
                files.clone().filter_map(|file| file.raw.sites.as_ref()),
                "site",
                findings,
            ),
            devices: index(
                files.clone().filter_map(|file| file.raw.devices.as_ref()),
                "device",
                findings,
            ),
            plans: index(
                files.clone().filter_map(|file| file.raw.plans.as_ref()),
                "plan",
                findings,
            ),
            subscribers: index(
                files.clone().filter_map(|file| file.raw.subscribers.as_ref()),
                "subscriber",
                findings,
            ),
            incomplete: false,
        };
        for file in files {
            fleet.incomplete |= file.incomplete;
            if let Some(start) = file.root {
                fleet.take_root(&file.raw, start, file.readable, findings);
            }
        }
        fleet
    }

    fn take_root(&mut self, raw: &'c RawFile, start: Loc, readable: bool, findings: &mut Findings) {
        // A root file with broken syntax has its own finding; what it lacks is not known.
        self.root = readable.then_some(start);
        if readable {
            for (key, example) in [("format", "format: 1"), ("inventory", "inventory: my-network")] {
                if !raw.says(key) {
                    findings
                        .add(&rules::NO_ROOT, start, format!("gamops.yaml needs `{key}`"))
                        .help(format!("add `{example}` at its top"));
                }
            }
        }
        self.id = raw.inventory.as_ref().map(|id| id.value.0.as_str());
        self.includes = raw.include.as_ref().map_or(&[], |list| &list.value);
        if (raw.says("defaults") && raw.defaults.is_none()) || (raw.says("policies") && raw.policies.is_none()) {
            // What could not be read may well say what would seem to be missing elsewhere.
            self.root = None;
        }
        if let Some(defaults) = &raw.defaults {
            self.defaults = &defaults.value;
        }
        self.billing = raw.billing.as_ref().map(|billing| &billing.value);
        if let Some(policies) = &raw.policies {
            self.policies = &policies.value;
        }
    }

    /// Every device that could be read, with what is on it.
    pub(super) fn devices_with_subscribers(&self) -> Population<'c> {
        type There<'c> = (Vec<(&'c Keyed<RawSubscriber>, &'c RawSubscriber)>, BTreeSet<&'c str>);
        let mut by_device: HashMap<&str, There<'_>> = HashMap::with_capacity(self.devices.len());
        let mut readable = true;
        for keyed in self.subscribers.values().copied() {
            readable &= keyed.value.as_ref().is_some_and(|raw| raw.plan.is_some());
            if let Some(raw) = &keyed.value
                && let Some(device) = &raw.device
            {
                let (subscribers, plans) = by_device.entry(&device.value.0).or_default();
                subscribers.push((keyed, raw));
                plans.extend(raw.plan.as_ref().map(|plan| plan.value.0.as_str()));
            }
        }
        let devices: Vec<DeviceView<'_>> = (self.devices.values().copied())
            .filter_map(|keyed| {
                let raw = keyed.value.as_ref()?;
                let (subscribers, plans) = by_device.remove(keyed.key.as_str()).unwrap_or_default();
                Some(DeviceView {
                    keyed,
                    raw,
                    model: raw.model.as_ref().and_then(|model| Model::by_name(&model.value.0)),
                    subscribers,
                    plans,
                })
            })
            .collect();
        let served: usize = devices.iter().map(|device| device.subscribers.len()).sum();
        Population {
            everybody: readable && served == self.subscribers.len(),
            devices,
        }
    }

    /// The highest rate written as a profile on copper.
    pub(super) fn max_rate(&self) -> Mbps {
        let configured = self.policies.max_rate.as_ref().and_then(|rate| match rate.value.0 {
            Sold::Limited(bps) if bps % 1_000_000 == 0 => Mbps::try_from(bps / 1_000_000).ok(),
            _ => None,
        });
        configured
            .filter(|rate| (Mbps::MAX..=Mbps::MAX_BY_MIB).contains(rate))
            .unwrap_or(Mbps::MAX)
    }

    /// A plan's rates with headroom, before what a medium takes is looked at. `None`: it does not say, or
    /// says it in a way that has a finding.
    pub(super) fn asked(&self, plan: &RawPlan) -> Option<Rates> {
        let (down, up) = sold(plan)?;
        rate::asked(down, up, self.headroom(plan))
    }

    fn headroom(&self, plan: &RawPlan) -> Headroom {
        (plan.headroom.as_ref()).map_or_else(|| self.default_headroom(), |text| text.value.0)
    }

    /// The headroom of plans that do not say one.
    pub(super) fn default_headroom(&self) -> Headroom {
        (self.defaults.headroom.as_ref()).map_or_else(Headroom::default, |text| text.value.0)
    }

    /// The service VLAN of a subscriber.
    pub(super) fn vlan(&self, subscriber: &RawSubscriber) -> VlanId {
        (subscriber.vlan.as_ref().or(self.defaults.vlan.as_ref())).map_or(VlanId::CAPTIVE_PORTAL, |vlan| vlan.value)
    }

    /// Whether a reference to this plan resolves.
    pub(super) fn has_plan(&self, key: &str) -> bool {
        key == UNTHROTTLED || self.plans.contains_key(key)
    }
}

/// What a plan sells, down and up.
pub(super) fn sold(plan: &RawPlan) -> Option<(Sold, Sold)> {
    let value = |rate: &Option<Spanned<super::decode::SoldRate>>| rate.as_ref().map(|rate| rate.value.0);
    match (value(&plan.rate), value(&plan.down), value(&plan.up)) {
        (Some(rate), None, None) => Some((rate, rate)),
        (None, Some(down), Some(up)) => Some((down, up)),
        _ => None,
    }
}

/// The devices, and who is on them.
#[derive(Debug)]
pub(super) struct Population<'f> {
    /// Every device that could be read, by key.
    pub(super) devices: Vec<DeviceView<'f>>,
    /// Whether every subscriber could be read, is on one of them and has a plan.
    pub(super) everybody: bool,
}

/// A device and what is on it.
#[derive(Debug)]
pub(super) struct DeviceView<'f> {
    pub(super) keyed: &'f Keyed<RawDevice>,
    pub(super) raw: &'f RawDevice,
    /// `None`: the model is missing or unknown, which has a finding.
    pub(super) model: Option<&'static Model>,
    /// Its subscribers, by key.
    pub(super) subscribers: Vec<(&'f Keyed<RawSubscriber>, &'f RawSubscriber)>,
    /// Keys of the plans that they have, each once.
    pub(super) plans: BTreeSet<&'f str>,
}

/// An endpoint on a device, whether a subscriber's or a spare one.
#[derive(Debug)]
pub(super) struct EndpointView<'f> {
    /// `subscriber` or `spare endpoint`.
    pub(super) kind: &'static str,
    pub(super) key: &'f str,
    pub(super) mac: &'f Spanned<MacAddr>,
    pub(super) name: Option<&'f Spanned<super::decode::Name>>,
    pub(super) port: Option<&'f Spanned<PortBinding>>,
    pub(super) id: Option<&'f Spanned<EndpointId>>,
}

impl<'f> DeviceView<'f> {
    /// What its subscribers are tied to.
    pub(super) fn subscriber_model(&self) -> SubscriberModel {
        (self.raw.subscriber_model.as_ref()).map_or_else(SubscriberModel::default, |model| model.value)
    }

    /// Whether its subscribers are tied to ports.
    pub(super) fn is_port_aware(&self) -> bool {
        self.subscriber_model() == SubscriberModel::PortAware
    }

    /// Spare endpoints that could be read.
    pub(super) fn spares(&self) -> impl Iterator<Item = (&'f Keyed<RawSpareEndpoint>, &'f RawSpareEndpoint)> + use<'f> {
        let list: &'f [Keyed<RawSpareEndpoint>] =
            self.raw.endpoints.as_ref().map_or(&[], |entries| &entries.value.list);
        list.iter()
            .filter_map(|keyed| keyed.value.as_ref().map(|raw| (keyed, raw)))
    }

    /// Every endpoint with a readable address: subscribers' by key, then spare ones in the order of the text.
    pub(super) fn endpoints(&self) -> impl Iterator<Item = EndpointView<'f>> + '_ {
        let served = self.subscribers.iter().filter_map(|(keyed, raw)| {
            let endpoint = &raw.endpoint.as_ref()?.value.0;
            Some(EndpointView {
                kind: "subscriber",
                key: &keyed.key,
                mac: endpoint.mac.as_ref()?,
                name: endpoint.name.as_ref(),
                port: raw.port.as_ref(),
                id: endpoint.id.as_ref(),
            })
        });
        let spare = self.spares().filter_map(|(keyed, raw)| {
            Some(EndpointView {
                kind: "spare endpoint",
                key: &keyed.key,
                mac: raw.mac.as_ref()?,
                name: raw.name.as_ref(),
                port: raw.port.as_ref(),
                id: raw.id.as_ref(),
            })
        });
        served.chain(spare)
    }
}

/// The VLANs of a list, each once.
pub(super) fn vlan_count(list: &VlanList) -> usize {
    list.0
        .iter()
        .map(|vlan| vlan.value)
        .collect::<std::collections::BTreeSet<_>>()
        .len()
}

/// Entries of a map that may be absent.
pub(super) fn listed<K, T>(map: &Option<Spanned<Entries<K, T>>>) -> &[Keyed<T>] {
    map.as_ref().map_or(&[], |entries| &entries.value.list)
}
