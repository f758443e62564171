//! Services that nobody in the inventory has yet: whose endpoint shows up becomes a subscriber.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::domain::{MacAddr, PortBinding, PortNumber, SubscriberModel};
use crate::inventory::billing::{Mapping, Placeholder, Template};
use crate::inventory::edit::{Edit, KeyPath, Value};
use crate::inventory::model::{Device, Subscriber};

use super::clue::{Address, Belongs, belongs, text};
use super::decision::{Decided, Intent, Why};
use super::facts::{Facts, SeenEndpoint};
use super::judge::open;
use super::pool::Pools;
use super::tie::{Listed, Ties, once_shared_words, shared_words, standing_words};
use super::words::{listed as list, said};
use super::{Kind, Standing, offer};

/// Characters of a name on a device.
const NAME_LENGTH: usize = 31;
/// Characters of a text on a device.
const DESCRIPTION_LENGTH: usize = 63;
/// Characters of a key.
const KEY_LENGTH: usize = 63;

/// Why a service does not become a subscriber.
type NotMade = (Why, String);

/// Where a new subscriber is.
#[derive(Clone, Copy)]
struct Place<'f> {
    device: &'f Device,
    port: PortNumber,
    mac: MacAddr,
}

/// Makes subscribers of services, one after the other.
pub(super) struct Maker<'m, 'f> {
    facts: &'m Facts<'f>,
    mapping: &'f Mapping,
    shared: &'m BTreeMap<MacAddr, Vec<crate::domain::ServiceRef>>,
    pools: Pools<'f>,
    /// Whose endpoint an address is.
    owners: HashMap<MacAddr, &'f Subscriber>,
    spares: HashMap<MacAddr, (&'f str, &'f str)>,
    seen: HashMap<MacAddr, BTreeSet<(&'f str, PortNumber)>>,
    /// Keys, and names by device, that were given in this run.
    keys: HashSet<String>,
    names: HashSet<(String, String)>,
    /// How many were put on a port in this run.
    put: HashMap<(String, PortNumber), usize>,
}

/// Decides about every service that is nobody's.
pub(super) fn newcomers<'f>(facts: &Facts<'f>, mapping: &'f Mapping, ties: &Ties<'f>, decided: &mut Decided) {
    let mut maker = Maker::new(facts, mapping, ties, decided.clock.is_none());
    for (place, listed) in ties.services.iter().enumerate() {
        if ties.claimed.contains(&place) {
            continue;
        }
        let name = || Some(listed.name.clone());
        match listed.service.standing {
            Standing::Active | Standing::Delinquent => match maker.make(listed) {
                Ok(Some(intent)) => decided.intents.push(intent),
                Ok(None) => {}
                Err((why, words)) => decided.open.push(open(None, name(), why, words)),
            },
            Standing::Unclear => {
                let words = format!("nobody has it, and it is {}", standing_words(listed.service));
                decided.open.push(open(None, name(), Why::Held, words));
            }
            // Beside a service that somebody has, it is an old or a coming copy of that.
            Standing::Suspended if !ties.accounts.contains(listed.name.account.as_str()) => {
                let words = format!(
                    "nobody has it; nothing is made of it while it is {}",
                    standing_words(listed.service)
                );
                decided.open.push(open(None, name(), Why::NoSubscriber, words));
            }
            Standing::Suspended | Standing::NotYet | Standing::Lead | Standing::Ended => {}
        }
    }
}

impl<'m, 'f> Maker<'m, 'f> {
    fn new(facts: &'m Facts<'f>, mapping: &'f Mapping, ties: &'m Ties<'f>, time_is_sure: bool) -> Self {
        let inventory = facts.inventory;
        let owner = |one: &'f Subscriber| Some((one.endpoint.as_ref()?.mac, one));
        let spares = inventory.devices.values().flat_map(|device| {
            let spares = device.endpoints.values();
            spares.map(|spare| (spare.mac, (device.key.as_str(), spare.key.as_str())))
        });
        let mut seen: HashMap<MacAddr, BTreeSet<(&str, PortNumber)>> = HashMap::new();
        for SeenEndpoint { device, port, mac } in facts.seen {
            if let Some((key, _)) = inventory.devices.get_key_value(device) {
                seen.entry(*mac).or_default().insert((key, *port));
            }
        }
        Self {
            facts,
            mapping,
            shared: &ties.shared,
            pools: Pools::new(inventory, &facts.before.vlans, facts.now, time_is_sure),
            owners: inventory.subscribers.values().filter_map(owner).collect(),
            spares: spares.collect(),
            seen,
            keys: HashSet::new(),
            names: HashSet::new(),
            put: HashMap::new(),
        }
    }

