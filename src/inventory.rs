//! The inventory: YAML in, a validated [`model::Inventory`] out, and from it each device's wish.
//!
//! Pure: works on texts handed in. All findings of a run are collected, none hides another.

pub mod desired;
pub mod model;
