//! What holds for any two configurations, crowded enough that most things are in each other's way.

use proptest::prelude::*;

use super::*;
use crate::domain::PoeMode;

/// How crowded a generated device is.
#[derive(Debug, Clone, Copy)]
pub(in crate::plan) struct Size {
    pub(in crate::plan) medium: Medium,
    ports: u64,
    profiles: u64,
    endpoints: u64,
    pub(in crate::plan) subscribers: u64,
}

pub(in crate::plan) const COPPER: Size = Size {
    medium: Medium::Copper,
    ports: 6,
    profiles: 4,
    endpoints: 7,
    subscribers: 7,
};
pub(in crate::plan) const COAX: Size = Size {
    medium: Medium::Coax,
    ports: 2,
    profiles: 15,
    endpoints: 36,
    subscribers: 36,
};

/// A permutation of 0 to `count`, not included.
fn permutation(count: u64) -> impl Strategy<Value = Vec<u64>> {
    Just((0..count).collect::<Vec<_>>()).prop_shuffle()
}

/// Which of `count` places are filled; often all, so that there is no room to move.
fn presence(count: u64) -> impl Strategy<Value = Vec<bool>> {
    let some = proptest::collection::vec(proptest::bool::weighted(0.8), count as usize);
    prop_oneof![Just(vec![true; count as usize]), some]
}

/// A configuration that a device can hold, names and addresses drawn from a pool with nothing to spare.
pub(in crate::plan) fn config(size: Size) -> impl Strategy<Value = DeviceConfig> {
    let present = (
        presence(size.ports),
        presence(size.profiles),
        presence(size.endpoints),
        presence(size.subscribers),
    );
    config_with(size, present)
}

/// A configuration with all that a device of this size takes.
fn full(size: Size) -> impl Strategy<Value = DeviceConfig> {
    let all = |count: u64| vec![true; count as usize];
    let present = (
        all(size.ports),
        all(size.profiles),
        all(size.endpoints),
        all(size.subscribers),
    );
    config_with(size, Just(present))
}

fn config_with(size: Size, present: impl Strategy<Value = Present>) -> impl Strategy<Value = DeviceConfig> {
    let noisy = size.endpoints.max(64) as usize;
    (
        (
            permutation(size.ports),
            permutation(size.profiles),
            permutation(size.endpoints),
            permutation(size.subscribers),
        ),
        (
            permutation(size.endpoints),
            permutation(size.endpoints),
            permutation(size.endpoints),
        ),
        present,
        proptest::collection::vec(any::<[u8; 4]>(), noisy),
        0u8..3,
    )
        .prop_map(move |(names, (macs, places, bindings), present, noise, host)| {
            build(
                size,
                [&names.0, &names.1, &names.2, &names.3],
                [&macs, &places, &bindings],
                &present,
                &noise,
                host,
            )
        })
}

type Present = (Vec<bool>, Vec<bool>, Vec<bool>, Vec<bool>);

