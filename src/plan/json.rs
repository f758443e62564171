//! A plan as JSON for programs.
//!
//! Versioned: a new minor number only adds, a new major number may break. Readers must accept words that
//! they do not know in `cause`, `class` and `status`. Names follow Terraform's plan where the meaning is the
//! same. No time stamps: the same plan is the same bytes.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::model::{
    Action, DeviceChanges, DevicePlan, FieldChange, Held, ObjectChange, Outcome, Plan, Save, Saved, Step,
};
use crate::observed::Option82;

/// Version of the format.
pub const FORMAT_VERSION: &str = "1.0";

/// What `gamops plan --format json` prints.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "gamops plan")]
pub struct PlanJson {
    /// Version of this format; a reader refuses a major number that it does not know.
    pub format_version: String,
    /// Inventory id.
    pub inventory: String,
    /// Commit that the inventory was read from; null outside Git.
    pub commit: Option<String>,
    /// Whether `gamops apply` would send anything.
    pub applyable: bool,
    /// Whether every targeted device could be read.
    pub complete: bool,
    /// Numbers of what apply would do.
    pub summary: SummaryJson,
    /// Differences by object, device by device, in the order in which they are made.
    pub resource_changes: Vec<ResourceChangeJson>,
    /// What was found on each device, and what would be sent to it.
    pub devices: Vec<DeviceJson>,
}

/// Numbers of what apply would do.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SummaryJson {
    /// Objects to be made.
    pub add: usize,
    /// Objects to be changed in place.
    pub change: usize,
    /// Objects to be destroyed.
    pub destroy: usize,
}

/// What happens to one object.
#[derive(Debug, Serialize, JsonSchema)]
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
    /// `inventory`, `drift`, `both` or `adoption`.
    pub cause: String,
    /// Effect on service.
    pub impact: ImpactJson,
    /// Identifiers that DHCP and RADIUS servers see, where they change.
    pub option_82: Option<Option82Json>,
    /// Whether apply would do it; false on devices that are refused, observed only or paused.
    pub applyable: bool,
}

/// Before and after.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ChangeJson {
    /// `["create"]`, `["update"]` or `["delete"]`.
    pub actions: Vec<String>,
    /// Fields that differ, with their values on the device now. Null for a creation.
    pub before: Option<BTreeMap<String, String>>,
    /// Fields that differ, with their values afterwards. Null for a deletion.
    pub after: Option<BTreeMap<String, String>>,
}

/// Effect on service.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ImpactJson {
    /// `none`, `blip`, `retrain`, `outage` or `identity`.
    pub class: String,
    /// `assumed`, `documented` or `seen`.
    pub evidence: String,
    /// Subscribers concerned, by inventory key, else by name.
    pub subscribers: Vec<String>,
}

/// Option 82 values before and after.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Option82Json {
    /// Values now.
    pub before: Option82ValuesJson,
    /// Values afterwards.
    pub after: Option82ValuesJson,
}

/// Option 82 values.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Option82ValuesJson {
    /// Remote id: the subscriber's name.
    pub remote_id: String,
    /// Circuit id; null where it is not known or there is none.
    pub circuit_id: Option<String>,
}

/// One device.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DeviceJson {
    /// Inventory key.
    pub device: String,
    /// Host and SSH port.
    pub address: String,
    /// Model as the inventory names it.
    pub model: String,
    /// `ready`, `in-sync`, `observe`, `paused`, `refused` or `unread`.
    pub status: String,
    /// Why, for the last three.
    pub reason: Option<String>,
    /// Firmware that the device runs; null where it was not read.
    pub firmware: Option<String>,
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
    /// Objects that are there and become managed.
    pub adopted: Vec<NamedJson>,
    /// Objects that gamops does not own and leaves alone.
    pub unmanaged: Vec<NamedJson>,
    /// What an operator should know.
    pub notes: Vec<String>,
}

/// What stands in the way.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RefusalJson {
    /// Stable rule id.
    pub rule: String,
    /// What is in the way.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

/// One step.
#[derive(Debug, Serialize, JsonSchema)]
pub struct StepJson {
    /// Address of the object.
    pub address: String,
    /// Whether it only makes room for a later step.
    pub makes_room: bool,
    /// Exactly what is sent, in configuration mode.
    pub commands: Vec<String>,
}

/// Configuration that a reboot would lose.
#[derive(Debug, Serialize, JsonSchema)]
pub struct UnsavedJson {
    /// `saved`, `ours`, `foreign` or `unknown`.
    pub state: String,
    /// Whether apply would save.
    pub will_save: bool,
    /// Differing lines, `-` startup and `+` running, secrets masked.
    pub difference: Vec<String>,
}

/// An object and its name on the device.
#[derive(Debug, Serialize, JsonSchema)]
pub struct NamedJson {
    /// Kind of object.
    #[serde(rename = "type")]
    pub kind: String,
    /// Number on the device.
    pub id: u16,
    /// Name on the device.
    pub name: String,
}

/// Renders a whole plan.
#[must_use]
pub fn plan_json(plan: &Plan) -> PlanJson {
    let summary = plan.summary();
    PlanJson {
        format_version: FORMAT_VERSION.to_owned(),
        inventory: plan.inventory.clone(),
        commit: plan.commit.clone(),
        applyable: plan.is_actionable(),
        complete: !plan.has_unread(),
        summary: SummaryJson {
            add: summary.add,
            change: summary.change,
            destroy: summary.destroy,
        },
        resource_changes: plan.devices.iter().flat_map(resource_changes).collect(),
        devices: plan.devices.iter().map(device).collect(),
    }
}

