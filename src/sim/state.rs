//! All that one device is, as plain values: running configuration, flash, what is plugged in.
//!
//! No clock: callers say how long the device has been up. No sockets.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::{MacAddr, PortNumber};

use super::alarm::Alarms;
use super::commands::Grammars;
use super::config::Config;
use super::endpoint::{EndpointModel, Plug};
use super::line::{Meter, Traffic};
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

/// The serial numbers by which SNMP tells a re-created object from the one before. Renumbered at every start.
#[derive(Debug, Default)]
pub(super) struct Uids {
    last: u32,
    pub(super) profiles: BTreeMap<u16, u32>,
    pub(super) subscribers: BTreeMap<u16, u32>,
}

impl Uids {
    fn follow(&mut self, config: &Config) {
        let Self {
            last,
            profiles,
            subscribers,
        } = self;
        let mut fresh = || {
            *last += 1;
            *last
        };
        profiles.retain(|id, _| config.profiles.contains_key(id));
        for id in config.profiles.keys() {
            profiles.entry(*id).or_insert_with(&mut fresh);
        }
        subscribers.retain(|id, _| config.subscribers.contains_key(id));
        for id in config.subscribers.keys() {
            subscribers.entry(*id).or_insert_with(&mut fresh);
        }
    }
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
    pub(super) plugged: BTreeMap<MacAddr, Plug>,
    /// Endpoints that restart, and the device's uptime at which each is back.
    restarting: BTreeMap<MacAddr, (Plug, Duration)>,
    pub(super) alarms: Alarms,
    pub(super) uids: Uids,
    meters: BTreeMap<u16, Meter>,
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
        let model = EndpointModel::usual(spec.model.medium);
        let plug = |port: &PortNumber| Plug {
            port: port.get(),
            since: Duration::ZERO,
            counted_since: Duration::ZERO,
            model,
        };
        let plugged = spec.plugged.iter().map(|(mac, port)| (*mac, plug(port))).collect();
        Self {
            grammars: Arc::new(Grammars::new(&spec)),
            running: Config::factory(&spec),
            flash,
            plugged,
            restarting: BTreeMap::new(),
            alarms: Alarms::default(),
            uids: Uids::default(),
            meters: BTreeMap::new(),
            copying: false,
            spec,
        }
    }

    /// Loads the startup configuration, else the default one. Everything unsaved is gone. Returns the lines that
    /// the device did not take.
    pub(super) fn boot(&mut self) -> Vec<RejectedLine> {
        self.copying = false;
        self.running = Config::factory(&self.spec);
        self.alarms = Alarms::default();
        self.uids = Uids::default();
        self.meters.clear();
        let restarting = std::mem::take(&mut self.restarting);
        self.plugged
            .extend(restarting.into_iter().map(|(mac, (plug, _))| (mac, plug)));
        for plug in self.plugged.values_mut() {
            plug.since = Duration::ZERO;
            plug.counted_since = Duration::ZERO;
        }
        let text = match self.flash.get(STARTUP) {
            Some(file) => file.text.clone(),
            None => self.default_text(),
        };
        // A text that the device wrote is whole and ends so; a fragment is loaded on top of the factory state.
        if text.trim_end().ends_with("\nend") {
            self.running.empty();
        }
        let rejected = self.load(&text);
        self.settle(Duration::ZERO);
        rejected
    }

    /// The text of the read-only `flash:default-config`.
    pub(super) fn default_text(&self) -> String {
        Config::default_text(&self.spec)
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

    /// Does what the device does by itself after a change: endpoints find their port, alarms come and go.
    pub(super) fn settle(&mut self, uptime: Duration) {
        self.running.settle(&self.spec, &self.plugged);
        self.uids.follow(&self.running);
        self.alarms.update(&self.running, &self.plugged, uptime);
        for port in 1..=self.spec.model.ports {
            let endpoints = self.plugged.values().filter(|plug| plug.port == port).count();
            self.meters.entry(port).or_default().now_has(endpoints, uptime);
        }
    }

    /// Connects an endpoint to a port, or moves it there; a pair of wires has one end, so on copper it takes the
    /// place of another. Of the usual model unless one is given.
    pub(super) fn plug(&mut self, mac: MacAddr, port: PortNumber, model: Option<EndpointModel>, uptime: Duration) {
        let plug = Plug {
            port: port.get(),
            since: uptime,
            counted_since: uptime,
            model: model.unwrap_or_else(|| EndpointModel::usual(self.spec.model.medium)),
        };
        if self.spec.model.medium.endpoints_per_port() == 1 {
            self.plugged.retain(|_, other| other.port != plug.port);
        }
        self.restarting.remove(&mac);
        self.plugged.insert(mac, plug);
        self.settle(uptime);
    }

    /// Disconnects an endpoint.
    pub(super) fn unplug(&mut self, mac: MacAddr, uptime: Duration) {
        self.plugged.remove(&mac);
        self.restarting.remove(&mac);
        self.settle(uptime);
    }

    /// Restarts an endpoint: it is gone now, and back where it was after [`super::Knobs::endpoint_down_time`].
    pub(super) fn restart_endpoint(&mut self, mac: MacAddr, uptime: Duration) {
        if let Some(plug) = self.plugged.remove(&mac) {
            let back = uptime + self.spec.knobs.endpoint_down_time;
            self.restarting.insert(mac, (plug, back));
            self.settle(uptime);
        }
    }

    /// Brings back the endpoints whose restart is over by now. Whoever looks at the device does this first.
    pub(super) fn catch_up(&mut self, uptime: Duration) {
        let is_back = |(_, back): &(Plug, Duration)| *back <= uptime;
        let over: Vec<MacAddr> = (self.restarting.iter())
            .filter(|(_, restarting)| is_back(restarting))
            .map(|(mac, _)| *mac)
            .collect();
        for mac in &over {
            if let Some((plug, back)) = self.restarting.remove(mac) {
                let (since, counted_since) = (back, back);
                self.plugged.insert(
                    *mac,
                    Plug {
                        since,
                        counted_since,
                        ..plug
                    },
                );
            }
        }
        if !over.is_empty() {
            self.settle(uptime);
        }
    }

    /// The counters of a G.hn port.
    pub(super) fn port_traffic(&self, port: u16, uptime: Duration) -> Traffic {
        self.meters.get(&port).copied().unwrap_or_default().read(uptime)
    }

    /// Sets the counters of a G.hn port back to zero.
    pub(super) fn clear_port(&mut self, port: u16, uptime: Duration) {
        self.meters.entry(port).or_default().clear(uptime);
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
