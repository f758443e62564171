//! What refers to what.

use std::collections::HashMap;

use crate::inventory::decode::{CanarySpec, Key, Spanned};
use crate::inventory::findings::Findings;
use crate::inventory::fleet::{DeviceView, Fleet, Map};
use crate::inventory::model::UNTHROTTLED;
use crate::inventory::nearest::did_you_mean;

use super::{RESERVED_PLAN, Rule, UNKNOWN_DEVICE, UNKNOWN_PLAN, UNKNOWN_SITE, WAS, repeated};

/// How many different misspelt keys get a suggestion. Looking for the nearest of thousands takes a while each time,
/// and after so many the cause is another one.
const SUGGESTIONS: usize = 100;

pub(super) fn check(fleet: &Fleet<'_>, population: &[DeviceView<'_>], everybody: bool, findings: &mut Findings) {
    // Who is on a device refers to one that is there; then their plans are left, which are few.
    let plans_known = || (population.iter().flat_map(|device| &device.plans)).all(|plan| fleet.has_plan(plan));
    let resolved = everybody && plans_known();
    let mut sites = Suggestions::new(&UNKNOWN_SITE, "site", fleet.sites.keys());
    let mut devices = Suggestions::new(&UNKNOWN_DEVICE, "device", fleet.devices.keys());
    let mut plans = Suggestions::new(&UNKNOWN_PLAN, "plan", fleet.plans.keys());

    // With a file missing, what looks like a reference to nothing most likely is one into that file.
    if !fleet.incomplete {
        for device in fleet.devices.values().filter_map(|keyed| keyed.value.as_ref()) {
            if let Some(site) = &device.site
                && !fleet.sites.contains_key(site.value.0.as_str())
            {
                sites.report(site, findings);
            }
        }
        if let Some(waves) = &fleet.policies.waves
            && let Some(Spanned {
                value: CanarySpec::Devices(keys),
                ..
            }) = &waves.value.canary
        {
            for key in keys
                .iter()
                .filter(|key| !fleet.devices.contains_key(key.value.0.as_str()))
            {
                devices.report(key, findings);
            }
        }
        let subscribers = fleet.subscribers.values().filter(|_| !resolved);
        for subscriber in subscribers.filter_map(|keyed| keyed.value.as_ref()) {
            if let Some(device) = &subscriber.device
                && !fleet.devices.contains_key(device.value.0.as_str())
            {
                devices.report(device, findings);
            }
            if let Some(plan) = &subscriber.plan
                && !fleet.has_plan(&plan.value.0)
            {
                plans.report(plan, findings);
            }
        }
    }

    if let Some(plan) = fleet.plans.get(UNTHROTTLED) {
        findings
            .add(
                &RESERVED_PLAN,
                plan.at,
                "`unthrottled` is built in: it stands for no limit".to_owned(),
            )
            .help("give this plan another key");
    }

    was(&fleet.devices, "device", |raw| raw.was.as_ref(), findings);
    was(&fleet.plans, "plan", |raw| raw.was.as_ref(), findings);
    was(&fleet.subscribers, "subscriber", |raw| raw.was.as_ref(), findings);
}

struct Suggestions<'f> {
    rule: &'static Rule,
    what: &'static str,
    known: Vec<&'f str>,
    answers: HashMap<String, Option<String>>,
}

impl<'f> Suggestions<'f> {
    fn new(rule: &'static Rule, what: &'static str, known: impl Iterator<Item = &'f &'f str>) -> Self {
        Self {
            rule,
            what,
            known: known.copied().chain((what == "plan").then_some(UNTHROTTLED)).collect(),
            answers: HashMap::new(),
        }
    }

    fn report(&mut self, reference: &Spanned<Key>, findings: &mut Findings) {
        let key = &reference.value.0;
        let message = format!("there is no {} `{key}`", self.what);
        let draft = findings.add(self.rule, reference.at, message);
        if self.answers.len() < SUGGESTIONS || self.answers.contains_key(key) {
            let known = &self.known;
            let answer = self
                .answers
                .entry(key.clone())
                .or_insert_with(|| did_you_mean(key, known.iter().copied()));
            draft.help(
                answer
                    .clone()
                    .unwrap_or_else(|| format!("add it under `{}s`, or correct the key", self.what)),
            );
        }
    }
}

fn was<T>(map: &Map<'_, T>, what: &str, field: impl Fn(&T) -> Option<&Spanned<Key>>, findings: &mut Findings) {
    let mut claims = Vec::new();
    for keyed in map.values() {
        let Some(was) = keyed.value.as_ref().and_then(&field) else {
            continue;
        };
        let old = &was.value.0;
        if let Some(present) = map.get(old.as_str()) {
            findings
                .add(
                    &WAS,
                    was.at,
                    format!(
                        "the {what} `{old}` is still in the inventory, so it cannot have become `{}`",
                        keyed.key
                    ),
                )
                .related(present.at, "still here")
                .help("`was` names the key from before a renaming; remove it, or the old entry");
        } else {
            claims.push((old, was.at, (old, &keyed.key)));
        }
    }
    for (first, again) in repeated(claims) {
        let (old, key) = again.owner;
        findings
            .add(
                &WAS,
                again.at,
                format!(
                    "the {what} `{old}` cannot have become both `{}` and `{key}`",
                    first.owner.1
                ),
            )
            .related(first.at, "first here")
            .help("history can move to one of them only");
    }
}
