//! What a Splynx holds, and what becomes of it. Pure: the caller says what day it is.
//!
//! <https://docs.splynx.com>: "Customer statuses", "Internet services", "Change plan".

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan as _;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::billing::{Seed, SeedCustomer};
use super::query::{Row, text};

/// A list of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Table {
    /// `admin/tariffs/internet`.
    Tariffs,
    /// `admin/customers/customer`.
    Customers,
    /// `admin/customers/customer/{id}/internet-services`.
    Services,
    /// `admin/inventory/items`.
    Items,
    /// `admin/administration/locations`.
    Locations,
    /// `admin/administration/partners`.
    Partners,
    /// `admin/networking/monitoring`.
    Hardware,
    /// `admin/networking/network-sites`.
    NetworkSites,
    /// `admin/customers/customer-notes`.
    Notes,
    /// `admin/support/tickets`.
    Tickets,
    /// `admin/logs/changes`.
    Changes,
}

/// What a hook is told: the model's name, what was done, the row, what of it changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Happened {
    /// As Splynx's events may name it; the real names are not documented.
    pub model: &'static str,
    /// What was done.
    pub action: &'static str,
    /// The customer whose it is, if any.
    pub customer: Option<u64>,
    /// The row as it is now.
    pub row: Value,
    /// What of it changed.
    pub changed: Value,
}

/// Everything that a Splynx holds.
#[derive(Debug, Clone, Default)]
pub(super) struct World {
    tables: BTreeMap<Table, BTreeMap<u64, Row>>,
    /// Customers that were deleted, which can be undone.
    deleted: BTreeSet<u64>,
    /// Services that stand in for one that was disabled with its customer.
    copies: BTreeSet<u64>,
    /// Services that take another's place on their first day: new by old.
    successors: BTreeMap<u64, u64>,
    /// What happened since somebody asked.
    pub(super) happened: Vec<Happened>,
}

/// No date.
const NEVER: &str = "0000-00-00";

impl World {
    /// What a seed says, with one partner, location, network site and piece of hardware.
    pub(super) fn new(seed: &Seed) -> Self {
        let mut world = Self::default();
        world.insert(Table::Partners, json!({ "id": 1, "name": "Main" }));
        world.insert(Table::Partners, json!({ "id": 2, "name": "Reseller" }));
        world.insert(Table::Locations, json!({ "id": 1, "name": "Harbour" }));
        world.insert(Table::NetworkSites, json!({ "id": 1, "title": "Harbour house" }));
        let hardware = json!({ "id": 12, "title": "mdu-7", "ip": "192.0.2.7", "network_site_id": 1, "location_id": 1 });
        world.insert(Table::Hardware, hardware);
        for offer in &seed.offers {
            world.insert(
                Table::Tariffs,
                json!({
                    "id": offer.id, "title": offer.name, "service_name": offer.name, "partners_ids": [1], "price": "59.0000",
                    "speed_download": offer.down_kbps, "speed_upload": offer.up_kbps, "speed_limit_type": "none", "burst_type": "none",
                    "priority": "normal", "billing_types": ["recurring"], "billing_days_count": null, "available_for_services": true,
                }),
            );
        }
        for customer in &seed.customers {
            world.add_customer(customer);
        }
        world.happened.clear();
        world
    }

