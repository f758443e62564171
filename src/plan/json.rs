//! A plan as JSON for programs.
//!
//! Versioned: a new minor number only adds, a new major number may break. Readers must accept words that
//! they do not know in `cause`, `class` and `status`. Names follow Terraform's plan where the meaning is the
//! same. No time stamps: the same plan is the same bytes.
//!
//! A key that is added may be missing when a document is read: an older one reads, and digests, as it was written. Of each format a
//! document is kept (`tests/fixtures/plan`), which has to be read for ever.

mod render;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::observed::sha256;

use super::preview::PreviewJson;

pub use render::plan_json;

/// Version of the format.
pub const FORMAT_VERSION: &str = "1.1";

/// What `gamops plan --format json` prints, and what `--out` writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "gamops plan")]
pub struct PlanJson {
    /// Version of this format; a reader refuses a major number that it does not know.
    pub format_version: String,
    /// Version of the gamops that made the plan.
    pub gamops_version: String,
    /// SHA-256 over this document as compact JSON with this value empty; shows a file that was edited.
    pub plan_sha256: String,
    /// Inventory id.
    pub inventory: String,
    /// Commit that the inventory was read from; null outside Git.
    pub commit: Option<String>,
    /// Addresses that the plan was narrowed to; empty for the whole fleet.
    pub targets: Vec<String>,
    /// Whether `gamops apply` would send anything; false where a guard or a rule refuses the plan as a whole.
    pub applyable: bool,
    /// Whether every targeted device could be read.
    pub complete: bool,
    /// Numbers of what apply would do.
    pub summary: SummaryJson,
    /// What apply would do to service.
    pub impact: TotalJson,
    /// Whether the operator said to change devices outside their maintenance windows.
    pub windows_ignored: bool,
    /// Guards that the plan trips. One that nothing allows refuses the plan as a whole.
    pub guards: Vec<GuardJson>,
    /// In which portions devices are changed.
    pub rollout: RolloutJson,
    /// What the inventory's own rules say of the plan. One whose effect is `refuse` refuses the plan as a whole.
    pub policies: Vec<RulingJson>,
    /// Differences by object, device by device, in the order in which they are made.
    pub resource_changes: Vec<ResourceChangeJson>,
    /// What was found on each device, and what would be sent to it.
    pub devices: Vec<DeviceJson>,
    /// Set where no device was read and the plan was made from what had been observed. Since 1.1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preview: Option<PreviewJson>,
    /// What an operator should know of the inventory, such as ignore rules that have ended. Since 1.1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Vec<String>")]
    pub notes: Option<Vec<String>>,
}

/// Numbers of what apply would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SummaryJson {
    /// Objects to be made.
    pub add: usize,
    /// Objects to be changed in place.
    pub change: usize,
    /// Objects to be destroyed.
    pub destroy: usize,
}

/// What apply would do to service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TotalJson {
    /// The worst class: `none`, `blip`, `retrain`, `outage` or `identity`.
    pub class: String,
    /// How many subscribers feel anything.
    pub subscribers: usize,
    /// How many of them stay without service until something else is done.
    pub for_good: usize,
    /// About how long the others are without service at longest, in seconds; null where nobody is.
    pub est_seconds: Option<u32>,
    /// `measured` or `assumed`; null without seconds.
    pub est_basis: Option<String>,
}

/// A rule of the inventory that has something to say of the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RulingJson {
    /// Key of the rule.
    pub rule: String,
    /// `refuse` or `warn`.
    pub effect: String,
    /// What it says.
    pub message: String,
    /// Why its condition could not be asked of this plan; null where it could.
    pub failure: Option<String>,
}

/// A guard that the plan trips.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GuardJson {
    /// Stable name of the guard, such as `destroy-per-fleet`.
    pub guard: String,
    /// The device that it is about; null where it is about the fleet.
    pub device: Option<String>,
    /// Number and limit in words.
    pub message: String,
    /// What the plan comes to; null where something is protected.
    pub number: Option<usize>,
    /// What is let through; null where something is protected.
    pub limit: Option<usize>,
    /// How many there are of them in all; null where something is protected.
    pub whole: Option<usize>,
    /// What allows it, such as `destroy=37`; null where nothing does.
    pub allow: Option<String>,
    /// `flag` or `trailer`, where it was allowed; null where the plan is refused.
    pub allowed_by: Option<String>,
    /// What to do about it; null where it was allowed.
    pub help: Option<String>,
}

