//! Forges: GitHub, GitLab, Gitea and Forgejo, by their REST APIs. Statuses of commits, one comment on a change request that is
//! kept up to date, opening a change request (a pull request; GitLab says merge request), and which one a commit came with.
//!
//! What is asked is built without I/O (`call`, one builder a forge), what is answered is read without I/O (`reply`); this file
//! alone sends. The caller decides what to do about [`ForgeError::retry`]: nothing is tried twice here.

mod call;
mod reply;
pub mod seal;

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::Secret;
use crate::transport::Retry;
use crate::transport::http::{Http, HttpError, Request};

use call::Call;
use reply::{Comment, Merging, Opened};

/// How long a forge may take for one answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// How much of an answer is read: a hundred comments, each as long as GitHub allows.
const ANSWER: usize = 32 * 1024 * 1024;

/// The most pages of comments that are looked through.
const PAGES: u32 = 100;

/// Which API a forge speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ForgeKind {
    /// GitHub, its own or on a server of yours.
    GitHub,
    /// GitLab.
    GitLab,
    /// Gitea and Forgejo.
    Gitea,
}

/// A repository on a forge.
#[derive(Debug, Clone)]
pub struct Forge {
    kind: ForgeKind,
    /// Where its API is, without a slash at the end.
    base: String,
    /// `owner/name`; on GitLab groups may be nested.
    repository: String,
    token: Secret,
    http: Http,
}

/// How a commit stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It is being worked on.
    Pending,
    /// It is well.
    Success,
    /// It is not.
    Failure,
}

/// What is said of a commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The commit, as its full id.
    pub commit: String,
    /// Who says it: `gamops/applied`. The newest status of a context counts.
    pub context: String,
    /// How it stands.
    pub state: State,
    /// In one line; shortened where the forge takes less.
    pub description: String,
    /// A page that says more.
    pub target: Option<String>,
}

/// What became of a comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Commented {
    /// It was not there, and was written.
    Written,
    /// It said something else, and was edited.
    Edited,
    /// It was there as it is.
    Unchanged,
}

/// A change request to open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The branch that holds the change.
    pub from: String,
    /// The branch that it is to go into.
    pub into: String,
    /// Its title.
    pub title: String,
    /// Its text, in Markdown.
    pub body: String,
}

/// A change request that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// Its number in the repository.
    pub number: u64,
    /// Its page for people.
    pub page: String,
}

/// A change request that was merged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    /// Its number in the repository.
    pub number: u64,
    /// Its last commit, by its whole id. With a squash or a rebase it is not in the branch that it went into.
    pub head: String,
}

/// A forge did not do what was asked. Says where it was asked and what to do about it, and no secret.
#[derive(Debug, thiserror::Error)]
pub enum ForgeError {
    /// The address of the API or the name of the repository makes no sense. Operator's fault.
    #[error("{0}")]
    Settings(String),
    /// It was not reached.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// It is slower than anybody can wait for.
    #[error("{url} did not answer within {} seconds", PATIENCE.as_secs())]
    Slow {
        /// What was asked.
        url: String,
    },
    /// It says no.
    #[error("{url} answered with status {status}{said}{help}")]
    Refused {
        /// What was asked.
        url: String,
        /// The three digits.
        status: u16,
        /// Its own words, in brackets; empty where it says none.
        said: String,
        /// What to do about it.
        help: &'static str,
        /// After how long it wants to be asked again.
        after: Option<Duration>,
    },
    /// It says something that is no answer of its API.
    #[error("{url} {what}")]
    NotAnApi {
        /// What was asked.
        url: String,
        /// What it is instead, and what to do.
        what: String,
    },
}

impl ForgeError {
    /// Whether asking again may help.
    #[must_use]
    pub const fn retry(&self) -> Retry {
        match self {
            Self::Settings(_) => Retry::AfterChange,
            Self::Http(error) => error.retry(),
            Self::Slow { .. } | Self::NotAnApi { .. } => Retry::Soon,
            Self::Refused { status, after, .. } => match status {
                408 | 425 | 429 | 500..=599 => Retry::Soon,
                _ if after.is_some() => Retry::Soon,
                400 | 409 | 413 | 422 => Retry::Never,
                _ => Retry::AfterChange,
            },
        }
    }

    /// After how long it wants to be asked again, where it says so.
    #[must_use]
    pub const fn after(&self) -> Option<Duration> {
        match self {
            Self::Refused { after, .. } => *after,
            _ => None,
        }
    }
}

