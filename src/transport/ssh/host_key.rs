//! Host keys: what a device proves itself with, and what we make of it.

use std::fmt;
use std::fs::File;
use std::io;
use std::path::Path;
use std::str::FromStr;

use russh::keys::known_hosts::known_host_keys_path;
use russh::keys::{Algorithm, HashAlg, PublicKey};

/// A server's public key, without comment: equal values are the same key.
#[derive(Clone, PartialEq, Eq)]
pub struct HostKey(Box<PublicKey>);

/// The text is not a public key in OpenSSH's form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a host key in OpenSSH form, such as `ssh-ed25519 AAAA...`")]
pub struct InvalidHostKey(String);

impl HostKey {
    pub(super) fn new(mut key: PublicKey) -> Self {
        key.set_comment("");
        Self(Box::new(key))
    }

    pub(super) fn algorithm(&self) -> Algorithm {
        self.0.algorithm()
    }

    /// The fingerprint as `ssh-keygen -l` prints it: `SHA256:` and 43 characters of base64.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.0.fingerprint(HashAlg::Sha256).to_string()
    }
}

impl FromStr for HostKey {
    type Err = InvalidHostKey;

    /// Reads `ssh-ed25519 AAAA...`, with or without a comment behind it.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        PublicKey::from_openssh(text.trim())
            .map(Self::new)
            .map_err(|_| InvalidHostKey(text.trim().to_owned()))
    }
}

impl fmt::Display for HostKey {
    /// OpenSSH form: the text to pin.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_openssh().map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for HostKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HostKey({})", self.fingerprint())
    }
}

/// What to do with a device whose key nobody has pinned yet. A key that *differs* from the pinned one is
/// never accepted, whatever is chosen here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum HostKeyPolicy {
    /// Take it and pin it: trust at first contact.
    #[default]
    AcceptNew,
    /// Refuse it: only keys from the inventory or from an earlier contact are good.
    Strict,
}

/// Neither of the two policies.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no host key policy; write `accept-new` or `strict`")]
pub struct InvalidHostKeyPolicy(String);

impl FromStr for HostKeyPolicy {
    type Err = InvalidHostKeyPolicy;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "accept-new" => Ok(Self::AcceptNew),
            "strict" => Ok(Self::Strict),
            other => Err(InvalidHostKeyPolicy(other.to_owned())),
        }
    }
}

impl fmt::Display for HostKeyPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AcceptNew => "accept-new",
            Self::Strict => "strict",
        })
    }
}

/// The key that a file of known hosts has for a server, hashed names included; an Ed25519 key where it has several.
///
/// # Errors
///
/// Where the file cannot be read, or holds something else for that server than a key.
pub fn known_host(file: &Path, host: &str, port: u16) -> io::Result<Option<HostKey>> {
    // The library takes a file that is not there for an empty one.
    File::open(file)?;
    let keys = known_host_keys_path(host, port, file).map_err(io::Error::other)?;
    let mut keys: Vec<HostKey> = keys.into_iter().map(|(_, key)| HostKey::new(key)).collect();
    keys.sort_by_key(|key| key.algorithm() != Algorithm::Ed25519);
    Ok(keys.into_iter().next())
}

/// What is known of a device's key before we connect.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostKeyCheck {
    /// The key from the inventory or from the first contact.
    pub pinned: Option<HostKey>,
    /// What to do when there is none.
    pub policy: HostKeyPolicy,
}

/// The three ways that it can end, and the refusal of an unknown key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    Known,
    New,
    Unknown,
    Changed { pinned: HostKey },
}

impl HostKeyCheck {
    pub(super) fn judge(&self, offered: &HostKey) -> Verdict {
        match (&self.pinned, self.policy) {
            (Some(pinned), _) if pinned == offered => Verdict::Known,
            (Some(pinned), _) => Verdict::Changed { pinned: pinned.clone() },
            (None, HostKeyPolicy::AcceptNew) => Verdict::New,
            (None, HostKeyPolicy::Strict) => Verdict::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti";
    const OTHER: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";

    #[test]
    fn a_comment_does_not_make_another_key() {
        let with_comment: HostKey = format!(" {ONE} root@gam\n").parse().unwrap();
        assert_eq!(with_comment, ONE.parse().unwrap());
        assert_eq!(with_comment.to_string(), ONE);
        assert!(with_comment.fingerprint().starts_with("SHA256:"));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in ["", "ssh-ed25519", "ssh-ed25519 AAAA", "hunter2"] {
            assert!(text.parse::<HostKey>().is_err(), "{text:?} was accepted");
        }
    }

    #[test]
    fn the_key_of_a_host_is_found_by_name_and_port() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("known_hosts");
        std::fs::write(
            &file,
            format!("# ours\ngit.example.org {ONE}\n[git.example.org]:2222,other {OTHER}\n"),
        )
        .unwrap();
        let known = |host, port| known_host(&file, host, port).unwrap().map(|key| key.to_string());
        assert_eq!(known("git.example.org", 22).as_deref(), Some(ONE));
        assert_eq!(known("git.example.org", 2222).as_deref(), Some(OTHER));
        assert_eq!(known("elsewhere", 22), None);
        assert!(known_host(&folder.path().join("none"), "other", 22).is_err());
    }

    #[test]
    fn a_changed_key_is_refused_under_either_policy() {
        let (one, other): (HostKey, HostKey) = (ONE.parse().unwrap(), OTHER.parse().unwrap());
        for policy in [HostKeyPolicy::AcceptNew, HostKeyPolicy::Strict] {
            let pinned = HostKeyCheck {
                pinned: Some(one.clone()),
                policy,
            };
            assert_eq!(pinned.judge(&one), Verdict::Known);
            assert_eq!(pinned.judge(&other), Verdict::Changed { pinned: one.clone() });
        }
    }

    #[test]
    fn the_policy_decides_on_an_unknown_key_only() {
        let key: HostKey = ONE.parse().unwrap();
        let first = |policy| HostKeyCheck { pinned: None, policy }.judge(&key);
        assert_eq!(first(HostKeyPolicy::AcceptNew), Verdict::New);
        assert_eq!(first(HostKeyPolicy::Strict), Verdict::Unknown);
        assert_eq!("strict".parse(), Ok(HostKeyPolicy::Strict));
        assert_eq!(
            HostKeyPolicy::default().to_string().parse(),
            Ok(HostKeyPolicy::AcceptNew)
        );
        assert!("yes".parse::<HostKeyPolicy>().is_err());
    }
}
