//! Edited texts back into their files: all of them or none, and never over what somebody else wrote meanwhile.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::RepoError;
use super::files::root_folder;

/// A file of an inventory, as it was read and as it is to be.
#[derive(Debug, Clone, Copy)]
pub struct Rewrite<'t> {
    /// Its path as [`super::read_inventory`] gave it.
    pub path: &'t str,
    /// What was read from it.
    pub before: &'t str,
    /// What is to be in it.
    pub after: &'t str,
}

/// Why files were not written. Nothing of any of them was, unless the variant says so.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The inventory itself cannot be found any more. Operator's fault.
    #[error(transparent)]
    Inventory(#[from] RepoError),
    /// The file is a link to somewhere else. Operator's fault.
    #[error("{} is a link out of the inventory, to {}; nothing was written", path.display(), to.display())]
    Outside {
        /// The link.
        path: PathBuf,
        /// Where it leads.
        to: PathBuf,
    },
    /// Somebody wrote the file after it was read. Try again.
    #[error("{} was changed by somebody else meanwhile; nothing was written", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// The system would not let us. Operator's fault, mostly permissions or a full disk.
    #[error("writing {} failed; nothing was written", path.display())]
    Failed {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
    /// The system stopped in the middle, and would not take back what it had done.
    #[error("writing {} failed, and {} could not be given back what it held", path.display(), written.display())]
    Half {
        /// The file that was not written.
        path: PathBuf,
        /// A file that was.
        written: PathBuf,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
}

/// Writes files of the inventory whose root is at `inventory`, each in one step: whoever reads one meanwhile sees the old text or the
/// new one. Modes stay; a link within the inventory stays a link.
///
/// # Errors
///
/// [`WriteError`]: nothing was written.
pub fn rewrite(inventory: &Path, files: &[Rewrite<'_>]) -> Result<(), WriteError> {
    let root = root_folder(inventory)?;
    let root = if root.as_os_str().is_empty() {
        Path::new(".")
    } else {
        &root
    };
    let root = root.canonicalize().map_err(|source| failed(root, source))?;
    let mut prepared = Vec::with_capacity(files.len());
    for file in files {
        prepared.push(prepare(&root, file)?);
    }
    let mut done: Vec<(PathBuf, &Rewrite<'_>)> = Vec::with_capacity(files.len());
    for ((path, new), file) in prepared.into_iter().zip(files) {
        let written =
            as_read(&path, file).and_then(|()| new.persist(&path).map_err(|error| failed(&path, error.error)));
        if let Err(error) = written {
            return Err(take_back(&root, done, error));
        }
        done.push((path, file));
    }
    Ok(())
}

/// The text beside its file, ready to take its place.
fn prepare(root: &Path, file: &Rewrite<'_>) -> Result<(PathBuf, NamedTempFile), WriteError> {
    let shown = Path::new(file.path);
    let path = shown.canonicalize().map_err(|source| failed(shown, source))?;
    if !path.starts_with(root) {
        return Err(WriteError::Outside {
            path: shown.to_owned(),
            to: path,
        });
    }
    as_read(&path, file)?;
    let new = || {
        let folder = path.parent().unwrap_or(root);
        // A name that no inventory includes, should it be left behind.
        let mut new = tempfile::Builder::new().prefix(".gamops-").tempfile_in(folder)?;
        new.write_all(file.after.as_bytes())?;
        new.as_file().set_permissions(fs::metadata(&path)?.permissions())?;
        new.as_file().sync_all()?;
        Ok(new)
    };
    let new = new().map_err(|source| failed(shown, source))?;
    Ok((path, new))
}

/// Refuses a file that is not what was read.
fn as_read(path: &Path, file: &Rewrite<'_>) -> Result<(), WriteError> {
    let holds = fs::read(path).map_err(|source| failed(path, source))?;
    if holds == file.before.as_bytes() {
        Ok(())
    } else {
        Err(WriteError::Changed {
            path: PathBuf::from(file.path),
        })
    }
}

fn failed(path: &Path, source: io::Error) -> WriteError {
    WriteError::Failed {
        path: path.to_owned(),
        source,
    }
}

/// Gives back what was written before one of the files failed.
fn take_back(root: &Path, done: Vec<(PathBuf, &Rewrite<'_>)>, error: WriteError) -> WriteError {
    for (path, file) in done {
        let back = Rewrite {
            path: file.path,
            before: file.after,
            after: file.before,
        };
        let given_back =
            prepare(root, &back).and_then(|(_, old)| old.persist(&path).map_err(|error| failed(&path, error.error)));
        if given_back.is_err() {
            let (path, source) = match error {
                WriteError::Failed { path, source } => (path, source),
                other => (path.clone(), io::Error::other(other.to_string())),
            };
            return WriteError::Half {
                path,
                written: PathBuf::from(file.path),
                source,
            };
        }
    }
    error
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    const ROOT: &str = "format: 1\ninventory: t\n";

    /// An inventory with two files; gives its folder and the path of a file.
    fn inventory() -> (tempfile::TempDir, impl Fn(&str) -> String) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("inv");
        fs::create_dir(&root).unwrap();
        for (name, text) in [("gamops.yaml", ROOT), ("a.yaml", "a: 1\n"), ("b.yaml", "b: 1\n")] {
            fs::write(root.join(name), text).unwrap();
        }
        let path = move |name: &str| root.join(name).to_str().unwrap().to_owned();
        (folder, path)
    }

    fn one<'t>(path: &'t str, before: &'t str, after: &'t str) -> Rewrite<'t> {
        Rewrite { path, before, after }
    }

    #[test]
    fn a_file_is_replaced_with_its_mode_and_nothing_is_left_beside_it() {
        let (folder, path) = inventory();
        fs::set_permissions(path("a.yaml"), fs::Permissions::from_mode(0o640)).unwrap();
        let (a, b) = (path("a.yaml"), path("b.yaml"));
        rewrite(
            &folder.path().join("inv"),
            &[one(&a, "a: 1\n", "a: 2\n"), one(&b, "b: 1\n", "b: 2\n")],
        )
        .unwrap();
        assert_eq!(
            (fs::read_to_string(&a).unwrap(), fs::read_to_string(&b).unwrap()),
            ("a: 2\n".to_owned(), "b: 2\n".to_owned())
        );
        assert_eq!(fs::metadata(&a).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(fs::read_dir(folder.path().join("inv")).unwrap().count(), 3);
    }

    #[test]
    fn a_file_that_was_changed_meanwhile_stops_all_of_them() {
        let (folder, path) = inventory();
        let (a, b) = (path("a.yaml"), path("b.yaml"));
        let root = folder.path().join("inv/gamops.yaml");
        let error = rewrite(&root, &[one(&a, "a: 1\n", "a: 2\n"), one(&b, "b: 0\n", "b: 2\n")]).unwrap_err();
        assert!(matches!(error, WriteError::Changed { path } if path == Path::new(&b)));
        assert_eq!(fs::read_to_string(&a).unwrap(), "a: 1\n");
        assert_eq!(fs::read_dir(folder.path().join("inv")).unwrap().count(), 3);
    }

    #[test]
    fn a_link_out_of_the_inventory_is_not_followed_and_one_within_stays_a_link() {
        let (folder, path) = inventory();
        fs::write(folder.path().join("other.yaml"), "o: 1\n").unwrap();
        symlink(folder.path().join("other.yaml"), path("out.yaml")).unwrap();
        symlink(path("a.yaml"), path("in.yaml")).unwrap();
        let (out, within) = (path("out.yaml"), path("in.yaml"));
        let root = folder.path().join("inv");
        let error = rewrite(&root, &[one(&out, "o: 1\n", "o: 2\n")]).unwrap_err();
        assert!(matches!(error, WriteError::Outside { .. }), "{error}");
        assert_eq!(fs::read_to_string(folder.path().join("other.yaml")).unwrap(), "o: 1\n");
        rewrite(&root, &[one(&within, "a: 1\n", "a: 2\n")]).unwrap();
        assert!(fs::symlink_metadata(&within).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(path("a.yaml")).unwrap(), "a: 2\n");
    }
}
