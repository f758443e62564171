//! What may say which endpoint a service is on: equipment at the address, and what was written beside services, addresses and accounts. Pure.

use std::collections::BTreeMap;

use super::super::private::is_private;
use super::join::{Homes, Lists};
use super::rows::{AccountService, CustomField, Id, Item, ItemField, Metadata, RadiusAccount, UninventoriedMac};
use crate::billing::Clue;

/// All that may be a clue, by what it belongs to.
pub(super) struct Equipment<'a> {
    homes: &'a Homes<'a>,
    /// Items by the service that has them.
    items: BTreeMap<Id, Vec<&'a Item>>,
    macs: Owned<'a, UninventoriedMac>,
    radius: Owned<'a, RadiusAccount>,
    metadata: BTreeMap<Id, Vec<&'a Metadata>>,
}

/// Rows that belong to a service, or to an account as a whole.
struct Owned<'a, T> {
    service: BTreeMap<Id, Vec<&'a T>>,
    account: BTreeMap<Id, Vec<&'a T>>,
}

impl<'a, T> Owned<'a, T> {
    fn new(rows: &'a [T], owner: fn(&T) -> (Option<Id>, Option<Id>)) -> Self {
        let mut owned = Self {
            service: BTreeMap::new(),
            account: BTreeMap::new(),
        };
        for row in rows {
            match owner(row) {
                (Some(service), _) => owned.service.entry(service).or_default().push(row),
                (None, Some(account)) => owned.account.entry(account).or_default().push(row),
                (None, None) => {}
            }
        }
        owned
    }
}

impl<'a> Equipment<'a> {
    /// Sorts the lists. `services`: the services that carry data, by account.
    pub(super) fn new(lists: &'a Lists, homes: &'a Homes<'a>, services: &BTreeMap<Id, Vec<&AccountService>>) -> Self {
        let mut metadata: BTreeMap<Id, Vec<&Metadata>> = BTreeMap::new();
        let shown = |row: &&Metadata| !is_private(&row.service_metadatum.name);
        for row in lists.metadata.iter().filter(shown) {
            metadata.entry(row.account_service_id).or_default().push(row);
        }
        Self {
            homes,
            items: by_service(&lists.items, homes, services),
            macs: Owned::new(&lists.macs, |mac| (mac.account_service_id, mac.account_id)),
            radius: Owned::new(&lists.radius, |login| (login.account_service_id, login.account_id)),
            metadata,
        }
    }

    /// The clues of a service, each once: what is linked to it first, what only its account has last.
    pub(super) fn clues(&self, service: &AccountService) -> Vec<Clue> {
        let mut clues = Clues::default();
        let items = self.items.get(&service.id);
        let items = || items.into_iter().flatten();
        for item in items() {
            for field in macs(&item.inventory_model_field_data.entities) {
                clues.add("inventory.mac".to_owned(), Some(&field.value));
                // Beside the endpoint there may be a router: the model tells them apart.
                if let Some(model) = &item.inventory_model {
                    clues.add(format!("inventory.{}.mac", model.name), Some(&field.value));
                }
            }
        }
        // Routers come with passwords.
        let fields = items().flat_map(|item| &item.inventory_model_field_data.entities);
        for field in fields.filter(|field| !is_private(&field.inventory_model_field.name)) {
            clues.add(
                format!("inventory.{}", field.inventory_model_field.name),
                Some(&field.value),
            );
        }
        for mac in self.macs.service.get(&service.id).into_iter().flatten() {
            clues.add("service.uninventoried_mac".to_owned(), Some(&mac.mac_address));
        }
        for mac in self.macs.account.get(&service.account_id).into_iter().flatten() {
            clues.add("account.uninventoried_mac".to_owned(), Some(&mac.mac_address));
        }
        for row in self.metadata.get(&service.id).into_iter().flatten() {
            clues.add(
                format!("service.metadata.{}", row.service_metadatum.name),
                row.value.as_deref(),
            );
        }
        for address in self.homes.of(service.account_id) {
            clues.add_fields("address", self.homes.fields(address.id));
        }
        clues.add_fields("account", self.homes.account_fields(service.account_id));
        let logins = self.radius.service.get(&service.id).into_iter().flatten();
        for login in logins.chain(self.radius.account.get(&service.account_id).into_iter().flatten()) {
            clues.add("radius.username".to_owned(), Some(&login.username));
        }
        clues.0
    }
}

/// Clues as they are gathered.
#[derive(Default)]
struct Clues(Vec<Clue>);

impl Clues {
    fn add(&mut self, source: String, text: Option<&str>) {
        if let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) {
            let clue = Clue {
                source,
                text: text.to_owned(),
            };
            if !self.0.contains(&clue) {
                self.0.push(clue);
            }
        }
    }

    fn add_fields(&mut self, of: &str, fields: &[&CustomField]) {
        for field in fields {
            self.add(
                format!("{of}.field.{}", field.custom_field.name),
                field.value.as_deref(),
            );
        }
    }
}

/// The fields of an item that hold its MAC: those named like it, and of them the primary ones if there are any. Models name their
/// fields as they like; this is how LibreQoS finds it.
fn macs(fields: &[ItemField]) -> Vec<&ItemField> {
    let is_mac = |field: &&ItemField| field.inventory_model_field.name.to_lowercase().contains("mac");
    let named: Vec<&ItemField> = fields.iter().filter(is_mac).collect();
    let is_primary = |field: &&ItemField| field.inventory_model_field.primary == Some(true);
    let primary: Vec<&ItemField> = named.iter().copied().filter(is_primary).collect();
    if primary.is_empty() { named } else { primary }
}

/// Which service has which items.
///
/// Who lives at an address has what is there: a link to a service of somebody who has left it is a thing of the past. Within a
/// home the link decides. What is linked to none belongs to the services that have no item of their own: to several of them where it
/// cannot be known to which, so that the question is seen.
fn by_service<'a>(
    items: &'a [Item],
    homes: &Homes<'_>,
    services: &BTreeMap<Id, Vec<&AccountService>>,
) -> BTreeMap<Id, Vec<&'a Item>> {
    let account_of: BTreeMap<Id, Id> = (services.values().flatten())
        .map(|service| (service.id, service.account_id))
        .collect();
    let mut hosted: BTreeMap<Id, Vec<Id>> = BTreeMap::new();
    for (account, services) in services {
        if let Some(host) = homes.host(*account) {
            hosted
                .entry(host)
                .or_default()
                .extend(services.iter().map(|service| service.id));
        }
    }
    let mut owned: BTreeMap<Id, Vec<&Item>> = BTreeMap::new();
    let mut shared: Vec<(Id, &Item)> = Vec::new();
    for item in items {
        let host = item.inventoryitemable_id.and_then(|address| homes.owner(address));
        let linked = item.account_service_id.filter(|service| {
            let account = account_of.get(service);
            account.is_some_and(|account| host.is_none() || homes.host(*account) == host)
        });
        match (linked, host) {
            (Some(service), _) => owned.entry(service).or_default().push(item),
            (None, Some(host)) => shared.push((host, item)),
            (None, None) => {}
        }
    }
    let mut extra: Vec<(Id, &Item)> = Vec::new();
    for (host, item) in shared {
        let here = hosted.get(&host).map_or(&[][..], Vec::as_slice);
        extra.extend(
            here.iter()
                .filter(|service| !owned.contains_key(service))
                .map(|service| (*service, item)),
        );
    }
    for (service, item) in extra {
        owned.entry(service).or_default().push(item);
    }
    owned
}
