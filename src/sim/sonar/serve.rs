//! The server: one address, `POST /api/graphql`.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use axum::routing::post;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use super::TOKEN;
use super::fault::{Faults, SonarFault};
use super::knobs::SonarKnobs;
use super::resolve::{Operation, operation};
use super::run::Answering;
use super::world::World;
use crate::sim::billing::SeedCustomer;

/// What all requests share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) desk: Mutex<Desk>,
    pub(super) stop: CancellationToken,
}

/// What is behind the lock.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) world: World,
    pub(super) knobs: SonarKnobs,
    pub(super) faults: Faults,
    /// The bodies of all requests.
    pub(super) requests: Vec<String>,
    /// When the requests of the last minute came.
    recent: VecDeque<Instant>,
}

impl Desk {
    pub(super) const fn new(world: World, knobs: SonarKnobs, faults: Faults) -> Self {
        Self {
            world,
            knobs,
            faults,
            requests: Vec::new(),
            recent: VecDeque::new(),
        }
    }
}

impl Shared {
    pub(super) fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new().route("/api/graphql", post(graphql)).with_state(shared)
}

#[derive(Debug, Deserialize)]
struct Asked {
    query: String,
    #[serde(default)]
    variables: Option<Map<String, Value>>,
}

/// What becomes of a request.
enum Outcome {
    Answer(u16, &'static str, String),
    BrokenOff(String),
    Silent,
}

async fn graphql(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let (outcome, date) = shared.desk().serve(&headers, &body);
    let respond = |status, kind, body| respond(status, kind, &date, body);
    match outcome {
        Outcome::Answer(status, kind, text) => respond(status, kind, Body::from(text)),
        Outcome::BrokenOff(text) => {
            let half = Bytes::from(text[..text.len() / 2].to_owned());
            let broken = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
            let parts = futures::stream::iter([Ok(half), Err(broken)]);
            respond(200, "application/json", Body::from_stream(parts))
        }
        Outcome::Silent => {
            shared.stop.cancelled().await;
            respond(503, "text/plain", Body::empty())
        }
    }
}

fn respond(status: u16, kind: &'static str, date: &str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Ok(date) = HeaderValue::from_str(date) {
        headers.insert(header::DATE, date);
    }
    response
}

impl Desk {
    /// What is answered, and what time it is said to be.
    fn serve(&mut self, headers: &HeaderMap, body: &[u8]) -> (Outcome, String) {
        self.requests.push(String::from_utf8_lossy(body).into_owned());
        let faults = self.faults.next();
        let date = if faults.contains(&SonarFault::OddDate) {
            "yesterday".to_owned()
        } else {
            self.world.date()
        };
        (self.answer(headers, body, &faults), date)
    }

