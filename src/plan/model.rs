//! A plan as a value: what would be done to each device, and why, before anything is done.

use std::sync::Arc;

use serde::Serialize;

use crate::domain::Model;
use crate::inventory::desired::DesiredDevice;
use crate::inventory::model::Device;
use crate::inventory::rollout::Waves;
use crate::observed::{Change, DeviceConfig, Kind, ObjectId, Option82, RunningConfig, sha256};

use super::drift::Left;
use super::guard::{Ruling, Trip};
use super::impact::duration::Estimate;
use super::impact::{Impact, Total, total};
use super::moves::Move;
use super::pause::Paused;
use super::record::Record;
use super::resolve::Refusal;
use super::target::Target;
use super::unsaved::Write;
use super::window::Opening;

/// What would be done to a fleet. Devices stand in order of their keys; the same input gives the same plan.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The inventory's id.
    pub inventory: String,
    /// The commit that the inventory was read from, with `+changes` where files differ from it.
    pub commit: Option<String>,
    /// The addresses that the operator named; empty for the whole fleet.
    pub targets: Vec<Target>,
    /// One entry per targeted device.
    pub devices: Vec<DevicePlan>,
    /// Guards that the plan trips, allowed or not.
    pub trips: Vec<Trip>,
    /// Whether the operator said to change devices outside their maintenance windows.
    pub windows_ignored: bool,
    /// Subscribers that change devices.
    pub moves: Vec<Move>,
    /// In which portions the operator wants devices changed; [`super::rollout`] makes them.
    pub waves: Waves,
    /// What the inventory's own rules say of it.
    pub rulings: Vec<Ruling>,
    /// What an operator should know of the inventory that it is for.
    pub notes: Vec<String>,
}

/// What would be done to one device.
#[derive(Debug, Clone)]
pub struct DevicePlan {
    /// Inventory key.
    pub device: String,
    /// Host and SSH port.
    pub address: String,
    /// Model as the inventory names it.
    pub model: &'static str,
    /// Its SSH host key as it was met, as `ssh-keygen -l` prints it; `None` where it was not reached.
    pub host_key: Option<String>,
    /// The outcome of looking at it.
    pub outcome: Outcome,
}

/// The outcome of looking at one device.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// It could not be read: nothing is known about it now, nothing is planned.
    Unread(Unread),
    /// It was read.
    Read(Box<DeviceChanges>),
}

/// Why a device could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// One line, causes included, secrets not.
    pub reason: String,
    /// What to do about it, where that is known.
    pub help: Option<String>,
    /// Whether trying again by itself is no use, or does harm: a rejected login locks a device.
    pub lasting: bool,
}

impl Unread {
    /// The device is of another model than the inventory says.
    #[must_use]
    pub fn of_another_model(device: &Device, model: &Model) -> Self {
        Self {
            reason: format!("the device is a {model}, the inventory says {}", device.model),
            help: Some(format!("correct `model` or `address` of `{}`", device.key)),
            lasting: true,
        }
    }

    /// The inventory does not have it.
    #[must_use]
    pub fn not_in_inventory() -> Self {
        Self {
            reason: "the inventory has no such device".to_owned(),
            help: None,
            lasting: true,
        }
    }
}

/// What stands between a device and its wish.
#[derive(Debug, Clone)]
pub struct DeviceChanges {
    /// Base MAC of the device.
    pub mac: crate::domain::MacAddr,
    /// Firmware that the device runs.
    pub firmware: String,
    /// Whether and why changes are held back.
    pub held: Option<Held>,
    /// Differences by object, in the order in which their last step runs.
    pub changes: Vec<ObjectChange>,
    /// What waits for the device's maintenance window; neither in `changes` nor in `steps`.
    pub waiting: Option<Waiting>,
    /// Set where the device's window is open and some of the changes have to be made in it.
    pub closing: Option<Closing>,
    /// The steps, in order, with their exact commands.
    pub steps: Vec<Step>,
    /// Why nothing may be changed. Not empty means: no steps.
    pub refusals: Vec<Refusal>,
    /// Whether the running configuration would survive a reboot.
    pub saved: Saved,
    /// What would be done about unsaved configuration.
    pub save: Save,
    /// Whether a run of gamops on this device never came to its end.
    pub unfinished: bool,
    /// Drift that is left as it is; neither in `changes` nor in `steps`.
    pub left: Vec<Left>,
    /// Objects that are there and become owned.
    pub adopted: Vec<(ObjectId, String)>,
    /// Objects that gamops does not own, with their names.
    pub unmanaged: Vec<(ObjectId, String)>,
    /// What an operator should know of this device.
    pub notes: Vec<String>,
    /// What compiling the inventory decided for it, such as a rate that became unthrottled.
    pub decisions: Vec<String>,
    /// What the device holds now.
    pub observed: Arc<DeviceConfig>,
    /// What it is to hold.
    pub target: Arc<DeviceConfig>,
    /// What gamops owns there now.
    pub records_before: Arc<Vec<Record>>,
    /// What gamops owns there once the target is reached.
    pub records: Arc<Vec<Record>>,
    /// What it was made from.
    pub basis: Basis,
}

