//! Devices: how they are reached, their ports and uplinks, and what this version does not do yet.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::domain::{Medium, PortBinding};
use crate::inventory::decode::{Shape as _, Spanned, port_number};
use crate::inventory::findings::{Findings, Loc};
use crate::inventory::fleet::{DeviceView, Fleet, listed};
use crate::inventory::raw::RawTransport;

use super::{
    DUPLICATE_ADDRESS, DUPLICATE_HOSTNAME, MODE_ON_COAX, NO_CREDENTIALS, NO_SUCH_PORT, NO_SUCH_UPLINK, NOT_SUPPORTED,
    SHUTDOWN_IN_USE, repeated,
};

pub(super) fn check(fleet: &Fleet<'_>, devices: &[DeviceView<'_>], findings: &mut Findings) {
    let fleet_transport = fleet.defaults.transport.as_ref();
    jump_host(fleet_transport, findings);
    let mut ssh = Vec::new();
    let mut snmp = Vec::new();
    let mut hostnames = Vec::new();
    for device in devices {
        let key = &device.keyed.key;
        if !device.raw.says("credentials") && !fleet.defaults.says("credentials") && fleet.root.is_some() {
            findings
                .add(&NO_CREDENTIALS, device.keyed.at, format!("the device `{key}` has no credentials"))
                .help("add `credentials: NAME` here or under `defaults` in gamops.yaml; `factory` is admin without a password");
        }
        if let Some(name) = &device.raw.hostname {
            hostnames.push((name.value.0.to_ascii_lowercase(), name.at, key.as_str()));
        }
        if let Some(reached) = Reached::new(device, fleet_transport) {
            ssh.push((
                (reached.host.clone(), reached.ssh_port),
                reached.at,
                (key.as_str(), reached.ssh_port),
            ));
            snmp.extend(
                reached
                    .snmp_port
                    .map(|port| ((reached.host, port), reached.at, (key.as_str(), port))),
            );
        }
        jump_host(device.raw.transport.as_ref(), findings);
    }
    for (first, again) in repeated(hostnames) {
        findings
            .add(
                &DUPLICATE_HOSTNAME,
                again.at,
                format!("the device `{}` has this host name already", first.owner),
            )
            .related(first.at, "first here")
            .help("it is in every option 82 circuit id, so it has to tell devices apart");
    }
    let mut told = BTreeSet::new();
    for (service, reached) in [("SSH", ssh), ("SNMP", snmp)] {
        for (first, again) in repeated(reached) {
            let (other, port) = first.owner;
            // Two devices at one address share both ports, which is one mistake.
            if told.insert(again.at) {
                findings
                    .add(
                        &DUPLICATE_ADDRESS,
                        again.at,
                        format!("the device `{other}` is reached here already ({service}, port {port})"),
                    )
                    .related(first.at, "first here")
                    .help("correct the address, or tell the two apart with `transport`");
            }
        }
    }
}

/// What a device's ports and uplinks are used for.
pub(super) fn check_ports(device: &DeviceView<'_>, findings: &mut Findings) {
    uplinks(device, findings);
    ports(device, findings);
}

/// Where a device is reached, defaults worked in.
struct Reached {
    host: String,
    at: Loc,
    ssh_port: u16,
    /// `None`: not asked over SNMP.
    snmp_port: Option<u16>,
}

impl Reached {
    fn new(device: &DeviceView<'_>, defaults: Option<&Spanned<RawTransport>>) -> Option<Self> {
        let address = device.raw.address.as_ref()?;
        let layers = || {
            [device.raw.transport.as_ref(), defaults]
                .into_iter()
                .flatten()
                .map(|layer| &layer.value)
        };
        let snmp_port = layers()
            .find_map(|layer| layer.snmp_port.as_ref())
            .map_or(161, |port| port.value.0);
        let with_snmp = layers()
            .find_map(|layer| layer.snmp.as_ref())
            .is_none_or(|flag| flag.value.0);
        Some(Self {
            // One address has several spellings in IPv6.
            host: (address.value.0.parse::<IpAddr>())
                .map_or_else(|_| address.value.0.to_ascii_lowercase(), |ip| ip.to_string()),
            at: address.at,
            ssh_port: layers()
                .find_map(|layer| layer.ssh_port.as_ref())
                .map_or(22, |port| port.value.0),
            snmp_port: with_snmp.then_some(snmp_port),
        })
    }
}

