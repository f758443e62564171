//! A simulated Sonar: a real HTTP server on loopback that reads real GraphQL, as far as a client of billing needs it.
//!
//! `schema` is what it knows of the API, `tables` holds the rows, `resolve` and `arguments` look a query up, `search` and `run` answer it, `write` does
//! what mutations ask for; `world` is what the operator's people do, `hooks` tells of it. `serve` is the server, with `fault` and `knobs` for
//! what goes wrong and what is documented nowhere. Shares no code with the client, so that it can disagree with it.

mod arguments;
mod fault;
mod hooks;
mod knobs;
mod overview;
mod resolve;
mod run;
mod schema;
mod search;
mod serve;
mod tables;
mod world;
mod write;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::billing::{Seed, SeedCustomer, SeedService};
use super::webhook::{CallError, Caller};

pub use fault::SonarFault;
pub use knobs::SonarKnobs;

use fault::Faults;
use hooks::{Event, JSON};
use serve::{Desk, Shared};
use world::World;

/// The personal access token that lets in.
pub const TOKEN: &str = "test-pat-0001";

/// All that a Sonar held at one time.
#[derive(Debug, Clone)]
pub struct Backup(World);

/// A Sonar that runs until it is dropped.
#[derive(Debug)]
pub struct Sonar {
    address: SocketAddr,
    shared: Arc<Shared>,
    _stop: DropGuard,
}

impl Sonar {
    /// Starts one on loopback, at a port of the system's choice.
    ///
    /// # Errors
    ///
    /// The system gives no port.
    pub async fn start(seed: &Seed) -> std::io::Result<Self> {
        Self::start_at((Ipv4Addr::LOCALHOST, 0).into(), seed).await
    }

