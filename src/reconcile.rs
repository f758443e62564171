//! The loop over a fleet: observe, plan, apply, verify, save, record.
//!
//! Devices are worked on side by side up to a limit, each over one session, and each fails alone.

mod action;
mod again;
mod apply;
mod backup;
mod conclude;
mod confirm;
pub mod discover;
mod doctor;
mod event;
mod hold;
mod meet;
mod observe;
mod pause;
mod plugged;
mod power;
mod reading;
mod rebind;
mod replace;
mod result;
mod rollout;
mod run;
mod scope;
mod sightings;
mod turns;
mod undo;
mod written;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::StreamExt as _;
use jiff::Timestamp;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument as _;

use crate::dialect::command;
use crate::inventory::drift::lapsed;
use crate::inventory::model::{Device, Inventory};
use crate::inventory::rollout::Canary;
use crate::observed::{Change, Kind};
use crate::plan::drift::Leave;
use crate::plan::guard::{self, Allowances, Sight};
use crate::plan::model::{DeviceChanges, DevicePlan, Outcome, Plan, Unread};
use crate::plan::moves::{self, Move};
use crate::plan::record::Record;
use crate::plan::reviewed::{self, Ledger};
use crate::plan::window::{self, State};
use crate::plan::{Inputs, Target, plan_device};
use crate::store::{RunId, Store, StoreError};
use crate::transport::credentials::Keyring;
use crate::transport::ssh::HostKeyPolicy;

pub use crate::diagnostic::chain;
pub use action::{Acted, Deed, PlannedAction, Unready};
pub use again::{Again, Misfit};
pub use backup::Backup;
pub use doctor::{Evidence, Examined};
pub use event::{Event, Events, Progress};
pub use hold::Leases;
pub use meet::Stranger;
pub use observe::{Contact, Identified, observe, trust};
pub use plugged::Asked;
pub use power::PlannedCycle;
pub use reading::Reading;
use reading::View;
pub use rebind::{PlannedRebind, Rebound, Unplanned};
pub use replace::{PlannedReplacement, Replacement};
pub use result::{DeviceOutcome, DeviceResult, Failure, NotRolledBack, RolledBack, Stopped, WayBack};
pub use run::{Applied, Orders};
pub use sightings::{Sighted, Sightings};
pub use undo::{NotUndoable, Undoing};

/// What a run needs to know and use.
#[derive(Debug, Clone)]
pub struct Context {
    /// The valid inventory.
    pub inventory: Arc<Inventory>,
    /// Commit that it was read from.
    pub commit: Option<String>,
    /// What was said to be meant, though a guard would refuse it.
    pub allowances: Allowances,
    /// The moment of the run: pauses end by it.
    pub now: Timestamp,
    /// Whether devices are changed outside their maintenance windows too.
    pub ignore_windows: bool,
    /// What is remembered between runs.
    pub store: Store,
    /// User names and passwords.
    pub keyring: Arc<Keyring>,
    /// What to do about host keys that were never seen.
    pub host_key_policy: HostKeyPolicy,
    /// How many devices are worked on at once.
    pub parallelism: Parallelism,
    /// Where progress is told.
    pub events: Events,
    /// Asked between two commands: whether to stop.
    pub cancel: CancellationToken,
    /// How long a run is believed to be alive.
    pub leases: Leases,
    /// Devices of the inventory that are not contacted unless they are named: they did not answer a moment ago.
    pub aside: BTreeSet<String>,
    /// Where it is told what was read of each device.
    pub sightings: Sightings,
    /// Whether this is the daemon's run: devices that people took over from it are paused for it.
    pub is_daemon: bool,
    /// How much drift is left as it is.
    pub leaving: Leaving,
    /// What was reviewed of each device, where a plan may not be bigger than that.
    pub reviewed: Option<Arc<Ledger>>,
}

impl Context {
    /// A run that nothing more was said of: now, for an inventory that comes from no commit, by people, with nobody told of it.
    #[must_use]
    pub fn new(inventory: Arc<Inventory>, store: Store, keyring: Arc<Keyring>) -> Self {
        Self {
            inventory,
            commit: None,
            allowances: Allowances::default(),
            now: Timestamp::now(),
            ignore_windows: false,
            store,
            keyring,
            host_key_policy: HostKeyPolicy::AcceptNew,
            parallelism: Parallelism::default(),
            events: Events::default(),
            cancel: CancellationToken::new(),
            leases: Leases::default(),
            aside: BTreeSet::new(),
            sightings: Sightings::default(),
            is_daemon: false,
            leaving: Leaving::default(),
            reviewed: None,
        }
    }
}