    /// A new customer, active, with its services and their equipment.
    pub(super) fn add_customer(&mut self, customer: &SeedCustomer) {
        let fields: Row = (customer.fields.iter())
            .map(|(name, value)| (name.clone(), json!(value)))
            .collect();
        let login = format!("c{}", customer.id);
        self.insert(
            Table::Customers,
            json!({
                "id": customer.id, "login": login, "status": "active", "partner_id": 1, "location_id": 1, "parent_id": 0,
                "name": customer.name, "email": "canary@example.net", "phone": "canary-555-0101", "password": "canary-password",
                "category": "person", "street_1": customer.street, "zip_code": customer.zip, "city": customer.city, "gps": "",
                "billing_type": "recurring", "date_add": "2024-02-01", "last_update": "2025-06-10 09:12:44",
                "customer_labels": [], "additional_attributes": fields,
            }),
        );
        self.tell(Table::Customers, customer.id, "create", &json!(null));
        let is_only = customer.services.len() == 1;
        for service in &customer.services {
            self.insert(
                Table::Services,
                json!({
                    "id": service.id, "customer_id": customer.id, "tariff_id": service.offer, "status": "active",
                    "description": "", "quantity": 1, "unit_price": "59.0000", "start_date": "2024-02-01", "end_date": NEVER,
                    "router_id": 0, "sector_id": 0, "login": format!("{login}_{}", service.id), "password": "canary-password",
                    "taking_ipv4": 0, "ipv4": "", "mac": "", "port_id": 0, "access_device": 0, "bundle_service_id": 0, "parent_id": 0,
                    "type": "internet", "geo": { "address": "", "marker": "" }, "additional_attributes": {},
                }),
            );
            self.tell(Table::Services, service.id, "create", &json!(null));
            if let Some(mac) = &service.mac {
                let id = self.next_id(Table::Items);
                self.insert(
                    Table::Items,
                    json!({
                        "id": id, "product_id": 1, "barcode": mac, "serial_number": format!("SN{id}"), "status": "assigned", "mark": "new",
                        // Most operators fill in the customer only, unless he has several services.
                        "customer_id": customer.id, "service_id": if is_only { 0 } else { service.id }, "notes": "", "additional_attributes": {},
                    }),
                );
            }
        }
    }

    /// Puts a row into a list; one without an id gets the next.
    pub(super) fn insert(&mut self, table: Table, row: Value) -> u64 {
        let Value::Object(mut row) = row else {
            return 0;
        };
        let id = row.get("id").and_then(Value::as_u64);
        let id = id.unwrap_or_else(|| self.next_id(table));
        row.insert("id".to_owned(), json!(id));
        self.tables.entry(table).or_default().insert(id, row);
        id
    }

    /// The next free id of a list.
    pub(super) fn next_id(&self, table: Table) -> u64 {
        let last = self.tables.get(&table).and_then(|rows| rows.keys().next_back());
        last.map_or(1, |last| last + 1)
    }

    /// The rows of a list, by id, without those of customers that were deleted.
    pub(super) fn rows(&self, table: Table) -> impl Iterator<Item = (u64, &Row)> {
        let rows = self.tables.get(&table).into_iter().flatten();
        rows.map(|(id, row)| (*id, row)).filter(move |(id, row)| match table {
            Table::Customers => !self.deleted.contains(id),
            Table::Services => !self.deleted.contains(&number(row, "customer_id")),
            _ => true,
        })
    }

    pub(super) fn row(&self, table: Table, id: u64) -> Option<&Row> {
        let row = self.tables.get(&table)?.get(&id)?;
        let is_gone = table == Table::Customers && self.deleted.contains(&id);
        (!is_gone).then_some(row)
    }

    /// Changes fields of a row; whether it is there. Maps are merged, as a part of one is enough.
    pub(super) fn set(&mut self, table: Table, id: u64, fields: &Value) -> bool {
        let Some(row) = self.tables.get_mut(&table).and_then(|rows| rows.get_mut(&id)) else {
            return false;
        };
        for (name, value) in fields.as_object().into_iter().flatten() {
            match (row.get_mut(name), value) {
                (Some(Value::Object(there)), Value::Object(new)) => there.extend(new.clone()),
                _ => {
                    row.insert(name.clone(), value.clone());
                }
            }
        }
        self.tell(table, id, "edit", fields);
        true
    }

    /// Takes a row away for good.
    pub(super) fn remove(&mut self, table: Table, id: u64) -> bool {
        let rows = self.tables.entry(table).or_default();
        rows.remove(&id).is_some()
    }

    /// What a customer's new status makes of its services.
    pub(super) fn set_status(&mut self, customer: u64, status: &str, today: Date) {
        let before = self.row(Table::Customers, customer);
        let before = before.and_then(|row| row.get("status")).map(text).unwrap_or_default();
        if before == status || !self.set(Table::Customers, customer, &json!({ "status": status })) {
            return;
        }
        self.log(customer, 0, &before, status, today);
        match status {
            "disabled" => {
                for service in self.services_of(customer, "active") {
                    self.end(service, today);
                    let copy = self.copy(service, &json!({ "status": "stopped", "start_date": day(today) }));
                    self.copies.insert(copy);
                }
            }
            "active" => {
                for service in self.services_of(customer, "stopped") {
                    if self.copies.remove(&service) {
                        self.set(Table::Services, service, &json!({ "status": "active" }));
                    }
                }
            }
            // Who is blocked keeps its services as they are.
            _ => {}
        }
    }

