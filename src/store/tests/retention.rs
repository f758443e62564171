//! What is kept of old runs.

use super::*;

/// A run that ends on the device like this, begun on this day of January 2026.
async fn dated(store: &Store, path: &std::path::Path, day: u32, mac: MacAddr, state: DeviceRunState) -> RunId {
    let run = run(store).await;
    let device = DeviceRun {
        mac,
        ..begin("maple-a", Vec::new())
    };
    store.begin_device(run, device).await.unwrap();
    let number = store.sending(run, "maple-a", Phase::Apply, "one").await.unwrap();
    store
        .answered(run, "maple-a", number, Answered::Accepted, "")
        .await
        .unwrap();
    store.device_state(run, "maple-a", state, None).await.unwrap();
    store.finish_run(run, "done", Vec::new()).await.unwrap();
    let started = format!("2026-01-{day:02}T00:00:00.000Z");
    rusqlite::Connection::open(path)
        .unwrap()
        .execute(
            "UPDATE runs SET started = ?2 WHERE id = ?1",
            rusqlite::params![run.number(), started],
        )
        .unwrap();
    run
}

#[tokio::test]
async fn what_is_old_is_forgotten_but_never_what_a_device_holds_or_is_in_the_middle_of() {
    use DeviceRunState::{Failed, RolledBack, Saved};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let store = Store::open(&path).unwrap();
    let elsewhere = MacAddr::new([0, 0x0e, 0xd8, 9, 9, 9]);
    let mut runs = Vec::new();
    for (day, mac, state) in [
        (1, elsewhere, Saved),
        (2, MAC, Failed),
        (3, MAC, Saved),
        (4, MAC, RolledBack),
        (5, MAC, Saved),
        (6, MAC, Failed),
        (7, MAC, RolledBack),
    ] {
        runs.push(dated(&store, &path, day, mac, state).await);
    }
    let keep = |since: &str, runs| Keep {
        since: since.parse().unwrap(),
        runs,
    };
    let left = async || {
        let runs = store.runs(Runs::default()).await.unwrap();
        let mut numbers: Vec<i64> = runs.into_iter().map(|run| run.run.number()).collect();
        numbers.reverse();
        numbers
    };
    assert_eq!(store.forget(keep("2026-01-01T00:00:00Z", 100)).await.unwrap(), 0);
    // By age: the failed run was overtaken by a saved one, the only one of the other device stays.
    assert_eq!(store.forget(keep("2026-01-04T00:00:00Z", 100)).await.unwrap(), 2);
    assert_eq!(left().await, [1, 4, 5, 6, 7]);
    // By number.
    assert_eq!(store.forget(keep("2026-01-01T00:00:00Z", 3)).await.unwrap(), 1);
    assert_eq!(left().await, [1, 5, 6, 7]);
    // However old: what is there now, and what may have been left in the middle.
    store.forget(keep("2027-01-01T00:00:00Z", 1)).await.unwrap();
    assert_eq!(left().await, [1, 5, 6]);
    assert!(store.exchanges(runs[2], "maple-a").await.unwrap().is_empty());
    assert_eq!(store.exchanges(runs[4], "maple-a").await.unwrap().len(), 1);
}
