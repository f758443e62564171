//! The way back: what gives a device what it held before a run, from wherever the run stopped.
//!
//! Only what the run touched is given back, field by field: what somebody else did meanwhile, to other objects or to
//! fields that the run left alone, stays and is named. The same ordering as for a plan makes every state on the way one
//! that the device accepts. What has no way back (a description that cannot be cleared, settings that nobody can write)
//! stays as well and is named; the rest is given back all the same.

mod merge;
mod since;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::domain::Medium;
use crate::observed::{AssumedWord, Capabilities, Change, DeviceConfig, Object, ObjectId, RunningConfig, Subscriber};

use super::Render;
use super::build::{address, reach};
use super::diff::{Purpose, Stuck, Violation, way_back};
use super::model::Step;
use super::resolve::Words;

pub use since::Later;
pub(super) use since::with_what_came_since;

/// Where a run stopped, and what it had done until then.
#[derive(Debug, Clone, Copy)]
pub struct Cut<'a> {
    /// Inventory key of the device.
    pub device: &'a str,
    /// What it held before the first command.
    pub before: &'a DeviceConfig,
    /// What it holds now.
    pub now: &'a DeviceConfig,
    /// The changes of which at least one command may have reached it, in order.
    pub attempted: &'a [Change],
    /// What its firmware can do.
    pub capabilities: &'a Capabilities,
    /// Whether the operator lets words be tried that nobody has seen.
    pub allow_assumed: bool,
    /// Coax or copper.
    pub medium: Medium,
}

/// The way back.
#[derive(Debug, Clone, Default)]
pub struct Rollback {
    /// The steps, in order, with their exact commands. None where the device holds what it held before.
    pub steps: Vec<Step>,
    /// What the device holds after them.
    pub target: DeviceConfig,
    /// The objects that are to be as the target says.
    pub objects: BTreeSet<ObjectId>,
    /// What the run did and what has no way back, one sentence each.
    pub left: Vec<String>,
    /// What somebody else did meanwhile to objects of the run, one sentence each. It stays.
    pub others: Vec<String>,
}

/// Works out the way back.
///
/// # Errors
///
/// [`Stuck`] where there is none that the device would accept, in no part. Nothing should be sent then.
pub fn rollback(cut: Cut<'_>, render: Render<'_>) -> Result<Rollback, Stuck> {
    let touched = touched(cut.before, cut.attempted);
    let seen_before = RunningConfig {
        managed: Arc::new(cut.before.clone()),
        ..RunningConfig::default()
    };
    // A word that the device printed then, it knows, even if it prints it nowhere now.
    let capabilities = cut.capabilities.clone().having_seen(&seen_before);
    let words = Words {
        capabilities: &capabilities,
        allow_assumed: cut.allow_assumed,
    };
    let mut without: BTreeMap<ObjectId, String> = BTreeMap::new();
    loop {
        let mut aim = aim(cut, &touched, &without, words);
        let difference = match way_back(cut.now, &aim.target, &capabilities, cut.medium) {
            Ok(difference) => difference,
            Err(stuck) => match obstacle(&stuck, &touched, &without) {
                Some(object) => {
                    without.insert(object, stuck.to_string());
                    continue;
                }
                None => return Err(stuck),
            },
        };
        let mut steps = Vec::with_capacity(difference.changes.len());
        let mut unsendable = None;
        for ordered in &difference.changes {
            let object = ordered.change.object();
            match render(&ordered.change) {
                Ok(commands) => steps.push(Step {
                    address: address(cut.device, object, &BTreeMap::new()).1,
                    change: ordered.change.clone(),
                    makes_room: ordered.purpose == Purpose::MakeRoom,
                    commands,
                }),
                Err(why) => {
                    unsendable = Some((object, why));
                    break;
                }
            }
        }
        if let Some((object, why)) = unsendable {
            if touched.contains_key(&object) && !without.contains_key(&object) {
                without.insert(object, why);
                continue;
            }
            return Err(Stuck::NoOrder { object });
        }
        aim.left.extend(difference.cannot_clear.iter().map(ToString::to_string));
        let objects = steps.iter().map(|step| step.change.object());
        return Ok(Rollback {
            target: reach(cut.now, &difference.changes),
            objects: objects.chain(aim.answers_for).collect(),
            steps,
            left: aim.left,
            others: aim.others,
        });
    }
}

/// What the run made of an object, or may have made of it.
#[derive(Debug, Default)]
struct Touched {
    /// Every state that the object had or may have had, absence left out; the one before the run first.
    states: Vec<Object>,
    /// Whether it was made or deleted on the way, so that no field of it is what it was.
    remade: bool,
    /// Whether a deletion may have reached the device.
    deleted: bool,
}

