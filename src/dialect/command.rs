//! Changes to command lines, ready to send.
//!
//! Owns which words a change needs and in which order (the CLI guide's syntax); knows nothing of sessions.
//! Only what differs is sent, since naming an existing object changes only the attributes given (CLI guide).
//! Creation sends every service word even where it is the presumed default: presumed by us.

mod check;
mod line;
mod word;

#[cfg(test)]
mod tests;

pub use word::{WORDS, Word};

use crate::domain::{Mbps, PoeMode, PortBinding, PortMode, PortNumber, ProfileId, VlanId};
use crate::observed::{
    AssumedWord, Change, Endpoint, Evidence, FromTo, ObjectId, Port, Profile, ProfileRef, Subscriber,
};

use check::{allowed_list, check_length, checked_vlan, no_words, safe_text, same_unknown, value};
use line::{Line, Script};

/// Identifies device and firmware (CLI guide).
pub const SHOW_VERSION: &str = "show version";
/// Prints the whole configuration; the guide lists no form that prints the G.hn part alone.
pub const READ_RUNNING: &str = "show running-config";
/// The same with defaults printed (CLI guide).
pub const READ_RUNNING_ALL_DEFAULTS: &str = "show running-config all-defaults";
/// Prints the configuration that the next start will load (CLI guide).
pub const READ_STARTUP: &str = "more flash:startup-config";
/// Reads what a device without a startup configuration loads at boot (sister products; the file is in the
/// CLI guide's listing).
pub const READ_DEFAULT: &str = "more flash:default-config";
/// Prints the endpoints that are seen and where (CLI guide; seen on 1.5.4).
pub const DISCOVER: &str = "show ghn discover all";
/// Makes the running configuration survive a restart; answers with good `%` lines (firmware family).
pub const SAVE: &str = "copy running-config startup-config";
/// Enters configuration mode (CLI guide).
pub const CONFIGURE: &str = "configure terminal";
/// Leaves configuration mode from any depth (CLI guide).
pub const END: &str = "end";
/// Turns the pager off for the session (seen on 1.5.4).
pub const TERMINAL_LENGTH: &str = "terminal length 0";
/// The widest terminal of the family; longer lines are echoed scrolled sideways.
pub const TERMINAL_WIDTH: &str = "terminal width 512";

/// A change that must not be or cannot be put into words. Nothing of it is sent.
///
/// A mistake that inventory rules or the planner should have caught, so: our bug, or an odd value on the
/// device that a rollback would have to write back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsendable {
    /// The character would start help, end the string, or be read differently by different firmware.
    #[error("{object}: its {field} holds {character:?}, which must not be sent to the device")]
    Character {
        /// Whose text.
        object: ObjectId,
        /// Which text.
        field: &'static str,
        /// The character.
        character: char,
    },
    /// The text or list is longer than the device takes, or empty where it must not be.
    #[error("{object}: its {field} is {length} characters long; the device takes {min} to {max}")]
    Length {
        /// Whose text.
        object: ObjectId,
        /// Which text.
        field: &'static str,
        /// How long it is.
        length: usize,
        /// Least.
        min: usize,
        /// Most.
        max: usize,
    },
    /// The number is outside what the command line takes.
    #[error("{object}: {field} {value} is outside what the command line takes")]
    Value {
        /// Whose number.
        object: ObjectId,
        /// Which number.
        field: &'static str,
        /// The number.
        value: String,
    },
    /// The command line has no words for it.
    #[error("{object}: no command can {what}")]
    NoWords {
        /// The object.
        object: ObjectId,
        /// What cannot be said.
        what: &'static str,
    },
}

/// The configuration-mode lines that make a change, in order.
///
/// Shape: printable ASCII, each line short enough that prompt and line fit the widest terminal. Empty when
/// the change changes nothing. Names and descriptions are always quoted.
///
/// # Errors
///
/// [`Unsendable`] names the object and what about it must not or cannot be sent.
pub fn commands(change: &Change) -> Result<Vec<String>, Unsendable> {
    Ok(script(change)?.lines())
}

