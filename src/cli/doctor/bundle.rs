//! An archive for a bug report: what was found, and what devices said, with nothing in it that strangers must not read.

use std::path::Path;

use anyhow::Context as _;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::dialect::redact::MASK;
use crate::domain::SnmpValue;
use crate::inventory::model::Inventory;
use crate::reconcile::Examined;
use crate::transport::credentials::Keyring;

use super::super::file;
use super::json;

/// Version of the archive's layout: a new major where a file goes away or means something else.
const FORMAT_VERSION: &str = "1.0";

/// The folder that everything is in.
const FOLDER: &str = "gamops-report";

/// What somebody reads who opens it.
const README: &str = include_str!("bundle.txt");

/// A text shorter than this is not looked for: it would be found everywhere. What holds secrets of any length is masked where
/// the device's text is read.
const SHORTEST: usize = 4;

/// Texts that must not be in a report of these devices, wherever they might have come from: user names, passwords,
/// communities and addresses.
pub(super) fn secrets(examined: &[Examined], inventory: &Inventory, keyring: &Keyring) -> Vec<String> {
    let mut secrets = Vec::new();
    for one in examined {
        if let Some(device) = inventory.devices.get(&one.facts.device) {
            secrets.push(device.address.clone());
        }
        if let Ok(credentials) = keyring.credentials(&one.facts.credentials) {
            secrets.push(credentials.username.clone());
            secrets.push(credentials.password.expose().to_owned());
            secrets.push(credentials.community.expose().to_owned());
        }
        if let crate::checkup::Path::Open { at, .. } = &one.facts.path {
            secrets.push(at.clone());
        }
    }
    secrets.retain(|secret| secret.len() >= SHORTEST);
    // One may be part of another: the longer first.
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    secrets.dedup();
    secrets
}

/// Writes the archive to a file of its own, readable by its owner only, whole or not at all.
pub(super) fn write(path: &Path, examined: &[Examined], secrets: &[String], anonymous: bool) -> anyhow::Result<()> {
    let files = files(examined, secrets, anonymous)?;
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    let mut pack = || -> std::io::Result<()> {
        for (name, bytes) in &files {
            let mut header = tar::Header::new_ustar();
            header.set_size(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
            header.set_mode(0o600);
            archive.append_data(&mut header, format!("{FOLDER}/{name}"), bytes.as_slice())?;
        }
        Ok(())
    };
    let written = pack()
        .and_then(|()| archive.into_inner()?.finish())
        .and_then(|packed| file::create(path, &packed));
    written.with_context(|| format!("writing the report {}", path.display()))
}

/// The files of the archive, in the order in which they are in it.
fn files(examined: &[Examined], secrets: &[String], anonymous: bool) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let about = json!({
        "format_version": FORMAT_VERSION,
        "gamops": env!("CARGO_PKG_VERSION"),
        "names": if anonymous { "numbers" } else { "kept" },
    });
    let mut files = vec![
        ("README.txt".to_owned(), README.as_bytes().to_vec()),
        ("about.json".to_owned(), pretty(&about)?),
    ];
    for one in examined {
        let device = &one.facts.device;
        let evidence = &one.evidence;
        let mut add = |name: &str, bytes: Vec<u8>| files.push((format!("{device}/{name}"), without(bytes, secrets)));
        add("checks.json", pretty(&json::device(one))?);
        add(
            "capabilities.json",
            pretty(&serde_json::to_value(&evidence.capabilities)?)?,
        );
        let asked = evidence.snmp.iter().map(|(version, values)| {
            json!({
                "version": version.to_string(),
                "values": values.iter().map(|(oid, value)| object(oid, value)).collect::<Vec<Value>>(),
            })
        });
        add("snmp.json", pretty(&asked.collect())?);
        let mut index = Vec::new();
        for (number, heard) in evidence.heard.iter().enumerate() {
            let name = format!("{number:02}-{}.bytes", file_name(heard.command.as_deref()));
            index.push(json!({ "file": name, "command": heard.command, "prompt": heard.prompt }));
            add(&format!("session/{name}"), heard.bytes.clone());
        }
        add("session/index.json", pretty(&index.into())?);
    }
    Ok(files)
}

fn pretty(value: &Value) -> anyhow::Result<Vec<u8>> {
    Ok((serde_json::to_string_pretty(value)? + "\n").into_bytes())
}

/// `show-running-config`; `greeting` before the first command.
fn file_name(command: Option<&str>) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    command.unwrap_or("greeting").chars().map(letter).collect()
}

/// An SNMP value: text where it is one, so that it can be read, else its bytes.
fn object(oid: &[u64], value: &SnmpValue) -> Value {
    let name: Vec<String> = oid.iter().map(ToString::to_string).collect();
    let (kind, value): (&str, Value) = match value {
        SnmpValue::Integer(number) => ("integer", (*number).into()),
        SnmpValue::Unsigned(number) => ("unsigned", (*number).into()),
        SnmpValue::Ticks(ticks) => ("ticks", (*ticks).into()),
        SnmpValue::Oid(oid) => ("oid", oid.clone().into()),
        SnmpValue::Absent => ("absent", Value::Null),
        SnmpValue::Bytes(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) if !text.contains(char::is_control) => ("text", text.into()),
            _ => ("bytes", bytes.clone().into()),
        },
    };
    json!({ "oid": name.join("."), "type": kind, "value": value })
}

/// The last net: the texts that must not be in it are looked for in every file.
fn without(bytes: Vec<u8>, secrets: &[String]) -> Vec<u8> {
    secrets.iter().fold(bytes, |bytes, secret| {
        let mut out = Vec::with_capacity(bytes.len());
        let mut rest = bytes.as_slice();
        while let Some(first) = rest.first() {
            match rest.strip_prefix(secret.as_bytes()) {
                Some(behind) => {
                    out.extend_from_slice(MASK.as_bytes());
                    rest = behind;
                }
                None => {
                    out.push(*first);
                    rest = rest.get(1..).unwrap_or_default();
                }
            }
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_must_not_be_in_it_is_nowhere_and_the_longer_goes_first() {
        let secrets = ["hunter22".to_owned(), "hunt".to_owned()];
        let masked = without(b"a hunter22 hunts \xff hunter2".to_vec(), &secrets);
        assert_eq!(masked, b"a *** ***s \xff ***er2");
    }

    #[test]
    fn text_stays_text_and_other_bytes_stay_bytes() {
        let of = |bytes: &[u8]| object(&[1, 3], &SnmpValue::Bytes(bytes.to_vec()));
        assert_eq!(
            of(b"gam-maple"),
            json!({ "oid": "1.3", "type": "text", "value": "gam-maple" })
        );
        assert_eq!(
            of(&[0, 14, 216]),
            json!({ "oid": "1.3", "type": "bytes", "value": [0, 14, 216] })
        );
    }
}
