//! What can be in force of an inventory some of whose files are broken: the other buildings get what was merged for them.
//!
//! A broken file counts as it last was, and every device that it is about is left alone, so that nothing is sent that
//! nobody reviewed together. Whatever would be missing by that is left alone as well: it may have gone into the broken file.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Finding, Place, Report, Severity, SourceFile};

use super::decode::Shape as _;
use super::decoded::{Cache, Decoded};
use super::load_cached;
use super::model::{Device, Inventory, Subscriber};
use super::raw::RawFile;
use super::root::{self, ROOT_FILE, folder};
use super::since::gone;

/// What is in force of an inventory that is not valid as a whole.
#[derive(Debug)]
pub struct Partial {
    /// What is asked of the fleet, with the broken files as they were.
    pub inventory: Inventory,
    /// The texts that it was read from.
    pub files: Vec<SourceFile>,
    /// The broken files.
    pub stale: Stale,
}

/// Files that count as they last were, and the devices that are left alone because of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Stale {
    /// By path below the folder of the root file: the text that counts, or none for a file that was not there before.
    pub texts: BTreeMap<String, Option<String>>,
    /// The devices that nothing is to be done to, by key, with the reason in words.
    pub held: BTreeMap<String, String>,
}

impl Stale {
    /// The texts of an inventory with these files as they were.
    #[must_use]
    pub fn over(&self, files: &[SourceFile]) -> Vec<SourceFile> {
        let below = below(files);
        let mut texts: Vec<SourceFile> = (files.iter())
            .filter(|file| !self.texts.contains_key(relative(&file.path, below)))
            .cloned()
            .collect();
        texts.extend(self.texts.iter().filter_map(|(path, text)| {
            Some(SourceFile {
                path: format!("{below}{path}"),
                text: text.clone()?,
            })
        }));
        texts
    }
}

/// What can be in force of `files`, which `report` has errors about, where `before` was in force until now, read from
/// `texts`. `None`: nothing can, and what was in force stays so. That is so where
///
/// - a finding is about a file that says more than sites, devices and subscribers: it holds for others too;
/// - the rest is not valid without the broken files, or lacks a device that was there;
/// - no device would be left that something may be done to.
#[must_use]
pub fn partial(
    files: &[SourceFile],
    report: &Report,
    before: &Inventory,
    texts: &[SourceFile],
    cache: &mut Cache,
) -> Option<Partial> {
    let (now, then) = (by_path(files), by_path(texts));
    let mut stale = Stale::default();
    let mut report = report.clone();
    let (inventory, files) = loop {
        for path in broken(&report, below(files), &now, &then, &stale)? {
            let text = then.get(path.as_str()).map(|text| (*text).to_owned());
            stale.texts.insert(path, text);
        }
        let texts = stale.over(files);
        let loaded = load_cached(&texts, cache);
        match loaded.inventory {
            Some(inventory) => break (inventory, texts),
            None => report = loaded.report,
        }
    };
    if !gone(before, &inventory).is_empty() {
        return None;
    }
    stale.held = held(&stale, before, &inventory);
    let is_left = |device: &String| !stale.held.contains_key(device);
    inventory.devices.keys().any(is_left).then_some(Partial {
        inventory,
        files,
        stale,
    })
}

/// The files to set aside next: those with a finding, or where these are as they were, those that a finding points to.
fn broken(
    report: &Report,
    below: &str,
    now: &BTreeMap<&str, &str>,
    then: &BTreeMap<&str, &str>,
    stale: &Stale,
) -> Option<BTreeSet<String>> {
    let errors = || (report.findings().iter()).filter(|finding| finding.severity == Severity::Error);
    let is_new = |path: &&str| {
        let text = now.get(path);
        text.is_some() && text != then.get(path) && !stale.texts.contains_key(*path)
    };
    let path = |place: &Place| -> String { relative(&place.file, below).to_owned() };
    let among = |paths: &mut dyn Iterator<Item = String>| -> BTreeSet<String> {
        paths.filter(|path| is_new(&path.as_str())).collect()
    };
    let mut paths = among(&mut errors().map(|finding: &Finding| path(&finding.primary)));
    if paths.is_empty() {
        let related =
            |finding: &Finding| -> Vec<String> { finding.related.iter().map(|(place, _)| path(place)).collect() };
        paths = among(&mut errors().flat_map(related));
    }
    let is_of_buildings =
        |path: &String| path != ROOT_FILE && then.get(path.as_str()).is_none_or(|text| says_no_more(text));
    (!paths.is_empty() && paths.iter().all(is_of_buildings)).then_some(paths)
}

