//! What the settings say of billing: how systems are reached, and how often. What their words mean is in the inventory.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::biller::Auth;
use crate::domain::{AddressRange, BillingKind, TimeSpan};

/// Billing systems that change the inventory by commits.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Billing {
    /// Splynx.
    #[serde(default)]
    pub splynx: Option<System>,
    /// Sonar.
    #[serde(default)]
    pub sonar: Option<System>,
    /// Name of the credentials that may push to the branch; those of `repository` unless said.
    #[serde(default)]
    pub credentials: Option<String>,
    /// Where more accounts than so many are written to at once, they are one commit; else each is one of its own.
    #[serde(default = "one_by_one")]
    pub one_by_one: u16,
}

const fn one_by_one() -> u16 {
    20
}

/// How a billing system is reached.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct System {
    /// Its address, without the path of the API: `https://isp.splynx.app`.
    pub url: String,
    /// Name of its credentials. Splynx: the API key as user name, its secret as password. Sonar: a personal access token as password.
    pub credentials: String,
    /// Splynx: how it knows who asks: `token` (the default), `signature` on each request, or `basic` where the key allows that.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub auth: Auth,
    /// How often everything is looked at: `5m`.
    #[serde(default = "poll")]
    #[schemars(with = "String")]
    pub poll: TimeSpan,
    /// How long one answer may take.
    #[serde(default = "within")]
    #[schemars(with = "String")]
    pub within: TimeSpan,
    /// File of certificates in PEM form that are trusted as well.
    #[serde(default)]
    pub authorities: Option<PathBuf>,
    /// The zone of its dates, such as `Europe/Berlin`. UTC unless said.
    #[serde(default = "zone")]
    pub time_zone: String,
    /// Whether a note on the account says what became of each change: on the device, or not yet and why.
    #[serde(default)]
    pub notes: bool,
    /// Where it knocks when something changes; `http.listen` has to be set.
    #[serde(default)]
    pub webhook: Option<Hook>,
}

fn poll() -> TimeSpan {
    TimeSpan::from_secs(5 * 60)
}

fn within() -> TimeSpan {
    TimeSpan::from_secs(2 * 60)
}

fn zone() -> String {
    "UTC".to_owned()
}

/// Where a billing system knocks.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hook {
    /// Name of the credentials whose password is the secret. Splynx signs with it, at `/billing/splynx`. Sonar signs nothing: it is the last
    /// part of the path, `/billing/sonar/SECRET`.
    pub credentials: String,
    /// Addresses and networks that may knock. Anybody unless said.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub from: Vec<AddressRange>,
}

impl Billing {
    /// The systems that there are.
    pub fn systems(&self) -> impl Iterator<Item = (BillingKind, &System)> {
        let of = |kind| Some((kind, self.system(kind)?));
        BillingKind::ALL.into_iter().filter_map(of)
    }

    /// A system.
    #[must_use]
    pub const fn system(&self, kind: BillingKind) -> Option<&System> {
        match kind {
            BillingKind::Splynx => self.splynx.as_ref(),
            BillingKind::Sonar => self.sonar.as_ref(),
        }
    }

    /// Says what is wrong with it, if anything is; files are looked for beside the settings.
    pub(in crate::daemon) fn settle(&mut self, beside: &Path, has_pages: bool) -> Result<(), String> {
        if self.splynx.is_none() && self.sonar.is_none() {
            return Err("billing: it names neither `splynx` nor `sonar`".to_owned());
        }
        for (key, system) in [("splynx", &mut self.splynx), ("sonar", &mut self.sonar)] {
            let Some(system) = system else { continue };
            let wrong = |what: String| Err(format!("billing.{key}: {what}"));
            if Duration::from(system.poll) < Duration::from_secs(10) {
                return wrong("`poll` is ten seconds at least".to_owned());
            }
            if Duration::from(system.within) < Duration::from_secs(1) {
                return wrong("`within` is one second at least".to_owned());
            }
            if let Err(error) = TimeZone::get(&system.time_zone) {
                return wrong(format!("`time_zone`: {error}"));
            }
            if system.webhook.is_some() && !has_pages {
                return wrong("`webhook` needs `http.listen`, where it is served".to_owned());
            }
            system.authorities = system.authorities.take().map(|path| beside.join(path));
        }
        Ok(())
    }
}
