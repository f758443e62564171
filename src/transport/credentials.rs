//! User, password and community by name: the inventory holds the name, the values come from outside.
//!
//! [`resolve`] is pure: variables, files and settings come in as arguments. [`Keyring`] is the thin wrapper
//! that reads them from the process. No value of a secret is in any error, not even a misspelt one.

mod keyring;
mod sealed;
mod settings;

use std::io;
use std::path::{Path, PathBuf};

use crate::domain::Secret;

pub use keyring::{Keyring, from_environment};
pub use settings::{Settings, SettingsError};

/// What it takes to log in to a device and to ask it by SNMP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// User name.
    pub username: String,
    /// Password; may be empty.
    pub password: Secret,
    /// SNMP read community.
    pub community: Secret,
}

/// The name that is always there: a device as it leaves the factory.
pub const FACTORY: &str = "factory";

/// User `admin` without a password (installation guide), community `public` (seen on hardware).
const FACTORY_USERNAME: &str = "admin";
const FACTORY_PASSWORD: &str = "";
/// The community is the same for others unless they say one: a device whose community was changed stays
/// silent, and silence is no error.
const DEFAULT_COMMUNITY: &str = "public";

/// Credentials could not be put together. Operator fault throughout; no message holds a value.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialsError {
    /// The settings file cannot be used.
    #[error("looking for credentials `{name}`")]
    Settings {
        /// Name of the credentials.
        name: String,
        /// Why not.
        #[source]
        source: SettingsError,
    },
    /// A value that has no default is nowhere.
    #[error(
        "credentials `{name}` have no {what}: set {} in the environment, or put them under \
         `credentials: {name}:` in {settings}",
        variables.join(" or ")
    )]
    Missing {
        /// Name of the credentials.
        name: String,
        /// User name or password.
        what: &'static str,
        /// The variables that would give it.
        variables: Vec<String>,
        /// Where the settings file is or would be.
        settings: String,
    },
    /// Two sources of the same rank give a password.
    #[error("credentials `{name}` have both {first} and {second}; keep one")]
    Ambiguous {
        /// Name of the credentials.
        name: String,
        /// One source.
        first: String,
        /// The other.
        second: String,
    },
    /// A password file cannot be read.
    #[error("reading the password of credentials `{name}` from {}", path.display())]
    PasswordFile {
        /// Name of the credentials.
        name: String,
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A key file cannot be read.
    #[error("reading the private key of credentials `{name}` from {}", path.display())]
    KeyFile {
        /// Name of the credentials.
        name: String,
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A variable holds bytes that are no text.
    #[error("the variable {variable} does not hold text in UTF-8")]
    NotText {
        /// Name of the variable.
        variable: String,
    },
}

/// A variable's value: `None` when it is not set, an error when it is set to bytes that are no text.
pub type Variable = Result<Option<String>, NotText>;

/// The variable is set to bytes that are no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not text in UTF-8")]
pub struct NotText;

/// Puts the credentials of a name together: the environment beats the settings, value by value, and both
/// beat what is built in.
///
/// Variables are `GAMOPS_CRED_<NAME>_USERNAME`, `_PASSWORD`, `_PASSWORD_FILE` and `_COMMUNITY`, with the name
/// in capitals and everything but letters and digits as `_`. A variable that is set to nothing gives an empty
/// value: an empty password is a password. One line end at the end of a password file is not part of it.
///
/// # Errors
///
/// See [`CredentialsError`].
pub fn resolve(
    name: &str,
    variable: impl Fn(&str) -> Variable,
    settings: &Settings,
    read_file: impl Fn(&Path) -> io::Result<String>,
) -> Result<Credentials, CredentialsError> {
    let values = Values::new(name, &variable, settings);
    let stem = &values.stem;
    let factory = name == FACTORY;
    let missing = |what, suffixes: &[&str]| CredentialsError::Missing {
        name: name.to_owned(),
        what,
        variables: suffixes.iter().map(|suffix| format!("{stem}{suffix}")).collect(),
        settings: settings.place(),
    };
    let username = values
        .username()?
        .or_else(|| factory.then(|| FACTORY_USERNAME.to_owned()))
        .ok_or_else(|| missing("user name", &["USERNAME"]))?;
    let password = values
        .password(&read_file)?
        .or_else(|| factory.then(|| Secret::new(FACTORY_PASSWORD)))
        .ok_or_else(|| missing("password", &["PASSWORD", "PASSWORD_FILE"]))?;
    let community = values.community()?.unwrap_or_else(|| Secret::new(DEFAULT_COMMUNITY));
    Ok(Credentials {
        username,
        password,
        community,
    })
}

/// The read community that a name gives, if it gives one.
fn community(
    name: &str,
    variable: impl Fn(&str) -> Variable,
    settings: &Settings,
) -> Result<Option<Secret>, CredentialsError> {
    Values::new(name, &variable, settings).community()
}

/// What environment and settings give for a name.
struct Values<'a, V> {
    name: &'a str,
    stem: String,
    variable: &'a V,
    entry: settings::Entry,
}

