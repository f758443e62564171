use super::*;
use crate::domain::{MacAddr, Model, PoeMode, PortBinding, PortNumber, VlanId, VlanSet};
use crate::inventory::desired::{DesiredEndpoint, DesiredProfile, DesiredSubscriber};
use crate::inventory::model::{Mode, Unsaved};
use crate::observed::{Endpoint, Object, Profile, Subscriber};
use crate::plan::model::Basis;
use crate::plan::resolve::refuse_what_cannot_stand;

pub(in crate::plan) fn mac(last: u8) -> MacAddr {
    MacAddr::new([0, 0x0e, 0xd8, 0, 0, last])
}

pub(in crate::plan) fn endpoint_id(number: u64) -> EndpointId {
    EndpointId::try_from(number).unwrap()
}

pub(in crate::plan) fn subscriber_id(number: u64) -> SubscriberId {
    SubscriberId::try_from(number).unwrap()
}

pub(in crate::plan) fn profile_id(number: u64) -> ProfileId {
    ProfileId::try_from(number).unwrap()
}

pub(in crate::plan) fn on_port(number: u64) -> PortBinding {
    PortBinding::Port(PortNumber::try_from(number).unwrap())
}

pub(in crate::plan) fn mbps(rate: u64) -> crate::domain::Mbps {
    crate::domain::Mbps::try_from(rate).unwrap()
}

pub(in crate::plan) fn capabilities() -> Capabilities {
    Capabilities::of_firmware(&"GAM-12/24-C_v1.8.2".parse().unwrap())
}

pub(in crate::plan) fn wish() -> DesiredDevice {
    DesiredDevice {
        drift: crate::inventory::drift::DesiredDrift::default(),
        subscriber_model: crate::domain::SubscriberModel::EndpointAware,
        key: "maple-a".to_owned(),
        was: None,
        model: Model::by_name("GAM-12-C").unwrap(),
        mode: Mode::Manage,
        paused: None,
        unsaved: Unsaved::Report,
        allow_assumed: false,
        hostname: None,
        ports: BTreeMap::new(),
        profiles: BTreeMap::new(),
        endpoints: BTreeMap::new(),
        subscribers: BTreeMap::new(),
        notes: Vec::new(),
    }
}

/// What a plan was made from, of which nobody asks.
pub(in crate::plan) fn basis() -> Basis {
    Basis {
        desired: Arc::new(wish()),
        running: Arc::default(),
        write: |_| String::new(),
    }
}

/// Asks for subscriber `key` behind the endpoint with that MAC on port 1.
fn ask(desired: &mut DesiredDevice, key: &str, last: u8) {
    let endpoint = DesiredEndpoint {
        management_access: None,
        was: None,
        mac: mac(last),
        name: None,
        description: None,
        port: on_port(1),
        id: None,
        protect: false,
    };
    desired.endpoints.insert(key.to_owned(), endpoint);
    desired.subscribers.insert(
        key.to_owned(),
        DesiredSubscriber {
            double_tag: None,
            port: None,
            trunk: false,
            was: None,
            name: key.to_owned(),
            description: None,
            endpoint: Some(key.to_owned()),
            vlan: VlanId::try_from(100).unwrap(),
            tagged: false,
            remapped_vlan: None,
            rate: DesiredRate::Unthrottled,
            allowed_vlans: VlanSet::default(),
            port2_vlan: None,
            poe: None,
            id: None,
            protect: false,
            suspended: false,
        },
    );
}

fn resolve_with(desired: &DesiredDevice, observed: &DeviceConfig, records: &[Record]) -> Resolution {
    let mut resolution = resolve(
        desired,
        &Arc::new(observed.clone()),
        &Arc::new(records.to_vec()),
        &capabilities(),
    );
    refuse_what_cannot_stand(&mut resolution, observed, desired.model.medium);
    resolution
}

