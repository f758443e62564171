//! From flags to what a run needs: the inventory read and valid, the database open.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;

use crate::diagnostic::{Colour, SourceFile};
use crate::dialect::running::canonical;
use crate::domain::Firmware;
use crate::inventory::model::{Device, Inventory};
use crate::observed::{Answer, AssumedWord, Capabilities, DeviceConfig, RunningConfig};
use crate::plan::guard::{Allow, Allowances, TRAILER, allowed_by};
use crate::plan::resolve;
use crate::reconcile::{Context, Events, Parallelism, Planned};
use crate::store::Store;
use crate::transport::credentials::Keyring;
use crate::{inventory, repo};

use super::exit::Exit;
use super::progress::Progress;
use super::say;
use super::settings::{FleetArgs, ReachArgs};

/// Columns to which source lines are cut in findings.
pub(super) const WIDTH: usize = 120;

/// Reads an inventory. Where it is invalid the findings are printed and the exit code is the answer;
/// warnings are printed and do not stop anything.
pub(super) fn load(path: &Path) -> anyhow::Result<Result<Inventory, Exit>> {
    Ok(load_texts(path)?.map(|(_, inventory)| inventory))
}

/// As [`load`], with the texts.
pub(super) fn load_texts(path: &Path) -> anyhow::Result<Result<(Vec<SourceFile>, Inventory), Exit>> {
    let files = repo::read_inventory(path).with_context(|| format!("reading the inventory {}", path.display()))?;
    let loaded = inventory::load(&files);
    // The edge strips the colours where they do not belong.
    let findings = loaded.report.render_text(&files, Colour::On, WIDTH);
    if !findings.is_empty() {
        say(findings.trim_end());
    }
    Ok(match loaded.inventory {
        Some(inventory) => Ok((files, inventory)),
        None => {
            say("The inventory is invalid: nothing was planned.");
            Err(Exit::Invalid)
        }
    })
}

/// A device that the command line names. `None`: there is none, which was said.
pub(super) fn device<'i>(inventory: &'i Inventory, key: &str) -> Option<&'i Device> {
    let found = inventory.devices.get(key);
    if found.is_none() {
        let hint = inventory.device_hint(key);
        say(&format!("error: the inventory has no device `{key}`{hint}"));
    }
    found
}

/// Puts together what a run on a fleet needs.
pub(super) fn context(inventory: Inventory, path: &Path, fleet: &FleetArgs, events: Events) -> anyhow::Result<Context> {
    let commit = repo::commit_of(path).with_context(|| format!("asking Git about {}", path.display()))?;
    Ok(Context {
        commit,
        allowances: Allowances {
            by_flag: Vec::new(),
            by_commit: allowed_by_commit(path)?,
        },
        ..reading(inventory, &fleet.reach, events)?
    })
}

/// The same for a run that reads devices and plans nothing.
pub(super) fn reading(inventory: Inventory, reach: &ReachArgs, events: Events) -> anyhow::Result<Context> {
    let store = Store::open(&reach.state.path(&inventory)?)?;
    let keyring = Arc::new(Keyring::from_environment()?);
    Ok(Context {
        host_key_policy: reach.host_key_policy,
        parallelism: Parallelism {
            reading: usize::from(reach.parallelism),
            ..Parallelism::default()
        },
        events,
        ..Context::new(Arc::new(inventory), store, keyring)
    })
}

/// What the commit that is applied says is meant. A line that says nothing is named, and allows nothing.
fn allowed_by_commit(path: &Path) -> anyhow::Result<Vec<Allow>> {
    let lines = repo::trailers_of(path, TRAILER).with_context(|| format!("asking Git about {}", path.display()))?;
    let (allowed, invalid) = allowed_by(&lines);
    for invalid in invalid {
        say(&format!("warning: `{TRAILER}` in the commit's message: {invalid}"));
    }
    Ok(allowed)
}

/// Ends a run that changes nothing: the sessions of its plan, and the telling of what goes on.
pub(super) async fn put_away(planned: Planned, context: Context, progress: Progress) {
    planned.close().await;
    drop(context);
    progress.finish().await;
}

/// The configuration that a factory-fresh device would have after an apply, as the device writes it.
pub(super) fn as_wished(inventory: &Inventory, device: &Device) -> Option<String> {
    let desired = inventory::compile(inventory, &device.key)?;
    // A simulated device knows every word that its firmware is known for.
    let newest = Firmware {
        family: String::new(),
        version: (u16::MAX, 0, 0),
    };
    let every_word = AssumedWord::ALL.map(|word| (word, Answer::Yes));
    let blank = Arc::new(DeviceConfig {
        subscriber_model: desired.subscriber_model,
        ..DeviceConfig::default()
    });
    let target = resolve(
        &desired,
        &blank,
        &Arc::default(),
        &Capabilities::of_firmware(&newest).having_learned(&every_word),
    )
    .target;
    Some(canonical(&RunningConfig {
        managed: target,
        ..RunningConfig::default()
    }))
}
