//! Another box in a subscriber's home, as an edit of the inventory.

use crate::diagnostic::SourceFile;
use crate::domain::{MacAddr, SubscriberModel};

use super::edit::{Edit, KeyPath, Value, find};
use super::model::Inventory;
use super::nearest::did_you_mean;

/// A swap that makes sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Swap {
    /// Key of the device that serves the subscriber.
    pub device: String,
    /// The box that it had.
    pub before: MacAddr,
    /// What makes it another one in the inventory.
    pub edit: Edit,
}

/// Why a swap makes no sense. The operator's to mend.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct NoSwap {
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
}

/// Gives a subscriber another endpoint. `files` are the texts of the inventory.
///
/// # Errors
///
/// [`NoSwap`]: who is meant is not known, has no endpoint that could be swapped, or the endpoint is somebody else's.
pub fn swap_endpoint(inventory: &Inventory, files: &[SourceFile], key: &str, mac: MacAddr) -> Result<Swap, NoSwap> {
    let no = |message: String, help: String| Err(NoSwap { message, help });
    let subscribers = &inventory.subscribers;
    let Some(subscriber) = subscribers.get(key) else {
        let near = did_you_mean(key, subscribers.keys().map(String::as_str));
        return no(
            format!("the inventory has no subscriber `{key}`"),
            near.unwrap_or_else(|| "give the key that it has under `subscribers`".to_owned()),
        );
    };
    let device = &subscriber.device;
    if (inventory.devices.get(device)).is_some_and(|device| device.subscriber_model == SubscriberModel::PortAware) {
        return no(
            format!("{device} is port-aware: subscriber {key} is tied to its port, and no endpoint is named"),
            format!("connect the new box, then `gamops rebind {key}`"),
        );
    }
    let Some(before) = subscriber.endpoint.as_ref().map(|endpoint| endpoint.mac) else {
        return no(
            format!("subscriber {key} has no endpoint that could be swapped"),
            format!("write `endpoint: {mac}` and its `port` into the inventory"),
        );
    };
    if before == mac {
        return no(
            format!("subscriber {key} has endpoint {mac} already"),
            format!("`gamops show {key}` says whether its device knows"),
        );
    }
    if let Some((whose, path)) = owner(inventory, mac) {
        let at = find(files, &path).map(|found| format!(" ({}:{})", found.place.file, found.place.line));
        return no(
            format!("endpoint {mac} is {whose}{}", at.unwrap_or_default()),
            "look at the label again; if it is right, take that one out of the inventory first".to_owned(),
        );
    }
    let endpoint = KeyPath::new(["subscribers", key, "endpoint"]);
    let is_map = find(files, &endpoint).is_some_and(|found| found.is_map);
    Ok(Swap {
        device: device.clone(),
        before,
        edit: Edit::Set {
            path: if is_map { endpoint.to("mac") } else { endpoint },
            value: Value::Text(mac.to_string()),
        },
    })
}

/// Whose an endpoint is, in words that go on from "is", and where that stands.
fn owner(inventory: &Inventory, mac: MacAddr) -> Option<(String, KeyPath)> {
    let subscriber = (inventory.subscribers.values())
        .find(|one| one.endpoint.as_ref().is_some_and(|endpoint| endpoint.mac == mac))
        .map(|one| {
            let path = KeyPath::new(["subscribers", &one.key, "endpoint"]);
            (format!("that of subscriber {} on {}", one.key, one.device), path)
        });
    subscriber.or_else(|| {
        inventory.devices.values().find_map(|device| {
            let spare = device.endpoints.values().find(|spare| spare.mac == mac)?;
            let path = KeyPath::new(["devices", &device.key, "endpoints", &spare.key]);
            Some((format!("the spare endpoint {} of {}", spare.key, device.key), path))
        })
    })
}

#[cfg(test)]
mod tests {
    use crate::inventory::{edit::edit, load};

    use super::*;

    const TEXT: &str = "\
format: 1
inventory: test
defaults: {credentials: factory, vlan: 300}
devices:
  a:
    model: GAM-12-M
    address: 192.0.2.1
    endpoints:
      drawer: {mac: \"00:0e:d8:00:00:09\"}
  b: {model: GAM-12-M, address: 192.0.2.2, subscriber_model: port-aware}
subscribers:
  s-1: {device: a, plan: unthrottled, endpoint: \"00:0e:d8:00:00:01\", port: 1}
  s-2:
    device: a
    # The old one hummed.
    endpoint:
      mac: 00:0e:d8:00:00:02 # on its label
      description: hall
    port: 2
    plan: unthrottled
  s-3: {device: a, plan: unthrottled}
  s-4: {device: b, plan: unthrottled, port: 1}
";

    fn files() -> Vec<SourceFile> {
        vec![SourceFile {
            path: "gamops.yaml".to_owned(),
            text: TEXT.to_owned(),
        }]
    }

    fn swap(key: &str, mac: &str) -> Result<Swap, NoSwap> {
        let inventory = load(&files()).inventory.unwrap();
        swap_endpoint(&inventory, &files(), key, mac.parse().unwrap())
    }

    #[test]
    fn the_address_is_changed_where_it_stands() {
        for (key, old) in [("s-1", "00:0e:d8:00:00:01"), ("s-2", "00:0e:d8:00:00:02")] {
            let swap = swap(key, "00:0E:D8:00:00:55").unwrap();
            assert_eq!((swap.device.as_str(), swap.before.to_string().as_str()), ("a", old));
            let edited = edit(&files(), &[swap.edit]).unwrap();
            assert_eq!(edited.files[0].text, TEXT.replace(old, "00:0e:d8:00:00:55"));
        }
    }

    #[test]
    fn what_makes_no_sense_is_said() {
        for (key, mac, message) in [
            ("s-11", "00:0e:d8:00:00:55", "the inventory has no subscriber `s-11`"),
            (
                "s-1",
                "00-0e-d8-00-00-01",
                "subscriber s-1 has endpoint 00:0e:d8:00:00:01 already",
            ),
            (
                "s-1",
                "00:0e:d8:00:00:02",
                "endpoint 00:0e:d8:00:00:02 is that of subscriber s-2 on a (gamops.yaml:16)",
            ),
            (
                "s-1",
                "00:0e:d8:00:00:09",
                "endpoint 00:0e:d8:00:00:09 is the spare endpoint drawer of a (gamops.yaml:9)",
            ),
            (
                "s-3",
                "00:0e:d8:00:00:55",
                "subscriber s-3 has no endpoint that could be swapped",
            ),
            (
                "s-4",
                "00:0e:d8:00:00:55",
                "b is port-aware: subscriber s-4 is tied to its port, and no endpoint is named",
            ),
        ] {
            assert_eq!(swap(key, mac).unwrap_err().message, message);
        }
        assert_eq!(
            swap("s-11", "00:0e:d8:00:00:55").unwrap_err().help,
            "did you mean `s-1`?"
        );
    }
}
