//! One object's target from its wish and what the device holds: absent is not default.

use crate::domain::{EndpointId, PoeMode, PortBinding};
use crate::inventory::desired::{DesiredEndpoint, DesiredProfile, DesiredSubscriber};
use crate::observed::{Answer, AssumedWord, Capabilities, Endpoint, Evidence, Profile, ProfileRef, Subscriber};

pub(super) fn profile(wish: &DesiredProfile, held: Option<&Profile>) -> Profile {
    let blank = Profile::default();
    let held = held.unwrap_or(&blank);
    Profile {
        service_limit_level: wish.service_limit_level.or(held.service_limit_level),
        name: wish.name.clone(),
        description: wish.description.as_ref().unwrap_or(&held.description).clone(),
        down: Some(wish.down),
        up: Some(wish.up),
        unknown: held.unknown.clone(),
    }
}

pub(super) fn endpoint(wish: &DesiredEndpoint, held: Option<&Endpoint>) -> Endpoint {
    let blank = Endpoint::default();
    let held = held.unwrap_or(&blank);
    // A name that the device made from the MAC of the CPE before would lie about the new one, and stand in
    // the way of the old one's return.
    let made_by_device = || held.mac.is_none_or(|mac| held.name == mac.default_endpoint_name());
    let name = match &wish.name {
        Some(name) => name.clone(),
        None if held.name.is_empty() => wish.mac.default_endpoint_name(),
        None if held.mac != Some(wish.mac) && made_by_device() => wish.mac.default_endpoint_name(),
        None => held.name.clone(),
    };
    // A device most likely replaces `auto` by the port where it found the endpoint. Another CPE has yet to be
    // found, maybe elsewhere.
    let port = match (wish.port, held.port) {
        (PortBinding::Auto, PortBinding::Port(port)) if held.mac == Some(wish.mac) => PortBinding::Port(port),
        (port, _) => port,
    };
    Endpoint {
        name,
        mac: Some(wish.mac),
        description: wish.description.as_ref().unwrap_or(&held.description).clone(),
        port,
        management_access: wish.management_access.unwrap_or(held.management_access),
        unknown: held.unknown.clone(),
    }
}

/// The target of a subscriber, and a note for each field that the firmware cannot be asked for.
pub(super) fn subscriber(
    wish: &DesiredSubscriber,
    endpoint: Option<EndpointId>,
    profile: Option<ProfileRef>,
    held: Option<&Subscriber>,
    words: Words<'_>,
) -> (Subscriber, Vec<String>) {
    let blank = Subscriber::default();
    let held = held.unwrap_or(&blank);
    let mut notes = Vec::new();
    let mut target = Subscriber {
        double_tag: wish.double_tag,
        port: wish.port,
        trunk: wish.trunk,
        name: wish.name.clone(),
        description: wish.description.as_ref().unwrap_or(&held.description).clone(),
        endpoint,
        vlan: wish.vlan,
        tagged: wish.tagged,
        remapped_vlan: wish.remapped_vlan,
        profile,
        allowed_vlans: wish.allowed_vlans.clone(),
        port2_vlan: wish.port2_vlan,
        poe: wish.poe.or(held.poe),
        unknown: held.unknown.clone(),
    };
    if target.poe == Some(PoeMode::Disable)
        && target.poe != held.poe
        && !words.capabilities.poe(PoeMode::Disable).is_yes()
    {
        notes.push("`poe disable` is not set: this firmware is not known to have the words".to_owned());
        target.poe = held.poe;
    }
    let needed: Vec<AssumedWord> = AssumedWord::needed(held, &target).collect();
    for word in needed {
        if let Some(reason) = words.withheld(word) {
            if word.is_needed(held, &target) {
                notes.push(format!("its {} is left as it is: {reason}", word.field()));
            }
            word.put_back(&mut target, held);
        }
    }
    (target, notes)
}

/// Which words may be said to a device.
#[derive(Debug, Clone, Copy)]
pub(in crate::plan) struct Words<'a> {
    pub(in crate::plan) capabilities: &'a Capabilities,
    /// Whether the operator lets words be tried that nobody has seen.
    pub(in crate::plan) allow_assumed: bool,
}

impl Words<'_> {
    /// Why an assumed word is not said; `None` where it is.
    pub(in crate::plan) fn withheld(self, word: AssumedWord) -> Option<String> {
        let support = self.capabilities.word(word);
        match (support.answer, support.evidence) {
            (Answer::Yes, _) => None,
            (Answer::Unknown, _) if self.allow_assumed => None,
            (Answer::Unknown, _) => Some(format!(
                "nobody has seen this firmware take `{word}`; `allow_assumed: true` on the device lets gamops try"
            )),
            (Answer::No, Evidence::Seen) => Some(format!("this firmware has refused `{word}`")),
            (Answer::No, _) => Some(format!("this firmware is too old for `{word}`")),
            (Answer::Ignored, _) => Some(format!("this firmware takes `{word}` and ignores it")),
        }
    }
}
