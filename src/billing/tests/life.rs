//! The life of a subscriber that is tied to a service.

use super::*;

#[test]
fn where_both_agree_nothing_is_asked() {
    let mut desk = Desk::new();
    let decided = desk.sync();
    assert_eq!((intents(&decided), open(&decided)), (String::new(), String::new()));
    assert_eq!(desk.text, TEXT);
}

#[test]
fn a_plan_and_a_standing_reach_the_subscriber_and_nothing_else_does() {
    let mut desk = Desk::new();
    desk.service("1/11", "5", Standing::Active, &mac(1));
    desk.service("2/12", "2", Standing::Suspended, &mac(2));
    let decided = desk.sync();
    assert_eq!(
        intents(&decided),
        "plan s-1: plan home-200 → fiber-500\nsuspend s-2: suspended (service suspended)"
    );
    let wanted = TEXT
        .replace(
            "port: 1, plan: home-200, vlan: 1000",
            "port: 1, plan: fiber-500, vlan: 1000",
        )
        .replace("vlan: 1001,", "vlan: 1001, state: suspended,");
    assert_eq!(desk.text, wanted);
    assert_eq!(intents(&desk.sync()), "");

    desk.stands("2/12", Standing::Active);
    assert_eq!(intents(&desk.sync()), "restore s-2: restored: active (service active)");
    assert_eq!(desk.text, wanted.replace("suspended,", "active,"));
}

#[test]
fn a_customer_who_owes_is_served_unless_the_inventory_says_otherwise() {
    let mut desk = Desk::new();
    desk.stands("1/11", Standing::Delinquent);
    assert_eq!(intents(&desk.decide()), "");
    desk.write("    vlans: {pool", "    delinquent: suspended\n    vlans: {pool");
    assert!(intents(&desk.decide()).starts_with("suspend s-1"));
}

#[test]
fn what_is_not_begun_or_not_understood_changes_nothing() {
    for standing in [Standing::NotYet, Standing::Lead, Standing::Unclear] {
        let mut desk = Desk::new();
        desk.service("1/11", "5", standing, &mac(1));
        let decided = desk.sync();
        assert_eq!((intents(&decided).as_str(), desk.text.as_str()), ("", TEXT));
        assert!(
            open(&decided).starts_with("Held s-1 1/11: it stays as it is"),
            "{}",
            open(&decided)
        );
    }
}

#[test]
fn another_service_on_the_same_endpoint_is_the_same_subscriber() {
    let mut desk = Desk::new();
    // A change of plan: the old one is over, another has begun.
    desk.stands("1/11", Standing::Ended);
    desk.service("1/21", "5", Standing::Active, &mac(1));
    let decided = desk.sync();
    assert_eq!(
        intents(&decided),
        "plan s-1: plan home-200 → fiber-500; 1/21 in Splynx, 1/11 before"
    );
    assert!(
        desk.text
            .contains("port: 1, plan: fiber-500, vlan: 1000, external: {splynx: 1/21}}"),
        "{}",
        desk.text
    );
    // A pause: that one is over, and a stopped copy of it is there.
    desk.stands("1/21", Standing::Ended);
    desk.service("1/31", "5", Standing::Suspended, &mac(1));
    assert!(intents(&desk.sync()).starts_with("suspend s-1: suspended"));
    // It is paid: the copy works.
    desk.stands("1/31", Standing::Active);
    assert!(intents(&desk.sync()).starts_with("restore s-1"));
    assert!(desk.text.contains("external: {splynx: 1/31}"), "{}", desk.text);
    assert_eq!(intents(&desk.sync()), "");
}

#[test]
fn a_service_that_may_have_come_in_another_s_place_cuts_nobody_off() {
    for (standing, other, address) in [
        (Standing::Ended, Standing::Active, ""),
        (Standing::Suspended, Standing::Active, ""),
        (
            Standing::Ended,
            Standing::Active,
            "00:0e:d8:00:00:01, 00:0e:d8:00:00:99",
        ),
        (Standing::Ended, Standing::Unclear, ""),
        (Standing::Ended, Standing::NotYet, ""),
    ] {
        let mut desk = Desk::new();
        desk.stands("1/11", standing);
        desk.service("1/21", "5", other, address);
        let decided = desk.sync();
        assert_eq!(intents(&decided), "", "{standing:?} beside {other:?}");
        assert!(
            open(&decided).contains("`1/21` may have come in its place: write the one that it is"),
            "{}",
            open(&decided)
        );
    }
    // One on another endpoint has nothing to do with it.
    let mut desk = Desk::new();
    desk.stands("1/11", Standing::Suspended);
    desk.service("1/21", "5", Standing::Active, &mac(0x55));
    assert!(intents(&desk.decide()).starts_with("suspend s-1"));
}

