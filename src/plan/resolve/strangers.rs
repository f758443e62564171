//! What unmanaged subscribers use of gamops's own: it is not changed under them, nor taken away.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::domain::ProfileId;
use crate::observed::{Kind, ObjectId, Profile, ProfileRef};
use crate::plan::matching::is_owned;
use crate::plan::record::Record;

use super::{Refusal, Resolver};

impl Resolver<'_> {
    /// A profile that unmanaged subscribers use is theirs too: its rates are not changed under them.
    pub(super) fn refuse_to_change_for_strangers(&mut self, id: ProfileId, target: &Profile, name: &str) {
        let Some(held) = self.observed.profiles.get(&id) else {
            return;
        };
        if (held.down, held.up) == (target.down, target.up) {
            return;
        }
        let records = self.records_of(Kind::Subscriber);
        let wishes = &self.desired.subscribers;
        let keys: BTreeSet<&str> = wishes.keys().map(String::as_str).collect();
        let names: BTreeSet<&str> = wishes.values().map(|wish| wish.name.as_str()).collect();
        let strangers: Vec<String> = self
            .observed
            .subscribers
            .iter()
            .filter(|(_, subscriber)| subscriber.profile == Some(ProfileRef::Profile(id)))
            .filter(|(number, subscriber)| {
                let candidate = self.subscriber_candidate(**number, subscriber);
                !names.contains(subscriber.name.as_str()) && !is_owned(Kind::Subscriber, &candidate, &records, &keys)
            })
            .map(|(_, subscriber)| format!("`{}`", subscriber.name))
            .collect();
        if !strangers.is_empty() {
            self.out.refusals.push(Refusal {
                rule: "profile-shared-with-unmanaged",
                message: format!(
                    "bandwidth profile {id} `{name}` would change its rates under unmanaged subscribers: {}",
                    strangers.join(", ")
                ),
                help: "add those subscribers to the inventory, or give the plan another `name`".to_owned(),
            });
        }
    }

    /// An owned profile or endpoint that an unmanaged subscriber refers to stays: the device would not stop
    /// us, and the stranger would silently lose its limit or its service.
    pub(super) fn keep_what_strangers_use(&mut self) {
        let mut keep: BTreeMap<ObjectId, Vec<String>> = BTreeMap::new();
        for subscriber in self.out.target.subscribers.values() {
            let endpoint = subscriber
                .endpoint
                .filter(|id| !self.out.target.endpoints.contains_key(id));
            let profile = match subscriber.profile {
                Some(ProfileRef::Profile(id)) if !self.out.target.profiles.contains_key(&id) => Some(id),
                _ => None,
            };
            let missing = endpoint
                .map(ObjectId::Endpoint)
                .into_iter()
                .chain(profile.map(ObjectId::Profile));
            for id in missing.filter(|id| self.observed.object(*id).is_some()) {
                keep.entry(id).or_default().push(subscriber.name.clone());
            }
        }
        for (id, users) in keep {
            match id {
                ObjectId::Endpoint(id) => {
                    if let Some(endpoint) = self.observed.endpoints.get(&id) {
                        self.target().endpoints.insert(id, endpoint.clone());
                    }
                }
                ObjectId::Profile(id) => {
                    if let Some(profile) = self.observed.profiles.get(&id) {
                        self.target().profiles.insert(id, profile.clone());
                    }
                }
                _ => continue,
            }
            let records = self.records_of(id.kind());
            if let Some(record) = records.values().find(|record| record.object == id) {
                // Its key may lead to another object now, such as one under a newly pinned number.
                let same_key = |other: &Record| other.kind() == record.kind() && other.key == record.key;
                let kept = if self.owned.iter().any(|owned| same_key(owned)) {
                    Cow::Owned(record.left_behind())
                } else {
                    Cow::Borrowed(*record)
                };
                self.owned.push(kept);
            }
            self.out.notes.push(format!(
                "{id} has left the inventory but stays: unmanaged subscriber `{}` uses it",
                users.join("`, `")
            ));
        }
    }
}
