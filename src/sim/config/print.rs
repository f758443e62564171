//! `show running-config`: the frame of the family with the G.hn lines in the order seen on hardware, which is
//! not the order in which commands take their words.

use std::fmt::Write as _;

use crate::domain::{Medium, PoeMode, PortBinding, VlanId, VlanSet};
use crate::sim::spec::DeviceSpec;

use super::{Config, has_poe, has_port_aware};

/// The first line. The guide's sample prints it without dots; the family prints three.
const HEADER: &str = "Building configuration...";

impl Config {
    /// The whole text, lines ended by `\n`.
    pub(in crate::sim) fn print(&self, spec: &DeviceSpec, all_defaults: bool) -> String {
        let mut blocks = self.global_blocks(all_defaults);
        for (heading, lines) in self.sections.iter().filter(|(heading, _)| is_before_ports(heading)) {
            blocks.push(section(heading, lines.lines()));
        }
        for port in 1..=spec.model.ports {
            let lines = self.switchport_lines(port);
            blocks.push(section(
                &format!("interface G.hn 1/{port}"),
                lines.iter().map(String::as_str),
            ));
        }
        for (heading, lines) in self.sections.iter().filter(|(heading, _)| !is_before_ports(heading)) {
            blocks.push(section(heading, lines.lines()));
        }
        blocks.push(self.ghn_lines(spec, all_defaults));
        format!("{HEADER}\n{}", framed(&blocks))
    }

    /// Only what was set: no computed sections and no empty ones, and no line that only the screen gets.
    pub(super) fn print_set(&self, spec: &DeviceSpec) -> String {
        let mut blocks = self.global_blocks(false);
        for (heading, lines) in &self.sections {
            if lines.lines().next().is_some() {
                blocks.push(section(heading, lines.lines()));
            }
        }
        blocks.push(self.ghn_lines(spec, false));
        framed(&blocks)
    }

    /// Host name, users, VLANs, and the lines of other modules.
    fn global_blocks(&self, all_defaults: bool) -> Vec<Vec<String>> {
        let mut blocks: Vec<Vec<String>> = Vec::new();
        let mut head = Vec::new();
        if !self.hostname.is_empty() || all_defaults {
            head.push(format!("hostname {}", self.hostname).trim_end().to_owned());
        }
        for (name, user) in &self.users {
            let password = match &user.hash {
                Some(hash) => format!("encrypted {hash}"),
                None => "none".to_owned(),
            };
            head.push(format!(
                "username {name} privilege {} password {password}",
                user.privilege
            ));
        }
        blocks.push(head);
        let vlans: VlanSet = self
            .vlans
            .iter()
            .filter_map(|vlan| VlanId::try_from(*vlan).ok())
            .collect();
        blocks.push(vec![format!("vlan {vlans}")]);
        blocks.push(self.settings.lines().map(str::to_owned).collect());
        blocks
    }

    /// Only the sections whose heading is asked for.
    pub(in crate::sim) fn print_sections(&self, spec: &DeviceSpec, wanted: &[String]) -> String {
        let mut text = format!("{HEADER}\n");
        let mut inside = false;
        for line in self.print(spec, false).lines() {
            if !line.starts_with(' ') {
                inside = wanted.iter().any(|heading| heading == line);
            }
            if inside {
                let _ = writeln!(text, "{line}");
                continue;
            }
        }
        text.push_str("!\nend\n");
        text
    }

    /// The VLAN lists of a G.hn port, which the device computes from the subscribers behind it.
    fn switchport_lines(&self, port: u16) -> Vec<String> {
        let vlans: VlanSet = self
            .port_vlans(port)
            .into_iter()
            .filter_map(|vlan| VlanId::try_from(vlan).ok())
            .collect();
        vec![
            "switchport trunk native vlan 4095".to_owned(),
            format!("switchport trunk allowed vlan {vlans}"),
            "switchport mode trunk".to_owned(),
        ]
    }

