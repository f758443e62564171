//! GitHub, GitLab and Gitea on loopback, as far as their public documentation describes what gamops asks of them: statuses of
//! commits, comments, change requests. A call that is not in the documentation is refused.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, Response};
use serde_json::{Value, json};

/// The token that lets in.
pub(crate) const TOKEN: &str = "canary-token";

/// Which forge it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    GitHub,
    GitLab,
    Gitea,
}

/// An answer out of turn: status, headers, body.
pub(crate) type Mood = (u16, Vec<(&'static str, String)>, &'static str);

#[derive(Debug, Default)]
struct Desk {
    statuses: Vec<(String, Value)>,
    comments: Vec<(u64, String)>,
    proposals: Vec<Value>,
    /// Commits that came with change request 7, and its last commit.
    merged: BTreeMap<String, String>,
    /// Answered first, one each.
    moods: VecDeque<Mood>,
    calls: usize,
}

/// A forge that holds `isp/network`; it ends when this is dropped.
pub(crate) struct ForgeServer {
    port: u16,
    kind: Kind,
    desk: Arc<Mutex<Desk>>,
    _runtime: tokio::runtime::Runtime,
}

impl ForgeServer {
    pub(crate) fn start(kind: Kind) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let port = listener.local_addr().unwrap().port();
        let desk = Arc::new(Mutex::new(Desk::default()));
        let router = axum::Router::new()
            .fallback(serve)
            .with_state((kind, Arc::clone(&desk)));
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self {
            port,
            kind,
            desk,
            _runtime: runtime,
        }
    }

    pub(crate) fn base(&self) -> String {
        let folder = match self.kind {
            Kind::GitHub => "/api/v3",
            Kind::GitLab => "/api/v4",
            Kind::Gitea => "/api/v1",
        };
        format!("http://127.0.0.1:{}{folder}", self.port)
    }

    /// The statuses that were set, oldest first: commit, state and description.
    pub(crate) fn statuses(&self) -> Vec<(String, String, String)> {
        let desk = self.desk.lock().unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (desk.statuses.iter())
            .map(|(commit, status)| (commit.clone(), text(&status["state"]), text(&status["description"])))
            .collect()
    }

    /// The same with the context: commit, context, state and description.
    pub(crate) fn statuses_by_context(&self) -> Vec<(String, String, String, String)> {
        let desk = self.desk.lock().unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (desk.statuses.iter())
            .map(|(commit, status)| {
                let of = |name: &str| text(&status[name]);
                (commit.clone(), of("context"), of("state"), of("description"))
            })
            .collect()
    }

    /// The comments on change request 7.
    pub(crate) fn comments(&self) -> Vec<(u64, String)> {
        self.desk.lock().unwrap().comments.clone()
    }

    pub(crate) fn write_comment(&self, body: &str) {
        let mut desk = self.desk.lock().unwrap();
        let id = desk.comments.len() as u64 + 1;
        desk.comments.push((id, body.to_owned()));
    }

    /// Says that a commit on `main` came with change request 7, whose last commit was `head`.
    pub(crate) fn merge(&self, commit: &str, head: &str) {
        self.desk
            .lock()
            .unwrap()
            .merged
            .insert(commit.to_owned(), head.to_owned());
    }

    pub(crate) fn proposals(&self) -> Vec<Value> {
        self.desk.lock().unwrap().proposals.clone()
    }

    pub(crate) fn mood(&self, mood: Mood) {
        self.desk.lock().unwrap().moods.push_back(mood);
    }

    pub(crate) fn calls(&self) -> usize {
        self.desk.lock().unwrap().calls
    }
}