/// What a device holds after `desired` was applied to an empty one, and the records of it.
fn applied(desired: &DesiredDevice) -> (DeviceConfig, Vec<Record>) {
    let resolution = resolve_with(desired, &DeviceConfig::default(), &[]);
    assert_eq!(resolution.refusals, vec![]);
    (
        Arc::unwrap_or_clone(resolution.target),
        Arc::unwrap_or_clone(resolution.records),
    )
}

fn rules(resolution: &Resolution) -> Vec<&'static str> {
    resolution.refusals.iter().map(|refusal| refusal.rule).collect()
}

#[test]
fn what_is_as_it_should_be_is_held_once() {
    let mut desired = wish();
    ask(&mut desired, "s-1", 1);
    let (observed, records) = applied(&desired);
    let (observed, records) = (Arc::new(observed), Arc::new(records));
    let resolution = resolve(&desired, &observed, &records, &capabilities());
    assert!(Arc::ptr_eq(&resolution.target, &observed) && Arc::ptr_eq(&resolution.records, &records));
    ask(&mut desired, "s-2", 2);
    let resolution = resolve(&desired, &observed, &records, &capabilities());
    assert_eq!(resolution.target.subscribers.len(), observed.subscribers.len() + 1);
    assert_eq!(resolution.records.len(), records.len() + 2);
}

#[test]
fn what_was_applied_resolves_to_itself() {
    let mut desired = wish();
    ask(&mut desired, "s-1", 1);
    ask(&mut desired, "s-2", 2);
    let (observed, records) = applied(&desired);
    let again = resolve_with(&desired, &observed, &records);
    assert_eq!(*again.target, observed);
    assert_eq!(
        (again.adopted.as_slice(), again.unmanaged.as_slice()),
        ([].as_slice(), [].as_slice())
    );
    assert_eq!(*again.records, records);
}

#[test]
fn what_gamops_does_not_own_is_never_taken_out() {
    let stranger = Subscriber {
        name: "John".to_owned(),
        ..Subscriber::default()
    };
    let observed = DeviceConfig {
        subscribers: [(subscriber_id(7), stranger)].into(),
        endpoints: [(
            endpoint_id(3),
            Endpoint {
                name: "x".into(),
                mac: Some(mac(9)),
                ..Endpoint::default()
            },
        )]
        .into(),
        ..DeviceConfig::default()
    };
    let resolution = resolve_with(&wish(), &observed, &[]);
    assert_eq!(*resolution.target, observed);
    let unmanaged = vec![
        ObjectId::Endpoint(endpoint_id(3)),
        ObjectId::Subscriber(subscriber_id(7)),
    ];
    assert_eq!(resolution.unmanaged, unmanaged);
}

#[test]
fn an_owned_object_that_left_the_inventory_goes_away() {
    let mut desired = wish();
    ask(&mut desired, "s-1", 1);
    let (observed, records) = applied(&desired);
    let resolution = resolve_with(&wish(), &observed, &records);
    assert_eq!(*resolution.target, DeviceConfig::default());
    assert_eq!(*resolution.records, vec![]);
}

#[test]
fn a_lost_record_means_unmanaged() {
    let mut desired = wish();
    ask(&mut desired, "s-1", 1);
    let (observed, _) = applied(&desired);
    let resolution = resolve_with(&wish(), &observed, &[]);
    assert_eq!(*resolution.target, observed);
    assert_eq!(resolution.unmanaged.len(), 2);
}

#[test]
fn a_record_whose_object_is_something_else_now_owns_nothing() {
    let mut desired = wish();
    ask(&mut desired, "s-1", 1);
    let (mut observed, records) = applied(&desired);
    for subscriber in observed.subscribers.values_mut() {
        subscriber.name = "John".to_owned();
        subscriber.endpoint = None;
    }
    for endpoint in observed.endpoints.values_mut() {
        endpoint.name = "other".to_owned();
        endpoint.mac = Some(mac(77));
    }
    let resolution = resolve_with(&wish(), &observed, &records);
    assert_eq!(*resolution.target, observed);
    assert_eq!(resolution.forgotten.len(), 2);
}

