//! The two ways to prove who we are.

use std::fmt;
use std::sync::Arc;

use russh::keys;
use russh::keys::ssh_key::{HashAlg, LineEnding};

use crate::domain::Secret;

/// What is shown to a server.
#[derive(Debug, Clone)]
pub enum Login {
    /// A password; empty on a factory device.
    Password(Secret),
    /// A private key, for servers of Git.
    Key(PrivateKey),
}

/// A private key. Has no text form.
#[derive(Clone)]
pub struct PrivateKey(Arc<keys::PrivateKey>);

/// The text is not a private key that can be used. Operator's fault. Quotes nothing of it.
#[derive(Debug, thiserror::Error)]
pub enum InvalidPrivateKey {
    /// It is encrypted, and no passphrase was given or a wrong one.
    #[error("the private key is encrypted, and {}", if *given { "the passphrase does not open it" } else { "no passphrase was given" })]
    Encrypted {
        /// Whether there was a passphrase.
        given: bool,
    },
    /// It is something else.
    #[error("not a private key in OpenSSH, PKCS#8 or PEM form")]
    NotAKey,
    /// It cannot sign.
    #[error("signing with the private key: {0}")]
    SignsNothing(String),
}

impl PrivateKey {
    /// Reads a private key as `ssh-keygen` writes it.
    ///
    /// # Errors
    ///
    /// [`InvalidPrivateKey`].
    pub fn parse(text: &Secret, passphrase: Option<&Secret>) -> Result<Self, InvalidPrivateKey> {
        match keys::decode_secret_key(text.expose(), passphrase.map(Secret::expose)) {
            Ok(key) if !key.is_encrypted() => Ok(Self(Arc::new(key))),
            Err(_) if passphrase.is_some() => Err(InvalidPrivateKey::Encrypted { given: true }),
            Ok(_) | Err(keys::Error::KeyIsEncrypted) => Err(InvalidPrivateKey::Encrypted { given: false }),
            Err(_) => Err(InvalidPrivateKey::NotAKey),
        }
    }

    /// Signs a message as `ssh-keygen -Y sign` does (PROTOCOL.sshsig): the signature, armoured.
    ///
    /// # Errors
    ///
    /// [`InvalidPrivateKey::SignsNothing`].
    pub fn sign(&self, namespace: &str, message: &[u8]) -> Result<String, InvalidPrivateKey> {
        let signature = self.0.sign(namespace, HashAlg::Sha512, message);
        let armoured = signature.and_then(|signature| signature.to_pem(LineEnding::LF));
        armoured.map_err(|error| InvalidPrivateKey::SignsNothing(error.to_string()))
    }

    pub(super) fn is_rsa(&self) -> bool {
        self.0.algorithm().is_rsa()
    }

    pub(super) fn shared(&self) -> Arc<keys::PrivateKey> {
        Arc::clone(&self.0)
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({})", self.0.algorithm())
    }
}
