//! Billing: what a system says of accounts and their services, in one form for all systems, and what that asks of the inventory.
//!
//! Nothing here asks anybody, and nothing here writes: `biller` brings a [`Book`], `clerk` carries out what was decided.

pub mod account;
pub mod decision;

pub use account::{Account, Book, Clue, Offer, Scope, Service, Standing};
pub use decision::{Decided, Intent, Kind, Open, Way, Why};
