//! Reading files and Git: the inventory's texts and the commit that they come from.

mod files;

pub use files::{RepoError, read_inventory};
