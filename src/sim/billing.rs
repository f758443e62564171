//! What simulated billing systems start with: customers, what they bought, and the equipment that they have.
//!
//! The same [`Seed`] starts either system; each makes of it what it has for such a thing. [`Systems`] are those that run beside a fleet,
//! and [`Order`] is what a person at their desks does.

mod desk;
mod knock;
mod order;
mod systems;

use std::collections::BTreeSet;
use std::fmt;

pub use knock::HOOK_SECRET;
pub use order::{NewCustomer, Order, Trouble};
pub use systems::Systems;

/// A [`Seed`], and who of it is not served at the moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Opening {
    /// Customers, all of them active.
    pub seed: Seed,
    /// Accounts that are suspended.
    pub suspended: BTreeSet<u64>,
    /// Accounts that have left.
    pub left: BTreeSet<u64>,
}

/// An account as a person sees it on the screen of a billing system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overview {
    /// Its id.
    pub account: u64,
    /// The customer's name.
    pub name: String,
    /// Its status, in the system's own word.
    pub status: String,
    /// Its internet services.
    pub services: Vec<OverviewService>,
    /// The MACs of its equipment, as they were written.
    pub equipment: Vec<String>,
}

/// A service of an [`Overview`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverviewService {
    /// Its id.
    pub id: u64,
    /// What was bought.
    pub offer: String,
    /// Its status, where the system has one for services.
    pub status: Option<String>,
}

impl fmt::Display for OverviewService {
    /// `5001 Fiber 500 (active)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.id, self.offer)?;
        self.status.iter().try_for_each(|status| write!(f, " ({status})"))
    }
}

/// What is sold, and to whom.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seed {
    /// What is sold.
    pub offers: Vec<SeedOffer>,
    /// To whom.
    pub customers: Vec<SeedCustomer>,
}

/// Something that is sold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeedOffer {
    /// Its id.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// Rate towards the customer in kbit/s.
    pub down_kbps: u64,
    /// Rate from the customer in kbit/s.
    pub up_kbps: u64,
}

/// A customer, active.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SeedCustomer {
    /// The account's id.
    pub id: u64,
    /// The customer's name.
    pub name: String,
    /// Street and number.
    pub street: String,
    /// Town.
    pub city: String,
    /// Postal code.
    pub zip: String,
    /// Fields that the operator added, by name.
    pub fields: Vec<(String, String)>,
    /// Internet services.
    pub services: Vec<SeedService>,
}

/// An internet service of a customer, active.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeedService {
    /// Its id.
    pub id: u64,
    /// What was bought: id of a [`SeedOffer`].
    pub offer: u64,
    /// The MAC of the equipment that the customer was given for it, as a person may write it; in the system's inventory.
    pub mac: Option<String>,
}

impl Seed {
    /// Many customers with a service and an endpoint each, all alike: accounts from 1001, services from 5001, three offers from 1.
    #[must_use]
    pub fn many(customers: u64) -> Self {
        let offer = |(id, rate): (u64, u64)| SeedOffer {
            id,
            name: format!("Fiber {rate}"),
            down_kbps: rate * 1000,
            up_kbps: rate * 500,
        };
        Self {
            offers: [(1, 100), (2, 300), (3, 500)].map(offer).into(),
            customers: (0..customers).map(SeedCustomer::number).collect(),
        }
    }
}

impl SeedCustomer {
    /// The customer of this number, from 0, of [`Seed::many`].
    #[must_use]
    pub fn number(number: u64) -> Self {
        Self {
            id: 1001 + number,
            name: format!("Customer {}", number + 1),
            street: format!("{} Harbour Street", number + 1),
            city: "Springfield".to_owned(),
            zip: "01101".to_owned(),
            fields: Vec::new(),
            services: vec![SeedService {
                id: 5001 + number,
                offer: 1 + number % 3,
                mac: Some(mac(number)),
            }],
        }
    }
}

/// A MAC of the block for documentation, which goes on beyond its 256 in the bytes before, locally administered.
fn mac(number: u64) -> String {
    let [.., a, b, c] = number.to_be_bytes();
    match (a, b) {
        (0, 0) => format!("00:00:5E:00:53:{c:02X}"),
        _ => format!("02:00:5E:{a:02X}:{b:02X}:{c:02X}"),
    }
}
