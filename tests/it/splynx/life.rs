//! What happens to customers, and what is heard of it.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use gamops::biller::{Heard, HookCall, NotHeard};
use gamops::billing::{Account, Standing};
use gamops::sim::billing::SeedCustomer;
use gamops::sim::splynx::{Call, Target};
use jiff::civil::date;

use super::*;

/// Each service of an account: id, standing, words.
fn standings(account: &Account) -> Vec<String> {
    (account.services.iter())
        .map(|(id, service)| {
            let offer = service.offer.as_deref().unwrap_or("-");
            format!("{id} {:?} {offer}: {}", service.standing, service.words)
        })
        .collect()
}

async fn of(client: &Splynx, account: &str) -> Vec<String> {
    standings(&look(client, &[account]).await.accounts[account])
}

#[tokio::test]
async fn a_customers_life_is_seen_as_it_is() {
    let fake = fake(2).await;
    let client = client(&fake);
    fake.add(&SeedCustomer::number(7));
    assert_eq!(
        of(&client, "1008").await,
        ["5008 Active 2: customer active, service active"]
    );
    fake.customer(1008).block();
    assert_eq!(
        of(&client, "1008").await,
        ["5008 Suspended 2: customer blocked, service active"]
    );
    fake.customer(1008).pay();
    fake.service(5008).stop();
    assert_eq!(
        of(&client, "1008").await,
        ["5008 Suspended 2: customer active, service stopped"]
    );
    fake.service(5008).start();
    // Another plan: the old service and the one that takes its place are both there.
    let next = fake.service(5008).change_plan_on(3, date(2025, 6, 17)).unwrap();
    assert_eq!(
        of(&client, "1008").await,
        [
            "5008 Active 2: customer active, service active, ends on 2025-06-16",
            &format!("{next} NotYet 3: customer active, service pending"),
        ]
    );
    fake.set_clock("2025-06-17T00:30:00Z".parse().unwrap());
    assert_eq!(
        of(&client, "1008").await,
        [
            "5008 Ended 2: customer active, service disabled",
            &format!("{next} Active 3: customer active, service active"),
        ]
    );
    // Away, and back with yet another service.
    fake.customer(1008).inactivate();
    let copy = next + 1;
    assert_eq!(
        of(&client, "1008").await,
        [
            "5008 Ended 2: customer disabled, service disabled",
            &format!("{next} Ended 3: customer disabled, service disabled"),
            &format!("{copy} Ended 3: customer disabled, service stopped"),
        ]
    );
    fake.customer(1008).pay();
    let back = of(&client, "1008").await;
    assert_eq!(back[2], format!("{copy} Active 3: customer active, service active"));
    // Its endpoint is that of the service that runs.
    let book = look(&client, &["1008"]).await;
    let clues = &book.accounts["1008"].services[&copy.to_string()].clues;
    assert_eq!(
        (clues[0].source.as_str(), clues[0].text.as_str()),
        ("inventory.barcode", "00:00:5E:00:53:07")
    );
    fake.service(copy).cancel(date(2025, 6, 18));
    let last = of(&client, "1008").await;
    assert_eq!(
        last[2],
        format!("{copy} Active 3: customer active, service active, ends on 2025-06-18")
    );
    fake.set_clock("2025-06-19T00:30:00Z".parse().unwrap());
    assert_eq!(
        of(&client, "1008").await[2],
        format!("{copy} Ended 3: customer active, service disabled")
    );
    // Deleted, it does not exist for whoever asks; restored, it is inactive.
    fake.customer(1008).inactivate();
    assert!(fake.customer(1008).delete());
    assert!(look(&client, &["1008"]).await.accounts.is_empty());
    assert!(!sweep(&client).await.accounts.contains_key("1008"));
    assert!(fake.customer(1008).restore());
    assert!(
        of(&client, "1008")
            .await
            .iter()
            .all(|service| service.contains("Ended"))
    );
}

#[tokio::test]
async fn the_day_is_that_of_the_zone_by_splynxs_clock() {
    let fake = fake(1).await;
    fake.set_clock("2025-06-15T02:00:00Z".parse().unwrap());
    fake.set(Table::Services, 5001, &json!({ "start_date": "2025-06-15" }));
    for (zone, standing) in [("UTC", Standing::Active), ("America/New_York", Standing::NotYet)] {
        let client = with(&fake, |connection| connection.zone = TimeZone::get(zone).unwrap());
        let book = sweep(&client).await;
        assert_eq!(book.accounts["1001"].services["5001"].standing, standing, "{zone}");
    }
}

/// What was sent somewhere, and whether it was heard.
#[derive(Default)]
struct Received(Mutex<Vec<Result<Heard, NotHeard>>>);

type Receiver = (Arc<Splynx>, Arc<Received>);

