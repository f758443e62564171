//! What a forge answers: whether it is a yes, and what it means where it is none. Pure.

use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::{ForgeError, ForgeKind, Merged, Opening};

/// How many characters of a forge's own words are shown.
const SAID: usize = 200;

/// The head of an answer.
#[derive(Debug, Clone, Default)]
pub(super) struct Head {
    pub(super) status: u16,
    /// Whether it comes from another address than was asked.
    pub(super) was_moved: bool,
    pub(super) retry_after: Option<String>,
    /// How many calls are left until `reset`, in seconds since 1970.
    pub(super) remaining: Option<String>,
    pub(super) reset: Option<String>,
    pub(super) link: Option<String>,
}

/// A comment, as far as it is of interest.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Comment {
    pub(super) id: u64,
    #[serde(default)]
    pub(super) body: String,
}

/// A change request that was opened: GitHub and Gitea say `number` and `html_url`, GitLab `iid` and `web_url`.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Opened {
    #[serde(alias = "iid")]
    number: u64,
    #[serde(alias = "web_url")]
    html_url: String,
}

impl From<Opened> for Opening {
    fn from(opened: Opened) -> Self {
        Self {
            number: opened.number,
            page: opened.html_url,
        }
    }
}

/// A change request of a commit: GitHub and Gitea have its commits in `head` and `base`, GitLab in `sha` and `target_branch`.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Merging {
    #[serde(alias = "iid")]
    number: u64,
    merged_at: Option<String>,
    head: Option<End>,
    base: Option<End>,
    sha: Option<String>,
    target_branch: Option<String>,
}

/// One end of a change request.
#[derive(Debug, Clone, Deserialize)]
struct End {
    #[serde(rename = "ref")]
    branch: String,
    sha: String,
}

impl Merging {
    /// What it is where it was merged into this branch.
    pub(super) fn merged_into(self, branch: &str) -> Option<Merged> {
        let into = self.target_branch.or(self.base.map(|base| base.branch))?;
        let head = self.sha.or(self.head.map(|head| head.sha))?;
        (self.merged_at.is_some() && into == branch).then_some(Merged {
            number: self.number,
            head,
        })
    }
}

/// Reads an answer that says yes.
pub(super) fn judge(url: &str, head: &Head, body: &[u8], now: Timestamp) -> Result<Value, ForgeError> {
    let not_an_api = |what: &str| ForgeError::NotAnApi {
        url: url.to_owned(),
        what: what.to_owned(),
    };
    let value: Option<Value> = serde_json::from_slice(body).ok();
    if head.was_moved || (300..400).contains(&head.status) {
        return Err(not_an_api(
            "sends elsewhere; is the address of the API right, and the repository not renamed?",
        ));
    }
    if !(200..300).contains(&head.status) {
        let said = value.as_ref().map(words).unwrap_or_default();
        return Err(ForgeError::Refused {
            url: url.to_owned(),
            status: head.status,
            help: help(head),
            said: if said.is_empty() { said } else { format!(" ({said})") },
            after: after(head, now),
        });
    }
    match value {
        // A proxy or a login page in between.
        None => Err(not_an_api(
            "answered with something that is no JSON; is the address of the API right?",
        )),
        Some(value) if value.get("error").is_some_and(|error| !error.is_null()) => Err(ForgeError::NotAnApi {
            url: url.to_owned(),
            what: format!("answered with an error: {}", words(&value)),
        }),
        Some(value) => Ok(value),
    }
}

/// Whether more of a list follows: `Link: <…>; rel="next"`.
pub(super) fn has_next(link: Option<&str>) -> bool {
    link.is_some_and(|link| link.contains("rel=\"next\""))
}

/// GitLab refuses to set a status that is set already: `Cannot transition status via :run from :running`.
pub(super) fn stands_already(kind: ForgeKind, error: &ForgeError) -> bool {
    let ForgeError::Refused { status: 400, said, .. } = error else {
        return false;
    };
    kind == ForgeKind::GitLab && said.contains("Cannot transition status")
}

/// The words of an answer that says no, on one line.
fn words(value: &Value) -> String {
    let said = ["message", "error", "errors"].iter().find_map(|name| value.get(name));
    let text = match said {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    };
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(SAID).collect()
}

fn is_limited(head: &Head) -> bool {
    head.status == 429 || head.remaining.as_deref() == Some("0")
}

fn help(head: &Head) -> &'static str {
    match head.status {
        _ if is_limited(head) => "; its limit of calls is reached, and it is asked again later",
        401 => "; is the token right, and still valid?",
        403 => {
            "; the token may not do that: on GitHub it needs write access to commit statuses and pull requests, on GitLab the scope \
                `api` and the role Developer, on Gitea write access to repository and issues"
        }
        404 => "; is there such a repository, commit or change request, and may the token see it?",
        409 | 422 => "; is there one already?",
        _ => "",
    }
}

