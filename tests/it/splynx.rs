//! The client of Splynx, over real HTTP to a fake that was written from Splynx's documentation.

mod faults;
mod life;

use std::collections::BTreeSet;
use std::time::Duration;

use gamops::biller::{Auth, BillerError, BillingSystem as _, Connection, Extra, Note, Splynx};
use gamops::billing::{Book, Standing};
use gamops::domain::Secret;
use gamops::sim::billing::Seed;
use gamops::sim::splynx::{self as sim, KEY, SECRET, Style, Switches, Table};
use gamops::transport::Retry;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;

/// What webhooks are signed with here.
const HOOK_SECRET: &str = "canary-hook-secret";

/// When it is, for the fake.
fn noon() -> Timestamp {
    "2025-06-15T12:00:00Z".parse().unwrap()
}

async fn fake(customers: u64) -> sim::Splynx {
    let fake = sim::Splynx::start(&Seed::many(customers)).await.unwrap();
    fake.set_clock(noon());
    fake
}

fn connection(fake: &sim::Splynx) -> Connection {
    Connection {
        url: fake.url(),
        key: Some(KEY.to_owned()),
        secret: Secret::new(SECRET),
        hook_secret: Some(Secret::new(HOOK_SECRET)),
        authorities: None,
        auth: Auth::Token,
        above: 0,
        extras: Extra::ALL.into(),
        zone: TimeZone::UTC,
        within: Duration::from_secs(20),
    }
}

fn client(fake: &sim::Splynx) -> Splynx {
    Splynx::new(connection(fake)).unwrap()
}

fn with(fake: &sim::Splynx, change: impl FnOnce(&mut Connection)) -> Splynx {
    let mut connection = connection(fake);
    change(&mut connection);
    Splynx::new(connection).unwrap()
}

/// A book without its time.
fn timeless(book: Book) -> Book {
    Book { at: None, ..book }
}

async fn sweep(client: &Splynx) -> Book {
    timeless(client.sweep().await.unwrap())
}

async fn look(client: &Splynx, accounts: &[&str]) -> Book {
    let accounts: BTreeSet<String> = accounts.iter().map(|id| (*id).to_owned()).collect();
    timeless(client.look(&accounts).await.unwrap())
}

/// How often something was asked.
fn asked(fake: &sim::Splynx, what: &str) -> usize {
    fake.requests()
        .iter()
        .filter(|request| request.starts_with(what))
        .count()
}

#[tokio::test]
async fn everything_is_read_and_joined() {
    let fake = fake(2).await;
    fake.set(
        Table::Customers,
        1002,
        &json!({ "customer_labels": [{ "id": 2, "label": "MDU" }], "additional_attributes": { "unit": "4" } }),
    );
    let service = json!({ "access_device": 12, "port_id": 3, "mac": "00:00:5E:00:53:07", "additional_attributes": { "gam_port": "3" } });
    fake.set(Table::Services, 5002, &service);
    let book = client(&fake).sweep().await.unwrap();
    assert!(
        book.at
            .is_some_and(|at| at >= noon() && at < noon() + Duration::from_secs(600))
    );
    insta::assert_debug_snapshot!(timeless(book));
}

#[tokio::test]
async fn every_way_to_log_in_gives_the_same_book() {
    let fake = fake(3).await;
    let book = sweep(&client(&fake)).await;
    assert_eq!(asked(&fake, "POST admin/auth/tokens"), 1, "one login for all");
    let signing = with(&fake, |connection| {
        connection.auth = Auth::Signature;
        connection.above = fake.last_number();
    });
    assert_eq!(sweep(&signing).await, book);
    let basic = with(&fake, |connection| connection.auth = Auth::Basic);
    let refused = basic.sweep().await.unwrap_err();
    assert!(matches!(refused, BillerError::Refused { status: 401, .. }), "{refused}");
    fake.allow_basic(true);
    assert_eq!(sweep(&basic).await, book);
    assert_eq!(asked(&fake, "POST admin/auth/tokens"), 1);
}

