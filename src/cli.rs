//! Words, exit codes and pages.

pub mod schema;
pub mod validate;
