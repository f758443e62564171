//! Short proofs that a configuration is still the one that was looked at.

use std::io::{BufWriter, Write};

use sha2::{Digest as _, Sha256};

use crate::domain::hex;

use super::{DeviceConfig, RunningConfig};

/// SHA-256, in hex, over a value as JSON: equal for equal values. The JSON, which may be that of a whole fleet, is never
/// held as a whole.
#[must_use]
pub fn sha256(value: &impl serde::Serialize) -> String {
    let mut hasher = Hasher(Sha256::new());
    let mut canonical = BufWriter::new(&mut hasher);
    // Plain structs with ordered maps always serialise; the empty text stands in so that this cannot panic.
    let written = serde_json::to_writer(&mut canonical, value);
    let is_whole = written.is_ok() && canonical.flush().is_ok();
    drop(canonical);
    let digest = if is_whole {
        hasher.0.finalize()
    } else {
        Sha256::digest([])
    };
    hex(&digest)
}

/// Takes bytes as a file would.
struct Hasher(Sha256);

impl Write for Hasher {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl DeviceConfig {
    /// SHA-256, in hex, over the managed configuration. Equal exactly where the settings are equal; endpoints
    /// that a port-aware device added by itself are none.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        sha256(&*self.settings())
    }
}

impl RunningConfig {
    /// SHA-256, in hex, over all that was configured, the lines that gamops does not manage included.
    /// Secrets take no part: they were masked on reading.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        sha256(&(&*self.managed.settings(), &self.other))
    }

    /// Whether two readings hold the same configuration; what was odd about the text does not matter.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        std::ptr::eq(self, other) || self.managed.settings() == other.managed.settings() && self.other == other.other
    }
}