impl ForgeKind {
    /// Where the API of the forge is that everybody knows by this name; a Gitea or Forgejo is always somebody's own.
    #[must_use]
    pub const fn usual_base(self) -> Option<&'static str> {
        match self {
            Self::GitHub => Some("https://api.github.com"),
            Self::GitLab => Some("https://gitlab.com/api/v4"),
            Self::Gitea => None,
        }
    }

    /// Looks whether an API can be asked at this address for this repository.
    ///
    /// # Errors
    ///
    /// What is wrong, in words. Operator's fault.
    pub fn check(self, base: Option<&str>, repository: &str) -> Result<String, String> {
        let base = base
            .or(self.usual_base())
            .ok_or_else(|| "say where the API is, such as `base: https://git.example.org/api/v1`".to_owned())?;
        let rest = base.strip_prefix("https://").or_else(|| base.strip_prefix("http://"));
        let host = rest
            .and_then(|rest| rest.split(['/', '?', '#']).next())
            .unwrap_or_default();
        if host.is_empty() || host.contains('@') || base.contains(['?', '#']) {
            return Err(
                "`base` is the address of the API, such as `https://git.example.org/api/v1`, without a user".to_owned(),
            );
        }
        let parts: Vec<&str> = repository.split('/').collect();
        let is_part = |part: &&str| {
            !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c)) && !part.starts_with('.')
        };
        let enough = if self == Self::GitLab {
            parts.len() >= 2
        } else {
            parts.len() == 2
        };
        if !enough || !parts.iter().all(is_part) {
            return Err(format!("`{repository}` is no repository: it is written `owner/name`"));
        }
        Ok(base.trim_end_matches('/').to_owned())
    }
}

impl Forge {
    /// A repository on a forge, by the token that lets in. `base`: where the API is, unless the forge is the well-known one.
    /// `authorities`: certificates in PEM form that are trusted as well.
    ///
    /// # Errors
    ///
    /// [`ForgeError::Settings`], [`ForgeError::Http`].
    pub fn new(
        kind: ForgeKind,
        base: Option<&str>,
        repository: &str,
        token: Secret,
        authorities: Option<&str>,
    ) -> Result<Self, ForgeError> {
        Ok(Self {
            kind,
            base: kind.check(base, repository).map_err(ForgeError::Settings)?,
            repository: repository.to_owned(),
            token,
            http: Http::new(authorities)?,
        })
    }

