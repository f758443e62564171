//! What is said of billing systems: that it names what is there.

use crate::domain::BillingKind;
use crate::inventory::billing::sources;
use crate::inventory::decode::{Key, Shape as _, Spanned, Text};
use crate::inventory::findings::Findings;
use crate::inventory::fleet::{Fleet, listed};
use crate::inventory::model::UNTHROTTLED;
use crate::inventory::nearest::did_you_mean;
use crate::inventory::raw::{RawMapping, RawSiteRule};

use super::{BILLING, UNKNOWN_PLAN, UNKNOWN_SITE};

pub(super) fn check(fleet: &Fleet<'_>, findings: &mut Findings) {
    let Some(billing) = fleet.billing else {
        return;
    };
    for (kind, raw) in billing.systems() {
        if !fleet.incomplete {
            check_plans(fleet, raw, findings);
            check_sites(fleet, raw, findings);
            check_pool(fleet, raw, findings);
        }
        for rule in raw.sites.iter().flat_map(|rules| &rules.value) {
            check_rule(rule, findings);
        }
        for list in [&raw.endpoint, &raw.port, &raw.device].into_iter().flatten() {
            for source in &list.value {
                check_source(kind, source, findings);
            }
        }
        if let Some(key) = raw.key.as_ref().filter(|key| !key.value.0.tells_apart()) {
            let message = format!("`{}` is the same key for everybody of that name", key.value.0);
            findings
                .add(&BILLING, key.at, message)
                .help("put `{service}` or `{account}` into it");
        }
    }
}

fn check_plans(fleet: &Fleet<'_>, raw: &RawMapping, findings: &mut Findings) {
    let plans = listed(&raw.plans).iter();
    for (offer, plan) in plans.filter_map(|keyed| Some((keyed, &keyed.value.as_ref()?.0))) {
        if !fleet.has_plan(plan) {
            let known = fleet.plans.keys().copied().chain([UNTHROTTLED]);
            let message = format!("there is no plan `{plan}` for `{}`", offer.key.escape_debug());
            findings.add(&UNKNOWN_PLAN, offer.at, message).help(
                did_you_mean(plan, known).unwrap_or_else(|| "add it under `plans`, or correct the key".to_owned()),
            );
        }
    }
}

fn check_sites(fleet: &Fleet<'_>, raw: &RawMapping, findings: &mut Findings) {
    let rules = raw.sites.iter().flat_map(|rules| &rules.value);
    for site in rules.filter_map(|rule| rule.value.site.as_ref()) {
        let Spanned { value: Key(key), at } = site;
        if !fleet.sites.contains_key(key.as_str()) {
            let help = did_you_mean(key, fleet.sites.keys().copied());
            findings
                .add(&UNKNOWN_SITE, *at, format!("there is no site `{key}`"))
                .help(help.unwrap_or_else(|| "add it under `sites`, or correct the key".to_owned()));
        }
    }
}

fn check_pool(fleet: &Fleet<'_>, raw: &RawMapping, findings: &mut Findings) {
    let Some(pool) = raw.vlans.as_ref().and_then(|rule| rule.value.pool.as_ref()) else {
        return;
    };
    let sites = fleet.sites.values().filter_map(|site| site.value.as_ref());
    let names: Vec<&str> = sites
        .flat_map(|site| listed(&site.vlans))
        .map(|pool| pool.key.as_str())
        .collect();
    let Text(name) = &pool.value;
    if !names.contains(&name.as_str()) {
        let help = did_you_mean(name, names).unwrap_or_else(|| "pools are under `vlans` of a site".to_owned());
        let message = format!("no site has a pool `{}`", name.escape_debug());
        findings.add(&BILLING, pool.at, message).help(help);
    }
}

fn check_rule(rule: &Spanned<RawSiteRule>, findings: &mut Findings) {
    let raw = &rule.value;
    let message = match (raw.says("site"), raw.says("ignore")) {
        (true, false) | (false, true) => return,
        (true, true) => "this rule has both `site` and `ignore`",
        (false, false) => "this rule has neither `site` nor `ignore`",
    };
    findings
        .add(&BILLING, rule.at, message.to_owned())
        .help("say which site the accounts belong to, or why they are none of ours");
}

fn check_source(kind: BillingKind, source: &Spanned<Text>, findings: &mut Findings) {
    let Text(text) = &source.value;
    let known = sources(kind);
    let is_one = |known: &&str| match text.strip_prefix(*known) {
        Some(name) => name.is_empty() != known.ends_with('.'),
        None => false,
    };
    if known.iter().any(is_one) {
        return;
    }
    let shown = |known: &&str| format!("`{known}{}`", if known.ends_with('.') { "NAME" } else { "" });
    let all = || format!("{kind} has {}", known.iter().map(shown).collect::<Vec<_>>().join(", "));
    let whole = known.iter().copied().filter(|known| !known.ends_with('.'));
    let help = if known.contains(&text.as_str()) {
        format!("it goes on with a name: `{text}NAME`")
    } else {
        // What has a name of the operator's own in it is not a misspelt word.
        let is_word = text.matches('.').count() == 1;
        is_word.then(|| did_you_mean(text, whole)).flatten().unwrap_or_else(all)
    };
    let message = format!("`{}` is nothing that {kind} tells", text.escape_debug());
    findings.add(&BILLING, source.at, message).help(help);
}
