//! Reads `hostname` and `ghn` lines into the managed configuration.
//!
//! Knows the CLI's keywords and which of them take a value. What it cannot take stays with the object, word
//! for word, and is reported.

use std::collections::BTreeMap;

use crate::domain::{
    DoubleTag, Mbps, PoeMode, PortBinding, PortMode, PortNumber, ProfileId, SubscriberId, SubscriberModel,
    UplinkNumber, VlanId, VlanSet,
};
use crate::observed::{DeviceConfig, Endpoint, ObjectId, Port, Profile, ProfileRef, Subscriber};

use super::frame::Line;
use super::words::{self, Word};

/// Gathers the objects of one configuration.
#[derive(Default)]
pub(super) struct Reader {
    hostname: String,
    ports: BTreeMap<PortNumber, Port>,
    config: DeviceConfig,
    /// `nni` of each subscriber: it may stand before the `outer-vid` that it belongs to.
    uplinks: BTreeMap<SubscriberId, UplinkNumber>,
    warnings: Vec<String>,
}

impl Reader {
    /// Takes a line if it is about something managed; `false` leaves it to `other`.
    pub(super) fn line(&mut self, line: &Line) -> bool {
        let words = words::split(&line.text);
        let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
        match texts.as_slice() {
            ["hostname", name @ ..] if !line.indented => {
                self.hostname = name.join(" ");
                true
            }
            ["no", "hostname", ..] if !line.indented => true,
            ["ghn", ..] => self.ghn(line.number, &words),
            ["no", "ghn", ..] => self.taken_back(line, &texts[2..]),
            _ => false,
        }
    }

    /// The configuration and what was odd about its lines.
    pub(super) fn finish(mut self) -> (DeviceConfig, Vec<String>) {
        self.config.hostname = self.hostname;
        for (id, port) in self.ports {
            self.config.set_port(id, port);
        }
        for (id, uplink) in self.uplinks {
            let Some(subscriber) = self.config.subscribers.get_mut(&id) else {
                continue;
            };
            match &mut subscriber.double_tag {
                Some(tag) => tag.uplink = Some(uplink),
                // Without an outer VLAN it does nothing, but it is there.
                None => {
                    self.warnings
                        .push(format!("subscriber {id} has an uplink (`nni`) but no outer VLAN"));
                    subscriber.unknown.extend(["nni".to_owned(), uplink.to_string()]);
                }
            }
        }
        if self.config.subscribers.values().any(|one| one.port.is_some()) {
            self.config.subscriber_model = SubscriberModel::PortAware;
        }
        let config = &mut self.config;
        let ports = config.ports.values_mut().map(|port| (Object::PORT, &mut port.unknown));
        let profiles = config
            .profiles
            .values_mut()
            .map(|profile| (Object::PROFILE, &mut profile.unknown));
        let endpoints = config
            .endpoints
            .values_mut()
            .map(|endpoint| (Object::ENDPOINT, &mut endpoint.unknown));
        let subscribers = config
            .subscribers
            .values_mut()
            .map(|subscriber| (Object::SUBSCRIBER, &mut subscriber.unknown));
        for (keywords, unknown) in ports.chain(profiles).chain(endpoints).chain(subscribers) {
            *unknown = grouped(unknown, keywords);
        }
        (self.config, self.warnings)
    }

    fn ghn(&mut self, number: usize, words: &[Word]) -> bool {
        let kind = words.get(1).map_or("", |word| word.text.as_str());
        if matches!(kind, "vectorboost" | "notch") {
            return false;
        }
        let id = words.get(2).map_or("", |word| word.text.as_str());
        // Where the device prints its subscriber model, if at all, is assumed.
        if let ("subscriber-model", Some(model), 3) = (kind, subscriber_model(id), words.len()) {
            self.config.subscriber_model = model;
            return true;
        }
        let Some(id) = object_id(kind, id) else {
            self.warnings.push(format!(
                "line {number}: `ghn {kind} {id}` is not a G.hn setting that this version knows; it is left alone"
            ));
            return false;
        };
        let rest = &words[3..];
        let warnings = &mut Warnings {
            number,
            id,
            all: &mut self.warnings,
        };
        match id {
            ObjectId::Port(id) => read(Object::Port(self.ports.entry(id).or_default()), rest, warnings),
            ObjectId::Profile(id) => read(
                Object::Profile(self.config.profiles.entry(id).or_default()),
                rest,
                warnings,
            ),
            ObjectId::Endpoint(id) => read(
                Object::Endpoint(self.config.endpoints.entry(id).or_default()),
                rest,
                warnings,
            ),
            ObjectId::Subscriber(id) => {
                let mut uplink = None;
                read(
                    Object::Subscriber(self.config.subscribers.entry(id).or_default(), &mut uplink),
                    rest,
                    warnings,
                );
                match uplink {
                    Some(Some(uplink)) => drop(self.uplinks.insert(id, uplink)),
                    Some(None) => drop(self.uplinks.remove(&id)),
                    None => {}
                }
            }
            ObjectId::System => return false,
        }
        true
    }

