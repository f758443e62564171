//! Who signed a commit, and whether that counts: by SSH or OpenPGP keys that the operator lists.
//!
//! What is listed is read by [`Signers::read`], what a commit carries by [`super::remote::Mirror::signed`];
//! [`Signers::judge`] brings the two together. A commit's signature covers its tree, its message and its parents.

mod openpgp;
mod ssh;

use std::path::{Path, PathBuf};

use git2::{ErrorCode, Oid, Repository};
use jiff::Timestamp;

use openpgp::Keys;
use ssh::AllowedSigner;
pub(super) use ssh::NAMESPACE;

/// What a commit carries.
#[derive(Debug, Clone)]
pub struct Signed {
    /// The signature, armoured; none where there is none.
    pub signature: Option<String>,
    /// What it is a signature of: the commit without it.
    pub payload: Vec<u8>,
    /// When the commit was made, as whoever made it says.
    pub committed: Timestamp,
}

/// What a commit of a repository carries.
pub(super) fn signed_in(repository: &Repository, commit: Oid) -> Result<Signed, git2::Error> {
    let seconds = repository.find_commit(commit)?.committer().when().seconds();
    let (signature, payload) = match repository.extract_signature(&commit, None) {
        // A signature that is not text is none that could be read.
        Ok((signature, payload)) => (Some(String::from_utf8_lossy(&signature).into_owned()), payload.to_vec()),
        Err(error) if error.code() == ErrorCode::NotFound => (None, Vec::new()),
        Err(error) => return Err(error),
    };
    Ok(Signed {
        signature,
        payload,
        committed: Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH),
    })
}

/// Whoever signed a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// As the list of keys, or the key itself, names them.
    pub name: String,
    /// The key's fingerprint: `SHA256:…` for SSH, 40 or 64 hexadecimal digits for OpenPGP.
    pub key: String,
}

/// When a key has to be valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// At this moment: the commit is new. What the commit says of its own time does not count, since whoever has an
    /// expired key can write any time there.
    Now(Timestamp),
    /// When the commit was made: it was judged before, and found good then.
    Made,
}

/// Why a commit's signature does not count. The fault of whoever pushed it, or of the list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is none.
    #[error("it is not signed")]
    Unsigned,
    /// No key of that kind is listed.
    #[error("it is signed with {kind}, and `repository.signed_by` lists no key of that kind")]
    OtherKind {
        /// `an SSH key`, `OpenPGP`, or what stands in its first line.
        kind: String,
    },
    /// The key is not listed.
    #[error("it is signed by {key}, which is not listed")]
    UnknownKey {
        /// Its fingerprint, or its id where no more is known.
        key: String,
    },
    /// It is a signature of something else, or made up.
    #[error("its signature is not one of this commit: it was forged, or the commit was changed after it was signed")]
    Bad,
    /// The key, or the signature, is not valid any more.
    #[error("it is signed by {name} ({key}), whose {what} has expired")]
    Expired {
        /// Whose.
        name: String,
        /// The fingerprint.
        key: String,
        /// `key` or `signature`.
        what: &'static str,
    },
    /// The key is not valid yet.
    #[error("it is signed by {name} ({key}), whose key is not valid yet")]
    Early {
        /// Whose.
        name: String,
        /// The fingerprint.
        key: String,
    },
    /// Its owner took the key back.
    #[error("it is signed by {name} ({key}), whose key was revoked")]
    Revoked {
        /// Whose.
        name: String,
        /// The fingerprint.
        key: String,
    },
    /// The key is listed for other things than commits.
    #[error("it is signed by {name} ({key}), whose key is listed for other uses than Git's commits (`namespaces`)")]
    OtherUse {
        /// Whose.
        name: String,
        /// The fingerprint.
        key: String,
    },
    /// Nothing that could be checked.
    #[error("its signature cannot be checked: {0}")]
    Unreadable(String),
}

/// The list of keys cannot be used, or nothing is there that could check. Operator's fault.
#[derive(Debug, thiserror::Error)]
pub enum SignersError {
    /// A file cannot be read.
    #[error("reading the keys of `repository.signed_by` in {}", path.display())]
    Read {
        /// File or folder.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// A line of the allowed signers is none.
    #[error("{}:{line}: {reason}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// A file holds no OpenPGP public key.
    #[error("{}: {reason}", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// No key at all: nobody could sign.
    #[error("{} lists no key, so that no commit could ever count", path.display())]
    Empty {
        /// File or folder.
        path: PathBuf,
    },
    /// The program that checks OpenPGP signatures is missing.
    #[error(
        "`gpgv` is not installed, and it is what checks OpenPGP signatures: install it (the package is called `gpgv`)"
    )]
    NoGpgv,
    /// It cannot be run.
    #[error("checking an OpenPGP signature with `gpgv`")]
    Gpgv(#[source] std::io::Error),
}

/// The keys that may sign.
#[derive(Debug, Clone)]
pub struct Signers {
    ssh: Option<Vec<AllowedSigner>>,
    openpgp: Option<Keys>,
}

impl Signers {
    /// Reads what is listed: `ssh` is a file in the form of `allowed_signers` of OpenSSH's `ssh-keygen`; `openpgp` a file of
    /// public keys, or a folder of such files, armoured or not.
    ///
    /// # Errors
    ///
    /// [`SignersError`]. A line or file that is not understood is an error and not skipped.
    pub fn read(ssh: Option<&Path>, openpgp: Option<&Path>) -> Result<Self, SignersError> {
        Ok(Self {
            ssh: ssh.map(ssh::read).transpose()?,
            openpgp: openpgp.map(openpgp::read).transpose()?,
        })
    }

    /// What tells this list from another, as text.
    #[must_use]
    pub fn mark(&self) -> String {
        format!("{:?}", (&self.ssh, &self.openpgp))
    }

    /// Says who signed, or why it does not count.
    ///
    /// # Errors
    ///
    /// [`SignersError`] where nothing could be checked at all.
    pub async fn judge(&self, signed: &Signed, when: When) -> Result<Result<Signer, Refusal>, SignersError> {
        let Some(signature) = &signed.signature else {
            return Ok(Err(Refusal::Unsigned));
        };
        let first = signature.trim_start().lines().next().unwrap_or_default().trim_end();
        let other = |kind: &str| Ok(Err(Refusal::OtherKind { kind: kind.to_owned() }));
        match first {
            "-----BEGIN SSH SIGNATURE-----" => match &self.ssh {
                Some(list) => Ok(ssh::judge(list, signature, signed, when)),
                None => other("an SSH key"),
            },
            "-----BEGIN PGP SIGNATURE-----" => match &self.openpgp {
                Some(keys) => openpgp::judge(keys, signature, signed, when).await,
                None => other("OpenPGP"),
            },
            _ => {
                let kind: String = first.chars().filter(|c| !c.is_control()).take(60).collect();
                other(&format!("`{kind}`"))
            }
        }
    }
}
