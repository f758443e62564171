//! Raw shapes that broke no rule into the model.
//!
//! Defaults are worked in here. Nothing is checked again: what is missing although the rules passed would be a
//! mistake of ours, and gives no inventory rather than a wrong one.

mod billing;

use std::collections::BTreeMap;

use crate::domain::{DoubleTag, Medium, Model, PortBinding, PortMode, VlanSet};

use super::decode::{
    CanarySpec, Flag, Keyed, LimitSpec, Name, PortModeWord, Spanned, SuspensionSpec, VlanList, port_number,
};
use super::drift::{Drift, Field, Ignore};
use super::fleet::{Fleet, Map, listed};
use super::guards::{Guards, Limit};
use super::model::{
    Device, External, History, Hold, Inventory, Policies, PolicyRule, Port, ServicePlan, Site, SpareEndpoint,
    Subscriber, SubscriberEndpoint, Subscribers, Suspension, Transport,
};
use super::rate::on_medium;
use super::raw::{
    RawDevice, RawDrift, RawEndpoint, RawExternal, RawGuards, RawHistory, RawHold, RawIgnore, RawPlan, RawPort,
    RawRule, RawSite, RawSpareEndpoint, RawSubscriber, RawTransport, RawWaves,
};

use super::rollout::{Canary, Waves};
use super::window::{ALWAYS, Days, Window};

/// Makes the model of a fleet without errors.
pub(super) fn resolve(fleet: &Fleet<'_>) -> Option<Inventory> {
    Some(Inventory {
        id: fleet.id?.to_owned(),
        policies: Policies {
            unsaved: value(&fleet.policies.unsaved).unwrap_or_default(),
            on_failure: value(&fleet.policies.on_failure).unwrap_or_default(),
            suspension: fleet.policies.suspension.as_ref().map(|spec| match &spec.value {
                SuspensionSpec::Unbind => Suspension::Unbind,
                SuspensionSpec::Vlan(vlan) => Suspension::Vlan(*vlan),
                SuspensionSpec::Plan(plan) => Suspension::Plan(plan.value.clone()),
            }),
            max_rate: fleet.max_rate(),
            guards: guards(fleet.policies.guards.as_ref().map(|guards| &guards.value)),
            waves: fleet
                .policies
                .waves
                .as_ref()
                .map_or_else(Waves::default, |raw| waves(&raw.value)),
            rules: listed(&fleet.policies.rules)
                .iter()
                .map(|keyed| Some((keyed.key.clone(), rule(keyed.value.as_ref()?)?)))
                .collect::<Option<_>>()?,
            history: fleet
                .policies
                .history
                .as_ref()
                .map_or_else(History::default, |raw| history(&raw.value)),
            drift: drift(fleet.policies.drift.as_ref())?,
        },
        headroom: fleet.default_headroom(),
        sites: map(&fleet.sites, |_, raw| Some(site(raw)))?,
        devices: map(&fleet.devices, |key, raw| device(fleet, key, raw))?,
        plans: map(&fleet.plans, |key, raw| plan(fleet, key, raw))?,
        subscribers: subscribers(fleet)?,
        billing: billing::mappings(fleet.billing)?,
    })
}

fn waves(raw: &RawWaves) -> Waves {
    Waves {
        canary: raw
            .canary
            .as_ref()
            .map_or_else(Canary::default, |spec| match &spec.value {
                CanarySpec::Least(count) => Canary::Least(*count),
                CanarySpec::Devices(keys) => Canary::Devices(keys.iter().map(|key| key.value.0.clone()).collect()),
            }),
        size: value(&raw.size).unwrap_or_default(),
        pause: value(&raw.pause).unwrap_or_default(),
    }
}

/// What is left out is as it is without the policy.
fn history(raw: &RawHistory) -> History {
    let usual = History::default();
    History {
        keep_days: value(&raw.keep_days).map_or(usual.keep_days, |days| days.0),
        keep_runs: value(&raw.keep_runs).map_or(usual.keep_runs, |runs| runs.0),
    }
}

