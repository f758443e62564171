//! Devices as a page shows them, each with its ports and the endpoints that serve nobody.

use crate::domain::SubscriberModel;
use crate::inventory::model::Transport;
use crate::inventory::{quoted, quoted_key};
use crate::observed::ObjectId;

use super::draft::{DeviceDraft, Draft, Field, Item};
use super::entry;
use super::page::Page;
use super::root::common_credentials;
use super::sections::{left_fields, unknown_words};

/// Writes devices with their ports and spare endpoints. `in_existing`: the defaults of the inventory are not known here.
pub(super) fn write_devices(page: &mut Page, draft: &Draft<'_>, devices: &[usize], in_existing: bool) {
    page.gap();
    page.line(0, "devices:");
    for (number, place) in devices.iter().enumerate() {
        let Some(device) = draft.devices.get(*place) else {
            continue;
        };
        if number > 0 {
            page.gap();
        }
        let item = Item::Device(*place);
        for doubt in &device.found.doubts {
            page.question(1, doubt);
        }
        left_fields(page, draft, item);
        page.of(item, 1, &format!("{}:", quoted_key(&device.key)));
        if let Some(site) = &device.site {
            page.of(item, 2, &format!("site: {}", quoted(site, false)));
        }
        page.of(item, 2, &format!("model: {}", device.found.model));
        page.of(item, 2, &format!("address: {}", quoted(&device.found.address, false)));
        if let Some(transport) = transport(&device.found.transport, device.defaults.as_ref()) {
            page.of(item, 2, &format!("transport: {{{transport}}}"));
        }
        if in_existing || device.found.credentials != common_credentials(draft) {
            page.of(
                item,
                2,
                &format!("credentials: {}", quoted(&device.found.credentials, false)),
            );
        }
        let is_left = |field| draft.is_left(item, field).is_some();
        let hostname = entry::text(Field::Hostname, 1, "hostname", &device.config.hostname, &is_left);
        page.entry(item, 1, hostname.as_slice());
        page.of(item, 2, "mode: observe");
        if device.config.subscriber_model != SubscriberModel::EndpointAware {
            page.of(
                item,
                2,
                &format!("subscriber_model: {}", device.config.subscriber_model),
            );
        }
        write_ports(page, draft, *place, device);
        write_spares(page, draft, *place, device);
    }
}

/// How a device is reached, as far as it is not as usual. `defaults` are those of the inventory, where they turned out to be
/// others.
fn transport(transport: &Transport, defaults: Option<&Transport>) -> Option<String> {
    let usual = Transport {
        ssh_port: 22,
        snmp_port: 161,
        snmp: true,
        legacy_algorithms: false,
    };
    let differs = |part: fn(&Transport) -> u16| {
        let own = part(transport);
        own != part(&usual) || defaults.is_some_and(|defaults| own != part(defaults))
    };
    let mut parts = Vec::new();
    if differs(|transport| transport.ssh_port) {
        parts.push(format!("ssh_port: {}", transport.ssh_port));
    }
    if differs(|transport| transport.snmp_port) {
        parts.push(format!("snmp_port: {}", transport.snmp_port));
    }
    if differs(|transport| transport.snmp.into()) {
        parts.push(format!("snmp: {}", transport.snmp));
    }
    if differs(|transport| transport.legacy_algorithms.into()) {
        parts.push(format!("legacy_algorithms: {}", transport.legacy_algorithms));
    }
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn write_ports(page: &mut Page, draft: &Draft<'_>, place: usize, device: &DeviceDraft<'_>) {
    let mut is_headed = false;
    for (number, port) in &device.config.ports {
        let item = Item::Object(place, ObjectId::Port(*number));
        if draft.is_out(item) {
            continue;
        }
        let is_left = |field| draft.is_left(item, field).is_some();
        let lines = entry::port(port, &is_left);
        if lines.is_empty() {
            continue;
        }
        if !is_headed {
            page.line(2, "ports:");
            is_headed = true;
        }
        left_fields(page, draft, item);
        match lines.as_slice() {
            [one] => {
                let text = match one.field {
                    Some(_) => format!("name: {}", quoted(&port.name, true)),
                    None => one.text.clone(),
                };
                let text = format!("{number}: {{{text}}}");
                page.entry(
                    item,
                    3,
                    &[entry::Line {
                        depth: 0,
                        text,
                        field: one.field,
                    }],
                );
            }
            _ => {
                page.of(item, 3, &format!("{number}:"));
                page.entry(item, 3, &lines);
            }
        }
    }
}

fn write_spares(page: &mut Page, draft: &Draft<'_>, place: usize, device: &DeviceDraft<'_>) {
    let mut is_headed = false;
    for (id, key) in &device.spares {
        let item = Item::Object(place, ObjectId::Endpoint(*id));
        let Some(endpoint) = device.config.endpoints.get(id).filter(|_| !draft.is_out(item)) else {
            continue;
        };
        if !is_headed {
            page.line(2, "endpoints:");
            is_headed = true;
        }
        unknown_words(page, 3, &endpoint.unknown);
        left_fields(page, draft, item);
        let is_left = |field| draft.is_left(item, field).is_some();
        page.entry(item, 3, &entry::spare_endpoint(key, endpoint, &is_left));
    }
}
