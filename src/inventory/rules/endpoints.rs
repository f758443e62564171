//! Endpoints: addresses, room on ports and devices, numbers.

use std::collections::BTreeMap;

use crate::domain::{EndpointId, MacAddr, Medium, PortBinding, SubscriberId};
use crate::inventory::decode::Shape as _;
use crate::inventory::findings::{Findings, Loc};
use crate::inventory::fleet::DeviceView;

use super::{
    DEVICE_FULL, DUPLICATE_ID, DUPLICATE_MAC, ENDPOINT_KEY, FOREIGN_MAC, GROUP_MAC, NULL_MAC, PORT_FULL,
    PORT_WITHOUT_ENDPOINT, TOO_MANY_SUBSCRIBERS, UNASSIGNED, repeated,
};

/// An address, where it stands, and whose it is: kind and key, and the device.
pub(super) type Mac<'f> = (MacAddr, Loc, (&'static str, &'f str, &'f str));

pub(super) fn check<'f>(device: &DeviceView<'f>, macs: &mut Vec<Mac<'f>>, findings: &mut Findings) {
    for endpoint in device.endpoints() {
        let mac = endpoint.mac.value;
        if mac.is_null() {
            findings
                .add(
                    &NULL_MAC,
                    endpoint.mac.at,
                    "an endpoint's MAC address cannot be all zeros".to_owned(),
                )
                .help("write the one on its label; leave `endpoint` out while there is none");
        } else if mac.is_group() {
            findings
                .add(
                    &GROUP_MAC,
                    endpoint.mac.at,
                    format!("{mac} is a group address, which no endpoint has"),
                )
                .help("compare it with the label; the second digit is even");
        } else {
            macs.push((
                mac,
                endpoint.mac.at,
                (endpoint.kind, endpoint.key, device.keyed.key.as_str()),
            ));
        }
        if !(mac.is_null() || mac.is_group() || mac.is_positron()) {
            findings
                .add(
                    &FOREIGN_MAC,
                    endpoint.mac.at,
                    format!("{mac} is not in the vendor's range 00:0e:d8"),
                )
                .help("compare it with the label; an endpoint with another address will not be found");
        }
    }
    bindings(device, findings);
    room(device, findings);
    subscribers(device, findings);
    numbers(device, findings);
}

/// Whether an address stands once in the whole fleet.
pub(super) fn check_macs(macs: Vec<Mac<'_>>, findings: &mut Findings) {
    let number = |mac: MacAddr| {
        mac.octets()
            .into_iter()
            .fold(0, |number, octet| number << 8 | u64::from(octet))
    };
    let mut numbers: Vec<u64> = macs.iter().map(|(mac, ..)| number(*mac)).collect();
    numbers.sort_unstable();
    if numbers.windows(2).all(|pair| pair[0] != pair[1]) {
        return;
    }
    for (first, again) in repeated(macs) {
        let (kind, key, device) = first.owner;
        findings
            .add(
                &DUPLICATE_MAC,
                again.at,
                format!("the {kind} `{key}` on the device `{device}` has this endpoint already"),
            )
            .related(first.at, "first here")
            .help("an endpoint is in one place; correct one of the two, or remove it");
    }
}

fn bindings(device: &DeviceView<'_>, findings: &mut Findings) {
    for (keyed, _) in device.spares() {
        // Spare endpoints are few: an index of the subscribers would cost more than it saves.
        let namesake = device
            .subscribers
            .iter()
            .find(|(subscriber, _)| subscriber.key == keyed.key);
        if let Some((subscriber, _)) = namesake {
            findings
                .add(
                    &ENDPOINT_KEY,
                    keyed.at,
                    format!("`{}` is also the key of a subscriber on this device", keyed.key),
                )
                .related(subscriber.at, "the subscriber, whose endpoint has this key already")
                .help("give the spare endpoint another key");
        }
    }
    for (keyed, raw) in &device.subscribers {
        match (&raw.endpoint, &raw.port) {
            (Some(endpoint), None) if !raw.says("port") => {
                findings
                    .add(
                        &UNASSIGNED,
                        endpoint.at,
                        format!(
                            "the endpoint of the subscriber `{}` is on no port, so it has no service",
                            keyed.key
                        ),
                    )
                    .help("add `port:` with a number, or `auto` for the first port where it is seen");
            }
            (Some(_), Some(port)) if port.value == PortBinding::Unassigned => {
                findings
                    .add(
                        &UNASSIGNED,
                        port.at,
                        format!(
                            "the endpoint of the subscriber `{}` is on no port, so it has no service",
                            keyed.key
                        ),
                    )
                    .help("write a number, or `auto` for the first port where it is seen");
            }
            (None, Some(port)) if !raw.says("endpoint") && !device.is_port_aware() => {
                findings
                    .add(
                        &PORT_WITHOUT_ENDPOINT,
                        port.at,
                        format!(
                            "the subscriber `{}` has a port and no endpoint, so it has no service",
                            keyed.key
                        ),
                    )
                    .help("add `endpoint:` with the MAC address, or remove `port`");
            }
            _ => {}
        }
    }
}

