//! A billing system with a person in front of it: what either of them calls the same thing.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Overview, SeedCustomer, Trouble};
use crate::domain::BillingKind;
use crate::sim::sonar::{Sonar, SonarFault};
use crate::sim::splynx::{self, Splynx, Table, When};

/// The fault that every system has: it is shown no account any more.
const EMPTY_BOOK: &str = "empty-book";

/// A partner that has no customer.
const NOBODY: u64 = 0;

/// A system, with a person in front of it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Desk<'s> {
    Splynx(&'s Splynx),
    Sonar(&'s Sonar),
}

impl Desk<'_> {
    pub(super) const fn kind(self) -> BillingKind {
        match self {
            Self::Splynx(_) => BillingKind::Splynx,
            Self::Sonar(_) => BillingKind::Sonar,
        }
    }

    pub(super) fn overview(self) -> Vec<Overview> {
        match self {
            Self::Splynx(splynx) => splynx.overview(),
            Self::Sonar(sonar) => sonar.overview(),
        }
    }

    /// What is sold, by id.
    pub(super) fn offers(self) -> Vec<(u64, String)> {
        match self {
            Self::Splynx(splynx) => splynx.offers(),
            Self::Sonar(sonar) => sonar.offers(),
        }
    }

    pub(super) fn suspend(self, account: u64) {
        match self {
            Self::Splynx(splynx) => splynx.customer(account).block(),
            Self::Sonar(sonar) => sonar.suspend(account),
        }
    }

    pub(super) fn restore(self, account: u64) {
        match self {
            Self::Splynx(splynx) => splynx.customer(account).pay(),
            Self::Sonar(sonar) => sonar.activate(account),
        }
    }

    pub(super) fn leave(self, account: u64) {
        match self {
            Self::Splynx(splynx) => splynx.customer(account).inactivate(),
            Self::Sonar(sonar) => sonar.disconnect(account),
        }
    }

    pub(super) fn add(self, customer: &SeedCustomer) {
        match self {
            Self::Splynx(splynx) => splynx.add(customer),
            Self::Sonar(sonar) => sonar.add(customer),
        }
    }

    /// The id of the new service.
    pub(super) fn change_plan(self, service: u64, offer: u64) -> Option<u64> {
        match self {
            Self::Splynx(splynx) => splynx.service(service).change_plan(offer),
            Self::Sonar(sonar) => Some(sonar.replace_service(service, offer)),
        }
    }

    pub(super) fn end_service(self, service: u64) {
        match self {
            Self::Splynx(splynx) => {
                splynx.set(Table::Services, service, &json!({ "status": "disabled" }));
            }
            Self::Sonar(sonar) => sonar.end_service(service),
        }
    }

    pub(super) fn fault(self, trouble: &Trouble) -> Result<(), String> {
        let Trouble {
            fault,
            list,
            after,
            times,
        } = trouble;
        let is_empty_book = *fault == EMPTY_BOOK;
        match self {
            Self::Splynx(splynx) if is_empty_book => splynx.show_partner(Some(NOBODY)),
            Self::Splynx(splynx) => {
                let table = list
                    .as_ref()
                    .map(|list| read::<Table>(&json!(list), "list"))
                    .transpose()?;
                let when = When {
                    table,
                    after: *after,
                    times: *times,
                };
                splynx.fault(read::<splynx::Fault>(fault, "fault")?, when);
            }
            Self::Sonar(_) if list.is_some() => {
                return Err("Sonar has one address for all lists: leave `list` out".to_owned());
            }
            Self::Sonar(sonar) => {
                let fault = match is_empty_book {
                    true => SonarFault::Collapse(1),
                    false => read::<SonarFault>(fault, "fault")?,
                };
                let count = |number: &u32| usize::try_from(*number).unwrap_or(usize::MAX);
                let times = if *times == 0 { usize::MAX } else { count(times) };
                sonar.fault_after(count(after), times, fault);
            }
        }
        Ok(())
    }

    pub(super) fn mend(self) {
        match self {
            Self::Splynx(splynx) => {
                splynx.mend();
                splynx.show_partner(None);
            }
            Self::Sonar(sonar) => sonar.heal(),
        }
    }
}

/// Reads the word for something; where there is no such word, those that there are are named.
fn read<T: DeserializeOwned>(value: &Value, what: &str) -> Result<T, String> {
    serde_json::from_value(value.clone()).map_err(|error| format!("{what}: {error}"))
}
