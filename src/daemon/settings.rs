//! What the daemon is told: a YAML file without secrets.
//!
//! Credentials are names here too; their values come from where every command takes them.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::domain::TimeSpan;
use crate::inventory::drift::Then;
use crate::repo::remote::{Address, InvalidAddress};
use crate::repo::signature::{Signers, SignersError};
use crate::transport::ssh::HostKeyPolicy;

use super::billing::settings::Billing;
use super::reviewed::Reviewed;
use super::tell::commit::ForgeSettings;
use super::tell::settings::Tell;

/// The settings of `gamops daemon`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where the inventory is followed.
    pub repository: Repository,
    /// State database; by default `<inventory id>.db` where `gamops apply` has it too.
    #[serde(default)]
    pub state: Option<PathBuf>,
    /// Folder for the copy of the repository; by default beside the state database.
    #[serde(default)]
    pub mirror: Option<PathBuf>,
    /// How devices are looked after.
    #[serde(default)]
    pub devices: Devices,
    /// What is done about changes that were not made through the inventory.
    #[serde(default)]
    pub drift: Drift,
    /// Whether and where it is published what was observed on the devices.
    #[serde(default)]
    pub observed: Observed,
    /// Where pages are served: health, metrics, status, webhooks. Nowhere unless said.
    #[serde(default)]
    pub http: Option<Http>,
    /// Whom to tell when something changes for the worse or is over.
    #[serde(default)]
    pub tell: Tell,
    /// The forge that is told how commits fare. None unless said.
    #[serde(default)]
    pub forge: Option<ForgeSettings>,
    /// Whether a plan may be bigger than the one that was reviewed. It may unless said.
    #[serde(default)]
    pub reviewed: Option<Reviewed>,
    /// Billing systems that change the inventory by commits. None unless said.
    #[serde(default)]
    pub billing: Option<Billing>,
}

/// Where the inventory is followed.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Repository {
    /// A folder, or `file://`, `https://`, `ssh://`, `git://`, `user@host:path`. A folder that is no Git repository is
    /// followed as it is.
    pub address: String,
    /// The branch that is applied.
    #[serde(default = "main")]
    pub branch: String,
    /// The folder of the repository that holds `gamops.yaml`; its top unless said.
    #[serde(default)]
    pub folder: String,
    /// Name of the credentials: user and password or token for HTTPS, a private key for SSH.
    #[serde(default)]
    pub credentials: Option<String>,
    /// File of host keys in OpenSSH's form, for SSH.
    #[serde(default)]
    pub known_hosts: Option<PathBuf>,
    /// File of certificates in PEM form that are trusted as well, for HTTPS.
    #[serde(default)]
    pub authorities: Option<PathBuf>,
    /// Only commits that one of these keys has signed count. Every commit does unless this is said.
    #[serde(default)]
    pub signed_by: Option<SignedBy>,
    /// Name of the credentials whose private SSH key signs the commits that gamops makes for people's branches: those of billing
    /// and those that adopt drift. They are not signed unless this is said.
    #[serde(default)]
    pub sign_with: Option<String>,
    /// How often it is looked at without being asked to: `60s`, `5m`.
    #[serde(default = "minute")]
    #[schemars(with = "String")]
    pub poll: TimeSpan,
    /// How long a look at it may take.
    #[serde(default = "two_minutes")]
    #[schemars(with = "String")]
    pub within: TimeSpan,
}

/// Whose commits count: one list or both.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignedBy {
    /// File of SSH keys in the form of OpenSSH's `allowed_signers`, as `git config gpg.ssh.allowedSignersFile` names it.
    #[serde(default)]
    pub ssh: Option<PathBuf>,
    /// File of OpenPGP public keys, or a folder of such files; `gpgv` has to be installed.
    #[serde(default)]
    pub openpgp: Option<PathBuf>,
}

impl SignedBy {
    /// Reads the keys.
    ///
    /// # Errors
    ///
    /// [`SignersError`].
    pub fn read(&self) -> Result<Signers, SignersError> {
        Signers::read(self.ssh.as_deref(), self.openpgp.as_deref())
    }
}

