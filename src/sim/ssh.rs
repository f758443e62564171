//! The SSH server of one device.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use russh::keys::{Algorithm, PrivateKey};
use russh::server::{Auth, ChannelOpenHandle, Config, Handler, Msg, Session as SshSession};
use russh::{Channel, ChannelId, MethodKind, MethodSet, Preferred, cipher, compression, kex, mac};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::device::SimDevice;
use super::knobs::ExecChannel;
use super::session::{Connection, Session};

/// How long a connection without a session lives.
const INACTIVITY: Duration = Duration::from_secs(3600);

/// The configuration of the server: password only, and old algorithms only where the knob says so.
pub(super) fn config(device: &SimDevice, key: PrivateKey) -> Config {
    let knobs = &device.spec().knobs;
    let mut methods = vec![MethodKind::Password];
    if knobs.none_login {
        methods.push(MethodKind::None);
    }
    let preferred = if knobs.old_algorithms {
        Preferred {
            kex: Cow::Borrowed(&[kex::DH_G14_SHA1, kex::DH_G1_SHA1]),
            key: Cow::Borrowed(&[Algorithm::Rsa { hash: None }]),
            cipher: Cow::Borrowed(&[cipher::AES_128_CBC, cipher::AES_256_CBC, cipher::TRIPLE_DES_CBC]),
            mac: Cow::Borrowed(&[mac::HMAC_SHA1]),
            compression: Cow::Borrowed(&[compression::NONE]),
            ..Preferred::default()
        }
    } else {
        Preferred::default()
    };
    Config {
        methods: MethodSet::from(methods.as_slice()),
        auth_rejection_time: Duration::from_millis(20),
        auth_rejection_time_initial: Some(Duration::ZERO),
        keys: vec![key],
        preferred,
        inactivity_timeout: Some(INACTIVITY),
        nodelay: true,
        ..Config::default()
    }
}

/// Serves until told to stop. While the device is down the socket is closed, so that TCP is refused.
pub(super) async fn serve(
    device: Arc<SimDevice>,
    mut listener: TcpListener,
    config: Arc<Config>,
    stop: CancellationToken,
) {
    let mut life = device.life();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            // Cancel safe: a watch keeps its last value.
            changed = life.changed() => {
                if changed.is_err() {
                    return;
                }
                if !life.borrow_and_update().up {
                    drop(listener);
                    tokio::select! {
                        () = stop.cancelled() => return,
                        up = life.wait_for(|life| life.up) => if up.is_err() {
                            return;
                        },
                    }
                    match rebind(&device, &stop).await {
                        Some(bound) => listener = bound,
                        None => return,
                    }
                }
            }
            // Cancel safe: a connection that is not accepted stays in the queue.
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    tokio::spawn(connection(Arc::clone(&device), stream, Arc::clone(&config), stop.child_token()));
                }
                Err(error) => tracing::warn!(device = %device.spec().name, %error, "could not accept a connection"),
            }
        }
    }
}

/// Listens again where it did before. Another program may have taken the port meanwhile: tries until it is
/// free.
async fn rebind(device: &SimDevice, stop: &CancellationToken) -> Option<TcpListener> {
    loop {
        match TcpListener::bind(device.ssh_addr()).await {
            Ok(listener) => return Some(listener),
            Err(error) => {
                tracing::warn!(device = %device.spec().name, %error, "could not listen again");
                tokio::select! {
                    () = stop.cancelled() => return None,
                    () = tokio::time::sleep(Duration::from_millis(50)) => {}
                }
            }
        }
    }
}