#[test]
fn a_new_cpe_keeps_the_endpoint_s_number_and_takes_the_new_default_name() {
    let mut desired = wish();
    ask(&mut desired, "s-1", 1);
    let (observed, records) = applied(&desired);
    ask(&mut desired, "s-1", 200);
    let resolution = resolve_with(&desired, &observed, &records);
    assert_eq!(resolution.target.endpoints.len(), 1);
    let endpoint = &resolution.target.endpoints[&endpoint_id(1)];
    assert_eq!(
        (endpoint.mac, endpoint.name.as_str()),
        (Some(mac(200)), "Positron_0000C8")
    );
}

#[test]
fn a_renamed_key_plans_nothing_where_the_device_side_name_stays() {
    let mut desired = wish();
    ask(&mut desired, "s-1", 1);
    let (observed, records) = applied(&desired);
    let mut renamed = wish();
    ask(&mut renamed, "s-new", 1);
    renamed.subscribers.get_mut("s-new").unwrap().name = "s-1".to_owned();
    for was in [None, Some("s-1".to_owned())] {
        renamed.subscribers.get_mut("s-new").unwrap().was.clone_from(&was);
        renamed.endpoints.get_mut("s-new").unwrap().was.clone_from(&was);
        let resolution = resolve_with(&renamed, &observed, &records);
        assert_eq!(*resolution.target, observed, "was: {was:?}");
        assert!(resolution.records.iter().all(|record| record.key == "s-new"));
    }
}

#[test]
fn another_tenant_behind_the_same_endpoint_is_another_subscriber() {
    let mut desired = wish();
    ask(&mut desired, "s-1", 1);
    let (observed, records) = applied(&desired);
    let mut next = wish();
    ask(&mut next, "s-2", 1);
    let resolution = resolve_with(&next, &observed, &records);
    assert_eq!(
        resolution.target.endpoints, observed.endpoints,
        "the endpoint is the same"
    );
    let names: Vec<&str> = resolution
        .target
        .subscribers
        .values()
        .map(|s| s.name.as_str())
        .collect();
    assert_eq!(names, ["s-2"]);
    assert!(
        !resolution.target.subscribers.contains_key(&subscriber_id(1)),
        "not a rename of the old one"
    );
}

#[test]
fn an_object_that_vanished_comes_back_under_its_old_number() {
    let mut desired = wish();
    ask(&mut desired, "s-1", 1);
    ask(&mut desired, "s-2", 2);
    let (mut observed, records) = applied(&desired);
    let gone = observed.subscribers.remove(&subscriber_id(2)).unwrap();
    let resolution = resolve_with(&desired, &observed, &records);
    assert_eq!(resolution.target.subscribers[&subscriber_id(2)], gone);
}

#[test]
fn an_object_that_is_there_under_the_wanted_name_is_adopted_not_made_twice() {
    let mut desired = wish();
    ask(&mut desired, "s-1", 1);
    let (observed, _) = applied(&desired);
    let resolution = resolve_with(&desired, &observed, &[]);
    assert_eq!(*resolution.target, observed);
    assert_eq!(resolution.adopted.len(), 2);
    assert_eq!(resolution.records.len(), 2);
}

#[test]
fn two_candidates_are_refused_not_guessed() {
    let mut desired = wish();
    ask(&mut desired, "s-1", 1);
    let observed = DeviceConfig {
        endpoints: [(
            endpoint_id(1),
            Endpoint {
                name: "a".into(),
                mac: Some(mac(1)),
                ..Endpoint::default()
            },
        )]
        .into(),
        subscribers: [
            (
                subscriber_id(4),
                Subscriber {
                    name: "s-1".to_owned(),
                    ..Subscriber::default()
                },
            ),
            (
                subscriber_id(5),
                Subscriber {
                    name: "x".to_owned(),
                    endpoint: Some(endpoint_id(1)),
                    ..Subscriber::default()
                },
            ),
        ]
        .into(),
        ..DeviceConfig::default()
    };
    assert!(rules(&resolve_with(&desired, &observed, &[])).contains(&"ambiguous-match"));
}

