//! What the operator of a Sonar does: accounts begin, rest, move, and end.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::hooks::Event;
use super::tables::Tables;
use crate::sim::billing::{Seed, SeedCustomer, SeedService};

/// The statuses that there are from the start: name, and whether it activates.
const STATUSES: [(u64, &str, bool); 5] = [
    (1, "Active", true),
    (2, "Inactive", false),
    (3, "Lead", false),
    (4, "Past Due", true),
    (5, "Suspended", false),
];

/// Since when the customers of a seed are there.
const SINCE: &str = "2024-02-01";

/// The model of the equipment that customers are given.
const MODEL: u64 = 11;

/// The field of [`MODEL`] that holds the MAC, and the one that holds the serial number.
const FIELDS: [(u64, &str, bool); 2] = [(21, "MAC Address", true), (22, "Serial Number", false)];

/// A Sonar's rows, its clock, and what is to be told by webhook.
#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) tables: Tables,
    /// A clock that stands still; `None`: the real one.
    pub(super) clock: Option<Timestamp>,
    pub(super) outbox: Vec<Event>,
}

impl World {
    pub(super) fn new(seed: &Seed) -> Self {
        let mut world = Self {
            tables: Tables::new(),
            clock: None,
            outbox: Vec::new(),
        };
        let now = world.now();
        for (id, name, activates) in STATUSES {
            let values = [("name", json!(name)), ("activates_account", json!(activates))];
            world.tables.put("AccountStatus", id, &now, &values);
        }
        let model = [
            ("name", json!("G1001-C")),
            ("model_name", json!("G1001-C")),
            ("enabled", json!(true)),
        ];
        world.tables.put("InventoryModel", MODEL, &now, &model);
        for (id, name, primary) in FIELDS {
            let values = [
                ("inventory_model_id", json!(MODEL)),
                ("name", json!(name)),
                ("primary", json!(primary)),
            ];
            world.tables.put("InventoryModelField", id, &now, &values);
        }
        for offer in &seed.offers {
            world.put_service(offer.id, &offer.name, Some((offer.down_kbps, offer.up_kbps)));
        }
        for customer in &seed.customers {
            world.add(customer, SINCE);
        }
        world.outbox.clear();
        world
    }

    pub(super) fn now(&self) -> String {
        let now = self.clock.unwrap_or_else(Timestamp::now);
        now.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string()
    }

    /// Now, as HTTP has it.
    pub(super) fn date(&self) -> String {
        let now = self.clock.unwrap_or_else(Timestamp::now);
        now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
    }

    pub(super) fn today(&self) -> String {
        self.now().chars().take(10).collect()
    }

    /// Makes a row with the next free id.
    pub(super) fn make(&mut self, name: &str, values: &[(&str, Value)]) -> u64 {
        let (id, now) = (self.tables.next(name), self.now());
        self.tables.put(name, id, &now, values);
        id
    }

    pub(super) fn set(&mut self, name: &str, id: u64, values: &[(&str, Value)]) {
        let now = self.now();
        self.tables.set(name, id, &now, values);
    }

    /// Something that is sold, with its rates in kbit/s; without them it is a telephone.
    pub(super) fn put_service(&mut self, id: u64, name: &str, kbps: Option<(u64, u64)>) {
        let now = self.now();
        let kind = if kbps.is_some() { "DATA" } else { "VOICE" };
        let values = [("name", json!(name)), ("type", json!(kind)), ("enabled", json!(true))];
        self.tables.put("Service", id, &now, &values);
        if let Some((down, up)) = kbps {
            let values = [
                ("service_id", json!(id)),
                ("download_speed_kilobits_per_second", json!(down)),
                ("upload_speed_kilobits_per_second", json!(up)),
            ];
            let there = self.tables.ids("DataServiceDetail", "service_id", id);
            let detail = there
                .first()
                .copied()
                .unwrap_or_else(|| self.tables.next("DataServiceDetail"));
            self.tables.put("DataServiceDetail", detail, &now, &values);
        }
    }

    /// A customer moves in: an account, active since a day, with an address and what it bought.
    pub(super) fn add(&mut self, customer: &SeedCustomer, since: &str) {
        let now = self.now();
        let values = [
            ("name", json!(customer.name)),
            ("account_status_id", json!(1)),
            ("account_type_id", json!(1)),
            ("company_id", json!(1)),
            ("activation_date", json!(since)),
        ];
        self.tables.put("Account", customer.id, &now, &values);
        self.tell("account.created", customer.id, customer.id);
        let address = self.make(
            "Address",
            &[
                ("type", json!("PHYSICAL")),
                ("serviceable", json!(true)),
                ("line1", json!(customer.street)),
                ("city", json!(customer.city)),
                ("zip", json!(customer.zip)),
                ("subdivision", json!("US_MA")),
                ("country", json!("US")),
                ("addressable_type", json!("Account")),
                ("addressable_id", json!(customer.id)),
            ],
        );
        for (name, value) in &customer.fields {
            self.write_field("Account", customer.id, name, value);
        }
        let is_only = customer.services.len() == 1;
        for service in &customer.services {
            self.add_service(customer.id, service);
            if let Some(mac) = &service.mac {
                // Where there are several services, somebody has said which has what.
                self.add_item(address, (!is_only).then_some(service.id), mac);
            }
        }
    }

    /// An account gets a service, under the id that the caller chose.
    pub(super) fn add_service(&mut self, account: u64, service: &SeedService) {
        let now = self.now();
        let is_additional = !self.tables.ids("AccountService", "account_id", account).is_empty();
        let values = [
            ("account_id", json!(account)),
            ("service_id", json!(service.offer)),
            ("quantity", json!(1)),
            ("is_additional", json!(is_additional)),
        ];
        self.tables.put("AccountService", service.id, &now, &values);
        self.tell("account.service.add", account, account);
    }

