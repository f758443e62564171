//! Where billing systems knock: what they say is put on record, and only then answered. What they say is no more than where to look.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use tokio::sync::{Notify, watch};

use crate::biller::{Heard, HookCall, Kept};
use crate::diagnostic::chain;
use crate::domain::{BillingKind, Secret};
use crate::store::Store;
use crate::transport::credentials::Keyring;

use super::super::settings::Settings;
use super::super::status::Status;
use super::super::webhook::is_same;
use super::connection;
use super::told::Knocked;
use super::worker::EVERYTHING;

/// Somebody at the door.
#[derive(Debug, Clone, Copy)]
pub(in crate::daemon) struct Knock<'a> {
    /// Who it says to be.
    pub(in crate::daemon) kind: BillingKind,
    /// From where.
    pub(in crate::daemon) from: IpAddr,
    /// What stands behind the name of the system in the path; empty for nothing.
    pub(in crate::daemon) path: &'a str,
    /// Its headers, names in lower case.
    pub(in crate::daemon) headers: &'a [(String, String)],
    /// Its body; `None` where it only looks whether somebody is there.
    pub(in crate::daemon) body: Option<&'a [u8]>,
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::daemon) enum Answer {
    /// It is on record.
    Recorded,
    /// Nothing is to be: somebody only tries whether we are there.
    Ok,
    /// Nobody is here by that name.
    Nobody,
    /// It is not who it says to be.
    NotYou(String),
    /// It cannot be put on record now: again later.
    Later(String),
}

/// The doors of all systems.
#[derive(Debug, Clone)]
pub(in crate::daemon) struct Doors {
    /// Where it is told how often somebody knocks.
    status: watch::Sender<Status>,
    behind: Arc<Mutex<BTreeMap<BillingKind, Door>>>,
    /// What the last knock was heard with: each of a burst is not to open its system anew.
    ear: Arc<Kept>,
}

/// Where what was said at a door is put.
#[derive(Debug, Clone)]
struct Door {
    store: Store,
    inventory: String,
    bell: Arc<Notify>,
}

impl Doors {
    /// Doors behind which nobody is yet.
    pub(in crate::daemon) fn new(status: watch::Sender<Status>) -> Self {
        Self {
            status,
            behind: Arc::default(),
            ear: Arc::default(),
        }
    }

    /// Opens a door: from now on there is somewhere to put things on record.
    pub(super) fn open(&self, kind: BillingKind, store: Store, inventory: String, bell: Arc<Notify>) {
        let door = Door { store, inventory, bell };
        let mut doors = self.behind.lock().unwrap_or_else(PoisonError::into_inner);
        doors.insert(kind, door);
    }

    /// Answers a knock.
    pub(in crate::daemon) async fn answer(&self, settings: &Settings, knock: Knock<'_>) -> Answer {
        let answer = self.hear(settings, knock).await;
        let came = match &answer {
            Answer::Recorded => Knocked::Recorded,
            Answer::Ok => Knocked::Ping,
            Answer::Nobody | Answer::NotYou(_) => Knocked::Refused,
            Answer::Later(_) => Knocked::NotNow,
        };
        self.status.send_if_modified(|status| {
            let billed = status.billing.get_mut(&knock.kind);
            billed
                .map(|billed| *billed.knocks.entry(came).or_default() += 1)
                .is_some()
        });
        answer
    }

    async fn hear(&self, settings: &Settings, knock: Knock<'_>) -> Answer {
        let system = settings.billing.as_ref().and_then(|billing| billing.system(knock.kind));
        let Some(hook) = system.and_then(|system| system.webhook.as_ref()) else {
            return Answer::Nobody;
        };
        if !hook.from.is_empty() && !hook.from.iter().any(|range| range.contains(knock.from)) {
            return Answer::NotYou(format!(
                "{} may not knock here: `webhook.from` does not have it",
                knock.from
            ));
        }
        let keyring = Keyring::from_environment().map_err(|error| chain(&error));
        let connection = keyring.and_then(|keyring| connection(settings, knock.kind, &keyring));
        let connection = match connection {
            Ok(connection) => connection,
            Err(reason) => return Answer::Later(reason),
        };
        let Some(secret) = &connection.hook_secret else {
            return Answer::Later(format!("credentials `{}` have no password", hook.credentials));
        };
        if !knows_the_path(knock.kind, knock.path, secret) {
            return Answer::Nobody;
        }
        let Some(body) = knock.body else {
            return Answer::Ok;
        };
        let system = match self.ear.of(knock.kind, connection) {
            Ok(system) => system,
            Err(error) => return Answer::Later(chain(&error)),
        };
        let call = HookCall {
            headers: knock.headers,
            body,
        };
        match system.hear(&call) {
            Err(not_heard) => Answer::NotYou(not_heard.to_string()),
            Ok(Heard::Ping) => Answer::Ok,
            Ok(Heard::Everything) => self.record(knock.kind, [EVERYTHING.to_owned()]).await,
            Ok(Heard::Accounts(accounts)) => self.record(knock.kind, accounts).await,
        }
    }

    /// Puts on record what is to be looked at.
    async fn record(&self, kind: BillingKind, scopes: impl IntoIterator<Item = String>) -> Answer {
        let door = {
            let doors = self.behind.lock().unwrap_or_else(PoisonError::into_inner);
            doors.get(&kind).cloned()
        };
        let Some(door) = door else {
            return Answer::Later("no inventory is in force yet".to_owned());
        };
        for scope in scopes {
            let put = door
                .store
                .put_billing_event(&door.inventory, kind.key(), &scope, Timestamp::now())
                .await;
            if let Err(error) = put {
                return Answer::Later(chain(&error));
            }
        }
        self.count(kind, &door).await;
        door.bell.notify_one();
        Answer::Recorded
    }

    /// Tells how much waits: whoever is to look at it may be waiting for better times.
    async fn count(&self, kind: BillingKind, door: &Door) {
        let Ok(events) = door.store.billing_events(&door.inventory, kind.key()).await else {
            return;
        };
        self.status.send_if_modified(|status| {
            let billed = status.billing.get_mut(&kind);
            billed.map(|billed| billed.waiting = events.len()).is_some()
        });
    }
}

/// Whether the path has the secret in it, where the system signs nothing.
fn knows_the_path(kind: BillingKind, path: &str, secret: &Secret) -> bool {
    match kind {
        BillingKind::Splynx => path.is_empty(),
        BillingKind::Sonar => is_same(path, secret),
    }
}
