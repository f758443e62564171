//! Sonar's flat lists, joined by their ids into a book. Pure.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use serde_json::Value;

use super::super::private::is_private;
use super::clues::Equipment;
use super::rows::{
    Account as AccountRow, AccountService, Address, CustomField, DisconnectionLog, Id, Item, Metadata, RadiusAccount,
    Rates, Service as ServiceRow, Status, UninventoriedMac,
};
use super::standing::{Known, standing};
use crate::billing::{Account, Offer, Service, Standing};

/// What was read, each list whole for the accounts that it is about.
#[derive(Debug, Default)]
pub(super) struct Lists {
    pub(super) accounts: Vec<AccountRow>,
    pub(super) statuses: Vec<Status>,
    pub(super) account_services: Vec<AccountService>,
    pub(super) services: Vec<ServiceRow>,
    pub(super) addresses: Vec<Address>,
    pub(super) items: Vec<Item>,
    pub(super) macs: Vec<UninventoriedMac>,
    pub(super) disconnections: Vec<DisconnectionLog>,
    pub(super) account_fields: Vec<CustomField>,
    pub(super) address_fields: Vec<CustomField>,
    pub(super) metadata: Vec<Metadata>,
    pub(super) radius: Vec<RadiusAccount>,
}

/// A service belongs to an account that the list of accounts does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Orphan {
    pub(super) service: u64,
    pub(super) account: u64,
}

/// What is sold: services that carry data, or are said to.
pub(super) fn offers(lists: &Lists) -> BTreeMap<String, Offer> {
    let data = lists.services.iter().filter(|service| is_data(service));
    data.map(|service| {
        let rate = |of: fn(&Rates) -> &Option<Value>| {
            let rates = service.data_service_detail.as_ref()?;
            of(rates).as_ref().and_then(super::walk::id).filter(|kbps| *kbps > 0)
        };
        let offer = Offer {
            name: service.name.clone(),
            down_kbps: rate(|rates| &rates.download_speed_kilobits_per_second),
            up_kbps: rate(|rates| &rates.upload_speed_kilobits_per_second),
        };
        (service.id.0.to_string(), offer)
    })
    .collect()
}

fn is_data(service: &ServiceRow) -> bool {
    service.kind == "DATA" || service.data_service_detail.is_some()
}

/// The accounts with their services.
///
/// # Errors
///
/// A service whose account is not there: the lists are not of one moment, or the token may not see all accounts.
pub(super) fn accounts(lists: &Lists, zone: &TimeZone) -> Result<BTreeMap<String, Account>, Orphan> {
    let sold: BTreeMap<Id, &ServiceRow> = lists.services.iter().map(|service| (service.id, service)).collect();
    let homes = Homes::new(lists);
    let statuses: BTreeMap<Id, &Status> = lists.statuses.iter().map(|status| (status.id, status)).collect();
    // The row that was written last counts.
    let disconnected: BTreeMap<Id, &str> = (lists.disconnections.iter())
        .map(|log| (log.account_id, log.disconnected_at.as_str()))
        .fold(BTreeMap::new(), |mut newest, (account, at)| {
            let known = newest.entry(account).or_insert(at);
            *known = at.max(known);
            newest
        });
    let mut services: BTreeMap<Id, Vec<&AccountService>> = BTreeMap::new();
    for service in &lists.account_services {
        if !homes.accounts.contains_key(&service.account_id) {
            return Err(Orphan {
                service: service.id.0,
                account: service.account_id.0,
            });
        }
        // Voice, television and rent are no affair of a GAM. What the list of services does not have may be anything.
        if sold.get(&service.service_id).is_none_or(|sold| is_data(sold)) {
            services.entry(service.account_id).or_default().push(service);
        }
    }
    let equipment = Equipment::new(lists, &homes, &services);
    let accounts = lists.accounts.iter().map(|row| {
        let (standing, words) = standing(
            &Known {
                account: row,
                status: row.account_status_id.and_then(|id| statuses.get(&id).copied()),
                disconnected: disconnected.get(&row.id).copied(),
                has_address: homes.has_own(row.id),
            },
            zone,
        );
        let services = services.get(&row.id).into_iter().flatten().map(|service| {
            let id = service.service_id;
            let (standing, words) = match sold.contains_key(&id) {
                true => (standing, words.clone()),
                false => (
                    Standing::Unclear,
                    format!("service {} is not in the list of services", id.0),
                ),
            };
            let service_here = Service {
                offer: Some(id.0.to_string()),
                standing,
                words,
                clues: equipment.clues(service),
                facts: BTreeMap::new(),
            };
            (service.id.0.to_string(), service_here)
        });
        let account = Account {
            name: row.name.clone(),
            services: services.collect(),
            facts: homes.facts(row),
        };
        (row.id.0.to_string(), account)
    });
    Ok(accounts.collect())
}

