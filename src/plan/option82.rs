//! With which object of a plan the identifiers of which subscribers change.

use crate::domain::SubscriberId;
use crate::observed::{DeviceConfig, ObjectId, Option82, Subscriber};

use super::model::Option82Change;
use super::resolve::Resolution;

/// The subscribers whose option 82 values change, and change because of this object: their own settings, else their
/// endpoint's port, else the host name.
pub(super) fn changes(
    id: ObjectId,
    (observed, target): (&DeviceConfig, &DeviceConfig),
    resolution: &Resolution,
) -> Vec<Option82Change> {
    let because_of = |number: SubscriberId| {
        let subscriber = ObjectId::Subscriber(number);
        let endpoint = target.subscribers.get(&number)?.endpoint.map(ObjectId::Endpoint);
        let differs = |id: &ObjectId| observed.object(*id) != target.object(*id);
        let own = [Some(subscriber), endpoint].into_iter().flatten().find(differs);
        Some(own.unwrap_or(ObjectId::System))
    };
    let change = |(number, held): (&SubscriberId, &Subscriber)| {
        let before = Option82::of(observed, *number)?;
        let after = Option82::of(target, *number)?;
        let key = resolution.keys.get(&ObjectId::Subscriber(*number)).cloned();
        (before != after && because_of(*number) == Some(id)).then(|| Option82Change {
            subscriber: key.unwrap_or_else(|| held.name.clone()),
            before,
            after,
        })
    };
    observed.subscribers.iter().filter_map(change).collect()
}