#[test]
fn a_service_that_went_over_to_another_account_is_still_that_service() {
    let mut desk = Desk::new();
    let account = desk.book.accounts.remove("1").unwrap();
    desk.book.accounts.insert("9".to_owned(), account);
    assert_eq!(intents(&desk.sync()), "rename s-1: 9/11 in Splynx, 1/11 before");
    // That it is over there may be because it went on.
    desk.write("external: {splynx: 9/11}", "external: {splynx: 1/11}");
    desk.stands("9/11", Standing::Ended);
    let decided = desk.decide();
    assert_eq!(intents(&decided), "");
    assert!(open(&decided).starts_with("NoService s-1: Splynx does not tell of the account 1"));
    desk.stands("9/11", Standing::Active);
    // One that is named by its own id alone needs no other.
    let account = desk.book.accounts.remove("2").unwrap();
    desk.book.accounts.insert("8".to_owned(), account);
    assert!(!intents(&desk.sync()).contains("s-2"));
}

#[test]
fn who_is_tied_to_nothing_meets_its_service_by_its_endpoint() {
    let mut desk = Desk::new();
    desk.service("4/14", "5", Standing::Active, &mac(0x0f));
    let decided = desk.sync();
    assert_eq!(
        intents(&decided),
        "plan other: plan home-200 → fiber-500; 4/14 in Splynx"
    );
    assert_eq!(intents(&desk.sync()), "");
    // Not to be cut off by an old account that has its endpoint still.
    let mut desk = Desk::new();
    desk.service("4/14", "5", Standing::Suspended, &mac(0x0f));
    assert_eq!(intents(&desk.decide()), "");
}

#[test]
fn what_is_over_is_marked_and_rests_and_leaves_after_the_grace_period_by_its_own_word() {
    let mut desk = Desk::new();
    desk.stands("1/11", Standing::Ended);
    let decided = desk.sync();
    assert_eq!(
        intents(&decided),
        "suspend s-1: suspended: over (service ended); over since 2026-11-28"
    );
    assert!(
        desk.text.contains("state: suspended, ended: 2026-11-28, external"),
        "{}",
        desk.text
    );

    desk.later(13);
    let decided = desk.sync();
    assert_eq!(intents(&decided), "");
    assert_eq!(
        open(&decided),
        "Held s-1 1/11: its service is over (service ended) since 2026-11-28: it leaves the inventory on 2026-12-12"
    );
    desk.later(1);
    let decided = desk.sync();
    assert_eq!(
        (intents(&decided).as_str(), &decided.look),
        ("", &BTreeSet::from(["1".to_owned()]))
    );

    let mut looked = desk.looked(&decided.look);
    let decided = looked.sync();
    assert_eq!(
        intents(&decided),
        "remove s-1: removed: over (service ended) since 2026-11-28"
    );
    assert_eq!(decided.intents[0].way, Way::Propose);
    assert!(!looked.text.contains("s-1"), "{}", looked.text);
    assert_eq!(intents(&looked.sync()), "");
}

#[test]
fn who_comes_back_in_time_loses_the_mark() {
    let mut desk = Desk::new();
    desk.stands("1/11", Standing::Ended);
    desk.sync();
    desk.later(20);
    desk.stands("1/11", Standing::Active);
    let decided = desk.sync();
    assert_eq!(
        intents(&decided),
        "restore s-1: restored: active (service active); not over any more"
    );
    assert!(!desk.text.contains("ended"), "{}", desk.text);
    // And if it ends once more, its days are counted anew.
    desk.stands("1/11", Standing::Ended);
    assert!(intents(&desk.sync()).contains("over since 2026-12-18"));
}

#[test]
fn the_day_of_the_mark_alone_removes_nobody() {
    let mut desk = Desk::new();
    desk.write("vlan: 1000,", "vlan: 1000, state: suspended, ended: 2020-01-01,");
    // Not ended any more, or not told, or not asked for by its id: each is enough.
    let asked = BTreeSet::from(["1".to_owned()]);
    assert_eq!(
        intents(&desk.looked(&asked).decide()),
        "restore s-1: restored: active (service active); not over any more"
    );
    desk.stands("1/11", Standing::Ended);
    assert_eq!(intents(&desk.decide()), "");
    let mut looked = desk.looked(&asked);
    assert!(intents(&looked.decide()).starts_with("remove s-1"));
    looked.book.at = None;
    assert_eq!(intents(&looked.decide()), "");
    let mut gone = desk.looked(&asked);
    gone.book.accounts.clear();
    assert_eq!(intents(&gone.decide()), "");
    assert!(open(&gone.decide()).starts_with("NoService s-1: Splynx does not tell of the account 1"));
}

