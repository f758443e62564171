//! What must never happen, and that nothing is lost by it.

use super::*;

/// An inventory of so many subscribers, all tied to a service that agrees with them.
pub(super) fn many(number: u16) -> Desk {
    let mut desk = Desk::new();
    desk.book.accounts.clear();
    let lines = (0..number).map(|one| {
        format!(
            "  m-{one}: {{device: maple-a, plan: home-200, vlan: {}, external: {{splynx: {one}/1{one}}}}}\n",
            100 + one
        )
    });
    let start = desk.text.find("  s-1:").unwrap();
    let end = desk.text.find("billing:").unwrap();
    desk.text.replace_range(start..end, &lines.collect::<String>());
    for one in 0..number {
        desk.service(&format!("{one}/1{one}"), "2", Standing::Active, "");
    }
    desk
}

/// That nothing at all is written nor remembered, and why.
#[track_caller]
fn is_distrusted(desk: &mut Desk, words: &str) {
    let (text, before) = (desk.text.clone(), desk.before.clone());
    let decided = desk.sync();
    assert_eq!(decided.distrust.as_deref(), Some(words));
    assert_eq!((&desk.text, &desk.before), (&text, &before));
    assert!(decided.intents.is_empty() && decided.open.is_empty());
}

fn allow(desk: &mut Desk, text: &str) {
    desk.allow = [text.parse().unwrap()].into_iter().collect();
}

#[test]
fn an_empty_book_is_an_error_and_never_that_all_have_left() {
    let mut desk = many(30);
    let full = desk.book.clone();
    desk.book.accounts.clear();
    is_distrusted(
        &mut desk,
        "Splynx tells of no service at all, and 30 subscribers of the inventory are tied to one: look at what the API key may see, or \
         allow it with `--allow lose=30`",
    );
    desk.book = full.clone();
    assert_eq!(desk.sync().distrust, None);
    desk.book.accounts.clear();
    is_distrusted(
        &mut desk,
        "Splynx tells of no service at all, and it told of 30 the last time: look at what the API key may see, or allow it with `--allow \
         lose=30`",
    );
    // Even where somebody lets it through, nobody is suspended or removed.
    allow(&mut desk, "lose=30");
    let decided = desk.sync();
    assert_eq!(
        (decided.distrust.as_deref(), decided.intents.len(), decided.open.len()),
        (None, 0, 30)
    );
    assert!(
        open(&decided).starts_with(
            "NoService m-0: Splynx does not tell of the account 0: nothing is done; what is not told is not"
        )
    );
}

#[test]
fn a_book_that_is_much_shorter_is_not_believed_until_somebody_does() {
    let mut desk = many(40);
    desk.sync();
    let full = desk.book.clone();
    for one in 0..10 {
        desk.book.accounts.remove(&one.to_string());
    }
    assert_eq!(desk.decide().distrust, None, "10 or 5 %");
    desk.book.accounts.remove("20");
    let words = "Splynx tells of 29 accounts and told of 40 the last time: 11 less, of which 10 would be let through; look at what the API \
                 key may see, or allow it with `--allow lose=11`";
    is_distrusted(&mut desk, words);
    // It stays so, however often it is told.
    is_distrusted(&mut desk, words);
    allow(&mut desk, "lose=10");
    is_distrusted(&mut desk, words);
    allow(&mut desk, "lose=11");
    assert_eq!((desk.sync().distrust, intents(&desk.sync())), (None, String::new()));
    desk.allow = Allowed::default();
    assert_eq!(desk.sync().distrust, None, "it is what is remembered now");

    // Accounts that are there without their services are no better.
    desk.book = full;
    desk.sync();
    for one in 0..11 {
        desk.book.accounts.get_mut(&one.to_string()).unwrap().services.clear();
    }
    assert!(
        desk.decide()
            .distrust
            .unwrap()
            .starts_with("Splynx tells of 29 services and told of 40")
    );
}

#[test]
fn a_book_that_is_not_understood_is_not_believed() {
    let mut desk = many(30);
    desk.sync();
    for one in 0..11 {
        desk.stands(&format!("{one}/1{one}"), Standing::Unclear);
    }
    is_distrusted(
        &mut desk,
        "11 of 30 services of Splynx are not understood, of which 10 would be let through: look at what Splynx says of them, or allow it \
         with `--allow unclear=11`",
    );
    desk.stands("0/10", Standing::Active);
    assert_eq!(desk.decide().distrust, None);
}

#[test]
fn many_that_turn_at_once_are_not_believed() {
    for standing in [Standing::Suspended, Standing::Ended, Standing::Unclear, Standing::Lead] {
        let mut desk = many(60);
        desk.sync();
        desk.write("    vlans:", "    limits: {unclear: unlimited}\n    vlans:");
        for one in 0..51 {
            desk.stands(&format!("{one}/1{one}"), standing);
        }
        let words = "51 services of Splynx begin or cease to be served at once, of which 50 would be let through: look whether that is \
                     meant, or allow it with `--allow turn=51`";
        is_distrusted(&mut desk, words);
        assert!(!desk.text.contains("suspended,"));
    }
}

