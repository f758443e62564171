//! All that a plan asks of one device: one question in place of four, since a fleet asks them at the same time.

use std::sync::Arc;

use crate::domain::{Firmware, MacAddr};
use crate::plan::impact::duration::Timings;
use crate::plan::record::Record;

use super::confirmation::{self, Confirmation};
use super::journal::{self, RunSummary};
use super::{Store, StoreError, ownership, timings};

/// What is remembered of a device, for planning it.
#[derive(Debug, Clone)]
pub struct Known {
    /// What gamops owns there.
    pub records: Arc<Vec<Record>>,
    /// The latest run that touched it and was not taken back.
    pub last: Option<RunSummary>,
    /// The run there that waits to be confirmed.
    pub unconfirmed: Option<Confirmation>,
    /// What commands took on devices of its firmware.
    pub timings: Timings,
}

impl Store {
    /// What is remembered of a device with this firmware, all as of one moment.
    ///
    /// # Errors
    ///
    /// [`StoreError`] where the database cannot be used.
    pub async fn known(&self, mac: MacAddr, firmware: &Firmware) -> Result<Known, StoreError> {
        let firmware = firmware.to_string();
        self.call(move |db| {
            Ok(Known {
                records: Arc::new(ownership::records(db, mac)?),
                last: journal::last_run(db, mac)?,
                unconfirmed: confirmation::unconfirmed(db, mac)?,
                timings: timings::timings(db, &firmware)?,
            })
        })
        .await
    }
}