/// Whether a file says nothing but sites, devices and subscribers.
fn says_no_more(text: &str) -> bool {
    let raw = read(text);
    let others = RawFile::FIELDS.iter().map(|field| field.name);
    let mut others = others.filter(|name| !matches!(*name, "sites" | "devices" | "subscribers"));
    !others.any(|name| raw.says(name))
}

fn read(text: &str) -> RawFile {
    Decoded::read(0, false, text).raw
}

/// The devices that are left alone, and why.
fn held(stale: &Stale, before: &Inventory, now: &Inventory) -> BTreeMap<String, String> {
    let mut held = BTreeMap::new();
    for (path, text) in &stale.texts {
        let raw = text.as_deref().map(read).unwrap_or_default();
        let devices = raw.devices.iter().flat_map(|devices| &devices.value.list);
        let own = devices.map(|device| device.key.clone());
        let subscribers = raw.subscribers.iter().flat_map(|subscribers| &subscribers.value.list);
        let served = subscribers.filter_map(|entry| now.subscribers.get(&entry.key));
        let served = served.map(|subscriber| subscriber.device.clone());
        // What is said of a site holds for its devices, whatever file they are in.
        let sites = raw.sites.iter().flat_map(|sites| &sites.value.list);
        let sites: BTreeSet<&str> = sites.map(|site| site.key.as_str()).collect();
        let is_there = |device: &&Device| device.site.as_deref().is_some_and(|site| sites.contains(site));
        let there = now.devices.values().filter(is_there).map(|device| device.key.clone());
        for device in own.chain(served).chain(there) {
            held.entry(device).or_insert_with(|| format!("{path} is not valid"));
        }
    }
    let files: Vec<&str> = stale.texts.keys().map(String::as_str).collect();
    let files = files.join(" and ");
    let renamed: BTreeMap<&str, &Subscriber> = (now.subscribers.values())
        .filter_map(|subscriber| Some((subscriber.was.as_deref()?, subscriber)))
        .collect();
    let of_now = |key: &str| now.subscribers.get(key).or_else(|| renamed.get(key).copied());
    for subscriber in before.subscribers.values() {
        if of_now(&subscriber.key).is_none() {
            let reason = || {
                format!(
                    "subscriber {} is gone, and {files} is not valid: it may be in there",
                    subscriber.key
                )
            };
            held.entry(subscriber.device.clone()).or_insert_with(reason);
        }
    }
    // A move is made on both devices or on none. Each turn adds a device, so it ends.
    loop {
        let moved = before.subscribers.values().find_map(|then| {
            let device = &of_now(&then.key)?.device;
            let (one, other) = (held.contains_key(device), held.contains_key(&then.device));
            let left = if one { &then.device } else { device };
            (one != other && *device != then.device).then(|| (left.clone(), then.key.clone()))
        });
        let Some((device, key)) = moved else {
            return held;
        };
        held.insert(
            device,
            format!("subscriber {key} moves between it and a device whose file is not valid"),
        );
    }
}

fn by_path(files: &[SourceFile]) -> BTreeMap<&str, &str> {
    let below = below(files);
    (files.iter())
        .map(|file| (relative(&file.path, below), file.text.as_str()))
        .collect()
}

/// A path below that folder.
fn relative<'p>(path: &'p str, below: &str) -> &'p str {
    path.strip_prefix(below).unwrap_or(path)
}

/// The folder of the root file as it stands before every path.
fn below(files: &[SourceFile]) -> &str {
    let root = root::find(files.iter().map(|file| file.path.as_str()));
    root.map_or("", |number| folder(&files[number].path))
}

#[cfg(test)]
mod tests;
