//! Which plan is what a service was sold.

use crate::inventory::billing::Mapping;
use crate::inventory::model::{Inventory, Rates, ServicePlan};

use super::words::{listed, said};
use super::{Book, Offer, Service};

/// The plan of a service, by its key.
///
/// # Errors
///
/// What is not known, with the choices there are.
pub(super) fn plan<'i>(
    inventory: &'i Inventory,
    mapping: &'i Mapping,
    book: &Book,
    service: &Service,
) -> Result<&'i str, String> {
    let kind = book.kind;
    let Some(id) = &service.offer else {
        return Err(format!("{kind} does not say what was sold"));
    };
    if let Some(plan) = mapping.plans.get(id) {
        return Ok(plan);
    }
    let named = |plan: &&ServicePlan| plan.external.of(kind) == Some(id);
    let named: Vec<&str> = (inventory.plans.values().filter(named))
        .map(|plan| plan.key.as_str())
        .collect();
    let offer = book.offers.get(id);
    match named.as_slice() {
        [plan] => return Ok(plan),
        [] => {
            if let Some(plan) = offer.and_then(|offer| mapping.plans.get(offer.name.trim())) {
                return Ok(plan);
            }
        }
        several => {
            return Err(format!(
                "what was sold, `{}` of {kind}, is {} here at once: leave `external.{}` to one of them",
                said(id),
                listed(several.iter().copied(), "and"),
                kind.key()
            ));
        }
    }
    let what = match offer {
        Some(offer) => format!("`{}` of {kind} ({}) is no plan here", said(id), described(offer)),
        None => format!("`{}` is not among what {kind} sells, and no plan here", said(id)),
    };
    Err(format!(
        "{what}: write `{}: PLAN` under `billing.{}.plans`; plans are {}",
        crate::inventory::quoted_key(&said(id)),
        kind.key(),
        listed(choices(inventory, offer), "and")
    ))
}

/// `Fiber 500, 500/500 Mbps`.
fn described(offer: &Offer) -> String {
    let mbps = |kbps: Option<u64>| kbps.map_or_else(|| "?".to_owned(), |kbps| (kbps / 1000).to_string());
    let rates = (offer.down_kbps.is_some() || offer.up_kbps.is_some())
        .then(|| format!(", {}/{} Mbps", mbps(offer.down_kbps), mbps(offer.up_kbps)));
    format!("{}{}", said(&offer.name), rates.unwrap_or_default())
}

/// The plans that it may be, the nearest rate first.
fn choices<'i>(inventory: &'i Inventory, offer: Option<&Offer>) -> Vec<&'i str> {
    let sold = offer.and_then(|offer| offer.down_kbps).map(|kbps| kbps / 1000);
    let distance = |plan: &ServicePlan| match (plan.asked, sold) {
        (Rates::Limited { down, .. }, Some(sold)) => u64::from(down.get()).abs_diff(sold),
        _ => u64::MAX,
    };
    let mut plans: Vec<&ServicePlan> = inventory.plans.values().collect();
    plans.sort_by_key(|plan| (distance(plan), &plan.key));
    let unthrottled = std::iter::once(crate::inventory::model::UNTHROTTLED);
    plans
        .into_iter()
        .map(|plan| plan.key.as_str())
        .chain(unthrottled)
        .collect()
}