/// The assumed word that each of a change's commands tries: one entry per line of [`commands`], `None` for a line
/// of known words. A device that does not know such a word refuses that line and nothing else.
///
/// # Errors
///
/// As [`commands`].
pub fn trials(change: &Change) -> Result<Vec<Option<AssumedWord>>, Unsendable> {
    Ok(script(change)?.trials())
}

/// What stands behind the words that a change needs: the weakest of them.
///
/// A change that cannot be put into words has the weakest evidence there is.
#[must_use]
pub fn evidence(change: &Change) -> Evidence {
    script(change).map_or(Evidence::Assumed, |script| script.evidence())
}

fn script(change: &Change) -> Result<Script, Unsendable> {
    let object = change.object();
    if object == ObjectId::Profile(ProfileId::DEVICE_DEFAULT) {
        return Err(no_words(object, "change the profile that belongs to the device"));
    }
    let mut script = Script::new(object);
    match change {
        Change::SetHostname(change) => hostname(&mut script, change)?,
        Change::SetPort(id, change) => port(&mut script, *id, change)?,
        Change::CreateProfile(_, profile) => {
            set_profile(&mut script, &Profile::default(), profile, true)?;
        }
        Change::SetProfile(_, change) => set_profile(&mut script, &change.from, &change.to, false)?,
        Change::CreateEndpoint(_, endpoint) => set_endpoint(&mut script, &Endpoint::default(), endpoint, true)?,
        Change::SetEndpoint(_, change) => set_endpoint(&mut script, &change.from, &change.to, false)?,
        Change::CreateSubscriber(_, subscriber) => {
            set_subscriber(&mut script, &Subscriber::default(), subscriber, true)?;
        }
        Change::SetSubscriber(_, change) => set_subscriber(&mut script, &change.from, &change.to, false)?,
        Change::DeleteProfile(..) | Change::DeleteEndpoint(..) | Change::DeleteSubscriber(..) => {
            script.push(Line::removing(object, None));
        }
    }
    Ok(script)
}

fn hostname(script: &mut Script, change: &FromTo<String>) -> Result<(), Unsendable> {
    let object = ObjectId::System;
    if change.from == change.to {
        return Ok(());
    }
    if change.to.is_empty() {
        script.push(Line::bare(&word::NO_HOSTNAME));
        return Ok(());
    }
    // The prompt is made from it, and the word cannot be quoted.
    let odd = |c: &char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if let Some(character) = change.to.chars().find(odd) {
        return Err(Unsendable::Character {
            object,
            field: "host name",
            character,
        });
    }
    check_length(object, "host name", &change.to, 1, 255)?;
    let mut line = Line::bare(&word::HOSTNAME);
    line.value(&change.to);
    script.push(line);
    Ok(())
}

fn port(script: &mut Script, id: PortNumber, change: &FromTo<Port>) -> Result<(), Unsendable> {
    let object = ObjectId::Port(id);
    let FromTo { from, to } = change;
    same_unknown(object, &from.unknown, &to.unknown)?;
    let mut line = Line::setting(object);
    if from.mode != to.mode {
        line.word(match to.mode {
            PortMode::ModelDefault => &word::MODE_MIMO,
            PortMode::Siso => &word::MODE_SISO,
        });
    }
    if from.name != to.name {
        let keyword = if to.name.is_empty() {
            &word::NAME_EMPTY
        } else {
            &word::NAME
        };
        line.text(keyword, &safe_text(object, "name", &to.name, 0, 31)?);
    }
    if to.shutdown && !from.shutdown {
        line.word(&word::SHUTDOWN);
    }
    script.push_if_any(line);
    if from.shutdown && !to.shutdown {
        script.push(Line::removing(object, Some(&word::SHUTDOWN)));
    }
    Ok(())
}

