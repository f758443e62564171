//! New files of an inventory: all of them or none, and never in the place of one that is there.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// New files could not be written. None of them is there.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// Something of that name is there. Operator's fault, or somebody else made it meanwhile.
    #[error("{} is there already; nothing was written", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The system would not let us write. Operator's fault, mostly permissions or a full disk.
    #[error("writing {} failed; nothing was written", path.display())]
    Unwritable {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
}

/// Writes new files below a folder, which is made where it is missing. `files` are paths below it, `/` between the parts, and
/// contents.
///
/// # Errors
///
/// [`CreateError`] for the first file that cannot be written; those before it are removed again.
pub fn create_files<'f>(folder: &Path, files: impl IntoIterator<Item = (&'f str, &'f str)>) -> Result<(), CreateError> {
    let mut made: Vec<PathBuf> = Vec::new();
    for (relative, text) in files {
        let path = folder.join(relative);
        if let Err(error) = create(&path, text, &mut made) {
            for path in made {
                // What cannot be taken back is a file that the next try will name.
                let _ = fs::remove_file(path);
            }
            return Err(error);
        }
    }
    Ok(())
}

fn create(path: &Path, text: &str, made: &mut Vec<PathBuf>) -> Result<(), CreateError> {
    let unwritable = |source| CreateError::Unwritable {
        path: path.to_owned(),
        source,
    };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(unwritable)?;
    }
    let mut file = File::create_new(path).map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => CreateError::Exists { path: path.to_owned() },
        _ => unwritable(source),
    })?;
    made.push(path.to_owned());
    file.write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(unwritable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_written_or_none_and_nothing_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        create_files(folder.path(), [("a.yaml", "a"), ("devices/b.yaml", "b")]).unwrap();
        assert_eq!(fs::read_to_string(path("devices/b.yaml")).unwrap(), "b");
        let error = create_files(folder.path(), [("c.yaml", "c"), ("a.yaml", "other")]).unwrap_err();
        assert!(matches!(error, CreateError::Exists { .. }));
        assert!(!path("c.yaml").exists());
        assert_eq!(fs::read_to_string(path("a.yaml")).unwrap(), "a");
    }
}
