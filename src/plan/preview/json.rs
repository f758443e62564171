//! A preview as JSON: the plan's own document, with one key more.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::json::{PlanJson, plan_json};
use super::super::model::ObjectChange;
use super::text::unknown;
use super::{Parts, Preview};

/// From what a plan was made that no device was read for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PreviewJson {
    /// The commit of the observation, short.
    pub observed: String,
    /// When each device of the plan was read last, in UTC; null where nobody knows, or where it never was.
    pub observed_at: BTreeMap<String, Option<String>>,
    /// What is not known without reaching devices and the state database, in words.
    pub not_known: Vec<String>,
    /// What else there is to know of how it was made, in words.
    pub notes: Vec<String>,
    /// What the change is measured against; null where nothing is told apart.
    pub change: Option<PartedJson>,
}

/// A change of the inventory, told apart from what an apply would do anyway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PartedJson {
    /// The commit without the change, short.
    pub base: String,
    /// The commit with the change, short; null for files of a work tree.
    pub head: Option<String>,
    /// Devices that the change asks something of.
    pub devices: Vec<String>,
    /// What the change comes to on devices that would be changed: objects made, changed in place and destroyed.
    pub add: usize,
    /// As `add`.
    pub change: usize,
    /// As `add`.
    pub destroy: usize,
    /// Addresses of what the change asks for, with the fields that are its own.
    pub this_change: Vec<PartJson>,
    /// Addresses of drift, and of what commits before it ask for and was not applied yet.
    pub also: Vec<PartJson>,
    /// Addresses of what would be done without the change, and is not with it.
    pub dropped: Vec<PartJson>,
    /// Devices that the change takes out of the inventory; they are left as they are.
    pub gone: Vec<String>,
}

/// What happens to an object, or the part of it that has one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PartJson {
    /// Address of the object, as in `resource_changes`.
    pub address: String,
    /// Names of the fields.
    pub fields: Vec<String>,
}

/// Renders a preview.
#[must_use]
pub fn preview_json(preview: &Preview) -> PlanJson {
    let mut json = plan_json(&preview.plan);
    let devices = preview.plan.devices.iter().map(|device| &device.device);
    let at = |device: &String| preview.seen.get(device).map(|at| format!("{at:.0}"));
    let Some(observed) = &preview.observed else {
        return json;
    };
    json.preview = Some(PreviewJson {
        observed: observed.clone(),
        observed_at: devices.map(|device| (device.clone(), at(device))).collect(),
        not_known: unknown(preview),
        notes: preview.notes.clone(),
        change: parted(preview),
    });
    json.plan_sha256 = json.digest();
    json
}

fn parted(preview: &Preview) -> Option<PartedJson> {
    let base = preview.base.as_ref()?;
    let summary = preview.summary();
    let all = |of: fn(&Parts) -> [&[ObjectChange]; 2]| -> Vec<PartJson> {
        base.parts.values().flat_map(of).flatten().map(PartJson::from).collect()
    };
    Some(PartedJson {
        base: base.commit.clone(),
        head: base.head.clone(),
        devices: preview.touched().into_iter().map(str::to_owned).collect(),
        add: summary.add,
        change: summary.change,
        destroy: summary.destroy,
        this_change: all(|parts| [&parts.mine, &parts.waiting[0]]),
        also: all(|parts| [&parts.also, &parts.waiting[1]]),
        dropped: all(|parts| [&parts.dropped, &[]]),
        gone: base.gone.clone(),
    })
}

impl From<&ObjectChange> for PartJson {
    fn from(change: &ObjectChange) -> Self {
        Self {
            address: change.address.clone(),
            fields: change.fields.iter().map(|field| field.field.to_owned()).collect(),
        }
    }
}
