//! All files together, before and while they are checked: raw shapes by key, each with its place.

use std::collections::BTreeMap;

use crate::diagnostic::SourceFile;
use crate::domain::{EndpointId, MacAddr, Mbps, Model, PortBinding, VlanId};

use super::decode::{Context, Decode as _, Entries, Keyed, Shape as _, Spanned, VlanList, index};
use super::document::{self, Node, Span, Value};
use super::findings::{Findings, Loc};
use super::model::{Rates, UNTHROTTLED};
use super::rate::{self, Headroom, Sold};
use super::raw::{RawDefaults, RawDevice, RawFile, RawPlan, RawPolicies, RawSite, RawSpareEndpoint, RawSubscriber};
use super::root::is_root;
use super::rules;

/// What the files say, merged.
#[derive(Debug, Default)]
pub(super) struct Fleet {
    /// The inventory's id, from the root file.
    pub(super) id: Option<String>,
    /// Where the root file is, when all of it could be read.
    pub(super) root: Option<Loc>,
    pub(super) includes: Vec<Spanned<String>>,
    pub(super) defaults: RawDefaults,
    pub(super) policies: RawPolicies,
    pub(super) sites: BTreeMap<String, Keyed<RawSite>>,
    pub(super) devices: BTreeMap<String, Keyed<RawDevice>>,
    pub(super) plans: BTreeMap<String, Keyed<RawPlan>>,
    pub(super) subscribers: BTreeMap<String, Keyed<RawSubscriber>>,
    /// Whether a file could not be read, so that a reference to nothing may well be a reference into it.
    pub(super) incomplete: bool,
}

impl Fleet {
    /// Reads and merges the files; `root` is the index of the root file.
    pub(super) fn read(sources: &[&SourceFile], root: Option<usize>, findings: &mut Findings) -> Self {
        let mut fleet = Self::default();
        for (number, source) in sources.iter().enumerate() {
            let file = u32::try_from(number).unwrap_or(u32::MAX);
            let start = Loc::new(file, Span::default());
            if root != Some(number) && is_root(&source.path) {
                let draft = findings.add(&rules::SECOND_ROOT, start, "this is a second gamops.yaml".to_owned());
                draft.help("remove it, or leave its folder out of `include`; an inventory has one root");
                if let Some(root) = root {
                    draft.related(
                        Loc::new(u32::try_from(root).unwrap_or(u32::MAX), Span::default()),
                        "the root is here",
                    );
                }
                continue;
            }
            let document::Parsed { root: node, incomplete } = document::parse(file, &source.text, findings);
            fleet.incomplete |= incomplete;
            let mut context = Context {
                file,
                findings,
                field: String::new(),
                key_span: Span::default(),
            };
            let raw = node.as_ref().filter(|node| !node.is_null()).and_then(|node| {
                context.field.push_str("the file");
                let raw = RawFile::decode(node, &mut context);
                fleet.incomplete |= raw.as_ref().is_none_or(lacks_a_map);
                raw
            });
            if root == Some(number) {
                // A root file with broken syntax has its own finding; what it lacks is not known.
                fleet.root = (raw.is_some() || !incomplete).then_some(start);
                fleet.merge_root(raw.unwrap_or_default(), start, findings);
            } else if let Some(raw) = raw {
                refuse_root_keys(file, node.as_ref(), findings);
                fleet.merge(raw, findings);
            }
        }
        fleet
    }

    fn merge_root(&mut self, mut raw: RawFile, start: Loc, findings: &mut Findings) {
        if self.root.is_some() {
            for (key, example) in [("format", "format: 1"), ("inventory", "inventory: my-network")] {
                if !raw.says(key) {
                    findings
                        .add(&rules::NO_ROOT, start, format!("gamops.yaml needs `{key}`"))
                        .help(format!("add `{example}` at its top"));
                }
            }
        }
        self.id = raw.inventory.take().map(|id| id.value.0);
        self.includes = (raw.include.take())
            .map(|list| list.value)
            .unwrap_or_default()
            .into_iter()
            .map(|glob| Spanned {
                value: glob.value.0,
                at: glob.at,
            })
            .collect();
        if (raw.says("defaults") && raw.defaults.is_none()) || (raw.says("policies") && raw.policies.is_none()) {
            // What could not be read may well say what would seem to be missing elsewhere.
            self.root = None;
        }
        self.defaults = raw.defaults.take().map(|defaults| defaults.value).unwrap_or_default();
        self.policies = raw.policies.take().map(|policies| policies.value).unwrap_or_default();
        self.merge(raw, findings);
    }

    fn merge(&mut self, raw: RawFile, findings: &mut Findings) {
        index(&mut self.sites, raw.sites, "site", findings);
        index(&mut self.devices, raw.devices, "device", findings);
        index(&mut self.plans, raw.plans, "plan", findings);
        index(&mut self.subscribers, raw.subscribers, "subscriber", findings);
    }

    /// Every device that could be read, with what is on it.
    pub(super) fn devices_with_subscribers(&self) -> Vec<DeviceView<'_>> {
        let mut by_device: BTreeMap<&str, Vec<(&Keyed<RawSubscriber>, &RawSubscriber)>> = BTreeMap::new();
        for keyed in self.subscribers.values() {
            if let Some(raw) = &keyed.value
                && let Some(device) = &raw.device
            {
                by_device.entry(&device.value.0).or_default().push((keyed, raw));
            }
        }
        (self.devices.values())
            .filter_map(|keyed| {
                keyed.value.as_ref().map(|raw| DeviceView {
                    keyed,
                    raw,
                    model: raw.model.as_ref().and_then(|model| Model::by_name(&model.value.0)),
                    subscribers: by_device.remove(keyed.key.as_str()).unwrap_or_default(),
                })
            })
            .collect()
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
        (plan.headroom.as_ref().or(self.defaults.headroom.as_ref())).map_or_else(Headroom::default, |text| text.value.0)
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

/// Whether one of the maps is there and could not be read: what others refer to may be in it.
fn lacks_a_map(raw: &RawFile) -> bool {
    [
        ("sites", raw.sites.is_none()),
        ("devices", raw.devices.is_none()),
        ("plans", raw.plans.is_none()),
        ("subscribers", raw.subscribers.is_none()),
    ]
    .into_iter()
    .any(|(key, absent)| absent && raw.says(key))
}

fn refuse_root_keys(file: u32, node: Option<&Node<'_>>, findings: &mut Findings) {
    let Some(Value::Mapping(entries)) = node.map(|node| &node.value) else {
        return;
    };
    for entry in entries {
        if matches!(
            &*entry.key,
            "format" | "inventory" | "include" | "defaults" | "policies"
        ) {
            let at = Loc::new(file, entry.key_span);
            findings
                .add(
                    &rules::ROOT_KEY,
                    at,
                    format!("`{}` belongs into gamops.yaml, not into this file", entry.key),
                )
                .help("move it to the root file; it holds for the whole inventory");
        }
    }
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

impl EndpointView<'_> {
    /// As messages call it.
    pub(super) fn owner(&self) -> String {
        format!("{} `{}`", self.kind, self.key)
    }
}

impl<'f> DeviceView<'f> {
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