impl<'a, V: Fn(&str) -> Variable> Values<'a, V> {
    fn new(name: &'a str, variable: &'a V, settings: &Settings) -> Self {
        Self {
            name,
            stem: variable_stem(name),
            variable,
            entry: settings.entry(name),
        }
    }

    fn environment(&self, suffix: &str) -> Result<Option<String>, CredentialsError> {
        let variable = format!("{}{suffix}", self.stem);
        (self.variable)(&variable).map_err(|NotText| CredentialsError::NotText { variable })
    }

    fn community(&self) -> Result<Option<Secret>, CredentialsError> {
        let given = self.environment("COMMUNITY")?.map(Secret::new);
        Ok(given.or_else(|| self.entry.community.clone()))
    }

    fn username(&self) -> Result<Option<String>, CredentialsError> {
        Ok(self.environment("USERNAME")?.or_else(|| self.entry.username.clone()))
    }

    fn password(&self, read_file: impl Fn(&Path) -> io::Result<String>) -> Result<Option<Secret>, CredentialsError> {
        let stem = &self.stem;
        let from_environment = Source {
            password: self.environment("PASSWORD")?.map(Secret::new),
            file: self.environment("PASSWORD_FILE")?.map(PathBuf::from),
            names: [format!("{stem}PASSWORD"), format!("{stem}PASSWORD_FILE")],
        };
        let from_settings = Source {
            password: self.entry.password.clone(),
            file: self.entry.password_file.clone(),
            names: ["`password`".to_owned(), "`password_file` in the settings".to_owned()],
        };
        for source in [from_environment, from_settings] {
            let password = source.password(self.name, &read_file)?;
            if password.is_some() {
                return Ok(password);
            }
        }
        Ok(None)
    }
}

/// What gets us into something that is no device, such as a Git server. What it needs of it, it knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoginParts {
    /// User name.
    pub username: Option<String>,
    /// Password, token, or the passphrase of the key.
    pub password: Option<Secret>,
    /// Private key, as text.
    pub key: Option<Secret>,
}

/// As [`resolve`], for a login of which nothing has to be there; a private key is in a file that `_KEY_FILE` names.
///
/// # Errors
///
/// See [`CredentialsError`].
pub fn resolve_login(
    name: &str,
    variable: impl Fn(&str) -> Variable,
    settings: &Settings,
    read_file: impl Fn(&Path) -> io::Result<String>,
) -> Result<LoginParts, CredentialsError> {
    let values = Values::new(name, &variable, settings);
    let key = match values
        .environment("KEY_FILE")?
        .map(PathBuf::from)
        .or(values.entry.key_file.clone())
    {
        None => None,
        Some(path) => match read_file(&path) {
            Ok(text) => Some(Secret::new(text)),
            Err(source) => {
                return Err(CredentialsError::KeyFile {
                    name: name.to_owned(),
                    path,
                    source,
                });
            }
        },
    };
    Ok(LoginParts {
        username: values.username()?,
        password: values.password(&read_file)?,
        key,
    })
}

/// What the variables of a name begin with.
fn variable_stem(name: &str) -> String {
    let letters = name.chars().map(|letter| {
        if letter.is_ascii_alphanumeric() {
            letter.to_ascii_uppercase()
        } else {
            '_'
        }
    });
    format!("GAMOPS_CRED_{}_", letters.collect::<String>())
}

/// One of the places that may hold a password, directly or by the name of a file.
struct Source {
    password: Option<Secret>,
    file: Option<PathBuf>,
    names: [String; 2],
}

impl Source {
    fn password(
        self,
        name: &str,
        read_file: impl Fn(&Path) -> io::Result<String>,
    ) -> Result<Option<Secret>, CredentialsError> {
        let path = match (self.password, self.file) {
            (Some(_), Some(_)) => {
                let [first, second] = self.names;
                return Err(CredentialsError::Ambiguous {
                    name: name.to_owned(),
                    first,
                    second,
                });
            }
            (Some(password), None) => return Ok(Some(password)),
            (None, None) => return Ok(None),
            (None, Some(path)) => path,
        };
        match read_file(&path) {
            Ok(text) => {
                let password = text
                    .strip_suffix('\n')
                    .map_or(text.as_str(), |text| text.strip_suffix('\r').unwrap_or(text));
                Ok(Some(Secret::new(password)))
            }
            Err(source) => Err(CredentialsError::PasswordFile {
                name: name.to_owned(),
                path,
                source,
            }),
        }
    }
}

#[cfg(test)]
mod tests;
