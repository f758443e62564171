//! Parting what may be done now from what has to wait for its window.
//!
//! A change waits where a subscriber who has service would feel it. What waits is left as the device holds it, and so is
//! whatever cannot be as wished while it is; the rest is planned as if the operator had named just that. Whether the rest
//! stands by itself is judged as any plan is judged, not assumed: where it does not, all of the device waits.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{PortBinding, SubscriberId};
use crate::inventory::desired::DesiredDevice;
use crate::observed::{DeviceConfig, Object, ObjectId, ProfileRef};

use super::build::{Inputs, describe, order, reach};
use super::diff::OrderedChange;
use super::impact::Class;
use super::model::{Closing, ObjectChange};
use super::resolve::{Resolution, refuse_what_cannot_stand};
use super::target::leave_as_is;
use super::window::{State, moment};

/// What may be done before the window opens.
#[derive(Debug)]
pub(super) struct Part {
    /// The resolution with everything that waits left as the device holds it.
    pub(super) resolution: Resolution,
    /// What may be done, in order.
    pub(super) ordered: Vec<OrderedChange>,
    /// Whether all of the device waits, though some of it would be felt by nobody: it cannot be parted.
    pub(super) entire: bool,
    /// The objects that wait.
    pub(super) waiting: BTreeSet<ObjectId>,
}

/// Whether somebody who has service would feel a change.
fn is_felt(
    change: &ObjectChange,
    state: &State<'_>,
    desired: &DesiredDevice,
    observed: &DeviceConfig,
    resolution: &Resolution,
) -> bool {
    let has_service = |number: &SubscriberId| {
        let in_garden = state.garden.is_some()
            && (observed.subscribers.get(number)).is_some_and(|now| Some(now.vlan) == state.garden);
        let key = resolution.keys.get(&ObjectId::Subscriber(*number));
        let suspended = (key.and_then(|key| desired.subscribers.get(key))).is_some_and(|wish| wish.suspended);
        !in_garden && !suspended
    };
    change.impact.class != Class::None && change.impact.subscribers.iter().any(has_service)
}

/// When the window closes, where some of these changes have to be made in it.
pub(super) fn closing(
    inputs: Inputs<'_>,
    state: &State<'_>,
    observed: &DeviceConfig,
    resolution: &Resolution,
    all: &[ObjectChange],
) -> Option<Closing> {
    let felt = all
        .iter()
        .any(|change| is_felt(change, state, inputs.desired, observed, resolution));
    felt.then(|| Closing {
        window: state.window.key.clone(),
        until: state.opening.until,
        when: moment(state.window, state.opening.until),
    })
}

/// Parts a plan whose changes are `all`, made from `resolution`. `None`: nothing of it waits.
pub(super) fn part(
    inputs: Inputs<'_>,
    state: &State<'_>,
    observed: &DeviceConfig,
    resolution: &Resolution,
    all: &[ObjectChange],
    target: &DeviceConfig,
) -> Option<Part> {
    let felt = |change: &&ObjectChange| is_felt(change, state, inputs.desired, observed, resolution);
    let mut waiting: BTreeSet<ObjectId> = all.iter().filter(felt).map(|change| change.object).collect();
    if waiting.is_empty() {
        return None;
    }
    let changed: BTreeSet<ObjectId> = all.iter().map(|change| change.object).collect();
    let records = inputs
        .records
        .iter()
        .filter(|record| observed.object(record.object).is_some());
    let whose = Whose {
        now: records.map(|record| (record.object, record.key.as_str())).collect(),
        then: &resolution.keys,
    };
    loop {
        take_along(&mut waiting, &changed, (observed, target), &whose, inputs.desired);
        let Some((part, ordered)) = rest(inputs, observed, resolution, &waiting) else {
            break;
        };
        let reached = reach(observed, &ordered);
        let changes = describe(inputs, (observed, &reached), (&ordered, &[]), &part);
        let felt = changes.iter().filter(felt).map(|change| change.object);
        // What waits is not touched on the way either, and nothing else changes than would have anyway.
        let is_wrong = |id: ObjectId| waiting.contains(&id) || !changed.contains(&id);
        if ordered.iter().any(|step| is_wrong(step.change.object())) {
            break;
        }
        let more: Vec<ObjectId> = felt.collect();
        if more.is_empty() {
            return Some(Part {
                resolution: part,
                ordered,
                entire: false,
                waiting,
            });
        }
        // Each round leaves at least one object more as it is.
        waiting.extend(more);
    }
    let mut part = resolution.clone();
    leave_as_is(&mut part, observed, inputs.records, |id| !changed.contains(&id));
    Some(Part {
        resolution: part,
        ordered: Vec::new(),
        entire: waiting != changed,
        waiting: changed,
    })
}

