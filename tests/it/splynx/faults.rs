//! Whatever goes wrong: there is an error that says what to do, or a book that lacks nobody.

use gamops::sim::splynx::{Fault, When};
use proptest::prelude::*;

use super::*;

/// A fault of one list, for ever.
const fn of(table: Table) -> When {
    When {
        table: Some(table),
        after: 0,
        times: 0,
    }
}

#[tokio::test]
async fn each_fault_is_an_error_that_says_what_happened() {
    let fake = fake(3).await;
    let client = with(&fake, |connection| connection.within = Duration::from_millis(400));
    let book = sweep(&client).await;
    let once_per_list = [Table::Tariffs, Table::Customers, Table::Services, Table::Items];
    for (fault, tables, said) in [
        (Fault::EmptyList, &once_per_list[..], "sends no row, and counts 3"),
        (Fault::ShortList, &once_per_list, "2 rows were read, and 3 are there"),
        (
            Fault::ErrorBody,
            &once_per_list,
            "answered with an error: Something went wrong, SERVER_ERROR",
        ),
        (
            Fault::WebPage,
            &once_per_list,
            "sends a web page where a list should be",
        ),
        (Fault::Truncated, &once_per_list, "sends half of a list"),
        (
            Fault::Redirect,
            &once_per_list,
            "sends a web page where a list should be",
        ),
        (
            Fault::EmptyList,
            &[Table::Locations, Table::Partners],
            "sends no row, and every Splynx has some",
        ),
        (
            Fault::Status(400),
            &[Table::Customers],
            "is asked in a way that it does not know",
        ),
        (Fault::Status(401), &[Table::Customers], "are key and secret right"),
        (
            Fault::Status(403),
            &[Table::Customers],
            "the permission Customers → Customer (view)",
        ),
        (Fault::Status(405), &[Table::Customers], "switch its module on"),
        (Fault::Status(422), &[Table::Customers], "wants more than is sent"),
        (Fault::Status(429), &[Table::Customers], "is asked too often"),
        (Fault::Status(503), &[Table::Customers], "status 503"),
        (Fault::Reset, &[Table::Services], "broke off"),
        (Fault::Drip, &[Table::Services], "did not answer within"),
        (Fault::RowsGo, &[Table::Services], "rows, then"),
    ] {
        for table in tables {
            fake.fault(fault, of(*table));
            let error = client.sweep().await.unwrap_err().to_string();
            assert!(error.contains(said), "{fault:?} of {table:?}: {error}");
            fake.mend();
            if fault != Fault::RowsGo {
                assert_eq!(
                    sweep(&client).await,
                    book,
                    "{fault:?} of {table:?}: nothing of it stays"
                );
            }
        }
    }
}

#[tokio::test]
async fn what_was_not_answered_is_asked_again() {
    for fault in [Fault::Status(500), Fault::Status(502), Fault::Reset, Fault::Drip] {
        for after in [0, 2, 7] {
            let fake = fake(3).await;
            let client = with(&fake, |connection| connection.within = Duration::from_millis(400));
            let book = sweep(&client).await;
            let twice = When {
                table: None,
                after,
                times: 2,
            };
            fake.fault(fault, twice);
            assert_eq!(sweep(&client).await, book, "{fault:?} after {after}");
        }
    }
}

#[tokio::test]
async fn rows_that_come_meanwhile_are_read_or_noticed() {
    let fake = fake(499).await;
    let client = client(&fake);
    // One comes before each page of customers: the next page is there to read it.
    fake.fault(Fault::RowsCome, of(Table::Customers));
    let error = client.sweep().await.unwrap_err();
    assert!(matches!(error, BillerError::Moved { .. }), "{error}");
    assert_eq!(error.retry(), Retry::Soon);
    fake.mend();
    let all = fake.rows(Table::Customers).len();
    assert_eq!(sweep(&client).await.accounts.len(), all);
}

#[tokio::test]
async fn a_server_that_does_not_count_is_asked_for_its_last_row() {
    let fake = fake(3).await;
    fake.switch(Switches {
        counts: false,
        ..Switches::default()
    });
    let client = client(&fake);
    assert_eq!(sweep(&client).await.accounts.len(), 3);
    for table in [Table::Customers, Table::Services, Table::Items] {
        // Both pages: rows are missing at the end.
        let pages = When {
            table: Some(table),
            // Not the `HEAD` before it.
            after: 1,
            times: 1,
        };
        fake.fault(Fault::EmptyList, pages);
        let error = client.sweep().await.unwrap_err();
        assert!(matches!(error, BillerError::Moved { .. }), "{error}");
        fake.mend();
    }
}

