//! What is asked of a forge, as its documentation has it. Pure.

use serde_json::{Value, json};

use crate::domain::Secret;
use crate::transport::http::Method;

use super::{ForgeKind, Proposal, State, Status};

/// How many characters a description may have: GitHub's limit; GitLab and Gitea take 255.
const GITHUB_DESCRIPTION: usize = 140;
const DESCRIPTION: usize = 255;

/// A call of an API: method, path after the base address, and body (JSON; empty for none).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) body: Vec<u8>,
}

impl Call {
    fn new(method: Method, path: String, body: Option<&Value>) -> Self {
        Self {
            method,
            path,
            body: body.map(|body| body.to_string().into_bytes()).unwrap_or_default(),
        }
    }
}

/// The header that lets in.
pub(super) fn login(kind: ForgeKind, token: &Secret) -> (&'static str, Secret) {
    let word = |word: &str| Secret::new(format!("{word} {}", token.expose()));
    match kind {
        ForgeKind::GitHub => ("Authorization", word("Bearer")),
        ForgeKind::GitLab => ("PRIVATE-TOKEN", token.clone()),
        ForgeKind::Gitea => ("Authorization", word("token")),
    }
}

/// The form of answer that is understood here.
pub(super) const fn accept(kind: ForgeKind) -> &'static str {
    match kind {
        ForgeKind::GitHub => "application/vnd.github+json",
        ForgeKind::GitLab | ForgeKind::Gitea => "application/json",
    }
}

/// <https://docs.github.com/en/rest/commits/statuses>, <https://docs.gitlab.com/api/commits/#set-commit-pipeline-status>,
/// Gitea's `repoCreateStatus`.
pub(super) fn status(kind: ForgeKind, repository: &str, status: &Status) -> Call {
    let most = if kind == ForgeKind::GitHub {
        GITHUB_DESCRIPTION
    } else {
        DESCRIPTION
    };
    let description = shortened(&status.description, most);
    let state = match (kind, status.state) {
        (_, State::Pending) => "pending",
        (_, State::Success) => "success",
        (ForgeKind::GitLab, State::Failure) => "failed",
        (_, State::Failure) => "failure",
    };
    let mut body = json!({ "state": state, "context": status.context, "description": description });
    if let Some(target) = &status.target {
        body["target_url"] = json!(target);
    }
    let path = match kind {
        ForgeKind::GitLab => format!("/projects/{}/statuses/{}", project(repository), status.commit),
        ForgeKind::GitHub | ForgeKind::Gitea => format!("/repos/{repository}/statuses/{}", status.commit),
    };
    Call::new(Method::Post, path, Some(&body))
}

/// The comments of a change request, a page at a time.
pub(super) fn comments(kind: ForgeKind, repository: &str, number: u64, page: u32) -> Call {
    let query = match kind {
        ForgeKind::GitHub | ForgeKind::GitLab => format!("?per_page=100&page={page}"),
        ForgeKind::Gitea => format!("?limit=100&page={page}"),
    };
    Call::new(Method::Get, format!("{}{query}", list(kind, repository, number)), None)
}

/// A new comment.
pub(super) fn comment(kind: ForgeKind, repository: &str, number: u64, body: &str) -> Call {
    Call::new(
        Method::Post,
        list(kind, repository, number),
        Some(&json!({ "body": body })),
    )
}

/// Another text for a comment.
pub(super) fn edit(kind: ForgeKind, repository: &str, number: u64, id: u64, body: &str) -> Call {
    let body = json!({ "body": body });
    match kind {
        ForgeKind::GitLab => {
            let path = format!("{}/{id}", list(kind, repository, number));
            Call::new(Method::Put, path, Some(&body))
        }
        ForgeKind::GitHub | ForgeKind::Gitea => {
            let path = format!("/repos/{repository}/issues/comments/{id}");
            Call::new(Method::Patch, path, Some(&body))
        }
    }
}

