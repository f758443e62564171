//! Where a job runs: which forge, which change request, by the variables that its CI sets. Pure: the variables are handed in.

use serde_json::Value;

use crate::forge::ForgeKind;

/// A job about a change request, or about a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Job {
    pub(super) kind: ForgeKind,
    /// Where the forge's API is.
    pub(super) api: Option<String>,
    /// `owner/name`.
    pub(super) repository: Option<String>,
    /// The change request, if the job is about one.
    pub(super) number: Option<u64>,
    /// The last commit of the change request.
    pub(super) head: Option<String>,
    /// What it goes into: names of the same commit, the best first.
    pub(super) bases: Vec<String>,
    /// The job's own page.
    pub(super) page: Option<String>,
    /// Whether it comes from another repository, whose jobs may not write to this one.
    pub(super) is_fork: bool,
    /// Variables that may hold a token, the best first.
    pub(super) tokens: &'static [&'static str],
}

/// Tells where a job runs. `event`: the document that `GITHUB_EVENT_PATH` names, where there is one. `None`: in no CI that is known.
pub(super) fn job(variable: &dyn Fn(&str) -> Option<String>, event: Option<&Value>) -> Option<Job> {
    let is_set = |name: &str| variable(name).is_some_and(|value| value == "true");
    if is_set("GITLAB_CI") {
        return Some(gitlab(variable));
    }
    // Their runners set GitHub's variables as well.
    let is_gitea = is_set("GITEA_ACTIONS") || is_set("FORGEJO_ACTIONS");
    (is_gitea || is_set("GITHUB_ACTIONS")).then(|| actions(variable, event, is_gitea))
}

fn gitlab(variable: &dyn Fn(&str) -> Option<String>) -> Job {
    let of_request = |name: &str| variable(&format!("CI_MERGE_REQUEST_{name}"));
    let project = of_request("PROJECT_PATH").or_else(|| variable("CI_PROJECT_PATH"));
    let branch = of_request("TARGET_BRANCH_NAME").map(|branch| format!("origin/{branch}"));
    Job {
        kind: ForgeKind::GitLab,
        api: variable("CI_API_V4_URL"),
        is_fork: of_request("SOURCE_PROJECT_PATH").is_some_and(|source| project.as_ref() != Some(&source)),
        repository: project,
        number: of_request("IID").and_then(|number| number.parse().ok()),
        // In a pipeline for merged results `CI_COMMIT_SHA` is a commit that GitLab made.
        head: of_request("SOURCE_BRANCH_SHA").or_else(|| variable("CI_COMMIT_SHA")),
        bases: branch.into_iter().chain(of_request("DIFF_BASE_SHA")).collect(),
        page: variable("CI_JOB_URL"),
        tokens: &["GAMOPS_FORGE_TOKEN", "GITLAB_TOKEN"],
    }
}