    /// The subscriber that a service becomes; `None` for what is none of ours.
    fn make(&mut self, listed: &Listed<'f>) -> Result<Option<Intent>, NotMade> {
        let question = |words: String| (Why::Question, words);
        if !listed.is_writable {
            let words = "its ids are not made of digits, which an inventory could not say: nothing is made of it";
            return Err((Why::Held, words.to_owned()));
        }
        let site = match belongs(listed.account, listed.service, &self.mapping.sites) {
            Belongs::Others(_) => return Ok(None),
            Belongs::Anywhere => None,
            Belongs::Site(site) => Some(site),
            Belongs::Unknown => return Err(question(self.which_site(listed))),
        };
        let place = self.place(listed)?;
        self.check_place(listed, place, site)?;
        let inventory = self.facts.inventory;
        let plan = offer::plan(inventory, self.mapping, self.facts.book, listed.service).map_err(question)?;
        let key = self.key(listed)?;
        let name = self.name(listed, &key, &place.device.key)?;
        let vlan = match &self.mapping.vlans {
            None => None,
            Some(rule) => Some(self.pools.next(place.device, rule).map_err(question)?),
        };
        let entry = self.entry(listed, place, plan, name.as_deref(), vlan);
        let port = (place.device.key.clone(), place.port);
        *self.put.entry(port).or_default() += 1;
        self.names
            .insert((place.device.key.clone(), name.unwrap_or_else(|| key.clone())));
        self.keys.insert(key.clone());
        let beside = inventory.subscribers.on(&place.device.key).next();
        let beside = beside.map_or_else(
            || KeyPath::new(["devices", &place.device.key]),
            |one| KeyPath::new(["subscribers", &one.key]),
        );
        Ok(Some(Intent {
            service: listed.name.clone(),
            kind: Kind::Create,
            way: self.mapping.way(Kind::Create),
            edits: vec![Edit::Insert {
                path: KeyPath::new(["subscribers", &key]),
                value: entry,
                beside: Some(beside),
            }],
            sets: vec![("plan", plan.to_owned()), ("state", "active".to_owned())],
            words: format!(
                "new on {} port {} with {}, plan {plan}{}",
                place.device.key,
                place.port,
                place.mac,
                vlan.map(|vlan| format!(", VLAN {vlan}")).unwrap_or_default()
            ),
            subscriber: key,
        }))
    }

    fn which_site(&self, listed: &Listed<'_>) -> String {
        let facts = listed.account.facts.iter().chain(&listed.service.facts);
        let facts = facts.map(|(name, text)| format!("{}: {}", said(name), said(text)));
        format!(
            "no rule of `billing.{}.sites` says which site it belongs to; {} tells {}; sites are {}",
            self.facts.book.kind.key(),
            self.facts.book.kind,
            list(facts, "and"),
            list(self.facts.inventory.sites.keys(), "and")
        )
    }

