//! The simulated devices of a rehearsal: what was observed of the real ones, put into the words of a configuration file, which the
//! simulator reads with a grammar of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Context as _;

use crate::dialect::running::canonical;
use crate::domain::SubscriberModel;
use crate::inventory::guards::Guards;
use crate::inventory::model::{Device, Inventory};
use crate::inventory::rollout::Waves;
use crate::observed::{Answer, DeviceConfig, ProfileRef, RunningConfig};
use crate::published::Sighting;
use crate::reconcile::{Context, Parallelism};
use crate::sim::{DeviceSpec, Fleet, FleetOptions, Knobs, SimError};
use crate::store::Store;
use crate::transport::credentials::{FACTORY, Keyring};

use super::super::observed::{Made, Manner};

/// What a rehearsal takes place on. Nothing is left of it afterwards.
pub(super) struct Stage {
    pub(super) context: Context,
    fleet: Fleet,
    _folder: tempfile::TempDir,
}

/// Devices that cannot be simulated as they were observed, and why not.
pub(super) type Unfit = BTreeMap<String, String>;

impl Stage {
    /// Starts a simulated device for each of these.
    pub(super) async fn set(made: &Made, cast: &BTreeSet<String>, manner: Manner<'_>) -> anyhow::Result<(Self, Unfit)> {
        let folder = tempfile::tempdir().context("making a temporary folder")?;
        let store = Store::open(&folder.path().join("state.db"))?;
        let mut inventory = made.inventory.clone();
        inventory.devices.retain(|key, _| cast.contains(key));
        // They were asked about the plan for the real fleet.
        inventory.policies.guards = Guards {
            destroy_per_device: None,
            destroy_per_fleet: None,
            suspend: None,
            change_devices: None,
            lose: None,
        };
        inventory.policies.rules.clear();
        inventory.policies.waves = Waves::default();
        let (specs, mut unfit) = specs(made, &inventory);
        for (device, spec) in &specs {
            let Some(sighting) = (inventory.devices.get(device)).and_then(|device| made.fleet.sighting(device)) else {
                continue;
            };
            store.own(spec.base_mac(), sighting.records.to_vec()).await?;
            let words = sighting.capabilities.words.iter();
            let answers = words.map(|(word, support)| (*word, support.answer)).collect();
            store.learn(&sighting.identity.firmware, answers).await?;
        }
        let fleet = start(specs, &mut unfit).await?;
        inventory.devices.retain(|key, _| !unfit.contains_key(key));
        for device in inventory.devices.values_mut() {
            let simulated = fleet
                .device(&device.key)
                .context("a simulated device is missing: this is a bug")?;
            "127.0.0.1".clone_into(&mut device.address);
            device.transport.ssh_port = simulated.ssh_addr().port();
            device.transport.snmp_port = simulated.snmp_addr().port();
            device.transport.legacy_algorithms = false;
            FACTORY.clone_into(&mut device.credentials);
            device.host_key = None;
        }
        let keyring = Arc::new(Keyring::from_environment()?);
        let context = Context {
            now: manner.now,
            ignore_windows: manner.ignore_windows,
            // Both ends are on this machine.
            parallelism: Parallelism {
                reading: 32,
                ..Parallelism::default()
            },
            ..Context::new(Arc::new(inventory), store, keyring)
        };
        Ok((
            Self {
                context,
                fleet,
                _folder: folder,
            },
            unfit,
        ))
    }

    /// Ends all of it.
    pub(super) async fn strike(self) {
        self.fleet.stop().await;
    }
}

/// What each device is to be, by key.
fn specs(made: &Made, inventory: &Inventory) -> (BTreeMap<String, DeviceSpec>, Unfit) {
    let (mut specs, mut unfit) = (BTreeMap::new(), Unfit::new());
    for device in inventory.devices.values() {
        match made.fleet.sighting(device) {
            Some(sighting) => drop(specs.insert(device.key.clone(), spec(device, sighting))),
            None => drop(unfit.insert(device.key.clone(), "it was never observed".to_owned())),
        }
    }
    (specs, unfit)
}

/// Starts them. A line that one device refuses does not end the rehearsal of the others.
async fn start(mut specs: BTreeMap<String, DeviceSpec>, unfit: &mut Unfit) -> anyhow::Result<Fleet> {
    loop {
        match Fleet::start(specs.values().cloned().collect(), FleetOptions::default()).await {
            Err(SimError::StartupConfig { device, line, reply }) => {
                specs.remove(&device);
                unfit.insert(device, format!("the simulator does not know `{line}`: {reply}"));
            }
            started => return Ok(started?),
        }
    }
}

fn spec(device: &Device, sighting: &Sighting) -> DeviceSpec {
    let mut spec = DeviceSpec::new(&device.key, device.model, sighting.identity.firmware.clone());
    spec.startup_config = Some(canonical(&RunningConfig {
        managed: Arc::new(known(&sighting.running.managed)),
        other: sighting.running.other.clone(),
        ..RunningConfig::default()
    }));
    spec.knobs = knobs(sighting);
    spec
}

/// A configuration without the words that gamops does not know, of which only the number was published. No change is about them.
fn known(config: &DeviceConfig) -> DeviceConfig {
    let mut config = config.clone();
    config.ports.values_mut().for_each(|port| port.unknown.clear());
    config.profiles.values_mut().for_each(|profile| profile.unknown.clear());
    config
        .endpoints
        .values_mut()
        .for_each(|endpoint| endpoint.unknown.clear());
    config
        .subscribers
        .values_mut()
        .for_each(|subscriber| subscriber.unknown.clear());
    config
}

/// What is known of a device's firmware, as the simulator's settings.
fn knobs(sighting: &Sighting) -> Knobs {
    let known = &sighting.capabilities;
    let config = &sighting.running.managed;
    let prints = |is_printed: fn(&crate::observed::Subscriber) -> bool| {
        config.subscribers.is_empty() || config.subscribers.values().any(is_printed)
    };
    // What is taken and ignored is of as little use as what is refused, and that is to be seen.
    let is_refused = |answer: Answer| matches!(answer, Answer::No | Answer::Ignored);
    let refused = known.words.iter().filter(|(_, support)| is_refused(support.answer));
    let mut refused: BTreeSet<String> = refused.map(|(word, _)| word.text().to_owned()).collect();
    if is_refused(known.poe_disable.answer) {
        refused.insert("poe disable".to_owned());
    }
    Knobs {
        refused_words: refused,
        empty_description: known.clear_description.is_yes(),
        default_profile: match known.default_subscriber_profile {
            Some(ProfileRef::Unthrottled) => None,
            Some(ProfileRef::Profile(id)) => Some(id.get()),
            None => Knobs::default().default_profile,
        },
        print_poe: prints(|subscriber| subscriber.poe.is_some()),
        print_bw_profile: prints(|subscriber| subscriber.profile.is_some()),
        port_aware: config.subscriber_model == SubscriberModel::PortAware,
        ..Knobs::default()
    }
}
