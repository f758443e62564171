//! The customers of an inventory: what a billing system would hold that agrees with it. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{BillingKind, ServiceRef};
use crate::inventory::billing::{Mapping, SiteRule, Whose};
use crate::inventory::model::{Inventory, Rates, State, Subscriber, UNTHROTTLED};
use crate::inventory::sold_at;
use crate::sim::billing::{Opening, Seed, SeedCustomer, SeedOffer, SeedService};

/// Rate of what is sold without a limit, in kbit/s.
const UNLIMITED: u64 = 1_000_000;

/// The first id that is given where the inventory names none.
const FIRST_OFFER: u64 = 1;

/// What a billing system holds that agrees with the inventory: each subscriber that names a service has its account, service, plan and
/// equipment there, and stands as it does here. With it, what an operator should know: what of the inventory could not be had, and what
/// gamops will ask about.
pub(super) fn customers_of(inventory: &Inventory, kind: BillingKind) -> (Opening, Vec<String>) {
    let Some(mapping) = inventory.billing.get(&kind) else {
        let note = format!(
            "the inventory has no `billing.{}`: gamops does not ask {kind} until it has",
            kind.key()
        );
        return (Opening::default(), vec![note]);
    };
    let mut notes = Vec::new();
    let catalogue = catalogue(inventory, kind, mapping, &mut notes);
    let (tied, odd) = tied(inventory, kind);
    notes.extend(odd);
    let mut customers: BTreeMap<u64, SeedCustomer> = BTreeMap::new();
    let (mut served, mut suspended, mut left) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for (account, service, subscriber) in tied {
        let Some(offer) = catalogue.by_plan.get(subscriber.plan.as_str()) else {
            continue;
        };
        let customer = customers
            .entry(account)
            .or_insert_with(|| customer(inventory, mapping, account, subscriber));
        customer.services.push(SeedService {
            id: service,
            offer: *offer,
            mac: subscriber.endpoint.as_ref().map(|endpoint| endpoint.mac.to_string()),
        });
        match (subscriber.state, subscriber.ended) {
            (_, Some(_)) => left.insert(account),
            (State::Suspended, None) => suspended.insert(account),
            (State::Active, None) => served.insert(account),
        };
    }
    let mixed: Vec<String> = (customers.keys())
        .filter(|account| served.contains(account) && (suspended.contains(account) || left.contains(account)))
        .map(u64::to_string)
        .collect();
    if !mixed.is_empty() {
        notes.push(format!(
            "some services of account {} rest and some do not; all of them are active in the simulated {kind}",
            mixed.join(", ")
        ));
    }
    suspended.retain(|account| !served.contains(account) && !left.contains(account));
    left.retain(|account| !served.contains(account));
    if customers.is_empty() {
        notes.push(format!(
            "no subscriber has `external.{}`: nobody is a customer yet",
            kind.key()
        ));
    }
    let opening = Opening {
        seed: Seed {
            offers: catalogue.offers,
            customers: customers.into_values().collect(),
        },
        suspended,
        left,
    };
    (opening, notes)
}

/// What is sold, and what of it is which plan.
struct Catalogue {
    offers: Vec<SeedOffer>,
    by_plan: BTreeMap<String, u64>,
}