#[tokio::test]
async fn tokens_are_renewed_and_where_that_fails_there_is_another_login() {
    let fake = fake(1).await;
    // Shorter than the margin before a token's end: each request wants a new one.
    fake.limit_tokens(4, 3600);
    let client = client(&fake);
    let book = sweep(&client).await;
    assert_eq!(asked(&fake, "POST admin/auth/tokens"), 1);
    assert!(asked(&fake, "GET admin/auth/tokens/") > 5);
    // Now neither lasts.
    fake.limit_tokens(4, 4);
    let renewals = asked(&fake, "GET admin/auth/tokens/");
    assert_eq!(sweep(&client).await, book);
    assert!(asked(&fake, "POST admin/auth/tokens") > 5);
    assert_eq!(
        asked(&fake, "GET admin/auth/tokens/"),
        renewals + 1,
        "the last of the first kind"
    );
}

#[tokio::test]
async fn whoever_is_forgotten_logs_in_once_more() {
    let fake = fake(1).await;
    let client = client(&fake);
    let book = sweep(&client).await;
    let once = sim::When {
        after: 3,
        times: 1,
        ..sim::When::default()
    };
    fake.fault(sim::Fault::Forgets, once);
    assert_eq!(sweep(&client).await, book);
    assert_eq!(asked(&fake, "POST admin/auth/tokens"), 2);
}

#[tokio::test]
async fn numbers_of_logins_grow_over_restarts_whatever_the_clock_says() {
    let fake = fake(1).await;
    let first = client(&fake);
    let book = sweep(&first).await;
    assert_eq!(first.last_number(), Some(fake.last_number()));
    // As if this machine's clock had been years ahead, and was put right.
    let ahead = fake.last_number() + 10_000_000_000;
    sweep(&with(&fake, |connection| connection.above = ahead)).await;
    assert_eq!(fake.last_number(), ahead + 1);
    let behind = client(&fake).sweep().await.unwrap_err().to_string();
    assert!(behind.contains("Each login has to be later than the last"), "{behind}");
    let again = with(&fake, |connection| connection.above = fake.last_number());
    assert_eq!(sweep(&again).await, book);
    // Splynx keeps the number over a restart of its own.
    let restarted = self::fake(1).await;
    restarted.keep_number(fake.last_number());
    assert!(client(&restarted).sweep().await.is_err());
    let above = with(&restarted, |connection| connection.above = fake.last_number());
    assert_eq!(sweep(&above).await, book);
}

#[tokio::test]
async fn every_version_of_splynx_says_the_same() {
    let fake = fake(3).await;
    fake.customer(1002).inactivate();
    fake.set(Table::Tariffs, 3, &json!({ "speed_upload": null }));
    let client = client(&fake);
    let book = sweep(&client).await;
    for style in [Style::Typed, Style::Stringly, Style::Mixed] {
        for (empty_is_list, counts, at_most) in [
            (true, true, None),
            (false, true, Some(2)),
            (false, false, None),
            (true, false, Some(2)),
        ] {
            let switches = Switches {
                style,
                empty_is_list,
                counts,
                at_most,
                ..Switches::default()
            };
            fake.switch(switches);
            assert_eq!(sweep(&client).await, book, "{switches:?}");
        }
    }
}

#[tokio::test]
async fn lists_are_read_page_after_page_by_their_ids() {
    let fake = fake(1_201).await;
    let book = sweep(&client(&fake)).await;
    assert_eq!(book.accounts.len(), 1_201);
    assert_eq!(book.services().count(), 1_201);
    for list in [
        "customers/customer",
        "customers/customer/0/internet-services",
        "inventory/items",
    ] {
        let exactly = |method: &str| {
            let wanted = format!("{method} admin/{list}");
            fake.requests().into_iter().filter(|request| *request == wanted).count()
        };
        assert_eq!((exactly("GET"), exactly("HEAD")), (3, 2), "{list}");
    }
    // A page that is full is not the last.
    let full = self::fake(500).await;
    assert_eq!(sweep(&client(&full)).await.accounts.len(), 500);
}

