//! A Splynx on loopback: its REST API 2.0 and its hooks, as far as its documentation and those who speak with real ones describe them.
//!
//! From the inside out: `world` is what it holds and what becomes of it, `query` reads filters, `style` writes rows, `auth` lets in, `route` knows
//! paths, `desk` answers, `fault` is what goes wrong to order, `hooks` tells others; `server` is the HTTP around it. Where
//! nothing is known for sure, behaviour is one of the [`Switches`]. It shares no code with the client, so that the two can disagree.

mod auth;
mod desk;
mod fault;
mod hooks;
mod overview;
mod query;
mod refusal;
mod route;
mod server;
mod style;
mod world;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::billing::{Seed, SeedCustomer};
use super::webhook::{CallError, Caller};
use auth::Key;
use desk::{Desk, day};
use fault::Trouble;
use hooks::Untaken;
use server::{Shared, serve};
use world::World;

pub use fault::{Fault, When};
pub use hooks::{Call, Target};
pub use style::{Style, Switches};
pub use world::{Happened, Table};

/// The API key that lets in, and its secret.
pub const KEY: &str = "11112222333344445555666677778888";
/// See [`KEY`].
pub const SECRET: &str = "aaaabbbbccccddddeeeeffff00001111";

/// All that a Splynx held at one time.
#[derive(Debug, Clone)]
pub struct Backup(World);

/// A Splynx that runs. It ends when this is dropped.
#[derive(Debug)]
pub struct Splynx {
    address: SocketAddr,
    shared: Arc<Shared>,
    hooks: Arc<Hooks>,
    _tasks: JoinSet<()>,
}

/// Where hooks go, and which did not get there.
#[derive(Debug, Default)]
struct Hooks {
    target: Mutex<Option<Target>>,
    untaken: Mutex<Vec<Untaken>>,
}

impl Splynx {
    /// Starts one on a free port of 127.0.0.1. It lives on the runtime that this is called in.
    ///
    /// # Errors
    ///
    /// No port is free.
    pub async fn start(seed: &Seed) -> io::Result<Self> {
        Self::start_at(seed, SocketAddr::from(([127, 0, 0, 1], 0))).await
    }