/// Every plan of the inventory is sold, under the id or the name by which the inventory knows it.
fn catalogue(inventory: &Inventory, kind: BillingKind, mapping: &Mapping, notes: &mut Vec<String>) -> Catalogue {
    let number = |text: &str| text.parse::<u64>().ok();
    let mapped = |plan: &str| -> Vec<&String> {
        let to_it = mapping.plans.iter().filter(|(_, to)| to.as_str() == plan);
        to_it.map(|(from, _)| from).collect()
    };
    let mut ids: BTreeMap<u64, (String, String)> = BTreeMap::new();
    let mut unnumbered = Vec::new();
    let mut unknown = Vec::new();
    let plans = inventory.plans.keys().map(String::as_str).chain([UNTHROTTLED]);
    for plan in plans {
        let external = inventory.plans.get(plan).and_then(|plan| plan.external.of(kind));
        let froms = mapped(plan);
        let id = (froms.iter().find_map(|from| number(from))).or_else(|| external.and_then(number));
        let name = froms.iter().find(|from| number(from).is_none());
        let is_used = inventory.subscribers.values().any(|one| one.plan == plan);
        let shown = name.map_or_else(|| plan.to_owned(), |name| (*name).clone());
        match id {
            Some(id) => drop(ids.insert(id, (plan.to_owned(), shown))),
            None if name.is_some() => unnumbered.push((plan, shown)),
            None if plan == UNTHROTTLED && !is_used => {}
            None => {
                unknown.push(plan.to_owned());
                unnumbered.push((plan, shown));
            }
        }
    }
    for (plan, shown) in unnumbered {
        let id = (FIRST_OFFER..).find(|id| !ids.contains_key(id)).unwrap_or_default();
        ids.insert(id, (plan.to_owned(), shown));
    }
    if !unknown.is_empty() {
        notes.push(format!(
            "`billing.{}.plans` does not name {}: gamops asks what it is where somebody buys it",
            kind.key(),
            unknown.join(", ")
        ));
    }
    let rates = |plan: &str| match inventory.plans.get(plan).map(|plan| plan.asked) {
        Some(Rates::Limited { down, up }) => {
            // A plan with a headroom of its own is sold as what its profile holds: near enough to be told apart.
            let sold = |mbps| u64::from(sold_at(mbps, inventory.headroom).unwrap_or(mbps).get()) * 1000;
            (sold(down), sold(up))
        }
        Some(Rates::Unthrottled) | None => (UNLIMITED, UNLIMITED),
    };
    let offers = ids.iter().map(|(id, (plan, name))| {
        let (down_kbps, up_kbps) = rates(plan);
        SeedOffer {
            id: *id,
            name: name.clone(),
            down_kbps,
            up_kbps,
        }
    });
    Catalogue {
        offers: offers.collect(),
        by_plan: ids.iter().map(|(id, (plan, _))| (plan.clone(), *id)).collect(),
    }
}

/// Subscribers that name a service of the system: account, service, subscriber. Where only the service is named, the account has the same number.
fn tied(inventory: &Inventory, kind: BillingKind) -> (Vec<(u64, u64, &Subscriber)>, Vec<String>) {
    let (mut tied, mut odd) = (Vec::new(), Vec::new());
    for subscriber in inventory.subscribers.values() {
        let Some(external) = subscriber.external.of(kind) else {
            continue;
        };
        let name = external.parse::<ServiceRef>();
        let (account, service) = match &name {
            Ok(name) => (name.account.parse(), name.service.parse()),
            Err(_) => (external.parse(), external.parse()),
        };
        match (account, service) {
            (Ok(account), Ok(service)) => tied.push((account, service, subscriber)),
            _ => odd.push(format!(
                "`external.{}` of {} is `{external}`, which is no account and service, such as 1001/5001: it has none in the simulated {kind}",
                kind.key(),
                subscriber.key
            )),
        }
    }
    (tied, odd)
}

