//! The one place from which billing systems are asked.

use std::time::Duration;

use backon::ExponentialBuilder;
use jiff::Timestamp;
use jiff::fmt::rfc2822;

use crate::transport::Retry;
use crate::transport::http::{Http, Request};

use super::BillerError;

/// The most of an answer that is read: a page, or a whole list of a system that knows no pages.
const ANSWER: usize = 64 * 1024 * 1024;

/// How often what was not answered is asked again, and after how long at first; four times as long the next time.
const AGAIN: usize = 2;
const PAUSE: Duration = Duration::from_millis(250);

/// An answer, whole.
#[derive(Debug)]
pub(super) struct Answer {
    /// What was asked, for messages.
    pub(super) url: String,
    /// The three digits.
    pub(super) status: u16,
    /// What kind of thing the body is: `text/html`.
    pub(super) content_type: String,
    /// What the server's clock said.
    pub(super) at: Option<Timestamp>,
    /// Of how many rows the list is that was asked for, where the server says it (`X-total-count`).
    pub(super) total: Option<u64>,
    /// After how long to ask again, where the server says it in seconds (`Retry-After`).
    pub(super) retry_after: Option<Duration>,
    /// Where the server sends to instead (`Location`).
    pub(super) elsewhere: Option<String>,
    /// The body.
    pub(super) body: Vec<u8>,
}

/// The pauses before what was not answered is asked again: for what changes nothing.
pub(super) fn pauses() -> ExponentialBuilder {
    ExponentialBuilder::default()
        .with_min_delay(PAUSE)
        .with_factor(4.0)
        .with_max_times(AGAIN)
}

/// Whether a server did not answer, rather than say no.
pub(super) const fn is_silence(error: &BillerError) -> bool {
    match error {
        BillerError::Slow { .. } => true,
        BillerError::Http(error) => matches!(error.retry(), Retry::Soon),
        BillerError::Refused { status, .. } => *status >= 500,
        _ => false,
    }
}

#[cfg(test)]
impl Answer {
    /// One that says nothing but this.
    pub(super) fn of(url: &str, status: u16, content_type: &str, body: &str) -> Self {
        Self {
            url: url.to_owned(),
            status,
            content_type: content_type.to_owned(),
            at: None,
            total: None,
            retry_after: None,
            elsewhere: None,
            body: body.as_bytes().to_vec(),
        }
    }
}

/// Asks, and waits for all of the answer.
///
/// # Errors
///
/// [`BillerError::Http`], [`BillerError::Slow`], [`BillerError::NotAnApi`] for one that has no end.
pub(super) async fn send(http: &Http, request: Request, within: Duration) -> Result<Answer, BillerError> {
    let url = request.called.clone().unwrap_or_else(|| request.url.clone());
    let asked = async {
        let mut reply = http.send(request).await?;
        let at = reply.header("date").and_then(|date| rfc2822::parse(date).ok());
        let number = |name: &str| reply.header(name).and_then(|text| text.trim().parse().ok());
        let (total, retry_after) = (number("x-total-count"), number("retry-after"));
        let elsewhere = reply.header("location").map(str::to_owned);
        let body = reply.body(ANSWER + 1).await?;
        Ok::<_, BillerError>(Answer {
            url: url.clone(),
            status: reply.status(),
            content_type: reply.content_type().to_owned(),
            at: at.map(|at| at.timestamp()),
            total,
            retry_after: retry_after.map(Duration::from_secs),
            elsewhere,
            body,
        })
    };
    let Ok(answer) = tokio::time::timeout(within, asked).await else {
        return Err(BillerError::Slow { url, within });
    };
    let answer = answer?;
    if answer.body.len() > ANSWER {
        let what = format!("sends more than {} MB", ANSWER / 1024 / 1024);
        return Err(BillerError::NotAnApi { url, what });
    }
    Ok(answer)
}