    /// Starts one at an address.
    ///
    /// # Errors
    ///
    /// The address is taken, or not this machine's.
    pub async fn start_at(seed: &Seed, address: SocketAddr) -> io::Result<Self> {
        let key = Key {
            key: KEY.to_owned(),
            secret: SECRET.to_owned(),
            unsecure: false,
            last_nonce: 0,
        };
        let desk = Desk::new(World::new(seed), key);
        let (queue, waiting) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            desk: Mutex::new((desk, SignedDuration::ZERO)),
            queue,
        });
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let router = Router::new().fallback(serve).with_state(Arc::clone(&shared));
        let hooks = Arc::new(Hooks::default());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let service = router.into_make_service_with_connect_info::<SocketAddr>();
            // It ends with its task only.
            let _ = axum::serve(listener, service).await;
        });
        let caller = Caller::new(None).map_err(io::Error::other)?;
        tasks.spawn(tell(waiting, Arc::clone(&hooks), Arc::clone(&shared), caller));
        Ok(Self {
            address,
            shared,
            hooks,
            _tasks: tasks,
        })
    }

    /// Where it is: `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it did so far: `GET admin/customers/customer`, without queries, oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        self.with(|desk, _| desk.requests.clone())
    }

    /// Has something go wrong.
    pub fn fault(&self, fault: Fault, when: When) {
        self.with(|desk, _| desk.troubles.push(Trouble::new(fault, when)));
    }

    /// Nothing goes wrong any more. What faults did stays.
    pub fn mend(&self) {
        self.with(|desk, _| desk.troubles.clear());
    }

    /// Behaves as another version does.
    pub fn switch(&self, switches: Switches) {
        self.with(|desk, _| desk.switches = switches);
    }

    /// The key may not read or write a list any more.
    pub fn forbid(&self, table: Table) {
        self.with(|desk, _| desk.forbidden.insert(table));
    }

    /// The module of a list is switched off.
    pub fn switch_off(&self, table: Table) {
        self.with(|desk, _| desk.off.insert(table));
    }

    /// Whether key and secret may come as they are ("unsecure access").
    pub fn allow_basic(&self, allowed: bool) {
        self.with(|desk, _| desk.key.unsecure = allowed);
    }

    /// How many seconds tokens last that are given from now on, and those that renew them.
    pub fn limit_tokens(&self, access: u32, refresh: u32) {
        self.with(|desk, _| desk.tokens.last(access.into(), refresh.into()));
    }

    /// The last number that a signature was taken with ("nonce").
    #[must_use]
    pub fn last_number(&self) -> u64 {
        self.with(|desk, _| desk.key.last_nonce)
    }

    /// As after a restart that kept that number: only what is above it is taken from now on.
    pub fn keep_number(&self, last: u64) {
        self.with(|desk, _| desk.key.last_nonce = last);
    }

    /// The key sees one partner's customers only; `None`: all.
    pub fn show_partner(&self, partner: Option<u64>) {
        self.with(|desk, _| desk.partner = partner);
    }

    /// Sets its clock, which goes on from there. A day that begins brings what is due.
    pub fn set_clock(&self, now: Timestamp) {
        let ahead = now.duration_since(Timestamp::now());
        let mut desk = self.shared.desk.lock().unwrap_or_else(PoisonError::into_inner);
        desk.1 = ahead;
        drop(desk);
        self.with(|desk, now| desk.world.begin(day(now)));
    }

    /// Lets time pass.
    pub fn pass(&self, time: Duration) {
        let now = self.with(|_, now| now);
        self.set_clock(now.saturating_add(time).unwrap_or(Timestamp::MAX));
    }

    /// A new customer with its services and their equipment.
    pub fn add(&self, customer: &SeedCustomer) {
        self.with(|desk, _| desk.world.add_customer(customer));
    }

    /// Puts a row into a list, without telling anybody; its id. One without an id gets the next.
    pub fn insert(&self, table: Table, row: Value) -> u64 {
        self.with(|desk, _| desk.world.insert(table, row))
    }

    /// Changes fields of a row; whether it is there.
    pub fn set(&self, table: Table, id: u64, fields: &Value) -> bool {
        self.with(|desk, _| desk.world.set(table, id, fields))
    }

    /// Takes a row away for good.
    pub fn remove(&self, table: Table, id: u64) -> bool {
        self.with(|desk, _| desk.world.remove(table, id))
    }

    /// The rows of a list that are there, as they are held.
    #[must_use]
    pub fn rows(&self, table: Table) -> Vec<Value> {
        let rows = |desk: &mut Desk, _| {
            let rows = desk.world.rows(table);
            rows.map(|(_, row)| Value::Object(row.clone())).collect()
        };
        self.with(rows)
    }

    /// Something to be done to a customer.
    #[must_use]
    pub const fn customer(&self, id: u64) -> Customer<'_> {
        Customer { splynx: self, id }
    }

    /// Something to be done to a service.
    #[must_use]
    pub const fn service(&self, id: u64) -> Service<'_> {
        Service { splynx: self, id }
    }

    /// All that it holds now, to be put back later.
    #[must_use]
    pub fn backup(&self) -> Backup {
        self.with(|desk, _| Backup(desk.world.clone()))
    }

    /// Holds what it held once, as after a restored backup; nobody is told.
    pub fn put_back(&self, backup: &Backup) {
        self.with(|desk, _| desk.world = backup.0.clone());
    }

    /// From now on, hooks are sent of whatever happens, in order, one after the other.
    pub fn hook(&self, target: Target) {
        *self.hooks.target.lock().unwrap_or_else(PoisonError::into_inner) = Some(target);
    }

    /// Hooks that nobody took, oldest first; they are given up by that.
    #[must_use]
    pub fn undelivered(&self) -> Vec<Call> {
        let mut untaken = self.hooks.untaken.lock().unwrap_or_else(PoisonError::into_inner);
        untaken.drain(..).map(|untaken| untaken.call).collect()
    }

    /// Sends again what nobody took and is due by its clock: a minute, ten, and an hour after it was sent first; what is not taken then is
    /// given up. The status of each; 0 where nobody answers.
    ///
    /// # Errors
    ///
    /// [`CallError`]: nobody can be called from here.
    pub async fn tell_again(&self) -> Result<Vec<u16>, CallError> {
        let target = self.hooks.target.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(target) = target else {
            return Ok(Vec::new());
        };
        let (caller, now) = (Caller::new(None)?, self.with(|_, now| now));
        let due: Vec<Untaken> = {
            let mut untaken = self.hooks.untaken.lock().unwrap_or_else(PoisonError::into_inner);
            untaken.extract_if(.., |untaken| untaken.is_due(now)).collect()
        };
        let mut said = Vec::new();
        for untaken in due {
            let status = untaken.call.send_by(&caller, &target).await.unwrap_or_default();
            said.push(status);
            if !(200..300).contains(&status) {
                let mut left = self.hooks.untaken.lock().unwrap_or_else(PoisonError::into_inner);
                left.extend(untaken.not_taken_again());
            }
        }
        Ok(said)
    }

    fn with<T>(&self, act: impl FnOnce(&mut Desk, Timestamp) -> T) -> T {
        self.shared.with(act)
    }
}

