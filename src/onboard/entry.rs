//! One object of a device as an entry of the inventory, in the order of keys that `inventory-example` has.

use crate::domain::{PoeMode, PortBinding, PortMode, VlanId, VlanSet};
use crate::inventory::{Headroom, quoted, quoted_key};
use crate::observed::{Endpoint, Port, Subscriber};

use super::draft::Field;
use super::plans::{PlanDraft, Shared};
use super::rates::words;

/// A line of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// How far it stands in, in steps, counted from the entry's key.
    pub depth: usize,
    /// The text, without its line end.
    pub text: String,
    /// The setting that the line is about and that can be left out; `None` where the entry cannot do without it.
    pub field: Option<Field>,
}

impl Line {
    fn new(depth: usize, text: String) -> Self {
        Self {
            depth,
            text,
            field: None,
        }
    }

    fn about(field: Field, depth: usize, text: String) -> Self {
        Self {
            field: Some(field),
            ..Self::new(depth, text)
        }
    }
}

/// A subscriber, and the words of the inventory for what it refers to.
#[derive(Debug, Clone, Copy)]
pub struct SubscriberEntry<'a> {
    /// Its key.
    pub key: &'a str,
    /// Key of its device.
    pub device: &'a str,
    /// Key of its plan, or `unthrottled`.
    pub plan: &'a str,
    /// What the device holds.
    pub held: &'a Subscriber,
    /// The endpoint that serves it; `None` on a port-aware device, and where nothing does.
    pub endpoint: Option<&'a Endpoint>,
}

/// The entry of a subscriber, its key first. `is_left` tells which settings are left to the device.
#[must_use]
pub fn subscriber(entry: &SubscriberEntry<'_>, is_left: &dyn Fn(Field) -> bool) -> Vec<Line> {
    let held = entry.held;
    let mut lines = vec![Line::new(0, format!("{}:", quoted_key(entry.key)))];
    let mut say = |text: String| lines.push(Line::new(1, text));
    if held.name != entry.key {
        say(format!("name: {}", quoted(&held.name, false)));
    }
    say(format!("device: {}", quoted(entry.device, false)));
    if let Some(endpoint) = entry.endpoint {
        lines.extend(endpoint_lines(endpoint, is_left));
    }
    let mut say = |text: String| lines.push(Line::new(1, text));
    let binding = match (held.port, entry.endpoint) {
        (Some(port), _) => PortBinding::Port(port),
        (None, Some(endpoint)) => endpoint.port,
        (None, None) => PortBinding::Unassigned,
    };
    if binding != PortBinding::Unassigned {
        say(format!("port: {binding}"));
    }
    say(format!("plan: {}", quoted(entry.plan, false)));
    // The captive portal has no number in an inventory: who is in it has no VLAN.
    if held.vlan != VlanId::CAPTIVE_PORTAL {
        say(format!("vlan: {}", held.vlan));
    }
    if held.tagged {
        say("tagged: true".to_owned());
    }
    if let Some(vlan) = held.remapped_vlan {
        say(format!("remapped_vlan: {vlan}"));
    }
    if !held.allowed_vlans.is_empty() {
        say(format!("allowed_vlans: {}", vlan_list(&held.allowed_vlans)));
    }
    if let Some(vlan) = held.port2_vlan {
        say(format!("port2_vlan: {vlan}"));
    }
    if held.trunk {
        say("trunk: true".to_owned());
    }
    if let Some(tag) = held.double_tag {
        let uplink = tag
            .uplink
            .map(|uplink| format!(", uplink: {uplink}"))
            .unwrap_or_default();
        say(format!("double_tag: {{outer_vlan: {}{uplink}}}", tag.outer_vlan));
    }
    // `enable` is what a device does unless told otherwise (web form), and nothing that anybody decided.
    if let Some(mode @ (PoeMode::Disable | PoeMode::Force)) = held.poe {
        say(format!("poe: {mode}"));
    }
    lines.extend(text(Field::Description, 1, "description", &held.description, is_left));
    lines
}

/// `endpoint:` of a subscriber: the address alone, or a map where there is more to say.
fn endpoint_lines(endpoint: &Endpoint, is_left: &dyn Fn(Field) -> bool) -> Vec<Line> {
    let mac = mac(endpoint);
    let more = more(endpoint, 2, (Field::EndpointName, Field::EndpointDescription), is_left);
    if more.is_empty() {
        return vec![Line::new(1, format!("endpoint: {mac}"))];
    }
    let head = [
        Line::new(1, "endpoint:".to_owned()),
        Line::new(2, format!("mac: {mac}")),
    ];
    head.into_iter().chain(more).collect()
}

