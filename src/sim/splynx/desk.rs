//! Requests and what is answered. Pure: the caller says what time it is.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::super::billing::SeedCustomer;
use super::auth::{Caller, Key, Tokens};
use super::fault::{Fault, Trouble};
use super::query::{Row, Wanted, text};
use super::refusal::Refusal;
use super::route::Route;
use super::style::{Switches, written};
use super::world::{Table, World, number};

/// A request.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) body: Vec<u8>,
    /// What the body is said to be.
    pub(super) content_type: String,
    pub(super) authorization: Option<String>,
    pub(super) caller: Caller,
}

/// How an answer gets there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Whole,
    Broken,
    Dripping,
}

/// An answer.
#[derive(Debug, Clone)]
pub(super) struct Said {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
    pub(super) way: Way,
}

impl Said {
    fn of(status: u16, body: Vec<u8>) -> Self {
        Self {
            status,
            headers: vec![("content-type", "application/json".to_owned())],
            body,
            way: Way::Whole,
        }
    }

    fn json(status: u16, value: &Value) -> Self {
        Self::of(status, value.to_string().into_bytes())
    }

    fn page() -> Self {
        Self {
            headers: vec![("content-type", "text/html; charset=utf-8".to_owned())],
            ..Self::of(200, b"<!DOCTYPE html><html><body>Please sign in</body></html>".to_vec())
        }
    }
}

impl From<Refusal> for Said {
    fn from(refusal: Refusal) -> Self {
        Self::of(refusal.status, refusal.body())
    }
}

/// A Splynx: what it holds, who may ask, what goes wrong.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) world: World,
    pub(super) key: Key,
    pub(super) tokens: Tokens,
    pub(super) switches: Switches,
    pub(super) troubles: Vec<Trouble>,
    /// What the key may not read or write.
    pub(super) forbidden: BTreeSet<Table>,
    /// Modules that are switched off.
    pub(super) off: BTreeSet<Table>,
    /// The only partner that the key sees.
    pub(super) partner: Option<u64>,
    /// `GET admin/…` of each request, oldest first.
    pub(super) requests: Vec<String>,
    /// The list that was sent last.
    before: BTreeMap<Table, Vec<u8>>,
}

impl Desk {
    pub(super) fn new(world: World, key: Key) -> Self {
        Self {
            world,
            key,
            tokens: Tokens::default(),
            switches: Switches::default(),
            troubles: Vec::new(),
            forbidden: BTreeSet::new(),
            off: BTreeSet::new(),
            partner: None,
            requests: Vec::new(),
            before: BTreeMap::new(),
        }
    }

    /// Answers, well or as a fault has it.
    pub(super) fn answer(&mut self, asked: &Asked, now: Timestamp) -> Said {
        let route = Route::of(&asked.path);
        self.requests.push(format!(
            "{} {}",
            asked.method,
            asked.path.trim_start_matches("/api/2.0/")
        ));
        let table = route.table();
        let met: Vec<Fault> = self
            .troubles
            .iter_mut()
            .filter_map(|trouble| trouble.met(table))
            .collect();
        for fault in &met {
            self.happen(*fault, now);
        }
        let mut said = self.answer_well(asked, &route, now).unwrap_or_else(Said::from);
        let is_list = asked.method == "GET" && matches!(route, Route::List(..));
        let sent = said.body.clone();
        for fault in met {
            said = self.spoilt(said, fault, table.filter(|_| is_list), &asked.method);
        }
        if let (true, Some(table)) = (is_list, table) {
            self.before.insert(table, sent);
        }
        said
    }

