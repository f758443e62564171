//! What must never happen, rule by rule: the real program between a billing system and a repository, and nothing lost.

use gamops::domain::BillingKind;
use gamops::sim::sonar::SonarFault;
use gamops::sim::splynx::{Fault, Table, When};
use gamops::store::Store;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::office::Office;
use super::system::System;

/// Removals are pushed, and only after 14 days.
const REMOVES: &str = "    ways: { remove: push }\n";

/// Does the same with either system.
fn with_each(customers: u64, mapping: &str, act: impl Fn(&Office)) {
    for kind in BillingKind::ALL {
        let office = Office::new(kind, customers, mapping);
        let _ = office.changes_nothing(|office| office.sync(&[])).expect(0);
        act(&office);
    }
}

/// Nothing is written, and this is said.
#[track_caller]
fn refuses(office: &Office, arguments: &[&str], code: i32, said: &str) {
    let _ = office
        .changes_nothing(|office| office.sync(arguments))
        .expect(code)
        .says(said);
}

/// One commit is made, about these accounts and nobody else.
#[track_caller]
fn writes(office: &Office, arguments: &[&str], accounts: &[u64]) {
    let _ = office
        .changes_only(accounts, 1, |office| office.sync(arguments))
        .expect(0);
}

#[test]
fn who_is_not_told_of_stays_as_it_is() {
    with_each(4, REMOVES, |office| {
        office.system.forget(1);
        let said = format!("{} does not tell of the account 1001", office.kind);
        refuses(office, &[], 0, &said);
        refuses(office, &["--account", "1001"], 0, &said);
        // Not even where it was over long ago, and is not told of since.
        office.marked(1001, 30);
        refuses(office, &[], 0, &said);
        refuses(office, &["--account", "1001"], 0, &said);
        assert!(
            office
                .run(&["status", "--format", "csv"])
                .expect(0)
                .stdout
                .contains("no service,h-1001")
        );
        // The others go on.
        office.system.suspend(1003);
        writes(office, &[], &[1003]);
    });
}

#[test]
fn what_is_over_rests_first_and_leaves_after_its_grace_by_its_own_word() {
    with_each(4, REMOVES, |office| {
        office.system.end(1002);
        writes(office, &[], &[1002]);
        let line = office.line(1002);
        let today = Timestamp::now().strftime("%Y-%m-%d").to_string();
        assert!(
            line.contains("state: suspended") && line.contains(&format!("ended: {today}")),
            "{line}"
        );
        refuses(office, &[], 0, "it leaves the inventory on");
        // Another one, whose days are not over, and one whose days are.
        office.system.end(1003);
        office.marked(1003, 13);
        refuses(office, &[], 0, "it leaves the inventory on");
        office.system.end(1004);
        office.marked(1004, 15);
        let asked = office.system.requests().len();
        writes(office, &[], &[1004]);
        assert_eq!(office.line(1004), "");
        let asked = office.system.requests().split_off(asked);
        assert!(
            asked.iter().any(|request| request.contains("1004")),
            "asked for by its id: {asked:?}"
        );
        let message = office.git(&["log", "-1", "--format=%B", "main"]);
        assert!(message.contains("Billing-Change: remove h-1004"), "{message}");
    });
}

#[test]
fn who_comes_back_meanwhile_is_not_removed() {
    with_each(3, REMOVES, |office| {
        let before = office.system.requests().len();
        let _ = office.sync(&[]).expect(0);
        let sweep = office.system.requests().len() - before;
        office.system.end(1001);
        office.marked(1001, 20);
        // All are told, and 1001 is over; then it is asked for by its id, and is not.
        office.system.first_pays_after(sweep);
        if let System::Splynx(splynx) = &office.system {
            splynx.set(Table::Customers, 1001, &json!({ "status": "disabled" }));
            splynx.set(Table::Services, 5001, &json!({ "status": "active" }));
        }
        writes(office, &[], &[1001]);
        let line = office.line(1001);
        assert!(line.contains("state: active") && !line.contains("ended"), "{line}");
    });
}