/// The change requests of a commit:
/// <https://docs.github.com/en/rest/commits/commits#list-pull-requests-associated-with-a-commit>,
/// <https://docs.gitlab.com/api/commits/#list-merge-requests-associated-with-a-commit>, Gitea's `repoGetCommitPullRequest`.
pub(super) fn merged(kind: ForgeKind, repository: &str, commit: &str) -> Call {
    let path = match kind {
        ForgeKind::GitHub => format!("/repos/{repository}/commits/{commit}/pulls?per_page=100"),
        ForgeKind::GitLab => format!(
            "/projects/{}/repository/commits/{commit}/merge_requests?per_page=100",
            project(repository)
        ),
        ForgeKind::Gitea => format!("/repos/{repository}/commits/{commit}/pull"),
    };
    Call::new(Method::Get, path, None)
}

/// A new change request.
pub(super) fn propose(kind: ForgeKind, repository: &str, proposal: &Proposal) -> Call {
    let Proposal {
        from,
        into,
        title,
        body,
    } = proposal;
    match kind {
        ForgeKind::GitLab => {
            let path = format!("/projects/{}/merge_requests", project(repository));
            let body = json!({ "source_branch": from, "target_branch": into, "title": title, "description": body });
            Call::new(Method::Post, path, Some(&body))
        }
        ForgeKind::GitHub | ForgeKind::Gitea => {
            let body = json!({ "head": from, "base": into, "title": title, "body": body });
            Call::new(Method::Post, format!("/repos/{repository}/pulls"), Some(&body))
        }
    }
}

fn list(kind: ForgeKind, repository: &str, number: u64) -> String {
    match kind {
        ForgeKind::GitLab => format!("/projects/{}/merge_requests/{number}/notes", project(repository)),
        ForgeKind::GitHub | ForgeKind::Gitea => format!("/repos/{repository}/issues/{number}/comments"),
    }
}

/// GitLab takes the path of a project with its slashes escaped.
fn project(repository: &str) -> String {
    repository.replace('/', "%2F")
}

/// A description on one line, as long as the forge takes it.
fn shortened(text: &str, most: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= most {
        return line;
    }
    let kept: String = line.chars().take(most - 1).collect();
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [ForgeKind; 3] = [ForgeKind::GitHub, ForgeKind::GitLab, ForgeKind::Gitea];

    fn shown(call: &Call) -> String {
        format!(
            "{:?} {} {}",
            call.method,
            call.path,
            String::from_utf8_lossy(&call.body)
        )
    }

    #[test]
    fn calls_are_as_the_forges_document_them() {
        let mut lines = Vec::new();
        for kind in KINDS {
            let failed = Status {
                commit: "4f1c".to_owned(),
                context: "gamops/applied".to_owned(),
                state: State::Failure,
                description: "unknown plan\n`glod`".to_owned(),
                target: Some("https://noc.example.org/".to_owned()),
            };
            let proposal = Proposal {
                from: "gamops/adopt".to_owned(),
                into: "main".to_owned(),
                title: "Adopt drift".to_owned(),
                body: "What was found.".to_owned(),
            };
            lines.push(format!(
                "{kind:?}: {}, {}",
                login(kind, &Secret::new("t")).0,
                accept(kind)
            ));
            lines.extend(
                [
                    status(kind, "isp/network", &failed),
                    comments(kind, "isp/network", 7, 2),
                    comment(kind, "isp/network", 7, "hello"),
                    edit(kind, "isp/network", 7, 31, "hello"),
                    propose(kind, "isp/network", &proposal),
                    merged(kind, "isp/network", "4f1c"),
                ]
                .iter()
                .map(shown),
            );
        }
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn a_description_is_as_long_as_the_forge_takes_it() {
        for kind in KINDS {
            let long = Status {
                commit: "4f1c".to_owned(),
                context: "gamops/applied".to_owned(),
                state: State::Pending,
                description: "ü".repeat(999),
                target: None,
            };
            let body: Value = serde_json::from_slice(&status(kind, "isp/network", &long).body).unwrap();
            let length = body["description"].as_str().unwrap().chars().count();
            assert_eq!(length, if kind == ForgeKind::GitHub { 140 } else { 255 });
            assert!(body.get("target_url").is_none());
        }
    }
}