/// How devices are looked after.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Devices {
    /// How many are read at once, 1 to 1024. Each takes about 0.2 MB of memory while it is read.
    #[schemars(range(min = 1, max = 1024))]
    pub read_at_once: u16,
    /// How many are changed at once, 1 to 512.
    #[schemars(range(min = 1, max = 512))]
    pub change_at_once: u16,
    /// How many of one site are changed at once, 1 to 512; as many as of all unless said.
    #[schemars(range(min = 1, max = 512))]
    pub change_at_once_per_site: Option<u16>,
    /// After how long one that could not be reached is tried again; each failure doubles it, up to `retry_at_most`.
    #[schemars(with = "String")]
    pub retry: TimeSpan,
    /// The longest time between two tries.
    #[schemars(with = "String")]
    pub retry_at_most: TimeSpan,
    /// How long a device that goes away under a change is looked for within the same round, so that it is given back what it held
    /// before. Rounds wait that long for it; afterwards it is gone on with whenever it is back.
    #[schemars(with = "String")]
    pub reconnect_within: TimeSpan,
    /// What to do about a device whose SSH host key was never seen: `accept-new` pins it, `strict` refuses it unless the
    /// inventory names it.
    #[serde(deserialize_with = "from_text")]
    #[schemars(with = "String")]
    pub host_keys: HostKeyPolicy,
}

impl Default for Devices {
    fn default() -> Self {
        Self {
            read_at_once: 64,
            change_at_once: 16,
            change_at_once_per_site: None,
            retry: TimeSpan::from_secs(30),
            retry_at_most: TimeSpan::from_secs(30 * 60),
            reconnect_within: TimeSpan::from_secs(60),
            host_keys: HostKeyPolicy::default(),
        }
    }
}

/// What is done about changes that were not made through the inventory.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Drift {
    /// How often every device is read to find it.
    #[schemars(with = "String")]
    pub every: TimeSpan,
    /// What is done about it where the inventory does not say (`drift.then` of `policies` and of devices).
    pub then: Then,
    /// How often within `within` a device is set right, 1 to 100. One that is changed behind gamops's back once more is left to
    /// people: somebody, or something, means it.
    #[schemars(range(min = 1, max = 100))]
    pub at_most: u8,
    /// For how long a time that counts.
    #[schemars(with = "String")]
    pub within: TimeSpan,
    /// Name of the credentials that may push the branches with what is to be adopted; those of `repository` unless said.
    pub credentials: Option<String>,
}

impl Default for Drift {
    fn default() -> Self {
        Self {
            every: TimeSpan::from_secs(30 * 60),
            then: Then::Report,
            at_most: 3,
            within: TimeSpan::from_secs(24 * 60 * 60),
            credentials: None,
        }
    }
}

/// Whether and where it is published what was observed on the devices, as `refs/gamops/observed` and `refs/gamops/heartbeat`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Observed {
    /// Whether it is. Names and addresses of subscribers' equipment go where it is put, and it takes the right to write there.
    pub publish: bool,
    /// Another repository than the one that is followed.
    pub remote: Option<String>,
    /// Name of the credentials that may write there; those of `repository` where it is the same one.
    pub credentials: Option<String>,
    /// File of host keys in OpenSSH's form, for SSH; that of `repository` where it is the same one.
    pub known_hosts: Option<PathBuf>,
    /// File of certificates in PEM form, for HTTPS; that of `repository` where it is the same one.
    pub authorities: Option<PathBuf>,
}

/// Where pages are served.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// Address and port. Nothing there is encrypted: put a proxy in front where it is not for this machine alone.
    #[schemars(with = "String")]
    pub listen: SocketAddr,
    /// Name of the credentials whose password webhooks are signed with. Without it there is no webhook.
    #[serde(default)]
    pub webhook_credentials: Option<String>,
}

fn from_text<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<HostKeyPolicy, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(serde::de::Error::custom)
}

