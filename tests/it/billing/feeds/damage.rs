//! What breaks: what the system holds, and how it says it.
//!
//! A few wrong suspensions that a billing system says in good order cannot be told from right ones: that is what limits are for. So what
//! could be meant befalls more than a limit lets through, and what befalls a few could not be meant.

use std::time::Duration;

use gamops::sim::billing::{SeedCustomer, SeedService};
use gamops::sim::sonar::{Sonar, SonarFault, SonarKnobs};
use gamops::sim::splynx::{Fault, Splynx, Style, Switches, Table, When};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::isp::{Isp, PATIENCE, Stands};
use crate::billing::system::System;
use crate::support::dice::Dice;

/// What was broken.
#[derive(Debug)]
pub(super) struct Damage {
    _what: String,
    _faults: Vec<String>,
    /// It says of many what it may well say of a few.
    pub(super) is_of_many: bool,
    /// Services went to another id, or to another account, and back.
    pub(super) may_rename: bool,
    /// How long an answer may take.
    pub(super) within: Duration,
}

/// More than any limit lets through, also where a fault beside it hides a few of them.
const MANY: [usize; 4] = [9, 11, 14, 16];

/// Breaks something.
pub(super) fn damage(dice: &mut Dice, isp: &Isp) -> Damage {
    let mut damage = Damage {
        _what: String::new(),
        _faults: Vec::new(),
        is_of_many: false,
        may_rename: false,
        within: PATIENCE,
    };
    let active: Vec<(u64, u64)> = (isp.truth.values())
        .filter(|truth| truth.stands == Stands::Active && !truth.is_new)
        .map(|truth| (truth.account, truth.service))
        .collect();
    let resting: Vec<(u64, u64)> = (isp.truth.values())
        .filter(|truth| truth.stands == Stands::Suspended)
        .map(|truth| (truth.account, truth.service))
        .collect();
    let mut hit = Hit {
        dice,
        damage: &mut damage,
        active,
        resting,
    };
    match &isp.system {
        System::Splynx(splynx) => {
            if hit.dice.chance(75) {
                hit.splynx(splynx);
            }
            hit.splynx_says(splynx);
        }
        System::Sonar(sonar) => {
            if hit.dice.chance(75) {
                hit.sonar(sonar);
            }
            hit.sonar_says(sonar);
        }
    }
    damage
}

struct Hit<'h> {
    dice: &'h mut Dice,
    damage: &'h mut Damage,
    /// Account and service of those that are to be served.
    active: Vec<(u64, u64)>,
    /// Of those that rest.
    resting: Vec<(u64, u64)>,
}

