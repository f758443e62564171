//! An inventory's texts from a folder.
//!
//! Knows which files belong to an inventory, and nothing of what they say.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::diagnostic::SourceFile;
use crate::inventory::{Include, ROOT_FILE};

/// Why an inventory's files could not be read.
#[derive(Debug, thiserror::Error)]
pub enum RepoError {
    /// There is no such file or folder. Operator's fault.
    #[error("{} does not exist", path.display())]
    NotFound {
        /// As given.
        path: PathBuf,
    },
    /// The folder is not the root of an inventory. Operator's fault.
    #[error("{} has no {ROOT_FILE}; name the folder that holds it", path.display())]
    NoRoot {
        /// The folder as given.
        path: PathBuf,
    },
    /// A file was named that is not a root file. Operator's fault.
    #[error("{} is not a {ROOT_FILE}; name the root file of the inventory or its folder", path.display())]
    NotARoot {
        /// The file as given.
        path: PathBuf,
    },
    /// The system would not let us read. Operator's fault, mostly permissions or a link to nowhere.
    #[error("reading {} failed", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
    /// A file is not text. Operator's fault.
    #[error("{} is not UTF-8: the byte at offset {offset} starts no character; save it as UTF-8", path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// Where the first byte is that does not fit.
        offset: usize,
    },
    /// A file, or all of them together, is larger than an inventory can be. Operator's fault.
    #[error("{} has {bytes} bytes: {}", path.display(), too_large())]
    TooLarge {
        /// The file; the folder, where all of them together are.
        path: PathBuf,
        /// Its size.
        bytes: u64,
    },
    /// A name below the root is not text, so that no message could show it. Operator's fault.
    #[error("the name of {} is not UTF-8; rename it", path.display())]
    NameNotUtf8 {
        /// The file or folder.
        path: PathBuf,
    },
    /// A link leads back to a folder that holds it. Operator's fault.
    #[error("{} is a link to a folder that it is in; remove it, or leave it out by a leading dot", path.display())]
    LinkLoop {
        /// The link.
        path: PathBuf,
    },
}

/// The most bytes that a file of an inventory may have. A thousand devices with their subscribers are five million.
pub(super) const FILE_AT_MOST: u64 = 32 * 1024 * 1024;

/// The most bytes that all files of an inventory may have together.
pub(super) const ALL_AT_MOST: u64 = 256 * 1024 * 1024;

/// What there is to say of a file that is too large.
pub(super) fn too_large() -> String {
    format!(
        "a file of an inventory has {} MB at most, all of them {} MB; leave it out of `include`, or split it",
        FILE_AT_MOST >> 20,
        ALL_AT_MOST >> 20
    )
}

/// Reads the root file at `path`, which is it or its folder, and every file that its `include` names.
///
/// Shape: the root file first, then the others by path. Paths begin as the operator gave them
/// (`inventory-example/sites/maple.yaml`), without a leading `./`. Links are followed.
///
/// # Errors
///
/// [`RepoError`]: what a message cannot be placed in a text for. What is wrong *in* the texts is said by
/// [`crate::inventory::load`].
pub fn read_inventory(path: &Path) -> Result<Vec<SourceFile>, RepoError> {
    let folder = root_folder(path)?;
    let root = read(&folder.join(ROOT_FILE), shown(&folder, ROOT_FILE))?;
    let include = Include::from_root_file(&root.text);
    let mut size = root.text.len() as u64;
    let mut sources = vec![root];
    for relative in included_below(&folder, &include)? {
        let source = read(&folder.join(&relative), shown(&folder, &relative))?;
        size += source.text.len() as u64;
        if size > ALL_AT_MOST {
            return Err(RepoError::TooLarge {
                path: folder,
                bytes: size,
            });
        }
        sources.push(source);
    }
    Ok(sources)
}

