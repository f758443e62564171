//! One login: commands in, replies out, one at a time.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use super::greeting::learn_prompt;
use super::received::Received;
use super::tape::Heard;
use super::transcript::{Event, Exchange, Transcript};
use super::{At, DeviceError, Moment};
use crate::dialect::command::{CONFIGURE, END, SAVE, TERMINAL_LENGTH, TERMINAL_WIDTH};
use crate::dialect::redact;
use crate::dialect::session::{Prompt, Reading, Reply, Showing, check_command, is_question};
use crate::dialect::share::Sharing;
use crate::transport::ssh::{Connect, Connection, HostKey, Incoming};

/// How long things may take. What a GAM really needs is unknown; these are several times what is assumed
/// (commands 200 ms, whole configuration 3 s, saving 5 s).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// From the shell to the first prompt.
    pub prompt: Duration,
    /// One command.
    pub command: Duration,
    /// Saving, and how long to wait for somebody else's saving before.
    pub save: Duration,
    /// The whole session.
    pub session: Duration,
    /// Silence after which what looks like a prompt is one, where output could look the same.
    pub settle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            prompt: Duration::from_secs(15),
            command: Duration::from_secs(30),
            save: Duration::from_secs(60),
            session: Duration::from_secs(900),
            settle: Duration::from_millis(50),
        }
    }
}

/// What [`Session::configure`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Configured {
    /// How many commands were sent and accepted.
    pub done: usize,
    /// Whether it was stopped before the last.
    pub stopped: bool,
}

/// What [`Session::save`] heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// The device's words, `% Saving 1435 bytes to flash:startup-config`, where it said anything. Read the
    /// startup configuration to be sure.
    pub said: Option<String>,
}

/// Ends the session when sent in exec mode (CLI guide).
const EXIT: &str = "exit";

/// How often saving is tried while somebody else is at it.
const SAVE_ATTEMPTS: usize = 8;
/// How long the device may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(2);

/// A logged-in command line.
///
/// A command in flight is awaited to its reply or its deadline; dropping the future in between makes the
/// session unusable, since whatever comes then belongs to a command nobody waits for. Stop between commands
/// instead.
pub struct Session {
    connection: Connection,
    prompt: Prompt,
    limits: Limits,
    ends: Instant,
    usable: bool,
    sent: usize,
    batch: Option<At>,
    received: Received,
    transcript: Transcript,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("connection", &self.connection)
            .field("prompt", &self.prompt)
            .field("usable", &self.usable)
            .finish_non_exhaustive()
    }
}

impl Session {
    /// Logs in, learns the prompt, and switches off pager and line scrolling.
    ///
    /// # Errors
    ///
    /// [`DeviceError::Open`], [`DeviceError::TooManySessions`], [`DeviceError::ClosedAtStart`],
    /// [`DeviceError::NoPrompt`], and those of [`Self::run`].
    pub async fn open(to: &Connect) -> Result<Self, DeviceError> {
        Self::open_within(to, Limits::default()).await
    }

    /// As [`Self::open`], with limits of one's own.
    ///
    /// # Errors
    ///
    /// As [`Self::open`].
    pub async fn open_within(to: &Connect, limits: Limits) -> Result<Self, DeviceError> {
        Self::begin(to, limits, &mut Received::default()).await
    }

    /// As [`Self::open`], keeping every byte that comes, for [`Self::heard`].
    ///
    /// # Errors
    ///
    /// As [`Self::open`]; with what came until then, masked for strangers.
    pub async fn open_on_tape(to: &Connect, sharing: &mut Sharing) -> Result<Self, (DeviceError, Vec<Heard>)> {
        let mut received = Received::on_tape();
        let opened = Self::begin(to, Limits::default(), &mut received).await;
        opened.map_err(|error| (error, received.tape().shared("", sharing)))
    }

