//! What the inventory says of billing systems.

use std::collections::BTreeMap;

use crate::domain::BillingKind;
use crate::inventory::billing::{Kind, Limits, Mapping, Pace, SiteRule, Template, VlanRule, Way, Whose};
use crate::inventory::decode::{Key, Keyed, Spanned, TemplateText, Text, WholeDays};
use crate::inventory::fleet::listed;
use crate::inventory::raw::{RawBilling, RawBillingLimits, RawMapping, RawPace, RawSiteRule, RawVlanRule, RawWays};

use super::{limit, value};

/// How long a VLAN rests where the inventory does not say.
const REST_DAYS: u16 = 7;

pub(super) fn mappings(raw: Option<&RawBilling>) -> Option<BTreeMap<BillingKind, Mapping>> {
    let Some(raw) = raw else {
        return Some(BTreeMap::new());
    };
    (raw.systems())
        .map(|(kind, raw)| Some((kind, mapping(kind, raw)?)))
        .collect()
}

fn mapping(kind: BillingKind, raw: &RawMapping) -> Option<Mapping> {
    let usual = Mapping::default();
    let plan = |keyed: &Keyed<Key>| Some((keyed.key.clone(), keyed.value.as_ref()?.0.clone()));
    let rules = raw.sites.iter().flat_map(|rules| &rules.value);
    Some(Mapping {
        plans: listed(&raw.plans).iter().map(plan).collect::<Option<_>>()?,
        sites: rules.map(|rule| site_rule(&rule.value)).collect::<Option<_>>()?,
        endpoint: match &raw.endpoint {
            None => usual_endpoint(kind).map(str::to_owned).to_vec(),
            Some(_) => texts(&raw.endpoint),
        },
        port: texts(&raw.port),
        device: texts(&raw.device),
        key: template(&raw.key).unwrap_or(usual.key),
        name: template(&raw.name),
        description: template(&raw.description),
        vlans: match &raw.vlans {
            None => None,
            Some(rule) => Some(vlan_rule(&rule.value)?),
        },
        delinquent: value(&raw.delinquent).unwrap_or(usual.delinquent),
        grace_days: days(raw.ended.as_ref().and_then(|ended| ended.value.grace.as_ref())).unwrap_or(usual.grace_days),
        ways: raw.ways.as_ref().map_or_else(BTreeMap::new, |raw| ways(&raw.value)),
        limits: limits(raw.limits.as_ref().map(|raw| &raw.value)),
    })
}

/// Where an endpoint's address stands with most operators (for Splynx: the inventory item that the customer was lent; for Sonar: the item
/// on the address).
const fn usual_endpoint(kind: BillingKind) -> [&'static str; 2] {
    match kind {
        BillingKind::Splynx => ["inventory.barcode", "service.mac"],
        BillingKind::Sonar => ["inventory.mac", "service.uninventoried_mac"],
    }
}

fn texts(raw: &Option<Spanned<Vec<Spanned<Text>>>>) -> Vec<String> {
    let list = raw.iter().flat_map(|list| &list.value);
    list.map(|text| text.value.0.clone()).collect()
}

fn template(raw: &Option<Spanned<TemplateText>>) -> Option<Template> {
    raw.as_ref().map(|text| text.value.0.clone())
}

fn days(raw: Option<&Spanned<WholeDays>>) -> Option<u16> {
    raw.map(|days| days.value.0)
}

fn site_rule(raw: &RawSiteRule) -> Option<SiteRule> {
    let then = match (&raw.site, &raw.ignore) {
        (Some(site), None) => Whose::Site(site.value.0.clone()),
        (None, Some(reason)) => Whose::Others(reason.value.0.clone()),
        _ => return None,
    };
    let facts = listed(&raw.when).iter();
    Some(SiteRule {
        then,
        when: facts
            .map(|fact| Some((fact.key.clone(), fact.value.as_ref()?.0.clone())))
            .collect::<Option<_>>()?,
    })
}

fn vlan_rule(raw: &RawVlanRule) -> Option<VlanRule> {
    Some(VlanRule {
        pool: raw.pool.as_ref()?.value.0.clone(),
        unique: value(&raw.unique).unwrap_or_default(),
        rest_days: days(raw.rest.as_ref()).unwrap_or(REST_DAYS),
    })
}

fn ways(raw: &RawWays) -> BTreeMap<Kind, Way> {
    let written = [
        (Kind::Rename, &raw.rename),
        (Kind::Plan, &raw.plan),
        (Kind::Restore, &raw.restore),
        (Kind::Create, &raw.create),
        (Kind::Suspend, &raw.suspend),
        (Kind::Remove, &raw.remove),
    ];
    let written = written.into_iter();
    written.filter_map(|(kind, way)| Some((kind, value(way)?))).collect()
}

fn limits(raw: Option<&RawBillingLimits>) -> Limits {
    let usual = Limits::default();
    let Some(raw) = raw else {
        return usual;
    };
    Limits {
        plan: pace(usual.plan, &raw.plan),
        restore: pace(usual.restore, &raw.restore),
        create: pace(usual.create, &raw.create),
        suspend: pace(usual.suspend, &raw.suspend),
        remove: pace(usual.remove, &raw.remove),
        lose: limit(usual.lose, raw.lose.as_ref()),
        unclear: limit(usual.unclear, raw.unclear.as_ref()),
        turn: limit(usual.turn, raw.turn.as_ref()),
    }
}

fn pace(usual: Pace, raw: &Option<Spanned<RawPace>>) -> Pace {
    raw.as_ref().map_or(usual, |raw| Pace {
        run: limit(usual.run, raw.value.run.as_ref()),
        day: limit(usual.day, raw.value.day.as_ref()),
    })
}