async fn receive(State((client, received)): State<Receiver>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let headers: Vec<(String, String)> = (headers.iter())
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    let call = HookCall {
        headers: &headers,
        body: &body,
    };
    let heard = client.hear(&call);
    let status = if heard.is_ok() {
        StatusCode::OK
    } else {
        StatusCode::UNAUTHORIZED
    };
    received.0.lock().unwrap().push(heard);
    status
}

/// Somebody who receives hooks of a client's Splynx, and where.
async fn receiver(client: Splynx) -> (Arc<Received>, String) {
    let received = Arc::new(Received::default());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hooks/splynx", listener.local_addr().unwrap());
    let state = (Arc::new(client), Arc::clone(&received));
    let router = Router::new().fallback(receive).with_state(state);
    tokio::spawn(async move { axum::serve(listener, router).await });
    (received, url)
}

fn target(url: &str, secret: &str, is_form: bool) -> Target {
    Target {
        url: url.to_owned(),
        secret: secret.to_owned(),
        is_form,
    }
}

async fn wait_for(received: &Received, count: usize) -> Vec<Result<Heard, NotHeard>> {
    let enough = async {
        loop {
            let there = received.0.lock().unwrap().clone();
            if there.len() >= count {
                return there;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), enough).await.unwrap()
}

#[tokio::test]
async fn hooks_say_whom_to_look_at() {
    for is_form in [false, true] {
        let fake = fake(3).await;
        let (received, url) = receiver(client(&fake)).await;
        let target = target(&url, HOOK_SECRET, is_form);
        assert_eq!(Call::ping(&target).send(&target).await.unwrap(), 200);
        fake.hook(target);
        fake.customer(1002).block();
        fake.service(5003).stop();
        fake.set(Table::Tariffs, 1, &json!({ "speed_download": 50_000 }));
        let account = |id: &str| Ok(Heard::Accounts([id.to_owned()].into()));
        let heard = wait_for(&received, 4).await;
        assert_eq!(
            heard,
            [Ok(Heard::Ping), account("1002"), account("1003"), Ok(Heard::Everything)]
        );
        assert!(fake.undelivered().is_empty());
    }
}

#[tokio::test]
async fn a_burst_of_hooks_is_heard_in_order_and_what_is_forged_is_not() {
    let fake = fake(200).await;
    let (received, url) = receiver(client(&fake)).await;
    fake.hook(target(&url, HOOK_SECRET, false));
    for id in 1001..1201 {
        fake.customer(id).block();
    }
    let heard = wait_for(&received, 200).await;
    let wanted = (1001..1201).map(|id: u64| Ok(Heard::Accounts([id.to_string()].into())));
    assert!(heard.into_iter().eq(wanted));
    // A hook with another secret is refused, kept, and refused when it is sent again.
    let forged = target(&url, "canary-another", false);
    fake.hook(forged.clone());
    fake.customer(1001).pay();
    let refused = wait_for(&received, 201).await.pop().unwrap().unwrap_err().to_string();
    assert!(
        refused.contains("signature") && !refused.contains("canary"),
        "{refused}"
    );
    let undelivered = until_undelivered(&fake).await;
    assert_eq!(undelivered.send(&forged).await.unwrap(), 401);
    // The right one, sent twice as after an answer that was lost: heard twice, and no harm.
    let right = target(&url, HOOK_SECRET, false);
    fake.hook(right.clone());
    let body: serde_json::Value = serde_json::from_slice(&undelivered.body).unwrap();
    let call = Call::of(&right, &body);
    for _ in 0..2 {
        assert_eq!(call.send(&right).await.unwrap(), 200);
    }
}

#[tokio::test]
async fn what_nobody_took_is_sent_again_after_a_minute_ten_and_an_hour() {
    let fake = fake(2).await;
    let (received, url) = receiver(client(&fake)).await;
    let minutes = |minutes: u64| fake.pass(Duration::from_secs(60 * minutes));
    fake.hook(target(&url, "canary-another", false));
    fake.customer(1001).block();
    wait_for(&received, 1).await;
    // It is put aside just after it was answered.
    minutes(1);
    let mut said = Vec::new();
    while said.is_empty() {
        said = fake.tell_again().await.unwrap();
    }
    assert_eq!(said, [401]);
    assert_eq!(fake.tell_again().await.unwrap(), [0; 0], "not before ten minutes");
    minutes(10);
    assert_eq!(fake.tell_again().await.unwrap(), [401]);
    minutes(60);
    assert_eq!(fake.tell_again().await.unwrap(), [401]);
    minutes(600);
    assert_eq!(fake.tell_again().await.unwrap(), [0; 0], "it is given up");
    assert!(fake.undelivered().is_empty());
    assert_eq!(wait_for(&received, 4).await.len(), 4);
}

async fn until_undelivered(fake: &sim::Splynx) -> Call {
    let there = async {
        loop {
            if let Some(call) = fake.undelivered().pop() {
                return call;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), there).await.unwrap()
}