    /// Where the service's endpoint is: by its address, else by the device and port that billing names.
    fn place(&self, listed: &Listed<'f>) -> Result<Place<'f>, NotMade> {
        let question = |words: String| Err((Why::Question, words));
        let mac = match &listed.address {
            Address::Several(all) => {
                let all = all.iter().map(ToString::to_string);
                return question(format!(
                    "its endpoint is {}: leave one of them in billing",
                    list(all, "or")
                ));
            }
            Address::None => return self.place_by_port(listed),
            Address::One(mac) => *mac,
        };
        if let Some(names) = self.shared.get(&mac) {
            return question(shared_words(mac, names));
        }
        if self.facts.was_shared(mac) {
            return question(once_shared_words(mac));
        }
        self.is_free(mac)?;
        let places: Vec<(&str, PortNumber)> = self.seen.get(&mac).into_iter().flatten().copied().collect();
        match places.as_slice() {
            [] => Err((
                Why::NoSubscriber,
                format!("waits until its endpoint {mac} is plugged in"),
            )),
            [(device, port)] => Ok(Place {
                device: &self.facts.inventory.devices[*device],
                port: *port,
                mac,
            }),
            several => {
                let several = several.iter().map(|(device, port)| format!("{device} port {port}"));
                question(format!(
                    "its endpoint {mac} is seen on {}: unplug all but one",
                    list(several, "and")
                ))
            }
        }
    }

    /// Whether an endpoint is nobody's yet.
    fn is_free(&self, mac: MacAddr) -> Result<(), NotMade> {
        let key = self.facts.book.kind.key();
        if let Some(owner) = self.owners.get(&mac) {
            let of = owner
                .external
                .of(self.facts.book.kind)
                .map(|id| format!(", who is {} in billing", said(id)));
            return Err((
                Why::Question,
                format!(
                    "its endpoint {mac} is that of the subscriber `{}`{}: take it away there, or correct `external.{key}`",
                    owner.key,
                    of.unwrap_or_default()
                ),
            ));
        }
        match self.spares.get(&mac) {
            None => Ok(()),
            Some((device, spare)) => Err((
                Why::Question,
                format!(
                    "its endpoint {mac} is the spare endpoint `devices.{device}.endpoints.{spare}`: take it away there"
                ),
            )),
        }
    }

    /// The only endpoint that is seen where billing says the service is.
    fn place_by_port(&self, listed: &Listed<'f>) -> Result<Place<'f>, NotMade> {
        let device = self.device(listed);
        let port: Option<u64> = text(listed.service, &self.mapping.port).and_then(|text| text.parse().ok());
        let port = port.and_then(|port| PortNumber::try_from(port).ok());
        let (Some(Ok(device)), Some(port)) = (device, port) else {
            let nowhere = format!(
                "billing says nothing of its endpoint in {}",
                list(&self.mapping.endpoint, "or")
            );
            return Err((Why::NoSubscriber, nowhere));
        };
        let there = (self.seen.iter()).filter(|(_, places)| places.contains(&(device.key.as_str(), port)));
        let mut macs: Vec<MacAddr> = there.map(|(mac, _)| *mac).collect();
        macs.sort_unstable();
        match macs.as_slice() {
            [] => Err((
                Why::NoSubscriber,
                format!("waits until an endpoint is plugged in on {} port {port}", device.key),
            )),
            [mac] => {
                self.is_free(*mac)?;
                Ok(Place {
                    device,
                    port,
                    mac: *mac,
                })
            }
            several => {
                let several = several.iter().map(ToString::to_string);
                let words = format!(
                    "on {} port {port} are {}: write the one that it is into billing",
                    device.key,
                    list(several, "and")
                );
                Err((Why::Question, words))
            }
        }
    }

    /// The device that billing names, if any; the text where there is no such device.
    fn device(&self, listed: &Listed<'f>) -> Option<Result<&'f Device, String>> {
        let text = text(listed.service, &self.mapping.device)?;
        let kind = self.facts.book.kind;
        let is_it = |device: &&Device| {
            let names = [
                Some(device.key.as_str()),
                device.hostname.as_deref(),
                Some(&device.address),
                device.external.of(kind),
            ];
            names.into_iter().flatten().any(|name| name == text)
        };
        let device = self.facts.inventory.devices.values().find(is_it);
        Some(device.ok_or_else(|| said(text)))
    }

    /// Whether the place is one where the service may be.
    fn check_place(&self, listed: &Listed<'f>, place: Place<'_>, site: Option<&str>) -> Result<(), NotMade> {
        let question = |words: String| Err((Why::Question, words));
        let Place { device, port, mac } = place;
        if let Some(site) = site.filter(|site| device.site.as_deref() != Some(*site)) {
            return question(format!(
                "it belongs to the site `{site}`, and its endpoint {mac} is seen on {}, which is {}: correct one of the two",
                device.key,
                device
                    .site
                    .as_ref()
                    .map_or_else(|| "on no site".to_owned(), |site| format!("on `{site}`"))
            ));
        }
        let elsewhere = match self.device(listed) {
            Some(Ok(said)) if said.key != device.key => Some(said.key.clone()),
            Some(Err(text)) => Some(text),
            _ => None,
        };
        if let Some(elsewhere) = elsewhere {
            return question(format!(
                "billing says that it is on `{elsewhere}`, and its endpoint {mac} is seen on {} port {port}: correct one of the two",
                device.key
            ));
        }
        let here = |one: &&Subscriber| one.port == PortBinding::Port(port);
        let on_port = self.facts.inventory.subscribers.on(&device.key).filter(here).count();
        let spare = device
            .endpoints
            .values()
            .filter(|spare| spare.port == PortBinding::Port(port))
            .count();
        let put = self.put.get(&(device.key.clone(), port)).copied().unwrap_or_default();
        let room = match device.subscriber_model {
            SubscriberModel::PortAware => 1,
            SubscriberModel::EndpointAware => device.model.medium.endpoints_per_port(),
        };
        if on_port + spare + put >= room {
            return question(format!(
                "its endpoint {mac} is seen on {} port {port}, where there is no room for another: take away who is not there any more",
                device.key
            ));
        }
        Ok(())
    }

    fn filled(&self, template: &Template, listed: &Listed<'_>) -> String {
        template.filled(|placeholder| match placeholder {
            Placeholder::Account => &listed.name.account,
            Placeholder::Service => &listed.name.service,
            Placeholder::Name => &listed.account.name,
        })
    }

    fn key(&self, listed: &Listed<'_>) -> Result<String, NotMade> {
        let is_good = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-' | '.');
        let key = fit(&self.filled(&self.mapping.key, listed), is_good, '-', KEY_LENGTH);
        let key = key.trim_matches(['-', '_', '.']).to_owned();
        let template = &self.mapping.key;
        let kind = self.facts.book.kind.key();
        if key.is_empty() {
            let words = format!("`{template}` gives it no key: correct `billing.{kind}.key`");
            return Err((Why::Question, words));
        }
        if self.facts.inventory.subscribers.contains_key(&key) || self.keys.contains(&key) {
            let words = format!(
                "its key would be `{key}`, which another subscriber has: correct `billing.{kind}.key`, or write `external.{kind}: \
                 {}` there if it is the same",
                listed.name
            );
            return Err((Why::Question, words));
        }
        Ok(key)
    }

    /// Its name on the device, where that is not its key.
    fn name(&self, listed: &Listed<'_>, key: &str, device: &str) -> Result<Option<String>, NotMade> {
        let is_good = |char: char| char.is_ascii_alphanumeric() || "_-./#@+() ".contains(char);
        let name = match &self.mapping.name {
            None => key.to_owned(),
            Some(template) => fit(&self.filled(template, listed), is_good, ' ', NAME_LENGTH),
        };
        let kind = self.facts.book.kind.key();
        if name.is_empty() || name.chars().count() > NAME_LENGTH {
            let words = format!(
                "its name on the device would be `{name}`, and a device takes 1 to {NAME_LENGTH} characters: correct `billing.{kind}.name`"
            );
            return Err((Why::Question, words));
        }
        let on_device = self.facts.inventory.subscribers.on(device);
        let is_taken = on_device.map(|one| &one.name).any(|other| *other == name);
        if is_taken || self.names.contains(&(device.to_owned(), name.clone())) {
            let words =
                format!("its name on {device} would be `{name}`, which another one has: correct `billing.{kind}.name`");
            return Err((Why::Question, words));
        }
        Ok(Some(name).filter(|name| name != key))
    }

    /// The whole entry, its settings in the order of the format.
    fn entry(&self, listed: &Listed<'_>, place: Place<'_>, plan: &str, name: Option<&str>, vlan: Option<u16>) -> Value {
        let is_good = |char: char| matches!(char, ' '..='~') && !matches!(char, '"' | '\\' | '?');
        let description = (self.mapping.description.as_ref())
            .map(|template| fit(&self.filled(template, listed), is_good, ' ', DESCRIPTION_LENGTH))
            .filter(|text| !text.is_empty());
        let by_endpoint = place.device.subscriber_model == SubscriberModel::EndpointAware;
        let external = Value::map([(self.facts.book.kind.key(), Value::Text(listed.name.to_string()))]);
        let settings = [
            name.map(|name| ("name", Value::from(name))),
            Some(("device", Value::from(place.device.key.as_str()))),
            by_endpoint.then(|| ("endpoint", Value::Text(place.mac.to_string()))),
            Some(("port", Value::Number(place.port.get().into()))),
            Some(("plan", Value::from(plan))),
            vlan.map(|vlan| ("vlan", Value::Number(vlan.into()))),
            description.map(|text| ("description", Value::Text(text))),
            Some(("external", external)),
        ];
        Value::map(settings.into_iter().flatten())
    }
}

/// A text made of good characters: runs of others become one `joint`, and what is too long is cut.
fn fit(text: &str, is_good: impl Fn(char) -> bool, joint: char, length: usize) -> String {
    let mut fitted = String::with_capacity(text.len());
    for char in text.chars() {
        let char = if is_good(char) { char } else { joint };
        if !(char == joint && fitted.ends_with(joint)) {
            fitted.push(char);
        }
    }
    let cut: String = fitted.trim_matches(joint).chars().take(length).collect();
    cut.trim_matches([joint, ' ']).to_owned()
}