#[tokio::test]
async fn a_page_that_comes_again_is_noticed() {
    let fake = fake(600).await;
    let again = When {
        table: Some(Table::Customers),
        // The count, and the first page.
        after: 2,
        times: 1,
    };
    fake.fault(Fault::SamePage, again);
    let error = client(&fake).sweep().await.unwrap_err().to_string();
    assert!(error.contains("row 1001 comes after row 1500"), "{error}");
}

#[tokio::test]
async fn a_look_is_whole_or_an_error() {
    let fake = fake(3).await;
    let client = with(&fake, |connection| connection.within = Duration::from_millis(400));
    let accounts: BTreeSet<String> = ["1002".to_owned()].into();
    for fault in [
        Fault::ErrorBody,
        Fault::WebPage,
        Fault::Truncated,
        Fault::Redirect,
        Fault::Status(403),
        Fault::Status(500),
    ] {
        for table in [Table::Tariffs, Table::Customers, Table::Services, Table::Items] {
            fake.fault(fault, of(table));
            let looked = client.look(&accounts).await;
            assert!(looked.is_err(), "{fault:?} of {table:?}: {looked:?}");
            fake.mend();
        }
    }
}

fn any_fault() -> impl Strategy<Value = Fault> {
    let statuses = prop::sample::select(vec![400, 401, 403, 404, 405, 422, 429, 500, 503]);
    prop_oneof![
        3 => prop::sample::select(vec![Fault::EmptyList, Fault::ShortList, Fault::SamePage, Fault::RowsCome, Fault::RowsGo]),
        2 => prop::sample::select(vec![Fault::ErrorBody, Fault::WebPage, Fault::Truncated, Fault::Reset, Fault::Redirect, Fault::Forgets]),
        1 => Just(Fault::ScopeShrinks),
        1 => statuses.prop_map(Fault::Status),
    ]
}

fn any_when() -> impl Strategy<Value = When> {
    let tables = vec![
        None,
        Some(Table::Customers),
        Some(Table::Services),
        Some(Table::Items),
        Some(Table::Tariffs),
    ];
    (prop::sample::select(tables), 0..9_u32, 0..4_u32).prop_map(|(table, after, times)| When { table, after, times })
}

proptest! {
    // Two sweeps of a real server each.
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn no_book_lacks_anybody(
        customers in prop::sample::select(vec![1_u64, 5, 520]),
        counts in prop::bool::weighted(0.8),
        faults in prop::collection::vec((any_fault(), any_when()), 1..3),
    ) {
        // A scope that shrinks before anything was counted, or where nothing is counted, cannot be told from customers who left. What is made of
        // a book is careful for that reason.
        // Names of places are not counted: one that is lost leaves a question about a site, and nobody without service.
        prop_assume!(!faults.iter().any(|(fault, when)| *fault == Fault::ShortList && when.table.is_none()));
        // An empty list cannot be told from one that is empty where nothing is counted.
        prop_assume!(counts || !faults.iter().any(|(fault, _)| *fault == Fault::EmptyList));
        let is_hidden = |(fault, when): &(Fault, When)| *fault == Fault::ScopeShrinks && (when.table.is_some() || when.after < 5);
        prop_assume!(!faults.iter().any(is_hidden));
        let counts = counts || faults.iter().any(|(fault, _)| *fault == Fault::ScopeShrinks);
        // One fault that stops the counting and another that is only seen by it are as if nothing was counted.
        let stops_counts = |(fault, _): &(Fault, When)| matches!(fault, Fault::Status(400.. ) | Fault::Redirect);
        let is_one = faults.len() == 1 || !faults.iter().any(stops_counts);
        prop_assume!(is_one && (counts || faults.len() == 1));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (before, found, after) = runtime.block_on(async {
            let fake = fake(customers).await;
            for id in (1001..1001 + customers).step_by(3) {
                fake.set(Table::Customers, id, &json!({ "partner_id": 2 }));
            }
            fake.switch(Switches { counts, ..Switches::default() });
            let client = client(&fake);
            let before = sweep(&client).await;
            for (fault, when) in &faults {
                fake.fault(*fault, *when);
            }
            let found = client.sweep().await;
            fake.mend();
            fake.show_partner(None);
            (before, found, sweep(&client).await)
        });
        if let Ok(found) = found {
            let stayed = after.accounts.iter().filter(|(id, _)| before.accounts.contains_key(*id));
            for (id, account) in stayed {
                prop_assert_eq!(found.accounts.get(id), Some(account), "account {}", id);
            }
            prop_assert_eq!(&found.offers, &after.offers);
        }
    }
}
