//! Sonar: the client against the simulated one, over real HTTP.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use gamops::biller::Sonar;
use gamops::biller::{Auth, BillerError, BillingSystem, Connection, Extra, Heard, HookCall, Note};
use gamops::billing::{Book, Scope, Standing};
use gamops::domain::Secret;
use gamops::sim::billing::{Seed, SeedCustomer, SeedService};
use gamops::sim::sonar::{Sonar as Fake, SonarFault, SonarKnobs, TOKEN};
use gamops::transport::Retry;
use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

mod protocol;

/// One for all: a client's connections belong to the runtime that it was first used in.
fn on<T>(asked: impl Future<Output = T>) -> T {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::new().unwrap()).block_on(asked)
}

fn start(seed: &Seed) -> Fake {
    let fake = on(Fake::start(seed)).unwrap();
    fake.set_clock("2026-03-01T09:00:00Z".parse().unwrap());
    fake
}

fn connection(url: &str, token: &str) -> Connection {
    Connection {
        url: url.to_owned(),
        key: None,
        secret: Secret::new(token),
        hook_secret: None,
        authorities: None,
        auth: Auth::default(),
        above: 0,
        extras: Extra::ALL.into(),
        zone: jiff::tz::TimeZone::UTC,
        within: Duration::from_secs(30),
    }
}

fn client(fake: &Fake) -> Sonar {
    Sonar::new(&connection(&fake.url(), TOKEN)).unwrap()
}

fn sweep(fake: &Fake) -> Result<Book, BillerError> {
    on(client(fake).sweep())
}

fn look(fake: &Fake, accounts: &[u64]) -> Result<Book, BillerError> {
    let accounts: BTreeSet<String> = accounts.iter().map(u64::to_string).collect();
    on(client(fake).look(&accounts))
}

/// The standing of an account's service, swept and looked at by id.
fn standing(fake: &Fake, account: u64, service: u64) -> (Standing, String) {
    let books = [sweep(fake).unwrap(), look(fake, &[account]).unwrap()];
    let found = books.map(|book| {
        let service = &book.accounts[&account.to_string()].services[&service.to_string()];
        (service.standing, service.words.clone())
    });
    assert_eq!(found[0], found[1]);
    found[0].clone()
}

/// The texts of a service's clues from one source.
fn clues(book: &Book, service: u64, source: &str) -> Vec<String> {
    let found = book.services().find(|(name, ..)| name.service == service.to_string());
    let (_, _, service) = found.unwrap();
    (service.clues.iter())
        .filter(|clue| clue.source == source)
        .map(|clue| clue.text.clone())
        .collect()
}

/// A book as a person would read it.
fn shown(book: &Book) -> String {
    let mut text = String::new();
    for (id, offer) in &book.offers {
        writeln!(
            text,
            "offer {id} {}: {:?} / {:?} kbit/s",
            offer.name, offer.down_kbps, offer.up_kbps
        )
        .unwrap();
    }
    for (id, account) in &book.accounts {
        writeln!(text, "account {id} {}", account.name).unwrap();
        for (name, fact) in &account.facts {
            writeln!(text, "  {name}: {fact}").unwrap();
        }
        for (id, service) in &account.services {
            let offer = service.offer.as_deref().unwrap_or("-");
            writeln!(
                text,
                "  service {id} of offer {offer}: {:?} ({})",
                service.standing, service.words
            )
            .unwrap();
            for clue in &service.clues {
                writeln!(text, "    {}: {}", clue.source, clue.text).unwrap();
            }
        }
    }
    text
}