fn set_profile(script: &mut Script, from: &Profile, to: &Profile, new: bool) -> Result<(), Unsendable> {
    let object = script.object;
    same_unknown(object, &from.unknown, &to.unknown)?;
    let mut line = Line::setting(object);
    name(&mut line, object, &from.name, &to.name, new)?;
    description(&mut line, object, &from.description, &to.description)?;
    for (keyword, from, to) in [(&word::DOWN, from.down, to.down), (&word::UP, from.up, to.up)] {
        match to {
            Some(rate) if from != to => {
                // 0 says "not limited in this direction" (CLI guide).
                if rate.get() != 0 && !(Mbps::MIN..=Mbps::MAX_BY_MIB).contains(&rate) {
                    return Err(value(object, keyword.text, rate.get()));
                }
                line.keyword(keyword, rate.get());
            }
            None if from.is_some() => return Err(no_words(object, "take a rate back")),
            _ => {}
        }
    }
    match to.service_limit_level {
        Some(level) if from.service_limit_level != to.service_limit_level => {
            line.keyword(&word::LIMIT_LEVEL, level);
        }
        None if from.service_limit_level.is_some() => {
            return Err(no_words(object, "take a service limit level back"));
        }
        _ => {}
    }
    script.push_if_any(line);
    Ok(())
}

fn set_endpoint(script: &mut Script, from: &Endpoint, to: &Endpoint, new: bool) -> Result<(), Unsendable> {
    let object = script.object;
    same_unknown(object, &from.unknown, &to.unknown)?;
    let mut line = Line::setting(object);
    name(&mut line, object, &from.name, &to.name, new)?;
    match to.mac {
        Some(mac) if from.mac != to.mac => line.keyword(&word::MAC, mac),
        None if new => return Err(no_words(object, "make an endpoint without a MAC address")),
        None if from.mac.is_some() => return Err(no_words(object, "take a MAC address back")),
        _ => {}
    }
    description(&mut line, object, &from.description, &to.description)?;
    if new || from.port != to.port {
        let keyword = match to.port {
            PortBinding::Port(_) => &word::PORT_NUMBER,
            PortBinding::Auto => &word::PORT_AUTO,
            PortBinding::Unassigned => &word::PORT_UNASSIGNED,
        };
        line.keyword(keyword, to.port);
    }
    if to.management_access && !from.management_access {
        line.word(&word::MANAGEMENT_ACCESS);
    }
    script.push_if_any(line);
    if from.management_access && !to.management_access {
        script.push(Line::removing(object, Some(&word::MANAGEMENT_ACCESS)));
    }
    Ok(())
}

fn set_subscriber(script: &mut Script, from: &Subscriber, to: &Subscriber, new: bool) -> Result<(), Unsendable> {
    let object = script.object;
    same_unknown(object, &from.unknown, &to.unknown)?;
    if from.endpoint.is_some() && to.endpoint.is_none() {
        // First, so that no service of the new kind reaches an endpoint that is to have none.
        script.push(Line::removing(object, Some(&word::ENDPOINT)));
    }
    let mut line = Line::setting(object);
    name(&mut line, object, &from.name, &to.name, new)?;
    let trials = assumed(object, from, to)?;
    if !trials.is_empty() {
        // An object must have its name before anything else can be said of it; else what may be refused goes
        // first, so that no service is given under other settings than were asked for.
        if new {
            script.push(std::mem::replace(&mut line, Line::setting(object)));
        }
        trials.into_iter().for_each(|trial| script.push(trial));
    }
    description(&mut line, object, &from.description, &to.description)?;
    if let Some(endpoint) = to.endpoint
        && from.endpoint != to.endpoint
    {
        line.keyword(&word::ENDPOINT, endpoint);
    }
    if new || from.vlan != to.vlan {
        line.keyword(&word::VID, checked_vlan(object, word::VID.text, to.vlan)?);
    }
    if new || from.tagged != to.tagged {
        line.word(if to.tagged { &word::TAGGED } else { &word::UNTAGGED });
    }
    optional_vlan(&mut line, object, &word::REMAPPED, from.remapped_vlan, to.remapped_vlan)?;
    match to.profile {
        Some(profile) if from.profile != to.profile => {
            let keyword = match profile {
                ProfileRef::Unthrottled => &word::UNTHROTTLED,
                ProfileRef::Profile(_) => &word::PROFILE,
            };
            line.keyword(keyword, profile);
        }
        None if from.profile.is_some() => return Err(no_words(object, "take a bandwidth profile back")),
        _ => {}
    }
    if from.allowed_vlans != to.allowed_vlans {
        line.keyword(&word::ALLOWED, allowed_list(object, &to.allowed_vlans)?);
    }
    optional_vlan(&mut line, object, &word::PORT2, from.port2_vlan, to.port2_vlan)?;
    match to.poe {
        Some(PoeMode::Disable) if from.poe != to.poe => line.keyword(&word::POE_DISABLE, PoeMode::Disable),
        None if from.poe.is_some() => return Err(no_words(object, "take a PoE mode back")),
        _ => {}
    }
    script.push_if_any(line);
    Ok(())
}