#[tokio::test]
async fn an_account_looked_at_is_as_in_the_whole() {
    let fake = fake(4).await;
    fake.customer(1002).block();
    fake.service(5003).change_plan(2).unwrap();
    let client = client(&fake);
    let all = sweep(&client).await;
    let some = look(&client, &["1002", "1003"]).await;
    assert_eq!(some.offers, all.offers);
    assert_eq!(some.accounts.len(), 2);
    for (id, account) in &some.accounts {
        assert_eq!(account, &all.accounts[id]);
    }
}

#[tokio::test]
async fn an_account_that_is_not_there_is_not_in_the_book() {
    let fake = fake(2).await;
    fake.set(Table::Customers, 1002, &json!({ "partner_id": 2 }));
    fake.show_partner(Some(1));
    let client = client(&fake);
    let book = look(&client, &["1001", "1002", "9999", "0", "x", "../1", ""]).await;
    assert_eq!(book.accounts.keys().collect::<Vec<_>>(), ["1001"]);
    // 0 would be all customers, and what is no id is not made part of an address.
    let paths: Vec<String> = (fake.requests().into_iter())
        .filter(|request| request.contains("customers/customer/"))
        .collect();
    let of = |id: u64| format!("GET admin/customers/customer/{id}");
    let services = "GET admin/customers/customer/1001/internet-services".to_owned();
    assert_eq!(paths, [of(1001), services, of(1002), of(9999)]);
}

#[tokio::test]
async fn what_came_between_two_lists_is_asked_for_once_more() {
    let fake = fake(1).await;
    let row = json!({ "id": 9001, "customer_id": 777, "tariff_id": 99, "status": "active" });
    fake.insert(Table::Services, row);
    let book = sweep(&client(&fake)).await;
    let service = &book.accounts["777"].services["9001"];
    assert_eq!(
        (service.standing, service.words.as_str()),
        (Standing::Unclear, "customer missing, service active")
    );
    assert_eq!(service.offer.as_deref(), Some("99"));
    assert!(!book.offers.contains_key("99"));
    assert_eq!(asked(&fake, "GET admin/tariffs/internet"), 2);
    let customers = (fake.requests().into_iter()).filter(|request| request == "GET admin/customers/customer");
    assert_eq!(customers.count(), 2);
}

#[tokio::test]
async fn what_nobody_goes_by_is_not_asked_for() {
    let fake = fake(1).await;
    for table in [Table::Items, Table::Locations] {
        fake.switch_off(table);
    }
    for table in [Table::Partners, Table::Hardware] {
        fake.forbid(table);
    }
    let plain = with(&fake, |connection| connection.extras.clear());
    assert!(sweep(&plain).await.accounts["1001"].facts.contains_key("city"));
    for (extra, said) in [
        (
            Extra::Inventory,
            "405 (Method is disabled!, METHOD_DISABLED); switch its module on in Splynx",
        ),
        (Extra::Locations, "405"),
        (
            Extra::Partners,
            "give the API key the permission Administration → Partners (view)",
        ),
        (
            Extra::NetworkSites,
            "give the API key the permission Networking → Monitoring (view)",
        ),
    ] {
        let asking = with(&fake, |connection| connection.extras = [extra].into());
        let error = asking.sweep().await.unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
        assert_eq!(error.retry(), Retry::AfterChange);
    }
}

