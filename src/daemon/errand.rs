//! What people order with `gamops apply` while a daemon looks after the inventory.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::repo::shortened;
use crate::store::{Errand, ErrandId, Ran, RunningDaemon, Store, StoreError};

use super::force::InForce;
use super::round::Outcome;
use super::standing::Standing;

/// How often the daemon says that it lives.
const SIGN: SignedDuration = SignedDuration::from_mins(1);

/// Where people find the daemon, and leave what they want of it.
#[derive(Debug)]
pub(super) struct Errands {
    daemon: RunningDaemon,
    /// When it last said that it lives.
    said: Option<Timestamp>,
}

impl Errands {
    pub(super) const fn new(daemon: RunningDaemon) -> Self {
        Self { daemon, said: None }
    }

    /// The next errand, which is begun by that. Says that the daemon lives, too.
    pub(super) async fn next(
        &mut self,
        store: &Store,
        inventory: &str,
        now: Timestamp,
    ) -> Result<Option<(ErrandId, Errand)>, StoreError> {
        if self.said.is_none_or(|said| now.duration_since(said) >= SIGN) {
            store.put_daemon(inventory, self.daemon.clone(), now).await?;
            self.said = Some(now);
        }
        store.begin_errand(inventory, now).await
    }
}

/// Why an errand is not done as things are.
pub(super) fn refusal(errand: &Errand, force: &InForce, rejected: Option<&str>) -> Option<String> {
    if let Some(commit) = errand.commit.as_deref().filter(|commit| *commit != force.id) {
        return Some(match rejected == Some(commit) {
            true => format!(
                "commit {} is not valid, or not signed as it has to be: `gamops status` says why",
                shortened(commit)
            ),
            false => format!(
                "commit {} is not what the daemon follows, which is at {}; push it, or update your work tree",
                shortened(commit),
                force.name()
            ),
        });
    }
    let unknown = errand
        .devices
        .iter()
        .find(|device| !force.inventory.devices.contains_key(*device));
    if let Some(unknown) = unknown {
        return Some(format!("the inventory in force has no device `{unknown}`"));
    }
    let held = errand
        .devices
        .iter()
        .find_map(|device| force.stale.held.get_key_value(device));
    held.map(|(device, reason)| format!("{device} is left alone: {reason}"))
}

/// What came of it.
pub(super) fn ran(errand: &Errand, outcome: &Outcome, standings: &BTreeMap<String, Standing>) -> Ran {
    let devices = errand.devices.iter().filter_map(|device| {
        let standing = standings.get(device)?;
        let told = (
            standing.state.word().to_owned(),
            standing.detail(),
            standing.state.is_fine(),
        );
        Some((device.clone(), told))
    });
    Ran {
        refused: outcome.guarded.clone(),
        run: outcome.run,
        line: outcome.line.clone(),
        devices: devices.collect(),
    }
}
