//! What a run leaves for those who look back: its plan as it was shown, and what it came to where nothing was sent.

use crate::plan::guard::{Ruling, Trip, Why};
use crate::plan::json::plan_json;
use crate::plan::model::{DevicePlan, Outcome, Plan};
use crate::plan::{plan_text, undo_text};
use crate::store::{Packed, PlanRefusal, Refuser, StoreError, Untouched, WrittenPlan};

use super::{DeviceOutcome, DeviceResult};

/// A plan to be kept; that of an undo has a head line of its own. `None` where there is nothing to do and nothing in
/// the way.
///
/// The JSON form is without the configuration of each device, which would be most of it: what is to be changed is in
/// the checkpoint. Its digest is that of the whole, so that a plan that came from a file is known again.
pub(super) fn written(plan: &Plan, undo: Option<&str>) -> Result<Option<WrittenPlan>, StoreError> {
    if !plan.is_actionable() && !plan.has_refusals() && !plan.has_unread() && !plan.is_guarded() {
        return Ok(None);
    }
    let text = match undo {
        None => plan_text(plan),
        Some(head) => undo_text(plan, head),
    };
    // One after the other: of a large fleet each is several megabytes.
    let text = Packed::text(anstream::adapter::strip_str(&text));
    let mut json = plan_json(plan);
    for device in &mut json.devices {
        device.running.clear();
    }
    let json = Packed::json(&json).map_err(|source| StoreError::Value { what: "plan", source })?;
    Ok(Some(WrittenPlan { text, json }))
}

/// Why guards and rules refuse a plan, in the order in which the plan says it.
pub(super) fn refusals(plan: &Plan) -> Vec<PlanRefusal> {
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let trips = plan.trips.iter().filter(|trip| trip.is_refused()).map(|trip: &Trip| {
        let excess = match &trip.why {
            Why::TooMany { excess, .. } => Some(excess),
            Why::Protected { .. } => None,
        };
        PlanRefusal {
            by: Refuser::Guard,
            name: trip.guard.word().to_owned(),
            device: trip.device.clone(),
            number: excess.map(|excess| number(excess.number)),
            limit: excess.map(|excess| number(excess.limit)),
            message: trip.message(),
        }
    });
    let rulings = plan.rulings.iter().filter(|ruling| ruling.is_refused());
    let rulings = rulings.map(|ruling: &Ruling| PlanRefusal {
        by: Refuser::Rule,
        name: ruling.rule.clone(),
        device: None,
        number: None,
        limit: None,
        message: ruling.words(),
    });
    trips.chain(rulings).collect()
}

/// What a plan comes to, device by device, when nothing of it is begun.
pub(super) fn none_begun(plan: &Plan) -> Vec<DeviceResult> {
    let result = |device: &DevicePlan| {
        let outcome = match &device.outcome {
            Outcome::Unread(unread) => DeviceOutcome::Unread(unread.clone()),
            Outcome::Read(changes) if changes.is_refused() => DeviceOutcome::Refused(changes.refusals.clone()),
            Outcome::Read(changes) if changes.is_actionable() => {
                DeviceOutcome::NotStarted("the plan was refused as a whole".to_owned())
            }
            Outcome::Read(_) => return None,
        };
        Some(DeviceResult {
            device: device.device.clone(),
            waits: None,
            outcome,
        })
    };
    plan.devices.iter().filter_map(result).collect()
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
