//! A web server on loopback that keeps what it is sent, and answers as it is told to.

use std::sync::{Arc, Mutex};

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Response, StatusCode};

/// How it answers.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// Status and body.
    With(u16, &'static str),
    /// Elsewhere on the same server, where `ok` is the answer to anything.
    Elsewhere,
    /// Never.
    Never,
}

/// Something that was sent.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Sent {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .unwrap_or_else(|| panic!("no {name} in {self:?}"))
            .to_str()
            .unwrap()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {}", self.body))
    }
}

#[derive(Debug)]
struct Desk {
    sent: Mutex<Vec<Sent>>,
    answer: Mutex<Answer>,
}

/// A server; it ends when this is dropped.
pub(crate) struct HttpSink {
    port: u16,
    desk: Arc<Desk>,
    _runtime: tokio::runtime::Runtime,
}

impl HttpSink {
    pub(crate) fn start() -> Self {
        Self::start_at(0)
    }

    /// At this port of 127.0.0.1; at any where it is 0.
    pub(crate) fn start_at(port: u16) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime
            .block_on(tokio::net::TcpListener::bind(("127.0.0.1", port)))
            .unwrap();
        let port = listener.local_addr().unwrap().port();
        let desk = Arc::new(Desk {
            sent: Mutex::new(Vec::new()),
            answer: Mutex::new(Answer::With(200, "ok")),
        });
        let router = axum::Router::new().fallback(take).with_state(Arc::clone(&desk));
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self {
            port,
            desk,
            _runtime: runtime,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook/canary-address", self.port)
    }

    pub(crate) fn answer(&self, answer: Answer) {
        *self.desk.answer.lock().unwrap() = answer;
    }

    /// All that was sent so far, whatever the answer was.
    pub(crate) fn sent(&self) -> Vec<Sent> {
        self.desk.sent.lock().unwrap().clone()
    }
}

async fn take(State(desk): State<Arc<Desk>>, request: Request) -> Response<Body> {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, 1024 * 1024).await.unwrap();
    let answer = |status: StatusCode, body: &'static str| Response::builder().status(status).body(body.into()).unwrap();
    if head.uri.path() == "/elsewhere" {
        return answer(StatusCode::OK, "ok");
    }
    desk.sent.lock().unwrap().push(Sent {
        headers: head.headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
    });
    let told = desk.answer.lock().unwrap().clone();
    match told {
        Answer::With(status, body) => answer(StatusCode::from_u16(status).unwrap(), body),
        Answer::Elsewhere => {
            let response = Response::builder().status(302).header("Location", "/elsewhere");
            response.body(Body::empty()).unwrap()
        }
        Answer::Never => std::future::pending().await,
    }
}
