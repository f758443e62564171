//! Plans: rates, who uses them, the profiles that they need, and suspension.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{Mbps, Medium};
use crate::inventory::decode::{Keyed, Shape as _, SuspensionSpec};
use crate::inventory::findings::Findings;
use crate::inventory::fleet::{DeviceView, Fleet, listed, sold};
use crate::inventory::model::{Rates, State, UNTHROTTLED};
use crate::inventory::rate::{Sold, ceiling, on_medium};
use crate::inventory::raw::{RawBilling, RawPlan};

use super::names::{check_key, effective, report};
use super::{
    MAX_RATE, NO_SUSPENSION, PLAN_RATES, PROFILE_SLOTS, PROFILE_SLOTS_LOW, RATE_MIXED, RATE_TOO_LOW, RATE_UNLIMITED,
    RESERVED_NAME, SUSPENSION_PLAN, UNKNOWN_PLAN, UNUSED_PLAN,
};

/// The profile that every device has from the factory (CLI guide).
const DEVICE_PROFILE: &str = "Default BW Profile";
/// Ids 2 to 15.
const FREE_SLOTS: usize = 14;
/// From here on a warning.
const FEW_SLOTS: usize = 12;

pub(super) fn check<'c>(fleet: &Fleet<'c>, devices: &[DeviceView<'c>], everybody: bool, findings: &mut Findings) {
    max_rate(fleet, findings);
    let users = users(fleet, devices, everybody);
    // Somebody whose plan cannot be read may well have one that seems unused.
    let complete = !fleet.incomplete
        && (everybody
            || (fleet.subscribers.values()).all(|keyed| keyed.value.as_ref().is_some_and(|raw| raw.plan.is_some())));
    let media = media(devices);
    for keyed in fleet.plans.values() {
        if complete && !users.contains(keyed.key.as_str()) && keyed.key != UNTHROTTLED {
            findings
                .add(&UNUSED_PLAN, keyed.at, format!("nobody has the plan `{}`", keyed.key))
                .help("it is put on no device; remove it, or leave it for later");
        }
        if let Some(raw) = &keyed.value {
            plan(fleet, media.get(keyed.key.as_str()), keyed, raw, findings);
        }
    }
    suspension(fleet, devices, findings);
    for device in devices {
        profiles(fleet, device, findings);
    }
}

/// Keys of the plans that somebody has, will have when suspended, or may be sold.
fn users<'c>(fleet: &Fleet<'c>, devices: &[DeviceView<'c>], everybody: bool) -> BTreeSet<&'c str> {
    let mut plans: BTreeSet<&str> = devices.iter().flat_map(|device| &device.plans).copied().collect();
    if !everybody {
        let subscribers = fleet.subscribers.values().filter_map(|keyed| keyed.value.as_ref());
        plans.extend(
            subscribers
                .filter_map(|raw| raw.plan.as_ref())
                .map(|plan| plan.value.0.as_str()),
        );
    }
    plans.extend(suspension_plan(fleet));
    plans.extend(sold_by_billing(fleet));
    plans
}

/// Keys of the plans that a billing system may put somebody on with its next commit.
fn sold_by_billing<'c>(fleet: &Fleet<'c>) -> impl Iterator<Item = &'c str> {
    let systems = fleet.billing.into_iter().flat_map(RawBilling::systems);
    systems.flat_map(|(kind, mapping)| {
        let named = listed(&mapping.plans).iter();
        let named = named.filter_map(|keyed| Some(keyed.value.as_ref()?.0.as_str()));
        let is_named_there = move |keyed: &&Keyed<RawPlan>| {
            let external = keyed.value.as_ref().and_then(|raw| raw.external.as_ref());
            external.is_some_and(|external| external.value.says(kind.key()))
        };
        let by_id = fleet.plans.values().copied().filter(is_named_there);
        named.chain(by_id.map(|keyed| keyed.key.as_str()))
    })
}

/// What the subscribers of each plan are served over.
fn media<'f>(devices: &[DeviceView<'f>]) -> BTreeMap<&'f str, BTreeSet<Medium>> {
    let mut media: BTreeMap<&str, BTreeSet<Medium>> = BTreeMap::new();
    for device in devices {
        if let Some(model) = device.model {
            for plan in &device.plans {
                media.entry(*plan).or_default().insert(model.medium);
            }
        }
    }
    media
}

