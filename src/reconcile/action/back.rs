//! Waiting for an endpoint that was told to restart: it is back when it is seen again, younger than it was.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use tokio::time::Instant;

use crate::device::{self, DeviceError};
use crate::dialect::action::command;
use crate::observed::Action;
use crate::plan::action::Reached;
use crate::reconcile::{Contact, Context, chain};

use super::Acted;

/// How long between two looks whether an endpoint is back: the first time, and at most.
const LOOKS: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));

/// How much an uptime may be off: devices print whole seconds.
const UPTIME_BLUR: Duration = Duration::from_secs(2);

impl Context {
    /// Looks until an endpoint that was told to restart is there again. `before` is how long it had been up.
    pub(super) async fn await_endpoint(
        &self,
        contact: &mut Contact,
        reached: Reached,
        before: Option<Duration>,
        wait: Duration,
    ) -> Acted {
        let sent = Instant::now();
        let mut was_away = false;
        let mut pauses = ExponentialBuilder::default()
            .with_min_delay(LOOKS.0)
            .with_max_delay(LOOKS.1)
            .without_max_times()
            .build();
        loop {
            let looked = async {
                let seen = device::discover(&mut contact.session).await?;
                let is_there = seen.iter().any(|seen| seen.mac == reached.mac);
                let now = if is_there {
                    uptime(contact, reached).await?
                } else {
                    None
                };
                Ok::<_, DeviceError>((is_there, now))
            };
            let after = match looked.await {
                Ok((false, _)) => {
                    was_away = true;
                    None
                }
                Ok((true, now)) => {
                    let after = sent.elapsed();
                    // One that had never been away would have been up all that time.
                    let young = before
                        .zip(now)
                        .is_some_and(|(before, now)| now + UPTIME_BLUR <= before + after);
                    (was_away || young).then_some(after)
                }
                Err(source) => {
                    let reason = format!(
                        "the device took it; looking whether the endpoint is back: {}",
                        chain(&source)
                    );
                    return Acted::Stopped {
                        reason,
                        sent: vec![command(Action::RestartEndpoint(reached.mac))],
                    };
                }
            };
            if let Some(after) = after {
                return Acted::Done(Some(after));
            }
            let left = wait.saturating_sub(sent.elapsed());
            if left.is_zero() || self.cancel.is_cancelled() {
                return Acted::NotBack(sent.elapsed());
            }
            let pause = pauses.next().unwrap_or(LOOKS.1).min(left);
            let _ = self.cancel.run_until_cancelled(tokio::time::sleep(pause)).await;
        }
    }
}

/// How long an endpoint has been up, where the device says so.
pub(super) async fn uptime(contact: &mut Contact, reached: Reached) -> Result<Option<Duration>, DeviceError> {
    match reached.id {
        Some(id) => device::endpoint_uptime(&mut contact.session, id).await,
        None => Ok(None),
    }
}
