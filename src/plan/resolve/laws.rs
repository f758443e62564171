//! What holds of every wish, every device and whatever is on record.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::tests::{capabilities, endpoint_id, mac, mbps, on_port, profile_id, subscriber_id, wish};
use super::*;
use crate::domain::{PortBinding, VlanId, VlanSet};
use crate::inventory::desired::{DesiredEndpoint, DesiredProfile, DesiredSubscriber};
use crate::observed::{Endpoint, Object, Profile, Subscriber};
use crate::plan::diff::diff;

const NAMES: [&str; 5] = ["a", "b", "c", "d", "gamops-tmp-1"];
const KEYS: [&str; 5] = ["k1", "k2", "k3", "k4", "k5"];

/// Some of a few things, each once, in any order.
fn some<T: Clone + std::fmt::Debug + 'static>(of: Vec<T>) -> impl Strategy<Value = Vec<T>> {
    let most = of.len();
    subsequence(of, 0..=most).prop_shuffle()
}

fn some_numbers() -> impl Strategy<Value = Vec<u64>> {
    some((1..=5).collect())
}

fn port() -> impl Strategy<Value = PortBinding> {
    select(vec![on_port(1), on_port(2), PortBinding::Auto, PortBinding::Unassigned])
}

fn vlan() -> impl Strategy<Value = VlanId> {
    (100u16..103).prop_map(|vlan| VlanId::try_from(vlan).unwrap())
}

prop_compose! {
    fn a_device()(
        profiles in some_numbers(),
        profile_names in Just(NAMES.to_vec()).prop_shuffle(),
        rates in vec(10u64..13, 5),
        endpoints in some_numbers(),
        endpoint_names in Just(NAMES.to_vec()).prop_shuffle(),
        macs in Just(vec![1u8, 2, 3, 4, 5]).prop_shuffle(),
        ports in vec(port(), 5),
        subscribers in some_numbers(),
        subscriber_names in Just(NAMES.to_vec()).prop_shuffle(),
        bindings in vec(any::<bool>(), 5),
        throttled in vec(option::of(0usize..5), 5),
        vlans in vec(vlan(), 5),
    ) -> DeviceConfig {
        let mut config = DeviceConfig::default();
        for (index, number) in profiles.iter().enumerate() {
            let profile = Profile {
                name: profile_names[index].to_owned(),
                down: Some(mbps(rates[index])),
                up: Some(mbps(10)),
                ..Profile::default()
            };
            config.profiles.insert(profile_id(number + 1), profile);
        }
        for (index, number) in endpoints.iter().enumerate() {
            let endpoint = Endpoint {
                name: endpoint_names[index].to_owned(),
                mac: Some(mac(macs[index])),
                port: ports[index],
                ..Endpoint::default()
            };
            config.endpoints.insert(endpoint_id(*number), endpoint);
        }
        for (index, number) in subscribers.iter().enumerate() {
            let endpoint = endpoints.get(index).filter(|_| bindings[index]);
            let profile = throttled[index].and_then(|profile| profiles.get(profile));
            let subscriber = Subscriber {
                name: subscriber_names[index].to_owned(),
                description: format!("of {}", subscriber_names[index]),
                endpoint: endpoint.map(|number| endpoint_id(*number)),
                profile: Some(profile.map_or(ProfileRef::Unthrottled, |number| {
                    ProfileRef::Profile(profile_id(number + 1))
                })),
                vlan: vlans[index],
                ..Subscriber::default()
            };
            config.subscribers.insert(subscriber_id(*number), subscriber);
        }
        config
    }
}