#[test]
fn who_is_served_under_an_old_mark_gets_all_of_the_grace_period() {
    let mut desk = Desk::new();
    desk.write("vlan: 1000,", "vlan: 1000, ended: 2020-01-01,");
    desk.stands("1/11", Standing::Ended);
    let mut looked = desk.looked(&BTreeSet::from(["1".to_owned()]));
    assert_eq!(
        intents(&looked.sync()),
        "suspend s-1: suspended: over (service ended); over since 2026-11-28"
    );
    assert_eq!(intents(&looked.sync()), "");
    assert!(open(&looked.decide()).contains("it leaves the inventory on 2026-12-12"));
}

#[test]
fn what_people_wrote_since_is_shown_and_stays() {
    let mut desk = Desk::new();
    desk.service("1/11", "5", Standing::Active, &mac(1));
    desk.sync();
    desk.write("plan: fiber-500, vlan: 1000", "plan: unthrottled, vlan: 1000");
    let decided = desk.sync();
    assert_eq!(intents(&decided), "");
    assert_eq!(
        open(&decided),
        "Conflict s-1 1/11: `plan` is `unthrottled`, gamops wrote `fiber-500` last, and billing asks for `fiber-500` now: write \
         what is right, or `hold` the subscriber"
    );
    // Its state is no part of that.
    desk.stands("1/11", Standing::Suspended);
    assert!(intents(&desk.sync()).starts_with("suspend s-1"));
    // What both agree on is nobody's any more: billing goes on from there.
    desk.service("1/11", "2", Standing::Active, &mac(1));
    desk.write("plan: unthrottled, vlan: 1000", "plan: home-200, vlan: 1000");
    assert!(!open(&desk.sync()).contains("Conflict"));
    desk.service("1/11", "5", Standing::Active, &mac(1));
    assert_eq!(intents(&desk.sync()), "plan s-1: plan home-200 → fiber-500");
    assert!(desk.before.agreed.contains_key("s-1"));
    desk.sync();
    assert!(desk.before.agreed.is_empty());
}

#[test]
fn who_was_restored_by_hand_is_not_suspended_again() {
    let mut desk = Desk::new();
    desk.stands("1/11", Standing::Ended);
    desk.sync();
    desk.write("state: suspended, ended: 2026-11-28", "state: active");
    let decided = desk.sync();
    assert_eq!(intents(&decided), "");
    assert!(
        open(&decided).contains("`state` is `active`, gamops wrote `suspended` last"),
        "{}",
        open(&decided)
    );
    assert!(
        open(&decided).contains("`ended` is nothing, gamops wrote `2026-11-28` last"),
        "{}",
        open(&decided)
    );
}

#[test]
fn a_hold_freezes_until_its_end() {
    let mut desk = Desk::new();
    desk.write("vlan: 1000,", "vlan: 1000, hold: {until: 2026-12-01, reason: dispute},");
    desk.service("1/11", "5", Standing::Suspended, &mac(1));
    let decided = desk.sync();
    assert_eq!(intents(&decided), "");
    assert_eq!(
        open(&decided),
        "Held s-1 1/11: held until 2026-12-01T00:00:00Z (\"dispute\"); billing asks for: plan home-200 → fiber-500; suspended (service suspended)"
    );
    desk.later(3);
    assert!(intents(&desk.sync()).starts_with("suspend s-1"));
}

#[test]
fn who_is_protected_is_neither_suspended_nor_removed() {
    let mut desk = Desk::new();
    desk.write("vlan: 1000,", "vlan: 1000, protect: true,");
    desk.stands("1/11", Standing::Suspended);
    assert_eq!(intents(&desk.decide()), "");
    assert!(open(&desk.decide()).starts_with("Held s-1 1/11: protected"));
    desk.service("1/11", "5", Standing::Active, &mac(1));
    assert!(intents(&desk.decide()).starts_with("plan s-1"));
}

#[test]
fn where_nothing_says_how_people_are_suspended_it_is_asked() {
    let mut desk = Desk::new();
    desk.write("policies: {suspension: {vlan: 3900}}\n", "");
    desk.stands("1/11", Standing::Suspended);
    desk.stands("2/12", Standing::Ended);
    let decided = desk.sync();
    assert_eq!(intents(&decided), "");
    assert_eq!(
        open(&decided)
            .matches("add `policies.suspension` to gamops.yaml")
            .count(),
        2
    );
}

