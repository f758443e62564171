//! The live values of an object that the inventory knows, in the words of the inventory.

use crate::domain::{DoubleTag, PortBinding, PortMode, VlanId, VlanSet};
use crate::inventory::edit::{Edit, KeyPath, Value, find};
use crate::inventory::model::{State, UNTHROTTLED};
use crate::observed::{Endpoint, Object, Port, ProfileRef, Subscriber};
use crate::plan::model::ObjectChange;

use super::super::plans::not_a_plan;
use super::newcomers::known_plan;
use super::{Drifted, Obstacle};

/// What is in the inventory only where there is something.
fn some_text(text: &str) -> Option<Value> {
    (!text.is_empty()).then(|| Value::from(text))
}

fn vlan(vlan: VlanId) -> Value {
    Value::Number(vlan.get().into())
}

/// VLANs one by one and in ranges.
fn vlans(set: &VlanSet) -> Value {
    let text = set.to_string();
    let item = |part: &str| part.parse().map_or_else(|_| Value::from(part), Value::Number);
    Value::List(text.split(',').map(item).collect())
}

fn double_tag(tag: DoubleTag) -> Value {
    let uplink = tag.uplink.map(|uplink| ("uplink", Value::Number(uplink.get().into())));
    Value::map([("outer_vlan", vlan(tag.outer_vlan))].into_iter().chain(uplink))
}

fn binding(port: PortBinding) -> Value {
    match port {
        PortBinding::Port(port) => Value::Number(port.get().into()),
        other => Value::Text(other.to_string()),
    }
}

