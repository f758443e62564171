//! Plans that were refused as a whole.

use super::*;

fn info(plan: &str) -> RunInfo {
    RunInfo {
        actor: "someone".to_owned(),
        commit: Some("abc".to_owned()),
        plan: Some(WrittenPlan {
            text: Packed::text(plan),
            json: Packed::text(plan),
        }),
        undoes: None,
    }
}

fn reasons() -> Vec<PlanRefusal> {
    let guard = PlanRefusal {
        by: Refuser::Guard,
        name: "destroy-per-device".to_owned(),
        device: Some("maple-a".to_owned()),
        number: Some(6),
        limit: Some(5),
        message: "the plan destroys 6 subscribers on maple-a; at most 5".to_owned(),
    };
    let rule = PlanRefusal {
        by: Refuser::Rule,
        name: "fridays".to_owned(),
        device: None,
        number: None,
        limit: None,
        message: "not on Fridays".to_owned(),
    };
    vec![guard, rule]
}

fn untouched() -> Vec<Untouched> {
    vec![Untouched {
        device: "maple-a".to_owned(),
        outcome: "not-started".to_owned(),
        reason: "refused".to_owned(),
    }]
}

async fn refuse(store: &Store, plan: &str) -> RunId {
    store.refuse_run(info(plan), reasons(), untouched()).await.unwrap()
}

#[tokio::test]
async fn a_refused_plan_is_a_run_that_is_over_and_touched_nothing() {
    let store = Store::in_memory().unwrap();
    let run = refuse(&store, "one").await;
    let entry = store.run(run).await.unwrap().unwrap();
    assert_eq!(entry.outcome.as_deref(), Some("refused"));
    assert!(entry.finished.is_some());
    assert_eq!(entry.refusals, reasons());
    assert_eq!(entry.untouched, untouched());
    assert!(entry.devices.is_empty());
    assert_eq!(store.plan_of(run).await.unwrap().unwrap().text, Packed::text("one"));
    assert_eq!(last_run(&store).await, None);
    assert!(store.incomplete().await.unwrap().is_empty());
    let of_device = Runs {
        device: Some("maple-a".to_owned()),
        limit: None,
    };
    assert_eq!(store.runs(of_device).await.unwrap().len(), 1);
}

#[tokio::test]
async fn the_same_refusal_again_is_counted_until_something_was_done() {
    let store = Store::in_memory().unwrap();
    let first = refuse(&store, "one").await;
    let other = refuse(&store, "two").await;
    assert_ne!(first, other);
    // Two plans that are refused in turn, every few minutes.
    assert_eq!(refuse(&store, "one").await, first);
    assert_eq!(refuse(&store, "two").await, other);
    assert_eq!(refuse(&store, "one").await, first);
    let entry = store.run(first).await.unwrap().unwrap();
    assert_eq!((entry.times, entry.refusals.len()), (3, 2));
    // Somebody else, or another commit, is another story.
    let by = |actor: &str, commit: Option<&str>| RunInfo {
        actor: actor.to_owned(),
        commit: commit.map(str::to_owned),
        ..info("one")
    };
    for info in [by("somebody else", Some("abc")), by("someone", None)] {
        assert!(store.refuse_run(info, reasons(), untouched()).await.unwrap() > other);
    }
    let begun = run(&store).await;
    store.begin_device(begun, begin("maple-a", Vec::new())).await.unwrap();
    assert!(refuse(&store, "one").await > begun);
}

#[tokio::test]
async fn a_refused_plan_is_forgotten_like_any_run() {
    let store = Store::in_memory().unwrap();
    let old = refuse(&store, "one").await;
    let new = refuse(&store, "two").await;
    let keep = Keep {
        since: jiff::Timestamp::MIN,
        runs: 1,
    };
    assert_eq!(store.forget(keep).await.unwrap(), 1);
    assert!(store.run(old).await.unwrap().is_none());
    assert!(store.run(new).await.unwrap().is_some());
}