fn map<R, T>(raw: &Map<'_, R>, resolve: impl Fn(&str, &R) -> Option<T>) -> Option<BTreeMap<String, T>> {
    // Through a list of the right size: collecting options into a map would move everything several times.
    let mut resolved = Vec::with_capacity(raw.len());
    for (key, keyed) in raw {
        resolved.push(((*key).to_owned(), resolve(key, keyed.value.as_ref()?)?));
    }
    Some(resolved.into_iter().collect())
}

fn subscribers(fleet: &Fleet<'_>) -> Option<Subscribers> {
    // As in `map`.
    let mut resolved = Vec::with_capacity(fleet.subscribers.len());
    for (key, keyed) in &fleet.subscribers {
        resolved.push(subscriber(fleet, key, keyed.value.as_ref()?)?);
    }
    Some(resolved.into())
}

fn value<T: Copy>(raw: &Option<Spanned<T>>) -> Option<T> {
    raw.as_ref().map(|spanned| spanned.value)
}

fn flag(raw: &Option<Spanned<Flag>>) -> bool {
    value(raw).is_some_and(|flag| flag.0)
}

/// The text within a newtype of the decoder.
macro_rules! text {
    ($field:expr) => {
        $field.as_ref().map(|text| text.value.0.clone())
    };
}

/// Texts by key.
macro_rules! texts {
    ($field:expr) => {
        listed(&$field)
            .iter()
            .map(|keyed| Some((keyed.key.clone(), keyed.value.as_ref()?.0.clone())))
            .collect::<Option<_>>()
    };
}

fn external(raw: &Option<Spanned<RawExternal>>) -> External {
    raw.as_ref().map_or_else(External::default, |raw| External {
        splynx: text!(raw.value.splynx),
        sonar: text!(raw.value.sonar),
    })
}

fn vlans(list: &VlanList) -> VlanSet {
    list.0.iter().map(|vlan| vlan.value).collect()
}

fn site(raw: &RawSite) -> Site {
    let pool = |keyed: &Keyed<VlanList>| Some((keyed.key.clone(), vlans(keyed.value.as_ref()?)));
    Site {
        address: text!(raw.address),
        description: text!(raw.description),
        time_zone: raw.time_zone.as_ref().map(|zone| zone.value.0.clone()),
        groups: (raw.groups.iter())
            .flat_map(|groups| &groups.value)
            .map(|group| group.value.0.clone())
            .collect(),
        vlans: listed(&raw.vlans).iter().filter_map(pool).collect(),
    }
}

fn rule(raw: &RawRule) -> Option<PolicyRule> {
    Some(PolicyRule {
        when: raw.when.as_ref()?.value.0.clone(),
        effect: value(&raw.effect)?,
        message: text!(raw.message)?,
    })
}

fn drift(raw: Option<&Spanned<RawDrift>>) -> Option<Drift> {
    let Some(raw) = raw.map(|raw| &raw.value) else {
        return Some(Drift::default());
    };
    let rules = raw.ignore.iter().flat_map(|rules| &rules.value);
    Some(Drift {
        then: value(&raw.then),
        fields: listed(&raw.fields)
            .iter()
            .map(|keyed| Some((Field::by_word(&keyed.key)?, keyed.value?)))
            .collect::<Option<_>>()?,
        ignore: rules.map(|rule| ignore(&rule.value)).collect::<Option<_>>()?,
    })
}

fn ignore(raw: &RawIgnore) -> Option<Ignore> {
    Some(Ignore {
        device: text!(raw.device),
        object: text!(raw.object),
        field: value(&raw.field),
        reason: text!(raw.reason)?,
        until: raw.until.as_ref()?.value.0,
    })
}

/// What is written over what holds otherwise, key by key.
fn limit(default: Option<Limit>, written: Option<&Spanned<LimitSpec>>) -> Option<Limit> {
    match written.map(|spec| &spec.value) {
        None => default,
        Some(LimitSpec::Unlimited) => None,
        Some(LimitSpec::Limited(raw)) => Some(Limit {
            count: value(&raw.count)
                .map(|count| count.0)
                .or(default.and_then(|limit| limit.count)),
            share: value(&raw.share)
                .map(|share| share.0)
                .or(default.and_then(|limit| limit.share)),
        }),
    }
}

