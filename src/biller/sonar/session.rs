//! Asking Sonar: not too often, not too long, and again where it did not answer.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use backon::Retryable as _;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::super::send::{is_silence, pauses, send};
use super::super::{BillerError, Connection, wrong_form};
use super::pace::Pace;
use super::reply;
use crate::domain::Secret;
use crate::transport::http::{Http, Method, Request};

/// What Sonar is asked with.
#[derive(Debug)]
pub(super) struct Session {
    /// Where its API is.
    api: String,
    token: Secret,
    within: Duration,
    http: Http,
    pace: Mutex<Pace>,
}

impl Session {
    pub(super) fn new(connection: &Connection) -> Result<Self, BillerError> {
        let url = connection.url.trim_end_matches('/');
        let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
        if rest.is_none_or(|host| host.is_empty() || host.contains(['/', '@', '?', '#'])) {
            return Err(BillerError::Settings(format!(
                "`{url}` is no Sonar instance: its address is written `https://isp.sonar.software`, without a path"
            )));
        }
        if connection.secret.is_empty() {
            let what = "Sonar needs a personal access token, as the password of its credentials";
            return Err(BillerError::Settings(what.to_owned()));
        }
        Ok(Self {
            api: format!("{url}/api/graphql"),
            token: connection.secret.clone(),
            within: connection.within,
            http: Http::new(connection.authorities.as_deref())?,
            pace: Mutex::new(Pace::default()),
        })
    }

    /// Asks, and asks again what was not answered: for what changes nothing.
    pub(super) async fn ask_again(
        &self,
        what: &str,
        body: &Value,
    ) -> Result<(Map<String, Value>, Option<Timestamp>), BillerError> {
        (|| self.ask(what, body)).retry(pauses()).when(is_silence).await
    }

    /// Asks, and waits for data. `what` is asked for, for messages.
    pub(super) async fn ask(
        &self,
        what: &str,
        body: &Value,
    ) -> Result<(Map<String, Value>, Option<Timestamp>), BillerError> {
        let turn = self
            .pace
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .turn(Instant::now());
        tokio::time::sleep_until(turn.into()).await;
        let request = Request {
            method: Method::Post,
            url: self.api.clone(),
            called: Some(format!("{} ({what})", self.api)),
            headers: vec![
                ("Accept".into(), "application/json".to_owned()),
                ("Content-Type".into(), "application/json".to_owned()),
            ],
            token: Some(("Authorization", Secret::new(format!("Bearer {}", self.token.expose())))),
            basic: None,
            body: body.to_string().into_bytes(),
        };
        let answer = send(&self.http, request, self.within).await?;
        let data = reply::data(&answer, &self.token)?;
        Ok((data, answer.at))
    }

    /// One part of what was asked, in the form that it has to have.
    pub(super) fn read<T: DeserializeOwned>(&self, what: &str, value: Option<Value>) -> Result<T, BillerError> {
        // A role that may not read a list is answered with nothing in its place.
        let value = value.filter(|value| !value.is_null()).ok_or_else(|| {
            self.not_an_api(
                what,
                "answered without this list; may the role of the token's user read it?",
            )
        })?;
        T::deserialize(value).map_err(|error| {
            let error = reply::shown(&wrong_form(&error), &self.token);
            let what_it_is = format!(
                "sent something else than its API says ({error}); may the role of the token's user read all that \
                 docs/billing-sonar.md lists?"
            );
            self.not_an_api(what, &what_it_is)
        })
    }

    pub(super) fn not_an_api(&self, list: &str, what: &str) -> BillerError {
        BillerError::NotAnApi {
            url: format!("{} ({list})", self.api),
            what: what.to_owned(),
        }
    }

    /// A list is not of one moment.
    pub(super) fn moved(&self, list: &str, what: String) -> BillerError {
        BillerError::Moved {
            url: format!("{} ({list})", self.api),
            what,
        }
    }
}