    /// Starts one at an address.
    ///
    /// # Errors
    ///
    /// The address is taken.
    pub async fn start_at(address: SocketAddr, seed: &Seed) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let stop = CancellationToken::new();
        let desk = Desk::new(World::new(seed), SonarKnobs::default(), Faults::default());
        let shared = Arc::new(Shared {
            desk: desk.into(),
            stop: stop.clone(),
        });
        let router = serve::router(Arc::clone(&shared));
        let stopped = stop.clone().cancelled_owned();
        // It ends with the token; what it fails with then is of no interest to anybody.
        tokio::spawn(async move { axum::serve(listener, router).with_graceful_shutdown(stopped).await });
        Ok(Self {
            address,
            shared,
            _stop: stop.drop_guard(),
        })
    }

    /// Where it is, without the path of its API.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The bodies of all requests so far.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        self.shared.desk().requests.clone()
    }

    /// Turns knobs.
    pub fn turn(&self, knobs: impl FnOnce(&mut SonarKnobs)) {
        knobs(&mut self.shared.desk().knobs);
    }

    /// The next request goes wrong.
    pub fn fault(&self, fault: SonarFault) {
        self.fault_after(0, 1, fault);
    }

    /// After so many requests, so many go wrong.
    pub fn fault_after(&self, skip: usize, times: usize, fault: SonarFault) {
        self.shared.desk().faults.add(fault, skip, times);
    }

    /// Nothing goes wrong any more.
    pub fn heal(&self) {
        self.shared.desk().faults.clear();
    }

    /// All that it holds now, to be put back later.
    #[must_use]
    pub fn backup(&self) -> Backup {
        Backup(self.shared.desk().world.clone())
    }

    /// Holds what it held once, as after a restored backup; nobody is told.
    pub fn put_back(&self, backup: &Backup) {
        self.shared.desk().world = backup.0.clone();
    }

    /// Has its clock stand still at a moment: that of what is written from now on, and of its answers.
    pub fn set_clock(&self, now: Timestamp) {
        self.world(|world| world.clock = Some(now));
    }

    /// A customer moves in, with an address and what was bought.
    pub fn add(&self, customer: &SeedCustomer) {
        self.world(|world| world.add(customer, &world.today()));
    }

    /// Somebody who may become a customer: an account that has never been active.
    pub fn add_lead(&self, customer: &SeedCustomer) {
        self.world(|world| {
            world.add(customer, &world.today());
            let values = [("account_status_id", json!(3)), ("activation_date", Value::Null)];
            world.set("Account", customer.id, &values);
        });
    }

    /// An account that belongs to another, with an address of its own only where it has a street.
    pub fn add_child(&self, parent: u64, customer: &SeedCustomer) {
        self.world(|world| {
            let mut plain = customer.clone();
            let services = std::mem::take(&mut plain.services);
            world.add(&plain, &world.today());
            if customer.street.is_empty() {
                for address in world.homes(customer.id) {
                    world.tables.remove("Address", address);
                }
            }
            world.set("Account", customer.id, &[("parent_account_id", json!(parent))]);
            let home = world
                .homes(customer.id)
                .first()
                .or(world.homes(parent).first())
                .copied();
            for service in &services {
                world.add_service(customer.id, service);
                if let (Some(home), Some(mac)) = (home, &service.mac) {
                    world.add_item(home, Some(service.id), mac);
                }
            }
        });
    }

    /// An account rests: a status that does not activate.
    pub fn suspend(&self, account: u64) {
        self.world(|world| world.put_status(account, 5));
    }

    /// An account works, or works again.
    pub fn activate(&self, account: u64) {
        self.world(|world| world.put_status(account, 1));
    }

    /// An account gets a status by its id, which need not be one that there is.
    pub fn put_status(&self, account: u64, status: u64) {
        self.world(|world| world.put_status(account, status));
    }

    /// An account owes, or has paid.
    pub fn set_delinquent(&self, account: u64, is_delinquent: bool) {
        self.world(|world| {
            world.set("Account", account, &[("is_delinquent", json!(is_delinquent))]);
            world.tell("account.updated", account, account);
        });
    }

    /// An account leaves its addresses. What was there stays there.
    pub fn disconnect(&self, account: u64) {
        self.world(|world| world.disconnect(account));
    }

    /// The addresses at which an account can be served.
    #[must_use]
    pub fn addresses(&self, account: u64) -> Vec<u64> {
        self.shared.desk().world.homes(account)
    }

    /// An account moves into an address, and has what is there.
    pub fn move_in(&self, account: u64, address: u64) {
        self.world(|world| world.move_in(account, address));
    }

    /// An account is not seen any more, unless somebody asks for archived ones.
    pub fn archive(&self, account: u64) {
        self.world(|world| {
            let now = world.now();
            world.set("Account", account, &[("archived_at", json!(now))]);
            world.tell("account.updated", account, account);
        });
    }

    /// An account goes, with all that is its own, as if it had never been. Sonar does not do that to anybody.
    pub fn lose(&self, account: u64) {
        self.world(|world| world.lose(Some(account)));
    }

    /// An account gets a service.
    pub fn add_service(&self, account: u64, service: &SeedService) {
        self.world(|world| {
            world.add_service(account, service);
            let home = world.homes(account).first().copied();
            if let (Some(home), Some(mac)) = (home, &service.mac) {
                world.add_item(home, Some(service.id), mac);
            }
        });
    }

    /// A service of an account goes.
    pub fn remove_service(&self, service: u64) {
        self.world(|world| world.remove_service(service));
    }

    /// A service of an account is exchanged for what another offer gives: the old row goes, and there is one with the id that is given back.
    pub fn replace_service(&self, service: u64, offer: u64) -> u64 {
        let mut desk = self.shared.desk();
        let world = &mut desk.world;
        let account = world
            .tables
            .value("AccountService", service, "account_id")
            .and_then(Value::as_u64);
        let id = world.tables.next("AccountService");
        world.remove_service(service);
        if let Some(account) = account {
            world.add_service(account, &SeedService { id, offer, mac: None });
        }
        id
    }

    /// Something is sold, or is sold otherwise: its rates in kbit/s; a telephone where there are none.
    pub fn put_offer(&self, id: u64, name: &str, kbps: Option<(u64, u64)>) {
        self.world(|world| world.put_service(id, name, kbps));
    }

    /// A piece of equipment is put at an address, and linked to a service of an account or not. Gives its id.
    pub fn add_item(&self, address: u64, account_service: Option<u64>, mac: &str) -> u64 {
        self.shared.desk().world.add_item(address, account_service, mac)
    }

    /// A row of any type with the next free id, for what the other verbs do not do. Gives the id.
    pub fn make(&self, kind: &str, values: &[(&str, Value)]) -> u64 {
        self.shared.desk().world.make(kind, values)
    }

    /// Changes a row of any type.
    pub fn set(&self, kind: &str, id: u64, values: &[(&str, Value)]) {
        self.world(|world| world.set(kind, id, values));
    }

    /// A value in a field that the operator added: of an `Account` or an `Address`.
    pub fn write_field(&self, kind: &str, id: u64, name: &str, value: &str) {
        self.world(|world| world.write_field(kind, id, name, value));
    }

    /// A value of a row; `None` where there is no such row.
    #[must_use]
    pub fn value(&self, kind: &str, id: u64, column: &str) -> Option<Value> {
        self.shared.desk().world.tables.value(kind, id, column).cloned()
    }

    /// The notes of an account, oldest first.
    #[must_use]
    pub fn notes(&self, account: u64) -> Vec<String> {
        let desk = self.shared.desk();
        let tables = &desk.world.tables;
        let notes = tables.ids("Note", "noteable_id", account).into_iter();
        notes
            .filter_map(|note| Some(tables.value("Note", note, "message")?.as_str()?.to_owned()))
            .collect()
    }

    /// Tells an address all that has happened and was not told yet: `HEAD`, then `POST`, each event once. What was not answered with 200
    /// is told again the next time. Gives the status of each event.
    ///
    /// # Errors
    ///
    /// [`CallError`]: nobody answers.
    pub async fn tell(&self, url: &str) -> Result<Vec<u16>, CallError> {
        let caller = Caller::new(None)?;
        let events = std::mem::take(&mut self.shared.desk().world.outbox);
        let mut said = Vec::new();
        for event in events {
            let (status, again) = event.send(&caller, url).await;
            self.shared.desk().world.outbox.extend(again);
            said.push(status);
        }
        said.into_iter().collect()
    }

    /// Something is to be told that did not happen, or happened already: any event about any object.
    pub fn announce(&self, event: &str, object: u64, current: &Value) {
        let body = json!({ "event": event, "object_id": object, "current": current });
        self.world(|world| world.outbox.push(Event::new(body.to_string())));
    }

    /// Somebody who is not Sonar calls a webhook with a body of his own, from an address of this machine. Gives the status.
    ///
    /// # Errors
    ///
    /// [`CallError`]: nobody answers.
    pub async fn forge(url: &str, body: &str, from: IpAddr) -> Result<u16, CallError> {
        Caller::new(Some(from))?.post(url, &JSON, body.into()).await
    }

    fn world(&self, act: impl FnOnce(&mut World)) {
        act(&mut self.shared.desk().world);
    }
}
