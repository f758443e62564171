//! Who is changed with whom, and after whom.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::observed::{Change, Evidence, Kind, ObjectId, Subscriber};
use crate::plan::impact::{Away, Impact};
use crate::plan::model::{Action, Cause, DeviceChanges, ObjectChange, Save, Saved, Step};
use crate::plan::resolve::tests::basis;

fn subscriber(number: usize, key: String, action: Action, felt: bool) -> ObjectChange {
    let id = u64::try_from(number + 1).unwrap().try_into().unwrap();
    ObjectChange {
        address: format!("d/subscriber/{key}"),
        kind: Kind::Subscriber,
        object: ObjectId::Subscriber(id),
        action,
        fields: Vec::new(),
        impact: Impact {
            class: if felt { Class::Blip } else { Class::None },
            evidence: Evidence::Assumed,
            away: if felt { Away::WhileCommands } else { Away::Not },
            subscribers: [id].into_iter().filter(|_| felt).collect(),
        },
        estimate: None,
        subscribers: Vec::from_iter(felt.then(|| key.clone())),
        key,
        cause: Cause::Inventory,
        option82: Vec::new(),
    }
}

fn device(key: &str, changes: Vec<ObjectChange>) -> DevicePlan {
    let step = |change: &ObjectChange| Step {
        address: change.address.clone(),
        change: Change::CreateSubscriber(1.try_into().unwrap(), Subscriber::default()),
        makes_room: false,
        commands: vec!["ghn".to_owned()],
    };
    DevicePlan {
        device: key.to_owned(),
        address: "192.0.2.1:22".to_owned(),
        model: "GAM-4-CX",
        host_key: None,
        outcome: Outcome::Read(Box::new(DeviceChanges {
            mac: "00:0e:d8:00:00:01".parse().unwrap(),
            firmware: String::new(),
            held: None,
            steps: changes.iter().map(step).collect(),
            save: if changes.is_empty() {
                Save::No
            } else {
                Save::AfterChanges
            },
            changes,
            waiting: None,
            left: Vec::new(),
            closing: None,
            refusals: Vec::new(),
            saved: Saved::Yes,
            unfinished: false,
            adopted: Vec::new(),
            unmanaged: Vec::new(),
            notes: Vec::new(),
            decisions: Vec::new(),
            observed: Arc::default(),
            target: Arc::default(),
            records_before: Arc::default(),
            records: Arc::default(),
            basis: basis(),
        })),
    }
}

/// A device on which so many subscribers feel something.
fn felt_by(key: &str, subscribers: usize) -> DevicePlan {
    let of = |number| subscriber(number, format!("{key}-{number}"), Action::Update, true);
    device(key, (0..subscribers).map(of).collect())
}

fn changes(plan: &mut DevicePlan) -> &mut DeviceChanges {
    match &mut plan.outcome {
        Outcome::Read(changes) => changes,
        Outcome::Unread(_) => panic!("{} was not read", plan.device),
    }
}

/// A plan of these devices in which subscribers move, each from one device to another.
fn plan(mut devices: Vec<DevicePlan>, moving: &[(&str, &str)], canary: &str, size: &str) -> Plan {
    let mut moves = Vec::new();
    for (number, (from, to)) in moving.iter().enumerate() {
        let key = format!("mover-{number}");
        let gains = devices.iter_mut().find(|device| device.device == *to).unwrap();
        let arrival = subscriber(300 + number, key.clone(), Action::Create, false);
        changes(gains).changes.push(arrival);
        moves.push(Move {
            subscriber: key,
            from: (*from).to_owned(),
            to: (*to).to_owned(),
        });
    }
    Plan {
        inventory: "test".to_owned(),
        commit: None,
        targets: Vec::new(),
        devices,
        trips: Vec::new(),
        rulings: Vec::new(),
        notes: Vec::new(),
        windows_ignored: false,
        moves,
        waves: Waves {
            canary: canary.parse().unwrap(),
            size: size.parse().unwrap_or_default(),
            pause: "2m".parse().unwrap(),
        },
    }
}

/// The waves as text, canaries with a star.
fn shown(plan: &Plan) -> String {
    let wave = |wave: &Wave| format!("{}{}", if wave.canary { "*" } else { "" }, wave.devices.join(" "));
    rollout(plan).waves.iter().map(wave).collect::<Vec<_>>().join(" | ")
}

fn five() -> Vec<DevicePlan> {
    [("a", 3), ("b", 1), ("c", 2), ("d", 9), ("e", 1)]
        .map(|(key, felt)| felt_by(key, felt))
        .into()
}

