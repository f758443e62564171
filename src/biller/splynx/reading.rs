//! Reading Splynx: lists page after page, and whether they are one picture.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use backon::Retryable as _;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use crate::billing::{Book, Scope};
use crate::domain::BillingKind;

use super::super::send::{Answer, is_silence, pauses};
use super::super::{BillerError, Extra};
use super::ask::{self, Call, List, NAMED, PAGE};
use super::book::{self, Rows};
use super::picture::{Found, Wrong, next_after};
use super::reply;
use super::row::{Customer, Place, Row, Tariff};
use super::session::Session;

/// How long after the start of a reading what was not answered is asked again. What takes longer is begun anew by the caller: a
/// picture that took many minutes is none.
const PATIENCE: Duration = Duration::from_secs(120);

/// The most pages of a list that may come without being full. A server with a limit of its own sends many; one whose rows come as fast as they
/// are read would never end.
const SMALL: usize = 200;

/// Reads a book.
#[derive(Debug)]
pub(super) struct Reading<'a> {
    session: &'a Session,
    extras: &'a BTreeSet<Extra>,
    zone: &'a TimeZone,
    started: Instant,
    /// What the server's clock said last.
    at: Option<Timestamp>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(session: &'a Session, extras: &'a BTreeSet<Extra>, zone: &'a TimeZone) -> Self {
        Self {
            session,
            extras,
            zone,
            started: Instant::now(),
            at: None,
        }
    }

    /// Everything. Rows are counted before the first list and after the last.
    pub(super) async fn everything(mut self) -> Result<Book, BillerError> {
        let mut counted = vec![List::Tariffs, List::Customers, List::Services];
        if self.extras.contains(&Extra::Inventory) {
            counted.push(List::Items);
        }
        let mut before = Vec::new();
        for list in &counted {
            before.push(self.count(*list).await?);
        }
        let counted_before = |list| {
            let at = counted.iter().position(|counted| *counted == list)?;
            before.get(at).copied().flatten()
        };
        let mut rows = Rows {
            tariffs: self.tariffs(counted_before(List::Tariffs)).await?,
            customers: self.pages(List::Customers, counted_before(List::Customers)).await?,
            services: self.pages(List::Services, counted_before(List::Services)).await?,
            ..Rows::default()
        };
        if self.extras.contains(&Extra::Inventory) {
            rows.items = self.pages(List::Items, counted_before(List::Items)).await?;
        }
        self.places(&mut rows).await?;
        let of_the_list = rows.customers.len();
        // A customer that came, with its service, after its page was read; or one that was deleted and left services behind.
        for ids in rows.missing_customers().chunks(NAMED) {
            let found: Vec<Customer> = self.list(&ask::customers(ids)).await?;
            rows.customers
                .extend(found.into_iter().filter(|row| ids.contains(&row.id())));
        }
        self.tariffs_again(&mut rows, counted_before(List::Tariffs)).await?;
        for (list, before) in counted.into_iter().zip(before) {
            let (read, last) = match list {
                List::Tariffs => (rows.tariffs.len(), last(&rows.tariffs)),
                List::Customers => (of_the_list, last(&rows.customers[..of_the_list])),
                List::Services => (rows.services.len(), last(&rows.services)),
                _ => (rows.items.len(), last(&rows.items)),
            };
            self.check(list, before, read, last).await?;
        }
        if of_the_list == 0 && !rows.services.is_empty() {
            return Err(BillerError::NotAnApi {
                url: self.session.address(&List::Customers.whole()),
                what: "sends no row, and there are services of customers".to_owned(),
            });
        }
        Ok(self.book(&rows, Scope::Everything))
    }

    /// Some accounts, each by its id.
    pub(super) async fn accounts(mut self, accounts: &BTreeSet<String>) -> Result<Book, BillerError> {
        let mut rows = Rows {
            tariffs: self.tariffs(Some(0)).await?,
            ..Rows::default()
        };
        // What is no id of Splynx is no account of it. 0 would be all of them.
        let ids = accounts.iter().filter_map(|id| id.parse().ok().filter(|id| *id > 0));
        for id in ids.collect::<BTreeSet<u64>>() {
            let answer = self.ask(&ask::customer(id)).await?;
            let Some(customer) = reply::row::<Customer>(&answer, List::Customers, id)? else {
                continue;
            };
            rows.customers.push(customer);
            let services: Vec<super::row::Service> = self.list(&ask::services_of(id)).await?;
            let items: Vec<super::row::Item> = if self.extras.contains(&Extra::Inventory) {
                self.list(&ask::items_of(id)).await?
            } else {
                Vec::new()
            };
            let mut customers =
                (services.iter().map(|row| row.customer_id.0)).chain(items.iter().map(|row| row.customer_id.0));
            if let Some(other) = customers.find(|other| *other != id) {
                return Err(BillerError::NotAnApi {
                    url: answer.url,
                    what: format!("sends rows of customer {other} where those of {id} were asked for"),
                });
            }
            rows.services.extend(services);
            rows.items.extend(items);
        }
        self.places(&mut rows).await?;
        self.tariffs_again(&mut rows, Some(0)).await?;
        Ok(self.book(&rows, Scope::Accounts(accounts.clone())))
    }

    /// Whether a note with a mark is on a customer.
    pub(super) async fn is_noted(&mut self, customer: u64, mark: &str) -> Result<bool, BillerError> {
        let notes: Vec<super::row::Written> = self.list(&ask::notes_of(customer)).await?;
        Ok(notes.iter().any(|note| note.comment.text().contains(mark)))
    }

    fn book(&self, rows: &Rows, scope: Scope) -> Book {
        Book {
            kind: BillingKind::Splynx,
            scope,
            offers: book::offers(&rows.tariffs),
            accounts: book::accounts(rows, self.today()),
            at: self.at,
        }
    }

    /// The day where Splynx is, by its own clock.
    fn today(&self) -> Date {
        let now = self.at.unwrap_or_else(Timestamp::now);
        now.to_zoned(self.zone.clone()).date()
    }

    /// A service may name a tariff that came after tariffs were read. Then they are read once more; what is unknown still, stays so.
    async fn tariffs_again(&mut self, rows: &mut Rows, counted: Option<u64>) -> Result<(), BillerError> {
        if rows.lacks_a_tariff() {
            rows.tariffs = self.tariffs(counted).await?;
        }
        Ok(())
    }

    /// What is sold: in one answer with every server that is known, and more where fewer came than were counted or nothing was.
    async fn tariffs(&mut self, counted: Option<u64>) -> Result<Vec<Tariff>, BillerError> {
        let mut rows: Vec<Tariff> = self.whole(List::Tariffs).await?;
        if !are_all(&rows, counted) {
            let more = self
                .pages_after(List::Tariffs, last(&rows).unwrap_or_default(), counted)
                .await?;
            rows.extend(more);
        }
        Ok(rows)
    }

    /// Names of places, as far as anybody goes by them.
    async fn places(&mut self, rows: &mut Rows) -> Result<(), BillerError> {
        if self.extras.contains(&Extra::Locations) {
            rows.locations = self.some(List::Locations).await?;
        }
        if self.extras.contains(&Extra::Partners) {
            rows.partners = self.some(List::Partners).await?;
        }
        if self.extras.contains(&Extra::NetworkSites) {
            rows.hardware = self.whole(List::Hardware).await?;
            rows.network_sites = self.whole(List::NetworkSites).await?;
        }
        Ok(())
    }

    /// A list that is short enough to come at once.
    async fn whole<T: DeserializeOwned + Row>(&mut self, list: List) -> Result<Vec<T>, BillerError> {
        let rows: Vec<T> = self.list(&list.whole()).await?;
        // One row for each id, whichever the order.
        let by_id: BTreeMap<u64, T> = rows.into_iter().map(|row| (row.id(), row)).collect();
        Ok(by_id.into_values().collect())
    }

    /// The same for a list that is never empty.
    async fn some(&mut self, list: List) -> Result<Vec<Place>, BillerError> {
        let call = list.whole();
        let answer = self.ask(&call).await?;
        let rows: Vec<Place> = reply::rows(&answer, list)?;
        if rows.is_empty() {
            return Err(BillerError::NotAnApi {
                url: answer.url,
                what: "sends no row, and every Splynx has some".to_owned(),
            });
        }
        Ok(rows)
    }

    /// A list, page after page, up to an empty one, or up to one that is not full when as many rows were read as were counted. One that is not full
    /// may also come from a server that has a limit of its own.
    async fn pages<T: DeserializeOwned + Row>(
        &mut self,
        list: List,
        counted: Option<u64>,
    ) -> Result<Vec<T>, BillerError> {
        self.pages_after(list, 0, counted).await
    }

    async fn pages_after<T: DeserializeOwned + Row>(
        &mut self,
        list: List,
        mut after: u64,
        counted: Option<u64>,
    ) -> Result<Vec<T>, BillerError> {
        let mut rows: Vec<T> = Vec::new();
        let mut small = 0;
        loop {
            let call = list.page(after);
            let answer = self.ask(&call).await?;
            let page: Vec<T> = reply::rows(&answer, list)?;
            let (is_empty, is_full) = (page.is_empty(), page.len() >= PAGE);
            small += usize::from(!is_full);
            let next = if small > SMALL {
                Err(format!("it goes on and on, {} rows at a time", page.len()))
            } else {
                next_after(after, page.iter().map(Row::id))
            };
            after = next.map_err(|what| BillerError::Moved { url: answer.url, what })?;
            rows.extend(page);
            if is_empty || !is_full && are_all(&rows, counted) {
                return Ok(rows);
            }
        }
    }

    async fn list<T: DeserializeOwned + Row>(&mut self, call: &Call) -> Result<Vec<T>, BillerError> {
        let answer = self.ask(call).await?;
        reply::rows(&answer, call.list)
    }

    /// How many rows a list has; `None` where the server does not count.
    async fn count(&mut self, list: List) -> Result<Option<u64>, BillerError> {
        self.counted(list).await.map(|(_, count)| count)
    }

    /// The same with the address that was asked.
    async fn counted(&mut self, list: List) -> Result<(String, Option<u64>), BillerError> {
        match self.ask(&list.count()).await {
            Ok(answer) => reply::count(&answer, list).map(|count| (answer.url, count)),
            // Not every version can: then the end of the list is looked at instead.
            Err(BillerError::Refused { url, status, .. }) if status >= 500 => Ok((url, None)),
            Err(error) => Err(error),
        }
    }

    /// Whether all rows of a list were read. Where the server does not count, its last row is asked for: a page that was cut short would
    /// have been taken for the last.
    async fn check(
        &mut self,
        list: List,
        before: Option<u64>,
        read: usize,
        last_read: Option<u64>,
    ) -> Result<(), BillerError> {
        let (url, after) = self.counted(list).await?;
        let found = Found {
            before,
            read: u64::try_from(read).unwrap_or(u64::MAX),
            after,
        };
        match found.check() {
            Err(Wrong::Empty(what)) => return Err(BillerError::NotAnApi { url, what }),
            Err(Wrong::Moved(what)) => return Err(BillerError::Moved { url, what }),
            Ok(()) => {}
        }
        if found.after.is_none() {
            let answer = self.ask(&list.last()).await?;
            let now: Option<u64> = reply::ids(&answer, list)?.into_iter().max();
            if now != last_read {
                let what = "its last row is another than the last that was read".to_owned();
                return Err(BillerError::Moved { url, what });
            }
        }
        Ok(())
    }

    /// Asks, and asks again what was not answered, while there is patience.
    async fn ask(&mut self, call: &Call) -> Result<Answer, BillerError> {
        let (session, started) = (self.session, self.started);
        let ask = || async {
            let answer = session.ask(call).await?;
            if answer.status >= 500 {
                reply::judge(&answer, call.list)?;
            }
            Ok(answer)
        };
        let answer = ask
            .retry(pauses())
            .when(|error| is_silence(error) && started.elapsed() < PATIENCE)
            .await?;
        self.at = answer.at.or(self.at);
        Ok(answer)
    }
}

/// Whether as many rows were read as were counted; no where nothing was counted.
fn are_all<T>(rows: &[T], counted: Option<u64>) -> bool {
    counted.is_some_and(|counted| u64::try_from(rows.len()).is_ok_and(|read| read >= counted))
}

fn last<T: Row>(rows: &[T]) -> Option<u64> {
    rows.last().map(Row::id)
}
