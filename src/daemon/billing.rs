//! Billing in the daemon: a clerk for each system, what wakes it, and what is told of it.
//!
//! A clerk works on a task and in a mirror of its own: no round waits for it, and none fails by it. What it commits comes into force as
//! anybody's commit does.

mod door;
mod notes;
mod seen;
pub mod settings;
mod told;
mod worker;

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::tz::TimeZone;

use crate::biller::Connection;
use crate::clerk::Desk;
use crate::diagnostic::chain;
use crate::domain::BillingKind;
use crate::repo::remote::{Mirror, Origin};
use crate::transport::credentials::Keyring;

use super::access::{Way, access, destination};
use super::settings::Settings;
use super::source::AT_MOST;

pub use told::{Billed, Knocked};

pub(super) use door::{Answer, Doors, Knock};
pub(super) use worker::{Office, Place, Premises};

/// The clerks' mirror of the repository: beside the daemon's own, which sees every commit of theirs come in from elsewhere.
#[must_use]
pub fn mirror_beside(mirror: &Path) -> PathBuf {
    mirror.with_extension("billing.git")
}

/// Where the clerk of a system works, by settings and secrets as they are now.
///
/// # Errors
///
/// What is wrong with them, in words. Operator's fault.
pub fn desk(settings: &Settings, mirror: &Mirror, kind: BillingKind, keyring: &Keyring) -> Result<Desk, String> {
    let address = settings.address().map_err(|error| chain(&error))?;
    let forge = match &settings.forge {
        None => None,
        Some(forge) => {
            let login = keyring.login(&forge.credentials).map_err(|error| chain(&error))?;
            Some(forge.open(&login).map_err(|not_taken| not_taken.reason)?)
        }
    };
    Ok(Desk {
        mirror: mirror.clone(),
        origin: Origin {
            branch: settings.repository.branch.clone(),
            access: access(&address, &Way::to_repository(settings), keyring).map_err(|error| chain(&error))?,
            within: Duration::from(settings.repository.within),
            at_most: AT_MOST,
            address,
        },
        destination: destination(settings, &Way::to_bill(settings), keyring).map_err(|error| chain(&error))?,
        folder: settings.repository.folder.clone(),
        connection: connection(settings, kind, keyring)?,
        forge,
    })
}

/// What a system is reached with.
fn connection(settings: &Settings, kind: BillingKind, keyring: &Keyring) -> Result<Connection, String> {
    let system = settings.billing.as_ref().and_then(|billing| billing.system(kind));
    let system = system.ok_or_else(|| format!("the settings have no `billing.{}`", kind.key()))?;
    let login = |name: &str| keyring.login(name).map_err(|error| chain(&error));
    let parts = login(&system.credentials)?;
    let secret = parts.password.filter(|secret| !secret.is_empty());
    let secret = secret.ok_or_else(|| format!("credentials `{}` have no password", system.credentials))?;
    let hook_secret = match &system.webhook {
        None => None,
        Some(hook) => login(&hook.credentials)?.password.filter(|secret| !secret.is_empty()),
    };
    let authorities = system
        .authorities
        .as_ref()
        .map(|path| std::fs::read_to_string(path).map_err(|error| format!("reading {}: {error}", path.display())));
    Ok(Connection {
        url: system.url.clone(),
        key: parts.username,
        secret,
        hook_secret,
        authorities: authorities.transpose()?,
        auth: system.auth,
        above: 0,
        extras: std::collections::BTreeSet::new(),
        zone: TimeZone::get(&system.time_zone).map_err(|error| error.to_string())?,
        within: Duration::from(system.within),
    })
}
