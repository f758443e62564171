//! What a rehearsal came to, for people and for programs. Pure.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::inventory::model::Inventory;
use crate::plan::count;
use crate::plan::impact::duration::took;
use crate::plan::model::{DeviceChanges, Outcome, Plan};
use crate::plan::preview::Preview;
use crate::published::Fleet;
use crate::reconcile::{DeviceOutcome, DeviceResult};

use super::super::results::devices_text;
use super::stage::Unfit;

/// Version of the JSON document.
const FORMAT: &str = "1.0";

/// What a rehearsal came to.
pub(super) struct Rehearsal {
    inventory: String,
    commit: Option<String>,
    observed: Option<String>,
    /// Devices that the plan would change, by key.
    pub(super) accounts: BTreeMap<String, Account>,
    pub(super) results: Vec<DeviceResult>,
    /// Why devices would not be changed, though they differ; by key.
    refused: BTreeMap<String, String>,
}

/// What it came to on one device.
#[derive(Default)]
pub(super) struct Account {
    /// How many commands there were to send.
    commands: usize,
    /// What the real device would take over them, by what it took over such commands before. `None`: nobody knows.
    takes: Option<Duration>,
    /// What went wrong; empty where it holds what it should and a second plan is empty.
    pub(super) problems: Vec<String>,
}

impl Rehearsal {
    /// Before anything is done.
    pub(super) fn of(preview: &Preview, fleet: &Fleet, inventory: &Inventory, unfit: Unfit) -> Self {
        let plan = &preview.plan;
        let changed = plan.devices.iter().filter(|device| device.is_actionable());
        let account = |changes: &DeviceChanges, device: &str| Account {
            commands: commands(changes).len(),
            takes: (inventory.devices.get(device).and_then(|device| fleet.sighting(device)))
                .and_then(|sighting| took(&changes.steps, &sighting.timings)),
            problems: Vec::new(),
        };
        let accounts = changed.filter_map(|device| match &device.outcome {
            Outcome::Read(changes) => Some((device.device.clone(), account(changes, &device.device))),
            Outcome::Unread(_) => None,
        });
        let refused = plan.devices.iter().filter_map(|device| match &device.outcome {
            Outcome::Read(changes) if changes.is_refused() => {
                Some((device.device.clone(), changes.refusals.first()?.message.clone()))
            }
            Outcome::Read(_) | Outcome::Unread(_) => None,
        });
        let mut rehearsal = Self {
            inventory: plan.inventory.clone(),
            commit: plan.commit.clone(),
            observed: preview.observed.clone(),
            accounts: accounts.collect(),
            results: Vec::new(),
            refused: refused.collect(),
        };
        for (device, why) in unfit {
            rehearsal.problem(&device, format!("it was not rehearsed: {why}"));
        }
        rehearsal
    }

    /// Compares what was planned from the observation with what was planned for the simulated devices.
    pub(super) fn compare(&mut self, planned: &Plan, simulated: &Plan) {
        for device in self.accounts.keys().cloned().collect::<Vec<_>>() {
            let (wanted, got) = (commands_of(planned, &device), commands_of(simulated, &device));
            if let Some(got) = got.filter(|got| wanted.as_ref() != Some(got)) {
                let wanted = wanted.unwrap_or_default();
                let first = got
                    .iter()
                    .find(|line| !wanted.contains(line))
                    .or_else(|| wanted.iter().find(|line| !got.contains(line)));
                let example = first.map(|line| format!(", such as `{line}`")).unwrap_or_default();
                self.problem(
                    &device,
                    format!("the simulated device would be sent other commands than the plan has{example}"),
                );
            }
        }
    }

    /// Takes in what came of a device, and what is left to do on it.
    pub(super) fn note(&mut self, result: DeviceResult, after: &Plan) {
        let device = result.device.clone();
        match &result.outcome {
            DeviceOutcome::Applied(_, not_applied) => {
                for field in not_applied {
                    let what = format!(
                        "subscriber {}: its {} stays as it is: {} has no effect on this firmware",
                        field.subscriber,
                        field.word.field(),
                        field.word
                    );
                    self.problem(&device, what);
                }
            }
            outcome if outcome.is_fine() => {}
            _ => {
                let text = devices_text(std::slice::from_ref(&result));
                self.problem(&device, text.trim().to_owned());
            }
        }
        let left = after.devices.iter().find(|one| one.device == device);
        if result.outcome.is_fine()
            && let Some(Outcome::Read(changes)) = left.map(|left| &left.outcome)
            && let Some(change) = changes.changes.first().filter(|_| !changes.steps.is_empty())
        {
            let more = changes.changes.len() - 1;
            let more = if more > 0 {
                format!(" and {more} more")
            } else {
                String::new()
            };
            self.problem(&device, format!("a second plan is not empty: {}{more}", change.address));
        }
        self.results.push(result);
    }

    fn problem(&mut self, device: &str, problem: String) {
        self.accounts
            .entry(device.to_owned())
            .or_default()
            .problems
            .push(problem);
    }

