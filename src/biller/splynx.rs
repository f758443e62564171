//! Splynx, by its REST API 2.0.
//!
//! <https://splynx.docs.apiary.io>. `ask` says what is asked, `reply` whether it is a yes, `row` reads rows, `standing` and `book` make
//! accounts of them, `hook` reads webhooks: all of these are pure. `session` logs in and asks, `reading` goes from page to page.

mod ask;
mod auth;
mod book;
mod hook;
mod picture;
mod reading;
mod reply;
mod row;
mod session;
mod standing;

use std::collections::BTreeSet;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use jiff::tz::TimeZone;

use crate::billing::Book;
use crate::domain::{BillingKind, Secret};

use super::{BillerError, BillingSystem, Connection, Extra, Heard, HookCall, NotHeard, Note};
use ask::List;
use reading::Reading;
use session::Session;

/// A Splynx.
#[derive(Debug)]
pub struct Splynx {
    session: Session,
    extras: BTreeSet<Extra>,
    zone: TimeZone,
    hook_secret: Option<Secret>,
}

impl Splynx {
    /// Takes what it is reached with; asks nothing yet.
    ///
    /// # Errors
    ///
    /// [`BillerError::Settings`], [`BillerError::Http`].
    pub fn new(connection: Connection) -> Result<Self, BillerError> {
        Ok(Self {
            session: Session::new(&connection)?,
            extras: connection.extras,
            zone: connection.zone,
            hook_secret: connection.hook_secret,
        })
    }

    fn reading(&self) -> Reading<'_> {
        Reading::new(&self.session, &self.extras, &self.zone)
    }

    async fn write(&self, note: &Note) -> Result<(), BillerError> {
        let Some(customer) = note.account.parse().ok().filter(|id: &u64| *id > 0) else {
            let what = format!("`{}` is not the id of a customer of Splynx", note.account);
            return Err(BillerError::Settings(what));
        };
        if self.reading().is_noted(customer, &note.mark).await? {
            return Ok(());
        }
        // Once: whether a note that was not answered was taken, is seen by looking for it the next time.
        let answer = self.session.ask(&ask::note(customer, note)).await?;
        reply::made(&answer, List::Notes)
    }
}

impl BillingSystem for Splynx {
    fn kind(&self) -> BillingKind {
        BillingKind::Splynx
    }

    fn sweep(&self) -> BoxFuture<'_, Result<Book, BillerError>> {
        self.reading().everything().boxed()
    }

    fn look<'a>(&'a self, accounts: &'a BTreeSet<String>) -> BoxFuture<'a, Result<Book, BillerError>> {
        self.reading().accounts(accounts).boxed()
    }

    fn last_number(&self) -> Option<u64> {
        Some(self.session.numbers.last())
    }

    fn note<'a>(&'a self, note: &'a Note) -> BoxFuture<'a, Result<(), BillerError>> {
        self.write(note).boxed()
    }

    fn hear(&self, call: &HookCall<'_>) -> Result<Heard, NotHeard> {
        hook::hear(call, self.hook_secret.as_ref())
    }
}