fn room(device: &DeviceView<'_>, findings: &mut Findings) {
    let Some(model) = device.model else {
        return;
    };
    if device.is_port_aware() {
        // No endpoint is to be there at all, which has its own finding.
        return;
    }
    let per_port = model.medium.endpoints_per_port();
    // Where the first one of each port stands, whose it is, and how many there are.
    let mut on_port = BTreeMap::new();
    let mut bound = 0;
    let mut all = 0;
    for endpoint in device.endpoints() {
        all += 1;
        let places = match endpoint.port.map(|port| (port.value, port.at)) {
            Some((PortBinding::Port(number), at)) if number.get() <= model.ports => {
                let (first_at, kind, key, count) =
                    on_port.entry(number).or_insert((at, endpoint.kind, endpoint.key, 0));
                *count += 1;
                if *count == per_port + 1 {
                    let message = match per_port {
                        1 => format!("port {number} has an endpoint already, that of the {kind} `{key}`"),
                        _ => format!("port {number} has {per_port} endpoints already"),
                    };
                    findings
                        .add(&PORT_FULL, at, message)
                        .related(*first_at, "first here")
                        .help(match model.medium {
                            Medium::Copper => "a copper port takes one endpoint; choose another port",
                            Medium::Coax => "a coax port takes 16 endpoints; choose another port",
                        });
                }
                1
            }
            Some((PortBinding::Auto, _)) => 1,
            _ => 0,
        };
        bound += places;
    }
    let places = usize::from(model.ports) * per_port;
    let most = usize::from(EndpointId::MAX);
    // Ports that are too full have said so themselves; this is about `auto`.
    let full_ports = on_port.values().any(|(.., count)| *count > per_port);
    if bound > places && !full_ports {
        findings
            .add(
                &DEVICE_FULL,
                device.keyed.at,
                format!(
                    "{bound} endpoints are to be on the device `{}`, which has room for {places}",
                    device.keyed.key
                ),
            )
            .help(format!("{model}: {} ports with {per_port} each", model.ports));
    }
    if all > most {
        findings
            .add(
                &DEVICE_FULL,
                device.keyed.at,
                format!(
                    "the device `{}` has {all} endpoints; it can know {most}",
                    device.keyed.key
                ),
            )
            .help("move some to another device");
    }
}

fn subscribers(device: &DeviceView<'_>, findings: &mut Findings) {
    let subscribers = device.subscribers.len();
    if subscribers > usize::from(SubscriberId::MAX) {
        findings
            .add(
                &TOO_MANY_SUBSCRIBERS,
                device.keyed.at,
                format!(
                    "the device `{}` has {subscribers} subscribers; it can know {}",
                    device.keyed.key,
                    SubscriberId::MAX
                ),
            )
            .help("move some to another device");
    }
}

fn numbers(device: &DeviceView<'_>, findings: &mut Findings) {
    let endpoints = device.endpoints().filter_map(|endpoint| {
        let id = endpoint.id?;
        Some((id.value.get(), id.at, (endpoint.kind, endpoint.key)))
    });
    pinned_once("endpoint", endpoints.collect(), findings);
    let subscribers = device.subscribers.iter().filter_map(|(keyed, raw)| {
        let id = raw.id.as_ref()?;
        Some((id.value.get(), id.at, ("subscriber", keyed.key.as_str())))
    });
    pinned_once("subscriber", subscribers.collect(), findings);
}

fn pinned_once(what: &str, ids: Vec<(u16, Loc, (&str, &str))>, findings: &mut Findings) {
    for (first, again) in repeated(ids) {
        let (kind, key) = first.owner;
        findings
            .add(
                &DUPLICATE_ID,
                again.at,
                format!("the {kind} `{key}` has this {what} number already"),
            )
            .related(first.at, "first here")
            .help("choose another, or remove `id` and let gamops choose");
    }
}
