use std::time::Duration;

use super::*;
use crate::domain::{EndpointId, Firmware, MacAddr};
use crate::observed::{Endpoint, Kind, Object, ObjectId};
use crate::plan::impact::duration::{Timings, Work};
use crate::plan::model::Summary;
use crate::plan::record::Record;

const MAC: MacAddr = MacAddr::new([0, 0x0e, 0xd8, 1, 2, 3]);

fn record(key: &str, number: u64) -> Record {
    let endpoint = Endpoint {
        name: key.to_owned(),
        mac: Some(MAC),
        ..Endpoint::default()
    };
    Record {
        key: key.to_owned(),
        object: ObjectId::Endpoint(EndpointId::try_from(number).unwrap()),
        name: key.to_owned(),
        binding: Some(MAC),
        protect: true,
        applied: Some(Object::Endpoint(endpoint)),
    }
}

fn begin(device: &str, claims: Vec<Record>) -> DeviceRun {
    DeviceRun {
        device: device.to_owned(),
        mac: MAC,
        base: "a".to_owned(),
        target: "b".to_owned(),
        claims,
        checkpoint: Checkpoint::default(),
        summary: Summary::default(),
        lease: None,
        stage: 1,
    }
}

async fn run(store: &Store) -> RunId {
    store
        .begin_run(RunInfo {
            actor: "someone".to_owned(),
            commit: None,
            plan: None,
            undoes: None,
        })
        .await
        .unwrap()
}

#[tokio::test]
async fn records_come_in_the_order_in_which_plans_hold_them() {
    let store = Store::in_memory().unwrap();
    let of = |key: &str, object: ObjectId| Record {
        object,
        applied: None,
        ..record(key, 1)
    };
    let mut records = vec![
        of("s-10", ObjectId::Subscriber(1.try_into().unwrap())),
        of("s-9", ObjectId::Subscriber(2.try_into().unwrap())),
        of("hostname", ObjectId::System),
        of("gold", ObjectId::Profile(2.try_into().unwrap())),
        of("2", ObjectId::Port(2.try_into().unwrap())),
        of("10", ObjectId::Port(10.try_into().unwrap())),
        of("s-9", ObjectId::Endpoint(1.try_into().unwrap())),
    ];
    store.record(MAC, records.clone(), None, false, None).await.unwrap();
    records.sort_by(|one, other| one.place().cmp(&other.place()));
    assert_eq!(store.records(MAC).await.unwrap(), records);
}

/// The latest run on the device that was not taken back.
async fn last_run(store: &Store) -> Option<journal::RunSummary> {
    let firmware: Firmware = "GAM-4/8-C_v1.5.4".parse().unwrap();
    store.known(MAC, &firmware).await.unwrap().last
}

#[tokio::test]
async fn a_pin_is_found_under_the_key_that_a_device_had_before() {
    let store = Store::in_memory().unwrap();
    let pin = Pin {
        host_key: Some("ssh-ed25519 AAAA".to_owned()),
        mac: Some(MAC),
        ..Pin::default()
    };
    let taken = store.set_pin("old", pin.clone(), |key| key == "new").await.unwrap();
    assert_eq!(taken, None);
    assert_eq!(store.pin("new", None).await.unwrap(), None);
    assert_eq!(store.pin("new", Some("old")).await.unwrap(), Some(pin));
}

#[tokio::test]
async fn what_a_killed_run_was_making_is_owned_and_its_run_unfinished() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/state.db");
    {
        let store = Store::open(&path).unwrap();
        let run = run(&store).await;
        store
            .begin_device(run, begin("maple-a", vec![record("s-1", 4)]))
            .await
            .unwrap();
        store
            .sending(run, "maple-a", Phase::Apply, "ghn endpoint 4")
            .await
            .unwrap();
    }
    let store = Store::open(&path).unwrap();
    assert_eq!(last_run(&store).await.unwrap().state, DeviceRunState::Sending);
    assert_eq!(store.records(MAC).await.unwrap(), vec![record("s-1", 4)]);
}

#[tokio::test]
async fn finishing_a_device_replaces_its_records() {
    let store = Store::in_memory().unwrap();
    let run = run(&store).await;
    store
        .begin_device(run, begin("maple-a", vec![record("s-1", 4)]))
        .await
        .unwrap();
    store
        .finish_device(run, "maple-a", MAC, vec![record("s-2", 5)])
        .await
        .unwrap();
    assert_eq!(store.records(MAC).await.unwrap(), vec![record("s-2", 5)]);
    assert_eq!(last_run(&store).await.unwrap().state, DeviceRunState::Saved);
}

