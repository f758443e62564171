use super::*;
use crate::domain::VlanId;
use crate::inventory::desired::{DesiredEndpoint, DesiredProfile, DesiredRate, DesiredSubscriber};
use crate::observed::ProfileRef;
use crate::plan::model::DeviceChanges;
use crate::plan::resolve::tests::{endpoint_id, mac, mbps, on_port, profile_id, subscriber_id, wish};
use crate::plan::sample::with_inputs;
use crate::plan::{claims, plan_device};

/// A moment, in seconds.
pub(super) fn at(seconds: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_second(seconds).unwrap()
}

pub(super) fn plan(desired: &DesiredDevice, held: &DeviceConfig, records: &[Record], leave: Leave) -> DeviceChanges {
    plan_unless_cut_off(desired, held, records, leave, false)
}

fn plan_unless_cut_off(
    desired: &DesiredDevice,
    held: &DeviceConfig,
    records: &[Record],
    leave: Leave,
    unfinished: bool,
) -> DeviceChanges {
    with_inputs(desired, held, records, |inputs| {
        let inputs = Inputs {
            unfinished,
            leave,
            ..inputs
        };
        plan_device(inputs, &|_| Ok(vec!["a command".to_owned()]))
    })
}

/// Two subscribers, one of them on the plan `gold`.
fn asked() -> DesiredDevice {
    let mut desired = wish();
    let gold = DesiredProfile {
        was: None,
        name: "gold".to_owned(),
        description: None,
        down: mbps(100),
        up: mbps(100),
        service_limit_level: None,
        protect: false,
    };
    desired.profiles.insert("gold".to_owned(), gold);
    for (number, key) in [(1, "s-1"), (2, "s-2")] {
        let endpoint = DesiredEndpoint {
            was: None,
            mac: mac(number),
            name: None,
            description: None,
            port: on_port(number.into()),
            management_access: None,
            id: None,
            protect: false,
        };
        let subscriber = DesiredSubscriber {
            was: None,
            name: key.to_owned(),
            description: None,
            endpoint: Some(key.to_owned()),
            port: None,
            vlan: vlan(100),
            tagged: false,
            remapped_vlan: None,
            rate: match number {
                1 => DesiredRate::Profile("gold".to_owned()),
                _ => DesiredRate::Unthrottled,
            },
            allowed_vlans: crate::domain::VlanSet::default(),
            port2_vlan: None,
            trunk: false,
            double_tag: None,
            poe: None,
            id: None,
            protect: false,
            suspended: false,
        };
        desired.endpoints.insert(key.to_owned(), endpoint);
        desired.subscribers.insert(key.to_owned(), subscriber);
    }
    desired
}

fn vlan(number: u16) -> VlanId {
    VlanId::try_from(number).unwrap()
}

/// A device as it was left by an apply, and what is on record of it.
fn applied(desired: &DesiredDevice) -> (DeviceConfig, Vec<Record>) {
    let changes = plan(desired, &DeviceConfig::default(), &[], Leave::Nothing);
    assert_eq!(changes.refusals, vec![]);
    (
        Arc::unwrap_or_clone(changes.target),
        Arc::unwrap_or_clone(changes.records),
    )
}

fn ignoring(mut desired: DesiredDevice, object: Option<&str>, field: Option<Field>, until: i64) -> DesiredDevice {
    desired.drift.ignored.push(Ignored {
        object: object.map(str::to_owned),
        field,
        reason: "a lab test".to_owned(),
        until: at(until),
        ends: "tomorrow".to_owned(),
    });
    desired
}

fn words(changes: &DeviceChanges) -> Vec<String> {
    changes.left.iter().map(Left::in_words).collect()
}

fn changed(changes: &DeviceChanges) -> Vec<&str> {
    changes.changes.iter().map(|change| change.address.as_str()).collect()
}

#[test]
fn an_ignored_field_stays_while_the_rest_of_its_object_is_set_right() {
    let desired = ignoring(asked(), Some("maple-a/subscriber/s-1"), Some(Field::Vlan), 1);
    let (mut held, records) = applied(&desired);
    let one = held.subscribers.get_mut(&subscriber_id(1)).unwrap();
    (one.vlan, one.tagged) = (vlan(200), true);
    let changes = plan(&desired, &held, &records, Leave::Ignored);
    assert_eq!(words(&changes), ["subscriber/s-1 (vlan)"]);
    let field = &changes.left[0].fields[0];
    assert_eq!((field.before.as_str(), field.after.as_str()), ("200", "100"));
    let target = &changes.target.subscribers[&subscriber_id(1)];
    assert_eq!((target.vlan, target.tagged), (vlan(200), false));
    // What is taken back is drift and nothing else; what is on record is what was applied.
    assert_eq!(changes.changes[0].cause, Cause::Drift);
    assert_eq!(*changes.records, records);
    assert_eq!(
        claims(&changes),
        vec![],
        "nothing that is on record changes, so nothing is claimed"
    );
}

