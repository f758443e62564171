//! Rows of Splynx, joined to accounts and services. Pure.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::billing::{Account, Clue, Offer, Service, Standing};

use super::row::{self, Customer, Item, Place, Row as _, Tariff};
use super::standing::standing;

/// Everything that was read.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) tariffs: Vec<Tariff>,
    pub(super) customers: Vec<Customer>,
    pub(super) services: Vec<row::Service>,
    pub(super) items: Vec<Item>,
    pub(super) locations: Vec<Place>,
    pub(super) partners: Vec<Place>,
    pub(super) hardware: Vec<Place>,
    pub(super) network_sites: Vec<Place>,
}

impl Rows {
    /// Customers that services name and that are not there.
    pub(super) fn missing_customers(&self) -> Vec<u64> {
        let there: Vec<u64> = sorted(self.customers.iter().map(row::Row::id));
        let named = sorted(self.services.iter().map(|service| service.customer_id.0));
        named
            .into_iter()
            .filter(|id| there.binary_search(id).is_err())
            .collect()
    }

    /// Whether a service names a tariff that is not there.
    pub(super) fn lacks_a_tariff(&self) -> bool {
        let there = sorted(self.tariffs.iter().map(row::Row::id));
        let mut named = self.services.iter().filter_map(|service| service.tariff_id.id());
        named.any(|id| there.binary_search(&id).is_err())
    }
}

fn sorted(ids: impl Iterator<Item = u64>) -> Vec<u64> {
    let mut ids: Vec<u64> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// What is sold, by id.
pub(super) fn offers(tariffs: &[Tariff]) -> BTreeMap<String, Offer> {
    // 0 and nothing are neither "no limit" nor "nothing gets through": nobody filled it in.
    let rate = |rate: &row::Loose| rate.id();
    let offer = |tariff: &Tariff| Offer {
        name: tariff.title.text().to_owned(),
        down_kbps: rate(&tariff.speed_download),
        up_kbps: rate(&tariff.speed_upload),
    };
    (tariffs.iter())
        .map(|tariff| (tariff.id().to_string(), offer(tariff)))
        .collect()
}

/// The accounts, by id, as they stand on a day.
pub(super) fn accounts(rows: &Rows, today: Date) -> BTreeMap<String, Account> {
    let places = Places::of(rows);
    let mut accounts: BTreeMap<u64, Account> = (rows.customers.iter())
        .map(|customer| (customer.id(), account(customer, &places)))
        .collect();
    let customers: BTreeMap<u64, &Customer> = rows.customers.iter().map(|row| (row.id(), row)).collect();
    let equipment = Equipment::of(rows, today);
    for service in &rows.services {
        let customer = customers.get(&service.customer_id.0).copied();
        let (standing, words) = standing(customer.map(|customer| customer.status.text()), service, today);
        let service_facts = fields(&service.additional_attributes, "field.")
            .chain(places.network_site(service))
            .collect();
        let joined = Service {
            offer: service.tariff_id.id().map(|id| id.to_string()),
            standing,
            words,
            clues: clues(service, customer, &equipment),
            facts: service_facts,
        };
        let account = accounts.entry(service.customer_id.0).or_default();
        account.services.insert(service.id().to_string(), joined);
    }
    (accounts.into_iter())
        .map(|(id, account)| (id.to_string(), account))
        .collect()
}

fn account(customer: &Customer, places: &Places<'_>) -> Account {
    let known = [
        ("location", places.location(customer)),
        ("partner", places.partner(customer)),
        ("street", customer.street_1.text()),
        ("zip", customer.zip_code.text()),
        ("city", customer.city.text()),
    ];
    let label = (!customer.customer_labels.0.is_empty()).then(|| customer.customer_labels.0.join(", "));
    let known = (known.into_iter())
        .filter(|(_, text)| !text.is_empty())
        .map(|(name, text)| (name.to_owned(), text.to_owned()));
    Account {
        name: customer.name.text().to_owned(),
        facts: known
            .chain(label.map(|label| ("label".to_owned(), label)))
            .chain(fields(&customer.additional_attributes, "field."))
            .collect(),
        services: BTreeMap::new(),
    }
}

fn fields<'a>(fields: &'a row::Fields, before: &'a str) -> impl Iterator<Item = (String, String)> + 'a {
    (fields.0.iter()).map(move |(name, value)| (format!("{before}{name}"), value.clone()))
}

/// What may say where a service is, in the order in which it is looked at by people: equipment, the service, the customer.
fn clues(service: &row::Service, customer: Option<&Customer>, equipment: &Equipment<'_>) -> Vec<Clue> {
    let mut clues = Vec::new();
    let mut add = |source: &str, text: &str| {
        if !text.is_empty() {
            clues.push(Clue {
                source: source.to_owned(),
                text: text.to_owned(),
            });
        }
    };
    for item in equipment.at(service) {
        add("inventory.barcode", item.barcode.text());
        add("inventory.serial_number", item.serial_number.text());
    }
    // "Mac(s)": one field, and several in it where there are several.
    for mac in service.mac.text().split([',', ';', ' ', '\n', '\t']) {
        add("service.mac", mac);
    }
    for (name, value) in &service.additional_attributes.0 {
        add(&format!("service.field.{name}"), value);
    }
    for (source, number) in [
        ("service.access_device", &service.access_device),
        ("service.port_id", &service.port_id),
    ] {
        if number.text() != "0" {
            add(source, number.text());
        }
    }
    add("service.login", service.login.text());
    for (name, value) in customer.iter().flat_map(|customer| &customer.additional_attributes.0) {
        add(&format!("account.field.{name}"), value);
    }
    clues
}

/// Which equipment belongs to which service.
struct Equipment<'a> {
    of_service: BTreeMap<u64, Vec<&'a Item>>,
    of_customer: BTreeMap<u64, Vec<&'a Item>>,
}