#[test]
fn a_removal_is_proposed_unless_the_inventory_says_otherwise() {
    with_each(3, "", |office| {
        office.system.end(1002);
        office.marked(1002, 20);
        refuses(office, &[], 0, "proposed as gamops/billing/");
        assert!(office.line(1002).contains("ended:"), "it stays until people say so");
        let branch = format!("gamops/billing/{}/remove", office.kind.key());
        assert_eq!(office.git(&["rev-list", "--count", &format!("main..{branch}")]), "1");
        let changed = office.git(&["diff", "--numstat", "main", &branch]);
        assert_eq!(changed, "0\t1\tservices.yaml");
        let tip = office.git(&["rev-parse", &branch]);
        refuses(office, &[], 0, &tip[..12]);
        assert_eq!(office.git(&["rev-parse", &branch]), tip, "the same is proposed once");
    });
}

#[test]
fn an_outage_and_nonsense_change_nothing_and_are_over_when_they_are() {
    let splynx = |fault: Fault, table: Table| {
        move |system: &System| {
            if let System::Splynx(splynx) = system {
                let table = Some(table);
                splynx.fault(
                    fault,
                    When {
                        table,
                        ..When::default()
                    },
                );
            }
        }
    };
    let sonar = |fault: SonarFault| {
        move |system: &System| {
            if let System::Sonar(sonar) = system {
                sonar.fault_after(1, usize::MAX, fault.clone());
            }
        }
    };
    type Break = Box<dyn Fn(&System)>;
    let of_splynx: Vec<(Break, &str)> = vec![
        (Box::new(System::is_down), "status 503"),
        (
            Box::new(splynx(Fault::EmptyList, Table::Customers)),
            "sends no row, and counts 4",
        ),
        (
            Box::new(splynx(Fault::ShortList, Table::Services)),
            "3 rows were read, and 4 are there",
        ),
        (
            Box::new(splynx(Fault::Miscounted, Table::Services)),
            "4 rows were read, and 5 are there",
        ),
        (
            Box::new(splynx(Fault::Doubled, Table::Customers)),
            "row 1001 comes after row 1001",
        ),
        (
            Box::new(splynx(Fault::Backwards, Table::Customers)),
            "comes after row 1004",
        ),
        (
            Box::new(splynx(Fault::ErrorBody, Table::Services)),
            "answered with an error",
        ),
        (Box::new(splynx(Fault::WebPage, Table::Tariffs)), "sends a web page"),
        (
            Box::new(splynx(Fault::Truncated, Table::Services)),
            "sends half of a list",
        ),
        (
            Box::new(splynx(Fault::Status(403), Table::Services)),
            "Customer internet services (view)",
        ),
    ];
    let of_sonar: Vec<(Break, &str)> = vec![
        (Box::new(System::is_down), "status 503"),
        (Box::new(sonar(SonarFault::Empty)), "Sonar"),
        (Box::new(sonar(SonarFault::Errors)), "Internal server error"),
        (Box::new(sonar(SonarFault::PartialData)), "Internal server error"),
        (Box::new(sonar(SonarFault::Html(200))), "text/html that is no JSON"),
        (
            Box::new(sonar(SonarFault::HalfJson)),
            "application/json that is no JSON",
        ),
        (Box::new(sonar(SonarFault::Doubled)), "Sonar"),
        (Box::new(sonar(SonarFault::Backwards)), "Sonar"),
        (Box::new(sonar(SonarFault::Miscounted)), "Sonar"),
    ];
    with_each(4, REMOVES, |office| {
        // Something is to be written all the time, and one is to be removed.
        office.system.suspend(1002);
        office.system.end(1003);
        office.marked(1003, 20);
        let breaks = match office.kind {
            BillingKind::Splynx => &of_splynx,
            BillingKind::Sonar => &of_sonar,
        };
        for (make, said) in breaks {
            make(&office.system);
            refuses(office, &[], 1, said);
            office.system.mend();
        }
        let _ = office
            .changes_only(&[1002, 1003], 2, |office| office.sync(&[]))
            .expect(0);
        assert_eq!(office.suspended(), [1002]);
    });
}

