//! The pages that the daemon serves: health, metrics, status; and where forges and people knock.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{self, ConnectInfo, DefaultBodyLimit, State};
use axum::http::{self, HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Notify, watch};
use tokio::task::spawn_blocking;
use tokio_util::task::AbortOnDropHandle;

use crate::domain::{BillingKind, Secret};
use crate::transport::credentials::Keyring;

use super::billing::{Answer, Doors, Knock};
use super::publish::handed;
use super::settings::{Http, Settings};
use super::status::Status;
use super::webhook::{Proof, is_genuine};
use super::{Asked, Control, DaemonError, metrics};

/// The most that a webhook may send. GitHub's own limit is 25 MB; only its signature is of interest.
const WEBHOOK: usize = 25 * 1024 * 1024;

#[derive(Clone)]
struct Pages {
    told: watch::Receiver<Status>,
    look: Arc<Notify>,
    wake: Arc<Notify>,
    asked: Asked,
    secret: Option<Secret>,
    patience: Duration,
    settings: Arc<Settings>,
    doors: Doors,
    /// The file with what was observed, where it is published.
    observed: Option<PathBuf>,
}

/// How long the loop may take to come round before something is wrong: three intervals of what it does regularly, or as long
/// as a round that gives a device back may take.
pub(super) fn patience(settings: &Settings) -> Duration {
    let poll = Duration::from(settings.repository.poll) + Duration::from(settings.repository.within);
    (poll * 3).max(Duration::from_secs(15 * 60))
}

/// Serves the pages until what is returned is dropped.
pub(super) async fn serve(
    http: &Http,
    settings: &Settings,
    told: watch::Receiver<Status>,
    control: &Control,
    doors: &Doors,
    observed: &Path,
) -> Result<AbortOnDropHandle<()>, DaemonError> {
    let secret = match &http.webhook_credentials {
        None => None,
        Some(name) => {
            let keyring = Keyring::from_environment().map_err(|error| DaemonError::Secret(error.into()))?;
            let login = keyring.login(name).map_err(|error| DaemonError::Secret(error.into()))?;
            let empty = || DaemonError::Secret(format!("credentials `{name}` have no password").into());
            Some(login.password.filter(|secret| !secret.is_empty()).ok_or_else(empty)?)
        }
    };
    let failed = |source| DaemonError::Listen {
        listen: http.listen,
        source,
    };
    let listener = tokio::net::TcpListener::bind(http.listen).await.map_err(failed)?;
    tracing::info!("serving pages at http://{}", listener.local_addr().map_err(failed)?);
    let pages = Pages {
        told,
        look: Arc::clone(&control.look),
        wake: Arc::clone(&control.wake),
        asked: control.asked.clone(),
        secret,
        patience: patience(settings),
        settings: Arc::new(settings.clone()),
        doors: doors.clone(),
        observed: settings.observed.publish.then(|| observed.to_owned()),
    };
    let router = Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics_page))
        .route("/status", get(status))
        .route("/observed", get(observed_page))
        .route("/webhook", post(webhook).layer(DefaultBodyLimit::max(WEBHOOK)))
        .route("/reconcile", post(reconcile))
        .merge(billing())
        .with_state(pages);
    Ok(AbortOnDropHandle::new(tokio::spawn(async move {
        // It ends with the daemon.
        let router = router.into_make_service_with_connect_info::<SocketAddr>();
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!("no pages any more: {error}");
        }
    })))
}

/// Whether the daemon does what it is there for; otherwise why not.
pub(super) fn is_ready(status: &Status, patience: Duration) -> Result<(), String> {
    if status.in_force.is_none() {
        return Err("no valid inventory has been seen yet".to_owned());
    }
    let silent = Timestamp::now().duration_since(status.alive);
    if silent > SignedDuration::try_from(patience).unwrap_or(SignedDuration::MAX) {
        return Err(format!("the loop has not come round for {silent:#}"));
    }
    Ok(())
}

async fn readyz(State(pages): State<Pages>) -> Response {
    match is_ready(&pages.told.borrow(), pages.patience) {
        Ok(()) => "ready\n".into_response(),
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")).into_response(),
    }
}

async fn metrics_page(State(pages): State<Pages>, headers: HeaderMap) -> Response {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    let format = metrics::Format::of(accept.unwrap_or_default());
    let text = metrics::text(&pages.told.borrow(), format);
    ([(header::CONTENT_TYPE, format.content_type())], text).into_response()
}

