use std::collections::BTreeMap;
use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::diagnostic::SourceFile;
use crate::domain::{MacAddr, SubscriberId, VlanId};
use crate::inventory;
use crate::inventory::model::Subscriber;
use crate::observed::{self, Change, Evidence};
use crate::plan::impact::{Away, Class, Impact};
use crate::plan::model::{Cause, DevicePlan, ObjectChange, Save, Saved, Step};
use crate::plan::record::Record;
use crate::plan::resolve::tests::basis;

/// What a plan does to one device.
#[derive(Debug, Clone, Copy, Default)]
struct Does {
    /// Subscribers that gamops owns there.
    owned: usize,
    /// How many of them go.
    destroyed: usize,
    /// How many of the others are suspended.
    suspended: usize,
    /// Whether the device is changed though nobody goes or is suspended.
    changed: bool,
}

fn key(device: usize, subscriber: usize) -> String {
    format!("s-{device}-{subscriber}")
}

/// The inventory after which `fleet` is planned; `policies` stands in braces.
fn inventory(fleet: &[Does], policies: &str) -> Inventory {
    let mut text = format!(
        "format: 1\ninventory: t\ndefaults: {{credentials: factory, mode: manage}}\npolicies: {{suspension: {{vlan: 999}}{policies}}}\ndevices:\n"
    );
    for device in 0..fleet.len() {
        let _ = writeln!(text, "  d{device}: {{model: GAM-24-C, address: 192.0.2.{device}}}");
    }
    text.push_str("subscribers:\n");
    for (device, does) in fleet.iter().enumerate() {
        for subscriber in 0..does.owned - does.destroyed {
            let state = if subscriber < does.suspended {
                "suspended"
            } else {
                "active"
            };
            let _ = writeln!(
                text,
                "  {}: {{device: d{device}, plan: unthrottled, vlan: 100, state: {state}}}",
                key(device, subscriber)
            );
        }
    }
    let loaded = inventory::load(&[SourceFile {
        path: "gamops.yaml".to_owned(),
        text,
    }]);
    loaded.inventory.unwrap_or_else(|| panic!("{:?}", loaded.report))
}

fn id(number: usize) -> SubscriberId {
    SubscriberId::try_from(u64::try_from(number + 1).unwrap()).unwrap()
}

fn vlan(number: u16) -> VlanId {
    VlanId::try_from(number).unwrap()
}

fn device(number: usize, does: Does) -> DevicePlan {
    let subscriber = |vlan: VlanId| observed::Subscriber {
        vlan,
        ..observed::Subscriber::default()
    };
    let stay = does.owned - does.destroyed;
    let mut holds = DeviceConfig::default();
    let mut target = DeviceConfig::default();
    let mut records = Vec::new();
    let mut changes = Vec::new();
    for index in 0..does.owned {
        holds.subscribers.insert(id(index), subscriber(vlan(100)));
        records.push(Record {
            key: key(number, index),
            object: ObjectId::Subscriber(id(index)),
            name: key(number, index),
            binding: None,
            protect: false,
            applied: None,
        });
        if index < stay {
            let vlan = vlan(if index < does.suspended { 999 } else { 100 });
            target.subscribers.insert(id(index), subscriber(vlan));
        } else {
            changes.push(ObjectChange {
                address: format!("d{number}/subscriber/{}", key(number, index)),
                kind: Kind::Subscriber,
                key: key(number, index),
                object: ObjectId::Subscriber(id(index)),
                action: Action::Destroy,
                fields: Vec::new(),
                impact: Impact {
                    class: Class::Outage,
                    evidence: Evidence::Documented,
                    away: Away::ForGood,
                    subscribers: BTreeSet::new(),
                },
                estimate: None,
                subscribers: Vec::new(),
                cause: Cause::Inventory,
                option82: Vec::new(),
            });
        }
    }
    let is_changed = does.changed || does.destroyed + does.suspended > 0;
    let step = || Step {
        address: String::new(),
        change: Change::SetHostname(crate::observed::FromTo {
            from: String::new(),
            to: String::new(),
        }),
        makes_room: false,
        commands: Vec::new(),
    };
    DevicePlan {
        device: format!("d{number}"),
        address: String::new(),
        model: "GAM-24-C",
        host_key: None,
        outcome: Outcome::Read(Box::new(DeviceChanges {
            waiting: None,
            left: Vec::new(),
            closing: None,
            mac: MacAddr::new([0, 0x0e, 0xd8, 0, 0, 1]),
            firmware: String::new(),
            held: None,
            changes,
            steps: is_changed.then(step).into_iter().collect(),
            refusals: Vec::new(),
            saved: Saved::Yes,
            save: Save::No,
            unfinished: false,
            adopted: Vec::new(),
            unmanaged: Vec::new(),
            notes: Vec::new(),
            decisions: Vec::new(),
            observed: holds.into(),
            target: target.into(),
            records_before: records.clone().into(),
            records: std::sync::Arc::new(records.into_iter().take(stay).collect()),
            basis: basis(),
        })),
    }
}

