//! What holds a device back, asked outside of a plan.

use crate::inventory::model::Device;
use crate::plan::Refusal;
use crate::plan::model::Held;
use crate::plan::pause::{self, Paused, in_words};
use crate::store::{Scope, StoreError};

use super::Context;

impl Context {
    /// The pauses that operators ordered for a device, under its key or the one that it had before, or for all. What was taken over
    /// from the daemon holds back nobody else.
    pub(super) async fn pauses(&self, device: &Device) -> Result<Vec<Paused>, StoreError> {
        let standing = self.store.pauses(&self.inventory.id, self.now).await?;
        let is_of = |scope: &Scope| match scope {
            Scope::All => true,
            Scope::Device(key) => *key == device.key || Some(key) == device.was.as_ref(),
        };
        let of_device = standing
            .into_iter()
            .filter(|pause| is_of(&pause.scope))
            .map(|pause| pause.paused);
        let is_of_daemon = |paused: &Paused| paused.ordered.as_ref().is_some_and(|ordered| ordered.of_daemon);
        Ok(of_device
            .filter(|paused| self.is_daemon || !is_of_daemon(paused))
            .collect())
    }

    /// Why a device may not be changed, where something holds it back.
    pub(super) async fn held(&self, device: &Device) -> Result<Option<Refusal>, StoreError> {
        let ordered = self.pauses(device).await?;
        let held = pause::held(device.mode, device.paused.as_ref(), &ordered, self.now);
        Ok(held.map(|held| refusal(&device.key, &held)))
    }
}

fn refusal(device: &str, held: &Held) -> Refusal {
    let (message, help) = match held {
        Held::Paused(pauses) => (
            format!("`{device}` is paused: {}", in_words(pauses)),
            way_out(device, pauses),
        ),
        Held::Observe => (
            format!("`{device}` is observed only"),
            "set `mode: manage` on it first".to_owned(),
        ),
    };
    Refusal {
        rule: "held",
        message,
        help,
    }
}

/// What ends these pauses.
pub(super) fn way_out(device: &str, pauses: &[Paused]) -> String {
    let ends = |paused: &Paused| match &paused.ordered {
        None => "remove `paused` in the inventory".to_owned(),
        Some(ordered) if ordered.of_all => "`gamops resume --all`".to_owned(),
        Some(_) => format!("`gamops resume {device}`"),
    };
    let ends: Vec<String> = pauses.iter().map(ends).collect();
    ends.join("; ")
}