    /// `no ghn ...` lines, which `all-defaults` may print for a flag that is off.
    fn taken_back(&mut self, line: &Line, texts: &[&str]) -> bool {
        let object = match texts {
            [kind, id, ..] => object_id(kind, id),
            _ => None,
        };
        match (object, texts.get(2..).unwrap_or_default()) {
            (Some(ObjectId::Port(id)), ["shutdown"]) => self.ports.entry(id).or_default().shutdown = false,
            // Taking back makes no object: one that was not printed is not there.
            (Some(ObjectId::Endpoint(id)), ["allow-management-access"]) => {
                self.config
                    .endpoints
                    .entry(id)
                    .and_modify(|endpoint| endpoint.management_access = false);
            }
            (Some(ObjectId::Endpoint(id)), ["port"]) => {
                self.config
                    .endpoints
                    .entry(id)
                    .and_modify(|endpoint| endpoint.port = PortBinding::Unassigned);
            }
            (Some(ObjectId::Subscriber(id)), ["endpoint"]) => {
                self.config
                    .subscribers
                    .entry(id)
                    .and_modify(|subscriber| subscriber.endpoint = None);
            }
            (Some(ObjectId::Subscriber(id)), ["port"]) => {
                self.config
                    .subscribers
                    .entry(id)
                    .and_modify(|subscriber| subscriber.port = None);
            }
            (Some(ObjectId::Subscriber(id)), ["trunk"]) => {
                self.config
                    .subscribers
                    .entry(id)
                    .and_modify(|subscriber| subscriber.trunk = false);
            }
            _ => {
                self.warnings.push(format!(
                    "line {}: `{}` is not understood; it is left alone",
                    line.number, line.text
                ));
                return false;
            }
        }
        true
    }
}

/// Settings that the device holds under keywords of ours with values that our types cannot hold, such as `vid 4095`: what is
/// read of those objects is not what they are.
pub(super) fn unreadable(config: &DeviceConfig) -> BTreeMap<ObjectId, Vec<String>> {
    let ports = (config.ports.iter()).map(|(id, port)| (ObjectId::Port(*id), Object::PORT, &port.unknown));
    let profiles = (config.profiles.iter()).map(|(id, one)| (ObjectId::Profile(*id), Object::PROFILE, &one.unknown));
    let endpoints =
        (config.endpoints.iter()).map(|(id, one)| (ObjectId::Endpoint(*id), Object::ENDPOINT, &one.unknown));
    let subscribers =
        (config.subscribers.iter()).map(|(id, one)| (ObjectId::Subscriber(*id), Object::SUBSCRIBER, &one.unknown));
    let all = ports.chain(profiles).chain(endpoints).chain(subscribers);
    let ours = |(id, keywords, unknown): (ObjectId, &[&str], &Vec<String>)| {
        let is_ours = |group: &&String| group.split(' ').next().is_some_and(|word| keywords.contains(&word));
        let groups: Vec<String> = unknown.iter().filter(is_ours).cloned().collect();
        (!groups.is_empty()).then_some((id, groups))
    };
    all.filter_map(ours).collect()
}

/// The object that `ghn <kind> <id>` names, if the kind is managed and the number in range.
fn object_id(kind: &str, id: &str) -> Option<ObjectId> {
    let id = digits(id)?;
    match kind {
        "port" => id.try_into().ok().map(ObjectId::Port),
        "bw-profile" => id.try_into().ok().map(ObjectId::Profile),
        "endpoint" => id.try_into().ok().map(ObjectId::Endpoint),
        "subscriber" => id.try_into().ok().map(ObjectId::Subscriber),
        _ => None,
    }
}

fn subscriber_model(word: &str) -> Option<SubscriberModel> {
    match word {
        "port-aware" => Some(SubscriberModel::PortAware),
        "endpoint-aware" => Some(SubscriberModel::EndpointAware),
        _ => None,
    }
}

struct Warnings<'a> {
    number: usize,
    id: ObjectId,
    all: &'a mut Vec<String>,
}

impl Warnings<'_> {
    fn push(&mut self, what: &str) {
        self.all.push(format!("line {}: {}: {what}", self.number, self.id));
    }
}

/// What became of a keyword.
enum Taken {
    /// It stands alone.
    Flag,
    /// It took the word after it.
    Value,
    /// It is ours, but what follows is nothing that our types hold.
    Bad,
    /// Not a keyword that we know.
    Unknown,
}