/// The entry of an endpoint that serves nobody, its key first.
#[must_use]
pub fn spare_endpoint(key: &str, endpoint: &Endpoint, is_left: &dyn Fn(Field) -> bool) -> Vec<Line> {
    let mut lines = vec![
        Line::new(0, format!("{}:", quoted_key(key))),
        Line::new(1, format!("mac: {}", mac(endpoint))),
    ];
    if endpoint.port != PortBinding::Unassigned {
        lines.push(Line::new(1, format!("port: {}", endpoint.port)));
    }
    lines.extend(more(endpoint, 1, (Field::Name, Field::Description), is_left));
    lines
}

/// The entry of a port, without its key. Empty for a port of defaults only.
pub(super) fn port(port: &Port, is_left: &dyn Fn(Field) -> bool) -> Vec<Line> {
    let mut lines: Vec<Line> = text(Field::Name, 1, "name", &port.name, is_left).into_iter().collect();
    if port.mode == PortMode::Siso {
        lines.push(Line::new(1, "mode: siso".to_owned()));
    }
    if port.shutdown {
        lines.push(Line::new(1, "shutdown: true".to_owned()));
    }
    lines
}

/// The entry of a plan, its key first. `usual` is the headroom of plans that do not say one.
pub(super) fn plan(plan: &PlanDraft, usual: Headroom, is_left: &dyn Fn(Field) -> bool) -> Vec<Line> {
    let mut lines = vec![Line::new(0, format!("{}:", quoted_key(&plan.key)))];
    let mut say = |text: String| lines.push(Line::new(1, text));
    if plan.name != plan.key {
        say(format!("name: {}", quoted(&plan.name, false)));
    }
    if plan.sold.down == plan.sold.up {
        say(format!("rate: {}", words(plan.sold.down)));
    } else {
        say(format!("down: {}", words(plan.sold.down)));
        say(format!("up: {}", words(plan.sold.up)));
    }
    if plan.sold.headroom != usual {
        say(format!("headroom: {}", plan.sold.headroom));
    }
    if let Shared::Same(description) = &plan.description {
        lines.extend(text(Field::Description, 1, "description", description, is_left));
    }
    if let Shared::Same(level) = plan.level {
        lines.push(Line::new(1, format!("service_limit_level: {level}")));
    }
    lines
}

fn mac(endpoint: &Endpoint) -> String {
    let mac = endpoint.mac.map(|mac| mac.to_string()).unwrap_or_default();
    quoted(&mac, false).into_owned()
}

/// What an endpoint has beside address and port.
fn more(
    endpoint: &Endpoint,
    depth: usize,
    (name, description): (Field, Field),
    is_left: &dyn Fn(Field) -> bool,
) -> Vec<Line> {
    let mut lines = Vec::new();
    // The name that a device makes of the address is the one that it has unless somebody says otherwise.
    let is_default = endpoint
        .mac
        .is_some_and(|mac| mac.default_endpoint_name() == endpoint.name);
    if !is_default {
        lines.extend(text(name, depth, "name", &endpoint.name, is_left));
    }
    lines.extend(text(description, depth, "description", &endpoint.description, is_left));
    if endpoint.management_access {
        lines.push(Line::new(depth, "management_access: true".to_owned()));
    }
    lines
}

/// A text that is written where there is one and it is not left to the device.
pub(super) fn text(
    field: Field,
    depth: usize,
    key: &str,
    value: &str,
    is_left: &dyn Fn(Field) -> bool,
) -> Option<Line> {
    let is_written = !value.is_empty() && !is_left(field);
    is_written.then(|| Line::about(field, depth, format!("{key}: {}", quoted(value, false))))
}

/// `[400, "2000-2003"]`.
fn vlan_list(vlans: &VlanSet) -> String {
    let list = vlans.to_string();
    let item = |part: &str| match part.contains('-') {
        true => format!("\"{part}\""),
        false => part.to_owned(),
    };
    let items: Vec<String> = list.split(',').map(item).collect();
    format!("[{}]", items.join(", "))
}
