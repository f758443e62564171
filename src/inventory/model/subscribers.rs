//! The subscribers of an inventory: found by key, and by the device that they are on.

use std::collections::HashMap;
use std::ops::Index;

use super::Subscriber;

/// Every subscriber, in the order of the keys.
///
/// It is made as a whole and never changed, so that who is on which device is counted once however many devices ask.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Subscribers {
    list: Vec<Subscriber>,
    /// Places in `list` by device key, ascending.
    on_device: HashMap<String, Vec<usize>>,
}

impl Subscribers {
    /// The subscriber with this key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Subscriber> {
        let place = self.list.binary_search_by(|one| one.key.as_str().cmp(key)).ok()?;
        Some(&self.list[place])
    }

    /// Whether there is a subscriber with this key.
    #[must_use]
    pub fn contains_key(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// All of them, in the order of their keys.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &Subscriber> {
        self.list.iter()
    }

    /// Their keys, ascending.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &String> {
        self.list.iter().map(|one| &one.key)
    }

    /// Those on a device, in the order of their keys; none where there is no such device.
    pub fn on(&self, device: &str) -> impl Iterator<Item = &Subscriber> {
        let places = self.on_device.get(device).map_or(&[][..], Vec::as_slice);
        places.iter().map(|place| &self.list[*place])
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

impl FromIterator<Subscriber> for Subscribers {
    /// As from a list.
    fn from_iter<I: IntoIterator<Item = Subscriber>>(subscribers: I) -> Self {
        Vec::from_iter(subscribers).into()
    }
}

impl From<Vec<Subscriber>> for Subscribers {
    /// Takes them in any order. Of several with the same key the first is kept; a valid inventory has none such.
    fn from(mut list: Vec<Subscriber>) -> Self {
        if !list.is_sorted_by(|one, other| one.key < other.key) {
            list.sort_by(|one, other| one.key.cmp(&other.key));
            list.dedup_by(|again, first| again.key == first.key);
        }
        let mut on_device: HashMap<String, Vec<usize>> = HashMap::new();
        for (place, one) in list.iter().enumerate() {
            match on_device.get_mut(&one.device) {
                Some(places) => places.push(place),
                None => drop(on_device.insert(one.device.clone(), vec![place])),
            }
        }
        Self { list, on_device }
    }
}

impl Index<&str> for Subscribers {
    type Output = Subscriber;

    /// The subscriber with this key.
    ///
    /// # Panics
    ///
    /// Where there is none.
    fn index(&self, key: &str) -> &Subscriber {
        self.get(key).expect("there is a subscriber with this key")
    }
}

#[cfg(test)]
mod tests {
    use crate::diagnostic::SourceFile;
    use crate::inventory::load;

    #[test]
    fn a_subscriber_is_found_by_key_and_by_device_whatever_the_order() {
        let text = "\
format: 1
inventory: test
defaults: {credentials: factory, vlan: 300}
devices:
  a: {model: GAM-12-C, address: 192.0.2.1}
  b: {model: GAM-12-C, address: 192.0.2.2}
  none: {model: GAM-12-C, address: 192.0.2.3}
plans: {home: {rate: 200 Mbps}}
subscribers:
  s-3: {device: a, plan: home}
  s-2: {device: b, plan: home}
  s-10: {device: a, plan: home}
";
        let file = SourceFile {
            path: "gamops.yaml".to_owned(),
            text: text.to_owned(),
        };
        let subscribers = load(&[file]).inventory.unwrap().subscribers;
        assert_eq!(subscribers.keys().collect::<Vec<_>>(), ["s-10", "s-2", "s-3"]);
        assert_eq!(subscribers["s-2"].device, "b");
        assert!(subscribers.get("s-1").is_none() && subscribers.contains_key("s-3"));
        let on = |device: &str| subscribers.on(device).map(|one| one.key.clone()).collect::<Vec<_>>();
        assert_eq!(
            (on("a"), on("b")),
            (vec!["s-10".to_owned(), "s-3".to_owned()], vec!["s-2".to_owned()])
        );
        assert_eq!((on("none"), on("nowhere")), (vec![], vec![]));
        assert_eq!((subscribers.len(), subscribers.values().len()), (3, 3));
    }
}
