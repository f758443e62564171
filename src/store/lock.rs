//! One device, one run: a lock file per device beside the database.
//!
//! The operating system gives the lock back when its holder ends, however it ends, so there is no clock to
//! trust and nothing to clean up after a kill. It reaches as far as the database does: one machine.

use std::fs::{File, OpenOptions, TryLockError};

use crate::domain::MacAddr;

use super::{Store, StoreError};

/// The right to change a device, held until this is dropped.
#[derive(Debug)]
pub struct DeviceLock {
    /// `None` for a database in memory, which no other process can share.
    _file: Option<File>,
}

impl Store {
    /// Takes the right to change a device. `None`: somebody else holds it now.
    ///
    /// # Errors
    ///
    /// [`StoreError::Lock`] where the lock file cannot be made or locked.
    pub fn lock_device(&self, mac: MacAddr) -> Result<Option<DeviceLock>, StoreError> {
        let Some(folder) = self.file.as_ref().map(|file| &file.locks) else {
            return Ok(Some(DeviceLock { _file: None }));
        };
        let path = folder.join(mac.to_string().replace(':', ""));
        let failed = |source| StoreError::Lock {
            path: path.clone(),
            source,
        };
        std::fs::create_dir_all(folder).map_err(failed)?;
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(DeviceLock { _file: Some(file) })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }
}
