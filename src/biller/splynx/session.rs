//! Asking Splynx: login, tokens, one request at a time.

use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::domain::Secret;
use crate::transport::http::{Http, Method, Request};

use super::super::send::{Answer, send};
use super::super::{Auth, BillerError, Connection};
use super::ask::{Call, TOKENS};
use super::auth::{self, Numbers, Tokens};
use super::reply;

/// What Splynx is asked through.
#[derive(Debug)]
pub(super) struct Session {
    /// Its address, without the path of the API.
    base: String,
    key: String,
    secret: Secret,
    auth: Auth,
    within: Duration,
    http: Http,
    pub(super) numbers: Numbers,
    /// The tokens and when they came. Held as long as a request takes: Splynx is a PHP program on somebody's own server, often a small one.
    turn: Mutex<Option<(Tokens, Instant)>>,
}

impl Session {
    /// # Errors
    ///
    /// [`BillerError::Settings`], [`BillerError::Http`].
    pub(super) fn new(connection: &Connection) -> Result<Self, BillerError> {
        let wrong = |what: &str| Err(BillerError::Settings(what.to_owned()));
        let url = connection.url.trim_end_matches('/');
        let base = url.strip_suffix("/api/2.0").unwrap_or(url);
        let host = base.strip_prefix("https://").or_else(|| base.strip_prefix("http://"));
        let Some(host) = host.filter(|host| !host.is_empty()) else {
            return wrong("the address of Splynx begins with `https://`: https://isp.splynx.app");
        };
        if host.contains(['@', '?', '#']) {
            return wrong("the address of Splynx has no user, password or query in it: https://isp.splynx.app");
        }
        let Some(key) = connection.key.clone().filter(|key| !key.is_empty()) else {
            return wrong("Splynx wants an API key and its secret: Administration → API keys");
        };
        if connection.secret.is_empty() {
            return wrong("the secret of Splynx's API key is empty");
        }
        Ok(Self {
            base: base.to_owned(),
            key,
            secret: connection.secret.clone(),
            auth: connection.auth,
            within: connection.within,
            http: Http::new(connection.authorities.as_deref())?,
            numbers: Numbers::above(connection.above),
            turn: Mutex::new(None),
        })
    }

    /// Asks, and logs in before and, where Splynx says that nobody is logged in, once more.
    ///
    /// # Errors
    ///
    /// [`BillerError`]. An answer that says no is an answer.
    pub(super) async fn ask(&self, call: &Call) -> Result<Answer, BillerError> {
        let mut turn = self.turn.lock().await;
        let answer = self.ask_once(call, &mut turn).await?;
        if answer.status != 401 || self.auth == Auth::Basic {
            return Ok(answer);
        }
        // The token was taken back, or another program with the same key used a higher number meanwhile.
        *turn = None;
        self.ask_once(call, &mut turn).await
    }

    /// What messages call a request.
    pub(super) fn address(&self, call: &Call) -> String {
        call.called(&self.base)
    }

    async fn ask_once(&self, call: &Call, turn: &mut Option<(Tokens, Instant)>) -> Result<Answer, BillerError> {
        let mut request = self.request(call.method, call.url(&self.base), self.address(call));
        request.body.clone_from(&call.body);
        match self.auth {
            Auth::Basic => request.basic = Some((self.key.clone(), self.secret.clone())),
            Auth::Signature => request.token = Some(("Authorization", self.signed())),
            Auth::Token => request.token = Some(("Authorization", self.token(turn).await?)),
        }
        send(&self.http, request, self.within).await
    }

    /// A header with a token that is still good: this one, a renewed one or that of a new login.
    async fn token(&self, turn: &mut Option<(Tokens, Instant)>) -> Result<Secret, BillerError> {
        let there = turn.as_ref().map(|(tokens, came)| (tokens, came.elapsed()));
        if let Some(header) = there.and_then(|(tokens, age)| tokens.header(age)) {
            return Ok(header);
        }
        let renewal = there.and_then(|(tokens, age)| tokens.renewal(age)).cloned();
        *turn = None;
        if let Some(renewal) = renewal {
            let tokens = self.tokens_url();
            let url = format!("{tokens}/{}", renewal.expose());
            let answer = send(&self.http, self.request(Method::Get, url, tokens), self.within).await?;
            // One that is refused was used by somebody else or has ended: then a login helps.
            if answer.status == 200
                && let Some(header) = self.keep(&answer, turn)
            {
                return Ok(header);
            }
        }
        let mut answer = self.login().await?;
        if answer.status == 401 {
            // Another program with the same key may have logged in with a number as high in the same moment: the next is above it.
            answer = self.login().await?;
        }
        reply::login(&answer)?;
        self.keep(&answer, turn).ok_or_else(|| reply::no_token(&answer))
    }

    async fn login(&self) -> Result<Answer, BillerError> {
        let mut request = self.request(Method::Post, self.tokens_url(), self.tokens_url());
        request.body = auth::login(&self.key, &self.secret, self.numbers.next(Timestamp::now()));
        send(&self.http, request, self.within).await
    }

    fn keep(&self, answer: &Answer, turn: &mut Option<(Tokens, Instant)>) -> Option<Secret> {
        let tokens = Tokens::read(&answer.body, answer.at.unwrap_or_else(Timestamp::now))?;
        let header = tokens.fresh_header();
        *turn = Some((tokens, Instant::now()));
        Some(header)
    }

    fn signed(&self) -> Secret {
        auth::signed(&self.key, &self.secret, self.numbers.next(Timestamp::now()))
    }

    fn tokens_url(&self) -> String {
        format!("{}/api/2.0/admin/{TOKENS}", self.base)
    }

    fn request(&self, method: Method, url: String, called: String) -> Request {
        let mut headers = vec![("Accept".into(), "application/json".to_owned())];
        if method == Method::Post {
            headers.push(("Content-Type".into(), "application/json".to_owned()));
        }
        Request {
            method,
            url,
            called: Some(called),
            headers,
            token: None,
            basic: None,
            body: Vec::new(),
        }
    }
}