fn plan(fleet: &[Does]) -> Plan {
    Plan {
        windows_ignored: false,
        inventory: "t".to_owned(),
        commit: None,
        targets: Vec::new(),
        devices: fleet
            .iter()
            .enumerate()
            .map(|(number, does)| device(number, *does))
            .collect(),
        trips: Vec::new(),
        moves: Vec::new(),
        waves: crate::inventory::rollout::Waves::default(),
        rulings: Vec::new(),
        notes: Vec::new(),
    }
}

/// The guards that the plan trips, as `guard` or `guard(device)`.
fn tripped(fleet: &[Does], policies: &str) -> Vec<String> {
    let inventory = inventory(fleet, policies);
    judged(&plan(fleet), &inventory, None)
}

fn judged(plan: &Plan, inventory: &Inventory, last: Option<&Baseline>) -> Vec<String> {
    trips(plan, inventory, last).iter().map(name).collect()
}

fn trips(plan: &Plan, inventory: &Inventory, last: Option<&Baseline>) -> Vec<Trip> {
    judge(
        plan,
        Sight {
            inventory,
            on_record: &BTreeMap::new(),
            last,
            allowances: &Allowances::default(),
        },
    )
}

fn name(trip: &Trip) -> String {
    match &trip.device {
        Some(device) => format!("{}({device})", trip.guard.word()),
        None => trip.guard.word().to_owned(),
    }
}

const fn destroys(owned: usize, destroyed: usize) -> Does {
    Does {
        owned,
        destroyed,
        suspended: 0,
        changed: false,
    }
}

const fn suspends(owned: usize, suspended: usize) -> Does {
    Does {
        owned,
        destroyed: 0,
        suspended,
        changed: false,
    }
}

const NONE: [&str; 0] = [];

#[test]
fn each_device_may_lose_five_or_a_tenth() {
    // Owned, the most that may go: shares count from ten, and are above five from sixty.
    for (owned, most) in [(6, 5), (9, 5), (10, 5), (59, 5), (60, 6), (100, 10), (384, 38)] {
        // Few enough for the fleet, by a limit that is out of the way.
        let policies = ", guards: {destroy_per_fleet: unlimited}";
        assert_eq!(tripped(&[destroys(owned, most)], policies), NONE, "{most} of {owned}");
        let one_more = tripped(&[destroys(owned, most + 1)], policies);
        assert_eq!(one_more, ["destroy-per-device(d0)"], "{} of {owned}", most + 1);
    }
}

#[test]
fn the_fleet_may_lose_twenty_or_a_fiftieth() {
    for (devices, owned, most) in [(5, 8, 20), (5, 200, 20), (5, 210, 21), (5, 380, 38)] {
        let policies = ", guards: {destroy_per_device: unlimited}";
        let spread = |destroyed: usize| -> Vec<Does> {
            (0..devices)
                .map(|device| {
                    let more = usize::from(device < destroyed % devices);
                    destroys(owned, destroyed / devices + more)
                })
                .collect()
        };
        assert_eq!(tripped(&spread(most), policies), NONE, "{most} of {}", devices * owned);
        assert_eq!(tripped(&spread(most + 1), policies), ["destroy-per-fleet"]);
    }
}

