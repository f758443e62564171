//! Plans, subscribers and comments as a page shows them.

use std::collections::BTreeSet;

use crate::domain::{PortBinding, VlanId};
use crate::inventory::model::UNTHROTTLED;
use crate::inventory::quoted_key;
use crate::observed::{ObjectId, Subscriber};

use super::draft::{DeviceDraft, Draft, Field, Item, by_port};
use super::entry::{self, SubscriberEntry};
use super::outcome::{describe, harmless};
use super::page::Page;
use super::plans::Shared;

/// Writes what a page is about.
pub(super) fn head(page: &mut Page, draft: &Draft<'_>, devices: &[usize]) {
    let describe = |place: &usize| {
        let device = draft.devices.get(*place)?;
        let found = device.found;
        let firmware = found
            .identity
            .as_ref()
            .map(|identity| format!(" with {}", identity.firmware));
        let firmware = firmware.unwrap_or_default();
        Some(format!(
            "{}, a {} at {}{firmware}",
            device.key, found.model, found.address
        ))
    };
    let all: Vec<String> = devices.iter().filter_map(describe).collect();
    match all.as_slice() {
        [one] => page.comment(0, &format!("As `gamops import` found it: {one}.")),
        _ => page.comment(0, &format!("As `gamops import` found {} devices.", all.len())),
    }
    page.gap();
}

/// Writes the sites of devices that are not `known` yet.
pub(super) fn write_sites(page: &mut Page, draft: &Draft<'_>, devices: &[usize], known: impl Fn(&str) -> bool) {
    let site = |place: &usize| draft.devices.get(*place)?.site.as_deref();
    let sites: BTreeSet<&str> = devices.iter().filter_map(site).filter(|site| !known(site)).collect();
    if sites.is_empty() {
        return;
    }
    page.line(0, "sites:");
    for site in sites {
        page.line(1, &format!("{}: {{}}", quoted_key(site)));
    }
    page.gap();
}

/// Writes plans.
pub(super) fn write_plans(page: &mut Page, draft: &Draft<'_>, plans: &[usize]) {
    page.line(0, "plans:");
    for (number, place) in plans.iter().enumerate() {
        let Some(plan) = draft.plans.list.get(*place) else {
            continue;
        };
        let item = Item::Plan(*place);
        if number > 0 {
            page.gap();
        }
        let before = plans
            .iter()
            .take(number)
            .filter_map(|other| draft.plans.list.get(*other));
        let twin = before.into_iter().find(|other| other.sold == plan.sold);
        if let Some(twin) = twin {
            page.question(
                1,
                &format!("The same rates as `{}`: two plans, or one under two names?", twin.key),
            );
        }
        if plan.sold.odd {
            page.question(1, "The rates are as found on the devices. What is sold?");
        }
        if plan.description == Shared::Differs {
            page.question(
                1,
                "Its description differs from device to device, and is left as it is on each.",
            );
        }
        if plan.level == Shared::Differs {
            page.question(
                1,
                "Its service limit level differs from device to device, and is left as it is on each.",
            );
        }
        left_fields(page, draft, item);
        let is_left = |field| draft.is_left(item, field).is_some();
        page.entry(item, 1, &entry::plan(plan, draft.plans.headroom, &is_left));
    }
}

/// Writes the subscribers of devices.
pub(super) fn write_subscribers(page: &mut Page, draft: &Draft<'_>, devices: &[usize]) {
    let mut is_headed = false;
    for place in devices {
        let Some(device) = draft.devices.get(*place) else {
            continue;
        };
        let mut subscribers: Vec<_> = draft.subscribers_in(*place).collect();
        subscribers.sort_by_key(|(id, one)| (by_port(device, one), *id));
        for (id, held) in subscribers {
            let Some(key) = device.subscribers.get(&id) else {
                continue;
            };
            page.gap();
            if !is_headed {
                page.line(0, "subscribers:");
                is_headed = true;
            }
            let item = Item::Object(*place, ObjectId::Subscriber(id));
            let plan = draft.plan_of(*place, held).and_then(|plan| draft.plans.list.get(plan));
            let endpoint = device.endpoint_of(held);
            questions(page, device, held);
            left_fields(page, draft, item);
            let entry = SubscriberEntry {
                key,
                device: &device.key,
                plan: plan.map_or(UNTHROTTLED, |plan| &plan.key),
                held,
                endpoint,
            };
            let is_left = |field| draft.is_left(item, field).is_some();
            page.entry(item, 1, &entry::subscriber(&entry, &is_left));
        }
    }
}

/// What a person has to decide about a subscriber.
fn questions(page: &mut Page, device: &DeviceDraft<'_>, held: &Subscriber) {
    let endpoint = device.endpoint_of(held);
    let is_bound = held.port.is_some() || endpoint.is_some();
    if !is_bound {
        page.question(1, "Bound to nothing on the device, so without service.");
    }
    if endpoint.is_some_and(|endpoint| endpoint.port == PortBinding::Unassigned) {
        page.question(1, "Its endpoint is on no port, so without service.");
    }
    if held.vlan == VlanId::CAPTIVE_PORTAL {
        page.question(
            1,
            "In VLAN 4094, the device's captive portal, so without service. Which VLAN is it to have?",
        );
    }
    unknown_words(page, 1, &held.unknown);
    if let Some(endpoint) = endpoint {
        unknown_words(page, 1, &endpoint.unknown);
    }
}

/// Asks about words of a device's line that nobody knows.
pub(super) fn unknown_words(page: &mut Page, depth: usize, words: &[String]) {
    if !words.is_empty() {
        let words = harmless(&words.join(" "));
        page.question(
            depth,
            &format!("The device also says `{words}`, which gamops does not know and leaves alone."),
        );
    }
}

/// Says which settings of an entry stay as they are on the device.
pub(super) fn left_fields(page: &mut Page, draft: &Draft<'_>, item: Item) {
    let all = [
        Field::Name,
        Field::Description,
        Field::EndpointName,
        Field::EndpointDescription,
        Field::Hostname,
    ];
    let depth = match item {
        Item::Device(_) | Item::Plan(_) | Item::Object(_, ObjectId::Subscriber(_)) => 1,
        Item::Object(..) => 3,
    };
    for field in all {
        if let Some(reason) = draft.is_left(item, field) {
            let what = field.words();
            page.question(depth, &format!("On the device {what} stays as it is: {reason}."));
        }
    }
}

/// Lists what is left alone on devices.
pub(super) fn write_left(page: &mut Page, draft: &Draft<'_>, devices: &[usize]) {
    for place in devices {
        let Some(device) = draft.devices.get(*place) else {
            continue;
        };
        let mut left = draft.out_on(*place).peekable();
        if left.peek().is_none() {
            continue;
        }
        page.gap();
        page.question(0, &format!("Left alone on {}, unmanaged:", device.key));
        for (id, reason) in left {
            page.item(&format!("{}: {reason}", describe(&device.config, id)));
        }
    }
}
