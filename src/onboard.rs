//! From what devices hold to the inventory that a careful operator would have written for them. Pure.
//!
//! Entry point: [`import`]. Knows no files, no sessions and no CLI words: readings come in as values, texts go out. It
//! believes nothing of its own: what it writes is loaded, compiled and planned against the very readings that it was made
//! from, and an object that would not come out as "no change" is taken out again, with the reason, and left unmanaged.

pub mod adopt;
mod devices;
mod draft;
mod entry;
mod files;
mod found;
mod keys;
mod naming;
mod outcome;
mod page;
mod plans;
mod proof;
mod rates;
mod root;
mod sections;

pub use draft::Field;
pub use entry::{Line, SubscriberEntry, spare_endpoint, subscriber};
pub use files::{Layout, NoPlace};
pub use found::{Existing, Found};
pub use outcome::{Imported, Left, NewFile, TakenIn};
pub use proof::{NotImported, compare, import};

#[cfg(test)]
mod tests;
