//! Webhooks: `HEAD`, then `POST`, and nothing but status 200 counts. Nothing is signed.

use crate::sim::webhook::{CallError, Caller};

/// How often one event is sent: once a minute for four hours.
const ATTEMPTS: u32 = 240;

/// What a body is said to be.
pub(super) const JSON: [(&str, &str); 1] = [("Content-Type", "application/json")];

/// Something to tell.
#[derive(Debug, Clone)]
pub(super) struct Event {
    body: String,
    attempts: u32,
}

impl Event {
    pub(super) const fn new(body: String) -> Self {
        Self { body, attempts: 0 }
    }

    /// Tries once. Gives the event back where it has to be tried again.
    pub(super) async fn send(mut self, caller: &Caller, url: &str) -> (Result<u16, CallError>, Option<Self>) {
        self.attempts += 1;
        let status = match caller.head(url).await {
            Ok(200) => caller.post(url, &JSON, self.body.clone().into_bytes()).await,
            other => other,
        };
        let again = !matches!(status, Ok(200)) && self.attempts < ATTEMPTS;
        (status, again.then_some(self))
    }
}