impl<'a> Equipment<'a> {
    /// An item that names a service is that service's. One that names none, or one that is over, is the customer's: an exchange of a service for
    /// another leaves the item with the old one, and many operators fill in the customer only.
    fn of(rows: &'a Rows, today: Date) -> Self {
        let customers: BTreeMap<u64, &str> = (rows.customers.iter())
            .map(|customer| (customer.id(), customer.status.text()))
            .collect();
        let running: BTreeMap<u64, u64> = (rows.services.iter())
            .filter(|service| {
                let customer = customers.get(&service.customer_id.0).copied();
                standing(customer, service, today).0 != Standing::Ended
            })
            .map(|service| (service.id(), service.customer_id.0))
            .collect();
        let mut equipment = Self {
            of_service: BTreeMap::new(),
            of_customer: BTreeMap::new(),
        };
        for item in &rows.items {
            // What came back is not at the customer any more.
            if matches!(item.status.text(), "stock" | "returned" | "internal_usage") {
                continue;
            }
            let customer = item.customer_id.0;
            let service = item.service_id.id().filter(|id| running.get(id) == Some(&customer));
            match service {
                Some(service) => equipment.of_service.entry(service).or_default().push(item),
                None => equipment.of_customer.entry(customer).or_default().push(item),
            }
        }
        equipment
    }

    /// A service's own, else its customer's.
    fn at(&self, service: &row::Service) -> &[&'a Item] {
        let own = self.of_service.get(&service.id());
        let items = own.or_else(|| self.of_customer.get(&service.customer_id.0));
        items.map(Vec::as_slice).unwrap_or_default()
    }
}

/// Names of places by id.
struct Places<'a> {
    locations: BTreeMap<u64, &'a Place>,
    partners: BTreeMap<u64, &'a Place>,
    hardware: BTreeMap<u64, &'a Place>,
    network_sites: BTreeMap<u64, &'a Place>,
}

impl<'a> Places<'a> {
    fn of(rows: &'a Rows) -> Self {
        let by_id = |places: &'a [Place]| places.iter().map(|place| (place.id(), place)).collect();
        Self {
            locations: by_id(&rows.locations),
            partners: by_id(&rows.partners),
            hardware: by_id(&rows.hardware),
            network_sites: by_id(&rows.network_sites),
        }
    }

    fn location(&self, customer: &Customer) -> &'a str {
        called(&self.locations, customer.location_id.id())
    }

    fn partner(&self, customer: &Customer) -> &'a str {
        called(&self.partners, customer.partner_id.id())
    }

    /// Where the hardware stands that a service is on.
    fn network_site(&self, service: &row::Service) -> Option<(String, String)> {
        let hardware = self.hardware.get(&service.access_device.id()?)?;
        let name = called(&self.network_sites, hardware.network_site_id.id());
        (!name.is_empty()).then(|| ("network_site".to_owned(), name.to_owned()))
    }
}

fn called<'a>(places: &BTreeMap<u64, &'a Place>, id: Option<u64>) -> &'a str {
    id.and_then(|id| places.get(&id)).map_or("", |place| place.called())
}

#[cfg(test)]
mod tests;
