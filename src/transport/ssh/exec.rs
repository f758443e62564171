//! One command on an SSH server, its input and output as bytes.
//!
//! For servers of Git. Devices get a shell instead: see [`super::Connection`].

use russh::client::{Handle, Msg};
use russh::{Channel, ChannelMsg, Disconnect};
use tokio::time::{Instant, timeout, timeout_at};

use super::client::{Entered, GOODBYE, Verifier, enter, reason, request_granted};
use super::leash::Leash;
use super::{Connect, SshError};

/// What a command gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Bytes of its output.
    Bytes(Vec<u8>),
    /// Bytes that it wrote for people.
    Complaint(Vec<u8>),
    /// It is over, and nothing more will come.
    Ended,
}

/// A command that runs on a server.
pub struct Exec {
    handle: Handle<Verifier>,
    channel: Channel<Msg>,
    address: String,
    /// Dropped last: without it the connection ends.
    _leash: Leash,
}

impl std::fmt::Debug for Exec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exec")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Exec {
    /// Connects, checks the host key, logs in and starts the command, which the server hands to a shell.
    ///
    /// # Errors
    ///
    /// See [`SshError`]. A changed host key ends it before anything is shown.
    pub async fn start(to: &Connect, command: &str) -> Result<Self, SshError> {
        let address = to.address();
        let deadline = Instant::now() + to.within;
        let Entered { mut handle, leash, .. } = enter(to, deadline).await?;
        let starting = async {
            let mut channel = handle.channel_open_session().await?;
            channel.exec(true, command).await?;
            match request_granted(&mut channel).await? {
                true => Ok(channel),
                false => Err(russh::Error::RequestDenied),
            }
        };
        match timeout_at(deadline, starting).await {
            Ok(Ok(channel)) => Ok(Self {
                handle,
                channel,
                address,
                _leash: leash,
            }),
            Ok(Err(error)) => {
                let source = match error {
                    russh::Error::RequestDenied => Some(error),
                    // The session knows more than its channel.
                    error => reason(&mut handle).await.or(Some(error)),
                };
                Err(SshError::Command {
                    address,
                    source: source.map(Into::into),
                })
            }
            Err(_) => Err(to.timed_out("starting a command")),
        }
    }

    /// Waits for what it gives next.
    pub async fn receive(&mut self) -> Output {
        loop {
            match self.channel.wait().await {
                Some(ChannelMsg::Data { data }) => return Output::Bytes(data.to_vec()),
                Some(ChannelMsg::ExtendedData { data, .. }) => return Output::Complaint(data.to_vec()),
                // What it wrote for people may come after the end of its output: only the channel's end is the end.
                Some(ChannelMsg::Close) | None => return Output::Ended,
                Some(_) => {}
            }
        }
    }

    /// Gives it bytes to read. May wait for a server that does not read; put a deadline around it.
    ///
    /// # Errors
    ///
    /// [`SshError::Lost`] when the connection is gone.
    pub async fn send(&mut self, bytes: &[u8]) -> Result<(), SshError> {
        match self.channel.data_bytes(bytes.to_vec()).await {
            Ok(()) => Ok(()),
            Err(_) => Err(SshError::Lost {
                address: self.address.clone(),
                source: reason(&mut self.handle).await.map(Into::into),
            }),
        }
    }

    /// Says goodbye and lets go.
    pub async fn close(self) {
        let goodbye = async {
            // The server may be gone already; then there is nobody to say it to.
            let _ = self.channel.close().await;
            let _ = self.handle.disconnect(Disconnect::ByApplication, "", "").await;
        };
        let _ = timeout(GOODBYE, goodbye).await;
    }
}
