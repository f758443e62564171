//! Hands one message to one channel. Secrets are read anew each time, and are in no error.

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;

use crate::alert::{Message, json, text};
use crate::domain::Secret;
use crate::reconcile::chain;
use crate::store::host_name;
use crate::transport::credentials::{Keyring, LoginParts};
use crate::transport::http::{Http, Method, Request};
use crate::transport::smtp::{self, Mail, Relay};

use super::super::webhook::signature;
use super::settings::{Channel, Email, Slack, Webhook};

/// How long a channel may take for all of it.
const PATIENCE: Duration = Duration::from_secs(60);

/// How much of an answer is looked at: enough to say what is wrong.
const ANSWER: usize = 16 * 1024;

/// How many characters of an answer are shown.
const SHOWN: usize = 200;

/// A channel did not take a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::daemon) struct NotTaken {
    /// Why, in words, and what to do.
    pub(in crate::daemon) reason: String,
    /// Whether it is the message itself that is not wanted: then others may be.
    pub(in crate::daemon) is_unwanted: bool,
    /// After how long the channel asks to be tried again.
    pub(in crate::daemon) after: Option<Duration>,
}

impl NotTaken {
    pub(in crate::daemon) fn because(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            is_unwanted: false,
            after: None,
        }
    }
}

impl<E: std::error::Error> From<E> for NotTaken {
    fn from(error: E) -> Self {
        Self::because(chain(&error))
    }
}

/// Hands a message to a channel and waits until it is taken.
pub(super) async fn deliver(channel: &Channel, message: &Message, delivery: &str) -> Result<(), NotTaken> {
    let handing = async {
        match (&channel.webhook, &channel.slack, &channel.email) {
            (Some(webhook), _, _) => post_signed(webhook, message, delivery).await,
            (_, Some(slack), _) => post_text(slack, message).await,
            (_, _, Some(email)) => mail(email, message, delivery).await,
            // The settings have ruled that out.
            (None, None, None) => Ok(()),
        }
    };
    tokio::time::timeout(PATIENCE, handing).await.unwrap_or_else(|_| {
        Err(NotTaken::because(format!(
            "not taken within {} seconds",
            PATIENCE.as_secs()
        )))
    })
}

async fn post_signed(webhook: &Webhook, message: &Message, delivery: &str) -> Result<(), NotTaken> {
    let sent = Timestamp::now();
    let body = serde_json::to_vec(&json::notification(message, delivery, sent))?;
    let mut headers = vec![
        ("Content-Type".into(), "application/json".to_owned()),
        ("X-Gamops-Delivery".into(), delivery.to_owned()),
        ("X-Gamops-Timestamp".into(), sent.as_second().to_string()),
    ];
    if let Some(name) = &webhook.credentials {
        let secret = password(name, &login(name)?)?;
        headers.push((
            "X-Gamops-Signature-256".into(),
            format!("sha256={}", signature(&secret, &body)),
        ));
    }
    let request = Request {
        method: Method::Post,
        url: webhook.url.clone(),
        called: None,
        headers,
        token: None,
        basic: None,
        body,
    };
    post(webhook.authorities.as_ref(), request).await
}

async fn post_text(slack: &Slack, message: &Message) -> Result<(), NotTaken> {
    let address = password(&slack.credentials, &login(&slack.credentials)?)?;
    let request = Request {
        method: Method::Post,
        url: address.expose().trim().to_owned(),
        called: Some(format!("the address in credentials `{}`", slack.credentials)),
        headers: vec![("Content-Type".into(), "application/json".to_owned())],
        token: None,
        basic: None,
        body: serde_json::to_vec(&json::slack(message))?,
    };
    post(slack.authorities.as_ref(), request).await
}

async fn post(authorities: Option<&PathBuf>, request: Request) -> Result<(), NotTaken> {
    let called = request.called.clone().unwrap_or_else(|| request.url.clone());
    let authorities = authorities.map(read).transpose()?;
    let mut reply = Http::new(authorities.as_deref())?.send(request).await?;
    let (status, after) = (reply.status(), retry_after(reply.header("Retry-After")));
    let was_moved = reply.was_moved();
    let body = reply.body(ANSWER).await?;
    judge(status, was_moved, &String::from_utf8_lossy(&body)).map_err(|reason| NotTaken {
        reason: format!("{called} {reason}"),
        is_unwanted: matches!(status, 400 | 413 | 422),
        after,
    })
}