#[tokio::test]
async fn a_replacement_takes_over_the_records() {
    let store = Store::in_memory().unwrap();
    store
        .record(MAC, vec![record("s-1", 4)], None, false, None)
        .await
        .unwrap();
    let new = MacAddr::new([0, 0x0e, 0xd8, 9, 9, 9]);
    store.move_records(MAC, new).await.unwrap();
    assert_eq!(store.records(MAC).await.unwrap(), vec![]);
    assert_eq!(store.records(new).await.unwrap(), vec![record("s-1", 4)]);
}

#[test]
fn a_database_from_the_future_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    drop(Store::open(&path).unwrap());
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    let error = Store::open(&path).unwrap_err();
    assert!(matches!(error, StoreError::TooNew { found: 99, .. }), "{error}");
    assert!(error.to_string().contains("state.db"), "{error}");
}

/// Closes the file, and waits until its thread has come to it: the last one to close it takes its log away.
async fn close(store: Store) {
    let mut log = store.file.as_ref().unwrap().path.clone().into_os_string();
    log.push("-wal");
    drop(store);
    while Path::new(&log).exists() {
        tokio::task::yield_now().await;
    }
}

/// A database with a run in it, closed, and its bytes.
async fn a_database(folder: &Path) -> (PathBuf, Vec<u8>) {
    let path = folder.join("state.db");
    let store = Store::open(&path).unwrap();
    let run = run(&store).await;
    let claims = (1..=40).map(|number| record(&format!("s-{number}"), number)).collect();
    store.begin_device(run, begin("maple-a", claims)).await.unwrap();
    close(store).await;
    let bytes = std::fs::read(&path).unwrap();
    (path, bytes)
}

#[tokio::test]
async fn what_is_no_database_of_ours_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let (path, whole) = a_database(folder.path()).await;
    let page = 4096;
    assert!(whole.len() > 4 * page, "{}", whole.len());
    let mut overwritten = whole.clone();
    overwritten[page..3 * page].fill(0x5a);
    let mut header = whole.clone();
    header[..16].fill(b'x');
    let damaged = [
        whole[..whole.len() / 2].to_vec(),
        whole[..page].to_vec(),
        whole[..100].to_vec(),
        whole[..1].to_vec(),
        overwritten,
        header,
        b"pins: {}\n".to_vec(),
    ];
    for bytes in damaged {
        std::fs::write(&path, &bytes).unwrap();
        let error = Store::open(&path).unwrap_err();
        assert!(
            matches!(error, StoreError::Damaged { .. }),
            "{} bytes: {error:?}",
            bytes.len()
        );
        assert!(error.help().unwrap().contains("set it aside"), "{error:?}");
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
    }
    std::fs::write(&path, &whole).unwrap();
    assert!(Store::open(&path).is_ok());
}

#[test]
fn somebody_elses_database_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    for version in [0, 2] {
        let path = folder.path().join(format!("{version}.db"));
        let connection = rusqlite::Connection::open(&path).unwrap();
        connection.execute_batch("CREATE TABLE bookmarks (url TEXT)").unwrap();
        connection.pragma_update(None, "user_version", version).unwrap();
        drop(connection);
        let before = std::fs::read(&path).unwrap();
        let error = Store::open(&path).unwrap_err();
        assert!(matches!(error, StoreError::Foreign { .. }), "{error:?}");
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }
}

#[tokio::test]
async fn a_database_that_another_process_holds_is_said_to_be() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let store = Store::open_within(&path, Duration::ZERO, look::SMALL).unwrap();
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = store.pin("maple-a", None).await.unwrap_err();
    assert!(matches!(error, StoreError::InUse { .. }), "{error:?}");
    assert!(error.to_string().contains("state.db"), "{error}");
    other.execute_batch("COMMIT").unwrap();
    assert!(store.pin("maple-a", None).await.is_ok());

    drop(store);
    let mode = "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; CREATE TABLE x (y);";
    // Until the thread of the one that was dropped has closed it.
    while other.execute_batch(mode).is_err() {
        let _ = other.execute_batch("ROLLBACK");
        tokio::task::yield_now().await;
    }
    let error = Store::open_within(&path, Duration::ZERO, look::SMALL).unwrap_err();
    assert!(matches!(error, StoreError::InUse { .. }), "{error:?}");
}

