//! Billing systems: Splynx and Sonar, as [`Book`]s.
//!
//! What is asked is built without I/O and what is answered is read without I/O, in a room for each system; `send` alone asks. What a
//! server did not answer is asked a few times more while it is read, so that one bad second does not cost a whole picture; all else is the
//! caller's to decide, by [`BillerError::retry`].

mod private;
mod send;
mod sonar;
mod splynx;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use serde::Deserialize;

use crate::billing::Book;
use crate::domain::{BillingKind, Secret};
use crate::transport::Retry;
use crate::transport::http::HttpError;

pub use sonar::Sonar;
pub use splynx::Splynx;

/// A billing system.
pub trait BillingSystem: Send + Sync {
    /// Which it is.
    fn kind(&self) -> BillingKind;

    /// Everything it knows of accounts, services and what is sold.
    fn sweep(&self) -> BoxFuture<'_, Result<Book, BillerError>>;

    /// The same for some accounts, each asked for by its id.
    fn look<'a>(&'a self, accounts: &'a BTreeSet<String>) -> BoxFuture<'a, Result<Book, BillerError>>;

    /// The highest number that a login was made with, where logins are numbered: what [`Connection::above`] has to be next time.
    fn last_number(&self) -> Option<u64> {
        None
    }

    /// Writes a note to an account, unless one with the same `mark` is there.
    fn note<'a>(&'a self, note: &'a Note) -> BoxFuture<'a, Result<(), BillerError>>;

    /// What a webhook's request asks to be looked at. Its content is never more than that.
    ///
    /// # Errors
    ///
    /// [`NotHeard`]: it does not come from the system.
    fn hear(&self, call: &HookCall<'_>) -> Result<Heard, NotHeard>;
}

/// What a system is reached with.
#[derive(Debug, Clone, PartialEq)]
pub struct Connection {
    /// Where it is: `https://isp.splynx.app`, without the path of its API.
    pub url: String,
    /// Splynx: the API key. Sonar: nothing.
    pub key: Option<String>,
    /// Splynx: the key's secret. Sonar: the personal access token.
    pub secret: Secret,
    /// What webhooks are signed with, where the system signs them.
    pub hook_secret: Option<Secret>,
    /// Certificates in PEM form that are trusted as well.
    pub authorities: Option<String>,
    /// Splynx: how it knows who asks.
    pub auth: Auth,
    /// Splynx: the number of each login is to be above this. See [`BillingSystem::last_number`].
    pub above: u64,
    /// What is asked for beside accounts, services and what is sold: each costs a request and wants a permission.
    pub extras: BTreeSet<Extra>,
    /// The zone of dates that say none.
    pub zone: jiff::tz::TimeZone,
    /// How long one answer may take.
    pub within: Duration,
}

/// A system as it was opened last: logins and connections last longer than one use of it.
#[derive(Default)]
pub struct Kept(Mutex<Option<(Connection, Arc<dyn BillingSystem>)>>);

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kept").finish_non_exhaustive()
    }
}

impl Kept {
    /// The system, where it was opened last with the same.
    #[must_use]
    pub fn like(&self, kind: BillingKind, connection: &Connection) -> Option<Arc<dyn BillingSystem>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (with, system) = kept.as_ref()?;
        (system.kind() == kind && with == connection).then(|| Arc::clone(system))
    }

    /// Opens it anew. `above`: as [`Connection::above`], which does not make it another system.
    ///
    /// # Errors
    ///
    /// [`BillerError::Settings`], [`BillerError::Http`].
    pub fn open(
        &self,
        kind: BillingKind,
        connection: Connection,
        above: u64,
    ) -> Result<Arc<dyn BillingSystem>, BillerError> {
        let with = Connection {
            above,
            ..connection.clone()
        };
        let system: Arc<dyn BillingSystem> = match kind {
            BillingKind::Splynx => Arc::new(Splynx::new(with)?),
            BillingKind::Sonar => Arc::new(Sonar::new(&with)?),
        };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((connection, Arc::clone(&system)));
        Ok(system)
    }

    /// The system, opened where it is not; for what needs no login.
    ///
    /// # Errors
    ///
    /// As [`Self::open`].
    pub fn of(&self, kind: BillingKind, connection: Connection) -> Result<Arc<dyn BillingSystem>, BillerError> {
        match self.like(kind, &connection) {
            Some(system) => Ok(system),
            None => self.open(kind, connection, 0),
        }
    }
}

/// How Splynx knows who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Auth {
    /// By a login with a signature, and a token that it gives for half an hour.
    #[default]
    Token,
    /// By a signature on each request.
    Signature,
    /// By key and secret as they are, which the key has to allow ("unsecure access").
    Basic,
}

/// What may be asked for beside accounts, services and what is sold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Extra {
    /// Equipment that customers have: clues `inventory.…`.
    Inventory,
    /// Sonar: MACs of equipment that is not in its inventory: clues `….uninventoried_mac`.
    UninventoriedMacs,
    /// Sonar: what was written beside services of accounts: clues `service.metadata.…`.
    Metadata,
    /// Sonar: fields that the operator added to accounts and addresses: facts `field.…`, clues `….field.…`. Splynx sends them with the rest.
    Fields,
    /// Sonar: logins for RADIUS: clue `radius.username`.
    Radius,
    /// Names of locations: fact `location`.
    Locations,
    /// Names of partners: fact `partner`.
    Partners,
    /// Names of network sites, by the hardware that a service is on: fact `network_site`.
    NetworkSites,
}

