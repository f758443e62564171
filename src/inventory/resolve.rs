//! Raw shapes that broke no rule into the model.
//!
//! Defaults are worked in here. Nothing is checked again: what is missing although the rules passed would be a
//! mistake of ours, and gives no inventory rather than a wrong one.

use std::collections::BTreeMap;

use crate::domain::{Medium, Model, PortBinding, PortMode};

use super::decode::{Entries, Flag, Keyed, Name, PortModeWord, Spanned, SuspensionSpec, VlanList, port_number};
use super::fleet::Fleet;
use super::model::{
    Device, Inventory, Policies, Port, ServicePlan, Site, SpareEndpoint, State, Subscriber, SubscriberEndpoint,
    Suspension, Transport,
};
use super::rate::on_medium;
use super::raw::{RawDevice, RawPlan, RawPort, RawSite, RawSpareEndpoint, RawSubscriber, RawTransport};

/// Makes the model of a fleet without errors.
pub(super) fn resolve(mut fleet: Fleet) -> Option<Inventory> {
    let id = fleet.id.take()?;
    let policies = Policies {
        unsaved: value(fleet.policies.unsaved.take()).unwrap_or_default(),
        suspension: value(fleet.policies.suspension.take()).map(|spec| match spec {
            SuspensionSpec::Unbind => Suspension::Unbind,
            SuspensionSpec::Vlan(vlan) => Suspension::Vlan(vlan),
            SuspensionSpec::Plan(plan) => Suspension::Plan(plan.value),
        }),
        max_rate: fleet.max_rate(),
    };
    let sites = map(std::mem::take(&mut fleet.sites), |_, raw| Some(site(raw)))?;
    let devices = map(std::mem::take(&mut fleet.devices), |key, raw| device(&fleet, key, raw))?;
    let plans = map(std::mem::take(&mut fleet.plans), |key, raw| plan(&fleet, key, raw))?;
    let subscribers = map(std::mem::take(&mut fleet.subscribers), |key, raw| {
        subscriber(&fleet, key, raw)
    })?;
    Some(Inventory {
        id,
        policies,
        sites,
        devices,
        plans,
        subscribers,
    })
}

fn map<R, T>(raw: BTreeMap<String, Keyed<R>>, resolve: impl Fn(String, R) -> Option<T>) -> Option<BTreeMap<String, T>> {
    raw.into_iter()
        .map(|(key, keyed)| Some((key.clone(), resolve(key, keyed.value?)?)))
        .collect()
}

fn list<K, R>(raw: Option<Spanned<Entries<K, R>>>) -> Vec<Keyed<R>> {
    raw.map(|entries| entries.value.list).unwrap_or_default()
}

fn value<T>(raw: Option<Spanned<T>>) -> Option<T> {
    raw.map(|spanned| spanned.value)
}

fn flag(raw: Option<Spanned<Flag>>) -> bool {
    value(raw).is_some_and(|flag| flag.0)
}

/// The text within a newtype of the decoder.
macro_rules! text {
    ($field:expr) => {
        value($field).map(|text| text.0)
    };
}

fn site(raw: RawSite) -> Site {
    Site {
        address: text!(raw.address),
        description: text!(raw.description),
    }
}

fn device(fleet: &Fleet, key: String, raw: RawDevice) -> Option<Device> {
    let model = Model::by_name(&raw.model?.value.0)?;
    let defaults = &fleet.defaults;
    let credentials =
        text!(raw.credentials).or_else(|| defaults.credentials.as_ref().map(|name| name.value.0.clone()))?;
    let ports = list(raw.ports)
        .into_iter()
        .map(|keyed| Some((port_number(&keyed.key)?, port(keyed.value?))))
        .collect::<Option<_>>()?;
    let endpoints = list(raw.endpoints)
        .into_iter()
        .map(|keyed| Some((keyed.key.clone(), spare(keyed.key, keyed.value?)?)))
        .collect::<Option<_>>()?;
    Some(Device {
        subscriber_model: crate::domain::SubscriberModel::EndpointAware,
        key,
        was: text!(raw.was),
        site: text!(raw.site),
        model,
        address: raw.address?.value.0,
        transport: transport(
            value(raw.transport).as_ref(),
            defaults.transport.as_ref().map(|layer| &layer.value),
        ),
        credentials,
        host_key: text!(raw.host_key),
        mode: value(raw.mode)
            .or_else(|| defaults.mode.as_ref().map(|mode| mode.value))
            .unwrap_or_default(),
        paused: value(raw.paused).and_then(|paused| paused.0),
        protect: flag(raw.protect),
        allow_assumed: flag(raw.allow_assumed),
        hostname: text!(raw.hostname),
        ports,
        endpoints,
    })
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

fn port(raw: RawPort) -> Port {
    Port {
        name: text!(raw.name),
        mode: value(raw.mode).map(|word| match word {
            PortModeWord::Mimo => PortMode::ModelDefault,
            PortModeWord::Siso => PortMode::Siso,
        }),
        shutdown: value(raw.shutdown).map(|flag| flag.0),
    }
}

fn spare(key: String, raw: RawSpareEndpoint) -> Option<SpareEndpoint> {
    Some(SpareEndpoint {
        management_access: None,
        key,
        was: text!(raw.was),
        mac: raw.mac?.value,
        name: text!(raw.name),
        description: text!(raw.description),
        port: value(raw.port).unwrap_or_default(),
        id: value(raw.id),
        protect: flag(raw.protect),
    })
}

fn plan(fleet: &Fleet, key: String, raw: RawPlan) -> Option<ServicePlan> {
    let asked = fleet.asked(&raw)?;
    Some(ServicePlan {
        service_limit_level: None,
        name: name(&key, raw.name),
        key,
        was: text!(raw.was),
        description: text!(raw.description),
        asked,
        coax: on_medium(asked, Medium::Coax, fleet.max_rate()),
        copper: on_medium(asked, Medium::Copper, fleet.max_rate()),
        protect: flag(raw.protect),
    })
}

fn name(key: &str, name: Option<Spanned<Name>>) -> String {
    text!(name).unwrap_or_else(|| key.to_owned())
}

fn subscriber(fleet: &Fleet, key: String, raw: RawSubscriber) -> Option<Subscriber> {
    let vlan = fleet.vlan(&raw);
    let endpoint = match value(raw.endpoint) {
        None => None,
        Some(spec) => Some(SubscriberEndpoint {
            management_access: None,
            mac: spec.0.mac?.value,
            name: text!(spec.0.name),
            description: text!(spec.0.description),
            id: value(spec.0.id),
        }),
    };
    Some(Subscriber {
        double_tag: None,
        trunk: false,
        name: name(&key, raw.name),
        key,
        was: text!(raw.was),
        device: raw.device?.value.0,
        description: text!(raw.description),
        endpoint,
        port: value(raw.port).unwrap_or(PortBinding::Unassigned),
        plan: raw.plan?.value.0,
        vlan,
        tagged: flag(raw.tagged),
        remapped_vlan: value(raw.remapped_vlan),
        allowed_vlans: value(raw.allowed_vlans)
            .map(|VlanList(vlans)| vlans.iter().map(|vlan| vlan.value).collect())
            .unwrap_or_default(),
        port2_vlan: value(raw.port2_vlan),
        poe: value(raw.poe),
        state: value(raw.state).unwrap_or(State::Active),
        id: value(raw.id),
        protect: flag(raw.protect),
    })
}
