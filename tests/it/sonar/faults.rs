//! What goes wrong: there is no book then, or it is whole.

use gamops::sim::sonar::SonarFault;
use gamops::transport::Retry;
use proptest::prelude::*;
use serde_json::json;

use super::*;

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
    // What was not answered is asked again twice.
    let faults = [
        (SonarFault::Busy, 1),
        (SonarFault::Errors, 1),
        (SonarFault::PartialData, 1),
        (SonarFault::Html(200), 1),
        (SonarFault::Html(502), 3),
        (SonarFault::NoData, 1),
        (SonarFault::HalfJson, 1),
        (SonarFault::BrokenOff, 3),
        (SonarFault::MorePages, 1),
        (SonarFault::Empty, 1),
        (SonarFault::Collapse(2), 1),
        (SonarFault::Revoked, 1),
        (SonarFault::LostAccount, 1),
    ];
    let said = faults.map(|(fault, times)| {
        fake.fault_after(accounts, times, fault.clone());
        let error = sweep(&fake).unwrap_err();
        format!("{fault:?} [{:?}]: {error}", error.retry())
    });
    insta::assert_snapshot!(said.join("\n").replace(&fake.url(), "URL"));
}

#[test]
fn what_was_not_answered_is_asked_again() {
    let fake = start(&Seed::many(3));
    let good = asked(&fake);
    for fault in [SonarFault::Html(503), SonarFault::BrokenOff] {
        fake.fault_after(4, 2, fault);
        assert_eq!(asked(&fake).len(), good.len() + 2);
    }
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
    fake.fault_after(0, 3, SonarFault::Silent);
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
