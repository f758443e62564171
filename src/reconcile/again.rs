//! Making a plan again that was kept in a file, to see whether it still fits.
//!
//! What is sent in the end comes from the fresh plan, which is byte for byte the kept one: a file can make gamops do
//! less than it would, never something else.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::Model;
use crate::plan::json::{DeviceJson, PlanJson, plan_json};
use crate::plan::model::{DevicePlan, Outcome, Unread};
use crate::plan::{InvalidTarget, Moved, Refusal, Target, moved};

use super::{Contact, Context, Planned, RunError};

/// A plan that was kept, made again.
#[derive(Debug)]
pub struct Again {
    /// The plan as it is now, of those devices that the kept plan has something to say of.
    pub planned: Planned,
    /// What moved on devices that the kept plan changes. Not empty means: nothing of it may be applied.
    pub moved: BTreeMap<String, Vec<Moved>>,
    /// What moved on devices that the kept plan leaves as they are; they are left out.
    pub elsewhere: BTreeMap<String, Vec<Moved>>,
    /// Devices that came into the inventory after a plan of the whole fleet was made.
    pub newcomers: BTreeSet<String>,
}

impl From<Planned> for Again {
    /// A plan that was just made, and so has nothing to be compared with.
    fn from(planned: Planned) -> Self {
        Self {
            planned,
            moved: BTreeMap::new(),
            elsewhere: BTreeMap::new(),
            newcomers: BTreeSet::new(),
        }
    }
}

/// A kept plan is not for this run at all. The operator's fault.
#[derive(Debug, thiserror::Error)]
pub enum Misfit {
    /// It was made from another inventory.
    #[error("the plan is for the inventory `{planned}`, this one is `{here}`; name its own with `--inventory PATH`")]
    OtherInventory {
        /// The inventory that it was made from.
        planned: String,
        /// The inventory at hand.
        here: String,
    },
    /// A target names a device that it does not hold.
    #[error("the plan holds no device `{device}`; it holds {held}")]
    NoSuchDevice {
        /// The device.
        device: String,
        /// Those that it holds.
        held: String,
    },
    /// A target names an object.
    #[error("`{target}` is one object; of a plan in a file whole devices are applied: name `{}`", target.device)]
    PartOfADevice {
        /// The target.
        target: Target,
    },
    /// It was narrowed to something that is no address.
    #[error("reading what the plan was narrowed to")]
    Target(#[source] InvalidTarget),
}

impl Context {
    /// Plans again what a kept plan is about, and compares. `only` narrows it to some of its devices.
    ///
    /// # Errors
    ///
    /// [`RunError::Misfit`] where the plan is for something else; otherwise as [`Context::plan`].
    pub async fn plan_again(&self, kept: &PlanJson, only: &[Target]) -> Result<Again, RunError> {
        let entries = self.entries(kept, only)?;
        let targets = self.targets(kept, &entries)?;
        let mut planned = if targets.is_empty() {
            // To `plan`, no target is every device.
            self.plan_of_nothing()
        } else {
            self.plan(&targets).await?
        };
        let now = plan_json(&planned.plan);
        let (mut here, mut elsewhere) = (BTreeMap::new(), BTreeMap::new());
        for then in &entries {
            let moved = match (then.status.as_str(), self.inventory.devices.contains_key(&then.device)) {
                ("unread", _) => {
                    planned.plan.devices.push(still_unread(then));
                    continue;
                }
                (_, false) => vec![Moved::Gone],
                (_, true) => moved(kept, &now, &then.device),
            };
            match then.status.as_str() {
                "refused" => planned.still_refused(then),
                _ if moved.is_empty() => {}
                "ready" => drop(here.insert(then.device.clone(), moved)),
                _ => {
                    planned.leave_out(&then.device).await;
                    elsewhere.insert(then.device.clone(), moved);
                }
            }
        }
        // Devices were left out since it was judged.
        self.guard(&mut planned.plan).await?;
        planned.plan.devices.sort_by(|a, b| a.device.cmp(&b.device));
        let is_new = |key: &&String| kept.targets.is_empty() && only.is_empty() && kept.device(key).is_none();
        Ok(Again {
            planned,
            moved: here,
            elsewhere,
            newcomers: self.inventory.devices.keys().filter(is_new).cloned().collect(),
        })
    }

    /// The devices that are asked for.
    fn entries<'k>(&self, kept: &'k PlanJson, only: &[Target]) -> Result<Vec<&'k DeviceJson>, Misfit> {
        if kept.inventory != self.inventory.id {
            return Err(Misfit::OtherInventory {
                planned: kept.inventory.clone(),
                here: self.inventory.id.clone(),
            });
        }
        for target in only {
            if target.object.is_some() {
                return Err(Misfit::PartOfADevice { target: target.clone() });
            }
            if kept.device(&target.device).is_none() {
                let held: Vec<&str> = kept.devices.iter().map(|device| device.device.as_str()).collect();
                return Err(Misfit::NoSuchDevice {
                    device: target.device.clone(),
                    held: held.join(", "),
                });
            }
        }
        let is_asked_for =
            |device: &&DeviceJson| only.is_empty() || only.iter().any(|target| target.device == device.device);
        Ok(kept.devices.iter().filter(is_asked_for).collect())
    }

    /// What the kept plan was narrowed to on each of its devices that can be read again.
    fn targets(&self, kept: &PlanJson, entries: &[&DeviceJson]) -> Result<Vec<Target>, Misfit> {
        let narrowed = kept.targets.iter().map(|target| target.parse());
        let narrowed: Vec<Target> = narrowed.collect::<Result<_, _>>().map_err(Misfit::Target)?;
        let here =
            |device: &&&DeviceJson| device.status != "unread" && self.inventory.devices.contains_key(&device.device);
        Ok(entries
            .iter()
            .filter(here)
            .flat_map(|device| {
                let of_device = narrowed.iter().filter(|target| target.device == device.device);
                let mut targets: Vec<Target> = of_device.cloned().collect();
                if targets.is_empty() {
                    targets.push(Target {
                        device: device.device.clone(),
                        object: None,
                    });
                }
                targets
            })
            .collect())
    }
}

impl Planned {
    /// Takes a device out of the plan.
    async fn leave_out(&mut self, device: &str) {
        self.plan.devices.retain(|planned| planned.device != device);
        if let Some(contact) = self.contacts.remove(device) {
            Contact::close(contact).await;
        }
    }

    /// What was refused when somebody read the plan is not done because it would be possible now.
    fn still_refused(&mut self, then: &DeviceJson) {
        let Some(planned) = self
            .plan
            .devices
            .iter_mut()
            .find(|planned| planned.device == then.device)
        else {
            return;
        };
        if let Outcome::Read(changes) = &mut planned.outcome
            && changes.is_actionable()
        {
            let reason = then.reason.clone().unwrap_or_default();
            changes.refuse(Refusal {
                rule: "refused-when-planned",
                message: format!("it was refused when the plan was made: {reason}"),
                help: "that is no longer so: plan again".to_owned(),
            });
        }
    }
}

/// A device of which the kept plan says nothing, because it could not be read then.
fn still_unread(then: &DeviceJson) -> DevicePlan {
    DevicePlan {
        device: then.device.clone(),
        address: then.address.clone(),
        model: Model::by_name(&then.model).map_or("unknown model", |model| model.name),
        host_key: None,
        outcome: Outcome::Unread(Unread {
            reason: format!(
                "it could not be read when the plan was made: {}",
                then.reason.as_deref().unwrap_or_default()
            ),
            help: Some("plan again".to_owned()),
            lasting: false,
        }),
    }
}
