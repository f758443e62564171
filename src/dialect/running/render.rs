//! Writes a configuration in the device's own frame and printed order.

use std::fmt::Write as _;

use crate::domain::{PortBinding, PortMode, SubscriberModel};
use crate::observed::{DeviceConfig, RunningConfig};

/// The managed part as the device would print it: defaults left out, names quoted, lines end in `\n`.
///
/// [`super::parse`] reads the same configuration back, as long as names hold no quote, backslash or control
/// character and unknown words come from the parser.
#[must_use]
pub fn render(config: &DeviceConfig) -> String {
    let mut text = String::from("Building configuration...\n");
    for line in lines(config, &|name| format!("\"{name}\"")) {
        text.push_str(&line);
        text.push('\n');
    }
    text + "!\nend\n"
}

/// All that was configured as canonical text for comparing by eye: what gamops manages, then the other lines,
/// secrets masked. Endpoints that a port-aware device added by itself are left out.
#[must_use]
pub fn canonical(config: &RunningConfig) -> String {
    let managed = lines(&config.managed.settings(), &|name| format!("\"{name}\""));
    managed
        .iter()
        .chain(&config.other)
        .map(|line| format!("{line}\n"))
        .collect()
}

/// One line for each object, in the order ports, profiles, endpoints, subscribers, then by number.
///
/// Word order as seen on 1.5.4 (name, vid, endpoint, bw-profile, poe; description after the port), guessed
/// where nothing was seen.
pub(super) fn lines(config: &DeviceConfig, quote: &dyn Fn(&str) -> String) -> Vec<String> {
    let mut lines = Vec::new();
    if !config.hostname.is_empty() {
        lines.push(Line::new("hostname", quote).word(&config.hostname).0);
    }
    if config.subscriber_model == SubscriberModel::PortAware {
        lines.push("ghn subscriber-model port-aware".to_owned());
    }
    for (id, port) in &config.ports {
        let line = Line::new(&format!("ghn port {id}"), quote)
            .when(port.mode == PortMode::Siso, "mode siso")
            .text("name", &port.name)
            .when(port.shutdown, "shutdown");
        lines.push(line.unknown(&port.unknown).0);
    }
    for (id, profile) in &config.profiles {
        let line = Line::new(&format!("ghn bw-profile {id}"), quote)
            .text("name", &profile.name)
            .text("description", &profile.description)
            .value("rate-downstream", profile.down.map(|rate| rate.get()))
            .value("rate-upstream", profile.up.map(|rate| rate.get()))
            .value("service-limit-level", profile.service_limit_level);
        lines.push(line.unknown(&profile.unknown).0);
    }
    for (id, endpoint) in &config.endpoints {
        let assigned = (endpoint.port != PortBinding::Unassigned).then_some(endpoint.port);
        let line = Line::new(&format!("ghn endpoint {id}"), quote)
            .text("name", &endpoint.name)
            .value("mac-address", endpoint.mac)
            .value("port", assigned)
            .text("description", &endpoint.description)
            .when(endpoint.management_access, "allow-management-access");
        lines.push(line.unknown(&endpoint.unknown).0);
    }
    for (id, subscriber) in &config.subscribers {
        let vlan = (subscriber.vlan != crate::domain::VlanId::CAPTIVE_PORTAL).then_some(subscriber.vlan);
        let allowed = (!subscriber.allowed_vlans.is_empty()).then_some(&subscriber.allowed_vlans);
        let line = Line::new(&format!("ghn subscriber {id}"), quote)
            .text("name", &subscriber.name)
            .value("vid", vlan)
            .when(subscriber.tagged, "tagged")
            .value("remapped-vid", subscriber.remapped_vlan)
            .value("port", subscriber.port)
            .value("endpoint", subscriber.endpoint)
            .value("bw-profile", subscriber.profile)
            .value("allowed-vlan", allowed)
            .value("port2-vid", subscriber.port2_vlan)
            .when(subscriber.trunk, "trunk")
            .value("outer-vid", subscriber.double_tag.map(|tag| tag.outer_vlan))
            .value("nni", subscriber.double_tag.and_then(|tag| tag.uplink))
            .value("poe", subscriber.poe)
            .text("description", &subscriber.description);
        lines.push(line.unknown(&subscriber.unknown).0);
    }
    lines
}

/// A line being written.
struct Line<'a>(String, &'a dyn Fn(&str) -> String);

impl<'a> Line<'a> {
    fn new(head: &str, quote: &'a dyn Fn(&str) -> String) -> Self {
        Self(head.to_owned(), quote)
    }

    /// A bare word, quoted only if it must be.
    fn word(mut self, text: &str) -> Self {
        let plain = text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        let word = if plain { text.to_owned() } else { (self.1)(text) };
        self.push(&word);
        self
    }

    fn text(mut self, keyword: &str, text: &str) -> Self {
        if !text.is_empty() {
            self.push(keyword);
            let quoted = (self.1)(text);
            self.push(&quoted);
        }
        self
    }

    fn value(mut self, keyword: &str, value: Option<impl std::fmt::Display>) -> Self {
        if let Some(value) = value {
            // Writing to a String cannot fail.
            let _ = write!(self.0, " {keyword} {value}");
        }
        self
    }

    fn when(mut self, holds: bool, words: &str) -> Self {
        if holds {
            self.push(words);
        }
        self
    }

    fn unknown(mut self, words: &[String]) -> Self {
        for word in words {
            self.push(word);
        }
        self
    }

    fn push(&mut self, word: &str) {
        self.0.push(' ');
        self.0.push_str(word);
    }
}