impl Extra {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Inventory,
        Self::UninventoriedMacs,
        Self::Metadata,
        Self::Fields,
        Self::Radius,
        Self::Locations,
        Self::Partners,
        Self::NetworkSites,
    ];

    /// What has to be asked for so that a clue or a fact of this name is known; `None` where nothing has to be.
    #[must_use]
    pub fn behind(name: &str) -> Option<Self> {
        match name {
            "location" => Some(Self::Locations),
            "partner" => Some(Self::Partners),
            "network_site" => Some(Self::NetworkSites),
            "service.uninventoried_mac" | "account.uninventoried_mac" => Some(Self::UninventoriedMacs),
            "radius.username" => Some(Self::Radius),
            _ if name.starts_with("inventory.") => Some(Self::Inventory),
            _ if name.starts_with("service.metadata.") => Some(Self::Metadata),
            _ if ["field.", "account.field.", "address.field."]
                .iter()
                .any(|field| name.starts_with(field)) =>
            {
                Some(Self::Fields)
            }
            _ => None,
        }
    }
}

/// What is wrong with the form of an answer, without the values in it, which may be a customer's.
fn wrong_form(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match (text.find('"'), text.rfind('"')) {
        (Some(first), Some(last)) if first < last => format!("{}\"…{}", &text[..first], &text[last..]),
        _ => text,
    }
}

/// A note for an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The account's id.
    pub account: String,
    /// The text, with `mark` in it.
    pub text: String,
    /// What makes it one of its kind: a commit's id.
    pub mark: String,
}

/// A request that a webhook made.
#[derive(Debug, Clone, Copy)]
pub struct HookCall<'a> {
    /// Its headers, names in lower case.
    pub headers: &'a [(String, String)],
    /// Its body, as it came.
    pub body: &'a [u8],
}

/// What a webhook asks to be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// Nothing: somebody tries whether we are there.
    Ping,
    /// These accounts.
    Accounts(BTreeSet<String>),
    /// Everything: it does not say what, or something that many accounts share.
    Everything,
}

/// A webhook's request does not come from the system, or is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotHeard(pub String);

/// A billing system was not understood, or did not do what was asked. Says where it was asked and what to do about it, and no secret. Nothing
/// of what it said before counts then.
#[derive(Debug, thiserror::Error)]
pub enum BillerError {
    /// It cannot be asked like that. Operator's fault.
    #[error("{0}")]
    Settings(String),
    /// It was not reached.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// It is slower than anybody can wait for.
    #[error("{url} did not answer within {} seconds", within.as_secs())]
    Slow {
        /// What was asked.
        url: String,
        /// How long was waited.
        within: Duration,
    },
    /// It says no.
    #[error("{url} answered with status {status}{said}{help}")]
    Refused {
        /// What was asked.
        url: String,
        /// The three digits.
        status: u16,
        /// Its own words, in brackets; empty where it says none.
        said: String,
        /// What to do about it.
        help: &'static str,
    },
    /// It is asked too often.
    #[error("{url} is asked too often: {said}")]
    Busy {
        /// What was asked.
        url: String,
        /// Its own words.
        said: String,
        /// After how long to ask again.
        after: Duration,
    },
    /// It says something that is no answer of its API: a web page, half a text, an error where a list should be.
    #[error("{url} {what}")]
    NotAnApi {
        /// What was asked.
        url: String,
        /// What it is instead, and what to do.
        what: String,
    },
    /// What was read page after page changed meanwhile: it is not one picture.
    #[error("{url} changed while it was read: {what}; it is read again later")]
    Moved {
        /// The list.
        url: String,
        /// What changed.
        what: String,
    },
}

impl BillerError {
    /// For how long the system asks to be left alone.
    #[must_use]
    pub const fn asked(&self) -> Duration {
        match self {
            Self::Busy { after, .. } => *after,
            _ => Duration::ZERO,
        }
    }

    /// Whether asking again may help.
    #[must_use]
    pub const fn retry(&self) -> Retry {
        match self {
            Self::Settings(_) => Retry::AfterChange,
            Self::Http(error) => error.retry(),
            Self::Slow { .. } | Self::Busy { .. } | Self::NotAnApi { .. } | Self::Moved { .. } => Retry::Soon,
            Self::Refused { status, .. } => match status {
                408 | 425 | 429 | 500..=599 => Retry::Soon,
                _ => Retry::AfterChange,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_form_is_told_without_values() {
        let error = |text: &str| wrong_form(&serde_json::from_str::<Vec<u64>>(text).unwrap_err());
        assert_eq!(
            error(r#"[1, "Ann \"O'Brien\", 1 Elm Street"]"#),
            "invalid type: string \"…\", expected u64 at line 1 column 35"
        );
        assert_eq!(
            error(r#"{"a":1}"#),
            "invalid type: map, expected a sequence at line 1 column 0"
        );
    }
}