/// One connection. The SSH server works on one end of a pipe, the network is on the other: closing the
/// network under it is how a connection is cut without goodbye.
async fn connection(device: Arc<SimDevice>, stream: TcpStream, config: Arc<Config>, stop: CancellationToken) {
    let cut = device.connection_token();
    let (near, far) = tokio::io::duplex(64 * 1024);
    let (sent_tx, sent) = watch::channel(0);
    let handler = Login {
        device,
        privilege: None,
        channel: None,
        connection: Connection { cut: cut.clone(), sent },
    };
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "could not set TCP_NODELAY");
    }
    let server = tokio::spawn(async move {
        if let Ok(session) = russh::server::run_stream(config, far, handler).await {
            // Errors are the peer's: a login that failed, a connection that broke.
            let _ = session.await;
        }
    });
    let (mut from_network, mut to_network) = stream.into_split();
    let (mut from_server, mut to_server) = tokio::io::split(near);
    let out = async {
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(count) = from_server.read(&mut buffer).await {
            if count == 0 || to_network.write_all(&buffer[..count]).await.is_err() {
                return;
            }
            sent_tx.send_modify(|sent| *sent += u64::try_from(count).unwrap_or_default());
        }
    };
    let inward = async {
        // A connection that the peer closed takes the session with it.
        let _ = tokio::io::copy(&mut from_network, &mut to_server).await;
        let _ = to_server.shutdown().await;
    };
    tokio::select! {
        () = out => {}
        () = inward => {}
        () = cut.cancelled() => {}
        () = stop.cancelled() => {}
    }
    cut.cancel();
    server.abort();
}

/// The server's side of one connection until a session starts on it.
struct Login {
    device: Arc<SimDevice>,
    privilege: Option<u8>,
    channel: Option<Channel<Msg>>,
    connection: Connection,
}

impl Login {
    fn answer(&mut self, user: &str, password: &str) -> Auth {
        self.privilege = self.device.login(user, password);
        match self.privilege {
            Some(_) => Auth::Accept,
            None => Auth::reject(),
        }
    }

    fn session(&mut self) -> Option<Session> {
        let channel = self.channel.take()?;
        Some(Session::new(
            Arc::clone(&self.device),
            self.privilege?,
            self.connection.clone(),
            channel,
        ))
    }
}

impl Handler for Login {
    type Error = russh::Error;

    async fn auth_none(&mut self, user: &str) -> Result<Auth, Self::Error> {
        let knobs = &self.device.spec().knobs;
        let open = knobs.none_login && self.device.with_state(|state, _| state.login(user, "").is_some());
        Ok(if open { self.answer(user, "") } else { Auth::reject() })
    }

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, Self::Error> {
        Ok(self.answer(user, password))
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut SshSession,
    ) -> Result<(), Self::Error> {
        self.channel = Some(channel);
        reply.accept().await;
        Ok(())
    }

    async fn pty_request(
        &mut self,
        channel: ChannelId,
        _term: &str,
        _col_width: u32,
        _row_height: u32,
        _pix_width: u32,
        _pix_height: u32,
        _modes: &[(russh::Pty, u32)],
        session: &mut SshSession,
    ) -> Result<(), Self::Error> {
        // Taken, and its size ignored: the command line starts at 80 by 24 whatever the terminal is.
        session.channel_success(channel)
    }

    async fn shell_request(&mut self, channel: ChannelId, session: &mut SshSession) -> Result<(), Self::Error> {
        match self.session() {
            Some(shell) => {
                session.channel_success(channel)?;
                tokio::spawn(shell.interactive());
                Ok(())
            }
            None => session.channel_failure(channel),
        }
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        command: &[u8],
        session: &mut SshSession,
    ) -> Result<(), Self::Error> {
        let Some(shell) = self.session() else {
            return session.channel_failure(channel);
        };
        session.channel_success(channel)?;
        match self.device.spec().knobs.exec_channel {
            ExecChannel::Ignored => {
                tokio::spawn(shell.interactive());
            }
            ExecChannel::Closed => session.close(channel)?,
            ExecChannel::Works => {
                let line = String::from_utf8_lossy(command).into_owned();
                tokio::spawn(async move { shell.single(&line).await });
            }
        }
        Ok(())
    }
}
