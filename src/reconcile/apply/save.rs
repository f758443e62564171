//! Making what was verified survive a restart.

use crate::dialect::command::SAVE;
use crate::dialect::redact;
use crate::observed::{DeviceConfig, RunningConfig};
use crate::store::{Answered, Phase};

use super::send::answered;
use super::{Contact, Progress, Stop, Work};

/// Saves, and looks where the device shows it whether what it would load at boot is what was verified.
pub(in crate::reconcile) async fn save(
    contact: &mut Contact,
    work: &Work<'_>,
    phase: Phase,
    verified: &RunningConfig,
    still_holds: impl Fn(&DeviceConfig) -> bool,
) -> Result<(), Stop> {
    work.tell(Progress::Saving);
    let session = |source| Stop::session(Some(SAVE), source);
    let (store, run, key) = (work.store(), work.run, work.key());
    let number = store.sending(run, key, phase, SAVE).await?;
    let saved = contact.session.save().await;
    let (how, said) = match &saved {
        Ok(saved) => (Answered::Accepted, saved.said.clone().unwrap_or_default()),
        Err(error) => answered(error),
    };
    store.answered(run, key, number, how, &redact::secrets(&said)).await?;
    saved.map_err(session)?;
    match contact.read_startup().await.map_err(session)? {
        Some(startup) if !startup.is_same_as(verified) => {
            // Somebody may have changed something between verifying and saving. Look once more before crying.
            let running = contact.read_running().await.map_err(session)?;
            if startup.is_same_as(&running) && still_holds(&running.managed) {
                Ok(())
            } else {
                Err(Stop::NotSaved("the saved configuration is not the verified one".into()))
            }
        }
        Some(_) | None => Ok(()),
    }
}