#[test]
fn what_was_asked_for_by_id_is_not_measured_against_everything() {
    let mut desk = many(30);
    desk.sync();
    desk.stands("3/13", Standing::Suspended);
    let asked = BTreeSet::from(["3".to_owned(), "4".to_owned()]);
    let mut looked = desk.looked(&asked);
    looked.book.accounts.remove("4");
    let decided = looked.sync();
    assert_eq!(intents(&decided), "suspend m-3: suspended (service suspended)");
    assert!(open(&decided).starts_with("NoService m-4"));
    assert_eq!(looked.before.told, desk.before.told);
    // Nor is the next whole book measured against what was looked at meanwhile.
    assert_eq!(looked.before.services, desk.before.services);
}

#[test]
fn above_a_limit_nothing_of_that_kind_is_written_and_all_of_it_is_listed() {
    let mut desk = many(40);
    for one in 0..21 {
        desk.stands(&format!("{one}/1{one}"), Standing::Suspended);
    }
    desk.service("30/130", "5", Standing::Active, "");
    let decided = desk.decide();
    assert_eq!(intents(&decided), "plan m-30: plan home-200 → fiber-500");
    assert_eq!(decided.open.len(), 21);
    assert!(open(&decided).contains(
        "Refused m-9 9/19: suspended (service suspended); refused by `limits.suspend`: 21 at once, and the limit is 20, \
         or allow it with `--allow suspend=21`"
    ));
    allow(&mut desk, "suspend=21");
    assert_eq!(desk.decide().intents.len(), 22);
    allow(&mut desk, "suspend=20");
    assert_eq!(desk.decide().intents.len(), 1);
}

#[test]
fn a_plan_that_changes_beside_something_else_counts_and_stays_behind() {
    let mut desk = many(4);
    desk.write("    vlans:", "    limits: {plan: {run: {count: 2}}}\n    vlans:");
    desk.write("vlan: 100,", "vlan: 100, state: suspended,");
    for one in 0..3 {
        let standing = if one == 1 {
            Standing::Suspended
        } else {
            Standing::Active
        };
        desk.service(&format!("{one}/1{one}"), "5", standing, "");
    }
    let decided = desk.decide();
    assert_eq!(
        intents(&decided),
        "restore m-0: restored: active (service active)\nsuspend m-1: suspended (service suspended)"
    );
    let sets = decided.intents.iter().flat_map(|intent| &intent.sets);
    assert!(sets.clone().all(|(field, _)| *field == "state") && sets.count() == 2);
    assert!(decided.intents.iter().all(|intent| intent.edits.len() == 1));
    let refused = "plan home-200 → fiber-500; refused by `limits.plan`: 3 at once, and the limit is 2, or allow it with \
                   `--allow plan=3`";
    for (key, name) in [("m-0", "0/10"), ("m-1", "1/11"), ("m-2", "2/12")] {
        assert!(
            open(&decided).contains(&format!("Refused {key} {name}: {refused}")),
            "{}",
            open(&decided)
        );
    }
    allow(&mut desk, "plan=3");
    let decided = desk.decide();
    assert!(
        decided
            .intents
            .iter()
            .all(|intent| intent.sets.iter().any(|(field, _)| *field == "plan"))
    );
}

#[test]
fn while_too_many_are_to_rest_nobody_leaves() {
    let mut desk = many(30);
    desk.write("vlan: 100,", "vlan: 100, state: suspended, ended: 2020-01-01,");
    (0..22).for_each(|one| desk.stands(&format!("{one}/1{one}"), Standing::Ended));
    // Among all, nobody is asked for by the id; asked for by their ids, all say the same.
    assert!(desk.decide().look.is_empty());
    let asked: BTreeSet<String> = (0..22).map(|one: u16| one.to_string()).collect();
    let mut looked = desk.looked(&asked);
    let decided = looked.decide();
    assert_eq!(intents(&decided), "");
    assert!(
        open(&decided)
            .contains("Refused m-0 0/10: removed: over (service ended) since 2020-01-01; refused by `limits.suspend`"),
        "{}",
        open(&decided)
    );
    allow(&mut looked, "suspend=21");
    assert!(intents(&looked.decide()).contains("remove m-0"));
}

