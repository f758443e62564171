//! Holding a device while a run changes it, with a sign of life every now and then.

use std::time::Duration;

use jiff::Timestamp;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use crate::domain::MacAddr;
use crate::store::{Holder, Lease, RunId, StoreError, Token, Wanted};

use super::Context;

/// How long a run is believed to be alive, and by which clock.
#[derive(Debug, Clone, Copy)]
pub struct Leases {
    /// How long without a sign of life; a third of it passes between two.
    pub ttl: Duration,
    /// The time.
    pub clock: fn() -> Timestamp,
}

impl Leases {
    /// How long a run is believed to be alive unless somebody says otherwise.
    pub const TTL: Duration = Duration::from_secs(60);
}

impl Default for Leases {
    fn default() -> Self {
        Self {
            ttl: Self::TTL,
            clock: Timestamp::now,
        }
    }
}

/// A device that is held, until this is dropped.
#[derive(Debug)]
pub(super) struct Hold {
    lease: Lease,
    renewing: JoinHandle<()>,
}

impl Hold {
    /// The number of the lease, which goes with everything that is written down under it.
    pub(super) const fn token(&self) -> Token {
        self.lease.token()
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.renewing.abort();
    }
}

impl Context {
    /// Takes the right to change a device and keeps it. `Err` inside: who has it.
    pub(super) async fn hold(&self, mac: MacAddr, who: &str, run: RunId) -> Result<Result<Hold, Holder>, StoreError> {
        let Leases { ttl, clock } = self.leases;
        let wanted = Wanted {
            who: who.to_owned(),
            run,
            ttl,
        };
        let lease = match self.store.lease(mac, wanted, clock()).await? {
            Ok(lease) => lease,
            Err(holder) => return Ok(Err(holder)),
        };
        let (store, token) = (self.store.clone(), lease.token());
        let renewing = tokio::spawn(async move {
            let mut every = tokio::time::interval((ttl / 3).max(Duration::from_millis(1)));
            every.set_missed_tick_behavior(MissedTickBehavior::Delay);
            // The first is due at once, and the lease is new.
            every.tick().await;
            loop {
                every.tick().await;
                // Where it cannot be written now, the next one may be in time; where it was taken over, the next
                // thing to be written down says so.
                if let Ok(false) = store.renew(mac, token, ttl, clock()).await {
                    return;
                }
            }
        });
        Ok(Ok(Hold { lease, renewing }))
    }
}
