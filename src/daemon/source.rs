//! Where the inventory comes from, and what is there now.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

use crate::diagnostic::SourceFile;
use crate::inventory::partial::Stale;
use crate::observed::sha256;
use crate::plan::guard::TRAILER;
use crate::repo::remote::{Address, InvalidAddress, Mirror, Moved, Origin, RemoteError, Tip};
use crate::repo::signature::{Refusal, Signer, Signers, SignersError, When};
use crate::repo::{RepoError, RevisionError, read_inventory, shortened};
use crate::transport::credentials::{CredentialsError, Keyring};
use crate::transport::http::HttpError;
use crate::transport::ssh::InvalidPrivateKey;

use super::access::{Way, access};
use super::settings::Settings;

/// How much may come from a repository in one go.
pub(super) const AT_MOST: u64 = 512 * 1024 * 1024;

/// What is there.
#[derive(Debug)]
pub(super) struct Found {
    /// What tells it from what was there before: the whole id of a commit, or a fingerprint of the files.
    pub(super) id: String,
    /// What tells the look at it from others: its id, and the keys that it was judged by.
    pub(super) seen: String,
    /// The commit, short; none for a folder.
    pub(super) commit: Option<String>,
    /// Who signed it, or why that does not count; none where nobody has to. Nothing else was read where it does not count.
    pub(super) signer: Option<Result<Signer, Refusal>>,
    /// How the branch came there.
    pub(super) moved: Moved,
    /// Its texts, or what about the commit keeps them from being read.
    pub(super) files: Result<Vec<SourceFile>, RevisionError>,
    /// What its message allows: the values of [`TRAILER`].
    pub(super) allowed: Vec<String>,
    /// Where it is in force as an earlier process left it, but for some files: these, as they count.
    pub(super) stale: Option<Stale>,
}

