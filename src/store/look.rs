//! Looking at a database before anything is written to it: whether it is one, ours, whole, and of a version that is
//! known here. What is refused stays byte for byte as it was, so that somebody can still save what is in it.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::{StoreError, migrations};

/// Bytes of the header of a database (SQLite's file format).
const HEADER: u64 = 100;

/// Looks at a file that is there. One that is not there yet, or empty, is going to be made.
///
/// # Errors
///
/// [`StoreError::TooNew`], [`StoreError::Foreign`], [`StoreError::Damaged`], [`StoreError::InUse`], or that it could
/// not be opened.
pub(super) fn look(path: &Path, wait: Duration) -> Result<(), StoreError> {
    match std::fs::metadata(path).map_or(0, |found| found.len()) {
        0 => return Ok(()),
        // SQLite takes a file of one byte for an empty one, and would write over it.
        bytes if bytes < HEADER => {
            let path = path.to_owned();
            let why = format!("it has {bytes} bytes, its header alone has {HEADER}");
            return Err(StoreError::Damaged { path, why });
        }
        _ => {}
    }
    let look = || -> Result<(), StoreError> {
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.busy_timeout(wait)?;
        let found = migrations::version(&connection)?;
        let known = migrations::newest();
        if found > known {
            let path = path.to_owned();
            return Err(StoreError::TooNew { path, found, known });
        }
        let has_runs = "SELECT count(*), coalesce(sum(name = 'runs'), 0) FROM sqlite_schema WHERE type = 'table'";
        let (tables, runs): (u32, u32) = connection.query_row(has_runs, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        // Tables and no version, or a version and not our tables: somebody else's.
        if (found == 0 && tables > 0) || (found > 0 && runs == 0) {
            return Err(StoreError::Foreign { path: path.to_owned() });
        }
        // Reads every page, and what it finds wrong would otherwise be found in the middle of an apply.
        let why: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if why == "ok" {
            Ok(())
        } else {
            let path = path.to_owned();
            let why = why.replace('\n', " ");
            Err(StoreError::Damaged { path, why })
        }
    };
    look().map_err(|error| error.at(path, wait))
}