    /// What a fault does to what is held.
    fn happen(&mut self, fault: Fault, now: Timestamp) {
        let ids: Vec<u64> = self.world.rows(Table::Customers).map(|(id, _)| id).collect();
        match fault {
            Fault::RowsCome => {
                let last = ids.last().copied().unwrap_or_default();
                let mut customer = SeedCustomer::number(last.saturating_sub(1000));
                // Another may have been made that nobody counted.
                let next = self.world.next_id(Table::Services);
                customer.services.iter_mut().for_each(|service| service.id = next);
                self.world.add_customer(&customer);
            }
            Fault::RowsGo => {
                if let Some(first) = ids.first().copied() {
                    let services: Vec<u64> = (self.world.rows(Table::Services))
                        .filter(|(_, row)| number(row, "customer_id") == first)
                        .map(|(id, _)| id)
                        .collect();
                    for service in services {
                        self.world.remove(Table::Services, service);
                    }
                    self.world.remove(Table::Customers, first);
                }
            }
            Fault::Pays => {
                if let Some(first) = ids.first() {
                    self.world.set_status(*first, "active", day(now));
                }
            }
            Fault::Forgets => self.tokens.forget(),
            Fault::ScopeShrinks => self.partner = Some(1),
            _ => {}
        }
    }

    /// What a fault does to an answer. `list` is the list that is asked for, if one is.
    fn spoilt(&self, mut said: Said, fault: Fault, list: Option<Table>, method: &str) -> Said {
        match (fault, list) {
            (Fault::Status(status), _) => Refusal::new(status, "Something went wrong", "SERVER_ERROR").into(),
            (Fault::Redirect, _) => Said {
                headers: vec![("location", "/admin/login".to_owned())],
                ..Said::of(302, Vec::new())
            },
            (Fault::OddDate, _) => {
                said.headers.push(("date", "yesterday".to_owned()));
                said
            }
            (Fault::Miscounted, _) => {
                let counts = said.headers.iter_mut().filter(|(name, _)| *name == "x-total-count");
                for (_, count) in counts {
                    *count = count.parse::<u64>().map_or(0, |rows| rows + 1).to_string();
                }
                said
            }
            // A count has no body in which anything could be wrong.
            _ if method == "HEAD" => said,
            (Fault::ErrorBody, _) => Said {
                status: 200,
                ..Refusal::new(500, "Something went wrong", "SERVER_ERROR").into()
            },
            (Fault::WebPage, _) => Said::page(),
            (Fault::Truncated, _) => {
                said.body.truncate(said.body.len() / 2);
                said
            }
            (Fault::Reset, _) => Said {
                way: Way::Broken,
                ..said
            },
            (Fault::Drip, _) => Said {
                way: Way::Dripping,
                ..said
            },
            (Fault::EmptyList, Some(_)) if said.status == 200 => Said::of(200, b"[]".to_vec()),
            (Fault::ShortList | Fault::Backwards | Fault::Doubled, Some(_)) if said.status == 200 => {
                let mut rows: Vec<Value> = serde_json::from_slice(&said.body).unwrap_or_default();
                match fault {
                    Fault::Backwards => rows.reverse(),
                    Fault::Doubled => rows = rows.into_iter().flat_map(|row| [row.clone(), row]).collect(),
                    _ => drop(rows.pop()),
                }
                Said {
                    body: Value::Array(rows).to_string().into_bytes(),
                    ..said
                }
            }
            (Fault::SamePage, Some(table)) if said.status == 200 => match self.before.get(&table) {
                Some(before) => Said::of(200, before.clone()),
                None => said,
            },
            _ => said,
        }
    }

    fn answer_well(&mut self, asked: &Asked, route: &Route, now: Timestamp) -> Result<Said, Refusal> {
        let seconds = now.as_second();
        match route {
            Route::Unknown if !asked.path.starts_with("/api/2.0/") => return Err(Refusal::not_found()),
            Route::LoginPage => return Ok(Said::page()),
            Route::Tokens(token) => return self.tokens(asked, token.as_deref(), seconds),
            _ => {}
        }
        let header = asked.authorization.as_deref();
        self.tokens.admit(&mut self.key, header, &asked.caller, seconds)?;
        if let Some(table) = route.table() {
            if self.off.contains(&table) {
                return Err(Refusal::new(405, "Method is disabled!", "METHOD_DISABLED"));
            }
            if self.forbidden.contains(&table) {
                return Err(Refusal::new(403, "Forbidden", "FORBIDDEN"));
            }
        }
        match route {
            Route::Check => Ok(Said::json(
                200,
                &json!({ "status": "ok", "message": "", "same_server": false }),
            )),
            Route::List(table, customer) => match asked.method.as_str() {
                "GET" | "HEAD" => self.list(asked, *table, *customer),
                "OPTIONS" => Ok(self.options(*table)),
                "POST" => self.create(asked, *table, now),
                "PUT" | "DELETE" => Err(Refusal::bad("Id is missing")),
                _ => Err(not_allowed()),
            },
            Route::One(table, customer, id) => self.one(asked, *table, *customer, *id, now),
            _ => Err(Refusal::not_found()),
        }
    }

