//! Sonar, by the GraphQL API of its version 2.
//!
//! What is asked is in `ask`, what is answered in `reply`, `walk` and `rows`; `join` and `clues` make a book of it, `standing` says how
//! accounts stand, `hook` reads webhooks: all of them without I/O. This file alone asks, and decides in which order: what refers to a row is
//! read before that row, so that what is new meanwhile is known; and when all was read, Sonar is asked once more how many rows
//! each list has.

mod ask;
mod clues;
mod hook;
mod join;
mod pace;
mod reply;
mod rows;
mod standing;
mod walk;

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::BoxFuture;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::send::send;
use super::{BillerError, BillingSystem, Connection, Extra, Heard, HookCall, NotHeard, Note};
use crate::billing::{Book, Scope};
use crate::domain::{BillingKind, Secret};
use crate::transport::http::{Http, Method, Request};

use ask::{List, Part};
use join::{Lists, accounts, offers};
use pace::Pace;
use rows::{Address, Id, Item, ItemField};
use walk::{Count, Page, Unfit, Walk};

/// How many parts of a list are asked for in one request.
const PARTS: usize = 50;

/// Over how many generations accounts may belong to each other: parents of parents, children of children.
const GENERATIONS: usize = 8;

/// A Sonar instance.
#[derive(Debug)]
pub struct Sonar {
    /// Where its API is.
    api: String,
    token: Secret,
    extras: BTreeSet<Extra>,
    zone: TimeZone,
    within: Duration,
    http: Http,
    pace: Mutex<Pace>,
}

impl Sonar {
    /// A Sonar instance, by the personal access token of one of its users.
    ///
    /// # Errors
    ///
    /// [`BillerError::Settings`], [`BillerError::Http`].
    pub fn new(connection: &Connection) -> Result<Self, BillerError> {
        let url = connection.url.trim_end_matches('/');
        let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
        if rest.is_none_or(|host| host.is_empty() || host.contains(['/', '@', '?', '#'])) {
            return Err(BillerError::Settings(format!(
                "`{url}` is no Sonar instance: its address is written `https://isp.sonar.software`, without a path"
            )));
        }
        if connection.secret.is_empty() {
            let what = "Sonar needs a personal access token, as the password of its credentials";
            return Err(BillerError::Settings(what.to_owned()));
        }
        Ok(Self {
            api: format!("{url}/api/graphql"),
            token: connection.secret.clone(),
            extras: connection.extras.clone(),
            zone: connection.zone.clone(),
            within: connection.within,
            http: Http::new(connection.authorities.as_deref())?,
            pace: Mutex::new(Pace::default()),
        })
    }

    /// Asks, and waits for data. `what` is asked for, for messages.
    async fn ask(&self, what: &str, body: &Value) -> Result<(Map<String, Value>, Option<Timestamp>), BillerError> {
        let turn = self
            .pace
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .turn(Instant::now());
        tokio::time::sleep_until(turn.into()).await;
        let request = Request {
            method: Method::Post,
            url: self.api.clone(),
            called: Some(format!("{} ({what})", self.api)),
            headers: vec![
                ("Accept".into(), "application/json".to_owned()),
                ("Content-Type".into(), "application/json".to_owned()),
            ],
            token: Some(("Authorization", Secret::new(format!("Bearer {}", self.token.expose())))),
            basic: None,
            body: body.to_string().into_bytes(),
        };
        let answer = send(&self.http, request, self.within).await?;
        let data = reply::data(&answer, &self.token)?;
        Ok((data, answer.at))
    }

    /// One part of what was asked, in the form that it has to have.
    fn read<T: DeserializeOwned>(&self, what: &str, value: Option<Value>) -> Result<T, BillerError> {
        // A role that may not read a list is answered with nothing in its place.
        let value = value.filter(|value| !value.is_null()).ok_or_else(|| {
            self.not_an_api(
                what,
                "answered without this list; may the role of the token's user read it?",
            )
        })?;
        T::deserialize(value).map_err(|error| {
            let error = reply::shown(&error.to_string(), &self.token);
            let what_it_is = format!(
                "sent something else than its API says ({error}); may the role of the token's user read all that \
                 docs/billing-sonar.md lists?"
            );
            self.not_an_api(what, &what_it_is)
        })
    }

    fn not_an_api(&self, list: &str, what: &str) -> BillerError {
        BillerError::NotAnApi {
            url: format!("{} ({list})", self.api),
            what: what.to_owned(),
        }
    }