    fn answer(&mut self, headers: &HeaderMap, body: &[u8], faults: &[SonarFault]) -> Outcome {
        let json = |status: u16, value: Value| Outcome::Answer(status, "application/json", value.to_string());
        let is = |fault: &SonarFault| faults.contains(fault);
        let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        if token != Some(&format!("Bearer {TOKEN}")) || is(&SonarFault::Revoked) {
            return match self.knobs.bad_token_is_200 {
                true => json(200, json!({ "errors": [{ "message": "Unauthenticated." }] })),
                false => json(401, json!({ "message": "Unauthenticated." })),
            };
        }
        if is(&SonarFault::Busy) || self.is_over_the_limit() {
            return json(200, json!({ "error": "Request limit of 400/min reached." }));
        }
        if is(&SonarFault::NewAccount) {
            let mut customer = SeedCustomer::number(0);
            customer.id = self.world.tables.next("Account");
            customer.services = Vec::new();
            self.world.add(&customer, &self.world.today());
        }
        let first = self.world.tables.named("Account").above(0).next().map(|(id, _)| id);
        if is(&SonarFault::LostAccount) {
            self.world.lose(first);
        }
        if let (true, Some(first)) = (is(&SonarFault::Revived), first) {
            self.world.set("Account", first, &[("archived_at", Value::Null)]);
            self.world.put_status(first, 1);
        }
        for fault in faults {
            match fault {
                SonarFault::Html(status) => {
                    let page = "<html><body>Sonar is having a moment</body></html>";
                    return Outcome::Answer(*status, "text/html", page.to_owned());
                }
                SonarFault::Silent => return Outcome::Silent,
                SonarFault::NoData => return json(200, json!({ "extensions": {} })),
                SonarFault::Errors => return json(200, errors("Internal server error")),
                _ => {}
            }
        }
        let mut answer = match serde_json::from_slice::<Asked>(body) {
            Err(_) => {
                errors("GraphQL Request must include at least one of those two parameters: \"query\" or \"queryId\"")
            }
            Ok(asked) => self.run(&asked, faults).unwrap_or_else(|wrong| errors(&wrong)),
        };
        if is(&SonarFault::PartialData) {
            if let Some(data) = answer.get_mut("data").and_then(Value::as_object_mut)
                && data.len() > 1
                && let Some(last) = data.keys().next_back().cloned()
            {
                data.remove(&last);
            }
            answer["errors"] = errors("Internal server error")["errors"].clone();
        }
        let text = answer.to_string();
        match (is(&SonarFault::HalfJson), is(&SonarFault::BrokenOff)) {
            (true, _) => Outcome::Answer(200, "application/json", text[..text.len() / 2].to_owned()),
            (_, true) => Outcome::BrokenOff(text),
            _ => Outcome::Answer(200, "application/json", text),
        }
    }

    fn is_over_the_limit(&mut self) -> bool {
        let now = Instant::now();
        let is_old = |then: &Instant| now.duration_since(*then) >= Duration::from_secs(60);
        while self.recent.front().is_some_and(is_old) {
            self.recent.pop_front();
        }
        self.recent.push_back(now);
        self.knobs.limit.is_some_and(|limit| self.recent.len() > limit)
    }

    fn run(&mut self, asked: &Asked, faults: &[SonarFault]) -> Result<Value, String> {
        let none = Map::new();
        let variables = asked.variables.as_ref().unwrap_or(&none);
        let mut data = Map::new();
        match operation(&self.world.tables.schema, &asked.query, variables)? {
            Operation::Query(roots) => {
                let answering = self.answering(faults);
                for root in &roots {
                    let is_unreadable = self.knobs.unreadable.contains(&root.name);
                    if is_unreadable && self.knobs.unreadable_fails {
                        return Err("You do not have permission to perform this action.".to_owned());
                    }
                    let value = if is_unreadable {
                        Value::Null
                    } else {
                        answering.root(root)
                    };
                    data.insert(root.key.clone(), value);
                }
            }
            Operation::Mutation(mutations) => {
                for mutation in &mutations {
                    let (name, id) = self.world.write(mutation)?;
                    let of = self.world.tables.schema.named(name);
                    let row = self.world.tables.table(of).get(id).unwrap_or_default();
                    let value = self.answering(faults).row(of, row, &mutation.select);
                    data.insert(mutation.key.clone(), value);
                }
            }
        }
        Ok(json!({ "data": data }))
    }

    fn answering(&self, faults: &[SonarFault]) -> Answering<'_> {
        let lost = faults.iter().find_map(|fault| match fault {
            SonarFault::Collapse(divisor) => Some(*divisor),
            _ => None,
        });
        Answering {
            tables: &self.world.tables,
            knobs: &self.knobs,
            lost: lost.filter(|divisor| *divisor > 0),
            cut: faults.contains(&SonarFault::NestedCut),
            empty: faults.contains(&SonarFault::Empty),
            backwards: faults.contains(&SonarFault::Backwards),
            doubled: faults.contains(&SonarFault::Doubled),
            more_pages: u64::from(faults.contains(&SonarFault::MorePages)),
            more_rows: u64::from(faults.contains(&SonarFault::Miscounted)),
        }
    }
}

fn errors(message: &str) -> Value {
    json!({ "errors": [{ "message": message, "extensions": { "category": "graphql" } }] })
}
