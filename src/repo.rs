//! Reading files and Git: the inventory's texts and the commit that they come from.

mod commit;
mod create;
mod files;
mod git;
mod revision;
mod write;

pub use commit::{CommitError, Committer};
pub use create::{CreateError, create_files};
pub use files::{RepoError, included_below, read_inventory};
pub use git::{commit_of, trailers_of};
pub use revision::{Revision, RevisionError, read_inventory_at};
pub use write::{Rewrite, WriteError, rewrite};
