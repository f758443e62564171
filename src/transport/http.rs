//! HTTP and HTTPS, with deadlines. Alone in naming reqwest.
//!
//! Moves bytes: what they mean is known to whoever asks.

use std::borrow::Cow;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Certificate, Client, Response, redirect};

use super::Retry;
use crate::domain::Secret;

/// How long a server may take to accept a connection, and then to send its next bytes.
const PATIENCE: Duration = Duration::from_secs(30);

/// Who asks, in the words of the protocol.
const USER_AGENT: &str = concat!("gamops/", env!("CARGO_PKG_VERSION"));

/// Whether to ask for something or to hand something over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Ask.
    Get,
    /// Ask for the head of an answer only.
    Head,
    /// Hand over.
    Post,
    /// Put in the place of what is there.
    Put,
    /// Change a part of what is there.
    Patch,
}

/// A request.
#[derive(Debug, Clone)]
pub struct Request {
    /// What to do.
    pub method: Method,
    /// Where, without user and password.
    pub url: String,
    /// What messages name instead of the address, where that is a secret itself.
    pub called: Option<String>,
    /// Names and values of headers.
    pub headers: Vec<(Cow<'static, str>, String)>,
    /// Name and value of a header that is a secret, if any: a token.
    pub token: Option<(&'static str, Secret)>,
    /// User and password, if any.
    pub basic: Option<(String, Secret)>,
    /// The body; empty for none.
    pub body: Vec<u8>,
}

/// An answer, of which the head has come.
#[derive(Debug)]
pub struct Reply {
    url: String,
    was_moved: bool,
    response: Response,
}

/// Asking a server failed. Network's or server's fault, unless a variant says otherwise.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The certificates to trust cannot be used. Operator's fault.
    #[error("the certificates to trust are not in PEM form")]
    Certificates(#[source] reqwest::Error),
    /// The client could not be set up. The system's fault: it has no certificates to trust.
    #[error("setting up HTTP")]
    Setup(#[source] reqwest::Error),
    /// The request makes no sense. Operator's fault.
    #[error("{url} cannot be asked")]
    Invalid {
        /// The address, without user and password.
        url: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// Nobody answered.
    #[error("asking {url}")]
    NoAnswer {
        /// The address.
        url: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// The answer broke off.
    #[error("the answer of {url} broke off")]
    BrokenOff {
        /// The address.
        url: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
}

impl HttpError {
    /// Whether trying again may help.
    #[must_use]
    pub const fn retry(&self) -> Retry {
        match self {
            Self::Certificates(_) | Self::Invalid { .. } => Retry::AfterChange,
            Self::Setup(_) | Self::NoAnswer { .. } | Self::BrokenOff { .. } => Retry::Soon,
        }
    }
}

/// Something that asks. Cheap to copy; copies share their connections.
#[derive(Debug, Clone)]
pub struct Http(Client);

impl Http {
    /// A client that trusts what the system trusts, and the certificates of `authorities` (PEM) as well.
    ///
    /// # Errors
    ///
    /// [`HttpError::Certificates`], [`HttpError::Setup`].
    pub fn new(authorities: Option<&str>) -> Result<Self, HttpError> {
        // Whoever comes second finds the same one there.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut client = Client::builder()
            .user_agent(USER_AGENT)
            .connect_timeout(PATIENCE)
            .read_timeout(PATIENCE)
            // A login is meant for the server that was named: what it sends elsewhere is followed on the same host only.
            .redirect(redirect::Policy::custom(|attempt| {
                let here = attempt
                    .previous()
                    .last()
                    .map(|url| (url.scheme().to_owned(), url.host_str().map(str::to_owned)));
                let there = (
                    attempt.url().scheme().to_owned(),
                    attempt.url().host_str().map(str::to_owned),
                );
                if attempt.previous().len() > 5 || here.is_some_and(|here| here != there) {
                    attempt.stop()
                } else {
                    attempt.follow()
                }
            }));
        if let Some(pem) = authorities {
            let certificates = Certificate::from_pem_bundle(pem.as_bytes()).map_err(HttpError::Certificates)?;
            client = client.tls_certs_merge(certificates);
        }
        client.build().map(Self).map_err(HttpError::Setup)
    }

    /// Sends a request and waits for the head of the answer.
    ///
    /// # Errors
    ///
    /// [`HttpError`]. An answer that says no is an answer.
    pub async fn send(&self, request: Request) -> Result<Reply, HttpError> {
        let Request {
            method,
            url,
            called,
            headers,
            token,
            basic,
            body,
        } = request;
        let mut builder = match method {
            Method::Get => self.0.get(&url),
            Method::Head => self.0.head(&url),
            Method::Post => self.0.post(&url),
            Method::Put => self.0.put(&url),
            Method::Patch => self.0.patch(&url),
        };
        for (name, value) in headers {
            builder = builder.header(&*name, value);
        }
        let secret = token.as_ref().map(|(name, _)| *name);
        if let Some((name, token)) = token {
            builder = builder.header(name, token.expose());
        }
        if let Some((user, password)) = basic {
            builder = builder.basic_auth(user, Some(password.expose()));
        }
        if !body.is_empty() {
            builder = builder.body(body);
        }
        let url = called.unwrap_or(url);
        let mut request = match builder.build() {
            Ok(request) => request,
            Err(source) => {
                return Err(HttpError::Invalid {
                    url,
                    source: source.without_url(),
                });
            }
        };
        for name in [Some(AUTHORIZATION.as_str()), secret].into_iter().flatten() {
            hide(request.headers_mut(), name);
        }
        let asked = request.url().clone();
        match self.0.execute(request).await {
            Ok(response) => Ok(Reply {
                was_moved: *response.url() != asked,
                url,
                response,
            }),
            Err(source) => Err(HttpError::NoAnswer {
                url,
                source: source.without_url(),
            }),
        }
    }
}

/// Keeps a secret out of whatever the library might print.
fn hide(headers: &mut HeaderMap<HeaderValue>, name: &str) {
    if let Some(value) = headers.get_mut(name) {
        value.set_sensitive(true);
    }
}

impl Reply {
    /// The three digits.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    /// Whether the answer comes from another address of the same server, to which it sent: what was handed over is not there.
    #[must_use]
    pub const fn was_moved(&self) -> bool {
        self.was_moved
    }

    /// A header as text; `None` where it is not there.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.response.headers().get(name).and_then(|value| value.to_str().ok())
    }

    /// At most so many bytes of the body; what comes after them is not waited for.
    ///
    /// # Errors
    ///
    /// [`HttpError::BrokenOff`].
    pub async fn body(&mut self, at_most: usize) -> Result<Vec<u8>, HttpError> {
        let mut body = Vec::new();
        while body.len() < at_most
            && let Some(bytes) = self.chunk().await?
        {
            body.extend(bytes);
        }
        body.truncate(at_most);
        Ok(body)
    }

    /// What kind of thing its body is: `text/html`. Empty where it does not say.
    #[must_use]
    pub fn content_type(&self) -> &str {
        let value = self.response.headers().get(CONTENT_TYPE);
        let value = value.and_then(|value| value.to_str().ok()).unwrap_or_default();
        value.split(';').next().unwrap_or_default().trim()
    }

    /// The next bytes of the body; `None` after the last.
    ///
    /// # Errors
    ///
    /// [`HttpError::BrokenOff`].
    pub async fn chunk(&mut self) -> Result<Option<Vec<u8>>, HttpError> {
        match self.response.chunk().await {
            Ok(bytes) => Ok(bytes.map(|bytes| bytes.to_vec())),
            Err(source) => Err(HttpError::BrokenOff {
                url: self.url.clone(),
                source: source.without_url(),
            }),
        }
    }
}