#[test]
fn a_book_without_anybody_is_not_believed() {
    with_each(4, REMOVES, |office| {
        office.system.forget(4);
        refuses(
            office,
            &[],
            4,
            "tells of no service at all, and it told of 4 the last time",
        );
        assert!(
            office
                .run(&["status"])
                .expect(4)
                .stdout
                .contains("look at what the API key may see")
        );
        // Even where somebody says that it is meant, nobody is cut off.
        refuses(office, &["--allow", "lose=4"], 0, "does not tell of the account 1001");
    });
}

#[test]
fn a_book_that_lacks_too_many_is_not_believed_and_neither_is_what_else_it_says() {
    with_each(8, "    limits: { lose: { count: 2 } }\n", |office| {
        office.system.forget(3);
        office.system.suspend(1005);
        refuses(office, &[], 4, "3 less, of which 2 would be let through");
        refuses(office, &["--allow", "lose=2"], 4, "--allow lose=3");
        writes(office, &["--allow", "lose=3"], &[1005]);
        assert_eq!(office.suspended(), [1005], "who is missing stays");
    });
}

#[test]
fn what_is_not_understood_stays_as_it_is() {
    with_each(8, "    limits: { unclear: { count: 2 } }\n", |office| {
        office.system.bewilder(1001);
        refuses(office, &[], 0, "it stays as it is: its service is not understood");
        refuses(office, &["--account", "1001"], 0, "not understood");
        office.system.bewilder(1002);
        office.system.bewilder(1003);
        office.system.suspend(1004);
        refuses(office, &[], 4, "3 of 8 services of");
        refuses(office, &["--allow", "unclear=2"], 4, "--allow unclear=3");
        (1001..=1003).for_each(|account| office.system.activate(account));
        writes(office, &[], &[1004]);
    });
}

#[test]
fn a_field_that_is_missing_or_of_another_kind_cuts_nobody_off() {
    let office = Office::new(BillingKind::Splynx, 4, "");
    let _ = office.sync(&[]).expect(0);
    let System::Splynx(splynx) = &office.system else {
        unreachable!("it was started as one");
    };
    let good = splynx.backup();
    for (table, id, fields) in [
        (Table::Customers, 1001, json!({ "status": null })),
        (Table::Customers, 1001, json!({ "status": ["blocked"] })),
        (Table::Customers, 1001, json!({ "status": 0 })),
        (Table::Services, 5001, json!({ "status": { "name": "stopped" } })),
        (Table::Services, 5001, json!({ "status": "" })),
        (Table::Services, 5001, json!({ "customer_id": 0 })),
        (Table::Services, 5001, json!({ "customer_id": null })),
        (Table::Services, 5001, json!({ "id": { "value": 5001 } })),
        (Table::Customers, 1001, json!({ "id": "disabled" })),
        (Table::Services, 5001, json!({ "tariff_id": [] })),
        (Table::Tariffs, 2, json!({ "title": null })),
        (Table::Services, 5001, json!({ "start_date": "soon", "end_date": 7 })),
        (Table::Items, 1, json!({ "barcode": { "mac": 1 } })),
    ] {
        splynx.set(table, id, &fields);
        let ran = office.changes_nothing(|office| office.sync(&[]));
        assert!([0, 1, 4].contains(&ran.code), "{fields}: {}{}", ran.stdout, ran.stderr);
        splynx.put_back(&good);
    }
    let office = Office::new(BillingKind::Sonar, 4, "");
    let _ = office.sync(&[]).expect(0);
    let System::Sonar(sonar) = &office.system else {
        unreachable!("it was started as one");
    };
    let good = sonar.backup();
    for (kind, id, column, value) in [
        ("Account", 1001, "account_status_id", Value::Null),
        ("Account", 1001, "account_status_id", json!("five")),
        ("Account", 1001, "is_delinquent", json!("yes")),
        ("Account", 1001, "archived_at", json!(0)),
        ("Account", 1001, "activation_date", Value::Null),
        ("AccountStatus", 5, "activates_account", Value::Null),
        ("AccountService", 5001, "account_id", Value::Null),
        ("AccountService", 5001, "service_id", json!({ "id": 1 })),
        ("Service", 2, "name", Value::Null),
        ("Service", 2, "type", json!("WATER")),
        ("InventoryModelFieldData", 1, "value", json!(7)),
    ] {
        sonar.set(kind, id, &[(column, value.clone())]);
        let ran = office.changes_nothing(|office| office.sync(&[]));
        assert!(
            [0, 1, 4].contains(&ran.code),
            "{kind} {column} {value}: {}{}",
            ran.stdout,
            ran.stderr
        );
        sonar.put_back(&good);
    }
}