#[test]
fn a_rule_that_has_ended_ignores_nothing() {
    let desired = ignoring(asked(), None, Some(Field::Vlan), 0);
    let (mut held, records) = applied(&desired);
    held.subscribers.get_mut(&subscriber_id(1)).unwrap().vlan = vlan(200);
    let changes = plan(&desired, &held, &records, Leave::Ignored);
    assert_eq!(
        (words(&changes), changed(&changes)),
        (vec![], vec!["maple-a/subscriber/s-1"])
    );
}

#[test]
fn what_a_commit_asks_of_a_field_is_no_drift_and_another_change_leaves_it_alone() {
    let desired = ignoring(asked(), None, Some(Field::Vlan), 1);
    let (mut held, records) = applied(&desired);
    held.subscribers.get_mut(&subscriber_id(1)).unwrap().vlan = vlan(200);

    let mut other = desired.clone();
    other.subscribers.get_mut("s-1").unwrap().tagged = true;
    let changes = plan(&other, &held, &records, Leave::Ignored);
    assert_eq!(words(&changes), ["subscriber/s-1 (vlan)"]);
    assert_eq!(changes.target.subscribers[&subscriber_id(1)].vlan, vlan(200));
    assert_eq!(changes.changes[0].cause, Cause::Inventory);
    // The run that does it is cut off, or done: what is ignored is that afterwards too.
    for records in [&claims(&changes)[..], &changes.records] {
        let again = plan(&other, &held, records, Leave::Ignored);
        assert_eq!(words(&again), ["subscriber/s-1 (vlan)"]);
    }

    let mut very = desired;
    very.subscribers.get_mut("s-1").unwrap().vlan = vlan(300);
    let changes = plan(&very, &held, &records, Leave::Ignored);
    assert_eq!(words(&changes), [""; 0]);
    assert_eq!(changes.target.subscribers[&subscriber_id(1)].vlan, vlan(300));
}

#[test]
fn whoever_is_suspended_keeps_no_service_by_a_setting_made_by_hand() {
    let desired = ignoring(asked(), None, None, 1);
    let (mut held, records) = applied(&desired);
    let one = held.subscribers.get_mut(&subscriber_id(1)).unwrap();
    (one.port2_vlan, one.tagged) = (Some(vlan(200)), true);
    assert_eq!(
        words(&plan(&desired, &held, &records, Leave::Ignored)),
        ["subscriber/s-1 (tagged, port2_vlan)"]
    );
    let mut suspended = desired;
    let wish = suspended.subscribers.get_mut("s-1").unwrap();
    (wish.suspended, wish.vlan) = (true, vlan(3999));
    let changes = plan(&suspended, &held, &records, Leave::Ignored);
    assert_eq!(words(&changes), ["subscriber/s-1 (tagged)"]);
    let target = &changes.target.subscribers[&subscriber_id(1)];
    assert_eq!((target.vlan, target.port2_vlan), (vlan(3999), None));
}

#[test]
fn what_is_gone_and_ignored_is_not_made_again_nor_given_to_anybody() {
    let desired = ignoring(asked(), Some("endpoint/s-1"), None, 1);
    let (mut held, records) = applied(&desired);
    held.endpoints.remove(&endpoint_id(1));
    held.subscribers.get_mut(&subscriber_id(1)).unwrap().endpoint = None;
    let changes = plan(&desired, &held, &records, Leave::Ignored);
    assert_eq!(words(&changes), ["endpoint/s-1 (gone)", "subscriber/s-1 (endpoint)"]);
    assert_eq!((changed(&changes), &*changes.records), (vec![], &records));
    // A rule for a field is none for an object that is gone.
    let one_field = ignoring(asked(), Some("endpoint/s-1"), Some(Field::Port), 1);
    assert_eq!(words(&plan(&one_field, &held, &records, Leave::Ignored)), [""; 0]);
}

