//! One running device: its state behind a lock, its life (boots, connections, being down), its counters, and
//! what tests and the control socket may do to it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::domain::{MacAddr, PortNumber};

use super::endpoint::EndpointModel;
use super::fault::{Fault, Faults, Verdict};
use super::shell::{CopyJob, Reply, Shell, Then};
use super::spec::DeviceSpec;
use super::state::{RejectedLine, STARTUP, State};

/// What has happened on a device since the fleet started.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counters {
    /// Accepted logins.
    pub logins: u64,
    /// Rejected passwords.
    pub rejected_logins: u64,
    /// Sessions that are open now.
    pub sessions: usize,
    /// Command lines of all SSH sessions, in the order in which they came; empty lines and comments left out.
    pub commands: Vec<String>,
    /// How many of them asked for the running configuration.
    pub running_config_reads: u64,
    /// How many times the running configuration was saved as the startup configuration.
    pub saves: u64,
    /// How many times the device has started, the first included.
    pub boots: u64,
}

/// What those who serve a device need to follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Life {
    /// Counts starts.
    pub(super) boot: u64,
    /// Reachable; false while it reboots.
    pub(super) up: bool,
    /// What SNMP answers to.
    pub(super) communities: Vec<String>,
}

struct Inner {
    state: State,
    faults: Faults,
    counters: Counters,
    booted: Instant,
    /// Ends every connection of this boot when cancelled.
    connections: CancellationToken,
    /// The startup configuration as it is on disk.
    persisted: Option<String>,
    /// Every state so far, where somebody wants to know.
    trail: Option<Vec<Passed>>,
}

/// A state that a device was in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passed {
    /// The newest command line when it came about.
    pub after: String,
    /// The running configuration, as `show running-config` prints it.
    pub running: String,
    /// The startup configuration, if there was one.
    pub startup: Option<String>,
}

/// One simulated device of a [`super::Fleet`].
pub struct SimDevice {
    spec: DeviceSpec,
    inner: Mutex<Inner>,
    life: watch::Sender<Life>,
    state_file: Option<PathBuf>,
    /// How many sessions [`Fault::Hold`] holds now.
    held: watch::Sender<usize>,
    /// How often the faults were taken away.
    clearings: watch::Sender<u64>,
    pub(super) ssh: OnceLock<SocketAddr>,
    pub(super) snmp: OnceLock<SocketAddr>,
}

impl SimDevice {
    /// Makes and boots a device with this startup configuration. Also returns the lines of it that the device
    /// did not take.
    pub(super) fn new(
        spec: DeviceSpec,
        startup: Option<String>,
        state_file: Option<PathBuf>,
    ) -> (Self, Vec<RejectedLine>) {
        let persisted = startup.clone();
        let mut state = State::new(spec.clone(), startup);
        let rejected = state.boot();
        let life = Life {
            boot: 1,
            up: true,
            communities: state.running.communities(),
        };
        let device = Self {
            spec,
            inner: Mutex::new(Inner {
                state,
                faults: Faults::default(),
                counters: Counters {
                    boots: 1,
                    ..Counters::default()
                },
                booted: Instant::now(),
                connections: CancellationToken::new(),
                persisted,
                trail: None,
            }),
            life: watch::Sender::new(life),
            state_file,
            held: watch::Sender::new(0),
            clearings: watch::Sender::new(0),
            ssh: OnceLock::new(),
            snmp: OnceLock::new(),
        };
        (device, rejected)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic while holding the lock cannot leave the state half written in a way that matters to a fake.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it was told to be.
    #[must_use]
    pub fn spec(&self) -> &DeviceSpec {
        &self.spec
    }

    /// Where SSH listens.
    #[must_use]
    pub fn ssh_addr(&self) -> SocketAddr {
        self.ssh.get().copied().unwrap_or(self.spec.ssh)
    }

    /// Where SNMP listens.
    #[must_use]
    pub fn snmp_addr(&self) -> SocketAddr {
        self.snmp.get().copied().unwrap_or(self.spec.snmp)
    }

    /// The running configuration, as `show running-config` prints it, lines ended by `\n`.
    #[must_use]
    pub fn running_config(&self) -> String {
        self.lock().state.running_text()
    }

    /// The startup configuration, if there is one: what a reload would load.
    #[must_use]
    pub fn startup_config(&self) -> Option<String> {
        self.lock().state.flash.get(STARTUP).map(|file| file.text.clone())
    }

    /// Runs command lines as somebody else would from a session of their own, and returns what they print.
    ///
    /// A line that the mode at hand does not know is run in config mode or exec mode, whichever does, so that
    /// `ghn ...` needs no `configure terminal` before it, and `copy ...` no `end`. Faults do not touch these lines and counters do not count them; a
    /// `reload` among them does nothing (see [`SimDevice::reboot`]).
    pub fn execute(&self, lines: &str) -> String {
        let mut shell = Shell::new(15);
        let mut output = String::new();
        for line in lines.lines() {
            self.with_state(|state, _| shell.seek(line, state));
            let reply = self.run(&mut shell, line);
            output.push_str(&reply.output);
            if let Then::Copy(job) = reply.then {
                output.push_str(&self.finish_copy(job));
            }
        }
        output
    }

    /// Adds a fault.
    pub fn set_fault(&self, fault: Fault) {
        self.lock().faults.set(fault);
    }

    /// Takes away all faults, and lets go of what they hold.
    pub fn clear_faults(&self) {
        let cleared = self.lock().faults.clear();
        self.clearings.send_replace(cleared);
    }

    /// Returns as soon as a [`Fault::Hold`] holds a command.
    pub async fn until_held(&self) {
        // The sender lives as long as the device.
        let _ = self.held.subscribe().wait_for(|held| *held > 0).await;
    }

    /// Keeps every state that the device is in from now on, for [`SimDevice::trail`].
    pub fn keep_trail(&self) {
        let mut inner = self.lock();
        inner.trail = Some(Vec::new());
        inner.note_state();
    }

    /// The states that the device was in since [`SimDevice::keep_trail`], oldest first; none twice in a row.
    #[must_use]
    pub fn trail(&self) -> Vec<Passed> {
        self.lock().trail.clone().unwrap_or_default()
    }

    /// Says that a session is held, as long as the answer lives.
    pub(super) fn note_held(self: &Arc<Self>) -> Held {
        self.held.send_modify(|held| *held += 1);
        Held(Arc::clone(self))
    }

    /// Follows how often the faults are taken away.
    pub(super) fn clearings(&self) -> watch::Receiver<u64> {
        self.clearings.subscribe()
    }

    /// Connects an endpoint of the usual model to a port, or moves it there.
    pub fn plug(&self, mac: MacAddr, port: PortNumber) {
        self.plug_model(mac, port, None);
    }

    /// Connects an endpoint to a port, or moves it there; of the usual model unless one is given.
    pub fn plug_model(&self, mac: MacAddr, port: PortNumber, model: Option<EndpointModel>) {
        let mut inner = self.lock();
        let uptime = inner.booted.elapsed();
        inner.state.plug(mac, port, model, uptime);
    }

    /// Disconnects an endpoint.
    pub fn unplug(&self, mac: MacAddr) {
        let mut inner = self.lock();
        let uptime = inner.booted.elapsed();
        inner.state.unplug(mac, uptime);
    }

    /// What has happened so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.lock().counters.clone()
    }

