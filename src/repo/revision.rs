//! An inventory's texts as a commit holds them, read from Git's objects: nothing is checked out.

use std::path::{Path, PathBuf};

use git2::{Commit, ErrorCode, ObjectType, Oid, Repository, Tree};

use crate::diagnostic::SourceFile;
use crate::inventory::{Include, ROOT_FILE};

use super::RepoError;
use super::files::{ALL_AT_MOST, FILE_AT_MOST, root_folder, too_large};
use super::git::short;

/// The mode of a symbolic link in a Git tree.
const LINK: i32 = 0o120_000;

/// An inventory at a commit.
#[derive(Debug)]
pub struct Revision {
    /// The commit, short.
    pub commit: String,
    /// Its texts: the root file first, then the others by path. A path begins with the commit, as Git writes it:
    /// `3f0c2d81aa4e:sites/maple.yaml`.
    pub files: Vec<SourceFile>,
}

/// Why an inventory could not be read at a revision.
#[derive(Debug, thiserror::Error)]
pub enum RevisionError {
    /// There is no repository to ask. Operator's fault.
    #[error("{} is not in the work tree of a Git repository, so there is no earlier state to compare with", path.display())]
    NoRepository {
        /// The inventory as given.
        path: PathBuf,
    },
    /// The revision names no commit. Operator's fault.
    #[error("Git knows no commit `{revision}`{hint}")]
    Unknown {
        /// As given.
        revision: String,
        /// ` (did you mean ...?)`, or nothing.
        hint: String,
    },
    /// The folder was no inventory then. Operator's fault.
    #[error("there was no {ROOT_FILE} in {folder} at {commit}; it takes a commit that has one")]
    NoRoot {
        /// The folder, below the top of the repository.
        folder: String,
        /// The commit, short.
        commit: String,
    },
    /// An included file was a symbolic link, which leads nowhere without a checkout. Operator's fault.
    #[error("{file} is a symbolic link, which cannot be followed within a commit; put the file itself there")]
    Link {
        /// The file.
        file: String,
    },
    /// A file, or all of them together, is larger than an inventory can be. Operator's fault.
    #[error("{file} has {bytes} bytes: {}", too_large())]
    TooLarge {
        /// The file; the commit, where all of them together are.
        file: String,
        /// Its size.
        bytes: u64,
    },
    /// A file was not text. Operator's fault.
    #[error("{file} is not UTF-8: the byte at offset {offset} starts no character")]
    NotUtf8 {
        /// The file.
        file: String,
        /// Where the first byte is that does not fit.
        offset: usize,
    },
    /// Two commits have no history in common. Operator's fault.
    #[error("{base} and {head} have no commit in common{hint}")]
    NothingInCommon {
        /// One, short.
        base: String,
        /// The other, short.
        head: String,
        /// What to do about it, where that is known.
        hint: &'static str,
    },
    /// Two commits cannot be merged. Whoever wrote them has to look at it.
    #[error("{head} cannot be merged into {base}: both change {files}; bring the branch up to date first")]
    Conflict {
        /// The one that is merged into, short.
        base: String,
        /// The other, short.
        head: String,
        /// The files.
        files: String,
    },
    /// The inventory is not where it was said to be. Operator's fault.
    #[error(transparent)]
    Files(#[from] RepoError),
    /// The repository cannot be read. In Git's own words.
    #[error("reading the Git repository")]
    Git(#[from] git2::Error),
}

/// The path of a text of a [`Revision`] from the top of the repository: behind the commit, and the colon.
#[must_use]
pub fn below_top(path: &str) -> &str {
    let path = path.split_once(':').map_or(path, |(_, path)| path);
    path.strip_prefix("./").unwrap_or(path)
}

impl RevisionError {
    /// Whether the commit is at fault: nothing but another commit helps.
    #[must_use]
    pub const fn is_of_commit(&self) -> bool {
        matches!(self, Self::NoRoot { .. } | Self::Link { .. } | Self::NotUtf8 { .. })
    }
}

/// Reads the inventory at `path`, as the work tree has it there, as it was at `revision`: anything that Git takes for a
/// commit, such as `HEAD~1`, `origin/main`, a tag or the beginning of an id.
///
/// # Errors
///
/// [`RevisionError`]. What is wrong *in* the texts is said by [`crate::inventory::load`].
pub fn read_inventory_at(path: &Path, revision: &str) -> Result<Revision, RevisionError> {
    let place = Place::of(path)?;
    let commit = place.commit(revision)?;
    inventory_of(&place.repository, &commit.tree()?, commit.id(), &place.below)
}

/// An inventory in the work tree of a repository.
pub(super) struct Place {
    pub(super) repository: Repository,
    /// Its folder below the top: empty for the top, `/` between the parts.
    pub(super) below: String,
}

impl Place {
    /// Where the inventory at `path` is.
    pub(super) fn of(path: &Path) -> Result<Self, RevisionError> {
        let folder = root_folder(path)?;
        let no_repository = || RevisionError::NoRepository { path: path.to_owned() };
        let repository = match Repository::discover(&folder) {
            Ok(repository) => repository,
            Err(error) if error.code() == ErrorCode::NotFound => return Err(no_repository()),
            Err(error) => return Err(error.into()),
        };
        let below = below(&repository, &folder).ok_or_else(no_repository)?;
        Ok(Self { repository, below })
    }

    /// The commit that a revision names.
    pub(super) fn commit(&self, revision: &str) -> Result<Commit<'_>, RevisionError> {
        let object = self.repository.revparse_single(revision);
        let commit = object.and_then(|object| object.peel_to_commit());
        commit.map_err(|_| RevisionError::Unknown {
            revision: revision.to_owned(),
            hint: nearest(&self.repository, revision),
        })
    }
}

/// Reads the inventory of a tree in a folder of it, given by its path without slashes at its ends; empty for the top. `commit` is
/// what messages call it by.
pub(super) fn inventory_of(
    repository: &Repository,
    top: &Tree<'_>,
    commit: Oid,
    below: &str,
) -> Result<Revision, RevisionError> {
    let name = short(commit);
    let no_root = || RevisionError::NoRoot {
        folder: if below.is_empty() {
            "the top folder".to_owned()
        } else {
            below.to_owned()
        },
        commit: name.clone(),
    };
    let tree = if below.is_empty() {
        top.clone()
    } else {
        let entry = top.get_path(Path::new(below)).map_err(|_| no_root())?;
        entry.to_object(repository)?.into_tree().map_err(|_| no_root())?
    };
    let reader = Reader {
        repository,
        // `./` where the inventory is the top folder, as Git has it for paths relative to a folder.
        prefix: format!("{name}:{}/", if below.is_empty() { "." } else { below }),
    };
    let root = tree
        .get_name(ROOT_FILE)
        .filter(|entry| entry.kind() == Some(ObjectType::Blob));
    let root = reader.text(&root.ok_or_else(no_root)?, ROOT_FILE)?;
    let include = Include::from_root_file(&root.text);
    let mut files = Vec::new();
    reader.folder(&tree, "", &include, &mut files)?;
    let bytes = files.iter().map(|file| file.text.len() as u64).sum();
    if bytes > ALL_AT_MOST {
        return Err(RevisionError::TooLarge { file: name, bytes });
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    files.insert(0, root);
    Ok(Revision { commit: name, files })
}

/// Where a folder is below the top of the work tree: empty for the top, `/` between the parts.
fn below(repository: &Repository, folder: &Path) -> Option<String> {
    let top = repository.workdir()?.canonicalize().ok()?;
    // An empty path cannot be opened; it stands for the current folder.
    let folder = folder.join(".").canonicalize().ok()?;
    let parts: Option<Vec<&str>> = folder
        .strip_prefix(&top)
        .ok()?
        .iter()
        .map(|part| part.to_str())
        .collect();
    Some(parts?.join("/"))
}

/// The branch or tag that somebody most likely meant.
fn nearest(repository: &Repository, revision: &str) -> String {
    let names: Vec<String> = repository
        .references()
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|reference| reference.shorthand().ok().map(str::to_owned))
        .collect();
    let known: Vec<&str> = names.iter().map(String::as_str).collect();
    match similar::get_close_matches(revision, &known, 1, 0.6).first() {
        Some(near) => format!("; did you mean `{near}`?"),
        None => "; write a commit id, a branch, a tag, or `HEAD~1` for the commit before this one".to_owned(),
    }
}

struct Reader<'r> {
    repository: &'r Repository,
    /// What stands before a path below the inventory's folder.
    prefix: String,
}

