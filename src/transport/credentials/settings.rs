//! The settings file, as far as it holds credentials.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::domain::Secret;

/// Credentials from a settings file: each name with what it gives.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    path: Option<PathBuf>,
    credentials: BTreeMap<String, Entry>,
}

/// The settings file cannot be used. Operator fault. Says where, never what: the file holds passwords.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// The file that was named is not there, or cannot be read.
    #[error("reading the settings file {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// Others may read the passwords in it.
    #[error(
        "the settings file {} can be read by others (mode {mode:03o}); it holds passwords: `chmod 600 {}`",
        path.display(), path.display()
    )]
    ReadableByOthers {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file is encrypted and nothing was given to open it with.
    #[error(
        "the settings file {} is encrypted; name a key file in GAMOPS_AGE_IDENTITY, or give the passphrase in \
         GAMOPS_AGE_PASSPHRASE",
        path.display()
    )]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// The key file cannot be used.
    #[error("reading the age key file {}", path.display())]
    KeyFile {
        /// The key file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The key does not open the file, or the file is damaged.
    #[error("opening the encrypted settings file {}", path.display())]
    Sealed {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: Box<age::DecryptError>,
    },
    /// What was in the encrypted file is no text.
    #[error("the encrypted settings file {} does not hold text in UTF-8", path.display())]
    SealedText {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// It is not what a settings file looks like.
    #[error(
        "the settings file {}{} is not `credentials: {{NAME: {{username, password, password_file, community, key_file}}}}`",
        path.display(), position(*line, *column)
    )]
    Invalid {
        /// The file.
        path: PathBuf,
        /// From 1; 0 when not known.
        line: usize,
        /// From 1; 0 when not known.
        column: usize,
    },
}

fn position(line: usize, column: usize) -> String {
    if line == 0 {
        String::new()
    } else {
        format!(", line {line} column {column},")
    }
}

/// What the settings give for one name.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    #[serde(default)]
    pub(super) username: Option<String>,
    #[serde(default)]
    pub(super) password: Option<Secret>,
    #[serde(default)]
    pub(super) password_file: Option<PathBuf>,
    #[serde(default)]
    pub(super) community: Option<Secret>,
    #[serde(default)]
    pub(super) key_file: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default, deserialize_with = "each_name_once")]
    credentials: BTreeMap<String, Entry>,
}

/// Refuses a name that stands twice: the YAML library would keep the last without a word.
fn each_name_once<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, Entry>, D::Error> {
    struct Names;
    impl<'de> serde::de::Visitor<'de> for Names {
        type Value = BTreeMap<String, Entry>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("names with credentials")
        }

        fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut entries = BTreeMap::new();
            while let Some((name, entry)) = map.next_entry::<String, Entry>()? {
                if entries.insert(name, entry).is_some() {
                    return Err(serde::de::Error::custom("a name stands twice"));
                }
            }
            Ok(entries)
        }
    }
    deserializer.deserialize_map(Names)
}

impl Settings {
    /// No settings; `path` is where they would be looked for.
    #[must_use]
    pub fn none(path: Option<PathBuf>) -> Self {
        Self {
            path,
            credentials: BTreeMap::new(),
        }
    }

    /// Reads the text of a settings file. A relative `password_file` is looked for beside it.
    ///
    /// # Errors
    ///
    /// [`SettingsError::Invalid`] with the place of the first mistake, duplicate names included.
    pub fn parse(path: &Path, text: &str) -> Result<Self, SettingsError> {
        if text.trim().is_empty() {
            return Ok(Self::none(Some(path.to_owned())));
        }
        // The library's own message quotes the file, and so the passwords in it: only the place is kept.
        let file: File = serde_yaml::from_str(text).map_err(|error: serde_yaml::Error| {
            let place = error.location();
            SettingsError::Invalid {
                path: path.to_owned(),
                line: place.as_ref().map_or(0, serde_yaml::Location::line),
                column: place.as_ref().map_or(0, serde_yaml::Location::column),
            }
        })?;
        let folder = path.parent().unwrap_or_else(|| Path::new(""));
        let mut credentials = file.credentials;
        for entry in credentials.values_mut() {
            entry.password_file = entry.password_file.take().map(|file| folder.join(file));
            entry.key_file = entry.key_file.take().map(|file| folder.join(file));
        }
        Ok(Self {
            path: Some(path.to_owned()),
            credentials,
        })
    }

    pub(super) fn entry(&self, name: &str) -> Entry {
        self.credentials.get(name).cloned().unwrap_or_default()
    }

    /// Where the file is or would be, for messages.
    pub(super) fn place(&self) -> String {
        match &self.path {
            Some(path) => path.display().to_string(),
            None => "a settings file named by GAMOPS_SETTINGS".to_owned(),
        }
    }
}
