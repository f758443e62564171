//! The daemon that looks after an inventory, and what people order from it.

use super::*;

fn at(seconds: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn daemon() -> RunningDaemon {
    RunningDaemon {
        who: "gamops-daemon@noc1".to_owned(),
        pid: 4711,
        follows: "git@git.example.org:isp/network.git".to_owned(),
        branch: Some("main".to_owned()),
    }
}

fn errand(device: &str) -> Errand {
    Errand {
        commit: Some("3f0c2d81aa4e".to_owned()),
        devices: vec![device.to_owned(), "harbour".to_owned()],
        by: "alice@noc1".to_owned(),
    }
}

#[tokio::test]
async fn a_daemon_is_there_as_long_as_its_process_lives() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let (a, b) = (Store::open(&path).unwrap(), Store::open(&path).unwrap());
    assert_eq!(b.daemon("isp", at(0)).await.unwrap(), None);
    a.put_daemon("isp", daemon(), at(0)).await.unwrap();
    // On this machine its sign of life counts and no clock.
    assert_eq!(b.daemon("isp", at(1_000_000)).await.unwrap(), Some(daemon()));
    assert_eq!(b.daemon("another", at(0)).await.unwrap(), None);
    drop(a);
    assert_eq!(b.daemon("isp", at(0)).await.unwrap(), None);
    // Of another machine nothing but the clock is known.
    a_daemon_elsewhere(&b).await;
    assert_eq!(b.daemon("isp", at(60)).await.unwrap(), Some(daemon()));
    assert_eq!(b.daemon("isp", at(1801)).await.unwrap(), None);
}

async fn a_daemon_elsewhere(store: &Store) {
    store.put_daemon("isp", daemon(), at(0)).await.unwrap();
    let moved = store.call(|db| Ok(db.execute("UPDATE daemons SET host = 'elsewhere'", [])?));
    assert_eq!(moved.await.unwrap(), 1);
}

#[tokio::test]
async fn errands_are_done_once_in_their_order_and_only_while_somebody_waits() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let (daemon, person) = (Store::open(&path).unwrap(), Store::open(&path).unwrap());
    let gone = Store::open(&path).unwrap();
    gone.order("isp", errand("maple"), at(0)).await.unwrap();
    drop(gone);
    let first = person.order("isp", errand("oak"), at(1)).await.unwrap();
    let back = person.order("isp", errand("elm"), at(1)).await.unwrap();
    let last = person.order("isp", errand("ash"), at(1)).await.unwrap();
    assert!(person.take_back(back).await.unwrap());

    let begun = daemon.begin_errand("isp", at(2)).await.unwrap();
    assert_eq!(begun, Some((first, errand("oak"))));
    assert!(!person.take_back(first).await.unwrap());
    assert_eq!(person.errand(first).await.unwrap(), Way::Begun);
    assert_eq!(person.errand(last).await.unwrap(), Way::Waits);
    let ran = Ran {
        run: Some(7),
        ..Ran::default()
    };
    daemon.end_errand(first, &ran).await.unwrap();
    assert_eq!(person.errand(first).await.unwrap(), Way::Done(ran));
    assert_eq!(
        daemon.begin_errand("isp", at(2)).await.unwrap(),
        Some((last, errand("ash")))
    );
    assert_eq!(daemon.begin_errand("isp", at(2)).await.unwrap(), None);
}