/// One line for each assumed word, nothing else asked for on it.
fn assumed(object: ObjectId, from: &Subscriber, to: &Subscriber) -> Result<Vec<Line>, Unsendable> {
    AssumedWord::needed(from, to)
        .map(|trial| {
            let mut line = Line::setting(object);
            let tag = to.double_tag;
            match trial {
                AssumedWord::SubscriberPort => subscriber_port(&mut line, object, from, to)?,
                AssumedWord::NoSubscriberPort => line = Line::removing(object, Some(&word::NO_SUBSCRIBER_PORT)),
                AssumedWord::Trunk => line.word(&word::TRUNK),
                AssumedWord::NoTrunk => line = Line::removing(object, Some(&word::NO_TRUNK)),
                AssumedWord::OuterVlan => {
                    if let Some(tag) = tag {
                        let outer = checked_vlan(object, word::OUTER_VID.text, tag.outer_vlan)?;
                        line.keyword(&word::OUTER_VID, outer);
                    }
                }
                AssumedWord::NoOuterVlan => line.keyword(&word::OUTER_VID_NONE, "none"),
                AssumedWord::Uplink => {
                    let uplink = tag.and_then(|tag| tag.uplink);
                    uplink.into_iter().for_each(|uplink| line.keyword(&word::NNI, uplink));
                }
                AssumedWord::NoUplink => line.keyword(&word::NNI_DEFAULT, "default"),
                AssumedWord::PoeEnableForce => {
                    to.poe
                        .into_iter()
                        .for_each(|mode| line.keyword(&word::POE_ENABLE, mode));
                }
            }
            Ok(line.trying(trial))
        })
        .collect()
}

/// `port <n>`, and after it the second port's VLAN as it is already.
///
/// To firmware without the word `port`, `port 3` is short for `port2-vid 3` (keywords may be shortened, CLI guide), and
/// would give the customer's second port another VLAN. Said again on the same line, that option makes it one that such
/// firmware does not take: each option may stand once, and a line with a fault in it changes nothing. Should the later of
/// two win instead, it is the one that changes nothing.
fn subscriber_port(line: &mut Line, object: ObjectId, from: &Subscriber, to: &Subscriber) -> Result<(), Unsendable> {
    let Some(port) = to.port else { return Ok(()) };
    line.keyword(&word::SUBSCRIBER_PORT, port);
    match from.port2_vlan {
        Some(vlan) => line.keyword(&word::PORT2, checked_vlan(object, word::PORT2.text, vlan)?),
        None => line.keyword(&word::PORT2, "none"),
    }
    Ok(())
}

fn name(line: &mut Line, object: ObjectId, from: &str, to: &str, new: bool) -> Result<(), Unsendable> {
    if new || from != to {
        line.text(&word::NAME, &safe_text(object, "name", to, 1, 31)?);
    }
    Ok(())
}

fn description(line: &mut Line, object: ObjectId, from: &str, to: &str) -> Result<(), Unsendable> {
    if from != to {
        let keyword = if to.is_empty() {
            &word::DESCRIPTION_EMPTY
        } else {
            &word::DESCRIPTION
        };
        line.text(keyword, &safe_text(object, "description", to, 0, 127)?);
    }
    Ok(())
}

fn optional_vlan(
    line: &mut Line,
    object: ObjectId,
    keyword: &'static Word,
    from: Option<VlanId>,
    to: Option<VlanId>,
) -> Result<(), Unsendable> {
    match to {
        _ if from == to => {}
        Some(vlan) => line.keyword(keyword, checked_vlan(object, keyword.text, vlan)?),
        None => line.keyword(keyword, "none"),
    }
    Ok(())
}
