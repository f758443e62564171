//! `--changed-since`: only those devices that a change of the inventory is about.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use crate::diagnostic::Colour;
use crate::inventory;
use crate::inventory::model::Inventory;
use crate::inventory::since::{Difference, differences, gone};
use crate::plan::model::Plan;
use crate::plan::{Target, count, plan_text};
use crate::reconcile::{Context, Planned, RunError};
use crate::repo;
use crate::store::StoreError;

use super::context::WIDTH;
use super::exit::Exit;
use super::say;

/// Most devices that are listed with what differs.
const LISTED: usize = 20;

#[derive(Debug, Clone, clap::Args)]
pub(super) struct SinceArgs {
    /// Only devices of which the inventory asks something else than it did at this commit (an id, `HEAD~1`,
    /// `origin/main`), and devices on which an earlier run did not come to its end. No other device is contacted, so
    /// drift there is not seen, nor what it missed while it could not be reached. With `--target`: only what both name.
    #[arg(long, value_name = "REVISION")]
    changed_since: Option<String>,
}

/// What differs since a commit.
#[derive(Debug)]
pub(super) struct Since {
    /// The commit, short.
    commit: String,
    /// Devices, and what differs there.
    devices: BTreeMap<String, Vec<String>>,
    /// Devices that the inventory had then and has no more.
    gone: Vec<String>,
}

/// Compares the inventory with what it was at the commit that the command line names, if it does.
///
/// Where it was invalid then, the findings are printed and the exit code is the answer: a device left out by mistake would
/// not be missed by anybody.
pub(super) fn compare(now: &Inventory, path: &Path, args: &SinceArgs) -> anyhow::Result<Result<Option<Since>, Exit>> {
    let Some(revision) = &args.changed_since else {
        return Ok(Ok(None));
    };
    let then = repo::read_inventory_at(path, revision)?;
    let loaded = inventory::load(&then.files);
    let Some(before) = loaded.inventory else {
        say(loaded.report.render_text(&then.files, Colour::On, WIDTH).trim_end());
        say(&format!(
            "The inventory was invalid at {}, so what differs since cannot be told: nothing was planned.\n  \
             help: name a commit at which it was valid, or leave out `--changed-since`",
            then.commit
        ));
        return Ok(Err(Exit::Invalid));
    };
    let in_words = |differences: Vec<Difference>| differences.iter().map(ToString::to_string).collect();
    Ok(Ok(Some(Since {
        commit: then.commit,
        devices: (differences(&before, now).into_iter())
            .map(|(key, differences)| (key, in_words(differences)))
            .collect(),
        gone: gone(&before, now),
    })))
}

/// What a run is about.
#[derive(Debug)]
pub(super) enum Scope {
    /// What the command line names; the whole fleet where it names nothing.
    Named(Vec<Target>),
    /// Of that, what differs since a commit.
    Narrowed {
        /// What is left of it; it may be nothing.
        targets: Vec<Target>,
        /// The commit, short.
        since: String,
        /// What there is to say about it.
        notes: Vec<String>,
    },
}

impl Scope {
    /// Narrows what the command line names.
    pub(super) async fn new(since: Option<Since>, context: &Context, named: &[Target]) -> Result<Self, StoreError> {
        let Some(Since {
            commit,
            mut devices,
            gone,
        }) = since
        else {
            return Ok(Self::Named(named.to_vec()));
        };
        let differing = devices.len();
        for device in context.unfinished().await? {
            let reasons = devices.entry(device).or_default();
            reasons.push("an earlier run did not come to its end".to_owned());
        }
        let fleet = &context.inventory.devices;
        let whole = |device: &String| Target {
            device: device.clone(),
            object: None,
        };
        // A target that names nothing is for planning to complain about.
        let is_in = |target: &&Target| devices.contains_key(&target.device) || !fleet.contains_key(&target.device);
        let targets: Vec<Target> = match named {
            [] => devices.keys().map(whole).collect(),
            named => named.iter().filter(is_in).cloned().collect(),
        };
        let mut notes = vec![headline(differing, fleet.len(), &commit)];
        devices.retain(|device, _| targets.iter().any(|target| target.device == *device));
        notes.extend(
            devices
                .iter()
                .take(LISTED)
                .map(|(device, reasons)| format!("  {device}: {}", reasons.join("; "))),
        );
        if devices.len() > LISTED {
            notes.push(format!("  ... and {} more", count(devices.len() - LISTED, "device")));
        }
        if !named.is_empty() {
            notes.push(format!(
                "note: of these and the targets, only what both name: {}",
                count(devices.len(), "device")
            ));
        }
        if !gone.is_empty() {
            notes.push(format!(
                "note: no longer in the inventory, and left as they are: {}",
                gone.join(", ")
            ));
        }
        Ok(Self::Narrowed {
            targets,
            since: commit,
            notes,
        })
    }

    /// Says which devices were chosen, and that the others were not looked at.
    pub(super) fn say(&self) {
        if let Self::Narrowed { notes, .. } = self {
            notes.iter().for_each(|note| say(note));
        }
    }

    /// Whether the run is about nothing at all.
    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Self::Narrowed { targets, .. } if targets.is_empty())
    }

    /// Plans what the run is about.
    pub(super) async fn plan(&self, context: &Context) -> Result<Planned, RunError> {
        match self {
            // To planning, no target is the whole fleet.
            Self::Narrowed { targets, .. } if targets.is_empty() => Ok(context.plan_of_nothing()),
            Self::Narrowed { targets, .. } | Self::Named(targets) => context.plan(targets).await,
        }
    }

    /// The plan, for people.
    pub(super) fn text(&self, plan: &Plan) -> String {
        match self {
            Self::Narrowed { since, .. } if self.is_empty() => {
                format!("Nothing to do since {since}: no device was looked at.\n")
            }
            _ => plan_text(plan),
        }
    }
}

/// `1 of 40 devices differs since 3f0c2d81aa4e; drift on the others is not looked at`
fn headline(differing: usize, of: usize, commit: &str) -> String {
    let mut line = "note: ".to_owned();
    let verb = if differing == 1 { "differs" } else { "differ" };
    let many = if differing == 0 {
        "none".to_owned()
    } else {
        differing.to_string()
    };
    let _ = write!(line, "{many} of {} {verb} since {commit}", count(of, "device"));
    line.push_str(match differing {
        0 => "; drift is not looked at",
        _ if differing < of => "; drift on the others is not looked at",
        _ => "",
    });
    line
}
