//! After an apply: does the device hold what it was asked to hold?

use std::collections::BTreeSet;

use crate::domain::PortBinding;
use crate::observed::{DeviceConfig, Object, ObjectId};

/// One field that is not as it was asked to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Residue {
    /// The object.
    pub object: ObjectId,
    /// The field, or `object` where the whole is missing or still there.
    pub field: &'static str,
    /// What was asked for.
    pub wanted: String,
    /// What the device holds.
    pub found: String,
    /// Whether it still holds what it held before: the device took the command and ignored it.
    pub ignored: bool,
}

/// Compares a reading with the target, over the objects that gamops answers for.
///
/// `before` tells what was ignored from what became something else. Objects outside `objects` are not
/// looked at: somebody else may have changed them meanwhile.
#[must_use]
pub fn verify(
    target: &DeviceConfig,
    found: &DeviceConfig,
    before: &DeviceConfig,
    objects: &BTreeSet<ObjectId>,
) -> Vec<Residue> {
    objects
        .iter()
        .flat_map(|id| verify_object(*id, target, found, before))
        .collect()
}

fn verify_object(id: ObjectId, target: &DeviceConfig, found: &DeviceConfig, before: &DeviceConfig) -> Vec<Residue> {
    let whole = |wanted: &str, held: &str| {
        vec![Residue {
            object: id,
            field: "object",
            wanted: wanted.to_owned(),
            found: held.to_owned(),
            ignored: before.object(id) == found.object(id),
        }]
    };
    match (target.object(id), found.object(id)) {
        (None, None) => Vec::new(),
        (Some(_), None) => whole("present", "absent"),
        (None, Some(_)) => whole("absent", "present"),
        (Some(wanted), Some(held)) => {
            let wanted = filled_in(wanted, &held);
            let before_fields = before
                .object(id)
                .map(|object| object.fields(before))
                .unwrap_or_default();
            wanted
                .fields(target)
                .into_iter()
                .zip(held.fields(found))
                .enumerate()
                .filter(|(_, ((_, wanted), (_, held)))| wanted != held)
                .map(|(index, ((field, wanted), (_, held)))| Residue {
                    object: id,
                    field,
                    ignored: before_fields.get(index).is_some_and(|(_, before)| *before == held),
                    wanted,
                    found: held,
                })
                .collect()
        }
    }
}

/// What was asked for, with what was left to the device as the device filled it in: `auto` becomes the port
/// where the endpoint was seen, PoE and rates that nobody named become the device's defaults.
pub(super) fn filled_in(wanted: Object, held: &Object) -> Object {
    match (wanted, held) {
        (Object::Endpoint(mut wanted), Object::Endpoint(held)) => {
            if wanted.port == PortBinding::Auto && matches!(held.port, PortBinding::Port(_)) {
                wanted.port = held.port;
            }
            Object::Endpoint(wanted)
        }
        (Object::Subscriber(mut wanted), Object::Subscriber(held)) => {
            wanted.poe = wanted.poe.or(held.poe);
            wanted.profile = wanted.profile.or(held.profile);
            Object::Subscriber(wanted)
        }
        (Object::Profile(mut wanted), Object::Profile(held)) => {
            wanted.down = wanted.down.or(held.down);
            wanted.up = wanted.up.or(held.up);
            Object::Profile(wanted)
        }
        (wanted, _) => wanted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{EndpointId, MacAddr, PortNumber};
    use crate::observed::Endpoint;

    fn config(port: PortBinding, description: &str) -> DeviceConfig {
        let endpoint = Endpoint {
            name: "e".to_owned(),
            mac: Some(MacAddr::new([0, 0x0e, 0xd8, 1, 2, 3])),
            port,
            description: description.to_owned(),
            ..Endpoint::default()
        };
        DeviceConfig {
            endpoints: [(EndpointId::try_from(1).unwrap(), endpoint)].into(),
            ..DeviceConfig::default()
        }
    }

    fn one() -> BTreeSet<ObjectId> {
        [ObjectId::Endpoint(EndpointId::try_from(1).unwrap())].into()
    }

    #[test]
    fn auto_that_became_a_port_is_verified() {
        let port = PortBinding::Port(PortNumber::try_from(4).unwrap());
        let (wanted, held) = (config(PortBinding::Auto, ""), config(port, ""));
        assert_eq!(verify(&wanted, &held, &DeviceConfig::default(), &one()), vec![]);
        assert_ne!(verify(&held, &wanted, &DeviceConfig::default(), &one()), vec![]);
    }

    #[test]
    fn a_field_left_as_it_was_is_told_apart_from_one_that_became_something_else() {
        let before = config(PortBinding::Auto, "old");
        let wanted = config(PortBinding::Auto, "new");
        let ignored = verify(&wanted, &before, &before, &one());
        assert!(
            matches!(
                ignored.as_slice(),
                [Residue {
                    field: "description",
                    ignored: true,
                    ..
                }]
            ),
            "{ignored:?}"
        );
        let other = verify(&wanted, &config(PortBinding::Auto, "ne"), &before, &one());
        assert!(
            matches!(other.as_slice(), [Residue { ignored: false, .. }]),
            "{other:?}"
        );
    }

    #[test]
    fn what_is_still_there_or_missing_is_one_residue() {
        let empty = DeviceConfig::default();
        let full = config(PortBinding::Auto, "");
        let missing = verify(&full, &empty, &empty, &one());
        assert_eq!(
            (missing[0].wanted.as_str(), missing[0].found.as_str()),
            ("present", "absent")
        );
        let left = verify(&empty, &full, &full, &one());
        assert!(left[0].ignored);
    }
}