/// Whether an answer means that the message was taken; otherwise what it means, without the address.
fn judge(status: u16, was_moved: bool, body: &str) -> Result<(), String> {
    let words: String = body.split_whitespace().collect::<Vec<_>>().join(" ");
    let is_page = words.starts_with('<');
    if !(200..300).contains(&status) || was_moved {
        let help = match status {
            _ if was_moved || (300..400).contains(&status) => "; it sends elsewhere: is the address right?",
            401 | 403 => "; are the credentials right?",
            404 | 410 => "; is the address right?",
            _ => "",
        };
        let said: String = if is_page {
            "a web page".to_owned()
        } else {
            words.chars().take(SHOWN).collect()
        };
        let said = if said.is_empty() { said } else { format!(" ({said})") };
        return Err(format!("answered with status {status}{said}{help}"));
    }
    if is_page {
        return Err("answered with a web page; is the address right?".to_owned());
    }
    Ok(())
}

/// What `Retry-After` asks for, in seconds; its other form, a date, is as good as none.
fn retry_after(header: Option<&str>) -> Option<Duration> {
    header?.trim().parse().ok().map(Duration::from_secs)
}

async fn mail(email: &Email, message: &Message, delivery: &str) -> Result<(), NotTaken> {
    let login = match &email.credentials {
        None => None,
        Some(name) => {
            let login = login(name)?;
            let password = password(name, &login)?;
            let user = login.username.clone();
            let user = user.ok_or_else(|| NotTaken::because(format!("credentials `{name}` have no user name")))?;
            Some((user, password))
        }
    };
    let relay = Relay {
        host: email.server.clone(),
        port: email.port(),
        security: email.security.into(),
        login,
        authorities: email.authorities.as_ref().map(read).transpose()?,
        hello: host_name(),
    };
    let mail = Mail {
        from: email.from.clone(),
        to: email.to.clone(),
        subject: text::subject(message),
        body: text::body(message),
        id: delivery.to_owned(),
    };
    Ok(smtp::send(&relay, &mail).await?)
}

pub(super) fn login(name: &str) -> Result<LoginParts, NotTaken> {
    Ok(Keyring::from_environment()?.login(name)?)
}

pub(in crate::daemon) fn password(name: &str, login: &LoginParts) -> Result<Secret, NotTaken> {
    let password = login.password.clone().filter(|secret| !secret.is_empty());
    password.ok_or_else(|| NotTaken::because(format!("credentials `{name}` have no password")))
}

pub(super) fn read(path: &PathBuf) -> Result<String, NotTaken> {
    std::fs::read_to_string(path).map_err(|error| NotTaken::because(format!("reading {}: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clear_yes_is_taken_for_one() {
        assert_eq!(judge(200, false, "ok"), Ok(()));
        assert_eq!(judge(204, false, ""), Ok(()));
        for (status, was_moved, body, what) in [
            (200, false, "\n<html>Sign in</html>", "answered with a web page"),
            (200, true, "ok", "it sends elsewhere"),
            (302, false, "", "answered with status 302; it sends elsewhere"),
            (
                403,
                false,
                "invalid_token",
                "status 403 (invalid_token); are the credentials right?",
            ),
            (
                404,
                false,
                "<h1>Not found</h1>",
                "status 404 (a web page); is the address right?",
            ),
            (500, false, "", "answered with status 500"),
        ] {
            let error = judge(status, was_moved, body).unwrap_err();
            assert!(error.contains(what), "{error}");
        }
        assert!(judge(500, false, &"x".repeat(9999)).unwrap_err().len() < 300);
    }

    #[test]
    fn a_server_may_say_when_to_come_again() {
        assert_eq!(retry_after(Some(" 30")), Some(Duration::from_secs(30)));
        assert_eq!(retry_after(Some("Wed, 21 Oct 2026 07:28:00 GMT")), None);
        assert_eq!(retry_after(None), None);
    }
}
