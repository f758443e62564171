//! From readings and files to what `onboard` starts from.

use crate::device::Observation;
use crate::dialect::running::{management_address, parse, unreadable};
use crate::dialect::transcript::Transcript;
use crate::domain::{Firmware, Model};
use crate::inventory::model::{Device, Inventory, Transport};
use crate::observed::{Capabilities, Identity, RunningConfig};
use crate::onboard::Found;
use crate::plan::model::Unread;
use crate::reconcile::{Stranger, chain};
use std::sync::Arc;

use super::address::{Address, Capture};

/// Where a device would be if nobody said: a name that leads nowhere (RFC 2606).
const NOWHERE: &str = "invalid";

/// The device at an address, not met yet.
pub(super) fn stranger(address: &Address, credentials: &str, legacy_algorithms: bool) -> Stranger {
    let called = match (address.ssh_port, address.host.contains(':')) {
        (22, _) => address.host.clone(),
        (port, true) => format!("[{}]:{port}", address.host),
        (port, false) => format!("{}:{port}", address.host),
    };
    Stranger {
        called,
        address: address.host.clone(),
        transport: Transport {
            ssh_port: address.ssh_port,
            snmp_port: address.snmp_port,
            snmp: true,
            legacy_algorithms,
        },
        credentials: credentials.to_owned(),
    }
}

/// A device that was met, ready to be written down.
pub(super) fn met(
    key: Option<String>,
    stranger: &Stranger,
    observation: &Observation,
    model: Option<&'static Model>,
) -> Result<Found, Unread> {
    let identity = &observation.identity;
    Ok(Found {
        key,
        called: stranger.called.clone(),
        address: stranger.address.clone(),
        transport: stranger.transport.clone(),
        credentials: stranger.credentials.clone(),
        model: one_model(identity.model, model)?,
        unreadable: unreadable(&observation.running.managed),
        running: observation.running.clone(),
        capabilities: observation.capabilities.clone(),
        identity: Some(identity.clone()),
        doubts: Vec::new(),
    })
}

/// What a file says of a device.
pub(super) fn captured(
    capture: &Capture,
    text: &str,
    address: Option<&Address>,
    credentials: &str,
    model: Option<&'static Model>,
) -> Result<Found, Unread> {
    let transcript = Transcript::of(text);
    let unreadable_text = |reason: String| Unread {
        reason,
        help: Some("save the whole answer to `show running-config`, through its last line, `end`".to_owned()),
        lasting: true,
    };
    let running = parse(transcript.running).map_err(|error| unreadable_text(chain(&error)))?;
    let version = transcript.version().map_err(|error| unreadable_text(chain(&error)))?;
    let identity = version.map(|version| Identity {
        mac: version.mac,
        model: version.model,
        firmware: version.firmware,
        serial: None,
    });
    let model = one_model(identity.as_ref().and_then(|identity| identity.model), model)?;
    let called = capture.path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let called = called.unwrap_or_default();
    let mut doubts = Vec::new();
    let (host, ssh_port, snmp_port) = match address {
        Some(address) => (address.host.clone(), address.ssh_port, address.snmp_port),
        None => (guessed_address(&running, &called, &mut doubts), 22, 161),
    };
    Ok(Found {
        key: capture.key.clone(),
        called,
        address: host,
        transport: Transport {
            ssh_port,
            snmp_port,
            snmp: true,
            legacy_algorithms: false,
        },
        credentials: credentials.to_owned(),
        model,
        capabilities: capabilities(identity.as_ref(), &running),
        unreadable: unreadable(&running.managed),
        running: Arc::new(running),
        identity,
        doubts,
    })
}

/// The address that the configuration itself names, with the doubt that goes with it.
fn guessed_address(running: &RunningConfig, called: &str, doubts: &mut Vec<String>) -> String {
    if let Some(address) = management_address(running) {
        doubts.push("The address is the one in its configuration. Is it reached there?".to_owned());
        return address.to_string();
    }
    doubts.push("Its configuration names no address. Where is it reached?".to_owned());
    let good = |char: char| {
        if char.is_ascii_alphanumeric() {
            char.to_ascii_lowercase()
        } else {
            '-'
        }
    };
    let label: String = called.chars().map(good).take(60).collect();
    match label.trim_matches('-') {
        "" => NOWHERE.to_owned(),
        label => format!("{label}.{NOWHERE}"),
    }
}

/// Of a firmware that the file does not name nothing is known but what the configuration itself shows.
fn capabilities(identity: Option<&Identity>, running: &RunningConfig) -> Capabilities {
    let unknown = Firmware {
        family: String::new(),
        version: (0, 0, 0),
    };
    let firmware = identity.map_or(&unknown, |identity| &identity.firmware);
    Capabilities::of_firmware(firmware).having_seen(running)
}

/// The one model that the device says, the operator says, or both.
fn one_model(says: Option<&'static Model>, told: Option<&'static Model>) -> Result<&'static Model, Unread> {
    match (says, told) {
        (Some(says), Some(told)) if says != told => Err(Unread {
            reason: format!("the device is a {says}, and not a {told}"),
            help: Some("leave out `--model` where devices say their model themselves".to_owned()),
            lasting: true,
        }),
        (Some(model), _) | (None, Some(model)) => Ok(model),
        (None, None) => Err(Unread {
            reason: "which exact model it is was not said".to_owned(),
            help: Some(
                "name it with `--model`, such as `--model GAM-24-C`, in a run for devices of that model".to_owned(),
            ),
            lasting: true,
        }),
    }
}

/// The device of the inventory that a file is about, by the key that the operator said, else by its host name, which no two
/// devices of an inventory share.
pub(super) fn same_name(found: &Found, inventory: &Inventory) -> Option<String> {
    if let Some(key) = &found.key {
        return Some(key.clone()).filter(|key| inventory.devices.contains_key(key));
    }
    let name = found.running.managed.hostname.to_ascii_lowercase();
    let is_it = |device: &&Device| {
        device
            .hostname
            .as_ref()
            .is_some_and(|own| own.to_ascii_lowercase() == name)
    };
    inventory.devices.values().find(is_it).map(|device| device.key.clone())
}