#[test]
fn a_protected_object_is_not_destroyed_though_it_left_the_inventory() {
    let mut desired = wish();
    ask(&mut desired, "s-1", 1);
    desired.subscribers.get_mut("s-1").unwrap().protect = true;
    let (observed, records) = applied(&desired);
    let resolution = resolve_with(&wish(), &observed, &records);
    assert!(rules(&resolution).contains(&"protected"));
    assert!(resolution.target.subscribers.contains_key(&subscriber_id(1)));
}

#[test]
fn an_unmanaged_endpoint_in_the_way_is_named() {
    let mut desired = wish();
    desired.model = Model::by_name("GAM-12-M").unwrap();
    ask(&mut desired, "s-1", 1);
    let stranger = Endpoint {
        name: "theirs".to_owned(),
        mac: Some(mac(9)),
        port: on_port(1),
        ..Endpoint::default()
    };
    let observed = DeviceConfig {
        endpoints: [(endpoint_id(5), stranger)].into(),
        ..DeviceConfig::default()
    };
    let resolution = resolve_with(&desired, &observed, &[]);
    let refusal = &resolution.refusals[0];
    assert_eq!(refusal.rule, "port-full");
    assert_eq!(
        refusal.message,
        "port 1 takes 1 endpoint, and would hold endpoint 1 (s-1) and unmanaged endpoint 5 (\"theirs\")"
    );
}

fn with_plan(desired: &mut DesiredDevice, down: u64) {
    let profile = DesiredProfile {
        service_limit_level: None,
        was: None,
        name: "gold".into(),
        description: None,
        down: mbps(down),
        up: mbps(down),
        protect: false,
    };
    desired.profiles.insert("gold".to_owned(), profile);
    for subscriber in desired.subscribers.values_mut() {
        subscriber.rate = DesiredRate::Profile("gold".to_owned());
    }
}

#[test]
fn a_profile_that_strangers_use_is_not_changed_under_them() {
    let mut desired = wish();
    ask(&mut desired, "s-1", 1);
    with_plan(&mut desired, 106);
    let shared = Profile {
        name: "gold".into(),
        down: Some(mbps(50)),
        up: Some(mbps(50)),
        ..Profile::default()
    };
    let stranger = Subscriber {
        name: "John".into(),
        profile: Some(ProfileRef::Profile(profile_id(4))),
        ..Subscriber::default()
    };
    let observed = DeviceConfig {
        profiles: [(profile_id(4), shared)].into(),
        subscribers: [(subscriber_id(9), stranger)].into(),
        ..DeviceConfig::default()
    };
    assert_eq!(
        rules(&resolve_with(&desired, &observed, &[])),
        ["profile-shared-with-unmanaged"]
    );
    let mut same_rate = desired.clone();
    with_plan(&mut same_rate, 50);
    let resolution = resolve_with(&same_rate, &observed, &[]);
    assert_eq!(rules(&resolution), Vec::<&str>::new());
    assert_eq!(resolution.adopted, [ObjectId::Profile(profile_id(4))]);
    // Nor is he ours because one who left the inventory had that number.
    let left = Record {
        key: "s-7".to_owned(),
        object: ObjectId::Subscriber(subscriber_id(9)),
        name: "Jane".to_owned(),
        binding: Some(mac(7)),
        protect: false,
        applied: None,
    };
    let mut observed = observed;
    let there = Endpoint {
        mac: Some(mac(7)),
        ..Endpoint::default()
    };
    observed.endpoints.insert(endpoint_id(7), there);
    observed.subscribers.get_mut(&subscriber_id(9)).unwrap().endpoint = Some(endpoint_id(7));
    assert_eq!(
        rules(&resolve_with(&desired, &observed, &[left])),
        ["profile-shared-with-unmanaged"]
    );
}