/// The files below a folder that a root file there includes, by path below it, sorted. The root file is not among them.
///
/// # Errors
///
/// [`RepoError`] where a folder cannot be read.
pub fn included_below(folder: &Path, include: &Include) -> Result<Vec<String>, RepoError> {
    let mut walk = Walk {
        include,
        folder,
        inside: Vec::new(),
        found: Vec::new(),
    };
    walk.folder("")?;
    walk.found.sort();
    Ok(walk.found)
}

/// The folder of the root file at `path`, which is it or its folder.
pub(super) fn root_folder(path: &Path) -> Result<PathBuf, RepoError> {
    let unreadable = |source| RepoError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(RepoError::NotFound { path: path.to_owned() });
        }
        Err(error) => return Err(unreadable(error)),
    };
    if metadata.is_dir() {
        return match fs::metadata(path.join(ROOT_FILE)) {
            Ok(metadata) if metadata.is_file() => Ok(path.to_owned()),
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(unreadable(error)),
            _ => Err(RepoError::NoRoot { path: path.to_owned() }),
        };
    }
    if path.file_name().is_some_and(|name| name == ROOT_FILE) {
        Ok(path.parent().map(Path::to_owned).unwrap_or_default())
    } else {
        Err(RepoError::NotARoot { path: path.to_owned() })
    }
}

/// A path as messages show it.
fn shown(folder: &Path, relative: &str) -> String {
    let folder = folder.to_string_lossy();
    let folder = folder.trim_end_matches('/');
    let folder = folder.strip_prefix("./").unwrap_or(folder);
    match folder {
        "" | "." => relative.to_owned(),
        _ => format!("{folder}/{relative}"),
    }
}

fn read(path: &Path, shown: String) -> Result<SourceFile, RepoError> {
    let unreadable = |source| RepoError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let bytes = fs::metadata(path).map_err(unreadable)?.len();
    if bytes > FILE_AT_MOST {
        return Err(RepoError::TooLarge {
            path: path.to_owned(),
            bytes,
        });
    }
    let bytes = fs::read(path).map_err(unreadable)?;
    let text = String::from_utf8(bytes).map_err(|error| RepoError::NotUtf8 {
        path: path.to_owned(),
        offset: error.utf8_error().valid_up_to(),
    })?;
    Ok(SourceFile { path: shown, text })
}

struct Walk<'w> {
    include: &'w Include,
    folder: &'w Path,
    /// Where we are, as real paths: a link to one of them would never end.
    inside: Vec<PathBuf>,
    /// Paths below the root folder.
    found: Vec<String>,
}

impl Walk<'_> {
    /// Goes through a folder given by its path below the root folder, with a slash behind it unless empty.
    fn folder(&mut self, relative: &str) -> Result<(), RepoError> {
        let path = if relative.is_empty() {
            // An empty path cannot be opened; it stands for the current folder.
            self.folder.join(".")
        } else {
            self.folder.join(relative)
        };
        let unreadable = |source| RepoError::Unreadable {
            path: path.clone(),
            source,
        };
        let real = fs::canonicalize(&path).map_err(unreadable)?;
        if self.inside.contains(&real) {
            return Err(RepoError::LinkLoop { path });
        }
        self.inside.push(real);
        for entry in fs::read_dir(&path).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let Ok(name) = entry.file_name().into_string() else {
                return Err(RepoError::NameNotUtf8 { path: entry.path() });
            };
            if name.starts_with('.') {
                continue;
            }
            let below = format!("{relative}{name}");
            let kind = fs::metadata(entry.path());
            match kind {
                Ok(kind) if kind.is_dir() => self.folder(&format!("{below}/"))?,
                // A broken link, or anything else that cannot be looked at, matters only if it was asked for.
                Err(source) if self.include.matches(&below) => {
                    return Err(RepoError::Unreadable {
                        path: entry.path(),
                        source,
                    });
                }
                Ok(_) if below != ROOT_FILE && self.include.matches(&below) => self.found.push(below),
                _ => {}
            }
        }
        self.inside.pop();
        Ok(())
    }
}

#[cfg(test)]
mod tests;
