//! A finished run taken back after others have been at the device.

use proptest::prelude::*;

use super::super::tests::{capabilities, clears, cut, id, plan, play, reversible, subscriber, three};
use super::super::{Rollback, rollback};
use super::*;
use crate::domain::VlanId;
use crate::observed::Capabilities;
use crate::plan::diff::tests::device::refusal;
use crate::plan::diff::tests::laws::{COPPER, any_capabilities, config};

fn vlan(number: u16) -> VlanId {
    VlanId::try_from(number).unwrap()
}

/// Undoes `before` to `left` on a device that holds `now`. The sentences of both parts stand together.
fn undo(before: &DeviceConfig, left: &DeviceConfig, now: &DeviceConfig, later: &[Later]) -> Rollback {
    let (changes, capabilities) = (plan(before, left), capabilities());
    let cut = cut(before, now, &changes, &capabilities);
    let (amended, mut others) = with_what_came_since(cut, left, later);
    let cut = Cut {
        before: &amended,
        ..cut
    };
    let mut back = rollback(cut, &|change| Ok(vec![format!("{change:?}")])).unwrap();
    others.append(&mut back.others);
    back.others = others;
    back
}

#[test]
fn what_nobody_touched_since_is_as_it_was() {
    let before = three();
    let mut left = before.clone();
    subscriber(&mut left, 1).vlan = vlan(201);
    left.subscribers.remove(&id(3));
    left.endpoints.remove(&id(3));
    let back = undo(&before, &left, &left, &[]);
    assert_eq!((back.target, back.others), (before, Vec::<String>::new()));
}

#[test]
fn a_field_that_a_later_run_changed_again_stays_and_the_run_is_named() {
    let before = three();
    let mut left = before.clone();
    subscriber(&mut left, 1).vlan = vlan(201);
    subscriber(&mut left, 1).tagged = true;
    let mut now = left.clone();
    subscriber(&mut now, 1).vlan = vlan(301);
    let later = [Later {
        run: "14".to_owned(),
        changes: plan(&left, &now),
    }];
    let back = undo(&before, &left, &now, &later);
    assert_eq!(
        back.others,
        ["subscriber 1 `s-1`: its vlan was changed since, by run 14: that stays"]
    );
    let mut expected = before;
    subscriber(&mut expected, 1).vlan = vlan(301);
    assert_eq!(back.target, expected);
}

#[test]
fn what_somebody_changed_by_hand_and_the_run_did_not_touch_stays_without_a_word() {
    let before = three();
    let mut left = before.clone();
    subscriber(&mut left, 1).vlan = vlan(201);
    let mut now = left.clone();
    subscriber(&mut now, 1).description = "by hand".to_owned();
    subscriber(&mut now, 2).vlan = vlan(302);
    let back = undo(&before, &left, &now, &[]);
    assert_eq!(back.others, Vec::<String>::new());
    let mut expected = before;
    subscriber(&mut expected, 1).description = "by hand".to_owned();
    subscriber(&mut expected, 2).vlan = vlan(302);
    assert_eq!(back.target, expected);
}

#[test]
fn what_the_run_made_and_somebody_changed_since_is_not_destroyed() {
    let left = three();
    let mut before = left.clone();
    for number in [2, 3] {
        before.subscribers.remove(&id(number));
        before.endpoints.remove(&id(number));
    }
    let mut now = left.clone();
    subscriber(&mut now, 2).vlan = vlan(302);
    let back = undo(&before, &left, &now, &[]);
    let said = &back.others[0];
    assert!(
        said.starts_with("subscriber 2 `s-2` was made by the run, and its vlan was changed since, by no run of gamops"),
        "{said}"
    );
    // What it stands on stays with it; the other one goes.
    assert!(back.target.endpoints.contains_key(&id(2)), "{:?}", back.left);
    assert_eq!(back.target.subscribers[&id(2)].vlan, vlan(302));
    assert!(!back.target.subscribers.contains_key(&id(3)));
}

#[test]
fn what_was_deleted_or_replaced_since_is_left_so() {
    let before = three();
    let mut left = before.clone();
    for number in 1..=3 {
        subscriber(&mut left, number).vlan = vlan(200 + u16::try_from(number).unwrap());
    }
    let mut now = left.clone();
    now.subscribers.remove(&id(1));
    subscriber(&mut now, 2).name = "somebody".to_owned();
    subscriber(&mut now, 2).endpoint = None;
    let back = undo(&before, &left, &now, &[]);
    assert_eq!(
        back.others,
        [
            "subscriber 1 `s-1` was deleted since, by no run of gamops: it stays so",
            "subscriber 2 is `somebody` now, which is not of this run: it stays",
        ]
    );
    let mut expected = now;
    subscriber(&mut expected, 3).vlan = vlan(103);
    assert_eq!(back.target, expected);
}

#[test]
fn undoing_an_undo_leads_back_again() {
    let before = three();
    let mut left = before.clone();
    subscriber(&mut left, 1).vlan = vlan(201);
    left.subscribers.remove(&id(2));
    let there = undo(&before, &left, &left, &[]);
    let steps: Vec<Change> = there.steps.into_iter().map(|step| step.change).collect();
    assert_eq!(play(&left, &steps), before);
    assert_eq!(undo(&left, &before, &before, &[]).target, left);
}

/// Undoes the way from one configuration to another, on a device that holds what that way led to, or this.
fn undone(
    before: &DeviceConfig,
    wish: &DeviceConfig,
    now: Option<&DeviceConfig>,
    capabilities: &Capabilities,
) -> Option<(Rollback, Vec<Change>)> {
    let ordered = crate::plan::diff::diff(before, wish, capabilities, COPPER.medium)
        .ok()?
        .changes;
    let changes: Vec<Change> = ordered.into_iter().map(|ordered| ordered.change).collect();
    let left = play(before, &changes);
    let cut = Cut {
        device: "d",
        before,
        now: now.unwrap_or(&left),
        attempted: &changes,
        capabilities,
        allow_assumed: true,
        medium: COPPER.medium,
    };
    let (amended, _) = with_what_came_since(cut, &left, &[]);
    let cut = Cut {
        before: &amended,
        ..cut
    };
    let back = rollback(cut, &|_| Ok(Vec::new())).ok()?;
    Some((back, changes))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_run_that_nobody_followed_is_undone_exactly(
        from in reversible(COPPER), to in reversible(COPPER), capabilities in any_capabilities(),
    ) {
        let capabilities = clears(capabilities);
        if let Some((back, changes)) = undone(&from, &to, None, &capabilities) {
            prop_assert_eq!(&back.target, &from, "{:#?}", changes);
        }
    }

    #[test]
    fn whatever_was_done_since_an_undo_leaves_alone_what_the_run_left_alone(
        from in config(COPPER), to in config(COPPER), now in config(COPPER), capabilities in any_capabilities(),
    ) {
        let Some((back, changes)) = undone(&from, &to, Some(&now), &capabilities) else {
            return Ok(());
        };
        let mut device = now.clone();
        for step in &back.steps {
            prop_assert!(step.change.apply(&mut device).is_ok());
            prop_assert_eq!(refusal(&device, COPPER.medium), None, "after {:?}", step.change);
        }
        prop_assert_eq!(&device, &back.target);
        for id in now.object_ids().filter(|id| changes.iter().all(|change| change.object() != *id)) {
            prop_assert_eq!(device.object(id), now.object(id));
        }
    }
}