fn main() -> String {
    "main".to_owned()
}

fn minute() -> TimeSpan {
    TimeSpan::from_secs(60)
}

fn two_minutes() -> TimeSpan {
    TimeSpan::from_secs(120)
}

/// The settings cannot be used. Operator's fault.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("reading the settings {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// It is not what settings look like.
    #[error("{}: {source}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What, with line and column.
        source: serde_yaml::Error,
    },
    /// The address of a repository is none.
    #[error("{}: {key}: {source}", path.display())]
    Address {
        /// The file.
        path: PathBuf,
        /// Which address.
        key: &'static str,
        /// Why not.
        source: InvalidAddress,
    },
    /// Nobody can be told like that.
    #[error("{}: {what}", path.display())]
    Tell {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        what: String,
    },
    /// A number or time is out of its range.
    #[error("{}: {what}", path.display())]
    Range {
        /// The file.
        path: PathBuf,
        /// Which, and what it may be.
        what: &'static str,
    },
}

impl Settings {
    /// Reads a settings file.
    ///
    /// # Errors
    ///
    /// [`SettingsError`].
    pub fn read(path: &Path) -> Result<Self, SettingsError> {
        let text = std::fs::read_to_string(path).map_err(|source| SettingsError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(path, &text)
    }

    /// Reads the text of a settings file. Relative paths in it are looked for beside it.
    ///
    /// # Errors
    ///
    /// [`SettingsError`].
    pub fn parse(path: &Path, text: &str) -> Result<Self, SettingsError> {
        let mut settings: Self = serde_yaml::from_str(text).map_err(|source| SettingsError::Invalid {
            path: path.to_owned(),
            source,
        })?;
        let range = |what| {
            Err(SettingsError::Range {
                path: path.to_owned(),
                what,
            })
        };
        let Devices {
            read_at_once,
            change_at_once,
            change_at_once_per_site,
            retry,
            retry_at_most,
            reconnect_within,
            ..
        } = settings.devices;
        if !(1..=1024).contains(&read_at_once) {
            return range("devices.read_at_once is 1 to 1024");
        }
        if !(1..=512).contains(&change_at_once) {
            return range("devices.change_at_once is 1 to 512");
        }
        if change_at_once_per_site.is_some_and(|most| !(1..=512).contains(&most)) {
            return range("devices.change_at_once_per_site is 1 to 512");
        }
        let at_least_a_second = |time: TimeSpan| Duration::from(time) >= Duration::from_secs(1);
        if !at_least_a_second(retry) || retry_at_most < retry {
            return range("devices.retry is one second at least, and devices.retry_at_most not less");
        }
        if !at_least_a_second(reconnect_within) || Duration::from(reconnect_within) > Duration::from_secs(5 * 60) {
            return range("devices.reconnect_within is one second to five minutes");
        }
        if !at_least_a_second(settings.repository.poll) || !at_least_a_second(settings.drift.every) {
            return range("repository.poll and drift.every are one second at least");
        }
        if !(1..=100).contains(&settings.drift.at_most) || !at_least_a_second(settings.drift.within) {
            return range("drift.at_most is 1 to 100, and drift.within one second at least");
        }
        let invalid = |key| {
            move |source| SettingsError::Address {
                path: path.to_owned(),
                key,
                source,
            }
        };
        settings.address().map_err(invalid("repository.address"))?;
        if let Some(remote) = &settings.observed.remote {
            remote.parse::<Address>().map_err(invalid("observed.remote"))?;
        }
        if (settings.repository.signed_by.as_ref()).is_some_and(|keys| keys.ssh.is_none() && keys.openpgp.is_none()) {
            return range("repository.signed_by names a file for `ssh`, one for `openpgp`, or both");
        }
        if settings.reviewed.is_some() && settings.forge.is_none() {
            return range("reviewed: needs `forge`, where change requests and their plans are looked up");
        }
        let beside = path.parent().unwrap_or_else(|| Path::new(""));
        let forge = settings.forge.as_mut().map_or(Ok(()), |forge| forge.settle(beside));
        let has_pages = settings.http.is_some();
        let billing = (settings.billing.as_mut()).map_or(Ok(()), |billing| billing.settle(beside, has_pages));
        let settled = settings
            .tell
            .settle(beside)
            .and(forge.map_err(|what| format!("forge: {what}")))
            .and(billing);
        settled.map_err(|what| SettingsError::Tell {
            path: path.to_owned(),
            what,
        })?;
        let files = [
            &mut settings.state,
            &mut settings.mirror,
            &mut settings.repository.known_hosts,
            &mut settings.repository.authorities,
            &mut settings.observed.known_hosts,
            &mut settings.observed.authorities,
        ];
        let keys = (settings.repository.signed_by.as_mut()).map(|keys| [&mut keys.ssh, &mut keys.openpgp]);
        for file in files.into_iter().chain(keys.into_iter().flatten()).flatten() {
            *file = beside.join(&*file);
        }
        for address in [
            Some(&mut settings.repository.address),
            settings.observed.remote.as_mut(),
        ]
        .into_iter()
        .flatten()
        {
            if !address.contains(':') {
                *address = beside.join(&*address).to_string_lossy().into_owned();
            }
        }
        Ok(settings)
    }

    /// Where the repository is.
    ///
    /// # Errors
    ///
    /// [`InvalidAddress`], which [`Settings::parse`] has ruled out.
    pub fn address(&self) -> Result<Address, InvalidAddress> {
        self.repository.address.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Settings, String> {
        Settings::parse(Path::new("/etc/gamops/daemon.yaml"), text).map_err(|error| error.to_string())
    }

    #[test]
    fn an_address_is_all_that_has_to_be_said() {
        let settings = read("repository: {address: https://git.example.org/isp/network.git}").unwrap();
        assert_eq!(settings.repository.branch, "main");
        assert_eq!(settings.drift.then, Then::Report);
        assert!(settings.http.is_none());
    }

    #[test]
    fn files_are_looked_for_beside_the_settings() {
        let text = "state: isp.db\nrepository: {address: network, known_hosts: known_hosts, signed_by: {ssh: signers}}";
        let settings = read(text).unwrap();
        assert_eq!(settings.state.as_deref(), Some(Path::new("/etc/gamops/isp.db")));
        assert_eq!(settings.repository.address, "/etc/gamops/network");
        assert_eq!(
            settings.repository.known_hosts.as_deref(),
            Some(Path::new("/etc/gamops/known_hosts"))
        );
        let keys = settings.repository.signed_by.unwrap();
        assert_eq!(keys.ssh.as_deref(), Some(Path::new("/etc/gamops/signers")));
    }

    #[test]
    fn a_mistake_is_named_with_its_place() {
        let error = read("repository:\n  address: /srv/network\n  pol: 60s\n").unwrap_err();
        assert!(
            error.contains("unknown field `pol`") && error.contains("line 3"),
            "{error}"
        );
        let error = read("repository: {address: /srv/network, poll: 10ms}").unwrap_err();
        assert!(error.contains("line 1"), "{error}");
        for (text, what) in [
            (
                "repository: {address: /srv/n}\ndevices: {read_at_once: 0}",
                "devices.read_at_once is 1 to 1024",
            ),
            ("repository: {address: /srv/n, poll: 0s}", "are one second at least"),
            (
                "repository: {address: /srv/n}\ndevices: {retry: 10m, retry_at_most: 1m}",
                "devices.retry_at_most not less",
            ),
            (
                "repository: {address: /srv/n}\nreviewed: {credentials: review}",
                "reviewed: needs `forge`",
            ),
            (
                "repository: {address: /srv/n, signed_by: {}}",
                "repository.signed_by names a file for `ssh`",
            ),
            (
                "repository: {address: \"https://bob:canary@h/p\"}",
                "name credentials instead",
            ),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(what) && !error.contains("canary"), "{text}: {error}");
        }
    }
}