/// The inventory could not be looked at. The message says whose fault it is.
#[derive(Debug, thiserror::Error)]
pub enum LookError {
    /// The repository, or the way to it.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// A commit of it.
    #[error("reading commit {commit}")]
    Revision {
        /// The commit, as much as people read of it.
        commit: String,
        /// Why not.
        #[source]
        source: RevisionError,
    },
    /// The files of a folder.
    #[error(transparent)]
    Files(#[from] RepoError),
    /// The credentials. Operator's fault.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// The private key. Operator's fault.
    #[error("the private key of credentials `{name}`")]
    Key {
        /// Name of the credentials.
        name: String,
        /// Why not.
        #[source]
        source: InvalidPrivateKey,
    },
    /// The address of the repository is none. Operator's fault.
    #[error(transparent)]
    Address(#[from] InvalidAddress),
    /// A repository over SSH needs a key. Operator's fault.
    #[error("a repository over SSH needs `credentials` with a private key")]
    NoKey,
    /// What commits are to be signed with is no key. Operator's fault.
    #[error("`repository.sign_with` names the credentials `{name}`, which have no private key")]
    SignsNothing {
        /// The credentials.
        name: String,
    },
    /// The server's host key is not known. Operator's fault.
    #[error("no host key of {host} is known; put it into the file that `known_hosts` names, once it was checked")]
    NoHostKey {
        /// Host, with its port where that is not 22.
        host: String,
    },
    /// A file that the settings name cannot be read. Operator's fault.
    #[error("reading {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// HTTP could not be set up.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The keys that may sign. Operator's fault.
    #[error(transparent)]
    Signers(#[from] SignersError),
    /// There are no commits that could be judged. Operator's fault.
    #[error("`{setting}` is about commits, and {} is no Git repository", path.display())]
    NoCommits {
        /// What the settings ask for.
        setting: &'static str,
        /// The folder.
        path: PathBuf,
    },
    /// What an earlier process noted in the mirror is not what this one writes there.
    #[error("what an earlier process noted in the mirror")]
    Kept(#[from] serde_json::Error),
    /// The program was about to end.
    #[error("interrupted")]
    Interrupted,
}

/// Where the inventory comes from.
#[derive(Debug, Clone)]
pub(super) enum Source {
    /// A folder that is no Git repository.
    Folder(PathBuf),
    /// A branch of a repository.
    Branch { mirror: Mirror, address: Address },
}

impl Source {
    /// Where the settings say, with its mirror in a folder of this machine.
    pub(super) fn new(address: Address, settings: &Settings, mirror: &Path) -> Result<Self, LookError> {
        match address {
            Address::Folder(path) if !Mirror::is_repository(&path) && settings.repository.signed_by.is_some() => {
                Err(LookError::NoCommits {
                    setting: "repository.signed_by",
                    path,
                })
            }
            Address::Folder(path) if !Mirror::is_repository(&path) => Ok(Self::Folder(path)),
            address => Ok(Self::Branch {
                mirror: Mirror::open(mirror)?,
                address,
            }),
        }
    }

    /// The folder that the inventory is in, where that is no Git repository.
    pub(super) fn folder(&self, settings: &Settings) -> Option<PathBuf> {
        match self {
            Self::Folder(path) => Some(path.join(&settings.repository.folder)),
            Self::Branch { .. } => None,
        }
    }

    /// Looks what is there. `None`: what was there before.
    pub(super) async fn look(
        &self,
        settings: &Settings,
        keyring: &Keyring,
        before: Option<&str>,
    ) -> Result<Option<Found>, LookError> {
        match self {
            Self::Folder(path) => {
                let folder = path.join(&settings.repository.folder);
                let files = spawn_blocking(move || read_inventory(&folder))
                    .await
                    .map_err(|_| LookError::Interrupted)??;
                let id = sha256(&files.iter().map(|file| (&file.path, &file.text)).collect::<Vec<_>>());
                Ok((before != Some(&id)).then_some(Found {
                    seen: id.clone(),
                    id,
                    commit: None,
                    signer: None,
                    moved: Moved::Forward,
                    files: Ok(files),
                    allowed: Vec::new(),
                    stale: None,
                }))
            }
            Self::Branch { mirror, address } => {
                let origin = Origin {
                    address: address.clone(),
                    branch: settings.repository.branch.clone(),
                    access: access(address, &Way::to_repository(settings), keyring)?,
                    within: Duration::from(settings.repository.within),
                    at_most: AT_MOST,
                };
                let (copy, runtime) = (mirror.clone(), Handle::current());
                let tip = spawn_blocking(move || copy.fetch(&origin, &runtime))
                    .await
                    .map_err(|_| LookError::Interrupted)??;
                let signers = signers(settings).await?;
                if before == Some(&seen(&tip.commit, signers.as_ref())) {
                    return Ok(None);
                }
                let when = When::Now(Timestamp::now());
                at(mirror, settings, tip, signers.as_ref(), when).await.map(Some)
            }
        }
    }

    /// What was last in force, as an earlier process left it.
    pub(super) async fn good(&self, settings: &Settings) -> Option<Result<Found, LookError>> {
        let Self::Branch { mirror, .. } = self else {
            return None;
        };
        let tip = Tip {
            commit: mirror.good(&settings.repository.branch)?,
            moved: Moved::Not,
        };
        let found = async {
            let signers = signers(settings).await?;
            let mut found = at(mirror, settings, tip, signers.as_ref(), When::Made).await?;
            let kept = mirror.kept(&settings.repository.branch, &found.id)?;
            found.stale = kept.map(|text| serde_json::from_str(&text)).transpose()?;
            Ok(found)
        };
        Some(found.await)
    }

    /// Notes which commit is in force, for a later process, and which of its files count as they were.
    pub(super) fn put_good(&self, settings: &Settings, id: &str, stale: &Stale) -> Result<(), LookError> {
        let Self::Branch { mirror, .. } = self else {
            return Ok(());
        };
        let kept = match stale.texts.is_empty() {
            true => None,
            false => Some(serde_json::to_string(stale)?),
        };
        Ok(mirror.put_good(&settings.repository.branch, id, kept.as_deref())?)
    }
}

/// The keys that may sign, read anew each time: they change as people come and go.
async fn signers(settings: &Settings) -> Result<Option<Signers>, LookError> {
    let Some(keys) = settings.repository.signed_by.clone() else {
        return Ok(None);
    };
    let read = spawn_blocking(move || keys.read())
        .await
        .map_err(|_| LookError::Interrupted)?;
    Ok(Some(read?))
}

/// See [`Found::seen`].
fn seen(id: &str, signers: Option<&Signers>) -> String {
    match signers {
        None => id.to_owned(),
        Some(signers) => format!("{id} {}", sha256(&signers.mark())),
    }
}

/// What is there at a commit that was fetched. Where its signature does not count, nothing is read of it.
async fn at(
    mirror: &Mirror,
    settings: &Settings,
    tip: Tip,
    signers: Option<&Signers>,
    when: When,
) -> Result<Found, LookError> {
    let Tip { commit: id, moved } = tip;
    let short = shortened(&id);
    let failed = |source| LookError::Revision {
        commit: short.clone(),
        source,
    };
    let signer = match signers {
        None => None,
        Some(signers) => {
            let (mirror, commit) = (mirror.clone(), id.clone());
            let signed = spawn_blocking(move || mirror.signed(&commit))
                .await
                .map_err(|_| LookError::Interrupted)?;
            Some(signers.judge(&signed.map_err(failed)?, when).await?)
        }
    };
    let mut found = Found {
        seen: seen(&id, signers),
        commit: Some(short.clone()),
        moved,
        files: Ok(Vec::new()),
        allowed: Vec::new(),
        stale: None,
        signer,
        id,
    };
    if !matches!(found.signer, Some(Err(_))) {
        let (mirror, folder, commit) = (mirror.clone(), settings.repository.folder.clone(), found.id.clone());
        let read = move || match mirror.inventory(&commit, &folder) {
            Ok(revision) => Ok((Ok(revision.files), mirror.trailers(&commit, TRAILER)?)),
            Err(error) if error.is_of_commit() => Ok((Err(error), Vec::new())),
            Err(error) => Err(error),
        };
        let read = spawn_blocking(read).await.map_err(|_| LookError::Interrupted)?;
        (found.files, found.allowed) = read.map_err(failed)?;
    }
    Ok(found)
}