fn build(
    size: Size,
    names: [&[u64]; 4],
    [macs, places, bindings]: [&[u64]; 3],
    present: &Present,
    noise: &[[u8; 4]],
    host: u8,
) -> DeviceConfig {
    let mut config = DeviceConfig {
        hostname: ["", "gam", "maple"][usize::from(host)].into(),
        ..DeviceConfig::default()
    };
    let places_in_all = size.ports * size.medium.endpoints_per_port() as u64;
    let filled =
        |present: &[bool]| -> Vec<u64> { (0..present.len() as u64).filter(|at| present[*at as usize]).collect() };
    for at in filled(&present.0) {
        let name = format!("port {}", names[0][at as usize]);
        let port = Port {
            name,
            shutdown: noise[at as usize][0] < 64,
            ..Port::default()
        };
        config.set_port(id(at + 1), port);
    }
    for at in filled(&present.1).into_iter().filter(|at| *at > 0) {
        let noise = noise[at as usize];
        let rate = |byte: u8| Some(Mbps::try_from(10 + u64::from(byte % 3)).unwrap());
        let profile = Profile {
            service_limit_level: None,
            name: format!("profile {}", names[1][at as usize]),
            description: ["", "one", "two"][usize::from(noise[0] % 3)].into(),
            down: rate(noise[1]),
            up: rate(noise[2]),
            unknown: Vec::new(),
        };
        config.profiles.insert(id(at + 1), profile);
    }
    for at in filled(&present.2) {
        let noise = noise[at as usize];
        // Places are numbered through all ports, so that no port is ever too full.
        let place = places[at as usize];
        let port = match place < places_in_all {
            true if noise[3] < 230 => PortBinding::Port(id(place % size.ports + 1)),
            true => PortBinding::Auto,
            false => PortBinding::Unassigned,
        };
        let endpoint = Endpoint {
            name: format!("endpoint {}", names[2][at as usize]),
            mac: Some(mac(macs[at as usize] as u8 + 1)),
            description: ["", "one", "two"][usize::from(noise[0] % 3)].into(),
            port,
            management_access: noise[1] < 64,
            unknown: Vec::new(),
        };
        config.endpoints.insert(id(at + 1), endpoint);
    }
    for at in filled(&present.3) {
        let noise = noise[at as usize];
        let endpoint: EndpointId = id(bindings[at as usize] + 1);
        let wanted = u64::from(noise[0]) % (size.profiles + 2);
        let profile = match ProfileId::try_from(wanted) {
            Ok(profile) if profile == ProfileId::DEVICE_DEFAULT || config.profiles.contains_key(&profile) => {
                ProfileRef::Profile(profile)
            }
            _ => ProfileRef::Unthrottled,
        };
        let subscriber = Subscriber {
            name: format!("subscriber {}", names[3][at as usize]),
            description: ["", "one", "two"][usize::from(noise[1] % 3)].into(),
            endpoint: config.endpoints.contains_key(&endpoint).then_some(endpoint),
            tagged: noise[2] < 64,
            profile: Some(profile),
            poe: [None, Some(PoeMode::Disable)][usize::from(noise[3] % 2)],
            ..Subscriber::default()
        };
        config.subscribers.insert(id(at + 1), subscriber);
    }
    config
}

pub(crate) fn any_capabilities() -> impl Strategy<Value = Capabilities> {
    any::<[bool; 3]>().prop_map(|[rename, new_mac, clear]| Capabilities {
        rename_in_place: support(rename),
        new_mac_in_place: support(new_mac),
        clear_description: support(clear),
        ..capabilities()
    })
}

/// All laws at once: the plan plays on a strict device, undoes itself, leaves nothing to plan, and comes out
/// the same each time.
fn holds(
    from: &DeviceConfig,
    to: &DeviceConfig,
    capabilities: &Capabilities,
    medium: Medium,
) -> Result<(), TestCaseError> {
    prop_assert_eq!(device::refusal(from, medium), None);
    prop_assert_eq!(device::refusal(to, medium), None);
    let plan = match diff(from, to, capabilities, medium) {
        Ok(plan) => plan,
        // A port cannot lose its name, so another port cannot get it.
        Err(Stuck::Outcome(Violation::Name {
            kind: Kind::Port,
            name,
            holders,
        })) => {
            let keeps = holders.iter().any(|holder| {
                let ObjectId::Port(port) = *holder else { return false };
                from.port(port).name == name && to.port(port).name.is_empty()
            });
            prop_assert!(keeps);
            return Ok(());
        }
        Err(stuck) => return Err(TestCaseError::fail(stuck.to_string())),
    };
    prop_assert_eq!(device::plays(from, to, &plan, medium), Ok(()));
    prop_assert_eq!(&diff(from, to, capabilities, medium), &Ok(plan.clone()));

    let mut reached = from.clone();
    for ordered in &plan.changes {
        prop_assert!(ordered.change.apply(&mut reached).is_ok());
    }
    prop_assert_eq!(
        diff(&reached, to, capabilities, medium).map(|plan| plan.changes),
        Ok(Vec::new())
    );
    unasked_objects_end_as_they_were(from, &reached, &plan)
}

