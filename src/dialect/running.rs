//! `show running-config` text to and from typed configuration.
//!
//! Owns the shape of that text: the same for `all-defaults` and for the startup-config file. Reading never
//! fails on what it does not understand: that is kept, with a warning that names the line. It fails on a
//! text that is not whole, because a half-read configuration would plan away the other half.

mod fingerprint;
mod frame;
mod management;
mod object;
mod oddities;
mod render;
pub(super) mod words;

#[cfg(test)]
mod tests;

pub use fingerprint::{fingerprint, managed_fingerprint};
pub use management::management_address;
pub use oddities::oddities;
pub use render::{canonical, render};

use std::collections::BTreeMap;

use crate::dialect::redact;
use crate::domain::SubscriberId;
use crate::observed::{DeviceConfig, ObjectId, ProfileRef, RunningConfig};

/// The text is not a whole configuration. The session's or the device's fault: read it again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Incomplete {
    /// The device always closes with `end`.
    #[error("the configuration text stops after line {lines} without `end`")]
    NoEnd {
        /// The last line that holds anything; 0 for an empty text.
        lines: usize,
    },
    /// Something other than the prompt follows `end`: two answers ran into each other.
    #[error("line {line} of the configuration text comes after `end`")]
    AfterEnd {
        /// Where, from 1.
        line: usize,
    },
    /// The device put an error message into the text.
    #[error("the device broke into its configuration text at line {line}: {text}")]
    Interrupted {
        /// Where, from 1.
        line: usize,
        /// What it said, secrets masked.
        text: String,
    },
}

/// Reads a configuration.
///
/// Keywords may come in any order, defaults be printed or left out, one object stand on several lines.
/// Values that our types cannot hold (VLAN 4095, an unknown word) are kept in the object's `unknown`.
/// `other` holds every line that is not `ghn port|bw-profile|endpoint|subscriber` or `hostname`, trimmed,
/// section lines with one leading blank, secrets masked.
///
/// Left out of `other` are the `interface G.hn` sections alone: the device computes them from the
/// subscribers (seen on 1.5.4), so they would differ after each change of ours. `vlan` lists stay: the guide
/// has them as the operator's own, for access ports, and nobody has seen a subscriber's VLAN appear there.
///
/// # Errors
///
/// [`Incomplete`] when the text does not close with `end`, goes on after it, or holds an error message.
pub fn parse(text: &str) -> Result<RunningConfig, Incomplete> {
    let lines = frame::lines(text)?;
    let mut reader = object::Reader::default();
    let mut other = Vec::new();
    let mut computed = false;
    for line in &lines {
        if !line.indented {
            computed = line.text.starts_with("interface G.hn ");
        }
        let understood = reader.line(line);
        if understood || computed {
            continue;
        }
        let masked = redact::line(&line.text);
        other.push(if line.indented { format!(" {masked}") } else { masked });
    }
    let (managed, mut warnings) = reader.finish();
    warnings.extend(oddities(&managed));
    Ok(RunningConfig {
        managed: managed.into(),
        other,
        warnings,
    })
}

/// A configuration as people keep it: the lines as printed, secrets masked, without what the frame and the terminal add,
/// and with a `!` behind each section. The same configuration gives the same text.
///
/// # Errors
///
/// As [`parse`]: half a configuration is none.
pub fn readable(text: &str) -> Result<String, Incomplete> {
    let mut out = String::new();
    let mut in_section = false;
    for line in frame::lines(text)? {
        if in_section && !line.indented {
            out.push_str("!\n");
        }
        in_section = line.indented;
        out.push_str(if line.indented { " " } else { "" });
        out.push_str(&redact::line(&line.text));
        out.push('\n');
    }
    Ok(out)
}

/// The objects of which a setting could not be read, with those settings as printed: `vid 4095`, a rate in words. gamops
/// keeps them, and what it knows of such an object is less than the device does.
#[must_use]
pub fn unreadable(config: &DeviceConfig) -> BTreeMap<ObjectId, Vec<String>> {
    object::unreadable(config)
}

/// Whether two configuration texts are the same line by line, but for the heading that a device puts before one and not
/// the other: then both read as the same configuration, or neither as one.
#[must_use]
pub fn says_the_same(one: &str, other: &str) -> bool {
    frame::body(one).eq(frame::body(other))
}

/// What `bw-profile` means where the device does not print it, learned by comparing the plain text with
/// `all-defaults`. `None` when no subscriber tells, or two tell different things.
#[must_use]
pub fn default_subscriber_profile(plain: &RunningConfig, all_defaults: &RunningConfig) -> Option<ProfileRef> {
    let told = |id: &SubscriberId| all_defaults.managed.subscribers.get(id)?.profile;
    let mut learned = plain
        .managed
        .subscribers
        .iter()
        .filter(|(_, subscriber)| subscriber.profile.is_none())
        .filter_map(|(id, _)| told(id));
    let first = learned.next()?;
    learned.all(|next| next == first).then_some(first)
}