    /// Opens a session that goes on with `received`, which holds what came also where it fails.
    async fn begin(to: &Connect, limits: Limits, received: &mut Received) -> Result<Self, DeviceError> {
        let ends = Instant::now() + limits.session;
        let mut connection = Connection::open(to)
            .await
            .map_err(|error| DeviceError::Open(Box::new(error)))?;
        let prompt = learn_prompt(&mut connection, received, &limits).await?;
        let mut session = Self {
            connection,
            prompt,
            limits,
            ends,
            usable: true,
            sent: 0,
            batch: None,
            received: std::mem::take(received),
            transcript: Transcript::default(),
        };
        for command in [TERMINAL_LENGTH, TERMINAL_WIDTH] {
            // A firmware that does not know one of them is still readable: the pager is answered and a
            // scrolling echo understood.
            if let Err(error) = session.exchange(command, session.limits.command).await {
                *received = session.received;
                return Err(error);
            }
        }
        session.sent = 0;
        Ok(session)
    }

    /// Address of the device, `host:port`.
    #[must_use]
    pub fn address(&self) -> &str {
        self.connection.address()
    }

    /// The key that the device proved itself with.
    #[must_use]
    pub fn host_key(&self) -> &HostKey {
        self.connection.host_key()
    }

    /// Whether the key was taken at first contact: pin it now.
    #[must_use]
    pub fn is_newly_met(&self) -> bool {
        self.connection.is_newly_met()
    }

    /// The prompt as it stands.
    #[must_use]
    pub fn prompt(&self) -> &Prompt {
        &self.prompt
    }

    /// Everything exchanged so far, oldest first; what the session sends by itself included.
    #[must_use]
    pub fn transcript(&self) -> &[Exchange] {
        self.transcript.exchanges()
    }

    /// Every byte that came so far, masked for strangers; nothing unless the session was opened on tape.
    #[must_use]
    pub fn heard(&self, sharing: &mut Sharing) -> Vec<Heard> {
        self.received.tape().shared(&self.prompt.to_string(), sharing)
    }

