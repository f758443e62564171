//! Puts changes in order.
//!
//! Works like a careful operator: make and change all that can be made and changed as things stand; when
//! nothing more can, take the first change that waits, follow what it waits for, and free exactly that: by a
//! deletion that is due anyway if one is there, else, where changes wait for each other in a circle, by the
//! cheapest step that opens it. Deletions that nobody waits for come last.
//!
//! It ends: each object is brought to its goal once, and what it lets go of on the way (a name, its place on
//! a port, an endpoint) it takes again only as part of its goal.

mod waits;

use std::collections::BTreeSet;

use crate::domain::Medium;
use crate::observed::{Capabilities, Change, DeviceConfig, FromTo, Kind, ObjectId};

use super::object::{self, Object};
use super::state::State;
use super::{OrderedChange, Purpose, Stuck, TEMPORARY_NAME};

use waits::{Step, Wait};

/// The changes from `from` to `target`, which must be a configuration that the device accepts.
pub(super) fn schedule(
    from: &DeviceConfig,
    target: &DeviceConfig,
    capabilities: &Capabilities,
    medium: Medium,
) -> Result<Vec<OrderedChange>, Stuck> {
    let mut scheduler = Scheduler {
        from,
        target,
        rename_in_place: capabilities.rename_in_place.is_yes(),
        new_mac_in_place: capabilities.new_mac_in_place.is_yes(),
        room: medium.endpoints_per_port(),
        state: State::new(from),
        pending: object::ids(from).chain(object::ids(target)).collect(),
        changes: Vec::new(),
    };
    scheduler.pending.retain(|id| !from.is_same_at(*id, target));
    scheduler.run()?;
    Ok(scheduler.changes)
}

struct Scheduler<'a> {
    from: &'a DeviceConfig,
    target: &'a DeviceConfig,
    rename_in_place: bool,
    new_mac_in_place: bool,
    room: usize,
    state: State,
    /// Objects that are not at their goal; their order is that of making: ports, profiles, endpoints,
    /// subscribers.
    pending: BTreeSet<ObjectId>,
    changes: Vec<OrderedChange>,
}