/// Reads keywords and values in any order; the last of two equal keywords counts.
fn read(mut object: Object<'_>, words: &[Word], warnings: &mut Warnings<'_>) {
    let keywords = object.keywords();
    let mut unknown: Vec<String> = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    let mut rest = words;
    while let Some((word, after)) = rest.split_first() {
        rest = after;
        if word.quoted {
            unknown.push(word.raw.clone());
            continue;
        }
        // A keyword does not swallow the next keyword, except where the value is free text.
        let free_text = matches!(word.text.as_str(), "name" | "description");
        let value = after
            .first()
            .filter(|next| free_text || next.quoted || !keywords.contains(&next.text.as_str()));
        match object.take(&word.text, value.map(|value| value.text.as_str())) {
            Taken::Flag => {}
            Taken::Value => {
                rest = &after[1..];
                if seen.contains(&word.text.as_str()) {
                    warnings.push(&format!("`{}` stands twice, the last one counts", word.text));
                }
                seen.push(&word.text);
            }
            Taken::Bad => {
                let value = value.map_or("", |value| value.raw.as_str());
                warnings.push(&format!(
                    "`{} {value}` is outside what this version knows; it is kept",
                    word.text
                ));
                unknown.push(word.raw.clone());
                if !value.is_empty() {
                    unknown.push(value.to_owned());
                    rest = &after[1..];
                }
            }
            Taken::Unknown => unknown.push(word.raw.clone()),
        }
    }
    if !unknown.is_empty() {
        warnings.push(&format!(
            "has settings that this version does not know, and keeps: `{}`",
            unknown.join(" ")
        ));
        object.unknown().extend(unknown);
    }
}

/// Puts words that nobody knows into groups of a keyword and its values, by the words alone, so that the
/// result does not depend on where in the line they stood. A value is quoted or begins with a digit; one of
/// our own keywords that could not be read takes whatever follows it.
fn grouped(words: &[String], keywords: &[&str]) -> Vec<String> {
    let mut groups: Vec<String> = Vec::new();
    let mut takes_any = false;
    for word in words {
        let value = word.starts_with(|c: char| c == '"' || c.is_ascii_digit());
        match groups.last_mut() {
            Some(group) if value || takes_any => {
                group.push(' ');
                group.push_str(word);
                takes_any = false;
            }
            _ => {
                groups.push(word.clone());
                takes_any = keywords.contains(&word.as_str());
            }
        }
    }
    let mut kept: Vec<String> = Vec::new();
    for group in groups {
        // The same object printed on two lines repeats itself.
        if !kept.contains(&group) {
            kept.push(group);
        }
    }
    kept
}

/// An object while its line is read.
enum Object<'a> {
    Port(&'a mut Port),
    Profile(&'a mut Profile),
    Endpoint(&'a mut Endpoint),
    /// And the uplink that its line names: `Some(None)` for the default one.
    Subscriber(&'a mut Subscriber, &'a mut Option<Option<UplinkNumber>>),
}

impl Object<'_> {
    const PORT: &'static [&'static str] = &["mode", "name", "shutdown"];
    const PROFILE: &'static [&'static str] = &[
        "name",
        "description",
        "rate-downstream",
        "rate-upstream",
        "service-limit-level",
    ];
    const ENDPOINT: &'static [&'static str] =
        &["name", "mac-address", "description", "port", "allow-management-access"];
    const SUBSCRIBER: &'static [&'static str] = &[
        "name",
        "description",
        "endpoint",
        "vid",
        "tagged",
        "untagged",
        "remapped-vid",
        "bw-profile",
        "allowed-vlan",
        "port2-vid",
        "poe",
        "port",
        "trunk",
        "outer-vid",
        "nni",
    ];

    fn keywords(&self) -> &'static [&'static str] {
        match self {
            Self::Port(_) => Self::PORT,
            Self::Profile(_) => Self::PROFILE,
            Self::Endpoint(_) => Self::ENDPOINT,
            Self::Subscriber(..) => Self::SUBSCRIBER,
        }
    }

    fn unknown(&mut self) -> &mut Vec<String> {
        match self {
            Self::Port(port) => &mut port.unknown,
            Self::Profile(profile) => &mut profile.unknown,
            Self::Endpoint(endpoint) => &mut endpoint.unknown,
            Self::Subscriber(subscriber, _) => &mut subscriber.unknown,
        }
    }

    fn take(&mut self, keyword: &str, value: Option<&str>) -> Taken {
        match self {
            Self::Port(port) => match keyword {
                "mode" => put(&mut port.mode, value, |word| match word {
                    "mimo" | "coax" => Some(PortMode::ModelDefault),
                    "siso" => Some(PortMode::Siso),
                    _ => None,
                }),
                "name" => put(&mut port.name, value, text),
                "shutdown" => raise(&mut port.shutdown, true),
                _ => Taken::Unknown,
            },
            Self::Profile(profile) => match keyword {
                "name" => put(&mut profile.name, value, text),
                "description" => put(&mut profile.description, value, text),
                "rate-downstream" => put(&mut profile.down, value, rate),
                "rate-upstream" => put(&mut profile.up, value, rate),
                "service-limit-level" => put(&mut profile.service_limit_level, value, |word| {
                    digits(word)?.try_into().ok().map(Some)
                }),
                _ => Taken::Unknown,
            },
            Self::Endpoint(endpoint) => match keyword {
                "name" => put(&mut endpoint.name, value, text),
                "mac-address" => put(&mut endpoint.mac, value, |word| word.parse().ok().map(Some)),
                "description" => put(&mut endpoint.description, value, text),
                "port" => put(&mut endpoint.port, value, |word| match word {
                    "unassigned" | "none" => Some(PortBinding::Unassigned),
                    "auto" => Some(PortBinding::Auto),
                    number => digits(number)?.try_into().ok().map(PortBinding::Port),
                }),
                "allow-management-access" => raise(&mut endpoint.management_access, true),
                _ => Taken::Unknown,
            },
            Self::Subscriber(subscriber, uplink) => subscriber_word(subscriber, uplink, keyword, value),
        }
    }
}