    /// Restarts the device: sessions die without goodbye, what was not saved is gone, TCP is refused and SNMP
    /// silent for [`super::Knobs::down_time`]. Returns when it is up again.
    pub async fn reboot(&self) {
        let down_time = self.spec.knobs.down_time;
        self.restart(!down_time.is_zero());
        if !down_time.is_zero() {
            tokio::time::sleep(down_time).await;
        }
        self.power_on();
    }

    /// Takes the power away, until [`SimDevice::power_on`]: sessions die without goodbye, what was not saved is gone, TCP is
    /// refused and SNMP silent.
    pub fn power_off(&self) {
        self.restart(true);
    }

    /// Ends a boot and begins the next; `down`: nobody reaches the device meanwhile.
    fn restart(&self, down: bool) {
        {
            let mut inner = self.lock();
            inner.connections.cancel();
            inner.connections = CancellationToken::new();
            inner.state.boot();
            inner.note_state();
            inner.counters.boots += 1;
            inner.counters.sessions = 0;
            inner.booted = Instant::now();
        }
        if down {
            self.life.send_modify(|life| life.up = false);
        }
    }

    /// Gives the power back: the device answers again, where it did before.
    pub fn power_on(&self) {
        let mut inner = self.lock();
        inner.booted = Instant::now();
        let communities = inner.state.running.communities();
        self.life.send_modify(|life| {
            life.boot += 1;
            life.up = true;
            life.communities = communities;
        });
    }

    /// Forgets the startup configuration, as `reload defaults` does before it restarts.
    pub(super) fn forget_startup(&self) {
        let mut inner = self.lock();
        inner.state.forget_startup();
        self.follow_up(&mut inner);
    }

    pub(super) fn life(&self) -> watch::Receiver<Life> {
        self.life.subscribe()
    }

    /// A token that ends with the boot at hand.
    pub(super) fn connection_token(&self) -> CancellationToken {
        self.lock().connections.child_token()
    }

    /// Looks at the state.
    pub(super) fn with_state<T>(&self, look: impl FnOnce(&State, Duration) -> T) -> T {
        let mut inner = self.lock();
        let uptime = inner.booted.elapsed();
        inner.state.catch_up(uptime);
        look(&inner.state, uptime)
    }

    pub(super) fn is_snmp_silent(&self) -> bool {
        self.lock().faults.silences_snmp() || !self.life.borrow().up
    }

    pub(super) fn pieces(&self) -> Option<(usize, Duration)> {
        self.lock().faults.pieces()
    }

