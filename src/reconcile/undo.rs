//! Undoing a run: its plan comes from the checkpoints that it left, and then goes the way of every plan.

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt as _;
use tokio::time::Instant;

use crate::inventory::model::Device;
use crate::observed::Kind;
use crate::plan::model::{Action, DevicePlan, Outcome, Plan};
use crate::plan::moves;
use crate::plan::rollback::Later;
use crate::plan::undo::{Undone, undo_device};
use crate::plan::{Target, count};
use crate::store::{Checkpoint, DeviceEntry, DeviceRunState, RunEntry, RunId};

use super::{Contact, Context, Planned, RunError, Selected, render};

/// The plan that undoes a run.
#[derive(Debug)]
pub struct Undoing {
    /// The plan, and the sessions of the devices that it would change.
    pub planned: Planned,
    /// What the plan is headed with.
    pub head: String,
    /// The run that is undone.
    pub run: RunEntry,
    /// What the inventory still asks for though it is undone, by device, as `kind/key`.
    pub asked_again: BTreeMap<String, Vec<String>>,
    /// Devices of the run on which there is nothing to undo, one sentence each.
    pub left_out: Vec<String>,
}

/// A run cannot be undone. Nobody's fault: it has done nothing, or not yet all of it.
#[derive(Debug, thiserror::Error)]
pub enum NotUndoable {
    /// There is none of that number.
    #[error("there is no run {run} on record; `gamops history` lists them")]
    NoSuchRun {
        /// The number.
        run: RunId,
    },
    /// It had nothing to do with a device that was named.
    #[error("run {run} had nothing to do with `{device}`")]
    Elsewhere {
        /// The run.
        run: RunId,
        /// The device.
        device: String,
    },
    /// There is nothing to give back on any device.
    #[error("run {run} cannot be undone: {}", reasons.join("; "))]
    Nothing {
        /// The run.
        run: RunId,
        /// Why not, one reason a device.
        reasons: Vec<String>,
    },
}

/// A device of the run, as the inventory has it now.
struct Todo<'a> {
    selected: Selected<'a>,
    checkpoint: Checkpoint,
    later: Vec<Later>,
}

impl Context {
    /// Plans to undo a run where it was finished: on the devices that the targets name, or on all of them.
    ///
    /// # Errors
    ///
    /// [`RunError::NotUndoable`] where there is nothing to undo. A device that cannot be read is an entry of the plan.
    pub async fn plan_undo(&self, run: RunId, targets: &[Target]) -> Result<Undoing, RunError> {
        let began = Instant::now();
        self.check_canaries()?;
        let Some(entry) = self.store.run(run).await? else {
            return Err(NotUndoable::NoSuchRun { run }.into());
        };
        if !entry.refusals.is_empty() {
            let reasons = vec!["its plan was refused, and nothing was sent to any device".to_owned()];
            return Err(NotUndoable::Nothing { run, reasons }.into());
        }
        let (todo, left_out) = self.to_undo(&entry, targets).await?;
        if todo.is_empty() {
            return Err(NotUndoable::Nothing { run, reasons: left_out }.into());
        }
        let planned: Vec<(DevicePlan, Option<Contact>, Vec<String>)> = futures::stream::iter(todo)
            .map(|todo| async move { self.undo_one(todo).await })
            .buffer_unordered(self.parallelism.reading.max(1))
            .collect()
            .await;
        let (mut devices, mut contacts, mut asked_again) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        for (device, contact, again) in planned {
            if let Some(contact) = contact {
                contacts.insert(device.device.clone(), contact);
            }
            if !again.is_empty() {
                asked_again.insert(device.device.clone(), again);
            }
            devices.push(device);
        }
        devices.sort_by(|a, b| a.device.cmp(&b.device));
        let mut plan = self.plan_of(targets, devices);
        // A subscriber that the run moved goes back the way it came: first there, then gone from here.
        let made = made(&plan);
        plan.moves = moves::moves(&plan, |key| {
            made.get_key_value(key)
                .map(|(key, device)| (key.as_str(), device.as_str()))
        });
        moves::hold_back(&mut plan, &BTreeSet::new());
        self.guard(&mut plan).await?;
        let head = head(&entry, plan.devices.len());
        Ok(Undoing {
            planned: Planned {
                plan,
                contacts,
                undoes: Some((run, head.clone())),
                began,
            },
            head,
            run: entry,
            asked_again,
            left_out,
        })
    }