/// Where accounts are at home: their physical, serviceable addresses; a child account without one is at home with its parent.
pub(super) struct Homes<'a> {
    accounts: BTreeMap<Id, &'a AccountRow>,
    own: BTreeMap<Id, Vec<&'a Address>>,
    owner: BTreeMap<Id, Id>,
    fields: BTreeMap<Id, Vec<&'a CustomField>>,
    account_fields: BTreeMap<Id, Vec<&'a CustomField>>,
}

impl<'a> Homes<'a> {
    fn new(lists: &'a Lists) -> Self {
        let mut own: BTreeMap<Id, Vec<&Address>> = BTreeMap::new();
        let mut owner = BTreeMap::new();
        for address in lists.addresses.iter().filter(|address| is_home(address)) {
            if let Some(account) = address.addressable_id {
                own.entry(account).or_default().push(address);
                owner.insert(address.id, account);
            }
        }
        Self {
            accounts: lists.accounts.iter().map(|account| (account.id, account)).collect(),
            own,
            owner,
            fields: by_holder(&lists.address_fields),
            account_fields: by_holder(&lists.account_fields),
        }
    }

    fn has_own(&self, account: Id) -> bool {
        self.own.contains_key(&account)
    }

    /// The account whose home an address is.
    pub(super) fn owner(&self, address: Id) -> Option<Id> {
        self.owner.get(&address).copied()
    }

    /// The addresses at which an account is at home.
    pub(super) fn of(&self, account: Id) -> &[&'a Address] {
        self.host(account)
            .and_then(|host| self.own.get(&host))
            .map_or(&[], Vec::as_slice)
    }

    /// The account at whose addresses an account is at home: itself, or the next one above it that has some.
    pub(super) fn host(&self, account: Id) -> Option<Id> {
        let mut seen = BTreeSet::new();
        let mut next = Some(account);
        while let Some(account) = next.filter(|account| seen.insert(*account)) {
            if self.has_own(account) {
                return Some(account);
            }
            next = self.accounts.get(&account).and_then(|row| row.parent_account_id);
        }
        None
    }

    /// The fields that the operator added to an address.
    pub(super) fn fields(&self, address: Id) -> &[&'a CustomField] {
        self.fields.get(&address).map_or(&[], Vec::as_slice)
    }

    /// The fields that the operator added to an account.
    pub(super) fn account_fields(&self, account: Id) -> &[&'a CustomField] {
        self.account_fields.get(&account).map_or(&[], Vec::as_slice)
    }

    /// What an inventory may go by. Of several addresses only what all of them say.
    fn facts(&self, row: &AccountRow) -> BTreeMap<String, String> {
        let mut said: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        let mut say = |name: String, text: Option<&'a str>| {
            if let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) {
                said.entry(name).or_default().insert(text);
            }
        };
        for address in self.of(row.id) {
            say("street".to_owned(), address.line1.as_deref());
            say("city".to_owned(), address.city.as_deref());
            say("zip".to_owned(), address.zip.as_deref());
            for field in self.fields(address.id) {
                say(format!("field.{}", field.custom_field.name), field.value.as_deref());
            }
        }
        let mut facts: BTreeMap<String, String> = (said.into_iter())
            .filter(|(_, texts)| texts.len() == 1)
            .filter_map(|(name, texts)| Some((name, (*texts.first()?).to_owned())))
            .collect();
        // What stands at the account goes before what stands at its address.
        for field in self.account_fields(row.id) {
            if let Some(value) = field.value.as_deref().map(str::trim).filter(|value| !value.is_empty()) {
                facts.insert(format!("field.{}", field.custom_field.name), value.to_owned());
            }
        }
        if let Some(company) = row.company_id {
            facts.insert("company".to_owned(), company.0.to_string());
        }
        facts
    }
}

/// Whether somebody can be served there: neither a letter box nor a plot that is planned.
fn is_home(address: &Address) -> bool {
    address.kind == "PHYSICAL" && address.serviceable
}

fn by_holder(fields: &[CustomField]) -> BTreeMap<Id, Vec<&CustomField>> {
    let mut held: BTreeMap<Id, Vec<&CustomField>> = BTreeMap::new();
    for field in fields.iter().filter(|field| !is_private(&field.custom_field.name)) {
        held.entry(field.customfielddataable_id).or_default().push(field);
    }
    held
}
