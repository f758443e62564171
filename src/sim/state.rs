//! All that one device is, as plain values: running configuration, flash, what is plugged in.
//!
//! No clock: callers say how long the device has been up. No sockets.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::{MacAddr, PortNumber};

use super::commands::Grammars;
use super::config::Config;
use super::shell::Shell;
use super::spec::DeviceSpec;

/// The file that is loaded at boot.
pub(super) const STARTUP: &str = "startup-config";

/// A file in flash.
#[derive(Clone)]
pub(super) struct File {
    /// Command lines.
    pub(super) text: String,
    /// Uptime when it was written: the clock of a device without NTP starts at 1970.
    pub(super) written: Duration,
}

/// A line of a configuration text that the device did not take.
#[derive(Debug)]
pub(super) struct RejectedLine {
    /// The line.
    pub(super) line: String,
    /// The answer to it.
    pub(super) reply: String,
}

/// One device.
pub(super) struct State {
    pub(super) spec: DeviceSpec,
    pub(super) grammars: Arc<Grammars>,
    pub(super) running: Config,
    pub(super) flash: BTreeMap<String, File>,
    pub(super) plugged: BTreeMap<MacAddr, u16>,
    /// A file operation is going on: only one at a time on the whole device.
    pub(super) copying: bool,
}

impl State {
    /// A device with this startup configuration in flash, not booted yet.
    pub(super) fn new(spec: DeviceSpec, startup: Option<String>) -> Self {
        let mut flash = BTreeMap::new();
        if let Some(text) = startup {
            let written = Duration::ZERO;
            flash.insert(STARTUP.to_owned(), File { text, written });
        }
        let plugged = spec.plugged.iter().map(|(mac, port)| (*mac, port.get())).collect();
        Self {
            grammars: Arc::new(Grammars::new(&spec)),
            running: Config::factory(&spec),
            flash,
            plugged,
            copying: false,
            spec,
        }
    }

    /// Loads the startup configuration, else the factory state. Everything unsaved is gone. Returns the lines
    /// that the device did not take.
    pub(super) fn boot(&mut self) -> Vec<RejectedLine> {
        self.copying = false;
        self.running = Config::factory(&self.spec);
        let rejected = match self.flash.get(STARTUP) {
            Some(file) => {
                let text = file.text.clone();
                // A text that the device wrote is whole and ends so; a fragment is loaded on top of the factory state.
                if text.trim_end().ends_with("\nend") {
                    self.running.empty();
                }
                self.load(&text)
            }
            None => {
                self.running.hostname.clone_from(&self.spec.hostname);
                Vec::new()
            }
        };
        self.settle();
        rejected
    }

    /// Runs the lines of a configuration text.
    pub(super) fn load(&mut self, text: &str) -> Vec<RejectedLine> {
        let mut shell = Shell::for_loading();
        let mut rejected = Vec::new();
        for line in text.lines() {
            let trimmed = line.trim();
            if trimmed.is_empty() || trimmed == "end" || trimmed.starts_with("Building configuration") {
                continue;
            }
            let reply = shell.execute(line, self, Duration::ZERO).output;
            if !reply.is_empty() {
                rejected.push(RejectedLine {
                    line: trimmed.to_owned(),
                    reply,
                });
            }
        }
        rejected
    }

    /// Does what the device does by itself after a change: endpoints on `auto` find their port.
    pub(super) fn settle(&mut self) {
        self.running
            .bind_auto(&self.plugged, self.spec.model.medium.endpoints_per_port());
    }

    /// Connects an endpoint to a port.
    pub(super) fn plug(&mut self, mac: MacAddr, port: PortNumber) {
        self.plugged.insert(mac, port.get());
        self.settle();
    }

    /// Disconnects an endpoint.
    pub(super) fn unplug(&mut self, mac: MacAddr) {
        self.plugged.remove(&mac);
    }

    /// The running configuration as `show running-config` prints it.
    pub(super) fn running_text(&self) -> String {
        self.running.print(&self.spec, false)
    }

    /// The running configuration as it is written to flash: without the line that only the screen gets.
    pub(super) fn saved_text(&self) -> String {
        let text = self.running_text();
        text.split_once('\n').map(|(_, rest)| rest.to_owned()).unwrap_or(text)
    }

    /// Throws away what was configured and saved. The next boot is the factory state.
    pub(super) fn forget_startup(&mut self) {
        self.flash.remove(STARTUP);
    }

    /// Whether this user with this password may come in, and with which privilege.
    pub(super) fn login(&self, user: &str, password: &str) -> Option<u8> {
        let held = self.running.users.get(user)?;
        let allowed = match &held.hash {
            None => password.is_empty(),
            Some(hash) => *hash == super::config::User::hash(user, password),
        };
        allowed.then_some(held.privilege)
    }
}
