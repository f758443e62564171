//! How simulated billing systems call webhooks.

use std::net::IpAddr;
use std::time::Duration;

/// How long one call may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Something that calls webhooks.
#[derive(Debug, Clone)]
pub(super) struct Caller(reqwest::Client);

/// Nobody answered a webhook.
#[derive(Debug, thiserror::Error)]
#[error("nobody answers the webhook")]
pub struct CallError(#[from] reqwest::Error);

impl Caller {
    /// One that calls from an address of this machine; `None`: from any.
    pub(super) fn new(from: Option<IpAddr>) -> Result<Self, CallError> {
        // Whoever comes second finds the same one there.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .no_proxy()
            .timeout(PATIENCE)
            .local_address(from);
        Ok(Self(client.build()?))
    }

    /// Tries whether anybody is there, and gives the status.
    pub(super) async fn head(&self, url: &str) -> Result<u16, CallError> {
        Ok(self.0.head(url).send().await?.status().as_u16())
    }

    /// Hands a body over, and gives the status.
    pub(super) async fn post(&self, url: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Result<u16, CallError> {
        let request = headers
            .iter()
            .fold(self.0.post(url), |request, (name, value)| request.header(*name, *value));
        Ok(request.body(body).send().await?.status().as_u16())
    }
}