/// Tells of what happened, in order.
async fn tell(mut waiting: mpsc::UnboundedReceiver<Happened>, hooks: Arc<Hooks>, shared: Arc<Shared>, caller: Caller) {
    while let Some(happened) = waiting.recv().await {
        let target = hooks.target.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(target) = target else {
            continue;
        };
        let now = shared.with(|_, now| now);
        let call = Call::event(&target, &happened, now);
        if !matches!(call.send_by(&caller, &target).await, Ok(200..=299)) {
            let mut untaken = hooks.untaken.lock().unwrap_or_else(PoisonError::into_inner);
            untaken.push(Untaken::new(call, now));
        }
    }
}

/// A customer of a [`Splynx`], to which something is done.
#[derive(Debug, Clone, Copy)]
pub struct Customer<'a> {
    splynx: &'a Splynx,
    id: u64,
}

impl Customer<'_> {
    /// It does not pay: its services stay active.
    pub fn block(self) {
        self.status("blocked");
    }

    /// It paid: it is active, and so is what stands in for what was disabled with it.
    pub fn pay(self) {
        self.status("active");
    }

    /// It uses nothing any more: its services are disabled, and a stopped copy of each is made.
    pub fn inactivate(self) {
        self.status("disabled");
    }

    /// Any status, also one that does not exist.
    pub fn status(self, status: &str) {
        let Self { splynx, id } = self;
        splynx.with(|desk, now| desk.world.set_status(id, status, day(now)));
    }

    /// It is deleted, which can be undone; whether that went: it has to be inactive.
    #[must_use = "only a customer that is inactive can be deleted"]
    pub fn delete(self) -> bool {
        self.splynx.with(|desk, _| desk.world.delete(self.id))
    }

    /// Its deletion is undone; whether it was deleted.
    #[must_use = "only a customer that was deleted comes back"]
    pub fn restore(self) -> bool {
        self.splynx.with(|desk, _| desk.world.restore(self.id))
    }
}

/// A service of a [`Splynx`], to which something is done.
#[derive(Debug, Clone, Copy)]
pub struct Service<'a> {
    splynx: &'a Splynx,
    id: u64,
}

impl Service<'_> {
    /// It rests.
    pub fn stop(self) {
        self.set(&json!({ "status": "stopped" }));
    }

    /// It goes on.
    pub fn start(self) {
        self.set(&json!({ "status": "active" }));
    }

    /// It ends with a day.
    pub fn cancel(self, last: Date) {
        self.set(&json!({ "end_date": last.to_string() }));
    }

    /// Another tariff now: another service takes its place, whose id this is. `None` where there is no such service.
    pub fn change_plan(self, tariff: u64) -> Option<u64> {
        let Self { splynx, id } = self;
        splynx.with(|desk, now| desk.world.change_plan(id, tariff, day(now), day(now)))
    }

    /// The same from a day on.
    pub fn change_plan_on(self, tariff: u64, from: Date) -> Option<u64> {
        let Self { splynx, id } = self;
        splynx.with(|desk, now| desk.world.change_plan(id, tariff, from, day(now)))
    }

    fn set(self, fields: &Value) {
        self.splynx.set(Table::Services, self.id, fields);
    }
}
