//! What a service manager is told: that the daemon is ready, that it lives, what it does.

use std::time::Duration;

use sd_notify::NotifyState;
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

use super::pages::is_ready;
use super::status::Status;

/// Tells systemd, where it is there to be told. The sign of life is given only while the loop comes round, so that a daemon that
/// is stuck is started again.
pub(super) fn notify(mut told: watch::Receiver<Status>, patience: Duration) -> AbortOnDropHandle<()> {
    let mut limit = 0;
    let every = match sd_notify::watchdog_enabled(false, &mut limit) {
        true => Duration::from_micros(limit) / 3,
        false => Duration::from_secs(60),
    };
    AbortOnDropHandle::new(tokio::spawn(async move {
        let tell = |states: &[NotifyState<'_>]| {
            // Nobody listens where nobody set the socket.
            let _ = sd_notify::notify(false, states);
        };
        let mut ready = false;
        loop {
            let line = {
                let status = told.borrow_and_update();
                if !ready && (status.in_force.is_some() || status.rejected.is_some() || status.unreachable.is_some()) {
                    ready = true;
                    tell(&[NotifyState::Ready]);
                }
                if is_ready(&status, patience).is_ok() || status.in_force.is_none() {
                    tell(&[NotifyState::Watchdog]);
                }
                let commit = status
                    .in_force
                    .as_ref()
                    .and_then(|force| force.commit.clone())
                    .unwrap_or_default();
                let fine = status
                    .devices
                    .values()
                    .filter(|standing| standing.state.is_fine())
                    .count();
                format!("{commit}: {fine} of {} devices are fine", status.devices.len())
            };
            tell(&[NotifyState::Status(&line)]);
            // Whatever changes, or the next sign of life.
            if let Ok(Err(_)) = tokio::time::timeout(every, told.changed()).await {
                return tell(&[NotifyState::Stopping]);
            }
        }
    }))
}
