//! Deciding what to do: match, diff, order, describe. Pure.

pub mod diff;
