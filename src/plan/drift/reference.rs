//! Objects that refer to each other, where one of them is left as it is.
//!
//! A subscriber that keeps an endpoint or a profile which somebody gave it keeps that from going away; one whose endpoint
//! or profile is gone and left so cannot be given it. What the inventory asks anew goes before both.

use std::collections::BTreeSet;

use crate::inventory::drift::Field;
use crate::observed::{DeviceConfig, Object, ObjectId, ProfileRef, Subscriber};

use super::super::record::Record;
use super::super::resolve::Resolution;
use super::{Picked, fields};

/// What a subscriber refers to, and by which field.
fn references(subscriber: &Subscriber) -> impl Iterator<Item = (Field, ObjectId)> {
    let profile = match subscriber.profile {
        Some(ProfileRef::Profile(id)) => Some((Field::Plan, ObjectId::Profile(id))),
        _ => None,
    };
    let endpoint = subscriber.endpoint.map(|id| (Field::Endpoint, ObjectId::Endpoint(id)));
    endpoint.into_iter().chain(profile)
}

/// Makes of what was picked something that fits together.
pub(super) fn settle(picked: &mut Picked, resolution: &Resolution, observed: &DeviceConfig, records: &[Record]) {
    let wish = &resolution.target;
    let subscribers: Vec<ObjectId> = wish.subscribers.keys().map(|id| ObjectId::Subscriber(*id)).collect();
    // Each round adds a field or a kept object, or takes away one that is gone and is not looked at again.
    loop {
        let mut settled = true;
        for id in &subscribers {
            let Some(Object::Subscriber(subscriber)) = target(*id, picked, wish, observed) else {
                continue;
            };
            for (field, other) in references(&subscriber) {
                let left = picked.fields.get(id).is_some_and(|left| left.contains_key(&field));
                let is_there = wish.object(other).is_some() && !picked.gone.contains_key(&other);
                if is_there && left && is_another(other, resolution, records) {
                    // To be left on it would be to get what was put in its place, which nobody asked for.
                    picked.fields.entry(*id).or_default().remove(&field);
                    settled = false;
                    continue;
                }
                if is_there || picked.kept.contains_key(&other) {
                    continue;
                }
                if observed.object(other).is_some() {
                    picked.kept.insert(other, *id);
                } else if let Some(why) = picked.gone.get(&other).cloned().filter(|_| !left) {
                    if is_drift(*id, field, wish, observed, records) {
                        picked.fields.entry(*id).or_default().insert(field, why);
                    } else {
                        picked.gone.remove(&other);
                    }
                } else {
                    continue;
                }
                settled = false;
            }
        }
        if settled {
            return;
        }
    }
}

/// Whether another thing is to have the number of one that gamops owns.
fn is_another(id: ObjectId, resolution: &Resolution, records: &[Record]) -> bool {
    let before = records.iter().find(|record| record.object == id);
    let after = resolution.records.iter().find(|record| record.object == id);
    before.zip(after).is_some_and(|(before, after)| {
        // A key that was renamed stays what it is: its name or binding tells.
        before.key != after.key && before.name != after.name
    })
}

/// An object as it is to be, with what was picked so far.
fn target(id: ObjectId, picked: &Picked, wish: &DeviceConfig, observed: &DeviceConfig) -> Option<Object> {
    if picked.gone.contains_key(&id) {
        return None;
    }
    let mut object = wish.object(id)?;
    if let (Some(left), Some(held)) = (picked.fields.get(&id), observed.object(id)) {
        left.keys().for_each(|field| fields::put(*field, &mut object, &held));
    }
    Some(object)
}

/// Whether a field differs only because somebody changed it on the device.
fn is_drift(id: ObjectId, field: Field, wish: &DeviceConfig, observed: &DeviceConfig, records: &[Record]) -> bool {
    let of_it = records.iter().find(|record| record.object == id);
    let Some(applied) = of_it.and_then(|record| record.applied.as_ref()) else {
        return false;
    };
    let drifted: Option<BTreeSet<Field>> =
        (wish.object(id).zip(observed.object(id))).map(|(wish, held)| fields::drifted(applied, &wish, &held).collect());
    drifted.is_some_and(|drifted| drifted.contains(&field))
}
