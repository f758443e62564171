//! One SSH connection with one shell on it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use russh::client::{self, Handle, Msg};
use russh::keys::PublicKeyOrCertificate;
use russh::{AlgorithmKind, Channel, ChannelMsg, Disconnect};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

use super::host_key::Verdict;
use super::leash::{Leash, Leashed, leash};
use super::login::log_in;
use super::{HostKey, HostKeyCheck, Login, SshError, algorithms};
use crate::transport::host_and_port;

/// Where to connect, as whom, and what to accept.
#[derive(Debug, Clone)]
pub struct Connect {
    /// IP address or DNS name.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// User name.
    pub user: String,
    /// What is shown to prove it.
    pub login: Login,
    /// Also offer the algorithms of old servers: SHA-1, CBC, `ssh-rsa`.
    pub legacy_algorithms: bool,
    /// What is known of the device's key.
    pub host_key: HostKeyCheck,
    /// How long all of it may take, from the name to the shell.
    pub within: Duration,
}

impl Connect {
    /// `host:port`, the host in brackets where it is an IPv6 address.
    #[must_use]
    pub fn address(&self) -> String {
        host_and_port(&self.host, self.port)
    }

    pub(super) fn timed_out(&self, step: &'static str) -> SshError {
        SshError::TimedOut {
            address: self.address(),
            step,
            after: self.within,
        }
    }
}

/// Something that the peer did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming {
    /// It sent bytes.
    Bytes(Vec<u8>),
    /// It closed the shell. The connection may have been lost: see [`Connection::why_closed`].
    Closed,
}

/// A logged-in SSH connection with a shell on a pseudo-terminal.
///
/// A shell and not the exec channel: in this family the login shell ignores the command it is given, and
/// starts the command line instead (sister products' source); a shell is what worked on hardware.
pub struct Connection {
    handle: Handle<Verifier>,
    /// Whether the session's task has told how it ended: it can be asked only once.
    ended: bool,
    channel: Channel<Msg>,
    address: String,
    host_key: HostKey,
    newly_met: bool,
    /// Dropped last: without it the connection ends.
    _leash: Leash,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection")
            .field("address", &self.address)
            .field("host_key", &self.host_key)
            .finish_non_exhaustive()
    }
}

/// Silence after which the peer is asked for a sign of life, and how often it may fail to give one. It
/// finds a dead peer in half a minute; the deadlines of commands are the caller's.
const KEEPALIVE: Duration = Duration::from_secs(10);
const KEEPALIVES_MISSED: usize = 2;

/// Terminal size asked for. Devices of this family ignore it (80 by 24 whatever we say), so commands set
/// their own; a peer that heeds it gets the same.
const COLUMNS: u32 = 512;
const ROWS: u32 = 24;

impl Connection {
    /// Connects, checks the host key, logs in and opens a shell.
    ///
    /// # Errors
    ///
    /// See [`SshError`]. A changed host key ends it before any password is sent.
    pub async fn open(to: &Connect) -> Result<Self, SshError> {
        let deadline = Instant::now() + to.within;
        let Entered {
            mut handle,
            host_key,
            newly_met,
            leash,
        } = enter(to, deadline).await?;
        let address = to.address();
        match timeout_at(deadline, shell(&mut handle, &address)).await {
            Ok(channel) => Ok(Self {
                handle,
                ended: false,
                channel: channel?,
                address,
                host_key,
                newly_met,
                _leash: leash,
            }),
            Err(_) => Err(to.timed_out("opening a shell")),
        }
    }

    /// `host:port` of the peer.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The key that the device proved itself with.
    #[must_use]
    pub fn host_key(&self) -> &HostKey {
        &self.host_key
    }

    /// Whether nothing was pinned, and the key was taken at first contact: pin it now.
    #[must_use]
    pub fn is_newly_met(&self) -> bool {
        self.newly_met
    }

    /// Waits for bytes, or for the end. Safe to drop while waiting: nothing is lost.
    pub async fn receive(&mut self) -> Incoming {
        loop {
            match self.channel.wait().await {
                Some(ChannelMsg::Data { data } | ChannelMsg::ExtendedData { data, .. }) => {
                    return Incoming::Bytes(data.to_vec());
                }
                Some(ChannelMsg::Eof | ChannelMsg::Close) | None => return Incoming::Closed,
                Some(_) => {}
            }
        }
    }

    /// Sends bytes. May wait for a peer that does not read; put a deadline around it.
    ///
    /// # Errors
    ///
    /// [`SshError::Lost`] when the connection is gone.
    pub async fn send(&mut self, bytes: &[u8]) -> Result<(), SshError> {
        match self.channel.data_bytes(bytes.to_vec()).await {
            Ok(()) => Ok(()),
            Err(_) => Err(self.why_closed().await),
        }
    }