impl Drifted<'_> {
    /// The edits for an object that is there and differs from what the inventory asks for.
    pub(super) fn fields(&self, change: &ObjectChange) -> Result<Vec<Edit>, Obstacle> {
        let held = self.changes.observed.object(change.object);
        match (held, self.changes.target.object(change.object)) {
            (Some(Object::System(held)), _) => {
                let device = KeyPath::new(["devices", &self.device.key]);
                Ok(self.put(&device, "hostname", some_text(&held)).into_iter().collect())
            }
            (Some(Object::Port(held)), Some(Object::Port(wish))) => Ok(self.port(&change.key, &held, &wish)),
            (Some(Object::Profile(held)), Some(Object::Profile(wish))) => self.shared_plan(&change.key, &held, &wish),
            (Some(Object::Endpoint(held)), Some(Object::Endpoint(wish))) => self.endpoint(&change.key, &held, &wish),
            (Some(Object::Subscriber(held)), Some(Object::Subscriber(wish))) => {
                self.subscriber(&change.key, &held, &wish)
            }
            _ => Err((
                "it is not on the device as it was when this was planned".to_owned(),
                "try again".to_owned(),
            )),
        }
    }

    fn port(&self, key: &str, held: &Port, wish: &Port) -> Vec<Edit> {
        let entry = KeyPath::new(["devices", &self.device.key, "ports", key]);
        let mut edits = Vec::new();
        if held.name != wish.name {
            edits.extend(self.put(&entry, "name", some_text(&held.name)));
        }
        if held.mode != wish.mode {
            let word = match held.mode {
                PortMode::ModelDefault => "mimo",
                PortMode::Siso => "siso",
            };
            edits.extend(self.put(&entry, "mode", Some(Value::from(word))));
        }
        if held.shutdown != wish.shutdown {
            edits.extend(self.put(&entry, "shutdown", Some(Value::Flag(held.shutdown))));
        }
        edits
    }

    /// A subscriber's endpoint, or a spare one.
    fn endpoint(&self, key: &str, held: &Endpoint, wish: &Endpoint) -> Result<Vec<Edit>, Obstacle> {
        let Some(mac) = held.mac else {
            return Err((
                "the device shows no MAC address for it".to_owned(),
                "look at it with `gamops show`".to_owned(),
            ));
        };
        let mut settings: Vec<(&str, Value)> = Vec::new();
        if held.name != wish.name && held.name != mac.default_endpoint_name() {
            settings.push(("name", Value::from(held.name.as_str())));
        }
        if held.description != wish.description {
            settings.push(("description", Value::from(held.description.as_str())));
        }
        if held.management_access != wish.management_access {
            settings.push(("management_access", Value::Flag(held.management_access)));
        }
        let is_spare = self.device.endpoints.contains_key(key);
        let (owner, entry) = if is_spare {
            let entry = KeyPath::new(["devices", &self.device.key, "endpoints", key]);
            (entry.clone(), entry)
        } else {
            let owner = KeyPath::new(["subscribers", key]);
            (owner.clone(), owner.to("endpoint"))
        };
        let mut edits = Vec::new();
        let is_map = find(self.existing.files, &entry).is_some_and(|found| found.is_map);
        if held.mac != wish.mac || !(settings.is_empty() || is_map) {
            let mac = Value::Text(mac.to_string());
            edits.push(match (is_map, settings.is_empty()) {
                (true, _) => Edit::Set {
                    path: entry.to("mac"),
                    value: mac,
                },
                (false, true) => Edit::Set {
                    path: entry.clone(),
                    value: mac,
                },
                // The address alone becomes a map that has room for more.
                (false, false) => Edit::Set {
                    path: entry.clone(),
                    value: Value::map([("mac", mac)].into_iter().chain(settings.drain(..))),
                },
            });
        }
        edits.extend(
            settings
                .into_iter()
                .filter_map(|(key, value)| self.put(&entry, key, Some(value))),
        );
        // Back to the name that the device makes of the address: nothing has to be written for that.
        if held.name != wish.name && held.name == mac.default_endpoint_name() && is_map {
            edits.extend(self.put(&entry, "name", None));
        }
        if held.port != wish.port {
            edits.extend(self.put(&owner, "port", Some(binding(held.port))));
        }
        Ok(edits)
    }

    fn subscriber(&self, key: &str, held: &Subscriber, wish: &Subscriber) -> Result<Vec<Edit>, Obstacle> {
        let subscriber = self.existing.inventory.subscribers.get(key);
        let is_suspended = subscriber.is_some_and(|one| one.state == State::Suspended);
        if is_suspended && service(held) != service(wish) {
            return Err((
                "it is suspended, and what holds then is for `policies.suspension` to say".to_owned(),
                "set `state: active` if it is to have service".to_owned(),
            ));
        }
        let some_flag = |flag: bool| flag.then_some(Value::Flag(true));
        // The captive portal has no number in an inventory: who is in it has no VLAN.
        let served = Some(held.vlan).filter(|vlan| *vlan != VlanId::CAPTIVE_PORTAL);
        let allowed = Some(&held.allowed_vlans).filter(|set| !set.is_empty());
        let name = Some(Value::from(held.name.as_str())).filter(|_| held.name != key);
        let description = Some(Value::from(held.description.as_str()));
        let poe = held.poe.map(|mode| Value::Text(mode.to_string()));
        let mut settings = vec![
            ("name", held.name != wish.name, name),
            ("vlan", held.vlan != wish.vlan, served.map(vlan)),
            ("tagged", held.tagged != wish.tagged, some_flag(held.tagged)),
            (
                "remapped_vlan",
                held.remapped_vlan != wish.remapped_vlan,
                held.remapped_vlan.map(vlan),
            ),
            (
                "allowed_vlans",
                held.allowed_vlans != wish.allowed_vlans,
                allowed.map(vlans),
            ),
            (
                "port2_vlan",
                held.port2_vlan != wish.port2_vlan,
                held.port2_vlan.map(vlan),
            ),
            ("poe", held.poe != wish.poe, poe),
            ("description", held.description != wish.description, description),
            ("trunk", held.trunk != wish.trunk, some_flag(held.trunk)),
            (
                "double_tag",
                held.double_tag != wish.double_tag,
                held.double_tag.map(double_tag),
            ),
        ];
        let mut new_plan = None;
        if held.profile != wish.profile {
            let (plan, new) = self.plan_of(held.profile)?;
            new_plan = new;
            settings.push(("plan", true, Some(Value::Text(plan))));
        }
        if held.port != wish.port {
            let port = held.port.ok_or_else(|| nothing_serves("port"))?;
            settings.push(("port", true, Some(binding(PortBinding::Port(port)))));
        }
        let entry = KeyPath::new(["subscribers", key]);
        let differing = settings.into_iter().filter(|(_, differs, _)| *differs);
        let settings = differing.filter_map(|(setting, _, value)| self.put(&entry, setting, value));
        let mut edits: Vec<Edit> = new_plan.into_iter().chain(settings).collect();
        if held.endpoint != wish.endpoint {
            let mac = held
                .endpoint
                .and_then(|id| self.changes.observed.endpoints.get(&id)?.mac);
            let mac = mac.ok_or_else(|| nothing_serves("endpoint"))?;
            let endpoint = entry.to("endpoint");
            let is_map = find(self.existing.files, &endpoint).is_some_and(|found| found.is_map);
            edits.push(Edit::Set {
                path: if is_map { endpoint.to("mac") } else { endpoint },
                value: Value::Text(mac.to_string()),
            });
        }
        Ok(edits)
    }

    /// The key of the plan that a subscriber has on the device, and the edit that makes it where the inventory has none such.
    pub(super) fn plan_of(&self, profile: Option<ProfileRef>) -> Result<(String, Option<Edit>), Obstacle> {
        let obstacle = |what: String| {
            let help = "give it a profile on the device that a plan can stand for, then try again".to_owned();
            Err((what, help))
        };
        let id = match profile {
            Some(ProfileRef::Profile(id)) => id,
            Some(ProfileRef::Unthrottled) => return Ok((UNTHROTTLED.to_owned(), None)),
            None => return obstacle("the device shows no profile for it".to_owned()),
        };
        if let Some(plan) = known_plan(self.existing.inventory, self.device, self.changes, id) {
            return Ok((plan.key.clone(), None));
        }
        if let Some(reason) = not_a_plan(id, self.changes.observed.profiles.get(&id)) {
            return obstacle(reason);
        }
        match self.newcomers.plans.get(&(self.device.key.clone(), id)) {
            Some(plan) => {
                let insert = Edit::Insert {
                    path: KeyPath::new(["plans", &plan.key]),
                    value: plan.value.clone(),
                    beside: None,
                };
                Ok((plan.key.clone(), Some(insert)))
            }
            None => obstacle(format!("its profile {id} is no plan of the inventory")),
        }
    }
}

/// What suspension may change of a subscriber.
fn service(one: &Subscriber) -> impl PartialEq + use<> {
    let vlans = (
        one.vlan,
        one.tagged,
        one.remapped_vlan,
        one.allowed_vlans.clone(),
        one.port2_vlan,
    );
    (vlans, one.trunk, one.double_tag, one.profile, one.endpoint, one.port)
}

fn nothing_serves(what: &str) -> Obstacle {
    (
        format!("it has no {what} on the device: nothing serves it"),
        "apply gives it service again; to keep it without, write that into the inventory by hand".to_owned(),
    )
}