fn jump_host(transport: Option<&Spanned<RawTransport>>, findings: &mut Findings) {
    if let Some(host) = transport.and_then(|transport| transport.value.jump_host.as_ref()) {
        findings
            .add(
                &NOT_SUPPORTED,
                host.at,
                "`jump_host` is not supported by this version".to_owned(),
            )
            .help("the device would be reached directly; remove the line, or run gamops where it has a route");
    }
}

fn uplinks(device: &DeviceView<'_>, findings: &mut Findings) {
    let Some(model) = device.model else {
        return;
    };
    for (_, subscriber) in &device.subscribers {
        let tag = subscriber.double_tag.as_ref();
        if let Some(uplink) = tag.and_then(|tag| tag.value.uplink.as_ref())
            && uplink.value.get() > model.uplinks
        {
            findings
                .add(
                    &NO_SUCH_UPLINK,
                    uplink.at,
                    format!("the device `{}` has no uplink {}", device.keyed.key, uplink.value),
                )
                .help(match model.uplinks {
                    1 => format!("{model} has one; remove the line to use the device's default"),
                    count => format!("{model} has uplinks 1 to {count}"),
                });
        }
    }
}

fn ports(device: &DeviceView<'_>, findings: &mut Findings) {
    let Some(model) = device.model else {
        return;
    };
    let range = || match model.medium {
        Medium::Coax => format!("{model} has coax ports 1 to {}", model.ports),
        Medium::Copper => format!("{model} has copper ports 1 to {}", model.ports),
    };
    let mut missing = |number: u16, at: Loc| {
        if number > model.ports {
            findings
                .add(
                    &NO_SUCH_PORT,
                    at,
                    format!("the device `{}` has no port {number}", device.keyed.key),
                )
                .help(range());
        }
    };
    for port in listed(&device.raw.ports) {
        if let Some(number) = port_number(&port.key) {
            missing(number.get(), port.at);
        }
    }
    let endpoints = device.endpoints().filter_map(|endpoint| endpoint.port);
    // Without an endpoint a port means something only where subscribers are tied to ports.
    let subscribers = (device.subscribers.iter())
        .filter(|(_, raw)| raw.endpoint.is_none() && device.is_port_aware())
        .filter_map(|(_, raw)| raw.port.as_ref());
    for port in endpoints.chain(subscribers) {
        if let PortBinding::Port(number) = port.value {
            missing(number.get(), port.at);
        }
    }
    for port in listed(&device.raw.ports) {
        let Some(raw) = &port.value else {
            continue;
        };
        if let (Medium::Coax, Some(mode)) = (model.medium, &raw.mode) {
            findings
                .add(
                    &MODE_ON_COAX,
                    mode.at,
                    format!("{model} has coax ports, which have no mode to choose"),
                )
                .help("remove the line; `mimo` and `siso` are for telephone pairs");
        }
        if let Some(shutdown) = raw.shutdown.as_ref().filter(|shutdown| shutdown.value.0) {
            let number = port_number(&port.key);
            let mut there = device.subscribers.iter().filter(|(_, subscriber)| {
                subscriber.port.as_ref().is_some_and(|binding| match binding.value {
                    PortBinding::Port(bound) => Some(bound) == number,
                    _ => false,
                })
            });
            if let Some((first, _)) = there.next() {
                findings
                    .add(
                        &SHUTDOWN_IN_USE,
                        shutdown.at,
                        format!(
                            "port {} is shut down with the subscriber `{}` on it",
                            port.key, first.key
                        ),
                    )
                    .related(first.at, "on this port")
                    .help(
                        "a shutdown stops the alarms and not the traffic; to suspend somebody write `state: suspended`",
                    );
            }
        }
    }
}