    async fn all(&self) -> Result<Book, BillerError> {
        let reading = Reading::new(self);
        let lists = Lists {
            radius: reading.extra(Extra::Radius, List::RadiusAccounts).await?,
            metadata: reading.extra(Extra::Metadata, List::Metadata).await?,
            macs: reading.extra(Extra::UninventoriedMacs, List::UninventoriedMacs).await?,
            items: {
                let items = reading.extra(Extra::Inventory, List::InventoryItems).await?;
                reading.complete(items).await?
            },
            address_fields: reading.extra(Extra::Fields, List::AddressFields).await?,
            account_fields: reading.extra(Extra::Fields, List::AccountFields).await?,
            disconnections: reading.whole(List::DisconnectionLogs).await?,
            addresses: reading.whole(List::Addresses).await?,
            account_services: reading.whole(List::AccountServices).await?,
            services: reading.whole(List::Services).await?,
            accounts: reading.whole(List::Accounts).await?,
            statuses: reading.whole(List::AccountStatuses).await?,
        };
        reading.book(&lists, Scope::Everything).await
    }

    async fn some(&self, wanted: &BTreeSet<String>) -> Result<Book, BillerError> {
        let ids = wanted
            .iter()
            .map(|id| number(id))
            .collect::<Result<BTreeSet<u64>, _>>()?;
        let reading = Reading::new(self);
        let family = reading.family(&ids).await?;
        let members: BTreeSet<u64> = family.iter().map(|account| account.id.0).collect();
        let of = |list| (list, "account_id", &members);
        let (statuses, account_services, addresses, disconnections, macs, radius, account_fields) = tokio::try_join!(
            reading.whole(List::AccountStatuses),
            reading.parts(of(List::AccountServices)),
            reading.parts::<Address>((List::Addresses, "addressable_id", &members)),
            reading.parts(of(List::DisconnectionLogs)),
            reading.extra_parts(Extra::UninventoriedMacs, of(List::UninventoriedMacs)),
            reading.extra_parts(Extra::Radius, of(List::RadiusAccounts)),
            reading.extra_parts(Extra::Fields, (List::AccountFields, "customfielddataable_id", &members)),
        )?;
        let homes: BTreeSet<u64> = addresses.iter().map(|address| address.id.0).collect();
        let account_services: Vec<rows::AccountService> = account_services;
        let services: BTreeSet<u64> = account_services.iter().map(|service| service.id.0).collect();
        let (sold, address_fields, metadata, there, linked) = tokio::try_join!(
            reading.whole(List::Services),
            reading.extra_parts(Extra::Fields, (List::AddressFields, "customfielddataable_id", &homes)),
            reading.extra_parts(Extra::Metadata, (List::Metadata, "account_service_id", &services)),
            reading.extra_parts(Extra::Inventory, (List::InventoryItems, "inventoryitemable_id", &homes)),
            reading.extra_parts(
                Extra::Inventory,
                (List::InventoryItems, "account_service_id", &services)
            ),
        )?;
        let mut items: Vec<Item> = there;
        let known: BTreeSet<Id> = items.iter().map(|item| item.id).collect();
        items.extend(
            (linked as Vec<Item>)
                .into_iter()
                .filter(|item| !known.contains(&item.id)),
        );
        // An item that is linked and elsewhere: who lives there decides whether the link still counts.
        let elsewhere = (items.iter().filter_map(|item| item.inventoryitemable_id))
            .map(|address| address.0)
            .filter(|address| !homes.contains(address))
            .collect();
        let mut addresses = addresses;
        addresses.extend(reading.parts::<Address>((List::Addresses, "id", &elsewhere)).await?);
        let lists = Lists {
            radius,
            metadata,
            macs,
            items: reading.complete(items).await?,
            address_fields,
            account_fields,
            disconnections,
            addresses,
            account_services,
            services: sold,
            accounts: family,
            statuses,
        };
        let mut book = reading.book(&lists, Scope::Accounts(wanted.clone())).await?;
        book.accounts.retain(|id, _| wanted.contains(id));
        Ok(book)
    }