/// What a device's plan was made from. A plan that is kept or applied proves by it that nothing has moved; of one that is
/// only looked at nobody asks.
#[derive(Debug, Clone)]
pub struct Basis {
    /// What the inventory asks of the device.
    pub desired: Arc<DesiredDevice>,
    /// All that the device runs.
    pub running: Arc<RunningConfig>,
    /// How that is written for people.
    pub write: Write,
}

/// Why changes that are wanted are not made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held {
    /// The inventory says `mode: observe`.
    Observe,
    /// It is paused, by the inventory or by operators; at least one.
    Paused(Vec<Paused>),
}

/// Changes that wait for a window, because somebody who has service would feel them.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// Key of the window.
    pub window: String,
    /// When it opens next.
    pub opening: Opening,
    /// That moment in the window's zone and in UTC.
    pub when: String,
    /// Whether all of the device waits, though some of it would be felt by nobody: it cannot be parted from the rest.
    pub entire: bool,
    /// The changes, in the order in which they would be made.
    pub changes: Vec<ObjectChange>,
}

impl std::fmt::Display for Waiting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let what = match self.changes.len() {
            1 => "1 change waits".to_owned(),
            many => format!("{many} changes wait"),
        };
        write!(f, "{what} until {} (window {})", self.when, self.window)
    }
}

/// The end of a window that changes have to be made in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closing {
    /// Key of the window.
    pub window: String,
    /// The first moment at which it is closed.
    pub until: jiff::Timestamp,
    /// That moment in the window's zone and in UTC.
    pub when: String,
}

/// Whether the running configuration equals the startup configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Saved {
    /// It does.
    Yes,
    /// It does not.
    No {
        /// Whether an unfinished run of gamops explains every difference.
        ours: bool,
        /// Whether the changes of this plan leave nothing of it.
        overwritten: bool,
        /// The difference as unified-diff lines, secrets masked: `-` startup, `+` running.
        difference: Vec<String>,
    },
    /// The device did not show its startup configuration.
    Unknown,
}

/// Whether a run that applies this plan saves the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Save {
    /// It has nothing to save.
    No,
    /// After its own changes were verified.
    AfterChanges,
    /// Though it has no changes: an earlier run of gamops was cut off before it could.
    Ours,
    /// Though it has no changes: the policy says to save what others left unsaved.
    ByPolicy,
}

/// What happens to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It is made.
    Create,
    /// It is changed in place.
    Update,
    /// It goes away.
    Destroy,
}

/// Which side moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Cause {
    /// The inventory asks for something new; the device is as it was left.
    Inventory,
    /// The device was changed behind gamops's back; the inventory is as it was applied.
    Drift,
    /// Both.
    Both,
    /// The object was there before gamops knew it.
    Adoption,
    /// A run that did it is being undone.
    Undo,
}

/// One field before and after, as words for people. Empty where there is nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct FieldChange {
    /// Field name.
    pub field: &'static str,
    /// What the device holds.
    pub before: String,
    /// What it is to hold.
    pub after: String,
}

/// What happens to one object, all steps together.
#[derive(Debug, Clone)]
pub struct ObjectChange {
    /// `device/kind/key`, such as `maple-a/subscriber/s-10442`.
    pub address: String,
    /// Kind of object.
    pub kind: Kind,
    /// Inventory key, or `#` and the number for what has none.
    pub key: String,
    /// Number on the device.
    pub object: ObjectId,
    /// What happens.
    pub action: Action,
    /// The fields that differ; for a creation those that are set, for a deletion those that are lost.
    pub fields: Vec<FieldChange>,
    /// Effect on service.
    pub impact: Impact,
    /// About how long it is felt; `None` where it is not, or for good.
    pub estimate: Option<Estimate>,
    /// Inventory keys (else names) of the subscribers concerned.
    pub subscribers: Vec<String>,
    /// Which side moved.
    pub cause: Cause,
    /// The subscribers whose option 82 values change with this object.
    pub option82: Vec<Option82Change>,
}

/// What DHCP and RADIUS servers see of a subscriber, before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Option82Change {
    /// Inventory key, else name.
    pub subscriber: String,
    /// Values now.
    pub before: Option82,
    /// Values afterwards.
    pub after: Option82,
}

/// One step: a change and the commands that make it.
#[derive(Debug, Clone)]
pub struct Step {
    /// Address of the object.
    pub address: String,
    /// What the step does to the device's state.
    pub change: Change,
    /// Set where the step is not wanted for itself but makes room for a later one.
    pub makes_room: bool,
    /// Exactly what is sent, in configuration mode.
    pub commands: Vec<String>,
}

/// The numbers of the line that everybody reads first. Only what apply would do is counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Objects that would be made.
    pub add: usize,
    /// Objects that would be changed in place.
    pub change: usize,
    /// Objects that would go away.
    pub destroy: usize,
}