    /// The devices on which the run is to be undone, and why it is not on the others.
    async fn to_undo(&self, entry: &RunEntry, targets: &[Target]) -> Result<(Vec<Todo<'_>>, Vec<String>), RunError> {
        let run = entry.run;
        for target in targets {
            let is_it = |key: &String| *key == target.device || self.key_now(key) == Some(&target.device);
            let touched = entry.devices.iter().map(|device| &device.device);
            if !touched
                .chain(entry.untouched.iter().map(|device| &device.device))
                .any(is_it)
            {
                return Err(NotUndoable::Elsewhere {
                    run,
                    device: target.device.clone(),
                }
                .into());
            }
        }
        let selection = if targets.is_empty() {
            Vec::new()
        } else {
            self.select(targets)?
        };
        let mut todo = Vec::new();
        let mut left_out = Vec::new();
        for of_run in &entry.devices {
            let Some(device) = self
                .key_now(&of_run.device)
                .and_then(|key| self.inventory.devices.get(key))
            else {
                left_out.push(format!(
                    "`{}` has left the inventory, and is not changed any more",
                    of_run.device
                ));
                continue;
            };
            let selected: Selected<'_> = if targets.is_empty() {
                (device, None)
            } else {
                match selection.iter().find(|(selected, _)| selected.key == device.key) {
                    Some(selected) => selected.clone(),
                    None => continue,
                }
            };
            match self.undoable(run, of_run, device).await? {
                Ok((checkpoint, later)) => todo.push(Todo {
                    selected,
                    checkpoint,
                    later,
                }),
                Err(reason) => left_out.push(reason),
            }
        }
        let untouched = entry
            .untouched
            .iter()
            .filter(|of_run| targets.is_empty() || targets.iter().any(|target| target.device == of_run.device));
        left_out.extend(untouched.map(|of_run| format!("nothing was sent to {}", of_run.device)));
        Ok((todo, left_out))
    }

    /// What undoing takes on a device, or why there is nothing to undo.
    async fn undoable(
        &self,
        run: RunId,
        of_run: &DeviceEntry,
        device: &Device,
    ) -> Result<Result<(Checkpoint, Vec<Later>), String>, RunError> {
        let key = &device.key;
        let no = match of_run.state {
            DeviceRunState::Saved => None,
            DeviceRunState::RolledBack => Some(format!("{key} was given back what it held at once")),
            DeviceRunState::Acted => Some(changed_nothing(key)),
            DeviceRunState::Settled => Some(format!("nothing of it was left on {key}")),
            _ => Some(format!(
                "it did not come to its end on {key}, where `gamops apply --target {key}` goes on from there"
            )),
        };
        if let Some(reason) = no {
            return Ok(Err(reason));
        }
        let pinned = self
            .store
            .pin(key, device.was.as_deref())
            .await?
            .and_then(|pin| pin.mac);
        if pinned != of_run.mac {
            return Ok(Err(format!("{key} is another device by now")));
        }
        let Some(checkpoint) = self.store.checkpoint(run, &of_run.device).await? else {
            return Ok(Err(format!("what {key} held before was not kept")));
        };
        if checkpoint.changes.is_empty() {
            return Ok(Err(changed_nothing(key)));
        }
        let later = match of_run.mac {
            Some(mac) => self.store.finished_after(run, mac).await?,
            None => Vec::new(),
        };
        let later = later.into_iter().map(|(run, changes)| Later {
            run: run.to_string(),
            changes,
        });
        Ok(Ok((checkpoint, later.collect())))
    }

    /// The key under which the inventory has a device now.
    fn key_now(&self, key: &str) -> Option<&String> {
        let devices = &self.inventory.devices;
        let renamed = || devices.values().find(|device| device.was.as_deref() == Some(key));
        devices.get(key).or_else(renamed).map(|device| &device.key)
    }

    async fn undo_one(&self, todo: Todo<'_>) -> (DevicePlan, Option<Contact>, Vec<String>) {
        let Todo {
            selected: (device, targets),
            checkpoint,
            later,
        } = todo;
        let mut again = Vec::new();
        let (plan, contact) = self
            .plan_with(device, targets, |inputs| {
                let undone = Undone {
                    before: &checkpoint.before,
                    left: &checkpoint.target,
                    changes: &checkpoint.changes,
                    owned_before: &checkpoint.owned_before,
                    owned_after: &checkpoint.owned_after,
                    later: &later,
                };
                let undo = undo_device(inputs, undone, &render);
                again = undo.asked_again;
                undo.changes
            })
            .await;
        (plan, contact, again)
    }
}

fn changed_nothing(device: &str) -> String {
    format!("it changed no setting of {device}")
}

fn head(run: &RunEntry, devices: usize) -> String {
    let commit = run.commit.as_deref();
    let commit = commit
        .map(|commit| format!(" from commit {commit}"))
        .unwrap_or_default();
    format!(
        "Undo of run {} ({}{commit}), {}.",
        run.run,
        run.actor,
        count(devices, "device")
    )
}

/// The device on which a plan makes each subscriber that it makes, by key.
fn made(plan: &Plan) -> BTreeMap<String, String> {
    let mut made = BTreeMap::new();
    for device in &plan.devices {
        let Outcome::Read(changes) = &device.outcome else {
            continue;
        };
        let new = (changes.changes.iter())
            .filter(|change| change.kind == Kind::Subscriber && change.action == Action::Create);
        made.extend(new.map(|change| (change.key.clone(), device.device.clone())));
    }
    made
}
