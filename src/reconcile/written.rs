//! What a run leaves for those who look back: its plan as it was shown, and what it came to where nothing was sent.

use crate::plan::json::plan_json;
use crate::plan::model::Plan;
use crate::plan::{plan_text, undo_text};
use crate::store::{StoreError, Untouched, WrittenPlan};

use super::{DeviceOutcome, DeviceResult};

/// A plan to be kept; that of an undo has a head line of its own. `None` where there is nothing to do and nothing in
/// the way.
///
/// The JSON form is without the configuration of each device, which would be most of it: what is to be changed is in
/// the checkpoint. Its digest is that of the whole, so that a plan that came from a file is known again.
pub(super) fn written(plan: &Plan, undo: Option<&str>) -> Result<Option<WrittenPlan>, StoreError> {
    if !plan.is_actionable() && !plan.has_refusals() && !plan.has_unread() {
        return Ok(None);
    }
    let mut json = plan_json(plan);
    for device in &mut json.devices {
        device.running.clear();
    }
    let text = match undo {
        None => plan_text(plan),
        Some(head) => undo_text(plan, head),
    };
    Ok(Some(WrittenPlan {
        text: anstream::adapter::strip_str(&text).to_string(),
        json: serde_json::to_string(&json).map_err(|source| StoreError::Value { what: "plan", source })?,
    }))
}

/// The devices that a run did not begin though it should have.
pub(super) fn untouched(results: &[DeviceResult]) -> Vec<Untouched> {
    let account = |result: &DeviceResult| {
        let (outcome, reason) = match &result.outcome {
            DeviceOutcome::Refused(refusals) => {
                let reasons: Vec<&str> = refusals.iter().map(|refusal| refusal.message.as_str()).collect();
                ("refused", reasons.join("; "))
            }
            DeviceOutcome::Unread(unread) => ("not-read", unread.reason.clone()),
            DeviceOutcome::Stale => ("stale", "it changed after it was planned".to_owned()),
            DeviceOutcome::NotStarted(why) => ("not-started", why.clone()),
            // Only where not even its beginning could be written down.
            DeviceOutcome::Stopped(stopped) => ("stopped", stopped.failure.reason.clone()),
            DeviceOutcome::InSync
            | DeviceOutcome::Applied(..)
            | DeviceOutcome::Saved
            | DeviceOutcome::Unconfirmed(..)
            | DeviceOutcome::Held
            | DeviceOutcome::RolledBack(_) => {
                return None;
            }
        };
        Some(Untouched {
            device: result.device.clone(),
            outcome: outcome.to_owned(),
            reason,
        })
    };
    results.iter().filter_map(account).collect()
}
