//! What the configuration commands do.

use crate::domain::{PoeMode, PortBinding, PortNumber, VlanId, VlanSet};
use crate::sim::commands::Act;
use crate::sim::config::{Config, EndpointEdit, Line, Notch, PortEdit, ProfileEdit, SubscriberEdit, User};
use crate::sim::grammar::{Match, ports};
use crate::sim::knobs::AssumedWords;
use crate::sim::refusal::Refusal;
use crate::sim::state::State;

use super::{Mode, Reply, Shell};

/// The numbers of a VLAN list that the grammar has already accepted.
pub(super) fn vlans(list: &str) -> Vec<u16> {
    list.parse::<VlanSet>()
        .map(|set| set.iter().map(VlanId::get).collect())
        .unwrap_or_default()
}

impl Shell {
    /// Runs a command of a configuration mode.
    pub(super) fn configure_with(&mut self, found: &Match<Act>, state: &mut State) -> Reply {
        match found.act {
            Act::Hostname => {
                found
                    .value("name")
                    .unwrap_or_default()
                    .clone_into(&mut state.running.hostname);
            }
            Act::NoHostname => state.running.hostname.clear(),
            Act::Username => set_user(found, &mut state.running),
            Act::NoUsername => {
                let name = found.value("user").unwrap_or_default();
                if state.running.users.remove(name).is_none() {
                    return Reply::error(format!("User {name} does not exist"));
                }
            }
            Act::Vlan => {
                let list = vlans(found.value("vlans").unwrap_or_default());
                state.running.vlans.extend(list.iter().copied());
                self.enter(Mode::Vlan, list.iter().map(|vlan| format!("vlan {vlan}")).collect());
            }
            Act::NoVlan => {
                for vlan in vlans(found.value("vlans").unwrap_or_default()) {
                    // VLAN 1 cannot be deleted.
                    if vlan != 1 {
                        state.running.vlans.remove(&vlan);
                        state.running.sections.remove(&format!("vlan {vlan}"));
                    }
                }
            }
            Act::Interface => return self.enter_interface(found, state),
            Act::InterfaceVlan => {
                let list = vlans(found.value("vlans").unwrap_or_default());
                let headings: Vec<String> = list.iter().map(|vlan| format!("interface vlan {vlan}")).collect();
                for heading in &headings {
                    state.running.sections.entry(heading.clone()).or_default();
                }
                self.enter(Mode::InterfaceVlan, headings);
            }
            Act::NoInterfaceVlan => {
                for vlan in vlans(found.value("vlans").unwrap_or_default()) {
                    state.running.sections.remove(&format!("interface vlan {vlan}"));
                }
            }
            Act::LineSection => self.enter(Mode::Line, vec![found.canonical(0)]),
            Act::SnmpHost => {
                let heading = found.canonical(0);
                state.running.sections.entry(heading.clone()).or_default();
                self.enter(Mode::SnmpHost, vec![heading]);
            }
            Act::NoSnmpHost => {
                state.running.sections.remove(&found.canonical(1));
            }
            Act::Set(words) => self.set(&key(found, 0, words), found.canonical(0), &mut state.running),
            Act::Unset => self.unset(&found.canonical(1), &mut state.running),
            Act::On(words) => self.unset(&key(found, 0, words), &mut state.running),
            Act::Off(words) => self.set(&key(found, 1, words), found.canonical(0), &mut state.running),
            Act::TrunkAllowed => self.trunk_allowed(found, &mut state.running),
            _ => {
                // A guessed word that is taken and ignored.
                let ignored = !self.loading && state.spec.knobs.assumed_words == AssumedWords::Ignored;
                return match ghn(found, state, ignored) {
                    Ok(()) => Reply::nothing(),
                    Err(refusal) => Reply::error(refusal),
                };
            }
        }
        Reply::nothing()
    }

    fn enter(&mut self, mode: Mode, targets: Vec<String>) {
        self.mode = mode;
        self.targets = targets;
    }

    fn enter_interface(&mut self, found: &Match<Act>, state: &State) -> Reply {
        let model = state.spec.model;
        let (kind, count) = if found.has("G.hn") {
            ("G.hn", model.ports)
        } else if found.has("10GigabitEthernet") {
            ("10GigabitEthernet", model.uplinks)
        } else {
            ("GigabitEthernet", 1)
        };
        let list = ports(found.value("ports").unwrap_or_default()).unwrap_or_default();
        if list.iter().any(|port| *port > count) {
            return Reply::error("Invalid port list");
        }
        self.enter(
            Mode::Interface,
            list.iter().map(|port| format!("interface {kind} 1/{port}")).collect(),
        );
        Reply::nothing()
    }

