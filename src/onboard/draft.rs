//! What is going to be written, object by object, and what has been taken out of it, with the reason.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{EndpointId, PortBinding, ProfileId, SubscriberId};
use crate::inventory::model::Transport;
use crate::observed::{DeviceConfig, Endpoint, ObjectId, ProfileRef, Subscriber};

use super::files::Layout;
use super::found::{Existing, Found};
use super::naming;
use super::outcome::harmless;
use super::plans::{Plans, not_a_plan};

/// Something that an inventory has an entry for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Item {
    /// A device with all that is on it, by its place among the drafts.
    Device(usize),
    /// An object of a device. A subscriber's endpoint belongs to the subscriber.
    Object(usize, ObjectId),
    /// A plan, by its place among the plans.
    Plan(usize),
}

/// A setting that can be left out of an entry, because what is left out is left as it is on the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// Name of a port or of a spare endpoint.
    Name,
    /// Description of whatever it is.
    Description,
    /// Name of a subscriber's endpoint.
    EndpointName,
    /// Description of a subscriber's endpoint.
    EndpointDescription,
    /// Host name of a device.
    Hostname,
}

impl Field {
    /// As a sentence about an entry begins.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Name => "its name",
            Self::Description => "its description",
            Self::EndpointName => "the name of its endpoint",
            Self::EndpointDescription => "the description of its endpoint",
            Self::Hostname => "its host name",
        }
    }
}

/// A device and its keys.
#[derive(Debug)]
pub(super) struct DeviceDraft<'f> {
    /// As it was read.
    pub(super) found: &'f Found,
    /// Its place among the devices that were read.
    pub(super) place: usize,
    /// Inventory key.
    pub(super) key: String,
    /// Key of the site that it stands in, where files go by site.
    pub(super) site: Option<String>,
    /// What it holds of settings: on a port-aware device without the endpoints that it adds by itself.
    pub(super) config: DeviceConfig,
    /// Keys of its subscribers.
    pub(super) subscribers: BTreeMap<SubscriberId, String>,
    /// Keys of the endpoints that serve nobody.
    pub(super) spares: BTreeMap<EndpointId, String>,
    /// How the inventory would reach it by its defaults, where that is not as usual.
    pub(super) defaults: Option<Transport>,
}

impl DeviceDraft<'_> {
    /// The endpoint that serves a subscriber.
    pub(super) fn endpoint_of(&self, subscriber: &Subscriber) -> Option<&Endpoint> {
        self.config.endpoints.get(&subscriber.endpoint?)
    }
}

/// All of it.
#[derive(Debug)]
pub(super) struct Draft<'f> {
    /// The devices, by key.
    pub(super) devices: Vec<DeviceDraft<'f>>,
    /// The plans that their subscribers have.
    pub(super) plans: Plans,
    out: BTreeMap<Item, String>,
    left: BTreeMap<(Item, Field), String>,
}

impl<'f> Draft<'f> {
    /// Gives everything its key, and takes out what no inventory can say.
    pub(super) fn new(found: &'f [Found], existing: Option<Existing<'_>>, layout: Layout) -> Self {
        let inventory = existing.map(|existing| existing.inventory);
        let mut devices = naming::devices(found, inventory, layout);
        let configs: Vec<&DeviceConfig> = devices.iter().map(|device| &device.config).collect();
        let plans = Plans::of(&configs, existing);
        naming::subscribers(&mut devices, inventory);
        naming::spares(&mut devices);
        let mut draft = Self {
            devices,
            plans,
            out: BTreeMap::new(),
            left: BTreeMap::new(),
        };
        draft.take_out_what_cannot_be_said();
        draft
    }

    /// Takes something out. The first reason counts. `false` where it was out already.
    pub(super) fn take_out(&mut self, item: Item, reason: String) -> bool {
        if self.is_out(item) {
            return false;
        }
        if let Item::Plan(plan) = item {
            let name = self
                .plans
                .list
                .get(plan)
                .map_or_else(String::new, |plan| harmless(&plan.name));
            for user in self.users(plan) {
                self.take_out(user, format!("its bandwidth profile `{name}`: {reason}"));
            }
        }
        self.out.insert(item, reason);
        true
    }