    /// Why the connection ended, as far as the library knows.
    pub async fn why_closed(&mut self) -> SshError {
        let end = if self.ended {
            None
        } else {
            ending(&mut self.handle).await
        };
        self.ended |= end.is_some();
        SshError::Lost {
            address: self.address.clone(),
            source: end.flatten().map(Into::into),
        }
    }

    /// Says goodbye to the SSH server and lets go. For the command line's own goodbye, send it first.
    pub async fn close(self) {
        let goodbye = async {
            // The peer may be gone already; then there is nobody to say it to.
            let _ = self.channel.close().await;
            let _ = self.handle.disconnect(Disconnect::ByApplication, "", "").await;
            if !self.ended {
                let _ = self.handle.await;
            }
        };
        // A peer that does not take a goodbye is dropped without one.
        let _ = timeout(GOODBYE, goodbye).await;
    }
}

/// How long a goodbye may take.
pub(super) const GOODBYE: Duration = Duration::from_secs(1);

/// The error that a session ended with, if it did end with one. To be asked once, when all is over.
pub(super) async fn reason(handle: &mut Handle<Verifier>) -> Option<russh::Error> {
    ending(handle).await.flatten()
}

/// How a session ended; `None` while it has not. Must not be asked again once it has told.
async fn ending(handle: &mut Handle<Verifier>) -> Option<Option<russh::Error>> {
    // A session that is ending needs a moment to say why; one that is not ending never does.
    match timeout(GOODBYE, handle).await {
        Ok(Err(Failure::Ssh(error))) => Some(Some(error)),
        Ok(Err(Failure::HostKey) | Ok(())) => Some(None),
        Err(_) => None,
    }
}

/// A server that let us in.
pub(super) struct Entered {
    pub(super) handle: Handle<Verifier>,
    pub(super) host_key: HostKey,
    pub(super) newly_met: bool,
    pub(super) leash: Leash,
}

/// Connects, checks the host key and logs in.
pub(super) async fn enter(to: &Connect, deadline: Instant) -> Result<Entered, SshError> {
    let address = to.address();
    let mut step = "connecting";
    let entering = async {
        let (stream, _) = tcp(&to.host, to.port, to.within).await?;
        let (stream, leash) = leash(stream);
        step = "the key exchange";
        let (mut handle, host_key, newly_met) = handshake(to, &address, stream).await?;
        step = "the login";
        log_in(&mut handle, &address, &to.user, &to.login).await?;
        Ok(Entered {
            handle,
            host_key,
            newly_met,
            leash,
        })
    };
    match timeout_at(deadline, entering).await {
        Ok(entered) => entered,
        Err(_) => Err(to.timed_out(step)),
    }
}

/// Connects to the first address of a host that takes the connection; also how long that one took, which is about
/// one round trip.
pub(super) async fn tcp(host: &str, port: u16, within: Duration) -> Result<(TcpStream, Duration), SshError> {
    let address = host_and_port(host, port);
    let addresses: Vec<SocketAddr> = tokio::net::lookup_host((host, port))
        .await
        .map_err(|source| SshError::Resolve {
            address: address.clone(),
            source,
        })?
        .collect();
    // One dead address of several must not use up all the time.
    let share = within / u32::try_from(addresses.len().max(1)).unwrap_or(u32::MAX);
    let mut last = std::io::Error::from(std::io::ErrorKind::AddrNotAvailable);
    for target in addresses {
        let started = Instant::now();
        match timeout(share, TcpStream::connect(target)).await {
            Ok(Ok(stream)) => {
                // Commands are short and wait for each other: Nagle's algorithm would only add delay.
                // Where it cannot be turned off, the delay is all that happens.
                let _ = stream.set_nodelay(true);
                return Ok((stream, started.elapsed()));
            }
            Ok(Err(error)) => last = error,
            Err(_) => last = std::io::Error::from(std::io::ErrorKind::TimedOut),
        }
    }
    Err(SshError::Connect { address, source: last })
}