/// The customer who is a subscriber, so that a rule for the subscriber's site fits where one can.
fn customer(inventory: &Inventory, mapping: &Mapping, account: u64, subscriber: &Subscriber) -> SeedCustomer {
    let site = (inventory.devices.get(&subscriber.device)).and_then(|device| device.site.as_deref());
    let address = site.and_then(|site| inventory.sites.get(site)?.address.clone());
    let mut customer = SeedCustomer {
        id: account,
        name: format!("Customer {account}"),
        street: address.unwrap_or_default(),
        ..SeedCustomer::default()
    };
    let is_of_site = |rule: &&SiteRule| matches!(&rule.then, Whose::Site(of) if Some(of.as_str()) == site);
    let rule = mapping.sites.iter().find(is_of_site);
    for (fact, texts) in rule.iter().flat_map(|rule| &rule.when) {
        let Some(text) = texts.first().cloned() else {
            continue;
        };
        match (fact.as_str(), fact.strip_prefix("field.")) {
            ("street", _) => customer.street = text,
            ("city", _) => customer.city = text,
            ("zip", _) => customer.zip = text,
            (_, Some(field)) => customer.fields.push((field.to_owned(), text)),
            // Places and partners are the system's own lists; gamops asks about an account that fits no rule.
            _ => {}
        }
    }
    customer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::SourceFile;
    use crate::inventory;

    fn opening(billing: &str, subscribers: &str) -> (Opening, Vec<String>) {
        let text = format!(
            "format: 1\ninventory: t\ndefaults: {{credentials: factory}}\nsites: {{elm: {{address: 1 Elm Street}}}}\n\
             devices: {{elm-a: {{site: elm, model: GAM-4-CX, address: 127.0.0.1}}}}\n\
             policies: {{suspension: {{vlan: 3900}}}}\n\
             plans: {{silver: {{rate: 100 Mbps, headroom: 6%}}, gold: {{rate: 500 Mbps, external: {{splynx: \"12\"}}}}}}\n\
             {billing}subscribers:\n{subscribers}"
        );
        let file = SourceFile {
            path: "gamops.yaml".to_owned(),
            text,
        };
        let loaded = inventory::load(&[file]);
        let inventory = loaded.inventory.unwrap_or_else(|| panic!("{:?}", loaded.report));
        customers_of(&inventory, BillingKind::Splynx)
    }

    const SUBSCRIBERS: &str = "  \
        s-1: {device: elm-a, endpoint: \"00:0e:d8:00:00:01\", port: 1, plan: gold, vlan: 100, external: {splynx: 1001/5001}}\n  \
        s-2: {device: elm-a, endpoint: \"00:0e:d8:00:00:02\", port: 1, plan: silver, vlan: 101, state: suspended, external: {splynx: 771}}\n  \
        s-3: {device: elm-a, endpoint: \"00:0e:d8:00:00:03\", port: 2, plan: unthrottled, vlan: 102}\n";

    #[test]
    fn who_names_a_service_has_it_as_the_inventory_says() {
        let billing = "billing: {splynx: {plans: {Fiber 100: silver, Fiber Max: unthrottled}, sites: [{site: elm, when: {city: Elm Park, field.building: B}}]}}\n";
        let (opening, notes) = opening(billing, SUBSCRIBERS);
        assert_eq!(notes, [""; 0]);
        let offers: Vec<String> = (opening.seed.offers.iter())
            .map(|offer| format!("{} {} {}/{}", offer.id, offer.name, offer.down_kbps, offer.up_kbps))
            .collect();
        assert_eq!(
            offers,
            [
                "1 Fiber 100 100000/100000",
                "2 Fiber Max 1000000/1000000",
                "12 gold 500000/500000"
            ]
        );
        let customers: Vec<String> = (opening.seed.customers.iter())
            .map(|one| format!("{} {} {:?} {:?}", one.id, one.city, one.fields, one.services))
            .collect();
        insta::assert_snapshot!(customers.join("\n"));
        assert_eq!(opening.suspended, [771].into());
        assert_eq!(opening.left, [].into());
    }

    #[test]
    fn what_does_not_fit_is_said() {
        let (nobody, notes) = opening("", SUBSCRIBERS);
        assert_eq!(nobody, Opening::default());
        assert!(
            notes[0].starts_with("the inventory has no `billing.splynx`"),
            "{notes:?}"
        );
        let subscribers = SUBSCRIBERS.replace("1001/5001", "x-1").replace("771", "1001/5002");
        let (opening, notes) = opening("billing: {splynx: {}}\n", &subscribers);
        assert_eq!(opening.seed.customers.len(), 1);
        assert!(notes[0].contains("does not name silver, unthrottled"), "{notes:?}");
        assert!(notes[1].contains("`external.splynx` of s-1 is `x-1`"), "{notes:?}");
    }
}