    async fn write(&self, note: &Note) -> Result<(), BillerError> {
        let account = number(&note.account)?;
        let (mut data, _) = self.ask("notes", &ask::notes(account, &note.mark)).await?;
        let found: Annotated = self.read("notes", data.remove("accounts"))?;
        let Some(annotated) = found.entities.into_iter().next() else {
            return Err(BillerError::Settings(format!("Sonar has no account {account}")));
        };
        if annotated
            .notes
            .entities
            .iter()
            .any(|there| there.message.contains(&note.mark))
        {
            return Ok(());
        }
        let (mut data, _) = self.ask("createNote", &ask::create_note(account, &note.text)).await?;
        let _: Written = self.read("createNote", data.remove("createNote"))?;
        Ok(())
    }
}

impl BillingSystem for Sonar {
    fn kind(&self) -> BillingKind {
        BillingKind::Sonar
    }

    fn sweep(&self) -> BoxFuture<'_, Result<Book, BillerError>> {
        self.all().boxed()
    }

    fn look<'a>(&'a self, accounts: &'a BTreeSet<String>) -> BoxFuture<'a, Result<Book, BillerError>> {
        self.some(accounts).boxed()
    }

    fn note<'a>(&'a self, note: &'a Note) -> BoxFuture<'a, Result<(), BillerError>> {
        self.write(note).boxed()
    }

    fn hear(&self, call: &HookCall<'_>) -> Result<Heard, NotHeard> {
        hook::hear(call.body)
    }
}

/// The id of an account.
fn number(id: &str) -> Result<u64, BillerError> {
    let id_of = walk::id(&Value::String(id.to_owned()));
    id_of.ok_or_else(|| BillerError::Settings(format!("`{id}` is no account of Sonar's: its accounts have numbers")))
}

#[derive(Debug, Deserialize)]
struct Annotated {
    entities: Vec<Notes>,
}

#[derive(Debug, Deserialize)]
struct Notes {
    notes: Messages,
}

#[derive(Debug, Deserialize)]
struct Messages {
    entities: Vec<Message>,
}

#[derive(Debug, Deserialize)]
struct Message {
    message: String,
}

#[derive(Debug, Deserialize)]
struct Written {
    #[serde(rename = "id")]
    _id: Id,
}

/// One look at Sonar, from the first list to the count of them all.
struct Reading<'a> {
    sonar: &'a Sonar,
    said: Mutex<Said>,
}

/// What Sonar said beside its rows.
#[derive(Debug, Default)]
struct Said {
    /// How many rows each part had.
    counts: Vec<(Part, u64)>,
    /// Its clock, at the last answer.
    at: Option<Timestamp>,
}

impl<'a> Reading<'a> {
    fn new(sonar: &'a Sonar) -> Self {
        Self {
            sonar,
            said: Mutex::default(),
        }
    }

    fn said(&self) -> std::sync::MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn whole<T: DeserializeOwned>(&self, list: List) -> Result<Vec<T>, BillerError> {
        self.walk(list, vec![Part { list, only: None }]).await
    }

    /// A list that only some inventories go by.
    async fn extra<T: DeserializeOwned>(&self, extra: Extra, list: List) -> Result<Vec<T>, BillerError> {
        match self.sonar.extras.contains(&extra) {
            true => self.whole(list).await,
            false => Ok(Vec::new()),
        }
    }