#[test]
fn a_profile_that_somebody_is_left_on_stays_until_nobody_is() {
    let desired = ignoring(asked(), Some("subscriber/s-2"), Some(Field::Plan), 1);
    let (mut held, records) = applied(&desired);
    held.subscribers.get_mut(&subscriber_id(2)).unwrap().profile = Some(ProfileRef::Profile(profile_id(2)));
    let mut without = desired;
    without.subscribers.get_mut("s-1").unwrap().rate = DesiredRate::Unthrottled;
    without.profiles.clear();
    let changes = plan(&without, &held, &records, Leave::Ignored);
    assert_eq!(
        (words(&changes), &changes.refusals),
        (vec!["subscriber/s-2 (plan)".to_owned()], &vec![])
    );
    assert!(changes.target.profiles.contains_key(&profile_id(2)));
    assert!(
        changes
            .notes
            .iter()
            .any(|note| note == "maple-a/profile/gold stays: maple-a/subscriber/s-2 uses it, which is left as it is"),
        "{:?}",
        changes.notes
    );
    // It is still ours, and goes with the drift.
    let after = plan(&without, &changes.target, &changes.records, Leave::Nothing);
    assert!(
        !after.target.profiles.contains_key(&profile_id(2)),
        "{:?}",
        after.refusals
    );
}

#[test]
fn a_policy_goes_by_field_and_counts_for_nothing_after_a_run_that_was_cut_off() {
    let mut desired = asked();
    desired.drift.fields.insert(Field::Tagged, Then::Revert);
    let (mut held, records) = applied(&desired);
    let one = held.subscribers.get_mut(&subscriber_id(1)).unwrap();
    (one.vlan, one.tagged) = (vlan(200), true);
    let by = |leave, cut_off| words(&plan_unless_cut_off(&desired, &held, &records, leave, cut_off));
    assert_eq!(by(Leave::Policy(Then::Report), false), ["subscriber/s-1 (vlan)"]);
    assert_eq!(by(Leave::Policy(Then::Revert), false), [""; 0]);
    assert_eq!(by(Leave::All, false), ["subscriber/s-1 (vlan, tagged)"]);
    assert_eq!(by(Leave::Policy(Then::Report), true), [""; 0]);
    assert_eq!(by(Leave::Ignored, false), [""; 0]);
}

#[test]
fn what_stands_in_the_way_of_a_commit_is_set_right_or_refused_where_it_is_ignored() {
    // Somebody gave the name to the other one.
    let taken = |desired: &DesiredDevice| {
        let (mut held, records) = applied(desired);
        held.subscribers.get_mut(&subscriber_id(1)).unwrap().name = "s-9".to_owned();
        (held, records)
    };
    let renamed = |mut desired: DesiredDevice| {
        desired.subscribers.get_mut("s-2").unwrap().name = "s-9".to_owned();
        desired
    };
    let (held, records) = taken(&asked());
    let changes = plan(&renamed(asked()), &held, &records, Leave::Policy(Then::Report));
    assert_eq!((words(&changes), &changes.refusals), (vec![], &vec![]));
    assert!(
        changes.notes.iter().any(|note| note.contains("is set right as well")),
        "{:?}",
        changes.notes
    );

    let ignored = ignoring(asked(), None, Some(Field::Name), 1);
    let changes = plan(&renamed(ignored), &held, &records, Leave::Policy(Then::Report));
    let rules: Vec<&str> = changes.refusals.iter().map(|refusal| refusal.rule).collect();
    assert_eq!(rules, ["ignored-drift", "name-taken"]);
    assert!(changes.steps.is_empty());
}

#[test]
fn drift_that_cannot_be_parted_from_what_is_left_is_left_too() {
    // An endpoint was taken off, and another one put in its place on copper, where a port takes one.
    let mut desired = asked();
    desired.model = crate::domain::Model::by_name("GAM-12-M").unwrap();
    let (mut held, records) = applied(&desired);
    held.endpoints.get_mut(&endpoint_id(1)).unwrap().port = on_port(3);
    held.endpoints.get_mut(&endpoint_id(2)).unwrap().port = on_port(1);
    let part = ignoring(desired, Some("endpoint/s-2"), Some(Field::Port), 1);
    let changes = plan(&part, &held, &records, Leave::Policy(Then::Revert));
    assert_eq!(
        words(&changes),
        ["endpoint/s-1 (port)", "endpoint/s-2 (port)"],
        "{:?}",
        changes.refusals
    );
    assert_eq!((changed(&changes), &changes.refusals), (vec![], &vec![]));
    // A person who applies is told what is in the way.
    let changes = plan(&part, &held, &records, Leave::Ignored);
    assert_eq!(changes.refusals[0].rule, "ignored-drift");
}
