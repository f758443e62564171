//! Ways back that were thought through by hand, and laws that hold for any two configurations and any cut.

use proptest::prelude::*;

use super::*;
use crate::domain::{Firmware, Mbps, PoeMode, PortBinding, ProfileId, VlanId};
use crate::observed::{Answer, Endpoint, Evidence, Profile, ProfileRef, Support};
use crate::plan::diff::tests::device::refusal;
use crate::plan::diff::tests::laws::{COAX, COPPER, Size, any_capabilities, config, port_aware};
use crate::plan::diff::{TEMPORARY_NAME, diff};

pub(super) fn id<T: TryFrom<u64, Error: std::fmt::Debug>>(number: u64) -> T {
    T::try_from(number).unwrap()
}

/// A firmware that can clear a description.
pub(super) fn capabilities() -> Capabilities {
    Capabilities {
        clear_description: Support::new(Answer::Yes, Evidence::Documented),
        ..Capabilities::of_firmware(&"GAM-4/8-C_v1.8.2".parse::<Firmware>().unwrap())
    }
}

pub(super) fn cut<'a>(
    before: &'a DeviceConfig,
    now: &'a DeviceConfig,
    attempted: &'a [Change],
    capabilities: &'a Capabilities,
) -> Cut<'a> {
    Cut {
        device: "maple",
        before,
        now,
        attempted,
        capabilities,
        allow_assumed: false,
        medium: Medium::Coax,
    }
}

fn back(cut: Cut<'_>) -> Rollback {
    rollback(cut, &|change| Ok(vec![format!("{change:?}")])).unwrap()
}

/// Three subscribers with an endpoint each, the second and third on a profile.
pub(super) fn three() -> DeviceConfig {
    let mut config = DeviceConfig::default();
    let rate = Some(Mbps::try_from(100).unwrap());
    let profile = Profile {
        name: "silver".into(),
        down: rate,
        up: rate,
        ..Profile::default()
    };
    config.profiles.insert(id(2), profile);
    for number in 1..=3 {
        let endpoint = Endpoint {
            name: format!("cpe {number}"),
            mac: Some(crate::domain::MacAddr::new([0, 0x0e, 0xd8, 0, 0, number as u8])),
            port: PortBinding::Port(id(1)),
            ..Endpoint::default()
        };
        config.endpoints.insert(id(number), endpoint);
        let subscriber = Subscriber {
            name: format!("s-{number}"),
            endpoint: Some(id(number)),
            vlan: VlanId::try_from(100 + number as u16).unwrap(),
            profile: Some(match number {
                1 => ProfileRef::Unthrottled,
                _ => ProfileRef::Profile(id(2)),
            }),
            poe: Some(PoeMode::Disable),
            ..Subscriber::default()
        };
        config.subscribers.insert(id(number), subscriber);
    }
    config
}

/// The changes of a plan, in order.
pub(super) fn plan(from: &DeviceConfig, to: &DeviceConfig) -> Vec<Change> {
    let changes = diff(from, to, &capabilities(), Medium::Coax).unwrap().changes;
    changes.into_iter().map(|ordered| ordered.change).collect()
}

pub(super) fn play(config: &DeviceConfig, changes: &[Change]) -> DeviceConfig {
    let mut config = config.clone();
    changes.iter().for_each(|change| change.apply(&mut config).unwrap());
    config
}

pub(super) fn subscriber(config: &mut DeviceConfig, number: u64) -> &mut Subscriber {
    config.subscribers.get_mut(&id(number)).unwrap()
}

#[test]
fn what_holds_its_checkpoint_already_needs_nothing() {
    let before = three();
    let mut target = before.clone();
    subscriber(&mut target, 1).vlan = VlanId::try_from(200).unwrap();
    let changes = plan(&before, &target);
    let rollback = back(cut(&before, &before, &changes, &capabilities()));
    assert!(rollback.steps.is_empty() && rollback.left.is_empty() && rollback.others.is_empty());
}

#[test]
fn a_temporary_name_and_a_borrowed_place_are_given_back() {
    let before = three();
    let mut target = before.clone();
    (subscriber(&mut target, 1).name, subscriber(&mut target, 2).name) = ("s-2".into(), "s-1".into());
    let changes = plan(&before, &target);
    let now = play(&before, &changes[..1]);
    assert!(now.subscribers.values().any(|one| one.name.starts_with(TEMPORARY_NAME)));
    let rollback = back(cut(&before, &now, &changes[..1], &capabilities()));
    assert_eq!(rollback.target, before);
}

