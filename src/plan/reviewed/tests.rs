//! What holds of plans that are compared with what was reviewed.

use proptest::prelude::*;

use super::*;
use crate::plan::model::FieldChange;
use crate::plan::preview::tests::{planned, preview, two_wishes};

const fn size(objects: usize, destroyed: usize) -> Size {
    Size { objects, destroyed }
}

fn review(shown: &[(&str, Size, Size)]) -> Review {
    let shown = shown
        .iter()
        .map(|(device, change, all)| {
            let (change, all) = (*change, *all);
            (Shown { change, all }, vec![(*device).to_owned()])
        })
        .collect();
    Review {
        inventory: "isp".to_owned(),
        request: 7,
        head: "4f1c".to_owned(),
        shown,
    }
}

/// Accounts of these devices with nothing on them.
fn ledger(devices: &[&str]) -> Ledger {
    Ledger {
        accounts: devices.iter().map(|device| ((*device).to_owned(), NOTHING)).collect(),
        doubt: None,
    }
}

fn settled(ledger: &mut Ledger, device: &str, found: Found) {
    ledger.settle(&[(device.to_owned(), found)].into());
}

fn refusals(plan: &Plan) -> Vec<&str> {
    let all = plan.read().flat_map(|changes| &changes.refusals);
    let ours = all.filter(|refusal| refusal.rule == BIGGER);
    ours.map(|refusal| refusal.message.as_str()).collect()
}

#[test]
fn what_several_change_requests_showed_adds_up_and_lapses_once_it_is_not_needed() {
    let mut ledger = ledger(&["a", "b"]);
    ledger.add(&review(&[("a", size(3, 1), size(3, 1))]));
    ledger.add(&review(&[
        ("a", size(2, 2), size(9, 9)),
        ("nowhere", size(1, 0), size(1, 0)),
    ]));
    assert_eq!(ledger.shown("a"), Some(size(5, 3)));
    assert_eq!(ledger.shown("b"), Some(size(0, 0)));
    assert_eq!(ledger.shown("nowhere"), None);
    settled(&mut ledger, "a", Found::Let(size(4, 3)));
    assert_eq!(ledger.shown("a"), Some(size(4, 3)));
    settled(&mut ledger, "a", Found::Let(size(0, 0)));
    assert_eq!(ledger.shown("a"), Some(size(0, 0)));
}

#[test]
fn a_device_that_is_held_back_may_be_given_all_that_a_later_review_shows_of_it() {
    let mut ledger = ledger(&["a", "b"]);
    settled(&mut ledger, "a", Found::Held(size(4, 2)));
    assert_eq!(ledger.held().collect::<Vec<_>>(), [("a", size(4, 2))]);
    ledger.add(&review(&[("a", size(1, 0), size(5, 2)), ("b", size(1, 0), size(5, 2))]));
    assert_eq!(ledger.shown("a"), Some(size(5, 2)));
    assert_eq!(ledger.shown("b"), Some(size(1, 0)));
    settled(&mut ledger, "a", Found::Let(size(5, 2)));
    assert_eq!(ledger.held().count(), 0);
}

#[test]
fn what_is_older_than_the_comparing_is_not_compared_and_is_from_then_on() {
    let mut ledger = ledger(&["a"]);
    ledger.let_pass(&["a".to_owned()]);
    assert_eq!(ledger.shown("a"), None);
    settled(&mut ledger, "a", Found::Let(size(2, 1)));
    assert_eq!(ledger.shown("a"), None);
    settled(&mut ledger, "a", Found::Let(size(0, 0)));
    assert_eq!(ledger.shown("a"), Some(size(0, 0)));
}

#[test]
fn a_size_is_said_in_words() {
    for (size, words) in [
        (size(1, 0), "1 object, none destroyed"),
        (size(3, 2), "3 objects, 2 of them destroyed"),
        (size(2, 2), "2 objects, destroyed"),
    ] {
        assert_eq!(size.to_string(), words);
    }
}

