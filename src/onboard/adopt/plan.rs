//! The live values of a bandwidth profile as those of a plan, where nobody else has the plan.

use crate::domain::Mbps;
use crate::inventory::edit::{Edit, KeyPath, Value, find};
use crate::inventory::model::Suspension;
use crate::observed::Profile;
use crate::plan::some_of;

use super::super::rates::{sold, words};
use super::{Drifted, Obstacle};

impl Drifted<'_> {
    /// The edits of a plan whose profile on this device differs.
    pub(super) fn shared_plan(&self, key: &str, held: &Profile, wish: &Profile) -> Result<Vec<Edit>, Obstacle> {
        self.refuse_shared(key)?;
        let entry = KeyPath::new(["plans", key]);
        let mut edits = Vec::new();
        if held.name != wish.name {
            let name = Some(Value::from(held.name.as_str())).filter(|_| held.name != key);
            edits.extend(self.put(&entry, "name", name));
        }
        if held.description != wish.description {
            edits.extend(self.put(&entry, "description", Some(Value::from(held.description.as_str()))));
        }
        if held.service_limit_level != wish.service_limit_level {
            let level = held.service_limit_level.map(|level| Value::Number(level.get().into()));
            edits.extend(self.put(&entry, "service_limit_level", level));
        }
        if (held.down, held.up) != (wish.down, wish.up) {
            let (Some(down), Some(up)) = (held.down, held.up) else {
                return Err((
                    "the device does not show both of its rates".to_owned(),
                    "give it rates on the device, or apply".to_owned(),
                ));
            };
            edits.extend(self.rates(&entry, down, up));
        }
        Ok(edits)
    }

    /// Rates in the words of a price list, which come to exactly what the device holds.
    fn rates(&self, entry: &KeyPath, down: Mbps, up: Mbps) -> Vec<Edit> {
        let usual = self.existing.inventory.headroom;
        let sold = sold(down, up, usual);
        let say = |rate: Mbps| Some(Value::Text(words(rate)));
        let as_one = find(self.existing.files, &entry.to("rate")).is_some() && sold.down == sold.up;
        let settings = if as_one {
            vec![("rate", say(sold.down))]
        } else {
            vec![("rate", None), ("down", say(sold.down)), ("up", say(sold.up))]
        };
        let headroom = Some(Value::Text(sold.headroom.to_string())).filter(|_| sold.headroom != usual);
        let settings = settings.into_iter().chain([("headroom", headroom)]);
        settings
            .filter_map(|(key, value)| self.put(entry, key, value))
            .collect()
    }

    /// A plan that others have is not changed for them.
    fn refuse_shared(&self, key: &str) -> Result<(), Obstacle> {
        let others = self
            .existing
            .inventory
            .subscribers
            .values()
            .filter(|one| one.plan == key && one.device != self.device.key);
        let mut users: Vec<String> = others.map(|one| format!("{} on {}", one.key, one.device)).collect();
        if matches!(&self.existing.inventory.policies.suspension, Some(Suspension::Plan(plan)) if plan == key) {
            users.push("whoever is suspended".to_owned());
        }
        if users.is_empty() {
            return Ok(());
        }
        let names: Vec<&str> = users.iter().map(String::as_str).collect();
        Err((
            format!(
                "plan {key} is not this device's alone: {} would get other rates or another name too",
                some_of(&names)
            ),
            format!(
                "write a plan of its own for the subscribers of {} and give it to them",
                self.device.key
            ),
        ))
    }
}
