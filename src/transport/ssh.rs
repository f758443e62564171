//! SSH, with deadlines and a checked host key: to a device, a shell on a pseudo-terminal; to a server of Git, one command.
//!
//! Moves bytes and knows nothing of what they mean. Entry points: [`Connection::open`], [`Exec::start`].

mod algorithms;
mod client;
mod error;
mod exec;
mod hello;
mod host_key;
mod key;
mod leash;
mod login;

pub use client::{Connect, Connection, Incoming};
pub use error::SshError;
pub use exec::{Exec, Output};
pub use hello::{Hello, Offer, hello};
pub use host_key::{HostKey, HostKeyCheck, HostKeyPolicy, InvalidHostKey, InvalidHostKeyPolicy, known_host};
pub use key::{InvalidPrivateKey, Login, PrivateKey};