    /// A piece of equipment at an address, linked to a service of an account or not.
    pub(super) fn add_item(&mut self, address: u64, account_service: Option<u64>, mac: &str) -> u64 {
        let item = self.make(
            "InventoryItem",
            &[
                ("inventory_model_id", json!(MODEL)),
                ("inventoryitemable_type", json!("Address")),
                ("inventoryitemable_id", json!(address)),
                ("account_service_id", json!(account_service)),
                ("status", json!("FUNCTIONAL")),
            ],
        );
        for (field, value) in [(FIELDS[0].0, mac.to_owned()), (FIELDS[1].0, format!("SN{item:08}"))] {
            let values = [
                ("inventory_item_id", json!(item)),
                ("inventory_model_field_id", json!(field)),
                ("value", json!(value)),
            ];
            self.make("InventoryModelFieldData", &values);
        }
        item
    }

    /// A value in a field that the operator added to a type.
    pub(super) fn write_field(&mut self, of: &str, id: u64, name: &str, value: &str) {
        let known = self.tables.named("CustomField").above(0).map(|(id, _)| id);
        let known = known.filter(|id| {
            self.tables.value("CustomField", *id, "name") == Some(&json!(name))
                && self.tables.value("CustomField", *id, "entity_type") == Some(&json!(of))
        });
        let known = known.last();
        let field = match known {
            Some(field) => field,
            None => self.make("CustomField", &[("entity_type", json!(of)), ("name", json!(name))]),
        };
        for data in self.tables.ids("CustomFieldData", "custom_field_id", field) {
            if self.tables.value("CustomFieldData", data, "customfielddataable_id") == Some(&json!(id)) {
                self.tables.remove("CustomFieldData", data);
            }
        }
        let values = [
            ("custom_field_id", json!(field)),
            ("customfielddataable_type", json!(of)),
            ("customfielddataable_id", json!(id)),
            ("value", json!(value)),
        ];
        self.make("CustomFieldData", &values);
    }

    /// An account gets another status.
    pub(super) fn put_status(&mut self, account: u64, status: u64) {
        let is_active = self.tables.value("AccountStatus", status, "activates_account") == Some(&json!(true));
        let is_first = self.tables.value("Account", account, "activation_date") == Some(&Value::Null);
        let mut values = vec![("account_status_id", json!(status))];
        if is_active && is_first {
            values.push(("activation_date", json!(self.today())));
        }
        self.set("Account", account, &values);
        self.tell("account.status", account, account);
    }

    /// An account leaves: its addresses are nobody's, and the equipment stays there.
    pub(super) fn disconnect(&mut self, account: u64) {
        let addresses: Vec<u64> = self.homes(account);
        for address in &addresses {
            let nobody = [("addressable_type", Value::Null), ("addressable_id", Value::Null)];
            self.set("Address", *address, &nobody);
        }
        let values = [
            ("account_id", json!(account)),
            ("disconnected_at", json!(self.now())),
            ("serviceable_address_id", json!(addresses.first())),
        ];
        self.make("DisconnectionLog", &values);
        self.put_status(account, 2);
    }

    /// An account moves into an address.
    pub(super) fn move_in(&mut self, account: u64, address: u64) {
        let values = [
            ("addressable_type", json!("Account")),
            ("addressable_id", json!(account)),
        ];
        self.set("Address", address, &values);
    }

    /// The addresses at which an account can be served.
    pub(super) fn homes(&self, account: u64) -> Vec<u64> {
        let all = self.tables.ids("Address", "addressable_id", account).into_iter();
        all.filter(|address| {
            self.tables.value("Address", *address, "addressable_type") == Some(&json!("Account"))
                && self.tables.value("Address", *address, "serviceable") == Some(&json!(true))
        })
        .collect()
    }

    /// A service of an account goes, and its links with it; the row leaves nothing behind.
    pub(super) fn remove_service(&mut self, service: u64) {
        for item in self.tables.ids("InventoryItem", "account_service_id", service) {
            self.set("InventoryItem", item, &[("account_service_id", Value::Null)]);
        }
        for name in ["ServiceMetadataValue", "UninventoriedMacAddress", "RadiusAccount"] {
            for row in self.tables.ids(name, "account_service_id", service) {
                self.tables.remove(name, row);
            }
        }
        self.tables.remove("AccountService", service);
    }

    /// An account is gone, with all that is its own.
    pub(super) fn lose(&mut self, account: Option<u64>) {
        let Some(account) = account else {
            return;
        };
        for service in self.tables.ids("AccountService", "account_id", account) {
            self.remove_service(service);
        }
        for (name, column) in [("Address", "addressable_id"), ("DisconnectionLog", "account_id")] {
            for row in self.tables.ids(name, column, account) {
                self.tables.remove(name, row);
            }
        }
        self.tables.remove("Account", account);
    }

    /// What a webhook will tell.
    pub(super) fn tell(&mut self, event: &str, object: u64, account: u64) {
        let schema = self.tables.schema.types();
        let columns = &schema[self.tables.schema.named("Account")].columns;
        let row = self.tables.named("Account").get(account).unwrap_or_default();
        let current = columns
            .iter()
            .zip(row)
            .map(|(column, value)| (column.name.clone(), value.clone()));
        let body = json!({ "event": event, "object_id": object, "current": Value::Object(current.collect()) });
        self.outbox.push(Event::new(body.to_string()));
    }
}
