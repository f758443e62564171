//! Whatever drifts on a device that was imported, adopting it leaves a plan without changes.

use proptest::option;
use proptest::prelude::*;

use std::convert::Infallible;

use super::*;
use crate::domain::{Mbps, PortBinding, PortNumber, ProfileId, VlanId};
use crate::inventory::model::{Inventory, Mode};
use crate::observed::{DeviceConfig, Profile, ProfileRef};
use crate::onboard::tests::{change, endpoint, found, loaded, plan, sources, subscriber, with};
use crate::onboard::{Layout, import};

fn profile(name: &str, rate: u64) -> Profile {
    Profile {
        name: name.to_owned(),
        down: Mbps::try_from(rate).ok(),
        up: Mbps::try_from(rate).ok(),
        ..Profile::default()
    }
}

fn profile_id(id: u64) -> ProfileId {
    id.try_into().unwrap()
}

/// Three subscribers: one has gold, one silver, one no limit.
fn base() -> DeviceConfig {
    with(|config| {
        config.subscribers.extend([subscriber(3)]);
        config
            .endpoints
            .extend([endpoint(3, PortBinding::Port(2.try_into().unwrap()))]);
        config.profiles = [
            (profile_id(2), profile("gold", 530)),
            (profile_id(3), profile("silver", 106)),
        ]
        .into();
        for number in [1, 2] {
            change(config, number, |one| {
                one.profile = Some(ProfileRef::Profile(profile_id(number + 1)))
            });
        }
    })
}

/// What somebody did to one subscriber by hand.
#[derive(Debug, Clone)]
struct Drift {
    vlan: Option<u16>,
    tagged: bool,
    port2: Option<u16>,
    allowed: Option<String>,
    profile: Option<u64>,
    port: Option<u64>,
    description: Option<String>,
    endpoint_description: Option<String>,
    name: Option<String>,
}

fn drift() -> impl Strategy<Value = Drift> {
    let text = || option::of("[a-z][a-z0-9,#:' ]{0,10}[a-z]");
    let first = (option::of(3_u16..3000), any::<bool>(), option::of(3_u16..3000));
    let second = (option::of("3[0-9]{2}"), option::of(1_u64..=3), option::of(1_u64..=4));
    (
        first,
        second,
        text(),
        text(),
        option::weighted(0.2, "[A-Z][a-z]{3} [0-9]b"),
    )
        .prop_map(
            |((vlan, tagged, port2), (allowed, profile, port), description, endpoint_description, name)| Drift {
                vlan,
                tagged,
                port2,
                allowed,
                profile,
                port,
                description,
                endpoint_description,
                name,
            },
        )
}

impl Drift {
    fn happen(&self, config: &mut DeviceConfig, number: u64) {
        change(config, number, |one| {
            one.vlan = self.vlan.map_or(one.vlan, |vlan| VlanId::try_from(vlan).unwrap());
            one.tagged = self.tagged;
            one.port2_vlan = self.port2.map(|vlan| VlanId::try_from(vlan).unwrap());
            one.description = self.description.clone().unwrap_or_default();
            if let Some(allowed) = &self.allowed {
                one.allowed_vlans = format!("{allowed},1000-1002").parse().unwrap();
            }
            one.profile = match self.profile {
                None => one.profile,
                Some(1) => Some(ProfileRef::Unthrottled),
                Some(id) => Some(ProfileRef::Profile(profile_id(id))),
            };
        });
        let held = config.endpoints.get_mut(&number.try_into().unwrap()).unwrap();
        held.description = self.endpoint_description.clone().unwrap_or_default();
        if let Some(port) = self.port {
            held.port = PortBinding::Port(PortNumber::try_from(port).unwrap());
        }
        if let Some(name) = &self.name {
            // Unique among the endpoints of the device.
            held.name = format!("{name}{number}");
        }
    }
}

proptest! {
    #[test]
    fn what_drifted_is_adopted_and_the_plan_is_empty_then(
        drifts in (drift(), drift(), drift()),
        // A plan has 10 Mbps at least, and on coax what is above 800 Mbps is unthrottled.
        gold in option::of(10_u64..=800),
        port in option::of("[A-Z][a-z]{2,8}"),
        hostname in option::of("[a-z]{3,8}"),
    ) {
        let imported = import(&[found(1, "GAM-4-CX", base())], None, Layout::PerDevice, "test").unwrap();
        let files = sources(&imported);
        let inventory = loaded(&files);
        let device = inventory.devices.values().next().unwrap();

        let mut config = base();
        for (number, drift) in [(1, &drifts.0), (2, &drifts.1), (3, &drifts.2)] {
            drift.happen(&mut config, number);
        }
        if let Some(rate) = gold {
            config.profiles.insert(profile_id(2), profile("gold", rate));
        }
        if let Some(hostname) = hostname {
            config.hostname = hostname;
        }
        if let Some(name) = port {
            let port = PortNumber::try_from(3).unwrap();
            let settings = crate::observed::Port { name, ..config.port(port) };
            config.set_port(port, settings);
        }
        let now = found(1, "GAM-4-CX", config);
        let replan = |inventory: &Inventory, key: &str| Ok::<_, Infallible>(plan(&now, key, inventory, Mode::Manage));
        let changes = plan(&now, &device.key, &inventory, Mode::Manage);
        let differing = changes.changes.len();
        let existing = Existing { files: &files, inventory: &inventory };
        let compared = Compared { changes, unreadable: BTreeMap::new() };
        let settled = settle(existing, [(device.key.clone(), compared)].into(), Wanted::Drift, &replan).unwrap();
        // A plan that nobody on the device has any more is not asked of it: what its profile there says stays the device's.
        let adoption = &settled.adoptions[&device.key];
        let is_used = |id: ObjectId| now.running.managed.subscribers.values().any(|one| {
            matches!((one.profile, id), (Some(ProfileRef::Profile(has)), ObjectId::Profile(id)) if has == id)
        });
        let is_unused = |object: ObjectId| matches!(object, ObjectId::Profile(_)) && !is_used(object);
        prop_assert!(adoption.left.iter().all(|one| is_unused(one.object)), "{:#?}", adoption.left);
        prop_assert!(adoption.adopted.len() + adoption.left.len() <= differing);
        let edited = settled.edited.as_ref().map_or(&inventory, |edited| &edited.inventory);
        let after = plan(&now, &device.key, edited, Mode::Manage);
        prop_assert!(after.changes.is_empty(), "{:#?}", after.changes);
    }
}