    /// Whether every device would hold what it should.
    fn is_good(&self) -> bool {
        self.accounts.values().all(|account| account.problems.is_empty()) && self.refused.is_empty()
    }

    /// For people.
    pub(super) fn text(&self) -> String {
        let mut out = String::new();
        let devices = self.accounts.keys().chain(self.refused.keys());
        let width = devices.map(|device| device.chars().count()).max().unwrap_or_default();
        let at = self
            .commit
            .as_ref()
            .map(|commit| format!(" at commit {commit}"))
            .unwrap_or_default();
        let from = self.observed.as_deref().unwrap_or_default();
        let _ = writeln!(
            out,
            "Rehearsal of inventory `{}`{at}, on simulated devices that hold what was observed ({from}).\n",
            self.inventory
        );
        for (
            device,
            Account {
                commands,
                takes,
                problems,
            },
        ) in &self.accounts
        {
            let takes = match takes {
                Some(takes) => format!("about {} s (measured)", seconds(*takes)),
                None => "how long it takes is unknown".to_owned(),
            };
            if problems.is_empty() {
                let _ = writeln!(
                    out,
                    "  {device:width$}  {} taken, read back as planned; a second plan is empty; {takes}",
                    count(*commands, "command")
                );
            }
            for problem in problems {
                let _ = writeln!(out, "  {device:width$}  FAILED: {problem}");
            }
        }
        for (device, why) in &self.refused {
            let _ = writeln!(out, "  {device:width$}  REFUSED by its plan: {why}");
        }
        let good = self
            .accounts
            .values()
            .filter(|account| account.problems.is_empty())
            .count();
        let last = match (self.accounts.len(), self.is_good()) {
            (0, true) => "Nothing to rehearse: no device would be changed.".to_owned(),
            (all, true) => format!(
                "Rehearsal complete: {} would hold what the inventory says.",
                count(all, "device")
            ),
            (all, false) => format!(
                "Rehearsal incomplete: {good} of {} would hold what the inventory says.",
                count(all + self.refused.len(), "device")
            ),
        };
        let _ = writeln!(
            out,
            "{}{last}",
            if self.accounts.is_empty() && self.refused.is_empty() {
                ""
            } else {
                "\n"
            }
        );
        out
    }

    /// For programs.
    pub(super) fn json(&self) -> RehearsalJson {
        let device = |(device, account): (&String, &Account)| RehearsedJson {
            device: device.clone(),
            converged: account.problems.is_empty(),
            commands: account.commands,
            seconds: account.takes.map(seconds),
            problems: account.problems.clone(),
        };
        let refused = self.refused.iter().map(|(device, why)| RehearsedJson {
            device: device.clone(),
            converged: false,
            commands: 0,
            seconds: None,
            problems: vec![format!("refused by its plan: {why}")],
        });
        let mut devices: Vec<RehearsedJson> = self.accounts.iter().map(device).chain(refused).collect();
        devices.sort_by(|one, other| one.device.cmp(&other.device));
        RehearsalJson {
            format_version: FORMAT.to_owned(),
            inventory: self.inventory.clone(),
            commit: self.commit.clone(),
            observed: self.observed.clone(),
            converged: self.is_good(),
            devices,
        }
    }
}

/// The commands that a plan has for a device, in order; `None` where it was not read.
fn commands_of<'p>(plan: &'p Plan, key: &str) -> Option<Vec<&'p String>> {
    let device = plan.devices.iter().find(|device| device.device == key)?;
    match &device.outcome {
        Outcome::Read(changes) => Some(commands(changes)),
        Outcome::Unread(_) => None,
    }
}

/// The same of what is planned for it.
fn commands(changes: &DeviceChanges) -> Vec<&String> {
    changes.steps.iter().flat_map(|step| &step.commands).collect()
}

fn seconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis().div_ceil(1000)).unwrap_or(u64::MAX)
}

/// What a rehearsal came to. Within 1.x fields may be added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "gamops rehearsal")]
pub(in crate::cli) struct RehearsalJson {
    /// Version of this format.
    format_version: String,
    /// The inventory's id.
    inventory: String,
    /// What was rehearsed, as plans write it; null outside Git.
    commit: Option<String>,
    /// The observation that the simulated devices began with.
    observed: Option<String>,
    /// Whether every device that the plan is about took it and held what it should.
    converged: bool,
    /// The devices that the plan would change, and those that refuse it, by key.
    devices: Vec<RehearsedJson>,
}

/// What a rehearsal came to on one device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
struct RehearsedJson {
    /// Inventory key.
    device: String,
    /// Whether no command was refused, the device was read back as planned, and a second plan is empty.
    converged: bool,
    /// How many commands the plan has for it.
    commands: usize,
    /// About what the real device takes over them, in seconds, by what it took over such commands before; null where some of them were
    /// never measured.
    seconds: Option<u64>,
    /// What went wrong, in words.
    problems: Vec<String>,
}