async fn handshake(
    to: &Connect,
    address: &str,
    stream: Leashed,
) -> Result<(Handle<Verifier>, HostKey, bool), SshError> {
    let mut config = client::Config {
        preferred: algorithms::preferred(to.legacy_algorithms, to.host_key.pinned.as_ref()),
        keepalive_interval: Some(KEEPALIVE),
        keepalive_max: KEEPALIVES_MISSED,
        nodelay: true,
        ..client::Config::default()
    };
    if to.legacy_algorithms {
        // Old servers have no groups above 2048 bits.
        config.gex = client::GexParams::new(2048, 2048, 8192).map_err(|error| handshake_failed(address, error))?;
    }
    let seen = Seen::default();
    let verifier = Verifier {
        check: to.host_key.clone(),
        seen: Arc::clone(&seen),
    };
    let connected = client::connect_stream(Arc::new(config), stream, verifier).await;
    let offered = seen.lock().unwrap_or_else(PoisonError::into_inner).take();
    match (connected, offered) {
        (Ok(handle), Some((key, Verdict::Known))) => Ok((handle, key, false)),
        (Ok(handle), Some((key, Verdict::New))) => Ok((handle, key, true)),
        (_, Some((offered, Verdict::Changed { pinned }))) => Err(SshError::HostKeyChanged {
            address: address.to_owned(),
            pinned,
            offered,
        }),
        (_, Some((offered, Verdict::Unknown))) => Err(SshError::HostKeyUnknown {
            address: address.to_owned(),
            offered,
        }),
        (Err(Failure::Ssh(russh::Error::NoCommonAlgo { kind, ours, theirs })), _) => Err(SshError::NoCommonAlgorithm {
            address: address.to_owned(),
            kind: kind_name(&kind),
            ours,
            theirs,
            legacy: to.legacy_algorithms,
        }),
        (Err(Failure::Ssh(error)), _) => Err(handshake_failed(address, error)),
        // A key exchange that showed no key proves nothing.
        (Ok(_) | Err(Failure::HostKey), None) => Err(handshake_failed(address, russh::Error::UnknownKey)),
        (Err(Failure::HostKey), Some((_, Verdict::Known | Verdict::New))) => {
            Err(handshake_failed(address, russh::Error::UnknownKey))
        }
    }
}

fn handshake_failed(address: &str, error: russh::Error) -> SshError {
    SshError::Handshake {
        address: address.to_owned(),
        source: error.into(),
    }
}

fn kind_name(kind: &AlgorithmKind) -> &'static str {
    match kind {
        AlgorithmKind::Kex => "key exchange",
        AlgorithmKind::Key => "host key",
        AlgorithmKind::Cipher => "cipher",
        AlgorithmKind::Compression => "compression",
        AlgorithmKind::Mac => "MAC",
    }
}

async fn shell(handle: &mut Handle<Verifier>, address: &str) -> Result<Channel<Msg>, SshError> {
    let opened = async {
        let mut channel = handle.channel_open_session().await?;
        channel.request_pty(true, "vt100", COLUMNS, ROWS, 0, 0, &[]).await?;
        // A server without terminals serves a shell all the same (it did on none of the hardware seen).
        request_granted(&mut channel).await?;
        channel.request_shell(true).await?;
        if request_granted(&mut channel).await? {
            Ok(channel)
        } else {
            Err(russh::Error::RequestDenied)
        }
    };
    let error = match opened.await {
        Ok(channel) => return Ok(channel),
        Err(error) => error,
    };
    let source = match error {
        // "The other end of the queue is gone" says nothing; the session knows more.
        russh::Error::SendError | russh::Error::Disconnect | russh::Error::HUP => reason(handle).await,
        error => Some(error),
    };
    Err(SshError::Shell {
        address: address.to_owned(),
        source: source.map(Into::into),
    })
}

pub(super) async fn request_granted(channel: &mut Channel<Msg>) -> Result<bool, russh::Error> {
    loop {
        match channel.wait().await {
            Some(ChannelMsg::Success) => return Ok(true),
            Some(ChannelMsg::Failure) => return Ok(false),
            Some(ChannelMsg::WindowAdjusted { .. }) => {}
            Some(_) | None => return Err(russh::Error::Disconnect),
        }
    }
}

/// What the server proved itself with, and what we made of it.
type Seen = Arc<Mutex<Option<(HostKey, Verdict)>>>;

/// Answers the library's questions during a session: the host key's, and no others.
pub(super) struct Verifier {
    check: HostKeyCheck,
    seen: Seen,
}

/// Why a session ended.
#[derive(Debug)]
pub(super) enum Failure {
    /// We did not accept the host key; the verdict is in [`Seen`].
    HostKey,
    Ssh(russh::Error),
}

impl From<russh::Error> for Failure {
    fn from(error: russh::Error) -> Self {
        Self::Ssh(error)
    }
}

impl client::Handler for Verifier {
    type Error = Failure;

    async fn check_server_key(&mut self, offered: &PublicKeyOrCertificate) -> Result<bool, Failure> {
        let offered = HostKey::new(offered.public_key());
        let verdict = self.check.judge(&offered);
        let accepted = matches!(verdict, Verdict::Known | Verdict::New);
        if verdict == Verdict::New {
            // When keys are exchanged again during the session, it must be the same one.
            self.check.pinned = Some(offered.clone());
        }
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some((offered, verdict));
        if accepted { Ok(true) } else { Err(Failure::HostKey) }
    }
}