/// The plan without what waits; `None` where the device could not hold or reach that.
fn rest(
    inputs: Inputs<'_>,
    observed: &DeviceConfig,
    resolution: &Resolution,
    waiting: &BTreeSet<ObjectId>,
) -> Option<(Resolution, Vec<OrderedChange>)> {
    let mut part = resolution.clone();
    leave_as_is(&mut part, observed, inputs.records, |id| !waiting.contains(&id));
    refuse_what_cannot_stand(&mut part, observed, inputs.desired.model.medium);
    let ordered = order(&mut part, observed, inputs);
    part.refusals.is_empty().then_some((part, ordered))
}

/// The inventory keys of objects. A number may go from one to another: what it is now and what it is to be are two.
struct Whose<'a> {
    /// As recorded.
    now: BTreeMap<ObjectId, &'a str>,
    /// As wanted.
    then: &'a BTreeMap<ObjectId, String>,
}

impl Whose<'_> {
    /// Whether both are one thing, which gets another number: it is not there twice in between.
    fn is_the_same(&self, id: ObjectId, held: ObjectId) -> bool {
        let keys = |id: &ObjectId| [self.now.get(id).copied(), self.then.get(id).map(String::as_str)];
        let others = keys(&held);
        id.kind() == held.kind() && keys(&id).iter().flatten().any(|key| others.contains(&Some(key)))
    }
}

/// Adds to what waits those changes that make no sense before it.
fn take_along(
    waiting: &mut BTreeSet<ObjectId>,
    changed: &BTreeSet<ObjectId>,
    (observed, target): (&DeviceConfig, &DeviceConfig),
    whose: &Whose<'_>,
    desired: &DesiredDevice,
) {
    let alone_on_port = desired.model.medium.endpoints_per_port() == 1;
    loop {
        let depends = |id: &&ObjectId| {
            let held = |held: &ObjectId| {
                is_needed_by(**id, *held, observed, target)
                    || needs(**id, *held, observed, target)
                    || whose.is_the_same(**id, *held)
                    || takes_the_place_of(**id, *held, observed, target, alone_on_port)
            };
            !waiting.contains(*id) && waiting.iter().any(held)
        };
        let more: Vec<ObjectId> = changed.iter().filter(depends).copied().collect();
        if more.is_empty() {
            return;
        }
        waiting.extend(more);
    }
}

/// Whether `held`, left as it is, uses `id`, which would go away or become something else.
fn is_needed_by(id: ObjectId, held: ObjectId, observed: &DeviceConfig, target: &DeviceConfig) -> bool {
    if !uses(held, id, observed) {
        return false;
    }
    match (observed.object(id), target.object(id)) {
        (_, None) => true,
        (Some(Object::Endpoint(from)), Some(Object::Endpoint(to))) => (from.mac, from.port) != (to.mac, to.port),
        // The slot goes to another plan. Another rate of the same plan is for whoever has it.
        (Some(Object::Profile(from)), Some(Object::Profile(to))) => from.name != to.name,
        _ => false,
    }
}

/// Whether `id` is to use `held`, which is not what it is to be yet, and does not use it already.
fn needs(id: ObjectId, held: ObjectId, observed: &DeviceConfig, target: &DeviceConfig) -> bool {
    uses(id, held, target) && !uses(id, held, observed)
}

fn uses(subscriber: ObjectId, other: ObjectId, config: &DeviceConfig) -> bool {
    let Some(Object::Subscriber(subscriber)) = config.object(subscriber) else {
        return false;
    };
    match other {
        ObjectId::Endpoint(id) => subscriber.endpoint == Some(id),
        ObjectId::Profile(id) => subscriber.profile == Some(ProfileRef::Profile(id)),
        _ => false,
    }
}

/// Whether `id` is to have what `held` has now, and only one can have.
fn takes_the_place_of(
    id: ObjectId,
    held: ObjectId,
    observed: &DeviceConfig,
    target: &DeviceConfig,
    alone_on_port: bool,
) -> bool {
    let same_name = |one: &str, other: &str| !one.is_empty() && one == other;
    match (target.object(id), observed.object(held)) {
        (Some(Object::Profile(wish)), Some(Object::Profile(now))) => same_name(&wish.name, &now.name),
        (Some(Object::Endpoint(wish)), Some(Object::Endpoint(now))) => {
            let same_port = alone_on_port && matches!(wish.port, PortBinding::Port(_)) && wish.port == now.port;
            same_name(&wish.name, &now.name) || wish.mac.is_some() && wish.mac == now.mac || same_port
        }
        (Some(Object::Subscriber(wish)), Some(Object::Subscriber(now))) => {
            same_name(&wish.name, &now.name)
                || wish.endpoint.is_some() && wish.endpoint == now.endpoint
                || wish.port.is_some() && wish.port == now.port
        }
        _ => false,
    }
}

#[cfg(test)]
mod laws;