/// After how long the forge wants to be asked again: what `Retry-After` says, or where its limit is reached, when that ends.
fn after(head: &Head, now: Timestamp) -> Option<Duration> {
    if let Some(seconds) = head.retry_after.as_deref().and_then(|text| text.trim().parse().ok()) {
        return Some(Duration::from_secs(seconds));
    }
    let reset: i64 = head
        .reset
        .as_deref()
        .filter(|_| is_limited(head))?
        .trim()
        .parse()
        .ok()?;
    let seconds = u64::try_from(reset.saturating_sub(now.as_second())).unwrap_or(0);
    Some(Duration::from_secs(seconds + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::Retry;

    fn now() -> Timestamp {
        Timestamp::from_second(1_800_000_000).unwrap()
    }

    fn head(status: u16) -> Head {
        Head {
            status,
            ..Head::default()
        }
    }

    fn refused(head: &Head, body: &str) -> ForgeError {
        judge("https://api.example.org/x", head, body.as_bytes(), now()).unwrap_err()
    }

    #[test]
    fn only_json_that_reports_no_error_is_a_yes() {
        assert!(judge("u", &head(201), b"{\"id\": 1}", now()).is_ok());
        assert!(judge("u", &head(200), b"[]", now()).is_ok());
        for (head, body, what) in [
            (head(200), "<html>Sign in</html>", "is no JSON"),
            (
                head(200),
                "{\"error\": \"insufficient_scope\"}",
                "answered with an error: insufficient_scope",
            ),
            (head(301), "", "sends elsewhere"),
            (
                head(401),
                "{\"message\": \"Bad credentials\"}",
                "status 401 (Bad credentials); is the token right",
            ),
            (
                head(403),
                "{\"message\": \"Resource not accessible\"}",
                "the token may not do that",
            ),
            (
                head(404),
                "<h1>Not found</h1>",
                "status 404; is there such a repository",
            ),
            (
                head(422),
                "{\"message\": {\"base\": [\"invalid\"]}}",
                "{\"base\":[\"invalid\"]}",
            ),
        ] {
            let error = refused(&head, body).to_string();
            assert!(
                error.contains(what) && error.contains("https://api.example.org/x"),
                "{error}"
            );
        }
    }

    #[test]
    fn only_what_was_merged_into_the_branch_came_with_a_commit() {
        let github = r#"{"id": 1, "number": 7, "merged_at": "2026-11-28T10:00:00Z", "merge_commit_sha": "m",
            "head": {"ref": "change", "sha": "h"}, "base": {"ref": "main", "sha": "b"}}"#;
        let gitlab = r#"{"id": 1, "iid": 7, "state": "merged", "merged_at": "2026-11-28T10:00:00Z", "sha": "h", "target_branch": "main"}"#;
        for text in [github, gitlab] {
            let merging: Merging = serde_json::from_str(text).unwrap();
            let merged = merging.clone().merged_into("main").unwrap();
            assert_eq!((merged.number, merged.head.as_str()), (7, "h"));
            assert_eq!(merging.merged_into("next"), None);
            let open: Merging = serde_json::from_str(&text.replace("\"2026-11-28T10:00:00Z\"", "null")).unwrap();
            assert_eq!(open.merged_into("main"), None);
        }
    }

    #[test]
    fn a_limit_says_when_to_come_again() {
        let limited = Head {
            remaining: Some("0".to_owned()),
            reset: Some("1800000059".to_owned()),
            ..head(403)
        };
        let error = refused(&limited, "{\"message\": \"API rate limit exceeded\"}");
        assert_eq!(error.after(), Some(Duration::from_secs(60)));
        assert_eq!(error.retry(), Retry::Soon);
        assert!(error.to_string().contains("its limit of calls is reached"), "{error}");
        let slow_down = Head {
            retry_after: Some("30".to_owned()),
            ..head(429)
        };
        assert_eq!(refused(&slow_down, "").after(), Some(Duration::from_secs(30)));
        // A 403 for another reason is none.
        assert_eq!(refused(&head(403), "{}").retry(), Retry::AfterChange);
        assert_eq!(refused(&head(422), "{}").retry(), Retry::Never);
        assert_eq!(refused(&head(502), "").retry(), Retry::Soon);
    }

    #[test]
    fn a_status_that_gitlab_has_already_is_no_error() {
        let error = refused(
            &head(400),
            "{\"message\": \"Cannot transition status via :enqueue from :pending (Reason(s): ...)\"}",
        );
        assert!(stands_already(ForgeKind::GitLab, &error));
        assert!(!stands_already(ForgeKind::Gitea, &error));
    }

    #[test]
    fn pages_are_followed_as_long_as_there_are_more() {
        assert!(has_next(Some(
            "<https://h/x?page=2>; rel=\"next\", <https://h/x?page=9>; rel=\"last\""
        )));
        assert!(!has_next(Some("<https://h/x?page=1>; rel=\"first\"")));
        assert!(!has_next(None));
    }
}