    fn tokens(&mut self, asked: &Asked, token: Option<&str>, now: i64) -> Result<Said, Refusal> {
        match (asked.method.as_str(), token) {
            ("POST", None) => {
                let body = body(asked)?;
                let given = self.tokens.login(&mut self.key, &body, &asked.caller, now)?;
                Ok(Said::json(201, &given))
            }
            ("GET", Some(token)) => Ok(Said::json(200, &self.tokens.renew(token, &asked.caller, now)?)),
            ("DELETE", Some(token)) => {
                self.tokens.log_out(token);
                Ok(Said::of(204, Vec::new()))
            }
            _ => Err(not_allowed()),
        }
    }

    /// Whether the key sees a row: by its partner, or that of its customer.
    fn sees(&self, table: Table, row: &Row) -> bool {
        let Some(partner) = self.partner else {
            return true;
        };
        match table {
            Table::Customers => number(row, "partner_id") == partner,
            Table::Services | Table::Items | Table::Notes => {
                let customer = self.world.row(Table::Customers, number(row, "customer_id"));
                customer.is_none_or(|customer| number(customer, "partner_id") == partner)
            }
            _ => true,
        }
    }

    fn list(&self, asked: &Asked, table: Table, customer: u64) -> Result<Said, Refusal> {
        let wanted = Wanted::read(&asked.query).map_err(Refusal::bad)?;
        if table == Table::Services && customer == 0 && wanted.main.is_empty() {
            return Err(Refusal::bad("At least one of main_attributes is required"));
        }
        if customer > 0 && self.world.row(Table::Customers, customer).is_none() && !self.switches.nobody_has_none {
            return Err(Refusal::not_found());
        }
        let rows = (self.world.rows(table))
            .map(|(_, row)| row)
            .filter(|row| (customer == 0 || number(row, "customer_id") == customer) && self.sees(table, row));
        let rows = wanted.matching(rows, self.switches.like_adds);
        if asked.method == "HEAD" {
            return if self.switches.counts {
                let headers = vec![("x-total-count", rows.len().to_string())];
                Ok(Said {
                    headers,
                    ..Said::of(204, Vec::new())
                })
            } else {
                Err(not_allowed())
            };
        }
        let page = wanted.page(rows, self.switches.at_most);
        let shown = page.into_iter().map(|row| {
            let mut row = row.clone();
            // Of a customer only where it is asked for by its id.
            if table == Table::Customers {
                row.remove("password");
            }
            written(&row, self.switches)
        });
        Ok(Said::json(200, &shown.collect()))
    }

    fn options(&self, table: Table) -> Said {
        let first = self.world.rows(table).next();
        let names = first.into_iter().flat_map(|(_, row)| row.keys());
        let attributes =
            names.map(|name| json!({ "name": name, "title": name, "type": "string", "required": name == "id" }));
        let attributes: Vec<Value> = attributes.collect();
        Said::json(200, &json!({ "attributes": attributes, "additional_attributes": [] }))
    }

