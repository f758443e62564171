//! Webhooks, and notes.

use std::sync::{Arc, Mutex};

use gamops::biller::{Heard, HookCall, NotHeard, Note};
use gamops::sim::sonar::SonarFault;
use gamops::transport::Retry;
use serde_json::json;

use super::*;

/// What a page of the daemon's would do with a webhook.
#[derive(Debug, Default)]
struct Heeded {
    heads: usize,
    heard: Vec<Heard>,
    /// What to answer first, one each.
    moods: Vec<u16>,
}

async fn page(heeded: Arc<Mutex<Heeded>>, client: Arc<Sonar>) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serve = move |method: axum::http::Method, body: axum::body::Bytes| async move {
        let mut heeded = heeded.lock().unwrap();
        if method == axum::http::Method::HEAD {
            heeded.heads += 1;
            return axum::http::StatusCode::OK;
        }
        if let Some(mood) = heeded.moods.pop() {
            return axum::http::StatusCode::from_u16(mood).unwrap();
        }
        let call = HookCall {
            headers: &[],
            body: &body,
        };
        match client.hear(&call) {
            Ok(heard) => heeded.heard.push(heard),
            Err(NotHeard(_)) => return axum::http::StatusCode::BAD_REQUEST,
        }
        axum::http::StatusCode::OK
    };
    let router = axum::Router::new().fallback(serve);
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}/a-long-secret")
}

#[test]
fn a_webhook_says_whom_to_look_at_until_it_is_answered_with_200() {
    let fake = start(&Seed::many(2));
    let heeded = Arc::new(Mutex::new(Heeded {
        moods: vec![503, 204],
        ..Heeded::default()
    }));
    let url = on(page(Arc::clone(&heeded), Arc::new(client(&fake))));
    fake.suspend(1002);
    assert_eq!(on(fake.tell(&url)).unwrap(), [204]);
    assert_eq!(on(fake.tell(&url)).unwrap(), [503]);
    assert_eq!(on(fake.tell(&url)).unwrap(), [200]);
    assert_eq!(on(fake.tell(&url)).unwrap(), [0; 0]);
    let heeded = heeded.lock().unwrap();
    assert_eq!(heeded.heads, 3);
    assert_eq!(heeded.heard, [Heard::Accounts(["1002".to_owned()].into())]);
}

#[test]
fn nothing_of_a_webhook_is_believed_but_whom_to_look_at() {
    let fake = start(&Seed::many(2));
    let heeded = Arc::new(Mutex::new(Heeded::default()));
    let url = on(page(Arc::clone(&heeded), Arc::new(client(&fake))));
    // Twice, in any order, of objects of all kinds and of nobody, and by somebody else who knows the address.
    fake.announce("account.status", 1001, &json!({ "id": 1001, "account_status_id": 2 }));
    fake.announce(
        "AccountService UPDATED",
        5002,
        &json!({ "id": 5002, "account_id": "1002" }),
    );
    fake.announce("service.updated", 70, &json!({ "id": 70 }));
    fake.announce("account.status", 4242, &json!({}));
    fake.announce("account.status", 1001, &json!({ "id": 1001, "account_status_id": 1 }));
    assert_eq!(on(fake.tell(&url)).unwrap(), [200; 5]);
    let forged = json!({ "event": "account.deleted", "object_id": "1002" }).to_string();
    let from = "127.0.0.2".parse().unwrap();
    assert_eq!(on(Fake::forge(&url, &forged, from)).unwrap(), 200);
    assert_eq!(on(Fake::forge(&url, "<html>", from)).unwrap(), 400);
    let of = |account: &str| Heard::Accounts([account.to_owned()].into());
    let heard = [
        of("1001"),
        of("1002"),
        Heard::Everything,
        of("4242"),
        of("1001"),
        of("1002"),
    ];
    assert_eq!(heeded.lock().unwrap().heard, heard);
    // Both are as they were.
    let looked = look(&fake, &[1001, 1002, 4242]).unwrap();
    assert_eq!(looked.accounts.len(), 2);
    assert!(
        looked
            .services()
            .all(|(_, _, service)| service.standing == Standing::Active)
    );
}

#[test]
fn a_note_is_written_once() {
    let fake = start(&Seed::many(1));
    let client = client(&fake);
    let note = Note {
        account: "1001".to_owned(),
        text: "Provisioned at 100/50. git:1a2b3c4".to_owned(),
        mark: "git:1a2b3c4".to_owned(),
    };
    on(client.note(&note)).unwrap();
    on(client.note(&note)).unwrap();
    assert_eq!(fake.notes(1001), [note.text.as_str()]);
    let next = Note {
        text: "Suspended. git:2b3c4d5".to_owned(),
        mark: "git:2b3c4d5".to_owned(),
        ..note.clone()
    };
    // Told once more after the answer was lost: the note is there.
    fake.fault_after(1, 1, SonarFault::BrokenOff);
    assert_eq!(on(client.note(&next)).unwrap_err().retry(), Retry::Soon);
    on(client.note(&next)).unwrap();
    assert_eq!(fake.notes(1001).len(), 2);
    let nobody = Note {
        account: "4242".to_owned(),
        ..note
    };
    assert_eq!(
        on(client.note(&nobody)).unwrap_err().to_string(),
        "Sonar has no account 4242"
    );
}