    fn ghn_lines(&self, spec: &DeviceSpec, all_defaults: bool) -> Vec<String> {
        let mut lines = Vec::new();
        // Where the device prints its subscriber model, if at all, is assumed.
        if self.port_aware != (spec.knobs.port_aware && has_port_aware(spec)) || self.port_aware {
            let model = if self.port_aware {
                "port-aware"
            } else {
                "endpoint-aware"
            };
            lines.push(format!("ghn subscriber-model {model}"));
        }
        for id in 1..=spec.model.ports {
            let port = self.ports.get(&id);
            if port.is_none() && !all_defaults {
                continue;
            }
            let port = port.cloned().unwrap_or_default();
            let mut line = format!("ghn port {id}");
            match (port.siso, spec.model.medium) {
                (true, _) => line.push_str(" mode siso"),
                (false, Medium::Copper) if all_defaults => line.push_str(" mode mimo"),
                (false, _) => {}
            }
            quoted(&mut line, "name", &port.name);
            flag(&mut line, "shutdown", port.shutdown);
            lines.push(line);
        }
        for (id, profile) in &self.profiles {
            if *id == 1 && !spec.knobs.print_default_profile && !all_defaults {
                continue;
            }
            let mut line = format!("ghn bw-profile {id}");
            quoted(&mut line, "name", &profile.name);
            quoted(&mut line, "description", &profile.description);
            let _ = write!(line, " rate-downstream {} rate-upstream {}", profile.down, profile.up);
            if let Some(level) = profile.service_limit_level {
                let _ = write!(line, " service-limit-level {level}");
            }
            lines.push(line);
        }
        for (id, endpoint) in &self.endpoints {
            let mut line = format!("ghn endpoint {id}");
            quoted(&mut line, "name", &endpoint.name);
            let _ = write!(line, " mac-address {}", endpoint.mac);
            if endpoint.port != PortBinding::Unassigned || spec.knobs.print_unassigned_port || all_defaults {
                let _ = write!(line, " port {}", endpoint.port);
            }
            quoted(&mut line, "description", &endpoint.description);
            flag(&mut line, "allow-management-access", endpoint.management_access);
            lines.push(line);
        }
        for (id, subscriber) in &self.subscribers {
            let mut line = format!("ghn subscriber {id}");
            quoted(&mut line, "name", &subscriber.name);
            let _ = write!(line, " vid {}", subscriber.vid);
            flag(&mut line, "tagged", subscriber.tagged);
            flag(&mut line, "untagged", !subscriber.tagged && all_defaults);
            optional(&mut line, "remapped-vid", subscriber.remapped_vid, all_defaults);
            if let Some(port) = subscriber.port {
                let _ = write!(line, " port {port}");
            }
            let learned = self
                .serving(*id)
                .filter(|_| self.port_aware && spec.knobs.print_learned_endpoint);
            if let Some(endpoint) = subscriber.endpoint.or(learned) {
                let _ = write!(line, " endpoint {endpoint}");
            }
            if spec.knobs.print_bw_profile || all_defaults || subscriber.profile != spec.knobs.default_profile {
                match subscriber.profile {
                    Some(profile) => {
                        let _ = write!(line, " bw-profile {profile}");
                    }
                    None => line.push_str(" bw-profile unthrottled"),
                }
            }
            if !subscriber.allowed.is_empty() {
                let _ = write!(line, " allowed-vlan {}", subscriber.allowed);
            } else if all_defaults {
                line.push_str(" allowed-vlan none");
            }
            optional(&mut line, "port2-vid", subscriber.port2_vid, all_defaults);
            flag(&mut line, "trunk", subscriber.trunk);
            optional(&mut line, "outer-vid", subscriber.outer_vid, false);
            optional(&mut line, "nni", subscriber.nni, false);
            let poe_differs = subscriber.poe != spec.knobs.default_poe;
            if has_poe(spec) && (spec.knobs.print_poe || all_defaults || poe_differs) {
                let word = match subscriber.poe {
                    PoeMode::Disable => "disable",
                    PoeMode::Enable => "enable",
                    PoeMode::Force => "force",
                };
                let _ = write!(line, " poe {word}");
            }
            quoted(&mut line, "description", &subscriber.description);
            if let Some(value) = &subscriber.future_word {
                let _ = write!(line, " future-word {value}");
            }
            lines.push(line);
        }
        lines.extend(self.vectorboost.lines().map(str::to_owned));
        for (id, notch) in &self.notches {
            lines.push(format!(
                "ghn notch {id} startfreq {} stopfreq {} depth {}",
                notch.start, notch.stop, notch.depth
            ));
        }
        lines
    }
}

fn framed(blocks: &[Vec<String>]) -> String {
    let mut text = String::new();
    for block in blocks.iter().filter(|block| !block.is_empty()) {
        for line in block {
            text.push_str(line);
            text.push('\n');
        }
        text.push_str("!\n");
    }
    text.push_str("end\n");
    text
}

/// The management port comes before the G.hn ports, all other sections after them.
fn is_before_ports(heading: &str) -> bool {
    heading.starts_with("interface GigabitEthernet") || heading.starts_with("vlan ")
}

fn section<'a>(heading: &str, lines: impl Iterator<Item = &'a str>) -> Vec<String> {
    std::iter::once(heading.to_owned())
        .chain(lines.map(|line| format!(" {line}")))
        .collect()
}

fn quoted(line: &mut String, keyword: &str, text: &str) {
    if !text.is_empty() {
        let _ = write!(line, " {keyword} \"{text}\"");
    }
}

fn flag(line: &mut String, keyword: &str, set: bool) {
    if set {
        let _ = write!(line, " {keyword}");
    }
}

fn optional(line: &mut String, keyword: &str, value: Option<u16>, all_defaults: bool) {
    match value {
        Some(value) => {
            let _ = write!(line, " {keyword} {value}");
        }
        None if all_defaults => {
            let _ = write!(line, " {keyword} none");
        }
        None => {}
    }
}
