//! What holds of a plan that was parted because its window is closed, whatever was asked of whatever device.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::domain::VlanId;
use crate::inventory::window::{Window, zone};
use crate::observed::Subscriber;
use crate::plan::build::plan_device;
use crate::plan::model::DeviceChanges;
use crate::plan::record::Record;
use crate::plan::resolve::laws::a_case;
use crate::plan::sample::with_inputs;
use crate::plan::window::Opening;

/// The plan for a device; with the VLAN of the suspended, one made while the window is closed.
fn plan(
    desired: &DesiredDevice,
    held: &DeviceConfig,
    records: &[Record],
    closed: Option<Option<VlanId>>,
) -> DeviceChanges {
    let window = Window {
        key: "night".to_owned(),
        days: "mon-sun".parse().unwrap(),
        start: "02:00".parse().unwrap(),
        length: "3h".parse().unwrap(),
        zone: zone("UTC").unwrap(),
    };
    let opening = Opening {
        from: Timestamp::from_second(7200).unwrap(),
        until: Timestamp::from_second(18_000).unwrap(),
    };
    let state = |garden| State {
        window: &window,
        opening,
        is_open: false,
        garden,
    };
    with_inputs(desired, held, records, |inputs| {
        let inputs = Inputs {
            window: closed.map(state),
            ..inputs
        };
        plan_device(inputs, &|_| Ok(vec!["a command".to_owned()]))
    })
}

fn objects(changes: &[ObjectChange]) -> BTreeSet<ObjectId> {
    changes.iter().map(|change| change.object).collect()
}

/// What a subscriber sees of its line, and servers of it.
fn service(config: &DeviceConfig, subscriber: &Subscriber) -> impl PartialEq + std::fmt::Debug + use<> {
    let endpoint = subscriber.endpoint.and_then(|id| config.endpoints.get(&id));
    (
        subscriber.name.clone(),
        (subscriber.vlan, subscriber.tagged),
        endpoint.map(|endpoint| (endpoint.mac, endpoint.port)),
    )
}

/// Those who have service: on an endpoint, not suspended and not about to be.
fn served(
    desired: &DesiredDevice,
    held: &DeviceConfig,
    full: &DeviceChanges,
    garden: Option<VlanId>,
) -> Vec<SubscriberId> {
    // What gets another number is known by the one before.
    let records = full.records_before.iter().chain(full.records.iter());
    let keys: BTreeMap<ObjectId, &str> = records.map(|record| (record.object, record.key.as_str())).collect();
    let is_suspended = |number: &SubscriberId, subscriber: &Subscriber| {
        let key = keys.get(&ObjectId::Subscriber(*number));
        let wish = key.and_then(|key| desired.subscribers.get(*key));
        // Whose key has left the inventory may go on under another: by its name.
        let named = || desired.subscribers.values().find(|wish| wish.name == subscriber.name);
        wish.or_else(named).is_some_and(|wish| wish.suspended)
    };
    let all = held.subscribers.iter();
    let served = all.filter(|(number, subscriber)| {
        subscriber.endpoint.is_some() && Some(subscriber.vlan) != garden && !is_suspended(number, subscriber)
    });
    served.map(|(number, _)| *number).collect()
}

/// What a device holds, whatever numbers it holds it under.
fn named(config: &DeviceConfig) -> BTreeSet<String> {
    let profiles = config
        .profiles
        .values()
        .map(|profile| format!("profile {} {:?} {:?}", profile.name, profile.down, profile.up));
    let endpoints = config
        .endpoints
        .values()
        .map(|endpoint| format!("endpoint {} {:?} {:?}", endpoint.name, endpoint.mac, endpoint.port));
    let subscribers = config.subscribers.values().map(|subscriber| {
        let profile = match subscriber.profile {
            Some(ProfileRef::Profile(id)) => config.profiles.get(&id).map(|profile| profile.name.clone()),
            other => other.map(|other| format!("{other:?}")),
        };
        format!("subscriber {:?} {profile:?}", service(config, subscriber))
    });
    profiles.chain(endpoints).chain(subscribers).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 700, ..ProptestConfig::default() })]

    #[test]
    fn what_passes_is_felt_by_nobody_and_what_waits_follows(
        (desired, held, records) in a_case(),
        suspended in vec(any::<bool>(), 4),
        garden in option::of(100u16..103),
    ) {
        let mut desired = desired;
        for (wish, suspended) in desired.subscribers.values_mut().zip(suspended) {
            wish.suspended = suspended;
        }
        let garden = garden.map(|vlan| VlanId::try_from(vlan).unwrap());
        let full = plan(&desired, &held, &records, None);
        if !full.refusals.is_empty() {
            return Ok(());
        }
        let part = plan(&desired, &held, &records, Some(garden));
        prop_assert_eq!(&part.refusals, &vec![]);

        // What is done and what waits is the whole plan; nothing else is touched.
        let waits = part.waiting.as_ref().map(|waiting| objects(&waiting.changes)).unwrap_or_default();
        let (done, all) = (objects(&part.changes), objects(&full.changes));
        prop_assert!(done.is_disjoint(&waits), "{:?} and {:?}", done, waits);
        prop_assert_eq!(done.union(&waits).copied().collect::<BTreeSet<_>>(), all);
        for id in held.object_ids().chain(full.target.object_ids()) {
            let expected = if done.contains(&id) { full.target.object(id) } else { held.object(id) };
            prop_assert_eq!(part.target.object(id), expected, "{}", id);
        }

        // Nobody who has service feels any state on the way.
        let served = served(&desired, &held, &full, garden);
        let mut state = held.clone();
        for step in &part.steps {
            step.change.apply(&mut state).unwrap();
            for number in &served {
                let (before, now) = (&held.subscribers[number], state.subscribers.get(number));
                prop_assert_eq!(now.map(|now| service(&state, now)), Some(service(&held, before)), "{:?}", step);
            }
        }
        prop_assert_eq!(&state, &*part.target);

        // Once the window is open the rest leads to where all of it at once would have led, and no further.
        let rest = plan(&desired, &part.target, &part.records, None);
        prop_assert_eq!(&rest.refusals, &vec![]);
        prop_assert_eq!(named(&rest.target), named(&full.target));
        let after = plan(&desired, &rest.target, &rest.records, None);
        prop_assert_eq!(&after.refusals, &vec![]);
        prop_assert_eq!(objects(&after.changes), BTreeSet::new());
    }
}