    /// The rows of a list of which a field has one of these ids.
    async fn parts<T: DeserializeOwned>(
        &self,
        (list, field, ids): (List, &'static str, &BTreeSet<u64>),
    ) -> Result<Vec<T>, BillerError> {
        let part = |id: &u64| Part {
            list,
            only: Some((field, *id)),
        };
        self.walk(list, ids.iter().map(part).collect()).await
    }

    async fn extra_parts<T: DeserializeOwned>(
        &self,
        extra: Extra,
        wanted: (List, &'static str, &BTreeSet<u64>),
    ) -> Result<Vec<T>, BillerError> {
        match self.sonar.extras.contains(&extra) {
            true => self.parts(wanted).await,
            false => Ok(Vec::new()),
        }
    }

    /// Reads parts of a list to their ends.
    async fn walk<T: DeserializeOwned>(&self, list: List, parts: Vec<Part>) -> Result<Vec<T>, BillerError> {
        let root = list.root();
        let mut walks: Vec<Walk> = parts.into_iter().map(Walk::new).collect();
        loop {
            let mut going: Vec<&mut Walk> = walks.iter_mut().filter(|walk| !walk.is_done()).take(PARTS).collect();
            if going.is_empty() {
                break;
            }
            let wanted: Vec<(Part, u64)> = going.iter().map(|walk| (walk.part, walk.after)).collect();
            let (mut data, at) = self.sonar.ask(root, &ask::pages(&wanted)).await?;
            self.said().at = at;
            for (number, walk) in going.iter_mut().enumerate() {
                let page: Page = self.sonar.read(root, data.remove(&ask::name(number)))?;
                walk.take(page).map_err(|unfit| match unfit {
                    Unfit::Moved(what) => self.moved(root, what),
                    Unfit::Nonsense(what) => self.sonar.not_an_api(root, &what),
                })?;
            }
        }
        let mut rows = Vec::new();
        for walk in walks {
            self.said().counts.push((walk.part, walk.rows.len() as u64));
            for row in walk.rows {
                rows.push(self.sonar.read(root, Some(row))?);
            }
        }
        Ok(rows)
    }

    fn moved(&self, list: &str, what: String) -> BillerError {
        BillerError::Moved {
            url: format!("{} ({list})", self.sonar.api),
            what,
        }
    }

    /// Items with all of their fields, also where the list of these was cut.
    async fn complete(&self, mut items: Vec<Item>) -> Result<Vec<Item>, BillerError> {
        let is_cut = |item: &&mut Item| !item.inventory_model_field_data.is_whole();
        let cut: BTreeSet<u64> = (items.iter_mut().filter(is_cut)).map(|item| item.id.0).collect();
        let fields: Vec<ItemField> = self.parts((List::FieldData, "inventory_item_id", &cut)).await?;
        for item in items.iter_mut().filter(is_cut) {
            let own = fields.iter().filter(|field| field.inventory_item_id == Some(item.id));
            item.inventory_model_field_data.entities = own.cloned().collect();
        }
        Ok(items)
    }

    /// These accounts, and all that share an address with them: those above and those below.
    async fn family(&self, wanted: &BTreeSet<u64>) -> Result<Vec<rows::Account>, BillerError> {
        let mut family: Vec<rows::Account> = self.parts((List::Accounts, "id", wanted)).await?;
        let mut asked = wanted.clone();
        let mut parents_asked = BTreeSet::new();
        for _ in 0..GENERATIONS {
            let above = family.iter().filter_map(|account| account.parent_account_id);
            let above: BTreeSet<u64> = above.map(|id| id.0).filter(|id| !asked.contains(id)).collect();
            let here = family.iter().map(|account| account.id.0);
            let here: BTreeSet<u64> = here.filter(|id| !parents_asked.contains(id)).collect();
            if above.is_empty() && here.is_empty() {
                return Ok(family);
            }
            let (parents, children) = tokio::try_join!(
                self.parts::<rows::Account>((List::Accounts, "id", &above)),
                self.parts::<rows::Account>((List::Accounts, "parent_account_id", &here)),
            )?;
            asked.extend(above);
            parents_asked.extend(here);
            for account in parents.into_iter().chain(children) {
                asked.insert(account.id.0);
                if family.iter().all(|known| known.id != account.id) {
                    family.push(account);
                }
            }
        }
        let what = format!("says that accounts belong to each other over {GENERATIONS} generations");
        Err(self.sonar.not_an_api(List::Accounts.root(), &what))
    }

    /// Looks whether each list has as many rows as were read, and makes a book of them.
    async fn book(&self, lists: &Lists, scope: Scope) -> Result<Book, BillerError> {
        let counts = std::mem::take(&mut self.said().counts);
        for counts in counts.chunks(PARTS) {
            let parts: Vec<Part> = counts.iter().map(|(part, _)| *part).collect();
            let (mut data, at) = self.sonar.ask("counts", &ask::counts(&parts)).await?;
            self.said().at = at;
            for (number, (part, read)) in counts.iter().enumerate() {
                let root = part.list.root();
                let count: Count = self.sonar.read(root, data.remove(&ask::name(number)))?;
                if count.rows() != *read {
                    let what = format!("{read} rows were read, and now it has {}", count.rows());
                    return Err(self.moved(root, what));
                }
            }
        }
        let accounts = accounts(lists, &self.sonar.zone).map_err(|orphan| {
            let what = format!(
                "service {} is of account {}, which is not in the list of accounts: it is new, or the role of the token's user may not \
                 see all accounts",
                orphan.service, orphan.account
            );
            self.moved(List::Accounts.root(), what)
        })?;
        Ok(Book {
            kind: BillingKind::Sonar,
            scope,
            offers: offers(lists),
            accounts,
            at: self.said().at,
        })
    }
}