#[test]
fn an_owned_profile_stays_while_a_stranger_uses_it() {
    let mut desired = wish();
    ask(&mut desired, "s-1", 1);
    with_plan(&mut desired, 106);
    let (mut observed, records) = applied(&desired);
    let gold = *observed.profiles.keys().next().unwrap();
    let stranger = Subscriber {
        name: "John".into(),
        profile: Some(ProfileRef::Profile(gold)),
        ..Subscriber::default()
    };
    observed.subscribers.insert(subscriber_id(9), stranger);
    let resolution = resolve_with(&wish(), &observed, &records);
    assert_eq!(resolution.target.profiles, observed.profiles);
    assert!(
        resolution.notes.iter().any(|note| note.contains("`John` uses it")),
        "{:?}",
        resolution.notes
    );
    assert!(
        resolution
            .records
            .iter()
            .any(|record| record.object == ObjectId::Profile(gold)),
        "still owned"
    );
}

#[test]
fn what_a_stranger_keeps_of_a_protected_endpoint_that_got_another_number_is_not_protected_there() {
    let mut desired = wish();
    let spare = DesiredEndpoint {
        management_access: None,
        was: None,
        mac: mac(1),
        name: Some("spare".to_owned()),
        description: None,
        port: on_port(1),
        id: None,
        protect: true,
    };
    desired.endpoints.insert("spare".to_owned(), spare);
    let (mut observed, records) = applied(&desired);
    let held = endpoint_id(1);
    let stranger = Subscriber {
        name: "John".to_owned(),
        endpoint: Some(held),
        ..Subscriber::default()
    };
    observed.subscribers.insert(subscriber_id(9), stranger);
    let spare = desired.endpoints.get_mut("spare").unwrap();
    (spare.id, spare.mac, spare.name) = (Some(endpoint_id(40)), mac(2), Some("another".to_owned()));

    let resolution = resolve_with(&desired, &observed, &records);
    assert_eq!(resolution.refusals, vec![]);
    assert!(resolution.target.endpoints.contains_key(&held), "John is behind it");
    // Reached, it asks for nothing more and stands in nobody's way, John's going included.
    let mut reached = Arc::unwrap_or_clone(resolution.target);
    let again = resolve_with(&desired, &reached, &resolution.records);
    assert_eq!(again.refusals, vec![]);
    assert_eq!(*again.target, reached);
    reached.subscribers.clear();
    let without_john = resolve_with(&desired, &reached, &again.records);
    assert_eq!(without_john.refusals, vec![]);
    assert_eq!(
        without_john.target.endpoints.keys().collect::<Vec<_>>(),
        [&endpoint_id(40)]
    );
}

#[test]
fn profile_1_is_never_given_out_nor_taken() {
    let mut desired = wish();
    ask(&mut desired, "s-1", 1);
    with_plan(&mut desired, 106);
    let factory = Profile {
        name: "gold".into(),
        down: Some(mbps(10)),
        up: Some(mbps(10)),
        ..Profile::default()
    };
    let observed = DeviceConfig {
        profiles: [(profile_id(1), factory.clone())].into(),
        ..DeviceConfig::default()
    };
    let resolution = resolve_with(&desired, &observed, &[]);
    assert_eq!(resolution.target.profiles[&profile_id(1)], factory);
    assert_eq!(rules(&resolution), ["name-taken"]);
}

#[test]
fn words_that_the_firmware_is_not_known_to_have_are_noted_not_sent() {
    let mut desired = wish();
    ask(&mut desired, "s-1", 1);
    desired.subscribers.get_mut("s-1").unwrap().poe = Some(PoeMode::Enable);
    let resolution = resolve_with(&desired, &DeviceConfig::default(), &[]);
    assert_eq!(resolution.target.subscribers[&subscriber_id(1)].poe, None);
    assert_eq!(resolution.notes.len(), 1);
}