fn guards(raw: Option<&RawGuards>) -> Guards {
    let limit = |default: Option<Limit>, written: fn(&RawGuards) -> &Option<Spanned<LimitSpec>>| {
        limit(default, raw.and_then(|raw| written(raw).as_ref()))
    };
    let default = Guards::default();
    Guards {
        destroy_per_device: limit(default.destroy_per_device, |raw| &raw.destroy_per_device),
        destroy_per_fleet: limit(default.destroy_per_fleet, |raw| &raw.destroy_per_fleet),
        suspend: limit(default.suspend, |raw| &raw.suspend),
        change_devices: limit(default.change_devices, |raw| &raw.change_devices),
        lose: limit(default.lose, |raw| &raw.lose),
    }
}

fn device(fleet: &Fleet<'_>, key: &str, raw: &RawDevice) -> Option<Device> {
    let model = Model::by_name(&raw.model.as_ref()?.value.0)?;
    let defaults = fleet.defaults;
    let ports = listed(&raw.ports)
        .iter()
        .map(|keyed| Some((port_number(&keyed.key)?, port(keyed.value.as_ref()?))))
        .collect::<Option<_>>()?;
    let endpoints = listed(&raw.endpoints)
        .iter()
        .map(|keyed| Some((keyed.key.clone(), spare(&keyed.key, keyed.value.as_ref()?)?)))
        .collect::<Option<_>>()?;
    Some(Device {
        key: key.to_owned(),
        was: text!(raw.was),
        site: text!(raw.site),
        model,
        address: text!(raw.address)?,
        transport: transport(
            raw.transport.as_ref().map(|layer| &layer.value),
            defaults.transport.as_ref().map(|layer| &layer.value),
        ),
        credentials: text!(raw.credentials).or_else(|| text!(defaults.credentials))?,
        host_key: text!(raw.host_key),
        mode: value(&raw.mode).or_else(|| value(&defaults.mode)).unwrap_or_default(),
        paused: raw.paused.as_ref().and_then(|paused| paused.value.0.clone()),
        window: window(fleet, raw)?,
        protect: flag(&raw.protect),
        allow_assumed: flag(&raw.allow_assumed),
        subscriber_model: value(&raw.subscriber_model).unwrap_or_default(),
        hostname: text!(raw.hostname),
        drift: drift(raw.drift.as_ref())?,
        ports,
        endpoints,
        labels: texts!(raw.labels)?,
        external: external(&raw.external),
    })
}

/// The window that a device waits for, if any.
fn window(fleet: &Fleet<'_>, device: &RawDevice) -> Option<Option<Window>> {
    let Some(key) = device.window.as_ref().or(fleet.policies.window.as_ref()) else {
        return Some(None);
    };
    let key = key.value.0.as_str();
    if key == ALWAYS {
        return Some(None);
    }
    let raw = fleet.windows.get(key)?.value.as_ref()?;
    let of_site = || {
        let site = fleet.sites.get(device.site.as_ref()?.value.0.as_str())?;
        site.value.as_ref()?.time_zone.as_ref()
    };
    Some(Some(Window {
        key: key.to_owned(),
        days: value(&raw.days).unwrap_or(Days::ALL),
        start: raw.start.as_ref()?.value.0,
        length: value(&raw.length)?,
        zone: raw.zone.as_ref().or_else(of_site)?.value.0.clone(),
    }))
}

/// A device's own settings before the fleet's, and those before the usual ones.
fn transport(own: Option<&RawTransport>, fleet: Option<&RawTransport>) -> Transport {
    let layers = || [own, fleet].into_iter().flatten();
    Transport {
        ssh_port: layers()
            .find_map(|layer| layer.ssh_port.as_ref())
            .map_or(22, |port| port.value.0),
        snmp_port: layers()
            .find_map(|layer| layer.snmp_port.as_ref())
            .map_or(161, |port| port.value.0),
        snmp: layers()
            .find_map(|layer| layer.snmp.as_ref())
            .is_none_or(|flag| flag.value.0),
        legacy_algorithms: layers()
            .find_map(|layer| layer.legacy_algorithms.as_ref())
            .is_some_and(|flag| flag.value.0),
    }
}