#[test]
fn what_somebody_else_did_meanwhile_stays() {
    let before = three();
    let mut target = before.clone();
    subscriber(&mut target, 1).vlan = VlanId::try_from(200).unwrap();
    target.subscribers.remove(&id(3));
    let changes = plan(&before, &target);
    let mut now = play(&before, &changes);
    // Another field of the same object, another object, and one that the run knows nothing of.
    subscriber(&mut now, 1).tagged = true;
    subscriber(&mut now, 2).vlan = VlanId::try_from(999).unwrap();
    now.hostname = "theirs".into();
    let mut wanted = before.clone();
    subscriber(&mut wanted, 1).tagged = true;
    subscriber(&mut wanted, 2).vlan = VlanId::try_from(999).unwrap();
    wanted.hostname = "theirs".into();
    let rollback = back(cut(&before, &now, &changes, &capabilities()));
    assert_eq!(rollback.target, wanted);
    assert!(rollback.left.is_empty(), "{:?}", rollback.left);
}

#[test]
fn what_is_another_object_now_is_not_destroyed() {
    let before = three();
    let mut target = before.clone();
    let mut fourth = before.subscribers[&id(1)].clone();
    (fourth.name, fourth.endpoint) = ("s-4".into(), None);
    target.subscribers.insert(id(4), fourth);
    let changes = plan(&before, &target);
    let mut now = play(&before, &changes);
    subscriber(&mut now, 4).name = "a guest's".into();
    let rollback = back(cut(&before, &now, &changes, &capabilities()));
    assert_eq!(rollback.target, now);
    assert_eq!(
        rollback.others,
        ["subscriber 4 is `a guest's` now, which is not of this run: it stays"]
    );
}

#[test]
fn what_somebody_deleted_meanwhile_is_not_made_again() {
    let before = three();
    let mut target = before.clone();
    subscriber(&mut target, 2).tagged = true;
    let changes = plan(&before, &target);
    let mut now = play(&before, &changes);
    now.subscribers.remove(&id(2));
    let rollback = back(cut(&before, &now, &changes, &capabilities()));
    assert_eq!((&rollback.target, rollback.others.len()), (&now, 1));
}

#[test]
fn settings_that_nobody_can_write_keep_only_their_own_object_back() {
    let mut before = three();
    subscriber(&mut before, 3).unknown = vec!["future-word 7".into()];
    let mut target = before.clone();
    target.subscribers.remove(&id(3));
    subscriber(&mut target, 1).tagged = true;
    let changes = plan(&before, &target);
    let now = play(&before, &changes);
    let rollback = back(cut(&before, &now, &changes, &capabilities()));
    let mut wanted = before.clone();
    wanted.subscribers.remove(&id(3));
    assert_eq!(rollback.target, wanted);
    assert!(
        rollback.left.len() == 1 && rollback.left[0].contains("future-word 7"),
        "{:?}",
        rollback.left
    );
}

#[test]
fn an_endpoint_that_somebody_uses_by_now_stays_for_them() {
    let before = three();
    let mut target = before.clone();
    let endpoint = Endpoint {
        name: "cpe 9".into(),
        mac: Some(crate::domain::MacAddr::new([0, 0x0e, 0xd8, 0, 0, 9])),
        port: PortBinding::Port(id(2)),
        ..Endpoint::default()
    };
    target.endpoints.insert(id(9), endpoint);
    subscriber(&mut target, 1).tagged = true;
    let changes = plan(&before, &target);
    let mut now = play(&before, &changes);
    subscriber(&mut now, 2).endpoint = Some(id(9));
    let rollback = back(cut(&before, &now, &changes, &capabilities()));
    assert!(!rollback.target.subscribers[&id(1)].tagged);
    assert_eq!(rollback.target.subscribers[&id(2)].endpoint, Some(id(9)));
    assert!(
        rollback.left.len() == 1 && rollback.left[0].starts_with("endpoint 9 stays"),
        "{:?}",
        rollback.left
    );
}

