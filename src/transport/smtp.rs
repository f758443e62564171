//! Mail by SMTP, with deadlines. Alone in naming lettre.

use std::time::Duration;

use lettre::message::header::ContentType;
use lettre::message::header::{Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MessageBuilder};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};

use super::host_and_port;
use crate::domain::Secret;

/// How long a server may take for each answer, and for all of them.
const PATIENCE: Duration = Duration::from_secs(30);
const ALL_OF_IT: Duration = Duration::from_secs(90);

/// How what is sent is kept from others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Security {
    /// In the clear first, then encrypted; a server that does not encrypt gets nothing. Port 587 usually.
    #[default]
    StartTls,
    /// Encrypted from the first byte. Port 465 usually.
    Tls,
    /// Not at all: for a relay on this machine or in a network of one's own. Port 25 usually.
    None,
}

/// A server that takes mail.
#[derive(Debug, Clone)]
pub struct Relay {
    /// Host name or address; certificates are checked against it.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// How what is sent is kept from others.
    pub security: Security,
    /// User and password.
    pub login: Option<(String, Secret)>,
    /// Certificates in PEM form that are trusted as well.
    pub authorities: Option<String>,
    /// By what name this machine greets.
    pub hello: String,
}

/// A mail, in plain text.
#[derive(Debug, Clone)]
pub struct Mail {
    /// Who sends it: `gamops@example.org` or `gamops <gamops@example.org>`.
    pub from: String,
    /// Who gets it.
    pub to: Vec<String>,
    /// The subject.
    pub subject: String,
    /// The text.
    pub body: String,
    /// Names it, the same where it is sent once more: letters, digits, `-`, `.`.
    pub id: String,
}

/// A mail was not taken. Network's or server's fault, unless a variant says otherwise.
#[derive(Debug, thiserror::Error)]
pub enum SmtpError {
    /// An address is none. Operator's fault.
    #[error("`{address}` is no mail address")]
    Address {
        /// The address.
        address: String,
        /// Why not.
        #[source]
        source: lettre::address::AddressError,
    },
    /// The mail cannot be written. Operator's fault: nobody is to get it.
    #[error("writing the mail")]
    Mail(#[source] lettre::error::Error),
    /// The certificates to trust, or the name of the server, cannot be used. Operator's fault.
    #[error("setting up TLS with {server}")]
    Tls {
        /// Host and port.
        server: String,
        /// Why.
        #[source]
        source: lettre::transport::smtp::Error,
    },
    /// The server was not reached, or did not take it; the cause has its words.
    #[error("handing a mail to {server}")]
    NotTaken {
        /// Host and port.
        server: String,
        /// Why.
        #[source]
        source: lettre::transport::smtp::Error,
    },
    /// The server is slower than anybody can wait for.
    #[error("{server} did not take a mail within {} seconds", ALL_OF_IT.as_secs())]
    Slow {
        /// Host and port.
        server: String,
    },
}

/// Reads a mail address, with or without a name before it.
///
/// # Errors
///
/// [`SmtpError::Address`].
pub fn check_address(address: &str) -> Result<(), SmtpError> {
    mailbox(address).map(|_| ())
}

/// Hands a mail to a server.
///
/// # Errors
///
/// [`SmtpError`]. No message holds the password.
pub async fn send(relay: &Relay, mail: &Mail) -> Result<(), SmtpError> {
    let message = write(mail, &relay.hello)?;
    let server = host_and_port(&relay.host, relay.port);
    let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&relay.host)
        .port(relay.port)
        .tls(tls(relay, &server)?)
        .timeout(Some(PATIENCE))
        .hello_name(ClientId::Domain(relay.hello.clone()));
    if let Some((user, password)) = &relay.login {
        transport = transport.credentials(Credentials::new(user.clone(), password.expose().to_owned()));
    }
    match tokio::time::timeout(ALL_OF_IT, transport.build().send(message)).await {
        Err(_) => Err(SmtpError::Slow { server }),
        Ok(Err(source)) => Err(SmtpError::NotTaken { server, source }),
        Ok(Ok(_)) => Ok(()),
    }
}

fn tls(relay: &Relay, server: &str) -> Result<Tls, SmtpError> {
    let failed = |source| SmtpError::Tls {
        server: server.to_owned(),
        source,
    };
    if relay.security == Security::None {
        return Ok(Tls::None);
    }
    let mut parameters = TlsParameters::builder(relay.host.clone());
    for pem in relay.authorities.iter().flat_map(|bundle| certificates(bundle)) {
        parameters = parameters.add_root_certificate(Certificate::from_pem(pem.as_bytes()).map_err(failed)?);
    }
    let parameters = parameters.build_rustls().map_err(failed)?;
    Ok(match relay.security {
        Security::Tls => Tls::Wrapper(parameters),
        Security::StartTls | Security::None => Tls::Required(parameters),
    })
}

/// The certificates of a file, each by itself.
fn certificates(bundle: &str) -> impl Iterator<Item = &str> {
    const END: &str = "-----END CERTIFICATE-----";
    bundle.split_inclusive(END).filter(|part| part.contains(END))
}

fn mailbox(address: &str) -> Result<Mailbox, SmtpError> {
    address.parse().map_err(|source| SmtpError::Address {
        address: address.to_owned(),
        source,
    })
}

fn write(mail: &Mail, host: &str) -> Result<Message, SmtpError> {
    let mut builder: MessageBuilder = Message::builder()
        .from(mailbox(&mail.from)?)
        .subject(mail.subject.clone())
        .message_id(Some(format!("<{}@{host}>", mail.id)))
        .header(ByMachine);
    for address in &mail.to {
        builder = builder.to(mailbox(address)?);
    }
    builder
        .header(ContentType::TEXT_PLAIN)
        .body(mail.body.clone())
        .map_err(SmtpError::Mail)
}

/// `Auto-Submitted: auto-generated` (RFC 3834), so that nobody's absence answers.
#[derive(Debug, Clone)]
struct ByMachine;

impl Header for ByMachine {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_is_written_as_readers_expect_it() {
        let mail = Mail {
            from: "gamops <gamops@example.org>".to_owned(),
            to: vec!["noc@example.org".to_owned(), "Bo <bo@example.org>".to_owned()],
            subject: "[gamops isp] maple-a: drifted".to_owned(),
            body: "Drifted: 1 device.\n".to_owned(),
            id: "12-1800000000000".to_owned(),
        };
        let text = String::from_utf8(write(&mail, "noc1").unwrap().formatted()).unwrap();
        for line in [
            "From: gamops <gamops@example.org>\r\n",
            "To: noc@example.org, Bo <bo@example.org>\r\n",
            "Subject: [gamops isp] maple-a: drifted\r\n",
            "Message-ID: <12-1800000000000@noc1>\r\n",
            "Auto-Submitted: auto-generated\r\n",
            "Content-Type: text/plain; charset=utf-8\r\n",
            "\r\n\r\nDrifted: 1 device.",
        ] {
            assert!(text.contains(line), "{line:?} is not in\n{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_named() {
        let error = check_address("noc at example.org").unwrap_err();
        assert_eq!(error.to_string(), "`noc at example.org` is no mail address");
        assert!(check_address("Network <noc@example.org>").is_ok());
    }

    #[test]
    fn a_file_may_hold_several_certificates() {
        let one = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert_eq!(certificates(&format!("# ours\n{one}{one}\n")).count(), 2);
    }
}
