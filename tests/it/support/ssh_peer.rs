//! An SSH server whose every move a test scripts: what it offers, whom it lets in, what its shell says, and
//! how the connection dies. Knows nothing of GAMs beyond what the script types.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gamops::domain::Secret;
use gamops::transport::ssh::{Connect, HostKeyCheck, Login};
use russh::keys::PrivateKey;
use russh::keys::ssh_key::private::Ed25519Keypair;
use russh::server::{self, Auth, Msg, Response};
use russh::{Channel, ChannelId, ChannelMsg, MethodKind, MethodSet, Preferred};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How the peer lets people in.
#[derive(Clone)]
pub(crate) struct Peer {
    /// Number of its host key: the same number is the same key.
    pub(crate) key: u8,
    pub(crate) password: &'static str,
    /// Lets `none` in.
    pub(crate) open: bool,
    pub(crate) methods: Vec<MethodKind>,
    pub(crate) preferred: Preferred,
    /// Closes the connection instead of refusing a wrong password.
    pub(crate) hangs_up: bool,
}

impl Default for Peer {
    fn default() -> Self {
        Self {
            key: 1,
            password: "right",
            open: false,
            methods: vec![MethodKind::Password],
            preferred: Preferred::DEFAULT,
            hangs_up: false,
        }
    }
}

/// What was tried on the peer.
#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) connections: AtomicUsize,
    pub(crate) none: AtomicUsize,
    pub(crate) passwords: AtomicUsize,
    pub(crate) questions: AtomicUsize,
    pub(crate) shells: AtomicUsize,
}

impl Counters {
    /// Every attempt that a device can count as a wrong password.
    pub(crate) fn guesses(&self) -> usize {
        self.passwords.load(Ordering::SeqCst) + self.questions.load(Ordering::SeqCst)
    }
}

/// What the wire between client and peer does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wire {
    Up,
    /// Gone in both directions, at once.
    Cut,
    /// The peer said that nothing more comes, and still reads.
    HalfClosed,
    /// Both ends are there and nothing gets through.
    Dead,
}

type Script = dyn Fn(Shell) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync;

/// A running peer.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) counters: Arc<Counters>,
    pub(crate) peer: Peer,
}

impl Running {
    /// How to reach it with the right password.
    pub(crate) fn connect(&self) -> Connect {
        Connect {
            host: self.address.ip().to_string(),
            port: self.address.port(),
            user: "admin".to_owned(),
            login: Login::Password(Secret::new(self.peer.password)),
            legacy_algorithms: false,
            host_key: HostKeyCheck::default(),
            within: Duration::from_secs(20),
        }
    }
}

/// Serves `script` to everybody who gets a shell, until the test ends.
pub(crate) async fn serve<F>(peer: Peer, script: impl Fn(Shell) -> F + Send + Sync + 'static) -> Running
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let counters = Arc::new(Counters::default());
    let script: Arc<Script> = Arc::new(move |shell| Box::pin(script(shell)));
    let config = Arc::new(server::Config {
        keys: vec![host_key(peer.key)],
        methods: MethodSet::from(peer.methods.as_slice()),
        preferred: peer.preferred.clone(),
        auth_rejection_time: Duration::from_millis(1),
        auth_rejection_time_initial: Some(Duration::from_millis(1)),
        ..server::Config::default()
    });
    let running = Running {
        address,
        counters: Arc::clone(&counters),
        peer: peer.clone(),
    };
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counters.connections.fetch_add(1, Ordering::SeqCst);
            let (wire, watch) = watch::channel(Wire::Up);
            let handler = Handler {
                peer: peer.clone(),
                counters: Arc::clone(&counters),
                script: Arc::clone(&script),
                wire: Arc::new(wire),
                channel: None,
            };
            let (inner, outer) = tokio::io::duplex(64 * 1024);
            tokio::spawn(carry(stream, outer, watch));
            let config = Arc::clone(&config);
            tokio::spawn(async move {
                if let Ok(session) = server::run_stream(config, inner, handler).await {
                    let _ = session.await;
                }
            });
        }
    });
    running
}

/// The host key of a number.
pub(crate) fn host_key(number: u8) -> PrivateKey {
    PrivateKey::from(Ed25519Keypair::from_seed(&[number; 32]))
}

/// The host key of a number in OpenSSH form.
pub(crate) fn host_key_text(number: u8) -> String {
    host_key(number).public_key().to_openssh().unwrap()
}

/// Carries bytes between the client's socket and the server, as long as the wire is up.
async fn carry(socket: TcpStream, server: tokio::io::DuplexStream, mut wire: watch::Receiver<Wire>) {
    let (mut from_client, mut to_client) = socket.into_split();
    let (mut from_server, mut to_server) = tokio::io::split(server);
    let mut inbound = [0; 4096];
    let mut outbound = [0; 4096];
    let mut shut = false;
    loop {
        let state = *wire.borrow_and_update();
        match state {
            Wire::Cut => return,
            Wire::Dead => {
                if wire.changed().await.is_err() {
                    // Nobody can mend it any more: keep both sockets for ever.
                    std::future::pending::<()>().await;
                }
                continue;
            }
            Wire::HalfClosed if !shut => {
                shut = true;
                let _ = to_client.shutdown().await;
            }
            Wire::HalfClosed | Wire::Up => {}
        }
        // Every arm only reads, and a read that is dropped has taken nothing.
        tokio::select! {
            changed = wire.changed() => if changed.is_err() && shut { return },
            read = from_client.read(&mut inbound) => match read {
                Ok(0) | Err(_) => return,
                Ok(count) => if to_server.write_all(&inbound[..count]).await.is_err() { return },
            },
            read = from_server.read(&mut outbound) => match read {
                Ok(0) | Err(_) => return,
                Ok(count) if !shut => if to_client.write_all(&outbound[..count]).await.is_err() { return },
                Ok(_) => {}
            },
        }
    }
}

