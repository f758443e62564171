//! Which devices a change of the inventory is about.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::compile;
use super::desired::DesiredDevice;
use super::model::{Device, Inventory};

/// Most things named of those that changed on one device.
const NAMED: usize = 3;

/// Why a device is not as it was asked for before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// It was not there.
    New,
    /// Something else is asked of it: `subscriber s-10401`, `plan home-200`, `hostname`.
    Wish(Vec<String>),
    /// It is reached in another way.
    Reached,
    /// Its site changed.
    Site,
    /// What holds for the whole fleet changed.
    Policies,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::New => f.write_str("came into the inventory"),
            Self::Wish(things) => {
                f.write_str(&things[..things.len().min(NAMED)].join(", "))?;
                match things.len().saturating_sub(NAMED) {
                    0 => Ok(()),
                    more => write!(f, " and {more} more"),
                }
            }
            Self::Reached => f.write_str("how it is reached"),
            Self::Site => f.write_str("its site"),
            Self::Policies => f.write_str("policies of the whole fleet"),
        }
    }
}

/// The devices of `now` of which it asks something else than `before` did, with what; of a device that was renamed, what
/// was asked under its old key counts. Everything that a plan is made from takes part; labels and ids in billing systems
/// do not. A subscriber that moved is a difference on both devices.
#[must_use]
pub fn differences(before: &Inventory, now: &Inventory) -> BTreeMap<String, Vec<Difference>> {
    let everywhere = before.id != now.id || before.policies != now.policies;
    (now.devices.values())
        .map(|device| {
            let mut differences = of_device(before, now, device);
            if everywhere {
                differences.push(Difference::Policies);
            }
            (device.key.clone(), differences)
        })
        .filter(|(_, differences)| !differences.is_empty())
        .collect()
}

/// A device as an earlier inventory had it, under its key or the one that it had before.
#[must_use]
pub fn earlier<'i>(before: &'i Inventory, device: &Device) -> Option<&'i Device> {
    let renamed = || before.devices.get(device.was.as_deref()?);
    before.devices.get(&device.key).or_else(renamed)
}

/// The devices that an inventory has no more, under whatever key.
#[must_use]
pub fn gone(before: &Inventory, now: &Inventory) -> Vec<String> {
    let renamed: BTreeSet<&str> = now
        .devices
        .values()
        .filter_map(|device| device.was.as_deref())
        .collect();
    let is_gone = |key: &&String| !now.devices.contains_key(*key) && !renamed.contains(key.as_str());
    before.devices.keys().filter(is_gone).cloned().collect()
}

fn of_device(before: &Inventory, now: &Inventory, device: &Device) -> Vec<Difference> {
    let Some(then) = earlier(before, device) else {
        return vec![Difference::New];
    };
    let mut differences = Vec::new();
    let wishes = compile(before, &then.key).zip(compile(now, &device.key));
    differences.extend(wishes.and_then(|(then, now)| wish(&then, &now)).map(Difference::Wish));
    let reached = |device: &Device| {
        let Device {
            address,
            transport,
            credentials,
            host_key,
            ..
        } = device;
        (
            address.clone(),
            transport.clone(),
            credentials.clone(),
            host_key.clone(),
        )
    };
    if reached(then) != reached(device) {
        differences.push(Difference::Reached);
    }
    let site = |inventory: &Inventory, device: &Device| {
        let key = device.site.clone()?;
        Some((inventory.sites.get(&key).cloned(), key))
    };
    if site(before, then) != site(now, device) {
        differences.push(Difference::Site);
    }
    differences
}

/// What is asked differently, in words. `None`: nothing.
fn wish(then: &DesiredDevice, now: &DesiredDevice) -> Option<Vec<String>> {
    if then == now {
        return None;
    }
    let mut things = Vec::new();
    // A subscriber's endpoint is known by the subscriber's key.
    let subscribers = differing(&then.subscribers, &now.subscribers);
    let is_served = |key: &&String| then.subscribers.contains_key(*key) || now.subscribers.contains_key(*key);
    let (served, spare): (BTreeSet<&String>, BTreeSet<&String>) = differing(&then.endpoints, &now.endpoints)
        .into_iter()
        .partition(is_served);
    things.extend(subscribers.union(&served).map(|key| format!("subscriber {key}")));
    things.extend(spare.iter().map(|key| format!("spare endpoint {key}")));
    things.extend(
        differing(&then.profiles, &now.profiles)
            .iter()
            .map(|key| format!("plan {key}")),
    );
    things.extend(
        differing(&then.ports, &now.ports)
            .iter()
            .map(|number| format!("port {number}")),
    );
    let single = [
        ("its key", then.key != now.key),
        ("model", then.model != now.model),
        ("mode", then.mode != now.mode),
        ("paused", then.paused != now.paused),
        ("drift", then.drift != now.drift),
        ("hostname", then.hostname != now.hostname),
        ("subscriber_model", then.subscriber_model != now.subscriber_model),
        ("allow_assumed", then.allow_assumed != now.allow_assumed),
    ];
    things.extend(
        single
            .into_iter()
            .filter(|(_, differs)| *differs)
            .map(|(name, _)| name.to_owned()),
    );
    if things.is_empty() {
        things.push("settings".to_owned());
    }
    Some(things)
}