#[test]
fn a_day_has_limits_too() {
    let mut desk = many(40);
    desk.stands("1/11", Standing::Suspended);
    desk.written.recent.insert(Kind::Suspend, 39);
    assert_eq!(desk.decide().intents.len(), 1);
    desk.written.recent.insert(Kind::Suspend, 40);
    let decided = desk.decide();
    assert!(decided.intents.is_empty());
    assert!(
        open(&decided)
            .ends_with("1 now after 40 in 24 hours, and the limit is 40, or allow it with `--allow suspend=1`"),
        "{}",
        open(&decided)
    );
}

#[test]
fn every_kind_but_a_new_id_has_a_limit() {
    let zero = "{run: {count: 0, share: 0%}}";
    for kind in Kind::ALL {
        let mut desk = Desk::new();
        if kind != Kind::Rename {
            desk.write(
                "    vlans:",
                &format!("    limits: {{{}: {zero}}}\n    vlans:", kind.word()),
            );
        }
        let asked = BTreeSet::from(["1".to_owned()]);
        match kind {
            Kind::Rename => {
                desk.stands("1/11", Standing::Ended);
                desk.service("1/21", "2", Standing::Active, &mac(1));
            }
            Kind::Plan => drop(desk.service("1/11", "5", Standing::Active, &mac(1)).words.clone()),
            Kind::Restore => desk.write("vlan: 1000,", "vlan: 1000, state: suspended,"),
            Kind::Suspend => desk.stands("1/11", Standing::Suspended),
            Kind::Create => {
                desk.service("4/14", "5", Standing::Active, &mac(0x21));
                desk.plug("maple-a", 4, &mac(0x21));
            }
            Kind::Remove => {
                desk.write("vlan: 1000,", "vlan: 1000, state: suspended, ended: 2020-01-01,");
                desk.stands("1/11", Standing::Ended);
                desk = desk.looked(&asked);
            }
        }
        let decided = desk.decide();
        if kind == Kind::Rename {
            assert_eq!(decided.intents[0].kind, kind);
            continue;
        }
        assert!(decided.intents.is_empty(), "{kind:?}");
        assert!(
            open(&decided).contains(&format!("refused by `limits.{}`: 1 at once", kind.word())),
            "{}",
            open(&decided)
        );
        allow(&mut desk, &format!("{}=1", kind.word()));
        let decided = desk.decide();
        assert_eq!(decided.intents[0].kind, kind);
    }
}

#[test]
fn while_it_is_not_sure_what_time_it_is_nothing_depends_on_it() {
    let mut desk = Desk::new();
    desk.write("vlan: 1000,", "vlan: 1000, state: suspended, ended: 2020-01-01,");
    desk.write("vlan: 1001,", "vlan: 1001, hold: {until: 2026-01-01, reason: x},");
    desk.stands("1/11", Standing::Ended);
    desk.stands("2/12", Standing::Suspended);
    desk.stands("3/13", Standing::Ended);
    let asked = ["1", "2", "3"].map(str::to_owned).into();
    let mut desk = desk.looked(&asked);
    let fine = desk.decide();
    assert_eq!(
        fine.intents.iter().map(|one| one.kind).collect::<Vec<_>>(),
        [Kind::Remove, Kind::Suspend, Kind::Suspend]
    );

    let apart = desk.now + jiff::SignedDuration::from_mins(11);
    desk.book.at = Some(apart);
    let decided = desk.decide();
    assert!(
        decided.clock.is_some() && decided.intents.is_empty(),
        "{}",
        intents(&decided)
    );
    assert_eq!(decided.open.len(), 3);
    desk.book.at = Some(desk.now);
    desk.before.now = Some(apart);
    assert_eq!(intents(&desk.decide()), "");
    // The other clock is right: what ours says now is remembered, and the next time is well.
    desk.sync();
    assert_eq!(intents(&desk.decide()), intents(&fine));
}

#[test]
fn what_is_remembered_reads_back() {
    let mut desk = Desk::new();
    desk.service("1/11", "5", Standing::Delinquent, &mac(1));
    desk.service("9/19", "5", Standing::NotYet, &mac(1));
    desk.sync();
    let text = serde_json::to_string(&desk.before).unwrap();
    assert_eq!(serde_json::from_str::<Remembered>(&text).unwrap(), desk.before);
    // Standings keep their day, and what is gone is forgotten with the next whole book.
    let since = desk.before.services["1/11"].since;
    desk.later(2);
    desk.book.accounts.remove("9");
    desk.sync();
    assert_eq!(desk.before.services["1/11"].since, since);
    assert!(!desk.before.services.contains_key("9/19"));
    assert_eq!(
        desk.before.told,
        Some(Told {
            accounts: 3,
            services: 3
        })
    );
}

#[test]
fn an_inventory_that_does_not_know_the_system_is_left_alone() {
    let mut desk = Desk::new();
    desk.book.kind = BillingKind::Sonar;
    is_distrusted(
        &mut desk,
        "the inventory has no `billing.sonar`: it does not say what the words of Sonar mean",
    );
}
