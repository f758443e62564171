//! Which events a channel gets.

use globset::{Glob, GlobMatcher};
use schemars::JsonSchema;
use serde::Deserialize;

use super::model::{Event, Kind, Severity};

/// Which events a channel gets: those to which everything applies that is said here. Nothing said: all but `applied`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct When {
    /// Only of these kinds. `applied` comes only where it is named here.
    pub kinds: Vec<Kind>,
    /// Only what matters that much: `info`, `warning`, `critical`.
    pub severity: Option<Severity>,
    /// Of what is about a device, only if its key is like one of these: `maple-*`.
    #[schemars(with = "Vec<String>")]
    pub devices: Vec<Pattern>,
    /// Of what is about a device, only if its site's key is like one of these.
    #[schemars(with = "Vec<String>")]
    pub sites: Vec<Pattern>,
}

/// What keys may look like: `*` stands for any letters, `?` for one, `{a,b}` for either.
#[derive(Debug, Clone)]
pub struct Pattern(GlobMatcher);

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let glob = Glob::new(&text).map_err(serde::de::Error::custom)?;
        Ok(Self(glob.compile_matcher()))
    }
}

impl When {
    /// Whether a channel with this filter gets the event.
    #[must_use]
    pub fn lets_through(&self, event: &Event) -> bool {
        let is_asked_for = self.kinds.contains(&event.kind);
        let of_kind = is_asked_for || self.kinds.is_empty() && event.kind != Kind::Applied;
        let severe = self.severity.is_none_or(|least| event.kind.severity() >= least);
        let is_like = |patterns: &[Pattern], key: Option<&str>| {
            patterns.is_empty() || key.is_some_and(|key| patterns.iter().any(|pattern| pattern.0.is_match(key)))
        };
        let of_device = event.device.is_none()
            || is_like(&self.devices, event.device.as_deref()) && is_like(&self.sites, event.site.as_deref());
        of_kind && severe && of_device
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::alert::Turn;

    fn event(kind: Kind, device: Option<&str>, site: Option<&str>) -> Event {
        Event {
            kind,
            state: Turn::Raised,
            device: device.map(str::to_owned),
            site: site.map(str::to_owned),
            billing: None,
            reason: String::new(),
            commit: None,
            since: Timestamp::UNIX_EPOCH,
            at: Timestamp::UNIX_EPOCH,
        }
    }

    fn lets_through(filter: &str, kind: Kind, device: Option<&str>, site: Option<&str>) -> bool {
        let when: When = serde_json::from_str(filter).unwrap();
        when.lets_through(&event(kind, device, site))
    }

    #[test]
    fn everything_said_has_to_apply() {
        let of = |filter, kind| lets_through(filter, kind, Some("maple-1"), Some("north"));
        assert!(of("{}", Kind::Drifted));
        assert!(!of("{}", Kind::Applied));
        assert!(of(r#"{"kinds": ["applied"]}"#, Kind::Applied));
        assert!(!of(r#"{"kinds": ["applied"]}"#, Kind::Drifted));
        assert!(!of(r#"{"severity": "critical"}"#, Kind::Drifted));
        assert!(of(r#"{"severity": "critical"}"#, Kind::Failed));
        assert!(of(r#"{"devices": ["oak-*", "maple-?"]}"#, Kind::Failed));
        assert!(!of(r#"{"devices": ["oak-*"]}"#, Kind::Failed));
        assert!(of(r#"{"devices": ["maple-*"], "sites": ["n*"]}"#, Kind::Failed));
        assert!(!of(r#"{"devices": ["maple-*"], "sites": ["south"]}"#, Kind::Failed));
    }

    #[test]
    fn devices_and_sites_are_no_filter_for_what_is_about_none() {
        let filter = r#"{"devices": ["oak-*"], "sites": ["south"]}"#;
        assert!(lets_through(filter, Kind::CommitRejected, None, None));
        // A device without a site is at none of those that are named.
        assert!(!lets_through(r#"{"sites": ["*"]}"#, Kind::Drifted, Some("oak-1"), None));
    }

    #[test]
    fn a_pattern_that_is_none_is_refused() {
        assert!(serde_json::from_str::<When>(r#"{"devices": ["a{b"]}"#).is_err());
    }
}