    /// Another tariff from a day on, which is another service; its id, `None` where there is no such service.
    pub(super) fn change_plan(&mut self, service: u64, tariff: u64, from: Date, today: Date) -> Option<u64> {
        let old = self.row(Table::Services, service)?;
        let (customer, old) = (number(old, "customer_id"), number(old, "tariff_id"));
        let new = self.copy(
            service,
            &json!({ "tariff_id": tariff, "status": "pending", "start_date": day(from), "end_date": NEVER }),
        );
        self.successors.insert(new, service);
        self.set(
            Table::Services,
            service,
            &json!({ "end_date": day(from.saturating_sub(1.day())) }),
        );
        let log = json!({
            "customer_id": customer, "service_id": new, "old_status": null, "new_status": null, "date": day(today), "time": "12:00:00",
            "tariff_type": "internet", "old_tariff": old, "new_tariff": tariff, "administrator_id": 0,
        });
        self.insert(Table::Changes, log);
        self.begin(today);
        Some(new)
    }

    /// What a day brings: services begin, and end.
    pub(super) fn begin(&mut self, today: Date) {
        let due = |world: &Self, new: u64| {
            let start = world.row(Table::Services, new).and_then(|row| row.get("start_date"));
            start.is_some_and(|start| text(start) <= day(today))
        };
        let begun: Vec<(u64, u64)> = (self.successors.iter())
            .map(|(new, old)| (*new, *old))
            .filter(|(new, _)| due(self, *new))
            .collect();
        for (new, old) in begun {
            self.successors.remove(&new);
            self.set(Table::Services, new, &json!({ "status": "active" }));
            self.set(Table::Services, old, &json!({ "status": "disabled" }));
        }
        let over: Vec<u64> = (self.rows(Table::Services))
            .filter(|(_, row)| {
                let end = row.get("end_date").map(text).unwrap_or_default();
                row.get("status").map(text).as_deref() == Some("active") && end != NEVER && end < day(today)
            })
            .map(|(id, _)| id)
            .collect();
        for service in over {
            self.set(Table::Services, service, &json!({ "status": "disabled" }));
        }
    }

    /// Deletes a customer, which can be undone. Only one that is inactive.
    pub(super) fn delete(&mut self, customer: u64) -> bool {
        let status = self.row(Table::Customers, customer).and_then(|row| row.get("status"));
        let is_inactive = status.map(text).as_deref() == Some("disabled");
        if is_inactive {
            self.tell(Table::Customers, customer, "delete", &json!(null));
            self.deleted.insert(customer);
        }
        is_inactive
    }

    /// Undoes a deletion: the customer comes back as it was, inactive.
    pub(super) fn restore(&mut self, customer: u64) -> bool {
        self.deleted.remove(&customer)
    }

    /// Ends a service as of a day, now.
    fn end(&mut self, service: u64, today: Date) {
        self.set(
            Table::Services,
            service,
            &json!({ "status": "disabled", "end_date": day(today) }),
        );
    }

    /// A new service like another, but for some fields.
    fn copy(&mut self, service: u64, but: &Value) -> u64 {
        let mut row = self.row(Table::Services, service).cloned().unwrap_or_default();
        row.remove("id");
        row.insert("end_date".to_owned(), json!(NEVER));
        row.extend(but.as_object().cloned().unwrap_or_default());
        let id = self.insert(Table::Services, Value::Object(row));
        self.tell(Table::Services, id, "create", &json!(null));
        id
    }

    fn services_of(&self, customer: u64, status: &str) -> Vec<u64> {
        self.rows(Table::Services)
            .filter(|(_, row)| number(row, "customer_id") == customer)
            .filter(|(_, row)| row.get("status").map(text).as_deref() == Some(status))
            .map(|(id, _)| id)
            .collect()
    }

    /// Statuses and plans are logged; MACs, addresses, fields and equipment are not.
    fn log(&mut self, customer: u64, service: u64, old: &str, new: &str, today: Date) {
        let log = json!({
            "customer_id": customer, "service_id": service, "old_status": old, "new_status": new, "date": day(today), "time": "12:00:00",
            "tariff_type": null, "old_tariff": null, "new_tariff": null, "administrator_id": 0,
        });
        self.insert(Table::Changes, log);
    }