prop_compose! {
    fn a_wish()(
        plans in some(KEYS.to_vec()),
        plan_names in Just(NAMES[..4].to_vec()).prop_shuffle(),
        rates in vec(10u64..13, 5),
        keys in some(KEYS[..4].to_vec()),
        names in Just(NAMES[..4].to_vec()).prop_shuffle(),
        macs in Just(vec![1u8, 2, 3, 4, 5, 6, 7]).prop_shuffle(),
        ports in vec(port(), 5),
        named in vec(any::<bool>(), 5),
        endpoint_names in Just(NAMES[..4].to_vec()).prop_shuffle(),
        bound in vec(any::<bool>(), 5),
        chosen in vec(option::of(0usize..5), 5),
        pins in vec(option::of(Just(())), 10),
        pinned in Just(vec![1u64, 2, 3, 4, 5, 6]).prop_shuffle(),
        pinned_endpoints in Just(vec![1u64, 2, 3, 4, 5, 6]).prop_shuffle(),
        spare in any::<bool>(),
        vlans in vec(vlan(), 5),
        protect in vec(any::<bool>(), 5),
    ) -> DesiredDevice {
        let mut desired = wish();
        let plans = &plans[..plans.len().min(4)];
        for (index, key) in plans.iter().enumerate() {
            let profile = DesiredProfile {
                service_limit_level: None,
                was: None,
                name: plan_names[index].to_owned(),
                description: None,
                down: mbps(rates[index]),
                up: mbps(10),
                protect: false,
            };
            desired.profiles.insert((*key).to_owned(), profile);
        }
        let endpoint = |index: usize| DesiredEndpoint {
            management_access: None,
            was: None,
            mac: mac(macs[index]),
            name: endpoint_names.get(index).filter(|_| named[index]).map(|name| (*name).to_owned()),
            description: None,
            port: ports[index],
            id: pins[index + 5].map(|()| endpoint_id(pinned_endpoints[index])),
            protect: protect[index],
        };
        for (index, key) in keys.iter().enumerate() {
            let plan = chosen[index].and_then(|plan| plans.get(plan));
            let is_bound = bound[index];
            if is_bound {
                desired.endpoints.insert((*key).to_owned(), endpoint(index));
            }
            let subscriber = DesiredSubscriber {
                double_tag: None,
                port: None,
                trunk: false,
                was: None,
                name: names[index].to_owned(),
                description: None,
                endpoint: is_bound.then(|| (*key).to_owned()),
                vlan: vlans[index],
                tagged: false,
                remapped_vlan: None,
                rate: plan.map_or(DesiredRate::Unthrottled, |plan| DesiredRate::Profile((*plan).to_owned())),
                allowed_vlans: VlanSet::default(),
                port2_vlan: None,
                poe: None,
                id: pins[index].map(|()| subscriber_id(pinned[index])),
                protect: protect[index],
                suspended: false,
            };
            desired.subscribers.insert((*key).to_owned(), subscriber);
        }
        if spare {
            desired.endpoints.insert("k5".to_owned(), endpoint(4));
        }
        desired
    }
}

/// Records of some objects of the device under some keys; some of them are of what was there before.
fn records(device: &DeviceConfig) -> impl Strategy<Value = Vec<Record>> + use<> {
    let device = device.clone();
    let ids: Vec<ObjectId> = device
        .object_ids()
        .filter(|id| matches!(id.kind(), Kind::Profile | Kind::Endpoint | Kind::Subscriber))
        .collect();
    let count = ids.len();
    let keys = || Just(KEYS.to_vec()).prop_shuffle();
    (
        subsequence(ids, 0..=count),
        keys(),
        keys(),
        keys(),
        vec((0u8..6, any::<bool>()), count),
    )
        .prop_map(move |(ids, profiles, endpoints, subscribers, whims)| {
            let mut left = BTreeMap::from([
                (Kind::Profile, profiles),
                (Kind::Endpoint, endpoints),
                (Kind::Subscriber, subscribers),
            ]);
            ids.into_iter()
                .zip(whims)
                .map(|(object, (whim, protect))| {
                    let held = device.object(object).unwrap();
                    let binding = binding(&device, &held);
                    Record {
                        key: left.get_mut(&object.kind()).unwrap().pop().unwrap().to_owned(),
                        object,
                        name: if whim == 0 { "gone" } else { held.name() }.to_owned(),
                        binding: if whim == 1 { Some(mac(99)) } else { binding },
                        protect: protect && whim == 2,
                        applied: None,
                    }
                })
                .collect()
        })
}

fn binding(device: &DeviceConfig, object: &Object) -> Option<MacAddr> {
    match object {
        Object::Endpoint(endpoint) => endpoint.mac,
        Object::Subscriber(subscriber) => device.endpoints.get(&subscriber.endpoint?)?.mac,
        _ => None,
    }
}

