//! Port-aware devices: subscribers are tied to ports, and endpoints are the device's own business.

use crate::domain::{Medium, PortBinding};
use crate::inventory::findings::Findings;
use crate::inventory::fleet::{DeviceView, listed};

use super::{PORT_AWARE_ENDPOINT, PORT_AWARE_ON_COAX, PORT_AWARE_PORT, PORT_TAKEN, repeated};

pub(super) fn check(device: &DeviceView<'_>, findings: &mut Findings) {
    if device.is_port_aware() {
        on_coax(device, findings);
        endpoints(device, findings);
        ports(device, findings);
    }
}

fn on_coax(device: &DeviceView<'_>, findings: &mut Findings) {
    if let (Some(model), Some(product)) = (&device.raw.subscriber_model, device.model)
        && product.medium == Medium::Coax
    {
        findings
            .add(
                &PORT_AWARE_ON_COAX,
                model.at,
                format!("{product} has coax ports, where subscribers are tied to endpoints"),
            )
            .help("remove the line; `port-aware` is for telephone pairs");
    }
}

fn endpoints(device: &DeviceView<'_>, findings: &mut Findings) {
    let key = &device.keyed.key;
    for (keyed, raw) in &device.subscribers {
        if let Some(endpoint) = &raw.endpoint {
            findings
                .add(
                    &PORT_AWARE_ENDPOINT,
                    endpoint.at,
                    format!(
                        "the subscriber `{}` names an endpoint, and the device `{key}` is port-aware",
                        keyed.key
                    ),
                )
                .help("remove `endpoint`: whichever endpoint appears on the port gets the service");
        }
    }
    for spare in listed(&device.raw.endpoints) {
        findings
            .add(
                &PORT_AWARE_ENDPOINT,
                spare.at,
                format!("the device `{key}` is port-aware, so it adds endpoints by itself"),
            )
            .help("remove the spare endpoint, or leave it to a device that is endpoint-aware");
    }
}

fn ports(device: &DeviceView<'_>, findings: &mut Findings) {
    let mut taken = Vec::new();
    for (keyed, raw) in &device.subscribers {
        match raw.port.as_ref().map(|port| (port.value, port.at)) {
            Some((PortBinding::Auto, at)) => {
                findings
                    .add(
                        &PORT_AWARE_PORT,
                        at,
                        format!("the subscriber `{}` needs the number of its port", keyed.key),
                    )
                    .help("on a port-aware device the port decides who is served, so it cannot be left to chance");
            }
            Some((PortBinding::Port(number), at)) => taken.push((number, at, keyed.key.as_str())),
            // Known to the device and served by nothing yet: in order before it is plugged in.
            Some((PortBinding::Unassigned, _)) | None => {}
        }
    }
    for (first, again) in repeated(taken) {
        findings
            .add(
                &PORT_TAKEN,
                again.at,
                format!("the subscriber `{}` has this port already", first.owner),
            )
            .related(first.at, "first here")
            .help("a port of a port-aware device serves one subscriber; choose another port");
    }
}
