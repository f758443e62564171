//! gamops keeps a fleet of Positron GAM devices as a Git repository of YAML says they should be.
//!
//! Data flows one way: inventory text → desired state; device text → observed state; both → plan → apply
//! → verify → save. See ARCHITECTURE.md for the rooms and which may import which.

pub mod alert;
pub mod biller;
pub mod billing;
pub mod checkup;
pub mod clerk;
pub mod cli;
pub mod daemon;
pub mod device;
pub mod diagnostic;
pub mod dialect;
pub mod domain;
pub mod forge;
pub mod inventory;
pub mod observed;
pub mod onboard;
pub mod plan;
pub mod published;
pub mod reconcile;
pub mod repo;
pub mod sim;
pub mod store;
pub mod transport;
