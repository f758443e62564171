//! What a person does at the desk of a simulated billing system, and what came of it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Something to be done in a simulated billing system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Order {
    /// A table of all accounts.
    Accounts,
    /// The account does not pay. Splynx: the customer is blocked. Sonar: the account gets the status `Suspended`.
    Suspend {
        /// The account's id.
        account: u64,
    },
    /// The account works again.
    Restore {
        /// The account's id.
        account: u64,
    },
    /// The account leaves for good. Splynx: the customer is inactive. Sonar: the account is disconnected.
    Leave {
        /// The account's id.
        account: u64,
    },
    /// A new customer, with a service.
    Add(NewCustomer),
    /// Another plan: another service takes the place of this one.
    ChangePlan {
        /// The service's id.
        service: u64,
        /// What is bought from now on: the id of an offer.
        offer: u64,
    },
    /// A service ends. Splynx: it is disabled. Sonar: it is removed, and leaves nothing behind.
    EndService {
        /// The service's id.
        service: u64,
    },
    /// Something goes wrong from now on.
    Fault(Trouble),
    /// Nothing goes wrong any more.
    ClearFaults,
}

/// A customer who moves in, with one service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewCustomer {
    /// The account's id; the next free one when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<u64>,
    /// The customer's name.
    pub name: String,
    /// Street and number.
    #[serde(default)]
    pub street: String,
    /// Town.
    #[serde(default)]
    pub city: String,
    /// Postal code.
    #[serde(default)]
    pub zip: String,
    /// What is bought: the id of an offer.
    pub offer: u64,
    /// The MAC of the equipment that was handed out, as a person may write it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equipment: Option<String>,
}

/// Something that goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trouble {
    /// `empty-book`: the key is shown no account any more. Else a fault of the system: its name, or `{name: number}`.
    pub fault: Value,
    /// Splynx: only where this list is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<String>,
    /// How many requests are answered well before.
    #[serde(default)]
    pub after: u32,
    /// How many requests it hits; 0 for all.
    #[serde(default)]
    pub times: u32,
}