struct Handler {
    peer: Peer,
    counters: Arc<Counters>,
    script: Arc<Script>,
    wire: Arc<watch::Sender<Wire>>,
    channel: Option<Channel<Msg>>,
}

impl Handler {
    fn judge(&self, password: &str) -> Result<Auth, russh::Error> {
        if password == self.peer.password {
            Ok(Auth::Accept)
        } else if self.peer.hangs_up {
            Err(russh::Error::Disconnect)
        } else {
            Ok(Auth::reject())
        }
    }
}

impl server::Handler for Handler {
    type Error = russh::Error;

    async fn auth_none(&mut self, _: &str) -> Result<Auth, Self::Error> {
        self.counters.none.fetch_add(1, Ordering::SeqCst);
        Ok(if self.peer.open { Auth::Accept } else { Auth::reject() })
    }

    async fn auth_password(&mut self, _: &str, password: &str) -> Result<Auth, Self::Error> {
        self.counters.passwords.fetch_add(1, Ordering::SeqCst);
        self.judge(password)
    }

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        _: &str,
        _: &str,
        response: Option<Response<'a>>,
    ) -> Result<Auth, Self::Error> {
        let Some(mut response) = response else {
            return Ok(Auth::Partial {
                name: "".into(),
                instructions: "".into(),
                prompts: vec![("Password: ".into(), false)].into(),
            });
        };
        self.counters.questions.fetch_add(1, Ordering::SeqCst);
        let answer = response
            .next()
            .map(|answer| String::from_utf8_lossy(&answer).into_owned());
        self.judge(&answer.unwrap_or_default())
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: server::ChannelOpenHandle,
        _: &mut server::Session,
    ) -> Result<(), Self::Error> {
        self.channel = Some(channel);
        reply.accept().await;
        Ok(())
    }

    async fn pty_request(
        &mut self,
        channel: ChannelId,
        _: &str,
        _: u32,
        _: u32,
        _: u32,
        _: u32,
        _: &[(russh::Pty, u32)],
        session: &mut server::Session,
    ) -> Result<(), Self::Error> {
        session.channel_success(channel)
    }

    async fn shell_request(&mut self, id: ChannelId, session: &mut server::Session) -> Result<(), Self::Error> {
        self.counters.shells.fetch_add(1, Ordering::SeqCst);
        session.channel_success(id)?;
        if let Some(channel) = self.channel.take() {
            let shell = Shell {
                channel,
                wire: Arc::clone(&self.wire),
                pending: Vec::new(),
            };
            tokio::spawn((self.script)(shell));
        }
        Ok(())
    }
}

/// The peer's end of a shell, in the hands of a script.
pub(crate) struct Shell {
    channel: Channel<Msg>,
    wire: Arc<watch::Sender<Wire>>,
    pending: Vec<u8>,
}

impl Shell {
    /// Sends bytes as one packet.
    pub(crate) async fn send(&mut self, text: impl AsRef<[u8]>) {
        let _ = self.channel.data_bytes(text.as_ref().to_vec()).await;
    }

    /// The next key, or `None` when the client is gone.
    pub(crate) async fn key(&mut self) -> Option<u8> {
        while self.pending.is_empty() {
            match self.channel.wait().await? {
                ChannelMsg::Data { data } => self.pending.extend_from_slice(&data),
                ChannelMsg::Eof | ChannelMsg::Close => return None,
                _ => {}
            }
        }
        Some(self.pending.remove(0))
    }

    /// The next line that the client sends, nothing echoed.
    pub(crate) async fn unechoed(&mut self) -> Option<String> {
        let mut line = String::new();
        loop {
            match self.key().await? {
                b'\r' => return Some(line),
                byte => line.push(char::from(byte)),
            }
        }
    }

    /// The next command, echoed as a device does it.
    pub(crate) async fn command(&mut self) -> Option<String> {
        let line = self.unechoed().await?;
        self.send(format!("{line}\r\n")).await;
        Some(line)
    }

    /// Shows `prompt` and answers what every session begins with: the empty line and the terminal settings.
    pub(crate) async fn greet(&mut self, prompt: &str) {
        self.send(format!("\r\n{prompt}")).await;
        for expected in ["", "terminal length 0", "terminal width 512"] {
            match self.command().await {
                Some(command) => assert_eq!(command, expected),
                None => return,
            }
            self.send(prompt).await;
        }
    }

    /// Takes the next command, which must be `expected`, and answers it with `reply`.
    pub(crate) async fn answer(&mut self, expected: &str, reply: &str) {
        let command = self.command().await;
        assert_eq!(command.as_deref(), Some(expected));
        self.send(reply).await;
    }

    /// Ends the shell in good order, as a device does on `exit`.
    pub(crate) async fn hang_up(self) {
        let _ = self.channel.eof().await;
        let _ = self.channel.close().await;
    }

    /// Cuts the wire: both directions, no goodbye.
    pub(crate) fn cut(&self) {
        self.wire.send_replace(Wire::Cut);
    }

    /// Closes the peer's half of the connection; what the client sends still arrives.
    pub(crate) fn half_close(&self) {
        self.wire.send_replace(Wire::HalfClosed);
    }

    /// Lets nothing through any more, in either direction, without closing anything.
    pub(crate) fn go_dead(&self) {
        self.wire.send_replace(Wire::Dead);
    }
}
