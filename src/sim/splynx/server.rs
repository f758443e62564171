//! The desk behind real HTTP.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::Response;
use futures::{StreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;

use super::auth::Caller;
use super::desk::{Asked, Desk, Said, Way};
use super::world::Happened;

/// The most of a request that is read.
const BODY: usize = 1024 * 1024;

/// How long after the last byte a dripping answer sends the next.
const DRIP: Duration = Duration::from_millis(20);

/// What all requests share.
#[derive(Debug)]
pub(super) struct Shared {
    /// The desk, and how much its clock is ahead of ours.
    pub(super) desk: Mutex<(Desk, SignedDuration)>,
    /// Who is told what happened.
    pub(super) queue: mpsc::UnboundedSender<Happened>,
}

impl Shared {
    /// Does something with the desk, at its own time, and tells of what happened by that.
    pub(super) fn with<T>(&self, act: impl FnOnce(&mut Desk, Timestamp) -> T) -> T {
        let mut desk = self.desk.lock().unwrap_or_else(PoisonError::into_inner);
        let (desk, ahead) = &mut *desk;
        let now = Timestamp::now().saturating_add(*ahead).unwrap_or(Timestamp::MAX);
        let done = act(desk, now);
        for happened in desk.world.happened.drain(..) {
            // Nobody listens once it has ended.
            let _ = self.queue.send(happened);
        }
        done
    }
}

/// Answers a request.
pub(super) async fn serve(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response<Body> {
    let (head, body) = request.into_parts();
    let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    let asked = Asked {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        content_type: header("content-type").unwrap_or_default().to_owned(),
        authorization: header("authorization").map(str::to_owned),
        caller: Caller {
            agent: header("user-agent").unwrap_or_default().to_owned(),
            address: from.ip().to_string(),
        },
        body: to_bytes(body, BODY).await.unwrap_or_default().to_vec(),
    };
    let (said, now) = shared.with(|desk, now| (desk.answer(&asked, now), now));
    response(said, now)
}

fn response(said: Said, now: Timestamp) -> Response<Body> {
    let length = said.body.len();
    let mut response = Response::builder().status(said.status);
    if !said.headers.iter().any(|(name, _)| *name == "date") {
        response = response.header("date", now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string());
    }
    for (name, value) in said.headers {
        response = response.header(name, value);
    }
    let body = match said.way {
        Way::Whole => Body::from(said.body),
        Way::Broken => {
            response = response.header("content-length", length);
            let half = Bytes::copy_from_slice(&said.body[..length / 2]);
            // Later, so that the first half gets there.
            let broken = async {
                tokio::time::sleep(DRIP).await;
                Err(std::io::Error::other("broken to order"))
            };
            Body::from_stream(stream::iter([Ok(half)]).chain(stream::once(broken)))
        }
        Way::Dripping => {
            response = response.header("content-length", length);
            let bytes = stream::iter(said.body).then(|byte| async move {
                tokio::time::sleep(DRIP).await;
                Ok::<_, std::convert::Infallible>(vec![byte])
            });
            Body::from_stream(bytes)
        }
    };
    // Of statuses and headers that were written here: it is there.
    response.body(body).unwrap_or_default()
}