fn subscriber_word(
    subscriber: &mut Subscriber,
    uplink: &mut Option<Option<UplinkNumber>>,
    keyword: &str,
    value: Option<&str>,
) -> Taken {
    match keyword {
        "port" => put(&mut subscriber.port, value, |word| match word {
            "none" | "unassigned" => Some(None),
            number => digits(number)?.try_into().ok().map(Some),
        }),
        "trunk" => raise(&mut subscriber.trunk, true),
        "outer-vid" => put(&mut subscriber.double_tag, value, |word| {
            let outer = optional_vlan(word)?;
            Some(outer.map(|outer_vlan| DoubleTag {
                outer_vlan,
                uplink: None,
            }))
        }),
        "nni" => put(uplink, value, |word| match word {
            "default" | "none" => Some(Some(None)),
            number => digits(number)?.try_into().ok().map(|uplink| Some(Some(uplink))),
        }),
        "name" => put(&mut subscriber.name, value, text),
        "description" => put(&mut subscriber.description, value, text),
        "endpoint" => put(&mut subscriber.endpoint, value, |word| match word {
            "none" | "unassigned" => Some(None),
            number => digits(number)?.try_into().ok().map(Some),
        }),
        "vid" => put(&mut subscriber.vlan, value, vlan),
        "tagged" => raise(&mut subscriber.tagged, true),
        "untagged" => raise(&mut subscriber.tagged, false),
        "remapped-vid" => put(&mut subscriber.remapped_vlan, value, optional_vlan),
        "bw-profile" => put(&mut subscriber.profile, value, |word| match word {
            "unthrottled" => Some(Some(ProfileRef::Unthrottled)),
            number => digits(number)?
                .try_into()
                .ok()
                .map(|id: ProfileId| Some(ProfileRef::Profile(id))),
        }),
        "allowed-vlan" => put(&mut subscriber.allowed_vlans, value, |word| match word {
            "none" => Some(VlanSet::default()),
            list => list.parse().ok(),
        }),
        "port2-vid" => put(&mut subscriber.port2_vlan, value, optional_vlan),
        "poe" => put(&mut subscriber.poe, value, |word| match word {
            "disable" => Some(Some(PoeMode::Disable)),
            "enable" => Some(Some(PoeMode::Enable)),
            "force" => Some(Some(PoeMode::Force)),
            _ => None,
        }),
        _ => Taken::Unknown,
    }
}

fn put<T>(place: &mut T, value: Option<&str>, read: impl FnOnce(&str) -> Option<T>) -> Taken {
    match value.and_then(read) {
        Some(read) => {
            *place = read;
            Taken::Value
        }
        None => Taken::Bad,
    }
}

fn raise(flag: &mut bool, to: bool) -> Taken {
    *flag = to;
    Taken::Flag
}

fn text(word: &str) -> Option<String> {
    Some(word.to_owned())
}

fn rate(word: &str) -> Option<Option<Mbps>> {
    Mbps::try_from(digits(word)?).ok().map(Some)
}

fn vlan(word: &str) -> Option<VlanId> {
    VlanId::try_from(u16::try_from(digits(word)?).ok()?).ok()
}

fn optional_vlan(word: &str) -> Option<Option<VlanId>> {
    if word == "none" {
        Some(None)
    } else {
        vlan(word).map(Some)
    }
}

/// A number in plain digits: `parse` alone would take a sign as well.
fn digits(word: &str) -> Option<u64> {
    if word.bytes().all(|byte| byte.is_ascii_digit()) {
        word.parse().ok()
    } else {
        None
    }
}
