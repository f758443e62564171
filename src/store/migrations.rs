//! The database's versions, each a step from the one before. A step that has been released never changes.

use rusqlite::Connection;

use super::StoreError;

const STEPS: &[&str] = &[
    // 1: pins, ownership, journal.
    "CREATE TABLE pins (
        device    TEXT PRIMARY KEY,
        host_key  TEXT,
        model     TEXT,
        mac       TEXT,
        firmware  TEXT,
        updated   TEXT NOT NULL
    ) STRICT;
    CREATE TABLE objects (
        mac       TEXT NOT NULL,
        kind      TEXT NOT NULL,
        key       TEXT NOT NULL,
        object    TEXT NOT NULL,
        name      TEXT NOT NULL,
        binding   TEXT,
        protect   INTEGER NOT NULL,
        applied   TEXT,
        commit_id TEXT,
        updated   TEXT NOT NULL,
        PRIMARY KEY (mac, kind, key)
    ) STRICT;
    CREATE TABLE runs (
        id        INTEGER PRIMARY KEY AUTOINCREMENT,
        started   TEXT NOT NULL,
        finished  TEXT,
        actor     TEXT NOT NULL,
        commit_id TEXT,
        outcome   TEXT
    ) STRICT;
    CREATE TABLE device_runs (
        run       INTEGER NOT NULL REFERENCES runs (id),
        device    TEXT NOT NULL,
        mac       TEXT NOT NULL,
        state     TEXT NOT NULL,
        base      TEXT NOT NULL,
        target    TEXT NOT NULL,
        detail    TEXT,
        updated   TEXT NOT NULL,
        PRIMARY KEY (run, device)
    ) STRICT;
    CREATE INDEX device_runs_by_mac ON device_runs (mac, run);
    CREATE TABLE exchanges (
        run       INTEGER NOT NULL,
        device    TEXT NOT NULL,
        step      INTEGER NOT NULL,
        command   TEXT NOT NULL,
        reply     TEXT,
        sent      TEXT NOT NULL,
        answered  TEXT,
        PRIMARY KEY (run, device, step),
        FOREIGN KEY (run, device) REFERENCES device_runs (run, device)
    ) STRICT;",
    // 2: what each firmware answered to words that nobody had seen.
    "CREATE TABLE capabilities (
        firmware  TEXT NOT NULL,
        word      TEXT NOT NULL,
        answer    TEXT NOT NULL,
        updated   TEXT NOT NULL,
        PRIMARY KEY (firmware, word)
    ) STRICT;",
    // 3: what a run found on a device and set out to make of it, to give it back; and which commands did that.
    "ALTER TABLE device_runs ADD COLUMN checkpoint TEXT;
    ALTER TABLE device_runs ADD COLUMN target_config TEXT;
    ALTER TABLE device_runs ADD COLUMN changes TEXT;
    ALTER TABLE device_runs ADD COLUMN owned_before TEXT;
    ALTER TABLE device_runs ADD COLUMN owned_after TEXT;
    ALTER TABLE device_runs ADD COLUMN startup TEXT;
    ALTER TABLE exchanges ADD COLUMN phase TEXT NOT NULL DEFAULT 'apply';",
    // 4: how long devices took over commands.
    "CREATE TABLE timings (
        id        INTEGER PRIMARY KEY AUTOINCREMENT,
        firmware  TEXT NOT NULL,
        kind      TEXT NOT NULL,
        deletes   INTEGER NOT NULL,
        millis    INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX timings_by_work ON timings (firmware, kind, deletes, id);",
    // 5: what a run was to do, as it was shown; what it came to where nothing was sent; and what kind of answer each
    // command got.
    "ALTER TABLE runs ADD COLUMN plan_text TEXT;
    ALTER TABLE runs ADD COLUMN plan_json TEXT;
    ALTER TABLE runs ADD COLUMN undoes INTEGER;
    ALTER TABLE device_runs ADD COLUMN began TEXT;
    ALTER TABLE device_runs ADD COLUMN added INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE device_runs ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE device_runs ADD COLUMN destroyed INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE exchanges ADD COLUMN answer TEXT;
    ALTER TABLE exchanges ADD COLUMN refusal TEXT;
    CREATE TABLE untouched (
        run       INTEGER NOT NULL REFERENCES runs (id),
        device    TEXT NOT NULL,
        outcome   TEXT NOT NULL,
        reason    TEXT NOT NULL,
        PRIMARY KEY (run, device)
    ) STRICT;",
    // 6: the inventory that was last applied as a whole, as far as guards ask for it.
    "CREATE TABLE baselines (
        inventory TEXT PRIMARY KEY,
        document  TEXT NOT NULL,
        updated   TEXT NOT NULL
    ) STRICT;",
    // 7: runs that are kept only if somebody confirms them in time.
    "CREATE TABLE confirmations (
        run         INTEGER PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
        deadline    TEXT,
        verdict     TEXT,
        answered    TEXT,
        answered_by TEXT
    ) STRICT;",
    // 8: who may change a device now, and under which number a run on it writes.
    "CREATE TABLE leases (
        mac       TEXT PRIMARY KEY,
        token     INTEGER NOT NULL,
        holder    TEXT,
        host      TEXT NOT NULL,
        pid       INTEGER NOT NULL,
        presence  TEXT NOT NULL,
        run       INTEGER NOT NULL,
        since     TEXT NOT NULL,
        expires   TEXT NOT NULL
    ) STRICT;
    ALTER TABLE device_runs ADD COLUMN lease INTEGER;",
    // 9: why the plan of a run was refused as a whole, and how often in a row.
    "ALTER TABLE runs ADD COLUMN times INTEGER NOT NULL DEFAULT 1;
    CREATE TABLE refusals (
        run       INTEGER NOT NULL REFERENCES runs (id),
        place     INTEGER NOT NULL,
        source    TEXT NOT NULL,
        name      TEXT NOT NULL,
        device    TEXT,
        number    INTEGER,
        bound     INTEGER,
        message   TEXT NOT NULL,
        PRIMARY KEY (run, place)
    ) STRICT;",
    // 10: which devices a run changes side by side.
    "ALTER TABLE device_runs ADD COLUMN stage INTEGER;",
    // 11: when the file was last looked at as a whole and found sound, which file that was, and how often so far.
    "CREATE TABLE looks (
        place     INTEGER PRIMARY KEY CHECK (place = 1),
        whole     TEXT NOT NULL,
        identity  TEXT,
        times     INTEGER NOT NULL DEFAULT 1
    ) STRICT;",
    // 12: devices that operators have paused without a commit; `*` stands for all of an inventory.
    "CREATE TABLE pauses (
        inventory TEXT NOT NULL,
        device    TEXT NOT NULL,
        reason    TEXT NOT NULL,
        until     TEXT,
        by        TEXT NOT NULL,
        since     TEXT NOT NULL,
        PRIMARY KEY (inventory, device)
    ) STRICT;",
    // 13: the unit whose place another one has taken, until that is brought to what the old one held.
    "ALTER TABLE pins ADD COLUMN replaces TEXT;",
    // 14: what people were told of by a daemon, and what is on its way to them.
    "CREATE TABLE told (
        follower  TEXT NOT NULL,
        key       TEXT NOT NULL,
        value     TEXT NOT NULL,
        PRIMARY KEY (follower, key)
    ) STRICT;
    CREATE TABLE outbox (
        id        INTEGER PRIMARY KEY AUTOINCREMENT,
        follower  TEXT NOT NULL,
        channel   TEXT NOT NULL,
        body      TEXT NOT NULL,
        replaces  TEXT,
        delivery  TEXT,
        written   TEXT NOT NULL
    ) STRICT;
    CREATE INDEX outbox_by_channel ON outbox (follower, channel, id);",
    // 15: plans as they were shown are packed from here on; those that are there stay texts.
    "ALTER TABLE runs ADD COLUMN shown ANY;
    ALTER TABLE runs ADD COLUMN plan ANY;
    UPDATE runs SET shown = plan_text, plan = plan_json;
    ALTER TABLE runs DROP COLUMN plan_text;
    ALTER TABLE runs DROP COLUMN plan_json;",
    // 16: the daemon of an inventory, what people order from it, and devices that they took over from it.
    "CREATE TABLE daemons (
        inventory TEXT PRIMARY KEY,
        who       TEXT NOT NULL,
        host      TEXT NOT NULL,
        pid       INTEGER NOT NULL,
        presence  TEXT NOT NULL,
        follows   TEXT NOT NULL,
        branch    TEXT,
        seen      TEXT NOT NULL
    ) STRICT;
    CREATE TABLE errands (
        id        INTEGER PRIMARY KEY AUTOINCREMENT,
        inventory TEXT NOT NULL,
        commit_id TEXT,
        devices   TEXT NOT NULL,
        who       TEXT NOT NULL,
        host      TEXT NOT NULL,
        presence  TEXT NOT NULL,
        placed    TEXT NOT NULL,
        begun     INTEGER NOT NULL DEFAULT 0,
        ran       TEXT
    ) STRICT;
    ALTER TABLE pauses ADD COLUMN of_daemon INTEGER NOT NULL DEFAULT 0;",
    "CREATE TABLE billing_kept (
        inventory TEXT NOT NULL,
        system    TEXT NOT NULL,
        name      TEXT NOT NULL,
        text      TEXT NOT NULL,
        PRIMARY KEY (inventory, system, name)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE billing_events (
        id        INTEGER PRIMARY KEY AUTOINCREMENT,
        inventory TEXT NOT NULL,
        system    TEXT NOT NULL,
        scope     TEXT NOT NULL,
        told      TEXT NOT NULL,
        UNIQUE (inventory, system, scope)
    ) STRICT;",
];

/// Makes an empty database into one of an older version.
#[cfg(test)]
pub(super) fn make_version(connection: &Connection, version: u8) {
    for step in &STEPS[..usize::from(version)] {
        connection.execute_batch(step).unwrap();
    }
    connection.pragma_update(None, "user_version", version).unwrap();
}

/// The newest version.
pub(super) fn newest() -> i64 {
    i64::try_from(STEPS.len()).unwrap_or(i64::MAX)
}

/// The version of a database; 0 for one that holds nothing yet.
pub(super) fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Brings a database to the newest version, one step per transaction.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    loop {
        // Another process may be migrating at the same moment: look inside the write transaction.
        let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let found = version(&transaction)?;
        let known = newest();
        if found > known {
            let path = transaction.path().unwrap_or_default().into();
            return Err(StoreError::TooNew { path, found, known });
        }
        let Some(step) = usize::try_from(found).ok().and_then(|index| STEPS.get(index)) else {
            return Ok(());
        };
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "user_version", found + 1)?;
        transaction.commit()?;
    }
}