/// How much drift a run leaves as it is.
#[derive(Debug, Clone, Default)]
pub struct Leaving {
    /// On most devices.
    pub leave: Leave,
    /// Devices on which all of it is left, since it was taken back so often.
    pub to_people: BTreeSet<String>,
}

impl Leaving {
    fn on(&self, device: &str) -> Leave {
        if self.to_people.contains(device) {
            return Leave::All;
        }
        self.leave
    }
}

/// How many devices are worked on at once. Both are at least one.
///
/// Reading harms nobody and waits for the network most of the time. Changes are fewer at a time, so that few
/// buildings are in between when something goes wrong and the operator stops the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parallelism {
    /// How many are read at once.
    pub reading: usize,
    /// How many are changed at once.
    pub changing: usize,
    /// How many of one site are changed at once. `None`: as many as of all.
    pub changing_per_site: Option<usize>,
}

impl Default for Parallelism {
    fn default() -> Self {
        Self {
            reading: 256,
            changing: 16,
            changing_per_site: None,
        }
    }
}

/// A plan, and the open sessions of the devices that it would change.
#[derive(Debug)]
pub struct Planned {
    /// The plan.
    pub plan: Plan,
    contacts: BTreeMap<String, Contact>,
    /// The run that it undoes, and the head line of its plan.
    undoes: Option<(RunId, String)>,
    /// When planning began, which was [`Context::now`].
    began: Instant,
}

