//! One command line session over an SSH channel: moves bytes between channel and terminal, runs the lines,
//! and lets faults strike.

use std::sync::Arc;
use std::time::Duration;

use russh::server::Msg;
use russh::{ChannelMsg, ChannelReadHalf, ChannelWriteHalf};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::device::SimDevice;
use super::fault::{Blow, Hold, Moment, Verdict};
use super::shell::{Shell, Then};
use super::terminal::{Event, Terminal};

/// The connection that a session runs over.
#[derive(Clone)]
pub(super) struct Connection {
    /// Cuts it, as a broken line or a reboot does.
    pub(super) cut: CancellationToken,
    /// How many bytes have gone out to the network so far.
    pub(super) sent: watch::Receiver<u64>,
}

/// The other end is gone.
struct Gone;

pub(super) struct Session {
    device: Arc<SimDevice>,
    shell: Shell,
    terminal: Terminal,
    connection: Connection,
    input: ChannelReadHalf,
    output: ChannelWriteHalf<Msg>,
}

/// What has come of a line.
enum Next {
    Prompt,
    Close,
}

impl Session {
    pub(super) fn new(
        device: Arc<SimDevice>,
        privilege: u8,
        connection: Connection,
        channel: russh::Channel<Msg>,
    ) -> Self {
        let (input, output) = channel.split();
        Self {
            device,
            shell: Shell::new(privilege),
            terminal: Terminal::new(),
            connection,
            input,
            output,
        }
    }

    /// Runs the command line until either side ends it.
    pub(super) async fn interactive(mut self) {
        let cut = self.connection.cut.clone();
        let Some(_place) = self.device.open_session() else {
            if !self.device.spec().knobs.silent_limit {
                let text = format!("Only {} connections allowed\r\n", self.device.spec().knobs.sessions);
                let _ = self.send(text.as_bytes()).await;
            }
            self.close(1).await;
            return;
        };
        tokio::select! {
            ended = self.converse() => if ended.is_ok() {
                self.close(0).await;
            },
            // The connection is cut under the session: nothing is left to say goodbye to.
            () = cut.cancelled() => {}
        }
    }

    /// Runs one line and closes, as the exec channel of an ordinary SSH server does.
    pub(super) async fn single(mut self, line: &str) {
        let cut = self.connection.cut.clone();
        let Some(_place) = self.device.open_session() else {
            self.close(1).await;
            return;
        };
        let answer = async {
            let verdict = self.device.judge(&self.shell, line);
            let text = self.answer(line, &verdict).await?.unwrap_or_default();
            self.send(text.replace('\n', "\r\n").as_bytes()).await?;
            self.close(0).await;
            Ok::<(), Gone>(())
        };
        tokio::select! {
            // A peer that is gone needs no goodbye.
            _ = answer => {}
            () = cut.cancelled() => {}
        }
    }

    async fn close(&self, status: u32) {
        let _ = self.output.exit_status(status).await;
        let _ = self.output.eof().await;
        let _ = self.output.close().await;
    }

    async fn converse(&mut self) -> Result<(), Gone> {
        let banner = self.banner();
        self.finish(&banner);
        loop {
            let device = Arc::clone(&self.device);
            let event = device.with_state(|state, _| self.terminal.advance(&mut self.shell, state));
            let echo = self.terminal.take_output();
            self.send(&echo).await?;
            match event {
                Event::Wait => match self.receive().await? {
                    Some(bytes) => self.terminal.push(&bytes),
                    None => return Ok(()),
                },
                Event::Line(line) => match self.line(&line).await? {
                    Next::Prompt => {}
                    Next::Close => return Ok(()),
                },
            }
        }
    }

    /// The text before the first prompt. The family prints an empty line there in any case.
    fn banner(&self) -> String {
        let knobs = &self.device.spec().knobs;
        let mut banner = match &knobs.banner {
            Some(text) => format!("{}\n", text.trim_end()),
            None => String::new(),
        };
        banner.push('\n');
        if knobs.first_output_paged {
            for line in 1..=self.shell.screen.length {
                banner.push_str(&format!("notice {line}\n"));
            }
        }
        banner
    }

    fn finish(&mut self, text: &str) {
        let device = Arc::clone(&self.device);
        device.with_state(|state, _| self.terminal.finish(text, &self.shell, state));
    }

    /// Typed bytes; `None` after the idle time or when the other end has no more to say.
    async fn receive(&mut self) -> Result<Option<Vec<u8>>, Gone> {
        let idle = self.shell.screen.idle.unwrap_or(self.device.spec().knobs.idle);
        loop {
            let message = if idle.is_zero() {
                self.input.wait().await
            } else {
                match tokio::time::timeout(idle, self.input.wait()).await {
                    Ok(message) => message,
                    Err(_) => return Ok(None),
                }
            };
            match message {
                Some(ChannelMsg::Data { data }) => return Ok(Some(data.to_vec())),
                Some(ChannelMsg::Eof) => return Ok(None),
                Some(ChannelMsg::Close) | None => return Err(Gone),
                Some(_) => {}
            }
        }
    }

    async fn send(&self, bytes: &[u8]) -> Result<(), Gone> {
        if bytes.is_empty() {
            return Ok(());
        }
        let (size, pause) = self.device.pieces().unwrap_or((bytes.len(), Duration::ZERO));
        for (index, piece) in bytes.chunks(size).enumerate() {
            if index > 0 && !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
            self.output.data_bytes(piece.to_vec()).await.map_err(|_| Gone)?;
        }
        Ok(())
    }