impl Touched {
    /// Whether an object found under this number is one that the run left there: under a name or a binding that it
    /// had at some time.
    fn is_it(&self, found: &Object) -> bool {
        let same = |state: &Object| match (state, found) {
            (Object::System(_), _) | (Object::Port(_), _) => true,
            (Object::Endpoint(state), Object::Endpoint(found)) => {
                state.name == found.name || state.mac.is_some() && state.mac == found.mac
            }
            (Object::Subscriber(state), Object::Subscriber(found)) => {
                state.name == found.name
                    || state.endpoint.is_some() && state.endpoint == found.endpoint
                    || state.port.is_some() && state.port == found.port
            }
            (state, found) => state.name() == found.name(),
        };
        self.states.iter().any(same)
    }
}

fn touched(before: &DeviceConfig, attempted: &[Change]) -> BTreeMap<ObjectId, Touched> {
    let mut touched: BTreeMap<ObjectId, Touched> = BTreeMap::new();
    for change in attempted {
        let id = change.object();
        let object = touched.entry(id).or_insert_with(|| Touched {
            states: before.object(id).into_iter().collect(),
            ..Touched::default()
        });
        let (from, to) = change.sides();
        object.deleted |= to.is_none();
        object.remade |= from.is_none() || to.is_none();
        object.states.extend(from.into_iter().chain(to));
    }
    touched
}

/// What the device is to hold, as far as can be told before looking for an order.
struct Aim {
    target: DeviceConfig,
    /// Objects that are given back.
    answers_for: Vec<ObjectId>,
    left: Vec<String>,
    others: Vec<String>,
}

fn aim(
    cut: Cut<'_>,
    touched: &BTreeMap<ObjectId, Touched>,
    without: &BTreeMap<ObjectId, String>,
    words: Words<'_>,
) -> Aim {
    let mut aim = Aim {
        target: cut.now.clone(),
        answers_for: Vec::new(),
        left: Vec::new(),
        others: Vec::new(),
    };
    for (id, object) in touched {
        if let Some(why) = without.get(id) {
            aim.left.push(format!("{id} stays as it is: {why}"));
            continue;
        }
        let (now, before) = (cut.now.object(*id), cut.before.object(*id));
        let back = match (now, before) {
            (None, None) => continue,
            (Some(found), _) if !object.is_it(&found) => {
                aim.others.push(format!(
                    "{id} is `{}` now, which is not of this run: it stays",
                    found.name()
                ));
                continue;
            }
            (None, Some(_)) if !object.deleted => {
                aim.others
                    .push(format!("{id} was deleted by somebody else: it stays so"));
                continue;
            }
            (Some(_), None) => None,
            (None, Some(before)) => Some(before),
            (Some(_), Some(before)) if object.remade => Some(before),
            (Some(now), Some(before)) => Some(merge::merged(now, before, &object.states)),
        };
        match (*id, back) {
            (ObjectId::Subscriber(number), Some(Object::Subscriber(mut subscriber))) => {
                let held = cut.now.subscribers.get(&number).cloned().unwrap_or_default();
                aim.left.extend(withhold(*id, &mut subscriber, &held, words));
                aim.target.subscribers.insert(number, *subscriber);
            }
            (_, back) => merge::put(&mut aim.target, *id, back),
        }
        aim.answers_for.push(*id);
    }
    aim
}

/// Leaves as they are the fields whose words must not be said to this device, and says so.
fn withhold(id: ObjectId, back: &mut Subscriber, held: &Subscriber, words: Words<'_>) -> Vec<String> {
    let needed: Vec<AssumedWord> = AssumedWord::needed(held, back).collect();
    let mut left = Vec::new();
    for word in needed {
        if let Some(reason) = words.withheld(word) {
            if word.is_needed(held, back) {
                left.push(format!("{id}: its {} stays as it is: {reason}", word.field()));
            }
            word.put_back(back, held);
        }
    }
    left
}

/// An object of the run that makes a way back impossible and is not yet left out. `None` where it is nothing of the
/// run.
fn obstacle(
    stuck: &Stuck,
    touched: &BTreeMap<ObjectId, Touched>,
    without: &BTreeMap<ObjectId, String>,
) -> Option<ObjectId> {
    let concerned = match stuck {
        Stuck::UnknownWords { object, .. } => vec![*object],
        Stuck::Outcome(violation) => match violation {
            Violation::Name { holders, .. }
            | Violation::Mac { holders, .. }
            | Violation::Endpoint { holders, .. }
            | Violation::ServicePort { holders, .. }
            | Violation::PortFull { holders, .. } => holders.clone(),
            Violation::Missing { from, to } => vec![*from, *to],
            Violation::Empty { object, .. } => vec![*object],
            Violation::SamePort2Vlan { subscriber } => vec![*subscriber],
            Violation::Mode { port } => vec![ObjectId::Port(*port)],
        },
        Stuck::NoOrder { .. } => Vec::new(),
    };
    let mut open = concerned
        .into_iter()
        .filter(|object| touched.contains_key(object) && !without.contains_key(object));
    // One at a time: where that one stays, the others may well have their way back.
    open.next()
}