    fn tell(&mut self, table: Table, id: u64, action: &'static str, changed: &Value) {
        let model = match table {
            Table::Customers => "models\\admin\\customers\\Customers",
            Table::Services => "models\\admin\\customers\\InternetServices",
            Table::Tariffs => "models\\admin\\tariffs\\Internet",
            Table::Items => "models\\admin\\inventory\\Items",
            _ => return,
        };
        let Some(row) = self.row(table, id) else {
            return;
        };
        let customer = match table {
            Table::Customers => Some(id),
            _ => Some(number(row, "customer_id")).filter(|id| *id > 0),
        };
        let happened = Happened {
            model,
            action,
            customer,
            row: Value::Object(row.clone()),
            changed: changed.clone(),
        };
        self.happened.push(happened);
    }
}

/// A number of a row; 0 where there is none.
pub(super) fn number(row: &Row, name: &str) -> u64 {
    row.get(name)
        .and_then(|value| text(value).parse().ok())
        .unwrap_or_default()
}

fn day(date: Date) -> String {
    date.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TODAY: Date = jiff::civil::date(2025, 6, 15);

    fn world() -> World {
        World::new(&Seed::many(2))
    }

    /// Status, tariff and end of each service of customer 1001, by id.
    fn services(world: &World) -> Vec<String> {
        world
            .rows(Table::Services)
            .filter(|(_, row)| number(row, "customer_id") == 1001)
            .map(|(id, row)| {
                let field = |name: &str| text(&row[name]);
                format!("{id} {} {} {}", field("status"), field("tariff_id"), field("end_date"))
            })
            .collect()
    }

    #[test]
    fn who_is_blocked_keeps_active_services() {
        let mut world = world();
        world.set_status(1001, "blocked", TODAY);
        assert_eq!(services(&world), ["5001 active 1 0000-00-00"]);
        assert_eq!(world.rows(Table::Changes).count(), 1);
    }

    #[test]
    fn who_becomes_inactive_and_pays_has_another_service() {
        let mut world = world();
        world.set_status(1001, "disabled", TODAY);
        let both = ["5001 disabled 1 2025-06-15", "5003 stopped 1 0000-00-00"];
        assert_eq!(services(&world), both);
        world.set_status(1001, "active", TODAY);
        assert_eq!(
            services(&world),
            ["5001 disabled 1 2025-06-15", "5003 active 1 0000-00-00"]
        );
    }

    #[test]
    fn another_plan_is_another_service() {
        let mut world = world();
        let from = TODAY.saturating_add(2.days());
        let new = world.change_plan(5001, 3, from, TODAY).unwrap();
        assert_eq!(
            services(&world),
            ["5001 active 1 2025-06-16", "5003 pending 3 0000-00-00"]
        );
        world.begin(from);
        assert_eq!(
            services(&world),
            ["5001 disabled 1 2025-06-16", "5003 active 3 0000-00-00"]
        );
        assert_eq!(new, 5003);
    }

    #[test]
    fn a_cancelled_service_ends_after_its_last_day() {
        let mut world = world();
        world.set(Table::Services, 5001, &json!({ "end_date": "2025-06-15" }));
        world.begin(TODAY);
        assert_eq!(services(&world), ["5001 active 1 2025-06-15"]);
        world.begin(TODAY.saturating_add(1.day()));
        assert_eq!(services(&world), ["5001 disabled 1 2025-06-15"]);
    }

    #[test]
    fn who_is_deleted_comes_back_inactive() {
        let mut world = world();
        assert!(!world.delete(1001), "it is active");
        world.set_status(1001, "disabled", TODAY);
        assert!(world.delete(1001));
        assert_eq!(world.rows(Table::Customers).count(), 1);
        assert_eq!(services(&world), [""; 0]);
        assert!(world.restore(1001));
        assert_eq!(text(&world.row(Table::Customers, 1001).unwrap()["status"]), "disabled");
    }

    #[test]
    fn maps_are_merged_and_logs_say_nothing_of_it() {
        let mut world = world();
        let field = |value: &str| json!({ "additional_attributes": { value: "3" } });
        world.set(Table::Services, 5001, &field("gam_port"));
        world.set(Table::Services, 5001, &field("gam_status"));
        let fields = &world.row(Table::Services, 5001).unwrap()["additional_attributes"];
        assert_eq!(*fields, json!({ "gam_port": "3", "gam_status": "3" }));
        assert_eq!(world.rows(Table::Changes).count(), 0);
    }
}