fn port(raw: &RawPort) -> Port {
    Port {
        name: text!(raw.name),
        mode: value(&raw.mode).map(|word| match word {
            PortModeWord::Mimo => PortMode::ModelDefault,
            PortModeWord::Siso => PortMode::Siso,
        }),
        shutdown: value(&raw.shutdown).map(|flag| flag.0),
    }
}

fn spare(key: &str, raw: &RawSpareEndpoint) -> Option<SpareEndpoint> {
    Some(SpareEndpoint {
        key: key.to_owned(),
        was: text!(raw.was),
        mac: value(&raw.mac)?,
        name: text!(raw.name),
        description: text!(raw.description),
        port: value(&raw.port).unwrap_or_default(),
        management_access: value(&raw.management_access).map(|flag| flag.0),
        id: value(&raw.id),
        protect: flag(&raw.protect),
    })
}

fn plan(fleet: &Fleet<'_>, key: &str, raw: &RawPlan) -> Option<ServicePlan> {
    let asked = fleet.asked(raw)?;
    Some(ServicePlan {
        key: key.to_owned(),
        was: text!(raw.was),
        name: name(key, &raw.name),
        description: text!(raw.description),
        asked,
        coax: on_medium(asked, Medium::Coax, fleet.max_rate()),
        copper: on_medium(asked, Medium::Copper, fleet.max_rate()),
        service_limit_level: value(&raw.service_limit_level),
        protect: flag(&raw.protect),
        labels: texts!(raw.labels)?,
        external: external(&raw.external),
    })
}

fn name(key: &str, name: &Option<Spanned<Name>>) -> String {
    text!(name).unwrap_or_else(|| key.to_owned())
}

fn endpoint(raw: &RawEndpoint) -> Option<SubscriberEndpoint> {
    Some(SubscriberEndpoint {
        mac: value(&raw.mac)?,
        name: text!(raw.name),
        description: text!(raw.description),
        management_access: value(&raw.management_access).map(|flag| flag.0),
        id: value(&raw.id),
    })
}

fn hold(raw: Option<&Spanned<RawHold>>) -> Option<Option<Box<Hold>>> {
    let Some(raw) = raw.map(|raw| &raw.value) else {
        return Some(None);
    };
    Some(Some(Box::new(Hold {
        until: raw.until.as_ref()?.value.0,
        reason: text!(raw.reason)?,
    })))
}

fn subscriber(fleet: &Fleet<'_>, key: &str, raw: &RawSubscriber) -> Option<Subscriber> {
    let endpoint = match &raw.endpoint {
        None => None,
        Some(spec) => Some(endpoint(&spec.value.0)?),
    };
    let double_tag = match &raw.double_tag {
        None => None,
        Some(tag) => Some(DoubleTag {
            outer_vlan: value(&tag.value.outer_vlan)?,
            uplink: value(&tag.value.uplink),
        }),
    };
    Some(Subscriber {
        key: key.to_owned(),
        was: text!(raw.was),
        device: text!(raw.device)?,
        name: name(key, &raw.name),
        description: text!(raw.description),
        endpoint,
        port: value(&raw.port).unwrap_or(PortBinding::Unassigned),
        plan: text!(raw.plan)?,
        vlan: fleet.vlan(raw),
        tagged: flag(&raw.tagged),
        remapped_vlan: value(&raw.remapped_vlan),
        allowed_vlans: (raw.allowed_vlans.as_ref()).map_or_else(VlanSet::default, |list| vlans(&list.value)),
        port2_vlan: value(&raw.port2_vlan),
        trunk: flag(&raw.trunk),
        double_tag,
        poe: value(&raw.poe),
        state: value(&raw.state).unwrap_or_default(),
        id: value(&raw.id),
        protect: flag(&raw.protect),
        labels: texts!(raw.labels)?,
        external: external(&raw.external),
        hold: hold(raw.hold.as_ref())?,
        ended: raw.ended.as_ref().map(|day| day.value.0),
    })
}
