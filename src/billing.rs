//! Billing: what a system says of accounts and their services, in one form for all systems, and what that asks of the inventory.
//!
//! Nothing here asks anybody, and nothing here writes: `biller` brings a [`Book`], [`decide()`] says what is to be written, `clerk`
//! carries it out and keeps what [`remember`] says.

pub mod account;
mod clue;
mod decide;
pub mod decision;
pub mod facts;
mod judge;
mod limit;
mod memory;
mod newcomer;
mod offer;
mod pool;
pub mod report;
mod tie;
mod trust;
mod words;

pub use crate::inventory::billing::{Kind, Way};
pub use account::{Account, Book, Clue, Offer, Scope, Service, Standing};
pub use decide::decide;
pub use decision::{Decided, Intent, Open, Why};
pub use facts::{Allowance, Allowed, Counted, Facts, InvalidAllowance, Remembered, SeenEndpoint, Stood, Told, Written};
pub use memory::remember;

#[cfg(test)]
mod tests;
