//! A mail server on loopback (RFC 5321, with STARTTLS and AUTH PLAIN), which keeps the mails that it takes.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::program::{find, run};

/// `AUTH PLAIN` of user `gamops` with password `canary-mail`.
const LOGIN: &str = "AGdhbW9wcwBjYW5hcnktbWFpbA==";

/// How it encrypts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encrypts {
    Never,
    OnRequest,
    Always,
}

/// A mail that was taken.
#[derive(Debug, Clone)]
pub(crate) struct Mail {
    /// The lines of the envelope: `MAIL FROM` and each `RCPT TO`.
    pub(crate) envelope: Vec<String>,
    /// Header and text, as they came.
    pub(crate) text: String,
    /// Whether it came encrypted, and from somebody who logged in.
    pub(crate) encrypted: bool,
    pub(crate) logged_in: bool,
}

/// A server. It serves as long as the test runs.
pub(crate) struct SmtpServer {
    port: u16,
    mails: Arc<Mutex<Vec<Mail>>>,
}

trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

impl SmtpServer {
    /// Makes a certificate for 127.0.0.1 in `folder`, as `mail.pem`, and serves with it. `wants_login`: takes nothing from
    /// strangers.
    pub(crate) fn start(folder: &Path, encrypts: Encrypts, wants_login: bool) -> Self {
        let (certificate, key) = (folder.join("mail.pem"), folder.join("mail.key"));
        run(Command::new(find("openssl", "openssl"))
            .args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
                "-days",
                "2",
            ])
            .args([
                "-subj",
                "/CN=mail",
                "-addext",
                "subjectAltName=IP:127.0.0.1,DNS:localhost",
            ])
            .args(["-addext", "basicConstraints=critical,CA:FALSE"])
            .arg("-keyout")
            .arg(&key)
            .arg("-out")
            .arg(&certificate));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![CertificateDer::from_pem_file(&certificate).unwrap()],
                PrivateKeyDer::from_pem_file(&key).unwrap(),
            )
            .unwrap();
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let mails = Arc::new(Mutex::new(Vec::new()));
        let taken = Arc::clone(&mails);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (config, taken) = (Arc::clone(&config), Arc::clone(&taken));
                thread::spawn(move || {
                    // Who hangs up has its reasons.
                    let _ = talk(stream, &config, encrypts, wants_login, &taken);
                });
            }
        });
        Self { port, mails }
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// The mails that were taken so far.
    pub(crate) fn mails(&self) -> Vec<Mail> {
        self.mails.lock().unwrap().clone()
    }
}

fn encrypt(stream: TcpStream, config: &Arc<ServerConfig>) -> Box<dyn Stream> {
    let connection = ServerConnection::new(Arc::clone(config)).unwrap();
    Box::new(StreamOwned::new(connection, stream))
}

fn talk(
    stream: TcpStream,
    config: &Arc<ServerConfig>,
    encrypts: Encrypts,
    wants_login: bool,
    taken: &Mutex<Vec<Mail>>,
) -> std::io::Result<()> {
    let mut encrypted = encrypts == Encrypts::Always;
    let again = stream.try_clone()?;
    let mut peer: BufReader<Box<dyn Stream>> = BufReader::new(if encrypted {
        encrypt(stream, config)
    } else {
        Box::new(stream)
    });
    let mut again = Some(again);
    let (mut logged_in, mut envelope) = (false, Vec::new());
    say(&mut peer, "220 mail.example.org ESMTP")?;
    loop {
        let mut line = String::new();
        if peer.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let line = line.trim_end();
        let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        match verb.as_str() {
            "EHLO" => {
                if encrypts == Encrypts::OnRequest && !encrypted {
                    say(&mut peer, "250-mail.example.org\r\n250 STARTTLS")?;
                } else {
                    say(&mut peer, "250-mail.example.org\r\n250 AUTH PLAIN")?;
                }
            }
            "STARTTLS" if encrypts == Encrypts::OnRequest && !encrypted => {
                say(&mut peer, "220 go ahead")?;
                peer = BufReader::new(encrypt(again.take().expect("once"), config));
                encrypted = true;
            }
            "AUTH" if line == format!("AUTH PLAIN {LOGIN}") => {
                logged_in = true;
                say(&mut peer, "235 welcome")?;
            }
            "AUTH" => say(&mut peer, "535 5.7.8 authentication failed")?,
            "MAIL" if wants_login && !logged_in => say(&mut peer, "530 5.7.0 authentication required")?,
            "MAIL" | "RCPT" => {
                envelope.push(line.to_owned());
                say(&mut peer, "250 fine")?;
            }
            "DATA" => {
                say(&mut peer, "354 go on")?;
                let mut text = String::new();
                while !text.ends_with("\r\n.\r\n") {
                    if peer.read_line(&mut text)? == 0 {
                        return Ok(());
                    }
                }
                taken.lock().unwrap().push(Mail {
                    envelope: std::mem::take(&mut envelope),
                    text: text.trim_end_matches(".\r\n").to_owned(),
                    encrypted,
                    logged_in,
                });
                say(&mut peer, "250 taken")?;
            }
            "QUIT" => return say(&mut peer, "221 bye"),
            _ => say(&mut peer, "502 not here")?,
        }
    }
}

fn say(peer: &mut BufReader<Box<dyn Stream>>, line: &str) -> std::io::Result<()> {
    let stream = peer.get_mut();
    stream.write_all(format!("{line}\r\n").as_bytes())?;
    stream.flush()
}