#[test]
fn twenty_or_a_twentieth_may_be_suspended() {
    for (owned, most) in [(21, 20), (380, 20)] {
        assert_eq!(tripped(&[suspends(owned, most)], ""), NONE);
        assert_eq!(tripped(&[suspends(owned, most + 1)], ""), ["suspend"]);
    }
    let two = |suspended| [suspends(300, suspended), suspends(200, 0)];
    assert_eq!(tripped(&two(25), ""), NONE);
    assert_eq!(tripped(&two(26), ""), ["suspend"]);
}

#[test]
fn a_quarter_of_the_devices_may_be_changed_at_once_from_ten_on() {
    let fleet = |devices: usize, changed: usize| -> Vec<Does> {
        let does = |device| Does {
            changed: device < changed,
            ..Does::default()
        };
        (0..devices).map(does).collect()
    };
    // Nine devices are so few that a share of them says nothing.
    assert_eq!(tripped(&fleet(9, 9), ""), NONE);
    for (devices, most) in [(10, 2), (11, 2), (12, 3), (100, 25)] {
        assert_eq!(tripped(&fleet(devices, most), ""), NONE, "{most} of {devices}");
        assert_eq!(tripped(&fleet(devices, most + 1), ""), ["change-devices"]);
    }
    // A number holds in a small fleet as well.
    assert_eq!(
        tripped(&fleet(9, 2), ", guards: {change_devices: {count: 1}}"),
        ["change-devices"]
    );
    assert_eq!(tripped(&fleet(100, 100), ", guards: {change_devices: unlimited}"), NONE);
}

#[test]
fn a_fifth_of_the_inventory_may_be_lost_from_ten_on() {
    let whole = [destroys(40, 0), destroys(10, 0)];
    let last = Baseline::of(&inventory(&whole, ""), None);
    let lost = |subscribers: usize| {
        let fleet = [destroys(40 - subscribers, 0), destroys(10, 0)];
        judged(&plan(&[]), &inventory(&fleet, ""), Some(&last))
    };
    assert_eq!(lost(10), NONE);
    assert_eq!(lost(11), ["lose-subscribers"]);

    let devices = |number: usize| inventory(&vec![Does::default(); number], "");
    for (then, now, guards) in [
        (9, 1, &NONE[..]),
        (10, 8, &NONE),
        (10, 7, &["lose-devices"]),
        (10, 11, &NONE),
    ] {
        let last = Baseline::of(&devices(then), None);
        assert_eq!(
            judged(&plan(&[]), &devices(now), Some(&last)),
            guards,
            "{then} to {now}"
        );
    }
}

#[test]
fn the_limits_of_the_last_applied_inventory_count_as_well() {
    let fleet = [destroys(40, 6)];
    let loosened = inventory(&fleet, ", guards: {destroy_per_device: {count: 10}}");
    assert_eq!(judged(&plan(&fleet), &loosened, None), NONE);
    let strict = Baseline::of(&inventory(&fleet, ""), None);
    let found = trips(&plan(&fleet), &loosened, Some(&strict));
    assert_eq!(
        found[0].message(),
        "the plan destroys 6 subscribers on d0; at most 5 (10 % of 40 is 4), by the inventory that was last applied"
    );
    let loose = Baseline::of(&loosened, None);
    assert_eq!(judged(&plan(&fleet), &loosened, Some(&loose)), NONE);
    // Tightening holds at once.
    let tightened = inventory(&fleet, ", guards: {destroy_per_device: {count: 1, share: 0%}}");
    assert_eq!(
        judged(&plan(&fleet), &tightened, Some(&loose)),
        ["destroy-per-device(d0)"]
    );
}

#[test]
fn whoever_moves_is_not_destroyed() {
    let fleet = [destroys(30, 30)];
    let mut after = inventory(&fleet, "");
    let both = ["destroy-per-device(d0)", "destroy-per-fleet"];
    assert_eq!(judged(&plan(&fleet), &after, None), both);
    let on = |device: &str| -> inventory::model::Subscribers {
        let all = inventory(&[destroys(30, 0)], "").subscribers;
        let moved = all.values().cloned().map(|subscriber| Subscriber {
            device: device.to_owned(),
            ..subscriber
        });
        moved.collect()
    };
    after.subscribers = on("d1");
    assert_eq!(judged(&plan(&fleet), &after, None), NONE);
    // A run that is undone takes away what the inventory still asks for.
    after.subscribers = on("d0");
    assert_eq!(judged(&plan(&fleet), &after, None), both);
}