#[test]
fn what_cannot_be_sent_is_named_and_the_rest_goes_back() {
    let before = three();
    let mut target = before.clone();
    subscriber(&mut target, 1).tagged = true;
    subscriber(&mut target, 2).tagged = true;
    let changes = plan(&before, &target);
    let now = play(&before, &changes);
    let capabilities = capabilities();
    let rollback = rollback(
        cut(&before, &now, &changes, &capabilities),
        &|change| match change.object() == ObjectId::Subscriber(id(2)) {
            true => Err("its name cannot be said".to_owned()),
            false => Ok(Vec::new()),
        },
    )
    .unwrap();
    assert_eq!(rollback.left, ["subscriber 2 stays as it is: its name cannot be said"]);
    assert!(!rollback.target.subscribers[&id(1)].tagged && rollback.target.subscribers[&id(2)].tagged);
}

#[test]
fn a_description_that_cannot_be_cleared_is_named() {
    let before = three();
    let mut target = before.clone();
    subscriber(&mut target, 1).description = "Apt 1".into();
    let changes = plan(&before, &target);
    let now = play(&before, &changes);
    let cannot = Capabilities {
        clear_description: Support::new(Answer::Unknown, Evidence::Assumed),
        ..capabilities()
    };
    let rollback = back(cut(&before, &now, &changes, &cannot));
    assert!(rollback.steps.is_empty());
    assert_eq!(
        rollback.left,
        ["subscriber 1: its description cannot be cleared on this device and stays"]
    );
}

#[test]
fn an_assumed_word_is_said_on_the_way_back_only_where_it_may_be() {
    let before = three();
    let mut target = before.clone();
    subscriber(&mut target, 1).trunk = true;
    let changes = plan(&before, &target);
    let now = play(&before, &changes);
    let capabilities = capabilities();
    let timid = cut(&before, &now, &changes, &capabilities);
    let rollback = back(timid);
    assert!(rollback.steps.is_empty() && rollback.left.len() == 1, "{rollback:?}");
    let bold = Cut {
        allow_assumed: true,
        ..timid
    };
    assert_eq!(back(bold).target, before);
}

#[test]
fn a_word_that_the_device_printed_before_needs_no_leave() {
    let mut before = three();
    subscriber(&mut before, 1).poe = Some(PoeMode::Enable);
    let mut target = before.clone();
    subscriber(&mut target, 1).poe = Some(PoeMode::Disable);
    let changes = plan(&before, &target);
    let now = play(&before, &changes);
    let rollback = back(cut(&before, &now, &changes, &capabilities()));
    assert_eq!(rollback.target, before);
}

#[test]
fn automatic_is_automatic_again() {
    let mut before = three();
    before.endpoints.get_mut(&id(1)).unwrap().port = PortBinding::Auto;
    let mut target = before.clone();
    target.endpoints.get_mut(&id(1)).unwrap().port = PortBinding::Port(id(2));
    let changes = plan(&before, &target);
    let now = play(&before, &changes);
    let rollback = back(cut(&before, &now, &changes, &capabilities()));
    assert_eq!(rollback.target, before);
}

/// What a device holds when a change was cut in the middle: the object is there under its name, nothing else of the
/// change has happened.
fn half(change: &Change, config: &DeviceConfig) -> DeviceConfig {
    let mut config = config.clone();
    match change {
        Change::CreateProfile(id, to) => {
            let begun = Profile {
                name: to.name.clone(),
                ..Profile::default()
            };
            config.profiles.insert(*id, begun);
        }
        Change::CreateSubscriber(id, to) => {
            let begun = Subscriber {
                name: to.name.clone(),
                profile: Some(ProfileRef::Profile(ProfileId::DEVICE_DEFAULT)),
                ..Subscriber::default()
            };
            config.subscribers.insert(*id, begun);
        }
        Change::SetSubscriber(id, change) => {
            let begun = Subscriber {
                name: change.to.name.clone(),
                ..change.from.clone()
            };
            config.subscribers.insert(*id, begun);
        }
        // One line each: it happens or it does not.
        _ => {}
    }
    config
}