/// A town with all that an operator may have.
fn town() -> Fake {
    let fake = start(&Seed::many(4));
    fake.put_offer(9, "Telephone", None);
    fake.put_offer(10, "Fiber by appointment", Some((0, 0)));
    let service = |id, offer, mac: Option<&str>| SeedService {
        id,
        offer,
        mac: mac.map(str::to_owned),
    };
    // Two services that carry data, and a telephone.
    fake.add(&SeedCustomer {
        id: 2001,
        name: "Ada Example".to_owned(),
        street: "12 Elm Street".to_owned(),
        city: "Springfield".to_owned(),
        zip: "01103".to_owned(),
        fields: vec![("GAM port".to_owned(), "mdu-7/3".to_owned())],
        services: vec![
            service(7001, 1, Some("00:00:5e:00:53:a1")),
            service(7002, 10, Some("00005E0053A2")),
            service(7003, 9, None),
        ],
    });
    // A child that lives with its parent, with a MAC of its own that is in no inventory.
    fake.add_child(
        2001,
        &SeedCustomer {
            id: 2002,
            name: "Ada's lodger".to_owned(),
            services: vec![service(7004, 2, None)],
            ..SeedCustomer::default()
        },
    );
    let mac = |account: u64, service: Option<u64>, mac: &str| {
        let values = [
            ("account_id", json!(account)),
            ("account_service_id", json!(service)),
            ("mac_address", json!(mac)),
        ];
        fake.make("UninventoriedMacAddress", &values);
    };
    mac(2002, Some(7004), "00:00:5E:00:53:A4");
    mac(1004, None, "00:00:5E:00:53:B4");
    // Somebody without an address, and with nothing but a telephone.
    fake.add(&SeedCustomer {
        id: 2003,
        name: "Only a telephone".to_owned(),
        services: vec![service(7005, 9, None)],
        ..SeedCustomer::number(90)
    });
    // A letter box beside the home, with other words and somebody's equipment.
    let letter_box = fake.make(
        "Address",
        &[
            ("type", json!("MAILING")),
            ("serviceable", json!(false)),
            ("line1", json!("PO Box 7")),
            ("city", json!("Shelbyville")),
            ("addressable_type", json!("Account")),
            ("addressable_id", json!(1001)),
        ],
    );
    fake.add_item(letter_box, None, "00:00:5E:00:53:C1");
    // Two pieces of equipment, of which one is a router with fields of its own.
    let home = fake.addresses(1002)[0];
    let field = |name: &str, primary: bool| {
        let values = [
            ("inventory_model_id", json!(12)),
            ("name", json!(name)),
            ("primary", json!(primary)),
        ];
        fake.make("InventoryModelField", &values)
    };
    let (wan, name) = (field("WAN mac", false), field("Host name", true));
    let router = fake.make(
        "InventoryItem",
        &[
            ("inventory_model_id", json!(12)),
            ("inventoryitemable_type", json!("Address")),
            ("inventoryitemable_id", json!(home)),
        ],
    );
    for data in [(wan, "00:00:5E:00:53:D1"), (name, "router-1")] {
        let values = [
            ("inventory_item_id", json!(router)),
            ("inventory_model_field_id", json!(data.0)),
            ("value", json!(data.1)),
        ];
        fake.make("InventoryModelFieldData", &values);
    }
    // A device of the operator's own is no customer's.
    let site = fake.make("NetworkSite", &[("name", json!("Harbour"))]);
    fake.make(
        "InventoryItem",
        &[
            ("inventory_model_id", json!(11)),
            ("inventoryitemable_type", json!("NetworkSite")),
            ("inventoryitemable_id", json!(site)),
        ],
    );
    let home = fake.addresses(1003)[0];
    fake.write_field("Address", home, "GAM port", "mdu-1/4");
    fake.write_field("Address", home, "Floor", "2");
    fake.write_field("Account", 1003, "Floor", "3");
    let port = fake.make(
        "ServiceMetadata",
        &[("service_id", json!(3)), ("name", json!("GAM port"))],
    );
    let values = [
        ("account_service_id", json!(5003)),
        ("service_metadata_id", json!(port)),
        ("value", json!("5")),
    ];
    fake.make("ServiceMetadataValue", &values);
    let values = [
        ("account_id", json!(1004)),
        ("account_service_id", json!(5004)),
        ("username", json!("customer4")),
        ("password", json!("canary-radius")),
    ];
    fake.make("RadiusAccount", &values);
    fake
}

