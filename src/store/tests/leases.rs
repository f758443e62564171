//! Who may change a device, and who may not any more.

use super::*;

fn at(seconds: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

async fn take(store: &Store, run: RunId, seconds: i64) -> Result<Lease, Holder> {
    let wanted = Wanted {
        who: "alice@noc1".to_owned(),
        run,
        ttl: Duration::from_secs(60),
    };
    store.lease(MAC, wanted, at(seconds)).await.unwrap()
}

#[tokio::test]
async fn a_device_is_held_by_one_run_until_that_lets_go_and_the_holder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let (a, b) = (Store::open(&path).unwrap(), Store::open(&path).unwrap());
    let (first, second) = (run(&a).await, run(&b).await);
    let held = take(&a, first, 0).await.unwrap();
    let holder = take(&b, second, 1).await.unwrap_err();
    let pid = std::process::id();
    assert_eq!(
        holder.to_string(),
        format!("alice@noc1, process {pid}, since 2027-01-15T08:00:00Z, run 1")
    );
    assert_eq!(holder.ends(), "2027-01-15T08:01:00Z");
    // Another task of the same process is somebody else as well.
    assert!(take(&a, first, 1).await.is_err());
    let other = MacAddr::new([0, 0x0e, 0xd8, 9, 9, 9]);
    let wanted = Wanted {
        who: String::new(),
        run: second,
        ttl: Duration::from_secs(60),
    };
    assert!(b.lease(other, wanted, at(1)).await.unwrap().is_ok());
    let token = held.token();
    drop(held);
    // The store of the one that lets go writes that down before anything that comes after it.
    let again = take(&a, first, 1).await.unwrap();
    assert!(again.token() > token);
}

#[tokio::test]
async fn a_lease_that_is_renewed_goes_on_and_one_that_is_not_ends_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let (a, b) = (Store::open(&path).unwrap(), Store::open(&path).unwrap());
    let (first, second) = (run(&a).await, run(&b).await);
    let held = take(&a, first, 0).await.unwrap();
    let ttl = Duration::from_secs(60);
    assert!(a.renew(MAC, held.token(), ttl, at(50)).await.unwrap());
    assert!(take(&b, second, 109).await.is_err());
    let taken = take(&b, second, 110).await.unwrap();
    assert!(!a.renew(MAC, held.token(), ttl, at(111)).await.unwrap());
    // Letting go of what is lost takes nothing from the new holder.
    drop(held);
    assert!(a.renew(MAC, taken.token(), ttl, at(112)).await.unwrap());
}

#[tokio::test]
async fn the_leases_of_a_process_that_is_gone_are_free_at_once_on_its_machine_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let a = Store::open(&path).unwrap();
    let first = run(&a).await;
    let held = take(&a, first, 0).await.unwrap();
    // As after a kill: the lease stands, and nobody keeps the file.
    std::mem::forget(held);
    let dies = |host: Option<&str>| {
        let connection = rusqlite::Connection::open(&path).unwrap();
        connection
            .execute(
                "UPDATE leases SET presence = 'of-a-dead-process', host = coalesce(?1, host)",
                [host],
            )
            .unwrap();
    };
    dies(Some("elsewhere"));
    assert!(take(&a, first, 59).await.is_err(), "nobody knows whether it lives");
    let here = host_name();
    dies(Some(&here));
    assert!(take(&a, first, 1).await.is_ok());
}

#[tokio::test]
async fn a_holder_that_was_taken_over_can_write_nothing_more() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let (a, b) = (Store::open(&path).unwrap(), Store::open(&path).unwrap());
    let (asleep, next) = (run(&a).await, run(&b).await);
    let old = take(&a, asleep, 0).await.unwrap();
    let begun = |lease: &Lease| DeviceRun {
        lease: Some(lease.token()),
        ..begin("maple-a", vec![record("s-1", 4)])
    };
    a.begin_device(asleep, begun(&old)).await.unwrap();
    let number = a.sending(asleep, "maple-a", Phase::Apply, "one").await.unwrap();

    let new = take(&b, next, 61).await.unwrap();
    let lost = a.sending(asleep, "maple-a", Phase::Apply, "two").await.unwrap_err();
    assert_eq!(
        lost.to_string(),
        "alice@noc1 took the device over, since this run had shown no sign of life for too long; nothing more is sent"
    );
    let is_lost =
        |result: Result<(), StoreError>| assert!(matches!(result, Err(StoreError::TakenOver { .. })), "{result:?}");
    is_lost(a.device_state(asleep, "maple-a", DeviceRunState::Verified, None).await);
    is_lost(a.finish_device(asleep, "maple-a", MAC, Vec::new()).await);
    is_lost(a.roll_back_device(asleep, "maple-a", MAC, Vec::new(), None).await);
    is_lost(a.record(MAC, Vec::new(), None, false, Some(old.token())).await);
    is_lost(a.begin_device(asleep, begun(&old)).await);
    // What a command in flight was answered is the truth whoever holds the device.
    a.answered(asleep, "maple-a", number, Answered::Accepted, "")
        .await
        .unwrap();
    assert_eq!(a.exchanges(asleep, "maple-a").await.unwrap().len(), 1);
    assert_eq!(b.records(MAC).await.unwrap(), vec![record("s-1", 4)]);
    // The new holder writes.
    b.begin_device(next, begun(&new)).await.unwrap();
    b.sending(next, "maple-a", Phase::Apply, "two").await.unwrap();
    b.finish_device(next, "maple-a", MAC, Vec::new()).await.unwrap();
    drop(new);
    // Nor does the old one once the new one has gone.
    assert!(a.sending(asleep, "maple-a", Phase::Apply, "two").await.is_err());
}