/// In which portions devices are changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RolloutJson {
    /// One after the other; a wave begins only after every device of the one before is fine.
    pub waves: Vec<WaveJson>,
    /// How many devices a wave takes, canaries apart; null for all that are left.
    pub wave_size: Option<usize>,
    /// Seconds to wait between two waves.
    pub pause_seconds: u32,
}

/// Devices that are changed together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WaveJson {
    /// Whether these go first to see whether it goes well.
    pub canary: bool,
    /// Device keys.
    pub devices: Vec<String>,
}

/// What happens to one object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ResourceChangeJson {
    /// `device/kind/key`.
    pub address: String,
    /// Device key.
    pub device: String,
    /// `system`, `port`, `profile`, `endpoint` or `subscriber`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Inventory key.
    pub name: String,
    /// Number on the device; 0 for the device itself.
    pub id: u16,
    /// Before and after.
    pub change: ChangeJson,
    /// `inventory`, `drift`, `both` or `adoption`; `undo` in the plan of an undo.
    pub cause: String,
    /// Effect on service.
    pub impact: ImpactJson,
    /// Identifiers that DHCP and RADIUS servers see, of each subscriber where this changes them.
    pub option_82: Vec<Option82Json>,
    /// Whether apply would do it; false on devices that are refused, observed only or paused, and for what waits.
    pub applyable: bool,
    /// Whether it waits for the device's maintenance window.
    pub waits: bool,
}

/// Before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChangeJson {
    /// `["create"]`, `["update"]` or `["delete"]`.
    pub actions: Vec<String>,
    /// Fields that differ, with their values on the device now. Null for a creation.
    pub before: Option<BTreeMap<String, String>>,
    /// Fields that differ, with their values afterwards. Null for a deletion.
    pub after: Option<BTreeMap<String, String>>,
}

/// Effect on service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ImpactJson {
    /// `none`, `blip`, `retrain`, `outage` or `identity`.
    pub class: String,
    /// `assumed`, `documented` or `seen`.
    pub evidence: String,
    /// Subscribers concerned, by inventory key, else by name.
    pub subscribers: Vec<String>,
    /// About how long they are without service, in seconds; null where they are not, or for good.
    pub est_seconds: Option<u32>,
    /// `measured` on this firmware, or `assumed`; null without seconds.
    pub est_basis: Option<String>,
    /// Whether they stay without service until something else is done.
    pub for_good: bool,
}

/// Option 82 values of a subscriber before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Option82Json {
    /// Inventory key of the subscriber, else its name.
    pub subscriber: String,
    /// Values now.
    pub before: Option82ValuesJson,
    /// Values afterwards.
    pub after: Option82ValuesJson,
}

/// Option 82 values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Option82ValuesJson {
    /// Remote id: the subscriber's name.
    pub remote_id: String,
    /// Circuit id; null where it is not known or there is none.
    pub circuit_id: Option<String>,
}

/// A pause that holds a device back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PauseJson {
    /// Who ordered it with `gamops pause`; null where the inventory says so.
    pub by: Option<String>,
    /// When that was, in UTC; null where the inventory says so.
    pub since: Option<String>,
    /// Whether it was ordered for all devices.
    pub of_all: bool,
    /// Why.
    pub reason: String,
    /// When it ends by itself, in UTC; null where somebody has to end it.
    pub until: Option<String>,
}

