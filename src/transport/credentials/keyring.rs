//! The one place that reads credentials from the process: its environment and files.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::{
    Credentials, CredentialsError, LoginParts, NotText, Settings, SettingsError, Variable, community, resolve,
    resolve_login, sealed,
};
use crate::domain::Secret;

/// The credentials of a name, from this process's environment and its settings file.
///
/// # Errors
///
/// See [`CredentialsError`].
pub fn from_environment(name: &str) -> Result<Credentials, CredentialsError> {
    let keyring = Keyring::from_environment().map_err(|source| CredentialsError::Settings {
        name: name.to_owned(),
        source,
    })?;
    keyring.credentials(name)
}

/// Every credential that this process can see.
#[derive(Debug, Clone)]
pub struct Keyring {
    settings: Settings,
}

impl Keyring {
    /// Reads the settings file that `GAMOPS_SETTINGS` names, or else `gamops/settings.yaml` or
    /// `gamops/settings.yaml.age` in `XDG_CONFIG_HOME` (or `~/.config`). The first must be there, the others need
    /// not. A name that ends in `.age` is an age file, opened with the key file that `GAMOPS_AGE_IDENTITY` names
    /// or with the passphrase in `GAMOPS_AGE_PASSPHRASE`.
    ///
    /// # Errors
    ///
    /// See [`SettingsError`]: unreadable, readable by others, or not a settings file.
    pub fn from_environment() -> Result<Self, SettingsError> {
        let variable = |name: &str| std::env::var_os(name);
        let (path, named) = settings_path(variable, Path::exists);
        let settings = match path {
            Some(path) if is_sealed(&path) => sealed::load(path, sealed::key(variable))?,
            Some(path) => load(path, named)?,
            None => Settings::none(None),
        };
        Ok(Self { settings })
    }

    /// The credentials of a name.
    ///
    /// # Errors
    ///
    /// See [`CredentialsError`].
    pub fn credentials(&self, name: &str) -> Result<Credentials, CredentialsError> {
        resolve(name, variable, &self.settings, |path| std::fs::read_to_string(path))
    }

    /// The read community of a name. Where that is all that the name has, it is enough.
    ///
    /// # Errors
    ///
    /// See [`CredentialsError`]: a name that has nothing at all is a mistake.
    pub fn community(&self, name: &str) -> Result<Secret, CredentialsError> {
        match community(name, variable, &self.settings)? {
            Some(community) => Ok(community),
            None => Ok(self.credentials(name)?.community),
        }
    }

    /// What the name gives of a login.
    ///
    /// # Errors
    ///
    /// See [`CredentialsError`].
    pub fn login(&self, name: &str) -> Result<LoginParts, CredentialsError> {
        resolve_login(name, variable, &self.settings, |path| std::fs::read_to_string(path))
    }
}

/// A variable of this process.
fn variable(name: &str) -> Variable {
    match std::env::var_os(name).map(OsString::into_string) {
        None => Ok(None),
        Some(Ok(text)) => Ok(Some(text)),
        Some(Err(_)) => Err(NotText),
    }
}

/// Whether a settings file is encrypted, by its name.
fn is_sealed(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "age")
}

/// The file to look for, and whether it was named, so that it must be there.
pub(super) fn settings_path(
    variable: impl Fn(&str) -> Option<OsString>,
    exists: impl Fn(&Path) -> bool,
) -> (Option<PathBuf>, bool) {
    let set = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(named) = set("GAMOPS_SETTINGS") {
        return (Some(named), true);
    }
    let folder = set("XDG_CONFIG_HOME").or_else(|| set("HOME").map(|home| home.join(".config")));
    let found = folder.map(|folder| {
        let plain = folder.join("gamops").join("settings.yaml");
        let encrypted = folder.join("gamops").join("settings.yaml.age");
        if !exists(&plain) && exists(&encrypted) {
            encrypted
        } else {
            plain
        }
    });
    (found, false)
}

pub(super) fn load(path: PathBuf, named: bool) -> Result<Settings, SettingsError> {
    match read_private(&path) {
        Ok(Readable::Private(text)) => Settings::parse(&path, &text),
        Ok(Readable::ByOthers { mode }) => Err(SettingsError::ReadableByOthers { path, mode }),
        Err(error) if error.kind() == io::ErrorKind::NotFound && !named => Ok(Settings::none(Some(path))),
        Err(source) => Err(SettingsError::Read { path, source }),
    }
}

enum Readable {
    Private(String),
    ByOthers { mode: u32 },
}

/// Reads a file that must be private, such as one that holds keys.
pub(super) fn read_key_file(path: &Path) -> io::Result<String> {
    match read_private(path)? {
        Readable::Private(text) => Ok(text),
        Readable::ByOthers { mode } => Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!(
                "it can be read by others (mode {mode:03o}): `chmod 600 {}`",
                path.display()
            ),
        )),
    }
}

/// Looks at the permissions of the file that was opened, so that it cannot be another one by then.
fn read_private(path: &Path) -> io::Result<Readable> {
    let mut file = File::open(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = file.metadata()?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Ok(Readable::ByOthers { mode });
        }
    }
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    Ok(Readable::Private(text))
}