/// Cuts the way from `from` to `to` at every place (on large devices every seventh), before and in the middle of
/// each change, and goes back.
fn every_cut_leads_back(
    from: &DeviceConfig,
    to: &DeviceConfig,
    capabilities: &Capabilities,
    size: Size,
    exactly: bool,
) -> Result<(), TestCaseError> {
    let medium = size.medium;
    // What no order leads to is refused when it is planned, not here.
    let Ok(difference) = diff(from, to, capabilities, medium) else {
        return Ok(());
    };
    let changes: Vec<Change> = difference.changes.into_iter().map(|ordered| ordered.change).collect();
    let mut reached = from.clone();
    for done in 0..=changes.len() {
        let attempted = &changes[..changes.len().min(done + 1)];
        let halfway = changes.get(done).map(|change| half(change, &reached));
        let is_looked_at = size.subscribers < 20 || done % 7 == 0 || done == changes.len();
        let stops = [Some(reached.clone()), halfway].into_iter().flatten();
        for now in stops.filter(|_| is_looked_at) {
            let cut = Cut {
                device: "d",
                before: from,
                now: &now,
                attempted,
                capabilities,
                allow_assumed: true,
                medium,
            };
            let back = match rollback(cut, &|_| Ok(Vec::new())) {
                Ok(back) => back,
                Err(stuck) => return Err(TestCaseError::fail(format!("{stuck} after {done} of {changes:?}"))),
            };
            let mut device = now.clone();
            for step in &back.steps {
                prop_assert!(step.change.apply(&mut device).is_ok());
                prop_assert_eq!(refusal(&device, medium), None, "after {:?}", step.change);
            }
            prop_assert_eq!(&device, &back.target);
            prop_assert!(back.others.is_empty(), "{:?}", back.others);
            if exactly {
                prop_assert!(back.left.is_empty(), "{:?}", back.left);
                prop_assert_eq!(&device, from, "after {} of {:#?}", done, changes);
            }
            // No subscriber that was there before and is not named goes without what it had.
            for (id, subscriber) in &from.subscribers {
                let named = |line: &String| line.starts_with(&format!("subscriber {id}"));
                if !back.left.iter().any(named) {
                    let mut held = device.subscribers[id].clone();
                    held.unknown.clone_from(&subscriber.unknown);
                    prop_assert_eq!(&held, subscriber);
                }
            }
        }
        if let Some(change) = changes.get(done) {
            prop_assert!(change.apply(&mut reached).is_ok());
        }
    }
    Ok(())
}

/// Without what has no way back: names of ports, PoE that was not said.
fn takes_anything_back(mut config: DeviceConfig) -> DeviceConfig {
    config.ports.clear();
    for subscriber in config.subscribers.values_mut() {
        subscriber.poe = Some(PoeMode::Disable);
    }
    config
}

pub(super) fn reversible(size: Size) -> impl Strategy<Value = DeviceConfig> {
    config(size).prop_map(takes_anything_back)
}

pub(super) fn clears(capabilities: Capabilities) -> Capabilities {
    Capabilities {
        clear_description: Support::new(Answer::Yes, Evidence::Documented),
        ..capabilities
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn from_any_cut_a_copper_device_comes_back_to_what_it_was(
        from in reversible(COPPER), to in reversible(COPPER), capabilities in any_capabilities(),
    ) {
        every_cut_leads_back(&from, &to, &clears(capabilities), COPPER, true)?;
    }

    #[test]
    fn from_any_cut_a_device_comes_back_but_for_what_is_named(
        from in config(COPPER), to in config(COPPER), capabilities in any_capabilities(),
    ) {
        every_cut_leads_back(&from, &to, &capabilities, COPPER, false)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn from_any_cut_a_coax_device_comes_back_to_what_it_was(
        from in reversible(COAX), to in reversible(COAX), capabilities in any_capabilities(),
    ) {
        every_cut_leads_back(&from, &to, &clears(capabilities), COAX, true)?;
    }

    #[test]
    fn from_any_cut_a_port_aware_device_comes_back_to_what_it_was(
        from in port_aware(12), to in port_aware(12), capabilities in any_capabilities(),
    ) {
        every_cut_leads_back(&from, &to, &clears(capabilities), COPPER, true)?;
    }
}

#[test]
fn subscribers_are_told_by_number_and_endpoint_too() {
    let before = three();
    let mut target = before.clone();
    subscriber(&mut target, 1).name = "renamed".into();
    let changes = plan(&before, &target);
    let mut now = play(&before, &changes);
    // The device made something else of the name.
    subscriber(&mut now, 1).name = "RENAMED".into();
    let rollback = back(cut(&before, &now, &changes, &capabilities()));
    assert_eq!(rollback.target, before);
}
