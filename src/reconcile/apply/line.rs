//! The line to a device, which may break: the same device is reached again, or nobody is.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use tokio::time::Instant;

use crate::device::Retry;
use crate::domain::MacAddr;
use crate::plan::model::Unread;

use super::super::observe::{Contact, look};
use super::{Progress, Work};

/// The first pause after a device could not be reached, and the longest. A GAM restarts in minutes.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(15));

/// A session that is replaced when it breaks.
pub(super) struct Line<'a> {
    work: Work<'a>,
    mac: MacAddr,
    contact: Option<Contact>,
}

impl<'a> Line<'a> {
    /// A line that is yet to be had.
    pub(super) const fn to(work: Work<'a>, mac: MacAddr) -> Self {
        Self {
            work,
            mac,
            contact: None,
        }
    }

    /// The line that is there.
    pub(super) fn of(work: Work<'a>, contact: Contact) -> Self {
        Self {
            work,
            mac: contact.mac(),
            contact: Some(contact),
        }
    }

    /// Base MAC of the device that it leads to.
    pub(super) const fn mac(&self) -> MacAddr {
        self.mac
    }

    /// The session at hand, else a new one: tried at once, then with growing pauses for as long as the run is patient.
    /// One rejected login, another host key or another device end it.
    pub(super) async fn open(&mut self) -> Result<&mut Contact, Unread> {
        let contact = match self.contact.take() {
            Some(contact) => contact,
            None => self.reconnect().await?,
        };
        Ok(self.contact.insert(contact))
    }

    /// The session at hand, where there is one.
    pub(super) const fn at_hand(&mut self) -> Option<&mut Contact> {
        self.contact.as_mut()
    }

    /// Ends the session, politely where it still answers.
    pub(super) async fn hang_up(&mut self) {
        if let Some(contact) = self.contact.take() {
            contact.close().await;
        }
    }

    async fn reconnect(&self) -> Result<Contact, Unread> {
        let Work { context, device, .. } = self.work;
        self.work.tell(Progress::Reconnecting);
        let deadline = Instant::now() + self.work.patience;
        let mut pauses = ExponentialBuilder::default()
            .with_min_delay(PAUSES.0)
            .with_max_delay(PAUSES.1)
            .without_max_times()
            .with_jitter()
            .build();
        loop {
            let unseen = match look(context, device).await {
                Ok(contact) if contact.mac() == self.mac => return Ok(contact),
                Ok(other) => {
                    let mac = other.mac();
                    other.close().await;
                    return Err(Unread {
                        reason: format!(
                            "another device answers at {} now: it has MAC {mac}, the run began on {}",
                            device.address, self.mac
                        ),
                        help: None,
                        lasting: true,
                    });
                }
                Err(unseen) => unseen,
            };
            let resume = pauses.next().map(|pause| Instant::now() + pause);
            match (unseen.retry, resume) {
                (Retry::Soon, Some(resume)) if resume < deadline => tokio::time::sleep_until(resume).await,
                _ => return Err(unseen.unread),
            }
        }
    }
}