fn suspension_plan<'c>(fleet: &Fleet<'c>) -> Option<&'c str> {
    match fleet.policies.suspension.as_ref().map(|spec| &spec.value) {
        Some(SuspensionSpec::Plan(plan)) => Some(&plan.value),
        _ => None,
    }
}

fn max_rate(fleet: &Fleet<'_>, findings: &mut Findings) {
    let Some(rate) = &fleet.policies.max_rate else {
        return;
    };
    let range = u64::from(Mbps::MAX.get())..=u64::from(Mbps::MAX_BY_MIB.get());
    let good = match rate.value.0 {
        Sold::Limited(bps) => bps % 1_000_000 == 0 && range.contains(&(bps / 1_000_000)),
        Sold::Unthrottled => false,
    };
    if !good {
        findings
            .add(
                &MAX_RATE,
                rate.at,
                format!(
                    "`max_rate` is {}; it needs whole Mbps from {} to {}",
                    rate.value.0,
                    Mbps::MAX.get(),
                    Mbps::MAX_BY_MIB.get()
                ),
            )
            .help("above it plans are written as unthrottled");
    }
}

fn plan(
    fleet: &Fleet<'_>,
    media: Option<&BTreeSet<Medium>>,
    keyed: &Keyed<RawPlan>,
    raw: &RawPlan,
    findings: &mut Findings,
) {
    let (name, name_at) = effective(&keyed.key, keyed.at, raw.name.as_ref());
    if !raw.says("name") {
        check_key(&keyed.key, keyed.at, "plan", findings);
    }
    if name == DEVICE_PROFILE {
        findings
            .add(
                &RESERVED_NAME,
                name_at,
                format!("`{DEVICE_PROFILE}` is the name of every device's own profile"),
            )
            .help("give the plan another name");
    }
    let Some((down, up)) = sold(raw) else {
        rates_missing(keyed, raw, findings);
        return;
    };
    let Some(asked) = fleet.asked(raw) else {
        let at = raw.down.as_ref().map_or(keyed.at, |rate| rate.at);
        let draft = findings.add(
            &RATE_MIXED,
            at,
            format!(
                "the plan `{}` limits one direction only: {down} down, {up} up",
                keyed.key
            ),
        );
        draft.help("limit both, or write `rate: unthrottled`");
        return;
    };
    let Rates::Limited {
        down: compiled_down,
        up: compiled_up,
    } = asked
    else {
        return;
    };
    let both = [
        ("down", down, compiled_down, &raw.down),
        ("up", up, compiled_up, &raw.up),
    ];
    for (direction, sold, compiled, field) in both {
        if compiled < Mbps::MIN {
            let at = field.as_ref().or(raw.rate.as_ref()).map_or(keyed.at, |rate| rate.at);
            findings
                .add(
                    &RATE_TOO_LOW,
                    at,
                    format!(
                        "{sold} {direction} becomes {compiled} with headroom; the device takes {} at least",
                        Mbps::MIN
                    ),
                )
                .help("sell 10 Mbps or more");
            if raw.rate.is_some() {
                break;
            }
        }
    }
    for medium in media.into_iter().flatten().copied() {
        let ceiling = ceiling(medium, fleet.max_rate());
        let (over, under) = (compiled_down.max(compiled_up), compiled_down.min(compiled_up));
        if over > ceiling && under <= ceiling {
            let at = raw.down.as_ref().map_or(keyed.at, |rate| rate.at);
            findings
                .add(&RATE_UNLIMITED, at, format!("on {medium} the plan `{}` limits neither direction", keyed.key))
                .help(format!(
                    "{over} with headroom is above the {ceiling} that a profile can limit there, so there is no profile and nothing limits the {under} of the other direction"
                ));
        }
    }
}