/// A run cannot go on at all. The operator's or the database's fault, said by the variant.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A target names a device that the inventory does not have.
    #[error("target `{target}`: the inventory has no device `{device}`{hint}")]
    UnknownDevice {
        /// The target as given.
        target: Target,
        /// The device that it names.
        device: String,
        /// ` (did you mean ...?)`, or nothing.
        hint: String,
    },
    /// A device that is to be changed first is not in the inventory.
    #[error("canary `{device}`: the inventory has no such device{hint}")]
    UnknownCanary {
        /// The device.
        device: String,
        /// `; did you mean ...?`, or nothing.
        hint: String,
    },
    /// A plan that was kept is for something else.
    #[error(transparent)]
    Misfit(#[from] Misfit),
    /// A guard or a rule refuses the plan. The operator's fault, or whoever wrote the commit.
    #[error("a guard or a rule refuses the plan; nothing was sent to any device")]
    Guarded,
    /// There is nothing to undo.
    #[error(transparent)]
    NotUndoable(#[from] NotUndoable),
    /// The database failed.
    #[error("recording the run")]
    Store(#[from] StoreError),
}

/// A device that a run is about, and the objects named on it; `None` for all of them.
type Selected<'a> = (&'a Device, Option<BTreeSet<(Kind, String)>>);

impl Context {
    fn select(&self, targets: &[Target]) -> Result<Vec<Selected<'_>>, RunError> {
        if targets.is_empty() {
            let answering = self
                .inventory
                .devices
                .values()
                .filter(|device| !self.aside.contains(&device.key));
            return Ok(answering.map(|device| (device, None)).collect());
        }
        let mut chosen: BTreeMap<&str, Selected<'_>> = BTreeMap::new();
        for target in targets {
            let device = self.device(target)?;
            let (_, objects) = chosen.entry(&device.key).or_insert((device, Some(BTreeSet::new())));
            match (&target.object, objects.as_mut()) {
                (Some(object), Some(objects)) => drop(objects.insert(object.clone())),
                // The whole device includes each of its objects.
                (None, _) => *objects = None,
                (Some(_), None) => {}
            }
        }
        Ok(chosen.into_values().collect())
    }

    /// The device that a target names, or is on.
    ///
    /// # Errors
    ///
    /// [`RunError::UnknownDevice`] where the inventory has none such.
    pub fn device(&self, target: &Target) -> Result<&Device, RunError> {
        let device = self.inventory.devices.get(&target.device);
        device.ok_or_else(|| RunError::UnknownDevice {
            target: target.clone(),
            device: target.device.clone(),
            hint: self.inventory.device_hint(&target.device),
        })
    }

    fn check_canaries(&self) -> Result<(), RunError> {
        let Canary::Devices(keys) = &self.inventory.policies.waves.canary else {
            return Ok(());
        };
        match keys.iter().find(|key| !self.inventory.devices.contains_key(*key)) {
            None => Ok(()),
            Some(device) => Err(RunError::UnknownCanary {
                device: device.clone(),
                hint: self.inventory.device_hint(device),
            }),
        }
    }

    /// Reads the targeted devices and plans each. Devices that apply would change keep their session.
    ///
    /// # Errors
    ///
    /// [`RunError`] where a target names nothing. A device that cannot be read is an entry of the plan.
    pub async fn plan(&self, targets: &[Target]) -> Result<Planned, RunError> {
        let began = Instant::now();
        self.check_canaries()?;
        let selection = self.select(targets)?;
        let planned: Vec<(DevicePlan, Option<Contact>)> = futures::stream::iter(selection)
            .map(|(device, objects)| self.plan_aside(device.clone(), objects))
            .buffer_unordered(self.parallelism.reading.max(1))
            .collect()
            .await;
        let mut devices = Vec::with_capacity(planned.len());
        let mut contacts = BTreeMap::new();
        for (device, contact) in planned {
            if let Some(contact) = contact {
                contacts.insert(device.device.clone(), contact);
            }
            devices.push(device);
        }
        devices.sort_by(|a, b| a.device.cmp(&b.device));
        let mut plan = Plan {
            windows_ignored: self.ignore_windows,
            ..self.plan_of(targets, devices)
        };
        if let Some(ledger) = &self.reviewed {
            reviewed::hold_back(&mut plan, ledger, &self.allowances);
        }
        plan.moves = moves::moves(&plan, |key| moves::home(&self.inventory, key));
        if !plan.moves.is_empty() {
            let settled = self.settled(&plan.moves).await?;
            moves::hold_back(&mut plan, &settled);
        }
        self.guard(&mut plan).await?;
        Ok(Planned {
            plan,
            contacts,
            undoes: None,
            began,
        })
    }

    /// What was planned on devices, as a plan of this inventory that nobody has judged yet.
    fn plan_of(&self, targets: &[Target], devices: Vec<DevicePlan>) -> Plan {
        Plan {
            inventory: self.inventory.id.clone(),
            commit: self.commit.clone(),
            targets: targets.to_vec(),
            devices,
            windows_ignored: false,
            moves: Vec::new(),
            waves: self.inventory.policies.waves.clone(),
            trips: Vec::new(),
            rulings: Vec::new(),
            notes: lapsed(&self.inventory, self.now),
        }
    }

    /// Judges a plan by the guards and the inventory's own rules, as it is now.
    async fn guard(&self, plan: &mut Plan) -> Result<(), StoreError> {
        let on_record = self.store.owned_subscribers().await?;
        let devices = self.inventory.devices.values().map(|device| {
            let of = |key: &str| on_record.get(key).copied();
            let owned = of(&device.key).or_else(|| of(device.was.as_deref()?));
            (device.key.clone(), owned.unwrap_or(0))
        });
        let last = self.store.baseline(&self.inventory.id).await?;
        let sight = Sight {
            inventory: &self.inventory,
            on_record: &devices.collect(),
            last: last.as_ref(),
            allowances: &self.allowances,
        };
        plan.trips = guard::judge(plan, sight);
        plan.rulings = guard::rulings(plan, &self.inventory);
        Ok(())
    }

    /// Whether a plan is about every device, and all of each.
    fn is_whole(&self, plan: &Plan) -> bool {
        let mut devices = self.inventory.devices.keys().filter(|key| !self.aside.contains(*key));
        plan.targets.iter().all(|target| target.object.is_none())
            && devices.all(|key| plan.devices.iter().any(|device| device.device == *key))
    }

    /// The moves whose subscriber is on record on its new device: an earlier run verified it there.
    async fn settled(&self, moves: &[Move]) -> Result<BTreeSet<Move>, StoreError> {
        let mut settled = BTreeSet::new();
        for one in moves {
            let was = self.inventory.devices.get(&one.to).and_then(|to| to.was.as_deref());
            let Some(mac) = self.store.pin(&one.to, was).await?.and_then(|pin| pin.mac) else {
                continue;
            };
            let is_it = |record: &Record| {
                record.kind() == Kind::Subscriber && record.key == one.subscriber && record.applied.is_some()
            };
            if self.store.records(mac).await?.iter().any(is_it) {
                settled.insert(one.clone());
            }
        }
        Ok(settled)
    }

    /// Plans one device on a task of its own: what reading costs is parsing and cryptography, which then use every
    /// core. Dropped, it ends.
    async fn plan_aside(
        &self,
        device: Device,
        targets: Option<BTreeSet<(Kind, String)>>,
    ) -> (DevicePlan, Option<Contact>) {
        let context = self.clone();
        let span = tracing::info_span!("plan device", device = device.key);
        let task = tokio::spawn(async move { context.plan_one(&device, targets).await }.instrument(span));
        match AbortOnDropHandle::new(task).await {
            Ok(planned) => planned,
            // A bug is one wherever it runs; nothing else ends the task before its time.
            Err(ended) => std::panic::resume_unwind(ended.into_panic()),
        }
    }

    async fn plan_one(
        &self,
        device: &Device,
        targets: Option<BTreeSet<(Kind, String)>>,
    ) -> (DevicePlan, Option<Contact>) {
        self.plan_with(device, targets, |inputs| plan_device(inputs, &render))
            .await
    }

    /// Reads a device and makes a plan for it in some way.
    async fn plan_with(
        &self,
        device: &Device,
        targets: Option<BTreeSet<(Kind, String)>>,
        plan: impl FnOnce(Inputs<'_>) -> DeviceChanges,
    ) -> (DevicePlan, Option<Contact>) {
        self.events.tell(&device.key, Progress::Contacting);
        let seen = self.look_at(device, targets.as_ref(), plan).await;
        self.with_session(device, seen).await
    }

    /// A device's entry in a plan; where it is to be changed, with its session, which is ended otherwise.
    async fn with_session(
        &self,
        device: &Device,
        seen: Result<(DeviceChanges, Contact), Unread>,
    ) -> (DevicePlan, Option<Contact>) {
        let (outcome, contact) = match seen {
            Ok((changes, contact)) => {
                self.events.tell(&device.key, Progress::Read);
                (Outcome::Read(Box::new(changes)), Some(contact))
            }
            Err(unread) => {
                self.events.tell(&device.key, Progress::NotRead);
                (Outcome::Unread(unread), None)
            }
        };
        let host_key = contact
            .as_ref()
            .map(|contact| contact.observation.host_key.fingerprint());
        let contact = match (&outcome, contact) {
            (Outcome::Read(changes), Some(contact)) if changes.is_actionable() => Some(contact),
            (_, Some(contact)) => {
                contact.close().await;
                None
            }
            (_, None) => None,
        };
        let plan = DevicePlan {
            device: device.key.clone(),
            address: format!("{}:{}", device.address, device.transport.ssh_port),
            model: device.model.name,
            host_key,
            outcome,
        };
        (plan, contact)
    }

    /// How the window of a device stands. `None`: it may be changed at any time.
    fn window<'d>(&self, device: &'d Device) -> Option<State<'d>> {
        window::of(device, &self.inventory, self.now).filter(|_| !self.ignore_windows)
    }

    async fn look_at(
        &self,
        device: &Device,
        targets: Option<&BTreeSet<(Kind, String)>>,
        plan: impl FnOnce(Inputs<'_>) -> DeviceChanges,
    ) -> Result<(DeviceChanges, Contact), Unread> {
        let reading = self.read(device).await?;
        let view = View {
            targets,
            ..View::default()
        };
        let changes = reading.plan_by(self, &self.inventory, (device, view), plan)?;
        Ok((changes, reading.contact))
    }
}

impl Planned {
    /// Ends the sessions of a plan that is not going to be applied.
    pub async fn close(self) -> Plan {
        futures::future::join_all(self.contacts.into_values().map(Contact::close)).await;
        self.plan
    }
}

/// How a change is written for the device.
fn render(change: &Change) -> Result<Vec<String>, String> {
    command::commands(change).map_err(|error| chain(&error))
}