/// The keys under which two maps hold different things, or one holds nothing.
fn differing<'m, K: Ord, V: PartialEq>(then: &'m BTreeMap<K, V>, now: &'m BTreeMap<K, V>) -> BTreeSet<&'m K> {
    then.keys()
        .chain(now.keys())
        .filter(|key| then.get(key) != now.get(key))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::SourceFile;
    use crate::inventory::load;

    const TEXT: &str = "\
format: 1
inventory: test
defaults: {credentials: factory, mode: manage, vlan: 300}
policies: {suspension: {vlan: 3900}}
sites: {m: {time_zone: America/Montreal}}
devices:
  a: {model: GAM-12-C, address: 192.0.2.1, site: m, endpoints: {box: {mac: \"00:0e:d8:00:00:09\"}}}
  b: {model: GAM-12-M, address: 192.0.2.2}
  c: {model: GAM-12-C, address: 192.0.2.3}
plans: {home: {rate: 200 Mbps}, slow: {rate: 20 Mbps}}
subscribers:
  s-1: {device: a, plan: home, endpoint: \"00:0e:d8:00:00:01\", port: 1}
  s-2: {device: b, plan: slow, endpoint: \"00:0e:d8:00:00:02\", port: 1}
";

    fn inventory(edits: &[(&str, &str)]) -> Inventory {
        let mut text = TEXT.to_owned();
        for (from, to) in edits {
            assert!(text.contains(from), "{from}");
            text = text.replace(from, to);
        }
        let file = SourceFile {
            path: "gamops.yaml".to_owned(),
            text,
        };
        let loaded = load(&[file]);
        loaded
            .inventory
            .unwrap_or_else(|| panic!("{:?}", loaded.report.findings()))
    }

    fn since(edits: &[(&str, &str)]) -> Vec<String> {
        let line = |(key, differences): (String, Vec<Difference>)| {
            let words: Vec<String> = differences.iter().map(ToString::to_string).collect();
            format!("{key}: {}", words.join("; "))
        };
        differences(&inventory(&[]), &inventory(edits))
            .into_iter()
            .map(line)
            .collect()
    }

    #[test]
    fn only_devices_of_which_something_else_is_asked_differ() {
        assert_eq!(since(&[]), [""; 0]);
        assert_eq!(since(&[("port: 1}\n  s-2", "port: 2}\n  s-2")]), ["a: subscriber s-1"]);
        assert_eq!(since(&[("box: {", "box: {port: 3, ")]), ["a: spare endpoint box"]);
        assert_eq!(since(&[("200 Mbps", "210 Mbps")]), ["a: plan home"]);
        assert_eq!(
            since(&[("192.0.2.2}", "192.0.2.2, mode: observe, hostname: bee}")]),
            ["b: mode, hostname"]
        );
        assert_eq!(since(&[("192.0.2.2}", "192.0.2.4}")]), ["b: how it is reached"]);
        assert_eq!(since(&[("Montreal", "Vancouver")]), ["a: its site"]);
        assert_eq!(since(&[("192.0.2.2}", "192.0.2.2, labels: {sla: 4h}}")]), [""; 0]);
    }

    #[test]
    fn a_move_concerns_both_devices_and_a_new_device_itself() {
        assert_eq!(
            since(&[("s-1: {device: a", "s-1: {device: c")]),
            ["a: subscriber s-1, plan home", "c: subscriber s-1, plan home",]
        );
        let arrived = "192.0.2.3}\n  d: {model: GAM-12-C, address: 192.0.2.4}\n  e: {was: b, model: GAM-12-M, address: 192.0.2.2}";
        assert_eq!(
            since(&[
                ("192.0.2.3}", arrived),
                ("  b: {model: GAM-12-M, address: 192.0.2.2}\n", ""),
                ("device: b", "device: e")
            ]),
            ["d: came into the inventory", "e: its key"]
        );
    }

    #[test]
    fn what_holds_for_all_concerns_all() {
        let all = |words: &str| ["a", "b", "c"].map(|key| format!("{key}: {words}"));
        assert_eq!(
            since(&[("vlan: 3900", "vlan: 3901")]),
            all("policies of the whole fleet")
        );
        assert_eq!(
            since(&[("inventory: test", "inventory: other")]),
            all("policies of the whole fleet")
        );
        // A default concerns those who use it.
        assert_eq!(
            since(&[("vlan: 300}", "vlan: 301}")]),
            ["a: subscriber s-1", "b: subscriber s-2"]
        );
    }

    #[test]
    fn a_long_list_is_cut() {
        let five = ["one", "two", "three", "four", "five"].map(str::to_owned).to_vec();
        assert_eq!(Difference::Wish(five).to_string(), "one, two, three and 2 more");
    }
}