    /// Keeps a line, globally or in the sections at hand. The device computes the VLANs of its G.hn ports
    /// itself: what is written there is taken and has no effect.
    fn set(&self, key: &str, line: String, config: &mut Config) {
        if line.starts_with("ghn vectorboost") {
            config.vectorboost.set(key, line);
        } else if self.targets.is_empty() {
            config.settings.set(key, line);
        } else {
            for target in self.targets.iter().filter(|target| !target.contains("G.hn")) {
                config
                    .sections
                    .entry(target.clone())
                    .or_default()
                    .set(key, line.clone());
            }
        }
    }

    fn unset(&self, key: &str, config: &mut Config) {
        if self.targets.is_empty() {
            config.vectorboost.unset(key);
            config.settings.unset(key);
        } else {
            for target in &self.targets {
                if let Some(section) = config.sections.get_mut(target) {
                    section.unset(key);
                }
            }
        }
    }

    fn trunk_allowed(&self, found: &Match<Act>, config: &mut Config) {
        const KEY: &str = "switchport trunk allowed vlan";
        let given: Vec<u16> = vlans(found.value("vlans").unwrap_or_default());
        for target in self.targets.iter().filter(|target| !target.contains("G.hn")) {
            let section = config.sections.entry(target.clone()).or_default();
            let held = section.get(KEY).and_then(|line| line.strip_prefix(KEY)).map(str::trim);
            let mut list: Vec<u16> = match held {
                Some("none") => Vec::new(),
                Some("all") | None => (1..=4094).collect(),
                Some(list) => vlans(list),
            };
            if found.has("all") {
                list = (1..=4094).collect();
            } else if found.has("none") {
                list.clear();
            } else if found.has("add") {
                list.extend(&given);
            } else if found.has("remove") {
                list.retain(|vlan| !given.contains(vlan));
            } else if found.has("except") {
                list = (1..=4094).filter(|vlan| !given.contains(vlan)).collect();
            } else {
                list.clone_from(&given);
            }
            let set: VlanSet = list
                .into_iter()
                .filter_map(|vlan| VlanId::try_from(vlan).ok())
                .collect();
            let text = match set.len() {
                0 => "none".to_owned(),
                4094 => "all".to_owned(),
                _ => set.to_string(),
            };
            section.set(KEY, format!("{KEY} {text}"));
        }
    }
}

/// The words under which a line is kept.
fn key(found: &Match<Act>, from: usize, words: usize) -> String {
    let words = Match {
        act: found.act,
        arguments: found.arguments.iter().skip(from).take(words).cloned().collect(),
    };
    words.canonical(0)
}

fn set_user(found: &Match<Act>, config: &mut Config) {
    let name = found.value("user").unwrap_or_default();
    let hash = match (found.value("hash"), found.value("rest")) {
        (Some(hash), _) => Some(hash.to_owned()),
        (_, Some(password)) => {
            let password = password
                .strip_prefix('"')
                .and_then(|inner| inner.strip_suffix('"'))
                .unwrap_or(password);
            (!password.is_empty()).then(|| User::hash(name, password))
        }
        _ => None,
    };
    let privilege = found.number("privilege").unwrap_or(0);
    config.users.insert(name.to_owned(), User { privilege, hash });
}

fn text(found: &Match<Act>, label: &str) -> Option<String> {
    found.value(label).map(str::to_owned)
}

/// `<keyword> { none | <value> }`: `none` is a keyword of several options, so it is looked for right after
/// its own.
fn vlan_or_none(found: &Match<Act>, keyword: &str) -> Option<Line> {
    let at = found
        .arguments
        .iter()
        .position(|argument| !argument.value && &*argument.label == keyword)?;
    found
        .arguments
        .get(at + 1)
        .map(|argument| argument.text.parse::<u16>().ok())
}

