//! Whom the daemon tells, and of what: the part `tell:` of its settings.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::alert::When;
use crate::domain::TimeSpan;
use crate::transport::smtp::{Security, check_address};

/// Whom the daemon tells when something changes for the worse or is over.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Tell {
    /// How long a device or the repository has to be out of reach before that is told.
    #[schemars(with = "String")]
    pub unreachable_after: TimeSpan,
    /// How long something waits for others, so that a building without power is one message.
    #[schemars(with = "String")]
    pub gather: TimeSpan,
    /// After how long a channel that does not take a message gets it once more; each failure doubles it, up to ten minutes.
    #[schemars(with = "String")]
    pub retry: TimeSpan,
    /// After how long a message that a channel does not take is given up.
    #[schemars(with = "String")]
    pub give_up_after: TimeSpan,
    /// Where messages go.
    pub channels: Vec<Channel>,
}

impl Default for Tell {
    fn default() -> Self {
        Self {
            unreachable_after: TimeSpan::from_secs(5 * 60),
            gather: TimeSpan::from_secs(10),
            retry: TimeSpan::from_secs(10),
            give_up_after: TimeSpan::from_secs(24 * 3600),
            channels: Vec::new(),
        }
    }
}

/// Where messages go: one of `webhook`, `slack`, `email`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    /// By what it is known in logs and in the state database.
    pub name: String,
    /// What it gets; all but `applied` unless said.
    #[serde(default)]
    pub when: When,
    /// A program of your own: JSON by HTTP, signed.
    #[serde(default)]
    pub webhook: Option<Webhook>,
    /// Slack, or what takes the same: Mattermost, Rocket.Chat, Discord's `/slack`.
    #[serde(default)]
    pub slack: Option<Slack>,
    /// Mail by SMTP.
    #[serde(default)]
    pub email: Option<Email>,
}

/// A program that takes JSON by HTTP POST.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Where: `https://` or `http://`.
    pub url: String,
    /// Name of the credentials whose password messages are signed with; not signed without.
    #[serde(default)]
    pub credentials: Option<String>,
    /// File of certificates in PEM form that are trusted as well.
    #[serde(default)]
    pub authorities: Option<PathBuf>,
}

/// An incoming webhook of Slack or of what takes the same.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Slack {
    /// Name of the credentials whose password is the address of the webhook: who knows it may write there.
    pub credentials: String,
    /// File of certificates in PEM form that are trusted as well.
    #[serde(default)]
    pub authorities: Option<PathBuf>,
}

/// Mail by SMTP.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Email {
    /// Host name or address of the server that takes the mail.
    pub server: String,
    /// Its port; by default 587, or 465 with `security: tls`, or 25 with `security: none`.
    #[serde(default)]
    pub port: Option<u16>,
    /// `starttls`, `tls`, or `none` for a relay on this machine or in a network of your own.
    #[serde(default)]
    pub security: MailSecurity,
    /// Name of the credentials: user and password. None for a server that asks for none.
    #[serde(default)]
    pub credentials: Option<String>,
    /// Who sends it: `gamops@example.org` or `gamops <gamops@example.org>`.
    pub from: String,
    /// Who gets it.
    pub to: Vec<String>,
    /// File of certificates in PEM form that are trusted as well.
    #[serde(default)]
    pub authorities: Option<PathBuf>,
}

/// How mail is kept from others on its way to the server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MailSecurity {
    /// Encrypted after a greeting in the clear; a server that cannot is given nothing.
    #[default]
    StartTls,
    /// Encrypted from the first byte.
    Tls,
    /// Not encrypted.
    None,
}

impl From<MailSecurity> for Security {
    fn from(security: MailSecurity) -> Self {
        match security {
            MailSecurity::StartTls => Self::StartTls,
            MailSecurity::Tls => Self::Tls,
            MailSecurity::None => Self::None,
        }
    }
}

impl Channel {
    /// In a few words, without secrets: for `gamops settings check`.
    #[must_use]
    pub fn describe(&self) -> String {
        let what = match (&self.webhook, &self.slack, &self.email) {
            (Some(webhook), _, _) => format!("webhook {}", webhook.url),
            (_, Some(slack), _) => format!("slack, address in credentials `{}`", slack.credentials),
            (_, _, Some(email)) => format!("mail to {} by {}", email.to.join(", "), email.server),
            (None, None, None) => "nothing".to_owned(),
        };
        format!("{}: {what}", self.name)
    }
}

impl Email {
    /// The port that is meant.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(match self.security {
            MailSecurity::StartTls => 587,
            MailSecurity::Tls => 465,
            MailSecurity::None => 25,
        })
    }
}

impl Tell {
    /// Says what is wrong with it, if anything is. Files are looked for in `beside` from then on.
    ///
    /// # Errors
    ///
    /// What is wrong, and where, in words. Operator's fault.
    pub(in crate::daemon) fn settle(&mut self, beside: &Path) -> Result<(), String> {
        if self.retry.is_zero() || self.give_up_after < self.retry {
            return Err("tell.retry is one second at least, and tell.give_up_after not less".to_owned());
        }
        let mut names = BTreeSet::new();
        for channel in &mut self.channels {
            let name = channel.name.clone();
            let is_name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            if name.is_empty() || !name.chars().all(is_name) {
                return Err(format!(
                    "tell.channels: `{name}` is no name: letters, digits, `-`, `_`, `.`"
                ));
            }
            if !names.insert(name.clone()) {
                return Err(format!("tell.channels: two channels are called `{name}`"));
            }
            channel
                .settle(beside)
                .map_err(|what| format!("tell.channels, `{name}`: {what}"))?;
        }
        Ok(())
    }
}