#[tokio::test]
async fn a_full_disk_is_said_to_be_one_and_nothing_half_written_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let store = Store::open(&path).unwrap();
    let run = run(&store).await;
    // SQLite says of a database that may not grow what it says of a full disk.
    let pages = |change: &'static str| {
        store.call(move |db| Ok(db.query_row(&format!("PRAGMA {change}"), [], |row| row.get::<_, i64>(0))?))
    };
    let held = pages("page_count").await.unwrap();
    assert_eq!(pages("max_page_count = 1").await.unwrap(), held);
    let claims: Vec<Record> = (1..=99).map(|number| record(&format!("s-{number}"), number)).collect();
    let error = store
        .begin_device(run, begin("maple-a", claims.clone()))
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::Unwritable { .. }), "{error:?}");
    assert_eq!(store.records(MAC).await.unwrap(), vec![]);
    assert_eq!(last_run(&store).await, None);
    pages("max_page_count = 100000").await.unwrap();
    store.begin_device(run, begin("maple-a", claims)).await.unwrap();
}

#[tokio::test]
async fn two_processes_worth_of_handles_share_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let (a, b) = (Store::open(&path).unwrap(), Store::open(&path).unwrap());
    let (first, second) = tokio::join!(run(&a), run(&b));
    assert_ne!(first, second);
}

#[tokio::test]
async fn one_device_is_pinned_to_one_key_of_an_inventory() {
    let store = Store::in_memory().unwrap();
    let pin = Pin {
        mac: Some(MAC),
        ..Pin::default()
    };
    let set = |key: &'static str, other: &'static str| store.set_pin(key, pin.clone(), move |key| key == other);
    assert_eq!(set("maple", "elm").await.unwrap(), None);
    assert_eq!(set("elm", "maple").await.unwrap(), Some("maple".to_owned()));
    assert_eq!(store.pin("elm", None).await.unwrap(), None);
    // A key that has left the inventory is no rival.
    assert_eq!(set("elm", "oak").await.unwrap(), None);
}

#[tokio::test]
async fn what_was_found_saved_settles_an_unfinished_run() {
    let store = Store::in_memory().unwrap();
    let run = run(&store).await;
    store.begin_device(run, begin("maple-a", Vec::new())).await.unwrap();
    assert!(last_run(&store).await.unwrap().state.is_unfinished());
    store.record(MAC, Vec::new(), None, false, None).await.unwrap();
    assert!(last_run(&store).await.unwrap().state.is_unfinished());
    store.record(MAC, Vec::new(), None, true, None).await.unwrap();
    let last = last_run(&store).await.unwrap();
    assert_eq!(
        (last.state, last.state.is_unfinished()),
        (DeviceRunState::Settled, false)
    );
}

fn firmware(text: &str) -> crate::domain::Firmware {
    text.parse().unwrap()
}

#[tokio::test]
async fn answers_are_kept_per_firmware_and_the_last_one_counts() {
    use crate::observed::{Answer, AssumedWord};
    let store = Store::in_memory().unwrap();
    let (one, other) = (firmware("GAM-12/24-M_v1.8.0"), firmware("GAM-12/24-M_v1.8.2"));
    let first = vec![(AssumedWord::Trunk, Answer::No), (AssumedWord::OuterVlan, Answer::Yes)];
    store.learn(&one, first).await.unwrap();
    store
        .learn(&one, vec![(AssumedWord::Trunk, Answer::Ignored)])
        .await
        .unwrap();
    assert_eq!(
        store.learned(&one).await.unwrap(),
        [
            (AssumedWord::OuterVlan, Answer::Yes),
            (AssumedWord::Trunk, Answer::Ignored)
        ]
    );
    assert_eq!(store.learned(&other).await.unwrap(), []);
}