impl Reader<'_> {
    /// Reads what is included of a folder, given by its path below the inventory's folder with a slash behind it unless
    /// empty. Links to folders and submodules are not entered: what is in them counts as not there then.
    fn folder(
        &self,
        tree: &Tree<'_>,
        relative: &str,
        include: &Include,
        files: &mut Vec<SourceFile>,
    ) -> Result<(), RevisionError> {
        for entry in tree {
            // What Git holds under a name that is not text could not be included from disk either.
            let Ok(name) = entry.name() else { continue };
            if name.starts_with('.') {
                continue;
            }
            let below = format!("{relative}{name}");
            match entry.kind() {
                Some(ObjectType::Tree) => {
                    let tree = self.repository.find_tree(entry.id())?;
                    self.folder(&tree, &format!("{below}/"), include, files)?;
                }
                Some(ObjectType::Blob) if below != ROOT_FILE && include.matches(&below) => {
                    files.push(self.text(&entry, &below)?);
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn text(&self, entry: &git2::TreeEntry<'_>, relative: &str) -> Result<SourceFile, RevisionError> {
        let path = format!("{}{relative}", self.prefix);
        if entry.filemode() == LINK {
            return Err(RevisionError::Link { file: path });
        }
        // Asked for before it is in memory: whoever may push could fill that otherwise.
        let (bytes, _) = self.repository.odb()?.read_header(entry.id())?;
        if bytes as u64 > FILE_AT_MOST {
            return Err(RevisionError::TooLarge {
                file: path,
                bytes: bytes as u64,
            });
        }
        let blob = self.repository.find_blob(entry.id())?;
        match std::str::from_utf8(blob.content()) {
            Ok(text) => Ok(SourceFile {
                text: text.to_owned(),
                path,
            }),
            Err(error) => Err(RevisionError::NotUtf8 {
                file: path,
                offset: error.valid_up_to(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_a_commit_has_a_path_in_the_repository() {
        for (path, below) in [
            ("3f0c2d81aa4e:./services.yaml", "services.yaml"),
            ("3f0c2d81aa4e:network/sites/a.yaml", "network/sites/a.yaml"),
        ] {
            assert_eq!(below_top(path), below);
        }
    }
}