impl Scheduler<'_> {
    fn run(&mut self) -> Result<(), Stuck> {
        self.refuse_lossy_steps()?;
        // Far above what any pair of configurations takes: a loop would be our bug, not an endless wait.
        let mut patience = 16 + 16 * self.pending.len();
        while let Some(waiting) = self
            .pending
            .iter()
            .copied()
            .find(|id| self.step(*id) != Some(Step::Delete))
        {
            patience = patience.checked_sub(1).ok_or(Stuck::NoOrder { object: waiting })?;
            if !self.make_and_change()? && !self.make_one_anew()? {
                self.free_something_for(waiting)?;
            }
        }
        self.delete_the_rest()?;
        if self.state.hostname() != self.target.hostname {
            self.push(
                Change::SetHostname(FromTo {
                    from: self.state.hostname().to_owned(),
                    to: self.target.hostname.clone(),
                }),
                Purpose::Wanted,
            )?;
        }
        Ok(())
    }

    /// Settings that we do not know cannot be written, so an object that has them is never made.
    fn refuse_lossy_steps(&self) -> Result<(), Stuck> {
        for id in &self.pending {
            let made = match self.step(*id) {
                Some(Step::Create) => self.goal(*id),
                Some(Step::Anew) => self.state.get(*id),
                _ => None,
            };
            if let Some(object) = made
                && !object.unknown().is_empty()
            {
                return Err(would_lose(*id, &object));
            }
        }
        Ok(())
    }

    /// Makes and changes in place all that can be; tells whether there was anything.
    fn make_and_change(&mut self) -> Result<bool, Stuck> {
        let before = self.changes.len();
        for id in self.pending.clone() {
            if matches!(self.step(id), Some(Step::Create | Step::Update)) && self.waits(id).is_empty() {
                self.finish(id)?;
            }
        }
        Ok(self.changes.len() > before)
    }

    /// Makes one object anew under its number, in one go: who refers to it lets go just before and takes hold
    /// again just after, so that the service is away as briefly as can be.
    fn make_one_anew(&mut self) -> Result<bool, Stuck> {
        let ready = |id: &ObjectId| self.step(*id) == Some(Step::Anew) && self.waits(*id).is_empty();
        let Some(id) = self.pending.iter().copied().find(ready) else {
            return Ok(false);
        };
        let still_referring: Vec<(ObjectId, Option<Object<'static>>)> = self
            .state
            .referring_to(id)
            .into_iter()
            .filter(|by| {
                self.goal(*by)
                    .is_some_and(|goal| goal.endpoint() == Some(id) || goal.profile() == Some(id))
            })
            .map(|by| (by, self.state.get(by).map(Object::into_owned)))
            .collect();
        self.take_away(id)?;
        self.finish(id)?;
        for (by, before) in still_referring {
            self.put(by, before, Purpose::MakeRoom)?;
        }
        Ok(true)
    }

    /// Frees one thing that the step of `waiting` waits for, directly or at the end of a chain.
    fn free_something_for(&mut self, waiting: ObjectId) -> Result<(), Stuck> {
        if let Some(due) = self.deletion_waited_for(waiting) {
            return self.put(due, None, Purpose::Wanted);
        }
        let circle = self.circle_from(waiting)?;
        let cheapest = circle
            .iter()
            .filter_map(|wait| Some((self.cost(*wait)?, *wait)))
            .min_by_key(|(cost, _)| *cost)
            .map(|(_, wait)| wait);
        let Some(wait) = cheapest else {
            // Only objects that must not be deleted can make every way out impossible.
            let holder = circle.iter().map(|wait| wait.holder()).find_map(|id| {
                let object = self.state.get(id)?;
                (!object.unknown().is_empty()).then(|| would_lose(id, &object))
            });
            return Err(holder.unwrap_or(Stuck::NoOrder { object: waiting }));
        };
        self.open(wait)
    }

    /// A deletion that can be made now, somewhere along what `waiting` waits for.
    fn deletion_waited_for(&self, waiting: ObjectId) -> Option<ObjectId> {
        let mut seen = BTreeSet::from([waiting]);
        let mut open = vec![waiting];
        while let Some(id) = open.pop() {
            for holder in self.waits(id).into_iter().map(Wait::holder) {
                if !seen.insert(holder) {
                    continue;
                }
                if self.step(holder) == Some(Step::Delete) && self.waits(holder).is_empty() {
                    return Some(holder);
                }
                open.push(holder);
            }
        }
        None
    }

    /// Follows the first wait of each step until an object comes up twice.
    fn circle_from(&self, waiting: ObjectId) -> Result<Vec<Wait>, Stuck> {
        let mut path: Vec<(ObjectId, Wait)> = Vec::new();
        let mut at = waiting;
        loop {
            if let Some(start) = path.iter().position(|(id, _)| *id == at) {
                return Ok(path.split_off(start).into_iter().map(|(_, wait)| wait).collect());
            }
            let wait = self.waits(at).into_iter().next().ok_or(Stuck::NoOrder { object: at })?;
            path.push((at, wait));
            at = wait.holder();
        }
    }

    /// How much it hurts to end the waiting by force; `None` where it cannot be done. A temporary name
    /// interrupts nothing; an endpoint off its port and a subscriber off its endpoint are without service for
    /// some seconds; making an object anew is both of that and more commands.
    fn cost(&self, wait: Wait) -> Option<u8> {
        let anew = |id: ObjectId| {
            let keeps_nothing = self.goal(id).is_none() || self.state.get(id)?.unknown().is_empty();
            keeps_nothing.then_some(9)
        };
        match wait {
            Wait::Exists(_) => None,
            Wait::Name(id) if self.can_rename(id) => Some(1),
            Wait::Name(id) | Wait::Mac(id) => anew(id),
            Wait::Room(_) => Some(2),
            Wait::Reference { .. } | Wait::ServicePort(_) => Some(3),
        }
    }

    /// Ends a wait by force.
    fn open(&mut self, wait: Wait) -> Result<(), Stuck> {
        let id = wait.holder();
        let now = self.state.get(id).ok_or(Stuck::NoOrder { object: id })?.into_owned();
        match wait {
            Wait::Exists(_) => Err(Stuck::NoOrder { object: id }),
            Wait::Name(_) if self.can_rename(id) => {
                let name = self.free_name(id.kind());
                self.put(id, Some(now.named(name)), Purpose::MakeRoom)
            }
            Wait::Name(_) | Wait::Mac(_) => self.take_away(id),
            Wait::Room(_) => self.put(id, Some(now.unassigned()), Purpose::MakeRoom),
            Wait::ServicePort(_) => self.put(id, Some(now.off_its_port()), Purpose::MakeRoom),
            Wait::Reference { to, .. } => self.put(id, Some(now.released_from(to)), Purpose::MakeRoom),
        }
    }

    /// Deletes an object that may be in use: who refers to it lets go first, since the device would not stop
    /// us and what it does to the reference is unknown.
    fn take_away(&mut self, id: ObjectId) -> Result<(), Stuck> {
        for by in self.state.referring_to(id) {
            if self.goal(by).is_none() {
                self.put(by, None, Purpose::Wanted)?;
            } else {
                let released = self.state.get(by).map(|object| object.released_from(id).into_owned());
                self.put(by, released, Purpose::MakeRoom)?;
            }
        }
        let purpose = if self.goal(id).is_none() {
            Purpose::Wanted
        } else {
            Purpose::MakeRoom
        };
        self.put(id, None, purpose)
    }

    /// Subscribers, then endpoints, then profiles.
    fn delete_the_rest(&mut self) -> Result<(), Stuck> {
        for kind in [Kind::Subscriber, Kind::Endpoint, Kind::Profile] {
            for id in self.pending.clone().into_iter().filter(|id| id.kind() == kind) {
                if !self.waits(id).is_empty() {
                    return Err(Stuck::NoOrder { object: id });
                }
                self.put(id, None, Purpose::Wanted)?;
            }
        }
        match self.pending.first() {
            Some(object) => Err(Stuck::NoOrder { object: *object }),
            None => Ok(()),
        }
    }

    /// A name that nobody of the kind has or will have; within 31 characters.
    fn free_name(&self, kind: Kind) -> String {
        let mut number = 1u32;
        loop {
            let name = format!("{TEMPORARY_NAME}{number}");
            let mut goals = object::ids(self.target).filter(|id| id.kind() == kind);
            let is_wanted = goals.any(|id| self.target.name_of(id) == Some(&name));
            if self.state.named(kind, &name).is_empty() && !is_wanted {
                return name;
            }
            number += 1;
        }
    }

    /// Brings an object to its goal. It was wanted if the wish differs; else it only gets back what it lent.
    fn finish(&mut self, id: ObjectId) -> Result<(), Stuck> {
        let goal = self.goal(id);
        let lent = Object::get(self.from, id) == goal;
        self.put(id, goal, if lent { Purpose::MakeRoom } else { Purpose::Wanted })
    }

    /// Makes an object so.
    fn put(&mut self, id: ObjectId, next: Option<Object<'_>>, purpose: Purpose) -> Result<(), Stuck> {
        let change = object::change(id, self.state.get(id), next).ok_or(Stuck::NoOrder { object: id })?;
        self.push(change, purpose)
    }

    fn push(&mut self, change: Change, purpose: Purpose) -> Result<(), Stuck> {
        let id = change.object();
        self.state.apply(&change).map_err(|_| Stuck::NoOrder { object: id })?;
        if self.step(id).is_some() {
            self.pending.insert(id);
        } else {
            self.pending.remove(&id);
        }
        self.changes.push(OrderedChange { change, purpose });
        Ok(())
    }
}

fn would_lose(object: ObjectId, held: &Object<'_>) -> Stuck {
    Stuck::UnknownWords {
        object,
        words: held.unknown().join(" "),
    }
}
