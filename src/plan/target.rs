//! Narrowing a run to what the operator named: `maple-a`, or `maple-a/subscriber/s-10442`.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::observed::{DeviceConfig, Kind, ObjectId, ProfileRef};

use super::record::Record;
use super::resolve::{Refusal, Resolution};

/// An address as plans print them: a device, or one object on it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// Device key.
    pub device: String,
    /// Kind and inventory key of one object; `None` for the whole device.
    pub object: Option<(Kind, String)>,
}

/// The text is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an address; write `device` or `device/kind/key`, as in maple-a/subscriber/s-10442")]
pub struct InvalidTarget(String);

impl FromStr for Target {
    type Err = InvalidTarget;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidTarget(text.to_owned());
        let mut parts = text.splitn(3, '/');
        let device = parts
            .next()
            .filter(|device| !device.is_empty())
            .ok_or_else(invalid)?
            .to_owned();
        let object = match (parts.next(), parts.next()) {
            (None, _) => None,
            (Some(kind), Some(key)) if !key.is_empty() => {
                let kind = Kind::ALL
                    .into_iter()
                    .find(|known| known.to_string() == kind)
                    .ok_or_else(invalid)?;
                Some((kind, key.to_owned()))
            }
            (Some(_), _) => return Err(invalid()),
        };
        Ok(Self { device, object })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.device)?;
        match &self.object {
            Some((kind, key)) => write!(f, "/{kind}/{key}"),
            None => Ok(()),
        }
    }
}

/// The objects that targets name on a device: `None` for all of it. Outer `None`: they leave it out. Without targets all of every device
/// is meant.
#[must_use]
pub fn named<'t>(targets: &'t [Target], device: &str) -> Option<Option<BTreeSet<(Kind, String)>>> {
    if targets.is_empty() {
        return Some(None);
    }
    let mut of_device = targets.iter().filter(|target| target.device == device).peekable();
    of_device.peek()?;
    // The whole device includes each of its objects.
    Some(of_device.map(|target: &'t Target| target.object.clone()).collect())
}

/// Takes everything out of a resolution but the named objects and what they stand on: a subscriber brings
/// its endpoint and its profile. The rest of the target becomes what the device holds, its records what
/// they were.
pub(super) fn restrict(
    resolution: &mut Resolution,
    observed: &DeviceConfig,
    records: &[Record],
    wanted: &BTreeSet<(Kind, String)>,
) {
    let named: BTreeSet<ObjectId> = resolution
        .keys
        .iter()
        .filter(|(id, key)| wanted.contains(&(id.kind(), (*key).clone())))
        .map(|(id, _)| *id)
        .collect();
    for (kind, key) in wanted {
        let found = named
            .iter()
            .any(|id| id.kind() == *kind && resolution.keys.get(id) == Some(key));
        if !found {
            resolution.refusals.push(Refusal {
                rule: "no-such-target",
                message: format!("no {kind} `{key}` belongs to this device, in the inventory or on record"),
                help: "take the address from a plan of the whole device".to_owned(),
            });
        }
    }
    let mut kept = named.clone();
    for id in &named {
        let ObjectId::Subscriber(number) = id else { continue };
        let Some(subscriber) = resolution.target.subscribers.get(number) else {
            continue;
        };
        kept.extend(subscriber.endpoint.map(ObjectId::Endpoint));
        if let Some(ProfileRef::Profile(profile)) = subscriber.profile {
            kept.insert(ObjectId::Profile(profile));
        }
    }

    leave_as_is(resolution, observed, records, |id| kept.contains(&id));
    resolution.forgotten.clear();
}

/// Leaves every object as the device holds it, and its record as it was, but those that are `kept` in the resolution.
pub(super) fn leave_as_is(
    resolution: &mut Resolution,
    observed: &DeviceConfig,
    records: &[Record],
    kept: impl Fn(ObjectId) -> bool,
) {
    let all: BTreeSet<ObjectId> = observed.object_ids().chain(resolution.target.object_ids()).collect();
    let is_other = |id: &ObjectId| !kept(*id) && !resolution.target.is_same_at(*id, observed);
    let others: Vec<ObjectId> = all.into_iter().filter(is_other).collect();
    for id in others {
        put_back(Arc::make_mut(&mut resolution.target), observed, id);
    }
    let owned = Arc::make_mut(&mut resolution.records);
    owned.retain(|record| kept(record.object));
    for record in records.iter().filter(|record| !kept(record.object)) {
        let is_its_key = |new: &Record| new.kind() == record.kind() && new.key == record.key;
        if owned.iter().any(|new| new.object == record.object) {
            continue;
        }
        let renumbered = owned.iter().any(is_its_key);
        owned.push(match renumbered {
            true => record.left_behind(),
            false => record.clone(),
        });
    }
    owned.sort_by(|one, other| one.place().cmp(&other.place()));
    resolution.adopted.retain(|id| kept(*id));
}

fn put_back(target: &mut DeviceConfig, observed: &DeviceConfig, id: ObjectId) {
    fn copy<K: Ord + Copy, V: Clone>(
        to: &mut std::collections::BTreeMap<K, V>,
        from: &std::collections::BTreeMap<K, V>,
        key: K,
    ) {
        match from.get(&key) {
            Some(value) => drop(to.insert(key, value.clone())),
            None => drop(to.remove(&key)),
        }
    }
    match id {
        ObjectId::System => target.hostname.clone_from(&observed.hostname),
        ObjectId::Port(id) => copy(&mut target.ports, &observed.ports, id),
        ObjectId::Profile(id) => copy(&mut target.profiles, &observed.profiles, id),
        ObjectId::Endpoint(id) => copy(&mut target.endpoints, &observed.endpoints, id),
        ObjectId::Subscriber(id) => copy(&mut target.subscribers, &observed.subscribers, id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_name_devices_or_objects_on_them() {
        let targets: Vec<Target> = ["a/subscriber/s-1", "a/subscriber/s-2", "b/port/1", "b"]
            .map(|text| text.parse().unwrap())
            .into();
        let objects = named(&targets, "a").unwrap().unwrap();
        assert_eq!(objects.len(), 2);
        assert_eq!(named(&targets, "b"), Some(None));
        assert_eq!(named(&targets, "c"), None);
        assert_eq!(named(&[], "c"), Some(None));
    }

    #[test]
    fn what_gets_another_number_stays_ours_under_the_old_one_where_that_is_left() {
        let under = |number: u64| Record {
            key: "s-1".to_owned(),
            object: ObjectId::Subscriber(number.try_into().unwrap()),
            name: "s-1".to_owned(),
            binding: None,
            protect: true,
            applied: None,
        };
        let mut resolution = Resolution {
            records: Arc::new(vec![under(6)]),
            ..Resolution::default()
        };
        let kept = under(6).object;
        leave_as_is(&mut resolution, &DeviceConfig::default(), &[under(5)], |id| id == kept);
        assert_eq!(*resolution.records, [under(5).left_behind(), under(6)]);
    }

    #[test]
    fn addresses_are_read_as_plans_print_them() {
        for text in [
            "maple-a",
            "maple-a/subscriber/s-10442",
            "maple-a/port/3",
            "a/profile/100/100",
        ] {
            assert_eq!(text.parse::<Target>().unwrap().to_string(), text);
        }
        for text in ["", "/subscriber/x", "a/subscriber", "a/subscriber/", "a/thing/x"] {
            assert!(text.parse::<Target>().is_err(), "{text:?} was accepted");
        }
    }
}
