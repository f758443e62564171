//! The root file of a new inventory.

use std::collections::BTreeMap;

use crate::domain::{Mbps, Medium};
use crate::inventory::{Headroom, ROOT_FILE, quoted};
use crate::observed::ProfileRef;

use super::draft::Draft;
use super::page::Page;

/// Writes `gamops.yaml` with the id of the inventory.
pub(super) fn root(draft: &Draft<'_>, id: &str) -> Page {
    let mut page = Page::new(ROOT_FILE.to_owned());
    page.comment(
        0,
        "Begun by `gamops import`. `gamops validate` checks it, `gamops plan` compares it with the devices.",
    );
    page.gap();
    page.line(0, "format: 1");
    page.line(0, &format!("inventory: {}", quoted(id, false)));
    page.gap();
    page.line(0, "defaults:");
    page.comment(1, "Credentials are names; the values never stand here.");
    page.line(1, &format!("credentials: {}", quoted(common_credentials(draft), false)));
    page.comment(
        1,
        "Devices are looked at and not changed. Set one to `manage` once its plan says what you expect.",
    );
    page.line(1, "mode: observe");
    if draft.plans.headroom != Headroom::default() {
        let words = match draft.plans.headroom == Headroom::percent(0) {
            true => "The devices were given what is sold and nothing more; the vendor advises 6 to 8 %.",
            false => "How much more than the rate sold the devices were given.",
        };
        page.comment(1, words);
        page.line(1, &format!("headroom: {}", draft.plans.headroom));
    }
    if let Some(rate) = highest_on_copper(draft) {
        page.gap();
        page.line(0, "policies:");
        page.comment(
            1,
            "Some device has a bandwidth profile above 1000 Mbps. The vendor says to use none above it.",
        );
        page.line(1, &format!("max_rate: {rate}"));
    }
    page
}

/// The credentials that most devices are read with.
pub(super) fn common_credentials<'d>(draft: &'d Draft<'_>) -> &'d str {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, device) in draft.devices_in() {
        *counts.entry(&device.found.credentials).or_default() += 1;
    }
    let most = counts
        .into_iter()
        .max_by_key(|(name, count)| (*count, std::cmp::Reverse(*name)));
    most.map_or("factory", |(name, _)| name)
}

/// The highest rate of a profile in use on copper, where it is one that only a policy allows.
fn highest_on_copper(draft: &Draft<'_>) -> Option<Mbps> {
    let copper = draft
        .devices_in()
        .filter(|(_, device)| device.found.model.medium == Medium::Copper);
    let rates = copper.flat_map(|(place, device)| {
        let in_use = draft.subscribers_in(place).filter_map(|(_, one)| match one.profile {
            Some(ProfileRef::Profile(id)) => device.config.profiles.get(&id),
            _ => None,
        });
        in_use
            .flat_map(|profile| [profile.down, profile.up])
            .flatten()
            .collect::<Vec<_>>()
    });
    rates
        .filter(|rate| (Mbps::MAX..=Mbps::MAX_BY_MIB).contains(rate))
        .max()
        .filter(|rate| *rate > Mbps::MAX)
}
