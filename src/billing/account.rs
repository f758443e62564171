//! Accounts and services as all billing systems have them.
//!
//! What a system says in its own words is in this form before anything is made of it. E-mail addresses, telephone numbers, passwords
//! and payments are not: they are dropped where an answer is read.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::{BillingKind, ServiceRef};

/// What a billing system said, as far as it was asked. All of it was read, or there is no book.
#[derive(Debug, Clone, PartialEq)]
pub struct Book {
    /// Whose it is.
    pub kind: BillingKind,
    /// Which accounts were asked for.
    pub scope: Scope,
    /// What is sold, by id; all of it, whichever accounts were asked for, also what is not sold any more.
    pub offers: BTreeMap<String, Offer>,
    /// Accounts by id, also those that have left, as far as the system still tells them.
    pub accounts: BTreeMap<String, Account>,
    /// What the system's own clock said when the last answer came (the `Date` of HTTP); `None` where it did not say.
    pub at: Option<Timestamp>,
}

/// Which accounts a book is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// All. One that is not there may still not be taken for one that has left.
    Everything,
    /// These, each asked for by its id. One that is not there does not exist for whoever asks.
    Accounts(BTreeSet<String>),
}

/// Something that is sold: a tariff, a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Its name.
    pub name: String,
    /// Rate towards the subscriber in kbit/s. `None` where it says none, or 0, or something that is no number.
    pub down_kbps: Option<u64>,
    /// Rate from the subscriber in kbit/s.
    pub up_kbps: Option<u64>,
}

/// An account: a customer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Account {
    /// The customer's name.
    pub name: String,
    /// What else is known of it that an inventory may go by, by names that `billing.KIND.sites` of the inventory uses: `location`,
    /// `partner`, `company`, `network_site`, `city`, `street`, `field.NAME`.
    pub facts: BTreeMap<String, String>,
    /// Its internet services by id, also those that have ended.
    pub services: BTreeMap<String, Service>,
}

/// An internet service of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Id of what was sold; `None` where it says none.
    pub offer: Option<String>,
    /// How it stands.
    pub standing: Standing,
    /// What it stands on, in the system's own words: `customer blocked, service active`.
    pub words: String,
    /// What may say which endpoint, device or port it is on, in the order in which the system has it.
    pub clues: Vec<Clue>,
    /// What else is known of it, as of an account. What is said here goes before what the account says.
    pub facts: BTreeMap<String, String>,
}

/// How a service stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It is to work.
    Active,
    /// It is to work though the customer owes; the inventory may say otherwise.
    Delinquent,
    /// It is to rest. Not removed.
    Suspended,
    /// It will begin, or change, later. Nothing is done about it now.
    NotYet,
    /// Nobody has ever had it: somebody who may become a customer.
    Lead,
    /// It is over.
    Ended,
    /// The system says something that is not understood, or two things that do not go together. Nothing is done about it.
    Unclear,
}

/// Something that may say which endpoint, device or port a service is on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Clue {
    /// Where it stands: `inventory.barcode`, `service.mac`, `service.field.gam_port`.
    pub source: String,
    /// What stands there, as it does.
    pub text: String,
}

impl Book {
    /// A service, with its account.
    #[must_use]
    pub fn service(&self, service: &ServiceRef) -> Option<(&Account, &Service)> {
        let account = self.accounts.get(&service.account)?;
        Some((account, account.services.get(&service.service)?))
    }

    /// All services, with their accounts, in the order of their ids.
    pub fn services(&self) -> impl Iterator<Item = (ServiceRef, &Account, &Service)> {
        self.accounts.iter().flat_map(|(id, account)| {
            account.services.iter().map(move |(service_id, service)| {
                let name = ServiceRef {
                    account: id.clone(),
                    service: service_id.clone(),
                };
                (name, account, service)
            })
        })
    }
}

impl Service {
    /// A fact of the service, else of its account.
    #[must_use]
    pub fn fact<'a>(&'a self, account: &'a Account, name: &str) -> Option<&'a str> {
        let fact = self.facts.get(name).or_else(|| account.facts.get(name));
        fact.map(String::as_str)
    }
}