    /// Calls `listener` before each command is sent and after each reply: the place to journal from.
    pub fn listen(&mut self, listener: impl FnMut(Event<'_>) + Send + 'static) {
        self.transcript.listen(Box::new(listener));
    }

    /// Sends one command and waits for its reply. A refusal is a reply, not an error.
    ///
    /// # Errors
    ///
    /// [`DeviceError::Lost`], [`DeviceError::TimedOut`], [`DeviceError::OutOfStep`] and
    /// [`DeviceError::TooMuch`] end the session and leave open whether the command took effect;
    /// [`DeviceError::Unsafe`], [`DeviceError::SessionOver`] and [`DeviceError::Unusable`] mean that it was
    /// not sent.
    pub async fn run(&mut self, command: &str) -> Result<Reply, DeviceError> {
        self.exchange(command, self.limits.command).await
    }

    /// Sends one command and returns its output; a refusal is an error.
    ///
    /// # Errors
    ///
    /// [`DeviceError::Refused`], and those of [`Self::run`].
    pub async fn ask(&mut self, command: &str) -> Result<String, DeviceError> {
        let reply = self.run(command).await?;
        reply.done().map_err(|refusal| self.refused(command, refusal))
    }

    /// Enters config mode.
    ///
    /// # Errors
    ///
    /// [`DeviceError::LowPrivilege`] at a `>` prompt, [`DeviceError::Refused`],
    /// [`DeviceError::WrongMode`] when the device took the command and stayed where it was, and those of
    /// [`Self::run`].
    pub async fn enter_config(&mut self) -> Result<(), DeviceError> {
        if !self.prompt.privileged {
            return Err(DeviceError::LowPrivilege {
                device: self.address().to_owned(),
            });
        }
        self.ask(CONFIGURE).await?;
        if self.prompt.is_exec() {
            Err(self.wrong_mode("config"))
        } else {
            Ok(())
        }
    }

    /// Goes back to exec mode.
    ///
    /// # Errors
    ///
    /// As [`Self::enter_config`].
    pub async fn leave_config(&mut self) -> Result<(), DeviceError> {
        self.ask(END).await?;
        if self.prompt.is_exec() {
            Ok(())
        } else {
            Err(self.wrong_mode("exec"))
        }
    }

    /// Enters config mode, sends the commands in order, reads every reply, and goes back to exec mode.
    ///
    /// `stop` is looked at between commands only: the one in flight is always awaited.
    ///
    /// # Errors
    ///
    /// [`DeviceError::Refused`] at the first refusal: nothing further was sent, the session is back in exec
    /// mode and usable. Otherwise those of [`Self::run`] and [`Self::enter_config`].
    pub async fn configure(
        &mut self,
        commands: &[String],
        stop: &CancellationToken,
    ) -> Result<Configured, DeviceError> {
        let mut configured = Configured {
            done: 0,
            stopped: stop.is_cancelled(),
        };
        if commands.is_empty() || configured.stopped {
            return Ok(configured);
        }
        self.enter_config().await?;
        let outcome = self.send_all(commands, stop, &mut configured).await;
        self.batch = None;
        match outcome {
            Ok(()) => {
                self.leave_config().await?;
                Ok(configured)
            }
            Err(refused @ DeviceError::Refused { .. }) => {
                // The refusal is what the caller must hear of; if leaving fails as well, the session
                // has become unusable, and the next command says so.
                let _ = self.leave_config().await;
                Err(refused)
            }
            Err(error) => Err(error),
        }
    }

    async fn send_all(
        &mut self,
        commands: &[String],
        stop: &CancellationToken,
        configured: &mut Configured,
    ) -> Result<(), DeviceError> {
        for (index, command) in commands.iter().enumerate() {
            if stop.is_cancelled() {
                configured.stopped = true;
                break;
            }
            if self.prompt.is_exec() {
                return Err(self.wrong_mode("config"));
            }
            self.batch = Some(At {
                number: index + 1,
                total: Some(commands.len()),
            });
            self.ask(command).await?;
            configured.done += 1;
        }
        Ok(())
    }

    /// Saves the running configuration as startup configuration. When somebody else is saving, waits and
    /// tries again, within bounds of attempts and time: none begins later than `limits.save` after the first.
    ///
    /// # Errors
    ///
    /// [`DeviceError::Busy`] when it stayed so, [`DeviceError::Refused`] for any other refusal (file system
    /// full), and those of [`Self::run`].
    pub async fn save(&mut self) -> Result<Saved, DeviceError> {
        if !self.prompt.is_exec() {
            self.leave_config().await?;
        }
        let started = Instant::now();
        let deadline = started + self.limits.save;
        let mut pauses = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(500))
            .with_max_delay(Duration::from_secs(8))
            .with_max_times(SAVE_ATTEMPTS - 1)
            .with_jitter()
            .build();
        let mut attempts = 0;
        loop {
            attempts += 1;
            // Each attempt has the whole time: one that is cut short may have saved or not.
            let refusal = match self.exchange(SAVE, self.limits.save).await? {
                Reply::Refused(refusal) => refusal,
                Reply::Notice(lines) => {
                    return Ok(Saved { said: Some(lines) });
                }
                Reply::Done(_) => return Ok(Saved { said: None }),
            };
            if !refusal.is_transient() {
                return Err(self.refused(SAVE, refusal));
            }
            let resume = pauses.next().map(|pause| Instant::now() + pause);
            match resume {
                Some(resume) if resume < deadline => tokio::time::sleep_until(resume).await,
                _ => {
                    return Err(DeviceError::Busy {
                        moment: Box::new(self.moment(SAVE)),
                        attempts,
                        within: started.elapsed(),
                        refusal: Box::new(refusal),
                    });
                }
            }
        }
    }

    /// Says goodbye, as far as the device listens, and closes the connection.
    pub async fn close(mut self) {
        if self.usable && (self.prompt.is_exec() || self.leave_config().await.is_ok()) {
            let connection = &mut self.connection;
            let goodbye = async {
                if connection.send(format!("{EXIT}\r").as_bytes()).await.is_ok() {
                    while connection.receive().await != Incoming::Closed {}
                }
            };
            // A device that does not hang up is hung up on.
            let _ = timeout_at(Instant::now() + GOODBYE, goodbye).await;
        }
        self.connection.close().await;
    }