/// A wish, a device, and what is on record of it.
pub(crate) fn a_case() -> impl Strategy<Value = (DesiredDevice, DeviceConfig, Vec<Record>)> {
    (a_wish(), a_device()).prop_flat_map(|(desired, device)| {
        let records = records(&device);
        (Just(desired), Just(device), records)
    })
}

fn resolved(desired: &DesiredDevice, observed: &DeviceConfig, records: &[Record]) -> Resolution {
    let mut resolution = resolve(
        desired,
        &Arc::new(observed.clone()),
        &Arc::new(records.to_vec()),
        &capabilities(),
    );
    refuse_what_cannot_stand(&mut resolution, observed, desired.model.medium);
    resolution
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn what_is_neither_owned_nor_taken_over_stays_bit_for_bit((desired, observed, records) in a_case()) {
        let resolution = resolve(&desired, &Arc::new(observed.clone()), &Arc::new(records.clone()), &capabilities());
        for id in observed.object_ids().filter(|id| *id != ObjectId::System) {
            let held = observed.object(id).unwrap();
            let owned = records.iter().any(|record| record.object == id
                && (record.name == held.name()
                    || held.name().starts_with("gamops-tmp-")
                    || record.binding.is_some() && record.binding == binding(&observed, &held)));
            if !owned && !resolution.adopted.contains(&id) {
                prop_assert_eq!(resolution.target.object(id), Some(held), "{} in {:#?}", id, resolution);
            }
        }
    }

    #[test]
    fn what_was_taken_over_bore_the_wanted_name_or_binding((desired, observed, records) in a_case()) {
        let resolution = resolve(&desired, &Arc::new(observed.clone()), &Arc::new(records.clone()), &capabilities());
        // An object that is refused may have no key.
        let adopted = resolution.adopted.iter().filter(|id| resolution.keys.contains_key(id));
        for id in adopted {
            let held = observed.object(*id).unwrap();
            let key = &resolution.keys[id];
            let (name, mac) = match id.kind() {
                Kind::Profile => (Some(desired.profiles[key].name.clone()), None),
                Kind::Endpoint => (desired.endpoints[key].name.clone(), Some(desired.endpoints[key].mac)),
                _ => {
                    let wish = &desired.subscribers[key];
                    let endpoint = wish.endpoint.as_ref().map(|endpoint| desired.endpoints[endpoint].mac);
                    (Some(wish.name.clone()), endpoint)
                }
            };
            prop_assert!(name.as_deref() == Some(held.name()) || mac.is_some() && mac == binding(&observed, &held));
        }
    }

    #[test]
    fn what_is_not_refused_can_be_reached_and_stays((desired, observed, records) in a_case()) {
        let resolution = resolved(&desired, &observed, &records);
        if !resolution.refusals.is_empty() {
            return Ok(());
        }
        let difference = diff(&observed, &resolution.target, &capabilities(), desired.model.medium);
        let mut reached = observed.clone();
        for step in difference.map_err(|stuck| TestCaseError::fail(stuck.to_string()))?.changes {
            step.change.apply(&mut reached).unwrap();
        }
        let settled: Vec<Record> = resolution
            .records
            .iter()
            .map(|record| Record { applied: reached.object(record.object), ..record.clone() })
            .collect();
        for record in &settled {
            prop_assert!(record.applied.is_some(), "{:?} is on record and not there", record);
            let same = |other: &&Record| other.object == record.object
                || other.kind() == record.kind() && other.key == record.key;
            prop_assert_eq!(settled.iter().filter(same).count(), 1, "{:?}", &settled);
        }
        let again = resolved(&desired, &reached, &settled);
        prop_assert_eq!(&again.refusals, &vec![]);
        prop_assert_eq!(&again.adopted, &vec![]);
        let again_difference = diff(&reached, &again.target, &capabilities(), desired.model.medium).unwrap();
        prop_assert_eq!(again_difference.changes, vec![]);
        let objects = |records: &[Record]| -> BTreeSet<(Kind, String, ObjectId)> {
            records.iter().map(|record| (record.kind(), record.key.clone(), record.object)).collect()
        };
        prop_assert_eq!(objects(&again.records), objects(&settled));
    }
}