#[test]
fn above_a_limit_nothing_of_that_kind_is_written_and_the_number_lets_exactly_that_through() {
    let limits = "    limits: { suspend: { run: { count: 2 } }, restore: { run: { count: 2 } } }\n";
    with_each(8, limits, |office| {
        let many = [1002, 1003, 1005];
        many.iter().for_each(|account| office.system.suspend(*account));
        let next = office.system.change_plan(5007, 3);
        // What is not above a limit is written.
        let _ = office
            .changes_only(&[1007], 1, |office| office.sync(&[]))
            .expect(4)
            .says("--allow suspend=3");
        assert!(office.line(1007).contains(&format!("1007/{next}")) && office.line(1007).contains("plan: unthrottled"));
        refuses(office, &["--allow", "suspend=2"], 4, "3 at once, and the limit is 2");
        refuses(office, &["--allow", "restore=9"], 4, "--allow suspend=3");
        assert!(
            office
                .run(&["status", "--format", "csv"])
                .expect(4)
                .stdout
                .contains("refused,h-1002")
        );
        let _ = office
            .changes_only(&many, 3, |office| office.sync(&["--allow", "suspend=3"]))
            .expect(0);
        assert_eq!(office.suspended(), many);
        // Back again, which has a limit of its own.
        many.iter().for_each(|account| office.system.activate(*account));
        refuses(office, &[], 4, "--allow restore=3");
        let _ = office
            .changes_only(&many, 3, |office| office.sync(&["--allow", "restore=3"]))
            .expect(0);
        assert!(office.suspended().is_empty());
    });
}

#[test]
fn a_limit_counts_what_was_written_in_the_last_day() {
    let limits = "    limits: { suspend: { run: { count: 5 }, day: { count: 2 } } }\n";
    with_each(8, limits, |office| {
        let rests = |account: u64, hours: i64| {
            let to = format!(" vlan: {}, state: suspended,", account - 901);
            office.clerk_wrote(
                account,
                &format!(" vlan: {},", account - 901),
                &to,
                ("suspend", "state=suspended"),
                hours,
            );
            office.system.suspend(account);
        };
        rests(1001, 23);
        rests(1002, 25);
        office.system.suspend(1003);
        writes(office, &[], &[1003]);
        office.system.suspend(1004);
        refuses(office, &[], 4, "1 now after 2 in 24 hours, and the limit is 2");
        refuses(office, &["--account", "1004"], 4, "1 now after 2 in 24 hours");
        writes(office, &["--allow", "suspend=1"], &[1004]);
    });
}

#[test]
fn when_too_many_turn_at_once_nothing_at_all_is_believed() {
    let limits = "    limits: { turn: { count: 3 }, suspend: { run: { count: 2 } } }\n";
    with_each(8, limits, |office| {
        (1001..=1004).for_each(|account| office.system.suspend(account));
        office.system.change_plan(5007, 3);
        refuses(office, &[], 4, "begin or cease to be served at once");
        // That the book is believed does not lift the limit on suspensions.
        let _ = office
            .changes_only(&[1007], 1, |office| office.sync(&["--allow", "turn=5"]))
            .expect(4)
            .says("--allow suspend=4");
        assert!(office.suspended().is_empty());
    });
}

