//! Short proofs that a configuration is still the one that was looked at.

use sha2::{Digest as _, Sha256};

use super::{DeviceConfig, RunningConfig};

/// SHA-256, in hex, over a value as JSON: equal for equal values.
#[must_use]
pub fn sha256(value: &impl serde::Serialize) -> String {
    // Room for a full building, so that the text does not move while it grows.
    let mut canonical = Vec::with_capacity(16 * 1024);
    // Plain structs with ordered maps always serialise; the empty text stands in so that this cannot panic.
    if serde_json::to_writer(&mut canonical, value).is_err() {
        canonical.clear();
    }
    let digest = Sha256::digest(&canonical);
    let digit = |number: u8| char::from_digit(u32::from(number), 16).unwrap_or_default();
    (digest.iter())
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)])
        .collect()
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
        self.managed.settings() == other.managed.settings() && self.other == other.other
    }
}