#[test]
fn all_that_sonar_knows_is_in_the_book() {
    let fake = town();
    let book = sweep(&fake).unwrap();
    assert_eq!(book.scope, Scope::Everything);
    assert!(book.at.is_some());
    insta::assert_snapshot!(shown(&book));
}

/// What is turned, and how.
type Turn = (&'static str, fn(&mut SonarKnobs));

#[test]
fn the_book_is_the_same_however_sonar_writes_it() {
    let fake = town();
    let first = sweep(&fake).unwrap();
    let ids: Vec<u64> = first.accounts.keys().map(|id| id.parse().unwrap()).collect();
    let turns: [Turn; 7] = [
        ("ids are numbers", |knobs| knobs.ids_are_numbers = true),
        ("small pages", |knobs| knobs.most_rows = 2),
        ("small pages that are not said", |knobs| {
            knobs.most_rows = 1;
            knobs.says_clamped = false;
        }),
        ("no page without rows", |knobs| knobs.empty_has_no_page = true),
        ("several EQ are alternatives", |knobs| knobs.several_eq_are_or = true),
        ("nested pages of one row", |knobs| knobs.default_page = 1),
        ("as before", |_| {}),
    ];
    for (what, turn) in turns {
        fake.turn(|knobs| {
            *knobs = SonarKnobs::default();
            turn(knobs);
        });
        if what == "nested pages of one row" {
            fake.fault_after(0, usize::MAX, SonarFault::NestedCut);
        }
        let mut swept = sweep(&fake).unwrap();
        let looked = look(&fake, &ids).unwrap();
        assert_eq!(shown(&swept), shown(&looked), "{what}");
        swept.at = first.at;
        assert_eq!(swept, first, "{what}");
        fake.heal();
    }
}

#[test]
fn one_account_is_looked_at_as_it_is_in_the_whole_picture() {
    let fake = town();
    let all = sweep(&fake).unwrap();
    for (id, account) in &all.accounts {
        let book = look(&fake, &[id.parse().unwrap()]).unwrap();
        assert_eq!(book.accounts.keys().collect::<Vec<_>>(), [id]);
        assert_eq!(&book.accounts[id], account);
        assert_eq!(book.offers, all.offers);
        assert_eq!(book.scope, Scope::Accounts([id.clone()].into()));
    }
    let nobody = look(&fake, &[99]).unwrap();
    assert!(nobody.accounts.is_empty());
}

#[test]
fn what_an_inventory_does_not_go_by_is_not_asked_for() {
    let fake = town();
    let mut connection = connection(&fake.url(), TOKEN);
    connection.extras.clear();
    let client = Sonar::new(&connection).unwrap();
    let book = on(client.sweep()).unwrap();
    let (service, _, plain) = book.services().next().unwrap();
    assert_eq!((service.service.as_str(), plain.clues.len()), ("5001", 0));
    on(client.look(&["2001".to_owned()].into())).unwrap();
    for asked in fake.requests() {
        for list in ["inventory", "custom_field", "metadata", "radius", "uninventoried"] {
            assert!(!asked.contains(list), "{asked}");
        }
    }
}

#[test]
fn the_life_of_an_account() {
    let fake = start(&Seed::many(1));
    assert_eq!(standing(&fake, 1001, 5001).0, Standing::Active);
    fake.suspend(1001);
    let (found, words) = standing(&fake, 1001, 5001);
    assert_eq!(found, Standing::Suspended);
    assert_eq!(words, "account status Suspended, which does not activate");
    fake.activate(1001);
    fake.set_delinquent(1001, true);
    assert_eq!(standing(&fake, 1001, 5001).0, Standing::Delinquent);
    fake.set_delinquent(1001, false);
    // Another plan is another row with another id, and the account's own `updated_at` says nothing of it.
    let before = fake.value("Account", 1001, "updated_at");
    let service = fake.replace_service(5001, 2);
    assert_eq!(fake.value("Account", 1001, "updated_at"), before);
    let book = look(&fake, &[1001]).unwrap();
    assert_eq!(
        book.accounts["1001"].services.keys().collect::<Vec<_>>(),
        [&service.to_string()]
    );
    assert_eq!(clues(&book, service, "inventory.mac"), ["00:00:5E:00:53:00"]);
    let home = fake.addresses(1001)[0];
    fake.disconnect(1001);
    let (found, words) = standing(&fake, 1001, service);
    assert_eq!(found, Standing::Ended, "{words}");
    // Somebody else moves in and has the equipment that stayed.
    let mut next = SeedCustomer::number(6);
    next.services[0].mac = None;
    fake.add(&next);
    fake.move_in(1007, home);
    let book = sweep(&fake).unwrap();
    assert_eq!(clues(&book, 5007, "inventory.mac"), ["00:00:5E:00:53:00"]);
    assert_eq!(clues(&book, service, "inventory.mac"), [""; 0]);
    // Who comes back is active, whatever the log of disconnections says.
    fake.activate(1001);
    assert_eq!(standing(&fake, 1001, service).0, Standing::Active);
    fake.archive(1001);
    assert_eq!(standing(&fake, 1001, service).0, Standing::Ended);
    fake.add_lead(&SeedCustomer::number(7));
    assert_eq!(standing(&fake, 1008, 5008).0, Standing::Lead);
    fake.put_status(1008, 77);
    let (found, words) = standing(&fake, 1008, 5008);
    assert_eq!(found, Standing::Unclear);
    assert_eq!(words, "account status 77 is not in the list of statuses");
}

#[test]
fn a_service_that_is_sold_by_nobody_is_unclear() {
    let fake = start(&Seed::many(1));
    fake.set("AccountService", 5001, &[("service_id", json!(99))]);
    let (found, words) = standing(&fake, 1001, 5001);
    assert_eq!(
        (found, words.as_str()),
        (Standing::Unclear, "service 99 is not in the list of services")
    );
}

#[test]
fn an_old_link_does_not_take_equipment_from_who_lives_there() {
    let fake = start(&Seed::many(1));
    let home = fake.addresses(1001)[0];
    fake.add_item(home, Some(5001), "00:00:5E:00:53:77");
    // What is linked is what counts.
    let book = sweep(&fake).unwrap();
    assert_eq!(clues(&book, 5001, "inventory.mac"), ["00:00:5E:00:53:77"]);
    fake.disconnect(1001);
    // Nobody lives there: the link is all that is known.
    assert_eq!(
        clues(&sweep(&fake).unwrap(), 5001, "inventory.mac"),
        ["00:00:5E:00:53:77"]
    );
    let mut next = SeedCustomer::number(1);
    next.services[0].mac = None;
    fake.add(&next);
    fake.move_in(1002, home);
    for book in [sweep(&fake).unwrap(), look(&fake, &[1001, 1002]).unwrap()] {
        assert_eq!(clues(&book, 5001, "inventory.mac"), [""; 0]);
        assert_eq!(
            clues(&book, 5002, "inventory.mac"),
            ["00:00:5E:00:53:00", "00:00:5E:00:53:77"]
        );
    }
}

/// What a sweep asks, request by request.
fn asked(fake: &Fake) -> Vec<String> {
    let before = fake.requests().len();
    sweep(fake).unwrap();
    fake.requests().split_off(before)
}

#[test]
fn whatever_goes_wrong_is_said_with_what_to_do() {
    let fake = start(&Seed::many(3));
    let is_accounts = |body: &String| body.contains(": accounts(") && body.contains("entities");
    let accounts = asked(&fake).iter().position(is_accounts).unwrap();
    let faults = [
        SonarFault::Busy,
        SonarFault::Errors,
        SonarFault::PartialData,
        SonarFault::Html(200),
        SonarFault::Html(502),
        SonarFault::NoData,
        SonarFault::HalfJson,
        SonarFault::BrokenOff,
        SonarFault::MorePages,
        SonarFault::Empty,
        SonarFault::Collapse(2),
        SonarFault::Revoked,
        SonarFault::LostAccount,
    ];
    let said = faults.map(|fault| {
        fake.fault_after(accounts, 1, fault.clone());
        let error = sweep(&fake).unwrap_err();
        format!("{fault:?} [{:?}]: {error}", error.retry())
    });
    insta::assert_snapshot!(said.join("\n").replace(&fake.url(), "URL"));
}

#[test]
fn whichever_request_goes_wrong_the_book_is_whole_or_there_is_none() {
    let fake = start(&Seed::many(3));
    let good = sweep(&fake).unwrap();
    let requests = asked(&fake).len();
    for fault in [
        SonarFault::Busy,
        SonarFault::PartialData,
        SonarFault::HalfJson,
        SonarFault::Revoked,
    ] {
        for skip in 0..requests {
            fake.fault_after(skip, 1, fault.clone());
            assert!(sweep(&fake).is_err(), "{fault:?} after {skip} requests");
        }
    }
    // These do nothing to a list without rows, or to one of which only the count is asked for.
    for fault in [
        SonarFault::Empty,
        SonarFault::MorePages,
        SonarFault::Collapse(2),
        SonarFault::NestedCut,
    ] {
        for skip in 0..requests {
            fake.fault_after(skip, 1, fault.clone());
            if let Ok(book) = sweep(&fake) {
                assert_eq!(shown(&book), shown(&good), "{fault:?} after {skip} requests");
            }
            fake.heal();
        }
    }
}

#[test]
fn no_answer_is_waited_for_no_longer_than_was_said() {
    let fake = start(&Seed::many(1));
    fake.fault(SonarFault::Silent);
    let mut connection = connection(&fake.url(), TOKEN);
    connection.within = Duration::from_millis(200);
    let error = on(Sonar::new(&connection).unwrap().sweep()).unwrap_err();
    assert!(matches!(error, BillerError::Slow { .. }), "{error}");
    assert_eq!(error.retry(), Retry::Soon);
}

#[test]
fn what_the_role_may_not_read_is_named() {
    let fake = start(&Seed::many(1));
    for (list, fails) in [
        ("accounts", false),
        ("services", true),
        ("inventory_items", false),
        ("custom_field_data", true),
    ] {
        fake.turn(|knobs| {
            knobs.unreadable = [list.to_owned()].into();
            knobs.unreadable_fails = fails;
        });
        for error in [sweep(&fake).unwrap_err(), look(&fake, &[1001]).unwrap_err()] {
            let error = error.to_string();
            assert!(
                error.contains(&format!("({list})")) && error.contains("may the role"),
                "{error}"
            );
        }
    }
}

#[test]
fn an_account_that_only_its_services_know_is_no_absence() {
    let fake = start(&Seed::many(3));
    // The role sees other companies' services, and not their accounts.
    let values = [
        ("account_id", json!(4242)),
        ("service_id", json!(1)),
        ("quantity", json!(1)),
    ];
    fake.make("AccountService", &values);
    let error = sweep(&fake).unwrap_err().to_string();
    assert!(
        error.contains("is of account 4242, which is not in the list of accounts"),
        "{error}"
    );
}

#[test]
fn a_limit_that_is_reached_is_told_with_when_to_ask_again() {
    let fake = start(&Seed::many(1));
    fake.turn(|knobs| knobs.limit = Some(3));
    let BillerError::Busy { after, said, .. } = sweep(&fake).unwrap_err() else {
        panic!("it was not busy");
    };
    assert_eq!(
        (after, said.as_str()),
        (Duration::from_secs(60), "Request limit of 400/min reached.")
    );
    assert_eq!(fake.requests().len(), 4);
}

#[test]
fn long_lists_are_read_to_their_ends() {
    let fake = start(&Seed::many(2345));
    let book = sweep(&fake).unwrap();
    assert_eq!((book.accounts.len(), book.services().count()), (2345, 2345));
    let macs = book
        .services()
        .filter(|(_, _, service)| service.clues.iter().any(|clue| clue.source == "inventory.mac"));
    assert_eq!(macs.count(), 2345);
    // Nine lists, most of them three pages, and the counts.
    assert!(fake.requests().len() < 40, "{}", fake.requests().len());
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

#[test]
fn nothing_private_is_asked_for_or_shown() {
    let fake = town();
    let client = client(&fake);
    let book = on(client.sweep()).unwrap();
    on(client.look(&["2001".to_owned()].into())).unwrap();
    let debug = format!("{client:?} {book:?}");
    assert!(!debug.contains(TOKEN) && !debug.contains("canary-radius"), "{debug}");
    for asked in fake.requests() {
        assert!(!asked.contains("password") && !asked.contains(TOKEN), "{asked}");
    }
    for is_200 in [false, true] {
        fake.turn(|knobs| knobs.bad_token_is_200 = is_200);
        let wrong = Sonar::new(&connection(&fake.url(), "canary-token")).unwrap();
        let error = on(wrong.sweep()).unwrap_err();
        let said = format!("{error} {error:?}");
        assert!(said.contains("is the personal access token right"), "{said}");
        assert!(!said.contains("canary"), "{said}");
        assert_eq!(error.retry(), Retry::AfterChange);
    }
}

#[test]
fn an_address_that_is_none_is_refused_before_anything_is_asked() {
    for (url, token) in [
        ("isp.sonar.software", TOKEN),
        ("https://isp.sonar.software/api/graphql", TOKEN),
        ("https://user@isp.sonar.software", TOKEN),
        ("https://isp.sonar.software", ""),
    ] {
        let error = Sonar::new(&connection(url, token)).unwrap_err();
        assert!(matches!(error, BillerError::Settings(_)), "{error}");
    }
    let gone = on(Sonar::new(&connection("http://127.0.0.1:9", TOKEN)).unwrap().sweep()).unwrap_err();
    assert_eq!(gone.retry(), Retry::Soon, "{gone}");
}

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
        heeded.heard.push(client.hear(&call).unwrap());
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

/// A fault, how many requests come before it, and how many it hits.
fn faults() -> impl Strategy<Value = Vec<(SonarFault, usize, usize)>> {
    let fault = prop::sample::select(vec![
        SonarFault::Busy,
        SonarFault::Errors,
        SonarFault::PartialData,
        SonarFault::Html(200),
        SonarFault::Html(502),
        SonarFault::NoData,
        SonarFault::HalfJson,
        SonarFault::BrokenOff,
        SonarFault::MorePages,
        SonarFault::Empty,
        SonarFault::Collapse(2),
        SonarFault::Collapse(3),
        SonarFault::NestedCut,
        SonarFault::NewAccount,
    ]);
    prop::collection::vec((fault, 0usize..24, 1usize..3), 0..3)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever goes wrong while it is read: a book has every account and service that there is, as it is, or there is no book.
    #[test]
    fn a_broken_feed_never_loses_anybody(faults in faults(), most_rows in 1u64..8, by_id in any::<bool>()) {
        let fake = start(&Seed::many(6));
        fake.turn(|knobs| knobs.most_rows = most_rows);
        for (fault, skip, times) in faults {
            fake.fault_after(skip, times, fault);
        }
        let ids: Vec<u64> = (1001..1007).collect();
        let book = if by_id { look(&fake, &ids) } else { sweep(&fake) };
        if let Ok(book) = book {
            for number in 0..6u64 {
                let account = book.accounts.get(&(1001 + number).to_string());
                prop_assert!(account.is_some(), "account {} is not there", 1001 + number);
                let service = account.and_then(|account| account.services.get(&(5001 + number).to_string()));
                prop_assert_eq!(service.map(|service| service.standing), Some(Standing::Active));
                let mac = service.map(|service| service.clues.iter().any(|clue| clue.source == "inventory.mac"));
                prop_assert_eq!(mac, Some(true));
            }
        }
    }
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap()
}
