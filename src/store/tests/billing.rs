use jiff::Timestamp;

use super::*;

#[tokio::test]
async fn what_is_kept_for_a_billing_system_is_its_own() {
    let store = Store::in_memory().unwrap();
    let kept = async |inventory, system| store.billing_kept(inventory, system, "memory").await.unwrap();
    let keep = async |system, text: &str| {
        let kept = store.keep_billing("isp", system, "memory", text.to_owned()).await;
        kept.unwrap();
    };
    assert_eq!(kept("isp", "splynx").await, None);
    keep("splynx", "one").await;
    keep("sonar", "two").await;
    keep("splynx", "three").await;
    assert_eq!(kept("isp", "splynx").await.as_deref(), Some("three"));
    assert_eq!(kept("isp", "sonar").await.as_deref(), Some("two"));
    assert_eq!(kept("other", "splynx").await, None);
}

#[tokio::test]
async fn what_is_told_again_while_it_is_looked_at_is_looked_at_again() {
    let store = Store::in_memory().unwrap();
    let told = async |scope| {
        store
            .put_billing_event("isp", "splynx", scope, Timestamp::now())
            .await
            .unwrap()
    };
    let open = async || {
        let events = store.billing_events("isp", "splynx").await.unwrap();
        events.iter().map(|event| event.scope.clone()).collect::<Vec<_>>()
    };
    told("1001").await;
    told("1002").await;
    told("1001").await;
    assert_eq!(open().await, ["1002", "1001"], "the same once, as told last");
    let last = store.billing_events("isp", "splynx").await.unwrap().pop().unwrap();
    told("1001").await;
    store.drop_billing_events("isp", "splynx", last.id).await.unwrap();
    assert_eq!(open().await, ["1001"]);
    store.drop_billing_events("isp", "sonar", i64::MAX).await.unwrap();
    assert_eq!(open().await, ["1001"], "another system's events are its own");
}