fn ghn(found: &Match<Act>, state: &mut State, ignored: bool) -> Result<(), Refusal> {
    let id: u16 = found.number("id").unwrap_or(0);
    let (spec, config) = (&state.spec, &mut state.running);
    match found.act {
        Act::GhnPort => config.set_port(
            spec,
            id,
            PortEdit {
                siso: found.has("mode").then(|| found.has("siso")),
                name: text(found, "name"),
                shutdown: found.has("shutdown").then_some(true),
            },
        ),
        Act::NoGhnPort if found.has("shutdown") => config.set_port(
            spec,
            id,
            PortEdit {
                shutdown: Some(false),
                ..PortEdit::default()
            },
        ),
        Act::NoGhnPort => config.reset_port(spec, id),
        Act::GhnProfile => config.set_profile(
            spec,
            id,
            ProfileEdit {
                name: text(found, "name"),
                description: text(found, "description"),
                down: found.number("down"),
                up: found.number("up"),
                service_limit_level: found.number("level"),
            },
        ),
        Act::NoGhnProfile => config.delete_profile(spec.knobs.in_use, id),
        Act::GhnEndpoint => {
            let port = match found.number::<u64>("port") {
                Some(port) => Some(PortBinding::Port(
                    PortNumber::try_from(port).map_err(|_| Refusal::INVALID_PORT)?,
                )),
                None if found.has("unassigned") => Some(PortBinding::Unassigned),
                None if found.has("auto") => Some(PortBinding::Auto),
                None => None,
            };
            let edit = EndpointEdit {
                name: text(found, "name"),
                mac: found.value("mac").and_then(|mac| mac.parse().ok()),
                description: text(found, "description"),
                port,
                management_access: found.has("allow-management-access").then_some(true),
            };
            config.set_endpoint(spec, id, edit)
        }
        Act::NoGhnEndpoint => match (found.has("port"), found.has("allow-management-access")) {
            (false, false) => config.delete_endpoint(spec.knobs.in_use, id),
            _ if !config.endpoints.contains_key(&id) => Err(Refusal::NO_SUCH_ENDPOINT),
            (port, management) => config.set_endpoint(
                spec,
                id,
                EndpointEdit {
                    port: port.then_some(PortBinding::Unassigned),
                    management_access: management.then_some(false),
                    ..EndpointEdit::default()
                },
            ),
        },
        Act::SubscriberModel if ignored => Ok(()),
        Act::SubscriberModel => config.set_model(spec, &state.plugged, found.has("port-aware")),
        Act::GhnSubscriber => {
            let edit = subscriber_edit(found);
            config.set_subscriber(spec, id, if ignored { edit.without_assumed() } else { edit })
        }
        Act::NoGhnSubscriber => match taken_back(found) {
            None => config.delete_subscriber(id),
            Some(_) if !config.subscribers.contains_key(&id) => Err(Refusal::NO_SUCH_SUBSCRIBER),
            Some(edit) => config.set_subscriber(spec, id, if ignored { edit.without_assumed() } else { edit }),
        },
        Act::Cdta => cdta(found, config),
        Act::GhnNotch if found.has("remove") => config.delete_notch(id),
        Act::GhnNotch => {
            let value = |label| text(found, label).unwrap_or_default();
            let notch = Notch {
                start: value("start"),
                stop: value("stop"),
                depth: value("depth"),
            };
            config.set_notch(spec, id, notch)
        }
        Act::NoGhnNotch => config.delete_notch(id),
        // Every other act was taken care of before this one is asked.
        _ => Ok(()),
    }
}

/// What a `no ghn subscriber` line sets back; `None` when it deletes.
fn taken_back(found: &Match<Act>) -> Option<SubscriberEdit> {
    let mut edit = SubscriberEdit::default();
    match &*found.arguments.get(4)?.label {
        "endpoint" => edit.endpoint = Some(None),
        "port" => edit.port = Some(None),
        "trunk" => edit.trunk = Some(false),
        "outer-vid" => edit.outer_vid = Some(None),
        _ => edit.nni = Some(None),
    }
    Some(edit)
}

fn subscriber_edit(found: &Match<Act>) -> SubscriberEdit {
    let allowed = match found.value("allowed") {
        Some(list) => list.parse().ok(),
        None => found.has("allowed-vlan").then(VlanSet::default),
    };
    SubscriberEdit {
        name: text(found, "name"),
        description: text(found, "description"),
        endpoint: found.number("endpoint").map(Some),
        vid: found.number("vid"),
        tagged: (found.has("tagged") || found.has("untagged")).then(|| found.has("tagged")),
        remapped_vid: vlan_or_none(found, "remapped-vid"),
        profile: found.has("bw-profile").then(|| found.number("profile")),
        allowed,
        port2_vid: vlan_or_none(found, "port2-vid"),
        poe: if found.has("disable") {
            Some(PoeMode::Disable)
        } else if found.has("enable") {
            Some(PoeMode::Enable)
        } else {
            found.has("force").then_some(PoeMode::Force)
        },
        port: found.has("port").then(|| found.number("service-port")),
        trunk: found.has("trunk").then_some(true),
        outer_vid: vlan_or_none(found, "outer-vid"),
        nni: found.has("nni").then(|| found.number("nni")),
        future_word: text(found, "future"),
    }
}

/// `ghn vectorboost engine cdta ...`: each value is kept and printed on a line of its own.
fn cdta(found: &Match<Act>, config: &mut Config) -> Result<(), Refusal> {
    const HEAD: &str = "ghn vectorboost engine cdta";
    let least = found.number::<u8>("min-down-up-rate");
    let most = found.number::<u8>("max-down-up-rate");
    if least.zip(most).is_some_and(|(least, most)| least > most) {
        return Err(Refusal::VECTORBOOST);
    }
    for argument in found.arguments.iter().skip(4) {
        if argument.value {
            let key = format!("{HEAD} {}", argument.label);
            config.vectorboost.set(&key, format!("{key} {}", argument.text));
        } else if matches!(&*argument.label, "enable" | "disable") {
            config
                .vectorboost
                .set(&format!("{HEAD} state"), format!("{HEAD} {}", argument.text));
        }
    }
    Ok(())
}