    /// Leaves a setting of an entry to the device. `false` where that was so already.
    pub(super) fn leave(&mut self, item: Item, field: Field, reason: String) -> bool {
        if self.left.contains_key(&(item, field)) {
            return false;
        }
        self.left.insert((item, field), reason);
        true
    }

    /// Why a setting of an entry is left to the device; `None` where it is written.
    pub(super) fn is_left(&self, item: Item, field: Field) -> Option<&str> {
        self.left.get(&(item, field)).map(String::as_str)
    }

    /// Why something is out; `None` where it is in. What is on a device that is out is not asked about.
    pub(super) fn reason(&self, item: Item) -> Option<&str> {
        self.out.get(&item).map(String::as_str)
    }

    pub(super) fn is_out(&self, item: Item) -> bool {
        self.out.contains_key(&item)
    }

    /// All that is out on a device, objects by kind and number.
    pub(super) fn out_on(&self, device: usize) -> impl Iterator<Item = (ObjectId, &str)> {
        self.out.iter().filter_map(move |(item, reason)| match item {
            Item::Object(on, id) if *on == device => Some((*id, reason.as_str())),
            _ => None,
        })
    }

    /// The devices that are in, with their places.
    pub(super) fn devices_in(&self) -> impl Iterator<Item = (usize, &DeviceDraft<'f>)> {
        let devices = self.devices.iter().enumerate();
        devices.filter(|(place, _)| !self.is_out(Item::Device(*place)))
    }

    /// The subscribers of a device that are in.
    pub(super) fn subscribers_in(&self, device: usize) -> impl Iterator<Item = (SubscriberId, &Subscriber)> {
        let subscribers = self
            .devices
            .get(device)
            .into_iter()
            .flat_map(|device| &device.config.subscribers);
        subscribers
            .map(|(id, subscriber)| (*id, subscriber))
            .filter(move |(id, _)| !self.is_out(Item::Object(device, ObjectId::Subscriber(*id))))
    }

    /// The plans that subscribers who are in have.
    pub(super) fn plans_in(&self) -> BTreeSet<usize> {
        let mut plans = BTreeSet::new();
        for (device, _) in self.devices_in() {
            let subscribers = self.subscribers_in(device);
            plans.extend(subscribers.filter_map(|(_, one)| self.plan_of(device, one)));
        }
        plans
    }

    /// The plan of a subscriber. `None`: unthrottled, or with a profile that is no plan.
    pub(super) fn plan_of(&self, device: usize, subscriber: &Subscriber) -> Option<usize> {
        match subscriber.profile {
            Some(ProfileRef::Profile(id)) => self.plans.of.get(&(device, id)).copied(),
            Some(ProfileRef::Unthrottled) | None => None,
        }
    }

    /// The subscribers that have a plan, in or out.
    fn users(&self, plan: usize) -> Vec<Item> {
        let users = |(device, draft): (usize, &DeviceDraft<'_>)| -> Vec<Item> {
            let subscribers = draft.config.subscribers.iter();
            let uses = subscribers.filter(|(_, one)| self.plan_of(device, one) == Some(plan));
            uses.map(|(id, _)| Item::Object(device, ObjectId::Subscriber(*id)))
                .collect()
        };
        self.devices.iter().enumerate().flat_map(users).collect()
    }

    /// The subscribers of a device that have a profile, as items.
    pub(super) fn users_on(&self, device: usize, profile: ProfileId) -> Vec<Item> {
        let uses = |one: &Subscriber| one.profile == Some(ProfileRef::Profile(profile));
        self.items(device, uses)
    }

    /// The subscriber that an endpoint serves, or the endpoint itself where it serves nobody.
    pub(super) fn whose(&self, device: usize, endpoint: EndpointId) -> Vec<Item> {
        let served = self.items(device, |one| one.endpoint == Some(endpoint));
        if served.is_empty() {
            vec![Item::Object(device, ObjectId::Endpoint(endpoint))]
        } else {
            served
        }
    }