    /// Says how a commit stands.
    ///
    /// # Errors
    ///
    /// [`ForgeError`]. That it stands like that already is none.
    pub async fn set_status(&self, status: &Status) -> Result<(), ForgeError> {
        let call = call::status(self.kind, &self.repository, status);
        match self.ask(&call).await {
            Ok(_) => Ok(()),
            Err(error) if reply::stands_already(self.kind, &error) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Keeps one comment on a change request: the one that holds `marker`, which is written if it is not there. `body` has to
    /// hold the marker too.
    ///
    /// # Errors
    ///
    /// [`ForgeError`].
    pub async fn keep_comment(&self, number: u64, marker: &str, body: &str) -> Result<Commented, ForgeError> {
        let Some(comment) = self.find_comment(number, marker).await? else {
            self.ask(&call::comment(self.kind, &self.repository, number, body))
                .await?;
            return Ok(Commented::Written);
        };
        if comment.body == body {
            return Ok(Commented::Unchanged);
        }
        self.ask(&call::edit(self.kind, &self.repository, number, comment.id, body))
            .await?;
        Ok(Commented::Edited)
    }

    async fn find_comment(&self, number: u64, marker: &str) -> Result<Option<Comment>, ForgeError> {
        for page in 1..=PAGES {
            let (comments, has_next) = self.comments(number, page).await?;
            let is_it = |comment: &Comment| comment.body.contains(marker);
            if let Some(found) = comments.into_iter().find(is_it) {
                return Ok(Some(found));
            }
            if !has_next {
                return Ok(None);
            }
        }
        Ok(None)
    }

    /// The texts of all comments on a change request that hold `marker`, the oldest first, whoever wrote them.
    ///
    /// # Errors
    ///
    /// [`ForgeError`].
    pub async fn comments_with(&self, number: u64, marker: &str) -> Result<Vec<String>, ForgeError> {
        let mut found = Vec::new();
        for page in 1..=PAGES {
            let (comments, has_next) = self.comments(number, page).await?;
            let bodies = comments.into_iter().map(|comment| comment.body);
            found.extend(bodies.filter(|body| body.contains(marker)));
            if !has_next {
                break;
            }
        }
        Ok(found)
    }

    /// A page of the comments on a change request, and whether there are more.
    async fn comments(&self, number: u64, page: u32) -> Result<(Vec<Comment>, bool), ForgeError> {
        let call = call::comments(self.kind, &self.repository, number, page);
        let answer = self.ask(&call).await?;
        Ok((answer.read()?, answer.has_next))
    }

    /// The change requests by which a commit came into a branch: by a merge, a squash or a rebase.
    ///
    /// # Errors
    ///
    /// [`ForgeError`]. That there is none is none.
    pub async fn merged_with(&self, commit: &str, branch: &str) -> Result<Vec<Merged>, ForgeError> {
        let answer = match self.ask(&call::merged(self.kind, &self.repository, commit)).await {
            // Gitea's way of saying that there is none.
            Err(ForgeError::Refused { status: 404, .. }) if self.kind == ForgeKind::Gitea => return Ok(Vec::new()),
            answer => answer?,
        };
        let merging: Vec<Merging> = match self.kind {
            ForgeKind::Gitea => vec![answer.read()?],
            ForgeKind::GitHub | ForgeKind::GitLab => answer.read()?,
        };
        Ok(merging.into_iter().filter_map(|one| one.merged_into(branch)).collect())
    }

    /// Opens a change request.
    ///
    /// # Errors
    ///
    /// [`ForgeError`]; [`ForgeError::Refused`] with 409 or 422 where there is one between these branches.
    pub async fn propose(&self, proposal: &Proposal) -> Result<Opening, ForgeError> {
        let answer = self.ask(&call::propose(self.kind, &self.repository, proposal)).await?;
        let opened: Opened = answer.read()?;
        Ok(opened.into())
    }

    /// Opens a change request, unless there is one between these branches: that one shows what is on them now. Gives it where it was opened.
    ///
    /// # Errors
    ///
    /// [`ForgeError`].
    pub async fn ensure_proposed(&self, proposal: &Proposal) -> Result<Option<Opening>, ForgeError> {
        match self.propose(proposal).await {
            Ok(opening) => Ok(Some(opening)),
            Err(ForgeError::Refused { status: 409 | 422, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Sends a call and waits for an answer that says yes.
    async fn ask(&self, call: &Call) -> Result<Answer, ForgeError> {
        let url = format!("{}{}", self.base, call.path);
        let (header, token) = call::login(self.kind, &self.token);
        let mut headers = vec![("Accept".into(), call::accept(self.kind).to_owned())];
        if !call.body.is_empty() {
            headers.push(("Content-Type".into(), "application/json".to_owned()));
        }
        let request = Request {
            method: call.method,
            url: url.clone(),
            called: None,
            headers,
            token: Some((header, token)),
            basic: None,
            body: call.body.clone(),
        };
        let asking = async {
            let mut reply = self.http.send(request).await?;
            let head = reply::Head {
                status: reply.status(),
                was_moved: reply.was_moved(),
                retry_after: reply.header("Retry-After").map(str::to_owned),
                remaining: reply
                    .header("X-RateLimit-Remaining")
                    .or(reply.header("RateLimit-Remaining"))
                    .map(str::to_owned),
                reset: reply
                    .header("X-RateLimit-Reset")
                    .or(reply.header("RateLimit-Reset"))
                    .map(str::to_owned),
                link: reply.header("Link").map(str::to_owned),
            };
            let body = reply.body(ANSWER).await?;
            Ok::<_, HttpError>((head, body))
        };
        let Ok(asked) = tokio::time::timeout(PATIENCE, asking).await else {
            return Err(ForgeError::Slow { url });
        };
        let (head, body) = asked?;
        let value = reply::judge(&url, &head, &body, jiff::Timestamp::now())?;
        Ok(Answer {
            has_next: reply::has_next(head.link.as_deref()),
            url,
            value,
        })
    }
}

/// An answer that says yes.
struct Answer {
    url: String,
    value: serde_json::Value,
    /// Whether more of the list is on another page.
    has_next: bool,
}

impl Answer {
    fn read<T: serde::de::DeserializeOwned>(&self) -> Result<T, ForgeError> {
        T::deserialize(&self.value).map_err(|error| ForgeError::NotAnApi {
            url: self.url.clone(),
            what: format!("sent something else than its API says ({error}); is the kind of forge right?"),
        })
    }
}
