//! A simulated billing system of either kind, as the people of an ISP use it.

use gamops::domain::BillingKind;
use gamops::sim::billing::{Seed, SeedCustomer};
use gamops::sim::sonar::{self, Sonar, SonarFault, SonarKnobs, TOKEN};
use gamops::sim::splynx::{self, Fault, KEY, SECRET, Splynx, Switches, Table, When};
use jiff::Timestamp;
use serde_json::{Value, json};

/// All that a system held at one time.
pub(super) enum Backup {
    Splynx(splynx::Backup),
    Sonar(sonar::Backup),
}

pub(super) enum System {
    Splynx(Splynx),
    Sonar(Sonar),
}

impl System {
    pub(super) async fn start(kind: BillingKind, seed: &Seed) -> Self {
        match kind {
            BillingKind::Splynx => Self::Splynx(Splynx::start(seed).await.unwrap()),
            BillingKind::Sonar => Self::Sonar(Sonar::start(seed).await.unwrap()),
        }
    }

    pub(super) fn url(&self) -> String {
        match self {
            Self::Splynx(splynx) => splynx.url(),
            Self::Sonar(sonar) => sonar.url(),
        }
    }

    /// User and password of whoever asks it.
    pub(super) const fn login(&self) -> (&'static str, &'static str) {
        match self {
            Self::Splynx(_) => (KEY, SECRET),
            Self::Sonar(_) => ("", TOKEN),
        }
    }

    /// What it was asked so far.
    pub(super) fn requests(&self) -> Vec<String> {
        match self {
            Self::Splynx(splynx) => splynx.requests(),
            Self::Sonar(sonar) => sonar.requests(),
        }
    }

    /// A customer does not pay.
    pub(super) fn suspend(&self, account: u64) {
        match self {
            Self::Splynx(splynx) => splynx.customer(account).block(),
            Self::Sonar(sonar) => sonar.suspend(account),
        }
    }

    /// A customer has paid.
    pub(super) fn activate(&self, account: u64) {
        match self {
            Self::Splynx(splynx) => splynx.customer(account).pay(),
            Self::Sonar(sonar) => sonar.activate(account),
        }
    }

    /// A customer whose service was over has it again.
    pub(super) fn revive(&self, account: u64, service: u64) {
        match self {
            Self::Splynx(splynx) => splynx.service(service).start(),
            Self::Sonar(sonar) => sonar.set("Account", account, &[("archived_at", Value::Null)]),
        }
        self.activate(account);
    }

    pub(super) fn add(&self, customer: &SeedCustomer) {
        match self {
            Self::Splynx(splynx) => splynx.add(customer),
            Self::Sonar(sonar) => sonar.add(customer),
        }
    }

    /// All that it holds.
    pub(super) fn backup(&self) -> Backup {
        match self {
            Self::Splynx(splynx) => Backup::Splynx(splynx.backup()),
            Self::Sonar(sonar) => Backup::Sonar(sonar.backup()),
        }
    }

    /// It is well again, and holds what it held before anything broke.
    pub(super) fn heal(&self, good: &Backup) {
        self.mend();
        match (self, good) {
            (Self::Splynx(splynx), Backup::Splynx(good)) => {
                splynx.switch(Switches::default());
                splynx.show_partner(None);
                splynx.set_clock(Timestamp::now());
                splynx.put_back(good);
            }
            (Self::Sonar(sonar), Backup::Sonar(good)) => {
                sonar.turn(|knobs| *knobs = SonarKnobs::default());
                sonar.put_back(good);
            }
            _ => unreachable!("a system is of one kind"),
        }
    }

    /// What a customer has is over.
    pub(super) fn end(&self, account: u64) {
        match self {
            Self::Splynx(splynx) => {
                for service in services_of(splynx, account, "active") {
                    splynx.set(Table::Services, service, &json!({ "status": "disabled" }));
                }
            }
            Self::Sonar(sonar) => sonar.archive(account),
        }
    }

    /// A service is exchanged for one of another offer, whose id this is.
    pub(super) fn change_plan(&self, service: u64, offer: u64) -> u64 {
        match self {
            Self::Splynx(splynx) => splynx.service(service).change_plan(offer).unwrap(),
            Self::Sonar(sonar) => sonar.replace_service(service, offer),
        }
    }

    /// A customer is in a state that no version of it that is known has.
    pub(super) fn bewilder(&self, account: u64) {
        match self {
            Self::Splynx(splynx) => splynx.customer(account).status("frozen"),
            Self::Sonar(sonar) => sonar.put_status(account, 77),
        }
    }

    /// Customers are not there any more, as if they had never been; the first ones.
    pub(super) fn forget(&self, customers: u64) {
        match self {
            Self::Splynx(splynx) => {
                for number in 1..=customers {
                    splynx.remove(Table::Customers, 1000 + number);
                    splynx.remove(Table::Services, 5000 + number);
                }
            }
            Self::Sonar(sonar) => (1..=customers).for_each(|number| sonar.lose(1000 + number)),
        }
    }

    /// From a request on, nobody gets an answer to anything.
    pub(super) fn is_down(&self) {
        match self {
            Self::Splynx(splynx) => splynx.fault(Fault::Status(503), When::default()),
            Self::Sonar(sonar) => sonar.fault_after(0, usize::MAX, SonarFault::Html(503)),
        }
    }

    /// From now on answers do not come to their end.
    pub(super) fn hangs(&self) {
        match self {
            Self::Splynx(splynx) => splynx.fault(Fault::Drip, When::default()),
            Self::Sonar(sonar) => sonar.fault_after(0, usize::MAX, SonarFault::Silent),
        }
    }

    /// After so many requests, the first customer pays.
    pub(super) fn first_pays_after(&self, requests: usize) {
        match self {
            Self::Splynx(splynx) => {
                let when = When {
                    table: None,
                    after: u32::try_from(requests).unwrap(),
                    times: 1,
                };
                splynx.fault(Fault::Pays, when);
            }
            Self::Sonar(sonar) => sonar.fault_after(requests, 1, SonarFault::Revived),
        }
    }

    /// Nothing goes wrong any more.
    pub(super) fn mend(&self) {
        match self {
            Self::Splynx(splynx) => splynx.mend(),
            Self::Sonar(sonar) => sonar.heal(),
        }
    }

    /// It takes this for the time.
    pub(super) fn set_clock(&self, now: Timestamp) {
        match self {
            Self::Splynx(splynx) => splynx.set_clock(now),
            Self::Sonar(sonar) => sonar.set_clock(now),
        }
    }
}

/// The services of a customer of Splynx that have a status.
fn services_of(splynx: &Splynx, customer: u64, status: &str) -> Vec<u64> {
    let rows = splynx.rows(Table::Services).into_iter();
    rows.filter(|row| row["customer_id"] == customer && row["status"] == status)
        .filter_map(|row| row["id"].as_u64())
        .collect()
}