#[tokio::test]
async fn a_database_of_the_first_version_is_brought_up_with_what_it_holds() {
    use crate::observed::{Answer, AssumedWord};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let connection = rusqlite::Connection::open(&path).unwrap();
    migrations::make_version(&connection, 1);
    connection
        .execute(
            "INSERT INTO pins (device, updated) VALUES ('maple-a', '2026-01-01')",
            [],
        )
        .unwrap();
    drop(connection);
    let store = Store::open(&path).unwrap();
    assert_eq!(store.pin("maple-a", None).await.unwrap(), Some(Pin::default()));
    let firmware = firmware("GAM-4/8-C_v1.5.4");
    store
        .learn(&firmware, vec![(AssumedWord::PoeEnableForce, Answer::No)])
        .await
        .unwrap();
    assert_eq!(
        store.learned(&firmware).await.unwrap(),
        [(AssumedWord::PoeEnableForce, Answer::No)]
    );
}

#[tokio::test]
async fn plans_from_before_they_were_packed_are_still_shown() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let connection = rusqlite::Connection::open(&path).unwrap();
    migrations::make_version(&connection, 14);
    let insert =
        "INSERT INTO runs (id, started, actor, plan_text, plan_json) VALUES (7, '2026-01-01', 'me', 'shown', '{}')";
    connection.execute(insert, []).unwrap();
    drop(connection);
    let store = Store::open(&path).unwrap();
    let plan = store.plan_of(RunId(7)).await.unwrap().unwrap();
    let unpacked = [&plan.text, &plan.json].map(|packed| packed.unpack().unwrap());
    assert_eq!(unpacked, ["shown", "{}"]);
}

fn config(name: &str) -> crate::observed::DeviceConfig {
    let endpoint = Endpoint {
        name: name.to_owned(),
        mac: Some(MAC),
        // What the parser kept of a line that it does not know.
        unknown: vec!["future-word 3".to_owned()],
        ..Endpoint::default()
    };
    let mut config = crate::observed::DeviceConfig {
        endpoints: [(4.try_into().unwrap(), endpoint)].into(),
        hostname: name.to_owned(),
        ..crate::observed::DeviceConfig::default()
    };
    let port = crate::observed::Port {
        shutdown: true,
        ..crate::observed::Port::default()
    };
    config.set_port(2.try_into().unwrap(), port);
    config
}

#[tokio::test]
async fn a_checkpoint_is_found_by_another_process_as_it_was_written() {
    use crate::observed::{Change, FromTo};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let mut begin = begin("maple-a", vec![record("s-1", 4)]);
    begin.checkpoint = Checkpoint {
        before: config("before"),
        target: config("after"),
        changes: vec![Change::SetHostname(FromTo {
            from: "before".to_owned(),
            to: "after".to_owned(),
        })],
        owned_before: vec![record("s-2", 5)],
        owned_after: vec![record("s-1", 4)],
        startup: Some("abc".to_owned()),
    };
    let run = {
        let store = Store::open(&path).unwrap();
        let run = run(&store).await;
        store.begin_device(run, begin.clone()).await.unwrap();
        run
    };
    let store = Store::open(&path).unwrap();
    assert_eq!(store.checkpoint(run, "maple-a").await.unwrap(), Some(begin.checkpoint));
    assert_eq!(store.checkpoint(run, "maple-b").await.unwrap(), None);
}

#[tokio::test]
async fn a_run_that_was_taken_back_leaves_ownership_and_commits_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let store = Store::open(&path).unwrap();
    let before = vec![record("s-1", 4), record("s-2", 5)];
    store
        .record(MAC, before.clone(), Some("c0ffee".to_owned()), false, None)
        .await
        .unwrap();
    let cut = run(&store).await;
    store.begin_device(cut, begin("maple-a", Vec::new())).await.unwrap();
    let failed = run(&store).await;
    let claims = vec![record("s-2", 6), record("s-3", 7)];
    store.begin_device(failed, begin("maple-a", claims)).await.unwrap();
    store
        .roll_back_device(failed, "maple-a", MAC, before.clone(), Some("refused".to_owned()))
        .await
        .unwrap();
    assert_eq!(store.records(MAC).await.unwrap(), before);
    let commits: Vec<Option<String>> = rusqlite::Connection::open(&path)
        .unwrap()
        .prepare("SELECT commit_id FROM objects")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(commits, [Some("c0ffee".to_owned()), Some("c0ffee".to_owned())]);
    // The run before it still has something to finish: what was taken back hides nothing.
    let last = last_run(&store).await.unwrap();
    assert_eq!((last.run, last.state), (cut, DeviceRunState::Sending));
}