fn rates_missing(keyed: &Keyed<RawPlan>, raw: &RawPlan, findings: &mut Findings) {
    let rates = [&raw.rate, &raw.down, &raw.up];
    // A rate that is there and could not be read has its finding.
    let names = ["rate", "down", "up"];
    if rates
        .iter()
        .zip(names)
        .any(|(rate, name)| rate.is_none() && raw.says(name))
    {
        return;
    }
    let at = rates.into_iter().flatten().next().map_or(keyed.at, |rate| rate.at);
    let message = if raw.rate.is_some() {
        format!("the plan `{}` has `rate` and a rate for one direction", keyed.key)
    } else {
        format!("the plan `{}` needs `rate`, or `down` and `up`", keyed.key)
    };
    findings
        .add(&PLAN_RATES, at, message)
        .help("write `rate: 500 Mbps` for both directions, or `down: 500 Mbps` and `up: 100 Mbps`");
}

fn suspension(fleet: &Fleet<'_>, devices: &[DeviceView<'_>], findings: &mut Findings) {
    let policy = fleet.policies.suspension.as_ref();
    if let Some(SuspensionSpec::Plan(plan)) = policy.map(|spec| &spec.value) {
        let limited = fleet
            .plans
            .get(plan.value.as_str())
            .and_then(|keyed| keyed.value.as_ref())
            .map(|raw| {
                let asked = fleet.asked(raw);
                asked.is_none_or(|asked| on_medium(asked, Medium::Coax, fleet.max_rate()) != Rates::Unthrottled)
            });
        if plan.value == UNTHROTTLED || limited == Some(false) {
            findings
                .add(
                    &SUSPENSION_PLAN,
                    plan.at,
                    format!(
                        "the plan `{}` limits nothing, so suspending somebody would speed them up",
                        plan.value
                    ),
                )
                .help("name a slow plan, 10 Mbps say, or use a VLAN: `suspension: {vlan: N}`");
        } else if limited.is_none() && !fleet.plans.contains_key(plan.value.as_str()) && !fleet.incomplete {
            findings
                .add(&UNKNOWN_PLAN, plan.at, format!("there is no plan `{}`", plan.value))
                .help("add it under `plans`, or correct the key");
        }
    }
    if fleet.policies.says("suspension") || fleet.root.is_none() {
        return;
    }
    for (keyed, raw) in devices.iter().flat_map(|device| &device.subscribers) {
        if let Some(state) = raw.state.as_ref().filter(|state| state.value == State::Suspended) {
            findings
                .add(
                    &NO_SUSPENSION,
                    state.at,
                    format!(
                        "the subscriber `{}` is suspended, and nothing says how that is done",
                        keyed.key
                    ),
                )
                .help("add `policies: {suspension: ...}` to gamops.yaml: `{vlan: N}`, `{plan: KEY}` or `unbind`");
        }
    }
}

/// Whether the profiles that a device needs fit on it, under names of their own.
fn profiles(fleet: &Fleet<'_>, device: &DeviceView<'_>, findings: &mut Findings) {
    let Some(model) = device.model else {
        return;
    };
    let mut used = device.plans.clone();
    if let Some(plan) = suspension_plan(fleet).filter(|_| !device.subscribers.is_empty()) {
        used.insert(plan);
    }
    let limited: Vec<&Keyed<RawPlan>> = (used.into_iter())
        .filter_map(|key| fleet.plans.get(key).copied())
        .filter(|keyed| {
            let asked = keyed.value.as_ref().and_then(|raw| fleet.asked(raw));
            asked.is_some_and(|asked| on_medium(asked, model.medium, fleet.max_rate()) != Rates::Unthrottled)
        })
        .collect();
    let mut names = Vec::new();
    for keyed in &limited {
        if let Some(raw) = &keyed.value {
            let (name, at) = effective(&keyed.key, keyed.at, raw.name.as_ref());
            names.push((name, at, ("plan", keyed.key.as_str())));
        }
    }
    report(names, &device.keyed.key, findings);
    let needed = limited.len();
    let key = &device.keyed.key;
    if needed > FREE_SLOTS {
        findings
            .add(
                &PROFILE_SLOTS,
                device.keyed.at,
                format!("the device `{key}` needs {needed} bandwidth profiles; it has room for {FREE_SLOTS}"),
            )
            .help("let its subscribers share plans; the plan for suspended subscribers counts too");
    } else if needed >= FEW_SLOTS {
        findings
            .add(
                &PROFILE_SLOTS_LOW,
                device.keyed.at,
                format!("the device `{key}` needs {needed} of {FREE_SLOTS} bandwidth profiles"),
            )
            .help("a plan that changes needs a free one for a moment; let its subscribers share plans");
    }
}
