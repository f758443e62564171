//! What is read, and that it is the same however it is written.

use gamops::billing::Scope;
use gamops::sim::billing::{SeedCustomer, SeedService};
use gamops::sim::sonar::{SonarFault, SonarKnobs};
use gamops::transport::Retry;
use serde_json::json;

use super::*;

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
    let model = fake.make("InventoryModel", &[("name", json!("Router R7"))]);
    let field = |name: &str, primary: bool| {
        let values = [
            ("inventory_model_id", json!(model)),
            ("name", json!(name)),
            ("primary", json!(primary)),
        ];
        fake.make("InventoryModelField", &values)
    };
    let (wan, name, wifi) = (
        field("WAN mac", false),
        field("Host name", true),
        field("WiFi Password", false),
    );
    let router = fake.make(
        "InventoryItem",
        &[
            ("inventory_model_id", json!(model)),
            ("inventoryitemable_type", json!("Address")),
            ("inventoryitemable_id", json!(home)),
        ],
    );
    for data in [(wan, "00:00:5E:00:53:D1"), (name, "router-1"), (wifi, "canary-wifi")] {
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
    fake.write_field("Account", 1003, "Second phone", "canary-phone");
    fake.write_field("Address", home, "Gate passcode", "canary-gate");
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
fn nothing_private_is_asked_for_or_shown() {
    let fake = town();
    let client = client(&fake);
    let book = on(client.sweep()).unwrap();
    on(client.look(&["2001".to_owned()].into())).unwrap();
    let debug = format!("{client:?} {book:?}");
    assert!(!debug.contains(TOKEN) && !debug.contains("canary"), "{debug}");
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