#[tokio::test]
async fn notes_are_written_once() {
    let fake = fake(2).await;
    let client = client(&fake);
    let note = |account: &str, mark: &str| Note {
        account: account.to_owned(),
        text: format!("mdu-7 port 3 runs at 500/500 Mbit/s. ref={mark}"),
        mark: mark.to_owned(),
    };
    for (account, mark) in [
        ("1001", "git:1a2b"),
        ("1001", "git:1a2b"),
        ("1001", "git:3c4d"),
        ("1002", "git:1a2b"),
    ] {
        client.note(&note(account, mark)).await.unwrap();
    }
    let notes: Vec<String> = (fake.rows(Table::Notes).iter())
        .map(|row| format!("{} {}", row["customer_id"], row["comment"]))
        .collect();
    assert_eq!(notes.len(), 3, "{notes:?}");
    // An answer that was lost: the note is there, and is found the next time.
    let lost = sim::When {
        table: Some(Table::Notes),
        after: 1,
        times: 1,
    };
    fake.fault(sim::Fault::Reset, lost);
    client.note(&note("1002", "git:5e6f")).await.unwrap_err();
    client.note(&note("1002", "git:5e6f")).await.unwrap();
    assert_eq!(fake.rows(Table::Notes).len(), 4);
    for account in ["", "0", "x"] {
        let error = client.note(&note(account, "git:1")).await.unwrap_err();
        assert!(matches!(error, BillerError::Settings(_)), "{error}");
    }
    fake.forbid(Table::Notes);
    let error = client.note(&note("1001", "git:7")).await.unwrap_err();
    assert!(
        error.to_string().contains("Customers → Customer notes (view, add)"),
        "{error}"
    );
}

#[tokio::test]
async fn what_it_is_reached_with_is_checked() {
    let fake = fake(1).await;
    for (change, said) in [
        (
            (|connection| connection.url = "isp.splynx.app".to_owned()) as fn(&mut Connection),
            "begins with `https://`",
        ),
        (
            |connection| connection.url = "https://".to_owned(),
            "begins with `https://`",
        ),
        (
            |connection| connection.url = "https://a:canary@isp.splynx.app".to_owned(),
            "has no user, password or query",
        ),
        (|connection| connection.key = None, "wants an API key"),
        (
            |connection| connection.secret = Secret::default(),
            "secret of Splynx's API key is empty",
        ),
    ] {
        let mut connection = connection(&fake);
        change(&mut connection);
        let error = Splynx::new(connection).unwrap_err().to_string();
        assert!(error.contains(said) && !error.contains("canary"), "{error}");
    }
    let spelled_out = with(&fake, |connection| connection.url.push_str("/api/2.0/"));
    assert_eq!(sweep(&spelled_out).await.accounts.len(), 1);
    let elsewhere = with(&fake, |connection| connection.url.push_str("/crm"));
    let error = elsewhere.sweep().await.unwrap_err().to_string();
    assert!(
        error.contains("status 404") && error.contains("is the address right?"),
        "{error}"
    );
    let nobody = fake.url();
    drop(fake);
    let error = with_url(nobody).sweep().await.unwrap_err();
    assert!(
        matches!(error, BillerError::Http(_)) && error.retry() == Retry::Soon,
        "{error}"
    );
}

fn with_url(url: String) -> Splynx {
    Splynx::new(Connection {
        url,
        key: Some(KEY.to_owned()),
        secret: Secret::new(SECRET),
        hook_secret: None,
        authorities: None,
        auth: Auth::Token,
        above: 0,
        extras: BTreeSet::new(),
        zone: TimeZone::UTC,
        within: Duration::from_secs(5),
    })
    .unwrap()
}

#[tokio::test]
async fn no_secret_is_in_anything_that_may_be_printed() {
    let fake = fake(2).await;
    let client = client(&fake);
    let book = client.sweep().await.unwrap();
    let mut printed = vec![format!("{client:?} {:?} {book:?}", connection(&fake))];
    let wrong = |change: fn(&mut Connection)| with(&fake, change);
    for client in [
        wrong(|connection| connection.secret = Secret::new("canary-wrong")),
        wrong(|connection| connection.auth = Auth::Basic),
        wrong(|connection| {
            connection.auth = Auth::Signature;
            connection.secret = Secret::new("canary-wrong");
        }),
    ] {
        let error = client.sweep().await.unwrap_err();
        printed.push(format!("{error} {error:?} {client:?}"));
    }
    let tokens: Vec<String> = fake
        .requests()
        .into_iter()
        .filter_map(|request| request.strip_prefix("GET admin/auth/tokens/").map(str::to_owned))
        .collect();
    let secrets = ["canary", SECRET].into_iter().map(str::to_owned).chain(tokens);
    for secret in secrets {
        for text in &printed {
            assert!(!text.contains(&secret), "{secret} in {text}");
        }
    }
}