fn actions(variable: &dyn Fn(&str) -> Option<String>, event: Option<&Value>, is_gitea: bool) -> Job {
    let text = |pointer: &str| event?.pointer(pointer)?.as_str().map(str::to_owned);
    let reference = variable("GITHUB_REF").unwrap_or_default();
    let number = reference
        .strip_prefix("refs/pull/")
        .and_then(|rest| rest.split('/').next());
    let repository = variable("GITHUB_REPOSITORY");
    let page = variable("GITHUB_SERVER_URL")
        .zip(repository.clone())
        .zip(variable("GITHUB_RUN_ID"));
    let branch = variable("GITHUB_BASE_REF").map(|branch| format!("origin/{branch}"));
    Job {
        kind: if is_gitea { ForgeKind::Gitea } else { ForgeKind::GitHub },
        api: variable("GITHUB_API_URL"),
        number: number.and_then(|number| number.parse().ok()),
        // `GITHUB_SHA` of a pull request is a merge that GitHub made, and no commit that anybody would look at.
        head: text("/pull_request/head/sha").or_else(|| variable("GITHUB_SHA")),
        bases: branch.into_iter().chain(text("/pull_request/base/sha")).collect(),
        is_fork: text("/pull_request/head/repo/full_name").is_some_and(|source| repository.as_ref() != Some(&source)),
        repository,
        // Gitea counts its runs otherwise, so its pages cannot be told from the variables.
        page: page
            .filter(|_| !is_gitea)
            .map(|((server, repository), run)| format!("{server}/{repository}/actions/runs/{run}")),
        tokens: if is_gitea {
            &["GAMOPS_FORGE_TOKEN", "FORGEJO_TOKEN", "GITEA_TOKEN", "GITHUB_TOKEN"]
        } else {
            &["GAMOPS_FORGE_TOKEN", "GITHUB_TOKEN"]
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn with(set: &'static [(&str, &str)], event: Option<&Value>) -> Option<Job> {
        let variable = |name: &str| {
            let found = set.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        job(&variable, event)
    }

    #[test]
    fn github_says_where_it_is() {
        const SET: &[(&str, &str)] = &[
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_REPOSITORY", "isp/network"),
            ("GITHUB_API_URL", "https://api.github.com"),
            ("GITHUB_SERVER_URL", "https://github.com"),
            ("GITHUB_RUN_ID", "77"),
            ("GITHUB_REF", "refs/pull/7/merge"),
            ("GITHUB_SHA", "merge"),
            ("GITHUB_BASE_REF", "main"),
        ];
        let event = json!({"pull_request": {"head": {"sha": "head", "repo": {"full_name": "somebody/network"}}, "base": {"sha": "base"}}});
        let job = with(SET, Some(&event)).unwrap();
        assert_eq!((job.kind, job.number, job.is_fork), (ForgeKind::GitHub, Some(7), true));
        assert_eq!(job.head.as_deref(), Some("head"));
        assert_eq!(job.bases, ["origin/main", "base"]);
        assert_eq!(
            job.page.as_deref(),
            Some("https://github.com/isp/network/actions/runs/77")
        );
        // A push is about no change request.
        const PUSH: &[(&str, &str)] = &[
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_REF", "refs/heads/main"),
            ("GITHUB_SHA", "4f1c"),
        ];
        let job = with(PUSH, None).unwrap();
        assert_eq!(
            (job.number, job.head.as_deref(), job.is_fork),
            (None, Some("4f1c"), false)
        );
    }

    #[test]
    fn forgejo_and_gitea_are_not_taken_for_github() {
        const FORGEJO: &[(&str, &str)] = &[
            ("GITHUB_ACTIONS", "true"),
            ("FORGEJO_ACTIONS", "true"),
            ("GITHUB_API_URL", "https://git.example.org/api/v1"),
            ("GITHUB_REF", "refs/pull/7/head"),
        ];
        const GITEA: &[(&str, &str)] = &[("GITHUB_ACTIONS", "true"), ("GITEA_ACTIONS", "true")];
        for set in [FORGEJO, GITEA] {
            assert_eq!(with(set, None).unwrap().kind, ForgeKind::Gitea);
        }
        assert_eq!(with(FORGEJO, None).unwrap().number, Some(7));
    }

    #[test]
    fn gitlab_says_where_it_is() {
        const SET: &[(&str, &str)] = &[
            ("GITLAB_CI", "true"),
            ("CI_API_V4_URL", "https://gitlab.example.org/api/v4"),
            ("CI_PROJECT_PATH", "somebody/network"),
            ("CI_MERGE_REQUEST_PROJECT_PATH", "isp/network"),
            ("CI_MERGE_REQUEST_SOURCE_PROJECT_PATH", "somebody/network"),
            ("CI_MERGE_REQUEST_IID", "7"),
            ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main"),
            ("CI_COMMIT_SHA", "4f1c"),
            ("CI_JOB_URL", "https://gitlab.example.org/-/jobs/1"),
        ];
        let job = with(SET, None).unwrap();
        assert_eq!((job.kind, job.number, job.is_fork), (ForgeKind::GitLab, Some(7), true));
        assert_eq!(job.repository.as_deref(), Some("isp/network"));
        assert_eq!(job.head.as_deref(), Some("4f1c"));
        assert_eq!(job.bases, ["origin/main"]);
        assert_eq!(with(&[], None), None);
    }
}