async fn serve(State((kind, desk)): State<(Kind, Arc<Mutex<Desk>>)>, request: Request) -> Response<Body> {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, 1024 * 1024).await.unwrap();
    let mut desk = desk.lock().unwrap();
    desk.calls += 1;
    if let Some((status, headers, body)) = desk.moods.pop_front() {
        let response = headers
            .into_iter()
            .fold(Response::builder().status(status), |response, (name, value)| {
                response.header(name, value)
            });
        return response.body(Body::from(body)).unwrap();
    }
    let path = head.uri.path().to_owned();
    let query = head.uri.query().unwrap_or_default().to_owned();
    let (status, value, link) = if is_let_in(kind, &head.headers) {
        answer(kind, &mut desk, &head.method, &path, &query, &body)
    } else {
        (401, json!({ "message": "Bad credentials" }), None)
    };
    let mut response = Response::builder()
        .status(status)
        .header("Content-Type", "application/json");
    if let Some(link) = link {
        response = response.header("Link", link);
    }
    response.body(Body::from(value.to_string())).unwrap()
}

fn is_let_in(kind: Kind, headers: &HeaderMap) -> bool {
    let header = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned()
    };
    match kind {
        Kind::GitHub => header("Authorization") == format!("Bearer {TOKEN}"),
        Kind::GitLab => header("PRIVATE-TOKEN") == TOKEN,
        Kind::Gitea => header("Authorization") == format!("token {TOKEN}"),
    }
}

type Answered = (u16, Value, Option<String>);

fn answer(kind: Kind, desk: &mut Desk, method: &Method, path: &str, query: &str, body: &[u8]) -> Answered {
    let (folder, notes, comments) = match kind {
        Kind::GitHub => ("/api/v3/repos/isp/network", "/issues/7/comments", "/issues/comments/"),
        Kind::GitLab => (
            "/api/v4/projects/isp%2Fnetwork",
            "/merge_requests/7/notes",
            "/merge_requests/7/notes/",
        ),
        Kind::Gitea => ("/api/v1/repos/isp/network", "/issues/7/comments", "/issues/comments/"),
    };
    let nothing = || (404, json!({ "message": "404 Not Found" }), None);
    let Some(rest) = path.strip_prefix(folder) else {
        return nothing();
    };
    let (pulls, change) = match kind {
        Kind::GitLab => ("/merge_requests", Method::PUT),
        Kind::GitHub | Kind::Gitea => ("/pulls", Method::PATCH),
    };
    if let (&Method::POST, Some(commit)) = (method, rest.strip_prefix("/statuses/")) {
        return set_status(kind, desk, commit, body);
    }
    let (before, behind) = match kind {
        Kind::GitHub => ("/commits/", "/pulls"),
        Kind::GitLab => ("/repository/commits/", "/merge_requests"),
        Kind::Gitea => ("/commits/", "/pull"),
    };
    if let Some(commit) = rest.strip_prefix(before).and_then(|rest| rest.strip_suffix(behind)) {
        return merged(kind, desk, commit);
    }
    if *method == Method::GET && rest == notes {
        return list(kind, desk, query);
    }
    if *method == Method::POST && rest == notes {
        return with(body, &["body"], |value| {
            let id = desk.comments.len() as u64 + 1;
            desk.comments.push((id, value["body"].as_str().unwrap().to_owned()));
            (201, json!({ "id": id, "body": value["body"] }), None)
        });
    }
    if let (true, Some(id)) = (*method == change, rest.strip_prefix(comments)) {
        return with(body, &["body"], |value| {
            let found = desk.comments.iter_mut().find(|(number, _)| number.to_string() == id);
            match found {
                None => nothing(),
                Some((_, text)) => {
                    value["body"].as_str().unwrap().clone_into(text);
                    (200, value.clone(), None)
                }
            }
        });
    }
    if *method == Method::POST && rest == pulls {
        let fields: &[&str] = match kind {
            Kind::GitLab => &["source_branch", "target_branch", "title", "description"],
            Kind::GitHub | Kind::Gitea => &["head", "base", "title", "body"],
        };
        return with(body, fields, |value| {
            if desk.proposals.contains(value) {
                let status = if kind == Kind::GitHub { 422 } else { 409 };
                return (status, json!({ "message": "a pull request already exists" }), None);
            }
            desk.proposals.push(value.clone());
            let opened = match kind {
                Kind::GitLab => json!({ "id": 900, "iid": 8, "web_url": "https://forge/8" }),
                Kind::GitHub | Kind::Gitea => json!({ "id": 900, "number": 8, "html_url": "https://forge/8" }),
            };
            (201, opened, None)
        });
    }
    nothing()
}