impl Hit<'_> {
    fn what(&mut self, what: &str, whom: &[(u64, u64)]) {
        self.damage._what = format!("{what} {whom:?}");
    }

    /// So many of those that are served, or fewer where there are not so many.
    fn some(&mut self, number: usize) -> Vec<(u64, u64)> {
        let mut left = self.active.clone();
        let mut some = Vec::new();
        while some.len() < number && !left.is_empty() {
            let at = self.dice.below(u32::try_from(left.len()).unwrap());
            some.push(left.swap_remove(usize::try_from(at).unwrap()));
        }
        some
    }

    fn any(&mut self) -> Vec<(u64, u64)> {
        let number = 1 + self.dice.below(6);
        self.some(usize::try_from(number).unwrap())
    }

    /// More than a limit lets through; nobody where so many are not there.
    fn many(&mut self) -> Vec<(u64, u64)> {
        self.damage.is_of_many = true;
        let number = self.dice.pick(&MANY);
        let many = self.some(number);
        if many.len() >= MANY[0] { many } else { Vec::new() }
    }

    /// All that rest, where they are more than a limit lets through at once.
    fn all_that_rest(&mut self) -> Vec<(u64, u64)> {
        self.damage.is_of_many = true;
        let is_many = self.resting.len() == 5;
        if is_many { self.resting.clone() } else { Vec::new() }
    }

    /// Something that no field is.
    fn nonsense(&mut self) -> Value {
        self.dice.pick(&[
            Value::Null,
            json!(""),
            json!(" "),
            json!("frozen"),
            json!("\u{0}\u{7f}"),
            json!("x".repeat(5000)),
            json!(-1),
            json!(770_077),
            json!(1e300),
            json!(true),
            json!([]),
            json!(["blocked"]),
            json!({ "status": "disabled" }),
        ])
    }

    fn clock(&mut self) -> Timestamp {
        let minutes = self
            .dice
            .pick(&[11, -11, 24 * 60, -24 * 60, 20 * 24 * 60, -20 * 24 * 60, -400 * 24 * 60]);
        self.damage._what = format!("its clock is off by {minutes} minutes");
        Timestamp::now() + SignedDuration::from_mins(minutes)
    }

    /// Customers who come with the equipment of somebody who is there.
    fn doubles(&mut self) -> Vec<SeedCustomer> {
        let whom = self.some(2);
        self.what("another account with the endpoint of", &whom);
        let double = |(account, _): &(u64, u64)| {
            let mut customer = SeedCustomer::number(account - 1001);
            customer.id += 1000;
            customer.services[0].id += 1000;
            customer
        };
        whom.iter().map(double).collect()
    }

    /// What Splynx holds.
    fn splynx(&mut self, splynx: &Splynx) {
        let each = |table: Table, ids: &mut dyn Iterator<Item = u64>, fields: &Value| {
            ids.for_each(|id| {
                splynx.set(table, id, fields);
            });
        };
        match self.dice.below(20) {
            0 => {
                let (whom, status) = (self.any(), self.nonsense());
                self.what(&format!("customers are {status}"), &whom);
                each(
                    Table::Customers,
                    &mut whom.iter().map(|(account, _)| *account),
                    &json!({ "status": status }),
                );
            }
            1 => {
                let (whom, status) = (self.any(), self.nonsense());
                self.what(&format!("services are {status}"), &whom);
                each(
                    Table::Services,
                    &mut whom.iter().map(|(_, service)| *service),
                    &json!({ "status": status }),
                );
            }
            2 | 3 => {
                let (whom, status) = (self.many(), self.dice.pick(&["blocked", "disabled", "new"]));
                self.what(&format!("many customers are {status}"), &whom);
                each(
                    Table::Customers,
                    &mut whom.iter().map(|(account, _)| *account),
                    &json!({ "status": status }),
                );
            }
            4 => {
                let (whom, status) = (
                    self.many(),
                    self.dice.pick(&["stopped", "disabled", "hidden", "pending"]),
                );
                self.what(&format!("many services are {status}"), &whom);
                each(
                    Table::Services,
                    &mut whom.iter().map(|(_, service)| *service),
                    &json!({ "status": status }),
                );
            }
            5 => {
                let whom = self.all_that_rest();
                self.what("all who rest are active", &whom);
                each(
                    Table::Customers,
                    &mut whom.iter().map(|(account, _)| *account),
                    &json!({ "status": "active" }),
                );
            }
            6 | 7 => {
                let (whom, nonsense) = (self.any(), self.nonsense());
                let (table, field) = self.dice.pick(&[
                    (Table::Customers, "id"),
                    (Table::Customers, "partner_id"),
                    (Table::Customers, "additional_attributes"),
                    (Table::Customers, "customer_labels"),
                    (Table::Services, "id"),
                    (Table::Services, "customer_id"),
                    (Table::Services, "tariff_id"),
                    (Table::Services, "start_date"),
                    (Table::Services, "end_date"),
                    (Table::Services, "mac"),
                    (Table::Services, "additional_attributes"),
                ]);
                self.damage.may_rename = field == "id";
                self.what(&format!("{field} of {table:?} is {nonsense}"), &whom);
                let id = |(account, service): &(u64, u64)| if table == Table::Customers { *account } else { *service };
                each(table, &mut whom.iter().map(id), &json!({ field: nonsense }));
            }
            8 => {
                let (tariff, nonsense) = (1 + u64::from(self.dice.below(3)), self.nonsense());
                let field = self.dice.pick(&["id", "title", "speed_download"]);
                self.damage._what = format!("{field} of tariff {tariff} is {nonsense}");
                splynx.set(Table::Tariffs, tariff, &json!({ field: nonsense }));
            }
            9 | 10 => {
                let whom = self.any();
                let tables = self.dice.pick(&[
                    &[Table::Customers, Table::Services][..],
                    &[Table::Customers],
                    &[Table::Services],
                    &[Table::Tariffs],
                    &[Table::Items],
                ]);
                self.what(&format!("there are no {tables:?}"), &whom);
                for (account, service) in whom {
                    for table in tables {
                        let id = match table {
                            Table::Customers => account,
                            Table::Services => service,
                            Table::Items => account - 1000,
                            _ => account % 3 + 1,
                        };
                        splynx.remove(*table, id);
                    }
                }
            }
            11 => {
                self.damage._what = "all is gone".to_owned();
                for table in [Table::Customers, Table::Services, Table::Items] {
                    for row in splynx.rows(table) {
                        splynx.remove(table, row["id"].as_u64().unwrap());
                    }
                }
            }
            12 => {
                let whom = self.any();
                self.damage.may_rename = true;
                self.what("services went to the next account", &whom);
                for ((_, service), (account, _)) in whom.iter().zip(whom.iter().cycle().skip(1)) {
                    splynx.set(Table::Services, *service, &json!({ "customer_id": account }));
                }
            }
            13 => {
                let whom = self.any();
                let nobody = self.nonsense();
                let way = self.dice.below(4);
                self.what(
                    &format!("equipment is that of the next account, or ({way}) like it, nobody's, {nobody}"),
                    &whom,
                );
                for ((account, _), (next, _)) in whom.iter().zip(whom.iter().cycle().skip(1)) {
                    let fields = match way {
                        0 => json!({ "customer_id": next }),
                        1 => json!({ "barcode": SeedCustomer::number(next - 1001).services[0].mac }),
                        2 => json!({ "status": "stock" }),
                        _ => json!({ "barcode": nobody, "service_id": nobody }),
                    };
                    splynx.set(Table::Items, account - 1000, &fields);
                }
            }
            14 => {
                self.damage._what = "tariffs have each other's names".to_owned();
                for (tariff, title) in [(1, "Fiber 500"), (2, "Fiber 100"), (3, "Fiber 200")] {
                    splynx.set(Table::Tariffs, tariff, &json!({ "title": title, "speed_download": 0 }));
                }
            }
            15 => {
                let whom = self.many();
                self.what("many have the next tariff", &whom);
                for (_, service) in whom {
                    let rows = splynx.rows(Table::Services);
                    let row = rows.iter().find(|row| row["id"] == service).unwrap();
                    let next = row["tariff_id"].as_u64().unwrap() % 3 + 1;
                    splynx.set(Table::Services, service, &json!({ "tariff_id": next }));
                }
            }
            16 => {
                let whom = self.any();
                let fields = self.dice.pick(&[
                    json!({ "start_date": "2099-01-01" }),
                    json!({ "end_date": "2001-01-01" }),
                    json!({ "start_date": "31.12.2025", "end_date": "12/31/2025" }),
                    json!({ "start_date": "2099-02-31", "end_date": "0000-99-99" }),
                ]);
                self.what(&fields.to_string(), &whom);
                each(Table::Services, &mut whom.iter().map(|(_, service)| *service), &fields);
            }
            17 => splynx.set_clock(self.clock()),
            18 => {
                let whom = self.any();
                self.what("the key does not see", &whom);
                each(
                    Table::Customers,
                    &mut whom.iter().map(|(account, _)| *account),
                    &json!({ "partner_id": 2 }),
                );
                splynx.show_partner(Some(1));
            }
            _ if self.dice.chance(50) => self.doubles().iter().for_each(|customer| splynx.add(customer)),
            _ => {
                let whom = self.some(2);
                self.what("another service beside that of", &whom);
                for (account, service) in whom {
                    let status = self.dice.pick(&["active", "pending", "disabled", "stopped"]);
                    let row = json!({ "id": service + 2000, "customer_id": account, "tariff_id": 1, "status": status });
                    splynx.insert(Table::Services, row);
                }
            }
        }
    }

    /// How Splynx says it.
    fn splynx_says(&mut self, splynx: &Splynx) {
        let tables = [
            None,
            Some(Table::Customers),
            Some(Table::Services),
            Some(Table::Items),
            Some(Table::Tariffs),
        ];
        for _ in 0..self.dice.below(3) {
            let fault = self.dice.pick(&[
                Fault::EmptyList,
                Fault::ShortList,
                Fault::SamePage,
                Fault::Backwards,
                Fault::Doubled,
                Fault::Miscounted,
                Fault::OddDate,
                Fault::RowsCome,
                Fault::RowsGo,
                Fault::ErrorBody,
                Fault::WebPage,
                Fault::Truncated,
                Fault::Redirect,
                Fault::Forgets,
                Fault::Reset,
                Fault::Drip,
                Fault::Status(400),
                Fault::Status(401),
                Fault::Status(403),
                Fault::Status(404),
                Fault::Status(405),
                Fault::Status(429),
                Fault::Status(500),
            ]);
            let mut when = When {
                table: self.dice.pick(&tables),
                after: self.dice.below(9),
                times: self.dice.below(4),
            };
            match fault {
                // More of them, gone again afterwards, would be too many that are missing.
                Fault::RowsCome | Fault::RowsGo => when.times = 1,
                Fault::Drip => self.damage.within = Duration::from_millis(200),
                _ => {}
            }
            self.damage._faults.push(format!("{fault:?} {when:?}"));
            splynx.fault(fault, when);
        }
        let switches = Switches {
            style: self.dice.pick(&[Style::Typed, Style::Stringly, Style::Mixed]),
            empty_is_list: self.dice.chance(50),
            counts: self.dice.chance(75),
            at_most: self.dice.pick(&[None, Some(3)]),
            ..Switches::default()
        };
        self.damage._faults.push(format!("{switches:?}"));
        splynx.switch(switches);
    }

    /// What Sonar holds.
    fn sonar(&mut self, sonar: &Sonar) {
        match self.dice.below(18) {
            0 => {
                let whom = self.any();
                self.what("accounts have a status that is not there", &whom);
                whom.iter().for_each(|(account, _)| sonar.put_status(*account, 77));
            }
            1 => {
                let (status, nonsense) = (1 + u64::from(self.dice.below(5)), self.nonsense());
                let column = self.dice.pick(&["activates_account", "name"]);
                self.damage._what = format!("{column} of status {status} is {nonsense}");
                sonar.set("AccountStatus", status, &[(column, nonsense)]);
            }
            2 if self.active.len() > 8 => {
                self.damage.is_of_many = true;
                self.damage._what = "`Active` does not activate".to_owned();
                sonar.set("AccountStatus", 1, &[("activates_account", json!(false))]);
            }
            2 | 3 => {
                let (whom, status) = (self.many(), self.dice.pick(&[2, 3, 5]));
                self.what(&format!("many accounts have status {status}"), &whom);
                whom.iter().for_each(|(account, _)| sonar.put_status(*account, status));
            }
            4 => {
                let whom = self.many();
                self.what("many accounts are archived", &whom);
                whom.iter().for_each(|(account, _)| sonar.archive(*account));
            }
            5 => {
                let whom = self.many();
                self.what("many accounts are disconnected", &whom);
                whom.iter().for_each(|(account, _)| sonar.disconnect(*account));
            }
            6 => {
                let whom = self.all_that_rest();
                self.what("all who rest are active", &whom);
                whom.iter().for_each(|(account, _)| sonar.activate(*account));
            }
            7 | 8 => {
                let (whom, nonsense) = (self.any(), self.nonsense());
                let (kind, column) = self.dice.pick(&[
                    ("Account", "name"),
                    ("Account", "account_status_id"),
                    ("Account", "company_id"),
                    ("Account", "parent_account_id"),
                    ("Account", "activation_date"),
                    ("Account", "archived_at"),
                    ("Account", "is_delinquent"),
                    ("AccountService", "account_id"),
                    ("AccountService", "service_id"),
                ]);
                // No status that is left is nobody's word that anything is over; null is how "not archived" is written.
                self.what(&format!("{column} of {kind} is {nonsense}"), &whom);
                for (account, service) in whom {
                    let id = if kind == "Account" { account } else { service };
                    sonar.set(kind, id, &[(column, nonsense.clone())]);
                }
            }
            9 => {
                let whom = self.any();
                let accounts = self.dice.chance(50);
                self.what(
                    if accounts {
                        "there are no accounts"
                    } else {
                        "there are no services"
                    },
                    &whom,
                );
                for (account, service) in whom {
                    if accounts {
                        sonar.lose(account)
                    } else {
                        sonar.remove_service(service)
                    }
                }
            }
            10 => {
                self.damage._what = "all is gone".to_owned();
                sonar.fault_after(0, usize::MAX, SonarFault::Collapse(1));
            }
            11 => {
                let whom = self.any();
                self.damage.may_rename = true;
                self.what("services went to the next account", &whom);
                for ((_, service), (account, _)) in whom.iter().zip(whom.iter().cycle().skip(1)) {
                    sonar.set("AccountService", *service, &[("account_id", json!(account))]);
                }
            }
            12 => {
                let whom = self.any();
                let (way, nonsense) = (self.dice.below(4), self.nonsense());
                self.what(
                    &format!("homes or equipment ({way}) are that of the next, or {nonsense}"),
                    &whom,
                );
                for ((account, _), (next, _)) in whom.iter().zip(whom.iter().cycle().skip(1)) {
                    let item = account - 1000;
                    match way {
                        0 => sonar.set("Address", item, &[("addressable_id", json!(next))]),
                        1 => sonar.set("InventoryItem", item, &[("inventoryitemable_id", json!(next - 1000))]),
                        2 => sonar.set("InventoryItem", item, &[("account_service_id", nonsense.clone())]),
                        _ => {
                            let mac = SeedCustomer::number(next - 1001).services[0].mac.clone();
                            let value = if self.dice.chance(50) {
                                json!(mac)
                            } else {
                                nonsense.clone()
                            };
                            sonar.set("InventoryModelFieldData", 2 * item - 1, &[("value", value)]);
                        }
                    }
                }
            }
            13 => {
                let (offer, nonsense) = (1 + u64::from(self.dice.below(3)), self.nonsense());
                let column = self.dice.pick(&["name", "type", "enabled"]);
                self.damage._what = format!("{column} of service {offer} is {nonsense}");
                sonar.set("Service", offer, &[(column, nonsense)]);
            }
            14 => {
                let whom = self.many();
                self.what("many have the next offer", &whom);
                for (_, service) in whom {
                    let next = sonar
                        .value("AccountService", service, "service_id")
                        .unwrap()
                        .as_u64()
                        .unwrap()
                        % 3
                        + 1;
                    sonar.set("AccountService", service, &[("service_id", json!(next))]);
                }
            }
            15 => sonar.set_clock(self.clock()),
            16 => self.doubles().iter().for_each(|customer| sonar.add(customer)),
            _ => {
                let whom = self.some(2);
                self.what("another service beside that of", &whom);
                for (account, service) in whom {
                    let another = SeedService {
                        id: service + 2000,
                        offer: 1,
                        mac: None,
                    };
                    sonar.add_service(account, &another);
                }
            }
        }
    }

    /// How Sonar says it.
    fn sonar_says(&mut self, sonar: &Sonar) {
        for _ in 0..self.dice.below(3) {
            let fault = self.dice.pick(&[
                SonarFault::Busy,
                SonarFault::Errors,
                SonarFault::PartialData,
                SonarFault::Html(200),
                SonarFault::Html(404),
                SonarFault::Html(502),
                SonarFault::NoData,
                SonarFault::HalfJson,
                SonarFault::BrokenOff,
                SonarFault::Silent,
                SonarFault::MorePages,
                SonarFault::Empty,
                SonarFault::Backwards,
                SonarFault::Doubled,
                SonarFault::Miscounted,
                SonarFault::OddDate,
                SonarFault::Collapse(2),
                SonarFault::Collapse(3),
                SonarFault::NestedCut,
                SonarFault::NewAccount,
                SonarFault::LostAccount,
                SonarFault::Revoked,
            ]);
            let (skip, times) = match fault {
                SonarFault::NewAccount | SonarFault::LostAccount => (self.dice.below(12), 1),
                _ => (self.dice.below(12), self.dice.pick(&[1, 2, 50])),
            };
            if fault == SonarFault::Silent {
                self.damage.within = Duration::from_millis(200);
            }
            self.damage
                ._faults
                .push(format!("{fault:?} after {skip}, {times} times"));
            sonar.fault_after(usize::try_from(skip).unwrap(), times, fault);
        }
        let lists = [
            "accounts",
            "account_statuses",
            "account_services",
            "inventory_items",
            "addresses",
        ];
        let knobs = SonarKnobs {
            ids_are_numbers: self.dice.chance(50),
            most_rows: self.dice.pick(&[3, 1000]),
            says_clamped: self.dice.chance(50),
            empty_has_no_page: self.dice.chance(50),
            bad_token_is_200: self.dice.chance(50),
            unreadable: if self.dice.chance(10) {
                [self.dice.pick(&lists).to_owned()].into()
            } else {
                [].into()
            },
            unreadable_fails: self.dice.chance(50),
            ..SonarKnobs::default()
        };
        self.damage._faults.push(format!("{knobs:?}"));
        sonar.turn(|turned| *turned = knobs);
    }
}
