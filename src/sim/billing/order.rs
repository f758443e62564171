//! What a person does at the desk of a simulated billing system, and what came of it.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::desk::Desk;
use super::{Overview, SeedCustomer, SeedService};

/// The ids that the first customer and his service get where there is none yet.
const FIRST_ACCOUNT: u64 = 1001;
const FIRST_SERVICE: u64 = 5001;

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

impl Order {
    /// Does it; `null`, a text, or what came of it.
    pub(super) fn carry_out(&self, desk: Desk<'_>) -> Result<Value, String> {
        let there = There {
            desk,
            accounts: desk.overview(),
        };
        match self {
            Self::Accounts => return Ok(table(&there.accounts).into()),
            Self::Suspend { account } => desk.suspend(there.account(*account)?),
            Self::Restore { account } => desk.restore(there.account(*account)?),
            Self::Leave { account } => desk.leave(there.account(*account)?),
            Self::Add(new) => return there.add(new),
            Self::ChangePlan { service, offer } => {
                let new = desk.change_plan(there.service(*service)?, there.offer(*offer)?);
                return Ok(json!({ "service": new }));
            }
            Self::EndService { service } => desk.end_service(there.service(*service)?),
            Self::Fault(trouble) => desk.fault(trouble)?,
            Self::ClearFaults => desk.mend(),
        }
        Ok(Value::Null)
    }
}

/// What there is, so that nothing is done to what is not.
struct There<'s> {
    desk: Desk<'s>,
    accounts: Vec<Overview>,
}

impl There<'_> {
    fn account(&self, id: u64) -> Result<u64, String> {
        match self.accounts.iter().any(|account| account.account == id) {
            true => Ok(id),
            false => Err(format!(
                "{} has no account {id}; `accounts` lists them",
                self.desk.kind()
            )),
        }
    }

    fn services(&self) -> impl Iterator<Item = u64> {
        let services = self.accounts.iter().flat_map(|account| &account.services);
        services.map(|service| service.id)
    }

    fn service(&self, id: u64) -> Result<u64, String> {
        match self.services().any(|service| service == id) {
            true => Ok(id),
            false => Err(format!(
                "{} has no service {id}; `accounts` lists them",
                self.desk.kind()
            )),
        }
    }

    fn offer(&self, id: u64) -> Result<u64, String> {
        let offers = self.desk.offers();
        if offers.iter().any(|(offer, _)| *offer == id) {
            return Ok(id);
        }
        let sold: Vec<String> = offers.iter().map(|(offer, name)| format!("{offer} ({name})")).collect();
        let kind = self.desk.kind();
        Err(format!("{kind} does not sell {id}; it sells {}", sold.join(", ")))
    }

    fn add(&self, new: &NewCustomer) -> Result<Value, String> {
        let offer = self.offer(new.offer)?;
        let last = self.accounts.iter().map(|account| account.account).max();
        let id = new.account.unwrap_or(last.unwrap_or(FIRST_ACCOUNT - 1) + 1);
        if self.account(id).is_ok() {
            return Err(format!("{} has an account {id} already", self.desk.kind()));
        }
        let service = self.services().max().unwrap_or(FIRST_SERVICE - 1) + 1;
        self.desk.add(&SeedCustomer {
            id,
            name: new.name.clone(),
            street: new.street.clone(),
            city: new.city.clone(),
            zip: new.zip.clone(),
            fields: Vec::new(),
            services: vec![SeedService {
                id: service,
                offer,
                mac: new.equipment.clone(),
            }],
        });
        Ok(json!({ "account": id, "service": service }))
    }
}

/// Accounts, one a line and service.
fn table(accounts: &[Overview]) -> String {
    let header = ["ACCOUNT", "NAME", "STATUS", "SERVICE", "EQUIPMENT"].map(str::to_owned);
    let mut rows = vec![header];
    for account in accounts {
        let services: Vec<String> = account.services.iter().map(ToString::to_string).collect();
        rows.push([
            account.account.to_string(),
            account.name.clone(),
            account.status.clone(),
            services.join(", "),
            account.equipment.join(", "),
        ]);
    }
    let width = |column: usize| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or_default()
    };
    let [id, name, status, service] = [width(0), width(1), width(2), width(3)];
    let line = |row: &[String; 5]| {
        let line = format!(
            "{:id$}  {:name$}  {:status$}  {:service$}  {}",
            row[0], row[1], row[2], row[3], row[4]
        );
        format!("{}\n", line.trim_end())
    };
    rows.iter().map(line).collect()
}