#[test]
fn another_pinned_number_makes_another_object_of_what_gamops_owns() {
    let mut desired = wish();
    ask(&mut desired, "s-1", 1);
    let (observed, records) = applied(&desired);
    desired.subscribers.get_mut("s-1").unwrap().id = Some(subscriber_id(40));
    let resolution = resolve_with(&desired, &observed, &records);
    let ids: Vec<u16> = resolution.target.subscribers.keys().map(|id| id.get()).collect();
    assert_eq!(ids, [40]);
    let strange = resolve_with(&desired, &observed, &[]);
    assert!(rules(&strange).contains(&"pinned-id-differs"));
}

/// The one on record left the inventory, and somebody put another customer on its endpoint by hand: that one is not gamops's
/// to delete because a wish bears its name and another number.
#[test]
fn a_stranger_in_the_place_of_one_that_left_is_not_renumbered() {
    let mut before = wish();
    ask(&mut before, "gone", 1);
    let (mut observed, mut records) = applied(&before);
    let stranger = observed.subscribers.get_mut(&subscriber_id(1)).unwrap();
    stranger.name = "s-2".to_owned();
    records.retain(|record| record.kind() == Kind::Subscriber);
    let mut desired = wish();
    ask(&mut desired, "s-2", 1);
    desired.subscribers.get_mut("s-2").unwrap().id = Some(subscriber_id(3));
    assert!(rules(&resolve_with(&desired, &observed, &records)).contains(&"pinned-id-differs"));
    // Under the number that it has it is taken over, and that is said.
    desired.subscribers.get_mut("s-2").unwrap().id = None;
    let taken = resolve_with(&desired, &observed, &records);
    assert_eq!(rules(&taken), Vec::<&str>::new());
    assert!(taken.adopted.contains(&ObjectId::Subscriber(subscriber_id(1))));
}

#[test]
fn with_all_profiles_taken_the_slot_of_the_leaving_plan_is_rewritten() {
    let mut desired = wish();
    for number in 2..=15u8 {
        let key = format!("p{number}");
        ask(&mut desired, &format!("s-{number}"), number);
        let rate = u64::from(number) + 100;
        let profile = DesiredProfile {
            service_limit_level: None,
            was: None,
            name: key.clone(),
            description: None,
            down: mbps(rate),
            up: mbps(rate),
            protect: false,
        };
        desired.profiles.insert(key.clone(), profile);
        desired.subscribers.get_mut(&format!("s-{number}")).unwrap().rate = DesiredRate::Profile(key);
    }
    let (observed, records) = applied(&desired);
    assert_eq!(observed.profiles.len(), 14);
    let leaving = desired.profiles.remove("p7").unwrap();
    desired.profiles.insert(
        "new".to_owned(),
        DesiredProfile {
            name: "new".to_owned(),
            ..leaving
        },
    );
    desired.subscribers.get_mut("s-7").unwrap().rate = DesiredRate::Profile("new".to_owned());
    let resolution = resolve_with(&desired, &observed, &records);
    assert_eq!(resolution.refusals, vec![]);
    assert_eq!(resolution.target.profiles.len(), 14);
    let slot = resolution
        .target
        .profiles
        .iter()
        .find(|(_, profile)| profile.name == "new")
        .map(|(id, _)| *id)
        .unwrap();
    assert_eq!(observed.profiles[&slot].name, "p7");
}

#[test]
fn records_hold_what_the_target_holds() {
    let mut desired = wish();
    desired.hostname = Some("maple-a".to_owned());
    ask(&mut desired, "s-1", 1);
    let (target, records) = applied(&desired);
    for record in &records {
        assert_eq!(record.applied, target.object(record.object));
    }
    assert!(
        records
            .iter()
            .any(|record| record.applied == Some(Object::System("maple-a".to_owned())))
    );
}