#[test]
fn what_is_sold_is_found_by_its_id_a_plan_s_own_id_or_its_name_and_else_asked_for() {
    let mut desk = Desk::new();
    desk.service("1/11", "9", Standing::Active, &mac(1));
    let whole = Offer {
        name: "Whole house".to_owned(),
        down_kbps: None,
        up_kbps: None,
    };
    desk.book.offers.insert("9".to_owned(), whole);
    assert_eq!(intents(&desk.decide()), "plan s-1: plan home-200 → unthrottled");

    desk.service("1/11", "7", Standing::Suspended, &mac(1));
    desk.service("2/12", "8", Standing::Active, &mac(2));
    desk.service("3/13", "8", Standing::Active, &mac(3)).offer = None;
    let decided = desk.decide();
    // What was sold is not known; that it rests is.
    assert_eq!(intents(&decided), "suspend s-1: suspended (service suspended)");
    assert_eq!(
        open(&decided),
        "Question s-1 1/11: `7` of Splynx (Fiber 400, 400/400 Mbps) is no plan here: write `7: PLAN` under `billing.splynx.plans`; \
         plans are `fiber-500`, `home-200` and `unthrottled`\n\
         Question s-2 2/12: `8` is not among what Splynx sells, and no plan here: write `8: PLAN` under `billing.splynx.plans`; plans \
         are `fiber-500`, `home-200` and `unthrottled`\n\
         Question s-3 3/13: Splynx does not say what was sold"
    );
    desk.write(
        "  fiber-500: {rate: 500 Mbps}",
        "  fiber-500: {rate: 500 Mbps, external: {splynx: \"2\"}}",
    );
    desk.service("1/11", "2", Standing::Active, &mac(1));
    assert!(open(&desk.decide()).contains("is `fiber-500` and `home-200` here at once"));
}

#[test]
fn whoever_is_tied_to_two_things_is_asked_about() {
    let mut desk = Desk::new();
    desk.write("external: {splynx: \"12\"}", "external: {splynx: 1/11}");
    desk.write("external: {splynx: 3/13}", "external: {splynx: A-13}");
    desk.stands("1/11", Standing::Suspended);
    let decided = desk.decide();
    assert_eq!(intents(&decided), "");
    assert_eq!(
        open(&decided),
        "\
Question 2/12: its endpoint 00:0e:d8:00:00:02 is that of the subscriber `s-2`, who is 1/11 in billing: take it away there, or correct `external.splynx`
Question 3/13: its endpoint 00:0e:d8:00:00:03 is that of the subscriber `s-3`, who is A-13 in billing: take it away there, or correct `external.splynx`
Question s-1 1/11: `s-1` and `s-2` are all tied to the service 1/11: leave it to one of them
Question s-2 1/11: `s-1` and `s-2` are all tied to the service 1/11: leave it to one of them
Question s-3: `external.splynx` is `A-13`, which is no service: write ACCOUNT/SERVICE, such as 1001/5001"
    );
    let mut desk = Desk::new();
    desk.write("external: {splynx: 1/11}", "external: {splynx: 1/11, sonar: 4/14}");
    desk.stands("1/11", Standing::Suspended);
    assert!(
        intents(&desk.decide()).starts_with("suspend s-1"),
        "the inventory knows no Sonar"
    );
    desk.write(
        "    vlans: {pool: access}\n",
        "    vlans: {pool: access}\n  sonar: {}\n",
    );
    assert_eq!(intents(&desk.decide()), "");
}

#[test]
fn an_endpoint_of_two_services_decides_nothing() {
    let mut desk = Desk::new();
    desk.service("1/11", "5", Standing::Active, &mac(1));
    desk.service("9/19", "5", Standing::Active, &mac(1));
    let decided = desk.sync();
    assert_eq!(intents(&decided), "");
    assert_eq!(
        open(&decided).matches("is that of `1/11` and `9/19` at once").count(),
        2,
        "{}",
        open(&decided)
    );
    // Asked about one of them by its id, it is still known.
    let looked = desk.looked(&BTreeSet::from(["1".to_owned()]));
    assert_eq!(intents(&looked.decide()), "");
    assert!(open(&looked.decide()).contains("the last time that all was told"));
}

#[test]
fn an_endpoint_that_differs_is_shown_and_stays() {
    let mut desk = Desk::new();
    desk.service("1/11", "2", Standing::Active, &mac(0x77));
    let decided = desk.sync();
    assert_eq!(intents(&decided), "");
    assert_eq!(
        open(&decided),
        "Differs s-1 1/11: its endpoint is 00:0e:d8:00:00:01, and 00:0e:d8:00:00:77 in billing: correct the one that is wrong"
    );
}