#[test]
fn who_is_held_or_protected_is_not_touched() {
    with_each(5, REMOVES, |office| {
        office.person_writes(
            1001,
            " plan:",
            " hold: { until: 2099-01-01, reason: \"ticket 7\" }, plan:",
        );
        office.person_writes(1002, " plan:", " protect: true, plan:");
        office.marked(1003, 20);
        office.person_writes(1003, " plan:", " protect: true, plan:");
        office.person_writes(1004, " plan:", " hold: { until: 2020-01-01, reason: \"over\" }, plan:");
        office.system.suspend(1001);
        office.system.suspend(1002);
        office.system.end(1003);
        refuses(office, &[], 0, "held until 2099-01-01");
        refuses(office, &[], 0, "protected: take `protect` away first");
        office.system.suspend(1004);
        writes(office, &[], &[1004]);
        assert_eq!(office.suspended(), [1003, 1004]);
    });
}

#[test]
fn what_a_person_wrote_since_stays_and_all_values_are_shown() {
    with_each(3, "", |office| {
        office.system.suspend(1002);
        writes(office, &[], &[1002]);
        office.person_writes(1002, "state: suspended", "state: active");
        refuses(
            office,
            &[],
            0,
            "`state` is `active`, gamops wrote `suspended` last, and billing asks for `suspended` now",
        );
        assert!(
            office
                .run(&["status", "--format", "csv"])
                .expect(0)
                .stdout
                .contains("conflict,h-1002")
        );
        // Once billing says the same it is over, and billing moves on from there.
        office.system.activate(1002);
        refuses(office, &[], 0, "");
        office.system.suspend(1002);
        writes(office, &[], &[1002]);
    });
}

#[test]
fn while_it_is_not_sure_what_time_it_is_nothing_depends_on_it() {
    with_each(5, REMOVES, |office| {
        office.system.end(1001);
        office.marked(1001, 20);
        office.system.end(1002);
        let days = |days: i64| Timestamp::now() + SignedDuration::from_hours(24 * days);
        // The billing system is in the past, where the grace would not be over, and in the future.
        for off in [-20, 20] {
            office.system.set_clock(days(off));
            let _ = office
                .changes_nothing(|office| office.sync(&[]))
                .expect(0)
                .says("set the one that is wrong");
        }
        office.system.set_clock(days(0));
        // Our own clock went back since the last time.
        remember_now(office, days(1));
        office.system.suspend(1003);
        let _ = office
            .changes_only(&[1003], 1, |office| office.sync(&[]))
            .expect(0)
            .says("one of the two was wrong");
        let _ = office
            .changes_only(&[1001, 1002], 2, |office| office.sync(&[]))
            .expect(0);
        assert_eq!((office.line(1001).as_str(), office.suspended()), ("", vec![1002, 1003]));
    });
}

/// It was this time when the clerk last looked, as it remembers.
fn remember_now(office: &Office, now: Timestamp) {
    let store = Store::open(&office.state()).unwrap();
    let system = office.kind.key();
    office.block_on(async {
        let memory = store.billing_kept("isp", system, "memory").await.unwrap().unwrap();
        let mut memory: Value = serde_json::from_str(&memory).unwrap();
        memory["now"] = json!(now.to_string());
        store
            .keep_billing("isp", system, "memory", memory.to_string())
            .await
            .unwrap();
    });
}

#[test]
fn nothing_is_written_to_an_inventory_that_is_not_valid() {
    with_each(3, "", |office| {
        office.system.suspend(1002);
        office.person_writes(1003, "plan: unthrottled", "plan: unthrotled");
        refuses(office, &[], 1, "what billing says waits until it is");
        office.person_writes(1003, "plan: unthrotled", "plan: unthrottled");
        writes(office, &[], &[1002]);
    });
}