impl std::iter::Sum for Summary {
    fn sum<I: Iterator<Item = Self>>(summaries: I) -> Self {
        summaries.fold(Self::default(), |total, one| Self {
            add: total.add + one.add,
            change: total.change + one.change,
            destroy: total.destroy + one.destroy,
        })
    }
}

impl DeviceChanges {
    /// What happens to its objects, in numbers.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        for change in &self.changes {
            match change.action {
                Action::Create => summary.add += 1,
                Action::Update => summary.change += 1,
                Action::Destroy => summary.destroy += 1,
            }
        }
        summary
    }

    /// Whether apply would send anything to the device.
    #[must_use]
    pub fn is_actionable(&self) -> bool {
        self.refusals.is_empty() && self.held.is_none() && (!self.steps.is_empty() || self.save != Save::No)
    }
}

impl DeviceChanges {
    /// SHA-256, in hex, over what the inventory asks of this device.
    #[must_use]
    pub fn inventory_fingerprint(&self) -> String {
        sha256(&*self.basis.desired)
    }

    /// SHA-256, in hex, over all of the running configuration, the part that gamops does not manage included.
    #[must_use]
    pub fn observed_fingerprint(&self) -> String {
        self.basis.running.fingerprint()
    }

    /// SHA-256, in hex, over the target.
    #[must_use]
    pub fn desired_fingerprint(&self) -> String {
        self.target.fingerprint()
    }

    /// All of the running configuration as canonical text, secrets masked.
    #[must_use]
    pub fn observed_text(&self) -> String {
        (self.basis.write)(&self.basis.running)
    }
}

impl DeviceChanges {
    /// Changes nothing after all, for this reason.
    pub fn refuse(&mut self, refusal: Refusal) {
        self.steps.clear();
        self.refusals.push(refusal);
    }

    /// Whether apply would change the device, but for what stands in the way.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.held.is_none() && !self.refusals.is_empty()
    }
}

impl DevicePlan {
    /// Whether apply would send anything to the device.
    #[must_use]
    pub fn is_actionable(&self) -> bool {
        matches!(&self.outcome, Outcome::Read(changes) if changes.is_actionable())
    }
}

impl Plan {
    /// What apply would do, in numbers.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let actionable = self.read().filter(|changes| changes.is_actionable());
        actionable.map(DeviceChanges::summary).sum()
    }

    /// Which guards and rules refuse it as a whole, and why: `guard destroy-per-device: ...`.
    #[must_use]
    pub fn guarded_by(&self) -> Vec<String> {
        let trips = self.trips.iter().filter(|trip| trip.is_refused());
        let trips = trips.map(|trip| format!("guard {}: {}", trip.guard.word(), trip.message()));
        let rulings = self.rulings.iter().filter(|ruling| ruling.is_refused());
        let rulings = rulings.map(|ruling| format!("rule {}: {}", ruling.rule, ruling.words()));
        trips.chain(rulings).collect()
    }

    /// Whether a guard or a rule refuses it: then nothing is sent to any device.
    #[must_use]
    pub fn is_guarded(&self) -> bool {
        self.trips.iter().any(Trip::is_refused) || self.rulings.iter().any(Ruling::is_refused)
    }

    /// The devices that were read, by key.
    pub(super) fn read_devices(&self) -> impl Iterator<Item = (&str, &DeviceChanges)> {
        self.devices.iter().filter_map(|device| match &device.outcome {
            Outcome::Read(changes) => Some((device.device.as_str(), &**changes)),
            Outcome::Unread(_) => None,
        })
    }

    /// The devices that were read.
    pub fn read(&self) -> impl Iterator<Item = &DeviceChanges> {
        self.devices.iter().filter_map(|device| match &device.outcome {
            Outcome::Read(changes) => Some(&**changes),
            Outcome::Unread(_) => None,
        })
    }

    /// What apply would do to service.
    #[must_use]
    pub fn impact(&self) -> Total {
        let read = self.devices.iter().filter_map(|device| match &device.outcome {
            Outcome::Read(changes) if changes.is_actionable() => Some((device.device.as_str(), changes)),
            Outcome::Read(_) | Outcome::Unread(_) => None,
        });
        total(read.flat_map(|(key, device)| device.changes.iter().map(move |change| (key, change))))
    }

    /// Whether apply would send anything to any device.
    #[must_use]
    pub fn is_actionable(&self) -> bool {
        self.read().any(DeviceChanges::is_actionable)
    }

    /// What waits for windows, device by device.
    pub fn waiting(&self) -> impl Iterator<Item = &Waiting> {
        let free = self.read().filter(|device| device.refusals.is_empty());
        free.filter_map(|device| device.waiting.as_ref())
    }

    /// Whether some device could not be read.
    #[must_use]
    pub fn has_unread(&self) -> bool {
        self.devices
            .iter()
            .any(|device| matches!(device.outcome, Outcome::Unread(_)))
    }

    /// Whether some device that is managed refuses to be changed as asked. Where nothing would be changed anyway,
    /// nothing is refused.
    #[must_use]
    pub fn has_refusals(&self) -> bool {
        self.read().any(DeviceChanges::is_refused)
    }
}
