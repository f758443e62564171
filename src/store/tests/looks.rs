//! When a database is looked at as a whole. A file of any size is large here.

use super::*;

fn open(path: &Path) -> Result<Store, StoreError> {
    Store::open_within(path, BUSY_TIMEOUT, 0)
}

fn with<T>(path: &Path, use_it: impl FnOnce(&rusqlite::Connection) -> T) -> T {
    use_it(&rusqlite::Connection::open(path).unwrap())
}

/// How often the file was found whole and that was written down.
fn looks(path: &Path) -> u32 {
    let count = "SELECT coalesce(sum(times), 0) FROM looks";
    with(path, |database| {
        database.query_row(count, [], |row| row.get(0)).unwrap()
    })
}

/// The last look was so many hours ago.
fn looked_ago(path: &Path, hours: i64) {
    let then = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(hours);
    let changed = with(path, |database| {
        let changed = database.execute("UPDATE looks SET whole = ?1", [written(then)]);
        database.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
        changed
    });
    assert_eq!(changed.unwrap(), 1);
}

#[tokio::test]
async fn a_large_file_is_looked_at_once_a_day_and_when_it_is_another_one() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = a_database(folder.path()).await;
    assert_eq!(
        looks(&path),
        0,
        "a small one is looked at every time, and nothing is written"
    );
    for (what, hours, expected) in [
        ("it was never looked at", None, 1),
        ("it was just looked at", None, 1),
        ("it was looked at today", Some(23), 1),
        ("it was looked at yesterday", Some(25), 2),
        ("the clock was set back since", Some(-3), 3),
    ] {
        if let Some(hours) = hours {
            looked_ago(&path, hours);
        }
        close(open(&path).unwrap()).await;
        assert_eq!(looks(&path), expected, "{what}");
    }
    let copy = folder.path().join("copy");
    std::fs::copy(&path, &copy).unwrap();
    std::fs::rename(&copy, &path).unwrap();
    close(open(&path).unwrap()).await;
    assert_eq!(looks(&path), 4, "it is another file");
}

#[tokio::test]
async fn damage_to_a_large_file_is_found_by_the_next_look_and_a_missing_end_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = a_database(folder.path()).await;
    close(open(&path).unwrap()).await;
    looked_ago(&path, 1);
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() - 4096]).unwrap();
    let error = open(&path).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    std::fs::write(&path, &whole).unwrap();
    looked_ago(&path, 25);
    let mut overwritten = std::fs::read(&path).unwrap();
    overwritten[5000..9000].fill(0xa5);
    std::fs::write(&path, &overwritten).unwrap();
    let error = open(&path).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    assert!(std::fs::read(&path).unwrap() == overwritten, "it was changed");
}
