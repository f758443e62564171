//! Looking at a database before anything is written to it: whether it is one, ours, whole, and of a version that is
//! known here. What is refused stays byte for byte as it was, so that somebody can still save what is in it.
//!
//! Looking at the whole of it reads every page, which takes seconds once the history of a large fleet is in it, and would be
//! done by each command that somebody types. So a file that is small is looked at every time; a larger one once a day, and
//! whenever it is not the file that was looked at last: restored, copied, moved. What SQLite itself does to a file cannot
//! damage it, a kill or a power cut in the middle of a write included: its log is made for that. What can is somebody who
//! writes over the file, half a copy of it, or a disk, and none of these waits for the next command. A
//! copy that was cut short, which is met most, SQLite finds by itself each time: the file is shorter than it says.

use std::path::Path;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, params};

use super::{StoreError, migrations, written};

/// Bytes of the header of a database (SQLite's file format).
const HEADER: u64 = 100;

/// A file up to so many bytes is looked at as a whole every time: that takes some hundredths of a second.
pub(super) const SMALL: u64 = 8 << 20;

/// How long a look at the whole of a larger file counts.
const COUNTS: SignedDuration = SignedDuration::from_hours(24);

/// A large file that was found whole, to be written down in it once it is open.
#[derive(Debug)]
pub(super) struct Whole {
    identity: Option<String>,
    now: Timestamp,
}

/// Looks at a file that is there. One that is not there yet, or empty, is going to be made. `Some` where a file of more than
/// `small` bytes was looked at as a whole.
///
/// # Errors
///
/// [`StoreError::TooNew`], [`StoreError::Foreign`], [`StoreError::Damaged`], [`StoreError::InUse`], or that it could
/// not be opened.
pub(super) fn look(path: &Path, wait: Duration, small: u64) -> Result<Option<Whole>, StoreError> {
    let damaged = |why: String| StoreError::Damaged {
        path: path.to_owned(),
        why,
    };
    let bytes = match std::fs::metadata(path).map_or(0, |found| found.len()) {
        0 => return Ok(None),
        // SQLite takes a file of one byte for an empty one, and would write over it.
        bytes if bytes < HEADER => {
            return Err(damaged(format!("it has {bytes} bytes, its header alone has {HEADER}")));
        }
        bytes => bytes,
    };
    let look = || -> Result<Option<Whole>, StoreError> {
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.busy_timeout(wait)?;
        let found = migrations::version(&connection)?;
        let known = migrations::newest();
        if found > known {
            let path = path.to_owned();
            return Err(StoreError::TooNew { path, found, known });
        }
        let (tables, runs, looks): (u32, u32, u32) = connection.query_row(
            "SELECT count(*), coalesce(sum(name = 'runs'), 0), coalesce(sum(name = 'looks'), 0)
             FROM sqlite_schema WHERE type = 'table'",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )?;
        // Tables and no version, or a version and not our tables: somebody else's.
        if (found == 0 && tables > 0) || (found > 0 && runs == 0) {
            return Err(StoreError::Foreign { path: path.to_owned() });
        }
        let (identity, now) = (identity(path), Timestamp::now());
        if bytes > small && looks > 0 && was_whole(&connection, identity.as_deref(), now)? {
            return Ok(None);
        }
        // Reads every page, and what it finds wrong would otherwise be found in the middle of an apply.
        let why: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if why == "ok" {
            Ok((bytes > small).then_some(Whole { identity, now }))
        } else {
            Err(damaged(why.replace('\n', " ")))
        }
    };
    look().map_err(|error| error.at(path, wait))
}

/// Writes down that the file was looked at as a whole, so that the next command need not.
pub(super) fn remember(connection: &Connection, whole: &Whole) -> rusqlite::Result<()> {
    connection.execute(
        "INSERT INTO looks (place, whole, identity) VALUES (1, ?1, ?2)
         ON CONFLICT (place) DO UPDATE SET whole = excluded.whole, identity = excluded.identity, times = times + 1",
        params![written(whole.now), whole.identity],
    )?;
    Ok(())
}

/// Whether this very file was found whole not long ago.
fn was_whole(connection: &Connection, identity: Option<&str>, now: Timestamp) -> rusqlite::Result<bool> {
    let last: Option<(String, Option<String>)> = connection
        .query_row("SELECT whole, identity FROM looks", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    Ok(last.is_some_and(|(whole, of)| {
        let age = whole.parse::<Timestamp>().map(|whole| now.duration_since(whole));
        // A clock that was set back has not looked at anything yet.
        let is_recent = age.is_ok_and(|age| !age.is_negative() && age < COUNTS);
        is_recent && identity.is_some() && of.as_deref() == identity
    }))
}

/// What tells a file from another one in its place; `None` where the system does not say.
fn identity(path: &Path) -> Option<String> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let found = std::fs::metadata(path).ok()?;
        Some(format!("{}:{}", found.dev(), found.ino()))
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        None
    }
}
