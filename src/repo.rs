//! Reading files and Git: the inventory's texts and the commit that they come from.

mod git;

pub use git::commit_of;