async fn status(State(pages): State<Pages>) -> Response {
    match serde_json::to_string_pretty(&*pages.told.borrow()) {
        Ok(text) => ([(header::CONTENT_TYPE, "application/json")], text + "\n").into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}

/// What is published, for whoever may come here; only where it is published.
async fn observed_page(State(pages): State<Pages>) -> Response {
    let Some(kept) = pages.observed else {
        return (StatusCode::NOT_FOUND, "`observed.publish` is not set\n").into_response();
    };
    let handed = spawn_blocking(move || handed(&kept)).await.ok().flatten();
    let text = handed.and_then(|handed| serde_json::to_string(&handed).ok());
    match text {
        Some(text) => ([(header::CONTENT_TYPE, "application/json")], text + "\n").into_response(),
        None => (StatusCode::SERVICE_UNAVAILABLE, "nothing was observed yet\n").into_response(),
    }
}

async fn webhook(State(pages): State<Pages>, headers: HeaderMap, body: Bytes) -> Response {
    let Some(secret) = &pages.secret else {
        return (StatusCode::NOT_FOUND, "`http.webhook_credentials` is not set\n").into_response();
    };
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let proof = Proof {
        signature: text("x-hub-signature-256"),
        gitea: text("x-gitea-signature"),
        gitlab: text("x-gitlab-token"),
    };
    if !is_genuine(proof, &body, secret) {
        tracing::warn!("a webhook without a valid signature was refused");
        return (StatusCode::FORBIDDEN, "the signature is not valid\n").into_response();
    }
    pages.look.notify_one();
    (StatusCode::ACCEPTED, "looking\n").into_response()
}

/// Where billing systems knock. They look first whether anybody is there.
fn billing() -> Router<Pages> {
    let doors = [
        ("/billing/splynx", BillingKind::Splynx),
        ("/billing/sonar/{secret}", BillingKind::Sonar),
    ];
    doors.into_iter().fold(Router::new(), |router, (path, kind)| {
        let knock = move |State(pages): State<Pages>,
                          ConnectInfo(from): ConnectInfo<SocketAddr>,
                          secret: Option<extract::Path<String>>,
                          method: http::Method,
                          headers: HeaderMap,
                          body: Bytes| async move {
            let path = secret.map(|extract::Path(secret)| secret).unwrap_or_default();
            let headers: Vec<(String, String)> = (headers.iter())
                .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
                .collect();
            let knock = Knock {
                kind,
                from: from.ip(),
                path: &path,
                headers: &headers,
                body: (method == http::Method::POST).then_some(&body),
            };
            let answer = pages.doors.answer(&pages.settings, knock).await;
            if let Answer::NotYou(reason) | Answer::Later(reason) = &answer {
                tracing::warn!("a webhook of {kind} was not taken: {reason}");
            }
            match answer {
                Answer::Recorded | Answer::Ok => (StatusCode::OK, "ok\n").into_response(),
                Answer::Nobody => (StatusCode::NOT_FOUND, "nobody is here by that name\n").into_response(),
                // Why not is in the log: whoever knocks may be anybody.
                Answer::NotYou(_) => (StatusCode::FORBIDDEN, "not taken\n").into_response(),
                Answer::Later(_) => (StatusCode::SERVICE_UNAVAILABLE, "not now\n").into_response(),
            }
        };
        router.route(path, get(knock).post(knock).layer(DefaultBodyLimit::max(WEBHOOK)))
    })
}

/// The body names devices, one on a line; none stands for all, and the repository.
async fn reconcile(State(pages): State<Pages>, body: String) -> Response {
    let devices: BTreeSet<String> = body.split_whitespace().map(str::to_owned).collect();
    let unknown = {
        let told = pages.told.borrow();
        devices
            .iter()
            .find(|device| !told.devices.contains_key(*device))
            .cloned()
    };
    if let Some(unknown) = unknown {
        let message = format!("the inventory in force has no device `{unknown}`\n");
        return (StatusCode::NOT_FOUND, message).into_response();
    }
    match devices.is_empty() {
        true => pages.wake.notify_one(),
        false => pages.asked.ask(devices),
    }
    (StatusCode::ACCEPTED, "looking\n").into_response()
}
