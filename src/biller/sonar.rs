//! Sonar, by the GraphQL API of its version 2.
//!
//! What is asked is in `ask`, what is answered in `reply`, `walk` and `rows`; `join` and `clues` make a book of it, `standing` says how
//! accounts stand, `hook` reads webhooks: all of them without I/O. `session` asks, `reading` goes from page to page, and this file decides in
//! which order: what refers to a row is read before that row, so that what is new meanwhile is known; and when all was read, Sonar
//! is asked once more how many rows each list has.

mod ask;
mod clues;
mod hook;
mod join;
mod pace;
mod reading;
mod reply;
mod rows;
mod session;
mod standing;
mod walk;

use std::collections::BTreeSet;

use futures::FutureExt;
use futures::future::BoxFuture;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::Value;

use super::{BillerError, BillingSystem, Connection, Extra, Heard, HookCall, NotHeard, Note};
use crate::billing::{Book, Scope};
use crate::domain::BillingKind;

use ask::List;
use join::{Lists, accounts, offers};
use reading::Reading;
use rows::{Address, Id, Item};
use session::Session;

/// A Sonar instance.
#[derive(Debug)]
pub struct Sonar {
    session: Session,
    extras: BTreeSet<Extra>,
    zone: TimeZone,
}

impl Sonar {
    /// A Sonar instance, by the personal access token of one of its users.
    ///
    /// # Errors
    ///
    /// [`BillerError::Settings`], [`BillerError::Http`].
    pub fn new(connection: &Connection) -> Result<Self, BillerError> {
        Ok(Self {
            session: Session::new(connection)?,
            extras: connection.extras.clone(),
            zone: connection.zone.clone(),
        })
    }

    fn reading(&self) -> Reading<'_> {
        Reading::new(&self.session, &self.extras)
    }

    async fn all(&self) -> Result<Book, BillerError> {
        let reading = self.reading();
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
        self.book(&reading, &lists, Scope::Everything).await
    }

    async fn some(&self, wanted: &BTreeSet<String>) -> Result<Book, BillerError> {
        let ids = wanted
            .iter()
            .map(|id| number(id))
            .collect::<Result<BTreeSet<u64>, _>>()?;
        let reading = self.reading();
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
        let mut book = self.book(&reading, &lists, Scope::Accounts(wanted.clone())).await?;
        book.accounts.retain(|id, _| wanted.contains(id));
        Ok(book)
    }

    async fn write(&self, note: &Note) -> Result<(), BillerError> {
        let account = number(&note.account)?;
        let (mut data, _) = self
            .session
            .ask_again("notes", &ask::notes(account, &note.mark))
            .await?;
        let found: Annotated = self.session.read("notes", data.remove("accounts"))?;
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
        // Once: whether a note that was not answered was taken is seen by looking for it the next time.
        let (mut data, _) = self
            .session
            .ask("createNote", &ask::create_note(account, &note.text))
            .await?;
        let _: Written = self.session.read("createNote", data.remove("createNote"))?;
        Ok(())
    }

    /// Makes a book of what was read, if it is of one moment.
    async fn book(&self, reading: &Reading<'_>, lists: &Lists, scope: Scope) -> Result<Book, BillerError> {
        let at = reading.count().await?;
        let accounts = accounts(lists, &self.zone).map_err(|orphan| {
            let what = format!(
                "service {} is of account {}, which is not in the list of accounts: it is new, or the role of the token's user may not \
                 see all accounts",
                orphan.service, orphan.account
            );
            self.session.moved(List::Accounts.root(), what)
        })?;
        Ok(Book {
            kind: BillingKind::Sonar,
            scope,
            offers: offers(lists),
            accounts,
            at,
        })
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
