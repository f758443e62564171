//! A new folder of files, and the first commit of it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use git2::{Config, ErrorCode, Repository, RepositoryInitOptions, Signature};

use super::git::short;

/// Why nothing was made. What had been written is taken away again.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// Something is there already. Operator's fault, and left as it is.
    #[error("{} is there already", path.display())]
    Exists {
        /// What.
        path: PathBuf,
    },
    /// The system would not let us write. Operator's fault, mostly permissions.
    #[error("writing {} failed", path.display())]
    Unwritable {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
}

/// Writes files below a folder, each by its path and text; folders are made where they are missing. All of them or
/// none, and nothing that is there is touched.
///
/// # Errors
///
/// [`CreateError`]; nothing is left behind then but folders.
pub fn write_new(folder: &Path, files: &[(&str, &str)]) -> Result<(), CreateError> {
    for (path, _) in files {
        let path = folder.join(path);
        // A link to nowhere is something, too.
        if path.symlink_metadata().is_ok() {
            return Err(CreateError::Exists { path });
        }
    }
    let mut written: Vec<PathBuf> = Vec::new();
    for (path, text) in files {
        let path = folder.join(path);
        let made = write_one(&path, text, &mut written);
        if let Err(source) = made {
            for path in &written {
                // Best effort: why it failed is worth more.
                let _ = fs::remove_file(path);
            }
            return Err(match source.kind() {
                io::ErrorKind::AlreadyExists => CreateError::Exists { path },
                _ => CreateError::Unwritable { path, source },
            });
        }
    }
    Ok(())
}

fn write_one(path: &Path, text: &str, written: &mut Vec<PathBuf>) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let mut file: File = OpenOptions::new().write(true).create_new(true).open(path)?;
    written.push(path.to_owned());
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Whether a folder, or the nearest one above it that exists, lies in a work tree of Git.
///
/// # Errors
///
/// Git's own words where a repository is there but cannot be read.
pub fn is_in_repository(folder: &Path) -> Result<bool, git2::Error> {
    let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let existing = absolute.ancestors().find(|folder| folder.exists());
    match existing.map(Repository::discover) {
        Some(Ok(_)) => Ok(true),
        Some(Err(error)) if error.code() != ErrorCode::NotFound => Err(error),
        Some(Err(_)) | None => Ok(false),
    }
}

/// Whether Git knows under whose name to commit in a new repository.
#[must_use]
pub fn knows_committer() -> bool {
    let known = |config: &Config, key: &str| config.get_string(key).is_ok_and(|value| !value.is_empty());
    Config::open_default().is_ok_and(|config| known(&config, "user.name") && known(&config, "user.email"))
}

/// Who makes a first commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By<'a> {
    /// Whoever Git knows on this machine, on the branch that it is told to begin with, `main` unless it is.
    Operator,
    /// Somebody else, on `main`, whatever Git is told on this machine.
    Somebody {
        /// The name.
        name: &'a str,
        /// The e-mail address.
        email: &'a str,
    },
}

/// Makes a repository of a folder, with one commit of these files and nothing else that is there; gives its short id.
///
/// # Errors
///
/// Git's own words.
pub fn first_commit(folder: &Path, files: &[(&str, &str)], message: &str, by: By<'_>) -> Result<String, git2::Error> {
    let mut options = RepositoryInitOptions::new();
    let told = match by {
        By::Operator => Config::open_default()
            .and_then(|config| config.get_string("init.defaultBranch"))
            .ok(),
        By::Somebody { .. } => None,
    };
    options.no_reinit(true).initial_head(told.as_deref().unwrap_or("main"));
    let repository = Repository::init_opts(folder, &options)?;
    let mut index = repository.index()?;
    for (path, _) in files {
        index.add_path(Path::new(path))?;
    }
    index.write()?;
    let tree = repository.find_tree(index.write_tree()?)?;
    let who = match by {
        By::Operator => repository.signature()?,
        By::Somebody { name, email } => Signature::now(name, email)?,
    };
    let commit = repository.commit(Some("HEAD"), &who, &who, message, &tree, &[])?;
    Ok(short(commit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_files_are_written_or_none() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("new");
        let files = [("a.yaml", "a"), ("deep/er/b.yaml", "b")];
        write_new(&root, &files).unwrap();
        assert_eq!(fs::read_to_string(root.join("deep/er/b.yaml")).unwrap(), "b");

        fs::remove_file(root.join("a.yaml")).unwrap();
        fs::write(root.join("deep/er/b.yaml"), "mine").unwrap();
        let error = write_new(&root, &files).unwrap_err();
        assert!(
            matches!(error, CreateError::Exists { ref path } if path.ends_with("deep/er/b.yaml")),
            "{error}"
        );
        assert!(!root.join("a.yaml").exists());
        assert_eq!(fs::read_to_string(root.join("deep/er/b.yaml")).unwrap(), "mine");

        // A file stands where a folder is needed: found out after the first was written.
        fs::write(root.join("c"), "mine").unwrap();
        let error = write_new(&root, &[("d.yaml", "d"), ("c/e.yaml", "e")]).unwrap_err();
        assert!(error.to_string().contains("e.yaml"), "{error}");
        assert!(!root.join("d.yaml").exists());
    }
}