    /// Sends a command and reads until its prompt. The only place that does.
    async fn exchange(&mut self, command: &str, within: Duration) -> Result<Reply, DeviceError> {
        let device = || self.connection.address().to_owned();
        check_command(command).map_err(|source| DeviceError::Unsafe {
            device: device(),
            command: redact::line(&command.escape_default().to_string()),
            source,
        })?;
        if !self.usable {
            return Err(DeviceError::Unusable { device: device() });
        }
        let started = Instant::now();
        if started >= self.ends {
            return Err(DeviceError::SessionOver {
                device: device(),
                after: self.limits.session,
            });
        }
        self.sent += 1;
        self.transcript.sending(&redact::line(command));
        // Until the reply is in, also if this future is dropped.
        self.usable = false;
        let deadline = self.ends.min(started + within);
        let (reply, prompt) = self.converse(command, deadline).await?;
        if prompt.hostname != self.prompt.hostname {
            // The command gave the device another name. Make sure that the line is its prompt.
            self.prompt = prompt;
            self.converse("", deadline).await?;
        } else {
            self.prompt = prompt;
        }
        self.usable = true;
        self.transcript.answered(Exchange {
            command: redact::line(command),
            reply: without_content(command, &reply),
            took: started.elapsed(),
        });
        Ok(reply)
    }

    async fn converse(&mut self, command: &str, deadline: Instant) -> Result<(Reply, Prompt), DeviceError> {
        let mut reading = Reading::of(&self.prompt, command);
        self.received.next(&self.prompt, command);
        let started = Instant::now();
        self.send(command, &format!("{command}\r"), deadline).await?;
        let prompt = loop {
            let settled = Instant::now() + self.limits.settle;
            let showing = match reading.showing() {
                // No time left to make sure of it.
                Showing::Prompt(_) if reading.could_go_on() && settled > deadline => Showing::Output,
                Showing::Pager if settled > deadline => Showing::Output,
                showing => showing,
            };
            let quiet_until = match &showing {
                Showing::Output => deadline,
                Showing::TooMuch => {
                    return Err(DeviceError::TooMuch {
                        moment: Box::new(self.moment(command)),
                    });
                }
                Showing::Prompt(_) if !reading.could_go_on() => Instant::now(),
                Showing::Prompt(_) | Showing::Pager => settled,
            };
            match (timeout_at(quiet_until, self.connection.receive()).await, showing) {
                (Ok(Incoming::Bytes(bytes)), _) => {
                    self.received.push(&bytes);
                    reading.push(&bytes);
                }
                (Ok(Incoming::Closed), _) => {
                    let source = Box::new(self.connection.why_closed().await);
                    return Err(DeviceError::Lost {
                        moment: Box::new(self.moment(command)),
                        source,
                    });
                }
                (Err(_), Showing::Prompt(prompt)) => break prompt,
                (Err(_), Showing::Pager) => {
                    reading.pager_answered();
                    self.send(command, "g", deadline).await?;
                }
                (Err(_), Showing::Output | Showing::TooMuch) => {
                    return Err(DeviceError::TimedOut {
                        moment: Box::new(self.moment(command)),
                        after: started.elapsed(),
                    });
                }
            }
        };
        match reading.finish() {
            Ok(reply) => Ok((reply, prompt)),
            Err(source) => Err(DeviceError::OutOfStep {
                moment: Box::new(self.moment(command)),
                source,
            }),
        }
    }

    async fn send(&mut self, command: &str, text: &str, deadline: Instant) -> Result<(), DeviceError> {
        let started = Instant::now();
        match timeout_at(deadline, self.connection.send(text.as_bytes())).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(source)) => Err(DeviceError::Lost {
                moment: Box::new(self.moment(command)),
                source: Box::new(source),
            }),
            Err(_) => Err(DeviceError::TimedOut {
                moment: Box::new(self.moment(command)),
                after: started.elapsed(),
            }),
        }
    }

    fn moment(&self, command: &str) -> Moment {
        Moment {
            device: self.address().to_owned(),
            at: self.batch.unwrap_or(At {
                number: self.sent,
                total: None,
            }),
            command: redact::line(command),
            received: self.received.escaped(),
        }
    }

    fn refused(&self, command: &str, refusal: crate::dialect::session::Refusal) -> DeviceError {
        DeviceError::Refused {
            moment: Box::new(self.moment(command)),
            refusal: Box::new(refusal),
        }
    }

    fn wrong_mode(&self, expected: &'static str) -> DeviceError {
        DeviceError::WrongMode {
            device: self.address().to_owned(),
            expected,
            prompt: self.prompt.to_string(),
        }
    }
}

fn without_content(command: &str, reply: &Reply) -> Reply {
    match reply {
        Reply::Done(_) if is_question(command) => Reply::Done(String::new()),
        reply => reply.clone(),
    }
}
