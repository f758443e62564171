//! Who uses a mirror: what a process left unfinished that was killed, or a machine that lost its power, is taken away by the next
//! one, once nobody else is there.
//!
//! libgit2 writes a reference by way of a file `main.lock`, which keeps everybody else from it, and refuses to replace a reference that
//! is none. Either would keep the daemon from its repository for ever.

use std::ffi::OsStr;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;

/// The file that whoever uses a mirror keeps locked together with others.
const IN_USE: &str = "in-use";

/// Uses a mirror until what is returned is dropped. Nothing is taken away where it cannot be told who else is there.
pub(super) fn claim(mirror: &Path) -> io::Result<File> {
    fs::create_dir_all(mirror)?;
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(mirror.join(IN_USE))?;
    match file.try_lock() {
        Ok(()) => {
            take_away(mirror, mirror)?;
            file.unlock()?;
        }
        // Somebody is there, or the file system knows no locks.
        Err(TryLockError::WouldBlock | TryLockError::Error(_)) => {}
    }
    // Waits for whoever is taking things away.
    let _ = file.lock_shared();
    Ok(file)
}

/// Takes away what only a process that is gone can have left in a folder of the mirror.
fn take_away(mirror: &Path, folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            take_away(mirror, &path)?;
            continue;
        }
        let is_lock = path.extension() == Some(OsStr::new("lock"));
        let is_half_written = path.starts_with(mirror.join("refs")) && !is_reference(&fs::read(&path)?);
        if is_lock || is_half_written || is_half_fetched(&path) {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

/// Whether a file under `refs` names an object. It is empty, or nothing but zeros, where the power went before it was on the disk.
fn is_reference(content: &[u8]) -> bool {
    let id = content.trim_ascii();
    [40, 64].contains(&id.len()) && id.iter().all(u8::is_ascii_hexdigit)
}

/// Whether this is a pack or an object of libgit2's that did not come to its end.
fn is_half_fetched(path: &Path) -> bool {
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    name.starts_with("pack_git2_") || name.starts_with("tmp_object_git2_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_process_left_is_taken_away_once_nobody_is_there() {
        let mirror = tempfile::tempdir().unwrap();
        let left = [
            "refs/gamops/origin/main.lock",
            "HEAD.lock",
            "refs/gamops/good/half",
            "refs/gamops/good/zeros",
            "objects/pack/pack_git2_a1b2c3",
            "objects/tmp_object_git2_a1b2c3",
        ];
        let kept = ["refs/gamops/origin/main", "objects/pack/pack-1234.pack", "HEAD"];
        for path in left.iter().chain(&kept) {
            let path = mirror.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "8c7e5a667f1b771847fe88c01c3de34413a1b220\n").unwrap();
        }
        let are_there = |paths: &[&str]| paths.iter().filter(|path| mirror.path().join(path).exists()).count();
        fs::write(mirror.path().join(left[2]), "").unwrap();
        fs::write(mirror.path().join(left[3]), [0; 41]).unwrap();
        // Two that are there together: neither takes away what the other may be at.
        let first = claim(mirror.path()).unwrap();
        assert_eq!((are_there(&left), are_there(&kept)), (0, kept.len()));
        fs::write(mirror.path().join(left[0]), "x").unwrap();
        let second = claim(mirror.path()).unwrap();
        drop(first);
        let third = claim(mirror.path()).unwrap();
        assert_eq!(are_there(&left), 1);
        drop((second, third));
        claim(mirror.path()).unwrap();
        assert_eq!(are_there(&left), 0);
    }
}
