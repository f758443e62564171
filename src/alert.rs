//! What people are told, and when: of a change for the worse once, and once that it is over.
//!
//! Pure: how things stand now ([`Picture`]) and what was told before ([`Memory`]) come in, [`Event`]s go out. Nothing here knows
//! where a message goes; moments come in as arguments. Start with [`memory`].

pub mod filter;
pub mod json;
pub mod memory;
pub mod model;
pub mod text;

pub use filter::When;
pub use memory::{Fact, Memory, Patience, Picture};
pub use model::{About, Event, Kind, Message, Severity, Turn};
