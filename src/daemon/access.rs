//! What gets the daemon into a repository.

use std::path::PathBuf;
use std::time::Duration;

use crate::repo::remote::{Access, Address, Destination};
use crate::transport::credentials::Keyring;
use crate::transport::http::Http;
use crate::transport::ssh::{HostKeyCheck, HostKeyPolicy, PrivateKey, known_host};

use super::settings::Settings;
use super::source::LookError;

/// What the settings say about a repository, beside its address.
#[derive(Debug, Clone)]
pub(super) struct Way {
    credentials: Option<String>,
    known_hosts: Option<PathBuf>,
    authorities: Option<PathBuf>,
}

impl Way {
    /// To the repository that is followed.
    pub(super) fn to_repository(settings: &Settings) -> Self {
        let repository = &settings.repository;
        Self {
            credentials: repository.credentials.clone(),
            known_hosts: repository.known_hosts.clone(),
            authorities: repository.authorities.clone(),
        }
    }

    /// To the same, to put branches there.
    pub(super) fn to_adopt(settings: &Settings) -> Self {
        let usual = Self::to_repository(settings);
        Self {
            credentials: settings.drift.credentials.clone().or(usual.credentials),
            ..usual
        }
    }

    /// To the same, to put what billing systems ask for on the branch.
    pub(super) fn to_bill(settings: &Settings) -> Self {
        let usual = Self::to_repository(settings);
        let own = settings
            .billing
            .as_ref()
            .and_then(|billing| billing.credentials.clone());
        Self {
            credentials: own.or(usual.credentials),
            ..usual
        }
    }

    /// To the one that what was observed is put into. Where it is the same, what is not said of it is as for following.
    pub(super) fn to_observed(settings: &Settings) -> Self {
        let observed = &settings.observed;
        let usual = match &observed.remote {
            None => Self::to_repository(settings),
            Some(_) => Self {
                credentials: None,
                known_hosts: None,
                authorities: None,
            },
        };
        Self {
            credentials: observed.credentials.clone().or(usual.credentials),
            known_hosts: observed.known_hosts.clone().or(usual.known_hosts),
            authorities: observed.authorities.clone().or(usual.authorities),
        }
    }
}

/// Where commits for the branch that is followed go: how we get in, and what they are signed with. Read anew each time as well.
pub(super) fn destination(settings: &Settings, way: &Way, keyring: &Keyring) -> Result<Destination, LookError> {
    let address = settings.address()?;
    let signed_with = match &settings.repository.sign_with {
        None => None,
        Some(name) => Some(private_key(name, keyring)?.ok_or_else(|| LookError::SignsNothing { name: name.clone() })?),
    };
    Ok(Destination {
        access: access(&address, way, keyring)?,
        address,
        within: Duration::from(settings.repository.within),
        signed_with,
    })
}

/// The private key that credentials have, if they have one.
fn private_key(name: &str, keyring: &Keyring) -> Result<Option<PrivateKey>, LookError> {
    let login = keyring.login(name)?;
    let passphrase = login.password.filter(|text| !text.is_empty());
    let key = login.key.map(|text| PrivateKey::parse(&text, passphrase.as_ref()));
    key.transpose().map_err(|source| LookError::Key {
        name: name.to_owned(),
        source,
    })
}

/// What gets us in, read anew each time: a token may have been exchanged.
pub(super) fn access(address: &Address, way: &Way, keyring: &Keyring) -> Result<Access, LookError> {
    match address {
        Address::Folder(_) | Address::Git(_) => Ok(Access::Open),
        Address::Http(_) => {
            let authorities = way.authorities.as_ref().map(read).transpose()?;
            let name = way.credentials.as_deref();
            let login = name.map(|name| keyring.login(name)).transpose()?;
            let basic =
                login.and_then(|login| Some((login.username.unwrap_or_else(|| "git".to_owned()), login.password?)));
            Ok(Access::Http {
                http: Http::new(authorities.as_deref())?,
                basic,
            })
        }
        Address::Ssh { host, port, .. } => {
            let name = way.credentials.as_deref().ok_or(LookError::NoKey)?;
            let key = private_key(name, keyring)?.ok_or(LookError::NoKey)?;
            let unknown = || LookError::NoHostKey {
                host: if *port == 22 {
                    host.clone()
                } else {
                    format!("[{host}]:{port}")
                },
            };
            let path = way.known_hosts.as_ref().ok_or_else(unknown)?;
            let failed = |source| LookError::File {
                path: path.clone(),
                source,
            };
            let pinned = known_host(path, host, *port).map_err(failed)?.ok_or_else(unknown)?;
            Ok(Access::Ssh {
                key,
                host_key: HostKeyCheck {
                    pinned: Some(pinned),
                    policy: HostKeyPolicy::Strict,
                },
            })
        }
    }
}

fn read(path: &PathBuf) -> Result<String, LookError> {
    std::fs::read_to_string(path).map_err(|source| LookError::File {
        path: path.clone(),
        source,
    })
}
