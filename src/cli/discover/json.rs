//! What was found, as JSON for programs; `docs/care.md` describes the keys.

use serde_json::{Value, json};

use crate::reconcile::discover::{By, Gam, Place};

use super::Answer;

/// Version of the shape: a new major where a key goes away or means something else.
const FORMAT_VERSION: &str = "1.0";

pub(super) fn json(answer: &Answer) -> anyhow::Result<String> {
    let found = &answer.found;
    let gams = found.gams.iter().enumerate().map(|(index, one)| {
        let place = answer.places.as_ref().and_then(|places| places.get(index));
        gam(one, place)
    });
    let ssh_only = found
        .ssh_only
        .iter()
        .map(|one| json!({ "address": one.address, "ssh_port": one.ssh_port, "software": one.software }));
    let value = json!({
        "format_version": FORMAT_VERSION,
        "asked": found.asked,
        "gams": gams.collect::<Vec<Value>>(),
        "ssh_only": ssh_only.collect::<Vec<Value>>(),
        "others": found.others,
        "silent": found.silent,
        "no_way": found.no_way,
    });
    Ok(serde_json::to_string_pretty(&value)? + "\n")
}

fn gam(gam: &Gam, place: Option<&Place>) -> Value {
    let identity = &gam.answered.identity;
    json!({
        "address": gam.address,
        "snmp_port": gam.snmp_port,
        "snmp_version": gam.answered.version.to_string(),
        "credentials": gam.answered.credentials,
        "model": identity.model.map(|model| model.name),
        "product": identity.product,
        "firmware": identity.firmware,
        "name": identity.sys_name,
        "operating_mode": identity.operating_mode(),
        "mac": identity.mac,
        "serial": identity.serial,
        "inventory": place.and_then(where_it_is),
    })
}

/// `null`: it is not in the inventory, or there is none.
fn where_it_is(place: &Place) -> Option<Value> {
    match place {
        Place::Known { key, by, elsewhere } => Some(json!({
            "device": key,
            "by": match by {
                By::Mac => "mac",
                By::Address => "address",
            },
            "address": elsewhere,
            "pinned_mac": null,
        })),
        Place::Replaced { key, pinned } => Some(json!({
            "device": key,
            "by": "address",
            "address": null,
            "pinned_mac": pinned,
        })),
        Place::Unknown => None,
    }
}
