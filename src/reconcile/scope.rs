//! What a run can be about other than what the operator names.

use std::collections::{BTreeMap, BTreeSet};

use tokio::time::Instant;

use crate::plan::model::Plan;
use crate::store::StoreError;

use super::{Context, Planned};

impl Context {
    /// The devices of the inventory on which the latest run did not come to its end, or was taken back.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn unfinished(&self) -> Result<BTreeSet<String>, StoreError> {
        let incomplete = self.store.incomplete().await?;
        if incomplete.is_empty() {
            return Ok(BTreeSet::new());
        }
        let mut unfinished = BTreeSet::new();
        for device in self.inventory.devices.values() {
            let pin = self.store.pin(&device.key, device.was.as_deref()).await?;
            if pin.and_then(|pin| pin.mac).is_some_and(|mac| incomplete.contains(&mac)) {
                unfinished.insert(device.key.clone());
            }
        }
        Ok(unfinished)
    }

    /// The plan for no device at all.
    #[must_use]
    pub fn plan_of_nothing(&self) -> Planned {
        Planned {
            plan: Plan {
                windows_ignored: self.ignore_windows,
                ..self.plan_of(&[], Vec::new())
            },
            contacts: BTreeMap::new(),
            undoes: None,
            began: Instant::now(),
        }
    }
}