impl Channel {
    fn settle(&mut self, beside: &Path) -> Result<(), String> {
        let ways = [self.webhook.is_some(), self.slack.is_some(), self.email.is_some()];
        if ways.into_iter().filter(|is_one| *is_one).count() != 1 {
            return Err("name exactly one of `webhook`, `slack`, `email`".to_owned());
        }
        if let Some(webhook) = &self.webhook {
            check_url(&webhook.url)?;
        }
        if let Some(email) = &self.email {
            email.check()?;
        }
        let files = [
            self.webhook.as_mut().and_then(|webhook| webhook.authorities.as_mut()),
            self.slack.as_mut().and_then(|slack| slack.authorities.as_mut()),
            self.email.as_mut().and_then(|email| email.authorities.as_mut()),
        ];
        for file in files.into_iter().flatten() {
            *file = beside.join(&*file);
        }
        Ok(())
    }
}

impl Email {
    fn check(&self) -> Result<(), String> {
        if self.to.is_empty() {
            return Err("`email.to` names nobody".to_owned());
        }
        for address in self.to.iter().chain([&self.from]) {
            check_address(address).map_err(|error| error.to_string())?;
        }
        if self.server.is_empty() || self.server.contains(|c: char| c == '/' || c.is_whitespace()) {
            return Err("`email.server` is a host name or an address, and `email.port` its port".to_owned());
        }
        let is_here =
            self.server == "localhost" || self.server.parse().is_ok_and(|address: IpAddr| address.is_loopback());
        if self.security == MailSecurity::None && self.credentials.is_some() && !is_here {
            return Err(
                "`email.credentials` with `security: none` would send a password in the clear; use `starttls` or `tls`"
                    .to_owned(),
            );
        }
        Ok(())
    }
}

/// Whether messages can be posted there. The address itself is not said again: it may hold a password.
fn check_url(url: &str) -> Result<(), String> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next());
    match host {
        None | Some("") => Err("`webhook.url` begins with `https://` or `http://`, and a host follows".to_owned()),
        Some(host) if host.contains('@') => {
            Err("`webhook.url` holds a user or password; sign with `webhook.credentials` instead".to_owned())
        }
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(text: &str) -> Result<Tell, String> {
        let mut tell: Tell = serde_yaml::from_str(text).map_err(|error| error.to_string())?;
        tell.settle(Path::new("/etc/gamops")).map(|()| tell)
    }

    #[test]
    fn channels_are_read_with_their_defaults() {
        let tell = settled(
            "channels:
             - {name: noc, webhook: {url: 'https://noc.example.org/gamops', credentials: noc, authorities: ca.pem}}
             - {name: chat, slack: {credentials: chat}, when: {severity: warning, kinds: [failed, left-to-people]}}
             - {name: mail, email: {server: mail.example.org, from: gamops@example.org, to: [noc@example.org]}}",
        )
        .unwrap();
        assert_eq!(tell.unreachable_after.as_secs(), 300);
        let webhook = tell.channels[0].webhook.as_ref().unwrap();
        assert_eq!(webhook.authorities.as_deref(), Some(Path::new("/etc/gamops/ca.pem")));
        let email = tell.channels[2].email.as_ref().unwrap();
        assert_eq!((email.port(), email.security), (587, MailSecurity::StartTls));
        assert_eq!(
            tell.channels[1].describe(),
            "chat: slack, address in credentials `chat`"
        );
    }

    #[test]
    fn a_mistake_is_named_with_its_channel() {
        let mail = "server: m.example.org, from: a@example.org, to: [b@example.org]";
        for (text, what) in [
            ("channels: [{name: a}]", "`a`: name exactly one of `webhook`"),
            (
                "channels: [{name: a, slack: {credentials: a}, webhook: {url: 'https://h'}}]",
                "exactly one",
            ),
            ("channels: [{name: 'a b', slack: {credentials: a}}]", "`a b` is no name"),
            (
                "channels: [{name: a, slack: {credentials: a}}, {name: a, slack: {credentials: b}}]",
                "two channels are called `a`",
            ),
            (
                "channels: [{name: a, webhook: {url: 'ftp://canary'}}]",
                "begins with `https://`",
            ),
            (
                "channels: [{name: a, webhook: {url: 'https://u:canary@h/p'}}]",
                "webhook.credentials",
            ),
            (
                "channels: [{name: a, email: {server: m, from: a@example.org, to: []}}]",
                "names nobody",
            ),
            (
                "channels: [{name: a, email: {server: m, from: nobody, to: [b@example.org]}}]",
                "`nobody` is no mail address",
            ),
            (
                &format!("channels: [{{name: a, email: {{{mail}, security: none, credentials: c}}}}]"),
                "in the clear",
            ),
            (
                "channels: [{name: a, slack: {credentials: a}, when: {kinds: [drift]}}]",
                "unknown variant `drift`",
            ),
            ("{retry: 0s}", "tell.retry is one second"),
        ] {
            let error = settled(text).unwrap_err();
            assert!(error.contains(what) && !error.contains("canary"), "{text}: {error}");
        }
        // On this machine nobody listens.
        let here = mail.replace("m.example.org", "127.0.0.1");
        assert!(
            settled(&format!(
                "channels: [{{name: a, email: {{{here}, security: none, credentials: c}}}}]"
            ))
            .is_ok()
        );
    }
}
