//! Deciding what to do: match, diff, order, describe. Pure.
//!
//! Entry point: [`plan_device`]. Knows no CLI words (the caller hands in how a change is written), no
//! transports, no YAML.

pub mod action;
mod build;
mod claims;
pub mod diff;
pub mod drift;
pub mod file;
pub mod guard;
mod hold;
pub mod impact;
pub mod json;
mod matching;
pub mod model;
mod moved;
pub mod moves;
mod option82;
pub mod pause;
pub mod power;
pub mod preview;
mod rebind;
pub mod record;
pub mod replace;
mod resolve;
pub mod reviewed;
pub mod rollback;
#[cfg(test)]
mod sample;
mod subscriber_model;
mod target;
mod text;
mod trial;
pub mod undo;
mod unsaved;
mod uplink;
mod verify;
mod waves;
pub mod window;

pub use build::{Inputs, Render, plan_device};
pub use claims::claims;
pub use moved::{Moved, moved};
pub use rebind::{Freed, NotRebound, Rebind, rebind};
pub use resolve::{Refusal, Resolution, resolve};
pub use target::{InvalidTarget, Target, named};
pub use text::{count, plan_text, some_of, summary_line, undo_text};
pub use trial::{NotApplied, Trials, judge};
pub use unsaved::{Readings, Write, difference};
pub use verify::{Residue, verify};
pub use waves::{Rollout, Wave, rollout};

#[cfg(test)]
pub(crate) use diff::tests::laws::any_capabilities;
#[cfg(test)]
pub(crate) use resolve::laws::a_case;