/// One device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeviceJson {
    /// Inventory key.
    pub device: String,
    /// Host and SSH port.
    pub address: String,
    /// Model as the inventory names it.
    pub model: String,
    /// `ready`, `in-sync`, `waiting`, `observe`, `paused`, `refused` or `unread`.
    pub status: String,
    /// Why, for the last three and for `waiting`.
    pub reason: Option<String>,
    /// The pauses that hold it back; empty for most devices.
    #[serde(default)]
    pub pauses: Vec<PauseJson>,
    /// Firmware that the device runs; null where it was not read.
    pub firmware: Option<String>,
    /// Base MAC of the device; null where it was not read.
    pub mac: Option<String>,
    /// SSH host key of the device, as `ssh-keygen -l` prints it; null where it was not read.
    pub host_key: Option<String>,
    /// SHA-256 over what the inventory asks of this device; null where it was not read.
    pub inventory_fingerprint: Option<String>,
    /// SHA-256 over what gamops owns there before the plan; null where it was not read.
    pub records_fingerprint: Option<String>,
    /// SHA-256 over the running configuration; null where it was not read.
    pub observed_fingerprint: Option<String>,
    /// SHA-256 over the managed configuration to reach; null where it was not read.
    pub desired_fingerprint: Option<String>,
    /// What stands in the way, by stable rule id.
    pub refusals: Vec<RefusalJson>,
    /// The steps in order.
    pub steps: Vec<StepJson>,
    /// Whether the running configuration would survive a reboot.
    pub unsaved: UnsavedJson,
    /// What waits for the device's maintenance window; null where nothing does.
    pub waiting: Option<WaitingJson>,
    /// Where the window is open and some changes have to be made in it: when it closes, in UTC.
    pub window_closes: Option<String>,
    /// Drift that is left as it is; not among the changes. Since 1.1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Vec<LeftJson>")]
    pub left: Option<Vec<LeftJson>>,
    /// Objects that are there and become managed.
    pub adopted: Vec<NamedJson>,
    /// Objects that gamops does not own and leaves alone.
    pub unmanaged: Vec<NamedJson>,
    /// What an operator should know.
    pub notes: Vec<String>,
    /// The running configuration that the plan was made from, line by line in one order, secrets masked.
    pub running: Vec<String>,
}

/// Drift on one object that is left as it is, for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LeftJson {
    /// `device/kind/key`.
    pub address: String,
    /// `system`, `port`, `profile`, `endpoint` or `subscriber`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Inventory key.
    pub name: String,
    /// Number on the device; 0 for the device itself.
    pub id: u16,
    /// The fields by their names in the inventory; empty where the object is gone.
    pub fields: Vec<String>,
    /// What the device holds in them, by the names that changes have. Null where the object is gone.
    pub held: Option<BTreeMap<String, String>>,
    /// What the inventory says in the same. Null where the object is gone.
    pub wanted: Option<BTreeMap<String, String>>,
    /// `ignored` by a rule of the inventory, `reported` or `to-adopt` by its policy, or `left-to-people` after it was taken
    /// back again and again; the last three in the daemon's rounds only.
    pub why: String,
    /// The rule's reason; null for the others.
    pub reason: Option<String>,
    /// When the rule ends, in UTC; null for the others.
    pub until: Option<String>,
}

/// What stands in the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RefusalJson {
    /// Stable rule id.
    pub rule: String,
    /// What is in the way.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StepJson {
    /// Address of the object.
    pub address: String,
    /// Whether it only makes room for a later step.
    pub makes_room: bool,
    /// Exactly what is sent, in configuration mode.
    pub commands: Vec<String>,
}

/// Changes that wait for a maintenance window, because somebody who has service would feel them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WaitingJson {
    /// Key of the window.
    pub window: String,
    /// When it opens, in UTC.
    pub from: String,
    /// When it closes again, in UTC.
    pub until: String,
    /// When it opens, in its own zone and in UTC, for people.
    pub text: String,
    /// Whether all of the device waits, though some of it would be felt by nobody: it cannot be parted from the rest.
    pub entire_device: bool,
    /// Addresses of what waits.
    pub addresses: Vec<String>,
}

/// Configuration that a reboot would lose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UnsavedJson {
    /// `saved`, `ours`, `foreign` or `unknown`.
    pub state: String,
    /// Whether apply would save.
    pub will_save: bool,
    /// Differing lines, `-` startup and `+` running, secrets masked.
    pub difference: Vec<String>,
}

/// An object and its name on the device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NamedJson {
    /// Kind of object.
    #[serde(rename = "type")]
    pub kind: String,
    /// Number on the device.
    pub id: u16,
    /// Name on the device.
    pub name: String,
}

impl PlanJson {
    /// The entry of a device.
    #[must_use]
    pub fn device(&self, key: &str) -> Option<&DeviceJson> {
        self.devices.iter().find(|device| device.device == key)
    }

    /// SHA-256, in hex, over the plan, its own digest left out.
    #[must_use]
    pub fn digest(&mut self) -> String {
        let said = std::mem::take(&mut self.plan_sha256);
        let digest = sha256(self);
        self.plan_sha256 = said;
        digest
    }
}
