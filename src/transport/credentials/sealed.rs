//! Settings in an age file: encrypted where they lie, opened with a key that lies elsewhere.

use std::ffi::OsString;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use age::secrecy::SecretString;

use super::keyring::read_key_file;
use super::{Settings, SettingsError};
use crate::domain::Secret;

/// What opens an encrypted file.
#[derive(Debug, Clone)]
pub(super) enum Key {
    /// A file of age identities (`AGE-SECRET-KEY-1...` lines), private like an SSH key.
    Identities(PathBuf),
    /// A passphrase.
    Passphrase(Secret),
}

/// The key that the environment names; a key file beats a passphrase.
pub(super) fn key(variable: impl Fn(&str) -> Option<OsString>) -> Option<Key> {
    let set = |name| variable(name).filter(|value| !value.is_empty());
    set("GAMOPS_AGE_IDENTITY")
        .map(|path| Key::Identities(path.into()))
        .or_else(|| {
            let passphrase = set("GAMOPS_AGE_PASSPHRASE")?.into_string().ok()?;
            Some(Key::Passphrase(Secret::new(passphrase)))
        })
}

/// Reads and opens an encrypted settings file. What was in it never touches the disk.
pub(super) fn load(path: PathBuf, key: Option<Key>) -> Result<Settings, SettingsError> {
    let bytes = std::fs::read(&path).map_err(|source| SettingsError::Read {
        path: path.clone(),
        source,
    })?;
    let Some(key) = key else {
        return Err(SettingsError::NoKey { path });
    };
    let text = open(&path, &bytes, &identities(key)?)?;
    Settings::parse(&path, text.expose())
}

fn identities(key: Key) -> Result<Vec<Box<dyn age::Identity>>, SettingsError> {
    match key {
        Key::Passphrase(passphrase) => {
            let passphrase = SecretString::from(passphrase.expose().to_owned());
            Ok(vec![Box::new(age::scrypt::Identity::new(passphrase))])
        }
        Key::Identities(path) => {
            let failed = |source| SettingsError::KeyFile {
                path: path.clone(),
                source,
            };
            let text = read_key_file(&path).map_err(failed)?;
            let file = age::IdentityFile::from_buffer(text.as_bytes()).map_err(failed)?;
            file.into_identities().map_err(|_| {
                // The library's words may quote the file, which holds keys.
                failed(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "it holds a kind of key that cannot be used here",
                ))
            })
        }
    }
}

fn open(path: &Path, bytes: &[u8], identities: &[Box<dyn age::Identity>]) -> Result<Secret, SettingsError> {
    let sealed = |source| SettingsError::Sealed {
        path: path.to_owned(),
        source: Box::new(source),
    };
    let decryptor = age::Decryptor::new_buffered(age::armor::ArmoredReader::new(bytes)).map_err(sealed)?;
    let mut reader = decryptor
        .decrypt(identities.iter().map(AsRef::as_ref))
        .map_err(sealed)?;
    let mut text = String::new();
    reader
        .read_to_string(&mut text)
        .map_err(|source| SettingsError::SealedText {
            path: path.to_owned(),
            source,
        })?;
    Ok(Secret::new(text))
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    const CANARY: &str = "canary-7a31";

    fn settings() -> String {
        format!("credentials:\n  field: {{username: noc, password: {CANARY}}}\n")
    }

    fn folder(encrypted: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.yaml.age");
        std::fs::write(&path, encrypted).unwrap();
        (folder, path)
    }

    #[cfg(unix)]
    fn key_file(folder: &tempfile::TempDir, text: &str, mode: u32) -> Key {
        use std::os::unix::fs::PermissionsExt as _;
        let path = folder.path().join("key.txt");
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        Key::Identities(path)
    }

    #[cfg(unix)]
    #[test]
    fn a_key_file_opens_what_was_sealed_for_it_and_nothing_else_does() {
        use age::secrecy::ExposeSecret as _;
        let identity = age::x25519::Identity::generate();
        let encrypted = age::encrypt(&identity.to_public(), settings().as_bytes()).unwrap();
        let (folder, path) = folder(&encrypted);

        let secret = identity.to_string().expose_secret().to_owned();
        let opened = load(path.clone(), Some(key_file(&folder, &secret, 0o600))).unwrap();
        let entry = opened.entry("field");
        assert_eq!(entry.password.unwrap().expose(), CANARY);

        let shared = load(path.clone(), Some(key_file(&folder, &secret, 0o644))).unwrap_err();
        assert!(shared.source().unwrap().to_string().contains("chmod 600"), "{shared:?}");

        let other = age::x25519::Identity::generate().to_string().expose_secret().to_owned();
        let wrong = load(path.clone(), Some(key_file(&folder, &other, 0o600))).unwrap_err();
        assert!(matches!(wrong, SettingsError::Sealed { .. }), "{wrong:?}");

        let none = load(path, None).unwrap_err();
        assert!(none.to_string().contains("GAMOPS_AGE_IDENTITY"), "{none}");
    }

    #[test]
    fn a_passphrase_opens_what_was_sealed_with_it() {
        let mut recipient = age::scrypt::Recipient::new(SecretString::from("open sesame".to_owned()));
        recipient.set_work_factor(2);
        let encrypted = age::encrypt(&recipient, settings().as_bytes()).unwrap();
        let (_folder, path) = folder(&encrypted);
        let opened = load(path.clone(), Some(Key::Passphrase(Secret::new("open sesame")))).unwrap();
        assert_eq!(opened.entry("field").username.as_deref(), Some("noc"));
        let wrong = load(path, Some(Key::Passphrase(Secret::new("sesame")))).unwrap_err();
        assert!(matches!(wrong, SettingsError::Sealed { .. }), "{wrong:?}");
    }

    #[test]
    fn a_damaged_file_shows_nothing_of_what_was_in_it() {
        let identity = age::x25519::Identity::generate();
        let mut encrypted = age::encrypt(&identity.to_public(), settings().as_bytes()).unwrap();
        let last = encrypted.len() - 1;
        encrypted[last] ^= 1;
        let identities: Vec<Box<dyn age::Identity>> = vec![Box::new(identity)];
        let error = open(Path::new("x.age"), &encrypted, &identities).unwrap_err();
        assert!(!format!("{error:?}").contains(CANARY));
    }
}