    fn items(&self, device: usize, is_it: impl Fn(&Subscriber) -> bool) -> Vec<Item> {
        let subscribers = self
            .devices
            .get(device)
            .into_iter()
            .flat_map(|device| &device.config.subscribers);
        let found = subscribers.filter(|(_, one)| is_it(one));
        found
            .map(|(id, _)| Item::Object(device, ObjectId::Subscriber(*id)))
            .collect()
    }

    /// The endpoints of a device that are in, serve nobody and go to whatever port they appear on.
    pub(super) fn roaming_spares(&self, device: usize) -> Vec<Item> {
        let Some(draft) = self.devices.get(device) else {
            return Vec::new();
        };
        let roams = |id: &&EndpointId| {
            draft
                .config
                .endpoints
                .get(id)
                .is_some_and(|one| one.port == PortBinding::Auto)
        };
        let items = draft
            .spares
            .keys()
            .filter(roams)
            .map(|id| Item::Object(device, ObjectId::Endpoint(*id)));
        items.filter(|item| !self.is_out(*item)).collect()
    }

    fn take_out_what_cannot_be_said(&mut self) {
        let mut out: Vec<(Item, String)> = Vec::new();
        for (place, device) in self.devices.iter().enumerate() {
            for (id, settings) in &device.found.unreadable {
                let reason = format!("the device says `{}`, which gamops cannot read", settings.join(" "));
                match id {
                    ObjectId::Profile(id) => out.extend(
                        self.users_on(place, *id)
                            .into_iter()
                            .map(|user| (user, format!("bandwidth profile {id}: {reason}"))),
                    ),
                    ObjectId::Endpoint(id) => out.extend(
                        self.whose(place, *id)
                            .into_iter()
                            .map(|whose| (whose, format!("endpoint {id}: {reason}"))),
                    ),
                    _ => out.push((Item::Object(place, *id), reason)),
                }
            }
            for (id, subscriber) in &device.config.subscribers {
                if let Some(reason) = unspeakable(&device.config, subscriber) {
                    out.push((Item::Object(place, ObjectId::Subscriber(*id)), reason));
                }
            }
            for id in device.spares.keys() {
                let endpoint = device.config.endpoints.get(id);
                if let Some(reason) = endpoint.and_then(unspeakable_endpoint) {
                    out.push((Item::Object(place, ObjectId::Endpoint(*id)), format!("it {reason}")));
                }
            }
        }
        for (item, reason) in out {
            self.take_out(item, reason);
        }
    }
}

/// Why no entry can stand for a subscriber, whatever the rules of the inventory say; `None` where one can.
fn unspeakable(config: &DeviceConfig, subscriber: &Subscriber) -> Option<String> {
    if subscriber.name.is_empty() {
        return Some("it has no name".to_owned());
    }
    match subscriber.profile {
        None => return Some("the device does not say what limits its rate".to_owned()),
        Some(ProfileRef::Profile(id)) => {
            if let Some(reason) = not_a_plan(id, config.profiles.get(&id)) {
                return Some(reason);
            }
        }
        Some(ProfileRef::Unthrottled) => {}
    }
    let id = subscriber.endpoint?;
    match config.endpoints.get(&id) {
        None => Some(format!("it is on endpoint {id}, which is not configured")),
        Some(endpoint) => unspeakable_endpoint(endpoint).map(|reason| format!("its endpoint {id} {reason}")),
    }
}

fn unspeakable_endpoint(endpoint: &Endpoint) -> Option<&'static str> {
    if endpoint.mac.is_none() {
        Some("has no MAC address")
    } else if endpoint.name.is_empty() {
        Some("has no name, and would be given one")
    } else {
        None
    }
}

/// The order in which people look for subscribers: by port, as on the patch panel, then by number.
pub(super) fn by_port(device: &DeviceDraft<'_>, subscriber: &Subscriber) -> u16 {
    let bound = device.endpoint_of(subscriber).map(|endpoint| endpoint.port);
    match (subscriber.port, bound) {
        (Some(port), _) | (None, Some(PortBinding::Port(port))) => port.get(),
        (None, _) => u16::MAX,
    }
}