#[test]
fn what_is_held_back_is_said_with_what_would_allow_it() {
    let mut ledger = ledger(&["maple", "oak"]);
    ledger.add(&review(&[("maple", size(1, 1), size(1, 1))]));
    assert_eq!(held_markdown("isp", "9d41c07be2f3", &ledger), None);
    settled(&mut ledger, "maple", Found::Held(size(3, 2)));
    settled(&mut ledger, "oak", Found::Held(size(1, 0)));
    ledger.doubt = Some("change request 8 has no `plan`".to_owned());
    insta::assert_snapshot!(held_markdown("isp", "9d41c07be2f3", &ledger).unwrap());
    insta::assert_snapshot!(released_markdown("isp", "9d41c07be2f3"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_plan_is_never_bigger_than_itself_and_one_with_less_never_is(
        (with, without, held, records) in two_wishes(),
        keep in any::<u64>(),
    ) {
        let (with, without) = (planned(&with, &held, &records), planned(&without, &held, &records));
        let made = preview(&with, &without, 2, "");
        // What the earlier commits ask was reviewed too.
        let mut ledger = ledger(&["d0", "d1"]);
        let earlier = Size::of(&without);
        ledger.add(&review(&[("d0", earlier, earlier), ("d1", earlier, earlier)]));
        let shown = Review::of(&made, 7, "4f1c");
        let read: Review = serde_json::from_str(&serde_json::to_string(&shown).unwrap()).unwrap();
        prop_assert_eq!(&read, &shown);
        ledger.add(&read);

        let mut plan = made.plan.clone();
        hold_back(&mut plan, &ledger, &Allowances::default());
        prop_assert_eq!(refusals(&plan), Vec::<&str>::new());
        for device in &mut plan.devices {
            if let Outcome::Read(changes) = &mut device.outcome {
                let mut place = 0;
                changes.changes.retain(|_| {
                    place += 1;
                    keep >> (place % 64) & 1 == 0
                });
            }
        }
        hold_back(&mut plan, &ledger, &Allowances::default());
        prop_assert_eq!(refusals(&plan), Vec::<&str>::new());
    }

    #[test]
    fn what_was_not_reviewed_is_held_back_and_only_its_own_number_allows_it((with, _, held, records) in two_wishes()) {
        let with = planned(&with, &held, &records);
        let plan = preview(&with, &with, 1, "").plan;
        let ledger = ledger(&["d0"]);
        let pending = Size::of(&with);
        let is_free = with.refusals.is_empty() && with.held.is_none();
        let allow = |count| Allowances {
            by_flag: Vec::new(),
            by_commit: vec![Allow { subject: Subject::Unreviewed, count }],
        };
        let with_allowances = |allowances: &Allowances| {
            let mut plan = plan.clone();
            hold_back(&mut plan, &ledger, allowances);
            plan
        };
        let held_back = with_allowances(&Allowances::default());
        prop_assert_eq!(refusals(&held_back).len(), usize::from(is_free && pending.objects > 0));
        if is_free && pending.objects > 0 {
            prop_assert_eq!(found(&held_back).get("d0").copied(), Some(Found::Held(pending)));
            prop_assert!(!held_back.is_actionable());
        }
        prop_assert!(refusals(&with_allowances(&allow(pending.objects))).is_empty());
        let other = with_allowances(&allow(pending.objects + 1));
        prop_assert!(refusals(&other).iter().all(|message| message.contains("was said for another plan")));
        prop_assert_eq!(refusals(&other).len(), refusals(&held_back).len());
    }

    #[test]
    fn what_was_changed_on_the_device_by_hand_counts_on_neither_side((with, _, held, records) in two_wishes()) {
        let mut with = planned(&with, &held, &records);
        for change in &mut with.changes {
            change.cause = Cause::Drift;
            change.fields.push(FieldChange { field: "vlan", before: "1".to_owned(), after: "2".to_owned() });
        }
        prop_assert_eq!(Size::of(&with), Size::default());
    }
}
