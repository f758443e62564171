//! Files and Git: the inventory's texts and the commit that they come from; and a new one's first.

mod commit;
mod create;
mod files;
mod git;
mod merge;
mod reference;
pub mod remote;
mod revision;
mod shown;
pub mod signature;
mod write;

pub use commit::{CommitError, Committer};
pub use create::{By, CreateError, first_commit, is_in_repository, knows_committer, write_new};
pub use files::{RepoError, included_below, read_inventory};
pub use git::{WorkTree, commit_of, shortened, trailers_of, trailers_of_text, work_tree};
pub use merge::{Merged, commit_id, read_fork, read_merged, trailers_at};
pub use reference::{Files, files_of};
pub use revision::{Revision, RevisionError, below_top, read_inventory_at};
pub use shown::{Shown, shown};
pub use write::{Rewrite, WriteError, rewrite};