/// What is in the plan only to make room is given back, and every wanted change is about an object that
/// ends otherwise than it began.
fn unasked_objects_end_as_they_were(
    from: &DeviceConfig,
    reached: &DeviceConfig,
    plan: &Difference,
) -> Result<(), TestCaseError> {
    for ordered in plan.changes.iter().filter(|ordered| ordered.purpose == Purpose::Wanted) {
        let object = ordered.change.object();
        if object == ObjectId::System {
            prop_assert_ne!(&from.hostname, &reached.hostname);
        } else {
            prop_assert_ne!(object::Object::get(from, object), object::Object::get(reached, object));
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_two_copper_devices_can_be_turned_into_each_other(
        from in config(COPPER), to in config(COPPER), capabilities in any_capabilities(),
    ) {
        holds(&from, &to, &capabilities, COPPER.medium)?;
    }

    #[test]
    fn any_device_can_be_set_up_and_emptied(full in config(COPPER), capabilities in any_capabilities()) {
        holds(&DeviceConfig::default(), &full, &capabilities, COPPER.medium)?;
        holds(&full, &DeviceConfig::default(), &capabilities, COPPER.medium)?;
    }
}

/// What somebody with another tool may have left: shared names and addresses, too many on a port, references
/// to nothing.
fn messy(size: Size) -> impl Strategy<Value = DeviceConfig> {
    let damage = proptest::collection::vec((0u8..7, 1..=size.endpoints, 1..=size.endpoints), 0..8);
    (config(size), damage).prop_map(|(mut config, damage)| {
        for (kind, one, other) in damage {
            let endpoint = config.endpoints.get(&id(other)).cloned();
            if let (Some(one), Some(other)) = (config.endpoints.get_mut(&id(one)), endpoint) {
                match kind {
                    0 => one.name = other.name,
                    1 => one.mac = other.mac,
                    2 => one.port = other.port,
                    _ => {}
                }
            }
            let name = config.subscribers.get(&id(other)).map(|other| other.name.clone());
            if let Some(one) = config.subscribers.get_mut(&id(one)) {
                match (kind, name) {
                    (3, Some(name)) => one.name = name,
                    (4, _) => one.endpoint = Some(id(other)),
                    (5, _) => one.profile = Some(ProfileRef::Profile(id(other))),
                    (6, _) => one.port2_vlan = Some(one.vlan),
                    _ => {}
                }
            }
        }
        config.ports.clear();
        config
    })
}

proptest! {
    #[test]
    fn a_messy_device_can_be_tidied_without_making_a_new_mess(
        from in messy(COPPER), to in config(COPPER), capabilities in any_capabilities(),
    ) {
        let plan = diff(&from, &to, &capabilities, COPPER.medium);
        prop_assert!(plan.is_ok(), "{:?}", plan);
        let known = check::violations(&from, COPPER.medium);
        let mut device = from.clone();
        for ordered in plan.unwrap().changes {
            prop_assert!(ordered.change.apply(&mut device).is_ok());
            for found in check::violations(&device, COPPER.medium) {
                prop_assert!(known.iter().any(|before| before.covers(&found)), "{} after {:?}", found, ordered);
            }
        }
        prop_assert_eq!(device::refusal(&device, COPPER.medium), None);
    }

    #[test]
    fn planning_between_any_two_messes_ends(
        from in messy(COPPER), to in messy(COPPER), capabilities in any_capabilities(),
    ) {
        if let Ok(plan) = diff(&from, &to, &capabilities, COPPER.medium) {
            let mut device = from.clone();
            for ordered in &plan.changes {
                prop_assert!(ordered.change.apply(&mut device).is_ok());
            }
            prop_assert_eq!(diff(&device, &to, &capabilities, COPPER.medium).map(|plan| plan.changes), Ok(Vec::new()));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn any_two_coax_devices_can_be_turned_into_each_other(
        from in config(COAX), to in config(COAX), capabilities in any_capabilities(),
    ) {
        holds(&from, &to, &capabilities, COAX.medium)?;
    }
}

/// Every size of device but the largest on coax, which has a test of its own: one endpoint on each copper port, 16 on
/// each coax port, a subscriber for each, and all 14 profiles.
fn sizes() -> Vec<Size> {
    let mut sizes: Vec<Size> = Vec::new();
    for model in crate::domain::MODELS {
        let endpoints = u64::from(model.ports) * model.medium.endpoints_per_port() as u64;
        let is_known = |size: &Size| size.medium == model.medium && size.ports == u64::from(model.ports);
        if endpoints < 200 && !sizes.iter().any(is_known) {
            sizes.push(Size {
                medium: model.medium,
                ports: model.ports.into(),
                profiles: 15,
                endpoints,
                subscribers: endpoints,
            });
        }
    }
    sizes
}

fn two_full_devices() -> impl Strategy<Value = (Size, DeviceConfig, DeviceConfig)> {
    let of_size = |size: Size| (Just(size), full(size), full(size));
    proptest::sample::select(sizes()).prop_flat_map(of_size)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(21))]

    #[test]
    fn a_full_device_of_any_model_can_be_turned_into_any_other(
        (size, from, to) in two_full_devices(), capabilities in any_capabilities(),
    ) {
        prop_assert_eq!(from.endpoints.len() as u64, size.ports * size.medium.endpoints_per_port() as u64);
        prop_assert_eq!(from.profiles.len(), 14);
        holds(&from, &to, &capabilities, size.medium)?;
    }
}

/// A port-aware device with a subscriber on most ports, on all of them often: no port to spare.
pub(in crate::plan) fn port_aware(count: u64) -> impl Strategy<Value = DeviceConfig> {
    (
        permutation(count),
        permutation(count),
        presence(count),
        proptest::collection::vec(proptest::bool::weighted(0.9), count as usize),
    )
        .prop_map(move |(names, ports, present, bound)| {
            let subscribers = (0..count).filter(|at| present[*at as usize]).map(|at| {
                let at = at as usize;
                let subscriber = Subscriber {
                    name: format!("subscriber {}", names[at]),
                    port: bound[at].then(|| id(ports[at] + 1)),
                    profile: Some(ProfileRef::Unthrottled),
                    ..Subscriber::default()
                };
                (id(at as u64 + 1), subscriber)
            });
            DeviceConfig {
                subscriber_model: crate::domain::SubscriberModel::PortAware,
                subscribers: subscribers.collect(),
                ..DeviceConfig::default()
            }
        })
}

proptest! {
    #[test]
    fn any_two_full_port_aware_devices_can_be_turned_into_each_other(
        from in port_aware(24), to in port_aware(24), capabilities in any_capabilities(),
    ) {
        holds(&from, &to, &capabilities, Medium::Copper)?;
    }
}

/// 384 endpoints and subscribers on 24 ports of 16, and 14 profiles: all that a device takes.
fn brim(turn: u64) -> DeviceConfig {
    let (present, order): (Vec<bool>, Vec<u64>) = (0..384).map(|at| (true, (at + turn) % 384)).unzip();
    let noise: Vec<[u8; 4]> = (0..384u64).map(|at| [(at + turn) as u8, 1, 2, 3]).collect();
    let size = Size {
        medium: Medium::Coax,
        ports: 24,
        profiles: 15,
        endpoints: 384,
        subscribers: 384,
    };
    let few = |count: u64| -> Vec<u64> { (0..count).map(|at| (at + turn) % count).collect() };
    let all = (vec![true; 24], vec![true; 15], present.clone(), present);
    // Addresses end in one byte in this generator: 255 of them, so the rest is made here.
    let mut config = build(
        size,
        [&few(24), &few(15), &order, &order],
        [&vec![0; 384], &order, &order],
        &all,
        &noise,
        0,
    );
    for (at, endpoint) in config.endpoints.values_mut().enumerate() {
        let number = (at as u64 + turn) % 384;
        endpoint.mac = Some(crate::domain::MacAddr::new([
            0,
            0x0e,
            0xd8,
            0,
            (number >> 8) as u8,
            number as u8,
        ]));
    }
    config
}

#[test]
fn a_device_full_to_the_brim_can_be_turned_round() {
    let full = brim(0);
    assert_eq!(
        (full.profiles.len(), full.endpoints.len(), full.subscribers.len()),
        (14, 384, 384)
    );
    let turned = brim(7);
    let plan = diff(&full, &turned, &capabilities(), Medium::Coax).unwrap();
    let mut reached = full;
    for (step, ordered) in plan.changes.iter().enumerate() {
        ordered.change.apply(&mut reached).unwrap();
        // The strict device compares all pairs: now and then is enough at this size.
        if step % 200 == 0 {
            assert_eq!(device::refusal(&reached, Medium::Coax), None, "step {step}");
        }
    }
    assert_eq!(device::refusal(&reached, Medium::Coax), None);
    assert_eq!(
        diff(&reached, &turned, &capabilities(), Medium::Coax).unwrap().changes,
        []
    );
}