#[tokio::test]
async fn what_commands_took_is_a_median_of_the_last_ones_of_that_firmware() {
    let store = Store::in_memory().unwrap();
    let (ours, other): (Firmware, Firmware) =
        ("GAM-4/8-C_v1.8.2".parse().unwrap(), "GAM-4/8-C_v1.7.0".parse().unwrap());
    let work = |deletes| Work {
        kind: Kind::Subscriber,
        deletes,
    };
    let took = |millis: u64| (work(false), Duration::from_millis(millis));
    store.took(&other, vec![took(9000)]).await.unwrap();
    // Slow once, quick ever since: what is long ago is forgotten.
    store.took(&ours, (0..30).map(|_| took(5000)).collect()).await.unwrap();
    store
        .took(&ours, (0..21).map(|nth| took(100 + nth)).collect())
        .await
        .unwrap();
    store
        .took(&ours, vec![(work(true), Duration::from_millis(700))])
        .await
        .unwrap();
    let expected = Timings::of([took(110), (work(true), Duration::from_millis(700))]);
    assert_eq!(store.known(MAC, &ours).await.unwrap().timings, expected);
    assert_eq!(
        store.known(MAC, &other).await.unwrap().timings,
        Timings::of([took(9000)])
    );
}

#[tokio::test]
async fn the_first_word_on_a_run_counts_and_the_clock_has_one() {
    let store = Store::in_memory().unwrap();
    let silent = run(&store).await;
    assert_eq!(store.answer(silent, Verdict::Keep, "me").await.unwrap(), None);

    let asking = run(&store).await;
    store.ask_confirmation(asking).await.unwrap();
    store.begin_device(asking, begin("maple-a", Vec::new())).await.unwrap();
    store.hold_device(asking, "maple-a", config("after")).await.unwrap();
    let held = store.checkpoint(asking, "maple-a").await.unwrap().unwrap();
    assert_eq!(held.target, config("after"));
    let standing = store.unconfirmed(MAC).await.unwrap().unwrap();
    assert_eq!(
        (standing.run, standing.deadline, standing.verdict),
        (asking, None, None)
    );

    let second = jiff::Timestamp::from_second(1).unwrap();
    store.await_confirmation(asking, second).await.unwrap();
    let standing = store.confirmation(asking).await.unwrap().unwrap();
    assert_eq!(standing.verdict_at(jiff::Timestamp::from_second(0).unwrap()), None);
    assert_eq!(standing.verdict_at(second), Some(Verdict::Expired));
    // Too late: what counts, and stays, is the clock's.
    for wanted in [Verdict::Keep, Verdict::Reject] {
        assert_eq!(
            store.answer(asking, wanted, "me").await.unwrap(),
            Some(Verdict::Expired)
        );
    }
    let reason = Some("not confirmed".to_owned());
    let rolled_back = store.roll_back_device(asking, "maple-a", MAC, Vec::new(), reason);
    rolled_back.await.unwrap();
    assert_eq!(store.unconfirmed(MAC).await.unwrap(), None);
    assert_eq!(
        store.devices_of(asking).await.unwrap()[0].state,
        DeviceRunState::RolledBack
    );
}

mod billing;
mod daemons;
mod leases;
mod looks;
mod refused;
mod retention;

#[tokio::test]
async fn jobs_that_share_a_transaction_fail_each_alone() {
    let store = Store::in_memory().unwrap();
    let put = |word: &'static str| {
        store.call(move |db| {
            db.execute("CREATE TABLE IF NOT EXISTS words (word TEXT UNIQUE)", [])?;
            db.execute("INSERT INTO words VALUES (?1)", [word])?;
            if word == "taken back" {
                Err(StoreError::Closed)
            } else {
                Ok(word)
            }
        })
    };
    let (one, back, again, other) = tokio::join!(put("one"), put("taken back"), put("one"), put("other"));
    assert_eq!((one.unwrap(), other.unwrap()), ("one", "other"));
    assert!(matches!(back, Err(StoreError::Closed)));
    assert!(matches!(again, Err(StoreError::Query(_))));
    let words = store.call(|db| {
        let mut query = db.prepare("SELECT word FROM words ORDER BY word")?;
        let words = query.query_map([], |row| row.get(0))?;
        Ok(words.collect::<Result<Vec<String>, _>>()?)
    });
    assert_eq!(words.await.unwrap(), ["one", "other"]);
}
