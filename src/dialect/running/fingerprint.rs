//! Fingerprints of configurations: equal configuration, equal fingerprint, whatever the printed order.
//!
//! Made over a text of our own, not over the device's: strings are escaped there, so that no odd name can
//! look like a line break or a keyword.

use sha2::{Digest as _, Sha256};

use crate::domain::hex;
use crate::observed::{DeviceConfig, RunningConfig};

use super::render::lines;

/// SHA-256, 64 lower-case hex digits, over the managed part and the other lines. Warnings take no part.
#[must_use]
pub fn fingerprint(config: &RunningConfig) -> String {
    let mut text = canonical(&config.managed);
    for line in &config.other {
        text.push_str("other ");
        text.push_str(&escaped(line));
        text.push('\n');
    }
    digest(&text)
}

/// SHA-256, 64 lower-case hex digits, over the managed part alone.
#[must_use]
pub fn managed_fingerprint(config: &DeviceConfig) -> String {
    digest(&canonical(config))
}

fn canonical(config: &DeviceConfig) -> String {
    lines(&config.settings(), &escaped).join("\n") + "\n"
}

fn escaped(text: &str) -> String {
    format!("\"{}\"", text.escape_default())
}

fn digest(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}
