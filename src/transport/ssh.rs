//! SSH to a device: a shell on a pseudo-terminal, with deadlines and a checked host key.
//!
//! Moves bytes and knows nothing of what they mean. Entry point: [`Connection::open`].

mod algorithms;
mod client;
mod error;
mod hello;
mod host_key;
mod leash;
mod login;

pub use client::{Connect, Connection, Incoming};
pub use error::SshError;
pub use hello::{Hello, Offer, hello};
pub use host_key::{HostKey, HostKeyCheck, HostKeyPolicy, InvalidHostKey, InvalidHostKeyPolicy};