    fn create(&mut self, asked: &Asked, table: Table, now: Timestamp) -> Result<Said, Refusal> {
        let (required, optional): (&[&str], &[&str]) = match table {
            Table::Notes => (
                &["customer_id", "comment"],
                &[
                    "datetime",
                    "administrator_id",
                    "type",
                    "class",
                    "title",
                    "name",
                    "assigned_to",
                    "is_pinned",
                ],
            ),
            Table::Tickets => (
                &["subject", "type_id", "priority"],
                &[
                    "customer_id",
                    "status_id",
                    "group_id",
                    "assign_to",
                    "hidden",
                    "note",
                    "message",
                ],
            ),
            _ => return Err(not_allowed()),
        };
        let given = match (table, asked.content_type.split_once("boundary=")) {
            // A ticket may come with files, and in their form.
            (Table::Tickets, Some((_, boundary))) => multipart(&asked.body, boundary.trim_matches('"')),
            _ => body(asked)?,
        };
        let missing = required
            .iter()
            .find(|name| given.get(**name).is_none_or(|value| text(value).is_empty()));
        if let Some(missing) = missing {
            // The real one's form is not known.
            let body = json!([{ "field": missing, "message": format!("{missing} cannot be blank.") }]);
            return Ok(Said::json(422, &body));
        }
        // What it does not know is ignored without a word: `date_time`, `assigned_to` of a ticket.
        let known = required.iter().chain(optional);
        let mut row: Row = known
            .filter_map(|name| Some(((*name).to_owned(), given.get(*name)?.clone())))
            .collect();
        if table == Table::Notes && !row.contains_key("datetime") {
            row.insert(
                "datetime".to_owned(),
                json!(now.strftime("%Y-%m-%d %H:%M:%S").to_string()),
            );
        }
        let id = self.world.insert(table, Value::Object(row));
        Ok(Said::json(201, &json!({ "id": id })))
    }

    fn one(&mut self, asked: &Asked, table: Table, customer: u64, id: u64, now: Timestamp) -> Result<Said, Refusal> {
        let row = self.world.row(table, id).ok_or_else(Refusal::not_found)?;
        if customer > 0 && number(row, "customer_id") != customer {
            return Err(Refusal::not_found());
        }
        if !self.sees(table, row) {
            let message = "Not allowed by partner restriction";
            return Err(Refusal::new(405, message, "NOT_ALLOWED_BY_PARTNER_RESTRICTION"));
        }
        match asked.method.as_str() {
            "GET" => Ok(Said::json(200, &written(row, self.switches))),
            "PUT" => {
                let mut fields = body(asked)?;
                let status = (table == Table::Customers)
                    .then(|| fields.as_object_mut().and_then(|fields| fields.remove("status")))
                    .flatten();
                if let Some(status) = status {
                    self.world.set_status(id, &text(&status), day(now));
                }
                self.world.set(table, id, &fields);
                let body = if self.switches.change_answers { "{}" } else { "" };
                Ok(Said::of(202, body.into()))
            }
            "DELETE" if table == Table::Customers => {
                if self.world.delete(id) {
                    Ok(Said::of(204, Vec::new()))
                } else {
                    let message = "Only inactive customers can be deleted";
                    Err(Refusal::new(400, message, "ENTITY_CANNOT_BE_DELETED"))
                }
            }
            _ => Err(not_allowed()),
        }
    }
}

/// The day of a moment, where the fake is.
pub(super) fn day(now: Timestamp) -> Date {
    now.to_zoned(TimeZone::UTC).date()
}

fn body(asked: &Asked) -> Result<Value, Refusal> {
    serde_json::from_slice(&asked.body).map_err(|_| Refusal::bad("The body is no JSON"))
}

/// The texts of a form that has its parts between boundaries, by name; files are left out.
fn multipart(body: &[u8], boundary: &str) -> Value {
    let (body, between) = (String::from_utf8_lossy(body), format!("--{boundary}"));
    let parts = body.split(&between).filter_map(|part| {
        let (head, text) = part.split_once("\r\n\r\n")?;
        let (_, name) = head.split_once(" name=\"").filter(|_| !head.contains("filename="))?;
        let (name, _) = name.split_once('"')?;
        let text = text.strip_suffix("\r\n").unwrap_or(text);
        Some((name.to_owned(), json!(text)))
    });
    Value::Object(parts.collect())
}

fn not_allowed() -> Refusal {
    Refusal::new(405, "Method is not allowed", "METHOD_NOT_ALLOWED")
}

#[cfg(test)]
mod tests;
