//! Words, exit codes and pages.

pub mod simulate;
pub mod simulate_control;