fn resource_changes(device: &DevicePlan) -> Vec<ResourceChangeJson> {
    let Outcome::Read(changes) = &device.outcome else {
        return Vec::new();
    };
    let applyable = changes.is_actionable();
    changes
        .changes
        .iter()
        .map(|change| resource_change(&device.device, change, applyable))
        .collect()
}

fn resource_change(device: &str, change: &ObjectChange, applyable: bool) -> ResourceChangeJson {
    let side = |value: fn(&FieldChange) -> &str| -> BTreeMap<String, String> {
        change
            .fields
            .iter()
            .map(|field| (field.field.to_owned(), value(field).to_owned()))
            .collect()
    };
    let before = side(|field| &field.before);
    let after = side(|field| &field.after);
    let (action, before, after) = match change.action {
        Action::Create => ("create", None, Some(after)),
        Action::Update => ("update", Some(before), Some(after)),
        Action::Destroy => ("delete", Some(before), None),
    };
    ResourceChangeJson {
        address: change.address.clone(),
        device: device.to_owned(),
        kind: change.kind.to_string(),
        name: change.key.clone(),
        id: change.object.number(),
        change: ChangeJson {
            actions: vec![action.to_owned()],
            before,
            after,
        },
        cause: word(change.cause),
        impact: ImpactJson {
            class: change.impact.class.word().to_owned(),
            evidence: change.impact.evidence.to_string(),
            subscribers: change.subscribers.clone(),
        },
        option_82: change.option82.as_ref().map(|(before, after)| Option82Json {
            before: option82(before),
            after: option82(after),
        }),
        applyable,
    }
}

fn option82(values: &Option82) -> Option82ValuesJson {
    Option82ValuesJson {
        remote_id: values.remote_id.clone(),
        circuit_id: values.circuit_id.clone(),
    }
}

fn word(cause: super::model::Cause) -> String {
    use super::model::Cause;
    match cause {
        Cause::Inventory => "inventory",
        Cause::Drift => "drift",
        Cause::Both => "both",
        Cause::Adoption => "adoption",
    }
    .to_owned()
}

fn device(device: &DevicePlan) -> DeviceJson {
    let mut json = DeviceJson {
        device: device.device.clone(),
        address: device.address.clone(),
        model: device.model.to_owned(),
        status: "unread".to_owned(),
        reason: None,
        firmware: None,
        observed_fingerprint: None,
        desired_fingerprint: None,
        refusals: Vec::new(),
        steps: Vec::new(),
        unsaved: UnsavedJson {
            state: "unknown".to_owned(),
            will_save: false,
            difference: Vec::new(),
        },
        adopted: Vec::new(),
        unmanaged: Vec::new(),
        notes: Vec::new(),
    };
    match &device.outcome {
        Outcome::Unread(unread) => json.reason = Some(unread.reason.clone()),
        Outcome::Read(changes) => read(&mut json, changes),
    }
    json
}

fn read(json: &mut DeviceJson, changes: &DeviceChanges) {
    let (status, reason) = match (&changes.held, changes.refusals.first()) {
        (Some(Held::Observe), _) => ("observe", None),
        (Some(Held::Paused(reason)), _) => ("paused", Some(reason.clone())),
        (None, Some(refusal)) => ("refused", Some(refusal.message.clone())),
        (None, None) if changes.is_actionable() => ("ready", None),
        (None, None) => ("in-sync", None),
    };
    status.clone_into(&mut json.status);
    json.reason = reason;
    json.firmware = Some(changes.firmware.clone());
    json.observed_fingerprint = Some(changes.observed_fingerprint.clone());
    json.desired_fingerprint = Some(changes.desired_fingerprint.clone());
    json.refusals = changes
        .refusals
        .iter()
        .map(|refusal| RefusalJson {
            rule: refusal.rule.to_owned(),
            message: refusal.message.clone(),
            help: refusal.help.clone(),
        })
        .collect();
    json.steps = changes.steps.iter().map(step).collect();
    json.unsaved = UnsavedJson {
        state: match &changes.saved {
            Saved::Yes => "saved",
            Saved::No { ours: true, .. } => "ours",
            Saved::No { ours: false, .. } => "foreign",
            Saved::Unknown => "unknown",
        }
        .to_owned(),
        will_save: changes.is_actionable() && changes.save != Save::No,
        difference: match &changes.saved {
            Saved::No { difference, .. } => difference.clone(),
            Saved::Yes | Saved::Unknown => Vec::new(),
        },
    };
    json.adopted = named(&changes.adopted);
    json.unmanaged = named(&changes.unmanaged);
    json.notes = changes.notes.iter().chain(&changes.decisions).cloned().collect();
}

fn step(step: &Step) -> StepJson {
    StepJson {
        address: step.address.clone(),
        makes_room: step.makes_room,
        commands: step.commands.clone(),
    }
}

fn named(objects: &[(crate::observed::ObjectId, String)]) -> Vec<NamedJson> {
    objects
        .iter()
        .map(|(id, name)| NamedJson {
            kind: id.kind().to_string(),
            id: id.number(),
            name: name.clone(),
        })
        .collect()
}