    /// Checks a password, counts the attempt, and returns the user's privilege.
    pub(super) fn login(&self, user: &str, password: &str) -> Option<u8> {
        let mut inner = self.lock();
        let privilege = if inner.faults.refuses_logins() {
            None
        } else {
            inner.state.login(user, password)
        };
        match privilege {
            Some(_) => inner.counters.logins += 1,
            None => inner.counters.rejected_logins += 1,
        }
        privilege
    }

    /// Takes one of the session places. `None` when all are taken.
    pub(super) fn open_session(self: &Arc<Self>) -> Option<SessionPlace> {
        let mut inner = self.lock();
        if inner.faults.takes_sessions() || inner.counters.sessions >= self.spec.knobs.sessions {
            return None;
        }
        inner.counters.sessions += 1;
        Some(SessionPlace {
            device: Arc::clone(self),
            boot: inner.counters.boots,
        })
    }

    /// Counts a command and says what is to happen to it.
    pub(super) fn judge(&self, shell: &Shell, line: &str) -> Verdict {
        let mut inner = self.lock();
        let line = line.trim();
        if line.is_empty() || line.starts_with(['!', '#']) {
            return Verdict {
                delay: inner.faults.delay(),
                ..Verdict::default()
            };
        }
        inner.counters.commands.push(line.to_owned());
        let reads = shell.shows_running(line, &inner.state);
        inner.counters.running_config_reads += u64::from(reads);
        inner.faults.judge(line, shell.is_configuration(line))
    }

    /// Runs a line.
    pub(super) fn run(&self, shell: &mut Shell, line: &str) -> Reply {
        let mut inner = self.lock();
        let uptime = inner.booted.elapsed();
        inner.state.catch_up(uptime);
        let reply = shell.execute(line, &mut inner.state, uptime);
        self.follow_up(&mut inner);
        reply
    }

    /// Takes the time that a copy takes, and finishes it; a reboot in between ends it unfinished.
    pub(super) async fn copy(self: Arc<Self>, job: CopyJob) -> String {
        let boot = self.lock().counters.boots;
        tokio::time::sleep(self.spec.knobs.save_delay).await;
        if self.lock().counters.boots != boot {
            return String::new();
        }
        self.finish_copy(job)
    }

    /// Finishes a copy.
    fn finish_copy(&self, job: CopyJob) -> String {
        let mut inner = self.lock();
        let uptime = inner.booted.elapsed();
        inner.counters.saves += u64::from(job.is_save());
        let output = Shell::finish_copy(job, &mut inner.state, uptime);
        self.follow_up(&mut inner);
        output
    }

    /// After every change: tells SNMP of new communities, and keeps the startup configuration on disk.
    fn follow_up(&self, inner: &mut Inner) {
        inner.note_state();
        let communities = inner.state.running.communities();
        self.life.send_if_modified(|life| {
            let changed = life.communities != communities;
            if changed {
                life.communities = communities;
            }
            changed
        });
        let startup = inner.state.flash.get(STARTUP).map(|file| file.text.clone());
        if startup == inner.persisted {
            return;
        }
        if let Some(path) = &self.state_file {
            let written = match &startup {
                Some(text) => {
                    let beside = path.with_extension("cfg.new");
                    std::fs::write(&beside, text).and_then(|()| std::fs::rename(&beside, path))
                }
                None => std::fs::remove_file(path),
            };
            if let Err(error) = written {
                tracing::warn!(device = %self.spec.name, path = %path.display(), %error, "could not keep the startup configuration");
            }
        }
        inner.persisted = startup;
    }
}

impl std::fmt::Debug for SimDevice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SimDevice")
            .field("name", &self.spec.name)
            .field("ssh", &self.ssh_addr())
            .field("snmp", &self.snmp_addr())
            .finish_non_exhaustive()
    }
}

impl Inner {
    fn note_state(&mut self) {
        let Some(trail) = &mut self.trail else {
            return;
        };
        let passed = Passed {
            after: self.counters.commands.last().cloned().unwrap_or_default(),
            running: self.state.running_text(),
            startup: self.state.flash.get(STARTUP).map(|file| file.text.clone()),
        };
        let same = |last: &Passed| (&last.running, &last.startup) == (&passed.running, &passed.startup);
        if !trail.last().is_some_and(same) {
            trail.push(passed);
        }
    }
}

/// A session that is held.
pub(super) struct Held(Arc<SimDevice>);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.held.send_modify(|held| *held = held.saturating_sub(1));
    }
}

/// One of the device's session places, given back when dropped.
pub(super) struct SessionPlace {
    device: Arc<SimDevice>,
    boot: u64,
}

impl Drop for SessionPlace {
    fn drop(&mut self) {
        let mut inner = self.device.lock();
        // A reboot has emptied all places already.
        if inner.counters.boots == self.boot {
            inner.counters.sessions = inner.counters.sessions.saturating_sub(1);
        }
    }
}
