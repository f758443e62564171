//! What holds of a plan that leaves drift as it is, whatever was changed on whatever device and whatever the rules say.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};

use super::tests::{at, plan};
use super::*;
use crate::domain::VlanId;
use crate::inventory::drift::DesiredDrift;
use crate::observed::{ProfileRef, Subscriber};
use crate::plan::a_case;
use crate::plan::model::{Action, DeviceChanges};

/// What somebody does on a device by hand.
#[derive(Debug, Clone)]
enum Tamper {
    Vlan(Index, u16),
    Name(Index, &'static str),
    Tagged(Index),
    Profile(Index, Option<Index>),
    Bind(Index, Option<Index>),
    Port(Index, u64),
    Rate(Index, u64),
    NoSubscriber(Index),
    NoEndpoint(Index),
}

fn a_tamper() -> impl Strategy<Value = Tamper> {
    let one = any::<Index>;
    prop_oneof![
        (one(), 100u16..110).prop_map(|(one, vlan)| Tamper::Vlan(one, vlan)),
        (one(), select(vec!["a", "b", "x", "y"])).prop_map(|(one, name)| Tamper::Name(one, name)),
        one().prop_map(Tamper::Tagged),
        (one(), option::of(one())).prop_map(|(one, profile)| Tamper::Profile(one, profile)),
        (one(), option::of(one())).prop_map(|(one, endpoint)| Tamper::Bind(one, endpoint)),
        (one(), 1u64..5).prop_map(|(one, port)| Tamper::Port(one, port)),
        (one(), 10u64..20).prop_map(|(one, rate)| Tamper::Rate(one, rate)),
        one().prop_map(Tamper::NoSubscriber),
        one().prop_map(Tamper::NoEndpoint),
    ]
}

fn key<K: Copy, V>(map: &BTreeMap<K, V>, index: Index) -> Option<K> {
    (!map.is_empty())
        .then(|| map.keys().nth(index.index(map.len())).copied())
        .flatten()
}

impl Tamper {
    /// Does it, where a device would let it be done.
    fn on(&self, config: &mut DeviceConfig) {
        let mut tampered = config.clone();
        let subscriber = |config: &mut DeviceConfig, index: Index, change: &dyn Fn(&mut Subscriber)| {
            if let Some(key) = key(&config.subscribers, index) {
                config.subscribers.entry(key).and_modify(change);
            }
        };
        match self {
            Self::Vlan(one, vlan) => {
                subscriber(&mut tampered, *one, &|one| one.vlan = VlanId::try_from(*vlan).unwrap())
            }
            Self::Name(one, name) => subscriber(&mut tampered, *one, &|one| (*name).clone_into(&mut one.name)),
            Self::Tagged(one) => subscriber(&mut tampered, *one, &|one| one.tagged = !one.tagged),
            Self::Profile(one, profile) => {
                let profile = profile.and_then(|index| key(&config.profiles, index));
                let profile = Some(profile.map_or(ProfileRef::Unthrottled, ProfileRef::Profile));
                subscriber(&mut tampered, *one, &|one| one.profile = profile);
            }
            Self::Bind(one, endpoint) => {
                let endpoint = endpoint.and_then(|index| key(&config.endpoints, index));
                subscriber(&mut tampered, *one, &|one| one.endpoint = endpoint);
            }
            Self::Port(one, port) => {
                if let Some(key) = key(&config.endpoints, *one) {
                    let port = PortBinding::Port(crate::domain::PortNumber::try_from(*port).unwrap());
                    tampered.endpoints.entry(key).and_modify(|one| one.port = port);
                }
            }
            Self::Rate(one, rate) => {
                if let Some(key) = key(&config.profiles, *one) {
                    let rate = Some(crate::domain::Mbps::try_from(*rate).unwrap());
                    tampered.profiles.entry(key).and_modify(|one| one.down = rate);
                }
            }
            Self::NoSubscriber(one) => {
                key(&config.subscribers, *one).and_then(|key| tampered.subscribers.remove(&key));
            }
            Self::NoEndpoint(one) => {
                if let Some(key) = key(&config.endpoints, *one) {
                    tampered.endpoints.remove(&key);
                    let users = tampered.subscribers.values_mut();
                    users
                        .filter(|one| one.endpoint == Some(key))
                        .for_each(|one| one.endpoint = None);
                }
            }
        }
        let refused = |config: &DeviceConfig| {
            let mut resolution = Resolution {
                target: Arc::new(config.clone()),
                ..Resolution::default()
            };
            refuse_what_cannot_stand(&mut resolution, config, crate::domain::Medium::Coax);
            !resolution.refusals.is_empty()
        };
        if !refused(&tampered) {
            *config = tampered;
        }
    }
}

fn a_rule() -> impl Strategy<Value = Ignored> {
    let objects = [
        "*",
        "subscriber/*",
        "*/k1",
        "maple-a/subscriber/k2",
        "endpoint/*",
        "profile/*",
        "oak-b/*",
    ];
    (
        option::of(select(objects.to_vec())),
        option::of(select(Field::ALL.to_vec())),
        prop_oneof![Just(at(-1)), Just(at(1))],
    )
        .prop_map(|(object, field, until)| Ignored {
            object: object.map(str::to_owned),
            field,
            reason: "a test".to_owned(),
            until,
            ends: "then".to_owned(),
        })
}

fn what_the_inventory_says() -> impl Strategy<Value = DesiredDrift> {
    let then = || select(vec![Then::Report, Then::Revert]);
    (
        option::of(then()),
        subsequence(Field::ALL.to_vec(), 0..6),
        vec(then(), 6),
        vec(a_rule(), 0..3),
    )
        .prop_map(|(then, fields, thens, ignored)| DesiredDrift {
            then,
            fields: fields.into_iter().zip(thens).collect(),
            ignored,
        })
}

fn how_much() -> impl Strategy<Value = Leave> {
    select(vec![
        Leave::Ignored,
        Leave::Policy(Then::Report),
        Leave::Policy(Then::Revert),
        Leave::All,
    ])
}

/// The objects that a plan makes go away.
fn destroyed(changes: &DeviceChanges) -> BTreeSet<ObjectId> {
    let gone = changes.changes.iter().filter(|change| change.action == Action::Destroy);
    gone.map(|change| change.object).collect()
}

/// What is left, without the words for it.
fn left(changes: &DeviceChanges) -> Vec<(ObjectId, Vec<Field>, Why)> {
    let one = |left: &Left| (left.object, left.named.clone(), left.why.clone());
    changes.left.iter().map(one).collect()
}

/// Why somebody is left on what would go away: by a field that is left.
fn is_kept(id: ObjectId, changes: &DeviceChanges) -> bool {
    let uses = |left: &Left| {
        let Some(Object::Subscriber(one)) = changes.target.object(left.object) else {
            return false;
        };
        left.named.contains(&Field::Endpoint) && one.endpoint.map(ObjectId::Endpoint) == Some(id)
            || left.named.contains(&Field::Plan)
                && matches!(one.profile, Some(ProfileRef::Profile(profile)) if ObjectId::Profile(profile) == id)
    };
    changes.left.iter().any(uses)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn what_is_left_is_as_the_device_holds_it_and_all_else_as_it_would_have_been(
        (before, held, records) in a_case(),
        commit in option::of(a_case()),
        tampers in vec(a_tamper(), 1..5),
        says in what_the_inventory_says(),
        leave in how_much(),
        is_new in any::<bool>(),
    ) {
        // Half of the devices held nothing before: there, nothing is in the way of what the inventory asks.
        let (held, records) = if is_new { Default::default() } else { (held, records) };
        let applied = plan(&before, &held, &records, Leave::Nothing);
        if !applied.refusals.is_empty() {
            return Ok(());
        }
        let mut held = DeviceConfig::clone(&applied.target);
        tampers.iter().for_each(|tamper| tamper.on(&mut held));
        let silent = commit.map_or(before, |(desired, _, _)| desired);
        let desired = DesiredDevice { drift: says, ..silent.clone() };

        let full = plan(&silent, &held, &applied.records, Leave::Nothing);
        let part = plan(&desired, &held, &applied.records, leave);
        if !full.refusals.is_empty() {
            return Ok(());
        }
        if !part.refusals.is_empty() {
            // Only what somebody wrote down to be ignored may stand in the way of a commit.
            prop_assert!(part.refusals.iter().any(|refusal| refusal.rule == "ignored-drift"), "{:?}", part.refusals);
            let is_ignored = |left: &Left| matches!(left.why, Why::Ignored { .. });
            prop_assert!(part.left.iter().all(is_ignored));
            return Ok(());
        }

        for id in held.object_ids().chain(full.target.object_ids()) {
            let of_it: Vec<&Left> = part.left.iter().filter(|left| left.object == id).collect();
            let (now, then) = (held.object(id), full.target.object(id));
            let record = applied.records.iter().find(|record| record.object == id);
            let mut expected = then.clone();
            if of_it.iter().any(|left| left.is_gone()) {
                prop_assert_eq!(&now, &None);
                expected = None;
            } else if now.is_some() && then.is_none() && is_kept(id, &part) {
                expected = now;
            } else {
                for field in of_it.iter().flat_map(|left| &left.named) {
                    // It is drift: somebody changed it, and nothing new is asked of it.
                    let (now, applied) = (now.as_ref().unwrap(), record.unwrap().applied.as_ref().unwrap());
                    prop_assert!(!fields::is_same(*field, now, applied), "{} of {}", field, id);
                    prop_assert!(fields::is_same(*field, then.as_ref().unwrap(), applied), "{} of {}", field, id);
                    fields::put(*field, expected.as_mut().unwrap(), now);
                }
            }
            prop_assert_eq!(part.target.object(id), expected, "{}", id);
        }
        prop_assert!(destroyed(&part).is_subset(&destroyed(&full)));

        // The way there ends there.
        let mut state = held.clone();
        for step in &part.steps {
            step.change.apply(&mut state).unwrap();
        }
        prop_assert_eq!(&state, &*part.target);

        // What is left stays drift, and stays left.
        let again = plan(&desired, &part.target, &part.records, leave);
        prop_assert_eq!(&again.refusals, &vec![]);
        prop_assert_eq!(again.changes.iter().map(|change| change.address.as_str()).collect::<Vec<_>>(), Vec::<&str>::new());
        prop_assert_eq!(left(&again), left(&part));
        prop_assert_eq!(&again.records, &part.records);

        // A run that is cut off before it did anything changes nothing of that.
        let mut claimed = Vec::clone(&applied.records);
        for claim in crate::plan::claims(&part) {
            claimed.retain(|record| (record.kind(), &record.key) != (claim.kind(), &claim.key));
            claimed.push(claim);
        }
        let ignored = plan(&desired, &held, &applied.records, Leave::Ignored);
        if ignored.refusals.is_empty() && leave == Leave::Ignored {
            let after = plan(&desired, &held, &claimed, Leave::Ignored);
            prop_assert_eq!(left(&after), left(&ignored));
        }
    }
}