#[test]
fn shares_count_over_the_fleet_whatever_was_targeted() {
    // 26 of 500 suspended; the plan holds only the device where they are.
    let fleet = [suspends(300, 26), suspends(240, 0)];
    let inventory = inventory(&fleet, "");
    let narrowed = plan(&fleet[..1]);
    let judge_with = |elsewhere: usize| {
        let sight = Sight {
            inventory: &inventory,
            on_record: &BTreeMap::from([("d1".to_owned(), elsewhere)]),
            last: None,
            allowances: &Allowances::default(),
        };
        judge(&narrowed, sight).iter().map(name).collect::<Vec<_>>()
    };
    assert_eq!(judge_with(240), NONE);
    assert_eq!(judge_with(0), ["suspend"]);
}

#[test]
fn what_was_protected_does_not_leave_with_its_protection() {
    let mut last = inventory(&[destroys(2, 0), destroys(1, 0)], "");
    last.devices.get_mut("d1").unwrap().protect = true;
    let protected = last.subscribers.values().cloned().map(|subscriber| Subscriber {
        protect: ["s-1-0", "s-0-0"].contains(&subscriber.key.as_str()),
        ..subscriber
    });
    last.subscribers = protected.collect();
    let last = Baseline::of(&last, None);
    let now = inventory(&[destroys(1, 0)], "");
    let found: Vec<String> = trips(&plan(&[]), &now, Some(&last)).iter().map(Trip::message).collect();
    assert_eq!(
        found,
        [
            "device `d1` was protected when the inventory was last applied, and has left it",
            "subscriber `s-1-0` was protected when the inventory was last applied, and has left it",
        ],
        "s-0-0 is still there"
    );

    let fleet = [destroys(3, 3)];
    let mut emptied = inventory(&fleet, "");
    assert_eq!(judged(&plan(&fleet), &emptied, None), NONE);
    emptied.devices.get_mut("d0").unwrap().protect = true;
    assert_eq!(judged(&plan(&fleet), &emptied, None), ["protected(d0)"]);
}

#[test]
fn a_number_is_allowed_for_both_guards_that_count_it_and_no_other_number() {
    let fleet = [destroys(100, 30), destroys(100, 7)];
    let inventory = inventory(&fleet, "");
    let said = |text: &str| {
        let allowances = Allowances {
            by_flag: vec![text.parse().unwrap()],
            by_commit: Vec::new(),
        };
        let sight = Sight {
            inventory: &inventory,
            on_record: &BTreeMap::new(),
            last: None,
            allowances: &allowances,
        };
        let trips = judge(&plan(&fleet), sight);
        assert_eq!(trips.len(), 2);
        trips.iter().all(|trip| !trip.is_refused())
    };
    assert!(said("destroy=37"));
    for other in ["destroy=36", "destroy=38", "destroy=30", "suspend=37"] {
        assert!(!said(other), "{other}");
    }
}

proptest! {
    #[test]
    fn doing_more_never_trips_less(
        fleet in proptest::collection::vec((0_usize..40, 0_usize..40, 0_usize..40), 1..14),
        more in (any::<prop::sample::Index>(), any::<bool>()),
    ) {
        let fleet: Vec<Does> = fleet
            .into_iter()
            .map(|(owned, destroyed, suspended)| {
                let destroyed = destroyed.min(owned);
                Does { owned, destroyed, suspended: suspended.min(owned - destroyed), changed: false }
            })
            .collect();
        let mut worse = fleet.clone();
        let one = more.0.get(&fleet);
        let index = fleet.iter().position(|does| std::ptr::eq(does, one)).unwrap();
        let does = &mut worse[index];
        let untouched = does.owned - does.destroyed - does.suspended;
        if untouched == 0 {
            does.changed = true;
        } else if more.1 {
            does.destroyed += 1;
        } else {
            does.suspended += 1;
        }
        let (before, after) = (tripped(&fleet, ""), tripped(&worse, ""));
        prop_assert!(before.iter().all(|guard| after.contains(guard)), "{before:?} {after:?}");
    }
}