fn set_status(kind: Kind, desk: &mut Desk, commit: &str, body: &[u8]) -> Answered {
    with(body, &["state", "context", "description", "target_url"], |value| {
        let states: &[&str] = match kind {
            Kind::GitHub => &["error", "failure", "pending", "success"],
            Kind::GitLab => &["pending", "running", "success", "failed", "canceled", "skipped"],
            Kind::Gitea => &["pending", "success", "error", "failure", "warning"],
        };
        let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
        let most = if kind == Kind::GitHub { 140 } else { 255 };
        if !states.contains(&text("state").as_str()) || text("description").chars().count() > most {
            return (422, json!({ "message": "Validation Failed" }), None);
        }
        if commit.len() != 40 {
            return (
                422,
                json!({ "message": format!("No commit found for SHA: {commit}") }),
                None,
            );
        }
        let same = |(before, status): &&(String, Value)| before == commit && status["context"] == value["context"];
        let before = desk.statuses.iter().rev().find(same);
        if kind == Kind::GitLab && before.is_some_and(|(_, before)| before["state"] == value["state"]) {
            let message = format!("Cannot transition status via :run from :{}", text("state"));
            return (400, json!({ "message": message }), None);
        }
        desk.statuses.push((commit.to_owned(), value.clone()));
        (201, json!({ "id": desk.statuses.len() }), None)
    })
}

/// The change requests that a commit came with. GitHub and GitLab list them, Gitea has one or none.
fn merged(kind: Kind, desk: &Desk, commit: &str) -> Answered {
    let head = desk.merged.get(commit);
    let one = |head: &String| match kind {
        Kind::GitLab => {
            json!({ "id": 900, "iid": 7, "state": "merged", "merged_at": "2026-11-28T10:00:00Z", "sha": head, "target_branch": "main" })
        }
        Kind::GitHub | Kind::Gitea => json!({
            "id": 900, "number": 7, "merged_at": "2026-11-28T10:00:00Z", "merge_commit_sha": commit,
            "head": { "ref": "change", "sha": head }, "base": { "ref": "main", "sha": "b" },
        }),
    };
    match (kind, head) {
        (Kind::Gitea, None) => (404, json!({ "message": "The target couldn't be found." }), None),
        (Kind::Gitea, Some(head)) => (200, one(head), None),
        (_, head) => (200, head.into_iter().map(one).collect(), None),
    }
}

/// A page of the comments. Gitea's documentation knows no pages here: it lists all of them.
fn list(kind: Kind, desk: &Desk, query: &str) -> Answered {
    let field = |name: &str| {
        let fields = query.split('&').filter_map(|field| field.split_once('='));
        let value = fields
            .into_iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value.parse::<usize>());
        value.transpose().unwrap()
    };
    let all = desk.comments.iter().map(|(id, body)| json!({ "id": id, "body": body }));
    if kind == Kind::Gitea {
        return (200, all.collect(), None);
    }
    let (size, page) = (field("per_page").unwrap_or(30).min(100), field("page").unwrap_or(1));
    let link =
        (desk.comments.len() > size * page).then(|| format!("<https://forge/next?page={}>; rel=\"next\"", page + 1));
    (200, all.skip(size * (page - 1)).take(size).collect(), link)
}

/// Answers a call that may have these fields and no others.
fn with(body: &[u8], fields: &[&str], answer: impl FnOnce(&Value) -> Answered) -> Answered {
    let value: BTreeMap<String, Value> = match serde_json::from_slice(body) {
        Ok(value) => value,
        Err(error) => return (400, json!({ "message": error.to_string() }), None),
    };
    if let Some(unknown) = value.keys().find(|key| !fields.contains(&key.as_str())) {
        return (422, json!({ "message": format!("unknown field {unknown}") }), None);
    }
    answer(&json!(value))
}