    /// One line at the prompt: runs it and shows the answer.
    async fn line(&mut self, line: &str) -> Result<Next, Gone> {
        let verdict = self.device.judge(&self.shell, line);
        let Some(text) = self.answer(line, &verdict).await? else {
            return Ok(Next::Close);
        };
        self.finish(&text);
        let mut bytes = self.terminal.take_output();
        if let Some(behind) = &verdict.garbage {
            let place = behind.as_ref().and_then(|text| {
                let found = bytes
                    .windows(text.len().max(1))
                    .position(|window| window == text.as_bytes());
                found.map(|at| at + text.len())
            });
            let place = place.unwrap_or(bytes.len() / 2);
            bytes.splice(place..place, GARBAGE);
        }
        if let Some((blow, Moment::InOutput)) = verdict.blow {
            self.send_for_certain(&bytes[..bytes.len() / 2]).await?;
            return Err(self.strike(blow).await);
        }
        if let Some(hold) = verdict.hold.filter(|hold| hold.when == Moment::InOutput) {
            let rest = bytes.split_off(bytes.len() / 2);
            self.send_for_certain(&bytes).await?;
            self.hold(hold).await?;
            bytes = rest;
        }
        self.send(&bytes).await?;
        Ok(Next::Prompt)
    }

    /// The text that answers a line, whatever was decided to happen before that. `None` when the line ends
    /// the session.
    async fn answer(&mut self, line: &str, verdict: &Verdict) -> Result<Option<String>, Gone> {
        tokio::time::sleep(verdict.delay).await;
        if verdict.hang {
            return Err(self.hang().await);
        }
        if let Some((blow, Moment::Before)) = verdict.blow {
            return Err(self.strike(blow).await);
        }
        if let Some(hold) = verdict.hold.filter(|hold| hold.when == Moment::Before) {
            self.hold(hold).await?;
        }
        if let Some(lines) = &verdict.typing {
            self.device.execute(lines);
        }
        let text = self.run(verdict.instead.as_deref().unwrap_or(line), verdict).await?;
        if let Some((blow, Moment::After)) = verdict.blow {
            return Err(self.strike(blow).await);
        }
        if let Some(hold) = verdict.hold.filter(|hold| hold.when == Moment::After) {
            self.hold(hold).await?;
        }
        Ok(text)
    }

    async fn run(&mut self, line: &str, verdict: &Verdict) -> Result<Option<String>, Gone> {
        if let Some(text) = &verdict.refuse {
            return Ok(Some(format!("% {text}\n")));
        }
        if verdict.ignore {
            return Ok(Some(String::new()));
        }
        let reply = self.device.run(&mut self.shell, line);
        match reply.then {
            Then::Prompt => Ok(Some(reply.output)),
            Then::Close => Ok(None),
            Then::Copy(job) => {
                // On a task of its own, and begun before anything can fail: the device goes on writing when
                // the session is cut.
                let copy = tokio::spawn(Arc::clone(&self.device).copy(job));
                self.send(reply.output.replace('\n', "\r\n").as_bytes()).await?;
                copy.await.map(Some).map_err(|_| Gone)
            }
            Then::Reload { defaults } => {
                if defaults {
                    self.device.forget_startup();
                }
                Err(self.strike(Blow::Reboot).await)
            }
        }
    }

    /// Sends, and waits until it has left for the network: what is cut off afterwards was still received.
    async fn send_for_certain(&mut self, bytes: &[u8]) -> Result<(), Gone> {
        let before = *self.connection.sent.borrow_and_update();
        self.send(bytes).await?;
        // Encrypted, it is never shorter.
        let wanted = before + u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.connection
            .sent
            .wait_for(|sent| *sent >= wanted)
            .await
            .map(|_| ())
            .map_err(|_| Gone)
    }

    /// Ends the connection, or the device's life.
    async fn strike(&self, blow: Blow) -> Gone {
        match blow {
            Blow::Drop => self.connection.cut.cancel(),
            // On a task of its own: the reboot ends this one.
            Blow::Reboot => {
                let device = Arc::clone(&self.device);
                tokio::spawn(async move { device.reboot().await });
            }
        }
        self.connection.cut.cancelled().await;
        Gone
    }

    /// Waits until the faults are taken away; the other end may give up meanwhile.
    async fn hold(&mut self, hold: Hold) -> Result<(), Gone> {
        let device = Arc::clone(&self.device);
        let _held = device.note_held();
        let mut clearings = device.clearings();
        loop {
            tokio::select! {
                // The sender lives as long as the device.
                _ = clearings.wait_for(|cleared| *cleared > hold.cleared) => return Ok(()),
                message = self.input.wait() => match message {
                    Some(ChannelMsg::Data { data }) => self.terminal.push(&data),
                    Some(ChannelMsg::Eof | ChannelMsg::Close) | None => return Err(Gone),
                    Some(_) => {}
                },
            }
        }
    }

    /// Says nothing more, and listens until the other end gives up.
    async fn hang(&mut self) -> Gone {
        while !matches!(self.input.wait().await, Some(ChannelMsg::Close) | None) {}
        Gone
    }
}

/// Bytes that are no text in any encoding, with a control character and an escape among them.
const GARBAGE: [u8; 9] = [0xff, 0xfe, 0x00, 0x1b, b'[', 0xc3, 0x28, 0x07, 0x80];