#[test]
fn without_a_policy_all_go_at_once() {
    assert_eq!(shown(&plan(five(), &[], "0", "")), "a b c d e");
    assert_eq!(shown(&plan(Vec::new(), &[], "1", "2")), "");
}

#[test]
fn the_canary_is_who_is_missed_least() {
    assert_eq!(shown(&plan(five(), &[], "1", "")), "*b | a c d e");
    assert_eq!(shown(&plan(five(), &[], "2", "2")), "*b e | a c | d");
    assert_eq!(shown(&plan(five(), &[], "9", "2")), "*a b c d e");
}

#[test]
fn named_canaries_go_first_and_somebody_else_where_none_of_them_changes() {
    assert_eq!(shown(&plan(five(), &[], "d,a", "40%")), "*a d | b c | e");
    assert_eq!(shown(&plan(five(), &[], "elsewhere", "")), "*b | a c d e");
}

#[test]
fn a_save_alone_tries_nothing_out() {
    let mut devices = five();
    let mut saved = device("f", Vec::new());
    changes(&mut saved).save = Save::Ours;
    devices.push(saved);
    assert_eq!(shown(&plan(devices, &[], "1", "")), "*b | a c d e f");
}

#[test]
fn what_is_not_changed_is_in_no_wave() {
    let mut devices = five();
    changes(&mut devices[0]).held = Some(crate::plan::model::Held::Observe);
    changes(&mut devices[1]).refusals.push(crate::plan::Refusal {
        rule: "x",
        message: String::new(),
        help: String::new(),
    });
    devices.push(device("f", Vec::new()));
    assert_eq!(shown(&plan(devices, &[], "0", "")), "c d e");
}

#[test]
fn who_loses_a_subscriber_comes_after_who_gains_it() {
    assert_eq!(shown(&plan(five(), &[("a", "e")], "0", "2")), "b c | d e | a");
    // The one with least to feel has to wait, or takes along whom it waits for.
    assert_eq!(shown(&plan(five(), &[("b", "d")], "1", "")), "*e | a c d b");
    assert_eq!(shown(&plan(five(), &[("b", "c"), ("c", "d")], "b", "")), "*d c b | a e");
}

#[test]
fn a_kept_rollout_makes_the_same_waves() {
    for (canary, size) in [("0", ""), ("2", "2"), ("d,b", "40%"), ("9", "1")] {
        let mut plan = plan(five(), &[("a", "e")], canary, size);
        let before = rollout(&plan);
        plan.waves = Waves::from(&crate::plan::json::plan_json(&plan).rollout);
        assert_eq!(rollout(&plan), before, "{canary} {size}");
    }
}

proptest! {
    #[test]
    fn every_device_is_in_one_wave_and_after_those_that_it_waits_for(
        felt in proptest::collection::vec(1_usize..4, 1..12),
        edges in proptest::collection::vec((0_usize..12, 0_usize..12), 0..12),
        canary in 0_usize..4,
        size in 1_usize..5,
    ) {
        let keys: Vec<String> = (0..felt.len()).map(|index| format!("d{index:02}")).collect();
        let devices = keys.iter().zip(&felt).map(|(key, felt)| felt_by(key, *felt)).collect();
        // Edges from the smaller to the larger number cannot lead round in a circle.
        let edges: Vec<(&str, &str)> = edges
            .into_iter()
            .filter(|(from, to)| from < to && *to < keys.len())
            .map(|(from, to)| (keys[from].as_str(), keys[to].as_str()))
            .collect();
        let plan = plan(devices, &edges, &canary.to_string(), &size.to_string());
        let waves = rollout(&plan).waves;
        let place: BTreeMap<&str, usize> =
            waves.iter().flat_map(|wave| &wave.devices).map(String::as_str).enumerate().map(|(at, key)| (key, at)).collect();
        prop_assert_eq!(place.len(), keys.len());
        prop_assert_eq!(waves.iter().map(|wave| wave.devices.len()).sum::<usize>(), keys.len());
        for (from, to) in edges {
            prop_assert!(place[to] < place[from], "{} before {}", to, from);
        }
        for wave in &waves {
            let most = if wave.canary { canary } else { size };
            prop_assert!(wave.devices.len() <= most);
            let stages = crate::plan::moves::stages(&plan, &wave.devices);
            prop_assert_eq!(stages.concat().len(), wave.devices.len());
        }
    }
}
